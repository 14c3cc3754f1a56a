/* library.c - making and ending a library; its classes.
 *
 * Classes of tensors: `tensor`; below it one per type (`f32`), of half types
 * `half`, of kinds `floating`, `integer`; and one per device (`cpu`). A device's
 * nine classes derive from it and from the type (device.c).
 */
#include "library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the runtime -------------------------------------------------------- */

static void forward_report(void *context, lb_status status, const char *message)
{
    lboi_report(context, status, "%s", message);
}

/* Every dispatch happens between lb_enter and lb_leave (lbo_run, lboi_enter), so
 * that plug-ins can go while other threads call. */
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
        status = lboi_gates_init(library);
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

static void free_library(lbo_library *library)
{
    lboi_plugins_end(library);
    lboi_layers_end(library);
    lboi_gates_end(library);
    lb_runtime_destroy(library->runtime);
    lboi_devices_end(library);
    for (size_t i = 0; i < library->operator_count; i++)
        lboi_operator_free(library->operators[i]);
    for (size_t i = 0; i < library->known_count; i++)
        lboi_free_text(library, (char *)(uintptr_t)library->known[i].provider);
    lboi_free(library, library->operators,
              library->operator_capacity * sizeof(void *));
    lboi_free(library, library->known,
              library->known_capacity * sizeof *library->known);
    lboi_free(library, library->plugins,
              library->plugin_capacity * sizeof *library->plugins);
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
