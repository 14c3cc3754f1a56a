/* Attributes as docs/semantics.md, section 7, has them: plain arrays from
 * classes and names to attributes, and from objects and names to values.
 * Written from that page alone; knows nothing of tables, symbols and caches.
 *
 * Everything is a number: classes, names, objects, and tags, which tell one
 * attribute from every other that ever was. The order of a class's
 * superclasses is handed in.
 */
#ifndef TESTS_ORACLE_ATTRIBUTE_MODEL_H
#define TESTS_ORACLE_ATTRIBUTE_MODEL_H

#include "latebind/latebind.h"

enum {
    AM_CLASSES = 12,
    AM_NAMES = 10,
    AM_OBJECTS = 14,
    AM_GONE = 64,
    AM_MISSING = 0, /* the name of the missing hook */
    AM_NONE = -1
};

/* What stands in a class's dictionary; `tag` 0: nothing. */
typedef struct am_attribute {
    int tag;
    lb_attribute_kind kind;
    lb_value value;
    int calls;               /* a method has a function of its own */
    int gets, sets, removes; /* the functions a property has       */
    lb_status status;        /* what its functions return          */
    lb_value makes;          /* what they yield                    */
    lb_field_type type;      /* of a field, which is also its place */
    int read_only;
} am_attribute;

typedef struct am_class {
    int alive;
    int free; /* instances have a dictionary */
    int length;
    int order[AM_CLASSES]; /* itself first */
    am_attribute has[AM_NAMES];
} am_class;

typedef struct am_object {
    int cls; /* AM_NONE: there is no such object */
    int holds[AM_NAMES];
    lb_value own[AM_NAMES];
    lb_value member[LB_FIELD_TYPE_COUNT]; /* as they are got */
} am_object;

/* A value that a dictionary gave up; or the tag of an attribute that did. */
typedef struct am_gone {
    lb_value value;
    int tag;
    int same; /* it was replaced by the same value */
} am_gone;

typedef struct am_world {
    lb_search_order order;
    am_class classes[AM_CLASSES];
    am_object objects[AM_OBJECTS];
    am_gone gone[AM_GONE]; /* by the last change */
    int gone_count;
} am_world;

/* To what a method that was found is bound. */
typedef enum am_bound { AM_UNBOUND, AM_TO_RECEIVER, AM_TO_CLASS } am_bound;

/* What a look-up comes to. */
typedef struct am_answer {
    lb_status status;
    lb_found_kind kind;
    lb_value value;             /* of a value that was found  */
    const am_attribute *method; /* of a method, function, descriptor */
    am_bound bound;
    const am_attribute *ran; /* whose getter ran, or that was asked
                                    for what is missing */
} am_answer;

/* What a change comes to. */
typedef struct am_effect {
    lb_status status;
    const am_attribute *ran; /* whose setter or deleter ran */
} am_effect;

/* class(x) for the part of the order of `cls` behind `after` (AM_NONE: all of
 * it), and in `owner` (NULL: not wanted) where it stands; NULL: nothing. */
const am_attribute *am_find(const am_world *world, int cls, int after, int name,
                            int *owner);

/* The attribute that a look-up through `object` finds in a class, or NULL when
 * the instance's own comes first, or there is none (`own` tells). */
const am_attribute *am_choose(const am_world *world, int object, int name,
                              int *own);

am_answer am_get(const am_world *world, int object, int name);
/* `object` may be AM_NONE: a receiver without a dictionary. */
am_answer am_get_special(const am_world *world, int cls, int object, int name);
am_answer am_class_get(const am_world *world, int cls, int name);
am_answer am_get_super(const am_world *world, int after, int object, int name);
am_answer am_class_get_super(const am_world *world, int after, int cls,
                             int name);

am_effect am_set(am_world *world, int object, int name, lb_value value);
am_effect am_unset(am_world *world, int object, int name);
lb_status am_own_set(am_world *world, int object, int name, lb_value value);
lb_status am_own_delete(am_world *world, int object, int name);

void am_class_set(am_world *world, int cls, int name,
                  const am_attribute *attribute);
lb_status am_class_delete(am_world *world, int cls, int name);
void am_class_destroy(am_world *world, int cls);
void am_object_destroy(am_world *world, int object);

/* Calls `visit` for every value that is held: by classes, by instances. */
void am_each_value(const am_world *world,
                   void (*visit)(void *context, lb_value value), void *context);

#endif
