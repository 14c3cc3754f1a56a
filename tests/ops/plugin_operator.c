/* A plug-in for test_plugins.c: an operator with a kernel and a gradient, another
 * kernel for an operator of the library, and a layer. */
#include "latebind/ops.h"

#include <string.h>

LB_METHOD(lbo_unary, twice_f32);
LB_METHOD(lbo_unary, neg_zero);

static lb_status infer(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const x = call->in[0];

    out->dtype = x->dtype;
    out->ndim = x->ndim;
    memcpy(out->shape, lbo_shape(x), x->ndim * sizeof(int64_t));
    return LB_OK;
}

static lb_status twice_f32(lb_slot slot, lbo_context *context, lbo_tensor *x,
                           lbo_call *call)
{
    LB_IGNORE(slot);
    return lbo_add(context, call->out, x, x);
}

/* Wrong on purpose, so that it is seen. */
static lb_status neg_zero(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *call)
{
    LB_IGNORE(slot);
    (void)x;
    return lbo_fill(context, call->out[0], 0);
}

static lb_status gradient(lbo_context *context, const lbo_saved *saved,
                          lbo_tensor *const *out, lbo_tensor **in)
{
    (void)saved;
    return lbo_add(context, &in[0], out[0], out[0]);
}

static lb_status pass(lbo_layer *layer, lbo_context *context, lbo_call *call,
                      const lbo_rest *rest)
{
    (void)layer;
    return lbo_next(context, call, rest);
}

static lb_status load(lb_runtime *runtime, lb_group *group, void **data)
{
    lbo_library *const library = lbo_library_of(runtime);
    const lbo_operator_spec spec = {.name = "twice",
                                    .dispatched = 1,
                                    .in_count = 1,
                                    .out_count = 1,
                                    .infer = infer,
                                    .gradient = gradient};
    const lbo_kernel kernels[] = {
        {"twice", LB_DESCRIPTOR(twice_f32), LBO_F32, LBO_ANY_DTYPE, NULL},
        {"neg", LB_DESCRIPTOR(neg_zero), LBO_F32, LBO_ANY_DTYPE, NULL}};
    const lbo_operator *op;
    lbo_layer *layer;
    lbo_device *cpu;
    lb_status status = lbo_operator_create(library, &spec, &op);

    if (status == LB_OK)
        status = lbo_layer_create(
            library, &(lbo_layer_spec){.name = "passing", .handler = pass},
            &layer);
    if (status == LB_OK)
        status = lbo_device_find(library, "cpu", &cpu);
    if (status == LB_OK)
        status = lbo_register_kernels(library, group, cpu, kernels, 2);
    if (status == LB_OK)
        *data = layer;
    return status;
}

LB_PLUGIN("operator", load, NULL);
