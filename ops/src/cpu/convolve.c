/* convolve.c - convolution by the portable product. */
#include "cpu/product.h"
#include "cpu/tables.h"

LB_METHOD(lbo_binary, conv2d_portable);
LB_METHOD(lbo_binary, conv2d_backward_input_portable);
LB_METHOD(lbo_binary, conv2d_backward_weight_portable);

static lb_status conv2d_portable(lb_slot slot, lbo_context *context,
                                 lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)b;
    return lboi_conv2d_by(context, call, lboi_portable_gemm[a->dtype]);
}

static lb_status conv2d_backward_input_portable(lb_slot slot,
                                                lbo_context *context,
                                                lbo_tensor *a, lbo_tensor *b,
                                                lbo_call *call)
{
    LB_IGNORE(slot);
    (void)b;
    return lboi_conv2d_backward_input_by(context, call,
                                         lboi_portable_gemm[a->dtype]);
}

static lb_status conv2d_backward_weight_portable(lb_slot slot,
                                                 lbo_context *context,
                                                 lbo_tensor *a, lbo_tensor *b,
                                                 lbo_call *call)
{
    LB_IGNORE(slot);
    (void)b;
    return lboi_conv2d_backward_weight_by(context, call,
                                          lboi_portable_gemm[a->dtype]);
}

#define KERNEL(op, type)                                                       \
    {                                                                          \
#op, LB_DESCRIPTOR(op##_portable), type, type, NULL                    \
    }

static const lbo_kernel kernels[] = {
    KERNEL(conv2d, LBO_F32),
    KERNEL(conv2d, LBO_F64),
    KERNEL(conv2d_backward_input, LBO_F32),
    KERNEL(conv2d_backward_input, LBO_F64),
    KERNEL(conv2d_backward_weight, LBO_F32),
    KERNEL(conv2d_backward_weight, LBO_F64),
};

const lboi_table lboi_cpu_convolve = {kernels,
                                      sizeof kernels / sizeof *kernels};
