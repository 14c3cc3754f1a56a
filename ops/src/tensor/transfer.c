/* transfer.c - elements between tensors of any strides on any devices.
 *
 * Devices copy bytes that lie together. Where elements do not:
 *   - in memory of the host: converted to or from a twin in row-major order
 *   - on a device that has a kernel for `cast`: that makes the twin there
 *   - else all bytes from the first element to the last come to the host, are
 *     read or changed there, and in the second case go back
 * So every device that can copy bytes can hold every view.
 */
#include "tensor/transfer.h"
#include "tensor/convert.h"

#include "latebind/ops/kernel.h"

#include <string.h>

static bool on_host(const lbo_tensor *tensor)
{
    return (tensor->storage->device->flags & LBO_HOST) != 0;
}

static size_t element_size(const lbo_tensor *tensor)
{
    return lbo_dtype_size((lbo_dtype)tensor->dtype);
}

/* ---- bytes --------------------------------------------------------------- */

static lb_status copy_bytes(lbo_library *library, lbo_device *to,
                            lbo_device *from, const lbo_transfer *copy)
{
    lboi_gate *const gate = lboi_enter(library);
    const lb_status status =
        lb_in_lbo_on_copy(library->functions[LBOI_COPY], to, from, copy);

    lboi_leave(gate);
    return status;
}

/* `bytes` of a tensor's storage, `skip` from its first element, to the host. */
static lb_status fetch(const lbo_tensor *from, int64_t skip, void *to,
                       size_t bytes)
{
    lbo_device *const device = from->storage->device;
    lbo_library *const library = device->library;
    const lbo_transfer copy = {.to = to,
                               .from = from->storage->memory,
                               .from_offset = (size_t)(from->offset + skip),
                               .bytes = bytes};

    return copy_bytes(library, library->cpu, device, &copy);
}

static lb_status send(const lbo_tensor *to, int64_t skip, const void *from,
                      size_t bytes)
{
    lbo_device *const device = to->storage->device;
    lbo_library *const library = device->library;
    const lbo_transfer copy = {.to = to->storage->memory,
                               .to_offset = (size_t)(to->offset + skip),
                               .from = from,
                               .bytes = bytes};

    return copy_bytes(library, device, library->cpu, &copy);
}

/* All of it between two devices, both in row-major order. */
static lb_status move_bytes(lbo_tensor *to, lbo_tensor *from)
{
    lbo_library *const library = to->storage->device->library;
    const lbo_transfer copy = {.to = to->storage->memory,
                               .to_offset = (size_t)to->offset,
                               .from = from->storage->memory,
                               .from_offset = (size_t)from->offset,
                               .bytes = lbo_tensor_bytes(to)};

    return copy_bytes(library, to->storage->device, from->storage->device,
                      &copy);
}

/* ---- twins --------------------------------------------------------------- */

/* A tensor of that shape and type in row-major order. */
static lb_status twin(const lbo_tensor *tensor, lbo_device *device,
                      lbo_tensor **result)
{
    lbo_spec spec = {.dtype = tensor->dtype, .ndim = tensor->ndim};

    memcpy(spec.shape, tensor->dims, tensor->ndim * sizeof(int64_t));
    return lboi_tensor_new(device->library, &spec, device, result);
}

/* Whether the device itself can put elements in another order. */
static bool can_cast(lbo_context *context, const lbo_tensor *tensor)
{
    lbo_library *const library = context->library;
    const lbo_operator *const cast = lboi_builtin(context, LBOI_OP_cast);
    bool found = false;

    pthread_mutex_lock(&library->mutex);
    for (size_t i = 0; i < library->known_count && !found; i++) {
        const lboi_known *const known = &library->known[i];
        found = known->op == cast && known->device == tensor->storage->device &&
                (known->a == LBO_ANY_DTYPE || known->a == tensor->dtype);
    }
    pthread_mutex_unlock(&library->mutex);
    return found;
}

/* The bytes from the first to the last element. */
typedef struct extent {
    int64_t low; /* from the element with index 0; not above 0 */
    size_t bytes;
} extent;

static extent extent_of(const lbo_tensor *tensor)
{
    const int64_t size = (int64_t)element_size(tensor);
    int64_t low = 0, high = 1;

    for (int i = 0; i < tensor->ndim; i++) {
        const int64_t span = (tensor->dims[i] - 1) * lbo_strides(tensor)[i];
        *(span < 0 ? &low : &high) += span;
    }
    return (extent){low * size, (size_t)((high - low) * size)};
}

/* The same view over a copy on the host of all its bytes. */
static lb_status mirror(lbo_context *context, lbo_tensor *tensor,
                        lbo_tensor **result)
{
    const extent e = extent_of(tensor);
    const int64_t elements = (int64_t)(e.bytes / element_size(tensor));
    const lbo_spec spec = {
        .dtype = tensor->dtype, .ndim = 1, .shape = {elements}};
    lbo_tensor *all;
    lb_status status =
        lboi_tensor_new(context->library, &spec, context->library->cpu, &all);

    if (status != LB_OK)
        return status;
    status = fetch(tensor, e.low, all->data, e.bytes);
    if (status == LB_OK)
        status = lbo_tensor_view(all, -e.low / (int64_t)element_size(tensor),
                                 tensor->ndim, tensor->dims,
                                 lbo_strides(tensor), result);
    lbo_tensor_release(all);
    return status;
}

/* ---- from a device to the host ------------------------------------------- */

static lb_status to_host_packed(lbo_tensor *to, lbo_tensor *from)
{
    lbo_tensor *packed;

    if (lbo_is_contiguous(to))
        return fetch(from, 0, to->data, lbo_tensor_bytes(to));
    lb_status status = twin(to, to->storage->device->library->cpu, &packed);
    if (status != LB_OK)
        return status;
    status = fetch(from, 0, packed->data, lbo_tensor_bytes(to));
    if (status == LB_OK)
        lboi_convert_host(to, packed);
    lbo_tensor_release(packed);
    return status;
}

static lb_status to_host(lbo_context *context, lbo_tensor *to, lbo_tensor *from)
{
    lbo_tensor *made = NULL;
    lb_status status;

    if (lbo_is_contiguous(from))
        return to_host_packed(to, from);
    if (can_cast(context, from)) {
        status = lbo_cast(context, &made, from, (lbo_dtype)from->dtype);
        if (status == LB_OK)
            status = to_host_packed(to, made);
    } else {
        status = mirror(context, from, &made);
        if (status == LB_OK)
            lboi_convert_host(to, made);
    }
    lbo_tensor_release(made);
    return status;
}

/* ---- from the host to a device ------------------------------------------- */

static lb_status from_host_packed(lbo_tensor *to, lbo_tensor *from)
{
    lbo_tensor *packed;

    if (lbo_is_contiguous(from))
        return send(to, 0, from->data, lbo_tensor_bytes(to));
    lb_status status = twin(from, from->storage->device->library->cpu, &packed);
    if (status != LB_OK)
        return status;
    lboi_convert_host(packed, from);
    status = send(to, 0, packed->data, lbo_tensor_bytes(to));
    lbo_tensor_release(packed);
    return status;
}

static lb_status by_cast(lbo_context *context, lbo_tensor *to, lbo_tensor *from)
{
    lbo_tensor *packed;
    lb_status status = twin(to, to->storage->device, &packed);

    if (status != LB_OK)
        return status;
    status = from_host_packed(packed, from);
    if (status == LB_OK)
        status = lbo_cast(context, &to, packed, (lbo_dtype)to->dtype);
    lbo_tensor_release(packed);
    return status;
}

static lb_status by_mirror(lbo_context *context, lbo_tensor *to,
                           lbo_tensor *from)
{
    const extent e = extent_of(to);
    lbo_tensor *changed = NULL;
    lb_status status = mirror(context, to, &changed);

    if (status == LB_OK) {
        lboi_convert_host(changed, from);
        status = send(to, e.low, changed->storage->memory, e.bytes);
    }
    lbo_tensor_release(changed);
    return status;
}

static lb_status from_host(lbo_context *context, lbo_tensor *to,
                           lbo_tensor *from)
{
    if (lbo_is_contiguous(to))
        return from_host_packed(to, from);
    return can_cast(context, to) ? by_cast(context, to, from)
                                 : by_mirror(context, to, from);
}

/* ---- all ----------------------------------------------------------------- */

static lb_status through_host(lbo_context *context, lbo_tensor *to,
                              lbo_tensor *from)
{
    lbo_tensor *staged;
    lb_status status = twin(from, context->library->cpu, &staged);

    if (status != LB_OK)
        return status;
    status = to_host(context, staged, from);
    if (status == LB_OK)
        status = from_host(context, to, staged);
    lbo_tensor_release(staged);
    return status;
}

lb_status lboi_transfer(lbo_context *context, lbo_tensor *to, lbo_tensor *from)
{
    if (to->size == 0)
        return LB_OK;
    if (on_host(to) && on_host(from)) {
        lboi_convert_host(to, from);
        return LB_OK;
    }
    if (on_host(from))
        return from_host(context, to, from);
    if (on_host(to))
        return to_host(context, to, from);
    if (lbo_is_contiguous(to) && lbo_is_contiguous(from))
        return move_bytes(to, from);
    if (to->storage->device == from->storage->device && can_cast(context, from))
        return lbo_cast(context, &to, from, (lbo_dtype)to->dtype);
    return through_host(context, to, from);
}

/* ---- for users ----------------------------------------------------------- */

/* `out` given: written; else the tensor itself. */
static lb_status itself(lbo_context *context, lbo_tensor **out, lbo_tensor *x)
{
    if (*out != NULL)
        return lbo_copy(context, out, x);
    *out = lbo_tensor_retain(x);
    return LB_OK;
}

lb_status lbo_contiguous(lbo_context *context, lbo_tensor **out, lbo_tensor *x)
{
    if (context == NULL || out == NULL || x == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "contiguous: an argument is NULL");
    return lbo_is_contiguous(x) ? itself(context, out, x)
                                : lbo_copy(context, out, x);
}

lb_status lbo_to_device(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                        lbo_device *device)
{
    lbo_tensor *made = NULL;

    if (context == NULL || out == NULL || x == NULL || device == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "to_device: an argument is NULL");
    if (*out != NULL && (*out)->storage->device != device)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "to_device: the result given is on %s, not on %s",
                        (*out)->storage->device->name, device->name);
    if (*out != NULL || x->storage->device == device)
        return itself(context, out, x);
    lb_status status = twin(x, device, &made);
    if (status == LB_OK)
        status = lbo_copy(context, &made, x);
    if (status == LB_OK)
        *out = made;
    else
        lbo_tensor_release(made);
    return status;
}

static lb_status check_bytes(const char *name, const lbo_context *context,
                             const lbo_tensor *tensor, const void *memory,
                             size_t bytes)
{
    if (context == NULL || tensor == NULL || (memory == NULL && bytes > 0))
        return lbo_fail(LB_BAD_ARGUMENT, "%s: an argument is NULL", name);
    if (bytes != lbo_tensor_bytes(tensor))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: %zu bytes; the tensor's elements have %zu", name,
                        bytes, lbo_tensor_bytes(tensor));
    return LB_OK;
}

lb_status lbo_read(lbo_context *context, lbo_tensor *tensor, void *to,
                   size_t bytes)
{
    lbo_tensor *packed;
    lb_status status = check_bytes("lbo_read", context, tensor, to, bytes);

    if (status != LB_OK || bytes == 0)
        return status;
    if (on_host(tensor) && lbo_is_contiguous(tensor)) {
        memcpy(to, tensor->data, bytes);
        return LB_OK;
    }
    if (lbo_is_contiguous(tensor))
        return fetch(tensor, 0, to, bytes);
    status = twin(tensor, context->library->cpu, &packed);
    if (status != LB_OK)
        return status;
    status = lboi_transfer(context, packed, tensor);
    if (status == LB_OK)
        memcpy(to, packed->data, bytes);
    lbo_tensor_release(packed);
    return status;
}

static lb_status check_writable(const lbo_tensor *tensor)
{
    if (tensor->storage->flags & LBO_READ_ONLY)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_write: the tensor is read-only");
    for (int i = 0; i < tensor->ndim; i++)
        if (tensor->dims[i] > 1 && lbo_strides(tensor)[i] == 0)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "lbo_write: the tensor is a broadcast view; "
                            "several of its elements are one");
    return LB_OK;
}

static lb_status write_elements(lbo_context *context, lbo_tensor *tensor,
                                const void *from, size_t bytes)
{
    lbo_tensor *packed;

    if (on_host(tensor) && lbo_is_contiguous(tensor)) {
        memcpy(tensor->data, from, bytes);
        return LB_OK;
    }
    if (lbo_is_contiguous(tensor))
        return send(tensor, 0, from, bytes);
    lb_status status = twin(tensor, context->library->cpu, &packed);
    if (status != LB_OK)
        return status;
    memcpy(packed->data, from, bytes);
    status = lboi_transfer(context, tensor, packed);
    lbo_tensor_release(packed);
    return status;
}

lb_status lbo_write(lbo_context *context, lbo_tensor *tensor, const void *from,
                    size_t bytes)
{
    lb_status status = check_bytes("lbo_write", context, tensor, from, bytes);

    if (status == LB_OK)
        status = check_writable(tensor);
    if (status != LB_OK || bytes == 0)
        return status;
    status = write_elements(context, tensor, from, bytes);
    __atomic_add_fetch(&tensor->storage->version, 1, __ATOMIC_RELAXED);
    return status;
}

lb_status lbo_item(lbo_context *context, lbo_tensor *tensor, double *result)
{
    _Alignas(8) char bytes[8] = {0};

    if (context == NULL || tensor == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_item: an argument is NULL");
    if (tensor->size != 1)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_item: the tensor has %lld elements, not 1",
                        (long long)tensor->size);
    const lb_status status =
        lbo_read(context, tensor, bytes, element_size(tensor));
    if (status == LB_OK)
        lboi_converter(LBO_F64, (lbo_dtype)tensor->dtype)(
            (char *)result, sizeof(double), bytes,
            (int64_t)element_size(tensor), 1);
    return status;
}
