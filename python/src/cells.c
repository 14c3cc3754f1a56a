/* cells.c - an open-addressed table, at most a quarter full: a call that has to
 * look at a second cell costs a mispredicted branch.
 *
 * Keys are never taken out singly: those of dead or changed types are found by
 * nobody. A full table is to be emptied if since the last time a quarter as many
 * types died as it holds keys, else it is doubled; what is still wanted comes
 * back by itself.
 */
#include "cells.h"

#include <string.h>

enum { SPARSE = 4 };

/* Where tables without room look, and find nothing. */
static const lbpy_cell nowhere[2];

static size_t place(const lbpy_cells *cells, const uint64_t *key)
{
    uint64_t mixed = key[0];
    for (uint32_t i = 1; i < cells->words; i++)
        mixed = (mixed ^ (mixed >> 29)) * UINT64_C(0xBF58476D1CE4E5B9) + key[i];
    return lbpy_cell_place(mixed, cells->shift);
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
    for (size_t at = place(cells, key); cells->at[at].key;
         at = (at + 1) & (cells->room - 1))
        if (same(cells, at, key))
            return &cells->at[at];
    return NULL;
}

static size_t put_key(lbpy_cells *cells, const uint64_t *key)
{
    size_t at = place(cells, key);
    while (cells->at[at].key)
        at = (at + 1) & (cells->room - 1);
    cells->at[at].key = key[0];
    if (cells->words > 1)
        memcpy(cells->more + at * (cells->words - 1), key + 1,
               (cells->words - 1) * sizeof *key);
    cells->count++;
    return at;
}

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
                          .deaths = cells->deaths};
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

static bool grow(lbpy_cells *cells)
{
    const lbpy_cells old = *cells;
    if (!allocate(cells, old.room ? old.room * 2 : 8))
        return false;
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

void lbpy_cells_clear(lbpy_cells *cells)
{
    const lbpy_cells old = *cells;
    *cells = (lbpy_cells){.at = (lbpy_cell *)(uintptr_t)nowhere,
                          .shift = 63,
                          .words = old.words,
                          .deaths = old.deaths};
    for (uint32_t i = 0; i < old.room; i++)
        Py_XDECREF(old.at[i].node);
    if (old.room)
        PyMem_Free(old.at);
    PyMem_Free(old.more);
}

static vectorcallfunc *how_of(PyObject *function)
{
    PyTypeObject *type = Py_TYPE(function);
    return (vectorcallfunc *)(void *)((char *)function +
                                      type->tp_vectorcall_offset);
}

void lbpy_cells_put(lbpy_cells *cells, const uint64_t *key, PyObject *node,
                    PyObject *function, uint64_t deaths)
{
    lbpy_cell *cell = lbpy_cells_find(cells, key);
    if (cell == NULL) {
        if ((cells->count + 1) * SPARSE > cells->room) {
            cells->stale = deaths - cells->deaths > cells->count / 4;
            cells->deaths = deaths;
            if ((cells->stale && cells->room) || !grow(cells))
                return;
        }
        cell = &cells->at[put_key(cells, key)];
    }
    PyObject *old = cell->node;
    cell->node = Py_NewRef(node);
    cell->function = function;
    cell->how = function ? how_of(function) : NULL;
    Py_XDECREF(old);
}

int lbpy_cells_traverse(const lbpy_cells *cells, visitproc visit, void *arg)
{
    for (uint32_t i = 0; i < cells->room; i++)
        Py_VISIT(cells->at[i].node);
    return 0;
}
