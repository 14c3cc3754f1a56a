/* parallel.h - several processes that train one model; alone.c is for one,
 * several.c for those that mpirun started. */
#ifndef TRAINING_PARALLEL_H
#define TRAINING_PARALLEL_H

#include <latebind/ops.h>

/* This process's number and how many there are. */
typedef struct parallel {
    int rank, size;
} parallel;

lb_status parallel_begin(int *argc, char ***argv, parallel *p);
/* Wraps the optimizer, so that a step goes by the mean of all gradients, and
 * gives everyone the first one's parameters. */
lb_status parallel_wrap(lbo_context *context, lbo_optimizer *inner,
                        lbo_optimizer **result);
/* The mean over all processes. */
lb_status parallel_mean(double *number);
void parallel_end(void);

#endif
