/* reduce.c - operators over whole dimensions: what they are.
 *
 * The kernels are in cpu/reduce.c. They find the dimensions that are reduced
 * by lboi_reduced_mask, so that what is inferred and what is computed agree.
 */
#include "operators/reduce.h"

#include "operators/run.h"

#include <string.h>

lb_status lboi_reduced_mask(const lbo_dims *dims, size_t ndim, uint32_t *mask)
{
    int64_t dim;

    *mask = 0;
    if (dims->count < -1 || dims->count > LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%d dimensions given; there may be 0 to %d, or -1 for "
                        "all",
                        (int)dims->count, LBO_MAX_DIMS);
    if (dims->count < 0)
        *mask = (1u << ndim) - 1;
    for (int32_t i = 0; i < dims->count; i++) {
        const lb_status status = lboi_dim(dims->at[i], ndim, &dim);
        if (status != LB_OK)
            return status;
        if (*mask >> dim & 1)
            return lbo_fail(LB_BAD_ARGUMENT, "dimension %lld is given twice",
                            (long long)dim);
        *mask |= 1u << dim;
    }
    return LB_OK;
}

/* ---- shapes and types ---------------------------------------------------- */

/* The shape; the type stays the input's. */
static lb_status infer_shape(const lbo_call *call, lbo_spec *out)
{
    const lbo_reduce_attributes *const with = call->attributes;
    const lbo_tensor *const x = call->in[0];
    uint32_t mask;
    const lb_status status = lboi_reduced_mask(&with->dims, x->ndim, &mask);

    if (status != LB_OK)
        return status;
    lboi_spec_set(out, x->dtype, 0, NULL);
    for (uint32_t i = 0; i < x->ndim; i++) {
        if (!(mask >> i & 1))
            out->shape[out->ndim++] = x->dims[i];
        else if (with->keep)
            out->shape[out->ndim++] = 1;
    }
    return LB_OK;
}

static lb_status infer_sum(const lbo_call *call, lbo_spec *out)
{
    const lb_status status = infer_shape(call, out);

    if (lbo_dtype_kind((lbo_dtype)call->in[0]->dtype) != LBO_KIND_FLOATING)
        out->dtype = LBO_I64;
    return status;
}

static lb_status infer_mean(const lbo_call *call, lbo_spec *out)
{
    const lb_status status = infer_shape(call, out);

    if (lbo_dtype_kind((lbo_dtype)call->in[0]->dtype) != LBO_KIND_FLOATING)
        out->dtype = LBO_F32;
    return status;
}

static int64_t size_of(const lbo_spec *spec)
{
    int64_t size = 1;

    for (uint32_t i = 0; i < spec->ndim; i++)
        size *= spec->shape[i];
    return size;
}

/* Of nothing there is no greatest; unless nothing is asked for. */
static lb_status infer_choice(const lbo_call *call, lbo_spec *out)
{
    char text[400];
    const lbo_tensor *const x = call->in[0];
    const lb_status status = infer_shape(call, out);

    if (status == LB_OK && x->size == 0 && size_of(out) != 0)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "shape %s: there is no element to choose from",
                        lboi_shape_text(x->ndim, x->dims, text, sizeof text));
    return status;
}

static lb_status infer_argmax(const lbo_call *call, lbo_spec *out)
{
    const lbo_reduce_attributes *const with = call->attributes;

    if (with->dims.count != 1 && with->dims.count != -1)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%d dimensions given; one is wanted, or -1 for all",
                        (int)with->dims.count);
    const lb_status status = infer_choice(call, out);
    out->dtype = LBO_I64;
    return status;
}

/* ---- operators ----------------------------------------------------------- */

static const lbo_attribute attributes[] = {
    {"dims", LBO_ATTRIBUTE_DIMS, offsetof(lbo_reduce_attributes, dims)},
    {"keep", LBO_ATTRIBUTE_FLAG, offsetof(lbo_reduce_attributes, keep)},
    {"correction", LBO_ATTRIBUTE_REAL,
     offsetof(lbo_reduce_attributes, correction)}};

static lb_status set_dims(lbo_dims *result, int count, const int64_t *dims)
{
    if (count < -1 || count > LBO_MAX_DIMS || (count > 0 && dims == NULL))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "a reduction: %d dimensions given; there may be 0 to "
                        "%d, or -1 for all",
                        count, LBO_MAX_DIMS);
    result->count = count;
    if (count > 0)
        memcpy(result->at, dims, (size_t)count * sizeof *dims);
    return LB_OK;
}

#define REDUCTION(name_, saves_, count_, infer_, gradient_, summary_)          \
    const lbo_operator_spec lboi_spec_##name_ = {                              \
        .name = #name_,                                                        \
        .dispatched = 1,                                                       \
        .in_count = 1,                                                         \
        .out_count = 1,                                                        \
        .saves = saves_,                                                       \
        .attribute_size = sizeof(lbo_reduce_attributes),                       \
        .attributes = attributes,                                              \
        .attribute_count = count_,                                             \
        .infer = infer_,                                                       \
        .gradient = gradient_,                                                 \
        .in_names = "x",                                                       \
        .summary = summary_}

#define FUNCTION(name_)                                                        \
    lb_status lbo_##name_(lbo_context *context, lbo_tensor **out,              \
                          lbo_tensor *x, int count, const int64_t *dims,       \
                          bool keep)                                           \
    {                                                                          \
        lbo_reduce_attributes with = {.keep = keep};                           \
        const lb_status status = set_dims(&with.dims, count, dims);            \
        if (status != LB_OK)                                                   \
            return status;                                                     \
        return lboi_run(context, LBOI_OP_##name_, out, &x, 1, &with);          \
    }

REDUCTION(sum, 0, 2, infer_sum, lboi_gradient_sum, "the sum over dims");
REDUCTION(mean, 0, 2, infer_mean, lboi_gradient_mean, "the mean over dims");
REDUCTION(max, LBO_SAVE_IN(0) | LBO_SAVE_OUT(0), 2, infer_choice,
          lboi_gradient_max, "the greatest over dims; NaN if one is");
REDUCTION(min, LBO_SAVE_IN(0) | LBO_SAVE_OUT(0), 2, infer_choice,
          lboi_gradient_min, "the least over dims; NaN if one is");
REDUCTION(argmax, 0, 2, infer_argmax, NULL, "where the greatest is (i64)");
REDUCTION(var, LBO_SAVE_IN(0), 3, infer_mean, lboi_gradient_var,
          "the variance over dims");

FUNCTION(sum)
FUNCTION(mean)
FUNCTION(max)
FUNCTION(min)
FUNCTION(argmax)

lb_status lbo_var(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                  int count, const int64_t *dims, bool keep, double correction)
{
    lbo_reduce_attributes with = {.keep = keep, .correction = correction};
    const lb_status status = set_dims(&with.dims, count, dims);

    if (status != LB_OK)
        return status;
    return lboi_run(context, LBOI_OP_var, out, &x, 1, &with);
}
