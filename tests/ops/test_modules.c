/* Modules: classes with forward and backward, parts and their paths, the ones
 * that come along. */
#include "support/test.h"

#include "latebind/ops.h"

#include <math.h>

typedef struct world {
    lbo_library *library;
    lbo_context *context;
    lbo_layer *autograd;
} world;

static int setup(void **state)
{
    static world w;

    assert_ok(lbo_library_create(NULL, &w.library));
    assert_ok(lbo_context_create(w.library, NULL, &w.context));
    assert_ok(lbo_autograd_create(w.library, &w.autograd));
    assert_ok(lbo_push(w.context, w.autograd));
    lbo_seed(w.context, 7);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *const w = *state;

    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library));
    return 0;
}

static lbo_tensor *values(world *w, size_t ndim, const int64_t *shape,
                          const float *data)
{
    lbo_tensor *result = NULL;

    assert_ok(lbo_from_data(w->context, LBO_F32, ndim, shape, data, &result));
    return result;
}

static lbo_tensor *forward(world *w, lbo_module *module, lbo_tensor *input)
{
    lbo_tensor *output = NULL;

    assert_ok(lbo_forward(w->context, module, input, &output));
    return output;
}

static void expect(world *w, lbo_tensor *tensor, size_t count,
                   const float *expected)
{
    float got[64];

    assert_int_equal(tensor->size, count);
    assert_ok(lbo_read(w->context, tensor, got, count * sizeof *got));
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(got[i] - expected[i]) <= 1e-5f * (1 + fabsf(expected[i]))))
            fail_msg("element %zu is %g, not %g", i, (double)got[i],
                     (double)expected[i]);
}

static lb_class *make_class(world *w, const char *name, const char *base)
{
    lb_class *const cls =
        lb_class_make(lbo_runtime(w->library), name, 0,
                      lbo_module_class(w->library, base), NULL);

    assert_non_null(cls);
    return cls;
}

static void add_method(world *w, const char *generic, const lb_method *method,
                       lb_class *cls)
{
    assert_ok(lb_add_classes(lb_generic_head(lbo_generic(w->library, generic)),
                             method, (lb_class *[]){cls}));
}

/* ---- polymorphism -------------------------------------------------------- */

LB_METHOD(lbo_on_forward, doubled);
static lb_status doubled(lb_slot slot, lbo_module *module, lbo_context *context,
                         lbo_tensor *input, lbo_tensor **output)
{
    LB_IGNORE(slot);
    (void)module;
    return lbo_add(context, output, input, input);
}

static int backward_calls;

LB_METHOD(lbo_on_backward, own_backward);
static lb_status own_backward(lb_slot slot, lbo_module *module,
                              lbo_context *context, lbo_tensor *gradient,
                              lbo_tensor **input_gradient)
{
    LB_IGNORE(slot);
    (void)module;
    backward_calls++;
    return lbo_add(context, input_gradient, gradient, gradient);
}

static void a_class_without_forward_says_what_to_define(void **state)
{
    world *const w = *state;
    const float one = 1;
    lbo_tensor *const x = values(w, 0, NULL, &one);
    lbo_tensor *y = NULL;
    lbo_module *module;

    make_class(w, "A", "module");
    assert_ok(
        lbo_module_create(w->library, make_class(w, "B", "A"), "b", &module));
    assert_status(LB_NO_METHOD, lbo_forward(w->context, module, x, &y));
    assert_string_equal(lb_message(),
                        "class B has no forward; define a method of "
                        "module.forward for it or for one of its bases "
                        "(A, module)");
    assert_null(y);
    lbo_module_release(module);
    lbo_tensor_release(x);
}

static void forward_is_inherited_and_may_come_later(void **state)
{
    world *const w = *state;
    const float one = 1, two = 2;
    lbo_tensor *const x = values(w, 0, NULL, &one);
    lbo_tensor *y = NULL;
    lbo_module *module;
    lb_class *const base = make_class(w, "A", "module");

    assert_ok(
        lbo_module_create(w->library, make_class(w, "B", "A"), NULL, &module));
    assert_string_equal(module->name, "B");
    assert_status(LB_NO_METHOD, lbo_forward(w->context, module, x, &y));
    add_method(w, "module.forward", LB_DESCRIPTOR(doubled), base);
    y = forward(w, module, x);
    expect(w, y, 1, &two);
    lbo_tensor_release(y);
    lbo_tensor_release(x);
    lbo_module_release(module);
}

static void a_class_may_have_a_backward_of_its_own(void **state)
{
    world *const w = *state;
    const float one = 1, two = 2;
    lbo_tensor *const g = values(w, 0, NULL, &one);
    lbo_tensor *by = NULL;
    lbo_module *module;
    lb_class *const cls = make_class(w, "A", "module");

    add_method(w, "module.backward", LB_DESCRIPTOR(own_backward), cls);
    assert_ok(lbo_module_create(w->library, cls, NULL, &module));
    backward_calls = 0;
    assert_ok(lbo_module_backward(w->context, module, g, &by));
    assert_int_equal(backward_calls, 1);
    expect(w, by, 1, &two);
    lbo_tensor_release(by);
    assert_ok(lbo_module_backward(w->context, module, g, NULL));
    lbo_tensor_release(g);
    lbo_module_release(module);
}

/* ---- backward of all modules --------------------------------------------- */

/* y = x W^T + b: by W g^T x, by b g, by x g W. */
static lbo_module *make_linear(world *w)
{
    static const float weight[] = {1, 2, 3, 4, 5, 6}, bias[] = {10, 20};
    lbo_module *module;

    assert_ok(lbo_linear_module(w->context, 3, 2, true, &module));
    assert_ok(lbo_write(w->context, lbo_module_tensor(module, "weight"), weight,
                        sizeof weight));
    assert_ok(lbo_write(w->context, lbo_module_tensor(module, "bias"), bias,
                        sizeof bias));
    return module;
}

static void backward_adds_to_parameters_and_hands_out_the_inputs(void **state)
{
    world *const w = *state;
    lbo_module *const module = make_linear(w);
    lbo_tensor *const x = values(w, 2, (int64_t[]){1, 3}, (float[]){1, 0, -1});
    lbo_tensor *const g = values(w, 2, (int64_t[]){1, 2}, (float[]){1, 2});
    lbo_tensor *y, *by = NULL;

    assert_ok(lbo_require_gradient(x, true));
    for (int i = 1; i <= 2; i++) {
        y = forward(w, module, x);
        expect(w, y, 2, (float[]){8, 18});
        assert_ok(lbo_module_backward(w->context, module, g, &by));
        expect(w, by, 3, (float[]){9, 12, 15});
        expect(w, lbo_gradient(lbo_module_tensor(module, "bias")), 2,
               (float[]){1.f * (float)i, 2.f * (float)i});
        lbo_tensor_release(by);
        lbo_tensor_release(y);
    }
    expect(w, lbo_gradient(lbo_module_tensor(module, "weight")), 6,
           (float[]){2, 0, -2, 4, 0, -4});
    assert_null(lbo_gradient(x));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_module_backward(w->context, module, g, NULL));
    assert_contains(lb_message(), "without a forward in training");
    lbo_tensor_release(x);
    lbo_tensor_release(g);
    lbo_module_release(module);
}

static void backward_stops_at_the_input(void **state)
{
    world *const w = *state;
    lbo_module *const first = make_linear(w);
    lbo_module *second;
    lbo_tensor *const x = values(w, 2, (int64_t[]){1, 3}, (float[]){1, 0, -1});
    lbo_tensor *const g = values(w, 2, (int64_t[]){1, 2}, (float[]){1, 2});
    lbo_tensor *middle, *y, *by = NULL;

    assert_ok(lbo_activation_module(w->context, "relu", &second));
    middle = forward(w, first, x);
    y = forward(w, second, middle);
    assert_ok(lbo_module_backward(w->context, second, g, &by));
    expect(w, by, 2, (float[]){1, 2});
    assert_null(lbo_gradient(lbo_module_tensor(first, "bias")));
    assert_ok(lbo_module_backward(w->context, first, by, NULL));
    expect(w, lbo_gradient(lbo_module_tensor(first, "bias")), 2,
           (float[]){1, 2});
    lbo_tensor_release(by);
    lbo_tensor_release(y);
    lbo_tensor_release(middle);
    lbo_tensor_release(x);
    lbo_tensor_release(g);
    lbo_module_release(first);
    lbo_module_release(second);
}

static void a_forward_that_was_not_recorded_is_named(void **state)
{
    world *const w = *state;
    lbo_module *const module = make_linear(w);
    lbo_tensor *const x = values(w, 2, (int64_t[]){1, 3}, (float[]){1, 0, -1});
    lbo_tensor *y;

    assert_ok(lbo_pop(w->context, w->autograd));
    y = forward(w, module, x);
    assert_status(LB_BAD_ARGUMENT,
                  lbo_module_backward(w->context, module, y, NULL));
    assert_contains(lb_message(), "is the autograd layer active?");
    lbo_tensor_release(y);
    lbo_tensor_release(x);
    lbo_module_release(module);
}

/* ---- parts and paths ----------------------------------------------------- */

typedef struct seen {
    char text[256];
} seen;

static lb_status note(void *context, const char *path, lbo_tensor *tensor,
                      bool learned)
{
    seen *const s = context;

    (void)tensor;
    strcat(s->text, path);
    strcat(s->text, learned ? " " : "! ");
    return LB_OK;
}

static lb_status stop_at_bias(void *context, const char *path,
                              lbo_tensor *tensor, bool learned)
{
    (void)context;
    (void)tensor;
    (void)learned;
    return strstr(path, "bias") ? lbo_fail(LB_LIMIT, "enough") : LB_OK;
}

static void parts_have_paths_and_shared_ones_are_seen_once(void **state)
{
    world *const w = *state;
    lbo_module *const linear = make_linear(w);
    lbo_module *outer, *inner;
    lbo_tensor *const x = values(w, 1, (int64_t[]){2}, (float[]){1, 2});
    seen all = {""}, learned = {""};

    assert_ok(lbo_sequential(w->context, &linear, 1, &inner));
    assert_ok(
        lbo_sequential(w->context, (lbo_module *[]){inner, linear}, 2, &outer));
    assert_ok(lbo_module_add_buffer(outer, "mean", x));
    assert_ok(lbo_module_visit(outer, true, note, &all));
    assert_string_equal(all.text, "0.0.weight 0.0.bias mean! ");
    assert_ok(lbo_module_visit(outer, false, note, &learned));
    assert_string_equal(learned.text, "0.0.weight 0.0.bias ");
    assert_status(LB_LIMIT, lbo_module_visit(outer, true, stop_at_bias, NULL));
    assert_int_equal(lbo_module_size(outer), 8);
    assert_ptr_equal(lbo_module_tensor(outer, "1.bias"),
                     lbo_module_tensor(linear, "bias"));
    assert_ptr_equal(lbo_module_child(outer, "0.0"), linear);
    assert_null(lbo_module_tensor(outer, "0.0"));
    assert_null(lbo_module_tensor(outer, "0.0.weight.x"));
    assert_null(lbo_module_tensor(outer, ""));
    lbo_module_train(outer, false);
    assert_false(linear->training);
    lbo_module_release(inner);
    lbo_module_release(outer);
    lbo_module_release(linear);
    lbo_tensor_release(x);
}

static void names_are_unique_and_modules_no_parts_of_themselves(void **state)
{
    world *const w = *state;
    lbo_module *const linear = make_linear(w);
    lbo_module *outer;
    lbo_tensor *const x = values(w, 1, (int64_t[]){2}, (float[]){1, 2});

    assert_ok(lbo_sequential(w->context, &linear, 1, &outer));
    assert_status(LB_EXISTS, lbo_module_add_parameter(linear, "bias", x));
    assert_status(LB_BAD_ARGUMENT, lbo_module_add_buffer(linear, "a.b", x));
    assert_status(LB_BAD_ARGUMENT, lbo_module_add_buffer(linear, "", x));
    assert_status(LB_BAD_ARGUMENT, lbo_module_add_buffer(linear, "a", NULL));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_module_add_child(linear, "outer", outer));
    assert_contains(lb_message(), "a part of itself");
    assert_status(LB_BAD_ARGUMENT, lbo_module_add_child(outer, "o", outer));
    lbo_module_release(outer);
    lbo_module_release(linear);
    lbo_tensor_release(x);
}

/* ---- the ones that come along -------------------------------------------- */

static void weights_begin_within_their_bounds(void **state)
{
    world *const w = *state;
    lbo_module *linear, *embedding;
    float *const got = malloc(400 * 100 * sizeof *got);
    double sum = 0, squares = 0, most = 0;

    assert_ok(lbo_linear_module(w->context, 100, 400, true, &linear));
    assert_ok(lbo_read(w->context, lbo_module_tensor(linear, "weight"), got,
                       400 * 100 * sizeof *got));
    for (int i = 0; i < 40000; i++)
        most = fmax(most, fabs((double)got[i]));
    assert_true(most <= 0.1 && most > 0.0999);
    assert_ok(lbo_embedding_module(w->context, 400, 100, &embedding));
    assert_ok(lbo_read(w->context, lbo_module_tensor(embedding, "weight"), got,
                       400 * 100 * sizeof *got));
    for (int i = 0; i < 40000; i++) {
        sum += (double)got[i];
        squares += (double)got[i] * (double)got[i];
    }
    assert_true(fabs(sum / 40000) < 0.025); /* five standard errors */
    assert_true(fabs(squares / 40000 - 1) < 0.036);
    free(got);
    lbo_module_release(linear);
    lbo_module_release(embedding);
}

static void the_same_seed_gives_the_same_weights(void **state)
{
    world *const w = *state;
    lbo_module *a, *b;
    float first[6], second[6];

    lbo_seed(w->context, 3);
    assert_ok(lbo_linear_module(w->context, 3, 2, true, &a));
    lbo_seed(w->context, 3);
    assert_ok(lbo_linear_module(w->context, 3, 2, true, &b));
    assert_ok(lbo_read(w->context, lbo_module_tensor(a, "weight"), first,
                       sizeof first));
    assert_ok(lbo_read(w->context, lbo_module_tensor(b, "weight"), second,
                       sizeof second));
    assert_memory_equal(first, second, sizeof first);
    lbo_module_release(a);
    lbo_module_release(b);
}

static void dropout_is_nothing_but_in_training(void **state)
{
    world *const w = *state;
    lbo_module *module;
    lbo_tensor *const x = values(w, 1, (int64_t[]){3}, (float[]){1, 2, 3});
    lbo_tensor *y;

    assert_ok(lbo_dropout_module(w->context, 0.5, &module));
    lbo_module_train(module, false);
    y = forward(w, module, x);
    assert_ptr_equal(x, y);
    lbo_tensor_release(y);
    lbo_module_train(module, true);
    y = forward(w, module, x);
    assert_ptr_not_equal(x, y);
    lbo_tensor_release(y);
    lbo_tensor_release(x);
    lbo_module_release(module);
}

static void flatten_keeps_the_first_dimension(void **state)
{
    world *const w = *state;
    lbo_module *module;
    lbo_tensor *const x =
        values(w, 3, (int64_t[]){2, 3, 1}, (float[]){1, 2, 3, 4, 5, 6});
    lbo_tensor *y;

    assert_ok(lbo_flatten_module(w->context, &module));
    y = forward(w, module, x);
    assert_int_equal(y->ndim, 2);
    assert_int_equal(lbo_shape(y)[0], 2);
    assert_int_equal(lbo_shape(y)[1], 3);
    lbo_tensor_release(y);
    lbo_tensor_release(x);
    lbo_module_release(module);
}

/* Causal attention by hand, in f64, of what the qkv layer gives. */
enum { BATCH = 2, TIME = 3, SIZE = 4, HEADS = 2, PART = SIZE / HEADS };

static double product(const float *a, const float *b, int count)
{
    double sum = 0;

    for (int i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void attend(const float *qkv, float *out)
{
    for (int b = 0; b < BATCH; b++)
        for (int h = 0; h < HEADS; h++)
            for (int t = 0; t < TIME; t++) {
                const float *const rows = qkv + b * TIME * 3 * SIZE + h * PART;
                double weight[TIME], total = 0;
                for (int k = 0; k <= t; k++)
                    total += weight[k] =
                        exp(product(rows + t * 3 * SIZE,
                                    rows + k * 3 * SIZE + SIZE, PART) /
                            sqrt(PART));
                for (int i = 0; i < PART; i++) {
                    double sum = 0;
                    for (int k = 0; k <= t; k++)
                        sum += weight[k] / total *
                               (double)rows[k * 3 * SIZE + 2 * SIZE + i];
                    out[(b * TIME + t) * SIZE + h * PART + i] = (float)sum;
                }
            }
}

static void attention_looks_back_only(void **state)
{
    world *const w = *state;
    float in[BATCH * TIME * SIZE], qkv[3 * BATCH * TIME * SIZE];
    float mixed[BATCH * TIME * SIZE], expected[BATCH * TIME * SIZE];
    lbo_module *module;
    lbo_tensor *x, *mid, *y, *p;

    for (int i = 0; i < BATCH * TIME * SIZE; i++)
        in[i] = (float)sin(2.3 * i);
    x = values(w, 3, (int64_t[]){BATCH, TIME, SIZE}, in);
    assert_ok(lbo_attention_module(w->context, SIZE, HEADS, true, 0, &module));
    mid = forward(w, lbo_module_child(module, "qkv"), x);
    assert_ok(lbo_read(w->context, mid, qkv, sizeof qkv));
    attend(qkv, mixed);
    lbo_tensor_release(mid);
    mid = values(w, 3, (int64_t[]){BATCH, TIME, SIZE}, mixed);
    p = forward(w, lbo_module_child(module, "projection"), mid);
    assert_ok(lbo_read(w->context, p, expected, sizeof expected));
    for (int i = 0; i < 2; i++) { /* with the mask of the first time, too */
        y = forward(w, module, x);
        expect(w, y, BATCH * TIME * SIZE, expected);
        lbo_tensor_release(y);
    }
    lbo_tensor_release(p);
    lbo_tensor_release(mid);
    lbo_tensor_release(x);
    lbo_module_release(module);
}

static void wrong_arguments_are_refused(void **state)
{
    world *const w = *state;
    lbo_module *m;
    lbo_context *const c = w->context;

    assert_status(LB_BAD_ARGUMENT, lbo_linear_module(c, 0, 1, true, &m));
    assert_status(LB_BAD_ARGUMENT, lbo_linear_module(c, 1, -1, true, &m));
    assert_status(LB_BAD_ARGUMENT, lbo_linear_module(NULL, 1, 1, true, &m));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_linear_module(c, INT64_MAX, INT64_MAX, true, &m));
    assert_status(LB_BAD_ARGUMENT, lbo_attention_module(c, 5, 2, true, 0, &m));
    assert_status(LB_BAD_ARGUMENT, lbo_dropout_module(c, 1, &m));
    assert_status(LB_BAD_ARGUMENT, lbo_dropout_module(c, NAN, &m));
    assert_status(LB_NOT_FOUND, lbo_activation_module(c, "nothing", &m));
    assert_status(LB_BAD_ARGUMENT, lbo_activation_module(c, "clamp", &m));
    assert_status(LB_BAD_ARGUMENT, lbo_max_pool2d_module(c, NULL, &m));
    assert_status(LB_BAD_ARGUMENT, lbo_embedding_module(c, 0, 4, &m));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_module_create(w->library,
                                    lbo_tensor_class(w->library, "f32"), NULL,
                                    &m));
    assert_contains(lb_message(), "does not derive from module");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_module_create(w->library, NULL, NULL, &m));
    assert_null(lbo_module_class(w->library, "f32"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_class_without_forward_says_what_to_define),
        TEST(forward_is_inherited_and_may_come_later),
        TEST(a_class_may_have_a_backward_of_its_own),
        TEST(backward_adds_to_parameters_and_hands_out_the_inputs),
        TEST(backward_stops_at_the_input),
        TEST(a_forward_that_was_not_recorded_is_named),
        TEST(parts_have_paths_and_shared_ones_are_seen_once),
        TEST(names_are_unique_and_modules_no_parts_of_themselves),
        TEST(weights_begin_within_their_bounds),
        TEST(the_same_seed_gives_the_same_weights),
        TEST(dropout_is_nothing_but_in_training),
        TEST(flatten_keeps_the_first_dimension),
        TEST(attention_looks_back_only),
        TEST(wrong_arguments_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
