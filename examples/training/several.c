/* several.c - the processes that mpirun started, each with its share. */
#include "parallel.h"

#include <latebind/ops/mpi.h>

static int team_size = 1;

static lb_status failed(const char *what)
{
    return lbo_fail(LB_METHOD_FAILED, "MPI: %s failed", what);
}

lb_status parallel_begin(int *argc, char ***argv, parallel *p)
{
    if (MPI_Init(argc, argv) != MPI_SUCCESS)
        return failed("MPI_Init");
    if (MPI_Comm_rank(MPI_COMM_WORLD, &p->rank) != MPI_SUCCESS ||
        MPI_Comm_size(MPI_COMM_WORLD, &p->size) != MPI_SUCCESS)
        return failed("MPI_Comm_size");
    team_size = p->size;
    return LB_OK;
}

lb_status parallel_wrap(lbo_context *context, lbo_optimizer *inner,
                        lbo_optimizer **result)
{
    return lbo_mpi_optimizer(context, inner, MPI_COMM_WORLD, result);
}

lb_status parallel_mean(double *number)
{
    if (MPI_Allreduce(MPI_IN_PLACE, number, 1, MPI_DOUBLE, MPI_SUM,
                      MPI_COMM_WORLD) != MPI_SUCCESS)
        return failed("MPI_Allreduce");
    *number /= team_size;
    return LB_OK;
}

void parallel_end(void)
{
    (void)MPI_Finalize();
}
