/* step.c - steps of optimizers, in one kernel each. */
#include "gpu.h"

#include <math.h>

LB_METHOD(lbo_unary, gpu_sgd_step);
LB_METHOD(lbo_unary, gpu_adam_step);

/* A number as an element of the kernel's type; `kept` holds it. */
static void add_real(gpu_launch *l, int dtype, double value, double *kept)
{
    if (dtype == LBO_F64)
        *kept = value;
    else
        *(float *)(void *)kept = (float)value;
    gpu_add(l, kept, lbo_dtype_size((lbo_dtype)dtype));
}

static gpu_variant variant_of(const lbo_tensor *tensor)
{
    return (gpu_variant){.source = gpu_source_step,
                         .types = {(int8_t)tensor->dtype, -1, -1, -1}};
}

/* Without a velocity the parameter stands in where one is not read. */
static lb_status run_sgd(const gpu_dense *d, const lbo_sgd_attributes *by)
{
    const int32_t moving = d->in[2] != NULL, nesterov = by->nesterov;
    const lbo_tensor *const p = d->in[0];
    const gpu_variant variant = variant_of(p);
    double kept[3];
    gpu_launch l;

    gpu_begin(&l, gpu_of(p));
    gpu_add_tensor(&l, d->out[0]);
    gpu_add_tensor(&l, moving ? d->out[1] : p);
    gpu_add_tensor(&l, p);
    gpu_add_tensor(&l, d->in[1]);
    gpu_add_tensor(&l, moving ? d->in[2] : p);
    gpu_add(&l, &p->size, sizeof p->size);
    add_real(&l, p->dtype, by->rate, &kept[0]);
    add_real(&l, p->dtype, by->momentum, &kept[1]);
    add_real(&l, p->dtype, by->decay, &kept[2]);
    gpu_add(&l, &moving, sizeof moving);
    gpu_add(&l, &nesterov, sizeof nesterov);
    return gpu_run_flat(&l, &variant, "sgd", p->size);
}

static lb_status gpu_sgd_step(lb_slot slot, lbo_context *context, lbo_tensor *a,
                              lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_sgd_step, slot, context, a, call);
    gpu_dense d;

    if (!gpu_knows(call))
        return lb_next_lbo_unary(self, context, a, call);
    lb_status status = gpu_dense_begin(context, call, call->in_count, &d);
    if (status == LB_OK)
        status = run_sgd(&d, call->attributes);
    return gpu_dense_end(context, call, &d, status);
}

static lb_status run_adam(const gpu_dense *d, const lbo_adam_attributes *by)
{
    const double steps = (double)by->step;
    const double numbers[] = {by->rate / (1 - pow(by->beta1, steps)),
                              sqrt(1 - pow(by->beta2, steps)),
                              by->beta1,
                              1 - by->beta1,
                              by->beta2,
                              1 - by->beta2,
                              by->epsilon,
                              by->decoupled ? 1 - by->rate * by->decay : 1,
                              by->decoupled ? 0 : by->decay};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    const lbo_tensor *const p = d->in[0];
    const gpu_variant variant = variant_of(p);
    double kept[NUMBERS];
    gpu_launch l;

    gpu_begin(&l, gpu_of(p));
    for (int i = 0; i < 3; i++)
        gpu_add_tensor(&l, d->out[i]);
    for (int i = 0; i < 4; i++)
        gpu_add_tensor(&l, d->in[i]);
    gpu_add(&l, &p->size, sizeof p->size);
    for (int i = 0; i < NUMBERS; i++)
        add_real(&l, p->dtype, numbers[i], &kept[i]);
    return gpu_run_flat(&l, &variant, "adam", p->size);
}

static lb_status gpu_adam_step(lb_slot slot, lbo_context *context,
                               lbo_tensor *a, lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_adam_step, slot, context, a, call);
    gpu_dense d;

    if (!gpu_knows(call))
        return lb_next_lbo_unary(self, context, a, call);
    lb_status status = gpu_dense_begin(context, call, call->in_count, &d);
    if (status == LB_OK)
        status = run_adam(&d, call->attributes);
    return gpu_dense_end(context, call, &d, status);
}

lb_status gpu_register_step(gpu_device *device, lb_group *group)
{
    const lbo_kernel kernels[] = {
        {"sgd_step", LB_DESCRIPTOR(gpu_sgd_step), LBO_F32, -1, NULL},
        {"adam_step", LB_DESCRIPTOR(gpu_adam_step), LBO_F32, -1, NULL},
        {"sgd_step", LB_DESCRIPTOR(gpu_sgd_step), LBO_F64, -1, NULL},
        {"adam_step", LB_DESCRIPTOR(gpu_adam_step), LBO_F64, -1, NULL}};

    return lbo_register_kernels(device->library, group, device->device, kernels,
                                device->wide ? 4 : 2);
}
