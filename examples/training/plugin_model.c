/* plugin_model.c - a model that train does not know: an MLP with residuals.
 *
 *     train --model ./plugin_model.so
 *
 * Its `load` adds a line to the table of models. The model is a class below
 * `module` with a forward of its own; its backward is inherited. */
#include "models.h"

#include <stdio.h>

enum { DEPTH = 3 };

typedef struct residual {
    lbo_module base;
    lbo_module *flatten, *enter, *leave, *act;
    lbo_module *middle[DEPTH];
} residual;

/* *x = what the part makes of it, and added to it where `add`. */
static lb_status step(lbo_context *context, lbo_module *part, lbo_tensor **x,
                      bool add)
{
    lbo_tensor *made = NULL, *sum = NULL;
    lb_status status = lbo_forward(context, part, *x, &made);

    if (status == LB_OK && add) {
        status = lbo_add(context, &sum, *x, made);
        lbo_tensor_release(made);
        made = sum;
    }
    if (status != LB_OK)
        return status;
    lbo_tensor_release(*x);
    *x = made;
    return LB_OK;
}

LB_METHOD(lbo_on_forward, residual_forward);
static lb_status residual_forward(lb_slot slot, lbo_module *module,
                                  lbo_context *context, lbo_tensor *input,
                                  lbo_tensor **output)
{
    const residual *const r = (const residual *)module;
    lbo_tensor *x = lbo_tensor_retain(input);
    lb_status status = step(context, r->flatten, &x, false);

    LB_IGNORE(slot);
    if (status == LB_OK)
        status = step(context, r->enter, &x, false);
    for (int i = 0; i < DEPTH && status == LB_OK; i++) {
        status = step(context, r->act, &x, false);
        if (status == LB_OK)
            status = step(context, r->middle[i], &x, true);
    }
    if (status == LB_OK)
        status = step(context, r->leave, &x, false);
    if (status == LB_OK)
        *output = x;
    else
        lbo_tensor_release(x);
    return status;
}

static lb_status put(residual *r, const char *name, lb_status status,
                     lbo_module *part, lbo_module **place)
{
    if (status != LB_OK)
        return status;
    status = lbo_module_add_child(&r->base, name, part);
    *place = part;
    lbo_module_release(part); /* the module has its own reference */
    return status;
}

static lb_status fill(lbo_context *context, residual *r,
                      const model_options *options)
{
    const int64_t width = options->width > 0 ? options->width : 64;
    lbo_module *p = NULL;
    lb_status s = lbo_flatten_module(context, &p);

    s = put(r, "flatten", s, p, &r->flatten);
    if (s == LB_OK)
        s = lbo_linear_module(context, 64, width, true, &p);
    s = put(r, "enter", s, p, &r->enter);
    if (s == LB_OK)
        s = lbo_activation_module(
            context, options->activation ? options->activation : "relu", &p);
    s = put(r, "act", s, p, &r->act);
    for (int i = 0; i < DEPTH; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "middle%d", i);
        if (s == LB_OK)
            s = lbo_linear_module(context, width, width, true, &p);
        s = put(r, name, s, p, &r->middle[i]);
    }
    if (s == LB_OK)
        s = lbo_linear_module(context, width, options->classes, true, &p);
    return put(r, "leave", s, p, &r->leave);
}

static lb_status make(lbo_context *context, const model_options *options,
                      lbo_module **result)
{
    lbo_library *const library = lbo_context_library(context);
    lbo_module *module = NULL;
    lb_status status = lbo_module_create(
        library, lbo_module_class(library, "residual"), NULL, &module);

    if (status == LB_OK)
        status = fill(context, (residual *)module, options);
    if (status == LB_OK)
        *result = module;
    else
        lbo_module_release(module);
    return status;
}

static const model line = {"residual", DATA_DIGITS, make, 900, 32, 1e-3};

static lb_status load(lb_runtime *runtime, lb_group *group, void **own)
{
    lbo_library *const library = lbo_library_of(runtime);
    lb_class *cls;

    (void)own;
    if (library == NULL)
        return lbo_fail(LB_BAD_PLUGIN, "residual wants a library of operators");
    cls = lb_class_make(runtime, "residual", sizeof(residual),
                        lbo_module_class(library, "module"), NULL);
    if (cls == NULL)
        return LB_NO_MEMORY;
    const lb_specializer on = lb_is(cls);
    const lb_rule rule = {.method = LB_DESCRIPTOR(residual_forward),
                          .specializers = &on,
                          .count = 1};
    if (!models_add(&line))
        return lbo_fail(LB_LIMIT, "residual: no room for another model");
    return lb_group_add(group, lbo_generic(library, "module.forward"), &rule,
                        1);
}

LB_PLUGIN("residual", load, NULL);
