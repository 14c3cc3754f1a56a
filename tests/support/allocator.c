/* A block in memory: {size, mark} in 16 bytes, then what the caller sees. */
#include "support/allocator.h"

#include <stdlib.h>
#include <string.h>

typedef struct block {
    size_t size;
    uint64_t mark;
} block;

static const uint64_t LIVE = UINT64_C(0x6c6976656c697665);
static const uint64_t DEAD = UINT64_C(0x6465616464656164);
static const size_t KEPT_BYTES = (size_t)16 << 20;

static void drop_oldest(allocator *memory)
{
    block *oldest = memory->kept[memory->kept_first];
    memory->kept_bytes -= oldest->size;
    memory->kept_first = (memory->kept_first + 1) % ALLOCATOR_KEPT;
    memory->kept_count--;
    free(oldest);
}

static void keep(allocator *memory, block *released)
{
    while (memory->kept_count > 0 &&
           (memory->kept_count == ALLOCATOR_KEPT ||
            memory->kept_bytes + released->size > KEPT_BYTES))
        drop_oldest(memory);
    const size_t place =
        (memory->kept_first + memory->kept_count++) % ALLOCATOR_KEPT;
    memory->kept[place] = released;
    memory->kept_bytes += released->size;
}

static void *take(allocator *memory, size_t size)
{
    block *fresh = malloc(sizeof *fresh + size);
    if (fresh == NULL)
        return NULL;
    fresh->size = size;
    fresh->mark = LIVE;
    /* What was not written must not look like a zero. */
    memset(fresh + 1, 0xa5, size);
    memory->bytes += size;
    memory->blocks++;
    if (memory->bytes > memory->peak)
        memory->peak = memory->bytes;
    return fresh + 1;
}

static void release(allocator *memory, void *pointer)
{
    block *old = (block *)pointer - 1;
    memory->bytes -= old->size;
    memory->blocks--;
    old->mark = DEAD;
    memset(old + 1, ALLOCATOR_POISON, old->size);
    keep(memory, old);
}

static int refuses(allocator *memory)
{
    const uint64_t number = ++memory->requests;
    const int refused =
        memory->fail_at != 0 && (memory->fail_on ? number >= memory->fail_at
                                                 : number == memory->fail_at);
    memory->refused += (uint64_t)refused;
    return refused;
}

static void *reallocate(allocator *memory, void *pointer, size_t old_size,
                        size_t new_size)
{
    if (pointer != NULL) {
        const block *old = (const block *)pointer - 1;
        if (old->mark != LIVE || old->size != old_size)
            memory->wrong++;
        if (old->mark != LIVE)
            return NULL;
    } else if (old_size != 0) {
        memory->wrong++;
    }
    if (new_size == 0) {
        if (pointer != NULL)
            release(memory, pointer);
        return NULL;
    }
    if (refuses(memory))
        return NULL;
    void *fresh = take(memory, new_size);
    if (fresh != NULL && pointer != NULL) {
        const size_t size = ((const block *)pointer - 1)->size;
        memcpy(fresh, pointer, size < new_size ? size : new_size);
        release(memory, pointer);
    }
    return fresh;
}

/* One at a time even when the promise is broken, so that the count is what
 * fails, and not this allocator. */
static void enter(allocator *memory)
{
    int overlaps = 0;
    while (atomic_exchange_explicit(&memory->inside, 1, memory_order_relaxed))
        overlaps = 1;
    memory->overlaps += (size_t)overlaps;
}

void *allocator_reallocate(void *context, void *pointer, size_t old_size,
                           size_t new_size)
{
    allocator *memory = context;
    enter(memory);
    void *result = reallocate(memory, pointer, old_size, new_size);
    atomic_store_explicit(&memory->inside, 0, memory_order_relaxed);
    return result;
}

void allocator_arm(allocator *memory, uint64_t at, int on)
{
    memory->requests = 0;
    memory->refused = 0;
    memory->fail_at = at;
    memory->fail_on = on;
}

int allocator_finish(allocator *memory)
{
    while (memory->kept_count > 0)
        drop_oldest(memory);
    return memory->bytes == 0 && memory->blocks == 0 && memory->wrong == 0 &&
           memory->overlaps == 0;
}
