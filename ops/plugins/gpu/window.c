/* window.c - pooling: one thread per element of the result. */
#include "gpu.h"

/* As kernels/window.txt has it. */
typedef struct pool {
    int64_t planes, h, w, out_h, out_w;
    int64_t kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w;
} pool;

static pool describe(const lbo_pool2d_attributes *by, const lbo_tensor *x,
                     const lbo_tensor *result)
{
    return (pool){.planes = x->dims[0] * x->dims[1],
                  .h = x->dims[2],
                  .w = x->dims[3],
                  .out_h = result->dims[2],
                  .out_w = result->dims[3],
                  .kernel_h = by->kernel[0],
                  .kernel_w = by->kernel[1],
                  .stride_h = by->stride[0],
                  .stride_w = by->stride[1],
                  .padding_h = by->padding[0],
                  .padding_w = by->padding[1]};
}

/* `tensors`: the kernel's, in order; one thread per element of the first. */
static lb_status run_pool(lbo_tensor *const *tensors, size_t count,
                          const pool *p, const char *kernel)
{
    const gpu_variant variant = {
        .source = gpu_source_window,
        .types = {(int8_t)tensors[0]->dtype, -1, -1, -1}};
    gpu_launch l;

    gpu_begin(&l, gpu_of(tensors[0]));
    for (size_t i = 0; i < count; i++)
        gpu_add_tensor(&l, tensors[i]);
    gpu_add(&l, p, sizeof *p);
    return gpu_run_flat(&l, &variant, kernel, tensors[0]->size);
}

LB_METHOD(lbo_unary, gpu_max_pool2d);
static lb_status gpu_max_pool2d(lb_slot slot, lbo_context *context,
                                lbo_tensor *x, lbo_call *call)
{
    gpu_dense d;
    lb_status status = gpu_dense_begin(context, call, 1, &d);

    LB_IGNORE(slot);
    (void)x;
    if (status == LB_OK) {
        const pool p = describe(call->attributes, d.in[0], d.out[0]);
        status = run_pool((lbo_tensor *[]){d.out[0], d.out[1], d.in[0]}, 3, &p,
                          "max_pool");
    }
    return gpu_dense_end(context, call, &d, status);
}

LB_METHOD(lbo_unary, gpu_avg_pool2d);
static lb_status gpu_avg_pool2d(lb_slot slot, lbo_context *context,
                                lbo_tensor *x, lbo_call *call)
{
    gpu_dense d;
    lb_status status = gpu_dense_begin(context, call, 1, &d);

    LB_IGNORE(slot);
    (void)x;
    if (status == LB_OK) {
        const pool p = describe(call->attributes, d.in[0], d.out[0]);
        status =
            run_pool((lbo_tensor *[]){d.out[0], d.in[0]}, 2, &p, "avg_pool");
    }
    return gpu_dense_end(context, call, &d, status);
}

static lb_status scatter_max(const gpu_dense *d)
{
    const lbo_tensor *const g = d->in[0], *const out = d->out[0];
    const int64_t planes = out->dims[0] * out->dims[1];
    const int64_t size = out->dims[2] * out->dims[3];
    const int64_t places = g->dims[2] * g->dims[3];
    const gpu_variant variant = {.source = gpu_source_window,
                                 .types = {(int8_t)g->dtype, -1, -1, -1}};
    gpu_launch l;

    gpu_begin(&l, gpu_of(g));
    gpu_add_tensor(&l, out);
    gpu_add_tensor(&l, g);
    gpu_add_tensor(&l, d->in[1]);
    gpu_add(&l, &planes, sizeof planes);
    gpu_add(&l, &size, sizeof size);
    gpu_add(&l, &places, sizeof places);
    return gpu_run_flat(&l, &variant, "max_pool_backward", planes);
}

LB_METHOD(lbo_unary, gpu_max_pool2d_backward);
static lb_status gpu_max_pool2d_backward(lb_slot slot, lbo_context *context,
                                         lbo_tensor *g, lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_max_pool2d_backward, slot, context, g, call);
    gpu_dense d;

    if (call->out[0]->dtype != g->dtype)
        return lb_next_lbo_unary(self, context, g, call);
    lb_status status = gpu_dense_begin(context, call, 2, &d);
    if (status == LB_OK)
        status = scatter_max(&d);
    return gpu_dense_end(context, call, &d, status);
}

LB_METHOD(lbo_unary, gpu_avg_pool2d_backward);
static lb_status gpu_avg_pool2d_backward(lb_slot slot, lbo_context *context,
                                         lbo_tensor *g, lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_avg_pool2d_backward, slot, context, g, call);
    gpu_dense d;

    if (call->out[0]->dtype != g->dtype)
        return lb_next_lbo_unary(self, context, g, call);
    lb_status status = gpu_dense_begin(context, call, 1, &d);
    if (status == LB_OK) {
        const pool p = describe(call->attributes, d.out[0], d.in[0]);
        status = run_pool((lbo_tensor *[]){d.out[0], d.in[0]}, 2, &p,
                          "avg_pool_backward");
    }
    return gpu_dense_end(context, call, &d, status);
}

lb_status gpu_register_window(gpu_device *device, lb_group *group)
{
    lb_status status = LB_OK;

    for (int8_t d = LBO_F32; d <= (device->wide ? LBO_F64 : LBO_F32); d++) {
        const lbo_kernel kernels[] = {
            {"max_pool2d", LB_DESCRIPTOR(gpu_max_pool2d), d, -1, NULL},
            {"avg_pool2d", LB_DESCRIPTOR(gpu_avg_pool2d), d, -1, NULL},
            {"max_pool2d_backward", LB_DESCRIPTOR(gpu_max_pool2d_backward), d,
             -1, NULL},
            {"avg_pool2d_backward", LB_DESCRIPTOR(gpu_avg_pool2d_backward), d,
             -1, NULL}};
        if (status == LB_OK)
            status = lbo_register_kernels(device->library, group,
                                          device->device, kernels, 4);
    }
    return status;
}
