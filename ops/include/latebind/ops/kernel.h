/* latebind/ops/kernel.h - for those who write kernels: going through strided
 * operands.
 *
 * A walk visits the elements of several operands of one (broadcast) shape:
 * dimensions of size 1 are dropped, neighbours that lie together are joined, so
 * that most walks are one inner run. Strides are in bytes here.
 *
 *     lbo_walk walk;
 *     lbo_walk_init(&walk, out->ndim, lbo_shape(out), 3, tensors);
 *     do
 *         for (int64_t i = 0; i < walk.count; i++) ...
 *             at walk.at[k] + i * walk.step[k] ...
 *     while (lbo_walk_next(&walk));
 */
#ifndef LATEBIND_OPS_KERNEL_H
#define LATEBIND_OPS_KERNEL_H

#include "latebind/ops/functions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LBO_MAX_OPERANDS 8

typedef struct lbo_walk {
    char *at[LBO_MAX_OPERANDS];     /* the run's first elements */
    int64_t step[LBO_MAX_OPERANDS]; /* bytes between two of a run */
    int64_t count;                  /* elements of a run; 0: nothing at all */
    uint32_t operands;
    uint32_t outer; /* dimensions outside the run */
    int64_t index[LBO_MAX_DIMS];
    int64_t size[LBO_MAX_DIMS]; /* innermost of the outer ones first */
    int64_t stride[LBO_MAX_DIMS][LBO_MAX_OPERANDS];
} lbo_walk;

/* Begins a walk over host tensors. Each tensor's shape is broadcast to `shape`
 * (checked before: as an operator's inputs are). Cannot fail; `count` at most
 * LBO_MAX_OPERANDS. */
LB_PUBLIC void lbo_walk_init(lbo_walk *walk, size_t ndim, const int64_t *shape,
                             size_t count, lbo_tensor *const *tensors);

/* Goes to the next run; false at the end. */
LB_PUBLIC bool lbo_walk_next(lbo_walk *walk);

/* The strides of `tensor` as if it had `shape` (in elements, 0 where it is
 * broadcast). */
LB_PUBLIC void lbo_broadcast_strides(const lbo_tensor *tensor, size_t ndim,
                                     const int64_t *shape, int64_t *strides);

/* Sets the thread's message as by printf and returns `status`. */
LB_PUBLIC lb_status lbo_fail(lb_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Memory through the library's hook, for the time of a kernel; NULL: none is
 * left, and the message is set. */
LB_PUBLIC void *lbo_scratch(lbo_context *context, size_t bytes);
LB_PUBLIC void lbo_scratch_free(lbo_context *context, void *memory,
                                size_t bytes);

/* The same for what lives longer than a call, e.g. a plug-in's own. */
LB_PUBLIC void *lbo_allocate(lbo_library *library, size_t bytes);
LB_PUBLIC void lbo_deallocate(lbo_library *library, void *memory, size_t bytes);

/* Tells the library's report hook, by printf: e.g. why a plug-in's device is
 * not there. */
LB_PUBLIC void lbo_report(lbo_library *library, lb_status status,
                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
