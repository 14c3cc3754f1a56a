/* memory.c - memory of a device, used again.
 *
 * 1. a size is rounded up to an eighth of the power of two below it, at least
 *    256 bytes: that is its class
 * 2. what is given back waits in its class's list for the next one that asks;
 *    commands run in order, so those that still use it come first
 * 3. when the API has no memory left everything that waits goes back to it, and
 *    it is asked once more
 */
#include "gpu.h"

struct gpu_block {
    gpu_block *next;
    void *memory;
};

enum { LEAST = 256 };

/* The class of a size, and the size that all of the class have. 0 bytes come
 * out where the size overflows. */
static uint32_t class_of(size_t bytes, size_t *rounded)
{
    const size_t size = bytes < LEAST ? LEAST : bytes;
    const uint32_t power = 63u - (uint32_t)__builtin_clzll(size);
    const size_t eighth = (size_t)1 << (power - 3);
    const size_t eighths = (size + eighth - 1) / eighth; /* 8 to 16 */

    if (size > SIZE_MAX / 2)
        *rounded = 0;
    else
        *rounded = eighths * eighth;
    return (power * 8 + (uint32_t)eighths - 8) % GPU_BLOCK_LISTS;
}

void gpu_trim(gpu_device *device)
{
    for (uint32_t i = 0; i < GPU_BLOCK_LISTS; i++)
        while (device->blocks[i] != NULL) {
            gpu_block *const block = device->blocks[i];
            device->blocks[i] = block->next;
            device->driver->free(device, block->memory);
            lbo_deallocate(device->library, block, sizeof *block);
        }
}

static lb_status new_memory(gpu_device *device, size_t bytes, void **memory)
{
    lb_status status = device->driver->allocate(device, bytes, memory);

    if (status == LB_NO_MEMORY) {
        (void)device->driver->synchronize(device, NULL);
        gpu_trim(device);
        status = device->driver->allocate(device, bytes, memory);
    }
    return status;
}

lb_status gpu_allocate(gpu_device *device, size_t bytes, void **memory)
{
    size_t rounded;
    gpu_block **const list = &device->blocks[class_of(bytes, &rounded)];
    lb_status status = LB_OK;

    if (rounded == 0)
        return lbo_fail(LB_NO_MEMORY, "device %s: no memory for %zu bytes",
                        device->device->name, bytes);
    pthread_mutex_lock(&device->mutex);
    gpu_block *const block = *list;
    if (block != NULL) {
        *list = block->next;
        *memory = block->memory;
    } else
        status = new_memory(device, rounded, memory);
    pthread_mutex_unlock(&device->mutex);
    lbo_deallocate(device->library, block, sizeof *block);
    return status;
}

void gpu_free(gpu_device *device, void *memory, size_t bytes)
{
    size_t rounded;
    gpu_block **const list = &device->blocks[class_of(bytes, &rounded)];
    gpu_block *const block = lbo_allocate(device->library, sizeof *block);

    pthread_mutex_lock(&device->mutex);
    if (block == NULL)
        device->driver->free(device, memory);
    else {
        *block = (gpu_block){*list, memory};
        *list = block;
    }
    pthread_mutex_unlock(&device->mutex);
}
