/* Threads that go through icons together. */
#ifndef DRAWING_CREW_H
#define DRAWING_CREW_H

#include "icons.h"
#include "tally.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct crew crew;

/* One thread's own. Every thread that dispatches is a reader: each icon is
 * met between lb_enter and lb_leave. */
typedef struct worker {
    crew *of;
    pthread_t thread;
    lb_reader *reader;
    hits found;
    tally counts;
    size_t number;  /* from 0 */
    double seconds; /* of processor time, spent on icons */
    bool failed;
} worker;

struct crew {
    icon_set *set;
    size_t count;
    worker *workers;
    atomic_size_t next; /* icon to be taken */
    int (*each)(worker *me, icon *one);
};

/* Makes `count` workers for the icons of `set`; -1 when it failed. */
int crew_make(crew *out, icon_set *set, size_t count);
void crew_free(crew *of);

/* Runs `each` once for every icon, spread over the threads, and waits. It
 * returns 0 to go on. -1 when one of them failed. */
int crew_go(crew *of, int (*each)(worker *me, icon *one));

/* Runs `body` in all threads and returns; crew_wait waits. */
int crew_start(crew *of, void *(*body)(void *worker));
int crew_wait(crew *of);

/* For crew_go: meets the shapes of an icon and keeps points and number of
 * calls in it; the calls by class go to the worker's tally. Wants the tally
 * started. */
int crew_count_icon(worker *me, icon *one);

/* The same without counting, timed; fails unless the points are the same. */
int crew_time_icon(worker *me, icon *one);

/* Seconds of processor time that all workers spent, and what they counted;
 * both start anew. */
double crew_take_seconds(crew *of);
void crew_take_counts(crew *of, tally *to);

#endif
