/* latebind/ops/dtype.h - the types of elements, and what they become together.
 *
 * Promotion is the table of the Python array API standard (2023.12, "Type
 * promotion rules"). Where the standard leaves the result open, the rules are:
 *   - bool with a number: the number's type
 *   - an integer with a floating type: the floating type
 *   - f16 with bf16: f32
 *   - u8 with i8: i32, since there is no i16
 *   - a weak operand (a scalar of the host language, see lbo_scalar): the other
 *     one's type, unless its kind is higher (bool, integer, floating): then the
 *     default type of that kind, i64 or f32; where all are weak, their own
 */
#ifndef LATEBIND_OPS_DTYPE_H
#define LATEBIND_OPS_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "latebind/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are ABI. */
typedef enum lbo_dtype {
    LBO_BOOL = 0, /* one byte, 0 or 1 */
    LBO_U8 = 1,
    LBO_I8 = 2,
    LBO_I32 = 3,
    LBO_I64 = 4,
    LBO_F16 = 5,  /* IEEE 754 binary16 */
    LBO_BF16 = 6, /* the upper half of a binary32 */
    LBO_F32 = 7,
    LBO_F64 = 8,
    LBO_DTYPE_COUNT = 9
} lbo_dtype;

/* What stands for "every type" or "no type given" where an lbo_dtype is asked
 * for. */
#define LBO_ANY_DTYPE (-1)

typedef enum lbo_kind {
    LBO_KIND_BOOL = 0,
    LBO_KIND_INTEGER = 1,
    LBO_KIND_FLOATING = 2
} lbo_kind;

/* Facts about a type: bytes of an element (0 for a number that is no type), its
 * name ("f32"; "?"), its kind. Pure, any thread, never fail. */
LB_PUBLIC size_t lbo_dtype_size(lbo_dtype dtype);
LB_PUBLIC const char *lbo_dtype_name(lbo_dtype dtype);
LB_PUBLIC lbo_kind lbo_dtype_kind(lbo_dtype dtype);

/* The type of that name ("f32", or the array API's "float32"), or LBO_ANY_DTYPE
 * if there is none. Pure. */
LB_PUBLIC int lbo_dtype_find(const char *name);

/* The type two operands are converted to. Pure, symmetric, never fails. */
LB_PUBLIC lbo_dtype lbo_promote(lbo_dtype a, lbo_dtype b);

/* The same where `weak` is the type of a weak operand. */
LB_PUBLIC lbo_dtype lbo_promote_weak(lbo_dtype strong, lbo_dtype weak);

/* The bits of the half types and the numbers they stand for. Rounds to nearest,
 * ties to even; NaN stays NaN. Pure. */
LB_PUBLIC float lbo_f16_to_f32(uint16_t bits);
LB_PUBLIC uint16_t lbo_f32_to_f16(float number);
LB_PUBLIC float lbo_bf16_to_f32(uint16_t bits);
LB_PUBLIC uint16_t lbo_f32_to_bf16(float number);

#ifdef __cplusplus
}
#endif
#endif
