/* measure.c - see measure.h. */
#include "measure.h"

#include <stdbool.h>

enum { ROUNDS = 9, MOST = 12 };

static double time_of(const measured *variant, size_t calls)
{
    double best = 0;

    for (int i = 0; i < 3; i++) {
        const double start = bench_now();
        variant->run(calls);
        const double took = (bench_now() - start) / (double)calls;
        if (i == 0 || took < best)
            best = took;
    }
    return best;
}

/* As many calls as take about `ns`. What only the first call does (resolving,
 * making what the loop needs) is done before. */
static size_t calls_for(const measured *variant, double ns)
{
    size_t calls = 1;

    variant->run(1);
    for (;;) {
        const double start = bench_now();
        variant->run(calls);
        const double took = bench_now() - start;
        if (took > ns / 4 || calls > ((size_t)1 << 30))
            return (size_t)((double)calls * ns / (took > 0 ? took : 1)) + 1;
        calls *= 2;
    }
}

static void show(const measured *variant, double *times, double *ratios,
                 bool first)
{
    bench_row row = {
        .name = variant->name, .unit = "ns", .hold = variant->hold};

    row.value = bench_median(times, ROUNDS);
    if (!first) {
        row.ratio = bench_median(ratios, ROUNDS);
        row.low = ratios[0];
        row.high = ratios[ROUNDS - 1];
        row.aim = variant->hold > 0 ? BENCH_RATIO_AT_MOST : BENCH_SHOWN;
    }
    bench_show(&row);
}

void measure(const char *title, const measured *variants, size_t count,
             double *medians)
{
    double times[MOST][ROUNDS], ratios[MOST][ROUNDS];
    size_t calls[MOST];
    const double sample = bench_quick() ? 1e6 : 5e6;

    for (size_t i = 0; i < count; i++)
        calls[i] = calls_for(&variants[i], sample);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t k = 0; k < count; k++) {
            const size_t i = (k + (size_t)round) % count;
            times[i][round] = time_of(&variants[i], calls[i]);
        }
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++)
            ratios[i][round] = times[i][round] / times[0][round];
    bench_table(title, variants[0].name);
    for (size_t i = 0; i < count; i++) {
        show(&variants[i], times[i], ratios[i], i == 0);
        if (medians != NULL)
            medians[i] = bench_median(times[i], ROUNDS);
    }
}
