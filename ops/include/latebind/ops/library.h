/* latebind/ops/library.h - a world of operators, and a thread's place in it.
 *
 * A library owns operators, devices and layers, over an engine's runtime. A
 * context belongs to one thread at a time and says what calls do beyond their
 * arguments: the default device, the layers that are active, what happens when
 * a kernel is missing, the random numbers. It is itself dispatched on: its
 * class stands for the layers.
 */
#ifndef LATEBIND_OPS_LIBRARY_H
#define LATEBIND_OPS_LIBRARY_H

#include "latebind/ops/tensor.h"
#include "latebind/plugin.h"
#include "latebind/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a plug-in of this library is built for. */
#define LBO_ABI 1

typedef struct lbo_operator lbo_operator;
typedef struct lbo_layer lbo_layer;

typedef struct lbo_library_config {
    uint32_t abi; /* LBO_ABI of the caller's headers */
    /* As lb_reallocate_fn of runtime.h, but called by several threads at a
     * time. NULL: libc. */
    lb_reallocate_fn reallocate;
    void *allocator_context;
    lb_report_fn report; /* warnings, ambiguities; NULL: to nobody */
    void *report_context;
} lbo_library_config;

/* Makes a library with all operators, the CPU device and its kernels. NULL:
 * defaults. Errors: LB_BAD_ABI, LB_NO_MEMORY. */
LB_PUBLIC lb_status lbo_library_create(const lbo_library_config *config,
                                       lbo_library **result);

/* Ends it (NULL is allowed). No context, tensor or call of it may be left;
 * plug-ins are closed. LB_BUSY: contexts or tensors are alive. */
LB_PUBLIC lb_status lbo_library_destroy(lbo_library *library);

/* The engine's runtime, owned by the library. Its context is no use of the
 * caller's. */
LB_PUBLIC lb_runtime *lbo_runtime(lbo_library *library);

/* The library that a runtime was made for, or NULL: what a plug-in's `load` is
 * handed is the runtime. */
LB_PUBLIC lbo_library *lbo_library_of(lb_runtime *runtime);

/* The generic function of an operator ("add"), or of the classes that the library
 * brings: "device.allocate", "device.free" and so on for each lbo_on_ of
 * device.h, "module.forward", "module.backward", "module.free",
 * "optimizer.step", "optimizer.free"; NULL if there is none. */
LB_PUBLIC lb_generic *lbo_generic(lbo_library *library, const char *name);

/* Loads a plug-in: devices, kernels, operators, layers (see plugin.h; `load`
 * finds the library by lbo_library_of). `path`: a file, or the name of one of
 * ours ("opencl", "cuda", "cpu-fast"), looked for in $LATEBIND_OPS_PLUGINS and
 * in the folder that this library was installed with. Errors: as
 * lb_plugin_open; LB_NOT_FOUND. A device that is not present on this machine
 * is no failure of opening its plug-in: LB_OK, and no device is added. */
LB_PUBLIC lb_status lbo_plugin_open(lbo_library *library, const char *path,
                                    lb_plugin **result);

/* Takes a plug-in away, with its devices, kernels, operators and layers. LB_BUSY
 * while a device has live tensors, autograd holds calls of an operator, a layer
 * is active. No call may
 * be in flight in any thread, unless it is between lbo_enter and lbo_leave. */
LB_PUBLIC lb_status lbo_plugin_close(lbo_library *library, lb_plugin *plugin);

/* Opens those of our plug-ins whose files are there: what `auto` chooses from.
 * Those that fail are reported, not an error. */
LB_PUBLIC lb_status lbo_open_all(lbo_library *library);

/* What happens when no kernel suits a device. */
typedef enum lbo_fallback {
    LBO_FALLBACK_WARN = 0, /* run on the CPU; reported once per operator */
    LBO_FALLBACK_ERROR = 1,
    LBO_FALLBACK_SILENT = 2 /* run on the CPU */
} lbo_fallback;

/* How often an operator ran on the CPU for a device that has no kernel. */
typedef struct lbo_fallback_count {
    const lbo_operator *op;
    uint64_t calls;
    uint64_t bytes; /* moved, both ways */
} lbo_fallback_count;

/* Makes a context.
 * device  the name of its default device; NULL: "cpu"; "auto": the best one
 * Errors: LB_NOT_FOUND, LB_NO_MEMORY. */
LB_PUBLIC lb_status lbo_context_create(lbo_library *library, const char *device,
                                       lbo_context **result);
LB_PUBLIC void lbo_context_destroy(lbo_context *context); /* NULL allowed */

/* Facts and settings of a context (not NULL). */
LB_PUBLIC lbo_library *lbo_context_library(const lbo_context *context);
LB_PUBLIC lbo_device *lbo_context_device(const lbo_context *context);
LB_PUBLIC lb_status lbo_context_set_device(lbo_context *context,
                                           const char *name);
LB_PUBLIC void lbo_context_set_fallback(lbo_context *context,
                                        lbo_fallback policy);

/* Random numbers are Philox 4x32-10 (Salmon et al., SC 2011): a key, and a
 * counter that each call moves on by as many as it took. */
LB_PUBLIC void lbo_seed(lbo_context *context, uint64_t seed);

/* Copies at most `capacity` counts to `out`, returns how many operators fell
 * back since the context was made. */
LB_PUBLIC size_t lbo_fallbacks(const lbo_context *context,
                               lbo_fallback_count *out, size_t capacity);

/* Brackets calls during which another thread may close plug-ins or destroy
 * layers: these wait. They nest, cost some nanoseconds, never fail. */
LB_PUBLIC void lbo_enter(lbo_context *context);
LB_PUBLIC void lbo_leave(lbo_context *context);

#ifdef __cplusplus
}
#endif
#endif
