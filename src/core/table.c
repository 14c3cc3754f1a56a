/* core/table.c - slots, cells, and how they are published.
 *
 * Layout, one block:   [entry words, mirrored][slots or cells]
 *                                             ^ head->table
 * Slot i of one argument is the word fn ^ (id << 44); the cell of up to three
 * arguments is {key, fn}, of more {key, key, key, fn}. The entry word of slot
 * i lies at table - 8 - 8i.
 *
 * Writing, in this order (readers load in the opposite one):
 *   fill     entry word; then the word, or: further keys, fn, first key
 *   patch    entry word, then the word or fn
 *   clear    the word becomes "removed by id", fn becomes the stub; the entry
 *            word stays, because a call in flight may still load it
 *   replace  a new table is filled, then table is stored, THEN mask: a reader
 *            that sees the new mask sees the new table; one with the old mask
 *            stays within it
 * The rule that keeps readers right without a lock: within one table a slot
 * belongs for ever to the first key stored in it. A method that has been
 * entered loads its chain from the slot; were the slot another key's by then,
 * it would find a chain of other types. Only a new table places keys
 * differently. LBI_BREAK_REKEY and LBI_BREAK_REOWN build it wrong on purpose,
 * for the test that must notice.
 */
#include "core/table.h"

#include "core/ids.h"
#include "core/reclaim.h"

enum {
    MIN_SLOTS = 16,
    /* A table has at most this many slots per key ... */
    SLOTS_PER_KEY = 4,
    MAX_SMALL = 64, /* ... or this many in all */
    /* One key in so many may stay outside before a better layout is sought. */
    TOLERANCE = 32,
    MAX_SLOTS = 1 << 26
};

/* A word whose function is gone: it keeps the id of its owner, and its upper
 * 16 bits are those of no id. */
#define REMOVED (UINT64_C(0xffff) << 48)

const uint64_t lb_empty_table[64] = {
#define E LBI_EMPTY
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E
#undef E
};

static unsigned stride(unsigned keys)
{
    return keys == 1 ? 8 : keys <= 3 ? 16 : 32;
}

static uint64_t *cell_at(const char *table, unsigned keys, uint32_t at)
{
    return (uint64_t *)(uintptr_t)(table + (size_t)at * stride(keys));
}

static const lb_entry **entry_at(const char *table, uint32_t at)
{
    return (const lb_entry **)(uintptr_t)(table - 8 - (size_t)at * 8);
}

static uint32_t slot_of(const uint32_t *key, unsigned keys, uint32_t slots,
                        uint32_t shift)
{
    const uint64_t mixed = keys == 1 ? key[0] : lbi_mix(key, keys, shift);
    return (uint32_t)(mixed / 8) & (slots - 1);
}

/* The words of a key: three handles to a word. */
static unsigned pack_key(const uint32_t *key, unsigned keys, uint64_t *words)
{
    unsigned n = 0;
    for (unsigned i = 0; i < keys; i += 3)
        words[n++] = lbi_key(key + i, keys - i < 3 ? keys - i : 3);
    return n;
}

static void unpack_key(const uint64_t *cell, unsigned keys, uint32_t *key)
{
    for (unsigned i = 0; i < keys; i++)
        key[i] = (uint32_t)(lbi_peek(&cell[i / 3]) >> (i % 3 * 20) & 0x7ffff8);
}

void lbi_table_init(lbi_table *table, lb_runtime *runtime, lb_head *head,
                    unsigned keys, lb_fn stub)
{
    *table = (lbi_table){
        .runtime = runtime, .head = head, .keys = keys, .stub = stub};
}

/* ---- publishing a table ------------------------------------------------- */

static size_t table_size(const lbi_table *t, uint32_t slots)
{
    return (size_t)slots * (8 + stride(t->keys));
}

static void *content_of(const lbi_table *t)
{
    return (char *)(uintptr_t)t->head->table - (size_t)t->slots * 8;
}

static char *make_table(lbi_table *t, uint32_t slots)
{
    char *content = lbi_block_alloc(t->runtime, table_size(t, slots));
    if (content == NULL)
        return NULL;
    char *table = content + (size_t)slots * 8;
    memset(table, 0xff, (size_t)slots * stride(t->keys));
    return table;
}

static void publish(lbi_table *t, const char *table, uint32_t slots,
                    uint32_t shift)
{
    void *old = t->slots ? content_of(t) : NULL;
    lbi_poke(&t->head->shift, shift);
    lbi_store(&t->head->table, table);
    lbi_store(&t->head->mask, (slots - 1) * 8);
    t->slots = slots;
    if (old)
        lbi_retire(t->runtime, old, NULL);
}

/* The mask shrinks first here: a reader must never use a large mask with the
 * small table. It may still hold the large one, so the table goes only when
 * nobody dispatches (see lb_generic_destroy). */
void lbi_table_reset(lbi_table *t)
{
    void *old = t->slots ? content_of(t) : NULL;
    lbi_store(&t->head->mask, 15 * 8);
    lbi_store(&t->head->table, (const char *)lb_empty_table);
    t->slots = t->owned = t->live = t->retry = 0;
    lbi_retire(t->runtime, old, NULL);
}

size_t lbi_table_bytes(const lbi_table *t)
{
    return t->slots ? sizeof(lbi_block) + table_size(t, t->slots) : 0;
}

/* ---- slots -------------------------------------------------------------- */

typedef enum owner { NOBODY, THIS_KEY, ANOTHER } owner;

static bool fits_word(lb_fn fn)
{
    return (uint64_t)(uintptr_t)fn >> 48 == 0;
}

static uint64_t word_of(uint32_t handle, lb_fn fn)
{
    return (uint64_t)(uintptr_t)fn ^ (uint64_t)handle << 41;
}

/* The id that owns the slot with this word, 0 for none. */
static uint32_t owner_id(uint64_t word, uint32_t at)
{
    if (word == LBI_EMPTY)
        return 0;
    if (word >= REMOVED)
        return (uint32_t)(word & 0xfffff);
    return (uint32_t)(word >> 48) << 4 | (at & 15);
}

static owner owner_of(const lbi_table *t, const char *table, uint32_t at,
                      const uint32_t *key)
{
    const uint64_t *cell = cell_at(table, t->keys, at);
    if (lbi_peek(cell) == LBI_EMPTY)
        return NOBODY;
    if (t->keys == 1)
        return owner_id(lbi_peek(cell), at) == key[0] / 8 ? THIS_KEY : ANOTHER;
    uint64_t words[3];
    const unsigned n = pack_key(key, t->keys, words);
    for (unsigned i = 0; i < n; i++)
        if (lbi_peek(&cell[i]) != words[i])
            return ANOTHER;
    return THIS_KEY;
}

static lb_fn *fn_at(const lbi_table *t, const char *table, uint32_t at)
{
    return (lb_fn *)(void *)(cell_at(table, t->keys, at) +
                             stride(t->keys) / 8 - 1);
}

static void write_slot(const lbi_table *t, const char *table, uint32_t at,
                       const uint32_t *key, const lb_entry *entry)
{
    uint64_t *cell = cell_at(table, t->keys, at);
    lbi_store(entry_at(table, at), entry);
    if (t->keys == 1) {
        lbi_store(cell, word_of(key[0], entry->fn));
        return;
    }
    uint64_t words[3];
    const unsigned n = pack_key(key, t->keys, words);
    for (unsigned i = n; i-- > 1;)
        lbi_store(&cell[i], words[i]);
    lbi_store(fn_at(t, table, at), entry->fn);
    lbi_store(cell, words[0]);
}

static bool is_live(const lbi_table *t, uint32_t at)
{
    const uint64_t word = lbi_peek(cell_at(t->head->table, t->keys, at));
    if (word == LBI_EMPTY)
        return false;
    if (t->keys == 1)
        return word < REMOVED;
    return lbi_peek(fn_at(t, t->head->table, at)) != t->stub;
}

const lb_entry *lbi_table_at(const lbi_table *t, uint32_t at, uint32_t *key)
{
    const uint64_t *cell = cell_at(t->head->table, t->keys, at);
    const uint64_t word = lbi_peek(cell);
    if (word == LBI_EMPTY)
        return NULL;
    if (t->keys == 1)
        key[0] = owner_id(word, at) * 8;
    else
        unpack_key(cell, t->keys, key);
    return is_live(t, at) ? lbi_peek(entry_at(t->head->table, at)) : NULL;
}

bool lbi_table_patch(lbi_table *t, uint32_t at, const lb_entry *entry)
{
    uint32_t key[LB_MAX_DISPATCH];
    if (t->keys == 1 && !fits_word(entry->fn))
        return false;
    lbi_table_at(t, at, key);
    write_slot(t, t->head->table, at, key, entry);
    return true;
}

void lbi_table_clear(lbi_table *t, uint32_t at)
{
    uint64_t *cell = cell_at(t->head->table, t->keys, at);
    if (t->keys == 1)
        lbi_store(cell, REMOVED | owner_id(lbi_peek(cell), at));
    else
        lbi_store(fn_at(t, t->head->table, at), t->stub);
    t->live--;
}

bool lbi_table_put(lbi_table *t, const uint32_t *key, const lb_entry *entry)
{
    if (t->keys == 1 && !fits_word(entry->fn))
        return false;
    if (t->slots == 0) {
        char *first = make_table(t, MIN_SLOTS);
        if (first == NULL)
            return false;
        publish(t, first, MIN_SLOTS, 1);
    }
    const char *table = t->head->table;
    const uint32_t at = slot_of(key, t->keys, t->slots, t->head->shift);
    const owner who = owner_of(t, table, at, key);
#ifdef LBI_BREAK_REKEY
    const bool may = true;
#elif defined(LBI_BREAK_REOWN)
    const bool may = who != ANOTHER || !is_live(t, at);
#else
    const bool may = who != ANOTHER;
#endif
    if (!may)
        return false;
    t->owned += who == NOBODY;
    t->live += !is_live(t, at);
    write_slot(t, table, at, key, entry);
    return true;
}

/* ---- choosing a layout -------------------------------------------------- */

typedef struct layout {
    uint32_t slots, shift;
    size_t conflicts;
} layout;

/* How many of the keys find their slot taken. `seen` has a bit per slot. */
static size_t conflicts_of(const lbi_table *t, lbi_keys all, layout l,
                           uint64_t *seen)
{
    size_t conflicts = 0;
    memset(seen, 0, l.slots / 8);
    for (size_t i = 0; i < all.count; i++) {
        const uint32_t at =
            slot_of(all.at + i * t->keys, t->keys, l.slots, l.shift);
        const uint64_t bit = UINT64_C(1) << (at % 64);
        conflicts += (seen[at / 64] & bit) != 0;
        seen[at / 64] |= bit;
    }
    return conflicts;
}

static uint32_t slot_limit(size_t keys)
{
    uint32_t limit = MAX_SMALL;
    while (limit < keys * SLOTS_PER_KEY && limit < MAX_SLOTS)
        limit *= 2;
    return limit;
}

static layout best_layout(const lbi_table *t, lbi_keys all, uint64_t *seen)
{
    const uint32_t limit = slot_limit(all.count);
    layout best = {t->slots, t->head->shift, SIZE_MAX};
    uint32_t slots = t->slots > MAX_SMALL ? t->slots : MAX_SMALL;
    for (; slots <= limit; slots *= 2) {
        if (slots < all.count)
            continue;
        const uint32_t shifts =
            t->keys == 1 ? 1 : 32 - (uint32_t)__builtin_clz(slots);
        for (uint32_t shift = 1; shift <= shifts; shift++) {
            layout l = {slots, shift, 0};
            l.conflicts = conflicts_of(t, all, l, seen);
            if (l.conflicts < best.conflicts)
                best = l;
        }
        if (best.conflicts <= all.count / TOLERANCE)
            break;
    }
    return best;
}

/* All live keys, then those outside; NULL without memory. */
static uint32_t *gather(const lbi_table *t, lbi_keys outside, size_t *count)
{
    const size_t room = t->live + outside.count;
    uint32_t *all = lbi_alloc(&t->runtime->allocator,
                              room * t->keys * sizeof *all);
    if (all == NULL)
        return NULL;
    size_t n = 0;
    for (uint32_t at = 0; at < t->slots; at++) {
        uint32_t key[LB_MAX_DISPATCH];
        if (lbi_table_at(t, at, key))
            memcpy(all + n++ * t->keys, key, t->keys * sizeof *key);
    }
    if (outside.count)
        memcpy(all + n * t->keys, outside.at,
               outside.count * t->keys * sizeof *all);
    *count = n + outside.count;
    return all;
}

/* Copies the live slots; those that find their new slot taken are dropped and
 * will be resolved again when called. */
static void copy_live(lbi_table *t, const char *table, layout l)
{
    uint32_t live = 0;
    for (uint32_t from = 0; from < t->slots; from++) {
        uint32_t key[LB_MAX_DISPATCH];
        const lb_entry *entry = lbi_table_at(t, from, key);
        if (entry == NULL)
            continue;
        const uint32_t to = slot_of(key, t->keys, l.slots, l.shift);
        if (owner_of(t, table, to, key) != NOBODY)
            continue;
        write_slot(t, table, to, key, entry);
        live++;
    }
    t->owned = t->live = live;
}

bool lbi_table_wants_fit(const lbi_table *t, size_t displaced)
{
    const size_t keys = t->live + displaced;
    return displaced > keys / TOLERANCE && keys >= t->retry &&
           t->slots < MAX_SLOTS;
}

bool lbi_table_fit(lbi_table *t, lbi_keys outside)
{
    lbi_allocator *allocator = &t->runtime->allocator;
    size_t count = 0;
    uint32_t *keys = gather(t, outside, &count);
    const size_t room = (t->live + outside.count) * t->keys * sizeof *keys;
    const size_t bits = slot_limit(count) > t->slots ? slot_limit(count)
                                                     : t->slots;
    uint64_t *seen = keys ? lbi_alloc(allocator, bits / 8) : NULL;
    bool better = false;
    if (seen) {
        const lbi_keys all = {keys, count};
        layout l = best_layout(t, all, seen);
        const layout now = {t->slots, t->head->shift, 0};
        const size_t stay = conflicts_of(t, all, now, seen);
        better = l.conflicts < stay;
        char *table = better ? make_table(t, l.slots) : NULL;
        if (table) {
            copy_live(t, table, l);
            publish(t, table, l.slots, l.shift);
            lbi_count(&t->runtime->growths);
        }
        better = table != NULL;
        t->retry = (uint32_t)(count + count / 4 + 1);
    }
    lbi_free(allocator, seen, bits / 8);
    lbi_free(allocator, keys, room);
    return better;
}
