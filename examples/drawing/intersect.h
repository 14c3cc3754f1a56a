/* The generic functions on shapes.
 *
 * `intersect` is the heart of the job: where do two shapes meet? It finds its
 * method by the classes of both. A header declares it, so a plug-in that is
 * compiled much later calls it, and adds to it, like everyone else. */
#ifndef DRAWING_INTERSECT_H
#define DRAWING_INTERSECT_H

#include "objects.h"

/* Adds the points that two shapes share to `found`. */
LB_GENERIC(pair_status, intersect, (ON, const shape *, a),
           (ON, const shape *, b), (WITH, hits *, found));

/* The shape in the form that the general search works on. */
LB_GENERIC(trace, traced, (ON, const shape *, s));

/* The same shape as a new object of another class, or NULL when there is no
 * other form for it. Without plug-ins there is none. */
LB_GENERIC(shape *, restated, (ON, const shape *, s));

/* Binds the three to the runtime of `classes` and adds their methods. They
 * are unbound again when that runtime ends. */
lb_status intersect_install(const shape_classes *classes);

#endif
