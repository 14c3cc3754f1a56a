/* predicate.h - hints with a value part as predicates of the engine. */
#ifndef LBPY_PREDICATE_H
#define LBPY_PREDICATE_H

#include "hint.h"

/* One per hint, for as long as the runtime lives: the engine keeps addresses.
 * Without uses it holds no hint and no rule names it. */
struct lbpy_predicate {
    lb_predicate given; /* what the engine sees; `implies` grows */
    lbpy_state *state;
    lbpy_hint *hint; /* borrowed from its users, who all hold it; or NULL */
    Py_ssize_t uses;
    size_t room;               /* of given.implies */
    lbpy_predicate **compared; /* with which it was, for good */
    size_t compared_count, compared_room;
    lbpy_predicate *next;
};

/* Is `b` the same, or among those that `a` is known to imply? */
static inline bool lbpy_implies(const lb_predicate *a, const lb_predicate *b)
{
    for (size_t i = 0; i < a->implies_count; i++)
        if (a->implies[i] == b)
            return true;
    return a == b;
}

/* One of the questions of a choice. */
typedef struct lbpy_test {
    lbpy_predicate *predicate; /* one use */
    PyObject *hint;            /* its hint, held */
    uint8_t slot;              /* which argument it is asked of */
} lbpy_test;

/* Answers that a running question has already (see choice.c), so that user
 * code is asked once for each argument. Latest first. */
typedef struct lbpy_choosing {
    const lbpy_test *tests;
    PyObject *const *values; /* one per test */
    size_t count;
    uint64_t answers; /* bit i: test i holds */
    struct lbpy_choosing *outer;
} lbpy_choosing;

/* Puts one among the running questions, and takes it out: those of several
 * threads end in any order. */
void lbpy_choosing_begin(lbpy_state *state, lbpy_choosing *choosing);
void lbpy_choosing_end(lbpy_state *state, lbpy_choosing *choosing);

/* What held while the engine resolved one call, in one thread. */
typedef struct lbpy_told {
    struct lbpy_holding {
        const lbpy_predicate *predicate;
        const PyObject *value;
    } * at;
    size_t count, room;
    bool failed; /* something is missing, for want of memory */
    unsigned long thread;
    struct lbpy_told *outer;
} lbpy_told;

void lbpy_told_begin(lbpy_state *state, lbpy_told *told);
void lbpy_told_end(lbpy_state *state, lbpy_told *told);
bool lbpy_told_holds(const lbpy_told *told, const lbpy_predicate *predicate,
                     const PyObject *value);

/* The predicate of `hint`, with one use more. NULL: an exception. */
lbpy_predicate *lbpy_predicate_of(lbpy_state *state, lbpy_hint *hint);
/* Finds out whether one implies the other, unless it was before. May run Python
 * code; an Exception of it means that nothing is known. 0, or -1. */
int lbpy_predicates_compare(lbpy_predicate *p, lbpy_predicate *q);
void lbpy_predicate_release(lbpy_predicate *predicate);
void lbpy_predicates_end(lbpy_state *state);

#endif
