/* Writing the page. The library makes the page itself, with the types, the
 * methods and the class graph (lb_report_html); ours is what goes before and
 * after its tables. Icons are drawn by one more generic function, `draw`. */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Drawing shapes ---------------------------------------------------- */

/* Writes the shape as an element of SVG. */
LB_GENERIC_VOID(draw, (ON, const shape *, s), (WITH, FILE *, out));
LB_DEFINE_GENERIC(draw);

LB_METHOD(draw, draw_line);
static void draw_line(lb_slot slot, const shape *s, FILE *out)
{
    const line *l = as_line(s);
    LB_IGNORE(slot);
    fprintf(out, "<path class=line d='M%g %gL%g %g'/>", l->a.x, l->a.y, l->b.x,
            l->b.y);
}

LB_METHOD(draw, draw_quadratic);
static void draw_quadratic(lb_slot slot, const shape *s, FILE *out)
{
    const point *p = as_quadratic(s)->p;
    LB_IGNORE(slot);
    fprintf(out, "<path class=curve d='M%g %gQ%g %g %g %g'/>", p[0].x, p[0].y,
            p[1].x, p[1].y, p[2].x, p[2].y);
}

LB_METHOD(draw, draw_cubic);
static void draw_cubic(lb_slot slot, const shape *s, FILE *out)
{
    const point *p = as_cubic(s)->p;
    LB_IGNORE(slot);
    fprintf(out, "<path class=curve d='M%g %gC%g %g %g %g %g %g'/>", p[0].x,
            p[0].y, p[1].x, p[1].y, p[2].x, p[2].y, p[3].x, p[3].y);
}

static double degrees(const axes *frame)
{
    return atan2(frame->sine, frame->cosine) * 180 / acos(-1);
}

LB_METHOD(draw, draw_arc);
static void draw_arc(lb_slot slot, const shape *s, FILE *out)
{
    const arc *a = as_arc(s);
    LB_IGNORE(slot);
    fprintf(out, "<path class=arc d='M%g %gA%g %g %g %d %d %g %g'/>", a->a.x,
            a->a.y, a->frame.rx, a->frame.ry, degrees(&a->frame),
            fabs(a->sweep) > acos(-1), a->sweep > 0, a->b.x, a->b.y);
}

LB_METHOD(draw, draw_polygon);
static void draw_polygon(lb_slot slot, const shape *s, FILE *out)
{
    const polygon *p = as_polygon(s);
    LB_IGNORE(slot);
    fprintf(out, "<path class=corners d='");
    for (size_t i = 0; i < p->count; i++)
        fprintf(out, "%c%g %g", i ? 'L' : 'M', p->points[i].x, p->points[i].y);
    fprintf(out, "%s'/>", p->closed ? "Z" : "");
}

LB_METHOD(draw, draw_ellipse);
static void draw_ellipse(lb_slot slot, const shape *s, FILE *out)
{
    const axes *e = &as_ellipse(s)->frame;
    LB_IGNORE(slot);
    fprintf(out,
            "<ellipse class=round rx=%g ry=%g "
            "transform='translate(%g %g) rotate(%g)'/>",
            e->rx, e->ry, e->centre.x, e->centre.y, degrees(e));
}

static lb_status draw_install(const shape_classes *c)
{
    const lb_head *head = LB_HEAD(draw);
    lb_class *const *of = c->of;
    lb_status s;
    if ((s = lb_bind(c->runtime, LB_HEAD(draw), NULL)) != LB_OK ||
        (s = lb_add(head, LB_DESCRIPTOR(draw_line), of[SHAPE_LINE])) ||
        (s = lb_add(head, LB_DESCRIPTOR(draw_quadratic),
                    of[SHAPE_QUADRATIC])) ||
        (s = lb_add(head, LB_DESCRIPTOR(draw_cubic), of[SHAPE_CUBIC])) ||
        (s = lb_add(head, LB_DESCRIPTOR(draw_arc), of[SHAPE_ARC])) ||
        (s = lb_add(head, LB_DESCRIPTOR(draw_polygon), of[SHAPE_POLYGON])))
        return s;
    return lb_add(head, LB_DESCRIPTOR(draw_ellipse), of[SHAPE_ELLIPSE]);
}

/* ---- Choosing icons ---------------------------------------------------- */

enum { GALLERY = 8 };

static box icon_bounds(const icon *one)
{
    box all = *bounds_of(one->shapes[0]);
    for (size_t i = 1; i < one->count; i++) {
        const box *b = bounds_of(one->shapes[i]);
        all.low.x = fmin(all.low.x, b->low.x);
        all.low.y = fmin(all.low.y, b->low.y);
        all.high.x = fmax(all.high.x, b->high.x);
        all.high.y = fmax(all.high.y, b->high.y);
    }
    return all;
}

/* How well an icon shows what the job does: about square, several kinds of
 * shapes, several points, not too much of it. 0: not at all. */
static size_t merit(const shape_classes *classes, const icon *one)
{
    size_t kinds = 0, seen[SHAPE_KINDS] = {0};
    if (one->count < 6 || one->count > 120 || one->point_count < 8 ||
        one->point_count > 150)
        return 0;
    const box b = icon_bounds(one);
    const double width = b.high.x - b.low.x, height = b.high.y - b.low.y;
    if (width > 1.3 * height || height > 1.3 * width)
        return 0;
    for (size_t i = 0; i < one->count; i++)
        kinds += seen[shape_kind_of(classes->runtime, one->shapes[i])]++ == 0;
    /* Points beyond one per shape are crossings, not joints of an outline. */
    const size_t crossings =
        one->point_count > one->count ? one->point_count - one->count : 0;
    return 1 + 12 * kinds + (crossings < 60 ? crossings : 60);
}

static const char *file_name(const icon *one)
{
    const char *slash = strrchr(one->path, '/');
    return slash ? slash + 1 : one->path;
}

/* The same icon comes in several sizes. */
static bool is_among(const icon *one, const icon *const *chosen, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(file_name(one), file_name(chosen[i])) == 0)
            return true;
    return false;
}

/* The best icon of each stretch of the set; returns how many. */
static size_t choose(const icon_set *set, const icon *chosen[GALLERY])
{
    size_t count = 0;
    for (size_t part = 0; part < GALLERY; part++) {
        size_t best = 0;
        for (size_t i = set->count * part / GALLERY;
             i < set->count * (part + 1) / GALLERY; i++) {
            const size_t m = merit(set->classes, &set->icons[i]);
            if (m > best && !is_among(&set->icons[i], chosen, count)) {
                best = m;
                chosen[count] = &set->icons[i];
            }
        }
        count += best > 0;
    }
    return count;
}

/* ---- HTML -------------------------------------------------------------- */

static const char style[] =
    "<style>\n"
    ".job{--ink:#1d2430;--soft:#667085;--card:#f6f7f9;--rule:#e1e5ea;"
    "--line:#51617a;--curve:#2f6fde;--arc:#1a8f6a;--corners:#8657c8;"
    "--round:#b7791f;--dot:#d92d4a;color:var(--ink);"
    "font:15px/1.5 system-ui,sans-serif;margin:1.5rem 0}\n"
    "@media (prefers-color-scheme:dark){.job{--ink:#e6e9ee;--soft:#98a2b3;"
    "--card:#1b2028;--rule:#313844;--line:#a9b6c9;--curve:#7aa7ff;"
    "--arc:#4fd1a5;--corners:#bd9cf3;--round:#e5b45a;--dot:#ff6b81}}\n"
    ".job .cards{display:grid;gap:.75rem;"
    "grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}\n"
    ".job .card{background:var(--card);border:1px solid var(--rule);"
    "border-radius:.6rem;padding:.7rem .9rem}\n"
    ".job .card b{display:block;font-size:1.35rem;font-weight:600;"
    "font-variant-numeric:tabular-nums}\n"
    ".job .card span,.job figcaption,.job .key{color:var(--soft);"
    "font-size:.85rem}\n"
    ".job .icons{display:grid;gap:.75rem;margin:.75rem 0;"
    "grid-template-columns:repeat(auto-fill,minmax(17rem,1fr))}\n"
    ".job figure{margin:0;background:var(--card);"
    "border:1px solid var(--rule);border-radius:.6rem;padding:1rem}\n"
    ".job figure svg{display:block;width:100%;aspect-ratio:1}\n"
    ".job figcaption{margin-top:.6rem;overflow-wrap:anywhere}\n"
    ".job figcaption b{color:var(--ink);font-weight:600}\n"
    ".job svg path,.job svg ellipse{fill:none;stroke-width:1.6;"
    "stroke-linecap:round;stroke-linejoin:round;"
    "vector-effect:non-scaling-stroke}\n"
    ".job .line{stroke:var(--line)}.job .curve{stroke:var(--curve)}"
    ".job .arc{stroke:var(--arc)}.job .corners{stroke:var(--corners)}"
    ".job .round{stroke:var(--round)}.job svg circle{fill:var(--dot)}\n"
    ".job .key i{display:inline-block;width:1.1rem;height:0;"
    "border-top:3px solid;margin:0 .35rem .2rem 1rem;vertical-align:middle;"
    "border-radius:2px}\n"
    ".job .key i.dot{width:.5rem;height:.5rem;border:0;border-radius:50%;"
    "background:var(--dot)}\n"
    ".job td,.job th{padding:.2rem .9rem .2rem 0;text-align:left;"
    "font-weight:400;border-bottom:1px solid var(--rule)}\n"
    ".job td{text-align:right;font-variant-numeric:tabular-nums}\n"
    ".job table{border-collapse:collapse}\n"
    "</style>\n";

/* The text with the characters that mean something in HTML written out. */
static void write_text(const char *text, FILE *out)
{
    for (; *text; text++)
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else
            fputc(*text, out);
}

/* 1234567 as 1 234 567, with narrow spaces. */
static void write_number(uint64_t number, FILE *out)
{
    char digits[24];
    const int size = snprintf(digits, sizeof digits, "%" PRIu64, number);
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            fputs("&#8239;", out);
        fputc(digits[i], out);
    }
}

static void write_card(const char *what, uint64_t number, FILE *out)
{
    fputs("<div class=card><b>", out);
    write_number(number, out);
    fprintf(out, "</b><span>%s</span></div>\n", what);
}

static void write_icon(const icon *one, FILE *out)
{
    const box b = icon_bounds(one);
    const double size = fmax(b.high.x - b.low.x, b.high.y - b.low.y) * 1.08;
    const double x = (b.low.x + b.high.x - size) / 2;
    const double y = (b.low.y + b.high.y - size) / 2;
    fprintf(out, "<figure><svg viewBox='%g %g %g %g'>", x, y, size, size);
    for (size_t i = 0; i < one->count; i++)
        draw(one->shapes[i], out);
    for (size_t i = 0; i < one->point_count; i++)
        fprintf(out, "<circle cx=%g cy=%g r=%g />", one->points[i].x,
                one->points[i].y, size * 0.011);
    fputs("</svg><figcaption><b>", out);
    write_text(file_name(one), out);
    fprintf(out, "</b><br>%zu shapes, %" PRIu64 " calls, %zu points",
            one->count, one->calls, one->point_count);
    fputs("</figcaption></figure>\n", out);
}

static const char key[] = "<p class=key><i style='color:var(--line)'></i>line"
                          "<i style='color:var(--curve)'></i>quadratic, cubic"
                          "<i style='color:var(--arc)'></i>arc"
                          "<i style='color:var(--corners)'></i>polygon, rect"
                          "<i style='color:var(--round)'></i>ellipse, circle"
                          "<i class=dot></i>where two meet</p>\n";

static void write_head(const report_facts *facts, FILE *out)
{
    const icon *chosen[GALLERY];
    const size_t count = choose(facts->set, chosen);
    fputs(style, out);
    fputs("<section class=job>\n<div class=cards>\n", out);
    write_card("icons", facts->set->count, out);
    write_card("shapes", facts->set->shapes, out);
    write_card("calls of <code>intersect</code>", facts->calls, out);
    write_card("intersections", facts->points, out);
    fprintf(out,
            "<div class=card><b>%.1f ns</b><span>per call, geometry "
            "included</span></div>\n</div>\n",
            facts->per_call);
    if (count) {
        fprintf(out, "<h2>Some of the icons</h2>\n%s<div class=icons>\n", key);
        for (size_t i = 0; i < count; i++)
            write_icon(chosen[i], out);
        fputs("</div>\n", out);
    }
    fputs("</section>\n", out);
}

static void write_row(const char *what, uint64_t number, FILE *out)
{
    fprintf(out, "<tr><th>%s<td>", what);
    write_number(number, out);
    fputc('\n', out);
}

static void write_live(const live_result *live, FILE *out)
{
    fprintf(out,
            "<h2>A plug-in, while the threads went on</h2>\n"
            "<p>The plug-in <code>spline</code> was opened, used, detached "
            "and closed %zu times in %.1f s.</p>\n<table>\n",
            live->rounds, live->seconds);
    write_row("icons worked on meanwhile", live->icons, out);
    write_row("of them with cubics restated as splines", live->restated, out);
    write_row("splines made", live->splines, out);
    write_row("calls that these icons need", live->wanted, out);
    write_row("calls that were run", live->made, out);
    write_row("further calls, with a spline", live->spline_calls, out);
    write_row("icons with another result than before", live->wrong_icons, out);
    fprintf(out, "<tr><th>farthest that a point moved<td>%.1e\n</table>\n",
            live->worst);
}

static void write_tail(const report_facts *facts, FILE *out)
{
    fputs("<section class=job>\n", out);
    if (facts->live)
        write_live(facts->live, out);
    fputs("<h2>The run</h2>\n<table>\n", out);
    write_row("SVG files found", facts->set->available, out);
    write_row("read", facts->set->count, out);
    write_row("unreadable places", facts->set->faults, out);
    for (int i = 0; i < SHAPE_KINDS; i++)
        write_row(shape_kind_name((shape_kind)i), facts->set->of[i], out);
    write_row("threads", facts->threads, out);
    fprintf(out,
            "<tr><th>seconds for reading<td>%.2f\n"
            "<tr><th>seconds for intersecting<td>%.2f\n</table>\n",
            facts->reading, facts->meeting);
    /* Written by the next step of `make run`. */
    fputs("<p><a href='replay/replay.html'>Attribute look-ups, replayed</a>: "
          "what <code>make replay</code> writes.</p>\n</section>\n",
          out);
}

/* What `write` writes, as text to be freed; NULL when out of memory. */
static char *text_of(void (*write)(const report_facts *facts, FILE *out),
                     const report_facts *facts)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    write(facts, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* ---- The page ---------------------------------------------------------- */

static lb_status make_page(const report_facts *facts, char **page)
{
    const shape_classes *c = facts->set->classes;
    uint64_t calls[SHAPE_KINDS * SHAPE_KINDS];
    for (int i = 0; i < SHAPE_KINDS * SHAPE_KINDS; i++)
        calls[i] = facts->counts->calls[i / SHAPE_KINDS][i % SHAPE_KINDS];
    char *head = text_of(write_head, facts);
    char *tail = text_of(write_tail, facts);
    const lb_report_options options = {.title = "Where shapes meet",
                                       .classes = c->of,
                                       .class_count = SHAPE_KINDS,
                                       .calls = calls,
                                       .head = head,
                                       .tail = tail};
    const lb_status status =
        lb_report_html(LB_GENERIC_OF(intersect), &options, page);
    free(head);
    free(tail);
    return status;
}

static void make_folder(const char *path)
{
    const char *end = strrchr(path, '/');
    char folder[1000];
    if (end && (size_t)(end - path) < sizeof folder) {
        snprintf(folder, sizeof folder, "%.*s", (int)(end - path), path);
        mkdir(folder, 0777);
    }
}

static int save(const char *path, const char *text)
{
    make_folder(path);
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return -1;
    const int failed = fputs(text, out) < 0;
    return fclose(out) != 0 || failed ? -1 : 0;
}

int report_write(const char *path, const report_facts *facts, char why[300])
{
    lb_runtime *runtime = facts->set->classes->runtime;
    char *page = NULL;
    if ((LB_GENERIC_OF(draw) == NULL &&
         draw_install(facts->set->classes) != LB_OK) ||
        make_page(facts, &page) != LB_OK) {
        snprintf(why, 300, "%s", lb_message());
        return -1;
    }
    const int failed = save(path, page);
    if (failed)
        snprintf(why, 300, "%s: %s", path, strerror(errno));
    lb_text_free(runtime, page);
    return failed;
}
