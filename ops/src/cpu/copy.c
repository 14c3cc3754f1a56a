/* copy.c - the CPU's kernels of cast and copy: for all types, all strides. */
#include "cpu/tables.h"
#include "tensor/convert.h"
#include "tensor/transfer.h"

LB_METHOD(lbo_unary, cpu_cast);
static lb_status cpu_cast(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    lboi_convert_host(call->out[0], x);
    return LB_OK;
}

LB_METHOD(lbo_unary, cpu_copy_tensor);
static lb_status cpu_copy_tensor(lb_slot slot, lbo_context *context,
                                 lbo_tensor *x, lbo_call *call)
{
    LB_IGNORE(slot);
    return lboi_transfer(context, call->out[0], x);
}

static const lbo_kernel kernels[] = {
    {"cast", LB_DESCRIPTOR(cpu_cast), LBO_ANY_DTYPE, LBO_ANY_DTYPE, NULL},
    {"copy", LB_DESCRIPTOR(cpu_copy_tensor), LBO_ANY_DTYPE, LBO_ANY_DTYPE,
     NULL},
};

const lboi_table lboi_cpu_copy = {kernels, sizeof kernels / sizeof *kernels};
