/* generic/chain.h - from sorted matches to the entry that a call runs. */
#ifndef LBI_GENERIC_CHAIN_H
#define LBI_GENERIC_CHAIN_H

#include "generic/match.h"

/* The entry for a call with these applicable forms (which are reordered).
 * NULL without memory. */
const lb_entry *lbi_chain_make(lb_generic *generic, const lbi_call *call,
                               lbi_matches *matches);

/* The entry where a chain ends for this reason; LB_OK: the entry of cells whose
 * rule is gone, which resolves anew. */
const lb_entry *lbi_chain_end(const lb_generic *generic, lb_status status);
void lbi_ends_init(lb_generic *generic);

/* The same chain with `to` in the place of `from`, a rule with the same
 * specializers. NULL when it cannot be told from the entry alone, or without
 * memory: resolve again then. */
const lb_entry *lbi_chain_replace(lb_generic *generic, const lb_entry *entry,
                                  const lbi_rule *from, lbi_rule *to);

/* A collection: mark what is reached, then retire the rest. */
void lbi_entry_reach(const lb_entry *entry);
void lbi_entries_collect(lb_generic *generic);
void lbi_entries_end(lb_generic *generic);

#endif
