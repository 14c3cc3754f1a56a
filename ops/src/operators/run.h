/* operators/run.h - for the files of the families: running a builtin operator,
 * and the rules for shapes and types that several of them share. */
#ifndef LBO_OPERATORS_RUN_H
#define LBO_OPERATORS_RUN_H

#include "dispatch/promote.h"
#include "dispatch/words.h"
#include "latebind/ops/kernel.h"
#include "library.h"
#include "operators/gradients.h"

/* Runs a builtin with `in_count` inputs (from `in`) and one result. */
lb_status lboi_run(lbo_context *context, lboi_builtin_index index,
                   lbo_tensor **out, lbo_tensor *const *in, size_t in_count,
                   const void *attributes);
/* The same with all results, `out_count` of them. */
lb_status lboi_run_many(lbo_context *context, lboi_builtin_index index,
                        lbo_tensor **out, size_t out_count,
                        lbo_tensor *const *in, size_t in_count,
                        const void *attributes);
/* Only the first result is the caller's; the others are released. */
lb_status lboi_run_first(lbo_context *context, lboi_builtin_index index,
                         lbo_tensor **out, size_t out_count,
                         lbo_tensor *const *in, size_t in_count,
                         const void *attributes);

/* Sets shape and type of a spec. */
void lboi_spec_set(lbo_spec *spec, int dtype, size_t ndim,
                   const int64_t *shape);
/* Like a tensor. */
void lboi_spec_like(lbo_spec *spec, const lbo_tensor *tensor);

/* Broadcasts `shape` of `spec` with that of `tensor` (the array API's rules).
 * LB_BAD_ARGUMENT names both shapes. */
lb_status lboi_broadcast(lbo_spec *spec, const lbo_tensor *tensor);

/* -ndim <= dim < ndim, made positive. For 0-d tensors -1 and 0 are allowed. */
lb_status lboi_dim(int64_t dim, size_t ndim, int64_t *result);

/* lbo_infer_fn: all inputs promoted and broadcast together; that of one input:
 * like it, floating types where the operator says so. */
lb_status lboi_infer_elementwise(const lbo_call *call, lbo_spec *out);
/* lbo_infer_fn: the result is like the first input. */
lb_status lboi_infer_like_first(const lbo_call *call, lbo_spec *out);

/* LB_BAD_ARGUMENT unless the tensor is of a floating type. */
lb_status lboi_want_floating(const lbo_tensor *tensor, const char *name);
/* LB_BAD_ARGUMENT unless it is i64 or i32. */
lb_status lboi_want_indices(const lbo_tensor *tensor, const char *name);

#endif
