/* The drawing job, and the form in which each way of doing it is compared.
 *
 * The job: for every icon, intersect every shape with every later shape of
 * the same icon, through one function of two arguments that finds the right
 * geometry by the run-time kinds of both.  All variants call the same
 * functions of examples/drawing/geometry.h and follow the same rules, so that
 * they differ in how they find the function and in nothing else:
 *
 *   1. line with line, quadratic, cubic, arc, ellipse or circle, arc with
 *      arc or circle, circle with circle, rect with rect: the function of
 *      geometry.h named after the pair, in either order of arguments.
 *   2. polygon or rect with anything: each edge, as a line, against the other
 *      through the whole function again; if both have edges, the first
 *      argument's are taken.  A rect pair that declined comes here too.
 *   3. anything else, and what was declined in 1: trace_trace.  Boxes that
 *      are apart end it before the traces are made.
 *
 * A variant has three functions.  `load` turns icons into the variant's own
 * objects, `run` does the job on these and may be repeated, `unload` frees
 * them.  Only `run` is to be timed.  To add a variant, define one more
 * `drawing_variant` and list it in the program that compares them. */
#ifndef BENCH_DRAWING_H
#define BENCH_DRAWING_H

#include "geometry.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Icons as read --------------------------------------------------- */

typedef enum drawing_kind {
    DRAWING_LINE,
    DRAWING_QUADRATIC,
    DRAWING_CUBIC,
    DRAWING_ARC,
    DRAWING_POLYGON,
    DRAWING_RECT,
    DRAWING_ELLIPSE,
    DRAWING_CIRCLE,
    DRAWING_KINDS
} drawing_kind;

/* Name of a kind, as in "cubic". */
const char *drawing_kind_name(drawing_kind kind);

/* Any shape, before a variant has made its own object of it. */
typedef struct drawing_shape {
    drawing_kind kind;
    union {
        struct line line;
        struct quadratic quadratic;
        struct cubic cubic;
        struct arc arc;
        struct polygon polygon; /* owns its points, as `rect` does */
        struct rect rect;
        struct ellipse ellipse;
        struct circle circle;
    } as;
} drawing_shape;

typedef struct drawing_icon {
    drawing_shape *shapes; /* owned by the collection */
    size_t count;
} drawing_icon;

typedef struct drawing_collection {
    drawing_icon *icons;
    size_t count, capacity;
    size_t shapes;   /* in all icons */
    size_t faults;   /* things that could not be read */
    bool show_fault; /* print each to stderr */
} drawing_collection;

/* Finds the SVG files below `folder` that are real files, not links, sorted
 * by path, and reads every `stride`-th of them until `most` are read (0: no
 * limit).  0, or -1 when out of memory or the folder cannot be read.  Free
 * the collection either way. */
int drawing_collect(drawing_collection *out, const char *folder, size_t stride,
                    size_t most);

/* The same for the one file at `path`. */
int drawing_collect_file(drawing_collection *out, const char *path);

void drawing_collection_init(drawing_collection *out);
void drawing_collection_free(drawing_collection *out);

/* ---- Doing the job --------------------------------------------------- */

/* Icons in one variant's own representation. */
typedef struct drawing_job {
    const drawing_collection *icons; /* outlives the job */
    void *own;                       /* the variant's objects */
    bool count_calls;                /* fill in `calls`; not when timing */
} drawing_job;

/* A test for `count_calls` in every call would cost the peers a percent or two
 * while they are timed. So they count only when this is defined as 1, for all
 * files; the program then also compares the counts. Latebind counts without a
 * test, by a method that comes and goes. */
#ifndef DRAWING_COUNTS
#define DRAWING_COUNTS 0
#endif

typedef struct drawing_result {
    size_t icons, shapes;
    uint64_t calls[DRAWING_KINDS][DRAWING_KINDS]; /* of the one function, by
                                                     its arguments' kinds,
                                                     edges included */
    uint64_t points;                              /* intersections found */
    uint64_t checksum;  /* of the points, whatever their order */
    uint64_t cut_short; /* searches that reached their bound */
} drawing_result;

typedef struct drawing_variant {
    const char *name;
    /* 0, or -1 when out of memory; unload either way. */
    int (*load)(const drawing_collection *icons, drawing_job *out);
    /* 0, or -1 when out of memory.  Sets the whole of *out. */
    int (*run)(const drawing_job *job, drawing_result *out);
    void (*unload)(drawing_job *job);
} drawing_variant;

/* Takes the points of one icon into a result and clears the list: counts
 * them and adds up a hash of each, rounded to the tolerance's square root so
 * that a different order of operations gives the same sum. */
void drawing_take_points(drawing_result *result, hits *list);

/* In C, by a switch on both kinds. */
int drawing_switch_load(const drawing_collection *icons, drawing_job *out);
int drawing_switch_run(const drawing_job *job, drawing_result *out);
void drawing_switch_unload(drawing_job *job);

/* In C++, by virtual functions: accept, then visit. */
int drawing_visitor_load(const drawing_collection *icons, drawing_job *out);
int drawing_visitor_run(const drawing_job *job, drawing_result *out);
void drawing_visitor_unload(drawing_job *job);

/* By a generic function of two arguments. One such job at a time. */
int drawing_latebind_load(const drawing_collection *icons, drawing_job *out);
int drawing_latebind_run(const drawing_job *job, drawing_result *out);
void drawing_latebind_unload(drawing_job *job);

#ifdef __cplusplus
}
#endif

#endif
