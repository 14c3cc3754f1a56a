/* dlpack.c - tensors for and from other libraries by the DLPack structs.
 *
 * Out: the struct holds a reference on the tensor, whose shape and strides
 * it shows; the deleter gives both back. In: the tensor wraps the bytes that
 * the strides reach (which may lie before the first element), and its storage
 * calls the struct's deleter. Where handles are addresses (the host, CUDA) the
 * place of the first element is the address; OpenCL's are objects, and have an
 * offset.
 */
#include "latebind/ops/dlpack.h"
#include "library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAJOR = 1, MINOR = 0 };

/* ---- types and devices --------------------------------------------------- */

static const struct {
    uint8_t code, bits;
} types[LBO_DTYPE_COUNT] = {
    [LBO_BOOL] = {LBO_DL_BOOL, 8},    [LBO_U8] = {LBO_DL_UINT, 8},
    [LBO_I8] = {LBO_DL_INT, 8},       [LBO_I32] = {LBO_DL_INT, 32},
    [LBO_I64] = {LBO_DL_INT, 64},     [LBO_F16] = {LBO_DL_FLOAT, 16},
    [LBO_BF16] = {LBO_DL_BFLOAT, 16}, [LBO_F32] = {LBO_DL_FLOAT, 32},
    [LBO_F64] = {LBO_DL_FLOAT, 64},
};

static lb_status find_type(lbo_dl_dtype dl, lbo_dtype *result)
{
    if (dl.lanes != 1)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "DLPack: elements of %u lanes; only one is known",
                        (unsigned)dl.lanes);
    for (int i = 0; i < LBO_DTYPE_COUNT; i++)
        if (types[i].code == dl.code && types[i].bits == dl.bits) {
            *result = (lbo_dtype)i;
            return LB_OK;
        }
    return lbo_fail(LB_BAD_ARGUMENT,
                    "DLPack: there is no type for code %u with %u bits",
                    (unsigned)dl.code, (unsigned)dl.bits);
}

/* "cuda:1" of the kind "cuda" is 1, "cuda" is 0; -1: of another kind. */
static int32_t number_of(const char *name, const char *kind)
{
    const size_t length = strlen(kind);

    if (strncmp(name, kind, length) != 0)
        return -1;
    if (name[length] == '\0')
        return 0;
    return name[length] == ':' ? (int32_t)atoi(name + length + 1) : -1;
}

static lb_status device_out(const lbo_device *device, lbo_dl_device *result)
{
    if (device->flags & LBO_HOST) {
        *result = (lbo_dl_device){LBO_DL_CPU, 0};
        return LB_OK;
    }
    *result = (lbo_dl_device){LBO_DL_CUDA, number_of(device->name, "cuda")};
    if (result->id < 0)
        *result =
            (lbo_dl_device){LBO_DL_OPENCL, number_of(device->name, "opencl")};
    if (result->id < 0)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "DLPack has no number for device %s; copy to the CPU",
                        device->name);
    return LB_OK;
}

static lb_status device_in(lbo_library *library, lbo_dl_device dl,
                           lbo_device **result)
{
    const char *const kind = dl.type == LBO_DL_CUDA     ? "cuda"
                             : dl.type == LBO_DL_OPENCL ? "opencl"
                                                        : NULL;

    if (dl.type == LBO_DL_CPU || dl.type == LBO_DL_CUDA_HOST) {
        *result = library->cpu;
        return LB_OK;
    }
    for (size_t i = 0; kind != NULL && i < lbo_device_count(library); i++) {
        lbo_device *const device = lbo_device_at(library, i);
        if (device != NULL && dl.id >= 0 &&
            number_of(device->name, kind) == dl.id) {
            *result = device;
            return LB_OK;
        }
    }
    return lbo_fail(LB_BAD_ARGUMENT,
                    "DLPack: there is no device of type %d with number %d",
                    (int)dl.type, (int)dl.id);
}

/* ---- out ----------------------------------------------------------------- */

static lb_status show(lbo_tensor *tensor, lbo_dl_tensor *dl)
{
    const lbo_dtype dtype = (lbo_dtype)tensor->dtype;
    const lb_status status = device_out(tensor->storage->device, &dl->device);

    if (status != LB_OK)
        return status;
    const bool object = dl->device.type == LBO_DL_OPENCL;
    char *const memory = tensor->storage->memory;
    dl->data = memory == NULL || object ? memory : memory + tensor->offset;
    dl->byte_offset = object ? (uint64_t)tensor->offset : 0;
    dl->ndim = tensor->ndim;
    dl->dtype = (lbo_dl_dtype){types[dtype].code, types[dtype].bits, 1};
    dl->shape = tensor->dims;
    dl->strides = tensor->dims + tensor->ndim;
    return LB_OK;
}

static lb_status check_out(const lbo_tensor *tensor, const void *result)
{
    if (tensor == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "DLPack: an argument is NULL");
    if (tensor->history != NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "DLPack: the tensor has a history; detach it first");
    return LB_OK;
}

/* Gives back the struct and the reference on the tensor beside it. */
static void give_back(lbo_tensor *tensor, void *self, size_t size)
{
    lbo_library *const library = tensor->storage->device->library;

    lboi_free(library, self, size);
    lbo_tensor_release(tensor);
}

static void delete_legacy(lbo_dl_managed *self)
{
    if (self != NULL)
        give_back(self->manager, self, sizeof *self);
}

static void delete_versioned(lbo_dl_versioned *self)
{
    if (self != NULL)
        give_back(self->manager, self, sizeof *self);
}

lb_status lbo_to_dlpack(lbo_tensor *tensor, lbo_dl_managed **result)
{
    lbo_dl_tensor shown;
    lb_status status = check_out(tensor, result);

    if (status == LB_OK && tensor->storage->flags & LBO_READ_ONLY)
        status = lbo_fail(LB_READ_ONLY,
                          "DLPack before 1.0 cannot say that a tensor is "
                          "read-only");
    if (status == LB_OK)
        status = show(tensor, &shown);
    if (status != LB_OK)
        return status;
    lbo_dl_managed *const made =
        lboi_alloc(tensor->storage->device->library, sizeof *made);
    if (made == NULL)
        return LB_NO_MEMORY;
    *made = (lbo_dl_managed){.tensor = shown,
                             .manager = lbo_tensor_retain(tensor),
                             .deleter = delete_legacy};
    *result = made;
    return LB_OK;
}

lb_status lbo_to_dlpack_versioned(lbo_tensor *tensor, lbo_dl_versioned **result)
{
    lbo_dl_tensor shown;
    lb_status status = check_out(tensor, result);

    if (status == LB_OK)
        status = show(tensor, &shown);
    if (status != LB_OK)
        return status;
    lbo_dl_versioned *const made =
        lboi_alloc(tensor->storage->device->library, sizeof *made);
    if (made == NULL)
        return LB_NO_MEMORY;
    *made = (lbo_dl_versioned){
        .version = {MAJOR, MINOR},
        .manager = lbo_tensor_retain(tensor),
        .deleter = delete_versioned,
        .flags = tensor->storage->flags & LBO_READ_ONLY ? LBO_DL_READ_ONLY : 0,
        .tensor = shown};
    *result = made;
    return LB_OK;
}

/* ---- in ------------------------------------------------------------------ */

/* Bytes before the first element, and from there to the end of the last. */
typedef struct reach {
    int64_t before, after;
} reach;

/* Row-major where no strides are given; checked sizes. */
static bool find_strides(const lbo_dl_tensor *dl, int64_t *strides)
{
    int64_t step = 1;

    for (int32_t i = dl->ndim; i-- > 0;) {
        strides[i] = dl->strides != NULL ? dl->strides[i] : step;
        if (__builtin_mul_overflow(step, dl->shape[i] > 0 ? dl->shape[i] : 1,
                                   &step))
            return false;
    }
    return true;
}

static bool find_reach(const lbo_dl_tensor *dl, const int64_t *strides,
                       int64_t size, reach *result)
{
    int64_t low = 0, high = 1;

    for (int32_t i = 0; i < dl->ndim; i++) {
        int64_t span, *const end = strides[i] < 0 ? &low : &high;
        if (dl->shape[i] == 0) {
            *result = (reach){0, 0};
            return true;
        }
        if (__builtin_mul_overflow(dl->shape[i] - 1, strides[i], &span) ||
            __builtin_add_overflow(*end, span, end))
            return false;
    }
    return !__builtin_mul_overflow(low, -size, &result->before) &&
           !__builtin_mul_overflow(high, size, &result->after);
}

static lb_status check_shape(const lbo_dl_tensor *dl)
{
    if (dl->ndim < 0 || dl->ndim > LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "DLPack: %d dimensions, there may be 0 to %d",
                        (int)dl->ndim, LBO_MAX_DIMS);
    if (dl->ndim > 0 && dl->shape == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "DLPack: the shape is NULL");
    for (int32_t i = 0; i < dl->ndim; i++)
        if (dl->shape[i] < 0)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "DLPack: dimension %d has the negative size %lld",
                            (int)i, (long long)dl->shape[i]);
    return LB_OK;
}

/* A tensor over the bytes that are reached. */
static lb_status wrap(lbo_library *library, lbo_device *device,
                      const lbo_dl_tensor *dl, uint32_t flags,
                      void (*release)(void *owner), void *owner,
                      lbo_tensor **result)
{
    int64_t strides[LBO_MAX_DIMS], offset, bytes;
    char *memory = dl->data;
    lbo_dtype dtype = LBO_BOOL;
    reach r;
    const lb_status status = find_type(dl->dtype, &dtype);

    if (status != LB_OK)
        return status;
    if (!find_strides(dl, strides) ||
        !find_reach(dl, strides, (int64_t)lbo_dtype_size(dtype), &r) ||
        dl->byte_offset > INT64_MAX ||
        __builtin_add_overflow((int64_t)dl->byte_offset, r.after, &bytes))
        return lbo_fail(LB_BAD_ARGUMENT, "DLPack: the strides overflow");
    offset = (int64_t)dl->byte_offset;
    if (dl->device.type != LBO_DL_OPENCL && memory != NULL) {
        memory += offset - r.before;
        offset = r.before;
        bytes = r.before + r.after;
    }
    return lbo_tensor_wrap(library, device, memory, (size_t)bytes, offset,
                           dtype, (size_t)dl->ndim, dl->shape, strides, flags,
                           release, owner, result);
}

static lb_status take(lbo_library *library, const lbo_dl_tensor *dl,
                      uint32_t flags, void (*release)(void *owner), void *owner,
                      lbo_tensor **result)
{
    lbo_device *device = NULL;
    lb_status status = check_shape(dl);

    if (status == LB_OK)
        status = device_in(library, dl->device, &device);
    return status == LB_OK
               ? wrap(library, device, dl, flags, release, owner, result)
               : status;
}

static void release_legacy(void *owner)
{
    lbo_dl_managed *const managed = owner;

    if (managed->deleter != NULL)
        managed->deleter(managed);
}

static void release_versioned(void *owner)
{
    lbo_dl_versioned *const managed = owner;

    if (managed->deleter != NULL)
        managed->deleter(managed);
}

lb_status lbo_from_dlpack(lbo_library *library, lbo_dl_managed *managed,
                          lbo_tensor **result)
{
    if (library == NULL || managed == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "DLPack: an argument is NULL");
    return take(library, &managed->tensor, 0, release_legacy, managed, result);
}

lb_status lbo_from_dlpack_versioned(lbo_library *library,
                                    lbo_dl_versioned *managed,
                                    lbo_tensor **result)
{
    if (library == NULL || managed == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "DLPack: an argument is NULL");
    if (managed->version.major != MAJOR)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "DLPack: version %u.%u; %d.x is understood",
                        (unsigned)managed->version.major,
                        (unsigned)managed->version.minor, MAJOR);
    return take(library, &managed->tensor,
                managed->flags & LBO_DL_READ_ONLY ? LBO_READ_ONLY : 0,
                release_versioned, managed, result);
}
