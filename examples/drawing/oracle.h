/* A slow, plain second opinion on where shapes meet, to test the fast ones.
 *
 * Shares no code with the geometry but its structs: every shape becomes a
 * chain of chords that stray from it by no more than a given flatness, and
 * all chords of one chain are tried against all of the other.
 *
 * What it can tell: a point claimed to be common must lie near both chains,
 * and near every place where chords cross there must be a claimed point.
 * "Near" for the second is the flatness over the sine of the chords' angle.
 * So at a touch, or where shapes run along each other, the second demand
 * weakens to nothing, while the first holds everywhere.  It is dropped where a
 * chain keeps to the other all the way to a claimed point, or for so long that
 * it is more than a touch: hence touches and overlaps need tests with answers
 * worked out by hand. */
#ifndef DRAWING_ORACLE_H
#define DRAWING_ORACLE_H

#include "geometry.h"

typedef struct chain {
    point *points; /* owned, malloc */
    size_t count, capacity;
} chain;

/* Each makes a chain; 0, or -1 when out of memory.  Free it either way. */
int chain_of_line(chain *out, const line *shape, double flatness);
int chain_of_quadratic(chain *out, const quadratic *shape, double flatness);
int chain_of_cubic(chain *out, const cubic *shape, double flatness);
int chain_of_arc(chain *out, const arc *shape, double flatness);
int chain_of_ellipse(chain *out, const ellipse *shape, double flatness);
int chain_of_polygon(chain *out, const polygon *shape, double flatness);
void chain_free(chain *shape);

typedef struct verdict {
    size_t crossings; /* places where chords cross */
    size_t missed;    /* of these, without a claimed point near */
    size_t strays;    /* claimed points not near both chains */
    point example;    /* a missed crossing or a stray, if there is one */
} verdict;

/* Judges `count` points claimed to be common to two shapes, given their
 * chains and the flatness these were made with.  `slack` is added to it:
 * what the claims themselves may be off. */
verdict oracle_judge(const chain *a, const chain *b, double flatness,
                     const point *claimed, size_t count, double slack);

#endif
