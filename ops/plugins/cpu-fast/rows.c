/* rows.c - softmax, cross_entropy and layer_norm, row by row.
 *
 * Along a dimension that is not the innermost the next method, the portable one,
 * is called.
 */
#include "cpu/normalize.h"
#include "cpu_fast.h"

#include <string.h>

static const char *row(const lbo_tensor *tensor, int64_t index, int64_t n)
{
    return (const char *)tensor->data +
           index * n * (int64_t)lbo_dtype_size((lbo_dtype)tensor->dtype);
}

static char *row_to(lbo_tensor *tensor, int64_t index, int64_t n)
{
    return (char *)(uintptr_t)row(tensor, index, n);
}

static double scalar(const lbo_tensor *tensor, int64_t index)
{
    return tensor->dtype == LBO_F32
               ? (double)((const float *)tensor->data)[index]
               : ((const double *)tensor->data)[index];
}

static void set_scalar(lbo_tensor *tensor, int64_t index, double value)
{
    if (tensor->dtype == LBO_F32)
        ((float *)tensor->data)[index] = (float)value;
    else
        ((double *)tensor->data)[index] = value;
}

/* ---- softmax ------------------------------------------------------------------- */

static lb_status softmax_rows(const lbo_call *call, const lboi_dense *at,
                              bool logarithm)
{
    const lines l = lines_of(at->in[0], call->attributes);
    const fast_loops *const loops = fast_loops_of(at->in[0]->dtype);

    for (int64_t i = 0; i < l.outer; i++)
        loops->softmax(l.n, row(at->in[0], i, l.n), row_to(at->out[0], i, l.n),
                       logarithm);
    return LB_OK;
}

static lb_status softmax_rows_backward(const lbo_call *call,
                                       const lboi_dense *at, bool logarithm)
{
    const lines l = lines_of(at->in[0], call->attributes);
    const fast_loops *const loops = fast_loops_of(at->in[0]->dtype);

    for (int64_t i = 0; i < l.outer; i++)
        loops->softmax_backward(l.n, row(at->in[0], i, l.n),
                                row(at->in[1], i, l.n),
                                row_to(at->out[0], i, l.n), logarithm);
    return LB_OK;
}

static lb_status run_softmax(lbo_context *context, const lbo_call *call,
                             const lboi_dense *at)
{
    (void)context;
    return softmax_rows(call, at, false);
}

static lb_status run_log_softmax(lbo_context *context, const lbo_call *call,
                                 const lboi_dense *at)
{
    (void)context;
    return softmax_rows(call, at, true);
}

static lb_status run_softmax_backward(lbo_context *context,
                                      const lbo_call *call,
                                      const lboi_dense *at)
{
    (void)context;
    return softmax_rows_backward(call, at, false);
}

static lb_status run_log_softmax_backward(lbo_context *context,
                                          const lbo_call *call,
                                          const lboi_dense *at)
{
    (void)context;
    return softmax_rows_backward(call, at, true);
}

static bool is_innermost(const lbo_tensor *x, const lbo_call *call)
{
    return lines_of(x, call->attributes).inner == 1;
}

/* ---- cross_entropy ---------------------------------------------------------------- */

/* The loss of each row, or all together, from logarithms of probabilities. */
static void pick_losses(const losses *l, const int64_t *target,
                        const lbo_tensor *logarithms, lbo_tensor *loss)
{
    double sum = 0;

    for (int64_t i = 0; i < l->rows; i++) {
        const double value =
            target[i] == l->ignore
                ? 0
                : -scalar(logarithms, i * l->classes + target[i]);
        if (l->reduction == LBO_REDUCE_NONE)
            set_scalar(loss, i, value);
        sum += value;
    }
    if (l->reduction == LBO_REDUCE_MEAN)
        set_scalar(loss, 0, sum / (double)l->counted);
    else if (l->reduction == LBO_REDUCE_SUM)
        set_scalar(loss, 0, sum);
}

static lb_status run_cross_entropy(lbo_context *context, const lbo_call *call,
                                   const lboi_dense *at)
{
    lbo_tensor *const x = at->in[0], *const logarithms = at->out[1];
    const fast_loops *const loops = fast_loops_of(x->dtype);
    losses l;
    const lb_status status = losses_of(call, x, at->in[1]->data, &l);

    (void)context;
    if (status != LB_OK)
        return status;
    for (int64_t i = 0; i < l.rows && l.classes > 0; i++)
        loops->softmax(l.classes, row(x, i, l.classes),
                       row_to(logarithms, i, l.classes), true);
    pick_losses(&l, at->in[1]->data, logarithms, at->out[0]);
    return LB_OK;
}

static lb_status run_cross_entropy_backward(lbo_context *context,
                                            const lbo_call *call,
                                            const lboi_dense *at)
{
    lbo_tensor *const y = at->in[1], *const out = at->out[0];
    const fast_loops *const loops = fast_loops_of(y->dtype);
    const int64_t *const target = at->in[2]->data;
    losses l;
    const lb_status status = losses_of(call, y, target, &l);

    (void)context;
    if (status != LB_OK)
        return status;
    for (int64_t i = 0; i < l.rows; i++) {
        char *const to = row_to(out, i, l.classes);
        const int64_t own = i * l.classes + target[i];
        double g = scalar(at->in[0], l.reduction == LBO_REDUCE_NONE ? i : 0);
        if (l.reduction == LBO_REDUCE_MEAN)
            g /= (double)l.counted;
        if (target[i] == l.ignore) {
            memset(to, 0,
                   lbo_dtype_size((lbo_dtype)y->dtype) * (size_t)l.classes);
            continue;
        }
        loops->exp_times(l.classes, row(y, i, l.classes), g, to);
        set_scalar(out, own, scalar(out, own) - g);
    }
    return LB_OK;
}

/* ---- layer_norm ------------------------------------------------------------------- */

static lb_status run_layer_norm(lbo_context *context, const lbo_call *call,
                                const lboi_dense *at)
{
    const norms l = norms_of(call, at->in[0]);
    const fast_norm norm = {.size = l.size,
                            .weight = at->in[1] ? at->in[1]->data : NULL,
                            .bias = at->in[2] ? at->in[2]->data : NULL,
                            .epsilon = l.epsilon};
    const fast_loops *const loops = fast_loops_of(at->in[0]->dtype);

    (void)context;
    for (int64_t i = 0; i < l.rows; i++)
        loops->norm(&norm, row(at->in[0], i, l.size),
                    row_to(at->out[0], i, l.size), row_to(at->out[1], i, 1),
                    row_to(at->out[2], i, 1));
    return LB_OK;
}

static lb_status run_layer_norm_backward(lbo_context *context,
                                         const lbo_call *call,
                                         const lboi_dense *at)
{
    const norms l = norms_of(call, at->in[1]);
    const fast_norm norm = {.size = l.size,
                            .weight = at->in[4] ? at->in[4]->data : NULL};
    const fast_loops *const loops = fast_loops_of(at->in[0]->dtype);

    (void)context;
    memset(at->out[1]->data, 0, lbo_tensor_bytes(at->out[1]));
    memset(at->out[2]->data, 0, lbo_tensor_bytes(at->out[2]));
    for (int64_t i = 0; i < l.rows; i++)
        loops->norm_backward(
            &norm, row(at->in[0], i, l.size), row(at->in[1], i, l.size),
            scalar(at->in[2], i), scalar(at->in[3], i),
            row_to(at->out[0], i, l.size), at->out[1]->data, at->out[2]->data);
    return LB_OK;
}

/* ---- methods ----------------------------------------------------------------------- */

/* A method is a function of its own: the types force the macros. `suits` says
 * whether it is for this call; else the next one is. */
#define UNARY_METHOD(name, suits)                                              \
    LB_METHOD(lbo_unary, name##_sleef);                                        \
    static lb_status name##_sleef(lb_slot slot, lbo_context *context,          \
                                  lbo_tensor *a, lbo_call *call)               \
    {                                                                          \
        LB_SELF(lbo_unary, name##_sleef, slot, context, a, call);              \
        if (!(suits))                                                          \
            return lb_next_lbo_unary(self, context, a, call);                  \
        return lboi_dense_run(context, call, run_##name);                      \
    }

#define BINARY_METHOD(name, suits)                                             \
    LB_METHOD(lbo_binary, name##_sleef);                                       \
    static lb_status name##_sleef(lb_slot slot, lbo_context *context,          \
                                  lbo_tensor *a, lbo_tensor *b,                \
                                  lbo_call *call)                              \
    {                                                                          \
        LB_SELF(lbo_binary, name##_sleef, slot, context, a, b, call);          \
        if (!(suits))                                                          \
            return lb_next_lbo_binary(self, context, a, b, call);              \
        return lboi_dense_run(context, call, run_##name);                      \
    }

UNARY_METHOD(softmax, is_innermost(a, call))
UNARY_METHOD(log_softmax, is_innermost(a, call))
UNARY_METHOD(cross_entropy, true)
UNARY_METHOD(layer_norm, true)
BINARY_METHOD(softmax_backward, is_innermost(a, call))
BINARY_METHOD(log_softmax_backward, is_innermost(a, call))
BINARY_METHOD(cross_entropy_backward, true)
BINARY_METHOD(layer_norm_backward, true)

#define KERNEL(op, type)                                                       \
    {                                                                          \
#op, LB_DESCRIPTOR(op##_sleef), type, type, NULL                       \
    }
#define BOTH(op) KERNEL(op, LBO_F32), KERNEL(op, LBO_F64)

static const lbo_kernel kernels[] = {
    BOTH(softmax),          BOTH(log_softmax),
    BOTH(softmax_backward), BOTH(log_softmax_backward),
    BOTH(cross_entropy),    BOTH(cross_entropy_backward),
    BOTH(layer_norm),       BOTH(layer_norm_backward),
};

const fast_table fast_rows = {kernels, sizeof kernels / sizeof *kernels};
