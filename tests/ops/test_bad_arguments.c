/* What cannot be right: every public function gets it, refuses it with the
 * documented status and a message that names what is wrong, and leaves
 * everything as it was.
 *
 * Each operator is called with the rows of calls.h, of which one thing at a time
 * is spoilt: an input that is missing, of a type or shape that nothing takes,
 * on another device, of another library; one input too many or too few; no
 * attributes; results that are read-only, broadcast, of another shape or type.
 */
#include "calls.h"
#include "tensors.h"

#define refused(call) assert_status(LB_BAD_ARGUMENT, call)

static void refused_naming(lb_status status, const char *name)
{
    assert_status(LB_BAD_ARGUMENT, status);
    if (strncmp(lb_message(), name, strlen(name)) != 0)
        fail_msg("\"%s\" does not begin with %s", lb_message(), name);
}

/* ---- libraries and contexts -------------------------------------------------- */

static void libraries(void **state)
{
    world *const w = *state;
    lbo_library_config config = {.abi = LBO_ABI + 1};
    lbo_library *library = NULL;
    lbo_context *context = NULL;
    lb_plugin *plugin = NULL;

    refused(lbo_library_create(NULL, NULL));
    assert_status(LB_BAD_ABI, lbo_library_create(&config, &library));
    assert_ok(lbo_library_destroy(NULL));
    assert_status(LB_BUSY, lbo_library_destroy(w->library));
    refused(lbo_context_create(NULL, NULL, &context));
    refused(lbo_context_create(w->library, NULL, NULL));
    assert_status(LB_NOT_FOUND,
                  lbo_context_create(w->library, "abacus", &context));
    assert_contains(lb_message(), "abacus");
    assert_contains(lb_message(), "cpu");
    assert_status(LB_NOT_FOUND, lbo_context_set_device(w->context, "abacus"));
    refused(lbo_context_set_device(w->context, NULL));
    lbo_context_destroy(NULL);
    refused(lbo_plugin_open(NULL, "cpu-fast", &plugin));
    refused(lbo_plugin_open(w->library, NULL, &plugin));
    assert_status(LB_NOT_FOUND, lbo_plugin_open(w->library, "abacus", &plugin));
    assert_contains(lb_message(), "abacus");
    refused(lbo_plugin_close(NULL, NULL));
    refused(lbo_plugin_close(w->library, NULL));
    refused(lbo_open_all(NULL));
    assert_null(library);
    assert_null(context);
    assert_null(plugin);
}

static void devices(void **state)
{
    world *const w = *state;
    lbo_library *const l = w->library;
    lbo_device *device = NULL, *cpu;
    lb_class *const cls = lbo_device_class(l);
    char long_name[200];

    assert_ok(lbo_device_find(l, "cpu", &cpu));
    refused(lbo_device_find(NULL, "cpu", &device));
    refused(lbo_device_find(l, NULL, &device));
    refused(lbo_device_find(l, "cpu", NULL));
    refused(lbo_device_create(NULL, "x", cls, 0, 0, NULL, NULL, &device));
    refused(lbo_device_create(l, NULL, cls, 0, 0, NULL, NULL, &device));
    refused(lbo_device_create(l, "x", NULL, 0, 0, NULL, NULL, &device));
    refused(lbo_device_create(l, "x", cls, 0, 0, NULL, NULL, NULL));
    refused(lbo_device_create(l, "", cls, 0, 0, NULL, NULL, &device));
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    refused(lbo_device_create(l, long_name, cls, 0, 0, NULL, NULL, &device));
    refused(lbo_device_create(l, "x", lbo_tensor_class(l, "f32"), 0, 0, NULL,
                              NULL, &device));
    assert_status(LB_EXISTS,
                  lbo_device_create(l, "cpu", cls, 0, 0, NULL, NULL, &device));
    refused(lbo_synchronize(NULL));
    assert_ok(lbo_device_destroy(NULL));
    assert_null(lbo_device_at(l, 99));
    assert_int_equal(lbo_device_count(l), 1);
    assert_null(device);
}

/* ---- tensors ------------------------------------------------------------------ */

static void sizes(void **state)
{
    world *const w = *state;
    lbo_context *const c = w->context;
    const int64_t negative[] = {2, -1}, huge[] = {INT64_MAX, 2};
    const int64_t bytes[] = {INT64_MAX / 2}, hidden[] = {0, 1ll << 62, 4};
    int64_t ones[LBO_MAX_DIMS + 1];
    lbo_tensor *t = NULL;
    lbo_spec spec = {.dtype = LBO_F32, .ndim = LBO_MAX_DIMS + 1};

    for (size_t i = 0; i < COUNT_OF(ones); i++)
        ones[i] = 1;
    refused(lbo_empty(NULL, LBO_F32, 0, NULL, &t));
    refused(lbo_empty(c, LBO_F32, 0, NULL, NULL));
    refused(lbo_empty(c, LBO_F32, 1, NULL, &t));
    refused(lbo_empty(c, (lbo_dtype)9, 0, NULL, &t));
    refused(lbo_empty(c, (lbo_dtype)-1, 0, NULL, &t));
    refused(lbo_empty(c, LBO_F32, 2, negative, &t));
    refused(lbo_empty(c, LBO_F32, 2, huge, &t));
    refused(lbo_empty(c, LBO_F32, 1, bytes, &t));
    refused(lbo_empty(c, LBO_F32, 3, hidden, &t));
    refused(lbo_empty(c, LBO_F32, 17, ones, &t));
    refused(lbo_tensor_create(c, NULL, &t));
    refused(lbo_tensor_create(c, &spec, &t));
    refused(lbo_from_data(c, LBO_F32, 0, NULL, NULL, &t));
    refused(lbo_from_data(c, LBO_F32, 0, NULL, ones, NULL));
    refused(lbo_scalar(NULL, 1, &t));
    refused(lbo_scalar_integer(c, 1, NULL));
    refused(lbo_scalar_bool(NULL, true, &t));
    assert_null(t);
    assert_ok(lbo_empty(c, LBO_F32, LBO_MAX_DIMS, ones, &t));
    lbo_tensor_release(t);
}

/* No more than a megabyte at a time. */
static void *limited(void *unused, void *pointer, size_t old_size,
                     size_t new_size)
{
    (void)unused;
    (void)old_size;
    if (new_size > 0)
        return new_size > 1 << 20 ? NULL : realloc(pointer, new_size);
    free(pointer);
    return NULL;
}

static void sizes_that_are_too_large(void **state)
{
    static const int64_t sizes[] = {1 << 20, 1ll << 40, INT64_MAX};
    const lbo_library_config config = {.abi = LBO_ABI, .reallocate = limited};
    lbo_library *library;
    lbo_context *context;
    lbo_tensor *t = NULL, *x = NULL, *wide = NULL;

    (void)state;
    assert_ok(lbo_library_create(&config, &library));
    assert_ok(lbo_context_create(library, NULL, &context));
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        assert_status(LB_NO_MEMORY,
                      lbo_empty(context, LBO_U8, 1, &sizes[i], &t));
    assert_ok(lbo_scalar(context, 1, &x));
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        const lb_status status = lbo_expand(context, &wide, x, 1, &sizes[i]);
        if (status == LB_OK) /* a view of one number; its sum with it is not */
            assert_true(lbo_neg(context, &t, wide) != LB_OK);
        lbo_tensor_release(wide);
        wide = NULL;
    }
    assert_null(t);
    lbo_tensor_release(x);
    lbo_context_destroy(context);
    assert_ok(lbo_library_destroy(library));
}

static void views(void **state)
{
    world *const w = *state;
    lbo_tensor *t = NULL, *v = NULL;

    assert_ok(lbo_empty(w->context, LBO_F32, 2, SHAPE(3, 4), &t));
    refused(lbo_tensor_view(NULL, 0, 0, NULL, NULL, &v));
    refused(lbo_tensor_view(t, 0, 0, NULL, NULL, NULL));
    refused(lbo_tensor_view(t, 0, 1, NULL, NULL, &v));
    refused(lbo_tensor_view(t, 0, 17, SHAPE(1), SHAPE(1), &v));
    refused(lbo_tensor_view(t, 0, 1, SHAPE(13), SHAPE(1), &v));
    refused(lbo_tensor_view(t, 1, 1, SHAPE(12), SHAPE(1), &v));
    refused(lbo_tensor_view(t, -1, 1, SHAPE(1), SHAPE(1), &v));
    refused(lbo_tensor_view(t, 0, 1, SHAPE(2), SHAPE(-1), &v));
    refused(lbo_tensor_view(t, 0, 1, SHAPE(2), SHAPE(INT64_MIN), &v));
    refused(
        lbo_tensor_view(t, 0, 2, SHAPE(3, 3), SHAPE(INT64_MAX, INT64_MAX), &v));
    refused(lbo_tensor_view(t, INT64_MAX, 1, SHAPE(1), SHAPE(1), &v));
    refused(lbo_tensor_view(t, INT64_MIN, 1, SHAPE(1), SHAPE(1), &v));
    refused(lbo_tensor_view(t, 0, 1, SHAPE(-1), SHAPE(1), &v));
    assert_null(v);
    /* What has no elements is nowhere. */
    assert_ok(lbo_tensor_view(t, 1ll << 50, 2, SHAPE(0, 5),
                              SHAPE(INT64_MIN, INT64_MAX), &v));
    assert_shape(v, 0, 5);
    lbo_tensor_release(v);
    lbo_tensor_release(t);
}

static void wrapping(void **state)
{
    world *const w = *state;
    lbo_device *const cpu = lbo_context_device(w->context);
    _Alignas(16) char bytes[64] = {0};
    lbo_tensor *t = NULL;

#define WRAP(library, device, memory, count, offset, dtype, ndim, shape)       \
    lbo_tensor_wrap(library, device, memory, count, offset, dtype, ndim,       \
                    shape, NULL, 0, NULL, NULL, &t)
    refused(WRAP(NULL, cpu, bytes, 64, 0, LBO_F32, 1, SHAPE(16)));
    refused(WRAP(w->library, NULL, bytes, 64, 0, LBO_F32, 1, SHAPE(16)));
    refused(WRAP(w->library, cpu, NULL, 64, 0, LBO_F32, 1, SHAPE(16)));
    refused(WRAP(w->library, cpu, bytes, 63, 0, LBO_F32, 1, SHAPE(16)));
    refused(WRAP(w->library, cpu, bytes, 64, 4, LBO_F32, 1, SHAPE(16)));
    refused(WRAP(w->library, cpu, bytes, 64, 2, LBO_F32, 1, SHAPE(1)));
    refused(WRAP(w->library, cpu, bytes + 1, 63, 0, LBO_F32, 1, SHAPE(1)));
    refused(WRAP(w->library, cpu, bytes, 64, -4, LBO_F32, 1, SHAPE(1)));
    refused(WRAP(w->library, cpu, bytes, 64, 0, (lbo_dtype)77, 1, SHAPE(1)));
    refused(WRAP(w->library, cpu, bytes, 64, 0, LBO_F32, 1, NULL));
    assert_null(t);
    assert_ok(WRAP(w->library, cpu, NULL, 0, 0, LBO_F32, 1, SHAPE(0)));
    lbo_tensor_release(t);
#undef WRAP
}

static void reading_and_writing(void **state)
{
    world *const w = *state;
    lbo_context *const c = w->context;
    lbo_tensor *t = NULL, *wide = NULL, *fixed = NULL;
    float numbers[3] = {1, 2, 3};
    double item;

    assert_ok(lbo_from_data(c, LBO_F32, 1, SHAPE(3), numbers, &t));
    refused(lbo_read(NULL, t, numbers, sizeof numbers));
    refused(lbo_read(c, NULL, numbers, sizeof numbers));
    refused(lbo_read(c, t, NULL, sizeof numbers));
    refused(lbo_read(c, t, numbers, sizeof numbers - 1));
    refused(lbo_write(c, t, NULL, sizeof numbers));
    refused(lbo_write(c, t, numbers, 1));
    refused(lbo_item(c, t, &item));
    refused(lbo_item(c, NULL, &item));
    refused(lbo_item(c, t, NULL));
    assert_true(lbo_format(c, NULL, NULL, 0) < 0);
    assert_true(lbo_format(NULL, t, NULL, 0) < 0);
    assert_ok(lbo_expand(c, &wide, t, 2, SHAPE(2, 3)));
    refused(lbo_write(c, wide, numbers, 24));
    assert_ok(lbo_tensor_wrap(w->library, lbo_context_device(c), numbers,
                              sizeof numbers, 0, LBO_F32, 1, SHAPE(3), NULL,
                              LBO_READ_ONLY, NULL, NULL, &fixed));
    refused(lbo_write(c, fixed, numbers, sizeof numbers));
    assert_numbers(t, 1, 2, 3);
    lbo_tensor_release(fixed);
    lbo_tensor_release(wide);
    lbo_tensor_release(t);
}

/* ---- every operator ------------------------------------------------------------ */

static const call_row *row_at(world *w, size_t i)
{
    return find_call_row(lbo_operator_at(w->library, i)->spec.name);
}

/* Runs it with one input in place of another. */
static lb_status run_with(world *w, ready_call *call, uint32_t i,
                          lbo_tensor *other)
{
    lbo_tensor *const kept = call->in[i];

    call->in[i] = other;
    const lb_status status = run_call(w->context, call);
    call->in[i] = kept;
    return status;
}

static void forget_results(ready_call *call)
{
    for (int i = 0; i < LBO_MAX_OUT && call->op->spec.dispatched > 0; i++) {
        lbo_tensor_release(call->out[i]);
        call->out[i] = NULL;
    }
}

static bool is_optional(const lbo_operator *op, uint32_t i)
{
    return i >= op->spec.in_count - op->spec.optional && i < op->spec.in_count;
}

static void inputs_that_are_missing(void **state)
{
    world *const w = *state;
    ready_call call;

    for (size_t k = 0; k < CALL_ROWS; k++) {
        assert_ok(make_call(w->context, row_at(w, k), LBO_F32, &call));
        const char *const name = call.op->spec.name;
        for (uint32_t i = 0; i < call.in_count; i++)
            if (!is_optional(call.op, i))
                refused_naming(run_with(w, &call, i, NULL), name);
        for (int more = -1; more <= 1; more += 2) {
            if (call.op->spec.flags & LBO_LIST || (int)call.in_count + more < 0)
                continue;
            const uint32_t count = call.in_count;
            call.in_count = (uint32_t)((int)count + more);
            refused_naming(run_call(w->context, &call), name);
            call.in_count = count;
        }
        end_call(&call);
    }
}

static void calls_without_parts(void **state)
{
    world *const w = *state;
    ready_call ready;
    lbo_spec specs[LBO_MAX_OUT];

    for (size_t k = 0; k < CALL_ROWS; k++) {
        assert_ok(make_call(w->context, row_at(w, k), LBO_F32, &ready));
        const lbo_operator *const op = ready.op;
        const lbo_call whole = {.in = ready.in,
                                .out = ready.out,
                                .attributes = ready.attributes,
                                .in_count = ready.in_count,
                                .out_count = op->spec.out_count};
        lbo_call call = whole;
        refused(lbo_run(NULL, op, &call));
        refused(lbo_run(w->context, NULL, &call));
        refused(lbo_run(w->context, op, NULL));
        refused(lbo_infer(w->context, op, &call, NULL));
        refused(lbo_infer(w->context, op, NULL, specs));
        call.out = NULL;
        refused_naming(lbo_run(w->context, op, &call), op->spec.name);
        call = whole;
        call.in = NULL;
        if (call.in_count > 0)
            refused_naming(lbo_run(w->context, op, &call), op->spec.name);
        call = whole;
        call.out_count++;
        refused_naming(lbo_run(w->context, op, &call), op->spec.name);
        call = whole;
        call.attributes = NULL;
        if (op->spec.attribute_size > 0)
            refused_naming(lbo_run(w->context, op, &call), op->spec.name);
        end_call(&ready);
    }
}

/* Fits nothing: 16 dimensions of size 1 but one; and types that few take. Either
 * refused, naming the operator, or right by itself; never a crash. */
static void inputs_that_do_not_fit(void **state)
{
    world *const w = *state;
    int64_t shape[LBO_MAX_DIMS];
    ready_call call;
    size_t refusals = 0;

    for (int i = 0; i < LBO_MAX_DIMS; i++)
        shape[i] = i == 3 ? 13 : 1;
    for (size_t k = 0; k < CALL_ROWS; k++) {
        assert_ok(make_call(w->context, row_at(w, k), LBO_F32, &call));
        for (int d = 0; d < LBO_DTYPE_COUNT; d++)
            for (uint32_t i = 0; i < call.in_count; i++)
                for (size_t ndim = 0; ndim <= LBO_MAX_DIMS; ndim += 4) {
                    lbo_tensor *odd = NULL;
                    assert_ok(make_input(w->context, 'f', (lbo_dtype)d, ndim,
                                         shape, &odd));
                    const lb_status status = run_with(w, &call, i, odd);
                    if (status != LB_OK) {
                        refused_naming(status, call.op->spec.name);
                        refusals++;
                    }
                    forget_results(&call);
                    lbo_tensor_release(odd);
                }
        end_call(&call);
    }
    assert_true(refusals > CALL_ROWS);
}

static lb_class *twin_class(world *w)
{
    lb_runtime *const runtime = lbo_runtime(w->library);

    return lb_class_make(
        runtime, "twin device", 0,
        lb_class_of(runtime, &lbo_context_device(w->context)->head), NULL);
}

/* Two devices in one call, and tensors of another library. */
static void inputs_from_elsewhere(void **state)
{
    world *const w = *state;
    lbo_library *other;
    lbo_context *there;
    lbo_device *twin;
    ready_call call, foreign;

    assert_ok(lbo_library_create(NULL, &other));
    assert_ok(lbo_context_create(other, NULL, &there));
    assert_ok(lbo_device_create(w->library, "twin", twin_class(w), LBO_HOST, 0,
                                NULL, NULL, &twin));
    for (size_t k = 0; k < CALL_ROWS; k++) {
        assert_ok(make_call(w->context, row_at(w, k), LBO_F32, &call));
        const char *const name = call.op->spec.name;
        for (uint32_t i = 0; i < call.in_count && call.in_count > 1; i++) {
            lbo_tensor *moved = NULL;
            assert_ok(lbo_to_device(w->context, &moved, call.in[i], twin));
            refused_naming(run_with(w, &call, i, moved), name);
            assert_contains(lb_message(), "twin");
            lbo_tensor_release(moved);
        }
        assert_ok(make_call(there, row_at(w, k), LBO_F32, &foreign));
        foreign.op = call.op;
        refused_naming(run_call(w->context, &foreign), name);
        assert_contains(lb_message(), "library");
        end_call(&foreign);
        end_call(&call);
    }
    assert_ok(lbo_device_destroy(twin));
    lbo_context_destroy(there);
    assert_ok(lbo_library_destroy(other));
}

/* A result of the inferred form over memory that must not be written. */
static lb_status run_into_read_only(world *w, ready_call *call,
                                    const lbo_spec *spec)
{
    static _Alignas(16) char bytes[CALL_ELEMENTS * 8];

    memset(bytes, 0x5a, sizeof bytes);
    assert_ok(lbo_tensor_wrap(w->library, spec->device, bytes, sizeof bytes, 0,
                              (lbo_dtype)spec->dtype, spec->ndim, spec->shape,
                              NULL, LBO_READ_ONLY, NULL, NULL, &call->out[0]));
    const lb_status status = run_call(w->context, call);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0x5a);
    forget_results(call);
    return status;
}

static lb_status run_into_broadcast(world *w, ready_call *call,
                                    const lbo_spec *spec)
{
    const int64_t strides[LBO_MAX_DIMS] = {0};
    lbo_tensor *one = NULL;

    assert_ok(lbo_empty(w->context, (lbo_dtype)spec->dtype, 0, NULL, &one));
    assert_ok(lbo_tensor_view(one, 0, spec->ndim, spec->shape, strides,
                              &call->out[0]));
    lbo_tensor_release(one);
    const lb_status status = run_call(w->context, call);
    forget_results(call);
    return status;
}

static lb_status run_into(world *w, ready_call *call, int dtype, size_t ndim,
                          const int64_t *shape)
{
    assert_ok(
        lbo_empty(w->context, (lbo_dtype)dtype, ndim, shape, &call->out[0]));
    const lb_status status = run_call(w->context, call);
    forget_results(call);
    return status;
}

static int64_t size_of(const lbo_spec *spec)
{
    int64_t size = 1;

    for (uint32_t i = 0; i < spec->ndim; i++)
        size *= spec->shape[i];
    return size;
}

static void results_that_cannot_be_written(void **state)
{
    world *const w = *state;
    ready_call call;

    for (size_t k = 0; k < CALL_ROWS; k++) {
        lbo_spec specs[LBO_MAX_OUT];
        assert_ok(make_call(w->context, row_at(w, k), LBO_F32, &call));
        const lbo_operator *const op = call.op;
        const lbo_call now = {.in = call.in,
                              .out = call.out,
                              .attributes = call.attributes,
                              .in_count = call.in_count,
                              .out_count = op->spec.out_count};
        if (op->spec.dispatched > 0) {
            assert_ok(lbo_infer(w->context, op, &now, specs));
            const int other = specs[0].dtype == LBO_I8 ? LBO_I32 : LBO_I8;
            refused_naming(
                run_into(w, &call, other, specs[0].ndim, specs[0].shape),
                op->spec.name);
            refused_naming(
                run_into(w, &call, specs[0].dtype, 3, SHAPE(5, 1, 9)),
                op->spec.name);
        }
        if (op->spec.dispatched > 0 && !(op->spec.flags & LBO_VIEW)) {
            const lb_status status = run_into_read_only(w, &call, specs);
            assert_status(LB_READ_ONLY, status);
            assert_contains(lb_message(), op->spec.name);
            if (size_of(specs) > 1)
                refused_naming(run_into_broadcast(w, &call, specs),
                               op->spec.name);
        }
        end_call(&call);
    }
}

static void attributes_at_the_edges(void **state)
{
    static const int64_t numbers[] = {INT64_MIN, -1, 0, 3, 1 << 20, INT64_MAX};
    static const double reals[] = {(double)NAN, (double)INFINITY,
                                   -(double)INFINITY, 1e300, -1};
    world *const w = *state;
    ready_call call;

    for (size_t k = 0; k < CALL_ROWS; k++) {
        const lbo_operator *const op =
            lbo_operator_find(w->library, call_rows[k].op);
        for (size_t a = 0; a < op->spec.attribute_count; a++)
            for (size_t n = 0; n < COUNT_OF(numbers); n++) {
                const lbo_attribute *const attribute = &op->spec.attributes[a];
                assert_ok(make_call(w->context, &call_rows[k], LBO_F32, &call));
                void *const at = call.attributes + attribute->offset;
                if (attribute->type == LBO_ATTRIBUTE_INTEGER)
                    *(int64_t *)at = numbers[n];
                else if (attribute->type == LBO_ATTRIBUTE_REAL)
                    *(double *)at = reals[n % COUNT_OF(reals)];
                else if (attribute->type == LBO_ATTRIBUTE_DTYPE)
                    *(int32_t *)at = (int32_t)numbers[n];
                else if (attribute->type == LBO_ATTRIBUTE_DIMS) {
                    ((lbo_dims *)at)->count = (int32_t)numbers[n];
                    ((lbo_dims *)at)->at[0] = numbers[n];
                }
                const lb_status status = run_call(w->context, &call);
                if (status != LB_OK && status != LB_NO_MEMORY)
                    refused_naming(status, op->spec.name);
                end_call(&call);
            }
    }
}

/* ---- operators, kernels, layers -------------------------------------------------- */

static lb_status infer_nothing(const lbo_call *call, lbo_spec *out)
{
    (void)call;
    (void)out;
    return LB_OK;
}

static void operators(void **state)
{
    world *const w = *state;
    const lbo_operator_spec good = {.name = "mine",
                                    .dispatched = 1,
                                    .in_count = 1,
                                    .out_count = 1,
                                    .infer = infer_nothing};
    const lbo_operator *op = NULL;
    const size_t count = lbo_operator_count(w->library);

#define CHANGED(member, value)                                                 \
    do {                                                                       \
        lbo_operator_spec bad = good;                                          \
        bad.member = value;                                                    \
        refused(lbo_operator_create(w->library, &bad, &op));                   \
    } while (0)
    CHANGED(name, NULL);
    CHANGED(infer, NULL);
    CHANGED(dispatched, 3);
    CHANGED(dispatched, 2);
    CHANGED(optional, 1);
    CHANGED(out_count, 0);
    CHANGED(out_count, LBO_MAX_OUT + 1);
#undef CHANGED
    refused(lbo_operator_create(NULL, &good, &op));
    refused(lbo_operator_create(w->library, NULL, &op));
    refused(lbo_operator_create(w->library, &good, NULL));
    lbo_operator_spec taken = good;
    taken.name = "add";
    assert_status(LB_EXISTS, lbo_operator_create(w->library, &taken, &op));
    assert_null(op);
    assert_int_equal(lbo_operator_count(w->library), count);
    assert_null(lbo_operator_find(w->library, "mine"));
    assert_null(lbo_operator_at(w->library, 1000));
}

LB_METHOD(lbo_unary, nothing);
static lb_status nothing(lb_slot slot, lbo_context *context, lbo_tensor *a,
                         lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    (void)a;
    (void)call;
    return LB_OK;
}

static void kernels(void **state)
{
    world *const w = *state;
    lbo_device *const cpu = lbo_context_device(w->context);
    const lbo_kernel unknown = {"mine", LB_DESCRIPTOR(nothing), LBO_F32, 0,
                                NULL};
    const lbo_kernel unary_for_two = {"add", LB_DESCRIPTOR(nothing), LBO_F32,
                                      LBO_F32, NULL};

    refused(lbo_register_kernels(NULL, NULL, cpu, &unknown, 1));
    refused(lbo_register_kernels(w->library, NULL, NULL, &unknown, 1));
    refused(lbo_register_kernels(w->library, NULL, cpu, NULL, 1));
    assert_ok(lbo_register_kernels(w->library, NULL, cpu, NULL, 0));
    assert_status(LB_NOT_FOUND,
                  lbo_register_kernels(w->library, NULL, cpu, &unknown, 1));
    assert_contains(lb_message(), "mine");
    assert_true(lbo_register_kernels(w->library, NULL, cpu, &unary_for_two,
                                     1) != LB_OK);
    const lbo_kernel no_type = {"neg", LB_DESCRIPTOR(nothing), 9, 0, NULL};
    const lbo_kernel no_method = {"neg", NULL, LBO_F32, 0, NULL};
    const lbo_kernel no_name = {NULL, LB_DESCRIPTOR(nothing), LBO_F32, 0, NULL};
    refused(lbo_register_kernels(w->library, NULL, cpu, &no_type, 1));
    refused(lbo_register_kernels(w->library, NULL, cpu, &no_method, 1));
    refused(lbo_register_kernels(w->library, NULL, cpu, &no_name, 1));
}

static lb_status go_on(lbo_layer *layer, lbo_context *context, lbo_call *call,
                       const lbo_rest *rest)
{
    (void)layer;
    return lbo_next(context, call, rest);
}

static void layers(void **state)
{
    world *const w = *state;
    static const char *const wrong[] = {"add", "mine"};
    static const char *const none[] = {NULL};
    lbo_layer_spec spec = {.name = "l", .handler = go_on};
    lbo_layer *layer = NULL, *many[LBO_MAX_LAYERS + 1];

    refused(lbo_layer_create(NULL, &spec, &layer));
    refused(lbo_layer_create(w->library, NULL, &layer));
    refused(lbo_layer_create(w->library, &spec, NULL));
    refused(
        lbo_layer_create(w->library, &(lbo_layer_spec){.name = "l"}, &layer));
    refused(lbo_layer_create(w->library, &(lbo_layer_spec){.handler = go_on},
                             &layer));
    lbo_layer_spec named = spec;
    named.operators = wrong;
    named.operator_count = 2;
    assert_status(LB_NOT_FOUND, lbo_layer_create(w->library, &named, &layer));
    assert_contains(lb_message(), "mine");
    named.operators = none;
    named.operator_count = 1;
    refused(lbo_layer_create(w->library, &named, &layer));
    assert_null(layer);
    assert_ok(lbo_layer_destroy(NULL));
    for (int i = 0; i <= LBO_MAX_LAYERS; i++)
        assert_ok(lbo_layer_create(w->library, &spec, &many[i]));
    for (int i = 0; i < LBO_MAX_LAYERS; i++)
        assert_ok(lbo_push(w->context, many[i]));
    assert_status(LB_LIMIT, lbo_push(w->context, many[LBO_MAX_LAYERS]));
    refused(lbo_push(NULL, many[0]));
    refused(lbo_push(w->context, NULL));
    refused(lbo_pop(w->context, NULL));
    refused(lbo_pop(w->context, many[0]));
    refused(lbo_set_layers(w->context, NULL, 1));
    refused(lbo_set_layers(w->context, (lbo_layer *[]){NULL}, 1));
    assert_status(
        LB_EXISTS,
        lbo_set_layers(w->context, (lbo_layer *[]){many[0], many[0]}, 2));
    assert_int_equal(lbo_layers(w->context, NULL, 0), LBO_MAX_LAYERS);
    assert_status(LB_BUSY, lbo_layer_destroy(many[0]));
    assert_ok(lbo_set_layers(w->context, NULL, 0));
    for (int i = 0; i <= LBO_MAX_LAYERS; i++)
        assert_ok(lbo_layer_destroy(many[i]));
    refused(lbo_autograd_create(NULL, &layer));
    refused(lbo_autograd_create(w->library, NULL));
}

/* ---- gradients -------------------------------------------------------------------- */

static void gradients(void **state)
{
    world *const w = *state;
    lbo_context *const c = w->context;
    lbo_tensor *x = NULL, *indices = NULL, *out = NULL;
    const lbo_spec spec = {.dtype = LBO_F32};

    assert_ok(make_input(c, 'f', LBO_F32, 1, SHAPE(3), &x));
    assert_ok(make_input(c, 'i', LBO_F32, 1, SHAPE(3), &indices));
    refused(lbo_require_gradient(NULL, true));
    refused(lbo_require_gradient(indices, true));
    refused(lbo_backward(c, NULL, NULL, false));
    refused(lbo_backward(NULL, x, NULL, false));
    refused(lbo_backward(c, x, NULL, false));
    refused(lbo_gradients(c, x, NULL, NULL, 1, false, &out));
    refused(lbo_gradients(c, NULL, NULL, &x, 1, false, &out));
    refused(lbo_set_gradient(NULL, x));
    refused(lbo_set_gradient(x, indices));
    refused(lbo_detach(NULL, &out));
    refused(lbo_detach(x, NULL));
    refused(lbo_sum_to(c, NULL, &spec, &out));
    refused(lbo_sum_to(NULL, x, &spec, &out));
    assert_null(lbo_gradient(NULL));
    assert_null(out);
    lbo_tensor_release(x);
    lbo_tensor_release(indices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(libraries),
        TEST(devices),
        TEST(sizes),
        cmocka_unit_test(sizes_that_are_too_large),
        TEST(views),
        TEST(wrapping),
        TEST(reading_and_writing),
        TEST(inputs_that_are_missing),
        TEST(calls_without_parts),
        TEST(inputs_that_do_not_fit),
        TEST(inputs_from_elsewhere),
        TEST(results_that_cannot_be_written),
        TEST(attributes_at_the_edges),
        TEST(operators),
        TEST(kernels),
        TEST(layers),
        TEST(gradients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
