/* The second opinion: flatten, then try every chord against every other.
 *
 * Flattening halves a parameter interval until the curve at its quarters and
 * middle is near the chord; the intervals start short enough that no bend can
 * hide between these three.  Curves are evaluated by repeated interpolation
 * and by angles, in ways of their own. */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>

/* A shape as a function of a parameter from 0 to 1. */
typedef struct motion {
    point (*at)(const void *shape, double t);
    const void *shape;
    double flatness;
} motion;

static int chain_add(chain *c, point p)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 64;
        point *points = realloc(c->points, capacity * sizeof *points);
        if (!points)
            return -1;
        c->points = points;
        c->capacity = capacity;
    }
    c->points[c->count++] = p;
    return 0;
}

void chain_free(chain *shape)
{
    free(shape->points);
    shape->points = NULL;
    shape->count = shape->capacity = 0;
}

/* ---- Distances ------------------------------------------------------- */

static double chord_gap(point a, point b, point p)
{
    double dx = b.x - a.x, dy = b.y - a.y, size = dx * dx + dy * dy, u = 0;
    if (size > 0)
        u = ((p.x - a.x) * dx + (p.y - a.y) * dy) / size;
    u = u < 0 ? 0 : u > 1 ? 1 : u;
    return hypot(p.x - a.x - u * dx, p.y - a.y - u * dy);
}

static double chain_gap(const chain *c, point p)
{
    double best = INFINITY;
    for (size_t i = 1; i < c->count; i++)
        best = fmin(best, chord_gap(c->points[i - 1], c->points[i], p));
    return best;
}

/* ---- Flattening ------------------------------------------------------ */

static int flatten(chain *out, const motion *m, double t0, point a, double t1,
                   point b, int depth)
{
    double mid = (t0 + t1) / 2;
    point p = m->at(m->shape, mid);
    point q = m->at(m->shape, (t0 + mid) / 2);
    point r = m->at(m->shape, (mid + t1) / 2);
    double stray =
        fmax(chord_gap(a, b, p), fmax(chord_gap(a, b, q), chord_gap(a, b, r)));
    if (stray <= m->flatness || depth == 0)
        return chain_add(out, b);
    return flatten(out, m, t0, a, mid, p, depth - 1) != 0
               ? -1
               : flatten(out, m, mid, p, t1, b, depth - 1);
}

static int chain_of(chain *out, const motion *m)
{
    enum { STRETCHES = 16 };
    point a = m->at(m->shape, 0);
    out->points = NULL;
    out->count = out->capacity = 0;
    if (chain_add(out, a) != 0)
        return -1;
    for (int i = 0; i < STRETCHES; i++) {
        double t0 = (double)i / STRETCHES, t1 = (double)(i + 1) / STRETCHES;
        point b = m->at(m->shape, t1);
        if (flatten(out, m, t0, a, t1, b, 20) != 0)
            return -1;
        a = b;
    }
    return 0;
}

static point between(point a, point b, double t)
{
    point p = {a.x * (1 - t) + b.x * t, a.y * (1 - t) + b.y * t};
    return p;
}

/* De Casteljau's construction on up to four control points. */
static point construct(const point *p, int count, double t)
{
    point q[4];
    for (int i = 0; i < count; i++)
        q[i] = p[i];
    for (int left = count - 1; left > 0; left--)
        for (int i = 0; i < left; i++)
            q[i] = between(q[i], q[i + 1], t);
    return q[0];
}

static point quadratic_point(const void *shape, double t)
{
    return construct(((const quadratic *)shape)->p, 3, t);
}

static point cubic_point(const void *shape, double t)
{
    return construct(((const cubic *)shape)->p, 4, t);
}

static point round_point(const axes *e, double w)
{
    double tilt = atan2(e->sine, e->cosine);
    double x = e->rx * cos(w), y = e->ry * sin(w), size = hypot(x, y);
    double turn = atan2(y, x) + tilt;
    point p = {e->centre.x + size * cos(turn), e->centre.y + size * sin(turn)};
    return p;
}

static point arc_point(const void *shape, double t)
{
    const arc *s = shape;
    return round_point(&s->frame, s->start + t * s->sweep);
}

static point ellipse_point(const void *shape, double t)
{
    return round_point(&((const ellipse *)shape)->frame, t * 8 * atan(1));
}

int chain_of_line(chain *out, const line *shape, double flatness)
{
    (void)flatness;
    out->points = NULL;
    out->count = out->capacity = 0;
    return chain_add(out, shape->a) != 0 ? -1 : chain_add(out, shape->b);
}

int chain_of_quadratic(chain *out, const quadratic *shape, double flatness)
{
    motion m = {quadratic_point, shape, flatness};
    return chain_of(out, &m);
}

int chain_of_cubic(chain *out, const cubic *shape, double flatness)
{
    motion m = {cubic_point, shape, flatness};
    return chain_of(out, &m);
}

int chain_of_arc(chain *out, const arc *shape, double flatness)
{
    motion m = {arc_point, shape, flatness};
    return chain_of(out, &m);
}

int chain_of_ellipse(chain *out, const ellipse *shape, double flatness)
{
    motion m = {ellipse_point, shape, flatness};
    return chain_of(out, &m);
}

int chain_of_polygon(chain *out, const polygon *shape, double flatness)
{
    (void)flatness;
    out->points = NULL;
    out->count = out->capacity = 0;
    for (size_t i = 0; i < shape->count; i++)
        if (chain_add(out, shape->points[i]) != 0)
            return -1;
    return shape->closed ? chain_add(out, shape->points[0]) : 0;
}

/* ---- Judging --------------------------------------------------------- */

static int chords_cross(point a, point b, point c, point d, point *p,
                        double *sine)
{
    if (fmax(a.x, b.x) < fmin(c.x, d.x) || fmax(c.x, d.x) < fmin(a.x, b.x) ||
        fmax(a.y, b.y) < fmin(c.y, d.y) || fmax(c.y, d.y) < fmin(a.y, b.y))
        return 0;
    double ux = b.x - a.x, uy = b.y - a.y, vx = d.x - c.x, vy = d.y - c.y;
    double det = ux * vy - uy * vx;
    if (det == 0)
        return 0;
    double t = ((c.x - a.x) * vy - (c.y - a.y) * vx) / det;
    double s = ((c.x - a.x) * uy - (c.y - a.y) * ux) / det;
    if (t < 0 || t > 1 || s < 0 || s > 1)
        return 0;
    *p = between(a, b, t);
    *sine = fabs(det) / (hypot(ux, uy) * hypot(vx, vy));
    return 1;
}

static int claimed_near(const point *claimed, size_t count, point p,
                        double distance)
{
    for (size_t i = 0; i < count; i++)
        if (hypot(claimed[i].x - p.x, claimed[i].y - p.y) <= distance)
            return 1;
    return 0;
}

/* Whether chain `a` keeps to chain `b` for a good way around its chord `i`,
 * so far that it is more than a touch. */
static int runs_along(const chain *a, size_t i, const chain *b, double distance)
{
    enum { WAY = 6 };
    size_t from = i > WAY ? i - WAY : 0;
    size_t to = i + WAY < a->count ? i + WAY : a->count - 1;
    if (a->count < 2 * WAY)
        return 0;
    for (size_t k = from; k <= to; k++)
        if (chain_gap(b, a->points[k]) > distance)
            return 0;
    return 1;
}

/* Whether, from its chord `i` on in steps of `step`, chain `a` keeps to chain
 * `b` until it comes past a claimed point. */
static int leads_to_claim(const chain *a, size_t i, int step, const chain *b,
                          double distance, const point *claimed, size_t count)
{
    const point *p = a->points;
    for (; i > 0 && i<a->count; i = step> 0 ? i + 1 : i - 1) {
        double size = hypot(p[i].x - p[i - 1].x, p[i].y - p[i - 1].y);
        if (claimed_near(claimed, count, p[i], size + distance))
            return 1;
        if (chain_gap(b, p[step > 0 ? i : i - 1]) > distance)
            return 0;
    }
    return 0;
}

/* Whether a chain ends so near `p` that the curve may end before it. */
static int ends_near(const chain *a, point p, double distance)
{
    const point ends[2] = {a->points[0], a->points[a->count - 1]};
    return claimed_near(ends, 2, p, distance);
}

/* Whether a crossing of chords without a claimed point near is only what
 * flattening makes of a touch or an overlap: chord `i` of `a`. */
static int explained(const chain *a, size_t i, const chain *b, double distance,
                     const point *claimed, size_t count)
{
    return runs_along(a, i, b, distance) ||
           leads_to_claim(a, i, 1, b, distance, claimed, count) ||
           leads_to_claim(a, i, -1, b, distance, claimed, count);
}

verdict oracle_judge(const chain *a, const chain *b, double flatness,
                     const point *claimed, size_t count, double slack)
{
    verdict v = {0, 0, 0, {0, 0}};
    const point *p = a->points, *q = b->points;
    for (size_t i = 1; i < a->count; i++)
        for (size_t k = 1; k < b->count; k++) {
            point at;
            double sine;
            if (!chords_cross(p[i - 1], p[i], q[k - 1], q[k], &at, &sine))
                continue;
            v.crossings++;
            if (claimed_near(claimed, count, at, 6 * (flatness + slack) / sine))
                continue;
            if (explained(a, i, b, 2 * flatness, claimed, count) ||
                explained(b, k, a, 2 * flatness, claimed, count))
                continue;
            if (ends_near(a, at, 2 * flatness / sine) ||
                ends_near(b, at, 2 * flatness / sine))
                continue;
            v.missed++;
            v.example = at;
        }
    for (size_t i = 0; i < count; i++)
        if (chain_gap(a, claimed[i]) > 2 * flatness + slack ||
            chain_gap(b, claimed[i]) > 2 * flatness + slack) {
            v.strays++;
            v.example = claimed[i];
        }
    return v;
}
