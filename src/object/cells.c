/* object/cells.c - direct-mapped cells with a few places for those displaced.
 *
 * Home is the id modulo the size: a class's cell is one load away for inlined
 * code. A key that finds its home taken goes to one of the places of its
 * probe sequence (a mixed hash, then the next ones), where only the slow way
 * looks. When more than one key in sixteen is away, a larger table is tried,
 * of at most eight cells to a key.
 */
#include "object/cells.h"

#include "base/hash.h"

#include "core/ids.h"
#include "core/reclaim.h"

enum {
    CELL = 16,
    PROBES = 5,
    PER_KEY = 8,
    TOLERANCE = 16,
    MAX_CELLS = 1 << 24
};

static const uint64_t empty_word = ~UINT64_C(0);
static const uint64_t dead_word = ~UINT64_C(0) << LBI_CELL_ID;

static uint64_t *word_at(const char *cells, uint32_t place)
{
    return (uint64_t *)(void *)((uintptr_t)cells + (size_t)place * CELL + 8);
}

static uint32_t id_of(uint64_t word)
{
    return (uint32_t)(word >> LBI_CELL_ID);
}

static bool lives(uint64_t word)
{
    return id_of(word) != id_of(dead_word);
}

/* The n-th place where a key may be, from 0: home. */
static uint32_t probe(uint32_t id, uint32_t slots, unsigned n)
{
    if (n == 0)
        return id & (slots - 1);
    return ((uint32_t)lbi_hash_word(id) + n - 1) & (slots - 1);
}

static bool find(const char *cells, uint32_t slots, uint32_t id, lbi_cell *cell)
{
    for (unsigned n = 0; n < PROBES; n++) {
        uint64_t *at = word_at(cells, probe(id, slots, n));
        const uint64_t word = lbi_load(at);
        if (id_of(word) != id)
            continue;
        *cell = (lbi_cell){lbi_load(at - 1), word, at};
        return true;
    }
    return false;
}

bool lbi_cell_find(const lb_symbol *symbol, uint32_t handle, lbi_cell *cell)
{
    const uint32_t mask = lbi_load(&symbol->mask);
    const char *cells = lbi_load(&symbol->cells);
    return find(cells, mask / CELL + 1, lbi_id(handle), cell);
}

bool lbi_cell_own(const lbi_symbol *symbol, uint32_t handle, lbi_cell *cell)
{
    return symbol->cells &&
           find(symbol->cells, symbol->slots, lbi_id(handle), cell);
}

void lbi_cell_hint(const lbi_cell *cell, uint32_t place)
{
    const uint64_t bits = UINT64_C(0xffffff) << LBI_CELL_HINT;
    uint64_t word = cell->word;
    const uint64_t hinted =
        (word & ~bits) | ((uint64_t)place << LBI_CELL_HINT & bits);
    /* Fails when the cell was killed meanwhile, and that is well. */
    __atomic_compare_exchange_n(cell->at, &word, hinted, false,
                                __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool lbi_cell_renew(const lbi_cell *cell, uint64_t payload, uint64_t what)
{
    const uint64_t kind = what & LBI_CELL_WHAT;
    if (kind != (cell->word & LBI_CELL_WHAT) ||
        (kind != LBI_CELL_VALUE && kind != LBI_CELL_METHOD))
        return false;
    lbi_store(cell->at - 1, payload);
    return true;
}

/* ---- putting ------------------------------------------------------------ */

typedef struct item {
    uint32_t id;
    uint64_t payload, what;
} item;

/* Puts the key where it may be; false: all its places are taken. */
static bool place(char *cells, uint32_t slots, item i, bool *home)
{
    for (unsigned n = 0; n < PROBES; n++) {
        uint64_t *at = word_at(cells, probe(i.id, slots, n));
        if (lbi_load(at) != empty_word)
            continue;
        lbi_store(at - 1, i.payload);
        lbi_store(at, (uint64_t)i.id << LBI_CELL_ID | i.what);
        *home = n == 0;
        return true;
    }
    return false;
}

/* The living cells, and `fresh` if it is not one of them (else NULL); freed by
 * the caller. */
static item *gather(lb_runtime *runtime, const lbi_symbol *s, const item *fresh,
                    size_t *count)
{
    item *items = lbi_alloc(&runtime->allocator, (s->live + 1) * sizeof *items);
    size_t n = 0;
    if (items == NULL)
        return NULL;
    if (fresh)
        items[n++] = *fresh;
    for (uint32_t at = 0; at < s->slots; at++) {
        const uint64_t word = lbi_load(word_at(s->cells, at));
        if (lives(word))
            items[n++] = (item){id_of(word), *(word_at(s->cells, at) - 1),
                                word & ((UINT64_C(1) << LBI_CELL_ID) - 1)};
    }
    *count = n;
    return items;
}

/* How many keys would find their home taken. `seen` has a bit per cell. */
static size_t crowded(const item *items, size_t count, uint32_t slots,
                      uint64_t *seen)
{
    size_t away = 0;
    memset(seen, 0, (slots + 63) / 64 * sizeof *seen);
    for (size_t i = 0; i < count; i++) {
        const uint32_t home = items[i].id & (slots - 1);
        const uint64_t bit = UINT64_C(1) << home % 64;
        away += (seen[home / 64] & bit) != 0;
        seen[home / 64] |= bit;
    }
    return away;
}

/* The smallest size at which few keys are away, or else the best. */
static uint32_t best_size(lb_runtime *runtime, const lbi_symbol *s,
                          const item *items, size_t count)
{
    uint32_t least = s->slots ? s->slots : 1;
    while (least < count)
        least *= 2;
    uint32_t limit = least;
    while (limit < count * PER_KEY && limit < MAX_CELLS)
        limit *= 2;
    const size_t bytes = (limit + 63) / 64 * sizeof(uint64_t);
    uint64_t *seen = lbi_alloc(&runtime->allocator, bytes);
    uint32_t best = least;
    size_t fewest = SIZE_MAX;
    for (uint32_t slots = least; seen && slots <= limit; slots *= 2) {
        const size_t away = crowded(items, count, slots, seen);
        if (away < fewest) {
            fewest = away;
            best = slots;
        }
        if (away <= count / TOLERANCE)
            break;
    }
    lbi_free(&runtime->allocator, seen, bytes);
    return best;
}

static char *make_cells(lb_runtime *runtime, uint32_t slots)
{
    char *cells = lbi_block_alloc(runtime, (size_t)slots * CELL);
    if (cells)
        memset(cells, 0xff, (size_t)slots * CELL);
    return cells;
}

/* `cells` before `mask`: who sees the new mask sees the new, larger table. */
static void publish(lb_runtime *runtime, lbi_symbol *s, char *cells,
                    uint32_t slots)
{
    lbi_space *space = runtime->space;
    space->cell_bytes += ((size_t)slots - s->slots) * CELL;
    if (s->cells == NULL)
        space->cell_bytes += sizeof(lbi_block);
    if (space->inlined) {
        lbi_store(&s->open.cells, (const char *)cells);
        lbi_store(&s->open.mask, (slots - 1) * CELL);
    }
    lbi_retire(runtime, s->cells, NULL);
    s->cells = cells;
    s->slots = slots;
}

/* Publishes a table of that size with the items. One that finds no place is
 * searched from then on. */
static void refill(lb_runtime *runtime, lbi_symbol *s, const item *items,
                   size_t count, uint32_t slots)
{
    char *cells = make_cells(runtime, slots);
    if (cells == NULL)
        return;
    s->live = s->away = s->dead = 0;
    for (size_t i = 0; i < count; i++) {
        bool home;
        if (!place(cells, slots, items[i], &home))
            continue;
        s->live++;
        s->away += !home;
    }
    publish(runtime, s, cells, slots);
}

/* Looks for a better table; `fresh` has no place yet (NULL: has one). When the
 * best is not good, no other will be until there are more keys. */
static void rebuild(lb_runtime *runtime, lbi_symbol *s, const item *fresh)
{
    const size_t room = s->live + 1;
    size_t count = 0;
    item *items = gather(runtime, s, fresh, &count);
    if (items == NULL)
        return;
    const uint32_t slots = best_size(runtime, s, items, count);
    if (slots != s->slots || s->dead)
        refill(runtime, s, items, count, slots);
    const bool good = s->live == count && s->away <= s->live / TOLERANCE;
    s->retry = good ? 0 : s->live + s->live / 4 + 1;
    lbi_free(&runtime->allocator, items, room * sizeof *items);
}

void lbi_cell_put(lb_runtime *runtime, lbi_symbol *s, uint32_t handle,
                  uint64_t payload, uint64_t what)
{
    const item fresh = {lbi_id(handle), payload, what};
    bool home = false;
    if (fresh.id == runtime->unnumbered)
        return;
    lbi_cell_drop(runtime, s, handle);
    const bool placed = s->slots && place(s->cells, s->slots, fresh, &home);
    s->live += placed;
    s->away += placed && !home;
    const bool crowded = !placed || s->away > s->live / TOLERANCE;
    const bool worth = s->live >= s->retry || s->dead > s->live / 2 ||
                       (!placed && s->slots < 2 * (s->live + 1));
    if (!home && crowded && worth)
        rebuild(runtime, s, placed ? NULL : &fresh);
}

/* ---- dropping ----------------------------------------------------------- */

static void kill(lb_runtime *runtime, lbi_symbol *s, uint64_t *at)
{
#ifdef LBI_BREAK_REUSE /* the test of hazards must notice */
    const bool single = runtime != NULL;
#else
    const bool single = runtime->space->single;
#endif
    const uint32_t here = (uint32_t)(((char *)at - s->cells) / CELL);
    s->away -= here != (id_of(lbi_load(at)) & (s->slots - 1));
    lbi_store(at, single ? empty_word : dead_word);
    s->live--;
    s->dead += !single;
}

size_t lbi_cell_drop(lb_runtime *runtime, lbi_symbol *s, uint32_t handle)
{
    lbi_cell cell;
    if (!lbi_cell_own(s, handle, &cell))
        return 0;
    kill(runtime, s, cell.at);
    return 1;
}

size_t lbi_cells_drop(lb_runtime *runtime, lbi_symbol *s,
                      bool (*stale)(uint32_t id, const void *context),
                      const void *context)
{
    size_t dropped = 0;
    for (uint32_t i = 0; i < s->slots && s->live; i++) {
        uint64_t *at = word_at(s->cells, i);
        const uint64_t word = lbi_load(at);
        if (!lives(word) || !stale(id_of(word), context))
            continue;
        kill(runtime, s, at);
        dropped++;
    }
    return dropped;
}
