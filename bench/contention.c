/* contention.c - a reader that calls while a writer changes the very method
 * that is called, 100,000 times a second.
 *
 * The writer's thread runs all the time: while the reader shall be
 * undisturbed, it only looks at the clock. So what is compared is the changes,
 * not a second busy core.
 */
#include "loads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PERIOD = 10000 /* nanoseconds between changes */ };

typedef struct writer {
    lb_generic *generic;
    lb_class *cls;
    int changing, ended; /* atomic */
    uint64_t changes;    /* atomic */
} writer;

BENCH_LOOPS(one, thing *const, name_000(item));

static void change(writer *w, uint64_t number)
{
    const lb_specializer wanted = lb_is(w->cls);
    const lb_rule rule = {.method = class_methods[number % 2],
                          .specializers = &wanted,
                          .count = 1};
    need(lb_add_rules(w->generic, &rule, 1), "a change");
}

static void *run_writer(void *argument)
{
    writer *const w = argument;
    double next = bench_now();
    while (!__atomic_load_n(&w->ended, __ATOMIC_ACQUIRE)) {
        const double now = bench_now();
        if (now < next)
            continue;
        next += PERIOD;
        if (now - next > 1e6)
            next = now; /* was not running: no burst to catch up */
        if (!__atomic_load_n(&w->changing, __ATOMIC_ACQUIRE))
            continue;
        change(w, __atomic_fetch_add(&w->changes, 1, __ATOMIC_RELAXED));
    }
    return NULL;
}

/* Calls for a while: calls per second. */
static double read_for(const void *const *items, size_t count,
                       double nanoseconds)
{
    const double start = bench_now();
    double now = start;
    size_t loops = 0;
    while (now - start < nanoseconds) {
        one_loops[loops % BENCH_OFFSETS](items, count);
        loops++;
        now = bench_now();
    }
    return (double)(loops * count) / (now - start) * 1e9;
}

typedef struct outcome {
    double alone, disturbed, low, high, rate;
} outcome;

static outcome alternate(writer *w, const void *const *items, size_t count)
{
    const double slice = bench_quick() ? 2e7 : 5e7;
    enum { PAIRS = BENCH_ROUNDS * 4 };
    double alone[PAIRS], disturbed[PAIRS], ratio[PAIRS], rate[PAIRS];
    for (size_t i = 0; i < PAIRS; i++) {
        __atomic_store_n(&w->changing, 0, __ATOMIC_RELEASE);
        alone[i] = read_for(items, count, slice);
        const uint64_t before = __atomic_load_n(&w->changes, __ATOMIC_RELAXED);
        const double start = bench_now();
        __atomic_store_n(&w->changing, 1, __ATOMIC_RELEASE);
        disturbed[i] = read_for(items, count, slice);
        rate[i] =
            (double)(__atomic_load_n(&w->changes, __ATOMIC_RELAXED) - before) /
            (bench_now() - start) * 1e9;
        ratio[i] = disturbed[i] / alone[i];
    }
    outcome o = {bench_median(alone, PAIRS), bench_median(disturbed, PAIRS), 0,
                 0, bench_median(rate, PAIRS)};
    bench_median(ratio, PAIRS);
    o.low = ratio[PAIRS / 10];
    o.high = ratio[PAIRS - 1 - PAIRS / 10];
    return o;
}

static void show(const char *title, const outcome *o, double hold,
                 lb_runtime *runtime)
{
    lb_statistics s;
    bench_table(title, "undisturbed");
    bench_show(&(bench_row){.name = "calls per second, undisturbed",
                            .value = o->alone / 1e6,
                            .unit = "M",
                            .ratio = 1});
    bench_show(
        &(bench_row){.name = "calls per second, method changing",
                     .value = o->disturbed / 1e6,
                     .unit = "M",
                     .ratio = o->disturbed / o->alone,
                     .low = o->low,
                     .high = o->high,
                     .aim = hold > 0 ? BENCH_RATIO_AT_LEAST : BENCH_SHOWN,
                     .hold = hold});
    need(lb_get_statistics(runtime, &s), "statistics");
    bench_note("%.0f changes a second; %zu KiB retired at the end, %llu "
               "misses, %llu changes",
               o->rate, s.bytes_retired / 1024, (unsigned long long)s.misses,
               (unsigned long long)s.changes);
}

/* `at_root`: the changed method is that of all 64 classes, else of one. */
static void run(size_t classes, int at_root, const char *title, double hold)
{
    const bench_peer peer = {"Latebind", sizeof(thing), 0, make_latebind_thing,
                             NULL};
    bench_plan plan = bench_plan_make(classes);
    pthread_t thread;
    world w;
    world_open(&w, classes, 0);
    need(lb_bind(w.runtime, name_heads[0], NULL), "a name");
    world_use(&w);
    writer shared = {name_heads[0]->generic, at_root ? w.root : w.classes[0], 0,
                     0, 0};
    change(&shared, 0);
    const void **const items = bench_make(&peer, &plan);
    bench_need(pthread_create(&thread, NULL, run_writer, &shared) == 0,
               "a thread");
    const outcome o = alternate(&shared, items, plan.items);
    __atomic_store_n(&shared.ended, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    show(title, &o, hold, w.runtime);
    bench_unmake(items);
    world_close(&w);
    bench_plan_free(&plan);
}

void load_contention(void)
{
    run(1, 0, "One reader, a writer changes its method 100,000 times a second",
        0.85);
    run(64, 1, "The same, the method of 64 classes", 0);
}
