/* core/second.c - open addressing with linear probing, at most half full.
 *
 * Readers load the array (acquire), probe, load the record's entry (acquire).
 * A record is never changed but for its entry, and never leaves its array:
 * growing and sweeping make a new array and retire the old one.
 */
#include "core/second.h"

#include "base/hash.h"
#include "core/reclaim.h"

typedef struct lbi_records {
    size_t mask;
    size_t used;
    size_t bytes; /* of this array and its records */
    lbi_record *at[];
} lbi_records;

static uint64_t hash_key(const uint64_t *key, unsigned keys)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < keys; i++)
        hash = lbi_hash_more(hash, key[i]);
    return hash;
}

static size_t probe(const lbi_records *r, const uint64_t *key, unsigned keys)
{
    size_t at = hash_key(key, keys) & r->mask;
    for (;; at = (at + 1) & r->mask) {
        const lbi_record *record = lbi_load(&r->at[at]);
        if (record == NULL || memcmp(record->key, key, keys * sizeof *key) == 0)
            return at;
    }
}

lbi_record *lbi_second_find(const lbi_second *second, const uint64_t *key,
                            unsigned keys)
{
    const lbi_records *r = lbi_load(&second->records);
    return r ? lbi_load(&r->at[probe(r, key, keys)]) : NULL;
}

static lbi_records *make_records(lb_runtime *runtime, size_t room)
{
    lbi_records *r =
        lbi_block_alloc(runtime, sizeof *r + room * sizeof(lbi_record *));
    if (r) {
        r->mask = room - 1;
        r->bytes = sizeof *r + room * sizeof(lbi_record *);
    }
    return r;
}

static bool make_room(lbi_second *second, lb_runtime *runtime, unsigned keys)
{
    lbi_records *old = second->records;
    if (old && old->used * 2 < old->mask)
        return true;
    lbi_records *grown = make_records(runtime, old ? (old->mask + 1) * 2 : 8);
    if (grown == NULL)
        return false;
    if (old) {
        for (size_t i = 0; i <= old->mask; i++)
            if (old->at[i])
                grown->at[probe(grown, old->at[i]->key, keys)] = old->at[i];
        grown->used = old->used;
        grown->bytes +=
            old->bytes - sizeof *old - (old->mask + 1) * sizeof(lbi_record *);
    }
    lbi_store(&second->records, grown);
    lbi_retire(runtime, old, NULL);
    return true;
}

lbi_record *lbi_second_make(lbi_second *second, lb_runtime *runtime,
                            const uint64_t *key, unsigned keys)
{
    lbi_record *record = lbi_second_find(second, key, keys);
    if (record)
        return record;
    const size_t size = sizeof *record + keys * sizeof *key;
    if (!make_room(second, runtime, keys) ||
        (record = lbi_block_alloc(runtime, size)) == NULL)
        return NULL;
    memcpy(record->key, key, keys * sizeof *key);
    lbi_records *r = second->records;
    lbi_store(&r->at[probe(r, key, keys)], record);
    r->used++;
    r->bytes += size;
    return record;
}

void lbi_second_set(lbi_second *second, lbi_record *record,
                    const lb_entry *entry)
{
    second->live += (entry != NULL);
    second->live -= (lbi_peek(&record->entry) != NULL);
    lbi_store(&record->entry, entry);
}

size_t lbi_second_room(const lbi_second *second)
{
    return second->records ? second->records->mask + 1 : 0;
}

lbi_record *lbi_second_at(const lbi_second *second, size_t at)
{
    return second->records->at[at];
}

void lbi_second_sweep(lbi_second *second, lb_runtime *runtime, unsigned keys,
                      bool (*gone)(lb_runtime *, const lbi_record *,
                                   unsigned keys))
{
    lbi_records *old = second->records;
    size_t left = 0, leaving = 0;
    for (size_t i = 0; i < lbi_second_room(second); i++)
        if (old->at[i])
            (*(gone(runtime, old->at[i], keys) ? &leaving : &left))++;
    if (leaving == 0)
        return;
    size_t room = 8;
    while (room < left * 2 + 2)
        room *= 2;
    lbi_records *fresh = left ? make_records(runtime, room) : NULL;
    /* Without memory the rest is forgotten, too: it is only a cache. */
    second->live = 0;
    for (size_t i = 0; i <= old->mask; i++) {
        lbi_record *record = old->at[i];
        if (record == NULL || fresh == NULL || gone(runtime, record, keys))
            continue;
        fresh->at[probe(fresh, record->key, keys)] = record;
        fresh->used++;
        fresh->bytes += sizeof *record + keys * sizeof(uint64_t);
        second->live += lbi_peek(&record->entry) != NULL;
    }
    lbi_store(&second->records, fresh);
    /* Only now can no reader that enters find them any more. */
    for (size_t i = 0; i <= old->mask; i++) {
        lbi_record *record = old->at[i];
        if (record && (fresh == NULL || gone(runtime, record, keys))) {
            lbi_store(&record->entry, NULL);
            lbi_retire(runtime, record, NULL);
        }
    }
    lbi_retire(runtime, old, NULL);
}

static bool every(lb_runtime *runtime, const lbi_record *record, unsigned keys)
{
    (void)runtime;
    (void)record;
    (void)keys;
    return true;
}

void lbi_second_end(lbi_second *second, lb_runtime *runtime)
{
    lbi_records *r = second->records;
    lbi_second_sweep(second, runtime, 1, every);
    if (r && second->records == r) {
        lbi_store(&second->records, NULL);
        lbi_retire(runtime, r, NULL);
    }
}

size_t lbi_second_bytes(const lbi_second *second)
{
    return second->records ? second->records->bytes : 0;
}
