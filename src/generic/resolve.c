/* generic/resolve.c - what happens when a call finds nothing in its slot.
 *
 * Callable from any thread. In order:
 *   1. look in the second level, without the lock;
 *   2. take the lock; find the classes; collect the forms that fit them;
 *   3. if values matter, ask them with the lock released (generic/plan.c);
 *   4. sort, build or find the entry;
 *   5. put it under the key: into the key's slot, or, when another key owns
 *      that, into the second level; when too many are there, look for a better
 *      layout of the table.
 * Failures (no method, ambiguous) are stored like methods: their function is
 * the fallback. Without memory the call still gets its entry if that exists;
 * otherwise LB_NO_MEMORY.
 */
#include "generic/resolve.h"

#include "generic/chain.h"
#include "generic/index.h"
#include "generic/plan.h"

/* ---- keys --------------------------------------------------------------- */

void lbi_heads_read(const lb_generic *g, const lb_argument *arguments,
                    lbi_heads *heads, lbi_call *call)
{
    for (unsigned i = 0; i < g->dispatched; i++) {
        heads->heads[i] = arguments[i].head ? lbi_read_header(arguments[i].head)
                                            : (lb_header){0, 0};
        call->values[i] = arguments[i].value;
    }
    call->argc = g->dispatched;
    call->argv = NULL;
    call->has_values = true;
}

static bool head_of_value(const lb_runtime *runtime, lb_value value,
                          lb_header *head)
{
    if (runtime->config.class_of == NULL) {
        if (value.pointer == NULL)
            return false;
        *head = lbi_read_header(value.pointer);
        return true;
    }
    lb_class *cls =
        runtime->config.class_of(runtime->config.class_of_context, value);
    if (cls == NULL)
        return false;
    *head = lb_class_header(cls);
    return true;
}

bool lbi_heads_boxed(lb_generic *g, size_t argc, const lb_value *argv,
                     lbi_heads *heads, lbi_call *call, lb_status *status)
{
    const size_t arity = argc < LBI_ARITY_LIMIT ? argc : LBI_ARITY_LIMIT;
    heads->heads[0] =
        (lb_header){lbi_handle((uint32_t)(LBI_ID_ARITY + arity)), 0};
    for (unsigned i = 0; i < g->dispatched; i++) {
        if (i >= argc) {
            heads->heads[i + 1] = (lb_header){lbi_handle(LBI_ID_ABSENT), 0};
            continue;
        }
        if (!head_of_value(g->runtime, argv[i], &heads->heads[i + 1])) {
            *status = lbi_fail(LB_NO_CLASS, "%s: argument %u has no class",
                               lbi_generic_label(g), i + 1);
            return false;
        }
        call->values[i] = argv[i];
    }
    call->argc = argc;
    call->argv = argv;
    call->has_values = true;
    return true;
}

bool lbi_classes_of(const lb_generic *g, const lbi_heads *heads, lbi_call *call)
{
    const lb_header *head = heads->heads + g->boxed;
    for (unsigned i = 0; i < g->dispatched; i++) {
        call->classes[i] = NULL;
        if (head[i].handle == lbi_handle(LBI_ID_ABSENT))
            continue;
        call->classes[i] = lbi_class_of(g->runtime, head[i]);
        if (call->classes[i] == NULL)
            return false;
    }
    return true;
}

static void key_words(const lb_generic *g, const lbi_heads *heads,
                      uint64_t *words, uint32_t *handles)
{
    for (unsigned i = 0; i < g->keys; i++) {
        handles[i] = heads->heads[i].handle;
        words[i] = lbi_word_of(heads->heads[i]);
    }
}

/* ---- storing ------------------------------------------------------------ */

static bool has_slot(const lb_generic *g, const uint64_t *words)
{
    for (unsigned i = 0; i < g->keys; i++)
        if ((uint32_t)words[i] == lbi_handle(g->runtime->unnumbered))
            return false;
    return true;
}

static void handles_of(const lb_generic *g, const uint64_t *words,
                       uint32_t *handles)
{
    for (unsigned i = 0; i < g->keys; i++)
        handles[i] = (uint32_t)words[i];
}

/* The keys of the second level that might have cells; hot: only those that were
 * called since they were last asked for. */
typedef struct outside {
    uint32_t *keys;
    const lb_entry **entries;
    size_t count, room;
} outside;

static void free_outside(lb_generic *g, outside *o)
{
    lbi_allocator *allocator = &g->runtime->allocator;
    lbi_free(allocator, o->keys, o->room * g->keys * sizeof *o->keys);
    lbi_free(allocator, o->entries, o->room * sizeof *o->entries);
}

static bool find_outside(lb_generic *g, bool hot, outside *o)
{
    lbi_allocator *allocator = &g->runtime->allocator;
    *o = (outside){.room = g->second.live};
    if (o->room == 0)
        return false;
    o->keys = lbi_alloc(allocator, o->room * g->keys * sizeof *o->keys);
    o->entries = lbi_alloc(allocator, o->room * sizeof *o->entries);
    if (o->keys == NULL || o->entries == NULL)
        return false;
    for (size_t i = 0; i < lbi_second_room(&g->second); i++) {
        lbi_record *record = lbi_second_at(&g->second, i);
        const lb_entry *entry = record ? lbi_peek(&record->entry) : NULL;
        if (entry == NULL || !has_slot(g, record->key) ||
            (hot && !lbi_peek(&record->hot)))
            continue;
        handles_of(g, record->key, o->keys + o->count * g->keys);
        o->entries[o->count++] = entry;
        lbi_poke(&record->hot, 0);
    }
    return o->count != 0;
}

/* Moves to the table what fits there now. */
static void promote(lb_generic *g)
{
    for (size_t i = 0; i < lbi_second_room(&g->second); i++) {
        lbi_record *record = lbi_second_at(&g->second, i);
        const lb_entry *entry = record ? lbi_peek(&record->entry) : NULL;
        uint32_t handles[LB_MAX_DISPATCH];
        if (entry == NULL || !has_slot(g, record->key))
            continue;
        handles_of(g, record->key, handles);
        if (lbi_table_put(&g->table, handles, entry))
            lbi_second_set(&g->second, record, NULL);
    }
}

/* Looks for a table in which fewer keys are displaced. */
static bool refit(lb_generic *g, bool hot)
{
    outside o;
    bool better = false;
    if (find_outside(g, hot, &o)) {
        const lbi_keys keys = {o.keys, o.entries, o.count};
        better = lbi_table_fit(&g->table, keys, hot);
        if (better || hot)
            promote(g);
    }
    free_outside(g, &o);
    return better;
}

static void store(lb_generic *g, const uint64_t *words, const uint32_t *handles,
                  const lb_entry *entry)
{
    if (has_slot(g, words) && lbi_table_put(&g->table, handles, entry))
        return;
    lbi_record *record =
        lbi_second_make(&g->second, g->runtime, words, g->keys);
    if (record == NULL)
        return;
    lbi_second_set(&g->second, record, entry);
    if (lbi_table_wants_fit(&g->table, g->second.live))
        refit(g, false);
}

/* Displaced keys that are called often are worth another look. */
static void count_outside_hit(lb_generic *g)
{
    lb_runtime *runtime = g->runtime;
    lbi_count(&runtime->second_level);
    lbi_count(&g->outside_hits);
    if (lbi_peek(&g->outside_hits) < lbi_peek(&g->patience) ||
        lbi_enter_runtime(runtime) != LB_OK)
        return;
    if (lbi_peek(&g->outside_hits) >= g->patience) {
        lbi_poke(&g->outside_hits, 0);
        if (!refit(g, true))
            lbi_poke(&g->patience, g->patience * 4);
    }
    lbi_leave_runtime(runtime, LB_OK);
}

/* ---- resolving ---------------------------------------------------------- */

typedef struct search {
    lb_generic *generic;
    const lbi_call *call;
    lbi_matches matches;
    bool conditional, failed;
} search;

static bool add_if_fit(void *context, lbi_form *form)
{
    search *s = context;
    uint32_t position;
    if (!lbi_arity_fits(s->generic, form, s->call) ||
        !lbi_form_fits(s->generic, form, s->call, &position))
        return true;
    s->conditional |= form->rule->conditional;
    s->failed = !lbi_match_add(&s->matches, s->generic, s->call, form);
    return !s->failed;
}

static const lb_entry *make_chain(lb_generic *g, const lbi_call *call,
                                  lbi_matches *matches)
{
    const lb_entry *entry = lbi_chain_make(g, call, matches);
    return entry ? entry : lbi_chain_end(g, LB_NO_MEMORY);
}

/* The chain of those forms of a plan that hold. */
static const lb_entry *chain_of_plan(lb_generic *g, const lbi_call *call,
                                     const lbi_plan *plan, const char *holds)
{
    lbi_matches matches = {.runtime = g->runtime};
    bool failed = false;
    for (size_t i = 0; i < plan->count && !failed; i++)
        if (holds[i])
            failed = !lbi_match_add(&matches, g, call, plan->forms[i]);
    const lb_entry *entry =
        failed ? lbi_chain_end(g, LB_NO_MEMORY) : make_chain(g, call, &matches);
    lbi_matches_free(&matches);
    return entry;
}

/* One round of asking: NULL when the plan went out of date meanwhile. */
static const lb_entry *ask_plan(lb_generic *g, const lbi_call *call,
                                lbi_plan *plan)
{
    char few[64];
    const size_t count = plan->count;
    lb_runtime *runtime = g->runtime;
    lbi_plan_use(plan);
    char *holds =
        count <= sizeof few ? few : lbi_alloc(&runtime->allocator, count);
    if (holds == NULL) {
        lbi_plan_leave(plan);
        return lbi_chain_end(g, LB_NO_MEMORY);
    }
    lbi_leave_runtime(runtime, LB_OK);
    const bool asked = lbi_plan_ask(plan, call, holds);
    lbi_enter_runtime(runtime);
    const lb_entry *entry = NULL;
    if (!asked)
        entry = lbi_chain_end(g, LB_PREDICATE_FAILED);
    else if (!plan->stale)
        entry = chain_of_plan(g, call, plan, holds);
    lbi_plan_leave(plan);
    if (holds != few)
        lbi_free(&runtime->allocator, holds, count);
    return entry;
}

/* Resolves once; NULL: start over. *fixed says that only classes mattered. */
static const lb_entry *resolve_once(lb_generic *g, lbi_call *call,
                                    lbi_record *record, bool *fixed)
{
    search s = {.generic = g, .call = call, .matches = {.runtime = g->runtime}};
    const lb_entry *entry;
    lbi_count(&g->runtime->resolutions);
    lbi_index_candidates(g, call->classes, add_if_fit, &s);
    *fixed = !s.conditional;
    if (s.failed) {
        entry = lbi_chain_end(g, LB_NO_MEMORY);
    } else if (!s.conditional) {
        entry = make_chain(g, call, &s.matches);
    } else {
        lbi_plan *plan = lbi_plan_make(g, &s.matches, record);
        entry = plan ? ask_plan(g, call, plan) : lbi_chain_end(g, LB_NO_MEMORY);
    }
    lbi_matches_free(&s.matches);
    return entry;
}

static const lb_entry *resolve_locked(lb_generic *g, const lbi_heads *heads,
                                      lbi_call *call)
{
    uint64_t words[LB_MAX_DISPATCH];
    uint32_t handles[LB_MAX_DISPATCH];
    const lb_entry *entry = NULL;
    bool fixed = true;
    /* From a certain number of arguments on, numbers share a key. */
    const bool shared = g->boxed && call->argc >= LBI_ARITY_LIMIT;
    key_words(g, heads, words, handles);
    while (entry == NULL) {
        if (!lbi_classes_of(g, heads, call))
            return lbi_chain_end(g, LB_NO_CLASS);
        lbi_record *record =
            g->conditional_count && !shared
                ? lbi_second_make(&g->second, g->runtime, words, g->keys)
                : NULL;
        if (record && record->plan) {
            fixed = false;
            entry = ask_plan(g, call, record->plan);
        } else {
            entry = resolve_once(g, call, record, &fixed);
        }
    }
    if (fixed && !shared && entry->status != LB_NO_MEMORY)
        store(g, words, handles, entry);
    return entry;
}

const lb_entry *lbi_resolve(lb_generic *g, const lbi_heads *heads,
                            lbi_call *call)
{
    lb_runtime *runtime = g->runtime;
    uint64_t words[LB_MAX_DISPATCH];
    uint32_t handles[LB_MAX_DISPATCH];
    lbi_count(&runtime->misses);
    key_words(g, heads, words, handles);
    const bool shared = g->boxed && call->argc >= LBI_ARITY_LIMIT;
    lbi_record *record =
        shared ? NULL : lbi_second_find(&g->second, words, g->keys);
    const lb_entry *entry = record ? lbi_load(&record->entry) : NULL;
    if (entry) {
        lbi_poke(&record->hot, 1);
        count_outside_hit(g);
        return entry;
    }
    if (lbi_enter_runtime(runtime) != LB_OK)
        return lbi_chain_end(g, LB_REENTERED);
    entry = resolve_locked(g, heads, call);
    lbi_leave_runtime(runtime, LB_OK);
    return entry;
}

const lb_entry *lbi_look_up(lb_generic *g, const lbi_heads *heads,
                            lbi_call *call)
{
    uint32_t handles[LB_MAX_DISPATCH] = {0};
    lb_fn fn;
    lb_slot slot;
    for (unsigned i = 0; i < g->keys; i++)
        handles[i] = heads->heads[i].handle;
    const lb_entry *entry = lb_find(g->head, g->keys, handles, &fn, &slot)
                                ? lb_load_entry(slot)
                                : NULL;
    if (entry && entry->fn != g->signature->stub)
        return entry;
    return lbi_resolve(g, heads, call);
}

/* ---- public ------------------------------------------------------------- */

/* The entry of a generic function that is not bound: there is no runtime that
 * could keep it, so each thread has one. */
static const lb_entry *unbound(const lb_head *head)
{
    static _Thread_local lb_entry entry;
    entry = (lb_entry){.fn = head->signature->fallback,
                       .next = &entry,
                       .next_fn = head->signature->fallback,
                       .status = LB_UNBOUND};
    lbi_fail(LB_UNBOUND, "%s is not bound to a runtime; call lb_bind first",
             head->signature->name);
    return &entry;
}

typedef const lb_entry *(*answer_fn)(lb_generic *g, const lbi_heads *heads,
                                     lbi_call *call);

static const lb_entry *answer(const lb_head *head, const lb_argument *arguments,
                              answer_fn how)
{
    lb_generic *g = lbi_load(&head->generic);
    lbi_heads heads;
    lbi_call call;
    if (g == NULL)
        return unbound(head);
    lbi_heads_read(g, arguments, &heads, &call);
    return how(g, &heads, &call);
}

const lb_entry *lb_resolve_call(const lb_head *head,
                                const lb_argument *arguments)
{
    return answer(head, arguments, lbi_resolve);
}

const lb_entry *lb_look_up(const lb_head *head, const lb_argument *arguments)
{
    return answer(head, arguments, lbi_look_up);
}

/* What lb_resolve gives when there is no generic function to ask. */
static const lb_entry refused = {.next = &refused, .status = LB_BAD_ARGUMENT};

const lb_entry *lb_resolve(lb_generic *g, lb_class *const *classes,
                           const lb_value *values)
{
    if (g == NULL || classes == NULL) {
        lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", g ? "classes" : "generic");
        return &refused;
    }
    lbi_call call = {.argc = g->dispatched, .has_values = values != NULL};
    if (lbi_enter_runtime(g->runtime) != LB_OK)
        return lbi_chain_end(g, LB_REENTERED);
    for (unsigned i = 0; i < g->dispatched; i++) {
        call.classes[i] = classes[i];
        if (classes[i] == NULL && !g->boxed) {
            lbi_leave_runtime(g->runtime, LB_OK);
            return lbi_chain_end(g, LB_NO_CLASS);
        }
        if (values)
            call.values[i] = values[i];
    }
    while (g->boxed && call.argc && call.classes[call.argc - 1] == NULL)
        call.argc--;
    const lb_entry *entry;
    bool fixed;
    do
        entry = resolve_once(g, &call, NULL, &fixed);
    while (entry == NULL);
    lbi_leave_runtime(g->runtime, LB_OK);
    return entry;
}

const lb_rule *lb_entry_rule(const lb_entry *entry)
{
    return entry && entry->rule ? &((const lbi_rule *)entry->rule)->given
                                : NULL;
}
