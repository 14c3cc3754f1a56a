/* A random program of classes, attributes and instances, run by the library
 * and by the model side by side: its options, its functions, its changes.
 */
#ifndef TESTS_ORACLE_ATTRIBUTE_PROGRAM_H
#define TESTS_ORACLE_ATTRIBUTE_PROGRAM_H

#include <stdbool.h>

#include "oracle/attribute_model.h"
#include "support/allocator.h"
#include "support/random.h"

enum {
    PROGRAM_TAGS = 2048,
    PROGRAM_TOKENS = 24,
    PROGRAM_SITES = 2,
    PROGRAM_LOGGED = 32,
    PROGRAM_CALLED = 77 /* what the hook call_value yields */
};

/* The struct of all instances; those without free attributes leave the second
 * word unused. */
typedef struct subject {
    lb_object base;
    lb_value value;
    void *pointer;
    bool truth;
    int8_t int8;
    int16_t int16;
    int32_t int32;
    int64_t int64;
    uint8_t uint8;
    uint16_t uint16;
    uint32_t uint32;
    uint64_t uint64;
    float single;
    double real;
} subject;

/* How the instances of a class are laid out. */
typedef enum family { HEADER_ONLY, PLAIN, FREE, FAMILIES } family;

/* The context of one attribute. */
typedef struct attribute_tag {
    am_attribute of;
    int released;
    int dead; /* nothing holds it any more, and all was given back */
} attribute_tag;

/* A value that counts its references. */
typedef struct token {
    int count;
    int waiting;   /* references given up, to be released at quiescence */
    int lingering; /* the same, but the library may have released them */
} token;

/* What ran of the program's functions since it was asked. */
typedef enum ran_what {
    RAN_NOTHING,
    RAN_CALL,
    RAN_GET,
    RAN_SET,
    RAN_REMOVE,
    RAN_VALUE
} ran_what;

typedef struct ran_record {
    ran_what what;
    int times;
    int tag; /* 0: none */
    lb_value callee;
    size_t argc;
    lb_value argv[4];
    char name[24]; /* of which the hook name_value made a value */
} ran_record;

typedef struct program {
    uint64_t seed;
    dice dice;
    lb_threading threading;
    lb_reclaim reclaim;
    allocator memory;
    lb_runtime *runtime;
    lb_object_options options;
    am_world model;
    lb_class *classes[AM_CLASSES];
    family families[AM_CLASSES];
    subject *objects[AM_OBJECTS];
    int made_by[AM_OBJECTS]; /* the class given to lb_new */
    const lb_symbol *symbols[AM_NAMES];
    lb_site sites[AM_NAMES][PROGRAM_SITES];
    int told[AM_CLASSES][AM_NAMES]; /* tags by the reports of `changed` */
    int untold;                     /* reports that did not fit */
    attribute_tag tags[PROGRAM_TAGS];
    int tag_count;
    char log[PROGRAM_LOGGED][128];
    int logged, changes;
} program;

/* What ran; a look-up clears it first. */
extern ran_record ran;

/* `order` and `policy` are given; all else the seed decides. */
void program_open(program *t, uint64_t seed, lb_search_order order,
                  lb_cache_policy policy);

/* One change of the library and the model, compared; then who holds what. */
void program_change(program *t);

/* Ends the program: nothing may be left, nothing given back twice. */
void program_close(program *t);

/* Prints the options, the classes and the last changes, and fails. */
void program_fail(const program *t, const char *format, ...);

/* Fails when the status is not what the model says. */
void program_same(const program *t, lb_status got, lb_status expected);

/* The model's side of an attribute of the library. */
const am_attribute *program_tag_of(const lb_attribute *self);

/* The name that the missing hook was told when it ran last. */
const char *program_name_told(const program *t);

/* Adds to the count of a value that counts its references. */
void program_count(lb_value value, int by);

/* A name's text, computed anew each time, so that no two are at one address.
 * AM_NONE: a name that nobody ever writes. */
typedef struct name_text {
    char text[24];
} name_text;
const char *program_spell(const program *t, int name, name_text *buffer);

/* The symbol of a name, interned if need be. */
const lb_symbol *program_symbol(program *t, int name);

/* Numbers by the library's pointers, or AM_NONE. */
int program_class_number(const program *t, const lb_class *cls);
int program_name_number(const program *t, const lb_symbol *symbol);

/* Something that is there; AM_NONE when there is no object. */
int program_any_name(program *t);
int program_any_class(program *t);
int program_any_object(program *t);

#endif
