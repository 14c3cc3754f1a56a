/* latebind/ops/module.h - models: parts with parameters, forward and backward.
 *
 * A module is an object of a class below `module`. What it computes is its
 * class's method of the generic function
 * "module.forward"; a class without one inherits
 * its base's, or calling it is a clear error. "backward" has a method for all
 * modules (through the history that autograd recorded); a class that knows
 * better adds its own. To make one's own:
 *
 *     typedef struct { lbo_module base; lbo_module *first, *second; } net;
 *     LB_METHOD(lbo_on_forward, net_forward);
 *     cls = lb_class_make(lbo_runtime(library), "net", sizeof(net),
 *                         lbo_module_class(library, "module"), NULL);
 *     lb_add_classes(lb_generic_head(lbo_generic(library, "module.forward")),
 *                    LB_DESCRIPTOR(net_forward), (lb_class *[]){cls});
 *     lbo_module_create(library, cls, "net", &module);
 */
#ifndef LATEBIND_OPS_MODULE_H
#define LATEBIND_OPS_MODULE_H

#include "latebind/ops/autograd.h"
#include "latebind/ops/functions.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a module's own struct begins with. */
typedef struct lbo_module {
    lb_header head;
    uint32_t references; /* atomic */
    bool training;
    lbo_library *library;
    lb_class *cls;
    char *name;
    struct lbo_slot_list *slots; /* parameters, buffers and children in the
                                    order in which they were added */
    lbo_tensor *last_in;         /* what `backward` of all modules needs */
    lbo_tensor *last_out;
} lbo_module;

/* The heads of these are exported. */
#pragma GCC visibility push(default)

/* output = what the module makes of input: a new reference. */
LB_GENERIC(lb_status, lbo_on_forward, (ON, lbo_module *, module),
           (WITH, lbo_context *, context), (WITH, lbo_tensor *, input),
           (WITH, lbo_tensor **, output));
/* Adds gradients to the parameters, and gives the one by the input (NULL where
 * the input was not followed) of the last forward in training, once. Parts that
 * ran inside another module's forward have none of their own. */
LB_GENERIC(lb_status, lbo_on_backward, (ON, lbo_module *, module),
           (WITH, lbo_context *, context), (WITH, lbo_tensor *, gradient),
           (WITH, lbo_tensor **, input_gradient));
/* Before a module is freed: its class gives back what is its own. */
LB_GENERIC_VOID(lbo_on_module_free, (ON, lbo_module *, module));

#pragma GCC visibility pop

/* The class of modules of that name: "module", "linear", "conv2d", "relu", ...,
 * or one of the user's; NULL: none. */
LB_PUBLIC lb_class *lbo_module_class(lbo_library *library, const char *name);

/* A zeroed instance of a class below `module`. name: copied; NULL: the class's.
 */
LB_PUBLIC lb_status lbo_module_create(lbo_library *library, lb_class *cls,
                                      const char *name, lbo_module **result);
LB_PUBLIC lbo_module *lbo_module_retain(lbo_module *module);
LB_PUBLIC void lbo_module_release(lbo_module *module); /* NULL allowed */

/* Gives a module a parameter (learned), a buffer (saved, not learned) or a
 * child; the module takes a reference. LB_EXISTS: the name is taken; it must not
 * contain a dot. */
LB_PUBLIC lb_status lbo_module_add_parameter(lbo_module *module,
                                             const char *name,
                                             lbo_tensor *tensor);
LB_PUBLIC lb_status lbo_module_add_buffer(lbo_module *module, const char *name,
                                          lbo_tensor *tensor);
LB_PUBLIC lb_status lbo_module_add_child(lbo_module *module, const char *name,
                                         lbo_module *child);

/* The parameter, buffer or child at a path ("0.weight"; borrowed), or NULL. */
LB_PUBLIC lbo_tensor *lbo_module_tensor(lbo_module *module, const char *path);
LB_PUBLIC lbo_module *lbo_module_child(lbo_module *module, const char *path);

/* Calls `visit` with every parameter (buffers: also buffers) below the module,
 * with its path, each tensor once; stops at a failure and returns it. */
typedef lb_status (*lbo_visit_fn)(void *context, const char *path,
                                  lbo_tensor *tensor, bool learned);
LB_PUBLIC lb_status lbo_module_visit(lbo_module *module, bool buffers,
                                     lbo_visit_fn visit, void *context);

/* The number of elements of all parameters. */
LB_PUBLIC int64_t lbo_module_size(lbo_module *module);

/* Training or evaluation, for a module and all below it. */
LB_PUBLIC void lbo_module_train(lbo_module *module, bool training);

/* Moves all tensors to a device, in place (optimizers made afterwards). */
LB_PUBLIC lb_status lbo_module_to_device(lbo_context *context,
                                         lbo_module *module,
                                         lbo_device *device);

/* Runs the module. Errors: LB_NO_METHOD (names the class, and what would have to
 * be defined), what it does. */
LB_PUBLIC lb_status lbo_forward(lbo_context *context, lbo_module *module,
                                lbo_tensor *input, lbo_tensor **output);
LB_PUBLIC lb_status lbo_module_backward(lbo_context *context,
                                        lbo_module *module,
                                        lbo_tensor *gradient,
                                        lbo_tensor **input_gradient);

/* The modules that come along. Their parameters are made on the context's
 * device, with PyTorch's initial distributions, from the context's numbers. */
LB_PUBLIC lb_status lbo_linear_module(lbo_context *context, int64_t in,
                                      int64_t out, bool bias,
                                      lbo_module **result);
LB_PUBLIC lb_status lbo_conv2d_module(lbo_context *context, int64_t in,
                                      int64_t out, int64_t kernel,
                                      const lbo_conv2d_attributes *attributes,
                                      bool bias, lbo_module **result);
LB_PUBLIC lb_status lbo_embedding_module(lbo_context *context, int64_t rows,
                                         int64_t size, lbo_module **result);
LB_PUBLIC lb_status lbo_layer_norm_module(lbo_context *context, int64_t size,
                                          lbo_module **result);
LB_PUBLIC lb_status lbo_dropout_module(lbo_context *context, double p,
                                       lbo_module **result);
LB_PUBLIC lb_status lbo_max_pool2d_module(
    lbo_context *context, const lbo_pool2d_attributes *attributes,
    lbo_module **result);
LB_PUBLIC lb_status lbo_avg_pool2d_module(
    lbo_context *context, const lbo_pool2d_attributes *attributes,
    lbo_module **result);
/* One whose forward is an operator of one input without attributes ("relu",
 * "tanh", or a plug-in's); gelu is by erf. */
LB_PUBLIC lb_status lbo_activation_module(lbo_context *context, const char *op,
                                          lbo_module **result);
/* Everything but the first dimension becomes one. */
LB_PUBLIC lb_status lbo_flatten_module(lbo_context *context,
                                       lbo_module **result);
/* Self-attention over [batch, time, size] with `heads` heads; causal: a place
 * sees only itself and what is before it. */
LB_PUBLIC lb_status lbo_attention_module(lbo_context *context, int64_t size,
                                         int64_t heads, bool causal,
                                         double dropout, lbo_module **result);
/* One after the other; children "0", "1", ... The modules get a reference. */
LB_PUBLIC lb_status lbo_sequential(lbo_context *context,
                                   lbo_module *const *modules, size_t count,
                                   lbo_module **result);

#ifdef __cplusplus
}
#endif
#endif
