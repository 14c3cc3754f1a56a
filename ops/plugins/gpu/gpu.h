/* gpu/gpu.h - devices with memory of their own and kernels that are compiled at
 * run time: what OpenCL and CUDA have in common.
 *
 * An API's plug-in fills in a gpu_driver and calls gpu_device_add for each
 * device that it finds; all operators come from here. Kernels are text that
 * both compilers read (kernels/, with a prelude of the API's own words), made
 * for one combination of element types when it is first used, and kept.
 *
 * All of a device's commands go into one stream, in order: memory that is given
 * back may be used again at once. A device's mutex is held while something is
 * looked up, compiled or put into a stream, so any thread may call.
 */
#ifndef LBO_GPU_H
#define LBO_GPU_H

#include "latebind/ops/kernel.h"
#include "latebind/ops/operator.h"
#include "latebind/plugin.h"

#include <pthread.h>

typedef struct gpu_device gpu_device;

/* A kernel's argument: the value's address (of memory: the handle's). */
typedef struct gpu_argument {
    const void *value;
    size_t size;
} gpu_argument;

/* A matrix of a product, row-major: `leading` elements between two rows.
 * transposed: the columns lie together instead. */
typedef struct gpu_matrix {
    void *memory;
    int64_t offset;  /* elements */
    int64_t leading; /* elements */
    int64_t step;    /* elements, from one of the batch to the next */
    bool transposed;
} gpu_matrix;

/* c = alpha a b + beta c, `count` times; sizes are at least 1, c is not
 * transposed. */
typedef struct gpu_product {
    bool wide; /* f64, else f32 */
    int64_t m, n, k, count;
    double alpha, beta;
    gpu_matrix a, b, c;
} gpu_product;

/* What an API does. Statuses come with a message: the API's own words. */
typedef struct gpu_driver {
    const char *prelude;    /* the words of kernels/ in the API's language */
    const char *class_name; /* of device objects */
    lb_status (*allocate)(gpu_device *device, size_t bytes, void **memory);
    void (*free)(gpu_device *device, void *memory);
    /* These three wait until the host's side may be used again. */
    lb_status (*read)(gpu_device *device, void *stream, void *to, void *from,
                      size_t offset, size_t bytes);
    lb_status (*write)(gpu_device *device, void *stream, void *to,
                       size_t offset, const void *from, size_t bytes);
    lb_status (*copy)(gpu_device *device, void *stream, void *to,
                      size_t to_offset, void *from, size_t from_offset,
                      size_t bytes);
    lb_status (*compile)(gpu_device *device, const char *text, void **module);
    void (*module_free)(gpu_device *device, void *module);
    lb_status (*find)(gpu_device *device, void *module, const char *name,
                      void **kernel);
    void (*kernel_free)(gpu_device *device, void *kernel);
    lb_status (*launch)(gpu_device *device, void *stream, void *kernel,
                        size_t groups, size_t lanes,
                        const gpu_argument *arguments, size_t count);
    /* LB_NO_METHOD: there is no library for it. */
    lb_status (*multiply)(gpu_device *device, void *stream,
                          const gpu_product *product);
    lb_status (*synchronize)(gpu_device *device, void *stream); /* NULL: all */
    lb_status (*stream_create)(gpu_device *device, void **stream);
    void (*stream_destroy)(gpu_device *device, void *stream);
    lb_status (*event_record)(gpu_device *device, void *stream, void **event);
    lb_status (*event_wait)(gpu_device *device, void *event);
    lb_status (*event_elapsed)(gpu_device *device, void *start, void *end,
                               double *ns);
    void (*event_destroy)(gpu_device *device, void *event);
    void (*close)(gpu_device *device); /* gives back `api` */
} gpu_driver;

/* What a kernel's text is specialized by. No padding: compared by memcmp. */
typedef struct gpu_variant {
    const char *source;     /* one of the texts below */
    const char *expression; /* becomes EXPRESSION; NULL: none */
    int8_t types[4];        /* become T0..T3; LBO_ANY_DTYPE: none */
    int32_t number;         /* becomes N */
} gpu_variant;

typedef struct gpu_module gpu_module;
typedef struct gpu_block gpu_block;

enum {
    GPU_MODULE_LISTS = 64,
    GPU_BLOCK_LISTS = 512,
    GPU_LANES = 128, /* of one group, where elements do not share anything */
};

struct gpu_device {
    const gpu_driver *driver;
    lbo_library *library;
    lbo_device *device;
    void *api;    /* the driver's own */
    void *stream; /* the one that kernels go into */
    bool wide;    /* the device knows f64 */
    pthread_mutex_t mutex;
    gpu_module *modules[GPU_MODULE_LISTS];
    gpu_block *blocks[GPU_BLOCK_LISTS]; /* memory that waits to be used again */
};

/* The texts of kernels/, made by the build. */
extern const char gpu_source_common[], gpu_source_convert[],
    gpu_source_elementwise[], gpu_source_cast[], gpu_source_create[],
    gpu_source_random[], gpu_source_reduce[], gpu_source_lines[],
    gpu_source_product[], gpu_source_window[], gpu_source_choose[],
    gpu_source_step[];

/* ---- device.c ------------------------------------------------------------ */

/* The description of a device that a plug-in found. The driver's `close` is
 * called in the end, also when this fails. */
typedef struct gpu_found {
    const gpu_driver *driver;
    const char *name;
    const char *description;
    int preference;
    void *api;
    void *stream;
    bool wide;
} gpu_found;

/* What a plug-in has in the end: a class and devices. */
typedef struct gpu_family gpu_family;

/* Makes the class of the driver's devices, with its methods. The rules are in a
 * group of the family's own, which can be taken back at any time: what is in a
 * plug-in's group when `load` fails cannot. */
lb_status gpu_family_create(lbo_library *library, const gpu_driver *driver,
                            gpu_family **result);
lb_status gpu_device_add(gpu_family *family, const gpu_found *found);
/* Publishes all rules. */
lb_status gpu_family_commit(gpu_family *family);
size_t gpu_family_count(const gpu_family *family);
/* Ends the devices, which no tensor may use any more, and the class. */
void gpu_family_destroy(gpu_family *family);

static inline gpu_device *gpu_of(const lbo_tensor *tensor)
{
    return tensor->storage->device->data;
}

/* ---- memory.c ------------------------------------------------------------ */

lb_status gpu_allocate(gpu_device *device, size_t bytes, void **memory);
void gpu_free(gpu_device *device, void *memory, size_t bytes);
/* Gives back what waits to be used again. Under the mutex. */
void gpu_trim(gpu_device *device);

/* ---- launch.c ------------------------------------------------------------ */

/* A launch that is being put together; values must stay until it ran. */
enum { GPU_MAX_ARGUMENTS = 32 };
typedef struct gpu_launch {
    gpu_device *device;
    lb_status status; /* of what was added so far */
    uint32_t count;
    gpu_argument at[GPU_MAX_ARGUMENTS];
    int64_t offsets[GPU_MAX_ARGUMENTS];
} gpu_launch;

void gpu_begin(gpu_launch *launch, gpu_device *device);
/* A tensor: two arguments, the memory and the offset in elements. */
void gpu_add_tensor(gpu_launch *launch, const lbo_tensor *tensor);
void gpu_add(gpu_launch *launch, const void *value, size_t size);
/* Compiles the variant if need be, and runs its kernel. */
lb_status gpu_run(gpu_launch *launch, const gpu_variant *variant,
                  const char *kernel, int64_t groups, size_t lanes);
/* One thread per element. */
lb_status gpu_run_flat(gpu_launch *launch, const gpu_variant *variant,
                       const char *kernel, int64_t elements);
void gpu_forget_modules(gpu_device *device);

/* ---- dense.c ------------------------------------------------------------- */

/* Operands in row-major order: inputs that are not are copied, results that
 * are not are written by way of others. Indices of i32 become i64. */
typedef struct gpu_dense {
    lbo_tensor *in[8];
    lbo_tensor *out[LBO_MAX_OUT];
} gpu_dense;
lb_status gpu_dense_begin(lbo_context *context, const lbo_call *call,
                          size_t in_count, gpu_dense *dense);
lb_status gpu_dense_end(lbo_context *context, const lbo_call *call,
                        gpu_dense *dense, lb_status status);
/* A new tensor on the device of `like`. */
lb_status gpu_temporary(lbo_context *context, const lbo_tensor *like, int dtype,
                        size_t ndim, const int64_t *shape, lbo_tensor **result);

/* Whether all types of the call's tensors are known to the device. */
bool gpu_knows(const lbo_call *call);

/* ---- walk.c -------------------------------------------------------------- */

/* What kernels/common.txt calls `walk_t`: the operands' shape, innermost
 * dimension first, and their strides in elements. */
enum { GPU_OPERANDS = 4 };
typedef struct gpu_walk {
    int64_t count;
    int64_t dims;
    int64_t size[LBO_MAX_DIMS];
    int64_t stride[GPU_OPERANDS][LBO_MAX_DIMS];
} gpu_walk;
/* Of tensors that are broadcast to `shape`. */
void gpu_walk_init(gpu_walk *walk, size_t ndim, const int64_t *shape,
                   size_t count, lbo_tensor *const *tensors);
/* Of strides as they are: `count` operands (at most GPU_OPERANDS). */
void gpu_walk_strides(gpu_walk *walk, size_t ndim, const int64_t *shape,
                      size_t count, int64_t (*strides)[LBO_MAX_DIMS]);

/* ---- product.c ----------------------------------------------------------- */

/* By the API's library, or a kernel of our own. */
lb_status gpu_multiply(gpu_device *device, int dtype,
                       const gpu_product *product);

/* ---- tables: a file's kernels -------------------------------------------- */

typedef lb_status gpu_register_fn(gpu_device *device, lb_group *group);
gpu_register_fn gpu_register_elementwise, gpu_register_copy,
    gpu_register_create, gpu_register_reduce, gpu_register_lines,
    gpu_register_product, gpu_register_convolve, gpu_register_window,
    gpu_register_choose, gpu_register_step;

#endif
