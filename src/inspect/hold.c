/* inspect/hold.c - holding on to rules while user code runs.
 *
 * Predicates, equalities and visitors are user code and run without the lock,
 * so another thread, or they themselves, may take rules away. A pin keeps the
 * record; what was put off because of it is made up for when it is let go.
 */
#include "inspect/hold.h"

#include "generic/change.h"
#include "generic/rule.h"

bool lbi_hold_rules(lb_generic *g, lbi_held *held)
{
    *held = (lbi_held){g, lbi_rules_in_order(g), g->active_count};
    if (held->rules == NULL)
        return false;
    for (size_t i = 0; i < held->count; i++)
        held->rules[i]->pins++;
    return true;
}

void lbi_let_go(lbi_held *held)
{
    lb_generic *g = held->generic;
    const size_t size = held->count * sizeof *held->rules;
    bool idle = false;
    for (size_t i = 0; i < held->count; i++) {
        idle |= !held->rules[i]->active;
        lbi_rule_unpin(held->rules[i]);
    }
    lbi_free(&g->runtime->allocator, held->rules, size ? size : 1);
    if (idle && lbi_reclaims_by_itself(g->runtime))
        lbi_collect(g);
}
