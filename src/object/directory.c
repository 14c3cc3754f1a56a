/* object/directory.c - dir, and visiting values. */
#include "object/dictionary.h"
#include "object/failure.h"
#include "object/field.h"
#include "object/members.h"

#include <stdlib.h>

/* ---- dir ---------------------------------------------------------------- */

/* Everything that has a name, and where: 0 the instance, then the classes in
 * their order. */
typedef struct candidate {
    lb_directory_entry entry;
    uint32_t rank;
} candidate;

static int by_name_and_rank(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    const int order = strcmp(x->entry.symbol->text, y->entry.symbol->text);
    if (order)
        return order;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static size_t gather_own(const lb_object *object, candidate *all)
{
    size_t n = 0;
    LBI_EACH_OWN (own, object->attributes)
        all[n++] = (candidate){{own->symbol, NULL, NULL}, 0};
    return n;
}

static size_t gather_class(lb_class *cls, uint32_t rank, candidate *all)
{
    const lb_attributes *dictionary =
        cls->members ? cls->members->dictionary : NULL;
    size_t n = 0;
    LBI_EACH_OWN (own, dictionary)
        all[n++] = (candidate){{own->symbol, cls, own->value.constant}, rank};
    return n;
}

/* Of those with one name, the one that a look-up finds. In Python's order a
 * data descriptor of the class hides the instance's own. */
static const candidate *winner(const lbi_space *space, const candidate *first,
                               size_t count)
{
    const bool hidden = count > 1 && first[0].rank == 0 &&
                        first[1].entry.attribute->data &&
                        space->options.order == LB_ORDER_PYTHON3;
    return &first[hidden];
}

static void choose(lb_directory *d, const candidate *all, size_t count)
{
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1;
             next < count && all[next].entry.symbol == all[i].entry.symbol;)
            next++;
        d->entries[d->count++] =
            winner(d->runtime->space, &all[i], next - i)->entry;
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

static void fill_directory(lb_directory *d, lb_class *cls,
                           const lb_object *object, candidate *all)
{
    size_t n = object ? gather_own(object, all) : 0;
    for (uint32_t i = 0; i < cls->order_count; i++)
        n += gather_class(cls->order[i], i + 1, all + n);
    if (n)
        qsort(all, n, sizeof *all, by_name_and_rank);
    choose(d, all, n);
}

static lb_status make_directory(lb_class *cls, const lb_object *object,
                                lb_directory **result)
{
    lb_runtime *runtime = cls->runtime;
    const size_t capacity = upper_bound(cls, object);
    const size_t bytes = (capacity + 1) * sizeof(candidate);
    candidate *all = lbi_alloc(&runtime->allocator, bytes);
    directory *d =
        all ? lbi_alloc(&runtime->allocator, directory_size(capacity)) : NULL;
    if (d) {
        d->open = (lb_directory){runtime, 0, d->entries};
        d->capacity = capacity;
        fill_directory(&d->open, cls, object, all);
        *result = &d->open;
    }
    lbi_free(&runtime->allocator, all, bytes);
    return d ? LB_OK : lbi_no_memory();
}

static lb_status enter_and_list(lb_class *cls, const void *object,
                                lb_directory **result)
{
    lb_status status = lbi_enter_runtime(cls->runtime);
    if (status != LB_OK)
        return status;
    status = make_directory(cls, object, result);
    lbi_leave_quietly(cls->runtime);
    return status;
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
    return enter_and_list(cls, cls->flags & LB_FREE_ATTRIBUTES ? object : NULL,
                          result);
}

lb_status lb_class_dir(lb_class *cls, lb_directory **result)
{
    lb_status status = lbi_check_owner(cls);
    if (status == LB_OK && result == NULL)
        status = lbi_fail(LB_BAD_ARGUMENT, "result is NULL");
    if (status != LB_OK)
        return status;
    *result = NULL;
    return enter_and_list(cls, NULL, result);
}

void lb_directory_free(lb_directory *listed)
{
    if (listed == NULL || lbi_enter_runtime(listed->runtime) != LB_OK)
        return;
    lb_runtime *runtime = listed->runtime;
    directory *d = (directory *)listed;
    lbi_free(&runtime->allocator, d, directory_size(d->capacity));
    lbi_leave_quietly(runtime);
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
    lbi_leave_quietly(runtime);
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
    lbi_leave_quietly(cls->runtime);
}
