/* device.c - devices as classes, and what every device has. */
#include "library.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- no method ----------------------------------------------------------- */

/* Why there is none, e.g. for lack of memory to find it. The engine's own
 * fallback would give zero, which is LB_OK. */
static lb_status why_none(lb_slot slot)
{
    return lb_fail(lb_load_entry(slot), NULL);
}

static lb_status cannot_allocate(lb_slot slot, lbo_device *device, size_t bytes,
                                 void **memory)
{
    (void)device;
    (void)bytes;
    (void)memory;
    return why_none(slot);
}

static lb_status cannot_copy(lb_slot slot, lbo_device *to, lbo_device *from,
                             const lbo_transfer *copy)
{
    (void)to;
    (void)from;
    (void)copy;
    return why_none(slot);
}

static lb_status cannot_synchronize(lb_slot slot, lbo_device *device,
                                    void *stream)
{
    (void)device;
    (void)stream;
    return why_none(slot);
}

static lb_status cannot_stream_create(lb_slot slot, lbo_device *device,
                                      void **stream)
{
    (void)device;
    (void)stream;
    return why_none(slot);
}

static lb_status cannot_event_record(lb_slot slot, lbo_device *device,
                                     void *stream, void **event)
{
    (void)device;
    (void)stream;
    (void)event;
    return why_none(slot);
}

static lb_status cannot_event_wait(lb_slot slot, lbo_device *device,
                                   void *event)
{
    (void)device;
    (void)event;
    return why_none(slot);
}

static lb_status cannot_event_elapsed(lb_slot slot, lbo_device *device,
                                      void *start, void *end, double *ns)
{
    (void)device;
    (void)start;
    (void)end;
    (void)ns;
    return why_none(slot);
}

/* What gives back tells nobody: the look-up for which there was no memory is
 * done once more. */
static void free_again(lb_slot slot, lbo_device *device, void *memory,
                       size_t bytes)
{
    static _Thread_local bool trying;

    LB_IGNORE(slot);
    if (trying)
        return;
    trying = true;
    lb_in_lbo_on_free(device->library->functions[LBOI_FREE], device, memory,
                      bytes);
    trying = false;
}

static void stream_destroy_again(lb_slot slot, lbo_device *device, void *stream)
{
    static _Thread_local bool trying;

    LB_IGNORE(slot);
    if (trying)
        return;
    trying = true;
    lb_in_lbo_on_stream_destroy(device->library->functions[LBOI_STREAM_DESTROY],
                                device, stream);
    trying = false;
}

static void event_destroy_again(lb_slot slot, lbo_device *device, void *event)
{
    static _Thread_local bool trying;

    LB_IGNORE(slot);
    if (trying)
        return;
    trying = true;
    lb_in_lbo_on_event_destroy(device->library->functions[LBOI_EVENT_DESTROY],
                               device, event);
    trying = false;
}

LB_DEFINE_GENERIC_WITH(lbo_on_allocate, cannot_allocate);
LB_DEFINE_GENERIC_WITH(lbo_on_copy, cannot_copy);
LB_DEFINE_GENERIC_WITH(lbo_on_synchronize, cannot_synchronize);
LB_DEFINE_GENERIC_WITH(lbo_on_stream_create, cannot_stream_create);
LB_DEFINE_GENERIC_WITH(lbo_on_event_record, cannot_event_record);
LB_DEFINE_GENERIC_WITH(lbo_on_event_wait, cannot_event_wait);
LB_DEFINE_GENERIC_WITH(lbo_on_event_elapsed, cannot_event_elapsed);
LB_DEFINE_GENERIC_WITH(lbo_on_free, free_again);
LB_DEFINE_GENERIC_WITH(lbo_on_stream_destroy, stream_destroy_again);
LB_DEFINE_GENERIC_WITH(lbo_on_event_destroy, event_destroy_again);

/* ---- what every device inherits ------------------------------------------ */

LB_METHOD(lbo_on_copy, copy_through_host);
LB_METHOD(lbo_on_synchronize, no_synchronize);
LB_METHOD(lbo_on_stream_create, no_stream);
LB_METHOD(lbo_on_stream_destroy, no_stream_destroy);
LB_METHOD(lbo_on_event_record, clock_record);
LB_METHOD(lbo_on_event_wait, clock_wait);
LB_METHOD(lbo_on_event_elapsed, clock_elapsed);
LB_METHOD(lbo_on_event_destroy, clock_destroy);

/* Two devices that do not know each other: by way of the host. */
static lb_status copy_through_host(lb_slot slot, lbo_device *to,
                                   lbo_device *from, const lbo_transfer *copy)
{
    lbo_library *const library = to->library;
    const lb_head *const head = library->functions[LBOI_COPY];
    lb_status status;

    LB_IGNORE(slot);
    if (to->flags & LBO_HOST && from->flags & LBO_HOST) {
        memmove((char *)copy->to + copy->to_offset,
                (const char *)copy->from + copy->from_offset, copy->bytes);
        return LB_OK;
    }
    if (to == library->cpu || from == library->cpu)
        return lbo_fail(LB_NO_METHOD,
                        "device %s does not say how to copy %s the host",
                        (to == library->cpu ? from : to)->name,
                        to == library->cpu ? "to" : "from");
    char *const staged = lboi_alloc(library, copy->bytes);
    if (staged == NULL)
        return LB_NO_MEMORY;
    lbo_transfer part = *copy;
    part.to = staged;
    part.to_offset = 0;
    part.stream = NULL;
    status = lb_in_lbo_on_copy(head, library->cpu, from, &part);
    part = *copy;
    part.from = staged;
    part.from_offset = 0;
    if (status == LB_OK)
        status = lb_in_lbo_on_copy(head, to, library->cpu, &part);
    lboi_free(library, staged, copy->bytes);
    return status;
}

static lb_status no_synchronize(lb_slot slot, lbo_device *device, void *stream)
{
    LB_IGNORE(slot);
    (void)device;
    (void)stream;
    return LB_OK;
}

static lb_status no_stream(lb_slot slot, lbo_device *device, void **stream)
{
    LB_IGNORE(slot);
    (void)device;
    *stream = NULL;
    return LB_OK;
}

static void no_stream_destroy(lb_slot slot, lbo_device *device, void *stream)
{
    LB_IGNORE(slot);
    (void)device;
    (void)stream;
}

static lb_status clock_record(lb_slot slot, lbo_device *device, void *stream,
                              void **event)
{
    struct timespec *const now = lboi_alloc(device->library, sizeof *now);

    LB_IGNORE(slot);
    (void)stream;
    if (now == NULL)
        return LB_NO_MEMORY;
    clock_gettime(CLOCK_MONOTONIC, now);
    *event = now;
    return LB_OK;
}

static lb_status clock_wait(lb_slot slot, lbo_device *device, void *event)
{
    LB_IGNORE(slot);
    (void)device;
    (void)event;
    return LB_OK;
}

static lb_status clock_elapsed(lb_slot slot, lbo_device *device, void *start,
                               void *end, double *ns)
{
    const struct timespec *const a = start, *const b = end;

    LB_IGNORE(slot);
    (void)device;
    *ns = (double)(b->tv_sec - a->tv_sec) * 1e9 +
          (double)(b->tv_nsec - a->tv_nsec);
    return LB_OK;
}

static void clock_destroy(lb_slot slot, lbo_device *device, void *event)
{
    LB_IGNORE(slot);
    lboi_free(device->library, event, sizeof(struct timespec));
}

/* ---- the generic functions ----------------------------------------------- */

static lb_status add_base(lbo_library *library, lboi_function index,
                          const lb_method *method, size_t arguments)
{
    lb_class *const classes[] = {library->devices_class,
                                 library->devices_class};
    lb_class *padded[LB_MAX_DISPATCH] = {NULL};

    memcpy(padded, classes, arguments * sizeof *classes);
    return lb_add_classes(library->functions[index], method, padded);
}

lb_status lboi_devices_init(lbo_library *library)
{
    static const struct {
        lboi_function index;
        const char *name;
        const lb_head *head;
        const lb_method *base; /* NULL: every device must have its own */
        size_t arguments;
    } functions[] = {
        {LBOI_ALLOCATE, "device.allocate", LB_HEAD(lbo_on_allocate), NULL, 1},
        {LBOI_FREE, "device.free", LB_HEAD(lbo_on_free), NULL, 1},
        {LBOI_COPY, "device.copy", LB_HEAD(lbo_on_copy),
         LB_DESCRIPTOR(copy_through_host), 2},
        {LBOI_SYNCHRONIZE, "device.synchronize", LB_HEAD(lbo_on_synchronize),
         LB_DESCRIPTOR(no_synchronize), 1},
        {LBOI_STREAM_CREATE, "device.stream_create",
         LB_HEAD(lbo_on_stream_create), LB_DESCRIPTOR(no_stream), 1},
        {LBOI_STREAM_DESTROY, "device.stream_destroy",
         LB_HEAD(lbo_on_stream_destroy), LB_DESCRIPTOR(no_stream_destroy), 1},
        {LBOI_EVENT_RECORD, "device.event_record", LB_HEAD(lbo_on_event_record),
         LB_DESCRIPTOR(clock_record), 1},
        {LBOI_EVENT_WAIT, "device.event_wait", LB_HEAD(lbo_on_event_wait),
         LB_DESCRIPTOR(clock_wait), 1},
        {LBOI_EVENT_ELAPSED, "device.event_elapsed",
         LB_HEAD(lbo_on_event_elapsed), LB_DESCRIPTOR(clock_elapsed), 1},
        {LBOI_EVENT_DESTROY, "device.event_destroy",
         LB_HEAD(lbo_on_event_destroy), LB_DESCRIPTOR(clock_destroy), 1},
    };
    lb_status status = LB_OK;

    library->devices_class =
        lb_class_make(library->runtime, "device", 0, NULL, NULL);
    if (library->devices_class == NULL)
        return LB_NO_MEMORY;
    for (size_t i = 0;
         i < sizeof functions / sizeof *functions && status == LB_OK; i++) {
        status = lboi_bind(library, functions[i].index, functions[i].name,
                           functions[i].head->signature);
        if (status == LB_OK && functions[i].base != NULL)
            status = add_base(library, functions[i].index, functions[i].base,
                              functions[i].arguments);
    }
    return status;
}

lb_class *lbo_device_class(lbo_library *library)
{
    return library->devices_class;
}

/* ---- devices ------------------------------------------------------------- */

static void free_device(lbo_device *device)
{
    lbo_library *const library = device->library;

    if (device->description != device->name)
        lboi_free_text(library, (char *)(uintptr_t)device->description);
    lboi_free_text(library, (char *)(uintptr_t)device->name);
    lboi_free(library, device, sizeof *device);
}

void lboi_devices_end(lbo_library *library)
{
    for (size_t i = 0; i < library->device_count; i++)
        if (library->devices[i] != NULL)
            free_device(library->devices[i]);
    lboi_free(library, library->devices,
              library->device_capacity * sizeof(void *));
}

/* `cpu`, and `cpu.f32` below `cpu` and `f32`. */
static lb_status make_classes(lbo_device *device)
{
    lbo_library *const library = device->library;

    device->tensors = lb_class_make(library->runtime, device->name, 0,
                                    library->tensors, NULL);
    if (device->tensors == NULL)
        return LB_NO_MEMORY;
    for (int i = 0; i < LBO_DTYPE_COUNT; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s.%s", device->name,
                       lbo_dtype_name((lbo_dtype)i));
        device->classes[i] = lb_class_make(library->runtime, name, 0,
                                           device->tensors, library->dtypes[i]);
        if (device->classes[i] == NULL)
            return LB_NO_MEMORY;
        device->headers[i] = lb_class_header(device->classes[i]);
    }
    return LB_OK;
}

static lb_status destroy_classes(lbo_device *device)
{
    for (int i = 0; i < LBO_DTYPE_COUNT; i++) {
        if (device->classes[i] == NULL)
            continue;
        const lb_status status = lb_class_destroy(device->classes[i]);
        if (status != LB_OK)
            return status;
        device->classes[i] = NULL;
    }
    const lb_status status =
        device->tensors ? lb_class_destroy(device->tensors) : LB_OK;
    if (status == LB_OK)
        device->tensors = NULL;
    return status;
}

static lbo_device *find_device(lbo_library *library, const char *name)
{
    for (size_t i = 0; i < library->device_count; i++)
        if (library->devices[i] != NULL &&
            strcmp(library->devices[i]->name, name) == 0)
            return library->devices[i];
    return NULL;
}

/* Puts a device in the first free place. Under the mutex. */
static lb_status keep_device(lbo_library *library, lbo_device *device)
{
    size_t at = 0;

    if (find_device(library, device->name) != NULL)
        return lbo_fail(LB_EXISTS, "device \"%s\" exists", device->name);
    while (at < library->device_count && library->devices[at] != NULL)
        at++;
    if (at == library->device_count) {
        if (!lboi_reserve(library, &library->devices, &library->device_capacity,
                          at + 1, sizeof(void *)))
            return LB_NO_MEMORY;
        library->device_count++;
    }
    device->index = (uint32_t)at;
    library->devices[at] = device;
    return LB_OK;
}

lb_status lbo_device_create(lbo_library *library, const char *name,
                            lb_class *cls, uint32_t flags, int preference,
                            const char *description, void *data,
                            lbo_device **result)
{
    if (library == NULL || name == NULL || cls == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_device_create: an argument is NULL");
    if (!lb_class_is_subclass(cls, library->devices_class))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "device \"%s\": class %s does not derive from device",
                        name, lb_class_name(cls));
    if (strlen(name) == 0 || strlen(name) > 100)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "a device's name has 1 to 100 characters");
    lbo_device *const device = lboi_zalloc(library, sizeof *device);
    if (device == NULL)
        return LB_NO_MEMORY;
    device->library = library;
    device->head = lb_class_header(cls);
    device->flags = flags;
    device->preference = preference;
    device->data = data;
    device->serial = lboi_opening(library);
    device->name = lboi_copy_text(library, name);
    device->description = description && device->name
                              ? lboi_copy_text(library, description)
                              : device->name;
    lb_status status = device->name == NULL || device->description == NULL
                           ? LB_NO_MEMORY
                           : make_classes(device);
    if (status == LB_OK) {
        pthread_mutex_lock(&library->mutex);
        status = keep_device(library, device);
        pthread_mutex_unlock(&library->mutex);
    }
    if (status != LB_OK) {
        (void)destroy_classes(device);
        free_device(device);
        return status;
    }
    *result = device;
    return LB_OK;
}

lb_status lbo_device_destroy(lbo_device *device)
{
    if (device == NULL)
        return LB_OK;
    lbo_library *const library = device->library;
    const int64_t live = __atomic_load_n(&device->live, __ATOMIC_ACQUIRE);
    if (live != 0)
        return lbo_fail(LB_BUSY, "device %s: %lld storages are alive",
                        device->name, (long long)live);
    const lb_status status = destroy_classes(device);
    if (status != LB_OK)
        return status;
    pthread_mutex_lock(&library->mutex);
    lboi_forget_kernels(library, device, NULL, 0);
    library->devices[device->index] = NULL;
    pthread_mutex_unlock(&library->mutex);
    free_device(device);
    return LB_OK;
}

/* The names of all devices, for messages. Under the mutex. */
static void list_devices(const lbo_library *library, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < library->device_count; i++)
        if (library->devices[i] != NULL && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s",
                                     used > 0 ? ", " : "",
                                     library->devices[i]->name);
}

lb_status lbo_device_find(lbo_library *library, const char *name,
                          lbo_device **result)
{
    char names[512];
    lbo_device *found = NULL;

    if (library == NULL || name == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_device_find: an argument is NULL");
    pthread_mutex_lock(&library->mutex);
    if (strcmp(name, "auto") != 0)
        found = find_device(library, name);
    else
        for (size_t i = 0; i < library->device_count; i++) {
            lbo_device *const device = library->devices[i];
            if (device != NULL &&
                (found == NULL || device->preference > found->preference))
                found = device;
        }
    list_devices(library, names, sizeof names);
    pthread_mutex_unlock(&library->mutex);
    if (found == NULL)
        return lbo_fail(LB_NOT_FOUND,
                        "no device \"%s\"; there are: %s (and auto)", name,
                        names);
    *result = found;
    return LB_OK;
}

size_t lbo_device_count(lbo_library *library)
{
    size_t count = 0;

    pthread_mutex_lock(&library->mutex);
    for (size_t i = 0; i < library->device_count; i++)
        count += library->devices[i] != NULL;
    pthread_mutex_unlock(&library->mutex);
    return count;
}

lbo_device *lbo_device_at(lbo_library *library, size_t index)
{
    lbo_device *found = NULL;

    pthread_mutex_lock(&library->mutex);
    for (size_t i = 0; i < library->device_count; i++)
        if (library->devices[i] != NULL && index-- == 0) {
            found = library->devices[i];
            break;
        }
    pthread_mutex_unlock(&library->mutex);
    return found;
}

lb_status lbo_synchronize(lbo_device *device)
{
    if (device == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_synchronize: device is NULL");
    lboi_gate *const gate = lboi_enter(device->library);
    const lb_status status = lb_in_lbo_on_synchronize(
        device->library->functions[LBOI_SYNCHRONIZE], device, NULL);
    lboi_leave(gate);
    return status;
}
