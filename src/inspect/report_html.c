/* inspect/report_html.c - a page about one generic function.
 *
 * One file without scripts and without references to others, well-formed as
 * HTML and as XML. Everything that a user named is escaped; `head` and `tail`
 * are HTML and stand there as they came. Made under the lock, from one moment:
 * no user code runs but a generic function's own comparison. Cost: the cells
 * times that of explaining one call.
 */
#include "inspect/markup.h"
#include "inspect/report.h"

#include "generic/ambiguity.h"
#include "generic/group.h"

enum { HOVERED = 48, MANY = 100 };

/* ---- small pieces ------------------------------------------------------- */

/* Puts a rule in words, escaped. */
static void put_rule(lbi_report *r, const lb_rule *rule)
{
    r->scratch.length = 0;
    lbi_rule_write(&r->scratch, r->generic, rule);
    r->page.failed |= r->scratch.failed;
    if (r->page.failed)
        return;
    lbi_text_put(&r->page, "<code>");
    lbi_put_html(&r->page, r->scratch.at);
    lbi_text_put(&r->page, "</code>");
}

static void put_chip(lbi_report *r, size_t rule)
{
    lbi_text_print(&r->page, "<span class=\"chip m r%zu\">%zu</span>", rule,
                   rule + 1);
}

static const char *method_of(const lb_rule *rule)
{
    return rule->method->name ? rule->method->name : "?";
}

static const char *title_of(const lbi_report *r)
{
    return r->options->title ? r->options->title
                             : lbi_generic_label(r->generic);
}

/* ---- head --------------------------------------------------------------- */

/* Each rule's hue: steps by the golden angle, so that any first few hues lie
 * far apart and a rule keeps its own when others are added after it. */
static void put_colours(lbi_report *r)
{
    const size_t count = r->account.held.count;
    lbi_text_put(&r->page, ":root{");
    for (size_t i = 0; i < count; i++)
        lbi_text_print(&r->page, "--h%zu:%zu;", i,
                       (245 + i * 137508 / 1000) % 360);
    lbi_text_put(&r->page, "}\n");
    for (size_t i = 0; i < count; i++)
        lbi_text_print(&r->page, ".r%zu{--h:var(--h%zu);--s:%zu}\n", i, i,
                       i % 3);
    for (size_t i = 0; i < count && i < HOVERED; i++)
        lbi_text_print(&r->page,
                       "main:has(.legend .k%zu:hover) td.m:not(.r%zu)"
                       "{opacity:.2}\n",
                       i, i);
}

static void put_head(lbi_report *r)
{
    lbi_text *page = &r->page;
    lbi_text_put(page,
                 "<!DOCTYPE html>\n<html lang=\"en\"><head>"
                 "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content="
                 "\"width=device-width, initial-scale=1\"/>\n<title>");
    lbi_put_html(page, title_of(r));
    lbi_text_put(page, "</title>\n<style>\n");
    for (size_t i = 0; lbi_report_style[i]; i++)
        lbi_text_put(page, lbi_report_style[i]);
    put_colours(r);
    lbi_text_put(page, "</style></head>\n<body><main>\n");
}

static void put_plural(lbi_report *r, size_t count, const char *one,
                       const char *many)
{
    lbi_text_print(&r->page, " · %zu %s", count, count == 1 ? one : many);
}

static void put_facts(lbi_report *r)
{
    static const char *const orders[] = {
        "symmetric",  "lexicographic",      "Dylan", "weighted",
        "definition", "reverse definition", "user"};
    static const char *const combinations[] = {
        "standard", "first", "list", "sum", "and", "or", "append", "user"};
    const lb_generic *g = r->generic;
    lbi_text_put(&r->page, "<header><h1>");
    lbi_put_html(&r->page, title_of(r));
    lbi_text_put(&r->page, "</h1>\n<p class=\"facts\"><code>");
    lbi_put_html(&r->page, lbi_generic_label(g));
    lbi_text_put(&r->page, "</code>");
    put_plural(r, g->dispatched, "dispatched argument", "dispatched arguments");
    put_plural(r, r->account.held.count, "rule", "rules");
    put_plural(r, r->count, "class", "classes");
    put_plural(r, r->ambiguities.count, "ambiguity", "ambiguities");
    lbi_text_print(&r->page, " · %s order · %s combination</p></header>\n",
                   orders[g->policy.order],
                   combinations[g->policy.combination]);
}

/* ---- the table ---------------------------------------------------------- */

static void put_legend_item(lbi_report *r, size_t rule)
{
    lbi_text_print(&r->page, "<li class=\"k%zu\">", rule);
    put_chip(r, rule);
    lbi_text_put(&r->page, "<span>");
    lbi_put_html(&r->page, method_of(&r->account.held.rules[rule]->given));
    lbi_text_print(&r->page, " <small>%zu×</small></span></li>\n",
                   r->uses[rule]);
}

static void put_legend(lbi_report *r)
{
    lbi_text_put(&r->page, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < r->account.held.count; i++)
        if (r->uses[i])
            put_legend_item(r, i);
    if (r->ambiguous_cells)
        lbi_text_print(&r->page,
                       "<li><span class=\"chip tie\" style=\"--a:40;--b:250\">"
                       "<b>!</b></span><span>ambiguous <small>%zu×</small>"
                       "</span></li>\n",
                       r->ambiguous_cells);
    if (r->empty_cells)
        lbi_text_print(&r->page,
                       "<li><span class=\"chip\">&#160;</span><span>no method "
                       "<small>%zu×</small></span></li>\n",
                       r->empty_cells);
    lbi_text_put(&r->page, "</ul>\n");
}

/* Which call it is about: other than two arguments need words. */
static void put_fixed(lbi_report *r)
{
    const unsigned dispatched = r->generic->dispatched;
    if (r->call.argc != dispatched)
        lbi_text_print(&r->page, " Calls with %zu argument%s.", r->call.argc,
                       r->call.argc == 1 ? "" : "s");
    for (unsigned i = r->axes; i < dispatched && i < r->call.argc; i++) {
        if (r->call.classes[i] == NULL)
            continue;
        lbi_text_print(&r->page, " Argument %u is held at <code>", i + 1);
        lbi_report_class(&r->page, r->call.classes[i]);
        lbi_text_put(&r->page, "</code>, the class most rules name there.");
    }
}

static bool any_cell(const lbi_report *r, bool swapped)
{
    for (size_t i = 0; i < r->cell_count; i++)
        if (swapped ? r->cells[i].swapped : r->cells[i].depends)
            return true;
    return false;
}

static void put_table_note(lbi_report *r)
{
    lbi_text_put(&r->page,
                 "<p class=\"note\">The number and the colour name the rule "
                 "whose primary method runs first; framed where it names "
                 "exactly these classes. Point at a cell for the whole "
                 "chain.");
    if (any_cell(r, true))
        lbi_text_put(&r->page, " ⇄: with the first two arguments exchanged.");
    if (any_cell(r, false))
        lbi_text_put(&r->page, " ?: a value or a predicate may decide "
                               "otherwise; none holds here.");
    put_fixed(r);
    lbi_text_put(&r->page, "</p>\n");
}

/* The legend stands before the table but counts what is in it. */
static void put_table(lbi_report *r)
{
    lbi_text table;
    lbi_text_put(&r->page, "<section><h2>Which method runs</h2>\n");
    if (r->count == 0 || r->axes == 0) {
        lbi_text_put(&r->page, "<p class=\"note\">There is no class to show: "
                               "its rules mention none.</p></section>\n");
        return;
    }
    lbi_text_init(&table, r->allocator);
    lbi_report_table(r, &table);
    put_table_note(r);
    put_legend(r);
    r->page.failed |= table.failed;
    if (!r->page.failed)
        lbi_text_put(&r->page, table.at);
    lbi_text_drop(&table);
    if (r->options->calls)
        lbi_report_calls(r);
    lbi_text_put(&r->page, "</section>\n");
}

/* ---- rules -------------------------------------------------------------- */

static void put_modes(lbi_report *r, const lbi_rule *rule)
{
    static const char *const propagates[] = {"", "next method at start",
                                             "next method at end"};
    const char *separator = "";
    if (rule->given.commutative) {
        lbi_text_put(&r->page, "commutative");
        separator = ", ";
    }
    if (rule->given.propagate) {
        lbi_text_print(&r->page, "%s%s", separator,
                       propagates[rule->given.propagate]);
        separator = ", ";
    }
    if (rule->group) {
        lbi_text_print(&r->page, "%sgroup ", separator);
        lbi_put_html(&r->page, lbi_group_name(rule->group));
    }
}

static void put_place(lbi_report *r, const lb_method *method)
{
    if (method->file == NULL)
        return;
    const char *slash = strrchr(method->file, '/');
    lbi_text_put(&r->page, "<span title=\"");
    lbi_put_html(&r->page, method->file);
    lbi_text_put(&r->page, "\">");
    lbi_put_html(&r->page, slash ? slash + 1 : method->file);
    lbi_text_print(&r->page, ":%u</span>", method->line);
}

static void put_rule_row(lbi_report *r, size_t i)
{
    const lbi_rule *rule = r->account.held.rules[i];
    lbi_text_put(&r->page, "<tr><td>");
    put_chip(r, i);
    lbi_text_put(&r->page, "</td><td>");
    put_rule(r, &rule->given);
    lbi_text_put(&r->page, "</td><td class=\"soft\">");
    put_modes(r, rule);
    lbi_text_print(&r->page,
                   "</td><td class=\"number\">%zu</td>"
                   "<td class=\"soft\">",
                   r->uses[i]);
    put_place(r, rule->given.method);
    lbi_text_put(&r->page, "</td></tr>\n");
}

static void put_rules(lbi_report *r)
{
    lbi_text_put(&r->page,
                 "<section><h2>Rules</h2>\n<div class=\"scroll\">"
                 "<table class=\"rules\"><thead><tr><th></th><th>rule, in "
                 "order of definition</th><th></th><th class=\"number\">cells"
                 "</th><th>defined at</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < r->account.held.count; i++)
        put_rule_row(r, i);
    lbi_text_put(&r->page, "</tbody></table></div></section>\n");
}

/* ---- ambiguities -------------------------------------------------------- */

static void put_classes(lbi_report *r, lb_class *const *classes, uint32_t count)
{
    lbi_text_put(&r->page, "<code>(");
    for (uint32_t i = 0; i < count; i++) {
        lbi_text_put(&r->page, i ? ", " : "");
        lbi_report_class(&r->page, classes[i]);
    }
    lbi_text_put(&r->page, ")</code>");
}

static void put_ambiguity(lbi_report *r, const lb_ambiguity *a)
{
    lbi_text_print(&r->page, "<li class=\"%s\"><p>",
                   a->possible ? "possible" : "certain");
    put_rule(r, a->first);
    lbi_text_put(&r->page, " and ");
    put_rule(r, a->second);
    lbi_text_print(&r->page, "</p><p><span class=\"badge\">%s</span> e.g. for ",
                   a->possible ? "if both predicates hold" : "ambiguous");
    put_classes(r, a->witness, a->count);
    lbi_text_put(&r->page, "; a rule for ");
    put_classes(r, a->resolving, a->count);
    lbi_text_put(&r->page, " would decide.</p></li>\n");
}

static void put_ambiguities(lbi_report *r)
{
    const lbi_ambiguities *all = &r->ambiguities;
    lbi_text_put(&r->page, "<section><h2>Ambiguities</h2>\n");
    if (all->count == 0)
        lbi_text_put(&r->page, "<p class=\"note\">None among the classes that "
                               "exist.</p>");
    else
        lbi_text_put(&r->page, "<ul class=\"ambiguities\">\n");
    for (size_t i = 0; i < all->count && i < MANY; i++)
        put_ambiguity(r, &all->at[i]);
    if (all->count)
        lbi_text_put(&r->page, "</ul>");
    if (all->count > MANY)
        lbi_text_print(&r->page, "<p class=\"note\">And %zu more.</p>",
                       all->count - MANY);
    lbi_text_put(&r->page, "</section>\n");
}

/* ---- the page ----------------------------------------------------------- */

static void put_graph(lbi_report *r)
{
    if (r->graph_count == 0)
        return;
    lbi_text_put(&r->page,
                 "<section><h2>Classes</h2>\n<p class=\"note\">From base to "
                 "subclass; dashed to a second or further base. Bold: named "
                 "by a rule. Point at a class for its linearization.</p>\n");
    r->page.failed |= !lbi_report_graph(r);
    lbi_text_put(&r->page, "</section>\n");
}

static void put_page(lbi_report *r)
{
    const lb_report_options *o = r->options;
    put_head(r);
    put_facts(r);
    lbi_text_put(&r->page, o->head ? o->head : "");
    put_table(r);
    put_ambiguities(r);
    put_rules(r);
    put_graph(r);
    lbi_text_put(&r->page, o->tail ? o->tail : "");
    lbi_text_put(&r->page, "</main></body></html>\n");
}

static void free_report(lbi_report *r)
{
    lbi_allocator *a = r->allocator;
    lbi_free(a, r->classes, r->capacity * sizeof *r->classes);
    lbi_free(a, r->graph, r->graph_capacity * sizeof *r->graph);
    lbi_free(a, r->cells, (r->cell_count + 1) * sizeof *r->cells);
    lbi_free(a, r->uses, (r->account.held.count + 1) * sizeof *r->uses);
    lbi_ambiguities_free(&r->ambiguities);
    lbi_text_drop(&r->scratch);
    lbi_text_drop(&r->page);
    lbi_account_close(&r->account);
}

static lb_status make_report(lb_generic *g, const lb_report_options *options,
                             char **text)
{
    lbi_report r = {
        .generic = g, .options = options, .allocator = &g->runtime->allocator};
    lbi_text_init(&r.page, r.allocator);
    lbi_text_init(&r.scratch, r.allocator);
    if (!lbi_account_open(&r.account, g))
        return lbi_no_memory();
    lb_status status = lbi_ambiguities_find(&r.account.held, &r.ambiguities);
    if (status == LB_OK)
        status = lbi_report_choose(&r);
    if (status == LB_OK) {
        put_page(&r);
        *text = lbi_text_take(&r.page);
        status = *text ? LB_OK : lbi_no_memory();
    }
    free_report(&r);
    return status;
}

static lb_status check(const lb_generic *g, const lb_report_options *o,
                       char **text)
{
    if (g == NULL || text == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", g ? "text" : "generic");
    *text = NULL;
    if (o->calls && o->classes == NULL)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "options.calls without options.classes");
    for (size_t i = 0; o->classes && i < o->class_count; i++)
        if (o->classes[i] == NULL || o->classes[i]->runtime != g->runtime)
            return lbi_fail(LB_BAD_ARGUMENT, "options.classes[%zu] is %s", i,
                            o->classes[i] ? "of another runtime" : "NULL");
    return LB_OK;
}

lb_status lb_report_html(lb_generic *generic, const lb_report_options *options,
                         char **text)
{
    static const lb_report_options none = {0};
    const lb_report_options *o = options ? options : &none;
    lb_status status = check(generic, o, text);
    if (status != LB_OK ||
        (status = lbi_enter_runtime(generic->runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(generic->runtime, make_report(generic, o, text));
}
