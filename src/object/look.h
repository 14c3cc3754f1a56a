/* object/look.h - what a name means for an instance and its class. */
#ifndef LBI_OBJECT_LOOK_H
#define LBI_OBJECT_LOOK_H

#include "object/space.h"

typedef struct lbi_question {
    lbi_space *space;
    lb_class *cls;
    const lb_object *object; /* whose own attributes are asked; NULL: empty */
    lbi_symbol *symbol;
    lb_site *site;   /* LB_POLICY_SITE; NULL: the symbol's own number */
    bool special;    /* in Python's order the class alone */
    bool uninterned; /* a text without a mark and a number (1998) */
    bool plain;      /* the missing hook is not asked */
    bool told;       /* lbi_yield: what failed has set its message */
} lbi_question;

/* What the class says of a name: the content of a cell. */
typedef struct lbi_meaning {
    uint64_t payload;
    uint64_t word;
} lbi_meaning;

typedef struct lbi_answered {
    bool own; /* `value` is the instance's */
    lb_value value;
    lbi_meaning meaning; /* else what the class says */
} lbi_answered;

/* Looks up under every policy. Locked, or by the only thread. */
void lbi_look(lbi_question *q, lbi_answered *a);

/* What the class says of a symbol, from its cell, which is filled if need be
 * (LB_POLICY_TABLE), or from the dictionaries. Counts nothing. Locked. */
lbi_meaning lbi_meaning_of(lb_class *cls, lbi_symbol *symbol);

/* The attribute in the first class of the order from `from` on, or NULL.
 * Counts nothing. */
const lb_attribute *lbi_search(const lb_class *cls, uint32_t from,
                               const lb_symbol *symbol);

/* The attribute after the class `after` in the order of `cls`, for super; fails
 * with a message (get.c). Takes the lock. */
lb_status lbi_search_after(lb_class *cls, const lb_class *after,
                           const lb_symbol *symbol, const lb_attribute **found);

/* What an attribute means where no instance holds the name (NULL: absent). */
lbi_meaning lbi_plain_meaning(const lb_attribute *attribute);

/* The attribute behind a meaning, NULL for one that is absent or a value. */
static inline const lb_attribute *lbi_meant(lbi_meaning m)
{
    return (m.word & LBI_CELL_WHAT) >= LBI_CELL_METHOD
               ? (const lb_attribute *)(uintptr_t)m.payload
               : NULL;
}

/* The meaning is the missing hook's: the name itself is absent. */
static inline bool lbi_is_hook(lbi_meaning m, const lbi_symbol *symbol)
{
    const lb_attribute *attribute = lbi_meant(m);
    return attribute && attribute->symbol != &symbol->open;
}

/* The class has no attribute of that name, be there a hook or not. */
static inline bool lbi_is_absent(lbi_meaning m, const lbi_symbol *symbol)
{
    return (m.word & LBI_CELL_WHAT) == LBI_CELL_ABSENT ||
           lbi_is_hook(m, symbol);
}

/* What an answer comes to: binds, calls getters and the missing hook. Without
 * the lock. That there is no such attribute sets no message.
 * `name`: what the missing hook is told. */
lb_status lbi_yield(lbi_question *q, const lbi_answered *a, lb_value receiver,
                    const char *name, lb_found *found);

#endif
