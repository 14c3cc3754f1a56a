/* measure.h - variants that run their own loops, in turn, in one process. */
#ifndef BENCH_OPS_MEASURE_H
#define BENCH_OPS_MEASURE_H

#include "../harness.h"

typedef struct measured {
    const char *name;
    void (*run)(size_t calls); /* does the work `calls` times */
    double hold; /* ratio to the first that is aimed at; 0: none */
} measured;

/* Runs all variants in turn, nine rounds; each sample takes some milliseconds,
 * the best of three. Shows a table with the medians and the ratios to the
 * first variant in the same round; gives the medians (NULL: dropped). */
void measure(const char *title, const measured *variants, size_t count,
             double *medians);

#endif
