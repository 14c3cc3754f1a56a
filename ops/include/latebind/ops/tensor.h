/* latebind/ops/tensor.h - n-dimensional arrays on a device, and views of them.
 *
 * A tensor is a shape, strides (in elements; any sign, 0 where it is
 * broadcast) and the place of its first element in a storage that it shares
 * with its views. Its header is of the class DEVICE.DTYPE, e.g. `cpu.f32`,
 * whose bases are the device's and the type's class: what kernels are written
 * for.
 *
 * Ownership: a function that gives a tensor gives a reference; give it back by
 * lbo_tensor_release. Tensors handed in are borrowed. Reference counts are
 * atomic; reading one tensor from several threads is allowed, writing it while
 * another thread reads or writes is the caller's to prevent.
 */
#ifndef LATEBIND_OPS_TENSOR_H
#define LATEBIND_OPS_TENSOR_H

#include "latebind/class.h"
#include "latebind/ops/dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LBO_MAX_DIMS 16

typedef struct lbo_library lbo_library;
typedef struct lbo_context lbo_context;
typedef struct lbo_device lbo_device;
typedef struct lbo_history lbo_history;

enum {
    LBO_READ_ONLY = 1 /* of a storage: no operator may write it */
};

/* Memory of a device. Shared by views; freed with the last. */
typedef struct lbo_storage {
    uint32_t references; /* atomic */
    uint32_t version;    /* atomic; how often it was written to by operators */
    lbo_device *device;
    void *memory; /* the device's handle; of a host device the address */
    size_t bytes;
    uint32_t flags;
    uint32_t inside; /* 1: `memory` is part of this allocation; 2: it is
                        somebody else's */
    void (*release)(void *owner); /* NULL: the memory is the device's to free */
    void *owner;
    uint64_t reserved;
} lbo_storage;

enum {
    LBO_WEAK = 1 /* of a tensor: a scalar of the host language, see dtype.h */
};

/* The members may be read by anybody; only the library writes them. */
typedef struct lbo_tensor {
    lb_header head; /* its class: DEVICE.DTYPE */
    uint32_t references;
    uint8_t dtype; /* an lbo_dtype */
    uint8_t ndim;
    uint8_t flags;
    uint8_t reserved;
    lbo_storage *storage;
    void *data; /* the first element; NULL where the host cannot address it */
    int64_t offset; /* bytes from the storage's start to the first element */
    int64_t size;   /* elements */
    lbo_history *history; /* of autograd (autograd.h); NULL: none */
#ifdef __cplusplus
    int64_t dims[2 * LBO_MAX_DIMS]; /* at most: C++ knows no open arrays */
#else
    int64_t dims[]; /* the shape, then the strides */
#endif
} lbo_tensor;

/* Shape and strides (in elements), `ndim` of each. */
static inline const int64_t *lbo_shape(const lbo_tensor *tensor)
{
    return tensor->dims;
}
static inline const int64_t *lbo_strides(const lbo_tensor *tensor)
{
    return tensor->dims + tensor->ndim;
}

/* What a tensor is to be, e.g. an operator's result. */
typedef struct lbo_spec {
    lbo_device *device; /* NULL: the context's default */
    int32_t dtype;
    uint32_t ndim;
    int64_t shape[LBO_MAX_DIMS];
} lbo_spec;

/* A new tensor in row-major order whose elements are not set.
 * context  not NULL; its device unless `spec` names one
 * spec     not NULL
 * result   receives the tensor
 * Errors: LB_BAD_ARGUMENT (a negative size, more than LBO_MAX_DIMS, an unknown
 * type, a size whose bytes overflow), LB_NO_MEMORY. */
LB_PUBLIC lb_status lbo_tensor_create(lbo_context *context,
                                      const lbo_spec *spec,
                                      lbo_tensor **result);

/* The short form on the context's device. `shape` may be NULL if ndim is 0. */
LB_PUBLIC lb_status lbo_empty(lbo_context *context, lbo_dtype dtype,
                              size_t ndim, const int64_t *shape,
                              lbo_tensor **result);

/* A new tensor with the elements at `data` (row-major, on the host, copied). */
LB_PUBLIC lb_status lbo_from_data(lbo_context *context, lbo_dtype dtype,
                                  size_t ndim, const int64_t *shape,
                                  const void *data, lbo_tensor **result);

/* A weak 0-d tensor on the host: a number of the host language, which adapts
 * to what it is combined with (see dtype.h) and to its device. */
LB_PUBLIC lb_status lbo_scalar_bool(lbo_context *context, bool value,
                                    lbo_tensor **result);
LB_PUBLIC lb_status lbo_scalar_integer(lbo_context *context, int64_t value,
                                       lbo_tensor **result);
LB_PUBLIC lb_status lbo_scalar(lbo_context *context, double value,
                               lbo_tensor **result);

/* A tensor over memory that somebody else owns.
 * device   whose memory it is
 * memory   the device's handle; of a host device the address
 * bytes    how much of it may be touched: a shape with strides that reaches
 *          beyond is LB_BAD_ARGUMENT
 * offset   bytes from `memory` to the first element, a multiple of an element's
 *          (as the address on a host device), else LB_BAD_ARGUMENT
 * strides  in elements; NULL: row-major
 * flags    LBO_READ_ONLY or 0
 * release  called with `owner` when the last view is gone; NULL: nothing. When
 *          the call fails `owner` stays the caller's */
LB_PUBLIC lb_status lbo_tensor_wrap(lbo_library *library, lbo_device *device,
                                    void *memory, size_t bytes, int64_t offset,
                                    lbo_dtype dtype, size_t ndim,
                                    const int64_t *shape,
                                    const int64_t *strides, uint32_t flags,
                                    void (*release)(void *owner), void *owner,
                                    lbo_tensor **result);

/* Another view of the storage of `tensor`: the first element lies `offset`
 * elements after its first one. Checked against the storage's bytes. What
 * operators (reshape, slice, ...) are made of; has no history. */
LB_PUBLIC lb_status lbo_tensor_view(lbo_tensor *tensor, int64_t offset,
                                    size_t ndim, const int64_t *shape,
                                    const int64_t *strides,
                                    lbo_tensor **result);

/* One more reference; returns `tensor` (NULL is handed through). */
LB_PUBLIC lbo_tensor *lbo_tensor_retain(lbo_tensor *tensor);

/* One reference less (NULL is allowed). Never fails; a long history is taken
 * down without recursion. */
LB_PUBLIC void lbo_tensor_release(lbo_tensor *tensor);

/* Facts (tensor not NULL). Bytes: of its elements, packed. */
LB_PUBLIC lbo_device *lbo_tensor_device(const lbo_tensor *tensor);
LB_PUBLIC size_t lbo_tensor_bytes(const lbo_tensor *tensor);
LB_PUBLIC bool lbo_is_contiguous(const lbo_tensor *tensor);
LB_PUBLIC bool lbo_same_shape(const lbo_tensor *a, const lbo_tensor *b);

/* 1 if some byte may belong to both (compares extents: may say 1 for
 * interleaved views that share none), 2 if both are the same view, else 0. */
LB_PUBLIC int lbo_overlap(const lbo_tensor *a, const lbo_tensor *b);

/* Copies the elements, in row-major order, to or from host memory of exactly
 * `bytes`, from any device and any strides; waits until done. Errors:
 * LB_BAD_ARGUMENT (NULL, another size, read-only), what the device says. */
LB_PUBLIC lb_status lbo_read(lbo_context *context, lbo_tensor *tensor, void *to,
                             size_t bytes);
LB_PUBLIC lb_status lbo_write(lbo_context *context, lbo_tensor *tensor,
                              const void *from, size_t bytes);

/* The value of a tensor of one element, from any device. */
LB_PUBLIC lb_status lbo_item(lbo_context *context, lbo_tensor *tensor,
                             double *result);

/* Writes what tensors are printed as, e.g. for 2x2 f32
 *     tensor([[1, 2],
 *             [3, 4]], f32)
 * to `buffer` (NULL if capacity is 0): long ones are summarized, at most
 * `capacity` bytes with the final 0 are written. Returns the length it wants,
 * negative when the elements could not be read. */
LB_PUBLIC int lbo_format(lbo_context *context, lbo_tensor *tensor, char *buffer,
                         size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
