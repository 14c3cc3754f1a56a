/* generic/match.c - applicability and specificity (docs/semantics.md, 3-5). */
#include "generic/match.h"

#include <stdlib.h>

/* ---- applicability by arity and class ----------------------------------- */

bool lbi_arity_fits(const lb_generic *g, const lbi_form *form,
                    const lbi_call *call)
{
    const lb_rule *rule = &form->rule->given;
    if (!g->boxed)
        return true;
    return call->argc >= rule->count - rule->optional &&
           (rule->rest || call->argc <= rule->count);
}

static bool class_fits(const lb_specializer *s, const lb_class *cls)
{
    const lb_class *wanted = lbi_spec_class(s);
    return cls == NULL || wanted == NULL || lbi_is_subclass(cls, wanted);
}

bool lbi_form_fits(const lb_generic *g, const lbi_form *form,
                   const lbi_call *call, uint32_t *failed)
{
    for (unsigned i = 0; i < g->dispatched; i++)
        if (!class_fits(lbi_spec(form, i), call->classes[i])) {
            *failed = i;
            return false;
        }
    return true;
}

/* ---- ranks -------------------------------------------------------------- */

static long rank_at(const lb_specializer *s, const lb_class *cls)
{
    if (cls == NULL)
        return 0; /* a missing argument orders nothing */
    if (s->kind == LB_EQL)
        return -2;
    const lb_class *wanted = lbi_spec_class(s);
    const long index =
        wanted ? lbi_class_index(cls, wanted) : (long)cls->order_count;
    return 2 * index - (s->kind == LB_WHERE);
}

void lbi_rank(const lb_generic *g, const lbi_call *call, lbi_match *m)
{
    for (unsigned i = 0; i < g->dispatched; i++)
        m->rank[i] = rank_at(lbi_spec(m->form, i), call->classes[i]);
}

/* Directly or through others; of these at most REACH are looked at. */
static bool implies(const lb_predicate *p, const lb_predicate *q)
{
    enum { REACH = 256 };
    const lb_predicate *seen[REACH] = {p};
    size_t count = 1;
    for (size_t at = 0; at < count; at++)
        for (size_t i = 0; i < seen[at]->implies_count; i++) {
            const lb_predicate *to = seen[at]->implies[i];
            size_t j = 0;
            if (to == q)
                return true;
            while (j < count && seen[j] != to)
                j++;
            if (j == count && count < REACH)
                seen[count++] = to;
        }
    return false;
}

static int compare_predicates(const lb_predicate *p, const lb_predicate *q)
{
    if (p == q)
        return LBI_EQUAL;
    const bool forth = implies(p, q), back = implies(q, p);
    if (forth == back)
        return LBI_UNORDERED;
    return forth ? -1 : 1;
}

static int sign(long a, long b)
{
    return (a > b) - (a < b);
}

static int compare_ranks(const lb_specializer *a, const lb_specializer *b,
                         long rank_a, long rank_b)
{
    if (rank_a == rank_b && a->kind == LB_WHERE && b->kind == LB_WHERE)
        return compare_predicates(a->predicate, b->predicate);
    return sign(rank_a, rank_b);
}

static bool below(const lb_class *cls, const lb_class *base)
{
    return base == NULL || (cls && lbi_is_subclass(cls, base));
}

/* Dylan compares types first. */
static int compare_types(const lb_specializer *a, const lb_specializer *b,
                         long rank_a, long rank_b)
{
    if (a->kind == LB_EQL || b->kind == LB_EQL)
        return sign(rank_a, rank_b);
    if (a->kind == LB_WHERE && b->kind == LB_WHERE)
        return compare_predicates(a->predicate, b->predicate);
    const lb_class *ca = lbi_spec_class(a), *cb = lbi_spec_class(b);
    if (a->kind == LB_WHERE)
        return below(ca, cb) ? -1 : LBI_UNORDERED;
    if (b->kind == LB_WHERE)
        return below(cb, ca) ? 1 : LBI_UNORDERED;
    if (ca == cb)
        return LBI_EQUAL;
    if (below(ca, cb) != below(cb, ca))
        return below(ca, cb) ? -1 : 1;
    return sign(rank_a, rank_b);
}

static int compare_at(const lb_generic *g, const lbi_call *call,
                      const lbi_match *a, const lbi_match *b, unsigned i)
{
    const lb_specializer *sa = lbi_spec(a->form, i);
    const lb_specializer *sb = lbi_spec(b->form, i);
    if (call->classes[i] == NULL)
        return LBI_EQUAL;
    if (g->policy.order == LB_DYLAN)
        return compare_types(sa, sb, a->rank[i], b->rank[i]);
    return compare_ranks(sa, sb, a->rank[i], b->rank[i]);
}

/* ---- orders ------------------------------------------------------------- */

/* -1, 1, equal everywhere, or unordered. */
static int compare_symmetric(const lb_generic *g, const lbi_call *call,
                             const lbi_match *a, const lbi_match *b)
{
    int result = LBI_EQUAL;
    for (unsigned i = 0; i < g->dispatched; i++) {
        const int here = compare_at(g, call, a, b, i);
        if (here == LBI_EQUAL)
            continue;
        if (here == LBI_UNORDERED || (result && result != here))
            return LBI_UNORDERED;
        result = here;
    }
    return result;
}

static int compare_lexicographic(const lb_generic *g, const lbi_call *call,
                                 const lbi_match *a, const lbi_match *b)
{
    for (unsigned i = 0; i < g->dispatched; i++) {
        const int here = compare_at(g, call, a, b, g->precedence[i]);
        if (here != LBI_EQUAL)
            return here;
    }
    return LBI_EQUAL;
}

static int compare_weights(const lb_generic *g, const lbi_match *a,
                           const lbi_match *b)
{
    long sum_a = 0, sum_b = 0;
    for (unsigned i = 0; i < g->dispatched; i++) {
        sum_a += a->rank[i];
        sum_b += b->rank[i];
    }
    return sign(sum_a, sum_b);
}

static int compare_sequence(const lbi_match *a, const lbi_match *b)
{
    const uint64_t x = a->form->rule->sequence, y = b->form->rule->sequence;
    return (x > y) - (x < y);
}

static int compare_by_user(const lb_generic *g, const lbi_call *call,
                           const lbi_match *a, const lbi_match *b)
{
    const int result =
        g->policy.compare(g->policy.compare_context, &a->form->rule->given,
                          &b->form->rule->given, call->classes, g->dispatched);
    if (result)
        return result < 0 ? -1 : 1;
    return compare_symmetric(g, call, a, b) ? LBI_UNORDERED : LBI_EQUAL;
}

static int compare(const lb_generic *g, const lbi_call *call,
                   const lbi_match *a, const lbi_match *b)
{
    switch (g->policy.order) {
    case LB_LEXICOGRAPHIC:
        return compare_lexicographic(g, call, a, b);
    case LB_WEIGHTED:
        return compare_weights(g, a, b);
    case LB_DEFINITION:
        return compare_sequence(a, b);
    case LB_REVERSE_DEFINITION:
        return compare_sequence(b, a);
    case LB_USER_ORDER:
        return compare_by_user(g, call, a, b);
    default:
        return compare_symmetric(g, call, a, b);
    }
}

static int arity_class(const lb_rule *rule)
{
    return rule->rest ? 2 : rule->optional ? 1 : 0;
}

static int break_tie(const lbi_form *a, const lbi_form *b)
{
    const int arity =
        arity_class(&a->rule->given) - arity_class(&b->rule->given);
    return arity ? arity : a->swapped - b->swapped;
}

bool lbi_precedes(const lb_generic *g, const lbi_call *call, const lbi_match *a,
                  const lbi_match *b)
{
    int result = compare(g, call, a, b);
    if (result == LBI_EQUAL)
        result = break_tie(a->form, b->form);
    return result < 0;
}

/* ---- matches ------------------------------------------------------------ */

bool lbi_match_add(lbi_matches *matches, const lb_generic *g,
                   const lbi_call *call, lbi_form *form)
{
    if (!lbi_reserve(&matches->runtime->allocator, &matches->at,
                     &matches->capacity, matches->count + 1,
                     sizeof *matches->at))
        return false;
    lbi_match *m = &matches->at[matches->count++];
    m->form = form;
    lbi_rank(g, call, m);
    return true;
}

void lbi_matches_free(lbi_matches *matches)
{
    lbi_free(&matches->runtime->allocator, matches->at,
             matches->capacity * sizeof *matches->at);
    matches->at = NULL;
    matches->count = matches->capacity = 0;
}

/* ---- sorting ------------------------------------------------------------ */

static int by_first_rank(const void *x, const void *y)
{
    const lbi_match *a = x, *b = y;
    const int result = sign(a->rank[0], b->rank[0]);
    return result ? result : compare_sequence(a, b);
}

/* One dispatched argument by rank: a total order unless two ranks are equal.
 * O(n log n), for long chains. */
static bool sort_single(const lb_generic *g, lbi_match *matches, size_t count)
{
    if (g->dispatched != 1 || g->boxed || g->policy.order != LB_SYMMETRIC)
        return false;
    qsort(matches, count, sizeof *matches, by_first_rank);
    for (size_t i = 1; i < count; i++)
        if (matches[i - 1].rank[0] == matches[i].rank[0])
            return false;
    return true;
}

/* Row a, column b: a precedes b. `above[b]` counts those not yet taken. */
typedef struct relation {
    uint8_t *before;
    uint32_t *above;
    size_t count;
} relation;

static void relate(const lb_generic *g, const lbi_call *call,
                   const lbi_match *matches, relation *r)
{
    const size_t n = r->count;
    memset(r->above, 0, n * sizeof *r->above);
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {
            const bool yes =
                a != b && lbi_precedes(g, call, &matches[a], &matches[b]);
            r->before[a * n + b] = yes;
            r->above[b] += yes;
        }
}

/* Chooses the next: the only minimal one, or of several the first defined.
 * SIZE_MAX if none is (a user's order with a cycle). */
static size_t next_minimal(const relation *r, const lbi_match *matches,
                           const uint8_t *taken, size_t *minimal)
{
    size_t best = SIZE_MAX;
    *minimal = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (taken[i] || r->above[i])
            continue;
        ++*minimal;
        if (best == SIZE_MAX ||
            compare_sequence(&matches[i], &matches[best]) < 0 ||
            (compare_sequence(&matches[i], &matches[best]) == 0 &&
             matches[best].form->swapped))
            best = i;
    }
    return best;
}

static void take(relation *r, uint8_t *taken, size_t which)
{
    taken[which] = 1;
    for (size_t b = 0; b < r->count; b++)
        r->above[b] -= r->before[which * r->count + b];
}

/* Writes the order of indices: the chain, then the minimal ones of the rest,
 * then the others. */
static void order_indices(relation *r, const lbi_match *matches, bool total,
                          uint8_t *taken, size_t *order, size_t *sorted,
                          size_t *tied)
{
    size_t n = 0, minimal = 0;
    memset(taken, 0, r->count);
    *tied = 0;
    while (n < r->count) {
        const size_t next = next_minimal(r, matches, taken, &minimal);
        if (next == SIZE_MAX || (minimal > 1 && !total))
            break;
        take(r, taken, next);
        order[n++] = next;
    }
    *sorted = n;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < r->count; i++)
            if (!taken[i] && (r->above[i] == 0) == (pass == 0)) {
                order[n++] = i;
                *tied += pass == 0;
            }
}

static bool sort_partial(const lb_generic *g, const lbi_call *call,
                         lbi_match *matches, size_t count, bool total,
                         size_t *sorted, size_t *tied)
{
    lbi_allocator *allocator = &g->runtime->allocator;
    const size_t size = count * (count + 1 + sizeof(uint32_t)) +
                        count * (sizeof(size_t) + sizeof *matches);
    char *memory = lbi_alloc(allocator, size);
    if (memory == NULL)
        return false;
    lbi_match *copy = (lbi_match *)(void *)memory;
    size_t *order = (size_t *)(void *)(copy + count);
    relation r = {.above = (uint32_t *)(void *)(order + count), .count = count};
    uint8_t *taken = (uint8_t *)(r.above + count);
    r.before = taken + count;
    relate(g, call, matches, &r);
    order_indices(&r, matches, total, taken, order, sorted, tied);
    memcpy(copy, matches, count * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        matches[i] = copy[order[i]];
    lbi_free(allocator, memory, size);
    return true;
}

bool lbi_sort(const lb_generic *g, const lbi_call *call, lbi_match *matches,
              size_t count, bool total, size_t *sorted, size_t *tied)
{
    *sorted = count;
    *tied = 0;
    if (count < 2 || sort_single(g, matches, count))
        return true;
    return sort_partial(g, call, matches, count, total, sorted, tied);
}
