/* Numbers that look random and are the same on every machine (splitmix64). */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stdint.h>

typedef struct dice {
    uint64_t state;
} dice;

static inline uint64_t dice_next(dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* From 0 up to but not including `below`, which is at least 1. */
static inline int dice_roll(dice *d, int below)
{
    return (int)(dice_next(d) % (uint64_t)below);
}

/* 1 in `times` cases out of `of`. */
static inline int dice_chance(dice *d, int times, int of)
{
    return dice_roll(d, of) < times;
}

#endif
