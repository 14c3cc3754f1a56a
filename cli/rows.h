/* rows.h - replays whose counts are known, from a file.
 *
 * Each line is options, a colon, and the counts in the order of the columns;
 * "-" stands for one that is not known:
 *   --policy table64 --table-size 256 : 1282666 162829 1445495 911568 - - - -
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "replay.h"

typedef enum row_column {
    ROW_INSTANCE,
    ROW_CLASS,
    ROW_TOTAL,
    ROW_HITS,
    ROW_MISSES,
    ROW_GENERATIONS,
    ROW_EXCLUDED,
    ROW_NOT_FOUND,
    ROW_COLUMNS
} row_column;

#define ROW_UNKNOWN UINT64_MAX

typedef struct row {
    uint64_t line; /* of the file of rows */
    uint64_t expected[ROW_COLUMNS];
    replay_run run;
} row;

typedef struct rows {
    const char *file;
    row *all;
    size_t count;
} rows;

const char *row_column_name(row_column column);

/* Reads the file, whose name must stay valid; for rows_free. */
bool rows_read(rows *r, const char *file, fault *why);
void rows_free(rows *r);

/* What the run of a row counted. */
uint64_t row_counted(const replay_run *run, row_column column);
bool row_agrees(const row *one, row_column column);
bool row_agrees_wholly(const row *one);

#endif
