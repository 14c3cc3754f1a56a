/* cuda/api.h - what is used of the CUDA driver, NVRTC and cuBLAS, declared
 * after their documentation: no header of theirs is needed to compile this, no
 * library to link it. */
#ifndef LBO_CUDA_API_H
#define LBO_CUDA_API_H

#include <stddef.h>
#include <stdint.h>

typedef int cu_status;      /* CUresult, nvrtcResult, cublasStatus_t; 0: good */
typedef int cu_device;      /* CUdevice */
typedef void *cu_handle;    /* contexts, streams, modules, ... */
typedef uint64_t cu_memory; /* CUdeviceptr */

enum {
    CU_OUT_OF_MEMORY = 2,
    CU_CAPABILITY_MAJOR = 75, /* of CUdevice_attribute */
    CU_CAPABILITY_MINOR = 76,
    CU_STREAM_APART = 1, /* waits not for the stream 0 */
    NVRTC_BAD_OPTION = 5,
    CUBLAS_PLAIN = 0,
    CUBLAS_TRANSPOSED = 1
};

/* X(member, name in the library, parameters) */
#define CU_EACH_FUNCTION(X)                                                    \
    X(init, "cuInit", (unsigned))                                              \
    X(device_count, "cuDeviceGetCount", (int *))                               \
    X(device, "cuDeviceGet", (cu_device *, int))                               \
    X(device_name, "cuDeviceGetName", (char *, int, cu_device))                \
    X(device_fact, "cuDeviceGetAttribute", (int *, int, cu_device))            \
    X(retain, "cuDevicePrimaryCtxRetain", (cu_handle *, cu_device))            \
    X(release, "cuDevicePrimaryCtxRelease_v2", (cu_device))                    \
    X(push, "cuCtxPushCurrent_v2", (cu_handle))                                \
    X(pop, "cuCtxPopCurrent_v2", (cu_handle *))                                \
    X(wait_all, "cuCtxSynchronize", (void))                                    \
    X(allocate, "cuMemAlloc_v2", (cu_memory *, size_t))                        \
    X(free, "cuMemFree_v2", (cu_memory))                                       \
    X(write, "cuMemcpyHtoDAsync_v2",                                           \
      (cu_memory, const void *, size_t, cu_handle))                            \
    X(read, "cuMemcpyDtoHAsync_v2", (void *, cu_memory, size_t, cu_handle))    \
    X(copy, "cuMemcpyDtoDAsync_v2", (cu_memory, cu_memory, size_t, cu_handle)) \
    X(stream_create, "cuStreamCreate", (cu_handle *, unsigned))                \
    X(stream_destroy, "cuStreamDestroy_v2", (cu_handle))                       \
    X(stream_wait, "cuStreamSynchronize", (cu_handle))                         \
    X(event_create, "cuEventCreate", (cu_handle *, unsigned))                  \
    X(event_record, "cuEventRecord", (cu_handle, cu_handle))                   \
    X(event_wait, "cuEventSynchronize", (cu_handle))                           \
    X(event_elapsed, "cuEventElapsedTime", (float *, cu_handle, cu_handle))    \
    X(event_destroy, "cuEventDestroy_v2", (cu_handle))                         \
    X(module_load, "cuModuleLoadData", (cu_handle *, const void *))            \
    X(module_unload, "cuModuleUnload", (cu_handle))                            \
    X(function, "cuModuleGetFunction", (cu_handle *, cu_handle, const char *)) \
    X(launch, "cuLaunchKernel",                                                \
      (cu_handle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,  \
       unsigned, cu_handle, void **, void **))                                 \
    X(error_name, "cuGetErrorName", (cu_status, const char **))                \
    X(error_text, "cuGetErrorString", (cu_status, const char **))

#define NVRTC_EACH_FUNCTION(X)                                                 \
    X(create, "nvrtcCreateProgram",                                            \
      (cu_handle *, const char *, const char *, int, const char *const *,      \
       const char *const *))                                                   \
    X(compile, "nvrtcCompileProgram", (cu_handle, int, const char *const *))   \
    X(ptx_size, "nvrtcGetPTXSize", (cu_handle, size_t *))                      \
    X(ptx, "nvrtcGetPTX", (cu_handle, char *))                                 \
    X(log_size, "nvrtcGetProgramLogSize", (cu_handle, size_t *))               \
    X(log, "nvrtcGetProgramLog", (cu_handle, char *))                          \
    X(destroy, "nvrtcDestroyProgram", (cu_handle *))

#define CUBLAS_GEMM(real)                                                      \
    (cu_handle, int, int, int, int, int, const real *, const real *, int,      \
     long long, const real *, int, long long, const real *, real *, int,       \
     long long, int)
#define CUBLAS_EACH_FUNCTION(X)                                                \
    X(create, "cublasCreate_v2", (cu_handle *))                                \
    X(destroy, "cublasDestroy_v2", (cu_handle))                                \
    X(set_stream, "cublasSetStream_v2", (cu_handle, cu_handle))                \
    X(sgemm, "cublasSgemmStridedBatched", CUBLAS_GEMM(float))                  \
    X(dgemm, "cublasDgemmStridedBatched", CUBLAS_GEMM(double))

#define CU_MEMBER(member, name, parameters) cu_status(*member) parameters;
typedef struct cu_api {
    CU_EACH_FUNCTION(CU_MEMBER)
} cu_api;
typedef struct nvrtc_api {
    NVRTC_EACH_FUNCTION(CU_MEMBER)
} nvrtc_api;
typedef struct cublas_api {
    CUBLAS_EACH_FUNCTION(CU_MEMBER)
} cublas_api;
#undef CU_MEMBER

#endif
