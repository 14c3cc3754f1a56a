/* inspect/account.c - what each rule is to one call.
 *
 *   1. Judge every form by arity and classes, with the engine's own tests.
 *   2. Ask values and predicates where they matter (without the lock).
 *   3. Hand what is applicable to the engine, which makes the entry that a
 *      call would run, and read off that entry who runs, and in which order.
 *      So an account cannot differ from the call, whatever the policy.
 *   4. What is applicable but not in the entry is tied, or not reached.
 * Cost: linear in the rules, and that of resolving one call. Interned entries
 * stay until a collection, as those of any call that is resolved.
 */
#include "inspect/account.h"

#include <stdlib.h>

#include "generic/chain.h"
#include "generic/plan.h"

static size_t count_forms(const lbi_held *held)
{
    size_t count = 0;
    for (size_t i = 0; i < held->count; i++)
        count += held->rules[i]->form_count;
    return count;
}

static void list_forms(lbi_account *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->held.count; i++)
        for (unsigned f = 0; f < a->held.rules[i]->form_count; f++, n++) {
            a->cases[n].match.form = &a->held.rules[i]->forms[f];
            a->cases[n].index = n;
            a->cases[n].number = i;
        }
}

bool lbi_account_open(lbi_account *a, lb_generic *g)
{
    *a = (lbi_account){.generic = g};
    if (!lbi_hold_rules(g, &a->held))
        return false;
    a->count = count_forms(&a->held);
    a->cases =
        lbi_zalloc(&g->runtime->allocator, (a->count + 1) * sizeof *a->cases);
    if (a->cases == NULL) {
        lbi_let_go(&a->held);
        return false;
    }
    list_forms(a);
    return true;
}

void lbi_account_close(lbi_account *a)
{
    lbi_free(&a->generic->runtime->allocator, a->cases,
             (a->count + 1) * sizeof *a->cases);
    lbi_let_go(&a->held);
}

/* ---- judging ------------------------------------------------------------ */

/* Arguments past the dispatched ones are not known here, so neither is
 * whether a `rest` with a class takes them. */
static bool rest_matters(const lbi_account *a, lbi_case *c)
{
    const lb_rule *rule = &c->match.form->rule->given;
    const size_t known = rule->count > a->generic->dispatched
                             ? rule->count
                             : a->generic->dispatched;
    c->argument = (uint32_t)known;
    return rule->rest && rule->rest->kind != LB_ANY && a->call.argc > known;
}

static void judge(lbi_account *a, lbi_case *c)
{
    const lb_generic *g = a->generic;
    const lbi_form *form = c->match.form;
    c->argument = c->rank = 0;
    c->applicable = c->placed = c->needless = c->failed = false;
    c->unknowable = false;
    if (!lbi_arity_fits(g, form, &a->call)) {
        c->verdict = LB_REJECTED_ARITY;
    } else if (!lbi_form_fits(g, form, &a->call, &c->argument)) {
        c->verdict = LB_REJECTED_CLASS;
    } else if (form->rule->conditional) {
        c->unknowable = rest_matters(a, c);
        c->verdict = LB_UNKNOWN_VALUE;
        a->unknown++;
    } else {
        c->verdict = LB_UNREACHED;
        c->applicable = true;
    }
}

void lbi_account_judge(lbi_account *a, const lbi_call *call)
{
    a->call = *call;
    a->unknown = 0;
    a->failed = a->combined = false;
    for (size_t i = 0; i < a->count; i++)
        judge(a, &a->cases[i]);
}

/* ---- asking ------------------------------------------------------------- */

static void reject(lbi_case *c)
{
    const lb_specializer *s = lbi_spec(c->match.form, c->argument);
    c->verdict = s->kind == LB_EQL ? LB_REJECTED_VALUE : LB_REJECTED_PREDICATE;
}

void lbi_account_ask(lbi_account *a)
{
    for (size_t i = 0; i < a->count && !a->failed; i++) {
        lbi_case *c = &a->cases[i];
        if (c->verdict != LB_UNKNOWN_VALUE || c->unknowable)
            continue;
        const int answer =
            lbi_form_holds(a->generic, c->match.form, &a->call, &c->argument);
        c->applicable = answer == 1;
        a->failed = c->failed = answer < 0;
        if (answer == 1)
            c->verdict = LB_UNREACHED;
        else if (a->call.has_values)
            reject(c);
    }
}

/* ---- settling ----------------------------------------------------------- */

static lbi_case *find_case(lbi_account *a, const void *rule, bool swapped)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->cases[i].match.form->rule == rule &&
            a->cases[i].match.form->swapped == swapped)
            return &a->cases[i];
    return NULL;
}

/* A rule's entry may wrap the exchange of arguments in a propagation. */
static bool is_swapped(const lb_entry *entry)
{
    return (entry->flags & LB_ENTRY_SWAPPED) ||
           (entry->inner && (entry->inner->flags & LB_ENTRY_SWAPPED));
}

static void place(lbi_account *a, const lb_entry *entry, lb_verdict verdict,
                  uint32_t rank)
{
    lbi_case *c = find_case(a, entry->rule, is_swapped(entry));
    if (c == NULL)
        return;
    c->verdict = verdict;
    c->rank = rank;
    c->placed = true;
}

/* Walks over an effective method: arounds, the frame's befores and afters,
 * primaries or the parts of a combination. Returns how it ends. */
static lb_status walk(lbi_account *a, const lb_entry *entry)
{
    uint32_t rank = 0;
    while (entry->status == LB_OK) {
        const lb_verdict verdict = rank ? LB_NEXT : LB_CHOSEN;
        if (entry->flags & LB_ENTRY_FRAME) {
            for (uint32_t i = 0; i < entry->part_count; i++)
                place(a, entry->parts[i], LB_RUNS_ALONG, i);
            entry = entry->inner;
            continue;
        }
        if (entry->flags & LB_ENTRY_COMBINED) {
            for (uint32_t i = 0; i < entry->part_count; i++)
                place(a, entry->parts[i], verdict, rank + i);
            a->combined = true;
            return LB_NO_NEXT_METHOD;
        }
        place(a, entry, verdict, rank++);
        entry = entry->next;
    }
    return (lb_status)entry->status;
}

static bool is_left(const lbi_case *c, lb_qualifier qualifier)
{
    return c->applicable && !c->placed && !c->needless &&
           c->match.form->rule->given.qualifier == qualifier;
}

/* True when nothing of what is left precedes `c`. */
static bool is_minimal(const lbi_account *a, const lbi_case *c)
{
    const lb_qualifier q = c->match.form->rule->given.qualifier;
    for (size_t i = 0; i < a->count; i++)
        if (&a->cases[i] != c && is_left(&a->cases[i], q) &&
            lbi_precedes(a->generic, &a->call, &a->cases[i].match, &c->match))
            return false;
    return true;
}

/* Marks the rules of one qualifier that stand in each other's way. */
static bool mark_tied(lbi_account *a, lb_qualifier qualifier)
{
    size_t minimal = 0;
    for (int mark = 0; mark < 2; mark++)
        for (size_t i = 0; i < a->count && (!mark || minimal > 1); i++) {
            lbi_case *c = &a->cases[i];
            if (!is_left(c, qualifier) || !is_minimal(a, c))
                continue;
            minimal += !mark;
            if (mark)
                c->verdict = LB_TIED;
        }
    return minimal > 1;
}

static void mark_needless(lbi_account *a)
{
    for (size_t i = 1; i < a->count; i++) {
        lbi_case *c = &a->cases[i];
        c->needless = c->applicable && !c->placed && c->match.form->swapped &&
                      a->cases[i - 1].applicable;
    }
}

/* A call that ends by a failing predicate reaches nothing. */
static void give_up(lbi_account *a)
{
    for (size_t i = 0; i < a->count; i++) {
        lbi_case *c = &a->cases[i];
        if (c->verdict == LB_UNKNOWN_VALUE && !c->unknowable)
            c->verdict = LB_UNREACHED;
    }
    a->status = LB_PREDICATE_FAILED;
}

static const lb_entry *find_entry(lbi_account *a)
{
    lbi_matches matches = {.runtime = a->generic->runtime};
    bool room = true;
    for (size_t i = 0; i < a->count && room; i++) {
        lbi_case *c = &a->cases[i];
        if (!c->applicable)
            continue;
        lbi_rank(a->generic, &a->call, &c->match);
        room = lbi_match_add(&matches, a->generic, &a->call, c->match.form);
    }
    const lb_entry *entry =
        room ? lbi_chain_make(a->generic, &a->call, &matches) : NULL;
    lbi_matches_free(&matches);
    return entry;
}

lb_status lbi_account_settle(lbi_account *a)
{
    if (a->failed) {
        give_up(a);
        return LB_OK;
    }
    const lb_entry *entry = find_entry(a);
    if (entry == NULL)
        return lbi_no_memory();
    a->status = (lb_status)entry->status;
    const lb_status end = walk(a, entry);
    mark_needless(a);
    if (end == LB_AMBIGUOUS && !mark_tied(a, LB_AROUND))
        mark_tied(a, LB_PRIMARY);
    return LB_OK;
}

/* ---- ordering ----------------------------------------------------------- */

static int group_of(const lbi_case *c)
{
    switch (c->verdict) {
    case LB_CHOSEN:
    case LB_NEXT:
        return 0;
    case LB_RUNS_ALONG:
        return 1;
    case LB_TIED:
        return 2;
    case LB_UNREACHED:
        return 3;
    case LB_UNKNOWN_VALUE:
        return 4;
    default:
        return 5;
    }
}

static int by_place(const void *x, const void *y)
{
    const lbi_case *a = x, *b = y;
    const int groups = group_of(a) - group_of(b);
    if (groups)
        return groups;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static int by_index(const void *x, const void *y)
{
    const lbi_case *a = x, *b = y;
    return (a->index > b->index) - (a->index < b->index);
}

void lbi_account_sort(lbi_account *a)
{
    qsort(a->cases, a->count, sizeof *a->cases, by_place);
}

void lbi_account_unsort(lbi_account *a)
{
    qsort(a->cases, a->count, sizeof *a->cases, by_index);
}
