/* object/instance.c - setting and deleting attributes of instances.
 *
 * Under the lock: 1. a data descriptor of the class decides, without the lock;
 * 2. everything that can fail is made ready; 3. the name is marked, so that no
 * look-up that begins later passes the instance over; 4. the value is put in
 * its dictionary; what it replaces is retired. The only thread of a
 * single-threaded runtime overwrites an attribute in place without all that.
 */
#include "object/instance.h"

#include "object/call.h"
#include "object/cells.h"
#include "object/dictionary.h"
#include "object/failure.h"
#include "object/field.h"
#include "object/look.h"
#include "object/part.h"

/* ---- marks -------------------------------------------------------------- */

/* Instances of `cls` hold the name from now on, at first at `place`. False
 * without memory. */
static bool mark_name(lb_class *cls, lbi_symbol *symbol, uint32_t place)
{
    lb_runtime *runtime = cls->runtime;
    bool had;
    lb_value before;
    symbol->marked = true;
    if (runtime->space->options.policy != LB_POLICY_TABLE)
        return true;
    lbi_members *members = lbi_members_of(cls);
    if (members == NULL)
        return false;
    if (lbi_dictionary_find(members->names, &symbol->open, NULL))
        return true;
    if (!lbi_dictionary_reserve(runtime, &members->names, 1))
        return false;
    lbi_dictionary_put(members->names, &symbol->open, lb_integer(place), &had,
                       &before);
    if (cls->handle)
        lbi_cell_drop(runtime, symbol, cls->handle);
    return true;
}

lb_status lbi_reclass(lb_runtime *runtime, void *object, lb_class *cls)
{
    const lb_attributes *own = ((lb_object *)object)->attributes;
    (void)runtime;
    LBI_EACH_OWN (o, own)
        if (!mark_name(cls, lbi_symbol_of(o->symbol),
                       (uint32_t)(o - lbi_places(own))))
            return lbi_no_memory();
    return LB_OK;
}

/* ---- the instance's dictionary, under the lock -------------------------- */

static lb_status has_no_dictionary(const lb_class *cls, const char *name)
{
    return lbi_fail(LB_READ_ONLY,
                    "instances of class %s, which was made without "
                    "LB_FREE_ATTRIBUTES, can hold no attribute '%s'",
                    cls->name, name);
}

/* Room for one more; the first time for as many as other instances hold. */
static bool make_room(const lb_class *cls, lb_object *object,
                      const lb_symbol *symbol)
{
    const lb_attributes *names = cls->members ? cls->members->names : NULL;
    const uint32_t usual = names && names->live < 32 ? names->live : 1;
    if (object->attributes)
        return lbi_dictionary_admit(cls->runtime, &object->attributes, symbol);
    return lbi_dictionary_reserve(cls->runtime, &object->attributes,
                                  usual ? usual : 1);
}

static lb_status put_own(lb_class *cls, lb_object *object, lbi_symbol *symbol,
                         lb_value value)
{
    lb_runtime *runtime = cls->runtime;
    lbi_parting parting = {.wanted = false};
    lb_value before = {.bits = 0};
    bool had;
    if (!(cls->flags & LB_FREE_ATTRIBUTES))
        return has_no_dictionary(cls, symbol->open.text);
    const lbi_place *own =
        lbi_dictionary_find(object->attributes, &symbol->open, NULL);
    if (own == NULL && !make_room(cls, object, &symbol->open))
        return lbi_no_memory();
    if (own && !lbi_part_begin(runtime, &parting))
        return lbi_no_memory();
    if (own == NULL && !mark_name(cls, symbol, object->attributes->count))
        return lbi_no_memory();
    lbi_keep(runtime->space, value);
    lbi_dictionary_put(object->attributes, &symbol->open, value, &had, &before);
    if (had)
        lbi_part(runtime, &parting, before);
    return LB_OK;
}

static lb_status delete_own(lb_class *cls, lb_object *object,
                            const lb_symbol *symbol)
{
    lbi_parting parting;
    if (!(cls->flags & LB_FREE_ATTRIBUTES))
        return has_no_dictionary(cls, symbol->text);
    const lbi_place *own =
        lbi_dictionary_find(object->attributes, symbol, NULL);
    if (own == NULL)
        return LB_NO_ATTRIBUTE;
    if (!lbi_part_begin(cls->runtime, &parting))
        return lbi_no_memory();
    const lb_value before = own->value;
    lbi_dictionary_delete(object->attributes, own);
    lbi_part(cls->runtime, &parting, before);
    return LB_OK;
}

/* ---- entering ----------------------------------------------------------- */

static lb_status check_target(const void *object, const void *name)
{
    if (object == NULL || name == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        object ? "name" : "object");
    return LB_OK;
}

/* The object's class, with the lock taken. */
static lb_status enter(const void *object, const lb_symbol *symbol,
                       lb_class **cls)
{
    lb_status status = check_target(object, symbol);
    if (status != LB_OK ||
        (status = lbi_enter_runtime(symbol->runtime)) != LB_OK)
        return status;
    *cls = lbi_class_of(symbol->runtime, lbi_read_header(object));
    if (*cls)
        return LB_OK;
    return lbi_leave_runtime(symbol->runtime,
                             lbi_no_class(object, symbol->text));
}

lb_status lb_own_set(void *object, const lb_symbol *symbol, lb_value value)
{
    lb_class *cls;
    lb_status status = enter(object, symbol, &cls);
    if (status != LB_OK)
        return status;
    return lbi_leave_runtime(
        cls->runtime, put_own(cls, object, lbi_symbol_of(symbol), value));
}

lb_status lb_own_delete(void *object, const lb_symbol *symbol)
{
    lb_class *cls;
    lb_status status = enter(object, symbol, &cls);
    if (status != LB_OK)
        return status;
    return lbi_leave_runtime(cls->runtime, delete_own(cls, object, symbol));
}

lb_status lb_own_get(const void *object, const lb_symbol *symbol,
                     lb_value *value)
{
    lb_class *cls;
    if (value == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "value is NULL");
    lb_status status = enter(object, symbol, &cls);
    if (status != LB_OK)
        return status;
    const lbi_place *own = NULL;
    if (cls->flags & LB_FREE_ATTRIBUTES) {
        own = lbi_dictionary_find(((const lb_object *)object)->attributes,
                                  symbol, NULL);
        status = own ? LB_OK : LB_NO_ATTRIBUTE;
    } else {
        status = has_no_dictionary(cls, symbol->text);
    }
    if (own)
        *value = lbi_own_value(own);
    return lbi_leave_runtime(cls->runtime, status);
}

int lb_own_next(const void *object, size_t *cursor, const lb_symbol **symbol,
                lb_value *value)
{
    if (object == NULL || cursor == NULL)
        return 0;
    const lb_class *cls = lbi_class_of_any(lbi_read_header(object));
    if (cls == NULL || !(cls->flags & LB_FREE_ATTRIBUTES))
        return 0;
    const lb_attributes *d = lbi_load(&((const lb_object *)object)->attributes);
    while (d && *cursor < lbi_load(&d->count)) {
        const lbi_place *own = &lbi_places(d)[(*cursor)++];
        const lb_symbol *key = lbi_load(&own->symbol);
        if ((uintptr_t)key & 1)
            continue;
        if (symbol)
            *symbol = key;
        if (value)
            *value = lbi_own_value(own);
        return 1;
    }
    return 0;
}

/* ---- fields and properties ---------------------------------------------- */

static lb_status read_only(const lb_attribute *attribute, const char *why)
{
    return lbi_fail(LB_READ_ONLY, "%s %s.%s %s",
                    attribute->kind == LB_FIELD ? "field" : "property",
                    attribute->owner->name, attribute->symbol->text, why);
}

/* A field that holds a value: what it held is given up as any other. */
static lb_status put_value_field(lb_class *cls, void *object,
                                 const lb_attribute *field, lb_value value)
{
    lbi_parting parting;
    lb_status status = lbi_enter_runtime(cls->runtime);
    if (status != LB_OK)
        return status;
    if (!lbi_part_begin(cls->runtime, &parting))
        return lbi_leave_runtime(cls->runtime, lbi_no_memory());
    lbi_keep(cls->runtime->space, value);
    lbi_part(cls->runtime, &parting, lbi_field_set(object, field, value));
    return lbi_leave_runtime(cls->runtime, LB_OK);
}

static lb_status set_field(lb_class *cls, void *object,
                           const lb_attribute *field, lb_value value)
{
    if (field->read_only)
        return read_only(field, "cannot be set");
    if (field->type == LB_FIELD_VALUE)
        return put_value_field(cls, object, field, value);
    lb_status status = lbi_field_check_value(field, value);
    if (status == LB_OK)
        lbi_field_set(object, field, value);
    return status;
}

static lb_status set_data(lb_class *cls, void *object,
                          const lb_attribute *attribute, lb_value value)
{
    if (attribute->kind == LB_FIELD)
        return set_field(cls, object, attribute, value);
    if (attribute->set == NULL)
        return read_only(attribute, "cannot be set");
    const lbi_callback callback = lbi_callback_begins(attribute);
    return lbi_callback_ended(
        callback, "the setter of",
        attribute->set(attribute, lb_pointer(object), value));
}

static lb_status delete_data(void *object, const lb_attribute *attribute)
{
    if (attribute->remove == NULL)
        return read_only(attribute, "cannot be deleted");
    const lbi_callback callback = lbi_callback_begins(attribute);
    return lbi_callback_ended(callback, "the deleter of",
                              attribute->remove(attribute, lb_pointer(object)));
}

/* The data descriptor that decides in Python's order, or NULL. Locked. */
static const lb_attribute *data_of(lb_class *cls, lbi_symbol *symbol)
{
    if (cls->runtime->space->options.order == LB_ORDER_1998)
        return NULL;
    const lbi_meaning m = lbi_meaning_of(cls, symbol);
    const lb_attribute *attribute = lbi_meant(m);
    return attribute && attribute->data && !lbi_is_hook(m, symbol) ? attribute
                                                                   : NULL;
}

/* ---- setting ------------------------------------------------------------ */

/* The only thread overwrites what the instance holds already, if the cell
 * tells where. False: the slow way. */
static bool overwrite(lb_object *object, const lb_symbol *symbol,
                      lb_value value)
{
    lb_runtime *runtime = symbol->runtime;
    const lbi_space *space = runtime->space;
    if (!space->single || !space->inlined ||
        (space->options.release && runtime->first_reader))
        return false;
    const uint32_t h = lb_handle(object);
    const uint64_t word = lbi_load_word(symbol->cells + (h & symbol->mask) + 8);
    if ((word ^ (uint64_t)h << 40) >> LBI_CELL_ID != 0 ||
        !(word & LBI_CELL_INSTANCE))
        return false;
    lbi_place *own = (lbi_place *)(uintptr_t)lbi_own_at(
        object, (uint32_t)word >> LBI_CELL_HINT);
    if (own == NULL || own->symbol != symbol)
        return false;
    const lb_value before = own->value;
    lbi_keep(space, value);
    own->value = value;
    if (space->options.release)
        space->options.release(space->options.context, before);
    return true;
}

lb_status lb_set(void *object, const lb_symbol *symbol, lb_value value)
{
    lb_class *cls;
    lb_status status = check_target(object, symbol);
    if (status != LB_OK)
        return status;
    if (overwrite(object, symbol, value))
        return LB_OK;
    if ((status = enter(object, symbol, &cls)) != LB_OK)
        return status;
    lbi_symbol *s = lbi_symbol_of(symbol);
    const lb_attribute *data = data_of(cls, s);
    if (data == NULL)
        return lbi_leave_runtime(cls->runtime, put_own(cls, object, s, value));
    lbi_leave_quietly(cls->runtime);
    return set_data(cls, object, data, value);
}

static lb_status nothing_to_delete(const lb_class *cls, const char *name)
{
    return lbi_fail(LB_NO_ATTRIBUTE,
                    "an instance of %s holds no attribute '%s' that could be "
                    "deleted",
                    cls->name, name);
}

lb_status lb_unset(void *object, const lb_symbol *symbol)
{
    lb_class *cls;
    lb_status status = enter(object, symbol, &cls);
    if (status != LB_OK)
        return status;
    const lb_attribute *data = data_of(cls, lbi_symbol_of(symbol));
    if (data) {
        lbi_leave_quietly(cls->runtime);
        return delete_data(object, data);
    }
    status = delete_own(cls, object, symbol);
    if (status == LB_NO_ATTRIBUTE)
        nothing_to_delete(cls, symbol->text);
    return lbi_leave_runtime(cls->runtime, status);
}

/* ---- by text ------------------------------------------------------------ */

static lb_status symbol_to_write(const void *object, const char *name,
                                 const lb_symbol **symbol)
{
    lb_status status = check_target(object, name);
    if (status != LB_OK)
        return status;
    const lb_class *cls = lbi_class_of_any(lbi_read_header(object));
    if (cls == NULL)
        return lbi_no_class(object, name);
    *symbol = lb_intern(cls->runtime, name);
    return *symbol ? LB_OK : LB_NO_MEMORY;
}

/* As published: a name that was not interned bears no mark, so that no mark
 * can be trusted once an instance holds it. */
static void give_up_marks(lbi_space *space)
{
    if (space->options.policy != LB_POLICY_TABLE &&
        space->options.intern_writes != LB_YES)
        lbi_poke(&space->marks_lost, true);
}

lb_status lb_set_text(void *object, const char *name, lb_value value)
{
    const lb_symbol *symbol = NULL;
    lb_status status = symbol_to_write(object, name, &symbol);
    if (status == LB_OK && (status = lb_set(object, symbol, value)) == LB_OK)
        give_up_marks(symbol->runtime->space);
    return status;
}

lb_status lb_unset_text(void *object, const char *name)
{
    lb_status status = check_target(object, name);
    if (status != LB_OK)
        return status;
    const lb_class *cls = lbi_class_of_any(lbi_read_header(object));
    if (cls == NULL)
        return lbi_no_class(object, name);
    const lb_symbol *symbol = lb_symbol_find(cls->runtime, name);
    if (symbol == NULL && !(cls->flags & LB_FREE_ATTRIBUTES))
        return has_no_dictionary(cls, name);
    if (symbol == NULL)
        return nothing_to_delete(cls, name);
    return lb_unset(object, symbol);
}

/* ---- instances and their classes ---------------------------------------- */

void lbi_instance_end(lb_runtime *runtime, void *object)
{
    lb_object *instance = object;
    if (instance->attributes == NULL || lbi_enter_runtime(runtime) != LB_OK)
        return;
    lb_attributes *attributes = instance->attributes;
    lbi_store(&instance->attributes, NULL);
    lbi_dictionary_retire(runtime, attributes, lbi_part_all);
    lbi_leave_runtime(runtime, LB_OK);
}

void lb_object_clear(lb_object *object)
{
    if (object == NULL || object->attributes == NULL)
        return;
    const lb_class *cls = lbi_class_of_any(lbi_read_header(&object->head));
    if (cls)
        lbi_instance_end(cls->runtime, object);
}

lb_class *lb_object_class(lb_runtime *runtime, const char *name, lb_class *base,
                          lb_class *second_base)
{
    return lbi_class_make(runtime, name, 0, LB_FREE_ATTRIBUTES, base,
                          second_base);
}

int lb_is_instance(const void *object, const lb_class *cls)
{
    if (object == NULL || cls == NULL || cls == lb_any_class)
        return 0;
    const lb_class *own = lb_class_of(cls->runtime, object);
    return own && lb_class_is_subclass(own, cls);
}
