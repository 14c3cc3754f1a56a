/* Rules that look at values: `eql`, predicates, `implies`. */
#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, run, (ON, const thing *, t));
static lb_fn_run run_fallback;
LB_DEFINE_GENERIC_WITH(run, run_fallback);
LB_METHOD(run, run_noted);

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_DEFINE_GENERIC(meet);
LB_METHOD(meet, meet_noted);

static int run_fallback(lb_slot slot, const thing *t)
{
    note(lb_status_name((lb_status)lb_load_entry(slot)->status));
    return t->number == -77;
}

static int run_noted(lb_slot slot, const thing *t)
{
    LB_SELF(run, run_noted, slot, t);
    note(self->context);
    return 1 + (lb_has_next(self) ? lb_next_run(self, t) : 0);
}

static int meet_noted(lb_slot slot, const thing *a, const thing *b)
{
    LB_SELF(meet, meet_noted, slot, a, b);
    note(self->context);
    return 1 + (lb_has_next(self) ? lb_next_meet(self, a, b) : 0);
}

/* Whether the number of a thing is a multiple of the context's; -1 for
 * negative ones. */
static int is_multiple(void *context, lb_value value)
{
    const thing *t = value.constant;
    const int64_t of = *(const int64_t *)context;
    return t->number < 0 ? -1 : t->number % of == 0;
}

static int same_number(void *context, lb_value expected, lb_value value)
{
    const thing *t = value.constant;
    (*(int *)context)++;
    return t->number < 0 ? -1 : t->number == expected.integer;
}

static int64_t two = 2, three = 3, six = 6;
static const lb_predicate is_even = {"even", is_multiple, &two, NULL, 0};
static const lb_predicate is_triple = {"triple", is_multiple, &three, NULL, 0};
static const lb_predicate *const implied[] = {&is_even, &is_triple};
static const lb_predicate is_sixfold = {"sixfold", is_multiple, &six, implied,
                                        2};
static const lb_predicate *const implied_far[] = {&is_sixfold};
static int64_t twelve = 12;
static const lb_predicate is_dozen = {"dozen", is_multiple, &twelve,
                                      implied_far, 1};

typedef struct stage {
    lb_class *a, *b;
    thing t, u;
} stage;

static stage set_up(world *w)
{
    stage s;
    assert_ok(lb_bind(w->runtime, LB_HEAD(run), NULL));
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    s.a = world_class(w, "a", NULL, NULL);
    s.b = world_class(w, "b", s.a, NULL);
    s.t = thing_of(s.b);
    s.u = thing_of(s.b);
    return s;
}

static void add(lb_specializer at, const char *name)
{
    const lb_rule rule = {.method = LB_DESCRIPTOR(run_noted),
                          .specializers = &at,
                          .count = 1,
                          .context = (void *)(uintptr_t)name};
    assert_ok(lb_add_rules(LB_GENERIC_OF(run), &rule, 1));
}

static void expect(const thing *t, const char *words)
{
    for (int i = 0; i < 3; i++) {
        (void)run(t);
        assert_string_equal(notes_take(), words);
    }
}

static void a_value_goes_before_its_class(void **state)
{
    const stage s = set_up(*state);
    add(lb_is(s.b), "b");
    add(lb_is(s.a), "a");
    expect(&s.t, "b a");
    add(lb_eql(s.a, lb_pointer(&s.t)), "t");
    expect(&s.t, "t b a");
    expect(&s.u, "b a");
    add(lb_eql(NULL, lb_pointer(&s.u)), "u");
    expect(&s.u, "u b a");
    expect(&s.t, "t b a");
    const lb_specializer at = lb_eql(s.a, lb_pointer(&s.t));
    const lb_rule rule = {.specializers = &at, .count = 1};
    assert_ok(lb_remove_rules(LB_GENERIC_OF(run), &rule, 1));
    expect(&s.t, "b a");
}

static void a_value_must_be_of_the_class_named(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_class *c = world_class(w, "c", NULL, NULL);
    add(lb_is(s.b), "b");
    add(lb_eql(c, lb_pointer(&s.t)), "t");
    expect(&s.t, "b");
}

static void many_values_share_a_class(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    static thing t[300];
    static char names[300][8];
    add(lb_any(), "any");
    for (size_t i = 0; i < 300; i++) {
        t[i] = thing_of(s.b);
        (void)snprintf(names[i], sizeof names[i], "n%zu", i);
        add(lb_eql(s.b, lb_pointer(&t[i])), names[i]);
    }
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 300; i++) {
            char words[16];
            (void)snprintf(words, sizeof words, "n%zu any", i);
            expect(&t[i], words);
        }
    expect(&s.u, "any");
    assert_int_equal(w->reports, 0);
}

static void values_are_equal_as_their_function_says(void **state)
{
    stage s = set_up(*state);
    int asked = 0;
    lb_specializer at = lb_eql(s.a, lb_integer(5));
    at.equal = same_number;
    at.equal_context = &asked;
    add(lb_is(s.a), "a");
    add(at, "five");
    expect(&s.t, "a");
    s.t.number = 5;
    expect(&s.t, "five a");
    s.u.number = 5;
    expect(&s.u, "five a");
    assert_true(asked > 0);
    s.u.number = -1;
    expect(&s.u, "LB_PREDICATE_FAILED");
}

static void a_predicate_goes_just_before_its_class(void **state)
{
    stage s = set_up(*state);
    add(lb_is(s.a), "a");
    add(lb_is(s.b), "b");
    add(lb_where(s.a, &is_even), "even-a");
    expect(&s.t, "b even-a a");
    add(lb_where(s.b, &is_even), "even-b");
    expect(&s.t, "even-b b even-a a");
    s.t.number = 1;
    expect(&s.t, "b a");
    add(lb_where(NULL, &is_even), "even");
    add(lb_any(), "any");
    expect(&s.t, "b a any");
    s.t.number = 2;
    expect(&s.t, "even-b b even-a a even any");
    add(lb_eql(NULL, lb_pointer(&s.t)), "t");
    expect(&s.t, "t even-b b even-a a even any");
}

static void a_predicate_is_asked_at_every_call(void **state)
{
    stage s = set_up(*state);
    add(lb_where(s.a, &is_even), "even");
    add(lb_is(s.a), "a");
    for (int i = 0; i < 6; i++) {
        s.t.number = i;
        (void)run(&s.t);
        assert_string_equal(notes_take(), i % 2 ? "a" : "even a");
    }
}

static void two_predicates_on_one_class_are_unordered(void **state)
{
    world *w = *state;
    stage s = set_up(w);
    add(lb_where(s.a, &is_even), "even");
    add(lb_where(s.a, &is_triple), "triple");
    assert_int_equal(w->reports, 1);
    assert_int_equal(w->reported, LB_MAY_BE_AMBIGUOUS);
    s.t.number = 2;
    expect(&s.t, "even");
    s.t.number = 3;
    expect(&s.t, "triple");
    s.t.number = 6;
    expect(&s.t, "LB_AMBIGUOUS");
    s.t.number = 5;
    expect(&s.t, "LB_NO_METHOD");
}

static void a_predicate_that_implies_another_goes_first(void **state)
{
    world *w = *state;
    stage s = set_up(w);
    add(lb_where(s.a, &is_even), "even");
    add(lb_where(s.a, &is_sixfold), "sixfold");
    assert_int_equal(w->reports, 0);
    s.t.number = 6;
    expect(&s.t, "sixfold even");
    add(lb_where(s.a, &is_dozen), "dozen");
    s.t.number = 12;
    expect(&s.t, "dozen sixfold even");
    const lb_specializer at = lb_where(s.a, &is_sixfold);
    const lb_rule rule = {.specializers = &at, .count = 1};
    assert_ok(lb_remove_rules(LB_GENERIC_OF(run), &rule, 1));
    expect(&s.t, "dozen even"); /* implied through the one that is gone */
    assert_int_equal(w->reports, 0);
}

static void a_failing_predicate_ends_the_call(void **state)
{
    world *w = *state;
    stage s = set_up(w);
    add(lb_where(s.a, &is_even), "even");
    add(lb_is(s.a), "a");
    s.t.number = -1;
    expect(&s.t, "LB_PREDICATE_FAILED");
    int result = 0;
    assert_status(LB_PREDICATE_FAILED, lb_try_run(&result, &s.t));
    assert_contains(lb_message(), "run");
    s.t.number = 1;
    expect(&s.t, "a");
}

static void values_select_in_every_position(void **state)
{
    world *w = *state;
    stage s = set_up(w);
    const lb_specializer at[][2] = {
        {lb_is(s.a), lb_is(s.a)},
        {lb_eql(s.a, lb_pointer(&s.t)), lb_is(s.a)},
        {lb_eql(s.a, lb_pointer(&s.t)), lb_where(s.a, &is_even)},
    };
    static const char *const names[] = {"aa", "ta", "te"};
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        const lb_rule rule = {.method = LB_DESCRIPTOR(meet_noted),
                              .specializers = at[i],
                              .count = 2,
                              .context = (void *)(uintptr_t)names[i]};
        assert_ok(lb_add_rules(LB_GENERIC_OF(meet), &rule, 1));
    }
    s.u.number = 1;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(meet(&s.t, &s.t), 3);
        assert_string_equal(notes_take(), "te ta aa");
        assert_int_equal(meet(&s.t, &s.u), 2);
        assert_string_equal(notes_take(), "ta aa");
        assert_int_equal(meet(&s.u, &s.t), 1);
        assert_string_equal(notes_take(), "aa");
    }
}

static void resolving_asks_values_that_are_given(void **state)
{
    world *w = *state;
    stage s = set_up(w);
    add(lb_is(s.a), "a");
    add(lb_where(s.a, &is_even), "even");
    lb_generic *g = LB_GENERIC_OF(run);
    lb_value value = lb_pointer(&s.t);
    const lb_entry *found = lb_resolve(g, &s.b, &value);
    assert_string_equal(found->context, "even");
    s.t.number = 1;
    found = lb_resolve(g, &s.b, &value);
    assert_int_equal(found->status, LB_OK);
    assert_string_equal(found->context, "a");
    assert_int_equal(found->next->status, LB_NO_NEXT_METHOD);
    assert_string_equal(lb_entry_rule(found)->context, "a");
    assert_null(lb_entry_rule(found->next));
    assert_non_null(w);
}

static void explaining_says_when_a_value_is_unknown(void **state)
{
    world *w = *state;
    stage s = set_up(w);
    add(lb_is(s.a), "a");
    add(lb_where(s.a, &is_even), "even");
    add(lb_eql(s.a, lb_pointer(&s.u)), "u");
    lb_explanation *why = NULL;
    assert_ok(lb_explain(LB_GENERIC_OF(run), 1, &s.b, NULL, &why));
    size_t unknown = 0;
    for (size_t i = 0; i < why->count; i++)
        unknown += why->items[i].verdict == LB_UNKNOWN_VALUE;
    assert_int_equal(unknown, 2);
    lb_explanation_free(why);
    const lb_value value = lb_pointer(&s.t);
    s.t.number = 1;
    assert_ok(lb_explain(LB_GENERIC_OF(run), 1, &s.b, &value, &why));
    assert_int_equal(why->status, LB_OK);
    assert_int_equal(why->count, 3);
    assert_int_equal(why->items[0].verdict, LB_CHOSEN);
    assert_string_equal(why->items[0].rule->context, "a");
    for (size_t i = 1; i < 3; i++) {
        const int eql = why->items[i].rule->specializers[0].kind == LB_EQL;
        assert_int_equal(why->items[i].verdict,
                         eql ? LB_REJECTED_VALUE : LB_REJECTED_PREDICATE);
        assert_int_equal(why->items[i].argument, 0);
    }
    lb_explanation_free(why);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_goes_before_its_class),
        TEST(a_value_must_be_of_the_class_named),
        TEST(many_values_share_a_class),
        TEST(values_are_equal_as_their_function_says),
        TEST(a_predicate_goes_just_before_its_class),
        TEST(a_predicate_is_asked_at_every_call),
        TEST(two_predicates_on_one_class_are_unordered),
        TEST(a_predicate_that_implies_another_goes_first),
        TEST(a_failing_predicate_ends_the_call),
        TEST(values_select_in_every_position),
        TEST(resolving_asks_values_that_are_given),
        TEST(explaining_says_when_a_value_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
