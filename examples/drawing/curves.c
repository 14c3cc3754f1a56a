/* A line against a Bézier curve.
 *
 * The curve's signed distance to the line is a polynomial in the curve's
 * parameter; its roots are the crossings with the endless line, touches
 * included (see roots.c).  Those that lie between the line's ends count.
 * When the distance is zero all along, the curve itself is straight and lies
 * on the line: declined. */
#include "roots.h"
#include "vector.h"

#define TOLERANCE GEOMETRY_TOLERANCE

/* Meets `l` with the curve of power-basis coefficients `c` from c[0] to
 * `end`, which stands for the rounded value at t = 1. */
static pair_status line_power(const line *l, const point c[4], point end,
                              hits *out)
{
    point d = sub(l->b, l->a);
    double size = length(d);
    if (!(size > TOLERANCE))
        return PAIR_DECLINED;
    point along = scaled(d, 1 / size);
    double distance[4] = {cross(along, sub(c[0], l->a)), cross(along, c[1]),
                          cross(along, c[2]), cross(along, c[3])};
    double roots[ROOTS_MOST];
    int count = roots_in_unit(distance, TOLERANCE, roots);
    if (count < 0)
        return PAIR_DECLINED;
    for (int i = 0; i < count; i++) {
        double t = roots[i];
        point p = c[0];
        if (t == 1)
            p = end;
        else
            for (int k = 3, first = 1; k >= 0; k--, first = 0)
                p = first ? c[k] : add_scaled(c[k], p, t);
        double u = dot(along, sub(p, l->a));
        if (u >= -TOLERANCE && u <= size + TOLERANCE && hits_add(out, p) != 0)
            return PAIR_NO_MEMORY;
    }
    return PAIR_DONE;
}

pair_status line_quadratic(const line *a, const quadratic *b, hits *out)
{
    if (boxes_apart(&a->bounds, &b->bounds))
        return PAIR_DONE;
    trace t = trace_quadratic(b);
    return line_power(a, t.c, t.b, out);
}

pair_status line_cubic(const line *a, const cubic *b, hits *out)
{
    if (boxes_apart(&a->bounds, &b->bounds))
        return PAIR_DONE;
    trace t = trace_cubic(b);
    return line_power(a, t.c, t.b, out);
}
