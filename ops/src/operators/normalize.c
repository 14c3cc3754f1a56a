/* normalize.c - softmax, losses and normalization: their shapes and types.
 *
 * Weights, targets and statistics are not promoted: they must be of the type
 * that the operator wants, so that a kernel sees one type only.
 */
#include "operators/window.h"

/* ---- softmax -------------------------------------------------------------------- */

static const lbo_attribute dim_attributes[] = {
    {"dim", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_dim_attributes, dim)},
};

static lb_status infer_softmax(const lbo_call *call, lbo_spec *out)
{
    const lbo_dim_attributes *const by = call->attributes;
    int64_t dim;
    const lb_status status = lboi_want_floating(call->in[0], "x");

    lboi_spec_like(out, call->in[0]);
    return status == LB_OK ? lboi_dim(by->dim, call->in[0]->ndim, &dim)
                           : status;
}

static lb_status infer_softmax_backward(const lbo_call *call, lbo_spec *out)
{
    const lbo_dim_attributes *const by = call->attributes;
    const lbo_tensor *const g = call->in[0], *const y = call->in[1];
    int64_t dim;
    lb_status status = lboi_want_floating(g, "g");

    if (status == LB_OK)
        status = lboi_want_floating(y, "y");
    if (status == LB_OK)
        status = lboi_want_shape(g, "g", y->ndim, y->dims, "y");
    lboi_spec_like(out, y);
    out->dtype = (int32_t)lboi_common_dtype(call);
    return status == LB_OK ? lboi_dim(by->dim, y->ndim, &dim) : status;
}

const lbo_operator_spec lboi_spec_softmax = {
    .name = "softmax",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .saves = LBO_SAVE_OUT(0),
    .attribute_size = sizeof(lbo_dim_attributes),
    .attributes = dim_attributes,
    .attribute_count = 1,
    .infer = infer_softmax,
    .gradient = lboi_gradient_softmax,
    .in_names = "x",
    .summary = "exp(x) / its sum along a dimension",
};

const lbo_operator_spec lboi_spec_log_softmax = {
    .name = "log_softmax",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .saves = LBO_SAVE_OUT(0),
    .attribute_size = sizeof(lbo_dim_attributes),
    .attributes = dim_attributes,
    .attribute_count = 1,
    .infer = infer_softmax,
    .gradient = lboi_gradient_log_softmax,
    .in_names = "x",
    .summary = "the logarithm of softmax",
};

const lbo_operator_spec lboi_spec_softmax_backward = {
    .name = "softmax_backward",
    .dispatched = 2,
    .in_count = 2,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .attribute_size = sizeof(lbo_dim_attributes),
    .attributes = dim_attributes,
    .attribute_count = 1,
    .infer = infer_softmax_backward,
    .in_names = "g y",
    .summary = "gradient of softmax by its input: y (g - sum(g y))",
};

const lbo_operator_spec lboi_spec_log_softmax_backward = {
    .name = "log_softmax_backward",
    .dispatched = 2,
    .in_count = 2,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .attribute_size = sizeof(lbo_dim_attributes),
    .attributes = dim_attributes,
    .attribute_count = 1,
    .infer = infer_softmax_backward,
    .in_names = "g y",
    .summary = "gradient of log_softmax by its input: g - exp(y) sum(g)",
};

lb_status lbo_softmax(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                      int64_t dim)
{
    return lboi_run(context, LBOI_OP_softmax, out, (lbo_tensor *[]){x}, 1,
                    &(lbo_dim_attributes){dim});
}

lb_status lbo_log_softmax(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                          int64_t dim)
{
    return lboi_run(context, LBOI_OP_log_softmax, out, (lbo_tensor *[]){x}, 1,
                    &(lbo_dim_attributes){dim});
}

lb_status lbo_softmax_backward(lbo_context *context, lbo_tensor **out,
                               lbo_tensor *g, lbo_tensor *y, int64_t dim)
{
    return lboi_run(context, LBOI_OP_softmax_backward, out,
                    (lbo_tensor *[]){g, y}, 2, &(lbo_dim_attributes){dim});
}

lb_status lbo_log_softmax_backward(lbo_context *context, lbo_tensor **out,
                                   lbo_tensor *g, lbo_tensor *y, int64_t dim)
{
    return lboi_run(context, LBOI_OP_log_softmax_backward, out,
                    (lbo_tensor *[]){g, y}, 2, &(lbo_dim_attributes){dim});
}

/* ---- losses ------------------------------------------------------------------------ */

#define LOSS(member) offsetof(lbo_loss_attributes, member)
static const lbo_attribute loss_attributes[] = {
    {"reduction", LBO_ATTRIBUTE_INTEGER, LOSS(reduction)},
    {"ignore", LBO_ATTRIBUTE_INTEGER, LOSS(ignore)},
};

static lb_status check_reduction(const lbo_loss_attributes *by)
{
    if (by->reduction >= LBO_REDUCE_NONE && by->reduction <= LBO_REDUCE_SUM)
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT,
                    "reduction %lld; there are 0 (none), 1 (mean), 2 (sum)",
                    (long long)by->reduction);
}

/* Logits (or what has their shape) and targets. */
static lb_status check_classes(const lbo_tensor *logits, const char *name,
                               const lbo_tensor *target,
                               const lbo_loss_attributes *by)
{
    lb_status status = lboi_want_floating(logits, name);

    if (status == LB_OK)
        status = lboi_want_form(logits, name, 2, "[n, classes]");
    if (status == LB_OK)
        status = lboi_want_type(target, "target", LBO_I64, "indices are");
    if (status == LB_OK)
        status = lboi_want_shape(target, "target", 1, logits->dims,
                                 "the rows of the logits");
    return status == LB_OK ? check_reduction(by) : status;
}

static lb_status infer_cross_entropy(const lbo_call *call, lbo_spec *out)
{
    const lbo_loss_attributes *const by = call->attributes;
    const lbo_tensor *const logits = call->in[0];

    const lb_status status = check_classes(logits, "logits", call->in[1], by);

    if (status != LB_OK)
        return status;
    lboi_spec_set(&out[0], logits->dtype, by->reduction == LBO_REDUCE_NONE,
                  logits->dims);
    lboi_spec_like(&out[1], logits);
    return LB_OK;
}

static lb_status infer_cross_entropy_backward(const lbo_call *call,
                                              lbo_spec *out)
{
    const lbo_loss_attributes *const by = call->attributes;
    const lbo_tensor *const g = call->in[0], *const y = call->in[1];
    lb_status status = lboi_want_floating(g, "g");

    if (status == LB_OK)
        status = check_classes(y, "log_probabilities", call->in[2], by);
    if (status == LB_OK)
        status = lboi_want_shape(g, "g", by->reduction == LBO_REDUCE_NONE,
                                 y->dims, "the loss");
    lboi_spec_like(out, y);
    out->dtype = (int32_t)lboi_common_dtype(call);
    return status;
}

static lb_status infer_mse(const lbo_call *call, lbo_spec *out)
{
    const lbo_loss_attributes *const by = call->attributes;
    const lbo_tensor *const a = call->in[0], *const b = call->in[1];
    lb_status status = check_reduction(by);

    lboi_spec_set(out, (int)lboi_common_dtype(call),
                  by->reduction == LBO_REDUCE_NONE ? a->ndim : 0, a->dims);
    if (status == LB_OK)
        status = lboi_want_shape(b, "b", a->ndim, a->dims, "a");
    return status;
}

const lbo_operator_spec lboi_spec_cross_entropy = {
    .name = "cross_entropy",
    .dispatched = 1,
    .in_count = 2,
    .out_count = 2,
    .saves = LBO_SAVE_IN(1) | LBO_SAVE_OUT(1),
    .attribute_size = sizeof(lbo_loss_attributes),
    .attributes = loss_attributes,
    .attribute_count = 2,
    .infer = infer_cross_entropy,
    .gradient = lboi_gradient_cross_entropy,
    .in_names = "logits target",
    .summary = "minus the log probability of the targets; all of them",
};

const lbo_operator_spec lboi_spec_cross_entropy_backward = {
    .name = "cross_entropy_backward",
    .dispatched = 2,
    .in_count = 3,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .promoted = 3,
    .attribute_size = sizeof(lbo_loss_attributes),
    .attributes = loss_attributes,
    .attribute_count = 2,
    .infer = infer_cross_entropy_backward,
    .in_names = "g log_probabilities target",
    .summary = "gradient of cross_entropy by the logits",
};

const lbo_operator_spec lboi_spec_mse = {
    .name = "mse",
    .dispatched = 2,
    .in_count = 2,
    .out_count = 1,
    .flags = LBO_PROMOTES | LBO_TO_FLOAT,
    .saves = LBO_SAVE_IN(0) | LBO_SAVE_IN(1),
    .attribute_size = sizeof(lbo_loss_attributes),
    .attributes = loss_attributes,
    .attribute_count = 2,
    .infer = infer_mse,
    .gradient = lboi_gradient_mse,
    .in_names = "a b",
    .summary = "the squared difference",
};

lb_status lbo_cross_entropy(lbo_context *context, lbo_tensor **out,
                            lbo_tensor *logits, lbo_tensor *target,
                            lbo_reduction reduction, int64_t ignore)
{
    return lboi_run_first(context, LBOI_OP_cross_entropy, out, 2,
                          (lbo_tensor *[]){logits, target}, 2,
                          &(lbo_loss_attributes){reduction, ignore});
}

lb_status lbo_cross_entropy_backward(lbo_context *context, lbo_tensor **out,
                                     lbo_tensor *g,
                                     lbo_tensor *log_probabilities,
                                     lbo_tensor *target,
                                     lbo_reduction reduction, int64_t ignore)
{
    return lboi_run(context, LBOI_OP_cross_entropy_backward, out,
                    (lbo_tensor *[]){g, log_probabilities, target}, 3,
                    &(lbo_loss_attributes){reduction, ignore});
}

lb_status lbo_mse(lbo_context *context, lbo_tensor **out, lbo_tensor *a,
                  lbo_tensor *b, lbo_reduction reduction)
{
    return lboi_run(context, LBOI_OP_mse, out, (lbo_tensor *[]){a, b}, 2,
                    &(lbo_loss_attributes){reduction, 0});
}

/* ---- layer_norm ---------------------------------------------------------------------- */

#define NORM(member) offsetof(lbo_layer_norm_attributes, member)
static const lbo_attribute layer_norm_attributes[] = {
    {"dims", LBO_ATTRIBUTE_INTEGER, NORM(dims)},
    {"epsilon", LBO_ATTRIBUTE_REAL, NORM(epsilon)},
};

static int statistics_type(int dtype)
{
    return dtype == LBO_F64 ? LBO_F64 : LBO_F32;
}

static lb_status check_norm_dims(const lbo_tensor *x, int64_t dims)
{
    if (dims >= 1 && dims <= x->ndim)
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT,
                    "dims is %lld; of a tensor of %d the last 1 to %d can be "
                    "normalized",
                    (long long)dims, x->ndim, x->ndim);
}

/* weight or bias, of the normalized shape; may be NULL. */
static lb_status check_scale(const lbo_tensor *scale, const char *name,
                             int dtype, const lbo_tensor *x, int64_t dims)
{
    if (scale == NULL)
        return LB_OK;
    const lb_status status = lboi_want_type(scale, name, dtype, "x");
    return status == LB_OK ? lboi_want_shape(scale, name, (size_t)dims,
                                             x->dims + (x->ndim - dims),
                                             "the last dimensions of x")
                           : status;
}

static lb_status infer_layer_norm(const lbo_call *call, lbo_spec *out)
{
    const lbo_layer_norm_attributes *const by = call->attributes;
    const lbo_tensor *const x = call->in[0];
    lb_status status = lboi_want_floating(x, "x");

    if (status == LB_OK)
        status = check_norm_dims(x, by->dims);
    if (status != LB_OK)
        return status;
    lboi_spec_like(&out[0], x);
    for (int i = 1; i < 3; i++)
        lboi_spec_set(&out[i], statistics_type(x->dtype),
                      x->ndim - (size_t)by->dims, x->dims);
    status = check_scale(call->in[1], "weight", x->dtype, x, by->dims);
    if (status == LB_OK)
        status = check_scale(call->in[2], "bias", x->dtype, x, by->dims);
    return status;
}

/* g, x, mean, rstd, weight: all but x against x. */
static lb_status check_norm_backward(const lbo_call *call, int dtype,
                                     int64_t dims)
{
    static const char *const names[] = {"g", "x", "mean", "rstd", "weight"};
    const lbo_tensor *const x = call->in[1];
    lb_status status = lboi_want_floating(call->in[0], "g");

    if (status == LB_OK)
        status = lboi_want_shape(call->in[0], "g", x->ndim, x->dims, "x");
    for (int i = 2; i < 4 && status == LB_OK; i++) {
        status = lboi_want_type(call->in[i], names[i], statistics_type(dtype),
                                "layer_norm gives");
        if (status == LB_OK)
            status =
                lboi_want_shape(call->in[i], names[i], x->ndim - (size_t)dims,
                                x->dims, "the first dimensions of x");
    }
    if (status == LB_OK)
        status = check_scale(call->in[4], "weight", dtype, x, dims);
    return status;
}

static lb_status infer_layer_norm_backward(const lbo_call *call, lbo_spec *out)
{
    const lbo_layer_norm_attributes *const by = call->attributes;
    const lbo_tensor *const x = call->in[1];
    const int dtype = (int)lboi_common_dtype(call);
    lb_status status = lboi_want_floating(x, "x");

    if (status == LB_OK)
        status = check_norm_dims(x, by->dims);
    if (status != LB_OK)
        return status;
    lboi_spec_set(&out[0], dtype, x->ndim, x->dims);
    for (int i = 1; i < 3; i++)
        lboi_spec_set(&out[i], dtype, (size_t)by->dims,
                      x->dims + (x->ndim - by->dims));
    return check_norm_backward(call, dtype, by->dims);
}

const lbo_operator_spec lboi_spec_layer_norm = {
    .name = "layer_norm",
    .dispatched = 1,
    .in_count = 3,
    .optional = 2,
    .out_count = 3,
    .saves =
        LBO_SAVE_IN(0) | LBO_SAVE_IN(1) | LBO_SAVE_OUT(1) | LBO_SAVE_OUT(2),
    .attribute_size = sizeof(lbo_layer_norm_attributes),
    .attributes = layer_norm_attributes,
    .attribute_count = 2,
    .infer = infer_layer_norm,
    .gradient = lboi_gradient_layer_norm,
    .in_names = "x weight bias",
    .summary = "the last dimensions with mean 0 and variance 1, scaled; both",
};

const lbo_operator_spec lboi_spec_layer_norm_backward = {
    .name = "layer_norm_backward",
    .dispatched = 2,
    .in_count = 5,
    .optional = 1,
    .out_count = 3,
    .flags = LBO_PROMOTES,
    .promoted = 3,
    .attribute_size = sizeof(lbo_layer_norm_attributes),
    .attributes = layer_norm_attributes,
    .attribute_count = 2,
    .infer = infer_layer_norm_backward,
    .in_names = "g x mean rstd weight",
    .summary = "gradients of layer_norm by x, weight and bias",
};

lb_status lbo_layer_norm(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                         lbo_tensor *weight, lbo_tensor *bias, int64_t dims,
                         double epsilon)
{
    return lboi_run_first(context, LBOI_OP_layer_norm, out, 3,
                          (lbo_tensor *[]){x, weight, bias}, 3,
                          &(lbo_layer_norm_attributes){dims, epsilon});
}

lb_status lbo_layer_norm_backward(lbo_context *context, lbo_tensor **out,
                                  lbo_tensor *g, lbo_tensor *x,
                                  lbo_tensor *mean, lbo_tensor *rstd,
                                  lbo_tensor *weight, int64_t dims)
{
    return lboi_run_many(context, LBOI_OP_layer_norm_backward, out, 3,
                         (lbo_tensor *[]){g, x, mean, rstd, weight}, 5,
                         &(lbo_layer_norm_attributes){dims, 0});
}
