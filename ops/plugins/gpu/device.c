/* device.c - the devices' methods, and how a plug-in makes and ends them. */
#include "gpu.h"

#include <string.h>

LB_METHOD(lbo_on_allocate, gpu_on_allocate);
LB_METHOD(lbo_on_free, gpu_on_free);
LB_METHOD(lbo_on_copy, gpu_on_read);
LB_METHOD(lbo_on_copy, gpu_on_write);
LB_METHOD(lbo_on_copy, gpu_on_copy);
LB_METHOD(lbo_on_synchronize, gpu_on_synchronize);
LB_METHOD(lbo_on_stream_create, gpu_on_stream_create);
LB_METHOD(lbo_on_stream_destroy, gpu_on_stream_destroy);
LB_METHOD(lbo_on_event_record, gpu_on_event_record);
LB_METHOD(lbo_on_event_wait, gpu_on_event_wait);
LB_METHOD(lbo_on_event_elapsed, gpu_on_event_elapsed);
LB_METHOD(lbo_on_event_destroy, gpu_on_event_destroy);

static lb_status gpu_on_allocate(lb_slot slot, lbo_device *device, size_t bytes,
                                 void **memory)
{
    LB_IGNORE(slot);
    return gpu_allocate(device->data, bytes, memory);
}

static void gpu_on_free(lb_slot slot, lbo_device *device, void *memory,
                        size_t bytes)
{
    LB_IGNORE(slot);
    gpu_free(device->data, memory, bytes);
}

/* ---- copies -------------------------------------------------------------- */

static void *stream_of(const gpu_device *device, void *stream)
{
    return stream ? stream : device->stream;
}

static lb_status gpu_on_read(lb_slot slot, lbo_device *to, lbo_device *from,
                             const lbo_transfer *copy)
{
    gpu_device *const device = from->data;

    LB_IGNORE(slot);
    (void)to;
    pthread_mutex_lock(&device->mutex);
    const lb_status status = device->driver->read(
        device, stream_of(device, copy->stream),
        (char *)copy->to + copy->to_offset, (void *)(uintptr_t)copy->from,
        copy->from_offset, copy->bytes);
    pthread_mutex_unlock(&device->mutex);
    return status;
}

static lb_status gpu_on_write(lb_slot slot, lbo_device *to, lbo_device *from,
                              const lbo_transfer *copy)
{
    gpu_device *const device = to->data;

    LB_IGNORE(slot);
    (void)from;
    pthread_mutex_lock(&device->mutex);
    const lb_status status = device->driver->write(
        device, stream_of(device, copy->stream), copy->to, copy->to_offset,
        (const char *)copy->from + copy->from_offset, copy->bytes);
    pthread_mutex_unlock(&device->mutex);
    return status;
}

/* Two devices of one API may still not share memory: through the host then. */
static lb_status gpu_on_copy(lb_slot slot, lbo_device *to, lbo_device *from,
                             const lbo_transfer *copy)
{
    LB_SELF(lbo_on_copy, gpu_on_copy, slot, to, from, copy);
    gpu_device *const device = to->data;

    if (to != from)
        return lb_next_lbo_on_copy(self, to, from, copy);
    pthread_mutex_lock(&device->mutex);
    const lb_status status = device->driver->copy(
        device, stream_of(device, copy->stream), copy->to, copy->to_offset,
        (void *)(uintptr_t)copy->from, copy->from_offset, copy->bytes);
    pthread_mutex_unlock(&device->mutex);
    return status;
}

/* ---- streams and events -------------------------------------------------- */

/* Not under the mutex: other threads may go on putting things into streams. */
static lb_status gpu_on_synchronize(lb_slot slot, lbo_device *device,
                                    void *stream)
{
    gpu_device *const gpu = device->data;

    LB_IGNORE(slot);
    return gpu->driver->synchronize(gpu, stream);
}

static lb_status gpu_on_stream_create(lb_slot slot, lbo_device *device,
                                      void **stream)
{
    gpu_device *const gpu = device->data;

    LB_IGNORE(slot);
    return gpu->driver->stream_create(gpu, stream);
}

static void gpu_on_stream_destroy(lb_slot slot, lbo_device *device,
                                  void *stream)
{
    gpu_device *const gpu = device->data;

    LB_IGNORE(slot);
    if (stream != NULL && stream != gpu->stream)
        gpu->driver->stream_destroy(gpu, stream);
}

static lb_status gpu_on_event_record(lb_slot slot, lbo_device *device,
                                     void *stream, void **event)
{
    gpu_device *const gpu = device->data;

    LB_IGNORE(slot);
    pthread_mutex_lock(&gpu->mutex);
    const lb_status status =
        gpu->driver->event_record(gpu, stream_of(gpu, stream), event);
    pthread_mutex_unlock(&gpu->mutex);
    return status;
}

static lb_status gpu_on_event_wait(lb_slot slot, lbo_device *device,
                                   void *event)
{
    gpu_device *const gpu = device->data;

    LB_IGNORE(slot);
    return gpu->driver->event_wait(gpu, event);
}

static lb_status gpu_on_event_elapsed(lb_slot slot, lbo_device *device,
                                      void *start, void *end, double *ns)
{
    gpu_device *const gpu = device->data;

    LB_IGNORE(slot);
    return gpu->driver->event_elapsed(gpu, start, end, ns);
}

static void gpu_on_event_destroy(lb_slot slot, lbo_device *device, void *event)
{
    gpu_device *const gpu = device->data;

    LB_IGNORE(slot);
    gpu->driver->event_destroy(gpu, event);
}

/* ---- the class ----------------------------------------------------------- */

enum { MAX_DEVICES = 16 };

struct gpu_family {
    lbo_library *library;
    const gpu_driver *driver;
    lb_class *cls;
    lb_group *group;
    size_t count;
    gpu_device *devices[MAX_DEVICES];
};

static lb_status add_rule(gpu_family *family, const char *name,
                          const lb_method *method, lb_class *first,
                          lb_class *second)
{
    lb_generic *const generic = lbo_generic(family->library, name);
    const lb_specializer specializers[] = {lb_is(first), lb_is(second)};
    const lb_rule rule = {.method = method,
                          .specializers = specializers,
                          .count = second != NULL ? 2 : 1};

    return generic == NULL
               ? lbo_fail(LB_NOT_FOUND, "there is no generic function \"%s\"",
                          name)
               : lb_group_add(family->group, generic, &rule, 1);
}

static lb_status add_methods(gpu_family *family)
{
    static const struct {
        const char *name;
        const lb_method *method;
    } methods[] = {
        {"device.allocate", LB_DESCRIPTOR(gpu_on_allocate)},
        {"device.free", LB_DESCRIPTOR(gpu_on_free)},
        {"device.synchronize", LB_DESCRIPTOR(gpu_on_synchronize)},
        {"device.stream_create", LB_DESCRIPTOR(gpu_on_stream_create)},
        {"device.stream_destroy", LB_DESCRIPTOR(gpu_on_stream_destroy)},
        {"device.event_record", LB_DESCRIPTOR(gpu_on_event_record)},
        {"device.event_wait", LB_DESCRIPTOR(gpu_on_event_wait)},
        {"device.event_elapsed", LB_DESCRIPTOR(gpu_on_event_elapsed)},
        {"device.event_destroy", LB_DESCRIPTOR(gpu_on_event_destroy)},
    };
    lb_class *const cpu =
        lb_class_find(lbo_runtime(family->library), "cpu device");
    lb_status status = LB_OK;

    if (cpu == NULL)
        return lbo_fail(LB_NOT_FOUND, "there is no class \"cpu device\"");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (status == LB_OK)
            status = add_rule(family, methods[i].name, methods[i].method,
                              family->cls, NULL);
    if (status == LB_OK)
        status = add_rule(family, "device.copy", LB_DESCRIPTOR(gpu_on_read),
                          cpu, family->cls);
    if (status == LB_OK)
        status = add_rule(family, "device.copy", LB_DESCRIPTOR(gpu_on_write),
                          family->cls, cpu);
    if (status == LB_OK)
        status = add_rule(family, "device.copy", LB_DESCRIPTOR(gpu_on_copy),
                          family->cls, family->cls);
    return status;
}

static lb_status fill_family(gpu_family *family)
{
    lb_runtime *const runtime = lbo_runtime(family->library);

    family->cls = lb_class_make(runtime, family->driver->class_name, 0,
                                lbo_device_class(family->library), NULL);
    if (family->cls == NULL)
        return LB_NO_MEMORY;
    const lb_status status =
        lb_group_create(runtime, family->driver->class_name, 0, &family->group);
    return status == LB_OK ? add_methods(family) : status;
}

lb_status gpu_family_create(lbo_library *library, const gpu_driver *driver,
                            gpu_family **result)
{
    gpu_family *const family = lbo_allocate(library, sizeof *family);

    if (family == NULL)
        return LB_NO_MEMORY;
    *family = (gpu_family){.library = library, .driver = driver};
    const lb_status status = fill_family(family);
    if (status != LB_OK) {
        gpu_family_destroy(family);
        return status;
    }
    *result = family;
    return LB_OK;
}

lb_status gpu_family_commit(gpu_family *family)
{
    return lb_group_commit(family->group);
}

size_t gpu_family_count(const gpu_family *family)
{
    return family->count;
}

/* ---- devices ------------------------------------------------------------- */

static lb_status register_all(gpu_device *device, lb_group *group)
{
    static gpu_register_fn *const tables[] = {
        gpu_register_elementwise, gpu_register_copy,   gpu_register_create,
        gpu_register_reduce,      gpu_register_lines,  gpu_register_product,
        gpu_register_convolve,    gpu_register_window, gpu_register_choose,
        gpu_register_step};
    lb_status status = LB_OK;

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (status == LB_OK)
            status = tables[i](device, group);
    return status;
}

/* Everything of it is done, and nobody uses it any more. */
static void end_device(gpu_device *device)
{
    (void)device->driver->synchronize(device, NULL);
    gpu_forget_modules(device);
    gpu_trim(device);
    device->driver->close(device);
    pthread_mutex_destroy(&device->mutex);
    lbo_deallocate(device->library, device, sizeof *device);
}

static gpu_device *new_device(gpu_family *family, const gpu_found *found)
{
    gpu_device *const device =
        family->count < MAX_DEVICES
            ? lbo_allocate(family->library, sizeof *device)
            : NULL;

    if (device == NULL)
        return NULL;
    memset(device, 0, sizeof *device);
    device->driver = found->driver;
    device->library = family->library;
    device->api = found->api;
    device->stream = found->stream;
    device->wide = found->wide;
    pthread_mutex_init(&device->mutex, NULL); /* cannot fail here */
    return device;
}

lb_status gpu_device_add(gpu_family *family, const gpu_found *found)
{
    gpu_device *const device = new_device(family, found);

    if (device == NULL) {
        gpu_device closing = {.library = family->library,
                              .api = found->api,
                              .stream = found->stream};
        found->driver->close(&closing);
        return LB_NO_MEMORY;
    }
    const lb_status status = lbo_device_create(
        family->library, found->name, family->cls, 0, found->preference,
        found->description, device, &device->device);
    if (status != LB_OK) {
        end_device(device);
        return status;
    }
    device->device->default_stream = device->stream;
    family->devices[family->count++] = device;
    return register_all(device, family->group);
}

/* Calls that began before the rules went may run until all threads have been
 * outside of calls once. */
static void take_rules_back(gpu_family *family)
{
    if (family->group == NULL)
        return;
    (void)lb_group_remove(family->group);
    (void)lb_synchronize(lbo_runtime(family->library));
}

void gpu_family_destroy(gpu_family *family)
{
    if (family == NULL)
        return;
    take_rules_back(family);
    while (family->count > 0) {
        gpu_device *const device = family->devices[--family->count];
        (void)lbo_device_destroy(device->device);
        end_device(device);
    }
    if (family->cls != NULL)
        (void)lb_class_destroy(family->cls);
    lbo_deallocate(family->library, family, sizeof *family);
}
