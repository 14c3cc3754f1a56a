/* Sends shapes given in local coordinates to a sink, through an affine map.
 *
 * The kinds change with the map: a rectangle stays one only while its sides
 * run along the axes, a circle only under a similarity.  Pieces of no length
 * are left out. */
#ifndef DRAWING_EMIT_H
#define DRAWING_EMIT_H

#include "affine.h"
#include "sink.h"

typedef struct emitter {
    const sink *to;
    affine map;
} emitter;

/* All return READ_OK, READ_STOPPED, READ_NO_MEMORY, or READ_FAULT for
 * coordinates that are not numbers or beyond GEOMETRY_LIMIT. */
read_status emit_line(const emitter *e, point a, point b);
read_status emit_quadratic(const emitter *e, const point p[3]);
read_status emit_cubic(const emitter *e, const point p[4]);
read_status emit_ellipse(const emitter *e, point centre, double rx, double ry);
read_status emit_polygon(const emitter *e, const point *p, size_t count,
                         bool closed);
read_status emit_rect(const emitter *e, point low, point high);

/* With sides rounded by quarter ellipses: emitted as lines and arcs. */
read_status emit_rounded(const emitter *e, point low, point high, double rx,
                         double ry);

/* The arc in centre form, with the ends the caller knows. */
read_status emit_arc(const emitter *e, const arc *local, double rotation);

#endif
