/* What stands along the order of a class: layouts that go together, what super
 * finds next, what a directory lists; and objects where they do not belong.
 */
#include "support/objects.h"
#include "support/test.h"

/* ---- Layouts ------------------------------------------------------------ */

static lb_class *make(objects *o, lb_class_spec spec, lb_class *base)
{
    lb_class *made = NULL;
    spec.bases = &base;
    spec.base_count = base != NULL;
    assert_ok(lb_class_create(o->runtime, &spec, &made));
    return made;
}

/* Two classes of which the lower cannot derive from the upper. */
typedef struct clash {
    lb_class_spec upper, lower;
} clash;

static const clash clashes[] = {
    /* C fields where the free attributes have their pointer */
    {{.name = "upper", .instance_size = sizeof(thing)},
     {.name = "lower",
      .instance_size = sizeof(person),
      .flags = LB_FREE_ATTRIBUTES}},
    /* instances that are too small */
    {{.name = "upper", .instance_size = sizeof(person)},
     {.name = "lower", .instance_size = sizeof(person) - 8}},
    {{.name = "upper",
      .instance_size = sizeof(person),
      .flags = LB_FREE_ATTRIBUTES},
     {.name = "lower",
      .instance_size = sizeof(lb_object),
      .flags = LB_FREE_ATTRIBUTES}},
    /* the pointer of free attributes where the C fields are */
    {{.name = "upper",
      .instance_size = sizeof(lb_object),
      .flags = LB_FREE_ATTRIBUTES},
     {.name = "lower", .instance_size = sizeof(person)}},
};

static int has_free_attributes(const lb_class_spec *spec)
{
    return (spec->flags & LB_FREE_ATTRIBUTES) != 0;
}

static void expect_refused(lb_status status)
{
    assert_status(LB_BAD_ARGUMENT, status);
    assert_contains(lb_message(), "upper");
    assert_contains(lb_message(), "lower");
}

/* `cls` has the one base `base`, alone in its order, and nothing but that. */
static void expect_below(const lb_class *cls, const lb_class *base)
{
    lb_class *order[3] = {NULL}, *bases[2] = {NULL};
    assert_int_equal(lb_class_linearization(cls, order, 3), 2);
    assert_ptr_equal(order[1], base);
    assert_int_equal(lb_class_bases(cls, bases, 2), 1);
    assert_ptr_equal(bases[0], base);
}

/* A base that goes with every layout. */
static lb_class *make_old(objects *o)
{
    return make(
        o, (lb_class_spec){.name = "old", .instance_size = sizeof(lb_header)},
        NULL);
}

static void a_class_is_not_made_below_a_base_of_another_layout(objects *o)
{
    for (size_t i = 0; i < COUNT_OF(clashes); i++) {
        lb_class *upper = make(o, clashes[i].upper, NULL), *made = NULL;
        lb_class_spec spec = clashes[i].lower;
        spec.bases = &upper;
        spec.base_count = 1;
        if (has_free_attributes(&clashes[i].upper) &&
            !has_free_attributes(&spec))
            continue; /* they are inherited */
        expect_refused(lb_class_create(o->runtime, &spec, &made));
        assert_null(made);
        assert_null(lb_class_find(o->runtime, "lower"));
        assert_ok(lb_class_destroy(upper));
    }
}

static void a_class_is_not_made_with_an_order_through_another_layout(objects *o)
{
    for (size_t i = 0; i < COUNT_OF(clashes); i++) {
        lb_class *upper = make(o, clashes[i].upper, NULL), *made = NULL;
        lb_class_spec spec = clashes[i].lower;
        spec.linearization = &upper;
        spec.linearization_count = 1;
        expect_refused(lb_class_create(o->runtime, &spec, &made));
        assert_null(made);
        assert_null(lb_class_find(o->runtime, "lower"));
        assert_ok(lb_class_destroy(upper));
    }
}

static void a_base_of_another_layout_is_refused(objects *o)
{
    for (size_t i = 0; i < COUNT_OF(clashes); i++) {
        lb_class *upper = make(o, clashes[i].upper, NULL);
        lb_class *old = make_old(o);
        lb_class *lower = make(o, clashes[i].lower, old);
        expect_refused(lb_class_set_bases(lower, &upper, 1));
        expect_below(lower, old);
        assert_ok(lb_class_destroy(upper)); /* nothing derives from it */
        assert_status(LB_BUSY, lb_class_destroy(old));
    }
}

static void an_order_through_another_layout_is_refused(objects *o)
{
    for (size_t i = 0; i < COUNT_OF(clashes); i++) {
        lb_class *upper = make(o, clashes[i].upper, NULL);
        lb_class *old = make_old(o);
        lb_class *lower = make(o, clashes[i].lower, old);
        expect_refused(lb_class_set_linearization(lower, &upper, 1));
        expect_below(lower, old);
        assert_ok(lb_class_destroy(upper));
        assert_status(LB_BUSY, lb_class_destroy(old));
    }
}

/* The class between them says nothing of its instances, and goes with both. */
static void a_descendant_of_another_layout_is_named(objects *o)
{
    for (size_t i = 0; i < COUNT_OF(clashes); i++) {
        if (has_free_attributes(&clashes[i].upper))
            continue; /* the class between them would have to have them */
        lb_class *upper = make(o, clashes[i].upper, NULL);
        lb_class *middle = make(o, (lb_class_spec){.name = "middle"}, NULL);
        lb_class *lower = make(o, clashes[i].lower, middle);
        expect_refused(lb_class_set_bases(middle, &upper, 1));
        expect_refused(lb_class_set_linearization(middle, &upper, 1));
        expect_below(lower, middle);
        assert_int_equal(lb_class_linearization(middle, NULL, 0), 1);
        assert_int_equal(lb_class_bases(middle, NULL, 0), 0);
        assert_ok(lb_class_destroy(upper));
    }
}

static void a_base_left_out_of_an_order_is_checked_on_its_return(objects *o)
{
    lb_class *made = NULL, *order[2] = {NULL};
    lb_class *upper = make(o, clashes[1].upper, NULL);
    lb_class *old = make_old(o);
    lb_class_spec spec = clashes[1].lower;
    spec.bases = &upper;
    spec.base_count = 1;
    spec.linearization = &old;
    spec.linearization_count = 1;
    assert_ok(lb_class_create(o->runtime, &spec, &made));
    expect_refused(lb_class_set_linearization(made, NULL, 0));
    assert_int_equal(lb_class_linearization(made, order, 2), 2);
    assert_ptr_equal(order[1], old);
}

static void a_refused_base_changes_no_look_up(objects *o)
{
    lb_class *upper = make(o, clashes[0].upper, NULL);
    stage s = objects_stage(o);
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(1)));
    assert_ok(lb_class_set_value(upper, "x", lb_integer(2)));
    assert_ok(lb_class_set_value(upper, "y", lb_integer(2)));
    assert_ok(lb_set_text(s.p, "z", lb_integer(3)));
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    assert_status(LB_BAD_ARGUMENT, lb_class_set_bases(s.cls, &upper, 1));
    assert_status(LB_BAD_ARGUMENT,
                  lb_class_set_linearization(s.cls, &upper, 1));
    assert_int_equal(objects_get(o, s.p, "x").integer, 1);
    assert_int_equal(objects_try(o, s.p, "y"), LB_NO_ATTRIBUTE);
    assert_int_equal(objects_get(o, s.p, "z").integer, 3);
    lb_delete(s.cls, s.p);
}

static void a_base_of_the_same_layout_is_accepted(objects *o)
{
    static const uint32_t flags[] = {0, LB_FREE_ATTRIBUTES};
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        const lb_class_spec spec = {
            .name = "c", .instance_size = sizeof(person), .flags = flags[i]};
        lb_class *upper = make(o, spec, NULL), *lower = make(o, spec, NULL);
        assert_ok(lb_class_set_bases(lower, &upper, 1));
        expect_below(lower, upper);
    }
}

/* ---- Objects where they do not belong ----------------------------------- */

static void open_another(objects *other, const objects *o)
{
    const lb_object_options same = {.order = o->options.order,
                                    .policy = o->options.policy};
    objects_open(other, o->threading, LB_RECLAIM_QUIESCE, &same);
}

static void an_object_cannot_move_to_another_runtime(objects *o)
{
    static objects other;
    stage s = objects_stage(o);
    open_another(&other, o);
    lb_class *theirs = objects_class(&other, "theirs", NULL, NULL);
    assert_ok(lb_set(s.p, s.x, objects_value(o, 1)));
    assert_status(LB_BAD_ARGUMENT, lb_set_class(s.p, theirs));
    assert_contains(lb_message(), "cls");
    assert_contains(lb_message(), "theirs");
    assert_int_equal(lb_is_instance(s.p, s.cls), 1);
    objects_close(&other);
    assert_ptr_equal(objects_get(o, s.p, "x").pointer,
                     objects_value(o, 1).pointer);
    lb_delete(s.cls, s.p);
}

static void a_plain_object_cannot_move_to_another_runtime(objects *o)
{
    static objects other;
    lb_class *ours = objects_plain_class(o, "ours", NULL);
    thing t = thing_of(ours);
    open_another(&other, o);
    lb_class *theirs = objects_plain_class(&other, "theirs", NULL);
    assert_status(LB_BAD_ARGUMENT, lb_set_class(&t, theirs));
    assert_contains(lb_message(), "ours");
    assert_contains(lb_message(), "theirs");
    assert_int_equal(lb_is_instance(&t, ours), 1);
    objects_close(&other);
}

static void an_object_cannot_become_one_of_a_larger_class(objects *o)
{
    lb_class *small = lb_object_class(o->runtime, "small", NULL, NULL);
    lb_class *large = objects_class(o, "large", NULL, NULL);
    lb_object *p = lb_new(small);
    assert_non_null(p);
    assert_status(LB_BAD_ARGUMENT, lb_set_class(p, large));
    assert_contains(lb_message(), "small");
    assert_contains(lb_message(), "large");
    assert_int_equal(lb_is_instance(p, small), 1);
    lb_delete(small, p);
}

static void no_instance_is_an_answer_and_no_error(objects *o)
{
    static objects other;
    stage s = objects_stage(o);
    lb_class *unrelated = objects_class(o, "unrelated", NULL, NULL);
    open_another(&other, o);
    lb_class *theirs = objects_class(&other, "theirs", NULL, NULL);
    person mine;
    lb_object_init(unrelated, &mine.base);
    assert_ok(lb_class_destroy(unrelated));
    (void)lb_fail_with(LB_BUSY, "an old message");
    assert_int_equal(lb_is_instance(s.p, theirs), 0);
    assert_int_equal(lb_is_instance(&mine, s.cls), 0);
    assert_int_equal(lb_is_instance(NULL, s.cls), 0);
    assert_int_equal(lb_is_instance(s.p, NULL), 0);
    assert_int_equal(lb_is_instance(s.p, lb_any_class), 0);
    assert_string_equal(lb_message(), "an old message");
    objects_close(&other);
    lb_delete(s.cls, s.p);
}

static void a_field_of_no_instance_is_refused(objects *o)
{
    lb_class *cls = objects_plain_class(o, "plain", NULL);
    lb_found found;
    thing t = thing_of(cls);
    t.number = 5;
    objects_set(o, cls, "n",
                (lb_attribute_spec){.kind = LB_FIELD,
                                    .type = LB_FIELD_INT64,
                                    .offset = offsetof(thing, number)});
    const lb_symbol *n = objects_symbol(o, "n");
    assert_status(LB_BAD_ARGUMENT,
                  lb_try_get_special(cls, lb_pointer(NULL), n, &found));
    assert_contains(lb_message(), "plain.n");
    assert_status(LB_BAD_ARGUMENT, lb_get_first_special(cls, lb_pointer(NULL),
                                                        &n, 1, NULL, &found));
    assert_ok(lb_try_get_special(cls, lb_pointer(&t), n, &found));
    assert_int_equal(found.value.integer, 5);
}

static void what_is_found_needs_a_place(objects *o)
{
    stage s = objects_stage(o);
    const lb_value p = lb_pointer(s.p);
    assert_ok(lb_class_set_value(s.base, "x", lb_integer(1)));
    assert_status(LB_BAD_ARGUMENT, lb_get(s.p, s.x, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_get_text(s.p, "x", NULL));
    assert_status(LB_BAD_ARGUMENT, lb_get_first(s.p, &s.x, 1, NULL, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_try_get_special(s.cls, p, s.x, NULL));
    assert_contains(lb_message(), "found");
    assert_status(LB_BAD_ARGUMENT,
                  lb_get_first_special(s.cls, p, &s.x, 1, NULL, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_class_get(s.cls, s.x, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_get_super(s.cls, s.p, s.x, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_class_get_super(s.cls, s.cls, s.x, NULL));
    lb_delete(s.cls, s.p);
}

/* ---- What comes next ---------------------------------------------------- */

static lb_status call_next(const lb_attribute *self, size_t argc,
                           const lb_value *argv, lb_value *result)
{
    return lb_invoke_super(self, argc, argv, result);
}

/* What a method was called with. */
static struct {
    size_t argc;
    lb_value argv[4];
} heard;

static lb_status hear(const lb_attribute *self, size_t argc,
                      const lb_value *argv, lb_value *result)
{
    (void)self;
    heard.argc = argc;
    memcpy(heard.argv, argv, argc * sizeof *argv);
    *result = lb_integer(77);
    return LB_OK;
}

/* A class `cls` below `base` with an `x` of these kinds, that of `cls` calling
 * what comes next; calls cls.x(1, 2). */
static lb_status call_through(objects *o, lb_attribute_kind kind,
                              lb_attribute_spec next, lb_class **cls,
                              lb_value *result)
{
    const lb_value argv[] = {lb_integer(1), lb_integer(2)};
    lb_class *base = objects_class(o, "base", NULL, NULL);
    lb_found found;
    *cls = objects_class(o, "cls", base, NULL);
    objects_set(o, base, "x", next);
    objects_set(o, *cls, "x",
                (lb_attribute_spec){.kind = kind, .call = call_next});
    memset(&heard, 0, sizeof heard);
    assert_ok(lb_class_get(*cls, objects_symbol(o, "x"), &found));
    return lb_call(o->runtime, &found, 2, argv, result);
}

static void expect_heard(size_t argc, const lb_value *argv)
{
    assert_int_equal(heard.argc, argc);
    for (size_t i = 0; i < argc; i++)
        assert_int_equal(heard.argv[i].bits, argv[i].bits);
}

static void a_function_after_a_class_method_is_unbound(objects *o)
{
    static const lb_attribute_kind kinds[] = {LB_FUNCTION, LB_STATIC};
    const lb_value expected[] = {lb_integer(1), lb_integer(2)};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        lb_class *cls;
        lb_value result = lb_integer(0);
        assert_ok(
            call_through(o, LB_CLASS_METHOD,
                         (lb_attribute_spec){.kind = kinds[i], .call = hear},
                         &cls, &result));
        assert_int_equal(result.integer, 77);
        expect_heard(2, expected);
    }
}

static void a_class_method_after_a_class_method_gets_the_class(objects *o)
{
    lb_class *cls;
    lb_value result = lb_integer(0);
    assert_ok(
        call_through(o, LB_CLASS_METHOD,
                     (lb_attribute_spec){.kind = LB_CLASS_METHOD, .call = hear},
                     &cls, &result));
    const lb_value expected[] = {lb_pointer(cls), lb_integer(1), lb_integer(2)};
    assert_int_equal(result.integer, 77);
    expect_heard(3, expected);
}

static lb_status get_loudly(const lb_attribute *self, lb_value receiver,
                            lb_value *result)
{
    (void)self;
    (void)receiver;
    (void)result;
    fail_msg("a property was got through a class");
    return LB_OK;
}

static void data_after_a_class_method_cannot_be_called(objects *o)
{
    const lb_attribute_spec data[] = {
        {.kind = LB_VALUE, .value = lb_integer(1)},
        {.kind = LB_PROPERTY, .get = get_loudly},
        {.kind = LB_FIELD,
         .type = LB_FIELD_INT64,
         .offset = offsetof(person, number)}};
    for (size_t i = 0; i < COUNT_OF(data); i++) {
        lb_class *cls;
        lb_value result;
        assert_status(LB_NOT_CALLABLE,
                      call_through(o, LB_CLASS_METHOD, data[i], &cls, &result));
    }
}

static void after_the_last_class_method_there_is_nothing(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    lb_value result;
    lb_found found;
    objects_set(
        o, cls, "x",
        (lb_attribute_spec){.kind = LB_CLASS_METHOD, .call = call_next});
    assert_ok(lb_class_get(cls, objects_symbol(o, "x"), &found));
    assert_status(LB_NO_ATTRIBUTE,
                  lb_call(o->runtime, &found, 0, NULL, &result));
}

static void nothing_comes_next_in_a_static_method(objects *o)
{
    lb_class *cls;
    lb_value result;
    assert_status(
        LB_BAD_ARGUMENT,
        call_through(o, LB_STATIC,
                     (lb_attribute_spec){.kind = LB_FUNCTION, .call = hear},
                     &cls, &result));
    assert_contains(lb_message(), "cls.x");
    assert_int_equal(heard.argc, 0);
}

/* ---- Directories -------------------------------------------------------- */

static void expect_entry(const lb_directory *directory, size_t i,
                         const char *name, lb_class *owner)
{
    const lb_directory_entry *entry = &directory->entries[i];
    assert_true(i < directory->count);
    assert_string_equal(entry->symbol->text, name);
    assert_ptr_equal(entry->owner, owner);
    assert_ptr_equal(entry->attribute,
                     owner != NULL ? lb_class_own(owner, entry->symbol) : NULL);
}

static void a_class_lists_what_it_and_its_bases_have(objects *o)
{
    stage s = objects_stage(o);
    lb_directory *directory = NULL;
    assert_ok(lb_class_set_value(s.base, "c", lb_integer(1)));
    objects_method(s.base, "b", "base");
    objects_method(s.cls, "b", "cls");
    assert_ok(lb_class_set_value(s.cls, "a", lb_integer(1)));
    assert_ok(lb_set_text(s.p, "d", lb_integer(1))); /* not the class's */
    assert_ok(lb_class_dir(s.cls, &directory));
    assert_int_equal(directory->count, 3);
    expect_entry(directory, 0, "a", s.cls);
    expect_entry(directory, 1, "b", s.cls);
    expect_entry(directory, 2, "c", s.base);
    lb_directory_free(directory);
    assert_ok(lb_class_dir(s.base, &directory));
    assert_int_equal(directory->count, 2);
    expect_entry(directory, 0, "b", s.base);
    lb_directory_free(directory);
    lb_delete(s.cls, s.p);
}

static void a_class_lists_nothing_before_it_has_something(objects *o)
{
    lb_directory *directory = NULL;
    lb_class *cls = objects_plain_class(o, "plain", NULL);
    assert_ok(lb_class_dir(cls, &directory));
    assert_int_equal(directory->count, 0);
    lb_directory_free(directory);
    assert_status(LB_BAD_ARGUMENT, lb_class_dir(NULL, &directory));
    assert_status(LB_BAD_ARGUMENT, lb_class_dir(cls, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_class_dir(lb_any_class, &directory));
}

enum { MANY = 5000 };

static const char *name_of(int i)
{
    static char name[16];
    (void)snprintf(name, sizeof name, "a%04d", i);
    return name;
}

/* In the order in which no name stands where it will be listed. */
static void set_many(person *p)
{
    for (int i = 0; i < MANY; i++)
        assert_ok(
            lb_set_text(p, name_of((i * 1777 + 1) % MANY), lb_integer(i)));
}

static void a_directory_lists_thousands_of_attributes(objects *o)
{
    stage s = objects_stage(o);
    lb_directory *directory = NULL;
    lb_class *hiding = objects_in_python(o) ? s.base : NULL;
    assert_ok(lb_class_set_value(s.base, name_of(8), lb_integer(1)));
    assert_ok(lb_class_set_value(s.cls, "b", lb_integer(1)));
    set_many(s.p);
    objects_set(o, s.base, name_of(7),
                (lb_attribute_spec){.kind = LB_PROPERTY, .get = get_loudly});
    assert_ok(lb_dir(s.p, &directory));
    assert_int_equal(directory->count, MANY + 1);
    for (int i = 0; i < MANY; i++)
        expect_entry(directory, (size_t)i, name_of(i), i == 7 ? hiding : NULL);
    expect_entry(directory, MANY, "b", s.cls);
    lb_directory_free(directory);
    lb_delete(s.cls, s.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OBJECTS_TEST(a_class_is_not_made_below_a_base_of_another_layout),
        OBJECTS_TEST(a_class_is_not_made_with_an_order_through_another_layout),
        OBJECTS_TEST(a_base_of_another_layout_is_refused),
        OBJECTS_TEST(an_order_through_another_layout_is_refused),
        OBJECTS_TEST(a_descendant_of_another_layout_is_named),
        OBJECTS_TEST(a_base_left_out_of_an_order_is_checked_on_its_return),
        OBJECTS_TEST(a_refused_base_changes_no_look_up),
        OBJECTS_TEST(a_base_of_the_same_layout_is_accepted),
        OBJECTS_TEST(an_object_cannot_move_to_another_runtime),
        OBJECTS_TEST(a_plain_object_cannot_move_to_another_runtime),
        OBJECTS_TEST(an_object_cannot_become_one_of_a_larger_class),
        OBJECTS_TEST(no_instance_is_an_answer_and_no_error),
        OBJECTS_TEST(a_field_of_no_instance_is_refused),
        OBJECTS_TEST(what_is_found_needs_a_place),
        OBJECTS_TEST(a_function_after_a_class_method_is_unbound),
        OBJECTS_TEST(a_class_method_after_a_class_method_gets_the_class),
        OBJECTS_TEST(data_after_a_class_method_cannot_be_called),
        OBJECTS_TEST(after_the_last_class_method_there_is_nothing),
        OBJECTS_TEST(nothing_comes_next_in_a_static_method),
        OBJECTS_TEST(a_class_lists_what_it_and_its_bases_have),
        OBJECTS_TEST(a_class_lists_nothing_before_it_has_something),
        OBJECTS_TEST(a_directory_lists_thousands_of_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
