/* Replaying with every get checked.
 *
 * What must be found follows from the recorded outcome. Python's order: the
 * data descriptor, else what the instance holds, else the class's. In the order
 * of 1998 an instance comes before a data descriptor, too. An implicit look-up
 * is one on the class; where 1998 asks the instance, it is asked in the same
 * way, for an instance that holds nothing. */
#include "replay.h"

#include "world.h"

#include <inttypes.h>

/* What a get came to: LB_OK and a value, or LB_NO_ATTRIBUTE. */
typedef struct answer {
    lb_status status;
    int64_t value;
} answer;

static answer expected(const trace_operation *get, lb_search_order order)
{
    const bool in_instance =
        get->place == TRACE_INSTANCE ||
        (get->place == TRACE_DESCRIPTOR_OVER && order == LB_ORDER_1998);
    if (get->place == TRACE_NOWHERE)
        return (answer){LB_NO_ATTRIBUTE, 0};
    if (in_instance)
        return (answer){LB_OK, value_in_object(get->object)};
    return (answer){LB_OK, value_in_class(get->owner)};
}

static answer perform(const world *w, const trace_operation *get,
                      lb_cache_policy policy)
{
    const lb_symbol *symbol = w->symbols[get->symbol];
    lb_found found;
    lb_status status;
    if (get->kind == TRACE_SPECIAL)
        status = lb_try_get_special(w->classes[get->cls], lb_pointer(NULL),
                                    symbol, &found);
    else if (policy == LB_POLICY_SITE)
        status = lb_try_get_at(&w->sites[get->site], receiver_of(w, get),
                               symbol, &found);
    else
        status = lb_try_get(receiver_of(w, get), symbol, &found);
    return (answer){status, status == LB_OK ? found.value.integer : 0};
}

/* ---- Differences ------------------------------------------------------- */

static void describe(char *to, size_t size, answer a, const trace *t)
{
    if (a.status == LB_NO_ATTRIBUTE)
        snprintf(to, size, "nothing");
    else if (a.status != LB_OK)
        snprintf(to, size, "%s", lb_status_name(a.status));
    else if (a.value < 0)
        snprintf(to, size, "the instance's own");
    else if (a.value > 0 && (uint64_t)a.value <= t->class_count)
        snprintf(to, size, "that of %s",
                 show(t->classes[a.value - 1].name).text);
    else
        snprintf(to, size, "something else");
}

static void note_difference(replay_run *run, const trace *t,
                            const trace_operation *get, answer wanted,
                            answer got)
{
    char first[80], second[80];
    if (run->differing++ >= REPLAY_SHOWN)
        return;
    replay_difference *d = &run->first[run->differing - 1];
    describe(first, sizeof first, wanted, t);
    describe(second, sizeof second, got, t);
    d->line = get->line;
    snprintf(d->text, sizeof d->text,
             "%s of an instance of %s: %s was expected, %s was found",
             show(t->symbols[get->symbol]).text,
             show(t->classes[get->cls].name).text, first, second);
}

/* ---- The run ----------------------------------------------------------- */

static void count_place(replay_run *run, answer got)
{
    run->gets++;
    run->sum += (uint64_t)got.value;
    run->in_instance += got.status == LB_OK && got.value < 0;
    run->in_class += got.status == LB_OK && got.value >= 0;
    run->nowhere += got.status != LB_OK;
}

static void check_get(const world *w, replay_run *run,
                      const trace_operation *get)
{
    const answer wanted = expected(get, run->options.order);
    const answer got = perform(w, get, run->options.policy);
    count_place(run, got);
    if (got.status != wanted.status || got.value != wanted.value)
        note_difference(run, w->trace, get, wanted, got);
}

static bool run_all(world *w, replay_run *run, fault *why)
{
    const trace *t = w->trace;
    for (size_t i = 0; i < t->count; i++) {
        const trace_operation *o = &t->operations[i];
        if (o->kind == TRACE_GET || o->kind == TRACE_SPECIAL)
            check_get(w, run, o);
        else if (!world_change(w, o, why))
            return false;
    }
    run->supplied = w->supplied;
    run->absent = w->absent;
    return lb_get_counters(w->runtime, &run->counters) == LB_OK ||
           fault_set(why, t->file, 0, "%s", lb_message());
}

bool replay_check(const trace *t, replay_run *run, fault *why)
{
    world w;
    *run = (replay_run){.options = run->options};
    const bool good =
        world_make(&w, t, &run->options, why) && run_all(&w, run, why);
    world_free(&w);
    return good;
}
