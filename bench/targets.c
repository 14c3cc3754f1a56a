/* targets.c - what the C peers call: opaque to them. */
#include "targets.h"

#define DEFINE(n)                                                              \
    int target_##n(const target *object)                                       \
    {                                                                          \
        return object->value + n;                                              \
    }
REPEAT_64(DEFINE, 0)

#define NAME(n) target_##n,
target_fn *const targets[64] = {REPEAT_64(NAME, 0)};
