/* latebind/ops/mpi.h - training by several processes, each with a share of the
 * data: an optimizer that wraps another one.
 *
 * Its step averages the gradients of all processes, then runs the inner step;
 * since all begin with the same parameters and step by the same gradients, the
 * parameters stay the same everywhere. Losses that are means over equal shares
 * of a batch train as the loss over the whole batch does. In a library of its
 * own, latebind-ops-mpi, so that only who wants it needs MPI.
 */
#ifndef LATEBIND_OPS_MPI_H
#define LATEBIND_OPS_MPI_H

#include <mpi.h>

#include "latebind/ops/optimizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Wraps an optimizer. MPI must be initialized.
 * comm   its processes take part, all with the same model; a duplicate is used
 * inner  borrowed, must outlive the wrapper; the parameters (f32 or f64) of the
 *        first process are given to all now
 * The wrapper's rate is not looked at, the inner one's counts. A failure in one
 * process is a failure in all of them, by lbo_step's status: nobody is left
 * waiting. If it was in the inner step the parameters may differ from then on;
 * wrapping anew makes them alike. Errors: LB_BAD_ARGUMENT, LB_METHOD_FAILED (MPI's words). */
LB_PUBLIC lb_status lbo_mpi_optimizer(lbo_context *context,
                                      lbo_optimizer *inner, MPI_Comm comm,
                                      lbo_optimizer **result);

#ifdef __cplusplus
}
#endif
#endif
