/* dtype.c - facts about element types, and the promotion tables. */
#include "latebind/ops/dtype.h"
#include "tensor/half.h"

#include <string.h>

static const struct {
    const char *name, *standard;
    uint8_t size;
    uint8_t kind;
} facts[LBO_DTYPE_COUNT] = {
    [LBO_BOOL] = {"bool", "bool", 1, LBO_KIND_BOOL},
    [LBO_U8] = {"u8", "uint8", 1, LBO_KIND_INTEGER},
    [LBO_I8] = {"i8", "int8", 1, LBO_KIND_INTEGER},
    [LBO_I32] = {"i32", "int32", 4, LBO_KIND_INTEGER},
    [LBO_I64] = {"i64", "int64", 8, LBO_KIND_INTEGER},
    [LBO_F16] = {"f16", "float16", 2, LBO_KIND_FLOATING},
    [LBO_BF16] = {"bf16", "bfloat16", 2, LBO_KIND_FLOATING},
    [LBO_F32] = {"f32", "float32", 4, LBO_KIND_FLOATING},
    [LBO_F64] = {"f64", "float64", 8, LBO_KIND_FLOATING},
};

static bool is_dtype(lbo_dtype dtype)
{
    return (unsigned)dtype < LBO_DTYPE_COUNT;
}

size_t lbo_dtype_size(lbo_dtype dtype)
{
    return is_dtype(dtype) ? facts[dtype].size : 0;
}

const char *lbo_dtype_name(lbo_dtype dtype)
{
    return is_dtype(dtype) ? facts[dtype].name : "?";
}

lbo_kind lbo_dtype_kind(lbo_dtype dtype)
{
    return is_dtype(dtype) ? (lbo_kind)facts[dtype].kind : LBO_KIND_BOOL;
}

int lbo_dtype_find(const char *name)
{
    if (name == NULL)
        return LBO_ANY_DTYPE;
    for (int i = 0; i < LBO_DTYPE_COUNT; i++)
        if (strcmp(name, facts[i].name) == 0 ||
            strcmp(name, facts[i].standard) == 0)
            return i;
    return LBO_ANY_DTYPE;
}

/* Types of one kind form a line but for two pairs: u8 with i8, f16 with bf16. */
lbo_dtype lbo_promote(lbo_dtype a, lbo_dtype b)
{
    const lbo_dtype low = a < b ? a : b, high = a < b ? b : a;

    if (low == LBO_U8 && high == LBO_I8)
        return LBO_I32;
    if (low == LBO_F16 && high == LBO_BF16)
        return LBO_F32;
    return high;
}

lbo_dtype lbo_promote_weak(lbo_dtype strong, lbo_dtype weak)
{
    if (lbo_dtype_kind(weak) <= lbo_dtype_kind(strong))
        return strong;
    return lbo_dtype_kind(weak) == LBO_KIND_FLOATING ? LBO_F32 : LBO_I64;
}

float lbo_f16_to_f32(uint16_t half)
{
    return lboi_f16_to_f32(half);
}

uint16_t lbo_f32_to_f16(float number)
{
    return lboi_f32_to_f16(number);
}

float lbo_bf16_to_f32(uint16_t bits)
{
    return lboi_bf16_to_f32(bits);
}

uint16_t lbo_f32_to_bf16(float number)
{
    return lboi_f32_to_bf16(number);
}
