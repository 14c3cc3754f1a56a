/* object/space.h - what a runtime keeps for attributes. */
#ifndef LBI_OBJECT_SPACE_H
#define LBI_OBJECT_SPACE_H

#include "core/class.h"
#include "latebind/object.h"

typedef struct lbi_symbol lbi_symbol;

/* A number of 1998's scheme, of a name or of a place in the code. It is the
 * lb_site that programs embed. */
typedef lb_site lbi_number;

/* A supply of numbers, with its generation. */
typedef struct lbi_supply {
    uint32_t generation;   /* from 1 */
    uint32_t given;        /* numbers, in this generation */
    uint64_t hits, misses; /* since the last time all were given */
} lbi_supply;

/* Numbers counted apart for one hierarchy (LB_FULL_HIERARCHY). */
typedef struct lbi_hierarchy {
    struct lbi_hierarchy *next;
    const lb_class *top;
    lbi_supply supply;
    lb_attributes *numbers; /* symbol to generation << 32 | number */
} lbi_hierarchy;

typedef struct lbi_space {
    lb_object_options options;
    char *missing_name;
    lbi_symbol *missing; /* the symbol of the missing hook */
    lbi_map symbols;
    lbi_symbol *first_symbol;
    bool single;       /* no other thread: hits of all policies need no lock */
    bool inlined;      /* callers' code reads the cells */
    bool marks;        /* instances are asked only for marked names (1998) */
    bool marks_lost;   /* a name was written that bears no mark */
    bool missing_used; /* a class has, or had, the missing hook */

    uint32_t table_size; /* of the tables of 1998 */
    lbi_supply supply;
    lbi_hierarchy *hierarchies;
    struct lbi_vtable *first_table;
    size_t table_count;

    lb_counters counters;
    size_t cell_bytes, symbol_bytes, dictionary_bytes;
} lbi_space;

struct lbi_symbol {
    lb_symbol open; /* first member */
    lbi_link link;
    lbi_symbol *next;
    char *cells; /* own table, NULL: none; what `open` shows when inlined */
    uint32_t slots;
    uint32_t live, away, dead; /* cells: with a key, not at home, killed */
    uint32_t retry;            /* live cells at which another fit is tried */
    lbi_number number;
    bool marked;   /* some instance holds it or held it */
    bool excluded; /* its class attribute changed */
    bool numbered; /* had a number once */
};

/* What hangs on a class; made when there is something to keep. */
typedef struct lbi_members {
    lb_attributes *dictionary; /* symbol to lb_attribute */
    lb_attributes *names;      /* names its instances ever held: where first */
    struct lbi_vtable *table;  /* of 1998 */
    uint64_t wants;            /* questions it had no table for */
} lbi_members;

/* Counts events, if the program wants that. */
#define lbi_tally(space, event, by)                                            \
    do {                                                                       \
        if ((space)->options.counting)                                         \
            (space)->counters.event += (by);                                   \
    } while (0)

static inline lbi_symbol *lbi_symbol_of(const lb_symbol *symbol)
{
    return (lbi_symbol *)(uintptr_t)symbol;
}

/* The runtime's space, made with default options if there is none. Under the
 * lock; NULL without memory. */
lbi_space *lbi_space_of(lb_runtime *runtime);

/* The class's members, made if need be; NULL without memory. Locked. */
lbi_members *lbi_members_of(lb_class *cls);

/* Walks over all symbols. Locked. */
#define LBI_EACH_SYMBOL(s, space)                                              \
    for (lbi_symbol *s = (space)->first_symbol; s; s = s->next)

/* What a symbol is, given its link. */
static inline lbi_symbol *lbi_linked_symbol(lbi_link *link)
{
    return (lbi_symbol *)(void *)((char *)link - offsetof(lbi_symbol, link));
}

#endif
