/* report.h - what is shown while a model trains, and afterwards. */
#ifndef TRAINING_REPORT_H
#define TRAINING_REPORT_H

#include <latebind/ops.h>

/* ---- progress ------------------------------------------------------------ */

/* On a terminal one line that is rewritten ten times a second; else a line at
 * each tenth of the way. */
typedef struct progress {
    bool terminal;
    double started, shown; /* seconds */
    int64_t first, last;   /* steps */
    int64_t tenth;
} progress;

void progress_begin(progress *p, int64_t first, int64_t last);
void progress_show(progress *p, int64_t step, double loss, double rate);
/* Ends the line; returns the seconds since the beginning. */
double progress_end(progress *p);

/* ---- which kernels ran where --------------------------------------------- */

enum { MAX_OPERATORS = 512, MAX_DEVICES = 16 };

/* A layer of our own that counts calls by operator and device. */
typedef struct counts {
    lbo_library *library;
    uint64_t calls[MAX_OPERATORS][MAX_DEVICES];
} counts;

lb_status counts_create(lbo_library *library, counts *c, lbo_layer **result);
/* Prints a line per operator, and what fell back to the CPU. */
void counts_print(const counts *c, const lbo_context *context);

#endif
