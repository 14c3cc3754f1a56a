/* What is kept, what is given back, and when: by instances, tables and classes,
 * and in the hooks that are told of it.
 */
#include "support/objects.h"
#include "support/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* ---- Nothing grows ------------------------------------------------------ */

enum { MOST = 1024 };

static const lb_symbol *numbered(lb_runtime *runtime, int i)
{
    char name[16];
    (void)snprintf(name, sizeof name, "a%d", i);
    const lb_symbol *symbol = lb_intern(runtime, name);
    assert_non_null(symbol);
    return symbol;
}

/* Deletes and sets again each of `count` attributes in turn. */
static void renew_all(world *w, lb_object *object,
                      const lb_symbol *const *symbols, int count)
{
    const lb_statistics before = world_statistics(w);
    for (int i = 0; i < 10 * MOST; i++) {
        assert_ok(lb_own_delete(object, symbols[i % count]));
        assert_ok(lb_own_set(object, symbols[i % count], lb_integer(i)));
    }
    const lb_statistics after = world_statistics(w);
    assert_int_equal(after.bytes, before.bytes);
    assert_int_equal(after.bytes_retired, before.bytes_retired);
}

static void an_attribute_set_after_its_deletion_takes_its_place(void **state)
{
    static const int counts[] = {1, 2, 8, 24, 1000, MOST};
    static const lb_symbol *symbols[MOST];
    world *w = *state;
    lb_class *cls = lb_object_class(w->runtime, "cls", NULL, NULL);
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        lb_object *object = lb_new(cls);
        lb_value value = lb_integer(0);
        for (int i = 0; i < counts[k]; i++) {
            symbols[i] = numbered(w->runtime, i);
            assert_ok(lb_own_set(object, symbols[i], lb_integer(i)));
        }
        renew_all(w, object, symbols, counts[k]);
        assert_ok(lb_own_get(object, symbols[0], &value));
        assert_true(value.integer > MOST);
        lb_delete(cls, object);
    }
}

static void look_up_all(objects *o, const person *p, int times)
{
    for (int i = 0; i < times; i++)
        for (int k = 0; k < 100; k++) {
            lb_found found;
            const lb_symbol *symbol = numbered(o->runtime, k);
            assert_int_equal(lb_try_get(p, symbol, &found), LB_NO_ATTRIBUTE);
        }
}

static void generations_of_a_hierarchy_take_no_memory(void **state)
{
    const lb_object_options options = {.policy = LB_POLICY_TABLE64,
                                       .when_full = LB_FULL_HIERARCHY,
                                       .counting = 1};
    (void)state;
    for (int threading = 0; threading < 2; threading++) {
        static objects o;
        objects_open(&o, (lb_threading)threading, LB_RECLAIM_QUIESCE, &options);
        stage s = objects_stage(&o);
        look_up_all(&o, s.p, 10);
        const lb_statistics before = world_statistics(&o.world);
        const uint64_t generations = objects_counters(&o).generations;
        look_up_all(&o, s.p, 1000);
        const lb_statistics after = world_statistics(&o.world);
        assert_true(objects_counters(&o).generations > generations + 1000);
        assert_int_equal(after.bytes, before.bytes);
        assert_int_equal(after.bytes_retired, before.bytes_retired);
        lb_delete(s.cls, s.p);
        objects_close(&o);
    }
}

static void a_table_that_was_turned_off_is_counted_once(void **state)
{
    const lb_object_options options = {
        .policy = LB_POLICY_TABLE64, .table_size = 1, .thrash_limit = 1};
    static objects o;
    (void)state;
    objects_open(&o, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE, &options);
    stage s = objects_stage(&o);
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(1)));
    assert_ok(lb_class_set_value(s.base, "y", lb_integer(2)));
    (void)objects_get(&o, s.p, "x");
    assert_int_equal(objects_counters(&o).tables, 1);
    for (int i = 0; i < 4; i++) {
        (void)objects_get(&o, s.p, "y");
        (void)objects_get(&o, s.p, "x");
    }
    assert_int_equal(objects_counters(&o).tables, 0); /* it thrashed */
    lb_delete(s.cls, s.p);
    assert_ok(lb_class_destroy(s.cls));
    assert_ok(lb_quiesce(o.runtime));
    assert_int_equal(objects_counters(&o).tables, 0);
    assert_int_equal(objects_counters(&o).bytes_tables, 0);
    assert_int_equal(world_statistics(&o.world).bytes_tables, 0);
    objects_close(&o);
}

/* ---- What is held ------------------------------------------------------- */

typedef struct visits {
    int all, zeros, ones;
    lb_value one;
} visits;

static void count_visit(void *context, lb_value value)
{
    visits *v = context;
    v->all++;
    v->zeros += value.bits == 0;
    v->ones += value.bits == v->one.bits;
}

static lb_status get_zero(const lb_attribute *self, lb_value receiver,
                          lb_value *result)
{
    (void)self;
    (void)receiver;
    *result = lb_integer(0);
    return LB_OK;
}

static void a_collector_visits_nothing_that_is_not_held(objects *o)
{
    static const lb_attribute_kind kinds[] = {LB_FUNCTION, LB_STATIC,
                                              LB_CLASS_METHOD};
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    visits v = {.one = objects_value(o, 1)};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        objects_set(o, cls, i == 0 ? "f" : (i == 1 ? "s" : "c"),
                    (lb_attribute_spec){.kind = kinds[i], .call = objects_say});
    objects_set(o, cls, "p",
                (lb_attribute_spec){.kind = LB_PROPERTY, .get = get_zero});
    objects_set(o, cls, "n",
                (lb_attribute_spec){.kind = LB_FIELD,
                                    .offset = offsetof(person, value)});
    lb_visit_classes(o->runtime, count_visit, &v);
    assert_int_equal(v.all, 0);
    assert_ok(lb_class_set_value(cls, "zero", lb_integer(0)));
    lb_visit_classes(o->runtime, count_visit, &v);
    assert_int_equal(v.zeros, 1); /* zero is a value like any other */
}

static void a_collector_visits_what_a_property_keeps(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    visits v = {.one = objects_value(o, 1)};
    objects_set(o, cls, "p",
                (lb_attribute_spec){.kind = LB_PROPERTY,
                                    .get = get_zero,
                                    .value = objects_value(o, 1)});
    assert_int_equal(objects_count(o, 1), 1);
    lb_visit_classes(o->runtime, count_visit, &v);
    assert_int_equal(v.all, 1);
    assert_int_equal(v.ones, 1);
}

static void an_object_of_an_ended_class_is_of_no_class(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    lb_directory *directory = NULL;
    lb_found found;
    person p;
    lb_object_init(cls, &p.base);
    assert_status(LB_NO_ATTRIBUTE, lb_get(&p, x, &found));
    assert_ok(lb_class_destroy(cls));
    for (int swept = 0; swept < 2; swept++) {
        assert_status(LB_NO_CLASS, lb_get(&p, x, &found));
        assert_status(LB_NO_CLASS, lb_get_text(&p, "x", &found));
        assert_status(LB_NO_CLASS, lb_get_text(&p, "ghost", &found));
        assert_status(LB_NO_CLASS, lb_set(&p, x, lb_integer(1)));
        assert_status(LB_NO_CLASS, lb_unset(&p, x));
        assert_status(LB_NO_CLASS, lb_own_set(&p, x, lb_integer(1)));
        assert_status(LB_NO_CLASS, lb_dir(&p, &directory));
        assert_ok(lb_quiesce(o->runtime));
    }
}

static void an_object_of_an_ended_class_has_no_first_of_names(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    lb_found found;
    person p;
    lb_object_init(cls, &p.base);
    assert_status(LB_NO_ATTRIBUTE, lb_get_first(&p, &x, 1, NULL, &found));
    assert_ok(lb_class_destroy(cls));
    assert_status(LB_NO_CLASS, lb_get_first(&p, &x, 1, NULL, &found));
}

/* ---- Sites -------------------------------------------------------------- */

enum { SITES = 64 };

static lb_status try_at(objects *o, lb_site *site, const person *p,
                        const char *name, lb_found *found)
{
    return lb_try_get_at(site, p, objects_symbol(o, name), found);
}

/* Every site asks for x, after a fresh one that asked for another name may have
 * taken the number that a site brought along. */
static void ask_at_all(lb_site *sites, uint32_t table_size)
{
    const lb_object_options options = {.policy = LB_POLICY_SITE,
                                       .table_size = table_size};
    static objects o;
    objects_open(&o, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE, &options);
    stage s = objects_stage(&o);
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(table_size)));
    assert_ok(lb_class_set_value(s.base, "y", lb_integer(-1)));
    for (int i = SITES; i-- > 0;) {
        lb_site fresh = {0, 0};
        lb_found found;
        assert_ok(try_at(&o, &fresh, s.p, "y", &found));
        assert_int_equal(found.value.integer, -1);
        assert_ok(try_at(&o, &sites[i], s.p, "x", &found));
        assert_int_equal(found.value.integer, table_size);
    }
    lb_delete(s.cls, s.p);
    objects_close(&o);
}

static void a_site_from_another_runtime_finds_what_is_here(void **state)
{
    lb_site sites[SITES] = {{0, 0}};
    (void)state;
    ask_at_all(sites, SITES * 2);
    ask_at_all(sites, SITES);
    ask_at_all(sites, 1);
    ask_at_all(sites, SITES * 2);
}

/* ---- Release hooks that delete attributes ------------------------------- */

/* The property or method that is deleted when the value 1 is released. */
static struct {
    lb_class *cls;
    const lb_symbol *symbol;
} trap;

static void retain_nothing(void *context, lb_value value)
{
    (void)context;
    (void)value;
}

static void spring_trap(void *context, lb_value value)
{
    (void)context;
    lb_class *cls = trap.cls;
    if (value.integer != 1 || cls == NULL)
        return;
    trap.cls = NULL;
    note("deleted");
    assert_ok(lb_class_delete(cls, trap.symbol));
}

/* Reads the attribute, as a getter may. */
static lb_status note_self(const lb_attribute *self)
{
    assert_ptr_equal(self->symbol, trap.symbol); /* not freed */
    note("called");
    return LB_OK;
}

static lb_status get_noting(const lb_attribute *self, lb_value receiver,
                            lb_value *result)
{
    (void)receiver;
    *result = lb_integer(3);
    return note_self(self);
}

static lb_status set_noting(const lb_attribute *self, lb_value receiver,
                            lb_value value)
{
    (void)receiver;
    (void)value;
    return note_self(self);
}

static lb_status remove_noting(const lb_attribute *self, lb_value receiver)
{
    (void)receiver;
    return note_self(self);
}

static lb_status call_noting(const lb_attribute *self, size_t argc,
                             const lb_value *argv, lb_value *result)
{
    (void)argc;
    (void)argv;
    *result = lb_integer(3);
    return note_self(self);
}

/* Ways to reach the attribute x, which each notes once. */
typedef void (*way)(stage *s);

static void by_get(stage *s)
{
    lb_found found;
    assert_ok(lb_get(s->p, s->x, &found));
}

static void by_special(stage *s)
{
    lb_found found;
    assert_ok(lb_try_get_special(s->cls, lb_pointer(s->p), s->x, &found));
}

static void by_first(stage *s)
{
    lb_found found;
    assert_ok(lb_get_first(s->p, &s->x, 1, NULL, &found));
}

static void by_super(stage *s)
{
    lb_found found;
    assert_ok(lb_get_super(s->cls, s->p, s->x, &found));
}

static void by_own(stage *s)
{
    assert_ok(note_self(lb_class_own(s->base, s->x)));
}

static void by_dictionary(stage *s)
{
    const lb_dictionary dictionary = lb_class_dictionary(s->base);
    assert_ok(note_self(lb_dictionary_get(dictionary, "x")));
}

static void by_walking(stage *s)
{
    const lb_dictionary dictionary = lb_class_dictionary(s->base);
    size_t cursor = 0;
    assert_ok(note_self(lb_dictionary_next(dictionary, &cursor)));
}

static void by_directory(stage *s)
{
    lb_directory *directory = NULL;
    assert_ok(lb_dir(s->p, &directory));
    assert_ok(note_self(directory->entries[0].attribute));
    lb_directory_free(directory);
}

static void by_set(stage *s)
{
    assert_ok(lb_set(s->p, s->x, lb_integer(5)));
}

static void by_unset(stage *s)
{
    assert_ok(lb_unset(s->p, s->x));
}

static void by_class(stage *s)
{
    lb_found found;
    assert_ok(lb_class_get(s->cls, s->x, &found));
    assert_ok(note_self(found.method));
}

static void by_class_super(stage *s)
{
    lb_found found;
    assert_ok(lb_class_get_super(s->cls, s->cls, s->x, &found));
    assert_ok(note_self(found.method));
}

static void by_invoking(stage *s)
{
    const lb_value receiver = lb_pointer(s->p);
    lb_value result;
    assert_ok(lb_invoke_symbol(s->x, 1, &receiver, &result));
}

static void by_invoking_special(stage *s)
{
    const lb_value receiver = lb_pointer(s->p);
    lb_value result;
    assert_ok(lb_invoke_special(s->cls, s->x, 1, &receiver, &result));
}

/* Replaces an own value 1 behind a reader, so that its release waits for the
 * next change; sets the trap. */
static void set_trap(objects *o, const stage *s, const lb_symbol *y)
{
    lb_reader *reader = NULL;
    assert_ok(lb_reader_create(o->runtime, &reader));
    lb_enter(reader);
    assert_ok(lb_own_set(s->p, y, lb_integer(1)));
    assert_ok(lb_own_set(s->p, y, lb_integer(2)));
    lb_leave(reader);
    trap.cls = s->base;
    trap.symbol = s->x;
}

/* Goes the way to an attribute whose deletion waits; it is called, and the
 * deletion follows. */
static void go(objects *o, way reach, lb_attribute_kind kind)
{
    stage s = objects_stage(o);
    const lb_symbol *y = objects_symbol(o, "y");
    const int method = kind == LB_FUNCTION;
    lb_attribute_spec spec = {.kind = kind,
                              .context = (void *)(uintptr_t)s.x,
                              .call = method ? call_noting : NULL,
                              .get = method ? NULL : get_noting,
                              .set = method ? NULL : set_noting,
                              .remove = method ? NULL : remove_noting};
    objects_set(o, s.base, "x", spec);
    set_trap(o, &s, y);
    notes_take();
    reach(&s);
    assert_ok(lb_quiesce(o->runtime));
    assert_string_equal(notes_take(), "called deleted");
    assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
    lb_delete(s.cls, s.p);
}

static void reach_in_every_way(objects *o)
{
    static const way ways[] = {by_get,   by_special, by_first,
                               by_super, by_class,   by_class_super};
    static const way calls[] = {by_invoking, by_invoking_special,
                                by_class_super};
    if (o->threading != LB_SINGLE_THREADED)
        return; /* there only lb_quiesce releases */
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        go(o, ways[i], LB_PROPERTY);
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        go(o, calls[i], LB_FUNCTION);
    if (objects_in_python(o)) { /* in the other the instance holds it */
        go(o, by_set, LB_PROPERTY);
        go(o, by_unset, LB_PROPERTY);
    }
}

static void reaching_an_attribute_does_not_delete_it(void **state)
{
    const lb_object_options options = {.retain = retain_nothing,
                                       .release = spring_trap};
    (void)state;
    objects_with_under_every_policy(&options, reach_in_every_way);
}

static void look_in_every_way(objects *o)
{
    static const way looks[] = {by_own, by_dictionary, by_walking,
                                by_directory};
    if (o->threading != LB_SINGLE_THREADED)
        return;
    for (size_t i = 0; i < COUNT_OF(looks); i++)
        go(o, looks[i], LB_PROPERTY);
}

static void looking_at_a_dictionary_deletes_nothing_in_it(void **state)
{
    const lb_object_options options = {.retain = retain_nothing,
                                       .release = spring_trap};
    (void)state;
    objects_with_under_every_policy(&options, look_in_every_way);
}

/* ---- Release hooks that free objects ------------------------------------ */

static lb_class *node;
static int freed;

static void free_node(void *context, lb_value value)
{
    (void)context;
    if (value.pointer == NULL)
        return;
    freed++;
    lb_delete(node, value.pointer);
}

/* A node that holds another one (NULL: none) in its attribute `next`. */
static lb_object *make_node(lb_object *next)
{
    const lb_symbol *symbol = lb_intern(lb_class_runtime(node), "next");
    lb_object *made = lb_new(node);
    assert_non_null(made);
    assert_ok(lb_own_set(made, symbol, lb_pointer(next)));
    return made;
}

static void free_context(void *context)
{
    free_node(NULL, lb_pointer(context));
}

static void leave_nodes_in_classes(objects *o)
{
    lb_class *module = objects_plain_class(o, "module", NULL);
    node = objects_class(o, "node", NULL, NULL);
    lb_object *two = make_node(make_node(NULL));
    assert_ok(lb_class_set_value(module, "two", lb_pointer(two)));
    assert_ok(lb_class_set_value(node, "one", lb_pointer(make_node(NULL))));
    objects_set(o, module, "context",
                (lb_attribute_spec){.kind = LB_FUNCTION,
                                    .call = objects_say,
                                    .context = make_node(NULL),
                                    .release = free_context});
}

static void the_end_of_a_runtime_frees_what_only_classes_hold(void **state)
{
    const lb_object_options options = {.retain = retain_nothing,
                                       .release = free_node};
    (void)state;
    freed = 0;
    objects_with_under_every_policy(&options, leave_nodes_in_classes);
    assert_int_equal(freed, 16 * 4);
}

/* Each node's release frees the next. */
static void a_long_chain_of_objects_is_freed_without_recursion(void **state)
{
    const lb_object_options options = {.retain = retain_nothing,
                                       .release = free_node};
    enum { LENGTH = 200000 };
    static objects o;
    lb_object *head = NULL;
    (void)state;
    objects_open(&o, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE, &options);
    node = objects_class(&o, "node", NULL, NULL);
    for (int i = 0; i < LENGTH; i++)
        head = make_node(head);
    freed = 0;
    lb_delete(node, head);
    assert_int_equal(freed, LENGTH - 1);
    objects_close(&o);
}

/* The same in a runtime that frees when its readers have left. */
static void a_long_chain_is_freed_without_recursion_by_epochs(void **state)
{
    const lb_object_options options = {.retain = retain_nothing,
                                       .release = free_node};
    enum { LENGTH = 200000 };
    static objects o;
    lb_object *head = NULL;
    lb_reader *reader = NULL;
    (void)state;
    objects_open(&o, LB_MULTI_THREADED, LB_RECLAIM_EPOCH, &options);
    node = objects_class(&o, "node", NULL, NULL);
    assert_ok(lb_reader_create(o.runtime, &reader));
    lb_enter(reader);
    for (int i = 0; i < LENGTH; i++)
        head = make_node(head);
    freed = 0;
    lb_delete(node, head);
    assert_int_equal(freed, 0);
    lb_leave(reader);
    assert_ok(lb_reader_destroy(reader));
    assert_ok(lb_synchronize(o.runtime));
    assert_int_equal(freed, LENGTH - 1);
    objects_close(&o);
}

/* ---- The hook that is told of changes ----------------------------------- */

static int telling;

/* Sets the next letter, up to c; notes begin and end. */
static void change_more(void *context, lb_class *cls, const lb_symbol *symbol,
                        const lb_attribute *now, const lb_attribute *before)
{
    char text[8];
    (void)context;
    (void)now;
    (void)before;
    assert_int_equal(telling++, 0);
    (void)snprintf(text, sizeof text, "<%s", symbol->text);
    note(text);
    if (symbol->text[0] < 'c') {
        const char next[] = {(char)(symbol->text[0] + 1), '\0'};
        const int64_t value = now != NULL ? now->value.integer + 1 : 0;
        assert_ok(lb_class_set_value(cls, next, lb_integer(value)));
        assert_non_null(
            lb_dictionary_get(lb_class_dictionary(cls), next)); /* at once */
    }
    (void)snprintf(text, sizeof text, "%s>", symbol->text);
    note(text);
    telling--;
}

static void change_in_the_hook(objects *o)
{
    stage s = objects_stage(o);
    notes_take();
    assert_ok(lb_class_set_value(s.cls, "a", lb_integer(1)));
    assert_string_equal(notes_take(), "<a a> <b b> <c c>");
    assert_int_equal(objects_get(o, s.p, "b").integer, 2);
    assert_int_equal(objects_get(o, s.p, "c").integer, 3);
    assert_ok(lb_class_delete(s.cls, objects_symbol(o, "a")));
    assert_string_equal(notes_take(), "<a a> <b b> <c c>");
    lb_delete(s.cls, s.p);
}

static void a_change_in_the_hook_is_told_when_the_hook_is_done(void **state)
{
    const lb_object_options options = {.changed = change_more};
    (void)state;
    telling = 0;
    objects_with_under_every_policy(&options, change_in_the_hook);
}

/* ---- The hook that makes names values ----------------------------------- */

static lb_status refuse_some_names(void *context, const char *name,
                                   lb_value *value)
{
    objects *o = context;
    if (strcmp(name, "nameless") == 0)
        return lb_fail_with(LB_LIMIT, "no name for it");
    *value = objects_value(o, 1);
    ++*(int *)value->pointer;
    note(name);
    return LB_OK;
}

static lb_status find_nothing(const lb_attribute *self, size_t argc,
                              const lb_value *argv, lb_value *result)
{
    (void)self;
    (void)argv;
    (void)result;
    assert_int_equal(argc, 2);
    note("asked");
    return lb_fail_with(LB_NO_ATTRIBUTE, "the hook found nothing");
}

static void ask_in_vain(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    const lb_symbol *nameless = objects_symbol(o, "nameless");
    assert_ok(lb_class_set_method(s.base, "__getattr__", find_nothing, NULL));
    notes_take();
    assert_status(LB_NO_ATTRIBUTE, lb_get(s.p, s.x, &found));
    assert_string_equal(lb_message(), "the hook found nothing");
    assert_string_equal(notes_take(), "x asked");
    assert_int_equal(objects_count(o, 1), 0); /* released all the same */
    assert_status(LB_LIMIT, lb_get(s.p, nameless, &found));
    assert_string_equal(notes_take(), "");
    lb_delete(s.cls, s.p);
}

static void a_name_is_given_back_when_the_missing_hook_fails(void **state)
{
    const lb_object_options options = {.name_value = refuse_some_names};
    (void)state;
    objects_with_under_every_policy(&options, ask_in_vain);
}

/* ---- Values that follow values ------------------------------------------ */

static void a_value_after_a_value_is_seen_at_once(objects *o)
{
    stage s = objects_stage(o);
    person *q = lb_new(s.base);
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(-1)));
    assert_int_equal(objects_get(o, s.p, "x").integer, -1); /* inherited */
    for (int i = 0; i < 100; i++) {
        assert_ok(lb_class_set_value(s.cls, "x", lb_integer(i)));
        assert_int_equal(objects_get(o, s.p, "x").integer, i);
        assert_int_equal(objects_get(o, q, "x").integer, -1);
    }
    assert_ok(lb_set(q, s.x, lb_integer(5))); /* instances may hold it now */
    assert_ok(lb_class_set_value(s.cls, "x", lb_integer(200)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 200);
    assert_ok(lb_class_delete(s.cls, s.x));
    assert_int_equal(objects_get(o, s.p, "x").integer, -1);
    lb_delete(s.cls, s.p);
    lb_delete(s.base, q);
}

static void a_method_after_a_method_is_seen_at_once(objects *o)
{
    static const char *const says[] = {"one", "two", "three"};
    stage s = objects_stage(o);
    objects_method(s.base, "x", "base");
    assert_string_equal(objects_call(o, s.p, "x"), "base");
    for (size_t i = 0; i < COUNT_OF(says); i++) {
        objects_method(s.cls, "x", says[i]);
        assert_string_equal(objects_call(o, s.p, "x"), says[i]);
        assert_ok(lb_quiesce(o->runtime)); /* the one before is gone */
        assert_string_equal(objects_call(o, s.p, "x"), says[i]);
    }
    assert_ok(lb_class_set_value(s.cls, "x", lb_integer(1)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    objects_method(s.cls, "x", "again");
    assert_string_equal(objects_call(o, s.p, "x"), "again");
    lb_delete(s.cls, s.p);
}

/* A thread that looks up a number that only grows. */
typedef struct watch {
    const person *p;
    const lb_symbol *x;
    _Atomic int64_t told; /* set before this was written */
    atomic_int looks, done;
    int wrong;
} watch;

static void *watch_growing(void *context)
{
    watch *w = context;
    while (!atomic_load(&w->done)) {
        lb_found found = {.kind = LB_FOUND_NOTHING};
        const int64_t told = atomic_load(&w->told);
        if (lb_try_get(w->p, w->x, &found) != LB_OK ||
            found.kind != LB_FOUND_VALUE || found.value.integer < told)
            w->wrong++;
        atomic_fetch_add(&w->looks, 1);
    }
    return NULL;
}

static void a_value_after_a_value_is_seen_at_once_by_another_thread(objects *o)
{
    if (o->threading == LB_SINGLE_THREADED)
        return;
    stage s = objects_stage(o);
    watch w = {.p = s.p, .x = s.x};
    pthread_t thread;
    assert_ok(lb_class_set_value(s.cls, "x", lb_integer(0)));
    assert_int_equal(pthread_create(&thread, NULL, watch_growing, &w), 0);
    for (int64_t i = 1; i <= 2000; i++) {
        const int looks = atomic_load(&w.looks);
        assert_ok(lb_class_set_value(s.cls, "x", lb_integer(i)));
        atomic_store(&w.told, i);
        while (i % 100 == 0 && atomic_load(&w.looks) <= looks + 1)
            sched_yield(); /* it looks after the change, too */
    }
    atomic_store(&w.done, 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(w.wrong, 0);
    assert_int_equal(objects_get(o, s.p, "x").integer, 2000);
    lb_delete(s.cls, s.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_attribute_set_after_its_deletion_takes_its_place, world_open,
            world_close),
        cmocka_unit_test(generations_of_a_hierarchy_take_no_memory),
        cmocka_unit_test(a_table_that_was_turned_off_is_counted_once),
        OBJECTS_TEST(a_collector_visits_nothing_that_is_not_held),
        OBJECTS_TEST(a_collector_visits_what_a_property_keeps),
        OBJECTS_TEST(an_object_of_an_ended_class_is_of_no_class),
        OBJECTS_TEST(an_object_of_an_ended_class_has_no_first_of_names),
        cmocka_unit_test(a_site_from_another_runtime_finds_what_is_here),
        cmocka_unit_test(reaching_an_attribute_does_not_delete_it),
        cmocka_unit_test(looking_at_a_dictionary_deletes_nothing_in_it),
        cmocka_unit_test(the_end_of_a_runtime_frees_what_only_classes_hold),
        cmocka_unit_test(a_long_chain_of_objects_is_freed_without_recursion),
        cmocka_unit_test(a_long_chain_is_freed_without_recursion_by_epochs),
        cmocka_unit_test(a_change_in_the_hook_is_told_when_the_hook_is_done),
        cmocka_unit_test(a_name_is_given_back_when_the_missing_hook_fails),
        OBJECTS_TEST(a_value_after_a_value_is_seen_at_once),
        OBJECTS_TEST(a_method_after_a_method_is_seen_at_once),
        OBJECTS_TEST(a_value_after_a_value_is_seen_at_once_by_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
