/* create.c - the CPU's kernels of fill and arange: any type, any strides. */
#include "cpu/copy.h"
#include "cpu/tables.h"
#include "latebind/ops/kernel.h"

#include <string.h>

enum { BLOCK = 4096 };

/* A run of equal elements: by whole blocks where they lie together. */
typedef struct pattern {
    size_t size;  /* of an element */
    size_t bytes; /* of the block that is filled so far */
    char block[BLOCK];
} pattern;

static void fill_packed(pattern *p, char *to, size_t bytes)
{
    while (p->bytes < bytes && p->bytes < BLOCK) {
        memcpy(p->block + p->bytes, p->block, p->bytes);
        p->bytes *= 2;
    }
    for (size_t done = 0; done < bytes; done += p->bytes)
        memcpy(to + done, p->block,
               bytes - done < p->bytes ? bytes - done : p->bytes);
}

void lboi_fill_host(lbo_tensor *to, const void *element)
{
    const size_t size = lbo_dtype_size((lbo_dtype)to->dtype);
    pattern p = {.size = size, .bytes = size};
    lbo_walk walk;

    memcpy(p.block, element, size);
    lbo_walk_init(&walk, to->ndim, lbo_shape(to), 1, &to);
    do {
        if (walk.step[0] == (int64_t)size)
            fill_packed(&p, walk.at[0], (size_t)walk.count * size);
        else
            for (int64_t i = 0; i < walk.count; i++)
                memcpy(walk.at[0] + i * walk.step[0], p.block, size);
    } while (lbo_walk_next(&walk));
}

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
