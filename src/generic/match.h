/* generic/match.h - which forms are applicable to a call, and in what order. */
#ifndef LBI_GENERIC_MATCH_H
#define LBI_GENERIC_MATCH_H

#include "generic/generic.h"

/* The dispatched arguments of one call, as the slow path sees them. */
typedef struct lbi_call {
    size_t argc;                        /* boxed: all; typed: dispatched */
    lb_class *classes[LB_MAX_DISPATCH]; /* NULL: missing */
    lb_value values[LB_MAX_DISPATCH];
    const lb_value *argv; /* boxed: all of them, else NULL */
    bool has_values;
} lbi_call;

/* An applicable form with its rank at each position. */
typedef struct lbi_match {
    lbi_form *form;
    long rank[LB_MAX_DISPATCH];
} lbi_match;

typedef struct lbi_matches {
    lb_runtime *runtime;
    lbi_match *at;
    size_t count, capacity;
} lbi_matches;

enum { LBI_EQUAL = 0, LBI_UNORDERED = 2 }; /* else -1 or 1 */

/* True when the classes and the arity fit; values are not asked. */
bool lbi_form_fits(const lb_generic *generic, const lbi_form *form,
                   const lbi_call *call, uint32_t *failed);
/* The same for the arity alone. */
bool lbi_arity_fits(const lb_generic *generic, const lbi_form *form,
                    const lbi_call *call);

void lbi_rank(const lb_generic *generic, const lbi_call *call,
              lbi_match *match);

/* True when `a` precedes `b` in this call. */
bool lbi_precedes(const lb_generic *generic, const lbi_call *call,
                  const lbi_match *a, const lbi_match *b);

/* Adds a match; false without memory. */
bool lbi_match_add(lbi_matches *matches, const lb_generic *generic,
                   const lbi_call *call, lbi_form *form);
void lbi_matches_free(lbi_matches *matches);

/* Sorts matches[from, to) into a chain: the first *sorted of them precede one
 * another; they are followed by those that are not (all of them from *sorted
 * on are the ambiguous rest, the minimal ones first: *tied of them). With
 * `total` set ties are broken by the order of definition and all are sorted.
 * False without memory. */
bool lbi_sort(const lb_generic *generic, const lbi_call *call,
              lbi_match *matches, size_t count, bool total, size_t *sorted,
              size_t *tied);

#endif
