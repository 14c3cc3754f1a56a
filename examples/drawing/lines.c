/* Pairs of straight things: two lines, two rectangles.
 *
 * Two lines: with unit directions, the cross product is the sine of their
 * angle.  Unless they run along each other (declined), their crossing is
 * where one line's signed distance to the other is zero; it counts when it
 * lies within the tolerance of both pieces.  An end that lies on the other
 * piece is taken as it stands, so that neighbours in a path meet exactly
 * where they were drawn to meet. */
#include "vector.h"

#define TOLERANCE GEOMETRY_TOLERANCE

/* A line as an origin, a unit direction and a length. */
typedef struct ruler {
    point from, along;
    double length;
} ruler;

static bool ruler_make(ruler *out, const line *l)
{
    point d = sub(l->b, l->a);
    out->length = length(d);
    if (!(out->length > TOLERANCE))
        return false;
    out->from = l->a;
    out->along = scaled(d, 1 / out->length);
    return true;
}

/* Signed distance of `p` to the left of the ruler. */
static double aside(const ruler *r, point p)
{
    return cross(r->along, sub(p, r->from));
}

static bool within(const ruler *r, point p)
{
    double u = dot(r->along, sub(p, r->from));
    return u >= -TOLERANCE && u <= r->length + TOLERANCE;
}

/* Whether an end of `l`, whose ends are `da` and `db` aside of the ruler, lies
 * on the ruler's piece; then *p is that end. */
static bool end_on(const ruler *r, double da, double db, const line *l,
                   point *p)
{
    bool a = fabs(da) <= TOLERANCE && within(r, l->a);
    bool b = fabs(db) <= TOLERANCE && within(r, l->b);
    if (a || b)
        *p = a ? l->a : l->b;
    return a || b;
}

pair_status line_line(const line *a, const line *b, hits *out)
{
    if (boxes_apart(&a->bounds, &b->bounds))
        return PAIR_DONE;
    ruler ra, rb;
    if (!ruler_make(&ra, a) || !ruler_make(&rb, b))
        return PAIR_DECLINED;
    double da = aside(&ra, b->a), db = aside(&ra, b->b);
    if (fmin(da, db) > TOLERANCE || fmax(da, db) < -TOLERANCE)
        return PAIR_DONE;
    double ea = aside(&rb, a->a), eb = aside(&rb, a->b);
    if (fmin(ea, eb) > TOLERANCE || fmax(ea, eb) < -TOLERANCE)
        return PAIR_DONE;
    bool along_a = fabs(da) <= TOLERANCE && fabs(db) <= TOLERANCE;
    bool along_b = fabs(ea) <= TOLERANCE && fabs(eb) <= TOLERANCE;
    if (along_a || along_b)
        return PAIR_DECLINED;
    point p = add_scaled(b->a, sub(b->b, b->a), da / (da - db));
    bool crossing = within(&ra, p) && within(&rb, p);
    if (!end_on(&ra, da, db, b, &p) && !end_on(&rb, ea, eb, a, &p) && !crossing)
        return PAIR_DONE;
    return hits_add(out, p) == 0 ? PAIR_DONE : PAIR_NO_MEMORY;
}

/* ---- Rectangles ------------------------------------------------------ */

static bool inside(double low, double x, double high)
{
    return low <= x && x <= high;
}

/* Whether a side of one interval lies on a side of the other. */
static bool sides_shared(double al, double ah, double bl, double bh)
{
    return fabs(al - bl) <= TOLERANCE || fabs(al - bh) <= TOLERANCE ||
           fabs(ah - bl) <= TOLERANCE || fabs(ah - bh) <= TOLERANCE;
}

/* Upright sides of `a` against level sides of `b`. */
static int rect_cross(const box *a, const box *b, hits *out)
{
    const double xs[2] = {a->low.x, a->high.x};
    const double ys[2] = {b->low.y, b->high.y};
    int failed = 0;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++)
            if (inside(b->low.x, xs[i], b->high.x) &&
                inside(a->low.y, ys[k], a->high.y))
                failed |= hits_add(out, vec(xs[i], ys[k]));
    return failed;
}

pair_status rect_rect(const rect *a, const rect *b, hits *out)
{
    const box *p = &a->base.bounds, *q = &b->base.bounds;
    if (boxes_apart(p, q))
        return PAIR_DONE;
    if (sides_shared(p->low.x, p->high.x, q->low.x, q->high.x) ||
        sides_shared(p->low.y, p->high.y, q->low.y, q->high.y))
        return PAIR_DECLINED;
    if (rect_cross(p, q, out) != 0 || rect_cross(q, p, out) != 0)
        return PAIR_NO_MEMORY;
    return PAIR_DONE;
}
