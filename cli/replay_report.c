/* The text table puts the search first, "before", and the policies behind it,
 * as von Löwis' table did; all figures are the library's counters. JSON is
 * written by hand: numbers, fixed names, and the names of files. */
#include "replay_report.h"

#include "knobs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_WIDTH = 26, COLUMN_WIDTH = 12 };

typedef struct counter {
    const char *name; /* in lb_counters */
    const char *label;
    size_t offset;
} counter;

static const counter counters[] = {
    {"gets", "gets", offsetof(lb_counters, gets)},
    {"instance_lookups", "instance look-ups",
     offsetof(lb_counters, instance_lookups)},
    {"class_lookups", "class look-ups", offsetof(lb_counters, class_lookups)},
    {"saved_lookups", "saved by the mark",
     offsetof(lb_counters, saved_lookups)},
    {"probes", "keys compared", offsetof(lb_counters, probes)},
    {"class_searches", "searches", offsetof(lb_counters, class_searches)},
    {"hits", "hits", offsetof(lb_counters, hits)},
    {"negative_hits", "of them: not found",
     offsetof(lb_counters, negative_hits)},
    {"misses", "misses", offsetof(lb_counters, misses)},
    {"not_found", "not found", offsetof(lb_counters, not_found)},
    {"generations", "generations", offsetof(lb_counters, generations)},
    {"cleared_tables", "tables cleared", offsetof(lb_counters, cleared_tables)},
    {"excluded", "names excluded", offsetof(lb_counters, excluded)},
    {"dropped", "cells dropped", offsetof(lb_counters, dropped)},
    {"numbered", "names numbered", offsetof(lb_counters, numbered)},
    {"symbols", "symbols", offsetof(lb_counters, symbols)},
    {"tables", "tables", offsetof(lb_counters, tables)},
    {"cells", "cells filled", offsetof(lb_counters, cells)},
    {"bytes_tables", "bytes of tables", offsetof(lb_counters, bytes_tables)},
    {"bytes_dictionaries", "bytes of dictionaries",
     offsetof(lb_counters, bytes_dictionaries)},
    {"bytes_symbols", "bytes of symbols", offsetof(lb_counters, bytes_symbols)},
};

enum { COUNTERS = sizeof counters / sizeof *counters };

static uint64_t counted(const replay_run *run, const counter *c)
{
    uint64_t value;
    memcpy(&value, (const char *)&run->counters + c->offset, sizeof value);
    return value;
}

/* ---- Text -------------------------------------------------------------- */

static void print_label(FILE *out, const char *label)
{
    fprintf(out, "%-*s", LABEL_WIDTH, label);
}

static void print_number(FILE *out, uint64_t number)
{
    fprintf(out, " %*s", COLUMN_WIDTH, with_commas(number).text);
}

static void print_trace(FILE *out, const replay_report *r)
{
    const trace *t = r->trace;
    const replay_run *run = &r->runs[0];
    fprintf(out, "%s: %s lines, %s classes, %s objects, %s names\n", t->file,
            with_commas(t->lines).text, with_commas(t->class_count).text,
            with_commas(t->object_count).text,
            with_commas(t->symbol_count).text);
    fprintf(out,
            "%s gets replayed, %s left out (built-in classes, __class__, "
            "__dict__)\n",
            with_commas(t->gets).text, with_commas(t->left_out).text);
    const double all = run->gets ? (double)run->gets / 100 : 1;
    fprintf(out,
            "found in the instance %.1f %%, in a class %.1f %%, nowhere "
            "%.1f %%\n",
            (double)run->in_instance / all, (double)run->in_class / all,
            (double)run->nowhere / all);
    if (run->supplied)
        fprintf(out, "orders that C3 did not give: %zu\n", run->supplied);
    if (run->absent)
        fprintf(out, "deletions of what was not there: %zu\n", run->absent);
    if (t->unannounced)
        fprintf(out, "changes of class without a line E: %zu\n",
                t->unannounced);
}

static void print_legend(FILE *out, const replay_report *r)
{
    fprintf(out, "\norder %s\n", knobs_order_name(r->runs[0].options.order));
    for (size_t i = 0; i < r->run_count; i++)
        fprintf(out, "  (%zu) %s%s\n", i + 1,
                knobs_describe(&r->runs[i].options).text,
                i ? "" : ", the paper's \"before\"");
}

static void print_heads(FILE *out, const replay_report *r)
{
    print_label(out, "");
    for (size_t i = 0; i < r->run_count; i++) {
        char head[32];
        snprintf(head, sizeof head, "(%zu) %s", i + 1,
                 knobs_policy_name(r->runs[i].options.policy));
        fprintf(out, " %*s", COLUMN_WIDTH, head);
    }
    fputc('\n', out);
}

static void print_total(FILE *out, const replay_report *r)
{
    print_label(out, "  together");
    for (size_t i = 0; i < r->run_count; i++)
        print_number(out, row_counted(&r->runs[i], ROW_TOTAL));
    fputc('\n', out);
    print_label(out, "  of the search's");
    const double before = (double)row_counted(&r->runs[0], ROW_TOTAL);
    for (size_t i = 0; i < r->run_count; i++)
        fprintf(out, " %*.1f %%", COLUMN_WIDTH - 2,
                before > 0
                    ? 100 * (double)row_counted(&r->runs[i], ROW_TOTAL) / before
                    : 100);
    fputc('\n', out);
}

static void print_counters(FILE *out, const replay_report *r)
{
    for (const counter *c = counters; c < counters + COUNTERS; c++) {
        print_label(out, c->label);
        for (size_t i = 0; i < r->run_count; i++)
            print_number(out, counted(&r->runs[i], c));
        fputc('\n', out);
        if (c->offset == offsetof(lb_counters, class_lookups))
            print_total(out, r);
    }
}

static void print_measure(FILE *out, const replay_report *r, const char *label,
                          size_t offset, int decimals)
{
    print_label(out, label);
    for (size_t i = 0; i < r->run_count; i++) {
        double value;
        memcpy(&value, (const char *)&r->runs[i] + offset, sizeof value);
        fprintf(out, " %*.*f", COLUMN_WIDTH, decimals, value);
    }
    fputc('\n', out);
}

static void print_times(FILE *out, const replay_report *r)
{
    if (!r->runs[0].timed)
        return;
    print_measure(out, r, "ns per get, median",
                  offsetof(replay_run, nanoseconds), 1);
    print_measure(out, r, "  least", offsetof(replay_run, least), 1);
    print_measure(out, r, "  most", offsetof(replay_run, most), 1);
    print_measure(out, r, "  ratio to (1)", offsetof(replay_run, ratio), 2);
}

static void print_row_heads(FILE *out)
{
    fprintf(out, "%-42s", "");
    for (int i = 0; i < ROW_COLUMNS; i++)
        fprintf(out, " %11s", row_column_name((row_column)i));
    fputc('\n', out);
}

static void print_row(FILE *out, const row *one)
{
    char label[200];
    snprintf(label, sizeof label, "%s, %s",
             knobs_order_name(one->run.options.order),
             knobs_describe(&one->run.options).text);
    fprintf(out, "%-42s", label);
    for (int i = 0; i < ROW_COLUMNS; i++)
        fprintf(out, " %11s",
                with_commas(row_counted(&one->run, (row_column)i)).text);
    fputs(row_agrees_wholly(one) ? "  as expected\n" : "  DIFFERS\n", out);
}

static void print_rows(FILE *out, const replay_report *r)
{
    if (r->rows.count == 0)
        return;
    fprintf(out, "\nrows of %s\n", r->rows.file);
    print_row_heads(out);
    for (size_t i = 0; i < r->rows.count; i++)
        print_row(out, &r->rows.all[i]);
}

void replay_report_text(FILE *out, const replay_report *report)
{
    print_trace(out, report);
    print_legend(out, report);
    print_heads(out, report);
    print_counters(out, report);
    print_times(out, report);
    print_rows(out, report);
}

/* ---- Differences ------------------------------------------------------- */

static bool print_run_differences(FILE *out, const trace *t,
                                  const replay_run *run)
{
    if (run->differing == 0)
        return false;
    fprintf(out, "%s, order %s: %" PRIu64 " gets differ\n",
            knobs_describe(&run->options).text,
            knobs_order_name(run->options.order), run->differing);
    for (uint64_t i = 0; i < run->differing && i < REPLAY_SHOWN; i++)
        if (run->first[i].line)
            fprintf(out, "%s:%u: %s\n", t->file, run->first[i].line,
                    run->first[i].text);
        else if (run->first[i].text[0])
            fprintf(out, "%s: %s\n", t->file, run->first[i].text);
    return true;
}

static bool print_row_differences(FILE *out, const rows *r, const row *one)
{
    if (row_agrees_wholly(one))
        return false;
    for (int i = 0; i < ROW_COLUMNS; i++)
        if (!row_agrees(one, (row_column)i))
            fprintf(out,
                    "%s:%" PRIu64 ": %s: %" PRIu64 " expected, %" PRIu64
                    " counted\n",
                    r->file, one->line, row_column_name((row_column)i),
                    one->expected[i], row_counted(&one->run, (row_column)i));
    return true;
}

bool replay_report_differences(FILE *out, const replay_report *report)
{
    const rows *r = &report->rows;
    bool any = false;
    for (size_t i = 0; i < report->run_count; i++)
        any |= print_run_differences(out, report->trace, &report->runs[i]);
    for (size_t i = 0; i < r->count; i++) {
        any |= print_run_differences(out, report->trace, &r->all[i].run);
        any |= print_row_differences(out, r, &r->all[i]);
    }
    return any;
}

/* ---- JSON -------------------------------------------------------------- */

static void write_size(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "\"%s\":%" PRIu64 ",", name, value);
}

static void write_name(FILE *out, const char *name, const char *value)
{
    fprintf(out, "\"%s\":\"", name);
    write_json_text(out, value);
    fputs("\",", out);
}

static void write_flag(FILE *out, const char *name, bool value)
{
    fprintf(out, "\"%s\":%s,", name, value ? "true" : "false");
}

/* table_size: null when the policy has no such tables or they have no end. */
static void write_options(FILE *out, const lb_object_options *o)
{
    const bool tables =
        o->policy == LB_POLICY_TABLE64 || o->policy == LB_POLICY_SITE;
    write_name(out, "name", knobs_describe(o).text);
    write_name(out, "order", knobs_order_name(o->order));
    write_name(out, "policy", knobs_policy_name(o->policy));
    write_flag(out, "mark", knobs_marks(o));
    if (!tables || o->table_size == LB_UNBOUNDED)
        fputs("\"table_size\":null,", out);
    else
        write_size(out, "table_size", o->table_size ? o->table_size : 64);
    write_flag(out, "negative", o->cache_negative == LB_YES);
    write_flag(out, "drop", o->drop_changed == LB_YES);
    write_name(out, "when_full", knobs_when_full_name(o->when_full));
    write_size(out, "thrash_limit", o->thrash_limit);
    write_size(out, "table_pool", o->table_pool);
}

static void write_counters(FILE *out, const replay_run *run)
{
    fputs("\"counters\":{", out);
    for (const counter *c = counters; c < counters + COUNTERS; c++)
        write_size(out, c->name, counted(run, c));
    fprintf(out, "\"total_lookups\":%" PRIu64 "},",
            row_counted(run, ROW_TOTAL));
}

static void write_times(FILE *out, const replay_run *run)
{
    if (run->timed)
        fprintf(out,
                "\"ns_per_get\":{\"median\":%.3f,\"least\":%.3f,\"most\":%.3f,"
                "\"ratio\":%.4f}",
                run->nanoseconds, run->least, run->most, run->ratio);
    else
        fputs("\"ns_per_get\":null", out);
}

static void write_run(FILE *out, const replay_run *run)
{
    write_options(out, &run->options);
    write_counters(out, run);
    write_size(out, "found_in_instance", run->in_instance);
    write_size(out, "found_in_class", run->in_class);
    write_size(out, "found_nowhere", run->nowhere);
    write_size(out, "differing", run->differing);
    write_size(out, "orders_supplied", run->supplied);
    write_size(out, "absent", run->absent);
    write_times(out, run);
}

static void write_row(FILE *out, const row *one)
{
    fprintf(out, "{\"line\":%" PRIu64 ",\"expected\":[", one->line);
    for (int i = 0; i < ROW_COLUMNS; i++)
        if (one->expected[i] == ROW_UNKNOWN)
            fprintf(out, "%snull", i ? "," : "");
        else
            fprintf(out, "%s%" PRIu64, i ? "," : "", one->expected[i]);
    fputs("],\"counted\":[", out);
    for (int i = 0; i < ROW_COLUMNS; i++)
        fprintf(out, "%s%" PRIu64, i ? "," : "",
                row_counted(&one->run, (row_column)i));
    fprintf(out, "],\"agrees\":%s,", row_agrees_wholly(one) ? "true" : "false");
    write_run(out, &one->run);
    fputc('}', out);
}

static void write_trace(FILE *out, const trace *t)
{
    fputs("\"trace\":{", out);
    write_name(out, "file", t->file);
    write_size(out, "lines", t->lines);
    write_size(out, "classes", t->class_count);
    write_size(out, "objects", t->object_count);
    write_size(out, "symbols", t->symbol_count);
    write_size(out, "gets", t->gets);
    write_size(out, "left_out", t->left_out);
    fprintf(out, "\"unannounced\":%zu},\n", t->unannounced);
}

void replay_report_json(FILE *out, const replay_report *report)
{
    fputs("{", out);
    write_name(out, "version", LB_VERSION);
    write_trace(out, report->trace);
    fputs("\"runs\":[", out);
    for (size_t i = 0; i < report->run_count; i++) {
        fputs(i ? ",\n{" : "\n{", out);
        write_run(out, &report->runs[i]);
        fputc('}', out);
    }
    fputs("],\n\"columns\":[", out);
    for (int i = 0; i < ROW_COLUMNS; i++)
        fprintf(out, "%s\"%s\"", i ? "," : "", row_column_name((row_column)i));
    fputs("],\n\"rows\":[", out);
    for (size_t i = 0; i < report->rows.count; i++) {
        fputs(i ? ",\n" : "\n", out);
        write_row(out, &report->rows.all[i]);
    }
    fputs("]}\n", out);
}
