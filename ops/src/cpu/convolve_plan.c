/* convolve_plan.c - convolution as products of matrices.
 *
 *   1. each image becomes columns (columns_type.h): what lies under the kernel
 *      at each of its places
 *   2. result = weight x columns, image by image, group by group
 *   3. by the input: columns = weight^T x gradient, added back to the image
 *   4. by the weight: the sum of gradient x columns^T
 * Columns of large images are made for some rows of places at a time, so that
 * they stay in the cache. Kernels of 1 x 1 need none: the image is its columns.
 * (K. Chellapilla, S. Puri, P. Simard, "High Performance Convolutional Neural
 * Networks for Document Processing", 2006.)
 */
#include "cpu/product.h"

#include <string.h>

/* What columns may take, in bytes; a row of places at least. */
enum { COLUMNS_BYTES = 1 << 20 };

/* Of one group of one image. */
typedef struct shape {
    const lbo_conv2d_attributes *by;
    int64_t images, groups;
    int64_t channels, results; /* of a group */
    int64_t h, w, kh, kw, out_h, out_w;
    int64_t taps;   /* rows of the columns */
    int64_t places; /* out_h * out_w */
    size_t size;    /* of an element */
    bool f32;
    bool direct; /* the image is its columns */
} shape;

typedef struct range {
    int64_t first, last;
} range;

static int64_t divide_up(int64_t a, int64_t b)
{
    return a <= 0 ? 0 : (a + b - 1) / b;
}

/* The places in a row at which the kernel's column x is inside the image. */
static range columns_inside(const shape *s, int64_t x)
{
    const int64_t begin = s->by->padding[1] - x * s->by->dilation[1];
    range inside = {divide_up(begin, s->by->stride[1]),
                    divide_up(begin + s->w, s->by->stride[1])};

    if (inside.first > s->out_w)
        inside.first = s->out_w;
    if (inside.last > s->out_w)
        inside.last = s->out_w;
    if (inside.last < inside.first)
        inside.last = inside.first;
    return inside;
}

#define TYPE float
#define NAME(name) name##_f32
#include "cpu/columns_type.h"

#define TYPE double
#define NAME(name) name##_f64
#include "cpu/columns_type.h"

static shape describe(const lbo_conv2d_attributes *by, const lbo_tensor *x,
                      const lbo_tensor *weight, const lbo_tensor *result)
{
    const int64_t *const in = x->dims, *const w = weight->dims;
    const int64_t *const out = result->dims;
    shape s = {.by = by,
               .images = in[0],
               .groups = by->groups,
               .channels = in[1] / by->groups,
               .results = w[0] / by->groups,
               .h = in[2],
               .w = in[3],
               .kh = w[2],
               .kw = w[3],
               .out_h = out[2],
               .out_w = out[3],
               .taps = w[1] * w[2] * w[3],
               .places = out[2] * out[3],
               .size = lbo_dtype_size((lbo_dtype)x->dtype),
               .f32 = x->dtype == LBO_F32};

    s.direct = s.kh == 1 && s.kw == 1 && s.h == s.out_h && s.w == s.out_w &&
               by->padding[0] == 0 && by->padding[1] == 0;
    return s;
}

static void *at_element(const lbo_tensor *tensor, int64_t index, size_t size)
{
    return (char *)tensor->data + index * (int64_t)size;
}

/* Memory for the columns of `rows` rows of places. */
typedef struct work {
    void *columns; /* NULL: none are needed */
    size_t bytes;
    int64_t rows;
} work;

static lb_status work_begin(lbo_context *context, const shape *s, work *w)
{
    int64_t line;

    w->columns = NULL;
    w->rows = s->out_h;
    if (__builtin_mul_overflow(s->taps, s->out_w * (int64_t)s->size, &line))
        return lbo_fail(LB_NO_MEMORY, "no memory for columns of %lld by %lld",
                        (long long)s->taps, (long long)s->out_w);
    if (s->direct || line == 0)
        return LB_OK;
    if (w->rows > COLUMNS_BYTES / line)
        w->rows = COLUMNS_BYTES / line > 0 ? COLUMNS_BYTES / line : 1;
    w->bytes = (size_t)(w->rows * line);
    w->columns = lbo_scratch(context, w->bytes);
    return w->columns == NULL ? LB_NO_MEMORY : LB_OK;
}

static void work_end(lbo_context *context, work *w)
{
    if (w->columns != NULL)
        lbo_scratch_free(context, w->columns, w->bytes);
}

static void columns(void *images, const shape *s, int64_t first, int64_t last,
                    void *to, bool back)
{
    if (s->f32)
        columns_f32(images, s, first, last, to, back);
    else
        columns_f64(images, s, first, last, to, back);
}

/* One block of rows of places of one group of one image: the product `p` knows
 * its sizes. x, weight, y: the group's parts; y moved to the block. */
typedef struct part {
    char *x, *weight, *y;
    int64_t first, last; /* rows of places */
} part;

static void forward_part(const shape *s, const work *w, const part *at,
                         bool add, lboi_gemm_fn gemm)
{
    const int64_t count = (at->last - at->first) * s->out_w;
    lboi_gemm p = {.m = s->results,
                   .n = count,
                   .k = s->taps,
                   .a = at->weight,
                   .a_row = s->taps,
                   .a_column = 1,
                   .b = s->direct ? at->x : w->columns,
                   .b_row = count,
                   .b_column = 1,
                   .c = at->y,
                   .c_row = s->places,
                   .add = add};

    if (!s->direct)
        columns(at->x, s, at->first, at->last, w->columns, false);
    gemm(&p);
}

/* y is the gradient, x (zeroed) the result. */
static void input_part(const shape *s, const work *w, const part *at, bool add,
                       lboi_gemm_fn gemm)
{
    const int64_t count = (at->last - at->first) * s->out_w;
    lboi_gemm p = {.m = s->taps,
                   .n = count,
                   .k = s->results,
                   .a = at->weight,
                   .a_row = 1,
                   .a_column = s->taps,
                   .b = at->y,
                   .b_row = s->places,
                   .b_column = 1,
                   .c = s->direct ? at->x : w->columns,
                   .c_row = count};

    (void)add;
    gemm(&p);
    if (!s->direct)
        columns(at->x, s, at->first, at->last, w->columns, true);
}

/* y is the gradient, weight (zeroed) the result. */
static void weight_part(const shape *s, const work *w, const part *at, bool add,
                        lboi_gemm_fn gemm)
{
    const int64_t count = (at->last - at->first) * s->out_w;
    lboi_gemm p = {.m = s->results,
                   .n = s->taps,
                   .k = count,
                   .a = at->y,
                   .a_row = s->places,
                   .a_column = 1,
                   .b = s->direct ? at->x : w->columns,
                   .b_row = 1,
                   .b_column = count,
                   .c = at->weight,
                   .c_row = s->taps,
                   .add = true};

    (void)add;
    if (!s->direct)
        columns(at->x, s, at->first, at->last, w->columns, false);
    gemm(&p);
}

typedef void (*part_fn)(const shape *s, const work *w, const part *at, bool add,
                        lboi_gemm_fn gemm);

/* All images, groups and blocks. */
static lb_status each_part(lbo_context *context, const shape *s,
                           const lbo_tensor *x, const lbo_tensor *weight,
                           const lbo_tensor *y, bool add, part_fn run,
                           lboi_gemm_fn gemm)
{
    work w;
    lb_status status = work_begin(context, s, &w);

    if (status != LB_OK)
        return status;
    for (int64_t i = 0; i < s->images * s->groups; i++)
        for (int64_t row = 0; row < s->out_h; row += w.rows) {
            const int64_t end = row + w.rows;
            const part at = {
                .x = at_element(x, i * s->channels * s->h * s->w, s->size),
                .weight = at_element(
                    weight, i % s->groups * s->results * s->taps, s->size),
                .y = at_element(y, i * s->results * s->places + row * s->out_w,
                                s->size),
                .first = row,
                .last = end < s->out_h ? end : s->out_h};
            run(s, &w, &at, add, gemm);
        }
    work_end(context, &w);
    return LB_OK;
}

static lb_status forward(lbo_context *context, const lbo_call *call,
                         const lboi_dense *at, lboi_gemm_fn gemm)
{
    lbo_tensor *const bias = at->in[2], *const out = at->out[0];
    const shape s = describe(call->attributes, at->in[0], at->in[1], out);

    if (out->size == 0)
        return LB_OK;
    if (bias != NULL && s.f32)
        bias_images_f32(bias->data, s.images, out->dims[1], s.places,
                        out->data);
    else if (bias != NULL)
        bias_images_f64(bias->data, s.images, out->dims[1], s.places,
                        out->data);
    return each_part(context, &s, at->in[0], at->in[1], out, bias != NULL,
                     forward_part, gemm);
}

lb_status lboi_conv2d_by(lbo_context *context, lbo_call *call,
                         lboi_gemm_fn gemm)
{
    lboi_dense at;
    lb_status status = lboi_dense_begin(context, call, &at);

    if (status == LB_OK)
        status = forward(context, call, &at, gemm);
    return lboi_dense_end(context, call, &at, status);
}

/* Nothing of `like` is read: it need not be made row-major. */
static lb_status begin_backward(lbo_context *context, lbo_call *call,
                                lbo_call *shown, lboi_dense *at)
{
    *shown = *call;
    shown->in_count = 2;
    const lb_status status = lboi_dense_begin(context, shown, at);
    if (status == LB_OK)
        memset(at->out[0]->data, 0, lbo_tensor_bytes(at->out[0]));
    return status;
}

lb_status lboi_conv2d_backward_input_by(lbo_context *context, lbo_call *call,
                                        lboi_gemm_fn gemm)
{
    lbo_call shown;
    lboi_dense at;
    lb_status status = begin_backward(context, call, &shown, &at);

    if (status == LB_OK && at.out[0]->size > 0 && at.in[0]->size > 0) {
        const shape s =
            describe(call->attributes, at.out[0], at.in[1], at.in[0]);
        status = each_part(context, &s, at.out[0], at.in[1], at.in[0], false,
                           input_part, gemm);
    }
    return lboi_dense_end(context, &shown, &at, status);
}

lb_status lboi_conv2d_backward_weight_by(lbo_context *context, lbo_call *call,
                                         lboi_gemm_fn gemm)
{
    lbo_call shown;
    lboi_dense at;
    lb_status status = begin_backward(context, call, &shown, &at);

    if (status == LB_OK && at.out[0]->size > 0 && at.in[0]->size > 0) {
        const shape s =
            describe(call->attributes, at.in[1], at.out[0], at.in[0]);
        status = each_part(context, &s, at.in[1], at.out[0], at.in[0], false,
                           weight_part, gemm);
    }
    return lboi_dense_end(context, &shown, &at, status);
}
