#include "oracle/attribute_model.h"

#include <string.h>

static int is_data(const am_attribute *attribute)
{
    return attribute->kind == LB_PROPERTY || attribute->kind == LB_FIELD;
}

/* ---- Finding ------------------------------------------------------------ */

const am_attribute *am_find(const am_world *world, int cls, int after, int name,
                            int *owner)
{
    const am_class *of = &world->classes[cls];
    int begun = after == AM_NONE;
    for (int i = 0; i < of->length; i++) {
        const am_attribute *here = &world->classes[of->order[i]].has[name];
        if (begun && here->tag != 0) {
            if (owner != NULL)
                *owner = of->order[i];
            return here;
        }
        begun |= of->order[i] == after;
    }
    return NULL;
}

const am_attribute *am_choose(const am_world *world, int object, int name,
                              int *own)
{
    const am_object *o = &world->objects[object];
    const am_attribute *found = am_find(world, o->cls, AM_NONE, name, NULL);
    *own = o->holds[name];
    if (world->order == LB_ORDER_PYTHON3 && found != NULL && is_data(found))
        *own = 0;
    return *own ? NULL : found;
}

/* ---- What an attribute comes to ----------------------------------------- */

static am_answer failing(lb_status status)
{
    return (am_answer){.status = status};
}

static am_answer plain(lb_value value)
{
    return (am_answer){.kind = LB_FOUND_VALUE, .value = value};
}

static am_answer method(const am_attribute *attribute, am_bound bound)
{
    return (am_answer){.kind = bound == AM_UNBOUND ? LB_FOUND_FUNCTION
                                                   : LB_FOUND_METHOD,
                       .method = attribute,
                       .bound = bound};
}

/* What a function of the program yields: the caller's, or a failure. */
static am_answer made_by(const am_attribute *attribute)
{
    am_answer answer = {.status = attribute->status, .ran = attribute};
    if (answer.status == LB_OK) {
        answer.kind = LB_FOUND_OWNED;
        answer.value = attribute->makes;
    }
    return answer;
}

static am_answer through_class(const am_attribute *attribute)
{
    switch (attribute->kind) {
    case LB_VALUE:
        return plain(attribute->value);
    case LB_FUNCTION:
    case LB_STATIC:
        return method(attribute, AM_UNBOUND);
    case LB_CLASS_METHOD:
        return method(attribute, AM_TO_CLASS);
    default:
        return (am_answer){.kind = LB_FOUND_DESCRIPTOR, .method = attribute};
    }
}

/* `object` AM_NONE: a receiver that has no members. */
static am_answer through_instance(const am_world *world,
                                  const am_attribute *attribute, int object)
{
    switch (attribute->kind) {
    case LB_FUNCTION:
        return method(attribute, AM_TO_RECEIVER);
    case LB_PROPERTY:
        return attribute->gets ? made_by(attribute) : failing(LB_NO_ATTRIBUTE);
    case LB_FIELD:
        return object == AM_NONE
                   ? failing(LB_BAD_ARGUMENT)
                   : plain(world->objects[object].member[attribute->type]);
    default:
        return through_class(attribute);
    }
}

/* ---- Looking up --------------------------------------------------------- */

static am_answer get_own_or_class(const am_world *world, int object, int name)
{
    int own;
    const am_attribute *found = am_choose(world, object, name, &own);
    if (own)
        return plain(world->objects[object].own[name]);
    return through_instance(world, found, object);
}

am_answer am_get(const am_world *world, int object, int name)
{
    int own;
    const int cls = world->objects[object].cls;
    if (name != AM_NONE && (am_choose(world, object, name, &own) || own))
        return get_own_or_class(world, object, name);
    const am_attribute *hook = am_find(world, cls, AM_NONE, AM_MISSING, NULL);
    return hook != NULL ? made_by(hook) : failing(LB_NO_ATTRIBUTE);
}

am_answer am_get_special(const am_world *world, int cls, int object, int name)
{
    const am_attribute *found = am_find(world, cls, AM_NONE, name, NULL);
    if (world->order == LB_ORDER_1998 && object != AM_NONE &&
        world->objects[object].holds[name])
        return plain(world->objects[object].own[name]);
    return found != NULL ? through_instance(world, found, object)
                         : failing(LB_NO_ATTRIBUTE);
}

am_answer am_class_get(const am_world *world, int cls, int name)
{
    const am_attribute *found = am_find(world, cls, AM_NONE, name, NULL);
    return found != NULL ? through_class(found) : failing(LB_NO_ATTRIBUTE);
}

static int stands_in(const am_class *of, int cls)
{
    for (int i = 0; i < of->length; i++)
        if (of->order[i] == cls)
            return 1;
    return 0;
}

am_answer am_get_super(const am_world *world, int after, int object, int name)
{
    const int cls = world->objects[object].cls;
    if (!stands_in(&world->classes[cls], after))
        return failing(LB_BAD_ARGUMENT);
    const am_attribute *found = am_find(world, cls, after, name, NULL);
    return found != NULL ? through_instance(world, found, object)
                         : failing(LB_NO_ATTRIBUTE);
}

am_answer am_class_get_super(const am_world *world, int after, int cls,
                             int name)
{
    if (!stands_in(&world->classes[cls], after))
        return failing(LB_BAD_ARGUMENT);
    const am_attribute *found = am_find(world, cls, after, name, NULL);
    return found != NULL ? through_class(found) : failing(LB_NO_ATTRIBUTE);
}

/* ---- Changing ----------------------------------------------------------- */

static void give_up(am_world *world, lb_value value, int tag, int same)
{
    world->gone[world->gone_count++] = (am_gone){value, tag, same};
}

static int in_range(lb_field_type type, int64_t integer)
{
    switch (type) {
    case LB_FIELD_INT8:
        return integer >= INT8_MIN && integer <= INT8_MAX;
    case LB_FIELD_INT16:
        return integer >= INT16_MIN && integer <= INT16_MAX;
    case LB_FIELD_INT32:
        return integer >= INT32_MIN && integer <= INT32_MAX;
    case LB_FIELD_UINT8:
        return integer >= 0 && integer <= UINT8_MAX;
    case LB_FIELD_UINT16:
        return integer >= 0 && integer <= UINT16_MAX;
    case LB_FIELD_UINT32:
        return integer >= 0 && integer <= UINT32_MAX;
    default:
        return 1;
    }
}

/* What is got after `value` was set. */
static lb_value as_member(lb_field_type type, lb_value value)
{
    if (type == LB_FIELD_BOOL)
        value.integer = value.bits != 0;
    if (type == LB_FIELD_FLOAT)
        value.real = (double)(float)value.real;
    return value;
}

static lb_status set_member(am_world *world, int object,
                            const am_attribute *field, lb_value value)
{
    lb_value *member = &world->objects[object].member[field->type];
    if (field->read_only)
        return LB_READ_ONLY;
    if (!in_range(field->type, value.integer))
        return LB_BAD_ARGUMENT;
    if (field->type == LB_FIELD_VALUE)
        give_up(world, *member, 0, member->bits == value.bits);
    *member = as_member(field->type, value);
    return LB_OK;
}

/* The data descriptor that decides about setting, or NULL. */
static const am_attribute *decides(const am_world *world, int object, int name)
{
    const am_attribute *found =
        am_find(world, world->objects[object].cls, AM_NONE, name, NULL);
    return world->order == LB_ORDER_PYTHON3 && found != NULL && is_data(found)
               ? found
               : NULL;
}

am_effect am_set(am_world *world, int object, int name, lb_value value)
{
    const am_attribute *data = decides(world, object, name);
    world->gone_count = 0;
    if (data == NULL)
        return (am_effect){am_own_set(world, object, name, value), NULL};
    if (data->kind == LB_FIELD)
        return (am_effect){set_member(world, object, data, value), NULL};
    return data->sets ? (am_effect){data->status, data}
                      : (am_effect){LB_READ_ONLY, NULL};
}

am_effect am_unset(am_world *world, int object, int name)
{
    const am_attribute *data = decides(world, object, name);
    world->gone_count = 0;
    if (data == NULL)
        return (am_effect){am_own_delete(world, object, name), NULL};
    if (data->kind == LB_FIELD || !data->removes)
        return (am_effect){LB_READ_ONLY, NULL};
    return (am_effect){data->status, data};
}

lb_status am_own_set(am_world *world, int object, int name, lb_value value)
{
    am_object *o = &world->objects[object];
    world->gone_count = 0;
    if (!world->classes[o->cls].free)
        return LB_READ_ONLY;
    if (o->holds[name])
        give_up(world, o->own[name], 0, o->own[name].bits == value.bits);
    o->holds[name] = 1;
    o->own[name] = value;
    return LB_OK;
}

lb_status am_own_delete(am_world *world, int object, int name)
{
    am_object *o = &world->objects[object];
    world->gone_count = 0;
    if (!world->classes[o->cls].free)
        return LB_READ_ONLY;
    if (!o->holds[name])
        return LB_NO_ATTRIBUTE;
    give_up(world, o->own[name], 0, 0);
    o->holds[name] = 0;
    return LB_OK;
}

void am_class_set(am_world *world, int cls, int name,
                  const am_attribute *attribute)
{
    am_attribute *here = &world->classes[cls].has[name];
    if (here->tag != 0)
        give_up(world, here->value, here->tag, 0);
    *here = *attribute;
}

lb_status am_class_delete(am_world *world, int cls, int name)
{
    am_attribute *here = &world->classes[cls].has[name];
    if (here->tag == 0)
        return LB_NO_ATTRIBUTE;
    give_up(world, here->value, here->tag, 0);
    *here = (am_attribute){0};
    return LB_OK;
}

void am_class_destroy(am_world *world, int cls)
{
    for (int name = 0; name < AM_NAMES; name++)
        (void)am_class_delete(world, cls, name);
    world->classes[cls].alive = 0;
}

void am_object_destroy(am_world *world, int object)
{
    am_object *o = &world->objects[object];
    for (int name = 0; name < AM_NAMES; name++)
        if (o->holds[name])
            give_up(world, o->own[name], 0, 0);
    memset(o, 0, sizeof *o);
    o->cls = AM_NONE;
}

/* ---- Who holds what ----------------------------------------------------- */

static void each_of_class(const am_class *cls,
                          void (*visit)(void *context, lb_value value),
                          void *context)
{
    for (int name = 0; name < AM_NAMES; name++)
        if (cls->has[name].tag != 0)
            visit(context, cls->has[name].value);
}

static void each_of_object(const am_object *object,
                           void (*visit)(void *context, lb_value value),
                           void *context)
{
    for (int name = 0; name < AM_NAMES; name++)
        if (object->holds[name])
            visit(context, object->own[name]);
    visit(context, object->member[LB_FIELD_VALUE]);
}

void am_each_value(const am_world *world,
                   void (*visit)(void *context, lb_value value), void *context)
{
    for (int i = 0; i < AM_CLASSES; i++)
        if (world->classes[i].alive)
            each_of_class(&world->classes[i], visit, context);
    for (int i = 0; i < AM_OBJECTS; i++)
        if (world->objects[i].cls != AM_NONE)
            each_of_object(&world->objects[i], visit, context);
}
