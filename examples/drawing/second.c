/* Judging icons. Each shape is made a chain once; pairs whose boxes are apart
 * are left out, for there the oracle would only agree. Claims may be off by
 * GEOMETRY_SAME: drawings are full of copies of an outline that differ in the
 * last digit written, and these count as running along each other. */
#include "second.h"

#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>

/* How far a chain may stray from its shape, in the icon's units. Twice this
 * is how near the oracle counts as running along: a little above
 * GEOMETRY_SAME. */
#define FLATNESS 6e-4

static int chain_of(chain *out, shape_kind kind, const shape *s)
{
    switch (kind) {
    case SHAPE_LINE:
        return chain_of_line(out, as_line(s), FLATNESS);
    case SHAPE_QUADRATIC:
        return chain_of_quadratic(out, as_quadratic(s), FLATNESS);
    case SHAPE_CUBIC:
        return chain_of_cubic(out, as_cubic(s), FLATNESS);
    case SHAPE_ARC:
        return chain_of_arc(out, as_arc(s), FLATNESS);
    case SHAPE_POLYGON:
    case SHAPE_RECT:
        return chain_of_polygon(out, as_polygon(s), FLATNESS);
    default:
        return chain_of_ellipse(out, as_ellipse(s), FLATNESS);
    }
}

static void tell(const shape_classes *classes, const icon *about, size_t i,
                 size_t k, const verdict *v, void (*to)(const char *message))
{
    char text[600];
    const shape_kind a = shape_kind_of(classes->runtime, about->shapes[i]);
    const shape_kind b = shape_kind_of(classes->runtime, about->shapes[k]);
    snprintf(text, sizeof text,
             "%s: %s %zu and %s %zu: %zu missed, %zu strays, at %.9g %.9g",
             about->path, shape_kind_name(a), i, shape_kind_name(b), k,
             v->missed, v->strays, v->example.x, v->example.y);
    if (to)
        to(text);
}

static int judge_pairs(const shape_classes *classes, const icon *about,
                       const chain *chains, hits *found, opinion *to,
                       void (*on_dispute)(const char *message))
{
    for (size_t i = 0; i < about->count; i++)
        for (size_t k = i + 1; k < about->count; k++) {
            const shape *a = about->shapes[i], *b = about->shapes[k];
            if (boxes_apart(bounds_of(a), bounds_of(b)))
                continue;
            hits_clear(found);
            if (intersect(a, b, found) != PAIR_DONE)
                return -1;
            const verdict v =
                oracle_judge(&chains[i], &chains[k], FLATNESS, found->points,
                             found->count, GEOMETRY_SAME);
            to->pairs++;
            to->points += found->count;
            to->crossings += v.crossings;
            to->missed += v.missed;
            to->strays += v.strays;
            if (v.missed || v.strays) {
                to->disputed++;
                tell(classes, about, i, k, &v, on_dispute);
            }
        }
    return 0;
}

int second_opinion(const shape_classes *classes, const icon *about,
                   opinion *to, void (*on_dispute)(const char *message))
{
    chain *chains = calloc(about->count + 1, sizeof *chains);
    hits found;
    int failed = chains == NULL;
    hits_init(&found);
    for (size_t i = 0; i < about->count && !failed; i++)
        failed = chain_of(&chains[i],
                          shape_kind_of(classes->runtime, about->shapes[i]),
                          about->shapes[i]);
    if (!failed)
        failed =
            judge_pairs(classes, about, chains, &found, to, on_dispute) != 0;
    to->icons++;
    for (size_t i = 0; chains && i < about->count; i++)
        chain_free(&chains[i]);
    free(chains);
    hits_free(&found);
    return failed ? -1 : 0;
}
