/* base/lock.h - the runtime's one mutex, which knows its holder.
 *
 * A hook that calls back into the runtime while it holds the lock gets an
 * error instead of a deadlock. A single-threaded runtime has the same check
 * without the mutex.
 */
#ifndef LBI_BASE_LOCK_H
#define LBI_BASE_LOCK_H

#include <stdbool.h>

#include <pthread.h>

typedef struct lbi_lock {
    pthread_mutex_t mutex;
    const void *holder; /* a thread's own address, atomic; NULL: free */
    bool threads;
} lbi_lock;

/* An address that is the calling thread's alone. */
const void *lbi_this_thread(void);

bool lbi_lock_init(lbi_lock *lock, bool threads);
void lbi_lock_free(lbi_lock *lock);

/* False when the calling thread holds the lock already. */
bool lbi_lock_take(lbi_lock *lock);
void lbi_lock_give(lbi_lock *lock);

#endif
