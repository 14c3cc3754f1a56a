/* types.h - Python's types as classes of the engine.
 *
 * A type gets a record, and an engine class, when dispatch first meets it. The
 * class's linearization is the type's MRO with the *virtual* classes put in:
 * abstract classes it is registered with and unions it is a member of, each
 * right after the last class of the order that is a subclass of it.
 *
 * Nothing here keeps a type alive. When it dies its record goes, and its engine
 * class as soon as nothing derives from it.
 */
#ifndef LBPY_TYPES_H
#define LBPY_TYPES_H

#include "hint.h"

typedef enum lbpy_role {
    LBPY_REAL,     /* counts where it is in the MRO                          */
    LBPY_ABSTRACT, /* counts where issubclass says so                        */
    LBPY_JOINED    /* a union: counts where one of its members does          */
} lbpy_role;

typedef enum lbpy_answer {
    LBPY_UNKNOWN,
    LBPY_NO,
    LBPY_YES,
    LBPY_FAILED /* by an exception; raised where somebody needs to know */
} lbpy_answer;

struct lbpy_type {
    PyTypeObject *type; /* borrowed; NULL: a union, or dead */
    PyObject *weak;     /* clears the record when the type dies */
    lb_class *cls;
    uint32_t serial; /* of its present order; 0: do not cache */
    lbpy_role role;
    Py_ssize_t uses;   /* by rules that name it */
    lbpy_type **order; /* after itself; what the engine class was given */
    Py_ssize_t order_count;
    PyObject **mro; /* as it was, to be compared with only */
    Py_ssize_t mro_count;
    uint8_t *answers; /* by numbers of abstract classes: lbpy_answer, or old */
    uint32_t answer_count;
    uint32_t number;          /* of an abstract class */
    uint64_t answers_token;   /* abc_token when they were given */
    uint64_t asked_version;   /* virtual_version when all were known */
    uint64_t virtual_version; /* state's, when the order was made */
    uint64_t abc_token;       /* likewise */
    uint32_t untagged;        /* times it had no version tag when asked for */
    bool by_token;            /* what belongs to it depends on abc_token */
    bool inserted;            /* virtual, and some order names it */
    bool died;                /* collected, but still named by rules */
    bool unasked;             /* its order lacks answers: see order.c */
    lbpy_hint *joined; /* a union's members; borrowed from its users; or NULL */
    lbpy_type *newer, *older; /* by when they were met */
    lbpy_type *next_dead;
};

int lbpy_types_setup(lbpy_state *state);
void lbpy_types_end(lbpy_state *state);

/* The record of `type`, made if need be, with its order as it is now. May run
 * Python code (issubclass of abstract classes). NULL: an exception. */
lbpy_type *lbpy_type_of(lbpy_state *state, PyTypeObject *type);

/* The record of a class part other than ANY, virtual if it must be. Each call
 * is one use, to be given back by lbpy_base_release. NULL: an exception. */
lbpy_type *lbpy_base_of(lbpy_state *state, lbpy_hint *base);
void lbpy_base_release(lbpy_state *state, lbpy_type *base);

/* Brings the types that rules name up to now, and of the others the `limit` that
 * were met last. May run Python code. 0, or -1. */
int lbpy_types_refresh(lbpy_state *state, size_t limit);

/* True in Python code that a question about a type runs: what is found there may
 * lack the answer, and is not to be kept. */
bool lbpy_types_are_asked(const lbpy_state *state);

/* True when the type's order is of now. */
bool lbpy_type_is_current(const lbpy_state *state, const lbpy_type *type);

/* True when the engine may still name it: it lives, with the MRO that it had. */
bool lbpy_type_is_there(const lbpy_type *type);

/* True when `a` is `b` or has it in its order. */
bool lbpy_type_is(const lbpy_type *a, const lbpy_type *b);

/* The same by what is known of each, also for what is not yet in an order. */
bool lbpy_type_below(const lbpy_state *state, const lbpy_type *a,
                     const lbpy_type *b);

/* Asks again what an exception left open, for those who need to know. 0, or -1
 * and the exception. */
int lbpy_type_insist(lbpy_state *state, lbpy_type *type, const lbpy_type *base);

/* True when `b` is in the MRO of the type `a`, not only virtually. */
bool lbpy_type_inherits(const lbpy_type *a, const lbpy_type *b);

/* Reads the abstract classes' token; 0 and an unchanged state, or -1. After a
 * change every order that depends on it is made anew when next asked for. */
int lbpy_abc_refresh(lbpy_state *state);

/* The token alone; -1 and an exception on failure. */
int lbpy_abc_token(lbpy_state *state, uint64_t *token);

/* The type, or for a union its hint, as a new reference. */
PyObject *lbpy_type_object(const lbpy_type *type);

#endif
