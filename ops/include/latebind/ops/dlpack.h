/* latebind/ops/dlpack.h - tensors from and for other libraries, without copying.
 *
 * The layouts follow the DLPack specification, version 1.0 (and the one before
 * it, which has no version field). Pointers to these structs are what a
 * "dltensor" or "dltensor_versioned" capsule of Python holds.
 */
#ifndef LATEBIND_OPS_DLPACK_H
#define LATEBIND_OPS_DLPACK_H

#include "latebind/ops/library.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { /* lbo_dl_device.type */
       LBO_DL_CPU = 1,
       LBO_DL_CUDA = 2,
       LBO_DL_CUDA_HOST = 3,
       LBO_DL_OPENCL = 4
};

enum { /* lbo_dl_dtype.code */
       LBO_DL_INT = 0,
       LBO_DL_UINT = 1,
       LBO_DL_FLOAT = 2,
       LBO_DL_BFLOAT = 4,
       LBO_DL_BOOL = 6
};

enum { /* lbo_dl_versioned.flags */
       LBO_DL_READ_ONLY = 1,
       LBO_DL_COPIED = 2
};

typedef struct lbo_dl_device {
    int32_t type;
    int32_t id;
} lbo_dl_device;

typedef struct lbo_dl_dtype {
    uint8_t code;
    uint8_t bits;
    uint16_t lanes;
} lbo_dl_dtype;

typedef struct lbo_dl_tensor {
    void *data;
    lbo_dl_device device;
    int32_t ndim;
    lbo_dl_dtype dtype;
    int64_t *shape;
    int64_t *strides; /* elements; NULL: row-major */
    uint64_t byte_offset;
} lbo_dl_tensor;

typedef struct lbo_dl_managed { /* "dltensor" */
    lbo_dl_tensor tensor;
    void *manager;
    void (*deleter)(struct lbo_dl_managed *self);
} lbo_dl_managed;

typedef struct lbo_dl_versioned { /* "dltensor_versioned" */
    struct {
        uint32_t major;
        uint32_t minor;
    } version;
    void *manager;
    void (*deleter)(struct lbo_dl_versioned *self);
    uint64_t flags;
    lbo_dl_tensor tensor;
} lbo_dl_versioned;

/* Exports a tensor: the struct shares its memory and keeps it alive until the
 * receiver calls its deleter. Legacy cannot say "read-only": LB_READ_ONLY.
 * LB_BAD_ARGUMENT: a device that DLPack has no number for, or a tensor with
 * history (detach it first). */
LB_PUBLIC lb_status lbo_to_dlpack(lbo_tensor *tensor, lbo_dl_managed **result);
LB_PUBLIC lb_status lbo_to_dlpack_versioned(lbo_tensor *tensor,
                                            lbo_dl_versioned **result);

/* Imports: the tensor takes the struct over and calls its deleter when its
 * storage goes. On failure the struct stays the caller's. LB_BAD_ARGUMENT: a
 * type or device that there is none of here, lanes, a major version other than
 * 1, negative sizes, NULL data of a tensor with elements. */
LB_PUBLIC lb_status lbo_from_dlpack(lbo_library *library,
                                    lbo_dl_managed *managed,
                                    lbo_tensor **result);
LB_PUBLIC lb_status lbo_from_dlpack_versioned(lbo_library *library,
                                              lbo_dl_versioned *managed,
                                              lbo_tensor **result);

#ifdef __cplusplus
}
#endif
#endif
