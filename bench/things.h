/* things.h - Latebind's side of the loads: classes like those of the C++
 * peers, and generic functions with a method for each of them.
 *
 * A world is one runtime with `count` classes: class n derives from family
 * n % 32, families from a root. Name 0 has a method for each class, the other
 * 63 names one for each family; the fat name is name 0 for fat references.
 */
#ifndef BENCH_THINGS_H
#define BENCH_THINGS_H

#include "peers.h"
#include "repeat.h"

#include <latebind/latebind.h>

typedef struct thing {
    lb_header head;
    int value;
} thing;

/* name_000 … name_077 */
#define DECLARE_NAME(k) LB_GENERIC(int, name_##k, (ON, const thing *, object));
REPEAT_64(DECLARE_NAME, 0)

LB_GENERIC(int, fat, (REF, lb_ref, object));
LB_GENERIC(int, stacked, (ON, const thing *, object));
LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_GENERIC(int, join, (ON, const thing *, a), (ON, const thing *, b),
           (ON, const thing *, c));

extern lb_head *const name_heads[BENCH_NAMES_COUNT];
extern const lb_method *const class_methods[BENCH_CLASSES];
/* Of family f and name k: [f * 64 + k]. */
extern const lb_method *const family_methods[BENCH_CLASSES];
extern const lb_method *const fat_methods[BENCH_CLASSES];
extern const lb_method *const stacked_methods[64];
extern const lb_method *const stacked_bases[4];
extern const lb_method *const pair_methods[1024];  /* [i * c + j]           */
extern const lb_method *const triple_methods[512]; /* [(i * c + j) * c + k] */

typedef struct world {
    lb_runtime *runtime;
    lb_class *root;
    lb_class *families[BENCH_FAMILIES];
    lb_class **classes;
    size_t count;
} world;

/* Makes the classes. `scattered`: in random order, with four thousand others
 * among them, and each numbered before its relatives exist. */
void world_open(world *w, size_t count, int scattered);
/* Binds the 64 names and adds their methods; the same for the others. */
void world_names(world *w);
void world_fat(world *w);
void world_close(world *w);

/* The classes of which the objects below are made. */
void world_use(const world *w);
void *make_latebind_thing(void *at, unsigned cls, int value);

/* Notes which share of the calls went the slow way in one run of a loop. */
void note_slow(lb_runtime *runtime, const char *name, bench_loop *const *loops,
               const void *items, size_t count, size_t calls);

/* Ends the program when `status` is not LB_OK. */
void need(lb_status status, const char *what);

#endif
