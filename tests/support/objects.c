#include "support/objects.h"

#include "support/test.h"

static void retain(void *context, lb_value value)
{
    objects *o = context;
    if (value.pointer >= (void *)o->counts &&
        value.pointer < (void *)(o->counts + OBJECTS_VALUES))
        ++*(int *)value.pointer;
}

static void release(void *context, lb_value value)
{
    objects *o = context;
    if (value.pointer >= (void *)o->counts &&
        value.pointer < (void *)(o->counts + OBJECTS_VALUES))
        --*(int *)value.pointer;
}

void objects_open(objects *o, lb_threading threading, lb_reclaim reclaim,
                  const lb_object_options *options)
{
    memset(o, 0, sizeof *o);
    lb_config config = world_config(&o->world);
    config.threading = o->threading = threading;
    config.reclaim = reclaim;
    notes_take();
    assert_ok(lb_runtime_create(&config, &o->runtime));
    o->world.runtime = o->runtime;
    if (options != NULL)
        o->options = *options;
    o->options.context = o;
    if (o->options.retain == NULL)
        o->options.retain = retain;
    if (o->options.release == NULL)
        o->options.release = release;
    assert_ok(lb_objects_configure(o->runtime, &o->options));
}

void objects_close(objects *o)
{
    lb_runtime_destroy(o->runtime);
    for (int i = 0; i < OBJECTS_VALUES; i++)
        if (o->counts[i] != 0)
            fail_msg("value %d is left with count %d", i, o->counts[i]);
    if (!allocator_finish(&o->world.memory))
        fail_msg("%zu bytes are left, %zu sizes were wrong, %zu calls "
                 "overlapped",
                 o->world.memory.bytes, o->world.memory.wrong,
                 o->world.memory.overlaps);
}

void objects_with_under_every_policy(const lb_object_options *options,
                                     void (*body)(objects *o))
{
    static objects o;
    lb_object_options one = *options;
    for (int way = 0; way < 16; way++) {
        one.order = (lb_search_order)(way % 2);
        one.policy = (lb_cache_policy)(way / 2 % 4);
        objects_open(&o, way < 8 ? LB_SINGLE_THREADED : LB_MULTI_THREADED,
                     LB_RECLAIM_QUIESCE, &one);
        body(&o);
        objects_close(&o);
    }
}

void objects_under_every_policy(void (*body)(objects *o))
{
    const lb_object_options none = {.order = LB_ORDER_PYTHON3};
    objects_with_under_every_policy(&none, body);
}

void objects_run(void **state)
{
    objects_under_every_policy(((const objects_test *)*state)->body);
}

lb_value objects_value(objects *o, int i)
{
    return lb_pointer(&o->counts[i]);
}

int objects_count(const objects *o, int i)
{
    return o->counts[i];
}

static lb_class *make_class(objects *o, const char *name, lb_class *base,
                            lb_class *second_base, size_t size, uint32_t flags)
{
    lb_class *bases[] = {base, second_base};
    lb_class *made = NULL;
    const lb_class_spec spec = {.name = name,
                                .bases = bases,
                                .base_count = (size_t)(base != NULL) +
                                              (second_base != NULL),
                                .instance_size = size,
                                .flags = flags};
    assert_ok(lb_class_create(o->runtime, &spec, &made));
    return made;
}

lb_class *objects_class(objects *o, const char *name, lb_class *base,
                        lb_class *second_base)
{
    return make_class(o, name, base, second_base, sizeof(person),
                      LB_FREE_ATTRIBUTES);
}

lb_class *objects_plain_class(objects *o, const char *name, lb_class *base)
{
    return make_class(o, name, base, NULL, sizeof(thing), 0);
}

const lb_symbol *objects_symbol(objects *o, const char *text)
{
    const lb_symbol *symbol = lb_intern(o->runtime, text);
    if (symbol == NULL)
        fail_msg("no symbol \"%s\": %s", text, lb_message());
    return symbol;
}

stage objects_stage(objects *o)
{
    stage s;
    s.base = objects_class(o, "base", NULL, NULL);
    s.cls = objects_class(o, "cls", s.base, NULL);
    s.p = lb_new(s.cls);
    assert_non_null(s.p);
    s.x = objects_symbol(o, "x");
    return s;
}

int objects_in_python(const objects *o)
{
    return o->options.order == LB_ORDER_PYTHON3;
}

lb_found objects_find(objects *o, const void *object, const char *name)
{
    lb_found found = {.kind = LB_FOUND_NOTHING};
    assert_ok(lb_get(object, objects_symbol(o, name), &found));
    return found;
}

lb_status objects_say(const lb_attribute *self, size_t argc,
                      const lb_value *argv, lb_value *result)
{
    (void)argc;
    (void)argv;
    note(self->context);
    result->pointer = self->context;
    return LB_OK;
}

void objects_method(lb_class *cls, const char *name, const char *says)
{
    assert_ok(
        lb_class_set_method(cls, name, objects_say, (void *)(uintptr_t)says));
}

void objects_set(objects *o, lb_class *cls, const char *name,
                 lb_attribute_spec spec)
{
    assert_ok(lb_class_set(cls, objects_symbol(o, name), &spec));
}

lb_value objects_get(objects *o, const void *object, const char *name)
{
    lb_found found = {.kind = LB_FOUND_NOTHING};
    assert_ok(lb_get(object, objects_symbol(o, name), &found));
    if (found.kind != LB_FOUND_VALUE && found.kind != LB_FOUND_OWNED)
        fail_msg("%s is found, but is no value (kind %d)", name,
                 (int)found.kind);
    return found.value;
}

lb_status objects_try(objects *o, const void *object, const char *name)
{
    lb_found found;
    return lb_try_get(object, objects_symbol(o, name), &found);
}

const char *objects_call(objects *o, void *object, const char *name)
{
    const lb_value receiver = lb_pointer(object);
    lb_value result = lb_integer(0);
    return lb_invoke_symbol(objects_symbol(o, name), 1, &receiver, &result) ==
                   LB_OK
               ? result.constant
               : "";
}

lb_counters objects_counters(objects *o)
{
    lb_counters counters;
    memset(&counters, 0xa5, sizeof counters);
    assert_ok(lb_get_counters(o->runtime, &counters));
    return counters;
}
