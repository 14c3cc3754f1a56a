/* latebind/ops/optimizer.h - changing parameters by their gradients.
 *
 * An optimizer is an object of a class below `optimizer`; "step" is a generic
 * function, so that one may wrap another: e.g. one that first averages the
 * gradients of several processes.
 */
#ifndef LATEBIND_OPS_OPTIMIZER_H
#define LATEBIND_OPS_OPTIMIZER_H

#include "latebind/ops/module.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lbo_optimizer {
    lb_header head;
    lbo_library *library;
    lb_class *cls;
    double rate;             /* of learning; schedules set it */
    int64_t steps;           /* done so far */
    lbo_tensor **parameters; /* kept */
    char **paths;
    size_t count;
    lbo_tensor **state; /* `state_each` per parameter, e.g. momenta; kept, NULL
                           until a step makes them; saved in checkpoints */
    size_t state_each;
} lbo_optimizer;

/* The heads of these are exported. */
#pragma GCC visibility push(default)

/* One step by the gradients that are there; parameters without are left. */
LB_GENERIC(lb_status, lbo_on_step, (ON, lbo_optimizer *, optimizer),
           (WITH, lbo_context *, context));
/* Gives back what is the class's own. */
LB_GENERIC_VOID(lbo_on_optimizer_free, (ON, lbo_optimizer *, optimizer));

#pragma GCC visibility pop

/* The class of that name ("optimizer", "sgd", "adam"), or NULL. */
LB_PUBLIC lb_class *lbo_optimizer_class(lbo_library *library, const char *name);

/* An instance of a class below `optimizer` for all parameters of a module. */
LB_PUBLIC lb_status lbo_optimizer_create(lb_class *cls, lbo_module *module,
                                         double rate, lbo_optimizer **result);
LB_PUBLIC void lbo_optimizer_destroy(lbo_optimizer *optimizer);

/* As PyTorch's SGD and Adam (decoupled: AdamW). */
LB_PUBLIC lb_status lbo_sgd(lbo_module *module, double rate, double momentum,
                            double decay, bool nesterov,
                            lbo_optimizer **result);
LB_PUBLIC lb_status lbo_adam(lbo_module *module, double rate, double beta1,
                             double beta2, double epsilon, double decay,
                             bool decoupled, lbo_optimizer **result);

/* One step, by the optimizer's class. */
LB_PUBLIC lb_status lbo_step(lbo_context *context, lbo_optimizer *optimizer);
/* Drops all gradients. */
LB_PUBLIC void lbo_zero_gradients(lbo_optimizer *optimizer);
/* Scales all gradients so that their common 2-norm is at most `norm`; gives the
 * norm they had (NULL: not wanted). */
LB_PUBLIC lb_status lbo_clip_gradients(lbo_context *context,
                                       lbo_optimizer *optimizer, double norm,
                                       double *before);

/* Sets how many tensors of state each parameter has; what there was is dropped.
 * For classes of one's own. */
LB_PUBLIC lb_status lbo_optimizer_set_state(lbo_optimizer *optimizer,
                                            size_t each);
/* State number `index` of a parameter (borrowed), made as zeros like it where
 * there is none yet. */
LB_PUBLIC lb_status lbo_optimizer_state(lbo_context *context,
                                        lbo_optimizer *optimizer,
                                        size_t parameter, size_t index,
                                        lbo_tensor **result);

/* Rates over steps: `base` times a factor. Pure. step from 0. Over the first
 * `warmup` steps the rate grows evenly; `period` counts from there. */
typedef enum lbo_schedule {
    LBO_CONSTANT = 0,
    LBO_STEPWISE = 1, /* times `factor` after every `period` steps      */
    LBO_COSINE = 2,   /* down to `factor` at `period`, then stays       */
    LBO_LINEAR = 3    /* down to `factor` at `period`, then stays       */
} lbo_schedule;
LB_PUBLIC double lbo_rate_at(lbo_schedule schedule, double base, int64_t step,
                             int64_t warmup, int64_t period, double factor);

#ifdef __cplusplus
}
#endif
#endif
