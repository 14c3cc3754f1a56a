/* base/map.h - an intrusive hash table: the items carry the links.
 *
 * Looking up, adding to and removing from a map never fails once it has room
 * (lbi_map_reserve), so that a change can be prepared first and then carried
 * out without a failure half-way. Not thread-safe.
 */
#ifndef LBI_BASE_MAP_H
#define LBI_BASE_MAP_H

#include "base/alloc.h"

/* The first member of every item. */
typedef struct lbi_link {
    struct lbi_link *next;
    uint64_t hash;
} lbi_link;

typedef struct lbi_map {
    lbi_link **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
} lbi_map;

/* Room for `more` further items. False without memory, which matters only
 * while the map has no buckets at all: chains may grow long. */
bool lbi_map_reserve(lbi_map *map, lbi_allocator *allocator, size_t more);
void lbi_map_add(lbi_map *map, lbi_link *item, uint64_t hash);
void lbi_map_remove(lbi_map *map, lbi_link *item);
void lbi_map_free(lbi_map *map, lbi_allocator *allocator);

/* The chain of the items whose hash may be `hash`: walk ->next, compare. */
static inline lbi_link *lbi_map_chain(const lbi_map *map, uint64_t hash)
{
    if (map->bucket_count == 0)
        return NULL;
    return map->buckets[hash & (map->bucket_count - 1)];
}

#endif
