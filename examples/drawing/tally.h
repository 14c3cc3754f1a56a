/* Counts the calls of `intersect` by the classes of both arguments, without
 * `intersect` knowing: an around method for any two shapes, added when counts
 * are wanted and taken away afterwards. */
#ifndef DRAWING_TALLY_H
#define DRAWING_TALLY_H

#include "intersect.h"

typedef struct tally {
    /* The last row and column are classes that came with a plug-in. */
    uint64_t calls[SHAPE_KINDS + 1][SHAPE_KINDS + 1];
    uint64_t plain; /* between the kinds of the host alone */
} tally;

/* Starts and ends the counting, for all threads. */
lb_status tally_start(lb_runtime *runtime);
lb_status tally_end(void);

/* Says where the calls of this thread are counted; NULL: nowhere. */
void tally_into(tally *counts);

/* Adds the counts of `from` to `to`. */
void tally_add(tally *to, const tally *from);

#endif
