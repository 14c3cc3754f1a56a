/* The plug-in cpu-fast: it comes before the portable kernels, goes without a
 * trace, and its functions agree with the C library's. */
#include "kernels.h"

#include <float.h>

/* The name of the kernel that would run for f32 tensors of the CPU. */
static const char *kernel_of(const char *name)
{
    const lbo_operator *const op = lbo_operator_find(library, name);
    lbo_tensor *x;

    assert_non_null(op);
    assert_ok(lbo_empty(context, LBO_F32, 0, NULL, &x));
    lb_class *const tensor = lb_class_of(lbo_runtime(library), &x->head);
    lb_class *const classes[] = {
        lb_class_of(lbo_runtime(library), (const lb_header *)context), tensor,
        tensor};
    const lb_entry *const entry = lb_resolve(op->generic, classes, NULL);
    assert_int_equal(entry->status, LB_OK);
    lbo_tensor_release(x);
    return entry->method->name;
}

static void closing_the_plugin_uncovers_the_portable_kernels(void **state)
{
    static const char *const names[] = {"matmul",    "exp",    "softmax",
                                        "adam_step", "conv2d", "layer_norm"};
    char before[COUNT_OF(names)][64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)snprintf(before[i], sizeof before[i], "%s", kernel_of(names[i]));
    for (int round = 0; round < 3; round++) {
        assert_ok(lbo_plugin_open(library, "cpu-fast", &fast));
        for (size_t i = 0; i < COUNT_OF(names); i++)
            assert_string_not_equal(kernel_of(names[i]), before[i]);
        assert_string_equal(kernel_of("matmul"), "matmul_openblas");
        assert_ok(lbo_plugin_close(library, fast));
        for (size_t i = 0; i < COUNT_OF(names); i++)
            assert_string_equal(kernel_of(names[i]), before[i]);
    }
}

/* Libraries with threads of their own are in use when the plug-in goes. */
static void the_plugin_goes_after_threads_have_run(void **state)
{
    const lbo_conv2d_attributes by = {{1, 1}, {1, 1}, {1, 1}, 1};
    lbo_tensor *x, *weight, *first = NULL;
    int64_t index[4] = {0};

    (void)state;
    x = whole_numbers(LBO_F32, 4, (int64_t[]){8, 16, 16, 16});
    weight = whole_numbers(LBO_F32, 4, (int64_t[]){16, 16, 3, 3});
    assert_ok(lbo_conv2d(context, &first, x, weight, NULL, &by));
    for (int round = 0; round < 3; round++) {
        lbo_tensor *again = NULL, *square = NULL;
        assert_ok(lbo_plugin_open(library, "cpu-fast", &fast));
        assert_ok(lbo_conv2d(context, &again, x, weight, NULL, &by));
        do
            assert_near(number_at(again, index), number_at(first, index), 0,
                        "conv2d");
        while (next_index(first, index));
        lbo_tensor *const wide =
            real_numbers(LBO_F32, 2, (int64_t[]){256, 256});
        assert_ok(lbo_matmul(context, &square, wide, wide));
        lbo_tensor_release(wide);
        lbo_tensor_release(square);
        lbo_tensor_release(again);
        assert_ok(lbo_plugin_close(library, fast));
    }
    lbo_tensor_release(x);
    lbo_tensor_release(weight);
    lbo_tensor_release(first);
}

static lb_status pass_on(lbo_layer *layer, lbo_context *c, lbo_call *call,
                         const lbo_rest *rest)
{
    ++*(int *)lbo_layer_data(layer);
    return lbo_next(c, call, rest);
}

static void layers_wrap_the_kernels_of_the_plugin(void **state)
{
    const float one = 1;
    int count = 0;
    lbo_layer *layer;
    lbo_tensor *x, *y = NULL;

    (void)state;
    assert_ok(lbo_plugin_open(library, "cpu-fast", &fast));
    assert_ok(lbo_layer_create(
        library,
        &(lbo_layer_spec){.name = "count", .handler = pass_on, .data = &count},
        &layer));
    assert_ok(lbo_from_data(context, LBO_F32, 0, NULL, &one, &x));
    assert_ok(lbo_push(context, layer));
    assert_ok(lbo_exp(context, &y, x));
    assert_ok(lbo_pop(context, layer));
    assert_int_equal(count, 1);
    assert_near(number_at(y, NULL), exp(1), 1e-6, "exp");
    assert_ok(lbo_layer_destroy(layer));
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* ---- functions ----------------------------------------------------------------- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double silu(double x)
{
    return x * sigmoid(x);
}

static double gelu(double x)
{
    return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static double gelu_tanh(double x)
{
    return 0.5 * x *
           (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

static lb_status run_gelu(lbo_context *c, lbo_tensor **out, lbo_tensor *x)
{
    return lbo_gelu(c, out, x, false);
}

static lb_status run_gelu_tanh(lbo_context *c, lbo_tensor **out, lbo_tensor *x)
{
    return lbo_gelu(c, out, x, true);
}

typedef struct function {
    const char *name;
    lb_status (*run)(lbo_context *c, lbo_tensor **out, lbo_tensor *x);
    double (*expected)(double x);
} function;

static const function functions[] = {
    {"exp", lbo_exp, exp},
    {"log", lbo_log, log},
    {"tanh", lbo_tanh, tanh},
    {"sigmoid", lbo_sigmoid, sigmoid},
    {"silu", lbo_silu, silu},
    {"gelu", run_gelu, gelu},
    {"gelu by tanh", run_gelu_tanh, gelu_tanh},
};

static void check_function(const function *f, lbo_dtype dtype, size_t ndim,
                           const int64_t *shape)
{
    lbo_tensor *const x = real_numbers(dtype, ndim, shape);
    lbo_tensor *out = maybe_given(dtype, ndim, shape);
    const double bound = dtype == LBO_F32 ? 4e-7 : 1e-15;
    int64_t index[LBO_MAX_DIMS] = {0};

    assert_ok(f->run(context, &out, x));
    if (x->size > 0)
        do
            assert_near(number_at(out, index), f->expected(number_at(x, index)),
                        bound, f->name);
        while (next_index(x, index));
    lbo_tensor_release(x);
    lbo_tensor_release(out);
}

static void functions_agree_with_the_c_library(void **state)
{
    (void)state;
    assert_ok(lbo_plugin_open(library, "cpu-fast", &fast));
    for (int round = 0; round < 700; round++) {
        const size_t ndim = (size_t)random_below(4);
        int64_t shape[3];
        for (size_t i = 0; i < ndim; i++)
            shape[i] = random_below(ndim == 1 ? 70 : 9);
        check_function(&functions[(size_t)round % COUNT_OF(functions)],
                       round % 2 ? LBO_F32 : LBO_F64, ndim, shape);
    }
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        check_function(&functions[i], LBO_F32, 1, (int64_t[]){1500});
        check_function(&functions[i], LBO_F64, 1, (int64_t[]){1500});
    }
}

static void special_numbers_stay_special(void **state)
{
    static const double some[] = {NAN,  INFINITY, -INFINITY, 0.0, -0.0,
                                  1000, -1000,    89,        -104};
    static const function all[] = {{"exp", lbo_exp, exp},
                                   {"log", lbo_log, log},
                                   {"tanh", lbo_tanh, tanh},
                                   {"sigmoid", lbo_sigmoid, sigmoid}};

    (void)state;
    assert_ok(lbo_plugin_open(library, "cpu-fast", &fast));
    for (size_t i = 0; i < COUNT_OF(some); i++)
        for (size_t k = 0; k < COUNT_OF(all); k++) {
            const float narrow = (float)some[i];
            lbo_tensor *x, *y = NULL;
            double expected = all[k].expected(some[i]);
            if (expected > (double)FLT_MAX)
                expected = INFINITY;
            assert_ok(lbo_from_data(context, LBO_F32, 0, NULL, &narrow, &x));
            assert_ok(all[k].run(context, &y, x));
            assert_near(number_at(y, NULL), expected, 4e-7, all[k].name);
            lbo_tensor_release(x);
            lbo_tensor_release(y);
        }
}

/* An operand that is broadcast, or of the shape itself. */
static lbo_tensor *maybe_broadcast(lbo_dtype dtype, const int64_t *shape)
{
    const int64_t row[] = {1, shape[1]};

    return random_below(4) == 0   ? real_numbers(dtype, 0, NULL)
           : random_below(3) == 0 ? real_numbers(dtype, 2, row)
                                  : real_numbers(dtype, 2, shape);
}

static double at_broadcast(const lbo_tensor *t, const int64_t *index)
{
    const int64_t at[] = {t->ndim > 0 && t->dims[0] == 1 ? 0 : index[0],
                          index[1]};

    return number_at(t, at);
}

static void powers_agree_with_the_c_library(void **state)
{
    (void)state;
    assert_ok(lbo_plugin_open(library, "cpu-fast", &fast));
    for (int round = 0; round < 300; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const int64_t shape[] = {2 + random_below(6), 2 + random_below(30)};
        lbo_tensor *const a = maybe_broadcast(dtype, shape);
        lbo_tensor *const b = maybe_broadcast(dtype, shape);
        lbo_tensor *out = NULL;
        int64_t index[LBO_MAX_DIMS] = {0};

        assert_ok(lbo_pow(context, &out, a, b));
        do {
            int64_t at[2] = {0, 0};
            memcpy(at + (2 - out->ndim), index, out->ndim * sizeof(int64_t));
            assert_near(number_at(out, index),
                        pow(at_broadcast(a, at), at_broadcast(b, at)),
                        dtype == LBO_F32 ? 4e-7 : 2e-15, "pow");
        } while (next_index(out, index));
        lbo_tensor_release(a);
        lbo_tensor_release(b);
        lbo_tensor_release(out);
    }
}

/* The slope times g, by central differences of the function itself. */
static void check_slope(const char *name, double (*f)(double),
                        const lbo_tensor *g, const lbo_tensor *x,
                        const lbo_tensor *out)
{
    const double h = 1e-5;
    int64_t index[LBO_MAX_DIMS] = {0};

    do {
        const double at = number_at(x, index);
        assert_near(number_at(out, index),
                    number_at(g, index) * (f(at + h) - f(at - h)) / (2 * h),
                    out->dtype == LBO_F32 ? 3e-6 : 1e-8, name);
    } while (next_index(out, index));
}

static void slopes_are_those_of_the_functions(void **state)
{
    (void)state;
    assert_ok(lbo_plugin_open(library, "cpu-fast", &fast));
    for (int round = 0; round < 100; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const int64_t shape[] = {1 + random_below(6), 1 + random_below(50)};
        lbo_tensor *const g = real_numbers(dtype, 2, shape);
        lbo_tensor *const x = real_numbers(dtype, 2, shape);
        lbo_tensor *by_silu = NULL, *by_gelu = NULL, *by_tanh = NULL;

        assert_ok(lbo_silu_backward(context, &by_silu, g, x));
        check_slope("silu", silu, g, x, by_silu);
        assert_ok(lbo_gelu_backward(context, &by_gelu, g, x, false));
        check_slope("gelu", gelu, g, x, by_gelu);
        assert_ok(lbo_gelu_backward(context, &by_tanh, g, x, true));
        check_slope("gelu by tanh", gelu_tanh, g, x, by_tanh);
        lbo_tensor_release(g);
        lbo_tensor_release(x);
        lbo_tensor_release(by_silu);
        lbo_tensor_release(by_gelu);
        lbo_tensor_release(by_tanh);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(closing_the_plugin_uncovers_the_portable_kernels),
        KERNEL_TEST(the_plugin_goes_after_threads_have_run),
        KERNEL_TEST(layers_wrap_the_kernels_of_the_plugin),
        KERNEL_TEST(functions_agree_with_the_c_library),
        KERNEL_TEST(special_numbers_stay_special),
        KERNEL_TEST(powers_agree_with_the_c_library),
        KERNEL_TEST(slopes_are_those_of_the_functions),
    };

    (void)argc;
    return run_kernel_tests(1, argv, tests, COUNT_OF(tests));
}
