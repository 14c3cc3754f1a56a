/* inspect/report_table.c - the table of types × types.
 *
 * Each cell is a call: judged and settled as an explanation is, with no
 * values, so a value or a predicate never holds here; the cell says when one
 * might. It carries the number and the colour of the rule whose primary
 * method runs first, which is more telling than an around method for all.
 */
#include "inspect/markup.h"
#include "inspect/report.h"

/* ---- one cell ----------------------------------------------------------- */

static bool is_primary(const lbi_case *c)
{
    return c->match.form->rule->given.qualifier == LB_PRIMARY;
}

/* The primary method that runs first, or NULL. */
static const lbi_case *first_primary(const lbi_account *a)
{
    const lbi_case *best = NULL;
    for (size_t i = 0; i < a->count; i++) {
        const lbi_case *c = &a->cases[i];
        if (c->placed && is_primary(c) && (!best || c->rank < best->rank))
            best = c;
    }
    return best;
}

static bool names_exactly(const lbi_report *r, const lbi_case *c)
{
    for (unsigned i = 0; i < r->axes; i++)
        if (lbi_spec_class(lbi_spec(c->match.form, i)) !=
            r->account.call.classes[i])
            return false;
    return true;
}

static void note_ties(const lbi_account *a, lbi_cell *cell)
{
    unsigned found = 0;
    for (size_t i = 0; i < a->count && found < 2; i++)
        if (a->cases[i].verdict == LB_TIED)
            cell->tied[found++] = (int)a->cases[i].number;
    if (found == 1)
        cell->tied[1] = cell->tied[0];
}

static void read_cell(lbi_report *r, lbi_cell *cell)
{
    const lbi_account *a = &r->account;
    const lbi_case *first = first_primary(a);
    *cell = (lbi_cell){
        LBI_NO_RULE, {LBI_NO_RULE, LBI_NO_RULE}, false, false, a->unknown > 0};
    if (first == NULL || a->status != LB_OK) {
        note_ties(a, cell);
        r->ambiguous_cells += cell->tied[0] != LBI_NO_RULE;
        r->empty_cells += cell->tied[0] == LBI_NO_RULE;
        return;
    }
    cell->rule = (int)first->number;
    cell->swapped = first->match.form->swapped;
    cell->exact = names_exactly(r, first);
    r->uses[cell->rule]++;
}

/* Settles the call of a cell. */
static bool settle(lbi_report *r, size_t row, size_t column)
{
    r->call.classes[0] = r->classes[r->axes == 2 ? row : column];
    if (r->axes == 2)
        r->call.classes[1] = r->classes[column];
    lbi_account_judge(&r->account, &r->call);
    lbi_account_ask(&r->account); /* no values: nobody is asked */
    return lbi_account_settle(&r->account) == LB_OK;
}

static void write_title(lbi_report *r, lbi_text *table)
{
    r->scratch.length = 0;
    lbi_account_sort(&r->account);
    lbi_account_write(&r->scratch, &r->account, false);
    lbi_account_unsort(&r->account);
    table->failed |= r->scratch.failed;
    if (!table->failed)
        lbi_put_html(table, r->scratch.at);
}

static void open_cell(lbi_text *table, const lbi_cell *cell)
{
    if (cell->rule != LBI_NO_RULE)
        lbi_text_print(table, "<td class=\"m r%d%s\" title=\"", cell->rule,
                       cell->exact ? " exact" : "");
    else if (cell->tied[0] != LBI_NO_RULE)
        lbi_text_print(table,
                       "<td class=\"tie\" style=\"--a:var(--h%d);"
                       "--b:var(--h%d)\" title=\"",
                       cell->tied[0], cell->tied[1]);
    else
        lbi_text_put(table, "<td class=\"none\" title=\"");
}

static void write_cell(lbi_report *r, lbi_text *table, const lbi_cell *cell)
{
    open_cell(table, cell);
    write_title(r, table);
    lbi_text_put(table, "\">");
    if (cell->rule != LBI_NO_RULE)
        lbi_text_print(table, "%d", cell->rule + 1);
    else if (cell->tied[0] != LBI_NO_RULE)
        lbi_text_put(table, "<b>!</b>");
    if (cell->swapped)
        lbi_text_put(table, "<sup>⇄</sup>");
    if (cell->depends)
        lbi_text_put(table, "<sup>?</sup>");
    lbi_text_put(table, "</td>");
}

/* ---- the tables --------------------------------------------------------- */

void lbi_report_class(lbi_text *text, const lb_class *cls)
{
    lbi_put_html(text, cls ? cls->name : "any");
}

/* More than a few names stand upright, so that columns stay narrow. */
static void write_head(const lbi_report *r, lbi_text *table)
{
    enum { FEW = 5 };
    lbi_text_print(table,
                   "<div class=\"scroll\"><table class=\"grid%s\"><thead>"
                   "<tr><th class=\"corner\">%s</th>",
                   r->count > FEW ? " tall" : "",
                   r->axes == 2 ? "1st ↓&#160;&#160;2nd →" : "argument");
    for (size_t i = 0; i < r->count; i++) {
        lbi_text_put(table, "<th scope=\"col\"><span>");
        lbi_report_class(table, r->classes[i]);
        lbi_text_put(table, "</span></th>");
    }
    lbi_text_put(table, "</tr></thead><tbody>\n");
}

static void open_row(const lbi_report *r, lbi_text *table, size_t row,
                     const char *single)
{
    lbi_text_put(table, "<tr><th scope=\"row\">");
    if (r->axes == 2)
        lbi_report_class(table, r->classes[row]);
    else
        lbi_text_put(table, single);
    lbi_text_put(table, "</th>");
}

void lbi_report_table(lbi_report *r, lbi_text *table)
{
    const size_t rows = r->axes == 2 ? r->count : 1;
    write_head(r, table);
    for (size_t row = 0; row < rows && !table->failed; row++) {
        open_row(r, table, row, "rule");
        for (size_t column = 0; column < r->count; column++) {
            lbi_cell *cell = &r->cells[row * r->count + column];
            if (!settle(r, row, column)) {
                table->failed = true;
                break;
            }
            read_cell(r, cell);
            write_cell(r, table, cell);
        }
        lbi_text_put(table, "</tr>\n");
    }
    lbi_text_put(table, "</tbody></table></div>\n");
}

/* ---- calls -------------------------------------------------------------- */

/* The binary logarithm in sixteenths: bits, and four below the highest. */
static unsigned magnitude(uint64_t count)
{
    unsigned bits = 0;
    while (count >> bits > 1)
        bits++;
    const uint64_t below =
        bits >= 4 ? count >> (bits - 4) : count << (4 - bits);
    return count ? 16 * (bits + 1) + ((unsigned)below & 15) : 0;
}

static void write_calls(lbi_text *page, uint64_t calls, uint64_t most)
{
    enum { STRONGEST = 85 };
    const unsigned share = magnitude(calls) * STRONGEST / magnitude(most);
    if (calls == 0) {
        lbi_text_put(page, "<td class=\"none\"></td>");
        return;
    }
    lbi_text_print(page,
                   "<td class=\"heat\" style=\"--v:.%02u\" title=\"%llu "
                   "calls\">",
                   share, (unsigned long long)calls);
    lbi_put_count(page, calls);
    lbi_text_put(page, "</td>");
}

void lbi_report_calls(lbi_report *r)
{
    const uint64_t *calls = r->options->calls;
    const size_t rows = r->axes == 2 ? r->count : 1;
    uint64_t most = 1, sum = 0;
    for (size_t i = 0; i < r->cell_count; i++) {
        most = calls[i] > most ? calls[i] : most;
        sum += calls[i];
    }
    lbi_text_print(&r->page,
                   "<h2>Calls</h2>\n<p class=\"note\">%llu calls were "
                   "counted. The shade is by magnitude: each doubling is one "
                   "step.</p>\n",
                   (unsigned long long)sum);
    write_head(r, &r->page);
    for (size_t row = 0; row < rows; row++) {
        open_row(r, &r->page, row, "calls");
        for (size_t column = 0; column < r->count; column++)
            write_calls(&r->page, calls[row * r->count + column], most);
        lbi_text_put(&r->page, "</tr>\n");
    }
    lbi_text_put(&r->page, "</tbody></table></div>\n");
}
