/* choose.c - rows and elements by their indices. concat and stack are made of
 * copies by the library's own method. */
#include "gpu.h"

#include <string.h>

/* ---- embedding ----------------------------------------------------------- */

/* `tensors`: result, data, indices; the numbers are the kernel's. */
static lb_status run_embedding(const lbo_tensor *const *tensors,
                               const int64_t *numbers, const int32_t *few_rows,
                               const char *kernel, int64_t threads)
{
    const gpu_variant variant = {
        .source = gpu_source_choose,
        .types = {(int8_t)tensors[0]->dtype, -1, -1, -1}};
    gpu_launch l;

    gpu_begin(&l, gpu_of(tensors[0]));
    for (int i = 0; i < 3; i++)
        gpu_add_tensor(&l, tensors[i]);
    for (int i = 0; i < 3; i++)
        gpu_add(&l, &numbers[i], sizeof numbers[i]);
    if (few_rows != NULL)
        gpu_add(&l, few_rows, sizeof *few_rows);
    return gpu_run_flat(&l, &variant, kernel, threads);
}

LB_METHOD(lbo_unary, gpu_embedding);
static lb_status gpu_embedding(lb_slot slot, lbo_context *context,
                               lbo_tensor *weight, lbo_call *call)
{
    gpu_dense d;
    lb_status status = gpu_dense_begin(context, call, 2, &d);

    LB_IGNORE(slot);
    if (status == LB_OK) {
        const int64_t numbers[] = {d.in[1]->size, weight->dims[0],
                                   weight->dims[1]};
        status =
            run_embedding((const lbo_tensor *[]){d.out[0], d.in[0], d.in[1]},
                          numbers, NULL, "embedding", d.out[0]->size);
    }
    return gpu_dense_end(context, call, &d, status);
}

/* Few elements: a thread for each, which reads all indices; else one per
 * column. */
static lb_status add_rows(const gpu_dense *d)
{
    const lbo_tensor *const out = d->out[0];
    const int64_t numbers[] = {d->in[1]->size, out->dims[0], out->dims[1]};
    const int32_t few_rows = out->size <= 1 << 20;

    return run_embedding((const lbo_tensor *[]){out, d->in[0], d->in[1]},
                         numbers, &few_rows, "embedding_backward",
                         few_rows ? out->size : out->dims[1]);
}

LB_METHOD(lbo_unary, gpu_embedding_backward);
static lb_status gpu_embedding_backward(lb_slot slot, lbo_context *context,
                                        lbo_tensor *g, lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_embedding_backward, slot, context, g, call);
    gpu_dense d;

    if (call->out[0]->dtype != g->dtype)
        return lb_next_lbo_unary(self, context, g, call);
    lb_status status = gpu_dense_begin(context, call, 2, &d);
    if (status == LB_OK && d.out[0]->size > 0)
        status = add_rows(&d);
    return gpu_dense_end(context, call, &d, status);
}

/* ---- gather -------------------------------------------------------------- */

static int64_t dim_of(const lbo_call *call)
{
    const lbo_dim_attributes *const by = call->attributes;
    const int64_t ndim = call->in[0]->ndim;

    return by->dim < 0 ? by->dim + ndim : by->dim;
}

/* As i64. */
static lb_status indices_of(lbo_context *context, lbo_tensor *index,
                            lbo_tensor **result)
{
    if (index->dtype != LBO_I64)
        return lbo_cast(context, result, index, LBO_I64);
    *result = lbo_tensor_retain(index);
    return LB_OK;
}

static lb_status run_gather(lbo_tensor *out, lbo_tensor *x, lbo_tensor *index,
                            int64_t dim)
{
    const gpu_variant variant = {.source = gpu_source_choose,
                                 .types = {(int8_t)x->dtype, -1, -1, -1}};
    const lbo_tensor *const tensors[] = {out, index, x};
    const int64_t none = 0;
    int64_t strides[3][LBO_MAX_DIMS];
    gpu_launch l;
    gpu_walk w;

    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < x->ndim; i++)
            strides[k][i] = k == 2 && i == dim ? 0 : lbo_strides(tensors[k])[i];
    gpu_walk_strides(&w, x->ndim, lbo_shape(index), 3, strides);
    gpu_begin(&l, gpu_of(x));
    gpu_add_tensor(&l, out);
    gpu_add_tensor(&l, x);
    gpu_add_tensor(&l, index);
    gpu_add(&l, x->ndim > 0 ? &x->dims[dim] : &x->size, sizeof(int64_t));
    gpu_add(&l, x->ndim > 0 ? &lbo_strides(x)[dim] : &none, sizeof(int64_t));
    gpu_add(&l, &w, sizeof w);
    return gpu_run_flat(&l, &variant, "gather", w.count);
}

LB_METHOD(lbo_unary, gpu_gather);
static lb_status gpu_gather(lb_slot slot, lbo_context *context, lbo_tensor *x,
                            lbo_call *call)
{
    lbo_tensor *index = NULL;
    lb_status status = indices_of(context, call->in[1], &index);

    LB_IGNORE(slot);
    if (status == LB_OK)
        status = run_gather(call->out[0], x, index, dim_of(call));
    lbo_tensor_release(index);
    return status;
}

/* g and the index are row-major, the result is zeros. */
static lb_status scatter(lbo_tensor *out, const lbo_tensor *g,
                         const lbo_tensor *index, int64_t dim)
{
    const gpu_variant variant = {.source = gpu_source_choose,
                                 .types = {(int8_t)g->dtype, -1, -1, -1}};
    const int64_t one = 1, none = 0;
    int64_t shape[LBO_MAX_DIMS], strides[2][LBO_MAX_DIMS];
    gpu_launch l;
    gpu_walk w;

    for (uint32_t i = 0; i < out->ndim; i++) {
        shape[i] = i == dim ? 1 : index->dims[i];
        strides[0][i] = lbo_strides(out)[i];
        strides[1][i] = lbo_strides(index)[i];
    }
    gpu_walk_strides(&w, out->ndim, shape, 2, strides);
    gpu_begin(&l, gpu_of(out));
    gpu_add_tensor(&l, out);
    gpu_add_tensor(&l, g);
    gpu_add_tensor(&l, index);
    gpu_add(&l, out->ndim > 0 ? &index->dims[dim] : &one, sizeof one);
    gpu_add(&l, out->ndim > 0 ? &out->dims[dim] : &one, sizeof one);
    gpu_add(&l, out->ndim > 0 ? &lbo_strides(out)[dim] : &none, sizeof none);
    gpu_add(&l, out->ndim > 0 ? &lbo_strides(index)[dim] : &none, sizeof none);
    gpu_add(&l, &w, sizeof w);
    return gpu_run_flat(&l, &variant, "gather_backward", w.count);
}

LB_METHOD(lbo_unary, gpu_gather_backward);
static lb_status gpu_gather_backward(lb_slot slot, lbo_context *context,
                                     lbo_tensor *g, lbo_call *call)
{
    LB_SELF(lbo_unary, gpu_gather_backward, slot, context, g, call);
    gpu_dense d;

    if (call->out[0]->dtype != g->dtype)
        return lb_next_lbo_unary(self, context, g, call);
    lb_status status = gpu_dense_begin(context, call, 2, &d);
    if (status == LB_OK)
        status = lbo_fill(context, d.out[0], 0);
    if (status == LB_OK)
        status = scatter(d.out[0], d.in[0], d.in[1], dim_of(call));
    return gpu_dense_end(context, call, &d, status);
}

/* ---- registering --------------------------------------------------------- */

lb_status gpu_register_choose(gpu_device *device, lb_group *group)
{
    lbo_kernel kernels[4 * LBO_DTYPE_COUNT];
    size_t count = 0;

    for (int8_t d = 0; d < LBO_DTYPE_COUNT; d++) {
        if (d == LBO_F64 && !device->wide)
            continue;
        kernels[count++] = (lbo_kernel){
            "embedding", LB_DESCRIPTOR(gpu_embedding), d, -1, NULL};
        kernels[count++] =
            (lbo_kernel){"gather", LB_DESCRIPTOR(gpu_gather), d, -1, NULL};
        if (d < LBO_F32)
            continue;
        kernels[count++] =
            (lbo_kernel){"embedding_backward",
                         LB_DESCRIPTOR(gpu_embedding_backward), d, -1, NULL};
        kernels[count++] = (lbo_kernel){
            "gather_backward", LB_DESCRIPTOR(gpu_gather_backward), d, -1, NULL};
    }
    return lbo_register_kernels(device->library, group, device->device, kernels,
                                count);
}
