/* base/map.c - chained hashing with intrusive links; doubles at load 1. */
#include "base/map.h"

bool lbi_map_reserve(lbi_map *map, lbi_allocator *allocator, size_t more)
{
    size_t wanted = map->bucket_count ? map->bucket_count : 8;
    while (wanted < map->count + more)
        wanted *= 2;
    if (wanted == map->bucket_count)
        return true;
    lbi_link **buckets = lbi_zalloc(allocator, wanted * sizeof *buckets);
    if (buckets == NULL)
        return map->bucket_count != 0;
    for (size_t i = 0; i < map->bucket_count; i++) {
        lbi_link *next;
        for (lbi_link *item = map->buckets[i]; item; item = next) {
            next = item->next;
            item->next = buckets[item->hash & (wanted - 1)];
            buckets[item->hash & (wanted - 1)] = item;
        }
    }
    lbi_free(allocator, map->buckets, map->bucket_count * sizeof *buckets);
    map->buckets = buckets;
    map->bucket_count = wanted;
    return true;
}

void lbi_map_add(lbi_map *map, lbi_link *item, uint64_t hash)
{
    lbi_link **bucket = &map->buckets[hash & (map->bucket_count - 1)];
    item->hash = hash;
    item->next = *bucket;
    *bucket = item;
    map->count++;
}

void lbi_map_remove(lbi_map *map, lbi_link *item)
{
    lbi_link **at = &map->buckets[item->hash & (map->bucket_count - 1)];
    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    map->count--;
}

void lbi_map_free(lbi_map *map, lbi_allocator *allocator)
{
    lbi_free(allocator, map->buckets, map->bucket_count * sizeof *map->buckets);
    *map = (lbi_map){0};
}
