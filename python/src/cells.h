/* cells.h - what was found, by the states of the arguments' types.
 *
 * A key is one 32-bit number per dispatched argument, none of them 0: either
 * the interpreter's version tag of a type, which it gives up when the type is
 * changed, or the serial of our record of it (types.h). Neither is ever given
 * to another type or state, so a cell is never wrong, at most useless. (But see
 * lbpy_tags_hold for Python 3.10.)
 */
#ifndef LBPY_CELLS_H
#define LBPY_CELLS_H

#include "state.h"

/* Words of a key, two numbers to a word. */
#define LBPY_KEY_WORDS(count) (((count) + 1) / 2)
#define LBPY_MAX_WORDS 4

typedef struct lbpy_cell {
    uint64_t key;       /* first word; 0: empty */
    PyObject *function; /* borrowed from node; NULL: not as simple as that */
    const vectorcallfunc *how; /* where function keeps how to call it */
    PyObject *node;            /* strong: a link or a choice */
} lbpy_cell;

typedef struct lbpy_cells {
    lbpy_cell *at;   /* never NULL once cleared for the first time */
    uint64_t factor; /* by which a key's home is found */
    uint32_t shift;  /* 64 - log2 of the room */
    uint32_t room;   /* a power of two, or 0: `at` is a place that is empty */
    uint64_t *more;  /* the keys' further words, words - 1 each; or NULL */
    uint32_t count;
    uint32_t away;   /* keys that are not at home */
    uint32_t chosen; /* keys there were when the factor was chosen */
    uint32_t words;
    uint64_t deaths; /* of types, when it was last emptied or grew */
    bool chooses;    /* every call looks here: keep the keys at home */
    bool stale;      /* full of keys of dead types: to be emptied */
} lbpy_cells;

/* Where the cell of a key of one word is, unless another one took it. */
static inline lbpy_cell *lbpy_cell_home(const lbpy_cells *cells, uint64_t key)
{
    return &cells->at[(key * cells->factor) >> cells->shift];
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
