/* Optimizers and schedules: against the formulas, computed here in f64. What
 * whole trainings make of them is compared with PyTorch (test_torch_gpt.py). */
#include "support/test.h"

#include "latebind/ops.h"

#include <math.h>

enum { N = 7, STEPS = 12 };

typedef struct world {
    lbo_library *library;
    lbo_context *context;
    lbo_module *module;
    lbo_tensor *parameter;
} world;

static int setup(void **state)
{
    static world w;
    float start[N];

    for (int i = 0; i < N; i++)
        start[i] = (float)(i - 3) / 4;
    assert_ok(lbo_library_create(NULL, &w.library));
    assert_ok(lbo_context_create(w.library, NULL, &w.context));
    assert_ok(lbo_module_create(
        w.library, lbo_module_class(w.library, "module"), "m", &w.module));
    assert_ok(lbo_from_data(w.context, LBO_F32, 1, (int64_t[]){N}, start,
                            &w.parameter));
    assert_ok(lbo_module_add_parameter(w.module, "p", w.parameter));
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *const w = *state;

    lbo_tensor_release(w->parameter);
    lbo_module_release(w->module);
    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library));
    return 0;
}

/* Some gradient that changes sign and size from step to step. */
static double gradient_at(int step, int i)
{
    return sin(1.7 * step + i) * (i + 1);
}

static void set_gradient(world *w, int step)
{
    lbo_tensor *gradient = NULL;
    float values[N];

    for (int i = 0; i < N; i++)
        values[i] = (float)gradient_at(step, i);
    assert_ok(lbo_from_data(w->context, LBO_F32, 1, (int64_t[]){N}, values,
                            &gradient));
    assert_ok(lbo_set_gradient(w->parameter, gradient));
    lbo_tensor_release(gradient);
}

static void check(world *w, const double *expected)
{
    float got[N];

    assert_ok(lbo_read(w->context, w->parameter, got, sizeof got));
    for (int i = 0; i < N; i++)
        if (fabs(got[i] - expected[i]) > 1e-5 * (1 + fabs(expected[i])))
            fail_msg("element %d is %g, not %g", i, got[i], expected[i]);
}

static void begin(double *p)
{
    for (int i = 0; i < N; i++)
        p[i] = (double)(i - 3) / 4;
}

static void try_sgd(world *w, double momentum, double decay, bool nesterov)
{
    double p[N], v[N] = {0};
    lbo_optimizer *o;

    begin(p);
    assert_ok(lbo_sgd(w->module, 0.1, momentum, decay, nesterov, &o));
    for (int step = 0; step < STEPS; step++) {
        set_gradient(w, step);
        assert_ok(lbo_step(w->context, o));
        for (int i = 0; i < N; i++) {
            const double g = gradient_at(step, i) + decay * p[i];
            v[i] = momentum * v[i] + g;
            p[i] -= 0.1 * (nesterov ? g + momentum * v[i] : v[i]);
        }
        check(w, p);
    }
    assert_int_equal(o->steps, STEPS);
    lbo_optimizer_destroy(o);
}

static void plain_sgd_follows_the_formula(void **state)
{
    try_sgd(*state, 0, 0, false);
}

static void sgd_with_momentum_and_decay_follows_the_formula(void **state)
{
    try_sgd(*state, 0.9, 0.01, false);
}

static void sgd_with_nesterov_follows_the_formula(void **state)
{
    try_sgd(*state, 0.8, 0.02, true);
}

static void try_adam(world *w, double decay, bool decoupled)
{
    const double b1 = 0.9, b2 = 0.99, epsilon = 1e-3, rate = 0.05;
    double p[N], m[N] = {0}, v[N] = {0};
    lbo_optimizer *o;

    begin(p);
    assert_ok(lbo_adam(w->module, rate, b1, b2, epsilon, decay, decoupled, &o));
    for (int step = 0; step < STEPS; step++) {
        set_gradient(w, step);
        assert_ok(lbo_step(w->context, o));
        for (int i = 0; i < N; i++) {
            double g = gradient_at(step, i);
            if (decoupled)
                p[i] -= rate * decay * p[i];
            else
                g += decay * p[i];
            m[i] = b1 * m[i] + (1 - b1) * g;
            v[i] = b2 * v[i] + (1 - b2) * g * g;
            p[i] -= rate * m[i] / (1 - pow(b1, step + 1)) /
                    (sqrt(v[i] / (1 - pow(b2, step + 1))) + epsilon);
        }
        check(w, p);
    }
    lbo_optimizer_destroy(o);
}

static void adam_follows_the_formula(void **state)
{
    try_adam(*state, 0, false);
}

static void adam_with_decay_adds_it_to_the_gradient(void **state)
{
    try_adam(*state, 0.1, false);
}

static void adamw_decays_apart_from_the_gradient(void **state)
{
    try_adam(*state, 0.1, true);
}

static void a_parameter_without_gradient_is_left_alone(void **state)
{
    world *const w = *state;
    double p[N];
    lbo_optimizer *o;

    begin(p);
    assert_ok(lbo_adam(w->module, 1, 0.9, 0.9, 1e-8, 0.5, true, &o));
    assert_ok(lbo_step(w->context, o));
    check(w, p);
    set_gradient(w, 0);
    lbo_zero_gradients(o);
    assert_null(lbo_gradient(w->parameter));
    assert_ok(lbo_step(w->context, o));
    check(w, p);
    lbo_optimizer_destroy(o);
}

static void clipping_scales_the_common_norm(void **state)
{
    world *const w = *state;
    lbo_optimizer *o;
    double before, norm = 0, after;
    float got[N];

    assert_ok(lbo_sgd(w->module, 0.1, 0, 0, false, &o));
    set_gradient(w, 1);
    for (int i = 0; i < N; i++)
        norm += gradient_at(1, i) * gradient_at(1, i);
    norm = sqrt(norm);
    assert_ok(lbo_clip_gradients(w->context, o, 100 * norm, &before));
    assert_true(fabs(before - norm) < 1e-5 * norm);
    assert_ok(lbo_clip_gradients(w->context, o, norm / 4, &before));
    assert_true(fabs(before - norm) < 1e-5 * norm);
    assert_ok(lbo_clip_gradients(w->context, o, norm, &after));
    assert_true(fabs(after - norm / 4) < 1e-5 * norm);
    assert_ok(
        lbo_read(w->context, lbo_gradient(w->parameter), got, sizeof got));
    for (int i = 0; i < N; i++)
        assert_true(fabs(got[i] - gradient_at(1, i) / 4) < 1e-5);
    assert_status(LB_BAD_ARGUMENT, lbo_clip_gradients(w->context, o, 0, NULL));
    lbo_optimizer_destroy(o);
}

static void wrong_settings_are_refused(void **state)
{
    world *const w = *state;
    lbo_optimizer *o;

    assert_status(LB_BAD_ARGUMENT, lbo_sgd(w->module, 1, -1, 0, false, &o));
    assert_status(LB_BAD_ARGUMENT, lbo_sgd(w->module, 1, 0, 0, true, &o));
    assert_status(LB_BAD_ARGUMENT, lbo_sgd(w->module, 1, NAN, 0, false, &o));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_adam(w->module, 1, 1, 0.9, 1, 0, false, &o));
    assert_status(LB_BAD_ARGUMENT, lbo_sgd(NULL, 1, 0, 0, false, &o));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_optimizer_create(lbo_module_class(w->library, "module"),
                                       w->module, 1, &o));
    assert_contains(lb_message(), "does not derive from optimizer");
    assert_null(lbo_optimizer_class(w->library, "module"));
}

/* One that steps twice: what wrappers are made of. */
typedef struct twice {
    lbo_optimizer base;
    lbo_optimizer *inner;
} twice;

LB_METHOD(lbo_on_step, twice_step);
static lb_status twice_step(lb_slot slot, lbo_optimizer *optimizer,
                            lbo_context *context)
{
    twice *const self = (twice *)optimizer;
    const lb_status status = lbo_step(context, self->inner);

    LB_IGNORE(slot);
    return status == LB_OK ? lbo_step(context, self->inner) : status;
}

static void a_class_of_ones_own_wraps_another(void **state)
{
    world *const w = *state;
    lbo_optimizer *inner, *outer;
    double p[N];
    lb_class *const cls =
        lb_class_make(lbo_runtime(w->library), "twice", sizeof(twice),
                      lbo_optimizer_class(w->library, "optimizer"), NULL);

    assert_non_null(cls);
    assert_ok(lbo_sgd(w->module, 0.1, 0, 0, false, &inner));
    assert_ok(lbo_optimizer_create(cls, w->module, 0, &outer));
    set_gradient(w, 0);
    assert_status(LB_NO_METHOD, lbo_step(w->context, outer));
    assert_contains(lb_message(), "class twice has no step");
    assert_int_equal(outer->steps, 0);
    assert_ok(lb_add_classes(
        lb_generic_head(lbo_generic(w->library, "optimizer.step")),
        LB_DESCRIPTOR(twice_step), (lb_class *[]){cls}));
    ((twice *)outer)->inner = inner;
    assert_ok(lbo_step(w->context, outer));
    assert_int_equal(outer->steps, 1);
    assert_int_equal(inner->steps, 2);
    begin(p);
    for (int i = 0; i < N; i++)
        p[i] -= 2 * 0.1 * gradient_at(0, i);
    check(w, p);
    lbo_optimizer_destroy(outer);
    lbo_optimizer_destroy(inner);
}

static void near(double a, double b)
{
    if (fabs(a - b) > 1e-12)
        fail_msg("%.17g is not %.17g", a, b);
}

static void schedules_have_the_rates_they_say(void **state)
{
    (void)state;
    near(lbo_rate_at(LBO_CONSTANT, 2, 1000, 0, 10, 0.1), 2);
    near(lbo_rate_at(LBO_CONSTANT, 2, 0, 4, 0, 0), 0.5);
    near(lbo_rate_at(LBO_CONSTANT, 2, 3, 4, 0, 0), 2);
    near(lbo_rate_at(LBO_STEPWISE, 2, 9, 0, 10, 0.5), 2);
    near(lbo_rate_at(LBO_STEPWISE, 2, 10, 0, 10, 0.5), 1);
    near(lbo_rate_at(LBO_STEPWISE, 2, 35, 5, 10, 0.5), 0.25);
    near(lbo_rate_at(LBO_COSINE, 2, 0, 0, 10, 0.1), 2);
    near(lbo_rate_at(LBO_COSINE, 2, 5, 0, 10, 0.1), 1.1);
    near(lbo_rate_at(LBO_COSINE, 2, 10, 0, 10, 0.1), 0.2);
    near(lbo_rate_at(LBO_COSINE, 2, 99, 0, 10, 0.1), 0.2);
    near(lbo_rate_at(LBO_LINEAR, 2, 5, 0, 10, 0), 1);
    near(lbo_rate_at(LBO_LINEAR, 2, 12, 2, 10, 0), 0);
    near(lbo_rate_at(LBO_LINEAR, 2, 7, 0, 0, 0), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_sgd_follows_the_formula),
        TEST(sgd_with_momentum_and_decay_follows_the_formula),
        TEST(sgd_with_nesterov_follows_the_formula),
        TEST(adam_follows_the_formula),
        TEST(adam_with_decay_adds_it_to_the_gradient),
        TEST(adamw_decays_apart_from_the_gradient),
        TEST(a_parameter_without_gradient_is_left_alone),
        TEST(clipping_scales_the_common_norm),
        TEST(wrong_settings_are_refused),
        TEST(a_class_of_ones_own_wraps_another),
        cmocka_unit_test(schedules_have_the_rates_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
