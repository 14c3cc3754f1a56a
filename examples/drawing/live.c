/* The open part of the job.
 *
 * Each thread takes icon after icon and compares what it finds with what was
 * found before any plug-in was there. While `use` is set, the cubics of an
 * icon are first restated; the plug-in's method for that makes splines.
 *
 * The plug-in's rules may go at any moment: `intersect` is called on. But its
 * class goes with it, so its objects must go first. The order of leaving:
 *   1. `use` is cleared: from now on no icon gets splines;
 *   2. lb_synchronize: every icon that had some is finished;
 *   3. lb_plugin_detach: its rules for the host's own cubics go too, while
 *      threads are in the middle of them;
 *   4. lb_plugin_close, when nobody can be inside any more: it waits.
 *
 * How it is known that no call was lost: the calls that an icon needs are
 * known from before, between the host's classes; the counting method counts
 * those that ran. A spline's call counts apart, and leads to the call that
 * its cubic would have been. */
#include "live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct stage {
    atomic_bool use, stop;
    atomic_uint_least64_t icons, restated, splines, wanted, wrong;
    pthread_mutex_t lock;
    double worst;
} stage;

/* One job at a time has a stage. */
static stage now = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- In the threads ---------------------------------------------------- */

static void note_distance(double distance)
{
    pthread_mutex_lock(&now.lock);
    now.worst = fmax(now.worst, distance);
    pthread_mutex_unlock(&now.lock);
}

/* Whether the points are those of before, in any order, to within twice the
 * tolerance: a spline's arithmetic rounds in its own way. */
static bool same_points(const hits *found, const icon *one)
{
    double worst = 0;
    if (found->count != one->point_count)
        return false;
    for (size_t i = 0; i < found->count; i++) {
        double best = INFINITY;
        for (size_t k = 0; k < one->point_count && best > 0; k++)
            best = fmin(best, hypot(found->points[i].x - one->points[k].x,
                                    found->points[i].y - one->points[k].y));
        worst = fmax(worst, best);
    }
    if (worst > 0)
        note_distance(worst);
    return worst <= 2 * GEOMETRY_TOLERANCE;
}

/* The shapes of the icon, those that have another form replaced by it; the
 * number of these in `changed`. NULL when out of memory. */
static shape **restate(const icon *one, size_t *changed)
{
    shape **shapes = malloc((one->count + 1) * sizeof *shapes);
    *changed = 0;
    for (size_t i = 0; shapes && i < one->count; i++) {
        shape *other = restated(one->shapes[i]);
        *changed += other != NULL;
        shapes[i] = other ? other : one->shapes[i];
    }
    return shapes;
}

static void end_restated(const shape_classes *classes, const icon *one,
                         shape **shapes)
{
    for (size_t i = 0; shapes && i < one->count; i++)
        if (shapes[i] != one->shapes[i])
            shape_free(classes, shapes[i]);
    free(shapes);
}

/* Between lb_enter and lb_leave, splines are made, used and ended. */
static int meet_restated(worker *me, const icon *one, size_t *changed)
{
    int failed;
    lb_enter(me->reader);
    if (atomic_load(&now.use)) {
        shape **shapes = restate(one, changed);
        failed = shapes ? icon_intersect(shapes, one->count, &me->found) : -1;
        end_restated(me->of->set->classes, one, shapes);
    } else {
        failed = icon_intersect(one->shapes, one->count, &me->found);
    }
    lb_leave(me->reader);
    return failed;
}

static int work_on(worker *me, const icon *one)
{
    const uint64_t before = me->counts.plain;
    size_t changed = 0;
    hits_clear(&me->found);
    if (meet_restated(me, one, &changed) != 0)
        return -1;
    if (me->counts.plain - before != one->calls ||
        !same_points(&me->found, one))
        atomic_fetch_add(&now.wrong, 1);
    atomic_fetch_add(&now.icons, 1);
    atomic_fetch_add(&now.restated, changed > 0);
    atomic_fetch_add(&now.splines, changed);
    atomic_fetch_add(&now.wanted, one->calls);
    return 0;
}

/* Each thread starts at another icon. */
static void *work(void *self)
{
    worker *me = self;
    const icon_set *set = me->of->set;
    size_t i = set->count * me->number / me->of->count;
    tally_into(&me->counts);
    while (!me->failed && !atomic_load(&now.stop)) {
        me->failed = work_on(me, &set->icons[i]) != 0;
        i = (i + 1) % set->count;
    }
    tally_into(NULL);
    return NULL;
}

/* ---- In the thread that changes ---------------------------------------- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Waits until `what` has grown by `more`; false when it does not. */
static bool wait_for(atomic_uint_least64_t *what, uint64_t more)
{
    const struct timespec pause = {0, 500000};
    const uint64_t goal = atomic_load(what) + more;
    const double limit = seconds() + 60;
    while (atomic_load(what) < goal) {
        if (seconds() > limit)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static int refused(char why[300])
{
    snprintf(why, 300, "%s", lb_message());
    return -1;
}

static int come_and_go(crew *of, const char *path, char why[300])
{
    lb_runtime *runtime = of->set->classes->runtime;
    lb_plugin *plugin;
    if (lb_plugin_open(runtime, path, &plugin) != LB_OK)
        return refused(why);
    atomic_store(&now.use, true);
    const bool used = of->set->of[SHAPE_CUBIC] == 0 ||
                      wait_for(&now.restated, 50 * of->count);
    atomic_store(&now.use, false);
    if (lb_synchronize(runtime) != LB_OK)
        return refused(why);
    const bool on = wait_for(&now.icons, 50 * of->count);
    if (lb_plugin_detach(plugin) != LB_OK || lb_plugin_close(plugin) != LB_OK)
        return refused(why);
    if (!used || !on || !wait_for(&now.icons, 50 * of->count)) {
        snprintf(why, 300, "the threads do not get on");
        return -1;
    }
    return 0;
}

static void read_stage(live_result *out)
{
    out->icons = atomic_load(&now.icons);
    out->restated = atomic_load(&now.restated);
    out->splines = atomic_load(&now.splines);
    out->wanted = atomic_load(&now.wanted);
    out->wrong_icons = atomic_load(&now.wrong);
    out->worst = now.worst;
}

static void reset_stage(void)
{
    atomic_store(&now.use, false);
    atomic_store(&now.stop, false);
    atomic_store(&now.icons, 0);
    atomic_store(&now.restated, 0);
    atomic_store(&now.splines, 0);
    atomic_store(&now.wanted, 0);
    atomic_store(&now.wrong, 0);
    now.worst = 0;
}

static void read_counts(crew *of, live_result *out)
{
    tally counts = {{{0}}, 0};
    crew_take_counts(of, &counts);
    out->made = counts.plain;
    for (int i = 0; i <= SHAPE_KINDS; i++)
        for (int k = 0; k <= SHAPE_KINDS; k++)
            if (i == SHAPE_KINDS || k == SHAPE_KINDS)
                out->spline_calls += counts.calls[i][k];
}

int live_run(crew *of, const char *path, size_t rounds, live_result *out,
             char why[300])
{
    memset(out, 0, sizeof *out);
    reset_stage();
    const double start = seconds();
    if (tally_start(of->set->classes->runtime) != LB_OK)
        return refused(why);
    int failed = crew_start(of, work);
    if (failed)
        snprintf(why, 300, "no more threads");
    for (; !failed && out->rounds < rounds; out->rounds++)
        failed = come_and_go(of, path, why);
    atomic_store(&now.stop, true);
    if (crew_wait(of) != 0 && !failed) {
        snprintf(why, 300, "a thread failed");
        failed = -1;
    }
    read_stage(out);
    read_counts(of, out);
    out->seconds = seconds() - start;
    if (tally_end() != LB_OK && !failed)
        failed = refused(why);
    return failed;
}
