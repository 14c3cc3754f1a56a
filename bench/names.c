/* names.c - one hot name over many classes, and 64 names in use at once. */
#include "loads.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL(k) sum += (uint64_t)name_##k(item[k]);
BENCH_NAMES(names, thing *const, REPEAT_64(CALL, 0));

static const bench_peer latebind = {"Latebind", sizeof(thing), 0,
                                    make_latebind_thing, NULL};

/* Every name on every object. */
static void all_names(const world *w, const char *title, double hold)
{
    bench_plan plan = bench_plan_make(w->count);
    const size_t count = plan.items / 4; /* 64 times each */
    const void **const baseline = bench_make(&bench_virtual, &plan);
    const void **const objects = bench_make(&latebind, &plan);
    const bench_variant variants[] = {
        {bench_virtual.name, bench_virtual_names, baseline, 0},
        {latebind.name, names_loops, objects, hold}};
    bench_compare(title, variants, 2, count, count * 64, NULL);
    note_slow(w->runtime, latebind.name, names_loops, objects, count,
              count * 64);
    bench_unmake(objects);
    bench_unmake(baseline);
    bench_plan_free(&plan);
}

static void in_world(size_t classes, int scattered)
{
    char title[100];
    const char *const ids = scattered ? ", scattered ids" : "";
    const double hot = scattered || classes < 512 ? 0 : 1.02;
    const double fat = scattered || classes < 512 ? 0 : 0.92;
    world w;

    world_open(&w, classes, scattered);
    world_names(&w);
    world_fat(&w);
    world_use(&w);
    if (classes > 64) {
        snprintf(title, sizeof title, "One hot name, %zu classes%s", classes,
                 ids);
        one_name(&w, title, hot, fat);
    }
    snprintf(title, sizeof title, "64 names at once, %zu classes%s", classes,
             ids);
    all_names(&w, title, scattered ? 0 : 1.25);
    world_close(&w);
}

void load_names(void)
{
    static const size_t sizes[] = {64, 512, 2048};
    for (int scattered = 0; scattered < 2; scattered++)
        for (size_t i = 0; i < 3; i++)
            in_world(sizes[i], scattered);
}
