/* Numbers as SVG attributes write them: "-.5e3", "1.2.3" (two numbers). */
#ifndef DRAWING_NUMBERS_H
#define DRAWING_NUMBERS_H

#include <stdbool.h>

/* Moves *at past white space; past white space and at most one comma. */
void skip_space(const char **at);
void skip_comma(const char **at);

/* Reads the longest number at *at and moves past it.  False, and *at is
 * where it was, when there is none or it is too large for a double. */
bool read_number(const char **at, double *out);

/* Reads a number with an optional absolute unit ("12", "3mm") that must fill
 * the whole text; *out is in user units, 96 to the inch. */
bool read_length(const char *text, double *out);

#endif
