/* convolve.c - convolutions as products (Chellapilla, Puri, Simard, "High
 * Performance Convolutional Neural Networks for Document Processing", 2006).
 *
 * With K = channels kh kw of one group, P = places of a plane of the result:
 *   forward          rows [images P, K] of x; rows weight^T [images P, out];
 *                    exchanged into [images, out, P], bias added
 *   by the input     g as [images P, out]; g weight [images P, K]; each element
 *                    of x gathers what was made from it
 *   by the weight    g^T rows [out, K]
 * Images are taken so many at a time that the rows stay below a limit.
 */
#include "gpu.h"

#include <string.h>

enum { ROWS_LIMIT = 1 << 26 }; /* elements */

/* As kernels/product.txt has it. */
typedef struct convolution {
    int64_t images, channels, first_channel, all_channels;
    int64_t h, w, kernel_h, kernel_w, out_h, out_w;
    int64_t stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w;
} convolution;

/* A convolution in progress. x and its gradient: [images, channels, h, w]. */
typedef struct plan {
    lbo_context *context;
    convolution v;
    int64_t groups, out_channels; /* of one group */
    int64_t all_images, at_once;
    lbo_tensor *x, *weight, *y; /* or their gradients, row-major */
    lbo_tensor *rows;           /* [at_once P, K] */
    lbo_tensor *turned;         /* [at_once P, out_channels] */
} plan;

static int64_t places_of(const plan *p)
{
    return p->v.out_h * p->v.out_w;
}

static int64_t each_of(const plan *p)
{
    return p->v.channels * p->v.kernel_h * p->v.kernel_w;
}

static void describe(plan *p, const lbo_conv2d_attributes *by, const int64_t *x,
                     const int64_t *weight, const int64_t *y)
{
    p->groups = by->groups;
    p->out_channels = weight[0] / by->groups;
    p->all_images = x[0];
    p->v = (convolution){.channels = weight[1],
                         .all_channels = x[1],
                         .h = x[2],
                         .w = x[3],
                         .kernel_h = weight[2],
                         .kernel_w = weight[3],
                         .out_h = y[2],
                         .out_w = y[3],
                         .stride_h = by->stride[0],
                         .stride_w = by->stride[1],
                         .padding_h = by->padding[0],
                         .padding_w = by->padding[1],
                         .dilation_h = by->dilation[0],
                         .dilation_w = by->dilation[1]};
    const int64_t image = places_of(p) * each_of(p);
    const int64_t most = image > 0 ? ROWS_LIMIT / image : 1;
    p->at_once = most < 1 ? 1 : most > p->all_images ? p->all_images : most;
}

static lb_status begin(plan *p, const lbo_tensor *like)
{
    const int64_t rows = p->at_once * places_of(p);
    lb_status status =
        gpu_temporary(p->context, like, like->dtype, 2,
                      (const int64_t[]){rows, each_of(p)}, &p->rows);

    if (status == LB_OK)
        status =
            gpu_temporary(p->context, like, like->dtype, 2,
                          (const int64_t[]){rows, p->out_channels}, &p->turned);
    return status;
}

static void end(plan *p)
{
    lbo_tensor_release(p->rows);
    lbo_tensor_release(p->turned);
}

/* Between x, from image `first` on, and the rows. */
static lb_status run_rows(plan *p, int64_t first, const char *kernel,
                          bool to_rows)
{
    const gpu_variant variant = {.source = gpu_source_product,
                                 .types = {(int8_t)p->x->dtype, -1, -1, -1},
                                 .number = 16};
    const int64_t plane = p->v.h * p->v.w;
    const int64_t skip = first * p->v.all_channels * plane;
    const int64_t elements = p->v.images * (to_rows ? places_of(p) * each_of(p)
                                                    : p->v.channels * plane);
    lbo_tensor *view = NULL;
    gpu_launch l;

    lb_status status =
        lbo_tensor_view(p->x, skip, 1, (const int64_t[]){p->x->size - skip},
                        (const int64_t[]){1}, &view);
    if (status != LB_OK)
        return status;
    gpu_begin(&l, gpu_of(p->x));
    gpu_add_tensor(&l, to_rows ? p->rows : view);
    gpu_add_tensor(&l, to_rows ? view : p->rows);
    gpu_add(&l, &p->v, sizeof p->v);
    status = gpu_run_flat(&l, &variant, kernel, elements);
    lbo_tensor_release(view);
    return status;
}

/* y's channels of a group as [images, places, out]. */
static lb_status view_result(const plan *p, int64_t first, int64_t group,
                             lbo_tensor **view)
{
    const int64_t places = places_of(p);
    const int64_t all = p->out_channels * p->groups;
    const int64_t shape[] = {p->v.images, places, p->out_channels};
    const int64_t strides[] = {all * places, 1, places};

    return lbo_tensor_view(p->y,
                           (first * all + group * p->out_channels) * places, 3,
                           shape, strides, view);
}

/* turned as the same. */
static lb_status view_turned(const plan *p, lbo_tensor **view)
{
    const int64_t places = places_of(p), out = p->out_channels;
    const int64_t shape[] = {p->v.images, places, out};
    const int64_t strides[] = {places * out, out, 1};

    return lbo_tensor_view(p->turned, 0, 3, shape, strides, view);
}

static lb_status exchange(plan *p, int64_t first, int64_t group, bool to_result)
{
    lbo_tensor *result = NULL, *turned = NULL;
    lb_status status = view_result(p, first, group, &result);

    if (status == LB_OK)
        status = view_turned(p, &turned);
    if (status == LB_OK)
        status = lbo_copy(p->context, to_result ? &result : &turned,
                          to_result ? turned : result);
    lbo_tensor_release(result);
    lbo_tensor_release(turned);
    return status;
}

static gpu_matrix matrix_of(const lbo_tensor *t, int64_t skip, int64_t leading,
                            bool transposed)
{
    const int64_t size = (int64_t)lbo_dtype_size((lbo_dtype)t->dtype);

    return (gpu_matrix){.memory = t->storage->memory,
                        .offset = t->offset / size + skip,
                        .leading = leading,
                        .transposed = transposed};
}

/* The product of one part, for each of the three uses. */
typedef lb_status part_fn(plan *p, int64_t first, int64_t group);

static lb_status forward_part(plan *p, int64_t first, int64_t group)
{
    const int64_t k = each_of(p), out = p->out_channels;
    const gpu_product product = {
        .wide = p->x->dtype == LBO_F64,
        .m = p->v.images * places_of(p),
        .n = out,
        .k = k,
        .count = 1,
        .alpha = 1,
        .a = matrix_of(p->rows, 0, k, false),
        .b = matrix_of(p->weight, group * out * k, k, true),
        .c = matrix_of(p->turned, 0, out, false)};
    lb_status status = run_rows(p, first, "image_to_rows", true);

    if (status == LB_OK)
        status = gpu_multiply(gpu_of(p->x), p->x->dtype, &product);
    return status == LB_OK ? exchange(p, first, group, true) : status;
}

static lb_status input_part(plan *p, int64_t first, int64_t group)
{
    const int64_t k = each_of(p), out = p->out_channels;
    const gpu_product product = {
        .wide = p->x->dtype == LBO_F64,
        .m = p->v.images * places_of(p),
        .n = k,
        .k = out,
        .count = 1,
        .alpha = 1,
        .a = matrix_of(p->turned, 0, out, false),
        .b = matrix_of(p->weight, group * out * k, k, false),
        .c = matrix_of(p->rows, 0, k, false)};
    lb_status status = exchange(p, first, group, false);

    if (status == LB_OK)
        status = gpu_multiply(gpu_of(p->x), p->x->dtype, &product);
    return status == LB_OK ? run_rows(p, first, "rows_to_image", false)
                           : status;
}

static lb_status weight_part(plan *p, int64_t first, int64_t group)
{
    const int64_t k = each_of(p), out = p->out_channels;
    const gpu_product product = {
        .wide = p->x->dtype == LBO_F64,
        .m = out,
        .n = k,
        .k = p->v.images * places_of(p),
        .count = 1,
        .alpha = 1,
        .beta = first > 0,
        .a = matrix_of(p->turned, 0, out, true),
        .b = matrix_of(p->rows, 0, k, false),
        .c = matrix_of(p->weight, group * out * k, k, false)};
    lb_status status = exchange(p, first, group, false);

    if (status == LB_OK)
        status = run_rows(p, first, "image_to_rows", true);
    return status == LB_OK ? gpu_multiply(gpu_of(p->x), p->x->dtype, &product)
                           : status;
}

static lb_status run_parts(plan *p, part_fn *part)
{
    lb_status status = begin(p, p->x);

    for (int64_t first = 0; first < p->all_images; first += p->at_once)
        for (int64_t group = 0; group < p->groups && status == LB_OK; group++) {
            const int64_t left = p->all_images - first;
            p->v.images = left < p->at_once ? left : p->at_once;
            p->v.first_channel = group * p->v.channels;
            status = part(p, first, group);
        }
    end(p);
    return status;
}

/* Nothing to sum over: the result is zeros. */
static bool is_empty(const plan *p)
{
    return p->x->size == 0 || p->weight->size == 0 || p->y->size == 0;
}

/* ---- the operators ------------------------------------------------------- */

/* y += bias [out], by a view of it. */
static lb_status add_bias(lbo_context *context, lbo_tensor *y, lbo_tensor *bias)
{
    lbo_tensor *spread = NULL;
    lb_status status =
        lbo_tensor_view(bias, 0, 4, (const int64_t[]){1, bias->dims[0], 1, 1},
                        (const int64_t[]){0, 1, 0, 0}, &spread);

    if (status == LB_OK)
        status = lbo_add(context, &y, y, spread);
    lbo_tensor_release(spread);
    return status;
}

static lb_status run_plan(lbo_context *context, lbo_call *call, gpu_dense *d,
                          plan *p, part_fn *part)
{
    describe(p, call->attributes, lbo_shape(p->x), lbo_shape(p->weight),
             lbo_shape(p->y));
    p->context = context;
    lbo_tensor *const out = d->out[0];
    return out->size == 0 ? LB_OK
           : is_empty(p)  ? lbo_fill(context, out, 0)
                          : run_parts(p, part);
}

LB_METHOD(lbo_binary, gpu_conv2d);
static lb_status gpu_conv2d(lb_slot slot, lbo_context *context, lbo_tensor *x,
                            lbo_tensor *weight, lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_conv2d, slot, context, x, weight, call);
    lbo_tensor *const bias = call->in[2];
    gpu_dense d;

    if (bias != NULL && bias->dtype != x->dtype)
        return lb_next_lbo_binary(self, context, x, weight, call);
    lb_status status = gpu_dense_begin(context, call, 3, &d);
    if (status == LB_OK) {
        plan p = {.x = d.in[0], .weight = d.in[1], .y = d.out[0]};
        status = run_plan(context, call, &d, &p, forward_part);
    }
    if (status == LB_OK && bias != NULL && d.out[0]->size > 0)
        status = add_bias(context, d.out[0], d.in[2]);
    return gpu_dense_end(context, call, &d, status);
}

LB_METHOD(lbo_binary, gpu_conv2d_backward_input);
static lb_status gpu_conv2d_backward_input(lb_slot slot, lbo_context *context,
                                           lbo_tensor *g, lbo_tensor *weight,
                                           lbo_call *call)
{
    gpu_dense d;
    lb_status status = gpu_dense_begin(context, call, 2, &d);

    LB_IGNORE(slot);
    (void)g;
    (void)weight;
    if (status == LB_OK) {
        plan p = {.y = d.in[0], .weight = d.in[1], .x = d.out[0]};
        status = run_plan(context, call, &d, &p, input_part);
    }
    return gpu_dense_end(context, call, &d, status);
}

LB_METHOD(lbo_binary, gpu_conv2d_backward_weight);
static lb_status gpu_conv2d_backward_weight(lb_slot slot, lbo_context *context,
                                            lbo_tensor *g, lbo_tensor *x,
                                            lbo_call *call)
{
    gpu_dense d;
    lb_status status = gpu_dense_begin(context, call, 2, &d);

    LB_IGNORE(slot);
    (void)g;
    (void)x;
    if (status == LB_OK) {
        plan p = {.y = d.in[0], .x = d.in[1], .weight = d.out[0]};
        status = run_plan(context, call, &d, &p, weight_part);
    }
    return gpu_dense_end(context, call, &d, status);
}

lb_status gpu_register_convolve(gpu_device *device, lb_group *group)
{
    lb_status status = LB_OK;

    for (int8_t d = LBO_F32; d <= (device->wide ? LBO_F64 : LBO_F32); d++) {
        const lbo_kernel kernels[] = {
            {"conv2d", LB_DESCRIPTOR(gpu_conv2d), d, d, NULL},
            {"conv2d_backward_input", LB_DESCRIPTOR(gpu_conv2d_backward_input),
             d, d, NULL},
            {"conv2d_backward_weight",
             LB_DESCRIPTOR(gpu_conv2d_backward_weight), d, d, NULL}};
        if (status == LB_OK)
            status = lbo_register_kernels(device->library, group,
                                          device->device, kernels, 3);
    }
    return status;
}
