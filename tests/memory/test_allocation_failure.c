/* Every allocation of every call fails in turn: once, and for ever from then.
 *
 * For each call and each k: a fresh scene is set up, the k-th allocation of
 * the call is refused, and the call must succeed all the same or fail with
 * LB_NO_MEMORY and change nothing; tried again with memory it must succeed.
 * At the end nothing is left, and every size handed to the hook was right.
 */
#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
static lb_fn_meet meet_failed;
LB_DEFINE_GENERIC_WITH(meet, meet_failed);
LB_METHOD(meet, meet_one);
LB_METHOD(meet, meet_two);

LB_GENERIC(int, later, (ON, const thing *, a));
LB_DEFINE_GENERIC(later);

LB_BOXED_METHOD(speak_one);

static lb_status meet_status;

static int meet_failed(lb_slot slot, const thing *a, const thing *b)
{
    meet_status = (lb_status)lb_load_entry(slot)->status;
    return a == b ? -1 : -1;
}

static int meet_one(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a == b ? 1 : 1;
}

static int meet_two(lb_slot slot, const thing *a, const thing *b)
{
    LB_SELF(meet, meet_two, slot, a, b);
    return 2 + (lb_has_next(self) ? lb_next_meet(self, a, b) : 0);
}

static lb_status speak_one(lb_slot slot, size_t argc, const lb_value *argv,
                           lb_value *result)
{
    LB_IGNORE(slot);
    (void)argv;
    if (result != NULL)
        *result = lb_integer((int64_t)argc);
    return LB_OK;
}

/* ---- The scene ----------------------------------------------------------------- */

enum { SCENE_CLASSES = 5 };

typedef struct scene {
    world w;
    lb_class *cls[SCENE_CLASSES]; /* top, left, right, both, alone */
    thing things[SCENE_CLASSES];
    lb_generic *meet, *speak;
    lb_group *group;
    lb_plugin *plugin;
    void *made; /* what the call made */
    lb_status status_made;
    int result;
} scene;

static void add(scene *s, lb_class *a, lb_class *b, const lb_method *method)
{
    assert_ok(lb_add(lb_generic_head(s->meet), method, a, b));
}

static void open_scene(scene *s)
{
    memset(s, 0, sizeof *s);
    const lb_config config = world_config(&s->w);
    const lb_policy list = {.combination = LB_LIST};
    assert_ok(lb_runtime_create(&config, &s->w.runtime));
    s->cls[0] = world_class(&s->w, "top", NULL, NULL);
    s->cls[1] = world_class(&s->w, "left", s->cls[0], NULL);
    s->cls[2] = world_class(&s->w, "right", s->cls[0], NULL);
    s->cls[3] = world_class(&s->w, "both", s->cls[1], s->cls[2]);
    s->cls[4] = world_class(&s->w, "alone", NULL, NULL);
    for (int i = 0; i < SCENE_CLASSES; i++)
        s->things[i] = thing_of(s->cls[i]);
    assert_ok(lb_bind(s->w.runtime, LB_HEAD(meet), NULL));
    s->meet = LB_GENERIC_OF(meet);
    add(s, s->cls[0], lb_any_class, LB_DESCRIPTOR(meet_one));
    add(s, s->cls[1], s->cls[2], LB_DESCRIPTOR(meet_two));
    add(s, s->cls[2], s->cls[1], LB_DESCRIPTOR(meet_two));
    assert_ok(
        lb_generic_create_boxed(s->w.runtime, "speak", 1, &list, &s->speak));
    assert_ok(
        lb_add(lb_generic_head(s->speak), LB_DESCRIPTOR(speak_one), s->cls[0]));
    assert_ok(
        lb_add(lb_generic_head(s->speak), LB_DESCRIPTOR(speak_one), s->cls[1]));
}

static void close_scene(scene *s)
{
    allocator_arm(&s->w.memory, 0, 0);
    lb_runtime_destroy(s->w.runtime);
    if (!allocator_finish(&s->w.memory))
        fail_msg("%zu bytes are left, %zu sizes were wrong", s->w.memory.bytes,
                 s->w.memory.wrong);
}

/* Everything that can be seen of a scene, as text. */
typedef struct view {
    char text[32768];
    size_t used;
} view;

static void show(view *v, const char *text)
{
    const size_t length = strlen(text);
    assert_true(v->used + length + 2 < sizeof v->text);
    memcpy(v->text + v->used, text, length);
    v->used += length;
    v->text[v->used++] = '\n';
    v->text[v->used] = '\0';
}

static void show_call(view *v, lb_generic *generic, lb_class *const *classes)
{
    lb_explanation *why = NULL;
    char line[64];
    const size_t argc = lb_generic_dispatched(generic);
    assert_ok(lb_explain(generic, argc, classes, NULL, &why));
    const lb_entry *entry = lb_resolve(generic, classes, NULL);
    (void)snprintf(line, sizeof line, "%s %s", lb_status_name(why->status),
                   entry->method ? entry->method->name : "-");
    show(v, line);
    show(v, why->text);
    lb_explanation_free(why);
}

static void look(scene *s, view *v)
{
    char line[128];
    const lb_statistics figures = world_statistics(&s->w);
    v->used = 0;
    (void)snprintf(line, sizeof line, "%zu classes, %zu generics, %zu rules",
                   figures.classes, figures.generics, figures.rules);
    show(v, line);
    for (int i = 0; i < SCENE_CLASSES; i++) {
        lb_class *order[16];
        size_t count = lb_class_linearization(s->cls[i], order, 16);
        while (count-- > 0)
            show(v, lb_class_name(order[count]));
        show_call(v, s->speak, &s->cls[i]);
        for (int j = 0; j < SCENE_CLASSES; j++) {
            lb_class *pair[] = {s->cls[i], s->cls[j]};
            show_call(v, s->meet, pair);
        }
    }
}

/* ---- The calls ------------------------------------------------------------------- */

/* A call; what it needs is prepared before memory runs out. */
typedef struct act {
    const char *name;
    void (*prepare)(scene *s);
    lb_status (*run)(scene *s);
} act;

static lb_status make_class(scene *s)
{
    const lb_class_spec spec = {
        .name = "new", .bases = s->cls + 1, .base_count = 2};
    return lb_class_create(s->w.runtime, &spec, (lb_class **)&s->made);
}

static lb_status made_or_not(scene *s, void *made)
{
    s->made = made;
    return made != NULL ? LB_OK : LB_NO_MEMORY;
}

static lb_status make_class_shortly(scene *s)
{
    return made_or_not(
        s, lb_class_make(s->w.runtime, "new", 16, s->cls[1], s->cls[2]));
}

static lb_status set_bases(scene *s)
{
    lb_class *bases[] = {s->cls[4]};
    return lb_class_set_bases(s->cls[0], bases, 1);
}

static lb_status set_order(scene *s)
{
    lb_class *order[] = {s->cls[2], s->cls[1], s->cls[0]};
    return lb_class_set_linearization(s->cls[3], order, 3);
}

static lb_status take_header(scene *s)
{
    /* Never fails: without memory the class goes the slow way. */
    lb_class *cls = s->made;
    const lb_header head = lb_class_header(cls);
    return lb_class_of(s->w.runtime, &head) == cls ? LB_OK : LB_BUSY;
}

static void prepare_class(scene *s)
{
    s->made = world_class(&s->w, "fresh", s->cls[0], NULL);
}

static lb_status destroy_class(scene *s)
{
    return lb_class_destroy(s->made);
}

static lb_status new_object(scene *s)
{
    thing *t = lb_new(s->cls[0]);
    if (t == NULL)
        return LB_NO_MEMORY;
    lb_delete(s->cls[0], t);
    return LB_OK;
}

static lb_status bind_later(scene *s)
{
    return lb_bind(s->w.runtime, LB_HEAD(later), NULL);
}

static lb_status create_generic(scene *s)
{
    const uint32_t order[] = {1, 0};
    const lb_policy policy = {.precedence = order, .precedence_count = 2};
    return lb_generic_create(s->w.runtime, "another", LB_HEAD(meet)->signature,
                             &policy, (lb_generic **)&s->made);
}

static lb_status create_boxed(scene *s)
{
    return lb_generic_create_boxed(s->w.runtime, "boxed", 2, NULL,
                                   (lb_generic **)&s->made);
}

static lb_status clone(scene *s)
{
    return lb_generic_clone(s->meet, "clone", (lb_generic **)&s->made);
}

static void prepare_clone(scene *s)
{
    assert_ok(clone(s));
}

static lb_status destroy_generic(scene *s)
{
    return lb_generic_destroy(s->made);
}

static lb_status add_rules(scene *s)
{
    const lb_specializer at[][2] = {
        {lb_is(s->cls[3]), lb_is(s->cls[3])},
        {lb_eql(s->cls[1], lb_pointer(&s->things[1])), lb_any()},
        {lb_is(s->cls[0]), lb_any()}};
    const lb_rule rules[] = {
        {.method = LB_DESCRIPTOR(meet_two), .specializers = at[0], .count = 2},
        {.method = LB_DESCRIPTOR(meet_two), .specializers = at[1], .count = 2},
        {.method = LB_DESCRIPTOR(meet_two), .specializers = at[2], .count = 2},
        {.method = LB_DESCRIPTOR(meet_one), .qualifier = LB_BEFORE},
    };
    return lb_add_rules(s->meet, rules, COUNT_OF(rules));
}

static lb_status remove_rules(scene *s)
{
    lb_class *at[LB_MAX_DISPATCH] = {s->cls[1], s->cls[2]};
    return lb_remove_classes(lb_generic_head(s->meet), NULL, at);
}

static lb_status group_rules(scene *s)
{
    const lb_specializer at[] = {lb_is(s->cls[3]), lb_is(s->cls[3])};
    const lb_rule rules[] = {
        {.method = LB_DESCRIPTOR(meet_one), .specializers = at, .count = 2},
        {.method = LB_DESCRIPTOR(meet_two), .qualifier = LB_AROUND}};
    return lb_group_add(s->group, s->meet, rules, 2);
}

static lb_status create_group(scene *s)
{
    return lb_group_create(s->w.runtime, "group", 0, &s->group);
}

static void prepare_group(scene *s)
{
    assert_ok(create_group(s));
}

static void prepare_filled_group(scene *s)
{
    prepare_group(s);
    assert_ok(group_rules(s));
}

static lb_status commit_group(scene *s)
{
    return lb_group_commit(s->group);
}

static void prepare_committed_group(scene *s)
{
    prepare_filled_group(s);
    assert_ok(commit_group(s));
}

static lb_status remove_group(scene *s)
{
    return lb_group_remove(s->group);
}

/* The right answer, or a fallback that says why not. */
static lb_status call_meet(scene *s)
{
    meet_status = LB_OK;
    s->result = meet(&s->things[1], &s->things[2]);
    if (s->result == 3)
        return LB_OK;
    return s->result == -1 ? meet_status : LB_BUSY;
}

static lb_status try_meet(scene *s)
{
    const lb_status status =
        lb_try_meet(&s->result, &s->things[1], &s->things[2]);
    return status == LB_OK && s->result != 3 ? LB_BUSY : status;
}

static lb_status invoke_meet(scene *s)
{
    const lb_value argv[] = {lb_pointer(&s->things[1]),
                             lb_pointer(&s->things[2])};
    lb_value result = lb_integer(0);
    const lb_status status = lb_invoke(s->meet, 2, argv, &result);
    return status == LB_OK && (int)result.integer != 3 ? LB_BUSY : status;
}

static lb_status invoke_speak(scene *s)
{
    const lb_value argv = lb_pointer(&s->things[1]);
    lb_value result = lb_integer(0);
    const lb_status status = lb_invoke(s->speak, 1, &argv, &result);
    if (status != LB_OK)
        return status;
    lb_results *list = result.pointer;
    const int right = list != NULL && list->count == 2;
    lb_results_destroy(list);
    return right ? LB_OK : LB_BUSY;
}

static lb_status resolve(scene *s)
{
    lb_class *pair[] = {s->cls[1], s->cls[2]};
    const lb_entry *entry = lb_resolve(s->meet, pair, NULL);
    return (lb_status)entry->status;
}

static lb_status explain(scene *s)
{
    lb_class *pair[] = {s->cls[3], s->cls[3]};
    lb_explanation *why = NULL;
    const lb_status status = lb_explain(s->meet, 2, pair, NULL, &why);
    if (status == LB_OK)
        lb_explanation_free(why);
    return status;
}

static lb_status describe_ambiguity(scene *s)
{
    lb_rule first = {.method = LB_DESCRIPTOR(meet_one)};
    lb_rule second = {.method = LB_DESCRIPTOR(meet_two)};
    const lb_ambiguity found = {.first = &first,
                                .second = &second,
                                .witness = {s->cls[1], s->cls[2]},
                                .count = 2};
    char *text = NULL;
    const lb_status status = lb_ambiguity_text(s->meet, &found, &text);
    lb_text_free(s->w.runtime, text);
    return status;
}

static int ignore_ambiguity(void *context, const lb_ambiguity *found)
{
    return context == NULL || found == NULL;
}

static lb_status find_ambiguities(scene *s)
{
    size_t count = 0;
    const lb_status status =
        lb_ambiguities(s->meet, ignore_ambiguity, s, &count);
    return status == LB_OK && count != 1 ? LB_BUSY : status;
}

static int ignore_rule(void *context, const lb_rule *rule)
{
    return context == NULL || rule == NULL;
}

static lb_status each_rule(scene *s)
{
    return lb_each_rule(s->meet, ignore_rule, s);
}

static lb_status text_of_rule(scene *s)
{
    const lb_specializer at = lb_is(s->cls[0]);
    const lb_rule rule = {.method = LB_DESCRIPTOR(meet_one),
                          .specializers = &at,
                          .count = 1,
                          .qualifier = LB_BEFORE};
    char *text = NULL;
    const lb_status status = lb_rule_text(s->meet, &rule, &text);
    lb_text_free(s->w.runtime, text);
    return status;
}

static lb_status report_dot(scene *s)
{
    char *text = NULL;
    const lb_status status = lb_report_dot(s->w.runtime, &text);
    lb_text_free(s->w.runtime, text);
    return status;
}

static lb_status report_html(scene *s)
{
    char *text = NULL;
    const lb_status status = lb_report_html(s->meet, NULL, &text);
    lb_text_free(s->w.runtime, text);
    return status;
}

static lb_status make_results(scene *s)
{
    const lb_value values[] = {lb_integer(1), lb_integer(2)};
    lb_results *list = lb_results_create(s->w.runtime, values, 2);
    lb_results_destroy(list);
    return list != NULL ? LB_OK : LB_NO_MEMORY;
}

static lb_status make_reader(scene *s)
{
    lb_config config = world_config(&s->w);
    config.reclaim = LB_RECLAIM_EPOCH;
    lb_runtime *other = NULL;
    lb_reader *reader = NULL;
    lb_status status = lb_runtime_create(&config, &other);
    if (status == LB_OK)
        status = lb_reader_create(other, &reader);
    if (status == LB_OK)
        status = lb_reader_destroy(reader);
    lb_runtime_destroy(other);
    return status;
}

static lb_status quiesce(scene *s)
{
    return lb_quiesce(s->w.runtime);
}

static void prepare_waste(scene *s)
{
    for (int i = 0; i < SCENE_CLASSES; i++)
        (void)meet(&s->things[i], &s->things[1]);
    assert_ok(add_rules(s));
    assert_ok(remove_rules(s));
}

static lb_status set_class(scene *s)
{
    thing t = s->things[0];
    return lb_set_class(&t, s->made);
}

static lb_status open_plugin(scene *s)
{
    const lb_status status =
        lb_plugin_open(s->w.runtime, "/nowhere/at-all.so", &s->plugin);
    return status == LB_BAD_PLUGIN ? LB_OK : status;
}

static const act ACTS[] = {
    {"lb_class_create", NULL, make_class},
    {"lb_class_make", NULL, make_class_shortly},
    {"lb_class_set_bases", NULL, set_bases},
    {"lb_class_set_linearization", NULL, set_order},
    {"lb_class_header", prepare_class, take_header},
    {"lb_class_destroy", prepare_class, destroy_class},
    {"lb_set_class", prepare_class, set_class},
    {"lb_new", NULL, new_object},
    {"lb_bind", NULL, bind_later},
    {"lb_generic_create", NULL, create_generic},
    {"lb_generic_create_boxed", NULL, create_boxed},
    {"lb_generic_clone", NULL, clone},
    {"lb_generic_destroy", prepare_clone, destroy_generic},
    {"lb_add_rules", NULL, add_rules},
    {"lb_add_rules after calls", prepare_waste, add_rules},
    {"lb_remove_rules", NULL, remove_rules},
    {"lb_group_create", NULL, create_group},
    {"lb_group_add", prepare_group, group_rules},
    {"lb_group_commit", prepare_filled_group, commit_group},
    {"lb_group_remove", prepare_committed_group, remove_group},
    {"a call", NULL, call_meet},
    {"lb_try_", NULL, try_meet},
    {"lb_invoke, typed", NULL, invoke_meet},
    {"lb_invoke, boxed", NULL, invoke_speak},
    {"lb_resolve", NULL, resolve},
    {"lb_explain", NULL, explain},
    {"lb_ambiguities", NULL, find_ambiguities},
    {"lb_ambiguity_text", NULL, describe_ambiguity},
    {"lb_each_rule", NULL, each_rule},
    {"lb_rule_text", NULL, text_of_rule},
    {"lb_report_dot", NULL, report_dot},
    {"lb_report_html", NULL, report_html},
    {"lb_results_create", NULL, make_results},
    {"lb_reader_create", NULL, make_reader},
    {"lb_quiesce", prepare_waste, quiesce},
    {"lb_plugin_open", NULL, open_plugin},
};

/* ---- The trial -------------------------------------------------------------------- */

/* Refuses the k-th allocation of one act; 1 while there was one to refuse. */
static int try_with_failure(const act *one, uint64_t k, int for_ever)
{
    static scene s;
    static view before, after;
    open_scene(&s);
    if (one->prepare != NULL)
        one->prepare(&s);
    look(&s, &before);
    allocator_arm(&s.w.memory, k, for_ever);
    const lb_status status = one->run(&s);
    const int refused = s.w.memory.refused > 0;
    allocator_arm(&s.w.memory, 0, 0);
    if (status != LB_OK && status != LB_NO_MEMORY)
        fail_msg("%s, allocation %d: %s (%s)", one->name, (int)k,
                 lb_status_name(status), lb_message());
    if (status == LB_NO_MEMORY) {
        if (!refused)
            fail_msg("%s: out of memory without need", one->name);
        look(&s, &after);
        if (strcmp(before.text, after.text) != 0)
            fail_msg("%s, allocation %d: the world has changed\n%s\n---\n%s",
                     one->name, (int)k, before.text, after.text);
        if (one->run(&s) != LB_OK)
            fail_msg("%s, allocation %d: fails when tried again: %s", one->name,
                     (int)k, lb_message());
    }
    close_scene(&s);
    return refused;
}

static void a_refused_allocation_changes_nothing(void **state)
{
    uint64_t tried = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ACTS); i++)
        for (int for_ever = 0; for_ever < 2; for_ever++) {
            uint64_t k = 1;
            while (try_with_failure(&ACTS[i], k, for_ever))
                k++;
            tried += k - 1;
        }
    print_message("%llu allocations of %zu calls were refused\n",
                  (unsigned long long)tried, COUNT_OF(ACTS));
}

static void a_runtime_that_cannot_be_made_leaves_nothing(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++)
        for (uint64_t k = 1;; k++) {
            static world w;
            memset(&w, 0, sizeof w);
            const lb_config config = world_config(&w);
            allocator_arm(&w.memory, k, for_ever);
            const lb_status status = lb_runtime_create(&config, &w.runtime);
            const int refused = w.memory.refused > 0;
            allocator_arm(&w.memory, 0, 0);
            if (status == LB_OK)
                lb_runtime_destroy(w.runtime);
            else
                assert_int_equal(status, LB_NO_MEMORY);
            assert_true(allocator_finish(&w.memory));
            if (!refused)
                break;
        }
}

/* Calls of ever new classes while memory is scarce: whatever is answered is
 * right, or LB_NO_MEMORY. */
static void scarce_memory_never_makes_a_call_wrong(void **state)
{
    static scene s;
    int good = 0, refused = 0;
    (void)state;
    open_scene(&s);
    for (int i = 0; i < 600; i++) {
        lb_class *cls = world_class(&s.w, "c", s.cls[i % 4], NULL);
        const thing t = thing_of(cls);
        meet_status = LB_OK;
        allocator_arm(&s.w.memory, (uint64_t)(1 + i % 7), i % 2);
        const int got = meet(&t, &s.things[4]);
        allocator_arm(&s.w.memory, 0, 0);
        if (got == 1)
            good++;
        else if (got == -1 && meet_status == LB_NO_MEMORY)
            refused++;
        else
            fail_msg("call %d gave %d, %s", i, got,
                     lb_status_name(meet_status));
        assert_int_equal(meet(&t, &s.things[4]), 1);
    }
    print_message("%d calls were answered, %d refused\n", good, refused);
    assert_true(good > 0);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_allocation_changes_nothing),
        cmocka_unit_test(a_runtime_that_cannot_be_made_leaves_nothing),
        cmocka_unit_test(scarce_memory_never_makes_a_call_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
