/* cpu/loops.h - inner loops, compiled once per instruction set.
 *
 * A loop goes through one run of elements: `at` are the first ones (the result
 * in front), `step` the bytes between two. loops_element.c and loops_reduce.c
 * are compiled for every set that the build knows; which one runs is found out
 * at the first call (loops.c). All sets give the same bits.
 */
#ifndef LBO_CPU_LOOPS_H
#define LBO_CPU_LOOPS_H

#include "latebind/ops/kernel.h"

/* The result may be the very same run as an input, else they are apart: so
 * there is nothing in the way of vectors. */
#ifdef __clang__
#define LBOI_NO_ALIAS _Pragma("clang loop vectorize(assume_safety)")
#else
#define LBOI_NO_ALIAS _Pragma("GCC ivdep")
#endif

/* ---- element by element -------------------------------------------------- */

/* with: the loop's own, e.g. bounds; mostly NULL */
typedef void lboi_loop(int64_t n, char *const *at, const int64_t *step,
                       const void *with);

#define LBOI_EACH_LOOP(X)                                                      \
    X(add)                                                                     \
    X(sub)                                                                     \
    X(mul)                                                                     \
    X(div)                                                                     \
    X(pow)                                                                     \
    X(minimum)                                                                 \
    X(maximum)                                                                 \
    X(equal)                                                                   \
    X(not_equal)                                                               \
    X(less)                                                                    \
    X(less_equal)                                                              \
    X(greater)                                                                 \
    X(greater_equal)                                                           \
    X(tanh_backward)                                                           \
    X(sigmoid_backward)                                                        \
    X(silu_backward)                                                           \
    X(relu_backward)                                                           \
    X(gelu_backward)                                                           \
    X(gelu_tanh_backward)                                                      \
    X(neg)                                                                     \
    X(abs)                                                                     \
    X(sign)                                                                    \
    X(sqrt)                                                                    \
    X(exp)                                                                     \
    X(log)                                                                     \
    X(tanh)                                                                    \
    X(sigmoid)                                                                 \
    X(silu)                                                                    \
    X(relu)                                                                    \
    X(gelu)                                                                    \
    X(gelu_tanh)                                                               \
    X(clamp)                                                                   \
    X(where)

typedef enum lboi_loop_index {
#define LBOI_INDEX(name) LBOI_LOOP_##name,
    LBOI_EACH_LOOP(LBOI_INDEX)
#undef LBOI_INDEX
        LBOI_LOOP_COUNT
} lboi_loop_index;

/* By the type of the (last) input; NULL: there is none. */
typedef lboi_loop *const lboi_loops[LBOI_LOOP_COUNT][LBO_DTYPE_COUNT];

/* Those that spend their time in libm: compiled once (loops_math.c). */
#define LBOI_EACH_MATH(X)                                                      \
    X(pow)                                                                     \
    X(silu_backward)                                                           \
    X(gelu_backward)                                                           \
    X(gelu_tanh_backward)                                                      \
    X(exp)                                                                     \
    X(log)                                                                     \
    X(tanh)                                                                    \
    X(sigmoid)                                                                 \
    X(silu)                                                                    \
    X(gelu)                                                                    \
    X(gelu_tanh)

#define LBOI_MATH(name)                                                        \
    lboi_loop lboi_##name##_loop_f32, lboi_##name##_loop_f64;
LBOI_EACH_MATH(LBOI_MATH)
#undef LBOI_MATH
lboi_loop lboi_pow_loop_u8, lboi_pow_loop_i8, lboi_pow_loop_i32,
    lboi_pow_loop_i64;

/* ---- reductions ---------------------------------------------------------- */

typedef enum lboi_reducer_index {
    LBOI_REDUCE_SUM,     /* double for floating types, int64_t for others */
    LBOI_REDUCE_TOTAL,   /* double for all types                          */
    LBOI_REDUCE_SQUARES, /* double: of differences from `with`, a double  */
    LBOI_REDUCE_MAX,     /* the type itself                               */
    LBOI_REDUCE_MIN,     /* the type itself                               */
    LBOI_REDUCE_ARGMAX,  /* lboi_best; with: the first element's number   */
    LBOI_REDUCER_COUNT
} lboi_reducer_index;

typedef struct lboi_best {
    union {
        uint8_t u8;
        int8_t i8;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
    } value;
    int64_t index;
} lboi_best;

/* run:  all of n elements into one accumulator
 * rows: each of n elements into an accumulator of its own, of `with` too if
 *       that is a mean */
typedef void lboi_reduce_loop(int64_t n, const char *x, int64_t step, void *acc,
                              const void *with);

typedef struct lboi_reducer {
    size_t size; /* of an accumulator; 0: there is none */
    void (*start)(int64_t n, void *acc);
    lboi_reduce_loop *run;
    lboi_reduce_loop *rows;
} lboi_reducer;

typedef const lboi_reducer lboi_reducers[LBOI_REDUCER_COUNT][LBO_DTYPE_COUNT];

/* ---- which set ----------------------------------------------------------- */

typedef struct lboi_set {
    const char *name;
    lboi_loops *loops;
    lboi_reducers *reducers;
} lboi_set;

extern lboi_loops lboi_loops_portable, lboi_loops_avx2;
extern lboi_reducers lboi_reducers_portable, lboi_reducers_avx2;

/* The best set for this processor. Any thread. */
const lboi_set *lboi_loops_choose(void);
extern const lboi_set *lboi_loops_chosen; /* atomic; NULL before */

static inline const lboi_set *lboi_loops_now(void)
{
    const lboi_set *const chosen =
        __atomic_load_n(&lboi_loops_chosen, __ATOMIC_ACQUIRE);

    return LB_LIKELY(chosen != NULL) ? chosen : lboi_loops_choose();
}

/* ---- tensors ------------------------------------------------------------- */

/* As lbo_is_contiguous, for the first lines of kernels. */
static inline bool lboi_is_flat(const lbo_tensor *tensor)
{
    const int64_t *const strides = lbo_strides(tensor);
    int64_t step = 1;

    for (int i = tensor->ndim; i-- > 0;) {
        if (tensor->dims[i] != 1 && strides[i] != step)
            return false;
        step *= tensor->dims[i];
    }
    return true;
}

#endif
