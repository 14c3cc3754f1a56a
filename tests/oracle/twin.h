/* A twin: the same world in the library and in the oracle, and the random
 * changes that are made to both.
 */
#ifndef TESTS_ORACLE_TWIN_H
#define TESTS_ORACLE_TWIN_H

#include "oracle/engine.h"
#include "support/allocator.h"
#include "support/random.h"

enum { TWIN_GENERICS = 3, TWIN_MARKS = 1024, TWIN_GROUPS = 3 };

typedef struct twin {
    uint64_t seed;
    dice dice;
    allocator memory;
    lb_runtime *runtime;
    or_world world;
    lb_class *classes[OR_CLASSES];
    subject objects[OR_OBJECTS]; /* two of each class */
    or_generic models[TWIN_GENERICS];
    lb_generic *generics[TWIN_GENERICS];
    lb_group *groups[TWIN_GROUPS];
    mark marks[TWIN_MARKS];
    int mark_count;
    int changes;
    int ordered; /* supplied linearizations suit the bases' */
} twin;

typedef enum twin_kind {
    TWIN_ANY = 0,
    TWIN_PLAIN = 1,  /* small, without optional and rest arguments */
    TWIN_VIRTUAL = 2 /* plain; supplied linearizations are not shuffled, but
                        have classes put in that are no bases */
} twin_kind;

/* Starts a random world. */
void twin_open(twin *t, uint64_t seed, twin_kind kind);

/* Ends it; fails when memory or a context is left. */
void twin_close(twin *t);

/* Makes one random change to both, and compares the status. */
void twin_change(twin *t);

/* Prints the world, its rules and the seed, then fails the test. */
void twin_fail(const twin *t, const char *what);

/* Prints a rule, and a call. */
void twin_print_rule(const or_rule *rule);
void twin_print_call(const or_call *call);

/* The rule in the library's words, pointing into `at` and `rest`. */
lb_rule twin_rule(twin *t, int generic, const or_rule *rule, int boxed,
                  lb_specializer at[OR_ARGS], lb_specializer *rest);

#endif
