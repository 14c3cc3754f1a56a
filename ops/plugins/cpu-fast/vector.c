/* vector.c - loops over vectors, by SLEEF; compiled once per instruction set.
 *
 * BYTES is a vector's size, SET the instruction set's name. The functions of
 * SLEEF that are taken are exact to one unit in the last place.
 */
#include "cpu_fast.h"

#include <math.h>
#include <sleef.h>
#include <string.h>

#if BYTES == 64
#define MATH_F32(name) Sleef_##name##f16_u10avx512f
#define MATH_F64(name) Sleef_##name##d8_u10avx512f
#elif BYTES == 32
#define MATH_F32(name) Sleef_##name##f8_u10avx2
#define MATH_F64(name) Sleef_##name##d4_u10avx2
#else
#define MATH_F32(name) Sleef_##name##f4_u10
#define MATH_F64(name) Sleef_##name##d2_u10
#endif

#define TYPE float
#define BITS int32_t
#define NAME(name) name##_f32
#define MATH MATH_F32
#define SQRT sqrtf
#define LOG logf
#include "vector_type.h"
#undef TYPE
#undef BITS
#undef NAME
#undef MATH
#undef SQRT
#undef LOG

#define TYPE double
#define BITS int64_t
#define NAME(name) name##_f64
#define MATH MATH_F64
#define SQRT sqrt
#define LOG log
#include "vector_type.h"

#define SET_NAME_(set) fast_set_##set
#define SET_NAME(set) SET_NAME_(set)

/* clang-format off */
#define LOOPS_OF(type)                                                         \
    {                                                                          \
        .exp = exp_loop_##type,                                                \
        .log = log_loop_##type,                                                \
        .tanh = tanh_loop_##type,                                              \
        .sigmoid = sigmoid_loop_##type,                                        \
        .silu = silu_loop_##type,                                              \
        .gelu = gelu_loop_##type,                                              \
        .gelu_tanh = gelu_tanh_loop_##type,                                    \
        .pow = pow_loop_##type,                                                \
        .silu_backward = silu_backward_loop_##type,                            \
        .gelu_backward = gelu_backward_loop_##type,                            \
        .gelu_tanh_backward = gelu_tanh_backward_loop_##type,                  \
        .softmax = softmax_row_##type,                                         \
        .softmax_backward = softmax_row_backward_##type,                       \
        .exp_times = exp_times_row_##type,                                     \
        .norm = norm_row_##type,                                               \
        .norm_backward = norm_row_backward_##type,                             \
        .sgd = sgd_loop_##type,                                                \
        .adam = adam_loop_##type,                                              \
    }
/* clang-format on */

const fast_set SET_NAME(SET) = {LOOPS_OF(f32), LOOPS_OF(f64)};
