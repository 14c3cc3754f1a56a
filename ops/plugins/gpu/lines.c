/* lines.c - softmax, losses and layer_norm: kernels over lines of row-major
 * operands, one thread or one group of threads per line. */
#include "gpu.h"

enum { LANES = 128, SHORT = 64 };

static int64_t product_of(const int64_t *shape, int64_t from, int64_t to)
{
    int64_t product = 1;

    for (int64_t i = from; i < to; i++)
        product *= shape[i];
    return product;
}

/* Runs over `lines` lines of `n` elements. */
static lb_status run_lines(gpu_launch *l, const lbo_tensor *x,
                           const char *kernel, int64_t lines, int64_t n)
{
    const gpu_variant variant = {.source = gpu_source_lines,
                                 .types = {(int8_t)x->dtype, -1, -1, -1},
                                 .number = n < SHORT ? 1 : LANES};

    return n < SHORT ? gpu_run_flat(l, &variant, kernel, lines)
                     : gpu_run(l, &variant, kernel, lines, LANES);
}

/* ---- softmax ------------------------------------------------------------- */

/* `inputs` tensors of d along dimension `dim`. */
static lb_status softmax_lines(gpu_dense *d, lbo_tensor *out, size_t inputs,
                               int64_t dim, int32_t logarithm,
                               const char *kernel)
{
    const lbo_tensor *const x = d->in[0];
    const int64_t ndim = x->ndim, at = dim < 0 ? dim + ndim : dim;
    const int64_t n = ndim > 0 ? x->dims[at] : 1;
    const int64_t inner = product_of(x->dims, at + 1, ndim);
    const int64_t lines = n > 0 ? x->size / n : 0;
    gpu_launch l;

    gpu_begin(&l, gpu_of(x));
    gpu_add_tensor(&l, out);
    for (size_t i = 0; i < inputs; i++)
        gpu_add_tensor(&l, d->in[i]);
    gpu_add(&l, &lines, sizeof lines);
    gpu_add(&l, &n, sizeof n);
    gpu_add(&l, &inner, sizeof inner);
    gpu_add(&l, &logarithm, sizeof logarithm);
    return run_lines(&l, x, kernel, lines, n);
}

static const int32_t plain = 0, logarithm = 1;

LB_METHOD(lbo_unary, gpu_softmax);
static lb_status gpu_softmax(lb_slot slot, lbo_context *context, lbo_tensor *x,
                             lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_softmax, slot, context, x, call);
    const lbo_dim_attributes *const by = call->attributes;
    gpu_dense d;
    lb_status status = gpu_dense_begin(context, call, 1, &d);

    if (status == LB_OK)
        status = softmax_lines(&d, d.out[0], 1, by->dim,
                               *(const int32_t *)self->context, "softmax");
    return gpu_dense_end(context, call, &d, status);
}

LB_METHOD(lbo_binary, gpu_softmax_backward);
static lb_status gpu_softmax_backward(lb_slot slot, lbo_context *context,
                                      lbo_tensor *g, lbo_tensor *y,
                                      lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_softmax_backward, slot, context, g, y, call);
    const lbo_dim_attributes *const by = call->attributes;
    gpu_dense d;
    lb_status status = gpu_dense_begin(context, call, 2, &d);

    if (status == LB_OK)
        status =
            softmax_lines(&d, d.out[0], 2, by->dim,
                          *(const int32_t *)self->context, "softmax_backward");
    return gpu_dense_end(context, call, &d, status);
}

/* ---- losses -------------------------------------------------------------- */

/* counted: one element. */
static lb_status pick_losses(const lbo_tensor *y, const lbo_tensor *loss,
                             const lbo_tensor *target,
                             const lbo_tensor *counted,
                             const lbo_loss_attributes *by)
{
    const gpu_variant variant = {.source = gpu_source_lines,
                                 .types = {(int8_t)y->dtype, -1, -1, -1},
                                 .number = LANES};
    gpu_launch l;

    gpu_begin(&l, gpu_of(y));
    gpu_add_tensor(&l, loss);
    gpu_add_tensor(&l, counted);
    gpu_add_tensor(&l, y);
    gpu_add_tensor(&l, target);
    gpu_add(&l, &y->dims[0], sizeof(int64_t));
    gpu_add(&l, &y->dims[1], sizeof(int64_t));
    gpu_add(&l, &by->reduction, sizeof by->reduction);
    gpu_add(&l, &by->ignore, sizeof by->ignore);
    return gpu_run(&l, &variant, "pick_losses", 1, LANES);
}

LB_METHOD(lbo_unary, gpu_cross_entropy);
static lb_status gpu_cross_entropy(lb_slot slot, lbo_context *context,
                                   lbo_tensor *x, lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_cross_entropy, slot, context, x, call);
    lbo_tensor *counted = NULL;
    gpu_dense d;

    if (!gpu_knows(call))
        return lb_next_lbo_unary(self, context, x, call);
    lb_status status = gpu_dense_begin(context, call, 2, &d);
    if (status == LB_OK)
        status = gpu_temporary(context, x, x->dtype, 0, NULL, &counted);
    if (status == LB_OK)
        status = softmax_lines(&d, d.out[1], 1, 1, logarithm, "softmax");
    if (status == LB_OK)
        status =
            pick_losses(d.out[1], d.out[0], d.in[1], counted, call->attributes);
    lbo_tensor_release(counted);
    return gpu_dense_end(context, call, &d, status);
}

static lb_status losses_backward(const gpu_dense *d, const lbo_tensor *counted,
                                 const lbo_loss_attributes *by)
{
    const lbo_tensor *const y = d->in[1], *const out = d->out[0];
    const gpu_variant variant = {.source = gpu_source_lines,
                                 .types = {(int8_t)y->dtype, -1, -1, -1},
                                 .number = 1};
    gpu_launch l;

    gpu_begin(&l, gpu_of(y));
    gpu_add_tensor(&l, out);
    gpu_add_tensor(&l, counted);
    for (int i = 0; i < 3; i++)
        gpu_add_tensor(&l, d->in[i]);
    gpu_add(&l, &y->dims[0], sizeof(int64_t));
    gpu_add(&l, &y->dims[1], sizeof(int64_t));
    gpu_add(&l, &by->reduction, sizeof by->reduction);
    gpu_add(&l, &by->ignore, sizeof by->ignore);
    return gpu_run_flat(&l, &variant, "losses_backward", y->size);
}

/* How many rows count is counted anew; the losses are made on the way. */
LB_METHOD(lbo_binary, gpu_cross_entropy_backward);
static lb_status gpu_cross_entropy_backward(lb_slot slot, lbo_context *context,
                                            lbo_tensor *g, lbo_tensor *y,
                                            lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_cross_entropy_backward, slot, context, g, y, call);
    const lbo_loss_attributes *const by = call->attributes;
    const lbo_loss_attributes sum = {LBO_REDUCE_SUM, by->ignore};
    lbo_tensor *counted = NULL, *loss = NULL;
    gpu_dense d;

    if (!gpu_knows(call))
        return lb_next_lbo_binary(self, context, g, y, call);
    lb_status status = gpu_dense_begin(context, call, 3, &d);
    if (status == LB_OK)
        status = gpu_temporary(context, y, y->dtype, 0, NULL, &counted);
    if (status == LB_OK)
        status = gpu_temporary(context, y, y->dtype, 0, NULL, &loss);
    if (status == LB_OK && by->reduction == LBO_REDUCE_MEAN)
        status = pick_losses(d.in[1], loss, d.in[2], counted, &sum);
    if (status == LB_OK)
        status = losses_backward(&d, counted, by);
    lbo_tensor_release(counted);
    lbo_tensor_release(loss);
    return gpu_dense_end(context, call, &d, status);
}

static lb_status squares(const gpu_dense *d, int64_t reduction)
{
    const lbo_tensor *const a = d->in[0];
    const gpu_variant variant = {.source = gpu_source_lines,
                                 .types = {(int8_t)a->dtype, -1, -1, -1},
                                 .number = LANES};
    const double divisor = reduction == LBO_REDUCE_MEAN ? (double)a->size : 1;
    const float narrow = (float)divisor;
    const bool wide = a->dtype == LBO_F64;
    gpu_launch l;

    gpu_begin(&l, gpu_of(a));
    gpu_add_tensor(&l, d->out[0]);
    gpu_add_tensor(&l, a);
    gpu_add_tensor(&l, d->in[1]);
    gpu_add(&l, &a->size, sizeof a->size);
    gpu_add(&l, wide ? (const void *)&divisor : &narrow, wide ? 8 : 4);
    return gpu_run(&l, &variant, "squares", 1, LANES);
}

LB_METHOD(lbo_binary, gpu_mse);
static lb_status gpu_mse(lb_slot slot, lbo_context *context, lbo_tensor *a,
                         lbo_tensor *b, lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_mse, slot, context, a, b, call);
    const lbo_loss_attributes *const by = call->attributes;
    lbo_tensor *const out = call->out[0];
    gpu_dense d;

    if (!gpu_knows(call))
        return lb_next_lbo_binary(self, context, a, b, call);
    if (by->reduction == LBO_REDUCE_NONE) {
        lb_status none = lbo_sub(context, &call->out[0], a, b);
        return none == LB_OK ? lbo_mul(context, &call->out[0], out, out) : none;
    }
    lb_status status = gpu_dense_begin(context, call, 2, &d);
    if (status == LB_OK)
        status = squares(&d, by->reduction);
    return gpu_dense_end(context, call, &d, status);
}

/* ---- layer_norm ---------------------------------------------------------- */

static lb_status run_norm(const gpu_dense *d,
                          const lbo_layer_norm_attributes *by)
{
    const lbo_tensor *const x = d->in[0];
    const int64_t n = product_of(x->dims, x->ndim - by->dims, x->ndim);
    const int64_t lines = n > 0 ? x->size / n : 0;
    const int32_t weighted = d->in[1] != NULL, biased = d->in[2] != NULL;
    const float narrow = (float)by->epsilon;
    const bool wide = x->dtype == LBO_F64;
    gpu_launch l;

    gpu_begin(&l, gpu_of(x));
    for (int i = 0; i < 3; i++)
        gpu_add_tensor(&l, d->out[i]);
    gpu_add_tensor(&l, x);
    gpu_add_tensor(&l, weighted ? d->in[1] : x);
    gpu_add_tensor(&l, biased ? d->in[2] : x);
    gpu_add(&l, &lines, sizeof lines);
    gpu_add(&l, &n, sizeof n);
    gpu_add(&l, wide ? (const void *)&by->epsilon : &narrow, wide ? 8 : 4);
    gpu_add(&l, &weighted, sizeof weighted);
    gpu_add(&l, &biased, sizeof biased);
    return run_lines(&l, x, "layer_norm", lines, n);
}

LB_METHOD(lbo_unary, gpu_layer_norm);
static lb_status gpu_layer_norm(lb_slot slot, lbo_context *context,
                                lbo_tensor *x, lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_layer_norm, slot, context, x, call);
    gpu_dense d;

    for (uint32_t i = 1; i < 3; i++)
        if (call->in[i] != NULL && call->in[i]->dtype != x->dtype)
            return lb_next_lbo_unary(self, context, x, call);
    lb_status status = gpu_dense_begin(context, call, 3, &d);
    if (status == LB_OK)
        status = run_norm(&d, call->attributes);
    return gpu_dense_end(context, call, &d, status);
}

static lb_status run_norm_backward(const gpu_dense *d, int64_t lines, int64_t n)
{
    const lbo_tensor *const x = d->in[1];
    const int32_t weighted = d->in[4] != NULL;
    gpu_launch l;

    gpu_begin(&l, gpu_of(x));
    gpu_add_tensor(&l, d->out[0]);
    for (int i = 0; i < 4; i++)
        gpu_add_tensor(&l, d->in[i]);
    gpu_add_tensor(&l, weighted ? d->in[4] : x);
    gpu_add(&l, &lines, sizeof lines);
    gpu_add(&l, &n, sizeof n);
    gpu_add(&l, &weighted, sizeof weighted);
    return run_lines(&l, x, "layer_norm_backward", lines, n);
}

static lb_status run_norm_columns(const gpu_dense *d, int64_t lines, int64_t n)
{
    const lbo_tensor *const x = d->in[1];
    gpu_launch l;

    gpu_begin(&l, gpu_of(x));
    gpu_add_tensor(&l, d->out[1]);
    gpu_add_tensor(&l, d->out[2]);
    for (int i = 0; i < 4; i++)
        gpu_add_tensor(&l, d->in[i]);
    gpu_add(&l, &n, sizeof n);
    gpu_add(&l, &lines, sizeof lines);
    return run_lines(&l, x, "layer_norm_columns", n, lines);
}

LB_METHOD(lbo_binary, gpu_layer_norm_backward);
static lb_status gpu_layer_norm_backward(lb_slot slot, lbo_context *context,
                                         lbo_tensor *g, lbo_tensor *x,
                                         lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_layer_norm_backward, slot, context, g, x, call);
    const lbo_layer_norm_attributes *const by = call->attributes;
    const int64_t n = product_of(x->dims, x->ndim - by->dims, x->ndim);
    const int64_t lines = n > 0 ? x->size / n : 0;
    gpu_dense d;

    for (uint32_t i = 2; i < 5; i++)
        if (call->in[i] != NULL && call->in[i]->dtype != x->dtype)
            return lb_next_lbo_binary(self, context, g, x, call);
    lb_status status = gpu_dense_begin(context, call, 5, &d);
    if (status == LB_OK)
        status = run_norm_backward(&d, lines, n);
    if (status == LB_OK)
        status = run_norm_columns(&d, lines, n);
    return gpu_dense_end(context, call, &d, status);
}

/* ---- registering --------------------------------------------------------- */

lb_status gpu_register_lines(gpu_device *device, lb_group *group)
{
    void *const p = (void *)(uintptr_t)&plain;
    void *const log = (void *)(uintptr_t)&logarithm;
    lb_status status = LB_OK;

    for (int8_t d = LBO_F32; d <= (device->wide ? LBO_F64 : LBO_F32); d++) {
        const lbo_kernel kernels[] = {
            {"softmax", LB_DESCRIPTOR(gpu_softmax), d, -1, p},
            {"log_softmax", LB_DESCRIPTOR(gpu_softmax), d, -1, log},
            {"softmax_backward", LB_DESCRIPTOR(gpu_softmax_backward), d, d, p},
            {"log_softmax_backward", LB_DESCRIPTOR(gpu_softmax_backward), d, d,
             log},
            {"cross_entropy", LB_DESCRIPTOR(gpu_cross_entropy), d, -1, NULL},
            {"cross_entropy_backward",
             LB_DESCRIPTOR(gpu_cross_entropy_backward), d, d, NULL},
            {"mse", LB_DESCRIPTOR(gpu_mse), d, d, NULL},
            {"layer_norm", LB_DESCRIPTOR(gpu_layer_norm), d, -1, NULL},
            {"layer_norm_backward", LB_DESCRIPTOR(gpu_layer_norm_backward), d,
             d, NULL}};
        if (status == LB_OK)
            status =
                lbo_register_kernels(device->library, group, device->device,
                                     kernels, sizeof kernels / sizeof *kernels);
    }
    return status;
}
