/* opencl.c - the plug-in "opencl": every device that OpenCL finds.
 *
 * libOpenCL is opened at run time (LATEBIND_OPENCL names another file), so is
 * CLBlast for products (LATEBIND_CLBLAST; without it a kernel of our own does
 * them). GPUs come first, as "opencl", "opencl:1", ...; CPUs that play a device
 * (PoCL) come last and are preferred less. What is missing is reported through
 * the library's report hook, and no device is added.
 */
#include "api.h"
#include "gpu.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One per plug-in, which a library opens once; each opening has its own. */
typedef struct opencl_libraries {
    void *library;
    cl_api cl;
    clblast_api blast;
    gpu_family *family;
    lbo_library *owner;
} opencl_libraries;

typedef struct opencl_device {
    const opencl_libraries *libraries;
    cl_handle device, context, queue;
} opencl_device;

static opencl_device *api_of(const gpu_device *device)
{
    return device->api;
}

static const cl_api *cl_of(const gpu_device *device)
{
    return &api_of(device)->libraries->cl;
}

/* ---- errors -------------------------------------------------------------- */

static const char *status_name(cl_status status)
{
    static const struct {
        cl_status status;
        const char *name;
    } names[] = {
        {-1, "CL_DEVICE_NOT_FOUND"},
        {-2, "CL_DEVICE_NOT_AVAILABLE"},
        {-3, "CL_COMPILER_NOT_AVAILABLE"},
        {-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
        {-5, "CL_OUT_OF_RESOURCES"},
        {-6, "CL_OUT_OF_HOST_MEMORY"},
        {-7, "CL_PROFILING_INFO_NOT_AVAILABLE"},
        {-8, "CL_MEM_COPY_OVERLAP"},
        {-11, "CL_BUILD_PROGRAM_FAILURE"},
        {-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"},
        {-30, "CL_INVALID_VALUE"},
        {-36, "CL_INVALID_COMMAND_QUEUE"},
        {-38, "CL_INVALID_MEM_OBJECT"},
        {-46, "CL_INVALID_KERNEL_NAME"},
        {-48, "CL_INVALID_KERNEL"},
        {-49, "CL_INVALID_ARG_INDEX"},
        {-51, "CL_INVALID_ARG_SIZE"},
        {-52, "CL_INVALID_KERNEL_ARGS"},
        {-54, "CL_INVALID_WORK_GROUP_SIZE"},
        {-61, "CL_INVALID_BUFFER_SIZE"},
        {-1001, "CL_PLATFORM_NOT_FOUND_KHR"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status)
            return names[i].name;
    return "an error";
}

static lb_status failed(const char *function, cl_status status)
{
    const bool memory =
        status == CL_NO_OBJECT_MEMORY || status == CL_NO_RESOURCES ||
        status == CL_NO_HOST_MEMORY || status == CL_BAD_BUFFER_SIZE;

    return lbo_fail(memory ? LB_NO_MEMORY : LB_METHOD_FAILED,
                    "OpenCL: %s: %s (%d)", function, status_name(status),
                    (int)status);
}

/* ---- memory and copies --------------------------------------------------- */

static lb_status allocate(gpu_device *device, size_t bytes, void **memory)
{
    cl_status status = CL_DONE;

    *memory = cl_of(device)->CreateBuffer(
        api_of(device)->context, CL_MEMORY_READ_WRITE, bytes, NULL, &status);
    return status == CL_DONE ? LB_OK : failed("clCreateBuffer", status);
}

static void free_memory(gpu_device *device, void *memory)
{
    (void)cl_of(device)->ReleaseMemObject(memory);
}

static lb_status read_memory(gpu_device *device, void *stream, void *to,
                             void *from, size_t offset, size_t bytes)
{
    const cl_status status = cl_of(device)->EnqueueReadBuffer(
        stream, from, 1, offset, bytes, to, 0, NULL, NULL);

    return status == CL_DONE ? LB_OK : failed("clEnqueueReadBuffer", status);
}

static lb_status write_memory(gpu_device *device, void *stream, void *to,
                              size_t offset, const void *from, size_t bytes)
{
    const cl_status status = cl_of(device)->EnqueueWriteBuffer(
        stream, to, 1, offset, bytes, from, 0, NULL, NULL);

    return status == CL_DONE ? LB_OK : failed("clEnqueueWriteBuffer", status);
}

static lb_status copy_memory(gpu_device *device, void *stream, void *to,
                             size_t to_offset, void *from, size_t from_offset,
                             size_t bytes)
{
    const cl_status status = cl_of(device)->EnqueueCopyBuffer(
        stream, from, to, from_offset, to_offset, bytes, 0, NULL, NULL);

    return status == CL_DONE ? LB_OK : failed("clEnqueueCopyBuffer", status);
}

/* ---- kernels ------------------------------------------------------------- */

static lb_status build_failed(gpu_device *device, cl_handle program,
                              cl_status status)
{
    char log[1500] = "";
    size_t wrote = 0;

    if (cl_of(device)->GetProgramBuildInfo(program, api_of(device)->device,
                                           CL_BUILD_INFO_LOG, sizeof log - 1,
                                           log, &wrote) != CL_DONE)
        log[0] = '\0';
    return lbo_fail(LB_METHOD_FAILED, "OpenCL: clBuildProgram: %s (%d): %s",
                    status_name(status), (int)status, log);
}

static lb_status compile(gpu_device *device, const char *text, void **module)
{
    const cl_api *const cl = cl_of(device);
    opencl_device *const api = api_of(device);
    cl_status status = CL_DONE;
    const cl_handle program =
        cl->CreateProgramWithSource(api->context, 1, &text, NULL, &status);

    if (status != CL_DONE)
        return failed("clCreateProgramWithSource", status);
    status =
        cl->BuildProgram(program, 1, &api->device, "-cl-std=CL1.2", NULL, NULL);
    if (status != CL_DONE) {
        const lb_status result = build_failed(device, program, status);
        (void)cl->ReleaseProgram(program);
        return result;
    }
    *module = program;
    return LB_OK;
}

static void module_free(gpu_device *device, void *module)
{
    (void)cl_of(device)->ReleaseProgram(module);
}

static lb_status find(gpu_device *device, void *module, const char *name,
                      void **kernel)
{
    cl_status status = CL_DONE;

    *kernel = cl_of(device)->CreateKernel(module, name, &status);
    return status == CL_DONE ? LB_OK : failed("clCreateKernel", status);
}

static void kernel_free(gpu_device *device, void *kernel)
{
    (void)cl_of(device)->ReleaseKernel(kernel);
}

static lb_status launch(gpu_device *device, void *stream, void *kernel,
                        size_t groups, size_t lanes,
                        const gpu_argument *arguments, size_t count)
{
    const cl_api *const cl = cl_of(device);
    const size_t global = groups * lanes;
    cl_status status = CL_DONE;

    for (uint32_t i = 0; i < count && status == CL_DONE; i++)
        status =
            cl->SetKernelArg(kernel, i, arguments[i].size, arguments[i].value);
    if (status != CL_DONE)
        return failed("clSetKernelArg", status);
    status = cl->EnqueueNDRangeKernel(stream, kernel, 1, NULL, &global, &lanes,
                                      0, NULL, NULL);
    return status == CL_DONE ? LB_OK : failed("clEnqueueNDRangeKernel", status);
}

/* ---- products ------------------------------------------------------------ */

static int form(const gpu_matrix *matrix)
{
    return matrix->transposed ? CLBLAST_TRANSPOSED : CLBLAST_PLAIN;
}

/* Results of a batch may not lie on each other, not even of a single one. */
static size_t step_of(const gpu_product *p)
{
    return (size_t)(p->count > 1 ? p->c.step : p->m * p->c.leading);
}

/* The arguments that both gemms take. */
#define GEMM(function, real)                                                   \
    function(CLBLAST_ROWS, form(&p->a), form(&p->b), (size_t)p->m,             \
             (size_t)p->n, (size_t)p->k, (real)p->alpha, p->a.memory,          \
             (size_t)p->a.offset, (size_t)p->a.leading, (size_t)p->a.step,     \
             p->b.memory, (size_t)p->b.offset, (size_t)p->b.leading,           \
             (size_t)p->b.step, (real)p->beta, p->c.memory,                    \
             (size_t)p->c.offset, (size_t)p->c.leading, step_of(p),            \
             (size_t)p->count, &stream, NULL)

static lb_status multiply(gpu_device *device, void *stream,
                          const gpu_product *p)
{
    const clblast_api *const blast = &api_of(device)->libraries->blast;

    if (blast->library == NULL)
        return LB_NO_METHOD;
    const int status =
        p->wide ? GEMM(blast->dgemm, double) : GEMM(blast->sgemm, float);
    return status == 0 ? LB_OK
                       : lbo_fail(LB_METHOD_FAILED,
                                  "CLBlast: gemm of %lld x %lld x %lld: %d",
                                  (long long)p->m, (long long)p->n,
                                  (long long)p->k, status);
}

/* ---- streams and events -------------------------------------------------- */

static lb_status synchronize(gpu_device *device, void *stream)
{
    const cl_status status =
        cl_of(device)->Finish(stream != NULL ? stream : api_of(device)->queue);

    return status == CL_DONE ? LB_OK : failed("clFinish", status);
}

static lb_status stream_create(gpu_device *device, void **stream)
{
    cl_status status = CL_DONE;

    *stream = cl_of(device)->CreateCommandQueue(api_of(device)->context,
                                                api_of(device)->device,
                                                CL_QUEUE_PROFILING, &status);
    return status == CL_DONE ? LB_OK : failed("clCreateCommandQueue", status);
}

static void stream_destroy(gpu_device *device, void *stream)
{
    (void)cl_of(device)->Finish(stream);
    (void)cl_of(device)->ReleaseCommandQueue(stream);
}

static lb_status event_record(gpu_device *device, void *stream, void **event)
{
    cl_status status =
        cl_of(device)->EnqueueMarkerWithWaitList(stream, 0, NULL, event);

    if (status == CL_DONE)
        status = cl_of(device)->Flush(stream);
    return status == CL_DONE ? LB_OK
                             : failed("clEnqueueMarkerWithWaitList", status);
}

static lb_status event_wait(gpu_device *device, void *event)
{
    const cl_status status = cl_of(device)->WaitForEvents(1, &event);

    return status == CL_DONE ? LB_OK : failed("clWaitForEvents", status);
}

static lb_status event_elapsed(gpu_device *device, void *start, void *end,
                               double *ns)
{
    const cl_api *const cl = cl_of(device);
    uint64_t first = 0, last = 0;
    cl_status status = cl->GetEventProfilingInfo(start, CL_PROFILING_END,
                                                 sizeof first, &first, NULL);

    if (status == CL_DONE)
        status = cl->GetEventProfilingInfo(end, CL_PROFILING_END, sizeof last,
                                           &last, NULL);
    if (status != CL_DONE)
        return failed("clGetEventProfilingInfo", status);
    *ns = (double)(int64_t)(last - first);
    return LB_OK;
}

static void event_destroy(gpu_device *device, void *event)
{
    (void)cl_of(device)->ReleaseEvent(event);
}

static void close_device(gpu_device *device)
{
    const cl_api *const cl = cl_of(device);
    opencl_device *const api = api_of(device);

    (void)cl->ReleaseCommandQueue(api->queue);
    (void)cl->ReleaseContext(api->context);
    lbo_deallocate(device->library, api, sizeof *api);
}

static const char prelude[] =
    "#pragma OPENCL FP_CONTRACT OFF\n"
    "#ifdef WIDE\n#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif\n"
    "typedef long i64;\ntypedef ulong u64;\ntypedef uint u32;\n"
    "typedef int i32;\ntypedef ushort u16;\ntypedef uchar u8;\n"
    "typedef char i8;\n"
    "#define KERNEL __kernel void\n#define GLOBAL __global\n"
    "#define SHARED __local\n#define SHARED_POINTER __local\n"
    "#define FUNCTION static\n"
    "#define LANE ((int)get_local_id(0))\n"
    "#define LANES ((int)get_local_size(0))\n"
    "#define GROUP ((i64)get_group_id(0))\n"
    "#define PLACE ((i64)get_global_id(0))\n"
    "#define BARRIER barrier(CLK_LOCAL_MEM_FENCE)\n"
    "#define FLOAT_OF(bits) as_float(bits)\n"
    "#define BITS_OF(number) as_uint(number)\n"
    "#define HIGH_PRODUCT(a, b) mul_hi(a, b)\n";

static const gpu_driver driver = {
    .prelude = prelude,
    .class_name = "opencl device",
    .allocate = allocate,
    .free = free_memory,
    .read = read_memory,
    .write = write_memory,
    .copy = copy_memory,
    .compile = compile,
    .module_free = module_free,
    .find = find,
    .kernel_free = kernel_free,
    .launch = launch,
    .multiply = multiply,
    .synchronize = synchronize,
    .stream_create = stream_create,
    .stream_destroy = stream_destroy,
    .event_record = event_record,
    .event_wait = event_wait,
    .event_elapsed = event_elapsed,
    .event_destroy = event_destroy,
    .close = close_device,
};

/* ---- libraries ----------------------------------------------------------- */

static void *open_library(const char *variable, const char *name)
{
    const char *const other = getenv(variable);

    return dlopen(other != NULL ? other : name, RTLD_NOW | RTLD_LOCAL);
}

/* False: why not is in `why`. */
static bool open_opencl(opencl_libraries *l, char *why, size_t size)
{
    const char *missing = NULL;

    l->library = open_library("LATEBIND_OPENCL", "libOpenCL.so.1");
    if (l->library == NULL) {
        const char *const error = dlerror();
        (void)snprintf(why, size, "%s", error ? error : "libOpenCL.so.1");
        return false;
    }
#define CL_LOAD(result, name, parameters)                                      \
    l->cl.name =                                                               \
        (result(*) parameters)(uintptr_t)dlsym(l->library, "cl" #name);        \
    if (l->cl.name == NULL)                                                    \
        missing = "cl" #name;
    CL_EACH_FUNCTION(CL_LOAD)
#undef CL_LOAD
    if (missing != NULL)
        (void)snprintf(why, size, "the OpenCL library has no function %s",
                       missing);
    return missing == NULL;
}

static void open_clblast(clblast_api *blast)
{
    void *const library = open_library("LATEBIND_CLBLAST", "libclblast.so.1");

    if (library == NULL)
        return;
    blast->sgemm = (int(*) CLBLAST_GEMM(float))(uintptr_t)dlsym(
        library, "CLBlastSgemmStridedBatched");
    blast->dgemm = (int(*) CLBLAST_GEMM(double))(uintptr_t)dlsym(
        library, "CLBlastDgemmStridedBatched");
    blast->clear_cache =
        (int (*)(void))(uintptr_t)dlsym(library, "CLBlastClearCache");
    if (blast->sgemm != NULL && blast->dgemm != NULL)
        blast->library = library;
    else
        (void)dlclose(library);
}

static void close_libraries(opencl_libraries *l)
{
    if (l->blast.library != NULL) {
        if (l->blast.clear_cache != NULL)
            (void)l->blast.clear_cache();
        (void)dlclose(l->blast.library);
    }
    if (l->library != NULL)
        (void)dlclose(l->library);
    lbo_deallocate(l->owner, l, sizeof *l);
}

/* ---- finding devices ----------------------------------------------------- */

enum { MAX_FOUND = 16, MAX_PLATFORMS = 8 };

typedef struct listed {
    cl_handle device;
    uint64_t type;
} listed;

static uint64_t device_type(const cl_api *cl, cl_handle device)
{
    uint64_t type = 0;
    uint32_t available = 0;

    (void)cl->GetDeviceInfo(device, CL_DEVICE_INFO_TYPE, sizeof type, &type,
                            NULL);
    (void)cl->GetDeviceInfo(device, CL_DEVICE_INFO_AVAILABLE, sizeof available,
                            &available, NULL);
    return available ? type : 0;
}

/* All devices, those that are no CPUs first. */
static size_t list_devices(const cl_api *cl, listed *found)
{
    cl_handle platforms[MAX_PLATFORMS], devices[MAX_FOUND];
    uint32_t platform_count = 0, count;
    size_t used = 0;

    if (cl->GetPlatformIDs(MAX_PLATFORMS, platforms, &platform_count) !=
        CL_DONE)
        return 0;
    for (int cpus = 0; cpus < 2; cpus++)
        for (uint32_t i = 0; i < platform_count && i < MAX_PLATFORMS; i++) {
            count = 0;
            if (cl->GetDeviceIDs(platforms[i], CL_ANY_DEVICE_TYPE, MAX_FOUND,
                                 devices, &count) != CL_DONE)
                continue;
            for (uint32_t k = 0; k < count && k < MAX_FOUND; k++) {
                const uint64_t type = device_type(cl, devices[k]);
                if (type != 0 && ((type & CL_TYPE_CPU) != 0) == cpus &&
                    used < MAX_FOUND)
                    found[used++] = (listed){devices[k], type};
            }
        }
    return used;
}

static bool has_wide(const cl_api *cl, cl_handle device)
{
    char extensions[4096] = "";

    return cl->GetDeviceInfo(device, CL_DEVICE_INFO_EXTENSIONS,
                             sizeof extensions - 1, extensions,
                             NULL) == CL_DONE &&
           strstr(extensions, "cl_khr_fp64") != NULL;
}

/* Makes a context and a queue. */
static lb_status open_device(const opencl_libraries *l, cl_handle device,
                             opencl_device **result)
{
    const cl_api *const cl = &l->cl;
    opencl_device *const api = lbo_allocate(l->owner, sizeof *api);
    cl_status status = CL_DONE;

    if (api == NULL)
        return LB_NO_MEMORY;
    *api = (opencl_device){.libraries = l, .device = device};
    api->context = cl->CreateContext(NULL, 1, &device, NULL, NULL, &status);
    if (status == CL_DONE) {
        api->queue = cl->CreateCommandQueue(api->context, device,
                                            CL_QUEUE_PROFILING, &status);
        if (status == CL_DONE) {
            *result = api;
            return LB_OK;
        }
        (void)cl->ReleaseContext(api->context);
    }
    lbo_deallocate(l->owner, api, sizeof *api);
    return failed("clCreateContext or clCreateCommandQueue", status);
}

static lb_status add_device(opencl_libraries *l, const listed *found)
{
    char name[32] = "opencl", description[256] = "an OpenCL device";
    const size_t index = gpu_family_count(l->family);
    opencl_device *api = NULL;
    const lb_status status = open_device(l, found->device, &api);

    if (status != LB_OK)
        return status;
    if (index > 0)
        (void)snprintf(name, sizeof name, "opencl:%zu", index);
    (void)l->cl.GetDeviceInfo(found->device, CL_DEVICE_INFO_NAME,
                              sizeof description - 1, description, NULL);
    const gpu_found device = {.driver = &driver,
                              .name = name,
                              .description = description,
                              .preference =
                                  found->type & CL_TYPE_GPU ? 50 : -10,
                              .api = api,
                              .stream = api->queue,
                              .wide = has_wide(&l->cl, found->device)};
    return gpu_device_add(l->family, &device);
}

static lb_status add_devices(opencl_libraries *l)
{
    listed found[MAX_FOUND];
    const size_t count = list_devices(&l->cl, found);
    lb_status status = LB_OK;

    if (count == 0) {
        lbo_report(l->owner, LB_NOT_FOUND,
                   "opencl: the OpenCL library knows no device");
        return LB_OK;
    }
    open_clblast(&l->blast);
    status = gpu_family_create(l->owner, &driver, &l->family);
    for (size_t i = 0; i < count && status == LB_OK; i++)
        status = add_device(l, &found[i]);
    return status == LB_OK ? gpu_family_commit(l->family) : status;
}

/* ---- the plug-in --------------------------------------------------------- */

static void unload(lb_runtime *runtime, void *data)
{
    opencl_libraries *const libraries = data;

    (void)runtime;
    gpu_family_destroy(libraries->family);
    close_libraries(libraries);
}

static lb_status load(lb_runtime *runtime, lb_group *group, void **data)
{
    lbo_library *const library = lbo_library_of(runtime);
    char why[512];

    (void)group; /* the family has its own */
    if (library == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "opencl: the runtime is no operators library's");
    opencl_libraries *const l = lbo_allocate(library, sizeof *l);
    if (l == NULL)
        return LB_NO_MEMORY;
    memset(l, 0, sizeof *l);
    l->owner = library;
    *data = l;
    if (!open_opencl(l, why, sizeof why)) {
        lbo_report(library, LB_NOT_FOUND, "opencl: no device: %s", why);
        return LB_OK;
    }
    const lb_status status = add_devices(l);
    if (status != LB_OK)
        unload(runtime, l);
    return status;
}

LB_PLUGIN("opencl", load, unload);
