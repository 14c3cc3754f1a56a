/* cpu/dense.h - for kernels that want row-major operands: strided ones are
 * copied before, strided results are written from a copy after.
 *
 *     lboi_dense at;
 *     lb_status status = lboi_dense_begin(context, call, &at);
 *     if (status == LB_OK)
 *         ... reads at.in[i]->data, writes at.out[i]->data ...
 *     return lboi_dense_end(context, call, &at, status);
 *
 * Public functions only, so that plug-ins can compile it too.
 */
#ifndef LBO_CPU_DENSE_H
#define LBO_CPU_DENSE_H

#include "latebind/ops/kernel.h"

enum { LBOI_DENSE_IN = 8 };

typedef struct lboi_dense {
    lbo_tensor *in[LBOI_DENSE_IN]; /* the call's, or row-major copies */
    lbo_tensor *out[LBO_MAX_OUT];
} lboi_dense;

/* Of a call with at most LBOI_DENSE_IN inputs. */
lb_status lboi_dense_begin(lbo_context *context, const lbo_call *call,
                           lboi_dense *dense);
/* Also after a failure; `status` is the kernel's. */
lb_status lboi_dense_end(lbo_context *context, const lbo_call *call,
                         lboi_dense *dense, lb_status status);

/* A row-major tensor like `tensor`, its elements not set. */
lb_status lboi_dense_like(lbo_context *context, const lbo_tensor *tensor,
                          lbo_tensor **result);

#endif
