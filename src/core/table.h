/* core/table.h - the table behind a generic function: its first level.
 *
 * Keys are the handles of the dispatched arguments; values are entries. All
 * calls are made under the runtime's lock; callers' inlined code reads at the
 * same time (latebind/abi.h).
 */
#ifndef LBI_CORE_TABLE_H
#define LBI_CORE_TABLE_H

#include "core/runtime.h"

typedef struct lbi_table {
    lb_runtime *runtime;
    lb_head *head;        /* what callers read */
    const lb_entry *gone; /* of a cell without a rule: resolves anew */
    unsigned keys;        /* handles per key */
    uint32_t slots;       /* cells; 0: the shared empty table */
    uint32_t live;        /* cells with an entry */
    uint32_t per_key;     /* cells that a key may cost, at most */
    uint32_t retry;       /* keys at which another fit is tried */
} lbi_table;

void lbi_table_init(lbi_table *table, lb_runtime *runtime, lb_head *head,
                    unsigned keys, const lb_entry *gone);
/* Callers meet the empty table again; the memory is retired. */
void lbi_table_reset(lbi_table *table);

/* Puts `entry` under the key. False: another key owns its slot, or the
 * function does not fit a word, or memory is short. */
bool lbi_table_put(lbi_table *table, const uint32_t *key,
                   const lb_entry *entry);

/* The entry of slot `at`, NULL when it has none; its key if it has one. */
const lb_entry *lbi_table_at(const lbi_table *table, uint32_t at,
                             uint32_t *key);
/* Replaces the entry of a slot that has one. */
bool lbi_table_patch(lbi_table *table, uint32_t at, const lb_entry *entry);
/* Takes the entry of a slot away; the slot stays its key's. */
void lbi_table_clear(lbi_table *table, uint32_t at);

/* Keys that have no place yet, for choosing a better size and mix. */
typedef struct lbi_keys {
    const uint32_t *at; /* `count` times `keys` handles */
    const lb_entry *const *entries;
    size_t count;
} lbi_keys;

/* True when, with `displaced` keys outside, another layout may be better. */
bool lbi_table_wants_fit(const lbi_table *table, size_t displaced);
/* Publishes a table in which the live keys and `outside` have as few
 * conflicts as a reasonable size allows; the caller then puts the outside keys
 * again. hot: the outside keys are called so often that none should stay there,
 * at the price of more memory; they get their cells first. False: no layout with
 * fewer conflicts, or no memory. */
bool lbi_table_fit(lbi_table *table, lbi_keys outside, bool hot);

/* Bytes of the live table. */
size_t lbi_table_bytes(const lbi_table *table);

#endif
