/* context.c - a thread's place in a library. */
#include "library.h"

#include <string.h>

/* ---- without a context ------------------------------------------------------ */

lb_status lboi_gates_init(lbo_library *library)
{
    pthread_mutexattr_t recursive;
    lb_status status = LB_OK;

    pthread_mutexattr_init(&recursive); /* these cannot fail here */
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    for (int i = 0; i < LBOI_GATES; i++) {
        pthread_mutex_init(&library->gates[i].mutex, &recursive);
        if (status == LB_OK)
            status =
                lb_reader_create(library->runtime, &library->gates[i].reader);
    }
    pthread_mutexattr_destroy(&recursive);
    return status;
}

void lboi_gates_end(lbo_library *library)
{
    for (int i = 0; i < LBOI_GATES; i++) {
        (void)lb_reader_destroy(library->gates[i].reader);
        pthread_mutex_destroy(&library->gates[i].mutex);
    }
}

/* A thread has one gate, which others may have, too: so brackets nest, and
 * nobody waits for one gate inside of another. */
lboi_gate *lboi_enter(lbo_library *library)
{
    const uint64_t self = (uint64_t)(uintptr_t)pthread_self();
    lboi_gate *const gate =
        &library->gates[self * 0x9e3779b97f4a7c15u >> 32 & (LBOI_GATES - 1)];

    pthread_mutex_lock(&gate->mutex);
    lb_enter(gate->reader);
    return gate;
}

void lboi_leave(lboi_gate *gate)
{
    lb_leave(gate->reader);
    pthread_mutex_unlock(&gate->mutex);
}

/* ---- contexts --------------------------------------------------------------- */

lb_status lbo_context_create(lbo_library *library, const char *device,
                             lbo_context **result)
{
    lbo_device *found;

    if (library == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_context_create: an argument is NULL");
    lb_status status =
        lbo_device_find(library, device ? device : "cpu", &found);
    if (status != LB_OK)
        return status;
    lbo_context *const context = lboi_zalloc(library, sizeof *context);
    if (context == NULL)
        return LB_NO_MEMORY;
    status = lb_reader_create(library->runtime, &context->reader);
    if (status != LB_OK) {
        lboi_free(library, context, sizeof *context);
        return status;
    }
    context->library = library;
    context->device = found;
    context->call.head = library->plain;
    context->stack[0].head = library->plain;
    __atomic_add_fetch(&library->live_contexts, 1, __ATOMIC_RELAXED);
    *result = context;
    return LB_OK;
}

void lbo_context_destroy(lbo_context *context)
{
    if (context == NULL)
        return;
    lbo_library *const library = context->library;

    context->call.running = NULL;
    (void)lbo_set_layers(context, NULL, 0);
    (void)lb_reader_destroy(context->reader);
    lboi_free(library, context->fallbacks,
              context->fallback_capacity * sizeof *context->fallbacks);
    lboi_free(library, context, sizeof *context);
    __atomic_sub_fetch(&library->live_contexts, 1, __ATOMIC_RELEASE);
}

lbo_library *lbo_context_library(const lbo_context *context)
{
    return context->library;
}

lbo_device *lbo_context_device(const lbo_context *context)
{
    return context->device;
}

lb_status lbo_context_set_device(lbo_context *context, const char *name)
{
    lbo_device *device;
    const lb_status status = lbo_device_find(context->library, name, &device);

    if (status == LB_OK)
        context->device = device;
    return status;
}

void lbo_context_set_fallback(lbo_context *context, lbo_fallback policy)
{
    context->fallback = policy;
}

void lbo_seed(lbo_context *context, uint64_t seed)
{
    context->seed = seed;
    context->offset = 0;
}

size_t lbo_fallbacks(const lbo_context *context, lbo_fallback_count *out,
                     size_t capacity)
{
    const size_t count = context->fallback_count;

    if (capacity > 0 && count > 0)
        memcpy(out, context->fallbacks,
               (count < capacity ? count : capacity) * sizeof *out);
    return count;
}

void lbo_enter(lbo_context *context)
{
    lb_enter(context->reader);
}

void lbo_leave(lbo_context *context)
{
    lb_leave(context->reader);
}
