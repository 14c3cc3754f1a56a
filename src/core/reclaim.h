/* core/reclaim.h - memory that a running call may still read. */
#ifndef LBI_CORE_RECLAIM_H
#define LBI_CORE_RECLAIM_H

#include "core/runtime.h"

/* Stands before every block that can be retired. */
struct lbi_block {
    lbi_block *next;
    size_t size; /* of the whole block */
    uint64_t epoch;
    /* Called under the lock instead of freeing; NULL: just free. */
    void (*last)(lb_runtime *runtime, void *content);
};

/* A zeroed block's content, or NULL without memory. */
void *lbi_block_alloc(lb_runtime *runtime, size_t size);
/* Frees a block that no call can have seen (or whose time has come). */
void lbi_block_free(lb_runtime *runtime, void *content);
/* Frees a block, and before that, once the lock is free, calls
 * `release(context)` (NULL: nothing to call). Never fails. */
void lbi_block_release(lb_runtime *runtime, void *content,
                       void (*release)(void *context), void *context);
/* Gives up a block that calls in flight may still read. Never fails. */
void lbi_retire(lb_runtime *runtime, void *content,
                void (*last)(lb_runtime *runtime, void *content));
/* Frees what no call can read any more. Under the lock. */
void lbi_reclaim(lb_runtime *runtime);
/* True when retired memory comes back by itself, so that it is worth looking
 * for more of it after a change. */
bool lbi_reclaims_by_itself(const lb_runtime *runtime);
/* True when the calling thread is between lb_enter and lb_leave. */
bool lbi_thread_reads(const lb_runtime *runtime);
void lbi_readers_end(lb_runtime *runtime);

#endif
