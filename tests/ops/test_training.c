/* Training as a whole, with nothing but the library: it learns, leaks nothing,
 * survives failing allocations, and goes on from a checkpoint exactly. */
#include "support/test.h"

#include "latebind/ops.h"

#include <math.h>
#include <unistd.h>

typedef struct world {
    lbo_library *library;
    lbo_context *context;
    lbo_layer *autograd;
    lbo_module *model;
    lbo_optimizer *optimizer;
    lbo_tensor *x, *y;
} world;

/* ---- memory that fails on demand ----------------------------------------- */

static int64_t live, left = -1; /* blocks; allocations until one fails */

static void *counted(void *context, void *old, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    if (size == 0) {
        live -= old != NULL;
        free(old);
        return NULL;
    }
    if (left == 0)
        return NULL;
    left -= left > 0;
    void *const memory = realloc(old, size);
    live += old == NULL && memory != NULL;
    return memory;
}

/* ---- a problem: two spirals ---------------------------------------------- */

enum { POINTS = 64 };

static lb_status make_problem(world *w)
{
    float points[2 * POINTS];
    int64_t labels[POINTS];
    const int64_t shape[] = {POINTS, 2};

    for (int i = 0; i < POINTS; i++) {
        const double turn = 0.5 + 5.0 * (i / 2) / POINTS;
        const double side = i % 2 ? 1 : -1;
        points[2 * i] = (float)(side * turn * cos(2 * turn) / 3);
        points[2 * i + 1] = (float)(side * turn * sin(2 * turn) / 3);
        labels[i] = i % 2;
    }
    const lb_status status =
        lbo_from_data(w->context, LBO_F32, 2, shape, points, &w->x);
    return status == LB_OK
               ? lbo_from_data(w->context, LBO_I64, 1, shape, labels, &w->y)
               : status;
}

static lb_status make_model(world *w, double dropout)
{
    lbo_module *parts[5] = {NULL};
    lbo_context *const c = w->context;
    lb_status s = lbo_linear_module(c, 2, 32, true, &parts[0]);

    if (s == LB_OK)
        s = lbo_activation_module(c, "tanh", &parts[1]);
    if (s == LB_OK)
        s = lbo_dropout_module(c, dropout, &parts[2]);
    if (s == LB_OK)
        s = lbo_layer_norm_module(c, 32, &parts[3]);
    if (s == LB_OK)
        s = lbo_linear_module(c, 32, 2, true, &parts[4]);
    if (s == LB_OK)
        s = lbo_sequential(c, parts, 5, &w->model);
    for (int i = 0; i < 5; i++)
        lbo_module_release(parts[i]);
    return s;
}

static lb_status begin(world *w, bool adam, double dropout)
{
    const lbo_library_config config = {.abi = LBO_ABI, .reallocate = counted};
    lb_status s = lbo_library_create(&config, &w->library);

    if (s == LB_OK)
        s = lbo_context_create(w->library, NULL, &w->context);
    if (s == LB_OK)
        lbo_seed(w->context, 1);
    if (s == LB_OK)
        s = make_problem(w);
    if (s == LB_OK)
        s = make_model(w, dropout);
    if (s == LB_OK)
        s = adam ? lbo_adam(w->model, 0.02, 0.9, 0.999, 1e-8, 0, false,
                            &w->optimizer)
                 : lbo_sgd(w->model, 0.1, 0.9, 0, true, &w->optimizer);
    if (s == LB_OK)
        s = lbo_autograd_create(w->library, &w->autograd);
    return s == LB_OK ? lbo_push(w->context, w->autograd) : s;
}

static void end(world *w)
{
    lbo_optimizer_destroy(w->optimizer);
    lbo_module_release(w->model);
    lbo_tensor_release(w->x);
    lbo_tensor_release(w->y);
    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library)); /* no tensor is left */
    memset(w, 0, sizeof *w);
}

/* The loss by the output, and the model's own backward. */
static lb_status back(world *w, lbo_tensor *output, double *loss)
{
    lbo_tensor *top = NULL, *value = NULL;
    lb_status s = lbo_detach(output, &top);

    if (s == LB_OK)
        s = lbo_require_gradient(top, true);
    if (s == LB_OK)
        s = lbo_cross_entropy(w->context, &value, top, w->y, LBO_REDUCE_MEAN,
                              -100);
    if (s == LB_OK)
        s = lbo_backward(w->context, value, NULL, false);
    if (s == LB_OK)
        s = lbo_item(w->context, value, loss);
    if (s == LB_OK)
        s = lbo_module_backward(w->context, w->model, lbo_gradient(top), NULL);
    lbo_tensor_release(value);
    lbo_tensor_release(top);
    return s;
}

static lb_status step(world *w, double *loss)
{
    lbo_tensor *output = NULL;
    lb_status s = lbo_forward(w->context, w->model, w->x, &output);

    if (s == LB_OK)
        s = back(w, output, loss);
    if (s == LB_OK)
        s = lbo_clip_gradients(w->context, w->optimizer, 5, NULL);
    if (s == LB_OK)
        s = lbo_step(w->context, w->optimizer);
    lbo_zero_gradients(w->optimizer);
    lbo_tensor_release(output);
    return s;
}

/* ---- tests --------------------------------------------------------------- */

static void learn_spirals(bool adam)
{
    world w = {.library = NULL};
    double first, last = 0;
    const int64_t before = live;

    assert_ok(begin(&w, adam, 0));
    assert_ok(step(&w, &first));
    for (int i = 0; i < 400; i++)
        assert_ok(step(&w, &last));
    if (!(last < first / 5))
        fail_msg("the loss fell from %g to %g only", first, last);
    end(&w);
    assert_int_equal(live, before);
}

static void adam_learns_two_spirals(void **state)
{
    (void)state;
    learn_spirals(true);
}

static void sgd_learns_two_spirals(void **state)
{
    (void)state;
    learn_spirals(false);
}

static void steps_need_no_more_memory_than_the_first(void **state)
{
    world w = {.library = NULL};
    double loss;
    int64_t after_some;

    (void)state;
    assert_ok(begin(&w, true, 0.2));
    for (int i = 0; i < 5; i++)
        assert_ok(step(&w, &loss));
    after_some = live;
    for (int i = 0; i < 50; i++)
        assert_ok(step(&w, &loss));
    assert_int_equal(live, after_some);
    end(&w);
}

static void a_resumed_training_is_the_same_to_the_last_bit(void **state)
{
    char path[] = "/tmp/latebind-training-XXXXXX";
    const int file = mkstemp(path);
    world a = {.library = NULL}, b = {.library = NULL};
    double whole[40], loss;

    (void)state;
    assert_true(file >= 0);
    (void)close(file);
    assert_ok(begin(&a, true, 0));
    for (int i = 0; i < 40; i++) {
        assert_ok(step(&a, &whole[i]));
        if (i == 19)
            assert_ok(lbo_training_save(a.context, a.model, a.optimizer, NULL,
                                        0, path));
    }
    assert_ok(begin(&b, true, 0));
    assert_ok(step(&b, &loss)); /* so that it has state of its own */
    assert_ok(lbo_training_load(b.context, b.model, b.optimizer, path));
    assert_int_equal(b.optimizer->steps, 20);
    for (int i = 20; i < 40; i++) {
        assert_ok(step(&b, &loss));
        assert_true(loss == whole[i]);
    }
    end(&a);
    end(&b);
    (void)unlink(path);
}

/* Everything from the library's beginning to a checkpoint, with the nth
 * allocation failing: a status, and nothing left. */
static lb_status all_of_it(world *w, const char *path)
{
    double loss;
    lb_status s = begin(w, true, 0.1);

    if (s == LB_OK)
        s = step(w, &loss);
    if (s == LB_OK)
        s = lbo_training_save(w->context, w->model, w->optimizer, NULL, 0,
                              path);
    return s == LB_OK
               ? lbo_training_load(w->context, w->model, w->optimizer, path)
               : s;
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    char path[] = "/tmp/latebind-training-XXXXXX";
    const int file = mkstemp(path);
    world w = {.library = NULL};
    const int64_t before = live;
    int64_t failures = 0;

    (void)state;
    assert_true(file >= 0);
    (void)close(file);
    for (int64_t n = 0;; n += 1 + n / 64) {
        left = n;
        const lb_status s = all_of_it(&w, path);
        const bool met = left == 0;
        left = -1;
        end(&w);
        if (live != before)
            fail_msg("allocation %lld: %lld blocks are left", (long long)n,
                     (long long)(live - before));
        if (s == LB_OK && !met)
            break;
        failures += s != LB_OK;
    }
    assert_true(failures > 100);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam_learns_two_spirals),
        cmocka_unit_test(sgd_learns_two_spirals),
        cmocka_unit_test(steps_need_no_more_memory_than_the_first),
        cmocka_unit_test(a_resumed_training_is_the_same_to_the_last_bit),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
