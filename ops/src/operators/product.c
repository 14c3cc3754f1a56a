/* product.c - matrix products and convolutions: their shapes and types.
 *
 * matmul   [..., m, k] with [..., k, n]; batches are broadcast
 * linear   [..., k] with the transpose of [n, k]
 * conv2d   [n, c, h, w] with [o, c / groups, kh, kw]; its gradients are
 *          operators of their own, which are told the shape that is wanted by
 *          a tensor that has it
 */
#include "operators/window.h"

#include <string.h>

/* ---- what several check ----------------------------------------------------- */

lb_status lboi_want_form(const lbo_tensor *tensor, const char *name,
                         size_t ndim, const char *form)
{
    char text[400];

    if (tensor->ndim == ndim)
        return LB_OK;
    return lbo_fail(
        LB_BAD_ARGUMENT, "%s is %s; %s is wanted", name,
        lboi_shape_text(tensor->ndim, tensor->dims, text, sizeof text), form);
}

lb_status lboi_want_type(const lbo_tensor *tensor, const char *name, int dtype,
                         const char *whose)
{
    if (tensor->dtype == dtype)
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT, "%s is %s; %s, as %s, is wanted", name,
                    lbo_dtype_name((lbo_dtype)tensor->dtype),
                    lbo_dtype_name((lbo_dtype)dtype), whose);
}

lb_status lboi_want_shape(const lbo_tensor *tensor, const char *name,
                          size_t ndim, const int64_t *shape, const char *whose)
{
    char has[400], wanted[400];

    if (tensor->ndim == ndim &&
        (ndim == 0 || memcmp(tensor->dims, shape, ndim * sizeof *shape) == 0))
        return LB_OK;
    return lbo_fail(
        LB_BAD_ARGUMENT, "%s is %s; %s, as %s, is wanted", name,
        lboi_shape_text(tensor->ndim, tensor->dims, has, sizeof has),
        lboi_shape_text(ndim, shape, wanted, sizeof wanted), whose);
}

/* ---- matmul ------------------------------------------------------------------- */

static lb_status wrong_product(const lbo_tensor *a, const lbo_tensor *b,
                               const char *why)
{
    char left[400], right[400];

    return lbo_fail(LB_BAD_ARGUMENT, "%s and %s cannot be multiplied: %s",
                    lboi_shape_text(a->ndim, a->dims, left, sizeof left),
                    lboi_shape_text(b->ndim, b->dims, right, sizeof right),
                    why);
}

/* The dimensions before the last two, broadcast; `ndim` of the result. */
static bool broadcast_batches(const lbo_tensor *a, const lbo_tensor *b,
                              lbo_spec *out)
{
    const uint32_t an = a->ndim > 2 ? a->ndim - 2u : 0;
    const uint32_t bn = b->ndim > 2 ? b->ndim - 2u : 0;
    const uint32_t n = an > bn ? an : bn;

    for (uint32_t i = 0; i < n; i++) {
        const int64_t x = i + an < n ? 1 : a->dims[i + an - n];
        const int64_t y = i + bn < n ? 1 : b->dims[i + bn - n];
        if (x != y && x != 1 && y != 1)
            return false;
        out->shape[i] = x == 1 ? y : x;
    }
    out->ndim = n;
    return true;
}

/* The usual case, in as few steps as there can be. */
static bool infer_matrices(const lbo_tensor *a, const lbo_tensor *b,
                           lbo_spec *out)
{
    if (a->ndim != 2 || b->ndim != 2 || a->head.handle != b->head.handle ||
        (a->flags | b->flags) & LBO_WEAK || a->dtype == LBO_BOOL ||
        a->dims[1] != b->dims[0])
        return false;
    out->dtype = a->dtype;
    out->ndim = 2;
    out->shape[0] = a->dims[0];
    out->shape[1] = b->dims[1];
    return true;
}

static lb_status infer_matmul(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const a = call->in[0], *const b = call->in[1];

    if (infer_matrices(a, b, out))
        return LB_OK;
    out->dtype = (int32_t)lboi_common_dtype(call);
    if (a->ndim == 0 || b->ndim == 0)
        return wrong_product(a, b, "a product needs at least one dimension");
    if (out->dtype == LBO_BOOL)
        return wrong_product(a, b, "they are bool; numbers are wanted");
    if (a->dims[a->ndim - 1] != b->dims[b->ndim > 1 ? b->ndim - 2 : 0])
        return wrong_product(a, b, "the inner sizes differ");
    if (!broadcast_batches(a, b, out))
        return wrong_product(a, b, "the batches do not go together");
    if (a->ndim > 1)
        out->shape[out->ndim++] = a->dims[a->ndim - 2];
    if (b->ndim > 1)
        out->shape[out->ndim++] = b->dims[b->ndim - 1];
    return LB_OK;
}

const lbo_operator_spec lboi_spec_matmul = {
    .name = "matmul",
    .dispatched = 2,
    .in_count = 2,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .saves = LBO_SAVE_IN(0) | LBO_SAVE_IN(1),
    .infer = infer_matmul,
    .gradient = lboi_gradient_matmul,
    .in_names = "a b",
    .summary = "matrix product; further dimensions are batches",
};

lb_status lbo_matmul(lbo_context *context, lbo_tensor **out, lbo_tensor *a,
                     lbo_tensor *b)
{
    return lboi_run(context, LBOI_OP_matmul, out, (lbo_tensor *[]){a, b}, 2,
                    NULL);
}

/* ---- linear --------------------------------------------------------------------- */

static lb_status infer_linear(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const x = call->in[0], *const weight = call->in[1];
    const lbo_tensor *const bias = call->in[2];
    lb_status status = lboi_want_floating(x, "x");

    lboi_spec_like(out, x);
    out->dtype = (int32_t)lboi_common_dtype(call);
    if (status == LB_OK)
        status = lboi_want_floating(weight, "weight");
    if (status == LB_OK)
        status = lboi_want_form(weight, "weight", 2, "[out, in]");
    if (status != LB_OK)
        return status;
    if (x->ndim == 0 || x->dims[x->ndim - 1] != weight->dims[1])
        return wrong_product(x, weight,
                             "the last size of x is not that of weight");
    out->shape[out->ndim - 1] = weight->dims[0];
    if (bias == NULL)
        return LB_OK;
    status = lboi_want_type(bias, "bias", out->dtype, "the product");
    if (status == LB_OK)
        status = lboi_want_shape(bias, "bias", 1, weight->dims, "the result");
    return status;
}

const lbo_operator_spec lboi_spec_linear = {
    .name = "linear",
    .dispatched = 2,
    .in_count = 3,
    .optional = 1,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .promoted = 3,
    .saves = LBO_SAVE_IN(0) | LBO_SAVE_IN(1),
    .infer = infer_linear,
    .gradient = lboi_gradient_linear,
    .in_names = "x weight bias",
    .summary = "x weight^T + bias",
};

lb_status lbo_linear(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                     lbo_tensor *weight, lbo_tensor *bias)
{
    return lboi_run(context, LBOI_OP_linear, out,
                    (lbo_tensor *[]){x, weight, bias}, 3, NULL);
}

/* ---- convolution ------------------------------------------------------------------ */

static const lbo_conv2d_attributes plain_conv2d = {
    .stride = {1, 1}, .padding = {0, 0}, .dilation = {1, 1}, .groups = 1};

#define CONV2D(member) offsetof(lbo_conv2d_attributes, member)
static const lbo_attribute conv2d_attributes[] = {
    {"stride_h", LBO_ATTRIBUTE_INTEGER, CONV2D(stride[0])},
    {"stride_w", LBO_ATTRIBUTE_INTEGER, CONV2D(stride[1])},
    {"padding_h", LBO_ATTRIBUTE_INTEGER, CONV2D(padding[0])},
    {"padding_w", LBO_ATTRIBUTE_INTEGER, CONV2D(padding[1])},
    {"dilation_h", LBO_ATTRIBUTE_INTEGER, CONV2D(dilation[0])},
    {"dilation_w", LBO_ATTRIBUTE_INTEGER, CONV2D(dilation[1])},
    {"groups", LBO_ATTRIBUTE_INTEGER, CONV2D(groups)},
};

/* More than any tensor has, and sums of some of them do not overflow. */
enum { MOST = 1 << 30 };

lb_status lboi_windows(const char *along, int64_t size, int64_t kernel,
                       int64_t stride, int64_t padding, int64_t dilation,
                       int64_t *result)
{
    if (stride < 1 || stride > MOST || dilation < 1 || dilation > MOST ||
        padding < 0 || padding > MOST)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: stride %lld, padding %lld, dilation %lld; strides "
                        "and dilations are 1 to %d, padding is 0 to %d",
                        along, (long long)stride, (long long)padding,
                        (long long)dilation, MOST, MOST);
    if (kernel < 1 || kernel > MOST || size > INT64_MAX / 2)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: a window of %lld in %lld elements; windows are 1 "
                        "to %d",
                        along, (long long)kernel, (long long)size, MOST);
    const int64_t reach = dilation * (kernel - 1) + 1;
    const int64_t padded = size + 2 * padding;
    if (reach > padded)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: a window reaches over %lld elements, there are "
                        "%lld with padding",
                        along, (long long)reach, (long long)padded);
    *result = (padded - reach) / stride + 1;
    return LB_OK;
}

static lb_status conv2d_channels(const lbo_tensor *weight, const int64_t *x,
                                 int64_t groups)
{
    if (groups < 1 || weight->dims[0] % groups != 0)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%lld groups do not divide the %lld channels of the "
                        "result",
                        (long long)groups, (long long)weight->dims[0]);
    if (x[1] % groups != 0 || x[1] / groups != weight->dims[1])
        return lbo_fail(LB_BAD_ARGUMENT,
                        "weight is for %lld channels in each of %lld groups, x "
                        "has %lld",
                        (long long)weight->dims[1], (long long)groups,
                        (long long)x[1]);
    return LB_OK;
}

/* The shape of the result for x of that shape. */
static lb_status conv2d_shape(const int64_t *x, const lbo_tensor *weight,
                              const lbo_conv2d_attributes *by, int64_t *shape)
{
    lb_status status = conv2d_channels(weight, x, by->groups);

    shape[0] = x[0];
    shape[1] = weight->dims[0];
    if (status == LB_OK)
        status = lboi_windows("rows", x[2], weight->dims[2], by->stride[0],
                              by->padding[0], by->dilation[0], &shape[2]);
    if (status == LB_OK)
        status = lboi_windows("columns", x[3], weight->dims[3], by->stride[1],
                              by->padding[1], by->dilation[1], &shape[3]);
    return status;
}

/* Types and dimensions of two tensors, `second` of the four. */
static lb_status check_forms(const lbo_call *call, const char *const *names,
                             size_t count)
{
    lb_status status = LB_OK;

    for (size_t i = 0; i < count && status == LB_OK; i++) {
        status = lboi_want_floating(call->in[i], names[i]);
        if (status == LB_OK)
            status = lboi_want_form(call->in[i], names[i], 4,
                                    strcmp(names[i], "weight") == 0
                                        ? "[out, in / groups, h, w]"
                                        : "[n, channels, h, w]");
    }
    return status;
}

static lb_status infer_conv2d(const lbo_call *call, lbo_spec *out)
{
    static const char *const names[] = {"x", "weight"};
    lb_status status = check_forms(call, names, 2);

    out->dtype = (int32_t)lboi_common_dtype(call);
    out->ndim = 4;
    if (status == LB_OK)
        status = conv2d_shape(call->in[0]->dims, call->in[1], call->attributes,
                              out->shape);
    if (status != LB_OK || call->in[2] == NULL)
        return status;
    status = lboi_want_type(call->in[2], "bias", out->dtype, "the product");
    if (status == LB_OK)
        status = lboi_want_shape(call->in[2], "bias", 1, call->in[1]->dims,
                                 "the channels of the result");
    return status;
}

/* g must be what the convolution of x by weight gives. */
static lb_status infer_conv2d_backward(const lbo_call *call,
                                       const char *const *names,
                                       const lbo_tensor *x,
                                       const lbo_tensor *weight, lbo_spec *out)
{
    int64_t shape[4];
    lb_status status = check_forms(call, names, 3);

    lboi_spec_like(out, call->in[2]);
    out->dtype = (int32_t)lboi_common_dtype(call);
    if (status == LB_OK)
        status = conv2d_shape(x->dims, weight, call->attributes, shape);
    if (status == LB_OK)
        status = lboi_want_shape(call->in[0], "g", 4, shape, "the result");
    return status;
}

static lb_status infer_conv2d_backward_input(const lbo_call *call,
                                             lbo_spec *out)
{
    static const char *const names[] = {"g", "weight", "like"};

    return infer_conv2d_backward(call, names, call->in[2], call->in[1], out);
}

static lb_status infer_conv2d_backward_weight(const lbo_call *call,
                                              lbo_spec *out)
{
    static const char *const names[] = {"g", "x", "weight"};

    return infer_conv2d_backward(call, names, call->in[1], call->in[2], out);
}

const lbo_operator_spec lboi_spec_conv2d = {
    .name = "conv2d",
    .dispatched = 2,
    .in_count = 3,
    .optional = 1,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .promoted = 3,
    .saves = LBO_SAVE_IN(0) | LBO_SAVE_IN(1),
    .attribute_size = sizeof(lbo_conv2d_attributes),
    .attributes = conv2d_attributes,
    .attribute_count = 7,
    .infer = infer_conv2d,
    .gradient = lboi_gradient_conv2d,
    .in_names = "x weight bias",
    .summary = "convolution of images",
};

const lbo_operator_spec lboi_spec_conv2d_backward_input = {
    .name = "conv2d_backward_input",
    .dispatched = 2,
    .in_count = 3,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .promoted = 3,
    .attribute_size = sizeof(lbo_conv2d_attributes),
    .attributes = conv2d_attributes,
    .attribute_count = 7,
    .infer = infer_conv2d_backward_input,
    .in_names = "g weight like",
    .summary = "gradient of conv2d by its input, which is like `like`",
};

const lbo_operator_spec lboi_spec_conv2d_backward_weight = {
    .name = "conv2d_backward_weight",
    .dispatched = 2,
    .in_count = 3,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .promoted = 3,
    .attribute_size = sizeof(lbo_conv2d_attributes),
    .attributes = conv2d_attributes,
    .attribute_count = 7,
    .infer = infer_conv2d_backward_weight,
    .in_names = "g x like",
    .summary = "gradient of conv2d by its weight, which is like `like`",
};

static lb_status run_conv2d(lbo_context *context, lboi_builtin_index index,
                            lbo_tensor **out, lbo_tensor *const *in,
                            const lbo_conv2d_attributes *attributes)
{
    return lboi_run(context, index, out, in, 3,
                    attributes != NULL ? attributes : &plain_conv2d);
}

lb_status lbo_conv2d(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                     lbo_tensor *weight, lbo_tensor *bias,
                     const lbo_conv2d_attributes *attributes)
{
    return run_conv2d(context, LBOI_OP_conv2d, out,
                      (lbo_tensor *[]){x, weight, bias}, attributes);
}

lb_status lbo_conv2d_backward_input(lbo_context *context, lbo_tensor **out,
                                    lbo_tensor *g, lbo_tensor *weight,
                                    lbo_tensor *like,
                                    const lbo_conv2d_attributes *attributes)
{
    return run_conv2d(context, LBOI_OP_conv2d_backward_input, out,
                      (lbo_tensor *[]){g, weight, like}, attributes);
}

lb_status lbo_conv2d_backward_weight(lbo_context *context, lbo_tensor **out,
                                     lbo_tensor *g, lbo_tensor *x,
                                     lbo_tensor *like,
                                     const lbo_conv2d_attributes *attributes)
{
    return run_conv2d(context, LBOI_OP_conv2d_backward_weight, out,
                      (lbo_tensor *[]){g, x, like}, attributes);
}
