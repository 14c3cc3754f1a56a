/* Boxed generic functions and boxed methods: arity, results, lists, and
 * chains that cross between boxed and typed methods.
 */
#include "support/test.h"
#include "support/world.h"

typedef struct pair {
    double x, y, z;
} pair;

LB_GENERIC(int, run, (ON, const thing *, t), (WITH, int, n));
LB_DEFINE_GENERIC(run);
LB_METHOD(run, run_typed);

LB_GENERIC(pair, move, (ON, const thing *, t), (WITH, pair, by));
LB_DEFINE_GENERIC(move);
LB_METHOD(move, move_typed);

LB_GENERIC_VOID(visit, (REF, lb_ref, r), (WITH, float, f));
LB_DEFINE_GENERIC(visit);

LB_BOXED_METHOD(noted);     /* notes; its result counts the chain     */
LB_BOXED_METHOD(failing);   /* fails                                  */
LB_BOXED_METHOD(dropping);  /* runs the next method, answers 42       */
LB_BOXED_METHOD(listing);   /* an lb_results of its name's letters    */
LB_BOXED_METHOD(run_boxed); /* for `run`: 10 times the argument, next */
LB_BOXED_METHOD(move_boxed);
LB_BOXED_METHOD(visit_boxed);

static lb_status noted(lb_slot slot, size_t argc, const lb_value *argv,
                       lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    char text[64];
    (void)snprintf(text, sizeof text, "%s/%zu", (const char *)self->context,
                   argc);
    note(text);
    lb_value below = lb_integer(0);
    lb_status status = LB_OK;
    if (lb_has_next(self))
        status = lb_invoke_next(self, argc, argv, &below);
    if (result != NULL)
        *result = lb_integer(1 + below.integer);
    return status;
}

static lb_status failing(lb_slot slot, size_t argc, const lb_value *argv,
                         lb_value *result)
{
    LB_IGNORE(slot);
    (void)argv;
    (void)result;
    note("failing");
    return argc > 99 ? LB_OK : LB_METHOD_FAILED;
}

static lb_status dropping(lb_slot slot, size_t argc, const lb_value *argv,
                          lb_value *result)
{
    if (result != NULL)
        *result = lb_integer(42);
    return lb_invoke_next(lb_load_entry(slot), argc, argv, NULL);
}

static lb_status listing(lb_slot slot, size_t argc, const lb_value *argv,
                         lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    lb_value letters[8];
    size_t count = 0;
    for (const char *c = self->context; *c != '\0' && count < 8; c++)
        letters[count++] = lb_integer(*c);
    (void)argc;
    (void)argv;
    result->pointer =
        lb_results_create(lb_generic_runtime(self->generic), letters, count);
    return result->pointer != NULL ? LB_OK : LB_NO_MEMORY;
}

static int run_typed(lb_slot slot, const thing *t, int n)
{
    LB_SELF(run, run_typed, slot, t, n);
    note("typed");
    return n + (lb_has_next(self) ? lb_next_run(self, t, n + 1) : 0);
}

static lb_status run_boxed(lb_slot slot, size_t argc, const lb_value *argv,
                           lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    int n = 0, below = 0;
    lb_unpack(&n, sizeof n, &argv[1]);
    note(argc == 2 ? "boxed" : "wrong");
    if (lb_has_next(self)) {
        const int more = n + 1;
        const lb_value args[] = {argv[0], lb_pack(&more, sizeof more)};
        lb_value got = lb_integer(0);
        const lb_status status = lb_invoke_next(self, argc, args, &got);
        if (status != LB_OK)
            return status;
        lb_unpack(&below, sizeof below, &got);
    }
    const int sum = 10 * n + below;
    if (result != NULL)
        *result = lb_pack(&sum, sizeof sum);
    return LB_OK;
}

static pair move_typed(lb_slot slot, const thing *t, pair by)
{
    LB_IGNORE(slot);
    by.x += (double)t->number;
    return by;
}

static lb_status move_boxed(lb_slot slot, size_t argc, const lb_value *argv,
                            lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    pair moved = {0, 0, 0};
    lb_value into = lb_pointer(&moved);
    const lb_status status = lb_invoke_next(self, argc, argv, &into);
    moved.y += 100;
    if (result != NULL)
        memcpy(result->pointer, &moved, sizeof moved);
    return status;
}

static lb_status visit_boxed(lb_slot slot, size_t argc, const lb_value *argv,
                             lb_value *result)
{
    lb_ref r;
    float f = 0;
    LB_IGNORE(slot);
    (void)result;
    lb_unpack(&r, sizeof r, &argv[0]);
    lb_unpack(&f, sizeof f, &argv[1]);
    *(float *)r.object += f * (float)argc;
    return LB_OK;
}

/* ---- Boxed generics ------------------------------------------------------ */

typedef struct stage {
    lb_generic *g;
    lb_class *a, *b;
    thing t, u;
} stage;

static stage set_up(world *w, unsigned dispatched, lb_combination combination)
{
    stage s;
    const lb_policy policy = {.combination = combination};
    assert_ok(lb_generic_create_boxed(w->runtime, "speak", dispatched, &policy,
                                      &s.g));
    s.a = world_class(w, "a", NULL, NULL);
    s.b = world_class(w, "b", s.a, NULL);
    s.t = thing_of(s.a);
    s.u = thing_of(s.b);
    return s;
}

typedef struct shape {
    size_t count, optional;
    const lb_specializer *rest;
} shape;

static void add(const stage *s, const lb_method *method, shape arity,
                const lb_specializer *at, const char *name)
{
    const lb_rule rule = {.method = method,
                          .specializers = at,
                          .count = arity.count,
                          .optional = arity.optional,
                          .rest = arity.rest,
                          .context = (void *)(uintptr_t)name};
    assert_ok(lb_add_rules(s->g, &rule, 1));
}

static lb_status call(const stage *s, size_t argc, const thing *first,
                      const thing *second, lb_value *result)
{
    const lb_value argv[] = {lb_pointer(first), lb_pointer(second),
                             lb_pointer(first), lb_pointer(second)};
    return lb_invoke(s->g, argc, argv, result);
}

static void expect(const stage *s, size_t argc, const thing *first,
                   const thing *second, const char *words)
{
    for (int i = 0; i < 3; i++) {
        lb_value result = lb_integer(0);
        assert_ok(call(s, argc, first, second, &result));
        assert_string_equal(notes_take(), words);
    }
}

static void boxed_methods_are_chosen_by_class(void **state)
{
    const stage s = set_up(*state, 1, LB_STANDARD);
    const lb_specializer a = lb_is(s.a), b = lb_is(s.b);
    const lb_method *m = LB_DESCRIPTOR(noted);
    add(&s, m, (shape){1, 0, NULL}, &a, "a");
    add(&s, m, (shape){1, 0, NULL}, &b, "b");
    expect(&s, 1, &s.t, &s.t, "a/1");
    expect(&s, 1, &s.u, &s.t, "b/1 a/1");
    lb_value result = lb_integer(0);
    assert_ok(call(&s, 1, &s.u, &s.t, &result));
    assert_int_equal(result.integer, 2);
    assert_ok(call(&s, 1, &s.u, &s.t, NULL));
}

static void arity_filters_before_types(void **state)
{
    const stage s = set_up(*state, 2, LB_STANDARD);
    const lb_specializer at[] = {lb_is(s.a), lb_is(s.a), lb_any()};
    const lb_method *m = LB_DESCRIPTOR(noted);
    add(&s, m, (shape){1, 0, NULL}, at, "one");
    add(&s, m, (shape){2, 0, NULL}, at, "two");
    add(&s, m, (shape){3, 0, NULL}, at, "three");
    expect(&s, 1, &s.u, &s.u, "one/1");
    expect(&s, 2, &s.u, &s.u, "two/2");
    expect(&s, 3, &s.u, &s.u, "three/3");
    assert_status(LB_NO_METHOD, call(&s, 4, &s.u, &s.u, NULL));
    assert_status(LB_NO_METHOD, call(&s, 0, &s.u, &s.u, NULL));
    assert_contains(lb_message(), "speak");
}

static void optional_arguments_may_be_missing(void **state)
{
    world *w = *state;
    const stage s = set_up(w, 2, LB_STANDARD);
    lb_class *c = world_class(w, "c", NULL, NULL);
    const thing v = thing_of(c);
    const lb_specializer at[] = {lb_is(s.a), lb_is(s.b), lb_any()};
    add(&s, LB_DESCRIPTOR(noted), (shape){3, 2, NULL}, at, "opt");
    expect(&s, 1, &s.t, &s.t, "opt/1");
    expect(&s, 2, &s.t, &s.u, "opt/2");
    expect(&s, 3, &s.t, &s.u, "opt/3");
    assert_status(LB_NO_METHOD, call(&s, 2, &s.t, &v, NULL));
    assert_status(LB_NO_METHOD, call(&s, 0, &s.t, &v, NULL));
    assert_status(LB_NO_METHOD, call(&s, 4, &s.t, &s.u, NULL));
}

static void rest_takes_any_number_of_its_class(void **state)
{
    world *w = *state;
    const stage s = set_up(w, 1, LB_STANDARD);
    lb_class *c = world_class(w, "c", NULL, NULL);
    const thing v = thing_of(c);
    const lb_specializer at = lb_is(s.a), rest = lb_is(s.a);
    add(&s, LB_DESCRIPTOR(noted), (shape){1, 0, &rest}, &at, "rest");
    expect(&s, 1, &s.t, &v, "rest/1");
    expect(&s, 2, &s.t, &s.u, "rest/2");
    expect(&s, 4, &s.t, &s.u, "rest/4");
    assert_status(LB_NO_METHOD, call(&s, 2, &s.t, &v, NULL));
    assert_status(LB_NO_METHOD, call(&s, 4, &s.t, &v, NULL));
    expect(&s, 3, &s.t, &s.u, "rest/3");
}

static void fixed_beats_optional_beats_variadic(void **state)
{
    const stage s = set_up(*state, 1, LB_STANDARD);
    const lb_specializer at[] = {lb_is(s.a), lb_any()}, rest = lb_any();
    const lb_method *m = LB_DESCRIPTOR(noted);
    add(&s, m, (shape){1, 0, &rest}, at, "variadic");
    add(&s, m, (shape){2, 1, NULL}, at, "optional");
    add(&s, m, (shape){1, 0, NULL}, at, "fixed");
    expect(&s, 1, &s.u, &s.u, "fixed/1 optional/1 variadic/1");
    expect(&s, 2, &s.u, &s.u, "optional/2 variadic/2");
    expect(&s, 3, &s.u, &s.u, "variadic/3");
    /* Types decide before arity does. */
    const lb_specializer b = lb_is(s.b);
    add(&s, m, (shape){1, 0, &rest}, &b, "b-variadic");
    expect(&s, 1, &s.u, &s.u, "b-variadic/1 fixed/1 optional/1 variadic/1");
}

static void a_methods_failure_is_the_callers_status(void **state)
{
    const stage s = set_up(*state, 1, LB_STANDARD);
    const lb_specializer a = lb_is(s.a), b = lb_is(s.b);
    add(&s, LB_DESCRIPTOR(failing), (shape){1, 0, NULL}, &a, NULL);
    add(&s, LB_DESCRIPTOR(noted), (shape){1, 0, NULL}, &b, "b");
    assert_status(LB_METHOD_FAILED, call(&s, 1, &s.t, &s.t, NULL));
    assert_string_equal(notes_take(), "failing");
    assert_status(LB_METHOD_FAILED, call(&s, 1, &s.u, &s.t, NULL));
    assert_string_equal(notes_take(), "b/1 failing");
}

static void invoking_next_beyond_the_end_is_a_status(void **state)
{
    const stage s = set_up(*state, 1, LB_STANDARD);
    const lb_specializer a = lb_is(s.a);
    add(&s, LB_DESCRIPTOR(noted), (shape){1, 0, NULL}, &a, "a");
    const lb_entry *entry = lb_resolve(s.g, &s.a, NULL);
    const lb_value argv = lb_pointer(&s.t);
    lb_value result = lb_integer(0);
    assert_int_equal(entry->status, LB_OK);
    assert_ptr_equal(entry->method, LB_DESCRIPTOR(noted));
    assert_status(LB_NO_NEXT_METHOD, lb_invoke_next(entry, 1, &argv, &result));
}

static lb_class *by_parity(void *context, lb_value value)
{
    lb_class **classes = context;
    return value.integer < 0 ? NULL : classes[value.integer % 2];
}

static void values_without_headers_get_their_class_from_the_hook(void **state)
{
    world *w = *state;
    lb_class *classes[2] = {NULL, NULL};
    lb_config config = world_config(w);
    config.class_of = by_parity;
    config.class_of_context = classes;
    lb_runtime_destroy(w->runtime);
    w->runtime = NULL;
    assert_ok(lb_runtime_create(&config, &w->runtime));
    const stage s = set_up(w, 1, LB_STANDARD);
    classes[0] = s.a;
    classes[1] = s.b;
    const lb_specializer a = lb_is(s.a), b = lb_is(s.b);
    const lb_specializer seven = lb_eql(s.b, lb_integer(7));
    const lb_method *m = LB_DESCRIPTOR(noted);
    add(&s, m, (shape){1, 0, NULL}, &a, "a");
    add(&s, m, (shape){1, 0, NULL}, &b, "b");
    add(&s, m, (shape){1, 0, NULL}, &seven, "seven");
    static const char *const words[] = {"a/1", "b/1 a/1", "a/1", "b/1 a/1"};
    for (int64_t i = 0; i < 4; i++) {
        const lb_value argv = lb_integer(i);
        assert_ok(lb_invoke(s.g, 1, &argv, NULL));
        assert_string_equal(notes_take(), words[i]);
    }
    const lb_value seventh = lb_integer(7), none = lb_integer(-1);
    assert_ok(lb_invoke(s.g, 1, &seventh, NULL));
    assert_string_equal(notes_take(), "seven/1 b/1 a/1");
    assert_status(LB_NO_CLASS, lb_invoke(s.g, 1, &none, NULL));
}

/* ---- Results of all ------------------------------------------------------ */

static void a_list_holds_every_result(void **state)
{
    const stage s = set_up(*state, 1, LB_LIST);
    const lb_specializer a = lb_is(s.a), b = lb_is(s.b);
    const lb_method *m = LB_DESCRIPTOR(noted);
    add(&s, m, (shape){1, 0, NULL}, &a, "a");
    add(&s, m, (shape){1, 0, NULL}, &b, "b");
    for (int i = 0; i < 3; i++) {
        lb_value result = lb_integer(0);
        assert_ok(call(&s, 1, &s.u, &s.u, &result));
        assert_string_equal(notes_take(), "b/1 a/1");
        lb_results *list = result.pointer;
        assert_non_null(list);
        assert_int_equal(list->count, 2);
        assert_int_equal(list->values[0].integer, 1);
        assert_int_equal(list->values[1].integer, 1);
        lb_results_destroy(list);
    }
    assert_ok(call(&s, 1, &s.u, &s.u, NULL));
}

static void lists_are_joined(void **state)
{
    const stage s = set_up(*state, 1, LB_APPEND);
    const lb_specializer a = lb_is(s.a), b = lb_is(s.b), any = lb_any();
    const lb_method *m = LB_DESCRIPTOR(listing);
    add(&s, m, (shape){1, 0, NULL}, &any, "xyz");
    add(&s, m, (shape){1, 0, NULL}, &a, "");
    add(&s, m, (shape){1, 0, NULL}, &b, "q");
    lb_value result = lb_integer(0);
    assert_ok(call(&s, 1, &s.u, &s.u, &result));
    lb_results *list = result.pointer;
    assert_int_equal(list->count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(list->values[i].integer, "qxyz"[i]);
    lb_results_destroy(list);
    assert_ok(call(&s, 1, &s.u, &s.u, NULL));
}

/* An around drops the list that comes from below. */
static void a_list_dropped_by_an_around_leaves_nothing(void **state)
{
    const stage s = set_up(*state, 1, LB_LIST);
    const lb_specializer a = lb_is(s.a);
    const lb_rule around = {.method = LB_DESCRIPTOR(dropping),
                            .specializers = &a,
                            .count = 1,
                            .qualifier = LB_AROUND};
    add(&s, LB_DESCRIPTOR(noted), (shape){1, 0, NULL}, &a, "a");
    assert_ok(lb_add_rules(s.g, &around, 1));
    for (int i = 0; i < 3; i++) {
        lb_value result = lb_integer(0);
        assert_ok(call(&s, 1, &s.u, &s.u, &result));
        assert_int_equal(result.integer, 42);
        assert_string_equal(notes_take(), "a/1");
    }
}

static void a_list_that_fails_leaves_nothing(void **state)
{
    const stage s = set_up(*state, 1, LB_LIST);
    const lb_specializer a = lb_is(s.a), b = lb_is(s.b);
    lb_value result = lb_integer(0);
    add(&s, LB_DESCRIPTOR(failing), (shape){1, 0, NULL}, &a, NULL);
    add(&s, LB_DESCRIPTOR(noted), (shape){1, 0, NULL}, &b, "b");
    assert_status(LB_METHOD_FAILED, call(&s, 1, &s.u, &s.u, &result));
    assert_string_equal(notes_take(), "b/1 failing");
}

static void results_are_made_and_given_back(void **state)
{
    world *w = *state;
    const lb_value values[] = {lb_integer(1), lb_integer(2)};
    lb_results *some = lb_results_create(w->runtime, values, 2);
    lb_results *none = lb_results_create(w->runtime, NULL, 0);
    assert_int_equal(some->count, 2);
    assert_int_equal(some->values[1].integer, 2);
    assert_int_equal(none->count, 0);
    assert_ptr_equal(some->runtime, w->runtime);
    lb_results_destroy(some);
    lb_results_destroy(none);
    lb_results_destroy(NULL);
}

static int longest(void *context, void *accumulator, const void *result,
                   size_t index)
{
    lb_value *best = accumulator;
    const lb_value *now = result;
    (void)context;
    if (index > 0)
        best->integer = best->integer * 10 + now->integer;
    return 0;
}

static void boxed_results_are_folded_by_ones_own_combination(void **state)
{
    world *w = *state;
    const lb_policy policy = {.combination = LB_USER_COMBINATION,
                              .combine = longest};
    stage s = set_up(w, 1, LB_STANDARD);
    assert_ok(lb_generic_create_boxed(w->runtime, "fold", 1, &policy, &s.g));
    const lb_specializer a = lb_is(s.a), b = lb_is(s.b), any = lb_any();
    const lb_method *m = LB_DESCRIPTOR(noted);
    add(&s, m, (shape){1, 0, NULL}, &a, "a");
    add(&s, m, (shape){1, 0, NULL}, &b, "b");
    add(&s, m, (shape){1, 0, NULL}, &any, "any");
    lb_value result = lb_integer(0);
    assert_ok(call(&s, 1, &s.u, &s.u, &result));
    assert_int_equal(result.integer, 111);
}

/* ---- Boxed methods in typed generics ------------------------------------- */

static void add_run(lb_class *cls, const lb_method *method)
{
    assert_ok(lb_add(LB_HEAD(run), method, cls));
}

static void chains_cross_between_boxed_and_typed(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(run), NULL));
    lb_class *cls[4];
    for (size_t i = 0; i < 4; i++) {
        cls[i] = world_class(w, "c", i ? cls[i - 1] : NULL, NULL);
        add_run(cls[i],
                i % 2 ? LB_DESCRIPTOR(run_boxed) : LB_DESCRIPTOR(run_typed));
    }
    const thing t = thing_of(cls[3]);
    const int n = 1;
    const lb_value argv[] = {lb_pointer(&t), lb_pack(&n, sizeof n)};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(&t, 1), 10 + 2 + 30 + 4);
        assert_string_equal(notes_take(), "boxed typed boxed typed");
        lb_value result = lb_integer(0);
        int got = 0;
        assert_ok(lb_invoke(LB_GENERIC_OF(run), 2, argv, &result));
        lb_unpack(&got, sizeof got, &result);
        assert_int_equal(got, 46);
        assert_string_equal(notes_take(), "boxed typed boxed typed");
    }
}

static void a_boxed_method_in_a_typed_generic_may_fail(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(run), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    add_run(a, LB_DESCRIPTOR(failing));
    const thing t = thing_of(a);
    const lb_value argv[] = {lb_pointer(&t), lb_integer(0)};
    assert_int_equal(run(&t, 0), 0);
    assert_int_equal(w->reported, LB_METHOD_FAILED);
    assert_int_equal(w->reports, 1);
    assert_status(LB_METHOD_FAILED,
                  lb_invoke(LB_GENERIC_OF(run), 2, argv, NULL));
}

static void large_results_cross_the_border(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(move), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    assert_ok(lb_add(LB_HEAD(move), LB_DESCRIPTOR(move_typed), a));
    assert_ok(lb_add(LB_HEAD(move), LB_DESCRIPTOR(move_boxed), b));
    thing t = thing_of(b);
    t.number = 7;
    for (int i = 0; i < 3; i++) {
        const pair moved = move(&t, (pair){1, 2, 3});
        assert_true(moved.x == 8 && moved.y == 102 && moved.z == 3);
    }
}

static void references_reach_boxed_methods(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(visit), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(visit), LB_DESCRIPTOR(visit_boxed), a));
    float sum = 0;
    for (int i = 0; i < 3; i++)
        visit(lb_reference(a, &sum), 1.5F);
    assert_true(sum == 9);
}

static void a_typed_method_does_not_fit_a_boxed_generic(void **state)
{
    world *w = *state;
    const stage s = set_up(w, 1, LB_STANDARD);
    const lb_specializer a = lb_is(s.a);
    const lb_rule rule = {
        .method = LB_DESCRIPTOR(run_typed), .specializers = &a, .count = 1};
    assert_status(LB_BAD_SIGNATURE, lb_add_rules(s.g, &rule, 1));
    assert_ok(lb_bind(w->runtime, LB_HEAD(run), NULL));
    assert_status(LB_BAD_SIGNATURE,
                  lb_add(LB_HEAD(run), LB_DESCRIPTOR(move_typed), s.a));
    assert_contains(lb_message(), "move_typed");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(boxed_methods_are_chosen_by_class),
        TEST(arity_filters_before_types),
        TEST(optional_arguments_may_be_missing),
        TEST(rest_takes_any_number_of_its_class),
        TEST(fixed_beats_optional_beats_variadic),
        TEST(a_methods_failure_is_the_callers_status),
        TEST(invoking_next_beyond_the_end_is_a_status),
        TEST(values_without_headers_get_their_class_from_the_hook),
        TEST(a_list_holds_every_result),
        TEST(lists_are_joined),
        TEST(a_list_dropped_by_an_around_leaves_nothing),
        TEST(a_list_that_fails_leaves_nothing),
        TEST(results_are_made_and_given_back),
        TEST(boxed_results_are_folded_by_ones_own_combination),
        TEST(chains_cross_between_boxed_and_typed),
        TEST(a_boxed_method_in_a_typed_generic_may_fail),
        TEST(large_results_cross_the_border),
        TEST(references_reach_boxed_methods),
        TEST(a_typed_method_does_not_fit_a_boxed_generic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
