/* The life of classes: headers and ids, instances, ending them, limits. */
#include "support/lattice.h"
#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, kind, (ON, const thing *, t));
LB_DEFINE_GENERIC(kind);
LB_METHOD(kind, kind_one);
LB_METHOD(kind, kind_two);

static int kind_one(lb_slot slot, const thing *t)
{
    LB_IGNORE(slot);
    return t != NULL ? 1 : 0;
}

static int kind_two(lb_slot slot, const thing *t)
{
    LB_IGNORE(slot);
    return t != NULL ? 2 : 0;
}

static void bind(world *w)
{
    assert_ok(lb_bind(w->runtime, LB_HEAD(kind), NULL));
}

static void a_class_tells_what_it_was_made_of(void **state)
{
    world *w = *state;
    char name[] = "circle";
    int context = 0;
    lb_class *made = NULL;
    const lb_class_spec spec = {
        .name = name, .instance_size = 48, .context = &context};
    assert_ok(lb_class_create(w->runtime, &spec, &made));
    name[0] = 'X'; /* it was copied */
    assert_string_equal(lb_class_name(made), "circle");
    assert_ptr_equal(lb_class_context(made), &context);
    assert_ptr_equal(lb_class_runtime(made), w->runtime);
    assert_int_equal(lb_class_instance_size(made), 48);
    assert_ptr_equal(lb_class_find(w->runtime, "circle"), made);
    assert_null(lb_class_find(w->runtime, "Xircle"));
}

static void a_name_may_be_used_twice_and_a_living_one_is_found(void **state)
{
    world *w = *state;
    lb_class *first = world_class(w, "twin", NULL, NULL);
    lb_class *second = world_class(w, "twin", NULL, NULL);
    assert_ptr_not_equal(first, second);
    lb_class *found = lb_class_find(w->runtime, "twin");
    assert_true(found == first || found == second);
    assert_ok(lb_class_destroy(found));
    assert_ptr_equal(lb_class_find(w->runtime, "twin"),
                     found == first ? second : first);
}

static void a_class_is_its_own_subclass(void **state)
{
    world *w = *state;
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    assert_true(lb_class_is_subclass(a, a));
    assert_true(lb_class_is_subclass(b, a));
    assert_false(lb_class_is_subclass(a, b));
    assert_false(lb_class_is_subclass(NULL, a));
    assert_false(lb_class_is_subclass(a, NULL));
}

static void a_header_names_its_class_for_ever(void **state)
{
    world *w = *state;
    lb_class *a = world_class(w, "a", NULL, NULL);
    const lb_header head = lb_class_header(a), again = lb_class_header(a);
    assert_int_equal(head.handle, again.handle);
    assert_int_equal(head.serial, again.serial);
    assert_int_equal(head.handle % 8, 0);
    assert_true(head.handle / 16 >= 16);
    assert_true(head.handle / 16 < 1u << 20);
    assert_ptr_equal(lb_class_of(w->runtime, &head), a);
}

static void a_zeroed_header_names_no_class(void **state)
{
    world *w = *state;
    const lb_header zero = {0, 0};
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_non_null(a);
    assert_null(lb_class_of(w->runtime, &zero));
}

static void two_runtimes_never_share_an_id(void **state)
{
    world *w = *state;
    lb_runtime *other = NULL;
    assert_ok(lb_runtime_create(NULL, &other));
    uint32_t handles[64];
    for (size_t i = 0; i < COUNT_OF(handles); i++) {
        lb_class *cls =
            lb_class_make(i % 2 ? other : w->runtime, "c", 16, NULL, NULL);
        assert_non_null(cls);
        const lb_header head = lb_class_header(cls);
        handles[i] = head.handle;
        assert_null(lb_class_of(i % 2 ? w->runtime : other, &head));
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(handles[j], handles[i]);
    }
    lb_runtime_destroy(other);
}

static void one_runtime_ends_without_touching_another(void **state)
{
    world *w = *state;
    lb_runtime *other = NULL;
    bind(w);
    assert_ok(lb_runtime_create(NULL, &other));
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_one), a));
    const thing t = thing_of(a);
    assert_int_equal(kind(&t), 1);
    lb_class *b = lb_class_make(other, "a", sizeof(thing), NULL, NULL);
    assert_int_not_equal(lb_class_header(b).handle, 0);
    lb_runtime_destroy(other);
    assert_int_equal(kind(&t), 1);
    assert_ptr_equal(lb_class_find(w->runtime, "a"), a);
}

static void a_family_is_numbered_together(void **state)
{
    world *w = *state;
    lb_class *of[2][8];
    for (size_t i = 0; i < 8; i++)
        for (size_t f = 0; f < 2; f++)
            of[f][i] = world_class(w, "f", i ? of[f][(i - 1) / 2] : NULL, NULL);
    (void)lb_class_header(of[0][3]);
    (void)lb_class_header(of[1][0]);
    for (size_t f = 0; f < 2; f++) {
        uint32_t low = UINT32_MAX, high = 0;
        for (size_t i = 0; i < 8; i++) {
            const uint32_t id = lb_class_header(of[f][i]).handle / 16;
            low = id < low ? id : low;
            high = id > high ? id : high;
        }
        assert_true(high - low < 16);
    }
}

static void an_instance_is_zeroed_and_stamped(void **state)
{
    world *w = *state;
    lb_class *a = world_class(w, "a", NULL, NULL);
    thing *t = lb_new(a);
    assert_non_null(t);
    assert_int_equal(t->number, 0);
    assert_ptr_equal(lb_class_of(w->runtime, &t->head), a);
    lb_delete(a, t);
    lb_delete(a, NULL);
}

static void a_class_too_small_for_a_header_has_no_instances(void **state)
{
    world *w = *state;
    lb_class *a = lb_class_make(w->runtime, "a", 0, NULL, NULL);
    lb_class *b = lb_class_make(w->runtime, "b", 7, NULL, NULL);
    assert_null(lb_new(a));
    assert_string_not_equal(lb_message(), "");
    assert_null(lb_new(b));
    lb_class *c = lb_class_make(w->runtime, "c", sizeof(lb_header), NULL, NULL);
    void *small = lb_new(c);
    assert_non_null(small);
    lb_delete(c, small);
}

static void an_object_may_change_its_class(void **state)
{
    world *w = *state;
    bind(w);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_one), a));
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_two), b));
    thing t = thing_of(a);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(kind(&t), 1);
        assert_ok(lb_set_class(&t, b));
        assert_int_equal(kind(&t), 2);
        assert_ptr_equal(lb_class_of(w->runtime, &t.head), b);
        assert_ok(lb_set_class(&t, a));
    }
}

static void calls_follow_new_bases(void **state)
{
    world *w = *state;
    bind(w);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    lb_class *c = world_class(w, "c", a, NULL);
    lb_class *d = world_class(w, "d", c, NULL);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_one), a));
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_two), b));
    const thing t = thing_of(d);
    assert_int_equal(kind(&t), 1);
    assert_ok(lb_class_set_bases(c, &b, 1));
    assert_int_equal(kind(&t), 2);
    lb_class *both[] = {a, b}, *flipped[] = {b, a};
    assert_ok(lb_class_set_bases(c, both, 2));
    assert_int_equal(kind(&t), 1);
    assert_ok(lb_class_set_linearization(c, flipped, 2));
    assert_int_equal(kind(&t), 2);
}

static void a_class_with_subclasses_is_busy_and_one_is_named(void **state)
{
    world *w = *state;
    lb_class *base = world_class(w, "ancestor", NULL, NULL);
    lb_class *derived = world_class(w, "offspring", base, NULL);
    assert_status(LB_BUSY, lb_class_destroy(base));
    assert_contains(lb_message(), "offspring");
    assert_ptr_equal(lb_class_find(w->runtime, "ancestor"), base);
    assert_ok(lb_class_destroy(derived));
    assert_ok(lb_class_destroy(base));
    assert_null(lb_class_find(w->runtime, "ancestor"));
}

static void a_class_that_rules_name_is_busy_and_one_is_named(void **state)
{
    world *w = *state;
    bind(w);
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_one), a));
    assert_status(LB_BUSY, lb_class_destroy(a));
    assert_contains(lb_message(), "kind");
    assert_ok(lb_remove(LB_HEAD(kind), NULL, a));
    assert_ok(lb_class_destroy(a));
}

static void count_release(void *context)
{
    (*(int *)context)++;
}

static void a_class_gives_its_context_back_once(void **state)
{
    world *w = *state;
    int released[2] = {0, 0};
    lb_class *made[2];
    for (size_t i = 0; i < 2; i++) {
        const lb_class_spec spec = {
            .name = "c", .context = &released[i], .release = count_release};
        assert_ok(lb_class_create(w->runtime, &spec, &made[i]));
    }
    assert_ok(lb_class_destroy(made[0]));
    assert_ok(lb_quiesce(w->runtime));
    assert_int_equal(released[0], 1);
    assert_int_equal(released[1], 0);
    lb_runtime_destroy(w->runtime);
    w->runtime = NULL;
    assert_int_equal(released[0], 1);
    assert_int_equal(released[1], 1);
}

static void an_object_of_a_destroyed_class_has_no_class(void **state)
{
    world *w = *state;
    bind(w);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_one), a));
    const thing t = thing_of(b);
    assert_int_equal(kind(&t), 1);
    assert_ok(lb_class_destroy(b));
    assert_null(lb_class_of(w->runtime, &t.head));
}

static lb_runtime *limited(world *w, uint32_t classes, uint32_t ids)
{
    lb_config config = world_config(w);
    config.max_classes = classes;
    config.max_ids = ids;
    lb_runtime_destroy(w->runtime);
    w->runtime = NULL;
    assert_ok(lb_runtime_create(&config, &w->runtime));
    return w->runtime;
}

static void more_classes_than_allowed_are_refused(void **state)
{
    world *w = *state;
    limited(w, 3, 0);
    lb_class *last = NULL, *more = NULL;
    for (int i = 0; i < 3; i++)
        last = world_class(w, "c", NULL, NULL);
    const lb_class_spec spec = {.name = "d"};
    assert_status(LB_LIMIT, lb_class_create(w->runtime, &spec, &more));
    assert_null(lb_class_find(w->runtime, "d"));
    assert_ok(lb_class_destroy(last));
    assert_ok(lb_quiesce(w->runtime));
    assert_ok(lb_class_create(w->runtime, &spec, &more));
}

static void without_ids_calls_are_slower_but_right(void **state)
{
    world *w = *state;
    limited(w, 0, 4);
    bind(w);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_one), a));
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_two), b));
    thing things[40];
    for (size_t i = 0; i < COUNT_OF(things); i++)
        things[i] = thing_of(world_class(w, "c", i % 2 ? b : a, NULL));
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT_OF(things); i++)
            assert_int_equal(kind(&things[i]), i % 2 ? 2 : 1);
    const lb_statistics figures = world_statistics(w);
    assert_true(figures.ids <= 4);
    assert_true(figures.unnumbered >= 36);
    assert_int_equal(figures.classes, 42);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_two), a));
    assert_int_equal(kind(&things[0]), 2);
}

static void without_ids_objects_still_tell_their_class(void **state)
{
    world *w = *state;
    limited(w, 0, 1);
    lb_class *made[8];
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        made[i] = world_class(w, "c", NULL, NULL);
        const lb_header head = lb_class_header(made[i]);
        assert_ptr_equal(lb_class_of(w->runtime, &head), made[i]);
    }
}

static void an_id_comes_back_after_quiescence(void **state)
{
    world *w = *state;
    limited(w, 0, 2);
    bind(w);
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_one), a));
    for (int i = 0; i < 50; i++) {
        lb_class *b = world_class(w, "b", a, NULL);
        const thing t = thing_of(b);
        assert_int_equal(kind(&t), 1);
        assert_int_equal(kind(&t), 1);
        assert_ok(lb_class_destroy(b));
        assert_ok(lb_quiesce(w->runtime));
        assert_int_equal(world_statistics(w).unnumbered, 0);
    }
}

/* As a program does that makes a class for each request it serves. */
static void throw_away(world *w, lb_class *a, lb_class *b, int count)
{
    for (int i = 0; i < count; i++) {
        lb_class *cls = world_class(w, "request", i % 2 ? b : a, NULL);
        const thing t = thing_of(cls);
        if (kind(&t) != (i % 2 ? 2 : 1))
            fail_msg("call %d went wrong", i);
        assert_ok(lb_class_destroy(cls));
        if (i % 64 == 0)
            assert_ok(lb_quiesce(w->runtime));
    }
    assert_ok(lb_quiesce(w->runtime));
}

static void throw_away_classes_do_not_make_the_runtime_grow(void **state)
{
    world *w = *state;
    bind(w);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_one), a));
    assert_ok(lb_add(LB_HEAD(kind), LB_DESCRIPTOR(kind_two), b));
    throw_away(w, a, b, 1 << 12);
    const size_t bytes = w->memory.bytes, peak = w->memory.peak;
    throw_away(w, a, b, (1 << 17) - (1 << 12));
    assert_true(w->memory.bytes <= bytes + 4096);
    assert_true(w->memory.peak <= peak + 16384);
    assert_int_equal(world_statistics(w).classes, 2);
    assert_true(world_statistics(w).ids <= 2);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_class_tells_what_it_was_made_of),
        TEST(a_name_may_be_used_twice_and_a_living_one_is_found),
        TEST(a_class_is_its_own_subclass),
        TEST(a_header_names_its_class_for_ever),
        TEST(a_zeroed_header_names_no_class),
        TEST(two_runtimes_never_share_an_id),
        TEST(one_runtime_ends_without_touching_another),
        TEST(a_family_is_numbered_together),
        TEST(an_instance_is_zeroed_and_stamped),
        TEST(a_class_too_small_for_a_header_has_no_instances),
        TEST(an_object_may_change_its_class),
        TEST(calls_follow_new_bases),
        TEST(a_class_with_subclasses_is_busy_and_one_is_named),
        TEST(a_class_that_rules_name_is_busy_and_one_is_named),
        TEST(a_class_gives_its_context_back_once),
        TEST(an_object_of_a_destroyed_class_has_no_class),
        TEST(more_classes_than_allowed_are_refused),
        TEST(without_ids_calls_are_slower_but_right),
        TEST(without_ids_objects_still_tell_their_class),
        TEST(an_id_comes_back_after_quiescence),
        TEST(throw_away_classes_do_not_make_the_runtime_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
