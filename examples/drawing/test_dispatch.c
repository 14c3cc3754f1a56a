/* `intersect` against direct calls of the geometry, for random shapes of all
 * pairs of kinds: which function is called is written down once more here,
 * by hand, and the points must be the same to the last bit.
 *
 *     test_dispatch [PAIRS]
 *
 * PAIRS is the number of pairs for each two kinds (default 200). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "intersect.h"
#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static lb_runtime *runtime;
static shape_classes classes;
static int pairs_of_each = 200;
static int reports;

/* ---- What should happen ------------------------------------------------ */

static bool has_edges(shape_kind kind)
{
    return kind == SHAPE_POLYGON || kind == SHAPE_RECT;
}

static trace trace_of(shape_kind kind, const shape *s)
{
    switch (kind) {
    case SHAPE_LINE:
        return trace_line(as_line(s));
    case SHAPE_QUADRATIC:
        return trace_quadratic(as_quadratic(s));
    case SHAPE_CUBIC:
        return trace_cubic(as_cubic(s));
    case SHAPE_ARC:
        return trace_arc(as_arc(s));
    default:
        return trace_ellipse(as_ellipse(s));
    }
}

/* The formula for the pair in this order, or declined. */
static pair_status formula(shape_kind i, const shape *a, shape_kind k,
                           const shape *b, hits *out)
{
    if (i == SHAPE_LINE && k == SHAPE_LINE)
        return line_line(as_line(a), as_line(b), out);
    if (i == SHAPE_LINE && k == SHAPE_QUADRATIC)
        return line_quadratic(as_line(a), as_quadratic(b), out);
    if (i == SHAPE_LINE && k == SHAPE_CUBIC)
        return line_cubic(as_line(a), as_cubic(b), out);
    if (i == SHAPE_LINE && k == SHAPE_ARC)
        return line_arc(as_line(a), as_arc(b), out);
    if (i == SHAPE_LINE && k == SHAPE_ELLIPSE)
        return line_ellipse(as_line(a), as_ellipse(b), out);
    if (i == SHAPE_LINE && k == SHAPE_CIRCLE)
        return line_circle(as_line(a), as_circle(b), out);
    if (i == SHAPE_ARC && k == SHAPE_ARC)
        return arc_arc(as_arc(a), as_arc(b), out);
    if (i == SHAPE_ARC && k == SHAPE_CIRCLE)
        return arc_circle(as_arc(a), as_circle(b), out);
    if (i == SHAPE_CIRCLE && k == SHAPE_CIRCLE)
        return circle_circle(as_circle(a), as_circle(b), out);
    if (i == SHAPE_RECT && k == SHAPE_RECT)
        return rect_rect(as_rect(a), as_rect(b), out);
    return PAIR_DECLINED;
}

static uint64_t expected_calls;

static void directly(shape_kind i, const shape *a, shape_kind k, const shape *b,
                     hits *out)
{
    expected_calls++;
    if (formula(i, a, k, b, out) == PAIR_DONE)
        return;
    if (i != k && formula(k, b, i, a, out) == PAIR_DONE)
        return;
    if (boxes_apart(bounds_of(a), bounds_of(b)))
        return;
    if (has_edges(i) || has_edges(k)) {
        const shape *edged = has_edges(i) ? a : b;
        const polygon_shape *p = (const polygon_shape *)edged;
        for (size_t n = 0; n < p->edge_count; n++)
            directly(SHAPE_LINE, &p->edges[n].base, has_edges(i) ? k : i,
                     has_edges(i) ? b : a, out);
        return;
    }
    const trace ta = trace_of(i, a), tb = trace_of(k, b);
    assert_int_equal(trace_trace(&ta, &tb, out), PAIR_DONE);
}

/* ---- Random shapes ----------------------------------------------------- */

static uint64_t seed = 20051120;

static double uniform(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* From 0 to 10; every other shape on the grid of integers, so that formulas
 * decline: lines along each other, the same circle twice. */
static double place(bool grid)
{
    const double x = 10 * uniform();
    return grid ? floor(x) : x;
}

static point somewhere(bool grid)
{
    const point p = {place(grid), place(grid)};
    return p;
}

static shape *corners(shape_kind kind, const point *p, double r1, double r2,
                      bool grid)
{
    const point high = {p[0].x + r1, p[0].y + r2};
    rect data;
    assert_int_equal(kind == SHAPE_RECT ? rect_make(&data, p[0], high)
                                        : polygon_make(&data.base, p, 4, grid),
                     0);
    shape *made = kind == SHAPE_RECT ? rect_new(&classes, &data)
                                     : polygon_new(&classes, &data.base);
    polygon_free(&data.base);
    return made;
}

static shape *random_shape(shape_kind kind, bool grid)
{
    const point p[4] = {somewhere(grid), somewhere(grid), somewhere(grid),
                        somewhere(grid)};
    const double r1 = 0.5 + (grid ? floor(4 * uniform()) : 4 * uniform());
    const double r2 = grid ? r1 : 0.5 + 4 * uniform();
    const line l = line_make(p[0], p[1]);
    const quadratic q = quadratic_make(p[0], p[1], p[2]);
    const cubic c = cubic_make(p[0], p[1], p[2], p[3]);
    const arc a = arc_make(p[0], r1, r2, 0, 6 * uniform(), 0.1 + 6 * uniform(),
                           NULL, NULL);
    const ellipse e = ellipse_make(p[0], r1, r2, uniform());
    const circle o = circle_make(p[0], r1);
    switch (kind) {
    case SHAPE_LINE:
        return line_new(&classes, &l);
    case SHAPE_QUADRATIC:
        return quadratic_new(&classes, &q);
    case SHAPE_CUBIC:
        return cubic_new(&classes, &c);
    case SHAPE_ARC:
        return arc_new(&classes, &a);
    case SHAPE_ELLIPSE:
        return ellipse_new(&classes, &e);
    case SHAPE_CIRCLE:
        return circle_new(&classes, &o);
    default:
        return corners(kind, p, r1, r2, grid);
    }
}

/* ---- The tests --------------------------------------------------------- */

static void compare(shape_kind i, shape_kind k, bool grid)
{
    shape *a = random_shape(i, grid), *b = random_shape(k, grid);
    hits ours, theirs;
    assert_non_null(a);
    assert_non_null(b);
    hits_init(&ours);
    hits_init(&theirs);
    assert_int_equal(intersect(a, b, &ours), PAIR_DONE);
    directly(i, a, k, b, &theirs);
    assert_int_equal(ours.count, theirs.count);
    if (ours.count)
        assert_memory_equal(ours.points, theirs.points,
                            ours.count * sizeof *ours.points);
    hits_free(&ours);
    hits_free(&theirs);
    shape_free(&classes, a);
    shape_free(&classes, b);
}

static void every_pair_of_kinds_runs_its_geometry(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPE_KINDS; i++)
        for (int k = 0; k < SHAPE_KINDS; k++)
            for (int n = 0; n < pairs_of_each; n++)
                compare((shape_kind)i, (shape_kind)k, n % 2);
}

static void counted_calls_are_those_made(void **state)
{
    tally counts = {{{0}}, 0};
    (void)state;
    expected_calls = 0;
    assert_int_equal(tally_start(runtime), LB_OK);
    tally_into(&counts);
    every_pair_of_kinds_runs_its_geometry(NULL);
    tally_into(NULL);
    assert_int_equal(tally_end(), LB_OK);
    assert_true(counts.plain == expected_calls);
    every_pair_of_kinds_runs_its_geometry(NULL);
    assert_true(counts.plain < expected_calls);
}

static void no_two_rules_are_ambiguous(void **state)
{
    (void)state;
    assert_int_equal(reports, 0);
}

static void take_report(void *context, lb_status status, const char *message)
{
    (void)context;
    print_message("%s: %s\n", lb_status_name(status), message);
    reports++;
}

static int make_world(void **state)
{
    lb_config config;
    (void)state;
    lb_config_init(&config);
    config.report = take_report;
    return lb_runtime_create(&config, &runtime) != LB_OK ||
           shape_classes_make(runtime, &classes) != LB_OK ||
           intersect_install(&classes) != LB_OK;
}

static int end_world(void **state)
{
    (void)state;
    lb_runtime_destroy(runtime);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_kinds_runs_its_geometry),
        cmocka_unit_test(counted_calls_are_those_made),
        cmocka_unit_test(no_two_rules_are_ambiguous),
    };
    if (argc > 1)
        pairs_of_each = atoi(argv[1]);
    return cmocka_run_group_tests(tests, make_world, end_world);
}
