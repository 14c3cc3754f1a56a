/* How two shapes meet: the methods of `intersect`, and the rules that say
 * when each applies.
 *
 *   1. A pair with a closed formula has a method of its own, which calls the
 *      geometry's function for it. When that declines, the next method is
 *      asked, with the arguments in their first order.
 *   2. A polygon with anything: each edge goes through `intersect` again.
 *   3. Any two shapes: the general search, unless their boxes are apart.
 *
 * Rules of different classes are commutative, so a method sees its arguments
 * in the order of its name whichever way round they came. */
#include "intersect.h"

LB_COMMUTES(pair_status, intersect, const shape *, (WITH, hits *, found));
LB_DEFINE_COMMUTATIVE(intersect);
LB_DEFINE_GENERIC(traced);
LB_DEFINE_GENERIC(restated);

/* ---- 1. Formulas ------------------------------------------------------ */

/* The method for a pair that the geometry knows under this name. Asks who it
 * is (LB_SELF) only when it needs the next method: until then it has done
 * nothing that a second start would repeat. */
#define FORMULA(pair, as_first, as_second)                                     \
    LB_METHOD(intersect, meet_##pair);                                         \
    static pair_status meet_##pair(lb_slot slot, const shape *a,               \
                                   const shape *b, hits *found)                \
    {                                                                          \
        const pair_status status = pair(as_first(a), as_second(b), found);     \
        if (status != PAIR_DECLINED)                                           \
            return status;                                                     \
        LB_SELF(intersect, meet_##pair, slot, a, b, found);                    \
        return lb_next_intersect(self, a, b, found);                           \
    }

FORMULA(line_line, as_line, as_line)
FORMULA(line_quadratic, as_line, as_quadratic)
FORMULA(line_cubic, as_line, as_cubic)
FORMULA(line_arc, as_line, as_arc)
FORMULA(line_ellipse, as_line, as_ellipse)
FORMULA(line_circle, as_line, as_circle)
FORMULA(arc_arc, as_arc, as_arc)
FORMULA(arc_circle, as_arc, as_circle)
FORMULA(circle_circle, as_circle, as_circle)
FORMULA(rect_rect, as_rect, as_rect)

/* ---- 2. Edge by edge --------------------------------------------------- */

LB_METHOD(intersect, meet_each_edge);
static pair_status meet_each_edge(lb_slot slot, const shape *a, const shape *b,
                                  hits *found)
{
    const polygon_shape *p = (const polygon_shape *)a;
    pair_status status = PAIR_DONE;
    LB_IGNORE(slot);
    if (boxes_apart(bounds_of(a), bounds_of(b)))
        return PAIR_DONE;
    for (size_t i = 0; i < p->edge_count && status == PAIR_DONE; i++)
        status = intersect(&p->edges[i].base, b, found);
    return status;
}

/* ---- 3. Search --------------------------------------------------------- */

LB_METHOD(intersect, meet_by_search);
static pair_status meet_by_search(lb_slot slot, const shape *a, const shape *b,
                                  hits *found)
{
    LB_IGNORE(slot);
    if (boxes_apart(bounds_of(a), bounds_of(b)))
        return PAIR_DONE;
    const trace ta = traced(a), tb = traced(b);
    return trace_trace(&ta, &tb, found);
}

LB_METHOD(traced, trace_of_line);
static trace trace_of_line(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return trace_line(as_line(s));
}

LB_METHOD(traced, trace_of_quadratic);
static trace trace_of_quadratic(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return trace_quadratic(as_quadratic(s));
}

LB_METHOD(traced, trace_of_cubic);
static trace trace_of_cubic(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return trace_cubic(as_cubic(s));
}

LB_METHOD(traced, trace_of_arc);
static trace trace_of_arc(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return trace_arc(as_arc(s));
}

LB_METHOD(traced, trace_of_ellipse);
static trace trace_of_ellipse(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return trace_ellipse(as_ellipse(s));
}

/* ---- Other forms ------------------------------------------------------- */

LB_METHOD(restated, as_it_is);
static shape *as_it_is(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    (void)s;
    return NULL;
}

/* ---- The rules --------------------------------------------------------- */

static lb_status add_intersect_rules(const shape_classes *c)
{
    lb_class *const *of = c->of;
    const struct {
        const lb_method *method;
        lb_class *first, *second;
    } pairs[] = {
        {LB_DESCRIPTOR(meet_line_line), of[SHAPE_LINE], of[SHAPE_LINE]},
        {LB_DESCRIPTOR(meet_line_quadratic), of[SHAPE_LINE],
         of[SHAPE_QUADRATIC]},
        {LB_DESCRIPTOR(meet_line_cubic), of[SHAPE_LINE], of[SHAPE_CUBIC]},
        {LB_DESCRIPTOR(meet_line_arc), of[SHAPE_LINE], of[SHAPE_ARC]},
        {LB_DESCRIPTOR(meet_line_ellipse), of[SHAPE_LINE], of[SHAPE_ELLIPSE]},
        {LB_DESCRIPTOR(meet_line_circle), of[SHAPE_LINE], of[SHAPE_CIRCLE]},
        {LB_DESCRIPTOR(meet_arc_arc), of[SHAPE_ARC], of[SHAPE_ARC]},
        {LB_DESCRIPTOR(meet_arc_circle), of[SHAPE_ARC], of[SHAPE_CIRCLE]},
        {LB_DESCRIPTOR(meet_circle_circle), of[SHAPE_CIRCLE], of[SHAPE_CIRCLE]},
        {LB_DESCRIPTOR(meet_rect_rect), of[SHAPE_RECT], of[SHAPE_RECT]},
        {LB_DESCRIPTOR(meet_each_edge), of[SHAPE_POLYGON], c->shape},
        {LB_DESCRIPTOR(meet_by_search), c->shape, c->shape},
    };
    enum { COUNT = sizeof pairs / sizeof pairs[0] };
    lb_specializer specializers[COUNT][2];
    lb_rule rules[COUNT] = {{0}};
    for (size_t i = 0; i < COUNT; i++) {
        specializers[i][0] = lb_is(pairs[i].first);
        specializers[i][1] = lb_is(pairs[i].second);
        rules[i].method = pairs[i].method;
        rules[i].specializers = specializers[i];
        rules[i].count = 2;
        rules[i].commutative = pairs[i].first != pairs[i].second;
    }
    return lb_add_rules(LB_GENERIC_OF(intersect), rules, COUNT);
}

static lb_status add_traced_rules(const shape_classes *c)
{
    const lb_head *head = LB_HEAD(traced);
    lb_class *const *of = c->of;
    lb_status s;
    if ((s = lb_add(head, LB_DESCRIPTOR(trace_of_line), of[SHAPE_LINE])) ||
        (s = lb_add(head, LB_DESCRIPTOR(trace_of_quadratic),
                    of[SHAPE_QUADRATIC])) ||
        (s = lb_add(head, LB_DESCRIPTOR(trace_of_cubic), of[SHAPE_CUBIC])) ||
        (s = lb_add(head, LB_DESCRIPTOR(trace_of_arc), of[SHAPE_ARC])))
        return s;
    return lb_add(head, LB_DESCRIPTOR(trace_of_ellipse), of[SHAPE_ELLIPSE]);
}

lb_status intersect_install(const shape_classes *classes)
{
    lb_runtime *runtime = classes->runtime;
    lb_status s;
    if ((s = lb_bind(runtime, LB_HEAD(intersect), NULL)) != LB_OK ||
        (s = lb_bind(runtime, LB_HEAD(traced), NULL)) != LB_OK ||
        (s = lb_bind(runtime, LB_HEAD(restated), NULL)) != LB_OK ||
        (s = add_intersect_rules(classes)) != LB_OK ||
        (s = add_traced_rules(classes)) != LB_OK)
        return s;
    return lb_add(LB_HEAD(restated), LB_DESCRIPTOR(as_it_is), classes->shape);
}
