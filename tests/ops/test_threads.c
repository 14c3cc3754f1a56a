/* Operators run in several threads while others change what they run.
 *
 * Callers, each with a context of its own, run operators on shared inputs and
 * compare every result with what it must be: alone, under layers that count,
 * and with autograd. Meanwhile changers put kernels in the place of others and
 * take them away, make operators, make, push, pop and destroy layers, make and
 * destroy devices, and open and close a plug-in. What is put in place computes
 * the same. At the end the layers must have counted what the callers called.
 *
 * LB_TORTURE_SECONDS is the time (default 5). Meant for the thread sanitizer.
 */
#include "support/test.h"

#include "latebind/ops.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { CALLERS = 4, SIDE = 32, SIZE = SIDE * SIDE, MOST_OPERATORS = 40 };

static lbo_library *library;
static lbo_layer *autograd, *counting;
static lbo_tensor *a, *b, *product;
static atomic_int finished;
static atomic_ullong called, counted, replaced, changes, swapped, opened;

/* In any thread: says why, and ends the program. */
static void must(bool holds, const char *what)
{
    if (holds)
        return;
    printf("%s; the thread's last message: %s\n", what, lb_message());
    fflush(stdout);
    _Exit(2);
}

#define MUST(call) must((call) == LB_OK, #call)

static bool running(void)
{
    return !atomic_load_explicit(&finished, memory_order_relaxed);
}

static float number(const lbo_tensor *t, int i)
{
    return ((const float *)t->data)[i];
}

/* ---- those who call ----------------------------------------------------------- */

static void check_add(lbo_context *context)
{
    lbo_tensor *out = NULL;

    MUST(lbo_add(context, &out, a, b));
    for (int i = 0; i < SIZE; i += 7)
        must(number(out, i) == number(a, i) + number(b, i), "add is wrong");
    lbo_tensor_release(out);
}

/* Small whole numbers: exact in any order of summing. */
static void check_matmul(lbo_context *context)
{
    lbo_tensor *out = NULL;

    MUST(lbo_matmul(context, &out, a, b));
    must(memcmp(out->data, product->data, SIZE * sizeof(float)) == 0,
         "matmul is wrong");
    lbo_tensor_release(out);
}

static void check_neg(lbo_context *context, lbo_tensor *result)
{
    MUST(lbo_neg(context, &result, a));
    for (int i = 0; i < SIZE; i += 5)
        must(number(result, i) == -number(a, i), "neg is wrong");
}

static void check_sum(lbo_context *context)
{
    lbo_tensor *out = NULL, *view = NULL;
    double got, wanted = 0;

    MUST(lbo_transpose(context, &view, a, 0, NULL));
    MUST(lbo_sum(context, &out, view, -1, NULL, false));
    MUST(lbo_item(context, out, &got));
    for (int i = 0; i < SIZE; i++)
        wanted += (double)number(a, i);
    must(got == wanted, "sum is wrong");
    lbo_tensor_release(view);
    lbo_tensor_release(out);
}

/* Mixed types take the general method. */
static void check_mixed(lbo_context *context)
{
    lbo_tensor *wide = NULL, *out = NULL;

    MUST(lbo_cast(context, &wide, b, LBO_F64));
    MUST(lbo_mul(context, &out, a, wide));
    for (int i = 0; i < SIZE; i += 11)
        must(((const double *)out->data)[i] ==
                 (double)(number(a, i) * number(b, i)),
             "mul is wrong");
    lbo_tensor_release(wide);
    lbo_tensor_release(out);
}

enum { CALLS_OF_ROUND = 7 };

static void call_all(lbo_context *context, lbo_tensor *result)
{
    check_add(context);
    check_matmul(context);
    check_neg(context, result);
    check_sum(context);
    check_mixed(context);
}

/* Of sum(x * b) by x: b. */
static void check_gradient(lbo_context *context)
{
    lbo_tensor *x = NULL, *y = NULL, *loss = NULL;

    MUST(lbo_push(context, autograd));
    MUST(lbo_copy(context, &x, a));
    MUST(lbo_require_gradient(x, true));
    MUST(lbo_mul(context, &y, x, b));
    MUST(lbo_sum(context, &loss, y, -1, NULL, false));
    MUST(lbo_backward(context, loss, NULL, false));
    const lbo_tensor *const gradient = lbo_gradient(x);
    must(gradient != NULL && gradient->size == SIZE, "no gradient");
    for (int i = 0; i < SIZE; i += 13)
        must(((const float *)gradient->data)[i] == number(b, i),
             "a gradient is wrong");
    lbo_tensor_release(loss);
    lbo_tensor_release(y);
    lbo_tensor_release(x);
    MUST(lbo_pop(context, autograd));
}

static void *call(void *unused)
{
    lbo_context *context;
    lbo_tensor *result = NULL;
    const int64_t shape[] = {SIDE, SIDE};

    MUST(lbo_context_create(library, NULL, &context));
    MUST(lbo_empty(context, LBO_F32, 2, shape, &result));
    while (running()) {
        call_all(context, result);
        MUST(lbo_push(context, counting));
        call_all(context, result);
        atomic_fetch_add(&called, CALLS_OF_ROUND);
        MUST(lbo_pop(context, counting));
        check_gradient(context);
    }
    lbo_tensor_release(result);
    lbo_context_destroy(context);
    return unused;
}

static lb_status count(lbo_layer *layer, lbo_context *context, lbo_call *c,
                       const lbo_rest *rest)
{
    atomic_fetch_add((atomic_ullong *)lbo_layer_data(layer), 1);
    return lbo_next(context, c, rest);
}

/* ---- those who change ----------------------------------------------------------- */

LB_METHOD(lbo_unary, same_neg);
static lb_status same_neg(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *c)
{
    float *const out = c->out[0]->data;

    LB_IGNORE(slot);
    (void)context;
    must(lbo_is_contiguous(x) && lbo_is_contiguous(c->out[0]), "strides");
    for (int64_t i = 0; i < x->size; i++)
        out[i] = -((const float *)x->data)[i];
    atomic_fetch_add(&replaced, 1);
    return LB_OK;
}

LB_METHOD(lbo_binary, same_add);
static lb_status same_add(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_tensor *y, lbo_call *c)
{
    lbo_walk walk;

    LB_IGNORE(slot);
    (void)context;
    lbo_walk_init(&walk, c->out[0]->ndim, lbo_shape(c->out[0]), 3,
                  (lbo_tensor *[]){c->out[0], x, y});
    do
        for (int64_t i = 0; i < walk.count; i++)
            *(float *)(void *)(walk.at[0] + i * walk.step[0]) =
                *(float *)(void *)(walk.at[1] + i * walk.step[1]) +
                *(float *)(void *)(walk.at[2] + i * walk.step[2]);
    while (lbo_walk_next(&walk));
    atomic_fetch_add(&replaced, 1);
    return LB_OK;
}

static lbo_device *find_cpu(void)
{
    lbo_device *cpu;

    MUST(lbo_device_find(library, "cpu", &cpu));
    return cpu;
}

/* Kernels come and go. */
static void *swap_kernels(void *unused)
{
    const lbo_kernel kernels[] = {
        {"neg", LB_DESCRIPTOR(same_neg), LBO_F32, 0, NULL},
        {"add", LB_DESCRIPTOR(same_add), LBO_F32, LBO_F32, NULL}};
    lbo_device *const cpu = find_cpu();

    while (running()) {
        lb_group *group;
        MUST(lb_group_create(lbo_runtime(library), "same", 0, &group));
        MUST(lbo_register_kernels(library, group, cpu, kernels, 2));
        MUST(lb_group_commit(group));
        for (int i = 0; i < 50 && running(); i++)
            sched_yield();
        MUST(lb_group_remove(group));
        atomic_fetch_add(&swapped, 1);
    }
    return unused;
}

static lb_status infer_same(const lbo_call *c, lbo_spec *out)
{
    out->dtype = c->in[0]->dtype;
    out->ndim = c->in[0]->ndim;
    memcpy(out->shape, c->in[0]->dims, out->ndim * sizeof(int64_t));
    return LB_OK;
}

/* An operator of its own, with a kernel, under a layer for all operators. */
static void make_operator(lbo_context *context, int n)
{
    char name[32];
    snprintf(name, sizeof name, "mine%d", n);
    const lbo_operator_spec spec = {.name = name,
                                    .dispatched = 1,
                                    .in_count = 1,
                                    .out_count = 1,
                                    .infer = infer_same};
    const lbo_kernel kernel = {name, LB_DESCRIPTOR(same_neg), LBO_F32, 0, NULL};
    const lbo_operator *op;
    lbo_tensor *out = NULL;
    lbo_call now = {.in = &a, .out = &out, .in_count = 1, .out_count = 1};

    MUST(lbo_operator_create(library, &spec, &op));
    MUST(lbo_register_kernels(library, NULL, find_cpu(), &kernel, 1));
    MUST(lbo_push(context, counting));
    MUST(lbo_run(context, op, &now));
    MUST(lbo_pop(context, counting));
    atomic_fetch_add(&called, 1);
    must(number(out, 9) == -number(a, 9), "an operator of mine is wrong");
    lbo_tensor_release(out);
}

static void use_layers(lbo_context *context)
{
    static const char *const some[] = {"neg", "add"};
    atomic_ullong all_calls = 0, some_calls = 0;
    const lbo_layer_spec specs[] = {
        {.name = "all", .handler = count, .data = &all_calls},
        {.name = "some",
         .handler = count,
         .data = &some_calls,
         .operators = some,
         .operator_count = 2}};
    lbo_layer *layers[2];
    lbo_tensor *out = NULL;

    for (int i = 0; i < 2; i++)
        MUST(lbo_layer_create(library, &specs[i], &layers[i]));
    MUST(lbo_set_layers(context, layers, 2));
    must(lbo_layer_destroy(layers[0]) == LB_BUSY, "destroyed while active");
    check_add(context);
    MUST(lbo_exp(context, &out, a));
    MUST(lbo_set_layers(context, NULL, 0));
    must(all_calls == 2 && some_calls == 1, "layers have miscounted");
    for (int i = 0; i < 2; i++)
        MUST(lbo_layer_destroy(layers[i]));
    lbo_tensor_release(out);
}

static void *change_layers(void *unused)
{
    lbo_context *context;
    int made = 0;

    MUST(lbo_context_create(library, NULL, &context));
    while (running()) {
        use_layers(context);
        if (made < MOST_OPERATORS)
            make_operator(context, made++);
        atomic_fetch_add(&changes, 1);
    }
    lbo_context_destroy(context);
    return unused;
}

LB_METHOD(lbo_on_allocate, twin_allocate);
static lb_status twin_allocate(lb_slot slot, lbo_device *device, size_t bytes,
                               void **memory)
{
    LB_IGNORE(slot);
    (void)device;
    *memory = malloc(bytes);
    return *memory != NULL ? LB_OK : LB_NO_MEMORY;
}

LB_METHOD(lbo_on_free, twin_free);
static void twin_free(lb_slot slot, lbo_device *device, void *memory,
                      size_t bytes)
{
    LB_IGNORE(slot);
    (void)device;
    (void)bytes;
    free(memory);
}

/* How a plug-in begins a device: a class, and methods for it. */
static lb_class *twin_class(lb_group *group)
{
    lb_runtime *const runtime = lbo_runtime(library);
    lb_class *const cls =
        lb_class_make(runtime, "twin device", 0,
                      lb_class_of(runtime, &find_cpu()->head), NULL);
    must(cls != NULL, "no class");
    const lb_specializer at = lb_is(cls);
    lb_rule rule = {.method = LB_DESCRIPTOR(twin_allocate),
                    .specializers = &at,
                    .count = 1};

    MUST(
        lb_group_add(group, lbo_generic(library, "device.allocate"), &rule, 1));
    rule.method = LB_DESCRIPTOR(twin_free);
    MUST(lb_group_add(group, lbo_generic(library, "device.free"), &rule, 1));
    MUST(lb_group_commit(group));
    return cls;
}

/* A second CPU comes, is used, and goes with all that belongs to it. */
static void use_device(lbo_context *context)
{
    lbo_device *device;
    lbo_tensor *there = NULL, *back = NULL;
    lb_group *group;

    MUST(lb_group_create(lbo_runtime(library), "twin", 0, &group));
    lb_class *const cls = twin_class(group);
    MUST(lbo_device_create(library, "twin", cls, LBO_HOST, 0, NULL, NULL,
                           &device));
    MUST(lbo_to_device(context, &there, a, device));
    must(lbo_device_destroy(device) == LB_BUSY, "destroyed with a tensor");
    MUST(lbo_to_device(context, &back, there, find_cpu()));
    must(number(back, 3) == number(a, 3), "a copy is wrong");
    lbo_tensor_release(there);
    lbo_tensor_release(back);
    MUST(lbo_device_destroy(device));
    MUST(lb_group_remove(group));
    MUST(lb_class_destroy(cls));
}

static void use_plugin(lbo_context *context)
{
    lb_plugin *plugin;

    if (getenv("LATEBIND_OPS_PLUGINS") == NULL)
        return;
    MUST(lbo_plugin_open(library, "cpu-fast", &plugin));
    check_matmul(context);
    MUST(lbo_plugin_close(library, plugin));
    atomic_fetch_add(&opened, 1);
}

static void *change_devices(void *unused)
{
    lbo_context *context;

    MUST(lbo_context_create(library, NULL, &context));
    while (running()) {
        use_device(context);
        use_plugin(context);
    }
    lbo_context_destroy(context);
    return unused;
}

/* ---- all together ----------------------------------------------------------------- */

static double seconds(void)
{
    const char *const text = getenv("LB_TORTURE_SECONDS");

    return text != NULL ? strtod(text, NULL) : 5;
}

static void wait_for(double duration)
{
    const time_t whole = (time_t)duration;
    struct timespec left = {whole, (long)((duration - (double)whole) * 1e9)};

    while (nanosleep(&left, &left) != 0)
        continue;
}

static void begin(lbo_context *context)
{
    static const lbo_layer_spec spec = {
        .name = "counting", .handler = count, .data = &counted};
    static float numbers[SIZE], more[SIZE];
    const int64_t shape[] = {SIDE, SIDE};

    for (int i = 0; i < SIZE; i++) {
        numbers[i] = (float)(i * 7 % 11 - 5);
        more[i] = (float)(i * 5 % 13 - 6);
    }
    assert_ok(lbo_from_data(context, LBO_F32, 2, shape, numbers, &a));
    assert_ok(lbo_from_data(context, LBO_F32, 2, shape, more, &b));
    assert_ok(lbo_empty(context, LBO_F32, 2, shape, &product));
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            float sum = 0;
            for (int k = 0; k < SIDE; k++)
                sum += numbers[i * SIDE + k] * more[k * SIDE + j];
            ((float *)product->data)[i * SIDE + j] = sum;
        }
    assert_ok(lbo_autograd_create(library, &autograd));
    assert_ok(lbo_layer_create(library, &spec, &counting));
}

static void everything_changes_while_others_call(void **state)
{
    static void *(*const others[])(void *) = {swap_kernels, change_layers,
                                              change_devices};
    pthread_t threads[CALLERS + COUNT_OF(others)];
    lbo_context *context;

    (void)state;
    assert_ok(lbo_library_create(NULL, &library));
    assert_ok(lbo_context_create(library, NULL, &context));
    begin(context);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(
            0, pthread_create(&threads[i], NULL,
                              i < CALLERS ? call : others[i - CALLERS], NULL));
    wait_for(seconds());
    atomic_store(&finished, 1);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(0, pthread_join(threads[i], NULL));
    print_message("%llu calls counted, %llu by kernels put in place, %llu "
                  "times put there, %llu changes of layers, %llu "
                  "plug-ins opened\n",
                  atomic_load(&counted), atomic_load(&replaced),
                  atomic_load(&swapped), atomic_load(&changes),
                  atomic_load(&opened));
    assert_true(atomic_load(&called) > 0);
    assert_true(atomic_load(&counted) == atomic_load(&called));
    assert_true(atomic_load(&replaced) > 0 && atomic_load(&changes) > 0 &&
                atomic_load(&swapped) > 0);
    assert_true(getenv("LATEBIND_OPS_PLUGINS") == NULL ||
                atomic_load(&opened) > 0);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(product);
    lbo_context_destroy(context);
    assert_ok(lbo_library_destroy(library));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_changes_while_others_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
