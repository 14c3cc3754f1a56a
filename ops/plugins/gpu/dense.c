/* dense.c - operands in row-major order. */
#include "gpu.h"

#include <string.h>

lb_status gpu_temporary(lbo_context *context, const lbo_tensor *like, int dtype,
                        size_t ndim, const int64_t *shape, lbo_tensor **result)
{
    lbo_spec spec = {.device = like->storage->device,
                     .dtype = dtype,
                     .ndim = (uint32_t)ndim};

    if (ndim > 0)
        memcpy(spec.shape, shape, ndim * sizeof *shape);
    return lbo_tensor_create(context, &spec, result);
}

/* Indices are never the first input. */
static lb_status dense_input(lbo_context *context, lbo_tensor *tensor,
                             bool first, lbo_tensor **result)
{
    if (tensor->dtype == LBO_I32 && !first)
        return lbo_cast(context, result, tensor, LBO_I64);
    return lbo_contiguous(context, result, tensor);
}

static lb_status dense_output(lbo_context *context, lbo_tensor *tensor,
                              lbo_tensor **result)
{
    if (!lbo_is_contiguous(tensor))
        return gpu_temporary(context, tensor, tensor->dtype, tensor->ndim,
                             lbo_shape(tensor), result);
    *result = lbo_tensor_retain(tensor);
    return LB_OK;
}

lb_status gpu_dense_begin(lbo_context *context, const lbo_call *call,
                          size_t in_count, gpu_dense *dense)
{
    lb_status status = LB_OK;

    memset(dense, 0, sizeof *dense);
    for (size_t i = 0; i < in_count && status == LB_OK; i++)
        if (call->in[i] != NULL)
            status = dense_input(context, call->in[i], i == 0, &dense->in[i]);
    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++)
        status = dense_output(context, call->out[i], &dense->out[i]);
    return status;
}

lb_status gpu_dense_end(lbo_context *context, const lbo_call *call,
                        gpu_dense *dense, lb_status status)
{
    for (uint32_t i = 0; i < call->out_count; i++) {
        if (status == LB_OK && dense->out[i] != call->out[i])
            status = lbo_copy(context, &call->out[i], dense->out[i]);
        lbo_tensor_release(dense->out[i]);
    }
    for (size_t i = 0; i < sizeof dense->in / sizeof *dense->in; i++)
        lbo_tensor_release(dense->in[i]);
    return status;
}

bool gpu_knows(const lbo_call *call)
{
    const lbo_device *const device = call->out[0]->storage->device;
    const gpu_device *const gpu = device->data;
    bool known = true;

    for (uint32_t i = 0; i < call->in_count && known; i++)
        known = call->in[i] == NULL ||
                (call->in[i]->storage->device == device &&
                 (gpu->wide || call->in[i]->dtype != LBO_F64));
    for (uint32_t i = 0; i < call->out_count && known; i++)
        known = call->out[i]->storage->device == device &&
                (gpu->wide || call->out[i]->dtype != LBO_F64);
    return known;
}
