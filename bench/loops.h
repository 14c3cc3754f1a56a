/* loops.h - one measured loop at eight places in the code.
 *
 * Where a loop lies decides how it is fetched and predicted, by more than the
 * differences that are measured here. So each loop is instantiated eight
 * times, 0, 8, … 56 bytes behind a 64-byte boundary, and the harness takes the
 * median. (The build turns off the compiler's own alignment of loops, which
 * would undo this.) For C, C++ and Objective-C alike.
 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_OFFSETS = 8 };

/* Goes through `count` items and returns the sum of what the calls returned,
 * by which the variants are checked against each other. */
typedef uint64_t bench_loop(const void *items, size_t count);

#if defined(__x86_64__) || defined(__i386__)
#define BENCH_NOPS(offset) ".rept " #offset " * 8\n\tnop\n\t.endr"
#else
#define BENCH_NOPS(offset) ".rept " #offset " * 2\n\tnop\n\t.endr"
#endif
#define BENCH_PAD(offset) __asm__ volatile(".p2align 6\n\t" BENCH_NOPS(offset))

/* Defines the loops `name`_loops: `call` is an expression over `item`. */
#define BENCH_LOOPS(name, type, call)                                          \
    BENCH_EACH_OFFSET(BENCH_LOOP, name, type, call)                            \
    static bench_loop *const name##_loops[BENCH_OFFSETS] = {                   \
        name##_at_0, name##_at_1, name##_at_2, name##_at_3,                    \
        name##_at_4, name##_at_5, name##_at_6, name##_at_7}

#define BENCH_LOOP(offset, name, type, call)                                   \
    static __attribute__((noinline))                                           \
    uint64_t name##_at_##offset(const void *data, size_t count)                \
    {                                                                          \
        const type *next = (const type *)data;                                 \
        const type *const end = next + count;                                  \
        uint64_t sum = 0;                                                      \
        BENCH_PAD(offset);                                                     \
        for (; next != end; next++) {                                          \
            const type item = *next;                                           \
            sum += (uint64_t)(call);                                           \
        }                                                                      \
        return sum;                                                            \
    }

/* The same for 64 names at once: `calls` are statements that add to `sum`,
 * the call of name k on item[k]. Each of 64 passes moves the items on by one,
 * so that every name meets every item; behind the `count` items (a multiple of
 * 64) the first 64 are repeated. */
#define BENCH_NAMES(name, type, calls)                                         \
    BENCH_EACH_OFFSET(BENCH_NAMES_LOOP, name, type, calls)                     \
    static bench_loop *const name##_loops[BENCH_OFFSETS] = {                   \
        name##_at_0, name##_at_1, name##_at_2, name##_at_3,                    \
        name##_at_4, name##_at_5, name##_at_6, name##_at_7}

#define BENCH_NAMES_LOOP(offset, name, type, calls)                            \
    static __attribute__((noinline))                                           \
    uint64_t name##_at_##offset(const void *data, size_t count)                \
    {                                                                          \
        uint64_t sum = 0;                                                      \
        for (size_t shift = 0; shift < 64; shift++) {                          \
            const type *item = (const type *)data + shift;                     \
            const type *const end = item + count;                              \
            BENCH_PAD(offset);                                                 \
            for (; item != end; item += 64) {                                  \
                calls                                                          \
            }                                                                  \
        }                                                                      \
        return sum;                                                            \
    }

#define BENCH_EACH_OFFSET(m, name, type, call)                                 \
    m(0, name, type, call) m(1, name, type, call) m(2, name, type, call)       \
        m(3, name, type, call) m(4, name, type, call) m(5, name, type, call)   \
            m(6, name, type, call) m(7, name, type, call)

#endif
