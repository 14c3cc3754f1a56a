/* blas.c - products by OpenBLAS.
 *
 *   1. two plain matrices go straight to sgemm or dgemm
 *   2. others by the plan that the portable kernels use (cpu/product_plan.c);
 *      transposed views are flags of the product, operands that BLAS cannot
 *      take (gaps in both directions, broadcast) are copied before
 *   3. products with a column or a row are gemv
 * As many threads as OpenBLAS is set to, but for products that are over before
 * a second thread has woken up: on a busy machine waiting for it costs a
 * hundred times more than it could save.
 */
#include "cpu_fast.h"

#include <cblas.h>
#include <limits.h>
#include <string.h>

/* How BLAS sees a matrix: by rows, or by columns (transposed). */
typedef struct seen {
    CBLAS_TRANSPOSE transposed;
    blasint lead;
} seen;

static bool see(int64_t rows, int64_t columns, int64_t row, int64_t column,
                seen *s)
{
    if ((column == 1 || columns <= 1) && (row >= columns || rows <= 1)) {
        const int64_t lead = rows <= 1 ? columns : row;
        s->transposed = CblasNoTrans;
        s->lead = (blasint)(lead > 0 ? lead : 1);
        return lead <= INT_MAX;
    }
    if ((row == 1 || rows <= 1) && (column >= rows || columns <= 1)) {
        const int64_t lead = columns <= 1 ? rows : column;
        s->transposed = CblasTrans;
        s->lead = (blasint)(lead > 0 ? lead : 1);
        return lead <= INT_MAX;
    }
    return false;
}

enum { TINY = 128 }; /* products for which a call of BLAS costs more */

/* Products of numbers below which OpenBLAS takes one thread by itself. */
#define OWN_LIMIT INT64_C(200000)

/* Keeps a product of medium size to one thread. Returns what `put_back`
 * takes, 0: nothing. The setting is the process's: another thread's product may
 * run by one thread meanwhile, too. */
static int keep_alone(int64_t products)
{
    if (products < OWN_LIMIT || products >= FAST_WORTH_THREADS)
        return 0;
    const int threads = openblas_get_num_threads();
    if (threads < 2)
        return 0;
    openblas_set_num_threads(1);
    return threads;
}

static void put_back(int threads)
{
    if (threads != 0)
        openblas_set_num_threads(threads);
}

/* A stride that gemv takes for `count` elements. */
static bool is_step(int64_t step, int64_t count)
{
    return count <= 1 || (step > 0 && step <= INT_MAX);
}

#define TYPE float
#define NAME(name) name##_f32
#define GEMM cblas_sgemm
#define GEMV cblas_sgemv
#define PORTABLE lboi_portable_gemm[LBO_F32]
#include "blas_type.h"

#define TYPE double
#define NAME(name) name##_f64
#define GEMM cblas_dgemm
#define GEMV cblas_dgemv
#define PORTABLE lboi_portable_gemm[LBO_F64]
#include "blas_type.h"

static lboi_gemm_fn gemm_of(const lbo_tensor *tensor)
{
    return tensor->dtype == LBO_F32 ? fast_gemm_f32 : fast_gemm_f64;
}

/* Whether BLAS can take the last two dimensions as they are. */
static bool is_seen(const lbo_tensor *t)
{
    const int64_t *const strides = lbo_strides(t);
    const int n = t->ndim;
    seen s;

    return n < 2 || see(t->dims[n - 2], t->dims[n - 1], strides[n - 2],
                        strides[n - 1], &s);
}

typedef lb_status (*product_fn)(lbo_context *context, lbo_call *call,
                                lboi_gemm_fn gemm);

/* With copies of operands that BLAS cannot take. */
static lb_status by_copies(lbo_context *context, const lbo_call *call,
                           product_fn run)
{
    lbo_tensor *in[3] = {call->in[0], call->in[1],
                         call->in_count > 2 ? call->in[2] : NULL};
    lbo_call again = *call;
    lb_status status = LB_OK;

    again.in = in;
    for (int i = 0; i < 2; i++) {
        in[i] = NULL;
        if (status != LB_OK || is_seen(call->in[i]))
            in[i] = lbo_tensor_retain(call->in[i]);
        else
            status = lbo_contiguous(context, &in[i], call->in[i]);
    }
    if (status == LB_OK)
        status = run(context, &again, gemm_of(in[0]));
    lbo_tensor_release(in[0]);
    lbo_tensor_release(in[1]);
    return status;
}

/* Both and the result are matrices, row-major. */
static bool is_plain(const lbo_tensor *a, const lbo_tensor *b,
                     const lbo_tensor *c)
{
    return a->ndim == 2 && b->ndim == 2 && c->size > 0 && a->size > 0 &&
           (c->size | a->size | b->size) <= INT_MAX && a->dims[3] == 1 &&
           a->dims[2] == a->dims[1] && b->dims[3] == 1 &&
           b->dims[2] == b->dims[1] && c->dims[3] == 1 &&
           c->dims[2] == c->dims[1];
}

LB_METHOD(lbo_binary, matmul_openblas);
LB_METHOD(lbo_binary, linear_openblas);
LB_METHOD(lbo_binary, conv2d_openblas);
LB_METHOD(lbo_binary, conv2d_backward_input_openblas);
LB_METHOD(lbo_binary, conv2d_backward_weight_openblas);

static lb_status matmul_openblas(lb_slot slot, lbo_context *context,
                                 lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    lbo_tensor *const c = call->out[0];

    LB_IGNORE(slot);
    if (LB_LIKELY(is_plain(a, b, c))) {
        if (a->dtype == LBO_F32)
            plain_f32(a, b, c);
        else
            plain_f64(a, b, c);
        return LB_OK;
    }
    if (is_seen(a) && is_seen(b))
        return lboi_matmul_by(context, call, gemm_of(a));
    return by_copies(context, call, lboi_matmul_by);
}

static lb_status linear_openblas(lb_slot slot, lbo_context *context,
                                 lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    if (is_seen(a) && is_seen(b))
        return lboi_linear_by(context, call, gemm_of(a));
    return by_copies(context, call, lboi_linear_by);
}

static lb_status conv2d_openblas(lb_slot slot, lbo_context *context,
                                 lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)b;
    return lboi_conv2d_by(context, call, gemm_of(a));
}

static lb_status conv2d_backward_input_openblas(lb_slot slot,
                                                lbo_context *context,
                                                lbo_tensor *a, lbo_tensor *b,
                                                lbo_call *call)
{
    LB_IGNORE(slot);
    (void)b;
    return lboi_conv2d_backward_input_by(context, call, gemm_of(a));
}

static lb_status conv2d_backward_weight_openblas(lb_slot slot,
                                                 lbo_context *context,
                                                 lbo_tensor *a, lbo_tensor *b,
                                                 lbo_call *call)
{
    LB_IGNORE(slot);
    (void)b;
    return lboi_conv2d_backward_weight_by(context, call, gemm_of(a));
}

#define KERNEL(op, type)                                                       \
    {                                                                          \
#op, LB_DESCRIPTOR(op##_openblas), type, type, NULL                    \
    }
#define BOTH(op) KERNEL(op, LBO_F32), KERNEL(op, LBO_F64)

static const lbo_kernel kernels[] = {
    BOTH(matmul),
    BOTH(linear),
    BOTH(conv2d),
    BOTH(conv2d_backward_input),
    BOTH(conv2d_backward_weight),
};

const fast_table fast_products = {kernels, sizeof kernels / sizeof *kernels};
