/* inspect.h - questions about a generic function, for the front end. */
#ifndef LBPY_INSPECT_H
#define LBPY_INSPECT_H

#include "generic.h"

PyObject *lbpy_generic_resolve(PyObject *self, PyObject *args);
PyObject *lbpy_generic_explain(PyObject *self, PyObject *args);
PyObject *lbpy_generic_ambiguities(PyObject *self, PyObject *args);

/* Appends the ties between virtual classes (ties.c) to a list of ambiguities,
 * those of the `fresh` methods (NULL: all). 0, or -1. */
int lbpy_virtual_ties(lbpy_generic *g, PyObject *fresh, PyObject *list);

/* The types behind the slots' classes (NULL: any), one per argument of the call;
 * None where it is not dispatched on. A new reference. */
PyObject *lbpy_form_types(const lbpy_form *form, lb_class *const *classes);

/* One ambiguity as the front end gets it, appended. */
int lbpy_append_ambiguity(PyObject *list, const lbpy_form *form,
                          PyObject *first, PyObject *second, PyObject *witness,
                          PyObject *resolving, int possible);

#endif
