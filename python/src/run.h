/* run.h - carrying out what was found. */
#ifndef LBPY_RUN_H
#define LBPY_RUN_H

#include "link.h"

/* After a method of `link` returned NULL: the next one's result, if what it
 * raised says so (`retry`, not NULL); else NULL, as it is. */
PyObject *lbpy_run_next(lbpy_generic *g, lbpy_link *link, PyObject *const *args,
                        size_t nargsf, PyObject *kwnames);

/* Runs `link` (borrowed; kept alive meanwhile) with the arguments of a
 * vectorcall. A new reference, or NULL and the exception. */
PyObject *lbpy_run(lbpy_generic *g, lbpy_link *link, PyObject *const *args,
                   size_t nargsf, PyObject *kwnames);

/* The same with the first two arguments exchanged. */
PyObject *lbpy_run_swapped(lbpy_generic *g, lbpy_link *link,
                           PyObject *const *args, size_t nargsf,
                           PyObject *kwnames);

/* Raises, or does what the generic function has for it, when nothing can be
 * called. `status` says why. */
PyObject *lbpy_run_failure(lbpy_generic *g, lb_status status, lbpy_method *tie,
                           PyObject *const *args, size_t nargsf,
                           PyObject *kwnames);

/* The engine's way in, for callers in C: an lb_boxed_fn whose values are Python
 * objects, borrowed; its result is a new reference. Takes the interpreter's
 * lock. LB_METHOD_FAILED leaves the exception set. */
lb_status lbpy_run_boxed(lb_slot slot, size_t argc, const lb_value *argv,
                         lb_value *result);

void lbpy_next_end(lbpy_state *state);
int lbpy_next_setup(PyObject *module, lbpy_state *state);

/* What a method gets as `next_method`. */
PyObject *lbpy_next_make(lbpy_generic *g, lbpy_link *next, bool swapped,
                         PyObject *const *args, Py_ssize_t nargs,
                         PyObject *kwnames);

/* 1 if an attribute of the generic function's name is found after its owner in
 * the MRO of the first argument, 0 if not; -1. *bound (NULL: not wanted). */
int lbpy_inherited(lbpy_generic *g, PyObject *self, PyObject **bound);

#endif
