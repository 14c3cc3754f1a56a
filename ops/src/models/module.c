/* module.c - modules as objects: parts, paths, forward and backward.
 *
 * A module is an instance of a class below `module`; what it computes is a
 * method of "module.forward". Backward of all modules goes by the recorded
 * history:
 *   1. lbo_forward in training keeps the last input and output; not of parts
 *      that run inside another one's forward, which would keep every layer's
 *      results alive until the next step
 *   2. if the input is not followed: lbo_backward from the output
 *   3. else the gradients by the parameters and the input are taken, those
 *      of the parameters added to what they have, that of the input handed
 *      out: what lies before the input is not touched
 */
#include "models/slots.h"

#include <stdio.h>
#include <string.h>

/* ---- what is said when a method is missing ------------------------------- */

/* "A, B": the classes that a method may be defined for. */
static const char *list_bases(const lbo_module *module, char *text, size_t size)
{
    lb_class *line[32];
    const size_t count = lb_class_linearization(module->cls, line, 32);
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 1; i < count && i < 32 && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 i > 1 ? ", " : "", lb_class_name(line[i]));
    return text;
}

static lb_status no_method(lb_slot slot, const lbo_module *module,
                           const char *what)
{
    const lb_status why = (lb_status)lb_load_entry(slot)->status;
    const lb_status status = why == LB_OK ? LB_NO_METHOD : why;
    char bases[512];

    if (status != LB_NO_METHOD && status != LB_NO_NEXT_METHOD)
        return lbo_fail(status, "module %s of class %s: %s: %s", module->name,
                        lb_class_name(module->cls), what,
                        lb_status_name(status));
    return lbo_fail(status,
                    "class %s has no %s; define a method of module.%s for it "
                    "or for one of its bases (%s)",
                    lb_class_name(module->cls), what, what,
                    list_bases(module, bases, sizeof bases));
}

static lb_status no_forward(lb_slot slot, lbo_module *module,
                            lbo_context *context, lbo_tensor *input,
                            lbo_tensor **output)
{
    (void)context;
    (void)input;
    (void)output;
    return no_method(slot, module, "forward");
}

static lb_status no_backward(lb_slot slot, lbo_module *module,
                             lbo_context *context, lbo_tensor *gradient,
                             lbo_tensor **input_gradient)
{
    (void)context;
    (void)gradient;
    (void)input_gradient;
    return no_method(slot, module, "backward");
}

LB_DEFINE_GENERIC_WITH(lbo_on_forward, no_forward);
LB_DEFINE_GENERIC_WITH(lbo_on_backward, no_backward);
LB_DEFINE_GENERIC(lbo_on_module_free);

/* ---- making and ending --------------------------------------------------- */

lb_class *lbo_module_class(lbo_library *library, const char *name)
{
    lb_class *const found =
        library && name ? lb_class_find(library->runtime, name) : NULL;

    return lb_class_is_subclass(found, library ? library->modules : NULL)
               ? found
               : NULL;
}

static lb_status check_class(const lb_class *cls, const lbo_library *library)
{
    if (cls == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_module_create: the class is NULL; was it made?");
    if (!lb_class_is_subclass(cls, library->modules))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_module_create: class %s does not derive from "
                        "module",
                        lb_class_name(cls));
    return LB_OK;
}

lb_status lbo_module_create(lbo_library *library, lb_class *cls,
                            const char *name, lbo_module **result)
{
    if (library == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_module_create: an argument is NULL");
    const lb_status status = check_class(cls, library);
    if (status != LB_OK)
        return status;
    lbo_module *const module = lb_new(cls);
    if (module == NULL)
        return LB_NO_MEMORY;
    module->references = 1;
    module->training = true;
    module->library = library;
    module->cls = cls;
    module->name = lboi_copy_text(library, name ? name : lb_class_name(cls));
    module->slots = lboi_zalloc(library, sizeof *module->slots);
    if (module->name == NULL || module->slots == NULL) {
        lboi_free_text(library, module->name);
        lboi_free(library, module->slots, sizeof *module->slots);
        lb_delete(cls, module);
        return LB_NO_MEMORY;
    }
    *result = module;
    return LB_OK;
}

lbo_module *lbo_module_retain(lbo_module *module)
{
    if (module != NULL)
        __atomic_add_fetch(&module->references, 1, __ATOMIC_RELAXED);
    return module;
}

static void forget_last(lbo_module *module)
{
    lbo_tensor_release(module->last_in);
    lbo_tensor_release(module->last_out);
    module->last_in = module->last_out = NULL;
}

static void free_slots(lbo_module *module)
{
    lbo_library *const library = module->library;
    struct lbo_slot_list *const slots = module->slots;

    for (size_t i = 0; i < slots->count; i++) {
        lboi_free_text(library, slots->at[i].name);
        lbo_tensor_release(slots->at[i].tensor);
        lbo_module_release(slots->at[i].child);
    }
    lboi_free(library, slots->at, slots->capacity * sizeof *slots->at);
    lboi_free(library, slots, sizeof *slots);
}

void lbo_module_release(lbo_module *module)
{
    if (module == NULL ||
        __atomic_sub_fetch(&module->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    lbo_library *const library = module->library;

    lboi_gate *const gate = lboi_enter(library);
    lb_in_lbo_on_module_free(library->functions[LBOI_MODULE_FREE], module);
    lboi_leave(gate);
    forget_last(module);
    free_slots(module);
    lboi_free_text(library, module->name);
    lb_delete(module->cls, module);
}

/* ---- parts --------------------------------------------------------------- */

static lboi_slot *find_slot(const lbo_module *module, const char *name,
                            size_t length)
{
    for (size_t i = 0; i < module->slots->count; i++) {
        lboi_slot *const slot = &module->slots->at[i];
        if (strlen(slot->name) == length &&
            memcmp(slot->name, name, length) == 0)
            return slot;
    }
    return NULL;
}

/* True if `part` is `module` or somewhere below it. */
static bool contains(const lbo_module *module, const lbo_module *part)
{
    if (module == part)
        return true;
    for (size_t i = 0; i < module->slots->count; i++) {
        const lbo_module *const child = module->slots->at[i].child;
        if (child != NULL && contains(child, part))
            return true;
    }
    return false;
}

static lb_status check_slot(const lbo_module *module, const char *name,
                            const void *part)
{
    if (module == NULL || name == NULL || part == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_module_add: an argument is NULL");
    if (*name == '\0' || strchr(name, '.') != NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "module %s: \"%s\" is no name for a part; it must have "
                        "a letter and no dot",
                        module->name, name);
    if (find_slot(module, name, strlen(name)) != NULL)
        return lbo_fail(LB_EXISTS, "module %s has a part \"%s\" already",
                        module->name, name);
    return LB_OK;
}

static lb_status add_slot(lbo_module *module, const char *name,
                          lboi_slot_kind kind, lbo_tensor *tensor,
                          lbo_module *child)
{
    struct lbo_slot_list *const slots = module->slots;
    lboi_slot slot = {.kind = kind, .tensor = tensor, .child = child};

    if (!lboi_reserve(module->library, &slots->at, &slots->capacity,
                      slots->count + 1, sizeof *slots->at))
        return LB_NO_MEMORY;
    slot.name = lboi_copy_text(module->library, name);
    if (slot.name == NULL)
        return LB_NO_MEMORY;
    (void)lbo_tensor_retain(tensor);
    (void)lbo_module_retain(child);
    slots->at[slots->count++] = slot;
    return LB_OK;
}

lb_status lbo_module_add_parameter(lbo_module *module, const char *name,
                                   lbo_tensor *tensor)
{
    lb_status status = check_slot(module, name, tensor);

    if (status == LB_OK && !lbo_requires_gradient(tensor))
        status = lbo_require_gradient(tensor, true);
    return status == LB_OK
               ? add_slot(module, name, LBOI_PARAMETER, tensor, NULL)
               : status;
}

lb_status lbo_module_add_buffer(lbo_module *module, const char *name,
                                lbo_tensor *tensor)
{
    const lb_status status = check_slot(module, name, tensor);

    return status == LB_OK ? add_slot(module, name, LBOI_BUFFER, tensor, NULL)
                           : status;
}

lb_status lbo_module_add_child(lbo_module *module, const char *name,
                               lbo_module *child)
{
    const lb_status status = check_slot(module, name, child);

    if (status != LB_OK)
        return status;
    if (child->library != module->library)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "module %s: \"%s\" is of another library", module->name,
                        name);
    if (contains(child, module))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "module %s: \"%s\" has this module below it; a module "
                        "cannot be a part of itself",
                        module->name, name);
    return add_slot(module, name, LBOI_CHILD, NULL, child);
}

lb_status lboi_adopt(lbo_module *module, const char *name, lbo_module *child)
{
    const lb_status status = lbo_module_add_child(module, name, child);

    lbo_module_release(child);
    return status;
}

static lboi_slot *find_path(const lbo_module *module, const char *path)
{
    while (module != NULL && path != NULL) {
        const size_t length = strcspn(path, ".");
        lboi_slot *const slot = find_slot(module, path, length);
        if (slot == NULL || path[length] == '\0')
            return slot;
        module = slot->child;
        path += length + 1;
    }
    return NULL;
}

lbo_tensor *lbo_module_tensor(lbo_module *module, const char *path)
{
    const lboi_slot *const slot = find_path(module, path);

    return slot == NULL ? NULL : slot->tensor;
}

lbo_module *lbo_module_child(lbo_module *module, const char *path)
{
    const lboi_slot *const slot = find_path(module, path);

    return slot == NULL ? NULL : slot->child;
}

/* ---- visiting ------------------------------------------------------------ */

typedef struct visit {
    lbo_library *library;
    bool buffers;
    lb_status (*slot)(struct visit *visit, lboi_slot *slot);
    lbo_visit_fn fn;
    void *context;
    char *path;
    size_t length, path_capacity;
    lbo_tensor **seen;
    size_t seen_count, seen_capacity;
} visit;

static bool seen_before(const visit *v, const lbo_tensor *tensor)
{
    for (size_t i = 0; i < v->seen_count; i++)
        if (v->seen[i] == tensor)
            return true;
    return false;
}

static lb_status visit_tensor(visit *v, lboi_slot *slot)
{
    if (slot->kind == LBOI_BUFFER && !v->buffers)
        return LB_OK;
    if (seen_before(v, slot->tensor))
        return LB_OK;
    if (!lboi_reserve(v->library, &v->seen, &v->seen_capacity,
                      v->seen_count + 1, sizeof *v->seen))
        return LB_NO_MEMORY;
    v->seen[v->seen_count++] = slot->tensor;
    return v->fn(v->context, v->path, slot->tensor,
                 slot->kind == LBOI_PARAMETER);
}

/* Puts ".NAME" behind the path. */
static bool go_down(visit *v, const char *name)
{
    const size_t more = strlen(name) + (v->length > 0);

    if (!lboi_reserve(v->library, &v->path, &v->path_capacity,
                      v->length + more + 1, 1))
        return false;
    (void)snprintf(v->path + v->length, more + 1, "%s%s",
                   v->length > 0 ? "." : "", name);
    v->length += more;
    return true;
}

static lb_status visit_below(visit *v, const lbo_module *module)
{
    lb_status status = LB_OK;

    for (size_t i = 0; i < module->slots->count && status == LB_OK; i++) {
        lboi_slot *const slot = &module->slots->at[i];
        const size_t before = v->length;
        if (!go_down(v, slot->name))
            return LB_NO_MEMORY;
        status = slot->child != NULL ? visit_below(v, slot->child)
                                     : visit_tensor(v, slot);
        v->length = before;
        v->path[before] = '\0';
    }
    return status;
}

lb_status lbo_module_visit(lbo_module *module, bool buffers, lbo_visit_fn fn,
                           void *context)
{
    if (module == NULL || fn == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_module_visit: an argument is NULL");
    visit v = {.library = module->library,
               .buffers = buffers,
               .fn = fn,
               .context = context};
    const lb_status status = visit_below(&v, module);

    lboi_free(v.library, v.path, v.path_capacity);
    lboi_free(v.library, v.seen, v.seen_capacity * sizeof *v.seen);
    return status;
}

static lb_status add_size(void *context, const char *path, lbo_tensor *tensor,
                          bool learned)
{
    (void)path;
    (void)learned;
    *(int64_t *)context += tensor->size;
    return LB_OK;
}

int64_t lbo_module_size(lbo_module *module)
{
    int64_t size = 0;

    return lbo_module_visit(module, false, add_size, &size) == LB_OK ? size : 0;
}

void lbo_module_train(lbo_module *module, bool training)
{
    if (module == NULL)
        return;
    module->training = training;
    if (!training)
        forget_last(module);
    for (size_t i = 0; i < module->slots->count; i++)
        lbo_module_train(module->slots->at[i].child, training);
}

/* ---- moving to a device -------------------------------------------------- */

typedef struct moved {
    lbo_tensor *from, *to;
} moved;

typedef struct move {
    lbo_context *context;
    lbo_device *device;
    moved *pairs; /* tensors that several modules share stay shared */
    size_t count, capacity;
} move;

/* A copy on the device, without history; a leaf again if it is learned. */
static lb_status copy_to(move *m, lbo_tensor *tensor, bool learned,
                         lbo_tensor **result)
{
    lbo_tensor *plain = NULL;
    lb_status status = lbo_detach(tensor, &plain);

    if (status == LB_OK)
        status = lbo_to_device(m->context, result, plain, m->device);
    lbo_tensor_release(plain);
    if (status == LB_OK && learned) {
        status = lbo_require_gradient(*result, true);
        if (status != LB_OK)
            lbo_tensor_release(*result);
    }
    return status;
}

static lb_status move_tensor(void *context, const char *path,
                             lbo_tensor *tensor, bool learned)
{
    move *const m = context;
    lbo_tensor *to = NULL;
    lb_status status;

    (void)path;
    if (lbo_tensor_device(tensor) == m->device)
        return LB_OK;
    if (!lboi_reserve(m->context->library, &m->pairs, &m->capacity,
                      m->count + 1, sizeof *m->pairs))
        return LB_NO_MEMORY;
    status = copy_to(m, tensor, learned, &to);
    if (status == LB_OK)
        m->pairs[m->count++] = (moved){tensor, to};
    return status;
}

static void put_moved(const move *m, lbo_module *module)
{
    forget_last(module);
    for (size_t i = 0; i < module->slots->count; i++) {
        lboi_slot *const slot = &module->slots->at[i];
        if (slot->child != NULL)
            put_moved(m, slot->child);
        for (size_t k = 0; k < m->count && slot->tensor != NULL; k++)
            if (m->pairs[k].from == slot->tensor) {
                /* the pair keeps `from` alive until all slots are done */
                lbo_tensor_release(slot->tensor);
                slot->tensor = lbo_tensor_retain(m->pairs[k].to);
                break;
            }
    }
}

lb_status lbo_module_to_device(lbo_context *context, lbo_module *module,
                               lbo_device *device)
{
    if (context == NULL || module == NULL || device == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_module_to_device: an argument is NULL");
    move m = {.context = context, .device = device};
    const lb_status status = lbo_module_visit(module, true, move_tensor, &m);

    for (size_t i = 0; i < m.count; i++)
        (void)lbo_tensor_retain(m.pairs[i].from);
    if (status == LB_OK)
        put_moved(&m, module);
    for (size_t i = 0; i < m.count; i++) {
        lbo_tensor_release(m.pairs[i].from);
        lbo_tensor_release(m.pairs[i].to);
    }
    lboi_free(context->library, m.pairs, m.capacity * sizeof *m.pairs);
    return status;
}

/* ---- running ------------------------------------------------------------- */

static void keep_last(lbo_module *module, lbo_tensor *input, lbo_tensor *output)
{
    (void)lbo_tensor_retain(input);
    (void)lbo_tensor_retain(output);
    forget_last(module);
    module->last_in = input;
    module->last_out = output;
}

lb_status lbo_forward(lbo_context *context, lbo_module *module,
                      lbo_tensor *input, lbo_tensor **output)
{
    if (LB_UNLIKELY(context == NULL || module == NULL || input == NULL ||
                    output == NULL))
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_forward: an argument is NULL");
    *output = NULL;
    lbo_enter(context);
    context->forwards++;
    const lb_status status = lboi_forward_part(context, module, input, output);
    context->forwards--;
    lbo_leave(context);
    if (status == LB_OK && module->training && context->forwards == 0)
        keep_last(module, input, *output);
    return status;
}

lb_status lbo_module_backward(lbo_context *context, lbo_module *module,
                              lbo_tensor *gradient, lbo_tensor **input_gradient)
{
    lbo_tensor *unwanted = NULL;

    if (context == NULL || module == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_module_backward: an argument is NULL");
    if (input_gradient != NULL)
        *input_gradient = NULL;
    lbo_enter(context);
    const lb_status status = lb_in_lbo_on_backward(
        module->library->functions[LBOI_BACKWARD], module, context, gradient,
        input_gradient != NULL ? input_gradient : &unwanted);
    lbo_leave(context);
    lbo_tensor_release(unwanted);
    return status;
}

/* ---- backward of all modules --------------------------------------------- */

typedef struct wanted {
    lbo_library *library;
    lbo_tensor **tensors; /* the input first */
    size_t count, capacity;
} wanted;

static lb_status want(void *context, const char *path, lbo_tensor *tensor,
                      bool learned)
{
    wanted *const w = context;

    (void)path;
    if (!learned || !lbo_requires_gradient(tensor))
        return LB_OK;
    if (!lboi_reserve(w->library, &w->tensors, &w->capacity, w->count + 1,
                      sizeof *w->tensors))
        return LB_NO_MEMORY;
    w->tensors[w->count++] = tensor;
    return LB_OK;
}

/* What a leaf has and what it gets. */
static lb_status accumulate(lbo_context *context, lbo_tensor *leaf,
                            lbo_tensor *more)
{
    lbo_tensor *const before = lbo_gradient(leaf);
    lbo_tensor *sum = NULL;
    lb_status status;

    if (before == NULL)
        return lbo_set_gradient(leaf, more);
    status = lbo_add(context, &sum, before, more);
    if (status == LB_OK)
        status = lbo_set_gradient(leaf, sum);
    lbo_tensor_release(sum);
    return status;
}

static lb_status take_gradients(lbo_context *context, lbo_module *module,
                                lbo_tensor *gradient, const wanted *w,
                                lbo_tensor **gradients,
                                lbo_tensor **input_gradient)
{
    lb_status status = lbo_gradients(context, module->last_out, gradient,
                                     w->tensors, w->count, false, gradients);

    if (status != LB_OK)
        return status;
    for (size_t i = 1; i < w->count && status == LB_OK; i++)
        if (gradients[i] != NULL)
            status = accumulate(context, w->tensors[i], gradients[i]);
    if (status == LB_OK)
        *input_gradient = lbo_tensor_retain(gradients[0]);
    for (size_t i = 0; i < w->count; i++)
        lbo_tensor_release(gradients[i]);
    return status;
}

static lb_status backward_with_input(lbo_context *context, lbo_module *module,
                                     lbo_tensor *gradient,
                                     lbo_tensor **input_gradient)
{
    wanted w = {.library = module->library};
    lbo_tensor **gradients = NULL;
    lb_status status = want(&w, "", module->last_in, true);

    if (status == LB_OK)
        status = lbo_module_visit(module, false, want, &w);
    if (status == LB_OK) {
        gradients = lboi_zalloc(w.library, w.count * sizeof(lbo_tensor *));
        status = gradients == NULL
                     ? LB_NO_MEMORY
                     : take_gradients(context, module, gradient, &w, gradients,
                                      input_gradient);
    }
    lboi_free(w.library, gradients, w.count * sizeof(lbo_tensor *));
    lboi_free(w.library, w.tensors, w.capacity * sizeof(lbo_tensor *));
    return status;
}

LB_METHOD(lbo_on_backward, backward_by_history);
static lb_status backward_by_history(lb_slot slot, lbo_module *module,
                                     lbo_context *context, lbo_tensor *gradient,
                                     lbo_tensor **input_gradient)
{
    LB_IGNORE(slot);
    if (module->last_out == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "module %s: backward without a forward in training "
                        "before it",
                        module->name);
    if (!lbo_requires_gradient(module->last_out))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "module %s: its last forward was not recorded; is the "
                        "autograd layer active?",
                        module->name);
    const lb_status status =
        lbo_requires_gradient(module->last_in)
            ? backward_with_input(context, module, gradient, input_gradient)
            : lbo_backward(context, module->last_out, gradient, false);
    forget_last(module);
    return status;
}

LB_METHOD(lbo_on_module_free, nothing_of_its_own);
static void nothing_of_its_own(lb_slot slot, lbo_module *module)
{
    LB_IGNORE(slot);
    (void)module;
}

/* ---- beginning ----------------------------------------------------------- */

lb_status lboi_module_class_make(lbo_library *library, const char *name,
                                 size_t size, const lb_method *forward)
{
    lb_class *const cls =
        lb_class_make(library->runtime, name, size, library->modules, NULL);

    if (cls == NULL)
        return LB_NO_MEMORY;
    return lb_add_classes(library->functions[LBOI_FORWARD], forward,
                          (lb_class *[]){cls});
}

static lb_status bind_functions(lbo_library *library)
{
    lb_status status = lboi_bind(library, LBOI_FORWARD, "module.forward",
                                 LB_HEAD(lbo_on_forward)->signature);

    if (status == LB_OK)
        status = lboi_bind(library, LBOI_BACKWARD, "module.backward",
                           LB_HEAD(lbo_on_backward)->signature);
    if (status == LB_OK)
        status = lboi_bind(library, LBOI_MODULE_FREE, "module.free",
                           LB_HEAD(lbo_on_module_free)->signature);
    return status;
}

static lb_status make_base(lbo_library *library)
{
    lb_status status;

    library->modules = lb_class_make(library->runtime, "module",
                                     sizeof(lbo_module), NULL, NULL);
    if (library->modules == NULL)
        return LB_NO_MEMORY;
    status = lb_add_classes(library->functions[LBOI_BACKWARD],
                            LB_DESCRIPTOR(backward_by_history),
                            (lb_class *[]){library->modules});
    if (status == LB_OK)
        status = lb_add_classes(library->functions[LBOI_MODULE_FREE],
                                LB_DESCRIPTOR(nothing_of_its_own),
                                (lb_class *[]){library->modules});
    return status;
}

lb_status lboi_models_init(lbo_library *library)
{
    lb_status status = bind_functions(library);

    if (status == LB_OK)
        status = make_base(library);
    if (status == LB_OK)
        status = lboi_modules_init(library);
    if (status == LB_OK)
        status = lboi_attention_init(library);
    if (status == LB_OK)
        status = lboi_optimizers_init(library);
    return status;
}
