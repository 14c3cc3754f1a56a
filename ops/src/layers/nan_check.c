/* nan_check.c - a layer that stops where a NaN or an infinity comes from.
 *
 * After each call the floating results are looked through. A result that has one
 * is a fault unless an input has one as well; but inputs that the call overwrote
 * cannot be looked at afterwards, so where a result was given, inputs are looked
 * through before. The sum of x - x is 0 for finite numbers and NaN for others:
 * one reduction tells on any device, without bringing the tensor to the host;
 * only a faulty result is read to say where. Operators without inputs are let
 * be: what they write is the caller's wish.
 */
#include "latebind/ops/kernel.h"
#include "latebind/ops/layer.h"

#include <math.h>
#include <stdio.h>

static bool is_floating(const lbo_tensor *tensor)
{
    return tensor != NULL &&
           lbo_dtype_kind((lbo_dtype)tensor->dtype) == LBO_KIND_FLOATING;
}

/* Operators that this runs go to the layers further in. */
static lb_status is_finite(lbo_context *context, lbo_tensor *tensor,
                           bool *result)
{
    lbo_tensor *zeros = NULL, *sum = NULL;
    double value = 0;
    lb_status status = lbo_sub(context, &zeros, tensor, tensor);

    if (status == LB_OK)
        status = lbo_sum(context, &sum, zeros, -1, NULL, false);
    if (status == LB_OK)
        status = lbo_item(context, sum, &value);
    lbo_tensor_release(zeros);
    lbo_tensor_release(sum);
    *result = value == 0;
    return status;
}

static lb_status are_finite(lbo_context *context, lbo_tensor *const *tensors,
                            uint32_t count, bool *result)
{
    lb_status status = LB_OK;

    *result = true;
    for (uint32_t i = 0; i < count && status == LB_OK && *result; i++)
        if (is_floating(tensors[i]))
            status = is_finite(context, tensors[i], result);
    return status;
}

/* "[2, 0]": the index of an element by its number in row-major order. */
static void place_text(const lbo_tensor *tensor, int64_t number, char *text,
                       size_t size)
{
    int64_t index[LBO_MAX_DIMS];
    size_t used = (size_t)snprintf(text, size, "[");

    for (int i = tensor->ndim; i-- > 0;) {
        index[i] = number % lbo_shape(tensor)[i];
        number /= lbo_shape(tensor)[i];
    }
    for (int i = 0; i < tensor->ndim && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld",
                                 i > 0 ? ", " : "", (long long)index[i]);
    if (used < size)
        (void)snprintf(text + used, size - used, "]");
}

static lb_status say_where(const lbo_call *call, uint32_t result,
                           const double *numbers)
{
    const lbo_tensor *const tensor = call->out[result];
    char place[400];

    for (int64_t i = 0; i < tensor->size; i++) {
        if (isfinite(numbers[i]))
            continue;
        place_text(tensor, i, place, sizeof place);
        return lbo_fail(LB_METHOD_FAILED,
                        "%s: result %u has %s at %s, and no input has a NaN or "
                        "an infinity",
                        call->op->spec.name, (unsigned)result,
                        isnan(numbers[i]) ? "a NaN" : "an infinity", place);
    }
    return LB_OK;
}

/* Reads the result and says where; LB_OK if all its numbers are finite. */
static lb_status find_place(lbo_context *context, const lbo_call *call,
                            uint32_t result)
{
    const lbo_tensor *const tensor = call->out[result];
    const size_t bytes = (size_t)tensor->size * sizeof(double);
    lbo_tensor *wide = NULL;
    double *const numbers = lbo_scratch(context, bytes);

    if (numbers == NULL)
        return LB_NO_MEMORY;
    lb_status status = lbo_cast(context, &wide, call->out[result], LBO_F64);
    if (status == LB_OK)
        status = lbo_read(context, wide, numbers, bytes);
    if (status == LB_OK)
        status = say_where(call, result, numbers);
    lbo_tensor_release(wide);
    lbo_scratch_free(context, numbers, bytes);
    return status;
}

static lb_status check_results(lbo_context *context, const lbo_call *call)
{
    lb_status status = LB_OK;
    bool finite;

    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++) {
        if (!is_floating(call->out[i]))
            continue;
        status = is_finite(context, call->out[i], &finite);
        if (status == LB_OK && !finite)
            status = find_place(context, call, i);
    }
    return status;
}

static lb_status check(lbo_layer *layer, lbo_context *context, lbo_call *call,
                       const lbo_rest *rest)
{
    bool known = call->given != 0, finite = true, good = true;
    lb_status status = LB_OK;

    (void)layer;
    if (call->in_count == 0)
        return lbo_next(context, call, rest);
    if (known)
        status = are_finite(context, call->in, call->in_count, &finite);
    if (status == LB_OK)
        status = lbo_next(context, call, rest);
    if (status != LB_OK || !finite)
        return status;
    status = are_finite(context, call->out, call->out_count, &good);
    if (status != LB_OK || good)
        return status;
    if (!known)
        status = are_finite(context, call->in, call->in_count, &finite);
    return status == LB_OK && finite ? check_results(context, call) : status;
}

lb_status lbo_nan_check_create(lbo_library *library, lbo_layer **result)
{
    const lbo_layer_spec spec = {.name = "nan check", .handler = check};

    return lbo_layer_create(library, &spec, result);
}
