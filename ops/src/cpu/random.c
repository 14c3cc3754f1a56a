/* random.c - random numbers by counting: Philox 4x32-10.
 *
 * Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3",
 * SC 2011. A block of four words is a function of a counter and a key, so that
 * element i of a tensor is what it is wherever and in whatever order it is
 * computed:
 *   1. element i takes word i % 4 of block offset + i / 4, the key is the seed
 *   2. each of ten rounds multiplies two words by constants, exchanges halves
 *      and adds (xor) the key, which grows by constants
 *   3. words become numbers as functions.h says, in f32, in chunks, which are
 *      converted into the type and strides of the tensor
 */
#include "cpu/tables.h"
#include "latebind/ops/kernel.h"
#include "tensor/convert.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 256, ROUNDS = 10, LANES = 8 };

/* One word of as many blocks as a vector may hold. */
typedef struct lanes {
    uint32_t at[LANES];
} lanes;

static void philox_round(lanes *a, lanes *b, lanes *c, lanes *d, uint32_t low,
                         uint32_t high)
{
    for (int i = 0; i < LANES; i++) {
        const uint64_t first = (uint64_t)0xd2511f53 * a->at[i];
        const uint64_t second = (uint64_t)0xcd9e8d57 * c->at[i];
        a->at[i] = (uint32_t)(second >> 32) ^ b->at[i] ^ low;
        b->at[i] = (uint32_t)second;
        c->at[i] = (uint32_t)(first >> 32) ^ d->at[i] ^ high;
        d->at[i] = (uint32_t)first;
    }
}

/* LANES blocks from `counter` on. */
static void philox(uint64_t counter, uint64_t key, uint32_t *words)
{
    uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
    lanes a, b, c = {{0}}, d = {{0}};

    for (int i = 0; i < LANES; i++) {
        a.at[i] = (uint32_t)(counter + (uint64_t)i);
        b.at[i] = (uint32_t)((counter + (uint64_t)i) >> 32);
    }
    for (int i = 0; i < ROUNDS; i++) {
        philox_round(&a, &b, &c, &d, low, high);
        low += 0x9e3779b9;
        high += 0xbb67ae85;
    }
    for (int i = 0; i < LANES; i++) {
        words[4 * i] = a.at[i];
        words[4 * i + 1] = b.at[i];
        words[4 * i + 2] = c.at[i];
        words[4 * i + 3] = d.at[i];
    }
}

/* ---- words become numbers ------------------------------------------------ */

typedef struct source {
    uint64_t seed, offset;
    float a, b; /* uniform: low, high; normal: mean, deviation */
    void (*number)(const struct source *source, const uint32_t *words,
                   float *numbers, int64_t count); /* a multiple of 4 */
} source;

/* Sums that round up to `high` stay below it. */
static void uniform_numbers(const source *s, const uint32_t *words,
                            float *numbers, int64_t count)
{
    const float span = s->b - s->a;
    const float last = s->a < s->b ? nextafterf(s->b, s->a) : s->b;

    for (int64_t i = 0; i < count; i++) {
        const float share = (float)(words[i] >> 8) * 0x1p-24f;
        const float number = s->a + span * share;
        numbers[i] = s->a < s->b && number > last ? last : number;
    }
}

static void normal_numbers(const source *s, const uint32_t *words,
                           float *numbers, int64_t count)
{
    for (int64_t i = 0; i < count; i += 2) {
        const float first = (float)((words[i] >> 8) + 1) * 0x1p-24f;
        const float second = (float)(words[i + 1] >> 8) * 0x1p-24f;
        const float radius = sqrtf(-2.0f * logf(first));
        const float angle = 6.283185307179586f * second;
        numbers[i] = s->a + s->b * (radius * cosf(angle));
        numbers[i + 1] = s->a + s->b * (radius * sinf(angle));
    }
}

/* At most CHUNK numbers from element `first` on: gives how many there are now;
 * the first of them is numbers[first % 4]. */
static int64_t make_numbers(const source *s, int64_t first, int64_t count,
                            float *numbers)
{
    const int64_t skip = first % 4;
    const int64_t made = count < CHUNK - skip ? count : CHUNK - skip;
    const int64_t blocks = (skip + made + 3) / 4;
    uint32_t words[CHUNK];

    for (int64_t i = 0; i < blocks; i += LANES)
        philox(s->offset + (uint64_t)(first / 4 + i), s->seed, words + 4 * i);
    s->number(s, words, numbers, 4 * blocks);
    return made;
}

/* ---- uniform and normal -------------------------------------------------- */

static void write_numbers(const source *s, lbo_tensor *out)
{
    lboi_convert_fn *const convert =
        lboi_converter((lbo_dtype)out->dtype, LBO_F32);
    float numbers[CHUNK];
    int64_t first = 0;
    lbo_walk walk;

    lbo_walk_init(&walk, out->ndim, lbo_shape(out), 1, &out);
    do {
        for (int64_t done = 0, made; done < walk.count; done += made) {
            made = make_numbers(s, first, walk.count - done, numbers);
            convert(walk.at[0] + done * walk.step[0], walk.step[0],
                    (const char *)(numbers + first % 4), sizeof *numbers, made);
            first += made;
        }
    } while (lbo_walk_next(&walk));
}

LB_METHOD(lbo_unary, cpu_uniform);
static lb_status cpu_uniform(lb_slot slot, lbo_context *context,
                             lbo_tensor *out, lbo_call *call)
{
    const lbo_random_attributes *const attributes = call->attributes;
    const source s = {attributes->seed, attributes->offset,
                      (float)attributes->a, (float)attributes->b,
                      uniform_numbers};

    LB_IGNORE(slot);
    (void)context;
    write_numbers(&s, out);
    return LB_OK;
}

LB_METHOD(lbo_unary, cpu_normal);
static lb_status cpu_normal(lb_slot slot, lbo_context *context, lbo_tensor *out,
                            lbo_call *call)
{
    const lbo_random_attributes *const attributes = call->attributes;
    const source s = {attributes->seed, attributes->offset,
                      (float)attributes->a, (float)attributes->b,
                      normal_numbers};

    LB_IGNORE(slot);
    (void)context;
    write_numbers(&s, out);
    return LB_OK;
}

/* ---- dropout ------------------------------------------------------------- */

typedef struct dropper {
    source numbers;
    double p;
    lboi_convert_fn *load, *store, *store_mask;
    bool wide; /* f64; all others are computed in f32 */
} dropper;

/* Both read and write `x` in place. */
static void drop_f32(const dropper *d, const float *shares, float *x,
                     uint8_t *mask, int64_t count)
{
    const float p = (float)d->p, scale = (float)(1 / (1 - d->p));

    for (int64_t i = 0; i < count; i++) {
        mask[i] = shares[i] >= p;
        x[i] = mask[i] ? x[i] * scale : 0;
    }
}

static void drop_f64(const dropper *d, const float *shares, double *x,
                     uint8_t *mask, int64_t count)
{
    const float p = (float)d->p;
    const double scale = 1 / (1 - d->p);

    for (int64_t i = 0; i < count; i++) {
        mask[i] = shares[i] >= p;
        x[i] = mask[i] ? x[i] * scale : 0;
    }
}

static void drop_chunk(const dropper *d, const lbo_walk *walk, int64_t at,
                       const float *shares, int64_t count)
{
    const int64_t size = d->wide ? sizeof(double) : sizeof(float);
    double wide[CHUNK];
    float narrow[CHUNK];
    uint8_t mask[CHUNK];
    char *const x = d->wide ? (char *)wide : (char *)narrow;

    d->load(x, size, walk->at[0] + at * walk->step[0], walk->step[0], count);
    if (d->wide)
        drop_f64(d, shares, wide, mask, count);
    else
        drop_f32(d, shares, narrow, mask, count);
    d->store(walk->at[1] + at * walk->step[1], walk->step[1], x, size, count);
    d->store_mask(walk->at[2] + at * walk->step[2], walk->step[2],
                  (const char *)mask, 1, count);
}

LB_METHOD(lbo_unary, cpu_dropout);
static lb_status cpu_dropout(lb_slot slot, lbo_context *context, lbo_tensor *x,
                             lbo_call *call)
{
    const lbo_dropout_attributes *const attributes = call->attributes;
    const lbo_dtype dtype = (lbo_dtype)x->dtype;
    const lbo_dtype compute = dtype == LBO_F64 ? LBO_F64 : LBO_F32;
    const dropper d = {
        {attributes->seed, attributes->offset, 0, 1, uniform_numbers},
        attributes->p,
        lboi_converter(compute, dtype),
        lboi_converter(dtype, compute),
        lboi_converter(LBO_BOOL, LBO_BOOL),
        dtype == LBO_F64};
    lbo_tensor *const operands[] = {x, call->out[0], call->out[1]};
    float shares[CHUNK];
    int64_t first = 0;
    lbo_walk walk;

    LB_IGNORE(slot);
    (void)context;
    lbo_walk_init(&walk, x->ndim, lbo_shape(x), 3, operands);
    do {
        for (int64_t at = 0, made; at < walk.count; at += made) {
            made = make_numbers(&d.numbers, first, walk.count - at, shares);
            drop_chunk(&d, &walk, at, shares + first % 4, made);
            first += made;
        }
    } while (lbo_walk_next(&walk));
    return LB_OK;
}

static const lbo_kernel kernels[] = {
    {"uniform", LB_DESCRIPTOR(cpu_uniform), LBO_ANY_DTYPE, LBO_ANY_DTYPE, NULL},
    {"normal", LB_DESCRIPTOR(cpu_normal), LBO_ANY_DTYPE, LBO_ANY_DTYPE, NULL},
    {"dropout", LB_DESCRIPTOR(cpu_dropout), LBO_ANY_DTYPE, LBO_ANY_DTYPE, NULL},
};

const lboi_table lboi_cpu_random = {kernels, sizeof kernels / sizeof *kernels};
