/* attribute_paper.c - the benchmarks of
 *   M. von Löwis, "Virtual Method Tables in Python", 7th International Python
 *   Conference, 1998:
 * class X has a method, class Y(X) a thousand other names, y is an instance of
 * Y. Asked is y.f again and again; and, his first try, a thousand names in
 * turn. Under each policy, beside CPython and Lua.
 *
 * How CPython is measured without its cache of attributes of types: that takes
 * no names of more than 100 characters. X has the same method under such a
 * name; the string keeps its hash and is compared by its address, so that its
 * length costs nothing else. (To call PyType_Modified before each get would
 * measure the filling of the cache as well, and its cost alone cannot be
 * measured: on a type that was not asked since, it returns at once.)
 */
#include "attribute_loops.h"
#include "attribute_peers.h"
#include "loads.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES = 1000, GETS = 4000, LATEBIND = 7, PEERS = 4 };

/* f; and 120 characters. */
#define TWENTY "a_name_of_characters"
static const char long_name[] = TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY;
static const char *const of_x[] = {"f", long_name};

/* ---- the program in Latebind --------------------------------------------- */

/* An instruction that gets an attribute. */
typedef struct instruction {
    const lb_symbol *symbol;
    lb_site site;
} instruction;

typedef instruction *place;

/* A runtime with the program, and its instructions. */
typedef struct setting {
    const char *name;
    lb_object_options options;
    lb_threading threading;
    lb_runtime *runtime;
    lb_object y;
    instruction *code;
    place *items;
} setting;

static setting settings[LATEBIND] = {
    {.name = "search",
     .options = {.policy = LB_POLICY_SEARCH, .order = LB_ORDER_1998}},
    {.name = "table64",
     .options = {.policy = LB_POLICY_TABLE64, .order = LB_ORDER_1998}},
    {.name = "site",
     .options = {.policy = LB_POLICY_SITE, .order = LB_ORDER_1998}},
    {.name = "table", .options = {.order = LB_ORDER_1998}},
    {.name = "table, Python 3's order"},
    {.name = "search, single-threaded",
     .options = {.policy = LB_POLICY_SEARCH, .order = LB_ORDER_1998},
     .threading = LB_SINGLE_THREADED},
    {.name = "table64, single-threaded",
     .options = {.policy = LB_POLICY_TABLE64, .order = LB_ORDER_1998},
     .threading = LB_SINGLE_THREADED}};

/* 1 if found: every attribute, and what every method returns, is 1. */
BENCH_BODY uint64_t taken(lb_status status, const lb_found *found)
{
    if (status != LB_OK)
        return 0;
    return found->kind == LB_FOUND_METHOD ? found->method->value.bits
                                          : found->value.bits;
}

BENCH_BODY uint64_t get(const setting *s, place item)
{
    lb_found found;
    const lb_status status = lb_try_get(&s->y, item->symbol, &found);
    return taken(status, &found);
}

BENCH_BODY uint64_t get_at(const setting *s, place item)
{
    lb_found found;
    const lb_status status =
        lb_try_get_at(&item->site, &s->y, item->symbol, &found);
    return taken(status, &found);
}

BENCH_LOOPS(search, place, get(&settings[0], item));
BENCH_LOOPS(table64, place, get(&settings[1], item));
BENCH_LOOPS(site, place, get_at(&settings[2], item));
BENCH_LOOPS(table, place, get(&settings[3], item));
BENCH_LOOPS(python3, place, get(&settings[4], item));
BENCH_LOOPS(single, place, get(&settings[5], item));
BENCH_LOOPS(single64, place, get(&settings[6], item));

static bench_loop *const *const loops[LATEBIND] = {
    search_loops,  table64_loops, site_loops,    table_loops,
    python3_loops, single_loops,  single64_loops};

static lb_status answer_one(const lb_attribute *self, size_t argc,
                            const lb_value *argv, lb_value *result)
{
    (void)argc;
    (void)argv;
    *result = self->value;
    return LB_OK;
}

static void define(lb_class *cls, const char *const *names, size_t count,
                   int methods)
{
    lb_definition *const all = bench_memory(count * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[i].symbol = lb_intern(lb_class_runtime(cls), names[i]);
        all[i].spec.kind = methods ? LB_FUNCTION : LB_VALUE;
        all[i].spec.call = methods ? answer_one : NULL;
        all[i].spec.value.integer = 1;
    }
    need(lb_class_define(cls, all, count), "a dictionary");
    free(all);
}

static lb_runtime *make_runtime(const setting *s)
{
    lb_runtime *runtime;
    lb_config config;
    lb_config_init(&config);
    config.threading = s->threading;
    need(lb_runtime_create(&config, &runtime), "a runtime");
    need(lb_objects_configure(runtime, &s->options), "its options");
    return runtime;
}

static void open_setting(setting *s, const attribute_program *p,
                         const char *const *asked, size_t asked_count)
{
    s->runtime = make_runtime(s);
    lb_class *const x = lb_object_class(s->runtime, "X", NULL, NULL);
    lb_class *const y = lb_object_class(s->runtime, "Y", x, NULL);
    bench_need(x != NULL && y != NULL, lb_message());
    define(x, p->of_x, p->of_x_count, p->methods);
    define(y, p->of_y, p->of_y_count, 0);
    lb_object_init(y, &s->y);
    s->code = bench_memory(asked_count * sizeof *s->code);
    s->items = bench_memory(GETS * sizeof *s->items);
    for (size_t i = 0; i < asked_count; i++)
        s->code[i].symbol = lb_intern(s->runtime, asked[i]);
    for (size_t i = 0; i < GETS; i++)
        s->items[i] = &s->code[i % asked_count];
}

static void close_setting(setting *s)
{
    lb_object_clear(&s->y);
    lb_runtime_destroy(s->runtime);
    free(s->code);
    free(s->items);
}

/* ---- the comparison ------------------------------------------------------ */

typedef struct comparison {
    const char *title;
    attribute_program program;
    const char *const *asked;
    size_t asked_count;
    bench_variant variants[LATEBIND + PEERS];
    double medians[LATEBIND + PEERS];
    void *items[PEERS]; /* of the languages */
    size_t count;
} comparison;

static void add_peer(comparison *c, const attribute_peer *peer,
                     const char *name, const char *const *asked,
                     size_t asked_count)
{
    if (peer->loops == NULL)
        return;
    void *const items = peer->items(asked, asked_count, GETS);
    bench_need(items != NULL, peer->name);
    c->items[c->count - LATEBIND] = items;
    c->variants[c->count++] = (bench_variant){name, peer->loops, items, 0};
}

static void open_language(const attribute_language *language,
                          const attribute_program *program)
{
    if (language->open != NULL)
        bench_need(language->open(program), language->name);
}

static void close_language(const attribute_language *language)
{
    if (language->close != NULL)
        language->close();
}

static void open_comparison(comparison *c)
{
    for (size_t i = 0; i < LATEBIND; i++) {
        open_setting(&settings[i], &c->program, c->asked, c->asked_count);
        c->variants[i] =
            (bench_variant){settings[i].name, loops[i], settings[i].items, 0};
    }
    c->count = LATEBIND;
    open_language(&bench_python, &c->program);
    open_language(&bench_lua, &c->program);
    add_peer(c, &bench_python_get, "CPython", c->asked, c->asked_count);
    if (c->asked_count == 1)
        add_peer(c, &bench_python_get, "CPython without its cache", of_x + 1,
                 1);
    add_peer(c, &bench_lua_field, bench_lua_field.name, c->asked,
             c->asked_count);
    add_peer(c, &bench_lua_table, bench_lua_table.name, c->asked,
             c->asked_count);
}

static void close_comparison(comparison *c)
{
    for (size_t i = LATEBIND; i < c->count; i++)
        free(c->items[i - LATEBIND]);
    close_language(&bench_lua);
    close_language(&bench_python);
    for (size_t i = 0; i < LATEBIND; i++)
        close_setting(&settings[i]);
}

/* A row for the ratio of two that are not the baseline. */
static void show_ratio(const comparison *c, const char *name, size_t a,
                       size_t b, double hold)
{
    bench_show(&(bench_row){.name = name,
                            .value = c->medians[a],
                            .unit = "ns",
                            .ratio = c->medians[a] / c->medians[b],
                            .aim = hold > 0 ? BENCH_RATIO_AT_MOST : BENCH_SHOWN,
                            .hold = hold});
}

enum {
    SEARCH = 0,
    TABLE = 3,
    SEARCH_SINGLE = 5,
    TABLE64_SINGLE = 6,
    CPYTHON = LATEBIND,
    WITHOUT_CACHE
};

/* `held`: the ratios are held to something. */
static void compare(comparison *c, int held)
{
    open_comparison(c);
    c->variants[TABLE].hold = held ? 0.333 : 0;
    bench_compare(c->title, c->variants, c->count, GETS, GETS, c->medians);
    show_ratio(c, "table64 / search, single-threaded", TABLE64_SINGLE,
               SEARCH_SINGLE, 0);
    if (bench_python.open != NULL) {
        show_ratio(c, "table / CPython", TABLE, CPYTHON, held ? 0.3 : 0);
        if (c->asked_count == 1)
            show_ratio(c, "search / CPython without its cache", SEARCH,
                       WITHOUT_CACHE, held ? 1.5 : 0);
    }
    close_comparison(c);
}

/* y's thousand names. */
static char texts[NAMES][12];
static const char *of_y[NAMES];

static void one_name_many_times(int methods, int held)
{
    comparison c = {.title = methods ? "The paper of 1998: y.f, a method of "
                                       "X, behind Y's 1,000 names"
                                     : "The same with a value in its place",
                    .program = {of_x, 2, of_y, NAMES, methods},
                    .asked = of_x,
                    .asked_count = 1};
    compare(&c, held);
}

static void many_names_in_turn(void)
{
    comparison c = {.title = "The paper's first try: 1,000 names of Y in turn",
                    .program = {of_x, 2, of_y, NAMES, 1},
                    .asked = of_y,
                    .asked_count = NAMES};
    compare(&c, 0);
}

void load_paper(void)
{
    for (size_t i = 0; i < NAMES; i++) {
        snprintf(texts[i], sizeof texts[i], "name_%zu", i);
        of_y[i] = texts[i];
    }
    one_name_many_times(1, 1);
    bench_note("in 1998, Python 1.5: 26 s before, 16 s after (search, table64: "
               "0.62). The instance first, as then, unless a row says "
               "otherwise; peers: CPython %s, Lua %s (none: left out)",
               bench_python.version, bench_lua.version);
    bench_note("search, table64 and site take the runtime's lock for each get, "
               "but not in a single-threaded runtime, which is nearest to what "
               "the paper and the peers do");
    bench_note("without its cache: by a name of %zu characters, which the "
               "cache does not take; a get of a method makes a bound method "
               "there, a copied struct here, nothing in Lua",
               sizeof long_name - 1);
    one_name_many_times(0, 0);
    many_names_in_turn();
    bench_note("in 1998: 10 s before, 13 s after (1.3). 64 numbers for 1,000 "
               "names: none is asked again before its generation has ended, "
               "so no get hits and every 64th clears the table; a program "
               "asks for few names at a time");
}
