/* object/space.c - options, counters, and the observer of core's changes. */
#include "object/space.h"

#include "core/ids.h"

#include "object/cells.h"
#include "object/dictionary.h"
#include "object/instance.h"
#include "object/members.h"
#include "object/numbers.h"
#include "object/symbol.h"

enum { PUBLISHED_SIZE = 64, LARGEST_TABLE = 1 << 20 };

/* ---- what core tells ---------------------------------------------------- */

static bool has_stamp(uint32_t id, const void *context)
{
    const lb_class *cls = lbi_class_by_id(id);
    return cls == NULL || cls->stamp == *(const uint64_t *)context;
}

static void relinearized(lb_runtime *runtime, uint64_t stamp)
{
    size_t dropped = 0;
    LBI_EACH_SYMBOL (symbol, runtime->space)
        dropped += lbi_cells_drop(runtime, symbol, has_stamp, &stamp);
    lbi_tally(runtime->space, dropped, dropped);
    lbi_entries_clear(runtime);
}

static bool is_gone(uint32_t id, const void *context)
{
    (void)context;
    return lbi_class_by_id(id) == NULL;
}

static void sweep(lb_runtime *runtime)
{
    LBI_EACH_SYMBOL (symbol, runtime->space)
        lbi_cells_drop(runtime, symbol, is_gone, NULL);
}

static void count(lb_runtime *runtime, lb_statistics *result)
{
    const lbi_space *space = runtime->space;
    result->cells += space->counters.cells;
    result->bytes_tables += space->cell_bytes + space->counters.bytes_tables;
    LBI_EACH_SYMBOL (symbol, space)
        result->cells += symbol->live;
}

/* Values that classes hold are released while all classes are still there, so
 * that a hook may free the objects among them. */
static void end_members(lb_runtime *runtime)
{
    for (lb_class *cls = runtime->first_class; cls; cls = cls->next)
        lbi_members_end(runtime, cls);
}

/* The last to go: deferred releases have asked for its hooks until now. */
static void close_space(lb_runtime *runtime)
{
    lbi_space *space = runtime->space;
    lbi_symbols_end(runtime, space);
    lbi_hierarchies_end(runtime, space);
    lbi_free_text(&runtime->allocator, space->missing_name);
    lbi_free(&runtime->allocator, space, sizeof *space);
    runtime->space = NULL;
}

static const lbi_observer observer = {.relinearized = relinearized,
                                      .ended = lbi_members_end,
                                      .reclassed = lbi_reclass,
                                      .deleted = lbi_instance_end,
                                      .sweep = sweep,
                                      .count = count,
                                      .end = end_members,
                                      .close = close_space};

/* ---- making ------------------------------------------------------------- */

static bool by_choice(lb_choice choice, bool otherwise)
{
    return choice == LB_DEFAULT ? otherwise : choice == LB_YES;
}

/* A hierarchy counts its own first generation when it is first met. */
static uint64_t first_generation(const lbi_space *space)
{
    return space->options.when_full != LB_FULL_HIERARCHY;
}

static void apply(lbi_space *space, const lb_runtime *runtime)
{
    const lb_object_options *o = &space->options;
    const bool table = o->policy == LB_POLICY_TABLE;
    space->single = runtime->config.threading == LB_SINGLE_THREADED;
    space->inlined = table && !o->counting;
    space->marks = by_choice(o->mark, o->policy != LB_POLICY_SEARCH);
    space->table_size = o->table_size ? o->table_size : PUBLISHED_SIZE;
    space->supply.generation = 1;
    space->counters.generations = first_generation(space);
}

static lbi_space *make_space(lb_runtime *runtime,
                             const lb_object_options *options)
{
    lbi_allocator *allocator = &runtime->allocator;
    lbi_space *space = lbi_zalloc(allocator, sizeof *space);
    if (space == NULL)
        return NULL;
    space->options = *options;
    apply(space, runtime);
    space->missing_name = lbi_copy_text(
        allocator, options->missing ? options->missing : "__getattr__");
    space->options.missing = space->missing_name;
    if (space->missing_name)
        space->missing = lbi_symbol_make(runtime, space, space->missing_name);
    if (space->missing == NULL) {
        lbi_symbols_end(runtime, space);
        lbi_free_text(allocator, space->missing_name);
        lbi_free(allocator, space, sizeof *space);
        return NULL;
    }
    lbi_store(&runtime->space, space);
    lbi_store(&runtime->observers[LBI_OBJECTS], &observer);
    return space;
}

lbi_space *lbi_space_of(lb_runtime *runtime)
{
    static const lb_object_options defaults;
    return runtime->space ? runtime->space : make_space(runtime, &defaults);
}

lbi_members *lbi_members_of(lb_class *cls)
{
    if (cls->members == NULL)
        cls->members =
            lbi_zalloc(&cls->runtime->allocator, sizeof *cls->members);
    return cls->members;
}

/* ---- options ------------------------------------------------------------ */

/* One option that must lie in 0 to `last`. */
typedef struct limited {
    const char *name, *wanted;
    unsigned value, last;
} limited;

static lb_status check_options(const lb_object_options *o)
{
    const limited all[] = {
        {"order", "lb_search_order", (unsigned)o->order, LB_ORDER_1998},
        {"policy", "lb_cache_policy", (unsigned)o->policy, LB_POLICY_SITE},
        {"mark", "lb_choice", (unsigned)o->mark, LB_NO},
        {"cache_negative", "lb_choice", (unsigned)o->cache_negative, LB_NO},
        {"drop_changed", "lb_choice", (unsigned)o->drop_changed, LB_NO},
        {"intern_writes", "lb_choice", (unsigned)o->intern_writes, LB_NO},
        {"when_full", "lb_when_full", (unsigned)o->when_full,
         LB_FULL_HIERARCHY},
        {"poor_percent", "0 to 100", o->poor_percent, 100},
        {"table_size", "0 to 2^20, or LB_UNBOUNDED",
         o->table_size == LB_UNBOUNDED ? 0 : o->table_size, LARGEST_TABLE},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value > all[i].last)
            return lbi_fail(LB_BAD_ARGUMENT, "options.%s is %u; want %s",
                            all[i].name, all[i].value, all[i].wanted);
    if (o->when_full == LB_FULL_HIERARCHY && o->policy == LB_POLICY_SITE)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "options.when_full is LB_FULL_HIERARCHY, which numbers "
                        "names; LB_POLICY_SITE numbers places in the code");
    return LB_OK;
}

lb_status lb_objects_configure(lb_runtime *runtime,
                               const lb_object_options *options)
{
    if (runtime == NULL || options == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime ? "options" : "runtime");
    lb_status status = check_options(options);
    if (status != LB_OK || (status = lbi_enter_runtime(runtime)) != LB_OK)
        return status;
    if (runtime->space)
        status = lbi_fail(LB_BUSY, "the runtime has symbols already; "
                                   "configure it before the first one");
    else if (make_space(runtime, options) == NULL)
        status = lbi_no_memory();
    return lbi_leave_runtime(runtime, status);
}

/* ---- counters ----------------------------------------------------------- */

lb_status lb_get_counters(lb_runtime *runtime, lb_counters *result)
{
    if (runtime == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime ? "result" : "runtime");
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    const lbi_space *space = runtime->space;
    *result = (lb_counters){.gets = 0};
    if (space) {
        *result = space->counters;
        result->bytes_tables += space->cell_bytes;
        result->bytes_dictionaries = space->dictionary_bytes;
        result->bytes_symbols = space->symbol_bytes;
        LBI_EACH_SYMBOL (symbol, space) {
            result->cells += symbol->live;
            result->tables += symbol->slots != 0;
        }
    }
    return lbi_leave_runtime(runtime, LB_OK);
}

lb_status lb_counters_reset(lb_runtime *runtime)
{
    if (runtime == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "runtime is NULL");
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    if (runtime->space) {
        lb_counters *c = &runtime->space->counters;
        const lb_counters now = *c;
        *c = (lb_counters){.generations = first_generation(runtime->space),
                           .numbered = now.numbered,
                           .symbols = now.symbols,
                           .tables = now.tables,
                           .cells = now.cells,
                           .bytes_tables = now.bytes_tables};
    }
    return lbi_leave_runtime(runtime, LB_OK);
}
