/* Making shapes and their bounding boxes.
 *
 * Boxes are exact, not those of the control points: a Bézier curve's extremes
 * are where a coordinate's derivative is zero, an ellipse's half extents are
 * the lengths of the rows of its axis matrix, and an arc's box holds its ends
 * and those extremes of the ellipse that its sweep passes. */
#include "vector.h"

#include <stdlib.h>
#include <string.h>

static box box_of_points(point a, point b)
{
    box bounds = {{fmin(a.x, b.x), fmin(a.y, b.y)},
                  {fmax(a.x, b.x), fmax(a.y, b.y)}};
    return bounds;
}

static void box_take(box *bounds, point p)
{
    bounds->low.x = fmin(bounds->low.x, p.x);
    bounds->low.y = fmin(bounds->low.y, p.y);
    bounds->high.x = fmax(bounds->high.x, p.x);
    bounds->high.y = fmax(bounds->high.y, p.y);
}

line line_make(point a, point b)
{
    line made = {box_of_points(a, b), a, b};
    return made;
}

/* ---- Bézier curves --------------------------------------------------- */

static point quadratic_at(const point *p, double t)
{
    double s = 1 - t;
    point q = scaled(p[0], s * s);
    q = add_scaled(q, p[1], 2 * s * t);
    return add_scaled(q, p[2], t * t);
}

static point cubic_at(const point *p, double t)
{
    double s = 1 - t;
    point q = scaled(p[0], s * s * s);
    q = add_scaled(q, p[1], 3 * s * s * t);
    q = add_scaled(q, p[2], 3 * s * t * t);
    return add_scaled(q, p[3], t * t * t);
}

static void quadratic_extreme(box *bounds, const point *p, double d0, double d1)
{
    double t = d0 / (d0 - d1);
    if (t > 0 && t < 1)
        box_take(bounds, quadratic_at(p, t));
}

quadratic quadratic_make(point p0, point p1, point p2)
{
    quadratic made = {box_of_points(p0, p2), {p0, p1, p2}};
    quadratic_extreme(&made.bounds, made.p, p1.x - p0.x, p2.x - p1.x);
    quadratic_extreme(&made.bounds, made.p, p1.y - p0.y, p2.y - p1.y);
    return made;
}

static void cubic_take(box *bounds, const point *p, double t)
{
    if (t > 0 && t < 1)
        box_take(bounds, cubic_at(p, t));
}

/* Roots of the derivative d0 s^2 + 2 d1 s t + d2 t^2, s = 1 - t. */
static void cubic_extremes(box *bounds, const point *p, double d0, double d1,
                           double d2)
{
    double a = d0 - 2 * d1 + d2, b = d1 - d0;
    double square = b * b - a * d0;
    if (square < 0)
        return;
    double q = -(b + copysign(sqrt(square), b));
    cubic_take(bounds, p, q / a);
    cubic_take(bounds, p, d0 / q);
}

cubic cubic_make(point p0, point p1, point p2, point p3)
{
    cubic made = {box_of_points(p0, p3), {p0, p1, p2, p3}};
    cubic_extremes(&made.bounds, made.p, p1.x - p0.x, p2.x - p1.x, p3.x - p2.x);
    cubic_extremes(&made.bounds, made.p, p1.y - p0.y, p2.y - p1.y, p3.y - p2.y);
    return made;
}

/* ---- Ellipses -------------------------------------------------------- */

static axes axes_make(point centre, double rx, double ry, double rotation)
{
    axes made = {centre, rx, ry, cos(rotation), sin(rotation)};
    return made;
}

point axes_at(const axes *frame, double w)
{
    double u = frame->rx * cos(w), v = frame->ry * sin(w);
    return vec(frame->centre.x + frame->cosine * u - frame->sine * v,
               frame->centre.y + frame->sine * u + frame->cosine * v);
}

static box axes_bounds(const axes *frame)
{
    point half =
        vec(length(vec(frame->rx * frame->cosine, frame->ry * frame->sine)),
            length(vec(frame->rx * frame->sine, frame->ry * frame->cosine)));
    box bounds = {sub(frame->centre, half), add(frame->centre, half)};
    return bounds;
}

ellipse ellipse_make(point centre, double rx, double ry, double rotation)
{
    ellipse made;
    made.frame = axes_make(centre, rx, ry, rotation);
    made.bounds = axes_bounds(&made.frame);
    return made;
}

circle circle_make(point centre, double radius)
{
    circle made = {ellipse_make(centre, radius, radius, 0)};
    return made;
}

/* Takes the ellipse's point at angle `w` if the sweep passes it. */
static void arc_take(arc *made, double w)
{
    double turn = made->sweep > 0 ? w - made->start : made->start - w;
    turn -= 2 * PI * floor(turn / (2 * PI));
    if (turn < fabs(made->sweep))
        box_take(&made->bounds, axes_at(&made->frame, w));
}

arc arc_make(point centre, double rx, double ry, double rotation, double start,
             double sweep, const point *a, const point *b)
{
    arc made;
    made.frame = axes_make(centre, rx, ry, rotation);
    made.start = start;
    made.sweep = sweep;
    made.a = a ? *a : axes_at(&made.frame, start);
    made.b = b ? *b : axes_at(&made.frame, start + sweep);
    made.bounds = box_of_points(made.a, made.b);
    double wx = atan2(-ry * made.frame.sine, rx * made.frame.cosine);
    double wy = atan2(ry * made.frame.cosine, rx * made.frame.sine);
    arc_take(&made, wx);
    arc_take(&made, wx + PI);
    arc_take(&made, wy);
    arc_take(&made, wy + PI);
    return made;
}

/* ---- Polygons -------------------------------------------------------- */

int polygon_make(polygon *out, const point *points, size_t count, bool closed)
{
    out->points = malloc(count * sizeof *points);
    if (!out->points)
        return -1;
    memcpy(out->points, points, count * sizeof *points);
    out->count = count;
    out->closed = closed;
    out->bounds = box_of_points(points[0], points[0]);
    for (size_t i = 1; i < count; i++)
        box_take(&out->bounds, points[i]);
    return 0;
}

int rect_make(rect *out, point low, point high)
{
    point corners[4] = {low, {high.x, low.y}, high, {low.x, high.y}};
    return polygon_make(&out->base, corners, 4, true);
}

void polygon_free(polygon *shape)
{
    free(shape->points);
    shape->points = NULL;
    shape->count = 0;
}

size_t polygon_edge_count(const polygon *shape)
{
    if (shape->count < 2)
        return 0;
    return shape->closed ? shape->count : shape->count - 1;
}

line polygon_edge(const polygon *shape, size_t i)
{
    size_t next = i + 1 == shape->count ? 0 : i + 1;
    return line_make(shape->points[i], shape->points[next]);
}
