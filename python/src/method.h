/* method.h - one implementation, with its signature as dispatch sees it. */
#ifndef LBPY_METHOD_H
#define LBPY_METHOD_H

#include "hint.h"

/* A parameter's hint is NULL when anything may be passed. */
typedef struct lbpy_method {
    PyObject_VAR_HEAD
    PyObject *function;  /* what is called */
    PyObject *names;     /* tuple: positional names, then keyword-only ones */
    PyObject *dict;      /* the front end's: source, documentation, … */
    PyObject *weak;
    lbpy_hint *rest;     /* of *args, NULL: any */
    lbpy_hint *others;   /* of **kwargs, NULL: any */
    lb_method descriptor; /* for the engine's rules; its name is ours */
    uint64_t keyword_required; /* bit i: keyword-only parameter i */
    uint64_t next_bit;   /* of the keyword-only `next_method`, or 0 */
    uint16_t positional; /* how many may be given by position */
    uint16_t positional_only;
    uint16_t required;   /* of the positional ones */
    uint16_t keywords;   /* keyword-only ones, next_method among them */
    bool has_rest, has_others;
    bool commutative;
    bool converts;       /* its result goes through hooks.convert */
    uint8_t qualifier;   /* lb_qualifier */
    uint8_t propagate;   /* lb_propagate */
    PyObject *tied;      /* tuple of methods that this stands for, or NULL */
    lbpy_hint *hints[];  /* positional, then keyword-only */
} lbpy_method;

int lbpy_method_setup(PyObject *module, lbpy_state *state);

/* True when a call with `positional` arguments and the names in `kwnames` (NULL:
 * none) binds to the parameters. */
bool lbpy_method_accepts(const lbpy_method *method, Py_ssize_t positional,
                         PyObject *kwnames);

/* The hint for argument `index` of such a call: positional ones first, then
 * those named. NULL: any. */
lbpy_hint *lbpy_method_hint(const lbpy_method *method, Py_ssize_t index,
                            Py_ssize_t positional, PyObject *kwnames);

/* How exactly it takes so many: 0 just so many, 1 by defaults, 2 by *args. */
int lbpy_method_looseness(const lbpy_method *method, Py_ssize_t count);

/* True when adding `b` replaces `a`. */
bool lbpy_method_same(const lbpy_method *a, const lbpy_method *b);
Py_hash_t lbpy_method_key(const lbpy_method *method);

/* 1: as far as their parameters correspond, whatever `a` takes `b` takes; 0 if
 * not; -1: an exception. */
int lbpy_method_narrower(const lbpy_method *a, const lbpy_method *b);

/* A method that stands for several between which nothing decides. */
lbpy_method *lbpy_method_tie(lbpy_state *state, lbpy_method *a, lbpy_method *b);

#endif
