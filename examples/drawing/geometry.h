/* Plain shapes in the plane and the points in which two of them meet.
 *
 * How it is cut:
 *   1. Every shape is a struct of plain data that opens with its bounding
 *      box.  A struct of a special kind opens with the struct of the more
 *      general kind (`circle` with `ellipse`, `rect` with `polygon`), so a
 *      function for the general kind also serves the special one.
 *   2. For a pair of kinds with a good closed formula there is one function,
 *      named after the pair.  It answers PAIR_DONE, or PAIR_DECLINED when the
 *      two shapes are a case its formula does not cover (collinear lines, the
 *      same circle twice, an arc that is not circular).  A caller then tries
 *      the more general function; at the end of every such chain stands
 *      `trace_trace`, which takes any two curves and never declines.
 *   3. Outlines made of edges (`polygon`, `rect`) have no pair functions of
 *      their own but `rect_rect`: the caller takes their edges one by one.
 *
 * What is reported: every point the two boundaries share, once.  Shapes are
 * curves, not areas: a circle within a rectangle meets it nowhere.  "Share"
 * means to within GEOMETRY_TOLERANCE; end points are part of a shape.  Where
 * two shapes run along each other (curves: to within GEOMETRY_SAME), the ends
 * of either that lie on the other are reported and nothing between them; two
 * copies of the same closed curve have no ends and report nothing.  Where two
 * curves keep within the tolerance of each other for a while (a touch), one
 * point of that zone is reported, an end if there is one in it; crossings of
 * near-tangent curves inside such a zone may or may not be reported besides.
 *
 * Nothing here keeps state between calls: different threads may work on
 * different `hits` at the same time, and shapes are only read.  A pair whose
 * boxes are apart costs a few nanoseconds, a closed formula tens, and
 * `trace_trace` one to a few microseconds.
 */
#ifndef DRAWING_GEOMETRY_H
#define DRAWING_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Distance at which two points count as the same, in user units. */
#define GEOMETRY_TOLERANCE 1e-5

/* Curves, other than lines, that keep within this distance of each other
 * along a whole stretch count as running along each other there: drawing
 * programs round the copies of an outline to three decimals and up. */
#define GEOMETRY_SAME 1e-3

/* Largest coordinate the functions are made for.  Beyond it the rounding of
 * a double comes too near GEOMETRY_TOLERANCE; readers should refuse it. */
#define GEOMETRY_LIMIT 1e7

/* ---- Plain data ------------------------------------------------------ */

typedef struct point {
    double x, y;
} point;

typedef struct box {
    point low, high; /* corners with the least and greatest coordinates */
} box;

/* The straight piece from `a` to `b`. */
typedef struct line {
    box bounds;
    point a, b;
} line;

/* Bézier curves of degree two and three over their control points. */
typedef struct quadratic {
    box bounds;
    point p[3];
} quadratic;

typedef struct cubic {
    box bounds;
    point p[4];
} cubic;

/* Where an ellipse stands: its point at angle `w` is
 * centre + rx cos w (cosine, sine) + ry sin w (-sine, cosine). */
typedef struct axes {
    point centre;
    double rx, ry;       /* radii, both positive */
    double cosine, sine; /* of the rotation of the rx axis */
} axes;

typedef struct ellipse {
    box bounds;
    axes frame;
} ellipse;

/* An ellipse with rx == ry and no rotation. */
typedef struct circle {
    ellipse base;
} circle;

/* The part of an ellipse from angle `start` over `sweep` radians.  A positive
 * sweep turns from the x axis towards the y axis; |sweep| < 2 pi. */
typedef struct arc {
    box bounds;
    axes frame;
    double start, sweep;
    point a, b; /* its ends: given, so that neighbours share them exactly */
} arc;

/* A chain of straight edges.  Owns `points` (malloc); see polygon_free. */
typedef struct polygon {
    box bounds;
    point *points;
    size_t count;
    bool closed; /* has an edge from the last point to the first */
} polygon;

/* A closed polygon of four points whose edges run along the axes, in the
 * order low-low, high-low, high-high, low-high.  Rounded rectangles are not
 * shapes: the SVG reader breaks them into lines and arcs. */
typedef struct rect {
    polygon base;
} rect;

/* ---- Making shapes --------------------------------------------------- */

/* Each fills in the bounding box.  None allocates but the last two. */
line line_make(point a, point b);
quadratic quadratic_make(point p0, point p1, point p2);
cubic cubic_make(point p0, point p1, point p2, point p3);
circle circle_make(point centre, double radius);
ellipse ellipse_make(point centre, double rx, double ry, double rotation);

/* `a` and `b` are the end points the caller knows; NULL computes them. */
arc arc_make(point centre, double rx, double ry, double rotation, double start,
             double sweep, const point *a, const point *b);

/* Copies `count` points; at least one.  0, or -1 when out of memory. */
int polygon_make(polygon *out, const point *points, size_t count, bool closed);
int rect_make(rect *out, point low, point high);

/* Frees the points of a polygon, or of a rect's base. */
void polygon_free(polygon *shape);

/* Number of edges, and edge `i` of them; both serve `&rect.base` too. */
size_t polygon_edge_count(const polygon *shape);
line polygon_edge(const polygon *shape, size_t i);

/* Point at angle `w` (radians) of an ellipse. */
point axes_at(const axes *frame, double w);

/* ---- Collecting points ----------------------------------------------- */

/* A growable list of points.  `mark` divides it: a new point is merged into
 * an old one closer than `merge` only among those added since the mark, so
 * one list can take the points of many pairs. */
typedef struct hits {
    point *points; /* owned, malloc */
    size_t count, capacity, mark;
    double merge;
    size_t cut_short; /* searches trace_trace ended at its limit */
} hits;

void hits_init(hits *list);
void hits_free(hits *list);

/* Forgets all points but keeps the memory. */
void hits_clear(hits *list);

/* Starts a new pair: later points no longer merge with earlier ones. */
void hits_start_pair(hits *list);

/* Adds a point unless one since the mark is nearer than `merge`.
 * 0, or -1 when out of memory (the list is then unchanged). */
int hits_add(hits *list, point p);

/* ---- Pairs of shapes ------------------------------------------------- */

typedef enum pair_status {
    PAIR_DONE,     /* every common point is in the list */
    PAIR_DECLINED, /* not a case for this function; the list is unchanged */
    PAIR_NO_MEMORY /* the list could not grow; it holds some of the points */
} pair_status;

/* Whether two boxes are too far apart for their shapes to meet. */
static inline bool boxes_apart(const box *a, const box *b)
{
    return a->high.x + GEOMETRY_TOLERANCE < b->low.x ||
           b->high.x + GEOMETRY_TOLERANCE < a->low.x ||
           a->high.y + GEOMETRY_TOLERANCE < b->low.y ||
           b->high.y + GEOMETRY_TOLERANCE < a->low.y;
}

/* Crossing of two lines.  Declines when they lie along each other or one of
 * them is a point. */
pair_status line_line(const line *a, const line *b, hits *out);

/* Line against Bézier curve, by the real roots of the curve's distance to the
 * line.  Declines when the whole curve lies along the line. */
pair_status line_quadratic(const line *a, const quadratic *b, hits *out);
pair_status line_cubic(const line *a, const cubic *b, hits *out);

/* Line against ellipse, circle and arc: always done, except that a line
 * which is a point is declined. */
pair_status line_ellipse(const line *a, const ellipse *b, hits *out);
pair_status line_circle(const line *a, const circle *b, hits *out);
pair_status line_arc(const line *a, const arc *b, hits *out);

/* Circles and circular arcs.  The first declines when both are the same
 * circle, the others when an arc is not circular. */
pair_status circle_circle(const circle *a, const circle *b, hits *out);
pair_status arc_circle(const arc *a, const circle *b, hits *out);
pair_status arc_arc(const arc *a, const arc *b, hits *out);

/* Declines when an edge of one lies along an edge of the other. */
pair_status rect_rect(const rect *a, const rect *b, hits *out);

/* ---- Any two curves -------------------------------------------------- */

/* A curve over t in [0, 1], in the one form the general search works on:
 * either c[0] + c[1] t + c[2] t^2 + c[3] t^3, or, when `round`,
 * c[0] + c[1] cos w + c[2] sin w with w = start + sweep t. */
typedef struct trace {
    box bounds;
    bool round, closed;
    double bend; /* upper bound of the second derivative's length */
    point c[4];
    double start, sweep;
    point a, b; /* its ends, t = 0 and t = 1 */
} trace;

trace trace_line(const line *shape);
trace trace_quadratic(const quadratic *shape);
trace trace_cubic(const cubic *shape);
trace trace_arc(const arc *shape);
trace trace_ellipse(const ellipse *shape);

/* Point and derivative at parameter t. */
point trace_at(const trace *curve, double t);
point trace_slope(const trace *curve, double t);

/* Whether `p` lies within `reach` of the curve; then *t is a parameter of it,
 * one of a point about as near. */
bool trace_locate(const trace *curve, point p, double reach, double *t);

/* Meets any two curves; never declines.  Its work is bounded: a search that
 * reaches the bound keeps what it found and counts in `out->cut_short`. */
pair_status trace_trace(const trace *a, const trace *b, hits *out);

#ifdef __cplusplus
}
#endif

#endif
