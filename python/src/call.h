/* call.h - calling a generic function. */
#ifndef LBPY_CALL_H
#define LBPY_CALL_H

#include "link.h"

/* The three vectorcalls: the short way first; any way that is known (for generic
 * functions that try again after an exception); always the slow one (for those
 * that count their calls, or have methods pending). */
PyObject *lbpy_generic_call(PyObject *self, PyObject *const *args,
                            size_t nargsf, PyObject *kwnames);
PyObject *lbpy_generic_call_any(PyObject *self, PyObject *const *args,
                                size_t nargsf, PyObject *kwnames);
PyObject *lbpy_generic_call_slowly(PyObject *self, PyObject *const *args,
                                   size_t nargsf, PyObject *kwnames);

/* Counts a call; 0, or -1. */
int lbpy_count(lbpy_generic *g, const lbpy_form *form, const lbpy_link *link,
               PyObject *const *args);

#endif
