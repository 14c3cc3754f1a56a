/* Shapes as objects: plain geometry behind the header that says its class.
 *
 * The classes (the indented derive from the one above):
 *
 *     shape
 *       segment
 *         line
 *         curve
 *           quadratic, cubic, arc
 *       outline
 *         polygon
 *           rect
 *         ellipse
 *           circle
 *
 * Only those in `shape_kind` have instances here; a plug-in may add more. An
 * object of a special class is laid out like one of the more general class,
 * because the geometry is: whatever works for an ellipse takes a circle. */
#ifndef DRAWING_OBJECTS_H
#define DRAWING_OBJECTS_H

#include "geometry.h"

#include <latebind/latebind.h>

/* The classes that a drawing is made of. */
typedef enum shape_kind {
    SHAPE_LINE,
    SHAPE_QUADRATIC,
    SHAPE_CUBIC,
    SHAPE_ARC,
    SHAPE_POLYGON,
    SHAPE_RECT,
    SHAPE_ELLIPSE,
    SHAPE_CIRCLE,
    SHAPE_KINDS
} shape_kind;

/* What every object opens with; its geometry follows. */
typedef struct shape {
    lb_header head;
} shape;

typedef struct line_shape {
    shape base;
    line data;
} line_shape;

typedef struct quadratic_shape {
    shape base;
    quadratic data;
} quadratic_shape;

typedef struct cubic_shape {
    shape base;
    cubic data;
} cubic_shape;

typedef struct arc_shape {
    shape base;
    arc data;
} arc_shape;

/* A polygon or a rect. The edges are made once, with the object; owned. */
typedef struct polygon_shape {
    shape base;
    rect data; /* of a polygon, only `data.base`; owns the points */
    line_shape *edges;
    size_t edge_count;
} polygon_shape;

/* An ellipse or a circle. */
typedef struct ellipse_shape {
    shape base;
    circle data; /* of an ellipse, only `data.base` */
} ellipse_shape;

/* The classes of one runtime, which owns them. */
typedef struct shape_classes {
    lb_runtime *runtime;
    lb_class *shape, *segment, *curve, *outline;
    lb_class *of[SHAPE_KINDS];
} shape_classes;

/* Makes the classes. LB_OK, or why not (lb_message). */
lb_status shape_classes_make(lb_runtime *runtime, shape_classes *out);

/* The name of a kind, which is also that of its class. */
const char *shape_kind_name(shape_kind kind);

/* The kind of an object, or SHAPE_KINDS when a plug-in made its class. */
shape_kind shape_kind_of(lb_runtime *runtime, const shape *s);

/* New objects with a copy of the geometry, or NULL when out of memory. */
shape *line_new(const shape_classes *classes, const line *from);
shape *quadratic_new(const shape_classes *classes, const quadratic *from);
shape *cubic_new(const shape_classes *classes, const cubic *from);
shape *arc_new(const shape_classes *classes, const arc *from);
shape *polygon_new(const shape_classes *classes, const polygon *from);
shape *rect_new(const shape_classes *classes, const rect *from);
shape *ellipse_new(const shape_classes *classes, const ellipse *from);
shape *circle_new(const shape_classes *classes, const circle *from);

/* Ends an object of any of the classes; NULL is allowed. */
void shape_free(const shape_classes *classes, shape *s);

/* ---- From an object to its geometry ---------------------------------- */

static inline const line *as_line(const shape *s)
{
    return &((const line_shape *)s)->data;
}

static inline const quadratic *as_quadratic(const shape *s)
{
    return &((const quadratic_shape *)s)->data;
}

static inline const cubic *as_cubic(const shape *s)
{
    return &((const cubic_shape *)s)->data;
}

static inline const arc *as_arc(const shape *s)
{
    return &((const arc_shape *)s)->data;
}

static inline const rect *as_rect(const shape *s)
{
    return &((const polygon_shape *)s)->data;
}

static inline const polygon *as_polygon(const shape *s)
{
    return &as_rect(s)->base;
}

static inline const circle *as_circle(const shape *s)
{
    return &((const ellipse_shape *)s)->data;
}

static inline const ellipse *as_ellipse(const shape *s)
{
    return &as_circle(s)->base;
}

/* The box of any shape: all geometry opens with it. */
static inline const box *bounds_of(const shape *s)
{
    return &as_line(s)->bounds;
}

#endif
