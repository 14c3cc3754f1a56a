/* The layers that come with the library: shape logger, NaN check, autocast (with
 * autograd in both orders), profiler. */
#include "tensors.h"

#include <jansson.h>
#include <pthread.h>
#include <unistd.h>

/* Made without running an operator. */
static lbo_tensor *pair(world *w, float a, float b)
{
    const float numbers[] = {a, b};
    lbo_tensor *result;

    assert_ok(
        lbo_from_data(w->context, LBO_F32, 1, SHAPE(2), numbers, &result));
    return result;
}

static lb_status infer_number(const lbo_call *call, lbo_spec *out)
{
    out->dtype = call->in[0]->dtype;
    out->ndim = 0;
    return LB_OK;
}

/* An operator of one input without kernels. */
static const lbo_operator *add_operator(world *w, const char *name)
{
    const lbo_operator_spec spec = {.name = name,
                                    .dispatched = 1,
                                    .in_count = 1,
                                    .out_count = 1,
                                    .infer = infer_number};
    const lbo_operator *op;

    assert_ok(lbo_operator_create(w->library, &spec, &op));
    return op;
}

/* ---- the shape logger ---------------------------------------------------------------------- */

static void append_line(void *context, const char *line)
{
    strcat(context, line);
    strcat(context, "\n");
}

static void the_shape_logger_tells_each_call(void **state)
{
    world *const w = *state;
    char lines[512] = "";
    lbo_tensor *const a = make(w, LBO_F32, 2, SHAPE(2, 1), NUMBERS(1, 2));
    lbo_tensor *const b = make(w, LBO_I64, 0, NULL, NUMBERS(2));
    lbo_tensor *const weight =
        make(w, LBO_F32, 2, SHAPE(3, 1), NUMBERS(1, 2, 3));
    lbo_tensor *y = NULL, *bad = NULL, *z = NULL;
    lbo_layer *logger;

    assert_ok(lbo_shape_logger_create(w->library, append_line, lines, &logger));
    assert_ok(lbo_push(w->context, logger));
    assert_ok(lbo_mul(w->context, &y, a, b));
    assert_ok(lbo_linear(w->context, &z, a, weight, NULL));
    assert_status(LB_BAD_ARGUMENT, lbo_matmul(w->context, &bad, a, a));
    assert_string_equal(lines, "mul(f32[2, 1], i64[]) -> f32[2, 1]\n"
                               "linear(f32[2, 1], f32[3, 1], -) -> f32[2, 3]\n"
                               "matmul(f32[2, 1], f32[2, 1]) -> "
                               "LB_BAD_ARGUMENT\n");
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(weight);
    lbo_tensor_release(y);
    lbo_tensor_release(z);
    assert_status(LB_BAD_ARGUMENT,
                  lbo_shape_logger_create(w->library, NULL, NULL, &logger));
}

/* ---- the NaN check ---------------------------------------------------------------------------- */

static void nan_is_found_where_it_comes_from(void **state)
{
    world *const w = *state;
    lbo_tensor *const x =
        make(w, LBO_F32, 2, SHAPE(2, 2), NUMBERS(1, 2, 3, -1));
    lbo_tensor *const zero = make(w, LBO_F64, 0, NULL, NUMBERS(0));
    lbo_tensor *const infinite = make(w, LBO_F32, 0, NULL, NUMBERS(INFINITY));
    lbo_tensor *y = NULL, *given = make(w, LBO_F32, 0, NULL, NUMBERS(4));
    lbo_layer *check;

    assert_ok(lbo_nan_check_create(w->library, &check));
    assert_ok(lbo_push(w->context, check));
    assert_status(LB_METHOD_FAILED, lbo_sqrt(w->context, &y, x));
    assert_contains(lb_message(), "sqrt: result 0 has a NaN at [1, 1]");
    assert_null(y);
    assert_status(LB_METHOD_FAILED, lbo_log(w->context, &y, zero));
    assert_contains(lb_message(), "log: result 0 has an infinity at []");
    assert_ok(lbo_neg(w->context, &y, infinite)); /* it was there */
    assert_ok(lbo_sqrt(w->context, &given, given));
    assert_numbers(given, 2);
    assert_ok(lbo_neg(w->context, &given, given));
    assert_status(LB_METHOD_FAILED, lbo_sqrt(w->context, &given, given));
    assert_ok(lbo_fill(w->context, given, -INFINITY)); /* it was asked for */
    lbo_tensor_release(y);
    lbo_tensor_release(x);
    lbo_tensor_release(zero);
    lbo_tensor_release(infinite);
    lbo_tensor_release(given);
}

/* ---- autocast -------------------------------------------------------------------------------------- */

static void products_run_in_half_and_sums_in_full(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_F32, 2, SHAPE(1, 2), NUMBERS(1, 2));
    lbo_tensor *const weight = make(w, LBO_F32, 2, SHAPE(1, 2), NUMBERS(3, 4));
    lbo_tensor *const wide = make(w, LBO_F64, 2, SHAPE(2, 1), NUMBERS(3, 4));
    lbo_tensor *y = NULL, *sum = NULL, *precise = NULL, *other = NULL;
    lbo_tensor *given = make(w, LBO_F32, 2, SHAPE(1, 1), NUMBERS(0));
    lbo_layer *autocast;

    assert_status(LB_BAD_ARGUMENT,
                  lbo_autocast_create(w->library, LBO_F32, &autocast));
    assert_ok(lbo_autocast_create(w->library, LBO_BF16, &autocast));
    assert_ok(lbo_push(w->context, autocast));
    assert_ok(lbo_linear(w->context, &y, x, weight, NULL));
    assert_int_equal(y->dtype, LBO_BF16);
    assert_numbers(y, 11);
    assert_ok(lbo_sum(w->context, &sum, y, -1, NULL, false));
    assert_int_equal(sum->dtype, LBO_F32);
    assert_ok(lbo_linear(w->context, &given, x, weight, NULL));
    assert_int_equal(given->dtype, LBO_F32);
    assert_numbers(given, 11);
    assert_ok(lbo_matmul(w->context, &precise, x, wide));
    assert_int_equal(precise->dtype, LBO_F64);
    assert_ok(lbo_add(w->context, &other, x, weight));
    assert_int_equal(other->dtype, LBO_F32);
    lbo_tensor_release(x);
    lbo_tensor_release(weight);
    lbo_tensor_release(wide);
    lbo_tensor_release(y);
    lbo_tensor_release(sum);
    lbo_tensor_release(given);
    lbo_tensor_release(precise);
    lbo_tensor_release(other);
}

/* The gradient of sum((x w^T)^2) arrives in f32 in both orders; what autograd saw
 * differs. */
static void autograd_and_autocast_go_in_either_order(void **state)
{
    world *const w = *state;
    lbo_layer *autograd, *autocast;

    assert_ok(lbo_autograd_create(w->library, &autograd));
    assert_ok(lbo_autocast_create(w->library, LBO_F16, &autocast));
    for (int outside = 0; outside < 2; outside++) {
        lbo_tensor *const x = make(w, LBO_F32, 2, SHAPE(1, 2), NUMBERS(1, 2));
        lbo_tensor *const weight =
            make(w, LBO_F32, 2, SHAPE(1, 2), NUMBERS(3, 4));
        lbo_tensor *y = NULL, *square = NULL, *sum = NULL;
        assert_ok(lbo_require_gradient(x, true));
        assert_ok(lbo_require_gradient(weight, true));
        assert_ok(lbo_set_layers(w->context,
                                 outside ? (lbo_layer *[]){autograd, autocast}
                                         : (lbo_layer *[]){autocast, autograd},
                                 2));
        assert_ok(lbo_linear(w->context, &y, x, weight, NULL));
        assert_int_equal(y->dtype, LBO_F16);
        assert_ok(lbo_mul(w->context, &square, y, y));
        assert_ok(lbo_sum(w->context, &sum, square, -1, NULL, false));
        assert_int_equal(sum->dtype, LBO_F32);
        assert_ok(lbo_backward(w->context, sum, NULL, false));
        assert_int_equal(lbo_gradient(x)->dtype, LBO_F32);
        assert_numbers(lbo_gradient(x), 22 * 3, 22 * 4);
        assert_int_equal(lbo_gradient(weight)->dtype, LBO_F32);
        assert_numbers(lbo_gradient(weight), 22 * 1, 22 * 2);
        lbo_tensor_release(x);
        lbo_tensor_release(weight);
        lbo_tensor_release(y);
        lbo_tensor_release(square);
        lbo_tensor_release(sum);
    }
}

/* ---- the profiler ------------------------------------------------------------------------------------ */

static lbo_context *other_context;

/* A kernel that runs operators in a context of its own. */
LB_METHOD(lbo_unary, busy);
static lb_status busy(lb_slot slot, lbo_context *context, lbo_tensor *a,
                      lbo_call *call)
{
    lbo_tensor *y = NULL;

    LB_IGNORE(slot);
    (void)context;
    const lb_status status = lbo_exp(other_context, &y, a);
    lbo_tensor_release(y);
    *(float *)call->out[0]->data = 1;
    return status;
}

static void run_busy(world *w, lbo_tensor *x)
{
    static const char name[] = "busy \"one\"";
    const lbo_kernel kernel = {name, LB_DESCRIPTOR(busy), LBO_F32, 0, NULL};
    lbo_tensor *y = NULL;
    lbo_call call = {.in = &x, .out = &y, .in_count = 1, .out_count = 1};
    const lbo_operator *const op = add_operator(w, name);
    lbo_device *cpu;

    assert_ok(lbo_device_find(w->library, "cpu", &cpu));
    assert_ok(lbo_register_kernels(w->library, NULL, cpu, &kernel, 1));
    assert_ok(lbo_run(w->context, op, &call));
    lbo_tensor_release(y);
}

static double number_in(const json_t *event, const char *key)
{
    const json_t *const value = json_object_get(event, key);

    assert_true(json_is_number(value));
    return json_number_value(value);
}

static const json_t *event_named(const json_t *trace, const char *name)
{
    for (size_t i = 0; i < json_array_size(trace); i++) {
        const json_t *const event = json_array_get(trace, i);
        if (strcmp(json_string_value(json_object_get(event, "name")), name) ==
            0)
            return event;
    }
    fail_msg("no event of %s", name);
    return NULL;
}

static void check_trace(const json_t *trace)
{
    const json_t *const outer = event_named(trace, "busy \"one\"");
    const json_t *const inner = event_named(trace, "exp");
    const json_t *const neg = event_named(trace, "neg");

    assert_int_equal(json_array_size(trace), 5);
    assert_string_equal(json_string_value(json_object_get(outer, "ph")), "X");
    assert_string_equal(json_string_value(json_object_get(outer, "cat")),
                        "cpu");
    assert_true(number_in(inner, "ts") >= number_in(outer, "ts"));
    assert_true(number_in(inner, "ts") + number_in(inner, "dur") <=
                number_in(outer, "ts") + number_in(outer, "dur") + 0.002);
    assert_true(number_in(inner, "tid") == number_in(outer, "tid"));
    assert_true(number_in(neg, "ts") <= number_in(outer, "ts"));
    assert_true(number_in(json_object_get(neg, "args"), "bytes") == 16);
}

static void *neg_elsewhere(void *argument)
{
    world *const w = argument;
    lbo_layer *layers[1];
    lbo_context *context;
    lbo_tensor *x, *y = NULL;
    const float one = 1;

    assert_int_equal(lbo_layers(w->context, layers, 1), 1);
    assert_ok(lbo_context_create(w->library, NULL, &context));
    assert_ok(lbo_from_data(context, LBO_F32, 0, NULL, &one, &x));
    assert_ok(lbo_push(context, layers[0]));
    assert_ok(lbo_tanh(context, &y, x));
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_context_destroy(context);
    return NULL;
}

static void the_profiler_counts_and_traces(void **state)
{
    world *const w = *state;
    char table[2048], path[] = "/tmp/latebind-trace-XXXXXX";
    lbo_tensor *const x = pair(w, 1, 2);
    lbo_tensor *y = NULL;
    lbo_layer *profiler, *not_one;
    json_error_t error;
    pthread_t thread;

    assert_ok(lbo_profiler_create(w->library, &profiler));
    assert_ok(lbo_context_create(w->library, NULL, &other_context));
    assert_ok(lbo_push(w->context, profiler));
    assert_ok(lbo_push(other_context, profiler));
    assert_ok(lbo_neg(w->context, &y, x));
    assert_ok(lbo_neg(w->context, &y, x));
    run_busy(w, x);
    assert_int_equal(pthread_create(&thread, NULL, neg_elsewhere, w), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    const int wanted = lbo_profiler_table(profiler, table, sizeof table);
    assert_int_equal(wanted, strlen(table));
    assert_int_equal(lbo_profiler_table(profiler, NULL, 0), wanted);
    assert_contains(table, "busy \"one\"");
    assert_contains(strstr(table, "\nneg"), "cpu               2 ");
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_ok(lbo_profiler_trace(profiler, path));
    json_t *const trace = json_load_file(path, 0, &error);
    assert_non_null(trace);
    check_trace(trace);
    assert_true(number_in(event_named(trace, "tanh"), "tid") !=
                number_in(event_named(trace, "neg"), "tid"));
    json_decref(trace);
    (void)close(file);
    (void)unlink(path);
    assert_status(LB_BAD_ARGUMENT,
                  lbo_profiler_trace(profiler, "/nowhere/at/all"));
    lbo_profiler_clear(profiler);
    (void)lbo_profiler_table(profiler, table, sizeof table);
    assert_null(strstr(table, "neg"));
    assert_ok(lbo_nan_check_create(w->library, &not_one));
    assert_true(lbo_profiler_table(not_one, table, sizeof table) < 0);
    lbo_context_destroy(other_context);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* A device whose memory is no address, and whose events say 5 ms. */
LB_METHOD(lbo_on_allocate, toy_allocate);
LB_METHOD(lbo_on_free, toy_free);
LB_METHOD(lbo_on_event_record, toy_record);
LB_METHOD(lbo_on_event_wait, toy_wait);
LB_METHOD(lbo_on_event_elapsed, toy_elapsed);
LB_METHOD(lbo_on_event_destroy, toy_destroy);
LB_METHOD(lbo_unary, toy_kernel);

static int toy_events;

static lb_status toy_allocate(lb_slot slot, lbo_device *device, size_t bytes,
                              void **memory)
{
    LB_IGNORE(slot);
    (void)device;
    (void)bytes;
    *memory = &toy_events;
    return LB_OK;
}

static void toy_free(lb_slot slot, lbo_device *device, void *memory,
                     size_t bytes)
{
    LB_IGNORE(slot);
    (void)device;
    (void)bytes;
    assert_ptr_equal(memory, &toy_events);
}

static lb_status toy_record(lb_slot slot, lbo_device *device, void *stream,
                            void **event)
{
    LB_IGNORE(slot);
    (void)device;
    (void)stream;
    toy_events++;
    *event = &toy_events;
    return LB_OK;
}

static lb_status toy_wait(lb_slot slot, lbo_device *device, void *event)
{
    LB_IGNORE(slot);
    (void)device;
    assert_ptr_equal(event, &toy_events);
    return LB_OK;
}

static lb_status toy_elapsed(lb_slot slot, lbo_device *device, void *start,
                             void *end, double *ns)
{
    LB_IGNORE(slot);
    (void)device;
    (void)start;
    (void)end;
    *ns = 5e6;
    return LB_OK;
}

static void toy_destroy(lb_slot slot, lbo_device *device, void *event)
{
    LB_IGNORE(slot);
    (void)device;
    (void)event;
    toy_events--;
}

static lb_status toy_kernel(lb_slot slot, lbo_context *context, lbo_tensor *a,
                            lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    (void)a;
    (void)call;
    return LB_OK;
}

static lbo_device *make_toy(world *w)
{
    static const struct {
        const char *name;
        const lb_method *method;
    } does[] = {{"device.allocate", LB_DESCRIPTOR(toy_allocate)},
                {"device.free", LB_DESCRIPTOR(toy_free)},
                {"device.event_record", LB_DESCRIPTOR(toy_record)},
                {"device.event_wait", LB_DESCRIPTOR(toy_wait)},
                {"device.event_elapsed", LB_DESCRIPTOR(toy_elapsed)},
                {"device.event_destroy", LB_DESCRIPTOR(toy_destroy)}};
    lb_class *const cls = lb_class_make(lbo_runtime(w->library), "toy", 0,
                                        lbo_device_class(w->library), NULL);
    lbo_device *device;

    for (size_t i = 0; i < COUNT_OF(does); i++)
        assert_ok(lb_add(lb_generic_head(lbo_generic(w->library, does[i].name)),
                         does[i].method, cls));
    assert_ok(
        lbo_device_create(w->library, "toy", cls, 0, -1, NULL, NULL, &device));
    return device;
}

static void the_profiler_takes_the_device_s_time(void **state)
{
    world *const w = *state;
    lbo_device *const toy = make_toy(w);
    const lbo_kernel kernel = {"play", LB_DESCRIPTOR(toy_kernel), LBO_ANY_DTYPE,
                               0, NULL};
    const lbo_spec shape = {.device = toy, .dtype = LBO_F32};
    const lbo_operator *const op = add_operator(w, "play");
    lbo_tensor *x, *y = NULL;
    lbo_call call = {.in = &x, .out = &y, .in_count = 1, .out_count = 1};
    lbo_layer *profiler;
    lb_group *group;
    char table[1024];

    assert_ok(lb_group_create(lbo_runtime(w->library), "toy", 0, &group));
    assert_ok(lbo_register_kernels(w->library, group, toy, &kernel, 1));
    assert_ok(lb_group_commit(group));
    assert_ok(lbo_tensor_create(w->context, &shape, &x));
    assert_ok(lbo_profiler_create(w->library, &profiler));
    assert_ok(lbo_push(w->context, profiler));
    assert_ok(lbo_run(w->context, op, &call));
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    assert_int_equal(toy_events, 0);
    assert_ok(lb_group_remove(group));
    assert_ok(lbo_device_destroy(toy)); /* its name is in the table still */
    (void)lbo_profiler_table(profiler, table, sizeof table);
    assert_contains(strstr(table, "\nplay"),
                    "toy               1        5.000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_shape_logger_tells_each_call),
        TEST(nan_is_found_where_it_comes_from),
        TEST(products_run_in_half_and_sums_in_full),
        TEST(autograd_and_autocast_go_in_either_order),
        TEST(the_profiler_counts_and_traces),
        TEST(the_profiler_takes_the_device_s_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
