/* generic/plan.c - values and predicates.
 *
 * A call for which some applicable form has an `eql` value, a predicate or a
 * typed `rest` cannot be answered by a table of classes. Its key gets a plan:
 * the forms that fit the classes. Each call then
 *   1. takes a use of the plan under the lock, and leaves the lock,
 *   2. asks values and predicates (user code),
 *   3. takes the lock again; if the plan has gone out of date, starts over;
 *   4. builds the chain of the forms that hold (interned, so mostly found).
 * Such calls are slower, and only they are.
 */
#include "generic/plan.h"

#include "generic/rule.h"

lbi_plan *lbi_plan_make(lb_generic *g, const lbi_matches *matches,
                        lbi_record *record)
{
    lbi_plan *plan =
        lbi_alloc(&g->runtime->allocator,
                  sizeof *plan + matches->count * sizeof *plan->forms);
    if (plan == NULL)
        return NULL;
    *plan = (lbi_plan){.next = g->plans,
                       .generic = g,
                       .record = record,
                       .count = matches->count};
    for (size_t i = 0; i < matches->count; i++) {
        plan->forms[i] = matches->at[i].form;
        plan->forms[i]->rule->pins++;
    }
    if (g->plans)
        g->plans->previous = plan;
    g->plans = plan;
    if (record)
        record->plan = plan;
    return plan;
}

static void free_plan(lbi_plan *plan)
{
    lb_generic *g = plan->generic;
    for (size_t i = 0; i < plan->count; i++)
        lbi_rule_unpin(plan->forms[i]->rule);
    lbi_free(&g->runtime->allocator, plan,
             sizeof *plan + plan->count * sizeof *plan->forms);
}

static void drop(lbi_plan *plan)
{
    if (plan->record)
        plan->record->plan = NULL;
    plan->record = NULL;
    if (plan->previous)
        plan->previous->next = plan->next;
    else
        plan->generic->plans = plan->next;
    if (plan->next)
        plan->next->previous = plan->previous;
    plan->stale = true;
    if (plan->users == 0)
        free_plan(plan);
}

void lbi_plans_drop(lb_generic *g)
{
    while (g->plans)
        drop(g->plans);
}

void lbi_plan_use(lbi_plan *plan)
{
    plan->users++;
}

void lbi_plan_leave(lbi_plan *plan)
{
    if (--plan->users != 0)
        return;
    if (plan->stale)
        free_plan(plan);
    else if (plan->record == NULL)
        drop(plan);
}

/* ---- asking ------------------------------------------------------------- */

static int equals(const lb_specializer *s, lb_value value)
{
    if (s->equal)
        return s->equal(s->equal_context, s->value, value);
    return s->value.bits == value.bits;
}

static int holds_at(const lb_specializer *s, const lbi_call *call, unsigned i)
{
    if (!lbi_spec_conditional(s) || call->classes[i] == NULL)
        return 1;
    if (!call->has_values)
        return 0;
    const int answer =
        s->kind == LB_EQL
            ? equals(s, call->values[i])
            : s->predicate->test(s->predicate->context, call->values[i]);
    return answer < 0 ? -1 : answer != 0;
}

static lb_class *class_of_value(const lb_runtime *runtime, lb_value value)
{
    if (runtime->config.class_of)
        return runtime->config.class_of(runtime->config.class_of_context,
                                        value);
    return value.pointer ? lbi_class_of(runtime, lbi_read_header(value.pointer))
                         : NULL;
}

/* Arguments past the dispatched ones that a typed `rest` takes. */
static int rest_holds(const lb_generic *g, const lb_rule *rule,
                      const lbi_call *call, uint32_t *failed)
{
    if (rule->rest == NULL || rule->rest->kind == LB_ANY || call->argv == NULL)
        return 1;
    size_t i = rule->count > g->dispatched ? rule->count : g->dispatched;
    for (; i < call->argc; i++) {
        lb_class *cls = class_of_value(g->runtime, call->argv[i]);
        if (cls == NULL || !lb_class_is_subclass(cls, rule->rest->cls)) {
            *failed = (uint32_t)i;
            return 0;
        }
    }
    return 1;
}

int lbi_form_holds(const lb_generic *g, const lbi_form *form,
                   const lbi_call *call, uint32_t *failed)
{
    if (!form->rule->conditional)
        return 1;
    for (unsigned i = 0; i < g->dispatched; i++) {
        const int answer = holds_at(lbi_spec(form, i), call, i);
        if (answer != 1) {
            *failed = i;
            return answer;
        }
    }
    return rest_holds(g, &form->rule->given, call, failed);
}

bool lbi_plan_ask(const lbi_plan *plan, const lbi_call *call, char *holds)
{
    uint32_t failed;
    for (size_t i = 0; i < plan->count; i++) {
        const int answer =
            lbi_form_holds(plan->generic, plan->forms[i], call, &failed);
        if (answer < 0)
            return false;
        holds[i] = (char)answer;
    }
    return true;
}
