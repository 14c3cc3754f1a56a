/* attribute_memory.c - what classes with attributes cost in bytes: one of which
 * nothing is asked, and one of many that use a name or two each. */
#include "attribute_things.h"
#include "loads.h"

#include <stdio.h>
#include <stdlib.h>

enum { BARE = 10000, CLASSES = 7000, INNER = 70 };

/* Counts what is held; `context` is a size_t. */
static void *count_held(void *context, void *pointer, size_t old_size,
                        size_t new_size)
{
    size_t *const held = context;
    void *result = NULL;
    if (new_size == 0)
        free(pointer);
    else if ((result = realloc(pointer, new_size)) == NULL)
        return NULL;
    *held += new_size - (pointer ? old_size : 0);
    return result;
}

static lb_runtime *counted_runtime(size_t *held)
{
    lb_runtime *runtime;
    lb_config config;
    *held = 0;
    lb_config_init(&config);
    config.reallocate = count_held;
    config.allocator_context = held;
    need(lb_runtime_create(&config, &runtime), "a runtime");
    return runtime;
}

static lb_statistics figures(lb_runtime *runtime)
{
    lb_statistics s;
    need(lb_get_statistics(runtime, &s), "statistics");
    return s;
}

static void show_bytes(const char *name, size_t bytes, size_t count,
                       double hold)
{
    bench_show(&(bench_row){.name = name,
                            .value = (double)bytes / (double)count,
                            .unit = "B",
                            .aim = hold > 0 ? BENCH_VALUE_AT_MOST : BENCH_SHOWN,
                            .hold = hold});
}

static lb_class *make_class(lb_runtime *runtime, lb_class *base)
{
    lb_class *const made = lb_object_class(runtime, "class", base, NULL);
    bench_need(made != NULL, lb_message());
    return made;
}

/* Classes below one root: no instance, no attribute, nothing asked. */
static void bare_classes(void)
{
    size_t held;
    lb_runtime *const runtime = counted_runtime(&held);
    lb_class *const root = make_class(runtime, NULL);
    const size_t counted = held, before = figures(runtime).bytes;
    for (size_t i = 0; i < BARE; i++)
        (void)make_class(runtime, root);
    bench_table("Memory: a class without attributes and instances", "none");
    show_bytes("a class", figures(runtime).bytes - before, BARE, 500);
    show_bytes("the same as the allocator counts", held - counted, BARE, 0);
    lb_runtime_destroy(runtime);
}

/* ---- classes that use 1.3 names each ------------------------------------- */

typedef struct used_names {
    size_t held;
    lb_runtime *runtime;
    lb_class *classes[CLASSES];
    const lb_symbol **pool;
    size_t pool_size;
    size_t uses, wrong;
} used_names;

static void open_used(used_names *u, size_t pool_size)
{
    char name[20];
    u->runtime = counted_runtime(&u->held);
    u->pool = bench_memory(pool_size * sizeof(lb_symbol *));
    u->pool_size = pool_size;
    for (size_t i = 0; i < pool_size; i++) {
        snprintf(name, sizeof name, "name_%zu", i);
        u->pool[i] = lb_intern(u->runtime, name);
    }
    for (size_t i = 0; i < CLASSES; i++) {
        const uint32_t reach = i < INNER ? (uint32_t)i : INNER;
        lb_class *const base = i == 0 ? NULL : u->classes[bench_random(reach)];
        u->classes[i] = make_class(u->runtime, base);
    }
}

/* Defines the name on the class, and asks an instance for it. */
static void use_name(used_names *u, size_t cls, const lb_symbol *symbol)
{
    const lb_attribute_spec spec = {.value.integer = (int64_t)cls};
    lb_found found;
    lb_object object;
    need(lb_class_set(u->classes[cls], symbol, &spec), "an attribute");
    lb_object_init(u->classes[cls], &object);
    need(lb_try_get(&object, symbol, &found), "a get");
    u->wrong += found.value.bits != cls;
    u->uses++;
}

/* Every class one name, three of ten another one. */
static void use_all(used_names *u)
{
    const uint32_t size = (uint32_t)u->pool_size;
    for (size_t i = 0; i < CLASSES; i++) {
        const uint32_t first = bench_random(size);
        const uint32_t other = (first + 1 + bench_random(size - 1)) % size;
        use_name(u, i, u->pool[first]);
        if (i % 10 < 3)
            use_name(u, i, u->pool[other]);
    }
}

/* A pair without a cell is searched at every get. */
static void show_cells(const used_names *u, const lb_counters *c)
{
    const double without = (double)u->uses - (double)c->cells;
    bench_show(&(bench_row){.name = "pairs without a cell",
                            .value = 100 * without / (double)u->uses,
                            .unit = "%"});
    bench_note("%zu pairs of class and name, %llu cells filled in %llu tables",
               u->uses, (unsigned long long)c->cells,
               (unsigned long long)c->tables);
}

static void show_used(used_names *u)
{
    const lb_statistics s = figures(u->runtime);
    lb_counters c;
    need(lb_get_counters(u->runtime, &c), "counters");
    show_bytes("everything, per class", s.bytes, CLASSES, 1024);
    show_bytes("of it classes", s.bytes_classes, CLASSES, 0);
    show_bytes("of it dictionaries", c.bytes_dictionaries, CLASSES, 0);
    show_bytes("of it symbols and their texts", c.bytes_symbols, CLASSES, 0);
    show_bytes("of it tables", c.bytes_tables, CLASSES, 0);
    show_bytes("of it retired", s.bytes_retired, CLASSES, 0);
    show_bytes("everything, as the allocator counts", u->held, CLASSES, 0);
    need(lb_quiesce(u->runtime), "quiescence");
    show_bytes("the same, after lb_quiesce", u->held, CLASSES, 0);
    show_cells(u, &c);
}

static void used_classes(size_t pool_size)
{
    used_names *const u = bench_memory(sizeof *u);
    char title[100];
    open_used(u, pool_size);
    use_all(u);
    snprintf(title, sizeof title,
             "Memory: %d classes, 1.3 names each, of %zu names", CLASSES,
             pool_size);
    bench_table(title, "none");
    show_used(u);
    if (u->wrong)
        bench_note("WRONG RESULT: %zu gets", u->wrong);
    lb_runtime_destroy(u->runtime);
    if (u->held)
        bench_note("LEAKED: %zu bytes", u->held);
    free(u->pool);
    free(u);
}

void load_attribute_memory(void)
{
    bare_classes();
    used_classes(100);
    used_classes(1000);
    used_classes(5000);
}
