/* Operators, kernels and layers: which one runs, in which order. */
#include "support/test.h"

#include "latebind/ops.h"

typedef struct world {
    lbo_library *library;
    lbo_context *context;
    const lbo_operator *join;
    lbo_tensor *x, *y;
} world;

static char trail[256];

static lb_status infer_join(const lbo_call *call, lbo_spec *out)
{
    (void)call;
    out->dtype = LBO_F32;
    out->ndim = 0;
    return LB_OK;
}

LB_METHOD(lbo_binary, join_f32);
LB_METHOD(lbo_binary, join_any);

static lb_status join_f32(lb_slot slot, lbo_context *context, lbo_tensor *a,
                          lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    strcat(trail, "kernel ");
    *(float *)call->out[0]->data = *(float *)a->data + *(float *)b->data;
    return LB_OK;
}

static lb_status join_any(lb_slot slot, lbo_context *context, lbo_tensor *a,
                          lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    (void)a;
    (void)b;
    strcat(trail, "any ");
    *(float *)call->out[0]->data = -1;
    return LB_OK;
}

static lb_status note(lbo_layer *layer, lbo_context *context, lbo_call *call,
                      const lbo_rest *rest)
{
    strcat(trail, lbo_layer_name(layer));
    strcat(trail, "( ");
    const lb_status status = lbo_next(context, call, rest);
    strcat(trail, ") ");
    return status;
}

static int setup(void **state)
{
    static world w;
    const float two = 2, three = 3;
    const lbo_operator_spec spec = {.name = "join",
                                    .dispatched = 2,
                                    .in_count = 2,
                                    .out_count = 1,
                                    .infer = infer_join};
    lbo_device *cpu;

    memset(&w, 0, sizeof w);
    trail[0] = '\0';
    assert_ok(lbo_library_create(NULL, &w.library));
    assert_ok(lbo_context_create(w.library, NULL, &w.context));
    assert_ok(lbo_operator_create(w.library, &spec, &w.join));
    assert_ok(lbo_device_find(w.library, "cpu", &cpu));
    const lbo_kernel kernels[] = {
        {"join", LB_DESCRIPTOR(join_f32), LBO_F32, LBO_F32, NULL},
        {"join", LB_DESCRIPTOR(join_any), LBO_ANY_DTYPE, LBO_ANY_DTYPE, NULL}};
    assert_ok(lbo_register_kernels(w.library, NULL, cpu, kernels, 2));
    assert_ok(lbo_empty(w.context, LBO_F32, 0, NULL, &w.x));
    assert_ok(lbo_empty(w.context, LBO_F32, 0, NULL, &w.y));
    memcpy(w.x->data, &two, sizeof two);
    memcpy(w.y->data, &three, sizeof three);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *const w = *state;

    lbo_tensor_release(w->x);
    lbo_tensor_release(w->y);
    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library));
    return 0;
}

static lb_status join(world *w, lbo_tensor *a, lbo_tensor *b, lbo_tensor **out)
{
    lbo_tensor *const in[] = {a, b};
    lbo_call call = {.in = in, .out = out, .in_count = 2, .out_count = 1};

    return lbo_run(w->context, w->join, &call);
}

static void the_kernel_of_both_types_runs(void **state)
{
    world *const w = *state;
    lbo_tensor *out = NULL, *bytes;

    assert_ok(join(w, w->x, w->y, &out));
    assert_true(*(float *)out->data == 5);
    lbo_tensor_release(out);
    out = NULL;
    assert_ok(lbo_empty(w->context, LBO_U8, 0, NULL, &bytes));
    assert_ok(join(w, w->x, bytes, &out));
    assert_string_equal(trail, "kernel any ");
    lbo_tensor_release(out);
    lbo_tensor_release(bytes);
}

static void layers_wrap_in_the_order_that_the_user_chose(void **state)
{
    world *const w = *state;
    lbo_layer *a, *b;
    lbo_tensor *out = NULL;

    assert_ok(lbo_layer_create(
        w->library, &(lbo_layer_spec){.name = "a", .handler = note}, &a));
    assert_ok(lbo_layer_create(
        w->library, &(lbo_layer_spec){.name = "b", .handler = note}, &b));
    assert_ok(lbo_set_layers(w->context, (lbo_layer *[]){a, b}, 2));
    assert_ok(join(w, w->x, w->y, &out));
    assert_true(*(float *)out->data == 5);
    assert_ok(lbo_set_layers(w->context, (lbo_layer *[]){b, a}, 2));
    assert_ok(join(w, w->x, w->y, &out));
    assert_status(LB_EXISTS, lbo_push(w->context, a));
    assert_status(LB_BUSY, lbo_layer_destroy(a));
    assert_ok(lbo_pop(w->context, b));
    assert_ok(join(w, w->x, w->y, &out));
    assert_ok(lbo_pop(w->context, a));
    assert_ok(join(w, w->x, w->y, &out));
    assert_string_equal(trail, "a( b( kernel ) ) b( a( kernel ) ) "
                               "a( kernel ) kernel ");
    lbo_tensor_release(out);
    assert_ok(lbo_layer_destroy(a));
    assert_ok(lbo_layer_destroy(b));
}

static void a_layer_may_wrap_named_operators_only(void **state)
{
    world *const w = *state;
    const char *const names[] = {"nothing"};
    const lbo_operator *other;
    lbo_layer *layer;
    lbo_tensor *out = NULL;
    const lbo_operator_spec spec = {.name = "nothing",
                                    .dispatched = 2,
                                    .in_count = 2,
                                    .out_count = 1,
                                    .infer = infer_join};

    assert_status(LB_NOT_FOUND,
                  lbo_layer_create(w->library,
                                   &(lbo_layer_spec){.name = "a",
                                                     .handler = note,
                                                     .operators = names,
                                                     .operator_count = 1},
                                   &layer));
    assert_ok(lbo_operator_create(w->library, &spec, &other));
    assert_ok(lbo_layer_create(w->library,
                               &(lbo_layer_spec){.name = "a",
                                                 .handler = note,
                                                 .operators = names,
                                                 .operator_count = 1},
                               &layer));
    assert_ok(lbo_push(w->context, layer));
    assert_ok(join(w, w->x, w->y, &out));
    assert_string_equal(trail, "kernel ");
    lbo_tensor_release(out);
}

static void a_missing_kernel_is_named_with_what_there_is(void **state)
{
    world *const w = *state;
    lbo_tensor *const in[] = {w->x};
    lbo_tensor *out = NULL;
    lbo_call call = {.in = in, .out = &out, .in_count = 1, .out_count = 1};
    const lbo_operator *op;
    const lbo_operator_spec spec = {.name = "lonely",
                                    .dispatched = 1,
                                    .in_count = 1,
                                    .out_count = 1,
                                    .infer = infer_join};

    assert_ok(lbo_operator_create(w->library, &spec, &op));
    assert_status(LB_NO_METHOD, lbo_run(w->context, op, &call));
    assert_contains(lb_message(), "no kernel for lonely(cpu.f32)");
    assert_null(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_kernel_of_both_types_runs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            layers_wrap_in_the_order_that_the_user_chose, setup, teardown),
        cmocka_unit_test_setup_teardown(a_layer_may_wrap_named_operators_only,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_missing_kernel_is_named_with_what_there_is, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
