/* run.c - what the families of operators share. */
#include "operators/run.h"

#include <stdio.h>
#include <string.h>

lb_status lboi_run_many(lbo_context *context, lboi_builtin_index index,
                        lbo_tensor **out, size_t out_count,
                        lbo_tensor *const *in, size_t in_count,
                        const void *attributes)
{
    if (LB_UNLIKELY(context == NULL || out == NULL))
        return lbo_fail(LB_BAD_ARGUMENT, "an operator: context or out is NULL");
    lbo_call call = {.in = in,
                     .out = out,
                     .attributes = attributes,
                     .in_count = (uint32_t)in_count,
                     .out_count = (uint32_t)out_count};
    return lbo_run(context, lboi_builtin(context, index), &call);
}

lb_status lboi_run(lbo_context *context, lboi_builtin_index index,
                   lbo_tensor **out, lbo_tensor *const *in, size_t in_count,
                   const void *attributes)
{
    return lboi_run_many(context, index, out, 1, in, in_count, attributes);
}

lb_status lboi_run_first(lbo_context *context, lboi_builtin_index index,
                         lbo_tensor **out, size_t out_count,
                         lbo_tensor *const *in, size_t in_count,
                         const void *attributes)
{
    lbo_tensor *all[LBO_MAX_OUT] = {NULL};

    if (out == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "an operator: out is NULL");
    all[0] = *out;
    const lb_status status =
        lboi_run_many(context, index, all, out_count, in, in_count, attributes);
    if (status != LB_OK)
        return status;
    *out = all[0];
    for (size_t i = 1; i < out_count; i++)
        lbo_tensor_release(all[i]);
    return LB_OK;
}

void lboi_spec_set(lbo_spec *spec, int dtype, size_t ndim, const int64_t *shape)
{
    spec->dtype = (int32_t)dtype;
    spec->ndim = (uint32_t)ndim;
    if (ndim > 0)
        memcpy(spec->shape, shape, ndim * sizeof *shape);
}

void lboi_spec_like(lbo_spec *spec, const lbo_tensor *tensor)
{
    lboi_spec_set(spec, tensor->dtype, tensor->ndim, tensor->dims);
}

static lb_status cannot_broadcast(const lbo_spec *spec,
                                  const lbo_tensor *tensor)
{
    char a[400], b[400];

    return lbo_fail(LB_BAD_ARGUMENT, "shapes %s and %s do not go together",
                    lboi_shape_text(spec->ndim, spec->shape, a, sizeof a),
                    lboi_shape_text(tensor->ndim, tensor->dims, b, sizeof b));
}

lb_status lboi_broadcast(lbo_spec *spec, const lbo_tensor *tensor)
{
    const uint32_t ndim = spec->ndim > tensor->ndim ? spec->ndim : tensor->ndim;
    const uint32_t lead = ndim - spec->ndim, skip = ndim - tensor->ndim;

    if (lead > 0) {
        memmove(spec->shape + lead, spec->shape,
                spec->ndim * sizeof *spec->shape);
        for (uint32_t i = 0; i < lead; i++)
            spec->shape[i] = 1;
    }
    for (uint32_t i = skip; i < ndim; i++) {
        const int64_t n = tensor->dims[i - skip];
        if (spec->shape[i] == n || n == 1)
            continue;
        if (spec->shape[i] != 1) {
            memmove(spec->shape, spec->shape + lead,
                    spec->ndim * sizeof *spec->shape);
            return cannot_broadcast(spec, tensor);
        }
        spec->shape[i] = n;
    }
    spec->ndim = ndim;
    return LB_OK;
}

lb_status lboi_dim(int64_t dim, size_t ndim, int64_t *result)
{
    const int64_t count = ndim > 0 ? (int64_t)ndim : 1;

    if (dim < -count || dim >= count)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "dimension %lld of a tensor of %zu; there are %lld to "
                        "%lld",
                        (long long)dim, ndim, (long long)-count,
                        (long long)count - 1);
    *result = dim < 0 ? dim + count : dim;
    return LB_OK;
}

lb_status lboi_infer_elementwise(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const first = call->in[0];
    lb_status status = LB_OK;

    lboi_spec_set(out, first->dtype, first->ndim, first->dims);
    for (uint32_t i = 1; i < call->in_count && status == LB_OK; i++)
        if (call->in[i] != NULL && (call->in[i]->ndim != first->ndim ||
                                    !lbo_same_shape(call->in[i], first)))
            status = lboi_broadcast(out, call->in[i]);
    out->dtype = (int32_t)lboi_common_dtype(call);
    return status;
}

lb_status lboi_infer_like_first(const lbo_call *call, lbo_spec *out)
{
    lboi_spec_like(out, call->in[0]);
    return LB_OK;
}

lb_status lboi_want_floating(const lbo_tensor *tensor, const char *name)
{
    if (lbo_dtype_kind((lbo_dtype)tensor->dtype) == LBO_KIND_FLOATING)
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT, "%s is %s; a floating type is wanted",
                    name, lbo_dtype_name((lbo_dtype)tensor->dtype));
}

lb_status lboi_want_indices(const lbo_tensor *tensor, const char *name)
{
    if (tensor->dtype == LBO_I64 || tensor->dtype == LBO_I32)
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT, "%s is %s; i64 or i32 is wanted", name,
                    lbo_dtype_name((lbo_dtype)tensor->dtype));
}
