/* The fixture of the tests: a runtime whose memory is counted and whose
 * reports are kept, simple objects, and a place to note what ran.
 *
 * Use:  cmocka_unit_test_setup_teardown(test, world_open, world_close)
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "latebind/latebind.h"
#include "support/allocator.h"

typedef struct world {
    lb_runtime *runtime;
    allocator memory;
    int reports; /* how many came, and the last of them */
    lb_status reported;
    char report[2048];
} world;

/* An object: a header, and a number for predicates and values. */
typedef struct thing {
    lb_header head;
    int64_t number;
} thing;

/* cmocka's setup and teardown: `*state` is a world. The teardown destroys the
 * runtime and fails when memory is left or a size was wrong. */
int world_open(void **state);
int world_open_single(void **state); /* single-threaded */
int world_open_epoch(void **state);  /* with the epoch scheme */
int world_close(void **state);

/* The configuration that a world uses: its allocator and its report hook. */
lb_config world_config(world *w);

/* A class of this name and these bases (NULL: none); fails the test if not. */
lb_class *world_class(world *w, const char *name, lb_class *base,
                      lb_class *second_base);

/* A stamped thing. */
thing thing_of(lb_class *cls);

/* Appends a word to the notes, separated by a blank; notes_take hands them
 * out and starts anew. One thread only. */
void note(const char *word);
const char *notes_take(void);

/* The figures of the world's runtime. */
lb_statistics world_statistics(world *w);

#endif
