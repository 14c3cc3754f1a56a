/* elementwise.c - operators element by element: a table of expressions.
 *
 * A row of the table is one operator for some types of inputs. Its expression
 * becomes the kernel's text (kernels/elementwise.txt) with the call's types,
 * the first time that it is called. Scalars of the host language are arguments.
 */
#include "gpu.h"

#include <math.h>
#include <string.h>

enum {
    BOOLS = 1 << LBO_BOOL,
    SIGNED = 1 << LBO_I8 | 1 << LBO_I32 | 1 << LBO_I64,
    INTEGERS = SIGNED | 1 << LBO_U8,
    HALVES = 1 << LBO_F16 | 1 << LBO_BF16,
    FLOATS = 1 << LBO_F32 | 1 << LBO_F64,
    NUMBERS = INTEGERS | FLOATS,
    ALL = BOOLS | NUMBERS | HALVES
};

typedef struct formula {
    const char *op;
    uint32_t types;  /* of inputs, as bits */
    int8_t inputs;   /* that are read */
    int8_t compares; /* the result is bool */
    const char *expression;
    const char *other; /* gelu's by tanh; NULL: there is none */
} formula;

static const formula formulas[] = {
    {"add", INTEGERS, 2, 0, "(U)a + (U)b", NULL},
    {"add", FLOATS, 2, 0, "a + b", NULL},
    {"add", BOOLS, 2, 0, "a | b", NULL},
    {"sub", INTEGERS, 2, 0, "(U)a - (U)b", NULL},
    {"sub", FLOATS, 2, 0, "a - b", NULL},
    {"mul", INTEGERS, 2, 0, "(U)a * (U)b", NULL},
    {"mul", FLOATS, 2, 0, "a * b", NULL},
    {"mul", BOOLS, 2, 0, "a & b", NULL},
    {"div", FLOATS, 2, 0, "a / b", NULL},
    {"pow", INTEGERS, 2, 0, "whole_power((u64)a, (i64)b)", NULL},
    {"pow", FLOATS, 2, 0, "b == 2 ? a * a : pow(a, b)", NULL},
    {"minimum", INTEGERS | BOOLS, 2, 0, "a < b ? a : b", NULL},
    {"minimum", FLOATS, 2, 0, "a < b || a != a ? a : b", NULL},
    {"maximum", INTEGERS | BOOLS, 2, 0, "a > b ? a : b", NULL},
    {"maximum", FLOATS, 2, 0, "a > b || a != a ? a : b", NULL},
    {"equal", NUMBERS | BOOLS, 2, 1, "a == b", NULL},
    {"not_equal", NUMBERS | BOOLS, 2, 1, "a != b", NULL},
    {"less", NUMBERS | BOOLS, 2, 1, "a < b", NULL},
    {"less_equal", NUMBERS | BOOLS, 2, 1, "a <= b", NULL},
    {"greater", NUMBERS | BOOLS, 2, 1, "a > b", NULL},
    {"greater_equal", NUMBERS | BOOLS, 2, 1, "a >= b", NULL},
    {"tanh_backward", FLOATS, 2, 0, "a * (1 - b * b)", NULL},
    {"sigmoid_backward", FLOATS, 2, 0, "a * b * (1 - b)", NULL},
    {"silu_backward", FLOATS, 2, 0, "a * silu_slope(b)", NULL},
    {"relu_backward", FLOATS, 2, 0, "b > 0 ? a : (F)0", NULL},
    {"gelu_backward", FLOATS, 2, 0, "a * gelu_slope(b)",
     "a * gelu_tanh_slope(b)"},
    {"neg", INTEGERS, 1, 0, "(U)0 - (U)a", NULL},
    {"neg", FLOATS, 1, 0, "-a", NULL},
    {"neg", HALVES, 1, 0, "a ^ 0x8000u", NULL},
    {"abs", SIGNED, 1, 0, "a < 0 ? (U)0 - (U)a : (U)a", NULL},
    {"abs", FLOATS, 1, 0, "fabs(a)", NULL},
    {"abs", BOOLS | 1 << LBO_U8, 1, 0, "a", NULL},
    {"abs", HALVES, 1, 0, "a & 0x7fffu", NULL},
    {"sign", INTEGERS, 1, 0, "(a > 0) - (a < 0)", NULL},
    {"sign", FLOATS, 1, 0, "a != a ? a : (F)((a > 0) - (a < 0))", NULL},
    {"sqrt", FLOATS, 1, 0, "sqrt(a)", NULL},
    {"exp", FLOATS, 1, 0, "exp(a)", NULL},
    {"log", FLOATS, 1, 0, "log(a)", NULL},
    {"tanh", FLOATS, 1, 0, "tanh(a)", NULL},
    {"sigmoid", FLOATS, 1, 0, "sigmoid(a)", NULL},
    {"silu", FLOATS, 1, 0, "a / (1 + exp(-a))", NULL},
    {"relu", FLOATS, 1, 0, "a < 0 ? (F)0 : a", NULL},
    {"gelu", FLOATS, 1, 0, "a * ((1 + erf(a * C(0.70710678118654752440))) / 2)",
     "a * ((1 + gelu_tanh(a)) / 2)"},
    {"clamp", NUMBERS, 1, 0, "(a < p ? p : a) > q ? q : (a < p ? p : a)", NULL},
    {"where", ALL, 3, 0, "a ? b : c", NULL},
};

/* With a scalar as one operand: what the table's expression becomes. */
static const struct {
    const char *op;
    const char *scalar_last, *scalar_first;
} with_scalar[] = {
    {"add", "a + p", "p + a"},
    {"sub", "a - p", "p - a"},
    {"mul", "a * p", "p * a"},
    {"div", "a / p", "p / a"},
    {"pow", "p == 2 ? a * a : pow(a, p)", "a == 2 ? p * p : pow(p, a)"},
    {"minimum", "a < p || a != a ? a : p", "p < a || p != p ? p : a"},
    {"maximum", "a > p || a != a ? a : p", "p > a || p != p ? p : a"},
    {"equal", "a == p", "p == a"},
    {"not_equal", "a != p", "p != a"},
    {"less", "a < p", "p < a"},
    {"less_equal", "a <= p", "p <= a"},
    {"greater", "a > p", "p > a"},
    {"greater_equal", "a >= p", "p >= a"},
};

/* ---- running ------------------------------------------------------------- */

typedef union number {
    float f32;
    double f64;
    int64_t i64;
    int32_t i32;
    int8_t i8;
    uint8_t u8;
} number;

/* Arguments of kernels/elementwise.txt, in its order. */
static lb_status run(lbo_tensor *out, lbo_tensor *const *in, int8_t inputs,
                     const char *expression, const number *p, const number *q)
{
    static const number nothing = {.i64 = 0};
    lbo_tensor *operands[GPU_OPERANDS] = {out};
    gpu_variant variant = {.source = gpu_source_elementwise,
                           .expression = expression,
                           .types = {(int8_t)out->dtype, -1, -1, -1},
                           .number = inputs};
    gpu_launch l;
    gpu_walk w;

    gpu_begin(&l, gpu_of(out));
    gpu_add_tensor(&l, out);
    for (int i = 0; i < inputs; i++) {
        operands[i + 1] = in[i];
        variant.types[i + 1] = (int8_t)in[i]->dtype;
        gpu_add_tensor(&l, in[i]);
    }
    const size_t size =
        lbo_dtype_size((lbo_dtype)(inputs > 0 ? in[0]->dtype : out->dtype));
    gpu_add(&l, p ? p : &nothing, size);
    gpu_add(&l, q ? q : &nothing, size);
    gpu_walk_init(&w, out->ndim, lbo_shape(out), 1 + (size_t)inputs, operands);
    if (w.dims > 1) {
        gpu_add(&l, &w, sizeof w);
        return gpu_run_flat(&l, &variant, "strided", w.count);
    }
    gpu_add(&l, &w.count, sizeof w.count);
    for (int k = 0; k < GPU_OPERANDS; k++)
        gpu_add(&l, &w.stride[k][0], sizeof(int64_t));
    return gpu_run_flat(&l, &variant, "flat", w.count);
}

/* Whether the results and inputs are what the rule's formula says. */
static bool fits(const formula *f, const lbo_call *call)
{
    const lbo_tensor *const first = call->in[f->inputs == 3];

    return gpu_knows(call) &&
           call->out[0]->dtype == (f->compares ? LBO_BOOL : first->dtype) &&
           (f->inputs < 3 || call->in[2]->dtype == first->dtype);
}

/* gelu has two formulas. */
static const char *expression_of(const formula *f, const lbo_call *call)
{
    const lbo_gelu_attributes *const gelu = call->attributes;

    return f->other != NULL && gelu->approximate ? f->other : f->expression;
}

LB_METHOD(lbo_unary, gpu_elementwise_unary);
LB_METHOD(lbo_unary, gpu_clamp);
LB_METHOD(lbo_binary, gpu_elementwise_binary);
LB_METHOD(lbo_binary, gpu_elementwise_with_scalar);
LB_METHOD(lbo_binary, gpu_elementwise_of_scalar);

static lb_status gpu_elementwise_unary(lb_slot slot, lbo_context *context,
                                       lbo_tensor *a, lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_elementwise_unary, slot, context, a, call);
    const formula *const f = self->context;

    if (!fits(f, call))
        return lb_next_lbo_unary(self, context, a, call);
    return run(call->out[0], call->in, f->inputs, expression_of(f, call), NULL,
               NULL);
}

static lb_status gpu_elementwise_binary(lb_slot slot, lbo_context *context,
                                        lbo_tensor *a, lbo_tensor *b,
                                        lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_elementwise_binary, slot, context, a, b, call);
    const formula *const f = self->context;

    if (!fits(f, call))
        return lb_next_lbo_binary(self, context, a, b, call);
    return run(call->out[0], call->in, f->inputs, expression_of(f, call), NULL,
               NULL);
}

/* ---- numbers from the host ----------------------------------------------- */

/* The nearest number of an integer type that is not beyond its ends. */
static int64_t within(double value, int64_t low, int64_t high)
{
    if (!(value > (double)low))
        return low;
    return value >= (double)high ? high : (int64_t)value;
}

static number number_of(double value, uint8_t dtype)
{
    switch (dtype) {
    case LBO_F32:
        return (number){.f32 = (float)value};
    case LBO_F64:
        return (number){.f64 = value};
    case LBO_I64:
        return (number){.i64 = within(value, INT64_MIN, INT64_MAX)};
    case LBO_I32:
        return (number){.i32 = (int32_t)within(value, INT32_MIN, INT32_MAX)};
    case LBO_I8:
        return (number){.i8 = (int8_t)within(value, INT8_MIN, INT8_MAX)};
    default:
        return (number){.u8 = (uint8_t)within(value, 0, UINT8_MAX)};
    }
}

/* A bound between two integers keeps out what is beyond it. */
static number bound_of(double bound, bool upper, uint8_t dtype)
{
    const bool whole = lbo_dtype_kind((lbo_dtype)dtype) == LBO_KIND_INTEGER;

    return number_of(!whole  ? bound
                     : upper ? floor(bound)
                             : ceil(bound),
                     dtype);
}

static lb_status gpu_clamp(lb_slot slot, lbo_context *context, lbo_tensor *a,
                           lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_clamp, slot, context, a, call);
    const formula *const f = self->context;
    const lbo_clamp_attributes *const by = call->attributes;

    if (!fits(f, call))
        return lb_next_lbo_unary(self, context, a, call);
    const number low = bound_of(by->low, false, a->dtype);
    const number high = bound_of(by->high, true, a->dtype);
    return run(call->out[0], call->in, 1, f->expression, &low, &high);
}

static bool is_scalar(const lbo_tensor *tensor)
{
    return tensor->flags & LBO_WEAK && tensor->ndim == 0 &&
           tensor->data != NULL;
}

static number read_scalar(const lbo_tensor *scalar, uint8_t dtype)
{
    if (scalar->dtype == LBO_F64)
        return number_of(*(const double *)scalar->data, dtype);
    const int64_t whole = *(const int64_t *)scalar->data;
    return dtype == LBO_F32 ? (number){.f32 = (float)whole}
                            : (number){.f64 = (double)whole};
}

/* Both methods: `x` is the tensor, f64 only where the device knows it. */
static bool scalar_fits(const lbo_tensor *x, const lbo_tensor *scalar,
                        const lbo_call *call)
{
    const lbo_tensor *const out = call->out[0];

    return is_scalar(scalar) && !(x->flags & LBO_WEAK) &&
           out->storage->device == x->storage->device &&
           (out->dtype == x->dtype || out->dtype == LBO_BOOL);
}

static lb_status gpu_elementwise_with_scalar(lb_slot slot, lbo_context *context,
                                             lbo_tensor *a, lbo_tensor *b,
                                             lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_elementwise_with_scalar, slot, context, a, b, call);

    if (!scalar_fits(a, b, call))
        return lb_next_lbo_binary(self, context, a, b, call);
    const number p = read_scalar(b, a->dtype);
    return run(call->out[0], &a, 1, self->context, &p, NULL);
}

static lb_status gpu_elementwise_of_scalar(lb_slot slot, lbo_context *context,
                                           lbo_tensor *a, lbo_tensor *b,
                                           lbo_call *call)
{
    LB_SELF(lbo_binary, gpu_elementwise_of_scalar, slot, context, a, b, call);

    if (!scalar_fits(b, a, call))
        return lb_next_lbo_binary(self, context, a, b, call);
    const number p = read_scalar(a, b->dtype);
    return run(call->out[0], &b, 1, self->context, &p, NULL);
}

/* ---- registering --------------------------------------------------------- */

static lbo_kernel kernel_of(const formula *f, int dtype)
{
    const lb_method *const method =
        strcmp(f->op, "clamp") == 0 ? LB_DESCRIPTOR(gpu_clamp)
        : f->inputs == 1            ? LB_DESCRIPTOR(gpu_elementwise_unary)
                                    : LB_DESCRIPTOR(gpu_elementwise_binary);

    return (lbo_kernel){.op = f->op,
                        .method = method,
                        .a = (int8_t)(f->inputs == 3 ? LBO_BOOL : dtype),
                        .b = (int8_t)dtype,
                        .context = (void *)(uintptr_t)f};
}

static lb_status register_formulas(gpu_device *device, lb_group *group)
{
    lbo_kernel kernels[LBO_DTYPE_COUNT];
    lb_status status = LB_OK;

    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        size_t count = 0;
        for (int dtype = 0; dtype < LBO_DTYPE_COUNT; dtype++)
            if (formulas[i].types >> dtype & 1 &&
                (device->wide || dtype != LBO_F64))
                kernels[count++] = kernel_of(&formulas[i], dtype);
        if (status == LB_OK)
            status = lbo_register_kernels(device->library, group,
                                          device->device, kernels, count);
    }
    return status;
}

/* A floating tensor of the device with a scalar, which lies on the CPU. */
static lb_status add_scalar_rules(gpu_device *device, lb_group *group,
                                  lbo_device *cpu, size_t index, int dtype,
                                  int scalar)
{
    lb_generic *const generic =
        lbo_generic(device->library, with_scalar[index].op);
    lb_class *const x = device->device->classes[dtype];
    const lb_specializer last[] = {lb_any(), lb_is(x),
                                   lb_is(cpu->classes[scalar])};
    const lb_specializer first[] = {lb_any(), last[2], last[1]};
    const lb_rule rules[] = {
        {.method = LB_DESCRIPTOR(gpu_elementwise_with_scalar),
         .specializers = last,
         .count = 3,
         .context = (void *)(uintptr_t)with_scalar[index].scalar_last},
        {.method = LB_DESCRIPTOR(gpu_elementwise_of_scalar),
         .specializers = first,
         .count = 3,
         .context = (void *)(uintptr_t)with_scalar[index].scalar_first}};

    return lb_group_add(group, generic, rules, 2);
}

static lb_status register_scalars(gpu_device *device, lb_group *group)
{
    lbo_device *cpu = NULL;
    lb_status status = lbo_device_find(device->library, "cpu", &cpu);

    for (size_t i = 0; i < sizeof with_scalar / sizeof *with_scalar; i++)
        for (int dtype = LBO_F32; dtype <= (device->wide ? LBO_F64 : LBO_F32);
             dtype++) {
            if (status == LB_OK)
                status =
                    add_scalar_rules(device, group, cpu, i, dtype, LBO_F64);
            if (status == LB_OK)
                status =
                    add_scalar_rules(device, group, cpu, i, dtype, LBO_I64);
        }
    return status;
}

lb_status gpu_register_elementwise(gpu_device *device, lb_group *group)
{
    const lb_status status = register_formulas(device, group);

    return status == LB_OK ? register_scalars(device, group) : status;
}
