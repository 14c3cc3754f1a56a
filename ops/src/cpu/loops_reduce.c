/* loops_reduce.c - runs of elements into accumulators.
 *
 * Compiled once per instruction set; LBOI_REDUCERS is the name of its table.
 * Floating sums are made in double: for f32 that is exact enough however many
 * there are; for f64 blocks of 1024 elements, 16 lanes each, are added pairwise
 * (Higham 1993), so that the error grows with the logarithm of their number.
 * The lanes are the same for every instruction set, and so are the results.
 */
#include "cpu/loops.h"

#include <math.h>
#include <string.h>

enum { LANES = 16, BLOCK = 1024, PART = 256 };

#define AT(T, i) (*(const T *)(const void *)(x + (i)*step))

static double sum_lanes(const double *lanes)
{
    double four[4];

    for (int k = 0; k < 4; k++)
        four[k] = (lanes[k] + lanes[k + 4]) + (lanes[k + 8] + lanes[k + 12]);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/* ---- sums of floating types ---------------------------------------------- */

/* `v` is what is added: `mean` taken off and squared, or not. */
#define PLAIN(v) (v)
#define SQUARED(v) ((v)-mean) * ((v)-mean)

#define FLOATING_BLOCK(name, dtype, T, term)                                   \
    static double name##_block_##dtype(int64_t n, const char *x, int64_t step, \
                                       double mean)                            \
    {                                                                          \
        const T *const packed = (const T *)(const void *)x;                    \
        double lanes[LANES] = {0}, rest = 0;                                   \
        int64_t i = 0;                                                         \
                                                                               \
        (void)mean;                                                            \
        if (step == sizeof(T))                                                 \
            for (; i + LANES <= n; i += LANES)                                 \
                for (int k = 0; k < LANES; k++)                                \
                    lanes[k] += term((double)packed[i + k]);                   \
        else                                                                   \
            for (; i + LANES <= n; i += LANES)                                 \
                for (int k = 0; k < LANES; k++)                                \
                    lanes[k] += term((double)AT(T, i + k));                    \
        for (; i < n; i++)                                                     \
            rest += term((double)AT(T, i));                                    \
        return sum_lanes(lanes) + rest;                                        \
    }                                                                          \
    static double name##_pairs_##dtype(int64_t n, const char *x, int64_t step, \
                                       double mean)                            \
    {                                                                          \
        if (n <= BLOCK)                                                        \
            return name##_block_##dtype(n, x, step, mean);                     \
        const int64_t half = n / 2 & ~(int64_t)(LANES - 1);                    \
        return name##_pairs_##dtype(half, x, step, mean) +                     \
               name##_pairs_##dtype(n - half, x + half * step, step, mean);    \
    }                                                                          \
    static void name##_run_##dtype(int64_t n, const char *x, int64_t step,     \
                                   void *acc, const void *with)                \
    {                                                                          \
        const double mean = with == NULL ? 0 : *(const double *)with;          \
                                                                               \
        *(double *)acc += name##_pairs_##dtype(n, x, step, mean);              \
    }

FLOATING_BLOCK(total, f32, float, PLAIN)
FLOATING_BLOCK(total, f64, double, PLAIN)
FLOATING_BLOCK(squares, f32, float, SQUARED)
FLOATING_BLOCK(squares, f64, double, SQUARED)

/* ---- sums of integers ---------------------------------------------------- */

/* A is the accumulator's type, C the one it is computed in. */
#define INTEGER_RUN(name, dtype, T, A, C, term)                                \
    static void name##_run_##dtype(int64_t n, const char *x, int64_t step,     \
                                   void *acc, const void *with)                \
    {                                                                          \
        const double mean = with == NULL ? 0 : *(const double *)with;          \
        A *const into = acc;                                                   \
        C sum = 0;                                                             \
                                                                               \
        (void)mean;                                                            \
        if (step == sizeof(T))                                                 \
            for (int64_t i = 0; i < n; i++)                                    \
                sum += term((C)((const T *)(const void *)x)[i]);               \
        else                                                                   \
            for (int64_t i = 0; i < n; i++)                                    \
                sum += term((C)AT(T, i));                                      \
        *into = (A)((C)*into + sum);                                           \
    }

/* ---- rows ---------------------------------------------------------------- */

#define ROWS(name, dtype, T, A, C, term)                                       \
    static void name##_rows_##dtype(int64_t n, const char *x, int64_t step,    \
                                    void *acc, const void *with)               \
    {                                                                          \
        const double *const means = with;                                      \
        A *const into = acc;                                                   \
                                                                               \
        (void)means;                                                           \
        if (step == sizeof(T)) {                                               \
            LBOI_NO_ALIAS                                                      \
            for (int64_t i = 0; i < n; i++) {                                  \
                const T a = ((const T *)(const void *)x)[i];                   \
                into[i] = (A)((C)into[i] + term((C)a));                        \
            }                                                                  \
        } else {                                                               \
            for (int64_t i = 0; i < n; i++)                                    \
                into[i] = (A)((C)into[i] + term((C)AT(T, i)));                 \
        }                                                                      \
    }

#define SQUARED_ROW(v) ((v)-means[i]) * ((v)-means[i])

#define FLOATING_ROWS(dtype, T)                                                \
    ROWS(total, dtype, T, double, double, PLAIN)                               \
    ROWS(squares, dtype, T, double, double, SQUARED_ROW)

FLOATING_ROWS(f32, float)
FLOATING_ROWS(f64, double)

#define INTEGER_SUMS(dtype, T)                                                 \
    INTEGER_RUN(sum, dtype, T, int64_t, uint64_t, PLAIN)                       \
    INTEGER_RUN(total, dtype, T, double, double, PLAIN)                        \
    INTEGER_RUN(squares, dtype, T, double, double, SQUARED)                    \
    ROWS(sum, dtype, T, int64_t, uint64_t, PLAIN)                              \
    FLOATING_ROWS(dtype, T)

INTEGER_SUMS(u8, uint8_t)
INTEGER_SUMS(i8, int8_t)
INTEGER_SUMS(i32, int32_t)
INTEGER_SUMS(i64, int64_t)

static void start_sum(int64_t n, void *acc)
{
    memset(acc, 0, (size_t)n * sizeof(int64_t));
}

/* ---- the greatest and the least ------------------------------------------ */

/* `first` is what every element is better than, or as good as. `better`: a NaN
 * is, and nothing is better than one. */
#define CHOICE(name, dtype, T, first, better)                                  \
    static void name##_start_##dtype(int64_t n, void *acc)                     \
    {                                                                          \
        for (int64_t i = 0; i < n; i++)                                        \
            ((T *)acc)[i] = first;                                             \
    }                                                                          \
    static void name##_run_##dtype(int64_t n, const char *x, int64_t step,     \
                                   void *acc, const void *with)                \
    {                                                                          \
        T lanes[32], best = *(T *)acc;                                         \
        int64_t i = 0;                                                         \
                                                                               \
        (void)with;                                                            \
        if (step == sizeof(T) && n >= 32) {                                    \
            const T *const packed = (const T *)(const void *)x;                \
            for (int k = 0; k < 32; k++)                                       \
                lanes[k] = best;                                               \
            for (; i + 32 <= n; i += 32)                                       \
                for (int k = 0; k < 32; k++) {                                 \
                    const T a = packed[i + k], b = lanes[k];                   \
                    lanes[k] = (better) ? a : b;                               \
                }                                                              \
            for (int k = 0; k < 32; k++) {                                     \
                const T a = lanes[k], b = best;                                \
                best = (better) ? a : b;                                       \
            }                                                                  \
        }                                                                      \
        for (; i < n; i++) {                                                   \
            const T a = AT(T, i), b = best;                                    \
            best = (better) ? a : b;                                           \
        }                                                                      \
        *(T *)acc = best;                                                      \
    }                                                                          \
    static void name##_rows_##dtype(int64_t n, const char *x, int64_t step,    \
                                    void *acc, const void *with)               \
    {                                                                          \
        T *const into = acc;                                                   \
                                                                               \
        (void)with;                                                            \
        LBOI_NO_ALIAS                                                          \
        for (int64_t i = 0; i < n; i++) {                                      \
            const T a = AT(T, i), b = into[i];                                 \
            into[i] = (better) ? a : b;                                        \
        }                                                                      \
    }

#define CHOICES(dtype, T, least, greatest)                                     \
    CHOICE(max, dtype, T, least, (a > b) | (a != a))                           \
    CHOICE(min, dtype, T, greatest, (a < b) | (a != a))

CHOICES(u8, uint8_t, 0, UINT8_MAX)
CHOICES(i8, int8_t, INT8_MIN, INT8_MAX)
CHOICES(i32, int32_t, INT32_MIN, INT32_MAX)
CHOICES(i64, int64_t, INT64_MIN, INT64_MAX)
CHOICES(f32, float, -INFINITY, INFINITY)
CHOICES(f64, double, -INFINITY, INFINITY)

/* ---- where the greatest is ----------------------------------------------- */

/* NaN is greater than all, the first of equals is taken. An index of -1 stands
 * for "nothing yet". Parts in which nothing is greater than the best so far are
 * passed over at the speed of max. */
#define ARGMAX(dtype, T)                                                       \
    static inline bool is_above_##dtype(T a, T b)                              \
    {                                                                          \
        return a > b || (a != a && b == b);                                    \
    }                                                                          \
    static inline void offer_##dtype(lboi_best *best, T a, int64_t index)      \
    {                                                                          \
        if (best->index < 0 || is_above_##dtype(a, best->value.dtype)) {       \
            best->value.dtype = a;                                             \
            best->index = index;                                               \
        }                                                                      \
    }                                                                          \
    static void argmax_run_##dtype(int64_t n, const char *x, int64_t step,     \
                                   void *acc, const void *with)                \
    {                                                                          \
        const int64_t from = *(const int64_t *)with;                           \
        lboi_best best = *(lboi_best *)acc;                                    \
                                                                               \
        for (int64_t i = 0; i < n; i += PART) {                                \
            const int64_t count = n - i < PART ? n - i : PART;                 \
            T most = AT(T, i);                                                 \
            max_run_##dtype(count, x + i * step, step, &most, NULL);           \
            if (best.index >= 0 && !is_above_##dtype(most, best.value.dtype))  \
                continue;                                                      \
            for (int64_t k = i; k < i + count; k++)                            \
                offer_##dtype(&best, AT(T, k), from + k);                      \
        }                                                                      \
        *(lboi_best *)acc = best;                                              \
    }                                                                          \
    static void argmax_rows_##dtype(int64_t n, const char *x, int64_t step,    \
                                    void *acc, const void *with)               \
    {                                                                          \
        const int64_t index = *(const int64_t *)with;                          \
                                                                               \
        for (int64_t i = 0; i < n; i++)                                        \
            offer_##dtype((lboi_best *)acc + i, AT(T, i), index);              \
    }

static void start_argmax(int64_t n, void *acc)
{
    for (int64_t i = 0; i < n; i++)
        ((lboi_best *)acc)[i] = (lboi_best){.value = {.i64 = 0}, .index = -1};
}

ARGMAX(u8, uint8_t)
ARGMAX(i8, int8_t)
ARGMAX(i32, int32_t)
ARGMAX(i64, int64_t)
ARGMAX(f32, float)
ARGMAX(f64, double)

/* ---- the table ----------------------------------------------------------- */

#define ROW(name, from)                                                        \
    {                                                                          \
        sizeof(int64_t), start_sum, name##_run_##from, name##_rows_##from      \
    }
#define CHOICE_ROW(name, from, T)                                              \
    {                                                                          \
        sizeof(T), name##_start_##from, name##_run_##from, name##_rows_##from  \
    }
#define ARGMAX_ROW(from)                                                       \
    {                                                                          \
        sizeof(lboi_best), start_argmax, argmax_run_##from, argmax_rows_##from \
    }
#define ALL(ROW_, name, f_sum)                                                 \
    {                                                                          \
        [LBO_BOOL] = ROW_(name, u8), [LBO_U8] = ROW_(name, u8),                \
        [LBO_I8] = ROW_(name, i8), [LBO_I32] = ROW_(name, i32),                \
        [LBO_I64] = ROW_(name, i64), [LBO_F32] = ROW_(f_sum, f32),             \
        [LBO_F64] = ROW_(f_sum, f64)                                           \
    }
#define ALL_CHOICES(name)                                                      \
    {                                                                          \
        [LBO_BOOL] = CHOICE_ROW(name, u8, uint8_t),                            \
        [LBO_U8] = CHOICE_ROW(name, u8, uint8_t),                              \
        [LBO_I8] = CHOICE_ROW(name, i8, int8_t),                               \
        [LBO_I32] = CHOICE_ROW(name, i32, int32_t),                            \
        [LBO_I64] = CHOICE_ROW(name, i64, int64_t),                            \
        [LBO_F32] = CHOICE_ROW(name, f32, float),                              \
        [LBO_F64] = CHOICE_ROW(name, f64, double)                              \
    }

lboi_reducers LBOI_REDUCERS = {
    [LBOI_REDUCE_SUM] = ALL(ROW, sum, total),
    [LBOI_REDUCE_TOTAL] = ALL(ROW, total, total),
    [LBOI_REDUCE_SQUARES] = ALL(ROW, squares, squares),
    [LBOI_REDUCE_MAX] = ALL_CHOICES(max),
    [LBOI_REDUCE_MIN] = ALL_CHOICES(min),
    [LBOI_REDUCE_ARGMAX] = {[LBO_BOOL] = ARGMAX_ROW(u8),
                            [LBO_U8] = ARGMAX_ROW(u8),
                            [LBO_I8] = ARGMAX_ROW(i8),
                            [LBO_I32] = ARGMAX_ROW(i32),
                            [LBO_I64] = ARGMAX_ROW(i64),
                            [LBO_F32] = ARGMAX_ROW(f32),
                            [LBO_F64] = ARGMAX_ROW(f64)},
};
