/* The fixture of the tests about attributes: a runtime with options, values
 * that count who holds them, methods that say who they are; and a way to run
 * one test under every search order, cache policy and threading.
 */
#ifndef TESTS_SUPPORT_OBJECTS_H
#define TESTS_SUPPORT_OBJECTS_H

#include "latebind/latebind.h"
#include "support/world.h"

enum { OBJECTS_VALUES = 16 };

typedef struct objects {
    world world; /* its memory and its reports */
    lb_runtime *runtime;
    lb_object_options options;
    lb_threading threading;
    int counts[OBJECTS_VALUES]; /* references to each value */
} objects;

/* A subject of tests: free attributes, and members for fields. */
typedef struct person {
    lb_object base;
    lb_value value;
    int64_t number;
} person;

/* Opens with these options (NULL: none); fills in the hooks retain and release
 * and `context`, which is the objects. */
void objects_open(objects *o, lb_threading threading, lb_reclaim reclaim,
                  const lb_object_options *options);

/* Ends it; nothing may be held any more, by anybody. */
void objects_close(objects *o);

/* Runs `body` in a fresh runtime for each order, policy and threading. */
void objects_under_every_policy(void (*body)(objects *o));

/* The same with these options but order and policy. */
void objects_with_under_every_policy(const lb_object_options *options,
                                     void (*body)(objects *o));

/* A test whose body is run under every policy. */
#define OBJECTS_TEST(body)                                                     \
    {                                                                          \
#body, objects_run, NULL, NULL, (void *)&(objects_test)                \
        {                                                                      \
            body                                                               \
        }                                                                      \
    }
typedef struct objects_test {
    void (*body)(objects *o);
} objects_test;
void objects_run(void **state);

/* Value number `i`; how many references to it there are. */
lb_value objects_value(objects *o, int i);
int objects_count(const objects *o, int i);

/* A class of persons with free attributes. */
lb_class *objects_class(objects *o, const char *name, lb_class *base,
                        lb_class *second_base);

/* A class of things: a header and a number, nothing free. */
lb_class *objects_plain_class(objects *o, const char *name, lb_class *base);

/* The symbol of a text; fails the test if there is none. */
const lb_symbol *objects_symbol(objects *o, const char *text);

/* A class `cls` below `base`, an instance of it, and the symbol x. The test
 * gives the instance back. */
typedef struct stage {
    lb_class *base, *cls;
    person *p;
    const lb_symbol *x;
} stage;
stage objects_stage(objects *o);

/* 1 in Python's order, 0 in that of 1998. */
int objects_in_python(const objects *o);

/* What a look-up of `name` finds; fails the test if it fails. */
lb_found objects_find(objects *o, const void *object, const char *name);

/* A method: notes its context, which is a text, and yields it. The second sets
 * it as an attribute of a class. */
lb_status objects_say(const lb_attribute *self, size_t argc,
                      const lb_value *argv, lb_value *result);
void objects_method(lb_class *cls, const char *name, const char *says);

/* Sets an attribute by a specification. */
void objects_set(objects *o, lb_class *cls, const char *name,
                 lb_attribute_spec spec);

/* The value that a look-up of `name` finds; fails the test if it finds
 * something else. */
lb_value objects_get(objects *o, const void *object, const char *name);

/* The status of a look-up. */
lb_status objects_try(objects *o, const void *object, const char *name);

/* What calling object.name() yields as text; "" if it is not there. */
const char *objects_call(objects *o, void *object, const char *name);

lb_counters objects_counters(objects *o);

#endif
