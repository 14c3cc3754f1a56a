/* generic/failure.c - saying why a call could not be made.
 *
 * Composed only when somebody asks: the entry that ends a chain knows the
 * generic function and the reason, the caller knows the arguments.
 */
#include "generic/failure.h"

#include "base/text.h"
#include "generic/ambiguity.h"
#include "generic/chain.h"
#include "generic/index.h"
#include "generic/plan.h"
#include "generic/resolve.h"

enum { NEAREST = 3 };

static void write_arguments(lbi_text *text, const lb_generic *g,
                            const lbi_call *call)
{
    const unsigned count =
        call->argc < g->dispatched ? (unsigned)call->argc : g->dispatched;
    lbi_text_print(text, "%s(", lbi_generic_label(g));
    for (unsigned i = 0; i < count; i++)
        lbi_text_print(text, "%s%s", i ? ", " : "",
                       call->classes[i] ? call->classes[i]->name : "?");
    lbi_text_put(text, call->argc > count ? ", ...)" : ")");
}

/* The rules whose first misfit comes latest. */
typedef struct nearest {
    lb_generic *generic;
    const lbi_call *call;
    struct {
        lbi_form *form;
        uint32_t failed;
    } at[NEAREST];
    size_t count;
} nearest;

static bool consider(void *context, lbi_form *form)
{
    nearest *n = context;
    uint32_t failed = UINT32_MAX; /* an arity that does not fit is far off */
    if (form->swapped)
        return true;
    if (!lbi_arity_fits(n->generic, form, n->call))
        failed = 0;
    else
        lbi_form_fits(n->generic, form, n->call, &failed);
    size_t at = n->count < NEAREST ? n->count++ : NEAREST;
    while (at > 0 && n->at[at - 1].failed < failed) {
        if (at < NEAREST)
            n->at[at] = n->at[at - 1];
        at--;
    }
    if (at < NEAREST) {
        n->at[at].form = form;
        n->at[at].failed = failed;
    }
    return true;
}

static void write_misfit(lbi_text *text, const lb_generic *g,
                         const lbi_call *call, const lbi_form *form)
{
    uint32_t failed = 0;
    if (!lbi_arity_fits(g, form, call)) {
        lbi_text_print(text, " (not with %zu arguments)", call->argc);
        return;
    }
    if (lbi_form_fits(g, form, call, &failed)) {
        lbi_text_put(text, " (a value or a predicate does not hold)");
        return;
    }
    const lb_class *wanted = lbi_spec_class(lbi_spec(form, failed));
    lbi_text_print(text, " (argument %u is %s, not %s)", failed + 1,
                   call->classes[failed]->name, wanted->name);
}

static void write_nearest(lbi_text *text, lb_generic *g, const lbi_call *call)
{
    nearest n = {.generic = g, .call = call};
    lbi_each_form(g, consider, &n);
    lbi_text_put(text, n.count ? "; nearest: " : "; it has no methods");
    for (size_t i = 0; i < n.count; i++) {
        lbi_text_put(text, i ? "; " : "");
        lbi_rule_write(text, g, &n.at[i].form->rule->given);
        write_misfit(text, g, call, n.at[i].form);
    }
}

typedef struct tied {
    lb_generic *generic;
    const lbi_call *call;
    lbi_matches matches;
} tied;

static bool add_applicable(void *context, lbi_form *form)
{
    tied *t = context;
    uint32_t failed;
    if (form->rule->given.qualifier == LB_PRIMARY &&
        lbi_arity_fits(t->generic, form, t->call) &&
        lbi_form_fits(t->generic, form, t->call, &failed) &&
        !form->rule->conditional)
        lbi_match_add(&t->matches, t->generic, t->call, form);
    return true;
}

static void write_tied(lbi_text *text, lb_generic *g, const lbi_call *call)
{
    tied t = {g, call, {.runtime = g->runtime}};
    size_t sorted, count;
    lbi_each_form(g, add_applicable, &t);
    if (lbi_sort(g, call, t.matches.at, t.matches.count, false, &sorted,
                 &count))
        for (size_t i = 0; i < count; i++) {
            lbi_text_put(text, i ? ", " : ": ");
            lbi_rule_write(text, g,
                           &t.matches.at[sorted + i].form->rule->given);
        }
    lbi_matches_free(&t.matches);
}

static void write_failure(lbi_text *text, lb_generic *g, lb_status status,
                          const lbi_call *call)
{
    write_arguments(text, g, call);
    switch (status) {
    case LB_NO_METHOD:
        lbi_text_put(text, ": no applicable method");
        write_nearest(text, g, call);
        break;
    case LB_AMBIGUOUS:
        lbi_text_put(text, ": ambiguous, no method precedes the others");
        write_tied(text, g, call);
        break;
    case LB_NO_NEXT_METHOD:
        lbi_text_put(text, ": there is no next method");
        break;
    case LB_NO_CLASS:
        lbi_text_put(text, ": an argument (?) has no living class of this "
                           "runtime; was it stamped by lb_init?");
        break;
    case LB_PREDICATE_FAILED:
        lbi_text_put(text, ": a predicate or an equality failed");
        break;
    case LB_BAD_SIGNATURE:
        lbi_text_put(text, ": the LB_SELF of a method names another function "
                           "than the one it stands in");
        break;
    default:
        lbi_text_print(text, ": %s", lb_status_name(status));
    }
}

/* Sets the message; under the lock if `locked` could be taken. */
static lb_status describe(lb_generic *g, lb_status status,
                          const lbi_heads *heads, lbi_call *call, bool report)
{
    lbi_text text;
    if (lbi_enter_runtime(g->runtime) != LB_OK)
        return status;
    lbi_text_init(&text, &g->runtime->allocator);
    if (heads) {
        for (unsigned i = 0; i < g->dispatched; i++) {
            const lb_header head = heads->heads[i + g->boxed];
            call->classes[i] = lbi_class_of(g->runtime, head);
            if (call->classes[i] == NULL && i < call->argc)
                status = LB_NO_CLASS;
        }
        write_failure(&text, g, status, call);
    } else {
        lbi_text_print(&text, "%s: %s", lbi_generic_label(g),
                       lb_status_name(status));
    }
    const char *words = text.failed ? lb_status_name(status) : text.at;
    lbi_fail_text(status, words);
    if (report)
        lbi_report_later(g->runtime, status, words);
    lbi_text_drop(&text);
    return lbi_leave_runtime(g->runtime, status);
}

static lb_status fail(const lb_entry *entry, const lb_argument *arguments,
                      bool report)
{
    const lb_status status = (lb_status)entry->status;
    lb_generic *g = entry->generic;
    lbi_heads heads;
    lbi_call call = {0};
    if (g == NULL || status == LB_OK)
        return status; /* unbound: the message is set already */
    if (arguments)
        lbi_heads_read(g, arguments, &heads, &call);
    return describe(g, status, arguments ? &heads : NULL, &call, report);
}

lb_status lb_fail(const lb_entry *entry, const lb_argument *arguments)
{
    return fail(entry, arguments, false);
}

const lb_entry *lb_overtaken(const lb_entry *found, const char *function,
                             const char *named)
{
    if (strcmp(function, named) == 0)
        return found;
    return lbi_chain_end(found->generic, LB_BAD_SIGNATURE);
}

void lb_report_failure(const lb_entry *entry, const lb_argument *arguments)
{
    fail(entry, arguments, true);
}

lb_status lbi_fail_boxed(const lb_entry *entry, size_t argc,
                         const lb_value *argv)
{
    lb_generic *g = entry->generic;
    lbi_heads heads;
    lbi_call call = {0};
    lb_status status = (lb_status)entry->status;
    if (!lbi_heads_boxed(g, argc, argv, &heads, &call, &status))
        return status;
    return describe(g, status, &heads, &call, false);
}
