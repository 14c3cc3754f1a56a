/* base/alloc.c - the one place that calls the allocation hook.
 *
 * Every block's size is known to whoever frees it, so that a hook may be an
 * arena or a pool without headers of its own. Any thread: calls of a hook never
 * overlap; libc's functions need no such care.
 */
#include "base/alloc.h"

#include <stdlib.h>

static void *libc_reallocate(void *context, void *pointer, size_t old_size,
                             size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(pointer);
        return NULL;
    }
    return realloc(pointer, new_size);
}

void lbi_allocator_init(lbi_allocator *allocator, lb_reallocate_fn reallocate,
                        void *context)
{
    allocator->reallocate = reallocate ? reallocate : libc_reallocate;
    allocator->context = context;
    allocator->mutex = NULL;
    allocator->bytes = 0;
}

void *lbi_resize(lbi_allocator *allocator, void *pointer, size_t old_size,
                 size_t new_size)
{
    if (allocator->mutex)
        pthread_mutex_lock(allocator->mutex);
    void *result =
        allocator->reallocate(allocator->context, pointer, old_size, new_size);
    if (allocator->mutex)
        pthread_mutex_unlock(allocator->mutex);
    if (result == NULL && new_size != 0)
        return NULL;
    __atomic_add_fetch(&allocator->bytes, new_size - old_size,
                       __ATOMIC_RELAXED);
    return result;
}

void *lbi_alloc(lbi_allocator *allocator, size_t size)
{
    return lbi_resize(allocator, NULL, 0, size);
}

void *lbi_zalloc(lbi_allocator *allocator, size_t size)
{
    void *result = lbi_alloc(allocator, size);
    if (result)
        memset(result, 0, size);
    return result;
}

void lbi_free(lbi_allocator *allocator, void *pointer, size_t size)
{
    if (pointer)
        lbi_resize(allocator, pointer, size, 0);
}

char *lbi_copy_text(lbi_allocator *allocator, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = lbi_alloc(allocator, size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void lbi_free_text(lbi_allocator *allocator, char *text)
{
    if (text)
        lbi_free(allocator, text, strlen(text) + 1);
}

bool lbi_reserve(lbi_allocator *allocator, void *array_address,
                 size_t *capacity, size_t need, size_t item)
{
    void **const array = array_address;
    if (need <= *capacity)
        return true;
    size_t wanted = *capacity ? *capacity : 4;
    while (wanted < need)
        wanted *= 2;
    void *grown =
        lbi_resize(allocator, *array, *capacity * item, wanted * item);
    if (grown == NULL)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}
