/* attribute_things.c - the worlds of attribute look-up; the methods are in
 * attribute_methods.c. */
#include "attribute_things.h"

#include "things.h"

#include <stdio.h>

static const attribute_world *used;

lb_runtime *attribute_runtime(const lb_object_options *options)
{
    lb_runtime *runtime;
    need(lb_runtime_create(NULL, &runtime), "a runtime");
    if (options)
        need(lb_objects_configure(runtime, options), "its options");
    return runtime;
}

lb_class *attribute_class(lb_runtime *runtime, const char *name, size_t size,
                          lb_class *base)
{
    const lb_class_spec spec = {.name = name,
                                .bases = &base,
                                .base_count = base != NULL,
                                .instance_size = size,
                                .flags = LB_FREE_ATTRIBUTES};
    lb_class *made;
    need(lb_class_create(runtime, &spec, &made), "a class");
    return made;
}

/* ---- the dictionaries ---------------------------------------------------- */

/* One attribute after the other, for lb_class_define. */
typedef struct body {
    lb_definition definitions[16];
    size_t count;
} body;

static void add_value(body *b, const lb_symbol *symbol, int64_t value)
{
    b->definitions[b->count++] =
        (lb_definition){symbol, {.value = {.integer = value}}};
}

static void add_method(body *b, const lb_symbol *symbol, lb_call_fn call)
{
    b->definitions[b->count++] =
        (lb_definition){symbol, {.kind = LB_FUNCTION, .call = call}};
}

static void define(lb_class *cls, const body *b)
{
    need(lb_class_define(cls, b->definitions, b->count), "a dictionary");
}

/* What every class has; each a part of the eight of its own. */
static body other_names(const attribute_world *w)
{
    body b = {.count = 0};
    for (size_t i = 0; i < ATTRIBUTE_OTHERS; i++)
        add_value(&b, w->others[i], (int64_t)i);
    return b;
}

static lb_class *plain_class(const attribute_world *w, lb_class *base)
{
    const body b = other_names(w);
    lb_class *const made =
        attribute_class(w->runtime, "thing", sizeof(instance), base);
    define(made, &b);
    return made;
}

static lb_class *base_class(const attribute_world *w, lb_class *family,
                            size_t n)
{
    body b = other_names(w);
    lb_class *const made =
        attribute_class(w->runtime, "thing", sizeof(instance), family);
    add_value(&b, w->inherited, (int64_t)n);
    define(made, &b);
    return made;
}

static lb_class *own_class(const attribute_world *w, lb_class *base, size_t n)
{
    body b = other_names(w);
    lb_class *const made =
        attribute_class(w->runtime, "thing", sizeof(instance), base);
    add_value(&b, w->direct, (int64_t)n);
    add_method(&b, w->answer, answers[n]);
    add_method(&b, w->answer_to, answers_to[n]);
    define(made, &b);
    return made;
}

static const lb_symbol *intern(const attribute_world *w, const char *name)
{
    const lb_symbol *const symbol = lb_intern(w->runtime, name);
    bench_need(symbol != NULL, lb_message());
    return symbol;
}

static void intern_all(attribute_world *w)
{
    char name[32];
    w->direct = intern(w, "direct");
    w->inherited = intern(w, "inherited");
    w->absent = intern(w, "absent");
    w->own = intern(w, "own");
    w->varying = intern(w, "varying");
    w->answer = intern(w, "answer");
    w->answer_to = intern(w, "answer_to");
    for (size_t i = 0; i < ATTRIBUTE_OTHERS; i++) {
        snprintf(name, sizeof name, "other_%zu", i);
        w->others[i] = intern(w, name);
    }
}

void attribute_world_open(attribute_world *w, const lb_object_options *options)
{
    lb_class *families[BENCH_FAMILIES];
    w->runtime = attribute_runtime(options);
    intern_all(w);
    lb_class *const root = plain_class(w, NULL);
    for (size_t f = 0; f < BENCH_FAMILIES; f++)
        families[f] = plain_class(w, root);
    for (size_t n = 0; n < ATTRIBUTE_CLASSES; n++) {
        lb_class *const base = base_class(w, families[n % BENCH_FAMILIES], n);
        w->classes[n] = own_class(w, base, n);
    }
}

void attribute_world_close(attribute_world *w)
{
    lb_runtime_destroy(w->runtime);
}

/* ---- the instances ------------------------------------------------------- */

void attribute_world_use(const attribute_world *w)
{
    used = w;
}

static instance *make_bare(void *at, unsigned cls, int value)
{
    instance *const object = at;
    lb_object_init(used->classes[cls], &object->base);
    object->value = value;
    object->sum = value + (int)cls;
    return object;
}

static void hold(instance *object, const lb_symbol *symbol, int64_t value)
{
    need(lb_set(object, symbol, (lb_value){.integer = value}), "an attribute");
}

void *make_instance(void *at, unsigned cls, int value)
{
    instance *const object = make_bare(at, cls, value);
    hold(object, used->own, object->sum);
    return object;
}

void *make_varied(void *at, unsigned cls, int value)
{
    instance *const object = make_bare(at, cls, value);
    const uint32_t before = bench_random(ATTRIBUTE_OTHERS);
    for (uint32_t i = 0; i < before; i++)
        hold(object, used->others[i], (int64_t)i);
    hold(object, used->varying, object->sum);
    return object;
}

void unmake_instances(const void **items, size_t count, size_t offset)
{
    for (size_t i = 0; i < count; i++)
        lb_object_clear((lb_object *)((uintptr_t)items[i] + offset));
    bench_unmake(items);
}
