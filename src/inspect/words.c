/* inspect/words.c - an account of a call, in lines for people:
 *
 *     area(circle): runs circle_area
 *       1. area(circle) circle_area      chosen
 *       2. area(shape) shape_area        next
 *          area(square) square_area      no: argument 1 is circle, not square
 */
#include "inspect/account.h"

#include "generic/ambiguity.h"
#include "generic/group.h"

enum { WIDEST = 56 };

static const char *method_name(const lbi_case *c)
{
    const char *name = c->match.form->rule->given.method->name;
    return name ? name : "?";
}

static void write_call(lbi_text *text, const lbi_account *a)
{
    const lb_generic *g = a->generic;
    lbi_text_print(text, "%s(", lbi_generic_label(g));
    for (size_t i = 0; i < a->call.argc && i < g->dispatched; i++)
        lbi_text_print(text, "%s%s", i ? ", " : "", a->call.classes[i]->name);
    if (a->call.argc > g->dispatched)
        lbi_text_print(text, ", %zu more", a->call.argc - g->dispatched);
    lbi_text_put(text, ")");
}

/* The methods with this verdict, after `intro` and separated by commas. */
static void write_methods(lbi_text *text, const lbi_account *a,
                          lb_verdict verdict, const char *intro)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->cases[i].verdict != verdict)
            continue;
        lbi_text_print(text, "%s%s", intro, method_name(&a->cases[i]));
        intro = ", ";
    }
}

static void write_failed(lbi_text *text, const lbi_account *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->cases[i].failed)
            lbi_text_print(text, "%s of %s failed at argument %u",
                           a->cases[i].verdict == LB_REJECTED_VALUE
                               ? "the equality"
                               : "the predicate",
                           method_name(&a->cases[i]), a->cases[i].argument + 1);
}

static void write_outcome(lbi_text *text, const lbi_account *a)
{
    switch (a->status) {
    case LB_OK:
        write_methods(text, a, LB_CHOSEN, "runs ");
        break;
    case LB_NO_METHOD:
        lbi_text_put(text, "no applicable method");
        break;
    case LB_AMBIGUOUS:
        lbi_text_put(text, "ambiguous");
        write_methods(text, a, LB_TIED, " between ");
        break;
    case LB_PREDICATE_FAILED:
        write_failed(text, a);
        break;
    default:
        lbi_text_put(text, lb_status_name(a->status));
    }
    if (a->call.has_values || a->unknown == 0)
        return;
    lbi_text_put(text, " unless a value or a predicate decides otherwise");
}

/* ---- one rule ----------------------------------------------------------- */

static void write_arity(lbi_text *text, const lbi_account *a,
                        const lb_rule *rule)
{
    lbi_text_print(text, "no: takes %zu", rule->count - rule->optional);
    if (rule->rest)
        lbi_text_put(text, " or more");
    else if (rule->optional)
        lbi_text_print(text, " to %zu", rule->count);
    lbi_text_print(text, " arguments, not %zu", a->call.argc);
}

static void write_condition(lbi_text *text, const lbi_case *c)
{
    const lb_specializer *s = lbi_spec(c->match.form, c->argument);
    if (c->unknowable)
        lbi_text_print(text, "depends on the class of argument %u",
                       c->argument + 1);
    else if (c->verdict == LB_UNKNOWN_VALUE)
        lbi_text_print(text, "depends on the value of argument %u",
                       c->argument + 1);
    else if (c->failed)
        lbi_text_print(text, "failed at argument %u", c->argument + 1);
    else if (s->kind == LB_EQL)
        lbi_text_print(text, "no: argument %u is not equal to %lld",
                       c->argument + 1, (long long)s->value.integer);
    else
        lbi_text_print(text, "no: argument %u is not %s", c->argument + 1,
                       s->predicate->name ? s->predicate->name
                                          : "what the predicate wants");
}

static const char *plain_verdict(const lbi_account *a, const lbi_case *c)
{
    const lb_qualifier q = c->match.form->rule->given.qualifier;
    switch (c->verdict) {
    case LB_CHOSEN:
        return a->combined ? "chosen, combined" : "chosen";
    case LB_NEXT:
        return a->combined && q == LB_PRIMARY ? "next, combined" : "next";
    case LB_RUNS_ALONG:
        return q == LB_BEFORE ? "runs before" : "runs after";
    case LB_TIED:
        return "tied";
    default:
        return c->needless ? "not needed: the rule applies as it stands"
                           : "not reached";
    }
}

static void write_verdict(lbi_text *text, const lbi_account *a,
                          const lbi_case *c)
{
    const lbi_form *form = c->match.form;
    switch (c->verdict) {
    case LB_REJECTED_ARITY:
        write_arity(text, a, &form->rule->given);
        break;
    case LB_REJECTED_CLASS:
        lbi_text_print(text, "no: argument %u is %s, not %s", c->argument + 1,
                       a->call.classes[c->argument]->name,
                       lbi_spec_class(lbi_spec(form, c->argument))->name);
        break;
    case LB_REJECTED_VALUE:
    case LB_REJECTED_PREDICATE:
    case LB_UNKNOWN_VALUE:
        write_condition(text, c);
        break;
    default:
        lbi_text_put(text, plain_verdict(a, c));
    }
    if (form->swapped)
        lbi_text_put(text, " (arguments 1 and 2 exchanged)");
    if (form->rule->group)
        lbi_text_print(text, " (group %s)", lbi_group_name(form->rule->group));
}

/* How many characters the text has from `from` on: bytes that begin one. */
static size_t columns(const lbi_text *text, size_t from)
{
    size_t count = 0;
    for (size_t i = from; i < text->length; i++)
        count += ((unsigned char)text->at[i] & 0xc0) != 0x80;
    return count;
}

static void pad(lbi_text *text, size_t from, size_t width)
{
    for (size_t n = columns(text, from); n < width; n++)
        lbi_text_put(text, " ");
}

static bool is_shown(const lbi_case *c, bool full)
{
    return full || c->verdict <= LB_UNREACHED;
}

/* The width of the longest rule; what was written for it is dropped again. */
static size_t widest_rule(lbi_text *text, const lbi_account *a, bool full)
{
    size_t widest = 0;
    for (size_t i = 0; i < a->count; i++) {
        const size_t from = text->length;
        if (!is_shown(&a->cases[i], full))
            continue;
        lbi_rule_write(text, a->generic, &a->cases[i].match.form->rule->given);
        const size_t width = columns(text, from);
        widest = width > widest ? width : widest;
        text->length = from;
    }
    return widest < WIDEST ? widest : WIDEST;
}

static void write_case(lbi_text *text, const lbi_account *a, const lbi_case *c,
                       size_t width)
{
    if (c->verdict == LB_CHOSEN || c->verdict == LB_NEXT)
        lbi_text_print(text, "\n  %2u. ", c->rank + 1);
    else
        lbi_text_put(text, "\n      ");
    const size_t from = text->length;
    lbi_rule_write(text, a->generic, &c->match.form->rule->given);
    pad(text, from, width + 2);
    if (columns(text, from) > width + 2)
        lbi_text_put(text, "  ");
    write_verdict(text, a, c);
}

void lbi_account_write(lbi_text *text, const lbi_account *a, bool full)
{
    const size_t width = widest_rule(text, a, full);
    write_call(text, a);
    lbi_text_put(text, ": ");
    write_outcome(text, a);
    for (size_t i = 0; i < a->count; i++)
        if (is_shown(&a->cases[i], full))
            write_case(text, a, &a->cases[i], width);
}
