/* Reductions against a naive oracle: random shapes, strides and dimensions;
 * nothing to reduce; NaN; sums whose rounding errors would show. */
#include "kernels.h"

typedef enum reduction { SUM, MEAN, MAX, MIN, ARGMAX, VAR } reduction;

static const char *const names[] = {"sum", "mean",   "max",
                                    "min", "argmax", "var"};

static const lbo_dtype all_types[] = {LBO_BOOL, LBO_U8,  LBO_I8, LBO_I32,
                                      LBO_I64,  LBO_F32, LBO_F64};

static bool is_floating(lbo_dtype dtype)
{
    return lbo_dtype_kind(dtype) == LBO_KIND_FLOATING;
}

static lbo_dtype result_type(reduction which, lbo_dtype in)
{
    if (which == ARGMAX || (which == SUM && !is_floating(in)))
        return LBO_I64;
    if ((which == MEAN || which == VAR) && !is_floating(in))
        return LBO_F32;
    return in;
}

static lbo_tensor *numbers(lbo_dtype dtype, size_t ndim, const int64_t *shape)
{
    lbo_tensor *const t = is_floating(dtype)
                              ? real_numbers(dtype, ndim, shape)
                              : whole_numbers(dtype, ndim, shape);
    int64_t index[LBO_MAX_DIMS] = {0};

    if (dtype == LBO_BOOL && t->size > 0)
        do
            set_number(t, index, (double)random_below(2));
        while (next_index(t, index));
    return t;
}

static lb_status reduce(reduction which, lbo_tensor *x,
                        const lbo_reduce_attributes *with, lbo_tensor **out)
{
    lbo_call call = {.in = &x,
                     .out = out,
                     .attributes = with,
                     .in_count = 1,
                     .out_count = 1};

    return lbo_run(context, lbo_operator_find(library, names[which]), &call);
}

/* ---- the oracle ---------------------------------------------------------- */

/* What is known of the elements that go into one result. */
typedef struct tally {
    int64_t count;
    long double sum;
    double best;   /* greatest or least */
    int64_t where; /* of the greatest */
} tally;

static void tell(tally *t, reduction which, double value)
{
    const bool better = t->count == 0 || (isnan(value) && !isnan(t->best)) ||
                        (which == MIN ? value < t->best : value > t->best);

    if (better) {
        t->best = value;
        t->where = t->count;
    }
    t->sum += (long double)value;
    t->count++;
}

/* Goes through the elements of x whose kept dimensions are at `index`. */
static tally tally_at(const lbo_tensor *x, uint32_t mask, const int64_t *index,
                      reduction which, long double mean)
{
    int64_t at[LBO_MAX_DIMS];
    tally t = {0};

    for (int i = 0; i < x->ndim; i++) {
        at[i] = mask >> i & 1 ? 0 : index[i];
        if (x->dims[i] == 0)
            return t;
    }
    for (;;) {
        const double value = number_at(x, at);
        if (which == VAR)
            tell(&t, SUM,
                 (double)(((long double)value - mean) *
                          ((long double)value - mean)));
        else
            tell(&t, which, value);
        int i = x->ndim;
        while (i-- > 0) {
            if (!(mask >> i & 1))
                continue;
            if (++at[i] < x->dims[i])
                break;
            at[i] = 0;
        }
        if (i < 0)
            return t;
    }
}

static double expected_at(const lbo_tensor *x, uint32_t mask,
                          const int64_t *index, reduction which,
                          double correction)
{
    const tally t = tally_at(x, mask, index, which == VAR ? SUM : which, 0);

    if (which == SUM)
        return (double)t.sum;
    if (which == MEAN)
        return (double)(t.sum / t.count);
    if (which == ARGMAX)
        return (double)t.where;
    if (which != VAR)
        return t.best;
    const tally squares = tally_at(x, mask, index, VAR, t.sum / t.count);
    return (double)(squares.sum / fmaxl(0, t.count - (long double)correction));
}

/* `index` of the result as one of the input, with 0 where it is reduced. */
static void input_index(const lbo_tensor *x, uint32_t mask, bool keep,
                        const int64_t *at, int64_t *index)
{
    int from = 0;

    for (int i = 0; i < x->ndim; i++) {
        const bool reduced = mask >> i & 1;
        index[i] = reduced ? 0 : at[from];
        from += !reduced || keep;
    }
}

static void check(const lbo_tensor *out, const lbo_tensor *x, uint32_t mask,
                  reduction which, const lbo_reduce_attributes *with)
{
    const bool exact = which == MAX || which == MIN || which == ARGMAX ||
                       (which == SUM && !is_floating((lbo_dtype)x->dtype));
    int64_t at[LBO_MAX_DIMS] = {0}, index[LBO_MAX_DIMS];

    if (out->size == 0)
        return;
    /* Numbers up to 4 are added: each step may err by half a unit. */
    const double many = (double)(1 + x->size / out->size);
    const double tolerance = out->dtype == LBO_F32 ? 0x1p-22 : 0x1p-51 * many;
    do {
        input_index(x, mask, with->keep, at, index);
        assert_near(number_at(out, at),
                    expected_at(x, mask, index, which, with->correction),
                    exact ? 0 : tolerance, names[which]);
    } while (next_index(out, at));
}

/* ---- random calls -------------------------------------------------------- */

static void choose_dims(lbo_reduce_attributes *with, reduction which,
                        size_t ndim, uint32_t *mask)
{
    *mask = 0;
    with->dims.count = 0;
    if (random_below(4) == 0 || (which == ARGMAX && ndim == 0)) {
        with->dims.count = -1;
        *mask = (1u << ndim) - 1;
        return;
    }
    for (size_t k = 0; k < ndim; k++) {
        const int64_t dim = random_below((int64_t)ndim);
        if (*mask >> dim & 1 || (which == ARGMAX && *mask != 0))
            continue;
        *mask |= 1u << dim;
        with->dims.at[with->dims.count++] =
            random_below(2) == 0 ? dim : dim - (int64_t)ndim;
    }
}

static size_t result_shape(size_t ndim, const int64_t *shape, uint32_t mask,
                           bool keep, int64_t *result)
{
    size_t count = 0;

    for (size_t i = 0; i < ndim; i++)
        if (!(mask >> i & 1) || keep)
            result[count++] = mask >> i & 1 ? 1 : shape[i];
    return count;
}

static void check_random_call(reduction which, lbo_dtype dtype)
{
    const size_t ndim = (size_t)random_below(5);
    int64_t shape[LBO_MAX_DIMS], wanted[LBO_MAX_DIMS];
    lbo_reduce_attributes with = {.keep = random_below(2) == 0,
                                  .correction = (double)random_below(2)};
    const bool may_be_empty = which == SUM || which == MEAN || which == VAR;
    uint32_t mask;

    for (size_t i = 0; i < ndim; i++)
        shape[i] = may_be_empty && random_below(15) == 0 ? 0
                   : random_below(5) == 0                ? 30 + random_below(9)
                                                         : 1 + random_below(4);
    choose_dims(&with, which, ndim, &mask);
    const size_t count = result_shape(ndim, shape, mask, with.keep, wanted);
    lbo_tensor *const x = numbers(dtype, ndim, shape);
    lbo_tensor *out = maybe_given(result_type(which, dtype), count, wanted);
    assert_ok(reduce(which, x, &with, &out));
    assert_int_equal(out->dtype, result_type(which, dtype));
    assert_int_equal(out->ndim, count);
    assert_memory_equal(out->dims, wanted, count * sizeof *wanted);
    check(out, x, mask, which, &with);
    lbo_tensor_release(x);
    lbo_tensor_release(out);
}

static void every_reduction_agrees_with_the_naive_one(void **state)
{
    (void)state;
    for (int which = SUM; which <= VAR; which++)
        for (size_t t = 0; t < COUNT_OF(all_types); t++)
            for (int i = 0; i < 120; i++)
                check_random_call((reduction)which, all_types[t]);
}

static void long_rows_and_columns_are_reduced_in_parts(void **state)
{
    static const int64_t shapes[][2] = {{3, 2000}, {2000, 3}, {40, 1000}};

    (void)state;
    for (int which = SUM; which <= VAR; which++)
        for (size_t k = 0; k < COUNT_OF(shapes); k++)
            for (int dim = 0; dim < 2; dim++) {
                const lbo_dtype dtype = dim ? LBO_F32 : LBO_F64;
                const lbo_reduce_attributes with = {.dims = {1, {dim}}};
                lbo_tensor *const x = numbers(dtype, 2, shapes[k]);
                lbo_tensor *out = NULL;
                assert_ok(reduce((reduction)which, x, &with, &out));
                check(out, x, 1u << dim, (reduction)which, &with);
                lbo_tensor_release(out);
                lbo_tensor_release(x);
            }
}

/* ---- numbers that are hard to add ---------------------------------------- */

static void sums_of_many_numbers_stay_precise(void **state)
{
    const int64_t n = 1 << 22;
    lbo_tensor *x, *y, *sum = NULL, *mean = NULL, *wide = NULL, *var = NULL;

    (void)state;
    assert_ok(lbo_empty(context, LBO_F32, 1, &n, &x));
    assert_ok(lbo_empty(context, LBO_F64, 1, &n, &y));
    for (int64_t i = 0; i < n; i++) {
        ((float *)x->data)[i] = i % 2 == 0 ? 1000.1f : 0.1f;
        ((double *)y->data)[i] = 0.1;
    }
    assert_ok(lbo_sum(context, &sum, x, -1, NULL, false));
    assert_ok(lbo_mean(context, &mean, x, -1, NULL, false));
    const double pair = (double)1000.1f + (double)0.1f;
    assert_near(*(float *)sum->data, pair * (double)(n / 2), 0x1p-23, "sum");
    assert_near((double)*(float *)mean->data, pair / 2, 0x1p-23, "mean");
    /* One after the other would be wrong by about 1e-10. */
    assert_ok(lbo_sum(context, &wide, y, -1, NULL, false));
    assert_near(*(double *)wide->data, 0.1 * (double)n, 1e-14, "sum");
    /* Of numbers far from 0, whose squares would cancel. */
    for (int64_t i = 0; i < n; i++)
        ((double *)y->data)[i] = 1e9 + (double)(i % 2);
    assert_ok(lbo_var(context, &var, y, -1, NULL, false, 0));
    assert_near(*(double *)var->data, 0.25, 1e-12, "var");
    lbo_tensor *const made[] = {x, y, sum, mean, wide, var};
    for (size_t k = 0; k < COUNT_OF(made); k++)
        lbo_tensor_release(made[k]);
}

static lbo_tensor *row(lbo_dtype dtype, int64_t n, const void *data)
{
    lbo_tensor *t;

    assert_ok(lbo_from_data(context, dtype, 1, &n, data, &t));
    return t;
}

static void sums_of_integers_are_64_bits_wide_and_wrap(void **state)
{
    const uint8_t bytes[] = {255, 255, 255};
    const int64_t big[] = {INT64_MAX, 1};
    lbo_tensor *const x = row(LBO_U8, 3, bytes), *const y =
                                                     row(LBO_I64, 2, big);
    lbo_tensor *out = NULL;

    (void)state;
    assert_ok(lbo_sum(context, &out, x, -1, NULL, false));
    assert_true(*(int64_t *)out->data == 765);
    assert_ok(lbo_sum(context, &out, y, -1, NULL, false));
    assert_true(*(int64_t *)out->data == INT64_MIN);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_tensor_release(out);
}

/* ---- NaN, and nothing ---------------------------------------------------- */

static void nan_is_what_is_found_first(void **state)
{
    (void)state;
    for (int at = 0; at < 70; at++) {
        float data[70];
        lbo_tensor *most = NULL, *least = NULL, *where = NULL;
        for (int i = 0; i < 70; i++)
            data[i] = i == at || i == 60 ? NAN : i == 3 ? INFINITY : (float)-i;
        lbo_tensor *const x = row(LBO_F32, 70, data);
        assert_ok(lbo_max(context, &most, x, -1, NULL, false));
        assert_ok(lbo_min(context, &least, x, -1, NULL, false));
        assert_ok(lbo_argmax(context, &where, x, -1, NULL, false));
        assert_true(isnan(*(float *)most->data));
        assert_true(isnan(*(float *)least->data));
        assert_int_equal(*(int64_t *)where->data, at < 60 ? at : 60);
        lbo_tensor *const made[] = {x, most, least, where};
        for (size_t k = 0; k < COUNT_OF(made); k++)
            lbo_tensor_release(made[k]);
    }
}

static void the_least_of_all_is_a_greatest_too(void **state)
{
    const float data[] = {-INFINITY, -INFINITY};
    const int64_t lowest[] = {INT64_MIN, INT64_MIN};
    lbo_tensor *const x = row(LBO_F32, 2, data);
    lbo_tensor *const y = row(LBO_I64, 2, lowest);
    lbo_tensor *most = NULL, *where = NULL;

    (void)state;
    assert_ok(lbo_max(context, &most, x, -1, NULL, false));
    assert_true(*(float *)most->data == -INFINITY);
    assert_ok(lbo_argmax(context, &where, x, -1, NULL, false));
    assert_int_equal(*(int64_t *)where->data, 0);
    assert_ok(lbo_argmax(context, &where, y, -1, NULL, false));
    assert_int_equal(*(int64_t *)where->data, 0);
    lbo_tensor *const made[] = {x, y, most, where};
    for (size_t k = 0; k < COUNT_OF(made); k++)
        lbo_tensor_release(made[k]);
}

static void nothing_has_a_sum_but_no_greatest(void **state)
{
    const int64_t shape[] = {0, 3};
    lbo_tensor *sum = NULL, *mean = NULL, *most = NULL, *rows = NULL, *x;

    (void)state;
    assert_ok(lbo_empty(context, LBO_F32, 2, shape, &x));
    assert_ok(lbo_sum(context, &sum, x, -1, NULL, false));
    assert_true(*(float *)sum->data == 0);
    assert_ok(lbo_mean(context, &mean, x, -1, NULL, false));
    assert_true(isnan(*(float *)mean->data));
    assert_status(LB_BAD_ARGUMENT, lbo_max(context, &most, x, -1, NULL, false));
    assert_contains(lb_message(), "max: shape [0, 3]");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_argmax(context, &most, x, 1, (int64_t[]){0}, false));
    assert_null(most);
    assert_ok(lbo_max(context, &rows, x, 1, (int64_t[]){1}, false));
    assert_int_equal(rows->size, 0);
    lbo_tensor *const made[] = {x, sum, mean, rows};
    for (size_t k = 0; k < COUNT_OF(made); k++)
        lbo_tensor_release(made[k]);
}

static void dimensions_that_there_are_not_are_refused(void **state)
{
    const int64_t shape[] = {2, 3};
    lbo_tensor *out = NULL, *const x = numbers(LBO_F32, 2, shape);

    (void)state;
    assert_status(LB_BAD_ARGUMENT,
                  lbo_sum(context, &out, x, 1, (int64_t[]){2}, false));
    assert_contains(lb_message(), "sum: dimension 2 of a tensor of 2");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_sum(context, &out, x, 2, (int64_t[]){1, -1}, false));
    assert_contains(lb_message(), "dimension 1 is given twice");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_argmax(context, &out, x, 2, (int64_t[]){0, 1}, false));
    assert_status(LB_BAD_ARGUMENT, lbo_sum(context, &out, x, 99, NULL, false));
    assert_status(LB_BAD_ARGUMENT, lbo_sum(context, &out, x, -7, NULL, false));
    assert_null(out);
    lbo_tensor_release(x);
}

static void a_result_may_be_where_the_input_is(void **state)
{
    const int64_t shape[] = {3, 4}, four = 4;
    float data[12];
    lbo_tensor *x, *out;

    (void)state;
    for (int i = 0; i < 12; i++)
        data[i] = (float)(i * i);
    assert_ok(lbo_from_data(context, LBO_F32, 2, shape, data, &x));
    assert_ok(lbo_tensor_view(x, 2, 1, &four, NULL, &out));
    assert_ok(lbo_sum(context, &out, x, 1, (int64_t[]){0}, false));
    for (int i = 0; i < 4; i++)
        assert_true(((float *)out->data)[i] ==
                    data[i] + data[4 + i] + data[8 + i]);
    lbo_tensor_release(x);
    lbo_tensor_release(out);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(every_reduction_agrees_with_the_naive_one),
        KERNEL_TEST(long_rows_and_columns_are_reduced_in_parts),
        KERNEL_TEST(sums_of_many_numbers_stay_precise),
        KERNEL_TEST(sums_of_integers_are_64_bits_wide_and_wrap),
        KERNEL_TEST(nan_is_what_is_found_first),
        KERNEL_TEST(the_least_of_all_is_a_greatest_too),
        KERNEL_TEST(nothing_has_a_sum_but_no_greatest),
        KERNEL_TEST(dimensions_that_there_are_not_are_refused),
        KERNEL_TEST(a_result_may_be_where_the_input_is),
    };

    return run_kernel_tests(argc, argv, tests, COUNT_OF(tests));
}
