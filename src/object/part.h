/* object/part.h - giving up values that a reader may still hold. */
#ifndef LBI_OBJECT_PART_H
#define LBI_OBJECT_PART_H

#include "object/space.h"

/* A value that is about to be given up. Begun before the change, while it may
 * still fail; ended after it. */
typedef struct lbi_parting {
    void *block; /* NULL: nobody can hold it */
    bool wanted; /* there is something to release */
} lbi_parting;

/* Takes the program's hook: a reference to `value` is kept. */
static inline void lbi_keep(const lbi_space *space, lb_value value)
{
    if (space->options.retain)
        space->options.retain(space->options.context, value);
}

/* False without memory. Locked, or the only thread. */
bool lbi_part_begin(lb_runtime *runtime, lbi_parting *parting);
/* `value` is no longer in any dictionary. */
void lbi_part(lb_runtime *runtime, lbi_parting *parting, lb_value value);

/* For lbi_dictionary_retire: releases all values of an instance's. */
void lbi_part_all(lb_runtime *runtime, void *content);

#endif
