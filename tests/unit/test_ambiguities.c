/* Which rules lb_ambiguities reports, with which witness. (The oracle's
 * program compares complete sets; here are the cases worth a name.)
 */
#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_COMMUTES_PAIR(int, meet, const thing *);
LB_DEFINE_COMMUTATIVE(meet);
LB_METHOD(meet, meet_any);

LB_GENERIC(int, join, (ON, const thing *, a), (ON, const thing *, b),
           (ON, const thing *, c));
LB_DEFINE_GENERIC(join);
LB_METHOD(join, join_any);

static int meet_any(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a == b;
}

static int join_any(lb_slot slot, const thing *a, const thing *b,
                    const thing *c)
{
    LB_IGNORE(slot);
    return a == b && b == c;
}

static void add(lb_head *head, const lb_method *method,
                const lb_specializer *at, size_t count, int commutative)
{
    const lb_rule rule = {.method = method,
                          .specializers = at,
                          .count = count,
                          .commutative = commutative};
    assert_ok(lb_add_rules(head->generic, &rule, 1));
}

static void add_meet(lb_specializer a, lb_specializer b, int commutative)
{
    const lb_specializer at[] = {a, b};
    add(LB_HEAD(meet), LB_DESCRIPTOR(meet_any), at, 2, commutative);
}

static void add_join(lb_specializer a, lb_specializer b, lb_specializer c)
{
    const lb_specializer at[] = {a, b, c};
    add(LB_HEAD(join), LB_DESCRIPTOR(join_any), at, 3, 0);
}

static int keep(void *context, const lb_ambiguity *found)
{
    *(lb_ambiguity *)context = *found;
    return 0;
}

static size_t count(lb_head *head, lb_ambiguity *last)
{
    size_t found = 99;
    assert_ok(lb_ambiguities(head->generic, keep, last, &found));
    return found;
}

static void two_rules_that_cross_are_ambiguous(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    add_meet(lb_is(a), lb_is(b), 0);
    add_meet(lb_is(b), lb_is(a), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_int_equal(found.count, 2);
    assert_false(found.possible);
    assert_ptr_equal(found.witness[0], b);
    assert_ptr_equal(found.witness[1], b);
    assert_ptr_equal(found.resolving[0], b);
    assert_ptr_equal(found.resolving[1], b);
    char *text = NULL;
    assert_ok(lb_ambiguity_text(LB_GENERIC_OF(meet), &found, &text));
    assert_contains(text, "meet");
    assert_contains(text, "b");
    lb_text_free(w->runtime, text);
    add_meet(lb_is(b), lb_is(b), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
}

static void a_class_that_two_rules_share_is_the_witness(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    add_meet(lb_is(a), lb_is(b), 0);
    add_meet(lb_is(b), lb_is(a), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
    lb_class *ab = world_class(w, "ab", a, b);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_ptr_equal(found.witness[0], ab);
    assert_ptr_equal(found.witness[1], ab);
    assert_ptr_equal(found.resolving[0], ab);
    assert_ok(lb_class_destroy(ab));
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
}

/* Both rules take any first argument; a third settles it for one class only,
 * the first or the last that was made. */
static void check_any_argument(world *w, int last)
{
    lb_ambiguity found;
    lb_class *one = last ? NULL : world_class(w, "one", NULL, NULL);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    if (last)
        one = world_class(w, "one", NULL, NULL);
    assert_ok(lb_bind(w->runtime, LB_HEAD(join), NULL));
    add_join(lb_any(), lb_is(a), lb_is(b));
    add_join(lb_any(), lb_is(b), lb_is(a));
    add_join(lb_is(one), lb_is(b), lb_is(b));
    const thing t = thing_of(b), u = thing_of(one);
    int result = 0;
    assert_status(LB_AMBIGUOUS, lb_try_join(&result, &t, &t, &t));
    assert_ok(lb_try_join(&result, &u, &t, &t));
    assert_int_equal(count(LB_HEAD(join), &found), 1);
}

static void what_one_class_settles_is_not_settled_for_any(void **state)
{
    check_any_argument(*state, 0);
}

static void what_the_newest_class_settles_is_not_settled_for_any(void **state)
{
    check_any_argument(*state, 1);
}

static void weighted_rules_may_be_ambiguous_further_down_only(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    const lb_policy weighted = {.order = LB_WEIGHTED};
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), &weighted));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    lb_class *c = world_class(w, "c", b, NULL);
    const thing t = thing_of(b), u = thing_of(c);
    /* At (a, c) the second is nearer, 0 to -2 + 4; at (b, c) both have 2. */
    add_meet(lb_eql(a, lb_pointer(&t)), lb_is(a), 0);
    add_meet(lb_is(a), lb_is(c), 0);
    int result = 0;
    assert_status(LB_AMBIGUOUS, lb_try_meet(&result, &t, &u));
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
}

static void a_flipped_rule_settles_only_what_it_applies_to(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    add_meet(lb_is(a), lb_any(), 0);
    add_meet(lb_any(), lb_is(b), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    /* Flipped it is (a, b), which settles (a, b) but not (b, b), where it
     * applies as it stands. */
    add_meet(lb_is(b), lb_is(a), 1);
    const thing t = thing_of(a), u = thing_of(b);
    int result = 0;
    assert_ok(lb_try_meet(&result, &t, &u));
    assert_status(LB_AMBIGUOUS, lb_try_meet(&result, &u, &u));
    /* The first two are still ambiguous, there; so are the last two. */
    assert_int_equal(count(LB_HEAD(meet), &found), 2);
}

static int yes(void *context, lb_value value)
{
    (void)context;
    return value.constant != NULL;
}

static const lb_predicate p = {"p", yes, NULL, NULL, 0};
static const lb_predicate q = {"q", yes, NULL, NULL, 0};

static void two_predicates_make_it_only_possible(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    add_meet(lb_where(a, &p), lb_is(a), 0);
    add_meet(lb_where(a, &q), lb_is(a), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_true(found.possible);
}

static void two_values_are_never_ambiguous(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    const thing t = {{0, 0}, 0}, u = {{0, 0}, 0};
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    add_meet(lb_eql(a, lb_pointer(&t)), lb_is(a), 0);
    add_meet(lb_eql(a, lb_pointer(&u)), lb_is(b), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
    add_meet(lb_is(b), lb_is(b), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_rules_that_cross_are_ambiguous),
        TEST(a_class_that_two_rules_share_is_the_witness),
        TEST(what_one_class_settles_is_not_settled_for_any),
        TEST(what_the_newest_class_settles_is_not_settled_for_any),
        TEST(weighted_rules_may_be_ambiguous_further_down_only),
        TEST(a_flipped_rule_settles_only_what_it_applies_to),
        TEST(two_predicates_make_it_only_possible),
        TEST(two_values_are_never_ambiguous),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
