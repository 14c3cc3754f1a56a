/* base/lock.c - a pthread mutex with a holder. */
#include "base/lock.h"

#include "base/atomic.h"

const void *lbi_this_thread(void)
{
    static _Thread_local char own;
    return &own;
}

bool lbi_lock_init(lbi_lock *lock, bool threads)
{
    lock->holder = NULL;
    lock->threads = threads;
    return !threads || pthread_mutex_init(&lock->mutex, NULL) == 0;
}

void lbi_lock_free(lbi_lock *lock)
{
    if (lock->threads)
        pthread_mutex_destroy(&lock->mutex);
}

bool lbi_lock_take(lbi_lock *lock)
{
    if (lbi_peek(&lock->holder) == lbi_this_thread())
        return false;
    if (lock->threads)
        pthread_mutex_lock(&lock->mutex);
    lbi_poke(&lock->holder, lbi_this_thread());
    return true;
}

void lbi_lock_give(lbi_lock *lock)
{
    lbi_poke(&lock->holder, NULL);
    if (lock->threads)
        pthread_mutex_unlock(&lock->mutex);
}
