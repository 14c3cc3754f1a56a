/* link.h - what a call runs: the engine's chains as Python objects.
 *
 * The engine decides (lb_resolve gives the entry); its answer is copied to
 * links, which hold on to the methods as Python objects do, so that no bracket
 * of the engine is open while Python code runs. Immutable, shared by calls.
 */
#ifndef LBPY_LINK_H
#define LBPY_LINK_H

#include "generic.h"

typedef enum lbpy_kind {
    LBPY_LINK_PLAIN,    /* calls the method's function                        */
    LBPY_LINK_NEXT,     /* the same, with next_method=                        */
    LBPY_LINK_SWAPPED,  /* inner, with the first two arguments exchanged      */
    LBPY_LINK_FRAME,    /* parts before, next, inner, next, parts after       */
    LBPY_LINK_COMBINED, /* all parts, folded                                  */
    LBPY_LINK_END,      /* nothing to run: the failure that `status` says     */
    LBPY_LINK_INHERIT   /* the attribute of that name further up the MRO, or
                           END                                                */
} lbpy_kind;

typedef struct lbpy_link {
    PyObject_HEAD lbpy_kind kind;
    lb_status status;       /* END, INHERIT */
    lbpy_method *method;    /* PLAIN, NEXT; END: the tie, if it is one */
    struct lbpy_link *next; /* NULL: was not wanted */
    bool next_swapped;      /* next takes the first two exchanged back */
    bool at_start, at_end;  /* FRAME: next runs by itself */
    struct lbpy_link *inner;
    PyObject *parts;    /* tuple of links, or NULL */
    Py_ssize_t befores; /* FRAME: of them; the rest come after */
} lbpy_link;

int lbpy_link_setup(PyObject *module, lbpy_state *state);

/* What an entry was found for. */
typedef struct lbpy_found {
    lbpy_type *const *records; /* of the arguments' types, one per slot */
    PyObject *const *values;   /* and the arguments, or NULL */
    const lbpy_told *told;     /* which tests of them held, or NULL */
} lbpy_found;

/* The links of `entry`. Called inside a bracket. `whole`: with all that comes
 * after, wanted or not. NULL: an exception. */
lbpy_link *lbpy_link_of(lbpy_generic *g, const lbpy_form *form,
                        const lb_entry *entry, const lbpy_found *found,
                        bool whole);

/* One link without a method, e.g. an end. */
lbpy_link *lbpy_link_end(lbpy_generic *g, lb_status status);

/* A chain of just these methods, in this order, then the end. */
lbpy_link *lbpy_link_list(lbpy_generic *g, PyObject *methods);

/* What a cell may call at once: the function of a PLAIN link that can be called
 * by vectorcall, borrowed; else NULL. */
PyObject *lbpy_link_function(const lbpy_link *link);

/* True when links must know what comes after them. */
static inline bool lbpy_wants_whole(const lbpy_generic *g)
{
    return g->retry != NULL;
}

#endif
