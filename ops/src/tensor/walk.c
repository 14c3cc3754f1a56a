/* walk.c - going through strided operands in few, long runs.
 *
 * 1. strides of each operand in bytes, 0 where it is broadcast
 * 2. dimensions of size 1 are left out
 * 3. a dimension is joined to the one inside it where every operand steps over
 *    both as over one
 * 4. the innermost is the run, the others are counted like an odometer
 */
#include "latebind/ops/kernel.h"

#include <string.h>

void lbo_broadcast_strides(const lbo_tensor *tensor, size_t ndim,
                           const int64_t *shape, int64_t *strides)
{
    const size_t lead = ndim - tensor->ndim;

    for (size_t i = 0; i < ndim; i++)
        strides[i] = i < lead || (tensor->dims[i - lead] == 1 && shape[i] != 1)
                         ? 0
                         : lbo_strides(tensor)[i - lead];
}

static bool joins(const lbo_walk *walk, uint32_t inner, const int64_t *strides)
{
    for (uint32_t k = 0; k < walk->operands; k++)
        if (strides[k] != walk->stride[inner][k] * walk->size[inner])
            return false;
    return true;
}

void lbo_walk_init(lbo_walk *walk, size_t ndim, const int64_t *shape,
                   size_t count, lbo_tensor *const *tensors)
{
    int64_t strides[LBO_MAX_OPERANDS][LBO_MAX_DIMS], at[LBO_MAX_OPERANDS];
    uint32_t dims = 0;

    walk->operands = (uint32_t)count;
    for (size_t k = 0; k < count; k++) {
        walk->at[k] = tensors[k]->data;
        lbo_broadcast_strides(tensors[k], ndim, shape, strides[k]);
    }
    walk->count = 1;
    for (size_t i = ndim; i-- > 0;) {
        if (shape[i] == 1)
            continue;
        if (shape[i] == 0)
            walk->count = 0;
        for (size_t k = 0; k < count; k++)
            at[k] = strides[k][i] *
                    (int64_t)lbo_dtype_size((lbo_dtype)tensors[k]->dtype);
        if (dims > 0 && joins(walk, dims - 1, at)) {
            walk->size[dims - 1] *= shape[i];
            continue;
        }
        walk->size[dims] = shape[i];
        walk->index[dims] = 0;
        memcpy(walk->stride[dims], at, count * sizeof *at);
        dims++;
    }
    walk->outer = dims > 0 ? dims - 1 : 0;
    for (size_t k = 0; k < count; k++)
        walk->step[k] = dims > 0 ? walk->stride[0][k] : 0;
    if (walk->count != 0 && dims > 0)
        walk->count = walk->size[0];
}

bool lbo_walk_next(lbo_walk *walk)
{
    if (walk->count == 0)
        return false;
    for (uint32_t i = 1; i <= walk->outer; i++) {
        for (uint32_t k = 0; k < walk->operands; k++)
            walk->at[k] += walk->stride[i][k];
        if (++walk->index[i] < walk->size[i])
            return true;
        for (uint32_t k = 0; k < walk->operands; k++)
            walk->at[k] -= walk->stride[i][k] * walk->size[i];
        walk->index[i] = 0;
    }
    return false;
}
