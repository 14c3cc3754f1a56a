/* Random worlds, random changes, random calls: what runs, what lb_resolve and
 * lb_explain say, and which rules are ambiguous must be what the oracle says.
 *
 * LB_ORACLE_ROUNDS sets how many worlds of each kind (default 150);
 * LB_ORACLE_SEED runs one world alone.
 */
#include "oracle/twin.h"
#include "support/test.h"

static unsigned long long calls_checked, explained, pairs_checked;

static long from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* ---- Calls -------------------------------------------------------------------- */

/* A random call of living objects; 0 when there are none. */
static int roll_call(twin *t, int generic, or_call *call)
{
    const or_generic *model = &t->models[generic];
    call->argc = model->dispatched;
    if (model->boxed > 1)
        call->argc = 1 + dice_roll(&t->dice, OR_ARGS);
    for (int i = 0; i < call->argc; i++) {
        int tries = 0;
        do
            call->object[i] = dice_roll(&t->dice, OR_OBJECTS);
        while (t->world.objects[call->object[i]].cls == OR_NONE &&
               ++tries < 1000);
        call->cls[i] = t->world.objects[call->object[i]].cls;
        if (call->cls[i] == OR_NONE)
            return 0;
    }
    return 1;
}

static void print_trace(const char *whose, const or_trace *trace)
{
    print_message("  %s:", whose);
    for (int i = 0; i < trace->count; i++)
        print_message(" %d", trace->event[i]);
    print_message(" -> %d\n", trace->result);
}

static int same_trace(const or_generic *model, const or_trace *a,
                      const or_trace *b)
{
    if (a->count != b->count ||
        memcmp(a->event, b->event, sizeof(int) * (size_t)a->count) != 0)
        return 0;
    if (model->combination == LB_AND || model->combination == LB_OR)
        return !a->result == !b->result;
    return a->result == b->result;
}

static void check_run(twin *t, int generic, const or_call *call)
{
    const or_generic *model = &t->models[generic];
    static or_trace expected, got;
    subject *arguments[OR_ARGS];
    for (int i = 0; i < call->argc; i++)
        arguments[i] = &t->objects[call->object[i]];
    or_run(&t->world, model, call, &expected);
    for (int way = ENGINE_CALL; way <= ENGINE_INVOKE; way++) {
        got.listed = expected.listed;
        (void)engine_call(t->generics[generic], model, (engine_way)way,
                          arguments, call->argc, &got);
        calls_checked++;
        if (same_trace(model, &expected, &got))
            continue;
        twin_print_call(call);
        print_message("  generic %d, way %d\n", generic, way);
        print_trace("oracle", &expected);
        print_trace("engine", &got);
        twin_fail(t, "another method ran");
    }
}

/* ---- Resolve -------------------------------------------------------------------- */

static const lb_entry *unflipped(const lb_entry *entry)
{
    return entry->flags & LB_ENTRY_SWAPPED ? entry->inner : entry;
}

static int is_simple(const or_generic *model)
{
    for (int i = 0; i < model->count; i++)
        if (model->rules[i].qualifier != LB_PRIMARY ||
            model->rules[i].propagate != LB_PROPAGATE_NONE)
            return 0;
    return model->combination == LB_STANDARD || model->combination == LB_FIRST;
}

/* Where every entry is a plain method, the whole chain is compared. */
static int same_chain(const or_generic *model, const or_chain *chain,
                      const lb_entry *entry)
{
    for (int i = 0; i < chain->count; i++) {
        const lb_entry *method = unflipped(entry);
        if (entry->status != LB_OK || method->context == NULL ||
            ((const mark *)method->context)->tag !=
                model->rules[chain->form[i].rule].tag ||
            !(entry->flags & LB_ENTRY_SWAPPED) != !chain->form[i].flipped)
            return 0;
        entry = entry->next;
    }
    return entry->status == (uint32_t)chain->end && entry->next == entry;
}

static void check_resolve(twin *t, int generic, const or_call *call)
{
    const or_generic *model = &t->models[generic];
    lb_class *classes[OR_ARGS];
    lb_value values[OR_ARGS];
    if (call->argc != model->dispatched)
        return;
    for (int i = 0; i < call->argc; i++) {
        classes[i] = t->classes[call->cls[i]];
        values[i] = lb_pointer(&t->objects[call->object[i]]);
    }
    const or_plan plan = or_choose(&t->world, model, call);
    const lb_entry *entry = lb_resolve(t->generics[generic], classes, values);
    int good = entry->status == (uint32_t)plan.status;
    if (good && plan.status == LB_OK && is_simple(model))
        good = same_chain(model, &plan.primary, entry);
    if (good)
        return;
    twin_print_call(call);
    print_message("  generic %d: %s, oracle: %s\n", generic,
                  lb_status_name((lb_status)entry->status),
                  lb_status_name(plan.status));
    twin_fail(t, "lb_resolve differs");
}

/* ---- Explain -------------------------------------------------------------------- */

static int find_rule(const or_generic *model, const lb_rule *rule)
{
    for (int i = 0; i < model->count; i++)
        if (model->rules[i].tag == ((const mark *)rule->context)->tag)
            return i;
    return OR_NONE;
}

static int place_in(const or_chain *chain, or_form form)
{
    for (int i = 0; i < chain->count; i++)
        if (chain->form[i].rule == form.rule &&
            chain->form[i].flipped == form.flipped)
            return i;
    return OR_NONE;
}

/* Whether the argument that is said to fail does fail, for that reason. */
static int good_rejection(const twin *t, const or_generic *model, or_form form,
                          const or_call *call, const lb_explanation_item *item,
                          lb_verdict expected)
{
    or_call one = *call;
    int argument;
    if (item->verdict == LB_REJECTED_ARITY || expected == LB_REJECTED_ARITY)
        return item->verdict == expected;
    if (item->argument >= (uint32_t)call->argc)
        return 0;
    /* Satisfy the others: only the argument that was named may fail. */
    const or_spec spec = or_spec_at(model, form, (int)item->argument);
    const or_generic single = {
        .dispatched = 1, .count = 1, .rules = {{.at = {spec}, .count = 1}}};
    one.argc = 1;
    one.cls[0] = call->cls[item->argument];
    one.object[0] = call->object[item->argument];
    return or_verdict(&t->world, &single, (or_form){0, 0}, &one, &argument) ==
           item->verdict;
}

/* What an applicable form is to this call. `*rank` is its place, or OR_NONE
 * where the place is not compared. */
static lb_verdict expected_verdict(const or_generic *model, const or_plan *plan,
                                   or_form form, int *rank)
{
    const lb_qualifier qualifier = model->rules[form.rule].qualifier;
    const int around = place_in(&plan->around, form);
    const int primary = place_in(&plan->primary, form);
    *rank = OR_NONE;
    if (qualifier == LB_BEFORE || qualifier == LB_AFTER)
        return LB_RUNS_ALONG;
    if (qualifier == LB_AROUND) {
        *rank = around;
        return around == 0 ? LB_CHOSEN : LB_NEXT;
    }
    *rank = primary + plan->around.count;
    return *rank == 0 ? LB_CHOSEN : LB_NEXT;
}

static int good_item(const twin *t, const or_generic *model,
                     const or_plan *plan, const or_call *call,
                     const lb_explanation_item *item)
{
    int argument, rank;
    const or_form form = {find_rule(model, item->rule), item->swapped};
    if (form.rule == OR_NONE ||
        (form.flipped && !or_has_flipped(model, form.rule)))
        return 0;
    const lb_verdict why = or_verdict(&t->world, model, form, call, &argument);
    if (why == LB_UNREACHED) /* the rule applies as it stands */
        return item->verdict == LB_UNREACHED;
    if (why != LB_CHOSEN)
        return good_rejection(t, model, form, call, item, why);
    if (plan->status != LB_OK)
        return item->verdict == LB_TIED || item->verdict == LB_UNREACHED ||
               (item->verdict == LB_RUNS_ALONG &&
                item->rule->qualifier != LB_PRIMARY);
    if (place_in(&plan->around, form) == OR_NONE &&
        place_in(&plan->primary, form) == OR_NONE &&
        (item->rule->qualifier == LB_PRIMARY ||
         item->rule->qualifier == LB_AROUND))
        return item->verdict == LB_TIED || item->verdict == LB_UNREACHED;
    if (plan->around.end == LB_AMBIGUOUS ||
        (model->combination != LB_STANDARD && model->combination != LB_FIRST))
        return item->verdict <= LB_UNREACHED;
    return item->verdict == expected_verdict(model, plan, form, &rank) &&
           (rank == OR_NONE || item->rank == (uint32_t)rank);
}

static size_t count_forms(const or_generic *model)
{
    size_t count = (size_t)model->count;
    for (int i = 0; i < model->count; i++)
        count += (size_t)or_has_flipped(model, i);
    return count;
}

static void check_explain(twin *t, int generic, const or_call *call)
{
    const or_generic *model = &t->models[generic];
    lb_class *classes[OR_ARGS];
    lb_value values[OR_ARGS];
    lb_explanation *why = NULL;
    if (call->argc > model->dispatched)
        return;
    for (int i = 0; i < call->argc; i++) {
        classes[i] = t->classes[call->cls[i]];
        values[i] = lb_pointer(&t->objects[call->object[i]]);
    }
    const or_plan plan = or_choose(&t->world, model, call);
    assert_ok(lb_explain(t->generics[generic], (size_t)call->argc, classes,
                         values, &why));
    explained++;
    size_t bad = 0;
    if (why->status != plan.status || why->count != count_forms(model))
        bad = why->count + 1;
    for (size_t i = 0; !bad && i < why->count; i++)
        if (!good_item(t, model, &plan, call, &why->items[i]))
            bad = i + 1;
    if (bad) {
        twin_print_call(call);
        print_message("  generic %d, item %zu of %zu; oracle: %s, %zu\n%s\n",
                      generic, bad - 1, why->count, lb_status_name(plan.status),
                      count_forms(model), why->text);
        lb_explanation_free(why);
        twin_fail(t, "lb_explain differs");
    }
    lb_explanation_free(why);
}

/* ---- Ambiguities ---------------------------------------------------------------- */

typedef struct report {
    twin *t;
    const or_generic *model;
    lb_generic *generic;
    int seen[OR_RULES][OR_RULES]; /* as or_ambiguity, first < second */
    int bad;
} report;

static int class_number(const twin *t, const lb_class *cls)
{
    for (int i = 0; i < OR_CLASSES; i++)
        if (t->world.classes[i].alive && t->classes[i] == cls)
            return i;
    return OR_NONE;
}

/* The witness is a tuple for which the two are ambiguous, and the signature
 * that would resolve it fits the witness. */
static int good_witness(const report *r, const lb_ambiguity *found, int first,
                        int second)
{
    int at[OR_ARGS];
    if (found->count != (uint32_t)r->model->dispatched)
        return 0;
    for (int i = 0; i < r->model->dispatched; i++) {
        at[i] = class_number(r->t, found->witness[i]);
        for (int c = 0; at[i] == OR_NONE && c < OR_CLASSES; c++)
            if (found->witness[i] == NULL && r->t->world.classes[c].alive)
                at[i] = c;
        if (at[i] == OR_NONE)
            return 0;
        if (found->resolving[i] != NULL && found->witness[i] != NULL &&
            !lb_class_is_subclass(found->witness[i], found->resolving[i]))
            return 0;
    }
    return or_ambiguous(&r->t->world, r->model, first, second, at) != OR_CLEAR;
}

static int see(void *context, const lb_ambiguity *found)
{
    report *r = context;
    const int one = find_rule(r->model, found->first);
    const int other = find_rule(r->model, found->second);
    const int first = one < other ? one : other;
    const int second = one < other ? other : one;
    char *text = NULL;
    if (first == OR_NONE || first == second ||
        !good_witness(r, found, first, second)) {
        print_message("  reported: rules at %d and %d\n", one, other);
        r->bad++;
        return 0;
    }
    const or_ambiguity how = found->possible ? OR_POSSIBLE : OR_CERTAIN;
    if (how > (or_ambiguity)r->seen[first][second])
        r->seen[first][second] = (int)how;
    if (lb_ambiguity_text(r->generic, found, &text) != LB_OK || *text == '\0')
        r->bad++;
    lb_text_free(r->t->runtime, text);
    return 0;
}

static void check_ambiguities(twin *t, int generic)
{
    const or_generic *model = &t->models[generic];
    report r = {.t = t, .model = model, .generic = t->generics[generic]};
    if (model->order == LB_USER_ORDER)
        return;
    assert_ok(lb_ambiguities(t->generics[generic], see, &r, NULL));
    for (int i = 0; i < model->count; i++)
        for (int j = i + 1; j < model->count; j++) {
            const or_ambiguity how =
                or_ambiguous_anywhere(&t->world, model, i, j);
            pairs_checked++;
            if ((int)how == r.seen[i][j])
                continue;
            print_message("  generic %d, rules %d and %d: oracle %d, "
                          "engine %d\n",
                          generic, model->rules[i].tag, model->rules[j].tag,
                          (int)how, r.seen[i][j]);
            r.bad++;
        }
    if (r.bad)
        twin_fail(t, "the ambiguities differ");
}

/* ---- Worlds --------------------------------------------------------------------- */

static void check_calls(twin *t, int count)
{
    or_call call;
    for (int i = 0; i < count; i++) {
        const int generic = dice_roll(&t->dice, TWIN_GENERICS);
        if (!roll_call(t, generic, &call) ||
            !or_is_defined(&t->world, &t->models[generic], &call))
            continue;
        check_run(t, generic, &call);
        if (i % 4 == 0)
            check_resolve(t, generic, &call);
        if (i % 4 == 1)
            check_explain(t, generic, &call);
    }
}

static void run_world(uint64_t seed, twin_kind kind)
{
    static twin t;
    twin_open(&t, seed, kind);
    for (int change = 0; change < 60; change++) {
        twin_change(&t);
        check_calls(&t, 12);
        if (kind != TWIN_ANY && change % 6 == 5)
            for (int g = 0; g < TWIN_GENERICS; g++)
                check_ambiguities(&t, g);
    }
    twin_close(&t);
}

static void run_worlds(uint64_t first_seed, twin_kind kind)
{
    const long one = from_environment("LB_ORACLE_SEED", -1);
    const long rounds = from_environment("LB_ORACLE_ROUNDS", 150);
    if (one >= 0) {
        if ((uint64_t)one / 1000000000 == first_seed / 1000000000)
            run_world((uint64_t)one, kind);
        return;
    }
    for (long i = 0; i < rounds; i++)
        run_world(first_seed + (uint64_t)i, kind);
}

static void in_random_worlds_what_runs_is_what_the_page_says(void **state)
{
    (void)state;
    run_worlds(1000000000, TWIN_ANY);
}

static void in_small_worlds_ambiguities_are_what_the_page_says(void **state)
{
    (void)state;
    run_worlds(2000000000, TWIN_PLAIN);
}

static void
with_virtual_classes_ambiguities_are_what_the_page_says(void **state)
{
    (void)state;
    run_worlds(3000000000, TWIN_VIRTUAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_random_worlds_what_runs_is_what_the_page_says),
        cmocka_unit_test(in_small_worlds_ambiguities_are_what_the_page_says),
        cmocka_unit_test(
            with_virtual_classes_ambiguities_are_what_the_page_says),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message("%llu calls, %llu explanations and %llu pairs of rules "
                  "were compared\n",
                  calls_checked, explained, pairs_checked);
    return failed;
}
