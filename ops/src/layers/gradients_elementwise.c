/* gradients_elementwise.c - gradients of the operators on one element of each
 * input: textbook derivatives. Broadcasting is not their business: see
 * lbo_sum_to. At kinks: minimum and maximum share between equals, abs and relu
 * have 0, clamp has 1 on its bounds (as PyTorch's).
 */
#include "layers/formula.h"
#include "operators/gradients.h"

/* The square root of 2 / pi. */
#define SQRT_2_PI 0.79788456080286535588

#define GRADIENT(name)                                                         \
    lb_status lboi_gradient_##name(                                            \
        lbo_context *context, const lbo_saved *saved,                          \
        lbo_tensor *const *out_gradients, lbo_tensor **in_gradients)

/* ---- arithmetic --------------------------------------------------------------- */

GRADIENT(add)
{
    lboi_formula f = {.context = context};

    for (uint32_t i = 0; i < 2; i++)
        if (wants(saved, i))
            give(&f, &in_gradients[i], out_gradients[0]);
    return finish(&f);
}

GRADIENT(sub)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const g = out_gradients[0];

    if (wants(saved, 0))
        give(&f, &in_gradients[0], g);
    if (wants(saved, 1))
        give(&f, &in_gradients[1], negative(&f, g));
    return finish(&f);
}

GRADIENT(mul)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const g = out_gradients[0];

    for (uint32_t i = 0; i < 2; i++)
        if (wants(saved, i))
            give(&f, &in_gradients[i], times(&f, g, saved->in[1 - i]));
    return finish(&f);
}

/* g / b and -(g / b) a / b */
GRADIENT(div)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const a = saved->in[0], *const b = saved->in[1];
    lbo_tensor *const first = over(&f, out_gradients[0], b);

    if (wants(saved, 0))
        give(&f, &in_gradients[0], first);
    if (wants(saved, 1))
        give(&f, &in_gradients[1],
             negative(&f, over(&f, times(&f, first, a), b)));
    return finish(&f);
}

/* b a^(b - 1), where b is 0: 0. */
static lbo_tensor *pow_by_base(lboi_formula *f, lbo_tensor *g, lbo_tensor *a,
                               lbo_tensor *b)
{
    lbo_tensor *const lower = power(f, a, minus(f, b, lboi_number(f, 1)));

    return choose(f, is_equal(f, b, lboi_number(f, 0)), lboi_number(f, 0),
                  times(f, g, times(f, b, lower)));
}

/* y log a, where a is 0 and b is not negative: 0. */
static lbo_tensor *pow_by_exponent(lboi_formula *f, lbo_tensor *g,
                                   const lbo_saved *saved)
{
    lbo_tensor *const a = saved->in[0], *const b = saved->in[1];
    lbo_tensor *const zero = lboi_number(f, 0);
    lbo_tensor *const flat =
        times(f, is_equal(f, a, zero), is_at_least(f, b, zero));

    return choose(f, flat, zero,
                  times(f, g, times(f, saved->out[0], logarithm(f, a))));
}

GRADIENT(pow)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const g = out_gradients[0];

    if (wants(saved, 0))
        give(&f, &in_gradients[0],
             pow_by_base(&f, g, saved->in[0], saved->in[1]));
    if (wants(saved, 1))
        give(&f, &in_gradients[1], pow_by_exponent(&f, g, saved));
    return finish(&f);
}

/* g where a < b, half of it where they are equal. */
static lbo_tensor *of_the_lesser(lboi_formula *f, lbo_tensor *g, lbo_tensor *a,
                                 lbo_tensor *b)
{
    lbo_tensor *const half = times(f, g, lboi_number(f, 0.5));

    return choose(f, is_equal(f, a, b), half,
                  choose(f, is_less(f, a, b), g, lboi_number(f, 0)));
}

GRADIENT(minimum)
{
    lboi_formula f = {.context = context};

    for (uint32_t i = 0; i < 2; i++)
        if (wants(saved, i))
            give(&f, &in_gradients[i],
                 of_the_lesser(&f, out_gradients[0], saved->in[i],
                               saved->in[1 - i]));
    return finish(&f);
}

GRADIENT(maximum)
{
    lboi_formula f = {.context = context};

    for (uint32_t i = 0; i < 2; i++)
        if (wants(saved, i))
            give(&f, &in_gradients[i],
                 of_the_lesser(&f, out_gradients[0], saved->in[1 - i],
                               saved->in[i]));
    return finish(&f);
}

GRADIENT(neg)
{
    lboi_formula f = {.context = context};

    (void)saved;
    give(&f, &in_gradients[0], negative(&f, out_gradients[0]));
    return finish(&f);
}

GRADIENT(abs)
{
    lboi_formula f = {.context = context};

    give(&f, &in_gradients[0],
         times(&f, out_gradients[0], sign_of(&f, saved->in[0])));
    return finish(&f);
}

/* Constant wherever it has a gradient: zero. */
GRADIENT(sign)
{
    (void)context;
    (void)saved;
    (void)out_gradients;
    (void)in_gradients;
    return LB_OK;
}

GRADIENT(clamp)
{
    const lbo_clamp_attributes *const with = saved->attributes;
    lboi_formula f = {.context = context};
    lbo_tensor *const x = saved->in[0];
    lbo_tensor *const inside =
        times(&f, is_at_least(&f, x, lboi_number(&f, with->low)),
              is_at_most(&f, x, lboi_number(&f, with->high)));

    give(&f, &in_gradients[0],
         choose(&f, inside, out_gradients[0], lboi_number(&f, 0)));
    return finish(&f);
}

GRADIENT(where)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const g = out_gradients[0], *const condition = saved->in[0];

    if (wants(saved, 1))
        give(&f, &in_gradients[1],
             choose(&f, condition, g, lboi_number(&f, 0)));
    if (wants(saved, 2))
        give(&f, &in_gradients[2],
             choose(&f, condition, lboi_number(&f, 0), g));
    return finish(&f);
}

/* ---- functions ------------------------------------------------------------------ */

/* g / (2 y) */
GRADIENT(sqrt)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const half = times(&f, out_gradients[0], lboi_number(&f, 0.5));

    give(&f, &in_gradients[0], over(&f, half, saved->out[0]));
    return finish(&f);
}

GRADIENT(exp)
{
    lboi_formula f = {.context = context};

    give(&f, &in_gradients[0], times(&f, out_gradients[0], saved->out[0]));
    return finish(&f);
}

GRADIENT(log)
{
    lboi_formula f = {.context = context};

    give(&f, &in_gradients[0], over(&f, out_gradients[0], saved->in[0]));
    return finish(&f);
}

GRADIENT(tanh)
{
    return lbo_tanh_backward(context, &in_gradients[0], out_gradients[0],
                             saved->out[0]);
}

GRADIENT(sigmoid)
{
    return lbo_sigmoid_backward(context, &in_gradients[0], out_gradients[0],
                                saved->out[0]);
}

GRADIENT(silu)
{
    return lbo_silu_backward(context, &in_gradients[0], out_gradients[0],
                             saved->in[0]);
}

GRADIENT(relu)
{
    return lbo_relu_backward(context, &in_gradients[0], out_gradients[0],
                             saved->out[0]);
}

GRADIENT(gelu)
{
    const lbo_gelu_attributes *const with = saved->attributes;

    return lbo_gelu_backward(context, &in_gradients[0], out_gradients[0],
                             saved->in[0], with->approximate);
}

/* ---- gradients of gradients -------------------------------------------------- */

/* g (1 - y^2): by y, -2 y g */
GRADIENT(tanh_backward)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const h = out_gradients[0], *const y = saved->in[1];
    lb_status status = LB_OK;

    if (wants(saved, 0))
        status = lbo_tanh_backward(context, &in_gradients[0], h, y);
    if (status == LB_OK && wants(saved, 1))
        give(&f, &in_gradients[1],
             times(&f, times(&f, h, saved->in[0]),
                   times(&f, y, lboi_number(&f, -2))));
    return status == LB_OK ? finish(&f) : status;
}

/* g y (1 - y): by y, g (1 - 2 y) */
GRADIENT(sigmoid_backward)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const h = out_gradients[0], *const y = saved->in[1];
    lb_status status = LB_OK;

    if (wants(saved, 0))
        status = lbo_sigmoid_backward(context, &in_gradients[0], h, y);
    if (status == LB_OK && wants(saved, 1))
        give(&f, &in_gradients[1],
             times(&f, times(&f, h, saved->in[0]),
                   minus(&f, lboi_number(&f, 1),
                         times(&f, y, lboi_number(&f, 2)))));
    return status == LB_OK ? finish(&f) : status;
}

/* With s = sigmoid(x): the second derivative of x s is
 * s (1 - s) (2 + x (1 - 2 s)). */
static lbo_tensor *silu_twice(lboi_formula *f, lbo_tensor *x)
{
    lbo_tensor *const one = lboi_number(f, 1), *const two = lboi_number(f, 2);
    lbo_tensor *const s = logistic(f, x);
    lbo_tensor *const slope = times(f, s, minus(f, one, s));
    lbo_tensor *const bend = times(f, x, minus(f, one, times(f, s, two)));

    return times(f, slope, plus(f, bend, two));
}

GRADIENT(silu_backward)
{
    lboi_formula f = {.context = context};
    lbo_tensor *const h = out_gradients[0], *const x = saved->in[1];
    lb_status status = LB_OK;

    if (wants(saved, 0))
        status = lbo_silu_backward(context, &in_gradients[0], h, x);
    if (status == LB_OK && wants(saved, 1))
        give(&f, &in_gradients[1],
             times(&f, times(&f, h, saved->in[0]), silu_twice(&f, x)));
    return status == LB_OK ? finish(&f) : status;
}

/* By y it is 0 wherever it has a gradient. */
GRADIENT(relu_backward)
{
    return wants(saved, 0) ? lbo_relu_backward(context, &in_gradients[0],
                                               out_gradients[0], saved->in[1])
                           : LB_OK;
}

/* x Phi(x) twice differentiated: phi(x) (2 - x^2). */
static lbo_tensor *gelu_twice(lboi_formula *f, lbo_tensor *x)
{
    lbo_tensor *const square = times(f, x, x);
    lbo_tensor *const bell =
        times(f, exponential(f, times(f, square, lboi_number(f, -0.5))),
              lboi_number(f, 0.5 * SQRT_2_PI));

    return times(f, bell, minus(f, lboi_number(f, 2), square));
}

/* x (1 + t) / 2 with t = tanh u, u = k (x + c x^3), twice differentiated:
 * (1 - t^2) (u' + x u'' / 2 - x t u'^2). */
static lbo_tensor *gelu_tanh_twice(lboi_formula *f, lbo_tensor *x)
{
    const double k = SQRT_2_PI, c = 0.044715;
    lbo_tensor *const square = times(f, x, x);
    lbo_tensor *const u = times(
        f, x,
        plus(f, times(f, square, lboi_number(f, k * c)), lboi_number(f, k)));
    lbo_tensor *const t = hyperbolic(f, u);
    lbo_tensor *const u1 =
        plus(f, times(f, square, lboi_number(f, 3 * k * c)), lboi_number(f, k));
    lbo_tensor *const half_x_u2 = times(f, square, lboi_number(f, 3 * k * c));
    lbo_tensor *const third = times(f, times(f, x, t), times(f, u1, u1));

    return times(f, minus(f, lboi_number(f, 1), times(f, t, t)),
                 minus(f, plus(f, u1, half_x_u2), third));
}

GRADIENT(gelu_backward)
{
    const lbo_gelu_attributes *const with = saved->attributes;
    lboi_formula f = {.context = context};
    lbo_tensor *const h = out_gradients[0], *const x = saved->in[1];
    lb_status status = LB_OK;

    if (wants(saved, 0))
        status = lbo_gelu_backward(context, &in_gradients[0], h, x,
                                   with->approximate);
    if (status == LB_OK && wants(saved, 1))
        give(&f, &in_gradients[1],
             times(&f, times(&f, h, saved->in[0]),
                   with->approximate ? gelu_tanh_twice(&f, x)
                                     : gelu_twice(&f, x)));
    return status == LB_OK ? finish(&f) : status;
}
