/* Tests of the SVG reader: what each command and element becomes, how
 * transforms change it, and what is said of things that cannot be read.
 *
 * The sink writes each shape as one line of text, with four digits, and the
 * tests compare that text.
 *
 *     test_svg [FILE...]
 *
 * With files, reads each of them, and damaged copies of each, for a sanitizer
 * to watch; prints nothing unless a shape comes out that is not finite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A sink that writes ---------------------------------------------- */

typedef struct record {
    char shapes[2000], errors[2000];
    int stop_after; /* shapes; 0: never */
    int count;
} record;

static int note(record *r, const char *text)
{
    size_t used = strlen(r->shapes);
    snprintf(r->shapes + used, sizeof r->shapes - used, "%s\n", text);
    return ++r->count == r->stop_after;
}

/* Rounds, and turns -0 to 0, so that text can be compared. */
static double tidy(double x)
{
    return round(x * 1e4) / 1e4 + 0.0;
}

static int note_points(record *r, char kind, const point *p, size_t count)
{
    char text[200] = {kind};
    size_t used = 1;
    for (size_t i = 0; i < count && used < sizeof text - 40; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %g,%g",
                                 tidy(p[i].x), tidy(p[i].y));
    return note(r, text);
}

static int on_line(void *user, const line *s)
{
    const point p[2] = {s->a, s->b};
    return note_points(user, 'L', p, 2);
}

static int on_quadratic(void *user, const quadratic *s)
{
    return note_points(user, 'Q', s->p, 3);
}

static int on_cubic(void *user, const cubic *s)
{
    return note_points(user, 'C', s->p, 4);
}

static int on_arc(void *user, const arc *s)
{
    const axes *e = &s->frame;
    char text[200];
    snprintf(text, sizeof text,
             "A %g,%g %g,%g centre %g,%g radii %g,%g sweep %g", tidy(s->a.x),
             tidy(s->a.y), tidy(s->b.x), tidy(s->b.y), tidy(e->centre.x),
             tidy(e->centre.y), tidy(e->rx), tidy(e->ry), tidy(s->sweep));
    return note(user, text);
}

static int on_rect(void *user, const rect *s)
{
    return note_points(user, 'R', s->base.points, s->base.count);
}

static int on_circle(void *user, const circle *s)
{
    const axes *e = &s->base.frame;
    char text[200];
    snprintf(text, sizeof text, "O %g,%g %g", tidy(e->centre.x),
             tidy(e->centre.y), tidy(e->rx));
    return note(user, text);
}

static int on_ellipse(void *user, const ellipse *s)
{
    const axes *e = &s->frame;
    double sign = e->cosine < -1e-9 ? -1 : 1; /* half a turn is no turn */
    char text[200];
    snprintf(text, sizeof text, "E %g,%g %g,%g along %g,%g", tidy(e->centre.x),
             tidy(e->centre.y), tidy(e->rx), tidy(e->ry),
             tidy(sign * e->cosine), tidy(sign * e->sine));
    return note(user, text);
}

static int on_polygon(void *user, const polygon *s)
{
    return note_points(user, s->closed ? 'P' : 'p', s->points, s->count);
}

static void on_error(void *user, const char *message)
{
    record *r = user;
    size_t used = strlen(r->errors);
    snprintf(r->errors + used, sizeof r->errors - used, "%s\n", message);
}

static sink sink_for(record *r)
{
    sink to = {r,       on_line,   on_quadratic, on_cubic,   on_arc,
               on_rect, on_circle, on_ellipse,   on_polygon, on_error};
    return to;
}

/* Reads the content of an svg element and compares shapes and errors. */
static void expect(const char *content, const char *shapes, const char *errors)
{
    char text[2000];
    record r = {{0}, {0}, 0, 0};
    sink to = sink_for(&r);
    snprintf(text, sizeof text, "<svg>%s</svg>", content);
    read_status status = svg_read_text(text, strlen(text), "t", &to);
    assert_string_equal(r.errors, errors);
    assert_string_equal(r.shapes, shapes);
    assert_int_equal(status, *errors ? READ_FAULT : READ_OK);
}

/* The same for a path. */
static void expect_path(const char *d, const char *shapes, const char *errors)
{
    char content[1000];
    snprintf(content, sizeof content, "<path d=\"%s\"/>", d);
    expect(content, shapes, errors);
}

/* ---- Paths ----------------------------------------------------------- */

static void straight_commands(void **state)
{
    (void)state;
    expect_path("M1 2L3,4 l1-1H9h-2V0v.5",
                "L 1,2 3,4\nL 3,4 4,3\nL 4,3 9,3\n"
                "L 9,3 7,3\nL 7,3 7,0\n"
                "L 7,0 7,0.5\n",
                "");
    expect_path("m1 2 3 4 5 6", "L 1,2 4,6\nL 4,6 9,12\n", "");
    expect_path("M1 2 3 4", "L 1,2 3,4\n", "");
    expect_path("M1.5.5.5e1-2", "L 1.5,0.5 5,-2\n", "");
    expect_path("", "", "");
}

static void closing_returns_to_the_start_of_the_subpath(void **state)
{
    (void)state;
    expect_path("M1 1h2v2z", "L 1,1 3,1\nL 3,1 3,3\nL 3,3 1,1\n", "");
    expect_path("M1 1h2v2zh-1",
                "L 1,1 3,1\nL 3,1 3,3\nL 3,3 1,1\n"
                "L 1,1 0,1\n",
                "");
    expect_path("M1 1h2H1z", "L 1,1 3,1\nL 3,1 1,1\n", "");
    expect_path("M5 5zm1 1h1", "L 6,6 7,6\n", "");
}

static void curve_commands_and_their_smooth_forms(void **state)
{
    (void)state;
    expect_path("M0 0C1 1 2 1 3 0S5-1 6 0",
                "C 0,0 1,1 2,1 3,0\n"
                "C 3,0 4,-1 5,-1 6,0\n",
                "");
    expect_path("M1 1c1 1 2 1 3 0s2-1 3 0",
                "C 1,1 2,2 3,2 4,1\n"
                "C 4,1 5,0 6,0 7,1\n",
                "");
    expect_path("M1 1S2 2 3 1", "C 1,1 1,1 2,2 3,1\n", "");
    expect_path("M0 0Q1 2 2 0T4 0t2 0",
                "Q 0,0 1,2 2,0\nQ 2,0 3,-2 4,0\n"
                "Q 4,0 5,2 6,0\n",
                "");
    expect_path("M0 0q1 2 2 0", "Q 0,0 1,2 2,0\n", "");
    expect_path("M0 0T2 0", "Q 0,0 0,0 2,0\n", "");
}

static void arcs_become_centres_and_angles(void **state)
{
    (void)state;
    expect_path("M2 0A2 2 0 0 1 0 2",
                "A 2,0 0,2 centre 0,0 radii 2,2 sweep 1.5708\n", "");
    expect_path("M2 0A2 2 0 1 1 0 2",
                "A 2,0 0,2 centre 2,2 radii 2,2 sweep 4.7124\n", "");
    expect_path("M2 0A2 2 0 0 0 0 2",
                "A 2,0 0,2 centre 2,2 radii 2,2 sweep -1.5708\n", "");
    expect_path("M2 0A2 2 0 1 0 0 2",
                "A 2,0 0,2 centre 0,0 radii 2,2 sweep -4.7124\n", "");
    /* packed flags, too small radii, no radius, no length */
    expect_path("M0 0a1 1 0 012 0",
                "A 0,0 2,0 centre 1,0 radii 1,1 sweep 3.1416\n", "");
    expect_path("M0 0a1 1 0 1 1 8 0",
                "A 0,0 8,0 centre 4,0 radii 4,4 sweep 3.1416\n", "");
    expect_path("M0 0A0 1 0 0 0 8 0", "L 0,0 8,0\n", "");
    expect_path("M0 0A1 1 0 0 0 0 0", "", "");
}

static void a_bad_path_keeps_what_came_before(void **state)
{
    (void)state;
    expect_path("M0 0h1x2v3", "L 0,0 1,0\n",
                "t:1:6: unknown path command at character 7 of d\n");
    expect_path("M0 0L1", "", "t:1:6: expected a number at character 7 of d\n");
    expect_path("L1 1", "",
                "t:1:6: a path must start with M or m at character 1 of d\n");
    expect_path("M0 0h1a1 1 0 2 1 1 1", "L 0,0 1,0\n",
                "t:1:6: expected an arc flag, 0 or 1 at character 14 of d\n");
    expect_path("M0 0h1e99v2", "",
                "t:1:6: coordinate too large at character 6 of d\n");
    expect_path("M0 0hnan", "",
                "t:1:6: expected a number at character 6 of d\n");
    expect_path("M0 0h1e999", "",
                "t:1:6: expected a number at character 6 of d\n");
}

/* ---- Elements -------------------------------------------------------- */

static void basic_shapes(void **state)
{
    (void)state;
    expect("<line x1='1' y1='2' x2='3px' y2='1in'/>", "L 1,2 3,96\n", "");
    expect("<polyline points='0,0 1,0 1,1'/>", "p 0,0 1,0 1,1\n", "");
    expect("<polygon points='0 0 1 0 1-1'/>", "P 0,0 1,0 1,-1\n", "");
    expect("<rect x='1' y='2' width='3' height='4'/>", "R 1,2 4,2 4,6 1,6\n",
           "");
    expect("<circle cx='1' cy='2' r='3'/>", "O 1,2 3\n", "");
    expect("<ellipse cx='1' cy='2' rx='3' ry='4'/>", "E 1,2 4,3 along 0,1\n",
           "");
    expect("<svg:circle r='3'/><g/><text x='1'/>", "O 0,0 3\n", "");
    expect("<rect width='3'/><circle r='0'/><path/><polygon/>", "", "");
}

static void rounded_rectangles_become_lines_and_arcs(void **state)
{
    (void)state;
    expect("<rect width='6' height='4' rx='1'/>",
           "L 1,0 5,0\nA 5,0 6,1 centre 5,1 radii 1,1 sweep 1.5708\n"
           "L 6,1 6,3\nA 6,3 5,4 centre 5,3 radii 1,1 sweep 1.5708\n"
           "L 5,4 1,4\nA 1,4 0,3 centre 1,3 radii 1,1 sweep 1.5708\n"
           "L 0,3 0,1\nA 0,1 1,0 centre 1,1 radii 1,1 sweep 1.5708\n",
           "");
}

static void what_is_not_drawn_in_place_is_skipped(void **state)
{
    (void)state;
    expect("<defs><g><circle r='1'/></g></defs><circle r='2'/>"
           "<clipPath><circle r='1'/><mask/></clipPath><circle r='3'/>"
           "<mask><circle r='1'/></mask><symbol><circle r='1'/></symbol>"
           "<pattern><circle r='1'/></pattern>"
           "<marker><path d='x'/></marker>",
           "O 0,0 2\nO 0,0 3\n", "");
}

/* ---- Transforms ------------------------------------------------------ */

static void transforms_nest(void **state)
{
    (void)state;
    expect("<g transform='translate(10)'><g transform='scale(2)'>"
           "<line x2='1' transform='translate(1,2)'/></g>"
           "<line x2='1'/></g><line x2='1'/>",
           "L 12,4 14,4\nL 10,0 11,0\nL 0,0 1,0\n", "");
    expect("<line x2='1' transform='translate(5 5), rotate(90)'/>",
           "L 5,5 5,6\n", "");
    expect("<line x2='1' transform='rotate(90 1 1)'/>", "L 2,0 2,1\n", "");
    expect("<line x2='1' y2='1' transform='skewX(45)'/>", "L 0,0 2,1\n", "");
    expect("<line x2='1' y2='1' transform='skewY(45)'/>", "L 0,0 1,2\n", "");
    expect("<line x2='1' y2='1' transform='matrix(1 2 3 4 5 6)'/>",
           "L 5,6 9,12\n", "");
}

static void transforms_change_the_kind_of_shapes(void **state)
{
    (void)state;
    expect("<circle r='1' transform='scale(2 3)'/>", "E 0,0 3,2 along 0,1\n",
           "");
    expect("<circle r='1' transform='rotate(30) scale(2)'/>", "O 0,0 2\n", "");
    expect("<ellipse rx='2' ry='1' transform='rotate(90)'/>",
           "E 0,0 2,1 along 0,1\n", "");
    expect("<ellipse rx='2' ry='1' transform='scale(1 2)'/>", "O 0,0 2\n", "");
    expect("<rect width='1' height='2' transform='rotate(90)'/>",
           "R -2,0 0,0 0,1 -2,1\n", "");
    expect("<rect width='1' height='1' transform='skewX(45)'/>",
           "P 0,0 1,0 2,1 1,1\n", "");
    expect("<path transform='scale(1 -1)' d='M2 0A2 2 0 0 1 0 2'/>",
           "A 2,0 0,-2 centre 0,0 radii 2,2 sweep -1.5708\n", "");
    expect("<path transform='scale(2 1)' d='M2 0A2 2 0 0 1 0 2'/>",
           "A 4,0 0,2 centre 0,0 radii 4,2 sweep 1.5708\n", "");
    expect("<circle r='1' transform='scale(0)'/>", "", "");
}

/* ---- Faults ---------------------------------------------------------- */

static void faults_say_where_and_why(void **state)
{
    (void)state;
    expect("\n\n  <circle r='1em'/><circle r='2'/>", "O 0,0 2\n",
           "t:3:3: bad length in r: \"1em\"\n");
    expect("<rect width='100%' height='1'/>", "",
           "t:1:6: bad length in width: \"100%\"\n");
    expect("<circle r='-1'/>", "", "t:1:6: negative radius\n");
    expect("<polygon points='1 2 3 4 5'/>", "P 1,2 3,4\n",
           "t:1:6: expected a second coordinate at character 10 of points\n");
    expect("<line x2='1' transform='turn(3)'/>", "L 0,0 1,0\n",
           "t:1:6: unknown transform or wrong number of arguments at "
           "character 1 of transform\n");
    expect("<line x2='1' transform='scale(a)'/>", "L 0,0 1,0\n",
           "t:1:6: bad transform argument at character 7 of transform\n");
    expect("<circle r='1e9'/>", "", "t:1:6: coordinate too large in circle\n");
    expect("<circle r='1'/>\n <g></a>", "O 0,0 1\n", "t:2:7: mismatched tag\n");
}

static void a_missing_file_is_a_fault(void **state)
{
    (void)state;
    record r = {{0}, {0}, 0, 0};
    sink to = sink_for(&r);
    assert_int_equal(svg_read_file("no/such.svg", &to), READ_FAULT);
    assert_string_equal(r.errors, "no/such.svg: No such file or directory\n");
}

static void a_sink_can_stop_the_reading(void **state)
{
    (void)state;
    const char *text = "<svg><path d='M0 0h1h1h1'/><circle r='1'/></svg>";
    record r = {{0}, {0}, 2, 0};
    sink to = sink_for(&r);
    assert_int_equal(svg_read_text(text, strlen(text), "t", &to), READ_STOPPED);
    assert_int_equal(r.count, 2);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { LEVELS = 100000 };
    char *text = malloc(3 * LEVELS + 1);
    record r = {{0}, {0}, 0, 0};
    sink to = sink_for(&r);
    assert_non_null(text);
    for (int i = 0; i < LEVELS; i++)
        memcpy(text + 3 * i, "<g>", 3);
    assert_int_equal(svg_read_text(text, 3 * LEVELS, "t", &to), READ_FAULT);
    assert_string_equal(r.errors, "t:1:1501: elements nested too deeply\n");
    free(text);
}

/* ---- Damaged files --------------------------------------------------- */

static int not_finite;

static void look(const box *bounds)
{
    if (!isfinite(bounds->low.x + bounds->low.y + bounds->high.x +
                  bounds->high.y))
        not_finite++;
}

#define LOOK(name, type, member)                                               \
    static int look_##name(void *user, const type *s)                          \
    {                                                                          \
        (void)user;                                                            \
        look(&s->member);                                                      \
        return 0;                                                              \
    }

LOOK(line, line, bounds)
LOOK(quadratic, quadratic, bounds)
LOOK(cubic, cubic, bounds)
LOOK(arc, arc, bounds)
LOOK(rect, rect, base.bounds)
LOOK(circle, circle, base.bounds)
LOOK(ellipse, ellipse, bounds)
LOOK(polygon, polygon, bounds)

static uint64_t seed = 99;

static size_t below(size_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)((seed >> 33) % limit);
}

/* Overwrites, deletes or doubles a few characters. */
static size_t damage(char *text, size_t size, size_t room)
{
    static const char likely[] = "0123456789.-eE,MmLlHhVvCcSsQqTtAaZz \"'<>/&";
    for (size_t n = 1 + below(8); n > 0 && size > 20; n--) {
        size_t at = below(size - 10), part = 1 + below(9);
        size_t how = below(4);
        if (how == 0) {
            memmove(text + at, text + at + part, size - at - part);
            size -= part;
        } else if (how == 1 && size + part < room) {
            memmove(text + at + part, text + at, size - at);
            size += part;
        } else {
            text[at] =
                how == 2 ? likely[below(sizeof likely - 1)] : (char)below(256);
        }
    }
    return size;
}

static void read_damaged(const char *path, int copies)
{
    enum { ROOM = 1 << 18 };
    static char whole[ROOM], text[ROOM];
    sink to = {NULL,      look_line,   look_quadratic, look_cubic,   look_arc,
               look_rect, look_circle, look_ellipse,   look_polygon, NULL};
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(whole, 1, ROOM - 100, file) : 0;
    if (file)
        fclose(file);
    for (int i = 0; i < copies; i++) {
        memcpy(text, whole, size);
        size_t left = i ? damage(text, size, ROOM) : size;
        svg_read_text(text, left, path, &to);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(straight_commands),
        cmocka_unit_test(closing_returns_to_the_start_of_the_subpath),
        cmocka_unit_test(curve_commands_and_their_smooth_forms),
        cmocka_unit_test(arcs_become_centres_and_angles),
        cmocka_unit_test(a_bad_path_keeps_what_came_before),
        cmocka_unit_test(basic_shapes),
        cmocka_unit_test(rounded_rectangles_become_lines_and_arcs),
        cmocka_unit_test(what_is_not_drawn_in_place_is_skipped),
        cmocka_unit_test(transforms_nest),
        cmocka_unit_test(transforms_change_the_kind_of_shapes),
        cmocka_unit_test(faults_say_where_and_why),
        cmocka_unit_test(a_missing_file_is_a_fault),
        cmocka_unit_test(a_sink_can_stop_the_reading),
        cmocka_unit_test(deep_nesting_is_refused),
    };
    if (argc == 1)
        return cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 1; i < argc; i++)
        read_damaged(argv[i], 50);
    if (not_finite)
        fprintf(stderr, "%d shapes are not finite\n", not_finite);
    return not_finite != 0;
}
