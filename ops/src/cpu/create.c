/* create.c - the CPU's kernels of fill and arange: any type, any strides. */
#include "cpu/tables.h"
#include "tensor/convert.h"

LB_METHOD(lbo_unary, cpu_fill);
static lb_status cpu_fill(lb_slot slot, lbo_context *context, lbo_tensor *out,
                          lbo_call *call)
{
    const lbo_fill_attributes *const attributes = call->attributes;
    const lbo_dtype dtype = (lbo_dtype)out->dtype;
    const bool real = lbo_dtype_kind(dtype) == LBO_KIND_FLOATING;
    _Alignas(8) char element[8];

    LB_IGNORE(slot);
    (void)context;
    lboi_converter(dtype, real ? LBO_F64 : LBO_I64)(
        element, 8,
        real ? (const char *)&attributes->real
             : (const char *)&attributes->integer,
        8, 1);
    lboi_fill_host(out, element);
    return LB_OK;
}

/* In f64, converted by the hundred. */
LB_METHOD(lbo_unary, cpu_arange);
static lb_status cpu_arange(lb_slot slot, lbo_context *context, lbo_tensor *out,
                            lbo_call *call)
{
    const lbo_arange_attributes *const attributes = call->attributes;
    lboi_convert_fn *const convert =
        lboi_converter((lbo_dtype)out->dtype, LBO_F64);
    const int64_t step =
        lbo_strides(out)[0] * (int64_t)lbo_dtype_size((lbo_dtype)out->dtype);
    enum { CHUNK = 128 };
    double numbers[CHUNK];

    LB_IGNORE(slot);
    (void)context;
    for (int64_t at = 0; at < out->size; at += CHUNK) {
        const int64_t left = out->size - at;
        const int64_t count = left < CHUNK ? left : CHUNK;
        for (int64_t i = 0; i < count; i++)
            numbers[i] =
                attributes->start + (double)(at + i) * attributes->step;
        convert((char *)out->data + at * step, step, (const char *)numbers,
                sizeof *numbers, count);
    }
    return LB_OK;
}

static const lbo_kernel kernels[] = {
    {"fill", LB_DESCRIPTOR(cpu_fill), LBO_ANY_DTYPE, LBO_ANY_DTYPE, NULL},
    {"arange", LB_DESCRIPTOR(cpu_arange), LBO_ANY_DTYPE, LBO_ANY_DTYPE, NULL},
};

const lboi_table lboi_cpu_create = {kernels, sizeof kernels / sizeof *kernels};
