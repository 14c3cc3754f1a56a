/* walk.c - strided operands as kernels see them: lbo_walk's joined dimensions,
 * with strides in elements. */
#include "gpu.h"

void gpu_walk_init(gpu_walk *walk, size_t ndim, const int64_t *shape,
                   size_t count, lbo_tensor *const *tensors)
{
    lbo_walk w;

    lbo_walk_init(&w, ndim, shape, count, tensors);
    walk->count = w.count;
    walk->dims = 1 + (int64_t)w.outer;
    for (uint32_t d = 0; d <= w.outer; d++) {
        walk->size[d] = d == 0 ? w.count : w.size[d];
        if (d > 0)
            walk->count *= w.size[d];
        for (size_t k = 0; k < count; k++)
            walk->stride[k][d] =
                (d == 0 ? w.step[k] : w.stride[d][k]) /
                (int64_t)lbo_dtype_size((lbo_dtype)tensors[k]->dtype);
    }
    for (size_t k = count; k < GPU_OPERANDS; k++)
        for (uint32_t d = 0; d <= w.outer; d++)
            walk->stride[k][d] = 0;
}
