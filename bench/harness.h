/* harness.h - how the loads are measured and shown.
 *
 * 1. All variants of a load run in one process, in turn: for each of five
 *    rounds, for each of the eight offsets of the loop, every variant once,
 *    beginning with another one each time.
 * 2. A sample is the best of three runs of the loop, each about a
 *    millisecond: what the machine did meanwhile is cut off.
 * 3. A variant's time in a round is the median over the offsets; its ratio in
 *    a round is that to the baseline's in the same round; shown are the
 *    medians over the rounds, and the least and greatest ratio.
 * 4. The baseline is measured twice. Its second ratio, the control, says what
 *    a difference in this table is worth.
 *
 * Nothing here asserts anything: a target that is missed is shown as MISSED.
 * Used by one thread.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include "loops.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { BENCH_ROUNDS = 5 };

/* A way to make a call, and objects to call it on. */
typedef struct bench_peer {
    const char *name;
    size_t size; /* bytes of an object */
    size_t ways; /* only for this many classes; 0: any number */
    /* Makes an object of class `cls` at `at`, or elsewhere; returns it. */
    void *(*make)(void *at, unsigned cls, int value);
    bench_loop *const *loops; /* over pointers to objects */
} bench_peer;

/* One row of a comparison. */
typedef struct bench_variant {
    const char *name;
    bench_loop *const *loops;
    const void *items;
    double hold; /* ratio to the baseline that is aimed at; 0: shown only */
} bench_variant;

/* What a row is held to. */
typedef enum bench_aim {
    BENCH_SHOWN = 0,
    BENCH_RATIO_AT_MOST,
    BENCH_RATIO_AT_LEAST,
    BENCH_VALUE_AT_MOST
} bench_aim;

typedef struct bench_row {
    const char *name;
    double value;
    const char *unit;
    double ratio; /* 0: none */
    double low, high;
    bench_aim aim;
    double hold;
} bench_row;

/* Reads the command line; 0 when the program should end (with status 0 for
 * --help, else 2, left in *status). peers: their names and versions. */
int bench_open(int argc, char **argv, const char *peers, int *status);
/* Writes the reports. */
void bench_close(void);

int bench_quick(void);
/* 1 if the load of this name is asked for. */
int bench_wanted(const char *name);
/* Where reports go, e.g. for a plot; the result is the caller's, by free. */
char *bench_path(const char *file);

/* A table: title, then rows, then (any number of) notes. */
void bench_table(const char *title, const char *baseline);
void bench_show(const bench_row *row);
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Measures variants[0], the baseline, twice, and the others, and shows them
 * as a table. `calls` are made by one run of a loop over `count` items.
 * medians: receives the nanoseconds per call of each variant; NULL: dropped */
void bench_compare(const char *title, const bench_variant *variants,
                   size_t variant_count, size_t count, size_t calls,
                   double *medians);

/* Nanoseconds since some moment. */
double bench_now(void);
/* The median; changes the order of `values`. */
double bench_median(double *values, size_t count);
/* The same sequence of pseudo-random numbers in every run. */
uint32_t bench_random(uint32_t below);
/* malloc that ends the program when there is none left. */
void *bench_memory(size_t size);
/* `count` numbers 0 … below-1, each equally often, shuffled. By free. */
uint32_t *bench_shuffled(size_t count, size_t below);

/* Which objects there are, and the sequence in which they are called: long, so
 * that no predictor of branches learns it, over few objects, so that they stay
 * near. Every variant of a load goes by the same plan. */
typedef struct bench_plan {
    size_t objects, items;
    uint32_t *classes; /* of each object */
    uint32_t *picks;   /* the object of each item */
} bench_plan;

/* A plan over so many classes, each as often as any other. */
bench_plan bench_plan_make(size_t classes);
void bench_plan_free(bench_plan *plan);

/* Makes objects of these classes, scattered in memory. Returns pointers to
 * them; by bench_unmake. */
const void **bench_place(const bench_peer *peer, const uint32_t *classes,
                         size_t count);
/* Makes the objects of a plan. Returns a pointer for each item and, behind
 * them, the first 64 again; by bench_unmake. */
const void **bench_make(const bench_peer *peer, const bench_plan *plan);
void bench_unmake(const void **items);
/* Prints to standard error and ends the program if `good` is 0: for what can
 * only go wrong when the library is broken. */
void bench_need(int good, const char *what);

#ifdef __cplusplus
}
#endif
#endif
