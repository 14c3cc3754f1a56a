/* next_method.c - a method that calls the next one, beside a virtual function
 * that calls its base's by the qualified name. */
#include "loads.h"

#include <stdlib.h>

BENCH_LOOPS(next, thing *const, stacked(item));

static const bench_peer latebind = {"Latebind, next method", sizeof(thing), 0,
                                    make_latebind_thing, next_loops};

static void open_world(world *w, size_t ways)
{
    world_open(w, ways, 0);
    need(lb_bind(w->runtime, LB_HEAD(stacked), NULL), "stacked");
    /* Class n derives from family n % 32, which is given base (n % 4). */
    for (size_t f = 0; f < BENCH_FAMILIES; f++)
        need(lb_add(LB_HEAD(stacked), stacked_bases[f % 4], w->families[f]),
             "a base's method");
    for (size_t n = 0; n < ways; n++)
        need(lb_add(LB_HEAD(stacked), stacked_methods[n], w->classes[n]),
             "a method");
    world_use(w);
}

static void in_world(size_t ways, const char *title)
{
    bench_plan plan = bench_plan_make(ways);
    world w;
    open_world(&w, ways);
    const void **const baseline = bench_make(&bench_virtual_next, &plan);
    const void **const objects = bench_make(&latebind, &plan);
    const bench_variant variants[] = {
        {bench_virtual_next.name, bench_virtual_next.loops, baseline, 0},
        {latebind.name, next_loops, objects, 1.10}};
    bench_compare(title, variants, 2, plan.items, plan.items, NULL);
    bench_unmake(objects);
    bench_unmake(baseline);
    world_close(&w);
    bench_plan_free(&plan);
}

void load_next_method(void)
{
    in_world(4, "Next method, 4 classes shuffled");
    in_world(64, "Next method, 64 classes shuffled");
}
