/* Each operator's gradient against central finite differences in f64, on random
 * shapes, broadcasts and strides; and the gradient of its gradient, or a clear
 * error that there is none. An operator that has a gradient and no row in the
 * table fails the test. */
#include "tensors.h"

#include <math.h>

enum {
    BROADCAST = 1, /* random shapes that go together; those given are unused */
    ROUNDS = 10,
    MOST = 5 /* inputs */
};

/* What an input is: negative sizes are random, the same number for the same
 * one. dtype LBO_ANY_DTYPE: NULL. */
typedef struct input {
    int dtype;
    double low, high;
    uint32_t ndim;
    int64_t shape[4];
} input;

typedef struct row {
    const char *op;
    const void *attributes;
    uint32_t flags;
    uint32_t in_count;
    input in[MOST];
    /* The operator in its gradient that has no gradient itself; NULL: all
     * have. */
    const char *ends;
} row;

#define REAL(low_, high_, ...)                                                 \
    {                                                                          \
        .dtype = LBO_F64, .low = low_, .high = high_,                          \
        .ndim = COUNT_OF(SHAPE(__VA_ARGS__)), .shape = {                       \
            __VA_ARGS__                                                        \
        }                                                                      \
    }
#define INDEX(high_, ...)                                                      \
    {                                                                          \
        .dtype = LBO_I64, .low = 0, .high = high_,                             \
        .ndim = COUNT_OF(SHAPE(__VA_ARGS__)), .shape = {                       \
            __VA_ARGS__                                                        \
        }                                                                      \
    }
#define ANY(low_, high_)                                                       \
    {                                                                          \
        .dtype = LBO_F64, .low = low_, .high = high_                           \
    }
#define TRUTH                                                                  \
    {                                                                          \
        .dtype = LBO_BOOL, .low = 0, .high = 1                                 \
    }
#define ABSENT                                                                 \
    {                                                                          \
        .dtype = LBO_ANY_DTYPE                                                 \
    }
#define WITH(type, ...) (&(const type){__VA_ARGS__})
#define DIMS(...)                                                              \
    {                                                                          \
        .count = COUNT_OF(SHAPE(__VA_ARGS__)), .at = { __VA_ARGS__ }           \
    }
#define ALL_DIMS                                                               \
    {                                                                          \
        .count = -1                                                            \
    }
#define REDUCE(keep, correction, ...)                                          \
    WITH(lbo_reduce_attributes, __VA_ARGS__, keep, correction)
#define CONV(...) WITH(lbo_conv2d_attributes, __VA_ARGS__)
#define POOL(...) WITH(lbo_pool2d_attributes, __VA_ARGS__)
#define LOSS(...) WITH(lbo_loss_attributes, __VA_ARGS__)
#define ALONG(dim) WITH(lbo_dim_attributes, dim)
#define ORDER(...) WITH(lbo_dims_attributes, DIMS(__VA_ARGS__))

#define UNARY(op_, low, high)                                                  \
    {                                                                          \
        .op = op_, .flags = BROADCAST, .in_count = 1, .in = { ANY(low, high) } \
    }
#define BINARY(op_, low, high, low_b, high_b)                                  \
    {                                                                          \
        .op = op_, .flags = BROADCAST, .in_count = 2, .in = {                  \
            ANY(low, high),                                                    \
            ANY(low_b, high_b)                                                 \
        }                                                                      \
    }

static const row rows[] = {
    BINARY("add", -2, 2, -2, 2),
    BINARY("sub", -2, 2, -2, 2),
    BINARY("mul", -2, 2, -2, 2),
    BINARY("div", -2, 2, 0.5, 2),
    BINARY("pow", 0.5, 2, -2, 2),
    BINARY("minimum", -2, 2, -2, 2),
    BINARY("maximum", -2, 2, -2, 2),
    UNARY("neg", -2, 2),
    UNARY("abs", -2, 2),
    UNARY("sign", -2, 2),
    UNARY("sqrt", 0.5, 4),
    UNARY("exp", -2, 2),
    UNARY("log", 0.5, 4),
    UNARY("tanh", -2, 2),
    UNARY("sigmoid", -3, 3),
    UNARY("silu", -3, 3),
    UNARY("relu", -2, 2),
    {"gelu", WITH(lbo_gelu_attributes, false), BROADCAST, 1, {ANY(-3, 3)}, 0},
    {"gelu", WITH(lbo_gelu_attributes, true), BROADCAST, 1, {ANY(-3, 3)}, 0},
    {"clamp",
     WITH(lbo_clamp_attributes, -1, 0.5),
     BROADCAST,
     1,
     {ANY(-2, 2)},
     0},
    {"clamp", WITH(lbo_clamp_attributes, 1, -1), BROADCAST, 1, {ANY(-2, 2)}, 0},
    {"where", NULL, BROADCAST, 3, {TRUTH, ANY(-2, 2), ANY(-2, 2)}, 0},
    BINARY("tanh_backward", -2, 2, -1, 1),
    BINARY("sigmoid_backward", -2, 2, 0, 1),
    BINARY("silu_backward", -2, 2, -3, 3),
    BINARY("relu_backward", -2, 2, -2, 2),
    {"gelu_backward",
     WITH(lbo_gelu_attributes, false),
     BROADCAST,
     2,
     {ANY(-2, 2), ANY(-3, 3)},
     0},
    {"gelu_backward",
     WITH(lbo_gelu_attributes, true),
     BROADCAST,
     2,
     {ANY(-2, 2), ANY(-3, 3)},
     0},

    {"sum", REDUCE(false, 0, ALL_DIMS), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"sum", REDUCE(false, 0, DIMS(0, -1)), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"sum", REDUCE(true, 0, DIMS(1)), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"mean", REDUCE(false, 0, ALL_DIMS), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"mean", REDUCE(false, 0, DIMS(-2)), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"max", REDUCE(false, 0, ALL_DIMS), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"max", REDUCE(false, 0, DIMS(1)), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"min", REDUCE(true, 0, DIMS(0, 2)), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"min", REDUCE(true, 0, ALL_DIMS), 0, 1, {REAL(-2, 2, -1)}, 0},
    {"var", REDUCE(false, 0, ALL_DIMS), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"var", REDUCE(false, 1, DIMS(1)), 0, 1, {REAL(-2, 2, -1, 3, -3)}, 0},

    {"matmul", NULL, 0, 2, {REAL(-2, 2, -1, -2), REAL(-2, 2, -2, -3)}, 0},
    {"matmul", NULL, 0, 2, {REAL(-2, 2, -1), REAL(-2, 2, -1)}, 0},
    {"matmul", NULL, 0, 2, {REAL(-2, 2, -1), REAL(-2, 2, -1, -2)}, 0},
    {"matmul", NULL, 0, 2, {REAL(-2, 2, -1, -2), REAL(-2, 2, -2)}, 0},
    {"matmul", NULL, 0, 2, {REAL(-2, 2, -2), REAL(-2, 2, -1, -2, -3)}, 0},
    {"matmul", NULL, 0, 2, {REAL(-2, 2, -3, -1, -2), REAL(-2, 2, -2)}, 0},
    {"matmul", NULL, 0, 2, {REAL(-2, 2, -4, -1, -2), REAL(-2, 2, -2, -3)}, 0},
    {"matmul", NULL, 0, 2, {REAL(-2, 2, -1, -2), REAL(-2, 2, -4, -2, -3)}, 0},
    {"matmul",
     NULL,
     0,
     2,
     {REAL(-2, 2, 2, 1, -1, -2), REAL(-2, 2, 3, -2, -3)},
     0},
    {"linear",
     NULL,
     0,
     3,
     {REAL(-2, 2, -1, -2), REAL(-2, 2, -3, -2), REAL(-2, 2, -3)},
     0},
    {"linear",
     NULL,
     0,
     3,
     {REAL(-2, 2, -1, -4, -2), REAL(-2, 2, -3, -2), ABSENT},
     0},
    {"linear",
     NULL,
     0,
     3,
     {REAL(-2, 2, -2), REAL(-2, 2, -3, -2), REAL(-2, 2, -3)},
     0},
    {"conv2d",
     CONV({1, 1}, {0, 0}, {1, 1}, 1),
     0,
     3,
     {REAL(-2, 2, 2, 3, 4, 5), REAL(-2, 2, 2, 3, 2, 3), REAL(-2, 2, 2)},
     "conv2d_backward"},
    {"conv2d",
     CONV({2, 1}, {1, 2}, {1, 2}, 2),
     0,
     3,
     {REAL(-2, 2, 1, 4, 5, 4), REAL(-2, 2, 2, 2, 3, 2), ABSENT},
     "conv2d_backward"},
    {"max_pool2d",
     POOL({2, 2}, {2, 1}, {1, 0}),
     0,
     1,
     {REAL(-2, 2, -1, 2, 4, 5)},
     "max_pool2d_backward"},
    {"avg_pool2d",
     POOL({2, 3}, {1, 2}, {1, 1}),
     0,
     1,
     {REAL(-2, 2, -1, 2, 4, 5)},
     "avg_pool2d_backward"},

    {"softmax", ALONG(1), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"softmax", ALONG(-1), 0, 1, {REAL(-2, 2, -1, -2)}, 0},
    {"log_softmax", ALONG(0), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"cross_entropy",
     LOSS(LBO_REDUCE_MEAN, -100),
     0,
     2,
     {REAL(-2, 2, -1, 3), INDEX(2, -1)},
     "cross_entropy_backward"},
    {"cross_entropy",
     LOSS(LBO_REDUCE_NONE, -100),
     0,
     2,
     {REAL(-2, 2, -1, 3), INDEX(2, -1)},
     "cross_entropy_backward"},
    {"cross_entropy",
     LOSS(LBO_REDUCE_SUM, 1),
     0,
     2,
     {REAL(-2, 2, 4, 3), INDEX(2, 4)},
     "cross_entropy_backward"},
    {"mse",
     LOSS(LBO_REDUCE_MEAN, 0),
     0,
     2,
     {REAL(-2, 2, -1, -2), REAL(-2, 2, -1, -2)},
     0},
    {"mse",
     LOSS(LBO_REDUCE_SUM, 0),
     0,
     2,
     {REAL(-2, 2, -1, -2), REAL(-2, 2, -1, -2)},
     0},
    {"mse",
     LOSS(LBO_REDUCE_NONE, 0),
     0,
     2,
     {REAL(-2, 2, -1, -2), REAL(-2, 2, -1, -2)},
     0},
    {"layer_norm",
     WITH(lbo_layer_norm_attributes, 1, 1e-5),
     0,
     3,
     {REAL(-2, 2, -1, -2, 4), REAL(-2, 2, 4), REAL(-2, 2, 4)},
     "layer_norm_backward"},
    {"layer_norm",
     WITH(lbo_layer_norm_attributes, 2, 1e-5),
     0,
     3,
     {REAL(-2, 2, -1, 3, 4), ABSENT, ABSENT},
     "layer_norm_backward"},

    {"embedding",
     NULL,
     0,
     2,
     {REAL(-2, 2, 3, -1), INDEX(2, -2, -3)},
     "embedding_backward"},
    {"gather",
     ALONG(0),
     0,
     2,
     {REAL(-2, 2, 3, -1), INDEX(2, -2, -1)},
     "gather_backward"},
    {"gather",
     ALONG(-1),
     0,
     2,
     {REAL(-2, 2, -1, 3), INDEX(2, -1, 4)},
     "gather_backward"},
    {"concat",
     ALONG(-1),
     0,
     3,
     {REAL(-2, 2, -1, -2), REAL(-2, 2, -1, -3), REAL(-2, 2, -1, -4)},
     0},
    {"concat", ALONG(0), 0, 2, {REAL(-2, 2, -1, -2), REAL(-2, 2, -3, -2)}, 0},
    {"stack",
     ALONG(-1),
     0,
     3,
     {REAL(-2, 2, -1, -2), REAL(-2, 2, -1, -2), REAL(-2, 2, -1, -2)},
     0},
    {"stack", ALONG(0), 0, 2, {REAL(-2, 2, -1), REAL(-2, 2, -1)}, 0},
    {"reshape", ORDER(3, -1), 0, 1, {REAL(-2, 2, -1, 3, -2)}, 0},
    {"transpose", ORDER(2, 0, -2), 0, 1, {REAL(-2, 2, -1, -2, -3)}, 0},
    {"transpose",
     WITH(lbo_dims_attributes, {.count = 0}),
     0,
     1,
     {REAL(-2, 2, -1, -2, -3)},
     0},
    {"slice",
     WITH(lbo_slice_attributes, 1, 1, 5, 2),
     0,
     1,
     {REAL(-2, 2, -1, 6)},
     0},
    {"slice",
     WITH(lbo_slice_attributes, -1, 4, 0, -2),
     0,
     1,
     {REAL(-2, 2, -1, 6)},
     0},
    {"slice_backward",
     WITH(lbo_slice_attributes, 1, 1, 5, 2),
     0,
     2,
     {REAL(-2, 2, -1, 2), REAL(-2, 2, -1, 6)},
     0},
    {"expand", ORDER(2, 3, -1), 0, 1, {REAL(-2, 2, 1, -1)}, 0},
    {"cast", WITH(lbo_cast_attributes, LBO_F64), BROADCAST, 1, {ANY(-2, 2)}, 0},
    UNARY("copy", -2, 2),
    {"dropout",
     WITH(lbo_dropout_attributes, 0.4, 7, 9),
     BROADCAST,
     1,
     {ANY(-2, 2)},
     0},
};

/* ---- inputs -------------------------------------------------------------------- */

typedef struct trial {
    world *w;
    lbo_context *plain; /* without layers */
    const row *row;
    const lbo_operator *op;
    lbo_tensor *in[MOST];
    lbo_tensor *seed;
} trial;

static double random_number(world *w, double low, double high)
{
    return low + (high - low) * (double)pick(w, 0, 1 << 20) / (1 << 20);
}

static double *place(lbo_tensor *t, int64_t number)
{
    int64_t index[LBO_MAX_DIMS];

    index_of(t, number, index);
    return (double *)(void *)naive_place(t, index);
}

static void set_numbers(world *w, lbo_tensor *t, const input *what)
{
    int64_t index[LBO_MAX_DIMS];

    for (int64_t i = 0; i < t->size; i++) {
        index_of(t, i, index);
        char *const at = naive_place(t, index);
        if (t->dtype == LBO_F64)
            *(double *)(void *)at = random_number(w, what->low, what->high);
        else if (t->dtype == LBO_I64)
            *(int64_t *)(void *)at = pick(w, 0, (int64_t)what->high);
        else
            *at = (char)pick(w, 0, 1);
    }
}

/* A shape that broadcasts to `all`: fewer dimensions, or some of size 1. */
static uint32_t narrower(world *w, uint32_t ndim, const int64_t *all,
                         int64_t *shape)
{
    const uint32_t fewer =
        pick(w, 0, 2) == 0 && ndim > 0 ? (uint32_t)pick(w, 0, ndim) : 0;

    for (uint32_t i = fewer; i < ndim; i++)
        shape[i - fewer] = pick(w, 0, 3) == 0 ? 1 : all[i];
    return ndim - fewer;
}

static void make_inputs(trial *t)
{
    const bool any = t->row->flags & BROADCAST;
    const uint32_t most = (uint32_t)pick(t->w, 0, 3);
    int64_t all[4], symbols[5], shape[4];

    random_shape(t->w, 4, 3, all);
    for (int i = 0; i < 5; i++)
        symbols[i] = pick(t->w, 1, 3);
    for (uint32_t i = 0; i < t->row->in_count; i++) {
        const input *const what = &t->row->in[i];
        uint32_t ndim = what->ndim;
        if (what->dtype == LBO_ANY_DTYPE)
            continue;
        for (uint32_t k = 0; k < ndim; k++)
            shape[k] =
                what->shape[k] < 0 ? symbols[-what->shape[k]] : what->shape[k];
        if (any)
            ndim = narrower(t->w, most, all, shape);
        t->in[i] = random_view(t->w, (lbo_dtype)what->dtype, ndim, shape);
        set_numbers(t->w, t->in[i], what);
        if (what->dtype == LBO_F64)
            assert_ok(lbo_require_gradient(t->in[i], true));
    }
}

static lbo_tensor *run_op(trial *t, lbo_context *context)
{
    lbo_tensor *out[LBO_MAX_OUT] = {NULL};
    lbo_call call = {.in = t->in,
                     .out = out,
                     .attributes = t->row->attributes,
                     .in_count = t->row->in_count,
                     .out_count = t->op->spec.out_count};

    assert_ok(lbo_run(context, t->op, &call));
    for (uint32_t i = 1; i < call.out_count; i++)
        lbo_tensor_release(out[i]);
    return out[0];
}

static void begin_trial(trial *t)
{
    static const input numbers = ANY(-2, 2);

    make_inputs(t);
    lbo_tensor *const out = run_op(t, t->plain);
    t->seed = random_view(t->w, LBO_F64, out->ndim, lbo_shape(out));
    set_numbers(t->w, t->seed, &numbers);
    assert_ok(lbo_require_gradient(t->seed, true));
    lbo_tensor_release(out);
}

static void end_trial(trial *t)
{
    for (uint32_t i = 0; i < MOST; i++) {
        lbo_tensor_release(t->in[i]);
        t->in[i] = NULL;
    }
    lbo_tensor_release(t->seed);
}

/* The inputs that gradients are wanted by; returns how many. */
static size_t followed(trial *t, lbo_tensor **inputs)
{
    size_t count = 0;

    for (uint32_t i = 0; i < t->row->in_count; i++)
        if (lbo_requires_gradient(t->in[i]))
            inputs[count++] = t->in[i];
    return count;
}

/* ---- differences ------------------------------------------------------------------ */

static double dot(const lbo_tensor *a, const lbo_tensor *b)
{
    double sum = 0;

    for (int64_t i = 0; i < a->size; i++)
        sum += naive_nth(a, i) * naive_nth(b, i);
    return sum;
}

typedef double (*measure)(trial *t, void *with);

/* Each element of `gradient` (NULL: zeros) against (f(x + h) - f(x - h)) / 2h. */
static void compare(trial *t, measure f, void *with, lbo_tensor *x,
                    const lbo_tensor *gradient, const char *what)
{
    const double h = 1e-5;

    if (gradient != NULL) {
        assert_int_equal(gradient->dtype, x->dtype);
        assert_true(lbo_same_shape(gradient, x));
    }
    for (int64_t i = 0; i < x->size; i++) {
        double *const at = place(x, i), kept = *at;
        const double got = gradient == NULL ? 0 : naive_nth(gradient, i);
        *at = kept + h;
        const double above = f(t, with);
        *at = kept - h;
        const double below = f(t, with);
        *at = kept;
        const double slope = (above - below) / (2 * h);
        if (!(fabs(got - slope) <= 1e-6 * (1 + fabs(slope))))
            fail_msg("%s of %s (row %d), element %d: %.12g, by differences "
                     "%.12g",
                     what, t->row->op, (int)(t->row - rows), (int)i, got,
                     slope);
    }
}

static double value(trial *t, void *with)
{
    lbo_tensor *const out = run_op(t, t->plain);
    const double sum = dot(out, t->seed);

    (void)with;
    lbo_tensor_release(out);
    return sum;
}

static void check_first(trial *t)
{
    lbo_tensor *inputs[MOST], *gradients[MOST];
    const size_t count = followed(t, inputs);
    lbo_tensor *const out = run_op(t, t->w->context);

    assert_int_equal(lbo_requires_gradient(out), 1);
    assert_ok(lbo_gradients(t->w->context, out, t->seed, inputs, count, false,
                            gradients));
    for (size_t i = 0; i < count; i++) {
        compare(t, value, NULL, inputs[i], gradients[i], "the gradient");
        lbo_tensor_release(gradients[i]);
    }
    lbo_tensor_release(out);
}

/* ---- gradients of gradients ------------------------------------------------------- */

/* The sum of the gradients' products with what is in `with`: one per input. */
static double value_of_gradients(trial *t, void *with)
{
    lbo_tensor **const weights = with;
    lbo_tensor *inputs[MOST], *gradients[MOST];
    const size_t count = followed(t, inputs);
    lbo_tensor *const out = run_op(t, t->w->context);
    double sum = 0;

    assert_ok(lbo_gradients(t->w->context, out, t->seed, inputs, count, false,
                            gradients));
    for (size_t i = 0; i < count; i++) {
        if (gradients[i] != NULL)
            sum += dot(gradients[i], weights[i]);
        lbo_tensor_release(gradients[i]);
    }
    lbo_tensor_release(out);
    return sum;
}

/* The same, recorded: NULL if it does not depend on anything. */
static lbo_tensor *recorded_sum(trial *t, lbo_tensor **weights)
{
    lbo_context *const context = t->w->context;
    lbo_tensor *inputs[MOST], *gradients[MOST], *total = NULL;
    const size_t count = followed(t, inputs);
    lbo_tensor *const out = run_op(t, context);

    assert_ok(
        lbo_gradients(context, out, t->seed, inputs, count, true, gradients));
    for (size_t i = 0; i < count; i++) {
        lbo_tensor *part = NULL, *sum = NULL, *more = NULL;
        if (gradients[i] == NULL)
            continue;
        assert_ok(lbo_mul(context, &part, gradients[i], weights[i]));
        assert_ok(lbo_sum(context, &sum, part, -1, NULL, false));
        if (total == NULL)
            more = lbo_tensor_retain(sum);
        else
            assert_ok(lbo_add(context, &more, total, sum));
        lbo_tensor_release(total);
        lbo_tensor_release(part);
        lbo_tensor_release(sum);
        lbo_tensor_release(gradients[i]);
        total = more;
    }
    lbo_tensor_release(out);
    return total;
}

static void compare_second(trial *t, lbo_tensor *sum, lbo_tensor **weights)
{
    lbo_tensor *inputs[MOST + 1], *gradients[MOST + 1];
    size_t count = followed(t, inputs);
    const lb_status status = lbo_gradients(t->w->context, sum, NULL, inputs,
                                           count, false, gradients);

    if (t->row->ends != NULL) {
        assert_status(LB_BAD_ARGUMENT, status);
        assert_contains(lb_message(), t->row->ends);
        assert_contains(lb_message(), "has no gradient");
        return;
    }
    assert_ok(status);
    for (size_t i = 0; i < count; i++) {
        compare(t, value_of_gradients, weights, inputs[i], gradients[i],
                "the second gradient");
        lbo_tensor_release(gradients[i]);
    }
}

static void check_second(trial *t)
{
    static const input numbers = ANY(-2, 2);
    lbo_tensor *inputs[MOST], *weights[MOST];
    const size_t count = followed(t, inputs);

    for (size_t i = 0; i < count; i++) {
        weights[i] =
            random_view(t->w, LBO_F64, inputs[i]->ndim, lbo_shape(inputs[i]));
        set_numbers(t->w, weights[i], &numbers);
    }
    lbo_tensor *const sum = recorded_sum(t, weights);
    if (lbo_requires_gradient(sum))
        compare_second(t, sum, weights);
    lbo_tensor_release(sum);
    for (size_t i = 0; i < count; i++)
        lbo_tensor_release(weights[i]);
}

/* ---- tests --------------------------------------------------------------------------- */

static void for_each_row(void **state, void (*check)(trial *t))
{
    world *const w = *state;
    trial t = {.w = w};
    lbo_layer *autograd;

    assert_ok(lbo_autograd_create(w->library, &autograd));
    assert_ok(lbo_push(w->context, autograd));
    assert_ok(lbo_context_create(w->library, NULL, &t.plain));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        t.row = &rows[i];
        t.op = lbo_operator_find(w->library, rows[i].op);
        assert_non_null(t.op);
        for (int round = 0; round < ROUNDS; round++) {
            begin_trial(&t);
            check(&t);
            end_trial(&t);
        }
    }
    lbo_context_destroy(t.plain);
}

static void gradients_agree_with_differences(void **state)
{
    for_each_row(state, check_first);
}

static void gradients_of_gradients_agree_or_are_refused(void **state)
{
    for_each_row(state, check_second);
}

static bool has_row(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strcmp(rows[i].op, name) == 0)
            return true;
    return false;
}

static void every_operator_with_a_gradient_is_checked(void **state)
{
    world *const w = *state;
    size_t found = 0;

    for (size_t i = 0; i < lbo_operator_count(w->library); i++) {
        const lbo_operator *const op = lbo_operator_at(w->library, i);
        if (op->spec.gradient == NULL)
            continue;
        found++;
        if (!has_row(op->spec.name))
            fail_msg("%s has a gradient and no row", op->spec.name);
    }
    assert_true(found >= 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_operator_with_a_gradient_is_checked),
        TEST(gradients_agree_with_differences),
        TEST(gradients_of_gradients_agree_or_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
