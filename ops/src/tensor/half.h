/* tensor/half.h - the half types, inline for loops: no branches but ones that
 * become selections, so that compilers make vectors of them. */
#ifndef LBO_TENSOR_HALF_H
#define LBO_TENSOR_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t lboi_bits_of(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static inline float lboi_number_of(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The exponent moves by 112 places: as a product, which also makes subnormals
 * normal. Infinity and NaN then have 16 too little in theirs. */
static inline float lboi_f16_to_f32(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t size = (uint32_t)(half & 0x7fff) << 13;
    const uint32_t scaled = lboi_bits_of(lboi_number_of(size) * 0x1p112f);
    const uint32_t special = size >= 0x0f800000 ? 0x7f800000 : 0;

    return lboi_number_of(sign | scaled | special);
}

static inline uint16_t lboi_f32_to_f16(float number)
{
    const uint32_t bits = lboi_bits_of(number), sign = bits >> 16 & 0x8000;
    const uint32_t size = bits & 0x7fffffff;
    const uint32_t odd = size >> 13 & 1;
    const uint32_t normal = (size - (112u << 23) + 0xfff + odd) >> 13;
    /* Adding 0.5 rounds at 2^-24, the unit of the subnormal ones. */
    const float sum = lboi_number_of(size < 0x38800000 ? size : 0) + 0.5f;
    const uint32_t tiny = lboi_bits_of(sum) - 0x3f000000;
    uint32_t half = size < 0x38800000 ? tiny : normal;

    half = size >= 0x477ff000 ? 0x7c00 : half; /* rounds to 65536, or is more */
    /* NaN: quiet, the upper bits of its payload */
    half = size > 0x7f800000 ? (0x7e00 | (size >> 13 & 0x3ff)) : half;
    return (uint16_t)(sign | half);
}

static inline float lboi_bf16_to_f32(uint16_t bits)
{
    return lboi_number_of((uint32_t)bits << 16);
}

static inline uint16_t lboi_f32_to_bf16(float number)
{
    const uint32_t bits = lboi_bits_of(number);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const uint32_t quiet = bits >> 16 | 0x40;

    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
}

#endif
