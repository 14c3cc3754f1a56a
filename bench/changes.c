/* changes.c - what a change costs: a method replaced at the root of many
 * classes and called once on each, and many methods added to one name. */
#include "loads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lb_class **make_tree(lb_runtime *runtime, size_t count, size_t reach)
{
    lb_class **const classes = bench_memory(count * sizeof *classes);
    for (size_t i = 0; i < count; i++) {
        const size_t most = reach == 0 || reach > i ? i : reach;
        lb_class *const base =
            i == 0 ? NULL : classes[bench_random((uint32_t)most)];
        classes[i] = lb_class_make(runtime, "node", sizeof(thing), base, NULL);
        bench_need(classes[i] != NULL, lb_message());
    }
    return classes;
}

/* An instance of each class. */
static thing *make_objects(lb_class *const *classes, size_t count)
{
    thing *const objects = bench_memory(count * sizeof *objects);
    for (size_t i = 0; i < count; i++)
        lb_init(classes[i], &objects[i]);
    return objects;
}

/* ---- a method replaced at the root -------------------------------------- */

typedef struct rooted {
    lb_runtime *runtime;
    lb_generic *generic;
    lb_class **classes;
    thing *objects;
    size_t count;
} rooted;

static void set_root(const rooted *r, const lb_method *method)
{
    const lb_specializer root = lb_is(r->classes[0]);
    const lb_rule rule = {.method = method, .specializers = &root, .count = 1};
    need(lb_add_rules(r->generic, &rule, 1), "the root's method");
}

static uint64_t call_each(const rooted *r)
{
    const lb_head *const head = lb_generic_head(r->generic);
    uint64_t sum = 0;
    for (size_t i = 0; i < r->count; i++)
        sum += (uint64_t)lb_in_name_000(head, &r->objects[i]);
    return sum;
}

static void open_rooted(rooted *r, size_t count)
{
    r->count = count;
    need(lb_runtime_create(NULL, &r->runtime), "a runtime");
    r->classes = make_tree(r->runtime, count, 0);
    r->objects = make_objects(r->classes, count);
    need(lb_generic_create(r->runtime, "rooted", LB_HEAD(name_000)->signature,
                           NULL, &r->generic),
         "a name");
    set_root(r, class_methods[0]);
    call_each(r);
}

static void close_rooted(rooted *r)
{
    lb_runtime_destroy(r->runtime);
    free(r->objects);
    free(r->classes);
}

static void change_root(size_t count, double hold)
{
    enum { TIMES = 101 };
    double changed[TIMES], bare[TIMES], only[TIMES];
    size_t wrong = 0;
    rooted r;
    char title[100];

    open_rooted(&r, count);
    for (size_t i = 0; i < TIMES; i++) {
        const size_t method = (i + 1) % 2;
        const double start = bench_now();
        set_root(&r, class_methods[method]);
        const double middle = bench_now();
        wrong += call_each(&r) != method * count;
        const double end = bench_now();
        call_each(&r);
        bare[i] = (bench_now() - end) / 1e3;
        only[i] = (middle - start) / 1e3;
        changed[i] = (end - start) / 1e3;
        need(lb_quiesce(r.runtime), "quiescence");
    }
    const double base = bench_median(bare, TIMES);
    const double all = bench_median(changed, TIMES);
    snprintf(title, sizeof title, "A method changed at the root of %zu classes",
             count);
    bench_table(title, "calls alone");
    bench_show(&(bench_row){.name = "each called once, no change",
                            .value = base,
                            .unit = "us",
                            .ratio = 1});
    bench_show(&(bench_row){.name = "the change alone",
                            .value = bench_median(only, TIMES),
                            .unit = "us"});
    bench_show(&(bench_row){.name = "the change, then each called once",
                            .value = all,
                            .unit = "us",
                            .ratio = all / base,
                            .low = changed[TIMES / 10] / base,
                            .high = changed[TIMES - 1 - TIMES / 10] / base,
                            .aim = BENCH_VALUE_AT_MOST,
                            .hold = hold});
    if (wrong)
        bench_note("WRONG RESULT: %zu of %d changes were not seen by every "
                   "call after them",
                   wrong, TIMES);
    close_rooted(&r);
}

/* ---- many methods added to one name ------------------------------------- */

typedef struct many_rules {
    lb_rule *rules;
    lb_specializer *wanted;
    size_t count;
} many_rules;

static void count_report(void *context, lb_status status, const char *message)
{
    (void)status;
    (void)message;
    ++*(size_t *)context;
}

static many_rules make_rules(lb_class *const *classes, size_t class_count,
                             size_t count)
{
    many_rules made = {bench_memory(count * sizeof *made.rules),
                       bench_memory(count * 2 * sizeof *made.wanted), count};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < 2; k++)
            made.wanted[i * 2 + k] =
                lb_is(classes[bench_random((uint32_t)class_count)]);
        made.rules[i].method = pair_methods[i % 1024];
        made.rules[i].specializers = &made.wanted[i * 2];
        made.rules[i].count = 2;
    }
    return made;
}

/* Adds the rules, `step` at a time, and calls once: microseconds. */
static double add_rules(lb_runtime *runtime, const many_rules *many,
                        size_t step)
{
    thing objects[2] = {{{0, 0}, 0}, {{0, 0}, 0}};
    lb_generic *generic;
    need(lb_generic_create(runtime, "many", LB_HEAD(meet)->signature, NULL,
                           &generic),
         "a name");
    lb_init(many->wanted[0].cls, &objects[0]);
    lb_init(many->wanted[1].cls, &objects[1]);
    const double start = bench_now();
    for (size_t i = 0; i < many->count; i += step)
        need(lb_add_rules(generic, many->rules + i, step), "rules");
    (void)lb_in_meet(lb_generic_head(generic), &objects[0], &objects[1]);
    const double took = bench_now() - start;
    need(lb_generic_destroy(generic), "the name's end");
    need(lb_quiesce(runtime), "quiescence");
    return took / 1e3;
}

static void add_many(size_t class_count, double hold)
{
    double batch[BENCH_ROUNDS], single[BENCH_ROUNDS];
    size_t reports = 0, reported = 0;
    lb_runtime *runtime;
    lb_config config;
    char title[120];

    lb_config_init(&config);
    config.report = count_report;
    config.report_context = &reports;
    need(lb_runtime_create(&config, &runtime), "a runtime");
    lb_class **const classes = make_tree(runtime, class_count, 0);
    many_rules many = make_rules(classes, class_count, 1000);
    for (size_t round = 0; round < BENCH_ROUNDS; round++) {
        reports = 0;
        batch[round] = add_rules(runtime, &many, many.count);
        reported = reports;
        single[round] = add_rules(runtime, &many, 1);
    }
    snprintf(title, sizeof title,
             "1,000 methods of two arguments added over "
             "%zu classes, ambiguity checked, first call",
             class_count);
    bench_table(title, "none");
    bench_show(&(bench_row){.name = "in one batch",
                            .unit = "us",
                            .value = bench_median(batch, BENCH_ROUNDS),
                            .aim = BENCH_VALUE_AT_MOST,
                            .hold = hold});
    bench_show(&(bench_row){.name = "one by one",
                            .unit = "us",
                            .value = bench_median(single, BENCH_ROUNDS),
                            .aim = BENCH_VALUE_AT_MOST,
                            .hold = hold});
    bench_note("reports of ambiguity: %zu in the batch, %zu one by one",
               reported, reports - reported);
    lb_runtime_destroy(runtime);
    free(many.rules);
    free(many.wanted);
    free(classes);
}

void load_changes(void)
{
    change_root(1000, 60);
    change_root(10000, 1000);
    add_many(1000, 5e3);
    add_many(10000, 100e3);
}
