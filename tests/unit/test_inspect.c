/* Explanations, lists of rules and ambiguities, and reports. */
#include <stdbool.h>

#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, run, (ON, const thing *, t));
LB_DEFINE_GENERIC(run);
LB_METHOD(run, run_noted);

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_COMMUTES_PAIR(int, meet, const thing *);
LB_DEFINE_COMMUTATIVE(meet);
LB_METHOD(meet, meet_noted);

LB_GENERIC(double, total, (ON, const thing *, t));
LB_DEFINE_GENERIC(total);
LB_METHOD(total, total_noted);

LB_GENERIC(int, join, (ON, const thing *, a), (ON, const thing *, b),
           (ON, const thing *, c));
LB_DEFINE_GENERIC(join);
LB_METHOD(join, join_one);

LB_BOXED_METHOD(speak_one);

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

static double total_noted(lb_slot slot, const thing *t)
{
    LB_SELF(total, total_noted, slot, t);
    note(self->context);
    return 1;
}

static int join_one(lb_slot slot, const thing *a, const thing *b,
                    const thing *c)
{
    LB_IGNORE(slot);
    return a != b && b != c;
}

static lb_status speak_one(lb_slot slot, size_t argc, const lb_value *argv,
                           lb_value *result)
{
    LB_IGNORE(slot);
    (void)argv;
    result->integer = (int64_t)argc;
    return LB_OK;
}

/* ---- The stage ---------------------------------------------------------- */

/* Classes a > b > c, and d on its own. */
typedef struct stage {
    lb_runtime *runtime;
    lb_class *a, *b, *c, *d;
    lb_generic *run, *meet;
} stage;

static stage set_up(world *w)
{
    stage s = {.runtime = w->runtime};
    assert_ok(lb_bind(w->runtime, LB_HEAD(run), NULL));
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    s.run = LB_GENERIC_OF(run);
    s.meet = LB_GENERIC_OF(meet);
    s.a = world_class(w, "a", NULL, NULL);
    s.b = world_class(w, "b", s.a, NULL);
    s.c = world_class(w, "c", s.b, NULL);
    s.d = world_class(w, "d", NULL, NULL);
    return s;
}

static lb_rule named(const lb_method *method, const lb_specializer *at,
                     size_t count, const char *name, lb_qualifier qualifier)
{
    return (lb_rule){.method = method,
                     .specializers = at,
                     .count = count,
                     .qualifier = qualifier,
                     .context = (void *)(uintptr_t)name};
}

static void add_run(const stage *s, lb_specializer at, const char *name,
                    lb_qualifier qualifier)
{
    const lb_rule rule =
        named(LB_DESCRIPTOR(run_noted), &at, 1, name, qualifier);
    assert_ok(lb_add_rules(s->run, &rule, 1));
}

static void add_meet(const stage *s, lb_class *a, lb_class *b, const char *name,
                     bool commutative)
{
    const lb_specializer at[] = {a ? lb_is(a) : lb_any(),
                                 b ? lb_is(b) : lb_any()};
    lb_rule rule = named(LB_DESCRIPTOR(meet_noted), at, 2, name, LB_PRIMARY);
    rule.commutative = commutative;
    assert_ok(lb_add_rules(s->meet, &rule, 1));
}

/* The items of an explanation as "name:verdict", * where swapped. */
static const char *items_of(const lb_explanation *why)
{
    static const char *const verdicts[] = {
        "chosen", "next",  "along", "tied",      "unreached",
        "arity",  "class", "value", "predicate", "unknown"};
    static char text[1024];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < why->count; i++) {
        const lb_explanation_item *item = &why->items[i];
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s%s:%s",
                             i ? " " : "", (const char *)item->rule->context,
                             item->swapped ? "*" : "", verdicts[item->verdict]);
    }
    return text;
}

static lb_explanation *explain(lb_generic *generic, lb_class *a, lb_class *b,
                               const lb_value *values)
{
    lb_class *classes[] = {a, b};
    lb_explanation *why = NULL;
    assert_ok(lb_explain(generic, lb_generic_dispatched(generic), classes,
                         values, &why));
    return why;
}

static void expect(lb_generic *generic, lb_class *a, lb_class *b,
                   lb_status status, const char *items)
{
    lb_explanation *why = explain(generic, a, b, NULL);
    assert_int_equal(why->status, status);
    assert_string_equal(items_of(why), items);
    lb_explanation_free(why);
}

/* ---- Explaining --------------------------------------------------------- */

static void explaining_lists_the_chain_first(void **state)
{
    const stage s = set_up(*state);
    add_run(&s, lb_any(), "any", LB_PRIMARY);
    add_run(&s, lb_is(s.d), "d", LB_PRIMARY);
    add_run(&s, lb_is(s.b), "b", LB_PRIMARY);
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    expect(s.run, s.c, NULL, LB_OK, "b:chosen a:next any:next d:class");
    expect(s.run, s.d, NULL, LB_OK, "d:chosen any:next b:class a:class");
    lb_explanation *why = explain(s.run, s.c, NULL, NULL);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(why->items[i].rank, i);
    assert_int_equal(why->items[3].argument, 0);
    assert_null(why->items[0].group);
    lb_explanation_free(why);
}

static void what_runs_along_comes_after_the_chain(void **state)
{
    const stage s = set_up(*state);
    const thing t = thing_of(s.c);
    add_run(&s, lb_is(s.a), "after-a", LB_AFTER);
    add_run(&s, lb_is(s.b), "after-b", LB_AFTER);
    add_run(&s, lb_is(s.a), "before-a", LB_BEFORE);
    add_run(&s, lb_is(s.b), "before-b", LB_BEFORE);
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    add_run(&s, lb_is(s.b), "b", LB_PRIMARY);
    add_run(&s, lb_is(s.a), "around", LB_AROUND);
    (void)run(&t);
    assert_string_equal(notes_take(),
                        "around before-b before-a b a after-a after-b");
    expect(s.run, s.c, NULL, LB_OK,
           "around:chosen b:next a:next before-b:along before-a:along "
           "after-a:along after-b:along");
    expect(s.run, s.a, NULL, LB_OK,
           "around:chosen a:next before-a:along after-a:along "
           "after-b:class before-b:class b:class");
}

static void without_a_method_nothing_is_reached(void **state)
{
    const stage s = set_up(*state);
    expect(s.run, s.a, NULL, LB_NO_METHOD, "");
    add_run(&s, lb_is(s.a), "before", LB_BEFORE);
    add_run(&s, lb_is(s.b), "b", LB_PRIMARY);
    expect(s.run, s.a, NULL, LB_NO_METHOD, "before:unreached b:class");
    expect(s.run, s.d, NULL, LB_NO_METHOD, "before:class b:class");
}

static void rules_in_each_others_way_are_tied(void **state)
{
    const stage s = set_up(*state);
    add_meet(&s, s.a, s.b, "ab", false);
    add_meet(&s, NULL, NULL, "any", false);
    add_meet(&s, s.b, s.a, "ba", false);
    expect(s.meet, s.c, s.c, LB_AMBIGUOUS, "ab:tied ba:tied any:unreached");
    expect(s.meet, s.a, s.c, LB_OK, "ab:chosen any:next ba:class");
    add_meet(&s, s.c, s.c, "cc", false);
    expect(s.meet, s.c, s.c, LB_OK, "cc:chosen ab:tied ba:tied any:unreached");
}

static void a_flipped_form_is_an_item_of_its_own(void **state)
{
    const stage s = set_up(*state);
    add_meet(&s, s.a, s.d, "ad", true);
    add_meet(&s, s.a, s.a, "aa", true);
    expect(s.meet, s.b, s.d, LB_OK, "ad:chosen ad*:class aa:class");
    expect(s.meet, s.d, s.b, LB_OK, "ad*:chosen ad:class aa:class");
    lb_explanation *why = explain(s.meet, s.d, s.b, NULL);
    assert_ptr_equal(why->items[0].rule, why->items[1].rule);
    assert_int_equal(why->items[0].swapped, 1);
    lb_explanation_free(why);
    /* Where the rule applies as it stands, the flip is cut. */
    add_meet(&s, s.a, s.b, "ab", true);
    expect(s.meet, s.b, s.b, LB_OK,
           "ab:chosen aa:next ab*:unreached ad:class ad*:class");
}

static void all_parts_of_a_combination_are_chosen(void **state)
{
    world *w = *state;
    const lb_policy sum = {.combination = LB_SUM};
    const stage s = set_up(w);
    assert_ok(lb_bind(w->runtime, LB_HEAD(total), &sum));
    lb_generic *g = LB_GENERIC_OF(total);
    const lb_specializer at[] = {lb_is(s.a), lb_is(s.b)};
    const lb_method *m = LB_DESCRIPTOR(total_noted);
    const lb_rule rules[] = {named(m, &at[0], 1, "a", LB_PRIMARY),
                             named(m, &at[1], 1, "b", LB_PRIMARY),
                             named(m, NULL, 0, "before", LB_BEFORE)};
    assert_ok(lb_add_rules(g, rules, 3));
    expect(g, s.c, NULL, LB_OK, "b:chosen a:chosen before:along");
    const lb_rule around = named(m, &at[0], 1, "around", LB_AROUND);
    assert_ok(lb_add_rules(g, &around, 1));
    expect(g, s.c, NULL, LB_OK, "around:chosen b:next a:next before:along");
}

static void arity_is_judged_first(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_generic *g = NULL;
    lb_explanation *why = NULL;
    assert_ok(lb_generic_create_boxed(w->runtime, "speak", 1, NULL, &g));
    const lb_specializer at[] = {lb_is(s.a), lb_any()}, rest = lb_is(s.d);
    lb_rule one = named(LB_DESCRIPTOR(speak_one), at, 1, "one", LB_PRIMARY);
    lb_rule two = named(LB_DESCRIPTOR(speak_one), at, 2, "two", LB_PRIMARY);
    lb_rule many = named(LB_DESCRIPTOR(speak_one), at, 1, "many", LB_PRIMARY);
    many.rest = &rest;
    assert_ok(lb_add_rules(g, &one, 1));
    assert_ok(lb_add_rules(g, &two, 1));
    assert_ok(lb_add_rules(g, &many, 1));
    assert_ok(lb_explain(g, 1, &s.b, NULL, &why));
    assert_string_equal(items_of(why), "one:chosen many:next two:arity");
    assert_contains(why->text, "takes 2 arguments, not 1");
    lb_explanation_free(why);
    /* The classes of further arguments are not given. */
    assert_ok(lb_explain(g, 3, &s.b, NULL, &why));
    assert_string_equal(items_of(why), "many:unknown one:arity two:arity");
    assert_contains(why->text, "depends on the class of argument 2");
    lb_explanation_free(why);
    assert_ok(lb_explain(g, 0, NULL, NULL, &why));
    assert_int_equal(why->status, LB_NO_METHOD);
    lb_explanation_free(why);
}

/* ---- Values ------------------------------------------------------------- */

/* 1 for an even number, 0 for an odd, -1 for a negative. With a context it
 * first does what that says, once. */
typedef struct deed {
    void (*act)(void *context);
    void *context;
} deed;

static int test_even(void *context, lb_value value)
{
    deed *d = context;
    const thing *t = value.constant;
    if (d != NULL && d->act != NULL) {
        void (*act)(void *) = d->act;
        d->act = NULL;
        act(d->context);
    }
    return t->number < 0 ? -1 : t->number % 2 == 0;
}

static const lb_predicate is_even = {"even", test_even, NULL, NULL, 0};

static void values_are_asked_when_given(void **state)
{
    const stage s = set_up(*state);
    thing t = thing_of(s.c);
    const lb_value value = lb_pointer(&t);
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    add_run(&s, lb_where(s.b, &is_even), "even", LB_PRIMARY);
    add_run(&s, lb_eql(s.a, value), "t", LB_PRIMARY);
    lb_explanation *why = explain(s.run, s.c, NULL, &value);
    assert_string_equal(items_of(why), "t:chosen even:next a:next");
    lb_explanation_free(why);
    t.number = 1;
    why = explain(s.run, s.c, NULL, &value);
    assert_string_equal(items_of(why), "t:chosen a:next even:predicate");
    assert_contains(why->text, "no: argument 1 is not even");
    lb_explanation_free(why);
    why = explain(s.run, s.c, NULL, NULL);
    assert_string_equal(items_of(why), "a:chosen even:unknown t:unknown");
    assert_contains(why->text, "depends on the value of argument 1");
    lb_explanation_free(why);
}

static void a_predicate_that_fails_ends_the_call(void **state)
{
    const stage s = set_up(*state);
    thing t = thing_of(s.c);
    const lb_value value = lb_pointer(&t);
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    add_run(&s, lb_where(s.b, &is_even), "even", LB_PRIMARY);
    t.number = -1;
    lb_explanation *why = explain(s.run, s.c, NULL, &value);
    assert_int_equal(why->status, LB_PREDICATE_FAILED);
    assert_string_equal(items_of(why), "a:unreached even:predicate");
    assert_contains(why->text, "failed at argument 1");
    lb_explanation_free(why);
}

static void remove_a(void *context)
{
    const stage *s = context;
    assert_ok(lb_remove(LB_HEAD(run), LB_DESCRIPTOR(run_noted), s->a));
    assert_ok(lb_quiesce(s->runtime));
}

static void a_predicate_may_change_the_rules(void **state)
{
    stage s = set_up(*state);
    deed d = {remove_a, &s};
    const lb_predicate meddling = {"meddling", test_even, &d, NULL, 0};
    const thing t = thing_of(s.c);
    const lb_value value = lb_pointer(&t);
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    add_run(&s, lb_where(s.b, &meddling), "even", LB_PRIMARY);
    lb_explanation *why = explain(s.run, s.c, NULL, &value);
    assert_string_equal(items_of(why), "even:chosen");
    lb_explanation_free(why);
}

/* ---- Lifetime ----------------------------------------------------------- */

static void count_release(void *context)
{
    note("released");
    (void)context;
}

static void an_explanation_outlives_what_it_tells_of(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_group *group = NULL;
    const lb_specializer at = lb_is(s.a);
    lb_rule rule = named(LB_DESCRIPTOR(run_noted), &at, 1, "a", LB_PRIMARY);
    rule.release = count_release;
    assert_ok(lb_group_create(w->runtime, "guest", 0, &group));
    assert_ok(lb_group_add(group, s.run, &rule, 1));
    assert_ok(lb_group_commit(group));
    lb_explanation *why = explain(s.run, s.c, NULL, NULL);
    assert_ok(lb_group_remove(group));
    assert_ok(lb_quiesce(w->runtime));
    assert_string_equal(notes_take(), "released"); /* nor is this put off */
    assert_ok(lb_generic_destroy(s.run));
    assert_ok(lb_quiesce(w->runtime));
    assert_string_equal(items_of(why), "a:chosen");
    assert_ptr_equal(why->items[0].rule->specializers[0].cls, s.a);
    assert_string_equal(why->items[0].group, "guest");
    lb_explanation_free(why);
}

static int remove_rule(void *context, const lb_rule *rule)
{
    const stage *s = context;
    assert_ok(lb_remove_rules(s->run, rule, 1));
    assert_ok(lb_quiesce(s->runtime));
    note(rule->context);
    return 0;
}

static void a_visitor_may_remove_what_it_is_shown(void **state)
{
    world *w = *state;
    stage s = set_up(w);
    const lb_specializer at = lb_is(s.c);
    lb_rule rule = named(LB_DESCRIPTOR(run_noted), &at, 1, "c", LB_PRIMARY);
    rule.release = count_release;
    add_run(&s, lb_is(s.b), "b", LB_PRIMARY);
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    assert_ok(lb_add_rules(s.run, &rule, 1));
    assert_ok(lb_each_rule(s.run, remove_rule, &s));
    assert_ok(lb_quiesce(w->runtime));
    assert_string_equal(notes_take(), "b a c released");
    assert_int_equal(world_statistics(w).rules, 0);
}

static void a_release_is_not_forgotten_by_visiting(void **state)
{
    world *w = *state; /* single-threaded: released at once */
    stage s = set_up(w);
    const lb_specializer at = lb_is(s.c);
    lb_rule rule = named(LB_DESCRIPTOR(run_noted), &at, 1, "c", LB_PRIMARY);
    rule.release = count_release;
    assert_ok(lb_add_rules(s.run, &rule, 1));
    assert_ok(lb_each_rule(s.run, remove_rule, &s));
    assert_string_equal(notes_take(), "c released");
}

/* ---- In words ----------------------------------------------------------- */

static void the_text_says_which_and_why_not(void **state)
{
    const stage s = set_up(*state);
    add_run(&s, lb_is(s.d), "d", LB_PRIMARY);
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    add_run(&s, lb_is(s.b), "b", LB_PRIMARY);
    add_run(&s, lb_any(), "before", LB_BEFORE);
    lb_explanation *why = explain(s.run, s.c, NULL, NULL);
    assert_string_equal(
        why->text,
        "run(c): runs run_noted\n"
        "   1. run(b) run_noted             chosen\n"
        "   2. run(a) run_noted             next\n"
        "      run(any) [before] run_noted  runs before\n"
        "      run(d) run_noted             no: argument 1 is c, not d");
    lb_explanation_free(why);
}

static void expect_rule_text(lb_generic *generic, const lb_rule *rule,
                             const char *words)
{
    char *text = NULL;
    assert_ok(lb_rule_text(generic, rule, &text));
    assert_string_equal(text, words);
    lb_text_free(lb_generic_runtime(generic), text);
}

static void a_rule_is_one_line(void **state)
{
    const stage s = set_up(*state);
    const lb_specializer at[] = {lb_is(s.c), lb_where(s.d, &is_even)};
    const lb_method *m = LB_DESCRIPTOR(meet_noted);
    lb_rule rule = named(m, at, 1, "x", LB_BEFORE);
    expect_rule_text(s.meet, &rule, "meet(c, any) [before] meet_noted");
    rule = named(m, at, 2, "x", LB_PRIMARY);
    expect_rule_text(s.meet, &rule, "meet(c, d where even) meet_noted");
}

static int note_rule(void *context, const lb_rule *rule)
{
    note(rule->context);
    return strcmp(rule->context, context) == 0;
}

static void rules_are_visited_in_order_until_told_to_stop(void **state)
{
    const stage s = set_up(*state);
    add_run(&s, lb_is(s.b), "b", LB_PRIMARY);
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    add_run(&s, lb_is(s.c), "c", LB_PRIMARY);
    assert_ok(lb_each_rule(s.run, note_rule, (char[]){""}));
    assert_string_equal(notes_take(), "b a c");
    assert_ok(lb_each_rule(s.run, note_rule, (char[]){"a"}));
    assert_string_equal(notes_take(), "b a");
}

/* ---- Ambiguities -------------------------------------------------------- */

typedef struct visit {
    const stage *s;
    int stop;
} visit;

static int note_ambiguity(void *context, const lb_ambiguity *found)
{
    const visit *v = context;
    char *text = NULL;
    assert_ok(lb_ambiguity_text(v->s->meet, found, &text));
    note(found->first->context);
    note(found->second->context);
    note(lb_class_name(found->witness[0]));
    note(lb_class_name(found->witness[1]));
    note(found->possible ? "maybe" : "surely");
    assert_contains(text, "would decide");
    lb_text_free(v->s->runtime, text);
    return v->stop;
}

static void ambiguities_come_with_a_witness(void **state)
{
    const stage s = set_up(*state);
    visit v = {&s, 0};
    size_t count = 99;
    add_meet(&s, s.a, s.b, "ab", false);
    assert_ok(lb_ambiguities(s.meet, note_ambiguity, &v, &count));
    assert_int_equal(count, 0);
    add_meet(&s, s.b, s.a, "ba", false);
    assert_ok(lb_ambiguities(s.meet, note_ambiguity, &v, &count));
    assert_int_equal(count, 1);
    assert_string_equal(notes_take(), "ab ba b b surely");
    add_meet(&s, s.c, NULL, "c", false);
    v.stop = 1;
    assert_ok(lb_ambiguities(s.meet, note_ambiguity, &v, &count));
    assert_int_equal(count, 3);
    assert_string_equal(notes_take(), "ab ba b b surely");
    assert_ok(lb_ambiguities(s.meet, NULL, NULL, &count));
    assert_int_equal(count, 3);
    assert_ok(lb_ambiguities(s.meet, NULL, NULL, NULL));
    add_meet(&s, s.b, s.b, "bb", false);
    add_meet(&s, s.c, s.b, "cb", false);
    add_meet(&s, s.c, s.a, "ca", false);
    assert_ok(lb_ambiguities(s.meet, NULL, NULL, &count));
    assert_int_equal(count, 0);
}

/* ---- Reports ------------------------------------------------------------ */

/* The name of the tag at `at`, up to `size` bytes. */
static void tag_name(const char *at, char *name, size_t size)
{
    size_t length = strcspn(at, " >/\n");
    if (length >= size)
        length = size - 1;
    memcpy(name, at, length);
    name[length] = '\0';
}

/* Past the end of a tag; quotes may hold anything but '<'. */
static const char *tag_end(const char *at)
{
    int quoted = 0;
    for (; *at && (quoted || *at != '>'); at++) {
        if (*at == '"')
            quoted = !quoted;
        assert_int_not_equal(*at, '<');
    }
    assert_int_equal(*at, '>');
    return at;
}

/* Every tag is closed, in the right order, and no & stands alone. */
static void expect_balanced(const char *html)
{
    static char open[64][16];
    size_t depth = 0;
    for (const char *at = html; (at = strpbrk(at, "<&")) != NULL; at++) {
        if (*at == '&') {
            assert_true(strcspn(at, ";") < 8);
            continue;
        }
        const char *end = tag_end(at + 1);
        if (at[1] == '/') {
            char name[16];
            tag_name(at + 2, name, sizeof name);
            assert_true(depth > 0);
            assert_string_equal(name, open[--depth]);
        } else if (at[1] != '!' && end[-1] != '/') {
            assert_true(depth < COUNT_OF(open));
            tag_name(at + 1, open[depth++], sizeof open[0]);
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

static char *report(lb_generic *generic, const lb_report_options *options)
{
    char *text = NULL;
    assert_ok(lb_report_html(generic, options, &text));
    expect_balanced(text);
    return text;
}

static void a_page_shows_what_runs(void **state)
{
    const stage s = set_up(*state);
    add_meet(&s, s.a, s.b, "ab", true);
    add_meet(&s, s.b, s.a, "ba", false);
    add_meet(&s, s.c, NULL, "c", false);
    char *page = report(s.meet, NULL);
    assert_contains(page, "<title>meet</title>");
    assert_contains(page, "prefers-color-scheme:dark");
    assert_contains(page, "class=\"tie\"");
    assert_contains(page, "<svg");
    assert_contains(page, "a rule for <code>(b, b)</code> would decide");
    assert_contains(page, "meet(a, b): runs meet_noted");
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "http://www.w3.org/1999"));
    lb_text_free(s.runtime, page);
}

static void what_a_user_named_is_escaped(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_class *evil = world_class(w, "<i>&\"x'\n\\", NULL, NULL);
    lb_group *group = NULL;
    const lb_specializer at[] = {lb_is(evil), lb_any()};
    const lb_rule rule =
        named(LB_DESCRIPTOR(meet_noted), at, 2, "evil", LB_PRIMARY);
    assert_ok(lb_group_create(w->runtime, "<g>", 0, &group));
    assert_ok(lb_group_add(group, s.meet, &rule, 1));
    assert_ok(lb_group_commit(group));
    const lb_report_options options = {.title = "<t>&",
                                       .head = "<p id=\"h\">1 &lt; 2</p>",
                                       .tail = "<p id=\"t\"></p>"};
    char *text = report(s.meet, &options);
    assert_contains(text, "&lt;i&gt;&amp;&quot;x&#39;&#10;\\");
    assert_contains(text, "<h1>&lt;t&gt;&amp;</h1>");
    assert_contains(text, "group &lt;g&gt;");
    assert_contains(text, "<p id=\"h\">1 &lt; 2</p>");
    assert_contains(text, "<p id=\"t\"></p>");
    assert_null(strstr(text, "<i>"));
    lb_text_free(s.runtime, text);
    assert_ok(lb_report_dot(s.runtime, &text));
    assert_contains(text, "[label=\"<i>&\\\"x' \\\\\"]");
    lb_text_free(s.runtime, text);
}

static void a_page_shows_the_calls_that_were_counted(void **state)
{
    const stage s = set_up(*state);
    lb_class *classes[] = {s.c, s.d};
    const uint64_t calls[] = {0, 12345, UINT64_MAX / 8, 7};
    lb_report_options options = {
        .classes = classes, .class_count = 2, .calls = calls};
    add_meet(&s, s.c, NULL, "c", false);
    char *page = report(s.meet, &options);
    assert_contains(page, "<h2>Calls</h2>");
    assert_contains(page, ">12k<");
    assert_contains(page, "12345 calls");
    assert_contains(page, ">2.3E<");
    assert_null(strstr(page, "<span>a</span>"));
    lb_text_free(s.runtime, page);
    options.classes = NULL;
    assert_status(LB_BAD_ARGUMENT, lb_report_html(s.meet, &options, &page));
    add_run(&s, lb_is(s.a), "a", LB_PRIMARY);
    options.classes = classes;
    page = report(s.run, &options);
    assert_contains(page, ">12k<");
    assert_null(strstr(page, ">2.3E<"));
    lb_text_free(s.runtime, page);
}

static void a_page_about_many_arguments_says_what_it_holds(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    assert_ok(lb_bind(w->runtime, LB_HEAD(join), NULL));
    lb_generic *g = LB_GENERIC_OF(join);
    lb_text_free(s.runtime, report(g, NULL));
    assert_ok(lb_add(LB_HEAD(join), LB_DESCRIPTOR(join_one), s.a, s.b, s.d));
    char *page = report(g, NULL);
    assert_contains(page, "Argument 3 is held at <code>d</code>");
    assert_contains(page, "join(a, b, d): runs join_one");
    lb_text_free(s.runtime, page);
}

static void a_page_about_a_boxed_function_picks_an_arity(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_generic *g = NULL;
    assert_ok(lb_generic_create_boxed(w->runtime, "speak", 2, NULL, &g));
    const lb_specializer at[] = {lb_is(s.a), lb_any(), lb_any()};
    lb_rule rule = named(LB_DESCRIPTOR(speak_one), at, 3, "x", LB_PRIMARY);
    assert_ok(lb_add_rules(g, &rule, 1));
    char *page = report(g, NULL);
    assert_contains(page, "Calls with 3 arguments.");
    assert_contains(page, "speak(a, b, 1 more): runs speak_one");
    lb_text_free(s.runtime, page);
    assert_ok(lb_remove_rules(g, &rule, 1));
    rule.count = 1;
    assert_ok(lb_add_rules(g, &rule, 1));
    page = report(g, NULL);
    assert_contains(page, "Calls with 1 argument.");
    lb_text_free(s.runtime, page);
}

static void the_graph_has_a_node_per_class_and_an_edge_per_base(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_class *e = world_class(w, "e", s.d, s.c);
    add_run(&s, lb_is(e), "e", LB_PRIMARY);
    char *page = report(s.run, NULL);
    assert_contains(page, "<title>e → d → c → b → a</title>");
    assert_contains(page, "class=\"edge more\"");
    lb_text_free(s.runtime, page);
    assert_ok(lb_report_dot(s.runtime, &page));
    assert_contains(page, "c2 -> c1;");
    assert_contains(page, "c5 -> c4 [label=\"1\"];");
    assert_contains(page, "c5 -> c3 [label=\"2\"];");
    lb_text_free(s.runtime, page);
}

/* ---- Scarce memory ------------------------------------------------------ */

static lb_status explain_all(const stage *s, const thing *t)
{
    const lb_value values[] = {lb_pointer(t), lb_pointer(t)};
    lb_class *classes[] = {s->c, s->c};
    lb_explanation *why = NULL;
    const lb_status status = lb_explain(s->meet, 2, classes, values, &why);
    if (status == LB_OK)
        assert_string_equal(items_of(why),
                            "even:chosen ab:tied ba:tied ab*:unreached");
    else
        assert_null(why);
    lb_explanation_free(why);
    return status;
}

static lb_status report_all(const stage *s, const thing *t)
{
    char *text = NULL;
    (void)t;
    const lb_status status = lb_report_html(s->meet, NULL, &text);
    assert_int_equal(text != NULL, status == LB_OK);
    lb_text_free(s->runtime, text);
    return status;
}

static lb_status list_all(const stage *s, const thing *t)
{
    size_t count = 0;
    (void)t;
    const lb_status status = lb_ambiguities(s->meet, NULL, NULL, &count);
    assert_int_equal(count, status == LB_OK ? 1 : 0);
    return status;
}

/* Refuses each allocation in turn, alone and with all that follow. */
static void refuse_each(world *w, const stage *s, const thing *t,
                        lb_status (*act)(const stage *, const thing *))
{
    for (int on = 0; on < 2; on++)
        for (uint64_t k = 1;; k++) {
            allocator_arm(&w->memory, k, on);
            const lb_status status = act(s, t);
            const bool refused = w->memory.refused > 0;
            allocator_arm(&w->memory, 0, 0);
            if (!refused) {
                assert_int_equal(status, LB_OK);
                break;
            }
            if (status != LB_OK)
                assert_int_equal(status, LB_NO_MEMORY);
            assert_ok(lb_quiesce(w->runtime));
            assert_ok(act(s, t));
            assert_ok(lb_quiesce(w->runtime));
        }
}

static void scarce_memory_is_survived(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    const thing t = thing_of(s.c);
    const lb_specializer at[] = {lb_where(s.b, &is_even),
                                 lb_where(s.b, &is_even)};
    const lb_rule rule =
        named(LB_DESCRIPTOR(meet_noted), at, 2, "even", LB_PRIMARY);
    add_meet(&s, s.a, s.b, "ab", true);
    add_meet(&s, s.b, s.a, "ba", false);
    assert_ok(lb_add_rules(s.meet, &rule, 1));
    const size_t before = w->memory.bytes;
    refuse_each(w, &s, &t, explain_all);
    refuse_each(w, &s, &t, report_all);
    refuse_each(w, &s, &t, list_all);
    assert_ok(lb_quiesce(w->runtime));
    assert_true(w->memory.bytes < before + 4096);
}

static void a_foreign_class_is_refused(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_explanation *why = NULL;
    lb_class *none = NULL;
    lb_class *const pair[] = {s.a, s.b};
    assert_status(LB_BAD_ARGUMENT, lb_explain(s.run, 2, pair, NULL, &why));
    assert_status(LB_BAD_ARGUMENT, lb_explain(s.run, 1, &none, NULL, &why));
    assert_null(why);
    lb_explanation_free(NULL);
    lb_text_free(s.runtime, NULL);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(explaining_lists_the_chain_first),
        TEST(what_runs_along_comes_after_the_chain),
        TEST(without_a_method_nothing_is_reached),
        TEST(rules_in_each_others_way_are_tied),
        TEST(a_flipped_form_is_an_item_of_its_own),
        TEST(all_parts_of_a_combination_are_chosen),
        TEST(arity_is_judged_first),
        TEST(values_are_asked_when_given),
        TEST(a_predicate_that_fails_ends_the_call),
        TEST(a_predicate_may_change_the_rules),
        TEST(an_explanation_outlives_what_it_tells_of),
        TEST(a_visitor_may_remove_what_it_is_shown),
        cmocka_unit_test_setup_teardown(a_release_is_not_forgotten_by_visiting,
                                        world_open_single, world_close),
        TEST(the_text_says_which_and_why_not),
        TEST(a_rule_is_one_line),
        TEST(rules_are_visited_in_order_until_told_to_stop),
        TEST(ambiguities_come_with_a_witness),
        TEST(a_page_shows_what_runs),
        TEST(what_a_user_named_is_escaped),
        TEST(a_page_shows_the_calls_that_were_counted),
        TEST(a_page_about_many_arguments_says_what_it_holds),
        TEST(a_page_about_a_boxed_function_picks_an_arity),
        TEST(the_graph_has_a_node_per_class_and_an_edge_per_base),
        TEST(scarce_memory_is_survived),
        TEST(a_foreign_class_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
