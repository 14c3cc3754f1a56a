/* Layers: who runs when, and what handlers may do. Those that come with the library
 * are tested in test_library_layers.c. */
#include "tensors.h"

#include "support/allocator.h"

#include <pthread.h>

static char trail[512];

static lb_status note(lbo_layer *layer, lbo_context *context, lbo_call *call,
                      const lbo_rest *rest)
{
    strcat(trail, lbo_layer_name(layer));
    strcat(trail, "( ");
    const lb_status status = lbo_next(context, call, rest);
    strcat(trail, ") ");
    return status;
}

static lbo_layer *layer_of(world *w, const char *name, lbo_layer_fn handler)
{
    lbo_layer *layer;
    const lbo_layer_spec spec = {.name = name, .handler = handler};

    assert_ok(lbo_layer_create(w->library, &spec, &layer));
    trail[0] = '\0';
    return layer;
}

/* A layer that is active at once. */
static lbo_layer *push(world *w, const char *name, lbo_layer_fn handler)
{
    lbo_layer *const layer = layer_of(w, name, handler);

    assert_ok(lbo_push(w->context, layer));
    return layer;
}

/* Made without running an operator. */
static lbo_tensor *pair(world *w, float a, float b)
{
    const float numbers[] = {a, b};
    lbo_tensor *result;

    assert_ok(
        lbo_from_data(w->context, LBO_F32, 1, SHAPE(2), numbers, &result));
    return result;
}

/* ---- order ------------------------------------------------------------------- */

static void scopes_nest(void **state)
{
    world *const w = *state;
    lbo_layer *const a = push(w, "a", note), *const b = push(w, "b", note);
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL;

    assert_ok(lbo_neg(w->context, &y, x));
    assert_ok(lbo_pop(w->context, b));
    assert_ok(lbo_neg(w->context, &y, x));
    assert_status(LB_BAD_ARGUMENT, lbo_pop(w->context, b));
    assert_ok(lbo_pop(w->context, a));
    assert_ok(lbo_neg(w->context, &y, x));
    assert_string_equal(trail, "b( a( ) ) a( ) ");
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

static void layers_of_one_name_are_two(void **state)
{
    world *const w = *state;
    lbo_layer *const first = push(w, "twin", note);
    lbo_layer *const second = push(w, "twin", note);
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL;

    assert_ok(lbo_neg(w->context, &y, x));
    assert_string_equal(trail, "twin( twin( ) ) ");
    assert_ok(lbo_set_layers(w->context, &first, 1));
    assert_ok(lbo_layer_destroy(second));
    assert_ok(lbo_neg(w->context, &y, x));
    assert_string_equal(trail, "twin( twin( ) ) twin( ) ");
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

static lb_status infer_like(const lbo_call *call, lbo_spec *out)
{
    out->dtype = call->in[0]->dtype;
    out->ndim = 0;
    return LB_OK;
}

LB_METHOD(lbo_unary, seven);
static lb_status seven(lb_slot slot, lbo_context *context, lbo_tensor *a,
                       lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    (void)a;
    *(float *)call->out[0]->data = 7;
    return LB_OK;
}

static const lbo_operator *add_operator(world *w, const char *name)
{
    const lbo_operator_spec spec = {.name = name,
                                    .dispatched = 1,
                                    .in_count = 1,
                                    .out_count = 1,
                                    .infer = infer_like};
    const lbo_kernel kernel = {name, LB_DESCRIPTOR(seven), LBO_ANY_DTYPE, 0,
                               NULL};
    const lbo_operator *op;
    lbo_device *cpu;

    assert_ok(lbo_operator_create(w->library, &spec, &op));
    assert_ok(lbo_device_find(w->library, "cpu", &cpu));
    assert_ok(lbo_register_kernels(w->library, NULL, cpu, &kernel, 1));
    return op;
}

static void operators_added_later_are_wrapped_too(void **state)
{
    world *const w = *state;
    lbo_layer *const a = push(w, "a", note);
    const lbo_operator *const op = add_operator(w, "seven");
    lbo_tensor *x = pair(w, 1, 2), *y = NULL;
    lbo_call call = {.in = &x, .out = &y, .in_count = 1, .out_count = 1};

    assert_ok(lbo_run(w->context, op, &call));
    assert_string_equal(trail, "a( ) ");
    assert_numbers(y, 7);
    assert_ok(lbo_pop(w->context, a));
    assert_ok(lbo_layer_destroy(a));
    assert_ok(lbo_run(w->context, op, &call));
    assert_string_equal(trail, "a( ) ");
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

static int released;

static void count_release(void *data)
{
    released += *(int *)data;
}

static void what_a_layer_holds_is_released_with_it(void **state)
{
    world *const w = *state;
    int one = 1;
    const lbo_layer_spec spec = {.name = "holder",
                                 .handler = note,
                                 .data = &one,
                                 .release = count_release};
    lbo_layer *layer, *kept;

    released = 0;
    assert_ok(lbo_layer_create(w->library, &spec, &layer));
    assert_ok(lbo_layer_create(w->library, &spec, &kept));
    assert_ok(lbo_push(w->context, layer));
    assert_status(LB_BUSY, lbo_layer_destroy(layer));
    assert_contains(lb_message(), "holder is active in 1 contexts");
    assert_ok(lbo_pop(w->context, layer));
    assert_int_equal(released, 0);
    assert_ok(lbo_layer_destroy(layer));
    assert_int_equal(released, 1);
    assert_ok(lbo_layer_destroy(NULL));
    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library));
    assert_int_equal(released, 2);
    (void)begin_world(state);
}

static void many_layers_reach_a_limit(void **state)
{
    world *const w = *state;
    lbo_layer *layers[LBO_MAX_LAYERS + 1];
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL;

    for (int i = 0; i < LBO_MAX_LAYERS; i++)
        layers[i] = push(w, "n", note);
    layers[LBO_MAX_LAYERS] = layer_of(w, "n", note);
    assert_status(LB_LIMIT, lbo_push(w->context, layers[LBO_MAX_LAYERS]));
    assert_ok(lbo_neg(w->context, &y, x));
    assert_int_equal(strlen(trail), LBO_MAX_LAYERS * 5);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* ---- what handlers do ------------------------------------------------------------ */

static lb_status fail_before(lbo_layer *layer, lbo_context *context,
                             lbo_call *call, const lbo_rest *rest)
{
    (void)layer;
    (void)context;
    (void)call;
    (void)rest;
    return lbo_fail(LB_METHOD_FAILED, "no luck");
}

static lb_status fail_after(lbo_layer *layer, lbo_context *context,
                            lbo_call *call, const lbo_rest *rest)
{
    (void)layer;
    const lb_status status = lbo_next(context, call, rest);
    return status == LB_OK ? lbo_fail(LB_METHOD_FAILED, "too late") : status;
}

static lb_status do_nothing(lbo_layer *layer, lbo_context *context,
                            lbo_call *call, const lbo_rest *rest)
{
    (void)layer;
    (void)context;
    (void)call;
    (void)rest;
    return LB_OK;
}

static void a_handler_that_fails_fails_the_call(void **state)
{
    static const lbo_layer_fn handlers[] = {fail_before, fail_after,
                                            do_nothing};
    static const char *const words[] = {"no luck", "too late",
                                        "neg: a layer neither went on"};
    world *const w = *state;
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL;

    (void)push(w, "inner", note);
    for (size_t i = 0; i < COUNT_OF(handlers); i++) {
        lbo_layer *const layer = push(w, "failing", handlers[i]);
        (void)push(w, "outer", note);
        assert_status(LB_METHOD_FAILED, lbo_neg(w->context, &y, x));
        assert_contains(lb_message(), words[i]);
        assert_null(y);
        assert_ok(lbo_set_layers(w->context, NULL, 0));
        assert_ok(lbo_layer_destroy(layer));
    }
    assert_ok(lbo_neg(w->context, &y, x));
    assert_numbers(y, -1, -2);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* Calls operators of its own: they go to the layers further in only. */
static lb_status call_others(lbo_layer *layer, lbo_context *context,
                             lbo_call *call, const lbo_rest *rest)
{
    lbo_tensor *z = NULL;

    (void)layer;
    strcat(trail, "own[ ");
    lb_status status = lbo_exp(context, &z, call->in[0]);
    lbo_tensor_release(z);
    strcat(trail, "] ");
    if (status == LB_OK)
        status = lbo_next(context, call, rest);
    z = NULL;
    if (status == LB_OK)
        status = lbo_exp(context, &z, call->in[0]);
    lbo_tensor_release(z);
    return status;
}

static void operators_of_a_handler_run_below_it(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL;

    (void)push(w, "inner", note);
    (void)push(w, "caller", call_others);
    (void)push(w, "outer", note);
    assert_ok(lbo_neg(w->context, &y, x));
    assert_string_equal(trail, "outer( own[ inner( ) ] inner( ) inner( ) ) ");
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* Runs the call on the doubles of its inputs. */
static lb_status replace_inputs(lbo_layer *layer, lbo_context *context,
                                lbo_call *call, const lbo_rest *rest)
{
    lbo_tensor *doubled = NULL;
    lbo_call again = *call;

    (void)layer;
    (void)rest;
    lb_status status = lbo_add(context, &doubled, call->in[0], call->in[0]);
    again.in = &doubled;
    if (status == LB_OK)
        status = lbo_run(context, call->op, &again);
    lbo_tensor_release(doubled);
    return status;
}

static void inputs_may_be_replaced(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL, *given = pair(w, 0, 0);

    (void)push(w, "inner", note);
    (void)push(w, "doubling", replace_inputs);
    assert_ok(lbo_neg(w->context, &y, x));
    assert_numbers(y, -2, -4);
    assert_string_equal(trail, "inner( ) inner( ) ");
    assert_ok(lbo_neg(w->context, &given, x));
    assert_numbers(given, -2, -4);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_tensor_release(given);
}

static lb_status twice(lbo_layer *layer, lbo_context *context, lbo_call *call,
                       const lbo_rest *rest)
{
    (void)layer;
    const lb_status status = lbo_next(context, call, rest);
    return status == LB_OK ? lbo_next(context, call, rest) : status;
}

static void the_rest_may_run_twice(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL, *view = NULL, *given = pair(w, 0, 0);

    (void)push(w, "inner", note);
    (void)push(w, "twice", twice);
    assert_ok(lbo_neg(w->context, &y, x));
    assert_string_equal(trail, "inner( ) inner( ) ");
    assert_numbers(y, -1, -2);
    assert_ok(lbo_neg(w->context, &given, x));
    assert_numbers(given, -1, -2);
    assert_ok(lbo_slice(w->context, &view, x, 0, 1, 2, 1));
    assert_numbers(view, 2);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_tensor_release(view);
    lbo_tensor_release(given);
}

static lb_status change_layers(lbo_layer *layer, lbo_context *context,
                               lbo_call *call, const lbo_rest *rest)
{
    assert_status(LB_BUSY, lbo_pop(context, layer));
    assert_status(LB_BUSY, lbo_set_layers(context, NULL, 0));
    return lbo_next(context, call, rest);
}

static void layers_do_not_change_inside_of_a_handler(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL;

    (void)push(w, "changing", change_layers);
    assert_ok(lbo_neg(w->context, &y, x));
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* ---- threads ------------------------------------------------------------------------- */

enum { ROUNDS = 400, NEW_OPERATORS = 20 };

static int seen_by_counter; /* atomic */

static lb_status count(lbo_layer *layer, lbo_context *context, lbo_call *call,
                       const lbo_rest *rest)
{
    (void)layer;
    __atomic_add_fetch(&seen_by_counter, 1, __ATOMIC_RELAXED);
    return lbo_next(context, call, rest);
}

/* Makes a layer, uses it on all operators that there are then, ends it. */
static void *make_and_end_layers(void *argument)
{
    world *const w = argument;
    const lbo_layer_spec spec = {.name = "brief", .handler = count};
    lbo_context *context;
    lbo_tensor *x, *y = NULL;
    const float one = 1;

    assert_ok(lbo_context_create(w->library, NULL, &context));
    assert_ok(lbo_from_data(context, LBO_F32, 0, NULL, &one, &x));
    for (int i = 0; i < ROUNDS / 20; i++) {
        lbo_layer *layer;
        assert_ok(lbo_layer_create(w->library, &spec, &layer));
        assert_ok(lbo_push(context, layer));
        for (int k = 0; k < 20; k++)
            assert_ok(lbo_neg(context, &y, x));
        assert_ok(lbo_pop(context, layer));
        assert_ok(lbo_layer_destroy(layer));
    }
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_context_destroy(context);
    return NULL;
}

static void *add_operators(void *argument)
{
    world *const w = argument;
    char name[32];

    for (int i = 0; i < NEW_OPERATORS; i++) {
        (void)snprintf(name, sizeof name, "new %d", i);
        (void)add_operator(w, name);
    }
    return NULL;
}

/* Every operator made meanwhile is wrapped by a layer that was there, or that came
 * while it was being made. */
static void layers_and_operators_may_come_at_the_same_time(void **state)
{
    world *const w = *state;
    lbo_layer *const steady = layer_of(w, "steady", note);
    pthread_t layers, more, operators;
    lbo_tensor *x = pair(w, 1, 2);

    seen_by_counter = 0;
    assert_int_equal(pthread_create(&layers, NULL, make_and_end_layers, w), 0);
    assert_int_equal(pthread_create(&more, NULL, make_and_end_layers, w), 0);
    assert_int_equal(pthread_create(&operators, NULL, add_operators, w), 0);
    assert_int_equal(pthread_join(layers, NULL), 0);
    assert_int_equal(pthread_join(more, NULL), 0);
    assert_int_equal(pthread_join(operators, NULL), 0);
    assert_int_equal(seen_by_counter, 2 * ROUNDS);
    assert_ok(lbo_push(w->context, steady));
    for (size_t i = 0; i < lbo_operator_count(w->library); i++) {
        const lbo_operator *const op = lbo_operator_at(w->library, i);
        lbo_tensor *y = NULL;
        lbo_call call = {.in = &x, .out = &y, .in_count = 1, .out_count = 1};
        if (strncmp(op->spec.name, "new ", 4) != 0)
            continue;
        trail[0] = '\0';
        assert_ok(lbo_run(w->context, op, &call));
        assert_string_equal(trail, "steady( ) ");
        lbo_tensor_release(y);
    }
    lbo_tensor_release(x);
}

static void *use_without(void *argument)
{
    world *const w = argument;
    lbo_context *context;
    lbo_tensor *x, *y = NULL;
    const float one = 1;

    assert_ok(lbo_context_create(w->library, NULL, &context));
    assert_ok(lbo_from_data(context, LBO_F32, 0, NULL, &one, &x));
    assert_int_equal(lbo_layers(context, NULL, 0), 0);
    assert_ok(lbo_neg(context, &y, x));
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_context_destroy(context);
    return NULL;
}

static void a_layer_is_active_in_its_context_only(void **state)
{
    world *const w = *state;
    pthread_t thread;

    (void)push(w, "mine", note);
    assert_int_equal(pthread_create(&thread, NULL, use_without, w), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(trail, "");
}

/* ---- one of the user's ------------------------------------------------------------------ */

/* Rounds every floating result to whole numbers: a layer in twenty lines. */
static lb_status round_results(lbo_layer *layer, lbo_context *context,
                               lbo_call *call, const lbo_rest *rest)
{
    int *const rounded = lbo_layer_data(layer);
    lb_status status = lbo_next(context, call, rest);

    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++) {
        lbo_tensor *const out = call->out[i];
        lbo_tensor *whole = NULL;
        if (lbo_dtype_kind((lbo_dtype)out->dtype) != LBO_KIND_FLOATING)
            continue;
        status = lbo_cast(context, &whole, out, LBO_I64);
        if (status == LB_OK)
            status =
                lbo_cast(context, &call->out[i], whole, (lbo_dtype)out->dtype);
        lbo_tensor_release(whole);
        ++*rounded;
    }
    return status;
}

static void a_user_s_layer_needs_twenty_lines(void **state)
{
    world *const w = *state;
    int rounded = 0;
    const lbo_layer_spec spec = {
        .name = "round", .handler = round_results, .data = &rounded};
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL;
    lbo_layer *layer;

    assert_ok(lbo_layer_create(w->library, &spec, &layer));
    assert_ok(lbo_push(w->context, layer));
    assert_ok(lbo_exp(w->context, &y, x));
    assert_numbers(y, 2, 7);
    assert_int_equal(rounded, 1);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* ---- no memory ------------------------------------------------------------------------------------ */

static void ignore_line(void *context, const char *line)
{
    (void)context;
    (void)line;
}

/* Makes layer number `which`. */
static lb_status make_layer(lbo_library *library, int which, lbo_layer **result)
{
    static const char *const only[] = {"exp"};
    const lbo_layer_spec spec = {.name = "mine",
                                 .handler = call_others,
                                 .operators = only,
                                 .operator_count = 1};

    switch (which) {
    case 0:
        return lbo_profiler_create(library, result);
    case 1:
        return lbo_nan_check_create(library, result);
    case 2:
        return lbo_autocast_create(library, LBO_F16, result);
    case 3:
        return lbo_shape_logger_create(library, ignore_line, NULL, result);
    default:
        return lbo_layer_create(library, &spec, result);
    }
}

static lb_status use_layers(lbo_library *library, lbo_context *context)
{
    enum { KINDS = 5 };
    const float numbers[] = {1, 2, 3, 4};
    lbo_layer *layers[KINDS];
    lbo_tensor *x = NULL, *y = NULL, *e = NULL;
    lb_status status = LB_OK;
    int made = 0;

    trail[0] = '\0';
    while (made < KINDS && status == LB_OK) {
        status = make_layer(library, made, &layers[made]);
        made += status == LB_OK;
    }
    if (status == LB_OK)
        status = lbo_set_layers(context, layers, KINDS);
    if (status == LB_OK)
        status = lbo_from_data(context, LBO_F32, 2, SHAPE(2, 2), numbers, &x);
    if (status == LB_OK)
        status = lbo_matmul(context, &y, x, x);
    if (status == LB_OK)
        status = lbo_exp(context, &e, x);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_tensor_release(e);
    if (lbo_layers(context, NULL, 0) > 0) /* not having layers needs nothing */
        assert_ok(lbo_set_layers(context, NULL, 0));
    while (made > 0)
        assert_ok(lbo_layer_destroy(layers[--made]));
    return status;
}

static void every_allocation_may_fail(void **state)
{
    allocator memory = {0};
    const lbo_library_config config = {.abi = LBO_ABI,
                                       .reallocate = allocator_reallocate,
                                       .allocator_context = &memory};
    lbo_library *library;
    lbo_context *context;
    uint64_t at = 0;

    (void)state;
    assert_ok(lbo_library_create(&config, &library));
    assert_ok(lbo_context_create(library, NULL, &context));
    assert_ok(use_layers(library, context));
    do {
        /* Each third: thousands are the rules of the operators, all alike. */
        at += at < 60 ? 1 : 3;
        allocator_arm(&memory, at, 0);
        const lb_status status = use_layers(library, context);
        if (memory.refused == 0)
            assert_ok(status);
        else if (status != LB_OK)
            assert_int_equal(status, LB_NO_MEMORY);
    } while (memory.refused > 0);
    assert_true(at > 100);
    allocator_arm(&memory, 0, 0);
    assert_ok(use_layers(library, context));
    lbo_context_destroy(context);
    assert_ok(lbo_library_destroy(library));
    assert_int_equal(allocator_finish(&memory), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scopes_nest),
        TEST(layers_of_one_name_are_two),
        TEST(operators_added_later_are_wrapped_too),
        TEST(what_a_layer_holds_is_released_with_it),
        TEST(many_layers_reach_a_limit),
        TEST(a_handler_that_fails_fails_the_call),
        TEST(operators_of_a_handler_run_below_it),
        TEST(inputs_may_be_replaced),
        TEST(the_rest_may_run_twice),
        TEST(layers_do_not_change_inside_of_a_handler),
        TEST(layers_and_operators_may_come_at_the_same_time),
        TEST(a_layer_is_active_in_its_context_only),
        TEST(a_user_s_layer_needs_twenty_lines),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
