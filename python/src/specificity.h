/* specificity.h - which of two rules is the more specific one. */
#ifndef LBPY_SPECIFICITY_H
#define LBPY_SPECIFICITY_H

#include "generic.h"

/* True where the engine's order says too much: see specificity.c. */
bool lbpy_order_is_partial(const lbpy_generic *g, const lbpy_form *form);

/* Is `a` nowhere less specific than `b`, and somewhere more, for arguments of
 * these types, which fit both? Specializers, one per slot; a type may be NULL
 * where both take any. */
bool lbpy_precedes(const lbpy_generic *g, const lbpy_form *form,
                   lbpy_type *const *records, const lb_specializer *a,
                   const lb_specializer *b);

/* A rule that applies, as it takes the arguments. */
typedef struct lbpy_candidate {
    const void *method; /* rules of one method do not tie */
    lb_specializer wants[LBPY_MAX_SLOTS];
    bool taken; /* comes earlier in the chain */
} lbpy_candidate;

/* True when of those not taken, for arguments of these types, none but rules of
 * `method` is preceded by no other. */
bool lbpy_comes_next(const lbpy_generic *g, const lbpy_form *form,
                     lbpy_type *const *records, const lbpy_candidate *all,
                     size_t count, const void *method);

/* Corrects what the engine explained: where several primary rules are the most
 * specific ones, they are tied, and what is behind them is not reached. */
void lbpy_correct(const lbpy_generic *g, const lbpy_form *form,
                  lbpy_type *const *records, lb_explanation *e);

#endif
