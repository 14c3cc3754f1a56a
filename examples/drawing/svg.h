/* Reads the shapes of an SVG file.
 *
 * Read: path, line, polyline, polygon, rect, circle, ellipse, under nested
 * `transform` attributes.  Skipped: whatever is in defs, clipPath, mask,
 * symbol, pattern or marker, since it is not drawn where it stands.  Not
 * regarded: style sheets, visibility, viewBox, `use`, text, percentages.
 * Coordinates are those of the outermost svg element.
 *
 * Nothing is kept between calls; threads may read different files. */
#ifndef DRAWING_SVG_H
#define DRAWING_SVG_H

#include "sink.h"

/* Reads the file at `path`.  Each thing that cannot be read goes to
 * `to->on_error` as "path:line:column: reason" (the line and column where
 * the element starts, from 1); the rest of the file is read nevertheless,
 * unless it is not well-formed XML.  Returns READ_FAULT if there was any. */
read_status svg_read_file(const char *path, const sink *to);

/* Reads `size` bytes of SVG in memory; `name` stands for the file's name in
 * messages. */
read_status svg_read_text(const char *text, size_t size, const char *name,
                          const sink *to);

#endif
