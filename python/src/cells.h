/* cells.h - what was found, by the states of the arguments' types.
 *
 * A key is one 32-bit number per dispatched argument, none of them 0: either
 * the interpreter's version tag of a type, which it gives up when the type is
 * changed, or the serial of our record of it (types.h). Neither is ever given
 * to another type or state, so a cell is never wrong, at most useless.
 */
#ifndef LBPY_CELLS_H
#define LBPY_CELLS_H

#include "state.h"

/* Words of a key, two numbers to a word. */
#define LBPY_KEY_WORDS(count) (((count) + 1) / 2)
#define LBPY_MAX_WORDS 4

typedef struct lbpy_cell {
    uint64_t key;        /* first word; 0: empty */
    PyObject *function;  /* borrowed from node; NULL: not as simple as that */
    vectorcallfunc *how; /* where function keeps how to call it */
    PyObject *node;      /* strong: a link or a choice */
} lbpy_cell;

typedef struct lbpy_cells {
    lbpy_cell *at;  /* never NULL once cleared for the first time */
    uint64_t *more; /* the keys' further words, words - 1 each; or NULL */
    uint32_t shift; /* 64 - log2 of the room */
    uint32_t room;  /* a power of two, or 0: `at` is a place that is empty */
    uint32_t count;
    uint32_t words;
    uint64_t deaths; /* of types, when it was last emptied or grew */
    bool stale;      /* full of keys of dead types: to be emptied */
} lbpy_cells;

static inline size_t lbpy_cell_place(uint64_t key, uint32_t shift)
{
    return (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> shift);
}

/* A word of two numbers. */
static inline uint64_t lbpy_key_word(uint32_t first, uint32_t second)
{
    return first | (uint64_t)second << 32;
}

/* The cell of a key, or NULL. */
lbpy_cell *lbpy_cells_find(const lbpy_cells *cells, const uint64_t *key);

/* Keeps `node` under `key`; without memory it does not. `deaths`: of types, up
 * to now: a full table that may hold many dead keys is not enlarged, but marked
 * to be emptied by its owner. */
void lbpy_cells_put(lbpy_cells *cells, const uint64_t *key, PyObject *node,
                    PyObject *function, uint64_t deaths);

/* Lets go of everything. The nodes' ends may run Python code, after the table
 * is empty. */
void lbpy_cells_clear(lbpy_cells *cells);

int lbpy_cells_traverse(const lbpy_cells *cells, visitproc visit, void *arg);

#endif
