/* attribute_loops.h - the bodies of the measured loops: a look-up, and then
 * what a caller does with it, so that each comes to value + n. */
#ifndef BENCH_ATTRIBUTE_LOOPS_H
#define BENCH_ATTRIBUTE_LOOPS_H

#include "attribute_things.h"

/* Into each loop, so that the loops differ in nothing but their place. */
#define BENCH_BODY static inline __attribute__((always_inline))

/* What was found by a get of a class attribute. */
BENCH_BODY uint64_t with_value(lb_status status, const lb_found *found,
                               const instance *item)
{
    return status == LB_OK ? found->value.bits + (uint64_t)(int64_t)item->value
                           : 0;
}

BENCH_BODY uint64_t get_of_class(const instance *item, const lb_symbol *symbol)
{
    lb_found found;
    const lb_status status = lb_try_get(item, symbol, &found);
    return with_value(status, &found, item);
}

BENCH_BODY uint64_t get_absent(const instance *item, const lb_symbol *symbol)
{
    lb_found found;
    const lb_status status = lb_try_get(item, symbol, &found);
    return status == LB_NO_ATTRIBUTE ? (uint64_t)(int64_t)item->sum : 0;
}

BENCH_BODY uint64_t get_own(const instance *item, const lb_symbol *symbol)
{
    lb_found found;
    const lb_status status = lb_try_get(item, symbol, &found);
    return status == LB_OK ? found.value.bits : 0;
}

#endif
