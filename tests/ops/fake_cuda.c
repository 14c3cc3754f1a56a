/* A CUDA driver, compiler and product library without a GPU: one shared object
 * that stands in for all three. Memory is the host's, at addresses that are
 * none.
 * Copies, fills, sums of f32 and products are really done; all other kernels do
 * nothing.
 *
 * Knobs for the test that opens it:
 *   fake_cuda_fail(name, n, status)  the nth call of the function from now on
 *                                    fails; n 0: none does
 *   fake_cuda_calls(name)            calls since the last fake_cuda_fail
 *   fake_cuda_live()                 things made and not given back
 *   fake_cuda_devices(n)             how many devices there are */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The prototypes are in headers that a machine may lack. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define EXPORT __attribute__((visibility("default")))

/* Added to every address. */
#define ELSEWHERE ((uint64_t)1 << 62)

/* ---- knobs --------------------------------------------------------------- */

enum { MAX_NAMES = 64 };

static struct {
    const char *name;
    int calls;
} counted[MAX_NAMES];
static int name_count, fail_at, fail_status, live, devices = 1;
static char fail_name[64];

EXPORT void fake_cuda_fail(const char *name, int nth, int status);
EXPORT int fake_cuda_calls(const char *name);
EXPORT int fake_cuda_live(void);
EXPORT void fake_cuda_devices(int count);

void fake_cuda_fail(const char *name, int nth, int status)
{
    (void)snprintf(fail_name, sizeof fail_name, "%s", name);
    fail_at = nth;
    fail_status = status;
    name_count = 0;
}

int fake_cuda_calls(const char *name)
{
    for (int i = 0; i < name_count; i++)
        if (strcmp(counted[i].name, name) == 0)
            return counted[i].calls;
    return 0;
}

int fake_cuda_live(void)
{
    return live;
}

void fake_cuda_devices(int count)
{
    devices = count;
}

/* Counts the call; the status that it is to fail with, or 0. */
static int called(const char *name)
{
    int i = 0;

    while (i < name_count && strcmp(counted[i].name, name) != 0)
        i++;
    if (i == name_count) {
        if (name_count == MAX_NAMES)
            abort();
        counted[name_count].name = name;
        counted[name_count++].calls = 0;
    }
    counted[i].calls++;
    return strcmp(name, fail_name) == 0 && counted[i].calls == fail_at
               ? fail_status
               : 0;
}

/* First of each function: it may be told to fail. */
#define ENTER                                                                  \
    do {                                                                       \
        const int told = called(__func__);                                     \
        if (told != 0)                                                         \
            return told;                                                       \
    } while (0)

/* The same of those that give back: told to fail they do it all the same, as a
 * driver that tells of an earlier error. */
#define LEAVE const int told = called(__func__)

/* What is made is a block with its kind, so that a wrong handle is found. */
typedef struct thing {
    int kind;
    char *text;
    const struct thing *of;
} thing;
enum { STREAM = 101, EVENT, MODULE, FUNCTION, PROGRAM, PRODUCTS, CONTEXT };

/* What could not be given back, since the context could not be entered, is
 * still known here: it is no leak of this file's. */
enum { MAX_KEPT = 4096 };
static void *kept[MAX_KEPT];

static void keep_thing(void *old, void *now)
{
    for (int i = 0; i < MAX_KEPT; i++)
        if (kept[i] == old) {
            kept[i] = now;
            return;
        }
}

static int make(int kind, const char *text, void **result)
{
    thing *const made = calloc(1, sizeof *made);

    if (made == NULL)
        return 2;
    made->kind = kind;
    made->text = text ? strdup(text) : NULL;
    live++;
    keep_thing(NULL, made);
    *result = made;
    return 0;
}

static int unmake(int kind, void *handle, int told)
{
    thing *const made = handle;

    if (made == NULL || made->kind != kind)
        return 400; /* CUDA_ERROR_INVALID_HANDLE */
    free(made->text);
    made->kind = 0;
    keep_thing(made, NULL);
    free(made);
    live--;
    return told;
}

/* ---- the driver ---------------------------------------------------------- */

static int depth; /* of the stack of contexts */
static thing context = {CONTEXT, NULL, NULL};
static int retained;

#define NEEDS_CONTEXT                                                          \
    if (depth == 0)                                                            \
    return 201 /* CUDA_ERROR_INVALID_CONTEXT */

EXPORT int cuInit(unsigned flags)
{
    ENTER;
    return flags == 0 ? 0 : 1;
}

EXPORT int cuDeviceGetCount(int *count)
{
    ENTER;
    *count = devices;
    return 0;
}

EXPORT int cuDeviceGet(int *device, int index)
{
    ENTER;
    *device = index;
    return index < devices ? 0 : 101;
}

EXPORT int cuDeviceGetName(char *name, int size, int device)
{
    ENTER;
    (void)snprintf(name, (size_t)size, "Fake %d", device);
    return 0;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    ENTER;
    (void)device;
    *value = attribute == 75 ? 9 : 0;
    return 0;
}

EXPORT int cuDevicePrimaryCtxRetain(void **result, int device)
{
    ENTER;
    (void)device;
    retained++;
    live++;
    *result = &context;
    return 0;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device)
{
    LEAVE;
    (void)device;
    if (retained == 0)
        return 201;
    retained--;
    live--;
    return told;
}

EXPORT int cuCtxPushCurrent_v2(void *which)
{
    ENTER;
    if (which != &context)
        return 201;
    depth++;
    return 0;
}

EXPORT int cuCtxPopCurrent_v2(void **which)
{
    NEEDS_CONTEXT;
    depth--;
    *which = &context;
    return 0;
}

EXPORT int cuCtxSynchronize(void)
{
    ENTER;
    NEEDS_CONTEXT;
    return 0;
}

EXPORT int cuMemAlloc_v2(uint64_t *address, size_t bytes)
{
    ENTER;
    NEEDS_CONTEXT;
    void *const memory = bytes < (size_t)1 << 40 ? malloc(bytes) : NULL;
    if (memory == NULL)
        return 2;
    memset(memory, 0xab, bytes);
    keep_thing(NULL, memory);
    live++;
    *address = (uint64_t)(uintptr_t)memory + ELSEWHERE;
    return 0;
}

static char *at(uint64_t address)
{
    if (address < ELSEWHERE)
        abort(); /* an address of the host */
    return (char *)(uintptr_t)(address - ELSEWHERE);
}

EXPORT int cuMemFree_v2(uint64_t address)
{
    LEAVE;
    NEEDS_CONTEXT;
    keep_thing(at(address), NULL);
    free(at(address));
    live--;
    return told;
}

static int wrong_stream(const void *stream)
{
    return stream == NULL || ((const thing *)stream)->kind != STREAM;
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                                void *stream)
{
    ENTER;
    NEEDS_CONTEXT;
    if (wrong_stream(stream))
        return 400;
    memcpy(at(to), from, bytes);
    return 0;
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes,
                                void *stream)
{
    ENTER;
    NEEDS_CONTEXT;
    if (wrong_stream(stream))
        return 400;
    memcpy(to, at(from), bytes);
    return 0;
}

EXPORT int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes,
                                void *stream)
{
    ENTER;
    NEEDS_CONTEXT;
    if (wrong_stream(stream))
        return 400;
    memmove(at(to), at(from), bytes);
    return 0;
}

EXPORT int cuStreamCreate(void **stream, unsigned flags)
{
    ENTER;
    NEEDS_CONTEXT;
    (void)flags;
    return make(STREAM, NULL, stream);
}

EXPORT int cuStreamDestroy_v2(void *stream)
{
    LEAVE;
    NEEDS_CONTEXT;
    return unmake(STREAM, stream, told);
}

EXPORT int cuStreamSynchronize(void *stream)
{
    ENTER;
    NEEDS_CONTEXT;
    return wrong_stream(stream) ? 400 : 0;
}

EXPORT int cuEventCreate(void **event, unsigned flags)
{
    ENTER;
    NEEDS_CONTEXT;
    (void)flags;
    return make(EVENT, NULL, event);
}

EXPORT int cuEventRecord(void *event, void *stream)
{
    ENTER;
    NEEDS_CONTEXT;
    return ((thing *)event)->kind != EVENT || wrong_stream(stream) ? 400 : 0;
}

EXPORT int cuEventSynchronize(void *event)
{
    ENTER;
    NEEDS_CONTEXT;
    return ((thing *)event)->kind != EVENT ? 400 : 0;
}

EXPORT int cuEventElapsedTime(float *milliseconds, void *start, void *end)
{
    ENTER;
    NEEDS_CONTEXT;
    *milliseconds = 0.25f;
    return ((thing *)start)->kind != EVENT || ((thing *)end)->kind != EVENT
               ? 400
               : 0;
}

EXPORT int cuEventDestroy_v2(void *event)
{
    LEAVE;
    NEEDS_CONTEXT;
    return unmake(EVENT, event, told);
}

EXPORT int cuModuleLoadData(void **module, const void *image)
{
    ENTER;
    NEEDS_CONTEXT;
    return make(MODULE, image, module);
}

static thing functions[256];
static int function_count;

EXPORT int cuModuleUnload(void *module)
{
    LEAVE;
    NEEDS_CONTEXT;
    for (int i = 0; i < function_count && i < 256; i++)
        if (functions[i].of == module)
            functions[i].kind = 0;
    return unmake(MODULE, module, told);
}

EXPORT int cuModuleGetFunction(void **function, void *module, const char *name)
{
    char wanted[128];

    ENTER;
    NEEDS_CONTEXT;
    (void)snprintf(wanted, sizeof wanted, "KERNEL %s(", name);
    if (((thing *)module)->kind != MODULE)
        return 400;
    if (strstr(((thing *)module)->text, wanted) == NULL)
        return 500; /* CUDA_ERROR_NOT_FOUND */
    thing *const made = &functions[function_count++ % 256];
    *made = (thing){FUNCTION, (char *)(uintptr_t)name, module};
    *function = made;
    return 0;
}

EXPORT int cuGetErrorName(int status, const char **text)
{
    *text = status == 2     ? "CUDA_ERROR_OUT_OF_MEMORY"
            : status == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                            : NULL;
    return *text ? 0 : 1;
}

EXPORT int cuGetErrorString(int status, const char **text)
{
    *text = status == 2     ? "out of memory"
            : status == 700 ? "an illegal memory access was encountered"
                            : NULL;
    return *text ? 0 : 1;
}

/* ---- launches ------------------------------------------------------------ */

/* As the kernels see it. */
typedef struct walk {
    int64_t count, dims, size[16], stride[4][16];
} walk;

static int64_t place_of(const walk *w, int operand, int64_t i)
{
    int64_t place = 0;

    for (int64_t d = 0; d < w->dims; d++) {
        place += i % w->size[d] * w->stride[operand][d];
        i /= w->size[d];
    }
    return place;
}

static int has(const thing *function, const char *text)
{
    return strstr(function->of->text, text) != NULL;
}

static int64_t whole(void *const *arguments, int i)
{
    int64_t value;
    memcpy(&value, arguments[i], sizeof value);
    return value;
}

/* Memory and offset are two arguments. */
static char *tensor(void *const *arguments, int i, size_t size)
{
    uint64_t address;

    memcpy(&address, arguments[i], sizeof address);
    return at(address) + whole(arguments, i + 1) * (int64_t)size;
}

static size_t size_of_t0(const thing *function)
{
    return has(function, "#define D0 5\n") || has(function, "#define D0 6\n")
               ? 2
           : has(function, "#define D0 3\n") || has(function, "#define D0 7\n")
               ? 4
           : has(function, "#define D0 4\n") || has(function, "#define D0 8\n")
               ? 8
               : 1;
}

static void run_copy(const thing *function, void *const *a, int flat)
{
    const size_t size = size_of_t0(function);
    char *const out = tensor(a, 0, size), *const x = tensor(a, 2, size);
    walk w;

    if (!flat)
        memcpy(&w, a[4], sizeof w);
    const int64_t count = flat ? whole(a, 4) : w.count;
    for (int64_t i = 0; i < count; i++) {
        const int64_t to = flat ? i * whole(a, 5) : place_of(&w, 0, i);
        const int64_t from = flat ? i * whole(a, 6) : place_of(&w, 1, i);
        memcpy(out + to * (int64_t)size, x + from * (int64_t)size, size);
    }
}

static void run_fill(const thing *function, void *const *a)
{
    const size_t size = size_of_t0(function);
    char *const out = tensor(a, 0, size);
    walk w;

    memcpy(&w, a[4], sizeof w);
    for (int64_t i = 0; i < w.count; i++)
        memcpy(out + place_of(&w, 0, i) * (int64_t)size, a[2], size);
}

static void run_add(void *const *a)
{
    float *const out = (void *)tensor(a, 0, 4);
    const float *const x = (void *)tensor(a, 2, 4);
    const float *const y = (void *)tensor(a, 4, 4);

    for (int64_t i = 0; i < whole(a, 8); i++)
        out[i * whole(a, 9)] = x[i * whole(a, 10)] + y[i * whole(a, 11)];
}

/* The plug-in's own product of f32; one batch. */
static void run_multiply(void *const *a)
{
    float *const c = (void *)tensor(a, 0, 4);
    const float *const left = (void *)tensor(a, 2, 4);
    const float *const right = (void *)tensor(a, 4, 4);
    int64_t steps[3][3]; /* of c, left, right: rows, columns, batches */

    for (int i = 0; i < 3; i++)
        memcpy(steps[i], a[6 + i], sizeof steps[i]);
    for (int64_t y = 0; y < whole(a, 9); y++)
        for (int64_t x = 0; x < whole(a, 10); x++) {
            float sum = 0;
            for (int64_t z = 0; z < whole(a, 11); z++)
                sum += left[y * steps[1][0] + z * steps[1][1]] *
                       right[z * steps[2][0] + x * steps[2][1]];
            c[y * steps[0][0] + x * steps[0][1]] = sum;
        }
}

EXPORT int cuLaunchKernel(void *kernel, unsigned groups, unsigned groups_y,
                          unsigned groups_z, unsigned lanes, unsigned lanes_y,
                          unsigned lanes_z, unsigned shared, void *stream,
                          void **arguments, void **extra)
{
    const thing *const function = kernel;

    ENTER;
    NEEDS_CONTEXT;
    if (function->kind != FUNCTION || wrong_stream(stream) || extra != NULL)
        return 400;
    if (groups == 0 || lanes == 0 ||
        groups_y * groups_z * lanes_y * lanes_z != 1 || shared != 0)
        return 1;
    const int flat = strcmp(function->text, "flat") == 0;
    if (has(function, "#define CONVERTED") && has(function, "D0 == D1"))
        run_copy(function, arguments, flat);
    else if (has(function, "#define EXPRESSION p\n"))
        run_fill(function, arguments);
    else if (has(function, "#define EXPRESSION a + b\n") && flat &&
             has(function, "#define T0 float\n"))
        run_add(arguments);
    else if (strcmp(function->text, "multiply") == 0 &&
             has(function, "#define T0 float\n"))
        run_multiply(arguments);
    return 0;
}

/* ---- the compiler -------------------------------------------------------- */

EXPORT int nvrtcCreateProgram(void **program, const char *text,
                              const char *name, int count,
                              const char *const *headers,
                              const char *const *names)
{
    ENTER;
    (void)name;
    (void)headers;
    (void)names;
    return count == 0 ? make(PROGRAM, text, program) : 3;
}

/* FAKE_CUDA_KEEP: a folder for the texts, for those who want to read them. */
static void keep_text(const char *text)
{
    const char *const folder = getenv("FAKE_CUDA_KEEP");
    uint64_t name = 14695981039346656037u; /* FNV-1a of the text */
    char path[512];

    if (folder == NULL)
        return;
    for (const char *c = text; *c != '\0'; c++)
        name = (name ^ (unsigned char)*c) * 1099511628211u;
    (void)snprintf(path, sizeof path, "%s/%016llx.cu", folder,
                   (unsigned long long)name);
    FILE *const file = fopen(path, "w");
    if (file != NULL) {
        (void)fputs(text, file);
        (void)fclose(file);
    }
}

EXPORT int nvrtcCompileProgram(void *program, int count,
                               const char *const *options)
{
    ENTER;
    keep_text(((thing *)program)->text);
    return ((thing *)program)->kind == PROGRAM && count > 0 &&
                   strncmp(options[0], "--", 2) == 0
               ? 0
               : 5;
}

EXPORT int nvrtcGetPTXSize(void *program, size_t *size)
{
    ENTER;
    *size = strlen(((thing *)program)->text) + 1;
    return 0;
}

EXPORT int nvrtcGetPTX(void *program, char *text)
{
    ENTER;
    strcpy(text, ((thing *)program)->text);
    return 0;
}

EXPORT int nvrtcGetProgramLogSize(void *program, size_t *size)
{
    ENTER;
    (void)program;
    *size = sizeof "line 1: an error that is told";
    return 0;
}

EXPORT int nvrtcGetProgramLog(void *program, char *text)
{
    ENTER;
    (void)program;
    strcpy(text, "line 1: an error that is told");
    return 0;
}

EXPORT int nvrtcDestroyProgram(void **program)
{
    LEAVE;
    return unmake(PROGRAM, *program, told);
}

/* ---- products, by columns ------------------------------------------------ */

EXPORT int cublasCreate_v2(void **handle)
{
    ENTER;
    NEEDS_CONTEXT;
    return make(PRODUCTS, NULL, handle);
}

EXPORT int cublasDestroy_v2(void *handle)
{
    LEAVE;
    NEEDS_CONTEXT;
    return unmake(PRODUCTS, handle, told);
}

EXPORT int cublasSetStream_v2(void *handle, void *stream)
{
    ENTER;
    NEEDS_CONTEXT;
    return ((thing *)handle)->kind != PRODUCTS || wrong_stream(stream) ? 1 : 0;
}

#define GEMM(name, real)                                                       \
    EXPORT int name(void *handle, int turn_a, int turn_b, int m, int n, int k, \
                    const real *alpha, const real *a_address, int a_leading,   \
                    long long a_step, const real *b_address, int b_leading,    \
                    long long b_step, const real *beta, real *c_address,       \
                    int c_leading, long long c_step, int count)                \
    {                                                                          \
        ENTER;                                                                 \
        NEEDS_CONTEXT;                                                         \
        if (((thing *)handle)->kind != PRODUCTS || m < 1 || n < 1 || k < 1 ||  \
            a_leading < (turn_a ? k : m) || b_leading < (turn_b ? n : k) ||    \
            c_leading < m)                                                     \
            return 7; /* CUBLAS_STATUS_INVALID_VALUE */                        \
        for (int i = 0; i < count; i++) {                                      \
            const real *const a =                                              \
                (const real *)(void *)at((uintptr_t)a_address) + i * a_step;   \
            const real *const b =                                              \
                (const real *)(void *)at((uintptr_t)b_address) + i * b_step;   \
            real *const c =                                                    \
                (real *)(void *)at((uintptr_t)c_address) + i * c_step;         \
            for (int x = 0; x < n; x++)                                        \
                for (int y = 0; y < m; y++) {                                  \
                    real sum = 0;                                              \
                    for (int z = 0; z < k; z++)                                \
                        sum +=                                                 \
                            (turn_a ? a[z + (size_t)y * (size_t)a_leading]     \
                                    : a[y + (size_t)z * (size_t)a_leading]) *  \
                            (turn_b ? b[x + (size_t)z * (size_t)b_leading]     \
                                    : b[z + (size_t)x * (size_t)b_leading]);   \
                    real *const to = &c[y + (size_t)x * (size_t)c_leading];    \
                    *to = *beta != 0 ? *alpha * sum + *beta * *to              \
                                     : *alpha * sum;                           \
                }                                                              \
        }                                                                      \
        return 0;                                                              \
    }

GEMM(cublasSgemmStridedBatched, float)
GEMM(cublasDgemmStridedBatched, double)
