/* convert.c - elements of any type into any other, from any strides to any.
 *
 *   1. the dimensions are sorted by the steps of the result, smallest first,
 *      and joined where both sides step over two as over one: a copy between
 *      equal layouts becomes one run, whatever the order of their dimensions
 *   2. where the source lies along another dimension than the result (a
 *      transpose) both are walked in squares that stay in the cache
 *   3. each run is one call of the converter of the two types
 *
 * Numbers: to bool is "not 0"; integers wrap around; floating to integer
 * truncates, what does not fit becomes the nearest that does, NaN becomes 0.
 * Rounding is to nearest even, once: f64 and i64 go to the half types by way of
 * an f32 "rounded to odd", which keeps what was cut off (Boldo and Melquiond,
 * "Emulation of a FMA and correctly rounded sums", 2008).
 */
#include "tensor/convert.h"
#include "latebind/ops/kernel.h"
#include "tensor/half.h"

#include <math.h>
#include <string.h>

/* ---- numbers ------------------------------------------------------------- */

/* Truncated to what the narrow type can hold; NaN: 0. */
static inline int32_t truncated(double value, double low, double high)
{
    const double from_low = value >= low ? value : low;
    const double inside = from_low <= high ? from_low : high;

    return (int32_t)(value == value ? inside : 0);
}

static inline uint8_t u8_of_real(double value)
{
    return (uint8_t)truncated(value, 0, 255);
}
static inline uint8_t u8_of_integer(int64_t value)
{
    return (uint8_t)value;
}
static inline int8_t i8_of_real(double value)
{
    return (int8_t)truncated(value, -128, 127);
}
static inline int8_t i8_of_integer(int64_t value)
{
    return (int8_t)value;
}
static inline int32_t i32_of_real(double value)
{
    return truncated(value, INT32_MIN, INT32_MAX);
}
static inline int32_t i32_of_integer(int64_t value)
{
    return (int32_t)value;
}
static inline int64_t i64_of_integer(int64_t value)
{
    return value;
}

/* An f32 next to `value`: itself, or the neighbour whose last bit is 1. */
static inline float rounded_to_odd(double value)
{
    const float near = (float)value;
    uint32_t bits = lboi_bits_of(near);

    if ((double)near == value || value != value)
        return near;
    if (fabs((double)near) > fabs(value))
        bits--;
    return lboi_number_of(bits | 1);
}

/* Exact, or with a last bit of 1 far below what an f32 keeps. */
static inline double nearly(int64_t value)
{
    const uint64_t size =
        value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    const uint64_t kept =
        size >> 53 ? (size >> 11 | ((size & 0x7ff) != 0)) << 11 : size;

    return value < 0 ? -(double)kept : (double)kept;
}

static inline uint16_t f16_of_double(double value)
{
    return lboi_f32_to_f16(rounded_to_odd(value));
}
static inline uint16_t f16_of_integer(int64_t value)
{
    return lboi_f32_to_f16(rounded_to_odd(nearly(value)));
}
static inline uint16_t bf16_of_double(double value)
{
    return lboi_f32_to_bf16(rounded_to_odd(value));
}
static inline uint16_t bf16_of_integer(int64_t value)
{
    return lboi_f32_to_bf16(rounded_to_odd(nearly(value)));
}

#define FROM_truth(x) ((x) != 0)
#define FROM_u8(x) (x)
#define FROM_i8(x) (x)
#define FROM_i32(x) (x)
#define FROM_i64(x) (x)
#define FROM_f16(x) lboi_f16_to_f32(x)
#define FROM_bf16(x) lboi_bf16_to_f32(x)
#define FROM_f32(x) (x)
#define FROM_f64(x) (x)

#define BY_KIND(v, real, integer)                                              \
    _Generic((v), float : real, double : real, default : integer)(v)
#define TO_truth(v) ((uint8_t)((v) != 0))
#define TO_u8(v) BY_KIND(v, u8_of_real, u8_of_integer)
#define TO_i8(v) BY_KIND(v, i8_of_real, i8_of_integer)
#define TO_i32(v) BY_KIND(v, i32_of_real, i32_of_integer)
#define TO_i64(v) BY_KIND(v, lboi_i64_of, i64_of_integer)
#define TO_f16(v)                                                              \
    _Generic((v), float                                                        \
             : lboi_f32_to_f16, double                                         \
             : f16_of_double, default                                          \
             : f16_of_integer)(v)
#define TO_bf16(v)                                                             \
    _Generic((v), float                                                        \
             : lboi_f32_to_bf16, double                                        \
             : bf16_of_double, default                                         \
             : bf16_of_integer)(v)
#define TO_f32(v) ((float)(v))
#define TO_f64(v) ((double)(v))

/* ---- converters ---------------------------------------------------------- */

#define CONVERTER(TO, to_type, FROM, from_type)                                \
    static void TO##_from_##FROM(char *to, int64_t to_step, const char *from,  \
                                 int64_t from_step, int64_t count)             \
    {                                                                          \
        if (to_step == sizeof(to_type) && from_step == sizeof(from_type)) {    \
            to_type *restrict const t = (to_type *)(void *)to;                 \
            const from_type *restrict const f =                                \
                (const from_type *)(const void *)from;                         \
            for (int64_t i = 0; i < count; i++)                                \
                t[i] = TO_##TO(FROM_##FROM(f[i]));                             \
            return;                                                            \
        }                                                                      \
        for (int64_t i = 0; i < count; i++)                                    \
            *(to_type *)(void *)(to + i * to_step) = TO_##TO(FROM_##FROM(      \
                *(const from_type *)(const void *)(from + i * from_step)));    \
    }

#define FROM_ALL(TO, type)                                                     \
    CONVERTER(TO, type, truth, uint8_t)                                        \
    CONVERTER(TO, type, u8, uint8_t)                                           \
    CONVERTER(TO, type, i8, int8_t)                                            \
    CONVERTER(TO, type, i32, int32_t)                                          \
    CONVERTER(TO, type, i64, int64_t)                                          \
    CONVERTER(TO, type, f16, uint16_t)                                         \
    CONVERTER(TO, type, bf16, uint16_t)                                        \
    CONVERTER(TO, type, f32, float)                                            \
    CONVERTER(TO, type, f64, double)

FROM_ALL(truth, uint8_t)
FROM_ALL(u8, uint8_t)
FROM_ALL(i8, int8_t)
FROM_ALL(i32, int32_t)
FROM_ALL(i64, int64_t)
FROM_ALL(f16, uint16_t)
FROM_ALL(bf16, uint16_t)
FROM_ALL(f32, float)
FROM_ALL(f64, double)

/* One type: the bytes. */
#define MOVER(name, type)                                                      \
    static void name(char *to, int64_t to_step, const char *from,              \
                     int64_t from_step, int64_t count)                         \
    {                                                                          \
        if (to_step == sizeof(type) && from_step == sizeof(type)) {            \
            memcpy(to, from, (size_t)count * sizeof(type));                    \
            return;                                                            \
        }                                                                      \
        for (int64_t i = 0; i < count; i++)                                    \
            *(type *)(void *)(to + i * to_step) =                              \
                *(const type *)(const void *)(from + i * from_step);           \
    }

MOVER(move_1, uint8_t)
MOVER(move_2, uint16_t)
MOVER(move_4, int32_t)
MOVER(move_8, int64_t)
MOVER(move_f32, float)
MOVER(move_f64, double)

lboi_convert_fn *lboi_converter(lbo_dtype to, lbo_dtype from)
{
#define ROW(TO)                                                                \
    {                                                                          \
        TO##_from_truth, TO##_from_u8, TO##_from_i8, TO##_from_i32,            \
            TO##_from_i64, TO##_from_f16, TO##_from_bf16, TO##_from_f32,       \
            TO##_from_f64                                                      \
    }
    static lboi_convert_fn *const all[LBO_DTYPE_COUNT][LBO_DTYPE_COUNT] = {
        ROW(truth), ROW(u8),   ROW(i8),  ROW(i32), ROW(i64),
        ROW(f16),   ROW(bf16), ROW(f32), ROW(f64)};
#undef ROW
    static lboi_convert_fn *const same[LBO_DTYPE_COUNT] = {
        move_1, move_1, move_1,   move_4,  move_8,
        move_2, move_2, move_f32, move_f64};

    return to == from ? same[to] : all[to][from];
}

/* ---- plans --------------------------------------------------------------- */

/* Dimensions, those where the result's steps are smallest first; in bytes. */
typedef struct plan {
    uint32_t dims;
    int64_t size[LBO_MAX_DIMS], to[LBO_MAX_DIMS], from[LBO_MAX_DIMS];
} plan;

static int64_t distance(int64_t step)
{
    return step < 0 ? -step : step;
}

static void put_dim(plan *p, uint32_t at, int64_t size, int64_t to,
                    int64_t from)
{
    p->size[at] = size;
    p->to[at] = to;
    p->from[at] = from;
}

/* Sorted in, behind those that step as far: the inner ones come first. */
static void add_dim(plan *p, int64_t size, int64_t to, int64_t from)
{
    uint32_t at = p->dims++;

    while (at > 0 && distance(p->to[at - 1]) > distance(to)) {
        put_dim(p, at, p->size[at - 1], p->to[at - 1], p->from[at - 1]);
        at--;
    }
    put_dim(p, at, size, to, from);
}

static void join_dims(plan *p)
{
    uint32_t kept = 0;

    for (uint32_t i = 1; i < p->dims; i++) {
        const bool joined = p->to[i] == p->to[kept] * p->size[kept] &&
                            p->from[i] == p->from[kept] * p->size[kept];
        if (joined)
            p->size[kept] *= p->size[i];
        else
            put_dim(p, ++kept, p->size[i], p->to[i], p->from[i]);
    }
    p->dims = kept + 1;
}

static void make_plan(plan *p, const lbo_tensor *to, const lbo_tensor *from)
{
    const int64_t to_size = (int64_t)lbo_dtype_size((lbo_dtype)to->dtype);
    const int64_t from_size = (int64_t)lbo_dtype_size((lbo_dtype)from->dtype);

    p->dims = 0;
    for (int i = to->ndim; i-- > 0;)
        if (to->dims[i] != 1)
            add_dim(p, to->dims[i], lbo_strides(to)[i] * to_size,
                    lbo_strides(from)[i] * from_size);
    if (p->dims == 0)
        add_dim(p, 1, to_size, from_size);
    join_dims(p);
}

/* The dimension along which the source lies, brought to the second place.
 * False: it is the first already, or there is no other. */
static bool find_crossing(plan *p)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < p->dims; i++)
        if (distance(p->from[i]) < distance(p->from[best]))
            best = i;
    if (best == 0)
        return false;
    const int64_t size = p->size[best], to = p->to[best], from = p->from[best];
    put_dim(p, best, p->size[1], p->to[1], p->from[1]);
    put_dim(p, 1, size, to, from);
    return true;
}

enum { SIDE = 32 };

static int64_t at_most(int64_t count)
{
    return count < SIDE ? count : SIDE;
}

static void convert_squares(lboi_convert_fn *convert, const plan *p, char *to,
                            const char *from)
{
    for (int64_t row = 0; row < p->size[1]; row += SIDE)
        for (int64_t at = 0; at < p->size[0]; at += SIDE) {
            const int64_t rows = at_most(p->size[1] - row);
            for (int64_t i = row; i < row + rows; i++)
                convert(to + at * p->to[0] + i * p->to[1], p->to[0],
                        from + at * p->from[0] + i * p->from[1], p->from[0],
                        at_most(p->size[0] - at));
        }
}

/* Counts the dimensions from `first` on like an odometer. False at the end. */
static bool advance(const plan *p, uint32_t first, int64_t *index, char **to,
                    const char **from)
{
    for (uint32_t i = first; i < p->dims; i++) {
        *to += p->to[i];
        *from += p->from[i];
        if (++index[i] < p->size[i])
            return true;
        *to -= p->to[i] * p->size[i];
        *from -= p->from[i] * p->size[i];
        index[i] = 0;
    }
    return false;
}

void lboi_convert_host(lbo_tensor *to, lbo_tensor *from)
{
    lboi_convert_fn *const convert =
        lboi_converter((lbo_dtype)to->dtype, (lbo_dtype)from->dtype);
    int64_t index[LBO_MAX_DIMS] = {0};
    char *to_at = to->data;
    const char *from_at = from->data;
    plan p;

    if (to->size == 0 || to_at == from_at)
        return;
    make_plan(&p, to, from);
    const bool squares = find_crossing(&p);
    do {
        if (squares)
            convert_squares(convert, &p, to_at, from_at);
        else
            convert(to_at, p.to[0], from_at, p.from[0], p.size[0]);
    } while (advance(&p, squares ? 2 : 1, index, &to_at, &from_at));
}

/* ---- one number for all -------------------------------------------------- */

enum { BLOCK = 4096 };

/* A run of equal elements: by whole blocks where they lie together. */
typedef struct pattern {
    size_t size;  /* of an element */
    size_t bytes; /* of the block that is filled so far */
    char block[BLOCK];
} pattern;

static void fill_packed(pattern *p, char *to, size_t bytes)
{
    while (p->bytes < bytes && p->bytes < BLOCK) {
        memcpy(p->block + p->bytes, p->block, p->bytes);
        p->bytes *= 2;
    }
    for (size_t done = 0; done < bytes; done += p->bytes)
        memcpy(to + done, p->block,
               bytes - done < p->bytes ? bytes - done : p->bytes);
}

void lboi_fill_host(lbo_tensor *to, const void *element)
{
    const size_t size = lbo_dtype_size((lbo_dtype)to->dtype);
    pattern p = {.size = size, .bytes = size};
    lbo_walk walk;

    memcpy(p.block, element, size);
    lbo_walk_init(&walk, to->ndim, lbo_shape(to), 1, &to);
    do {
        if (walk.step[0] == (int64_t)size)
            fill_packed(&p, walk.at[0], (size_t)walk.count * size);
        else
            for (int64_t i = 0; i < walk.count; i++)
                memcpy(walk.at[0] + i * walk.step[0], p.block, size);
    } while (lbo_walk_next(&walk));
}
