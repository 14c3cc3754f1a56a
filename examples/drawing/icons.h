/* Icons: the drawings of a folder, read into objects. */
#ifndef DRAWING_ICONS_H
#define DRAWING_ICONS_H

#include "intersect.h"

/* One drawing, and what is known of it after it was worked on. */
typedef struct icon {
    char *path;     /* owned */
    shape **shapes; /* owned, each too */
    size_t count, capacity;
    point *points; /* where its shapes meet; owned */
    size_t point_count;
    uint64_t calls; /* of `intersect` that it took */
} icon;

typedef struct icon_set {
    const shape_classes *classes;
    icon *icons;
    size_t count;
    size_t shapes;          /* in all icons */
    size_t of[SHAPE_KINDS]; /* the same by kind */
    size_t available;       /* files found, of which `count` were read */
    size_t faults;          /* things that could not be read */
    void (*on_fault)(const char *message);   /* told of each; may be NULL */
    void (*on_icon)(size_t done, size_t of); /* after each; may be NULL */
} icon_set;

/* Reads `most` (0: all) of the SVG files below `folder`, spread evenly over
 * their sorted paths. Links are not followed. What cannot be read is counted
 * and told, and the rest goes on. `out` must be zero but for its classes and
 * functions. 0, or -1 when out of memory or the folder cannot be read; free
 * the set either way. */
int icon_set_read(icon_set *out, const char *folder, size_t most);
void icon_set_free(icon_set *set);

/* Meets every shape with every later one; the points are added to `found`.
 * 0, or -1 when it failed. */
int icon_intersect(shape *const *shapes, size_t count, hits *found);

#endif
