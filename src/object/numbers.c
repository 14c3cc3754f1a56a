/* object/numbers.c - numbers, generations, and the tables of classes.
 *
 * A question: 1. an excluded name is not asked for; 2. a name without a number
 * of this generation gets the next one; when all are given, what
 * options.when_full says happens first, as published: a new generation;
 * 3. the class gets a table at its first question, and clears it when it is of
 * an older generation; 4. the entry under the number is the answer, if filled.
 */
#include "object/numbers.h"

#include "object/dictionary.h"

enum {
    NOT_FOUND = 1,
    POOL_CHECK = 64,
    DEFAULT_POOR = 90,
    MOST_ENTRIES = 1 << 24 /* of an unbounded table */
};

/* ---- whose numbers ------------------------------------------------------ */

/* The head of a class's hierarchy: the topmost along the first bases, but
 * below one from which most classes of the program derive. */
static const lb_class *top_of(const lb_class *cls)
{
    while (cls->base_count) {
        const lb_class *base = cls->bases[0];
        if (base->base_count == 0 &&
            base->descendants > cls->runtime->class_count / 2)
            break;
        cls = base;
    }
    return cls;
}

static lbi_hierarchy *hierarchy_of(lb_runtime *runtime, const lb_class *cls)
{
    lbi_space *space = runtime->space;
    const lb_class *top = top_of(cls);
    for (lbi_hierarchy *h = space->hierarchies; h; h = h->next)
        if (h->top == top)
            return h;
    lbi_hierarchy *h = lbi_zalloc(&runtime->allocator, sizeof *h);
    if (h == NULL)
        return NULL;
    h->top = top;
    h->supply.generation = 1;
    lbi_tally(space, generations, 1);
    h->next = space->hierarchies;
    space->hierarchies = h;
    return h;
}

static void next_generation(lb_runtime *runtime, lbi_supply *supply)
{
    supply->generation++;
    supply->given = 0;
    supply->hits = supply->misses = 0;
    lbi_tally(runtime->space, generations, 1);
}

static bool is_poor(const lbi_space *space, const lbi_supply *supply)
{
    const uint32_t percent = space->options.poor_percent;
    const uint64_t all = supply->hits + supply->misses;
    return supply->hits * 100 < all * (percent ? percent : DEFAULT_POOR);
}

/* True when a number may be given, perhaps of a new generation. */
static bool may_give(lb_runtime *runtime, lbi_supply *supply)
{
    const lbi_space *space = runtime->space;
    if (supply->given < space->table_size)
        return true;
    switch (space->options.when_full) {
    case LB_FULL_STOP:
        return false;
    case LB_FULL_POOR:
        supply->misses++;
        if (!is_poor(space, supply))
            return false;
        break;
    case LB_FULL_CLEAR:
    case LB_FULL_HIERARCHY:
        break;
    }
    next_generation(runtime, supply);
    return true;
}

static void first_number(lbi_space *space, lbi_symbol *symbol)
{
    if (!symbol->numbered)
        space->counters.numbered++;
    symbol->numbered = true;
}

/* ---- numbers ------------------------------------------------------------ */

/* The number of a name in a hierarchy, if it has one of this generation. */
static bool number_there(const lbi_hierarchy *h, const lbi_symbol *symbol,
                         uint32_t *number)
{
    const lbi_place *own = lbi_dictionary_find(h->numbers, &symbol->open, NULL);
    if (own == NULL || own->value.bits >> 32 != h->supply.generation)
        return false;
    *number = (uint32_t)own->value.bits;
    return true;
}

static bool number_in_hierarchy(lb_runtime *runtime, lbi_hierarchy *h,
                                lbi_symbol *symbol, uint32_t *number)
{
    bool had;
    lb_value before;
    if (number_there(h, symbol, number))
        return true;
    if (!lbi_dictionary_admit(runtime, &h->numbers, &symbol->open) ||
        !may_give(runtime, &h->supply))
        return false;
    *number = h->supply.given++;
    const uint64_t now = (uint64_t)h->supply.generation << 32 | *number;
    lbi_dictionary_put(h->numbers, &symbol->open, (lb_value){.bits = now}, &had,
                       &before);
    first_number(runtime->space, symbol);
    return true;
}

static bool number_of(lb_runtime *runtime, lbi_supply *supply,
                      lbi_symbol *symbol, lb_site *site, uint32_t *number)
{
    lbi_number *own = site ? site : &symbol->number;
    if (own->generation != supply->generation) {
        if (!may_give(runtime, supply))
            return false;
        if (site == NULL)
            first_number(runtime->space, symbol);
        else if (own->generation == 0)
            runtime->space->counters.numbered++;
        *own = (lbi_number){supply->given++, supply->generation};
    }
    *number = own->number;
    return true;
}

/* ---- tables of classes -------------------------------------------------- */

static void count_table(lbi_space *space, const lbi_vtable *t, int sign)
{
    space->counters.tables += (uint64_t)(int64_t)sign;
    space->counters.bytes_tables +=
        (uint64_t)((int64_t)sign *
                   (int64_t)(sizeof *t + t->size * sizeof *t->entries));
    space->counters.cells += (uint64_t)((int64_t)sign * (int64_t)t->filled);
}

static void drop_entries(lb_runtime *runtime, lbi_vtable *t)
{
    lbi_free(&runtime->allocator, t->entries, t->size * sizeof *t->entries);
    t->entries = NULL;
    t->size = t->filled = 0;
}

void lbi_vtable_free(lb_runtime *runtime, lb_class *cls)
{
    lbi_space *space = runtime->space;
    lbi_vtable *t = cls->members ? cls->members->table : NULL;
    if (t == NULL)
        return;
    if (!t->off)
        count_table(space, t, -1);
    drop_entries(runtime, t);
    if (t->previous)
        t->previous->next = t->next;
    else
        space->first_table = t->next;
    if (t->next)
        t->next->previous = t->previous;
    space->table_count -= !t->off;
    cls->members->table = NULL;
    lbi_free(&runtime->allocator, t, sizeof *t);
}

static uint64_t uses_of(const lbi_vtable *t)
{
    return t->hits + t->misses;
}

/* The pool is empty: the least used table goes, if `cls` asked more often. */
static bool take_from_pool(lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    lbi_vtable *least = NULL;
    const uint64_t wants = ++cls->members->wants;
    if (wants % POOL_CHECK != 0)
        return false;
    for (lbi_vtable *t = runtime->space->first_table; t; t = t->next)
        if (!t->off && (least == NULL || uses_of(t) < uses_of(least)))
            least = t;
    if (least == NULL || uses_of(least) >= wants)
        return false;
    least->cls->members->wants = 0;
    lbi_vtable_free(runtime, least->cls);
    return true;
}

static lbi_vtable *table_of(lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    lbi_space *space = runtime->space;
    lbi_members *members = lbi_members_of(cls);
    if (members == NULL || members->table)
        return members ? members->table : NULL;
    const uint32_t pool = space->options.table_pool;
    if (pool && space->table_count >= pool && !take_from_pool(cls))
        return NULL;
    lbi_vtable *t = lbi_zalloc(&runtime->allocator, sizeof *t);
    if (t == NULL)
        return NULL;
    t->cls = cls;
    t->next = space->first_table;
    if (t->next)
        t->next->previous = t;
    space->first_table = t;
    space->table_count++;
    members->table = t;
    count_table(space, t, 1);
    return t;
}

static void clear(lbi_space *space, lbi_vtable *t)
{
    space->counters.cells -= t->filled;
    t->filled = 0;
    if (t->entries)
        memset(t->entries, 0, t->size * sizeof *t->entries);
}

/* Turns the table of a class off for which it never lasts. */
static bool thrashes(lb_runtime *runtime, lbi_vtable *t)
{
    const uint32_t limit = runtime->space->options.thrash_limit;
    if (limit == 0 || t->cleared < limit || t->hits >= t->misses)
        return false;
    count_table(runtime->space, t, -1);
    drop_entries(runtime, t);
    runtime->space->table_count--;
    t->off = true;
    return true;
}

/* Room for the entry `at`; a published table has its full size at once. */
static bool reach(lb_runtime *runtime, lbi_vtable *t, uint32_t at)
{
    lbi_space *space = runtime->space;
    uint32_t size = space->table_size;
    if (at < t->size)
        return true;
    if (at >= MOST_ENTRIES || at >= size)
        return false;
    if (size == LB_UNBOUNDED)
        for (size = 64; size <= at;)
            size *= 2;
    uintptr_t *entries =
        lbi_resize(&runtime->allocator, t->entries, t->size * sizeof *entries,
                   size * sizeof *entries);
    if (entries == NULL)
        return false;
    memset(entries + t->size, 0, (size - t->size) * sizeof *entries);
    space->counters.bytes_tables += (size - t->size) * sizeof *entries;
    t->entries = entries;
    t->size = size;
    return true;
}

/* A table of an older generation, or of a hierarchy that the class has left, is
 * cleared before it is used. */
static bool ready(lb_runtime *runtime, lbi_vtable *t, const lbi_hierarchy *h,
                  uint32_t generation, uint32_t at)
{
    if (t->off)
        return false;
    if (t->generation != generation || t->hierarchy != h) {
        if (t->generation != 0) {
            t->cleared++;
            lbi_tally(runtime->space, cleared_tables, 1);
        }
        clear(runtime->space, t);
        t->generation = generation;
        t->hierarchy = h;
        if (thrashes(runtime, t))
            return false;
    }
    return reach(runtime, t, at);
}

/* ---- asking and filling ------------------------------------------------- */

/* A place in the code that was kept from another runtime, or asks for several
 * names: its number is not of this name. */
static bool is_of_another(uintptr_t entry, const lbi_symbol *symbol)
{
    return entry != NOT_FOUND &&
           ((const lb_attribute *)entry)->symbol != &symbol->open;
}

lbi_answer lbi_entry_ask(lb_class *cls, lbi_symbol *symbol, lb_site *site,
                         const lb_attribute **attribute, lbi_entry_place *place)
{
    lb_runtime *runtime = cls->runtime;
    lbi_space *space = runtime->space;
    lbi_hierarchy *h = NULL;
    lbi_supply *supply = &space->supply;
    uint32_t at;
    if (symbol->excluded)
        return LBI_NO_TABLE;
    if (space->options.when_full == LB_FULL_HIERARCHY) {
        h = hierarchy_of(runtime, cls);
        if (h == NULL || !number_in_hierarchy(runtime, h, symbol, &at))
            return LBI_NO_TABLE;
        supply = &h->supply;
    } else if (!number_of(runtime, supply, symbol, site, &at)) {
        return LBI_NO_TABLE;
    }
    lbi_vtable *t = table_of(cls);
    if (t == NULL || !ready(runtime, t, h, supply->generation, at))
        return LBI_NO_TABLE;
    *place = (lbi_entry_place){t, at};
    if (t->entries[at] == 0 || is_of_another(t->entries[at], symbol)) {
        t->misses++;
        supply->misses++;
        return LBI_MISS;
    }
    t->hits++;
    supply->hits++;
    *attribute = t->entries[at] == NOT_FOUND
                     ? NULL
                     : (const lb_attribute *)t->entries[at];
    return LBI_HIT;
}

void lbi_entry_fill(lbi_space *space, lbi_entry_place place,
                    const lb_attribute *attribute)
{
    if (attribute == NULL && space->options.cache_negative != LB_YES)
        return;
    const bool fresh = place.table->entries[place.at] == 0;
    place.table->entries[place.at] =
        attribute ? (uintptr_t)attribute : NOT_FOUND;
    place.table->filled += fresh;
    space->counters.cells += fresh;
}

/* ---- changes ------------------------------------------------------------ */

static size_t empty(lbi_space *space, lbi_vtable *t, uint32_t at)
{
    if (t->entries[at] == 0)
        return 0;
    t->entries[at] = 0;
    t->filled--;
    space->counters.cells--;
    return 1;
}

/* The number of a name in a table, if it has one now. */
static bool number_now(const lbi_vtable *t, const lbi_symbol *symbol,
                       lbi_number *now)
{
    const lbi_space *space = t->cls->runtime->space;
    const lbi_hierarchy *h = t->hierarchy;
    *now = symbol->number;
    if (space->options.when_full != LB_FULL_HIERARCHY)
        return now->generation == space->supply.generation;
    if (h == NULL || !number_there(h, symbol, &now->number))
        return false;
    now->generation = h->supply.generation;
    return true;
}

static size_t forget_name(lb_runtime *runtime, const lbi_symbol *symbol)
{
    size_t dropped = 0;
    lbi_number now;
    for (lbi_vtable *t = runtime->space->first_table; t; t = t->next)
        if (number_now(t, symbol, &now) && t->generation == now.generation &&
            now.number < t->size)
            dropped += empty(runtime->space, t, now.number);
    return dropped;
}

/* An entry of a place in the code may be of any name: that of a found one
 * tells which; every "not found" goes. Entries of older generations may be
 * gone already and are not looked at. */
static size_t forget_sites(lbi_space *space, const lbi_symbol *symbol)
{
    size_t dropped = 0;
    for (lbi_vtable *t = space->first_table; t; t = t->next)
        for (uint32_t i = 0; i < t->size && t->filled; i++) {
            const uintptr_t entry = t->entries[i];
            if (t->generation != space->supply.generation)
                break;
            if (entry == NOT_FOUND ||
                (entry &&
                 ((const lb_attribute *)entry)->symbol == &symbol->open))
                dropped += empty(space, t, i);
        }
    return dropped;
}

void lbi_entries_changed(lb_runtime *runtime, lbi_symbol *symbol,
                         bool was_defined)
{
    lbi_space *space = runtime->space;
    if (!was_defined)
        return; /* no search went through the class: no table knows of it */
    const size_t dropped = space->options.policy == LB_POLICY_SITE
                               ? forget_sites(space, symbol)
                               : forget_name(runtime, symbol);
    if (space->options.drop_changed == LB_YES) {
        lbi_tally(space, dropped, dropped);
    } else if (!symbol->excluded) {
        symbol->excluded = true;
        space->counters.excluded++;
    }
}

void lbi_entries_clear(lb_runtime *runtime)
{
    for (lbi_vtable *t = runtime->space->first_table; t; t = t->next)
        clear(runtime->space, t);
}

void lbi_hierarchies_end(lb_runtime *runtime, lbi_space *space)
{
    lbi_hierarchy *next;
    for (lbi_hierarchy *h = space->hierarchies; h; h = next) {
        next = h->next;
        if (h->numbers)
            lbi_block_free(runtime, lbi_holder_of(h->numbers));
        lbi_free(&runtime->allocator, h, sizeof *h);
    }
    space->hierarchies = NULL;
}
