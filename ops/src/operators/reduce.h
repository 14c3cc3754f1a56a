/* operators/reduce.h - which dimensions a reduction goes over. */
#ifndef LBO_OPERATORS_REDUCE_H
#define LBO_OPERATORS_REDUCE_H

#include "latebind/ops/functions.h"

/* Bit i of `mask`: dimension i is reduced. LB_BAD_ARGUMENT: a dimension that
 * there is not, or one twice. */
lb_status lboi_reduced_mask(const lbo_dims *dims, size_t ndim, uint32_t *mask);

#endif
