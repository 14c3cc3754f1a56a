/* library.c - making and ending a library; its classes; its plug-ins.
 *
 * Classes of tensors: `tensor`; below it one per type (`f32`), of half types
 * `half`, of kinds `floating`, `integer`; and one per device (`cpu`). A device's
 * nine classes derive from it and from the type (device.c).
 */
#define _GNU_SOURCE /* dladdr */
#include "library.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the runtime -------------------------------------------------------- */

static void forward_report(void *context, lb_status status, const char *message)
{
    lboi_report(context, status, "%s", message);
}

/* Every dispatch happens between lb_enter and lb_leave (lbo_run), so that
 * plug-ins can go while other threads call. */
static lb_status make_runtime(lbo_library *library)
{
    lb_config config;

    lb_config_init(&config);
    config.reclaim = LB_RECLAIM_EPOCH;
    config.reallocate = library->reallocate;
    config.allocator_context = library->allocator_context;
    config.report = forward_report;
    config.report_context = library;
    return lb_runtime_create(&config, &library->runtime);
}

static lb_class *make_class(lbo_library *library, const char *name,
                            lb_class *base, lb_class *second)
{
    return lb_class_make(library->runtime, name, 0, base, second);
}

static lb_status make_tensor_classes(lbo_library *library)
{
    const lb_class_spec root = {.name = "tensor", .context = library};
    lb_status status =
        lb_class_create(library->runtime, &root, &library->tensors);

    if (status != LB_OK)
        return status;
    lb_class *const integer =
        make_class(library, "integer", library->tensors, NULL);
    lb_class *const floating =
        make_class(library, "floating", library->tensors, NULL);
    lb_class *const half =
        floating ? make_class(library, "half", floating, NULL) : NULL;
    if (integer == NULL || half == NULL)
        return LB_NO_MEMORY;
    for (int i = 0; i < LBO_DTYPE_COUNT; i++) {
        lb_class *const base = i == LBO_BOOL   ? library->tensors
                               : i <= LBO_I64  ? integer
                               : i <= LBO_BF16 ? half
                                               : floating;
        library->dtypes[i] =
            make_class(library, lbo_dtype_name((lbo_dtype)i), base, NULL);
        if (library->dtypes[i] == NULL)
            return LB_NO_MEMORY;
    }
    return LB_OK;
}

lb_class *lbo_tensor_class(lbo_library *library, const char *name)
{
    lb_class *const found = lb_class_find(library->runtime, name);

    return lb_class_is_subclass(found, library->tensors) ? found : NULL;
}

lbo_library *lbo_library_of(lb_runtime *runtime)
{
    lb_class *const root = runtime ? lb_class_find(runtime, "tensor") : NULL;

    return root == NULL ? NULL : lb_class_context(root);
}

lb_status lboi_bind(lbo_library *library, lboi_function index, const char *name,
                    const lb_signature *signature)
{
    lb_generic *generic;
    const lb_status status =
        lb_generic_create(library->runtime, name, signature, NULL, &generic);

    if (status == LB_OK)
        library->functions[index] = lb_generic_head(generic);
    return status;
}

lb_generic *lbo_generic(lbo_library *library, const char *name)
{
    return lb_generic_find(library->runtime, name);
}

lb_runtime *lbo_runtime(lbo_library *library)
{
    return library->runtime;
}

/* ---- beginning and end --------------------------------------------------- */

static lb_status add_builtins(lbo_library *library)
{
    static const lbo_operator_spec *const specs[] = {
#define LBOI_ADDRESS(name) &lboi_spec_##name,
        LBOI_EACH_OPERATOR(LBOI_ADDRESS)
#undef LBOI_ADDRESS
    };

    for (size_t i = 0; i < LBOI_BUILTIN_COUNT; i++) {
        const lbo_operator *op;
        const lb_status status = lbo_operator_create(library, specs[i], &op);
        if (status != LB_OK)
            return status;
    }
    return LB_OK;
}

static lb_status fill_library(lbo_library *library)
{
    lb_status status = make_runtime(library);

    if (status == LB_OK)
        status = make_tensor_classes(library);
    if (status == LB_OK)
        status = lboi_layers_init(library);
    if (status == LB_OK)
        status = lboi_devices_init(library);
    if (status == LB_OK)
        status = add_builtins(library);
    if (status == LB_OK)
        status = lboi_cpu_init(library);
    if (status == LB_OK)
        status = lboi_models_init(library);
    library->ready = status == LB_OK;
    return status;
}

static void free_operator(lbo_library *library, lbo_operator *op)
{
    lboi_free_text(library, (char *)(uintptr_t)op->spec.name);
    lboi_free(library, op, sizeof *op);
}

static void free_library(lbo_library *library)
{
    for (size_t i = library->plugin_count; i-- > 0;)
        (void)lb_plugin_close(library->plugins[i]);
    lboi_layers_end(library);
    lb_runtime_destroy(library->runtime);
    lboi_devices_end(library);
    for (size_t i = 0; i < library->operator_count; i++)
        free_operator(library, library->operators[i]);
    for (size_t i = 0; i < library->known_count; i++)
        lboi_free_text(library, (char *)(uintptr_t)library->known[i].provider);
    lboi_free(library, library->operators,
              library->operator_capacity * sizeof(void *));
    lboi_free(library, library->known,
              library->known_capacity * sizeof *library->known);
    lboi_free(library, library->plugins,
              library->plugin_capacity * sizeof(void *));
    pthread_mutex_destroy(&library->mutex);
    pthread_mutex_destroy(&library->plugin_mutex);
    pthread_mutex_destroy(&library->layer_mutex);
    if (library->reallocate == NULL)
        free(library);
    else
        library->reallocate(library->allocator_context, library,
                            sizeof *library, 0);
}

lb_status lbo_library_create(const lbo_library_config *config,
                             lbo_library **result)
{
    const lbo_library_config none = {.abi = LBO_ABI};
    lbo_library *library;

    if (result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_library_create: result is NULL");
    if (config == NULL)
        config = &none;
    if (config->abi != LBO_ABI)
        return lbo_fail(LB_BAD_ABI,
                        "lbo_library_create: built for LBO_ABI %u, the library "
                        "has %d",
                        (unsigned)config->abi, LBO_ABI);
    library = config->reallocate == NULL
                  ? malloc(sizeof *library)
                  : config->reallocate(config->allocator_context, NULL, 0,
                                       sizeof *library);
    if (library == NULL)
        return lbo_fail(LB_NO_MEMORY, "no memory for a library");
    memset(library, 0, sizeof *library);
    library->reallocate = config->reallocate;
    library->allocator_context = config->allocator_context;
    library->report = config->report;
    library->report_context = config->report_context;
    pthread_mutex_init(&library->mutex, NULL); /* cannot fail here */
    pthread_mutex_init(&library->plugin_mutex, NULL);
    pthread_mutex_init(&library->layer_mutex, NULL);
    const lb_status status = fill_library(library);
    if (status != LB_OK) {
        free_library(library);
        return status;
    }
    *result = library;
    return LB_OK;
}

static int64_t live_storages(const lbo_library *library)
{
    int64_t live = 0;

    for (size_t i = 0; i < library->device_count; i++)
        if (library->devices[i] != NULL)
            live +=
                __atomic_load_n(&library->devices[i]->live, __ATOMIC_ACQUIRE);
    return live;
}

lb_status lbo_library_destroy(lbo_library *library)
{
    if (library == NULL)
        return LB_OK;
    const int64_t contexts =
        __atomic_load_n(&library->live_contexts, __ATOMIC_ACQUIRE);
    const int64_t storages = live_storages(library);
    if (contexts != 0 || storages != 0)
        return lbo_fail(LB_BUSY,
                        "library: %lld contexts and the memory of %lld tensors "
                        "are alive",
                        (long long)contexts, (long long)storages);
    free_library(library);
    return LB_OK;
}

/* ---- plug-ins ------------------------------------------------------------ */

static bool is_file(const char *path)
{
    return access(path, R_OK) == 0;
}

/* FOLDER/latebind-ops-NAME.so, if it is there. */
static bool in_folder(const char *folder, size_t length, const char *name,
                      char *path, size_t capacity)
{
    const int wrote = snprintf(path, capacity, "%.*s/latebind-ops-%s.so",
                               (int)length, folder, name);

    return wrote > 0 && (size_t)wrote < capacity && is_file(path);
}

/* The folder that this library lies in has ours in `latebind-ops` or beside. */
static bool beside_library(const char *name, char *path, size_t capacity)
{
    char folder[PATH_MAX];
    Dl_info info;

    if (dladdr((void *)(uintptr_t)lbo_plugin_open, &info) == 0 ||
        info.dli_fname == NULL || strlen(info.dli_fname) + 16 > sizeof folder)
        return false;
    strcpy(folder, info.dli_fname);
    char *const slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    const size_t length = (size_t)(slash - folder);
    strcpy(slash, "/latebind-ops");
    return in_folder(folder, strlen(folder), name, path, capacity) ||
           in_folder(folder, length, name, path, capacity);
}

static bool find_plugin(const char *name, char *path, size_t capacity)
{
    const char *folders = getenv("LATEBIND_OPS_PLUGINS");

    if (strchr(name, '/') != NULL || is_file(name)) {
        const int wrote = snprintf(path, capacity, "%s", name);
        return wrote >= 0 && (size_t)wrote < capacity;
    }
    while (folders != NULL && *folders != '\0') {
        const size_t length = strcspn(folders, ":");
        if (in_folder(folders, length, name, path, capacity))
            return true;
        folders += length + (folders[length] == ':');
    }
    return beside_library(name, path, capacity);
}

/* Those devices that `load` made are the plug-in's. */
static void claim_devices(lbo_library *library, lb_plugin *plugin)
{
    for (size_t i = 0; i < library->device_count; i++)
        if (library->devices[i] != NULL &&
            library->devices[i]->plugin == NULL &&
            library->devices[i] != library->cpu)
            library->devices[i]->plugin = plugin;
}

static lb_status open_and_keep(lbo_library *library, const char *path,
                               lb_plugin **result)
{
    if (!lboi_reserve(library, &library->plugins, &library->plugin_capacity,
                      library->plugin_count + 1, sizeof(void *)))
        return LB_NO_MEMORY;
    const lb_status status = lb_plugin_open(library->runtime, path, result);
    if (status != LB_OK)
        return status;
    library->plugins[library->plugin_count++] = *result;
    pthread_mutex_lock(&library->mutex);
    claim_devices(library, *result);
    pthread_mutex_unlock(&library->mutex);
    return LB_OK;
}

lb_status lbo_plugin_open(lbo_library *library, const char *name,
                          lb_plugin **result)
{
    char path[PATH_MAX];
    lb_plugin *plugin;

    if (library == NULL || name == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_plugin_open: an argument is NULL");
    if (!find_plugin(name, path, sizeof path))
        return lbo_fail(LB_NOT_FOUND,
                        "plug-in \"%s\": neither a file nor in "
                        "LATEBIND_OPS_PLUGINS nor beside the library",
                        name);
    pthread_mutex_lock(&library->plugin_mutex);
    const lb_status status = open_and_keep(library, path, &plugin);
    pthread_mutex_unlock(&library->plugin_mutex);
    if (status == LB_OK && result != NULL)
        *result = plugin;
    return status;
}

/* LB_BUSY while storages of the plug-in's devices are alive. */
static lb_status check_devices(lbo_library *library, const lb_plugin *plugin)
{
    lb_status status = LB_OK;

    pthread_mutex_lock(&library->mutex);
    for (size_t i = 0; i < library->device_count && status == LB_OK; i++) {
        const lbo_device *const device = library->devices[i];
        if (device == NULL || device->plugin != plugin)
            continue;
        const int64_t live = __atomic_load_n(&device->live, __ATOMIC_ACQUIRE);
        if (live != 0)
            status =
                lbo_fail(LB_BUSY,
                         "plug-in %s: %lld storages of device %s are "
                         "alive",
                         lb_plugin_name(plugin), (long long)live, device->name);
    }
    pthread_mutex_unlock(&library->mutex);
    return status;
}

static lb_status close_and_forget(lbo_library *library, lb_plugin *plugin)
{
    lb_status status = check_devices(library, plugin);

    if (status == LB_OK)
        status = lb_plugin_close(plugin);
    if (status != LB_OK)
        return status;
    for (size_t i = 0; i < library->plugin_count; i++)
        if (library->plugins[i] == plugin)
            library->plugins[i] = library->plugins[--library->plugin_count];
    return LB_OK;
}

lb_status lbo_plugin_close(lbo_library *library, lb_plugin *plugin)
{
    if (library == NULL || plugin == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_plugin_close: an argument is NULL");
    pthread_mutex_lock(&library->plugin_mutex);
    const lb_status status = close_and_forget(library, plugin);
    pthread_mutex_unlock(&library->plugin_mutex);
    return status;
}

lb_status lbo_open_all(lbo_library *library)
{
    static const char *const names[] = {"cpu-fast", "opencl", "cuda"};

    if (library == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_open_all: library is NULL");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_MAX];
        if (!find_plugin(names[i], path, sizeof path))
            continue;
        const lb_status status = lbo_plugin_open(library, path, NULL);
        if (status != LB_OK)
            lboi_report(library, status, "plug-in %s: %s", names[i],
                        lb_message());
    }
    return LB_OK;
}
