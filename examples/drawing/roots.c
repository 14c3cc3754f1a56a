/* Real roots of cubics on the unit interval, by monotone pieces.
 *
 *   1. The roots of the derivative, a quadratic, cut [0, 1] into pieces on
 *      which the polynomial only rises or only falls.
 *   2. A knot (an end of a piece) whose value is within the tolerance of zero
 *      is a root: this is how a touch is found whether or not rounding lets
 *      the curve cross.
 *   3. A piece whose two knots are on either side of zero holds one root:
 *      Newton's method finds it, kept in a shrinking bracket by bisection.
 *
 * Slower than Cardano's formula, but it loses no digits when the leading
 * coefficients are small, which they are for most curves in drawings. */
#include "roots.h"

#include <math.h>
#include <stdbool.h>

static double value(const double c[4], double t)
{
    return c[0] + t * (c[1] + t * (c[2] + t * c[3]));
}

static double slope(const double c[4], double t)
{
    return c[1] + t * (2 * c[2] + t * 3 * c[3]);
}

/* The knots strictly inside (0, 1), in rising order. */
static int turning_points(const double c[4], double knots[2])
{
    double a = 3 * c[3], b = c[2]; /* a t^2 + 2 b t + c[1] */
    double square = b * b - a * c[1];
    if (!(square >= 0))
        return 0;
    double q = -(b + copysign(sqrt(square), b));
    double both[2] = {q / a, c[1] / q};
    int count = 0;
    for (int i = 0; i < 2; i++)
        if (both[i] > 0 && both[i] < 1)
            knots[count++] = both[i];
    if (count == 2 && knots[0] > knots[1]) {
        double swap = knots[0];
        knots[0] = knots[1];
        knots[1] = swap;
    }
    return count;
}

/* The root between `low` and `high`, whose values differ in sign. */
static double bracketed(const double c[4], double low, double high, bool rising)
{
    double t = 0.5 * (low + high);
    for (int i = 0; i < 60; i++) {
        double f = value(c, t);
        if (f == 0)
            return t;
        if ((f > 0) == rising)
            high = t;
        else
            low = t;
        double next = t - f / slope(c, t);
        if (!(next > low && next < high))
            next = 0.5 * (low + high);
        if (fabs(next - t) < 1e-15)
            return next;
        t = next;
    }
    return t;
}

int roots_in_unit(const double c[4], double tolerance, double roots[ROOTS_MOST])
{
    double knots[4] = {0};
    int last = 1 + turning_points(c, knots + 1), count = 0, flat = 0;
    knots[last] = 1;
    double before = 0;
    for (int i = 0; i <= last; i++) {
        double f = value(c, knots[i]);
        if (fabs(f) <= tolerance) {
            f = 0;
            flat++;
        }
        if (before * f < 0)
            roots[count++] = bracketed(c, knots[i - 1], knots[i], f > 0);
        if (f == 0)
            roots[count++] = knots[i];
        before = f;
    }
    return flat == last + 1 ? -1 : count;
}
