/* cuda.c - the plug-in "cuda": every device that the CUDA driver knows.
 *
 * The driver, NVRTC and cuBLAS are opened at run time, by the names below or
 * as the files that LATEBIND_CUDA_DRIVER, LATEBIND_CUDA_NVRTC and
 * LATEBIND_CUDA_CUBLAS name. Without driver or NVRTC no device is added, and
 * the library's report hook is told why; without cuBLAS a kernel of our own
 * does the products.
 *
 * A device's memory is its address, kept as a handle. Each function works in
 * the device's primary context, which it puts on the thread's stack and takes
 * down again. An error of a kernel that runs comes out of a later function: it
 * is handed on in the driver's words.
 */
#include "api.h"
#include "gpu.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct cuda_libraries {
    void *driver_library, *nvrtc_library, *cublas_library; /* NULL: none */
    cu_api cu;
    nvrtc_api nvrtc;
    cublas_api cublas;
    gpu_family *family;
    lbo_library *owner;
} cuda_libraries;

typedef struct cuda_device {
    const cuda_libraries *libraries;
    cu_device device;
    cu_handle context, stream, blas; /* blas NULL: none */
    char architecture[40];           /* NVRTC's option; empty: its default */
} cuda_device;

static cuda_device *api_of(const gpu_device *device)
{
    return device->api;
}

static const cu_api *cu_of(const gpu_device *device)
{
    return &api_of(device)->libraries->cu;
}

/* ---- errors -------------------------------------------------------------- */

static lb_status failed(const cu_api *cu, const char *function,
                        cu_status status)
{
    const char *name = NULL, *text = NULL;

    (void)cu->error_name(status, &name);
    (void)cu->error_text(status, &text);
    return lbo_fail(status == CU_OUT_OF_MEMORY ? LB_NO_MEMORY
                                               : LB_METHOD_FAILED,
                    "CUDA: %s: %s (%d): %s", function, name ? name : "error",
                    status, text ? text : "the driver says no more");
}

static lb_status enter(const cuda_device *device)
{
    const cu_api *const cu = &device->libraries->cu;
    const cu_status status = cu->push(device->context);

    return status == 0 ? LB_OK : failed(cu, "cuCtxPushCurrent", status);
}

static lb_status leave(const cuda_device *device, const char *function,
                       cu_status status)
{
    const cu_api *const cu = &device->libraries->cu;
    cu_handle left = NULL;

    (void)cu->pop(&left);
    return status == 0 ? LB_OK : failed(cu, function, status);
}

/* ---- memory and copies --------------------------------------------------- */

static cu_memory address_of(const void *memory)
{
    return (cu_memory)(uintptr_t)memory;
}

static lb_status allocate(gpu_device *device, size_t bytes, void **memory)
{
    cu_memory address = 0;
    lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    status = leave(api_of(device), "cuMemAlloc",
                   cu_of(device)->allocate(&address, bytes));
    *memory = (void *)(uintptr_t)address;
    return status;
}

static void free_memory(gpu_device *device, void *memory)
{
    if (enter(api_of(device)) == LB_OK)
        (void)leave(api_of(device), "cuMemFree",
                    cu_of(device)->free(address_of(memory)));
}

static lb_status read_memory(gpu_device *device, void *stream, void *to,
                             void *from, size_t offset, size_t bytes)
{
    const cu_api *const cu = cu_of(device);
    lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    cu_status done = cu->read(to, address_of(from) + offset, bytes, stream);
    if (done == 0)
        done = cu->stream_wait(stream);
    return leave(api_of(device), "cuMemcpyDtoH", done);
}

static lb_status write_memory(gpu_device *device, void *stream, void *to,
                              size_t offset, const void *from, size_t bytes)
{
    const cu_api *const cu = cu_of(device);
    lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    cu_status done = cu->write(address_of(to) + offset, from, bytes, stream);
    if (done == 0)
        done = cu->stream_wait(stream);
    return leave(api_of(device), "cuMemcpyHtoD", done);
}

static lb_status copy_memory(gpu_device *device, void *stream, void *to,
                             size_t to_offset, void *from, size_t from_offset,
                             size_t bytes)
{
    lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    return leave(api_of(device), "cuMemcpyDtoD",
                 cu_of(device)->copy(address_of(to) + to_offset,
                                     address_of(from) + from_offset, bytes,
                                     stream));
}

/* ---- kernels ------------------------------------------------------------- */

static lb_status compile_failed(gpu_device *device, cu_handle program,
                                cu_status status)
{
    const nvrtc_api *const nvrtc = &api_of(device)->libraries->nvrtc;
    size_t size = 0;
    char *log = NULL;

    if (nvrtc->log_size(program, &size) == 0 && size > 0)
        log = lbo_allocate(device->library, size + 1);
    if (log != NULL && nvrtc->log(program, log) != 0)
        log[0] = '\0';
    if (log != NULL)
        log[size] = '\0';
    const lb_status result = lbo_fail(
        LB_METHOD_FAILED, "CUDA: nvrtcCompileProgram: error %d: %.1500s",
        status, log ? log : "");
    if (log != NULL)
        lbo_deallocate(device->library, log, size + 1);
    return result;
}

/* A compiler that does not know the device's architecture makes code for an
 * older one, which the driver translates. */
static cu_status compile_program(const cuda_device *api, cu_handle program)
{
    const nvrtc_api *const nvrtc = &api->libraries->nvrtc;
    const char *const options[] = {"--fmad=false", api->architecture};
    cu_status status =
        nvrtc->compile(program, api->architecture[0] ? 2 : 1, options);

    if (status == NVRTC_BAD_OPTION)
        status = nvrtc->compile(program, 1, options);
    return status;
}

static lb_status load_code(gpu_device *device, cu_handle program, void **module)
{
    const nvrtc_api *const nvrtc = &api_of(device)->libraries->nvrtc;
    size_t size = 0;
    cu_status status = nvrtc->ptx_size(program, &size);
    char *const code =
        status == 0 ? lbo_allocate(device->library, size + 1) : NULL;

    if (status == 0 && code == NULL)
        return LB_NO_MEMORY;
    if (status == 0)
        status = nvrtc->ptx(program, code);
    lb_status result =
        status == 0
            ? enter(api_of(device))
            : lbo_fail(LB_METHOD_FAILED, "CUDA: nvrtcGetPTX: error %d", status);
    if (result == LB_OK)
        result = leave(api_of(device), "cuModuleLoadData",
                       cu_of(device)->module_load(module, code));
    if (code != NULL)
        lbo_deallocate(device->library, code, size + 1);
    return result;
}

static lb_status compile(gpu_device *device, const char *text, void **module)
{
    const nvrtc_api *const nvrtc = &api_of(device)->libraries->nvrtc;
    cu_handle program = NULL;
    cu_status status =
        nvrtc->create(&program, text, "latebind.cu", 0, NULL, NULL);

    if (status != 0)
        return lbo_fail(LB_METHOD_FAILED, "CUDA: nvrtcCreateProgram: error %d",
                        status);
    status = compile_program(api_of(device), program);
    const lb_status result = status == 0
                                 ? load_code(device, program, module)
                                 : compile_failed(device, program, status);
    (void)nvrtc->destroy(&program);
    return result;
}

static void module_free(gpu_device *device, void *module)
{
    if (enter(api_of(device)) == LB_OK)
        (void)leave(api_of(device), "cuModuleUnload",
                    cu_of(device)->module_unload(module));
}

static lb_status find(gpu_device *device, void *module, const char *name,
                      void **kernel)
{
    const lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    return leave(api_of(device), "cuModuleGetFunction",
                 cu_of(device)->function(kernel, module, name));
}

/* It belongs to its module. */
static void kernel_free(gpu_device *device, void *kernel)
{
    (void)device;
    (void)kernel;
}

static lb_status launch(gpu_device *device, void *stream, void *kernel,
                        size_t groups, size_t lanes,
                        const gpu_argument *arguments, size_t count)
{
    void *values[GPU_MAX_ARGUMENTS];
    const lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        values[i] = (void *)(uintptr_t)arguments[i].value;
    return leave(api_of(device), "cuLaunchKernel",
                 cu_of(device)->launch(kernel, (unsigned)groups, 1, 1,
                                       (unsigned)lanes, 1, 1, 0, stream, values,
                                       NULL));
}

/* ---- products ------------------------------------------------------------ */

static int form(const gpu_matrix *matrix)
{
    return matrix->transposed ? CUBLAS_TRANSPOSED : CUBLAS_PLAIN;
}

/* cuBLAS goes by columns, so it is given the transposed product: b a. */
#define GEMM(gemm, real)                                                       \
    gemm(api->blas, form(&p->b), form(&p->a), (int)p->n, (int)p->m, (int)p->k, \
         &(real){(real)p->alpha}, (const real *)p->b.memory + p->b.offset,     \
         (int)p->b.leading, p->b.step,                                         \
         (const real *)p->a.memory + p->a.offset, (int)p->a.leading,           \
         p->a.step, &(real){(real)p->beta}, (real *)p->c.memory + p->c.offset, \
         (int)p->c.leading, p->c.step, (int)p->count)

static bool fits_int(const gpu_product *p)
{
    const int64_t sizes[] = {p->m,         p->n,         p->k,        p->count,
                             p->a.leading, p->b.leading, p->c.leading};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i] > INT32_MAX)
            return false;
    return true;
}

static lb_status multiply(gpu_device *device, void *stream,
                          const gpu_product *p)
{
    const cuda_device *const api = api_of(device);
    const cublas_api *const cublas = &api->libraries->cublas;

    if (api->blas == NULL || !fits_int(p))
        return LB_NO_METHOD;
    const lb_status entered = enter(api);
    if (entered != LB_OK)
        return entered;
    cu_status status = cublas->set_stream(api->blas, stream);
    if (status == 0)
        status =
            p->wide ? GEMM(cublas->dgemm, double) : GEMM(cublas->sgemm, float);
    (void)leave(api, "", 0);
    return status == 0 ? LB_OK
                       : lbo_fail(LB_METHOD_FAILED,
                                  "cuBLAS: gemm of %lld x %lld x %lld: "
                                  "status %d",
                                  (long long)p->m, (long long)p->n,
                                  (long long)p->k, status);
}

/* ---- streams and events -------------------------------------------------- */

static lb_status synchronize(gpu_device *device, void *stream)
{
    const cu_api *const cu = cu_of(device);
    const lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    return stream != NULL
               ? leave(api_of(device), "cuStreamSynchronize",
                       cu->stream_wait(stream))
               : leave(api_of(device), "cuCtxSynchronize", cu->wait_all());
}

static lb_status stream_create(gpu_device *device, void **stream)
{
    const lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    return leave(api_of(device), "cuStreamCreate",
                 cu_of(device)->stream_create(stream, CU_STREAM_APART));
}

static void stream_destroy(gpu_device *device, void *stream)
{
    if (enter(api_of(device)) == LB_OK)
        (void)leave(api_of(device), "cuStreamDestroy",
                    cu_of(device)->stream_destroy(stream));
}

static lb_status event_record(gpu_device *device, void *stream, void **event)
{
    const cu_api *const cu = cu_of(device);
    cu_handle made = NULL;
    const lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    const cu_status created = cu->event_create(&made, 0);
    if (created != 0)
        return leave(api_of(device), "cuEventCreate", created);
    const cu_status recorded = cu->event_record(made, stream);
    if (recorded != 0)
        (void)cu->event_destroy(made);
    else
        *event = made;
    return leave(api_of(device), "cuEventRecord", recorded);
}

static lb_status event_wait(gpu_device *device, void *event)
{
    const lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    return leave(api_of(device), "cuEventSynchronize",
                 cu_of(device)->event_wait(event));
}

static lb_status event_elapsed(gpu_device *device, void *start, void *end,
                               double *ns)
{
    float milliseconds = 0;
    lb_status status = enter(api_of(device));

    if (status != LB_OK)
        return status;
    status = leave(api_of(device), "cuEventElapsedTime",
                   cu_of(device)->event_elapsed(&milliseconds, start, end));
    *ns = (double)milliseconds * 1e6;
    return status;
}

static void event_destroy(gpu_device *device, void *event)
{
    if (enter(api_of(device)) == LB_OK)
        (void)leave(api_of(device), "cuEventDestroy",
                    cu_of(device)->event_destroy(event));
}

/* Also of a device that was opened in part. */
static void close_api(lbo_library *library, cuda_device *api)
{
    const cuda_libraries *const l = api->libraries;

    if (api->context != NULL && enter(api) == LB_OK) {
        if (api->blas != NULL)
            (void)l->cublas.destroy(api->blas);
        if (api->stream != NULL)
            (void)l->cu.stream_destroy(api->stream);
        (void)leave(api, "", 0);
    }
    if (api->context != NULL)
        (void)l->cu.release(api->device);
    lbo_deallocate(library, api, sizeof *api);
}

static void close_device(gpu_device *device)
{
    close_api(device->library, api_of(device));
}

static const char prelude[] =
    "typedef long long i64;\ntypedef unsigned long long u64;\n"
    "typedef unsigned int u32;\ntypedef int i32;\n"
    "typedef unsigned short u16;\ntypedef unsigned char u8;\n"
    "typedef signed char i8;\n"
    "#define KERNEL extern \"C\" __global__ void\n#define GLOBAL\n"
    "#define SHARED __shared__\n#define SHARED_POINTER\n"
    "#define FUNCTION static __device__\n"
    "#define LANE ((int)threadIdx.x)\n#define LANES ((int)blockDim.x)\n"
    "#define GROUP ((i64)blockIdx.x)\n"
    "#define PLACE ((i64)blockIdx.x * blockDim.x + threadIdx.x)\n"
    "#define BARRIER __syncthreads()\n"
    "#define FLOAT_OF(bits) __uint_as_float(bits)\n"
    "#define BITS_OF(number) __float_as_uint(number)\n"
    "#define HIGH_PRODUCT(a, b) __umulhi(a, b)\n";

static const gpu_driver driver = {
    .prelude = prelude,
    .class_name = "cuda device",
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

/* The first of `names` that is there. */
static void *open_library(const char *variable, const char *const *names)
{
    const char *const other = getenv(variable);
    void *library = NULL;

    if (other != NULL)
        return dlopen(other, RTLD_NOW | RTLD_LOCAL);
    for (; *names != NULL && library == NULL; names++)
        library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    return library;
}

/* The first function that a library lacks, or NULL. */
#define LOAD(member, name, parameters)                                         \
    api->member = (cu_status(*) parameters)(uintptr_t)dlsym(library, name);    \
    if (api->member == NULL)                                                   \
        missing = name;

static const char *load_driver(void *library, cu_api *api)
{
    const char *missing = NULL;
    CU_EACH_FUNCTION(LOAD)
    return missing;
}

static const char *load_nvrtc(void *library, nvrtc_api *api)
{
    const char *missing = NULL;
    NVRTC_EACH_FUNCTION(LOAD)
    return missing;
}

static const char *load_cublas(void *library, cublas_api *api)
{
    const char *missing = NULL;
    CUBLAS_EACH_FUNCTION(LOAD)
    return missing;
}
#undef LOAD

/* False: why not is in `why`. */
static bool open_libraries(cuda_libraries *l, char *why, size_t size)
{
    static const char *const drivers[] = {"libcuda.so.1", NULL};
    static const char *const compilers[] = {"libnvrtc.so.13", "libnvrtc.so.12",
                                            "libnvrtc.so.11.2", "libnvrtc.so",
                                            NULL};
    static const char *const products[] = {"libcublas.so.13", "libcublas.so.12",
                                           "libcublas.so.11", "libcublas.so",
                                           NULL};
    const char *missing = NULL;

    l->driver_library = open_library("LATEBIND_CUDA_DRIVER", drivers);
    if (l->driver_library != NULL)
        missing = load_driver(l->driver_library, &l->cu);
    else
        missing = "the driver, libcuda.so.1";
    if (missing == NULL) {
        l->nvrtc_library = open_library("LATEBIND_CUDA_NVRTC", compilers);
        missing = l->nvrtc_library != NULL
                      ? load_nvrtc(l->nvrtc_library, &l->nvrtc)
                      : "the compiler, libnvrtc.so";
    }
    if (missing != NULL) {
        (void)snprintf(why, size, "%s is missing", missing);
        return false;
    }
    l->cublas_library = open_library("LATEBIND_CUDA_CUBLAS", products);
    if (l->cublas_library != NULL &&
        load_cublas(l->cublas_library, &l->cublas) != NULL) {
        (void)dlclose(l->cublas_library);
        l->cublas_library = NULL;
    }
    return true;
}

static void close_libraries(cuda_libraries *l)
{
    void *const libraries[] = {l->cublas_library, l->nvrtc_library,
                               l->driver_library};

    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (libraries[i] != NULL)
            (void)dlclose(libraries[i]);
    lbo_deallocate(l->owner, l, sizeof *l);
}

/* ---- finding devices ----------------------------------------------------- */

static void choose_architecture(cuda_device *api)
{
    const cu_api *const cu = &api->libraries->cu;
    int major = 0, minor = 0;

    if (cu->device_fact(&major, CU_CAPABILITY_MAJOR, api->device) == 0 &&
        cu->device_fact(&minor, CU_CAPABILITY_MINOR, api->device) == 0)
        (void)snprintf(api->architecture, sizeof api->architecture,
                       "--gpu-architecture=compute_%d%d", major, minor);
}

/* In the device's context: a stream, and cuBLAS if it is there. */
static lb_status fill_context(cuda_device *api)
{
    const cuda_libraries *const l = api->libraries;
    const cu_status status = l->cu.stream_create(&api->stream, CU_STREAM_APART);

    if (status != 0)
        return failed(&l->cu, "cuStreamCreate", status);
    if (l->cublas_library != NULL && l->cublas.create(&api->blas) != 0) {
        api->blas = NULL;
        lbo_report(l->owner, LB_METHOD_FAILED,
                   "cuda: cuBLAS does not start; products are done by a kernel "
                   "of our own");
    }
    return LB_OK;
}

static lb_status open_device(const cuda_libraries *l, int index,
                             cuda_device **result)
{
    cuda_device *const api = lbo_allocate(l->owner, sizeof *api);

    if (api == NULL)
        return LB_NO_MEMORY;
    memset(api, 0, sizeof *api);
    api->libraries = l;
    cu_status done = l->cu.device(&api->device, index);
    if (done == 0)
        done = l->cu.retain(&api->context, api->device);
    lb_status status =
        done == 0
            ? enter(api)
            : failed(&l->cu, "cuDeviceGet or cuDevicePrimaryCtxRetain", done);
    if (status == LB_OK) {
        status = fill_context(api);
        (void)leave(api, "", 0);
    }
    if (status != LB_OK) {
        close_api(l->owner, api);
        return status;
    }
    choose_architecture(api);
    *result = api;
    return LB_OK;
}

static lb_status add_device(cuda_libraries *l, int index)
{
    char name[32] = "cuda", description[256] = "a CUDA device";
    cuda_device *api = NULL;
    const lb_status status = open_device(l, index, &api);

    if (status == LB_METHOD_FAILED) { /* this one does not work */
        char why[1024];
        (void)snprintf(why, sizeof why, "%s", lb_message());
        lbo_report(l->owner, status, "cuda: device %d: %s", index, why);
        return LB_OK;
    }
    if (status != LB_OK)
        return status;
    if (gpu_family_count(l->family) > 0)
        (void)snprintf(name, sizeof name, "cuda:%zu",
                       gpu_family_count(l->family));
    (void)l->cu.device_name(description, sizeof description, api->device);
    description[sizeof description - 1] = '\0';
    const gpu_found found = {.driver = &driver,
                             .name = name,
                             .description = description,
                             .preference = 100,
                             .api = api,
                             .stream = api->stream,
                             .wide = true};
    return gpu_device_add(l->family, &found);
}

static lb_status add_devices(cuda_libraries *l)
{
    int count = 0;
    cu_status done = l->cu.init(0);
    lb_status status;

    if (done == 0)
        done = l->cu.device_count(&count);
    if (done != 0) {
        char why[1024];
        (void)failed(&l->cu, "cuInit", done);
        (void)snprintf(why, sizeof why, "%s", lb_message());
        lbo_report(l->owner, LB_NOT_FOUND, "cuda: no device: %s", why);
        return LB_OK;
    }
    status = gpu_family_create(l->owner, &driver, &l->family);
    for (int i = 0; i < count && status == LB_OK; i++)
        status = add_device(l, i);
    return status == LB_OK ? gpu_family_commit(l->family) : status;
}

/* ---- the plug-in --------------------------------------------------------- */

static void unload(lb_runtime *runtime, void *data)
{
    cuda_libraries *const libraries = data;

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
                        "cuda: the runtime is no operators library's");
    cuda_libraries *const l = lbo_allocate(library, sizeof *l);
    if (l == NULL)
        return LB_NO_MEMORY;
    memset(l, 0, sizeof *l);
    l->owner = library;
    *data = l;
    if (!open_libraries(l, why, sizeof why)) {
        lbo_report(library, LB_NOT_FOUND, "cuda: no device: %s", why);
        return LB_OK;
    }
    const lb_status status = add_devices(l);
    if (status != LB_OK)
        unload(runtime, l);
    return status;
}

LB_PLUGIN("cuda", load, unload);
