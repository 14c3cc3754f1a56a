/* autocast.c - a layer that chooses the type that operators compute in.
 *
 * Wraps two lists of operators only; others are not in its chain at all:
 *   products and convolutions   f32 inputs become the half type
 *   what must be precise        half inputs become f32
 * f64 is left alone, and so are integers and numbers of the host language. The
 * inputs are converted by lbo_cast and the call runs anew on the layers further
 * in; a result that was given gets its own type back.
 *
 * With autograd, by the order of the layers:
 *   autograd outside (pushed later)  sees the call as written. The gradient is
 *                       computed from the inputs before conversion, in the
 *                       types that autocast chooses again while it is active
 *   autograd inside     sees the conversions as operators of their own, and
 *                       the product on half types; both are recorded
 * In both a gradient arrives in the type of the input (lbo_sum_to, and the
 * gradient of cast).
 */
#include "library.h"

#include "latebind/ops/kernel.h"

#include <string.h>

enum { MOST_INPUTS = 8 };

/* Products first. */
static const char *const names[] = {
    "matmul",  "linear",      "conv2d",        "exp",       "log",
    "pow",     "sum",         "mean",          "var",       "mse",
    "softmax", "log_softmax", "cross_entropy", "layer_norm"};
enum { PRODUCTS = 3, NAMES = sizeof names / sizeof *names };

typedef struct autocast {
    lbo_library *library;
    lbo_dtype half;
    const lbo_operator *products[PRODUCTS];
} autocast;

static bool is_product(const autocast *data, const lbo_operator *op)
{
    for (int i = 0; i < PRODUCTS; i++)
        if (data->products[i] == op)
            return true;
    return false;
}

/* Whether an input is to be converted. */
static bool is_other(const lbo_tensor *in, lbo_dtype wanted)
{
    return in != NULL && !(in->flags & LBO_WEAK) && in->dtype != wanted &&
           (in->dtype == LBO_F32 || in->dtype == LBO_F16 ||
            in->dtype == LBO_BF16);
}

/* f64 says that precision is wanted. */
static bool applies(const lbo_call *call, lbo_dtype wanted)
{
    bool any = false;

    if (call->in_count > MOST_INPUTS)
        return false;
    for (uint32_t i = 0; i < call->in_count; i++) {
        if (call->in[i] != NULL && call->in[i]->dtype == LBO_F64 &&
            !(call->in[i]->flags & LBO_WEAK))
            return false;
        any = any || is_other(call->in[i], wanted);
    }
    return any;
}

/* Results made go to the call; those that were given are written. */
static lb_status hand_over(lbo_context *context, lbo_call *call,
                           lbo_tensor **made, lb_status status)
{
    for (uint32_t i = 0; i < call->out_count; i++) {
        if (!(call->given >> i & 1)) {
            call->out[i] = made[i];
            continue;
        }
        if (status == LB_OK)
            status = lbo_cast(context, &call->out[i], made[i],
                              (lbo_dtype)call->out[i]->dtype);
        lbo_tensor_release(made[i]);
    }
    return status;
}

static lb_status convert(lbo_layer *layer, lbo_context *context, lbo_call *call,
                         const lbo_rest *rest)
{
    const autocast *const data = lbo_layer_data(layer);
    const lbo_dtype wanted = is_product(data, call->op) ? data->half : LBO_F32;
    lbo_tensor *in[MOST_INPUTS] = {NULL}, *made[LBO_MAX_OUT] = {NULL};
    lb_status status = LB_OK;

    if (!applies(call, wanted))
        return lbo_next(context, call, rest);
    for (uint32_t i = 0; i < call->in_count && status == LB_OK; i++)
        if (is_other(call->in[i], wanted))
            status = lbo_cast(context, &in[i], call->in[i], wanted);
        else
            in[i] = lbo_tensor_retain(call->in[i]);
    if (status == LB_OK) {
        lbo_call again = *call;
        again.in = in;
        again.out = made;
        status = lbo_run(context, call->op, &again);
    }
    if (status == LB_OK)
        status = hand_over(context, call, made, status);
    for (uint32_t i = 0; i < call->in_count; i++)
        lbo_tensor_release(in[i]);
    return status;
}

static void release(void *data)
{
    lboi_free(((autocast *)data)->library, data, sizeof(autocast));
}

lb_status lbo_autocast_create(lbo_library *library, lbo_dtype dtype,
                              lbo_layer **result)
{
    if (library == NULL || (dtype != LBO_F16 && dtype != LBO_BF16))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_autocast_create: the type is %s; f16 or bf16 is "
                        "wanted",
                        lbo_dtype_name(dtype));
    autocast *const data = lboi_zalloc(library, sizeof *data);
    if (data == NULL)
        return LB_NO_MEMORY;
    data->library = library;
    data->half = dtype;
    for (int i = 0; i < PRODUCTS; i++)
        data->products[i] = lbo_operator_find(library, names[i]);
    const lbo_layer_spec spec = {.name = "autocast",
                                 .handler = convert,
                                 .data = data,
                                 .release = release,
                                 .operators = names,
                                 .operator_count = NAMES};
    const lb_status status = lbo_layer_create(library, &spec, result);
    if (status != LB_OK)
        release(data);
    return status;
}
