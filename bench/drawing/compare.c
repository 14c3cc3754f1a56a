/* Compares the variants of the drawing job.
 *
 *     compare FOLDER [ICONS [ROUNDS]]
 *
 * Reads ICONS icons spread evenly over FOLDER (default 1000; 0: all), loads
 * them into each variant, checks that all find the same, then times ROUNDS
 * rounds (default 21) in which the variants take turns.  Prints the median of
 * each, the nanoseconds per call, and how ours compares with the others: the
 * median of the ratio within one round, and the quarters around it. */
#include "drawing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS_MOST 101
#define VARIANTS 3
#define OURS (VARIANTS - 1)

static const drawing_variant variants[VARIANTS] = {
    {"switch", drawing_switch_load, drawing_switch_run, drawing_switch_unload},
    {"visitor", drawing_visitor_load, drawing_visitor_run,
     drawing_visitor_unload},
    {"latebind", drawing_latebind_load, drawing_latebind_run,
     drawing_latebind_unload},
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double *p = a, *q = b;
    return (*p > *q) - (*p < *q);
}

/* The value below which `part` of them lie. */
static double quantile(const double *values, int count, double part)
{
    double sorted[ROUNDS_MOST];
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_value);
    return sorted[(int)(part * (count - 1) + 0.5)];
}

static bool same(const drawing_result *a, const drawing_result *b)
{
    return a->points == b->points && a->checksum == b->checksum &&
           (!DRAWING_COUNTS ||
            memcmp(a->calls, b->calls, sizeof a->calls) == 0);
}

static uint64_t sum_calls(const drawing_result *r)
{
    uint64_t calls = 0;
    for (int i = 0; i < DRAWING_KINDS; i++)
        for (int k = 0; k < DRAWING_KINDS; k++)
            calls += r->calls[i][k];
    return calls;
}

static void show(const drawing_result *r)
{
    printf("calls by kinds of the two arguments:\n%10s", "");
    for (int k = 0; k < DRAWING_KINDS; k++)
        printf(" %10s", drawing_kind_name((drawing_kind)k));
    for (int i = 0; i < DRAWING_KINDS; i++) {
        printf("\n%10s", drawing_kind_name((drawing_kind)i));
        for (int k = 0; k < DRAWING_KINDS; k++)
            printf(" %10" PRIu64, r->calls[i][k]);
    }
    printf("\n%zu icons, %zu shapes, %" PRIu64 " calls, %" PRIu64
           " points, checksum %016" PRIx64 ", %" PRIu64 " cut short\n",
           r->icons, r->shapes, sum_calls(r), r->points, r->checksum,
           r->cut_short);
}

/* Runs each variant once, counting, and compares; 0 if all agree. */
static int check(drawing_job jobs[VARIANTS], uint64_t *calls)
{
    drawing_result results[VARIANTS];
    int failed = 0;
    for (int v = 0; v < VARIANTS; v++) {
        jobs[v].count_calls = true;
        if (variants[v].run(&jobs[v], &results[v]) != 0)
            return -1;
        jobs[v].count_calls = false;
        if (!same(&results[0], &results[v])) {
            fprintf(stderr, "%s finds something else than %s\n",
                    variants[v].name, variants[0].name);
            show(&results[v]);
            failed = -1;
        }
    }
    show(&results[OURS]);
    *calls = sum_calls(&results[OURS]);
    return failed;
}

static void show_times(double times[VARIANTS][ROUNDS_MOST], int rounds,
                       uint64_t calls)
{
    double ratio[ROUNDS_MOST];
    for (int v = 0; v < VARIANTS; v++) {
        const double middle = quantile(times[v], rounds, 0.5);
        printf("%-10s %9.3f ms  %7.2f ns per call\n", variants[v].name,
               1e3 * middle, 1e9 * middle / (double)calls);
    }
    for (int v = 0; v < OURS; v++) {
        for (int i = 0; i < rounds; i++)
            ratio[i] = times[OURS][i] / times[v][i];
        printf("%s / %-8s %.3f  (%.3f to %.3f)\n", variants[OURS].name,
               variants[v].name, quantile(ratio, rounds, 0.5),
               quantile(ratio, rounds, 0.25), quantile(ratio, rounds, 0.75));
    }
}

static int measure(const drawing_job jobs[VARIANTS], int rounds, uint64_t calls)
{
    static double times[VARIANTS][ROUNDS_MOST];
    drawing_result result;
    for (int i = 0; i < rounds; i++)
        for (int k = 0; k < VARIANTS; k++) {
            int v = (i + k) % VARIANTS;
            double start = now();
            if (variants[v].run(&jobs[v], &result) != 0)
                return -1;
            times[v][i] = now() - start;
        }
    show_times(times, rounds, calls);
    return 0;
}

static int compare(const drawing_collection *icons, int rounds)
{
    drawing_job jobs[VARIANTS] = {{0}};
    int failed = 0, loaded = 0;
    uint64_t calls = 0;
    for (; loaded < VARIANTS && !failed; loaded++)
        failed = variants[loaded].load(icons, &jobs[loaded]);
    if (!failed)
        failed = check(jobs, &calls) != 0 || measure(jobs, rounds, calls) != 0;
    while (loaded-- > 0)
        variants[loaded].unload(&jobs[loaded]);
    return failed;
}

/* How many files to step over so that `most` are spread over them all. */
static size_t stride_for(size_t most)
{
    const size_t usual = 41000; /* files in the theme this is made for */
    return most && most < usual ? usual / most : 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER [ICONS [ROUNDS]]\n", argv[0]);
        return 2;
    }
    size_t most = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
    int rounds = argc > 3 ? atoi(argv[3]) : 21;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MOST ? ROUNDS_MOST : rounds;
    drawing_collection icons;
    drawing_collection_init(&icons);
    double start = now();
    int failed = drawing_collect(&icons, argv[1], stride_for(most), most);
    printf("read %zu icons, %zu shapes, %zu faults in %.2f s\n", icons.count,
           icons.shapes, icons.faults, now() - start);
    failed = failed || icons.count == 0;
    if (failed)
        fprintf(stderr, "%s: cannot read icons\n", argv[1]);
    else
        failed = compare(&icons, rounds);
    drawing_collection_free(&icons);
    return failed != 0;
}
