/* product.c - matmul and linear by the portable product. */
#include "cpu/product.h"
#include "cpu/tables.h"

LB_METHOD(lbo_binary, matmul_portable);
LB_METHOD(lbo_binary, linear_portable);

static lb_status matmul_portable(lb_slot slot, lbo_context *context,
                                 lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)b;
    return lboi_matmul_by(context, call, lboi_portable_gemm[a->dtype]);
}

static lb_status linear_portable(lb_slot slot, lbo_context *context,
                                 lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)b;
    return lboi_linear_by(context, call, lboi_portable_gemm[a->dtype]);
}

#define MATMUL(type)                                                           \
    {                                                                          \
        "matmul", LB_DESCRIPTOR(matmul_portable), type, type, NULL             \
    }
#define LINEAR(type)                                                           \
    {                                                                          \
        "linear", LB_DESCRIPTOR(linear_portable), type, type, NULL             \
    }

static const lbo_kernel kernels[] = {
    MATMUL(LBO_U8),  MATMUL(LBO_I8),  MATMUL(LBO_I32), MATMUL(LBO_I64),
    MATMUL(LBO_F32), MATMUL(LBO_F64), LINEAR(LBO_F32), LINEAR(LBO_F64),
};

const lboi_table lboi_cpu_product = {kernels, sizeof kernels / sizeof *kernels};
