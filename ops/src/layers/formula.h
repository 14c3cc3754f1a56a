/* layers/formula.h - formulas over tensors, for gradients.
 *
 * Each function runs an operator and gives its result, which belongs to the
 * formula; after a failure all give NULL and do nothing. So a gradient reads as
 * its mathematics:
 *
 *     lboi_formula f = {.context = context};
 *     give(&f, &in_gradients[0], mul(&f, g, b));
 *     return finish(&f);
 */
#ifndef LBO_LAYERS_FORMULA_H
#define LBO_LAYERS_FORMULA_H

#include "latebind/ops/autograd.h"
#include "latebind/ops/functions.h"
#include "latebind/ops/kernel.h"

enum { LBOI_FORMULA_SIZE = 48 };

typedef struct lboi_formula {
    lbo_context *context;
    lb_status status;
    uint32_t count;
    lbo_tensor *made[LBOI_FORMULA_SIZE];
} lboi_formula;

/* Makes *tensor (whose reference it takes) the formula's, if `status` is good;
 * returns it. */
lbo_tensor *lboi_formula_keep(lboi_formula *f, lb_status status,
                              lbo_tensor *const *tensor);

/* Gives everything back that was made; returns the status. */
lb_status lboi_formula_end(lboi_formula *f);

static inline lb_status finish(lboi_formula *f)
{
    return lboi_formula_end(f);
}

/* *slot = tensor, with a reference of its own. */
static inline void give(lboi_formula *f, lbo_tensor **slot, lbo_tensor *tensor)
{
    if (f->status == LB_OK)
        *slot = lbo_tensor_retain(tensor);
}

static inline bool wants(const lbo_saved *saved, uint32_t i)
{
    return i >= 32 || (saved->wanted >> i & 1) != 0;
}

/* A number, which takes the type of what it is combined with. */
lbo_tensor *lboi_number(lboi_formula *f, double value);
/* A tensor of that shape, type and device without memory for its elements,
 * for operators that want to know what their result is to be like. */
lbo_tensor *lboi_like(lboi_formula *f, const lbo_spec *spec);

/* For formulas of one operator after the other. */
#define LBOI_FORMULA_UNARY(name_, operator_)                                   \
    static inline lbo_tensor *name_(lboi_formula *f, lbo_tensor *x)            \
    {                                                                          \
        lbo_tensor *out = NULL;                                                \
        return f->status != LB_OK                                              \
                   ? NULL                                                      \
                   : lboi_formula_keep(f, operator_(f->context, &out, x),      \
                                       &out);                                  \
    }
#define LBOI_FORMULA_BINARY(name_, operator_)                                  \
    static inline lbo_tensor *name_(lboi_formula *f, lbo_tensor *a,            \
                                    lbo_tensor *b)                             \
    {                                                                          \
        lbo_tensor *out = NULL;                                                \
        return f->status != LB_OK                                              \
                   ? NULL                                                      \
                   : lboi_formula_keep(f, operator_(f->context, &out, a, b),   \
                                       &out);                                  \
    }

LBOI_FORMULA_UNARY(negative, lbo_neg)
LBOI_FORMULA_UNARY(sign_of, lbo_sign)
LBOI_FORMULA_UNARY(exponential, lbo_exp)
LBOI_FORMULA_UNARY(logarithm, lbo_log)
LBOI_FORMULA_UNARY(hyperbolic, lbo_tanh)
LBOI_FORMULA_UNARY(logistic, lbo_sigmoid)
LBOI_FORMULA_BINARY(plus, lbo_add)
LBOI_FORMULA_BINARY(minus, lbo_sub)
LBOI_FORMULA_BINARY(times, lbo_mul)
LBOI_FORMULA_BINARY(over, lbo_div)
LBOI_FORMULA_BINARY(power, lbo_pow)
LBOI_FORMULA_BINARY(is_equal, lbo_equal)
LBOI_FORMULA_BINARY(is_less, lbo_less)
LBOI_FORMULA_BINARY(is_at_least, lbo_greater_equal)
LBOI_FORMULA_BINARY(is_at_most, lbo_less_equal)
LBOI_FORMULA_BINARY(product, lbo_matmul)

static inline lbo_tensor *choose(lboi_formula *f, lbo_tensor *condition,
                                 lbo_tensor *a, lbo_tensor *b)
{
    lbo_tensor *out = NULL;

    return f->status != LB_OK
               ? NULL
               : lboi_formula_keep(
                     f, lbo_where(f->context, &out, condition, a, b), &out);
}

static inline lbo_tensor *reshaped(lboi_formula *f, lbo_tensor *x, size_t ndim,
                                   const int64_t *shape)
{
    lbo_tensor *out = NULL;

    return f->status != LB_OK
               ? NULL
               : lboi_formula_keep(
                     f, lbo_reshape(f->context, &out, x, ndim, shape), &out);
}

static inline lbo_tensor *summed(lboi_formula *f, lbo_tensor *x, int count,
                                 const int64_t *dims)
{
    lbo_tensor *out = NULL;

    return f->status != LB_OK
               ? NULL
               : lboi_formula_keep(
                     f, lbo_sum(f->context, &out, x, count, dims, true), &out);
}

/* The last two dimensions exchanged. */
static inline lbo_tensor *transposed(lboi_formula *f, lbo_tensor *x)
{
    lbo_tensor *out = NULL;

    return f->status != LB_OK
               ? NULL
               : lboi_formula_keep(
                     f, lbo_swap_dims(f->context, &out, x, -1, -2), &out);
}

#endif
