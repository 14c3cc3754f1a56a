/* lines.h - the lines of a file, which may be compressed by xz. */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "text.h"

/* What is accepted of a file that may mean no good. */
typedef struct line_limits {
    size_t line;   /* bytes of one line                            */
    uint64_t text; /* bytes of all lines, when they are unpacked   */
} line_limits;

typedef struct lines lines;

/* Starts reading `in`, which stays the caller's; `name` is for messages and
 * must stay valid. NULL when out of memory. */
lines *lines_open(FILE *in, const char *name, line_limits limits);
void lines_close(lines *l); /* NULL is allowed */

/* The next line without its end, valid until the next call. 1: there is one, 0:
 * the file has ended, -1: `why` says what is wrong with it. */
int lines_next(lines *l, char **line, fault *why);

/* The number of the line that was read last, from 1. */
uint64_t lines_number(const lines *l);

#endif
