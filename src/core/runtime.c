/* core/runtime.c - making and ending runtimes, the lock, deferred calls.
 *
 * Every writer and every miss runs between lbi_enter_runtime and
 * lbi_leave_runtime. User code (reports, release hooks) never runs in
 * between: it is put on a list that the leaving thread works off afterwards.
 */
#include "core/runtime.h"

#include "core/class.h"
#include "core/ids.h"
#include "core/reclaim.h"
#include "latebind/version.h"

#include <sched.h>

void lb_config_init_abi(lb_config *config, uint32_t abi)
{
    if (config && abi != LB_ABI)
        config->abi = abi; /* of another size; lb_runtime_create refuses it */
    else if (config)
        *config = (lb_config){.abi = abi};
}

static lb_status check_config(const lb_config *config)
{
    if (config->abi != LB_ABI)
        return lbi_fail(LB_BAD_ABI,
                        "the program was built for LB_ABI %u, this library "
                        "has LB_ABI %u: rebuild the program",
                        config->abi, (unsigned)LB_ABI);
    if ((unsigned)config->threading > LB_SINGLE_THREADED)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "config.threading is %d; want LB_MULTI_THREADED or "
                        "LB_SINGLE_THREADED",
                        (int)config->threading);
    if ((unsigned)config->reclaim > LB_RECLAIM_EPOCH)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "config.reclaim is %d; want LB_RECLAIM_QUIESCE or "
                        "LB_RECLAIM_EPOCH",
                        (int)config->reclaim);
    return LB_OK;
}

lb_status lb_runtime_create(const lb_config *config, lb_runtime **result)
{
    lb_config defaults;
    if (result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "result is NULL");
    *result = NULL;
    if (config == NULL) {
        lb_config_init(&defaults);
        config = &defaults;
    }
    lb_status status = check_config(config);
    if (status != LB_OK)
        return status;
    lbi_allocator allocator;
    lbi_allocator_init(&allocator, config->reallocate,
                       config->allocator_context);
    lb_runtime *runtime = lbi_zalloc(&allocator, sizeof *runtime);
    if (runtime == NULL)
        return lbi_no_memory();
    runtime->allocator = allocator;
    runtime->config = *config;
    runtime->epoch = 1;
    runtime->serial_limit = 1;
    runtime->later_end = &runtime->later;
    runtime->stand_in = lbi_zalloc(&allocator, sizeof *runtime->stand_in);
    if (runtime->stand_in == NULL) {
        lbi_free(&allocator, runtime, sizeof *runtime);
        return lbi_no_memory();
    }
    runtime->stand_in->runtime = runtime;
    runtime->unnumbered = lbi_id_take_any();
    if (runtime->unnumbered == 0 ||
        !lbi_lock_init(&runtime->lock,
                       config->threading == LB_MULTI_THREADED)) {
        lbi_id_give(runtime->unnumbered);
        lbi_free(&allocator, runtime->stand_in, sizeof *runtime->stand_in);
        lbi_free(&allocator, runtime, sizeof *runtime);
        return lbi_fail(LB_LIMIT, "no class id or no mutex is left for "
                                  "another runtime");
    }
    /* The allocator moves into the runtime with what it has counted. */
    runtime->allocator = allocator;
    lbi_class_by_id_set(runtime->unnumbered, runtime->stand_in);
    pthread_mutex_init(&runtime->allocator_mutex, NULL);
    if (config->reallocate && config->threading == LB_MULTI_THREADED)
        runtime->allocator.mutex = &runtime->allocator_mutex;
    *result = runtime;
    return LB_OK;
}

void lb_runtime_destroy(lb_runtime *runtime)
{
    if (runtime == NULL || lbi_enter_runtime(runtime) != LB_OK)
        return;
    runtime->quiescing = true;
    lbi_tell(runtime, end, runtime);
    /* Release hooks may still free objects: their classes are there. */
    lbi_leave_runtime(runtime, LB_OK);
    lbi_enter_runtime(runtime);
    lbi_classes_end(runtime);
    lbi_leave_runtime(runtime, LB_OK);
    lbi_tell(runtime, close, runtime);
    lbi_readers_end(runtime);
    lbi_map_free(&runtime->class_names, &runtime->allocator);
    lbi_map_free(&runtime->generic_names, &runtime->allocator);
    lbi_class_by_id_set(runtime->unnumbered, NULL);
    lbi_id_give(runtime->unnumbered);
    lbi_free(&runtime->allocator, runtime->stand_in, sizeof(lb_class));
    lbi_lock_free(&runtime->lock);
    pthread_mutex_destroy(&runtime->allocator_mutex);
    lbi_allocator allocator = runtime->allocator;
    allocator.mutex = NULL;
    lbi_free(&allocator, runtime, sizeof *runtime);
}

lb_status lbi_enter_runtime(lb_runtime *runtime)
{
    if (!lbi_lock_take(&runtime->lock))
        return lbi_fail(LB_REENTERED,
                        "the runtime was called from inside an allocation "
                        "hook or a comparison of it");
    return LB_OK;
}

/* The deferred calls that a thread is making. What they bring about in turn is
 * appended, so that releasing a long chain of objects does not recurse. */
typedef struct work {
    lb_runtime *runtime;
    lbi_later *first, **end;
    struct work *outer; /* of another runtime */
} work;

static _Thread_local work *current_work;

static bool append_work(lb_runtime *runtime, lbi_later *first, lbi_later **end)
{
    for (work *w = current_work; w; w = w->outer)
        if (w->runtime == runtime) {
            *w->end = first;
            w->end = end;
            return true;
        }
    return false;
}

static void work_off(lb_runtime *runtime, lbi_later *first, lbi_later **end)
{
    work w = {runtime, first, end, current_work};
    current_work = &w;
    while (w.first) {
        lbi_later *item = w.first;
        w.first = item->next;
        if (w.first == NULL)
            w.end = &w.first;
        item->call(runtime, item);
    }
    current_work = w.outer;
}

lb_status lbi_leave_runtime(lb_runtime *runtime, lb_status status)
{
    lbi_reclaim(runtime);
    lbi_later *waiting = runtime->later, **end = runtime->later_end;
    runtime->later = NULL;
    runtime->later_end = &runtime->later;
    const bool mine = waiting && !append_work(runtime, waiting, end);
    if (mine)
        __atomic_add_fetch(&runtime->working, 1, __ATOMIC_RELAXED);
    lbi_lock_give(&runtime->lock);
    if (mine) {
        work_off(runtime, waiting, end);
        __atomic_sub_fetch(&runtime->working, 1, __ATOMIC_RELEASE);
    }
    return status;
}

void lbi_leave_quietly(lb_runtime *runtime)
{
    lbi_lock_give(&runtime->lock);
}

void lbi_wait_for_hooks(const lb_runtime *runtime)
{
    while (lbi_load(&runtime->working) != 0)
        sched_yield();
}

void lbi_call_later(lb_runtime *runtime, lbi_later *item)
{
    item->next = NULL;
    *runtime->later_end = item;
    runtime->later_end = &item->next;
}

typedef struct report {
    lbi_later later;
    lb_status status;
    size_t size;
    char text[];
} report;

static void deliver(lb_runtime *runtime, lbi_later *item)
{
    report *self = (report *)item;
    runtime->config.report(runtime->config.report_context, self->status,
                           self->text);
    lbi_free(&runtime->allocator, self, self->size);
}

void lbi_report_later(lb_runtime *runtime, lb_status status, const char *text)
{
    lbi_fail_text(status, text);
    if (runtime->config.report == NULL)
        return;
    const size_t size = sizeof(report) + strlen(text) + 1;
    report *self = lbi_alloc(&runtime->allocator, size);
    if (self == NULL)
        return;
    self->later.call = deliver;
    self->status = status;
    self->size = size;
    memcpy(self->text, text, size - sizeof(report));
    lbi_call_later(runtime, &self->later);
}

lb_status lb_get_statistics(lb_runtime *runtime, lb_statistics *result)
{
    if (runtime == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime ? "result" : "runtime");
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    *result = (lb_statistics){.bytes = lbi_peek(&runtime->allocator.bytes),
                              .bytes_classes = runtime->class_bytes,
                              .bytes_retired = runtime->retired_bytes,
                              .classes = runtime->class_count,
                              .ids = runtime->id_count,
                              .unnumbered = runtime->unnumbered_count,
                              .generics = runtime->generic_count,
                              .misses = lbi_peek(&runtime->misses),
                              .second_level = lbi_peek(&runtime->second_level),
                              .resolutions = lbi_peek(&runtime->resolutions),
                              .changes = lbi_peek(&runtime->changes),
                              .growths = lbi_peek(&runtime->growths)};
    lbi_tell(runtime, count, runtime, result);
    return lbi_leave_runtime(runtime, LB_OK);
}
