/* cells.c - an open-addressed table that tries to keep each key at home: a call
 * that has to look at a second cell costs a mispredicted branch.
 *
 *   1. A key's home is the top bits of its product with the table's factor.
 *   2. When more than one key in 32 is away from home, another factor is chosen,
 *      in tables where that is wanted: of some, the one that leaves the fewest
 *      away. Some are random; others put pairs of successive numbers side by
 *      side, as types that are first looked at one after the other have them.
 *   3. A table that is a quarter full is doubled if that did not help, and in
 *      any case when it is half full.
 * Keys are never taken out singly: those of dead or changed types are found by
 * nobody. A table about to be doubled is to be emptied instead if since the last
 * time a quarter as many types died as it holds keys; what is still wanted comes
 * back by itself.
 */
#include "cells.h"

#include <string.h>

enum {
    FEW_AWAY = 32,        /* one key in so many */
    CHOOSING_ROOM = 1024, /* of larger tables any factor will do */
    RANDOM_FACTORS = 8
};

#define FACTOR UINT64_C(0x9E3779B97F4A7C15)

/* Where tables without room look, and find nothing. */
static const lbpy_cell nowhere[2];

static size_t home(const lbpy_cells *cells, const uint64_t *key)
{
    uint64_t mixed = key[0];
    for (uint32_t i = 1; i < cells->words; i++)
        mixed = (mixed ^ (mixed >> 29)) * UINT64_C(0xBF58476D1CE4E5B9) + key[i];
    return (size_t)(lbpy_cell_home(cells, mixed) - cells->at);
}

static bool same(const lbpy_cells *cells, size_t at, const uint64_t *key)
{
    if (cells->at[at].key != key[0])
        return false;
    return cells->words == 1 ||
           memcmp(cells->more + at * (cells->words - 1), key + 1,
                  (cells->words - 1) * sizeof *key) == 0;
}

lbpy_cell *lbpy_cells_find(const lbpy_cells *cells, const uint64_t *key)
{
    if (cells->room == 0)
        return NULL;
    for (size_t at = home(cells, key); cells->at[at].key;
         at = (at + 1) & (cells->room - 1))
        if (same(cells, at, key))
            return &cells->at[at];
    return NULL;
}

static size_t put_key(lbpy_cells *cells, const uint64_t *key)
{
    size_t at = home(cells, key);
    if (cells->at[at].key)
        cells->away++;
    while (cells->at[at].key)
        at = (at + 1) & (cells->room - 1);
    cells->at[at].key = key[0];
    if (cells->words > 1)
        memcpy(cells->more + at * (cells->words - 1), key + 1,
               (cells->words - 1) * sizeof *key);
    cells->count++;
    return at;
}

/* ---- factors ------------------------------------------------------------ */

/* The factor number `i`: a key of `a` and `b` goes home to a + 2^i b, or to
 * 2^i a + b, or anywhere. 0: there are no more. */
static uint64_t factor_of(uint32_t shift, uint32_t i)
{
    const uint32_t bits = 64 - shift;
    const uint64_t first = UINT64_C(1) << shift;
    const uint64_t second = UINT64_C(1) << (shift - 32);
    if (i < bits)
        return first + (second << i);
    if (i < 2 * bits)
        return (first << (i - bits)) + second;
    i -= 2 * bits;
    return i < RANDOM_FACTORS ? FACTOR * (2 * i + 1) : 0;
}

/* How many of the keys would not be alone at home, up to `most`. */
static uint32_t crowd(const uint64_t *keys, uint32_t count, uint32_t shift,
                      uint64_t factor, uint32_t most)
{
    uint64_t taken[CHOOSING_ROOM / 64] = {0};
    uint32_t away = 0;
    for (uint32_t i = 0; i < count && away < most; i++) {
        const uint64_t at = (keys[i] * factor) >> shift;
        away += taken[at / 64] >> (at % 64) & 1;
        taken[at / 64] |= UINT64_C(1) << (at % 64);
    }
    return away;
}

static bool is_chosen(const lbpy_cells *cells)
{
    return cells->chooses && cells->words == 1 && cells->room <= CHOOSING_ROOM;
}

/* Step 2, for `cells` that the keys of `from` are to go to: half as many as it
 * has room for, at most. */
static void choose_factor(lbpy_cells *cells, const lbpy_cells *from)
{
    uint64_t keys[CHOOSING_ROOM / 2];
    uint32_t count = 0, best = UINT32_MAX;
    cells->factor = FACTOR;
    cells->chosen = from->count;
    if (!is_chosen(cells))
        return;
    for (uint32_t i = 0; i < from->room; i++)
        if (from->at[i].key)
            keys[count++] = from->at[i].key;
    for (uint32_t i = 0; best > 0; i++) {
        const uint64_t factor = factor_of(cells->shift, i);
        if (factor == 0)
            return;
        const uint32_t away = crowd(keys, count, cells->shift, factor, best);
        if (away < best) {
            best = away;
            cells->factor = factor;
        }
    }
}

/* ---- room --------------------------------------------------------------- */

static bool allocate(lbpy_cells *cells, uint32_t room)
{
    const uint32_t words = cells->words;
    lbpy_cell *at = PyMem_Calloc(room, sizeof *at);
    uint64_t *more =
        words > 1 ? PyMem_Calloc(room, (words - 1) * sizeof *more) : NULL;
    if (at == NULL || (words > 1 && more == NULL)) {
        PyMem_Free(at);
        PyMem_Free(more);
        return false;
    }
    *cells = (lbpy_cells){.at = at,
                          .more = more,
                          .room = room,
                          .words = words,
                          .deaths = cells->deaths,
                          .chooses = cells->chooses};
    cells->shift = 64;
    while (room > 1) {
        cells->shift--;
        room /= 2;
    }
    return true;
}

static void read_key(const lbpy_cells *cells, size_t at, uint64_t *key)
{
    key[0] = cells->at[at].key;
    if (cells->words > 1)
        memcpy(key + 1, cells->more + at * (cells->words - 1),
               (cells->words - 1) * sizeof *key);
}

/* Moves everything to a new table of so much room. */
static bool move(lbpy_cells *cells, uint32_t room)
{
    const lbpy_cells old = *cells;
    if (!allocate(cells, room))
        return false;
    choose_factor(cells, &old);
    for (uint32_t i = 0; i < old.room; i++) {
        uint64_t key[LBPY_MAX_WORDS];
        if (old.at[i].key == 0)
            continue;
        read_key(&old, i, key);
        lbpy_cell *cell = &cells->at[put_key(cells, key)];
        const uint64_t first = cell->key;
        *cell = old.at[i];
        cell->key = first;
    }
    if (old.room)
        PyMem_Free(old.at);
    PyMem_Free(old.more);
    return true;
}

/* Makes room for one more; false: there is none, or the table is stale. */
static bool grow(lbpy_cells *cells, uint64_t deaths)
{
    cells->stale = deaths - cells->deaths > cells->count / 4;
    cells->deaths = deaths;
    return !(cells->stale && cells->room) &&
           move(cells, cells->room ? cells->room * 2 : 8);
}

static bool is_crowded(const lbpy_cells *cells)
{
    return cells->away * FEW_AWAY > cells->count;
}

/* Steps 2 and 3, after a key was put. */
static void settle(lbpy_cells *cells, uint64_t deaths)
{
    if (!is_crowded(cells))
        return;
    if (is_chosen(cells) && cells->count > cells->chosen + cells->chosen / 4)
        (void)move(cells, cells->room);
    if (is_crowded(cells) && cells->count * 4 > cells->room)
        (void)grow(cells, deaths);
}

void lbpy_cells_clear(lbpy_cells *cells)
{
    const lbpy_cells old = *cells;
    *cells = (lbpy_cells){.at = (lbpy_cell *)(uintptr_t)nowhere,
                          .factor = 1,
                          .shift = 63,
                          .words = old.words,
                          .deaths = old.deaths,
                          .chooses = old.chooses};
    for (uint32_t i = 0; i < old.room; i++)
        Py_XDECREF(old.at[i].node);
    if (old.room)
        PyMem_Free(old.at);
    PyMem_Free(old.more);
}

/* For what has no vectorcall, as built-in functions of METH_VARARGS. */
static const vectorcallfunc by_object = PyObject_Vectorcall;

static const vectorcallfunc *how_of(PyObject *function)
{
    const PyTypeObject *type = Py_TYPE(function);
    if (PyVectorcall_Function(function) == NULL)
        return &by_object;
    return (vectorcallfunc *)(void *)((char *)function +
                                      type->tp_vectorcall_offset);
}

static void fill(lbpy_cell *cell, PyObject *node, PyObject *function)
{
    PyObject *old = cell->node;
    cell->node = Py_NewRef(node);
    cell->function = function;
    cell->how = function ? how_of(function) : NULL;
    Py_XDECREF(old);
}

void lbpy_cells_put(lbpy_cells *cells, const uint64_t *key, PyObject *node,
                    PyObject *function, uint64_t deaths)
{
    lbpy_cell *cell = lbpy_cells_find(cells, key);
    if (cell) {
        fill(cell, node, function);
        return;
    }
    if ((cells->count + 1) * 2 > cells->room && !grow(cells, deaths))
        return;
    fill(&cells->at[put_key(cells, key)], node, function);
    settle(cells, deaths);
}

int lbpy_cells_traverse(const lbpy_cells *cells, visitproc visit, void *arg)
{
    for (uint32_t i = 0; i < cells->room; i++)
        Py_VISIT(cells->at[i].node);
    return 0;
}
