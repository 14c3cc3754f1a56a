/* memory.c - what 10,000 classes cost of which each answers to 64 of 2,000
 * names, when every such pair has been called. Two shapes of use: names that
 * are introduced by inner classes and used by all below, and names at random.
 */
#include "loads.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLASSES = 10000,
    NAMES = 2000,
    USED = 64,
    /* Hierarchical: a root, 16 kinds below it, 90 sorts below them. */
    KINDS = 16,
    SORTS = 90,
    ROOT_NAMES = 24,
    KIND_NAMES = 22,
    SORT_NAMES = 18,
    FIRST_SORT = 1 + KINDS,
    FIRST_LEAF = FIRST_SORT + SORTS
};

/* What the allocation hook has counted. */
typedef struct account {
    size_t held, most, calls;
} account;

static void *count_bytes(void *context, void *pointer, size_t old_size,
                         size_t new_size)
{
    account *const a = context;
    void *result = NULL;
    if (new_size == 0)
        free(pointer);
    else if ((result = realloc(pointer, new_size)) == NULL)
        return NULL;
    a->held += new_size - (pointer ? old_size : 0);
    a->most = a->held > a->most ? a->held : a->most;
    a->calls++;
    return result;
}

typedef struct filled {
    account account;
    lb_runtime *runtime;
    lb_class **classes;
    lb_generic **names;
    size_t wrong;
} filled;

static lb_class *base_of(const filled *f, size_t i)
{
    if (i == 0)
        return NULL;
    if (i < FIRST_SORT)
        return f->classes[0];
    if (i < FIRST_LEAF)
        return f->classes[1 + (i - FIRST_SORT) % KINDS];
    return f->classes[FIRST_SORT + bench_random(SORTS)];
}

static void add_rule(lb_generic *generic, lb_class *cls,
                     const lb_method *method)
{
    const lb_specializer wanted = lb_is(cls);
    const lb_rule rule = {
        .method = method, .specializers = &wanted, .count = 1};
    need(lb_add_rules(generic, &rule, 1), "a rule");
}

static void open_filled(filled *f)
{
    lb_config config;
    memset(f, 0, sizeof *f);
    lb_config_init(&config);
    config.reallocate = count_bytes;
    config.allocator_context = &f->account;
    need(lb_runtime_create(&config, &f->runtime), "a runtime");
    f->classes = bench_memory(CLASSES * sizeof *f->classes);
    f->names = bench_memory(NAMES * sizeof *f->names);
    for (size_t i = 0; i < CLASSES; i++) {
        f->classes[i] = lb_class_make(f->runtime, "class", sizeof(thing),
                                      base_of(f, i), NULL);
        bench_need(f->classes[i] != NULL, lb_message());
    }
    for (size_t i = 0; i < NAMES; i++)
        need(lb_generic_create(f->runtime, NULL, LB_HEAD(name_000)->signature,
                               NULL, &f->names[i]),
             "a name");
}

static void call(filled *f, size_t cls, size_t name)
{
    thing object = {{0, 0}, (int)cls};
    lb_init(f->classes[cls], &object);
    f->wrong +=
        lb_in_name_000(lb_generic_head(f->names[name]), &object) < (int)cls;
}

/* ---- names introduced by inner classes ---------------------------------- */

/* The first of the names that class i introduces, and how many. */
static size_t first_name(size_t i)
{
    if (i == 0)
        return 0;
    if (i < FIRST_SORT)
        return ROOT_NAMES + (i - 1) * KIND_NAMES;
    return ROOT_NAMES + KINDS * KIND_NAMES + (i - FIRST_SORT) * SORT_NAMES;
}

static size_t name_count(size_t i)
{
    return i == 0 ? ROOT_NAMES : i < FIRST_SORT ? KIND_NAMES : SORT_NAMES;
}

/* Calls all names that `user` has from class `i`. */
static void call_names_of(filled *f, size_t user, size_t i)
{
    for (size_t k = 0; k < name_count(i); k++)
        call(f, user, first_name(i) + k);
}

static size_t sort_of(const filled *f, size_t leaf)
{
    lb_class *base;
    lb_class_bases(f->classes[leaf], &base, 1);
    for (size_t i = FIRST_SORT; i < FIRST_LEAF; i++)
        if (f->classes[i] == base)
            return i;
    bench_need(0, "a leaf's base");
    return 0;
}

/* Every leaf overrides one of its 64 names. */
static void fill_hierarchical(filled *f)
{
    for (size_t i = 0; i < FIRST_LEAF; i++)
        for (size_t k = 0; k < name_count(i); k++)
            add_rule(f->names[first_name(i) + k], f->classes[i],
                     family_methods[k]);
    for (size_t leaf = FIRST_LEAF; leaf < CLASSES; leaf++) {
        const size_t sort = sort_of(f, leaf);
        add_rule(f->names[first_name(sort) + leaf % SORT_NAMES],
                 f->classes[leaf], class_methods[leaf % BENCH_CLASSES]);
    }
    for (size_t leaf = FIRST_LEAF; leaf < CLASSES; leaf++) {
        const size_t sort = sort_of(f, leaf);
        call_names_of(f, leaf, 0);
        call_names_of(f, leaf, 1 + (sort - FIRST_SORT) % KINDS);
        call_names_of(f, leaf, sort);
    }
}

/* ---- names at random ----------------------------------------------------- */

/* A rule at the root for every name, and 64 of the names called on each. */
static void fill_random(filled *f)
{
    for (size_t i = 0; i < NAMES; i++)
        add_rule(f->names[i], f->classes[0], family_methods[i]);
    for (size_t cls = 0; cls < CLASSES; cls++) {
        uint32_t *const names = bench_shuffled(NAMES, NAMES);
        for (size_t k = 0; k < USED; k++)
            call(f, cls, names[k]);
        free(names);
    }
}

static void show_share(const lb_statistics *s)
{
    const double pairs = (double)(s->cells + s->displaced);
    bench_show(&(bench_row){.name = "pairs in the second level",
                            .value = 100.0 * (double)s->displaced / pairs,
                            .unit = "%",
                            .aim = BENCH_VALUE_AT_MOST,
                            .hold = 5});
    bench_note("%zu pairs in tables, %zu in the second level, %llu growths, "
               "%llu misses, %zu rules, %zu ids",
               s->cells, s->displaced, (unsigned long long)s->growths,
               (unsigned long long)s->misses, s->rules, s->ids);
}

static void show_bytes(const char *name, size_t bytes, double hold)
{
    bench_show(&(bench_row){.name = name,
                            .value = (double)bytes / CLASSES / 1024,
                            .unit = "Ki",
                            .aim = hold > 0 ? BENCH_VALUE_AT_MOST : BENCH_SHOWN,
                            .hold = hold});
}

static void measure(const char *title, void (*fill)(filled *f))
{
    lb_statistics s;
    filled f;
    open_filled(&f);
    const size_t empty = f.account.held;
    fill(&f);
    need(lb_get_statistics(f.runtime, &s), "statistics");
    const size_t held = f.account.held;
    bench_table(title, "none");
    show_bytes("everything, per class (KiB)", held, 7);
    show_bytes("of it classes, names without rules", empty, 0);
    show_bytes("of it tables", s.bytes_tables, 0);
    show_bytes("of it entries and rules", s.bytes_entries, 0);
    show_bytes("of it retired", s.bytes_retired, 0);
    show_bytes("what lb_statistics says is everything", s.bytes, 0);
    show_bytes("most that was held at once", f.account.most, 0);
    need(lb_quiesce(f.runtime), "quiescence");
    show_bytes("everything, after lb_quiesce", f.account.held, 0);
    show_share(&s);
    if (f.wrong)
        bench_note("WRONG RESULT: %zu calls", f.wrong);
    lb_runtime_destroy(f.runtime);
    if (f.account.held)
        bench_note("LEAKED: %zu bytes", f.account.held);
    free(f.names);
    free(f.classes);
}

void load_memory(void)
{
    measure("Memory: 10,000 classes, 64 of 2,000 names, by subtree",
            fill_hierarchical);
    measure("Memory: 10,000 classes, 64 of 2,000 names, at random",
            fill_random);
}
