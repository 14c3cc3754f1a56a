/* core/table.c - cells, and how they are published.
 *
 * One argument:   [cells: {fn, entry | tag}]
 * More:           [entry words, mirrored][cells: {fn, key} or {fn, key * 3}]
 *                                        ^ head->table
 * The tag is the upper 16 bits of the class's id; the lower 4 are the lowest
 * of the cell's index. The entry word of cell i, where it is apart, lies at
 * table - 8 - 8i.
 *
 * Writing, in this order (readers load in the opposite one):
 *   fill     one argument: fn, entry word with its tag;
 *            more: entry word, fn, further keys, first key
 *   patch    entry word, then fn
 *   clear    a patch with the entry `gone`, whose function resolves anew; a
 *            call in flight that loads it hands itself on to that function
 *   replace  a new table is filled, then table is stored, THEN mask: a reader
 *            that sees the new mask sees the new table; one with the old mask
 *            stays within it
 * The rule that keeps readers right without a lock: within one table a cell
 * belongs for ever to the first key stored in it. A method that has been
 * entered loads its chain from the cell; were the cell another key's by then,
 * it would find a chain of other types. Only a new table places keys
 * differently. LBI_BREAK_REKEY and LBI_BREAK_REOWN build it wrong on purpose,
 * for the test that must notice.
 */
#include "core/table.h"

#include "core/ids.h"
#include "core/reclaim.h"

enum {
    MIN_SLOTS = 16,
    /* A table has at most this many cells per key: at first, and when keys
     * without a cell are called again and again ... */
    SLOTS_PER_KEY = 4,
    SLOTS_PER_HOT_KEY = 16,
    MAX_SMALL = 64, /* ... or this many in all */
    /* One key in so many may stay outside before a better layout is sought. */
    TOLERANCE = 32,
    MAX_SLOTS = 1 << 26
};

const uint64_t lb_empty_table[64] = {
#define E LBI_EMPTY
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E,
    E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E, E
#undef E
};

/* Sizes in bytes, by the number of handles in a key. */
static unsigned cell_size(unsigned keys)
{
    return keys <= 3 ? 16 : 32;
}

static unsigned entry_size(unsigned keys)
{
    return keys == 1 ? 0 : 8;
}

/* Word 0 of a cell is the function, the others are the tag or the keys. */
static uint64_t *cell_at(const char *table, unsigned keys, uint32_t at)
{
    return (uint64_t *)(uintptr_t)(table + (size_t)at * cell_size(keys));
}

static uint64_t *entry_word(const char *table, unsigned keys, uint32_t at)
{
    if (keys == 1)
        return cell_at(table, 1, at) + 1;
    return (uint64_t *)(uintptr_t)(table - 8 - (size_t)at * 8);
}

static uint32_t slot_of(const uint32_t *key, unsigned keys, uint32_t slots,
                        uint32_t shift)
{
    const uint64_t mixed = keys == 1 ? key[0] : lbi_mix(key, keys, shift);
    return (uint32_t)(mixed / 16) & (slots - 1);
}

/* The words of a key: three handles to a word. */
static unsigned pack_key(const uint32_t *key, unsigned keys, uint64_t *words)
{
    unsigned n = 0;
    for (unsigned i = 0; i < keys; i += 3)
        words[n++] = lbi_key(key + i, keys - i < 3 ? keys - i : 3);
    return n;
}

static void unpack_key(const uint64_t *words, unsigned keys, uint32_t *key)
{
    for (unsigned i = 0; i < keys; i++)
        key[i] = (uint32_t)(lbi_peek(&words[i / 3]) >> (i % 3 * 20)) & 0xfffff0;
}

static uint64_t tag_of(uint32_t handle)
{
    return (uint64_t)(handle >> 8) << LBI_ENTRY_BITS;
}

/* The handle that owns a cell of one argument. */
static uint32_t owner_handle(uint64_t tagged, uint32_t at)
{
    return (uint32_t)(tagged >> LBI_ENTRY_BITS) << 8 | (at & 15) << 4;
}

void lbi_table_init(lbi_table *table, lb_runtime *runtime, lb_head *head,
                    unsigned keys, const lb_entry *gone)
{
    *table = (lbi_table){.runtime = runtime,
                         .head = head,
                         .keys = keys,
                         .gone = gone,
                         .per_key = SLOTS_PER_KEY};
}

/* ---- publishing a table ------------------------------------------------- */

static size_t table_size(const lbi_table *t, uint32_t slots)
{
    return (size_t)slots * (entry_size(t->keys) + cell_size(t->keys));
}

static void *content_of(const lbi_table *t)
{
    return (char *)(uintptr_t)t->head->table -
           (size_t)t->slots * entry_size(t->keys);
}

static char *make_table(lbi_table *t, uint32_t slots)
{
    char *content = lbi_block_alloc(t->runtime, table_size(t, slots));
    if (content == NULL)
        return NULL;
    char *table = content + (size_t)slots * entry_size(t->keys);
    memset(table, 0xff, (size_t)slots * cell_size(t->keys));
    return table;
}

static void publish(lbi_table *t, const char *table, uint32_t slots,
                    uint32_t shift)
{
    void *old = t->slots ? content_of(t) : NULL;
    lbi_poke(&t->head->shift, shift);
    lbi_store(&t->head->table, table);
    lbi_store(&t->head->mask, (slots - 1) * 16);
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
    lbi_store(&t->head->mask, 15 * 16);
    lbi_store(&t->head->table, (const char *)lb_empty_table);
    t->slots = t->live = t->retry = 0;
    lbi_retire(t->runtime, old, NULL);
}

size_t lbi_table_bytes(const lbi_table *t)
{
    return t->slots ? sizeof(lbi_block) + table_size(t, t->slots) : 0;
}

/* ---- cells -------------------------------------------------------------- */

typedef enum owner { NOBODY, THIS_KEY, ANOTHER } owner;

static owner owner_of(const lbi_table *t, const char *table, uint32_t at,
                      const uint32_t *key)
{
    const uint64_t *cell = cell_at(table, t->keys, at);
    if (lbi_peek(&cell[1]) == LBI_EMPTY)
        return NOBODY;
    if (t->keys == 1)
        return owner_handle(lbi_peek(&cell[1]), at) == key[0] ? THIS_KEY
                                                              : ANOTHER;
    uint64_t words[3];
    const unsigned n = pack_key(key, t->keys, words);
    for (unsigned i = 0; i < n; i++)
        if (lbi_peek(&cell[i + 1]) != words[i])
            return ANOTHER;
    return THIS_KEY;
}

static void write_function(const lbi_table *t, const char *table, uint32_t at,
                           lb_fn fn)
{
    lbi_store(cell_at(table, t->keys, at), (uint64_t)(uintptr_t)fn);
}

static void write_entry(const lbi_table *t, const char *table, uint32_t at,
                        const uint32_t *key, const lb_entry *entry)
{
    const uint64_t tag = t->keys == 1 ? tag_of(key[0]) : 0;
    lbi_store(entry_word(table, t->keys, at), (uint64_t)(uintptr_t)entry | tag);
}

/* Another entry for a cell of this key. */
static void rewrite(const lbi_table *t, uint32_t at, const uint32_t *key,
                    const lb_entry *entry)
{
    write_entry(t, t->head->table, at, key, entry);
    write_function(t, t->head->table, at, entry->fn);
}

static void claim(const lbi_table *t, const char *table, uint32_t at,
                  const uint32_t *key, const lb_entry *entry)
{
    uint64_t *cell = cell_at(table, t->keys, at);
    uint64_t words[3];
    if (t->keys == 1) {
        write_function(t, table, at, entry->fn);
        write_entry(t, table, at, key, entry);
        return;
    }
    write_entry(t, table, at, key, entry);
    write_function(t, table, at, entry->fn);
    for (unsigned i = pack_key(key, t->keys, words); i-- > 0;)
        lbi_store(&cell[i + 1], words[i]);
}

static bool is_live(const lbi_table *t, uint32_t at)
{
    const uint64_t *cell = cell_at(t->head->table, t->keys, at);
    return lbi_peek(&cell[1]) != LBI_EMPTY &&
           lbi_peek(cell) != (uint64_t)(uintptr_t)t->gone->fn;
}

const lb_entry *lbi_table_at(const lbi_table *t, uint32_t at, uint32_t *key)
{
    const uint64_t *cell = cell_at(t->head->table, t->keys, at);
    if (!is_live(t, at))
        return NULL;
    if (t->keys == 1)
        key[0] = owner_handle(lbi_peek(&cell[1]), at);
    else
        unpack_key(cell + 1, t->keys, key);
    return lb_load_entry(
        (lb_slot)(const void *)entry_word(t->head->table, t->keys, at));
}

static bool fits(const lb_entry *entry)
{
    return (uint64_t)(uintptr_t)entry >> LBI_ENTRY_BITS == 0;
}

bool lbi_table_patch(lbi_table *t, uint32_t at, const lb_entry *entry)
{
    uint32_t key[LB_MAX_DISPATCH];
    if (!fits(entry) || lbi_table_at(t, at, key) == NULL)
        return false;
    rewrite(t, at, key, entry);
    return true;
}

void lbi_table_clear(lbi_table *t, uint32_t at)
{
    uint32_t key[LB_MAX_DISPATCH];
    if (lbi_table_at(t, at, key) == NULL)
        return;
    rewrite(t, at, key, t->gone);
    t->live--;
}

static bool may_take(const lbi_table *t, uint32_t at, owner who)
{
#ifdef LBI_BREAK_REKEY
    (void)t;
    (void)at;
    (void)who;
    return true;
#elif defined(LBI_BREAK_REOWN)
    return who != ANOTHER || !is_live(t, at);
#else
    (void)t;
    (void)at;
    return who != ANOTHER;
#endif
}

bool lbi_table_put(lbi_table *t, const uint32_t *key, const lb_entry *entry)
{
    if (!fits(entry))
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
    if (!may_take(t, at, who))
        return false;
    t->live += !is_live(t, at);
    if (who == THIS_KEY)
        rewrite(t, at, key, entry);
    else
        claim(t, table, at, key, entry);
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

static uint32_t slot_limit(const lbi_table *t, size_t keys)
{
    uint32_t limit = MAX_SMALL;
    for (uint32_t k = t->per_key; k > SLOTS_PER_KEY; k /= 2)
        limit *= 8; /* a few keys far apart are worth some kilobytes */
    while (limit < keys * t->per_key && limit < MAX_SLOTS)
        limit *= 2;
    return limit;
}

/* Tries the mixes of one size. */
static void try_size(const lbi_table *t, lbi_keys all, uint32_t slots,
                     uint64_t *seen, layout *best)
{
    const uint32_t shifts =
        t->keys == 1 ? 1 : 32 - (uint32_t)__builtin_clz(slots);
    const bool larger = slots > best->slots;
    for (uint32_t shift = 1; shift <= shifts && best->conflicts; shift++) {
        layout l = {slots, shift, 0};
        l.conflicts = conflicts_of(t, all, l, seen);
        /* A larger table must be worth it. */
        if (l.conflicts < best->conflicts &&
            (!larger || l.conflicts <= best->conflicts / 2 ||
             best->slots == slots))
            *best = l;
    }
}

static layout best_layout(const lbi_table *t, lbi_keys all, size_t tolerated,
                          uint64_t *seen)
{
    const uint32_t limit = slot_limit(t, all.count);
    layout best = {t->slots, t->head->shift, 0};
    best.conflicts = conflicts_of(t, all, best, seen);
    uint32_t slots = t->slots > MAX_SMALL ? t->slots : MAX_SMALL;
    for (; slots <= limit && best.conflicts > tolerated; slots *= 2)
        if (slots >= all.count)
            try_size(t, all, slots, seen, &best);
    return best;
}

/* All live keys, then those outside; NULL without memory. */
static uint32_t *gather(const lbi_table *t, lbi_keys outside, size_t *count)
{
    const size_t room = t->live + outside.count;
    uint32_t *all =
        lbi_alloc(&t->runtime->allocator, room * t->keys * sizeof *all);
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

/* Copies the live cells; those that find their new cell taken are dropped and
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
        claim(t, table, to, key, entry);
        live++;
    }
    t->live = live;
}

bool lbi_table_wants_fit(const lbi_table *t, size_t displaced)
{
    const size_t keys = t->live + displaced;
    return displaced > keys / TOLERANCE && keys >= t->retry &&
           t->slots < MAX_SLOTS;
}

/* Hot keys come before those that have cells now. */
static uint32_t claim_first(lbi_table *t, const char *table, layout l,
                            lbi_keys hot)
{
    uint32_t live = 0;
    for (size_t i = 0; i < hot.count; i++) {
        const uint32_t *key = hot.at + i * t->keys;
        const uint32_t at = slot_of(key, t->keys, l.slots, l.shift);
        if (owner_of(t, table, at, key) != NOBODY || !fits(hot.entries[i]))
            continue;
        claim(t, table, at, key, hot.entries[i]);
        live++;
    }
    return live;
}

static bool improve(lbi_table *t, lbi_keys all, lbi_keys hot, uint64_t *seen)
{
    const size_t tolerated = hot.count ? 0 : all.count / TOLERANCE;
    const layout l = best_layout(t, all, tolerated, seen);
    const layout now = {t->slots, t->head->shift, 0};
    const bool better = l.conflicts < conflicts_of(t, all, now, seen);
    char *table = better || hot.count ? make_table(t, l.slots) : NULL;
    if (table == NULL)
        return false;
    const uint32_t first = claim_first(t, table, l, hot);
    copy_live(t, table, l);
    t->live += first;
    publish(t, table, l.slots, l.shift);
    lbi_count(&t->runtime->growths);
    return better;
}

bool lbi_table_fit(lbi_table *t, lbi_keys outside, bool hot)
{
    lbi_allocator *allocator = &t->runtime->allocator;
    size_t count = 0;
    if (t->slots == 0)
        return false;
    if (hot && t->per_key < SLOTS_PER_HOT_KEY)
        t->per_key *= 2;
    const size_t room = (t->live + outside.count) * t->keys * sizeof(uint32_t);
    uint32_t *keys = gather(t, outside, &count);
    const uint32_t limit = slot_limit(t, count);
    const size_t bytes = (limit > t->slots ? limit : t->slots) / 8;
    uint64_t *seen = keys ? lbi_alloc(allocator, bytes) : NULL;
    const lbi_keys all = {keys, NULL, count}, none = {NULL, NULL, 0};
    const bool better = seen && improve(t, all, hot ? outside : none, seen);
    lbi_free(allocator, seen, bytes);
    lbi_free(allocator, keys, room);
    t->retry = (uint32_t)(count + count / 4 + 1);
    return better;
}
