/* matmul, linear and conv2d against sums written out; whole numbers, so that
 * every order of adding gives the same. */
#include "kernels.h"

/* ---- matmul ----------------------------------------------------------------- */

/* The element of a, broadcast, that meets the result's batch. */
static double operand(const lbo_tensor *t, const int64_t *batch, int batches,
                      int64_t row, int64_t column, bool vector_is_row)
{
    int64_t index[LBO_MAX_DIMS];
    const int own = t->ndim > 2 ? t->ndim - 2 : 0;

    for (int i = 0; i < own; i++)
        index[i] = t->dims[i] == 1 ? 0 : batch[batches - own + i];
    if (t->ndim == 1)
        index[0] = vector_is_row ? column : row;
    else {
        index[own] = row;
        index[own + 1] = column;
    }
    return number_at(t, index);
}

static void check_matmul(const lbo_tensor *a, const lbo_tensor *b,
                         const lbo_tensor *c)
{
    const bool rows = a->ndim > 1, columns = b->ndim > 1;
    const int batches = c->ndim - rows - columns;
    const int64_t k = a->dims[a->ndim - 1];
    int64_t index[LBO_MAX_DIMS] = {0};

    if (c->size > 0)
        do {
            const int64_t i = rows ? index[batches] : 0;
            const int64_t j = columns ? index[c->ndim - 1] : 0;
            double sum = 0;
            for (int64_t p = 0; p < k; p++)
                sum += operand(a, index, batches, i, p, true) *
                       operand(b, index, batches, p, j, false);
            if (c->dtype == LBO_U8)
                sum = (uint8_t)(int)sum;
            if (c->dtype == LBO_I8)
                sum = (int8_t)(int)sum;
            assert_near(number_at(c, index), sum, 0, "matmul");
        } while (next_index(c, index));
}

/* Shapes that go together: some batches, some of them 1 on one side. */
static void random_operands(lbo_dtype dtype, lbo_tensor **a, lbo_tensor **b,
                            int64_t most)
{
    int64_t left[5], right[5], k = random_below(most);
    const size_t batches = (size_t)random_below(3);
    size_t an = 0, bn = 0;

    for (size_t i = 0; i < batches; i++) {
        const int64_t n = random_below(4);
        if (an > 0 || random_below(3) > 0)
            left[an++] = random_below(3) == 0 ? 1 : n;
        if (bn > 0 || random_below(3) > 0)
            right[bn++] = random_below(3) == 0 ? 1 : n;
    }
    if (an > 0 || random_below(5) > 0)
        left[an++] = random_below(most);
    left[an++] = k;
    right[bn++] = k;
    if (bn > 1 || random_below(5) > 0)
        right[bn++] = random_below(most);
    *a = whole_numbers(dtype, an, left);
    *b = whole_numbers(dtype, bn, right);
}

static void products_are_the_sums_of_products(void **state)
{
    static const lbo_dtype types[] = {LBO_F32, LBO_F64, LBO_I64,
                                      LBO_I32, LBO_I8,  LBO_U8};
    (void)state;

    for (int round = 0; round < 600; round++) {
        const lbo_dtype dtype = types[round % 6];
        lbo_tensor *a, *b, *c = NULL, *given;

        random_operands(dtype, &a, &b, round % 7 == 0 ? 40 : 7);
        assert_ok(lbo_matmul(context, &c, a, b));
        assert_int_equal(c->dtype, dtype);
        check_matmul(a, b, c);
        given = strided_tensor(dtype, c->ndim, lbo_shape(c), false);
        assert_ok(lbo_matmul(context, &given, a, b));
        check_matmul(a, b, given);
        lbo_tensor_release(a);
        lbo_tensor_release(b);
        lbo_tensor_release(c);
        lbo_tensor_release(given);
    }
}

static lbo_tensor *transposed(lbo_tensor *t)
{
    const int64_t shape[] = {t->dims[1], t->dims[0]};
    const int64_t strides[] = {lbo_strides(t)[1], lbo_strides(t)[0]};
    lbo_tensor *view;

    assert_ok(lbo_tensor_view(t, 0, 2, shape, strides, &view));
    return view;
}

static void transposed_and_broadcast_views_are_operands(void **state)
{
    static const lbo_dtype types[] = {LBO_F32, LBO_F64};
    (void)state;

    for (int round = 0; round < 64; round++) {
        const int64_t m = 1 + random_below(70), k = 1 + random_below(300);
        const int64_t zero[] = {0, 0}, n = 1 + random_below(70);
        const lbo_dtype dtype = types[round % 2];
        lbo_tensor *a = strided_tensor(dtype, 2, (int64_t[]){k, m}, true);
        lbo_tensor *b = strided_tensor(dtype, 2, (int64_t[]){n, k}, true);
        lbo_tensor *at, *bt, *c = NULL, *same, *d = NULL;
        int64_t index[2] = {0};

        do
            set_number(a, index, (double)(random_below(5) - 2));
        while (next_index(a, index));
        do
            set_number(b, index, (double)(random_below(5) - 2));
        while (next_index(b, index));
        at = transposed(a);
        bt = transposed(b);
        assert_ok(lbo_matmul(context, &c, at, bt));
        check_matmul(at, bt, c);
        assert_ok(lbo_tensor_view(a, 0, 2, (int64_t[]){n, k}, zero, &same));
        assert_ok(lbo_matmul(context, &d, same, bt));
        check_matmul(same, bt, d);
        lbo_tensor_release(d);
        lbo_tensor_release(a);
        lbo_tensor_release(b);
        lbo_tensor_release(at);
        lbo_tensor_release(bt);
        lbo_tensor_release(c);
        lbo_tensor_release(same);
    }
}

static void integers_wrap_around(void **state)
{
    const int64_t most = INT64_MAX;
    int64_t result;
    lbo_tensor *a, *b, *c = NULL;

    (void)state;
    assert_ok(lbo_from_data(context, LBO_I64, 1, (int64_t[]){2},
                            (int64_t[]){most, 1}, &a));
    assert_ok(lbo_from_data(context, LBO_I64, 1, (int64_t[]){2},
                            (int64_t[]){1, 1}, &b));
    assert_ok(lbo_matmul(context, &c, a, b));
    memcpy(&result, c->data, sizeof result);
    assert_true(result == INT64_MIN);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(c);
}

static void a_nan_reaches_the_results_it_takes_part_in(void **state)
{
    lbo_tensor *a, *b, *c = NULL;
    const int64_t shape[] = {3, 3};

    (void)state;
    a = strided_tensor(LBO_F32, 2, shape, true);
    b = strided_tensor(LBO_F32, 2, shape, true);
    memset(a->data, 0, lbo_tensor_bytes(a));
    memset(b->data, 0, lbo_tensor_bytes(b));
    set_number(b, (int64_t[]){1, 2}, NAN);
    assert_ok(lbo_matmul(context, &c, a, b));
    for (int64_t i = 0; i < 3; i++)
        for (int64_t j = 0; j < 3; j++)
            assert_near(number_at(c, (int64_t[]){i, j}), j == 2 ? NAN : 0, 0,
                        "0 times NaN");
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(c);
}

static void operands_that_do_not_fit_are_refused(void **state)
{
    lbo_tensor *a, *b, *none, *flags, *c = NULL;

    (void)state;
    a = whole_numbers(LBO_F32, 2, (int64_t[]){2, 3});
    b = whole_numbers(LBO_F32, 2, (int64_t[]){2, 3});
    none = whole_numbers(LBO_F32, 0, NULL);
    flags = strided_tensor(LBO_BOOL, 2, (int64_t[]){3, 3}, true);
    memset(flags->data, 1, 9);
    assert_status(LB_BAD_ARGUMENT, lbo_matmul(context, &c, a, b));
    assert_string_equal(lb_message(),
                        "matmul: [2, 3] and [2, 3] cannot be multiplied: the "
                        "inner sizes differ");
    assert_status(LB_BAD_ARGUMENT, lbo_matmul(context, &c, a, none));
    assert_status(LB_BAD_ARGUMENT, lbo_matmul(context, &c, flags, flags));
    assert_contains(lb_message(), "bool");
    assert_status(LB_BAD_ARGUMENT, lbo_matmul(context, &c, NULL, a));
    assert_status(LB_BAD_ARGUMENT, lbo_linear(context, &c, a, b, none));
    assert_contains(lb_message(), "bias is []; [2]");
    assert_null(c);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(none);
    lbo_tensor_release(flags);
}

static void types_that_differ_are_promoted(void **state)
{
    lbo_tensor *a, *b, *c = NULL;

    (void)state;
    a = whole_numbers(LBO_F32, 2, (int64_t[]){4, 3});
    b = whole_numbers(LBO_F64, 2, (int64_t[]){3, 5});
    assert_ok(lbo_matmul(context, &c, a, b));
    assert_int_equal(c->dtype, LBO_F64);
    check_matmul(a, b, c);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(c);
}

/* Whole numbers up to 256 are exact in both. */
static void half_types_go_by_way_of_f32(void **state)
{
    static const lbo_dtype types[] = {LBO_F16, LBO_BF16};
    (void)state;

    for (int i = 0; i < 2; i++) {
        lbo_tensor *const a = whole_numbers(types[i], 2, (int64_t[]){5, 7});
        lbo_tensor *const b = whole_numbers(types[i], 2, (int64_t[]){7, 6});
        lbo_tensor *c = NULL, *given;

        assert_ok(lbo_matmul(context, &c, a, b));
        assert_int_equal(c->dtype, types[i]);
        check_matmul(a, b, c);
        given = strided_tensor(types[i], 2, lbo_shape(c), false);
        assert_ok(lbo_matmul(context, &given, a, b));
        check_matmul(a, b, given);
        lbo_tensor_release(a);
        lbo_tensor_release(b);
        lbo_tensor_release(c);
        lbo_tensor_release(given);
    }
}

/* ---- linear ----------------------------------------------------------------- */

static void check_linear(const lbo_tensor *x, const lbo_tensor *weight,
                         const lbo_tensor *bias, const lbo_tensor *out)
{
    int64_t index[LBO_MAX_DIMS] = {0}, at[LBO_MAX_DIMS];

    if (out->size > 0)
        do {
            const int64_t j = index[out->ndim - 1];
            double sum = bias != NULL ? number_at(bias, &j) : 0;
            memcpy(at, index, sizeof at);
            for (int64_t p = 0; p < weight->dims[1]; p++) {
                at[x->ndim - 1] = p;
                sum += number_at(x, at) * number_at(weight, (int64_t[]){j, p});
            }
            assert_near(number_at(out, index), sum, 0, "linear");
        } while (next_index(out, index));
}

static void linear_adds_the_bias_to_each_row(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const size_t ndim = 1 + (size_t)random_below(3);
        int64_t shape[3], out_shape[3];
        lbo_tensor *x, *weight, *bias = NULL, *out;

        for (size_t i = 0; i < ndim; i++)
            out_shape[i] = shape[i] = random_below(round % 5 == 0 ? 20 : 5);
        const int64_t n = random_below(12);
        out_shape[ndim - 1] = n;
        x = whole_numbers(dtype, ndim, shape);
        weight = whole_numbers(dtype, 2, (int64_t[]){n, shape[ndim - 1]});
        if (random_below(2) == 0)
            bias = whole_numbers(dtype, 1, &n);
        out = maybe_given(dtype, ndim, out_shape);
        assert_ok(lbo_linear(context, &out, x, weight, bias));
        check_linear(x, weight, bias, out);
        lbo_tensor_release(x);
        lbo_tensor_release(weight);
        lbo_tensor_release(bias);
        lbo_tensor_release(out);
    }
}

/* ---- conv2d ----------------------------------------------------------------- */

typedef struct convolution {
    lbo_conv2d_attributes by;
    int64_t x[4], weight[4], out[4];
} convolution;

/* Adds for each pair of an input's place and a weight's place that meet in a
 * result's place: the definition, from which all three operators follow. */
typedef struct sums {
    double *x, *weight, *out; /* one of them is written */
} sums;

static int64_t flat(const int64_t *shape, int64_t a, int64_t b, int64_t c,
                    int64_t d)
{
    return ((a * shape[1] + b) * shape[2] + c) * shape[3] + d;
}

static void meet(const convolution *v, sums *s, char written, int64_t n,
                 int64_t o, int64_t c, int64_t i, int64_t j)
{
    const int64_t group = o / (v->out[1] / v->by.groups);

    for (int64_t y = 0; y < v->weight[2]; y++)
        for (int64_t z = 0; z < v->weight[3]; z++) {
            const int64_t row =
                i * v->by.stride[0] - v->by.padding[0] + y * v->by.dilation[0];
            const int64_t column =
                j * v->by.stride[1] - v->by.padding[1] + z * v->by.dilation[1];
            if (row < 0 || row >= v->x[2] || column < 0 || column >= v->x[3])
                continue;
            double *const x =
                &s->x[flat(v->x, n, group * v->weight[1] + c, row, column)];
            double *const w = &s->weight[flat(v->weight, o, c, y, z)];
            double *const out = &s->out[flat(v->out, n, o, i, j)];
            if (written == 'o')
                *out += *x * *w;
            else if (written == 'x')
                *x += *out * *w;
            else
                *w += *out * *x;
        }
}

static void convolve(const convolution *v, sums *s, char written)
{
    for (int64_t n = 0; n < v->out[0]; n++)
        for (int64_t o = 0; o < v->out[1]; o++)
            for (int64_t c = 0; c < v->weight[1]; c++)
                for (int64_t i = 0; i < v->out[2]; i++)
                    for (int64_t j = 0; j < v->out[3]; j++)
                        meet(v, s, written, n, o, c, i, j);
}

static double *numbers_of(const lbo_tensor *t)
{
    double *const numbers = calloc((size_t)t->size + 1, sizeof *numbers);
    int64_t index[LBO_MAX_DIMS] = {0}, at = 0;

    assert_non_null(numbers);
    if (t->size > 0)
        do
            numbers[at++] = number_at(t, index);
        while (next_index(t, index));
    return numbers;
}

static void assert_numbers(const lbo_tensor *t, const double *expected,
                           const char *what)
{
    double *const got = numbers_of(t);

    for (int64_t i = 0; i < t->size; i++)
        assert_near(got[i], expected[i], 0, what);
    free(got);
}

static convolution random_convolution(int64_t most)
{
    convolution v = {.by = {.groups = 1 + random_below(3)}};

    for (int i = 0; i < 2; i++) {
        v.by.stride[i] = 1 + random_below(3);
        v.by.padding[i] = random_below(3);
        v.by.dilation[i] = 1 + random_below(2);
        v.weight[2 + i] = 1 + random_below(3);
        const int64_t reach = v.by.dilation[i] * (v.weight[2 + i] - 1) + 1;
        const int64_t least = reach - 2 * v.by.padding[i];
        v.x[2 + i] = (least > 0 ? least : 0) + random_below(most);
        v.out[2 + i] =
            (v.x[2 + i] + 2 * v.by.padding[i] - reach) / v.by.stride[i] + 1;
    }
    v.weight[1] = random_below(4);
    v.x[0] = v.out[0] = random_below(3);
    v.x[1] = v.weight[1] * v.by.groups;
    v.weight[0] = v.out[1] = v.by.groups * (1 + random_below(3));
    return v;
}

static void check_forward(const convolution *v, lbo_dtype dtype, lbo_tensor *x,
                          lbo_tensor *weight)
{
    lbo_tensor *const bias =
        random_below(2) == 0 ? whole_numbers(dtype, 1, v->weight) : NULL;
    lbo_tensor *out = maybe_given(dtype, 4, v->out);
    double *const expected =
        calloc((size_t)(v->out[0] * v->out[1] * v->out[2] * v->out[3]) + 1, 8);
    sums s = {numbers_of(x), numbers_of(weight), expected};

    convolve(v, &s, 'o');
    const int64_t places = v->out[2] * v->out[3];
    if (bias != NULL)
        for (int64_t i = 0; i < v->out[0] * v->out[1] * places; i++)
            expected[i] += number_at(bias, (int64_t[]){i / places % v->out[1]});
    assert_ok(lbo_conv2d(context, &out, x, weight, bias, &v->by));
    assert_memory_equal(lbo_shape(out), v->out, sizeof v->out);
    assert_numbers(out, expected, "conv2d");
    free(s.x);
    free(s.weight);
    free(expected);
    lbo_tensor_release(bias);
    lbo_tensor_release(out);
}

static void check_backward(const convolution *v, lbo_dtype dtype, lbo_tensor *x,
                           lbo_tensor *weight)
{
    lbo_tensor *const g = whole_numbers(dtype, 4, v->out);
    lbo_tensor *by_x = maybe_given(dtype, 4, v->x);
    lbo_tensor *by_weight = maybe_given(dtype, 4, v->weight);
    sums input = {calloc((size_t)x->size + 1, 8), numbers_of(weight),
                  numbers_of(g)};
    sums kernel = {numbers_of(x), calloc((size_t)weight->size + 1, 8),
                   input.out};

    convolve(v, &input, 'x');
    convolve(v, &kernel, 'w');
    assert_ok(lbo_conv2d_backward_input(context, &by_x, g, weight, x, &v->by));
    assert_ok(
        lbo_conv2d_backward_weight(context, &by_weight, g, x, weight, &v->by));
    assert_numbers(by_x, input.x, "conv2d_backward_input");
    assert_numbers(by_weight, kernel.weight, "conv2d_backward_weight");
    free(input.x);
    free(input.weight);
    free(input.out);
    free(kernel.x);
    free(kernel.weight);
    lbo_tensor_release(g);
    lbo_tensor_release(by_x);
    lbo_tensor_release(by_weight);
}

static void check_convolution(const convolution *v, lbo_dtype dtype)
{
    lbo_tensor *const x = whole_numbers(dtype, 4, v->x);
    lbo_tensor *const weight = whole_numbers(dtype, 4, v->weight);

    check_forward(v, dtype, x, weight);
    check_backward(v, dtype, x, weight);
    lbo_tensor_release(x);
    lbo_tensor_release(weight);
}

static void convolutions_are_what_the_definition_says(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        const convolution v = random_convolution(round % 4 == 0 ? 12 : 5);
        check_convolution(&v, round % 2 ? LBO_F32 : LBO_F64);
    }
}

/* Large enough that the columns are made in several blocks; and the sizes of a
 * network for digits, for which a plug-in may have kernels of its own. */
static void convolutions_of_larger_images(void **state)
{
    static const convolution some[] = {
        {{{1, 1}, {1, 1}, {1, 1}, 1},
         {1, 12, 90, 90},
         {4, 12, 3, 3},
         {1, 4, 90, 90}},
        {{{1, 1}, {1, 1}, {1, 1}, 1},
         {32, 1, 8, 8},
         {16, 1, 3, 3},
         {32, 16, 8, 8}},
        {{{1, 1}, {1, 1}, {1, 1}, 1},
         {8, 16, 8, 8},
         {32, 16, 3, 3},
         {8, 32, 8, 8}},
        {{{1, 1}, {0, 0}, {1, 1}, 1},
         {2, 32, 28, 28},
         {16, 32, 1, 1},
         {2, 16, 28, 28}},
        {{{2, 2}, {3, 3}, {1, 1}, 1},
         {1, 3, 64, 64},
         {16, 3, 7, 7},
         {1, 16, 32, 32}},
        {{{1, 1}, {1, 1}, {1, 1}, 32},
         {2, 32, 14, 14},
         {32, 1, 3, 3},
         {2, 32, 14, 14}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        check_convolution(&some[i], LBO_F32);
        check_convolution(&some[i], LBO_F32); /* what was kept serves again */
        check_convolution(&some[i], LBO_F64);
    }
}

static void convolutions_that_cannot_be_are_refused(void **state)
{
    lbo_conv2d_attributes by = {{1, 1}, {0, 0}, {1, 1}, 1};
    lbo_tensor *x, *weight, *out = NULL;

    (void)state;
    x = whole_numbers(LBO_F32, 4, (int64_t[]){1, 4, 5, 5});
    weight = whole_numbers(LBO_F32, 4, (int64_t[]){6, 4, 3, 3});
    by.groups = 4;
    assert_status(LB_BAD_ARGUMENT,
                  lbo_conv2d(context, &out, x, weight, NULL, &by));
    assert_contains(lb_message(), "4 groups do not divide the 6 channels");
    by.groups = 2;
    assert_status(LB_BAD_ARGUMENT,
                  lbo_conv2d(context, &out, x, weight, NULL, &by));
    by.groups = 0;
    assert_status(LB_BAD_ARGUMENT,
                  lbo_conv2d(context, &out, x, weight, NULL, &by));
    by.groups = 1;
    by.stride[1] = 0;
    assert_status(LB_BAD_ARGUMENT,
                  lbo_conv2d(context, &out, x, weight, NULL, &by));
    by.stride[1] = 1;
    by.dilation[0] = INT64_MAX;
    assert_status(LB_BAD_ARGUMENT,
                  lbo_conv2d(context, &out, x, weight, NULL, &by));
    by.dilation[0] = 3;
    assert_status(LB_BAD_ARGUMENT,
                  lbo_conv2d(context, &out, x, weight, NULL, &by));
    assert_contains(lb_message(), "rows: a window reaches over 7 elements");
    by.dilation[0] = 1;
    by.padding[0] = -1;
    assert_status(LB_BAD_ARGUMENT,
                  lbo_conv2d(context, &out, x, weight, NULL, &by));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_conv2d_backward_input(context, &out, x, weight, x, NULL));
    assert_contains(lb_message(), "g is [1, 4, 5, 5]; [1, 6, 3, 3]");
    assert_ok(lbo_conv2d(context, &out, x, weight, NULL, NULL));
    lbo_tensor_release(out);
    lbo_tensor_release(x);
    lbo_tensor_release(weight);
}

/* ---- memory ------------------------------------------------------------------ */

static int64_t left = INT64_MAX; /* allocations that succeed from now on */

static void *failing(void *unused, void *old, size_t old_size, size_t size)
{
    (void)unused;
    (void)old_size;
    if (size == 0) {
        free(old);
        return NULL;
    }
    if (left <= 0)
        return NULL;
    left--;
    return realloc(old, size);
}

static int open_failing_library(void **state)
{
    const lbo_library_config config = {.abi = LBO_ABI, .reallocate = failing};

    (void)state;
    left = INT64_MAX;
    assert_ok(lbo_library_create(&config, &library));
    assert_ok(lbo_context_create(library, NULL, &context));
    if (wanted_plugin != NULL)
        assert_ok(lbo_plugin_open(library, wanted_plugin, &fast));
    return 0;
}

/* Runs until it succeeds, with one more allocation each time. */
static int64_t sweep(lb_status (*run)(lbo_tensor **out, lbo_tensor *a,
                                      lbo_tensor *b),
                     lbo_tensor *a, lbo_tensor *b)
{
    for (int64_t n = 0;; n++) {
        lbo_tensor *out = NULL;
        left = n;
        const lb_status status = run(&out, a, b);
        left = INT64_MAX;
        if (status == LB_OK) {
            lbo_tensor_release(out);
            return n;
        }
        assert_int_equal(status, LB_NO_MEMORY);
        assert_null(out);
    }
}

static lb_status run_linear(lbo_tensor **out, lbo_tensor *a, lbo_tensor *b)
{
    return lbo_linear(context, out, a, b, NULL);
}

static lb_status run_matmul(lbo_tensor **out, lbo_tensor *a, lbo_tensor *b)
{
    return lbo_matmul(context, out, a, b);
}

static lb_status run_conv2d(lbo_tensor **out, lbo_tensor *a, lbo_tensor *b)
{
    return lbo_conv2d(context, out, a, b, NULL, NULL);
}

/* Every second element in each dimension, so that copies are made. */
static lbo_tensor *with_gaps(size_t ndim, const int64_t *shape)
{
    int64_t strides[4], count = 2;
    lbo_tensor *base, *view;

    for (size_t i = ndim; i-- > 0;) {
        strides[i] = count;
        count *= 2 * shape[i];
    }
    assert_ok(lbo_empty(context, LBO_F32, 1, &count, &base));
    memset(base->data, 0, lbo_tensor_bytes(base));
    assert_ok(lbo_tensor_view(base, 0, ndim, shape, strides, &view));
    lbo_tensor_release(base);
    return view;
}

static void failed_allocations_leave_nothing_behind(void **state)
{
    lbo_tensor *a, *b, *x, *weight;

    (void)state;
    a = with_gaps(3, (int64_t[]){3, 4, 6});
    b = with_gaps(2, (int64_t[]){6, 6});
    x = with_gaps(4, (int64_t[]){2, 3, 8, 8});
    weight = with_gaps(4, (int64_t[]){4, 3, 3, 3});
    assert_true(sweep(run_matmul, a, b) >= 1);
    assert_true(sweep(run_linear, a, b) >= 2);
    assert_true(sweep(run_conv2d, x, weight) >= 4);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(x);
    lbo_tensor_release(weight);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(products_are_the_sums_of_products),
        KERNEL_TEST(transposed_and_broadcast_views_are_operands),
        KERNEL_TEST(integers_wrap_around),
        KERNEL_TEST(a_nan_reaches_the_results_it_takes_part_in),
        KERNEL_TEST(operands_that_do_not_fit_are_refused),
        KERNEL_TEST(types_that_differ_are_promoted),
        KERNEL_TEST(half_types_go_by_way_of_f32),
        KERNEL_TEST(linear_adds_the_bias_to_each_row),
        KERNEL_TEST(convolutions_are_what_the_definition_says),
        KERNEL_TEST(convolutions_of_larger_images),
        KERNEL_TEST(convolutions_that_cannot_be_are_refused),
        cmocka_unit_test_setup_teardown(failed_allocations_leave_nothing_behind,
                                        open_failing_library, close_library),
    };

    return run_kernel_tests(argc, argv, tests, COUNT_OF(tests));
}
