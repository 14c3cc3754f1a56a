/* walk.c - strided operands as kernels see them: dimensions of size 1 left out,
 * neighbours joined where every operand steps over both as over one. */
#include "gpu.h"

static bool joins(const gpu_walk *walk, size_t count, size_t dim,
                  int64_t (*strides)[LBO_MAX_DIMS])
{
    const int64_t inner = walk->dims - 1;

    for (size_t k = 0; k < count; k++)
        if (strides[k][dim] != walk->stride[k][inner] * walk->size[inner])
            return false;
    return true;
}

void gpu_walk_strides(gpu_walk *walk, size_t ndim, const int64_t *shape,
                      size_t count, int64_t (*strides)[LBO_MAX_DIMS])
{
    walk->count = 1;
    walk->dims = 0;
    for (size_t i = ndim; i-- > 0;) {
        walk->count *= shape[i];
        if (shape[i] == 1)
            continue;
        if (walk->dims > 0 && joins(walk, count, i, strides)) {
            walk->size[walk->dims - 1] *= shape[i];
            continue;
        }
        walk->size[walk->dims] = shape[i];
        for (size_t k = 0; k < GPU_OPERANDS; k++)
            walk->stride[k][walk->dims] = k < count ? strides[k][i] : 0;
        walk->dims++;
    }
    if (walk->dims > 0)
        return;
    walk->dims = 1;
    walk->size[0] = 1;
    for (size_t k = 0; k < GPU_OPERANDS; k++)
        walk->stride[k][0] = 0;
}

void gpu_walk_init(gpu_walk *walk, size_t ndim, const int64_t *shape,
                   size_t count, lbo_tensor *const *tensors)
{
    int64_t strides[GPU_OPERANDS][LBO_MAX_DIMS];

    for (size_t k = 0; k < count; k++)
        lbo_broadcast_strides(tensors[k], ndim, shape, strides[k]);
    gpu_walk_strides(walk, ndim, shape, count, strides);
}
