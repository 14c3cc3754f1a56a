/* gradients_products.c - gradients of products, convolutions and pooling.
 *
 * C = A B has the gradients G B^T and A^T G. Leading dimensions are batches; where
 * the second factor is one matrix for all, they are joined to one before the
 * product, which is then one large one instead of many with a sum behind.
 */
#include "layers/formula.h"
#include "operators/gradients.h"

#include <string.h>

#define GRADIENT(name)                                                         \
    lb_status lboi_gradient_##name(                                            \
        lbo_context *context, const lbo_saved *saved,                          \
        lbo_tensor *const *out_gradients, lbo_tensor **in_gradients)

/* As a matrix: all dimensions but the last become one. */
static lbo_tensor *as_matrix(lboi_formula *f, lbo_tensor *x)
{
    int64_t shape[2] = {1, 1};

    if (f->status != LB_OK || x->ndim == 2)
        return f->status == LB_OK ? x : NULL;
    for (int i = 0; i < x->ndim - 1; i++)
        shape[0] *= x->dims[i];
    if (x->ndim > 0)
        shape[1] = x->dims[x->ndim - 1];
    return reshaped(f, x, 2, shape);
}

/* With a dimension of size 1 at `at`. */
static lbo_tensor *with_one(lboi_formula *f, lbo_tensor *x, int at)
{
    int64_t shape[LBO_MAX_DIMS + 1];

    if (f->status != LB_OK)
        return NULL;
    for (int i = 0; i < at; i++)
        shape[i] = x->dims[i];
    shape[at] = 1;
    for (int i = at; i < x->ndim; i++)
        shape[i + 1] = x->dims[i];
    return reshaped(f, x, (size_t)x->ndim + 1, shape);
}

/* Without the dimension `at`, which has size 1. */
static lbo_tensor *without(lboi_formula *f, lbo_tensor *x, int at)
{
    int64_t shape[LBO_MAX_DIMS];
    int ndim = 0;

    if (f->status != LB_OK)
        return NULL;
    for (int i = 0; i < x->ndim; i++)
        if (i != at)
            shape[ndim++] = x->dims[i];
    return reshaped(f, x, (size_t)ndim, shape);
}

static lbo_tensor *by_second(lboi_formula *f, lbo_tensor *a, lbo_tensor *b,
                             lbo_tensor *g)
{
    if (b->ndim == 2 && a->ndim > 2) {
        a = as_matrix(f, a);
        g = as_matrix(f, g);
    }
    return f->status == LB_OK ? product(f, transposed(f, a), g) : NULL;
}

GRADIENT(matmul)
{
    lboi_formula f = {.context = context};
    lbo_tensor *a = saved->in[0], *b = saved->in[1], *g = out_gradients[0];
    const bool row = a->ndim == 1, column = b->ndim == 1;
    lbo_tensor *made;

    if (row)
        a = with_one(&f, a, 0);
    if (column) {
        b = with_one(&f, b, 1);
        g = with_one(&f, g, g->ndim);
    }
    if (row && f.status == LB_OK)
        g = with_one(&f, g, g->ndim - 1);
    if (f.status == LB_OK && wants(saved, 0)) {
        made = product(&f, g, transposed(&f, b));
        if (row && f.status == LB_OK)
            made = without(&f, made, made->ndim - 2);
        give(&f, &in_gradients[0], made);
    }
    if (f.status == LB_OK && wants(saved, 1)) {
        made = by_second(&f, a, b, g);
        if (column && f.status == LB_OK)
            made = without(&f, made, made->ndim - 1);
        give(&f, &in_gradients[1], made);
    }
    return finish(&f);
}

GRADIENT(linear)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const x = saved->in[0], *const weight = saved->in[1];
    lbo_tensor *const g = as_matrix(&f, out_gradients[0]);

    if (wants(saved, 0)) {
        lbo_tensor *made = product(&f, g, weight);
        if (x->ndim != 2)
            made = reshaped(&f, made, x->ndim, lbo_shape(x));
        give(&f, &in_gradients[0], made);
    }
    if (wants(saved, 1))
        give(&f, &in_gradients[1],
             product(&f, transposed(&f, g), as_matrix(&f, x)));
    if (wants(saved, 2))
        give(&f, &in_gradients[2], g); /* summed over the rows: lbo_sum_to */
    return finish(&f);
}

GRADIENT(conv2d)
{
    static const int64_t all_but_channels[] = {0, 2, 3};
    lbo_tensor *const g = out_gradients[0];
    lb_status status = LB_OK;

    if (wants(saved, 0))
        status = lbo_conv2d_backward_input(context, &in_gradients[0], g,
                                           saved->in[1], saved->in[0],
                                           saved->attributes);
    if (status == LB_OK && wants(saved, 1))
        status = lbo_conv2d_backward_weight(context, &in_gradients[1], g,
                                            saved->in[0], saved->in[1],
                                            saved->attributes);
    if (status == LB_OK && wants(saved, 2))
        status =
            lbo_sum(context, &in_gradients[2], g, 3, all_but_channels, false);
    return status;
}

GRADIENT(max_pool2d)
{
    return lbo_max_pool2d_backward(context, &in_gradients[0], out_gradients[0],
                                   saved->out[1], saved->in[0]);
}

GRADIENT(avg_pool2d)
{
    return lbo_avg_pool2d_backward(context, &in_gradients[0], out_gradients[0],
                                   saved->in[0], saved->attributes);
}
