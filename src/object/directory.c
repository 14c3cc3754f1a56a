/* object/directory.c - dir, and visiting values. */
#include "object/cells.h"
#include "object/dictionary.h"
#include "object/failure.h"
#include "object/field.h"
#include "object/members.h"

#include <stdlib.h>

/* ---- dir ---------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const lb_directory_entry *x = a, *y = b;
    return strcmp(x->symbol->text, y->symbol->text);
}

static bool is_listed(const lb_directory *d, const lb_symbol *symbol)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->entries[i].symbol == symbol)
            return true;
    return false;
}

static void list_class(lb_directory *d, lb_class *cls)
{
    const lb_attributes *dictionary =
        cls->members ? cls->members->dictionary : NULL;
    LBI_EACH_OWN (own, dictionary)
        if (!is_listed(d, own->symbol))
            d->entries[d->count++] =
                (lb_directory_entry){own->symbol, cls, own->value.constant};
}

/* In Python's order a data descriptor hides the instance's own attribute. */
static void list_own(lb_directory *d, const lb_object *object)
{
    const bool python = d->runtime->space->options.order == LB_ORDER_PYTHON3;
    LBI_EACH_OWN (own, object->attributes) {
        lb_directory_entry *hidden = NULL;
        for (size_t i = 0; i < d->count; i++)
            if (d->entries[i].symbol == own->symbol)
                hidden = &d->entries[i];
        const lb_directory_entry entry = {own->symbol, NULL, NULL};
        if (hidden == NULL)
            d->entries[d->count++] = entry;
        else if (!python || !hidden->attribute->data)
            *hidden = entry;
    }
}

static size_t upper_bound(const lb_class *cls, const lb_object *object)
{
    size_t count = object && object->attributes ? object->attributes->live : 0;
    for (uint32_t i = 0; i < cls->order_count; i++) {
        const lbi_members *members = cls->order[i]->members;
        count += members && members->dictionary ? members->dictionary->live : 0;
    }
    return count;
}

static size_t directory_size(size_t count)
{
    return sizeof(lb_directory) + sizeof(size_t) +
           count * sizeof(lb_directory_entry);
}

/* The capacity stands behind the entries' end, for lb_directory_free. */
typedef struct directory {
    lb_directory open; /* first member */
    size_t capacity;
    lb_directory_entry entries[];
} directory;

static lb_status make_directory(lb_class *cls, const lb_object *object,
                                lb_directory **result)
{
    lb_runtime *runtime = cls->runtime;
    const size_t capacity = upper_bound(cls, object);
    directory *d = lbi_alloc(&runtime->allocator, directory_size(capacity));
    if (d == NULL)
        return lbi_no_memory();
    d->open = (lb_directory){runtime, 0, d->entries};
    d->capacity = capacity;
    for (uint32_t i = 0; i < cls->order_count; i++)
        list_class(&d->open, cls->order[i]);
    if (object && runtime->space)
        list_own(&d->open, object);
    if (d->open.count)
        qsort(d->entries, d->open.count, sizeof *d->entries, by_name);
    *result = &d->open;
    return LB_OK;
}

lb_status lb_dir(const void *object, lb_directory **result)
{
    if (object == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        object ? "result" : "object");
    *result = NULL;
    lb_class *cls = lbi_class_of_any(lbi_read_header(object));
    if (cls == NULL)
        return lbi_no_class(object, "(all)");
    lb_status status = lbi_enter_runtime(cls->runtime);
    if (status != LB_OK)
        return status;
    return lbi_leave_runtime(
        cls->runtime,
        make_directory(cls, cls->flags & LB_FREE_ATTRIBUTES ? object : NULL,
                       result));
}

void lb_directory_free(lb_directory *listed)
{
    if (listed == NULL || lbi_enter_runtime(listed->runtime) != LB_OK)
        return;
    lb_runtime *runtime = listed->runtime;
    directory *d = (directory *)listed;
    lbi_free(&runtime->allocator, d, directory_size(d->capacity));
    lbi_leave_runtime(runtime, LB_OK);
}

/* ---- visiting ----------------------------------------------------------- */

static void visit_members(const lb_class *cls, lb_visit_fn visit, void *context)
{
    const lb_attributes *dictionary =
        cls->members ? cls->members->dictionary : NULL;
    LBI_EACH_OWN (own, dictionary) {
        const lb_attribute *attribute = own->value.constant;
        if (lbi_holds_value(attribute))
            visit(context, attribute->value);
    }
}

void lb_visit_classes(lb_runtime *runtime, lb_visit_fn visit, void *context)
{
    if (runtime == NULL || visit == NULL || lbi_enter_runtime(runtime) != LB_OK)
        return;
    for (const lb_class *cls = runtime->first_class; cls; cls = cls->next)
        visit_members(cls, visit, context);
    lbi_leave_runtime(runtime, LB_OK);
}

static void visit_fields(const lb_class *cls, const void *object,
                         lb_visit_fn visit, void *context)
{
    for (uint32_t i = 0; i < cls->order_count; i++) {
        const lbi_members *members = cls->order[i]->members;
        LBI_EACH_OWN (own, members ? members->dictionary : NULL) {
            const lb_attribute *field = own->value.constant;
            if (field->kind == LB_FIELD && field->type == LB_FIELD_VALUE)
                visit(context, lbi_field_get(object, field));
        }
    }
}

void lb_visit_object(const void *object, lb_visit_fn visit, void *context)
{
    if (object == NULL || visit == NULL)
        return;
    const lb_class *cls = lbi_class_of_any(lbi_read_header(object));
    if (cls == NULL || lbi_enter_runtime(cls->runtime) != LB_OK)
        return;
    visit_fields(cls, object, visit, context);
    if (cls->flags & LB_FREE_ATTRIBUTES)
        LBI_EACH_OWN (own, ((const lb_object *)object)->attributes)
            visit(context, lbi_own_value(own));
    lbi_leave_runtime(cls->runtime, LB_OK);
}
