/* inspect/explain.c - which method a call runs, and why not the others.
 *
 *   1. Under the lock: hold the rules, judge them by arity and classes.
 *   2. When values matter and are known: leave the lock and ask. When a rule
 *      or a class has changed meanwhile, start over.
 *   3. Under the lock again: settle, write, and copy. An explanation holds
 *      copies of the rules and names, so it outlives rules, groups and the
 *      generic function, and keeps no release hook waiting.
 * Any thread.
 */
#include "generic/group.h"
#include "inspect/account.h"

/* What stands in front of the copies, in the same allocation. */
typedef struct explanation {
    lb_explanation shown; /* first member */
    size_t size;
} explanation;

/* ---- copying ------------------------------------------------------------ */

/* Hands out pieces of one allocation. Without one it only adds them up. */
typedef struct shelf {
    char *at;
    size_t used;
} shelf;

static void *put(shelf *s, const void *from, size_t size)
{
    enum { ALIGNMENT = 8 };
    char *piece = s->at ? s->at + s->used : NULL;
    if (piece && from && size)
        memcpy(piece, from, size);
    s->used += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return piece;
}

static const lb_rule *copy_rule(shelf *s, const lb_rule *rule)
{
    lb_rule *copy = put(s, rule, sizeof *rule);
    void *at =
        put(s, rule->specializers, rule->count * sizeof *rule->specializers);
    void *rest = rule->rest ? put(s, rule->rest, sizeof *rule->rest) : NULL;
    if (copy) {
        copy->specializers = at;
        copy->rest = rest;
    }
    return copy;
}

static const char *copy_group(shelf *s, const lbi_rule *rule)
{
    if (rule->group == NULL)
        return NULL;
    const char *name = lbi_group_name(rule->group);
    return put(s, name, strlen(name) + 1);
}

/* The two forms of a rule stand together in the order of definition, and
 * share its copy. */
static void copy_rules(shelf *s, lbi_account *a)
{
    for (size_t i = 0; i < a->count; i++) {
        const lbi_form *form = a->cases[i].match.form;
        a->cases[i].copy = form->swapped ? a->cases[i - 1].copy
                                         : copy_rule(s, &form->rule->given);
    }
}

static void fill_item(shelf *s, lb_explanation_item *item, const lbi_case *c)
{
    const char *group = copy_group(s, c->match.form->rule);
    if (item == NULL)
        return;
    *item = (lb_explanation_item){.rule = c->copy,
                                  .verdict = c->verdict,
                                  .argument = c->argument,
                                  .rank = c->rank,
                                  .swapped = c->match.form->swapped,
                                  .group = group};
}

/* Lays everything out on the shelf; the cases are sorted by it. */
static explanation *lay_out(shelf *s, lbi_account *a)
{
    explanation *e = put(s, NULL, sizeof *e);
    lb_explanation_item *items = put(s, NULL, a->count * sizeof *items);
    copy_rules(s, a);
    lbi_account_sort(a);
    for (size_t i = 0; i < a->count; i++)
        fill_item(s, items ? &items[i] : NULL, &a->cases[i]);
    if (e)
        e->shown = (lb_explanation){.status = a->status,
                                    .count = a->count,
                                    .items = items,
                                    .runtime = a->generic->runtime};
    return e;
}

static lb_status make_explanation(lbi_account *a, lb_explanation **result)
{
    lbi_allocator *allocator = &a->generic->runtime->allocator;
    shelf s = {NULL, 0};
    lay_out(&s, a);
    lbi_account_unsort(a);
    const size_t size = s.used;
    s = (shelf){lbi_alloc(allocator, size), 0};
    if (s.at == NULL)
        return lbi_no_memory();
    explanation *e = lay_out(&s, a);
    e->size = size;
    lbi_text text;
    lbi_text_init(&text, allocator);
    lbi_account_write(&text, a, true);
    e->shown.text = lbi_text_take(&text);
    if (e->shown.text == NULL) {
        lbi_free(allocator, e, size);
        return lbi_no_memory();
    }
    *result = &e->shown;
    return LB_OK;
}

/* ---- asking ------------------------------------------------------------- */

/* False: rules or classes have changed meanwhile. */
static bool ask(lbi_account *a)
{
    lb_runtime *runtime = a->generic->runtime;
    const uint64_t version = a->generic->version;
    if (a->unknown == 0)
        return true;
    if (!a->call.has_values) {
        lbi_account_ask(a);
        return true;
    }
    lbi_leave_runtime(runtime, LB_OK);
    lbi_account_ask(a);
    lbi_enter_runtime(runtime);
    return a->generic->version == version;
}

/* One round; *again when it was in vain. */
static lb_status explain_once(lb_generic *g, const lbi_call *call,
                              lb_explanation **result, bool *again)
{
    lbi_account account;
    *again = false;
    if (!lbi_account_open(&account, g))
        return lbi_no_memory();
    lbi_account_judge(&account, call);
    *again = !ask(&account);
    lb_status status = *again ? LB_OK : lbi_account_settle(&account);
    if (!*again && status == LB_OK)
        status = make_explanation(&account, result);
    lbi_account_close(&account);
    return status;
}

/* ---- public ------------------------------------------------------------- */

static lb_status check(const lb_generic *g, size_t argc,
                       lb_class *const *classes, lb_explanation **result)
{
    if (g == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        g ? "result" : "generic");
    *result = NULL;
    if (!g->boxed && argc != g->dispatched)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s dispatches on %u arguments, not on %zu",
                        lbi_generic_label(g), g->dispatched, argc);
    if (argc && classes == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "classes is NULL");
    for (size_t i = 0; i < argc && i < g->dispatched; i++)
        if (classes[i] == NULL || classes[i]->runtime != g->runtime)
            return lbi_fail(LB_BAD_ARGUMENT, "classes[%zu] is %s", i,
                            classes[i] ? "of another runtime" : "NULL");
    return LB_OK;
}

lb_status lb_explain(lb_generic *generic, size_t argc, lb_class *const *classes,
                     const lb_value *values, lb_explanation **result)
{
    lbi_call call = {.argc = argc, .has_values = values != NULL};
    bool again;
    lb_status status = check(generic, argc, classes, result);
    if (status != LB_OK ||
        (status = lbi_enter_runtime(generic->runtime)) != LB_OK)
        return status;
    for (size_t i = 0; i < argc && i < generic->dispatched; i++) {
        call.classes[i] = classes[i];
        if (values)
            call.values[i] = values[i];
    }
    do
        status = explain_once(generic, &call, result, &again);
    while (again);
    return lbi_leave_runtime(generic->runtime, status);
}

void lb_explanation_free(lb_explanation *shown)
{
    if (shown == NULL || lbi_enter_runtime(shown->runtime) != LB_OK)
        return;
    lb_runtime *runtime = shown->runtime;
    explanation *e = (explanation *)shown;
    lbi_free_text(&runtime->allocator, shown->text);
    lbi_free(&runtime->allocator, e, e->size);
    lbi_leave_runtime(runtime, LB_OK);
}
