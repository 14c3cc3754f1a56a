/* Files of expected counts. */
#include "rows.h"

#include "knobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 1000 };

static const char *const column_names[ROW_COLUMNS] = {
    "instance", "class",       "total",    "hits",
    "misses",   "generations", "excluded", "not found"};

const char *row_column_name(row_column column)
{
    return column_names[column];
}

/* ---- Reading ----------------------------------------------------------- */

typedef struct place {
    const char *file;
    uint64_t line;
    fault *why;
} place;

static bool wrong(const place *at, const char *what)
{
    return fault_set(at->why, at->file, at->line, "%s", what);
}

/* What `why` says of an option, told with the line. */
static bool wrong_option(const place *at)
{
    const fault what = *at->why;
    return wrong(at, what.text);
}

static bool take_policy(lb_object_options *options, const char *value,
                        const place *at)
{
    return (value && knobs_policy(value, &options->policy)) ||
           wrong(at, "--policy takes search, table64, site or table");
}

static bool take_options(lb_object_options *options, char *text,
                         const place *at)
{
    char *more = NULL;
    char *word = strtok_r(text, " ", &more);
    while (word) {
        char *value = strtok_r(NULL, " ", &more);
        if (strcmp(word, "--policy") == 0) {
            if (!take_policy(options, value, at))
                return false;
            word = strtok_r(NULL, " ", &more);
            continue;
        }
        const knobs_taken taken = knobs_take(options, word, value, at->why);
        if (taken == KNOBS_WRONG)
            return wrong_option(at);
        if (taken == KNOBS_UNKNOWN)
            return wrong(at, "not an option of the order, policy or knobs");
        word = taken == KNOBS_ONE ? value : strtok_r(NULL, " ", &more);
    }
    return true;
}

static bool take_count(const char *word, uint64_t *count)
{
    char *end;
    if (strcmp(word, "-") == 0) {
        *count = ROW_UNKNOWN;
        return true;
    }
    errno = 0;
    *count = strtoull(word, &end, 10);
    return *word >= '0' && *word <= '9' && *end == '\0' && errno == 0;
}

static bool take_counts(uint64_t *expected, char *text, const place *at)
{
    char *more = NULL;
    char *word = strtok_r(text, " ", &more);
    for (int i = 0; i < ROW_COLUMNS; i++) {
        if (word == NULL || !take_count(word, &expected[i]))
            return wrong(at, "eight counts stand behind the colon: instance, "
                             "class, total, hits, misses, generations, "
                             "excluded, not found; - for one not known");
        word = strtok_r(NULL, " ", &more);
    }
    return word == NULL || wrong(at, "more than eight counts");
}

static bool read_row(row *one, char *line, const place *at)
{
    char *colon = strchr(line, ':');
    *one = (row){.line = at->line, .run.options.order = LB_ORDER_1998};
    if (colon == NULL)
        return wrong(at, "no colon; a line is OPTIONS : COUNTS");
    *colon = '\0';
    if (!take_options(&one->run.options, line, at))
        return false;
    one->run.options.counting = 1;
    return take_counts(one->expected, colon + 1, at);
}

static bool read_lines(rows *r, lines *from, fault *why)
{
    char *line;
    int more;
    while ((more = lines_next(from, &line, why)) > 0) {
        const place at = {r->file, lines_number(from), why};
        if (*line == '#' || *line == '\0')
            continue;
        if (r->count == MOST_ROWS)
            return wrong(&at, "too many rows; 1000 is the limit");
        if (!read_row(&r->all[r->count], line, &at))
            return false;
        r->count++;
    }
    if (more == 0 && r->count == 0)
        return fault_set(why, r->file, 0,
                         "no rows; want lines of OPTIONS : COUNTS");
    return more == 0;
}

bool rows_read(rows *r, const char *file, fault *why)
{
    const line_limits limits = {.line = 1 << 12, .text = 1 << 20};
    FILE *in = fopen(file, "rb");
    *r = (rows){.file = file};
    if (in == NULL)
        return fault_set(why, file, 0, "%s", strerror(errno));
    lines *from = lines_open(in, file, limits);
    r->all = calloc(MOST_ROWS, sizeof *r->all);
    const bool good = from && r->all ? read_lines(r, from, why)
                                     : fault_set(why, file, 0, "out of memory");
    lines_close(from);
    fclose(in);
    if (!good)
        rows_free(r);
    return good;
}

void rows_free(rows *r)
{
    free(r->all);
    r->all = NULL;
    r->count = 0;
}

/* ---- Comparing --------------------------------------------------------- */

uint64_t row_counted(const replay_run *run, row_column column)
{
    const lb_counters *c = &run->counters;
    const uint64_t values[ROW_COLUMNS] = {c->instance_lookups,
                                          c->class_lookups,
                                          c->instance_lookups +
                                              c->class_lookups,
                                          c->hits,
                                          c->misses,
                                          c->generations,
                                          c->excluded,
                                          c->not_found};
    return values[column];
}

bool row_agrees(const row *one, row_column column)
{
    const uint64_t expected = one->expected[column];
    return expected == ROW_UNKNOWN ||
           expected == row_counted(&one->run, column);
}

bool row_agrees_wholly(const row *one)
{
    for (int i = 0; i < ROW_COLUMNS; i++)
        if (!row_agrees(one, (row_column)i))
            return false;
    return true;
}
