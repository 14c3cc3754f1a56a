/* Kernels of a device that is no host: each against the CPU's results, on
 * random shapes and strides. The device is OpenCL's first, or that of the
 * plug-in that is named: ops-test_opencl cuda. Without one the tests are
 * skipped. With "launches" as a second word results are not compared: for a
 * device that launches kernels, but does not run them (test_cuda_texts.py). */
#include "support/test.h"

#include "latebind/ops.h"

#include <math.h>

typedef struct world {
    lbo_library *library;
    lb_plugin *plugin;
    lbo_context *here, *there;
    lbo_device *device;
    uint64_t random;
} world;

/* The same tensor on the CPU and on the device. */
typedef struct pair {
    lbo_tensor *here, *there;
} pair;

enum { MOST = 8 };

static const char *plugin_name = "opencl";
static bool compares = true;
static world w;

static uint64_t random_bits(void)
{
    w.random ^= w.random << 13;
    w.random ^= w.random >> 7;
    w.random ^= w.random << 17;
    return w.random;
}

static int64_t random_below(int64_t n)
{
    return (int64_t)(random_bits() % (uint64_t)n);
}

static void print_report(void *context, lb_status status, const char *message)
{
    (void)context;
    print_message("%s: %s\n", lb_status_name(status), message);
}

static int setup(void **state)
{
    const lbo_library_config config = {.abi = LBO_ABI, .report = print_report};

    (void)state;
    memset(&w, 0, sizeof w);
    w.random = 88172645463325252ull;
    assert_ok(lbo_library_create(&config, &w.library));
    assert_ok(lbo_plugin_open(w.library, plugin_name, &w.plugin));
    if (lbo_device_find(w.library, plugin_name, &w.device) != LB_OK) {
        print_message("no device \"%s\" here: skipped\n", plugin_name);
        return 0;
    }
    assert_ok(lbo_context_create(w.library, NULL, &w.here));
    assert_ok(lbo_context_create(w.library, plugin_name, &w.there));
    lbo_context_set_fallback(w.there, LBO_FALLBACK_ERROR);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lbo_context_destroy(w.here);
    lbo_context_destroy(w.there);
    assert_ok(lbo_library_destroy(w.library));
    return 0;
}

#define NEEDS_DEVICE()                                                         \
    do                                                                         \
        if (w.device == NULL)                                                  \
            skip();                                                            \
    while (0)

/* ---- tensors ------------------------------------------------------------- */

static void release(pair *p)
{
    lbo_tensor_release(p->here);
    lbo_tensor_release(p->there);
    *p = (pair){NULL, NULL};
}

/* Row-major, filled with numbers in [low, high). */
static pair numbers(lbo_dtype dtype, size_t ndim, const int64_t *shape,
                    double low, double high)
{
    lbo_tensor *wide = NULL;
    pair p = {NULL, NULL};

    assert_ok(lbo_empty(w.here, LBO_F64, ndim, shape, &wide));
    double *const to = wide->data;
    for (int64_t i = 0; i < wide->size; i++)
        to[i] = low + (high - low) * (double)(random_bits() >> 11) * 0x1p-53;
    assert_ok(lbo_cast(w.here, &p.here, wide, dtype));
    assert_ok(lbo_to_device(w.there, &p.there, p.here, w.device));
    lbo_tensor_release(wide);
    return p;
}

static pair slice(pair p, int64_t dim, int64_t start, int64_t stop,
                  int64_t step)
{
    pair made = {NULL, NULL};

    assert_ok(lbo_slice(w.here, &made.here, p.here, dim, start, stop, step));
    assert_ok(lbo_slice(w.there, &made.there, p.there, dim, start, stop, step));
    release(&p);
    return made;
}

static pair swap_dims(pair p, int64_t a, int64_t b)
{
    pair made = {NULL, NULL};

    assert_ok(lbo_swap_dims(w.here, &made.here, p.here, a, b));
    assert_ok(lbo_swap_dims(w.there, &made.there, p.there, a, b));
    release(&p);
    return made;
}

/* Of that shape, but in memory any order, reversed, with gaps. */
static pair strided(lbo_dtype dtype, size_t ndim, const int64_t *shape,
                    double low, double high)
{
    int64_t larger[MOST];
    const int64_t turn = ndim > 1 ? random_below((int64_t)ndim) : 0;
    const int64_t gap = ndim > 0 ? random_below((int64_t)ndim) : 0;

    memcpy(larger, shape, ndim * sizeof *shape);
    if (ndim == 0 || random_below(3) == 0)
        return numbers(dtype, ndim, shape, low, high);
    larger[gap] = shape[gap] * 2 + 1;
    const int64_t other = larger[turn];
    larger[turn] = larger[0];
    larger[0] = other;
    pair p = swap_dims(numbers(dtype, ndim, larger, low, high), 0, turn);
    if (random_below(2) == 0)
        return slice(p, gap, 1, 2 * shape[gap] + 1, 2);
    return slice(p, gap, 2 * shape[gap], 0, -2);
}

/* ---- comparing ----------------------------------------------------------- */

static double *doubles_of(lbo_context *context, lbo_tensor *tensor)
{
    lbo_tensor *moved = NULL, *wide = NULL;
    double *const values = malloc(sizeof *values * (size_t)(tensor->size + 1));

    (void)context;
    assert_non_null(values);
    assert_ok(lbo_to_device(w.here, &moved, tensor,
                            w.here ? lbo_context_device(w.here) : NULL));
    assert_ok(lbo_cast(w.here, &wide, moved, LBO_F64));
    assert_ok(
        lbo_read(w.here, wide, values, sizeof *values * (size_t)tensor->size));
    lbo_tensor_release(moved);
    lbo_tensor_release(wide);
    return values;
}

static bool close_to(double a, double b, double tolerance)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= tolerance * (1 + fabs(a));
}

static void compare(const char *what, pair p, double tolerance)
{
    double *const wanted = doubles_of(w.here, p.here);
    double *const got = doubles_of(w.there, p.there);

    assert_true(lbo_same_shape(p.here, p.there));
    assert_int_equal(p.here->dtype, p.there->dtype);
    assert_ptr_equal(lbo_tensor_device(p.there), w.device);
    for (int64_t i = 0; i < p.here->size && compares; i++)
        if (!close_to(wanted[i], got[i], tolerance))
            fail_msg("%s: %s element %lld of %lld: %.9g is wanted, not %.9g",
                     what, lbo_dtype_name((lbo_dtype)p.here->dtype),
                     (long long)i, (long long)p.here->size, wanted[i], got[i]);
    free(wanted);
    free(got);
}

static void run(lbo_context *context, const char *name, lbo_tensor **in,
                size_t in_count, lbo_tensor **out, size_t out_count,
                const void *attributes)
{
    const lbo_operator *const op = lbo_operator_find(w.library, name);
    lbo_call call = {.in = in,
                     .out = out,
                     .attributes = attributes,
                     .in_count = (uint32_t)in_count,
                     .out_count = (uint32_t)out_count};

    assert_non_null(op);
    if (lbo_run(context, op, &call) != LB_OK)
        fail_msg("%s: %s", name, lb_message());
}

/* Runs on both, compares all results, releases everything. */
static void check(const char *name, pair *in, size_t count,
                  const void *attributes, double tolerance)
{
    const lbo_operator *const op = lbo_operator_find(w.library, name);
    lbo_tensor *here[MOST] = {NULL}, *there[MOST] = {NULL};
    lbo_tensor *out_here[LBO_MAX_OUT] = {NULL};
    lbo_tensor *out_there[LBO_MAX_OUT] = {NULL};

    assert_non_null(op);
    for (size_t i = 0; i < count; i++) {
        here[i] = in[i].here;
        there[i] = in[i].there;
    }
    run(w.here, name, here, count, out_here, op->spec.out_count, attributes);
    run(w.there, name, there, count, out_there, op->spec.out_count, attributes);
    for (uint32_t i = 0; i < op->spec.out_count; i++) {
        pair out = {out_here[i], out_there[i]};
        compare(name, out, tolerance);
        release(&out);
    }
    for (size_t i = 0; i < count; i++)
        release(&in[i]);
}

#define CHECK(name, attributes, tolerance, ...)                                \
    check(name, (pair[]){__VA_ARGS__},                                         \
          sizeof((pair[]){__VA_ARGS__}) / sizeof(pair), attributes, tolerance)

static const int64_t shapes[][3] = {
    {7, 5, 4}, {1, 33, 3}, {2, 1, 129}, {5, 2, 100}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static double tolerance_of(lbo_dtype dtype)
{
    return dtype == LBO_F64 ? 1e-12 : dtype == LBO_F32 ? 3e-6 : 0;
}

/* ---- tests --------------------------------------------------------------- */

static const lbo_dtype number_types[] = {LBO_U8,  LBO_I8,  LBO_I32,
                                         LBO_I64, LBO_F32, LBO_F64};
static const lbo_dtype floats[] = {LBO_F32, LBO_F64};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void operators_of_two_numbers_are_the_cpus(void **state)
{
    static const char *const names[] = {
        "add",   "sub",       "mul",  "minimum",    "maximum", "pow",
        "equal", "not_equal", "less", "less_equal", "greater", "greater_equal"};

    (void)state;
    NEEDS_DEVICE();
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t t = 0; t < COUNT(number_types); t++) {
            const lbo_dtype type = number_types[t];
            const int64_t *const shape = shapes[random_below(SHAPES)];
            const double low = type == LBO_U8 ? 0 : -5;
            const double least = strcmp(names[i], "pow") == 0 ? 0.5 : low;
            CHECK(names[i], NULL, tolerance_of(type),
                  strided(type, 3, shape, least, 6),
                  strided(type, 3, shape, low, 6));
            CHECK(names[i], NULL, tolerance_of(type),
                  strided(type, 3, (const int64_t[]){4, 1, 3}, least, 6),
                  strided(type, 2, (const int64_t[]){5, 1}, low, 6));
        }
}

static void bools_and_conditions_are_the_cpus(void **state)
{
    static const char *const names[] = {"add",     "mul",      "minimum",
                                        "maximum", "equal",    "less",
                                        "greater", "not_equal"};

    (void)state;
    NEEDS_DEVICE();
    for (size_t i = 0; i < COUNT(names); i++) {
        pair a = numbers(LBO_I32, 1, (const int64_t[]){40}, 0, 2), b = a;
        pair c = {NULL, NULL}, d = {NULL, NULL};
        assert_ok(lbo_cast(w.here, &c.here, a.here, LBO_BOOL));
        assert_ok(lbo_cast(w.there, &c.there, a.there, LBO_BOOL));
        assert_ok(lbo_copy(w.here, &d.here, c.here));
        assert_ok(lbo_copy(w.there, &d.there, c.there));
        d = slice(d, 0, 39, -41, -1);
        CHECK(names[i], NULL, 0, c, d);
        release(&b);
    }
    for (int type = 0; type < LBO_DTYPE_COUNT; type++) {
        pair a = strided(LBO_F32, 3, shapes[0], -1, 1), c = {NULL, NULL};
        pair zero = numbers(LBO_F32, 0, NULL, 0, 0.001);
        assert_ok(lbo_less(w.here, &c.here, a.here, zero.here));
        assert_ok(lbo_less(w.there, &c.there, a.there, zero.there));
        CHECK("where", NULL, 0, c, strided((lbo_dtype)type, 3, shapes[0], 0, 9),
              strided((lbo_dtype)type, 1, (const int64_t[]){4}, 0, 9));
        release(&a);
        release(&zero);
    }
}

static void functions_of_one_number_are_the_cpus(void **state)
{
    static const char *const names[] = {"neg",  "abs", "sign", "sqrt",
                                        "exp",  "log", "tanh", "sigmoid",
                                        "silu", "relu"};
    static const char *const backward[] = {"tanh_backward", "sigmoid_backward",
                                           "silu_backward", "relu_backward"};

    (void)state;
    NEEDS_DEVICE();
    for (size_t t = 0; t < COUNT(floats); t++) {
        const double near = tolerance_of(floats[t]);
        for (size_t i = 0; i < COUNT(names); i++)
            CHECK(names[i], NULL, near,
                  strided(floats[t], 3, shapes[random_below(SHAPES)], -4, 4));
        for (size_t i = 0; i < COUNT(backward); i++)
            CHECK(backward[i], NULL, near,
                  strided(floats[t], 3, shapes[1], -4, 4),
                  strided(floats[t], 3, shapes[1], -4, 4));
        for (int approximate = 0; approximate < 2; approximate++) {
            const lbo_gelu_attributes by = {approximate};
            CHECK("gelu", &by, near, strided(floats[t], 3, shapes[0], -5, 5));
            CHECK("gelu_backward", &by, near,
                  strided(floats[t], 3, shapes[0], -5, 5),
                  strided(floats[t], 3, shapes[0], -5, 5));
        }
    }
    for (size_t t = 0; t < COUNT(number_types); t++) {
        const lbo_dtype type = number_types[t];
        const lbo_clamp_attributes by = {-1, 3};
        for (int i = 0; i < 3; i++)
            CHECK(names[i], NULL, 0, strided(type, 3, shapes[2], -9, 9));
        CHECK("clamp", &by, 0, strided(type, 3, shapes[2], 0, 9));
    }
    for (int type = LBO_F16; type <= LBO_BF16; type++) {
        CHECK("neg", NULL, 0, strided((lbo_dtype)type, 3, shapes[0], -9, 9));
        CHECK("exp", NULL, 0.01, strided((lbo_dtype)type, 3, shapes[0], -2, 2));
    }
}

static void scalars_of_the_host_need_no_copy(void **state)
{
    static const char *const names[] = {"add", "sub",     "mul",  "div",
                                        "pow", "minimum", "less", "equal"};

    (void)state;
    NEEDS_DEVICE();
    for (size_t i = 0; i < COUNT(names); i++)
        for (int last = 0; last < 2; last++) {
            pair x = strided(LBO_F32, 3, shapes[0], 0.5, 2);
            lbo_tensor *scalar = NULL;
            pair out = {NULL, NULL};
            assert_ok(lbo_scalar(w.here, 1.25, &scalar));
            lbo_tensor *in[] = {last ? x.here : scalar, last ? scalar : x.here};
            run(w.here, names[i], in, 2, &out.here, 1, NULL);
            in[last ? 0 : 1] = x.there;
            run(w.there, names[i], in, 2, &out.there, 1, NULL);
            compare(names[i], out, 3e-6);
            release(&out);
            release(&x);
            lbo_tensor_release(scalar);
        }
}

static void every_type_converts_to_every_type(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    for (int from = 0; from < LBO_DTYPE_COUNT; from++)
        for (int to = 0; to < LBO_DTYPE_COUNT; to++) {
            const lbo_cast_attributes by = {to};
            CHECK("cast", &by, 0,
                  strided((lbo_dtype)from, 3, shapes[random_below(SHAPES)],
                          from == LBO_U8 ? 0 : -100, 100));
        }
    for (int from = 0; from < LBO_DTYPE_COUNT; from++)
        CHECK("copy", NULL, 0,
              strided((lbo_dtype)from, 3, shapes[random_below(SHAPES)], 0, 50));
}

static void sums_and_choices_are_the_cpus(void **state)
{
    static const char *const names[] = {"sum", "mean", "max", "min", "argmax"};

    (void)state;
    NEEDS_DEVICE();
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t t = 0; t < COUNT(number_types); t++)
            for (int dim = -1; dim < 3; dim++) {
                const lbo_dtype type = number_types[t];
                lbo_reduce_attributes by = {
                    .dims = {.count = dim < 0 ? -1 : 1, .at = {dim}},
                    .keep = random_below(2) != 0};
                CHECK(names[i], &by, tolerance_of(LBO_F32),
                      strided(type, 3, shapes[random_below(SHAPES)], 0, 20));
            }
    for (size_t t = 0; t < COUNT(floats); t++) {
        lbo_reduce_attributes by = {.dims = {.count = 2, .at = {0, -1}},
                                    .correction = 1};
        for (int k = 0; k < SHAPES; k++)
            CHECK("var", &by, 1e-5, strided(floats[t], 3, shapes[k], -3, 3));
        CHECK("sum", &by, 1e-5, strided(floats[t], 3, shapes[1], -3, 3));
        CHECK("mean", &by, 1e-5,
              numbers(floats[t], 3, (const int64_t[]){50, 3, 2000}, -3, 3));
    }
}

static void products_are_the_cpus(void **state)
{
    static const struct {
        int64_t a[4], b[4];
        size_t a_dims, b_dims;
    } cases[] = {
        {{3, 4}, {4, 5}, 2, 2},
        {{17, 33}, {33, 18}, 2, 2},
        {{4}, {4}, 1, 1},
        {{3, 4}, {4}, 2, 1},
        {{4}, {4, 5}, 1, 2},
        {{6, 3, 4}, {4, 5}, 3, 2},
        {{2, 1, 3, 4}, {3, 4, 5}, 4, 3},
        {{3, 4}, {7, 4, 5}, 2, 3},
        {{3, 0}, {0, 5}, 2, 2},
        {{0, 4}, {4, 5}, 2, 2},
    };

    (void)state;
    NEEDS_DEVICE();
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t t = 0; t < COUNT(number_types); t++)
            CHECK("matmul", NULL, 1e-5,
                  strided(number_types[t], cases[i].a_dims, cases[i].a, 0, 3),
                  strided(number_types[t], cases[i].b_dims, cases[i].b, 0, 3));
    for (size_t t = 0; t < COUNT(floats); t++) {
        CHECK("linear", NULL, 1e-5,
              strided(floats[t], 3, (const int64_t[]){3, 5, 7}, -1, 1),
              strided(floats[t], 2, (const int64_t[]){6, 7}, -1, 1),
              strided(floats[t], 1, (const int64_t[]){6}, -1, 1));
        CHECK("linear", NULL, 1e-5,
              strided(floats[t], 2, (const int64_t[]){5, 7}, -1, 1),
              strided(floats[t], 2, (const int64_t[]){6, 7}, -1, 1),
              (pair){NULL, NULL});
    }
}

static void convolutions_are_the_cpus(void **state)
{
    static const lbo_conv2d_attributes ways[] = {
        {{1, 1}, {0, 0}, {1, 1}, 1},
        {{2, 1}, {1, 2}, {1, 1}, 2},
        {{1, 2}, {2, 1}, {2, 1}, 1},
    };

    (void)state;
    NEEDS_DEVICE();
    for (size_t i = 0; i < COUNT(ways); i++)
        for (size_t t = 0; t < COUNT(floats); t++) {
            const lbo_conv2d_attributes *const v = &ways[i];
            const int64_t x[] = {3, 4, 8, 9};
            const int64_t weight[] = {6, 4 / v->groups, 3, 2};
            int64_t y[] = {3, 6, 0, 0};
            for (int k = 0; k < 2; k++)
                y[k + 2] = (x[k + 2] + 2 * v->padding[k] -
                            v->dilation[k] * (weight[k + 2] - 1) - 1) /
                               v->stride[k] +
                           1;
            CHECK("conv2d", v, 1e-5, strided(floats[t], 4, x, -1, 1),
                  strided(floats[t], 4, weight, -1, 1),
                  strided(floats[t], 1, &y[1], -1, 1));
            CHECK("conv2d_backward_input", v, 1e-5,
                  strided(floats[t], 4, y, -1, 1),
                  strided(floats[t], 4, weight, -1, 1),
                  numbers(floats[t], 4, x, 0, 1));
            CHECK("conv2d_backward_weight", v, 1e-5,
                  strided(floats[t], 4, y, -1, 1),
                  strided(floats[t], 4, x, -1, 1),
                  numbers(floats[t], 4, weight, 0, 1));
        }
}

static void windows_are_the_cpus(void **state)
{
    static const lbo_pool2d_attributes ways[] = {
        {{2, 2}, {2, 2}, {0, 0}},
        {{3, 2}, {1, 2}, {1, 1}},
        {{3, 3}, {2, 1}, {1, 0}},
    };

    (void)state;
    NEEDS_DEVICE();
    for (size_t i = 0; i < COUNT(ways); i++)
        for (size_t t = 0; t < COUNT(floats); t++) {
            const lbo_pool2d_attributes *const v = &ways[i];
            const int64_t x[] = {2, 3, 7, 6};
            int64_t y[] = {2, 3, 0, 0};
            for (int k = 0; k < 2; k++)
                y[k + 2] = (x[k + 2] + 2 * v->padding[k] - v->kernel[k]) /
                               v->stride[k] +
                           1;
            CHECK("max_pool2d", v, 0, strided(floats[t], 4, x, -1, 1));
            CHECK("avg_pool2d", v, 1e-6, strided(floats[t], 4, x, -1, 1));
            CHECK("avg_pool2d_backward", v, 1e-6,
                  strided(floats[t], 4, y, -1, 1),
                  numbers(floats[t], 4, x, 0, 1));
            CHECK("max_pool2d_backward", NULL, 1e-6,
                  strided(floats[t], 4, y, -1, 1),
                  strided(LBO_I64, 4, y, 0, 42),
                  numbers(floats[t], 4, x, 0, 1));
        }
}

static void softmax_and_losses_are_the_cpus(void **state)
{
    static const int64_t sizes[][3] = {{3, 5, 4}, {2, 150, 3}, {2, 3, 100}};

    (void)state;
    NEEDS_DEVICE();
    for (size_t t = 0; t < COUNT(floats); t++)
        for (int64_t dim = -1; dim < 3; dim++)
            for (int k = 0; k < 3; k++) {
                const lbo_dim_attributes by = {dim};
                CHECK("softmax", &by, 1e-6,
                      strided(floats[t], 3, sizes[k], -5, 5));
                CHECK("log_softmax", &by, 1e-6,
                      strided(floats[t], 3, sizes[k], -5, 5));
                CHECK("softmax_backward", &by, 1e-5,
                      strided(floats[t], 3, sizes[k], -1, 1),
                      strided(floats[t], 3, sizes[k], 0, 1));
                CHECK("log_softmax_backward", &by, 1e-5,
                      strided(floats[t], 3, sizes[k], -1, 1),
                      strided(floats[t], 3, sizes[k], -3, 0));
            }
    for (size_t t = 0; t < COUNT(floats); t++)
        for (int64_t reduction = 0; reduction < 3; reduction++) {
            const lbo_loss_attributes by = {reduction, 3};
            const int64_t logits[] = {37, 10};
            CHECK("cross_entropy", &by, 1e-5,
                  strided(floats[t], 2, logits, -4, 4),
                  strided(LBO_I64, 1, logits, 0, 10));
            CHECK("cross_entropy_backward", &by, 1e-5,
                  strided(floats[t], reduction == 0, logits, -4, 4),
                  strided(floats[t], 2, logits, -4, 0),
                  strided(LBO_I64, 1, logits, 0, 10));
            CHECK("mse", &by, 1e-5, strided(floats[t], 2, logits, -4, 4),
                  strided(floats[t], 2, logits, -4, 4));
        }
}

static void layer_norm_is_the_cpus(void **state)
{
    static const int64_t sizes[][3] = {{3, 5, 4}, {7, 2, 150}, {5, 3, 70}};

    (void)state;
    NEEDS_DEVICE();
    for (size_t t = 0; t < COUNT(floats); t++)
        for (int k = 0; k < 3; k++)
            for (int64_t dims = 1; dims < 3; dims++) {
                const lbo_layer_norm_attributes by = {dims, 1e-5};
                const size_t lead = (size_t)(3 - dims);
                const int64_t *const tail = sizes[k] + lead;
                CHECK("layer_norm", &by, 1e-5,
                      strided(floats[t], 3, sizes[k], -2, 5),
                      strided(floats[t], (size_t)dims, tail, -1, 1),
                      strided(floats[t], (size_t)dims, tail, -1, 1));
                CHECK("layer_norm", &by, 1e-5,
                      strided(floats[t], 3, sizes[k], -2, 5),
                      (pair){NULL, NULL}, (pair){NULL, NULL});
                CHECK("layer_norm_backward", &by, 3e-5,
                      strided(floats[t], 3, sizes[k], -1, 1),
                      strided(floats[t], 3, sizes[k], -2, 5),
                      strided(floats[t], lead, sizes[k], 1, 2),
                      strided(floats[t], lead, sizes[k], 0.4, 0.6),
                      strided(floats[t], (size_t)dims, tail, -1, 1));
            }
}

static void choosing_is_the_cpus(void **state)
{
    static const int64_t weight[] = {11, 6}, indices[] = {4, 7};
    static const int64_t rows[] = {4, 7, 6};

    (void)state;
    NEEDS_DEVICE();
    for (int type = 0; type < LBO_DTYPE_COUNT; type++)
        CHECK("embedding", NULL, 0, strided((lbo_dtype)type, 2, weight, 0, 50),
              strided(type & 1 ? LBO_I32 : LBO_I64, 2, indices, 0, 11));
    for (size_t t = 0; t < COUNT(floats); t++)
        CHECK("embedding_backward", NULL, 1e-5,
              strided(floats[t], 3, rows, -1, 1),
              strided(LBO_I64, 2, indices, 0, 11),
              numbers(floats[t], 2, weight, 0, 1));
    for (int64_t dim = -3; dim < 3; dim++) {
        const lbo_dim_attributes by = {dim};
        int64_t smaller[] = {3, 4, 5};
        smaller[(dim + 3) % 3] = 9;
        const int64_t most = rows[(dim + 3) % 3];
        CHECK("gather", &by, 0, strided(LBO_F32, 3, rows, -1, 1),
              strided(LBO_I64, 3, smaller, 0, (double)most));
        for (size_t t = 0; t < COUNT(floats); t++)
            CHECK("gather_backward", &by, 1e-5,
                  strided(floats[t], 3, smaller, -1, 1),
                  strided(LBO_I64, 3, smaller, 0, (double)most),
                  numbers(floats[t], 3, rows, 0, 1));
        CHECK("concat", &by, 0, strided(LBO_F32, 3, rows, -1, 1),
              strided(LBO_F32, 3, rows, -1, 1));
        CHECK("stack", &by, 0, strided(LBO_I8, 3, rows, -9, 9),
              strided(LBO_I8, 3, rows, -9, 9));
    }
}

/* A strided tensor of zeros on both. */
static pair blank(lbo_dtype dtype)
{
    pair p = strided(dtype, 3, shapes[0], 0, 1);

    assert_ok(lbo_fill(w.here, p.here, 0));
    assert_ok(lbo_fill(w.there, p.there, 0));
    return p;
}

static void random_numbers_are_the_very_same(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    for (int type = LBO_F16; type <= LBO_F64; type++) {
        pair p = blank((lbo_dtype)type);
        lbo_seed(w.here, 1234567890123ull);
        lbo_seed(w.there, 1234567890123ull);
        for (int i = 0; i < 2; i++) {
            assert_ok(lbo_uniform(w.here, p.here, -1, 2.5));
            assert_ok(lbo_uniform(w.there, p.there, -1, 2.5));
            compare("uniform", p, 0);
        }
        assert_ok(lbo_normal(w.here, p.here, 1, 2));
        assert_ok(lbo_normal(w.there, p.there, 1, 2));
        compare("normal", p, type <= LBO_BF16 ? 0.01 : 2e-6);
        release(&p);
        const lbo_dropout_attributes by = {0.3, 77, 5};
        CHECK("dropout", &by, tolerance_of((lbo_dtype)type) / 10,
              strided((lbo_dtype)type, 3, shapes[0], -1, 1));
    }
}

static void fill_and_arange_are_the_cpus(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    for (int type = 0; type < LBO_DTYPE_COUNT; type++) {
        pair p = blank((lbo_dtype)type);
        assert_ok(lbo_fill(w.here, p.here, 3.5));
        assert_ok(lbo_fill(w.there, p.there, 3.5));
        compare("fill", p, 0);
        release(&p);
        p = strided((lbo_dtype)type, 1, (const int64_t[]){50}, 0, 1);
        assert_ok(lbo_arange(w.here, p.here, 3, 0.5));
        assert_ok(lbo_arange(w.there, p.there, 3, 0.5));
        compare("arange", p, 0);
        release(&p);
    }
}

static void steps_of_optimizers_are_the_cpus(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    for (size_t t = 0; t < COUNT(floats); t++)
        for (int k = 0; k < 2; k++) {
            const lbo_sgd_attributes sgd = {0.1, 0.9, k * 0.01, k};
            const lbo_sgd_attributes still = {0.1, 0, 0.01, false};
            const lbo_adam_attributes adam = {0.1, 0.9, 0.99, 1e-8, 0.01, k, 3};
            const int64_t *const s = shapes[k];
            CHECK("sgd_step", &sgd, 3e-6, strided(floats[t], 3, s, -1, 1),
                  strided(floats[t], 3, s, -1, 1),
                  strided(floats[t], 3, s, -1, 1));
            CHECK("sgd_step", &still, 3e-6, strided(floats[t], 3, s, -1, 1),
                  strided(floats[t], 3, s, -1, 1), (pair){NULL, NULL});
            CHECK("adam_step", &adam, 3e-6, strided(floats[t], 3, s, -1, 1),
                  strided(floats[t], 3, s, -1, 1),
                  strided(floats[t], 3, s, -1, 1),
                  strided(floats[t], 3, s, 0.1, 1));
        }
}

static void events_and_streams_work(void **state)
{
    lbo_library *const library = w.library;
    void *stream = NULL, *first = NULL, *second = NULL;
    double ns = -1;

    (void)state;
    NEEDS_DEVICE();
#define HEAD(name) lb_generic_head(lbo_generic(library, "device." name))
    assert_ok(
        lb_in_lbo_on_stream_create(HEAD("stream_create"), w.device, &stream));
    assert_non_null(stream);
    assert_ok(lb_in_lbo_on_event_record(HEAD("event_record"), w.device, NULL,
                                        &first));
    pair p = numbers(LBO_F32, 1, (const int64_t[]){1000}, 0, 1);
    assert_ok(lb_in_lbo_on_event_record(HEAD("event_record"), w.device, NULL,
                                        &second));
    assert_ok(lb_in_lbo_on_event_wait(HEAD("event_wait"), w.device, second));
    assert_ok(lb_in_lbo_on_event_elapsed(HEAD("event_elapsed"), w.device, first,
                                         second, &ns));
    assert_true(ns >= 0);
    lb_in_lbo_on_event_destroy(HEAD("event_destroy"), w.device, first);
    lb_in_lbo_on_event_destroy(HEAD("event_destroy"), w.device, second);
    assert_ok(lb_in_lbo_on_synchronize(HEAD("synchronize"), w.device, stream));
    lb_in_lbo_on_stream_destroy(HEAD("stream_destroy"), w.device, stream);
    assert_ok(lbo_synchronize(w.device));
    release(&p);
}

static void memory_that_is_not_there_is_an_error(void **state)
{
    lbo_tensor *tensor = NULL;

    (void)state;
    NEEDS_DEVICE();
    assert_status(
        LB_NO_MEMORY,
        lbo_empty(w.there, LBO_F64, 1, (const int64_t[]){1ll << 55}, &tensor));
    assert_null(tensor);
}

static void the_plugin_goes_and_comes_again(void **state)
{
    pair p;

    (void)state;
    NEEDS_DEVICE();
    for (int i = 0; i < 2; i++) {
        p = numbers(LBO_F32, 1, (const int64_t[]){100}, 0, 1);
        assert_status(LB_BUSY, lbo_plugin_close(w.library, w.plugin));
        CHECK("exp", NULL, 1e-6, p);
        lbo_context_destroy(w.there);
        assert_ok(lbo_plugin_close(w.library, w.plugin));
        assert_status(LB_NOT_FOUND,
                      lbo_device_find(w.library, plugin_name, &w.device));
        assert_ok(lbo_plugin_open(w.library, plugin_name, &w.plugin));
        assert_ok(lbo_device_find(w.library, plugin_name, &w.device));
        assert_ok(lbo_context_create(w.library, plugin_name, &w.there));
    }
}

int main(int argc, char **argv)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(fill_and_arange_are_the_cpus),
        T(operators_of_two_numbers_are_the_cpus),
        T(bools_and_conditions_are_the_cpus),
        T(functions_of_one_number_are_the_cpus),
        T(scalars_of_the_host_need_no_copy),
        T(every_type_converts_to_every_type),
        T(sums_and_choices_are_the_cpus),
        T(products_are_the_cpus),
        T(convolutions_are_the_cpus),
        T(windows_are_the_cpus),
        T(softmax_and_losses_are_the_cpus),
        T(layer_norm_is_the_cpus),
        T(choosing_is_the_cpus),
        T(random_numbers_are_the_very_same),
        T(steps_of_optimizers_are_the_cpus),
        T(events_and_streams_work),
        T(memory_that_is_not_there_is_an_error),
        T(the_plugin_goes_and_comes_again),
    };

    if (argc > 1)
        plugin_name = argv[1];
    compares = argc < 3 || strcmp(argv[2], "launches") != 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
