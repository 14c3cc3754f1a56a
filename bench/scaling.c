/* scaling.c - the cost of a call while a program grows: from 10 to 100,000
 * methods, from 10 to 10,000 classes. The same few classes are called all the
 * time; what grows lies around them. Written as tables and as scaling.svg. */
#include "loads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 1024, CALLED = 10, MOST = 8 };

/* One call: the head, because each size has a generic function of its own. */
typedef struct scaled {
    const lb_head *head;
    const thing *a, *b;
} scaled;

BENCH_LOOPS(one, scaled, lb_in_name_000(item.head, item.a));
BENCH_LOOPS(two, scaled, lb_in_meet(item.head, item.a, item.b));

/* A size of program, and the calls in it. */
typedef struct sized {
    lb_runtime *runtime;
    lb_class **classes;
    thing objects[CALLED];
    scaled items[ITEMS];
    char name[60];
} sized;

/* Makes `count` classes and an object of ten of them, evenly chosen. */
static sized *open_sized(size_t count)
{
    sized *const s = bench_memory(sizeof *s);
    need(lb_runtime_create(NULL, &s->runtime), "a runtime");
    s->classes = make_tree(s->runtime, count, 0);
    for (size_t i = 0; i < CALLED; i++) {
        lb_init(s->classes[i * count / CALLED], &s->objects[i]);
        s->objects[i].value = (int)i;
    }
    return s;
}

static void close_sized(sized *s)
{
    lb_runtime_destroy(s->runtime);
    free(s->classes);
    free(s);
}

/* The same calls for every size: on objects chosen by a fixed sequence. */
static void set_items(sized *s, const lb_generic *generic)
{
    uint32_t chosen = 1;
    for (size_t i = 0; i < ITEMS; i++) {
        s->items[i].head = lb_generic_head(generic);
        chosen = chosen * 1664525 + 1013904223;
        s->items[i].a = &s->objects[(chosen >> 16) % CALLED];
        chosen = chosen * 1664525 + 1013904223;
        s->items[i].b = &s->objects[(chosen >> 16) % CALLED];
    }
}

static lb_generic *make_generic(sized *s, const lb_head *like)
{
    /* Never ambiguous, so that any rules will do. */
    const lb_policy policy = {.order = LB_LEXICOGRAPHIC, .silent = 1};
    lb_generic *made;
    need(lb_generic_create(s->runtime, NULL, like->signature, &policy, &made),
         "a name");
    return made;
}

/* Adds rules for all classes, or pairs of classes; `n` arguments each. All of
 * one method: where the code lies shall not count. */
static void add_rules(lb_generic *generic, const lb_method *method,
                      lb_class *const *classes, size_t n, size_t count)
{
    lb_specializer *const wanted = bench_memory(count * n * sizeof *wanted);
    lb_rule *const rules = bench_memory(count * sizeof *rules);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < n; k++)
            wanted[i * n + k] = lb_is(classes[i * n + k]);
        rules[i].method = method;
        rules[i].specializers = &wanted[i * n];
        rules[i].count = n;
    }
    need(lb_add_rules(generic, rules, count), "rules");
    free(rules);
    free(wanted);
}

/* `methods` of one argument: over at most 1,000 classes, then over names. */
static sized *one_by_methods(size_t methods)
{
    const size_t classes = methods < 1000 ? methods : 1000;
    sized *const s = open_sized(classes);
    lb_generic *generic = NULL;
    for (size_t done = 0; done < methods; done += classes) {
        generic = make_generic(s, LB_HEAD(name_000));
        add_rules(generic, class_methods[0], s->classes, 1, classes);
    }
    set_items(s, generic);
    return s;
}

/* `methods` of two arguments of one name, over 1,000 classes: that of the
 * roots, and others for random pairs. */
static sized *two_by_methods(size_t methods)
{
    sized *const s = open_sized(1000);
    lb_generic *const generic = make_generic(s, LB_HEAD(meet));
    lb_class **const pairs = bench_memory(methods * 2 * sizeof *pairs);
    uint32_t *const order = bench_shuffled(1000 * 1000 - 1, 1000 * 1000 - 1);
    pairs[0] = pairs[1] = s->classes[0];
    for (size_t i = 1; i < methods; i++) {
        pairs[i * 2] = s->classes[(order[i] + 1) / 1000];
        pairs[i * 2 + 1] = s->classes[(order[i] + 1) % 1000];
    }
    add_rules(generic, pair_methods[0], pairs, 2, methods);
    free(order);
    free(pairs);
    set_items(s, generic);
    return s;
}

/* One rule at the root of `classes`; each class is called once, so that the
 * table holds them all. */
static sized *one_by_classes(size_t classes)
{
    sized *const s = open_sized(classes);
    lb_generic *const generic = make_generic(s, LB_HEAD(name_000));
    add_rules(generic, class_methods[0], s->classes, 1, 1);
    for (size_t i = 0; i < classes; i++) {
        thing object = {{0, 0}, 0};
        lb_init(s->classes[i], &object);
        (void)lb_in_name_000(lb_generic_head(generic), &object);
    }
    set_items(s, generic);
    return s;
}

/* The same for two arguments: each class with three others. */
static sized *two_by_classes(size_t classes)
{
    sized *const s = open_sized(classes);
    lb_generic *const generic = make_generic(s, LB_HEAD(meet));
    lb_class *const roots[2] = {s->classes[0], s->classes[0]};
    add_rules(generic, pair_methods[0], roots, 2, 1);
    for (size_t i = 0; i < classes * 3; i++) {
        thing a = {{0, 0}, 0}, b = {{0, 0}, 0};
        lb_init(s->classes[i / 3], &a);
        lb_init(s->classes[bench_random((uint32_t)classes)], &b);
        (void)lb_in_meet(lb_generic_head(generic), &a, &b);
    }
    set_items(s, generic);
    return s;
}

/* Measures one series: a table, and its medians in `times`. */
static void series(const char *title, const char *unit, sized *(*make)(size_t),
                   bench_loop *const *loops, const size_t *sizes, size_t count,
                   double *times)
{
    sized *all[MOST];
    bench_variant variants[MOST];
    for (size_t i = 0; i < count; i++) {
        all[i] = make(sizes[i]);
        snprintf(all[i]->name, sizeof all[i]->name, "%zu %s", sizes[i], unit);
        variants[i] = (bench_variant){all[i]->name, loops, all[i]->items, 0};
    }
    bench_compare(title, variants, count, ITEMS, ITEMS, times);
    for (size_t i = 0; i < count; i++) {
        note_slow(all[i]->runtime, all[i]->name, loops, all[i]->items, ITEMS,
                  ITEMS);
        close_sized(all[i]);
    }
}

static void draw(const plot_line *methods, const plot_line *classes)
{
    const plot_panel panels[] = {
        {"by methods", "methods in the program", methods, 2},
        {"by classes", "classes in the program", classes, 2}};
    char *const path = bench_path("scaling.svg");
    plot(path, "Nanoseconds per call", panels, 2);
    free(path);
}

void load_scaling(void)
{
    static const size_t methods[] = {10, 100, 1000, 10000, 100000};
    static const size_t classes[] = {10, 30, 100, 300, 1000, 3000, 10000};
    enum { M = sizeof methods / sizeof *methods };
    enum { C = sizeof classes / sizeof *classes };
    double by_m[2][M], by_c[2][C], m[M], c[C];

    for (size_t i = 0; i < M; i++)
        m[i] = (double)methods[i];
    for (size_t i = 0; i < C; i++)
        c[i] = (double)classes[i];
    series("Call cost by methods, one argument", "methods", one_by_methods,
           one_loops, methods, M, by_m[0]);
    series("Call cost by methods, two arguments", "methods", two_by_methods,
           two_loops, methods, M, by_m[1]);
    series("Call cost by classes, one argument", "classes", one_by_classes,
           one_loops, classes, C, by_c[0]);
    series("Call cost by classes, two arguments", "classes", two_by_classes,
           two_loops, classes, C, by_c[1]);
    draw((plot_line[]){{"one argument", m, by_m[0], M},
                       {"two arguments", m, by_m[1], M}},
         (plot_line[]){{"one argument", c, by_c[0], C},
                       {"two arguments", c, by_c[1], C}});
}
