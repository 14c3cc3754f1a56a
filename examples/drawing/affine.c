/* Affine maps of the plane, and the SVG notation for them.
 *
 * The image of an ellipse: its two axes as columns, mapped, form a 2x2 matrix
 * L, and the image is L applied to the unit circle.  The singular value
 * decomposition L = rotate(phi) diag(rx, ry) rotate(turn) gives the new
 * rotation, the new radii, and how far the angles move.  A mirroring map
 * makes the second singular value negative; negating the angle instead keeps
 * the radius positive. */
#include "affine.h"

#include "numbers.h"
#include "vector.h"

#include <string.h>

affine affine_identity(void)
{
    affine map = {1, 0, 0, 1, 0, 0};
    return map;
}

affine affine_join(const affine *o, const affine *i)
{
    affine map = {
        o->a * i->a + o->c * i->b,        o->b * i->a + o->d * i->b,
        o->a * i->c + o->c * i->d,        o->b * i->c + o->d * i->d,
        o->a * i->e + o->c * i->f + o->e, o->b * i->e + o->d * i->f + o->f};
    return map;
}

point affine_apply(const affine *m, point p)
{
    return vec(m->a * p.x + m->c * p.y + m->e, m->b * p.x + m->d * p.y + m->f);
}

bool affine_keeps_axes(const affine *m)
{
    return (m->b == 0 && m->c == 0) || (m->a == 0 && m->d == 0);
}

mapped_axes affine_ellipse(const affine *m, point centre, double rx, double ry,
                           double rotation)
{
    double cosine = cos(rotation), sine = sin(rotation);
    double a = rx * (m->a * cosine + m->c * sine);
    double b = rx * (m->b * cosine + m->d * sine);
    double c = ry * (m->c * cosine - m->a * sine);
    double d = ry * (m->d * cosine - m->b * sine);
    double e = (a + d) / 2, f = (a - d) / 2, g = (b + c) / 2, h = (b - c) / 2;
    double sum = hypot(e, h), difference = hypot(f, g);
    double inner = atan2(g, f), outer = atan2(h, e);
    mapped_axes made = {affine_apply(m, centre), sum + difference,
                        fabs(sum - difference),  (outer + inner) / 2,
                        (outer - inner) / 2,     sum < difference};
    return made;
}

/* ---- The transform attribute ----------------------------------------- */

static affine rotation_about(double degrees, double x, double y)
{
    double s = sin(degrees * PI / 180), c = cos(degrees * PI / 180);
    if (fmod(degrees, 90) == 0) {
        s = nearbyint(s);
        c = nearbyint(c);
    }
    affine map = {c, s, -s, c, x - c * x + s * y, y - s * x - c * y};
    return map;
}

/* One transform function with its `count` arguments; false if it takes not
 * that many or has another name. */
static bool named_map(const char *name, size_t size, const double v[6],
                      int count, affine *out)
{
#define IS(word) (size == strlen(word) && strncmp(name, word, size) == 0)
    affine map = affine_identity();
    if (IS("matrix") && count == 6) {
        affine given = {v[0], v[1], v[2], v[3], v[4], v[5]};
        map = given;
    } else if (IS("translate") && (count == 1 || count == 2)) {
        map.e = v[0];
        map.f = count == 2 ? v[1] : 0;
    } else if (IS("scale") && (count == 1 || count == 2)) {
        map.a = v[0];
        map.d = count == 2 ? v[1] : v[0];
    } else if (IS("rotate") && (count == 1 || count == 3)) {
        map =
            rotation_about(v[0], count == 3 ? v[1] : 0, count == 3 ? v[2] : 0);
    } else if (IS("skewX") && count == 1) {
        map.c = tan(v[0] * PI / 180);
    } else if (IS("skewY") && count == 1) {
        map.b = tan(v[0] * PI / 180);
    } else {
        return false;
    }
    *out = map;
    return true;
#undef IS
}

/* The arguments between the parentheses; how many, or -1. */
static int read_arguments(const char **at, double v[6])
{
    int count = 0;
    skip_space(at);
    if (**at != '(')
        return -1;
    ++*at;
    skip_space(at);
    while (**at != ')') {
        if (count == 6 || !read_number(at, &v[count++]))
            return -1;
        skip_comma(at);
    }
    ++*at;
    return count;
}

const char *affine_read(const char *text, affine *out, const char **at_fault)
{
    affine all = affine_identity(), one;
    const char *at = text;
    for (skip_comma(&at); *at; skip_comma(&at)) {
        const char *name = at;
        double v[6];
        size_t size = strcspn(at, "( \t\r\n,");
        at += size;
        int count = read_arguments(&at, v);
        *at_fault = count < 0 ? at : name;
        if (count < 0)
            return "bad transform argument";
        if (!named_map(name, size, v, count, &one))
            return "unknown transform or wrong number of arguments";
        all = affine_join(&all, &one);
    }
    *out = all;
    return NULL;
}
