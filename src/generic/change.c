/* generic/change.c - how a change of rules reaches the calls.
 *
 *   1. Reserve everything that may fail.
 *   2. Put the rules in place. Nobody resolves meanwhile (the lock is held);
 *      calls go on by what their slots say.
 *   3. A strict change looks for ambiguities now and may take step 2 back.
 *   4. Correct the slots. One rule replaced by another with the same
 *      specializers: each slot's chain is rewritten, a chain shared by many
 *      classes once. Otherwise: slots of arguments that a changed rule fits
 *      are cleared and resolved again when called.
 * A call that starts after the change returned finds corrected slots.
 */
#include "generic/change.h"

#include "generic/ambiguity.h"
#include "generic/chain.h"
#include "generic/index.h"
#include "generic/match.h"
#include "generic/plan.h"
#include "generic/resolve.h"
#include "generic/rule.h"

/* ---- walking over what is resolved -------------------------------------- */

/* Says what becomes of a resolved key: its entry, another one, or NULL. */
typedef const lb_entry *(*verdict_fn)(void *context, lb_generic *g,
                                      const lbi_call *call,
                                      const lb_entry *entry);

/* The classes behind handles; argc of a boxed key. False: one has ended. */
static bool read_key(const lb_generic *g, const uint32_t *handles,
                     lbi_call *call)
{
    call->argc = g->boxed ? lbi_id(handles[0]) - LBI_ID_ARITY : g->dispatched;
    for (unsigned i = 0; i < g->dispatched; i++) {
        const uint32_t id = lbi_id(handles[i + g->boxed]);
        call->classes[i] = NULL;
        if (id == LBI_ID_ABSENT)
            continue;
        call->classes[i] = lbi_class_by_id(id);
        if (call->classes[i] == NULL)
            return false;
    }
    return true;
}

static bool read_record(const lb_generic *g, const lbi_record *record,
                        lbi_call *call)
{
    lbi_heads heads;
    for (unsigned i = 0; i < g->keys; i++)
        heads.heads[i] = lbi_header_of(record->key[i]);
    call->argc =
        g->boxed ? lbi_id(heads.heads[0].handle) - LBI_ID_ARITY : g->dispatched;
    return lbi_classes_of(g, &heads, call);
}

static void walk_table(lb_generic *g, verdict_fn verdict, void *context)
{
    for (uint32_t at = 0; at < g->table.slots; at++) {
        uint32_t key[LB_MAX_DISPATCH];
        lbi_call call;
        const lb_entry *entry = lbi_table_at(&g->table, at, key);
        if (entry == NULL)
            continue;
        const lb_entry *wanted =
            read_key(g, key, &call) ? verdict(context, g, &call, entry) : NULL;
        if (wanted == entry)
            continue;
        if (wanted == NULL || !lbi_table_patch(&g->table, at, wanted))
            lbi_table_clear(&g->table, at);
    }
}

static void walk_second(lb_generic *g, verdict_fn verdict, void *context)
{
    for (size_t at = 0; at < lbi_second_room(&g->second); at++) {
        lbi_record *record = lbi_second_at(&g->second, at);
        const lb_entry *entry = record ? lbi_peek(&record->entry) : NULL;
        lbi_call call;
        if (entry == NULL)
            continue;
        const lb_entry *wanted = read_record(g, record, &call)
                                     ? verdict(context, g, &call, entry)
                                     : NULL;
        if (wanted != entry)
            lbi_second_set(&g->second, record, wanted);
    }
}

static void walk(lb_generic *g, verdict_fn verdict, void *context)
{
    __atomic_store_n(&g->version, g->version + 1, __ATOMIC_RELEASE);
    lbi_plans_drop(g);
    walk_table(g, verdict, context);
    walk_second(g, verdict, context);
}

/* ---- verdicts ----------------------------------------------------------- */

static const lb_entry *forget(void *context, lb_generic *g,
                              const lbi_call *call, const lb_entry *entry)
{
    (void)context;
    (void)g;
    (void)call;
    (void)entry;
    return NULL;
}

static bool rule_fits(const lb_generic *g, const lbi_rule *rule,
                      const lbi_call *call)
{
    uint32_t failed;
    for (unsigned f = 0; f < rule->form_count; f++)
        if (lbi_arity_fits(g, &rule->forms[f], call) &&
            lbi_form_fits(g, &rule->forms[f], call, &failed))
            return true;
    return false;
}

typedef struct edits_of {
    const lbi_edit *at;
    size_t count;
} edits_of;

static const lb_entry *forget_if_fits(void *context, lb_generic *g,
                                      const lbi_call *call,
                                      const lb_entry *entry)
{
    const edits_of *edits = context;
    for (size_t i = 0; i < edits->count; i++) {
        const lbi_edit *edit = &edits->at[i];
        if (edit->done && edit->rule->generic == g &&
            (rule_fits(g, edit->rule, call) ||
             (edit->replaced && rule_fits(g, edit->replaced, call))))
            return NULL;
    }
    return entry;
}

/* The last answers are kept: many slots have the same entry. */
typedef struct replacement {
    const lbi_rule *from;
    lbi_rule *to;
    const lb_entry *old[4], *fresh[4];
    unsigned next;
} replacement;

static const lb_entry *replace_rule(void *context, lb_generic *g,
                                    const lbi_call *call, const lb_entry *entry)
{
    replacement *r = context;
    (void)call;
    for (unsigned i = 0; i < 4; i++)
        if (r->old[i] == entry)
            return r->fresh[i];
    const unsigned at = r->next++ % 4;
    r->old[at] = entry;
    r->fresh[at] = lbi_chain_replace(g, entry, r->from, r->to);
    return r->fresh[at];
}

static const lb_entry *forget_if_stamped(void *context, lb_generic *g,
                                         const lbi_call *call,
                                         const lb_entry *entry)
{
    const uint64_t *stamp = context;
    for (unsigned i = 0; i < g->dispatched; i++)
        if (call->classes[i] && call->classes[i]->stamp == *stamp)
            return NULL;
    return entry;
}

static const lb_entry *keep(void *context, lb_generic *g, const lbi_call *call,
                            const lb_entry *entry)
{
    (void)context;
    (void)g;
    (void)call;
    return entry;
}

void lbi_forget_stamped(lb_runtime *runtime, uint64_t stamp)
{
    /* Dylan's order asks how the specializers are related to each other. */
    LBI_EACH_GENERIC (g, runtime)
        walk(g, g->policy.order == LB_DYLAN ? forget : forget_if_stamped,
             &stamp);
}

static bool record_is_gone(lb_runtime *runtime, const lbi_record *record,
                           unsigned keys)
{
    for (unsigned i = 0; i < keys; i++) {
        const lb_header head = lbi_header_of(record->key[i]);
        if (head.serial && lbi_class_of(runtime, head) == NULL)
            return true;
    }
    return false;
}

void lbi_forget_dying(lb_runtime *runtime)
{
    LBI_EACH_GENERIC (g, runtime) {
        lbi_plans_drop(g);
        walk_table(g, keep, NULL);
        lbi_second_sweep(&g->second, runtime, g->keys, record_is_gone);
        lbi_rules_forget_classes(g);
    }
}

/* ---- collection --------------------------------------------------------- */

void lbi_collect(lb_generic *g)
{
    for (lbi_rule *r = g->idle; r; r = r->next_idle)
        r->reached = false;
    for (uint32_t at = 0; at < g->table.slots; at++) {
        uint32_t key[LB_MAX_DISPATCH];
        const lb_entry *entry = lbi_table_at(&g->table, at, key);
        if (entry)
            lbi_entry_reach(entry);
    }
    for (size_t at = 0; at < lbi_second_room(&g->second); at++) {
        const lbi_record *record = lbi_second_at(&g->second, at);
        if (record && lbi_peek(&record->entry))
            lbi_entry_reach(lbi_peek(&record->entry));
    }
    lbi_entries_collect(g);
    lbi_rules_collect(g);
}

/* Where memory comes back by itself, look for it when much has gathered, and
 * at once when somebody waits for a release. */
static void collect_if_due(lb_generic *g, bool release)
{
    enum { SLACK = 64 };
    if (lbi_reclaims_by_itself(g->runtime) &&
        (release || g->entries.count > g->entries_left * 2 + SLACK ||
         g->idle_count > g->active_count + SLACK))
        lbi_collect(g);
}

/* ---- the change --------------------------------------------------------- */

static void apply(lbi_edit *edit)
{
    lbi_rule *rule = edit->rule;
    lb_generic *g = rule->generic;
    edit->sequence = rule->sequence;
    if (edit->remove) {
        edit->done = rule->active;
        if (edit->done) {
            lbi_index_remove(g, rule);
            lbi_rule_deactivate(rule);
        }
        return;
    }
    edit->replaced = lbi_rule_find(g, &rule->given);
    edit->done = edit->replaced != rule;
    edit->was_active = rule->was_active;
    if (edit->done || edit->group == NULL)
        rule->group = edit->group;
    if (!edit->done)
        return;
    uint64_t sequence = ++g->next_sequence;
    if (edit->replaced) {
        sequence = edit->replaced->sequence;
        lbi_index_remove(g, edit->replaced);
        lbi_rule_deactivate(edit->replaced);
    }
    lbi_rule_activate(rule, sequence);
    lbi_index_add(g, rule);
}

static void take_back(lbi_edit *edit)
{
    lb_generic *g = edit->rule->generic;
    if (!edit->done)
        return;
    if (edit->remove) {
        lbi_rule_activate(edit->rule, edit->sequence);
        lbi_index_add(g, edit->rule);
        return;
    }
    const uint64_t sequence = edit->rule->sequence;
    lbi_index_remove(g, edit->rule);
    lbi_rule_deactivate(edit->rule);
    edit->rule->was_active = edit->was_active;
    if (edit->replaced) {
        lbi_rule_activate(edit->replaced, sequence);
        lbi_index_add(g, edit->replaced);
    }
}

static lb_status reserve(lbi_edit *edits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        edits[i].rule->generic->coming = 0;
    for (size_t i = 0; i < count; i++) {
        lb_generic *g = edits[i].rule->generic;
        const uint32_t limit = g->runtime->config.max_rules;
        if (edits[i].remove || lbi_rule_find(g, &edits[i].rule->given))
            continue;
        g->coming++;
        if (limit && g->active_count + g->coming > limit)
            return lbi_fail(LB_LIMIT,
                            "%s: more than %u rules, the configured limit",
                            lbi_generic_label(g), limit);
        if (!lbi_rules_reserve(g, g->coming))
            return lbi_no_memory();
    }
    return LB_OK;
}

/* How many edits concern `g`, from edit `from` on. */
static size_t edits_in(const lb_generic *g, const lbi_edit *edits, size_t from,
                       size_t count)
{
    size_t n = 0;
    for (size_t i = from; i < count; i++)
        n += edits[i].rule->generic == g;
    return n;
}

static bool plain_replacement(const lbi_edit *edit)
{
    return edit->done && edit->replaced && !edit->rule->conditional &&
           !edit->replaced->conditional && edit->rule->form_count == 1 &&
           edit->replaced->form_count == 1 &&
           edit->rule->given.qualifier == LB_PRIMARY &&
           edit->rule->generic->policy.combination == LB_STANDARD &&
           edit->rule->generic->policy.order != LB_USER_ORDER;
}

static void correct_slots(lb_generic *g, const lbi_edit *edits, size_t count,
                          size_t concerned)
{
    enum { MANY = 8 };
    edits_of all = {edits, count};
    lbi_count(&g->runtime->changes);
    if (concerned == 1 && plain_replacement(edits)) {
        replacement r = {.from = edits->replaced, .to = edits->rule};
        walk(g, replace_rule, &r);
    } else {
        walk(g, concerned > MANY ? forget : forget_if_fits, &all);
    }
}

static bool wants_release(const lbi_edit *edits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((edits[i].remove && edits[i].rule->given.release) ||
            (edits[i].replaced && edits[i].replaced->given.release))
            return true;
    return false;
}

/* The generic functions of the edits, each once: the edits of a group come
 * function by function, so the first of each run is looked at. */
static void correct_all(lbi_edit *edits, size_t count)
{
    lb_generic *last = NULL;
    for (size_t i = 0; i < count; i++) {
        lb_generic *g = edits[i].rule->generic;
        if (g == last || edits_in(g, edits, 0, i) != 0)
            continue;
        last = g;
        correct_slots(g, edits + i, count - i, edits_in(g, edits, i, count));
        collect_if_due(g, wants_release(edits, count));
    }
}

/* A rule that takes the place of one with the same specializers brings no new
 * ambiguity; one that a later edit has replaced is gone. */
static bool is_new(const lbi_edit *edit)
{
    return edit->done && !edit->remove && !edit->replaced && edit->rule->active;
}

static bool reports(const lb_generic *g)
{
    return g->policy.silent == 0 || g->policy.silent == 2;
}

static bool is_ambiguous(lbi_edit *edits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_new(&edits[i]) && lbi_ambiguity_of_rule(edits[i].rule, true))
            return true;
    return false;
}

lb_status lbi_change(lbi_edit *edits, size_t count, bool strict)
{
    lb_status status = reserve(edits, count);
    if (status != LB_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        apply(&edits[i]);
    if (strict && is_ambiguous(edits, count)) {
        for (size_t i = count; i-- > 0;)
            take_back(&edits[i]);
        return LB_AMBIGUOUS;
    }
    correct_all(edits, count);
    for (size_t i = 0; i < count; i++)
        if (is_new(&edits[i]) && reports(edits[i].rule->generic))
            lbi_ambiguity_of_rule(edits[i].rule, false);
    return LB_OK;
}
