/* storage.c - memory of a device. Small memory of the host lies in the same
 * allocation as the storage that counts it: half the cost of a small result. */
#include "tensor/storage.h"

enum { SMALL = 2048, ALIGN = 64 };

/* A small storage's memory: behind it, aligned for vectors of 16 bytes (what
 * malloc aligns to; the struct's size is a multiple of that). */
_Static_assert(sizeof(lbo_storage) % 16 == 0, "data follows aligned");

static void begin(lbo_storage *storage, lbo_device *device, void *memory,
                  size_t bytes)
{
    *storage = (lbo_storage){
        .references = 1, .device = device, .memory = memory, .bytes = bytes};
    __atomic_add_fetch(&device->live, 1, __ATOMIC_RELAXED);
}

lb_status lboi_storage_create(lbo_device *device, size_t bytes,
                              lbo_storage **result)
{
    lbo_library *const library = device->library;
    const bool inside = bytes <= SMALL && device->flags & LBO_HOST;
    lbo_storage *const storage =
        lboi_alloc(library, sizeof *storage + (inside ? bytes : 0));

    if (storage == NULL)
        return LB_NO_MEMORY;
    if (inside) {
        begin(storage, device, storage + 1, bytes);
        storage->inside = 1;
        *result = storage;
        return LB_OK;
    }
    void *memory = NULL;
    lboi_gate *const gate = lboi_enter(library);
    const lb_status status = lb_in_lbo_on_allocate(
        library->functions[LBOI_ALLOCATE], device, bytes, &memory);
    lboi_leave(gate);
    if (status != LB_OK) {
        lboi_free(library, storage, sizeof *storage);
        return status;
    }
    begin(storage, device, memory, bytes);
    *result = storage;
    return LB_OK;
}

lb_status lboi_storage_wrap(lbo_device *device, void *memory, size_t bytes,
                            uint32_t flags, void (*release)(void *owner),
                            void *owner, lbo_storage **result)
{
    lbo_storage *const storage = lboi_alloc(device->library, sizeof *storage);

    if (storage == NULL)
        return LB_NO_MEMORY;
    begin(storage, device, memory, bytes);
    storage->flags = flags;
    storage->inside = 2; /* not the device's to free */
    storage->release = release;
    storage->owner = owner;
    *result = storage;
    return LB_OK;
}

void lboi_storage_release(lbo_storage *storage)
{
    if (__atomic_sub_fetch(&storage->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    lbo_device *const device = storage->device;
    lbo_library *const library = device->library;
    const size_t tail = storage->inside == 1 ? storage->bytes : 0;

    if (storage->inside == 0) {
        lboi_gate *const gate = lboi_enter(library);
        lb_in_lbo_on_free(library->functions[LBOI_FREE], device,
                          storage->memory, storage->bytes);
        lboi_leave(gate);
    } else if (storage->release != NULL)
        storage->release(storage->owner);
    lboi_free(library, storage, sizeof *storage + tail);
    __atomic_sub_fetch(&device->live, 1, __ATOMIC_RELEASE);
}
