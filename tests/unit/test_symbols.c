/* Symbols: one for each name, made when it is interned or written, and not
 * when it is only read.
 */
#include "support/objects.h"
#include "support/test.h"

static void the_same_text_gives_the_same_symbol(void **state)
{
    world *w = *state;
    char computed[8];
    const lb_symbol *first = lb_intern(w->runtime, "colour");
    (void)snprintf(computed, sizeof computed, "%s%s", "col", "our");
    assert_non_null(first);
    assert_ptr_equal(lb_intern(w->runtime, computed), first);
    assert_ptr_equal(lb_symbol_find(w->runtime, computed), first);
    assert_ptr_not_equal(lb_intern(w->runtime, "colours"), first);
    assert_ptr_not_equal(lb_intern(w->runtime, "Colour"), first);
}

static void a_symbol_keeps_a_copy_of_its_text(void **state)
{
    world *w = *state;
    char text[] = "before";
    const lb_symbol *symbol = lb_intern(w->runtime, text);
    memcpy(text, "after!", sizeof text);
    assert_string_equal(symbol->text, "before");
    assert_ptr_equal(lb_intern(w->runtime, "before"), symbol);
    assert_ptr_equal(symbol->runtime, w->runtime);
}

static void any_bytes_but_zero_make_a_name(void **state)
{
    world *w = *state;
    static const char *const names[] = {"", " ", "\x01\xff\x80", "größe",
                                        "a\n"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const lb_symbol *symbol = lb_intern(w->runtime, names[i]);
        assert_non_null(symbol);
        assert_string_equal(symbol->text, names[i]);
        assert_ptr_equal(lb_symbol_find(w->runtime, names[i]), symbol);
    }
}

static void a_symbol_stays_where_it_is_when_many_more_are_made(void **state)
{
    enum { MANY = 3000 };
    world *w = *state;
    static const lb_symbol *made[MANY];
    char text[16];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof text, "name%d", i);
        made[i] = lb_intern(w->runtime, text);
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof text, "name%d", i);
        assert_ptr_equal(lb_intern(w->runtime, text), made[i]);
        assert_string_equal(made[i]->text, text);
    }
}

static void two_runtimes_share_no_symbol(void **state)
{
    world *w = *state;
    lb_runtime *other = NULL;
    assert_ok(lb_runtime_create(NULL, &other));
    const lb_symbol *ours = lb_intern(w->runtime, "x");
    assert_null(lb_symbol_find(other, "x"));
    const lb_symbol *theirs = lb_intern(other, "x");
    assert_ptr_not_equal(ours, theirs);
    assert_ptr_equal(theirs->runtime, other);
    lb_runtime_destroy(other);
    assert_ptr_equal(lb_symbol_find(w->runtime, "x"), ours);
}

static void finding_makes_nothing_and_sets_no_message(void **state)
{
    world *w = *state;
    (void)lb_fail_with(LB_BUSY, "an old message");
    const size_t before = w->memory.bytes;
    assert_null(lb_symbol_find(w->runtime, "nobody"));
    assert_null(lb_symbol_find(w->runtime, "nobody"));
    assert_int_equal(w->memory.bytes, before);
    assert_string_equal(lb_message(), "an old message");
}

static void interning_nothing_fails_with_a_message(void **state)
{
    world *w = *state;
    (void)lb_fail_with(LB_BUSY, "an old message");
    assert_null(lb_intern(w->runtime, NULL));
    assert_string_not_equal(lb_message(), "an old message");
    (void)lb_fail_with(LB_BUSY, "an old message");
    assert_null(lb_intern(NULL, "x"));
    assert_string_not_equal(lb_message(), "an old message");
}

/* ---- Reading and writing by text ---------------------------------------- */

static void reading_by_text_makes_no_symbol(objects *o)
{
    lb_found found;
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    const uint64_t before = objects_counters(o).symbols;
    assert_status(LB_NO_ATTRIBUTE, lb_get_text(p, "ghost", &found));
    assert_null(lb_symbol_find(o->runtime, "ghost"));
    assert_int_equal(objects_counters(o).symbols, before);
    lb_delete(cls, p);
}

static void writing_by_text_makes_the_symbol(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    const lb_attribute_spec spec = {.kind = LB_VALUE};
    assert_ok(lb_set_text(p, "a", lb_integer(1)));
    assert_ok(lb_class_set_value(cls, "b", lb_integer(2)));
    assert_ok(lb_class_set_method(cls, "c", objects_say, NULL));
    assert_ok(lb_dictionary_set(lb_class_dictionary(cls), "d", &spec));
    for (const char *name = "a\0b\0c\0d\0"; *name != '\0'; name += 2) {
        const lb_symbol *symbol = lb_symbol_find(o->runtime, name);
        assert_non_null(symbol);
        assert_ptr_equal(lb_intern(o->runtime, name), symbol);
    }
    lb_delete(cls, p);
}

static void a_name_first_read_by_text_is_found_once_it_is_interned(objects *o)
{
    lb_found found;
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    for (int i = 0; i < 3; i++)
        assert_status(LB_NO_ATTRIBUTE, lb_get_text(p, "late", &found));
    const lb_symbol *late = objects_symbol(o, "late");
    assert_status(LB_NO_ATTRIBUTE, lb_try_get(p, late, &found));
    assert_ok(lb_class_set_value(cls, "late", lb_integer(5)));
    assert_ok(lb_get_text(p, "late", &found));
    assert_int_equal(found.value.integer, 5);
    assert_ok(lb_try_get(p, late, &found));
    assert_int_equal(found.value.integer, 5);
    lb_delete(cls, p);
}

static void what_was_written_by_text_is_got_by_symbol(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    char name[] = "computed";
    const lb_symbol *early = objects_symbol(o, "early");
    assert_ok(lb_set_text(p, name, lb_integer(1)));
    memset(name, 'z', sizeof name - 1);
    assert_ok(lb_set_text(p, "early", lb_integer(2)));
    assert_int_equal(objects_get(o, p, "computed").integer, 1);
    lb_found found;
    assert_ok(lb_try_get(p, early, &found));
    assert_int_equal(found.value.integer, 2);
    assert_ok(lb_unset_text(p, "early"));
    assert_status(LB_NO_ATTRIBUTE, lb_try_get(p, early, &found));
    assert_status(LB_NO_ATTRIBUTE, lb_unset_text(p, "ghost"));
    lb_delete(cls, p);
}

#define IN_WORLD(test)                                                         \
    cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(the_same_text_gives_the_same_symbol),
        IN_WORLD(a_symbol_keeps_a_copy_of_its_text),
        IN_WORLD(any_bytes_but_zero_make_a_name),
        IN_WORLD(a_symbol_stays_where_it_is_when_many_more_are_made),
        IN_WORLD(two_runtimes_share_no_symbol),
        IN_WORLD(finding_makes_nothing_and_sets_no_message),
        IN_WORLD(interning_nothing_fails_with_a_message),
        OBJECTS_TEST(reading_by_text_makes_no_symbol),
        OBJECTS_TEST(writing_by_text_makes_the_symbol),
        OBJECTS_TEST(a_name_first_read_by_text_is_found_once_it_is_interned),
        OBJECTS_TEST(what_was_written_by_text_is_got_by_symbol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
