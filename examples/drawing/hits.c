/* The list that collects points.
 *
 * A point joins the list unless one added since the last mark lies nearer
 * than `merge`; the search is linear, since one pair of shapes rarely shares
 * more than a handful of points.  The memory doubles when full. */
#include "vector.h"

#include <stdint.h>
#include <stdlib.h>

/* Ten times the tolerance: two ways to compute one point each err by up to
 * the tolerance, and more along the curves where they meet at a low angle. */
#define MERGE_DISTANCE (10 * GEOMETRY_TOLERANCE)

void hits_init(hits *list)
{
    list->points = NULL;
    list->count = list->capacity = list->mark = 0;
    list->merge = MERGE_DISTANCE;
    list->cut_short = 0;
}

void hits_free(hits *list)
{
    free(list->points);
    hits_init(list);
}

void hits_clear(hits *list)
{
    list->count = list->mark = 0;
}

void hits_start_pair(hits *list)
{
    list->mark = list->count;
}

static int grow(hits *list)
{
    size_t capacity = list->capacity ? 2 * list->capacity : 16;
    if (capacity > SIZE_MAX / sizeof(point))
        return -1;
    point *points = realloc(list->points, capacity * sizeof *points);
    if (!points)
        return -1;
    list->points = points;
    list->capacity = capacity;
    return 0;
}

int hits_add(hits *list, point p)
{
    for (size_t i = list->mark; i < list->count; i++)
        if (near(list->points[i], p, list->merge))
            return 0;
    if (list->count == list->capacity && grow(list) != 0)
        return -1;
    list->points[list->count++] = p;
    return 0;
}
