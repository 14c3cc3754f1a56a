/* launch.c - kernels: compiled when first used, found again by their variant.
 *
 * A module's text is the API's prelude, definitions of the variant's types,
 * common.txt and the family's text.
 */
#include "gpu.h"

#include <stdio.h>
#include <string.h>

typedef struct found_kernel {
    struct found_kernel *next;
    const char *name;
    void *kernel;
} found_kernel;

struct gpu_module {
    gpu_module *next;
    gpu_variant variant;
    void *module;
    found_kernel *kernels;
};

_Static_assert(sizeof(gpu_variant) == 2 * sizeof(char *) + 8,
               "variants are compared as bytes");

static uint32_t list_of(const gpu_variant *variant)
{
    const unsigned char *const bytes = (const unsigned char *)variant;
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < sizeof *variant; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return (hash ^ hash >> 16) % GPU_MODULE_LISTS;
}

/* ---- the text ------------------------------------------------------------ */

static const char *const type_words[LBO_DTYPE_COUNT] = {
    "u8", "u8", "i8", "i32", "i64", "u16", "u16", "float", "double"};

/* Returns how much was written. */
static size_t define_types(const gpu_variant *variant, char *text, size_t size)
{
    size_t used = 0;

    for (int i = 0; i < 4; i++) {
        const int type = variant->types[i];
        if (type != LBO_ANY_DTYPE)
            used += (size_t)snprintf(text + used, size - used,
                                     "#define T%d %s\n#define D%d %d\n", i,
                                     type_words[type], i, type);
    }
    used += (size_t)snprintf(text + used, size - used, "#define N %d\n",
                             (int)variant->number);
    return used;
}

static lb_status compile_text(gpu_device *device, const gpu_variant *variant,
                              void **module)
{
    char types[512];
    (void)define_types(variant, types, sizeof types);
    const char *const expression = variant->expression;
    const char *const parts[] = {device->wide ? "#define WIDE 1\n" : "",
                                 device->driver->prelude,
                                 types,
                                 expression ? "#define EXPRESSION " : "",
                                 expression ? expression : "",
                                 "\n",
                                 gpu_source_common,
                                 gpu_source_convert,
                                 variant->source};
    size_t size = 1, used = 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        size += strlen(parts[i]);
    char *const text = lbo_allocate(device->library, size);
    if (text == NULL)
        return LB_NO_MEMORY;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const size_t length = strlen(parts[i]);
        memcpy(text + used, parts[i], length + 1);
        used += length;
    }
    const lb_status status = device->driver->compile(device, text, module);
    lbo_deallocate(device->library, text, size);
    return status;
}

/* ---- modules ------------------------------------------------------------- */

static lb_status module_for(gpu_device *device, const gpu_variant *variant,
                            gpu_module **result)
{
    gpu_module **const list = &device->modules[list_of(variant)];

    for (gpu_module *m = *list; m != NULL; m = m->next)
        if (memcmp(&m->variant, variant, sizeof *variant) == 0) {
            *result = m;
            return LB_OK;
        }
    gpu_module *const made = lbo_allocate(device->library, sizeof *made);
    if (made == NULL)
        return LB_NO_MEMORY;
    *made = (gpu_module){.next = *list, .variant = *variant};
    const lb_status status = compile_text(device, variant, &made->module);
    if (status != LB_OK) {
        lbo_deallocate(device->library, made, sizeof *made);
        return status;
    }
    *list = made;
    *result = made;
    return LB_OK;
}

static lb_status kernel_for(gpu_device *device, const gpu_variant *variant,
                            const char *name, void **result)
{
    gpu_module *module = NULL;
    lb_status status = module_for(device, variant, &module);

    if (status != LB_OK)
        return status;
    for (found_kernel *k = module->kernels; k != NULL; k = k->next)
        if (strcmp(k->name, name) == 0) {
            *result = k->kernel;
            return LB_OK;
        }
    found_kernel *const made = lbo_allocate(device->library, sizeof *made);
    if (made == NULL)
        return LB_NO_MEMORY;
    *made = (found_kernel){.next = module->kernels, .name = name};
    status = device->driver->find(device, module->module, name, &made->kernel);
    if (status != LB_OK) {
        lbo_deallocate(device->library, made, sizeof *made);
        return status;
    }
    module->kernels = made;
    *result = made->kernel;
    return LB_OK;
}

static void free_module(gpu_device *device, gpu_module *module)
{
    while (module->kernels != NULL) {
        found_kernel *const kernel = module->kernels;
        module->kernels = kernel->next;
        device->driver->kernel_free(device, kernel->kernel);
        lbo_deallocate(device->library, kernel, sizeof *kernel);
    }
    device->driver->module_free(device, module->module);
    lbo_deallocate(device->library, module, sizeof *module);
}

void gpu_forget_modules(gpu_device *device)
{
    for (uint32_t i = 0; i < GPU_MODULE_LISTS; i++)
        while (device->modules[i] != NULL) {
            gpu_module *const module = device->modules[i];
            device->modules[i] = module->next;
            free_module(device, module);
        }
}

/* ---- launches ------------------------------------------------------------ */

void gpu_begin(gpu_launch *launch, gpu_device *device)
{
    launch->device = device;
    launch->status = LB_OK;
    launch->count = 0;
}

void gpu_add(gpu_launch *launch, const void *value, size_t size)
{
    if (launch->count == GPU_MAX_ARGUMENTS)
        launch->status = lbo_fail(
            LB_LIMIT, "a kernel of more than %d arguments", GPU_MAX_ARGUMENTS);
    else
        launch->at[launch->count++] = (gpu_argument){value, size};
}

void gpu_add_tensor(gpu_launch *launch, const lbo_tensor *tensor)
{
    const int64_t size = (int64_t)lbo_dtype_size((lbo_dtype)tensor->dtype);
    int64_t *const offset = &launch->offsets[launch->count % GPU_MAX_ARGUMENTS];

    if (tensor->offset % size != 0)
        launch->status = lbo_fail(
            LB_BAD_ARGUMENT,
            "a tensor's first element lies at byte %lld; on device %s it must "
            "be a multiple of the element's %lld bytes",
            (long long)tensor->offset, launch->device->device->name,
            (long long)size);
    *offset = tensor->offset / size;
    gpu_add(launch, &tensor->storage->memory, sizeof(void *));
    gpu_add(launch, offset, sizeof *offset);
}

lb_status gpu_run(gpu_launch *launch, const gpu_variant *variant,
                  const char *kernel, int64_t groups, size_t lanes)
{
    gpu_device *const device = launch->device;
    void *found = NULL;

    if (launch->status != LB_OK || groups <= 0)
        return launch->status;
    if (groups > INT32_MAX)
        return lbo_fail(LB_LIMIT, "device %s: too many elements for one kernel",
                        device->device->name);
    pthread_mutex_lock(&device->mutex);
    lb_status status = kernel_for(device, variant, kernel, &found);
    if (status == LB_OK)
        status = device->driver->launch(device, device->stream, found,
                                        (size_t)groups, lanes, launch->at,
                                        launch->count);
    pthread_mutex_unlock(&device->mutex);
    return status;
}

lb_status gpu_run_flat(gpu_launch *launch, const gpu_variant *variant,
                       const char *kernel, int64_t elements)
{
    return gpu_run(launch, variant, kernel,
                   elements / GPU_LANES + (elements % GPU_LANES != 0),
                   GPU_LANES);
}
