/* one_argument.c - calls that dispatch on one argument: Latebind, with objects
 * and with fat references, beside the peers. */
#include "loads.h"
#include "things.h"

#include <stdlib.h>
#include <string.h>

BENCH_LOOPS(one, thing *const, name_000(item));
BENCH_LOOPS(fat, lb_ref, fat(item));

static const bench_peer latebind = {"Latebind", sizeof(thing), 0,
                                    make_latebind_thing, one_loops};

static const bench_peer *const peers[] = {
    &bench_switch_4,  &bench_switch_64,
    &bench_chain_4,   &bench_chain_64,
    &bench_variant_4, &bench_variant_64,
    &bench_hash,      &bench_gobject_class,
    &bench_objc,      &bench_gobject_interface};

enum { PEERS = sizeof peers / sizeof peers[0], VARIANTS = PEERS + 3 };

/* The fat references to objects. */
static lb_ref *refer(const void *const *items, size_t count)
{
    lb_ref *const references = bench_memory(count * sizeof *references);
    for (size_t i = 0; i < count; i++) {
        references[i].object = (void *)(uintptr_t)items[i];
        references[i].head = ((const thing *)items[i])->head;
    }
    return references;
}

/* A baseline, Latebind and the fat reference, which `set` then holds. */
static void open_set(one_set *set, const bench_plan *plan, double hold,
                     double fat_hold)
{
    set->baseline = bench_make(&bench_virtual, plan);
    set->objects = bench_make(&latebind, plan);
    set->references = refer(set->objects, plan->items);
    set->variants[0] = (bench_variant){bench_virtual.name, bench_virtual.loops,
                                       set->baseline, 0};
    set->variants[1] =
        (bench_variant){latebind.name, one_loops, set->objects, hold};
    set->variants[2] = (bench_variant){"Latebind, fat reference", fat_loops,
                                       set->references, fat_hold};
}

static void close_set(one_set *set)
{
    bench_unmake(set->baseline);
    bench_unmake(set->objects);
    free(set->references);
}

void one_name(const world *w, const char *title, double hold, double fat_hold)
{
    bench_plan plan = bench_plan_make(w->count);
    one_set set;
    open_set(&set, &plan, hold, fat_hold);
    bench_compare(title, set.variants, 3, plan.items, plan.items, NULL);
    note_slow(w->runtime, latebind.name, one_loops, set.objects, plan.items,
              plan.items);
    close_set(&set);
    bench_plan_free(&plan);
}

/* `ways` classes, with every peer that has so many. */
static void with_peers(const world *w, const char *title)
{
    const size_t ways = w->count;
    bench_plan plan = bench_plan_make(ways);
    const void **items[VARIANTS];
    bench_variant all[VARIANTS];
    one_set set;
    size_t n = 3;

    open_set(&set, &plan, 1.08, 0.98);
    memcpy(all, set.variants, sizeof set.variants);
    for (size_t i = 0; i < PEERS; i++) {
        const bench_peer *const peer = peers[i];
        if (peer->name == NULL || (peer->ways != 0 && peer->ways != ways))
            continue;
        items[n] = bench_make(peer, &plan);
        all[n] = (bench_variant){peer->name, peer->loops, items[n], 0};
        n++;
    }
    bench_compare(title, all, n, plan.items, plan.items, NULL);
    note_slow(w->runtime, latebind.name, one_loops, set.objects, plan.items,
              plan.items);
    while (n > 3)
        bench_unmake(items[--n]);
    close_set(&set);
    bench_plan_free(&plan);
}

static void in_world(size_t ways, const char *title)
{
    world w;
    world_open(&w, ways, 0);
    world_names(&w);
    world_fat(&w);
    world_use(&w);
    if (ways == 1)
        one_name(&w, title, 0, 0);
    else
        with_peers(&w, title);
    world_close(&w);
}

void load_one_argument(void)
{
    in_world(1, "One argument, one class");
    in_world(4, "One argument, 4 classes shuffled");
    in_world(64, "One argument, 64 classes shuffled");
}
