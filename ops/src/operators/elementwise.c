/* elementwise.c - operators on one element of each input: what they are.
 *
 * A line per operator gives its rule for shapes and types, what its gradient
 * wants to see, and the function that runs it. The kernels are in cpu/. Which
 * types an operator takes:
 *   numbers of any kind, and bool   add mul minimum maximum abs where,
 *                                   comparisons; add is "or", mul is "and"
 *   numbers of any kind             sub pow neg sign clamp
 *   floating types                  the others; integers and bools become f32
 */
#include "operators/run.h"

#include <math.h>

/* ---- shapes and types ---------------------------------------------------- */

static lb_status infer_comparison(const lbo_call *call, lbo_spec *out)
{
    const lb_status status = lboi_infer_elementwise(call, out);

    out->dtype = LBO_BOOL;
    return status;
}

/* Elementwise, but there is no sense in it for bools. */
static lb_status infer_numbers(const lbo_call *call, lbo_spec *out)
{
    const lb_status status = lboi_infer_elementwise(call, out);

    if (status == LB_OK && out->dtype == LBO_BOOL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "the inputs are bool; numbers are wanted (cast them, "
                        "or compare)");
    return status;
}

static lb_status infer_clamp(const lbo_call *call, lbo_spec *out)
{
    const lbo_clamp_attributes *const with = call->attributes;
    const lb_status status = infer_numbers(call, out);

    if (status == LB_OK && (isnan(with->low) || isnan(with->high)))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "a bound is NaN; a number or infinity is wanted");
    return status;
}

static lb_status infer_where(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const condition = call->in[0];

    if (condition->dtype != LBO_BOOL)
        return lbo_fail(LB_BAD_ARGUMENT, "condition is %s; bool is wanted",
                        lbo_dtype_name((lbo_dtype)condition->dtype));
    return lboi_infer_elementwise(call, out);
}

/* ---- of two inputs ------------------------------------------------------- */

/* All saves that occur; the gradients follow them. */
enum {
    NOTHING = 0,
    INPUT = LBO_SAVE_IN(0),
    INPUTS = LBO_SAVE_IN(0) | LBO_SAVE_IN(1),
    RESULT = LBO_SAVE_OUT(0),
    ALL = INPUTS | RESULT
};

enum {
    ASKED = LBO_PROMOTES | LBO_ELEMENTWISE, /* always by infer */
    PLAIN = ASKED | LBO_ALIKE,
    FLOATING = PLAIN | LBO_TO_FLOAT
};

#define BINARY(name_, flags_, saves_, infer_, gradient_, names_, summary_)     \
    const lbo_operator_spec lboi_spec_##name_ = {.name = #name_,               \
                                                 .dispatched = 2,              \
                                                 .in_count = 2,                \
                                                 .out_count = 1,               \
                                                 .flags = flags_,              \
                                                 .saves = saves_,              \
                                                 .infer = infer_,              \
                                                 .gradient = gradient_,        \
                                                 .in_names = names_,           \
                                                 .summary = summary_};         \
    lb_status lbo_##name_(lbo_context *context, lbo_tensor **out,              \
                          lbo_tensor *a, lbo_tensor *b)                        \
    {                                                                          \
        return lboi_run(context, LBOI_OP_##name_, out, (lbo_tensor *[]){a, b}, \
                        2, NULL);                                              \
    }

BINARY(add, PLAIN, NOTHING, lboi_infer_elementwise, lboi_gradient_add, "a b",
       "a + b; of bools: or")
BINARY(sub, PLAIN, NOTHING, infer_numbers, lboi_gradient_sub, "a b", "a - b")
BINARY(mul, PLAIN, INPUTS, lboi_infer_elementwise, lboi_gradient_mul, "a b",
       "a * b; of bools: and")
BINARY(div, FLOATING, INPUTS, lboi_infer_elementwise, lboi_gradient_div, "a b",
       "a / b, of floating type")
BINARY(pow, PLAIN, ALL, infer_numbers, lboi_gradient_pow, "a b",
       "a to the power of b")
BINARY(minimum, PLAIN, INPUTS, lboi_infer_elementwise, lboi_gradient_minimum,
       "a b", "the lesser of a and b; NaN if one is")
BINARY(maximum, PLAIN, INPUTS, lboi_infer_elementwise, lboi_gradient_maximum,
       "a b", "the greater of a and b; NaN if one is")
BINARY(equal, ASKED, NOTHING, infer_comparison, NULL, "a b", "a == b")
BINARY(not_equal, ASKED, NOTHING, infer_comparison, NULL, "a b", "a != b")
BINARY(less, ASKED, NOTHING, infer_comparison, NULL, "a b", "a < b")
BINARY(less_equal, ASKED, NOTHING, infer_comparison, NULL, "a b", "a <= b")
BINARY(greater, ASKED, NOTHING, infer_comparison, NULL, "a b", "a > b")
BINARY(greater_equal, ASKED, NOTHING, infer_comparison, NULL, "a b", "a >= b")

BINARY(tanh_backward, FLOATING, INPUTS, lboi_infer_elementwise,
       lboi_gradient_tanh_backward, "g y", "the gradient of tanh by its input")
BINARY(sigmoid_backward, FLOATING, INPUTS, lboi_infer_elementwise,
       lboi_gradient_sigmoid_backward, "g y",
       "the gradient of sigmoid by its input")
BINARY(silu_backward, FLOATING, INPUTS, lboi_infer_elementwise,
       lboi_gradient_silu_backward, "g x", "the gradient of silu by its input")
BINARY(relu_backward, FLOATING, INPUTS, lboi_infer_elementwise,
       lboi_gradient_relu_backward, "g y", "the gradient of relu by its input")

/* ---- of one input -------------------------------------------------------- */

#define UNARY(name_, flags_, saves_, infer_, summary_)                         \
    const lbo_operator_spec lboi_spec_##name_ = {.name = #name_,               \
                                                 .dispatched = 1,              \
                                                 .in_count = 1,                \
                                                 .out_count = 1,               \
                                                 .flags = flags_,              \
                                                 .saves = saves_,              \
                                                 .infer = infer_,              \
                                                 .gradient =                   \
                                                     lboi_gradient_##name_,    \
                                                 .in_names = "x",              \
                                                 .summary = summary_};         \
    lb_status lbo_##name_(lbo_context *context, lbo_tensor **out,              \
                          lbo_tensor *x)                                       \
    {                                                                          \
        return lboi_run(context, LBOI_OP_##name_, out, &x, 1, NULL);           \
    }

UNARY(neg, PLAIN, NOTHING, infer_numbers, "-x")
UNARY(abs, PLAIN, INPUT, lboi_infer_elementwise, "x without its sign")
UNARY(sign, PLAIN, NOTHING, infer_numbers, "-1, 0 or 1; NaN of NaN")
UNARY(sqrt, FLOATING, RESULT, lboi_infer_elementwise, "the square root of x")
UNARY(exp, FLOATING, RESULT, lboi_infer_elementwise, "e to the power of x")
UNARY(log, FLOATING, INPUT, lboi_infer_elementwise, "the natural logarithm")
UNARY(tanh, FLOATING, RESULT, lboi_infer_elementwise, "hyperbolic tangent")
UNARY(sigmoid, FLOATING, RESULT, lboi_infer_elementwise, "1 / (1 + exp(-x))")
UNARY(silu, FLOATING, INPUT, lboi_infer_elementwise, "x sigmoid(x)")
UNARY(relu, FLOATING, RESULT, lboi_infer_elementwise, "x where positive, or 0")

/* ---- with attributes ----------------------------------------------------- */

static const lbo_attribute gelu_attributes[] = {
    {"approximate", LBO_ATTRIBUTE_FLAG,
     offsetof(lbo_gelu_attributes, approximate)}};

const lbo_operator_spec lboi_spec_gelu = {
    .name = "gelu",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = FLOATING,
    .saves = INPUT,
    .attribute_size = sizeof(lbo_gelu_attributes),
    .attributes = gelu_attributes,
    .attribute_count = 1,
    .infer = lboi_infer_elementwise,
    .gradient = lboi_gradient_gelu,
    .in_names = "x",
    .summary = "x times the normal distribution's function"};

const lbo_operator_spec lboi_spec_gelu_backward = {
    .name = "gelu_backward",
    .dispatched = 2,
    .in_count = 2,
    .out_count = 1,
    .flags = FLOATING,
    .saves = INPUTS,
    .attribute_size = sizeof(lbo_gelu_attributes),
    .attributes = gelu_attributes,
    .attribute_count = 1,
    .infer = lboi_infer_elementwise,
    .gradient = lboi_gradient_gelu_backward,
    .in_names = "g x",
    .summary = "the gradient of gelu by its input"};

static const lbo_attribute clamp_attributes[] = {
    {"low", LBO_ATTRIBUTE_REAL, offsetof(lbo_clamp_attributes, low)},
    {"high", LBO_ATTRIBUTE_REAL, offsetof(lbo_clamp_attributes, high)}};

const lbo_operator_spec lboi_spec_clamp = {
    .name = "clamp",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = ASKED,
    .saves = INPUT,
    .attribute_size = sizeof(lbo_clamp_attributes),
    .attributes = clamp_attributes,
    .attribute_count = 2,
    .infer = infer_clamp,
    .gradient = lboi_gradient_clamp,
    .in_names = "x",
    .summary = "x, but at least low and at most high"};

/* Selected by the condition and a; that b fits, the kernel sees to. */
const lbo_operator_spec lboi_spec_where = {
    .name = "where",
    .dispatched = 2,
    .in_count = 3,
    .out_count = 1,
    .flags = ASKED,
    .promoted = 6,
    .saves = INPUT,
    .infer = infer_where,
    .gradient = lboi_gradient_where,
    .in_names = "condition a b",
    .summary = "a where the condition holds, else b"};

lb_status lbo_gelu(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                   bool approximate)
{
    const lbo_gelu_attributes with = {approximate};

    return lboi_run(context, LBOI_OP_gelu, out, &x, 1, &with);
}

lb_status lbo_gelu_backward(lbo_context *context, lbo_tensor **out,
                            lbo_tensor *g, lbo_tensor *x, bool approximate)
{
    const lbo_gelu_attributes with = {approximate};

    return lboi_run(context, LBOI_OP_gelu_backward, out, (lbo_tensor *[]){g, x},
                    2, &with);
}

lb_status lbo_clamp(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                    double low, double high)
{
    const lbo_clamp_attributes with = {low, high};

    return lboi_run(context, LBOI_OP_clamp, out, &x, 1, &with);
}

lb_status lbo_where(lbo_context *context, lbo_tensor **out,
                    lbo_tensor *condition, lbo_tensor *a, lbo_tensor *b)
{
    return lboi_run(context, LBOI_OP_where, out,
                    (lbo_tensor *[]){condition, a, b}, 3, NULL);
}
