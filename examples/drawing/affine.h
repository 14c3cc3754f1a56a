/* Affine maps of the plane, and the SVG notation for them. */
#ifndef DRAWING_AFFINE_H
#define DRAWING_AFFINE_H

#include "geometry.h"

/* Takes (x, y) to (a x + c y + e, b x + d y + f), the order of SVG. */
typedef struct affine {
    double a, b, c, d, e, f;
} affine;

/* The map that leaves every point where it is. */
affine affine_identity(void);

/* First `inner`, then `outer`. */
affine affine_join(const affine *outer, const affine *inner);

point affine_apply(const affine *map, point p);

/* Whether the map takes lines along the axes to lines along the axes. */
bool affine_keeps_axes(const affine *map);

/* The ellipse that an ellipse becomes.  `*turn` and `*mirrored` say how its
 * angles change: w becomes w + *turn, and if mirrored, the negative of that.
 * A singular map leaves a radius of zero, for the caller to refuse. */
typedef struct mapped_axes {
    point centre;
    double rx, ry, rotation, turn;
    bool mirrored;
} mapped_axes;

mapped_axes affine_ellipse(const affine *map, point centre, double rx,
                           double ry, double rotation);

/* Reads a `transform` attribute: any of matrix, translate, scale, rotate,
 * skewX, skewY, in sequence.  NULL on success; otherwise the reason, a
 * constant string, and *at_fault points into `text`. */
const char *affine_read(const char *text, affine *out, const char **at_fault);

#endif
