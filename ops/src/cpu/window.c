/* window.c - pooling: the greatest or the mean of each window of each plane. */
#include "cpu/dense.h"
#include "cpu/tables.h"

#include <string.h>

typedef struct pool {
    const lbo_pool2d_attributes *by;
    int64_t planes; /* images times channels */
    int64_t h, w, out_h, out_w;
} pool;

typedef struct range {
    int64_t first, last;
} range;

/* What of window `i` along a side lies inside of the plane. */
static range window_range(const pool *p, int side, int64_t i, int64_t size)
{
    const int64_t begin = i * p->by->stride[side] - p->by->padding[side];
    const int64_t end = begin + p->by->kernel[side];

    return (range){begin > 0 ? begin : 0, end < size ? end : size};
}

static pool describe(const lbo_pool2d_attributes *by, const lbo_tensor *x,
                     const lbo_tensor *result)
{
    return (pool){.by = by,
                  .planes = x->dims[0] * x->dims[1],
                  .h = x->dims[2],
                  .w = x->dims[3],
                  .out_h = result->dims[2],
                  .out_w = result->dims[3]};
}

#define TYPE float
#define NAME(name) name##_f32
#include "cpu/window_type.h"

#define TYPE double
#define NAME(name) name##_f64
#include "cpu/window_type.h"

LB_METHOD(lbo_unary, max_pool2d);
LB_METHOD(lbo_unary, avg_pool2d);
LB_METHOD(lbo_unary, max_pool2d_backward);
LB_METHOD(lbo_unary, avg_pool2d_backward);

static lb_status max_pool2d(lb_slot slot, lbo_context *context, lbo_tensor *a,
                            lbo_call *call)
{
    lboi_dense at;
    const lb_status status = lboi_dense_begin(context, call, &at);

    LB_IGNORE(slot);
    if (status == LB_OK) {
        const pool p = describe(call->attributes, at.in[0], at.out[0]);
        if (a->dtype == LBO_F32)
            max_planes_f32(&p, at.in[0]->data, at.out[0]->data,
                           at.out[1]->data);
        else
            max_planes_f64(&p, at.in[0]->data, at.out[0]->data,
                           at.out[1]->data);
    }
    return lboi_dense_end(context, call, &at, status);
}

static lb_status avg_pool2d(lb_slot slot, lbo_context *context, lbo_tensor *a,
                            lbo_call *call)
{
    lboi_dense at;
    const lb_status status = lboi_dense_begin(context, call, &at);

    LB_IGNORE(slot);
    if (status == LB_OK) {
        const pool p = describe(call->attributes, at.in[0], at.out[0]);
        if (a->dtype == LBO_F32)
            avg_planes_f32(&p, at.in[0]->data, at.out[0]->data);
        else
            avg_planes_f64(&p, at.in[0]->data, at.out[0]->data);
    }
    return lboi_dense_end(context, call, &at, status);
}

static lb_status bad_index(const lboi_dense *at, int64_t place)
{
    return lbo_fail(LB_BAD_ARGUMENT,
                    "max_pool2d_backward: index %lld (element %lld of indices) "
                    "is outside of a plane of %lld x %lld",
                    (long long)((const int64_t *)at->in[1]->data)[place],
                    (long long)place, (long long)at->out[0]->dims[2],
                    (long long)at->out[0]->dims[3]);
}

static lb_status scatter_max(const lboi_dense *at)
{
    const lbo_tensor *const g = at->in[0], *const out = at->out[0];
    const int64_t planes = g->dims[0] * g->dims[1];
    const int64_t places = g->dims[2] * g->dims[3];
    const int64_t size = out->dims[2] * out->dims[3];
    int64_t bad = 0;

    memset(out->data, 0, lbo_tensor_bytes(out));
    const bool good =
        g->dtype == LBO_F32
            ? max_planes_backward_f32(planes, places, size, g->data,
                                      at->in[1]->data, out->data, &bad)
            : max_planes_backward_f64(planes, places, size, g->data,
                                      at->in[1]->data, out->data, &bad);
    return good ? LB_OK : bad_index(at, bad);
}

/* `like`, the last input, is not read. */
static lb_status max_pool2d_backward(lb_slot slot, lbo_context *context,
                                     lbo_tensor *a, lbo_call *call)
{
    lbo_call shown = *call;
    lboi_dense at;

    LB_IGNORE(slot);
    (void)a;
    shown.in_count = 2;
    lb_status status = lboi_dense_begin(context, &shown, &at);
    if (status == LB_OK)
        status = scatter_max(&at);
    return lboi_dense_end(context, &shown, &at, status);
}

static lb_status avg_pool2d_backward(lb_slot slot, lbo_context *context,
                                     lbo_tensor *a, lbo_call *call)
{
    lbo_call shown = *call;
    lboi_dense at;

    LB_IGNORE(slot);
    shown.in_count = 1;
    const lb_status status = lboi_dense_begin(context, &shown, &at);
    if (status == LB_OK) {
        const pool p = describe(call->attributes, at.out[0], at.in[0]);
        memset(at.out[0]->data, 0, lbo_tensor_bytes(at.out[0]));
        if (a->dtype == LBO_F32)
            avg_planes_backward_f32(&p, at.in[0]->data, at.out[0]->data);
        else
            avg_planes_backward_f64(&p, at.in[0]->data, at.out[0]->data);
    }
    return lboi_dense_end(context, &shown, &at, status);
}

#define KERNEL(op, type)                                                       \
    {                                                                          \
#op, LB_DESCRIPTOR(op), type, LBO_ANY_DTYPE, NULL                      \
    }

static const lbo_kernel kernels[] = {
    KERNEL(max_pool2d, LBO_F32),          KERNEL(max_pool2d, LBO_F64),
    KERNEL(avg_pool2d, LBO_F32),          KERNEL(avg_pool2d, LBO_F64),
    KERNEL(max_pool2d_backward, LBO_F32), KERNEL(max_pool2d_backward, LBO_F64),
    KERNEL(avg_pool2d_backward, LBO_F32), KERNEL(avg_pool2d_backward, LBO_F64),
};

const lboi_table lboi_cpu_window = {kernels, sizeof kernels / sizeof *kernels};
