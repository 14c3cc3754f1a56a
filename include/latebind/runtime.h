/* latebind/runtime.h - a world of classes and generic functions.
 *
 * A process may have any number of runtimes; they share nothing but the pool
 * of class ids, so an object of one is refused by the other, never mistaken.
 * Ownership: the runtime owns its classes, generic functions and groups;
 * strings and arrays that are handed in are copied.
 */
#ifndef LATEBIND_RUNTIME_H
#define LATEBIND_RUNTIME_H

#include "latebind/status.h"
#include "latebind/value.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_runtime lb_runtime;
typedef struct lb_class lb_class;
typedef struct lb_reader lb_reader;

/* The allocation hook. One function serves all three needs:
 *   pointer NULL           allocate `new_size` bytes, aligned for any type
 *   new_size 0             release `pointer` (of `old_size` bytes), return NULL
 *   both                   resize, keeping the content
 * It returns NULL when it cannot, leaving `pointer` as it was. It must not call
 * into that runtime. It is called by whatever thread calls the runtime, but
 * never by two at a time. */
typedef void *(*lb_reallocate_fn)(void *context, void *pointer, size_t old_size,
                                  size_t new_size);

/* Receives reports: an ambiguity found at a definition, a failed typed call
 * without a fallback. Called without the lock, by the thread that caused it. */
typedef void (*lb_report_fn)(void *context, lb_status status,
                             const char *message);

/* Says which class a value is of, e.g. a tagged immediate of an interpreter;
 * NULL: none. It is asked for every value: for one that points to a header let
 * it return lb_class_of(runtime, value.pointer). Used by boxed generic functions. Called without
 * the lock, from any thread that calls. */
typedef lb_class *(*lb_class_of_fn)(void *context, lb_value value);

typedef enum lb_threading {
    LB_MULTI_THREADED = 0, /* any thread may call and change                */
    LB_SINGLE_THREADED = 1 /* one thread at a time; no lock; frees at once  */
} lb_threading;

/* When memory that a running call may still hold is given back. */
typedef enum lb_reclaim {
    LB_RECLAIM_QUIESCE = 0, /* when the caller states lb_quiesce            */
    LB_RECLAIM_EPOCH = 1    /* when every reader has left; all dispatch must
                               then happen between lb_enter and lb_leave    */
} lb_reclaim;

typedef struct lb_config {
    uint32_t abi; /* LB_ABI of the caller's headers */
    lb_threading threading;
    lb_reclaim reclaim;
    lb_reallocate_fn reallocate; /* NULL: realloc and free of libc */
    void *allocator_context;
    lb_report_fn report; /* NULL: only lb_message keeps the last one */
    void *report_context;
    lb_class_of_fn class_of; /* NULL: values are pointers to headers */
    void *class_of_context;
    uint32_t max_classes;  /* living at once; 0: 2^32 - 2            */
    uint32_t max_ids;      /* class ids this runtime may hold; 0: all */
    uint32_t max_generics; /* 0: no limit                            */
    uint32_t max_rules;    /* per generic function; 0: no limit      */
} lb_config;

/* Memory and events of a runtime, all in bytes or counts since creation. The
 * counts of calls are approximate while several threads miss at once. */
typedef struct lb_statistics {
    size_t bytes;          /* held now, everything                       */
    size_t bytes_classes;  /* of it: classes and their linearizations    */
    size_t bytes_tables;   /* live tables with entry words, second level */
    size_t bytes_entries;  /* entries and rules                          */
    size_t bytes_retired;  /* replaced, waiting for quiescence           */
    size_t classes;        /* living                                     */
    size_t ids;            /* class ids held                             */
    size_t unnumbered;     /* living classes that got no id              */
    size_t generics;       /* living                                     */
    size_t rules;          /* defined now                                */
    size_t cells;          /* resolved keys in first-level tables        */
    size_t displaced;      /* resolved keys in the second level          */
    uint64_t misses;       /* calls that went the slow way               */
    uint64_t second_level; /* of them: answered by the second level      */
    uint64_t resolutions;  /* of them: resolved from the rules           */
    uint64_t changes;      /* definitions that changed a generic         */
    uint64_t growths;      /* tables replaced by larger or denser ones   */
} lb_statistics;

/* Sets `config` to the defaults: multi-threaded, quiesce, libc, no limits. */
LB_PUBLIC void lb_config_init_abi(lb_config *config, uint32_t abi);
#define lb_config_init(config) lb_config_init_abi((config), LB_ABI)

/* Makes a runtime.
 * config  NULL for the defaults of the library itself
 * result  receives the runtime, to be ended by lb_runtime_destroy
 * Errors: LB_BAD_ABI, LB_BAD_ARGUMENT, LB_LIMIT (no class id is left for the
 * runtime itself), LB_NO_MEMORY. Any thread. */
LB_PUBLIC lb_status lb_runtime_create(const lb_config *config,
                                      lb_runtime **result);

/* Ends a runtime: all its classes, generic functions and groups go; typed
 * generic functions become unbound. No call may be in flight and no object of
 * it may be dispatched on afterwards. Release hooks are called; those of
 * values and attributes may free objects (lb_delete, lb_object_clear), those of
 * classes and rules must not call it. NULL is allowed. */
LB_PUBLIC void lb_runtime_destroy(lb_runtime *runtime);

/* States that at this moment no dispatch of this runtime is in flight in any
 * thread: no call between its look-up and its return, no method running that
 * will still use its entry. Everything retired is given back, ids of
 * destroyed classes return to the pool. What release hooks give up meanwhile
 * waits for the next time. Cost: linear in the live cells. */
LB_PUBLIC lb_status lb_quiesce(lb_runtime *runtime);

/* Epoch scheme. A thread that dispatches registers once, brackets its calls
 * (one or many) by lb_enter and lb_leave (changes of classes and rules may be
 * made inside and outside), and unregisters. Brackets nest. In a
 * single-threaded runtime a bracket keeps everything a method may still use
 * alive while that method changes its own generic function.
 * lb_enter and lb_leave: no lock, some nanoseconds, never fail.
 * Errors of lb_reader_create: LB_BAD_ARGUMENT (also for a multi-threaded
 * runtime without LB_RECLAIM_EPOCH), LB_NO_MEMORY; of
 * lb_reader_destroy (NULL is allowed): LB_BUSY inside a bracket. */
LB_PUBLIC lb_status lb_reader_create(lb_runtime *runtime, lb_reader **result);
LB_PUBLIC lb_status lb_reader_destroy(lb_reader *reader);
LB_PUBLIC void lb_enter(lb_reader *reader);
LB_PUBLIC void lb_leave(lb_reader *reader);

/* Waits until every reader that is inside a bracket now has left it, then
 * gives back what was retired before. The caller must not be inside one
 * (LB_BUSY). Only with LB_RECLAIM_EPOCH, else LB_BAD_ARGUMENT. Any thread. */
LB_PUBLIC lb_status lb_synchronize(lb_runtime *runtime);

/* Fills `result` (not NULL) with the runtime's figures. Any thread. Cost:
 * linear in the number of generic functions. */
LB_PUBLIC lb_status lb_get_statistics(lb_runtime *runtime,
                                      lb_statistics *result);

#ifdef __cplusplus
}
#endif
#endif
