/* gradients_normalize.c - gradients of softmax, losses and layer_norm. Where
 * gradients of gradients are wanted, softmax's are made of operators that can
 * be differentiated again, instead of one pass.
 */
#include "layers/formula.h"
#include "layers/history.h"
#include "operators/gradients.h"

#define GRADIENT(name)                                                         \
    lb_status lboi_gradient_##name(                                            \
        lbo_context *context, const lbo_saved *saved,                          \
        lbo_tensor *const *out_gradients, lbo_tensor **in_gradients)

static bool is_recorded(const lbo_context *context)
{
    return context->gradients == LBOI_RECORDS_ALL;
}

/* y (g - sum(g y)) */
GRADIENT(softmax)
{
    const int64_t dim = ((const lbo_dim_attributes *)saved->attributes)->dim;
    lbo_tensor *const g = out_gradients[0], *const y = saved->out[0];
    lboi_formula f = {.context = context};

    if (!is_recorded(context) || y->ndim == 0)
        return lbo_softmax_backward(context, &in_gradients[0], g, y, dim);
    lbo_tensor *const sum = summed(&f, times(&f, g, y), 1, &dim);
    give(&f, &in_gradients[0], times(&f, y, minus(&f, g, sum)));
    return finish(&f);
}

/* g - exp(y) sum(g) */
GRADIENT(log_softmax)
{
    const int64_t dim = ((const lbo_dim_attributes *)saved->attributes)->dim;
    lbo_tensor *const g = out_gradients[0], *const y = saved->out[0];
    lboi_formula f = {.context = context};

    if (!is_recorded(context) || y->ndim == 0)
        return lbo_log_softmax_backward(context, &in_gradients[0], g, y, dim);
    lbo_tensor *const sum = summed(&f, g, 1, &dim);
    give(&f, &in_gradients[0],
         minus(&f, g, times(&f, exponential(&f, y), sum)));
    return finish(&f);
}

/* Results beside the first are there for the gradient; nobody is to go on from
 * them. */
static lb_status first_only(const lbo_saved *saved,
                            lbo_tensor *const *out_gradients)
{
    for (uint32_t i = 1; i < saved->out_count; i++)
        if (out_gradients[i] != NULL)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "%s has no gradient for its result %u",
                            saved->op->spec.name, (unsigned)i);
    if (out_gradients[0] == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: no gradient arrived",
                        saved->op->spec.name);
    return LB_OK;
}

GRADIENT(cross_entropy)
{
    const lbo_loss_attributes *const with = saved->attributes;
    const lb_status status = first_only(saved, out_gradients);

    if (status != LB_OK)
        return status;
    return lbo_cross_entropy_backward(
        context, &in_gradients[0], out_gradients[0], saved->out[1],
        saved->in[1], (lbo_reduction)with->reduction, with->ignore);
}

/* 2 (a - b), for b with the other sign. */
GRADIENT(mse)
{
    const lbo_loss_attributes *const with = saved->attributes;
    lbo_tensor *const a = saved->in[0], *const b = saved->in[1];
    const double count = a->size > 0 ? (double)a->size : 1;
    lboi_formula f = {.context = context};
    lbo_tensor *const scaled = times(
        &f, out_gradients[0],
        lboi_number(&f, with->reduction == LBO_REDUCE_MEAN ? 2 / count : 2));
    lbo_tensor *const by_a = times(&f, minus(&f, a, b), scaled);

    if (wants(saved, 0))
        give(&f, &in_gradients[0], by_a);
    if (wants(saved, 1))
        give(&f, &in_gradients[1], negative(&f, by_a));
    return finish(&f);
}

GRADIENT(layer_norm)
{
    const lbo_layer_norm_attributes *const with = saved->attributes;
    lb_status status = first_only(saved, out_gradients);

    if (status != LB_OK)
        return status;
    /* All three are made; what is not wanted is dropped by the library. */
    return lbo_layer_norm_backward(context, in_gradients, out_gradients[0],
                                   saved->in[0], saved->out[1], saved->out[2],
                                   saved->in[1], with->dims);
}
