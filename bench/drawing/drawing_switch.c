/* The drawing job in C, by a switch on the kinds of both arguments.
 *
 * A shape is a pointer to a struct that opens with its kind.  `intersect`
 * switches once, on both kinds combined to one number, and every case casts
 * its arguments and calls the geometry; a case whose function declines goes
 * on to the general search.  This is what one writes by hand when the kinds
 * are known and closed: each new kind is a change to this switch. */
#include "drawing.h"

#include <stdlib.h>
#include <string.h>

/* Opens every object, followed by its plain data, whose alignment it has. */
typedef struct shape {
    _Alignas(double) drawing_kind kind;
} shape;

typedef struct line_shape {
    shape head;
    line data;
} line_shape;

typedef struct quadratic_shape {
    shape head;
    quadratic data;
} quadratic_shape;

typedef struct cubic_shape {
    shape head;
    cubic data;
} cubic_shape;

typedef struct arc_shape {
    shape head;
    arc data;
} arc_shape;

/* `edges` are made once, when loading; owned. */
typedef struct polygon_shape {
    shape head;
    rect data; /* of a polygon, only `data.base` */
    line_shape *edges;
    size_t edge_count;
} polygon_shape;

typedef struct ellipse_shape {
    shape head;
    circle data; /* of an ellipse, only `data.base` */
} ellipse_shape;

/* What one run works with. */
typedef struct work {
    hits found;
    drawing_result *result;
    bool count_calls;
} work;

static pair_status intersect(work *w, const shape *a, const shape *b);

/* ---- Access by kind -------------------------------------------------- */

static const line *as_line(const shape *s)
{
    return &((const line_shape *)s)->data;
}

static const quadratic *as_quadratic(const shape *s)
{
    return &((const quadratic_shape *)s)->data;
}

static const cubic *as_cubic(const shape *s)
{
    return &((const cubic_shape *)s)->data;
}

static const arc *as_arc(const shape *s)
{
    return &((const arc_shape *)s)->data;
}

static const rect *as_rect(const shape *s)
{
    return &((const polygon_shape *)s)->data;
}

static const circle *as_circle(const shape *s)
{
    return &((const ellipse_shape *)s)->data;
}

/* All plain data opens with its box. */
static const box *bounds_of(const shape *s)
{
    return &as_line(s)->bounds;
}

static trace trace_of(const shape *s)
{
    switch (s->kind) {
    case DRAWING_LINE:
        return trace_line(as_line(s));
    case DRAWING_QUADRATIC:
        return trace_quadratic(as_quadratic(s));
    case DRAWING_CUBIC:
        return trace_cubic(as_cubic(s));
    case DRAWING_ARC:
        return trace_arc(as_arc(s));
    default:
        return trace_ellipse(&as_circle(s)->base);
    }
}

/* ---- Methods that take more than one kind ---------------------------- */

static pair_status search(work *w, const shape *a, const shape *b)
{
    if (boxes_apart(bounds_of(a), bounds_of(b)))
        return PAIR_DONE;
    trace ta = trace_of(a), tb = trace_of(b);
    return trace_trace(&ta, &tb, &w->found);
}

/* Each edge of `a` against `b`. */
static pair_status edges(work *w, const shape *a, const shape *b)
{
    const polygon_shape *p = (const polygon_shape *)a;
    if (boxes_apart(&p->data.base.bounds, bounds_of(b)))
        return PAIR_DONE;
    pair_status status = PAIR_DONE;
    for (size_t i = 0; i < p->edge_count && status == PAIR_DONE; i++)
        status = intersect(w, &p->edges[i].head, b);
    return status;
}

/* ---- The dispatch ---------------------------------------------------- */

#define PAIR(a, b) ((a)*DRAWING_KINDS + (b))

/* The function for a pair of kinds; PAIR_DECLINED where there is none but
 * those that take more than one kind. */
static pair_status choose(work *w, const shape *a, const shape *b)
{
    hits *out = &w->found;
    switch (PAIR(a->kind, b->kind)) {
    case PAIR(DRAWING_LINE, DRAWING_LINE):
        return line_line(as_line(a), as_line(b), out);
    case PAIR(DRAWING_LINE, DRAWING_QUADRATIC):
        return line_quadratic(as_line(a), as_quadratic(b), out);
    case PAIR(DRAWING_QUADRATIC, DRAWING_LINE):
        return line_quadratic(as_line(b), as_quadratic(a), out);
    case PAIR(DRAWING_LINE, DRAWING_CUBIC):
        return line_cubic(as_line(a), as_cubic(b), out);
    case PAIR(DRAWING_CUBIC, DRAWING_LINE):
        return line_cubic(as_line(b), as_cubic(a), out);
    case PAIR(DRAWING_LINE, DRAWING_ARC):
        return line_arc(as_line(a), as_arc(b), out);
    case PAIR(DRAWING_ARC, DRAWING_LINE):
        return line_arc(as_line(b), as_arc(a), out);
    case PAIR(DRAWING_LINE, DRAWING_ELLIPSE):
        return line_ellipse(as_line(a), &as_circle(b)->base, out);
    case PAIR(DRAWING_ELLIPSE, DRAWING_LINE):
        return line_ellipse(as_line(b), &as_circle(a)->base, out);
    case PAIR(DRAWING_LINE, DRAWING_CIRCLE):
        return line_circle(as_line(a), as_circle(b), out);
    case PAIR(DRAWING_CIRCLE, DRAWING_LINE):
        return line_circle(as_line(b), as_circle(a), out);
    case PAIR(DRAWING_ARC, DRAWING_ARC):
        return arc_arc(as_arc(a), as_arc(b), out);
    case PAIR(DRAWING_ARC, DRAWING_CIRCLE):
        return arc_circle(as_arc(a), as_circle(b), out);
    case PAIR(DRAWING_CIRCLE, DRAWING_ARC):
        return arc_circle(as_arc(b), as_circle(a), out);
    case PAIR(DRAWING_CIRCLE, DRAWING_CIRCLE):
        return circle_circle(as_circle(a), as_circle(b), out);
    case PAIR(DRAWING_RECT, DRAWING_RECT):
        return rect_rect(as_rect(a), as_rect(b), out);
    default:
        return PAIR_DECLINED;
    }
}

static bool has_edges(const shape *s)
{
    return s->kind == DRAWING_POLYGON || s->kind == DRAWING_RECT;
}

static pair_status intersect(work *w, const shape *a, const shape *b)
{
    if (DRAWING_COUNTS && w->count_calls)
        w->result->calls[a->kind][b->kind]++;
    pair_status status = choose(w, a, b);
    if (status != PAIR_DECLINED)
        return status;
    if (has_edges(a))
        return edges(w, a, b);
    if (has_edges(b))
        return edges(w, b, a);
    return search(w, a, b);
}

/* ---- Objects --------------------------------------------------------- */

typedef struct icon {
    shape **shapes; /* each owned */
    size_t count;
} icon;

/* A new object of `size` bytes of the kind of `from`. */
static void *object(const drawing_shape *from, size_t size)
{
    shape *made = calloc(1, size);
    if (made)
        made->kind = from->kind;
    return made;
}

static shape *polygon_object(const drawing_shape *from)
{
    const polygon *data = &from->as.polygon;
    polygon_shape *made = object(from, sizeof *made);
    if (!made)
        return NULL;
    made->data.base = *data; /* the points stay the collection's */
    made->edge_count = polygon_edge_count(data);
    made->edges = calloc(made->edge_count + 1, sizeof *made->edges);
    if (!made->edges) {
        free(made);
        return NULL;
    }
    for (size_t i = 0; i < made->edge_count; i++) {
        made->edges[i].head.kind = DRAWING_LINE;
        made->edges[i].data = polygon_edge(data, i);
    }
    return &made->head;
}

#define OBJECT(type, from, plain)                                              \
    do {                                                                       \
        type *made = object(from, sizeof *made);                               \
        if (made)                                                              \
            made->data = (plain);                                              \
        return (shape *)made;                                                  \
    } while (0)

static shape *shape_new(const drawing_shape *from)
{
    switch (from->kind) {
    case DRAWING_LINE:
        OBJECT(line_shape, from, from->as.line);
    case DRAWING_QUADRATIC:
        OBJECT(quadratic_shape, from, from->as.quadratic);
    case DRAWING_CUBIC:
        OBJECT(cubic_shape, from, from->as.cubic);
    case DRAWING_ARC:
        OBJECT(arc_shape, from, from->as.arc);
    case DRAWING_POLYGON:
    case DRAWING_RECT:
        return polygon_object(from);
    default:
        OBJECT(ellipse_shape, from, from->as.circle);
    }
}

static void shape_free(shape *s)
{
    if (s && has_edges(s))
        free(((polygon_shape *)s)->edges);
    free(s);
}

static int icon_load(icon *out, const drawing_icon *from)
{
    out->shapes = calloc(from->count + 1, sizeof *out->shapes);
    if (!out->shapes)
        return -1;
    for (; out->count < from->count; out->count++) {
        shape *made = shape_new(&from->shapes[out->count]);
        if (!made)
            return -1;
        out->shapes[out->count] = made;
    }
    return 0;
}

int drawing_switch_load(const drawing_collection *icons, drawing_job *out)
{
    icon *own = calloc(icons->count + 1, sizeof *own);
    memset(out, 0, sizeof *out);
    out->icons = icons;
    out->own = own;
    if (!own)
        return -1;
    for (size_t i = 0; i < icons->count; i++)
        if (icon_load(&own[i], &icons->icons[i]) != 0)
            return -1;
    return 0;
}

void drawing_switch_unload(drawing_job *job)
{
    icon *own = job->own;
    for (size_t i = 0; own && i < job->icons->count; i++) {
        for (size_t k = 0; k < own[i].count; k++)
            shape_free(own[i].shapes[k]);
        free(own[i].shapes);
    }
    free(own);
    job->own = NULL;
}

/* ---- The job --------------------------------------------------------- */

static int icon_run(work *w, const icon *in)
{
    for (size_t i = 0; i < in->count; i++)
        for (size_t k = i + 1; k < in->count; k++) {
            hits_start_pair(&w->found);
            if (intersect(w, in->shapes[i], in->shapes[k]) != PAIR_DONE)
                return -1;
        }
    drawing_take_points(w->result, &w->found);
    return 0;
}

int drawing_switch_run(const drawing_job *job, drawing_result *out)
{
    const icon *own = job->own;
    work w = {.result = out, .count_calls = job->count_calls};
    memset(out, 0, sizeof *out);
    hits_init(&w.found);
    int failed = 0;
    for (size_t i = 0; i < job->icons->count && !failed; i++) {
        failed = icon_run(&w, &own[i]);
        out->shapes += own[i].count;
    }
    out->icons = job->icons->count;
    out->cut_short = w.found.cut_short;
    hits_free(&w.found);
    return failed;
}
