/* numbering.h - keys of any size, numbered from 0 in the order in which they
 * come. */
#ifndef CLI_NUMBERING_H
#define CLI_NUMBERING_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed, it is empty. */
typedef struct numbering {
    uint64_t *keys;    /* 0: free; else the key plus 1 */
    uint32_t *numbers; /* of the keys in the same places */
    size_t capacity;   /* a power of 2, or 0 */
    size_t count;
} numbering;

#define NUMBERING_NONE UINT32_MAX

/* The number of `key` (below UINT64_MAX), or NUMBERING_NONE. */
uint32_t numbering_find(const numbering *n, uint64_t key);

/* The same, giving it the next number when it has none. NUMBERING_NONE when
 * out of memory or numbers. */
uint32_t numbering_add(numbering *n, uint64_t key);

void numbering_free(numbering *n);

#endif
