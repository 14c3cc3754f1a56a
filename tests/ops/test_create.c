/* Copies in all types, and tensors made from nothing. */
#include "tensors.h"

/* ---- cast ---------------------------------------------------------------- */

/* The number that `value` becomes; false: it does not fit. By searching for the
 * nearest half, not by cutting bits. */
static double nearest_half(double value, int exponent_bits, uint16_t infinity)
{
    uint16_t low = 0, high = infinity;
    const double size = fabs(value);

    while (low + 1 < high) {
        const uint16_t middle = (uint16_t)((low + high) / 2);
        if (naive_half(middle, exponent_bits) <= size)
            low = middle;
        else
            high = middle;
    }
    const double a = naive_half(low, exponent_bits);
    const double below = naive_half((uint16_t)(low - 1), exponent_bits);
    const double b =
        high == infinity ? a + (a - below) : naive_half(high, exponent_bits);
    const bool up =
        size - a > b - size || (size - a == b - size && (low & 1) != 0);
    return copysign(up ? naive_half(high, exponent_bits) : a, value);
}

static bool expected_number(int to, double value, double *result)
{
    static const double low[] = {0, 0, -128, INT32_MIN, -0x1p63};
    static const double high[] = {1, 255, 127, INT32_MAX, 0x1p63};

    *result = value;
    if (to == LBO_BOOL)
        *result = value != 0;
    else if (to <= LBO_I64)
        *result = trunc(value) + 0.0;
    else if (!isfinite(value))
        return true;
    else if (to == LBO_F32)
        *result = (double)(float)value;
    else if (to == LBO_F16)
        *result = nearest_half(value, 5, 0x7c00);
    else if (to == LBO_BF16)
        *result = nearest_half(value, 8, 0x7f80);
    return to == LBO_BOOL || to > LBO_I64 ||
           (*result >= low[to] && *result <= high[to] && *result != 0x1p63);
}

static const double samples[] = {
    0, -0.0, 1, -1, 2.5, -2.5, 3.999, 127, 128, -128, -129, 200, 255, 256,
    65504, 65519, 65520, 1e5, 2147483647.0, -2147483648.0, 4e9, 1e10, 1e20,
    -1e20, 1e39, 1e300, 5e-324, 6e-8, 2.98e-8, 1e-40, 0.1, 1.0 / 3, 2049, 2051,
    /* half way between two halves, and a little more than an f32 can see */
    2049.0000000001, 2050.9999999999, 257.0000000001, 258.9999999999, INFINITY,
    -INFINITY, NAN};

static void all_types_become_all_types(void **state)
{
    world *const w = *state;
    const int64_t count = COUNT_OF(samples);
    size_t checked = 0;

    for (int from = 0; from < LBO_DTYPE_COUNT; from++) {
        lbo_tensor *const x = make(w, (lbo_dtype)from, 1, &count, samples);
        for (int to = 0; to < LBO_DTYPE_COUNT; to++) {
            lbo_tensor *y = NULL;
            assert_ok(lbo_cast(w->context, &y, x, (lbo_dtype)to));
            for (int64_t i = 0; i < count; i++) {
                double wanted;
                if (!expected_number(to, naive_at(x, &i), &wanted))
                    continue;
                const double got = naive_at(y, &i);
                if (to <= LBO_I64 ? got != wanted : !same_number(got, wanted))
                    fail_msg("%s %g to %s: %.17g, not %.17g",
                             lbo_dtype_name((lbo_dtype)from), naive_at(x, &i),
                             lbo_dtype_name((lbo_dtype)to), got, wanted);
                checked++;
            }
            lbo_tensor_release(y);
        }
        lbo_tensor_release(x);
    }
    assert_true(checked > 2500);
}

static void what_does_not_fit_is_the_nearest_that_does(void **state)
{
    world *const w = *state;
    static const double high[] = {1, 255, 127, INT32_MAX, 0x1p63};
    static const double low[] = {1, 0, -128, INT32_MIN, -0x1p63};
    lbo_tensor *const x =
        make(w, LBO_F64, 1, SHAPE(3), NUMBERS(1e300, -INFINITY, NAN));

    for (int to = LBO_U8; to <= LBO_I64; to++) {
        lbo_tensor *y = NULL;
        assert_ok(lbo_cast(w->context, &y, x, (lbo_dtype)to));
        assert_true(naive_nth(y, 0) == high[to]);
        assert_true(naive_nth(y, 1) == low[to]);
        assert_true(naive_nth(y, 2) == 0);
        lbo_tensor_release(y);
    }
    lbo_tensor_release(x);
}

static void integers_wrap_around(void **state)
{
    world *const w = *state;
    const int64_t numbers[] = {
        256, 257, -1, 128, INT64_MAX, INT64_MIN, (INT64_C(1) << 32) + 7};
    lbo_tensor *x, *y = NULL;

    assert_ok(lbo_from_data(w->context, LBO_I64, 1, SHAPE(7), numbers, &x));
    for (int to = LBO_U8; to <= LBO_I32; to++) {
        const int bits = 8 * (int)lbo_dtype_size((lbo_dtype)to);
        assert_ok(lbo_cast(w->context, &y, x, (lbo_dtype)to));
        for (int64_t i = 0; i < 7; i++) {
            const int64_t rest =
                (int64_t)((uint64_t)numbers[i] & ((UINT64_C(1) << bits) - 1));
            const bool negative = to != LBO_U8 && rest >> (bits - 1);
            assert_true(
                naive_at(y, &i) ==
                (double)(negative ? rest - (INT64_C(1) << bits) : rest));
        }
        lbo_tensor_release(y);
        y = NULL;
    }
    lbo_tensor_release(x);
}

static void large_integers_are_rounded_to_halves_once(void **state)
{
    world *const w = *state;
    /* Just above the middle of two bf16; by way of f32 it would be on it. */
    const int64_t number = (INT64_C(257) << 52) + 1;
    lbo_tensor *x, *y = NULL;

    assert_ok(lbo_from_data(w->context, LBO_I64, 0, NULL, &number, &x));
    assert_ok(lbo_cast(w->context, &y, x, LBO_BF16));
    assert_true(naive_nth(y, 0) == ldexp(258, 52));
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* Copies from any strides into any, against one element at a time. */
static void strides_of_both_sides_may_be_any(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 1500; round++) {
        const size_t ndim = (size_t)pick(w, 0, 5);
        const lbo_dtype from = (lbo_dtype)pick(w, 0, 8);
        const lbo_dtype to = pick(w, 0, 1) ? from : (lbo_dtype)pick(w, 0, 8);
        int64_t shape[5], index[5] = {0};
        random_shape(w, ndim, round % 100 == 0 && ndim < 3 ? 90 : 6, shape);
        lbo_tensor *const x = random_view(w, from, ndim, shape);
        lbo_tensor *y = random_view(w, to, ndim, shape);
        assert_ok(to == from ? lbo_copy(w->context, &y, x)
                             : lbo_cast(w->context, &y, x, to));
        if (x->size > 0)
            do {
                double wanted;
                if (expected_number(to, naive_at(x, index), &wanted))
                    assert_true(naive_at(y, index) == wanted);
            } while (next_index(ndim, shape, index));
        lbo_tensor_release(x);
        lbo_tensor_release(y);
    }
}

static void a_copy_leaves_the_gaps_alone(void **state)
{
    world *const w = *state;
    lbo_tensor *all = make(w, LBO_F32, 1, SHAPE(6), NUMBERS(1, 2, 3, 4, 5, 6));
    lbo_tensor *const x = make(w, LBO_F32, 1, SHAPE(3), NUMBERS(7, 8, 9));
    lbo_tensor *odd = NULL;

    assert_ok(lbo_slice(w->context, &odd, all, 0, 1, 6, 2));
    assert_ok(lbo_copy(w->context, &odd, x));
    assert_numbers(all, 1, 7, 3, 8, 5, 9);
    lbo_tensor_release(all);
    lbo_tensor_release(odd);
    lbo_tensor_release(x);
}

static void a_result_may_overlap_its_source(void **state)
{
    world *const w = *state;
    lbo_tensor *all = make(w, LBO_I32, 1, SHAPE(5), NUMBERS(1, 2, 3, 4, 5));
    lbo_tensor *front = NULL, *back = NULL;

    assert_ok(lbo_slice(w->context, &front, all, 0, 0, 4, 1));
    assert_ok(lbo_slice(w->context, &back, all, 0, 1, 5, 1));
    assert_ok(lbo_copy(w->context, &back, front));
    assert_numbers(all, 1, 1, 2, 3, 4);
    assert_ok(lbo_copy(w->context, &back, back));
    assert_true(naive_nth(all, 4) == 4);
    lbo_tensor_release(front);
    lbo_tensor_release(back);
    lbo_tensor_release(all);
}

static void a_cast_to_no_type_is_refused(void **state)
{
    world *const w = *state;
    lbo_tensor *x = make(w, LBO_F32, 0, NULL, NUMBERS(1)), *y = NULL;

    assert_status(LB_BAD_ARGUMENT, lbo_cast(w->context, &y, x, (lbo_dtype)9));
    assert_contains(lb_message(), "cast: 9 is no dtype");
    assert_status(LB_BAD_ARGUMENT, lbo_cast(w->context, &y, NULL, LBO_F32));
    assert_null(y);
    lbo_tensor_release(x);
}

/* ---- fill and arange ----------------------------------------------------- */

static void fill_sets_all_elements_and_no_others(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 300; round++) {
        const lbo_dtype dtype = (lbo_dtype)pick(w, 0, 8);
        const size_t ndim = (size_t)pick(w, 0, 3);
        int64_t shape[3], index[3] = {0};
        random_shape(w, ndim, 9, shape);
        lbo_tensor *const x = random_view(w, dtype, ndim, shape);
        unsigned char *const memory = x->storage->memory;
        const size_t bytes = x->storage->bytes;
        memset(memory, 0xa5, bytes);
        assert_ok(lbo_fill(w->context, x, 1));
        if (x->size > 0)
            do {
                assert_true(naive_at(x, index) == 1);
                memset(naive_place(x, index), 0xa5, lbo_dtype_size(dtype));
            } while (next_index(ndim, shape, index));
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(memory[i], 0xa5);
        lbo_tensor_release(x);
    }
}

static void fill_gives_each_type_its_number(void **state)
{
    world *const w = *state;
    const int64_t large = (INT64_C(1) << 53) + 1, many = 10000;
    lbo_tensor *x;

    assert_ok(lbo_empty(w->context, LBO_BOOL, 0, NULL, &x));
    assert_ok(lbo_fill(w->context, x, 0.5));
    assert_int_equal(*(uint8_t *)x->data, 1);
    lbo_tensor_release(x);
    assert_ok(lbo_empty(w->context, LBO_I64, 1, &many, &x));
    assert_ok(lbo_fill_integer(w->context, x, large));
    for (int64_t i = 0; i < many; i++)
        assert_true(((int64_t *)x->data)[i] == large);
    assert_ok(lbo_fill(w->context, x, -1e30));
    assert_true(((int64_t *)x->data)[9999] == INT64_MIN);
    lbo_tensor_release(x);
    assert_status(LB_BAD_ARGUMENT, lbo_fill(w->context, NULL, 1));
}

static void arange_counts_in_every_type(void **state)
{
    world *const w = *state;
    const int64_t many = 300;

    for (int dtype = LBO_U8; dtype < LBO_DTYPE_COUNT; dtype++) {
        lbo_tensor *const x = random_view(w, (lbo_dtype)dtype, 1, &many);
        assert_ok(lbo_arange(w->context, x, 20, -0.25));
        for (int64_t i = 0; i < many; i++) {
            double wanted;
            if (expected_number(dtype, 20 - 0.25 * (double)i, &wanted))
                assert_true(naive_at(x, &i) == wanted);
        }
        lbo_tensor_release(x);
    }
    lbo_tensor *const flat = make(w, LBO_F32, 0, NULL, NUMBERS(0));
    assert_status(LB_BAD_ARGUMENT, lbo_arange(w->context, flat, 0, 1));
    assert_contains(lb_message(), "arange: the tensor has 0 dimensions");
    lbo_tensor_release(flat);
}

/* ---- random numbers ------------------------------------------------------ */

/* Philox 4x32-10 written down as the paper's figure has it, with products in
 * 64 bits; `counter` is changed into the block. */
static void naive_philox(uint32_t counter[4], const uint32_t key[2])
{
    uint32_t k[2] = {key[0], key[1]};

    for (int round = 0; round < 10; round++) {
        const uint64_t p = UINT64_C(0xD2511F53) * counter[0];
        const uint64_t q = UINT64_C(0xCD9E8D57) * counter[2];
        const uint32_t next[4] = {
            (uint32_t)(q >> 32) ^ counter[1] ^ k[0], (uint32_t)q,
            (uint32_t)(p >> 32) ^ counter[3] ^ k[1], (uint32_t)p};
        memcpy(counter, next, sizeof next);
        k[0] += 0x9E3779B9;
        k[1] += 0xBB67AE85;
    }
}

/* The vectors that Random123 publishes (kat_vectors, philox4x32, 10 rounds). */
static void the_naive_generator_gives_the_published_numbers(void **state)
{
    static const uint32_t vectors[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
         0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        uint32_t counter[4];
        memcpy(counter, vectors[i], sizeof counter);
        naive_philox(counter, vectors[i] + 4);
        assert_memory_equal(counter, vectors[i] + 6, sizeof counter);
    }
}

static uint32_t naive_word(uint64_t seed, uint64_t block, int64_t word)
{
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

    naive_philox(counter, key);
    return counter[word];
}

static lb_status run_random(world *w, const char *name, lbo_tensor *out,
                            const lbo_random_attributes *attributes)
{
    lbo_call call = {.out = &out, .attributes = attributes, .out_count = 1};

    return lbo_run(w->context, lbo_operator_find(w->library, name), &call);
}

static void uniform_numbers_are_philoxs(void **state)
{
    world *const w = *state;
    static const uint64_t seeds[] = {0, 42, UINT64_MAX, 0xa4093822299f31d0};
    static const uint64_t offsets[] = {0, 7, UINT32_MAX, UINT64_MAX - 3};

    for (int round = 0; round < 64; round++) {
        const lbo_random_attributes attributes = {0, 1, seeds[round % 4],
                                                  offsets[round / 4 % 4]};
        int64_t shape[3];
        random_shape(w, 3, 9, shape);
        lbo_tensor *const x =
            random_view(w, (lbo_dtype)(LBO_F32 + round % 2), 3, shape);
        assert_ok(run_random(w, "uniform", x, &attributes));
        for (int64_t i = 0; i < x->size; i++) {
            const uint64_t block = attributes.offset + (uint64_t)(i / 4);
            assert_true(
                naive_nth(x, i) ==
                ldexp(naive_word(attributes.seed, block, i % 4) >> 8, -24));
        }
        lbo_tensor_release(x);
    }
}

/* Types differ by rounding alone. */
static void all_types_get_the_same_numbers(void **state)
{
    world *const w = *state;
    lbo_tensor *wide;

    for (int normal = 0; normal < 2; normal++) {
        const lbo_random_attributes attributes = {-3, 5, 11, 0};
        const char *const name = normal ? "normal" : "uniform";
        assert_ok(lbo_empty(w->context, LBO_F64, 1, SHAPE(999), &wide));
        assert_ok(run_random(w, name, wide, &attributes));
        for (int dtype = LBO_F16; dtype <= LBO_F32; dtype++) {
            lbo_tensor *rounded = NULL, *x;
            assert_ok(
                lbo_empty(w->context, (lbo_dtype)dtype, 1, SHAPE(999), &x));
            assert_ok(run_random(w, name, x, &attributes));
            assert_ok(lbo_cast(w->context, &rounded, wide, (lbo_dtype)dtype));
            assert_memory_equal(x->data, rounded->data, lbo_tensor_bytes(x));
            lbo_tensor_release(x);
            lbo_tensor_release(rounded);
        }
        lbo_tensor_release(wide);
    }
}

static void normal_numbers_are_box_mullers(void **state)
{
    world *const w = *state;
    const lbo_random_attributes attributes = {2, 3, 5, 1};
    double sum = 0, squares = 0;
    lbo_tensor *x;

    assert_ok(lbo_empty(w->context, LBO_F32, 1, SHAPE(100001), &x));
    assert_ok(run_random(w, "normal", x, &attributes));
    for (int64_t i = 0; i < x->size; i++) {
        const uint64_t block = 1 + (uint64_t)(i / 4);
        const int64_t pair = i % 4 / 2 * 2;
        const double u =
            ldexp((double)(naive_word(5, block, pair) >> 8) + 1, -24);
        const double v = ldexp(naive_word(5, block, pair + 1) >> 8, -24);
        const double r = sqrt(-2 * log(u)), angle = 2 * acos(-1) * v;
        const double z = r * (i % 2 ? sin(angle) : cos(angle));
        assert_true(fabs(naive_at(x, &i) - (2 + 3 * z)) < 2e-5);
        sum += naive_at(x, &i);
        squares += pow(naive_at(x, &i) - 2, 2);
    }
    assert_true(fabs(sum / 100001 - 2) < 0.05);
    assert_true(fabs(squares / 100001 - 9) < 0.15);
    lbo_tensor_release(x);
}

static void numbers_stay_below_the_upper_end(void **state)
{
    world *const w = *state;
    lbo_tensor *x;

    assert_ok(lbo_empty(w->context, LBO_F32, 1, SHAPE(4096), &x));
    /* Between them is one f32: sums round up to the end half of the time. */
    assert_ok(lbo_uniform(w->context, x, 1, 1 + 0x1p-22));
    for (int64_t i = 0; i < 4096; i++)
        assert_true(naive_at(x, &i) >= 1 && naive_at(x, &i) < 1 + 0x1p-22);
    lbo_tensor_release(x);
}

static void a_context_never_repeats_itself_until_it_is_seeded(void **state)
{
    world *const w = *state;
    lbo_tensor *all, *a, *b;

    assert_ok(lbo_empty(w->context, LBO_F32, 1, SHAPE(16), &all));
    assert_ok(lbo_empty(w->context, LBO_F32, 1, SHAPE(6), &a));
    assert_ok(lbo_empty(w->context, LBO_F32, 1, SHAPE(8), &b));
    lbo_seed(w->context, 9);
    assert_ok(lbo_uniform(w->context, all, 0, 1));
    lbo_seed(w->context, 9);
    assert_ok(lbo_uniform(w->context, a, 0, 1));
    assert_ok(lbo_uniform(w->context, b, 0, 1));
    assert_memory_equal(a->data, all->data, 6 * sizeof(float));
    /* Six numbers take two blocks of four. */
    assert_memory_equal(b->data, (float *)all->data + 8, 8 * sizeof(float));
    lbo_tensor_release(all);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
}

static void only_floating_types_are_random(void **state)
{
    world *const w = *state;
    lbo_tensor *x;

    assert_ok(lbo_empty(w->context, LBO_I32, 1, SHAPE(3), &x));
    assert_status(LB_BAD_ARGUMENT, lbo_uniform(w->context, x, 0, 1));
    assert_contains(lb_message(), "uniform: the tensor is i32");
    assert_status(LB_BAD_ARGUMENT, lbo_normal(w->context, NULL, 0, 1));
    lbo_tensor_release(x);
}

/* ---- dropout ------------------------------------------------------------- */

static void dropout_keeps_what_its_numbers_say(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 60; round++) {
        const lbo_dtype dtype = (lbo_dtype)(LBO_F16 + round % 4);
        const double p = 0.25 * (double)pick(w, 0, 3), scale = 1 / (1 - p);
        int64_t shape[3];
        random_shape(w, 3, 9, shape);
        lbo_tensor *x = random_view(w, dtype, 3, shape), *out[2] = {NULL};
        const lbo_dropout_attributes attributes = {p, 3, (uint64_t)round};
        lbo_call call = {.in = &x,
                         .out = out,
                         .attributes = &attributes,
                         .in_count = 1,
                         .out_count = 2};
        assert_ok(lbo_run(w->context, lbo_operator_find(w->library, "dropout"),
                          &call));
        for (int64_t i = 0; i < x->size; i++) {
            const uint64_t block = (uint64_t)(round + i / 4);
            const bool kept = ldexp(naive_word(3, block, i % 4) >> 8, -24) >= p;
            const double y = kept ? naive_nth(x, i) * scale : 0;
            const double near = dtype == LBO_F16    ? 0x1p-10
                                : dtype == LBO_BF16 ? 0x1p-7
                                                    : 0x1p-22;
            assert_true(naive_nth(out[1], i) == kept);
            assert_true(fabs(naive_nth(out[0], i) - y) <= near * fabs(y));
        }
        lbo_tensor_release(x);
        lbo_tensor_release(out[0]);
        lbo_tensor_release(out[1]);
    }
}

static void dropout_wants_a_share_below_one(void **state)
{
    world *const w = *state;
    lbo_tensor *x = make(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2)), *y = NULL;

    assert_status(LB_BAD_ARGUMENT, lbo_dropout(w->context, &y, x, 1));
    assert_contains(lb_message(), "dropout: p is 1; 0 <= p < 1 is wanted");
    assert_status(LB_BAD_ARGUMENT, lbo_dropout(w->context, &y, x, NAN));
    assert_status(LB_BAD_ARGUMENT, lbo_dropout(w->context, &y, NULL, 0));
    assert_null(y);
    assert_ok(lbo_dropout(w->context, &x, x, 0)); /* in place */
    assert_true(naive_nth(x, 1) == 2);
    lbo_tensor_release(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_types_become_all_types),
        TEST(what_does_not_fit_is_the_nearest_that_does),
        TEST(integers_wrap_around),
        TEST(large_integers_are_rounded_to_halves_once),
        TEST(strides_of_both_sides_may_be_any),
        TEST(a_copy_leaves_the_gaps_alone),
        TEST(a_result_may_overlap_its_source),
        TEST(a_cast_to_no_type_is_refused),
        TEST(fill_sets_all_elements_and_no_others),
        TEST(fill_gives_each_type_its_number),
        TEST(arange_counts_in_every_type),
        TEST(the_naive_generator_gives_the_published_numbers),
        TEST(uniform_numbers_are_philoxs),
        TEST(all_types_get_the_same_numbers),
        TEST(normal_numbers_are_box_mullers),
        TEST(numbers_stay_below_the_upper_end),
        TEST(a_context_never_repeats_itself_until_it_is_seeded),
        TEST(only_floating_types_are_random),
        TEST(dropout_keeps_what_its_numbers_say),
        TEST(dropout_wants_a_share_below_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
