/* many_arguments.c - two and three dispatched arguments, every combination
 * with a method of its own, beside C++'s double and triple dispatch. */
#include "loads.h"

#include <stdlib.h>

BENCH_LOOPS(meet, bench_pair, meet(item.a, item.b));
BENCH_LOOPS(join, bench_triple, join(item.a, item.b, item.c));

static const bench_peer latebind_two = {"Latebind, two arguments",
                                        sizeof(thing), 0, make_latebind_thing,
                                        meet_loops};
static const bench_peer latebind_three = {"Latebind, three arguments",
                                          sizeof(thing), 0, make_latebind_thing,
                                          join_loops};

enum { CALLS = 65536, OBJECTS = 1024 };

/* The classes of `n` arguments of CALLS calls, every combination equally
 * often. */
typedef struct tuples {
    size_t n, classes;
    uint32_t *order[3];
} tuples;

static tuples make_tuples(size_t n, size_t classes)
{
    tuples made = {n, classes, {NULL}};
    size_t all = 1;
    for (size_t k = 0; k < n; k++)
        all *= classes;
    uint32_t *const combined = bench_shuffled(CALLS, all);
    for (size_t k = n; k-- > 0;) {
        made.order[k] = bench_memory(CALLS * sizeof(uint32_t));
        for (size_t i = 0; i < CALLS; i++) {
            made.order[k][i] = combined[i] % (uint32_t)classes;
            combined[i] /= (uint32_t)classes;
        }
    }
    free(combined);
    return made;
}

static void free_tuples(tuples *t)
{
    for (size_t k = 0; k < t->n; k++)
        free(t->order[k]);
}

/* What a loop goes through, and the objects in it. */
typedef struct arguments {
    void *items;
    const void **objects; /* number i is of class i % classes */
} arguments;

static arguments make_arguments(const bench_peer *peer, const tuples *t)
{
    uint32_t *const classes = bench_memory(OBJECTS * sizeof *classes);
    const void **const items = bench_memory(CALLS * t->n * sizeof *items);
    const size_t each = OBJECTS / t->classes;
    for (size_t i = 0; i < OBJECTS; i++)
        classes[i] = (uint32_t)(i % t->classes);
    const arguments made = {items, bench_place(peer, classes, OBJECTS)};
    for (size_t i = 0; i < CALLS; i++)
        for (size_t k = 0; k < t->n; k++)
            items[i * t->n + k] =
                made.objects[t->order[k][i] + (i * 7 + k) % each * t->classes];
    free(classes);
    return made;
}

static void free_arguments(arguments *a)
{
    bench_unmake(a->objects);
    free(a->items);
}

/* A rule for every combination of classes. */
static void add_all(world *w, lb_head *head, size_t n,
                    const lb_method *const *methods)
{
    size_t all = 1;
    for (size_t k = 0; k < n; k++)
        all *= w->count;
    lb_specializer *const wanted = bench_memory(all * n * sizeof *wanted);
    lb_rule *const rules = bench_memory(all * sizeof *rules);
    for (size_t i = 0; i < all; i++) {
        size_t rest = i;
        for (size_t k = n; k-- > 0; rest /= w->count)
            wanted[i * n + k] = lb_is(w->classes[rest % w->count]);
        rules[i].method = methods[i];
        rules[i].specializers = &wanted[i * n];
        rules[i].count = n;
    }
    need(lb_bind(w->runtime, head, NULL), "several arguments");
    need(lb_add_rules(head->generic, rules, all), "rules");
    free(rules);
    free(wanted);
}

static void compare(const world *w, const char *title,
                    const bench_peer *const *peers, size_t peer_count,
                    const tuples *t, double hold)
{
    arguments made[3];
    bench_variant variants[3];
    for (size_t i = 0; i < peer_count; i++) {
        made[i] = make_arguments(peers[i], t);
        variants[i] = (bench_variant){peers[i]->name, peers[i]->loops,
                                      made[i].items, i == 1 ? hold : 0};
    }
    bench_compare(title, variants, peer_count, CALLS, CALLS, NULL);
    note_slow(w->runtime, peers[1]->name, peers[1]->loops, made[1].items, CALLS,
              CALLS);
    for (size_t i = 0; i < peer_count; i++)
        free_arguments(&made[i]);
}

static void two(size_t classes, const char *title)
{
    const bench_peer *const peers[] = {classes == 8 ? &bench_visitor_8
                                                    : &bench_visitor_32,
                                       &latebind_two, &bench_visit_two_8};
    tuples t = make_tuples(2, classes);
    world w;
    world_open(&w, classes, 0);
    add_all(&w, LB_HEAD(meet), 2, pair_methods);
    world_use(&w);
    compare(&w, title, peers, classes == 8 ? 3 : 2, &t, 0.75);
    world_close(&w);
    free_tuples(&t);
}

static void three(size_t classes, const char *title)
{
    const bench_peer *const peers[] = {
        classes == 4 ? &bench_triple_4 : &bench_triple_8, &latebind_three};
    tuples t = make_tuples(3, classes);
    world w;
    world_open(&w, classes, 0);
    add_all(&w, LB_HEAD(join), 3, triple_methods);
    world_use(&w);
    compare(&w, title, peers, 2, &t, 0.66);
    world_close(&w);
    free_tuples(&t);
}

void load_many_arguments(void)
{
    two(8, "Two arguments, 8 x 8 classes shuffled");
    two(32, "Two arguments, 32 x 32 classes shuffled");
    three(4, "Three arguments, 4 x 4 x 4 classes shuffled");
    three(8, "Three arguments, 8 x 8 x 8 classes shuffled");
}
