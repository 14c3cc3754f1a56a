/* Steps of optimizers against their formulas, in doubles. */
#include "kernels.h"

/* What a parameter, its gradient and two moments are, element by element. */
enum { MOST = 200 };
typedef struct numbers {
    double p[MOST], g[MOST], m[MOST], v[MOST];
} numbers;

static void read_all(const lbo_tensor *t, double *to)
{
    int64_t index[LBO_MAX_DIMS] = {0};

    if (t->size > 0)
        do
            *to++ = number_at(t, index);
        while (next_index(t, index));
}

static void assert_all(const lbo_tensor *t, const double *expected,
                       const char *what)
{
    int64_t index[LBO_MAX_DIMS] = {0};

    if (t->size > 0)
        do
            assert_near(number_at(t, index), *expected++,
                        t->dtype == LBO_F32 ? 2e-6 : 1e-14, what);
        while (next_index(t, index));
}

static void sgd_by_hand(numbers *n, int64_t count, bool moving,
                        const lbo_sgd_attributes *by)
{
    for (int64_t i = 0; i < count; i++) {
        double g = n->g[i] + by->decay * n->p[i];
        if (moving) {
            n->v[i] = by->momentum * n->v[i] + g;
            g = by->nesterov ? g + by->momentum * n->v[i] : n->v[i];
        }
        n->p[i] -= by->rate * g;
    }
}

static void sgd_changes_parameter_and_velocity_in_place(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const int64_t shape[] = {random_below(12), random_below(16)};
        const bool moving = random_below(3) > 0;
        const lbo_sgd_attributes by = {0.1, moving ? 0.9 : 0,
                                       round % 3 ? 0.01 : 0,
                                       moving && random_below(2) == 0};
        lbo_tensor *const p = real_numbers(dtype, 2, shape);
        lbo_tensor *const g = real_numbers(dtype, 2, shape);
        lbo_tensor *const v = moving ? real_numbers(dtype, 2, shape) : NULL;
        numbers n;

        read_all(p, n.p);
        read_all(g, n.g);
        if (moving)
            read_all(v, n.v);
        for (int step = 0; step < 3; step++) {
            sgd_by_hand(&n, p->size, moving, &by);
            assert_ok(lbo_sgd_step(context, p, g, v, &by));
        }
        assert_all(p, n.p, "parameter");
        if (moving)
            assert_all(v, n.v, "velocity");
        lbo_tensor_release(p);
        lbo_tensor_release(g);
        lbo_tensor_release(v);
    }
}

static void adam_by_hand(numbers *n, int64_t count,
                         const lbo_adam_attributes *by)
{
    const double c1 = 1 - pow(by->beta1, (double)by->step);
    const double c2 = 1 - pow(by->beta2, (double)by->step);

    for (int64_t i = 0; i < count; i++) {
        double g = n->g[i];
        if (by->decoupled)
            n->p[i] -= by->rate * by->decay * n->p[i];
        else
            g += by->decay * n->p[i];
        n->m[i] = by->beta1 * n->m[i] + (1 - by->beta1) * g;
        n->v[i] = by->beta2 * n->v[i] + (1 - by->beta2) * g * g;
        n->p[i] -=
            by->rate * (n->m[i] / c1) / (sqrt(n->v[i] / c2) + by->epsilon);
    }
}

static void adam_changes_parameter_and_moments_in_place(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        const lbo_dtype dtype = round % 2 ? LBO_F32 : LBO_F64;
        const int64_t shape[] = {random_below(12), random_below(16)};
        lbo_adam_attributes by = {
            0.01, 0.9, 0.99, 1e-8, round % 3 ? 0.1 : 0, random_below(2) == 0,
            0};
        lbo_tensor *const p = real_numbers(dtype, 2, shape);
        lbo_tensor *const g = real_numbers(dtype, 2, shape);
        lbo_tensor *const m = strided_tensor(dtype, 2, shape, round % 5 > 0);
        lbo_tensor *const v = strided_tensor(dtype, 2, shape, round % 5 > 0);
        numbers n = {.m = {0}};

        assert_ok(lbo_fill(context, m, 0));
        assert_ok(lbo_fill(context, v, 0));
        read_all(p, n.p);
        read_all(g, n.g);
        for (by.step = 1; by.step < 4; by.step++) {
            adam_by_hand(&n, p->size, &by);
            assert_ok(lbo_adam_step(context, p, g, m, v, &by));
        }
        assert_all(p, n.p, "parameter");
        assert_all(m, n.m, "first moment");
        assert_all(v, n.v, "second moment");
        lbo_tensor_release(p);
        lbo_tensor_release(g);
        lbo_tensor_release(m);
        lbo_tensor_release(v);
    }
}

static void half_parameters_change_in_place(void **state)
{
    const lbo_sgd_attributes by = {0.5, 0.5, 0, false};
    lbo_tensor *const p = whole_numbers(LBO_BF16, 1, (int64_t[]){1});
    lbo_tensor *const g = whole_numbers(LBO_BF16, 1, (int64_t[]){1});
    lbo_tensor *const v = whole_numbers(LBO_BF16, 1, (int64_t[]){1});
    const int64_t at[] = {0};

    (void)state;
    set_number(p, at, 8);
    set_number(g, at, 2);
    set_number(v, at, 4);
    assert_ok(lbo_sgd_step(context, p, g, v, &by));
    assert_near(number_at(v, at), 4, 0, "velocity");
    assert_near(number_at(p, at), 6, 0, "parameter");
    lbo_tensor_release(p);
    lbo_tensor_release(g);
    lbo_tensor_release(v);
}

static void a_step_counts_as_a_change(void **state)
{
    const lbo_sgd_attributes by = {.rate = 0.1};
    lbo_tensor *const p = whole_numbers(LBO_F32, 1, (int64_t[]){3});
    const uint32_t before = p->storage->version;

    (void)state;
    assert_ok(lbo_sgd_step(context, p, p, NULL, &by));
    assert_int_equal(p->storage->version, before + 1);
    lbo_tensor_release(p);
}

static void steps_of_tensors_that_differ_are_refused(void **state)
{
    const lbo_sgd_attributes by = {.rate = 0.1, .momentum = 0.9};
    const lbo_adam_attributes adam = {.rate = 0.1};
    lbo_tensor *p, *longer, *wider;

    (void)state;
    p = whole_numbers(LBO_F32, 1, (int64_t[]){3});
    longer = whole_numbers(LBO_F32, 1, (int64_t[]){4});
    wider = whole_numbers(LBO_F64, 1, (int64_t[]){3});
    assert_status(LB_BAD_ARGUMENT, lbo_sgd_step(context, p, p, NULL, &by));
    assert_contains(lb_message(), "velocity is NULL");
    assert_status(LB_BAD_ARGUMENT, lbo_sgd_step(context, p, longer, p, &by));
    assert_contains(lb_message(), "gradient is [4]; [3], as parameter");
    assert_status(LB_BAD_ARGUMENT, lbo_sgd_step(context, p, wider, p, &by));
    assert_status(LB_BAD_ARGUMENT, lbo_sgd_step(context, NULL, p, p, &by));
    assert_status(LB_BAD_ARGUMENT, lbo_sgd_step(context, p, p, p, NULL));
    assert_status(LB_BAD_ARGUMENT, lbo_adam_step(context, p, p, p, p, &adam));
    assert_contains(lb_message(), "step is 0");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_adam_step(context, p, p, NULL, p, &adam));
    lbo_tensor_release(p);
    lbo_tensor_release(longer);
    lbo_tensor_release(wider);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        KERNEL_TEST(sgd_changes_parameter_and_velocity_in_place),
        KERNEL_TEST(adam_changes_parameter_and_moments_in_place),
        KERNEL_TEST(half_parameters_change_in_place),
        KERNEL_TEST(a_step_counts_as_a_change),
        KERNEL_TEST(steps_of_tensors_that_differ_are_refused),
    };

    return run_kernel_tests(argc, argv, tests, COUNT_OF(tests));
}
