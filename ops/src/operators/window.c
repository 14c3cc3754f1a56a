/* window.c - pooling over windows of images: shapes and types. */
#include "operators/window.h"

#define POOL2D(member) offsetof(lbo_pool2d_attributes, member)
static const lbo_attribute pool2d_attributes[] = {
    {"kernel_h", LBO_ATTRIBUTE_INTEGER, POOL2D(kernel[0])},
    {"kernel_w", LBO_ATTRIBUTE_INTEGER, POOL2D(kernel[1])},
    {"stride_h", LBO_ATTRIBUTE_INTEGER, POOL2D(stride[0])},
    {"stride_w", LBO_ATTRIBUTE_INTEGER, POOL2D(stride[1])},
    {"padding_h", LBO_ATTRIBUTE_INTEGER, POOL2D(padding[0])},
    {"padding_w", LBO_ATTRIBUTE_INTEGER, POOL2D(padding[1])},
};

/* Windows with nothing but padding in them would have no value. */
static lb_status pool2d_side(const char *along, int64_t size, int side,
                             const lbo_pool2d_attributes *by, int64_t *result)
{
    if (size == 0)
        return lbo_fail(LB_BAD_ARGUMENT, "the images have no %s", along);
    if (by->padding[side] > by->kernel[side] / 2)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: padding %lld; at most half the kernel of %lld is "
                        "allowed",
                        along, (long long)by->padding[side],
                        (long long)by->kernel[side]);
    return lboi_windows(along, size, by->kernel[side], by->stride[side],
                        by->padding[side], 1, result);
}

static lb_status pool2d_shape(const lbo_tensor *x, const char *name,
                              const lbo_pool2d_attributes *by, int64_t *shape)
{
    lb_status status = lboi_want_floating(x, name);

    if (status == LB_OK)
        status = lboi_want_form(x, name, 4, "[n, channels, h, w]");
    if (status != LB_OK)
        return status;
    shape[0] = x->dims[0];
    shape[1] = x->dims[1];
    status = pool2d_side("rows", x->dims[2], 0, by, &shape[2]);
    if (status == LB_OK)
        status = pool2d_side("columns", x->dims[3], 1, by, &shape[3]);
    return status;
}

/* For both; max_pool2d has a second result, the indices. */
static lb_status infer_pool2d(const lbo_call *call, lbo_spec *out)
{
    int64_t shape[4];
    const lb_status status =
        pool2d_shape(call->in[0], "x", call->attributes, shape);

    if (status != LB_OK)
        return status;
    lboi_spec_set(out, call->in[0]->dtype, 4, shape);
    if (call->out_count > 1)
        lboi_spec_set(out + 1, LBO_I64, 4, shape);
    return LB_OK;
}

static lb_status infer_avg_pool2d_backward(const lbo_call *call, lbo_spec *out)
{
    int64_t shape[4];
    lb_status status = lboi_want_floating(call->in[0], "g");

    if (status == LB_OK)
        status = pool2d_shape(call->in[1], "like", call->attributes, shape);
    if (status == LB_OK)
        status = lboi_want_shape(call->in[0], "g", 4, shape, "the result");
    lboi_spec_like(out, call->in[1]);
    out->dtype = call->in[0]->dtype;
    return status;
}

static lb_status infer_max_pool2d_backward(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const g = call->in[0], *const like = call->in[2];
    lb_status status = lboi_want_floating(g, "g");

    if (status == LB_OK)
        status = lboi_want_form(g, "g", 4, "[n, channels, h, w]");
    if (status == LB_OK)
        status =
            lboi_want_type(call->in[1], "indices", LBO_I64, "max_pool2d gives");
    if (status == LB_OK)
        status = lboi_want_shape(call->in[1], "indices", 4, g->dims, "g");
    if (status == LB_OK)
        status = lboi_want_form(like, "like", 4, "[n, channels, h, w]");
    if (status == LB_OK &&
        (like->dims[0] != g->dims[0] || like->dims[1] != g->dims[1]))
        status = lbo_fail(LB_BAD_ARGUMENT,
                          "like has %lld images of %lld channels, g has %lld "
                          "of %lld",
                          (long long)like->dims[0], (long long)like->dims[1],
                          (long long)g->dims[0], (long long)g->dims[1]);
    lboi_spec_like(out, like);
    out->dtype = g->dtype;
    return status;
}

const lbo_operator_spec lboi_spec_max_pool2d = {
    .name = "max_pool2d",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 2,
    .saves = LBO_SAVE_IN(0) | LBO_SAVE_OUT(1),
    .attribute_size = sizeof(lbo_pool2d_attributes),
    .attributes = pool2d_attributes,
    .attribute_count = 6,
    .infer = infer_pool2d,
    .gradient = lboi_gradient_max_pool2d,
    .in_names = "x",
    .summary = "the greatest of each window, and where in its plane it lies",
};

const lbo_operator_spec lboi_spec_avg_pool2d = {
    .name = "avg_pool2d",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .saves = LBO_SAVE_IN(0),
    .attribute_size = sizeof(lbo_pool2d_attributes),
    .attributes = pool2d_attributes,
    .attribute_count = 6,
    .infer = infer_pool2d,
    .gradient = lboi_gradient_avg_pool2d,
    .in_names = "x",
    .summary = "the mean of each window",
};

const lbo_operator_spec lboi_spec_max_pool2d_backward = {
    .name = "max_pool2d_backward",
    .dispatched = 1,
    .in_count = 3,
    .out_count = 1,
    .infer = infer_max_pool2d_backward,
    .in_names = "g indices like",
    .summary = "gradient of max_pool2d by its input, which is like `like`",
};

const lbo_operator_spec lboi_spec_avg_pool2d_backward = {
    .name = "avg_pool2d_backward",
    .dispatched = 1,
    .in_count = 2,
    .out_count = 1,
    .attribute_size = sizeof(lbo_pool2d_attributes),
    .attributes = pool2d_attributes,
    .attribute_count = 6,
    .infer = infer_avg_pool2d_backward,
    .in_names = "g like",
    .summary = "gradient of avg_pool2d by its input, which is like `like`",
};

lb_status lbo_max_pool2d(lbo_context *context, lbo_tensor **out,
                         lbo_tensor **indices, lbo_tensor *x,
                         const lbo_pool2d_attributes *attributes)
{
    if (indices == NULL)
        return lboi_run_first(context, LBOI_OP_max_pool2d, out, 2,
                              (lbo_tensor *[]){x}, 1, attributes);
    if (out == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "max_pool2d: out is NULL");
    lbo_tensor *both[] = {*out, *indices};
    const lb_status status = lboi_run_many(context, LBOI_OP_max_pool2d, both, 2,
                                           (lbo_tensor *[]){x}, 1, attributes);
    if (status == LB_OK) {
        *out = both[0];
        *indices = both[1];
    }
    return status;
}

lb_status lbo_avg_pool2d(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                         const lbo_pool2d_attributes *attributes)
{
    return lboi_run(context, LBOI_OP_avg_pool2d, out, (lbo_tensor *[]){x}, 1,
                    attributes);
}

lb_status lbo_max_pool2d_backward(lbo_context *context, lbo_tensor **out,
                                  lbo_tensor *g, lbo_tensor *indices,
                                  lbo_tensor *like)
{
    return lboi_run(context, LBOI_OP_max_pool2d_backward, out,
                    (lbo_tensor *[]){g, indices, like}, 3, NULL);
}

lb_status lbo_avg_pool2d_backward(lbo_context *context, lbo_tensor **out,
                                  lbo_tensor *g, lbo_tensor *like,
                                  const lbo_pool2d_attributes *attributes)
{
    return lboi_run(context, LBOI_OP_avg_pool2d_backward, out,
                    (lbo_tensor *[]){g, like}, 2, attributes);
}
