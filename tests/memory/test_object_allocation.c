/* Every allocation of every call about attributes fails in turn: once, and for
 * ever from then.
 *
 * For each call, each order and policy, and each k: a fresh scene is set up,
 * the k-th allocation of the call is refused, and the call must succeed all
 * the same or fail with LB_NO_MEMORY and change nothing; tried again with
 * memory it must succeed. At the end nothing is left, no value is held, and
 * every size handed to the hook was right.
 */
#include "support/objects.h"
#include "support/test.h"

/* ---- The scene ---------------------------------------------------------- */

enum { SCENE_CLASSES = 4 };

typedef struct scene {
    objects o;
    lb_class *cls[SCENE_CLASSES]; /* top, left, right, both: all free */
    person *p, *q;                /* of `both`, of `left` */
    const lb_symbol *x, *y, *method, *property, *field, *missing;
    lb_class *made;
    lb_object *object;
    lb_site site;
    int contexts; /* given back */
} scene;

static scene s;

static lb_status get_first_value(const lb_attribute *self, lb_value receiver,
                                 lb_value *result)
{
    (void)self;
    (void)receiver;
    *result = lb_integer(3);
    return LB_OK;
}

static lb_status set_nothing(const lb_attribute *self, lb_value receiver,
                             lb_value value)
{
    (void)self;
    (void)receiver;
    (void)value;
    return LB_OK;
}

static lb_status find_missing(const lb_attribute *self, size_t argc,
                              const lb_value *argv, lb_value *result)
{
    (void)self;
    (void)argc;
    if (strcmp(argv[1].constant, "wanted") != 0)
        return lb_fail_with(LB_NO_ATTRIBUTE, "not even the hook");
    *result = lb_integer(4);
    return LB_OK;
}

static lb_status call_value(void *context, const lb_attribute *self,
                            lb_value callee, size_t argc, const lb_value *argv,
                            lb_value *result)
{
    (void)context;
    (void)self;
    (void)callee;
    (void)argv;
    *result = lb_integer((int64_t)argc);
    return LB_OK;
}

static void release_context(void *context)
{
    (void)context;
    s.contexts++;
}

static void fill_classes(void)
{
    objects *o = &s.o;
    objects_set(o, s.cls[0], "x",
                (lb_attribute_spec){.kind = LB_VALUE,
                                    .value = objects_value(o, 1),
                                    .release = release_context});
    objects_method(s.cls[0], "method", "top");
    objects_method(s.cls[2], "method", "right");
    objects_set(o, s.cls[0], "property",
                (lb_attribute_spec){.kind = LB_PROPERTY,
                                    .get = get_first_value,
                                    .set = set_nothing});
    objects_set(o, s.cls[1], "field",
                (lb_attribute_spec){.kind = LB_FIELD,
                                    .offset = offsetof(person, value)});
}

static void open_scene(int way)
{
    const lb_object_options options = {.order = (lb_search_order)(way % 2),
                                       .policy = (lb_cache_policy)(way / 2 % 4),
                                       .table_size = way % 3 ? 2 : 0,
                                       .call_value = call_value};
    objects *o = &s.o;
    memset(&s, 0, sizeof s);
    objects_open(o, way < 8 ? LB_SINGLE_THREADED : LB_MULTI_THREADED,
                 LB_RECLAIM_QUIESCE, &options);
    s.cls[0] = objects_class(o, "top", NULL, NULL);
    s.cls[1] = objects_class(o, "left", s.cls[0], NULL);
    s.cls[2] = objects_class(o, "right", s.cls[0], NULL);
    s.cls[3] = objects_class(o, "both", s.cls[1], s.cls[2]);
    s.p = lb_new(s.cls[3]);
    s.q = lb_new(s.cls[1]);
    fill_classes();
    s.x = objects_symbol(o, "x");
    s.y = objects_symbol(o, "y");
    s.method = objects_symbol(o, "method");
    s.property = objects_symbol(o, "property");
    s.field = objects_symbol(o, "field");
    s.missing = objects_symbol(o, "__getattr__");
    assert_ok(lb_set(s.q, s.y, objects_value(o, 2)));
}

static void close_scene(void)
{
    allocator_arm(&s.o.world.memory, 0, 0);
    if (s.q->value.bits != 0) /* what a member holds is its owner's */
        s.o.options.release(&s.o, s.q->value);
    s.q->value = lb_integer(0);
    lb_delete(s.cls[3], s.p);
    lb_delete(s.cls[1], s.q);
    objects_close(&s.o);
}

/* ---- What can be seen --------------------------------------------------- */

typedef struct view {
    char text[16384];
    size_t used;
} view;

static void show(view *v, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    v->used += (size_t)vsnprintf(v->text + v->used, sizeof v->text - v->used,
                                 format, arguments);
    va_end(arguments);
    assert_true(v->used < sizeof v->text);
}

static void show_class(view *v, lb_class *cls)
{
    const lb_dictionary dictionary = lb_class_dictionary(cls);
    const lb_attribute *here;
    lb_class *order[8];
    size_t cursor = 0;
    const size_t length = lb_class_linearization(cls, order, 8);
    show(v, "%s, %zu attributes:", lb_class_name(cls),
         lb_dictionary_count(dictionary));
    while ((here = lb_dictionary_next(dictionary, &cursor)) != NULL)
        show(v, " %s %u %llx", here->symbol->text, here->kind,
             (unsigned long long)here->value.bits);
    for (size_t i = 0; i < length; i++)
        show(v, " < %s", lb_class_name(order[i]));
    show(v, "\n");
}

static void show_object(view *v, const person *p)
{
    const lb_symbol *symbol;
    lb_value value;
    size_t cursor = 0;
    show(v, "instance of left %d, right %d:", lb_is_instance(p, s.cls[1]),
         lb_is_instance(p, s.cls[2]));
    while (lb_own_next(p, &cursor, &symbol, &value))
        show(v, " %s %llx", symbol->text, (unsigned long long)value.bits);
    show(v, " member %llx\n", (unsigned long long)p->value.bits);
}

/* Looks nothing up, so that what follows is a first look-up. */
static void look(view *v)
{
    v->used = 0;
    for (int i = 0; i < SCENE_CLASSES; i++)
        show_class(v, s.cls[i]);
    show_object(v, s.p);
    show_object(v, s.q);
    for (int i = 0; i < OBJECTS_VALUES; i++)
        show(v, " %d", objects_count(&s.o, i));
    show(v, ", %d contexts given back, %zu classes\n", s.contexts,
         world_statistics(&s.o.world).classes);
}

/* ---- The calls ---------------------------------------------------------- */

/* A call; what it needs is prepared before memory runs out. LB_BUSY stands for
 * a wrong answer. */
typedef struct act {
    const char *name;
    void (*prepare)(void);
    lb_status (*run)(void);
    int attributes; /* that an instance has before */
} act;

static lb_status right_if(lb_status status, int right)
{
    return status == LB_OK && !right ? LB_BUSY : status;
}

static lb_status expect(lb_status status, lb_status expected)
{
    if (status == LB_NO_MEMORY)
        return status;
    return status == expected ? LB_OK : LB_BUSY;
}

static lb_status intern(void)
{
    const lb_symbol *symbol = lb_intern(s.o.runtime, "a new name");
    return symbol == NULL
               ? LB_NO_MEMORY
               : right_if(LB_OK,
                          lb_symbol_find(s.o.runtime, "a new name") == symbol);
}

static lb_status configure_another(void)
{
    lb_runtime *other = NULL;
    const lb_config config = world_config(&s.o.world);
    const lb_object_options options = {.policy = LB_POLICY_TABLE64};
    lb_status status = lb_runtime_create(&config, &other);
    if (status == LB_OK)
        status = lb_objects_configure(other, &options);
    lb_runtime_destroy(other);
    return status;
}

static lb_status set_new(void)
{
    const lb_attribute_spec spec = {.kind = LB_VALUE,
                                    .value = objects_value(&s.o, 3),
                                    .release = release_context};
    return lb_class_set(s.cls[1], s.x, &spec);
}

static lb_status replace(void)
{
    const lb_attribute_spec spec = {.kind = LB_FUNCTION,
                                    .call = objects_say,
                                    .value = objects_value(&s.o, 3)};
    return lb_class_set(s.cls[0], s.x, &spec);
}

static lb_status set_value(void)
{
    return lb_class_set_value(s.cls[2], "quite new", objects_value(&s.o, 3));
}

static lb_status set_method(void)
{
    return lb_class_set_method(s.cls[2], "quite new", objects_say, NULL);
}

static lb_status set_by_dictionary(void)
{
    const lb_attribute_spec spec = {.kind = LB_VALUE,
                                    .value = objects_value(&s.o, 3)};
    return lb_dictionary_set(lb_class_dictionary(s.cls[2]), "quite new", &spec);
}

static lb_status define(void)
{
    lb_definition all[12];
    static const char *const names[] = {"a", "b", "c", "d", "e", "f",
                                        "g", "h", "i", "j", "x", "x"};
    for (int i = 0; i < 12; i++) {
        all[i].symbol = lb_symbol_find(s.o.runtime, names[i]);
        all[i].spec = (lb_attribute_spec){.kind = LB_VALUE,
                                          .value = objects_value(&s.o, 4),
                                          .release = release_context};
    }
    return lb_class_define(s.cls[0], all, 12);
}

static void prepare_names(void)
{
    for (char name[] = "a"; name[0] <= 'j'; name[0]++)
        (void)objects_symbol(&s.o, name);
}

static lb_status delete_from_class(void)
{
    return lb_class_delete(s.cls[0], s.x);
}

static lb_status delete_by_dictionary(void)
{
    return lb_dictionary_delete(lb_class_dictionary(s.cls[2]), "method");
}

/* Tables are filled, so that a change has cells to drop. */
static void prepare_tables(void)
{
    lb_found found;
    const lb_symbol *const all[] = {s.x, s.y, s.method, s.property};
    for (size_t i = 0; i < 2 * COUNT_OF(all); i++) {
        (void)lb_try_get(s.p, all[i % 4], &found);
        (void)lb_try_get(s.q, all[i % 4], &found);
    }
}

static lb_status set_bases(void)
{
    return lb_class_set_bases(s.cls[3], &s.cls[2], 1);
}

static lb_status make_class(void)
{
    s.made = lb_object_class(s.o.runtime, "made", s.cls[1], s.cls[2]);
    return s.made != NULL ? LB_OK : LB_NO_MEMORY;
}

static void prepare_class(void)
{
    assert_ok(make_class());
    assert_ok(lb_class_set_value(s.made, "x", objects_value(&s.o, 5)));
}

static lb_status destroy_class(void)
{
    return lb_class_destroy(s.made);
}

static lb_status make_object(void)
{
    lb_object *made = lb_new(s.cls[0]);
    lb_delete(s.cls[0], made);
    return made != NULL ? LB_OK : LB_NO_MEMORY;
}

static lb_status set_class(void)
{
    return lb_set_class(s.q, s.cls[2]);
}

static lb_status is_three(lb_status status, const lb_found *found)
{
    return right_if(status, status != LB_OK || found->value.integer == 3);
}

static lb_status is_first(lb_status status, const lb_found *found)
{
    return right_if(status,
                    status != LB_OK ||
                        (found->kind == LB_FOUND_VALUE &&
                         found->value.bits == objects_value(&s.o, 1).bits));
}

static lb_status try_get(void)
{
    lb_found found;
    return is_first(lb_try_get(s.p, s.x, &found), &found);
}

static lb_status get(void)
{
    lb_found found;
    return is_first(lb_get(s.p, s.x, &found), &found);
}

static lb_status get_by_text(void)
{
    lb_found found;
    return is_first(lb_get_text(s.p, "x", &found), &found);
}

static lb_status get_at(void)
{
    lb_found found;
    return is_first(lb_try_get_at(&s.site, s.p, s.x, &found), &found);
}

static lb_status get_own(void)
{
    lb_found found;
    const lb_status status = lb_try_get(s.q, s.y, &found);
    return right_if(status, status != LB_OK || found.value.bits ==
                                                   objects_value(&s.o, 2).bits);
}

static lb_status get_property(void)
{
    lb_found found;
    return is_three(lb_try_get(s.p, s.property, &found), &found);
}

static lb_status get_nothing(void)
{
    lb_found found;
    return expect(lb_get(s.p, s.y, &found), LB_NO_ATTRIBUTE);
}

static lb_status get_ghost(void)
{
    lb_found found;
    return expect(lb_get_text(s.p, "ghost", &found), LB_NO_ATTRIBUTE);
}

static void prepare_missing(void)
{
    assert_ok(lb_class_set_method(s.cls[0], "__getattr__", find_missing, NULL));
}

static lb_status get_missing(void)
{
    lb_found found;
    const lb_status status = lb_get_text(s.p, "wanted", &found);
    return right_if(status, status != LB_OK || found.value.integer == 4);
}

static lb_status get_first(void)
{
    lb_found found;
    size_t which = 9;
    const lb_symbol *const symbols[] = {s.y, s.x};
    const lb_status status = lb_get_first(s.p, symbols, 2, &which, &found);
    return right_if(is_first(status, &found), status != LB_OK || which == 1);
}

static lb_status get_first_in_vain(void)
{
    lb_found found;
    const lb_symbol *const symbols[] = {s.y, s.missing};
    return expect(lb_get_first(s.p, symbols, 2, NULL, &found), LB_NO_ATTRIBUTE);
}

static lb_status get_first_special(void)
{
    lb_found found;
    size_t which = 9;
    const lb_symbol *const symbols[] = {s.y, s.x};
    const lb_status status = lb_get_first_special(s.cls[3], lb_pointer(s.p),
                                                  symbols, 2, &which, &found);
    return right_if(is_first(status, &found), status != LB_OK || which == 1);
}

static lb_status get_class_super(void)
{
    lb_found found;
    return is_first(lb_class_get_super(s.cls[3], s.cls[3], s.x, &found),
                    &found);
}

static lb_status get_special(void)
{
    lb_found found;
    return is_first(lb_try_get_special(s.cls[3], lb_pointer(s.p), s.x, &found),
                    &found);
}

static lb_status get_of_class(void)
{
    lb_found found;
    return is_first(lb_class_get(s.cls[3], s.x, &found), &found);
}

static lb_status get_super(void)
{
    lb_found found;
    return is_first(lb_get_super(s.cls[3], s.p, s.x, &found), &found);
}

static lb_status set_own(void)
{
    return lb_set(s.p, s.x, objects_value(&s.o, 6));
}

static lb_status set_own_again(void)
{
    return lb_set(s.q, s.y, objects_value(&s.o, 6));
}

static lb_status set_by_text(void)
{
    return lb_set_text(s.p, "quite new", objects_value(&s.o, 6));
}

static lb_status set_field(void)
{
    return lb_set(s.q, s.field, objects_value(&s.o, 7));
}

/* Gives an object attributes, as many as its act wants. */
static void prepare_attributes(int count)
{
    char name[16];
    for (int i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "a%d", i);
        assert_ok(lb_set_text(s.p, name, objects_value(&s.o, 8)));
    }
}

static lb_status own_set(void)
{
    return lb_own_set(s.p, s.property, objects_value(&s.o, 6));
}

static lb_status own_delete(void)
{
    return lb_own_delete(s.q, s.y);
}

static lb_status unset(void)
{
    return lb_unset(s.q, s.y);
}

static lb_status unset_by_text(void)
{
    return lb_unset_text(s.q, "y");
}

static lb_status says(lb_status status, const lb_value *result,
                      const char *expected)
{
    return right_if(status,
                    status != LB_OK || strcmp(result->constant, expected) == 0);
}

static lb_status invoke(void)
{
    const lb_value receiver = lb_pointer(s.p);
    lb_value result = lb_integer(0);
    return says(lb_invoke_symbol(s.method, 1, &receiver, &result), &result,
                "right");
}

static lb_status invoke_special(void)
{
    const lb_value receiver = lb_pointer(s.p);
    lb_value result = lb_integer(0);
    return says(lb_invoke_special(s.cls[3], s.method, 1, &receiver, &result),
                &result, "right");
}

static lb_status invoke_super(void)
{
    const lb_value receiver = lb_pointer(s.p);
    lb_value result = lb_integer(0);
    const lb_attribute *self = lb_class_own(s.cls[2], s.method);
    return says(lb_invoke_super(self, 1, &receiver, &result), &result, "top");
}

static lb_status invoke_value(void)
{
    lb_value argv[40], result = lb_integer(0);
    for (int i = 0; i < 40; i++)
        argv[i] = lb_pointer(s.p);
    const lb_status status = lb_invoke_symbol(s.x, 40, argv, &result);
    return right_if(status, status != LB_OK || result.integer == 39);
}

/* Many arguments: the receiver has to be put before them somewhere. */
static lb_status call_found(void)
{
    lb_found found;
    lb_value argv[80], result = lb_integer(0);
    memset(argv, 0, sizeof argv);
    const lb_status status = lb_try_get(s.p, s.method, &found);
    return status == LB_OK
               ? says(lb_call(s.o.runtime, &found, 80, argv, &result), &result,
                      "right")
               : status;
}

static lb_status directory(void)
{
    lb_directory *all = NULL;
    const lb_status status = lb_dir(s.q, &all);
    const int right = status != LB_OK || all->count == 5;
    lb_directory_free(all);
    return right_if(status, right);
}

static lb_status trace(void)
{
    char *text = NULL;
    const lb_status status = lb_trace_lookup(s.p, s.x, &text);
    lb_text_free(s.o.runtime, text);
    return status;
}

static lb_status quiesce(void)
{
    return lb_quiesce(s.o.runtime);
}

static const act ACTS[] = {
    {"lb_objects_configure", NULL, configure_another, 0},
    {"lb_intern", NULL, intern, 0},
    {"lb_class_set", NULL, set_new, 0},
    {"lb_class_set of what was looked up", prepare_tables, set_new, 0},
    {"lb_class_set in place of another", prepare_tables, replace, 0},
    {"lb_class_set_value", NULL, set_value, 0},
    {"lb_class_set_method", NULL, set_method, 0},
    {"lb_dictionary_set", NULL, set_by_dictionary, 0},
    {"lb_class_define", prepare_names, define, 0},
    {"lb_class_delete", NULL, delete_from_class, 0},
    {"lb_class_delete of what was looked up", prepare_tables, delete_from_class,
     0},
    {"lb_dictionary_delete", NULL, delete_by_dictionary, 0},
    {"lb_class_set_bases", prepare_tables, set_bases, 0},
    {"lb_object_class", NULL, make_class, 0},
    {"lb_class_destroy", prepare_class, destroy_class, 0},
    {"lb_new", NULL, make_object, 0},
    {"lb_set_class", prepare_tables, set_class, 0},
    {"lb_set_class before any look-up", NULL, set_class, 0},
    {"lb_try_get", NULL, try_get, 0},
    {"lb_get", NULL, get, 0},
    {"lb_get_text", NULL, get_by_text, 0},
    {"lb_try_get_at", NULL, get_at, 0},
    {"lb_try_get of its own", NULL, get_own, 0},
    {"lb_try_get of a property", NULL, get_property, 0},
    {"lb_get of nothing", NULL, get_nothing, 0},
    {"lb_get_text of a ghost", NULL, get_ghost, 0},
    {"lb_get_text of what is missing", prepare_missing, get_missing, 0},
    {"lb_get_first", NULL, get_first, 0},
    {"lb_get_first_special", NULL, get_first_special, 0},
    {"lb_class_get_super", NULL, get_class_super, 0},
    {"lb_get_first of nothing", NULL, get_first_in_vain, 0},
    {"lb_try_get_special", NULL, get_special, 0},
    {"lb_class_get", NULL, get_of_class, 0},
    {"lb_get_super", NULL, get_super, 0},
    {"lb_set", NULL, set_own, 0},
    {"lb_set of what was looked up", prepare_tables, set_own, 0},
    {"lb_set in place of another", NULL, set_own_again, 0},
    {"lb_set of a field", NULL, set_field, 0},
    {"lb_set_text", NULL, set_by_text, 0},
    {"lb_set_text beside 2", NULL, set_by_text, 2},
    {"lb_set_text beside 4", NULL, set_by_text, 4},
    {"lb_set_text beside 6", NULL, set_by_text, 6},
    {"lb_set_text beside 8", NULL, set_by_text, 8},
    {"lb_set_text beside 16", NULL, set_by_text, 16},
    {"lb_own_set", NULL, own_set, 0},
    {"lb_own_delete", NULL, own_delete, 0},
    {"lb_unset", prepare_tables, unset, 0},
    {"lb_unset_text", NULL, unset_by_text, 0},
    {"lb_invoke_symbol", NULL, invoke, 0},
    {"lb_invoke_symbol of a value", NULL, invoke_value, 0},
    {"lb_invoke_special", NULL, invoke_special, 0},
    {"lb_invoke_super", NULL, invoke_super, 0},
    {"lb_call", NULL, call_found, 0},
    {"lb_dir", NULL, directory, 0},
    {"lb_trace_lookup", NULL, trace, 0},
    {"lb_quiesce", prepare_tables, quiesce, 0},
};

/* ---- The trial ---------------------------------------------------------- */

static void check_nothing_changed(const act *one, int k, const view *before)
{
    static view after;
    look(&after);
    if (strcmp(before->text, after.text) != 0)
        fail_msg("%s, allocation %d: something has changed\n%s\n---\n%s",
                 one->name, k, before->text, after.text);
    if (one->run() != LB_OK)
        fail_msg("%s, allocation %d: fails when tried again: %s", one->name, k,
                 lb_message());
}

/* Refuses the k-th allocation of one act; 1 while there was one to refuse. */
static int try_with_failure(const act *one, int way, int k, int for_ever)
{
    static view before;
    open_scene(way);
    if (one->prepare != NULL)
        one->prepare();
    prepare_attributes(one->attributes);
    look(&before);
    allocator_arm(&s.o.world.memory, (uint64_t)k, for_ever);
    const lb_status status = one->run();
    const int refused = s.o.world.memory.refused > 0;
    allocator_arm(&s.o.world.memory, 0, 0);
    if (status != LB_OK && status != LB_NO_MEMORY)
        fail_msg("%s, way %d, allocation %d: %s (%s)", one->name, way, k,
                 lb_status_name(status), lb_message());
    if (status == LB_NO_MEMORY && !refused)
        fail_msg("%s: out of memory without need", one->name);
    if (status == LB_NO_MEMORY)
        check_nothing_changed(one, k, &before);
    close_scene();
    return refused;
}

static void a_refused_allocation_changes_nothing(void **state)
{
    int tried = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ACTS); i++)
        for (int way = 0; way < 32; way++) {
            int k = 1;
            while (try_with_failure(&ACTS[i], way / 2, k, way % 2))
                k++;
            tried += k - 1;
        }
    print_message("%d allocations of %zu calls were refused\n", tried,
                  COUNT_OF(ACTS));
    assert_true(tried > 0);
}

/* First look-ups of ever new classes while memory is scarce: whatever is
 * answered is right, or LB_NO_MEMORY. */
static void scarce_memory_never_makes_a_look_up_wrong(void **state)
{
    (void)state;
    for (int way = 0; way < 16; way++) {
        open_scene(way);
        for (int i = 0; i < 100; i++) {
            lb_class *cls = objects_class(&s.o, "new", s.cls[i % 4], NULL);
            person *p = lb_new(cls);
            lb_found found = {.kind = LB_FOUND_NOTHING};
            allocator_arm(&s.o.world.memory, (uint64_t)(1 + i % 5), i % 2);
            const lb_status status = lb_try_get(p, s.x, &found);
            allocator_arm(&s.o.world.memory, 0, 0);
            if (status != LB_NO_MEMORY)
                assert_ok(is_first(status, &found));
            assert_ok(is_first(lb_try_get(p, s.x, &found), &found));
            lb_delete(cls, p);
        }
        close_scene();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_allocation_changes_nothing),
        cmocka_unit_test(scarce_memory_never_makes_a_look_up_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
