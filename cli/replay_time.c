/* Timing the gets of a replay.
 *
 * The operations are turned into steps with all addresses in place, so that the
 * loop does nothing but take the next one. It runs twice, each time in a fresh
 * world: with the gets, and with all but the gets. A slower minute of the
 * machine shall slow all policies; so they take turns, and another one begins
 * each round. What counts is the median over the rounds of
 * (with - without) / gets.
 *
 * The values that are found are summed up, which keeps the compiler from
 * dropping a get, and shows that the loop found what the checked replay did. */
#include "replay.h"

#include "world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef enum step_kind {
    STEP_CHANGE,
    STEP_GET,
    STEP_GET_AT,
    STEP_SPECIAL
} step_kind;

typedef struct step {
    step_kind kind;
    const lb_symbol *symbol;
    const lb_object *object;
    union {
        const trace_operation *change;
        lb_site *site;
        lb_class *const *cls; /* filled by the time */
    };
} step;

static step step_of(const world *w, const trace_operation *o, bool at_sites)
{
    if (o->kind == TRACE_SPECIAL)
        return (step){.kind = STEP_SPECIAL,
                      .symbol = w->symbols[o->symbol],
                      .cls = &w->classes[o->cls]};
    if (o->kind == TRACE_GET)
        return (step){.kind = at_sites ? STEP_GET_AT : STEP_GET,
                      .symbol = w->symbols[o->symbol],
                      .object = receiver_of(w, o),
                      .site = &w->sites[o->site]};
    return (step){.kind = STEP_CHANGE, .change = o};
}

static lb_status perform(const step *s, lb_found *found)
{
    switch (s->kind) {
    case STEP_GET:
        return lb_try_get(s->object, s->symbol, found);
    case STEP_GET_AT:
        return lb_try_get_at(s->site, s->object, s->symbol, found);
    default:
        return lb_try_get_special(*s->cls, lb_pointer(NULL), s->symbol, found);
    }
}

/* The loop that is timed. */
static bool run_steps(world *w, const step *steps, size_t count, bool gets,
                      uint64_t *sum, fault *why)
{
    uint64_t total = 0;
    lb_found found;
    for (const step *s = steps; s < steps + count; s++)
        if (s->kind == STEP_CHANGE) {
            if (!world_change(w, s->change, why))
                return false;
        } else if (gets && perform(s, &found) == LB_OK) {
            total += found.value.bits;
        }
    *sum = total;
    return true;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The seconds that one run takes, in a world of its own. */
static bool time_once(const trace *t, replay_run *run, step *steps, bool gets,
                      double *taken, fault *why)
{
    world w;
    uint64_t sum = 0;
    bool good = world_make(&w, t, &run->options, why);
    if (good) {
        for (size_t i = 0; i < t->count; i++)
            steps[i] = step_of(&w, &t->operations[i],
                               run->options.policy == LB_POLICY_SITE);
        const double start = seconds();
        good = run_steps(&w, steps, t->count, gets, &sum, why);
        *taken = seconds() - start;
    }
    world_free(&w);
    if (good && gets && sum != run->sum && run->differing++ == 0)
        snprintf(run->first[0].text, sizeof run->first[0].text,
                 "the timed replay found other values than the checked one");
    return good;
}

static bool time_round(const trace *t, replay_run *run, step *steps,
                       double *result, fault *why)
{
    double with, without;
    if (!time_once(t, run, steps, true, &with, why) ||
        !time_once(t, run, steps, false, &without, why))
        return false;
    *result = 1e9 * (with - without) / (double)(t->gets ? t->gets : 1);
    return true;
}

/* ---- All rounds -------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void settle(replay_run *run, double *times, unsigned rounds)
{
    qsort(times, rounds, sizeof *times, compare);
    run->least = times[0];
    run->most = times[rounds - 1];
    run->nanoseconds = (times[rounds / 2] + times[(rounds - 1) / 2]) / 2;
    run->timed = true;
}

static bool all_rounds(const trace *t, replay_run *runs, size_t count,
                       unsigned rounds, step *steps, double *times, fault *why)
{
    for (unsigned round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++) {
            const size_t turn = (i + round) % count;
            if (!time_round(t, &runs[turn], steps,
                            &times[turn * rounds + round], why))
                return false;
        }
    for (size_t i = 0; i < count; i++)
        settle(&runs[i], times + i * rounds, rounds);
    for (size_t i = 0; i < count; i++)
        runs[i].ratio = runs[0].nanoseconds > 0
                            ? runs[i].nanoseconds / runs[0].nanoseconds
                            : 1;
    return true;
}

bool replay_time(const trace *t, replay_run *runs, size_t count,
                 unsigned rounds, fault *why)
{
    step *steps = malloc((t->count + 1) * sizeof *steps);
    double *times = calloc(count * rounds + 1, sizeof *times);
    const bool good =
        steps && times ? all_rounds(t, runs, count, rounds, steps, times, why)
                       : fault_set(why, t->file, 0, "out of memory");
    free(steps);
    free(times);
    return good;
}
