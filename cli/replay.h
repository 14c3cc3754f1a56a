/* replay.h - a recorded program, run again on the library.
 *
 * The search order and the cache policy with its knobs are those of
 * lb_object_options; nothing else differs between two runs.
 */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "trace.h"

#include <latebind/latebind.h>

enum { REPLAY_SHOWN = 10 };

/* A get that did not find what the recorded program found. */
typedef struct replay_difference {
    uint32_t line;
    char text[300];
} replay_difference;

/* One replay: what it was asked for, and what came of it. */
typedef struct replay_run {
    lb_object_options options;
    lb_counters counters;
    uint64_t gets;
    uint64_t in_instance, in_class, nowhere; /* where gets found something */
    uint64_t sum;       /* of the values that were found                   */
    uint64_t differing; /* gets; the first of them: */
    replay_difference first[REPLAY_SHOWN];
    size_t supplied, absent; /* as in a world */
    bool timed;
    double nanoseconds; /* for a get, the median of the rounds     */
    double least, most; /* the same, of the fastest and slowest    */
    double ratio;       /* of nanoseconds to the run at index 0    */
} replay_run;

/* Replays with run->options, counting if they say so, and compares each get
 * with what the recorded program found (in the order of 1998: what it would
 * have found). `why` when an operation is impossible. */
bool replay_check(const trace *t, replay_run *run, fault *why);

/* Times the gets of `count` runs: `rounds` times in turn, in a fresh world,
 * with the gets and without them. */
bool replay_time(const trace *t, replay_run *runs, size_t count,
                 unsigned rounds, fault *why);

#endif
