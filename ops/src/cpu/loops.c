/* loops.c - which of the compiled sets of inner loops this processor runs. */
#include "cpu/loops.h"

static const lboi_set portable = {"portable", &lboi_loops_portable,
                                  &lboi_reducers_portable};

#ifdef LBOI_HAVE_AVX2
static const lboi_set avx2 = {"avx2", &lboi_loops_avx2, &lboi_reducers_avx2};
#endif

const lboi_set *lboi_loops_chosen;

const lboi_set *lboi_loops_choose(void)
{
    const lboi_set *best = &portable;

#ifdef LBOI_HAVE_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        best = &avx2;
#endif
    __atomic_store_n(&lboi_loops_chosen, best, __ATOMIC_RELEASE);
    return best;
}
