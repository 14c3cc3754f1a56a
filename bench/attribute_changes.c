/* attribute_changes.c - what it costs to replace a class attribute that many
 * classes were asked for: at their root, and on one that nothing derives from.
 */
#include "attribute_things.h"
#include "loads.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMES = 101 };

/* A root with the attribute, and an instance of each class below it. */
typedef struct resolved {
    lb_runtime *runtime;
    lb_class *root, *leaf;
    const lb_symbol *symbol;
    lb_object *objects;
    size_t count;
} resolved;

static void set(const resolved *r, lb_class *cls, int64_t value)
{
    const lb_attribute_spec spec = {.value.integer = value};
    need(lb_class_set(cls, r->symbol, &spec), "an attribute");
}

static uint64_t get_each(const resolved *r)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < r->count; i++) {
        lb_found found;
        if (lb_try_get(&r->objects[i], r->symbol, &found) == LB_OK)
            sum += found.value.bits;
    }
    return sum;
}

static void open_resolved(resolved *r, size_t count)
{
    need(lb_runtime_create(NULL, &r->runtime), "a runtime");
    r->symbol = lb_intern(r->runtime, "attribute");
    r->root = lb_object_class(r->runtime, "root", NULL, NULL);
    r->objects = bench_memory(count * sizeof *r->objects);
    r->count = count;
    for (size_t i = 0; i < count; i++) {
        r->leaf = lb_object_class(r->runtime, "leaf", r->root, NULL);
        bench_need(r->leaf != NULL, lb_message());
        lb_object_init(r->leaf, &r->objects[i]);
    }
    set(r, r->root, 0);
    get_each(r);
}

static void close_resolved(resolved *r)
{
    lb_runtime_destroy(r->runtime);
    free(r->objects);
}

/* Microseconds of each time. */
typedef struct times {
    double alone[TIMES], change[TIMES], both[TIMES], leaf[TIMES];
    size_t wrong;
} times;

static double since(double start)
{
    return (bench_now() - start) / 1e3;
}

static void change_root(const resolved *r, times *t, size_t i)
{
    const size_t value = (i + 1) % 2;
    const double start = bench_now();
    set(r, r->root, (int64_t)value);
    t->change[i] = since(start);
    t->wrong += get_each(r) != value * r->count;
    t->both[i] = since(start);
    const double again = bench_now();
    get_each(r);
    t->alone[i] = since(again);
    need(lb_quiesce(r->runtime), "quiescence");
}

/* Then the leaf's own attribute hides that of the root. */
static void change_leaf(const resolved *r, times *t, size_t i)
{
    const double start = bench_now();
    set(r, r->leaf, (int64_t)i);
    t->leaf[i] = since(start);
    get_each(r);
    need(lb_quiesce(r->runtime), "quiescence");
}

static void show_times(const char *name, double *all, double base)
{
    const double median = bench_median(all, TIMES);
    bench_show(&(bench_row){.name = name,
                            .value = median,
                            .unit = "us",
                            .ratio = median / base,
                            .low = all[TIMES / 10] / base,
                            .high = all[TIMES - 1 - TIMES / 10] / base});
}

static void change(size_t count)
{
    times *const t = bench_memory(sizeof *t);
    char title[100];
    resolved r;
    open_resolved(&r, count);
    for (size_t i = 0; i < TIMES; i++)
        change_root(&r, t, i);
    for (size_t i = 0; i < TIMES; i++)
        change_leaf(&r, t, i);
    snprintf(title, sizeof title,
             "A class attribute replaced, %zu resolved class%s", count,
             count == 1 ? "" : "es");
    bench_table(title, "gets alone");
    const double base = bench_median(t->alone, TIMES);
    show_times("one get of each class, no change", t->alone, base);
    show_times("the change alone, at the root", t->change, base);
    show_times("the change, then one get of each", t->both, base);
    show_times("the change alone, on a leaf", t->leaf, base);
    if (t->wrong)
        bench_note("WRONG RESULT: %zu of %d changes were not seen by every "
                   "get after them",
                   t->wrong, TIMES);
    close_resolved(&r);
    free(t);
}

void load_attribute_changes(void)
{
    change(1);
    change(100);
    change(10000);
}
