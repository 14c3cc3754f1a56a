/* For tests of tensors: a library with a context, random tensors with random
 * strides, and elements read by the definition of strides, one by one. */
#ifndef TESTS_OPS_TENSORS_H
#define TESTS_OPS_TENSORS_H

#include "support/test.h"

#include "latebind/ops.h"

#include <math.h>

typedef struct world {
    lbo_library *library;
    lbo_context *context;
    uint64_t random;
} world;

static inline int begin_world(void **state)
{
    static world w;

    memset(&w, 0, sizeof w);
    w.random = 1;
    assert_ok(lbo_library_create(NULL, &w.library));
    assert_ok(lbo_context_create(w.library, NULL, &w.context));
    *state = &w;
    return 0;
}

/* Fails when a tensor is left. */
static inline int end_world(void **state)
{
    world *const w = *state;

    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library));
    return 0;
}

static inline int64_t pick(world *w, int64_t low, int64_t high)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return low + (int64_t)((w->random >> 33) % (uint64_t)(high - low + 1));
}

/* An element's value by its bits, computed the long way. */
static inline double naive_half(uint16_t bits, int exponent_bits)
{
    const int fraction_bits = 15 - exponent_bits;
    const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
    const int fraction = bits & ((1 << fraction_bits) - 1);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const double sign = bits >> 15 ? -1 : 1;

    if (exponent == (1 << exponent_bits) - 1)
        return fraction ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, 1 - bias - fraction_bits);
    return sign * ldexp((1 << fraction_bits) + fraction,
                        exponent - bias - fraction_bits);
}

static inline double naive_value(int dtype, const void *at)
{
    union {
        uint8_t u8;
        int8_t i8;
        int32_t i32;
        int64_t i64;
        uint16_t half;
        float f32;
        double f64;
    } v;

    memcpy(&v, at, lbo_dtype_size((lbo_dtype)dtype));
    switch (dtype) {
    case LBO_BOOL:
        return v.u8 != 0;
    case LBO_U8:
        return v.u8;
    case LBO_I8:
        return v.i8;
    case LBO_I32:
        return v.i32;
    case LBO_I64:
        return (double)v.i64;
    case LBO_F16:
        return naive_half(v.half, 5);
    case LBO_BF16:
        return naive_half(v.half, 8);
    case LBO_F32:
        return (double)v.f32;
    default:
        return v.f64;
    }
}

/* Where the element with this index lies, by the definition. */
static inline char *naive_place(const lbo_tensor *t, const int64_t *index)
{
    int64_t at = t->offset;

    for (int i = 0; i < t->ndim; i++)
        at += index[i] * lbo_strides(t)[i] *
              (int64_t)lbo_dtype_size((lbo_dtype)t->dtype);
    return (char *)t->storage->memory + at;
}

static inline double naive_at(const lbo_tensor *t, const int64_t *index)
{
    return naive_value(t->dtype, naive_place(t, index));
}

/* The next index in row-major order; false at the end. */
static inline bool next_index(size_t ndim, const int64_t *shape, int64_t *index)
{
    for (size_t i = ndim; i-- > 0;) {
        if (++index[i] < shape[i])
            return true;
        index[i] = 0;
    }
    return false;
}

/* The index of the element with this number in row-major order. */
static inline void index_of(const lbo_tensor *t, int64_t number, int64_t *index)
{
    for (int i = t->ndim; i-- > 0;) {
        index[i] = number % t->dims[i];
        number /= t->dims[i];
    }
}

static inline double naive_nth(const lbo_tensor *t, int64_t number)
{
    int64_t index[LBO_MAX_DIMS];

    index_of(t, number, index);
    return naive_at(t, index);
}

static inline void random_shape(world *w, size_t ndim, int64_t most,
                                int64_t *shape)
{
    for (size_t i = 0; i < ndim; i++)
        shape[i] = pick(w, 0, 15) == 0 ? 0 : pick(w, 1, most);
}

/* A view of that shape with dimensions in any order, gaps, and steps back, over
 * a storage of its own, all of whose bytes are random small numbers. */
static inline lbo_tensor *random_view(world *w, lbo_dtype dtype, size_t ndim,
                                      const int64_t *shape)
{
    int64_t strides[LBO_MAX_DIMS], order[LBO_MAX_DIMS], step = 1, offset = 0;
    lbo_tensor *all = NULL, *view = NULL, *numbers = NULL;

    for (size_t i = 0; i < ndim; i++)
        order[i] = (int64_t)i;
    for (size_t i = ndim; i-- > 1;) {
        const int64_t other = pick(w, 0, (int64_t)i), kept = order[i];
        if (pick(w, 0, 2) == 0)
            continue;
        order[i] = order[other];
        order[other] = kept;
    }
    for (size_t k = ndim; k-- > 0;) {
        const int64_t i = order[k], n = shape[i] > 0 ? shape[i] : 1;
        strides[i] = step * (pick(w, 0, 3) == 0 ? 2 : 1);
        step = strides[i] * n;
        if (pick(w, 0, 3) == 0) {
            offset += strides[i] * (n - 1);
            strides[i] = -strides[i];
        }
    }
    assert_ok(lbo_empty(w->context, LBO_I8, 1, &step, &numbers));
    for (int64_t i = 0; i < step; i++)
        ((int8_t *)numbers->data)[i] = (int8_t)pick(w, -99, 99);
    assert_ok(lbo_cast(w->context, &all, numbers, dtype));
    assert_ok(lbo_tensor_view(all, offset, ndim, shape, strides, &view));
    lbo_tensor_release(all);
    lbo_tensor_release(numbers);
    return view;
}

/* Row-major, of doubles converted to the type by the library. */
static inline lbo_tensor *make(world *w, lbo_dtype dtype, size_t ndim,
                               const int64_t *shape, const double *numbers)
{
    lbo_tensor *wide = NULL, *result = NULL;

    assert_ok(lbo_from_data(w->context, LBO_F64, ndim, shape, numbers, &wide));
    assert_ok(lbo_cast(w->context, &result, wide, dtype));
    lbo_tensor_release(wide);
    return result;
}

#define SHAPE(...)                                                             \
    (const int64_t[])                                                          \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define NUMBERS(...)                                                           \
    (const double[])                                                           \
    {                                                                          \
        __VA_ARGS__                                                            \
    }

#define assert_shape(tensor, ...)                                              \
    assert_shape_is(tensor, COUNT_OF(SHAPE(__VA_ARGS__)), SHAPE(__VA_ARGS__))

static inline void assert_shape_is(const lbo_tensor *t, size_t ndim,
                                   const int64_t *shape)
{
    assert_int_equal(t->ndim, ndim);
    assert_memory_equal(t->dims, shape, ndim * sizeof *shape);
}

#define assert_numbers(tensor, ...)                                            \
    assert_numbers_are(tensor, COUNT_OF(NUMBERS(__VA_ARGS__)),                 \
                       NUMBERS(__VA_ARGS__))

/* All elements in row-major order. */
static inline void assert_numbers_are(const lbo_tensor *t, size_t count,
                                      const double *numbers)
{
    assert_int_equal(t->size, count);
    for (size_t i = 0; i < count; i++)
        if (naive_nth(t, (int64_t)i) != numbers[i])
            fail_msg("element %zu is %g, not %g", i, naive_nth(t, (int64_t)i),
                     numbers[i]);
}

static inline bool same_number(double a, double b)
{
    return a == b ? signbit(a) == signbit(b) : isnan(a) && isnan(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_world, end_world)

#endif
