/* page.h - the report as one HTML page with charts. */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include "replay_report.h"

typedef struct page page;

/* Replays what the charts show: both orders, tables of seven sizes; timed if
 * there are rounds. For page_free; NULL when that fails. */
page *page_make(const trace *t, unsigned rounds, fault *why);
void page_free(page *p); /* NULL is allowed */

/* Takes over the times of the run with the same options; false when the page
 * has no such run. */
bool page_times(const page *p, replay_run *run);

/* Writes FOLDER/replay.html, making the folder if its parent is there, and
 * prints its name to `out`. */
bool page_write(FILE *out, const char *folder, page *p,
                const replay_report *report, fault *why);

#endif
