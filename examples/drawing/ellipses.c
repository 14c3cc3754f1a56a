/* Lines against ellipses, and circles against circles, whole or in part.
 *
 * Whole or part differ in one test only, `holds`: a point of the ellipse is
 * on the arc from S to E if it lies on the outer side of the chord S-E, which
 * needs no angle.  Every pair goes in two steps:
 *   1. Ends of either that lie on the other are taken as they stand, so that
 *      neighbours in a path meet exactly, however low their angle.
 *   2. The crossings of the endless line and the whole ellipses follow from a
 *      closed formula and count if both pieces hold them.
 *
 * Line and ellipse: for the line n.x = d (n a unit normal, x from the centre,
 * in the ellipse's own axes) the tangents with that normal are at distance
 * h = |(rx nx, ry ny)|.  Scaling the ellipse to the unit circle turns the
 * line into one at distance d/h with normal (rx nx, ry ny)/h. */
#include "vector.h"

#define TOLERANCE GEOMETRY_TOLERANCE

/* A line with its unit direction. */
typedef struct ruler {
    const line *line;
    point along;
    double length;
} ruler;

static bool ruler_make(ruler *out, const line *l)
{
    point d = sub(l->b, l->a);
    out->line = l;
    out->length = length(d);
    if (!(out->length > TOLERANCE))
        return false;
    out->along = scaled(d, 1 / out->length);
    return true;
}

static bool within(const ruler *r, point p)
{
    double u = dot(r->along, sub(p, r->line->a));
    return u >= -TOLERANCE && u <= r->length + TOLERANCE;
}

static bool on_line(const ruler *r, point p)
{
    return fabs(cross(r->along, sub(p, r->line->a))) <= TOLERANCE &&
           within(r, p);
}

/* `p` (a vector) as seen in the axes of the ellipse, and back. */
static point to_axes(const axes *e, point p)
{
    return vec(e->cosine * p.x + e->sine * p.y,
               e->cosine * p.y - e->sine * p.x);
}

static point from_axes(const axes *e, point p)
{
    return vec(e->cosine * p.x - e->sine * p.y,
               e->sine * p.x + e->cosine * p.y);
}

/* Whether `p` lies on the whole ellipse: its implicit equation over the
 * length of the gradient is the distance, to first order. */
static bool on_axes(const axes *e, point p)
{
    point q = to_axes(e, sub(p, e->centre));
    point u = vec(q.x / e->rx, q.y / e->ry);
    point gradient = vec(2 * u.x / e->rx, 2 * u.y / e->ry);
    return fabs(dot(u, u) - 1) <= TOLERANCE * length(gradient);
}

/* Whether the arc holds `p`, a point of its ellipse. */
static bool holds(const arc *part, point p)
{
    double side = cross(sub(part->b, part->a), sub(p, part->a));
    return (part->sweep > 0 ? side < 0 : side > 0) ||
           near(p, part->a, TOLERANCE) || near(p, part->b, TOLERANCE);
}

/* ---- Line and ellipse ------------------------------------------------ */

/* The crossings of the endless line with the ellipse: 0, 1 or 2 of them. */
static int line_axes(const ruler *r, const axes *e, point found[2])
{
    point normal = to_axes(e, vec(-r->along.y, r->along.x));
    double d = dot(normal, to_axes(e, sub(r->line->a, e->centre)));
    point n = vec(e->rx * normal.x, e->ry * normal.y);
    double h = length(n);
    if (fabs(d) > h + TOLERANCE)
        return 0;
    bool touch = fabs(d) >= h - TOLERANCE;
    n = scaled(n, 1 / h);
    double c = touch ? copysign(1, d) : d / h;
    double s = touch ? 0 : sqrt(1 - c * c);
    for (int i = 0; i < 2; i++, s = -s) {
        point unit = vec(c * n.x - s * n.y, c * n.y + s * n.x);
        point p = from_axes(e, vec(e->rx * unit.x, e->ry * unit.y));
        found[i] = add(e->centre, p);
    }
    return touch ? 1 : 2;
}

/* `part` is NULL for the whole ellipse. */
static pair_status line_part(const line *l, const axes *e, const arc *part,
                             hits *out)
{
    ruler r;
    if (!ruler_make(&r, l))
        return PAIR_DECLINED;
    int failed = 0;
    if (part && on_line(&r, part->a))
        failed |= hits_add(out, part->a);
    if (part && on_line(&r, part->b))
        failed |= hits_add(out, part->b);
    if (on_axes(e, l->a) && (!part || holds(part, l->a)))
        failed |= hits_add(out, l->a);
    if (on_axes(e, l->b) && (!part || holds(part, l->b)))
        failed |= hits_add(out, l->b);
    point found[2];
    int count = line_axes(&r, e, found);
    for (int i = 0; i < count; i++)
        if (within(&r, found[i]) && (!part || holds(part, found[i])))
            failed |= hits_add(out, found[i]);
    return failed ? PAIR_NO_MEMORY : PAIR_DONE;
}

pair_status line_ellipse(const line *a, const ellipse *b, hits *out)
{
    if (boxes_apart(&a->bounds, &b->bounds))
        return PAIR_DONE;
    return line_part(a, &b->frame, NULL, out);
}

pair_status line_circle(const line *a, const circle *b, hits *out)
{
    return line_ellipse(a, &b->base, out);
}

pair_status line_arc(const line *a, const arc *b, hits *out)
{
    if (boxes_apart(&a->bounds, &b->bounds))
        return PAIR_DONE;
    return line_part(a, &b->frame, b, out);
}

/* ---- Circles --------------------------------------------------------- */

static bool circular(const axes *e)
{
    return fabs(e->rx - e->ry) <= 1e-3 * TOLERANCE;
}

static bool same_circle(const axes *a, const axes *b)
{
    return near(a->centre, b->centre, TOLERANCE) &&
           fabs(a->rx - b->rx) <= TOLERANCE;
}

/* The points two different circles share: 0, 1 or 2 of them. */
static int circles_cross(const axes *a, const axes *b, point found[2])
{
    point between = sub(b->centre, a->centre);
    double d = length(between);
    double outer = d - (a->rx + b->rx), inner = fabs(a->rx - b->rx) - d;
    if (outer > TOLERANCE || inner > TOLERANCE || d == 0)
        return 0;
    point along = scaled(between, 1 / d);
    if (outer >= -TOLERANCE || inner >= -TOLERANCE) {
        bool within_b = outer < -TOLERANCE && a->rx < b->rx;
        found[0] = add_scaled(a->centre, along, within_b ? -a->rx : a->rx);
        return 1;
    }
    double u = 0.5 * (d + (a->rx - b->rx) * (a->rx + b->rx) / d);
    double v = sqrt(fmax(0, (a->rx - u) * (a->rx + u)));
    point foot = add_scaled(a->centre, along, u);
    found[0] = add_scaled(foot, vec(-along.y, along.x), v);
    found[1] = add_scaled(foot, vec(-along.y, along.x), -v);
    return 2;
}

/* Adds the ends of `part` that lie on `whole` (within `other`, if any). */
static int ends_on(const arc *part, const axes *whole, const arc *other,
                   hits *out)
{
    int failed = 0;
    if (on_axes(whole, part->a) && (!other || holds(other, part->a)))
        failed |= hits_add(out, part->a);
    if (on_axes(whole, part->b) && (!other || holds(other, part->b)))
        failed |= hits_add(out, part->b);
    return failed;
}

/* Two circles, of which only the arcs `pa`, `pb` count unless NULL. */
static pair_status circles(const axes *a, const arc *pa, const axes *b,
                           const arc *pb, hits *out)
{
    int failed = 0;
    if (pa)
        failed |= ends_on(pa, b, pb, out);
    if (pb)
        failed |= ends_on(pb, a, pa, out);
    point found[2];
    int count = same_circle(a, b) ? 0 : circles_cross(a, b, found);
    for (int i = 0; i < count; i++)
        if ((!pa || holds(pa, found[i])) && (!pb || holds(pb, found[i])))
            failed |= hits_add(out, found[i]);
    return failed ? PAIR_NO_MEMORY : PAIR_DONE;
}

pair_status circle_circle(const circle *a, const circle *b, hits *out)
{
    if (boxes_apart(&a->base.bounds, &b->base.bounds))
        return PAIR_DONE;
    if (same_circle(&a->base.frame, &b->base.frame))
        return PAIR_DECLINED;
    return circles(&a->base.frame, NULL, &b->base.frame, NULL, out);
}

pair_status arc_circle(const arc *a, const circle *b, hits *out)
{
    if (boxes_apart(&a->bounds, &b->base.bounds))
        return PAIR_DONE;
    if (!circular(&a->frame))
        return PAIR_DECLINED;
    return circles(&a->frame, a, &b->base.frame, NULL, out);
}

pair_status arc_arc(const arc *a, const arc *b, hits *out)
{
    if (boxes_apart(&a->bounds, &b->bounds))
        return PAIR_DONE;
    if (!circular(&a->frame) || !circular(&b->frame))
        return PAIR_DECLINED;
    return circles(&a->frame, a, &b->frame, b, out);
}
