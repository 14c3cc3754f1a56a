/* Judging icons.
 *
 * Each shape is made a chain once; pairs whose boxes are apart are left out,
 * for there the oracle would only agree. Claims may be off by GEOMETRY_SAME:
 * drawings are full of copies of an outline that differ in the last digit
 * written, and these count as running along each other.
 *
 * Where two such outlines cross at a low angle, what the oracle sees depends
 * on how flat its chains are. So a pair is disputed only if it is with finer
 * and with coarser chains too. */
#include "second.h"

#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>

/* How far chains may stray from their shapes, in the icon's units. */
static const double flatness[] = {3e-4, 1e-4, 1.2e-3};
enum { LOOKS = sizeof flatness / sizeof flatness[0] };

typedef struct judging {
    const shape_classes *classes;
    const icon *about;
    chain *chains; /* by shape, of the first flatness */
    hits found;
    opinion *to;
    void (*on_dispute)(const char *message);
} judging;

static shape_kind kind_of(const judging *j, size_t i)
{
    return shape_kind_of(j->classes->runtime, j->about->shapes[i]);
}

static int make_chain(const judging *j, size_t i, double flat, chain *out)
{
    const shape *s = j->about->shapes[i];
    switch (kind_of(j, i)) {
    case SHAPE_LINE:
        return chain_of_line(out, as_line(s), flat);
    case SHAPE_QUADRATIC:
        return chain_of_quadratic(out, as_quadratic(s), flat);
    case SHAPE_CUBIC:
        return chain_of_cubic(out, as_cubic(s), flat);
    case SHAPE_ARC:
        return chain_of_arc(out, as_arc(s), flat);
    case SHAPE_POLYGON:
    case SHAPE_RECT:
        return chain_of_polygon(out, as_polygon(s), flat);
    default:
        return chain_of_ellipse(out, as_ellipse(s), flat);
    }
}

static verdict judge(const judging *j, const chain *a, const chain *b,
                     double flat)
{
    return oracle_judge(a, b, flat, j->found.points, j->found.count,
                        GEOMETRY_SAME);
}

/* Another look at a pair, with chains of another flatness. -1: no memory. */
static int look_again(const judging *j, size_t i, size_t k, double flat,
                      verdict *v)
{
    chain a = {NULL, 0, 0}, b = {NULL, 0, 0};
    const int failed = make_chain(j, i, flat, &a) || make_chain(j, k, flat, &b);
    if (!failed)
        *v = judge(j, &a, &b, flat);
    chain_free(&a);
    chain_free(&b);
    return failed ? -1 : 0;
}

static void tell(const judging *j, size_t i, size_t k, const verdict *v)
{
    char text[600];
    snprintf(text, sizeof text,
             "%s: %s %zu and %s %zu: %zu missed, %zu strays, at %.9g %.9g",
             j->about->path, shape_kind_name(kind_of(j, i)), i,
             shape_kind_name(kind_of(j, k)), k, v->missed, v->strays,
             v->example.x, v->example.y);
    j->to->disputed++;
    if (j->on_dispute)
        j->on_dispute(text);
}

static int judge_pair(judging *j, size_t i, size_t k)
{
    const shape *a = j->about->shapes[i], *b = j->about->shapes[k];
    if (boxes_apart(bounds_of(a), bounds_of(b)))
        return 0;
    hits_clear(&j->found);
    if (intersect(a, b, &j->found) != PAIR_DONE)
        return -1;
    verdict v = judge(j, &j->chains[i], &j->chains[k], flatness[0]);
    j->to->pairs++;
    j->to->points += j->found.count;
    j->to->crossings += v.crossings;
    for (int look = 1; look < LOOKS && (v.missed || v.strays); look++)
        if (look_again(j, i, k, flatness[look], &v) != 0)
            return -1;
    if (v.missed || v.strays)
        tell(j, i, k, &v);
    return 0;
}

static int judge_icon(judging *j)
{
    for (size_t i = 0; i < j->about->count; i++)
        if (make_chain(j, i, flatness[0], &j->chains[i]) != 0)
            return -1;
    for (size_t i = 0; i < j->about->count; i++)
        for (size_t k = i + 1; k < j->about->count; k++)
            if (judge_pair(j, i, k) != 0)
                return -1;
    j->to->icons++;
    return 0;
}

int second_opinion(const shape_classes *classes, const icon *about, opinion *to,
                   void (*on_dispute)(const char *message))
{
    judging j = {.classes = classes,
                 .about = about,
                 .chains = calloc(about->count + 1, sizeof(chain)),
                 .to = to,
                 .on_dispute = on_dispute};
    hits_init(&j.found);
    const int failed = j.chains == NULL || judge_icon(&j) != 0;
    for (size_t i = 0; j.chains && i < about->count; i++)
        chain_free(&j.chains[i]);
    free(j.chains);
    hits_free(&j.found);
    return failed ? -1 : 0;
}

bool opinion_is_good(const opinion *o)
{
    return o->disputed <= o->pairs / 10000;
}
