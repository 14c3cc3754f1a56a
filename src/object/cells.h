/* object/cells.h - the table of a name: what it means for each class.
 *
 * A cell is {payload, word}; the word holds the class's id and what the
 * payload is (latebind/object.h). It is written once: payload, then word. A
 * change kills it, and in a multi-threaded runtime its place stays empty until
 * a new table is made, so a reader that has seen the word finds the payload
 * that goes with it. Reading needs no lock, all else does.
 */
#ifndef LBI_OBJECT_CELLS_H
#define LBI_OBJECT_CELLS_H

#include "object/space.h"

typedef struct lbi_cell {
    uint64_t payload;
    uint64_t word;
    uint64_t *at; /* where the word is, for lbi_cell_hint */
} lbi_cell;

/* The cell of a class in the cells that callers see, at home or away. */
bool lbi_cell_find(const lb_symbol *symbol, uint32_t handle, lbi_cell *cell);
/* The same in the symbol's own table, which callers may not see. Locked. */
bool lbi_cell_own(const lbi_symbol *symbol, uint32_t handle, lbi_cell *cell);

/* Puts a cell; `what` are the bits of the word below the id. That it cannot
 * (no memory, no place) is no failure: the name is searched next time. */
void lbi_cell_put(lb_runtime *runtime, lbi_symbol *symbol, uint32_t handle,
                  uint64_t payload, uint64_t what);
/* Replaces the payload where a value follows a value or a method a method:
 * the word is true for both. False: the cell must be dropped. Locked. */
bool lbi_cell_renew(const lbi_cell *cell, uint64_t payload, uint64_t what);
/* Another place to look at in the instance. Any thread. */
void lbi_cell_hint(const lbi_cell *cell, uint32_t place);

/* Kills the cell of one class, or all for which `stale` says so; returns how
 * many. */
size_t lbi_cell_drop(lb_runtime *runtime, lbi_symbol *symbol, uint32_t handle);
size_t lbi_cells_drop(lb_runtime *runtime, lbi_symbol *symbol,
                      bool (*stale)(uint32_t id, const void *context),
                      const void *context);

#endif
