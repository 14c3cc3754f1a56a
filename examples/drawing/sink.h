/* Where the readers of drawings send what they read.
 *
 * A reader knows no more of the shapes' users than this table.  Each shape is
 * lent for the time of the call; a user that keeps it copies it (polygons:
 * the points too).  Every function gets `user` first and returns 0 to go on,
 * anything else to stop the reading.  No function may be NULL, except
 * `on_error`. */
#ifndef DRAWING_SINK_H
#define DRAWING_SINK_H

#include "geometry.h"

typedef struct sink {
    void *user;
    int (*on_line)(void *user, const line *shape);
    int (*on_quadratic)(void *user, const quadratic *shape);
    int (*on_cubic)(void *user, const cubic *shape);
    int (*on_arc)(void *user, const arc *shape);
    int (*on_rect)(void *user, const rect *shape);
    int (*on_circle)(void *user, const circle *shape);
    int (*on_ellipse)(void *user, const ellipse *shape);
    int (*on_polygon)(void *user, const polygon *shape);

    /* Told of each thing that could not be read: "file:line:column: why".
     * Reading goes on after it where the format allows. */
    void (*on_error)(void *user, const char *message);
} sink;

/* How reading ended. */
typedef enum read_status {
    READ_OK,
    READ_STOPPED, /* by the sink */
    READ_FAULT,   /* something was unreadable; the sink was told */
    READ_NO_MEMORY
} read_status;

#endif
