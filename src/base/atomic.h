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
#define lbi_count(at) ((void)__atomic_add_fetch((at), 1, __ATOMIC_RELAXED))

#endif
