/* Curves in the one form that the general search works on.
 *
 * Lines and Bézier curves become polynomials in t, arcs and ellipses a centre
 * and two conjugate axes.  `bend` bounds the second derivative: a piece of
 * the curve over an interval of width w strays from its chord by no more than
 * bend w^2 / 8.  That one number is all the search needs to know about a
 * curve besides its points; the second derivative of a cubic is linear in t,
 * so its greatest length is at an end. */
#include "vector.h"

static trace polynomial(const box *bounds, point a, point b)
{
    trace made = {.bounds = *bounds, .c = {a}, .a = a, .b = b};
    return made;
}

trace trace_line(const line *shape)
{
    trace made = polynomial(&shape->bounds, shape->a, shape->b);
    made.c[1] = sub(shape->b, shape->a);
    return made;
}

trace trace_quadratic(const quadratic *shape)
{
    const point *p = shape->p;
    trace made = polynomial(&shape->bounds, p[0], p[2]);
    point d0 = sub(p[1], p[0]), d1 = sub(p[2], p[1]);
    made.c[1] = scaled(d0, 2);
    made.c[2] = sub(d1, d0);
    made.bend = 2 * length(made.c[2]);
    return made;
}

trace trace_cubic(const cubic *shape)
{
    const point *p = shape->p;
    trace made = polynomial(&shape->bounds, p[0], p[3]);
    point d0 = sub(p[1], p[0]), d1 = sub(p[2], p[1]), d2 = sub(p[3], p[2]);
    point e0 = sub(d1, d0), e1 = sub(d2, d1);
    made.c[1] = scaled(d0, 3);
    made.c[2] = scaled(e0, 3);
    made.c[3] = sub(e1, e0);
    made.bend = 6 * sqrt(fmax(dot(e0, e0), dot(e1, e1)));
    return made;
}

static trace turning(const box *bounds, const axes *e, double start,
                     double sweep)
{
    trace made = {
        .bounds = *bounds, .round = true, .start = start, .sweep = sweep};
    made.c[0] = e->centre;
    made.c[1] = vec(e->rx * e->cosine, e->rx * e->sine);
    made.c[2] = vec(-e->ry * e->sine, e->ry * e->cosine);
    made.bend = sweep * sweep * fmax(e->rx, e->ry);
    return made;
}

trace trace_arc(const arc *shape)
{
    trace made =
        turning(&shape->bounds, &shape->frame, shape->start, shape->sweep);
    made.a = shape->a;
    made.b = shape->b;
    return made;
}

trace trace_ellipse(const ellipse *shape)
{
    trace made = turning(&shape->bounds, &shape->frame, 0, 2 * PI);
    made.closed = true;
    made.a = made.b = axes_at(&shape->frame, 0);
    return made;
}

point trace_at(const trace *curve, double t)
{
    const point *c = curve->c;
    if (!curve->round)
        return vec(c[0].x + t * (c[1].x + t * (c[2].x + t * c[3].x)),
                   c[0].y + t * (c[1].y + t * (c[2].y + t * c[3].y)));
    double w = curve->start + curve->sweep * t;
    return add_scaled(add_scaled(c[0], c[1], cos(w)), c[2], sin(w));
}

point trace_slope(const trace *curve, double t)
{
    const point *c = curve->c;
    if (!curve->round)
        return vec(c[1].x + t * (2 * c[2].x + t * 3 * c[3].x),
                   c[1].y + t * (2 * c[2].y + t * 3 * c[3].y));
    double w = curve->start + curve->sweep * t;
    point d = add_scaled(scaled(c[1], -sin(w)), c[2], cos(w));
    return scaled(d, curve->sweep);
}

/* ---- Point on curve -------------------------------------------------- */

/* Square of the distance from `p` to the chord a-b; *u is the foot's place
 * on it, from 0 to 1. */
static double chord_distance(point a, point b, point p, double *u)
{
    point d = sub(b, a);
    double size = dot(d, d);
    double k = size > 0 ? dot(sub(p, a), d) / size : 0;
    *u = fmin(fmax(k, 0), 1);
    point gap = sub(p, add_scaled(a, d, *u));
    return dot(gap, gap);
}

/* What is looked for on which curve. */
typedef struct quest {
    const trace *curve;
    point p;
    double reach;
    int work; /* pieces that may still be looked at */
} quest;

/* Looks on the piece [t0, t1], whose ends are a and b.  At each step the
 * chord's reach tells whether the piece can hold the point; `work` bounds the
 * number of steps, which only a curve that is nearly a point can use up. */
static bool locate(quest *q, double t0, point a, double t1, point b, double *t)
{
    double width = t1 - t0, slack = q->curve->bend * width * width / 8, u;
    double reach = slack + q->reach;
    if (--q->work < 0 || chord_distance(a, b, q->p, &u) > reach * reach)
        return false;
    if (slack <= q->reach / 8) {
        *t = t0 + u * width;
        return true;
    }
    double mid = 0.5 * (t0 + t1);
    point m = trace_at(q->curve, mid);
    return locate(q, t0, a, mid, m, t) || locate(q, mid, m, t1, b, t);
}

bool trace_locate(const trace *curve, point p, double reach, double *t)
{
    quest q = {curve, p, reach, 2000};
    return locate(&q, 0, curve->a, 1, curve->b, t);
}
