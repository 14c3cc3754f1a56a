/* Bad input to every public function: the right status, a message, and a
 * world that is as it was.
 */
#include <pthread.h>

#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_DEFINE_GENERIC(meet);
LB_METHOD(meet, meet_one);

LB_GENERIC(int, unbound, (ON, const thing *, a));
LB_DEFINE_GENERIC(unbound);
LB_METHOD(unbound, unbound_one);

LB_BOXED_METHOD(boxed_one);

static int meet_one(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a == b ? 1 : 2;
}

static int unbound_one(lb_slot slot, const thing *a)
{
    LB_IGNORE(slot);
    return a == NULL;
}

static lb_status boxed_one(lb_slot slot, size_t argc, const lb_value *argv,
                           lb_value *result)
{
    LB_IGNORE(slot);
    (void)argv;
    if (result != NULL)
        *result = lb_integer((int64_t)argc);
    return LB_OK;
}

/* A world with one of everything, and a foreign one beside it. */
typedef struct stage {
    world *w;
    lb_runtime *runtime, *other;
    lb_class *a, *b, *foreign;
    lb_generic *meet, *boxed, *foreign_generic;
    lb_group *group;
    lb_statistics before;
} stage;

static stage set_up(void **state)
{
    stage s = {.w = *state};
    s.runtime = s.w->runtime;
    assert_ok(lb_runtime_create(NULL, &s.other));
    s.a = world_class(s.w, "a", NULL, NULL);
    s.b = world_class(s.w, "b", s.a, NULL);
    s.foreign = lb_class_make(s.other, "foreign", 16, NULL, NULL);
    assert_ok(lb_bind(s.runtime, LB_HEAD(meet), NULL));
    s.meet = LB_GENERIC_OF(meet);
    assert_ok(lb_generic_create_boxed(s.runtime, "boxed", 1, NULL, &s.boxed));
    assert_ok(
        lb_generic_create_boxed(s.other, "boxed", 1, NULL, &s.foreign_generic));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_one), s.a, s.a));
    assert_ok(lb_group_create(s.runtime, "group", 0, &s.group));
    s.before = world_statistics(s.w);
    return s;
}

static void check_unchanged(const stage *s)
{
    const lb_statistics now = world_statistics(s->w);
    const thing t = thing_of(s->b);
    assert_int_equal(now.classes, s->before.classes);
    assert_int_equal(now.generics, s->before.generics);
    assert_int_equal(now.rules, s->before.rules);
    assert_int_equal(meet(&t, &t), 1);
}

static void tear_down(const stage *s)
{
    check_unchanged(s);
    lb_runtime_destroy(s->other);
}

/* The call has the status, and a message of its own. */
#define refuse(expected, call)                                                 \
    do {                                                                       \
        (void)lb_bind(NULL, NULL, NULL); /* another message */                 \
        assert_status(expected, call);                                         \
        if (lb_message()[0] == '\0')                                           \
            fail_msg("%s has no message", #call);                              \
    } while (0)

#define refuse_bad(call) refuse(LB_BAD_ARGUMENT, call)

/* ---- Status, runtime ---------------------------------------------------------- */

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < LB_STATUS_COUNT; i++) {
        const char *name = lb_status_name((lb_status)i);
        assert_true(strncmp(name, "LB_", 3) == 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, lb_status_name((lb_status)j));
    }
    assert_string_equal(lb_status_name(LB_STATUS_COUNT), "unknown status");
    assert_string_equal(lb_status_name((lb_status)4711), "unknown status");
}

static void *fresh_message(void *context)
{
    *(int *)context = strcmp(lb_message(), "") == 0;
    return NULL;
}

static void each_thread_has_its_own_message(void **state)
{
    pthread_t thread;
    int was_empty = 0;
    (void)state;
    assert_status(LB_BAD_ARGUMENT, lb_quiesce(NULL));
    assert_string_not_equal(lb_message(), "");
    assert_int_equal(pthread_create(&thread, NULL, fresh_message, &was_empty),
                     0);
    pthread_join(thread, NULL);
    assert_true(was_empty);
}

static void a_long_message_is_cut(void **state)
{
    world *w = *state;
    static char name[5000];
    lb_class *made = NULL;
    memset(name, 'x', sizeof name - 1);
    const lb_class_spec spec = {.name = name};
    assert_ok(lb_class_create(w->runtime, &spec, &made));
    lb_class *derived = world_class(w, "d", made, NULL);
    assert_status(LB_BUSY, lb_class_destroy(made));
    assert_true(strlen(lb_message()) <= 2047);
    assert_ok(lb_class_destroy(derived));
}

static void a_bad_configuration_makes_no_runtime(void **state)
{
    world *w = *state;
    lb_runtime *made = NULL;
    lb_config config = world_config(w);
    refuse_bad(lb_runtime_create(&config, NULL));
    config.abi = LB_ABI + 1;
    refuse(LB_BAD_ABI, lb_runtime_create(&config, &made));
    config = world_config(w);
    config.threading = (lb_threading)7;
    refuse_bad(lb_runtime_create(&config, &made));
    config = world_config(w);
    config.reclaim = (lb_reclaim)7;
    refuse_bad(lb_runtime_create(&config, &made));
    assert_null(made);
    lb_runtime_destroy(NULL);
}

static void runtime_calls_want_a_runtime(void **state)
{
    const stage s = set_up(state);
    lb_reader *reader = NULL;
    lb_statistics figures;
    refuse_bad(lb_quiesce(NULL));
    refuse_bad(lb_synchronize(NULL));
    refuse_bad(lb_synchronize(s.runtime)); /* not the epoch scheme */
    refuse_bad(lb_reader_create(NULL, &reader));
    refuse_bad(lb_reader_create(s.runtime, NULL));
    assert_ok(lb_reader_destroy(NULL));
    refuse_bad(lb_get_statistics(NULL, &figures));
    refuse_bad(lb_get_statistics(s.runtime, NULL));
    assert_null(reader);
    tear_down(&s);
}

static void waiting_for_oneself_is_refused(void **state)
{
    world *w = *state;
    lb_reader *reader = NULL;
    assert_ok(lb_reader_create(w->runtime, &reader));
    lb_enter(reader);
    lb_enter(reader);
    lb_leave(reader);
    refuse(LB_BUSY, lb_synchronize(w->runtime));
    lb_leave(reader);
    assert_ok(lb_synchronize(w->runtime));
    assert_ok(lb_reader_destroy(reader));
}

/* ---- Classes ------------------------------------------------------------------- */

static void classes_want_a_name_and_good_bases(void **state)
{
    const stage s = set_up(state);
    lb_class *made = NULL, *none = NULL;
    const lb_class_spec nameless = {.name = NULL};
    const lb_class_spec plain = {.name = "c"};
    const lb_class_spec lost = {.name = "c", .base_count = 1};
    const lb_class_spec hole = {.name = "c", .bases = &none, .base_count = 1};
    const lb_class_spec alien = {
        .name = "c", .bases = &s.foreign, .base_count = 1};
    refuse_bad(lb_class_create(NULL, &plain, &made));
    refuse_bad(lb_class_create(s.runtime, NULL, &made));
    refuse_bad(lb_class_create(s.runtime, &plain, NULL));
    refuse_bad(lb_class_create(s.runtime, &nameless, &made));
    refuse_bad(lb_class_create(s.runtime, &lost, &made));
    refuse_bad(lb_class_create(s.runtime, &hole, &made));
    refuse_bad(lb_class_create(s.runtime, &alien, &made));
    assert_null(made);
    assert_null(lb_class_make(NULL, "c", 16, NULL, NULL));
    assert_null(lb_class_make(s.runtime, NULL, 16, NULL, NULL));
    assert_null(lb_class_make(s.runtime, "c", 16, s.foreign, NULL));
    assert_string_not_equal(lb_message(), "");
    tear_down(&s);
}

static void a_supplied_linearization_is_checked(void **state)
{
    const stage s = set_up(state);
    lb_class *self[] = {s.b}, *twice[] = {s.a, s.a}, *none[] = {NULL};
    lb_class *alien[] = {s.foreign}, *made = NULL;
    refuse_bad(lb_class_set_linearization(NULL, self, 1));
    assert_int_not_equal(lb_class_set_linearization(s.b, self, 1), LB_OK);
    assert_int_not_equal(lb_class_set_linearization(s.b, twice, 2), LB_OK);
    refuse_bad(lb_class_set_linearization(s.b, none, 1));
    refuse_bad(lb_class_set_linearization(s.b, alien, 1));
    const lb_class_spec spec = {
        .name = "c", .linearization = alien, .linearization_count = 1};
    refuse_bad(lb_class_create(s.runtime, &spec, &made));
    assert_int_equal(lb_class_linearization(s.b, NULL, 0), 2);
    tear_down(&s);
}

static void changing_classes_wants_classes(void **state)
{
    const stage s = set_up(state);
    lb_class *none = NULL;
    thing t = thing_of(s.a);
    refuse_bad(lb_class_set_bases(NULL, &s.a, 1));
    refuse_bad(lb_class_set_bases(s.b, NULL, 1));
    refuse_bad(lb_class_set_bases(s.b, &none, 1));
    refuse_bad(lb_class_set_bases(s.b, &s.foreign, 1));
    refuse_bad(lb_class_destroy(NULL));
    refuse_bad(lb_set_class(NULL, s.a));
    refuse_bad(lb_set_class(&t, NULL));
    assert_ptr_equal(lb_class_of(s.runtime, &t.head), s.a);
    assert_null(lb_class_of(s.runtime, NULL));
    assert_null(lb_class_of(NULL, &t.head));
    assert_null(lb_class_find(s.runtime, NULL));
    assert_null(lb_class_find(NULL, "a"));
    assert_null(lb_new(NULL));
    tear_down(&s);
}

/* ---- Generic functions ------------------------------------------------------------ */

static lb_status create(const stage *s, lb_policy policy)
{
    lb_generic *made = NULL;
    return lb_generic_create(s->runtime, "new", LB_HEAD(meet)->signature,
                             &policy, &made);
}

static void a_bad_policy_makes_no_generic(void **state)
{
    const stage s = set_up(state);
    const uint32_t twice[] = {0, 0}, far[] = {0, 2}, good[] = {1, 0};
    refuse_bad(create(&s, (lb_policy){.order = (lb_order)99}));
    refuse_bad(create(&s, (lb_policy){.combination = (lb_combination)99}));
    refuse_bad(create(&s, (lb_policy){.order = LB_USER_ORDER}));
    refuse_bad(create(&s, (lb_policy){.combination = LB_USER_COMBINATION}));
    refuse_bad(
        create(&s, (lb_policy){.precedence = twice, .precedence_count = 2}));
    refuse_bad(
        create(&s, (lb_policy){.precedence = far, .precedence_count = 2}));
    refuse_bad(
        create(&s, (lb_policy){.precedence = good, .precedence_count = 1}));
    assert_null(lb_generic_find(s.runtime, "new"));
    tear_down(&s);
}

static void making_generics_wants_what_it_needs(void **state)
{
    const stage s = set_up(state);
    lb_generic *made = NULL;
    lb_signature old = *LB_HEAD(meet)->signature;
    old.abi = LB_ABI + 1;
    refuse_bad(lb_bind(NULL, LB_HEAD(unbound), NULL));
    refuse_bad(lb_bind(s.runtime, NULL, NULL));
    refuse_bad(
        lb_generic_create(NULL, "n", LB_HEAD(meet)->signature, NULL, &made));
    refuse_bad(lb_generic_create(s.runtime, "n", NULL, NULL, &made));
    refuse_bad(lb_generic_create(s.runtime, "n", LB_HEAD(meet)->signature, NULL,
                                 NULL));
    refuse(LB_BAD_ABI, lb_generic_create(s.runtime, "n", &old, NULL, &made));
    refuse_bad(lb_generic_create_boxed(NULL, "n", 1, NULL, &made));
    refuse_bad(lb_generic_create_boxed(s.runtime, "n", 0, NULL, &made));
    refuse_bad(lb_generic_create_boxed(s.runtime, "n", 9, NULL, &made));
    refuse_bad(lb_generic_create_boxed(s.runtime, "n", 1, NULL, NULL));
    refuse_bad(lb_generic_clone(NULL, "n", &made));
    refuse_bad(lb_generic_clone(s.meet, "n", NULL));
    refuse(LB_EXISTS, lb_generic_clone(s.meet, "meet", &made));
    assert_ok(lb_generic_destroy(NULL));
    assert_null(made);
    assert_null(lb_generic_find(NULL, "meet"));
    assert_null(lb_generic_find(s.runtime, NULL));
    tear_down(&s);
}

/* ---- Rules -------------------------------------------------------------------------- */

static lb_status add(lb_generic *generic, lb_rule rule)
{
    return lb_add_rules(generic, &rule, 1);
}

static void a_rule_wants_a_method(void **state)
{
    const stage s = set_up(state);
    lb_method broken = *LB_DESCRIPTOR(meet_one);
    lb_rule rule = {.method = NULL};
    refuse_bad(add(s.meet, rule));
    rule.method = &broken;
    broken.abi = LB_ABI + 1;
    refuse(LB_BAD_ABI, add(s.meet, rule));
    broken = *LB_DESCRIPTOR(meet_one);
    broken.fn = NULL;
    refuse_bad(add(s.meet, rule));
    rule.method = LB_DESCRIPTOR(unbound_one);
    refuse(LB_BAD_SIGNATURE, add(s.meet, rule));
    refuse_bad(lb_add_rules(NULL, &rule, 1));
    refuse_bad(lb_add_rules(s.meet, NULL, 1));
    assert_ok(lb_add_rules(s.meet, NULL, 0));
    tear_down(&s);
}

static lb_status add_at(lb_generic *generic, lb_specializer at)
{
    return add(generic, (lb_rule){.method = LB_DESCRIPTOR(boxed_one),
                                  .specializers = &at,
                                  .count = 1});
}

static void a_specializer_is_checked(void **state)
{
    const stage s = set_up(state);
    const lb_predicate empty = {.name = "empty"};
    refuse_bad(add_at(s.boxed, (lb_specializer){.kind = (lb_kind)77}));
    refuse_bad(add_at(s.boxed, (lb_specializer){.kind = LB_IS}));
    refuse_bad(add_at(s.boxed, lb_is(s.foreign)));
    refuse_bad(add_at(s.boxed, lb_eql(s.foreign, lb_integer(1))));
    refuse_bad(add_at(s.boxed, lb_where(s.a, NULL)));
    refuse_bad(add_at(s.boxed, lb_where(s.a, &empty)));
    refuse_bad(add(s.boxed,
                   (lb_rule){.method = LB_DESCRIPTOR(boxed_one), .count = 1}));
    tear_down(&s);
}

static void a_rules_arity_is_checked(void **state)
{
    const stage s = set_up(state);
    const lb_specializer at[] = {lb_is(s.a), lb_is(s.a), lb_is(s.a)};
    const lb_specializer value = lb_eql(NULL, lb_integer(1)), any = lb_any();
    lb_rule rule = {
        .method = LB_DESCRIPTOR(meet_one), .specializers = at, .count = 3};
    refuse_bad(add(s.meet, rule));
    rule.count = 2;
    rule.optional = 1;
    refuse_bad(add(s.meet, rule));
    rule.optional = 0;
    rule.rest = &any;
    refuse_bad(add(s.meet, rule));
    rule.method = LB_DESCRIPTOR(boxed_one);
    rule.count = 1;
    rule.optional = 2;
    refuse_bad(add(s.boxed, rule));
    rule.optional = 0;
    rule.rest = &value;
    refuse_bad(add(s.boxed, rule));
    rule.rest = NULL;
    rule.count = 2; /* past the dispatched one only LB_ANY */
    refuse_bad(add(s.boxed, rule));
    tear_down(&s);
}

static void a_rules_manner_is_checked(void **state)
{
    const stage s = set_up(state);
    const lb_specializer at = lb_is(s.a);
    const lb_rule good = {
        .method = LB_DESCRIPTOR(boxed_one), .specializers = &at, .count = 1};
    lb_rule rule = good;
    rule.qualifier = (lb_qualifier)9;
    refuse_bad(add(s.boxed, rule));
    rule = good;
    rule.propagate = (lb_propagate)9;
    refuse_bad(add(s.boxed, rule));
    rule = good;
    rule.commutative = 1; /* of one argument */
    refuse_bad(add(s.boxed, rule));
    rule.method = LB_DESCRIPTOR(meet_one); /* without LB_COMMUTES */
    refuse(LB_BAD_SIGNATURE, add(s.meet, rule));
    tear_down(&s);
}

static void removing_rules_wants_rules(void **state)
{
    const stage s = set_up(state);
    const lb_rule rule = {.method = LB_DESCRIPTOR(meet_one)};
    lb_class *const classes[LB_MAX_DISPATCH] = {s.a, s.a};
    refuse_bad(lb_remove_rules(NULL, &rule, 1));
    const lb_specializer no_predicate = {.kind = LB_WHERE};
    const lb_rule unclear[] = {
        {.specializers = &no_predicate, .count = 1},
        {.qualifier = (lb_qualifier)9},
    };
    for (int i = 0; i < 2; i++)
        refuse_bad(lb_remove_rules(LB_GENERIC_OF(meet), &unclear[i], 1));
    refuse_bad(lb_remove_rules(s.meet, NULL, 1));
    refuse(LB_NOT_FOUND, lb_remove_rules(s.meet, &rule, 1));
    refuse_bad(lb_add_classes(NULL, LB_DESCRIPTOR(meet_one), classes));
    refuse_bad(lb_add_classes(LB_HEAD(meet), NULL, classes));
    refuse_bad(lb_add_classes(LB_HEAD(meet), LB_DESCRIPTOR(meet_one), NULL));
    lb_class *const unmade[LB_MAX_DISPATCH] = {classes[0], NULL};
    refuse_bad(lb_add_classes(LB_HEAD(meet), LB_DESCRIPTOR(meet_one), unmade));
    refuse_bad(lb_add_classes_like(LB_HEAD(meet), NULL, classes));
    refuse(LB_UNBOUND, lb_add_classes(LB_HEAD(unbound),
                                      LB_DESCRIPTOR(unbound_one), classes));
    refuse_bad(lb_remove_classes(NULL, NULL, classes));
    refuse_bad(lb_remove_classes(LB_HEAD(meet), NULL, NULL));
    refuse(LB_UNBOUND, lb_remove_classes(LB_HEAD(unbound), NULL, classes));
    tear_down(&s);
}

static void groups_want_their_own_runtime(void **state)
{
    const stage s = set_up(state);
    const lb_specializer at = lb_is(s.a);
    const lb_rule rule = {
        .method = LB_DESCRIPTOR(boxed_one), .specializers = &at, .count = 1};
    const lb_rule broken = {.method = NULL};
    lb_group *made = NULL;
    refuse_bad(lb_group_create(NULL, "g", 0, &made));
    refuse_bad(lb_group_create(s.runtime, "g", 0, NULL));
    refuse_bad(lb_group_add(NULL, s.boxed, &rule, 1));
    refuse_bad(lb_group_add(s.group, NULL, &rule, 1));
    refuse_bad(lb_group_add(s.group, s.boxed, NULL, 1));
    refuse_bad(lb_group_add(s.group, s.foreign_generic, &rule, 1));
    refuse_bad(lb_group_add(s.group, s.boxed, &broken, 1));
    refuse_bad(lb_group_commit(NULL));
    refuse_bad(lb_group_remove(NULL));
    assert_ok(lb_group_commit(s.group));
    assert_null(made);
    tear_down(&s);
}

/* ---- Calls -------------------------------------------------------------------------- */

static void invoking_wants_the_right_arguments(void **state)
{
    const stage s = set_up(state);
    const thing t = thing_of(s.a);
    const lb_value argv[] = {lb_pointer(&t), lb_pointer(&t), lb_pointer(&t)};
    const lb_value none = lb_pointer(NULL);
    refuse_bad(lb_invoke(NULL, 2, argv, NULL));
    refuse_bad(lb_invoke(s.meet, 2, NULL, NULL));
    refuse_bad(lb_invoke(s.meet, 1, argv, NULL));
    refuse_bad(lb_invoke(s.meet, 3, argv, NULL));
    refuse_bad(lb_invoke(s.boxed, 1, NULL, NULL));
    refuse(LB_NO_CLASS, lb_invoke(s.boxed, 1, &none, NULL));
    refuse(LB_NO_METHOD, lb_invoke(s.boxed, 0, NULL, NULL));
    refuse_bad(lb_invoke_next(NULL, 1, argv, NULL));
    tear_down(&s);
}

/* ---- Looking ------------------------------------------------------------------------ */

static int never(void *context, const lb_rule *rule)
{
    (void)context;
    return rule == NULL;
}

static void explaining_wants_what_it_needs(void **state)
{
    const stage s = set_up(state);
    lb_class *classes[] = {s.a, s.a}, *alien[] = {s.a, s.foreign};
    lb_explanation *why = NULL;
    refuse_bad(lb_explain(NULL, 2, classes, NULL, &why));
    refuse_bad(lb_explain(s.meet, 2, NULL, NULL, &why));
    refuse_bad(lb_explain(s.meet, 2, classes, NULL, NULL));
    refuse_bad(lb_explain(s.meet, 1, classes, NULL, &why));
    refuse_bad(lb_explain(s.meet, 3, classes, NULL, &why));
    refuse_bad(lb_explain(s.meet, 2, alien, NULL, &why));
    assert_null(why);
    lb_explanation_free(NULL);
    tear_down(&s);
}

static void reports_want_a_place_to_go(void **state)
{
    const stage s = set_up(state);
    const lb_rule rule = {.method = LB_DESCRIPTOR(meet_one)};
    const lb_ambiguity ambiguity = {.count = 2};
    char *text = NULL;
    refuse_bad(lb_ambiguities(NULL, NULL, NULL, NULL));
    refuse_bad(lb_ambiguity_text(NULL, &ambiguity, &text));
    refuse_bad(lb_ambiguity_text(s.meet, NULL, &text));
    refuse_bad(lb_ambiguity_text(s.meet, &ambiguity, NULL));
    refuse_bad(lb_each_rule(NULL, never, NULL));
    refuse_bad(lb_each_rule(s.meet, NULL, NULL));
    refuse_bad(lb_rule_text(NULL, &rule, &text));
    refuse_bad(lb_rule_text(s.meet, NULL, &text));
    refuse_bad(lb_rule_text(s.meet, &rule, NULL));
    refuse_bad(lb_report_dot(NULL, &text));
    refuse_bad(lb_report_dot(s.runtime, NULL));
    refuse_bad(lb_report_html(NULL, NULL, &text));
    refuse_bad(lb_report_html(s.meet, NULL, NULL));
    assert_null(text);
    lb_text_free(s.runtime, NULL);
    tear_down(&s);
}

static void results_want_a_runtime(void **state)
{
    const stage s = set_up(state);
    assert_null(lb_results_create(NULL, NULL, 0));
    assert_null(lb_results_create(s.runtime, NULL, SIZE_MAX / 4));
    lb_results_destroy(NULL);
    tear_down(&s);
}

static void plugins_want_a_path(void **state)
{
    const stage s = set_up(state);
    lb_plugin *plugin = NULL;
    refuse_bad(lb_plugin_open(NULL, "x.so", &plugin));
    refuse_bad(lb_plugin_open(s.runtime, NULL, &plugin));
    refuse_bad(lb_plugin_open(s.runtime, "x.so", NULL));
    refuse_bad(lb_plugin_detach(NULL));
    refuse_bad(lb_plugin_close(NULL));
    assert_null(plugin);
    tear_down(&s);
}

/* ---- Hooks that call back -------------------------------------------------------------- */

typedef struct caller {
    allocator memory;
    lb_runtime *runtime;
    lb_status status;
    int calls;
} caller;

static void *reallocate_and_call(void *context, void *pointer, size_t old_size,
                                 size_t new_size)
{
    caller *c = context;
    if (c->runtime != NULL) {
        c->calls++;
        c->status = lb_quiesce(c->runtime);
    }
    return allocator_reallocate(&c->memory, pointer, old_size, new_size);
}

static void an_allocator_that_calls_back_is_refused(void **state)
{
    static caller c;
    lb_runtime *runtime = NULL;
    lb_config config;
    (void)state;
    lb_config_init(&config);
    config.reallocate = reallocate_and_call;
    config.allocator_context = &c;
    assert_ok(lb_runtime_create(&config, &runtime));
    c.runtime = runtime;
    assert_non_null(lb_class_make(runtime, "a", 16, NULL, NULL));
    c.runtime = NULL;
    assert_true(c.calls > 0);
    assert_int_equal(c.status, LB_REENTERED);
    lb_runtime_destroy(runtime);
    assert_true(allocator_finish(&c.memory));
}

static int compare_and_call(void *context, const lb_rule *a, const lb_rule *b,
                            lb_class *const *classes, size_t count)
{
    caller *c = context;
    lb_class *made = NULL;
    const lb_class_spec spec = {.name = "from-inside"};
    (void)classes;
    (void)count;
    c->calls++;
    c->status = lb_class_create(c->runtime, &spec, &made);
    return a->method < b->method ? -1 : a->method > b->method;
}

static void an_order_that_calls_back_is_refused(void **state)
{
    world *w = *state;
    static caller c;
    c = (caller){.runtime = w->runtime};
    const lb_policy policy = {.order = LB_USER_ORDER,
                              .compare = compare_and_call,
                              .compare_context = &c};
    lb_class *a = world_class(w, "a", NULL, NULL);
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), &policy));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_one), a, lb_any_class));
    assert_ok(lb_add(LB_HEAD(meet), LB_DESCRIPTOR(meet_one), lb_any_class, a));
    const thing t = thing_of(a);
    (void)meet(&t, &t);
    assert_true(c.calls > 0);
    assert_int_equal(c.status, LB_REENTERED);
    assert_null(lb_class_find(w->runtime, "from-inside"));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

static void any_class_is_no_class(void **state)
{
    (void)state;
    thing t;
    refuse_bad(lb_class_destroy(lb_any_class));
    refuse_bad(lb_class_set_bases(lb_any_class, NULL, 0));
    refuse_bad(lb_class_set_linearization(lb_any_class, NULL, 0));
    assert_int_equal(lb_class_linearization(lb_any_class, NULL, 0), 0);
    assert_int_equal(lb_class_is_subclass(lb_any_class, lb_any_class), 0);
    lb_init(lb_any_class, &t);
    assert_int_equal(t.head.handle, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_status_has_a_name),
        TEST(each_thread_has_its_own_message),
        TEST(a_long_message_is_cut),
        TEST(a_bad_configuration_makes_no_runtime),
        TEST(runtime_calls_want_a_runtime),
        cmocka_unit_test_setup_teardown(waiting_for_oneself_is_refused,
                                        world_open_epoch, world_close),
        TEST(classes_want_a_name_and_good_bases),
        TEST(a_supplied_linearization_is_checked),
        TEST(changing_classes_wants_classes),
        TEST(a_bad_policy_makes_no_generic),
        TEST(making_generics_wants_what_it_needs),
        TEST(a_rule_wants_a_method),
        TEST(a_specializer_is_checked),
        TEST(a_rules_arity_is_checked),
        TEST(a_rules_manner_is_checked),
        TEST(removing_rules_wants_rules),
        TEST(groups_want_their_own_runtime),
        TEST(invoking_wants_the_right_arguments),
        TEST(explaining_wants_what_it_needs),
        TEST(reports_want_a_place_to_go),
        TEST(results_want_a_runtime),
        TEST(plugins_want_a_path),
        TEST(an_allocator_that_calls_back_is_refused),
        TEST(any_class_is_no_class),
        TEST(an_order_that_calls_back_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
