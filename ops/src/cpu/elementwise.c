/* elementwise.c - the CPU's kernels for operators on one element each.
 *
 * One method per number of inputs. Its rule's context says which inner loop to
 * take, and of which types (WHICH below):
 *   1. results of another type than the loop's come from scalars of the host
 *      language only; the general method, which is next, converts these
 *   2. inputs and result all contiguous and of one size: one run
 *   3. else a walk (kernel.h), its longest packed dimension inside
 * A floating tensor with a scalar of the host language has methods of its own:
 * the scalar is converted on the stack.
 */
#include "cpu/loops.h"
#include "cpu/tables.h"

#include <math.h>

/* ---- what a rule's context says ------------------------------------------ */

#define WHICH(loop, in, out)                                                   \
    ((void *)(uintptr_t)(LBOI_LOOP_##loop << 8 | LBO_##in << 4 | LBO_##out))

static uint8_t result_of(const lb_entry *self)
{
    return (uintptr_t)self->context & 15;
}

static uint8_t input_of(const lb_entry *self)
{
    return (uintptr_t)self->context >> 4 & 15;
}

static lboi_loop_index index_of(const lb_entry *self)
{
    return (lboi_loop_index)((uintptr_t)self->context >> 8);
}

static lboi_loop *loop_of(lboi_loop_index index, uint8_t dtype)
{
    return (*lboi_loops_now()->loops)[index][dtype];
}

static const uint8_t size_of[LBO_DTYPE_COUNT] = {1, 1, 1, 4, 8, 2, 2, 4, 8};

/* ---- running a loop ------------------------------------------------------ */

/* Where the innermost dimension is not the one in which the result is packed
 * (its inputs are transposed as it is, perhaps), another becomes the run. */
static void pack(lbo_walk *walk, int64_t size)
{
    if (walk->step[0] == size)
        return;
    for (uint32_t d = 1; d <= walk->outer; d++) {
        if (walk->stride[d][0] != size)
            continue;
        const int64_t count = walk->size[0];
        walk->size[0] = walk->count = walk->size[d];
        walk->size[d] = count;
        for (uint32_t k = 0; k < walk->operands; k++) {
            walk->step[k] = walk->stride[d][k];
            walk->stride[d][k] = walk->stride[0][k];
            walk->stride[0][k] = walk->step[k];
        }
        return;
    }
}

/* tensors[0] is the result. `last` (NULL: none) is one more input, the same
 * for all elements. */
static void walk_through(lboi_loop *loop, size_t count,
                         lbo_tensor *const *tensors, void *last,
                         const void *with)
{
    const lbo_tensor *const out = tensors[0];
    lbo_walk walk;

    lbo_walk_init(&walk, out->ndim, out->dims, count, tensors);
    if (walk.count == 0)
        return;
    pack(&walk, size_of[out->dtype]);
    if (last != NULL) {
        walk.at[count] = last;
        walk.step[count] = 0;
    }
    do
        loop(walk.count, walk.at, walk.step, with);
    while (lbo_walk_next(&walk));
}

static inline bool fits(const lbo_tensor *in, const lbo_tensor *out)
{
    return in->size == out->size && lboi_is_flat(in);
}

static inline lb_status run_unary(lboi_loop *loop, lbo_tensor *a,
                                  lbo_tensor *out, const void *with)
{
    if (LB_LIKELY(fits(a, out) && lboi_is_flat(out)))
        loop(out->size, (char *const[]){out->data, a->data},
             (const int64_t[]){size_of[out->dtype], size_of[a->dtype]}, with);
    else
        walk_through(loop, 2, (lbo_tensor *[]){out, a}, NULL, with);
    return LB_OK;
}

static inline lb_status run_binary(lboi_loop *loop, lbo_tensor *a,
                                   lbo_tensor *b, lbo_tensor *out)
{
    const int64_t size = size_of[a->dtype];

    if (LB_LIKELY(fits(a, out) && fits(b, out) && lboi_is_flat(out)))
        loop(out->size, (char *const[]){out->data, a->data, b->data},
             (const int64_t[]){size_of[out->dtype], size, size}, NULL);
    else
        walk_through(loop, 3, (lbo_tensor *[]){out, a, b}, NULL, NULL);
    return LB_OK;
}

/* ---- the methods --------------------------------------------------------- */

LB_METHOD(lbo_unary, elementwise_unary);
LB_METHOD(lbo_unary, elementwise_clamp);
LB_METHOD(lbo_unary, elementwise_gelu);
LB_METHOD(lbo_binary, elementwise_binary);
LB_METHOD(lbo_binary, elementwise_gelu_backward);
LB_METHOD(lbo_binary, elementwise_where);
LB_METHOD(lbo_binary, elementwise_with_scalar);
LB_METHOD(lbo_binary, elementwise_of_scalar);

static lb_status elementwise_unary(lb_slot slot, lbo_context *context,
                                   lbo_tensor *a, lbo_call *call)
{
    LB_SELF(lbo_unary, elementwise_unary, slot, context, a, call);
    lbo_tensor *const out = call->out[0];

    if (LB_UNLIKELY(out->dtype != result_of(self)))
        return lb_next_lbo_unary(self, context, a, call);
    return run_unary(loop_of(index_of(self), input_of(self)), a, out, NULL);
}

static lb_status elementwise_gelu(lb_slot slot, lbo_context *context,
                                  lbo_tensor *a, lbo_call *call)
{
    LB_SELF(lbo_unary, elementwise_gelu, slot, context, a, call);
    const lbo_gelu_attributes *const with = call->attributes;
    lbo_tensor *const out = call->out[0];

    if (LB_UNLIKELY(out->dtype != result_of(self)))
        return lb_next_lbo_unary(self, context, a, call);
    const lboi_loop_index index =
        with->approximate ? LBOI_LOOP_gelu_tanh : LBOI_LOOP_gelu;
    return run_unary(loop_of(index, input_of(self)), a, out, NULL);
}

static lb_status elementwise_binary(lb_slot slot, lbo_context *context,
                                    lbo_tensor *a, lbo_tensor *b,
                                    lbo_call *call)
{
    LB_SELF(lbo_binary, elementwise_binary, slot, context, a, b, call);
    lbo_tensor *const out = call->out[0];

    if (LB_UNLIKELY(out->dtype != result_of(self)))
        return lb_next_lbo_binary(self, context, a, b, call);
    return run_binary(loop_of(index_of(self), input_of(self)), a, b, out);
}

static lb_status elementwise_gelu_backward(lb_slot slot, lbo_context *context,
                                           lbo_tensor *a, lbo_tensor *b,
                                           lbo_call *call)
{
    LB_SELF(lbo_binary, elementwise_gelu_backward, slot, context, a, b, call);
    const lbo_gelu_attributes *const with = call->attributes;
    lbo_tensor *const out = call->out[0];

    if (LB_UNLIKELY(out->dtype != result_of(self)))
        return lb_next_lbo_binary(self, context, a, b, call);
    const lboi_loop_index index = with->approximate
                                      ? LBOI_LOOP_gelu_tanh_backward
                                      : LBOI_LOOP_gelu_backward;
    return run_binary(loop_of(index, input_of(self)), a, b, out);
}

/* Selected by the condition and a; b may be of any type. */
static lb_status elementwise_where(lb_slot slot, lbo_context *context,
                                   lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_SELF(lbo_binary, elementwise_where, slot, context, a, b, call);
    lbo_tensor *const out = call->out[0], *const other = call->in[2];
    const int64_t size = size_of[b->dtype];

    if (out->dtype != b->dtype || out->dtype != other->dtype)
        return lb_next_lbo_binary(self, context, a, b, call);
    lboi_loop *const loop = loop_of(LBOI_LOOP_where, out->dtype);
    if (fits(a, out) && fits(b, out) && fits(other, out) && lboi_is_flat(out))
        loop(out->size,
             (char *const[]){out->data, a->data, b->data, other->data},
             (const int64_t[]){size, 1, size, size}, NULL);
    else
        walk_through(loop, 4, (lbo_tensor *[]){out, a, b, other}, NULL, NULL);
    return LB_OK;
}

/* ---- bounds -------------------------------------------------------------- */

/* The least whole number that is not below, the greatest that is not above. */
static int64_t whole_bound(double bound, bool upper, int64_t least,
                           int64_t greatest)
{
    const double whole = upper ? floor(bound) : ceil(bound);

    if (whole <= (double)least)
        return least;
    return whole >= (double)greatest ? greatest : (int64_t)whole;
}

typedef union bounds {
    uint8_t u8[2];
    int8_t i8[2];
    int32_t i32[2];
    int64_t i64[2];
    float f32[2];
    double f64[2];
} bounds;

static void set_bound(bounds *at, int upper, double bound, lbo_dtype dtype)
{
    const bool up = upper != 0;

    switch (dtype) {
    case LBO_U8:
        at->u8[upper] = (uint8_t)whole_bound(bound, up, 0, UINT8_MAX);
        break;
    case LBO_I8:
        at->i8[upper] = (int8_t)whole_bound(bound, up, INT8_MIN, INT8_MAX);
        break;
    case LBO_I32:
        at->i32[upper] = (int32_t)whole_bound(bound, up, INT32_MIN, INT32_MAX);
        break;
    case LBO_I64:
        at->i64[upper] = whole_bound(bound, up, INT64_MIN, INT64_MAX);
        break;
    case LBO_F32:
        at->f32[upper] = (float)bound;
        break;
    default:
        at->f64[upper] = bound;
    }
}

static lb_status elementwise_clamp(lb_slot slot, lbo_context *context,
                                   lbo_tensor *a, lbo_call *call)
{
    LB_SELF(lbo_unary, elementwise_clamp, slot, context, a, call);
    const lbo_clamp_attributes *const with = call->attributes;
    lbo_tensor *const out = call->out[0];
    bounds at = {.i64 = {0, 0}};

    if (LB_UNLIKELY(out->dtype != result_of(self)))
        return lb_next_lbo_unary(self, context, a, call);
    set_bound(&at, 0, with->low, (lbo_dtype)a->dtype);
    set_bound(&at, 1, with->high, (lbo_dtype)a->dtype);
    return run_unary(loop_of(LBOI_LOOP_clamp, a->dtype), a, out, &at);
}

/* ---- with a scalar of the host language ---------------------------------- */

typedef union number {
    float f32;
    double f64;
} number;

static number convert(const lbo_tensor *scalar, uint8_t dtype)
{
    const double value = scalar->dtype == LBO_F64
                             ? *(const double *)scalar->data
                             : (double)*(const int64_t *)scalar->data;
    number result = {.f64 = value};

    if (dtype == LBO_F32)
        result.f32 = scalar->dtype == LBO_F64
                         ? (float)value
                         : (float)*(const int64_t *)scalar->data;
    return result;
}

static bool is_scalar(const lbo_tensor *tensor)
{
    return (tensor->flags & LBO_WEAK) != 0 && tensor->ndim == 0;
}

static lb_status elementwise_with_scalar(lb_slot slot, lbo_context *context,
                                         lbo_tensor *a, lbo_tensor *b,
                                         lbo_call *call)
{
    LB_SELF(lbo_binary, elementwise_with_scalar, slot, context, a, b, call);
    lbo_tensor *const out = call->out[0];

    if (!is_scalar(b) || a->flags & LBO_WEAK || out->dtype != result_of(self))
        return lb_next_lbo_binary(self, context, a, b, call);
    number value = convert(b, a->dtype);
    lboi_loop *const loop = loop_of(index_of(self), input_of(self));
    if (fits(a, out) && lboi_is_flat(out))
        loop(out->size, (char *const[]){out->data, a->data, (char *)&value},
             (const int64_t[]){size_of[out->dtype], size_of[a->dtype], 0},
             NULL);
    else
        walk_through(loop, 2, (lbo_tensor *[]){out, a}, &value, NULL);
    return LB_OK;
}

/* The scalar is the first: a 0-d tensor on the stack stands for it. */
static lb_status elementwise_of_scalar(lb_slot slot, lbo_context *context,
                                       lbo_tensor *a, lbo_tensor *b,
                                       lbo_call *call)
{
    LB_SELF(lbo_binary, elementwise_of_scalar, slot, context, a, b, call);
    lbo_tensor *const out = call->out[0];

    if (!is_scalar(a) || b->flags & LBO_WEAK || out->dtype != result_of(self))
        return lb_next_lbo_binary(self, context, a, b, call);
    number value = convert(a, b->dtype);
    lboi_loop *const loop = loop_of(index_of(self), input_of(self));
    if (fits(b, out) && lboi_is_flat(out)) {
        loop(out->size, (char *const[]){out->data, (char *)&value, b->data},
             (const int64_t[]){size_of[out->dtype], 0, size_of[b->dtype]},
             NULL);
        return LB_OK;
    }
    lbo_tensor stand_in = *a;
    stand_in.dtype = b->dtype;
    stand_in.data = &value;
    walk_through(loop, 3, (lbo_tensor *[]){out, &stand_in, b}, NULL, NULL);
    return LB_OK;
}

/* ---- the table ----------------------------------------------------------- */

#define BINARY(op, in, out)                                                    \
    {                                                                          \
#op, LB_DESCRIPTOR(elementwise_binary), LBO_##in, LBO_##in,            \
            WHICH(op, in, out)                                                 \
    }
#define INTEGERS(op)                                                           \
    BINARY(op, U8, U8), BINARY(op, I8, I8), BINARY(op, I32, I32),              \
        BINARY(op, I64, I64)
#define SCALAR(op, in, scalar, out)                                            \
    {#op, LB_DESCRIPTOR(elementwise_with_scalar), LBO_##in, LBO_##scalar,      \
     WHICH(op, in, out)},                                                      \
    {                                                                          \
#op, LB_DESCRIPTOR(elementwise_of_scalar), LBO_##scalar, LBO_##in,     \
            WHICH(op, in, out)                                                 \
    }
/* f64 with a scalar of type f64 has the rule of two f64 tensors. */
#define SCALARS(op, f32, f64)                                                  \
    SCALAR(op, F32, F64, f32), SCALAR(op, F32, I64, f32),                      \
        SCALAR(op, F64, I64, f64)
#define FLOATS(op)                                                             \
    BINARY(op, F32, F32), BINARY(op, F64, F64), SCALARS(op, F32, F64)
#define COMPARISON(op)                                                         \
    BINARY(op, BOOL, BOOL), BINARY(op, U8, BOOL), BINARY(op, I8, BOOL),        \
        BINARY(op, I32, BOOL), BINARY(op, I64, BOOL), BINARY(op, F32, BOOL),   \
        BINARY(op, F64, BOOL), SCALARS(op, BOOL, BOOL)
#define BACKWARD(op) BINARY(op, F32, F32), BINARY(op, F64, F64)

#define UNARY_BY(method, op, in)                                               \
    {                                                                          \
#op, LB_DESCRIPTOR(method), LBO_##in, LBO_ANY_DTYPE, WHICH(op, in, in) \
    }
#define UNARY(op, in) UNARY_BY(elementwise_unary, op, in)
#define UNARY_NUMBERS(op)                                                      \
    UNARY(op, U8), UNARY(op, I8), UNARY(op, I32), UNARY(op, I64),              \
        UNARY(op, F32), UNARY(op, F64)
#define UNARY_FLOATS(op) UNARY(op, F32), UNARY(op, F64)
#define CLAMP(in) UNARY_BY(elementwise_clamp, clamp, in)
#define GELU_BACKWARD(in)                                                      \
    {                                                                          \
        "gelu_backward", LB_DESCRIPTOR(elementwise_gelu_backward), LBO_##in,   \
            LBO_##in, WHICH(gelu_backward, in, in)                             \
    }
#define WHERE(in)                                                              \
    {                                                                          \
        "where", LB_DESCRIPTOR(elementwise_where), LBO_BOOL, LBO_##in,         \
            WHICH(where, in, in)                                               \
    }

static const lbo_kernel kernels[] = {
    BINARY(add, BOOL, BOOL),
    INTEGERS(add),
    FLOATS(add),
    INTEGERS(sub),
    FLOATS(sub),
    BINARY(mul, BOOL, BOOL),
    INTEGERS(mul),
    FLOATS(mul),
    FLOATS(div),
    INTEGERS(pow),
    FLOATS(pow),
    BINARY(minimum, BOOL, BOOL),
    INTEGERS(minimum),
    FLOATS(minimum),
    BINARY(maximum, BOOL, BOOL),
    INTEGERS(maximum),
    FLOATS(maximum),
    COMPARISON(equal),
    COMPARISON(not_equal),
    COMPARISON(less),
    COMPARISON(less_equal),
    COMPARISON(greater),
    COMPARISON(greater_equal),
    BACKWARD(tanh_backward),
    BACKWARD(sigmoid_backward),
    BACKWARD(silu_backward),
    BACKWARD(relu_backward),
    GELU_BACKWARD(F32),
    GELU_BACKWARD(F64),
    UNARY_NUMBERS(neg),
    UNARY(neg, F16),
    UNARY(neg, BF16),
    UNARY(abs, BOOL),
    UNARY_NUMBERS(abs),
    UNARY(abs, F16),
    UNARY(abs, BF16),
    UNARY_NUMBERS(sign),
    UNARY_FLOATS(sqrt),
    UNARY_FLOATS(exp),
    UNARY_FLOATS(log),
    UNARY_FLOATS(tanh),
    UNARY_FLOATS(sigmoid),
    UNARY_FLOATS(silu),
    UNARY_FLOATS(relu),
    UNARY_BY(elementwise_gelu, gelu, F32),
    UNARY_BY(elementwise_gelu, gelu, F64),
    CLAMP(U8),
    CLAMP(I8),
    CLAMP(I32),
    CLAMP(I64),
    CLAMP(F32),
    CLAMP(F64),
    WHERE(BOOL),
    WHERE(U8),
    WHERE(I8),
    WHERE(I32),
    WHERE(I64),
    WHERE(F16),
    WHERE(BF16),
    WHERE(F32),
    WHERE(F64),
};

const lboi_table lboi_cpu_elementwise = {kernels,
                                         sizeof kernels / sizeof *kernels};
