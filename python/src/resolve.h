/* resolve.h - from the arguments of a call to what it runs. */
#ifndef LBPY_RESOLVE_H
#define LBPY_RESOLVE_H

#include "choice.h"

/* What a call of this form with these arguments runs; a new reference, kept for
 * the next such call. NULL: an exception of Python code that was asked. That
 * nothing can be called is a link, too. */
lbpy_link *lbpy_resolve(lbpy_generic *g, lbpy_form *form,
                        PyObject *const *args);

/* Only looks whether such a call of a form whose cells are up to date was made
 * before, when the types' version tags do not tell. *found: the cell, or as it
 * was: then it must be resolved (and the form may be gone). -1: an exception. */
int lbpy_find_by_serials(lbpy_generic *g, const lbpy_form *form,
                         PyObject *const *args, const lbpy_cell **found);

/* The same, asking the engine in any case, with the values; keeps nothing. */
lbpy_link *lbpy_resolve_values(lbpy_generic *g, lbpy_form *form,
                               PyObject *const *args);

/* Python code that was asked changed the methods: 0: look again; -1: it has done
 * so each time, and that is an exception. *times: so far, at first 0. */
int lbpy_look_again(const lbpy_generic *g, unsigned *times);

/* The same for types, one per argument of the call; without `values` (NULL) what
 * looks at them does not apply. With all that comes after, wanted or not. */
lbpy_link *lbpy_resolve_types(lbpy_generic *g, lbpy_form *form,
                              PyObject *const *types, PyObject *const *values);

#endif
