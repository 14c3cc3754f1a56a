/* general.c - the method for all tensors: conversion, then the CPU.
 *
 * It is reached when nothing more special is applicable, and tries in turn:
 *   1. inputs of several types, and scalars of the host language: converted to
 *      one type and device (operators that promote), integers to f32 where
 *      only floating types make sense
 *   2. half types: computed in f32, rounded at the end
 *   3. a device without a kernel: on the CPU, by the context's policy
 * After 1 and 2 the call starts anew, so that it finds the kernels of the
 * converted types. What is left is an error that names what there is.
 */
#include "dispatch/general.h"
#include "dispatch/promote.h"

#include <stdio.h>
#include <string.h>

/* Inputs that take part in a conversion; long lists go to the heap. */
enum { FEW = 8 };

typedef struct inputs {
    lbo_tensor *few[FEW];
    lbo_tensor **at; /* each entry: one reference, or NULL */
    uint32_t count;
} inputs;

static lb_status take_inputs(lbo_context *context, const lbo_call *call,
                             inputs *in)
{
    in->count = call->in_count;
    in->at = in->few;
    if (in->count > FEW)
        in->at = lboi_alloc(context->library, in->count * sizeof *in->at);
    if (in->at == NULL)
        return LB_NO_MEMORY;
    for (uint32_t i = 0; i < in->count; i++)
        in->at[i] = lbo_tensor_retain(call->in[i]);
    return LB_OK;
}

static void give_inputs(lbo_context *context, inputs *in)
{
    for (uint32_t i = 0; i < in->count; i++)
        lbo_tensor_release(in->at[i]);
    if (in->at != in->few)
        lboi_free(context->library, in->at, in->count * sizeof *in->at);
}

static void replace(inputs *in, uint32_t i, lbo_tensor *tensor)
{
    lbo_tensor_release(in->at[i]);
    in->at[i] = tensor;
}

/* Runs the operator again on other inputs, into the call's results. */
static lb_status run_again(lbo_context *context, lbo_call *call, inputs *in,
                           lbo_tensor **out)
{
    lbo_call again = *call;

    again.in = in->at;
    again.out = out;
    return lbo_run(context, call->op, &again);
}

/* ---- 1. one type ----------------------------------------------------------- */

static bool takes_part(const lbo_operator *op, uint32_t i)
{
    return op->spec.promoted == 0 || i >= 32 || op->spec.promoted >> i & 1;
}

static lbo_device *strong_device(const lbo_call *call)
{
    for (uint32_t i = 0; i < call->in_count; i++)
        if (call->in[i] != NULL && !(call->in[i]->flags & LBO_WEAK))
            return call->in[i]->storage->device;
    return call->in_count > 0 && call->in[0] != NULL
               ? call->in[0]->storage->device
               : call->out[0]->storage->device;
}

/* A tensor of another type or on another device. */
static lb_status convert(lbo_context *context, lbo_tensor *in, lbo_dtype dtype,
                         lbo_device *device, lbo_tensor **result)
{
    lbo_tensor *cast = NULL, *moved = NULL;
    lb_status status = LB_OK;

    if (in->dtype != dtype)
        status = lbo_cast(context, &cast, in, dtype);
    else
        cast = lbo_tensor_retain(in);
    if (status == LB_OK)
        status = lbo_to_device(context, &moved, cast, device);
    lbo_tensor_release(cast);
    if (status == LB_OK)
        *result = moved;
    return status;
}

static lb_status unify(lbo_context *context, lbo_call *call, bool *done)
{
    const lbo_dtype dtype = lboi_common_dtype(call);
    lbo_device *const device = strong_device(call);
    bool changed = false;
    inputs in;
    lb_status status = take_inputs(context, call, &in);

    if (status != LB_OK)
        return status;
    for (uint32_t i = 0; i < in.count && status == LB_OK; i++) {
        lbo_tensor *const old = in.at[i], *converted;
        if (old == NULL || !takes_part(call->op, i) ||
            (old->dtype == dtype && old->storage->device == device))
            continue;
        status = convert(context, old, dtype, device, &converted);
        if (status != LB_OK)
            break;
        replace(&in, i, converted);
        changed = true;
    }
    if (status == LB_OK && changed) {
        status = run_again(context, call, &in, call->out);
        *done = true;
    }
    give_inputs(context, &in);
    return status;
}

/* ---- 2. half types ---------------------------------------------------------- */

static bool is_half(const lbo_tensor *tensor)
{
    return tensor != NULL &&
           (tensor->dtype == LBO_F16 || tensor->dtype == LBO_BF16);
}

static bool any_half(const lbo_call *call)
{
    for (uint32_t i = 0; i < call->in_count; i++)
        if (is_half(call->in[i]))
            return true;
    return call->in_count == 0 && is_half(call->out[0]);
}

/* What was computed in f32 goes into the results, rounded. */
static lb_status round_into(lbo_context *context, lbo_call *call,
                            lbo_tensor **computed)
{
    lb_status status = LB_OK;

    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++)
        if (computed[i] != call->out[i])
            status = lbo_cast(context, &call->out[i], computed[i],
                              (lbo_dtype)call->out[i]->dtype);
    return status;
}

/* Results to compute into: f32 for half ones; for others the call's own. */
static lb_status wide_results(lbo_context *context, const lbo_call *call,
                              lbo_tensor **wide)
{
    lb_status status = LB_OK;

    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++) {
        lbo_tensor *const out = call->out[i];
        if (!is_half(out)) {
            wide[i] = lbo_tensor_retain(out);
            continue;
        }
        lbo_spec spec = {.device = out->storage->device,
                         .dtype = LBO_F32,
                         .ndim = out->ndim};
        memcpy(spec.shape, out->dims, out->ndim * sizeof(int64_t));
        status = lbo_tensor_create(context, &spec, &wide[i]);
        /* What is changed in place begins as it was. */
        for (uint32_t k = 0; k < call->in_count && status == LB_OK; k++)
            if (call->in[k] != NULL && lbo_overlap(out, call->in[k]) == 2)
                status = lbo_cast(context, &wide[i], out, LBO_F32);
    }
    return status;
}

static lb_status widen(lbo_context *context, lbo_call *call)
{
    lbo_tensor *wide[LBO_MAX_OUT] = {NULL};
    inputs in;
    lb_status status = take_inputs(context, call, &in);

    if (status != LB_OK)
        return status;
    for (uint32_t i = 0; i < in.count && status == LB_OK; i++) {
        lbo_tensor *converted = NULL;
        if (!is_half(in.at[i]))
            continue;
        status = lbo_cast(context, &converted, in.at[i], LBO_F32);
        if (status == LB_OK)
            replace(&in, i, converted);
    }
    if (status == LB_OK)
        status = wide_results(context, call, wide);
    if (status == LB_OK)
        status = run_again(context, call, &in, wide);
    if (status == LB_OK)
        status = round_into(context, call, wide);
    for (uint32_t i = 0; i < call->out_count; i++)
        lbo_tensor_release(wide[i]);
    give_inputs(context, &in);
    return status;
}

/* ---- 3. the CPU instead ------------------------------------------------------ */

static lb_status count_fallback(lbo_context *context, const lbo_call *call,
                                uint64_t bytes)
{
    size_t at = 0;

    while (at < context->fallback_count &&
           context->fallbacks[at].op != call->op)
        at++;
    if (at == context->fallback_count) {
        if (!lboi_reserve(context->library, &context->fallbacks,
                          &context->fallback_capacity,
                          context->fallback_count + 1,
                          sizeof *context->fallbacks))
            return LB_NO_MEMORY;
        context->fallbacks[context->fallback_count++] =
            (lbo_fallback_count){.op = call->op};
        if (context->fallback == LBO_FALLBACK_WARN)
            lboi_report(context->library, LB_NO_METHOD,
                        "%s has no kernel for %s: it runs on the CPU (said "
                        "once; see lbo_fallbacks)",
                        call->op->spec.name, strong_device(call)->name);
    }
    context->fallbacks[at].calls++;
    context->fallbacks[at].bytes += bytes;
    return LB_OK;
}

static lb_status results_back(lbo_context *context, lbo_call *call,
                              lbo_tensor **computed, uint64_t *bytes)
{
    lbo_device *const device = strong_device(call);
    lb_status status = LB_OK;

    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++) {
        *bytes += lbo_tensor_bytes(computed[i]);
        if (call->out[i] == NULL)
            status = lbo_to_device(context, &call->out[i], computed[i], device);
        else
            status = lbo_copy(context, &call->out[i], computed[i]);
    }
    return status;
}

/* Operators without inputs write a tensor that is there: a host's twin. */
static lb_status twins_of_results(lbo_context *context, const lbo_call *call,
                                  lbo_tensor **twins)
{
    if (call->op->spec.dispatched != 0)
        return LB_OK;
    lbo_spec spec = {.device = context->library->cpu,
                     .dtype = call->out[0]->dtype,
                     .ndim = call->out[0]->ndim};
    memcpy(spec.shape, call->out[0]->dims, spec.ndim * sizeof(int64_t));
    return lbo_tensor_create(context, &spec, &twins[0]);
}

static lb_status on_cpu(lbo_context *context, lbo_call *call)
{
    lbo_tensor *computed[LBO_MAX_OUT] = {NULL};
    uint64_t bytes = 0;
    inputs in;
    lb_status status = take_inputs(context, call, &in);

    if (status != LB_OK)
        return status;
    for (uint32_t i = 0; i < in.count && status == LB_OK; i++) {
        lbo_tensor *moved = NULL;
        if (in.at[i] == NULL || in.at[i]->storage->device->flags & LBO_HOST)
            continue;
        bytes += lbo_tensor_bytes(in.at[i]);
        status =
            lbo_to_device(context, &moved, in.at[i], context->library->cpu);
        if (status == LB_OK)
            replace(&in, i, moved);
    }
    if (status == LB_OK)
        status = twins_of_results(context, call, computed);
    if (status == LB_OK)
        status = run_again(context, call, &in, computed);
    if (status == LB_OK)
        status = results_back(context, call, computed, &bytes);
    for (uint32_t i = 0; i < call->out_count; i++)
        lbo_tensor_release(computed[i]);
    give_inputs(context, &in);
    return status == LB_OK ? count_fallback(context, call, bytes) : status;
}

/* ---- the method -------------------------------------------------------------- */

static lb_status general(lbo_context *context, lbo_call *call)
{
    const uint32_t flags = call->op->spec.flags;
    lb_status status = LB_OK;
    bool done = false;

    if (flags & (LBO_PROMOTES | LBO_TO_FLOAT) && call->in_count > 0) {
        status = unify(context, call, &done);
        if (status != LB_OK || done)
            return status;
    }
    if (!(flags & (LBO_MIXED_DEVICES | LBO_VIEW)) && any_half(call))
        return widen(context, call);
    if (strong_device(call)->flags & LBO_HOST ||
        context->fallback == LBO_FALLBACK_ERROR)
        return lboi_no_kernel(context, call, NULL);
    return on_cpu(context, call);
}

LB_METHOD(lbo_unary, general_unary);
LB_METHOD(lbo_binary, general_binary);

static lb_status general_unary(lb_slot slot, lbo_context *context,
                               lbo_tensor *a, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)a;
    return general(context, call);
}

static lb_status general_binary(lb_slot slot, lbo_context *context,
                                lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)a;
    (void)b;
    return general(context, call);
}

const lb_method *const lboi_general_unary = LB_DESCRIPTOR(general_unary);
const lb_method *const lboi_general_binary = LB_DESCRIPTOR(general_binary);

/* ---- none at all -------------------------------------------------------------- */

static const char *class_of_tensor(const lbo_tensor *tensor, char *text,
                                   size_t size)
{
    (void)snprintf(text, size, "%s.%s", tensor->storage->device->name,
                   lbo_dtype_name((lbo_dtype)tensor->dtype));
    return text;
}

static const char *operand_name(int dtype)
{
    return dtype == LBO_ANY_DTYPE ? "any" : lbo_dtype_name((lbo_dtype)dtype);
}

/* How far a kernel is from the call: fewer is nearer. */
static int distance(const lboi_known *known, const lbo_call *call)
{
    const lbo_tensor *const a =
        call->op->spec.dispatched == 0 ? call->out[0] : call->in[0];
    int far = known->device == a->storage->device ? 0 : 4;

    far += known->a != LBO_ANY_DTYPE && known->a != a->dtype;
    if (call->op->spec.dispatched == 2)
        far += known->b != LBO_ANY_DTYPE && known->b != call->in[1]->dtype;
    return far;
}

/* The three nearest kernels, as text. Under the mutex. */
static void list_nearest(const lbo_library *library, const lbo_call *call,
                         char *text, size_t size)
{
    const lboi_known *best[3] = {NULL};
    size_t used = 0;

    for (size_t i = 0; i < library->known_count; i++) {
        const lboi_known *candidate = &library->known[i];
        if (candidate->op != call->op)
            continue;
        for (int k = 0; k < 3; k++)
            if (best[k] == NULL ||
                distance(candidate, call) < distance(best[k], call)) {
                const lboi_known *const pushed = best[k];
                best[k] = candidate;
                candidate = pushed;
                if (candidate == NULL)
                    break;
            }
    }
    text[0] = '\0';
    for (int k = 0; k < 3 && best[k] != NULL && used < size; k++) {
        const lboi_known *const known = best[k];
        used += (size_t)snprintf(
            text + used, size - used, "%s%s(%s%s%s) on %s by %s",
            k > 0 ? "; " : "", call->op->spec.name, operand_name(known->a),
            call->op->spec.dispatched == 2 ? ", " : "",
            call->op->spec.dispatched == 2 ? operand_name(known->b) : "",
            known->device->name, known->provider);
    }
}

lb_status lboi_no_kernel(lbo_context *context, const lbo_call *call,
                         const lb_entry *entry)
{
    lbo_library *const library = context->library;
    const lbo_operator *const op = call->op;
    char a[160], b[160], near[800];

    if (entry != NULL && entry->status != LB_NO_METHOD)
        return lb_fail(entry, NULL);
    pthread_mutex_lock(&library->mutex);
    list_nearest(library, call, near, sizeof near);
    pthread_mutex_unlock(&library->mutex);
    return lbo_fail(
        LB_NO_METHOD, "no kernel for %s(%s%s%s); %s%s", op->spec.name,
        class_of_tensor(op->spec.dispatched == 0 ? call->out[0] : call->in[0],
                        a, sizeof a),
        op->spec.dispatched == 2 ? ", " : "",
        op->spec.dispatched == 2 ? class_of_tensor(call->in[1], b, sizeof b)
                                 : "",
        near[0] != '\0' ? "there are: " : "it has none at all", near);
}
