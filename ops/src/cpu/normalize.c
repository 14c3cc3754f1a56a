/* normalize.c - softmax, losses and layer_norm, stable: the greatest is
 * subtracted before exp, variances are taken about the mean in a second pass.
 */
#include "cpu/normalize.h"
#include "cpu/tables.h"

#include <math.h>
#include <string.h>

#define TYPE float
#define NAME(name) name##_f32
#define EXP expf
#include "cpu/normalize_type.h"

#define TYPE double
#define NAME(name) name##_f64
#define EXP exp
#include "cpu/normalize_type.h"

static bool is_f32(const lbo_tensor *tensor)
{
    return tensor->dtype == LBO_F32;
}

static void forward_lines(const lbo_call *call, const lboi_dense *at,
                          bool logarithm)
{
    const lines l = lines_of(at->in[0], call->attributes);

    if (is_f32(at->in[0]))
        softmax_lines_f32(&l, at->in[0]->data, at->out[0]->data, logarithm);
    else
        softmax_lines_f64(&l, at->in[0]->data, at->out[0]->data, logarithm);
}

static void backward_lines(const lbo_call *call, const lboi_dense *at,
                           bool logarithm)
{
    const lines l = lines_of(at->in[0], call->attributes);

    if (is_f32(at->in[0]))
        softmax_lines_backward_f32(&l, at->in[0]->data, at->in[1]->data,
                                   at->out[0]->data, logarithm);
    else
        softmax_lines_backward_f64(&l, at->in[0]->data, at->in[1]->data,
                                   at->out[0]->data, logarithm);
}

static lb_status run_softmax(lbo_context *context, const lbo_call *call,
                             const lboi_dense *at)
{
    (void)context;
    forward_lines(call, at, false);
    return LB_OK;
}

static lb_status run_log_softmax(lbo_context *context, const lbo_call *call,
                                 const lboi_dense *at)
{
    (void)context;
    forward_lines(call, at, true);
    return LB_OK;
}

static lb_status run_softmax_backward(lbo_context *context,
                                      const lbo_call *call,
                                      const lboi_dense *at)
{
    (void)context;
    backward_lines(call, at, false);
    return LB_OK;
}

static lb_status run_log_softmax_backward(lbo_context *context,
                                          const lbo_call *call,
                                          const lboi_dense *at)
{
    (void)context;
    backward_lines(call, at, true);
    return LB_OK;
}

static lb_status run_cross_entropy(lbo_context *context, const lbo_call *call,
                                   const lboi_dense *at)
{
    const lbo_tensor *const x = at->in[0];
    const lines l = {x->size > 0 ? x->dims[0] : 0, x->dims[1], 1};
    losses loss;
    const lb_status status = losses_of(call, x, at->in[1]->data, &loss);

    (void)context;
    if (status != LB_OK)
        return status;
    if (is_f32(x)) {
        softmax_lines_f32(&l, x->data, at->out[1]->data, true);
        pick_losses_f32(&loss, at->in[1]->data, at->out[1]->data,
                        at->out[0]->data);
    } else {
        softmax_lines_f64(&l, x->data, at->out[1]->data, true);
        pick_losses_f64(&loss, at->in[1]->data, at->out[1]->data,
                        at->out[0]->data);
    }
    return LB_OK;
}

static lb_status run_cross_entropy_backward(lbo_context *context,
                                            const lbo_call *call,
                                            const lboi_dense *at)
{
    const lbo_tensor *const y = at->in[1];
    losses loss;
    const lb_status status = losses_of(call, y, at->in[2]->data, &loss);

    (void)context;
    if (status != LB_OK)
        return status;
    if (is_f32(y))
        loss_rows_backward_f32(&loss, at->in[0]->data, y->data, at->in[2]->data,
                               at->out[0]->data);
    else
        loss_rows_backward_f64(&loss, at->in[0]->data, y->data, at->in[2]->data,
                               at->out[0]->data);
    return LB_OK;
}

static lb_status run_mse(lbo_context *context, const lbo_call *call,
                         const lboi_dense *at)
{
    const lbo_loss_attributes *const by = call->attributes;
    const lbo_tensor *const a = at->in[0];

    (void)context;
    if (is_f32(a))
        squares_f32(a->size, a->data, at->in[1]->data, at->out[0]->data,
                    by->reduction);
    else
        squares_f64(a->size, a->data, at->in[1]->data, at->out[0]->data,
                    by->reduction);
    return LB_OK;
}

static lb_status run_layer_norm(lbo_context *context, const lbo_call *call,
                                const lboi_dense *at)
{
    const norms l = norms_of(call, at->in[0]);

    (void)context;
    if (is_f32(at->in[0]))
        norm_rows_f32(&l, at);
    else
        norm_rows_f64(&l, at);
    return LB_OK;
}

static lb_status run_layer_norm_backward(lbo_context *context,
                                         const lbo_call *call,
                                         const lboi_dense *at)
{
    norms l = norms_of(call, at->in[1]);
    const size_t bytes = 2 * (size_t)l.size * sizeof(double);

    l.by_weight = lbo_scratch(context, bytes);
    if (l.by_weight == NULL)
        return LB_NO_MEMORY;
    l.by_bias = l.by_weight + l.size;
    memset(l.by_weight, 0, bytes);
    if (is_f32(at->in[0]))
        norm_rows_backward_f32(&l, at);
    else
        norm_rows_backward_f64(&l, at);
    lbo_scratch_free(context, l.by_weight, bytes);
    return LB_OK;
}

/* ---- methods ------------------------------------------------------------------------ */

/* Types force this: a method is a function of its own, with its own name. */
#define UNARY_METHOD(name)                                                     \
    LB_METHOD(lbo_unary, name);                                                \
    static lb_status name(lb_slot slot, lbo_context *context, lbo_tensor *a,   \
                          lbo_call *call)                                      \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        (void)a;                                                               \
        return lboi_dense_run(context, call, run_##name);                      \
    }

#define BINARY_METHOD(name)                                                    \
    LB_METHOD(lbo_binary, name);                                               \
    static lb_status name(lb_slot slot, lbo_context *context, lbo_tensor *a,   \
                          lbo_tensor *b, lbo_call *call)                       \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        (void)a;                                                               \
        (void)b;                                                               \
        return lboi_dense_run(context, call, run_##name);                      \
    }

UNARY_METHOD(softmax)
UNARY_METHOD(log_softmax)
UNARY_METHOD(cross_entropy)
UNARY_METHOD(layer_norm)
BINARY_METHOD(softmax_backward)
BINARY_METHOD(log_softmax_backward)
BINARY_METHOD(cross_entropy_backward)
BINARY_METHOD(mse)
BINARY_METHOD(layer_norm_backward)

#define KERNEL(op, type)                                                       \
    {                                                                          \
#op, LB_DESCRIPTOR(op), type, type, NULL                               \
    }
#define BOTH(op) KERNEL(op, LBO_F32), KERNEL(op, LBO_F64)

static const lbo_kernel kernels[] = {
    BOTH(softmax),
    BOTH(log_softmax),
    BOTH(softmax_backward),
    BOTH(log_softmax_backward),
    BOTH(cross_entropy),
    BOTH(cross_entropy_backward),
    BOTH(mse),
    BOTH(layer_norm),
    BOTH(layer_norm_backward),
};

const lboi_table lboi_cpu_normalize = {kernels,
                                       sizeof kernels / sizeof *kernels};
