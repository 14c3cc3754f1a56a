/* cpu/normalize.h - what softmax, losses and layer_norm go over, row-major.
 *
 * Public functions only, so that plug-ins can compile it too.
 */
#ifndef LBO_CPU_NORMALIZE_H
#define LBO_CPU_NORMALIZE_H

#include "cpu/dense.h"

/* A dimension of `n` elements that lie `inner` apart, `outer` * `inner` times. */
typedef struct lines {
    int64_t outer, n, inner;
} lines;

static inline lines lines_of(const lbo_tensor *x, const lbo_dim_attributes *by)
{
    const int ndim = x->ndim;
    const int dim = (int)(by->dim < 0 ? by->dim + ndim : by->dim);
    lines l = {1, 1, 1};

    for (int i = 0; i < ndim; i++)
        *(i < dim ? &l.outer : i == dim ? &l.n : &l.inner) *= x->dims[i];
    if (x->size == 0)
        l.outer = 0;
    return l;
}

/* Rows of classes, and a target for each. */
typedef struct losses {
    int64_t rows, classes, reduction, ignore;
    int64_t counted; /* rows that are not to be ignored */
} losses;

/* Checks the targets. */
static inline lb_status losses_of(const lbo_call *call, const lbo_tensor *x,
                                  const int64_t *target, losses *l)
{
    const lbo_loss_attributes *const by = call->attributes;

    *l = (losses){.rows = x->dims[0],
                  .classes = x->dims[1],
                  .reduction = by->reduction,
                  .ignore = by->ignore};
    for (int64_t i = 0; i < l->rows; i++) {
        if (target[i] == l->ignore)
            continue;
        if (target[i] < 0 || target[i] >= l->classes)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "%s: target %lld (element %lld); there are %lld "
                            "classes, and %lld is ignored",
                            call->op->spec.name, (long long)target[i],
                            (long long)i, (long long)l->classes,
                            (long long)l->ignore);
        l->counted++;
    }
    return LB_OK;
}

/* Rows that are normalized; sums of the gradients by weight and bias. */
typedef struct norms {
    int64_t rows, size;
    double epsilon;
    double *by_weight, *by_bias;
} norms;

static inline norms norms_of(const lbo_call *call, const lbo_tensor *x)
{
    const lbo_layer_norm_attributes *const by = call->attributes;
    norms l = {.rows = 1, .size = 1, .epsilon = by->epsilon};

    for (int i = 0; i < x->ndim; i++)
        *(i < x->ndim - by->dims ? &l.rows : &l.size) *= x->dims[i];
    return l;
}

/* Runs a kernel on row-major operands. */
typedef lb_status (*lboi_dense_fn)(lbo_context *context, const lbo_call *call,
                                   const lboi_dense *at);
static inline lb_status lboi_dense_run(lbo_context *context,
                                       const lbo_call *call, lboi_dense_fn run)
{
    lboi_dense at;
    lb_status status = lboi_dense_begin(context, call, &at);

    if (status == LB_OK)
        status = run(context, call, &at);
    return lboi_dense_end(context, call, &at, status);
}

#endif
