/* generic/chain.c - entries: immutable, interned, shared.
 *
 * The effective method (CLOS's term) of sorted rules is built from its end:
 *   end  ←  primary chain | combined(all primaries)
 *        ←  frame(befores, …, afters)      if there are any
 *        ←  around chain
 * A rule becomes up to three entries, one inside the other: the method's own
 * (what LB_SELF finds), around it the exchange of arguments, around that the
 * propagation. Equal entries are one entry, so classes that inherit the same
 * chain share it, and changing methods back and forth makes no new ones.
 */
#include "generic/chain.h"

#include "generic/combine.h"

/* An interned entry; its parts follow it. */
typedef struct item {
    lbi_link by_content; /* first member */
    size_t size;
    bool reached;
    bool swapped; /* made from a rule's flipped form */
    lb_entry entry;
} item;

static item *item_of(const lb_entry *entry)
{
    return (item *)(uintptr_t)((const char *)entry - offsetof(item, entry));
}

static bool is_end(const lb_generic *g, const lb_entry *entry)
{
    return entry >= g->ends && entry < g->ends + LBI_ENDS;
}

/* LB_OK: not an end, but a call that has to be resolved anew. */
static const lb_status reasons[LBI_ENDS] = {
    LB_NO_METHOD,     LB_NO_NEXT_METHOD, LB_AMBIGUOUS,
    LB_NO_CLASS,      LB_NO_MEMORY,      LB_PREDICATE_FAILED,
    LB_BAD_SIGNATURE, LB_REENTERED,      LB_OK};

void lbi_ends_init(lb_generic *g)
{
    for (unsigned i = 0; i < LBI_ENDS; i++) {
        lb_entry *end = &g->ends[i], *bare = &g->bare[i];
        const bool fails = reasons[i] != LB_OK;
        const lb_fn fn = fails ? g->signature->wrap : g->signature->stub;
        *bare = (lb_entry){.fn = g->signature->fallback,
                           .next = end,
                           .next_fn = fn,
                           .status = reasons[i],
                           .generic = g};
        *end = (lb_entry){.fn = fn,
                          .next = end,
                          .next_fn = fn,
                          .inner = fails ? bare : NULL,
                          .flags = fails ? LB_ENTRY_FRAME : 0,
                          .status = reasons[i],
                          .generic = g};
    }
}

const lb_entry *lbi_chain_end(const lb_generic *g, lb_status status)
{
    unsigned i = 0;
    while (i < LBI_ENDS - 1 && reasons[i] != status)
        i++;
    return &g->ends[i];
}

/* ---- interning ---------------------------------------------------------- */

static uint64_t hash_entry(const lb_entry *e, bool swapped)
{
    uint64_t hash = lbi_hash_pointer(e->rule);
    hash = lbi_hash_more(hash, (uint64_t)(uintptr_t)e->next);
    hash = lbi_hash_more(hash, (uint64_t)(uintptr_t)e->inner);
    hash = lbi_hash_more(hash, e->flags * 2 + swapped);
    for (uint32_t i = 0; i < e->part_count; i++)
        hash = lbi_hash_more(hash, (uint64_t)(uintptr_t)e->parts[i]);
    return hash;
}

static bool same_entry(const lb_entry *a, const lb_entry *b)
{
    return a->rule == b->rule && a->next == b->next && a->inner == b->inner &&
           a->flags == b->flags && a->method == b->method && a->fn == b->fn &&
           a->part_count == b->part_count &&
           a->before_count == b->before_count &&
           (a->part_count == 0 ||
            memcmp(a->parts, b->parts, a->part_count * sizeof *a->parts) == 0);
}

static const lb_entry *intern(lb_generic *g, const lb_entry *wanted,
                              bool swapped)
{
    const uint64_t hash = hash_entry(wanted, swapped);
    for (lbi_link *l = lbi_map_chain(&g->entries, hash); l; l = l->next) {
        item *i = (item *)l;
        if (l->hash == hash && i->swapped == swapped &&
            same_entry(&i->entry, wanted))
            return &i->entry;
    }
    const size_t parts = wanted->part_count * sizeof *wanted->parts;
    if (!lbi_map_reserve(&g->entries, &g->runtime->allocator, 1))
        return NULL;
    item *made = lbi_block_alloc(g->runtime, sizeof *made + parts);
    if (made == NULL)
        return NULL;
    made->entry = *wanted;
    made->entry.generic = g;
    made->swapped = swapped;
    made->size = sizeof *made + parts;
    if (parts) {
        memcpy(made + 1, wanted->parts, parts);
        made->entry.parts = (const lb_entry *const *)(made + 1);
    }
    g->entry_bytes += made->size;
    lbi_map_add(&g->entries, &made->by_content, hash);
    return &made->entry;
}

/* ---- a rule's entry ----------------------------------------------------- */

static const lb_entry *own_entry(lb_generic *g, const lbi_rule *rule,
                                 bool swapped, const lb_entry *next)
{
    const lb_method *method = rule->given.method;
    const bool box = (method->flags & LB_BOXED) && !g->boxed;
    const lb_entry own = {.method = method,
                          .next = next,
                          .next_fn =
                              swapped ? g->signature->swap_next : next->fn,
                          .context = rule->given.context,
                          .fn = box ? g->signature->box : method->fn,
                          .flags = swapped ? LB_ENTRY_SWAPPED : 0,
                          .rule = rule};
    return intern(g, &own, swapped);
}

static const lb_entry *wrap(lb_generic *g, const lbi_rule *rule, bool swapped,
                            const lb_entry *inner, const lb_entry *next,
                            lb_fn fn, uint32_t flags)
{
    const lb_entry outer = {.next = next,
                            .next_fn = next->fn,
                            .context = rule->given.context,
                            .fn = fn,
                            .inner = inner,
                            .flags = flags,
                            .rule = rule};
    return inner ? intern(g, &outer, swapped) : NULL;
}

static const lb_entry *rule_entry(lb_generic *g, const lbi_rule *rule,
                                  bool swapped, const lb_entry *next)
{
    if (next == NULL)
        return NULL;
    const lb_entry *entry = own_entry(g, rule, swapped, next);
    if (swapped)
        entry = wrap(g, rule, true, entry, next, g->signature->swap_call,
                     LB_ENTRY_SWAPPED);
    if (rule->given.propagate != LB_PROPAGATE_NONE)
        entry = wrap(g, rule, swapped, entry, next, g->signature->wrap,
                     rule->given.propagate == LB_AT_START ? LB_ENTRY_AT_START
                                                          : LB_ENTRY_AT_END);
    return entry;
}

static const lb_entry *form_entry(lb_generic *g, const lbi_form *form,
                                  const lb_entry *next)
{
    return rule_entry(g, form->rule, form->swapped, next);
}

/* ---- the effective method ----------------------------------------------- */

typedef struct part {
    lbi_match *at;
    size_t count;
} part;

/* Moves the matches of one qualifier to the front of what is left. */
static part take_qualifier(part *rest, lb_qualifier qualifier)
{
    part taken = {rest->at, 0};
    if (rest->count == 0)
        return taken;
    for (size_t i = 0; i < rest->count; i++) {
        if (rest->at[i].form->rule->given.qualifier != qualifier)
            continue;
        const lbi_match found = rest->at[i];
        rest->at[i] = rest->at[taken.count];
        rest->at[taken.count++] = found;
    }
    rest->at += taken.count;
    rest->count -= taken.count;
    return taken;
}

/* A chain of `p`, sorted, up to its ambiguity if there is one, then `end`. */
static const lb_entry *link_chain(lb_generic *g, const lbi_call *call, part p,
                                  bool total, const lb_entry *end)
{
    size_t sorted, tied;
    if (!lbi_sort(g, call, p.at, p.count, total, &sorted, &tied))
        return NULL;
    const lb_entry *entry =
        sorted < p.count ? lbi_chain_end(g, LB_AMBIGUOUS) : end;
    for (size_t i = sorted; i-- > 0 && entry;)
        entry = form_entry(g, p.at[i].form, entry);
    return entry;
}

/* Entries of `p`, most specific first (or last), each alone. */
static bool list_parts(lb_generic *g, const lbi_call *call, part p,
                       bool reversed, const lb_entry **out)
{
    size_t sorted, tied;
    if (!lbi_sort(g, call, p.at, p.count, true, &sorted, &tied))
        return false;
    const lb_entry *end = lbi_chain_end(g, LB_NO_NEXT_METHOD);
    for (size_t i = 0; i < p.count; i++) {
        const lbi_form *form = p.at[reversed ? p.count - 1 - i : i].form;
        if ((out[i] = form_entry(g, form, end)) == NULL)
            return false;
    }
    return true;
}

static const lb_entry *combined(lb_generic *g, const lbi_call *call, part p)
{
    lbi_allocator *allocator = &g->runtime->allocator;
    const lb_entry **parts = lbi_alloc(allocator, p.count * sizeof *parts);
    const lb_entry *end = lbi_chain_end(g, LB_NO_NEXT_METHOD);
    const lb_entry *entry = NULL;
    if (parts && list_parts(g, call, p, false, parts)) {
        const lb_entry all = {.next = end,
                              .next_fn = end->fn,
                              .fn = g->signature->wrap,
                              .context = g->policy.combine_context,
                              .flags = LB_ENTRY_COMBINED,
                              .parts = parts,
                              .part_count = (uint32_t)p.count,
                              .combine = g->policy.combine};
        entry = intern(g, &all, false);
    }
    lbi_free(allocator, parts, p.count * sizeof *parts);
    return entry;
}

static const lb_entry *frame(lb_generic *g, const lbi_call *call, part befores,
                             part afters, const lb_entry *inner)
{
    const size_t count = befores.count + afters.count;
    if (count == 0 || inner == NULL || inner->status != LB_OK)
        return inner;
    lbi_allocator *allocator = &g->runtime->allocator;
    const lb_entry **parts = lbi_alloc(allocator, count * sizeof *parts);
    const lb_entry *end = lbi_chain_end(g, LB_NO_NEXT_METHOD);
    const lb_entry *entry = NULL;
    if (parts && list_parts(g, call, befores, false, parts) &&
        list_parts(g, call, afters, true, parts + befores.count)) {
        const lb_entry f = {.next = end,
                            .next_fn = end->fn,
                            .fn = g->signature->wrap,
                            .inner = inner,
                            .flags = LB_ENTRY_FRAME,
                            .parts = parts,
                            .part_count = (uint32_t)count,
                            .before_count = (uint32_t)befores.count};
        entry = intern(g, &f, false);
    }
    lbi_free(allocator, parts, count * sizeof *parts);
    return entry;
}

/* A flipped form counts only where its rule as it stands does not apply. */
static void drop_needless_flips(lb_generic *g, lbi_matches *matches)
{
    if (g->commutative_count == 0)
        return;
    for (size_t i = 0; i < matches->count;) {
        const lbi_form *form = matches->at[i].form;
        bool needless = false;
        for (size_t j = 0; form->swapped && j < matches->count; j++)
            needless |= matches->at[j].form == &form->rule->forms[0];
        if (needless)
            matches->at[i] = matches->at[--matches->count];
        else
            i++;
    }
}

const lb_entry *lbi_chain_make(lb_generic *g, const lbi_call *call,
                               lbi_matches *matches)
{
    drop_needless_flips(g, matches);
    part rest = {matches->at, matches->count};
    const part arounds = take_qualifier(&rest, LB_AROUND);
    const part befores = take_qualifier(&rest, LB_BEFORE);
    const part afters = take_qualifier(&rest, LB_AFTER);
    const lb_combination how = g->policy.combination;
    if (rest.count == 0)
        return lbi_chain_end(g, LB_NO_METHOD);
    const lb_entry *entry =
        how == LB_STANDARD || how == LB_FIRST
            ? link_chain(g, call, rest, how == LB_FIRST,
                         lbi_chain_end(g, LB_NO_NEXT_METHOD))
            : combined(g, call, rest);
    entry = frame(g, call, befores, afters, entry);
    if (entry == NULL || arounds.count == 0)
        return entry;
    return link_chain(g, call, arounds, how != LB_STANDARD, entry);
}

/* ---- replacing ---------------------------------------------------------- */

enum { REPLACE_DEPTH = 64 };

static const lb_entry *replace(lb_generic *g, const lb_entry *entry,
                               const lbi_rule *from, lbi_rule *to, int depth)
{
    if (is_end(g, entry))
        return entry;
    const lbi_rule *rule = entry->rule;
    if (depth == 0 || entry->flags || rule == NULL || entry->inner)
        return NULL;
    const lb_entry *next = replace(g, entry->next, from, to, depth - 1);
    if (next == NULL || (next == entry->next && rule != from))
        return next ? entry : NULL;
    return rule_entry(g, rule == from ? to : rule, false, next);
}

const lb_entry *lbi_chain_replace(lb_generic *g, const lb_entry *entry,
                                  const lbi_rule *from, lbi_rule *to)
{
    return replace(g, entry, from, to, REPLACE_DEPTH);
}

/* ---- collection --------------------------------------------------------- */

void lbi_entry_reach(const lb_entry *entry)
{
    while (entry && !is_end(entry->generic, entry) &&
           !item_of(entry)->reached) {
        item_of(entry)->reached = true;
        if (entry->rule)
            ((lbi_rule *)(uintptr_t)entry->rule)->reached = true;
        for (uint32_t i = 0; i < entry->part_count; i++)
            lbi_entry_reach(entry->parts[i]);
        lbi_entry_reach(entry->inner);
        entry = entry->next;
    }
}

static void retire_entries(lb_generic *g, bool all)
{
    for (size_t b = 0; b < g->entries.bucket_count; b++) {
        lbi_link **at = &g->entries.buckets[b];
        while (*at) {
            item *i = (item *)*at;
            if (i->reached && !all) {
                i->reached = false;
                at = &i->by_content.next;
                continue;
            }
            *at = i->by_content.next;
            g->entries.count--;
            g->entry_bytes -= i->size;
            lbi_retire(g->runtime, i, NULL);
        }
    }
    g->entries_left = g->entries.count;
}

void lbi_entries_collect(lb_generic *g)
{
    retire_entries(g, false);
}

void lbi_entries_end(lb_generic *g)
{
    retire_entries(g, true);
    lbi_map_free(&g->entries, &g->runtime->allocator);
}
