/* inspect/ambiguities.c - listing rules and the pairs that are ambiguous.
 *
 * Visitors are user code: what they are shown is collected under the lock,
 * the rules are held, and they are called without it. A visitor may call
 * anything; what it changes does not change what it is still shown.
 */
#include "inspect/ambiguities.h"
#include "base/text.h"
#include "generic/ambiguity.h"
#include "inspect/hold.h"

/* ---- collecting --------------------------------------------------------- */

static bool is_known(const lbi_ambiguities *all, const lb_ambiguity *found)
{
    for (size_t i = all->count; i-- > 0;)
        if (all->at[i].second != found->second)
            return false; /* the pairs of one rule stand together */
        else if (all->at[i].first == found->first)
            return true;
    return false;
}

static bool collect(void *context, lb_generic *g, const lb_ambiguity *found)
{
    lbi_ambiguities *all = context;
    if (is_known(all, found))
        return true;
    if (!lbi_reserve(&g->runtime->allocator, &all->at, &all->capacity,
                     all->count + 1, sizeof *all->at)) {
        all->failed = true;
        return false;
    }
    all->at[all->count++] = *found;
    return true;
}

lb_status lbi_ambiguities_find(const lbi_held *held, lbi_ambiguities *all)
{
    *all = (lbi_ambiguities){.allocator = &held->generic->runtime->allocator};
    for (size_t i = 0; i < held->count && !all->failed; i++)
        lbi_ambiguities_of(held->rules[i], collect, all);
    if (!all->failed)
        return LB_OK;
    lbi_ambiguities_free(all);
    return lbi_no_memory();
}

void lbi_ambiguities_free(lbi_ambiguities *all)
{
    lbi_free(all->allocator, all->at, all->capacity * sizeof *all->at);
    all->at = NULL;
    all->count = all->capacity = 0;
}

/* ---- visiting ----------------------------------------------------------- */

typedef int (*visit_fn)(void *context, const lb_ambiguity *ambiguity);

static void tell(lb_runtime *runtime, const lbi_ambiguities *all,
                 visit_fn visit, void *context)
{
    lbi_leave_runtime(runtime, LB_OK);
    for (size_t i = 0; i < all->count; i++)
        if (visit(context, &all->at[i]))
            break;
    lbi_enter_runtime(runtime);
}

static lb_status visit_ambiguities(lb_generic *g, visit_fn visit, void *context,
                                   size_t *count)
{
    lbi_held held;
    lbi_ambiguities all;
    if (!lbi_hold_rules(g, &held))
        return lbi_no_memory();
    const lb_status status = lbi_ambiguities_find(&held, &all);
    if (status == LB_OK) {
        if (count)
            *count = all.count;
        if (visit)
            tell(g->runtime, &all, visit, context);
        lbi_ambiguities_free(&all);
    }
    lbi_let_go(&held);
    return status;
}

lb_status lb_ambiguities(lb_generic *generic, visit_fn visit, void *context,
                         size_t *count)
{
    if (count)
        *count = 0;
    if (generic == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "generic is NULL");
    lb_runtime *runtime = generic->runtime;
    const lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    return lbi_leave_runtime(runtime,
                             visit_ambiguities(generic, visit, context, count));
}

lb_status lb_each_rule(lb_generic *generic,
                       int (*visit)(void *context, const lb_rule *rule),
                       void *context)
{
    lbi_held held;
    if (generic == NULL || visit == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        generic ? "visit" : "generic");
    lb_runtime *runtime = generic->runtime;
    const lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    if (!lbi_hold_rules(generic, &held))
        return lbi_leave_runtime(runtime, lbi_no_memory());
    lbi_leave_runtime(runtime, LB_OK);
    for (size_t i = 0; i < held.count; i++)
        if (visit(context, &held.rules[i]->given))
            break;
    lbi_enter_runtime(runtime);
    lbi_let_go(&held);
    return lbi_leave_runtime(runtime, LB_OK);
}

/* ---- in words ----------------------------------------------------------- */

static lb_status check(const lb_generic *g, const void *what, const char *name,
                       char **text)
{
    if (text)
        *text = NULL;
    if (g == NULL || what == NULL || text == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        !g      ? "generic"
                        : !what ? name
                                : "text");
    return lbi_enter_runtime(g->runtime);
}

static lb_status finish(lb_generic *g, lbi_text *words, char **text)
{
    *text = lbi_text_take(words);
    return lbi_leave_runtime(g->runtime, *text ? LB_OK : lbi_no_memory());
}

lb_status lb_ambiguity_text(lb_generic *generic, const lb_ambiguity *ambiguity,
                            char **text)
{
    lbi_text words;
    const lb_status status = check(generic, ambiguity, "ambiguity", text);
    if (status != LB_OK)
        return status;
    lbi_text_init(&words, &generic->runtime->allocator);
    lbi_ambiguity_write(&words, generic, ambiguity);
    return finish(generic, &words, text);
}

lb_status lb_rule_text(lb_generic *generic, const lb_rule *rule, char **text)
{
    lbi_text words;
    const lb_status status = check(generic, rule, "rule", text);
    if (status != LB_OK)
        return status;
    lbi_text_init(&words, &generic->runtime->allocator);
    lbi_rule_write(&words, generic, rule);
    return finish(generic, &words, text);
}

void lb_text_free(lb_runtime *runtime, char *text)
{
    if (text == NULL || runtime == NULL || lbi_enter_runtime(runtime) != LB_OK)
        return;
    lbi_free_text(&runtime->allocator, text);
    lbi_leave_runtime(runtime, LB_OK);
}
