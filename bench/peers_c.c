/* peers_c.c - a switch, a chain of comparisons, and a look-up by hash in a
 * table of (class, name), as interpreters' method caches are. */
#include "peers.h"
#include "targets.h"

static void *make(void *at, unsigned cls, int value)
{
    target *const object = at;
    object->value = value;
    object->kind = cls;
    return object;
}

#define CASE(n)                                                                \
    case n:                                                                    \
        return target_##n(object);

static inline int by_switch_4(const target *object)
{
    switch (object->kind) {
        REPEAT_4(CASE, 00)
    }
    return 0;
}

static inline int by_switch_64(const target *object)
{
    switch (object->kind) {
        REPEAT_64(CASE, 0)
    }
    return 0;
}

/* Compares with an address, as a chain of type tests does: the compiler cannot
 * make a switch of it. */
static const char kinds[64];

#define TEST(n)                                                                \
    if (object->cls == (const void *)&kinds[n])                                \
        return target_##n(object);

static inline int by_chain_4(const target *object)
{
    REPEAT_4(TEST, 00)
    return 0;
}

static inline int by_chain_64(const target *object)
{
    REPEAT_64(TEST, 0)
    return 0;
}

static void *make_chained(void *at, unsigned cls, int value)
{
    target *const object = make(at, cls, value);
    object->cls = (const void *)&kinds[cls];
    return object;
}

/* Open addressing, at most a quarter full. */
struct method_key {
    const void *cls, *name;
    target_fn *fn;
};

enum { METHOD_SLOTS = 256 };
static struct method_key methods[METHOD_SLOTS];
static struct target_class {
    char name[48];
} classes[64];
static const char name_value[] = "value";

static inline size_t slot_of(const void *cls, const void *name)
{
    return (((uintptr_t)cls >> 4) ^ ((uintptr_t)name >> 3)) % METHOD_SLOTS;
}

static int call_missing(const target *object)
{
    return object->value;
}

static inline int by_hash(const target *object, const void *name)
{
    const void *const cls = object->cls;
    size_t slot = slot_of(cls, name);
    while (methods[slot].cls != cls || methods[slot].name != name) {
        if (methods[slot].cls == NULL)
            return call_missing(object);
        slot = (slot + 1) % METHOD_SLOTS;
    }
    return methods[slot].fn(object);
}

static void *make_hashed(void *at, unsigned cls, int value)
{
    target *const object = make(at, cls, value);
    size_t slot = slot_of(&classes[cls], name_value);
    object->cls = &classes[cls];
    while (methods[slot].cls != NULL && methods[slot].cls != object->cls)
        slot = (slot + 1) % METHOD_SLOTS;
    methods[slot] = (struct method_key){object->cls, name_value, targets[cls]};
    return object;
}

BENCH_LOOPS(switch_4, target *const, by_switch_4(item));
BENCH_LOOPS(switch_64, target *const, by_switch_64(item));
BENCH_LOOPS(chain_4, target *const, by_chain_4(item));
BENCH_LOOPS(chain_64, target *const, by_chain_64(item));
BENCH_LOOPS(hash, target *const, by_hash(item, name_value));

const bench_peer bench_switch_4 = {"switch", sizeof(target), 4, make,
                                   switch_4_loops};
const bench_peer bench_switch_64 = {"switch", sizeof(target), 64, make,
                                    switch_64_loops};
const bench_peer bench_chain_4 = {"if-else chain", sizeof(target), 4,
                                  make_chained, chain_4_loops};
const bench_peer bench_chain_64 = {"if-else chain", sizeof(target), 64,
                                   make_chained, chain_64_loops};
const bench_peer bench_hash = {"hash look-up of (class, name)", sizeof(target),
                               0, make_hashed, hash_loops};
