/* core/second.h - the second level: keys that have no slot of their own.
 *
 * A hash table from whole headers (so that classes without an id have a place,
 * too) to entries. Looked up without a lock, by the slow path only.
 */
#ifndef LBI_CORE_SECOND_H
#define LBI_CORE_SECOND_H

#include "core/runtime.h"

/* What is known of one key. Never moves; its key never changes. */
typedef struct lbi_record {
    const lb_entry *entry; /* atomic; NULL: not known (any more) */
    void *plan;            /* the resolver's, under the lock */
    uint32_t hot;          /* it answered since the last fit; atomic */
    uint64_t key[];        /* headers as words */
} lbi_record;

typedef struct lbi_second {
    struct lbi_records *records; /* atomic; NULL: none yet */
    size_t live;                 /* records with an entry */
} lbi_second;

/* The record of a key, or NULL. Any thread. */
lbi_record *lbi_second_find(const lbi_second *second, const uint64_t *key,
                            unsigned keys);
/* The record of a key, made if need be; NULL without memory. Locked. */
lbi_record *lbi_second_make(lbi_second *second, lb_runtime *runtime,
                            const uint64_t *key, unsigned keys);
void lbi_second_set(lbi_second *second, lbi_record *record,
                    const lb_entry *entry);

/* The number of places, and the record in one of them or NULL. Locked. */
size_t lbi_second_room(const lbi_second *second);
lbi_record *lbi_second_at(const lbi_second *second, size_t at);

/* Forgets the records for which `gone` says so. Locked. */
void lbi_second_sweep(lbi_second *second, lb_runtime *runtime, unsigned keys,
                      bool (*gone)(lb_runtime *, const lbi_record *,
                                   unsigned keys));
void lbi_second_end(lbi_second *second, lb_runtime *runtime);
size_t lbi_second_bytes(const lbi_second *second);

#endif
