/* Element types: facts, promotion, and every number of the half types. */
#include "tensors.h"

static void every_type_has_a_name_a_size_and_a_kind(void **state)
{
    static const struct {
        const char *name, *standard;
        size_t size;
        lbo_kind kind;
    } facts[] = {{"bool", "bool", 1, LBO_KIND_BOOL},
                 {"u8", "uint8", 1, LBO_KIND_INTEGER},
                 {"i8", "int8", 1, LBO_KIND_INTEGER},
                 {"i32", "int32", 4, LBO_KIND_INTEGER},
                 {"i64", "int64", 8, LBO_KIND_INTEGER},
                 {"f16", "float16", 2, LBO_KIND_FLOATING},
                 {"bf16", "bfloat16", 2, LBO_KIND_FLOATING},
                 {"f32", "float32", 4, LBO_KIND_FLOATING},
                 {"f64", "float64", 8, LBO_KIND_FLOATING}};

    (void)state;
    assert_int_equal(COUNT_OF(facts), LBO_DTYPE_COUNT);
    for (int i = 0; i < LBO_DTYPE_COUNT; i++) {
        assert_string_equal(lbo_dtype_name((lbo_dtype)i), facts[i].name);
        assert_int_equal(lbo_dtype_size((lbo_dtype)i), facts[i].size);
        assert_int_equal(lbo_dtype_kind((lbo_dtype)i), facts[i].kind);
        assert_int_equal(lbo_dtype_find(facts[i].name), i);
        assert_int_equal(lbo_dtype_find(facts[i].standard), i);
    }
}

static void what_is_no_type_is_said_to_be_none(void **state)
{
    (void)state;
    assert_int_equal(lbo_dtype_size((lbo_dtype)LBO_DTYPE_COUNT), 0);
    assert_int_equal(lbo_dtype_size((lbo_dtype)-1), 0);
    assert_string_equal(lbo_dtype_name((lbo_dtype)99), "?");
    assert_int_equal(lbo_dtype_find("uint16"), LBO_ANY_DTYPE);
    assert_int_equal(lbo_dtype_find(""), LBO_ANY_DTYPE);
    assert_int_equal(lbo_dtype_find(NULL), LBO_ANY_DTYPE);
}

/* The array API standard's tables for the types that there are; what it leaves
 * open is marked. */
static void promotion_is_the_standards_table(void **state)
{
    enum { B, U8, I8, I32, I64, F16, BF, F32, F64 };
    static const int table[9][9] = {
        /* b    u8   i8   i32  i64  f16  bf   f32  f64 */
        {B, U8, I8, I32, I64, F16, BF, F32, F64},       /* bool, open */
        {U8, U8, I32, I32, I64, F16, BF, F32, F64},     /* u8; i8: no i16 */
        {I8, I32, I8, I32, I64, F16, BF, F32, F64},     /* i8 */
        {I32, I32, I32, I32, I64, F16, BF, F32, F64},   /* i32 */
        {I64, I64, I64, I64, I64, F16, BF, F32, F64},   /* i64 */
        {F16, F16, F16, F16, F16, F16, F32, F32, F64},  /* f16; bf16: open */
        {BF, BF, BF, BF, BF, F32, BF, F32, F64},        /* bf16 */
        {F32, F32, F32, F32, F32, F32, F32, F32, F64},  /* f32 */
        {F64, F64, F64, F64, F64, F64, F64, F64, F64}}; /* f64 */

    (void)state;
    for (int a = 0; a < LBO_DTYPE_COUNT; a++)
        for (int b = 0; b < LBO_DTYPE_COUNT; b++)
            assert_int_equal(lbo_promote((lbo_dtype)a, (lbo_dtype)b),
                             table[a][b]);
}

static void a_weak_number_changes_the_kind_only(void **state)
{
    (void)state;
    for (int strong = 0; strong < LBO_DTYPE_COUNT; strong++) {
        const lbo_dtype type = (lbo_dtype)strong;
        const bool floating = strong >= LBO_F16, boolean = strong == LBO_BOOL;
        assert_int_equal(lbo_promote_weak(type, LBO_BOOL), type);
        assert_int_equal(lbo_promote_weak(type, LBO_I64),
                         boolean ? LBO_I64 : type);
        assert_int_equal(lbo_promote_weak(type, LBO_F64),
                         floating ? type : LBO_F32);
    }
}

static void each_half_stands_for_its_number(void **state)
{
    (void)state;
    for (int bits = 0; bits < 65536; bits++) {
        const uint16_t half = (uint16_t)bits;
        assert_true(
            same_number((double)lbo_f16_to_f32(half), naive_half(half, 5)));
        assert_true(
            same_number((double)lbo_bf16_to_f32(half), naive_half(half, 8)));
        if (isnan(naive_half(half, 5)))
            assert_true(
                isnan(lbo_f16_to_f32(lbo_f32_to_f16(lbo_f16_to_f32(half)))));
        else
            assert_int_equal(lbo_f32_to_f16(lbo_f16_to_f32(half)), half);
        if (isnan(naive_half(half, 8)))
            assert_true(
                isnan(lbo_bf16_to_f32(lbo_f32_to_bf16(lbo_bf16_to_f32(half)))));
        else
            assert_int_equal(lbo_f32_to_bf16(lbo_bf16_to_f32(half)), half);
    }
}

/* Between two neighbours: the middle goes to the even one, all else to the
 * nearer. `end` is infinity. */
static void check_rounding(uint16_t (*round)(float), int exponent_bits,
                           uint16_t end)
{
    for (uint16_t low = 0; low < end; low++) {
        const uint16_t high = (uint16_t)(low + 1);
        const double a = naive_half(low, exponent_bits);
        const double step =
            a - (low > 0 ? naive_half((uint16_t)(low - 1), exponent_bits) : 0);
        const double b =
            high == end ? a + step : naive_half(high, exponent_bits);
        const float middle = (float)((a + b) / 2);
        const uint16_t even = low & 1 ? high : low;

        assert_int_equal(round(middle), even);
        assert_int_equal(round(-middle), even | 0x8000);
        assert_int_equal(round(nextafterf(middle, 0)), low);
        assert_int_equal(round(nextafterf(middle, INFINITY)), high);
    }
}

static void rounding_is_to_the_nearest_and_ties_go_to_even(void **state)
{
    (void)state;
    check_rounding(lbo_f32_to_f16, 5, 0x7c00);
    check_rounding(lbo_f32_to_bf16, 8, 0x7f80);
}

static void what_is_not_a_number_stays_none(void **state)
{
    (void)state;
    for (uint32_t low = 1; low < 0x800000; low = low * 3 + 1)
        for (uint32_t sign = 0; sign < 2; sign++) {
            const uint32_t bits = sign << 31 | 0x7f800000 | (low & 0x7fffff);
            float nan;
            memcpy(&nan, &bits, sizeof nan);
            assert_true(isnan(naive_half(lbo_f32_to_f16(nan), 5)));
            assert_true(isnan(naive_half(lbo_f32_to_bf16(nan), 8)));
        }
    assert_int_equal(lbo_f32_to_f16(-INFINITY), 0xfc00);
    assert_int_equal(lbo_f32_to_bf16(INFINITY), 0x7f80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_a_name_a_size_and_a_kind),
        cmocka_unit_test(what_is_no_type_is_said_to_be_none),
        cmocka_unit_test(promotion_is_the_standards_table),
        cmocka_unit_test(a_weak_number_changes_the_kind_only),
        cmocka_unit_test(each_half_stands_for_its_number),
        cmocka_unit_test(rounding_is_to_the_nearest_and_ties_go_to_even),
        cmocka_unit_test(what_is_not_a_number_stays_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
