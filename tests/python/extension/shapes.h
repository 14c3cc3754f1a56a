/* shapes.h - a small C library that knows nothing of Python. */
#ifndef SHAPES_H
#define SHAPES_H

#include <stdbool.h>

#include <latebind/latebind.h>

typedef struct shape {
    lb_header head;
    int32_t sides;
    uint8_t tag;
} shape;

typedef struct circle {
    shape base;
    double r;
} circle;

typedef struct square {
    shape base;
    double side;
} square;

typedef struct hits {
    int count;
} hits;

typedef enum colour { RED, GREEN, BLUE } colour;

LB_GENERIC(double, area, (ON, const shape *, s));
LB_GENERIC(double, scaled, (ON, const shape *, s), (WITH, double, by),
           (WITH, float, and_by));
LB_GENERIC(int, meet, (ON, const shape *, a), (ON, const shape *, b));
LB_GENERIC(const char *, label, (ON, const shape *, s),
           (WITH, const char *, prefix));
LB_GENERIC(bool, is_large, (ON, const shape *, s), (WITH, bool, strictly));
LB_GENERIC_VOID(touch, (ON, shape *, s), (WITH, uint8_t, tag));
LB_GENERIC(int64_t, add_up, (ON, const shape *, s), (WITH, int8_t, a),
           (WITH, unsigned short, b), (WITH, int, c), (WITH, uint64_t, d));
LB_GENERIC(shape *, pick, (ON, shape *, a), (ON, shape *, b));
LB_GENERIC(double, gap, (ON, const shape *, s), (WITH, const shape *, other));
LB_GENERIC(colour, tint, (ON, const shape *, s), (WITH, colour, by));
LB_GENERIC(long, weigh, (REF, lb_ref, what));
LB_GENERIC(lb_ref, heavier, (REF, lb_ref, a), (REF, lb_ref, b));
LB_GENERIC(long, digits, (ON, const shape *, s));
LB_GENERIC(int, strange, (ON, const shape *, s), (WITH, hits *, out));

extern lb_class *shape_class, *circle_class, *square_class, *level_class[4];

/* Makes the classes and binds the generic functions. */
lb_status shapes_setup_classes(lb_runtime *runtime);
/* Adds the methods, when they are bound. */
lb_status shapes_setup_methods(void);

#endif
