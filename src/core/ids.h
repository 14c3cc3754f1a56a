/* core/ids.h - the process's pool of class ids. */
#ifndef LBI_CORE_IDS_H
#define LBI_CORE_IDS_H

#include "latebind/runtime.h"

enum {
    LBI_ID_BITS = 20,
    /* Ids below are no class's: 0 to 15 cannot be told from an empty slot's
     * index; then come those that stand for a number of arguments. */
    LBI_ID_ARITY = 16, /* + argc, up to LBI_ARITY_LIMIT */
    LBI_ARITY_LIMIT = 30,
    LBI_ID_ABSENT = 47, /* a missing optional argument */
    LBI_ID_FIRST = 48,
    LBI_ID_END = (1 << LBI_ID_BITS) - 16 /* the rest means "empty" */
};

/* What a header holds for an id, and back. */
static inline uint32_t lbi_handle(uint32_t id)
{
    return id << 4;
}

static inline uint32_t lbi_id(uint32_t handle)
{
    return handle >> 4;
}

/* An id, 0 when none is left: at or after `near`; any; the first of `count`
 * in a row. Any thread. */
uint32_t lbi_id_take(uint32_t near_id);
uint32_t lbi_id_take_any(void);
uint32_t lbi_id_take_run(uint32_t count);
void lbi_id_give(uint32_t id); /* 0 is allowed */

/* Which class an id stands for now: written under its runtime's lock. */
lb_class *lbi_class_by_id(uint32_t id);
void lbi_class_by_id_set(uint32_t id, lb_class *cls);

#endif
