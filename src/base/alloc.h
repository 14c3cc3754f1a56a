/* base/alloc.h - memory through the runtime's allocation hook, counted. */
#ifndef LBI_BASE_ALLOC_H
#define LBI_BASE_ALLOC_H

#include "latebind/runtime.h"

#include <stdbool.h>

#include <pthread.h>

typedef struct lbi_allocator {
    lb_reallocate_fn reallocate;
    void *context;
    pthread_mutex_t *mutex; /* around the hook; NULL: it needs none */
    size_t bytes;           /* held now; atomic */
} lbi_allocator;

void lbi_allocator_init(lbi_allocator *allocator, lb_reallocate_fn reallocate,
                        void *context);

/* NULL without memory. lbi_zalloc's memory is zero. */
void *lbi_alloc(lbi_allocator *allocator, size_t size);
void *lbi_zalloc(lbi_allocator *allocator, size_t size);
void lbi_free(lbi_allocator *allocator, void *pointer, size_t size);

/* Resizes; NULL leaves `pointer` as it was. */
void *lbi_resize(lbi_allocator *allocator, void *pointer, size_t old_size,
                 size_t new_size);

/* A copy of `text` (freed by lbi_free_text), or NULL without memory. */
char *lbi_copy_text(lbi_allocator *allocator, const char *text);
void lbi_free_text(lbi_allocator *allocator, char *text);

/* Makes room for `need` items of `item` bytes in a growing array whose
 * capacity is `*capacity`. False without memory: nothing has changed. */
bool lbi_reserve(lbi_allocator *allocator, void *array_address,
                 size_t *capacity, size_t need, size_t item);

#endif
