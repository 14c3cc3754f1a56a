/* inspect/hold.h - rules that stay while the lock is away. */
#ifndef LBI_INSPECT_HOLD_H
#define LBI_INSPECT_HOLD_H

#include "generic/generic.h"

/* The active rules of a moment, in the order of definition, each pinned: a
 * record that is taken away meanwhile stays readable. */
typedef struct lbi_held {
    lb_generic *generic;
    lbi_rule **rules;
    size_t count;
} lbi_held;

/* Under the lock, both. False without memory: there is nothing to let go. */
bool lbi_hold_rules(lb_generic *generic, lbi_held *held);
void lbi_let_go(lbi_held *held);

#endif
