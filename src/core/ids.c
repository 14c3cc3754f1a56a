/* core/ids.c - 2^20 class ids for the whole process.
 *
 * One pool, so that an object of one runtime can never pass for an object of
 * another. A bitmap, and a mark below which no id is free. A run is taken
 * above everything ever taken, so that a family of classes that is numbered at
 * once lies together in every table.
 */
#include "core/ids.h"

#include "base/atomic.h"

#include <pthread.h>

enum { WORDS = (1 << LBI_ID_BITS) / 64 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t taken[WORDS];
static uint32_t lowest_free = LBI_ID_FIRST;
static uint32_t top = LBI_ID_FIRST; /* nothing at or above is taken */
static lb_class *classes[1 << LBI_ID_BITS];

static void mark(uint32_t id)
{
    taken[id / 64] |= UINT64_C(1) << (id % 64);
    if (id >= top)
        top = id + 1;
}

/* The first free id in [from, end), or 0. */
static uint32_t search(uint32_t from, uint32_t end)
{
    for (uint32_t id = from; id < end; id = (id / 64 + 1) * 64) {
        const uint64_t free = ~taken[id / 64] >> (id % 64);
        if (free) {
            const uint32_t found = id + (uint32_t)__builtin_ctzll(free);
            return found < end ? found : 0;
        }
    }
    return 0;
}

uint32_t lbi_id_take(uint32_t near_id)
{
    pthread_mutex_lock(&mutex);
    uint32_t id = 0;
    if (near_id >= LBI_ID_FIRST)
        id = search(near_id, LBI_ID_END);
    if (id == 0 && (id = search(lowest_free, LBI_ID_END)) != 0)
        lowest_free = id + 1;
    if (id != 0)
        mark(id);
    pthread_mutex_unlock(&mutex);
    return id;
}

uint32_t lbi_id_take_any(void)
{
    return lbi_id_take(0);
}

uint32_t lbi_id_take_run(uint32_t count)
{
    uint32_t first = 0;
    pthread_mutex_lock(&mutex);
    if (count <= LBI_ID_END - top) {
        first = top;
        for (uint32_t i = 0; i < count; i++)
            mark(first + i);
    }
    pthread_mutex_unlock(&mutex);
    return first;
}

void lbi_id_give(uint32_t id)
{
    if (id == 0)
        return;
    pthread_mutex_lock(&mutex);
    taken[id / 64] &= ~(UINT64_C(1) << (id % 64));
    if (id < lowest_free)
        lowest_free = id;
    while (top > LBI_ID_FIRST &&
           !(taken[(top - 1) / 64] >> ((top - 1) % 64) & 1))
        top--;
    pthread_mutex_unlock(&mutex);
}

lb_class *lbi_class_by_id(uint32_t id)
{
    return lbi_load(&classes[id]);
}

void lbi_class_by_id_set(uint32_t id, lb_class *cls)
{
    lbi_store(&classes[id], cls);
}
