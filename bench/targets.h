/* targets.h - the functions that the C peers call; defined in targets.c. */
#ifndef BENCH_TARGETS_H
#define BENCH_TARGETS_H

#include "repeat.h"

/* An object of the peers that are written in C. */
typedef struct target {
    const struct target_class *cls;
    int value;
    unsigned kind;
} target;

typedef int target_fn(const target *object);

/* target_000 … target_077: class n adds n. */
#define DECLARE_TARGET(n) target_fn target_##n;
REPEAT_64(DECLARE_TARGET, 0)

extern target_fn *const targets[64];

#endif
