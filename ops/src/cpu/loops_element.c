/* loops_element.c - runs of sums, products, comparisons and the like.
 *
 * Compiled once per instruction set; LBOI_LOOPS is the name of its table. Each
 * loop has four forms: everything contiguous, one input the same for the
 * whole run (twice), anything else. The compiler makes vectors of the first
 * three. Integers are computed unsigned, so that they wrap around.
 */
#include "cpu/loops.h"

#include <math.h>

/* name_dtype: R from T's a and b by `expression`. */
#define BINARY(name, dtype, T, R, expression)                                  \
    static void name##_##dtype(int64_t n, char *const *at,                     \
                               const int64_t *step, const void *with)          \
    {                                                                          \
        R *const out = (R *)(void *)at[0];                                     \
        const T *const x = (const T *)(const void *)at[1];                     \
        const T *const y = (const T *)(const void *)at[2];                     \
        const bool packed = step[0] == sizeof(R);                              \
        const bool x_packed = step[1] == sizeof(T);                            \
        const bool y_packed = step[2] == sizeof(T);                            \
                                                                               \
        (void)with;                                                            \
        if (packed && x_packed && y_packed) {                                  \
            LBOI_NO_ALIAS                                                      \
            for (int64_t i = 0; i < n; i++) {                                  \
                const T a = x[i], b = y[i];                                    \
                out[i] = (R)(expression);                                      \
            }                                                                  \
        } else if (packed && x_packed && step[2] == 0) {                       \
            const T b = *y;                                                    \
            LBOI_NO_ALIAS                                                      \
            for (int64_t i = 0; i < n; i++) {                                  \
                const T a = x[i];                                              \
                out[i] = (R)(expression);                                      \
            }                                                                  \
        } else if (packed && y_packed && step[1] == 0) {                       \
            const T a = *x;                                                    \
            LBOI_NO_ALIAS                                                      \
            for (int64_t i = 0; i < n; i++) {                                  \
                const T b = y[i];                                              \
                out[i] = (R)(expression);                                      \
            }                                                                  \
        } else                                                                 \
            for (int64_t i = 0; i < n; i++) {                                  \
                const T a = *(const T *)(const void *)(at[1] + i * step[1]);   \
                const T b = *(const T *)(const void *)(at[2] + i * step[2]);   \
                *(R *)(void *)(at[0] + i * step[0]) = (R)(expression);         \
            }                                                                  \
    }

/* The same of one input; `before` takes what it needs from `with`. */
#define UNARY(name, dtype, T, before, expression)                              \
    static void name##_##dtype(int64_t n, char *const *at,                     \
                               const int64_t *step, const void *with)          \
    {                                                                          \
        T *const out = (T *)(void *)at[0];                                     \
        const T *const x = (const T *)(const void *)at[1];                     \
                                                                               \
        before;                                                                \
        if (step[0] == sizeof(T) && step[1] == sizeof(T)) {                    \
            LBOI_NO_ALIAS                                                      \
            for (int64_t i = 0; i < n; i++) {                                  \
                const T a = x[i];                                              \
                out[i] = (T)(expression);                                      \
            }                                                                  \
        } else                                                                 \
            for (int64_t i = 0; i < n; i++) {                                  \
                const T a = *(const T *)(const void *)(at[1] + i * step[1]);   \
                *(T *)(void *)(at[0] + i * step[0]) = (T)(expression);         \
            }                                                                  \
    }

/* ---- of two -------------------------------------------------------------- */

#define INTEGER_BINARY(dtype, T, U)                                            \
    BINARY(add, dtype, T, T, (U)a + (U)b)                                      \
    BINARY(sub, dtype, T, T, (U)a - (U)b)                                      \
    BINARY(mul, dtype, T, T, ((U)a) * ((U)b))                                  \
    BINARY(minimum, dtype, T, T, a < b ? a : b)                                \
    BINARY(maximum, dtype, T, T, a > b ? a : b)

INTEGER_BINARY(u8, uint8_t, uint32_t)
INTEGER_BINARY(i8, int8_t, uint32_t)
INTEGER_BINARY(i32, int32_t, uint32_t)
INTEGER_BINARY(i64, int64_t, uint64_t)

BINARY(add, bool, uint8_t, uint8_t, a | b)
BINARY(mul, bool, uint8_t, uint8_t, (a) & (b))

#define FLOATING_BINARY(dtype, T)                                              \
    BINARY(add, dtype, T, T, a + b)                                            \
    BINARY(sub, dtype, T, T, a - b)                                            \
    BINARY(mul, dtype, T, T, (a) * (b))                                        \
    BINARY(div, dtype, T, T, a / b)                                            \
    BINARY(minimum, dtype, T, T, (a < b) || a != a ? a : b)                    \
    BINARY(maximum, dtype, T, T, a > b || a != a ? a : b)                      \
    BINARY(tanh_backward, dtype, T, T, (a) * ((T)1 - b * b))                   \
    BINARY(sigmoid_backward, dtype, T, T, (a)*b *((T)1 - b))                   \
    BINARY(relu_backward, dtype, T, T, b > 0 ? a : (T)0)

FLOATING_BINARY(f32, float)
FLOATING_BINARY(f64, double)

#define COMPARISONS(dtype, T)                                                  \
    BINARY(equal, dtype, T, uint8_t, a == b)                                   \
    BINARY(not_equal, dtype, T, uint8_t, a != b)                               \
    BINARY(less, dtype, T, uint8_t, a < b)                                     \
    BINARY(less_equal, dtype, T, uint8_t, a <= b)                              \
    BINARY(greater, dtype, T, uint8_t, a > b)                                  \
    BINARY(greater_equal, dtype, T, uint8_t, a >= b)

COMPARISONS(u8, uint8_t)
COMPARISONS(i8, int8_t)
COMPARISONS(i32, int32_t)
COMPARISONS(i64, int64_t)
COMPARISONS(f32, float)
COMPARISONS(f64, double)

/* ---- of one -------------------------------------------------------------- */

#define INTEGER_UNARY(dtype, T, U)                                             \
    UNARY(neg, dtype, T, (void)with, (U)0 - (U)a)                              \
    UNARY(abs, dtype, T, (void)with, a < 0 ? (U)0 - (U)a : (U)a)               \
    UNARY(sign, dtype, T, (void)with, (a > 0) - (a < 0))

INTEGER_UNARY(i8, int8_t, uint32_t)
INTEGER_UNARY(i32, int32_t, uint32_t)
INTEGER_UNARY(i64, int64_t, uint64_t)
UNARY(neg, u8, uint8_t, (void)with, 0u - a)
UNARY(abs, u8, uint8_t, (void)with, a)
UNARY(sign, u8, uint8_t, (void)with, a > 0)

/* The half types but for their sign. */
UNARY(neg, half, uint16_t, (void)with, a ^ 0x8000u)
UNARY(abs, half, uint16_t, (void)with, (a)&0x7fffu)

#define FLOATING_UNARY(dtype, T, root, size)                                   \
    UNARY(neg, dtype, T, (void)with, -a)                                       \
    UNARY(abs, dtype, T, (void)with, size(a))                                  \
    UNARY(sign, dtype, T, (void)with, a != a ? a : (T)((a > 0) - (a < 0)))     \
    UNARY(sqrt, dtype, T, (void)with, root(a))                                 \
    UNARY(relu, dtype, T, (void)with, a < 0 ? (T)0 : a)

FLOATING_UNARY(f32, float, sqrtf, fabsf)
FLOATING_UNARY(f64, double, sqrt, fabs)

#define BOUNDS(T)                                                              \
    const T low = ((const T *)with)[0], high = ((const T *)with)[1]

/* The upper bound comes last: it wins where they are exchanged. */
#define CLAMP(dtype, T)                                                        \
    static inline T clamped_##dtype(T a, T low, T high)                        \
    {                                                                          \
        const T b = a < low ? low : a;                                         \
        return b > high ? high : b;                                            \
    }                                                                          \
    UNARY(clamp, dtype, T, BOUNDS(T), clamped_##dtype(a, low, high))

CLAMP(u8, uint8_t)
CLAMP(i8, int8_t)
CLAMP(i32, int32_t)
CLAMP(i64, int64_t)
CLAMP(f32, float)
CLAMP(f64, double)

/* ---- of three: the condition is in front --------------------------------- */

#define WHERE(dtype, T)                                                        \
    static void where_##dtype(int64_t n, char *const *at, const int64_t *step, \
                              const void *with)                                \
    {                                                                          \
        const int64_t size = sizeof(T);                                        \
        T *const out = (T *)(void *)at[0];                                     \
        const uint8_t *const c = (const uint8_t *)at[1];                       \
        const T *const x = (const T *)(const void *)at[2];                     \
        const T *const y = (const T *)(const void *)at[3];                     \
                                                                               \
        (void)with;                                                            \
        if (step[0] == size && step[1] == 1 && step[2] == size &&              \
            step[3] == size) {                                                 \
            LBOI_NO_ALIAS                                                      \
            for (int64_t i = 0; i < n; i++) {                                  \
                const T a = x[i], b = y[i];                                    \
                out[i] = c[i] ? a : b;                                         \
            }                                                                  \
        } else                                                                 \
            for (int64_t i = 0; i < n; i++) {                                  \
                const bool first = *(at[1] + i * step[1]) != 0;                \
                const char *const from =                                       \
                    first ? at[2] + i * step[2] : at[3] + i * step[3];         \
                *(T *)(void *)(at[0] + i * step[0]) =                          \
                    *(const T *)(const void *)from;                            \
            }                                                                  \
    }

WHERE(1, uint8_t)
WHERE(2, uint16_t)
WHERE(4, uint32_t)
WHERE(8, uint64_t)

/* ---- the table ----------------------------------------------------------- */

#define ALL_NUMBERS(name)                                                      \
    [LBO_U8] = name##_u8, [LBO_I8] = name##_i8, [LBO_I32] = name##_i32,        \
    [LBO_I64] = name##_i64, [LBO_F32] = name##_f32, [LBO_F64] = name##_f64
#define FLOATS(name) [LBO_F32] = name##_f32, [LBO_F64] = name##_f64
#define BY_LIBM(name)                                                          \
    [LBO_F32] = lboi_##name##_loop_f32, [LBO_F64] = lboi_##name##_loop_f64

lboi_loops LBOI_LOOPS = {
    [LBOI_LOOP_add] = {ALL_NUMBERS(add), [LBO_BOOL] = add_bool},
    [LBOI_LOOP_sub] = {ALL_NUMBERS(sub)},
    [LBOI_LOOP_mul] = {ALL_NUMBERS(mul), [LBO_BOOL] = mul_bool},
    [LBOI_LOOP_div] = {FLOATS(div)},
    [LBOI_LOOP_pow] =
        {BY_LIBM(pow), [LBO_U8] = lboi_pow_loop_u8, [LBO_I8] = lboi_pow_loop_i8,
         [LBO_I32] = lboi_pow_loop_i32, [LBO_I64] = lboi_pow_loop_i64},
    [LBOI_LOOP_minimum] = {ALL_NUMBERS(minimum), [LBO_BOOL] = mul_bool},
    [LBOI_LOOP_maximum] = {ALL_NUMBERS(maximum), [LBO_BOOL] = add_bool},
    [LBOI_LOOP_equal] = {ALL_NUMBERS(equal), [LBO_BOOL] = equal_u8},
    [LBOI_LOOP_not_equal] = {ALL_NUMBERS(not_equal), [LBO_BOOL] = not_equal_u8},
    [LBOI_LOOP_less] = {ALL_NUMBERS(less), [LBO_BOOL] = less_u8},
    [LBOI_LOOP_less_equal] = {ALL_NUMBERS(less_equal), [LBO_BOOL] =
                                                           less_equal_u8},
    [LBOI_LOOP_greater] = {ALL_NUMBERS(greater), [LBO_BOOL] = greater_u8},
    [LBOI_LOOP_greater_equal] =
        {ALL_NUMBERS(greater_equal), [LBO_BOOL] = greater_equal_u8},
    [LBOI_LOOP_tanh_backward] = {FLOATS(tanh_backward)},
    [LBOI_LOOP_sigmoid_backward] = {FLOATS(sigmoid_backward)},
    [LBOI_LOOP_silu_backward] = {BY_LIBM(silu_backward)},
    [LBOI_LOOP_relu_backward] = {FLOATS(relu_backward)},
    [LBOI_LOOP_gelu_backward] = {BY_LIBM(gelu_backward)},
    [LBOI_LOOP_gelu_tanh_backward] = {BY_LIBM(gelu_tanh_backward)},
    [LBOI_LOOP_neg] =
        {ALL_NUMBERS(neg), [LBO_F16] = neg_half, [LBO_BF16] = neg_half},
    [LBOI_LOOP_abs] = {ALL_NUMBERS(abs), [LBO_BOOL] = abs_u8,
                       [LBO_F16] = abs_half, [LBO_BF16] = abs_half},
    [LBOI_LOOP_sign] = {ALL_NUMBERS(sign)},
    [LBOI_LOOP_sqrt] = {FLOATS(sqrt)},
    [LBOI_LOOP_exp] = {BY_LIBM(exp)},
    [LBOI_LOOP_log] = {BY_LIBM(log)},
    [LBOI_LOOP_tanh] = {BY_LIBM(tanh)},
    [LBOI_LOOP_sigmoid] = {BY_LIBM(sigmoid)},
    [LBOI_LOOP_silu] = {BY_LIBM(silu)},
    [LBOI_LOOP_relu] = {FLOATS(relu)},
    [LBOI_LOOP_gelu] = {BY_LIBM(gelu)},
    [LBOI_LOOP_gelu_tanh] = {BY_LIBM(gelu_tanh)},
    [LBOI_LOOP_clamp] = {ALL_NUMBERS(clamp)},
    [LBOI_LOOP_where] = {[LBO_BOOL] = where_1,
                         [LBO_U8] = where_1,
                         [LBO_I8] = where_1,
                         [LBO_I32] = where_4,
                         [LBO_I64] = where_8,
                         [LBO_F16] = where_2,
                         [LBO_BF16] = where_2,
                         [LBO_F32] = where_4,
                         [LBO_F64] = where_8},
};
