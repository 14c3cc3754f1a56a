/* Arithmetic on points as vectors, for the sources of this folder only.
 * All are pure, and small enough to vanish into their callers. */
#ifndef DRAWING_VECTOR_H
#define DRAWING_VECTOR_H

#include "geometry.h"

#include <math.h>

#define PI 3.14159265358979323846

static inline point vec(double x, double y)
{
    point p = {x, y};
    return p;
}

static inline point add(point a, point b)
{
    return vec(a.x + b.x, a.y + b.y);
}

static inline point sub(point a, point b)
{
    return vec(a.x - b.x, a.y - b.y);
}

static inline point scaled(point a, double k)
{
    return vec(a.x * k, a.y * k);
}

/* a + k b */
static inline point add_scaled(point a, point b, double k)
{
    return vec(a.x + b.x * k, a.y + b.y * k);
}

static inline double dot(point a, point b)
{
    return a.x * b.x + a.y * b.y;
}

static inline double cross(point a, point b)
{
    return a.x * b.y - a.y * b.x;
}

static inline double length(point a)
{
    return sqrt(dot(a, a));
}

/* fmin and fmax, which have to mind NaN, do not become one instruction. */
static inline double least(double a, double b)
{
    return a < b ? a : b;
}

static inline double most(double a, double b)
{
    return a > b ? a : b;
}

static inline bool near(point a, point b, double distance)
{
    point d = sub(a, b);
    return dot(d, d) <= distance * distance;
}

#endif
