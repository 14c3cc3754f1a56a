/* gobject_targets.h - the objects of the GObject peer, and their functions. */
#ifndef BENCH_GOBJECT_TARGETS_H
#define BENCH_GOBJECT_TARGETS_H

#include <glib-object.h>

typedef struct gthing {
    GObject parent;
    int value;
} gthing;

typedef int gthing_fn(gthing *object);

typedef struct gthing_class {
    GObjectClass parent;
    gthing_fn *get;
} gthing_class;

typedef struct gthing_interface {
    GTypeInterface parent;
    gthing_fn *get;
} gthing_interface;

extern gthing_fn *const gthing_targets[64];

#endif
