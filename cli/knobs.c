/* Options and their words. Each option is a row of a table; what it accepts is
 * said again in its message when something else is given. */
#include "knobs.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char knobs_usage[] =
    "  --order 1998|python3    the instance first; or data descriptors first\n"
    "                          (default 1998)\n"
    "  --mark yes|no           ask instances only for names that one held\n"
    "                          (default yes, but no for search)\n"
    "Knobs of table64 and site:\n"
    "  --table-size N          entries, 1 to 1048576, or unbounded (default "
    "64)\n"
    "  --negative              also remember what was not found\n"
    "  --drop                  a changed name loses its entries, instead of\n"
    "                          being searched for ever\n"
    "  --when-full HOW         all numbers are given: clear (begin again; the\n"
    "                          default), stop, poor (clear if few hits), or\n"
    "                          hierarchy (number each topmost class apart)\n"
    "  --thrash-limit N        after N clearings without hits a class has no\n"
    "                          table any more (default 0: never)\n"
    "  --table-pool N          N tables at most (default 0: no limit)\n";

static const char *const policy_names[] = {[LB_POLICY_TABLE] = "table",
                                           [LB_POLICY_SEARCH] = "search",
                                           [LB_POLICY_TABLE64] = "table64",
                                           [LB_POLICY_SITE] = "site"};
static const char *const order_names[] = {
    [LB_ORDER_PYTHON3] = "python3", [LB_ORDER_1998] = "1998"};
static const char *const when_full_names[] = {[LB_FULL_CLEAR] = "clear",
                                              [LB_FULL_STOP] = "stop",
                                              [LB_FULL_POOR] = "poor",
                                              [LB_FULL_HIERARCHY] =
                                                  "hierarchy"};
static const char *const choice_names[] = {
    [LB_DEFAULT] = "", [LB_YES] = "yes", [LB_NO] = "no"};

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

/* ---- Values ------------------------------------------------------------ */

static int find_word(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (words[i][0] && strcmp(word, words[i]) == 0)
            return (int)i;
    return -1;
}

static bool find_number(const char *word, uint32_t least, uint32_t most,
                        uint32_t *number)
{
    uint64_t value = 0;
    const size_t size = strlen(word);
    if (size == 0 || size > 10 || strspn(word, "0123456789") != size)
        return false;
    value = strtoull(word, NULL, 10);
    *number = (uint32_t)value;
    return value >= least && value <= most;
}

static bool take_order(lb_object_options *o, const char *value)
{
    const int order = find_word(value, order_names, COUNT_OF(order_names));
    o->order = order < 0 ? o->order : (lb_search_order)order;
    return order >= 0;
}

static bool take_mark(lb_object_options *o, const char *value)
{
    const int mark = find_word(value, choice_names, COUNT_OF(choice_names));
    o->mark = mark < 0 ? o->mark : (lb_choice)mark;
    return mark >= 0;
}

static bool take_table_size(lb_object_options *o, const char *value)
{
    if (strcmp(value, "unbounded") != 0)
        return find_number(value, 1, 1 << 20, &o->table_size);
    o->table_size = LB_UNBOUNDED;
    return true;
}

static bool take_when_full(lb_object_options *o, const char *value)
{
    const int how =
        find_word(value, when_full_names, COUNT_OF(when_full_names));
    o->when_full = how < 0 ? o->when_full : (lb_when_full)how;
    return how >= 0;
}

static bool take_thrash_limit(lb_object_options *o, const char *value)
{
    return find_number(value, 0, UINT32_MAX - 1, &o->thrash_limit);
}

static bool take_table_pool(lb_object_options *o, const char *value)
{
    return find_number(value, 0, UINT32_MAX - 1, &o->table_pool);
}

static bool take_negative(lb_object_options *o, const char *value)
{
    (void)value;
    o->cache_negative = LB_YES;
    return true;
}

static bool take_drop(lb_object_options *o, const char *value)
{
    (void)value;
    o->drop_changed = LB_YES;
    return true;
}

/* ---- Options ----------------------------------------------------------- */

static const struct {
    const char *name;
    const char *accepted; /* NULL: it has no value */
    bool (*take)(lb_object_options *options, const char *value);
} knobs[] = {
    {"--order", "1998 or python3", take_order},
    {"--mark", "yes or no", take_mark},
    {"--table-size", "a number from 1 to 1048576, or unbounded",
     take_table_size},
    {"--negative", NULL, take_negative},
    {"--drop", NULL, take_drop},
    {"--when-full", "clear, stop, poor or hierarchy", take_when_full},
    {"--thrash-limit", "a number from 0 to 4294967294", take_thrash_limit},
    {"--table-pool", "a number from 0 to 4294967294", take_table_pool},
};

knobs_taken knobs_take(lb_object_options *options, const char *name,
                       const char *value, fault *why)
{
    for (size_t i = 0; i < COUNT_OF(knobs); i++) {
        if (strcmp(name, knobs[i].name) != 0)
            continue;
        if (knobs[i].accepted == NULL)
            return knobs[i].take(options, NULL) ? KNOBS_ONE : KNOBS_WRONG;
        if (value && knobs[i].take(options, value))
            return KNOBS_TWO;
        fault_set(why, name, 0, "%s%s%s it takes %s", value ? "\"" : "",
                  value ? show(value).text : "it has no value;",
                  value ? "\" is not accepted;" : "", knobs[i].accepted);
        return KNOBS_WRONG;
    }
    return KNOBS_UNKNOWN;
}

bool knobs_policy(const char *name, lb_cache_policy *policy)
{
    const int found = find_word(name, policy_names, COUNT_OF(policy_names));
    *policy = found < 0 ? LB_POLICY_TABLE : (lb_cache_policy)found;
    return found >= 0;
}

const char *knobs_policy_name(lb_cache_policy policy)
{
    return policy_names[policy];
}

const char *knobs_order_name(lb_search_order order)
{
    return order_names[order];
}

const char *knobs_when_full_name(lb_when_full when_full)
{
    return when_full_names[when_full];
}

lb_object_options knobs_for_policy(lb_object_options options,
                                   lb_cache_policy policy)
{
    lb_object_options own = {
        .order = options.order, .policy = policy, .counting = options.counting};
    if (policy == LB_POLICY_TABLE)
        return own;
    if (policy == LB_POLICY_SEARCH) {
        own.mark = options.mark;
        return own;
    }
    own = options;
    own.policy = policy;
    /* A hierarchy numbers names, not places. */
    if (policy == LB_POLICY_SITE && own.when_full == LB_FULL_HIERARCHY)
        own.when_full = LB_FULL_CLEAR;
    return own;
}

bool knobs_marks(const lb_object_options *options)
{
    return options->policy == LB_POLICY_TABLE || options->mark == LB_YES ||
           (options->mark == LB_DEFAULT && options->policy != LB_POLICY_SEARCH);
}

/* ---- Description ------------------------------------------------------- */

static void append(knobs_text *to, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void append(knobs_text *to, const char *format, ...)
{
    const size_t used = strlen(to->text);
    va_list rest;
    va_start(rest, format);
    vsnprintf(to->text + used, sizeof to->text - used, format, rest);
    va_end(rest);
}

static void append_size(knobs_text *to, uint32_t size)
{
    if (size == LB_UNBOUNDED)
        append(to, " unbounded");
    else if (size)
        append(to, " %u", size);
}

knobs_text knobs_describe(const lb_object_options *o)
{
    knobs_text result = {""};
    append(&result, "%s", policy_names[o->policy]);
    append_size(&result, o->table_size);
    if (o->mark == LB_YES && o->policy == LB_POLICY_SEARCH)
        append(&result, " + mark");
    if (o->mark == LB_NO && o->policy != LB_POLICY_SEARCH)
        append(&result, ", no mark");
    if (o->cache_negative == LB_YES)
        append(&result, " + negative");
    if (o->drop_changed == LB_YES)
        append(&result, " + drop");
    if (o->when_full != LB_FULL_CLEAR)
        append(&result, ", %s when full", when_full_names[o->when_full]);
    if (o->thrash_limit)
        append(&result, ", thrash limit %u", o->thrash_limit);
    if (o->table_pool)
        append(&result, ", pool of %u", o->table_pool);
    return result;
}
