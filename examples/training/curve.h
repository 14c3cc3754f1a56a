/* curve.h - loss curves as a page of HTML with SVG in it. */
#ifndef TRAINING_CURVE_H
#define TRAINING_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct curve {
    double *losses; /* one per step */
    size_t count, capacity;
    struct {
        int64_t step;
        double loss;
    } test[64]; /* measured on what was not trained on */
    size_t test_count;
} curve;

/* Adds a step's loss; what finds no memory is left out. */
void curve_add(curve *c, double loss);
void curve_add_test(curve *c, int64_t step, double loss);
void curve_free(curve *c);

/* Puts the curve into the page `path` under `title`, in the place of an older
 * one of that title; other figures of the page stay. False: see errno. */
bool curve_write(const curve *c, const char *path, const char *title,
                 const char *caption);

#endif
