/* base/hash.h - mixing words into hashes (after splitmix64's finalizer). */
#ifndef LBI_BASE_HASH_H
#define LBI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t lbi_hash_word(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t lbi_hash_more(uint64_t hash, uint64_t word)
{
    return lbi_hash_word(hash + UINT64_C(0x9e3779b97f4a7c15) + word);
}

static inline uint64_t lbi_hash_pointer(const void *pointer)
{
    return lbi_hash_word((uint64_t)(uintptr_t)pointer);
}

/* FNV-1a, for names. */
static inline uint64_t lbi_hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
