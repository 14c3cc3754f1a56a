/* method.h - one implementation, with its signature as dispatch sees it. */
#ifndef LBPY_METHOD_H
#define LBPY_METHOD_H

#include "wants.h"

/* A parameter's hint is NULL when anything may be passed. */
typedef struct lbpy_method {
    PyObject_VAR_HEAD PyObject *function; /* what is called */
    PyObject *names; /* tuple: positional names, then keyword-only ones */
    PyObject *dict;  /* the front end's: source, documentation, … */
    PyObject *weak;
    lbpy_hint *rest;           /* of *args, NULL: any */
    lbpy_hint *others;         /* of **kwargs, NULL: any */
    lb_method descriptor;      /* for the engine's rules */
    PyObject *label;           /* holds its name, if it is not a constant */
    uint64_t keyword_required; /* bit i: keyword-only parameter i */
    uint64_t next_bit;         /* of the keyword-only `next_method`, or 0 */
    uint16_t positional;       /* how many may be given by position */
    uint16_t positional_only;
    uint16_t required; /* of the positional ones */
    uint16_t keywords; /* keyword-only ones, next_method among them */
    bool has_rest, has_others;
    bool ambiguous; /* ties & 1 */
    bool commutative;
    bool converts;      /* its result goes through hooks.convert */
    bool direct;        /* in C: its function may be called by a cell */
    uint8_t qualifier;  /* lb_qualifier */
    uint8_t propagate;  /* lb_propagate */
    PyObject *tied;     /* a bundle: tuple of the methods that it stands for */
    uint64_t ties;      /* of a bundle; bit i: nothing decides between method
                            i and the one after it */
    lbpy_hint *hints[]; /* positional, then keyword-only; after them the wants:
                           the same, then of rest and others */
} lbpy_method;

int lbpy_method_setup(PyObject *module, lbpy_state *state);

/* True when a call with `positional` arguments and the names in `kwnames` (NULL:
 * none) binds to the parameters. */
bool lbpy_method_accepts(const lbpy_method *method, Py_ssize_t positional,
                         PyObject *kwnames);

/* Makes what its hints come to in rules, once; may run Python code. To be called
 * before a generic function takes it. 0, or -1. */
int lbpy_method_prepare(lbpy_state *state, lbpy_method *method);

/* What the hints of its parameters come to, then those of *args and **kwargs; NULL
 * each before it is prepared. */
static inline lbpy_wants **lbpy_method_all_wants(const lbpy_method *method)
{
    return (lbpy_wants **)(uintptr_t)(method->hints + Py_SIZE(method));
}

/* The hint for argument `index` of such a call: positional ones first, then
 * those named. NULL: any. And what it comes to. */
lbpy_hint *lbpy_method_hint(const lbpy_method *method, Py_ssize_t index,
                            Py_ssize_t positional, PyObject *kwnames);
const lbpy_wants *lbpy_method_wants(const lbpy_method *method, Py_ssize_t index,
                                    Py_ssize_t positional, PyObject *kwnames);

/* How exactly it takes so many: 0 just so many, 1 by defaults, 2 by *args. */
int lbpy_method_looseness(const lbpy_method *method, Py_ssize_t count);

/* True when adding `b` replaces `a`. */
bool lbpy_method_same(const lbpy_method *a, const lbpy_method *b);
Py_hash_t lbpy_method_key(const lbpy_method *method);

/* True when, as far as their parameters correspond, whatever `a` takes `b`
 * takes. Both are prepared. */
bool lbpy_method_narrower(const lbpy_state *state, const lbpy_method *a,
                          const lbpy_method *b);

/* The method itself; of a bundle the first. Borrowed. */
static inline PyObject *lbpy_method_first(const lbpy_method *method)
{
    return method->tied ? PyTuple_GET_ITEM(method->tied, 0)
                        : (PyObject *)(uintptr_t)method;
}

/* How many of a bundle's first methods nothing decides between; 1: none. */
static inline Py_ssize_t lbpy_method_tied(const lbpy_method *bundle)
{
    Py_ssize_t count = 1;
    while (count < PyTuple_GET_SIZE(bundle->tied) && count < 64 &&
           (bundle->ties >> (count - 1) & 1))
        count++;
    return count;
}

/* A bundle: a method that stands for several (a tuple, taken over) whose rules
 * are equal in some form, in the order in which they count. */
lbpy_method *lbpy_method_bundle(lbpy_state *state, PyObject *methods,
                                uint64_t ties);

#endif
