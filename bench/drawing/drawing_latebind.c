/* The drawing job by a generic function of two arguments.
 *
 * The objects and methods are those of examples/drawing, as they stand: their
 * rules are rules 1 to 3 of drawing.h. Calls are counted by an around method
 * that is there only while counts are wanted, so a timed run has neither the
 * method nor a test for it. */
#include "drawing.h"
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct icon {
    shape **shapes; /* each owned */
    size_t count;
} icon;

typedef struct world {
    shape_classes classes;
    icon *icons;
    size_t count;
} world;

static shape *object(const shape_classes *c, const drawing_shape *from)
{
    switch (from->kind) {
    case DRAWING_LINE:
        return line_new(c, &from->as.line);
    case DRAWING_QUADRATIC:
        return quadratic_new(c, &from->as.quadratic);
    case DRAWING_CUBIC:
        return cubic_new(c, &from->as.cubic);
    case DRAWING_ARC:
        return arc_new(c, &from->as.arc);
    case DRAWING_POLYGON:
        return polygon_new(c, &from->as.polygon);
    case DRAWING_RECT:
        return rect_new(c, &from->as.rect);
    case DRAWING_ELLIPSE:
        return ellipse_new(c, &from->as.ellipse);
    default:
        return circle_new(c, &from->as.circle);
    }
}

static int icon_load(const shape_classes *c, icon *out,
                     const drawing_icon *from)
{
    out->shapes = calloc(from->count + 1, sizeof *out->shapes);
    if (!out->shapes)
        return -1;
    for (; out->count < from->count; out->count++) {
        shape *made = object(c, &from->shapes[out->count]);
        if (!made)
            return -1;
        out->shapes[out->count] = made;
    }
    return 0;
}

static int failed(void)
{
    fprintf(stderr, "latebind: %s\n", lb_message());
    return -1;
}

int drawing_latebind_load(const drawing_collection *icons, drawing_job *out)
{
    world *own = calloc(1, sizeof *own);
    lb_runtime *runtime;
    memset(out, 0, sizeof *out);
    out->icons = icons;
    out->own = own;
    if (!own)
        return -1;
    if (lb_runtime_create(NULL, &runtime) != LB_OK)
        return failed();
    own->classes.runtime = runtime;
    if (shape_classes_make(runtime, &own->classes) != LB_OK ||
        intersect_install(&own->classes) != LB_OK)
        return failed();
    own->icons = calloc(icons->count + 1, sizeof *own->icons);
    if (!own->icons)
        return -1;
    for (; own->count < icons->count; own->count++)
        if (icon_load(&own->classes, &own->icons[own->count],
                      &icons->icons[own->count]) != 0)
            return -1;
    return 0;
}

void drawing_latebind_unload(drawing_job *job)
{
    world *own = job->own;
    if (!own)
        return;
    for (size_t i = 0; own->icons && i < job->icons->count; i++) {
        for (size_t k = 0; k < own->icons[i].count; k++)
            shape_free(&own->classes, own->icons[i].shapes[k]);
        free(own->icons[i].shapes);
    }
    free(own->icons);
    lb_runtime_destroy(own->classes.runtime);
    free(own);
    job->own = NULL;
}

/* ---- The job --------------------------------------------------------- */

static int icon_run(const icon *in, hits *found, drawing_result *result)
{
    for (size_t i = 0; i < in->count; i++)
        for (size_t k = i + 1; k < in->count; k++) {
            hits_start_pair(found);
            if (intersect(in->shapes[i], in->shapes[k], found) != PAIR_DONE)
                return -1;
        }
    drawing_take_points(result, found);
    return 0;
}

static int run(const drawing_job *job, drawing_result *out)
{
    const world *own = job->own;
    hits found;
    int bad = 0;
    memset(out, 0, sizeof *out);
    hits_init(&found);
    for (size_t i = 0; i < job->icons->count && !bad; i++) {
        out->icons++;
        out->shapes += own->icons[i].count;
        bad = icon_run(&own->icons[i], &found, out);
    }
    out->cut_short = found.cut_short;
    hits_free(&found);
    return bad;
}

/* The kinds of drawing.h and those of the objects come in the same order. */
static int run_and_count(const drawing_job *job, drawing_result *out)
{
    const world *own = job->own;
    tally counts = {{{0}}, 0};
    if (tally_start(own->classes.runtime) != LB_OK)
        return failed();
    tally_into(&counts);
    const int bad = run(job, out);
    tally_into(NULL);
    if (tally_end() != LB_OK)
        return failed();
    for (int i = 0; i < DRAWING_KINDS; i++)
        for (int k = 0; k < DRAWING_KINDS; k++)
            out->calls[i][k] = counts.calls[i][k];
    return bad;
}

int drawing_latebind_run(const drawing_job *job, drawing_result *out)
{
    return job->count_calls ? run_and_count(job, out) : run(job, out);
}
