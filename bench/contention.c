/* contention.c - a reader that calls while a writer changes the very method
 * that is called, 100,000 times a second.
 *
 * The writer's thread runs all the time: while the reader shall be
 * undisturbed, it only looks at the clock. So what is compared is the changes,
 * not a second busy core.
 *
 * Two controls tell what the changes cost: the same changes of the rule's
 * context alone, which write the same words, but leave the function; and a
 * reader that calls through a plain function pointer, which the writer changes
 * as often: what any call pays whose target moves under the processor's
 * prediction.
 */
#include "loads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PERIOD = 10000 /* nanoseconds between changes */ };

typedef enum what { NOTHING, METHOD, CONTEXT, POINTER } what;

typedef struct writer {
    lb_generic *generic;
    lb_class *cls;
    int changing;     /* a `what`; atomic */
    int ended;        /* atomic */
    uint64_t changes; /* atomic */
} writer;

static lb_fn pointer; /* atomic */

static inline int through_pointer(const thing *object)
{
    lb_fn_name_000 *const fn =
        (lb_fn_name_000 *)__atomic_load_n(&pointer, __ATOMIC_RELAXED);
    return fn(NULL, object);
}

BENCH_LOOPS(one, thing *const, name_000(item));
BENCH_LOOPS(plain, thing *const, through_pointer(item));

static void change(writer *w, uint64_t number, what part)
{
    const lb_specializer wanted = lb_is(w->cls);
    const lb_rule rule = {
        .method = class_methods[part == CONTEXT ? 0 : number % 2],
        .specializers = &wanted,
        .count = 1,
        .context = part == CONTEXT ? (void *)(uintptr_t)(number % 2) : NULL};
    if (part == POINTER)
        __atomic_store_n(&pointer, class_methods[number % 2]->fn,
                         __ATOMIC_RELEASE);
    else
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
        const what part = (what)__atomic_load_n(&w->changing, __ATOMIC_ACQUIRE);
        if (part != NOTHING)
            change(w, __atomic_fetch_add(&w->changes, 1, __ATOMIC_RELAXED),
                   part);
    }
    return NULL;
}

/* Calls for a while: calls per second. */
static double read_for(bench_loop *const *loop, const void *const *items,
                       size_t count, double nanoseconds)
{
    const double start = bench_now();
    double now = start;
    size_t loops = 0;
    while (now - start < nanoseconds) {
        loop[loops % BENCH_OFFSETS](items, count);
        loops++;
        now = bench_now();
    }
    return (double)(loops * count) / (now - start) * 1e9;
}

typedef struct outcome {
    double alone, disturbed, low, high, rate;
} outcome;

static outcome alternate(writer *w, what part, const void *const *items,
                         size_t count)
{
    bench_loop *const *loop = part == POINTER ? plain_loops : one_loops;
    const double slice = bench_quick() ? 2e7 : 5e7;
    enum { PAIRS = BENCH_ROUNDS * 4 };
    double alone[PAIRS], disturbed[PAIRS], ratio[PAIRS], rate[PAIRS];
    for (size_t i = 0; i < PAIRS; i++) {
        __atomic_store_n(&w->changing, NOTHING, __ATOMIC_RELEASE);
        alone[i] = read_for(loop, items, count, slice);
        const uint64_t before = __atomic_load_n(&w->changes, __ATOMIC_RELAXED);
        const double start = bench_now();
        __atomic_store_n(&w->changing, (int)part, __ATOMIC_RELEASE);
        disturbed[i] = read_for(loop, items, count, slice);
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

static void show_disturbed(const char *name, const outcome *o, double hold)
{
    bench_show(
        &(bench_row){.name = name,
                     .value = o->disturbed / 1e6,
                     .unit = "M",
                     .ratio = o->disturbed / o->alone,
                     .low = o->low,
                     .high = o->high,
                     .aim = hold > 0 ? BENCH_RATIO_AT_LEAST : BENCH_SHOWN,
                     .hold = hold});
}

static void show(const char *title, const outcome *o, double hold,
                 lb_runtime *runtime)
{
    lb_statistics s;
    bench_table(title, "undisturbed");
    bench_show(&(bench_row){.name = "calls per second, undisturbed",
                            .value = o[METHOD].alone / 1e6,
                            .unit = "M",
                            .ratio = 1});
    show_disturbed("calls per second, method changing", &o[METHOD], hold);
    show_disturbed("the same words, function unchanged", &o[CONTEXT], 0);
    show_disturbed("a plain function pointer changing", &o[POINTER], 0);
    need(lb_get_statistics(runtime, &s), "statistics");
    bench_note("%.0f changes a second; %zu KiB retired at the end, %llu "
               "misses, %llu changes",
               o[METHOD].rate, s.bytes_retired / 1024,
               (unsigned long long)s.misses, (unsigned long long)s.changes);
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
    change(&shared, 0, METHOD);
    change(&shared, 0, POINTER);
    const void **const items = bench_make(&peer, &plan);
    bench_need(pthread_create(&thread, NULL, run_writer, &shared) == 0,
               "a thread");
    outcome o[POINTER + 1];
    for (what part = METHOD; part <= POINTER; part++)
        o[part] = alternate(&shared, part, items, plan.items);
    __atomic_store_n(&shared.ended, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    show(title, o, hold, w.runtime);
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
