/* maps.c - exponentials and what is made of them, element by element.
 *
 * Where all lies together it is one loop; else a walk, whose runs are gathered
 * into a buffer unless they lie together themselves.
 */
#include "cpu_fast.h"

#include <stddef.h>
#include <string.h>

enum { CHUNK = 256 }; /* elements of a buffer */

/* Elements `step` bytes apart to `to`, or the other way round. */
static void gather(const char *from, int64_t step, int64_t n, size_t size,
                   void *to)
{
    if (size == 4)
        for (int64_t i = 0; i < n; i++)
            memcpy((char *)to + i * 4, from + i * step, 4);
    else
        for (int64_t i = 0; i < n; i++)
            memcpy((char *)to + i * 8, from + i * step, 8);
}

static void scatter(const void *from, int64_t n, size_t size, char *to,
                    int64_t step)
{
    if (size == 4)
        for (int64_t i = 0; i < n; i++)
            memcpy(to + i * step, (const char *)from + i * 4, 4);
    else
        for (int64_t i = 0; i < n; i++)
            memcpy(to + i * step, (const char *)from + i * 8, 8);
}

/* One run: operands 0 (and 1) to operand `last`. */
static void run_map(const lbo_walk *w, size_t size, fast_map one, fast_map2 two)
{
    const uint32_t last = w->operands - 1;
    double in[2][CHUNK], out[CHUNK];

    for (int64_t i = 0; i < w->count; i += CHUNK) {
        const int64_t n = w->count - i < CHUNK ? w->count - i : CHUNK;
        for (uint32_t k = 0; k < last; k++)
            gather(w->at[k] + i * w->step[k], w->step[k], n, size, in[k]);
        if (last == 1)
            one(n, in[0], out);
        else
            two(n, in[0], in[1], out);
        scatter(out, n, size, w->at[last] + i * w->step[last], w->step[last]);
    }
}

static bool lies_together(const lbo_walk *w, size_t size)
{
    for (uint32_t k = 0; k < w->operands; k++)
        if (w->step[k] != (int64_t)size)
            return false;
    return true;
}

static void walk_map(const lbo_tensor *out, lbo_tensor *const *all,
                     size_t count, fast_map one, fast_map2 two)
{
    const size_t size = lbo_dtype_size((lbo_dtype)out->dtype);
    lbo_walk w;

    lbo_walk_init(&w, out->ndim, lbo_shape(out), count, all);
    if (w.count == 0)
        return;
    do
        if (!lies_together(&w, size))
            run_map(&w, size, one, two);
        else if (count == 2)
            one(w.count, w.at[0], w.at[1]);
        else
            two(w.count, w.at[0], w.at[1], w.at[2]);
    while (lbo_walk_next(&w));
}

static lb_status apply(const lbo_call *call, lbo_tensor *a, fast_map loop)
{
    lbo_tensor *const out = call->out[0], *const all[] = {a, out};

    if (lbo_is_contiguous(a) && lbo_is_contiguous(out))
        loop(out->size, a->data, out->data);
    else
        walk_map(out, all, 2, loop, NULL);
    return LB_OK;
}

static lb_status apply2(const lbo_call *call, lbo_tensor *a, lbo_tensor *b,
                        fast_map2 loop)
{
    lbo_tensor *const out = call->out[0], *const all[] = {a, b, out};

    if (lbo_is_contiguous(a) && lbo_is_contiguous(b) &&
        lbo_is_contiguous(out) && a->size == out->size && b->size == out->size)
        loop(out->size, a->data, b->data, out->data);
    else
        walk_map(out, all, 3, NULL, loop);
    return LB_OK;
}

/* ---- methods: the rule's context says which loop ------------------------------- */

LB_METHOD(lbo_unary, map_sleef);
LB_METHOD(lbo_unary, gelu_sleef);
LB_METHOD(lbo_binary, map2_sleef);
LB_METHOD(lbo_binary, pow_sleef);
LB_METHOD(lbo_binary, gelu_backward_sleef);

/* Where in fast_loops the loop is. */
static const size_t exp_at = offsetof(fast_loops, exp);
static const size_t log_at = offsetof(fast_loops, log);
static const size_t tanh_at = offsetof(fast_loops, tanh);
static const size_t sigmoid_at = offsetof(fast_loops, sigmoid);
static const size_t silu_at = offsetof(fast_loops, silu);

static lb_status map_sleef(lb_slot slot, lbo_context *context, lbo_tensor *a,
                           lbo_call *call)
{
    LB_SELF(lbo_unary, map_sleef, slot, context, a, call);
    fast_map loop;

    memcpy(&loop,
           (const char *)fast_loops_of(a->dtype) +
               *(const size_t *)self->context,
           sizeof loop);
    return apply(call, a, loop);
}

static lb_status gelu_sleef(lb_slot slot, lbo_context *context, lbo_tensor *a,
                            lbo_call *call)
{
    const lbo_gelu_attributes *const by = call->attributes;
    const fast_loops *const loops = fast_loops_of(a->dtype);

    LB_IGNORE(slot);
    (void)context;
    return apply(call, a, by->approximate ? loops->gelu_tanh : loops->gelu);
}

static lb_status map2_sleef(lb_slot slot, lbo_context *context, lbo_tensor *a,
                            lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    return apply2(call, a, b, fast_loops_of(a->dtype)->silu_backward);
}

/* Squares, and other powers by one small whole number, are not SLEEF's. */
static lb_status pow_sleef(lb_slot slot, lbo_context *context, lbo_tensor *a,
                           lbo_tensor *b, lbo_call *call)
{
    LB_SELF(lbo_binary, pow_sleef, slot, context, a, b, call);

    if (b->size == 1 && a->size != 1)
        return lb_next_lbo_binary(self, context, a, b, call);
    return apply2(call, a, b, fast_loops_of(a->dtype)->pow);
}

static lb_status gelu_backward_sleef(lb_slot slot, lbo_context *context,
                                     lbo_tensor *a, lbo_tensor *b,
                                     lbo_call *call)
{
    const lbo_gelu_attributes *const by = call->attributes;
    const fast_loops *const loops = fast_loops_of(a->dtype);

    LB_IGNORE(slot);
    (void)context;
    return apply2(call, a, b,
                  by->approximate ? loops->gelu_tanh_backward
                                  : loops->gelu_backward);
}

#define KERNEL(op, method, type, at)                                           \
    {                                                                          \
#op, LB_DESCRIPTOR(method), type, type, (void *)(uintptr_t)(at)        \
    }
#define BOTH(op, method, at)                                                   \
    KERNEL(op, method, LBO_F32, at), KERNEL(op, method, LBO_F64, at)

static const lbo_kernel kernels[] = {
    BOTH(exp, map_sleef, &exp_at),
    BOTH(log, map_sleef, &log_at),
    BOTH(tanh, map_sleef, &tanh_at),
    BOTH(sigmoid, map_sleef, &sigmoid_at),
    BOTH(silu, map_sleef, &silu_at),
    BOTH(gelu, gelu_sleef, NULL),
    BOTH(pow, pow_sleef, NULL),
    BOTH(silu_backward, map2_sleef, NULL),
    BOTH(gelu_backward, gelu_backward_sleef, NULL),
};

const fast_table fast_maps = {kernels, sizeof kernels / sizeof *kernels};
