/* core/reclaim.c - when replaced memory is freed.
 *
 * Calls register nowhere, so nobody can know what they hold. Three answers:
 *   - quiesce: nothing is freed before lb_quiesce, by which the caller states
 *     that no call is in flight;
 *   - epoch (opt-in): calls happen between lb_enter and lb_leave. A reader
 *     publishes the epoch it entered in; retiring takes the next epoch number,
 *     and a block goes once every active reader entered after it was retired
 *     (Fraser, "Practical lock-freedom", 2004, ch. 5);
 *   - single-threaded: at once, unless a reader is entered.
 * Retiring cannot fail: the link lies in front of the block.
 */
#include "core/reclaim.h"

#include "core/class.h"

#include <sched.h>

struct lb_reader {
    lb_runtime *runtime;
    lb_reader *next, *previous;
    uint64_t epoch;     /* atomic; 0: outside */
    uint32_t depth;     /* of brackets; the owning thread's */
    const void *thread; /* that is inside now; atomic */
};

void *lbi_block_alloc(lb_runtime *runtime, size_t size)
{
    lbi_block *block = lbi_zalloc(&runtime->allocator, sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->size = sizeof *block + size;
    return block + 1;
}

void lbi_block_free(lb_runtime *runtime, void *content)
{
    if (content == NULL)
        return;
    lbi_block *block = (lbi_block *)content - 1;
    lbi_free(&runtime->allocator, block, block->size);
}

typedef struct release_call {
    lbi_later later;
    void (*release)(void *context);
    void *context;
} release_call;

static void call_release(lb_runtime *runtime, lbi_later *item)
{
    release_call *self = (release_call *)item;
    self->release(self->context);
    lbi_block_free(runtime, self);
}

/* The block's own memory carries the deferred call. */
void lbi_block_release(lb_runtime *runtime, void *content,
                       void (*release)(void *context), void *context)
{
    if (release == NULL) {
        lbi_block_free(runtime, content);
        return;
    }
    release_call *call = content;
    *call = (release_call){{NULL, call_release}, release, context};
    lbi_call_later(runtime, &call->later);
}

void lbi_retire(lb_runtime *runtime, void *content,
                void (*last)(lb_runtime *runtime, void *content))
{
    if (content == NULL)
        return;
    lbi_block *block = (lbi_block *)content - 1;
    block->last = last;
    block->epoch = __atomic_fetch_add(&runtime->epoch, 1, __ATOMIC_SEQ_CST);
    block->next = NULL;
    if (runtime->retired)
        runtime->last_retired->next = block;
    else
        runtime->retired = block;
    runtime->last_retired = block;
    runtime->retired_bytes += block->size;
}

bool lbi_reclaims_by_itself(const lb_runtime *runtime)
{
    return runtime->quiescing ||
           runtime->config.threading == LB_SINGLE_THREADED ||
           runtime->config.reclaim == LB_RECLAIM_EPOCH;
}

/* The oldest epoch an active reader is in; UINT64_MAX when there is none. */
static uint64_t oldest_reader(const lb_runtime *runtime)
{
    uint64_t oldest = UINT64_MAX;
    for (const lb_reader *r = runtime->first_reader; r; r = r->next) {
        /* A write, so that it is ordered with the reader's exchange: either
         * this sees the reader, or the reader sees what was published. */
        const uint64_t epoch = __atomic_fetch_or(
            (uint64_t *)(uintptr_t)&r->epoch, 0, __ATOMIC_SEQ_CST);
        if (epoch != 0 && epoch < oldest)
            oldest = epoch;
    }
    return oldest;
}

/* The list is oldest first. */
void lbi_reclaim(lb_runtime *runtime)
{
    if (runtime->retired == NULL || !lbi_reclaims_by_itself(runtime))
        return;
    const uint64_t oldest =
        runtime->quiescing ? UINT64_MAX : oldest_reader(runtime);
    while (runtime->retired && runtime->retired->epoch < oldest) {
        lbi_block *block = runtime->retired;
        runtime->retired = block->next;
        runtime->retired_bytes -= block->size;
        if (block->last)
            block->last(runtime, block + 1);
        else
            lbi_block_free(runtime, block + 1);
    }
}

static void sweep_and_collect(lb_runtime *runtime)
{
    lbi_classes_swept(runtime);
    lbi_tell(runtime, collect, runtime);
}

lb_status lb_quiesce(lb_runtime *runtime)
{
    if (runtime == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "runtime is NULL");
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    sweep_and_collect(runtime);
    runtime->quiescing = true;
    lbi_reclaim(runtime);
    runtime->quiescing = false;
    return lbi_leave_runtime(runtime, LB_OK);
}

lb_status lb_reader_create(lb_runtime *runtime, lb_reader **result)
{
    if (runtime == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime ? "result" : "runtime");
    *result = NULL;
    if (runtime->config.threading == LB_MULTI_THREADED &&
        runtime->config.reclaim != LB_RECLAIM_EPOCH)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "readers need config.reclaim = LB_RECLAIM_EPOCH, or a "
                        "single-threaded runtime");
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    lb_reader *reader = lbi_zalloc(&runtime->allocator, sizeof *reader);
    if (reader == NULL)
        return lbi_leave_runtime(runtime, lbi_no_memory());
    reader->runtime = runtime;
    reader->next = runtime->first_reader;
    if (reader->next)
        reader->next->previous = reader;
    runtime->first_reader = reader;
    *result = reader;
    return lbi_leave_runtime(runtime, LB_OK);
}

lb_status lb_reader_destroy(lb_reader *reader)
{
    if (reader == NULL)
        return LB_OK;
    if (reader->depth != 0)
        return lbi_fail(LB_BUSY, "the reader is inside lb_enter");
    lb_runtime *runtime = reader->runtime;
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    if (reader->previous)
        reader->previous->next = reader->next;
    else
        runtime->first_reader = reader->next;
    if (reader->next)
        reader->next->previous = reader->previous;
    lbi_free(&runtime->allocator, reader, sizeof *reader);
    return lbi_leave_runtime(runtime, LB_OK);
}

void lbi_readers_end(lb_runtime *runtime)
{
    lb_reader *next;
    for (lb_reader *r = runtime->first_reader; r; r = next) {
        next = r->next;
        lbi_free(&runtime->allocator, r, sizeof *r);
    }
    runtime->first_reader = NULL;
}

/* The exchange orders the reader's announcement before its look-ups: a writer
 * that does not see it has published what the reader then loads. */
void lb_enter(lb_reader *reader)
{
    if (reader->depth++ != 0)
        return;
    const uint64_t epoch =
        __atomic_load_n(&reader->runtime->epoch, __ATOMIC_SEQ_CST);
    lbi_poke(&reader->thread, lbi_this_thread());
    (void)__atomic_exchange_n(&reader->epoch, epoch, __ATOMIC_SEQ_CST);
}

void lb_leave(lb_reader *reader)
{
    if (reader->depth == 0 || --reader->depth != 0)
        return;
    lbi_store(&reader->epoch, 0);
}

bool lbi_thread_reads(const lb_runtime *runtime)
{
    for (const lb_reader *r = runtime->first_reader; r; r = r->next)
        if (lbi_load(&r->epoch) != 0 &&
            lbi_peek(&r->thread) == lbi_this_thread())
            return true;
    return false;
}

lb_status lb_synchronize(lb_runtime *runtime)
{
    if (runtime == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "runtime is NULL");
    if (runtime->config.reclaim != LB_RECLAIM_EPOCH)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "lb_synchronize needs config.reclaim = "
                        "LB_RECLAIM_EPOCH; otherwise state lb_quiesce");
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    if (lbi_thread_reads(runtime))
        return lbi_leave_runtime(
            runtime, lbi_fail(LB_BUSY, "the calling thread is inside "
                                       "lb_enter and would wait for itself"));
    sweep_and_collect(runtime);
    const uint64_t now =
        __atomic_fetch_add(&runtime->epoch, 1, __ATOMIC_SEQ_CST);
    while (oldest_reader(runtime) <= now) {
        lbi_leave_runtime(runtime, LB_OK);
        sched_yield();
        if ((status = lbi_enter_runtime(runtime)) != LB_OK)
            return status;
    }
    return lbi_leave_runtime(runtime, LB_OK);
}
