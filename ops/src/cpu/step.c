/* step.c - one step of an optimizer, each element read and written once.
 *
 * SGD: I. Sutskever et al., "On the importance of initialization and momentum in
 * deep learning", 2013, in the form v = mu v + g. Adam: D. Kingma, J. Ba, 2015;
 * decoupled decay: I. Loshchilov, F. Hutter, 2019.
 */
#include "cpu/tables.h"
#include "latebind/ops/kernel.h"

#include <math.h>

typedef struct adam {
    double rate;    /* with the correction of the first moment */
    double divisor; /* sqrt of the correction of the second */
    double beta1, beta2, epsilon;
    double keep;  /* of the parameter: decoupled decay */
    double decay; /* into the gradient */
} adam;

static adam adam_factors(const lbo_adam_attributes *by)
{
    const double step = (double)by->step;

    return (adam){.rate = by->rate / (1 - pow(by->beta1, step)),
                  .divisor = sqrt(1 - pow(by->beta2, step)),
                  .beta1 = by->beta1,
                  .beta2 = by->beta2,
                  .epsilon = by->epsilon,
                  .keep = by->decoupled ? 1 - by->rate * by->decay : 1,
                  .decay = by->decoupled ? 0 : by->decay};
}

#define TYPE float
#define NAME(name) name##_f32
#define SQRT sqrtf
#include "cpu/step_type.h"

#define TYPE double
#define NAME(name) name##_f64
#define SQRT sqrt
#include "cpu/step_type.h"

LB_METHOD(lbo_unary, sgd_step);
LB_METHOD(lbo_unary, adam_step);

/* Without a velocity the parameter stands in its place, and is not used. */
static lb_status sgd_step(lb_slot slot, lbo_context *context, lbo_tensor *a,
                          lbo_call *call)
{
    const bool moving = call->in[2] != NULL;
    lbo_tensor *const all[] = {a, call->in[1], moving ? call->in[2] : a,
                               call->out[0],
                               moving ? call->out[1] : call->out[0]};
    lbo_walk walk;

    LB_IGNORE(slot);
    (void)context;
    lbo_walk_init(&walk, a->ndim, lbo_shape(a), 5, all);
    if (walk.count > 0)
        do
            if (a->dtype == LBO_F32)
                sgd_run_f32(&walk, call->attributes, moving);
            else
                sgd_run_f64(&walk, call->attributes, moving);
        while (lbo_walk_next(&walk));
    return LB_OK;
}

static lb_status adam_step(lb_slot slot, lbo_context *context, lbo_tensor *a,
                           lbo_call *call)
{
    const adam by = adam_factors(call->attributes);
    lbo_tensor *const all[] = {a,           call->in[1],  call->in[2],
                               call->in[3], call->out[0], call->out[1],
                               call->out[2]};
    lbo_walk walk;

    LB_IGNORE(slot);
    (void)context;
    lbo_walk_init(&walk, a->ndim, lbo_shape(a), 7, all);
    if (walk.count > 0)
        do
            if (a->dtype == LBO_F32)
                adam_run_f32(&walk, &by);
            else
                adam_run_f64(&walk, &by);
        while (lbo_walk_next(&walk));
    return LB_OK;
}

#define KERNEL(op, type)                                                       \
    {                                                                          \
#op, LB_DESCRIPTOR(op), type, LBO_ANY_DTYPE, NULL                      \
    }

static const lbo_kernel kernels[] = {
    KERNEL(sgd_step, LBO_F32),
    KERNEL(sgd_step, LBO_F64),
    KERNEL(adam_step, LBO_F32),
    KERNEL(adam_step, LBO_F64),
};

const lboi_table lboi_cpu_step = {kernels, sizeof kernels / sizeof *kernels};
