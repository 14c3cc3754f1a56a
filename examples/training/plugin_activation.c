/* plugin_activation.c - an activation that the library does not know.
 *
 * Compiled separately, it brings the operator "mish" (Misra 2019),
 *     mish(x)  = x t,                t = tanh(log(1 + e^x))
 *     mish'(x) = t + x s (1 - t^2),  s = 1 / (1 + e^-x)
 * with kernels for f32 on the CPU, and its gradient. Other types and devices
 * are served by the library's general methods. Then
 *     train --plugin ./plugin_activation.so --activation mish
 * uses it by name in any model. */
#include <latebind/ops.h>

#include <math.h>

/* Shape and type are those of the input; integers become f32. */
static lb_status infer(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const x = call->in[call->in_count - 1];

    out->dtype = lbo_dtype_kind((lbo_dtype)x->dtype) == LBO_KIND_FLOATING
                     ? x->dtype
                     : LBO_F32;
    out->ndim = x->ndim;
    for (unsigned i = 0; i < x->ndim; i++)
        out->shape[i] = lbo_shape(x)[i];
    return LB_OK;
}

/* log(1 + e^x) without overflow. */
static float softplus(float x)
{
    return x > 20 ? x : log1pf(expf(x));
}

static float mish(float x)
{
    return x * tanhf(softplus(x));
}

static float mish_slope(float x)
{
    const float t = tanhf(softplus(x));

    return t + x * (1 - t * t) / (1 + expf(-x));
}

LB_METHOD(lbo_unary, mish_f32);
static lb_status mish_f32(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *call)
{
    lbo_tensor *const out = call->out[0];
    lbo_walk walk;

    LB_IGNORE(slot);
    (void)context;
    lbo_walk_init(&walk, out->ndim, lbo_shape(out), 2,
                  (lbo_tensor *[]){out, x});
    do
        for (int64_t i = 0; i < walk.count; i++)
            *(float *)(void *)(walk.at[0] + i * walk.step[0]) =
                mish(*(const float *)(void *)(walk.at[1] + i * walk.step[1]));
    while (lbo_walk_next(&walk));
    return LB_OK;
}

LB_METHOD(lbo_binary, mish_backward_f32);
static lb_status mish_backward_f32(lb_slot slot, lbo_context *context,
                                   lbo_tensor *g, lbo_tensor *x, lbo_call *call)
{
    lbo_tensor *const out = call->out[0];
    lbo_walk walk;

    LB_IGNORE(slot);
    (void)context;
    lbo_walk_init(&walk, out->ndim, lbo_shape(out), 3,
                  (lbo_tensor *[]){out, g, x});
    do
        for (int64_t i = 0; i < walk.count; i++)
            *(float *)(void *)(walk.at[0] + i * walk.step[0]) =
                *(const float *)(void *)(walk.at[1] + i * walk.step[1]) *
                mish_slope(
                    *(const float *)(void *)(walk.at[2] + i * walk.step[2]));
    while (lbo_walk_next(&walk));
    return LB_OK;
}

static lb_status gradient(lbo_context *context, const lbo_saved *saved,
                          lbo_tensor *const *out_gradients,
                          lbo_tensor **in_gradients)
{
    lbo_tensor *const in[] = {out_gradients[0], saved->in[0]};
    lbo_call call = {
        .in = in, .out = in_gradients, .in_count = 2, .out_count = 1};

    return lbo_run(
        context,
        lbo_operator_find(lbo_context_library(context), "mish_backward"),
        &call);
}

static const lbo_operator_spec specs[] = {
    {.name = "mish",
     .dispatched = 1,
     .in_count = 1,
     .out_count = 1,
     .flags = LBO_ELEMENTWISE | LBO_TO_FLOAT,
     .saves = LBO_SAVE_IN(0),
     .infer = infer,
     .gradient = gradient,
     .summary = "x tanh(log(1 + e^x))"},
    {.name = "mish_backward",
     .dispatched = 2,
     .in_count = 2,
     .out_count = 1,
     .flags = LBO_ELEMENTWISE | LBO_PROMOTES | LBO_TO_FLOAT,
     .infer = infer,
     .in_names = "gradient input"},
};

static lb_status load(lb_runtime *runtime, lb_group *group, void **data)
{
    static const lbo_kernel kernels[] = {
        {"mish", LB_DESCRIPTOR(mish_f32), LBO_F32, LBO_F32, NULL},
        {"mish_backward", LB_DESCRIPTOR(mish_backward_f32), LBO_F32, LBO_F32,
         NULL}};
    lbo_library *const library = lbo_library_of(runtime);
    lbo_device *cpu;
    lb_status status;

    (void)data;
    if (library == NULL)
        return lbo_fail(LB_BAD_PLUGIN, "mish wants a library of operators");
    status = lbo_device_find(library, "cpu", &cpu);
    for (size_t i = 0; i < 2 && status == LB_OK; i++) {
        const lbo_operator *op;
        status = lbo_operator_create(library, &specs[i], &op);
    }
    return status == LB_OK
               ? lbo_register_kernels(library, group, cpu, kernels, 2)
               : status;
}

LB_PLUGIN("mish", load, NULL);
