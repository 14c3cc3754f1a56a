/* The threads. Icons are handed out one by one from a common counter, since
 * some take a thousand times as long as others. */
#include "crew.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double processor_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int crew_make(crew *out, icon_set *set, size_t count)
{
    out->set = set;
    out->count = 0;
    out->workers = calloc(count, sizeof *out->workers);
    if (out->workers == NULL)
        return -1;
    for (; out->count < count; out->count++) {
        worker *w = &out->workers[out->count];
        w->of = out;
        w->number = out->count;
        hits_init(&w->found);
        if (lb_reader_create(set->classes->runtime, &w->reader) != LB_OK)
            return -1;
    }
    return 0;
}

void crew_free(crew *of)
{
    for (size_t i = 0; i < of->count; i++) {
        lb_reader_destroy(of->workers[i].reader);
        hits_free(&of->workers[i].found);
    }
    free(of->workers);
}

int crew_start(crew *of, void *(*body)(void *worker))
{
    for (size_t i = 0; i < of->count; i++) {
        of->workers[i].failed = false;
        if (pthread_create(&of->workers[i].thread, NULL, body,
                           &of->workers[i]) != 0) {
            of->count = i; /* those that run are waited for */
            return -1;
        }
    }
    return 0;
}

int crew_wait(crew *of)
{
    int failed = 0;
    for (size_t i = 0; i < of->count; i++) {
        pthread_join(of->workers[i].thread, NULL);
        failed |= of->workers[i].failed;
    }
    return failed ? -1 : 0;
}

static void *take_icons(void *self)
{
    worker *me = self;
    icon_set *set = me->of->set;
    const double start = processor_time();
    tally_into(&me->counts);
    while (!me->failed) {
        const size_t i = atomic_fetch_add(&me->of->next, 1);
        if (i >= set->count)
            break;
        me->failed = me->of->each(me, &set->icons[i]) != 0;
    }
    tally_into(NULL);
    me->seconds += processor_time() - start;
    return NULL;
}

int crew_go(crew *of, int (*each)(worker *me, icon *one))
{
    atomic_store(&of->next, 0);
    of->each = each;
    const int started = crew_start(of, take_icons);
    return crew_wait(of) == 0 && started == 0 ? 0 : -1;
}

static int meet_shapes(worker *me, const icon *one)
{
    hits_clear(&me->found);
    lb_enter(me->reader);
    const int failed = icon_intersect(one->shapes, one->count, &me->found);
    lb_leave(me->reader);
    return failed;
}

int crew_count_icon(worker *me, icon *one)
{
    const uint64_t before = me->counts.plain;
    if (meet_shapes(me, one) != 0)
        return -1;
    one->calls = me->counts.plain - before;
    one->point_count = me->found.count;
    one->points = malloc((me->found.count + 1) * sizeof *one->points);
    if (one->points == NULL)
        return -1;
    if (me->found.count)
        memcpy(one->points, me->found.points,
               me->found.count * sizeof *one->points);
    return 0;
}

int crew_time_icon(worker *me, icon *one)
{
    if (meet_shapes(me, one) != 0 || me->found.count != one->point_count)
        return -1;
    return one->point_count && memcmp(me->found.points, one->points,
                                      one->point_count * sizeof(point)) != 0
               ? -1
               : 0;
}

double crew_take_seconds(crew *of)
{
    double sum = 0;
    for (size_t i = 0; i < of->count; i++) {
        sum += of->workers[i].seconds;
        of->workers[i].seconds = 0;
    }
    return sum;
}

void crew_take_counts(crew *of, tally *to)
{
    for (size_t i = 0; i < of->count; i++) {
        tally_add(to, &of->workers[i].counts);
        memset(&of->workers[i].counts, 0, sizeof of->workers[i].counts);
    }
}
