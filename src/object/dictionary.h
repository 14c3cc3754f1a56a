/* object/dictionary.h - from symbols to words, for classes and instances.
 *
 * Kept in the order of setting. Writers hold the lock (or are the only
 * thread); readers need none: a place belongs for ever to the symbol that was
 * put there first (deleting marks it, setting again takes it back), and
 * growing publishes a copy and retires the original.
 */
#ifndef LBI_OBJECT_DICTIONARY_H
#define LBI_OBJECT_DICTIONARY_H

#include "core/reclaim.h"
#include "latebind/object.h"

/* The place of a symbol, or NULL. `probes` (NULL: not counted) counts the keys
 * compared. Any thread. */
const lbi_place *lbi_dictionary_find(const lb_attributes *dictionary,
                                     const lb_symbol *symbol, uint64_t *probes);

/* The first place. */
static inline lbi_place *lbi_places(const lb_attributes *dictionary)
{
    return (lbi_place *)((uintptr_t)dictionary + sizeof *dictionary);
}

static inline bool lbi_own_lives(const lbi_place *own)
{
    return ((uintptr_t)lbi_load(&own->symbol) & 1) == 0;
}

static inline lb_value lbi_own_value(const lbi_place *own)
{
    return (lb_value){.bits = lbi_load_word(&own->value)};
}

/* Room for `more` symbols. False without memory: nothing has changed. */
bool lbi_dictionary_reserve(lb_runtime *runtime, lb_attributes **at,
                            uint32_t more);
/* The same for one symbol, which may have a place already, perhaps that of an
 * attribute that was deleted. */
bool lbi_dictionary_admit(lb_runtime *runtime, lb_attributes **at,
                          const lb_symbol *symbol);
/* Sets; there must be room. Returns the place, where `*before` (what stood
 * there) is only set when `*had`. */
const lbi_place *lbi_dictionary_put(lb_attributes *dictionary,
                                    const lb_symbol *symbol, lb_value value,
                                    bool *had, lb_value *before);
void lbi_dictionary_delete(lb_attributes *dictionary, const lbi_place *own);

/* Gives a dictionary up: `last` as in lbi_retire; NULL: values are no matter. */
void lbi_dictionary_retire(lb_runtime *runtime, lb_attributes *dictionary,
                           void (*last)(lb_runtime *runtime, void *content));
size_t lbi_dictionary_bytes(const lb_attributes *dictionary);

/* A dictionary's block: the deferred call that releases its values has its
 * memory there, since giving up must not fail. */
typedef struct lbi_holder {
    lbi_later later;
    lb_attributes open;
} lbi_holder;

static inline lbi_holder *lbi_holder_of(lb_attributes *dictionary)
{
    return (lbi_holder *)(void *)((char *)dictionary -
                                  offsetof(lbi_holder, open));
}

/* Walks over the living places. */
#define LBI_EACH_OWN(o, dictionary)                                            \
    for (lbi_place *o = (dictionary) ? lbi_places(dictionary) : NULL,          \
                   *end_ = (dictionary) ? o + (dictionary)->count : NULL;      \
         o < end_; o++)                                                        \
        if (lbi_own_lives(o))

#endif
