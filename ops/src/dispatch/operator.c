/* operator.c - operators, and the way of one call.
 *
 * lbo_run: brackets the call (lb_enter), looks up by the context's class and the
 * dispatched tensors. Without active layers the results are made first and the
 * look-up leads to the kernel; with layers it leads to the outermost layer, and
 * results are made when the last one goes on (lboi_run_kernel).
 */
#include "dispatch/general.h"
#include "dispatch/words.h"

#include <stdio.h>
#include <string.h>

/* What runs when nothing is applicable: the engine's words, made short and
 * complete by what the library knows. */
static lb_status no_unary(lb_slot slot, lbo_context *context, lbo_tensor *a,
                          lbo_call *call)
{
    (void)a;
    return lboi_no_kernel(context, call, lb_load_entry(slot));
}

static lb_status no_binary(lb_slot slot, lbo_context *context, lbo_tensor *a,
                           lbo_tensor *b, lbo_call *call)
{
    (void)a;
    (void)b;
    return lboi_no_kernel(context, call, lb_load_entry(slot));
}

LB_DEFINE_GENERIC_WITH(lbo_unary, no_unary);
LB_DEFINE_GENERIC_WITH(lbo_binary, no_binary);

/* ---- checking a call ------------------------------------------------------ */

static lb_status named(const lbo_operator *op, lb_status status)
{
    char text[1800];

    (void)snprintf(text, sizeof text, "%s", lb_message());
    return lbo_fail(status, "%s: %s", op->spec.name, text);
}

static lb_status find_fault(const lbo_operator *op, const lbo_call *call)
{
    const lbo_operator_spec *const spec = &op->spec;
    const uint32_t needed = spec->in_count - spec->optional;
    char name[64];

    if (call->out == NULL || (call->in == NULL && call->in_count > 0))
        return lbo_fail(LB_BAD_ARGUMENT, "%s: %s is NULL", spec->name,
                        call->out == NULL ? "out" : "in");
    if (spec->flags & LBO_LIST ? call->in_count < spec->in_count
                               : call->in_count != spec->in_count)
        return lbo_fail(LB_BAD_ARGUMENT, "%s takes %s%u inputs, not %u",
                        spec->name, spec->flags & LBO_LIST ? "at least " : "",
                        (unsigned)spec->in_count, (unsigned)call->in_count);
    for (uint32_t i = 0; i < call->in_count; i++)
        if (call->in[i] == NULL && (i < needed || i >= spec->in_count)) {
            lboi_input_name(op, i, name, sizeof name);
            return lbo_fail(LB_BAD_ARGUMENT, "%s: %s is NULL", spec->name,
                            name);
        }
    if (call->out_count != spec->out_count)
        return lbo_fail(LB_BAD_ARGUMENT, "%s gives %u results, not %u",
                        spec->name, (unsigned)spec->out_count,
                        (unsigned)call->out_count);
    if (spec->attribute_size > 0 && call->attributes == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: attributes are NULL", spec->name);
    if (spec->dispatched == 0 && call->out[0] == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: there is no tensor to write",
                        spec->name);
    return LB_OK;
}

static inline lb_status check_inputs(const lbo_operator *op,
                                     const lbo_call *call)
{
    const lbo_operator_spec *const spec = &op->spec;
    bool fine = call->in_count == spec->in_count &&
                call->out_count == spec->out_count && spec->dispatched > 0 &&
                call->in != NULL && call->out != NULL &&
                (spec->attribute_size == 0 || call->attributes != NULL);

    for (uint32_t i = 0; fine && i < spec->in_count; i++)
        fine = call->in[i] != NULL;
    return LB_LIKELY(fine) ? LB_OK : find_fault(op, call);
}

static bool is_weak(const lbo_tensor *tensor)
{
    return (tensor->flags & LBO_WEAK) != 0;
}

/* The device of the results: that of the inputs that are not weak. */
static lb_status search_device(const lbo_operator *op, const lbo_call *call,
                               lbo_device **result)
{
    lbo_device *found = NULL;
    char name[64];

    for (uint32_t i = 0; i < call->in_count; i++) {
        const lbo_tensor *const in = call->in[i];
        if (in == NULL || is_weak(in))
            continue;
        lbo_device *const device = in->storage->device;
        if (found != NULL && device != found &&
            !(op->spec.flags & LBO_MIXED_DEVICES)) {
            lboi_input_name(op, i, name, sizeof name);
            return lbo_fail(LB_BAD_ARGUMENT,
                            "%s: %s is on device %s, the others are on %s "
                            "(move one by to_device)",
                            op->spec.name, name, device->name, found->name);
        }
        if (found == NULL)
            found = device;
    }
    if (found == NULL)
        found = call->in_count > 0 && call->in[0] != NULL
                    ? call->in[0]->storage->device
                    : call->out[0]->storage->device;
    *result = found;
    return LB_OK;
}

/* The same for the usual call: every input is there, and on one device. */
static inline lb_status common_device(const lbo_operator *op,
                                      const lbo_call *call, lbo_device **result)
{
    lbo_device *const first =
        call->in_count > 0 ? call->in[0]->storage->device : NULL;
    bool one = first != NULL;

    for (uint32_t i = 0; one && i < call->in_count; i++)
        one = call->in[i] != NULL && !is_weak(call->in[i]) &&
              call->in[i]->storage->device == first;
    if (LB_UNLIKELY(!one))
        return search_device(op, call, result);
    *result = first;
    return LB_OK;
}

/* Its classes have other numbers: no kernel may see it. The others are on the
 * same device, or the operator takes any. */
static lb_status foreign(const lbo_operator *op)
{
    return lbo_fail(LB_BAD_ARGUMENT,
                    "%s: a tensor is of another library than the context",
                    op->spec.name);
}

static lb_status infer(const lbo_operator *op, const lbo_call *call,
                       lbo_spec *out)
{
    lbo_device *device = NULL;
    lb_status status = common_device(op, call, &device);

    if (status != LB_OK)
        return status;
    if (device->library != op->library)
        return foreign(op);
    for (uint32_t i = 0; i < call->out_count; i++)
        out[i].device = device;
    status = op->spec.infer(call, out);
    return status == LB_OK ? LB_OK : named(op, status);
}

lb_status lbo_infer(lbo_context *context, const lbo_operator *op,
                    const lbo_call *call, lbo_spec *out)
{
    if (context == NULL || op == NULL || call == NULL || out == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_infer: an argument is NULL");
    lbo_call known = *call;
    known.op = op;
    const lb_status status = check_inputs(op, &known);
    return status == LB_OK ? infer(op, &known, out) : status;
}

static bool has_shape(const lbo_tensor *tensor, const lbo_spec *spec)
{
    bool same = tensor->ndim == spec->ndim;

    for (uint32_t i = 0; same && i < spec->ndim; i++)
        same = tensor->dims[i] == spec->shape[i];
    return same;
}

/* A result that the caller gave. */
static lb_status check_given(const lbo_operator *op, const lbo_tensor *out,
                             const lbo_spec *spec)
{
    char wanted[256], has[256];

    if (out->dtype == spec->dtype && has_shape(out, spec) &&
        (out->storage->device == spec->device ||
         op->spec.flags & LBO_MIXED_DEVICES)) {
        if (out->storage->flags & LBO_READ_ONLY)
            return lbo_fail(LB_READ_ONLY, "%s: the result given is read-only",
                            op->spec.name);
        for (int i = 0; i < out->ndim; i++)
            if (out->dims[i] > 1 && lbo_strides(out)[i] == 0)
                return lbo_fail(LB_BAD_ARGUMENT,
                                "%s: the result given is a broadcast view; "
                                "several of its elements are one",
                                op->spec.name);
        return LB_OK;
    }
    lboi_shape_text(spec->ndim, spec->shape, wanted, sizeof wanted);
    lboi_shape_text(out->ndim, out->dims, has, sizeof has);
    return lbo_fail(LB_BAD_ARGUMENT,
                    "%s: the result is %s%s on %s, the one given is %s%s "
                    "on %s",
                    op->spec.name, lbo_dtype_name((lbo_dtype)spec->dtype),
                    wanted, spec->device->name,
                    lbo_dtype_name((lbo_dtype)out->dtype), has,
                    out->storage->device->name);
}

/* Whether writing `out` while reading the inputs could go wrong. */
static bool must_copy(const lbo_operator *op, const lbo_call *call,
                      const lbo_tensor *out)
{
    const int harmless = op->spec.flags & LBO_ELEMENTWISE ? 2 : 0;

    for (uint32_t i = 0; i < call->in_count; i++) {
        const lbo_tensor *const in = call->in[i];
        if (in == NULL ||
            (in->storage != out->storage && in->storage->inside != 2 &&
             out->storage->inside != 2))
            continue;
        const int overlap = lbo_overlap(out, in);
        if (overlap != 0 && overlap != harmless)
            return true;
    }
    return false;
}

/* Two given results that share memory: one would spoil the other. */
static lb_status check_apart(const lbo_call *call)
{
    for (uint32_t i = 1; i < call->out_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (call->out[i] != NULL && call->out[k] != NULL &&
                lbo_overlap(call->out[i], call->out[k]) != 0)
                return lbo_fail(LB_BAD_ARGUMENT,
                                "%s: the results %u and %u given share memory",
                                call->op->spec.name, (unsigned)k, (unsigned)i);
    return LB_OK;
}

static void drop_made(lbo_call *call)
{
    for (uint32_t i = 0; i < call->out_count; i++)
        if (!(call->given >> i & 1)) {
            lbo_tensor_release(call->out[i]);
            call->out[i] = NULL;
        }
}

/* The usual call of an operator that says so: inputs of one type and shape. Then
 * there is nothing to infer; the class says type and device at once. */
static bool is_alike(const lbo_call *call)
{
    const lbo_operator_spec *const spec = &call->op->spec;

    if (!(spec->flags & LBO_ALIKE))
        return false;
    const lbo_tensor *const a = call->in[0];
    const lbo_tensor *const b = call->in[call->in_count - 1];
    if (a->dtype == LBO_BOOL ||
        (spec->flags & LBO_TO_FLOAT && a->dtype < LBO_F16))
        return false;
    return a == b ||
           (a->head.handle == b->head.handle &&
            !((a->flags | b->flags) & LBO_WEAK) && lbo_same_shape(a, b));
}

/* Whether a given result may just be written: dense, of the same class and
 * shape, and where it shares memory it is the very same view. */
static bool is_plain_result(const lbo_call *call)
{
    const lbo_tensor *const out = call->out[0], *const a = call->in[0];
    const lbo_tensor *const b = call->in[call->in_count - 1];

    if (out->head.handle != a->head.handle || !lbo_same_shape(out, a) ||
        out->storage->flags & LBO_READ_ONLY || out->storage->inside == 2 ||
        a->storage->inside == 2 || b->storage->inside == 2 ||
        !lbo_is_contiguous(out))
        return false;
    return (out->storage != a->storage || lbo_overlap(out, a) != 1) &&
           (out->storage != b->storage || lbo_overlap(out, b) != 1);
}

/* Makes results that are not there. `aside[i]`, where bit i of `kept` is set: a
 * result that overlaps an input, to be written after the kernel has written
 * another in its place. */
static lb_status prepare(lbo_context *context, lbo_call *call,
                         lbo_tensor **aside, uint32_t *kept)
{
    const lbo_operator *const op = call->op;
    lbo_spec specs[LBO_MAX_OUT];

    if (is_alike(call)) {
        if (LB_UNLIKELY(call->in[0]->storage->device->library != op->library))
            return foreign(op);
        if (call->out[0] == NULL)
            return lboi_tensor_like(call->in[0], &call->out[0]);
        if (is_plain_result(call))
            return LB_OK;
    }
    lb_status status = infer(op, call, specs);

    if (status != LB_OK || op->spec.flags & LBO_VIEW)
        return status;
    if (call->out_count > 1)
        status = check_apart(call);
    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++) {
        lbo_tensor *const given = call->out[i];
        if (given != NULL) {
            status = check_given(op, given, &specs[i]);
            if (status != LB_OK || !must_copy(op, call, given))
                continue;
            aside[i] = given;
            *kept |= 1u << i;
            call->out[i] = NULL;
        }
        status = lboi_tensor_new(context->library, &specs[i], specs[i].device,
                                 &call->out[i]);
    }
    return status;
}

/* ---- running -------------------------------------------------------------- */

static lb_status dispatch(lbo_context *context, lbo_call *call)
{
    const lbo_operator *const op = call->op;

    if (op->spec.dispatched == 2)
        return lb_in_lbo_binary(op->head, context, call->in[0], call->in[1],
                                call);
    return lb_in_lbo_unary(
        op->head, context,
        op->spec.dispatched == 0 ? call->out[0] : call->in[0], call);
}

static lb_status go_on(lbo_context *context, lbo_call *call,
                       const lbo_rest *rest)
{
    return rest == NULL ? dispatch(context, call)
                        : lbo_next(context, call, rest);
}

/* Writes the results that were put aside. */
static lb_status settle(lbo_context *context, lbo_call *call,
                        lbo_tensor **aside, uint32_t kept, lb_status status)
{
    for (uint32_t i = 0; i < call->out_count; i++) {
        if (!(kept >> i & 1))
            continue;
        lbo_tensor *const written = call->out[i];
        call->out[i] = aside[i];
        if (status == LB_OK)
            status = lbo_copy(context, &call->out[i], written);
        lbo_tensor_release(written);
    }
    return status;
}

/* Two threads that write one tensor are the caller's to keep apart: a load and a
 * store will do. */
static void count_write(lbo_storage *storage)
{
    const uint32_t version =
        __atomic_load_n(&storage->version, __ATOMIC_RELAXED);

    __atomic_store_n(&storage->version, version + 1, __ATOMIC_RELAXED);
}

static void count_writes(const lbo_call *call)
{
    for (uint32_t i = 0; i < call->out_count; i++)
        if (call->given >> i & 1)
            count_write(call->out[i]->storage);
}

lb_status lboi_run_kernel(lbo_context *context, lbo_call *call,
                          const lbo_rest *rest)
{
    lbo_tensor *aside[LBO_MAX_OUT];
    uint32_t kept = 0;
    lb_status status = prepare(context, call, aside, &kept);

    call->prepared = 1;
    if (status == LB_OK)
        status = go_on(context, call, rest);
    if (LB_UNLIKELY(kept != 0))
        status = settle(context, call, aside, kept, status);
    if (LB_UNLIKELY(status != LB_OK))
        drop_made(call);
    else if (call->given != 0)
        count_writes(call);
    return status;
}

static uint32_t given_results(const lbo_call *call)
{
    uint32_t given = 0;

    for (uint32_t i = 0; i < call->out_count; i++)
        if (call->out[i] != NULL)
            given |= 1u << i;
    return given;
}

/* A layer's handler that does not go on is to make the results. */
static lb_status check_made(const lbo_call *call)
{
    for (uint32_t i = 0; i < call->out_count; i++)
        if (LB_UNLIKELY(call->out[i] == NULL))
            return lbo_fail(LB_METHOD_FAILED,
                            "%s: a layer neither went on (lbo_next) nor made "
                            "result %u",
                            call->op->spec.name, (unsigned)i);
    return LB_OK;
}

/* What is wrong with a call is said with the operator's name in front, also where
 * a kernel or another operator noticed it. */
static lb_status failed(lbo_call *call, lb_status status)
{
    const char *const name = call->op->spec.name, *const text = lb_message();
    const size_t length = strlen(name);

    drop_made(call);
    if (status != LB_BAD_ARGUMENT ||
        (strncmp(text, name, length) == 0 &&
         (text[length] == ':' || text[length] == ' ')))
        return status;
    return named(call->op, status);
}

lb_status lbo_run(lbo_context *context, const lbo_operator *op, lbo_call *call)
{
    if (context == NULL || op == NULL || call == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_run: an argument is NULL");
    call->op = op;
    call->prepared = 0;
    lb_status status = check_inputs(op, call);
    if (status != LB_OK)
        return status;
    call->given = given_results(call);
    if (op->spec.flags & LBO_VIEW && call->given != 0)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s makes its result: set it to NULL before",
                        op->spec.name);
    lb_enter(context->reader);
    const uint32_t level = lboi_level_of(context);
    context->call.head = context->stack[level].head;
    if (level == context->depth)
        status = lboi_run_kernel(context, call, NULL);
    else {
        status = dispatch(context, call);
        if (status == LB_OK)
            status = check_made(call);
    }
    lb_leave(context->reader);
    return LB_LIKELY(status == LB_OK) ? LB_OK : failed(call, status);
}

/* ---- operators ------------------------------------------------------------- */

static lb_status check_spec(const lbo_operator_spec *spec)
{
    if (spec->name == NULL || spec->infer == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_operator_create: name or infer is NULL");
    if (spec->dispatched > 2 || spec->in_count < spec->dispatched ||
        spec->in_count < spec->optional + spec->dispatched)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "operator %s: dispatches on %u of %u inputs, %u of "
                        "them optional",
                        spec->name, (unsigned)spec->dispatched,
                        (unsigned)spec->in_count, (unsigned)spec->optional);
    if (spec->out_count < 1 || spec->out_count > LBO_MAX_OUT)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "operator %s: gives %u results, there may be 1 to %d",
                        spec->name, (unsigned)spec->out_count, LBO_MAX_OUT);
    if (spec->flags & LBO_ALIKE &&
        (spec->in_count < 1 || spec->in_count > 2 || spec->optional != 0 ||
         spec->out_count != 1 || spec->flags & (LBO_LIST | LBO_VIEW)))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "operator %s: LBO_ALIKE is for one or two inputs, none "
                        "optional, and one result",
                        spec->name);
    return LB_OK;
}

static lb_status keep_operator(lbo_library *library, lbo_operator *op)
{
    pthread_mutex_lock(&library->mutex);
    const bool room =
        lboi_reserve(library, &library->operators, &library->operator_capacity,
                     library->operator_count + 1, sizeof(void *));
    if (room) {
        op->index = (uint32_t)library->operator_count;
        if (op->index < LBOI_BUILTIN_COUNT)
            library->builtins[op->index] = op;
        library->operators[library->operator_count++] = op;
    }
    pthread_mutex_unlock(&library->mutex);
    return room ? LB_OK : LB_NO_MEMORY;
}

static lb_status add_general(lbo_operator *op)
{
    lb_class *const tensors = op->library->tensors;
    const bool two = op->spec.dispatched == 2;
    lb_class *const classes[LB_MAX_DISPATCH] = {lb_any_class, tensors,
                                                two ? tensors : NULL};
    const lb_method *method = op->spec.general;

    if (method == NULL)
        method = two ? lboi_general_binary : lboi_general_unary;
    return lb_add_classes(op->head, method, classes);
}

void lboi_operator_free(lbo_operator *op)
{
    lboi_free_text(op->library, (char *)(uintptr_t)op->spec.name);
    lboi_free(op->library, op, sizeof *op);
}

lb_status lbo_operator_create(lbo_library *library,
                              const lbo_operator_spec *spec,
                              const lbo_operator **result)
{
    if (library == NULL || spec == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_operator_create: an argument is NULL");
    lb_status status = check_spec(spec);
    if (status != LB_OK)
        return status;
    lbo_operator *const op = lboi_zalloc(library, sizeof *op);
    if (op == NULL)
        return LB_NO_MEMORY;
    op->spec = *spec;
    op->library = library;
    op->serial = lboi_opening(library);
    op->spec.name = lboi_copy_text(library, spec->name);
    if (op->spec.name == NULL) {
        lboi_free(library, op, sizeof *op);
        return LB_NO_MEMORY;
    }
    const lb_head *const family =
        spec->dispatched == 2 ? LB_HEAD(lbo_binary) : LB_HEAD(lbo_unary);
    status = lb_generic_create(library->runtime, op->spec.name,
                               family->signature, NULL, &op->generic);
    if (status == LB_OK) {
        op->head = lb_generic_head(op->generic);
        status = add_general(op);
        pthread_mutex_lock(&library->layer_mutex);
        if (status == LB_OK)
            status = lboi_layers_wrap(library, op);
        if (status == LB_OK)
            status = keep_operator(library, op);
        pthread_mutex_unlock(&library->layer_mutex);
        if (status != LB_OK)
            (void)lb_generic_destroy(op->generic);
    }
    if (status != LB_OK) {
        lboi_operator_free(op);
        return status;
    }
    *result = op;
    return LB_OK;
}

const lbo_operator *lbo_operator_find(lbo_library *library, const char *name)
{
    const lbo_operator *found = NULL;

    pthread_mutex_lock(&library->mutex);
    for (size_t i = 0; i < library->operator_count && found == NULL; i++)
        if (strcmp(library->operators[i]->spec.name, name) == 0)
            found = library->operators[i];
    pthread_mutex_unlock(&library->mutex);
    return found;
}

size_t lbo_operator_count(lbo_library *library)
{
    pthread_mutex_lock(&library->mutex);
    const size_t count = library->operator_count;
    pthread_mutex_unlock(&library->mutex);
    return count;
}

const lbo_operator *lbo_operator_at(lbo_library *library, size_t index)
{
    const lbo_operator *found = NULL;

    pthread_mutex_lock(&library->mutex);
    if (index < library->operator_count)
        found = library->operators[index];
    pthread_mutex_unlock(&library->mutex);
    return found;
}
