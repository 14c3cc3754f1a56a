/* generic/generic.c - making, binding, cloning and ending generic functions.
 *
 * Also tells core what to do when classes change (the observer): drop what was
 * resolved for them, look for new ambiguities, sweep, collect.
 */
#include "generic/generic.h"

#include <stdlib.h>

#include "base/text.h"
#include "generic/ambiguity.h"
#include "generic/boxed.h"
#include "generic/chain.h"
#include "generic/change.h"
#include "generic/combine.h"
#include "generic/group.h"
#include "generic/index.h"
#include "generic/plan.h"
#include "generic/plugin.h"
#include "generic/rule.h"

enum { FIRST_PATIENCE = 256 };

const char *lbi_generic_label(const lb_generic *g)
{
    return g->name ? g->name : g->signature->name;
}

/* ---- the observer ------------------------------------------------------- */

static void sweep(lb_runtime *runtime)
{
    lbi_forget_dying(runtime);
}

static void collect(lb_runtime *runtime)
{
    LBI_EACH_GENERIC (g, runtime)
        lbi_collect(g);
}

static void count_generics(lb_runtime *runtime, lb_statistics *result)
{
    LBI_EACH_GENERIC (g, runtime) {
        result->rules += g->active_count;
        result->cells += g->table.live;
        result->displaced += g->second.live;
        result->bytes_tables +=
            lbi_table_bytes(&g->table) + lbi_second_bytes(&g->second);
        result->bytes_entries += g->entry_bytes + g->rule_bytes;
    }
}

static void free_generic(lb_runtime *runtime, void *content)
{
    lb_generic *g = content;
    lbi_free_text(&runtime->allocator, g->name);
    lbi_free(&runtime->allocator, g->index, g->dispatched * sizeof *g->index);
    lbi_block_free(runtime, g);
}

static void end_generic(lb_generic *g)
{
    lb_runtime *runtime = g->runtime;
    if (g->name)
        lbi_map_remove(&runtime->generic_names, &g->by_name);
    if (g->previous)
        g->previous->next = g->next;
    else
        runtime->first_generic = g->next;
    if (g->next)
        g->next->previous = g->previous;
    runtime->generic_count--;
    lbi_table_reset(&g->table);
    lbi_store(&g->head->generic, NULL);
    lbi_plans_drop(g);
    lbi_second_end(&g->second, runtime);
    lbi_index_end(g);
    lbi_entries_end(g);
    lbi_rules_end(g);
    lbi_retire(runtime, g, free_generic);
}

static void end_runtime(lb_runtime *runtime)
{
    lbi_groups_end(runtime);
    while (runtime->first_generic)
        end_generic(runtime->first_generic);
    lbi_reclaim(runtime);
}

static bool names(const lb_rule *rule, const lb_class *cls)
{
    for (size_t i = 0; i < rule->count; i++)
        if (lbi_spec_class(&rule->specializers[i]) == cls)
            return true;
    return rule->rest && lbi_spec_class(rule->rest) == cls;
}

static const char *user_of(lb_runtime *runtime, const lb_class *cls)
{
    LBI_EACH_GENERIC (g, runtime)
        for (size_t i = 0; i < g->active_count; i++)
            if (names(&g->active[i]->given, cls))
                return lbi_generic_label(g);
    return "?";
}

static const lbi_observer observer = {.relinearized = lbi_forget_stamped,
                                      .joined = lbi_ambiguity_of_class,
                                      .sweep = sweep,
                                      .collect = collect,
                                      .count = count_generics,
                                      .end = end_runtime,
                                      .user_of = user_of,
                                      .close = lbi_plugins_end};

/* ---- making ------------------------------------------------------------- */

static lb_status check_precedence(const lb_policy *policy, unsigned dispatched)
{
    uint32_t seen = 0;
    if (policy->precedence == NULL)
        return LB_OK;
    if (policy->precedence_count != dispatched)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "policy.precedence has %zu entries for %u dispatched "
                        "arguments",
                        policy->precedence_count, dispatched);
    for (unsigned i = 0; i < dispatched; i++) {
        const uint32_t at = policy->precedence[i];
        if (at >= dispatched || (seen >> at & 1))
            return lbi_fail(LB_BAD_ARGUMENT,
                            "policy.precedence[%u] is %u; want each of 0 to "
                            "%u once",
                            i, at, dispatched - 1);
        seen |= 1u << at;
    }
    return LB_OK;
}

static lb_status set_policy(lb_generic *g, const lb_policy *policy)
{
    lb_status status;
    if (policy)
        g->policy = *policy;
    for (unsigned i = 0; i < g->dispatched; i++)
        g->precedence[i] = i;
    if ((unsigned)g->policy.order > LB_USER_ORDER)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "policy.order is %d; want LB_SYMMETRIC (0) to "
                        "LB_USER_ORDER (%d)",
                        (int)g->policy.order, (int)LB_USER_ORDER);
    if (g->policy.order == LB_USER_ORDER && g->policy.compare == NULL)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "LB_USER_ORDER without policy.compare");
    if ((status = check_precedence(&g->policy, g->dispatched)) != LB_OK)
        return status;
    if (g->policy.precedence)
        memcpy(g->precedence, g->policy.precedence,
               g->dispatched * sizeof *g->precedence);
    g->policy.precedence = g->precedence;
    g->policy.precedence_count = g->dispatched;
    return lbi_combination_choose(g->signature, g->boxed, &g->policy);
}

static lb_generic *find_generic(lb_runtime *runtime, const char *name)
{
    const uint64_t hash = lbi_hash_text(name);
    for (lbi_link *l = lbi_map_chain(&runtime->generic_names, hash); l;
         l = l->next)
        if (l->hash == hash && strcmp(((lb_generic *)l)->name, name) == 0)
            return (lb_generic *)l;
    return NULL;
}

static lb_status check_room(lb_runtime *runtime, const char *name)
{
    const uint32_t limit = runtime->config.max_generics;
    if (limit && runtime->generic_count >= limit)
        return lbi_fail(LB_LIMIT,
                        "%s: there are %u generic functions, the configured "
                        "limit",
                        name ? name : "?", limit);
    if (name && find_generic(runtime, name))
        return lbi_fail(LB_EXISTS, "there is a generic function %s already",
                        name);
    return LB_OK;
}

static void link_generic(lb_generic *g)
{
    lb_runtime *runtime = g->runtime;
    if (g->name)
        lbi_map_add(&runtime->generic_names, &g->by_name,
                    lbi_hash_text(g->name));
    g->next = runtime->first_generic;
    if (g->next)
        g->next->previous = g;
    runtime->first_generic = g;
    runtime->generic_count++;
    runtime->observers[LBI_GENERICS] = &observer;
}

static lb_status fill_generic(lb_generic *g, const char *name,
                              const lb_policy *policy)
{
    lb_runtime *runtime = g->runtime;
    lb_status status = set_policy(g, policy);
    if (status != LB_OK)
        return status;
    if (name &&
        ((g->name = lbi_copy_text(&runtime->allocator, name)) == NULL ||
         !lbi_map_reserve(&runtime->generic_names, &runtime->allocator, 1)))
        return lbi_no_memory();
    g->index =
        lbi_zalloc(&runtime->allocator, g->dispatched * sizeof *g->index);
    if (g->index == NULL)
        return lbi_no_memory();
    lbi_ends_init(g);
    g->patience = FIRST_PATIENCE;
    lbi_table_init(&g->table, runtime, g->head, g->keys,
                   lbi_chain_end(g, LB_OK));
    return LB_OK;
}

static lb_status is_bound(const lb_head *head)
{
    return lbi_fail(LB_EXISTS,
                    "%s is bound already; use lb_generic_create for another "
                    "runtime",
                    head->signature->name);
}

/* head: the static one of a typed generic function, or NULL. Locked. */
static lb_status make_generic(lb_runtime *runtime, const char *name,
                              const lb_signature *signature,
                              unsigned dispatched, lb_head *head,
                              const lb_policy *policy, lb_generic **result)
{
    lb_status status = check_room(runtime, name);
    if (status != LB_OK)
        return status;
    lb_generic *g = lbi_block_alloc(runtime, sizeof *g);
    if (g == NULL)
        return lbi_no_memory();
    g->runtime = runtime;
    g->signature = signature;
    g->boxed = signature == &lbi_boxed_signature;
    g->dispatched = dispatched;
    g->keys = dispatched + g->boxed;
    g->own_head =
        (lb_head){(const char *)lb_empty_table, 15 * 16, 0, g, signature};
    g->head = head ? head : &g->own_head;
    status = fill_generic(g, name, policy);
    if (status != LB_OK) {
        free_generic(runtime, g);
        return status;
    }
    lb_generic *none = NULL;
    if (head &&
        !__atomic_compare_exchange_n(&head->generic, &none, g, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        free_generic(runtime, g); /* another runtime was faster */
        return is_bound(head);
    }
    link_generic(g);
    *result = g;
    return LB_OK;
}

static lb_status check_signature(const lb_signature *s)
{
    if (s == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "signature is NULL");
    if (s->abi != LB_ABI)
        return lbi_fail(LB_BAD_ABI,
                        "generic function %s was built for LB_ABI %u, this "
                        "library has LB_ABI %u: rebuild it",
                        s->name, s->abi, (unsigned)LB_ABI);
    return LB_OK;
}

lb_status lb_bind(lb_runtime *runtime, lb_head *head, const lb_policy *policy)
{
    lb_generic *g;
    lb_status status;
    if (runtime == NULL || head == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime ? "head" : "runtime");
    if ((status = check_signature(head->signature)) != LB_OK ||
        (status = lbi_enter_runtime(runtime)) != LB_OK)
        return status;
    if (lbi_load(&head->generic))
        status = is_bound(head);
    else
        status = make_generic(runtime, head->signature->name, head->signature,
                              head->signature->dispatched, head, policy, &g);
    return lbi_leave_runtime(runtime, status);
}

lb_status lb_generic_create(lb_runtime *runtime, const char *name,
                            const lb_signature *signature,
                            const lb_policy *policy, lb_generic **result)
{
    lb_status status;
    if (runtime == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime ? "result" : "runtime");
    *result = NULL;
    if ((status = check_signature(signature)) != LB_OK ||
        (status = lbi_enter_runtime(runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(runtime, make_generic(runtime, name, signature,
                                                   signature->dispatched, NULL,
                                                   policy, result));
}

lb_status lb_generic_create_boxed(lb_runtime *runtime, const char *name,
                                  unsigned dispatched, const lb_policy *policy,
                                  lb_generic **result)
{
    lb_status status;
    if (runtime == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime ? "result" : "runtime");
    *result = NULL;
    if (dispatched == 0 || dispatched >= LB_MAX_DISPATCH)
        return lbi_fail(LB_BAD_ARGUMENT, "dispatched is %u; want 1 to %d",
                        dispatched, LB_MAX_DISPATCH - 1);
    if ((status = lbi_enter_runtime(runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(runtime,
                             make_generic(runtime, name, &lbi_boxed_signature,
                                          dispatched, NULL, policy, result));
}

/* ---- cloning ------------------------------------------------------------ */

static int by_sequence(const void *x, const void *y)
{
    const lbi_rule *a = *(lbi_rule *const *)x, *b = *(lbi_rule *const *)y;
    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

lbi_rule **lbi_rules_in_order(lb_generic *g)
{
    const size_t size = g->active_count * sizeof(lbi_rule *);
    lbi_rule **rules = lbi_alloc(&g->runtime->allocator, size ? size : 1);
    if (rules && size) {
        memcpy(rules, g->active, size);
        qsort(rules, g->active_count, sizeof *rules, by_sequence);
    }
    return rules;
}

static lb_status copy_rules(lb_generic *from, lb_generic *to)
{
    const size_t size = from->active_count * sizeof(lbi_rule *);
    lbi_rule **rules = lbi_rules_in_order(from);
    lb_status status = rules && lbi_rules_reserve(to, from->active_count)
                           ? LB_OK
                           : LB_NO_MEMORY;
    for (size_t i = 0; i < from->active_count && status == LB_OK; i++) {
        lb_rule rule = rules[i]->given;
        rule.release = NULL; /* the original releases */
        lbi_rule *record = lbi_rule_make(to, &rule);
        if (record == NULL) {
            status = LB_NO_MEMORY;
            break;
        }
        lbi_rule_activate(record, ++to->next_sequence);
        lbi_rule_unpin(record);
    }
    lbi_free(&from->runtime->allocator, rules, size ? size : 1);
    return status == LB_OK ? status : lbi_no_memory();
}

lb_status lb_generic_clone(lb_generic *generic, const char *name,
                           lb_generic **result)
{
    if (generic == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        generic ? "result" : "generic");
    lb_runtime *runtime = generic->runtime;
    lb_generic *g = NULL;
    *result = NULL;
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    status = make_generic(runtime, name, generic->signature,
                          generic->dispatched, NULL, &generic->policy, &g);
    if (status == LB_OK) {
        g->policy = generic->policy;
        memcpy(g->precedence, generic->precedence, sizeof g->precedence);
        g->policy.precedence = g->precedence;
        status = copy_rules(generic, g);
        if (status != LB_OK)
            end_generic(g);
        else
            *result = g;
    }
    return lbi_leave_runtime(runtime, status);
}

lb_status lb_generic_destroy(lb_generic *generic)
{
    if (generic == NULL)
        return LB_OK;
    lb_runtime *runtime = generic->runtime;
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    if (generic->group_rules)
        return lbi_leave_runtime(
            runtime,
            lbi_fail(LB_BUSY,
                     "%s has %zu rules that belong to groups; remove "
                     "those first",
                     lbi_generic_label(generic), generic->group_rules));
    end_generic(generic);
    return lbi_leave_runtime(runtime, LB_OK);
}

/* ---- facts -------------------------------------------------------------- */

lb_generic *lb_generic_find(lb_runtime *runtime, const char *name)
{
    if (runtime == NULL || name == NULL || lbi_enter_runtime(runtime) != LB_OK)
        return NULL;
    lb_generic *g = find_generic(runtime, name);
    lbi_leave_runtime(runtime, LB_OK);
    return g;
}

const char *lb_generic_name(const lb_generic *generic)
{
    return generic->name;
}

const lb_head *lb_generic_head(const lb_generic *generic)
{
    return generic->head;
}

lb_runtime *lb_generic_runtime(const lb_generic *generic)
{
    return generic->runtime;
}

const uint64_t *lb_generic_version(const lb_generic *generic)
{
    return &generic->version;
}

size_t lb_generic_dispatched(const lb_generic *generic)
{
    return generic->dispatched;
}

/* ---- adding and removing ------------------------------------------------ */

static lb_status check_rules(const lb_generic *g, const lb_rule *rules,
                             size_t count)
{
    if (g == NULL || (rules == NULL && count))
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", g ? "rules" : "generic");
    for (size_t i = 0; i < count; i++) {
        lb_status status = lbi_rule_check(g, &rules[i]);
        if (status != LB_OK)
            return status;
    }
    return LB_OK;
}

static lb_status add_locked(lb_generic *g, const lb_rule *rules, size_t count)
{
    lbi_allocator *allocator = &g->runtime->allocator;
    const size_t size = count * sizeof(lbi_edit);
    lbi_edit *edits = lbi_zalloc(allocator, size);
    lb_status status = edits ? LB_OK : lbi_no_memory();
    size_t made = 0;
    for (; made < count && status == LB_OK; made++)
        if ((edits[made].rule = lbi_rule_make(g, &rules[made])) == NULL) {
            status = lbi_no_memory();
            break;
        }
    if (status == LB_OK)
        status = lbi_change(edits, count, false);
    for (size_t i = 0; i < made; i++)
        lbi_rule_unpin(edits[i].rule);
    lbi_free(allocator, edits, size);
    return status;
}

lb_status lb_add_rules(lb_generic *generic, const lb_rule *rules, size_t count)
{
    lb_status status = check_rules(generic, rules, count);
    if (status != LB_OK || count == 0)
        return status;
    if ((status = lbi_enter_runtime(generic->runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(generic->runtime,
                             add_locked(generic, rules, count));
}

static lb_status not_found(const lb_generic *g, const lb_rule *rule)
{
    lbi_text text;
    lbi_text_init(&text, &g->runtime->allocator);
    static const lb_method none = {.name = ""};
    lb_rule shown = *rule;
    if (shown.method == NULL)
        shown.method = &none;
    lbi_rule_write(&text, g, &shown);
    lbi_fail(LB_NOT_FOUND, "there is no rule %s",
             text.failed ? lbi_generic_label(g) : text.at);
    lbi_text_drop(&text);
    return LB_NOT_FOUND;
}

static lb_status remove_locked(lb_generic *g, const lb_rule *rules,
                               size_t count)
{
    lbi_allocator *allocator = &g->runtime->allocator;
    const size_t size = count * sizeof(lbi_edit);
    lbi_edit *edits = lbi_zalloc(allocator, size);
    lb_status status = edits ? LB_OK : lbi_no_memory();
    for (size_t i = 0; i < count && status == LB_OK; i++) {
        lbi_rule *found = lbi_rule_find(g, &rules[i]);
        if (found == NULL ||
            (rules[i].method && rules[i].method != found->given.method))
            status = not_found(g, &rules[i]);
        edits[i].rule = found;
        edits[i].remove = true;
    }
    if (status == LB_OK)
        status = lbi_change(edits, count, false);
    lbi_free(allocator, edits, size);
    return status;
}

lb_status lb_remove_rules(lb_generic *generic, const lb_rule *rules,
                          size_t count)
{
    if (generic == NULL || (rules == NULL && count))
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        generic ? "rules" : "generic");
    lb_status status = LB_OK;
    for (size_t i = 0; i < count && status == LB_OK; i++)
        status = lbi_rule_check_key(generic, &rules[i]);
    if (status != LB_OK || count == 0)
        return status;
    if ((status = lbi_enter_runtime(generic->runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(generic->runtime,
                             remove_locked(generic, rules, count));
}

typedef lb_status (*rules_fn)(lb_generic *, const lb_rule *, size_t);

static lb_status with_classes(const lb_head *head, const lb_rule *like,
                              lb_class *const *classes, rules_fn change)
{
    lb_specializer specializers[LB_MAX_DISPATCH];
    if (head == NULL || like == NULL || classes == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        !head   ? "head"
                        : !like ? "like"
                                : "classes");
    lb_generic *g = lbi_load(&head->generic);
    if (g == NULL)
        return lbi_fail(LB_UNBOUND,
                        "%s is not bound to a runtime; call lb_bind first",
                        head->signature->name);
    for (unsigned i = 0; i < g->dispatched; i++) {
        if (classes[i] == NULL)
            return lbi_fail(LB_BAD_ARGUMENT,
                            "%s: class %u of %u is NULL; for any class say "
                            "lb_any_class",
                            lbi_generic_label(g), i + 1, g->dispatched);
        specializers[i] =
            classes[i] == lb_any_class ? lb_any() : lb_is(classes[i]);
    }
    lb_rule rule = *like;
    rule.specializers = specializers;
    rule.count = g->dispatched;
    return change(g, &rule, 1);
}

lb_status lb_add_classes(const lb_head *head, const lb_method *method,
                         lb_class *const *classes)
{
    const lb_rule like = {.method = method};
    return with_classes(head, &like, classes, lb_add_rules);
}

lb_status lb_remove_classes(const lb_head *head, const lb_method *method,
                            lb_class *const *classes)
{
    const lb_rule like = {.method = method};
    return with_classes(head, &like, classes, lb_remove_rules);
}

lb_status lb_add_classes_like(const lb_head *head, const lb_rule *like,
                              lb_class *const *classes)
{
    return with_classes(head, like, classes, lb_add_rules);
}
