/* softmax, losses and layer_norm against their definitions, in doubles. */
#include "kernels.h"

static double tolerance(lbo_dtype dtype)
{
    return dtype == LBO_F32 ? 3e-6 : 1e-14;
}

/* ---- softmax ---------------------------------------------------------------- */

/* The logarithm of the sum of exponentials along `dim`, by the definition. */
static double log_sum(const lbo_tensor *x, const int64_t *index, int dim)
{
    int64_t at[LBO_MAX_DIMS];
    double most = -INFINITY, sum = 0;

    memcpy(at, index, sizeof at);
    for (at[dim] = 0; at[dim] < x->dims[dim]; at[dim]++)
        most = fmax(most, number_at(x, at));
    for (at[dim] = 0; at[dim] < x->dims[dim]; at[dim]++)
        sum += exp(number_at(x, at) - most);
    return most + log(sum);
}

static void check_softmax(const lbo_tensor *x, const lbo_tensor *y,
                          const lbo_tensor *logs, int dim)
{
    int64_t index[LBO_MAX_DIMS] = {0};

    if (x->size > 0)
        do {
            const double value = number_at(x, index) - log_sum(x, index, dim);
            assert_near(number_at(y, index), exp(value),
                        tolerance((lbo_dtype)x->dtype), "softmax");
            assert_near(number_at(logs, index), value,
                        tolerance((lbo_dtype)x->dtype), "log_softmax");
        } while (next_index(x, index));
}

/* By the definition: sum over j of g_j times the derivative of y_j by x_i. */
static void check_softmax_backward(const lbo_tensor *g, const lbo_tensor *y,
                                   const lbo_tensor *logs,
                                   const lbo_tensor *by_y,
                                   const lbo_tensor *by_logs, int dim)
{
    const double bound = 40 * tolerance((lbo_dtype)g->dtype);
    int64_t index[LBO_MAX_DIMS] = {0}, at[LBO_MAX_DIMS];

    if (g->size > 0)
        do {
            const double yi = number_at(y, index);
            const double li = exp(number_at(logs, index));
            double sum = 0, log_part = 0;
            memcpy(at, index, sizeof at);
            for (at[dim] = 0; at[dim] < g->dims[dim]; at[dim]++) {
                const bool same = at[dim] == index[dim];
                sum += number_at(g, at) * number_at(y, at) * (same - yi);
                log_part += number_at(g, at) * (same - li);
            }
            assert_near(number_at(by_y, index), sum, bound, "softmax_backward");
            assert_near(number_at(by_logs, index), log_part, bound,
                        "log_softmax_backward");
        } while (next_index(g, index));
}

static void softmax_of(lbo_dtype dtype, size_t ndim, const int64_t *shape,
                       int64_t dim)
{
    lbo_tensor *const x = real_numbers(dtype, ndim, shape);
    lbo_tensor *const g = real_numbers(dtype, ndim, shape);
    lbo_tensor *y = maybe_given(dtype, ndim, shape);
    lbo_tensor *logs = maybe_given(dtype, ndim, shape);
    lbo_tensor *by_y = maybe_given(dtype, ndim, shape);
    lbo_tensor *by_logs = maybe_given(dtype, ndim, shape);
    const int positive = (int)(dim < 0 ? dim + (int64_t)ndim : dim);

    assert_ok(lbo_softmax(context, &y, x, dim));
    assert_ok(lbo_log_softmax(context, &logs, x, dim));
    check_softmax(x, y, logs, positive);
    assert_ok(lbo_softmax_backward(context, &by_y, g, y, dim));
    assert_ok(lbo_log_softmax_backward(context, &by_logs, g, logs, dim));
    check_softmax_backward(g, y, logs, by_y, by_logs, positive);
    lbo_tensor_release(x);
    lbo_tensor_release(g);
    lbo_tensor_release(y);
    lbo_tensor_release(logs);
    lbo_tensor_release(by_y);
    lbo_tensor_release(by_logs);
}

static void softmax_goes_along_any_dimension(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        const size_t ndim = 1 + (size_t)random_below(3);
        int64_t shape[3];

        for (size_t i = 0; i < ndim; i++)
            shape[i] = random_below(round % 6 == 0 ? 25 : 6);
        softmax_of(round % 2 ? LBO_F32 : LBO_F64, ndim, shape,
                   random_below(2 * (int64_t)ndim) - (int64_t)ndim);
    }
    softmax_of(LBO_F32, 2, (int64_t[]){3, 1000}, 1);
    softmax_of(LBO_F64, 2, (int64_t[]){300, 3}, 0);
}

static void softmax_of_a_scalar_is_one(void **state)
{
    lbo_tensor *const x = real_numbers(LBO_F32, 0, NULL);
    lbo_tensor *y = NULL;

    (void)state;
    assert_ok(lbo_softmax(context, &y, x, -1));
    assert_true(*(float *)y->data == 1);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

static void great_numbers_do_not_overflow(void **state)
{
    const float in[] = {1000, 999, -1e30f, -INFINITY};
    lbo_tensor *x, *y = NULL, *logs = NULL;

    (void)state;
    assert_ok(lbo_from_data(context, LBO_F32, 1, (int64_t[]){4}, in, &x));
    assert_ok(lbo_softmax(context, &y, x, 0));
    assert_ok(lbo_log_softmax(context, &logs, x, 0));
    assert_near(number_at(y, (int64_t[]){0}), 1 / (1 + exp(-1)), 1e-6, "1000");
    assert_near(number_at(y, (int64_t[]){2}), 0, 0, "-1e30");
    assert_near(number_at(logs, (int64_t[]){1}), -1 - log1p(exp(-1)), 1e-6,
                "999");
    assert_near(number_at(logs, (int64_t[]){3}), -INFINITY, 0, "-inf");
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_tensor_release(logs);
}

static void a_nan_spoils_its_own_line_only(void **state)
{
    lbo_tensor *const x = real_numbers(LBO_F32, 2, (int64_t[]){4, 37});
    lbo_tensor *y = NULL;

    (void)state;
    set_number(x, (int64_t[]){2, 36}, NAN);
    set_number(x, (int64_t[]){3, 0}, INFINITY);
    assert_ok(lbo_softmax(context, &y, x, 1));
    for (int64_t j = 0; j < 37; j++) {
        assert_false(isnan(number_at(y, (int64_t[]){0, j})));
        assert_false(isnan(number_at(y, (int64_t[]){1, j})));
        assert_true(isnan(number_at(y, (int64_t[]){2, j})));
    }
    assert_true(isnan(number_at(y, (int64_t[]){3, 0})));
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* ---- losses ------------------------------------------------------------------ */

/* Each row's loss, added up as `reduction` says. */
static void check_cross_entropy(const lbo_tensor *x, const lbo_tensor *target,
                                const lbo_tensor *loss, lbo_reduction reduction)
{
    const double bound = tolerance((lbo_dtype)x->dtype) * 4;
    double sum = 0;
    int counted = 0;

    for (int64_t i = 0; i < x->dims[0]; i++) {
        const int64_t t = (int64_t)number_at(target, &i);
        const int64_t at[] = {i, t};
        double value = 0;
        if (t != -100) {
            int64_t line[LBO_MAX_DIMS] = {i, 0};
            value = log_sum(x, line, 1) - number_at(x, at);
            counted++;
        }
        if (reduction == LBO_REDUCE_NONE)
            assert_near(number_at(loss, &i), value, bound, "loss of a row");
        sum += value;
    }
    if (reduction != LBO_REDUCE_NONE)
        assert_near(number_at(loss, NULL),
                    reduction == LBO_REDUCE_MEAN ? sum / counted : sum, bound,
                    "loss");
}

static void check_loss_backward(const lbo_tensor *g, const lbo_tensor *x,
                                const lbo_tensor *target,
                                const lbo_tensor *by_x, lbo_reduction reduction)
{
    int64_t counted = 0;

    for (int64_t i = 0; i < x->dims[0]; i++)
        counted += number_at(target, &i) != -100;
    for (int64_t i = 0; i < x->dims[0]; i++) {
        const double t = number_at(target, &i);
        for (int64_t j = 0; j < x->dims[1]; j++) {
            int64_t at[LBO_MAX_DIMS] = {i, j};
            const double p = exp(number_at(x, at) - log_sum(x, at, 1));
            double expected = t == -100 ? 0 : p - ((double)j == t);
            expected *= number_at(g, &i);
            if (reduction == LBO_REDUCE_MEAN)
                expected /= (double)counted;
            assert_near(number_at(by_x, at), t == -100 ? 0 : expected,
                        tolerance((lbo_dtype)x->dtype) * 8,
                        "cross_entropy_backward");
        }
    }
}

static void cross_entropy_of(lbo_dtype dtype, const int64_t *shape,
                             lbo_reduction reduction)
{
    const size_t ndim = reduction == LBO_REDUCE_NONE;
    lbo_tensor *const x = real_numbers(dtype, 2, shape);
    lbo_tensor *const target = whole_numbers(LBO_I64, 1, shape);
    lbo_tensor *const g = real_numbers(dtype, ndim, shape);
    lbo_tensor *loss = maybe_given(dtype, ndim, shape);
    lbo_tensor *logs = NULL, *by_x = maybe_given(dtype, 2, shape);

    for (int64_t i = 0; i < shape[0]; i++)
        set_number(target, &i,
                   random_below(5) == 0 ? -100
                                        : (double)random_below(shape[1]));
    assert_ok(lbo_cross_entropy(context, &loss, x, target, reduction, -100));
    check_cross_entropy(x, target, loss, reduction);
    assert_ok(lbo_log_softmax(context, &logs, x, 1));
    assert_ok(lbo_cross_entropy_backward(context, &by_x, g, logs, target,
                                         reduction, -100));
    check_loss_backward(g, x, target, by_x, reduction);
    lbo_tensor_release(x);
    lbo_tensor_release(target);
    lbo_tensor_release(g);
    lbo_tensor_release(loss);
    lbo_tensor_release(logs);
    lbo_tensor_release(by_x);
}

static void cross_entropy_is_what_the_definition_says(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        const int64_t shape[] = {random_below(20), 1 + random_below(40)};
        cross_entropy_of(round % 2 ? LBO_F32 : LBO_F64, shape,
                         (lbo_reduction)random_below(3));
    }
}

static void targets_outside_of_the_classes_are_refused(void **state)
{
    lbo_tensor *const x = real_numbers(LBO_F32, 2, (int64_t[]){3, 4});
    lbo_tensor *const g = real_numbers(LBO_F32, 0, NULL);
    lbo_tensor *target, *out = NULL;

    (void)state;
    assert_ok(lbo_from_data(context, LBO_I64, 1, (int64_t[]){3},
                            (int64_t[]){0, 4, -100}, &target));
    assert_status(LB_BAD_ARGUMENT, lbo_cross_entropy(context, &out, x, target,
                                                     LBO_REDUCE_MEAN, -100));
    assert_contains(lb_message(), "target 4 (element 1)");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_cross_entropy_backward(context, &out, g, x, target,
                                             LBO_REDUCE_MEAN, -100));
    ((int64_t *)target->data)[1] = -1;
    assert_status(LB_BAD_ARGUMENT, lbo_cross_entropy(context, &out, x, target,
                                                     LBO_REDUCE_SUM, -100));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_cross_entropy(context, &out, x, x, LBO_REDUCE_SUM, 0));
    assert_status(LB_BAD_ARGUMENT, lbo_cross_entropy(context, &out, x, target,
                                                     (lbo_reduction)7, 0));
    assert_null(out);
    lbo_tensor_release(x);
    lbo_tensor_release(g);
    lbo_tensor_release(target);
}

static void mse_is_the_squared_difference(void **state)
{
    (void)state;
    for (int round = 0; round < 150; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const lbo_reduction reduction = (lbo_reduction)(round % 3);
        const int64_t shape[] = {random_below(5), random_below(9)};
        lbo_tensor *const a = real_numbers(dtype, 2, shape);
        lbo_tensor *const b = real_numbers(dtype, 2, shape);
        lbo_tensor *out =
            maybe_given(dtype, reduction == LBO_REDUCE_NONE ? 2 : 0, shape);
        int64_t index[LBO_MAX_DIMS] = {0};
        double sum = 0;

        assert_ok(lbo_mse(context, &out, a, b, reduction));
        if (a->size > 0)
            do {
                const double d = number_at(a, index) - number_at(b, index);
                if (reduction == LBO_REDUCE_NONE)
                    assert_near(number_at(out, index), d * d, tolerance(dtype),
                                "mse");
                sum += d * d;
            } while (next_index(a, index));
        if (reduction != LBO_REDUCE_NONE)
            assert_near(number_at(out, NULL),
                        reduction == LBO_REDUCE_MEAN ? sum / (double)a->size
                                                     : sum,
                        tolerance(dtype), "mse");
        lbo_tensor_release(a);
        lbo_tensor_release(b);
        lbo_tensor_release(out);
    }
}

/* ---- layer_norm ---------------------------------------------------------------- */

typedef struct normed {
    int64_t rows, size;
    double x[1200], g[1200], weight[1200], bias[1200];
    double out[1200], by_x[1200], by_weight[1200], by_bias[1200];
    double mean[40], rstd[40];
} normed;

static void read_all(const lbo_tensor *t, double *to)
{
    int64_t index[LBO_MAX_DIMS] = {0};

    if (t->size > 0)
        do
            *to++ = number_at(t, index);
        while (next_index(t, index));
}

static void assert_all(const lbo_tensor *t, const double *expected,
                       double bound, const char *what)
{
    int64_t index[LBO_MAX_DIMS] = {0};

    if (t->size > 0)
        do
            assert_near(number_at(t, index), *expected++, bound, what);
        while (next_index(t, index));
}

static void norm_row_by_hand(normed *n, int64_t row, double epsilon)
{
    const double *const x = n->x + row * n->size;
    double mean = 0, variance = 0;

    for (int64_t j = 0; j < n->size; j++)
        mean += x[j] / (double)n->size;
    for (int64_t j = 0; j < n->size; j++)
        variance += (x[j] - mean) * (x[j] - mean) / (double)n->size;
    n->mean[row] = mean;
    n->rstd[row] = 1 / sqrt(variance + epsilon);
    for (int64_t j = 0; j < n->size; j++)
        n->out[row * n->size + j] =
            (x[j] - mean) * n->rstd[row] * n->weight[j] + n->bias[j];
}

/* Each derivative of each result by each input, added up. */
static void norm_row_backward_by_hand(normed *n, int64_t row)
{
    const double *const x = n->x + row * n->size, *const g =
                                                      n->g + row * n->size;
    const double r = n->rstd[row], count = (double)n->size;

    for (int64_t i = 0; i < n->size; i++) {
        const double hi = (x[i] - n->mean[row]) * r;
        double sum = 0;
        for (int64_t j = 0; j < n->size; j++) {
            const double hj = (x[j] - n->mean[row]) * r;
            sum += g[j] * n->weight[j] * r *
                   ((i == j) - 1 / count - hi * hj / count);
        }
        n->by_x[row * n->size + i] = sum;
        n->by_weight[i] += g[i] * hi;
        n->by_bias[i] += g[i];
    }
}

static void norm_of(lbo_dtype dtype, size_t ndim, const int64_t *shape,
                    int64_t dims, bool weighted)
{
    static normed n;
    const int64_t *const inner = shape + (int64_t)ndim - dims;
    const size_t count = (size_t)dims;
    lbo_tensor *const x = real_numbers(dtype, ndim, shape);
    lbo_tensor *const g = real_numbers(dtype, ndim, shape);
    lbo_tensor *weight = NULL, *bias = NULL;
    lbo_tensor *out = maybe_given(dtype, ndim, shape), *all[3] = {NULL};
    lbo_tensor *mean, *rstd;
    const double bound = tolerance(dtype) * 20;

    memset(&n, 0, sizeof n);
    n.rows = n.size = 1;
    for (size_t i = 0; i < ndim; i++)
        *((int64_t)i < (int64_t)ndim - dims ? &n.rows : &n.size) *= shape[i];
    for (int64_t j = 0; j < n.size; j++)
        n.weight[j] = 1;
    if (weighted) {
        weight = real_numbers(dtype, count, inner);
        bias = real_numbers(dtype, count, inner);
        read_all(weight, n.weight);
        read_all(bias, n.bias);
    }
    read_all(x, n.x);
    read_all(g, n.g);
    for (int64_t i = 0; i < n.rows && n.size > 0; i++) {
        norm_row_by_hand(&n, i, 1e-5);
        norm_row_backward_by_hand(&n, i);
    }
    assert_ok(lbo_layer_norm(context, &out, x, weight, bias, dims, 1e-5));
    assert_all(out, n.out, bound, "layer_norm");
    mean = strided_tensor(dtype, ndim - count, shape, false);
    rstd = strided_tensor(dtype, ndim - count, shape, true);
    int64_t index[LBO_MAX_DIMS] = {0}, row = 0;
    if (mean->size > 0)
        do {
            set_number(mean, index, n.mean[row]);
            set_number(rstd, index, n.rstd[row++]);
        } while (next_index(mean, index));
    assert_ok(
        lbo_layer_norm_backward(context, all, g, x, mean, rstd, weight, dims));
    assert_all(all[0], n.by_x, bound * 4, "by x");
    assert_all(all[1], n.by_weight, bound * 4, "by weight");
    assert_all(all[2], n.by_bias, bound * 4, "by bias");
    for (int i = 0; i < 3; i++)
        lbo_tensor_release(all[i]);
    lbo_tensor_release(x);
    lbo_tensor_release(g);
    lbo_tensor_release(weight);
    lbo_tensor_release(bias);
    lbo_tensor_release(out);
    lbo_tensor_release(mean);
    lbo_tensor_release(rstd);
}

static void layer_norm_is_what_the_definition_says(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        const size_t ndim = 1 + (size_t)random_below(3);
        int64_t shape[3];

        for (size_t i = 0; i < ndim; i++)
            shape[i] = random_below(20) == 0 ? 0 : 2 + random_below(5);
        if (ndim == 2 && round % 4 == 0)
            shape[1] = 60 + random_below(40);
        norm_of(round % 2 ? LBO_F32 : LBO_F64, ndim, shape,
                1 + random_below((int64_t)ndim), random_below(2) == 0);
    }
}

static void the_statistics_of_layer_norm_are_results(void **state)
{
    const lbo_operator *const op = lbo_operator_find(library, "layer_norm");
    const lbo_layer_norm_attributes by = {1, 0};
    lbo_tensor *x, *all[3] = {NULL};

    (void)state;
    assert_ok(lbo_from_data(context, LBO_F64, 2, (int64_t[]){1, 2},
                            (double[]){1, 5}, &x));
    lbo_tensor *const in[] = {x, NULL, NULL};
    lbo_call call = {
        .in = in, .out = all, .attributes = &by, .in_count = 3, .out_count = 3};
    assert_ok(lbo_run(context, op, &call));
    assert_near(number_at(all[1], (int64_t[]){0}), 3, 0, "mean");
    assert_near(number_at(all[2], (int64_t[]){0}), 0.5, 0, "1 / deviation");
    assert_int_equal(all[1]->ndim, 1);
    for (int i = 0; i < 3; i++)
        lbo_tensor_release(all[i]);
    lbo_tensor_release(x);
}

static void norms_that_cannot_be_are_refused(void **state)
{
    lbo_tensor *x, *weight, *wide, *out = NULL;

    (void)state;
    x = real_numbers(LBO_F32, 2, (int64_t[]){3, 4});
    weight = real_numbers(LBO_F32, 1, (int64_t[]){3});
    wide = real_numbers(LBO_F64, 1, (int64_t[]){4});
    assert_status(LB_BAD_ARGUMENT,
                  lbo_layer_norm(context, &out, x, weight, NULL, 1, 0));
    assert_contains(lb_message(), "weight is [3]; [4]");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_layer_norm(context, &out, x, wide, NULL, 1, 0));
    assert_contains(lb_message(), "weight is f64; f32");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_layer_norm(context, &out, x, NULL, NULL, 3, 0));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_layer_norm(context, &out, x, NULL, NULL, 0, 0));
    assert_status(LB_BAD_ARGUMENT, lbo_softmax(context, &out, x, 2));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_softmax_backward(context, &out, x, weight, 0));
    assert_null(out);
    lbo_tensor_release(x);
    lbo_tensor_release(weight);
    lbo_tensor_release(wide);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(softmax_goes_along_any_dimension),
        KERNEL_TEST(softmax_of_a_scalar_is_one),
        KERNEL_TEST(great_numbers_do_not_overflow),
        KERNEL_TEST(a_nan_spoils_its_own_line_only),
        KERNEL_TEST(cross_entropy_is_what_the_definition_says),
        KERNEL_TEST(targets_outside_of_the_classes_are_refused),
        KERNEL_TEST(mse_is_the_squared_difference),
        KERNEL_TEST(layer_norm_is_what_the_definition_says),
        KERNEL_TEST(the_statistics_of_layer_norm_are_results),
        KERNEL_TEST(norms_that_cannot_be_are_refused),
    };

    return run_kernel_tests(argc, argv, tests, COUNT_OF(tests));
}
