/* wants.h - what a hint comes to in rules. */
#ifndef LBPY_WANTS_H
#define LBPY_WANTS_H

#include "predicate.h"
#include "types.h"

/* What one argument must be, for one rule. */
typedef struct lbpy_want {
    lbpy_type *base;       /* NULL: any class */
    lbpy_predicate *value; /* NULL: the class is all */
} lbpy_want;

/* A hint as rules need it: alternatives, with one use each of what they name.
 * One object per hint, as long as somebody has it: the methods do. */
typedef struct lbpy_wants {
    PyObject_VAR_HEAD lbpy_state *state; /* held */
    lbpy_hint *hint;                     /* NULL: any */
    struct lbpy_wants *next; /* in its bucket of the state's table, borrowed */
    bool listed;             /* it is in there */
    PyObject *held;          /* tuple of hints, those that `at` goes by */
    uint32_t count;
    lbpy_want at[];
} lbpy_wants;

int lbpy_wants_setup(PyObject *module, lbpy_state *state);
void lbpy_wants_end(lbpy_state *state);

/* What comes of `hint` (NULL: any) in rules; a new reference. May run Python
 * code. NULL: an exception. */
lbpy_wants *lbpy_wants_of(lbpy_state *state, lbpy_hint *hint);

/* True when whatever `a` takes `b` takes, too, as far as is known without
 * running Python code. */
bool lbpy_want_below(const lbpy_state *state, const lbpy_want *a,
                     const lbpy_want *b);

/* The same for all alternatives of `a`, each below some of `b`. */
bool lbpy_wants_below(const lbpy_state *state, const lbpy_wants *a,
                      const lbpy_wants *b);

#endif
