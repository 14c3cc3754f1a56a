/* Groups: rules of several generic functions that come and go in one step. */
#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, area, (ON, const thing *, s));
LB_DEFINE_GENERIC(area);
LB_METHOD(area, area_host);
LB_METHOD(area, area_guest);

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_DEFINE_GENERIC(meet);
LB_METHOD(meet, meet_host);
LB_METHOD(meet, meet_guest);

static int area_host(lb_slot slot, const thing *s)
{
    LB_IGNORE(slot);
    return s != NULL ? 1 : 0;
}

static int area_guest(lb_slot slot, const thing *s)
{
    LB_SELF(area, area_guest, slot, s);
    return 10 + (lb_has_next(self) ? lb_next_area(self, s) : 0);
}

static int meet_host(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a != NULL && b != NULL ? 1 : 0;
}

static int meet_guest(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a != NULL && b != NULL ? 2 : 0;
}

typedef struct stage {
    lb_class *a, *b;
    thing t, u;
    lb_generic *area, *meet;
} stage;

static stage set_up(world *w)
{
    stage s;
    assert_ok(lb_bind(w->runtime, LB_HEAD(area), NULL));
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    s.area = LB_GENERIC_OF(area);
    s.meet = LB_GENERIC_OF(meet);
    s.a = world_class(w, "a", NULL, NULL);
    s.b = world_class(w, "b", s.a, NULL);
    s.t = thing_of(s.a);
    s.u = thing_of(s.b);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_host), s.a));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_host), s.a, s.a));
    return s;
}

static void add(lb_group *group, lb_generic *generic, const lb_method *method,
                lb_class *first, lb_class *second)
{
    const lb_specializer at[] = {lb_is(first),
                                 second ? lb_is(second) : lb_any()};
    const lb_rule rule = {.method = method,
                          .specializers = at,
                          .count = lb_generic_dispatched(generic)};
    assert_ok(lb_group_add(group, generic, &rule, 1));
}

static lb_group *guest(world *w, const stage *s)
{
    lb_group *group = NULL;
    assert_ok(lb_group_create(w->runtime, "guest", 0, &group));
    add(group, s->area, LB_DESCRIPTOR(area_guest), s->b, NULL);
    add(group, s->meet, LB_DESCRIPTOR(meet_guest), s->b, s->b);
    return group;
}

static void nothing_is_seen_before_the_commit(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = guest(w, &s);
    assert_int_equal(area(&s.u), 1);
    assert_int_equal(meet(&s.u, &s.u), 1);
    assert_ok(lb_group_commit(group));
    assert_int_equal(area(&s.u), 11);
    assert_int_equal(meet(&s.u, &s.u), 2);
    assert_int_equal(meet(&s.t, &s.u), 1);
}

static void removing_a_group_takes_all_its_rules(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = guest(w, &s);
    assert_ok(lb_group_commit(group));
    assert_int_equal(area(&s.u), 11);
    assert_ok(lb_group_remove(group));
    assert_int_equal(area(&s.u), 1);
    assert_int_equal(meet(&s.u, &s.u), 1);
    assert_int_equal(world_statistics(w).rules, 2);
}

static void a_group_never_committed_leaves_no_trace(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    assert_ok(lb_group_remove(guest(w, &s)));
    assert_int_equal(area(&s.u), 1);
    (void)guest(w, &s); /* and the runtime's end takes one that is left */
}

static void a_group_may_be_committed_again_with_more(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = NULL;
    assert_ok(lb_group_create(w->runtime, "guest", 0, &group));
    add(group, s.area, LB_DESCRIPTOR(area_guest), s.b, NULL);
    assert_ok(lb_group_commit(group));
    add(group, s.meet, LB_DESCRIPTOR(meet_guest), s.b, s.b);
    assert_int_equal(meet(&s.u, &s.u), 1);
    assert_ok(lb_group_commit(group));
    assert_int_equal(meet(&s.u, &s.u), 2);
    assert_int_equal(area(&s.u), 11);
    assert_ok(lb_group_remove(group));
    assert_int_equal(area(&s.u), 1);
    assert_int_equal(meet(&s.u, &s.u), 1);
}

static void groups_come_and_go_a_thousand_times(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    size_t bytes = 0;
    for (int i = 0; i < 1000; i++) {
        lb_group *group = guest(w, &s);
        assert_ok(lb_group_commit(group));
        assert_int_equal(area(&s.u), 11);
        assert_ok(lb_group_remove(group));
        assert_int_equal(area(&s.u), 1);
        assert_ok(lb_quiesce(w->runtime));
        if (i == 10)
            bytes = w->memory.bytes;
    }
    assert_true(w->memory.bytes <= bytes);
}

static void a_rule_replaced_by_another_is_left_by_the_group(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = guest(w, &s);
    assert_ok(lb_group_commit(group));
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_host), s.b));
    assert_int_equal(area(&s.u), 1);
    assert_ok(lb_group_remove(group));
    assert_int_equal(world_statistics(w).rules, 3);
    assert_ok(lb_remove(LB_HEAD(area), LB_DESCRIPTOR(area_host), s.b));
}

static void a_rule_removed_by_hand_is_no_trouble_to_the_group(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = guest(w, &s);
    assert_ok(lb_group_commit(group));
    assert_ok(lb_remove(LB_HEAD(area), LB_DESCRIPTOR(area_guest), s.b));
    assert_ok(lb_group_remove(group));
    assert_int_equal(meet(&s.u, &s.u), 1);
}

static void a_strict_group_that_brings_an_ambiguity_is_refused(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = NULL;
    assert_ok(lb_group_create(w->runtime, "strict", 1, &group));
    add(group, s.area, LB_DESCRIPTOR(area_guest), s.b, NULL);
    add(group, s.meet, LB_DESCRIPTOR(meet_guest), s.a, s.b);
    add(group, s.meet, LB_DESCRIPTOR(meet_guest), s.b, s.a);
    assert_status(LB_AMBIGUOUS, lb_group_commit(group));
    assert_contains(lb_message(), "meet");
    assert_int_equal(area(&s.u), 1);
    assert_int_equal(meet(&s.u, &s.t), 1);
    assert_int_equal(world_statistics(w).rules, 2);
    assert_ok(lb_group_remove(group));
}

static void a_strict_group_may_resolve_its_own_ambiguity(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = NULL;
    assert_ok(lb_group_create(w->runtime, "strict", 1, &group));
    add(group, s.meet, LB_DESCRIPTOR(meet_guest), s.a, s.b);
    add(group, s.meet, LB_DESCRIPTOR(meet_guest), s.b, s.a);
    add(group, s.meet, LB_DESCRIPTOR(meet_host), s.b, s.b);
    assert_ok(lb_group_commit(group));
    assert_int_equal(w->reports, 0);
    assert_int_equal(meet(&s.u, &s.u), 1);
    assert_int_equal(meet(&s.u, &s.t), 2);
}

static void a_generic_with_a_groups_rules_is_busy(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = guest(w, &s);
    assert_ok(lb_group_commit(group));
    assert_status(LB_BUSY, lb_generic_destroy(s.area));
    assert_contains(lb_message(), "area");
    assert_ok(lb_group_remove(group));
    assert_ok(lb_generic_destroy(s.area));
}

static void explaining_names_the_group(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = guest(w, &s);
    lb_explanation *why = NULL;
    assert_ok(lb_group_commit(group));
    assert_ok(lb_explain(s.area, 1, &s.b, NULL, &why));
    assert_int_equal(why->status, LB_OK);
    assert_int_equal(why->count, 2);
    assert_ptr_equal(why->items[0].rule->method, LB_DESCRIPTOR(area_guest));
    assert_string_equal(why->items[0].group, "guest");
    assert_null(why->items[1].group);
    assert_contains(why->text, "guest");
    lb_explanation_free(why);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

static void a_class_that_a_pending_group_names_is_busy(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_class *c = world_class(w, "c", NULL, NULL);
    const lb_specializer at = lb_is(c);
    const lb_rule rule = {
        .method = LB_DESCRIPTOR(area_guest), .specializers = &at, .count = 1};
    lb_group *group;
    assert_ok(lb_group_create(w->runtime, "pending", 0, &group));
    assert_ok(lb_group_add(group, s.area, &rule, 1));
    assert_status(LB_BUSY, lb_class_destroy(c));
    assert_ok(lb_group_remove(group));
    assert_ok(lb_class_destroy(c));
}

static void removing_a_group_leaves_what_others_added_again(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    const lb_specializer at = lb_is(s.b);
    const lb_rule rule = {
        .method = LB_DESCRIPTOR(area_guest), .specializers = &at, .count = 1};
    lb_group *group;
    assert_ok(lb_group_create(w->runtime, "guest", 0, &group));
    assert_ok(lb_group_add(group, s.area, &rule, 1));
    assert_ok(lb_group_commit(group));
    assert_ok(lb_remove_rules(s.area, &rule, 1));
    assert_ok(lb_add_rules(s.area, &rule, 1));
    assert_ok(lb_group_remove(group));
    assert_int_equal(area(&s.u), 11);
}

static void count_release(void *context)
{
    ++*(int *)context;
}

static void a_refused_group_owes_no_release(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    int released = 0;
    const lb_specializer at[][2] = {{lb_is(s.b), lb_is(s.a)},
                                    {lb_is(s.a), lb_is(s.b)}};
    lb_rule rules[2];
    for (int i = 0; i < 2; i++)
        rules[i] = (lb_rule){.method = LB_DESCRIPTOR(meet_guest),
                             .specializers = at[i],
                             .count = 2,
                             .context = &released,
                             .release = count_release};
    lb_group *group;
    assert_ok(lb_group_create(w->runtime, "strict", 1, &group));
    assert_ok(lb_group_add(group, s.meet, rules, 2));
    assert_status(LB_AMBIGUOUS, lb_group_commit(group));
    assert_ok(lb_group_remove(group));
    assert_ok(lb_quiesce(w->runtime));
    assert_int_equal(released, 0);
}

static void a_class_may_end_while_a_group_remembers_its_rule(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_class *c = world_class(w, "c", NULL, NULL);
    lb_class *d = world_class(w, "d", NULL, NULL);
    const lb_specializer at = lb_is(c);
    const lb_rule rule = {
        .method = LB_DESCRIPTOR(area_guest), .specializers = &at, .count = 1};
    lb_group *group;
    assert_ok(lb_group_create(w->runtime, "guest", 0, &group));
    assert_ok(lb_group_add(group, s.area, &rule, 1));
    assert_ok(lb_group_commit(group));
    assert_ok(lb_remove_rules(s.area, &rule, 1));
    assert_ok(lb_class_destroy(c));
    assert_ok(lb_quiesce(w->runtime));
    assert_ok(lb_class_destroy(d));
    assert_ok(lb_quiesce(w->runtime));
    assert_ok(lb_group_remove(group));
}

static void the_limit_of_rules_is_each_generics_own(void **state)
{
    (void)state;
    lb_config config;
    lb_config_init(&config);
    config.max_rules = 2;
    lb_runtime *runtime;
    assert_ok(lb_runtime_create(&config, &runtime));
    lb_class *a = lb_class_make(runtime, "a", 0, NULL, NULL);
    lb_class *b = lb_class_make(runtime, "b", 0, NULL, NULL);
    const lb_specializer is[] = {lb_is(a), lb_is(b)};
    lb_group *group;
    assert_ok(lb_group_create(runtime, "both", 0, &group));
    for (int g = 0; g < 2; g++) {
        lb_generic *generic;
        assert_ok(lb_generic_create(runtime, NULL, LB_HEAD(area)->signature,
                                    NULL, &generic));
        for (int i = 0; i < 2; i++) {
            const lb_rule rule = {.method = LB_DESCRIPTOR(area_host),
                                  .specializers = &is[i],
                                  .count = 1};
            assert_ok(lb_group_add(group, generic, &rule, 1));
        }
    }
    assert_ok(lb_group_commit(group));
    lb_runtime_destroy(runtime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_seen_before_the_commit),
        TEST(removing_a_group_takes_all_its_rules),
        TEST(a_group_never_committed_leaves_no_trace),
        TEST(a_group_may_be_committed_again_with_more),
        TEST(groups_come_and_go_a_thousand_times),
        TEST(a_rule_replaced_by_another_is_left_by_the_group),
        TEST(a_rule_removed_by_hand_is_no_trouble_to_the_group),
        TEST(a_strict_group_that_brings_an_ambiguity_is_refused),
        TEST(a_strict_group_may_resolve_its_own_ambiguity),
        TEST(a_generic_with_a_groups_rules_is_busy),
        TEST(explaining_names_the_group),
        TEST(a_class_that_a_pending_group_names_is_busy),
        TEST(removing_a_group_leaves_what_others_added_again),
        TEST(a_refused_group_owes_no_release),
        TEST(a_class_may_end_while_a_group_remembers_its_rule),
        TEST(the_limit_of_rules_is_each_generics_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
