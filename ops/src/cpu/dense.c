/* dense.c - row-major copies of strided operands, for the time of a kernel. */
#include "cpu/dense.h"

#include <string.h>

lb_status lboi_dense_like(lbo_context *context, const lbo_tensor *tensor,
                          lbo_tensor **result)
{
    lbo_spec spec = {.device = tensor->storage->device,
                     .dtype = tensor->dtype,
                     .ndim = tensor->ndim};

    memcpy(spec.shape, tensor->dims, tensor->ndim * sizeof(int64_t));
    return lbo_tensor_create(context, &spec, result);
}

lb_status lboi_dense_begin(lbo_context *context, const lbo_call *call,
                           lboi_dense *dense)
{
    lb_status status = LB_OK;

    memset(dense, 0, sizeof *dense);
    for (uint32_t i = 0; i < call->in_count && status == LB_OK; i++)
        if (call->in[i] == NULL || lbo_is_contiguous(call->in[i]))
            dense->in[i] = call->in[i];
        else
            status = lbo_contiguous(context, &dense->in[i], call->in[i]);
    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++)
        if (lbo_is_contiguous(call->out[i]))
            dense->out[i] = call->out[i];
        else
            status = lboi_dense_like(context, call->out[i], &dense->out[i]);
    return status;
}

lb_status lboi_dense_end(lbo_context *context, const lbo_call *call,
                         lboi_dense *dense, lb_status status)
{
    for (uint32_t i = 0; i < call->in_count; i++)
        if (dense->in[i] != call->in[i])
            lbo_tensor_release(dense->in[i]);
    for (uint32_t i = 0; i < call->out_count; i++) {
        if (dense->out[i] == NULL || dense->out[i] == call->out[i])
            continue;
        if (status == LB_OK)
            status = lbo_copy(context, &call->out[i], dense->out[i]);
        lbo_tensor_release(dense->out[i]);
    }
    return status;
}
