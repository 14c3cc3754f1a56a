/* replay_report.h - what came of replays, as text and as JSON. */
#ifndef CLI_REPLAY_REPORT_H
#define CLI_REPLAY_REPORT_H

#include "rows.h"

/* All that was run. */
typedef struct replay_report {
    const trace *trace;
    replay_run *runs; /* the first is the search without knobs */
    size_t run_count;
    rows rows; /* with counts to compare with; may be none */
} replay_report;

/* A table with a column for each run, and one with a line for each row. */
void replay_report_text(FILE *out, const replay_report *report);

/* One object; see docs/replay.md. */
void replay_report_json(FILE *out, const replay_report *report);

/* Says on `out` what differs from what was recorded or expected, by file and
 * line; returns whether anything does. */
bool replay_report_differences(FILE *out, const replay_report *report);

#endif
