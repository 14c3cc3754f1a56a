/* step.c - one step of an optimizer for one parameter, in place.
 *
 * The results given are the inputs themselves: the kernel reads and writes each
 * element once. Without momentum sgd_step's second result is empty.
 */
#include "operators/window.h"

#define SGD(member) offsetof(lbo_sgd_attributes, member)
static const lbo_attribute sgd_attributes[] = {
    {"rate", LBO_ATTRIBUTE_REAL, SGD(rate)},
    {"momentum", LBO_ATTRIBUTE_REAL, SGD(momentum)},
    {"decay", LBO_ATTRIBUTE_REAL, SGD(decay)},
    {"nesterov", LBO_ATTRIBUTE_FLAG, SGD(nesterov)},
};

#define ADAM(member) offsetof(lbo_adam_attributes, member)
static const lbo_attribute adam_attributes[] = {
    {"rate", LBO_ATTRIBUTE_REAL, ADAM(rate)},
    {"beta1", LBO_ATTRIBUTE_REAL, ADAM(beta1)},
    {"beta2", LBO_ATTRIBUTE_REAL, ADAM(beta2)},
    {"epsilon", LBO_ATTRIBUTE_REAL, ADAM(epsilon)},
    {"decay", LBO_ATTRIBUTE_REAL, ADAM(decay)},
    {"decoupled", LBO_ATTRIBUTE_FLAG, ADAM(decoupled)},
    {"step", LBO_ATTRIBUTE_INTEGER, ADAM(step)},
};

/* All inputs that are there are like the first, the parameter. */
static lb_status check_alike(const lbo_call *call, const char *const *names)
{
    const lbo_tensor *const parameter = call->in[0];
    lb_status status = lboi_want_floating(parameter, names[0]);

    for (uint32_t i = 1; i < call->in_count && status == LB_OK; i++) {
        const lbo_tensor *const in = call->in[i];
        if (in == NULL)
            continue;
        status = lboi_want_type(in, names[i], parameter->dtype, "parameter");
        if (status == LB_OK)
            status = lboi_want_shape(in, names[i], parameter->ndim,
                                     parameter->dims, "parameter");
    }
    return status;
}

static lb_status infer_sgd_step(const lbo_call *call, lbo_spec *out)
{
    static const char *const names[] = {"parameter", "gradient", "velocity"};
    static const int64_t nothing[] = {0};
    const lbo_sgd_attributes *const by = call->attributes;

    if (call->in[2] == NULL && by->momentum != 0)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "momentum is %g but velocity is NULL; a tensor like "
                        "parameter is wanted",
                        by->momentum);
    lboi_spec_like(&out[0], call->in[0]);
    if (call->in[2] != NULL)
        lboi_spec_like(&out[1], call->in[0]);
    else
        lboi_spec_set(&out[1], call->in[0]->dtype, 1, nothing);
    return check_alike(call, names);
}

static lb_status infer_adam_step(const lbo_call *call, lbo_spec *out)
{
    static const char *const names[] = {"parameter", "gradient", "first",
                                        "second"};
    const lbo_adam_attributes *const by = call->attributes;

    if (by->step < 1)
        return lbo_fail(LB_BAD_ARGUMENT, "step is %lld; steps count from 1",
                        (long long)by->step);
    for (int i = 0; i < 3; i++)
        lboi_spec_like(&out[i], call->in[0]);
    return check_alike(call, names);
}

const lbo_operator_spec lboi_spec_sgd_step = {
    .name = "sgd_step",
    .dispatched = 1,
    .in_count = 3,
    .optional = 1,
    .out_count = 2,
    .flags = LBO_ELEMENTWISE,
    .attribute_size = sizeof(lbo_sgd_attributes),
    .attributes = sgd_attributes,
    .attribute_count = 4,
    .infer = infer_sgd_step,
    .in_names = "parameter gradient velocity",
    .summary = "stochastic gradient descent: the new parameter and velocity",
};

const lbo_operator_spec lboi_spec_adam_step = {
    .name = "adam_step",
    .dispatched = 1,
    .in_count = 4,
    .out_count = 3,
    .flags = LBO_ELEMENTWISE,
    .attribute_size = sizeof(lbo_adam_attributes),
    .attributes = adam_attributes,
    .attribute_count = 7,
    .infer = infer_adam_step,
    .in_names = "parameter gradient first second",
    .summary = "Adam: the new parameter and moments",
};

lb_status lbo_sgd_step(lbo_context *context, lbo_tensor *parameter,
                       lbo_tensor *gradient, lbo_tensor *velocity,
                       const lbo_sgd_attributes *attributes)
{
    lbo_tensor *out[] = {parameter, velocity};
    const lb_status status = lboi_run_many(
        context, LBOI_OP_sgd_step, out, 2,
        (lbo_tensor *[]){parameter, gradient, velocity}, 3, attributes);

    if (status == LB_OK && velocity == NULL)
        lbo_tensor_release(out[1]);
    return status;
}

lb_status lbo_adam_step(lbo_context *context, lbo_tensor *parameter,
                        lbo_tensor *gradient, lbo_tensor *first,
                        lbo_tensor *second,
                        const lbo_adam_attributes *attributes)
{
    return lboi_run_many(
        context, LBOI_OP_adam_step, (lbo_tensor *[]){parameter, first, second},
        3, (lbo_tensor *[]){parameter, gradient, first, second}, 4, attributes);
}
