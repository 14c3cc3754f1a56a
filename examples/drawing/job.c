/* shapes: where do the shapes of drawings meet?
 *
 * Shapes are combined two by two, by one function whose method is found by
 * the classes of both; then a plug-in extends it while it is in use. After
 * David Mertz, "Advanced OOP: Multimethods" (2003).
 *
 * The run:
 *   1. Icons are read.
 *   2. Every shape is met with every later one of its icon, by some threads,
 *      with a method around that counts the calls by classes.
 *   3. The same without it, timed; the results must be the same.
 *   4. The oracle's opinion on some icons, if asked for.
 *   5. Threads go on while a plug-in comes and goes.
 *   6. The page with all of it.
 *
 * It fails when any result differs, a call is lost, or the library reports
 * anything, such as an ambiguity between rules. */
#include "crew.h"
#include "live.h"
#include "report.h"
#include "second.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct options {
    const char *folder, *report, *plugin;
    size_t icons, threads;
    bool check;
} options;

static const char usage[] =
    "usage: shapes [OPTION]...\n"
    "  --set papirus|adwaita  icon theme (default papirus)\n"
    "  --folder DIR           any folder of SVG files\n"
    "  --icons N              as many, evenly spread (default 3000)\n"
    "  --all                  all of them\n"
    "  --threads N            default: the processors, 2 to 8\n"
    "  --check                ask the oracle about some of the icons\n"
    "  --plugin FILE          default: drawing/plugin_spline.so beside the "
    "program\n"
    "  --report FILE          default: build/report.html\n";

/* ---- Talking ----------------------------------------------------------- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void show_fault(const char *message)
{
    fprintf(stderr, "unreadable: %s\n", message);
}

static void show_dispute(const char *message)
{
    fprintf(stderr, "disputed: %s\n", message);
}

/* On a terminal, one line that is written over, ten times a second. */
static void show_progress(size_t done, size_t of)
{
    static double last;
    if (!isatty(STDERR_FILENO) || (done < of && seconds() - last < 0.1))
        return;
    last = seconds();
    fprintf(stderr, "\rreading %zu of %zu%s", done, of,
            done < of ? "" : "\r                              \r");
}

/* The library has something to say: an ambiguity, a call without a method. */
static atomic_size_t reports;

static void take_report(void *context, lb_status status, const char *message)
{
    (void)context;
    atomic_fetch_add(&reports, 1);
    fprintf(stderr, "latebind: %s: %s\n", lb_status_name(status), message);
}

static int refuse(const char *what, const char *why)
{
    fprintf(stderr, "shapes: %s: %s\n", what, why);
    return -1;
}

/* ---- Tables ------------------------------------------------------------ */

static void print_columns(const char *title)
{
    printf("\n%s\n%10s", title, "");
    for (int k = 0; k < SHAPE_KINDS; k++)
        printf(" %14s", shape_kind_name((shape_kind)k));
}

static void print_calls(const tally *counts)
{
    print_columns("calls of intersect(row, column)");
    for (int i = 0; i < SHAPE_KINDS; i++) {
        printf("\n%10s", shape_kind_name((shape_kind)i));
        for (int k = 0; k < SHAPE_KINDS; k++)
            printf(" %14" PRIu64, counts->calls[i][k]);
    }
    printf("\n");
}

/* The name of the method that runs for two classes, without "meet_". */
static const char *method_for(const shape_classes *c, int i, int k)
{
    lb_class *const pair[2] = {c->of[i], c->of[k]};
    const lb_rule *rule =
        lb_entry_rule(lb_resolve(LB_GENERIC_OF(intersect), pair, NULL));
    const char *name = rule ? rule->method->name : "none";
    return strncmp(name, "meet_", 5) == 0 ? name + 5 : name;
}

static void print_methods(const shape_classes *c)
{
    print_columns("method chosen");
    for (int i = 0; i < SHAPE_KINDS; i++) {
        printf("\n%10s", shape_kind_name((shape_kind)i));
        for (int k = 0; k < SHAPE_KINDS; k++)
            printf(" %14s", method_for(c, i, k));
    }
    printf("\n\n");
}

static void print_set(const icon_set *set, double time)
{
    printf("%zu icons of %zu, %zu shapes, read in %.2f s; %zu unreadable\n",
           set->count, set->available, set->shapes, time, set->faults);
    for (int i = 0; i < SHAPE_KINDS; i++)
        printf("%10zu %s\n", set->of[i], shape_kind_name((shape_kind)i));
}

static void print_live(const live_result *r)
{
    printf("plug-in opened, used, detached and closed %zu times in %.1f s,\n"
           "  while the threads worked on %" PRIu64 " icons, %" PRIu64
           " of them with splines (%" PRIu64 ")\n"
           "  calls: %" PRIu64 " wanted, %" PRIu64 " run, and %" PRIu64
           " with splines\n"
           "  icons with another result: %" PRIu64
           "; farthest that a point moved: %.1e\n",
           r->rounds, r->seconds, r->icons, r->restated, r->splines, r->wanted,
           r->made, r->spline_calls, r->wrong_icons, r->worst);
}

/* ---- The steps --------------------------------------------------------- */

typedef struct job {
    const options *options;
    shape_classes classes;
    icon_set set;
    crew crew;
    tally counts;
    report_facts facts;
    live_result live;
} job;

static int read_icons(job *j)
{
    const double start = seconds();
    j->set.classes = &j->classes;
    j->set.on_fault = show_fault;
    j->set.on_icon = show_progress;
    if (icon_set_read(&j->set, j->options->folder, j->options->icons) != 0)
        return refuse(j->options->folder, "cannot be read");
    if (j->set.count == 0)
        return refuse(j->options->folder, "no SVG files");
    j->facts.reading = seconds() - start;
    print_set(&j->set, j->facts.reading);
    return 0;
}

static int count_calls(job *j)
{
    if (tally_start(j->classes.runtime) != LB_OK)
        return refuse("counting", lb_message());
    if (crew_go(&j->crew, crew_count_icon) != 0)
        return refuse("intersecting", "failed");
    if (tally_end() != LB_OK)
        return refuse("counting", lb_message());
    crew_take_counts(&j->crew, &j->counts);
    crew_take_seconds(&j->crew);
    j->facts.calls = j->counts.plain;
    for (size_t i = 0; i < j->set.count; i++)
        j->facts.points += j->set.icons[i].point_count;
    print_calls(&j->counts);
    print_methods(&j->classes);
    return 0;
}

static int time_calls(job *j)
{
    const double start = seconds();
    if (crew_go(&j->crew, crew_time_icon) != 0)
        return refuse("intersecting", "failed, or found something else");
    j->facts.meeting = seconds() - start;
    j->facts.per_call = 1e9 * crew_take_seconds(&j->crew) /
                        (double)(j->facts.calls ? j->facts.calls : 1);
    printf("%" PRIu64 " calls found %" PRIu64
           " intersections in %.2f s on %zu threads, %.1f ns per call\n",
           j->facts.calls, j->facts.points, j->facts.meeting, j->crew.count,
           j->facts.per_call);
    return 0;
}

static int ask_oracle(job *j)
{
    enum { ABOUT = 200 };
    opinion o = {0};
    const size_t all = j->set.count, some = all < ABOUT ? all : ABOUT;
    lb_reader *reader = j->crew.workers[0].reader;
    int failed = 0;
    for (size_t i = 0; i < some && !failed; i++) {
        lb_enter(reader);
        failed = second_opinion(&j->classes, &j->set.icons[i * all / some], &o,
                                show_dispute);
        lb_leave(reader);
    }
    printf("oracle: %zu pairs of %zu icons, %zu points, %zu crossings of "
           "chords; %zu pairs disputed\n",
           o.pairs, o.icons, o.points, o.crossings, o.disputed);
    return failed || !opinion_is_good(&o) ? refuse("oracle", "does not agree")
                                          : 0;
}

static int open_part(job *j)
{
    char why[300];
    enum { ROUNDS = 12 };
    if (live_run(&j->crew, j->options->plugin, ROUNDS, &j->live, why) != 0)
        return refuse("plug-in", why);
    print_live(&j->live);
    j->facts.live = &j->live;
    if (j->live.wrong_icons || j->live.wanted != j->live.made)
        return refuse("plug-in", "calls were lost or results differ");
    return 0;
}

static int write_report(job *j)
{
    char why[300];
    lb_reader *reader = j->crew.workers[0].reader;
    j->facts.set = &j->set;
    j->facts.counts = &j->counts;
    j->facts.threads = j->crew.count;
    lb_enter(reader);
    const int failed = report_write(j->options->report, &j->facts, why);
    lb_leave(reader);
    if (failed)
        return refuse("report", why);
    printf("%s: written\n", j->options->report);
    return 0;
}

static int steps(job *j)
{
    if (read_icons(j) != 0 ||
        crew_make(&j->crew, &j->set, j->options->threads) != 0 ||
        count_calls(j) != 0 || time_calls(j) != 0 ||
        (j->options->check && ask_oracle(j) != 0) || open_part(j) != 0 ||
        write_report(j) != 0)
        return -1;
    return atomic_load(&reports) ? refuse("latebind", "see above") : 0;
}

static int run(const options *o)
{
    static job j;
    lb_config config;
    int failed;
    lb_config_init(&config);
    config.reclaim = LB_RECLAIM_EPOCH;
    config.report = take_report;
    lb_runtime *runtime;
    if (lb_runtime_create(&config, &runtime) != LB_OK)
        return refuse("runtime", lb_message());
    j.options = o;
    if (shape_classes_make(runtime, &j.classes) != LB_OK ||
        intersect_install(&j.classes) != LB_OK)
        failed = refuse("classes", lb_message());
    else
        failed = steps(&j);
    crew_free(&j.crew);
    icon_set_free(&j.set);
    lb_runtime_destroy(runtime);
    return failed;
}

/* ---- The command line -------------------------------------------------- */

/* A file in the folder of the program. */
static const char *beside_program(const char *name)
{
    static char path[1000];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    char *end = strrchr(path, '/');
    const size_t used = end ? (size_t)(end + 1 - path) : 0;
    snprintf(path + used, sizeof path - used, "%s", name);
    return path;
}

static size_t some_threads(void)
{
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 2 ? 2 : count > 8 ? 8 : (size_t)count;
}

static const char *set_folder(const char *name)
{
    return strcmp(name, "papirus") == 0   ? "/usr/share/icons/Papirus"
           : strcmp(name, "adwaita") == 0 ? "/usr/share/icons/Adwaita"
                                          : NULL;
}

/* Takes one option with its value, or NULL if there is none; false when it
 * is not known. */
static bool take(options *o, const char *name, const char *value)
{
    if (value == NULL)
        return false;
    if (strcmp(name, "--set") == 0)
        return (o->folder = set_folder(value)) != NULL;
    if (strcmp(name, "--folder") == 0)
        o->folder = value;
    else if (strcmp(name, "--plugin") == 0)
        o->plugin = value;
    else if (strcmp(name, "--report") == 0)
        o->report = value;
    else if (strcmp(name, "--icons") == 0)
        return (o->icons = strtoul(value, NULL, 10)) > 0;
    else if (strcmp(name, "--threads") == 0)
        return (o->threads = strtoul(value, NULL, 10)) > 0 && o->threads < 999;
    else
        return false;
    return true;
}

static bool parse(options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--all") == 0)
            o->icons = 0;
        else if (strcmp(argv[i], "--check") == 0)
            o->check = true;
        else if (!take(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
            return false;
        else
            i++;
    return true;
}

int main(int argc, char **argv)
{
    options o = {.folder = set_folder("papirus"),
                 .report = "build/report.html",
                 .plugin = beside_program("drawing/plugin_spline.so"),
                 .icons = 3000,
                 .threads = some_threads()};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (!parse(&o, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    return run(&o) == 0 ? 0 : 1;
}
