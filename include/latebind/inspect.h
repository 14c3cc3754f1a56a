/* latebind/inspect.h - which implementation runs, why, and what comes next.
 *
 * All text is UTF-8 and allocated from the runtime; lb_text_free gives it
 * back. These calls take the lock but change nothing that a call can see.
 */
#ifndef LATEBIND_INSPECT_H
#define LATEBIND_INSPECT_H

#include "latebind/generic.h"
#include "latebind/object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why a rule was not chosen, or that it was. */
typedef enum lb_verdict {
    LB_CHOSEN = 0,         /* runs when the generic function is called     */
    LB_NEXT = 1,           /* applicable; reached by next method           */
    LB_RUNS_ALONG = 2,     /* a before or after method of this call        */
    LB_TIED = 3,           /* applicable, ambiguous with another           */
    LB_UNREACHED = 4,      /* applicable, behind an ambiguity or a cut     */
    LB_REJECTED_ARITY = 5, /* wrong number of arguments                    */
    LB_REJECTED_CLASS = 6, /* `argument`: not an instance                  */
    LB_REJECTED_VALUE = 7, /* `argument`: not equal                        */
    LB_REJECTED_PREDICATE = 8, /* `argument`: the predicate said no         */
    LB_UNKNOWN_VALUE = 9 /* depends on a value that was not given        */
} lb_verdict;

typedef struct lb_explanation_item {
    const lb_rule *rule; /* valid until the explanation is freed */
    lb_verdict verdict;
    uint32_t argument; /* the dispatched argument that failed, from 0 */
    uint32_t rank;     /* place in the chain, for LB_CHOSEN and LB_NEXT */
    int swapped;       /* through the flipped form of a commutative rule */
    const char *group; /* name of its group, or NULL */
} lb_explanation_item;

typedef struct lb_explanation {
    lb_status status; /* LB_OK, LB_NO_METHOD, LB_AMBIGUOUS, … */
    size_t count;     /* one item per rule (two for a commutative one) */
    lb_explanation_item *items; /* chain order first, then the rejected */
    char *text;                 /* the same for people, several lines */
    lb_runtime *runtime;
} lb_explanation;

/* Explains the call with arguments of these classes.
 * argc     how many arguments (typed: the dispatched ones)
 * classes  one per dispatched argument given
 * values   one per dispatched argument, for eql and predicates; NULL: unknown
 * result   receives the explanation, for lb_explanation_free */
LB_PUBLIC lb_status lb_explain(lb_generic *generic, size_t argc,
                               lb_class *const *classes, const lb_value *values,
                               lb_explanation **result);
LB_PUBLIC void lb_explanation_free(lb_explanation *explanation);

/* An ambiguity: two rules and arguments for which neither is more specific. */
typedef struct lb_ambiguity {
    const lb_rule *first, *second;
    lb_class *witness[LB_MAX_DISPATCH];   /* NULL: a missing argument */
    lb_class *resolving[LB_MAX_DISPATCH]; /* the signature that would resolve
                                              it; NULL: any */
    uint32_t count;                       /* dispatched arguments */
    int possible; /* 1: only if two predicates hold at once */
} lb_ambiguity;

/* All ambiguities of a generic function over the classes that exist now.
 * `visit` is called for each (not under the lock); non-zero stops. Returns how
 * many were found in `count` (NULL: not wanted). */
LB_PUBLIC lb_status lb_ambiguities(lb_generic *generic,
                                   int (*visit)(void *context,
                                                const lb_ambiguity *ambiguity),
                                   void *context, size_t *count);

/* One ambiguity in words: the rules, the witness, the missing signature. */
LB_PUBLIC lb_status lb_ambiguity_text(lb_generic *generic,
                                      const lb_ambiguity *ambiguity,
                                      char **text);

/* Calls `visit` for each rule in the order of definition; non-zero stops. */
LB_PUBLIC lb_status lb_each_rule(lb_generic *generic,
                                 int (*visit)(void *context,
                                              const lb_rule *rule),
                                 void *context);

/* The rule as one line: "area(circle, any) [before] circle_area". */
LB_PUBLIC lb_status lb_rule_text(lb_generic *generic, const lb_rule *rule,
                                 char **text);

/* The classes of a runtime as a graph in the DOT language. */
LB_PUBLIC lb_status lb_report_dot(lb_runtime *runtime, char **text);

/* What lb_report_html shows. */
typedef struct lb_report_options {
    const char *title;        /* NULL: the generic function's name */
    lb_class *const *classes; /* rows and columns; NULL: all that its rules
                                   mention */
    size_t class_count;
    const uint64_t *calls; /* NULL, or class_count^2 counts (row-major) for
                                   two arguments, class_count for one */
    const char *head;      /* HTML put before the tables, NULL: none */
    const char *tail;      /* HTML put after them */
} lb_report_options;

/* A page of its own (HTML, no scripts, no network, light and dark): the rules,
 * the table of types × types coloured by the method chosen and by calls, the
 * ambiguities, and the class graph in SVG. */
LB_PUBLIC lb_status lb_report_html(lb_generic *generic,
                                   const lb_report_options *options,
                                   char **text);

/* Gives back a text of this header; NULL is allowed. */
LB_PUBLIC void lb_text_free(lb_runtime *runtime, char *text);

/* The steps of lb_get(object, symbol), one to a line: the cache that is asked,
 * the instance, each class of the order, what was found and what it comes to.
 * For lb_text_free. Calls no getter and changes no counter. */
LB_PUBLIC lb_status lb_trace_lookup(const void *object, const lb_symbol *symbol,
                                    char **text);

#ifdef __cplusplus
}
#endif
#endif
