/* gradients_choose.c - gradients of choosing, joining, views and copies: each
 * leads the gradient back to where the elements came from.
 */
#include "layers/formula.h"
#include "operators/gradients.h"

#define GRADIENT(name)                                                         \
    lb_status lboi_gradient_##name(                                            \
        lbo_context *context, const lbo_saved *saved,                          \
        lbo_tensor *const *out_gradients, lbo_tensor **in_gradients)

/* ---- choosing ------------------------------------------------------------------ */

GRADIENT(embedding)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const like = lboi_like(&f, &saved->in_specs[0]);

    if (f.status == LB_OK)
        f.status = lbo_embedding_backward(context, &in_gradients[0],
                                          out_gradients[0], saved->in[1], like);
    return finish(&f);
}

GRADIENT(gather)
{
    const lbo_dim_attributes *const with = saved->attributes;
    lboi_formula f = {.context = context};
    lbo_tensor *const like = lboi_like(&f, &saved->in_specs[0]);

    if (f.status == LB_OK)
        f.status =
            lbo_gather_backward(context, &in_gradients[0], out_gradients[0],
                                saved->in[1], like, with->dim);
    return finish(&f);
}

static int64_t from_the_front(int64_t dim, uint32_t ndim)
{
    return dim < 0 ? dim + (int64_t)ndim : dim;
}

GRADIENT(concat)
{
    lbo_tensor *const g = out_gradients[0];
    const int64_t dim = from_the_front(
        ((const lbo_dim_attributes *)saved->attributes)->dim, g->ndim);
    lb_status status = LB_OK;
    int64_t at = 0;

    for (uint32_t i = 0; i < saved->in_count && status == LB_OK; i++) {
        const int64_t size = saved->in_specs[i].shape[dim];
        if (wants(saved, i))
            status =
                lbo_slice(context, &in_gradients[i], g, dim, at, at + size, 1);
        at += size;
    }
    return status;
}

GRADIENT(stack)
{
    lbo_tensor *const g = out_gradients[0];
    const int64_t dim = from_the_front(
        ((const lbo_dim_attributes *)saved->attributes)->dim, g->ndim);
    lb_status status = LB_OK;

    for (uint32_t i = 0; i < saved->in_count && status == LB_OK; i++) {
        const lbo_spec *const spec = &saved->in_specs[i];
        lbo_tensor *part = NULL;
        if (!wants(saved, i))
            continue;
        status = lbo_slice(context, &part, g, dim, i, (int64_t)i + 1, 1);
        if (status == LB_OK)
            status = lbo_reshape(context, &in_gradients[i], part, spec->ndim,
                                 spec->shape);
        lbo_tensor_release(part);
    }
    return status;
}

/* ---- views ---------------------------------------------------------------------- */

GRADIENT(reshape)
{
    return lbo_reshape(context, &in_gradients[0], out_gradients[0],
                       saved->in_specs[0].ndim, saved->in_specs[0].shape);
}

GRADIENT(transpose)
{
    const lbo_dims *const order =
        &((const lbo_dims_attributes *)saved->attributes)->dims;
    const uint32_t ndim = saved->in_specs[0].ndim;
    int64_t back[LBO_MAX_DIMS];

    for (uint32_t i = 0; i < ndim; i++)
        if (order->count > 0)
            back[from_the_front(order->at[i], ndim)] = i;
        else
            back[i] = (int64_t)ndim - 1 - i;
    return lbo_transpose(context, &in_gradients[0], out_gradients[0], ndim,
                         back);
}

GRADIENT(slice)
{
    const lbo_slice_attributes *const with = saved->attributes;
    lboi_formula f = {.context = context};
    lbo_tensor *const like = lboi_like(&f, &saved->in_specs[0]);

    if (f.status == LB_OK)
        f.status = lbo_slice_backward(context, &in_gradients[0],
                                      out_gradients[0], like, with->dim,
                                      with->start, with->stop, with->step);
    return finish(&f);
}

/* Linear in its first input; the second gives only its shape. */
GRADIENT(slice_backward)
{
    const lbo_slice_attributes *const with = saved->attributes;

    return lbo_slice(context, &in_gradients[0], out_gradients[0], with->dim,
                     with->start, with->stop, with->step);
}

/* Summed by the library. */
GRADIENT(expand)
{
    (void)context;
    (void)saved;
    in_gradients[0] = lbo_tensor_retain(out_gradients[0]);
    return LB_OK;
}

/* ---- copies --------------------------------------------------------------------- */

/* Converted, or moved, by the library. */
GRADIENT(cast)
{
    (void)context;
    (void)saved;
    in_gradients[0] = lbo_tensor_retain(out_gradients[0]);
    return LB_OK;
}

GRADIENT(copy)
{
    (void)context;
    (void)saved;
    in_gradients[0] = lbo_tensor_retain(out_gradients[0]);
    return LB_OK;
}

GRADIENT(dropout)
{
    const lbo_dropout_attributes *const with = saved->attributes;
    lboi_formula f = {.context = context};
    lbo_tensor *const scaled =
        times(&f, out_gradients[0], lboi_number(&f, 1 / (1 - with->p)));

    give(&f, &in_gradients[0],
         choose(&f, saved->out[1], scaled, lboi_number(&f, 0)));
    return finish(&f);
}
