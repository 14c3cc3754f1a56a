/* report.c - what is shown on screen, and the same as report.md and as
 * report.json. Rows are kept as they come and written to all three. */
#include "harness.h"

#include <latebind/version.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    int quick;
    const char *only;
    const char *folder;
    FILE *markdown;
    FILE *json;
    int tables; /* so far */
    int rows;   /* of the table that is open */
    int held, missed;
} report = {.folder = "build/bench/report"};

static const char usage[] =
    "bench-NAME [--quick] [--only NAME] [--out DIR]\n"
    "  --quick      shorter samples\n"
    "  --only NAME  one load: of dispatch one-argument, names, next-method,\n"
    "               many-arguments, changes, scaling, memory, contention,\n"
    "               attributes, attribute-policies, attribute-memory,\n"
    "               attribute-changes, paper; of operators calls, training\n"
    "  --out DIR    where report.md, report.json and scaling.svg go\n"
    "               (default: build/bench/report)\n";

int bench_quick(void)
{
    return report.quick;
}

int bench_wanted(const char *name)
{
    return report.only == NULL || strcmp(report.only, name) == 0;
}

char *bench_path(const char *file)
{
    const size_t size = strlen(report.folder) + strlen(file) + 2;
    char *const path = bench_memory(size);
    snprintf(path, size, "%s/%s", report.folder, file);
    return path;
}

/* Makes a folder and those above it. */
static void make_folders(const char *folder)
{
    char *const path = bench_memory(strlen(folder) + 1);
    strcpy(path, folder);
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        mkdir(path, 0777);
        *p = '/';
    }
    mkdir(path, 0777);
    free(path);
}

static FILE *open_report(const char *file)
{
    char *const path = bench_path(file);
    FILE *const stream = fopen(path, "w");
    if (stream == NULL)
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    free(path);
    return stream;
}

/* The first line of `path` that begins with `key`, from its value on; ""
 * otherwise. Without a key, the first line. */
static void read_line(const char *path, const char *key, char *line, int size)
{
    FILE *const file = fopen(path, "r");
    line[0] = 0;
    while (file && fgets(line, size, file)) {
        line[strcspn(line, "\n")] = 0;
        char *const value = strchr(line, ':');
        if (*key == 0)
            break;
        if (value && strncmp(line, key, strlen(key)) == 0) {
            memmove(line, value + 2, strlen(value + 2) + 1);
            break;
        }
        line[0] = 0;
    }
    if (file)
        fclose(file);
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* To the screen and to the Markdown. */
static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    if (report.markdown) {
        va_start(arguments, format);
        vfprintf(report.markdown, format, arguments);
        va_end(arguments);
    }
    fflush(stdout);
}

static void json(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void json(const char *format, ...)
{
    va_list arguments;
    if (report.json == NULL)
        return;
    va_start(arguments, format);
    vfprintf(report.json, format, arguments);
    va_end(arguments);
}

static void describe_machine(const char *peers)
{
    static const char governor_path[] =
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    char model[200], governor[100], load[100];
    read_line("/proc/cpuinfo", "model name", model, sizeof model);
    read_line(governor_path, "", governor, sizeof governor);
    read_line("/proc/loadavg", "", load, sizeof load);
    const char *const cpu = *model ? model : "unknown processor";
    const char *const how = *governor ? governor : "unknown";

    say("# Latebind %s: benchmarks%s\n\n", LB_VERSION,
        report.quick ? " (quick)" : "");
    say("- processor: %s; governor: %s; load: %s\n", cpu, how, load);
    say("- compiler: C %s; peers: %s\n", __VERSION__, peers);
    say("- times are medians; a ratio is that to the first row of its table\n");
    json("{\"latebind\": \"%s\", \"quick\": %d, \"processor\": \"%s\", "
         "\"governor\": \"%s\", \"c\": \"%s\", \"peers\": \"%s\",\n"
         "\"tables\": [",
         LB_VERSION, report.quick, cpu, how, __VERSION__, peers);
}

static int read_options(int argc, char **argv, int *status)
{
    for (int i = 1; i < argc; i++) {
        const int more = i + 1 < argc;
        if (strcmp(argv[i], "--quick") == 0) {
            report.quick = 1;
        } else if (strcmp(argv[i], "--only") == 0 && more) {
            report.only = argv[++i];
        } else if (strcmp(argv[i], "--out") == 0 && more) {
            report.folder = argv[++i];
        } else {
            *status = strcmp(argv[i], "--help") == 0 ? 0 : 2;
            fputs(usage, *status ? stderr : stdout);
            return 0;
        }
    }
    return 1;
}

int bench_open(int argc, char **argv, const char *peers, int *status)
{
    if (!read_options(argc, argv, status))
        return 0;
    make_folders(report.folder);
    report.markdown = open_report("report.md");
    report.json = open_report("report.json");
    describe_machine(peers);
    return 1;
}

static void end_table(void)
{
    if (report.tables > 0)
        json("]}");
}

void bench_table(const char *title, const char *baseline)
{
    end_table();
    say("\n## %s\n\n", title);
    say("| %-42s | %10s |    | %6s | %-12s | %-24s |\n", "", "median", "ratio",
        "over rounds", "verdict");
    say("|%s|%s|----|%s|%s|%s|\n",
        "--------------------------------------------",
        "-----------:", "-------:", "--------------",
        "--------------------------");
    json("%s\n{\"title\": \"%s\", \"baseline\": \"%s\", \"rows\": [",
         report.tables ? "," : "", title, baseline);
    report.tables++;
    report.rows = 0;
}

/* Leaves "hold to ≤ x: met" or the like in `text`, and counts. */
static const char *judge(const bench_row *row, char *text, size_t size)
{
    const int least = row->aim == BENCH_RATIO_AT_LEAST;
    const double value =
        row->aim == BENCH_VALUE_AT_MOST ? row->value : row->ratio;
    const int met = least ? value >= row->hold : value <= row->hold;
    text[0] = 0;
    if (row->aim == BENCH_SHOWN)
        return "";
    snprintf(text, size, "hold to %s %.4g: %s", least ? "≥" : "≤", row->hold,
             met ? "met" : "MISSED");
    report.held++;
    report.missed += !met;
    return met ? "met" : "missed";
}

void bench_show(const bench_row *row)
{
    char verdict[64], ratio[32] = "", spread[32] = "";
    const char *const word = judge(row, verdict, sizeof verdict);
    if (row->ratio > 0)
        snprintf(ratio, sizeof ratio, "%.3f", row->ratio);
    if (row->high > 0)
        snprintf(spread, sizeof spread, "%.2f-%.2f", row->low, row->high);
    say("| %-42s | %10.2f | %-2s | %6s | %-12s | %s%*s |\n", row->name,
        row->value, row->unit, ratio, spread, verdict,
        (int)(24 + (*verdict ? 2 : 0)) - (int)strlen(verdict), "");
    json("%s\n {\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", "
         "\"ratio\": %.4f, \"low\": %.4f, \"high\": %.4f, "
         "\"hold\": %.6g, \"verdict\": \"%s\"}",
         report.rows++ ? "," : "", row->name, row->value, row->unit, row->ratio,
         row->low, row->high, row->hold, word);
}

void bench_note(const char *format, ...)
{
    char text[500];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say("\n- %s\n", text);
}

void bench_close(void)
{
    end_table();
    say("\n%d of %d targets met.\n", report.held - report.missed, report.held);
    json("\n],\n\"held\": %d, \"missed\": %d}\n", report.held, report.missed);
    if (report.markdown)
        fclose(report.markdown);
    if (report.json)
        fclose(report.json);
    printf("reports: %s/report.md, report.json\n", report.folder);
}
