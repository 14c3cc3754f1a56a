/* bridge_map.c - a table from addresses to addresses.
 *
 * Open addressing, linear probing, at most half full; taking a key out moves
 * those after it back, so that there are no marks of dead keys.
 */
#include "bridge.h"

static size_t place(const lbpy_map *map, const void *key)
{
    const uint64_t mixed =
        (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(mixed >> 32) & (map->room - 1);
}

/* Where the key is, or the empty place where it would be. */
static size_t look(const lbpy_map *map, const void *key)
{
    size_t at = place(map, key);
    while (map->at[at].key && map->at[at].key != key)
        at = (at + 1) & (map->room - 1);
    return at;
}

void *lbpy_map_get(const lbpy_map *map, const void *key)
{
    return map->room ? map->at[look(map, key)].value : NULL;
}

static int grow(lbpy_map *map)
{
    const lbpy_map old = *map;
    const size_t room = old.room ? old.room * 2 : 16;
    struct lbpy_pair *at = PyMem_Calloc(room, sizeof *at);
    if (at == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    map->at = at;
    map->room = room;
    for (size_t i = 0; i < old.room; i++)
        if (old.at[i].key)
            map->at[look(map, old.at[i].key)] = old.at[i];
    PyMem_Free(old.at);
    return 0;
}

int lbpy_map_put(lbpy_map *map, const void *key, void *value)
{
    if ((map->count + 1) * 2 > map->room && grow(map) < 0)
        return -1;
    struct lbpy_pair *pair = &map->at[look(map, key)];
    map->count += pair->key == NULL;
    pair->key = key;
    pair->value = value;
    return 0;
}

/* Could a key whose first place is `home` lie at `to`, before `from`? */
static bool may_move(const lbpy_map *map, size_t home, size_t to, size_t from)
{
    const size_t mask = map->room - 1;
    return ((from - home) & mask) >= ((from - to) & mask);
}

void lbpy_map_take(lbpy_map *map, const void *key)
{
    if (map->room == 0)
        return;
    size_t hole = look(map, key);
    if (map->at[hole].key == NULL)
        return;
    map->count--;
    for (size_t at = (hole + 1) & (map->room - 1); map->at[at].key;
         at = (at + 1) & (map->room - 1))
        if (may_move(map, place(map, map->at[at].key), hole, at)) {
            map->at[hole] = map->at[at];
            hole = at;
        }
    map->at[hole] = (struct lbpy_pair){NULL, NULL};
}

void lbpy_map_end(lbpy_map *map)
{
    PyMem_Free(map->at);
    *map = (lbpy_map){NULL, 0, 0};
}
