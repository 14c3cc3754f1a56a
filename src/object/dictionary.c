/* object/dictionary.c - an ordered array of places; above eight places a hash
 * index behind them, open addressing, at most half full.
 */
#include "object/dictionary.h"

enum { SMALL = 8, FIRST_CAPACITY = 2 };

static uint32_t *index_of(const lb_attributes *d)
{
    return (uint32_t *)(lbi_places(d) + d->capacity);
}

static const lb_symbol *key_of(const lbi_place *own)
{
    return (const lb_symbol *)((uintptr_t)lbi_load(&own->symbol) &
                               ~(uintptr_t)1);
}

/* The place of a symbol, living or deleted. */
static lbi_place *place_of(const lb_attributes *d, const lb_symbol *symbol,
                           uint64_t *probes)
{
    uint64_t ignored = 0;
    probes = probes ? probes : &ignored;
    lbi_place *own = lbi_places(d);
    if (d->index_mask == 0) {
        const uint32_t count = lbi_load(&d->count);
        for (uint32_t i = 0; i < count; i++) {
            ++*probes;
            if (key_of(&own[i]) == symbol)
                return &own[i];
        }
        return NULL;
    }
    const uint32_t *index = index_of(d);
    for (uint32_t at = symbol->hash & d->index_mask;;
         at = (at + 1) & d->index_mask) {
        const uint32_t place = lbi_load(&index[at]);
        if (place == 0)
            return NULL;
        ++*probes;
        if (key_of(&own[place - 1]) == symbol)
            return &own[place - 1];
    }
}

const lbi_place *lbi_dictionary_find(const lb_attributes *d,
                                     const lb_symbol *symbol, uint64_t *probes)
{
    const lbi_place *own = d ? place_of(d, symbol, probes) : NULL;
    return own && lbi_own_lives(own) ? own : NULL;
}

/* ---- growing ------------------------------------------------------------ */

static uint32_t index_size(uint32_t capacity)
{
    uint32_t size = 0;
    if (capacity > SMALL)
        for (size = 2 * SMALL; size < 2 * capacity;)
            size *= 2;
    return size;
}

static size_t holder_size(uint32_t capacity)
{
    return sizeof(lbi_holder) + capacity * sizeof(lbi_place) +
           index_size(capacity) * sizeof(uint32_t);
}

static lb_attributes *make(lb_runtime *runtime, uint32_t capacity)
{
    lbi_holder *holder = lbi_block_alloc(runtime, holder_size(capacity));
    if (holder == NULL)
        return NULL;
    const uint32_t places = index_size(capacity);
    holder->open.capacity = capacity;
    holder->open.index_mask = places ? places - 1 : 0;
    return &holder->open;
}

/* The writes that make a place visible, in the order that readers rely on. */
static lbi_place *append(lb_attributes *d, const lb_symbol *symbol,
                         lb_value value)
{
    const uint32_t place = d->count;
    lbi_places(d)[place] = (lbi_place){symbol, value};
    if (d->index_mask) {
        uint32_t *index = index_of(d);
        uint32_t at = symbol->hash & d->index_mask;
        while (index[at] != 0)
            at = (at + 1) & d->index_mask;
        lbi_store(&index[at], place + 1);
    }
    d->live++;
    lbi_store(&d->count, place + 1);
    return &lbi_places(d)[place];
}

bool lbi_dictionary_reserve(lb_runtime *runtime, lb_attributes **at,
                            uint32_t more)
{
    lb_attributes *old = *at;
    if (old && old->capacity - old->count >= more)
        return true;
    uint32_t capacity = FIRST_CAPACITY;
    const uint32_t need = (old ? old->live : 0) + more;
    /* Where deleted ones fill it: not to be full again at once. */
    const uint32_t spare = old && old->count > old->live ? need / 4 : 0;
    while (capacity < need + spare)
        capacity *= 2;
    lb_attributes *grown = make(runtime, capacity);
    if (grown == NULL)
        return false;
    LBI_EACH_OWN (own, old)
        append(grown, own->symbol, own->value);
    lbi_store(at, grown);
    lbi_dictionary_retire(runtime, old, NULL);
    return true;
}

bool lbi_dictionary_admit(lb_runtime *runtime, lb_attributes **at,
                          const lb_symbol *symbol)
{
    return (*at && place_of(*at, symbol, NULL)) ||
           lbi_dictionary_reserve(runtime, at, 1);
}

/* ---- changing ----------------------------------------------------------- */

const lbi_place *lbi_dictionary_put(lb_attributes *d, const lb_symbol *symbol,
                                    lb_value value, bool *had, lb_value *before)
{
    lbi_place *own = place_of(d, symbol, NULL);
    *had = own && lbi_own_lives(own);
    if (own == NULL)
        return append(d, symbol, value);
    *before = own->value;
    lbi_store(&own->value.bits, value.bits);
    if (!*had) {
        d->live++;
        lbi_store(&own->symbol, symbol);
    }
    return own;
}

void lbi_dictionary_delete(lb_attributes *d, const lbi_place *own)
{
    lbi_place *place = (lbi_place *)(uintptr_t)own;
    d->live--;
    lbi_store(&place->symbol,
              (const lb_symbol *)((uintptr_t)place->symbol | 1));
}

void lbi_dictionary_retire(lb_runtime *runtime, lb_attributes *d,
                           void (*last)(lb_runtime *runtime, void *content))
{
    if (d)
        lbi_retire(runtime, lbi_holder_of(d), last);
}

size_t lbi_dictionary_bytes(const lb_attributes *d)
{
    return d ? sizeof(lbi_block) + holder_size(d->capacity) : 0;
}
