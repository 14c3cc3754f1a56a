/* forward.c - the forward of a module that does nothing, from C; loaded by
 * bench/python/operators.py, which has the peer. */
#include "latebind/ops.h"

#include "forward.h"

#include <time.h>

LB_METHOD(lbo_on_forward, nothing_forward);

static lb_status nothing_forward(lb_slot slot, lbo_module *module,
                                 lbo_context *context, lbo_tensor *input,
                                 lbo_tensor **output)
{
    LB_IGNORE(slot);
    (void)module;
    (void)context;
    *output = lbo_tensor_retain(input);
    return LB_OK;
}

static struct {
    lbo_context *context;
    lbo_module *module;
    lbo_tensor *x;
} w;

static lb_status open_world(void)
{
    lbo_library *library;
    lb_status status = lbo_library_create(NULL, &library);

    if (status == LB_OK)
        status = lbo_context_create(library, "cpu", &w.context);
    if (status != LB_OK)
        return status;
    lb_class *const cls =
        lb_class_make(lbo_runtime(library), "nothing", sizeof(lbo_module),
                      lbo_module_class(library, "module"), NULL);
    lb_class *const classes[LB_MAX_DISPATCH] = {cls};
    if (cls == NULL)
        return LB_NO_MEMORY;
    status =
        lb_add_classes(lb_generic_head(lbo_generic(library, "module.forward")),
                       LB_DESCRIPTOR(nothing_forward), classes);
    if (status == LB_OK)
        status = lbo_module_create(library, cls, NULL, &w.module);
    if (status == LB_OK)
        status = lbo_empty(w.context, LBO_F32, 1, (int64_t[]){16}, &w.x);
    return status;
}

double bench_forward(size_t calls)
{
    struct timespec a, b;

    if (w.x == NULL && open_world() != LB_OK)
        return 0.0 / 0.0;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (size_t i = 0; i < calls; i++) {
        lbo_tensor *out = NULL;
        if (lbo_forward(w.context, w.module, w.x, &out) != LB_OK)
            return 0.0 / 0.0;
        lbo_tensor_release(out);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    return ((double)(b.tv_sec - a.tv_sec) * 1e9 +
            (double)(b.tv_nsec - a.tv_nsec)) /
           (double)calls;
}
