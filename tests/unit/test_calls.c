/* Calling what was found: special methods, bound methods, what is no method,
 * and super.
 */
#include "support/objects.h"
#include "support/test.h"

static lb_status get_nine(const lb_attribute *self, lb_value receiver,
                          lb_value *result)
{
    (void)self;
    (void)receiver;
    *result = lb_integer(9);
    return LB_OK;
}

/* ---- Special methods ---------------------------------------------------- */

static void
a_special_look_up_asks_the_instance_only_in_the_old_order(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    objects_method(s.base, "x", "method");
    assert_ok(lb_set(s.p, s.x, lb_integer(1)));
    assert_ok(lb_try_get_special(s.cls, lb_pointer(s.p), s.x, &found));
    assert_int_equal(found.kind,
                     objects_in_python(o) ? LB_FOUND_METHOD : LB_FOUND_VALUE);
    assert_ok(lb_try_get_special(s.cls, lb_integer(0), s.x, &found));
    assert_int_equal(found.kind, LB_FOUND_METHOD);
    assert_int_equal(found.self.bits, 0);
    lb_delete(s.cls, s.p);
}

static lb_status add_integers(const lb_attribute *self, size_t argc,
                              const lb_value *argv, lb_value *result)
{
    (void)self;
    *result = lb_integer(
        argc == 2 ? (argv[0].integer >> 1) + (argv[1].integer >> 1) : -1);
    return LB_OK;
}

static void a_special_method_is_bound_to_a_tagged_integer(objects *o)
{
    lb_class *integers = objects_plain_class(o, "int", NULL);
    const lb_symbol *add = objects_symbol(o, "__add__");
    const lb_value argv[] = {lb_integer(5 << 1 | 1), lb_integer(6 << 1 | 1)};
    lb_found found;
    lb_value result = lb_integer(0);
    assert_status(LB_NO_ATTRIBUTE,
                  lb_try_get_special(integers, argv[0], add, &found));
    assert_ok(lb_class_set_method(integers, "__add__", add_integers, NULL));
    assert_ok(lb_try_get_special(integers, argv[0], add, &found));
    assert_int_equal(found.self.integer, argv[0].integer);
    assert_ok(lb_call(o->runtime, &found, 1, argv + 1, &result));
    assert_int_equal(result.integer, 11);
    result = lb_integer(0);
    assert_ok(lb_invoke_special(integers, add, 2, argv, &result));
    assert_int_equal(result.integer, 11);
}

/* ---- Bound methods and calls -------------------------------------------- */

static lb_status count_arguments(const lb_attribute *self, size_t argc,
                                 const lb_value *argv, lb_value *result)
{
    char text[96];
    assert_int_equal(result->bits, 0);
    (void)snprintf(text, sizeof text, "%s/%zu:%lld", self->symbol->text, argc,
                   argc > 0 ? (long long)argv[argc - 1].integer : 0);
    note(text);
    *result = argc > 0 ? argv[0] : lb_integer(-1);
    return LB_OK;
}

static void set_counting(objects *o, lb_class *cls, const char *name,
                         lb_attribute_kind kind)
{
    objects_set(o, cls, name,
                (lb_attribute_spec){.kind = kind, .call = count_arguments});
}

static void a_bound_method_can_be_copied_kept_and_called(objects *o)
{
    stage s = objects_stage(o);
    const lb_value seven = lb_integer(7);
    lb_value result = lb_integer(0);
    set_counting(o, s.base, "x", LB_FUNCTION);
    lb_found found = objects_find(o, s.p, "x");
    const lb_found kept = found;
    memset(&found, 0xa5, sizeof found);
    for (int i = 0; i < 2; i++) {
        assert_ok(lb_call(o->runtime, &kept, 1, &seven, &result));
        assert_ptr_equal(result.pointer, s.p);
        assert_string_equal(notes_take(), "x/2:7");
    }
    assert_ok(lb_call(o->runtime, &kept, 0, NULL, NULL)); /* dropped */
    assert_contains(notes_take(), "x/1:");
    lb_delete(s.cls, s.p);
}

/* Each kind, called by lb_invoke_symbol and by lb_call of what was found. */
static void each_kind_gets_the_arguments_that_the_page_says(objects *o)
{
    stage s = objects_stage(o);
    const lb_value argv[] = {lb_pointer(s.p), lb_integer(1), lb_integer(2)};
    const lb_attribute_kind kinds[] = {LB_FUNCTION, LB_STATIC, LB_CLASS_METHOD};
    const void *first[] = {s.p, argv[1].constant, s.cls};
    for (int i = 0; i < 3; i++) {
        const char *expected = kinds[i] == LB_STATIC ? "x/2:2" : "x/3:2";
        lb_value result = lb_integer(0);
        set_counting(o, s.base, "x", kinds[i]);
        assert_ok(lb_invoke_symbol(s.x, 3, argv, &result));
        assert_string_equal(notes_take(), expected);
        assert_ptr_equal(result.constant, first[i]);
        const lb_found found = objects_find(o, s.p, "x");
        assert_ok(lb_call(o->runtime, &found, 2, argv + 1, &result));
        assert_string_equal(notes_take(), expected);
        assert_ptr_equal(result.constant, first[i]);
        assert_ok(lb_invoke_special(s.cls, s.x, 3, argv, &result));
        assert_string_equal(notes_take(), expected);
    }
    lb_delete(s.cls, s.p);
}

static void a_method_with_many_arguments_gets_them_all(objects *o)
{
    enum { MANY = 100 };
    stage s = objects_stage(o);
    lb_value argv[MANY], result;
    const lb_attribute_kind kinds[] = {LB_FUNCTION, LB_STATIC, LB_CLASS_METHOD};
    for (int i = 0; i < MANY; i++)
        argv[i] = lb_integer(i);
    argv[0] = lb_pointer(s.p);
    for (int i = 0; i < 3; i++) {
        const char *all = kinds[i] == LB_STATIC ? "x/99:99" : "x/100:99";
        set_counting(o, s.base, "x", kinds[i]);
        assert_ok(lb_invoke_symbol(s.x, MANY, argv, &result));
        assert_string_equal(notes_take(), all);
        const lb_found found = objects_find(o, s.p, "x");
        assert_ok(lb_call(o->runtime, &found, MANY - 1, argv + 1, &result));
        assert_string_equal(notes_take(), all);
    }
    lb_delete(s.cls, s.p);
}

static lb_status fail_by_name(const lb_attribute *self, size_t argc,
                              const lb_value *argv, lb_value *result)
{
    (void)self;
    assert_int_equal(argc, 2);
    if (strcmp(argv[1].constant, "hopeless") == 0)
        return lb_fail_with(LB_NO_ATTRIBUTE, "hopeless, says the hook");
    result->pointer = argv[0].pointer;
    return LB_OK;
}

static void a_methods_failure_is_the_calls(objects *o)
{
    stage s = objects_stage(o);
    const lb_value argv[] = {lb_pointer(s.p), lb_pointer("hopeless")};
    lb_value result;
    assert_ok(lb_class_set_method(s.base, "x", fail_by_name, NULL));
    assert_status(LB_NO_ATTRIBUTE, lb_invoke_symbol(s.x, 2, argv, &result));
    assert_string_equal(lb_message(), "hopeless, says the hook");
    lb_delete(s.cls, s.p);
}

static void a_value_is_not_callable_without_the_hook(objects *o)
{
    stage s = objects_stage(o);
    const lb_value receiver = lb_pointer(s.p);
    lb_value result;
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(1)));
    assert_status(LB_NOT_CALLABLE,
                  lb_invoke_symbol(s.x, 1, &receiver, &result));
    const lb_found found = objects_find(o, s.p, "x");
    assert_status(LB_NOT_CALLABLE,
                  lb_call(o->runtime, &found, 0, NULL, &result));
    objects_set(o, s.base, "x", (lb_attribute_spec){.kind = LB_FUNCTION});
    const lb_found bound = objects_find(o, s.p, "x");
    assert_int_equal(bound.kind, LB_FOUND_METHOD);
    assert_status(LB_NOT_CALLABLE,
                  lb_call(o->runtime, &bound, 0, NULL, &result));
    assert_status(LB_NOT_CALLABLE,
                  lb_invoke_symbol(s.x, 1, &receiver, &result));
    lb_delete(s.cls, s.p);
}

static void a_descriptor_of_a_class_is_not_callable(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    lb_value result;
    objects_set(o, s.base, "x",
                (lb_attribute_spec){.kind = LB_PROPERTY, .get = get_nine});
    assert_ok(lb_class_get(s.cls, s.x, &found));
    assert_int_equal(found.kind, LB_FOUND_DESCRIPTOR);
    assert_status(LB_NOT_CALLABLE,
                  lb_call(o->runtime, &found, 0, NULL, &result));
    lb_delete(s.cls, s.p);
}

static lb_status call_value(void *context, const lb_attribute *self,
                            lb_value callee, size_t argc, const lb_value *argv,
                            lb_value *result)
{
    char text[96];
    (void)context;
    (void)snprintf(text, sizeof text, "%s:%lld/%zu",
                   self != NULL ? self->symbol->text : "-",
                   (long long)callee.integer, argc);
    note(text);
    *result = argc > 0 ? argv[0] : lb_integer(0);
    return LB_OK;
}

static void values_are_called(objects *o)
{
    stage s = objects_stage(o);
    const lb_value argv[] = {lb_pointer(s.p), lb_integer(8)};
    lb_value result = lb_integer(0);
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(33)));
    assert_ok(lb_invoke_symbol(s.x, 2, argv, &result));
    assert_string_equal(notes_take(), "-:33/1");
    assert_int_equal(result.integer, 8);
    assert_ok(lb_set(s.p, s.x, lb_integer(34)));
    assert_ok(lb_invoke_symbol(s.x, 2, argv, &result));
    assert_string_equal(notes_take(), "-:34/1");
    assert_ok(lb_unset(s.p, s.x));
    objects_set(
        o, s.base, "x",
        (lb_attribute_spec){.kind = LB_FUNCTION, .value = lb_integer(35)});
    assert_ok(lb_invoke_symbol(s.x, 2, argv, &result));
    assert_string_equal(notes_take(), "x:35/2");
    assert_ptr_equal(result.pointer, s.p);
    lb_delete(s.cls, s.p);
}

static void the_hook_calls_values_and_values_that_bind(void **state)
{
    const lb_object_options options = {.call_value = call_value};
    (void)state;
    objects_with_under_every_policy(&options, values_are_called);
}

/* A method that takes itself out of its class while it runs. */
static lb_status remove_itself(const lb_attribute *self, size_t argc,
                               const lb_value *argv, lb_value *result)
{
    (void)argc;
    (void)argv;
    const char *says = self->context;
    assert_ok(lb_class_delete(self->owner, self->symbol));
    *result = lb_pointer(says);
    return LB_OK;
}

static void a_method_may_remove_itself_while_it_runs(objects *o)
{
    stage s = objects_stage(o);
    assert_ok(lb_class_set_method(s.cls, "x", remove_itself,
                                  (void *)(uintptr_t) "removed"));
    objects_method(s.base, "x", "inherited");
    assert_string_equal(objects_call(o, s.p, "x"), "removed");
    assert_string_equal(objects_call(o, s.p, "x"), "inherited");
    lb_delete(s.cls, s.p);
}

/* ---- Super -------------------------------------------------------------- */

static lb_status say_and_go_on(const lb_attribute *self, size_t argc,
                               const lb_value *argv, lb_value *result)
{
    note(self->context);
    lb_value ignored = lb_integer(0);
    const lb_status status = lb_invoke_super(self, argc, argv, &ignored);
    *result = lb_integer(ignored.integer + 1);
    return status == LB_NO_ATTRIBUTE ? LB_OK : status;
}

static void link_in(objects *o, lb_class *cls, lb_attribute_kind kind)
{
    objects_set(
        o, cls, "x",
        (lb_attribute_spec){.kind = kind,
                            .call = say_and_go_on,
                            .context = (void *)(uintptr_t)lb_class_name(cls)});
}

static void super_goes_along_the_order_of_the_receivers_class(objects *o)
{
    lb_class *top = objects_class(o, "top", NULL, NULL);
    lb_class *left = objects_class(o, "left", top, NULL);
    lb_class *right = objects_class(o, "right", top, NULL);
    lb_class *both = objects_class(o, "both", left, right);
    lb_class *all[] = {top, left, right, both};
    person *p = lb_new(both), *q = lb_new(left);
    const lb_attribute_kind kinds[] = {LB_FUNCTION, LB_CLASS_METHOD};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 4; i++)
            link_in(o, all[i], kinds[k]);
        (void)objects_call(o, p, "x");
        assert_string_equal(notes_take(), "both left right top");
        (void)objects_call(o, q, "x");
        assert_string_equal(notes_take(), "left top");
    }
    lb_delete(both, p);
    lb_delete(left, q);
}

static void super_does_not_ask_the_instance(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    assert_ok(lb_set(s.p, s.x, lb_integer(1)));
    assert_ok(lb_class_set_value(s.cls, "x", lb_integer(2)));
    assert_status(LB_NO_ATTRIBUTE, lb_get_super(s.cls, s.p, s.x, &found));
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(3)));
    assert_ok(lb_get_super(s.cls, s.p, s.x, &found));
    assert_int_equal(found.value.integer, 3);
    assert_status(LB_NO_ATTRIBUTE, lb_get_super(s.base, s.p, s.x, &found));
    lb_delete(s.cls, s.p);
}

static void super_binds_to_the_receiver(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    set_counting(o, s.base, "x", LB_FUNCTION);
    assert_ok(lb_get_super(s.cls, s.p, s.x, &found));
    assert_int_equal(found.kind, LB_FOUND_METHOD);
    assert_ptr_equal(found.self.constant, s.p);
    set_counting(o, s.base, "x", LB_CLASS_METHOD);
    assert_ok(lb_get_super(s.cls, s.p, s.x, &found));
    assert_ptr_equal(found.self.constant, s.cls);
    lb_delete(s.cls, s.p);
}

static void super_of_a_class_is_what_a_class_has(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    set_counting(o, s.base, "x", LB_CLASS_METHOD);
    assert_ok(lb_class_get_super(s.cls, s.cls, s.x, &found));
    assert_int_equal(found.kind, LB_FOUND_METHOD);
    assert_ptr_equal(found.self.constant, s.cls);
    set_counting(o, s.base, "x", LB_FUNCTION);
    assert_ok(lb_class_get_super(s.cls, s.cls, s.x, &found));
    assert_int_equal(found.kind, LB_FOUND_FUNCTION);
    assert_status(LB_NO_ATTRIBUTE,
                  lb_class_get_super(s.base, s.cls, s.x, &found));
    assert_status(LB_BAD_ARGUMENT,
                  lb_class_get_super(s.cls, s.base, s.x, &found));
    assert_status(LB_BAD_ARGUMENT,
                  lb_class_get_super(s.cls, NULL, s.x, &found));
    lb_delete(s.cls, s.p);
}

static void super_after_a_class_out_of_the_order_is_refused(objects *o)
{
    stage s = objects_stage(o);
    lb_class *other = objects_class(o, "other", s.base, NULL);
    lb_found found;
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(3)));
    assert_status(LB_BAD_ARGUMENT, lb_get_super(other, s.p, s.x, &found));
    assert_status(LB_BAD_ARGUMENT, lb_get_super(NULL, s.p, s.x, &found));
    lb_delete(s.cls, s.p);
}

/* ---- Callbacks that fail ------------------------------------------------ */

static lb_status decline(const lb_attribute *self, size_t argc,
                         const lb_value *argv, lb_value *result)
{
    (void)self;
    (void)argc;
    (void)argv;
    (void)result;
    return LB_NO_ATTRIBUTE;
}

static lb_status fail_silently(const lb_attribute *self, lb_value receiver,
                               lb_value *result)
{
    (void)self;
    (void)receiver;
    (void)result;
    return LB_METHOD_FAILED;
}

static void a_hook_that_declines_leaves_the_usual_message(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    assert_ok(lb_class_set_value(s.base, "colour", lb_integer(0)));
    assert_ok(lb_class_set_method(s.base, "__getattr__", decline, NULL));
    lb_fail_with(LB_BUSY, "of something else");
    assert_status(LB_NO_ATTRIBUTE,
                  lb_get(s.p, objects_symbol(o, "color"), &found));
    assert_contains(lb_message(), "'color'");
    assert_contains(lb_message(), "'colour'");
    lb_delete(s.cls, s.p);
}

static void a_getter_that_fails_without_a_word_is_named(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    objects_set(o, s.base, "x",
                (lb_attribute_spec){.kind = LB_PROPERTY, .get = fail_silently});
    lb_fail_with(LB_BUSY, "of something else");
    assert_status(LB_METHOD_FAILED, lb_get(s.p, s.x, &found));
    assert_contains(lb_message(), "x");
    assert_contains(lb_message(), "LB_METHOD_FAILED");
    lb_delete(s.cls, s.p);
}

static void the_first_of_several_names_does_not_ask_the_hook(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    size_t which = 7;
    assert_ok(lb_class_set_method(s.base, "__getattr__", decline, NULL));
    assert_ok(lb_class_set_value(s.base, "there", lb_integer(3)));
    const lb_symbol *const names[] = {s.x, objects_symbol(o, "there")};
    for (int i = 0; i < 2; i++) {
        assert_ok(lb_get_first(s.p, names, 2, &which, &found));
        assert_int_equal(which, 1);
        assert_int_equal(found.value.integer, 3);
    }
    lb_delete(s.cls, s.p);
}

static lb_status give_reference(const lb_attribute *self, size_t argc,
                                const lb_value *argv, lb_value *result)
{
    objects *o = self->context;
    (void)argc;
    (void)argv;
    *result = objects_value(o, 3);
    o->options.retain(o, *result);
    return LB_OK;
}

static void a_result_that_nobody_wants_is_released(objects *o)
{
    stage s = objects_stage(o);
    lb_found found;
    assert_ok(lb_class_set_method(s.base, "x", give_reference, o));
    assert_ok(lb_get(s.p, s.x, &found));
    const int before = objects_count(o, 3);
    assert_ok(lb_call(o->runtime, &found, 0, NULL, NULL));
    assert_int_equal(objects_count(o, 3), before);
    lb_delete(s.cls, s.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OBJECTS_TEST(a_special_look_up_asks_the_instance_only_in_the_old_order),
        OBJECTS_TEST(a_special_method_is_bound_to_a_tagged_integer),
        OBJECTS_TEST(a_bound_method_can_be_copied_kept_and_called),
        OBJECTS_TEST(each_kind_gets_the_arguments_that_the_page_says),
        OBJECTS_TEST(a_method_with_many_arguments_gets_them_all),
        OBJECTS_TEST(a_methods_failure_is_the_calls),
        OBJECTS_TEST(a_value_is_not_callable_without_the_hook),
        OBJECTS_TEST(a_descriptor_of_a_class_is_not_callable),
        cmocka_unit_test(the_hook_calls_values_and_values_that_bind),
        OBJECTS_TEST(a_method_may_remove_itself_while_it_runs),
        OBJECTS_TEST(super_goes_along_the_order_of_the_receivers_class),
        OBJECTS_TEST(super_does_not_ask_the_instance),
        OBJECTS_TEST(super_binds_to_the_receiver),
        OBJECTS_TEST(super_of_a_class_is_what_a_class_has),
        OBJECTS_TEST(super_after_a_class_out_of_the_order_is_refused),
        OBJECTS_TEST(a_hook_that_declines_leaves_the_usual_message),
        OBJECTS_TEST(a_getter_that_fails_without_a_word_is_named),
        OBJECTS_TEST(the_first_of_several_names_does_not_ask_the_hook),
        OBJECTS_TEST(a_result_that_nobody_wants_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
