/* core/class.c - making, changing and ending classes.
 *
 * Making a class: 1. linearize; 2. reserve everything that can fail; 3. link
 * it in. Changing bases: 1. linearize the class and all its descendants,
 * parents first, into new_order; 2. when all have succeeded, swap the orders,
 * stamp the classes and tell the observer, which drops the resolved calls that
 * involve a stamped class. Ending: the number (id and serial) stays taken
 * until tables have forgotten it and no call is in flight.
 *
 * A supplied order can be anything, so every class says how its own is related
 * to those of its bases, for whoever would conclude from classes to subclasses:
 *   irregular  the order of a base, without the class itself, is not a
 *              subsequence of its order; never so with C3
 *   turning    it is in the order of one of its bases, so that its own place
 *              is another one in its order than in theirs
 *   foreign    to it are the classes of its order that are neither itself nor
 *              in an order of its bases. `strangers` counts, the other way
 *              round, to how many classes a class is foreign: if to none, all
 *              classes that have it in their order derive from it
 */
#include "core/class.h"

#include "base/hash.h"

#include "core/ids.h"
#include "core/number.h"
#include "core/reclaim.h"

static lb_class any_class = {.name = (char *)(uintptr_t) "any class"};
lb_class *const lb_any_class = &any_class;

static lb_status check_name(const char *what, const void *pointer)
{
    if (pointer == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", what);
    return LB_OK;
}

/* A class that can be asked or changed. */
static lb_status check_class(const lb_class *cls)
{
    if (cls == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "cls is NULL");
    if (cls == lb_any_class)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "lb_any_class stands for any class in rules; it is "
                        "none itself");
    return LB_OK;
}

static lb_status check_classes(const lb_runtime *runtime, const char *name,
                               const char *what, lb_class *const *classes,
                               size_t count)
{
    if (count && classes == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "class %s: the %ss are NULL", name,
                        what);
    if (count > UINT16_MAX)
        return lbi_fail(LB_BAD_ARGUMENT, "class %s: %zu %ss are too many", name,
                        count, what);
    for (size_t i = 0; i < count; i++) {
        if (classes[i] == NULL)
            return lbi_fail(LB_BAD_ARGUMENT, "class %s: %s %zu is NULL", name,
                            what, i);
        if (classes[i]->runtime != runtime)
            return lbi_fail(LB_BAD_ARGUMENT,
                            "class %s: %s %s is of another runtime", name, what,
                            classes[i]->name);
        for (size_t j = 0; j < i; j++)
            if (classes[j] == classes[i])
                return lbi_fail(LB_BAD_ARGUMENT,
                                "class %s: %s %s stands there twice", name,
                                what, classes[i]->name);
    }
    return LB_OK;
}

static lb_class **copy_classes(lbi_allocator *allocator,
                               lb_class *const *classes, size_t count)
{
    lb_class **copy = lbi_alloc(allocator, (count ? count : 1) * sizeof *copy);
    if (copy && count)
        memcpy(copy, classes, count * sizeof *copy);
    return copy;
}

static bool same_classes(lb_class *const *a, size_t a_count, lb_class *const *b,
                         size_t b_count)
{
    return a_count == b_count &&
           (a_count == 0 || memcmp(a, b, a_count * sizeof *a) == 0);
}

static void free_classes(lbi_allocator *allocator, lb_class **classes,
                         size_t count)
{
    lbi_free(allocator, classes, (count ? count : 1) * sizeof *classes);
}

/* The order of a class whose linearization the caller supplies. */
static lb_status supplied_order(lb_class *cls, lb_class *const *rest,
                                size_t count, lb_class ***order,
                                uint32_t *order_count)
{
    lb_class **out =
        lbi_alloc(&cls->runtime->allocator, (count + 1) * sizeof *out);
    if (out == NULL)
        return lbi_no_memory();
    out[0] = cls;
    if (count)
        memcpy(out + 1, rest, count * sizeof *out);
    *order = out;
    *order_count = (uint32_t)count + 1;
    return LB_OK;
}

static bool is_chain(const lb_class *cls)
{
    if (cls->base_count == 0)
        return cls->order_count == 1;
    const lb_class *base = cls->bases[0];
    return cls->base_count == 1 && base->chain &&
           cls->order_count == base->order_count + 1 &&
           memcmp(cls->order + 1, base->order,
                  base->order_count * sizeof *base->order) == 0;
}

static void count_descendants(lb_class *cls, size_t by)
{
    cls->runtime->orders++;
    for (uint32_t i = 0; i < cls->order_count; i++)
        cls->order[i]->descendants += by;
}

lb_class *const *lbi_class_members(lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    if (cls->below && cls->below_of == runtime->orders)
        return cls->below;
    lbi_free(&runtime->allocator, cls->below,
             cls->below_count * sizeof *cls->below);
    cls->below_count = cls->descendants;
    cls->below =
        lbi_alloc(&runtime->allocator, cls->below_count * sizeof *cls->below);
    cls->below_of = runtime->orders;
    size_t found = 0;
    for (lb_class *c = runtime->first_class;
         cls->below && found < cls->below_count; c = c->next)
        if (lbi_is_subclass(c, cls))
            cls->below[found++] = c;
    return cls->below;
}

/* ---- orders and those of the bases -------------------------------------- */

static void mark_inherited(const lb_class *cls, uint32_t mark)
{
    for (uint32_t b = 0; b < cls->base_count; b++)
        for (uint32_t i = 0; i < cls->bases[b]->order_count; i++)
            cls->bases[b]->order[i]->scratch = mark;
}

/* Counts the foreign classes of `cls` up, or down again while its order and
 * those of its bases still are what they were. */
static void count_foreign(lb_class *cls, size_t by)
{
    cls->extends = 0;
    if (cls->chain)
        return;
    mark_inherited(cls, 1);
    for (uint32_t i = 1; i < cls->order_count; i++)
        if (cls->order[i]->scratch == 0) {
            cls->order[i]->strangers += by;
            cls->extends++;
        }
    mark_inherited(cls, 0);
}

/* Whether the order of `base`, without `cls`, is a subsequence of that of
 * `cls`. */
static bool keeps_order(const lb_class *cls, const lb_class *base)
{
    uint32_t at = 1;
    for (uint32_t i = 0; i < base->order_count; i++) {
        if (base->order[i] == cls)
            continue;
        while (at < cls->order_count && cls->order[at] != base->order[i])
            at++;
        if (at++ == cls->order_count)
            return false;
    }
    return true;
}

/* What the order of `cls` is to those of its bases, which are up to date. */
static void place_order(lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    runtime->irregular_count -= cls->irregular;
    cls->irregular = cls->turning = false;
    cls->chain = is_chain(cls);
    for (uint32_t i = 0; cls->supplied && i < cls->base_count; i++) {
        cls->irregular |= !keeps_order(cls, cls->bases[i]);
        cls->turning |= lbi_is_subclass(cls->bases[i], cls);
    }
    runtime->irregular_count += cls->irregular;
    count_foreign(cls, 1);
}

/* ---- making ------------------------------------------------------------- */

static void free_class_memory(lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    lbi_allocator *allocator = &runtime->allocator;
    lbi_free_text(allocator, cls->name);
    if (cls->bases)
        free_classes(allocator, cls->bases, cls->base_count);
    lbi_free(allocator, cls->order, cls->order_count * sizeof *cls->order);
    lbi_free(allocator, cls->derived,
             cls->derived_capacity * sizeof *cls->derived);
    lbi_free(allocator, cls->below, cls->below_count * sizeof *cls->below);
    cls->name = NULL;
    cls->bases = cls->order = cls->derived = cls->below = NULL;
    cls->below_count = 0;
    cls->base_count = cls->order_count = 0;
    cls->derived_count = cls->derived_capacity = 0;
}

static size_t class_size(const lb_class *cls)
{
    return sizeof *cls + strlen(cls->name) + 1 +
           (cls->base_count + cls->order_count) * sizeof(lb_class *);
}

/* Whether instances of `cls` can be instances of all classes of an order. A
 * size of 0 says nothing. */
static lb_status check_layout(const lb_class *cls, lb_class *const *order,
                              size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const lb_class *base = order[i];
        if (base->flags & ~cls->flags & LB_FREE_ATTRIBUTES)
            return lbi_fail(LB_BAD_ARGUMENT,
                            "class %s has no free attributes, but %s in its "
                            "order has",
                            cls->name, base->name);
        if (cls->flags & ~base->flags & LB_FREE_ATTRIBUTES &&
            base->instance_size > sizeof(lb_header))
            return lbi_fail(LB_BAD_ARGUMENT,
                            "class %s has free attributes, but %s in its "
                            "order has C fields where an lb_object has its "
                            "pointer",
                            cls->name, base->name);
        if (cls->instance_size && cls->instance_size < base->instance_size)
            return lbi_fail(LB_BAD_ARGUMENT,
                            "instances of class %s have %zu bytes, but %s in "
                            "its order needs %zu",
                            cls->name, cls->instance_size, base->name,
                            base->instance_size);
    }
    return LB_OK;
}

/* Flags and size of the instances, from the spec and the bases. */
static lb_status lay_out(lb_class *cls, const lb_class_spec *spec)
{
    cls->flags = spec->flags;
    cls->instance_size = spec->instance_size;
    for (size_t i = 0; i < spec->base_count; i++) {
        cls->flags |= spec->bases[i]->flags;
        if (spec->instance_size == 0 &&
            spec->bases[i]->instance_size > cls->instance_size)
            cls->instance_size = spec->bases[i]->instance_size;
    }
    if (!(cls->flags & LB_FREE_ATTRIBUTES))
        return LB_OK;
    const size_t least = sizeof(lb_header) + sizeof(void *);
    if (spec->instance_size != 0 && spec->instance_size < least)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "class %s has free attributes: its instances take at "
                        "least %zu bytes, not %zu",
                        spec->name, least, spec->instance_size);
    if (cls->instance_size < least)
        cls->instance_size = least;
    return LB_OK;
}

static lb_status prepare_class(lb_class *cls, const lb_class_spec *spec)
{
    lb_runtime *runtime = cls->runtime;
    lbi_allocator *allocator = &runtime->allocator;
    cls->name = lbi_copy_text(allocator, spec->name);
    cls->bases = copy_classes(allocator, spec->bases, spec->base_count);
    if (cls->bases)
        cls->base_count = (uint32_t)spec->base_count;
    if (cls->name == NULL || cls->bases == NULL)
        return lbi_no_memory();
    cls->supplied = spec->linearization != NULL;
    lb_status status = cls->supplied
                           ? supplied_order(cls, spec->linearization,
                                            spec->linearization_count,
                                            &cls->order, &cls->order_count)
                           : lbi_linearize(cls, cls->bases, cls->base_count,
                                           &cls->order, &cls->order_count);
    if (status == LB_OK)
        status = check_layout(cls, cls->order, cls->order_count);
    if (status != LB_OK)
        return status;
    for (uint32_t i = 0; i < cls->base_count; i++) {
        lb_class *base = cls->bases[i];
        if (!lbi_reserve(allocator, &base->derived, &base->derived_capacity,
                         base->derived_count + 1, sizeof *base->derived))
            return lbi_no_memory();
    }
    if (!lbi_map_reserve(&runtime->class_names, allocator, 1))
        return lbi_no_memory();
    return lbi_serial_take(runtime, cls);
}

static void link_derived(lb_class *cls)
{
    for (uint32_t i = 0; i < cls->base_count; i++)
        cls->bases[i]->derived[cls->bases[i]->derived_count++] = cls;
}

static void link_class(lb_runtime *runtime, lb_class *cls)
{
    place_order(cls);
    link_derived(cls);
    count_descendants(cls, 1);
    lbi_map_add(&runtime->class_names, &cls->by_name, lbi_hash_text(cls->name));
    cls->previous = runtime->last_class;
    if (runtime->last_class)
        runtime->last_class->next = cls;
    else
        runtime->first_class = cls;
    runtime->last_class = cls;
    runtime->class_count++;
    runtime->joined_count += cls->base_count > 1;
    runtime->class_bytes += class_size(cls);
}

static lb_status make_class(lb_runtime *runtime, const lb_class_spec *spec,
                            lb_class **result)
{
    const uint32_t limit = runtime->config.max_classes;
    if (limit && runtime->class_count >= limit)
        return lbi_fail(LB_LIMIT,
                        "class %s: there are %u classes, the configured limit",
                        spec->name, limit);
    lb_class *cls = lbi_block_alloc(runtime, sizeof *cls);
    if (cls == NULL)
        return lbi_no_memory();
    cls->runtime = runtime;
    lb_status status = lay_out(cls, spec);
    if (status == LB_OK)
        status = prepare_class(cls, spec);
    if (status != LB_OK) {
        free_class_memory(cls);
        lbi_block_free(runtime, cls);
        return status;
    }
    cls->context = spec->context;
    cls->release = spec->release;
    link_class(runtime, cls);
    if (cls->base_count > 1 || cls->extends || cls->irregular)
        lbi_tell(runtime, joined, runtime, cls);
    *result = cls;
    return LB_OK;
}

lb_status lb_class_create(lb_runtime *runtime, const lb_class_spec *spec,
                          lb_class **result)
{
    lb_status status;
    if ((status = check_name("runtime", runtime)) != LB_OK ||
        (status = check_name("spec", spec)) != LB_OK ||
        (status = check_name("result", result)) != LB_OK)
        return status;
    *result = NULL;
    if (spec->flags & ~(uint32_t)LB_FREE_ATTRIBUTES)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "spec.flags is %u; want 0 or LB_FREE_ATTRIBUTES",
                        spec->flags);
    if ((status = check_name("spec.name", spec->name)) != LB_OK ||
        (status = check_classes(runtime, spec->name, "base", spec->bases,
                                spec->base_count)) != LB_OK ||
        (spec->linearization &&
         (status = check_classes(runtime, spec->name, "linearization entry",
                                 spec->linearization,
                                 spec->linearization_count)) != LB_OK) ||
        (status = lbi_enter_runtime(runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(runtime, make_class(runtime, spec, result));
}

lb_class *lbi_class_make(lb_runtime *runtime, const char *name,
                         size_t instance_size, uint32_t flags, lb_class *base,
                         lb_class *second_base)
{
    lb_class *const bases[] = {base ? base : second_base, second_base};
    lb_class *result = NULL;
    lb_class_create(
        runtime,
        &(lb_class_spec){.name = name,
                         .bases = bases,
                         .base_count = (base != NULL) + (second_base != NULL),
                         .instance_size = instance_size,
                         .flags = flags},
        &result);
    return result;
}

lb_class *lb_class_make(lb_runtime *runtime, const char *name,
                        size_t instance_size, lb_class *base,
                        lb_class *second_base)
{
    return lbi_class_make(runtime, name, instance_size, 0, base, second_base);
}

/* ---- changing ----------------------------------------------------------- */

/* Collects `cls` and its descendants, parents before children, linked by the
 * returned array. Depth-first with a stack in the array's upper end. */
typedef struct family {
    lb_class **members;
    size_t count, capacity;
} family;

static bool visit(lb_runtime *runtime, family *f, lb_class *cls)
{
    /* Post-order over derived classes, so that the reverse is parents first.
     * The depth of recursion is the depth of the class tree. */
    cls->stamp = runtime->stamp;
    for (size_t i = 0; i < cls->derived_count; i++)
        if (cls->derived[i]->stamp != runtime->stamp &&
            !visit(runtime, f, cls->derived[i]))
            return false;
    if (!lbi_reserve(&runtime->allocator, &f->members, &f->capacity,
                     f->count + 1, sizeof *f->members))
        return false;
    f->members[f->count++] = cls;
    return true;
}

static void free_family(lb_runtime *runtime, family *f, bool orders)
{
    for (size_t i = 0; i < f->count; i++) {
        lb_class *cls = f->members[i];
        if (orders && cls->new_order)
            lbi_free(&runtime->allocator, cls->new_order,
                     cls->new_order_count * sizeof *cls->new_order);
        cls->new_order = NULL;
    }
    lbi_free(&runtime->allocator, f->members, f->capacity * sizeof *f->members);
}

static void swap_order(lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    runtime->class_bytes -= cls->order_count * sizeof *cls->order;
    count_descendants(cls, (size_t)-1);
    lbi_free(&runtime->allocator, cls->order,
             cls->order_count * sizeof *cls->order);
    cls->order = cls->new_order;
    cls->order_count = cls->new_order_count;
    cls->new_order = NULL;
    count_descendants(cls, 1);
    runtime->class_bytes += cls->order_count * sizeof *cls->order;
}

/* The new orders of the descendants of f's root, whose own is made already. */
static lb_status relinearize(family *f)
{
    for (size_t i = f->count - 1; i-- > 0;) {
        lb_class *cls = f->members[i];
        if (cls->supplied)
            continue;
        lb_status status =
            lbi_linearize(cls, cls->bases, cls->base_count, &cls->new_order,
                          &cls->new_order_count);
        if (status != LB_OK)
            return status;
    }
    return LB_OK;
}

/* First step of a change that cannot fail any more: as long as the family's
 * orders and bases still are the old ones. */
static void withdraw_family(const family *f)
{
    for (size_t i = 0; i < f->count; i++)
        count_foreign(f->members[i], (size_t)-1);
}

/* Last step: the new bases are in place. */
static void publish_family(lb_runtime *runtime, family *f)
{
    for (size_t i = f->count; i-- > 0;)
        if (f->members[i]->new_order)
            swap_order(f->members[i]);
    for (size_t i = f->count; i-- > 0;)
        place_order(f->members[i]);
    const uint64_t stamp = runtime->stamp;
    lbi_tell(runtime, relinearized, runtime, stamp);
    for (size_t i = f->count; i-- > 0;)
        if (!f->members[i]->chain)
            lbi_tell(runtime, joined, runtime, f->members[i]);
}

static void unlink_derived(lb_class *cls)
{
    for (uint32_t i = 0; i < cls->base_count; i++) {
        lb_class *base = cls->bases[i];
        size_t at = 0;
        while (base->derived[at] != cls)
            at++;
        base->derived[at] = base->derived[--base->derived_count];
    }
}

/* Gives `cls` the order `order` and relinearizes what derives from it. The
 * caller has made everything else ready; on failure nothing has changed. */
static lb_status reorder(lb_class *cls, lb_class **order, uint32_t count,
                         family *f)
{
    lb_runtime *runtime = cls->runtime;
    runtime->stamp++;
    if (!visit(runtime, f, cls)) {
        lbi_free(&runtime->allocator, order, count * sizeof *order);
        return lbi_no_memory();
    }
    cls->new_order = order;
    cls->new_order_count = count;
    lb_status status = relinearize(f);
    for (size_t i = 0; i < f->count && status == LB_OK; i++)
        if (f->members[i]->new_order)
            status = check_layout(f->members[i], f->members[i]->new_order,
                                  f->members[i]->new_order_count);
    return status;
}

/* Stamps `cls` and what derives from it by bases, which a supplied
 * linearization may leave out. */
static void mark_derived(lb_class *cls, uint64_t stamp)
{
    cls->stamp = stamp;
    for (size_t i = 0; i < cls->derived_count; i++)
        if (cls->derived[i]->stamp != stamp)
            mark_derived(cls->derived[i], stamp);
}

static lb_status change_bases(lb_class *cls, lb_class *const *bases,
                              size_t count)
{
    lb_runtime *runtime = cls->runtime;
    lbi_allocator *allocator = &runtime->allocator;
    if (same_classes(cls->bases, cls->base_count, bases, count))
        return LB_OK;
    mark_derived(cls, ++runtime->stamp);
    for (size_t i = 0; i < count; i++)
        if (lbi_is_subclass(bases[i], cls) || bases[i]->stamp == runtime->stamp)
            return lbi_fail(LB_BAD_ORDER,
                            "class %s has no order: its new base %s derives "
                            "from it",
                            cls->name, bases[i]->name);
    for (size_t i = 0; i < count; i++)
        if (!lbi_reserve(allocator, &bases[i]->derived,
                         &bases[i]->derived_capacity,
                         bases[i]->derived_count + 1, sizeof *bases))
            return lbi_no_memory();
    lb_class **copy = copy_classes(allocator, bases, count);
    if (copy == NULL)
        return lbi_no_memory();
    lb_class **order = NULL;
    uint32_t order_count = 0;
    lb_status status =
        cls->supplied
            ? supplied_order(cls, cls->order + 1, cls->order_count - 1, &order,
                             &order_count)
            : lbi_linearize(cls, copy, (uint32_t)count, &order, &order_count);
    family f = {0};
    if (status == LB_OK)
        status = reorder(cls, order, order_count, &f);
    if (status != LB_OK) {
        free_family(runtime, &f, true);
        free_classes(allocator, copy, count);
        return status;
    }
    withdraw_family(&f);
    unlink_derived(cls);
    runtime->joined_count -= cls->base_count > 1;
    runtime->joined_count += count > 1;
    runtime->class_bytes += (count - cls->base_count) * sizeof *copy;
    free_classes(allocator, cls->bases, cls->base_count);
    cls->bases = copy;
    cls->base_count = (uint32_t)count;
    link_derived(cls);
    publish_family(runtime, &f);
    free_family(runtime, &f, false);
    return LB_OK;
}

lb_status lb_class_set_bases(lb_class *cls, lb_class *const *bases,
                             size_t base_count)
{
    lb_status status;
    if ((status = check_class(cls)) != LB_OK ||
        (status = check_classes(cls->runtime, cls->name, "base", bases,
                                base_count)) != LB_OK ||
        (status = lbi_enter_runtime(cls->runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(cls->runtime,
                             change_bases(cls, bases, base_count));
}

static lb_status change_order(lb_class *cls, lb_class *const *rest,
                              size_t count)
{
    lb_runtime *runtime = cls->runtime;
    lb_class **order = NULL;
    uint32_t order_count = 0;
    if (rest && cls->supplied &&
        same_classes(cls->order + 1, cls->order_count - 1, rest, count))
        return LB_OK;
    lb_status status =
        rest ? supplied_order(cls, rest, count, &order, &order_count)
             : lbi_linearize(cls, cls->bases, cls->base_count, &order,
                             &order_count);
    if (status != LB_OK)
        return status;
    family f = {0};
    status = reorder(cls, order, order_count, &f);
    if (status != LB_OK) {
        free_family(runtime, &f, true);
        return status;
    }
    withdraw_family(&f);
    cls->supplied = rest != NULL;
    publish_family(runtime, &f);
    free_family(runtime, &f, false);
    return LB_OK;
}

lb_status lb_class_set_linearization(lb_class *cls, lb_class *const *order,
                                     size_t count)
{
    lb_status status;
    if ((status = check_class(cls)) != LB_OK ||
        (order &&
         (status = check_classes(cls->runtime, cls->name, "linearization entry",
                                 order, count)) != LB_OK) ||
        (status = lbi_enter_runtime(cls->runtime)) != LB_OK)
        return status;
    for (size_t i = 0; order && i < count; i++)
        if (order[i] == cls)
            return lbi_leave_runtime(
                cls->runtime,
                lbi_fail(LB_BAD_ARGUMENT,
                         "class %s: its linearization must not name it again",
                         cls->name));
    return lbi_leave_runtime(cls->runtime, change_order(cls, order, count));
}

/* ---- ending ------------------------------------------------------------- */

/* No table and no call knows the class any more. */
static void forget_class(lb_runtime *runtime, void *content)
{
    lb_class *cls = content;
    lbi_number_give(runtime, cls);
    lbi_block_release(runtime, cls, cls->release, cls->context);
}

static void unlink_class(lb_runtime *runtime, lb_class *cls)
{
    lbi_map_remove(&runtime->class_names, &cls->by_name);
    if (cls->previous)
        cls->previous->next = cls->next;
    else
        runtime->first_class = cls->next;
    if (cls->next)
        cls->next->previous = cls->previous;
    else
        runtime->last_class = cls->previous;
    runtime->class_count--;
    runtime->joined_count -= cls->base_count > 1;
    runtime->irregular_count -= cls->irregular;
    runtime->class_bytes -= class_size(cls);
}

static lb_class *other_descendant(lb_class *cls)
{
    for (lb_class *c = cls->runtime->first_class; c; c = c->next)
        if (c != cls && lbi_is_subclass(c, cls))
            return c;
    return NULL;
}

static lb_status end_class(lb_class *cls)
{
    enum { SWEEP_AT = 256 };
    lb_runtime *runtime = cls->runtime;
    if (cls->derived_count || cls->descendants > 1)
        return lbi_fail(LB_BUSY, "class %s: class %s derives from it",
                        cls->name,
                        cls->derived_count ? cls->derived[0]->name
                                           : other_descendant(cls)->name);
    if (cls->references)
        return lbi_fail(
            LB_BUSY,
            "class %s: %zu specializers of rules name it (%s); "
            "remove those rules first",
            cls->name, cls->references,
            runtime->observers[LBI_GENERICS]->user_of(runtime, cls));
    lbi_tell(runtime, ended, runtime, cls);
    count_descendants(cls, (size_t)-1);
    count_foreign(cls, (size_t)-1);
    unlink_derived(cls);
    unlink_class(runtime, cls);
    lbi_number_end(runtime, cls);
    free_class_memory(cls);
    cls->next = runtime->dying;
    runtime->dying = cls;
    if (++runtime->dying_count >= SWEEP_AT && lbi_reclaims_by_itself(runtime))
        lbi_classes_swept(runtime);
    return LB_OK;
}

void lbi_classes_swept(lb_runtime *runtime)
{
    if (runtime->dying == NULL)
        return;
    if (!runtime->ending)
        lbi_tell(runtime, sweep, runtime);
    lb_class *next;
    for (lb_class *cls = runtime->dying; cls; cls = next) {
        next = cls->next;
        lbi_retire(runtime, cls, forget_class);
    }
    runtime->dying = NULL;
    runtime->dying_count = 0;
}

lb_status lb_class_destroy(lb_class *cls)
{
    lb_status status = check_class(cls);
    if (status != LB_OK)
        return status;
    lb_runtime *runtime = cls->runtime;
    if ((status = lbi_enter_runtime(runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(runtime, end_class(cls));
}

void lbi_classes_end(lb_runtime *runtime)
{
    while (runtime->last_class) {
        lb_class *cls = runtime->last_class;
        lbi_tell(runtime, ended, runtime, cls);
        unlink_class(runtime, cls);
        lbi_number_end(runtime, cls);
        free_class_memory(cls);
        cls->next = runtime->dying;
        runtime->dying = cls;
    }
    runtime->ending = true;
    lbi_classes_swept(runtime);
    lbi_reclaim(runtime);
    lbi_numbers_end(runtime);
}

/* ---- facts -------------------------------------------------------------- */

lb_class *lb_class_find(lb_runtime *runtime, const char *name)
{
    lb_class *found = NULL;
    if (runtime == NULL || name == NULL || lbi_enter_runtime(runtime) != LB_OK)
        return NULL;
    const uint64_t hash = lbi_hash_text(name);
    for (lbi_link *l = lbi_map_chain(&runtime->class_names, hash); l && !found;
         l = l->next)
        if (l->hash == hash && strcmp(((lb_class *)l)->name, name) == 0)
            found = (lb_class *)l;
    lbi_leave_runtime(runtime, LB_OK);
    return found;
}

const char *lb_class_name(const lb_class *cls)
{
    return cls->name;
}

void *lb_class_context(const lb_class *cls)
{
    return cls->context;
}

lb_runtime *lb_class_runtime(const lb_class *cls)
{
    return cls->runtime;
}

size_t lb_class_instance_size(const lb_class *cls)
{
    return cls->instance_size;
}

static size_t copy_out(lb_class *const *from, size_t count, lb_class **out,
                       size_t capacity)
{
    if (out)
        memcpy(out, from, (count < capacity ? count : capacity) * sizeof *out);
    return count;
}

size_t lb_class_linearization(const lb_class *cls, lb_class **out,
                              size_t capacity)
{
    if (check_class(cls) != LB_OK || lbi_enter_runtime(cls->runtime) != LB_OK)
        return 0;
    const size_t count = copy_out(cls->order, cls->order_count, out, capacity);
    lbi_leave_runtime(cls->runtime, LB_OK);
    return count;
}

size_t lb_class_bases(const lb_class *cls, lb_class **out, size_t capacity)
{
    if (check_class(cls) != LB_OK || lbi_enter_runtime(cls->runtime) != LB_OK)
        return 0;
    const size_t count = copy_out(cls->bases, cls->base_count, out, capacity);
    lbi_leave_runtime(cls->runtime, LB_OK);
    return count;
}

int lb_class_is_subclass(const lb_class *cls, const lb_class *base)
{
    if (check_class(cls) != LB_OK || check_class(base) != LB_OK ||
        cls->runtime != base->runtime ||
        lbi_enter_runtime(cls->runtime) != LB_OK)
        return 0;
    const int yes = lbi_is_subclass(cls, base);
    lbi_leave_runtime(cls->runtime, LB_OK);
    return yes;
}
