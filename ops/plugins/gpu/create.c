/* create.c - tensors made from nothing: fill, arange, random numbers. */
#include "gpu.h"

#include <math.h>
#include <string.h>

LB_METHOD(lbo_unary, gpu_fill);
LB_METHOD(lbo_unary, gpu_arange);
LB_METHOD(lbo_unary, gpu_uniform);
LB_METHOD(lbo_unary, gpu_normal);
LB_METHOD(lbo_unary, gpu_dropout);

/* ---- fill ---------------------------------------------------------------- */

/* The bits of an element. */
static void element_of(const lbo_fill_attributes *by, uint8_t dtype,
                       unsigned char *bits)
{
    const int32_t narrow = (int32_t)(uint32_t)(uint64_t)by->integer;
    const uint8_t byte =
        dtype == LBO_BOOL ? by->integer != 0 : (uint8_t)(uint64_t)by->integer;
    const float real = (float)by->real;
    const uint16_t half =
        dtype == LBO_F16 ? lbo_f32_to_f16(real) : lbo_f32_to_bf16(real);
    const void *const values[LBO_DTYPE_COUNT] = {
        &byte, &byte, &byte, &narrow,  &by->integer,
        &half, &half, &real, &by->real};

    memcpy(bits, values[dtype], lbo_dtype_size((lbo_dtype)dtype));
}

/* Integers stand for all types of their size: a device needs no f64 for it. */
static lb_status gpu_fill(lb_slot slot, lbo_context *context, lbo_tensor *out,
                          lbo_call *call)
{
    static const int8_t by_size[] = {
        [1] = LBO_U8, [2] = LBO_F16, [4] = LBO_I32, [8] = LBO_I64};
    const size_t size = lbo_dtype_size((lbo_dtype)out->dtype);
    const gpu_variant variant = {.source = gpu_source_elementwise,
                                 .expression = "p",
                                 .types = {by_size[size], -1, -1, -1}};
    _Alignas(8) unsigned char bits[8] = {0};
    gpu_launch l;
    gpu_walk w;

    LB_IGNORE(slot);
    (void)context;
    element_of(call->attributes, out->dtype, bits);
    gpu_begin(&l, gpu_of(out));
    gpu_add_tensor(&l, out);
    gpu_add(&l, bits, size);
    gpu_add(&l, bits, size);
    gpu_walk_init(&w, out->ndim, lbo_shape(out), 1, &out);
    gpu_add(&l, &w, sizeof w);
    return gpu_run_flat(&l, &variant, "strided", w.count);
}

/* ---- arange -------------------------------------------------------------- */

static lb_status gpu_arange(lb_slot slot, lbo_context *context, lbo_tensor *out,
                            lbo_call *call)
{
    const lbo_arange_attributes *const by = call->attributes;
    const gpu_variant variant = {.source = gpu_source_create,
                                 .types = {(int8_t)out->dtype, -1, -1, -1}};
    const float narrow[] = {(float)by->start, (float)by->step};
    const bool wide = gpu_of(out)->wide;
    gpu_launch l;

    LB_IGNORE(slot);
    (void)context;
    gpu_begin(&l, gpu_of(out));
    gpu_add_tensor(&l, out);
    gpu_add(&l, &out->size, sizeof out->size);
    gpu_add(&l, &lbo_strides(out)[0], sizeof(int64_t));
    gpu_add(&l, wide ? (const void *)&by->start : &narrow[0], wide ? 8 : 4);
    gpu_add(&l, wide ? (const void *)&by->step : &narrow[1], wide ? 8 : 4);
    return gpu_run_flat(&l, &variant, "arange", out->size);
}

/* ---- random numbers ------------------------------------------------------ */

static lb_status random_numbers(lbo_tensor *out,
                                const lbo_random_attributes *by,
                                const char *kernel)
{
    const gpu_variant variant = {.source = gpu_source_random,
                                 .types = {(int8_t)out->dtype, -1, -1, -1}};
    const float a = (float)by->a, b = (float)by->b;
    const float last = a < b ? nextafterf(b, a) : b;
    gpu_launch l;
    gpu_walk w;

    gpu_begin(&l, gpu_of(out));
    gpu_add_tensor(&l, out);
    gpu_add(&l, &by->seed, sizeof by->seed);
    gpu_add(&l, &by->offset, sizeof by->offset);
    gpu_add(&l, &a, sizeof a);
    gpu_add(&l, &b, sizeof b);
    gpu_add(&l, &last, sizeof last);
    gpu_walk_init(&w, out->ndim, lbo_shape(out), 1, &out);
    gpu_add(&l, &w, sizeof w);
    return gpu_run_flat(&l, &variant, kernel, (w.count + 3) / 4);
}

static lb_status gpu_uniform(lb_slot slot, lbo_context *context,
                             lbo_tensor *out, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    return random_numbers(out, call->attributes, "uniform_numbers");
}

static lb_status gpu_normal(lb_slot slot, lbo_context *context, lbo_tensor *out,
                            lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    return random_numbers(out, call->attributes, "normal_numbers");
}

static lb_status gpu_dropout(lb_slot slot, lbo_context *context, lbo_tensor *x,
                             lbo_call *call)
{
    const lbo_dropout_attributes *const by = call->attributes;
    lbo_tensor *const operands[] = {call->out[0], call->out[1], x};
    const gpu_variant variant = {
        .source = gpu_source_random,
        .types = {(int8_t)x->dtype, (int8_t)x->dtype, -1, -1}};
    const float p = (float)by->p;
    const double scale = 1 / (1 - by->p);
    const float narrow = (float)scale;
    gpu_launch l;
    gpu_walk w;

    LB_IGNORE(slot);
    (void)context;
    gpu_begin(&l, gpu_of(x));
    for (int i = 0; i < 3; i++)
        gpu_add_tensor(&l, operands[i]);
    gpu_add(&l, &by->seed, sizeof by->seed);
    gpu_add(&l, &by->offset, sizeof by->offset);
    gpu_add(&l, &p, sizeof p);
    if (x->dtype == LBO_F64)
        gpu_add(&l, &scale, sizeof scale);
    else
        gpu_add(&l, &narrow, sizeof narrow);
    gpu_walk_init(&w, x->ndim, lbo_shape(x), 3, operands);
    gpu_add(&l, &w, sizeof w);
    return gpu_run_flat(&l, &variant, "dropout", (w.count + 3) / 4);
}

/* ---- registering --------------------------------------------------------- */

lb_status gpu_register_create(gpu_device *device, lb_group *group)
{
    lbo_kernel kernels[5 * LBO_DTYPE_COUNT];
    size_t count = 0;

    for (int8_t d = 0; d < LBO_DTYPE_COUNT; d++) {
        const bool integers = d == LBO_I32 || d == LBO_I64;
        kernels[count++] =
            (lbo_kernel){"fill", LB_DESCRIPTOR(gpu_fill), d, -1, NULL};
        if (!device->wide && (d == LBO_F64 || integers))
            continue;
        kernels[count++] =
            (lbo_kernel){"arange", LB_DESCRIPTOR(gpu_arange), d, -1, NULL};
        if (d < LBO_F16)
            continue;
        kernels[count++] =
            (lbo_kernel){"uniform", LB_DESCRIPTOR(gpu_uniform), d, -1, NULL};
        kernels[count++] =
            (lbo_kernel){"normal", LB_DESCRIPTOR(gpu_normal), d, -1, NULL};
        kernels[count++] =
            (lbo_kernel){"dropout", LB_DESCRIPTOR(gpu_dropout), d, -1, NULL};
    }
    return lbo_register_kernels(device->library, group, device->device, kernels,
                                count);
}
