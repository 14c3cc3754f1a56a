/* latebind/policy.h - how attributes are looked up, and what it costs.
 *
 * Two independent settings of a runtime: the search order says what a look-up
 * means, the cache policy only how it is found. Under one order every policy
 * gives the same results. The default (Python's order, our table) is what
 * programs want; the others are there to be compared, after
 *   M. von Löwis, "Virtual Method Tables in Python", 7th International Python
 *   Conference, 1998.
 */
#ifndef LATEBIND_POLICY_H
#define LATEBIND_POLICY_H

#include "latebind/attribute.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lb_search_order {
    LB_ORDER_PYTHON3 = 0, /* data descriptors of the class, the instance, the
                             class, the missing hook */
    LB_ORDER_1998 = 1     /* the instance, the class and its bases, the missing
                             hook */
} lb_search_order;

typedef enum lb_cache_policy {
    LB_POLICY_TABLE = 0,   /* ours: a table per name, indexed by class; what is
                             not there is remembered, too; a change drops the
                             cells it concerns. Its look-up is inlined. */
    LB_POLICY_SEARCH = 1,  /* no cache: the dictionaries, every time */
    LB_POLICY_TABLE64 = 2, /* 1998's: a table per class, indexed by the number
                             of the name */
    LB_POLICY_SITE = 3     /* the same indexed by the number of the place in
                             the code (lb_site) */
} lb_cache_policy;

/* What LB_POLICY_TABLE64 and LB_POLICY_SITE do when all numbers are given. */
typedef enum lb_when_full {
    LB_FULL_CLEAR = 0,    /* as published: the next generation begins; each
                              class clears its table when it next uses it */
    LB_FULL_STOP = 1,     /* further names get no number and are searched */
    LB_FULL_POOR = 2,     /* clear, but only once fewer than `poor_percent`
                              of the gets since the last time were hits */
    LB_FULL_HIERARCHY = 3 /* numbers and generations are counted apart for
                              each topmost class (of most classes of the
                              program: for each class below it). Names only:
                              LB_BAD_ARGUMENT with LB_POLICY_SITE */
} lb_when_full;

/* A choice that has a default depending on the policy. */
typedef enum lb_choice { LB_DEFAULT = 0, LB_YES = 1, LB_NO = 2 } lb_choice;

/* What attributes need to know of the program's values, and the settings above.
 * Zero is a good default for everything. */
typedef struct lb_object_options {
    lb_search_order order;
    lb_cache_policy policy;
    int counting; /* 1: count (lb_counters); look-ups are not inlined then */

    /* the mark of names that some instance ever held: an instance is asked for
     * no other. Default: yes, but no for LB_POLICY_SEARCH. The policies of 1998
     * mark names, ours (which ignores the choice) names per class. */
    lb_choice mark;

    /* LB_POLICY_TABLE64 and LB_POLICY_SITE; zero is as published */
    uint32_t table_size;      /* entries and numbers; 0: 64; else 1 to 2^20;
                                 LB_UNBOUNDED: as many as there are names */
    lb_choice cache_negative; /* also "not found"; default no */
    lb_choice drop_changed;   /* a change of a class attribute drops that
                                 name's entries, instead of excluding the name
                                 for ever; default no */
    lb_choice intern_writes;  /* writing an instance attribute by text interns
                                 the name, instead of giving up the marks;
                                 default no */
    lb_when_full when_full;
    uint32_t poor_percent; /* LB_FULL_POOR; 0: 90 */
    uint32_t thrash_limit; /* a class whose table was cleared so often while it
                              hit less than half of the time gets none any
                              more; 0: never */
    uint32_t table_pool;   /* so many tables at most: a class without one takes
                              it from the class that has used its own least;
                              0: no limit */

    /* hooks; all NULL: values are plain bits */
    void *context;                                  /* handed to all of them */
    void (*retain)(void *context, lb_value value);  /* under the lock: must
                                                      not call the runtime */
    void (*release)(void *context, lb_value value); /* without the lock */
    /* Called after each change of a class's dictionary, without the lock: what
     * was put there (a copy; NULL: deleted), what stood there (NULL: nothing);
     * both are valid during the call. */
    void (*changed)(void *context, lb_class *cls, const lb_symbol *symbol,
                    const lb_attribute *now, const lb_attribute *before);
    /* Calls a value that was found where a method was wanted; NULL: an error.
     * `self` is the method's attribute when it binds, else NULL. */
    lb_status (*call_value)(void *context, const lb_attribute *self,
                            lb_value callee, size_t argc, const lb_value *argv,
                            lb_value *result);
    const char *missing; /* the name of the method that is asked for attributes
                            that are not found; NULL: "__getattr__" */
    /* Makes the name a value of the program's, which the missing hook gets as
     * argv[1]; it is released after the call. NULL: argv[1].constant is the
     * text. */
    lb_status (*name_value)(void *context, const char *name, lb_value *value);
} lb_object_options;

#define LB_UNBOUNDED UINT32_MAX

/* Sets the options of a runtime, once; without it they are all zero. Must come
 * before anything that makes a symbol, a class attribute among it (LB_BUSY). Errors: LB_BAD_ARGUMENT (names the option
 * and what it takes), LB_NO_MEMORY. Copied. */
LB_PUBLIC lb_status lb_objects_configure(lb_runtime *runtime,
                                         const lb_object_options *options);

/* Events since the runtime was made or lb_counters_reset, with `counting`;
 * without it only the figures of the last group are kept. */
typedef struct lb_counters {
    uint64_t gets;             /* look-ups of an attribute of an instance  */
    uint64_t instance_lookups; /* instance dictionaries that were asked    */
    uint64_t saved_lookups;    /* instance dictionaries that were not, since
                                  the name was not marked                   */
    uint64_t class_lookups;    /* class dictionaries that were asked       */
    uint64_t probes;           /* keys compared in either                  */
    uint64_t class_searches;   /* walks along a class's order              */
    uint64_t hits;             /* answers of a table; of them "not found": */
    uint64_t negative_hits;
    uint64_t misses;         /* questions that a table could not answer    */
    uint64_t not_found;      /* gets that found nothing                    */
    uint64_t generations;    /* begun; the first is 1                      */
    uint64_t cleared_tables; /* of a class, at its first use in a new one  */
    uint64_t excluded;       /* names whose class attribute changed        */
    uint64_t dropped;        /* cells that a change dropped                */
    /* now */
    uint64_t numbered; /* names (or places) that got a number, once each   */
    uint64_t symbols;  /* interned                                         */
    uint64_t tables;   /* that exist                                       */
    uint64_t cells;    /* of them filled                                   */
    uint64_t bytes_tables;       /* tables: per class or per name          */
    uint64_t bytes_dictionaries; /* of classes                             */
    uint64_t bytes_symbols;      /* with their texts                       */
} lb_counters;

/* Copies the counters to `result` (not NULL), in a time linear in the number of
 * symbols; the second sets those of events back to zero. Any thread. */
LB_PUBLIC lb_status lb_get_counters(lb_runtime *runtime, lb_counters *result);
LB_PUBLIC lb_status lb_counters_reset(lb_runtime *runtime);

#ifdef __cplusplus
}
#endif
#endif
