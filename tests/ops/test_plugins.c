/* Plug-ins come and go with everything that they bring. */
#include "support/test.h"

#include "latebind/ops.h"

typedef struct world {
    lbo_library *library;
    lbo_context *context;
    lb_plugin *plugin;
    lbo_tensor *x;
} world;

static int setup(void **state)
{
    static world w;
    const float numbers[] = {1, 2};

    assert_ok(lbo_library_create(NULL, &w.library));
    assert_ok(lbo_context_create(w.library, NULL, &w.context));
    assert_ok(
        lbo_from_data(w.context, LBO_F32, 1, (int64_t[]){2}, numbers, &w.x));
    assert_ok(
        lbo_plugin_open(w.library, getenv("LB_OPERATOR_PLUGIN"), &w.plugin));
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *const w = *state;

    lbo_tensor_release(w->x);
    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library));
    return 0;
}

static lbo_tensor *run(world *w, const char *name)
{
    const lbo_operator *const op = lbo_operator_find(w->library, name);
    lbo_tensor *out = NULL;
    lbo_call call = {.in = &w->x, .out = &out, .in_count = 1, .out_count = 1};

    assert_non_null(op);
    assert_ok(lbo_run(w->context, op, &call));
    return out;
}

static void expect(lbo_tensor *got, float a, float b)
{
    assert_true(((float *)got->data)[0] == a && ((float *)got->data)[1] == b);
    lbo_tensor_release(got);
}

static void an_operator_goes_with_its_plug_in(void **state)
{
    world *const w = *state;
    const size_t with = lbo_operator_count(w->library);

    expect(run(w, "twice"), 2, 4);
    assert_ok(lbo_plugin_close(w->library, w->plugin));
    assert_null(lbo_operator_find(w->library, "twice"));
    assert_int_equal(lbo_operator_count(w->library), with - 1);
    for (size_t i = 0; i < with - 1; i++)
        assert_int_equal(lbo_operator_at(w->library, i)->index, i);
}

static void the_kernel_that_was_there_is_back(void **state)
{
    world *const w = *state;

    expect(run(w, "neg"), 0, 0);
    assert_ok(lbo_plugin_close(w->library, w->plugin));
    expect(run(w, "neg"), -1, -2);
    assert_ok(
        lbo_plugin_open(w->library, getenv("LB_OPERATOR_PLUGIN"), &w->plugin));
    expect(run(w, "neg"), 0, 0);
}

static void a_recorded_call_keeps_the_plug_in(void **state)
{
    world *const w = *state;
    lbo_layer *autograd;
    lbo_tensor *y, *total = NULL;

    assert_ok(lbo_autograd_create(w->library, &autograd));
    assert_ok(lbo_push(w->context, autograd));
    assert_ok(lbo_require_gradient(w->x, true));
    y = run(w, "twice");
    assert_status(LB_BUSY, lbo_plugin_close(w->library, w->plugin));
    assert_contains(lb_message(), "1 recorded calls of operator twice");
    assert_ok(lbo_sum(w->context, &total, y, -1, NULL, false));
    assert_ok(lbo_backward(w->context, total, NULL, false));
    lbo_tensor_release(total);
    expect(lbo_tensor_retain(lbo_gradient(w->x)), 2, 2);
    lbo_tensor_release(y);
    assert_ok(lbo_plugin_close(w->library, w->plugin));
    assert_ok(lbo_pop(w->context, autograd));
}

static void an_active_layer_keeps_the_plug_in(void **state)
{
    world *const w = *state;
    lbo_layer *passing = lbo_layer_find(w->library, "passing");

    assert_non_null(passing);
    assert_ok(lbo_push(w->context, passing));
    assert_status(LB_BUSY, lbo_plugin_close(w->library, w->plugin));
    assert_contains(lb_message(), "its layer passing is active");
    expect(run(w, "twice"), 2, 4);
    assert_ok(lbo_pop(w->context, passing));
    assert_ok(lbo_plugin_close(w->library, w->plugin));
    assert_null(lbo_layer_find(w->library, "passing"));
}

static void closing_what_is_not_open_is_an_error(void **state)
{
    world *const w = *state;

    assert_ok(lbo_plugin_close(w->library, w->plugin));
    assert_status(LB_NOT_FOUND, lbo_plugin_close(w->library, w->plugin));
}

static void a_library_may_end_with_plug_ins_open(void **state)
{
    (void)state; /* teardown does it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_operator_goes_with_its_plug_in,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_kernel_that_was_there_is_back,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_recorded_call_keeps_the_plug_in,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_active_layer_keeps_the_plug_in,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(closing_what_is_not_open_is_an_error,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_library_may_end_with_plug_ins_open,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
