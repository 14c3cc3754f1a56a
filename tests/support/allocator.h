/* An allocation hook that counts, checks and fails on demand.
 *
 * Each block carries its size in front, so a wrong `old_size` is noticed. A
 * released block is filled with POISON and kept for a while, so that whoever
 * still reads it gets nonsense rather than luck. A resize always moves.
 *
 * The runtime promises to call the hook under its own lock: two calls at once
 * are counted as overlaps, and allocator_finish fails then. The flag for that
 * orders nothing, so that the thread sanitizer still sees what it guards.
 */
#ifndef TESTS_SUPPORT_ALLOCATOR_H
#define TESTS_SUPPORT_ALLOCATOR_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { ALLOCATOR_POISON = 0xdb, ALLOCATOR_KEPT = 1024 };

typedef struct allocator {
    size_t bytes;       /* held now                                       */
    size_t blocks;      /* held now                                       */
    size_t peak;        /* most bytes ever held                           */
    size_t wrong;       /* calls whose old_size was wrong                 */
    _Atomic int inside; /* a call is under way                           */
    size_t overlaps;    /* calls that came while another was under way    */
    uint64_t requests;  /* for new or resized blocks, since it was reset  */
    uint64_t refused;   /* of them                                        */
    uint64_t fail_at;   /* the request, from 1, that is refused; 0: none  */
    int fail_on;        /* and every one after it                         */
    size_t kept_bytes;  /* released, poisoned, not yet given back to libc */
    size_t kept_first, kept_count;
    void *kept[ALLOCATOR_KEPT];
} allocator;

/* The hook: hand it to lb_config.reallocate, with the allocator as context. */
void *allocator_reallocate(void *context, void *pointer, size_t old_size,
                           size_t new_size);

/* Starts to count requests anew; request number `at` is refused (0: none),
 * and with `on` all that follow. */
void allocator_arm(allocator *memory, uint64_t at, int on);

/* Gives the kept blocks back; 1 when nothing is held, no size was wrong
 * and no two calls overlapped. */
int allocator_finish(allocator *memory);

#endif
