/* A plug-in for the drawing job: splines, and a short cut for cubics.
 *
 * Compiled separately, it brings to the running host
 *
 *   - the class `spline`, a segment: a Catmull-Rom curve, which passes through
 *     its points one after the other, but for the first and the last;
 *   - rules by which a spline meets anything: each of its spans is a cubic,
 *     and cubics the host knows;
 *   - a way to restate a cubic as a spline of one span, so that there are
 *     some;
 *   - for two cubics, a test that often spares the host's search: when a line
 *     along either chord has the two on different sides, they cannot meet. It
 *     goes before the host's method, which is its next.
 *
 * The host's code knows none of this. */
#include "intersect.h"

#include <math.h>
#include <stdlib.h>

typedef struct spline_shape {
    shape base;
    box bounds;
    point points[4]; /* one span: from the second to the third */
} spline_shape;

/* What the methods need to know; found in their entries as the context. */
typedef struct spline_plugin {
    lb_class *cubic;
    lb_class *spline;
} spline_plugin;

/* ---- Splines and cubics ------------------------------------------------ */

/* p + (a - b) * by */
static point moved(point p, point a, point b, double by)
{
    const point q = {p.x + (a.x - b.x) * by, p.y + (a.y - b.y) * by};
    return q;
}

static cubic cubic_of(const spline_shape *s)
{
    const point *p = s->points;
    return cubic_make(p[1], moved(p[1], p[2], p[0], 1.0 / 6),
                      moved(p[2], p[1], p[3], 1.0 / 6), p[2]);
}

LB_METHOD(restated, spline_of_cubic);
static shape *spline_of_cubic(lb_slot slot, const shape *s)
{
    LB_SELF(restated, spline_of_cubic, slot, s);
    const spline_plugin *own = self->context;
    spline_shape *made = lb_new(own->spline);
    if (made == NULL)
        return NULL;
    const point *p = as_cubic(s)->p;
    made->bounds = as_cubic(s)->bounds;
    made->points[0] = moved(p[3], p[0], p[1], 6);
    made->points[1] = p[0];
    made->points[2] = p[3];
    made->points[3] = moved(p[0], p[3], p[2], 6);
    return &made->base;
}

/* The cubic that stands for a spline, as an object of the caller's. */
static void stand_in(const spline_plugin *own, const shape *s, cubic_shape *out)
{
    lb_init(own->cubic, out);
    out->data = cubic_of((const spline_shape *)s);
}

LB_METHOD(intersect, meet_spline_first);
static pair_status meet_spline_first(lb_slot slot, const shape *a,
                                     const shape *b, hits *found)
{
    LB_SELF(intersect, meet_spline_first, slot, a, b, found);
    cubic_shape span;
    stand_in(self->context, a, &span);
    return intersect(&span.base, b, found);
}

LB_METHOD(intersect, meet_spline_second);
static pair_status meet_spline_second(lb_slot slot, const shape *a,
                                      const shape *b, hits *found)
{
    LB_SELF(intersect, meet_spline_second, slot, a, b, found);
    cubic_shape span;
    stand_in(self->context, b, &span);
    return intersect(a, &span.base, found);
}

/* ---- Two cubics -------------------------------------------------------- */

/* The stretch that four points cover across the direction from `a` to `b`. */
static void across(const point *p, point a, point b, double *low, double *high)
{
    const double nx = a.y - b.y, ny = b.x - a.x;
    *low = INFINITY;
    *high = -INFINITY;
    for (int i = 0; i < 4; i++) {
        const double d = (p[i].x - a.x) * nx + (p[i].y - a.y) * ny;
        *low = fmin(*low, d);
        *high = fmax(*high, d);
    }
}

/* Whether a line along the chord of `a` keeps the two safely apart. */
static bool parted(const cubic *a, const cubic *b)
{
    const point from = a->p[0], to = a->p[3];
    const double margin = GEOMETRY_SAME * hypot(to.x - from.x, to.y - from.y);
    double low_a, high_a, low_b, high_b;
    across(a->p, from, to, &low_a, &high_a);
    across(b->p, from, to, &low_b, &high_b);
    return high_a + margin < low_b || high_b + margin < low_a;
}

LB_METHOD(intersect, meet_cubics);
static pair_status meet_cubics(lb_slot slot, const shape *a, const shape *b,
                               hits *found)
{
    const cubic *p = as_cubic(a), *q = as_cubic(b);
    if (boxes_apart(&p->bounds, &q->bounds) || parted(p, q) || parted(q, p))
        return PAIR_DONE;
    LB_SELF(intersect, meet_cubics, slot, a, b, found);
    return lb_next_intersect(self, a, b, found);
}

/* ---- Coming and going -------------------------------------------------- */

/* Adds the rule of a method for two classes; for one when `b` is NULL. */
static lb_status add(lb_group *group, const lb_head *head,
                     const lb_method *method, lb_class *a, lb_class *b,
                     spline_plugin *own)
{
    const lb_specializer classes[2] = {lb_is(a), lb_is(b)};
    const lb_rule rule = {.method = method,
                          .specializers = classes,
                          .count = b ? 2 : 1,
                          .context = own};
    return lb_group_add(group, head->generic, &rule, 1);
}

/* A spline first, a spline second, and then the pairs for which two rules
 * would be as good as each other: two splines, and a spline with a polygon,
 * which the host takes apart too. The search is not quite the same both ways
 * round, so these rules keep the arguments' order. */
static lb_status add_rules(lb_runtime *runtime, lb_group *group,
                           spline_plugin *own)
{
    const lb_head *meet = LB_HEAD(intersect);
    const lb_method *first = LB_DESCRIPTOR(meet_spline_first);
    const lb_method *second = LB_DESCRIPTOR(meet_spline_second);
    lb_class *spline = own->spline, *curved = own->cubic;
    lb_class *any = lb_class_find(runtime, "shape");
    lb_class *edged = lb_class_find(runtime, "polygon");
    lb_status s;
    if (any == NULL || edged == NULL || curved == NULL)
        return LB_NOT_FOUND;
    if ((s = add(group, meet, first, spline, any, own)) != LB_OK ||
        (s = add(group, meet, second, any, spline, own)) != LB_OK ||
        (s = add(group, meet, first, spline, spline, own)) != LB_OK ||
        (s = add(group, meet, first, spline, edged, own)) != LB_OK ||
        (s = add(group, meet, second, edged, spline, own)) != LB_OK ||
        (s = add(group, meet, LB_DESCRIPTOR(meet_cubics), curved, curved,
                 own)) != LB_OK)
        return s;
    return add(group, LB_HEAD(restated), LB_DESCRIPTOR(spline_of_cubic), curved,
               NULL, own);
}

static void unload(lb_runtime *runtime, void *data)
{
    spline_plugin *own = data;
    (void)runtime;
    lb_class_destroy(own->spline);
    free(own);
}

static lb_status load(lb_runtime *runtime, lb_group *group, void **data)
{
    lb_class *segment = lb_class_find(runtime, "segment");
    spline_plugin *own = calloc(1, sizeof *own);
    if (own == NULL)
        return LB_NO_MEMORY;
    own->cubic = lb_class_find(runtime, "cubic");
    own->spline =
        lb_class_make(runtime, "spline", sizeof(spline_shape), segment, NULL);
    const lb_status status =
        own->spline ? add_rules(runtime, group, own) : LB_NO_MEMORY;
    if (status != LB_OK) { /* the class, if any, ends with the runtime */
        free(own);
        return status;
    }
    *data = own;
    return LB_OK;
}

LB_PLUGIN("spline", load, unload);
