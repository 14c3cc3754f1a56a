/* opencl/api.h - what is used of OpenCL 1.2 and of CLBlast, declared after the
 * Khronos specification and CLBlast's documentation: no header of theirs is
 * needed to compile this, no library to link it. */
#ifndef LBO_OPENCL_API_H
#define LBO_OPENCL_API_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t cl_status; /* 0: success */
typedef void *cl_handle;   /* platforms, devices, contexts, queues, ... */

enum {
    CL_DONE = 0,
    CL_NO_DEVICE = -1,
    CL_NO_OBJECT_MEMORY = -4,
    CL_NO_RESOURCES = -5,
    CL_NO_HOST_MEMORY = -6,
    CL_BAD_BUFFER_SIZE = -61,
    CL_NO_PLATFORM_KHR = -1001
};

#define CL_ANY_DEVICE_TYPE 0xFFFFFFFFu
#define CL_TYPE_CPU 2u
#define CL_TYPE_GPU 4u
#define CL_QUEUE_PROFILING 2u
#define CL_MEMORY_READ_WRITE 1u

enum {
    CL_DEVICE_INFO_TYPE = 0x1000,
    CL_DEVICE_INFO_MAX_GROUP = 0x1004,
    CL_DEVICE_INFO_AVAILABLE = 0x1027,
    CL_DEVICE_INFO_NAME = 0x102B,
    CL_DEVICE_INFO_EXTENSIONS = 0x1030,
    CL_BUILD_INFO_LOG = 0x1183,
    CL_PROFILING_END = 0x1283
};

/* X(result, name, parameters) */
#define CL_EACH_FUNCTION(X)                                                    \
    X(cl_status, GetPlatformIDs, (uint32_t, cl_handle *, uint32_t *))          \
    X(cl_status, GetDeviceIDs,                                                 \
      (cl_handle, uint64_t, uint32_t, cl_handle *, uint32_t *))                \
    X(cl_status, GetDeviceInfo,                                                \
      (cl_handle, uint32_t, size_t, void *, size_t *))                         \
    X(cl_handle, CreateContext,                                                \
      (const intptr_t *, uint32_t, const cl_handle *,                          \
       void (*)(const char *, const void *, size_t, void *), void *,           \
       cl_status *))                                                           \
    X(cl_status, ReleaseContext, (cl_handle))                                  \
    X(cl_handle, CreateCommandQueue,                                           \
      (cl_handle, cl_handle, uint64_t, cl_status *))                           \
    X(cl_status, ReleaseCommandQueue, (cl_handle))                             \
    X(cl_handle, CreateBuffer,                                                 \
      (cl_handle, uint64_t, size_t, void *, cl_status *))                      \
    X(cl_status, ReleaseMemObject, (cl_handle))                                \
    X(cl_status, EnqueueReadBuffer,                                            \
      (cl_handle, cl_handle, uint32_t, size_t, size_t, void *, uint32_t,       \
       const cl_handle *, cl_handle *))                                        \
    X(cl_status, EnqueueWriteBuffer,                                           \
      (cl_handle, cl_handle, uint32_t, size_t, size_t, const void *, uint32_t, \
       const cl_handle *, cl_handle *))                                        \
    X(cl_status, EnqueueCopyBuffer,                                            \
      (cl_handle, cl_handle, cl_handle, size_t, size_t, size_t, uint32_t,      \
       const cl_handle *, cl_handle *))                                        \
    X(cl_handle, CreateProgramWithSource,                                      \
      (cl_handle, uint32_t, const char **, const size_t *, cl_status *))       \
    X(cl_status, BuildProgram,                                                 \
      (cl_handle, uint32_t, const cl_handle *, const char *,                   \
       void (*)(cl_handle, void *), void *))                                   \
    X(cl_status, GetProgramBuildInfo,                                          \
      (cl_handle, cl_handle, uint32_t, size_t, void *, size_t *))              \
    X(cl_status, ReleaseProgram, (cl_handle))                                  \
    X(cl_handle, CreateKernel, (cl_handle, const char *, cl_status *))         \
    X(cl_status, ReleaseKernel, (cl_handle))                                   \
    X(cl_status, SetKernelArg, (cl_handle, uint32_t, size_t, const void *))    \
    X(cl_status, EnqueueNDRangeKernel,                                         \
      (cl_handle, cl_handle, uint32_t, const size_t *, const size_t *,         \
       const size_t *, uint32_t, const cl_handle *, cl_handle *))              \
    X(cl_status, EnqueueMarkerWithWaitList,                                    \
      (cl_handle, uint32_t, const cl_handle *, cl_handle *))                   \
    X(cl_status, Flush, (cl_handle))                                           \
    X(cl_status, Finish, (cl_handle))                                          \
    X(cl_status, WaitForEvents, (uint32_t, const cl_handle *))                 \
    X(cl_status, GetEventProfilingInfo,                                        \
      (cl_handle, uint32_t, size_t, void *, size_t *))                         \
    X(cl_status, ReleaseEvent, (cl_handle))

typedef struct cl_api {
#define CL_MEMBER(result, name, parameters) result(*name) parameters;
    CL_EACH_FUNCTION(CL_MEMBER)
#undef CL_MEMBER
} cl_api;

/* CLBlast's words for a product. Statuses: 0 is success; OpenCL's are handed
 * through, its own are below -1024. */
enum { CLBLAST_ROWS = 101, CLBLAST_PLAIN = 111, CLBLAST_TRANSPOSED = 112 };

#define CLBLAST_GEMM(real)                                                     \
    (int, int, int, size_t, size_t, size_t, real, cl_handle, size_t, size_t,   \
     size_t, cl_handle, size_t, size_t, size_t, real, cl_handle, size_t,       \
     size_t, size_t, size_t, cl_handle *, cl_handle *)

typedef struct clblast_api {
    void *library; /* NULL: there is none */
    int(*sgemm) CLBLAST_GEMM(float);
    int(*dgemm) CLBLAST_GEMM(double);
    int (*clear_cache)(void);
} clblast_api;

#endif
