/* generic/ambiguity.h - pairs of rules that no order decides between. */
#ifndef LBI_GENERIC_AMBIGUITY_H
#define LBI_GENERIC_AMBIGUITY_H

#include "generic/match.h"
#include "latebind/inspect.h"

/* Called for each; false ends the search. Under the lock. */
typedef bool (*lbi_ambiguity_fn)(void *context, lb_generic *generic,
                                 const lb_ambiguity *ambiguity);

/* Ambiguities of an active rule with the others. False: the visitor ended
 * the search. */
bool lbi_ambiguities_of(lbi_rule *rule, lbi_ambiguity_fn visit, void *context);

/* True when the rule is certainly ambiguous with another. `fail`: the message
 * says with which (as for an error); else every one is reported. */
bool lbi_ambiguity_of_rule(lbi_rule *rule, bool fail);

/* Reports what a new or changed class with several bases makes ambiguous. */
void lbi_ambiguity_of_class(lb_runtime *runtime, lb_class *cls);

/* In words; false without memory. */
struct lbi_text;
void lbi_ambiguity_write(struct lbi_text *text, const lb_generic *generic,
                         const lb_ambiguity *ambiguity);
void lbi_rule_write(struct lbi_text *text, const lb_generic *generic,
                    const lb_rule *rule);

#endif
