/* loops.c - which of the compiled sets of inner loops this processor runs.
 *
 * The environment variable LATEBIND_OPS_LOOPS=portable takes the set that runs
 * everywhere, so that it can be tested on any machine.
 */
#include "cpu/loops.h"

#include <stdlib.h>
#include <string.h>

static const lboi_set portable = {"portable", &lboi_loops_portable,
                                  &lboi_reducers_portable};

#ifdef LBOI_HAVE_AVX2
static const lboi_set avx2 = {"avx2", &lboi_loops_avx2, &lboi_reducers_avx2};
#endif

const lboi_set *lboi_loops_chosen;

const lboi_set *lboi_loops_choose(void)
{
    const char *const wanted = getenv("LATEBIND_OPS_LOOPS");
    const bool any = wanted == NULL || strcmp(wanted, portable.name) != 0;
    const lboi_set *best = &portable;

#ifdef LBOI_HAVE_AVX2
    if (any && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        best = &avx2;
#endif
    (void)any;
    __atomic_store_n(&lboi_loops_chosen, best, __ATOMIC_RELEASE);
    return best;
}
