/* A plug-in comes and goes while threads go on computing. */
#ifndef DRAWING_LIVE_H
#define DRAWING_LIVE_H

#include "crew.h"

typedef struct live_result {
    size_t rounds;         /* the plug-in was opened and closed */
    uint64_t icons;        /* that the threads worked on meanwhile */
    uint64_t restated;     /* of them with cubics as splines */
    uint64_t splines;      /* objects made of the plug-in's class */
    uint64_t wanted, made; /* calls that these icons need; that were run */
    uint64_t spline_calls; /* besides: calls with a spline in them */
    uint64_t wrong_icons;  /* whose points or calls were not as before */
    double worst;          /* distance of a point to what it was before */
    double seconds;
} live_result;

/* Lets the crew work on all icons, over and over, while the plug-in at `path`
 * is opened, used, detached and closed `rounds` times. The icons must have
 * been counted (crew_count_icon). 0, or -1 with the reason in `why`: the
 * plug-in does not load, or the threads do not get on. */
int live_run(crew *of, const char *path, size_t rounds, live_result *out,
             char why[300]);

#endif
