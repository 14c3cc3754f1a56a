/* gradients_reduce.c - gradients of the reductions. What is given has size 1
 * where dimensions were reduced; the library expands it to the input's shape
 * (lbo_sum_to).
 */
#include "layers/formula.h"
#include "operators/gradients.h"
#include "operators/reduce.h"

#define GRADIENT(name)                                                         \
    lb_status lboi_gradient_##name(                                            \
        lbo_context *context, const lbo_saved *saved,                          \
        lbo_tensor *const *out_gradients, lbo_tensor **in_gradients)

typedef struct reduced {
    int64_t shape[LBO_MAX_DIMS]; /* the result's, as if `keep` */
    int64_t dims[LBO_MAX_DIMS];  /* those that were reduced */
    int count;
    double size; /* elements that became one */
} reduced;

static lb_status find_reduced(const lbo_saved *saved, reduced *r)
{
    const lbo_reduce_attributes *const with = saved->attributes;
    const lbo_spec *const in = &saved->in_specs[0];
    uint32_t mask = 0;
    const lb_status status = lboi_reduced_mask(&with->dims, in->ndim, &mask);

    r->count = 0;
    r->size = 1;
    for (uint32_t i = 0; i < in->ndim; i++) {
        r->shape[i] = mask >> i & 1 ? 1 : in->shape[i];
        if (!(mask >> i & 1))
            continue;
        r->dims[r->count++] = i;
        r->size *= (double)in->shape[i];
    }
    return status;
}

/* A formula whose status is that of finding what was reduced. */
static lboi_formula begin(lbo_context *context, const lbo_saved *saved,
                          reduced *r)
{
    return (lboi_formula){.context = context, .status = find_reduced(saved, r)};
}

/* The result, or its gradient, with the dimensions that were reduced. */
static lbo_tensor *with_dims(lboi_formula *f, const lbo_saved *saved,
                             const reduced *r, lbo_tensor *out)
{
    return out->ndim == saved->in_specs[0].ndim
               ? out
               : reshaped(f, out, saved->in_specs[0].ndim, r->shape);
}

GRADIENT(sum)
{
    reduced r;
    lboi_formula f = begin(context, saved, &r);

    give(&f, &in_gradients[0], with_dims(&f, saved, &r, out_gradients[0]));
    return finish(&f);
}

GRADIENT(mean)
{
    reduced r;
    lboi_formula f = begin(context, saved, &r);
    lbo_tensor *const share =
        times(&f, out_gradients[0], lboi_number(&f, 1 / r.size));

    if (f.status == LB_OK)
        give(&f, &in_gradients[0], with_dims(&f, saved, &r, share));
    return finish(&f);
}

/* Shared evenly between those that are equal to the result. */
static lb_status of_the_chosen(lbo_context *context, const lbo_saved *saved,
                               lbo_tensor *const *out_gradients,
                               lbo_tensor **in_gradients)
{
    reduced r;
    lboi_formula f = begin(context, saved, &r);
    lbo_tensor *const g = with_dims(&f, saved, &r, out_gradients[0]);
    lbo_tensor *const chosen =
        is_equal(&f, saved->in[0], with_dims(&f, saved, &r, saved->out[0]));
    lbo_tensor *const share = over(&f, g, summed(&f, chosen, r.count, r.dims));

    give(&f, &in_gradients[0], choose(&f, chosen, share, lboi_number(&f, 0)));
    return finish(&f);
}

GRADIENT(max)
{
    return of_the_chosen(context, saved, out_gradients, in_gradients);
}

GRADIENT(min)
{
    return of_the_chosen(context, saved, out_gradients, in_gradients);
}

/* 2 (x - mean) / (n - correction) */
GRADIENT(var)
{
    const lbo_reduce_attributes *const with = saved->attributes;
    reduced r;
    lboi_formula f = begin(context, saved, &r);
    lbo_tensor *const x = saved->in[0];
    lbo_tensor *const g = with_dims(&f, saved, &r, out_gradients[0]);
    lbo_tensor *const mean =
        times(&f, summed(&f, x, r.count, r.dims), lboi_number(&f, 1 / r.size));
    const double freedom =
        r.size > with->correction ? r.size - with->correction : 0;
    lbo_tensor *const scaled = times(&f, g, lboi_number(&f, 2 / freedom));

    give(&f, &in_gradients[0], times(&f, scaled, minus(&f, x, mean)));
    return finish(&f);
}
