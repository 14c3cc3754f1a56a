/* generic/index.h - which forms mention a class at a position. */
#ifndef LBI_GENERIC_INDEX_H
#define LBI_GENERIC_INDEX_H

#include "generic/generic.h"

/* Makes the index describe the active forms. False without memory: walk over
 * all active rules instead. */
bool lbi_index_ready(lb_generic *generic);
/* Keep a ready index ready. A failure only makes it stale. */
void lbi_index_add(lb_generic *generic, lbi_rule *rule);
void lbi_index_remove(lb_generic *generic, lbi_rule *rule);
void lbi_index_end(lb_generic *generic);

lbi_form *lbi_index_bucket(const lb_generic *generic, unsigned position,
                           const lb_class *cls);
/* How many forms are in the bucket. */
size_t lbi_index_count(const lb_generic *generic, unsigned position,
                       const lb_class *cls);

/* Visits every active form that may be applicable to these classes (one per
 * position, NULL: missing), and perhaps others. */
typedef bool (*lbi_form_fn)(void *context, lbi_form *form);
bool lbi_index_candidates(lb_generic *generic, lb_class *const *classes,
                          lbi_form_fn visit, void *context);
/* Every active form. */
bool lbi_each_form(const lb_generic *generic, lbi_form_fn visit, void *context);

#endif
