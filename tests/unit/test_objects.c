/* Instances: their own attributes, the order of the search, what is missing,
 * other classes for them, and looking around.
 */
#include "support/objects.h"
#include "support/test.h"

/* ---- Classes of objects ------------------------------------------------- */

static void free_attributes_are_inherited(objects *o)
{
    lb_class *cls = lb_object_class(o->runtime, "C", NULL, NULL);
    lb_class *derived =
        lb_class_make(o->runtime, "D", sizeof(person), cls, NULL);
    assert_non_null(derived);
    lb_object *object = lb_new(derived);
    assert_ok(lb_set_text(object, "x", lb_integer(1)));
    assert_int_equal(objects_get(o, object, "x").integer, 1);
    lb_delete(derived, object);
}

static void an_object_class_is_as_large_as_its_bases_need(objects *o)
{
    lb_class *plain = objects_class(o, "plain", NULL, NULL);
    lb_class *one = lb_object_class(o->runtime, "one", NULL, NULL);
    lb_class *two = lb_object_class(o->runtime, "two", one, plain);
    assert_int_equal(lb_class_instance_size(one), sizeof(lb_object));
    assert_int_equal(lb_class_instance_size(two), sizeof(person));
    assert_int_equal(lb_class_is_subclass(two, plain), 1);
}

static void free_attributes_need_the_place_of_their_pointer(objects *o)
{
    lb_class *made = NULL;
    lb_class *plain = objects_plain_class(o, "plain", NULL);
    lb_class *header =
        lb_class_make(o->runtime, "header", sizeof(lb_header), NULL, NULL);
    lb_class_spec spec = {.name = "free",
                          .bases = &plain,
                          .base_count = 1,
                          .flags = LB_FREE_ATTRIBUTES};
    assert_status(LB_BAD_ARGUMENT, lb_class_create(o->runtime, &spec, &made));
    assert_null(lb_object_class(o->runtime, "free", plain, NULL));
    spec.bases = &header;
    assert_ok(lb_class_create(o->runtime, &spec, &made));
    assert_int_equal(lb_class_instance_size(made), sizeof(lb_object));
}

static void unknown_flags_are_refused(objects *o)
{
    lb_class *made = NULL;
    const lb_class_spec spec = {.name = "free", .flags = 2};
    assert_status(LB_BAD_ARGUMENT, lb_class_create(o->runtime, &spec, &made));
}

static void an_object_on_the_stack_is_cleared_by_its_owner(objects *o)
{
    stage s = objects_stage(o);
    person mine;
    lb_object_init(s.cls, &mine.base);
    assert_int_equal(objects_try(o, &mine, "x"), LB_NO_ATTRIBUTE);
    assert_ok(lb_set(&mine, s.x, objects_value(o, 1)));
    assert_ok(lb_set_text(&mine, "y", objects_value(o, 2)));
    lb_object_clear(&mine.base);
    assert_ok(lb_quiesce(o->runtime));
    assert_int_equal(objects_count(o, 1), 0);
    assert_int_equal(objects_count(o, 2), 0);
    assert_int_equal(objects_try(o, &mine, "x"), LB_NO_ATTRIBUTE);
    assert_ok(lb_set(&mine, s.x, objects_value(o, 3)));
    assert_int_equal(objects_count(o, 3), 1);
    lb_object_clear(&mine.base);
    lb_object_clear(&mine.base);
    lb_object_clear(NULL);
    lb_delete(s.cls, s.p);
}

static void deleting_an_object_frees_its_attributes(objects *o)
{
    stage s = objects_stage(o);
    char name[16];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(name, sizeof name, "a%d", i);
        assert_ok(lb_set_text(s.p, name, objects_value(o, i % 4)));
    }
    assert_int_equal(objects_count(o, 0), 13);
    lb_delete(s.cls, s.p);
    assert_ok(lb_quiesce(o->runtime));
    for (int i = 0; i < 4; i++)
        assert_int_equal(objects_count(o, i), 0);
}

static void an_object_is_an_instance_of_its_class_and_their_bases(objects *o)
{
    stage s = objects_stage(o);
    lb_class *other = objects_class(o, "other", s.cls, NULL);
    assert_int_equal(lb_is_instance(s.p, s.cls), 1);
    assert_int_equal(lb_is_instance(s.p, s.base), 1);
    assert_int_equal(lb_is_instance(s.p, other), 0);
    assert_ok(lb_set_class(s.p, other));
    assert_int_equal(lb_is_instance(s.p, other), 1);
    assert_ok(lb_set_class(s.p, s.base));
    assert_int_equal(lb_is_instance(s.p, s.cls), 0);
    lb_delete(s.cls, s.p);
}

/* ---- Own attributes ----------------------------------------------------- */

static void an_attribute_is_set_replaced_and_deleted(objects *o)
{
    stage s = objects_stage(o);
    person *q = lb_new(s.cls);
    assert_ok(lb_set(s.p, s.x, lb_integer(1)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    assert_int_equal(objects_try(o, q, "x"), LB_NO_ATTRIBUTE);
    assert_ok(lb_set(s.p, s.x, lb_integer(2)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 2);
    assert_ok(lb_unset(s.p, s.x));
    assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
    assert_status(LB_NO_ATTRIBUTE, lb_unset(s.p, s.x));
    assert_ok(lb_set(s.p, s.x, lb_integer(3)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 3);
    lb_delete(s.cls, s.p);
    lb_delete(s.cls, q);
}

static void zero_is_a_value_like_any_other(objects *o)
{
    stage s = objects_stage(o);
    assert_ok(lb_set(s.p, s.x, lb_integer(0)));
    assert_int_equal(objects_find(o, s.p, "x").kind, LB_FOUND_VALUE);
    assert_ok(lb_unset(s.p, s.x));
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(0)));
    assert_int_equal(objects_find(o, s.p, "x").kind, LB_FOUND_VALUE);
    assert_int_equal(objects_get(o, s.p, "x").integer, 0);
    lb_delete(s.cls, s.p);
}

static void an_object_holds_many_attributes(objects *o)
{
    enum { MANY = 300 };
    stage s = objects_stage(o);
    char name[16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MANY; i++) {
            (void)snprintf(name, sizeof name, "a%d", i);
            assert_ok(lb_set_text(s.p, name, lb_integer(i + round)));
        }
    for (int i = 0; i < MANY; i += 3) {
        (void)snprintf(name, sizeof name, "a%d", i);
        assert_ok(lb_unset_text(s.p, name));
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "a%d", i);
        if (i % 3 == 0)
            assert_int_equal(objects_try(o, s.p, name), LB_NO_ATTRIBUTE);
        else
            assert_int_equal(objects_get(o, s.p, name).integer, i + 1);
    }
    lb_delete(s.cls, s.p);
}

static void names_that_come_and_go_do_not_fill_the_memory(objects *o)
{
    stage s = objects_stage(o);
    char name[16];
    size_t after_some = 0;
    for (int i = 0; i < 4000; i++) {
        (void)snprintf(name, sizeof name, "a%d", i % 40);
        assert_ok(lb_set_text(s.p, name, lb_integer(i)));
        assert_ok(lb_unset_text(s.p, name));
        if (i % 400 == 0)
            assert_ok(lb_quiesce(o->runtime));
        if (i == 400)
            after_some = o->world.memory.bytes;
    }
    assert_ok(lb_quiesce(o->runtime));
    assert_true(o->world.memory.bytes <= after_some + 1024);
    lb_delete(s.cls, s.p);
}

static void own_attributes_are_walked_in_the_order_of_setting(objects *o)
{
    static const char *const names[] = {"c", "a", "d", "b"};
    stage s = objects_stage(o);
    size_t cursor = 0, i = 0;
    const lb_symbol *symbol;
    lb_value value;
    assert_int_equal(lb_own_next(s.p, &cursor, &symbol, &value), 0);
    for (size_t k = 0; k < COUNT_OF(names); k++)
        assert_ok(lb_set_text(s.p, names[k], lb_integer((int64_t)k)));
    assert_ok(lb_set_text(s.p, "a", lb_integer(1)));
    for (cursor = 0; lb_own_next(s.p, &cursor, &symbol, &value); i++) {
        assert_string_equal(symbol->text, names[i]);
        assert_int_equal(value.integer, i);
    }
    assert_int_equal(i, COUNT_OF(names));
    lb_delete(s.cls, s.p);
}

static void the_own_dictionary_is_changed_past_all_descriptors(objects *o)
{
    stage s = objects_stage(o);
    lb_value value = lb_integer(0);
    objects_set(o, s.base, "x",
                (lb_attribute_spec){.kind = LB_FIELD,
                                    .type = LB_FIELD_INT64,
                                    .offset = offsetof(person, number)});
    s.p->number = 4;
    assert_status(LB_NO_ATTRIBUTE, lb_own_get(s.p, s.x, &value));
    assert_status(LB_NO_ATTRIBUTE, lb_own_delete(s.p, s.x));
    assert_ok(lb_own_set(s.p, s.x, lb_integer(5)));
    assert_ok(lb_own_get(s.p, s.x, &value));
    assert_int_equal(value.integer, 5);
    assert_int_equal(s.p->number, 4);
    assert_int_equal(objects_get(o, s.p, "x").integer,
                     objects_in_python(o) ? 4 : 5);
    assert_ok(lb_own_delete(s.p, s.x));
    assert_int_equal(objects_get(o, s.p, "x").integer, 4);
    lb_delete(s.cls, s.p);
}

static void asking_the_own_dictionary_in_vain_sets_no_message(objects *o)
{
    stage s = objects_stage(o);
    lb_value value;
    (void)lb_fail_with(LB_BUSY, "an old message");
    assert_int_equal(lb_own_get(s.p, s.x, &value), LB_NO_ATTRIBUTE);
    assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
    assert_string_equal(lb_message(), "an old message");
    lb_delete(s.cls, s.p);
}

static void an_instance_without_a_dictionary_is_read_only(objects *o)
{
    lb_class *cls = objects_plain_class(o, "plain", NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    thing t = thing_of(cls);
    lb_value value;
    size_t cursor = 0;
    const lb_symbol *symbol;
    assert_status(LB_READ_ONLY, lb_set(&t, x, lb_integer(1)));
    assert_contains(lb_message(), "x");
    assert_contains(lb_message(), "plain");
    assert_status(LB_READ_ONLY, lb_set_text(&t, "x", lb_integer(1)));
    assert_status(LB_READ_ONLY, lb_unset(&t, x));
    assert_status(LB_READ_ONLY, lb_own_get(&t, x, &value));
    assert_status(LB_READ_ONLY, lb_own_set(&t, x, lb_integer(1)));
    assert_status(LB_READ_ONLY, lb_own_delete(&t, x));
    assert_int_equal(lb_own_next(&t, &cursor, &symbol, &value), 0);
    assert_int_equal(objects_try(o, &t, "x"), LB_NO_ATTRIBUTE);
    assert_ok(lb_class_set_value(cls, "x", lb_integer(7)));
    assert_int_equal(objects_get(o, &t, "x").integer, 7);
}

/* ---- The order of the search -------------------------------------------- */

static lb_status get_nine(const lb_attribute *self, lb_value receiver,
                          lb_value *result)
{
    (void)self;
    (void)receiver;
    *result = lb_integer(9);
    return LB_OK;
}

static void an_own_attribute_hides_values_and_methods_of_the_class(objects *o)
{
    stage s = objects_stage(o);
    objects_method(s.base, "x", "method");
    assert_int_equal(objects_find(o, s.p, "x").kind, LB_FOUND_METHOD);
    assert_ok(lb_set(s.p, s.x, lb_integer(1)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    assert_ok(lb_class_set_value(s.cls, "x", lb_integer(2)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    assert_ok(lb_unset(s.p, s.x));
    assert_int_equal(objects_get(o, s.p, "x").integer, 2);
    lb_delete(s.cls, s.p);
}

static void a_data_descriptor_comes_first_only_in_pythons_order(objects *o)
{
    stage s = objects_stage(o);
    assert_ok(lb_set(s.p, s.x, lb_integer(1)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    objects_set(o, s.base, "x",
                (lb_attribute_spec){.kind = LB_PROPERTY, .get = get_nine});
    assert_int_equal(objects_get(o, s.p, "x").integer,
                     objects_in_python(o) ? 9 : 1);
    objects_method(s.cls, "x", "method"); /* hides the property */
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    assert_ok(lb_class_delete(s.cls, s.x));
    assert_int_equal(objects_get(o, s.p, "x").integer,
                     objects_in_python(o) ? 9 : 1);
    lb_delete(s.cls, s.p);
}

/* ---- What is missing ---------------------------------------------------- */

static lb_status find_missing(const lb_attribute *self, size_t argc,
                              const lb_value *argv, lb_value *result)
{
    (void)self;
    assert_int_equal(argc, 2);
    note(argv[1].constant);
    if (strcmp(argv[1].constant, "hopeless") == 0)
        return lb_fail_with(LB_NO_ATTRIBUTE, "hopeless, says the hook");
    result->pointer = argv[0].pointer;
    return LB_OK;
}

static void the_missing_hook_is_asked_for_what_is_not_found(objects *o)
{
    stage s = objects_stage(o);
    assert_ok(lb_class_set_method(s.base, "__getattr__", find_missing, NULL));
    const lb_found found = objects_find(o, s.p, "x");
    assert_int_equal(found.kind, LB_FOUND_OWNED);
    assert_ptr_equal(found.value.pointer, s.p);
    assert_string_equal(notes_take(), "x");
    assert_ok(lb_class_set_value(s.cls, "x", lb_integer(1)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    assert_string_equal(notes_take(), "");
    lb_delete(s.cls, s.p);
}

static void the_missing_hook_is_asked_by_text_without_a_symbol(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    assert_ok(lb_class_set_method(s.base, "__getattr__", find_missing, NULL));
    assert_ok(lb_get_text(s.p, "ghost", &found));
    assert_int_equal(found.kind, LB_FOUND_OWNED);
    assert_string_equal(notes_take(), "ghost");
    assert_null(lb_symbol_find(o->runtime, "ghost"));
    assert_status(LB_NO_ATTRIBUTE, lb_get_text(s.p, "hopeless", &found));
    assert_string_equal(lb_message(), "hopeless, says the hook");
    lb_delete(s.cls, s.p);
}

static void a_missing_hook_appears_and_disappears(objects *o)
{
    stage s = objects_stage(o);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
        assert_ok(
            lb_class_set_method(s.base, "__getattr__", find_missing, NULL));
        assert_int_equal(objects_try(o, s.p, "x"), LB_OK);
        assert_ok(lb_class_delete(s.base, objects_symbol(o, "__getattr__")));
    }
    assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
    lb_delete(s.cls, s.p);
}

static void the_missing_hook_is_the_classs_and_not_the_instances(objects *o)
{
    stage s = objects_stage(o);
    assert_ok(lb_set_text(s.p, "__getattr__", lb_integer(1)));
    assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
    assert_ok(lb_class_set_method(s.base, "__getattr__", find_missing, NULL));
    assert_int_equal(objects_try(o, s.p, "x"), LB_OK);
    lb_delete(s.cls, s.p);
}

static void only_a_look_up_through_an_instance_asks_the_missing_hook(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    assert_ok(lb_class_set_method(s.base, "__getattr__", find_missing, NULL));
    notes_take();
    assert_status(LB_NO_ATTRIBUTE,
                  lb_try_get_special(s.cls, lb_pointer(s.p), s.x, &found));
    assert_status(LB_NO_ATTRIBUTE, lb_class_get(s.cls, s.x, &found));
    assert_status(LB_NO_ATTRIBUTE, lb_get_super(s.cls, s.p, s.x, &found));
    assert_string_equal(notes_take(), "");
    lb_delete(s.cls, s.p);
}

static void call_by_another_name(objects *o)
{
    stage s = objects_stage(o);
    assert_ok(lb_class_set_method(s.base, "__getattr__", find_missing, NULL));
    assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
    assert_ok(lb_class_set_method(s.base, "otherwise", find_missing, NULL));
    assert_int_equal(objects_try(o, s.p, "x"), LB_OK);
    lb_delete(s.cls, s.p);
}

static void the_missing_hook_has_the_name_of_the_options(void **state)
{
    char name[] = "otherwise"; /* copied */
    const lb_object_options options = {.missing = name};
    (void)state;
    objects_with_under_every_policy(&options, call_by_another_name);
}

/* Makes a name a value, which counts. */
static lb_status value_of_name(void *context, const char *name, lb_value *value)
{
    objects *o = context;
    *value = objects_value(o, name[0] == 'x' ? 1 : 2);
    o->options.retain(o, *value);
    return LB_OK;
}

static lb_status find_by_value(const lb_attribute *self, size_t argc,
                               const lb_value *argv, lb_value *result)
{
    (void)self;
    assert_int_equal(argc, 2);
    assert_int_equal(*(const int *)argv[1].constant, 1); /* held by the call */
    *result = argv[1];
    return LB_OK;
}

static void ask_by_values(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    assert_ok(lb_class_set_method(s.base, "__getattr__", find_by_value, NULL));
    assert_ptr_equal(objects_get(o, s.p, "x").pointer,
                     objects_value(o, 1).pointer);
    assert_ok(lb_get_text(s.p, "ghost", &found));
    assert_ptr_equal(found.value.pointer, objects_value(o, 2).pointer);
    assert_int_equal(objects_count(o, 1), 0); /* it was released */
    assert_int_equal(objects_count(o, 2), 0);
    lb_delete(s.cls, s.p);
}

static void the_missing_hook_can_be_told_the_name_as_a_value(void **state)
{
    const lb_object_options options = {.name_value = value_of_name};
    (void)state;
    objects_with_under_every_policy(&options, ask_by_values);
}

/* ---- Messages ----------------------------------------------------------- */

static void what_is_not_there_is_named_with_the_nearest_that_is(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    assert_ok(lb_class_set_value(s.base, "colour", lb_integer(1)));
    assert_ok(lb_set_text(s.p, "height", lb_integer(1)));
    assert_status(LB_NO_ATTRIBUTE,
                  lb_get(s.p, objects_symbol(o, "color"), &found));
    assert_contains(lb_message(), "cls");
    assert_contains(lb_message(), "color");
    assert_contains(lb_message(), "colour");
    assert_status(LB_NO_ATTRIBUTE, lb_get_text(s.p, "heigth", &found));
    assert_contains(lb_message(), "cls");
    assert_contains(lb_message(), "heigth");
    assert_contains(lb_message(), "height");
    lb_delete(s.cls, s.p);
}

static void an_invoked_method_that_is_not_there_is_named(objects *o)
{
    stage s = objects_stage(o);
    const lb_value receiver = lb_pointer(s.p);
    lb_value result;
    objects_method(s.base, "speak", "speak");
    assert_status(LB_NO_ATTRIBUTE, lb_invoke_symbol(objects_symbol(o, "speek"),
                                                    1, &receiver, &result));
    assert_contains(lb_message(), "speek");
    assert_contains(lb_message(), "speak");
    lb_delete(s.cls, s.p);
}

static void an_object_of_no_class_is_no_class(objects *o)
{
    lb_found found;
    lb_value result, receiver;
    person nobody;
    const lb_symbol *x = objects_symbol(o, "x");
    memset(&nobody, 0, sizeof nobody);
    receiver = lb_pointer(&nobody);
    assert_status(LB_NO_CLASS, lb_try_get(&nobody, x, &found));
    assert_status(LB_NO_CLASS, lb_get(&nobody, x, &found));
    assert_status(LB_NO_CLASS, lb_set(&nobody, x, lb_integer(1)));
    assert_status(LB_NO_CLASS, lb_invoke_symbol(x, 1, &receiver, &result));
}

static void an_object_of_another_runtime_is_refused(objects *o)
{
    lb_runtime *other = NULL;
    lb_found found;
    assert_ok(lb_runtime_create(NULL, &other));
    lb_class *cls = lb_object_class(other, "theirs", NULL, NULL);
    lb_object *object = lb_new(cls);
    assert_ok(lb_class_set_value(cls, "x", lb_integer(1)));
    assert_status(LB_NO_CLASS,
                  lb_try_get(object, objects_symbol(o, "x"), &found));
    assert_status(LB_NO_CLASS,
                  lb_set(object, objects_symbol(o, "x"), lb_integer(1)));
    assert_ok(lb_get_text(object, "x", &found));
    lb_delete(cls, object);
    lb_runtime_destroy(other);
}

/* ---- The first of several names ----------------------------------------- */

static void str_falls_back_to_repr(objects *o)
{
    stage s = objects_stage(o);
    const lb_symbol *names[] = {objects_symbol(o, "__str__"),
                                objects_symbol(o, "__repr__")};
    const lb_value self = lb_pointer(s.p);
    lb_found found;
    size_t which = 9;
    objects_method(s.base, "__repr__", "repr");
    assert_ok(lb_get_first_special(s.cls, self, names, 2, &which, &found));
    assert_int_equal(which, 1);
    assert_ptr_equal(found.method->symbol, names[1]);
    assert_ptr_equal(found.self.pointer, s.p);
    objects_method(s.cls, "__str__", "str");
    assert_ok(lb_get_first_special(s.cls, self, names, 2, &which, &found));
    assert_int_equal(which, 0);
    assert_ptr_equal(found.method->symbol, names[0]);
    assert_ok(lb_get_first_special(s.cls, self, names, 2, NULL, &found));
    lb_delete(s.cls, s.p);
}

static void truth_falls_back_to_length_and_then_to_nothing(objects *o)
{
    stage s = objects_stage(o);
    const lb_symbol *names[] = {objects_symbol(o, "__nonzero__"),
                                objects_symbol(o, "__len__")};
    const lb_value self = lb_pointer(s.p);
    lb_found found;
    size_t which = 9;
    assert_status(LB_NO_ATTRIBUTE,
                  lb_get_first_special(s.cls, self, names, 2, &which, &found));
    assert_contains(lb_message(), "__nonzero__");
    assert_contains(lb_message(), "__len__");
    objects_method(s.cls, "__len__", "len");
    assert_ok(lb_get_first_special(s.cls, self, names, 2, &which, &found));
    assert_int_equal(which, 1);
    assert_ok(lb_class_delete(s.cls, names[1]));
    assert_status(LB_NO_ATTRIBUTE,
                  lb_get_first_special(s.cls, self, names, 2, &which, &found));
    lb_delete(s.cls, s.p);
}

static void of_several_names_an_instance_has_the_first_it_holds(objects *o)
{
    stage s = objects_stage(o);
    const lb_symbol *names[] = {objects_symbol(o, "own"),
                                objects_symbol(o, "inherited")};
    lb_found found;
    size_t which = 9;
    assert_status(LB_NO_ATTRIBUTE, lb_get_first(s.p, names, 2, &which, &found));
    assert_contains(lb_message(), "own");
    assert_contains(lb_message(), "inherited");
    assert_ok(lb_class_set_value(s.base, "inherited", lb_integer(1)));
    assert_ok(lb_get_first(s.p, names, 2, &which, &found));
    assert_int_equal(which, 1);
    assert_int_equal(found.value.integer, 1);
    assert_ok(lb_set_text(s.p, "own", lb_integer(2)));
    assert_ok(lb_get_first(s.p, names, 2, &which, &found));
    assert_int_equal(which, 0);
    assert_int_equal(found.value.integer, 2);
    lb_delete(s.cls, s.p);
}

static void no_names_or_none_in_their_place_are_refused(objects *o)
{
    stage s = objects_stage(o);
    const lb_symbol *names[] = {s.x, NULL};
    const lb_value self = lb_pointer(s.p);
    lb_found found;
    assert_status(LB_BAD_ARGUMENT, lb_get_first(s.p, names, 0, NULL, &found));
    assert_status(LB_BAD_ARGUMENT, lb_get_first(s.p, NULL, 1, NULL, &found));
    assert_status(LB_BAD_ARGUMENT, lb_get_first(s.p, names, 2, NULL, &found));
    assert_status(LB_BAD_ARGUMENT, lb_get_first(NULL, names, 1, NULL, &found));
    assert_status(LB_BAD_ARGUMENT, lb_get_first(s.p, names, 1, NULL, NULL));
    assert_status(LB_BAD_ARGUMENT,
                  lb_get_first_special(NULL, self, names, 1, NULL, &found));
    assert_status(LB_BAD_ARGUMENT,
                  lb_get_first_special(s.cls, self, names, 2, NULL, &found));
    assert_status(LB_BAD_ARGUMENT,
                  lb_get_first_special(s.cls, self, names, 0, NULL, &found));
    lb_delete(s.cls, s.p);
}

/* ---- Another class ------------------------------------------------------ */

static void an_object_keeps_its_attributes_in_another_class(objects *o)
{
    stage s = objects_stage(o);
    lb_class *other = objects_class(o, "other", NULL, NULL);
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(1)));
    assert_ok(lb_class_set_value(other, "y", lb_integer(2)));
    assert_ok(lb_set_text(s.p, "mine", lb_integer(3)));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(objects_get(o, s.p, "x").integer, 1);
        assert_int_equal(objects_try(o, s.p, "y"), LB_NO_ATTRIBUTE);
        assert_int_equal(objects_get(o, s.p, "mine").integer, 3);
        assert_ok(lb_set_class(s.p, other));
        assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
        assert_int_equal(objects_get(o, s.p, "y").integer, 2);
        assert_int_equal(objects_get(o, s.p, "mine").integer, 3);
        assert_ok(lb_set_class(s.p, s.cls));
    }
    lb_delete(s.cls, s.p);
}

/* The new class has never had an instance with the name. */
static void an_object_that_comes_with_a_name_is_asked_for_it(objects *o)
{
    stage s = objects_stage(o);
    lb_class *other = objects_class(o, "other", NULL, NULL);
    person *q = lb_new(other);
    assert_ok(lb_class_set_value(other, "x", lb_integer(1)));
    assert_int_equal(objects_get(o, q, "x").integer, 1);
    assert_ok(lb_set(s.p, s.x, lb_integer(2)));
    assert_ok(lb_set_class(s.p, other));
    assert_int_equal(objects_get(o, s.p, "x").integer, 2);
    assert_int_equal(objects_get(o, q, "x").integer, 1);
    lb_delete(s.cls, s.p);
    lb_delete(other, q);
}

static void a_class_of_another_layout_is_refused(objects *o)
{
    stage s = objects_stage(o);
    lb_class *plain = objects_plain_class(o, "plain", NULL);
    thing t = thing_of(plain);
    assert_status(LB_BAD_ARGUMENT, lb_set_class(s.p, plain));
    assert_status(LB_BAD_ARGUMENT, lb_set_class(&t, s.cls));
    assert_int_equal(lb_is_instance(s.p, s.cls), 1);
    lb_delete(s.cls, s.p);
}

static void new_bases_are_seen_at_once(objects *o)
{
    stage s = objects_stage(o);
    lb_class *other = objects_class(o, "other", NULL, NULL);
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(1)));
    assert_ok(lb_class_set_value(other, "x", lb_integer(2)));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(objects_get(o, s.p, "x").integer, 1);
        assert_ok(lb_class_set_bases(s.cls, &other, 1));
        assert_int_equal(objects_get(o, s.p, "x").integer, 2);
        assert_ok(lb_class_set_bases(s.cls, NULL, 0));
        assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
        assert_ok(lb_class_set_bases(s.cls, &s.base, 1));
    }
    lb_delete(s.cls, s.p);
}

/* A class that takes a destroyed one's id must not take its cells. */
static void a_new_class_knows_nothing_of_a_destroyed_one(objects *o)
{
    for (int i = 0; i < 600; i++) {
        lb_class *cls = objects_class(o, "cls", NULL, NULL);
        person *p = lb_new(cls);
        assert_int_equal(objects_try(o, p, "x"), LB_NO_ATTRIBUTE);
        assert_ok(lb_class_set_value(cls, "x", lb_integer(i)));
        assert_int_equal(objects_get(o, p, "x").integer, i);
        lb_delete(cls, p);
        assert_ok(lb_class_destroy(cls));
        if (i % 50 == 49)
            assert_ok(lb_quiesce(o->runtime));
    }
}

/* ---- Looking around ----------------------------------------------------- */

static void a_directory_lists_what_a_look_up_would_find_by_name(objects *o)
{
    stage s = objects_stage(o);
    lb_directory *directory = NULL;
    assert_ok(lb_class_set_value(s.base, "c", lb_integer(1)));
    assert_ok(lb_class_set_value(s.base, "b", lb_integer(1)));
    assert_ok(lb_class_set_value(s.cls, "b", lb_integer(1)));
    assert_ok(lb_set_text(s.p, "a", lb_integer(1)));
    assert_ok(lb_set_text(s.p, "c", lb_integer(1)));
    assert_ok(lb_dir(s.p, &directory));
    assert_int_equal(directory->count, 3);
    assert_string_equal(directory->entries[0].symbol->text, "a");
    assert_null(directory->entries[0].owner);
    assert_null(directory->entries[0].attribute);
    assert_string_equal(directory->entries[1].symbol->text, "b");
    assert_ptr_equal(directory->entries[1].owner, s.cls);
    assert_ptr_equal(directory->entries[1].attribute,
                     lb_class_own(s.cls, objects_symbol(o, "b")));
    assert_string_equal(directory->entries[2].symbol->text, "c");
    assert_null(directory->entries[2].owner);
    lb_directory_free(directory);
    lb_directory_free(NULL);
    lb_delete(s.cls, s.p);
}

static void a_directory_of_nothing_is_empty(objects *o)
{
    stage s = objects_stage(o);
    lb_directory *directory = NULL;
    assert_ok(lb_dir(s.p, &directory));
    assert_int_equal(directory->count, 0);
    lb_directory_free(directory);
    lb_delete(s.cls, s.p);
}

typedef struct visits {
    objects *o;
    int times[OBJECTS_VALUES];
} visits;

static void count_visit(void *context, lb_value value)
{
    visits *v = context;
    for (int i = 0; i < OBJECTS_VALUES; i++)
        v->times[i] += value.bits == objects_value(v->o, i).bits;
}

static void a_collector_visits_every_value_that_is_held(objects *o)
{
    stage s = objects_stage(o);
    visits v = {.o = o};
    assert_ok(lb_class_set_value(s.base, "a", objects_value(o, 1)));
    assert_ok(lb_class_set_value(s.cls, "a", objects_value(o, 1)));
    objects_set(o, s.cls, "b",
                (lb_attribute_spec){.kind = LB_FUNCTION,
                                    .call = objects_say,
                                    .value = objects_value(o, 2)});
    objects_set(o, s.base, "field",
                (lb_attribute_spec){.kind = LB_FIELD,
                                    .offset = offsetof(person, value)});
    assert_ok(lb_set_text(s.p, "c", objects_value(o, 3)));
    assert_ok(lb_set_text(s.p, "d", objects_value(o, 4)));
    assert_ok(lb_unset_text(s.p, "d"));
    s.p->value = objects_value(o, 5);
    (void)objects_get(o, s.p, "a"); /* what a table holds counts once */
    lb_visit_classes(o->runtime, count_visit, &v);
    lb_visit_object(s.p, count_visit, &v);
    assert_int_equal(v.times[1], 2);
    assert_int_equal(v.times[2], 1);
    assert_int_equal(v.times[3], 1);
    assert_int_equal(v.times[4], 0);
    assert_int_equal(v.times[5], 1);
    lb_delete(s.cls, s.p);
}

/* ---- Hooks that call back ----------------------------------------------- */

static lb_status get_and_change(const lb_attribute *self, lb_value receiver,
                                lb_value *result)
{
    assert_ok(lb_set_text(receiver.pointer, "seen", lb_integer(1)));
    assert_ok(lb_class_set_value(self->owner, "asked", lb_integer(1)));
    assert_ok(lb_class_delete(self->owner, self->symbol));
    *result = lb_integer(17);
    return LB_OK;
}

static void a_getter_may_change_object_and_class(objects *o)
{
    stage s = objects_stage(o);
    objects_set(
        o, s.base, "x",
        (lb_attribute_spec){.kind = LB_PROPERTY, .get = get_and_change});
    assert_int_equal(objects_get(o, s.p, "x").integer, 17);
    assert_int_equal(objects_try(o, s.p, "x"), LB_NO_ATTRIBUTE);
    assert_int_equal(objects_get(o, s.p, "seen").integer, 1);
    assert_int_equal(objects_get(o, s.p, "asked").integer, 1);
    lb_delete(s.cls, s.p);
}

static person *looked_at;

/* A finalizer that looks up what its object may need. */
static void look_when_released(void *context, lb_value value)
{
    lb_found found;
    (void)context;
    if (value.integer != 5 || looked_at == NULL)
        return;
    assert_ok(lb_get_text(looked_at, "other", &found));
    note("released");
}

static void retain_nothing(void *context, lb_value value)
{
    (void)context;
    (void)value;
}

static void finalizers_run(objects *o)
{
    stage s = objects_stage(o);
    looked_at = s.p;
    assert_ok(lb_set_text(s.p, "other", lb_integer(1)));
    assert_ok(lb_set(s.p, s.x, lb_integer(5)));
    notes_take();
    assert_ok(lb_set(s.p, s.x, lb_integer(6)));
    assert_ok(lb_quiesce(o->runtime));
    assert_string_equal(notes_take(), "released");
    assert_ok(lb_class_set_value(s.base, "y", lb_integer(5)));
    assert_ok(lb_class_delete(s.base, objects_symbol(o, "y")));
    assert_ok(lb_quiesce(o->runtime));
    assert_string_equal(notes_take(), "released");
    looked_at = NULL;
    lb_delete(s.cls, s.p);
}

static void the_hook_release_may_call_the_runtime(void **state)
{
    const lb_object_options options = {.retain = retain_nothing,
                                       .release = look_when_released};
    (void)state;
    objects_with_under_every_policy(&options, finalizers_run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OBJECTS_TEST(free_attributes_are_inherited),
        OBJECTS_TEST(an_object_class_is_as_large_as_its_bases_need),
        OBJECTS_TEST(free_attributes_need_the_place_of_their_pointer),
        OBJECTS_TEST(unknown_flags_are_refused),
        OBJECTS_TEST(an_object_on_the_stack_is_cleared_by_its_owner),
        OBJECTS_TEST(deleting_an_object_frees_its_attributes),
        OBJECTS_TEST(an_object_is_an_instance_of_its_class_and_their_bases),
        OBJECTS_TEST(an_attribute_is_set_replaced_and_deleted),
        OBJECTS_TEST(zero_is_a_value_like_any_other),
        OBJECTS_TEST(an_object_holds_many_attributes),
        OBJECTS_TEST(names_that_come_and_go_do_not_fill_the_memory),
        OBJECTS_TEST(own_attributes_are_walked_in_the_order_of_setting),
        OBJECTS_TEST(the_own_dictionary_is_changed_past_all_descriptors),
        OBJECTS_TEST(asking_the_own_dictionary_in_vain_sets_no_message),
        OBJECTS_TEST(an_instance_without_a_dictionary_is_read_only),
        OBJECTS_TEST(an_own_attribute_hides_values_and_methods_of_the_class),
        OBJECTS_TEST(a_data_descriptor_comes_first_only_in_pythons_order),
        OBJECTS_TEST(the_missing_hook_is_asked_for_what_is_not_found),
        OBJECTS_TEST(the_missing_hook_is_asked_by_text_without_a_symbol),
        OBJECTS_TEST(a_missing_hook_appears_and_disappears),
        OBJECTS_TEST(the_missing_hook_is_the_classs_and_not_the_instances),
        OBJECTS_TEST(only_a_look_up_through_an_instance_asks_the_missing_hook),
        cmocka_unit_test(the_missing_hook_has_the_name_of_the_options),
        cmocka_unit_test(the_missing_hook_can_be_told_the_name_as_a_value),
        OBJECTS_TEST(what_is_not_there_is_named_with_the_nearest_that_is),
        OBJECTS_TEST(an_invoked_method_that_is_not_there_is_named),
        OBJECTS_TEST(an_object_of_no_class_is_no_class),
        OBJECTS_TEST(an_object_of_another_runtime_is_refused),
        OBJECTS_TEST(str_falls_back_to_repr),
        OBJECTS_TEST(truth_falls_back_to_length_and_then_to_nothing),
        OBJECTS_TEST(of_several_names_an_instance_has_the_first_it_holds),
        OBJECTS_TEST(no_names_or_none_in_their_place_are_refused),
        OBJECTS_TEST(an_object_keeps_its_attributes_in_another_class),
        OBJECTS_TEST(an_object_that_comes_with_a_name_is_asked_for_it),
        OBJECTS_TEST(a_class_of_another_layout_is_refused),
        OBJECTS_TEST(new_bases_are_seen_at_once),
        OBJECTS_TEST(a_new_class_knows_nothing_of_a_destroyed_one),
        OBJECTS_TEST(a_directory_lists_what_a_look_up_would_find_by_name),
        OBJECTS_TEST(a_directory_of_nothing_is_empty),
        OBJECTS_TEST(a_collector_visits_every_value_that_is_held),
        OBJECTS_TEST(a_getter_may_change_object_and_class),
        cmocka_unit_test(the_hook_release_may_call_the_runtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
