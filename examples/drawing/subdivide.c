/* The general search: where any two curves meet.
 *
 * A node is a piece of each curve.  A piece lies within `slack` of its chord
 * (see trace.c), which decides all of the following.
 *   1. Drop the node if the two chords, each widened by its slack, cannot
 *      meet: by their boxes, or because one lies to one side of the other.
 *   2. If no tangent of one piece is near parallel to any of the other, the
 *      pieces meet at most once, and Newton's method from where the chords
 *      cross finds the meeting or shows that it is outside.
 *   3. If both pieces are straight to well within the tolerance, the node is
 *      a touch: its pieces run side by side within the tolerance, or not.
 *   4. Otherwise halve the piece that strays more from its chord, and go on
 *      with both halves.
 * Touches next to each other are then joined into zones.  A zone reports the
 * ends of either curve that lie in it on the other curve; if there is none,
 * the one point where the curves come nearest.
 *
 * Curves that run along each other would make touches without end.  So when
 * the work is more than crossings explain, the ends of either curve that lie
 * on the other are found and, if the curves agree at places between the
 * outermost of these, they are the answer.  Curves that share both their ends
 * are tested so at once: drawings repeat the same outline in many colours.
 *
 * The work is bounded by NODES_MOST; depth by the halving of slack, which
 * divides it by four each time. */
#include "vector.h"

#include <stdlib.h>

#define TOLERANCE GEOMETRY_TOLERANCE

/* Slack below which a piece counts as straight. */
#define STRAIGHT (TOLERANCE / 16)

/* Shorter stretches are not asked whether they coincide. */
#define OVERLAP_LEAST (20 * GEOMETRY_SAME)

#define NODES_MOST 20000
#define NODES_SUSPECT 100
#define TOUCHES_MOST 96
#define TOUCHES_SUSPECT 16
#define STACK_MOST 128

typedef struct piece {
    double t0, t1;
    point a, b;
    double slack;
} piece;

typedef struct node {
    piece a, b;
} node;

/* Side by side over [t0, t1] of one curve and [s0, s1] of the other. */
typedef struct touch {
    double t0, t1, s0, s1;
} touch;

typedef struct search {
    const trace *a, *b;
    hits *out;
    size_t first; /* count of `out` at the start */
    int failed, nodes, touches;
    bool asked; /* the coincidence test has been made */
    touch touch[TOUCHES_MOST];
} search;

static void report(search *s, point p)
{
    s->failed |= hits_add(s->out, p);
}

/* ---- Curves that run along each other -------------------------------- */

/* A place on both curves. */
typedef struct place {
    double t, s;
    point p;
} place;

static void note_end(const search *s, bool of_a, double at, place *places,
                     int *count)
{
    const trace *own = of_a ? s->a : s->b, *other = of_a ? s->b : s->a;
    point p = at == 0 ? own->a : own->b;
    double found;
    if (own->closed || !trace_locate(other, p, GEOMETRY_SAME, &found))
        return;
    place made = {of_a ? at : found, of_a ? found : at, p};
    places[(*count)++] = made;
}

/* Whether the curves agree at some places between `p` and `q`: as many as
 * two different cubics cannot share.  Goes along a curve that is not closed
 * if there is one, since a closed one has two ways from `p` to `q`. */
static bool agree_between(const search *s, const place *p, const place *q)
{
    bool along_a = !s->a->closed || s->b->closed;
    const trace *own = along_a ? s->a : s->b, *other = along_a ? s->b : s->a;
    double from = along_a ? p->t : p->s, to = along_a ? q->t : q->s, found;
    for (int i = 1; i <= 10; i++)
        if (!trace_locate(other, trace_at(own, from + (to - from) * i / 11),
                          GEOMETRY_SAME, &found))
            return false;
    return true;
}

static bool same_closed(const search *s)
{
    place from = {0, 0, s->a->a}, to = {1, 1, s->a->a};
    return s->a->closed && s->b->closed && agree_between(s, &from, &to);
}

/* Makes the places the only points found, those at the same end once. */
static void replace_found(search *s, const place *places, int count)
{
    s->out->count = s->first;
    for (int i = 0; i < count; i++) {
        bool known = false;
        for (int k = 0; k < i; k++)
            known |= near(places[i].p, places[k].p, 2 * GEOMETRY_SAME);
        if (!known)
            report(s, places[i].p);
    }
}

/* If the curves coincide, makes the ends of the overlap the only points. */
static bool coincide(search *s)
{
    s->asked = true;
    if (same_closed(s)) {
        s->out->count = s->first;
        return true;
    }
    place places[4];
    int count = 0;
    note_end(s, true, 0, places, &count);
    note_end(s, true, 1, places, &count);
    note_end(s, false, 0, places, &count);
    note_end(s, false, 1, places, &count);
    for (int i = 0; i < count; i++)
        for (int k = i + 1; k < count; k++)
            if (!near(places[i].p, places[k].p, OVERLAP_LEAST) &&
                agree_between(s, &places[i], &places[k])) {
                replace_found(s, places, count);
                return true;
            }
    return false;
}

/* ---- One node -------------------------------------------------------- */

static bool chords_apart(const node *n, double reach)
{
    const piece *a = &n->a, *b = &n->b;
    return most(a->a.x, a->b.x) + reach < least(b->a.x, b->b.x) ||
           most(b->a.x, b->b.x) + reach < least(a->a.x, a->b.x) ||
           most(a->a.y, a->b.y) + reach < least(b->a.y, b->b.y) ||
           most(b->a.y, b->b.y) + reach < least(a->a.y, a->b.y);
}

/* Whether both ends of `b` are farther than `reach` to one side of `a`. */
static bool to_one_side(const piece *a, const piece *b, double reach)
{
    point d = sub(a->b, a->a);
    double limit = reach * (fabs(d.x) + fabs(d.y));
    double p = cross(d, sub(b->a, a->a)), q = cross(d, sub(b->b, a->a));
    return least(p, q) > limit || most(p, q) < -limit;
}

/* Whether no two tangents of the pieces come near being parallel: a tangent
 * times its piece's width differs from the chord by at most 4 slack.  Also
 * asks that the chords' crossing be within a quarter piece of the curves',
 * which a long piece against a short one need not be. */
static bool transversal(const node *n)
{
    point da = sub(n->a.b, n->a.a), db = sub(n->b.b, n->b.a);
    double ea = 4 * n->a.slack, eb = 4 * n->b.slack;
    double la = fabs(da.x) + fabs(da.y), lb = fabs(db.x) + fabs(db.y);
    double doubt = ea * lb + eb * la + ea * eb, size = la + lb;
    double shift = 2 * (ea + eb) * most(la, lb);
    return fabs(cross(da, db)) > most(2 * doubt, shift) + 1e-14 * size * size;
}

/* Newton's method for A(t) = B(u); false if it does not get there. */
static bool newton(const search *s, double *t, double *u)
{
    for (int i = 0; i < 12; i++) {
        point gap = sub(trace_at(s->b, *u), trace_at(s->a, *t));
        point da = trace_slope(s->a, *t), db = trace_slope(s->b, *u);
        double det = cross(da, db);
        if (det == 0)
            return false;
        double dt = cross(gap, db) / det, du = cross(gap, da) / det;
        *t += dt;
        *u += du;
        if (fabs(dt) + fabs(du) < 1e-13)
            return true;
    }
    return near(trace_at(s->a, *t), trace_at(s->b, *u), TOLERANCE);
}

/* How far outside the piece a parameter may lie, so that the point is no
 * farther than the tolerance from the piece's end. */
static double margin(const piece *p, point chord)
{
    return TOLERANCE * (p->t1 - p->t0) / length(chord);
}

static bool in_piece(const piece *p, double t, double margin)
{
    return t >= p->t0 - margin && t <= p->t1 + margin;
}

/* Finds the one point of a transversal node, if there is one. */
static void cross_node(search *s, const node *n)
{
    point da = sub(n->a.b, n->a.a), db = sub(n->b.b, n->b.a);
    point gap = sub(n->b.a, n->a.a);
    double det = cross(da, db);
    double wa = n->a.t1 - n->a.t0, wb = n->b.t1 - n->b.t0;
    double t = n->a.t0 + wa * cross(gap, db) / det;
    double u = n->b.t0 + wb * cross(gap, da) / det;
    double ma = margin(&n->a, da), mb = margin(&n->b, db);
    if (!in_piece(&n->a, t, ma + wa / 2) || !in_piece(&n->b, u, mb + wb / 2))
        return;
    if (!newton(s, &t, &u))
        return;
    if (in_piece(&n->a, t, ma) && in_piece(&n->b, u, mb))
        report(s, trace_at(s->a, least(most(t, 0), 1)));
}

/* ---- Touches --------------------------------------------------------- */

/* Least distance of an end of one chord from the other chord. */
static double end_distance(const piece *a, const piece *b)
{
    point d = sub(a->b, a->a);
    double size = dot(d, d), best = INFINITY;
    const point ends[2] = {b->a, b->b};
    for (int i = 0; i < 2; i++) {
        double k = size > 0 ? dot(sub(ends[i], a->a), d) / size : 0;
        point foot = add_scaled(a->a, d, least(most(k, 0), 1));
        best = least(best, length(sub(ends[i], foot)));
    }
    return best;
}

static int by_start(const void *p, const void *q)
{
    const touch *a = p, *b = q;
    return (a->t0 > b->t0) - (a->t0 < b->t0);
}

/* Whether `next` continues the zone `z`, give or take the smaller's width. */
static bool continues(const touch *z, const touch *next)
{
    double t = least(next->t1 - next->t0, z->t1 - z->t0);
    double s = least(next->s1 - next->s0, z->s1 - z->s0);
    return next->t0 <= z->t1 + t && next->s0 <= z->s1 + s &&
           next->s1 >= z->s0 - s;
}

/* Joins touches that continue each other into zones, in place. */
static void join_touches(search *s)
{
    int zones = 0;
    qsort(s->touch, (size_t)s->touches, sizeof s->touch[0], by_start);
    for (int i = 0; i < s->touches; i++) {
        const touch next = s->touch[i];
        touch *zone = zones ? &s->touch[zones - 1] : NULL;
        if (zone && continues(zone, &next)) {
            zone->t1 = most(zone->t1, next.t1);
            zone->s0 = least(zone->s0, next.s0);
            zone->s1 = most(zone->s1, next.s1);
        } else {
            s->touch[zones++] = next;
        }
    }
    s->touches = zones;
}

static void touch_node(search *s, const node *n)
{
    double gap = least(end_distance(&n->a, &n->b), end_distance(&n->b, &n->a));
    if (gap > TOLERANCE)
        return;
    if (s->touches == TOUCHES_MOST)
        join_touches(s);
    if (s->touches == TOUCHES_MOST) {
        s->nodes = NODES_MOST; /* ends the search */
        return;
    }
    touch made = {n->a.t0, n->a.t1, n->b.t0, n->b.t1};
    s->touch[s->touches++] = made;
}

static bool report_end(search *s, const touch *z, bool of_a, double at)
{
    const trace *own = of_a ? s->a : s->b, *other = of_a ? s->b : s->a;
    double low = of_a ? z->t0 : z->s0, high = of_a ? z->t1 : z->s1;
    double reach = high - low, found;
    point p = at == 0 ? own->a : own->b;
    if (own->closed || at < low - reach || at > high + reach ||
        !trace_locate(other, p, TOLERANCE, &found))
        return false;
    report(s, p);
    return true;
}

/* The place in the zone where the curves are nearest: Newton's method for
 * "the gap is square to A, and the tangents are parallel", which fails only
 * where the curves keep to each other too well for it to matter. */
static point nearest(const search *s, const touch *z)
{
    double t = 0.5 * (z->t0 + z->t1), u = 0.5 * (z->s0 + z->s1);
    point best = trace_at(s->a, t);
    double record = INFINITY;
    for (int i = 0; i < 8; i++) {
        point p = trace_at(s->a, t), da = trace_slope(s->a, t);
        point q = trace_at(s->b, u), db = trace_slope(s->b, u);
        double gap = length(sub(p, q));
        if (gap < record) {
            record = gap;
            best = p;
        }
        double h = 1e-6;
        point ha = scaled(sub(trace_slope(s->a, t + h), da), 1 / h);
        point hb = scaled(sub(trace_slope(s->b, u + h), db), 1 / h);
        double f = dot(sub(p, q), da), g = cross(da, db);
        double ft = dot(da, da) + dot(sub(p, q), ha), fu = -dot(db, da);
        double gt = cross(ha, db), gu = cross(da, hb);
        double det = ft * gu - fu * gt;
        double dt = (fu * g - f * gu) / det, du = (gt * f - ft * g) / det;
        t = least(most(t + dt, z->t0), z->t1);
        u = least(most(u + du, z->s0), z->s1);
        if (!(fabs(dt) + fabs(du) > 1e-14))
            break;
    }
    return best;
}

static void report_zone(search *s, const touch *z)
{
    bool ended = false;
    for (int end = 0; end < 2; end++) {
        ended |= report_end(s, z, true, end);
        ended |= report_end(s, z, false, end);
    }
    if (!ended)
        report(s, nearest(s, z));
}

static void report_touches(search *s)
{
    join_touches(s);
    for (int i = 0; i < s->touches; i++)
        report_zone(s, &s->touch[i]);
}

/* ---- The search ------------------------------------------------------ */

static double slack_of(const trace *curve, double width)
{
    return curve->bend * width * width / 8;
}

static piece whole(const trace *curve)
{
    piece made = {0, 1, curve->a, curve->b, slack_of(curve, 1)};
    return made;
}

static void halve(const trace *curve, const piece *p, piece *low, piece *high)
{
    double mid = 0.5 * (p->t0 + p->t1);
    point m = trace_at(curve, mid);
    piece first = {p->t0, mid, p->a, m, p->slack / 4};
    piece second = {mid, p->t1, m, p->b, p->slack / 4};
    *low = first;
    *high = second;
}

/* Halves one piece of `n`, the one that strays more from its chord. */
static void divide(const search *s, node n, node children[2])
{
    children[0] = children[1] = n;
    if (n.a.slack >= n.b.slack)
        halve(s->a, &n.a, &children[1].a, &children[0].a);
    else
        halve(s->b, &n.b, &children[1].b, &children[0].b);
}

/* Handles `n`; true when it must be divided. */
static bool visit(search *s, const node *n)
{
    double slack = n->a.slack + n->b.slack, reach = slack + TOLERANCE;
    if (chords_apart(n, reach) || to_one_side(&n->a, &n->b, reach) ||
        to_one_side(&n->b, &n->a, reach))
        return false;
    if (transversal(n)) {
        cross_node(s, n);
        return false;
    }
    if (slack <= STRAIGHT) {
        touch_node(s, n);
        return false;
    }
    return true;
}

static bool suspect(const search *s)
{
    return !s->asked &&
           (s->nodes > NODES_SUSPECT || s->touches > TOUCHES_SUSPECT);
}

/* True when the curves turned out to coincide. */
static bool run(search *s)
{
    node stack[STACK_MOST];
    node all = {whole(s->a), whole(s->b)};
    int depth = 1;
    stack[0] = all;
    while (depth > 0) {
        if (suspect(s) && coincide(s))
            return true;
        if (++s->nodes > NODES_MOST) {
            s->out->cut_short++;
            return false;
        }
        node n = stack[--depth];
        if (!visit(s, &n))
            continue;
        if (depth + 2 > STACK_MOST) {
            s->out->cut_short++;
            continue;
        }
        divide(s, n, stack + depth);
        depth += 2;
    }
    return false;
}

/* Ends the curves share are taken as they stand; true if both are shared. */
static bool shared_ends(search *s)
{
    const trace *a = s->a, *b = s->b;
    if (a->closed || b->closed)
        return false;
    bool aa = near(a->a, b->a, TOLERANCE), ab = near(a->a, b->b, TOLERANCE);
    bool ba = near(a->b, b->a, TOLERANCE), bb = near(a->b, b->b, TOLERANCE);
    if (aa || ab)
        report(s, a->a);
    if (ba || bb)
        report(s, a->b);
    return (aa && bb) || (ab && ba);
}

pair_status trace_trace(const trace *a, const trace *b, hits *out)
{
    if (boxes_apart(&a->bounds, &b->bounds))
        return PAIR_DONE;
    search s;
    s.a = a;
    s.b = b;
    s.out = out;
    s.first = out->count;
    s.failed = s.nodes = s.touches = 0;
    s.asked = false;
    bool twins = shared_ends(&s);
    if (!(twins && coincide(&s)) && !run(&s))
        report_touches(&s);
    return s.failed ? PAIR_NO_MEMORY : PAIR_DONE;
}
