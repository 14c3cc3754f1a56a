/* lb_trace_lookup: the steps of a look-up, one to a line.
 *
 * The words are free; what is checked is which classes are named, in which
 * order, and what was found.
 */
#include "support/objects.h"
#include "support/test.h"

/* A text that its test takes apart, and gives back. */
static char *trace(objects *o, const void *object, const char *name)
{
    char *text = NULL;
    assert_ok(lb_trace_lookup(object, objects_symbol(o, name), &text));
    assert_non_null(text);
    return text;
}

/* `parts` (ended by NULL) stand in the text, one behind the other. */
static void assert_in_order(const char *text, const char *const *parts)
{
    const char *from = text;
    for (; *parts != NULL; parts++) {
        from = strstr(from, *parts);
        if (from == NULL)
            fail_msg("\"%s\" is not in its place in \"%s\"", *parts, text);
        from += strlen(*parts);
    }
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

typedef struct family {
    lb_class *top, *middle, *bottom;
    person *p;
} family;

static family set_up(objects *o)
{
    family f;
    f.top = objects_class(o, "Topmost", NULL, NULL);
    f.middle = objects_class(o, "Middling", f.top, NULL);
    f.bottom = objects_class(o, "Bottommost", f.middle, NULL);
    f.p = lb_new(f.bottom);
    return f;
}

static void each_class_up_to_the_one_that_has_it_is_named(objects *o)
{
    family f = set_up(o);
    const char *const steps[] = {"colour", "Bottommost", "Middling", NULL};
    assert_ok(lb_class_set_value(f.middle, "colour", lb_integer(1)));
    char *text = trace(o, f.p, "colour");
    assert_in_order(text, steps);
    assert_null(strstr(text, "Topmost"));
    assert_true(count_lines(text) >= 3);
    lb_text_free(o->runtime, text);
    lb_delete(f.bottom, f.p);
}

static void what_is_nowhere_is_sought_in_every_class(objects *o)
{
    family f = set_up(o);
    const char *const steps[] = {"Bottommost", "Middling", "Topmost", NULL};
    char *text = trace(o, f.p, "ghost");
    assert_in_order(text, steps);
    assert_contains(text, "LB_NO_ATTRIBUTE");
    lb_text_free(o->runtime, text);
    lb_delete(f.bottom, f.p);
}

static void the_instance_is_a_step(objects *o)
{
    family f = set_up(o);
    assert_ok(lb_set_text(f.p, "mine", lb_integer(1)));
    char *own = trace(o, f.p, "mine");
    assert_contains(own, "instance");
    char *none = trace(o, f.p, "other");
    assert_string_not_equal(own, none);
    lb_text_free(o->runtime, own);
    lb_text_free(o->runtime, none);
    lb_delete(f.bottom, f.p);
}

static lb_status set_nothing(const lb_attribute *self, lb_value receiver,
                             lb_value value)
{
    (void)self;
    (void)receiver;
    (void)value;
    return LB_OK;
}

static void each_kind_is_told_by_its_name(objects *o)
{
    family f = set_up(o);
    lb_attribute_spec spec = {.call = objects_say,
                              .type = LB_FIELD_INT64,
                              .offset = offsetof(person, number)};
    static const char *const words[] = {"value",        "method",   "static",
                                        "class method", "property", "field"};
    for (int kind = LB_STATIC; kind <= LB_FIELD; kind++) {
        spec.kind = (lb_attribute_kind)kind;
        spec.set = kind == LB_PROPERTY ? set_nothing : NULL;
        objects_set(o, f.top, "thing", spec);
        char *text = trace(o, f.p, "thing");
        assert_contains(text, words[kind]);
        lb_text_free(o->runtime, text);
    }
    lb_delete(f.bottom, f.p);
}

static int getters;

static lb_status count_getter(const lb_attribute *self, lb_value receiver,
                              lb_value *result)
{
    (void)self;
    (void)receiver;
    (void)result;
    getters++;
    return LB_OK;
}

static lb_status count_hook(const lb_attribute *self, size_t argc,
                            const lb_value *argv, lb_value *result)
{
    (void)argc;
    (void)argv;
    return count_getter(self, lb_integer(0), result);
}

static void no_function_of_the_program_is_called(objects *o)
{
    family f = set_up(o);
    getters = 0;
    objects_set(o, f.top, "computed",
                (lb_attribute_spec){.kind = LB_PROPERTY, .get = count_getter});
    assert_ok(lb_class_set_method(f.top, "__getattr__", count_hook, NULL));
    lb_text_free(o->runtime, trace(o, f.p, "computed"));
    char *text = trace(o, f.p, "ghost");
    assert_contains(text, "__getattr__");
    lb_text_free(o->runtime, text);
    assert_int_equal(getters, 0);
    lb_delete(f.bottom, f.p);
}

static void trace_while_counting(objects *o)
{
    family f = set_up(o);
    assert_ok(lb_class_set_value(f.top, "colour", lb_integer(1)));
    for (int warm = 0; warm < 2; warm++) {
        (void)objects_symbol(o, "colour");
        const lb_counters before = objects_counters(o);
        lb_text_free(o->runtime, trace(o, f.p, "colour"));
        const lb_counters after = objects_counters(o);
        assert_memory_equal(&before, &after, sizeof before);
        (void)objects_get(o, f.p, "colour");
    }
    lb_delete(f.bottom, f.p);
}

static void no_counter_changes(void **state)
{
    const lb_object_options options = {.counting = 1};
    (void)state;
    objects_with_under_every_policy(&options, trace_while_counting);
}

static void a_cache_that_answers_is_told(void **state)
{
    objects o;
    (void)state;
    for (int policy = 0; policy <= LB_POLICY_TABLE64; policy++) {
        const lb_object_options options = {.policy = (lb_cache_policy)policy};
        objects_open(&o, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE, &options);
        family f = set_up(&o);
        assert_ok(lb_class_set_value(f.top, "colour", lb_integer(1)));
        char *cold = trace(&o, f.p, "colour");
        (void)objects_get(&o, f.p, "colour");
        char *warm = trace(&o, f.p, "colour");
        assert_int_equal(strcmp(cold, warm) == 0, policy == LB_POLICY_SEARCH);
        lb_text_free(o.runtime, cold);
        lb_text_free(o.runtime, warm);
        lb_delete(f.bottom, f.p);
        objects_close(&o);
    }
}

static void a_trace_of_nothing_is_refused(objects *o)
{
    family f = set_up(o);
    char *text = NULL;
    const lb_symbol *x = objects_symbol(o, "x");
    assert_status(LB_BAD_ARGUMENT, lb_trace_lookup(NULL, x, &text));
    assert_status(LB_BAD_ARGUMENT, lb_trace_lookup(f.p, NULL, &text));
    assert_status(LB_BAD_ARGUMENT, lb_trace_lookup(f.p, x, NULL));
    lb_delete(f.bottom, f.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OBJECTS_TEST(each_class_up_to_the_one_that_has_it_is_named),
        OBJECTS_TEST(what_is_nowhere_is_sought_in_every_class),
        OBJECTS_TEST(the_instance_is_a_step),
        OBJECTS_TEST(each_kind_is_told_by_its_name),
        OBJECTS_TEST(no_function_of_the_program_is_called),
        cmocka_unit_test(no_counter_changes),
        cmocka_unit_test(a_cache_that_answers_is_told),
        OBJECTS_TEST(a_trace_of_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
