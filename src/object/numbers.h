/* object/numbers.h - the tables of 1998: one per class, indexed by number.
 *
 * After M. von Löwis, "Virtual Method Tables in Python" (1998). A name (or,
 * LB_POLICY_SITE, a place in the code) gets a number when a class is first
 * searched for it. All calls under the lock, or by the only thread.
 */
#ifndef LBI_OBJECT_NUMBERS_H
#define LBI_OBJECT_NUMBERS_H

#include "object/space.h"

/* What a table says of a name. */
typedef enum lbi_answer {
    LBI_NO_TABLE, /* not to be asked: search, and remember nothing */
    LBI_MISS,     /* search, then lbi_entry_fill */
    LBI_HIT
} lbi_answer;

typedef struct lbi_vtable {
    lb_class *cls;
    struct lbi_vtable *next, *previous; /* of all tables */
    const lbi_hierarchy *hierarchy;     /* whose numbers; NULL: everybody's */
    uint32_t generation;
    uint32_t size;
    uint32_t filled;
    uint32_t cleared;
    uint64_t hits, misses;
    bool off;           /* it thrashed; it has no entries any more */
    uintptr_t *entries; /* lb_attribute; 0: empty; 1: "not found" */
} lbi_vtable;

/* One question: filled by lbi_entry_ask, used by lbi_entry_fill. */
typedef struct lbi_entry_place {
    lbi_vtable *table;
    uint32_t at;
} lbi_entry_place;

/* Asks the table of `cls`. `site` is where a number is kept for
 * LB_POLICY_SITE; NULL: of the symbol. On LBI_HIT `*attribute` is what was
 * found, or NULL. */
lbi_answer lbi_entry_ask(lb_class *cls, lbi_symbol *symbol, lb_site *site,
                         const lb_attribute **attribute,
                         lbi_entry_place *place);
void lbi_entry_fill(lbi_space *space, lbi_entry_place place,
                    const lb_attribute *attribute);

/* The attribute of that name changed on a class: forget or exclude it. */
void lbi_entries_changed(lb_runtime *runtime, lbi_symbol *symbol,
                         bool was_defined);
/* Linearizations changed, or names are to be forgotten: clear all. */
void lbi_entries_clear(lb_runtime *runtime);
void lbi_vtable_free(lb_runtime *runtime, lb_class *cls);
void lbi_hierarchies_end(lb_runtime *runtime, lbi_space *space);

#endif
