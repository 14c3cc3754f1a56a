/* Bytes become a program of operator calls over a pool of tensors: of random
 * shapes with zeros and ones, with strides of any sign, of every type, with
 * attributes as no sane caller gives them, with results that overlap inputs;
 * some of them followed by autograd. No call may crash. It succeeds or fails
 * with a status that is documented, whose message begins with the operator;
 * a failed call makes nothing; a result is what was inferred; and where that is
 * cheap it is compared with numbers computed here, one by one. At the end no
 * storage may be left.
 *
 * LATEBIND_FUZZ_PLUGIN names a plug-in whose kernels are run, too.
 */
#include "ops/calls.h"

#include <latebind/latebind.h>

#include <math.h>
#include <stdio.h>

enum {
    POOL = 10,
    MOST_STEPS = 60,
    MOST_ELEMENTS = 2048,
    MOST_BYTES = 1 << 20 /* more is refused, as by a small machine */
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

typedef struct program {
    const uint8_t *at, *end;
    lbo_tensor *pool[POOL];
} program;

static lbo_library *library;
static lbo_context *context;
static lbo_layer *autograd;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_ops: %s; the last message: %s\n", what, lb_message());
    abort();
}

static void *limited(void *unused, void *pointer, size_t old_size,
                     size_t new_size)
{
    (void)unused;
    (void)old_size;
    if (new_size == 0) {
        free(pointer);
        return NULL;
    }
    return new_size > MOST_BYTES ? NULL : realloc(pointer, new_size);
}

static void open_library(void)
{
    static const lbo_library_config config = {.abi = LBO_ABI,
                                              .reallocate = limited};
    const char *const plugin = getenv("LATEBIND_FUZZ_PLUGIN");

    must(lbo_library_create(&config, &library) == LB_OK, "no library");
    must(lbo_context_create(library, NULL, &context) == LB_OK, "no context");
    must(lbo_autograd_create(library, &autograd) == LB_OK, "no autograd");
    must(plugin == NULL || lbo_plugin_open(library, plugin, NULL) == LB_OK,
         "no plug-in");
}

/* ---- bytes ------------------------------------------------------------------ */

static unsigned take(program *p, unsigned below)
{
    return p->at < p->end ? *p->at++ % below : 0;
}

/* Few numbers are worth much: those at the edges. */
static int64_t take_number(program *p)
{
    static const int64_t edges[] = {INT64_MIN, INT64_MIN + 1, -(1ll << 32),
                                    -17,       1ll << 31,     1ll << 33,
                                    1ll << 62, INT64_MAX - 1, INT64_MAX};
    const unsigned byte = take(p, 256);

    return byte < COUNT_OF(edges) ? edges[byte] : (int64_t)(byte % 13) - 4;
}

static double take_real(program *p)
{
    static const double edges[] = {NAN,    INFINITY, -INFINITY, 1e308,
                                   -1e308, 1e-320,   -0.0};
    const unsigned byte = take(p, 256);

    return byte < COUNT_OF(edges) ? edges[byte] : ((double)byte - 128) / 16;
}

static lbo_dtype take_dtype(program *p)
{
    return (lbo_dtype)take(p, LBO_DTYPE_COUNT);
}

static lbo_dtype take_floating(program *p)
{
    static const lbo_dtype types[] = {LBO_F32, LBO_F32, LBO_F64,
                                      LBO_F64, LBO_F16, LBO_BF16};
    return types[take(p, COUNT_OF(types))];
}

static size_t take_shape(program *p, int64_t *shape)
{
    static const int64_t sizes[] = {2, 3, 1, 4, 0, 5, 2, 7};
    const unsigned byte = take(p, 64);
    const size_t ndim = byte == 63 ? LBO_MAX_DIMS : byte % 5;

    for (size_t i = 0; i < ndim; i++)
        shape[i] = ndim > 5 ? (i % 5 == 2) + 1 : sizes[take(p, 8)];
    return ndim;
}

/* ---- the pool ---------------------------------------------------------------- */

static lbo_tensor *any_tensor(program *p)
{
    return p->pool[take(p, POOL)];
}

/* Takes the reference. */
static void keep(program *p, lbo_tensor *tensor)
{
    const unsigned at = take(p, POOL);

    lbo_tensor_release(p->pool[at]);
    p->pool[at] = tensor;
}

static void make_tensor(program *p)
{
    int64_t shape[LBO_MAX_DIMS], size = 1;
    const size_t ndim = take_shape(p, shape);
    double numbers[MOST_ELEMENTS];
    lbo_tensor *wide = NULL, *made = NULL;

    for (size_t i = 0; i < ndim; i++)
        size *= shape[i];
    if (size > MOST_ELEMENTS)
        return;
    const double first = take_real(p), step = take_real(p);
    for (int64_t i = 0; i < size; i++)
        numbers[i] = i == 0 ? first : (double)(i * 37 % 19) * step - 2;
    must(lbo_from_data(context, LBO_F64, ndim, shape, numbers, &wide) == LB_OK,
         "no tensor");
    must(lbo_cast(context, &made, wide, take_dtype(p)) == LB_OK, "no cast");
    lbo_tensor_release(wide);
    keep(p, made);
}

static void make_scalar(program *p)
{
    lbo_tensor *made = NULL;
    const unsigned kind = take(p, 3);
    const lb_status status =
        kind == 0   ? lbo_scalar(context, take_real(p), &made)
        : kind == 1 ? lbo_scalar_integer(context, take_number(p), &made)
                    : lbo_scalar_bool(context, take(p, 2), &made);

    must(status == LB_OK, "no scalar");
    keep(p, made);
}

/* Any shape and strides over a storage that is there. */
static void make_view(program *p)
{
    int64_t shape[LBO_MAX_DIMS + 1], strides[LBO_MAX_DIMS + 1];
    lbo_tensor *const of = any_tensor(p);
    const size_t ndim = take(p, 6) + (take(p, 16) == 0 ? 12 : 0);
    lbo_tensor *made = NULL;

    for (size_t i = 0; i < ndim && i <= LBO_MAX_DIMS; i++) {
        shape[i] = take_number(p);
        strides[i] = take_number(p);
    }
    const lb_status status =
        lbo_tensor_view(of, take_number(p), ndim, shape, strides, &made);
    must(status == LB_OK || status == LB_BAD_ARGUMENT, "a view's status");
    if (status == LB_OK)
        keep(p, made);
}

/* ---- numbers computed here ---------------------------------------------------- */

typedef double (*naive_fn)(double a, double b);

static double naive_add(double a, double b)
{
    return a + b;
}
static double naive_sub(double a, double b)
{
    return a - b;
}
static double naive_mul(double a, double b)
{
    return a * b;
}
static double naive_div(double a, double b)
{
    return a / b;
}
static double naive_less(double a, double b)
{
    return a < b;
}
static double naive_equal(double a, double b)
{
    return a == b;
}
static double naive_greater_equal(double a, double b)
{
    return a >= b;
}
static double naive_neg(double a, double b)
{
    (void)b;
    return -a;
}
static double naive_abs(double a, double b)
{
    (void)b;
    return fabs(a);
}
static double naive_copy(double a, double b)
{
    (void)b;
    return a;
}
static double naive_sqrt(double a, double b)
{
    (void)b;
    return sqrt(a);
}
static double naive_relu(double a, double b)
{
    (void)b;
    return a > 0 || isnan(a) ? a : 0;
}
static double naive_minimum(double a, double b)
{
    return isnan(a) || isnan(b) ? (double)NAN : a < b ? a : b;
}
static double naive_maximum(double a, double b)
{
    return isnan(a) || isnan(b) ? (double)NAN : a > b ? a : b;
}

static const struct {
    const char *op;
    naive_fn fn;
} naive[] = {
    {"add", naive_add},         {"sub", naive_sub},
    {"mul", naive_mul},         {"div", naive_div},
    {"less", naive_less},       {"equal", naive_equal},
    {"neg", naive_neg},         {"abs", naive_abs},
    {"copy", naive_copy},       {"sqrt", naive_sqrt},
    {"relu", naive_relu},       {"minimum", naive_minimum},
    {"maximum", naive_maximum}, {"greater_equal", naive_greater_equal},
};

static naive_fn find_naive(const char *op)
{
    for (size_t i = 0; i < COUNT_OF(naive); i++)
        if (strcmp(naive[i].op, op) == 0)
            return naive[i].fn;
    return NULL;
}

/* The element that belongs to an index of a shape it is broadcast to. */
static double element(const lbo_tensor *t, size_t ndim, const int64_t *index)
{
    const char *at = t->data;
    const size_t lead = ndim - t->ndim;

    for (size_t i = 0; i < t->ndim; i++)
        if (t->dims[i] != 1)
            at += index[lead + i] * lbo_strides(t)[i] *
                  (int64_t)lbo_dtype_size((lbo_dtype)t->dtype);
    if (t->dtype == LBO_F64)
        return *(const double *)(const void *)at;
    if (t->dtype == LBO_F32)
        return (double)*(const float *)(const void *)at;
    return *(const uint8_t *)(const void *)at;
}

static void go_on(size_t ndim, const int64_t *shape, int64_t *index)
{
    for (size_t i = ndim; i-- > 0;) {
        if (++index[i] < shape[i])
            return;
        index[i] = 0;
    }
}

/* Before the call, since its result may be one of the inputs. False: not
 * compared (other types, too large). */
static bool compute(const ready_call *call, const lbo_spec *spec,
                    double *wanted)
{
    const naive_fn fn = find_naive(call->op->spec.name);
    const lbo_tensor *const a = call->in[0];
    const lbo_tensor *const b = call->in_count > 1 ? call->in[1] : a;
    int64_t index[LBO_MAX_DIMS] = {0}, size = 1;

    if (fn == NULL || a->dtype != b->dtype ||
        (a->dtype != LBO_F32 && a->dtype != LBO_F64) ||
        (a->flags | b->flags) & LBO_WEAK)
        return false;
    for (uint32_t i = 0; i < spec->ndim; i++)
        if (__builtin_mul_overflow(size, spec->shape[i], &size))
            return false;
    if (size > MOST_ELEMENTS)
        return false;
    for (int64_t i = 0; i < size; i++) {
        wanted[i] =
            fn(element(a, spec->ndim, index), element(b, spec->ndim, index));
        if (spec->dtype == LBO_F32)
            wanted[i] = (double)(float)wanted[i];
        go_on(spec->ndim, spec->shape, index);
    }
    return true;
}

static void compare(const lbo_tensor *out, const double *wanted)
{
    int64_t index[LBO_MAX_DIMS] = {0};

    for (int64_t i = 0; i < out->size; i++) {
        const double got = element(out, out->ndim, index);
        must(got == wanted[i] || (isnan(got) && isnan(wanted[i])),
             "a number is not what it should be");
        go_on(out->ndim, out->dims, index);
    }
}

/* ---- calls --------------------------------------------------------------------- */

static void spoil_attribute(program *p, const lbo_attribute *attribute,
                            void *attributes)
{
    void *const at = (char *)attributes + attribute->offset;

    switch (attribute->type) {
    case LBO_ATTRIBUTE_INTEGER:
        *(int64_t *)at = take_number(p);
        break;
    case LBO_ATTRIBUTE_REAL:
        *(double *)at = take_real(p);
        break;
    case LBO_ATTRIBUTE_FLAG:
        *(bool *)at = take(p, 2);
        break;
    case LBO_ATTRIBUTE_DTYPE:
        *(int32_t *)at = (int32_t)take_number(p);
        break;
    case LBO_ATTRIBUTE_DIMS: {
        lbo_dims *const dims = at;
        dims->count = (int32_t)take_number(p);
        for (int i = 0; i < dims->count && i < LBO_MAX_DIMS; i++)
            dims->at[i] = take_number(p);
        break;
    }
    }
}

static void spoil_attributes(program *p, ready_call *call)
{
    const size_t count = call->op->spec.attribute_count;

    for (unsigned times = take(p, 4); count > 0 && times > 0; times--)
        spoil_attribute(p, &call->op->spec.attributes[take(p, (unsigned)count)],
                        call->attributes);
}

/* Some inputs become tensors of the pool, or NULL. */
static void spoil_inputs(program *p, ready_call *call)
{
    const unsigned which = take(p, 256);

    for (uint32_t i = 0; i < call->in_count; i++) {
        if (!(which >> i & 1))
            continue;
        lbo_tensor_release(call->in[i]);
        call->in[i] =
            take(p, 32) == 31 ? NULL : lbo_tensor_retain(any_tensor(p));
    }
    if (which >> 6 == 3) /* one input more, or fewer */
        call->in_count = take(p, CALL_INPUTS + 1);
}

/* A view of memory of an input, perhaps of the very result's form. */
static lbo_tensor *overlapping(program *p, lbo_tensor *of, const lbo_spec *spec)
{
    int64_t strides[LBO_MAX_DIMS], step = 1;
    lbo_tensor *view = NULL;

    for (size_t i = spec->ndim; i-- > 0;) {
        strides[i] = step * (take(p, 4) == 0 ? -1 : 1);
        step *= spec->shape[i] > 0 ? spec->shape[i] : 1;
    }
    if (of == NULL || of->dtype != spec->dtype)
        return NULL;
    (void)lbo_tensor_view(of, (int64_t)take(p, 8), spec->ndim, spec->shape,
                          strides, &view);
    return view;
}

/* Results that are given: fresh, of the pool, or over an input. */
static void give_results(program *p, ready_call *call, const lbo_spec *specs)
{
    const unsigned how = take(p, 8);

    for (uint32_t i = 0; i < call->op->spec.out_count; i++) {
        if (call->out[i] != NULL || how < 4)
            continue;
        if (how == 4)
            (void)lbo_tensor_create(context, &specs[i], &call->out[i]);
        else if (how == 5)
            call->out[i] = lbo_tensor_retain(any_tensor(p));
        else if (how == 6)
            call->out[i] =
                lbo_tensor_retain(call->in_count > 0 ? call->in[0] : NULL);
        else if (call->in_count > 0)
            call->out[i] =
                overlapping(p, call->in[take(p, call->in_count)], &specs[i]);
    }
}

static void check_results(const ready_call *call, const lbo_spec *specs)
{
    for (uint32_t i = 0; i < call->op->spec.out_count; i++) {
        const lbo_tensor *const out = call->out[i];
        must(out != NULL, "a result is not there");
        must(out->dtype == specs[i].dtype && out->ndim == specs[i].ndim &&
                 memcmp(out->dims, specs[i].shape,
                        out->ndim * sizeof(int64_t)) == 0,
             "a result is not as inferred");
    }
}

/* Whether the call ends in good time. */
static bool is_small(const ready_call *call)
{
    for (uint32_t i = 0; i < call->in_count; i++)
        if (call->in[i] != NULL && call->in[i]->size > MOST_ELEMENTS)
            return false;
    return true;
}

static void check_failure(const ready_call *call, lb_status status,
                          lbo_tensor *const *before)
{
    const char *const name = call->op->spec.name;

    must(status == LB_BAD_ARGUMENT || status == LB_NO_METHOD ||
             status == LB_NO_MEMORY || status == LB_READ_ONLY,
         "a status that is not documented");
    must(memcmp(before, call->out, sizeof call->out) == 0,
         "a failed call made something");
    must(status != LB_BAD_ARGUMENT ||
             strncmp(lb_message(), name, strlen(name)) == 0,
         "the message does not begin with the operator");
}

static void run_it(program *p, ready_call *call)
{
    static double wanted[MOST_ELEMENTS];
    lbo_call now = {.in = call->in,
                    .out = call->out,
                    .attributes = call->attributes,
                    .in_count = call->in_count,
                    .out_count = call->op->spec.out_count};
    lbo_spec specs[LBO_MAX_OUT];
    lbo_tensor *before[LBO_MAX_OUT];
    bool known = false;

    memset(specs, 0, sizeof specs);
    lb_status inferred = lbo_infer(context, call->op, &now, specs);
    if (inferred == LB_OK) {
        give_results(p, call, specs);
        known = compute(call, specs, wanted);
    }
    memcpy(before, call->out, sizeof before);
    const lb_status status = lbo_run(context, call->op, &now);
    if (status != LB_OK) {
        check_failure(call, status, before);
        return;
    }
    must(inferred == LB_OK, "what cannot be inferred was run");
    check_results(call, specs);
    if (known)
        compare(call->out[0], wanted);
    for (uint32_t i = 0; i < call->op->spec.out_count; i++)
        keep(p, lbo_tensor_retain(call->out[i]));
}

static void call_operator(program *p)
{
    const call_row *const row = &call_rows[take(p, CALL_ROWS)];
    const lbo_dtype dtype = take(p, 8) == 0 ? take_dtype(p) : take_floating(p);
    const uint32_t wanted_inputs = CALL_INPUTS;
    ready_call call;

    must(make_call(context, row, dtype, &call) == LB_OK, "no call");
    spoil_inputs(p, &call);
    spoil_attributes(p, &call);
    if (is_small(&call))
        run_it(p, &call);
    call.in_count = wanted_inputs; /* all that were made are given back */
    end_call(&call);
}

/* ---- more ------------------------------------------------------------------------ */

static void follow(program *p)
{
    lbo_tensor *const t = any_tensor(p);
    const lb_status status = lbo_require_gradient(t, take(p, 4) > 0);

    must(status == LB_OK || status == LB_BAD_ARGUMENT, "require_gradient");
}

static void go_back(program *p)
{
    lbo_tensor *const t = any_tensor(p), *const seed = any_tensor(p);
    lbo_tensor *wanted[1] = {any_tensor(p)}, *gradient[1] = {NULL};
    const bool record = take(p, 2), second = take(p, 2);
    const lb_status status =
        second ? lbo_gradients(context, t, take(p, 2) ? seed : NULL, wanted, 1,
                               record, gradient)
               : lbo_backward(context, t, take(p, 2) ? seed : NULL, record);

    must(status == LB_OK || status == LB_BAD_ARGUMENT ||
             status == LB_NO_METHOD || status == LB_NO_MEMORY,
         "backward's status");
    if (second && status == LB_OK)
        keep(p, gradient[0]);
}

static void read_it(program *p)
{
    lbo_tensor *const t = any_tensor(p);
    char bytes[MOST_ELEMENTS * 8], text[256];
    double number;

    if (t == NULL || t->size > MOST_ELEMENTS)
        return;
    must(lbo_read(context, t, bytes, lbo_tensor_bytes(t)) == LB_OK, "read");
    const lb_status status = lbo_write(context, t, bytes, lbo_tensor_bytes(t));
    must(status == LB_OK || status == LB_BAD_ARGUMENT, "write");
    must(lbo_format(context, t, text, take(p, 255)) >= 0, "format");
    must((lbo_item(context, t, &number) == LB_OK) == (t->size == 1), "item");
}

static void step(program *p)
{
    switch (take(p, 16)) {
    case 0:
    case 1:
        make_tensor(p);
        break;
    case 2:
        make_view(p);
        break;
    case 3:
        make_scalar(p);
        break;
    case 4:
        follow(p);
        break;
    case 5:
        go_back(p);
        break;
    case 6:
        read_it(p);
        break;
    default:
        call_operator(p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    program p = {.at = data, .end = data + size};

    if (library == NULL)
        open_library();
    if (take(&p, 2))
        must(lbo_push(context, autograd) == LB_OK, "push");
    for (int i = 0; p.at < p.end && i < MOST_STEPS; i++)
        step(&p);
    for (int i = 0; i < POOL; i++)
        lbo_tensor_release(p.pool[i]);
    must(lbo_set_layers(context, NULL, 0) == LB_OK, "pop");
    must(lbo_context_device(context)->live == 0, "a storage is left");
    return 0;
}
