/* trace.h - a recorded program: the attribute accesses of its instances.
 *
 * The format is described in data/traces/README.md. Classes, objects, symbols
 * and places are numbered anew here, from 0 and without gaps, in the order in
 * which the file tells of them.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "lines.h"

#define TRACE_NONE UINT32_MAX

typedef enum trace_kind {
    TRACE_CLASS,        /* `shape`: a class with its dictionary       */
    TRACE_BASES,        /* `shape`: other bases, another order        */
    TRACE_OBJECT,       /* an object of `cls`                         */
    TRACE_OBJECT_CLASS, /* it becomes an instance of `cls`            */
    TRACE_SET,          /* the object's dictionary holds `symbol`     */
    TRACE_DELETE,       /* ... no longer                              */
    TRACE_CLASS_SET,    /* the dictionary of `cls` holds `symbol`     */
    TRACE_CLASS_DELETE, /* ... no longer                              */
    TRACE_GET,          /* look-up on an object                       */
    TRACE_SPECIAL       /* look-up on the class alone                 */
} trace_kind;

/* Where the recorded program found it, by Python's rules. */
typedef enum trace_place {
    TRACE_NOWHERE,
    TRACE_INSTANCE,       /* perhaps also in a class, as plain attribute */
    TRACE_IN_CLASS,       /* no data descriptor, not in the instance     */
    TRACE_DESCRIPTOR,     /* a data descriptor, not in the instance      */
    TRACE_DESCRIPTOR_OVER /* a data descriptor, though in the instance   */
} trace_place;

typedef struct trace_operation {
    uint32_t line;
    uint32_t object; /* TRACE_NONE: an instance without a dictionary */
    uint32_t cls;
    union {
        uint32_t symbol;
        uint32_t shape; /* in trace.shapes */
    };
    uint32_t site;  /* a pair of place and symbol, in 0..site_count */
    uint32_t owner; /* the class that has it; TRACE_NONE: none       */
    uint8_t kind;   /* trace_kind */
    uint8_t place;  /* trace_place */
    uint8_t data;   /* TRACE_CLASS_SET: a data descriptor */
} trace_operation;

/* A part of trace.numbers. */
typedef struct trace_list {
    uint32_t from, count;
} trace_list;

/* What a line K or M says of a class. */
typedef struct trace_shape {
    uint32_t cls;
    trace_list bases, mro; /* of classes; the mro begins with the class */
    trace_list names;      /* of 2 * symbol + (1: a data descriptor) */
} trace_shape;

enum { TRACE_HEAP = 1, TRACE_DICTIONARY = 2 };

typedef struct trace_class {
    char *name;
    uint32_t flags; /* TRACE_HEAP, TRACE_DICTIONARY */
    uint32_t id;    /* in the file */
} trace_class;

typedef struct trace {
    const char *file; /* as given to trace_read */
    trace_operation *operations;
    size_t count;
    trace_shape *shapes;
    size_t shape_count;
    uint32_t *numbers;
    size_t number_count;
    trace_class *classes;
    size_t class_count;
    char **symbols;
    size_t symbol_count;
    size_t object_count;
    size_t site_count;
    size_t gets;        /* among the operations                         */
    size_t left_out;    /* gets on built-in classes, of __class__, ...  */
    size_t unannounced; /* objects whose class changed without a line E */
    uint64_t lines;
} trace;

/* How much of a file is taken; more is refused. */
typedef struct trace_limits {
    line_limits lines;
    size_t operations; /* and at most so many ids of each kind, and 8 times
                          so many numbers in lists */
} trace_limits;

trace_limits trace_default_limits(void);

/* Reads a trace, for trace_free; NULL when something is wrong with it. `file`
 * must stay valid as long as the trace. */
trace *trace_read(FILE *in, const char *file, trace_limits limits, fault *why);
trace *trace_read_file(const char *file, fault *why);
void trace_free(trace *t); /* NULL is allowed */

#endif
