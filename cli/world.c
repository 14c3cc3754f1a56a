/* A world is made from a trace step by step, through the public interface.
 *
 * A class is made with its bases; when C3 then gives another order than the
 * recorded one (a metaclass with an mro of its own), it is made once more with
 * that order. Its dictionary is defined in one step, so that all later sets are
 * changes. When bases change, classes derived from it may get another order at
 * once, while the trace tells of it when it noticed; so after such a change
 * every class is given the order that the trace has for it by then.
 *
 * Single-threaded. Costs what the library costs; a change of bases in addition
 * looks at all orders. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* A method that is asked for missing attributes would find something where the
 * recorded program's __getattr__ is not run here. No symbol has a blank. */
static const char no_missing_hook[] = "no missing hook";

static bool failed(const world *w, const trace_operation *at, fault *why)
{
    return fault_set(why, w->trace->file, at->line, "%s", lb_message());
}

/* ---- Beginning and end -------------------------------------------------- */

static void *zeroed(size_t count, size_t size)
{
    return calloc(count ? count : 1, size);
}

static size_t longest_body(const trace *t)
{
    size_t most = 0;
    for (size_t i = 0; i < t->shape_count; i++)
        if (t->shapes[i].names.count > most)
            most = t->shapes[i].names.count;
    return most;
}

static bool allocate(world *w)
{
    const trace *t = w->trace;
    w->classes = zeroed(t->class_count, sizeof *w->classes);
    w->symbols = zeroed(t->symbol_count, sizeof *w->symbols);
    w->objects = zeroed(t->object_count, sizeof *w->objects);
    w->scratch = zeroed(t->class_count, sizeof *w->scratch);
    w->sites = zeroed(t->site_count, sizeof *w->sites);
    w->definitions = zeroed(longest_body(t), sizeof *w->definitions);
    w->order = zeroed(t->class_count, sizeof *w->order);
    w->found = zeroed(t->class_count, sizeof *w->found);
    return w->classes && w->symbols && w->objects && w->scratch && w->sites &&
           w->definitions && w->order && w->found;
}

static lb_status start_runtime(world *w, const lb_object_options *options)
{
    lb_object_options ours = *options;
    lb_config config;
    lb_status status;
    ours.missing = no_missing_hook;
    lb_config_init(&config);
    config.threading = LB_SINGLE_THREADED;
    status = lb_runtime_create(&config, &w->runtime);
    if (status == LB_OK)
        status = lb_objects_configure(w->runtime, &ours);
    for (size_t i = 0; i < w->trace->symbol_count && status == LB_OK; i++) {
        w->symbols[i] = lb_intern(w->runtime, w->trace->symbols[i]);
        status = w->symbols[i] ? LB_OK : LB_NO_MEMORY;
    }
    return status;
}

bool world_make(world *w, const trace *t, const lb_object_options *options,
                fault *why)
{
    *w = (world){.trace = t};
    if (!allocate(w))
        return fault_set(why, t->file, 0, "out of memory");
    return start_runtime(w, options) == LB_OK ||
           fault_set(why, t->file, 0, "%s", lb_message());
}

void world_free(world *w)
{
    for (size_t i = 0; w->objects && i < w->trace->object_count; i++)
        if (w->objects[i].attributes)
            lb_object_clear(&w->objects[i]);
    lb_runtime_destroy(w->runtime);
    free(w->classes);
    free(w->symbols);
    free(w->objects);
    free(w->scratch);
    free(w->sites);
    free(w->definitions);
    free(w->order);
    free(w->found);
    *w = (world){0};
}

/* ---- Classes ----------------------------------------------------------- */

static lb_status yield_owner(const lb_attribute *self, lb_value receiver,
                             lb_value *result)
{
    (void)receiver;
    *result = lb_pointer(self->context);
    return LB_OK;
}

static lb_attribute_spec attribute_of(uint32_t cls, bool data)
{
    const lb_value value = lb_integer(value_in_class(cls));
    return data ? (lb_attribute_spec){.kind = LB_PROPERTY,
                                      .get = yield_owner,
                                      .context = value.pointer}
                : (lb_attribute_spec){.kind = LB_VALUE, .value = value};
}

/* Puts the classes of a list of numbers into `to`. */
static lb_class *const *classes_of(const world *w, trace_list list,
                                   lb_class **to)
{
    for (uint32_t i = 0; i < list.count; i++)
        to[i] = w->classes[w->trace->numbers[list.from + i]];
    return to;
}

/* A list without its first element. */
static trace_list rest_of(trace_list list)
{
    return (trace_list){.from = list.from + 1, .count = list.count - 1};
}

static bool has_recorded_order(const world *w, const trace_shape *shape,
                               const lb_class *cls)
{
    const trace_list mro = shape->mro;
    if (lb_class_linearization(cls, w->found, mro.count) != mro.count)
        return false;
    /* The class itself comes first, whether or not it is listed yet. */
    const trace_list rest = rest_of(mro);
    for (uint32_t i = 0; i < rest.count; i++)
        if (w->found[i + 1] != w->classes[w->trace->numbers[rest.from + i]])
            return false;
    return true;
}

static lb_status create_ordered(world *w, lb_class_spec *spec,
                                const trace_shape *shape, lb_class **result)
{
    const trace_list rest = rest_of(shape->mro);
    spec->linearization = classes_of(w, rest, w->found);
    spec->linearization_count = rest.count;
    w->supplied++;
    return lb_class_create(w->runtime, spec, result);
}

static lb_status create_class(world *w, const trace_shape *shape,
                              lb_class **result)
{
    const trace_class *facts = &w->trace->classes[shape->cls];
    lb_class_spec spec = {
        .name = facts->name,
        .bases = classes_of(w, shape->bases, w->order),
        .base_count = shape->bases.count,
        .flags = facts->flags & TRACE_DICTIONARY ? LB_FREE_ATTRIBUTES : 0};
    lb_status status = lb_class_create(w->runtime, &spec, result);
    if (status == LB_OK && has_recorded_order(w, shape, *result))
        return LB_OK;
    if (status == LB_OK)
        status = lb_class_destroy(*result);
    else if (status == LB_BAD_ORDER)
        status = LB_OK;
    return status == LB_OK ? create_ordered(w, &spec, shape, result) : status;
}

static lb_status define_class(world *w, const trace_shape *shape, lb_class *cls)
{
    const trace_list names = shape->names;
    for (uint32_t i = 0; i < names.count; i++) {
        const uint32_t name = w->trace->numbers[names.from + i];
        w->definitions[i] =
            (lb_definition){.symbol = w->symbols[name / 2],
                            .spec = attribute_of(shape->cls, name % 2)};
    }
    return lb_class_define(cls, w->definitions, names.count);
}

static lb_status make_class(world *w, const trace_shape *shape)
{
    lb_class *cls;
    lb_status status = create_class(w, shape, &cls);
    if (status == LB_OK)
        status = define_class(w, shape, cls);
    if (status != LB_OK)
        return status;
    w->classes[shape->cls] = cls;
    lb_init(cls, &w->scratch[shape->cls]);
    return LB_OK;
}

/* ---- Other bases ------------------------------------------------------- */

static lb_status supply_order(world *w, const trace_shape *shape)
{
    const trace_list rest = rest_of(shape->mro);
    w->supplied++;
    return lb_class_set_linearization(
        w->classes[shape->cls], classes_of(w, rest, w->order), rest.count);
}

/* What the trace says of each class up to and with shape `last`, as its number
 * in trace.shapes; to be freed. */
static uint32_t *shapes_until(const world *w, uint32_t last)
{
    uint32_t *now = malloc((w->trace->class_count + 1) * sizeof *now);
    for (uint32_t i = 0; now && i <= last; i++)
        now[w->trace->shapes[i].cls] = i;
    return now;
}

/* Gives each class that differs its recorded order; `changed`: there was one.
 * A class comes after its bases as they were at first. */
static lb_status repair_orders(world *w, const uint32_t *now, bool *changed)
{
    lb_status status = LB_OK;
    *changed = false;
    for (size_t i = 0; i < w->trace->class_count && status == LB_OK; i++) {
        if (w->classes[i] == NULL)
            continue;
        const trace_shape *shape = &w->trace->shapes[now[i]];
        if (!has_recorded_order(w, shape, w->classes[i])) {
            *changed = true;
            status = supply_order(w, shape);
        }
    }
    return status;
}

static lb_status change_bases(world *w, uint32_t at)
{
    enum { PATIENCE = 8 };
    const trace_shape *shape = &w->trace->shapes[at];
    bool changed = true;
    lb_status status = lb_class_set_bases(w->classes[shape->cls],
                                          classes_of(w, shape->bases, w->order),
                                          shape->bases.count);
    if (status == LB_BAD_ORDER)
        status = supply_order(w, shape);
    if (status != LB_OK)
        return status;
    uint32_t *now = shapes_until(w, at);
    if (now == NULL)
        return lb_fail_with(LB_NO_MEMORY, "out of memory");
    for (int i = 0; i < PATIENCE && changed && status == LB_OK; i++)
        status = repair_orders(w, now, &changed);
    free(now);
    return changed && status == LB_OK
               ? lb_fail_with(LB_BAD_ORDER, "the recorded orders of the class "
                                            "and of those derived from it "
                                            "cannot hold together")
               : status;
}

/* ---- Operations -------------------------------------------------------- */

/* A deletion of what is not there changes nothing. */
static lb_status unless_absent(world *w, lb_status status)
{
    if (status != LB_NO_ATTRIBUTE)
        return status;
    w->absent++;
    return LB_OK;
}

static lb_status change_object(world *w, const trace_operation *o)
{
    lb_object *object = &w->objects[o->object];
    switch (o->kind) {
    case TRACE_OBJECT:
        lb_object_init(w->classes[o->cls], object);
        return LB_OK;
    case TRACE_OBJECT_CLASS:
        return lb_set_class(object, w->classes[o->cls]);
    case TRACE_SET:
        return lb_own_set(object, w->symbols[o->symbol],
                          lb_integer(value_in_object(o->object)));
    default:
        return unless_absent(w, lb_own_delete(object, w->symbols[o->symbol]));
    }
}

static lb_status change_class(world *w, const trace_operation *o)
{
    lb_class *cls = w->classes[o->cls];
    switch (o->kind) {
    case TRACE_CLASS:
        return make_class(w, &w->trace->shapes[o->shape]);
    case TRACE_BASES:
        return change_bases(w, o->shape);
    case TRACE_CLASS_SET: {
        const lb_attribute_spec spec = attribute_of(o->cls, o->data);
        return lb_class_set(cls, w->symbols[o->symbol], &spec);
    }
    default:
        return unless_absent(w, lb_class_delete(cls, w->symbols[o->symbol]));
    }
}

bool world_change(world *w, const trace_operation *change, fault *why)
{
    lb_status status;
    switch (change->kind) {
    case TRACE_OBJECT:
    case TRACE_OBJECT_CLASS:
    case TRACE_SET:
    case TRACE_DELETE:
        status = change_object(w, change);
        break;
    default:
        status = change_class(w, change);
    }
    return status == LB_OK || failed(w, change, why);
}
