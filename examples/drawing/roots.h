/* Real roots of polynomials of degree up to three on the unit interval. */
#ifndef DRAWING_ROOTS_H
#define DRAWING_ROOTS_H

/* A cubic has two turning points, so at most four knots and three pieces. */
#define ROOTS_MOST 7

/* Finds where c[0] + c[1] t + c[2] t^2 + c[3] t^3 is zero for t in [0, 1].
 * An end or a turning point whose value is within `tolerance` of zero is
 * itself taken for the root nearby.  Writes them in rising order and returns
 * how many; -1 when the polynomial is within the tolerance all along. */
int roots_in_unit(const double c[4], double tolerance,
                  double roots[ROOTS_MOST]);

#endif
