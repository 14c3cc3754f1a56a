/* Operators on one element of each input, against a naive oracle: random
 * shapes, strides, broadcasts; special values; results that overlap inputs. */
#include "kernels.h"

#include <limits.h>

static double kept_nan(double a, double b, double chosen)
{
    return isnan(a) ? a : isnan(b) ? b : chosen;
}

#define ORACLE(name, expression)                                               \
    static double name##_oracle(double a, double b)                            \
    {                                                                          \
        (void)b;                                                               \
        return expression;                                                     \
    }

ORACLE(add, a + b)
ORACLE(sub, a - b)
ORACLE(mul, a *b)
ORACLE(div, a / b)
ORACLE(pow, pow(a, b))
ORACLE(minimum, kept_nan(a, b, a < b ? a : b))
ORACLE(maximum, kept_nan(a, b, a > b ? a : b))
ORACLE(equal, a == b)
ORACLE(not_equal, a != b)
ORACLE(less, a < b)
ORACLE(less_equal, a <= b)
ORACLE(greater, a > b)
ORACLE(greater_equal, a >= b)
ORACLE(tanh_backward, a *(1 - b * b))
ORACLE(sigmoid_backward, a *b *(1 - b))
ORACLE(relu_backward, b > 0 ? a : 0)
ORACLE(neg, -a)
ORACLE(abs, fabs(a))
ORACLE(sign, isnan(a) ? a : (a > 0) - (a < 0))
ORACLE(sqrt, sqrt(a))
ORACLE(exp, exp(a))
ORACLE(log, log(a))
ORACLE(tanh, tanh(a))
ORACLE(sigmoid, 1 / (1 + exp(-a)))
ORACLE(silu, a / (1 + exp(-a)))
ORACLE(relu, isnan(a) || a > 0 ? a : 0)

/* Slopes of functions come from differences, not from formulas. */
static double slope(double (*f)(double, double), double x)
{
    const double h = 1e-5;

    return (f(x + h, 0) - f(x - h, 0)) / (2 * h);
}

ORACLE(silu_backward, a *slope(silu_oracle, b))

enum { NUMBERS = 1, INTEGERS = 2, FLOATS = 4, BOOLS = 8, GIVES_BOOL = 16 };

typedef struct operation {
    const char *name;
    double (*oracle)(double a, double b);
    int inputs;
    int flags;
    double tolerance; /* in units of the type's precision */
} operation;

#define OPERATION(name, ...)                                                   \
    {                                                                          \
#name, name##_oracle, __VA_ARGS__                                      \
    }

static const operation operations[] = {
    OPERATION(add, 2, NUMBERS, 1),
    OPERATION(sub, 2, NUMBERS, 1),
    OPERATION(mul, 2, NUMBERS, 1),
    OPERATION(div, 2, FLOATS, 1),
    OPERATION(pow, 2, FLOATS, 4),
    OPERATION(minimum, 2, NUMBERS | BOOLS, 0),
    OPERATION(maximum, 2, NUMBERS | BOOLS, 0),
    OPERATION(equal, 2, NUMBERS | BOOLS | GIVES_BOOL, 0),
    OPERATION(not_equal, 2, NUMBERS | BOOLS | GIVES_BOOL, 0),
    OPERATION(less, 2, NUMBERS | BOOLS | GIVES_BOOL, 0),
    OPERATION(less_equal, 2, NUMBERS | BOOLS | GIVES_BOOL, 0),
    OPERATION(greater, 2, NUMBERS | BOOLS | GIVES_BOOL, 0),
    OPERATION(greater_equal, 2, NUMBERS | BOOLS | GIVES_BOOL, 0),
    OPERATION(tanh_backward, 2, FLOATS, 64),
    OPERATION(sigmoid_backward, 2, FLOATS, 64),
    OPERATION(silu_backward, 2, FLOATS, 1e6), /* of differences */
    OPERATION(relu_backward, 2, FLOATS, 0),
    OPERATION(neg, 1, NUMBERS, 0),
    OPERATION(abs, 1, NUMBERS | BOOLS, 0),
    OPERATION(sign, 1, NUMBERS, 0),
    OPERATION(sqrt, 1, FLOATS, 1),
    OPERATION(exp, 1, FLOATS, 4),
    OPERATION(log, 1, FLOATS, 4),
    OPERATION(tanh, 1, FLOATS, 4),
    OPERATION(sigmoid, 1, FLOATS, 4),
    OPERATION(silu, 1, FLOATS, 4),
    OPERATION(relu, 1, FLOATS, 0),
};

static const lbo_dtype all_types[] = {LBO_BOOL, LBO_U8,  LBO_I8, LBO_I32,
                                      LBO_I64,  LBO_F32, LBO_F64};

static bool takes(const operation *op, lbo_dtype dtype)
{
    const lbo_kind kind = lbo_dtype_kind(dtype);

    return kind == LBO_KIND_FLOATING ||
           (kind == LBO_KIND_BOOL ? op->flags & BOOLS
                                  : op->flags & (NUMBERS | INTEGERS));
}

/* What a double becomes in a type. */
static double rounded(double value, lbo_dtype dtype)
{
    switch (dtype) {
    case LBO_BOOL:
        return value != 0;
    case LBO_U8:
        return (double)(uint8_t)(int64_t)value;
    case LBO_F32:
        return (double)(float)value;
    default:
        return value;
    }
}

static double precision(lbo_dtype dtype)
{
    return dtype == LBO_F32 ? 0x1p-23 : dtype == LBO_F64 ? 0x1p-52 : 0;
}

/* Ones with a few sizes; `other` broadcasts against it. */
static size_t random_shapes(int64_t *shape, int64_t *other, size_t *other_ndim)
{
    const size_t ndim = (size_t)random_below(5);
    const size_t skip = (size_t)random_below((int64_t)ndim + 1);

    for (size_t i = 0; i < ndim; i++)
        shape[i] = random_below(12) == 0  ? 0
                   : random_below(6) == 0 ? 40
                                          : 1 + random_below(5);
    *other_ndim = random_below(2) == 0 ? ndim : ndim - skip;
    for (size_t i = 0; i < *other_ndim; i++)
        other[i] = random_below(4) == 0 ? 1 : shape[ndim - *other_ndim + i];
    return ndim;
}

static lbo_tensor *numbers(lbo_dtype dtype, size_t ndim, const int64_t *shape)
{
    lbo_tensor *const t = lbo_dtype_kind(dtype) == LBO_KIND_FLOATING
                              ? real_numbers(dtype, ndim, shape)
                              : whole_numbers(dtype, ndim, shape);
    int64_t index[LBO_MAX_DIMS] = {0};

    if (dtype == LBO_BOOL && t->size > 0)
        do
            set_number(t, index, (double)random_below(2));
        while (next_index(t, index));
    return t;
}

/* The element of a tensor that is broadcast to `out`. */
static double broadcast_at(const lbo_tensor *t, const lbo_tensor *out,
                           const int64_t *index)
{
    int64_t own[LBO_MAX_DIMS];
    const int lead = out->ndim - t->ndim;

    for (int i = 0; i < t->ndim; i++)
        own[i] = t->dims[i] == 1 ? 0 : index[lead + i];
    return number_at(t, own);
}

static void check(const operation *op, const lbo_tensor *out,
                  lbo_tensor *const *in)
{
    const lbo_dtype dtype = (lbo_dtype)in[0]->dtype;
    int64_t index[LBO_MAX_DIMS] = {0};

    if (out->size == 0)
        return;
    do {
        const double a = broadcast_at(in[0], out, index);
        const double b = op->inputs == 2 ? broadcast_at(in[1], out, index) : 0;
        assert_near(number_at(out, index),
                    rounded(op->oracle(a, b), (lbo_dtype)out->dtype),
                    op->tolerance * precision(dtype), op->name);
    } while (next_index(out, index));
}

static lb_status run(const char *name, lbo_tensor *const *in, int inputs,
                     const void *attributes, lbo_tensor **out)
{
    lbo_call call = {.in = in,
                     .out = out,
                     .attributes = attributes,
                     .in_count = (uint32_t)inputs,
                     .out_count = 1};

    return lbo_run(context, lbo_operator_find(library, name), &call);
}

static void check_random_call(const operation *op, lbo_dtype dtype)
{
    int64_t shape[LBO_MAX_DIMS], other[LBO_MAX_DIMS];
    size_t other_ndim;
    const size_t ndim = random_shapes(shape, other, &other_ndim);
    lbo_tensor *in[2] = {numbers(dtype, ndim, shape), NULL};
    lbo_tensor *out =
        maybe_given(op->flags & GIVES_BOOL ? LBO_BOOL : dtype, ndim, shape);

    if (op->inputs == 2) {
        in[1] = numbers(dtype, other_ndim, other);
        if (random_below(2) == 0) { /* the first is the one that is broadcast */
            lbo_tensor *const first = in[0];
            in[0] = in[1];
            in[1] = first;
        }
    }
    assert_ok(run(op->name, in, op->inputs, NULL, &out));
    assert_int_equal(out->ndim, ndim);
    assert_memory_equal(out->dims, shape, ndim * sizeof *shape);
    check(op, out, in);
    lbo_tensor_release(in[0]);
    lbo_tensor_release(in[1]);
    lbo_tensor_release(out);
}

static void every_operator_agrees_with_the_naive_one(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(operations); k++)
        for (size_t t = 0; t < COUNT_OF(all_types); t++)
            for (int i = 0; i < 60 && takes(&operations[k], all_types[t]); i++)
                check_random_call(&operations[k], all_types[t]);
}

/* ---- special values ------------------------------------------------------ */

static lbo_tensor *row(lbo_dtype dtype, int64_t n, const void *data)
{
    lbo_tensor *t;

    assert_ok(lbo_from_data(context, dtype, 1, &n, data, &t));
    return t;
}

static void special_values_give_what_ieee_754_says(void **state)
{
    const float inf = INFINITY;
    const float values[] = {NAN, inf,   -inf, 0.0f,  -0.0f,
                            1,   -1.5f, 2,    3e38f, 1e-40f};
    enum { N = COUNT_OF(values) };
    float a[N * N], b[N * N];

    (void)state;
    for (int i = 0; i < N * N; i++) {
        a[i] = values[i / N];
        b[i] = values[i % N];
    }
    lbo_tensor *const in[] = {row(LBO_F32, N * N, a), row(LBO_F32, N * N, b)};
    for (size_t k = 0; k < COUNT_OF(operations); k++) {
        lbo_tensor *out = NULL;
        if (operations[k].tolerance > 4)
            continue; /* of several steps, which may overflow in between */
        assert_ok(
            run(operations[k].name, in, operations[k].inputs, NULL, &out));
        check(&operations[k], out, in);
        lbo_tensor_release(out);
    }
    lbo_tensor_release(in[0]);
    lbo_tensor_release(in[1]);
}

static void integers_wrap_around(void **state)
{
    const int64_t big[] = {INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN};
    const int64_t other[] = {1, -1, 2, INT64_MIN};
    const int64_t sums[] = {INT64_MIN, INT64_MAX, INT64_MIN + 1, 0};
    const int64_t products[] = {INT64_MAX, INT64_MIN, -2, 0};
    const int8_t small[] = {127, -128, 100, -128}, more[] = {1, -1, 100, -128};
    const int8_t small_sums[] = {-128, 127, -56, 0};
    lbo_tensor *const in[] = {row(LBO_I64, 4, big), row(LBO_I64, 4, other)};
    lbo_tensor *const bytes[] = {row(LBO_I8, 4, small), row(LBO_I8, 4, more)};
    lbo_tensor *sum = NULL, *product = NULL, *byte_sum = NULL, *size = NULL;

    (void)state;
    assert_ok(lbo_add(context, &sum, in[0], in[1]));
    assert_memory_equal(sum->data, sums, sizeof sums);
    assert_ok(lbo_mul(context, &product, in[0], in[1]));
    assert_memory_equal(product->data, products, sizeof products);
    assert_ok(lbo_add(context, &byte_sum, bytes[0], bytes[1]));
    assert_memory_equal(byte_sum->data, small_sums, sizeof small_sums);
    assert_ok(lbo_abs(context, &size, in[0]));
    assert_true(((int64_t *)size->data)[1] == INT64_MIN);
    lbo_tensor *const made[] = {in[0], in[1], bytes[0], bytes[1],
                                sum,   size,  byte_sum, product};
    for (size_t i = 0; i < COUNT_OF(made); i++)
        lbo_tensor_release(made[i]);
}

static void powers_of_integers_are_exact_or_truncated(void **state)
{
    const int32_t base[] = {3, -2, 0, 0, 1, -1, -1, 5, 2, 7};
    const int32_t exponent[] = {4, 3, 0, -1, -7, -3, -4, -1, 31, 0};
    const int32_t expected[] = {81, -8, 1, 0, 1, -1, 1, 0, INT32_MIN, 1};
    lbo_tensor *const a = row(LBO_I32, 10, base);
    lbo_tensor *const b = row(LBO_I32, 10, exponent);
    lbo_tensor *out = NULL;

    (void)state;
    assert_ok(lbo_pow(context, &out, a, b));
    assert_memory_equal(out->data, expected, sizeof expected);
    lbo_tensor_release(out);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
}

/* ---- aliasing ------------------------------------------------------------ */

static void a_result_may_overlap_the_inputs_in_any_way(void **state)
{
    const int64_t n = 37, count = 40;
    float data[40];

    (void)state;
    for (int i = 0; i < 40; i++)
        data[i] = (float)(i * i);
    for (int64_t at_out = 0; at_out <= 3; at_out++)
        for (int64_t at_b = 0; at_b <= 3; at_b++)
            for (int backwards = 0; backwards < 2; backwards++) {
                lbo_tensor *const base = row(LBO_F32, count, data);
                const int64_t step = backwards ? -1 : 1;
                lbo_tensor *a, *b, *out;
                assert_ok(lbo_tensor_view(base, 1, 1, &n, NULL, &a));
                assert_ok(lbo_tensor_view(base, backwards ? at_b + n - 1 : at_b,
                                          1, &n, &step, &b));
                assert_ok(lbo_tensor_view(base, at_out, 1, &n, NULL, &out));
                assert_ok(lbo_sub(context, &out, a, b));
                for (int64_t i = 0; i < n; i++)
                    assert_true(
                        ((float *)out->data)[i] ==
                        data[1 + i] -
                            data[backwards ? at_b + n - 1 - i : at_b + i]);
                lbo_tensor_release(a);
                lbo_tensor_release(b);
                lbo_tensor_release(out);
                lbo_tensor_release(base);
            }
}

/* ---- with attributes ----------------------------------------------------- */

static double gelu_oracle(double a, double approximate)
{
    const double k = sqrt(2 / acos(-1.0));

    return approximate != 0 ? a / 2 * (1 + tanh(k * (a + 0.044715 * a * a * a)))
                            : a / 2 * erfc(-a / sqrt(2));
}

static void gelu_and_its_slope_are_those_of_both_formulas(void **state)
{
    const int64_t shape[] = {7, 9};

    (void)state;
    for (int i = 0; i < 8; i++) {
        const bool by_tanh = i & 1;
        const lbo_dtype dtype = i & 2 ? LBO_F32 : LBO_F64;
        lbo_tensor *const x = numbers(dtype, 2, shape);
        lbo_tensor *const g = numbers(dtype, 2, shape);
        lbo_tensor *y = NULL, *back = NULL;
        int64_t at[2] = {0};
        assert_ok(lbo_gelu(context, &y, x, by_tanh));
        assert_ok(lbo_gelu_backward(context, &back, g, x, by_tanh));
        do {
            const double a = number_at(x, at), h = 1e-5;
            const double rise =
                (gelu_oracle(a + h, by_tanh) - gelu_oracle(a - h, by_tanh)) /
                (2 * h);
            assert_near(number_at(y, at), gelu_oracle(a, by_tanh),
                        8 * precision(dtype), "gelu");
            assert_near(number_at(back, at), number_at(g, at) * rise,
                        dtype == LBO_F32 ? 1e-5 : 1e-8, "gelu_backward");
        } while (next_index(x, at));
        lbo_tensor *const made[] = {x, g, y, back};
        for (size_t k = 0; k < COUNT_OF(made); k++)
            lbo_tensor_release(made[k]);
    }
}

static void clamp_keeps_to_its_bounds_in_every_type(void **state)
{
    static const double bounds[][2] = {
        {-1.5, 2.5}, {2, 1}, {-INFINITY, 0.5}, {0, 1e300}, {-3, -2}};

    (void)state;
    for (size_t t = 1; t < COUNT_OF(all_types); t++)
        for (size_t k = 0; k < COUNT_OF(bounds); k++) {
            const bool whole =
                lbo_dtype_kind(all_types[t]) != LBO_KIND_FLOATING;
            const double least = all_types[t] == LBO_U8 ? 0 : -100;
            double low = bounds[k][0], high = bounds[k][1];
            int64_t shape[] = {5, 40}, at[2] = {0};
            lbo_tensor *const x = numbers(all_types[t], 2, shape);
            lbo_tensor *out = NULL;
            assert_ok(lbo_clamp(context, &out, x, low, high));
            if (whole) {
                low = fmax(ceil(low), least);
                high = fmax(floor(high), least);
            }
            do
                assert_near(number_at(out, at),
                            fmin(fmax(number_at(x, at), low), high), 0,
                            "clamp");
            while (next_index(x, at));
            lbo_tensor_release(out);
            lbo_tensor_release(x);
        }
}

static void clamp_keeps_nan_and_refuses_it_as_a_bound(void **state)
{
    const double nan = NAN;
    lbo_tensor *const x = row(LBO_F64, 1, &nan);
    lbo_tensor *out = NULL;

    (void)state;
    assert_ok(lbo_clamp(context, &out, x, 0, 1));
    assert_true(isnan(*(double *)out->data));
    assert_status(LB_BAD_ARGUMENT, lbo_clamp(context, &out, x, NAN, 1));
    assert_contains(lb_message(), "clamp: a bound is NaN");
    lbo_tensor_release(out);
    lbo_tensor_release(x);
}

static void where_takes_from_one_or_the_other(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++) {
        const lbo_dtype dtype = all_types[i % (int)COUNT_OF(all_types)];
        int64_t shape[LBO_MAX_DIMS], other[LBO_MAX_DIMS],
            at[LBO_MAX_DIMS] = {0};
        size_t other_ndim;
        const size_t ndim = random_shapes(shape, other, &other_ndim);
        lbo_tensor *const c = numbers(LBO_BOOL, other_ndim, other);
        lbo_tensor *const a = numbers(dtype, ndim, shape);
        lbo_tensor *const b = numbers(dtype, other_ndim, other);
        lbo_tensor *out = maybe_given(dtype, ndim, shape);
        assert_ok(lbo_where(context, &out, c, a, b));
        if (out->size > 0)
            do
                assert_true(number_at(out, at) ==
                            broadcast_at(broadcast_at(c, out, at) != 0 ? a : b,
                                         out, at));
            while (next_index(out, at));
        lbo_tensor *const made[] = {a, b, c, out};
        for (size_t k = 0; k < COUNT_OF(made); k++)
            lbo_tensor_release(made[k]);
    }
}

/* ---- types that come together -------------------------------------------- */

static void scalars_of_the_host_language_adapt(void **state)
{
    const float data[] = {1, 2, 3};
    const int64_t shape[] = {2, 3};
    lbo_tensor *const x = row(LBO_F32, 3, data);
    lbo_tensor *two, *half, *wide, *out = NULL, *all = NULL, *three = NULL;

    (void)state;
    assert_ok(lbo_scalar_integer(context, 2, &two));
    assert_ok(lbo_scalar(context, 0.5, &half));
    assert_ok(lbo_sub(context, &out, x, two));
    assert_int_equal(out->dtype, LBO_F32);
    assert_memory_equal(out->data, ((float[]){-1, 0, 1}), 12);
    assert_ok(lbo_sub(context, &out, half, x));
    assert_memory_equal(out->data, ((float[]){-0.5f, -1.5f, -2.5f}), 12);
    assert_ok(lbo_tensor_view(x, 0, 2, shape, (int64_t[]){0, 1}, &wide));
    assert_ok(lbo_mul(context, &all, half, wide));
    assert_memory_equal(all->data, ((float[]){.5f, 1, 1.5f, .5f, 1, 1.5f}), 24);
    assert_ok(lbo_add(context, &three, half, half));
    assert_int_equal(three->dtype, LBO_F64);
    assert_true(*(double *)three->data == 1);
    lbo_tensor *const made[] = {x, two, half, wide, out, all, three};
    for (size_t k = 0; k < COUNT_OF(made); k++)
        lbo_tensor_release(made[k]);
}

static void bools_are_no_numbers(void **state)
{
    const bool yes = true;
    lbo_tensor *const x = row(LBO_BOOL, 1, &yes);
    lbo_tensor *out = NULL, *quotient = NULL;

    (void)state;
    assert_status(LB_BAD_ARGUMENT, lbo_sub(context, &out, x, x));
    assert_contains(lb_message(), "sub: the inputs are bool");
    assert_status(LB_BAD_ARGUMENT, lbo_neg(context, &out, x));
    assert_null(out);
    assert_ok(lbo_add(context, &out, x, x));
    assert_int_equal(out->dtype, LBO_BOOL);
    assert_int_equal(*(uint8_t *)out->data, 1);
    assert_ok(lbo_div(context, &quotient, x, x));
    assert_int_equal(quotient->dtype, LBO_F32);
    assert_true(*(float *)quotient->data == 1);
    lbo_tensor_release(x);
    lbo_tensor_release(out);
    lbo_tensor_release(quotient);
}

static void shapes_that_do_not_go_together_are_named(void **state)
{
    const int64_t a_shape[] = {2, 3}, b_shape[] = {4};
    lbo_tensor *const a = numbers(LBO_F32, 2, a_shape);
    lbo_tensor *const b = numbers(LBO_F32, 1, b_shape);
    lbo_tensor *out = NULL;

    (void)state;
    assert_status(LB_BAD_ARGUMENT, lbo_mul(context, &out, a, b));
    assert_contains(lb_message(), "mul: shapes [2, 3] and [4]");
    assert_status(LB_BAD_ARGUMENT, lbo_where(context, &out, a, a, a));
    assert_contains(lb_message(), "where: condition is f32; bool is wanted");
    assert_null(out);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(every_operator_agrees_with_the_naive_one),
        KERNEL_TEST(special_values_give_what_ieee_754_says),
        KERNEL_TEST(integers_wrap_around),
        KERNEL_TEST(powers_of_integers_are_exact_or_truncated),
        KERNEL_TEST(a_result_may_overlap_the_inputs_in_any_way),
        KERNEL_TEST(gelu_and_its_slope_are_those_of_both_formulas),
        KERNEL_TEST(clamp_keeps_to_its_bounds_in_every_type),
        KERNEL_TEST(clamp_keeps_nan_and_refuses_it_as_a_bound),
        KERNEL_TEST(where_takes_from_one_or_the_other),
        KERNEL_TEST(scalars_of_the_host_language_adapt),
        KERNEL_TEST(bools_are_no_numbers),
        KERNEL_TEST(shapes_that_do_not_go_together_are_named),
    };

    return run_kernel_tests(argc, argv, tests, COUNT_OF(tests));
}
