/* peers.h - the other ways to make the same calls, and Latebind's.
 *
 * Every class's method returns the value of its object plus a number of its
 * own, so that all ways of one load must come to the same sum. The functions
 * that are called are defined elsewhere than the loops that call them: no
 * compiler sees which they are.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "harness.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BENCH_CLASSES = 2048, /* at most, of peers with classes for each number */
    BENCH_FAMILIES = 32,  /* class n derives from family n % 32             */
    BENCH_NAMES_COUNT = 64
};

/* One argument: class n adds n. The first is C++'s virtual call. */
extern const bench_peer bench_virtual;
extern const bench_peer bench_switch_4, bench_switch_64;
extern const bench_peer bench_chain_4, bench_chain_64;
extern const bench_peer bench_hash;
extern const bench_peer bench_variant_4, bench_variant_64;
extern const bench_peer bench_gobject_class, bench_gobject_interface;
extern const bench_peer bench_objc;

/* The same objects as bench_virtual, by 64 names: name k (from 1) adds
 * 64 f + k for classes of family f. */
extern bench_loop *const *const bench_virtual_names;

/* The next method: class n (below 64) adds n to what family n % 4 returns,
 * which adds that. The first: overridden and qualified, Base::f. */
extern const bench_peer bench_virtual_next;

/* Several arguments, by double and triple dispatch: classes i, j (, k) of c
 * add (i c + j) c + k. Loops over arrays of bench_pair, bench_triple. */
typedef struct bench_pair {
    const void *a, *b;
} bench_pair;

typedef struct bench_triple {
    const void *a, *b, *c;
} bench_triple;

extern const bench_peer bench_visitor_8, bench_visitor_32;
extern const bench_peer bench_triple_4, bench_triple_8;
extern const bench_peer bench_visit_two_8;

const char *bench_cpp_version(void);
const char *bench_gobject_version(void); /* "none": not built in */
const char *bench_objc_version(void);

#ifdef __cplusplus
}
#endif
#endif
