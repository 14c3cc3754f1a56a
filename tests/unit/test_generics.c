/* The life of generic functions: binding, adding, replacing and removing
 * rules, cloning, what happens when no method fits, reports and figures.
 */
#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, area, (ON, const thing *, s));
LB_DEFINE_GENERIC(area);
LB_METHOD(area, area_one);
LB_METHOD(area, area_two);
LB_METHOD(area, area_context);

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_DEFINE_GENERIC(meet);
LB_METHOD(meet, meet_left);
LB_METHOD(meet, meet_right);
LB_METHOD(meet, meet_both);

LB_GENERIC(double, guess, (ON, const thing *, s));
static lb_fn_guess guess_default;
LB_DEFINE_GENERIC_WITH(guess, guess_default);

static lb_status seen_status;

static double guess_default(lb_slot slot, const thing *s)
{
    seen_status = lb_load_entry(slot)->status;
    return s != NULL ? -1.5 : 0;
}

static int area_one(lb_slot slot, const thing *s)
{
    LB_IGNORE(slot);
    return s != NULL ? 1 : 0;
}

static int area_two(lb_slot slot, const thing *s)
{
    LB_SELF(area, area_two, slot, s);
    return lb_has_next(self) ? 20 + lb_next_area(self, s) : 2;
}

static int area_context(lb_slot slot, const thing *s)
{
    LB_SELF(area, area_context, slot, s);
    return *(int *)self->context;
}

static int meet_left(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a != b ? 1 : 10;
}

static int meet_right(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a != b ? 2 : 20;
}

static int meet_both(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a != b ? 3 : 30;
}

static void bind(world *w, lb_head *head)
{
    assert_ok(lb_bind(w->runtime, head, NULL));
}

static void an_unbound_generic_is_refused_politely(void **state)
{
    world *w = *state;
    lb_class *a = world_class(w, "a", NULL, NULL);
    const thing t = thing_of(a);
    int result = 5;
    assert_int_equal(area(&t), 0);
    assert_status(LB_UNBOUND, lb_try_area(&result, &t));
    assert_int_equal(result, 5);
    assert_status(LB_UNBOUND,
                  lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    assert_true(guess(&t) == -1.5);
    assert_int_equal(seen_status, LB_UNBOUND);
}

static void binding_twice_is_an_error(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    assert_status(LB_EXISTS, lb_bind(w->runtime, LB_HEAD(area), NULL));
    lb_runtime *other = NULL;
    assert_ok(lb_runtime_create(NULL, &other));
    assert_status(LB_EXISTS, lb_bind(other, LB_HEAD(area), NULL));
    lb_runtime_destroy(other);
    assert_ptr_equal(lb_generic_runtime(LB_GENERIC_OF(area)), w->runtime);
}

static void a_runtimes_end_unbinds_its_generics(void **state)
{
    world *w = *state;
    lb_runtime *other = NULL;
    assert_ok(lb_runtime_create(NULL, &other));
    assert_ok(lb_bind(other, LB_HEAD(area), NULL));
    lb_class *a = lb_class_make(other, "a", sizeof(thing), NULL, NULL);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    const thing t = thing_of(a);
    assert_int_equal(area(&t), 1);
    lb_runtime_destroy(other);
    assert_null(LB_GENERIC_OF(area));
    assert_int_equal(area(&t), 0);
    bind(w, LB_HEAD(area));
}

static void a_generic_tells_what_it_is(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(meet));
    lb_generic *g = LB_GENERIC_OF(meet);
    assert_string_equal(lb_generic_name(g), "meet");
    assert_ptr_equal(lb_generic_head(g), LB_HEAD(meet));
    assert_ptr_equal(lb_generic_runtime(g), w->runtime);
    assert_int_equal(lb_generic_dispatched(g), 2);
    assert_ptr_equal(lb_generic_find(w->runtime, "meet"), g);
    assert_null(lb_generic_find(w->runtime, "mee"));
    assert_ok(lb_generic_destroy(g));
    assert_null(lb_generic_find(w->runtime, "meet"));
    assert_null(LB_GENERIC_OF(meet));
    bind(w, LB_HEAD(meet));
}

static void a_name_is_taken_once_in_a_runtime(void **state)
{
    world *w = *state;
    lb_generic *g = NULL, *h = NULL;
    bind(w, LB_HEAD(area));
    assert_status(LB_EXISTS,
                  lb_generic_create(w->runtime, "area",
                                    LB_HEAD(area)->signature, NULL, &g));
    assert_ok(lb_generic_create(w->runtime, NULL, LB_HEAD(area)->signature,
                                NULL, &g));
    assert_ok(lb_generic_create(w->runtime, NULL, LB_HEAD(area)->signature,
                                NULL, &h));
    assert_ptr_not_equal(g, h);
}

static void a_method_serves_subclasses(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    const thing t = thing_of(b);
    assert_int_equal(area(&t), 0);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    assert_int_equal(area(&t), 1);
    assert_int_equal(area(&t), 1);
}

static void removing_a_method_uncovers_the_inherited_one(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_two), b));
    const thing t = thing_of(b), u = thing_of(a);
    assert_int_equal(area(&t), 21);
    assert_ok(lb_remove(LB_HEAD(area), LB_DESCRIPTOR(area_two), b));
    assert_int_equal(area(&t), 1);
    assert_ok(lb_remove(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    assert_int_equal(area(&t), 0);
    assert_int_equal(area(&u), 0);
    assert_int_equal(w->reports, 2);
}

/* The cell of a pair outlives the method that it held. */
static void check_removed_pairs(world *w, int settle)
{
    lb_class *cls[8];
    thing t[8];
    bind(w, LB_HEAD(meet));
    for (size_t i = 0; i < 8; i++) {
        cls[i] = world_class(w, "c", NULL, NULL);
        t[i] = thing_of(cls[i]);
    }
    for (int round = 0; round < 6; round++)
        for (size_t i = 0; i < 8; i++) {
            lb_class *x = cls[i], *y = cls[(i + 1) % 8];
            const thing *a = &t[i], *b = &t[(i + 1) % 8];
            assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_left), x, y));
            assert_int_equal(meet(a, b), 1);
            assert_ok(lb_remove(LB_HEAD(meet), NULL, x, y));
            if (settle)
                assert_ok(lb_quiesce(w->runtime));
            assert_int_equal(meet(a, b), 0);
            assert_int_equal(meet(a, b), 0);
        }
}

static void a_removed_pair_is_missed_after_quiescence(void **state)
{
    check_removed_pairs(*state, 1);
}

static void a_removed_pair_is_missed_where_memory_goes_at_once(void **state)
{
    check_removed_pairs(*state, 0);
}

static void only_what_is_there_can_be_removed(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_status(LB_NOT_FOUND,
                  lb_remove(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    assert_status(LB_NOT_FOUND,
                  lb_remove(LB_HEAD(area), LB_DESCRIPTOR(area_two), a));
    const thing t = thing_of(a);
    assert_int_equal(area(&t), 1);
    assert_ok(lb_remove(LB_HEAD(area), NULL, a));
    assert_status(LB_NOT_FOUND, lb_remove(LB_HEAD(area), NULL, a));
}

static void an_equal_rule_is_replaced(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const thing t = thing_of(a);
    for (int i = 0; i < 3; i++) {
        assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
        assert_int_equal(area(&t), 1);
        assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_two), a));
        assert_int_equal(area(&t), 2);
    }
    assert_int_equal(world_statistics(w).rules, 1);
}

static void count_release(void *context)
{
    (*(int *)context)++;
}

/* A rule of `area` for one class with a context that counts its release. */
static lb_rule releasing(const lb_specializer *at, int *context)
{
    const lb_rule rule = {.method = LB_DESCRIPTOR(area_context),
                          .specializers = at,
                          .count = 1,
                          .context = context,
                          .release = count_release};
    return rule;
}

static void a_replaced_rules_context_is_released_at_quiescence(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const lb_specializer at = lb_is(a);
    int first = 10, second = 20;
    const lb_rule one = releasing(&at, &first), two = releasing(&at, &second);
    const thing t = thing_of(a);
    assert_ok(lb_add_rules(LB_GENERIC_OF(area), &one, 1));
    assert_int_equal(area(&t), 10);
    assert_ok(lb_add_rules(LB_GENERIC_OF(area), &two, 1));
    assert_int_equal(area(&t), 20);
    assert_int_equal(first, 10);
    assert_ok(lb_quiesce(w->runtime));
    assert_int_equal(first, 11);
    assert_ok(lb_remove_rules(LB_GENERIC_OF(area), &two, 1));
    assert_int_equal(second, 20);
    assert_ok(lb_quiesce(w->runtime));
    assert_int_equal(second, 21);
    assert_int_equal(first, 11);
}

static void a_runtimes_end_releases_every_rules_context(void **state)
{
    world *w = *state;
    lb_runtime *other = NULL;
    int context = 0;
    assert_ok(lb_runtime_create(NULL, &other));
    assert_ok(lb_bind(other, LB_HEAD(area), NULL));
    const lb_specializer at = lb_any();
    const lb_rule rule = releasing(&at, &context);
    assert_ok(lb_add_rules(LB_GENERIC_OF(area), &rule, 1));
    lb_runtime_destroy(other);
    assert_int_equal(context, 1);
    assert_non_null(w);
}

static void a_single_threaded_runtime_releases_at_once(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const lb_specializer at = lb_is(a);
    /* The second goes with the runtime, after this function. */
    static int first, second;
    first = 10;
    second = 20;
    const lb_rule one = releasing(&at, &first), two = releasing(&at, &second);
    const thing t = thing_of(a);
    assert_ok(lb_add_rules(LB_GENERIC_OF(area), &one, 1));
    assert_int_equal(area(&t), 10);
    assert_ok(lb_add_rules(LB_GENERIC_OF(area), &two, 1));
    assert_int_equal(first, 11);
    assert_int_equal(area(&t), 20);
    assert_int_equal(world_statistics(w).bytes_retired, 0);
}

static void rules_are_added_all_or_none(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const lb_specializer at = lb_is(a), broken = {.kind = LB_IS};
    const lb_rule rules[] = {
        {.method = LB_DESCRIPTOR(area_one), .specializers = &at, .count = 1},
        {.method = LB_DESCRIPTOR(area_two),
         .specializers = &broken,
         .count = 1}};
    const thing t = thing_of(a);
    assert_status(LB_BAD_ARGUMENT, lb_add_rules(LB_GENERIC_OF(area), rules, 2));
    assert_int_equal(area(&t), 0);
    assert_int_equal(world_statistics(w).rules, 0);
    assert_ok(lb_add_rules(LB_GENERIC_OF(area), rules, 1));
    assert_status(
        LB_NOT_FOUND,
        lb_remove_rules(LB_GENERIC_OF(area),
                        (const lb_rule[]){rules[0],
                                          {.method = LB_DESCRIPTOR(area_two),
                                           .specializers = &at,
                                           .count = 1,
                                           .qualifier = LB_BEFORE}},
                        2));
    assert_int_equal(area(&t), 1);
}

static void fewer_specializers_mean_any_for_the_rest(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(meet));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    const lb_specializer at = lb_is(a);
    const lb_rule rule = {
        .method = LB_DESCRIPTOR(meet_left), .specializers = &at, .count = 1};
    const thing t = thing_of(a), u = thing_of(b);
    assert_ok(lb_add_rules(LB_GENERIC_OF(meet), &rule, 1));
    assert_int_equal(meet(&t, &u), 1);
    assert_int_equal(meet(&u, &t), 0);
}

static void a_clone_has_the_rules_and_goes_its_own_way(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_generic *copy = NULL;
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    assert_ok(lb_generic_clone(LB_GENERIC_OF(area), "area2", &copy));
    const lb_head *head = lb_generic_head(copy);
    const thing t = thing_of(a);
    assert_string_equal(lb_generic_name(copy), "area2");
    assert_int_equal(lb_in_area(head, &t), 1);
    assert_ok(lb_add(head, LB_DESCRIPTOR(area_two), a));
    assert_int_equal(lb_in_area(head, &t), 2);
    assert_int_equal(area(&t), 1);
    assert_ok(lb_remove(LB_HEAD(area), NULL, a));
    assert_int_equal(lb_in_area(head, &t), 2);
    assert_int_equal(area(&t), 0);
    assert_ok(lb_generic_destroy(copy));
}

static void a_second_runtime_has_its_own_methods(void **state)
{
    world *w = *state;
    lb_runtime *other = NULL;
    lb_generic *g = NULL;
    bind(w, LB_HEAD(area));
    assert_ok(lb_runtime_create(NULL, &other));
    assert_ok(
        lb_generic_create(other, "area", LB_HEAD(area)->signature, NULL, &g));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = lb_class_make(other, "a", sizeof(thing), NULL, NULL);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    assert_ok(lb_add(lb_generic_head(g), LB_DESCRIPTOR(area_two), b));
    const thing t = thing_of(a), u = thing_of(b);
    int result = 0;
    assert_int_equal(area(&t), 1);
    assert_int_equal(lb_in_area(lb_generic_head(g), &u), 2);
    assert_status(LB_NO_CLASS, lb_try_area(&result, &u));
    assert_status(LB_NO_CLASS, lb_try_in_area(lb_generic_head(g), &result, &t));
    assert_status(LB_BAD_ARGUMENT,
                  lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), b));
    lb_runtime_destroy(other);
}

static void a_zeroed_header_is_refused(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    bind(w, LB_HEAD(meet));
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), lb_any_class));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_both), lb_any_class,
                     lb_any_class));
    const thing zero = {{0, 0}, 0}, t = thing_of(a);
    int result = 0;
    for (int i = 0; i < 3; i++) {
        assert_status(LB_NO_CLASS, lb_try_area(&result, &zero));
        assert_int_equal(area(&zero), 0);
        assert_int_equal(meet(&zero, &t), 0);
        assert_int_equal(meet(&t, &zero), 0);
        assert_int_equal(meet(&zero, &zero), 0);
        assert_int_equal(area(&t), 1);
    }
    assert_int_equal(w->reported, LB_NO_CLASS);
}

static void a_call_without_a_method_reports_and_gives_zero(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "hexagon", NULL, NULL);
    const thing t = thing_of(a);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(area(&t), 0);
        assert_int_equal(w->reports, i);
    }
    assert_int_equal(w->reported, LB_NO_METHOD);
    assert_contains(w->report, "area");
    assert_contains(w->report, "hexagon");
    assert_string_equal(w->report, lb_message());
}

static void the_nearest_methods_are_named_when_none_fits(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(meet));
    lb_class *a = world_class(w, "apple", NULL, NULL);
    lb_class *b = world_class(w, "bread", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_both), a, a));
    const thing t = thing_of(a), u = thing_of(b);
    int result = 0;
    assert_status(LB_NO_METHOD, lb_try_meet(&result, &t, &u));
    assert_contains(lb_message(), "meet");
    assert_contains(lb_message(), "apple");
    assert_contains(lb_message(), "bread");
}

static void a_fallback_of_ones_own_runs_and_sees_why(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(guess));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const thing t = thing_of(a), zero = {{0, 0}, 0};
    for (int i = 0; i < 3; i++) {
        assert_true(guess(&t) == -1.5);
        assert_int_equal(seen_status, LB_NO_METHOD);
        assert_true(guess(&zero) == -1.5);
        assert_int_equal(seen_status, LB_NO_CLASS);
    }
    assert_int_equal(w->reports, 0);
}

static void an_ambiguity_is_reported_at_the_second_definition(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(meet));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "bee", a, NULL);
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_left), b, a));
    assert_int_equal(w->reports, 0);
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_right), a, b));
    assert_int_equal(w->reports, 1);
    assert_int_equal(w->reported, LB_AMBIGUOUS);
    assert_contains(w->report, "meet_left");
    assert_contains(w->report, "meet_right");
    assert_contains(w->report, "bee");
    const thing t = thing_of(b), u = thing_of(a);
    int result = 0;
    assert_status(LB_AMBIGUOUS, lb_try_meet(&result, &t, &t));
    assert_int_equal(meet(&t, &u), 1);
    assert_int_equal(meet(&u, &t), 2);
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_both), b, b));
    assert_int_equal(w->reports, 1);
    assert_int_equal(meet(&t, &t), 30);
}

static void a_silent_generic_reports_no_ambiguity(void **state)
{
    world *w = *state;
    const lb_policy policy = {.silent = 1};
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), &policy));
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_left), a, lb_any_class));
    assert_ok(
        lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_right), lb_any_class, a));
    assert_int_equal(w->reports, 0);
}

static void a_new_class_that_brings_an_ambiguity_is_reported(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(meet));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    lb_class *root = world_class(w, "root", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_left), a, root));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_right), root, b));
    assert_int_equal(w->reports, 0);
    (void)world_class(w, "ar", a, root);
    assert_int_equal(w->reports, 0);
    (void)world_class(w, "br", b, root);
    assert_int_equal(w->reports, 1);
    assert_int_equal(w->reported, LB_AMBIGUOUS);
}

static void new_bases_that_bring_an_ambiguity_are_reported(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(meet));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    lb_class *c = world_class(w, "c", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_left), a, b));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_right), b, a));
    assert_int_equal(w->reports, 0);
    lb_class *bases[] = {a, b};
    assert_ok(lb_class_set_bases(c, bases, 2));
    assert_int_equal(w->reports, 1);
}

static void figures_tell_hits_from_misses(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    const thing t = thing_of(a);
    const lb_statistics before = world_statistics(w);
    assert_int_equal(area(&t), 1);
    const lb_statistics after = world_statistics(w);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(area(&t), 1);
    const lb_statistics later = world_statistics(w);
    assert_int_equal(after.misses, before.misses + 1);
    assert_int_equal(after.resolutions, before.resolutions + 1);
    assert_int_equal(after.cells, before.cells + 1);
    assert_int_equal(later.misses, after.misses);
}

static void figures_count_what_lives(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const lb_statistics before = world_statistics(w);
    assert_int_equal(before.generics, 1);
    assert_int_equal(before.classes, 1);
    assert_int_equal(before.rules, 0);
    assert_int_equal(before.bytes, w->memory.bytes);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), a));
    const lb_statistics after = world_statistics(w);
    assert_int_equal(after.rules, 1);
    assert_int_equal(after.changes, before.changes + 1);
    assert_int_equal(after.bytes, w->memory.bytes);
}

static void patching_for_ever_keeps_memory_bounded(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *cls[100];
    thing t[100];
    for (size_t i = 0; i < 100; i++) {
        cls[i] = world_class(w, "c", NULL, NULL);
        t[i] = thing_of(cls[i]);
    }
    size_t after_first = 0;
    for (int round = 0; round < 200; round++) {
        const lb_method *method =
            round % 2 ? LB_DESCRIPTOR(area_one) : LB_DESCRIPTOR(area_two);
        for (size_t i = 0; i < 100; i++) {
            assert_ok(lb_add(LB_HEAD(area), method, cls[i]));
            assert_int_equal(area(&t[i]), round % 2 ? 1 : 2);
        }
        if (round == 1)
            after_first = w->memory.bytes;
    }
    /* 20,000 changes without a quiescence; retired memory stays small. */
    assert_true(w->memory.bytes < after_first + (1 << 20));
    assert_ok(lb_quiesce(w->runtime));
    assert_int_equal(world_statistics(w).bytes_retired, 0);
}

static void a_thousand_classes_are_told_apart(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    bind(w, LB_HEAD(meet));
    enum { MANY = 1000 };
    static thing t[MANY];
    lb_class *odd = world_class(w, "odd", NULL, NULL);
    lb_class *even = world_class(w, "even", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), odd));
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_two), even));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_left), odd, even));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_right), even, odd));
    for (int i = 0; i < MANY; i++)
        t[i] = thing_of(world_class(w, "c", i % 2 ? odd : even, NULL));
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(area(&t[i]), i % 2 ? 1 : 2);
            const int j = i * 7 % MANY + (i % 2 ? 1 : -1);
            const int k = j < 0 ? 1 : j >= MANY ? MANY - 2 : j;
            if (k % 2 != i % 2)
                assert_int_equal(meet(&t[i], &t[k]), i % 2 ? 1 : 2);
        }
}

static void limits_on_generics_and_rules_hold(void **state)
{
    world *w = *state;
    lb_config config = world_config(w);
    config.max_generics = 1;
    config.max_rules = 2;
    lb_runtime_destroy(w->runtime);
    w->runtime = NULL;
    assert_ok(lb_runtime_create(&config, &w->runtime));
    bind(w, LB_HEAD(area));
    assert_status(LB_LIMIT, lb_bind(w->runtime, LB_HEAD(meet), NULL));
    assert_null(LB_GENERIC_OF(meet));
    lb_class *cls[3];
    for (size_t i = 0; i < 3; i++)
        cls[i] = world_class(w, "c", NULL, NULL);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), cls[0]));
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), cls[1]));
    assert_status(LB_LIMIT,
                  lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_one), cls[2]));
    const thing t = thing_of(cls[2]);
    assert_int_equal(area(&t), 0);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_two), cls[1]));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

/* A caller has loaded the fallback from the cell; then the method appears. */
static void a_failing_call_that_a_definition_overtakes_runs_it(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const thing t = thing_of(a);
    const uint32_t handle = t.head.handle;
    lb_fn fn;
    lb_slot slot;
    (void)area(&t);
    assert_true(lb_find(LB_HEAD(area), 1, &handle, &fn, &slot));
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_two), a));
    assert_int_equal(((lb_fn_area *)fn)(slot, &t), 2);
}

static void each_adding_is_owed_a_release(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const lb_specializer at = lb_is(a);
    int context = 0;
    const lb_rule rule = releasing(&at, &context);
    for (int i = 0; i < 3; i++) {
        assert_ok(lb_add_rules(LB_GENERIC_OF(area), &rule, 1));
        assert_ok(lb_remove_rules(LB_GENERIC_OF(area), &rule, 1));
    }
    assert_ok(lb_quiesce(w->runtime));
    assert_int_equal(context, 3);
}

/* As a copied method does whose LB_SELF was not changed with it. */
LB_METHOD(area, area_mistaken);
static int area_mistaken(lb_slot slot, const thing *s)
{
    LB_SELF(area, area_one, slot, s);
    return lb_has_next(self) ? lb_next_area(self, s) : 1;
}

static void a_method_that_takes_itself_for_another_is_told(void **state)
{
    world *w = *state;
    bind(w, LB_HEAD(area));
    lb_class *a = world_class(w, "a", NULL, NULL);
    const thing t = thing_of(a);
    assert_ok(lb_add(LB_HEAD(area), LB_DESCRIPTOR(area_mistaken), a));
    assert_int_equal(area(&t), 0);
    assert_contains(lb_message(), "LB_SELF");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_method_that_takes_itself_for_another_is_told),
        TEST(a_failing_call_that_a_definition_overtakes_runs_it),
        TEST(each_adding_is_owed_a_release),
        TEST(an_unbound_generic_is_refused_politely),
        TEST(binding_twice_is_an_error),
        TEST(a_runtimes_end_unbinds_its_generics),
        TEST(a_generic_tells_what_it_is),
        TEST(a_name_is_taken_once_in_a_runtime),
        TEST(a_method_serves_subclasses),
        TEST(removing_a_method_uncovers_the_inherited_one),
        TEST(a_removed_pair_is_missed_after_quiescence),
        cmocka_unit_test_setup_teardown(
            a_removed_pair_is_missed_where_memory_goes_at_once,
            world_open_single, world_close),
        TEST(only_what_is_there_can_be_removed),
        TEST(an_equal_rule_is_replaced),
        TEST(a_replaced_rules_context_is_released_at_quiescence),
        TEST(a_runtimes_end_releases_every_rules_context),
        cmocka_unit_test_setup_teardown(
            a_single_threaded_runtime_releases_at_once, world_open_single,
            world_close),
        TEST(rules_are_added_all_or_none),
        TEST(fewer_specializers_mean_any_for_the_rest),
        TEST(a_clone_has_the_rules_and_goes_its_own_way),
        TEST(a_second_runtime_has_its_own_methods),
        TEST(a_zeroed_header_is_refused),
        TEST(a_call_without_a_method_reports_and_gives_zero),
        TEST(the_nearest_methods_are_named_when_none_fits),
        TEST(a_fallback_of_ones_own_runs_and_sees_why),
        TEST(an_ambiguity_is_reported_at_the_second_definition),
        TEST(a_silent_generic_reports_no_ambiguity),
        TEST(a_new_class_that_brings_an_ambiguity_is_reported),
        TEST(new_bases_that_bring_an_ambiguity_are_reported),
        TEST(figures_tell_hits_from_misses),
        TEST(figures_count_what_lives),
        TEST(patching_for_ever_keeps_memory_bounded),
        TEST(a_thousand_classes_are_told_apart),
        TEST(limits_on_generics_and_rules_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
