/* generic/rule.h - records of rules: checked, copied, interned. */
#ifndef LBI_GENERIC_RULE_H
#define LBI_GENERIC_RULE_H

#include "generic/generic.h"

/* Checks what a caller hands in; the message names what is wrong. */
lb_status lbi_rule_check(const lb_generic *generic, const lb_rule *rule);
/* The same for a rule to be removed, which need not have a method. */
lb_status lbi_rule_check_key(const lb_generic *generic, const lb_rule *rule);

/* The record for `rule`, new or revived, with one pin more; NULL without
 * memory. */
lbi_rule *lbi_rule_make(lb_generic *generic, const lb_rule *rule);
void lbi_rule_unpin(lbi_rule *rule);

/* The active rule that is the same as `rule` (specializers, arity and
 * qualifier), or NULL. */
lbi_rule *lbi_rule_find(lb_generic *generic, const lb_rule *rule);

/* The active rules in the order of definition; the caller frees the array of
 * active_count pointers (at least a byte). NULL without memory. */
lbi_rule **lbi_rules_in_order(lb_generic *generic);

/* Puts a record in place, takes one away. Room was reserved before. */
bool lbi_rules_reserve(lb_generic *generic, size_t more);
void lbi_rule_activate(lbi_rule *rule, uint64_t sequence);
void lbi_rule_deactivate(lbi_rule *rule);

/* Counts the classes that `rule` names as named once more (or, by (size_t)-1,
 * less): they cannot be destroyed while they are. */
void lbi_rule_count_references(const lbi_rule *rule, size_t by);
/* Drops idle records that name a class which is being destroyed. */
void lbi_rules_forget_classes(lb_generic *generic);
/* Retires idle records that are neither pinned nor `reached`. */
void lbi_rules_collect(lb_generic *generic);
void lbi_rules_end(lb_generic *generic);

#endif
