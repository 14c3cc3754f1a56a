/* The library's side of the comparison: objects, methods that record that
 * they ran, and one way to make every kind of call.
 */
#ifndef TESTS_ORACLE_ENGINE_H
#define TESTS_ORACLE_ENGINE_H

#include "latebind/latebind.h"
#include "oracle/oracle.h"

/* An object that knows its number among the oracle's objects. */
typedef struct subject {
    lb_header head;
    int id;
    int number;
} subject;

/* A rule's context: what its method must know to record itself. */
typedef struct mark {
    int tag;
    int generic;
    lb_qualifier qualifier;
    lb_propagate propagate;
    int tells_end; /* the end of the chain is an event */
    int released;  /* how often the context was given back */
} mark;

void mark_release(void *context);

/* How a call is made. */
typedef enum engine_way {
    ENGINE_CALL, /* the inlined call               */
    ENGINE_TRY,  /* lb_try_, then the call         */
    ENGINE_INVOKE
} engine_way;

/* The signature for a typed generic of 1 to 4 dispatched arguments. */
const lb_signature *engine_signature(int dispatched);

/* The method to use: a typed one of this many arguments, or a boxed one. */
const lb_method *engine_method(int boxed, int dispatched);

/* Predicate number `i` of the oracle's, and the equality of numbers. */
const lb_predicate *engine_predicate(int i);
int engine_equal(void *context, lb_value expected, lb_value value);

/* The order of LB_USER_ORDER. */
int engine_compare(void *context, const lb_rule *a, const lb_rule *b,
                   lb_class *const *classes, size_t count);

/* Calls `generic` and records what runs. Returns the status (for
 * ENGINE_CALL: LB_OK, the failure is then an event). `trace->listed` says
 * whether the result will be a list. */
lb_status engine_call(lb_generic *generic, const or_generic *model,
                      engine_way way, subject *const *arguments, int argc,
                      or_trace *trace);

#endif
