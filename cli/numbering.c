/* A hash table with open addressing and linear probing, at most half full. */
#include "numbering.h"

#include <stdlib.h>

static size_t first_place(const numbering *n, uint64_t key)
{
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(key ^ key >> 32) & (n->capacity - 1);
}

/* Where the key stands, or where it would. */
static size_t find_place(const numbering *n, uint64_t key)
{
    size_t at = first_place(n, key);
    while (n->keys[at] != 0 && n->keys[at] != key + 1)
        at = (at + 1) & (n->capacity - 1);
    return at;
}

uint32_t numbering_find(const numbering *n, uint64_t key)
{
    if (n->capacity == 0)
        return NUMBERING_NONE;
    const size_t at = find_place(n, key);
    return n->keys[at] ? n->numbers[at] : NUMBERING_NONE;
}

static void put(numbering *n, uint64_t key, uint32_t number)
{
    const size_t at = find_place(n, key);
    n->keys[at] = key + 1;
    n->numbers[at] = number;
}

static int grow(numbering *n)
{
    numbering larger = {.capacity = n->capacity ? 2 * n->capacity : 64,
                        .count = n->count};
    larger.keys = calloc(larger.capacity, sizeof *larger.keys);
    larger.numbers = calloc(larger.capacity, sizeof *larger.numbers);
    if (larger.keys == NULL || larger.numbers == NULL) {
        numbering_free(&larger);
        return -1;
    }
    for (size_t i = 0; i < n->capacity; i++)
        if (n->keys[i])
            put(&larger, n->keys[i] - 1, n->numbers[i]);
    numbering_free(n);
    *n = larger;
    return 0;
}

uint32_t numbering_add(numbering *n, uint64_t key)
{
    const uint32_t known = numbering_find(n, key);
    if (known != NUMBERING_NONE)
        return known;
    if (n->count == NUMBERING_NONE || (2 * n->count >= n->capacity && grow(n)))
        return NUMBERING_NONE;
    put(n, key, (uint32_t)n->count);
    return (uint32_t)n->count++;
}

void numbering_free(numbering *n)
{
    free(n->keys);
    free(n->numbers);
    *n = (numbering){0};
}
