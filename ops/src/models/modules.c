/* modules.c - the modules that come along.
 *
 * Each is a class below `module` with a method of module.forward that runs one
 * operator (or its children), so that gradients come by themselves. Weights
 * begin as PyTorch's do:
 *   linear, conv2d   weight and bias uniform in +-1/sqrt(inputs of one output)
 *                    (He et al. 2015, "Delving deep into rectifiers", with the
 *                    slope sqrt(5) that PyTorch has)
 *   embedding        normal, mean 0, deviation 1
 *   layer_norm       weight 1, bias 0
 */
#include "models/slots.h"

#include <math.h>
#include <stdio.h>

/* ---- parameters ---------------------------------------------------------- */

/* `bound` > 0: uniform in +-bound; 0: normal; < 0: all are -bound - 1. */
static lb_status fill_parameter(lbo_context *context, lbo_tensor *tensor,
                                double bound)
{
    return bound > 0    ? lbo_uniform(context, tensor, -bound, bound)
           : bound == 0 ? lbo_normal(context, tensor, 0, 1)
                        : lbo_fill(context, tensor, -bound - 1);
}

static lb_status add_parameter(lbo_context *context, lbo_module *module,
                               const char *name, size_t ndim,
                               const int64_t *shape, double bound)
{
    lbo_tensor *tensor = NULL;
    lb_status status = lbo_empty(context, LBO_F32, ndim, shape, &tensor);

    if (status != LB_OK)
        return status;
    status = fill_parameter(context, tensor, bound);
    if (status == LB_OK)
        status = lbo_module_add_parameter(module, name, tensor);
    lbo_tensor_release(tensor);
    return status;
}

static lb_status make(lbo_context *context, const char *name,
                      lbo_module **result)
{
    if (context == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s module: an argument is NULL",
                        name);
    return lbo_module_create(context->library,
                             lbo_module_class(context->library, name), NULL,
                             result);
}

/* Hands a module out that has got its parts, or ends one that has not. */
static lb_status give(lb_status status, lbo_module *module, lbo_module **result)
{
    if (status == LB_OK)
        *result = module;
    else
        lbo_module_release(module);
    return status;
}

static lb_status want_positive(const char *module, const char *what, int64_t n)
{
    return n > 0 ? LB_OK
                 : lbo_fail(LB_BAD_ARGUMENT,
                            "%s module: %s is %lld; it must be at least 1",
                            module, what, (long long)n);
}

/* ---- linear -------------------------------------------------------------- */

LB_METHOD(lbo_on_forward, linear_forward);
static lb_status linear_forward(lb_slot slot, lbo_module *module,
                                lbo_context *context, lbo_tensor *input,
                                lbo_tensor **output)
{
    LB_IGNORE(slot);
    return lbo_linear(context, output, input, lboi_slot_tensor(module, 0),
                      lboi_slot_tensor(module, 1));
}

lb_status lbo_linear_module(lbo_context *context, int64_t in, int64_t out,
                            bool bias, lbo_module **result)
{
    lbo_module *module;
    lb_status status = want_positive("linear", "in", in);

    if (status == LB_OK)
        status = want_positive("linear", "out", out);
    if (status == LB_OK)
        status = make(context, "linear", &module);
    if (status != LB_OK)
        return status;
    const double bound = 1 / sqrt((double)in);
    status = add_parameter(context, module, "weight", 2, (int64_t[]){out, in},
                           bound);
    if (status == LB_OK && bias)
        status = add_parameter(context, module, "bias", 1, &out, bound);
    return give(status, module, result);
}

/* ---- conv2d -------------------------------------------------------------- */

typedef struct conv2d_module {
    lbo_module base;
    lbo_conv2d_attributes attributes;
} conv2d_module;

LB_METHOD(lbo_on_forward, conv2d_forward);
static lb_status conv2d_forward(lb_slot slot, lbo_module *module,
                                lbo_context *context, lbo_tensor *input,
                                lbo_tensor **output)
{
    LB_IGNORE(slot);
    return lbo_conv2d(context, output, input, lboi_slot_tensor(module, 0),
                      lboi_slot_tensor(module, 1),
                      &((const conv2d_module *)module)->attributes);
}

static lb_status check_conv2d(int64_t in, int64_t out, int64_t kernel,
                              const lbo_conv2d_attributes *attributes)
{
    lb_status status = want_positive("conv2d", "in", in);

    if (status == LB_OK)
        status = want_positive("conv2d", "out", out);
    if (status == LB_OK)
        status = want_positive("conv2d", "kernel", kernel);
    if (status == LB_OK)
        status = want_positive("conv2d", "groups", attributes->groups);
    if (status == LB_OK &&
        (in % attributes->groups != 0 || out % attributes->groups != 0))
        status = lbo_fail(LB_BAD_ARGUMENT,
                          "conv2d module: %lld groups divide neither %lld "
                          "inputs nor %lld outputs evenly",
                          (long long)attributes->groups, (long long)in,
                          (long long)out);
    return status;
}

lb_status lbo_conv2d_module(lbo_context *context, int64_t in, int64_t out,
                            int64_t kernel,
                            const lbo_conv2d_attributes *attributes, bool bias,
                            lbo_module **result)
{
    static const lbo_conv2d_attributes plain = {
        .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    lbo_module *module;
    const lbo_conv2d_attributes *const used = attributes ? attributes : &plain;
    lb_status status = check_conv2d(in, out, kernel, used);

    if (status == LB_OK)
        status = make(context, "conv2d", &module);
    if (status != LB_OK)
        return status;
    ((conv2d_module *)module)->attributes = *used;
    const int64_t shape[] = {out, in / used->groups, kernel, kernel};
    const double bound =
        1 / sqrt((double)shape[1] * (double)kernel * (double)kernel);
    status = add_parameter(context, module, "weight", 4, shape, bound);
    if (status == LB_OK && bias)
        status = add_parameter(context, module, "bias", 1, &out, bound);
    return give(status, module, result);
}

/* ---- embedding ----------------------------------------------------------- */

LB_METHOD(lbo_on_forward, embedding_forward);
static lb_status embedding_forward(lb_slot slot, lbo_module *module,
                                   lbo_context *context, lbo_tensor *input,
                                   lbo_tensor **output)
{
    LB_IGNORE(slot);
    return lbo_embedding(context, output, lboi_slot_tensor(module, 0), input);
}

lb_status lbo_embedding_module(lbo_context *context, int64_t rows, int64_t size,
                               lbo_module **result)
{
    lbo_module *module;
    lb_status status = want_positive("embedding", "rows", rows);

    if (status == LB_OK)
        status = want_positive("embedding", "size", size);
    if (status == LB_OK)
        status = make(context, "embedding", &module);
    if (status != LB_OK)
        return status;
    status =
        add_parameter(context, module, "weight", 2, (int64_t[]){rows, size}, 0);
    return give(status, module, result);
}

/* ---- layer_norm ---------------------------------------------------------- */

LB_METHOD(lbo_on_forward, layer_norm_forward);
static lb_status layer_norm_forward(lb_slot slot, lbo_module *module,
                                    lbo_context *context, lbo_tensor *input,
                                    lbo_tensor **output)
{
    LB_IGNORE(slot);
    return lbo_layer_norm(context, output, input, lboi_slot_tensor(module, 0),
                          lboi_slot_tensor(module, 1), 1, 1e-5);
}

lb_status lbo_layer_norm_module(lbo_context *context, int64_t size,
                                lbo_module **result)
{
    lbo_module *module;
    lb_status status = want_positive("layer_norm", "size", size);

    if (status == LB_OK)
        status = make(context, "layer_norm", &module);
    if (status != LB_OK)
        return status;
    status = add_parameter(context, module, "weight", 1, &size, -2);
    if (status == LB_OK)
        status = add_parameter(context, module, "bias", 1, &size, -1);
    return give(status, module, result);
}

/* ---- dropout ------------------------------------------------------------- */

typedef struct dropout_module {
    lbo_module base;
    double p;
} dropout_module;

LB_METHOD(lbo_on_forward, dropout_forward);
static lb_status dropout_forward(lb_slot slot, lbo_module *module,
                                 lbo_context *context, lbo_tensor *input,
                                 lbo_tensor **output)
{
    const double p = ((const dropout_module *)module)->p;

    LB_IGNORE(slot);
    if (module->training && p > 0)
        return lbo_dropout(context, output, input, p);
    *output = lbo_tensor_retain(input);
    return LB_OK;
}

lb_status lbo_dropout_module(lbo_context *context, double p,
                             lbo_module **result)
{
    lbo_module *module;
    lb_status status;

    if (!(p >= 0 && p < 1))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "dropout module: p is %g; 0 <= p < 1 is wanted", p);
    status = make(context, "dropout", &module);
    if (status != LB_OK)
        return status;
    ((dropout_module *)module)->p = p;
    *result = module;
    return LB_OK;
}

/* ---- pooling ------------------------------------------------------------- */

typedef struct pool2d_module {
    lbo_module base;
    lbo_pool2d_attributes attributes;
} pool2d_module;

LB_METHOD(lbo_on_forward, max_pool2d_forward);
static lb_status max_pool2d_forward(lb_slot slot, lbo_module *module,
                                    lbo_context *context, lbo_tensor *input,
                                    lbo_tensor **output)
{
    LB_IGNORE(slot);
    return lbo_max_pool2d(context, output, NULL, input,
                          &((const pool2d_module *)module)->attributes);
}

LB_METHOD(lbo_on_forward, avg_pool2d_forward);
static lb_status avg_pool2d_forward(lb_slot slot, lbo_module *module,
                                    lbo_context *context, lbo_tensor *input,
                                    lbo_tensor **output)
{
    LB_IGNORE(slot);
    return lbo_avg_pool2d(context, output, input,
                          &((const pool2d_module *)module)->attributes);
}

static lb_status make_pool(lbo_context *context, const char *name,
                           const lbo_pool2d_attributes *attributes,
                           lbo_module **result)
{
    lb_status status;

    if (attributes == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s module: attributes is NULL", name);
    status = make(context, name, result);
    if (status == LB_OK)
        ((pool2d_module *)*result)->attributes = *attributes;
    return status;
}

lb_status lbo_max_pool2d_module(lbo_context *context,
                                const lbo_pool2d_attributes *attributes,
                                lbo_module **result)
{
    return make_pool(context, "max_pool2d", attributes, result);
}

lb_status lbo_avg_pool2d_module(lbo_context *context,
                                const lbo_pool2d_attributes *attributes,
                                lbo_module **result)
{
    return make_pool(context, "avg_pool2d", attributes, result);
}

/* ---- activations --------------------------------------------------------- */

/* One class below `activation` for each operator, so that a rule for one of
 * them can be made. */
typedef struct activation_module {
    lbo_module base;
    const lbo_operator *op;
    union { /* room for an operator's switches, all off */
        bool flags[16];
        int64_t aligned;
    } attributes;
} activation_module;

LB_METHOD(lbo_on_forward, activation_forward);
static lb_status activation_forward(lb_slot slot, lbo_module *module,
                                    lbo_context *context, lbo_tensor *input,
                                    lbo_tensor **output)
{
    const activation_module *const self = (const activation_module *)module;
    lbo_tensor *out[LBO_MAX_OUT] = {NULL};
    lbo_call call = {.in = &input,
                     .out = out,
                     .in_count = 1,
                     .out_count = self->op->spec.out_count};

    LB_IGNORE(slot);
    if (self->op->spec.attribute_size > 0)
        call.attributes = &self->attributes;
    const lb_status status = lbo_run(context, self->op, &call);
    if (status != LB_OK)
        return status;
    *output = out[0];
    for (uint32_t i = 1; i < call.out_count; i++)
        lbo_tensor_release(out[i]);
    return LB_OK;
}

/* One input, and nothing to be said but switches (as gelu's). */
static bool can_activate(const lbo_operator_spec *spec)
{
    if (spec->in_count != 1 || spec->flags & LBO_LIST || spec->out_count < 1 ||
        spec->dispatched != 1 || spec->attribute_size > 16)
        return false;
    for (size_t i = 0; i < spec->attribute_count; i++)
        if (spec->attributes[i].type != LBO_ATTRIBUTE_FLAG)
            return false;
    return spec->attribute_size == 0 || spec->attribute_count > 0;
}

static lb_status find_activation(lbo_context *context, const char *name,
                                 const lbo_operator **op)
{
    if (context == NULL || name == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "activation module: an argument is NULL");
    *op = lbo_operator_find(context->library, name);
    if (*op == NULL)
        return lbo_fail(LB_NOT_FOUND,
                        "activation module: no operator \"%s\"; there are "
                        "relu, gelu, silu, tanh, sigmoid and those of plug-ins",
                        name);
    if (!can_activate(&(*op)->spec))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "activation module: %s is no operator of one input "
                        "without attributes",
                        name);
    return LB_OK;
}

lb_status lbo_activation_module(lbo_context *context, const char *name,
                                lbo_module **result)
{
    const lbo_operator *op = NULL;
    lbo_module *module;
    lb_status status = find_activation(context, name, &op);

    if (status != LB_OK)
        return status;
    lb_class *cls = lbo_module_class(context->library, name);
    if (cls == NULL)
        cls = lb_class_make(context->library->runtime, name, 0,
                            lbo_module_class(context->library, "activation"),
                            NULL);
    if (cls == NULL)
        return LB_NO_MEMORY;
    if (!lb_class_is_subclass(cls,
                              lbo_module_class(context->library, "activation")))
        cls = lbo_module_class(context->library, "activation");
    status = lbo_module_create(context->library, cls, name, &module);
    if (status != LB_OK)
        return status;
    ((activation_module *)module)->op = op;
    *result = module;
    return LB_OK;
}

/* ---- flatten and sequential ---------------------------------------------- */

LB_METHOD(lbo_on_forward, flatten_forward);
static lb_status flatten_forward(lb_slot slot, lbo_module *module,
                                 lbo_context *context, lbo_tensor *input,
                                 lbo_tensor **output)
{
    int64_t shape[2] = {1, 1};

    LB_IGNORE(slot);
    (void)module;
    if (input->ndim > 0)
        shape[0] = input->dims[0];
    for (unsigned i = 1; i < input->ndim; i++)
        shape[1] *= input->dims[i];
    return lbo_reshape(context, output, input, 2, shape);
}

lb_status lbo_flatten_module(lbo_context *context, lbo_module **result)
{
    return make(context, "flatten", result);
}

LB_METHOD(lbo_on_forward, sequential_forward);
static lb_status sequential_forward(lb_slot slot, lbo_module *module,
                                    lbo_context *context, lbo_tensor *input,
                                    lbo_tensor **output)
{
    lbo_tensor *at = lbo_tensor_retain(input);

    LB_IGNORE(slot);
    for (size_t i = 0; i < module->slots->count; i++) {
        lbo_tensor *next = NULL;
        lbo_module *const child = module->slots->at[i].child;
        if (child == NULL)
            continue;
        const lb_status status = lboi_forward_part(context, child, at, &next);
        lbo_tensor_release(at);
        if (status != LB_OK)
            return status;
        at = next;
    }
    *output = at;
    return LB_OK;
}

lb_status lbo_sequential(lbo_context *context, lbo_module *const *modules,
                         size_t count, lbo_module **result)
{
    lbo_module *module;
    lb_status status;

    if (modules == NULL && count > 0)
        return lbo_fail(LB_BAD_ARGUMENT, "sequential: modules is NULL");
    status = make(context, "sequential", &module);
    if (status != LB_OK)
        return status;
    for (size_t i = 0; i < count && status == LB_OK; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "%zu", i);
        status = lbo_module_add_child(module, name, modules[i]);
    }
    return give(status, module, result);
}

/* ---- beginning ----------------------------------------------------------- */

lb_status lboi_modules_init(lbo_library *library)
{
    static const struct {
        const char *name;
        size_t size;
        const lb_method *forward;
    } classes[] = {
        {"linear", sizeof(lbo_module), LB_DESCRIPTOR(linear_forward)},
        {"conv2d", sizeof(conv2d_module), LB_DESCRIPTOR(conv2d_forward)},
        {"embedding", sizeof(lbo_module), LB_DESCRIPTOR(embedding_forward)},
        {"layer_norm", sizeof(lbo_module), LB_DESCRIPTOR(layer_norm_forward)},
        {"dropout", sizeof(dropout_module), LB_DESCRIPTOR(dropout_forward)},
        {"max_pool2d", sizeof(pool2d_module),
         LB_DESCRIPTOR(max_pool2d_forward)},
        {"avg_pool2d", sizeof(pool2d_module),
         LB_DESCRIPTOR(avg_pool2d_forward)},
        {"activation", sizeof(activation_module),
         LB_DESCRIPTOR(activation_forward)},
        {"flatten", sizeof(lbo_module), LB_DESCRIPTOR(flatten_forward)},
        {"sequential", sizeof(lbo_module), LB_DESCRIPTOR(sequential_forward)},
    };

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const lb_status status = lboi_module_class_make(
            library, classes[i].name, classes[i].size, classes[i].forward);
        if (status != LB_OK)
            return status;
    }
    return LB_OK;
}
