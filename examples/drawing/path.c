/* The path data of SVG.
 *
 * A pen moves over the text.  Each command has a fixed number of arguments
 * and repeats for as long as numbers follow; relative arguments are made
 * absolute before the command acts.  The smooth commands reflect the control
 * point that the command before left behind, if it was of their kind.
 *
 * Arcs come as two ends, radii and two flags.  By the formulas of the SVG
 * specification's appendix: turn and scale the plane so that the ellipse is a
 * unit circle, whose centre is on the bisector of the ends; radii too small
 * to span the ends are scaled up until they do. */
#include "path.h"

#include "numbers.h"
#include "vector.h"

#include <string.h>

typedef struct pen {
    const emitter *out;
    const char *at;     /* where reading goes on */
    point here, first;  /* current point, start of the subpath */
    point control;      /* last control point of a curve */
    char before;        /* previous command, upper case; 0 at the start */
    const char *reason; /* why reading failed */
} pen;

static read_status fail(pen *p, const char *reason)
{
    p->reason = reason;
    return READ_FAULT;
}

/* ---- Arcs ------------------------------------------------------------ */

/* Half the chord from `a` to `b`, as seen where the ellipse is a circle. */
static point half_chord(point a, point b, double rx, double ry, double c,
                        double s)
{
    point h = scaled(sub(a, b), 0.5);
    return vec((c * h.x + s * h.y) / rx, (c * h.y - s * h.x) / ry);
}

static read_status draw_arc(pen *p, const double v[7], point to)
{
    double rx = fabs(v[0]), ry = fabs(v[1]), turn = v[2] * PI / 180;
    bool large = v[3] != 0, rising = v[4] != 0;
    point from = p->here;
    if (from.x == to.x && from.y == to.y)
        return READ_OK;
    double c = cos(turn), s = sin(turn);
    point h = half_chord(from, to, rx, ry, c, s);
    double square = dot(h, h);
    if (rx == 0 || ry == 0 || !isfinite(square))
        return emit_line(p->out, from, to);
    double size = sqrt(fmax(1, square));
    rx *= size;
    ry *= size;
    h = scaled(h, 1 / size);
    square = dot(h, h);
    double reach = square > 0 ? sqrt(fmax(0, 1 - square) / square) : INFINITY;
    if (!isfinite(reach))
        return emit_line(p->out, from, to);
    /* The centre from the middle of the chord, still on the circle. */
    point m = scaled(vec(h.y, -h.x), large == rising ? -reach : reach);
    point middle = scaled(add(from, to), 0.5);
    point centre = vec(middle.x + c * rx * m.x - s * ry * m.y,
                       middle.y + s * rx * m.x + c * ry * m.y);
    double start = atan2(h.y - m.y, h.x - m.x);
    double sweep = atan2(-h.y - m.y, -h.x - m.x) - start;
    if (rising && sweep < 0)
        sweep += 2 * PI;
    else if (!rising && sweep > 0)
        sweep -= 2 * PI;
    if (sweep == 0)
        return emit_line(p->out, from, to);
    arc made = arc_make(centre, rx, ry, turn, start, sweep, &from, &to);
    return emit_arc(p->out, &made, turn);
}

/* ---- Commands -------------------------------------------------------- */

static int argument_count(char command)
{
    switch (command) {
    case 'M':
    case 'L':
    case 'T':
        return 2;
    case 'H':
    case 'V':
        return 1;
    case 'S':
    case 'Q':
        return 4;
    case 'C':
        return 6;
    case 'A':
        return 7;
    case 'Z':
        return 0;
    default:
        return -1;
    }
}

/* An arc flag is one digit; the next argument may follow without a break. */
static bool read_flag(const char **at, double *out)
{
    if (**at != '0' && **at != '1')
        return false;
    *out = **at - '0';
    ++*at;
    return true;
}

static read_status read_arguments(pen *p, char command, double *v)
{
    int count = argument_count(command);
    for (int i = 0; i < count; i++) {
        bool flag = command == 'A' && (i == 3 || i == 4);
        if (flag ? !read_flag(&p->at, &v[i]) : !read_number(&p->at, &v[i]))
            return fail(p, flag ? "expected an arc flag, 0 or 1"
                                : "expected a number");
        if (i + 1 < count)
            skip_comma(&p->at);
    }
    return READ_OK;
}

/* Adds the current point to the arguments that are coordinates. */
static void make_absolute(const pen *p, char command, double *v)
{
    int count = argument_count(command);
    if (command == 'V')
        v[0] += p->here.y;
    else if (command == 'A') {
        v[5] += p->here.x;
        v[6] += p->here.y;
    } else
        for (int i = 0; i < count; i++)
            v[i] += i % 2 ? p->here.y : p->here.x;
}

/* The control point a smooth command starts with. */
static point reflected(const pen *p, char curve, char smooth)
{
    if (p->before != curve && p->before != smooth)
        return p->here;
    return sub(scaled(p->here, 2), p->control);
}

static read_status draw_cubic(pen *p, point c1, const double *v)
{
    point q[4] = {p->here, c1, vec(v[0], v[1]), vec(v[2], v[3])};
    read_status status = emit_cubic(p->out, q);
    p->control = q[2];
    p->here = q[3];
    return status;
}

static read_status draw_quadratic(pen *p, point c, point to)
{
    point q[3] = {p->here, c, to};
    read_status status = emit_quadratic(p->out, q);
    p->control = c;
    p->here = to;
    return status;
}

static read_status draw_line(pen *p, point to)
{
    read_status status = emit_line(p->out, p->here, to);
    p->here = to;
    return status;
}

/* Does one command with absolute arguments. */
static read_status draw(pen *p, char command, const double *v)
{
    read_status status;
    switch (command) {
    case 'M':
        p->here = p->first = vec(v[0], v[1]);
        return READ_OK;
    case 'L':
        return draw_line(p, vec(v[0], v[1]));
    case 'H':
        return draw_line(p, vec(v[0], p->here.y));
    case 'V':
        return draw_line(p, vec(p->here.x, v[0]));
    case 'C':
        return draw_cubic(p, vec(v[0], v[1]), v + 2);
    case 'S':
        return draw_cubic(p, reflected(p, 'C', 'S'), v);
    case 'Q':
        return draw_quadratic(p, vec(v[0], v[1]), vec(v[2], v[3]));
    case 'T':
        return draw_quadratic(p, reflected(p, 'Q', 'T'), vec(v[0], v[1]));
    case 'A':
        status = draw_arc(p, v, vec(v[5], v[6]));
        p->here = vec(v[5], v[6]);
        return status;
    default: /* 'Z' */
        return draw_line(p, p->first);
    }
}

static bool number_follows(const char *at)
{
    return *at && strchr("0123456789+-.", *at) != NULL;
}

/* A command letter and all its repeats. */
static read_status read_command(pen *p)
{
    char letter = *p->at;
    bool relative = letter >= 'a' && letter <= 'z';
    char command = relative ? (char)(letter - 'a' + 'A') : letter;
    if (argument_count(command) < 0)
        return fail(p, "unknown path command");
    if (p->before == 0 && command != 'M')
        return fail(p, "a path must start with M or m");
    p->at++;
    skip_space(&p->at);
    bool more = true;
    while (more) {
        double v[7];
        const char *start = p->at;
        read_status status = read_arguments(p, command, v);
        if (status != READ_OK)
            return status;
        if (relative)
            make_absolute(p, command, v);
        status = draw(p, command, v);
        if (status == READ_FAULT) {
            p->at = start;
            return fail(p, "coordinate too large");
        }
        if (status != READ_OK)
            return status;
        p->before = command;
        const char *end = p->at;
        skip_comma(&p->at);
        more = command != 'Z' && number_follows(p->at);
        if (!more)
            p->at = end;
        if (command == 'M')
            command = 'L';
    }
    return READ_OK;
}

read_status path_read(const char *text, const emitter *out, path_fault *fault)
{
    pen p = {.out = out, .at = text};
    read_status status = READ_OK;
    for (skip_space(&p.at); *p.at && status == READ_OK; skip_space(&p.at))
        status = read_command(&p);
    if (status == READ_FAULT) {
        fault->reason = p.reason;
        fault->offset = (size_t)(p.at - text);
    }
    return status;
}
