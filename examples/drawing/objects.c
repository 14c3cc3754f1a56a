/* Making the classes of shapes, and objects of them.
 *
 * A class of the lattice carries its kind in its context, plus one, so that
 * a class made by someone else (context NULL) is told apart. Objects are
 * made by lb_new, which stamps them; polygons own more than that. */
#include "objects.h"

#include <stdlib.h>

static const char *const names[SHAPE_KINDS] = {"line",    "quadratic", "cubic",
                                               "arc",     "polygon",   "rect",
                                               "ellipse", "circle"};

static const size_t sizes[SHAPE_KINDS] = {
    sizeof(line_shape),    sizeof(quadratic_shape), sizeof(cubic_shape),
    sizeof(arc_shape),     sizeof(polygon_shape),   sizeof(polygon_shape),
    sizeof(ellipse_shape), sizeof(ellipse_shape)};

const char *shape_kind_name(shape_kind kind)
{
    return names[kind];
}

/* ---- Classes --------------------------------------------------------- */

static lb_status make_kind(shape_classes *c, shape_kind kind, lb_class *base)
{
    lb_class_spec spec = {.name = names[kind],
                          .bases = &base,
                          .base_count = 1,
                          .instance_size = sizes[kind],
                          .context = (void *)((uintptr_t)kind + 1)};
    return lb_class_create(c->runtime, &spec, &c->of[kind]);
}

static lb_status make_abstract(shape_classes *c, const char *name,
                               lb_class *base, lb_class **out)
{
    lb_class_spec spec = {
        .name = name, .bases = &base, .base_count = base != NULL};
    return lb_class_create(c->runtime, &spec, out);
}

lb_status shape_classes_make(lb_runtime *runtime, shape_classes *out)
{
    shape_classes *c = out;
    lb_status s;
    c->runtime = runtime;
    if ((s = make_abstract(c, "shape", NULL, &c->shape)) != LB_OK ||
        (s = make_abstract(c, "segment", c->shape, &c->segment)) != LB_OK ||
        (s = make_abstract(c, "curve", c->segment, &c->curve)) != LB_OK ||
        (s = make_abstract(c, "outline", c->shape, &c->outline)) != LB_OK ||
        (s = make_kind(c, SHAPE_LINE, c->segment)) != LB_OK ||
        (s = make_kind(c, SHAPE_QUADRATIC, c->curve)) != LB_OK ||
        (s = make_kind(c, SHAPE_CUBIC, c->curve)) != LB_OK ||
        (s = make_kind(c, SHAPE_ARC, c->curve)) != LB_OK ||
        (s = make_kind(c, SHAPE_POLYGON, c->outline)) != LB_OK ||
        (s = make_kind(c, SHAPE_RECT, c->of[SHAPE_POLYGON])) != LB_OK ||
        (s = make_kind(c, SHAPE_ELLIPSE, c->outline)) != LB_OK ||
        (s = make_kind(c, SHAPE_CIRCLE, c->of[SHAPE_ELLIPSE])) != LB_OK)
        return s;
    return LB_OK;
}

shape_kind shape_kind_of(lb_runtime *runtime, const shape *s)
{
    const lb_class *cls = lb_class_of(runtime, &s->head);
    const uintptr_t context = cls ? (uintptr_t)lb_class_context(cls) : 0;
    return context ? (shape_kind)(context - 1) : SHAPE_KINDS;
}

/* ---- Objects --------------------------------------------------------- */

shape *line_new(const shape_classes *classes, const line *from)
{
    line_shape *made = lb_new(classes->of[SHAPE_LINE]);
    if (made == NULL)
        return NULL;
    made->data = *from;
    return &made->base;
}

shape *quadratic_new(const shape_classes *classes, const quadratic *from)
{
    quadratic_shape *made = lb_new(classes->of[SHAPE_QUADRATIC]);
    if (made == NULL)
        return NULL;
    made->data = *from;
    return &made->base;
}

shape *cubic_new(const shape_classes *classes, const cubic *from)
{
    cubic_shape *made = lb_new(classes->of[SHAPE_CUBIC]);
    if (made == NULL)
        return NULL;
    made->data = *from;
    return &made->base;
}

shape *arc_new(const shape_classes *classes, const arc *from)
{
    arc_shape *made = lb_new(classes->of[SHAPE_ARC]);
    if (made == NULL)
        return NULL;
    made->data = *from;
    return &made->base;
}

shape *ellipse_new(const shape_classes *classes, const ellipse *from)
{
    ellipse_shape *made = lb_new(classes->of[SHAPE_ELLIPSE]);
    if (made == NULL)
        return NULL;
    made->data.base = *from;
    return &made->base;
}

shape *circle_new(const shape_classes *classes, const circle *from)
{
    ellipse_shape *made = lb_new(classes->of[SHAPE_CIRCLE]);
    if (made == NULL)
        return NULL;
    made->data = *from;
    return &made->base;
}

/* Gives the polygon its points and edges; -1 when out of memory. */
static int fill_polygon(const shape_classes *classes, polygon_shape *made,
                        const polygon *from)
{
    const size_t count = polygon_edge_count(from);
    if (polygon_make(&made->data.base, from->points, from->count,
                     from->closed) != 0)
        return -1;
    made->edges = calloc(count + 1, sizeof *made->edges);
    if (made->edges == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        lb_init(classes->of[SHAPE_LINE], &made->edges[i]);
        made->edges[i].data = polygon_edge(from, i);
    }
    made->edge_count = count;
    return 0;
}

static shape *corners_new(const shape_classes *classes, shape_kind kind,
                          const polygon *from)
{
    polygon_shape *made = lb_new(classes->of[kind]);
    if (made && fill_polygon(classes, made, from) != 0) {
        shape_free(classes, &made->base);
        return NULL;
    }
    return (shape *)made;
}

shape *polygon_new(const shape_classes *classes, const polygon *from)
{
    return corners_new(classes, SHAPE_POLYGON, from);
}

shape *rect_new(const shape_classes *classes, const rect *from)
{
    return corners_new(classes, SHAPE_RECT, &from->base);
}

void shape_free(const shape_classes *classes, shape *s)
{
    if (s == NULL)
        return;
    lb_class *cls = lb_class_of(classes->runtime, &s->head);
    if (lb_class_is_subclass(cls, classes->of[SHAPE_POLYGON])) {
        polygon_free(&((polygon_shape *)s)->data.base);
        free(((polygon_shape *)s)->edges);
    }
    lb_delete(cls, s);
}
