/* product.c - matmul and linear.
 *
 * 1. each operand becomes a matrix: rows or columns that lie together need no
 *    copy, what has neither is copied
 * 2. the batch's dimensions are joined; the innermost is the product's own, the
 *    others are gone through one by one
 * 3. floating types go to the API's library where there is one, integers and
 *    the rest to the kernel of our own (tiles in shared memory)
 */
#include "gpu.h"

#include <string.h>

enum { TILE = 16 };

/* ---- our own ------------------------------------------------------------- */

typedef struct steps {
    int64_t rows, columns, batches;
} steps;

static steps steps_of(const gpu_matrix *m)
{
    return m->transposed ? (steps){1, m->leading, m->step}
                         : (steps){m->leading, 1, m->step};
}

/* A number as an element of the type. */
static void element_of(double value, int dtype, void *element)
{
    const int64_t whole = (int64_t)value;
    const float narrow = (float)value;

    memcpy(element,
           dtype == LBO_F64   ? (const void *)&value
           : dtype == LBO_F32 ? (const void *)&narrow
                              : (const void *)&whole, /* low bytes first */
           lbo_dtype_size((lbo_dtype)dtype));
}

static lb_status own_product(gpu_device *device, int dtype,
                             const gpu_product *p)
{
    const gpu_matrix *const matrices[] = {&p->c, &p->a, &p->b};
    const gpu_variant variant = {.source = gpu_source_product,
                                 .types = {(int8_t)dtype, -1, -1, -1},
                                 .number = TILE};
    const int64_t tiles =
        ((p->m + TILE - 1) / TILE) * ((p->n + TILE - 1) / TILE);
    const size_t size = lbo_dtype_size((lbo_dtype)dtype);
    steps by[3];
    double alpha = 0, beta = 0;
    gpu_launch l;

    gpu_begin(&l, device);
    for (int i = 0; i < 3; i++) {
        gpu_add(&l, &matrices[i]->memory, sizeof(void *));
        gpu_add(&l, &matrices[i]->offset, sizeof(int64_t));
    }
    for (int i = 0; i < 3; i++) {
        by[i] = steps_of(matrices[i]);
        gpu_add(&l, &by[i], sizeof by[i]);
    }
    gpu_add(&l, &p->m, sizeof p->m);
    gpu_add(&l, &p->n, sizeof p->n);
    gpu_add(&l, &p->k, sizeof p->k);
    element_of(p->alpha, dtype, &alpha);
    element_of(p->beta, dtype, &beta);
    gpu_add(&l, &alpha, size);
    gpu_add(&l, &beta, size);
    return gpu_run(&l, &variant, "multiply", tiles * p->count,
                   (size_t)TILE * TILE);
}

lb_status gpu_multiply(gpu_device *device, int dtype, const gpu_product *p)
{
    lb_status status = LB_NO_METHOD;

    if (dtype >= LBO_F32) {
        pthread_mutex_lock(&device->mutex);
        status = device->driver->multiply(device, device->stream, p);
        pthread_mutex_unlock(&device->mutex);
    }
    return status == LB_NO_METHOD ? own_product(device, dtype, p) : status;
}

/* ---- tensors as matrices ------------------------------------------------- */

/* The last two dimensions of a tensor. */
typedef struct plane {
    int64_t rows, columns, row_step, column_step;
} plane;

static plane plane_of(const lbo_tensor *t, bool first)
{
    const int64_t *const shape = lbo_shape(t), *const step = lbo_strides(t);
    const int n = t->ndim;

    if (n == 1 && first)
        return (plane){1, shape[0], shape[0], step[0]};
    if (n == 1)
        return (plane){shape[0], 1, step[0], 1};
    return (plane){shape[n - 2], shape[n - 1], step[n - 2], step[n - 1]};
}

/* False: neither rows nor columns lie together. */
static bool as_matrix(const lbo_tensor *t, bool first, gpu_matrix *m)
{
    const plane p = plane_of(t, first);

    m->memory = t->storage->memory;
    m->offset = t->offset / (int64_t)lbo_dtype_size((lbo_dtype)t->dtype);
    m->step = 0;
    m->transposed = false;
    if ((p.column_step == 1 || p.columns == 1) &&
        (p.row_step >= p.columns || p.rows == 1)) {
        m->leading = p.rows == 1 ? p.columns : p.row_step;
        return true;
    }
    m->transposed = true;
    m->leading = p.columns == 1 ? p.rows : p.column_step;
    return (p.row_step == 1 || p.rows == 1) &&
           (p.column_step >= p.rows || p.columns == 1);
}

/* `*t` itself, or a copy in row-major order. */
static lb_status make_matrix(lbo_context *context, lbo_tensor *t, bool first,
                             lbo_tensor **kept, gpu_matrix *m)
{
    *kept = lbo_tensor_retain(t);
    if (as_matrix(t, first, m))
        return LB_OK;
    lbo_tensor *copy = NULL;
    const lb_status status = lbo_copy(context, &copy, t);
    if (status == LB_OK) {
        lbo_tensor_release(*kept);
        *kept = copy;
        (void)as_matrix(copy, first, m);
    }
    return status;
}

/* ---- batches ------------------------------------------------------------- */

/* The dimensions in front of the matrices, broadcast to those of `out`. */
static void batch_strides(const lbo_tensor *t, size_t ndim,
                          const int64_t *shape, int64_t *strides)
{
    const size_t own = t->ndim > 2 ? (size_t)t->ndim - 2 : 0;

    for (size_t i = 0; i < ndim; i++) {
        const size_t at = i + own - ndim;
        strides[i] = i + own < ndim || (t->dims[at] == 1 && shape[i] != 1)
                         ? 0
                         : lbo_strides(t)[at];
    }
}

/* The product, for each of the outer batches. */
static lb_status run_batches(gpu_device *device, int dtype, gpu_product *p,
                             const gpu_walk *w)
{
    const int64_t c = p->c.offset, a = p->a.offset, b = p->b.offset;
    lb_status status = LB_OK;

    p->count = w->size[0];
    p->c.step = w->stride[0][0];
    p->a.step = w->stride[1][0];
    p->b.step = w->stride[2][0];
    for (int64_t i = 0; i < w->count / w->size[0] && status == LB_OK; i++) {
        int64_t left = i, at[3] = {0, 0, 0};
        for (int64_t d = 1; d < w->dims; d++) {
            for (int k = 0; k < 3; k++)
                at[k] += left % w->size[d] * w->stride[k][d];
            left /= w->size[d];
        }
        p->c.offset = c + at[0];
        p->a.offset = a + at[1];
        p->b.offset = b + at[2];
        status = gpu_multiply(device, dtype, p);
    }
    return status;
}

/* out: row-major, of the product's shape. */
static lb_status multiply(lbo_tensor *out, lbo_tensor *a, lbo_tensor *b,
                          gpu_product *p)
{
    const plane left = plane_of(a, true), right = plane_of(b, false);
    const size_t matrix_dims = (a->ndim > 1) + (size_t)(b->ndim > 1);
    const size_t ndim = out->ndim - matrix_dims;
    int64_t strides[3][LBO_MAX_DIMS];
    gpu_walk w;

    p->m = left.rows;
    p->k = left.columns;
    p->n = right.columns;
    p->c = (gpu_matrix){
        .memory = out->storage->memory,
        .offset = out->offset / (int64_t)lbo_dtype_size((lbo_dtype)out->dtype),
        .leading = p->n};
    for (size_t i = 0; i < ndim; i++)
        strides[0][i] = lbo_strides(out)[i];
    batch_strides(a, ndim, lbo_shape(out), strides[1]);
    batch_strides(b, ndim, lbo_shape(out), strides[2]);
    gpu_walk_strides(&w, ndim, lbo_shape(out), 3, strides);
    return run_batches(gpu_of(out), out->dtype, p, &w);
}

/* Into a result in row-major order, `beta` times what is there added. */
static lb_status matmul_into(lbo_context *context, lbo_tensor *out,
                             lbo_tensor *a, lbo_tensor *b, double beta)
{
    gpu_product p = {.wide = out->dtype == LBO_F64, .alpha = 1, .beta = beta};
    lbo_tensor *left = NULL, *right = NULL;

    if (out->size == 0)
        return LB_OK;
    if (a->size == 0 || b->size == 0)
        return beta == 0 ? lbo_fill(context, out, 0) : LB_OK;
    lb_status status = make_matrix(context, a, true, &left, &p.a);
    if (status == LB_OK)
        status = make_matrix(context, b, false, &right, &p.b);
    if (status == LB_OK)
        status = multiply(out, left, right, &p);
    lbo_tensor_release(left);
    lbo_tensor_release(right);
    return status;
}

/* `out`, or a row-major tensor that stands for it. */
static lb_status row_major(lbo_context *context, lbo_tensor *out,
                           lbo_tensor **dense)
{
    if (!lbo_is_contiguous(out))
        return gpu_temporary(context, out, out->dtype, out->ndim,
                             lbo_shape(out), dense);
    *dense = lbo_tensor_retain(out);
    return LB_OK;
}

static lb_status finish(lbo_context *context, lbo_tensor *out,
                        lbo_tensor *dense, lb_status status)
{
    if (status == LB_OK && dense != out)
        status = lbo_copy(context, &out, dense);
    lbo_tensor_release(dense);
    return status;
}

/* ---- the operators ------------------------------------------------------- */

LB_METHOD(lbo_binary, gpu_matmul);
static lb_status gpu_matmul(lb_slot slot, lbo_context *context, lbo_tensor *a,
                            lbo_tensor *b, lbo_call *call)
{
    lbo_tensor *dense = NULL;
    lb_status status = row_major(context, call->out[0], &dense);

    LB_IGNORE(slot);
    if (status == LB_OK)
        status = matmul_into(context, dense, a, b, 0);
    return finish(context, call->out[0], dense, status);
}

/* x as [rows, in]: a view, or a copy where it is none. */
static lb_status flatten(lbo_context *context, lbo_tensor *x, lbo_tensor **flat)
{
    const int64_t in = x->dims[x->ndim - 1];
    const int64_t shape[] = {in > 0 ? x->size / in : 0, in};

    return lbo_reshape(context, flat, x, 2, shape);
}

static lb_status linear_into(lbo_context *context, lbo_tensor *out,
                             lbo_tensor *x, lbo_tensor *weight,
                             lbo_tensor *bias)
{
    lbo_tensor *in = NULL, *to = NULL, *turned = NULL, *spread = NULL;
    lb_status status = flatten(context, x, &in);

    if (status == LB_OK)
        status = flatten(context, out, &to);
    if (status == LB_OK)
        status = lbo_transpose(context, &turned, weight, 0, NULL);
    if (status == LB_OK && bias != NULL) {
        status = lbo_expand(context, &spread, bias, 2, lbo_shape(to));
        if (status == LB_OK)
            status = lbo_copy(context, &to, spread);
    }
    if (status == LB_OK)
        status = matmul_into(context, to, in, turned, bias != NULL);
    lbo_tensor_release(in);
    lbo_tensor_release(to);
    lbo_tensor_release(turned);
    lbo_tensor_release(spread);
    return status;
}

LB_METHOD(lbo_binary, gpu_linear);
static lb_status gpu_linear(lb_slot slot, lbo_context *context, lbo_tensor *x,
                            lbo_tensor *weight, lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_linear, slot, context, x, weight, call);
    lbo_tensor *const bias = call->in[2], *dense = NULL;

    if (bias != NULL && bias->dtype != x->dtype)
        return lb_next_lbo_binary(self, context, x, weight, call);
    if (call->out[0]->size == 0)
        return LB_OK;
    if (x->size == 0) /* no inputs: the bias alone */
        return bias == NULL
                   ? lbo_fill(context, call->out[0], 0)
                   : lb_next_lbo_binary(self, context, x, weight, call);
    lb_status status = row_major(context, call->out[0], &dense);
    if (status == LB_OK)
        status = linear_into(context, dense, x, weight, bias);
    return finish(context, call->out[0], dense, status);
}

lb_status gpu_register_product(gpu_device *device, lb_group *group)
{
    static const int8_t types[] = {LBO_U8,  LBO_I8,  LBO_I32,
                                   LBO_I64, LBO_F32, LBO_F64};
    lb_status status = LB_OK;

    for (size_t i = 0; i < sizeof types - !device->wide; i++) {
        const lbo_kernel kernels[] = {
            {"matmul", LB_DESCRIPTOR(gpu_matmul), types[i], types[i], NULL},
            {"linear", LB_DESCRIPTOR(gpu_linear), types[i], types[i], NULL}};
        if (status == LB_OK)
            status =
                lbo_register_kernels(device->library, group, device->device,
                                     kernels, types[i] >= LBO_F32 ? 2 : 1);
    }
    return status;
}
