/* Every order of specificity and every combination, on small hand-made cases.
 * (The oracle's program compares them on random ones.)
 */
#include <stdbool.h>

#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_DEFINE_GENERIC(meet);
LB_METHOD(meet, meet_noted);

LB_GENERIC(double, total, (ON, const thing *, t));
LB_DEFINE_GENERIC(total);
LB_METHOD(total, total_noted);

LB_GENERIC(bool, allowed, (ON, const thing *, t));
LB_DEFINE_GENERIC(allowed);
LB_METHOD(allowed, allowed_noted);

LB_GENERIC_VOID(visit, (ON, const thing *, t));
LB_DEFINE_GENERIC(visit);
LB_METHOD(visit, visit_noted);

LB_GENERIC(const char *, label, (ON, const thing *, t));
LB_DEFINE_GENERIC(label);

static int meet_noted(lb_slot slot, const thing *a, const thing *b)
{
    LB_SELF(meet, meet_noted, slot, a, b);
    note(self->context);
    return 1 + (lb_has_next(self) ? lb_next_meet(self, a, b) : 0);
}

/* A rule's context: a name and the result. */
typedef struct answer {
    const char *name;
    double result;
} answer;

static double total_noted(lb_slot slot, const thing *t)
{
    LB_SELF(total, total_noted, slot, t);
    const answer *mine = self->context;
    note(mine->name);
    return mine->result;
}

static bool allowed_noted(lb_slot slot, const thing *t)
{
    LB_SELF(allowed, allowed_noted, slot, t);
    const answer *mine = self->context;
    note(mine->name);
    return mine->result != 0;
}

static void visit_noted(lb_slot slot, const thing *t)
{
    LB_SELF_VOID(visit, visit_noted, slot, t)
    note(((const answer *)self->context)->name);
}

/* ---- Orders ------------------------------------------------------------- */

static void bind_meet(world *w, lb_policy policy)
{
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), &policy));
}

static void add_at(lb_specializer a, lb_specializer b, const char *name)
{
    const lb_specializer at[] = {a, b};
    const lb_rule rule = {.method = LB_DESCRIPTOR(meet_noted),
                          .specializers = at,
                          .count = 2,
                          .context = (void *)(uintptr_t)name};
    assert_ok(lb_add_rules(LB_GENERIC_OF(meet), &rule, 1));
}

static void add_meet(lb_class *a, lb_class *b, const char *name)
{
    add_at(a ? lb_is(a) : lb_any(), b ? lb_is(b) : lb_any(), name);
}

static void expect(const thing *a, const thing *b, const char *words)
{
    for (int i = 0; i < 3; i++) {
        (void)meet(a, b);
        assert_string_equal(notes_take(), words);
    }
}

static void expect_status(const thing *a, const thing *b, lb_status status)
{
    int result = 0;
    for (int i = 0; i < 3; i++)
        assert_status(status, lb_try_meet(&result, a, b));
}

/* Classes a > b > c and objects of c; d on its own. */
typedef struct stage {
    lb_class *a, *b, *c;
    thing t;
} stage;

static stage set_up(world *w, lb_policy policy)
{
    stage s;
    bind_meet(w, policy);
    s.a = world_class(w, "a", NULL, NULL);
    s.b = world_class(w, "b", s.a, NULL);
    s.c = world_class(w, "c", s.b, NULL);
    s.t = thing_of(s.c);
    return s;
}

static void symmetric_order_wants_no_argument_less_specific(void **state)
{
    const stage s = set_up(*state, (lb_policy){.order = LB_SYMMETRIC});
    add_meet(s.a, s.a, "aa");
    add_meet(s.b, s.a, "ba");
    expect(&s.t, &s.t, "ba aa");
    add_meet(s.a, s.b, "ab");
    expect_status(&s.t, &s.t, LB_AMBIGUOUS);
    assert_contains(lb_message(), "meet");
    add_meet(s.b, s.b, "bb");
    /* The chain ends where it becomes ambiguous. */
    expect(&s.t, &s.t, "bb");
    const thing u = thing_of(s.a);
    expect(&s.t, &u, "ba aa");
}

static void lexicographic_order_looks_at_the_left_argument_first(void **state)
{
    const stage s = set_up(*state, (lb_policy){.order = LB_LEXICOGRAPHIC});
    add_meet(s.a, s.b, "ab");
    add_meet(s.b, s.a, "ba");
    add_meet(s.a, s.c, "ac");
    add_meet(s.a, s.a, "aa");
    expect(&s.t, &s.t, "ba ac ab aa");
}

static void precedence_says_which_argument_is_first(void **state)
{
    const uint32_t precedence[] = {1, 0};
    const stage s = set_up(*state, (lb_policy){.order = LB_LEXICOGRAPHIC,
                                               .precedence = precedence,
                                               .precedence_count = 2});
    add_meet(s.a, s.b, "ab");
    add_meet(s.b, s.a, "ba");
    add_meet(s.a, s.c, "ac");
    add_meet(s.a, s.a, "aa");
    expect(&s.t, &s.t, "ac ab ba aa");
}

static void dylans_order_goes_by_subtype_before_position(void **state)
{
    world *w = *state;
    const stage s = set_up(w, (lb_policy){.order = LB_DYLAN});
    add_meet(s.a, s.a, "aa");
    add_meet(s.c, s.b, "cb");
    add_meet(s.b, s.b, "bb");
    expect(&s.t, &s.t, "cb bb aa");
    /* Unrelated classes are compared by place, subclasses by kind. */
    lb_class *x = world_class(w, "x", NULL, NULL);
    lb_class *y = world_class(w, "y", NULL, NULL);
    lb_class *xy = world_class(w, "xy", x, y);
    const thing u = thing_of(xy);
    add_meet(y, NULL, "y");
    add_meet(x, NULL, "x");
    expect(&u, &u, "x y");
}

static void dylans_order_keeps_a_subclass_before_a_custom_order(void **state)
{
    /* A supplied linearization may put a class before its subclass; Dylan's
     * order goes by subtype nevertheless, the symmetric one by place. */
    world *w = *state;
    const stage s = set_up(w, (lb_policy){.order = LB_DYLAN});
    lb_class *order[] = {s.a, s.b};
    add_meet(s.a, NULL, "a");
    add_meet(s.b, NULL, "b");
    assert_ok(lb_class_set_linearization(s.c, order, 2));
    expect(&s.t, &s.t, "b a");
}

static void a_changed_relation_reaches_dylans_order(void **state)
{
    world *w = *state;
    const stage s = set_up(w, (lb_policy){.order = LB_DYLAN});
    lb_class *x = world_class(w, "x", NULL, NULL);
    lb_class *y = world_class(w, "y", x, NULL);
    lb_class *z = world_class(w, "z", NULL, NULL);
    lb_class *order[] = {x, y};
    const thing t = thing_of(z);
    add_meet(x, NULL, "x");
    add_meet(y, NULL, "y");
    assert_ok(lb_class_set_linearization(z, order, 2));
    expect(&t, &t, "y x"); /* a subclass goes first */
    assert_ok(lb_class_set_bases(y, NULL, 0));
    expect(&t, &t, "x y"); /* unrelated now: by place */
    assert_ok(lb_class_set_bases(y, &s.a, 1));
    expect(&t, &t, "x y");
}

static void symmetric_order_goes_by_place(void **state)
{
    const stage s = set_up(*state, (lb_policy){.order = LB_SYMMETRIC});
    lb_class *order[] = {s.a, s.b};
    add_meet(s.a, NULL, "a");
    add_meet(s.b, NULL, "b");
    expect(&s.t, &s.t, "b a");
    assert_ok(lb_class_set_linearization(s.c, order, 2));
    expect(&s.t, &s.t, "a b");
}

static void weighted_order_sums_the_distances(void **state)
{
    const stage s = set_up(*state, (lb_policy){.order = LB_WEIGHTED});
    add_meet(s.a, s.a, "aa"); /* 4 + 4 */
    add_meet(s.c, s.a, "ca"); /* 0 + 4 */
    add_meet(s.b, s.c, "bc"); /* 2 + 0 */
    expect(&s.t, &s.t, "bc ca aa");
    add_meet(s.c, s.b, "cb"); /* 0 + 2 */
    expect_status(&s.t, &s.t, LB_AMBIGUOUS);
    add_at(lb_eql(NULL, lb_pointer(&s.t)), lb_is(s.b), "vb"); /* -2 + 2 */
    (void)meet(&s.t, &s.t);
    assert_string_equal(notes_take(), "vb");
}

static void definition_order_takes_the_first_or_the_last(void **state)
{
    world *w = *state;
    const stage s = set_up(w, (lb_policy){.order = LB_DEFINITION});
    add_meet(s.a, s.a, "aa");
    add_meet(s.c, s.c, "cc");
    add_meet(s.b, NULL, "b");
    expect(&s.t, &s.t, "aa cc b");
    add_meet(s.a, s.a, "AA"); /* a replaced rule keeps its place */
    expect(&s.t, &s.t, "AA cc b");
    assert_ok(lb_remove(LB_HEAD(meet), NULL, s.a, s.a));
    add_meet(s.a, s.a, "aa");
    expect(&s.t, &s.t, "cc b aa");
    assert_int_equal(w->reports, 0);
}

static void reverse_definition_order_takes_the_last(void **state)
{
    const stage s = set_up(*state, (lb_policy){.order = LB_REVERSE_DEFINITION});
    add_meet(s.a, s.a, "aa");
    add_meet(s.c, s.c, "cc");
    add_meet(s.b, NULL, "b");
    expect(&s.t, &s.t, "b cc aa");
}

/* Orders by the first letters of the rules' names. */
static int by_name(void *context, const lb_rule *a, const lb_rule *b,
                   lb_class *const *classes, size_t count)
{
    assert_int_equal(count, 2);
    assert_non_null(classes[0]);
    assert_non_null(classes[1]);
    (*(int *)context)++;
    const char left = *(const char *)a->context;
    const char right = *(const char *)b->context;
    return left < right ? -1 : left > right;
}

static void a_replaced_rule_is_ordered_anew_by_ones_own_order(void **state)
{
    int calls = 0;
    const stage s = set_up(*state, (lb_policy){.order = LB_USER_ORDER,
                                               .compare = by_name,
                                               .compare_context = &calls,
                                               .silent = 1});
    add_meet(s.a, s.a, "b");
    add_meet(s.c, s.c, "c");
    expect(&s.t, &s.t, "b c");
    add_meet(s.a, s.a, "z");
    expect(&s.t, &s.t, "c z");
}

static void an_order_of_ones_own_decides(void **state)
{
    int calls = 0;
    const stage s = set_up(*state, (lb_policy){.order = LB_USER_ORDER,
                                               .compare = by_name,
                                               .compare_context = &calls,
                                               .silent = 1});
    add_meet(s.a, s.a, "z");
    add_meet(s.c, s.c, "m");
    add_meet(s.b, NULL, "p");
    expect(&s.t, &s.t, "m p z");
    assert_true(calls > 0);
    add_meet(s.a, NULL, "m2");
    expect_status(&s.t, &s.t, LB_AMBIGUOUS);
}

/* ---- Combinations -------------------------------------------------------- */

static lb_class *chain_of(world *w, lb_class *out[3])
{
    out[0] = world_class(w, "a", NULL, NULL);
    out[1] = world_class(w, "b", out[0], NULL);
    out[2] = world_class(w, "c", out[1], NULL);
    return out[2];
}

static void add_answer(lb_head *head, const lb_method *method, lb_class *cls,
                       lb_qualifier qualifier, answer *mine)
{
    const lb_specializer at = lb_is(cls);
    const lb_rule rule = {.method = method,
                          .specializers = &at,
                          .count = 1,
                          .qualifier = qualifier,
                          .context = mine};
    assert_ok(lb_add_rules(head->generic, &rule, 1));
}

static void first_is_standard_but_never_ambiguous(void **state)
{
    world *w = *state;
    const stage s = set_up(w, (lb_policy){.combination = LB_FIRST});
    add_meet(s.a, s.b, "ab");
    add_meet(s.b, s.a, "ba");
    add_meet(s.a, s.a, "aa");
    expect(&s.t, &s.t, "ab ba aa");
    assert_int_equal(w->reports, 0);
}

static void sum_adds_the_results_of_all(void **state)
{
    world *w = *state;
    const lb_policy policy = {.combination = LB_SUM};
    lb_class *cls[3];
    answer a = {"a", 1}, b = {"b", 2.5}, c = {"c", 4};
    const thing t = thing_of(chain_of(w, cls)), u = thing_of(cls[0]);
    const lb_method *method = LB_DESCRIPTOR(total_noted);
    assert_ok(lb_bind(w->runtime, LB_HEAD(total), &policy));
    assert_true(total(&t) == 0);
    add_answer(LB_HEAD(total), method, cls[0], LB_PRIMARY, &a);
    add_answer(LB_HEAD(total), method, cls[2], LB_PRIMARY, &c);
    add_answer(LB_HEAD(total), method, cls[1], LB_PRIMARY, &b);
    for (int i = 0; i < 3; i++) {
        assert_true(total(&t) == 7.5);
        assert_string_equal(notes_take(), "c b a");
        assert_true(total(&u) == 1);
        assert_string_equal(notes_take(), "a");
    }
    answer before = {"before", 100}, after = {"after", 100};
    add_answer(LB_HEAD(total), method, cls[0], LB_BEFORE, &before);
    add_answer(LB_HEAD(total), method, cls[0], LB_AFTER, &after);
    assert_true(total(&t) == 7.5);
    assert_string_equal(notes_take(), "before c b a after");
}

static void and_stops_at_the_first_that_is_false(void **state)
{
    world *w = *state;
    const lb_policy policy = {.combination = LB_AND};
    lb_class *cls[3];
    answer a = {"a", 1}, b = {"b", 0}, c = {"c", 1};
    const thing t = thing_of(chain_of(w, cls));
    const lb_method *method = LB_DESCRIPTOR(allowed_noted);
    assert_ok(lb_bind(w->runtime, LB_HEAD(allowed), &policy));
    add_answer(LB_HEAD(allowed), method, cls[0], LB_PRIMARY, &a);
    add_answer(LB_HEAD(allowed), method, cls[1], LB_PRIMARY, &b);
    add_answer(LB_HEAD(allowed), method, cls[2], LB_PRIMARY, &c);
    for (int i = 0; i < 3; i++) {
        assert_false(allowed(&t));
        assert_string_equal(notes_take(), "c b");
    }
    b.result = 1;
    assert_true(allowed(&t));
    assert_string_equal(notes_take(), "c b a");
    a.result = 0;
    assert_false(allowed(&t));
    assert_string_equal(notes_take(), "c b a");
}

static void or_stops_at_the_first_that_is_true(void **state)
{
    world *w = *state;
    const lb_policy policy = {.combination = LB_OR};
    lb_class *cls[3];
    answer a = {"a", 1}, b = {"b", 1}, c = {"c", 0};
    const thing t = thing_of(chain_of(w, cls));
    const lb_method *method = LB_DESCRIPTOR(allowed_noted);
    assert_ok(lb_bind(w->runtime, LB_HEAD(allowed), &policy));
    add_answer(LB_HEAD(allowed), method, cls[0], LB_PRIMARY, &a);
    add_answer(LB_HEAD(allowed), method, cls[1], LB_PRIMARY, &b);
    add_answer(LB_HEAD(allowed), method, cls[2], LB_PRIMARY, &c);
    for (int i = 0; i < 3; i++) {
        assert_true(allowed(&t));
        assert_string_equal(notes_take(), "c b");
    }
    a.result = b.result = 0;
    assert_false(allowed(&t));
    assert_string_equal(notes_take(), "c b a");
}

/* Keeps the largest; stops when it has seen 9. */
static int largest(void *context, void *accumulator, const void *result,
                   size_t index)
{
    double *best = accumulator;
    const double now = *(const double *)result;
    (*(size_t *)context) += index;
    if (index > 0 && now > *best)
        *best = now;
    return now == 9;
}

static void a_combination_of_ones_own_folds_the_results(void **state)
{
    world *w = *state;
    size_t indices = 0;
    const lb_policy policy = {.combination = LB_USER_COMBINATION,
                              .combine = largest,
                              .combine_context = &indices};
    lb_class *cls[3];
    answer a = {"a", 8}, b = {"b", 5}, c = {"c", 2};
    const thing t = thing_of(chain_of(w, cls));
    const lb_method *method = LB_DESCRIPTOR(total_noted);
    assert_ok(lb_bind(w->runtime, LB_HEAD(total), &policy));
    add_answer(LB_HEAD(total), method, cls[0], LB_PRIMARY, &a);
    add_answer(LB_HEAD(total), method, cls[1], LB_PRIMARY, &b);
    add_answer(LB_HEAD(total), method, cls[2], LB_PRIMARY, &c);
    assert_true(total(&t) == 8);
    assert_string_equal(notes_take(), "c b a");
    assert_int_equal(indices, 0 + 1 + 2);
    b.result = 9;
    assert_true(total(&t) == 9);
    assert_string_equal(notes_take(), "c b");
    c.result = 9;
    assert_true(total(&t) == 9);
    assert_string_equal(notes_take(), "c");
}

static void an_around_wraps_a_combination(void **state)
{
    world *w = *state;
    const lb_policy policy = {.combination = LB_SUM};
    lb_class *cls[3];
    answer a = {"a", 1}, b = {"b", 2}, cut = {"cut", 50};
    const thing t = thing_of(chain_of(w, cls));
    const lb_method *method = LB_DESCRIPTOR(total_noted);
    assert_ok(lb_bind(w->runtime, LB_HEAD(total), &policy));
    add_answer(LB_HEAD(total), method, cls[0], LB_PRIMARY, &a);
    add_answer(LB_HEAD(total), method, cls[1], LB_PRIMARY, &b);
    assert_true(total(&t) == 3);
    add_answer(LB_HEAD(total), method, cls[2], LB_AROUND, &cut);
    notes_take();
    assert_true(total(&t) == 50);
    assert_string_equal(notes_take(), "cut");
}

static void a_void_generic_may_run_all_its_methods(void **state)
{
    world *w = *state;
    const lb_policy policy = {.combination = LB_USER_COMBINATION,
                              .combine = largest};
    lb_class *cls[3];
    answer a = {"a", 0}, b = {"b", 0};
    const thing t = thing_of(chain_of(w, cls));
    const lb_method *method = LB_DESCRIPTOR(visit_noted);
    assert_ok(lb_bind(w->runtime, LB_HEAD(visit), &policy));
    add_answer(LB_HEAD(visit), method, cls[0], LB_PRIMARY, &a);
    add_answer(LB_HEAD(visit), method, cls[1], LB_PRIMARY, &b);
    for (int i = 0; i < 3; i++) {
        visit(&t);
        assert_string_equal(notes_take(), "b a");
    }
}

static void results_that_cannot_be_added_have_no_sum(void **state)
{
    world *w = *state;
    const lb_policy sum = {.combination = LB_SUM};
    const lb_policy list = {.combination = LB_LIST};
    const lb_policy append = {.combination = LB_APPEND};
    assert_status(LB_BAD_SIGNATURE, lb_bind(w->runtime, LB_HEAD(label), &sum));
    assert_status(LB_BAD_SIGNATURE, lb_bind(w->runtime, LB_HEAD(visit), &sum));
    assert_status(LB_BAD_SIGNATURE, lb_bind(w->runtime, LB_HEAD(total), &list));
    assert_status(LB_BAD_SIGNATURE,
                  lb_bind(w->runtime, LB_HEAD(total), &append));
    assert_null(LB_GENERIC_OF(total));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(symmetric_order_wants_no_argument_less_specific),
        TEST(lexicographic_order_looks_at_the_left_argument_first),
        TEST(precedence_says_which_argument_is_first),
        TEST(dylans_order_goes_by_subtype_before_position),
        TEST(dylans_order_keeps_a_subclass_before_a_custom_order),
        TEST(a_changed_relation_reaches_dylans_order),
        TEST(symmetric_order_goes_by_place),
        TEST(weighted_order_sums_the_distances),
        TEST(definition_order_takes_the_first_or_the_last),
        TEST(reverse_definition_order_takes_the_last),
        TEST(an_order_of_ones_own_decides),
        TEST(a_replaced_rule_is_ordered_anew_by_ones_own_order),
        TEST(first_is_standard_but_never_ambiguous),
        TEST(sum_adds_the_results_of_all),
        TEST(and_stops_at_the_first_that_is_false),
        TEST(or_stops_at_the_first_that_is_true),
        TEST(a_combination_of_ones_own_folds_the_results),
        TEST(an_around_wraps_a_combination),
        TEST(a_void_generic_may_run_all_its_methods),
        TEST(results_that_cannot_be_added_have_no_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
