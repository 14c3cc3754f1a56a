/* What the oracle says of a whole icon: every pair of its shapes is met by
 * `intersect`, and the points judged by the slow second opinion. */
#ifndef DRAWING_SECOND_H
#define DRAWING_SECOND_H

#include "icons.h"

typedef struct opinion {
    size_t icons, pairs; /* judged; pairs whose boxes meet */
    size_t points;       /* that `intersect` found in them */
    size_t crossings;    /* of chords, that the oracle found */
    size_t disputed;     /* pairs with a missed crossing or a stray point */
} opinion;

/* Adds the verdict on one icon to `to`; each disputed pair is told to
 * `on_dispute` (may be NULL). 0, or -1 when it failed. */
int second_opinion(const shape_classes *classes, const icon *about, opinion *to,
                   void (*on_dispute)(const char *message));

/* Whether so few pairs are disputed that nothing is wrong: one in ten
 * thousand, where two outlines nearly coincide for a very short way. */
bool opinion_is_good(const opinion *o);

#endif
