/* loops_math.c - runs of powers, exponentials and what is made of them.
 *
 * Their time goes into libm, so one form of loop suffices, for all instruction
 * sets. Integer powers are by squaring; with a negative exponent they are what
 * is left of the true power when its fraction is dropped: 0, but for 1 and -1.
 */
#include "cpu/loops.h"

#include <math.h>

#define LOAD(T, k) (*(const T *)(const void *)(at[k] + i * step[k]))

#define BINARY(name, dtype, T, expression)                                     \
    void lboi_##name##_loop_##dtype(int64_t n, char *const *at,                \
                                    const int64_t *step, const void *with)     \
    {                                                                          \
        (void)with;                                                            \
        for (int64_t i = 0; i < n; i++) {                                      \
            const T a = LOAD(T, 1), b = LOAD(T, 2);                            \
            *(T *)(void *)(at[0] + i * step[0]) = expression;                  \
        }                                                                      \
    }

#define UNARY(name, dtype, T, expression)                                      \
    void lboi_##name##_loop_##dtype(int64_t n, char *const *at,                \
                                    const int64_t *step, const void *with)     \
    {                                                                          \
        (void)with;                                                            \
        for (int64_t i = 0; i < n; i++) {                                      \
            const T a = LOAD(T, 1);                                            \
            *(T *)(void *)(at[0] + i * step[0]) = expression;                  \
        }                                                                      \
    }

/* ---- powers -------------------------------------------------------------- */

/* Modulo 2^64, which is right modulo every smaller power of 2 as well. */
static uint64_t whole_power(uint64_t base, int64_t exponent)
{
    uint64_t result = 1;

    if (exponent < 0)
        return base == 1             ? 1
               : base != UINT64_MAX  ? 0
               : (exponent & 1) != 0 ? UINT64_MAX
                                     : 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1)
            result *= base;
        base *= base;
    }
    return result;
}

BINARY(pow, u8, uint8_t, (uint8_t)whole_power(a, b))
BINARY(pow, i8, int8_t, (int8_t)whole_power((uint64_t)a, b))
BINARY(pow, i32, int32_t, (int32_t)whole_power((uint64_t)a, b))
BINARY(pow, i64, int64_t, (int64_t)whole_power((uint64_t)a, b))

/* Squares are frequent, and exact without libm. */
BINARY(pow, f32, float, b == 2 ? a * a : powf(a, b))
BINARY(pow, f64, double, b == 2 ? a * a : pow(a, b))

/* ---- exponentials -------------------------------------------------------- */

#define EXPONENTIALS(dtype, T, exp_, log_, tanh_)                              \
    UNARY(exp, dtype, T, exp_(a))                                              \
    UNARY(log, dtype, T, log_(a))                                              \
    UNARY(tanh, dtype, T, tanh_(a))                                            \
    UNARY(sigmoid, dtype, T, 1 / (1 + exp_(-a)))                               \
    UNARY(silu, dtype, T, a / (1 + exp_(-a)))                                  \
    static inline T silu_slope_##dtype(T x)                                    \
    {                                                                          \
        const T s = 1 / (1 + exp_(-x));                                        \
        return s * (1 + x * (1 - s));                                          \
    }                                                                          \
    BINARY(silu_backward, dtype, T, a *silu_slope_##dtype(b))

EXPONENTIALS(f32, float, expf, logf, tanhf)
EXPONENTIALS(f64, double, exp, log, tanh)

/* ---- gelu (Hendrycks and Gimpel 2016) ------------------------------------ */

#define SQRT_HALF 0.70710678118654752440
#define INVERSE_SQRT_2PI 0.39894228040143267794
#define SQRT_2_BY_PI 0.79788456080286535588

/* x F(x), and F(x) + x f(x), of the normal distribution F and its density f;
 * or F(x) = (1 + tanh(k (x + c x^3))) / 2. */
#define GELU(dtype, T, exp_, erf_, tanh_)                                      \
    static inline T gelu_slope_##dtype(T x)                                    \
    {                                                                          \
        const T part = (1 + erf_(x * (T)SQRT_HALF)) / 2;                       \
        return part + x * exp_(-x * x / 2) * (T)INVERSE_SQRT_2PI;              \
    }                                                                          \
    static inline T gelu_tanh_##dtype(T x)                                     \
    {                                                                          \
        return tanh_((T)SQRT_2_BY_PI * (x + (T)0.044715 * x * x * x));         \
    }                                                                          \
    static inline T gelu_tanh_slope_##dtype(T x)                               \
    {                                                                          \
        const T t = gelu_tanh_##dtype(x);                                      \
        const T inner = (T)SQRT_2_BY_PI * (1 + 3 * (T)0.044715 * x * x);       \
        return (1 + t) / 2 + x * (1 - t * t) * inner / 2;                      \
    }                                                                          \
    UNARY(gelu, dtype, T, a *((1 + erf_(a * (T)SQRT_HALF)) / 2))               \
    UNARY(gelu_tanh, dtype, T, a *((1 + gelu_tanh_##dtype(a)) / 2))            \
    BINARY(gelu_backward, dtype, T, a *gelu_slope_##dtype(b))                  \
    BINARY(gelu_tanh_backward, dtype, T, a *gelu_tanh_slope_##dtype(b))

GELU(f32, float, expf, erff, tanhf)
GELU(f64, double, exp, erf, tanh)
