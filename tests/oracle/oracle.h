/* The oracle: docs/semantics.md in the simplest code, written from that page
 * alone. Small arrays, no pointers, nothing kept from one call to the next.
 *
 * Classes, objects, rules and predicates are numbers. What a call does is a
 * list of events: which rule's method ran, with which first argument, and
 * how its chain ended.
 */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include "latebind/generic.h"
#include "latebind/inspect.h"

enum {
    OR_CLASSES = 14,
    OR_OBJECTS = 2 * OR_CLASSES,
    OR_RULES = 18,
    OR_ARGS = 5, /* arguments of a call, at most */
    OR_FORMS = 2 * OR_RULES,
    OR_EVENTS = 1024,
    OR_PREDICATES = 5,
    OR_NONE = -1
};

typedef struct or_class {
    int alive;
    int bases[OR_CLASSES];
    int base_count;
    int supplied; /* the linearization is the caller's */
    int order[OR_CLASSES];
    int length;
} or_class;

typedef struct or_object {
    int cls;
    int number;
} or_object;

typedef struct or_spec {
    lb_kind kind;
    int cls;       /* or OR_NONE                              */
    int by_number; /* eql: 1: to objects of the number `value` */
    int value;     /* eql: 0: the object `value`               */
    int predicate;
} or_spec;

typedef struct or_rule {
    int tag; /* its own for ever; also what its method answers by */
    or_spec at[OR_ARGS];
    int count, optional;
    int has_rest;
    or_spec rest;
    lb_qualifier qualifier;
    lb_propagate propagate;
    int commutative;
    int group; /* or OR_NONE */
} or_rule;

typedef struct or_generic {
    int boxed;
    int dispatched;
    lb_order order;
    lb_combination combination;
    int precedence[OR_ARGS];
    or_rule rules[OR_RULES]; /* in the order of definition */
    int count;
} or_generic;

typedef struct or_world {
    or_class classes[OR_CLASSES];
    or_object objects[OR_OBJECTS];
} or_world;

/* The arguments of a call: classes, and objects when they are known. */
typedef struct or_call {
    int argc;
    int cls[OR_ARGS];
    int object[OR_ARGS];
} or_call;

/* A rule, or its flipped form. */
typedef struct or_form {
    int rule;
    int flipped;
} or_form;

typedef struct or_chain {
    or_form form[OR_FORMS];
    int count;
    lb_status end;
    int cyclic; /* at some step every rule was preceded by another */
} or_chain;

/* All that a call may run. */
typedef struct or_plan {
    lb_status status;
    or_chain around, before, primary, after;
} or_plan;

typedef struct or_trace {
    int event[OR_EVENTS];
    int count;
    int result;
    int listed; /* the result is a list: here its sum */
} or_trace;

/* How an event is written. */
int or_event_method(int tag, int first_object);
int or_event_end(lb_status status);    /* the end of a chain was seen */
int or_event_failed(lb_status status); /* the call failed             */

/* What the method of rule `tag` answers. */
int or_answer(int tag);

/* Linearizes every class anew; 0 when one has no linearization. */
int or_linearize_all(or_world *world);
/* The place of `base` in the linearization of `cls`, or OR_NONE. */
int or_index(const or_world *world, int base, int cls);

int or_same_spec(const or_spec *a, const or_spec *b);
int or_same_rule(const or_generic *generic, const or_rule *a, const or_rule *b);
/* Adds or replaces; removes the equal one. 1 when it worked. */
int or_add(or_generic *generic, const or_rule *rule);
int or_remove(or_generic *generic, int index);

int or_predicate_mask(int predicate);
/* The predicates that `predicate` declares to imply, ended by OR_NONE. */
const int *or_declared(int predicate);

/* How a user order ranks a rule: smaller first, equal: neither. */
int or_user_rank(int tag);

/* The specializer of a form at an argument of a call. */
or_spec or_spec_at(const or_generic *generic, or_form form, int argument);
int or_has_flipped(const or_generic *generic, int rule);

/* Why a form is not applicable: LB_CHOSEN when it is, LB_UNREACHED for a
 * flipped form whose rule applies as it stands. `*argument` is the one that
 * fails. Objects that are OR_NONE are assumed to satisfy values. */
lb_verdict or_verdict(const or_world *world, const or_generic *generic,
                      or_form form, const or_call *call, int *argument);

/* 0 where the order goes in a circle: Dylan's may, with a supplied
 * linearization that is not monotonic. The page says nothing of that. */
int or_is_defined(const or_world *world, const or_generic *generic,
                  const or_call *call);

or_plan or_choose(const or_world *world, const or_generic *generic,
                  const or_call *call);
void or_run(const or_world *world, const or_generic *generic,
            const or_call *call, or_trace *trace);

/* How two rules are ambiguous for arguments of these classes. */
typedef enum or_ambiguity { OR_CLEAR, OR_POSSIBLE, OR_CERTAIN } or_ambiguity;
or_ambiguity or_ambiguous(const or_world *world, const or_generic *generic,
                          int first, int second, const int *classes);
/* Over all living classes. */
or_ambiguity or_ambiguous_anywhere(const or_world *world,
                                   const or_generic *generic, int first,
                                   int second);

#endif
