/* tensor.c - making, viewing and giving back tensors. */
#include "tensor/storage.h"

#include <string.h>

static size_t tensor_size(size_t ndim)
{
    return sizeof(lbo_tensor) + 2 * ndim * sizeof(int64_t);
}

lb_status lboi_spec_check(const lbo_spec *spec, const char *what, int64_t *size)
{
    int64_t count = 1, bytes, at_least_one = 1;

    if (lbo_dtype_size((lbo_dtype)spec->dtype) == 0)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: %d is no dtype", what,
                        (int)spec->dtype);
    if (spec->ndim > LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: %u dimensions, there may be at most %d", what,
                        (unsigned)spec->ndim, LBO_MAX_DIMS);
    for (uint32_t i = 0; i < spec->ndim; i++) {
        const int64_t n = spec->shape[i];
        if (n < 0)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "%s: dimension %u has the negative size %lld", what,
                            (unsigned)i, (long long)n);
        /* Strides must not overflow, even where another size is 0. */
        if (__builtin_mul_overflow(at_least_one, n > 0 ? n : 1,
                                   &at_least_one) ||
            __builtin_mul_overflow(count, n, &count))
            return lbo_fail(LB_BAD_ARGUMENT,
                            "%s: the number of elements overflows", what);
    }
    if (__builtin_mul_overflow(at_least_one,
                               (int64_t)lbo_dtype_size((lbo_dtype)spec->dtype),
                               &bytes))
        return lbo_fail(LB_BAD_ARGUMENT, "%s: the number of bytes overflows",
                        what);
    *size = count;
    return LB_OK;
}

/* Everything but shape, strides and the storage's reference. */
static lbo_tensor *new_tensor(lbo_library *library, lbo_storage *storage,
                              lbo_dtype dtype, size_t ndim, int64_t offset)
{
    lbo_device *const device = storage->device;
    lbo_tensor *const tensor = lboi_alloc(library, tensor_size(ndim));

    if (tensor == NULL)
        return NULL;
    tensor->head = device->headers[dtype];
    tensor->references = 1;
    tensor->dtype = (uint8_t)dtype;
    tensor->ndim = (uint8_t)ndim;
    tensor->flags = 0;
    tensor->reserved = 0;
    tensor->storage = storage;
    tensor->offset = offset;
    tensor->data = device->flags & LBO_HOST && storage->memory != NULL
                       ? (char *)storage->memory + offset
                       : NULL;
    tensor->history = NULL;
    return tensor;
}

static void row_major(size_t ndim, const int64_t *shape, int64_t *strides)
{
    int64_t step = 1;

    for (size_t i = ndim; i-- > 0;) {
        strides[i] = step;
        step *= shape[i] > 0 ? shape[i] : 1;
    }
}

lb_status lboi_tensor_new(lbo_library *library, const lbo_spec *spec,
                          lbo_device *device, lbo_tensor **result)
{
    lbo_storage *storage;
    int64_t size;
    lb_status status = lboi_spec_check(spec, "tensor", &size);

    if (status == LB_OK)
        status = lboi_storage_create(
            device,
            size > 0 ? (size_t)size * lbo_dtype_size((lbo_dtype)spec->dtype)
                     : 1,
            &storage);
    if (status != LB_OK)
        return status;
    lbo_tensor *const tensor =
        new_tensor(library, storage, (lbo_dtype)spec->dtype, spec->ndim, 0);
    if (tensor == NULL) {
        lboi_storage_release(storage);
        return LB_NO_MEMORY;
    }
    tensor->size = size;
    memcpy(tensor->dims, spec->shape, spec->ndim * sizeof(int64_t));
    row_major(spec->ndim, spec->shape, tensor->dims + spec->ndim);
    *result = tensor;
    return LB_OK;
}

lb_status lboi_tensor_like(const lbo_tensor *like, lbo_tensor **result)
{
    lbo_device *const device = like->storage->device;
    const size_t bytes = lbo_tensor_bytes(like);
    lbo_storage *storage;
    const lb_status status =
        lboi_storage_create(device, bytes > 0 ? bytes : 1, &storage);

    if (status != LB_OK)
        return status;
    lbo_tensor *const tensor = new_tensor(
        device->library, storage, (lbo_dtype)like->dtype, like->ndim, 0);
    if (tensor == NULL) {
        lboi_storage_release(storage);
        return LB_NO_MEMORY;
    }
    tensor->size = like->size;
    memcpy(tensor->dims, like->dims, like->ndim * sizeof(int64_t));
    row_major(like->ndim, like->dims, tensor->dims + like->ndim);
    *result = tensor;
    return LB_OK;
}

lb_status lbo_tensor_create(lbo_context *context, const lbo_spec *spec,
                            lbo_tensor **result)
{
    if (context == NULL || spec == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_tensor_create: an argument is NULL");
    return lboi_tensor_new(context->library, spec,
                           spec->device ? spec->device : context->device,
                           result);
}

lb_status lbo_empty(lbo_context *context, lbo_dtype dtype, size_t ndim,
                    const int64_t *shape, lbo_tensor **result)
{
    lbo_spec spec = {.dtype = (int32_t)dtype, .ndim = (uint32_t)ndim};

    if (context == NULL || result == NULL || (shape == NULL && ndim > 0))
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_empty: an argument is NULL");
    if (ndim > LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "tensor: %zu dimensions, there may be at most %d", ndim,
                        LBO_MAX_DIMS);
    if (ndim > 0)
        memcpy(spec.shape, shape, ndim * sizeof *shape);
    return lbo_tensor_create(context, &spec, result);
}

lb_status lbo_from_data(lbo_context *context, lbo_dtype dtype, size_t ndim,
                        const int64_t *shape, const void *data,
                        lbo_tensor **result)
{
    lbo_tensor *tensor = NULL;
    lb_status status;

    if (result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_from_data: result is NULL");
    status = lbo_empty(context, dtype, ndim, shape, &tensor);
    if (status == LB_OK)
        status = lbo_write(context, tensor, data, lbo_tensor_bytes(tensor));
    if (status == LB_OK)
        *result = tensor;
    else
        lbo_tensor_release(tensor);
    return status;
}

static lb_status new_scalar(lbo_context *context, lbo_dtype dtype,
                            const void *value, lbo_tensor **result)
{
    const lbo_spec spec = {.dtype = (int32_t)dtype};

    if (context == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_scalar: an argument is NULL");
    const lb_status status =
        lboi_tensor_new(context->library, &spec, context->library->cpu, result);
    if (status == LB_OK) {
        memcpy((*result)->data, value, lbo_dtype_size(dtype));
        (*result)->flags |= LBO_WEAK;
    }
    return status;
}

lb_status lbo_scalar_bool(lbo_context *context, bool value, lbo_tensor **result)
{
    return new_scalar(context, LBO_BOOL, &value, result);
}

lb_status lbo_scalar_integer(lbo_context *context, int64_t value,
                             lbo_tensor **result)
{
    return new_scalar(context, LBO_I64, &value, result);
}

lb_status lbo_scalar(lbo_context *context, double value, lbo_tensor **result)
{
    return new_scalar(context, LBO_F64, &value, result);
}

/* The least and the greatest element, in elements from the first. False on
 * overflow. */
static bool reach(size_t ndim, const int64_t *shape, const int64_t *strides,
                  int64_t *low, int64_t *high)
{
    *low = *high = 0;
    for (size_t i = 0; i < ndim; i++) {
        int64_t span;
        if (shape[i] < 2)
            continue;
        if (__builtin_mul_overflow(shape[i] - 1, strides[i], &span) ||
            __builtin_add_overflow(span < 0 ? *low : *high, span,
                                   span < 0 ? low : high))
            return false;
    }
    return true;
}

/* Whether all elements lie within the storage. */
static lb_status check_place(const lbo_storage *storage, lbo_dtype dtype,
                             int64_t offset, size_t ndim, const int64_t *shape,
                             const int64_t *strides, int64_t size)
{
    const int64_t bytes = (int64_t)lbo_dtype_size(dtype);
    int64_t low, high;

    if (size == 0)
        return LB_OK;
    if (offset % bytes != 0 || (storage->device->flags & LBO_HOST &&
                                (uintptr_t)storage->memory % (size_t)bytes))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "view: the first element is not aligned to the %d "
                        "bytes of %s",
                        (int)bytes, lbo_dtype_name(dtype));
    if (!reach(ndim, shape, strides, &low, &high) ||
        __builtin_mul_overflow(low, bytes, &low) ||
        __builtin_mul_overflow(high, bytes, &high) ||
        __builtin_add_overflow(low, offset, &low) ||
        __builtin_add_overflow(high, offset, &high) ||
        __builtin_add_overflow(high, bytes, &high) || low < 0 ||
        (uint64_t)high > storage->bytes)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "view: shape and strides reach outside of the "
                        "storage's %zu bytes",
                        storage->bytes);
    return LB_OK;
}

/* A tensor over `storage`, whose reference it takes when it succeeds. */
static lb_status over_storage(lbo_storage *storage, lbo_dtype dtype,
                              int64_t offset, size_t ndim, const int64_t *shape,
                              const int64_t *strides, lbo_tensor **result)
{
    lbo_spec spec = {.dtype = (int32_t)dtype, .ndim = (uint32_t)ndim};
    int64_t own[LBO_MAX_DIMS], size;

    if (ndim > 0 && shape == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "view: the shape is NULL");
    if (ndim > LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "view: %zu dimensions, there may be at most %d", ndim,
                        LBO_MAX_DIMS);
    if (ndim > 0)
        memcpy(spec.shape, shape, ndim * sizeof *shape);
    lb_status status = lboi_spec_check(&spec, "view", &size);
    if (status != LB_OK)
        return status;
    /* A tensor without elements is nowhere: what was said of its place, and may
     * be anything, is not kept. */
    if (size == 0)
        offset = 0;
    if (strides == NULL || size == 0) {
        row_major(ndim, spec.shape, own);
        strides = own;
    }
    status =
        check_place(storage, dtype, offset, ndim, spec.shape, strides, size);
    if (status != LB_OK)
        return status;
    lbo_tensor *const tensor =
        new_tensor(storage->device->library, storage, dtype, ndim, offset);
    if (tensor == NULL)
        return LB_NO_MEMORY;
    tensor->size = size;
    memcpy(tensor->dims, spec.shape, ndim * sizeof *shape);
    memcpy(tensor->dims + ndim, strides, ndim * sizeof *strides);
    *result = tensor;
    return LB_OK;
}

lb_status lbo_tensor_wrap(lbo_library *library, lbo_device *device,
                          void *memory, size_t bytes, int64_t offset,
                          lbo_dtype dtype, size_t ndim, const int64_t *shape,
                          const int64_t *strides, uint32_t flags,
                          void (*release)(void *owner), void *owner,
                          lbo_tensor **result)
{
    lbo_storage *storage;
    lbo_tensor *made;

    if (library == NULL || device == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_tensor_wrap: an argument is NULL");
    lb_status status =
        lboi_storage_wrap(device, memory, bytes, flags, NULL, NULL, &storage);
    if (status != LB_OK)
        return status;
    status = over_storage(storage, dtype, offset, ndim, shape, strides, &made);
    if (status == LB_OK && memory == NULL && made->size > 0) {
        lbo_tensor_release(made);
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_tensor_wrap: memory is NULL, and there are "
                        "elements");
    }
    if (status != LB_OK) {
        lboi_storage_release(storage);
        return status;
    }
    storage->release = release;
    storage->owner = owner;
    *result = made;
    return LB_OK;
}

lb_status lbo_tensor_view(lbo_tensor *tensor, int64_t offset, size_t ndim,
                          const int64_t *shape, const int64_t *strides,
                          lbo_tensor **result)
{
    int64_t bytes;

    if (tensor == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_tensor_view: an argument is NULL");
    const lbo_dtype dtype = (lbo_dtype)tensor->dtype;
    if (__builtin_mul_overflow(offset, (int64_t)lbo_dtype_size(dtype),
                               &bytes) ||
        __builtin_add_overflow(bytes, tensor->offset, &bytes))
        return lbo_fail(LB_BAD_ARGUMENT, "view: the offset overflows");
    const lb_status status = over_storage(tensor->storage, dtype, bytes, ndim,
                                          shape, strides, result);
    if (status == LB_OK)
        __atomic_add_fetch(&tensor->storage->references, 1, __ATOMIC_RELAXED);
    return status;
}

lbo_tensor *lbo_tensor_retain(lbo_tensor *tensor)
{
    if (tensor != NULL)
        __atomic_add_fetch(&tensor->references, 1, __ATOMIC_RELAXED);
    return tensor;
}

void lbo_tensor_release(lbo_tensor *tensor)
{
    if (tensor == NULL ||
        __atomic_sub_fetch(&tensor->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    lbo_storage *const storage = tensor->storage;

    if (tensor->history != NULL)
        lboi_history_release(tensor);
    lboi_free(storage->device->library, tensor, tensor_size(tensor->ndim));
    lboi_storage_release(storage); /* last: it keeps the library alive */
}

lbo_device *lbo_tensor_device(const lbo_tensor *tensor)
{
    return tensor->storage->device;
}

size_t lbo_tensor_bytes(const lbo_tensor *tensor)
{
    return (size_t)tensor->size * lbo_dtype_size((lbo_dtype)tensor->dtype);
}

bool lbo_is_contiguous(const lbo_tensor *tensor)
{
    const int64_t *const shape = lbo_shape(tensor);
    const int64_t *const strides = lbo_strides(tensor);
    int64_t step = 1;

    if (tensor->size < 2)
        return true;
    for (int i = tensor->ndim; i-- > 0;) {
        if (shape[i] != 1 && strides[i] != step)
            return false;
        step *= shape[i];
    }
    return true;
}

bool lbo_same_shape(const lbo_tensor *a, const lbo_tensor *b)
{
    if (a->ndim != b->ndim)
        return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

/* The bytes of the storage that `tensor` lies in. */
static void extent(const lbo_tensor *tensor, int64_t *from, int64_t *to)
{
    const int64_t bytes = (int64_t)lbo_dtype_size((lbo_dtype)tensor->dtype);
    int64_t low, high;

    (void)reach(tensor->ndim, lbo_shape(tensor), lbo_strides(tensor), &low,
                &high);
    *from = tensor->offset + low * bytes;
    *to = tensor->offset + (high + 1) * bytes;
}

static bool same_view(const lbo_tensor *a, const lbo_tensor *b)
{
    return a->offset == b->offset && a->dtype == b->dtype &&
           lbo_same_shape(a, b) &&
           memcmp(lbo_strides(a), lbo_strides(b), a->ndim * sizeof(int64_t)) ==
               0;
}

int lbo_overlap(const lbo_tensor *a, const lbo_tensor *b)
{
    const lbo_storage *const s = a->storage, *const t = b->storage;
    int64_t a_from, a_to, b_from, b_to;

    if (a == b)
        return 2;
    if (s->device != t->device || a->size == 0 || b->size == 0)
        return 0;
    if (s == t && same_view(a, b))
        return 2;
    /* Two storages may be over the same memory of somebody else. */
    const bool apart =
        s != t && s->memory != t->memory && s->inside != 2 && t->inside != 2;
    if (apart)
        return 0;
    extent(a, &a_from, &a_to);
    extent(b, &b_from, &b_to);
    if (s != t) {
        a_from += (int64_t)(intptr_t)s->memory;
        a_to += (int64_t)(intptr_t)s->memory;
        b_from += (int64_t)(intptr_t)t->memory;
        b_to += (int64_t)(intptr_t)t->memory;
    }
    return a_from < b_to && b_from < a_to;
}
