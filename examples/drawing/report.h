/* The page that the job leaves behind. */
#ifndef DRAWING_REPORT_H
#define DRAWING_REPORT_H

#include "crew.h"
#include "live.h"

/* What the page says. */
typedef struct report_facts {
    const icon_set *set;
    const tally *counts;
    uint64_t calls, points;
    size_t threads;
    double reading, meeting; /* seconds on the clock */
    double per_call;         /* nanoseconds of processor time */
    const live_result *live; /* NULL: there was no plug-in */
} report_facts;

/* Writes the page to the file at `path`: a few icons with their intersections
 * marked, the figures, and the library's own table of types and methods. Makes
 * the last folder of the path if it is missing. 0, or -1 with the reason in
 * `why`. */
int report_write(const char *path, const report_facts *facts, char why[300]);

#endif
