/* The page of a replay.
 *
 *   1. For the charts, replay the policies in both orders, with the paper's
 *      tables and with the two amendments that help most; time them.
 *   2. Replay tables of 16 to 1,024 entries, with and without amendments.
 *   3. Write it all: charts, the rows of expected counts, what was read.
 *
 * The page needs nothing but itself, and follows the reader's preference for
 * light or dark. */
#include "page.h"

#include "charts.h"
#include "knobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ORDERS = 2, POLICIES = 6, SIZES = 7, VARIANTS = 4 };

typedef struct shown_policy {
    const char *label;
    lb_object_options options;
} shown_policy;

static const shown_policy shown_policies[POLICIES] = {
    {"search", {.policy = LB_POLICY_SEARCH}},
    {"search with the mark", {.policy = LB_POLICY_SEARCH, .mark = LB_YES}},
    {"site, by place in the code", {.policy = LB_POLICY_SITE}},
    {"table64, as published", {.policy = LB_POLICY_TABLE64}},
    {"256 + negative + drop",
     {.policy = LB_POLICY_TABLE64,
      .table_size = 256,
      .cache_negative = LB_YES,
      .drop_changed = LB_YES}},
    {"table, a table per name", {.policy = LB_POLICY_TABLE}},
};

static const shown_policy variants[VARIANTS] = {
    {"as published", {.policy = LB_POLICY_TABLE64}},
    {"+ negative", {.policy = LB_POLICY_TABLE64, .cache_negative = LB_YES}},
    {"+ negative + drop",
     {.policy = LB_POLICY_TABLE64,
      .cache_negative = LB_YES,
      .drop_changed = LB_YES}},
    {"by place in the code", {.policy = LB_POLICY_SITE}},
};

static const lb_search_order orders[ORDERS] = {LB_ORDER_1998, LB_ORDER_PYTHON3};
static const char *const order_titles[ORDERS] = {
    "1998: the instance first", "Python 3: data descriptors first"};

static const uint32_t sizes[SIZES] = {16, 32, 64, 128, 256, 512, 1024};
static const char *const size_labels[SIZES] = {"16",  "32",  "64",   "128",
                                               "256", "512", "1,024"};

struct page {
    const trace *trace;
    const replay_report *report;
    replay_run policies[ORDERS][POLICIES];
    replay_run sweep[VARIANTS][SIZES];
};

/* ---- Replaying --------------------------------------------------------- */

static bool count_policies(page *p, fault *why)
{
    for (int i = 0; i < ORDERS; i++)
        for (int k = 0; k < POLICIES; k++) {
            replay_run *run = &p->policies[i][k];
            run->options = shown_policies[k].options;
            run->options.order = orders[i];
            run->options.counting = 1;
            if (!replay_check(p->trace, run, why))
                return false;
        }
    return true;
}

static bool count_sizes(page *p, fault *why)
{
    for (int i = 0; i < VARIANTS; i++)
        for (int k = 0; k < SIZES; k++) {
            replay_run *run = &p->sweep[i][k];
            run->options = variants[i].options;
            run->options.table_size = sizes[k];
            run->options.order = LB_ORDER_1998;
            run->options.counting = 1;
            if (!replay_check(p->trace, run, why))
                return false;
        }
    return true;
}

static bool time_policies(page *p, unsigned rounds, fault *why)
{
    for (int i = 0; i < ORDERS && rounds; i++) {
        for (int k = 0; k < POLICIES; k++)
            p->policies[i][k].options.counting = 0;
        if (!replay_time(p->trace, p->policies[i], POLICIES, rounds, why))
            return false;
    }
    return true;
}

page *page_make(const trace *t, unsigned rounds, fault *why)
{
    page *p = calloc(1, sizeof *p);
    if (p == NULL) {
        fault_set(why, t->file, 0, "out of memory");
        return NULL;
    }
    p->trace = t;
    if (count_policies(p, why) && count_sizes(p, why) &&
        time_policies(p, rounds, why))
        return p;
    page_free(p);
    return NULL;
}

void page_free(page *p)
{
    free(p);
}

/* Whether two runs do the same, counting apart. */
static bool is_same(const lb_object_options *a, const lb_object_options *b)
{
    return a->order == b->order && a->policy == b->policy &&
           knobs_marks(a) == knobs_marks(b) &&
           strcmp(knobs_describe(a).text, knobs_describe(b).text) == 0;
}

bool page_times(const page *p, replay_run *run)
{
    for (int i = 0; i < ORDERS; i++)
        for (int k = 0; k < POLICIES; k++) {
            const replay_run *own = &p->policies[i][k];
            if (!own->timed || !is_same(&own->options, &run->options))
                continue;
            run->timed = true;
            run->nanoseconds = own->nanoseconds;
            run->least = own->least;
            run->most = own->most;
            run->ratio = own->ratio;
            return true;
        }
    return false;
}

/* ---- Charts ------------------------------------------------------------ */

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1d2430;--soft:#5d6b82;--page:#fff;"
    "--card:#f6f7f9;--rule:#e1e5ea;--c0:#2f6fde;--c1:#e08a1e;--c2:#1a8f6a;"
    "--c3:#8657c8;--good:#1a7f4b;--bad:#c4264a}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#98a5b8;"
    "--page:#12161c;--card:#1b2028;--rule:#313844;--c0:#7aa7ff;--c1:#f0ae55;"
    "--c2:#4fd1a5;--c3:#bd9cf3;--good:#5fd39a;--bad:#ff7a92}}\n"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.55 system-ui,sans-serif}\n"
    "main{max-width:66rem;margin:0 auto;padding:2rem 1.25rem 4rem}\n"
    "h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem}\n"
    "h2{font-size:1.25rem;margin:2.5rem 0 .4rem}\n"
    "p{max-width:48rem;margin:.5rem 0}.soft{color:var(--soft)}\n"
    "code{font-size:.92em}\n"
    ".cards{display:grid;gap:.75rem;margin:1.25rem 0;"
    "grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}\n"
    ".cards div{background:var(--card);border:1px solid var(--rule);"
    "border-radius:.6rem;padding:.7rem .9rem}\n"
    ".cards b{display:block;font-size:1.3rem;font-weight:600;"
    "font-variant-numeric:tabular-nums}\n"
    ".cards span{color:var(--soft);font-size:.87rem}\n"
    "figure{margin:.75rem 0;background:var(--card);padding:1rem;"
    "border:1px solid var(--rule);border-radius:.6rem;overflow-x:auto}\n"
    ".chart{display:block;width:100%;min-width:34rem;height:auto}\n"
    ".chart text{fill:var(--ink);font-size:14px}\n"
    ".chart .tick,.chart .name{fill:var(--soft)}.chart .tick{font-size:13px}\n"
    ".chart .heading{font-weight:600}.chart .value{font-size:13px;"
    "font-variant-numeric:tabular-nums}\n"
    ".chart line{stroke:var(--rule)}.chart line.axis{stroke:var(--soft)}\n"
    ".chart polyline{fill:none;stroke-width:2.5;stroke-linejoin:round}\n"
    ".f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}"
    ".f3{fill:var(--c3)}\n"
    ".l0{stroke:var(--c0)}.l1{stroke:var(--c1)}.l2{stroke:var(--c2)}"
    ".l3{stroke:var(--c3)}\n"
    ".b0{background:var(--c0)}.b1{background:var(--c1)}"
    ".b2{background:var(--c2)}.b3{background:var(--c3)}\n"
    ".key{margin:0 0 .6rem;font-size:.9rem;color:var(--soft)}"
    ".key span{margin-right:1.4rem;white-space:nowrap}"
    ".key i{display:inline-block;width:.85rem;height:.85rem;"
    "border-radius:.2rem;margin-right:.4rem;vertical-align:-.08rem}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;"
    "font-size:.85rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.3rem .3rem .3rem .7rem;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--rule);vertical-align:top}"
    "th{font-weight:600}th:first-child{text-align:left;font-weight:400;"
    "padding-left:0}\n"
    "td small{display:block;color:var(--soft)}"
    "td.bad,td.bad small{color:var(--bad)}.good{color:var(--good)}\n"
    "</style>\n";

static const char look_ups_text[] =
    "<h2>Look-ups by policy</h2>\n"
    "<p>A look-up is one dictionary asked: that of the instance, or that of a "
    "class in the order of its classes. What a table answers asks none. Most "
    "of what is left are attributes that instances really hold.</p>\n";

static void write_look_ups(FILE *out, const page *p)
{
    static const char *const parts[] = {"instance dictionaries",
                                        "class dictionaries"};
    chart_bar bars[ORDERS * (POLICIES + 1)];
    char values[ORDERS * (POLICIES + 1)][16];
    size_t count = 0;
    for (int i = 0; i < ORDERS; i++) {
        bars[count++] = (chart_bar){.label = order_titles[i], .heading = true};
        for (int k = 0; k < POLICIES; k++, count++) {
            const lb_counters *c = &p->policies[i][k].counters;
            const double instance = (double)c->instance_lookups;
            const double cls = (double)c->class_lookups;
            snprintf(values[count], sizeof values[count], "%.2f M",
                     (instance + cls) / 1e6);
            bars[count] = (chart_bar){.label = shown_policies[k].label,
                                      .parts = {instance, cls},
                                      .value = values[count]};
        }
    }
    const bar_chart chart = {.title = "Dictionary look-ups by policy",
                             .axis = "dictionary look-ups, millions",
                             .scale = 1e6,
                             .bars = bars,
                             .count = count};
    fputs(look_ups_text, out);
    fputs("<figure>\n", out);
    write_chart_key(out, parts, 2);
    write_bar_chart(out, &chart);
    fputs("</figure>\n", out);
}

/* Of the look-ups that came to a class, how many a table answered, in %. */
static double hit_ratio(const lb_counters *c)
{
    const uint64_t all = c->hits + c->class_searches;
    return all ? 100 * (double)c->hits / (double)all : 0;
}

static double generations(const lb_counters *c)
{
    return (double)c->generations;
}

static void write_sweep(FILE *out, const page *p, const line_chart *form,
                        double (*measure)(const lb_counters *c))
{
    double values[VARIANTS][SIZES];
    chart_line series[VARIANTS];
    const char *names[VARIANTS];
    line_chart chart = *form;
    for (int i = 0; i < VARIANTS; i++) {
        names[i] = variants[i].label;
        series[i] = (chart_line){.name = names[i], .values = values[i]};
        for (int k = 0; k < SIZES; k++)
            values[i][k] = measure(&p->sweep[i][k].counters);
    }
    chart.x_axis = "entries of a table";
    chart.places = size_labels;
    chart.place_count = SIZES;
    chart.lines = series;
    chart.line_count = VARIANTS;
    fputs("<figure>\n", out);
    write_chart_key(out, names, VARIANTS);
    write_line_chart(out, &chart);
    fputs("</figure>\n", out);
}

static void write_sweeps(FILE *out, const page *p)
{
    const line_chart hits = {.title = "Hit ratio by table size",
                             .y_axis = "answered by a table"};
    const line_chart begun = {.title = "Generations by table size",
                              .y_axis = "generations begun",
                              .logarithmic = true};
    fputs("<h2>Hit ratio by table size</h2>\n"
          "<p>Order of 1998: of the look-ups that came to a class, those that "
          "its table answered. What stays below the top as published are "
          "names that were excluded because one class changed them "
          "(<i>drop</i> cures that), and questions whose answer is "
          "&ldquo;not found&rdquo; (<i>negative</i>).</p>\n",
          out);
    write_sweep(out, p, &hits, hit_ratio);
    fputs("<h2>Generations by table size</h2>\n"
          "<p>How often all numbers were given and the tables began anew; the "
          "axis is logarithmic.</p>\n",
          out);
    write_sweep(out, p, &begun, generations);
}

static void write_times(FILE *out, const page *p)
{
    chart_bar bars[ORDERS * (POLICIES + 1)];
    char values[ORDERS * (POLICIES + 1)][32];
    size_t count = 0;
    if (!p->policies[0][0].timed)
        return;
    for (int i = 0; i < ORDERS; i++) {
        bars[count++] = (chart_bar){.label = order_titles[i], .heading = true};
        for (int k = 0; k < POLICIES; k++, count++) {
            const replay_run *run = &p->policies[i][k];
            snprintf(values[count], sizeof values[count], "%.1f, \xc3\x97%.2f",
                     run->nanoseconds, run->ratio);
            bars[count] = (chart_bar){.label = shown_policies[k].label,
                                      .parts = {run->nanoseconds},
                                      .value = values[count]};
        }
    }
    const bar_chart chart = {.title = "Time of a get by policy",
                             .axis = "nanoseconds for a get, median",
                             .scale = 1,
                             .bars = bars,
                             .count = count};
    fputs("<h2>Time of a get</h2>\n"
          "<p>The same replay without counting, with the gets and without "
          "them; behind each bar the nanoseconds, and their ratio to the "
          "search in the same order. On this machine, in this run: a busy "
          "machine shows other numbers.</p>\n<figure>\n",
          out);
    write_bar_chart(out, &chart);
    fputs("</figure>\n", out);
}

/* ---- Tables ------------------------------------------------------------ */

static void write_cell(FILE *out, const row *one, row_column column)
{
    const uint64_t expected = one->expected[column];
    fprintf(out, "<td%s>%s", row_agrees(one, column) ? "" : " class=bad",
            with_commas(row_counted(&one->run, column)).text);
    fprintf(out, "<small>%s</small>",
            expected == ROW_UNKNOWN ? "&ndash;" : with_commas(expected).text);
}

static void write_row(FILE *out, const row *one)
{
    fprintf(out, "<tr><th>%s, %s", knobs_order_name(one->run.options.order),
            knobs_describe(&one->run.options).text);
    for (int i = 0; i < ROW_COLUMNS; i++)
        write_cell(out, one, (row_column)i);
    fputs(row_agrees_wholly(one) ? "<td class=good>&#10003;\n"
                                 : "<td class=bad>differs\n",
          out);
}

static void write_rows(FILE *out, const rows *r)
{
    if (r->count == 0)
        return;
    fputs("<h2>Counts, and what they should be</h2>\n"
          "<p>Each count of this run stands above the one of a separate "
          "replay, written in another language, that was kept with the "
          "trace.</p>\n<div class=scroll><table>\n<tr><th>",
          out);
    for (int i = 0; i < ROW_COLUMNS; i++)
        fprintf(out, "<th>%s", row_column_name((row_column)i));
    fputs("<th>\n", out);
    for (size_t i = 0; i < r->count; i++)
        write_row(out, &r->all[i]);
    fputs("</table></div>\n", out);
}

static void write_memory(FILE *out, const page *p)
{
    fputs("<h2>Memory of the tables at the end</h2>\n"
          "<div class=scroll><table>\n"
          "<tr><th>order of 1998<th>tables<th>cells filled<th>KiB\n",
          out);
    for (int k = 0; k < POLICIES; k++) {
        const lb_counters *c = &p->policies[0][k].counters;
        fprintf(out, "<tr><th>%s<td>%s", shown_policies[k].label,
                with_commas(c->tables).text);
        fprintf(out, "<td>%s<td>%s\n", with_commas(c->cells).text,
                with_commas((c->bytes_tables + 512) / 1024).text);
    }
    fputs("</table></div>\n", out);
}

/* ---- The page ---------------------------------------------------------- */

static void write_card(FILE *out, const char *label, uint64_t number)
{
    fprintf(out, "<div><b>%s</b><span>%s</span></div>\n",
            with_commas(number).text, label);
}

static void write_share(FILE *out, const char *label, uint64_t part,
                        uint64_t all)
{
    fprintf(out, "<div><b>%.1f %%</b><span>%s</span></div>\n",
            all ? 100 * (double)part / (double)all : 0, label);
}

static void write_head(FILE *out, const page *p)
{
    const trace *t = p->trace;
    const replay_run *run = &p->policies[0][0];
    fputs("<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n"
          "<meta name=viewport content='width=device-width'>\n"
          "<title>Attribute look-ups, replayed</title>\n",
          out);
    fputs(style, out);
    fputs("<main>\n<h1>Attribute look-ups, replayed</h1>\n"
          "<p>Every attribute that <b>",
          out);
    write_html_text(out, t->file);
    fputs("</b> recorded of a real program is looked up again in Latebind, "
          "by each cache policy. The experiment is that of M. von L&ouml;wis, "
          "&ldquo;Virtual Method Tables in Python&rdquo; (1998), who counted "
          "the look-ups of the Grail browser.</p>\n<div class=cards>\n",
          out);
    write_card(out, "gets replayed", t->gets);
    write_card(out, "classes", t->class_count);
    write_card(out, "objects", t->object_count);
    write_card(out, "names", t->symbol_count);
    write_share(out, "found in the instance", run->in_instance, run->gets);
    write_share(out, "found in a class", run->in_class, run->gets);
    fputs("</div>\n", out);
}

static void write_page(FILE *out, const page *p)
{
    write_head(out, p);
    write_look_ups(out, p);
    write_sweeps(out, p);
    write_times(out, p);
    write_rows(out, &p->report->rows);
    write_memory(out, p);
    fputs("<p class=soft>Written by <code>latebind replay --report</code>, "
          "version " LB_VERSION ". Which look-up counts as what is said in "
          "<code>docs/replay.md</code>.</p>\n</main>\n</html>\n",
          out);
}

/* Opens FOLDER/replay.html for writing; `path` receives the name. */
static FILE *open_page(const char *folder, char *path, size_t size, fault *why)
{
    FILE *out = NULL;
    if ((size_t)snprintf(path, size, "%s/replay.html", folder) >= size)
        errno = ENAMETOOLONG;
    else if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        out = fopen(path, "w");
    if (out == NULL)
        fault_set(why, path, 0, "%s", strerror(errno));
    return out;
}

static bool save(FILE *say, const char *folder, const page *p, fault *why)
{
    char path[4096];
    FILE *out = open_page(folder, path, sizeof path, why);
    if (out == NULL)
        return false;
    write_page(out, p);
    const bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed)
        return fault_set(why, path, 0, "%s", strerror(errno));
    fprintf(say, "%s: written\n", path);
    return true;
}

bool page_write(FILE *out, const char *folder, page *p,
                const replay_report *report, fault *why)
{
    p->report = report;
    return save(out, folder, p, why);
}
