/* create.c - copies in this and other types, and tensors made from nothing.
 *
 * What fills a tensor dispatches on the tensor that it writes. Random numbers
 * come from the context when the function is called, not when a kernel runs:
 * a call that is recorded, or repeated on another device, has its seed and its
 * place in the sequence as attributes, and gives the same numbers again.
 */
#include "operators/run.h"
#include "tensor/convert.h"
#include "tensor/transfer.h"

/* ---- cast and copy ------------------------------------------------------- */

static lb_status infer_cast(const lbo_call *call, lbo_spec *out)
{
    const lbo_cast_attributes *const attributes = call->attributes;

    if (lbo_dtype_size((lbo_dtype)attributes->dtype) == 0)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%d is no dtype; there are 0 (bool) to %d (f64)",
                        (int)attributes->dtype, LBO_DTYPE_COUNT - 1);
    lboi_spec_like(out, call->in[0]);
    out->dtype = attributes->dtype;
    return LB_OK;
}

lb_status lbo_cast(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                   lbo_dtype dtype)
{
    const lbo_cast_attributes attributes = {(int32_t)dtype};

    return lboi_run(context, LBOI_OP_cast, out, &x, 1, &attributes);
}

static const lbo_attribute cast_attributes[] = {
    {"dtype", LBO_ATTRIBUTE_DTYPE, offsetof(lbo_cast_attributes, dtype)}};

const lbo_operator_spec lboi_spec_cast = {
    .name = "cast",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = LBO_ELEMENTWISE,
    .attribute_size = sizeof(lbo_cast_attributes),
    .attributes = cast_attributes,
    .attribute_count = 1,
    .infer = infer_cast,
    .gradient = lboi_gradient_cast,
    .in_names = "x",
    .summary = "the same numbers in another type",
};

/* What no kernel does: other devices, and this one by way of cast. */
LB_METHOD(lbo_unary, copy_any);
static lb_status copy_any(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *call)
{
    LB_IGNORE(slot);
    return lboi_transfer(context, call->out[0], x);
}

lb_status lbo_copy(lbo_context *context, lbo_tensor **out, lbo_tensor *x)
{
    return lboi_run(context, LBOI_OP_copy, out, &x, 1, NULL);
}

const lbo_operator_spec lboi_spec_copy = {
    .name = "copy",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = LBO_ELEMENTWISE | LBO_MIXED_DEVICES,
    .infer = lboi_infer_like_first,
    .gradient = lboi_gradient_copy,
    .general = LB_DESCRIPTOR(copy_any),
    .in_names = "x",
    .summary = "a copy in row-major order, or into a tensor on any device",
};

/* ---- what writes a tensor that is there ---------------------------------- */

static lb_status infer_written(const lbo_call *call, lbo_spec *out)
{
    lboi_spec_like(out, call->out[0]);
    return LB_OK;
}

/* Runs an operator without inputs on `out`. */
static lb_status write_to(lbo_context *context, lboi_builtin_index index,
                          lbo_tensor *out, const void *attributes)
{
    return lboi_run(context, index, &out, NULL, 0, attributes);
}

lb_status lbo_fill(lbo_context *context, lbo_tensor *out, double value)
{
    lbo_fill_attributes attributes = {.real = value};

    attributes.integer =
        out != NULL && out->dtype == LBO_BOOL ? value != 0 : lboi_i64_of(value);
    return write_to(context, LBOI_OP_fill, out, &attributes);
}

lb_status lbo_fill_integer(lbo_context *context, lbo_tensor *out, int64_t value)
{
    const lbo_fill_attributes attributes = {(double)value, value};

    return write_to(context, LBOI_OP_fill, out, &attributes);
}

static const lbo_attribute fill_attributes[] = {
    {"real", LBO_ATTRIBUTE_REAL, offsetof(lbo_fill_attributes, real)},
    {"integer", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_fill_attributes, integer)}};

const lbo_operator_spec lboi_spec_fill = {
    .name = "fill",
    .out_count = 1,
    .attribute_size = sizeof(lbo_fill_attributes),
    .attributes = fill_attributes,
    .attribute_count = 2,
    .infer = infer_written,
    .summary = "one number for all elements",
};

static lb_status infer_arange(const lbo_call *call, lbo_spec *out)
{
    if (call->out[0]->ndim != 1)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "the tensor has %u dimensions; one is wanted",
                        (unsigned)call->out[0]->ndim);
    return infer_written(call, out);
}

lb_status lbo_arange(lbo_context *context, lbo_tensor *out, double start,
                     double step)
{
    const lbo_arange_attributes attributes = {start, step};

    return write_to(context, LBOI_OP_arange, out, &attributes);
}

static const lbo_attribute arange_attributes[] = {
    {"start", LBO_ATTRIBUTE_REAL, offsetof(lbo_arange_attributes, start)},
    {"step", LBO_ATTRIBUTE_REAL, offsetof(lbo_arange_attributes, step)}};

const lbo_operator_spec lboi_spec_arange = {
    .name = "arange",
    .out_count = 1,
    .attribute_size = sizeof(lbo_arange_attributes),
    .attributes = arange_attributes,
    .attribute_count = 2,
    .infer = infer_arange,
    .summary = "start, start + step, start + 2 step, ...",
};

/* ---- random numbers ------------------------------------------------------ */

/* Blocks of four numbers. */
static uint64_t blocks_for(int64_t size)
{
    return ((uint64_t)size + 3) / 4;
}

static lb_status infer_random(const lbo_call *call, lbo_spec *out)
{
    const lb_status status = lboi_want_floating(call->out[0], "the tensor");

    return status == LB_OK ? infer_written(call, out) : status;
}

static lb_status random_to(lbo_context *context, lboi_builtin_index index,
                           lbo_tensor *out, double a, double b)
{
    if (context == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "random numbers: context is NULL");
    const lbo_random_attributes attributes = {a, b, context->seed,
                                              context->offset};
    const lb_status status = write_to(context, index, out, &attributes);
    if (status == LB_OK)
        context->offset += blocks_for(out->size);
    return status;
}

lb_status lbo_uniform(lbo_context *context, lbo_tensor *out, double low,
                      double high)
{
    return random_to(context, LBOI_OP_uniform, out, low, high);
}

lb_status lbo_normal(lbo_context *context, lbo_tensor *out, double mean,
                     double deviation)
{
    return random_to(context, LBOI_OP_normal, out, mean, deviation);
}

static const lbo_attribute uniform_attributes[] = {
    {"low", LBO_ATTRIBUTE_REAL, offsetof(lbo_random_attributes, a)},
    {"high", LBO_ATTRIBUTE_REAL, offsetof(lbo_random_attributes, b)},
    {"seed", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_random_attributes, seed)},
    {"offset", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_random_attributes, offset)}};
static const lbo_attribute normal_attributes[] = {
    {"mean", LBO_ATTRIBUTE_REAL, offsetof(lbo_random_attributes, a)},
    {"deviation", LBO_ATTRIBUTE_REAL, offsetof(lbo_random_attributes, b)},
    {"seed", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_random_attributes, seed)},
    {"offset", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_random_attributes, offset)}};

const lbo_operator_spec lboi_spec_uniform = {
    .name = "uniform",
    .out_count = 1,
    .flags = LBO_RANDOM,
    .attribute_size = sizeof(lbo_random_attributes),
    .attributes = uniform_attributes,
    .attribute_count = 4,
    .infer = infer_random,
    .summary = "random numbers, low <= number < high",
};

const lbo_operator_spec lboi_spec_normal = {
    .name = "normal",
    .out_count = 1,
    .flags = LBO_RANDOM,
    .attribute_size = sizeof(lbo_random_attributes),
    .attributes = normal_attributes,
    .attribute_count = 4,
    .infer = infer_random,
    .summary = "random numbers, normally distributed",
};

/* ---- dropout ------------------------------------------------------------- */

static lb_status infer_dropout(const lbo_call *call, lbo_spec *out)
{
    const lbo_dropout_attributes *const attributes = call->attributes;
    const lb_status status = lboi_want_floating(call->in[0], "x");

    if (status != LB_OK)
        return status;
    if (!(attributes->p >= 0 && attributes->p < 1))
        return lbo_fail(LB_BAD_ARGUMENT, "p is %g; 0 <= p < 1 is wanted",
                        attributes->p);
    lboi_spec_like(&out[0], call->in[0]);
    lboi_spec_like(&out[1], call->in[0]);
    out[1].dtype = LBO_BOOL;
    return LB_OK;
}

lb_status lbo_dropout(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                      double p)
{
    if (context == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "dropout: context is NULL");
    const lbo_dropout_attributes attributes = {p, context->seed,
                                               context->offset};
    const lb_status status =
        lboi_run_first(context, LBOI_OP_dropout, out, 2, &x, 1, &attributes);
    if (status == LB_OK)
        context->offset += blocks_for(x->size);
    return status;
}

static const lbo_attribute dropout_attributes[] = {
    {"p", LBO_ATTRIBUTE_REAL, offsetof(lbo_dropout_attributes, p)},
    {"seed", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_dropout_attributes, seed)},
    {"offset", LBO_ATTRIBUTE_INTEGER,
     offsetof(lbo_dropout_attributes, offset)}};

const lbo_operator_spec lboi_spec_dropout = {
    .name = "dropout",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 2,
    .flags = LBO_ELEMENTWISE | LBO_RANDOM,
    .saves = LBO_SAVE_OUT(1),
    .attribute_size = sizeof(lbo_dropout_attributes),
    .attributes = dropout_attributes,
    .attribute_count = 3,
    .infer = infer_dropout,
    .gradient = lboi_gradient_dropout,
    .in_names = "x",
    .summary = "zeros for a random share, the rest scaled up",
};
