/* steps.c - steps of optimizers over what lies together and is changed in place;
 * all else is the next method's.
 */
#include "cpu_fast.h"

#include <math.h>

/* Input `in` becomes result `out` in place, element after element. */
static bool in_place(const lbo_call *call, uint32_t in, uint32_t out)
{
    return call->in[in]->data == call->out[out]->data &&
           lbo_is_contiguous(call->in[in]) && lbo_is_contiguous(call->out[out]);
}

/* What is only read; not what is written at the same time. */
static bool is_apart(const lbo_call *call, uint32_t in)
{
    for (uint32_t i = 0; i < call->out_count; i++)
        if (call->in[in]->data == call->out[i]->data)
            return false;
    return lbo_is_contiguous(call->in[in]);
}

LB_METHOD(lbo_unary, sgd_step_vectors);
LB_METHOD(lbo_unary, adam_step_vectors);

static lb_status sgd_step_vectors(lb_slot slot, lbo_context *context,
                                  lbo_tensor *a, lbo_call *call)
{
    LB_SELF(lbo_unary, sgd_step_vectors, slot, context, a, call);
    lbo_tensor *const velocity = call->in[2];

    if (!in_place(call, 0, 0) || !is_apart(call, 1) ||
        (velocity != NULL &&
         (!in_place(call, 2, 1) || velocity->data == a->data)))
        return lb_next_lbo_unary(self, context, a, call);
    fast_loops_of(a->dtype)->sgd(a->size, call->attributes, a->data,
                                 call->in[1]->data,
                                 velocity != NULL ? velocity->data : NULL);
    return LB_OK;
}

static fast_adam factors(const lbo_adam_attributes *by)
{
    const double step = (double)by->step;

    return (fast_adam){.rate = by->rate / (1 - pow(by->beta1, step)),
                       .divisor = sqrt(1 - pow(by->beta2, step)),
                       .beta1 = by->beta1,
                       .beta2 = by->beta2,
                       .epsilon = by->epsilon,
                       .keep = by->decoupled ? 1 - by->rate * by->decay : 1,
                       .decay = by->decoupled ? 0 : by->decay};
}

static lb_status adam_step_vectors(lb_slot slot, lbo_context *context,
                                   lbo_tensor *a, lbo_call *call)
{
    LB_SELF(lbo_unary, adam_step_vectors, slot, context, a, call);
    void *const first = call->in[2]->data, *const second = call->in[3]->data;

    if (!in_place(call, 0, 0) || !in_place(call, 2, 1) ||
        !in_place(call, 3, 2) || !is_apart(call, 1) || first == a->data ||
        second == a->data || first == second)
        return lb_next_lbo_unary(self, context, a, call);
    const fast_adam by = factors(call->attributes);
    fast_loops_of(a->dtype)->adam(a->size, &by, a->data, call->in[1]->data,
                                  first, second);
    return LB_OK;
}

#define KERNEL(op, type)                                                       \
    {                                                                          \
#op, LB_DESCRIPTOR(op##_vectors), type, LBO_ANY_DTYPE, NULL            \
    }

static const lbo_kernel kernels[] = {
    KERNEL(sgd_step, LBO_F32),
    KERNEL(sgd_step, LBO_F64),
    KERNEL(adam_step, LBO_F32),
    KERNEL(adam_step, LBO_F64),
};

const fast_table fast_steps = {kernels, sizeof kernels / sizeof *kernels};
