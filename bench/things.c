/* things.c - the worlds: classes and rules. The methods are in methods.c. */
#include "things.h"

#include <stdio.h>
#include <stdlib.h>

static const world *used;

void need(lb_status status, const char *what)
{
    if (status != LB_OK)
        fprintf(stderr, "bench: %s: %s\n", lb_status_name(status),
                lb_message());
    bench_need(status == LB_OK, what);
}

static uint64_t misses_of(lb_runtime *runtime)
{
    lb_statistics s;
    need(lb_get_statistics(runtime, &s), "statistics");
    return s.misses;
}

void note_slow(lb_runtime *runtime, const char *name, bench_loop *const *loops,
               const void *items, size_t count, size_t calls)
{
    const uint64_t before = misses_of(runtime);
    loops[0](items, count);
    const uint64_t slow = misses_of(runtime) - before;
    if (slow)
        bench_note("%s: %.2f %% of the calls went the slow way", name,
                   100.0 * (double)slow / (double)calls);
}

static lb_class *make_class(world *w, lb_class *base)
{
    lb_class *const made =
        lb_class_make(w->runtime, "thing", sizeof(thing), base, NULL);
    bench_need(made != NULL, lb_message());
    return made;
}

/* Others that are numbered in between. */
static void make_others(world *w, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lb_class *const other = make_class(w, NULL);
        (void)lb_class_header(other);
    }
}

static void make_scattered(world *w)
{
    uint32_t *const order = bench_shuffled(w->count, w->count);
    for (size_t i = 0; i < w->count; i++) {
        const uint32_t n = order[i];
        w->classes[n] = make_class(w, w->families[n % BENCH_FAMILIES]);
        (void)lb_class_header(w->classes[n]);
        make_others(w, bench_random((uint32_t)(8192 / w->count) + 1));
    }
    free(order);
}

void world_open(world *w, size_t count, int scattered)
{
    w->count = count;
    w->classes = bench_memory(count * sizeof *w->classes);
    need(lb_runtime_create(NULL, &w->runtime), "a runtime");
    w->root = make_class(w, NULL);
    for (size_t f = 0; f < BENCH_FAMILIES; f++)
        w->families[f] = make_class(w, w->root);
    if (scattered) {
        make_scattered(w);
        return;
    }
    for (size_t n = 0; n < count; n++)
        w->classes[n] = make_class(w, w->families[n % BENCH_FAMILIES]);
}

void world_close(world *w)
{
    lb_runtime_destroy(w->runtime);
    free(w->classes);
}

/* Adds methods[i * step] for classes[i], in one batch. */
static void add_all(lb_head *head, lb_class *const *classes, size_t count,
                    const lb_method *const *methods, size_t step)
{
    lb_specializer *const wanted = bench_memory(count * sizeof *wanted);
    lb_rule *const rules = bench_memory(count * sizeof *rules);
    for (size_t i = 0; i < count; i++) {
        wanted[i] = lb_is(classes[i]);
        rules[i].method = methods[i * step];
        rules[i].specializers = &wanted[i];
        rules[i].count = 1;
    }
    need(lb_add_rules(head->generic, rules, count), "rules");
    free(rules);
    free(wanted);
}

void world_names(world *w)
{
    for (size_t k = 0; k < BENCH_NAMES_COUNT; k++) {
        need(lb_bind(w->runtime, name_heads[k], NULL), "a name");
        if (k > 0)
            add_all(name_heads[k], w->families, BENCH_FAMILIES,
                    family_methods + k, BENCH_NAMES_COUNT);
    }
    add_all(name_heads[0], w->classes, w->count, class_methods, 1);
}

void world_fat(world *w)
{
    need(lb_bind(w->runtime, LB_HEAD(fat), NULL), "the fat name");
    add_all(LB_HEAD(fat), w->classes, w->count, fat_methods, 1);
}

void world_use(const world *w)
{
    used = w;
}

void *make_latebind_thing(void *at, unsigned cls, int value)
{
    thing *const object = at;
    lb_init(used->classes[cls], object);
    object->value = value;
    return object;
}
