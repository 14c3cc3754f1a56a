/* copy.c - copies and conversions between any types and strides. */
#include "gpu.h"

/* A copy moves bytes: all types of one size are one. */
static int8_t bits_of(uint8_t dtype)
{
    static const int8_t by_size[] = {
        [1] = LBO_U8, [2] = LBO_F16, [4] = LBO_I32, [8] = LBO_I64};

    return by_size[lbo_dtype_size((lbo_dtype)dtype)];
}

static lb_status convert(lbo_tensor *out, lbo_tensor *x)
{
    const bool same = out->dtype == x->dtype;
    const gpu_variant variant = {
        .source = gpu_source_cast,
        .types = {same ? bits_of(x->dtype) : (int8_t)out->dtype,
                  same ? bits_of(x->dtype) : (int8_t)x->dtype, -1, -1}};
    lbo_tensor *const operands[] = {out, x};
    gpu_launch l;
    gpu_walk w;

    gpu_begin(&l, gpu_of(out));
    gpu_add_tensor(&l, out);
    gpu_add_tensor(&l, x);
    gpu_walk_init(&w, out->ndim, lbo_shape(out), 2, operands);
    if (w.dims > 1) {
        gpu_add(&l, &w, sizeof w);
        return gpu_run_flat(&l, &variant, "strided", w.count);
    }
    gpu_add(&l, &w.count, sizeof w.count);
    gpu_add(&l, &w.stride[0][0], sizeof(int64_t));
    gpu_add(&l, &w.stride[1][0], sizeof(int64_t));
    return gpu_run_flat(&l, &variant, "flat", w.count);
}

LB_METHOD(lbo_unary, gpu_cast);
LB_METHOD(lbo_unary, gpu_copy);

static lb_status gpu_cast(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_cast, slot, context, x, call);
    lbo_tensor *const out = call->out[0];

    if (out->storage->device != x->storage->device ||
        (!gpu_knows(call) && out->dtype != x->dtype))
        return lb_next_lbo_unary(self, context, x, call);
    return convert(out, x);
}

/* Where both ends are here; else it is the general method's. */
static lb_status gpu_copy(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_copy, slot, context, x, call);
    lbo_tensor *const out = call->out[0];

    if (out->storage->device != x->storage->device || out->dtype != x->dtype)
        return lb_next_lbo_unary(self, context, x, call);
    return convert(out, x);
}

lb_status gpu_register_copy(gpu_device *device, lb_group *group)
{
    lbo_kernel kernels[2 * LBO_DTYPE_COUNT];

    for (int dtype = 0; dtype < LBO_DTYPE_COUNT; dtype++) {
        kernels[2 * dtype] = (lbo_kernel){"cast", LB_DESCRIPTOR(gpu_cast),
                                          (int8_t)dtype, -1, NULL};
        kernels[2 * dtype + 1] = (lbo_kernel){"copy", LB_DESCRIPTOR(gpu_copy),
                                              (int8_t)dtype, -1, NULL};
    }
    return lbo_register_kernels(device->library, group, device->device, kernels,
                                sizeof kernels / sizeof *kernels);
}
