/* The CUDA plug-in against a driver that is none (fake_cuda.c): every function
 * that it uses works, and fails once at each place where it is called. On a
 * machine with a GPU test_opencl.c tests the kernels: it takes "cuda". */
#include "support/allocator.h"
#include "support/test.h"

#include "latebind/ops.h"

#include <dlfcn.h>

static struct {
    void *library;
    void (*break_call)(const char *name, int nth, int status);
    int (*calls)(const char *name);
    int (*live)(void);
    void (*devices)(int count);
} fake;

static char reported[4096];

static void note_report(void *context, lb_status status, const char *message)
{
    (void)context;
    (void)status;
    const size_t used = strlen(reported);
    (void)snprintf(reported + used, sizeof reported - used, "%s\n", message);
}

static int open_fake(void **state)
{
    const char *const path = getenv("LATEBIND_TEST_FAKE_CUDA");

    (void)state;
    assert_non_null(path);
    fake.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (fake.library == NULL)
        fail_msg("%s", dlerror());
    *(void **)&fake.break_call = dlsym(fake.library, "fake_cuda_fail");
    *(void **)&fake.calls = dlsym(fake.library, "fake_cuda_calls");
    *(void **)&fake.live = dlsym(fake.library, "fake_cuda_live");
    *(void **)&fake.devices = dlsym(fake.library, "fake_cuda_devices");
    setenv("LATEBIND_CUDA_DRIVER", path, 1);
    setenv("LATEBIND_CUDA_NVRTC", path, 1);
    setenv("LATEBIND_CUDA_CUBLAS", path, 1);
    return 0;
}

static int setup(void **state)
{
    const char *const path = getenv("LATEBIND_TEST_FAKE_CUDA");

    (void)state;
    reported[0] = '\0';
    fake.break_call("", 0, 0);
    fake.devices(1);
    setenv("LATEBIND_CUDA_DRIVER", path, 1);
    setenv("LATEBIND_CUDA_NVRTC", path, 1);
    setenv("LATEBIND_CUDA_CUBLAS", path, 1);
    return 0;
}

/* ---- what a program does with a device ----------------------------------- */

typedef struct world {
    lbo_library *library;
    lb_plugin *plugin;
    lbo_device *device;
    lbo_context *context;
    lbo_tensor *a, *b, *sum, *product, *turned;
} world;

static lb_status open_device(world *w)
{
    lb_status status = lbo_plugin_open(w->library, "cuda", &w->plugin);

    if (status == LB_OK)
        status = lbo_device_find(w->library, "cuda", &w->device);
    if (status == LB_OK)
        status = lbo_context_create(w->library, "cuda", &w->context);
    if (status == LB_OK)
        lbo_context_set_fallback(w->context, LBO_FALLBACK_ERROR);
    return status;
}

static lb_status open_world(world *w)
{
    const lbo_library_config config = {.abi = LBO_ABI, .report = note_report};

    memset(w, 0, sizeof *w);
    assert_ok(lbo_library_create(&config, &w->library));
    return open_device(w);
}

static void close_world(world *w)
{
    lbo_tensor *const all[] = {w->a, w->b, w->sum, w->product, w->turned};

    for (size_t i = 0; i < COUNT_OF(all); i++)
        lbo_tensor_release(all[i]);
    lbo_context_destroy(w->context);
    if (w->plugin != NULL)
        assert_ok(lbo_plugin_close(w->library, w->plugin));
    assert_ok(lbo_library_destroy(w->library));
}

/* [[0, 1], [2, 3]] and [[1, 1], [1, 1]]; their sum, product, and a turned. */
static lb_status compute(world *w)
{
    static const float numbers[] = {0, 1, 2, 3}, added[] = {1, 2, 3, 4};
    static const float multiplied[] = {1, 1, 5, 5}, columns[] = {0, 2, 1, 3};
    const int64_t shape[] = {2, 2};
    lbo_tensor *view = NULL;
    float got[4];

    lb_status status =
        lbo_from_data(w->context, LBO_F32, 2, shape, numbers, &w->a);
    if (status == LB_OK)
        status = lbo_empty(w->context, LBO_F32, 2, shape, &w->b);
    if (status == LB_OK)
        status = lbo_fill(w->context, w->b, 1);
    if (status == LB_OK)
        status = lbo_add(w->context, &w->sum, w->a, w->b);
    if (status == LB_OK)
        status = lbo_matmul(w->context, &w->product, w->a, w->b);
    if (status == LB_OK)
        status = lbo_transpose(w->context, &view, w->a, 0, NULL);
    if (status == LB_OK)
        status = lbo_copy(w->context, &w->turned, view);
    lbo_tensor_release(view);
    if (status == LB_OK)
        status = lbo_read(w->context, w->sum, got, sizeof got);
    if (status == LB_OK) {
        assert_memory_equal(got, added, sizeof got);
        status = lbo_read(w->context, w->product, got, sizeof got);
    }
    if (status == LB_OK) {
        assert_memory_equal(got, multiplied, sizeof got);
        status = lbo_read(w->context, w->turned, got, sizeof got);
    }
    if (status == LB_OK)
        assert_memory_equal(got, columns, sizeof got);
    return status;
}

#define HEAD(w, name) lb_generic_head(lbo_generic((w)->library, "device." name))

static lb_status copy_within(world *w)
{
    const lbo_transfer copy = {.to = w->b->storage->memory,
                               .from = w->a->storage->memory,
                               .bytes = lbo_tensor_bytes(w->a)};

    return lb_in_lbo_on_copy(HEAD(w, "copy"), w->device, w->device, &copy);
}

static lb_status time_events(world *w, void *stream, void **events)
{
    double ns = 0;
    lb_status status = lb_in_lbo_on_event_record(HEAD(w, "event_record"),
                                                 w->device, stream, &events[0]);

    if (status == LB_OK)
        status = lb_in_lbo_on_event_record(HEAD(w, "event_record"), w->device,
                                           NULL, &events[1]);
    if (status == LB_OK)
        status = lb_in_lbo_on_event_wait(HEAD(w, "event_wait"), w->device,
                                         events[1]);
    if (status == LB_OK)
        status = lb_in_lbo_on_event_elapsed(HEAD(w, "event_elapsed"), w->device,
                                            events[0], events[1], &ns);
    if (status == LB_OK)
        assert_true(ns == 0.25e6);
    return status;
}

static lb_status use_streams(world *w)
{
    void *stream = NULL, *events[2] = {NULL, NULL};
    lb_status status = lb_in_lbo_on_stream_create(HEAD(w, "stream_create"),
                                                  w->device, &stream);

    if (status != LB_OK)
        return status;
    status = time_events(w, stream, events);
    if (status == LB_OK)
        status =
            lb_in_lbo_on_synchronize(HEAD(w, "synchronize"), w->device, stream);
    for (int i = 0; i < 2; i++)
        if (events[i] != NULL)
            lb_in_lbo_on_event_destroy(HEAD(w, "event_destroy"), w->device,
                                       events[i]);
    lb_in_lbo_on_stream_destroy(HEAD(w, "stream_destroy"), w->device, stream);
    return status;
}

/* All of it, with the device that is open. */
static lb_status use_device(world *w)
{
    lb_status status = compute(w);

    if (status == LB_OK)
        status = copy_within(w);
    if (status == LB_OK)
        status = use_streams(w);
    return status == LB_OK ? lbo_synchronize(w->device) : status;
}

/* From beginning to end. The first failure's message is in `message`. */
static lb_status use_everything(char *message, size_t size)
{
    world w;
    lb_status status = open_world(&w);

    if (status == LB_OK)
        status = use_device(&w);
    (void)snprintf(message, size, "%s", status == LB_OK ? "" : lb_message());
    close_world(&w);
    return status;
}

/* ---- tests --------------------------------------------------------------- */

static void data_flows_through_the_device(void **state)
{
    char message[2048];

    (void)state;
    if (use_everything(message, sizeof message) != LB_OK)
        fail_msg("%s", message);
    assert_int_equal(fake.live(), 0);
    assert_true(fake.calls("cuLaunchKernel") >= 3);
    assert_int_equal(fake.calls("cublasSgemmStridedBatched"), 1);
}

static const char *const makers[] = {
    "cuInit",
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetName",
    "cuDeviceGetAttribute",
    "cuDevicePrimaryCtxRetain",
    "cuCtxSynchronize",
    "cuMemAlloc_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyDtoDAsync_v2",
    "cuStreamCreate",
    "cuStreamSynchronize",
    "cuEventCreate",
    "cuEventRecord",
    "cuEventSynchronize",
    "cuEventElapsedTime",
    "cuModuleLoadData",
    "cuModuleGetFunction",
    "cuLaunchKernel",
    "nvrtcCreateProgram",
    "nvrtcCompileProgram",
    "nvrtcGetPTXSize",
    "nvrtcGetPTX",
    "cublasCreate_v2",
    "cublasSetStream_v2",
    "cublasSgemmStridedBatched",
};

static const char *const enders[] = {"cuDevicePrimaryCtxRelease_v2",
                                     "cuMemFree_v2",
                                     "cuStreamDestroy_v2",
                                     "cuEventDestroy_v2",
                                     "cuModuleUnload",
                                     "nvrtcDestroyProgram",
                                     "cublasDestroy_v2"};

/* A failure is told: by a status with a message, or through the hook. */
static void fail_at_each_call(const char *name, int fails_with, bool leaves)
{
    char message[2048];

    fake.break_call("", 0, 0);
    (void)use_everything(message, sizeof message);
    const int calls = fake.calls(name);
    if (calls == 0)
        fail_msg("%s is never called", name);
    for (int nth = 1; nth <= calls; nth++) {
        const int before = fake.live();
        reported[0] = '\0';
        fake.break_call(name, nth, fails_with);
        const lb_status status = use_everything(message, sizeof message);
        if (status != LB_OK && message[0] == '\0')
            fail_msg("%s, call %d: %s without a message", name, nth,
                     lb_status_name(status));
        if (!leaves && fake.live() != before)
            fail_msg("%s, call %d: %d things stay", name, nth,
                     fake.live() - before);
    }
}

static void every_function_may_fail_at_every_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(makers); i++) {
        fail_at_each_call(makers[i], 700, false);
        fail_at_each_call(makers[i], 2, false);
    }
}

static void giving_back_may_fail_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(enders); i++)
        fail_at_each_call(enders[i], 700, false);
    /* Without it nothing can be given back: what is left then is lost, not the
     * program. */
    fail_at_each_call("cuCtxPushCurrent_v2", 700, true);
}

/* One request is refused, at a later place each time. */
static void memory_of_the_host_may_end_at_any_place(void **state)
{
    uint64_t refused = 1;

    (void)state;
    for (uint64_t nth = 1; refused > 0; nth++) {
        allocator memory = {.bytes = 0};
        const lbo_library_config config = {.abi = LBO_ABI,
                                           .reallocate = allocator_reallocate,
                                           .allocator_context = &memory};
        world w;

        memset(&w, 0, sizeof w);
        assert_ok(lbo_library_create(&config, &w.library));
        allocator_arm(&memory, nth, 0);
        lb_status status = open_device(&w);
        if (status == LB_OK)
            status = use_device(&w);
        refused = memory.refused;
        if (refused == 0 && status != LB_OK)
            fail_msg("request %d: %s", (int)nth, lb_message());
        allocator_arm(&memory, 0, 0);
        close_world(&w);
        if (fake.live() != 0 || !allocator_finish(&memory))
            fail_msg("request %d: %d things stay, or memory", (int)nth,
                     fake.live());
    }
}

static void an_error_says_what_the_driver_says(void **state)
{
    char message[2048];

    (void)state;
    fake.break_call("cuLaunchKernel", 1, 700);
    assert_status(LB_METHOD_FAILED, use_everything(message, sizeof message));
    assert_contains(message, "cuLaunchKernel");
    assert_contains(message, "CUDA_ERROR_ILLEGAL_ADDRESS (700)");
    assert_contains(message, "an illegal memory access was encountered");
    fake.break_call("nvrtcCompileProgram", 1, 6);
    assert_status(LB_METHOD_FAILED, use_everything(message, sizeof message));
    assert_contains(message, "line 1: an error that is told");
}

static void memory_comes_from_what_waits_before_it_ends(void **state)
{
    world w;
    lbo_tensor *tensor = NULL, *other = NULL;
    const int64_t shape[] = {1000}, larger[] = {100000};

    (void)state;
    assert_ok(open_world(&w));
    assert_ok(lbo_empty(w.context, LBO_F32, 1, shape, &tensor));
    lbo_tensor_release(tensor);
    tensor = NULL;
    fake.break_call("cuMemAlloc_v2", 1, 2);
    assert_ok(lbo_empty(w.context, LBO_F32, 1, shape, &tensor));
    assert_int_equal(fake.calls("cuMemAlloc_v2"), 0); /* used again */
    lbo_tensor_release(tensor);
    tensor = NULL;
    assert_ok(lbo_empty(w.context, LBO_F32, 1, larger, &other));
    assert_int_equal(fake.calls("cuMemAlloc_v2"), 2); /* after a failure */
    assert_int_equal(fake.calls("cuMemFree_v2"), 1);  /* the one that waited */
    assert_status(LB_NO_MEMORY,
                  lbo_empty(w.context, LBO_F64, 1, (const int64_t[]){1ll << 45},
                            &tensor));
    assert_contains(lb_message(), "CUDA_ERROR_OUT_OF_MEMORY");
    lbo_tensor_release(other);
    close_world(&w);
    assert_int_equal(fake.live(), 0);
}

static void devices_are_numbered_and_one_may_be_broken(void **state)
{
    world w;
    lbo_device *second = NULL, *best = NULL;

    (void)state;
    fake.devices(2);
    assert_ok(open_world(&w));
    assert_ok(lbo_device_find(w.library, "cuda:1", &second));
    assert_ok(lbo_device_find(w.library, "auto", &best));
    assert_ptr_equal(best, w.device);
    assert_string_equal(second->description, "Fake 1");
    close_world(&w);
    fake.break_call("cuDevicePrimaryCtxRetain", 1, 700);
    assert_ok(open_world(&w));
    assert_string_equal(w.device->description, "Fake 1");
    assert_contains(reported, "cuda: device 0: CUDA: ");
    close_world(&w);
    assert_int_equal(fake.live(), 0);
}

static void tensors_go_from_one_device_to_another(void **state)
{
    static const float numbers[] = {3, 1, 4};
    lbo_device *second = NULL;
    lbo_tensor *moved = NULL;
    float got[3];
    world w;

    (void)state;
    fake.devices(2);
    assert_ok(open_world(&w));
    assert_ok(lbo_device_find(w.library, "cuda:1", &second));
    assert_ok(lbo_from_data(w.context, LBO_F32, 1, (const int64_t[]){3},
                            numbers, &w.a));
    assert_ok(lbo_to_device(w.context, &moved, w.a, second));
    assert_ptr_equal(lbo_tensor_device(moved), second);
    assert_ok(lbo_read(w.context, moved, got, sizeof got));
    assert_memory_equal(got, numbers, sizeof got);
    assert_status(LB_BAD_ARGUMENT, lbo_add(w.context, &w.sum, w.a, moved));
    assert_contains(lb_message(), "cuda:1");
    lbo_tensor_release(moved);
    close_world(&w);
}

static void a_missing_library_means_no_device(void **state)
{
    static const char *const variables[] = {"LATEBIND_CUDA_DRIVER",
                                            "LATEBIND_CUDA_NVRTC"};
    const char *const path = getenv("LATEBIND_TEST_FAKE_CUDA");
    world w;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        reported[0] = '\0';
        setenv(variables[i], "/nowhere/lib.so", 1);
        assert_status(LB_NOT_FOUND, open_world(&w));
        assert_non_null(w.plugin);
        assert_contains(reported, "cuda: no device: ");
        close_world(&w);
        setenv(variables[i], path, 1);
    }
}

static void without_cublas_a_kernel_multiplies(void **state)
{
    world w;
    lbo_tensor *const none = NULL;

    (void)state;
    (void)none;
    setenv("LATEBIND_CUDA_CUBLAS", "/nowhere/lib.so", 1);
    assert_ok(open_world(&w));
    assert_ok(lbo_empty(w.context, LBO_F32, 2, (const int64_t[]){4, 4}, &w.a));
    assert_ok(lbo_matmul(w.context, &w.product, w.a, w.a));
    assert_int_equal(fake.calls("cublasSgemmStridedBatched"), 0);
    assert_int_equal(fake.calls("cuLaunchKernel"), 1);
    close_world(&w);
    assert_int_equal(fake.live(), 0);
}

static void
a_compiler_that_is_older_than_the_device_is_asked_again(void **state)
{
    char message[2048];

    (void)state;
    fake.break_call("nvrtcCompileProgram", 1, 5);
    if (use_everything(message, sizeof message) != LB_OK)
        fail_msg("%s", message);
}

static void no_device_is_no_failure(void **state)
{
    world w;

    (void)state;
    fake.break_call("cuInit", 1, 100);
    assert_status(LB_NOT_FOUND, open_world(&w));
    assert_non_null(w.plugin);
    assert_contains(reported, "cuInit");
    close_world(&w);
    fake.break_call("", 0, 0);
    fake.devices(0);
    assert_status(LB_NOT_FOUND, open_world(&w));
    assert_non_null(w.plugin);
    close_world(&w);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, setup)
    const struct CMUnitTest tests[] = {
        T(data_flows_through_the_device),
        T(every_function_may_fail_at_every_call),
        T(memory_of_the_host_may_end_at_any_place),
        T(an_error_says_what_the_driver_says),
        T(memory_comes_from_what_waits_before_it_ends),
        T(devices_are_numbered_and_one_may_be_broken),
        T(tensors_go_from_one_device_to_another),
        T(a_missing_library_means_no_device),
        T(without_cublas_a_kernel_multiplies),
        T(a_compiler_that_is_older_than_the_device_is_asked_again),
        T(no_device_is_no_failure),
        T(giving_back_may_fail_too),
    };

    return cmocka_run_group_tests(tests, open_fake, NULL);
}
