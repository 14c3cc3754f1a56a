/* An operator of one's own, from outside of the library: a rule for shapes and
 * types, a kernel for the CPU's f32, and a gradient. Half types, other types and
 * other devices come by themselves. */
#include <latebind/ops.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void need(lb_status status)
{
    if (status == LB_OK)
        return;
    printf("%s: %s\n", lb_status_name(status), lb_message());
    exit(1);
}

/* softplus(x) = log(1 + exp(x)); its derivative is sigmoid(x). */
static lb_status infer(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const x = call->in[0];

    out->dtype = lbo_dtype_kind((lbo_dtype)x->dtype) == LBO_KIND_FLOATING
                     ? x->dtype
                     : LBO_F32;
    out->ndim = x->ndim;
    for (int i = 0; i < x->ndim; i++)
        out->shape[i] = lbo_shape(x)[i];
    return LB_OK;
}

LB_METHOD(lbo_unary, softplus_f32);

static lb_status softplus_f32(lb_slot slot, lbo_context *context, lbo_tensor *x,
                              lbo_call *call)
{
    lbo_tensor *const tensors[] = {x, call->out[0]};
    lbo_walk walk;

    LB_IGNORE(slot);
    (void)context;
    lbo_walk_init(&walk, x->ndim, lbo_shape(x), 2, tensors);
    do
        for (int64_t i = 0; i < walk.count; i++)
            *(float *)(walk.at[1] + i * walk.step[1]) =
                log1pf(expf(*(const float *)(walk.at[0] + i * walk.step[0])));
    while (lbo_walk_next(&walk));
    return LB_OK;
}

static lb_status gradient(lbo_context *context, const lbo_saved *saved,
                          lbo_tensor *const *out, lbo_tensor **in)
{
    lbo_tensor *slope = NULL;
    lb_status status = lbo_sigmoid(context, &slope, saved->in[0]);

    if (status == LB_OK)
        status = lbo_mul(context, &in[0], slope, out[0]);
    lbo_tensor_release(slope);
    return status;
}

static lb_status softplus(lbo_context *context, const lbo_operator *op,
                          lbo_tensor **out, lbo_tensor *x)
{
    lbo_call call = {.in = &x, .out = out, .in_count = 1, .out_count = 1};

    return lbo_run(context, op, &call);
}

static void show(lbo_context *context, const char *name, lbo_tensor *tensor)
{
    char text[400];

    (void)lbo_format(context, tensor, text, sizeof text);
    printf("%s = %s\n", name, text);
}

int main(void)
{
    const lbo_operator_spec spec = {.name = "softplus",
                                    .dispatched = 1,
                                    .in_count = 1,
                                    .out_count = 1,
                                    .flags = LBO_ELEMENTWISE | LBO_TO_FLOAT,
                                    .saves = LBO_SAVE_IN(0),
                                    .infer = infer,
                                    .gradient = gradient,
                                    .in_names = "x"};
    const lbo_kernel kernel = {"softplus", LB_DESCRIPTOR(softplus_f32), LBO_F32,
                               LBO_ANY_DTYPE, NULL};
    lbo_tensor *x, *half = NULL, *y = NULL, *z = NULL;
    const lbo_operator *op;
    lbo_library *library;
    lbo_context *context;
    lbo_layer *autograd;
    lbo_device *cpu;
    char text[2000];

    need(lbo_library_create(NULL, &library));
    need(lbo_context_create(library, "cpu", &context));
    need(lbo_device_find(library, "cpu", &cpu));
    need(lbo_operator_create(library, &spec, &op));
    need(lbo_register_kernels(library, NULL, cpu, &kernel, 1));
    need(lbo_from_data(context, LBO_F32, 1, (int64_t[]){3}, (float[]){-1, 0, 1},
                       &x));

    need(lbo_autograd_create(library, &autograd));
    need(lbo_push(context, autograd));
    need(lbo_require_gradient(x, true));
    need(softplus(context, op, &y, x));
    show(context, "softplus(x)", y);
    lbo_tensor *seed;
    need(lbo_from_data(context, LBO_F32, 1, (int64_t[]){3}, (float[]){1, 1, 1},
                       &seed));
    need(lbo_backward(context, y, seed, false));
    show(context, "its gradient", lbo_gradient(x));

    /* No kernel is written for f16: computed in f32, rounded. */
    need(lbo_cast(context, &half, x, LBO_F16));
    need(softplus(context, op, &z, half));
    show(context, "softplus in f16", z);

    (void)lbo_explain(context, op, &half, 1, text, sizeof text);
    printf("%s\n", text);

    lbo_tensor *const made[] = {x, half, y, z, seed};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        lbo_tensor_release(made[i]);
    lbo_context_destroy(context);
    need(lbo_layer_destroy(autograd));
    need(lbo_library_destroy(library));
}
