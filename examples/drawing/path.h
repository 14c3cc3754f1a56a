/* The path data of SVG: the `d` attribute. */
#ifndef DRAWING_PATH_H
#define DRAWING_PATH_H

#include "emit.h"

/* What is wrong with path data, and where. */
typedef struct path_fault {
    const char *reason; /* a constant string */
    size_t offset;      /* from the start of the text, in bytes */
} path_fault;

/* Reads path data and emits its pieces in order, among them the line that a
 * closing command draws.  On READ_FAULT the pieces before the fault have been
 * emitted, as SVG prescribes, and *fault says what it is. */
read_status path_read(const char *text, const emitter *out, path_fault *fault);

#endif
