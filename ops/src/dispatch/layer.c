/* layer.c - layers as around methods on the context's class.
 *
 * Each layer is a class below `layered`, which is below `context`; each operator
 * that it wraps gets an around rule (layer, any, any). An order of active layers
 * is a class that derives from them in this order, so that its linearization is
 * the order of the chain. Every operator has an around rule for `layered`, the
 * last one before the kernel. While a handler runs, the context knows it, and an
 * operator that it runs begins at the layers further in; while a kernel runs,
 * at none.
 */
#include "library.h"

#include <stdio.h>
#include <string.h>

LB_METHOD(lbo_unary, wrap_unary);
LB_METHOD(lbo_binary, wrap_binary);
LB_METHOD(lbo_unary, finish_unary);
LB_METHOD(lbo_binary, finish_binary);

static const lbo_layer below_all;
const lbo_layer *const lboi_below = &below_all;

/* The context's header follows `running` only when an operator is run (lbo_run):
 * a handler that just goes on pays for two stores. */
static inline lb_status enter_layer(lbo_context *context, lbo_call *call,
                                    const lb_entry *self)
{
    lbo_layer *const layer = self->context;
    const lbo_layer *const before = context->call.running;

    context->call.running = layer;
    const lb_status status = layer->call.handler(layer, context, call, self);
    context->call.running = before;
    return status;
}

static lb_status wrap_unary(lb_slot slot, lbo_context *context, lbo_tensor *a,
                            lbo_call *call)
{
    LB_SELF(lbo_unary, wrap_unary, slot, context, a, call);
    return enter_layer(context, call, self);
}

static lb_status wrap_binary(lb_slot slot, lbo_context *context, lbo_tensor *a,
                             lbo_tensor *b, lbo_call *call)
{
    LB_SELF(lbo_binary, wrap_binary, slot, context, a, b, call);
    return enter_layer(context, call, self);
}

/* What an earlier run of the rest has made, when a handler runs it again. */
static void forget_results(lbo_call *call)
{
    for (uint32_t i = 0; i < call->out_count; i++)
        if (call->out[i] != NULL && !(call->given >> i & 1)) {
            lbo_tensor_release(call->out[i]);
            call->out[i] = NULL;
        }
}

/* After the last layer: results are made, and the kernel runs below all. */
static lb_status innermost(lbo_context *context, lbo_call *call,
                           const lb_entry *self)
{
    const lbo_layer *const before = context->call.running;

    if (LB_UNLIKELY(call->prepared))
        forget_results(call);
    context->call.running = lboi_below;
    const lb_status status = lboi_run_kernel(context, call, self);
    context->call.running = before;
    return status;
}

static lb_status finish_unary(lb_slot slot, lbo_context *context, lbo_tensor *a,
                              lbo_call *call)
{
    LB_SELF(lbo_unary, finish_unary, slot, context, a, call);
    return innermost(context, call, self);
}

static lb_status finish_binary(lb_slot slot, lbo_context *context,
                               lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_SELF(lbo_binary, finish_binary, slot, context, a, b, call);
    return innermost(context, call, self);
}

/* ---- rules ------------------------------------------------------------------ */

static lb_rule layer_rule(const lbo_operator *op, lbo_layer *layer,
                          lb_specializer *specializer)
{
    *specializer = lb_is(layer->cls);
    return (lb_rule){.method = op->spec.dispatched == 2
                                   ? LB_DESCRIPTOR(wrap_binary)
                                   : LB_DESCRIPTOR(wrap_unary),
                     .specializers = specializer,
                     .count = 1,
                     .qualifier = LB_AROUND,
                     .context = layer};
}

/* The rule that ends the chain of layers. */
static lb_status add_finish(const lbo_operator *op)
{
    const lb_specializer specializer = lb_is(op->library->layered);
    const lb_rule rule = {.method = op->spec.dispatched == 2
                                        ? LB_DESCRIPTOR(finish_binary)
                                        : LB_DESCRIPTOR(finish_unary),
                          .specializers = &specializer,
                          .count = 1,
                          .qualifier = LB_AROUND};

    return lb_add_rules(op->generic, &rule, 1);
}

static lb_status wrap(const lbo_operator *op, lbo_layer *layer)
{
    lb_specializer specializer;
    const lb_rule rule = layer_rule(op, layer, &specializer);

    return lb_add_rules(op->generic, &rule, 1);
}

/* A rule that cannot be removed for lack of memory stays for a while: it names a
 * class that no context has any more, so that it never runs (see end_layer). */
static void unwrap(const lbo_operator *op, lbo_layer *layer)
{
    lb_specializer specializer;
    const lb_rule rule = layer_rule(op, layer, &specializer);

    (void)lb_remove_rules(op->generic, &rule, 1);
}

/* Under the layers' mutex, as the operator's becoming visible: so no layer that
 * is made meanwhile misses it. */
lb_status lboi_layers_wrap(lbo_library *library, lbo_operator *op)
{
    lb_status status = add_finish(op);

    for (size_t i = 0; i < library->layer_count && status == LB_OK; i++)
        if (library->layers[i]->operators == NULL)
            status = wrap(op, library->layers[i]);
    return status;
}

static lb_status wrap_all(lbo_library *library, lbo_layer *layer)
{
    lb_status status = LB_OK;

    if (layer->operators != NULL) {
        for (size_t i = 0; i < layer->spec.operator_count && status == LB_OK;
             i++)
            status = wrap(layer->operators[i], layer);
        return status;
    }
    for (size_t i = 0; i < library->operator_count && status == LB_OK; i++)
        status = wrap(library->operators[i], layer);
    return status;
}

static void unwrap_all(lbo_library *library, lbo_layer *layer)
{
    if (layer->operators != NULL) {
        for (size_t i = 0; i < layer->spec.operator_count; i++)
            unwrap(layer->operators[i], layer);
        return;
    }
    for (size_t i = 0; i < library->operator_count; i++)
        unwrap(library->operators[i], layer);
}

/* ---- layers ------------------------------------------------------------------ */

lb_status lboi_layers_init(lbo_library *library)
{
    library->contexts =
        lb_class_make(library->runtime, "context", 0, NULL, NULL);
    if (library->contexts == NULL)
        return LB_NO_MEMORY;
    library->layered =
        lb_class_make(library->runtime, "layered", 0, library->contexts, NULL);
    if (library->layered == NULL)
        return LB_NO_MEMORY;
    library->plain = lb_class_header(library->contexts);
    return LB_OK;
}

/* One more than there are names: there may be none. */
static size_t names_size(const lbo_layer *layer)
{
    return (layer->spec.operator_count + 1) * sizeof(void *);
}

static void free_layer(lbo_layer *layer)
{
    lbo_library *const library = layer->library;

    lboi_free(library, layer->operators, names_size(layer));
    lboi_free_text(library, layer->name);
    lboi_free(library, layer, sizeof *layer);
}

void lboi_layers_end(lbo_library *library)
{
    for (size_t i = 0; i < library->layer_count; i++) {
        lbo_layer *const layer = library->layers[i];
        if (layer->spec.release != NULL)
            layer->spec.release(layer->spec.data);
        free_layer(layer);
    }
    while (library->ending != NULL) {
        lbo_layer *const layer = library->ending;
        library->ending = layer->next;
        free_layer(layer);
    }
    for (size_t i = 0; i < library->order_count; i++)
        lboi_free(library, library->orders[i], sizeof(lboi_order));
    lboi_free(library, library->layers,
              library->layer_capacity * sizeof(void *));
    lboi_free(library, library->orders,
              library->order_capacity * sizeof(void *));
}

static lb_status name_operators(lbo_layer *layer)
{
    lbo_library *const library = layer->library;
    const size_t count = layer->spec.operator_count;

    if (layer->spec.operators == NULL)
        return LB_OK;
    layer->operators = lboi_zalloc(library, names_size(layer));
    if (layer->operators == NULL)
        return LB_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (layer->spec.operators[i] == NULL)
            return lbo_fail(LB_BAD_ARGUMENT, "layer %s: operator %zu is NULL",
                            layer->name, i);
        layer->operators[i] =
            lbo_operator_find(library, layer->spec.operators[i]);
        if (layer->operators[i] == NULL)
            return lbo_fail(LB_NOT_FOUND,
                            "layer %s: there is no operator \"%s\"",
                            layer->name, layer->spec.operators[i]);
    }
    layer->spec.operators = NULL; /* the caller's */
    return LB_OK;
}

static bool has_layer(const lboi_order *order, const lbo_layer *layer)
{
    for (uint32_t i = 0; i < order->count; i++)
        if (order->layers[i] == layer)
            return true;
    return false;
}

static void forget_orders(lbo_library *library, const lbo_layer *layer)
{
    size_t kept = 0;

    for (size_t i = 0; i < library->order_count; i++) {
        lboi_order *const order = library->orders[i];
        if (!has_layer(order, layer) || lb_class_destroy(order->cls) != LB_OK) {
            library->orders[kept++] = order;
            continue;
        }
        lboi_free(library, order, sizeof *order);
    }
    library->order_count = kept;
}

/* Rules, orders, class; false: some are left, for lack of memory. */
static bool take_apart(lbo_library *library, lbo_layer *layer)
{
    if (layer->cls == NULL)
        return true;
    unwrap_all(library, layer);
    forget_orders(library, layer);
    return lb_class_destroy(layer->cls) == LB_OK;
}

/* Ends a layer that no context has. What is left of it for lack of memory waits
 * until there is some. Under the layers' mutex. */
static void end_layer(lbo_library *library, lbo_layer *layer)
{
    if (take_apart(library, layer)) {
        free_layer(layer);
        return;
    }
    layer->next = library->ending;
    library->ending = layer;
}

static void end_layers_left(lbo_library *library)
{
    lbo_layer *left = library->ending;

    library->ending = NULL;
    while (left != NULL) {
        lbo_layer *const layer = left;
        left = layer->next;
        end_layer(library, layer);
    }
}

static lb_status fill_layer(lbo_layer *layer, const lbo_layer_spec *spec)
{
    lbo_library *const library = layer->library;

    layer->spec = *spec;
    layer->call.handler = spec->handler;
    layer->name = lboi_copy_text(library, spec->name);
    if (layer->name == NULL)
        return LB_NO_MEMORY;
    lb_status status = name_operators(layer);
    if (status != LB_OK)
        return status;
    layer->cls =
        lb_class_make(library->runtime, layer->name, 0, library->layered, NULL);
    if (layer->cls == NULL)
        return LB_NO_MEMORY;
    if (!lboi_reserve(library, &library->layers, &library->layer_capacity,
                      library->layer_count + 1, sizeof(void *)))
        status = LB_NO_MEMORY;
    else
        status = wrap_all(library, layer);
    if (status == LB_OK)
        library->layers[library->layer_count++] = layer;
    return status;
}

/* The message of what went wrong stays. */
static void give_up(lbo_layer *layer, lb_status status)
{
    char text[512];

    (void)snprintf(text, sizeof text, "%s", lb_message());
    end_layer(layer->library, layer);
    (void)lb_fail_with(status, text);
}

lb_status lbo_layer_create(lbo_library *library, const lbo_layer_spec *spec,
                           lbo_layer **result)
{
    if (library == NULL || spec == NULL || result == NULL ||
        spec->name == NULL || spec->handler == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_layer_create: an argument, the name or the "
                        "handler is NULL");
    lbo_layer *const layer = lboi_zalloc(library, sizeof *layer);
    if (layer == NULL)
        return LB_NO_MEMORY;
    layer->library = library;
    layer->serial = lboi_opening(library);
    pthread_mutex_lock(&library->layer_mutex);
    end_layers_left(library);
    const lb_status status = fill_layer(layer, spec);
    if (status == LB_OK)
        *result = layer;
    else
        give_up(layer, status);
    pthread_mutex_unlock(&library->layer_mutex);
    return status;
}

static void forget_layer(lbo_library *library, lbo_layer *layer)
{
    size_t at = 0;

    while (library->layers[at] != layer)
        at++;
    library->layers[at] = library->layers[--library->layer_count];
}

lb_status lbo_layer_destroy(lbo_layer *layer)
{
    if (layer == NULL)
        return LB_OK;
    lbo_library *const library = layer->library;
    void (*const release)(void *data) = layer->spec.release;
    void *const data = layer->spec.data;
    lb_status status = LB_OK;

    pthread_mutex_lock(&library->layer_mutex);
    if (layer->active == 0) {
        end_layers_left(library);
        forget_layer(library, layer);
        end_layer(library, layer);
    } else
        status = lbo_fail(LB_BUSY, "layer %s is active in %u contexts",
                          layer->name, (unsigned)layer->active);
    pthread_mutex_unlock(&library->layer_mutex);
    if (status == LB_OK && release != NULL)
        release(data);
    return status;
}

lbo_layer *lbo_layer_find(lbo_library *library, const char *name)
{
    lbo_layer *found = NULL;

    if (library == NULL || name == NULL)
        return NULL;
    pthread_mutex_lock(&library->layer_mutex);
    for (size_t i = 0; i < library->layer_count; i++)
        if (strcmp(library->layers[i]->name, name) == 0)
            found = library->layers[i];
    pthread_mutex_unlock(&library->layer_mutex);
    return found;
}

const char *lbo_layer_name(const lbo_layer *layer)
{
    return layer->name;
}

void *lbo_layer_data(const lbo_layer *layer)
{
    return layer->spec.data;
}

/* ---- orders ------------------------------------------------------------------- */

static lboi_order *find_order(lbo_library *library, lbo_layer *const *layers,
                              size_t count)
{
    for (size_t i = 0; i < library->order_count; i++) {
        lboi_order *const order = library->orders[i];
        if (order->count == count &&
            memcmp(order->layers, layers, count * sizeof *layers) == 0)
            return order;
    }
    return NULL;
}

/* The class "autograd > profiler". */
static lb_status order_class(lbo_library *library, lbo_layer *const *layers,
                             size_t count, lb_class **made)
{
    lb_class *bases[LBO_MAX_LAYERS];
    char name[512];
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        bases[i] = layers[i]->cls;
        if (used < sizeof name)
            used += (size_t)snprintf(name + used, sizeof name - used, "%s%s",
                                     i > 0 ? " > " : "", layers[i]->name);
    }
    const lb_class_spec spec = {
        .name = name, .bases = bases, .base_count = count};
    return lb_class_create(library->runtime, &spec, made);
}

/* Under the layers' mutex. */
static lb_status make_order(lbo_library *library, lbo_layer *const *layers,
                            size_t count, lboi_order **result)
{
    *result = find_order(library, layers, count);
    if (*result != NULL)
        return LB_OK;
    if (!lboi_reserve(library, &library->orders, &library->order_capacity,
                      library->order_count + 1, sizeof(void *)))
        return LB_NO_MEMORY;
    lboi_order *const order = lboi_zalloc(library, sizeof *order);
    if (order == NULL)
        return LB_NO_MEMORY;
    const lb_status status = order_class(library, layers, count, &order->cls);
    if (status != LB_OK) {
        lboi_free(library, order, sizeof *order);
        return status;
    }
    order->head = lb_class_header(order->cls);
    order->count = (uint32_t)count;
    memcpy(order->layers, layers, count * sizeof *layers);
    library->orders[library->order_count++] = order;
    *result = order;
    return LB_OK;
}

static lb_status check_layers(const lbo_context *context,
                              lbo_layer *const *layers, size_t count)
{
    if (context->call.running != NULL)
        return lbo_fail(LB_BUSY, "layers cannot change inside of a handler");
    if (count > LBO_MAX_LAYERS)
        return lbo_fail(LB_LIMIT, "%zu layers, there may be at most %d active",
                        count, LBO_MAX_LAYERS);
    for (size_t i = 0; i < count; i++) {
        if (layers[i] == NULL || layers[i]->library != context->library)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "layer %zu is NULL or of another library", i);
        for (size_t k = 0; k < i; k++)
            if (layers[k] == layers[i])
                return lbo_fail(LB_EXISTS, "layer %s is active already",
                                layers[i]->name);
    }
    return LB_OK;
}

static lb_status set_stack(lbo_context *context, lbo_layer *const *layers,
                           size_t count)
{
    lbo_library *const library = context->library;
    lboi_level stack[LBO_MAX_LAYERS + 1];
    lb_status status = LB_OK;

    memset(stack, 0, sizeof stack);
    stack[count].head = library->plain;
    for (size_t i = 0; i < count && status == LB_OK; i++) {
        stack[i].layer = layers[i];
        status = make_order(library, layers + i, count - i, &stack[i].order);
        if (status == LB_OK)
            stack[i].head = stack[i].order->head;
    }
    if (status != LB_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        layers[i]->active++;
    for (size_t i = 0; i < context->depth; i++)
        context->stack[i].layer->active--;
    memcpy(context->stack, stack, sizeof stack);
    context->depth = (uint32_t)count;
    context->call.head = stack[0].head;
    return LB_OK;
}

lb_status lbo_set_layers(lbo_context *context, lbo_layer *const *layers,
                         size_t count)
{
    if (context == NULL || (layers == NULL && count > 0))
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_set_layers: an argument is NULL");
    lb_status status = check_layers(context, layers, count);
    if (status != LB_OK)
        return status;
    pthread_mutex_lock(&context->library->layer_mutex);
    status = set_stack(context, layers, count);
    pthread_mutex_unlock(&context->library->layer_mutex);
    return status;
}

lb_status lbo_push(lbo_context *context, lbo_layer *layer)
{
    lbo_layer *layers[LBO_MAX_LAYERS + 1];

    if (context == NULL || layer == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_push: an argument is NULL");
    layers[0] = layer;
    (void)lbo_layers(context, layers + 1, LBO_MAX_LAYERS);
    return lbo_set_layers(context, layers, context->depth + 1);
}

lb_status lbo_pop(lbo_context *context, lbo_layer *layer)
{
    lbo_layer *layers[LBO_MAX_LAYERS];

    if (context == NULL || layer == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_pop: an argument is NULL");
    const size_t count = lbo_layers(context, layers, LBO_MAX_LAYERS);
    if (count == 0 || layers[0] != layer)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "layer %s is not the outermost one%s%s", layer->name,
                        count > 0 ? ", which is " : "",
                        count > 0 ? layers[0]->name : "");
    return lbo_set_layers(context, layers + 1, count - 1);
}

size_t lbo_layers(const lbo_context *context, lbo_layer **out, size_t capacity)
{
    for (uint32_t i = 0; i < context->depth && i < capacity; i++)
        out[i] = context->stack[i].layer;
    return context->depth;
}
