/* methods.c - the methods that Latebind's loads call. Those of the 64 names
 * have one type, so a name's methods serve any of them. */
#include "things.h"

LB_DEFINE_GENERIC(fat);
LB_DEFINE_GENERIC(stacked);
LB_DEFINE_GENERIC(meet);
LB_DEFINE_GENERIC(join);

#define DEFINE_NAME(k) LB_DEFINE_GENERIC(name_##k);
REPEAT_64(DEFINE_NAME, 0)
#define HEAD(k) LB_HEAD(name_##k),
lb_head *const name_heads[BENCH_NAMES_COUNT] = {REPEAT_64(HEAD, 0)};

/* One method per class, one per family and name, one per class by fat
 * reference. */
#define CLASS_METHOD(n)                                                        \
    LB_METHOD(name_000, class_##n);                                            \
    static int class_##n(lb_slot slot, const thing *object)                    \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        return object->value + n;                                              \
    }
REPEAT_2048(CLASS_METHOD, 0)
#define CLASS_DESCRIPTOR(n) LB_DESCRIPTOR(class_##n),
const lb_method *const class_methods[BENCH_CLASSES] = {
    REPEAT_2048(CLASS_DESCRIPTOR, 0)};

#define FAMILY_METHOD(n)                                                       \
    LB_METHOD(name_000, family_##n);                                           \
    static int family_##n(lb_slot slot, const thing *object)                   \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        return object->value + n;                                              \
    }
REPEAT_2048(FAMILY_METHOD, 0)
#define FAMILY_DESCRIPTOR(n) LB_DESCRIPTOR(family_##n),
const lb_method *const family_methods[BENCH_CLASSES] = {
    REPEAT_2048(FAMILY_DESCRIPTOR, 0)};

#define FAT_METHOD(n)                                                          \
    LB_METHOD(fat, fat_##n);                                                   \
    static int fat_##n(lb_slot slot, lb_ref object)                            \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        return ((const thing *)object.object)->value + n;                      \
    }
REPEAT_2048(FAT_METHOD, 0)
#define FAT_DESCRIPTOR(n) LB_DESCRIPTOR(fat_##n),
const lb_method *const fat_methods[BENCH_CLASSES] = {
    REPEAT_2048(FAT_DESCRIPTOR, 0)};

/* Class n adds n to what its family's method returns. */
#define STACKED_BASE(f)                                                        \
    LB_METHOD(stacked, stacked_base_##f);                                      \
    static int stacked_base_##f(lb_slot slot, const thing *object)             \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        return object->value + f;                                              \
    }
REPEAT_4(STACKED_BASE, 0)
#define STACKED_BASE_DESCRIPTOR(f) LB_DESCRIPTOR(stacked_base_##f),
const lb_method *const stacked_bases[4] = {
    REPEAT_4(STACKED_BASE_DESCRIPTOR, 0)};

#define STACKED(n)                                                             \
    LB_METHOD(stacked, stacked_##n);                                           \
    static int stacked_##n(lb_slot slot, const thing *object)                  \
    {                                                                          \
        LB_SELF(stacked, stacked_##n, slot, object);                           \
        return lb_next_stacked(self, object) + n;                              \
    }
REPEAT_64(STACKED, 0)
#define STACKED_DESCRIPTOR(n) LB_DESCRIPTOR(stacked_##n),
const lb_method *const stacked_methods[64] = {REPEAT_64(STACKED_DESCRIPTOR, 0)};

#define PAIR(n)                                                                \
    LB_METHOD(meet, pair_##n);                                                 \
    static int pair_##n(lb_slot slot, const thing *a, const thing *b)          \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        return a->value + b->value + n;                                        \
    }
REPEAT_1024(PAIR, 0)
#define PAIR_DESCRIPTOR(n) LB_DESCRIPTOR(pair_##n),
const lb_method *const pair_methods[1024] = {REPEAT_1024(PAIR_DESCRIPTOR, 0)};

#define TRIPLE(n)                                                              \
    LB_METHOD(join, triple_##n);                                               \
    static int triple_##n(lb_slot slot, const thing *a, const thing *b,        \
                          const thing *c)                                      \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        return a->value + b->value + c->value + n;                             \
    }
REPEAT_512(TRIPLE, 0)
#define TRIPLE_DESCRIPTOR(n) LB_DESCRIPTOR(triple_##n),
const lb_method *const triple_methods[512] = {REPEAT_512(TRIPLE_DESCRIPTOR, 0)};
