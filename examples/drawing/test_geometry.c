/* Tests of the geometry: cases worked out by hand, then thousands of random
 * pairs of every two kinds against the oracle.
 *
 *     test_geometry [PAIRS]
 *
 * PAIRS is the number of random pairs for each two kinds (default 60).  The
 * random numbers start from a fixed seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PI 3.14159265358979323846

/* ---- Any two shapes -------------------------------------------------- */

enum kind {
    LINE,
    QUADRATIC,
    CUBIC,
    ARC,
    ELLIPSE,
    CIRCLE,
    POLYGON,
    RECT,
    KINDS
};

static const char *const kind_names[KINDS] = {"line",    "quadratic", "cubic",
                                              "arc",     "ellipse",   "circle",
                                              "polygon", "rect"};

typedef struct shape {
    enum kind kind;
    line line;
    quadratic quadratic;
    cubic cubic;
    arc arc;
    circle circle; /* of an ellipse, `circle.base` */
    rect rect;     /* of a polygon, `rect.base` */
} shape;

static trace traced(const shape *s)
{
    switch (s->kind) {
    case LINE:
        return trace_line(&s->line);
    case QUADRATIC:
        return trace_quadratic(&s->quadratic);
    case CUBIC:
        return trace_cubic(&s->cubic);
    case ARC:
        return trace_arc(&s->arc);
    default:
        return trace_ellipse(&s->circle.base);
    }
}

static pair_status general(const shape *a, const shape *b, hits *out)
{
    trace ta = traced(a), tb = traced(b);
    return trace_trace(&ta, &tb, out);
}

/* The function for the pair in this order; declined if there is none. */
static pair_status special(const shape *a, const shape *b, hits *out)
{
    switch (a->kind * KINDS + b->kind) {
    case LINE *KINDS + LINE:
        return line_line(&a->line, &b->line, out);
    case LINE *KINDS + QUADRATIC:
        return line_quadratic(&a->line, &b->quadratic, out);
    case LINE *KINDS + CUBIC:
        return line_cubic(&a->line, &b->cubic, out);
    case LINE *KINDS + ARC:
        return line_arc(&a->line, &b->arc, out);
    case LINE *KINDS + ELLIPSE:
        return line_ellipse(&a->line, &b->circle.base, out);
    case LINE *KINDS + CIRCLE:
        return line_circle(&a->line, &b->circle, out);
    case ARC *KINDS + ARC:
        return arc_arc(&a->arc, &b->arc, out);
    case ARC *KINDS + CIRCLE:
        return arc_circle(&a->arc, &b->circle, out);
    case CIRCLE *KINDS + CIRCLE:
        return circle_circle(&a->circle, &b->circle, out);
    case RECT *KINDS + RECT:
        return rect_rect(&a->rect, &b->rect, out);
    default:
        return PAIR_DECLINED;
    }
}

static pair_status meet(const shape *a, const shape *b, hits *out)
{
    pair_status status = special(a, b, out);
    if (status == PAIR_DECLINED)
        status = special(b, a, out);
    if (status != PAIR_DECLINED)
        return status;
    if (b->kind >= POLYGON && a->kind < POLYGON)
        return meet(b, a, out);
    if (a->kind < POLYGON)
        return general(a, b, out);
    shape edge = {.kind = LINE};
    status = PAIR_DONE;
    for (size_t i = 0; i < polygon_edge_count(&a->rect.base); i++) {
        edge.line = polygon_edge(&a->rect.base, i);
        status = meet(&edge, b, out);
        if (status != PAIR_DONE)
            break;
    }
    return status;
}

static chain chained(const shape *s, double flatness)
{
    chain made;
    int failed = 0;
    if (s->kind == LINE)
        failed = chain_of_line(&made, &s->line, flatness);
    else if (s->kind == QUADRATIC)
        failed = chain_of_quadratic(&made, &s->quadratic, flatness);
    else if (s->kind == CUBIC)
        failed = chain_of_cubic(&made, &s->cubic, flatness);
    else if (s->kind == ARC)
        failed = chain_of_arc(&made, &s->arc, flatness);
    else if (s->kind == ELLIPSE || s->kind == CIRCLE)
        failed = chain_of_ellipse(&made, &s->circle.base, flatness);
    else
        failed = chain_of_polygon(&made, &s->rect.base, flatness);
    assert_int_equal(failed, 0);
    return made;
}

/* ---- By hand --------------------------------------------------------- */

static point pt(double x, double y)
{
    point p = {x, y};
    return p;
}

static shape line_shape(double ax, double ay, double bx, double by)
{
    shape s = {.kind = LINE, .line = line_make(pt(ax, ay), pt(bx, by))};
    return s;
}

static shape cubic_shape(const double v[8])
{
    shape s = {.kind = CUBIC,
               .cubic = cubic_make(pt(v[0], v[1]), pt(v[2], v[3]),
                                   pt(v[4], v[5]), pt(v[6], v[7]))};
    return s;
}

static shape circle_shape(double x, double y, double r)
{
    shape s = {.kind = CIRCLE, .circle = circle_make(pt(x, y), r)};
    return s;
}

static shape ellipse_shape(double x, double y, double rx, double ry, double w)
{
    shape s = {.kind = ELLIPSE};
    s.circle.base = ellipse_make(pt(x, y), rx, ry, w);
    return s;
}

static shape arc_shape(double x, double y, double rx, double ry, double from,
                       double sweep)
{
    shape s = {.kind = ARC};
    s.arc = arc_make(pt(x, y), rx, ry, 0, from, sweep, NULL, NULL);
    return s;
}

static shape rect_shape(double x0, double y0, double x1, double y1)
{
    shape s = {.kind = RECT};
    assert_int_equal(rect_make(&s.rect, pt(x0, y0), pt(x1, y1)), 0);
    return s;
}

/* Expects exactly `count` points, in any order, both ways round. */
static void expect(const shape *a, const shape *b, const point *wanted,
                   size_t count, double within)
{
    for (int turn = 0; turn < 2; turn++) {
        hits found;
        hits_init(&found);
        pair_status status = turn ? meet(b, a, &found) : meet(a, b, &found);
        assert_int_equal(status, PAIR_DONE);
        assert_int_equal(found.count, count);
        for (size_t i = 0; i < count; i++) {
            double best = INFINITY;
            for (size_t k = 0; k < count; k++)
                best = fmin(best, hypot(found.points[k].x - wanted[i].x,
                                        found.points[k].y - wanted[i].y));
            assert_true(best <= within);
        }
        hits_free(&found);
    }
}

#define EXPECT(a, b, within, ...)                                              \
    do {                                                                       \
        const point wanted[] = {__VA_ARGS__};                                  \
        expect(a, b, wanted, sizeof wanted / sizeof wanted[0], within);        \
    } while (0)

static void lines_meet_where_they_cross(void **state)
{
    (void)state;
    shape a = line_shape(0, 0, 4, 4), b = line_shape(0, 4, 4, 0);
    shape c = line_shape(4, 4, 9, 4), d = line_shape(0, 1, 4, 5);
    shape e = line_shape(3, 3, 3, 8);
    EXPECT(&a, &b, 1e-12, {2, 2});
    EXPECT(&a, &c, 0, {4, 4});
    EXPECT(&a, &e, 0, {3, 3});
    expect(&a, &d, NULL, 0, 0);
}

static void collinear_lines_report_the_ends_of_the_overlap(void **state)
{
    (void)state;
    shape a = line_shape(0, 0, 4, 2), b = line_shape(2, 1, 8, 4);
    shape inner = line_shape(1, 0.5, 2, 1), off = line_shape(6, 3, 8, 4);
    shape next = line_shape(4, 2, 8, 4);
    hits found;
    hits_init(&found);
    assert_int_equal(line_line(&a.line, &b.line, &found), PAIR_DECLINED);
    assert_int_equal(found.count, 0);
    EXPECT(&a, &b, 1e-9, {2, 1}, {4, 2});
    EXPECT(&a, &inner, 1e-9, {1, 0.5}, {2, 1});
    EXPECT(&a, &a, 1e-9, {0, 0}, {4, 2});
    EXPECT(&a, &next, 1e-9, {4, 2});
    expect(&a, &off, NULL, 0, 0);
}

static void lines_cross_and_touch_curves(void **state)
{
    (void)state;
    const double bow[8] = {0, 0, 0, 4, 4, 4, 4, 0};   /* top at (2, 3) */
    const double wave[8] = {0, 0, 2, 6, 4, -6, 6, 0}; /* through (3, 0) */
    shape c = cubic_shape(bow), w = cubic_shape(wave);
    shape top = line_shape(0, 3, 4, 3), level = line_shape(-1, 0, 7, 0);
    shape q = {.kind = QUADRATIC};
    q.quadratic = quadratic_make(pt(0, 0), pt(2, 4), pt(4, 0));
    shape half = line_shape(0, 2, 4, 2);
    EXPECT(&top, &c, 1e-4, {2, 3});
    EXPECT(&level, &c, 1e-9, {0, 0}, {4, 0});
    EXPECT(&level, &w, 1e-9, {0, 0}, {3, 0}, {6, 0});
    EXPECT(&half, &q, 1e-4, {2, 2});
}

static void lines_meet_circles_ellipses_and_arcs(void **state)
{
    (void)state;
    shape c = circle_shape(0, 0, 5), e = ellipse_shape(0, 0, 5, 3, PI / 2);
    shape a = arc_shape(0, 0, 5, 5, 0, PI);
    shape level = line_shape(-9, 3, 9, 3), upright = line_shape(4, -9, 4, 9);
    shape tangent = line_shape(5, -1, 5, 9), inside = line_shape(0, 0, 1, 1);
    EXPECT(&level, &c, 1e-9, {4, 3}, {-4, 3});
    EXPECT(&upright, &a, 1e-9, {4, 3});
    EXPECT(&tangent, &c, 1e-9, {5, 0});
    EXPECT(&tangent, &a, 1e-9, {5, 0});
    EXPECT(&level, &e, 1e-9, {2.4, 3}, {-2.4, 3});
    expect(&inside, &c, NULL, 0, 0);
}

static void circles_cross_touch_or_stay_apart(void **state)
{
    (void)state;
    shape a = circle_shape(0, 0, 5), b = circle_shape(6, 0, 5);
    shape outer = circle_shape(8, 0, 3), inner = circle_shape(2, 0, 3);
    shape within = circle_shape(1, 0, 2), same = circle_shape(0, 0, 5);
    hits found;
    hits_init(&found);
    EXPECT(&a, &b, 1e-9, {3, 4}, {3, -4});
    EXPECT(&a, &outer, 1e-9, {5, 0});
    EXPECT(&a, &inner, 1e-9, {5, 0});
    expect(&a, &within, NULL, 0, 0);
    assert_int_equal(circle_circle(&a.circle, &same.circle, &found),
                     PAIR_DECLINED);
    expect(&a, &same, NULL, 0, 0);
}

static void arcs_of_one_circle_report_the_ends_of_the_overlap(void **state)
{
    (void)state;
    shape a = arc_shape(0, 0, 2, 2, 0, PI);
    shape b = arc_shape(0, 0, 2, 2, PI / 2, PI);
    shape rest = arc_shape(0, 0, 2, 2, 0, -PI), c = circle_shape(0, 0, 2);
    EXPECT(&a, &b, 1e-9, {0, 2}, {-2, 0});
    EXPECT(&a, &rest, 1e-9, {2, 0}, {-2, 0});
    EXPECT(&a, &c, 1e-9, {2, 0}, {-2, 0});
    shape e = arc_shape(0, 0, 2, 1, 0, PI);
    shape f = arc_shape(0, 0, 2, 1, PI / 2, PI);
    EXPECT(&e, &f, 1e-9, {0, 1}, {-2, 0});
}

static void ellipses_cross_in_four_points_and_touch_in_two(void **state)
{
    (void)state;
    shape a = ellipse_shape(0, 0, 5, 3, 0), b = ellipse_shape(0, 0, 3, 5, 0);
    shape c = circle_shape(0, 0, 3), same = ellipse_shape(0, 0, 5, 3, PI);
    double d = 15 / sqrt(34);
    EXPECT(&a, &b, 1e-6, {d, d}, {-d, d}, {d, -d}, {-d, -d});
    EXPECT(&a, &c, 1e-3, {0, 3}, {0, -3});
    expect(&a, &same, NULL, 0, 0);
}

static void coincident_cubics_report_the_ends_of_the_overlap(void **state)
{
    (void)state;
    const double v[8] = {0, 0, 0, 8, 8, 8, 8, 0};
    const double back[8] = {8, 0, 8, 8, 0, 8, 0, 0};
    const double first[8] = {0, 0, 0, 4, 2, 6, 4, 6}; /* half of it */
    const double inner[8] = {1.25, 4.5, 2.75, 6.5, 5.25, 6.5, 6.75, 4.5};
    shape a = cubic_shape(v), b = cubic_shape(back), c = cubic_shape(first);
    EXPECT(&a, &a, 1e-9, {0, 0}, {8, 0});
    EXPECT(&a, &b, 1e-9, {0, 0}, {8, 0});
    EXPECT(&a, &c, 1e-9, {0, 0}, {4, 6});
    shape d = cubic_shape(inner); /* t from 1/4 to 3/4 */
    EXPECT(&a, &d, 1e-9, {1.25, 4.5}, {6.75, 4.5});
}

static void smooth_neighbours_meet_only_in_their_common_end(void **state)
{
    (void)state;
    shape before = line_shape(0, 0, 4, 0);
    shape turn = arc_shape(4, 3, 3, 3, -PI / 2, PI / 2);
    turn.arc =
        arc_make(pt(4, 3), 3, 3, 0, -PI / 2, PI / 2, &before.line.b, NULL);
    const double v[8] = {7, 3, 7, 5, 6, 6, 3, 6};
    shape after = cubic_shape(v);
    EXPECT(&before, &turn, 1e-9, {4, 0});
    EXPECT(&turn, &after, 1e-9, {7, 3});
    expect(&before, &after, NULL, 0, 0);
}

static void a_near_cusp_at_a_common_end_is_one_point(void **state)
{
    (void)state;
    shape a = arc_shape(0, 20, 20, 20, -PI / 2, PI / 2);
    shape b = arc_shape(0, 19, 20, 19, -PI / 2, PI / 2);
    EXPECT(&a, &b, 1e-6, {0, 0});
}

static void cubics_cross_up_to_nine_times(void **state)
{
    (void)state;
    const double a[8] = {0, 1, 40, 0, -30, 0, 10, 1};
    const double b[8] = {4.5, -4, 5.5, 16, 4.6, -14.5, 5.5, 6};
    shape p = cubic_shape(a), q = cubic_shape(b);
    hits found;
    hits_init(&found);
    assert_int_equal(meet(&p, &q, &found), PAIR_DONE);
    assert_true(found.count >= 3 && found.count <= 9);
    hits_free(&found);
}

static void rectangles_cross_share_sides_or_contain(void **state)
{
    (void)state;
    shape a = rect_shape(0, 0, 4, 4), b = rect_shape(2, 2, 6, 6);
    shape side = rect_shape(4, 1, 8, 3), inner = rect_shape(1, 1, 2, 2);
    shape c = circle_shape(0, 0, 4);
    EXPECT(&a, &b, 0, {4, 2}, {2, 4});
    EXPECT(&a, &side, 1e-9, {4, 1}, {4, 3});
    EXPECT(&a, &c, 1e-9, {4, 0}, {0, 4});
    expect(&a, &inner, NULL, 0, 0);
    polygon_free(&a.rect.base);
    polygon_free(&b.rect.base);
    polygon_free(&side.rect.base);
    polygon_free(&inner.rect.base);
}

static void shapes_without_extent_do_no_harm(void **state)
{
    (void)state;
    shape dot = line_shape(2, 2, 2, 2), slope = line_shape(0, 0, 4, 4);
    shape away = line_shape(0, 1, 4, 5);
    const double v[8] = {2, 2, 2, 2, 2, 2, 2, 2};
    shape c = cubic_shape(v), round = circle_shape(2, 0, 2);
    EXPECT(&dot, &slope, 1e-9, {2, 2});
    EXPECT(&c, &slope, 1e-9, {2, 2});
    EXPECT(&c, &round, 1e-9, {2, 2});
    EXPECT(&c, &dot, 1e-9, {2, 2});
    expect(&c, &away, NULL, 0, 0);
}

static void points_merge_only_within_a_pair(void **state)
{
    (void)state;
    hits list;
    hits_init(&list);
    assert_int_equal(hits_add(&list, pt(1, 1)), 0);
    assert_int_equal(hits_add(&list, pt(1, 1 + list.merge / 2)), 0);
    assert_int_equal(list.count, 1);
    hits_start_pair(&list);
    assert_int_equal(hits_add(&list, pt(1, 1)), 0);
    assert_int_equal(list.count, 2);
    hits_free(&list);
}

/* ---- At random ------------------------------------------------------- */

static uint64_t seed = 20030401;

static double uniform(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* A coordinate from 0 to 10; on the grid of integers when `snap`, so that
 * common ends, touches and overlaps come up often. */
static double place(int snap)
{
    double x = 10 * uniform();
    return snap ? floor(x) : x;
}

static point somewhere(int snap)
{
    double x = place(snap);
    return pt(x, place(snap));
}

static shape random_shape(enum kind kind, int snap)
{
    shape s = {.kind = kind};
    point p[4];
    for (int i = 0; i < 4; i++)
        p[i] = somewhere(snap);
    double r1 = snap ? 1 + floor(4 * uniform()) : 0.2 + 5 * uniform();
    double r2 = snap ? 1 + floor(4 * uniform()) : 0.2 + 5 * uniform();
    double turn = snap ? PI / 2 * floor(4 * uniform()) : 7 * uniform();
    double sweep =
        snap ? PI / 2 * (1 + floor(3 * uniform())) : 0.1 + 6 * uniform();
    if (uniform() < 0.5)
        sweep = -sweep;
    if (kind == ARC && uniform() < 0.5)
        r2 = r1;
    int failed = 0;
    s.line = line_make(p[0], p[1]);
    s.quadratic = quadratic_make(p[0], p[1], p[2]);
    s.cubic = cubic_make(p[0], p[1], p[2], p[3]);
    s.arc = arc_make(p[0], r1, r2, turn, turn, sweep, NULL, NULL);
    if (kind == ELLIPSE)
        s.circle.base = ellipse_make(p[0], r1, r2, turn);
    else
        s.circle = circle_make(p[0], r1);
    if (kind == POLYGON)
        failed = polygon_make(&s.rect.base, p, 4, uniform() < 0.5);
    else if (kind == RECT)
        failed = rect_make(&s.rect, pt(p[0].x, p[0].y),
                           pt(p[0].x + r1, p[0].y + r2));
    assert_int_equal(failed, 0);
    return s;
}

/* One pair against the oracle; 1 if they disagree. */
static int disagree(const shape *a, const shape *b, int pair, int snap)
{
    const double flatness = 3e-4;
    hits found;
    hits_init(&found);
    assert_int_equal(meet(a, b, &found), PAIR_DONE);
    chain ca = chained(a, flatness), cb = chained(b, flatness);
    verdict v = oracle_judge(&ca, &cb, flatness, found.points, found.count,
                             2 * GEOMETRY_TOLERANCE);
    if (v.missed || v.strays || found.cut_short)
        print_message("%s %s pair %d snap %d: %zu crossings, %zu missed, "
                      "%zu strays of %zu, cut %zu, at %.9g %.9g\n",
                      kind_names[a->kind], kind_names[b->kind], pair, snap,
                      v.crossings, v.missed, v.strays, found.count,
                      found.cut_short, v.example.x, v.example.y);
    chain_free(&ca);
    chain_free(&cb);
    hits_free(&found);
    return v.missed || v.strays || found.cut_short;
}

static int pairs_of_each = 60;

static void random_pairs_agree_with_the_oracle(void **state)
{
    (void)state;
    int wrong = 0;
    for (int i = 0; i < KINDS; i++)
        for (int k = 0; k < KINDS; k++)
            for (int n = 0; n < pairs_of_each; n++) {
                int snap = n % 2;
                shape a = random_shape((enum kind)i, snap);
                shape b = random_shape((enum kind)k, snap);
                wrong += disagree(&a, &b, n, snap);
                polygon_free(&a.rect.base);
                polygon_free(&b.rect.base);
            }
    assert_int_equal(wrong, 0);
}

/* The closed formulas and the general search must give the same points. */
static void formulas_agree_with_the_general_search(void **state)
{
    (void)state;
    int wrong = 0;
    for (int n = 0; n < 40 * pairs_of_each; n++) {
        shape a = random_shape((enum kind)(n % POLYGON), 0);
        shape b = random_shape((enum kind)(n / POLYGON % POLYGON), 0);
        hits one, two;
        hits_init(&one);
        hits_init(&two);
        if (special(&a, &b, &one) == PAIR_DONE) {
            assert_int_equal(general(&a, &b, &two), PAIR_DONE);
            if (one.count != two.count) {
                print_message("%s %s: %zu by formula, %zu by search\n",
                              kind_names[a.kind], kind_names[b.kind], one.count,
                              two.count);
                wrong++;
            }
        }
        hits_free(&one);
        hits_free(&two);
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_meet_where_they_cross),
        cmocka_unit_test(collinear_lines_report_the_ends_of_the_overlap),
        cmocka_unit_test(lines_cross_and_touch_curves),
        cmocka_unit_test(lines_meet_circles_ellipses_and_arcs),
        cmocka_unit_test(circles_cross_touch_or_stay_apart),
        cmocka_unit_test(arcs_of_one_circle_report_the_ends_of_the_overlap),
        cmocka_unit_test(ellipses_cross_in_four_points_and_touch_in_two),
        cmocka_unit_test(coincident_cubics_report_the_ends_of_the_overlap),
        cmocka_unit_test(smooth_neighbours_meet_only_in_their_common_end),
        cmocka_unit_test(a_near_cusp_at_a_common_end_is_one_point),
        cmocka_unit_test(cubics_cross_up_to_nine_times),
        cmocka_unit_test(rectangles_cross_share_sides_or_contain),
        cmocka_unit_test(shapes_without_extent_do_no_harm),
        cmocka_unit_test(points_merge_only_within_a_pair),
        cmocka_unit_test(random_pairs_agree_with_the_oracle),
        cmocka_unit_test(formulas_agree_with_the_general_search),
    };
    if (argc > 1)
        pairs_of_each = atoi(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
