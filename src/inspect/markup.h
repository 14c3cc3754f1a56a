/* inspect/markup.h - text within other languages. */
#ifndef LBI_INSPECT_MARKUP_H
#define LBI_INSPECT_MARKUP_H

#include "base/text.h"

/* `string` as text or as an attribute's value of HTML (and SVG, XML). */
void lbi_put_html(lbi_text *text, const char *string);
/* `string` within a quoted string of DOT. */
void lbi_put_dot(lbi_text *text, const char *string);
/* A count in at most four characters: 999, 1.2k, 34k, 5M. */
void lbi_put_count(lbi_text *text, uint64_t count);

#endif
