/* kernels.h - for tests of kernels: a library, random tensors with any strides,
 * and their elements as doubles.
 *
 * A program that is given "cpu-fast" tests that plug-in's kernels instead of
 * the portable ones.
 */
#ifndef TESTS_OPS_KERNELS_H
#define TESTS_OPS_KERNELS_H

#include "support/test.h"

#include "latebind/ops.h"

#include <math.h>

static lbo_library *library;
static lbo_context *context;
static lb_plugin *fast; /* NULL: the portable kernels */
static const char *wanted_plugin;
static uint64_t random_state = 88172645463325252u;

static inline int open_library(void **state)
{
    (void)state;
    assert_ok(lbo_library_create(NULL, &library));
    assert_ok(lbo_context_create(library, NULL, &context));
    if (wanted_plugin != NULL)
        assert_ok(lbo_plugin_open(library, wanted_plugin, &fast));
    return 0;
}

static inline int close_library(void **state)
{
    (void)state;
    lbo_context_destroy(context);
    assert_ok(lbo_library_destroy(library)); /* LB_BUSY: a tensor leaked */
    return 0;
}

/* Marsaglia's xorshift: the same numbers in each run. */
static inline uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline int64_t random_below(int64_t n)
{
    return (int64_t)(random_bits() % (uint64_t)n);
}

/* The address of an element. */
static inline char *element_at(const lbo_tensor *t, const int64_t *index)
{
    int64_t at = 0;

    for (int i = 0; i < t->ndim; i++)
        at += index[i] * lbo_strides(t)[i];
    return (char *)t->data + at * (int64_t)lbo_dtype_size((lbo_dtype)t->dtype);
}

static inline double number_at(const lbo_tensor *t, const int64_t *index)
{
    const char *const at = element_at(t, index);

    switch (t->dtype) {
    case LBO_F32:
        return (double)*(const float *)(const void *)at;
    case LBO_F64:
        return *(const double *)(const void *)at;
    case LBO_F16:
        return (double)lbo_f16_to_f32(*(const uint16_t *)(const void *)at);
    case LBO_BF16:
        return (double)lbo_bf16_to_f32(*(const uint16_t *)(const void *)at);
    case LBO_I64:
        return (double)*(const int64_t *)(const void *)at;
    case LBO_I32:
        return *(const int32_t *)(const void *)at;
    case LBO_I8:
        return *(const int8_t *)(const void *)at;
    case LBO_BOOL:
    case LBO_U8:
        return *(const uint8_t *)(const void *)at;
    default:
        fail_msg("no numbers of type %s", lbo_dtype_name((lbo_dtype)t->dtype));
        return 0;
    }
}

static inline void set_number(lbo_tensor *t, const int64_t *index, double value)
{
    char *const at = element_at(t, index);

    switch (t->dtype) {
    case LBO_F32:
        *(float *)(void *)at = (float)value;
        break;
    case LBO_F64:
        *(double *)(void *)at = value;
        break;
    case LBO_F16:
        *(uint16_t *)(void *)at = lbo_f32_to_f16((float)value);
        break;
    case LBO_BF16:
        *(uint16_t *)(void *)at = lbo_f32_to_bf16((float)value);
        break;
    case LBO_I64:
        *(int64_t *)(void *)at = (int64_t)value;
        break;
    case LBO_I32:
        *(int32_t *)(void *)at = (int32_t)value;
        break;
    case LBO_I8:
        *(int8_t *)(void *)at = (int8_t)value;
        break;
    case LBO_BOOL:
    case LBO_U8:
        *(uint8_t *)(void *)at = (uint8_t)(int)value;
        break;
    default:
        fail_msg("no numbers of type %s", lbo_dtype_name((lbo_dtype)t->dtype));
    }
}

/* The next index in row-major order; false after the last. */
static inline bool next_index(const lbo_tensor *t, int64_t *index)
{
    for (int i = t->ndim; i-- > 0;) {
        if (++index[i] < t->dims[i])
            return true;
        index[i] = 0;
    }
    return false;
}

/* A tensor with gaps, in an order of its own, perhaps backwards; `plain`:
 * row-major. Elements are not set. */
static inline lbo_tensor *strided_tensor(lbo_dtype dtype, size_t ndim,
                                         const int64_t *shape, bool plain)
{
    int64_t room[LBO_MAX_DIMS], strides[LBO_MAX_DIMS], order[LBO_MAX_DIMS];
    int64_t count = 1, offset = 0;
    lbo_tensor *base, *view;

    if (plain) {
        assert_ok(lbo_empty(context, dtype, ndim, shape, &base));
        return base;
    }
    for (size_t i = 0; i < ndim; i++) {
        const size_t k = (size_t)random_below((int64_t)i + 1);

        order[i] = (int64_t)i;
        order[i] = order[k];
        order[k] = (int64_t)i;
    }
    for (size_t i = 0; i < ndim; i++) {
        const size_t d = (size_t)order[i];
        const int64_t step = 1 + random_below(2);
        room[d] = shape[d] * step;
        strides[d] = count * step;
        count *= room[d] > 0 ? room[d] : 1;
        if (shape[d] > 0 && random_below(3) == 0) {
            offset += strides[d] * (shape[d] - 1);
            strides[d] = -strides[d];
        }
    }
    assert_ok(lbo_empty(context, dtype, 1, &count, &base));
    memset(base->data, 0, lbo_tensor_bytes(base));
    assert_ok(lbo_tensor_view(base, offset, ndim, shape, strides, &view));
    lbo_tensor_release(base);
    return view;
}

/* Small whole numbers, so that sums and products of them are exact. */
static inline lbo_tensor *whole_numbers(lbo_dtype dtype, size_t ndim,
                                        const int64_t *shape)
{
    lbo_tensor *const t =
        strided_tensor(dtype, ndim, shape, random_below(2) == 0);
    int64_t index[LBO_MAX_DIMS] = {0};

    if (t->size > 0)
        do
            set_number(t, index,
                       (double)(random_below(9) - (dtype == LBO_U8 ? 0 : 4)));
        while (next_index(t, index));
    return t;
}

/* Numbers between -4 and 4. */
static inline lbo_tensor *real_numbers(lbo_dtype dtype, size_t ndim,
                                       const int64_t *shape)
{
    lbo_tensor *const t =
        strided_tensor(dtype, ndim, shape, random_below(2) == 0);
    int64_t index[LBO_MAX_DIMS] = {0};

    if (t->size > 0)
        do
            set_number(t, index, (double)(random_bits() >> 11) * 0x1p-50 - 4.0);
        while (next_index(t, index));
    return t;
}

/* A result to be written: none, or one with strides. */
static inline lbo_tensor *maybe_given(lbo_dtype dtype, size_t ndim,
                                      const int64_t *shape)
{
    return random_below(2) == 0 ? NULL
                                : strided_tensor(dtype, ndim, shape, false);
}

/* Equal within `tolerance`, relative for numbers above 1; NaN equals NaN. */
static inline void assert_near(double got, double expected, double tolerance,
                               const char *what)
{
    if (isnan(expected) ? isnan(got) : got == expected)
        return;
    const double scale = fabs(expected) > 1 ? fabs(expected) : 1;
    if (!(fabs(got - expected) <= tolerance * scale))
        fail_msg("%s: %.17g, not %.17g", what, got, expected);
}

static inline int run_kernel_tests(int argc, char **argv,
                                   const struct CMUnitTest *tests, size_t count)
{
    wanted_plugin = argc > 1 ? argv[1] : NULL;
    return _cmocka_run_group_tests("kernels", tests, count, NULL, NULL);
}

#define KERNEL_TEST(function)                                                  \
    cmocka_unit_test_setup_teardown(function, open_library, close_library)

#endif
