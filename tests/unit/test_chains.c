/* What runs in one call: the next method, befores, afters and arounds,
 * propagation, commutative rules. Methods note the name in their context.
 */
#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, run, (ON, const thing *, t), (WITH, int, depth));
LB_DEFINE_GENERIC(run);
LB_METHOD(run, run_noted);    /* notes, then the next method    */
LB_METHOD(run, run_last);     /* notes only                     */
LB_METHOD(run, run_again);    /* calls the generic from inside  */
LB_METHOD(run, run_removing); /* removes itself, then the next  */
LB_METHOD(run, run_twice);    /* calls the next method twice    */
LB_METHOD(run, run_checking); /* notes how its chain ends       */

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_COMMUTES_PAIR(int, meet, const thing *);
static lb_fn_meet meet_fallback;
LB_DEFINE_COMMUTATIVE_WITH(meet, meet_fallback);
LB_METHOD(meet, meet_noted);

LB_GENERIC(long, mix, (ON, const thing *, a), (ON, const thing *, b),
           (WITH, long, x), (ON, const thing *, c));
LB_COMMUTES(long, mix, const thing *, (WITH, long, x), (ON, const thing *, c));
LB_DEFINE_COMMUTATIVE(mix);
LB_METHOD(mix, mix_noted);

static int run_noted(lb_slot slot, const thing *t, int depth)
{
    LB_SELF(run, run_noted, slot, t, depth);
    note(self->context);
    return 1 + (lb_has_next(self) ? lb_next_run(self, t, depth) : 0);
}

static int run_last(lb_slot slot, const thing *t, int depth)
{
    LB_SELF(run, run_last, slot, t, depth);
    note(self->context);
    return 1;
}

static int run_again(lb_slot slot, const thing *t, int depth)
{
    LB_SELF(run, run_again, slot, t, depth);
    note(self->context);
    const int deeper = depth > 0 ? run(t, depth - 1) : 0;
    return 100 + deeper + lb_next_run(self, t, depth);
}

static int run_removing(lb_slot slot, const thing *t, int depth)
{
    LB_SELF(run, run_removing, slot, t, depth);
    note("removing");
    assert_ok(lb_remove_classes(LB_HEAD(run), LB_DESCRIPTOR(run_removing),
                                self->context));
    const int inner = run(t, depth);
    return 100 * inner + lb_next_run(self, t, depth);
}

static int run_twice(lb_slot slot, const thing *t, int depth)
{
    LB_SELF(run, run_twice, slot, t, depth);
    note(self->context);
    return lb_next_run(self, t, depth) + lb_next_run(self, t, depth);
}

static int run_checking(lb_slot slot, const thing *t, int depth)
{
    LB_SELF(run, run_checking, slot, t, depth);
    note(lb_status_name((lb_status)self->next->status));
    return lb_has_next(self) ? lb_next_run(self, t, depth) : 0;
}

static int meet_fallback(lb_slot slot, const thing *a, const thing *b)
{
    note(lb_status_name((lb_status)lb_load_entry(slot)->status));
    return a == b ? -1 : -2;
}

/* Notes its name and the numbers of its arguments, in its own order. */
static int swapped; /* what the last meet_noted was told */

static int meet_noted(lb_slot slot, const thing *a, const thing *b)
{
    LB_SELF(meet, meet_noted, slot, a, b);
    char text[64];
    (void)snprintf(text, sizeof text, "%s(%d,%d)", (const char *)self->context,
                   (int)a->number, (int)b->number);
    note(text);
    swapped = lb_is_swapped(self);
    return 1 + (lb_has_next(self) ? lb_next_meet(self, a, b) : 0);
}

static long mix_noted(lb_slot slot, const thing *a, const thing *b, long x,
                      const thing *c)
{
    LB_SELF(mix, mix_noted, slot, a, b, x, c);
    char text[64];
    (void)snprintf(text, sizeof text, "%s(%d,%d,%ld,%d)",
                   (const char *)self->context, (int)a->number, (int)b->number,
                   x, (int)c->number);
    note(text);
    return 1 + (lb_has_next(self) ? lb_next_mix(self, a, b, x, c) : 0);
}

/* ---- One argument ------------------------------------------------------ */

/* Three classes, c below b below a, and an object of c. */
typedef struct stage {
    lb_generic *run;
    lb_class *a, *b, *c;
    thing t;
} stage;

static stage set_up(world *w)
{
    stage s;
    assert_ok(lb_bind(w->runtime, LB_HEAD(run), NULL));
    s.run = LB_GENERIC_OF(run);
    s.a = world_class(w, "a", NULL, NULL);
    s.b = world_class(w, "b", s.a, NULL);
    s.c = world_class(w, "c", s.b, NULL);
    s.t = thing_of(s.c);
    return s;
}

/* Adds a rule; `name` is what it notes. */
static void add_as(const stage *s, lb_class *cls, const lb_method *method,
                   const char *name, lb_qualifier qualifier,
                   lb_propagate propagate)
{
    const lb_specializer at = lb_is(cls);
    const lb_rule rule = {.method = method,
                          .specializers = &at,
                          .count = 1,
                          .qualifier = qualifier,
                          .propagate = propagate,
                          .context = (void *)(uintptr_t)name};
    assert_ok(lb_add_rules(s->run, &rule, 1));
}

static void add(const stage *s, lb_class *cls, const char *name)
{
    add_as(s, cls, LB_DESCRIPTOR(run_noted), name, LB_PRIMARY, 0);
}

/* Runs three times, to pass through the slow path and the fast one. */
static void expect(const stage *s, const char *words, int result)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(&s->t, 0), result);
        assert_string_equal(notes_take(), words);
    }
}

static void the_next_method_is_the_next_most_specific(void **state)
{
    const stage s = set_up(*state);
    add(&s, s.b, "b");
    add(&s, s.a, "a");
    add(&s, s.c, "c");
    expect(&s, "c b a", 3);
    assert_ok(lb_remove(LB_HEAD(run), NULL, s.b));
    expect(&s, "c a", 2);
    add(&s, s.b, "B");
    expect(&s, "c B a", 3);
}

static void the_end_of_the_chain_is_known(void **state)
{
    const stage s = set_up(*state);
    add_as(&s, s.a, LB_DESCRIPTOR(run_checking), NULL, LB_PRIMARY, 0);
    expect(&s, "LB_NO_NEXT_METHOD", 0);
    add(&s, s.b, "b");
    expect(&s, "b LB_NO_NEXT_METHOD", 1);
}

static void calling_beyond_the_end_runs_the_fallback(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    add_as(&s, s.a, LB_DESCRIPTOR(run_twice), "twice", LB_PRIMARY, 0);
    assert_int_equal(run(&s.t, 0), 0);
    assert_int_equal(w->reported, LB_NO_NEXT_METHOD);
    assert_int_equal(w->reports, 2);
}

static void the_next_method_may_be_called_twice(void **state)
{
    const stage s = set_up(*state);
    add(&s, s.a, "a");
    add_as(&s, s.b, LB_DESCRIPTOR(run_twice), "b", LB_PRIMARY, 0);
    add_as(&s, s.c, LB_DESCRIPTOR(run_twice), "c", LB_PRIMARY, 0);
    expect(&s, "c b a a b a a", 4);
}

static void the_next_method_is_reentrant(void **state)
{
    const stage s = set_up(*state);
    add(&s, s.a, "a");
    add_as(&s, s.b, LB_DESCRIPTOR(run_again), "b", LB_PRIMARY, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(&s.t, 2), 303);
        assert_string_equal(notes_take(), "b b b a a a");
    }
}

static void a_method_removed_while_it_runs_still_has_its_next(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    add(&s, s.a, "a");
    for (int i = 0; i < 3; i++) {
        lb_class *const at[LB_MAX_DISPATCH] = {s.c};
        const lb_specializer spec = lb_is(s.c);
        const lb_rule rule = {.method = LB_DESCRIPTOR(run_removing),
                              .specializers = &spec,
                              .count = 1,
                              .context = (void *)(uintptr_t)at};
        assert_ok(lb_add_rules(s.run, &rule, 1));
        assert_int_equal(run(&s.t, 0), 101);
        assert_string_equal(notes_take(), "removing a a");
        expect(&s, "a", 1);
        assert_ok(lb_quiesce(w->runtime));
        expect(&s, "a", 1);
    }
}

static void a_bracket_guards_a_method_that_removes_itself(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_class *const at[LB_MAX_DISPATCH] = {s.c};
    const lb_specializer spec = lb_is(s.c);
    const lb_rule rule = {.method = LB_DESCRIPTOR(run_removing),
                          .specializers = &spec,
                          .count = 1,
                          .context = (void *)(uintptr_t)at};
    lb_reader *reader = NULL;
    assert_ok(lb_reader_create(w->runtime, &reader));
    add(&s, s.a, "a");
    for (int i = 0; i < 3; i++) {
        assert_ok(lb_add_rules(s.run, &rule, 1));
        lb_enter(reader);
        assert_int_equal(run(&s.t, 0), 101);
        lb_leave(reader);
        assert_string_equal(notes_take(), "removing a a");
    }
    assert_ok(lb_reader_destroy(reader));
}

static void befores_run_first_and_afters_last(void **state)
{
    const stage s = set_up(*state);
    const lb_method *m = LB_DESCRIPTOR(run_last);
    add(&s, s.a, "a");
    add(&s, s.c, "c");
    add_as(&s, s.a, m, "before-a", LB_BEFORE, 0);
    add_as(&s, s.c, m, "before-c", LB_BEFORE, 0);
    add_as(&s, s.a, m, "after-a", LB_AFTER, 0);
    add_as(&s, s.c, m, "after-c", LB_AFTER, 0);
    expect(&s, "before-c before-a c a after-a after-c", 2);
    const lb_specializer at = lb_is(s.a);
    const lb_rule rule = {
        .specializers = &at, .count = 1, .qualifier = LB_BEFORE};
    assert_ok(lb_remove_rules(s.run, &rule, 1));
    expect(&s, "before-c c a after-a after-c", 2);
}

static void arounds_run_outermost_and_may_cut_the_rest(void **state)
{
    const stage s = set_up(*state);
    add(&s, s.a, "a");
    add_as(&s, s.a, LB_DESCRIPTOR(run_last), "before", LB_BEFORE, 0);
    add_as(&s, s.a, LB_DESCRIPTOR(run_noted), "around-a", LB_AROUND, 0);
    add_as(&s, s.c, LB_DESCRIPTOR(run_noted), "around-c", LB_AROUND, 0);
    expect(&s, "around-c around-a before a", 3);
    add_as(&s, s.b, LB_DESCRIPTOR(run_last), "cut", LB_AROUND, 0);
    expect(&s, "around-c cut", 2);
}

static void an_around_may_run_the_rest_twice(void **state)
{
    const stage s = set_up(*state);
    add(&s, s.a, "a");
    add_as(&s, s.a, LB_DESCRIPTOR(run_last), "after", LB_AFTER, 0);
    add_as(&s, s.a, LB_DESCRIPTOR(run_twice), "twice", LB_AROUND, 0);
    expect(&s, "twice a after a after", 2);
}

static void without_a_primary_nothing_runs(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    const lb_method *m = LB_DESCRIPTOR(run_noted);
    int result = 0;
    add_as(&s, s.a, m, "before", LB_BEFORE, 0);
    add_as(&s, s.a, m, "after", LB_AFTER, 0);
    add_as(&s, s.a, m, "around", LB_AROUND, 0);
    assert_status(LB_NO_METHOD, lb_try_run(&result, &s.t, 0));
    assert_int_equal(run(&s.t, 0), 0);
    assert_string_equal(notes_take(), "");
    assert_int_equal(w->reported, LB_NO_METHOD);
}

static void at_start_the_next_method_runs_by_itself_before(void **state)
{
    const stage s = set_up(*state);
    const lb_method *m = LB_DESCRIPTOR(run_last);
    add_as(&s, s.a, m, "a", LB_PRIMARY, LB_AT_START);
    add_as(&s, s.b, m, "b", LB_PRIMARY, LB_AT_START);
    add_as(&s, s.c, m, "c", LB_PRIMARY, LB_AT_START);
    expect(&s, "a b c", 1);
}

static void at_end_the_next_method_runs_by_itself_after(void **state)
{
    const stage s = set_up(*state);
    const lb_method *m = LB_DESCRIPTOR(run_last);
    add_as(&s, s.a, m, "a", LB_PRIMARY, LB_AT_END);
    add_as(&s, s.b, m, "b", LB_PRIMARY, 0);
    add_as(&s, s.c, m, "c", LB_PRIMARY, LB_AT_END);
    expect(&s, "c b", 1);
    add_as(&s, s.b, m, "b", LB_PRIMARY, LB_AT_END);
    expect(&s, "c b a", 1);
    add_as(&s, s.b, m, "b", LB_PRIMARY, LB_AT_START);
    expect(&s, "c a b", 1);
}

static void propagation_works_inside_a_frame(void **state)
{
    const stage s = set_up(*state);
    const lb_method *m = LB_DESCRIPTOR(run_last);
    add_as(&s, s.a, m, "a", LB_PRIMARY, 0);
    add_as(&s, s.c, m, "c", LB_PRIMARY, LB_AT_END);
    add_as(&s, s.a, m, "before", LB_BEFORE, 0);
    add_as(&s, s.b, m, "after", LB_AFTER, 0);
    expect(&s, "before c a after", 1);
    add_as(&s, s.b, m, "around", LB_AROUND, LB_AT_START);
    expect(&s, "before c a after around", 1);
}

static void rules_that_differ_in_qualifier_only_live_side_by_side(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    add(&s, s.c, "c");
    add_as(&s, s.c, LB_DESCRIPTOR(run_last), "before", LB_BEFORE, 0);
    assert_int_equal(world_statistics(w).rules, 2);
    expect(&s, "before c", 1);
    add_as(&s, s.c, LB_DESCRIPTOR(run_last), "earlier", LB_BEFORE, 0);
    assert_int_equal(world_statistics(w).rules, 2);
    expect(&s, "earlier c", 1);
}

/* ---- Commutative rules -------------------------------------------------- */

static void add_meet(lb_class *x, lb_class *y, const char *name, int commutes)
{
    const lb_specializer at[] = {x ? lb_is(x) : lb_any(),
                                 y ? lb_is(y) : lb_any()};
    const lb_rule rule = {.method = LB_DESCRIPTOR(meet_noted),
                          .specializers = at,
                          .count = 2,
                          .commutative = commutes,
                          .context = (void *)(uintptr_t)name};
    assert_ok(lb_add_rules(LB_GENERIC_OF(meet), &rule, 1));
}

static void expect_meet(const thing *a, const thing *b, const char *words,
                        int result)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(meet(a, b), result);
        assert_string_equal(notes_take(), words);
    }
}

static void a_commutative_rule_gets_its_arguments_in_its_order(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    thing t = thing_of(a), u = thing_of(b);
    t.number = 1;
    u.number = 2;
    add_meet(a, b, "ab", 1);
    expect_meet(&t, &u, "ab(1,2)", 1);
    expect_meet(&u, &t, "ab(1,2)", 1);
    expect_meet(&t, &t, "LB_NO_METHOD", -1);
    add_meet(a, b, "ab", 0);
    expect_meet(&u, &t, "LB_NO_METHOD", -2);
}

static void a_rule_taken_away_is_not_flipped_any_more(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    thing t = thing_of(a), u = thing_of(b);
    for (int i = 0; i < 3; i++) {
        add_meet(a, b, "ab", 1);
        expect_meet(&u, &t, "ab(0,0)", 1);
        add_meet(a, b, "straight", 0);
        expect_meet(&u, &t, "LB_NO_METHOD", -2);
        expect_meet(&t, &u, "straight(0,0)", 1);
        assert_ok(lb_remove(LB_HEAD(meet), NULL, a, b));
        expect_meet(&t, &u, "LB_NO_METHOD", -2);
        assert_ok(lb_quiesce(w->runtime));
        expect_meet(&u, &t, "LB_NO_METHOD", -2);
    }
}

static void a_flipped_rule_hands_on_the_arguments_unflipped(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    thing t = thing_of(a), u = thing_of(b);
    t.number = 1;
    u.number = 2;
    add_meet(NULL, NULL, "any", 0);
    add_meet(a, b, "ab", 1);
    expect_meet(&t, &u, "ab(1,2) any(1,2)", 2);
    expect_meet(&u, &t, "ab(1,2) any(2,1)", 2);
    add_meet(NULL, b, "b", 1);
    expect_meet(&u, &t, "ab(1,2) b(1,2) any(2,1)", 3);
    expect_meet(&u, &u, "b(2,2) any(2,2)", 2);
    add_meet(b, a, "ba", 0);
    expect_meet(&u, &t, "ba(2,1) ab(1,2) b(1,2) any(2,1)", 4);
}

static void equal_specializers_have_no_flipped_form(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const thing t = thing_of(a);
    add_meet(a, a, "aa", 1);
    expect_meet(&t, &t, "aa(0,0)", 1);
}

static void a_rule_that_applies_as_it_stands_is_not_flipped(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    thing t = thing_of(b), u = thing_of(b);
    t.number = 1;
    u.number = 2;
    add_meet(a, b, "ab", 1);
    expect_meet(&t, &u, "ab(1,2)", 1);
    u = thing_of(a);
    u.number = 3;
    expect_meet(&t, &u, "ab(3,1)", 1);
    assert_int_equal(w->reports, 0);
}

static void commutative_rules_carry_further_arguments(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(mix), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    thing t = thing_of(a), u = thing_of(b);
    const lb_specializer at[] = {lb_is(a), lb_is(b), lb_is(a)};
    lb_rule rule = {.method = LB_DESCRIPTOR(mix_noted),
                    .specializers = at,
                    .count = 3,
                    .commutative = 1,
                    .context = (void *)(uintptr_t) "aba"};
    t.number = 1;
    u.number = 2;
    assert_ok(lb_add_rules(LB_GENERIC_OF(mix), &rule, 1));
    rule.count = 0;
    rule.commutative = 0;
    rule.context = (void *)(uintptr_t) "any";
    assert_ok(lb_add_rules(LB_GENERIC_OF(mix), &rule, 1));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mix(&u, &t, 5, &t), 2);
        assert_string_equal(notes_take(), "aba(1,2,5,1) any(2,1,5,1)");
        assert_int_equal(mix(&t, &u, 5, &t), 2);
        assert_string_equal(notes_take(), "aba(1,2,5,1) any(1,2,5,1)");
        assert_int_equal(mix(&u, &t, 5, &u), 1);
        assert_string_equal(notes_take(), "any(2,1,5,2)");
    }
}

static void only_a_commuting_generic_takes_commutative_rules(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    const lb_specializer at = lb_is(s.a);
    const lb_rule rule = {.method = LB_DESCRIPTOR(run_noted),
                          .specializers = &at,
                          .count = 1,
                          .commutative = 1};
    assert_status(LB_BAD_ARGUMENT, lb_add_rules(s.run, &rule, 1));
    assert_int_equal(world_statistics(w).rules, 0);
}

static void flipped_rules_live_with_befores_and_propagation(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    thing t = thing_of(a), u = thing_of(b);
    const lb_specializer at[] = {lb_is(a), lb_is(b)};
    lb_rule rule = {.method = LB_DESCRIPTOR(meet_noted),
                    .specializers = at,
                    .count = 2,
                    .commutative = 1,
                    .qualifier = LB_BEFORE,
                    .context = (void *)(uintptr_t) "before"};
    t.number = 1;
    u.number = 2;
    add_meet(NULL, NULL, "any", 0);
    assert_ok(lb_add_rules(LB_GENERIC_OF(meet), &rule, 1));
    expect_meet(&u, &t, "before(1,2) any(2,1)", 1);
    rule.qualifier = LB_AROUND;
    rule.context = (void *)(uintptr_t) "around";
    assert_ok(lb_add_rules(LB_GENERIC_OF(meet), &rule, 1));
    expect_meet(&u, &t, "around(1,2) before(1,2) any(2,1)", 2);
    expect_meet(&t, &u, "around(1,2) before(1,2) any(1,2)", 2);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

static void a_method_can_ask_whether_it_was_flipped(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    const thing t = thing_of(a), u = thing_of(b);
    const lb_rule like = {.method = LB_DESCRIPTOR(meet_noted),
                          .commutative = 1,
                          .context = (void *)(uintptr_t) "m"};
    assert_ok(lb_add_like(LB_HEAD(meet), &like, a, b));
    expect_meet(&t, &u, "m(0,0)", 1);
    assert_int_equal(swapped, 0);
    expect_meet(&u, &t, "m(0,0)", 1);
    assert_int_equal(swapped, 1);
}

LB_GENERIC_VOID(bump, (ON, const thing *, a), (ON, const thing *, b));
LB_COMMUTES_PAIR_VOID(bump, const thing *);
LB_DEFINE_COMMUTATIVE(bump);
LB_METHOD(bump, bump_noted);
static void bump_noted(lb_slot slot, const thing *a, const thing *b)
{
    LB_SELF_VOID(bump, bump_noted, slot, a, b);
    char text[32];
    (void)snprintf(text, sizeof text, "%d-%d", (int)a->number, (int)b->number);
    note(text);
    if (lb_has_next(self))
        lb_next_bump(self, a, b);
}

static void rules_without_a_result_commute_too(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(bump), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    thing t = thing_of(a), u = thing_of(b);
    t.number = 1;
    u.number = 2;
    const lb_rule like = {.method = LB_DESCRIPTOR(bump_noted),
                          .commutative = 1};
    assert_ok(lb_add_like(LB_HEAD(bump), &like, a, b));
    bump(&t, &u);
    bump(&u, &t);
    assert_string_equal(notes_take(), "1-2 1-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_method_is_the_next_most_specific),
        TEST(the_end_of_the_chain_is_known),
        TEST(calling_beyond_the_end_runs_the_fallback),
        TEST(the_next_method_may_be_called_twice),
        TEST(the_next_method_is_reentrant),
        TEST(a_method_removed_while_it_runs_still_has_its_next),
        cmocka_unit_test_setup_teardown(
            a_bracket_guards_a_method_that_removes_itself, world_open_single,
            world_close),
        TEST(befores_run_first_and_afters_last),
        TEST(arounds_run_outermost_and_may_cut_the_rest),
        TEST(an_around_may_run_the_rest_twice),
        TEST(without_a_primary_nothing_runs),
        TEST(at_start_the_next_method_runs_by_itself_before),
        TEST(at_end_the_next_method_runs_by_itself_after),
        TEST(propagation_works_inside_a_frame),
        TEST(rules_that_differ_in_qualifier_only_live_side_by_side),
        TEST(a_commutative_rule_gets_its_arguments_in_its_order),
        TEST(a_rule_taken_away_is_not_flipped_any_more),
        TEST(a_flipped_rule_hands_on_the_arguments_unflipped),
        TEST(equal_specializers_have_no_flipped_form),
        TEST(a_rule_that_applies_as_it_stands_is_not_flipped),
        TEST(commutative_rules_carry_further_arguments),
        TEST(only_a_commuting_generic_takes_commutative_rules),
        TEST(flipped_rules_live_with_befores_and_propagation),
        TEST(a_method_can_ask_whether_it_was_flipped),
        TEST(rules_without_a_result_commute_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
