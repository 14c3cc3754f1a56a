/* attribute_things.h - classes like those of the C++ peer "virtual call", which
 * say by attributes what those say by functions.
 *
 * Class n (of 64) derives from base n, base n from family n % 32, families from
 * a root. Everything that is asked for comes to the value of the object plus n:
 *
 *   direct      in the dictionary of class n; its value is n
 *   inherited   in that of base n
 *   absent      in none; then the sum that the object has as a field counts
 *   own         held by each instance, first of all; its value is the sum
 *   varying     held behind none to seven others
 *   answer      a method of class n, of the receiver alone
 *   answer_to   a method of class n, of the receiver and a number
 *
 * Each dictionary has eight names besides, as those of programs have.
 */
#ifndef BENCH_ATTRIBUTE_THINGS_H
#define BENCH_ATTRIBUTE_THINGS_H

#include "peers.h"
#include "repeat.h"

#include <latebind/latebind.h>

enum { ATTRIBUTE_CLASSES = 64, ATTRIBUTE_OTHERS = 8 };

typedef struct instance {
    lb_object base;
    int value;
    int sum; /* value + n */
} instance;

/* The methods again, as typed generic functions. */
LB_GENERIC(int, typed_answer, (ON, const instance *, object));
LB_GENERIC(int, typed_answer_to, (ON, const instance *, object),
           (WITH, int, number));

extern const lb_call_fn answers[ATTRIBUTE_CLASSES];
extern const lb_call_fn answers_to[ATTRIBUTE_CLASSES];
extern const lb_method *const typed_answers[ATTRIBUTE_CLASSES];
extern const lb_method *const typed_answers_to[ATTRIBUTE_CLASSES];

typedef struct attribute_world {
    lb_runtime *runtime;
    lb_class *classes[ATTRIBUTE_CLASSES];
    const lb_symbol *direct, *inherited, *absent, *own, *varying;
    const lb_symbol *answer, *answer_to;
    const lb_symbol *others[ATTRIBUTE_OTHERS];
} attribute_world;

/* A runtime whose attributes are looked up in this way; NULL: the default. */
lb_runtime *attribute_runtime(const lb_object_options *options);

void attribute_world_open(attribute_world *w, const lb_object_options *options);
void attribute_world_close(attribute_world *w);

/* A class with free attributes, of instances of `size` bytes. */
lb_class *attribute_class(lb_runtime *runtime, const char *name, size_t size,
                          lb_class *base);

/* The world of which the objects below are made. */
void attribute_world_use(const attribute_world *w);
/* An instance that holds `own`, or `varying`. */
void *make_instance(void *at, unsigned cls, int value);
void *make_varied(void *at, unsigned cls, int value);

/* What bench_unmake does, and before it takes their attributes away; the
 * instance is `offset` bytes behind each item. */
void unmake_instances(const void **items, size_t count, size_t offset);

#endif
