/* gemm.c - the portable product of two matrices, for each type of elements.
 *
 * Integers are computed without sign, where wrapping around is defined; the bits
 * are the same.
 */
#include "cpu/product.h"

enum { HEIGHT = 4, WIDTH = 8, DEPTH = 256 };

#define TYPE float
#define NAME(name) name##_f32
#include "cpu/gemm_type.h"

#define TYPE double
#define NAME(name) name##_f64
#include "cpu/gemm_type.h"

#define TYPE uint64_t
#define NAME(name) name##_64
#include "cpu/gemm_type.h"

#define TYPE uint32_t
#define NAME(name) name##_32
#include "cpu/gemm_type.h"

#define TYPE uint8_t
#define NAME(name) name##_8
#include "cpu/gemm_type.h"

const lboi_gemm_fn lboi_portable_gemm[LBO_DTYPE_COUNT] = {
    [LBO_U8] = gemm_8,   [LBO_I8] = gemm_8,    [LBO_I32] = gemm_32,
    [LBO_I64] = gemm_64, [LBO_F32] = gemm_f32, [LBO_F64] = gemm_f64,
};
