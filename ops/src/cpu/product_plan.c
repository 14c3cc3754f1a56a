/* product_plan.c - matmul and linear as products of single matrices.
 *
 *   1. operands of one dimension become a row and a column
 *   2. where b is one matrix and the batches of a lie together with its rows,
 *      all of it is one product
 *   3. else one product per batch, counted like an odometer
 * A result whose columns do not lie together is written by way of a copy.
 */
#include "cpu/product.h"

#include <string.h>

/* The dimensions before the last two, of the result's shape. */
typedef struct batches {
    uint32_t ndim;
    int64_t size[LBO_MAX_DIMS];
    int64_t a[LBO_MAX_DIMS], b[LBO_MAX_DIMS], c[LBO_MAX_DIMS];
} batches;

static const char *element(const void *base, int64_t index, size_t size)
{
    return (const char *)base + index * (int64_t)size;
}

/* Strides of the batches of an operand, 0 where it is broadcast. */
static void batch_strides(const lbo_tensor *in, const batches *batch,
                          int64_t *strides)
{
    const int own = in->ndim > 2 ? in->ndim - 2 : 0;
    const int lead = (int)batch->ndim - own;

    for (int i = 0; i < (int)batch->ndim; i++)
        strides[i] = i < lead || (in->dims[i - lead] == 1 && batch->size[i] > 1)
                         ? 0
                         : lbo_strides(in)[i - lead];
}

static void describe(const lbo_tensor *a, const lbo_tensor *b,
                     const lbo_tensor *c, lboi_gemm *p, batches *batch)
{
    const int64_t *const sa = lbo_strides(a), *const sb = lbo_strides(b);
    const bool rows = a->ndim > 1, columns = b->ndim > 1;

    p->m = rows ? a->dims[a->ndim - 2] : 1;
    p->k = a->dims[a->ndim - 1];
    p->n = columns ? b->dims[b->ndim - 1] : 1;
    p->a_row = rows ? sa[a->ndim - 2] : 0;
    p->a_column = sa[a->ndim - 1];
    p->b_row = columns ? sb[b->ndim - 2] : sb[0];
    p->b_column = columns ? sb[b->ndim - 1] : 1;
    p->c_row = rows ? lbo_strides(c)[c->ndim - (columns ? 2 : 1)] : p->n;
    batch->ndim = (uint32_t)(c->ndim - rows - columns);
    memcpy(batch->size, c->dims, batch->ndim * sizeof(int64_t));
    memcpy(batch->c, lbo_strides(c), batch->ndim * sizeof(int64_t));
    batch_strides(a, batch, batch->a);
    batch_strides(b, batch, batch->b);
}

/* Makes rows of the innermost batches, as long as that works. */
static void join_rows(lboi_gemm *p, batches *batch)
{
    while (batch->ndim > 0) {
        const uint32_t i = batch->ndim - 1;
        if (batch->size[i] != 1) {
            if (batch->b[i] != 0)
                return;
            if (p->m == 1) {
                p->a_row = batch->a[i];
                p->c_row = batch->c[i];
            } else if (batch->a[i] != p->m * p->a_row ||
                       batch->c[i] != p->m * p->c_row)
                return;
            p->m *= batch->size[i];
        }
        batch->ndim = i;
    }
}

static void all_batches(lboi_gemm *p, const batches *batch, size_t size,
                        lboi_gemm_fn gemm)
{
    int64_t index[LBO_MAX_DIMS] = {0}, a = 0, b = 0, c = 0;
    const lboi_gemm first = *p;
    uint32_t i;

    do {
        p->a = element(first.a, a, size);
        p->b = element(first.b, b, size);
        p->c = (char *)first.c + c * (int64_t)size;
        gemm(p);
        for (i = batch->ndim; i-- > 0;) {
            a += batch->a[i];
            b += batch->b[i];
            c += batch->c[i];
            if (++index[i] < batch->size[i])
                break;
            a -= batch->a[i] * index[i];
            b -= batch->b[i] * index[i];
            c -= batch->c[i] * index[i];
            index[i] = 0;
        }
    } while (i != UINT32_MAX);
}

static bool columns_together(const lbo_tensor *c)
{
    return c->ndim == 0 || c->dims[c->ndim - 1] <= 1 ||
           lbo_strides(c)[c->ndim - 1] == 1;
}

/* For a result whose last dimension is columns; with b of one dimension the
 * last is rows, and any stride does. */
static void multiply(const lbo_tensor *a, const lbo_tensor *b,
                     const lbo_tensor *c, lboi_gemm_fn gemm)
{
    const size_t size = lbo_dtype_size((lbo_dtype)c->dtype);
    lboi_gemm p = {.a = a->data, .b = b->data, .c = c->data};
    batches batch;

    if (c->size == 0)
        return;
    describe(a, b, c, &p, &batch);
    join_rows(&p, &batch);
    if (batch.ndim == 0)
        gemm(&p);
    else
        all_batches(&p, &batch, size, gemm);
}

lb_status lboi_matmul_by(lbo_context *context, lbo_call *call,
                         lboi_gemm_fn gemm)
{
    lbo_tensor *const out = call->out[0], *dense = NULL;

    if (call->in[1]->ndim == 1 || columns_together(out)) {
        multiply(call->in[0], call->in[1], out, gemm);
        return LB_OK;
    }
    lb_status status = lboi_dense_like(context, out, &dense);
    if (status != LB_OK)
        return status;
    multiply(call->in[0], call->in[1], dense, gemm);
    status = lbo_copy(context, &call->out[0], dense);
    lbo_tensor_release(dense);
    return status;
}

/* ---- linear --------------------------------------------------------------------- */

/* All dimensions but the last as one: its stride, or false. */
static bool rows_of(const lbo_tensor *tensor, int64_t *stride)
{
    const int64_t *const strides = lbo_strides(tensor);
    int64_t count = 1;

    *stride = tensor->dims[tensor->ndim - 1];
    for (int i = tensor->ndim - 1; i-- > 0;) {
        if (tensor->dims[i] == 1)
            continue;
        if (count == 1)
            *stride = strides[i];
        else if (strides[i] != count * *stride)
            return false;
        count *= tensor->dims[i];
    }
    return true;
}

/* The bias in every row, for the product to be added to. */
static void bias_rows(const lbo_tensor *bias, lboi_gemm *p, size_t size)
{
    const size_t bytes = (size_t)p->n * size;

    for (int64_t i = 0; i < p->m; i++)
        memcpy((char *)p->c + i * p->c_row * (int64_t)size, bias->data, bytes);
    p->add = true;
}

static lb_status linear_dense(const lbo_tensor *x, const lbo_tensor *weight,
                              const lbo_tensor *bias, const lbo_tensor *out,
                              lboi_gemm_fn gemm)
{
    const size_t size = lbo_dtype_size((lbo_dtype)out->dtype);
    lboi_gemm p = {.n = weight->dims[0],
                   .k = weight->dims[1],
                   .a = x->data,
                   .b = weight->data,
                   .c = out->data,
                   .a_column = lbo_strides(x)[x->ndim - 1],
                   .b_row = lbo_strides(weight)[1],
                   .b_column = lbo_strides(weight)[0]};

    if (out->size == 0)
        return LB_OK;
    p.m = out->size / p.n;
    (void)rows_of(x, &p.a_row);
    (void)rows_of(out, &p.c_row);
    if (bias != NULL)
        bias_rows(bias, &p, size);
    gemm(&p);
    return LB_OK;
}

lb_status lboi_linear_by(lbo_context *context, lbo_call *call,
                         lboi_gemm_fn gemm)
{
    lbo_tensor *const x = call->in[0], *const bias = call->in[2];
    lboi_dense at;
    int64_t stride;

    if (rows_of(x, &stride) && rows_of(call->out[0], &stride) &&
        columns_together(call->out[0]) &&
        (bias == NULL || lbo_is_contiguous(bias)))
        return linear_dense(x, call->in[1], bias, call->out[0], gemm);
    lb_status status = lboi_dense_begin(context, call, &at);
    if (status == LB_OK)
        status = linear_dense(at.in[0], at.in[1], at.in[2], at.out[0], gemm);
    return lboi_dense_end(context, call, &at, status);
}
