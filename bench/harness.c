/* harness.c - measuring; see harness.h for how. The report is in report.c. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

uint32_t bench_random(uint32_t below)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * below >> 32);
}

void bench_need(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "bench: failed: %s\n", what);
        exit(1);
    }
}

void *bench_memory(size_t size)
{
    void *const memory = calloc(1, size ? size : 1);
    bench_need(memory != NULL, "out of memory");
    return memory;
}

static void shuffle(uint32_t *values, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const uint32_t j = bench_random((uint32_t)i);
        const uint32_t value = values[i - 1];
        values[i - 1] = values[j];
        values[j] = value;
    }
}

uint32_t *bench_shuffled(size_t count, size_t below)
{
    uint32_t *const order = bench_memory(count * sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)(i % below);
    shuffle(order, count);
    return order;
}

bench_plan bench_plan_make(size_t classes)
{
    bench_plan plan = {classes <= 256 ? 1024 : classes * 4, 65536, NULL, NULL};
    plan.classes = bench_shuffled(plan.objects, classes);
    plan.picks = bench_shuffled(plan.items, plan.objects);
    return plan;
}

void bench_plan_free(bench_plan *plan)
{
    free(plan->classes);
    free(plan->picks);
}

/* Pointers are preceded by one to the objects, for bench_unmake. */
enum { BEFORE = 8, WRAP = 64 };

const void **bench_place(const bench_peer *peer, const uint32_t *classes,
                         size_t count)
{
    const size_t bytes = (count * peer->size + 63) / 64 * 64;
    char *const objects = aligned_alloc(64, bytes);
    const void **const placed = bench_memory((BEFORE + count) * sizeof *placed);
    uint32_t *const place = bench_shuffled(count, count);

    bench_need(objects != NULL, "out of memory");
    memset(objects, 0, bytes);
    for (size_t i = 0; i < count; i++)
        placed[BEFORE + i] = peer->make(objects + place[i] * peer->size,
                                        classes[i], (int)(i % 1000));
    placed[0] = objects;
    free(place);
    return placed + BEFORE;
}

const void **bench_make(const bench_peer *peer, const bench_plan *plan)
{
    const void **const placed = bench_place(peer, plan->classes, plan->objects);
    const void **const items =
        bench_memory((BEFORE + plan->items + WRAP) * sizeof *items);

    for (size_t i = 0; i < plan->items + WRAP; i++)
        items[BEFORE + i] = placed[plan->picks[i % plan->items]];
    items[0] = placed[-BEFORE];
    free(placed - BEFORE);
    return items + BEFORE;
}

void bench_unmake(const void **items)
{
    free((void *)(uintptr_t)items[-BEFORE]);
    free(items - BEFORE);
}

/* How often a loop must run to take about as long as a sample should. */
static size_t calibrate(const bench_variant *variant, size_t count)
{
    const double wanted = bench_quick() ? 2e5 : 1e6;
    double took;
    variant->loops[0](variant->items, count);
    for (size_t times = 1;; times *= 2) {
        const double start = bench_now();
        for (size_t i = 0; i < times; i++)
            variant->loops[0](variant->items, count);
        took = bench_now() - start;
        if (took > wanted / 4) {
            const double all = (double)times * wanted / took;
            return all < 1 ? 1 : (size_t)all;
        }
    }
}

/* The best of three runs: nanoseconds per pass over the items. */
static double sample(const bench_variant *variant, size_t offset, size_t count,
                     size_t times)
{
    double best = 0;
    for (int run = 0; run < 3; run++) {
        const double start = bench_now();
        for (size_t i = 0; i < times; i++)
            variant->loops[offset](variant->items, count);
        const double took = (bench_now() - start) / (double)times;
        if (run == 0 || took < best)
            best = took;
    }
    return best;
}

/* Runs one round and leaves each variant's median over the offsets in
 * result[variant]. `all` includes the control. */
static void run_round(const bench_variant *all, size_t n, size_t count,
                      const size_t *times, size_t round, double *result)
{
    double *const samples = bench_memory(n * BENCH_OFFSETS * sizeof *samples);
    for (size_t offset = 0; offset < BENCH_OFFSETS; offset++) {
        for (size_t i = 0; i < n; i++) {
            const size_t v = (i + offset + round * 3) % n;
            samples[v * BENCH_OFFSETS + offset] =
                sample(&all[v], offset, count, times[v]);
        }
    }
    for (size_t v = 0; v < n; v++)
        result[v] = bench_median(samples + v * BENCH_OFFSETS, BENCH_OFFSETS);
    free(samples);
}

/* Says so when a variant did not do the same work as the baseline. */
static void check_results(const bench_variant *all, size_t n, size_t count)
{
    const uint64_t expected = all[0].loops[0](all[0].items, count);
    for (size_t v = 1; v < n; v++) {
        const uint64_t sum = all[v].loops[0](all[v].items, count);
        if (sum != expected)
            bench_note("WRONG RESULT: %s returned %llu, not %llu", all[v].name,
                       (unsigned long long)sum, (unsigned long long)expected);
    }
}

static double show_variant(const bench_variant *variant, const double *results,
                           size_t n, size_t v, size_t calls)
{
    double times[BENCH_ROUNDS], ratios[BENCH_ROUNDS];
    for (size_t round = 0; round < BENCH_ROUNDS; round++) {
        times[round] = results[round * n + v];
        ratios[round] = times[round] / results[round * n];
    }
    bench_row row = {.name = variant->name, .unit = "ns"};
    row.value = bench_median(times, BENCH_ROUNDS) / (double)calls;
    row.ratio = bench_median(ratios, BENCH_ROUNDS);
    row.low = ratios[0];
    row.high = ratios[BENCH_ROUNDS - 1];
    row.aim = variant->hold > 0 ? BENCH_RATIO_AT_MOST : BENCH_SHOWN;
    row.hold = variant->hold;
    bench_show(&row);
    return row.value;
}

void bench_compare(const char *title, const bench_variant *variants,
                   size_t variant_count, size_t count, size_t calls,
                   double *medians)
{
    const size_t n = variant_count + 1;
    bench_variant *const all = bench_memory(n * sizeof *all);
    size_t *const times = bench_memory(n * sizeof *times);
    double *const results = bench_memory(n * BENCH_ROUNDS * sizeof *results);

    all[0] = all[1] = variants[0];
    all[1].name = "control: the same again";
    memcpy(all + 2, variants + 1, (variant_count - 1) * sizeof *all);
    for (size_t v = 0; v < n; v++)
        times[v] = calibrate(&all[v], count);
    for (size_t round = 0; round < BENCH_ROUNDS; round++)
        run_round(all, n, count, times, round, results + round * n);
    bench_table(title, variants[0].name);
    for (size_t v = 0; v < n; v++) {
        const double median = show_variant(&all[v], results, n, v, calls);
        if (medians != NULL && v != 1)
            medians[v ? v - 1 : 0] = median;
    }
    check_results(all, n, count);
    free(results);
    free(times);
    free(all);
}
