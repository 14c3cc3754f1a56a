/* core/runtime.h - what a runtime is made of.
 *
 * Rooms above core hang themselves in through `observers`: core tells of
 * changes to classes and asks for sweeps, and knows nothing of rules.
 */
#ifndef LBI_CORE_RUNTIME_H
#define LBI_CORE_RUNTIME_H

#include "base/alloc.h"
#include "base/atomic.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/status.h"
#include "latebind/generic.h"

typedef struct lbi_block lbi_block;
typedef struct lbi_later lbi_later;

enum { LBI_CHUNKS = 27, LBI_FIRST_CHUNK_BITS = 6 };

/* What the rooms above are told, under the lock; NULL: no interest. */
typedef struct lbi_observer {
    /* The linearizations of all classes stamped with `stamp` have changed. */
    void (*relinearized)(lb_runtime *runtime, uint64_t stamp);
    /* A class whose order joins unrelated classes has appeared. */
    void (*joined)(lb_runtime *runtime, lb_class *cls);
    /* A class ends: what hangs on it goes. Its order still stands. */
    void (*ended)(lb_runtime *runtime, lb_class *cls);
    /* An instance with free attributes becomes one of `cls`, or is freed. */
    lb_status (*reclassed)(lb_runtime *runtime, void *object, lb_class *cls);
    void (*deleted)(lb_runtime *runtime, void *object);
    /* Forget every key with a class in runtime->dying; they are gone. */
    void (*sweep)(lb_runtime *runtime);
    /* Retire entries and rules that nothing reaches any more. */
    void (*collect)(lb_runtime *runtime);
    void (*count)(lb_runtime *runtime, lb_statistics *result);
    void (*end)(lb_runtime *runtime);
    /* The name of a generic function with a rule that names `cls`. */
    const char *(*user_of)(lb_runtime *runtime, const lb_class *cls);
    /* After all that, without the lock. */
    void (*close)(lb_runtime *runtime);
} lbi_observer;

/* The rooms that observe, in the order in which they are told. */
enum { LBI_GENERICS, LBI_OBJECTS, LBI_OBSERVERS };

/* Tells every room that wants to know: lbi_tell(runtime, sweep, runtime). */
#define lbi_tell(runtime, event, ...)                                          \
    do {                                                                       \
        for (int room_ = 0; room_ < LBI_OBSERVERS; room_++)                    \
            if ((runtime)->observers[room_] &&                                 \
                (runtime)->observers[room_]->event)                            \
                (runtime)->observers[room_]->event(__VA_ARGS__);               \
    } while (0)

struct lb_runtime {
    lbi_allocator allocator;
    pthread_mutex_t allocator_mutex;
    lbi_lock lock;
    lb_config config;
    const lbi_observer *observers[LBI_OBSERVERS]; /* NULL: not in use yet */

    /* classes */
    lb_class **chunks[LBI_CHUNKS]; /* by serial; a chunk never moves */
    uint32_t serial_limit;         /* serials below it were given out once */
    uint32_t *free_serials;        /* to be given out again */
    size_t free_serial_count, free_serial_capacity;
    lb_class *first_class, *last_class;
    lbi_map class_names;
    size_t class_count, unnumbered_count, id_count;
    size_t joined_count;    /* classes with several bases            */
    size_t irregular_count; /* classes whose order mixes up a base's */
    uint64_t orders;        /* changes of what is in which order, so far */
    size_t class_bytes;
    uint32_t unnumbered; /* the id of classes that got none */
    lb_class *stand_in;  /* what that id says: this runtime */
    uint64_t stamp;      /* the last mark used on classes */
    lb_class *dying;     /* destroyed, still in keys of tables */
    size_t dying_count;

    /* generic functions: kept by the room above */
    struct lb_generic *first_generic;
    struct lb_group *first_group;
    struct lb_plugin *first_plugin;
    lbi_map generic_names;
    size_t generic_count;

    struct lbi_space *space; /* attributes: kept by the room above; atomic */

    /* reclamation */
    lb_reader *first_reader;
    uint64_t epoch;                    /* atomic */
    lbi_block *retired, *last_retired; /* oldest first */
    size_t retired_bytes;
    bool quiescing; /* lb_quiesce: everything may go */
    bool ending;    /* lb_runtime_destroy: tables are gone already */

    lbi_later *later, **later_end; /* to be called without the lock */
    uint32_t working; /* threads that make such calls now; atomic */

    uint64_t misses, second_level, resolutions, changes, growths; /* atomic */
};

/* Takes the lock; LB_REENTERED (with a message) from inside a hook. */
lb_status lbi_enter_runtime(lb_runtime *runtime);
/* Gives back what can be given back, releases the lock, makes the calls that
 * wait for that. Returns `status`. */
lb_status lbi_leave_runtime(lb_runtime *runtime, lb_status status);

/* Only releases the lock: what a look-up has found stays, until somebody
 * changes something. */
void lbi_leave_quietly(lb_runtime *runtime);

/* A call to be made once the lock is free. The item is memory of its maker;
 * `call` may free it. */
struct lbi_later {
    lbi_later *next;
    void (*call)(lb_runtime *runtime, lbi_later *self);
};
void lbi_call_later(lb_runtime *runtime, lbi_later *item);

/* Waits until no thread makes such calls any more. Not from inside one. */
void lbi_wait_for_hooks(const lb_runtime *runtime);

/* Reports to the configured hook once the lock is free, or drops the report
 * when there is no memory. */
void lbi_report_later(lb_runtime *runtime, lb_status status, const char *text);

#endif
