/* reduce.c - sums, means, variances, the greatest and the least.
 *
 * 1. the input's dimensions are parted: those that stay (the walk `outside`,
 *    with the result's strides) and those that go (`inside`)
 * 2. few results of many elements: a group of threads per result; else a thread
 * 3. very few results of very many elements: sums are made in parts first
 */
#include "gpu.h"

#include <math.h>
#include <string.h>

enum { LANES = 128, FEW = 64, MANY = 1 << 16, PARTS = 64 };

typedef struct parted {
    gpu_walk outside, inside;
} parted;

/* The dimensions that go, as bits; they were checked when the call was. */
static uint32_t mask_of(const lbo_dims *dims, uint32_t ndim)
{
    uint32_t mask = dims->count < 0 ? (1u << ndim) - 1 : 0;

    for (int32_t i = 0; i < dims->count; i++)
        if (ndim > 0)
            mask |= 1u << (dims->at[i] < 0 ? dims->at[i] + (int64_t)ndim
                                           : dims->at[i]);
    return mask;
}

static void part_dims(const lbo_tensor *x, const lbo_tensor *out,
                      const lbo_reduce_attributes *by, parted *p)
{
    const uint32_t mask = mask_of(&by->dims, x->ndim);
    int64_t kept[2][LBO_MAX_DIMS], gone[1][LBO_MAX_DIMS];
    int64_t kept_shape[LBO_MAX_DIMS], gone_shape[LBO_MAX_DIMS];
    size_t kept_count = 0, gone_count = 0, at = 0;

    for (uint32_t i = 0; i < x->ndim; i++) {
        if (mask >> i & 1) {
            gone_shape[gone_count] = x->dims[i];
            gone[0][gone_count++] = lbo_strides(x)[i];
            at += by->keep;
            continue;
        }
        kept_shape[kept_count] = x->dims[i];
        kept[0][kept_count] = lbo_strides(out)[at++];
        kept[1][kept_count++] = lbo_strides(x)[i];
    }
    gpu_walk_strides(&p->outside, kept_count, kept_shape, 2, kept);
    gpu_walk_strides(&p->inside, gone_count, gone_shape, 1, gone);
}

/* Threads per result. */
static int32_t lanes_for(const parted *p)
{
    const bool together = p->inside.stride[0][0] == 1;

    return p->inside.count >= 32 && (together || p->outside.count < 4096)
               ? LANES
               : 1;
}

/* `extra` arguments come after the walks. */
static lb_status run(const parted *p, gpu_launch *l, const char *source_kernel,
                     gpu_variant *variant, int64_t results,
                     const gpu_argument *extra, size_t extra_count)
{
    gpu_add(l, &p->outside, sizeof p->outside);
    gpu_add(l, &p->inside, sizeof p->inside);
    for (size_t i = 0; i < extra_count; i++)
        gpu_add(l, extra[i].value, extra[i].size);
    variant->source = gpu_source_reduce;
    variant->number = lanes_for(p);
    return variant->number == 1
               ? gpu_run_flat(l, variant, source_kernel, results)
               : gpu_run(l, variant, source_kernel, results, LANES);
}

/* ---- sums ---------------------------------------------------------------- */

typedef union divisor {
    float f32;
    double f64;
    int64_t i64;
} divisor;

/* What is added up in: i64, or the widest floating type. */
static int8_t total_type(const gpu_device *device, const lbo_tensor *out)
{
    if (lbo_dtype_kind((lbo_dtype)out->dtype) != LBO_KIND_FLOATING)
        return LBO_I64;
    return device->wide ? LBO_F64 : LBO_F32;
}

static divisor divisor_of(double value, int8_t type)
{
    return type == LBO_I64   ? (divisor){.i64 = (int64_t)value}
           : type == LBO_F64 ? (divisor){.f64 = value}
                             : (divisor){.f32 = (float)value};
}

static lb_status add_up(const parted *p, lbo_tensor *x, lbo_tensor *out,
                        const char *kernel, double by, int64_t parts)
{
    gpu_device *const device = gpu_of(x);
    const int8_t total = total_type(device, out);
    const divisor d = divisor_of(by, total);
    const int64_t chunk = (p->inside.count + parts - 1) / parts;
    const gpu_argument extra[] = {{&d, lbo_dtype_size((lbo_dtype)total)},
                                  {&parts, sizeof parts},
                                  {&chunk, sizeof chunk}};
    gpu_variant variant = {
        .types = {(int8_t)out->dtype, (int8_t)x->dtype, total, -1}};
    gpu_launch l;

    gpu_begin(&l, device);
    gpu_add_tensor(&l, out);
    gpu_add_tensor(&l, x);
    return run(p, &l, kernel, &variant, p->outside.count * parts, extra,
               strcmp(kernel, "sum") == 0 ? 3 : 1);
}

/* Parts of all results lie in a tensor [results, parts], which is added up. */
static lb_status add_up_parts(lbo_context *context, const parted *p,
                              lbo_tensor *x, lbo_tensor *out, double by)
{
    const int64_t shape[] = {p->outside.count, PARTS};
    parted first = *p, second = *p;
    lbo_tensor *between = NULL;
    lb_status status = gpu_temporary(context, x, total_type(gpu_of(x), out), 2,
                                     shape, &between);

    if (status != LB_OK)
        return status;
    int64_t place = PARTS; /* results in row-major order */
    for (int64_t d = 0; d < p->outside.dims; d++) {
        first.outside.stride[0][d] = place;
        second.outside.stride[1][d] = place;
        place *= p->outside.size[d];
    }
    gpu_walk_strides(&second.inside, 1, (const int64_t[]){PARTS}, 1,
                     (int64_t[1][LBO_MAX_DIMS]){{1}});
    status = add_up(&first, x, between, "sum", 1, PARTS);
    if (status == LB_OK)
        status = add_up(&second, between, out, "sum", by, 1);
    lbo_tensor_release(between);
    return status;
}

static lb_status sum_or_mean(lbo_context *context, lbo_tensor *x,
                             lbo_call *call, bool mean)
{
    lbo_tensor *const out = call->out[0];
    parted p;

    if (x->size == 0)
        return lbo_fill(context, out, mean ? (double)NAN : 0);
    part_dims(x, out, call->attributes, &p);
    const double by = mean ? (double)p.inside.count : 1;
    return p.outside.count < FEW && p.inside.count >= MANY
               ? add_up_parts(context, &p, x, out, by)
               : add_up(&p, x, out, "sum", by, 1);
}

LB_METHOD(lbo_unary, gpu_sum);
static lb_status gpu_sum(lb_slot slot, lbo_context *context, lbo_tensor *x,
                         lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_sum, slot, context, x, call);
    return gpu_knows(call) ? sum_or_mean(context, x, call, false)
                           : lb_next_lbo_unary(self, context, x, call);
}

LB_METHOD(lbo_unary, gpu_mean);
static lb_status gpu_mean(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_mean, slot, context, x, call);
    return gpu_knows(call) ? sum_or_mean(context, x, call, true)
                           : lb_next_lbo_unary(self, context, x, call);
}

LB_METHOD(lbo_unary, gpu_var);
static lb_status gpu_var(lb_slot slot, lbo_context *context, lbo_tensor *x,
                         lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_var, slot, context, x, call);
    const lbo_reduce_attributes *const by = call->attributes;
    parted p;

    if (!gpu_knows(call))
        return lb_next_lbo_unary(self, context, x, call);
    if (x->size == 0)
        return lbo_fill(context, call->out[0], (double)NAN);
    part_dims(x, call->out[0], by, &p);
    const double left = (double)p.inside.count - by->correction;
    return add_up(&p, x, call->out[0], "variance", left > 0 ? left : 0, 1);
}

/* ---- choices ------------------------------------------------------------- */

typedef struct choice {
    const char *better;
    int32_t place;
} choice;

/* For all types: an integer is always equal to itself. */
static const choice greatest = {"a > b || (a != a && b == b)", 0};
static const choice least = {"a < b || (a != a && b == b)", 0};
static const choice where_greatest = {"a > b || (a != a && b == b)", 1};

LB_METHOD(lbo_unary, gpu_choose);
static lb_status gpu_choose(lb_slot slot, lbo_context *context, lbo_tensor *x,
                            lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_choose, slot, context, x, call);
    const choice *const by = self->context;
    lbo_tensor *const out = call->out[0];
    gpu_variant variant = {
        .expression = by->better,
        .types = {(int8_t)out->dtype, (int8_t)x->dtype, LBO_I64, -1}};
    const gpu_argument extra = {&by->place, sizeof by->place};
    gpu_launch l;
    parted p;

    if (!gpu_knows(call))
        return lb_next_lbo_unary(self, context, x, call);
    if (out->size == 0)
        return LB_OK;
    part_dims(x, out, call->attributes, &p);
    gpu_begin(&l, gpu_of(x));
    gpu_add_tensor(&l, out);
    gpu_add_tensor(&l, x);
    return run(&p, &l, "choose", &variant, p.outside.count, &extra, 1);
}

lb_status gpu_register_reduce(gpu_device *device, lb_group *group)
{
    lbo_kernel kernels[6 * LBO_DTYPE_COUNT];
    size_t count = 0;

    for (int8_t d = 0; d < LBO_DTYPE_COUNT; d++) {
        if (d == LBO_F16 || d == LBO_BF16 || (d == LBO_F64 && !device->wide))
            continue;
        const lbo_kernel all[] = {
            {"sum", LB_DESCRIPTOR(gpu_sum), d, -1, NULL},
            {"mean", LB_DESCRIPTOR(gpu_mean), d, -1, NULL},
            {"max", LB_DESCRIPTOR(gpu_choose), d, -1,
             (void *)(uintptr_t)&greatest},
            {"min", LB_DESCRIPTOR(gpu_choose), d, -1,
             (void *)(uintptr_t)&least},
            {"argmax", LB_DESCRIPTOR(gpu_choose), d, -1,
             (void *)(uintptr_t)&where_greatest},
            {"var", LB_DESCRIPTOR(gpu_var), d, -1, NULL}};
        const size_t some = d >= LBO_F32 ? 6 : 5;
        memcpy(kernels + count, all, some * sizeof *all);
        count += some;
    }
    return lbo_register_kernels(device->library, group, device->device, kernels,
                                count);
}
