/* Sends shapes to a sink through an affine map: map the defining points,
 * refuse what is not finite or too large, make the shape, call the sink. */
#include "emit.h"

#include "vector.h"

#include <stdlib.h>

/* A radius below this makes an ellipse a line for all purposes. */
#define THIN (GEOMETRY_TOLERANCE / 10)

/* How nearly equal radii must be, in proportion, to make a circle. */
#define ROUND 1e-9

static bool usable(point p)
{
    return fabs(p.x) <= GEOMETRY_LIMIT && fabs(p.y) <= GEOMETRY_LIMIT;
}

static read_status answer(int stop)
{
    return stop ? READ_STOPPED : READ_OK;
}

/* Maps `count` points; false if one of them is unusable. */
static bool map_points(const emitter *e, const point *in, point *out,
                       size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        out[i] = affine_apply(&e->map, in[i]);
        good = good && usable(out[i]);
    }
    return good;
}

/* Whether all points are the same. */
static bool no_length(const point *p, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (p[i].x != p[0].x || p[i].y != p[0].y)
            return false;
    return true;
}

read_status emit_line(const emitter *e, point a, point b)
{
    point in[2] = {a, b}, p[2];
    if (!map_points(e, in, p, 2))
        return READ_FAULT;
    if (no_length(p, 2))
        return READ_OK;
    line made = line_make(p[0], p[1]);
    return answer(e->to->on_line(e->to->user, &made));
}

read_status emit_quadratic(const emitter *e, const point in[3])
{
    point p[3];
    if (!map_points(e, in, p, 3))
        return READ_FAULT;
    if (no_length(p, 3))
        return READ_OK;
    quadratic made = quadratic_make(p[0], p[1], p[2]);
    return answer(e->to->on_quadratic(e->to->user, &made));
}

read_status emit_cubic(const emitter *e, const point in[4])
{
    point p[4];
    if (!map_points(e, in, p, 4))
        return READ_FAULT;
    if (no_length(p, 4))
        return READ_OK;
    cubic made = cubic_make(p[0], p[1], p[2], p[3]);
    return answer(e->to->on_cubic(e->to->user, &made));
}

static bool usable_axes(const mapped_axes *m)
{
    return usable(m->centre) && usable(vec(m->rx, m->ry)) &&
           isfinite(m->rotation) && isfinite(m->turn);
}

read_status emit_ellipse(const emitter *e, point centre, double rx, double ry)
{
    mapped_axes m = affine_ellipse(&e->map, centre, rx, ry, 0);
    if (!usable_axes(&m))
        return READ_FAULT;
    if (m.ry < THIN)
        return READ_OK;
    if (m.rx - m.ry <= ROUND * m.rx) {
        circle made = circle_make(m.centre, m.rx);
        return answer(e->to->on_circle(e->to->user, &made));
    }
    ellipse made = ellipse_make(m.centre, m.rx, m.ry, m.rotation);
    return answer(e->to->on_ellipse(e->to->user, &made));
}

read_status emit_arc(const emitter *e, const arc *in, double rotation)
{
    mapped_axes m = affine_ellipse(&e->map, in->frame.centre, in->frame.rx,
                                   in->frame.ry, rotation);
    point ends[2] = {in->a, in->b}, p[2];
    if (!usable_axes(&m) || !map_points(e, ends, p, 2))
        return READ_FAULT;
    if (m.ry < THIN)
        return emit_line(e, in->a, in->b);
    if (m.rx - m.ry <= ROUND * m.rx)
        m.ry = m.rx;
    double sign = m.mirrored ? -1 : 1;
    arc made =
        arc_make(m.centre, m.rx, m.ry, m.rotation, sign * (in->start + m.turn),
                 sign * in->sweep, &p[0], &p[1]);
    return answer(e->to->on_arc(e->to->user, &made));
}

read_status emit_polygon(const emitter *e, const point *in, size_t count,
                         bool closed)
{
    point *p = malloc(count * sizeof *p);
    if (!p)
        return READ_NO_MEMORY;
    polygon made;
    read_status status = READ_OK;
    if (!map_points(e, in, p, count))
        status = READ_FAULT;
    else if (no_length(p, count))
        status = READ_OK;
    else if (polygon_make(&made, p, count, closed) != 0)
        status = READ_NO_MEMORY;
    else {
        status = answer(e->to->on_polygon(e->to->user, &made));
        polygon_free(&made);
    }
    free(p);
    return status;
}

read_status emit_rect(const emitter *e, point low, point high)
{
    point corners[4] = {low, {high.x, low.y}, high, {low.x, high.y}}, p[2];
    if (!affine_keeps_axes(&e->map))
        return emit_polygon(e, corners, 4, true);
    point ends[2] = {low, high};
    if (!map_points(e, ends, p, 2))
        return READ_FAULT;
    rect made;
    point least = vec(fmin(p[0].x, p[1].x), fmin(p[0].y, p[1].y));
    point most = vec(fmax(p[0].x, p[1].x), fmax(p[0].y, p[1].y));
    if (rect_make(&made, least, most) != 0)
        return READ_NO_MEMORY;
    read_status status = answer(e->to->on_rect(e->to->user, &made));
    polygon_free(&made.base);
    return status;
}

/* A quarter turn about `centre` from angle `start`, from `a` to `b`. */
static read_status corner(const emitter *e, point centre, double rx, double ry,
                          double start, point a, point b)
{
    arc made = arc_make(centre, rx, ry, 0, start, PI / 2, &a, &b);
    return emit_arc(e, &made, 0);
}

read_status emit_rounded(const emitter *e, point low, point high, double rx,
                         double ry)
{
    const double x0 = low.x, x1 = low.x + rx, x2 = high.x - rx, x3 = high.x;
    const double y0 = low.y, y1 = low.y + ry, y2 = high.y - ry, y3 = high.y;
    const struct {
        point a, b, centre, next;
    } sides[4] = {
        {{x1, y0}, {x2, y0}, {x2, y1}, {x3, y1}},
        {{x3, y1}, {x3, y2}, {x2, y2}, {x2, y3}},
        {{x2, y3}, {x1, y3}, {x1, y2}, {x0, y2}},
        {{x0, y2}, {x0, y1}, {x1, y1}, {x1, y0}},
    };
    read_status status = READ_OK;
    for (int i = 0; i < 4 && status == READ_OK; i++) {
        status = emit_line(e, sides[i].a, sides[i].b);
        if (status == READ_OK)
            status = corner(e, sides[i].centre, rx, ry, (i - 1) * PI / 2,
                            sides[i].b, sides[i].next);
    }
    return status;
}
