/* Every allocation fails in turn.
 *
 * For each body - making a library, a context, a layer; an operator in several
 * forms; training a small model; a checkpoint - and each n = 1, 2, ...: the n-th
 * allocation is refused, once, or it and all that follow. The body must succeed
 * all the same or fail with LB_NO_MEMORY, hold not a byte more than before, and
 * do the right thing when it is tried again.
 *
 * What a first call leaves in the engine's tables is no leak: each body runs
 * once with memory before its bytes are counted; and before that the tables
 * themselves are made with failing allocations.
 */
#include "calls.h"

#include "support/allocator.h"
#include "support/test.h"

#include <unistd.h>

static allocator memory;
static lbo_library *library;
static lbo_context *context;
static const char *wanted_plugin; /* its kernels instead of the portable ones */

static const lbo_library_config config = {.abi = LBO_ABI,
                                          .reallocate = allocator_reallocate,
                                          .allocator_context = &memory};

static int open_library(void **state)
{
    (void)state;
    allocator_arm(&memory, 0, 0);
    assert_ok(lbo_library_create(&config, &library));
    assert_ok(lbo_context_create(library, NULL, &context));
    if (wanted_plugin != NULL)
        assert_ok(lbo_plugin_open(library, wanted_plugin, NULL));
    return 0;
}

static int close_library(void **state)
{
    (void)state;
    allocator_arm(&memory, 0, 0);
    lbo_context_destroy(context);
    assert_ok(lbo_library_destroy(library));
    assert_true(allocator_finish(&memory));
    return 0;
}

/* ---- the sweep ------------------------------------------------------------ */

/* Does a thing and undoes it; what it computed goes into `result`. */
typedef lb_status (*body_fn)(void *argument, double *result);

typedef struct sweep {
    const char *name;
    body_fn body;
    void *argument;
    double wanted;
    size_t held; /* bytes before */
} sweep;

static size_t held(void)
{
    if (library != NULL)
        assert_ok(lb_quiesce(lbo_runtime(library)));
    return memory.bytes;
}

/* 1 when the body was refused something. */
static int fail_once(const sweep *s, uint64_t at, int on)
{
    double result = s->wanted;

    allocator_arm(&memory, at, on);
    const lb_status status = s->body(s->argument, &result);
    const uint64_t refused = memory.refused;
    allocator_arm(&memory, 0, 0);
    if (status != LB_OK && (status != LB_NO_MEMORY || refused == 0))
        fail_msg("%s, allocation %d: %s: %s", s->name, (int)at,
                 lb_status_name(status), lb_message());
    if (status == LB_NO_MEMORY && strstr(lb_message(), "memory") == NULL &&
        strstr(lb_message(), "MEMORY") == NULL)
        fail_msg("%s, allocation %d: the message is \"%s\"", s->name, (int)at,
                 lb_message());
    if (result != s->wanted)
        fail_msg("%s, allocation %d: %.17g, not %.17g", s->name, (int)at,
                 result, s->wanted);
    assert_int_equal(memory.wrong, 0);
    return refused > 0;
}

static void run_again(const sweep *s, uint64_t at)
{
    double result = s->wanted;
    const lb_status status = s->body(s->argument, &result);

    if (status != LB_OK || result != s->wanted)
        fail_msg("%s, again after allocation %d: %s: %s", s->name, (int)at,
                 lb_status_name(status), lb_message());
}

/* After a run with memory: what could not be taken apart before is gone now. The
 * engine's own tables may grow by one more failure; a leak grows by each. */
static void check_held(sweep *s, uint64_t at, int on)
{
    const size_t before = s->held;

    for (int i = 0; i < 5; i++) {
        run_again(s, at);
        const size_t now = held();
        if (now <= s->held)
            return;
        s->held = now;
        (void)fail_once(s, at, on);
    }
    fail_msg("%s, allocation %d: %zu bytes leak in five runs", s->name, (int)at,
             held() - before);
}

/* Returns how many allocations the body makes. */
static uint64_t fail_each(sweep *s, int on)
{
    uint64_t at = 1;

    while (fail_once(s, at, on)) {
        check_held(s, at, on);
        at++;
    }
    return at - 1;
}

/* `cold`: before the engine's tables for it are made, too. */
static uint64_t sweep_body(const char *name, body_fn body, void *argument,
                           double wanted, bool cold)
{
    sweep s = {name, body, argument, wanted, 0};

    if (cold)
        for (uint64_t at = 1; fail_once(&s, at, 0); at++)
            continue;
    run_again(&s, 0);
    run_again(&s, 0);
    s.held = held();
    const uint64_t count = fail_each(&s, 0);
    (void)fail_each(&s, 1);
    run_again(&s, 0);
    return count;
}

/* ---- the library ----------------------------------------------------------- */

static void library_is_made_or_not(void **state)
{
    uint64_t at = 1, made = 0;

    (void)state;
    library = NULL;
    for (;; at++) {
        lbo_library *fresh = NULL;
        allocator_arm(&memory, at, at % 2 == 0);
        const lb_status status = lbo_library_create(&config, &fresh);
        const uint64_t refused = memory.refused;
        allocator_arm(&memory, 0, 0);
        if (status == LB_OK) {
            made++;
            assert_ok(lbo_library_destroy(fresh));
        } else
            assert_status(LB_NO_MEMORY, status);
        assert_true(allocator_finish(&memory));
        if (refused == 0)
            break;
        at += at / 64; /* a prime would do as well: all kinds are met */
    }
    assert_true(at > 100 && made > 0);
}

static lb_status make_context(void *argument, double *result)
{
    lbo_context *fresh;
    const lb_status status = lbo_context_create(library, "auto", &fresh);

    (void)argument;
    (void)result;
    if (status == LB_OK)
        lbo_context_destroy(fresh);
    return status;
}

static void contexts(void **state)
{
    (void)state;
    assert_true(sweep_body("context", make_context, NULL, 0, true) > 0);
}

/* ---- devices ---------------------------------------------------------------- */

static lb_status make_device(void *argument, double *result)
{
    lb_class *const cls = argument;
    lbo_device *device;
    const lb_status status = lbo_device_create(
        library, "twin", cls, LBO_HOST, 0, "a second CPU", NULL, &device);

    (void)result;
    return status == LB_OK ? lbo_device_destroy(device) : status;
}

static void devices(void **state)
{
    lbo_device *cpu;

    (void)state;
    assert_ok(lbo_device_find(library, "cpu", &cpu));
    lb_class *const cls =
        lb_class_make(lbo_runtime(library), "twin device", 0,
                      lb_class_of(lbo_runtime(library), &cpu->head), NULL);
    assert_non_null(cls);
    assert_true(sweep_body("device", make_device, cls, 0, true) > 9);
    assert_int_equal(lbo_device_count(library), 1);
}

/* ---- operators -------------------------------------------------------------- */

static lb_status infer_first(const lbo_call *call, lbo_spec *out)
{
    out->dtype = call->in[0]->dtype;
    out->ndim = call->in[0]->ndim;
    memcpy(out->shape, call->in[0]->dims, out->ndim * sizeof(int64_t));
    return LB_OK;
}

/* Operators stay: a name that is new each time, until it succeeds. */
static void operators_are_made_or_not(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        uint64_t at = 1;
        char name[32];
        lb_status status;
        snprintf(name, sizeof name, "mine%d", on);
        const lbo_operator_spec spec = {.name = name,
                                        .dispatched = 1,
                                        .in_count = 1,
                                        .out_count = 1,
                                        .infer = infer_first};
        const lbo_operator *op = NULL;
        do {
            const size_t count = lbo_operator_count(library);
            allocator_arm(&memory, at++, on);
            status = lbo_operator_create(library, &spec, &op);
            const uint64_t refused = memory.refused;
            allocator_arm(&memory, 0, 0);
            if (status == LB_OK)
                break;
            assert_status(LB_NO_MEMORY, status);
            assert_true(refused > 0);
            assert_int_equal(lbo_operator_count(library), count);
            assert_null(lbo_operator_find(library, name));
            assert_null(lbo_generic(library, name));
        } while (at < 1000);
        assert_ok(status);
        assert_true(at > 4);
        assert_ptr_equal(lbo_operator_find(library, name), op);
    }
}

LB_METHOD(lbo_unary, seven);
static lb_status seven(lb_slot slot, lbo_context *c, lbo_tensor *a,
                       lbo_call *call)
{
    LB_IGNORE(slot);
    (void)c;
    (void)a;
    if (call->out[0]->size > 0)
        *(float *)call->out[0]->data = 7;
    return LB_OK;
}

/* A failed registration adds nothing: neg stays itself. */
static void kernels_are_added_or_not(void **state)
{
    const lbo_kernel kernels[] = {
        {"neg", LB_DESCRIPTOR(seven), LBO_F32, 0, NULL},
        {"abs", LB_DESCRIPTOR(seven), LBO_F32, 0, NULL},
        {"exp", LB_DESCRIPTOR(seven), LBO_F32, 0, NULL}};
    lbo_device *const cpu = lbo_context_device(context);
    lbo_tensor *x = NULL, *y = NULL;
    const float one = 1;
    lb_status status;
    double value;
    uint64_t at = 1;

    (void)state;
    assert_ok(lbo_from_data(context, LBO_F32, 0, NULL, &one, &x));
    assert_ok(lbo_neg(context, &y, x));
    do {
        lb_group *group = NULL;
        assert_ok(lb_group_create(lbo_runtime(library), "k", 0, &group));
        allocator_arm(&memory, at++, 0);
        status = lbo_register_kernels(library, group, cpu, kernels, 3);
        if (status == LB_OK)
            status = lb_group_commit(group);
        const uint64_t refused = memory.refused;
        allocator_arm(&memory, 0, 0);
        if (status != LB_OK) {
            assert_status(LB_NO_MEMORY, status);
            assert_ok(lb_group_remove(group));
        }
        assert_true(status == LB_OK || refused > 0);
        assert_ok(lbo_neg(context, &y, x));
        assert_ok(lbo_item(context, y, &value));
        assert_true(value == (status == LB_OK ? 7 : -1));
        if (status == LB_OK) {
            assert_ok(lb_group_remove(group));
            if (refused > 0) /* not having words for a message is no failure */
                status = LB_NO_MEMORY;
        }
    } while (status != LB_OK && at < 1000);
    assert_ok(status);
    assert_true(at > 5);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* ---- layers ----------------------------------------------------------------- */

static lb_status go_on(lbo_layer *layer, lbo_context *c, lbo_call *call,
                       const lbo_rest *rest)
{
    ++*(double *)lbo_layer_data(layer);
    return lbo_next(c, call, rest);
}

/* Two layers, named ones and for all, pushed, used, popped, destroyed. */
static lb_status use_layers(lbo_layer **layers, double *seen)
{
    lbo_tensor *x = NULL, *y = NULL;
    const float one = 1;
    lb_status status = lbo_push(context, layers[0]);

    if (status == LB_OK)
        status = lbo_push(context, layers[1]);
    if (status == LB_OK)
        status = lbo_from_data(context, LBO_F32, 0, NULL, &one, &x);
    const double before = *seen;
    if (status == LB_OK)
        status = lbo_neg(context, &y, x);
    *seen = status == LB_OK ? *seen - before : 2;
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    return status;
}

static lb_status make_layers(void *argument, double *result)
{
    static const char *const named[] = {"neg", "add"};
    double seen = 0;
    const lbo_layer_spec specs[] = {
        {.name = "all", .handler = go_on, .data = &seen},
        {.name = "some",
         .handler = go_on,
         .data = &seen,
         .operators = named,
         .operator_count = 2}};
    lbo_layer *layers[2] = {NULL};
    lb_status status = lbo_layer_create(library, &specs[0], &layers[0]);

    (void)argument;
    if (status == LB_OK)
        status = lbo_layer_create(library, &specs[1], &layers[1]);
    if (status == LB_OK) {
        status = use_layers(layers, &seen);
        *result = seen;
    }
    char text[512];
    snprintf(text, sizeof text, "%s", lb_message());
    /* What was made is taken away with memory. */
    const uint64_t fail_at = memory.fail_at, requests = memory.requests;
    const uint64_t refused = memory.refused;
    allocator_arm(&memory, 0, 0);
    if (lbo_set_layers(context, NULL, 0) != LB_OK)
        fail_msg("layers stay: %s", lb_message());
    for (int i = 0; i < 2; i++)
        if (lbo_layer_destroy(layers[i]) != LB_OK)
            fail_msg("a layer stays: %s", lb_message());
    memory.fail_at = fail_at;
    memory.requests = requests;
    memory.refused = refused;
    return status == LB_OK ? LB_OK : lb_fail_with(status, text);
}

static void layers(void **state)
{
    (void)state;
    assert_true(sweep_body("layers", make_layers, NULL, 2, true) > 100);
}

/* Destroying a layer without memory succeeds, and it never runs again. */
static void layers_end_without_memory(void **state)
{
    static const lbo_layer_spec spec = {.name = "doomed", .handler = go_on};
    lbo_tensor *x = NULL, *y = NULL;
    const float one = 1;

    (void)state;
    assert_ok(lbo_from_data(context, LBO_F32, 0, NULL, &one, &x));
    for (uint64_t at = 1; at < 200; at += 7) {
        lbo_layer *layer;
        double seen = 0;
        lbo_layer_spec now = spec;
        now.data = &seen;
        assert_ok(lbo_layer_create(library, &now, &layer));
        assert_ok(lbo_push(context, layer));
        assert_ok(lbo_neg(context, &y, x));
        assert_true(seen == 1);
        assert_ok(lbo_pop(context, layer));
        allocator_arm(&memory, at, 1);
        assert_ok(lbo_layer_destroy(layer));
        allocator_arm(&memory, 0, 0);
        assert_ok(lbo_neg(context, &y, x));
        assert_ok(make_layers(NULL, &seen));
        assert_true(seen == 2);
    }
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* ---- every operator ----------------------------------------------------------- */

enum { PLAIN, GIVEN, ON_INPUT, FORMS };

typedef struct operator_body {
    const call_row *row;
    lbo_dtype floating;
    lbo_dtype second; /* of the second input, converted: mixed types */
    int form;
} operator_body;

/* All results' bytes as one number; NaNs have bits, too. */
static double digest(const ready_call *call)
{
    uint64_t sum = 14695981039346656037u;

    for (uint32_t i = 0; i < call->op->spec.out_count; i++) {
        char bytes[CALL_ELEMENTS * 8];
        const size_t size = lbo_tensor_bytes(call->out[i]);
        assert_true(size <= sizeof bytes);
        const uint64_t fail_at = memory.fail_at, requests = memory.requests;
        memory.fail_at = 0;
        assert_ok(lbo_read(context, call->out[i], bytes, size));
        memory.fail_at = fail_at;
        memory.requests = requests;
        for (size_t k = 0; k < size; k++)
            sum = (sum ^ (unsigned char)bytes[k]) * 1099511628211u;
    }
    return (double)(sum >> 12);
}

/* Another type for the second input, if it is a floating one. */
static lb_status mix(const operator_body *b, ready_call *call)
{
    lbo_tensor *other = NULL;

    if (b->second == b->floating || call->in_count < 2 || call->in[1] == NULL ||
        call->in[1]->dtype != (uint8_t)b->floating ||
        !(call->op->spec.flags & LBO_PROMOTES))
        return LB_OK;
    const lb_status status = lbo_cast(context, &other, call->in[1], b->second);
    if (status == LB_OK) {
        lbo_tensor_release(call->in[1]);
        call->in[1] = other;
    }
    return status;
}

/* GIVEN: results are made before; ON_INPUT: the first result is the first
 * input backwards, where it fits: it overlaps and must be put aside. */
static lb_status give_results(const operator_body *b, ready_call *call)
{
    lbo_call now = {.in = call->in,
                    .out = call->out,
                    .attributes = call->attributes,
                    .in_count = call->in_count,
                    .out_count = call->op->spec.out_count};
    lbo_spec specs[LBO_MAX_OUT];
    lb_status status = LB_OK;

    if (b->form == PLAIN || call->op->spec.flags & LBO_VIEW ||
        call->op->spec.dispatched == 0)
        return LB_OK;
    status = lbo_infer(context, call->op, &now, specs);
    for (uint32_t i = 0; i < now.out_count && status == LB_OK; i++) {
        lbo_tensor *const a = call->in[0];
        if (i == 0 && b->form == ON_INPUT && a->ndim == 2 &&
            specs[0].ndim == 2 && a->dtype == specs[0].dtype &&
            a->dims[0] == specs[0].shape[0] && a->dims[1] == specs[0].shape[1])
            status =
                lbo_tensor_view(a, a->size - 1, 2, a->dims,
                                (int64_t[]){-a->dims[1], -1}, &call->out[0]);
        else
            status = lbo_tensor_create(context, &specs[i], &call->out[i]);
    }
    return status;
}

static lb_status run_operator(void *argument, double *result)
{
    const operator_body *const b = argument;
    ready_call call;
    lb_status status = make_call(context, b->row, b->floating, &call);

    assert_int_not_equal(status, LB_NOT_FOUND);
    if (status == LB_OK)
        status = mix(b, &call);
    if (status == LB_OK)
        status = give_results(b, &call);
    lbo_tensor *before[LBO_MAX_OUT];
    memcpy(before, call.out, sizeof before);
    if (status == LB_OK) {
        status = run_call(context, &call);
        if (status != LB_OK) /* nothing is made */
            assert_memory_equal(before, call.out, sizeof before);
    }
    if (status == LB_OK)
        *result = digest(&call);
    end_call(&call);
    return status;
}

/* What is right is found with memory, in a library of its own. */
static lbo_library *other_library;
static lbo_context *other_context;

static void swap_libraries(void)
{
    lbo_library *const tested = library;
    lbo_context *const tested_context = context;

    library = other_library;
    context = other_context;
    other_library = tested;
    other_context = tested_context;
}

static void sweep_operator(const call_row *row, lbo_dtype floating,
                           lbo_dtype second, int form)
{
    operator_body b = {row, floating, second, form};
    char name[160];
    double wanted = 0;

    snprintf(name, sizeof name, "%s of %s and %s, form %d", row->op,
             lbo_dtype_name(floating), lbo_dtype_name(second), form);
    swap_libraries();
    const lb_status status = run_operator(&b, &wanted);
    swap_libraries();
    if (status != LB_OK)
        fail_msg("%s: %s", name, lb_message());
    assert_true(sweep_body(name, run_operator, &b, wanted, true) > 0);
}

static void every_operator(void **state)
{
    (void)state;
    assert_ok(lbo_library_create(NULL, &other_library));
    assert_ok(lbo_context_create(other_library, NULL, &other_context));
    if (wanted_plugin != NULL)
        assert_ok(lbo_plugin_open(other_library, wanted_plugin, NULL));
    for (size_t i = 0; i < lbo_operator_count(library); i++) {
        const char *const name = lbo_operator_at(library, i)->spec.name;
        const call_row *const row = find_call_row(name);
        if (row == NULL)
            fail_msg("calls.h has no row for %s", name);
        for (int form = 0; form < FORMS; form++)
            sweep_operator(row, LBO_F32, LBO_F32, form);
        sweep_operator(row, LBO_BF16, LBO_BF16, PLAIN);
        sweep_operator(row, LBO_F16, LBO_F16, GIVEN);
        sweep_operator(row, LBO_F64, LBO_F32, PLAIN);
    }
    lbo_context_destroy(other_context);
    assert_ok(lbo_library_destroy(other_library));
}

static void each_row_is_an_operators(void **state)
{
    (void)state;
    for (size_t i = 0; i < CALL_ROWS; i++)
        if (lbo_operator_find(library, call_rows[i].op) == NULL)
            fail_msg("there is no operator %s", call_rows[i].op);
    assert_int_equal(CALL_ROWS, lbo_operator_count(library));
}

/* ---- models ------------------------------------------------------------------- */

typedef struct training {
    lbo_module *model, *parts[4];
    lbo_optimizer *optimizer;
    lbo_tensor *x, *target;
} training;

static void end_training(training *t)
{
    lbo_optimizer_destroy(t->optimizer);
    lbo_module_release(t->model);
    for (int i = 0; i < 4; i++)
        lbo_module_release(t->parts[i]);
    lbo_tensor_release(t->x);
    lbo_tensor_release(t->target);
    memset(t, 0, sizeof *t);
}

static lb_status begin_training(training *t)
{
    const int64_t rows = 4, x_shape[] = {4, 6};
    lb_status status;

    memset(t, 0, sizeof *t);
    lbo_seed(context, 1);
    status = make_input(context, 'f', LBO_F32, 2, x_shape, &t->x);
    if (status == LB_OK)
        status = make_input(context, 'i', LBO_F32, 1, &rows, &t->target);
    if (status == LB_OK)
        status = lbo_linear_module(context, 6, 8, true, &t->parts[0]);
    if (status == LB_OK)
        status = lbo_layer_norm_module(context, 8, &t->parts[1]);
    if (status == LB_OK)
        status = lbo_activation_module(context, "gelu", &t->parts[2]);
    if (status == LB_OK)
        status = lbo_linear_module(context, 8, 3, true, &t->parts[3]);
    if (status == LB_OK)
        status = lbo_sequential(context, t->parts, 4, &t->model);
    if (status == LB_OK)
        status = lbo_adam(t->model, 0.01, 0.9, 0.999, 1e-8, 0.01, true,
                          &t->optimizer);
    return status;
}

static lb_status train_step(training *t, double *result)
{
    lbo_tensor *y = NULL, *loss = NULL;
    lb_status status;

    lbo_zero_gradients(t->optimizer);
    status = lbo_forward(context, t->model, t->x, &y);
    if (status == LB_OK)
        status = lbo_cross_entropy(context, &loss, y, t->target,
                                   LBO_REDUCE_MEAN, -100);
    if (status == LB_OK)
        status = lbo_backward(context, loss, NULL, false);
    if (status == LB_OK)
        status = lbo_clip_gradients(context, t->optimizer, 1, NULL);
    if (status == LB_OK)
        status = lbo_step(context, t->optimizer);
    if (status == LB_OK)
        status = lbo_item(context, loss, result);
    lbo_tensor_release(loss);
    lbo_tensor_release(y);
    return status;
}

static lb_status train(void *argument, double *result)
{
    training t;
    double loss = 0;
    lb_status status = begin_training(&t);

    (void)argument;
    for (int i = 0; i < 2 && status == LB_OK; i++)
        status = train_step(&t, &loss);
    if (status == LB_OK)
        *result = loss;
    end_training(&t);
    return status;
}

static void push_autograd(void)
{
    lbo_layer *autograd;

    assert_ok(lbo_autograd_create(library, &autograd));
    assert_ok(lbo_push(context, autograd));
}

static void models(void **state)
{
    double wanted = 0;

    (void)state;
    push_autograd();
    assert_ok(train(NULL, &wanted));
    assert_true(wanted > 0);
    assert_true(sweep_body("training", train, NULL, wanted, false) > 100);
}

/* One model lives through the failures of its steps: after a step that fails,
 * with memory again, the next ones bring the loss down. */
static void a_model_outlives_failures(void **state)
{
    training t;
    double first = 0, last = 0;
    uint64_t at = 1, refused;

    (void)state;
    push_autograd();
    assert_ok(begin_training(&t));
    assert_ok(train_step(&t, &first));
    do {
        allocator_arm(&memory, at++, 0);
        const lb_status status = train_step(&t, &last);
        refused = memory.refused;
        allocator_arm(&memory, 0, 0);
        if (status != LB_OK)
            assert_status(LB_NO_MEMORY, status);
    } while (refused > 0);
    assert_ok(train_step(&t, &last));
    assert_true(at > 50 && last < first);
    end_training(&t);
}

/* ---- checkpoints --------------------------------------------------------------- */

static char path[] = "/tmp/latebind-ops-XXXXXX";

static lb_status save_and_load(void *argument, double *result)
{
    static const char *const metadata[][2] = {{"made by", "a test"}};
    training *const t = argument;
    lbo_archive *archive = NULL;
    lb_status status =
        lbo_training_save(context, t->model, t->optimizer, metadata, 1, path);

    if (status == LB_OK)
        status = lbo_training_load(context, t->model, t->optimizer, path);
    if (status == LB_OK)
        status = lbo_module_load(context, t->model, path);
    if (status == LB_OK)
        status = lbo_load_tensors(context, path, &archive);
    if (status == LB_OK) {
        lbo_tensor *const w = lbo_archive_find(archive, "0.weight");
        assert_non_null(w);
        *result = (double)((const float *)w->data)[5];
    }
    lbo_archive_destroy(archive);
    return status;
}

static void checkpoints(void **state)
{
    training t;
    double loss = 0, wanted = 0;
    const int file = mkstemp(path);

    (void)state;
    assert_true(file >= 0);
    close(file);
    push_autograd();
    assert_ok(begin_training(&t));
    assert_ok(train_step(&t, &loss));
    assert_ok(save_and_load(&t, &wanted));
    assert_true(wanted ==
                (double)((const float *)lbo_module_tensor(t.model, "0.weight")
                             ->data)[5]);
    assert_true(sweep_body("checkpoint", save_and_load, &t, wanted, false) >
                10);
    end_training(&t);
    unlink(path);
    strcpy(path + strlen(path) - 6, "XXXXXX");
}

/* ---- DLPack --------------------------------------------------------------------- */

static lb_status there_and_back(void *argument, double *result)
{
    lbo_tensor *const x = argument;
    lbo_tensor *same = NULL, *legacy_same = NULL;
    lbo_dl_versioned *managed = NULL;
    lbo_dl_managed *legacy = NULL;
    lb_status status = lbo_to_dlpack_versioned(x, &managed);

    if (status == LB_OK) {
        status = lbo_from_dlpack_versioned(library, managed, &same);
        if (status != LB_OK)
            managed->deleter(managed);
    }
    if (status == LB_OK)
        status = lbo_to_dlpack(same, &legacy);
    if (status == LB_OK) {
        status = lbo_from_dlpack(library, legacy, &legacy_same);
        if (status != LB_OK)
            legacy->deleter(legacy);
    }
    if (status == LB_OK)
        *result = (double)((const float *)legacy_same->data)[3];
    lbo_tensor_release(legacy_same);
    lbo_tensor_release(same);
    return status;
}

static void dlpack(void **state)
{
    const int64_t shape[] = {2, 3};
    lbo_tensor *x = NULL;

    (void)state;
    assert_ok(make_input(context, 'f', LBO_F32, 2, shape, &x));
    assert_true(sweep_body("dlpack", there_and_back, x,
                           (double)((const float *)x->data)[3], true) >= 4);
    lbo_tensor_release(x);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_library, close_library)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_is_made_or_not),
        TEST(contexts),
        TEST(devices),
        TEST(operators_are_made_or_not),
        TEST(kernels_are_added_or_not),
        TEST(layers),
        TEST(layers_end_without_memory),
        TEST(each_row_is_an_operators),
        TEST(every_operator),
        TEST(models),
        TEST(a_model_outlives_failures),
        TEST(checkpoints),
        TEST(dlpack),
    };

    wanted_plugin = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
