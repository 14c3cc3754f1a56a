/* base/atomic.h - the memory orders used, by name.
 *
 * The fields that callers' inlined code shares with the library must be plain
 * for C++, so both sides use the compilers' builtins rather than _Atomic.
 */
#ifndef LBI_BASE_ATOMIC_H
#define LBI_BASE_ATOMIC_H

#define lbi_load(at) __atomic_load_n((at), __ATOMIC_ACQUIRE)
#define lbi_store(at, value) __atomic_store_n((at), (value), __ATOMIC_RELEASE)
#define lbi_peek(at) __atomic_load_n((at), __ATOMIC_RELAXED)
#define lbi_poke(at, value) __atomic_store_n((at), (value), __ATOMIC_RELAXED)
/* Counts an event. Threads that count at the same time may lose one: a locked
 * addition would cost more than what is counted. */
#define lbi_count(at) lbi_poke((at), lbi_peek(at) + 1)

#endif
