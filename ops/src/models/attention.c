/* attention.c - self-attention with several heads (Vaswani et al. 2017,
 * "Attention is all you need").
 *
 *   1. one linear gives q, k and v: [batch, time, 3 * size]
 *   2. seen as [batch, time, 3, heads, part], and as three views
 *      [batch, heads, time, part]: nothing is copied
 *   3. scores = (q / sqrt(part)) k^T, plus 0 or -infinity where a place may
 *      not look, softmax, dropout
 *   4. scores v, back to [batch, time, size] (the one copy), a linear
 *
 * All by operators, so that gradients come by themselves.
 */
#include "models/slots.h"

#include <math.h>

typedef struct attention_module {
    lbo_module base; /* children: 0 "qkv", 1 "projection" */
    int64_t size;
    int64_t heads;
    bool causal;
    double dropout;
    lbo_tensor *mask; /* of the last time in training; NULL: none yet */
} attention_module;

/* [time, time]: 0 up to the diagonal, -infinity after it. */
static lb_status make_mask(lbo_context *context, const lbo_tensor *like,
                           int64_t time, lbo_tensor **result)
{
    const size_t bytes = (size_t)time * (size_t)time * sizeof(float);
    const int64_t shape[] = {time, time};
    lbo_tensor *mask = NULL;
    float *const host = lbo_scratch(context, bytes);
    lb_status status;

    if (host == NULL)
        return LB_NO_MEMORY;
    for (int64_t i = 0; i < time; i++)
        for (int64_t k = 0; k < time; k++)
            host[i * time + k] = k > i ? -INFINITY : 0;
    lbo_spec spec = {.device = lbo_tensor_device(like),
                     .dtype = LBO_F32,
                     .ndim = 2,
                     .shape = {shape[0], shape[1]}};
    status = lbo_tensor_create(context, &spec, &mask);
    if (status == LB_OK)
        status = lbo_write(context, mask, host, bytes);
    lbo_scratch_free(context, host, bytes);
    if (status == LB_OK)
        status = like->dtype == LBO_F32
                     ? LB_OK
                     : lbo_cast(context, result, mask, (lbo_dtype)like->dtype);
    if (status == LB_OK && like->dtype == LBO_F32)
        *result = lbo_tensor_retain(mask);
    lbo_tensor_release(mask);
    return status;
}

static bool suits(const lbo_tensor *mask, const lbo_tensor *like, int64_t time)
{
    return mask != NULL && mask->dims[0] == time &&
           mask->dtype == like->dtype &&
           lbo_tensor_device(mask) == lbo_tensor_device(like);
}

/* Kept from one forward to the next in training only: evaluation may be done by
 * several threads at once. */
static lb_status find_mask(attention_module *self, lbo_context *context,
                           const lbo_tensor *like, int64_t time,
                           lbo_tensor **result)
{
    lb_status status = LB_OK;

    if (suits(self->mask, like, time)) {
        *result = lbo_tensor_retain(self->mask);
        return LB_OK;
    }
    status = make_mask(context, like, time, result);
    if (status == LB_OK && self->base.training) {
        lbo_tensor_release(self->mask);
        self->mask = lbo_tensor_retain(*result);
    }
    return status;
}

/* Puts `next` in the place of `*at`. */
static void replace(lbo_tensor **at, lbo_tensor *next)
{
    lbo_tensor_release(*at);
    *at = next;
}

/* q, k and v as views [batch, heads, time, part] of one tensor; k transposed:
 * [batch, heads, part, time]. */
static lb_status split_heads(const attention_module *self, lbo_context *context,
                             lbo_tensor *qkv, lbo_tensor *parts[3])
{
    static const int64_t to_front[] = {2, 0, 3, 1, 4};
    const int64_t shape[] = {qkv->dims[0], qkv->dims[1], 3, self->heads,
                             self->size / self->heads};
    lbo_tensor *five = NULL, *turned = NULL;
    lb_status status = lbo_reshape(context, &five, qkv, 5, shape);

    if (status == LB_OK)
        status = lbo_transpose(context, &turned, five, 5, to_front);
    for (int64_t i = 0; i < 3 && status == LB_OK; i++) {
        lbo_tensor *one = NULL;
        const int64_t last[] = {shape[0], shape[3], shape[1], shape[4]};
        status = lbo_slice(context, &one, turned, 0, i, i + 1, 1);
        if (status == LB_OK)
            status = lbo_reshape(context, &parts[i], one, 4, last);
        lbo_tensor_release(one);
    }
    lbo_tensor_release(five);
    lbo_tensor_release(turned);
    if (status == LB_OK) {
        lbo_tensor *transposed = NULL;
        status = lbo_swap_dims(context, &transposed, parts[1], -1, -2);
        if (status == LB_OK)
            replace(&parts[1], transposed);
    }
    return status;
}

/* What each place looks at: [batch, heads, time, time]. */
static lb_status weigh(attention_module *self, lbo_context *context,
                       lbo_tensor *q, lbo_tensor *k, lbo_tensor **result)
{
    lbo_tensor *scale = NULL, *scaled = NULL, *mask = NULL, *at = NULL;
    lbo_tensor *next = NULL;
    const double part = (double)self->size / (double)self->heads;
    lb_status status = lbo_scalar(context, 1 / sqrt(part), &scale);

    if (status == LB_OK)
        status = lbo_mul(context, &scaled, q, scale);
    if (status == LB_OK)
        status = lbo_matmul(context, &at, scaled, k);
    if (status == LB_OK && self->causal) {
        status = find_mask(self, context, at, at->dims[2], &mask);
        if (status == LB_OK)
            status = lbo_add(context, &next, at, mask);
        if (status == LB_OK)
            replace(&at, next);
    }
    next = NULL;
    if (status == LB_OK)
        status = lbo_softmax(context, &next, at, -1);
    if (status == LB_OK)
        replace(&at, next);
    next = NULL;
    if (status == LB_OK && self->base.training && self->dropout > 0) {
        status = lbo_dropout(context, &next, at, self->dropout);
        if (status == LB_OK)
            replace(&at, next);
    }
    lbo_tensor_release(scale);
    lbo_tensor_release(scaled);
    lbo_tensor_release(mask);
    if (status == LB_OK)
        *result = at;
    else
        lbo_tensor_release(at);
    return status;
}

/* weights v, the heads side by side again: [batch, time, size]. */
static lb_status join_heads(const attention_module *self, lbo_context *context,
                            lbo_tensor *weights, lbo_tensor *v,
                            lbo_tensor **result)
{
    lbo_tensor *mixed = NULL, *turned = NULL;
    lb_status status = lbo_matmul(context, &mixed, weights, v);

    if (status == LB_OK)
        status = lbo_swap_dims(context, &turned, mixed, 1, 2);
    if (status == LB_OK)
        status = lbo_reshape(
            context, result, turned, 3,
            (int64_t[]){turned->dims[0], turned->dims[1], self->size});
    lbo_tensor_release(mixed);
    lbo_tensor_release(turned);
    return status;
}

static lb_status attend(attention_module *self, lbo_context *context,
                        lbo_tensor *qkv, lbo_tensor **result)
{
    lbo_tensor *parts[3] = {NULL}, *weights = NULL;
    lb_status status = split_heads(self, context, qkv, parts);

    if (status == LB_OK)
        status = weigh(self, context, parts[0], parts[1], &weights);
    if (status == LB_OK)
        status = join_heads(self, context, weights, parts[2], result);
    lbo_tensor_release(weights);
    for (int i = 0; i < 3; i++)
        lbo_tensor_release(parts[i]);
    return status;
}

LB_METHOD(lbo_on_forward, attention_forward);
static lb_status attention_forward(lb_slot slot, lbo_module *module,
                                   lbo_context *context, lbo_tensor *input,
                                   lbo_tensor **output)
{
    attention_module *const self = (attention_module *)module;
    lbo_tensor *qkv = NULL, *mixed = NULL;
    lb_status status;

    LB_IGNORE(slot);
    if (input->ndim != 3 || input->dims[2] != self->size)
        return lbo_fail(
            LB_BAD_ARGUMENT,
            "attention: [batch, time, %lld] is wanted, the input "
            "has %d dimensions, the last of %lld",
            (long long)self->size, input->ndim,
            input->ndim > 0 ? (long long)input->dims[input->ndim - 1] : 0);
    status =
        lboi_forward_part(context, lboi_slot_child(module, 0), input, &qkv);
    if (status == LB_OK)
        status = attend(self, context, qkv, &mixed);
    if (status == LB_OK)
        status = lboi_forward_part(context, lboi_slot_child(module, 1), mixed,
                                   output);
    lbo_tensor_release(qkv);
    lbo_tensor_release(mixed);
    return status;
}

LB_METHOD(lbo_on_module_free, attention_free);
static void attention_free(lb_slot slot, lbo_module *module)
{
    LB_IGNORE(slot);
    lbo_tensor_release(((attention_module *)module)->mask);
}

static lb_status add_linear(lbo_context *context, lbo_module *module,
                            const char *name, int64_t in, int64_t out)
{
    lbo_module *linear;
    const lb_status status = lbo_linear_module(context, in, out, true, &linear);

    return status == LB_OK ? lboi_adopt(module, name, linear) : status;
}

static lb_status check_sizes(int64_t size, int64_t heads, double dropout)
{
    if (size < 1 || heads < 1 || size % heads != 0 || size > INT64_MAX / 3)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "attention module: %lld heads do not divide a size of "
                        "%lld",
                        (long long)heads, (long long)size);
    if (!(dropout >= 0 && dropout < 1))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "attention module: dropout is %g; 0 <= p < 1 is wanted",
                        dropout);
    return LB_OK;
}

lb_status lbo_attention_module(lbo_context *context, int64_t size,
                               int64_t heads, bool causal, double dropout,
                               lbo_module **result)
{
    lbo_module *module;
    lb_status status = check_sizes(size, heads, dropout);

    if (status == LB_OK && (context == NULL || result == NULL))
        status =
            lbo_fail(LB_BAD_ARGUMENT, "attention module: an argument is NULL");
    if (status == LB_OK)
        status = lbo_module_create(
            context->library, lbo_module_class(context->library, "attention"),
            NULL, &module);
    if (status != LB_OK)
        return status;
    attention_module *const self = (attention_module *)module;
    self->size = size;
    self->heads = heads;
    self->causal = causal;
    self->dropout = dropout;
    status = add_linear(context, module, "qkv", size, 3 * size);
    if (status == LB_OK)
        status = add_linear(context, module, "projection", size, size);
    if (status == LB_OK)
        *result = module;
    else
        lbo_module_release(module);
    return status;
}

lb_status lboi_attention_init(lbo_library *library)
{
    const lb_status status =
        lboi_module_class_make(library, "attention", sizeof(attention_module),
                               LB_DESCRIPTOR(attention_forward));

    if (status != LB_OK)
        return status;
    return lb_add_classes(
        library->functions[LBOI_MODULE_FREE], LB_DESCRIPTOR(attention_free),
        (lb_class *[]){lb_class_find(library->runtime, "attention")});
}
