/* Pooling against windows written out. */
#include "kernels.h"

typedef struct pooling {
    lbo_pool2d_attributes by;
    int64_t x[4], out[4];
} pooling;

static pooling random_pooling(void)
{
    const bool quads = random_below(4) == 0; /* these have loops of their own */
    pooling v;

    v.x[0] = v.out[0] = random_below(3);
    v.x[1] = v.out[1] = random_below(4);
    for (int i = 0; i < 2; i++) {
        v.by.kernel[i] = 1 + random_below(4);
        v.by.stride[i] = 1 + random_below(3);
        v.by.padding[i] = random_below(v.by.kernel[i] / 2 + 1);
        if (quads) {
            v.by.kernel[i] = v.by.stride[i] = 2;
            v.by.padding[i] = 0;
        }
        const int64_t least = v.by.kernel[i] - 2 * v.by.padding[i];
        v.x[2 + i] = (least > 1 ? least : 1) + random_below(8);
        v.out[2 + i] = (v.x[2 + i] + 2 * v.by.padding[i] - v.by.kernel[i]) /
                           v.by.stride[i] +
                       1;
    }
    return v;
}

/* The elements under window `at`, in row-major order; returns how many. */
static int window(const pooling *v, const lbo_tensor *x, const int64_t *at,
                  double *elements, int64_t *places)
{
    int count = 0;

    for (int64_t y = 0; y < v->by.kernel[0]; y++)
        for (int64_t z = 0; z < v->by.kernel[1]; z++) {
            const int64_t row = at[2] * v->by.stride[0] + y - v->by.padding[0];
            const int64_t column =
                at[3] * v->by.stride[1] + z - v->by.padding[1];
            if (row < 0 || row >= v->x[2] || column < 0 || column >= v->x[3])
                continue;
            elements[count] =
                number_at(x, (int64_t[]){at[0], at[1], row, column});
            places[count++] = row * v->x[3] + column;
        }
    return count;
}

static void check_max(const pooling *v, const lbo_tensor *x,
                      const lbo_tensor *out, const lbo_tensor *indices)
{
    double elements[16];
    int64_t index[4] = {0}, places[16];

    if (out->size > 0)
        do {
            const int count = window(v, x, index, elements, places);
            int best = 0;
            for (int i = 1; i < count; i++)
                if (!isnan(elements[best]) && !(elements[i] <= elements[best]))
                    best = i;
            assert_near(number_at(out, index), elements[best], 0, "max_pool2d");
            assert_true(number_at(indices, index) == (double)places[best]);
        } while (next_index(out, index));
}

static void max_pool2d_takes_the_first_of_the_greatest(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const pooling v = random_pooling();
        lbo_tensor *const x = whole_numbers(dtype, 4, v.x);
        lbo_tensor *out = maybe_given(dtype, 4, v.out);
        lbo_tensor *indices = maybe_given(LBO_I64, 4, v.out), *again = NULL;

        if (x->size > 0 && round % 3 == 0)
            set_number(x, (int64_t[]){0, 0, 0, 0}, round % 2 ? NAN : -INFINITY);
        assert_ok(lbo_max_pool2d(context, &out, &indices, x, &v.by));
        assert_memory_equal(lbo_shape(out), v.out, sizeof v.out);
        check_max(&v, x, out, indices);
        assert_ok(lbo_max_pool2d(context, &again, NULL, x, &v.by));
        check_max(&v, x, again, indices);
        lbo_tensor_release(x);
        lbo_tensor_release(out);
        lbo_tensor_release(indices);
        lbo_tensor_release(again);
    }
}

static void max_pool2d_backward_adds_where_the_indices_say(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const pooling v = random_pooling();
        lbo_tensor *const x = whole_numbers(dtype, 4, v.x);
        lbo_tensor *const g = whole_numbers(dtype, 4, v.out);
        lbo_tensor *out = NULL, *indices = NULL;
        lbo_tensor *by_x = maybe_given(dtype, 4, v.x);
        double *const expected = calloc((size_t)x->size + 1, 8);
        int64_t index[4] = {0}, at = 0;

        assert_ok(lbo_max_pool2d(context, &out, &indices, x, &v.by));
        assert_ok(lbo_max_pool2d_backward(context, &by_x, g, indices, x));
        if (g->size > 0)
            do
                expected[(index[0] * v.x[1] + index[1]) * v.x[2] * v.x[3] +
                         (int64_t)number_at(indices, index)] +=
                    number_at(g, index);
            while (next_index(g, index));
        memset(index, 0, sizeof index);
        if (x->size > 0)
            do
                assert_near(number_at(by_x, index), expected[at++], 0,
                            "max_pool2d_backward");
            while (next_index(x, index));
        free(expected);
        lbo_tensor_release(x);
        lbo_tensor_release(g);
        lbo_tensor_release(out);
        lbo_tensor_release(indices);
        lbo_tensor_release(by_x);
    }
}

static void avg_pool2d_counts_padding_as_zeros(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const pooling v = random_pooling();
        lbo_tensor *const x = whole_numbers(dtype, 4, v.x);
        lbo_tensor *out = maybe_given(dtype, 4, v.out);
        double elements[16];
        int64_t index[4] = {0}, places[16];

        assert_ok(lbo_avg_pool2d(context, &out, x, &v.by));
        if (out->size > 0)
            do {
                const int count = window(&v, x, index, elements, places);
                double sum = 0;
                for (int i = 0; i < count; i++)
                    sum += elements[i];
                assert_near(number_at(out, index),
                            sum / (double)(v.by.kernel[0] * v.by.kernel[1]),
                            1e-6, "avg_pool2d");
            } while (next_index(out, index));
        lbo_tensor_release(x);
        lbo_tensor_release(out);
    }
}

/* The gradient is the transpose: <g, pool(x)> = <pool'(g), x> for all. */
static void avg_pool2d_backward_is_the_transpose(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        const pooling v = random_pooling();
        lbo_tensor *const x = real_numbers(LBO_F64, 4, v.x);
        lbo_tensor *const g = real_numbers(LBO_F64, 4, v.out);
        lbo_tensor *out = NULL, *by_x = maybe_given(LBO_F64, 4, v.x);
        int64_t index[4] = {0};
        double left = 0, right = 0;

        assert_ok(lbo_avg_pool2d(context, &out, x, &v.by));
        assert_ok(lbo_avg_pool2d_backward(context, &by_x, g, x, &v.by));
        if (g->size > 0)
            do
                left += number_at(g, index) * number_at(out, index);
            while (next_index(g, index));
        memset(index, 0, sizeof index);
        if (x->size > 0)
            do
                right += number_at(by_x, index) * number_at(x, index);
            while (next_index(x, index));
        assert_near(left, g->size > 0 ? right : 0, 1e-10, "avg_pool2d");
        lbo_tensor_release(x);
        lbo_tensor_release(g);
        lbo_tensor_release(out);
        lbo_tensor_release(by_x);
    }
}

static void pooling_that_cannot_be_is_refused(void **state)
{
    lbo_pool2d_attributes by = {{2, 2}, {2, 2}, {0, 0}};
    lbo_tensor *x, *indices, *flat, *out = NULL;

    (void)state;
    x = whole_numbers(LBO_F32, 4, (int64_t[]){1, 1, 4, 4});
    flat = whole_numbers(LBO_F32, 4, (int64_t[]){1, 1, 0, 4});
    indices = whole_numbers(LBO_I64, 4, (int64_t[]){1, 1, 4, 4});
    assert_status(LB_BAD_ARGUMENT, lbo_avg_pool2d(context, &out, flat, &by));
    assert_contains(lb_message(), "no rows");
    by.padding[0] = 2;
    assert_status(LB_BAD_ARGUMENT, lbo_avg_pool2d(context, &out, x, &by));
    assert_contains(lb_message(), "at most half the kernel");
    by.padding[0] = 0;
    by.kernel[1] = 5;
    assert_status(LB_BAD_ARGUMENT, lbo_max_pool2d(context, &out, NULL, x, &by));
    by.kernel[1] = 0;
    assert_status(LB_BAD_ARGUMENT, lbo_max_pool2d(context, &out, NULL, x, &by));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_max_pool2d(context, &out, NULL, x, NULL));
    set_number(indices, (int64_t[]){0, 0, 1, 2}, 16);
    set_number(indices, (int64_t[]){0, 0, 0, 0}, 3);
    int64_t index[4] = {0};
    do
        if (number_at(indices, index) < 0)
            set_number(indices, index, 0);
    while (next_index(indices, index));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_max_pool2d_backward(context, &out, x, indices, x));
    assert_contains(lb_message(), "index 16 (element 6 of indices)");
    assert_null(out);
    lbo_tensor_release(x);
    lbo_tensor_release(flat);
    lbo_tensor_release(indices);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(max_pool2d_takes_the_first_of_the_greatest),
        KERNEL_TEST(max_pool2d_backward_adds_where_the_indices_say),
        KERNEL_TEST(avg_pool2d_counts_padding_as_zeros),
        KERNEL_TEST(avg_pool2d_backward_is_the_transpose),
        KERNEL_TEST(pooling_that_cannot_be_is_refused),
    };

    return run_kernel_tests(argc, argv, tests, COUNT_OF(tests));
}
