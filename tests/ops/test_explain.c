/* What a call would run, in words. */
#include "tensors.h"

static lb_status go_on(lbo_layer *layer, lbo_context *context, lbo_call *call,
                       const lbo_rest *rest)
{
    (void)layer;
    return lbo_next(context, call, rest);
}

static lbo_layer *push(world *w, const char *name, const char *only)
{
    lbo_layer *layer;
    const lbo_layer_spec spec = {.name = name,
                                 .handler = go_on,
                                 .operators = only != NULL ? &only : NULL,
                                 .operator_count = only != NULL};

    assert_ok(lbo_layer_create(w->library, &spec, &layer));
    assert_ok(lbo_push(w->context, layer));
    return layer;
}

static const lbo_operator *find(world *w, const char *name)
{
    const lbo_operator *const op = lbo_operator_find(w->library, name);

    assert_non_null(op);
    return op;
}

static char *explain(world *w, const char *op, lbo_tensor *const *in,
                     size_t count)
{
    static char text[8192];
    const int wanted =
        lbo_explain(w->context, find(w, op), in, count, text, sizeof text);

    assert_true(wanted > 0 && wanted < (int)sizeof text);
    assert_int_equal(wanted, strlen(text));
    return text;
}

static void layers_come_first_in_their_order(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const in[] = {x, x};

    assert_contains(explain(w, "mul", in, 2), "layers, outermost first: none");
    (void)push(w, "inner", NULL);
    (void)push(w, "only add", "add");
    (void)push(w, "outer", NULL);
    assert_contains(explain(w, "mul", in, 2),
                    "layers, outermost first: outer, inner; not around this "
                    "operator: only add\n");
    assert_contains(explain(w, "add", in, 2),
                    "layers, outermost first: outer, only add, inner\n");
    lbo_tensor_release(x);
}

static void the_kernel_follows_with_the_classes(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const whole = make(w, LBO_I64, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const same[] = {x, x}, *const mixed[] = {x, whole};

    assert_contains(explain(w, "mul", same, 2), "cpu.f32");
    assert_contains(explain(w, "mul", mixed, 2), "general_binary");
    assert_contains(explain(w, "fill", &x, 1), "cpu_fill");
    lbo_tensor_release(x);
    lbo_tensor_release(whole);
}

static void a_short_buffer_says_how_long_it_should_be(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2));
    char text[16] = "untouched";
    const int wanted = lbo_explain(w->context, find(w, "neg"), &x, 1, NULL, 0);

    assert_int_equal(wanted, strlen(explain(w, "neg", &x, 1)));
    assert_int_equal(lbo_explain(w->context, find(w, "neg"), &x, 1, text, 8),
                     wanted);
    assert_string_equal(text, "layers,");
    lbo_tensor_release(x);
}

static void missing_tensors_are_refused(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const holes[] = {x, NULL};

    assert_true(lbo_explain(w->context, find(w, "mul"), &x, 1, NULL, 0) < 0);
    assert_contains(lb_message(), "mul selects its kernel by 2 tensors");
    assert_true(lbo_explain(w->context, find(w, "mul"), holes, 2, NULL, 0) < 0);
    assert_true(lbo_explain(w->context, NULL, holes, 2, NULL, 0) < 0);
    lbo_tensor_release(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(layers_come_first_in_their_order),
        TEST(the_kernel_follows_with_the_classes),
        TEST(a_short_buffer_says_how_long_it_should_be),
        TEST(missing_tensors_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
