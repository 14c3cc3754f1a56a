/* optimizer.c - stochastic gradient descent with momentum, Adam, and what all
 * optimizers share.
 *
 * SGD: Sutskever et al. 2013; Adam: Kingma and Ba 2015; AdamW: Loshchilov and
 * Hutter 2019; each as PyTorch computes it, by one operator per parameter that
 * updates in place. Tensors of state begin as zeros, at a parameter's first
 * step.
 */
#include "models/slots.h"

#include <math.h>
#include <string.h>

LB_DEFINE_GENERIC(lbo_on_optimizer_free);

static lb_status no_step(lb_slot slot, lbo_optimizer *optimizer,
                         lbo_context *context)
{
    const lb_status why = (lb_status)lb_load_entry(slot)->status;

    (void)context;
    return lbo_fail(why == LB_OK ? LB_NO_METHOD : why,
                    "class %s has no step; define a method of optimizer.step "
                    "for it",
                    lb_class_name(optimizer->cls));
}

LB_DEFINE_GENERIC_WITH(lbo_on_step, no_step);

/* ---- making and ending --------------------------------------------------- */

lb_class *lbo_optimizer_class(lbo_library *library, const char *name)
{
    lb_class *const found =
        library && name ? lb_class_find(library->runtime, name) : NULL;

    return lb_class_is_subclass(found, library ? library->optimizers : NULL)
               ? found
               : NULL;
}

static lb_status count_one(void *context, const char *path, lbo_tensor *tensor,
                           bool learned)
{
    (void)path;
    (void)tensor;
    (void)learned;
    ++*(size_t *)context;
    return LB_OK;
}

static lb_status keep_parameter(void *context, const char *path,
                                lbo_tensor *tensor, bool learned)
{
    lbo_optimizer *const o = context;

    (void)learned;
    o->paths[o->count] = lboi_copy_text(o->library, path);
    if (o->paths[o->count] == NULL)
        return LB_NO_MEMORY;
    o->parameters[o->count++] = lbo_tensor_retain(tensor);
    return LB_OK;
}

/* lboi_alloc of nothing is not NULL. */
static void *alloc_pointers(lbo_library *library, size_t count)
{
    return lboi_zalloc(library, (count + 1) * sizeof(void *));
}

static void free_pointers(lbo_library *library, void *pointers, size_t count)
{
    lboi_free(library, pointers, (count + 1) * sizeof(void *));
}

static void drop_state(lbo_optimizer *o)
{
    if (o->state == NULL)
        return;
    for (size_t i = 0; i < o->count * o->state_each; i++)
        lbo_tensor_release(o->state[i]);
    free_pointers(o->library, o->state, o->count * o->state_each);
    o->state = NULL;
    o->state_each = 0;
}

static void free_optimizer(lbo_optimizer *o, size_t room)
{
    drop_state(o);
    for (size_t i = 0; i < o->count; i++) {
        lboi_free_text(o->library, o->paths[i]);
        lbo_tensor_release(o->parameters[i]);
    }
    free_pointers(o->library, o->paths, room);
    free_pointers(o->library, o->parameters, room);
    lb_delete(o->cls, o);
}

static lb_status keep_parameters(lbo_optimizer *o, lbo_module *module,
                                 size_t room)
{
    o->parameters = alloc_pointers(o->library, room);
    o->paths = alloc_pointers(o->library, room);
    if (o->parameters == NULL || o->paths == NULL)
        return LB_NO_MEMORY;
    return lbo_module_visit(module, false, keep_parameter, o);
}

lb_status lbo_optimizer_create(lb_class *cls, lbo_module *module, double rate,
                               lbo_optimizer **result)
{
    size_t room = 0;

    if (cls == NULL || module == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_optimizer_create: an argument is NULL");
    if (!lb_class_is_subclass(cls, module->library->optimizers))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_optimizer_create: class %s does not derive from "
                        "optimizer",
                        lb_class_name(cls));
    lb_status status = lbo_module_visit(module, false, count_one, &room);
    if (status != LB_OK)
        return status;
    lbo_optimizer *const o = lb_new(cls);
    if (o == NULL)
        return LB_NO_MEMORY;
    o->library = module->library;
    o->cls = cls;
    o->rate = rate;
    status = keep_parameters(o, module, room);
    if (status == LB_OK)
        *result = o;
    else
        free_optimizer(o, room);
    return status;
}

void lbo_optimizer_destroy(lbo_optimizer *optimizer)
{
    if (optimizer == NULL)
        return;
    lboi_gate *const gate = lboi_enter(optimizer->library);
    lb_in_lbo_on_optimizer_free(
        optimizer->library->functions[LBOI_OPTIMIZER_FREE], optimizer);
    lboi_leave(gate);
    free_optimizer(optimizer, optimizer->count);
}

lb_status lbo_optimizer_set_state(lbo_optimizer *optimizer, size_t each)
{
    if (optimizer == NULL || each > 16)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_optimizer_set_state: the optimizer is NULL, or "
                        "more than 16 tensors of state are wanted");
    lbo_tensor **const state =
        alloc_pointers(optimizer->library, optimizer->count * each);
    if (state == NULL)
        return LB_NO_MEMORY;
    drop_state(optimizer);
    optimizer->state = state;
    optimizer->state_each = each;
    return LB_OK;
}

static lb_status zeros_like(lbo_context *context, const lbo_tensor *like,
                            lbo_tensor **result)
{
    lbo_spec spec = {.device = lbo_tensor_device(like),
                     .dtype = like->dtype,
                     .ndim = like->ndim};
    lbo_tensor *made = NULL;
    lb_status status;

    memcpy(spec.shape, like->dims, like->ndim * sizeof *spec.shape);
    status = lbo_tensor_create(context, &spec, &made);
    if (status == LB_OK)
        status = lbo_fill(context, made, 0);
    if (status == LB_OK)
        *result = made;
    else
        lbo_tensor_release(made);
    return status;
}

lb_status lbo_optimizer_state(lbo_context *context, lbo_optimizer *optimizer,
                              size_t parameter, size_t index,
                              lbo_tensor **result)
{
    lb_status status = LB_OK;

    if (context == NULL || optimizer == NULL || result == NULL ||
        parameter >= optimizer->count || index >= optimizer->state_each)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_optimizer_state: an argument is NULL, or there is "
                        "no such parameter or state");
    lbo_tensor **const at =
        &optimizer->state[parameter * optimizer->state_each + index];
    if (*at == NULL)
        status = zeros_like(context, optimizer->parameters[parameter], at);
    *result = *at;
    return status;
}

/* ---- sgd ----------------------------------------------------------------- */

typedef struct sgd {
    lbo_optimizer base;
    lbo_sgd_attributes attributes;
} sgd;

static lb_status sgd_parameter(lbo_context *context, sgd *self, size_t i)
{
    lbo_tensor *const parameter = self->base.parameters[i];
    lbo_tensor *const gradient = lbo_gradient(parameter);
    lbo_tensor *velocity = NULL;
    lb_status status = LB_OK;

    if (gradient == NULL)
        return LB_OK;
    if (self->base.state_each > 0)
        status = lbo_optimizer_state(context, &self->base, i, 0, &velocity);
    return status == LB_OK ? lbo_sgd_step(context, parameter, gradient,
                                          velocity, &self->attributes)
                           : status;
}

LB_METHOD(lbo_on_step, sgd_step);
static lb_status sgd_step(lb_slot slot, lbo_optimizer *optimizer,
                          lbo_context *context)
{
    sgd *const self = (sgd *)optimizer;
    lb_status status = LB_OK;

    LB_IGNORE(slot);
    self->attributes.rate = optimizer->rate;
    for (size_t i = 0; i < optimizer->count && status == LB_OK; i++)
        status = sgd_parameter(context, self, i);
    return status;
}

static lb_status make(lbo_module *module, const char *name, double rate,
                      size_t state_each, lbo_optimizer **result)
{
    lbo_optimizer *made;
    lb_status status;

    if (module == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: an argument is NULL", name);
    status = lbo_optimizer_create(lbo_optimizer_class(module->library, name),
                                  module, rate, &made);
    if (status == LB_OK)
        status = lbo_optimizer_set_state(made, state_each);
    else
        return status;
    if (status == LB_OK)
        *result = made;
    else
        lbo_optimizer_destroy(made);
    return status;
}

lb_status lbo_sgd(lbo_module *module, double rate, double momentum,
                  double decay, bool nesterov, lbo_optimizer **result)
{
    if (!(momentum >= 0) || !(decay >= 0) || (nesterov && momentum == 0))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "sgd: momentum %g and decay %g must not be negative, "
                        "and nesterov wants a momentum",
                        momentum, decay);
    const lb_status status =
        make(module, "sgd", rate, momentum > 0 ? 1 : 0, result);
    if (status == LB_OK)
        ((sgd *)*result)->attributes = (lbo_sgd_attributes){
            .momentum = momentum, .decay = decay, .nesterov = nesterov};
    return status;
}

/* ---- adam ---------------------------------------------------------------- */

typedef struct adam {
    lbo_optimizer base;
    lbo_adam_attributes attributes;
} adam;

static lb_status adam_parameter(lbo_context *context, adam *self, size_t i)
{
    lbo_tensor *const parameter = self->base.parameters[i];
    lbo_tensor *const gradient = lbo_gradient(parameter);
    lbo_tensor *first, *second;
    lb_status status;

    if (gradient == NULL)
        return LB_OK;
    status = lbo_optimizer_state(context, &self->base, i, 0, &first);
    if (status == LB_OK)
        status = lbo_optimizer_state(context, &self->base, i, 1, &second);
    return status == LB_OK ? lbo_adam_step(context, parameter, gradient, first,
                                           second, &self->attributes)
                           : status;
}

LB_METHOD(lbo_on_step, adam_step);
static lb_status adam_step(lb_slot slot, lbo_optimizer *optimizer,
                           lbo_context *context)
{
    adam *const self = (adam *)optimizer;
    lb_status status = LB_OK;

    LB_IGNORE(slot);
    self->attributes.rate = optimizer->rate;
    self->attributes.step = optimizer->steps + 1;
    for (size_t i = 0; i < optimizer->count && status == LB_OK; i++)
        status = adam_parameter(context, self, i);
    return status;
}

lb_status lbo_adam(lbo_module *module, double rate, double beta1, double beta2,
                   double epsilon, double decay, bool decoupled,
                   lbo_optimizer **result)
{
    if (!(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1) ||
        !(epsilon >= 0) || !(decay >= 0))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "adam: 0 <= beta < 1 is wanted, epsilon and decay not "
                        "negative; they are %g, %g, %g, %g",
                        beta1, beta2, epsilon, decay);
    const lb_status status = make(module, "adam", rate, 2, result);
    if (status == LB_OK)
        ((adam *)*result)->attributes =
            (lbo_adam_attributes){.beta1 = beta1,
                                  .beta2 = beta2,
                                  .epsilon = epsilon,
                                  .decay = decay,
                                  .decoupled = decoupled};
    return status;
}

/* ---- what all have ------------------------------------------------------- */

lb_status lbo_step(lbo_context *context, lbo_optimizer *optimizer)
{
    if (context == NULL || optimizer == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_step: an argument is NULL");
    lbo_enter(context);
    const lb_status status = lb_in_lbo_on_step(
        optimizer->library->functions[LBOI_STEP], optimizer, context);
    lbo_leave(context);
    if (status == LB_OK)
        optimizer->steps++;
    return status;
}

void lbo_zero_gradients(lbo_optimizer *optimizer)
{
    for (size_t i = 0; optimizer != NULL && i < optimizer->count; i++)
        (void)lbo_set_gradient(optimizer->parameters[i], NULL);
}

/* The sum of squares, as f32 or f64 without a dimension. */
static lb_status squares(lbo_context *context, lbo_tensor *x,
                         lbo_tensor **result)
{
    lbo_tensor *wide = NULL, *flat = NULL;
    const lbo_dtype type = x->dtype == LBO_F64 ? LBO_F64 : LBO_F32;
    lb_status status = LB_OK;

    if (x->dtype == type)
        wide = lbo_tensor_retain(x);
    else
        status = lbo_cast(context, &wide, x, type);
    if (status == LB_OK)
        status = lbo_reshape(context, &flat, wide, 1, (int64_t[]){x->size});
    if (status == LB_OK)
        status = lbo_matmul(context, result, flat, flat);
    lbo_tensor_release(wide);
    lbo_tensor_release(flat);
    return status;
}

/* Adds up on the device, so that one number comes back. */
static lb_status norm_of(lbo_context *context, const lbo_optimizer *o,
                         double *norm)
{
    lbo_tensor *total = NULL;
    lb_status status = LB_OK;

    for (size_t i = 0; i < o->count && status == LB_OK; i++) {
        lbo_tensor *const gradient = lbo_gradient(o->parameters[i]);
        lbo_tensor *part = NULL, *sum = NULL;
        if (gradient == NULL || gradient->size == 0)
            continue;
        status = squares(context, gradient, &part);
        if (status == LB_OK && total != NULL) {
            status = lbo_add(context, &sum, total, part);
            lbo_tensor_release(part);
            part = sum;
        }
        if (status != LB_OK)
            continue;
        lbo_tensor_release(total);
        total = part;
    }
    *norm = 0;
    if (status == LB_OK && total != NULL)
        status = lbo_item(context, total, norm);
    lbo_tensor_release(total);
    *norm = sqrt(*norm);
    return status;
}

static lb_status scale_gradients(lbo_context *context, const lbo_optimizer *o,
                                 double factor)
{
    lbo_tensor *by = NULL;
    lb_status status = lbo_scalar(context, factor, &by);

    for (size_t i = 0; i < o->count && status == LB_OK; i++) {
        lbo_tensor *const gradient = lbo_gradient(o->parameters[i]);
        lbo_tensor *scaled = NULL;
        if (gradient == NULL)
            continue;
        status = lbo_mul(context, &scaled, gradient, by);
        if (status == LB_OK)
            status = lbo_set_gradient(o->parameters[i], scaled);
        lbo_tensor_release(scaled);
    }
    lbo_tensor_release(by);
    return status;
}

lb_status lbo_clip_gradients(lbo_context *context, lbo_optimizer *optimizer,
                             double norm, double *before)
{
    double found;

    if (context == NULL || optimizer == NULL || !(norm > 0))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_clip_gradients: an argument is NULL, or the norm "
                        "is not above 0");
    lb_status status = norm_of(context, optimizer, &found);
    if (status == LB_OK && found > norm)
        status = scale_gradients(context, optimizer, norm / (found + 1e-6));
    if (status == LB_OK && before != NULL)
        *before = found;
    return status;
}

/* ---- beginning ----------------------------------------------------------- */

LB_METHOD(lbo_on_optimizer_free, nothing_of_its_own);
static void nothing_of_its_own(lb_slot slot, lbo_optimizer *optimizer)
{
    LB_IGNORE(slot);
    (void)optimizer;
}

static lb_status make_class(lbo_library *library, const char *name, size_t size,
                            const lb_method *step)
{
    lb_class *const cls =
        lb_class_make(library->runtime, name, size, library->optimizers, NULL);

    return cls == NULL ? LB_NO_MEMORY
                       : lb_add_classes(library->functions[LBOI_STEP], step,
                                        (lb_class *[]){cls});
}

static lb_status make_base(lbo_library *library)
{
    lb_status status = lboi_bind(library, LBOI_STEP, "optimizer.step",
                                 LB_HEAD(lbo_on_step)->signature);

    if (status == LB_OK)
        status = lboi_bind(library, LBOI_OPTIMIZER_FREE, "optimizer.free",
                           LB_HEAD(lbo_on_optimizer_free)->signature);
    if (status != LB_OK)
        return status;
    library->optimizers = lb_class_make(library->runtime, "optimizer",
                                        sizeof(lbo_optimizer), NULL, NULL);
    if (library->optimizers == NULL)
        return LB_NO_MEMORY;
    return lb_add_classes(library->functions[LBOI_OPTIMIZER_FREE],
                          LB_DESCRIPTOR(nothing_of_its_own),
                          (lb_class *[]){library->optimizers});
}

lb_status lboi_optimizers_init(lbo_library *library)
{
    lb_status status = make_base(library);

    if (status == LB_OK)
        status =
            make_class(library, "sgd", sizeof(sgd), LB_DESCRIPTOR(sgd_step));
    if (status == LB_OK)
        status =
            make_class(library, "adam", sizeof(adam), LB_DESCRIPTOR(adam_step));
    return status;
}
