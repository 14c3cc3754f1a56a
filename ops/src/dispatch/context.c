/* context.c - a thread's place in a library. */
#include "library.h"

#include <string.h>

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
