/* world.h - the recorded program's classes and objects, in a runtime.
 *
 * What an attribute holds tells where it was found: a class attribute the
 * number of its class, one of an instance a number of the instance.
 */
#ifndef CLI_WORLD_H
#define CLI_WORLD_H

#include "trace.h"

#include <latebind/latebind.h>

typedef struct world {
    const trace *trace;
    lb_runtime *runtime;
    lb_class **classes; /* NULL until the trace tells of them */
    const lb_symbol **symbols;
    lb_object *objects;
    lb_object *scratch; /* of each class, for gets of unrecorded objects */
    lb_site *sites;
    lb_definition *definitions; /* room for the body of a class */
    lb_class **order;           /* room for an order, of class_count */
    lb_class **found;           /* the same */
    size_t supplied;            /* orders that C3 did not give        */
    size_t absent; /* deletions of what the dictionary did not hold   */
} world;

/* A world before the first operation; no class is there yet. */
bool world_make(world *w, const trace *t, const lb_object_options *options,
                fault *why);
void world_free(world *w);

/* Performs an operation that is not a get. */
bool world_change(world *w, const trace_operation *change, fault *why);

/* The value of an attribute in a class's dictionary, and in an object's. */
static inline int64_t value_in_class(uint32_t cls)
{
    return (int64_t)cls + 1;
}

static inline int64_t value_in_object(uint32_t object)
{
    return -(int64_t)object - 1;
}

/* The object that a get is about. */
static inline lb_object *receiver_of(const world *w, const trace_operation *get)
{
    return get->object == TRACE_NONE ? &w->scratch[get->cls]
                                     : &w->objects[get->object];
}

#endif
