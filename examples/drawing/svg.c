/* Reads the shapes of an SVG file, streaming, on expat.
 *
 *   1. A stack holds the affine map of every open element: that of its parent
 *      joined with its own `transform`.
 *   2. At the start of an element that is not drawn where it stands, `hidden`
 *      counts the open elements until it closes; nothing within is read.
 *   3. Any other element is looked up among the shapes, its attributes are
 *      read, and it is emitted through the map on top of the stack.
 *
 * Memory is one stack entry per level, of which NESTING_MOST are allowed, and
 * one element's attributes. */
#include "svg.h"

#include "numbers.h"
#include "path.h"
#include "vector.h"

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_MOST 500
#define CHUNK 65536

typedef struct reader {
    XML_Parser parser;
    const char *name;
    const sink *to;
    read_status status; /* what the call will return */
    unsigned hidden;    /* open elements within one that is not drawn */
    size_t depth;       /* open elements, each with a map; 0: none */
    affine maps[NESTING_MOST + 1];
} reader;

/* ---- Faults ---------------------------------------------------------- */

static void tell(reader *r, unsigned long row, unsigned long column,
                 const char *reason)
{
    char message[600];
    if (row)
        snprintf(message, sizeof message, "%s:%lu:%lu: %s", r->name, row,
                 column, reason);
    else
        snprintf(message, sizeof message, "%s: %s", r->name, reason);
    if (r->to->on_error)
        r->to->on_error(r->to->user, message);
    if (r->status == READ_OK)
        r->status = READ_FAULT;
}

/* A fault in the element that starts here. */
static void fault(reader *r, const char *reason)
{
    tell(r, XML_GetCurrentLineNumber(r->parser),
         XML_GetCurrentColumnNumber(r->parser) + 1, reason);
}

/* A fault at `offset` of one of its attributes. */
static void fault_at(reader *r, const char *reason, size_t offset,
                     const char *name)
{
    char text[200];
    snprintf(text, sizeof text, "%s at character %zu of %s", reason, offset + 1,
             name);
    fault(r, text);
}

static void stop(reader *r, read_status why)
{
    r->status = why;
    XML_StopParser(r->parser, XML_FALSE);
}

/* ---- Attributes ------------------------------------------------------ */

static const char *attribute(const char **list, const char *name)
{
    for (; *list; list += 2)
        if (strcmp(list[0], name) == 0)
            return list[1];
    return NULL;
}

/* A length; `missing` when it is not given.  False after a fault. */
static bool take_length(reader *r, const char **list, const char *name,
                        double missing, double *out)
{
    const char *text = attribute(list, name);
    *out = missing;
    if (!text || read_length(text, out))
        return true;
    char reason[100];
    snprintf(reason, sizeof reason, "bad length in %s: \"%.40s\"", name, text);
    fault(r, reason);
    return false;
}

/* ---- Shapes ---------------------------------------------------------- */

/* Each reads one kind of element and returns how emitting it went; READ_OK
 * too when a fault in its attributes, already told, keeps it from drawing. */

static read_status read_path(reader *r, const emitter *e, const char **list)
{
    const char *text = attribute(list, "d");
    path_fault wrong;
    if (!text)
        return READ_OK;
    read_status status = path_read(text, e, &wrong);
    if (status != READ_FAULT)
        return status;
    fault_at(r, wrong.reason, wrong.offset, "d");
    return READ_OK;
}

static read_status read_line(reader *r, const emitter *e, const char **list)
{
    point a, b;
    if (!take_length(r, list, "x1", 0, &a.x) ||
        !take_length(r, list, "y1", 0, &a.y) ||
        !take_length(r, list, "x2", 0, &b.x) ||
        !take_length(r, list, "y2", 0, &b.y))
        return READ_OK;
    return emit_line(e, a, b);
}

/* Radii of a rectangle's corners, by the rules for those left out. */
static bool take_radii(reader *r, const char **list, double width,
                       double height, double *rx, double *ry)
{
    if (!take_length(r, list, "rx", -1, rx) ||
        !take_length(r, list, "ry", -1, ry))
        return false;
    if (*rx < 0)
        *rx = *ry;
    if (*ry < 0)
        *ry = *rx;
    *rx = fmin(fmax(*rx, 0), width / 2);
    *ry = fmin(fmax(*ry, 0), height / 2);
    return true;
}

static read_status read_rect(reader *r, const emitter *e, const char **list)
{
    point low;
    double width, height, rx, ry;
    if (!take_length(r, list, "x", 0, &low.x) ||
        !take_length(r, list, "y", 0, &low.y) ||
        !take_length(r, list, "width", 0, &width) ||
        !take_length(r, list, "height", 0, &height) ||
        !take_radii(r, list, width, height, &rx, &ry))
        return READ_OK;
    if (width < 0 || height < 0)
        fault(r, "negative size of a rect");
    if (!(width > 0 && height > 0))
        return READ_OK;
    point high = vec(low.x + width, low.y + height);
    if (rx > 0 && ry > 0)
        return emit_rounded(e, low, high, rx, ry);
    return emit_rect(e, low, high);
}

static read_status read_round(reader *r, const emitter *e, const char **list,
                              const char *x_radius, const char *y_radius)
{
    point centre;
    double rx, ry;
    if (!take_length(r, list, "cx", 0, &centre.x) ||
        !take_length(r, list, "cy", 0, &centre.y) ||
        !take_length(r, list, x_radius, 0, &rx) ||
        !take_length(r, list, y_radius, 0, &ry))
        return READ_OK;
    if (rx < 0 || ry < 0)
        fault(r, "negative radius");
    if (!(rx > 0 && ry > 0))
        return READ_OK;
    return emit_ellipse(e, centre, rx, ry);
}

static read_status read_circle(reader *r, const emitter *e, const char **list)
{
    return read_round(r, e, list, "r", "r");
}

static read_status read_ellipse(reader *r, const emitter *e, const char **list)
{
    return read_round(r, e, list, "rx", "ry");
}

/* The numbers of a `points` attribute, two by two, as far as they are good;
 * `out` has room for all.  Returns how many points. */
static size_t read_points(reader *r, const char *text, point *out)
{
    size_t count = 0;
    const char *at = text;
    for (skip_space(&at); *at; skip_comma(&at)) {
        point p;
        bool good = read_number(&at, &p.x);
        skip_comma(&at);
        if (!good || !read_number(&at, &p.y)) {
            fault_at(
                r, good ? "expected a second coordinate" : "expected a number",
                (size_t)(at - text), "points");
            break;
        }
        out[count++] = p;
    }
    return count;
}

static read_status read_corners(reader *r, const emitter *e, const char **list,
                                bool closed)
{
    const char *text = attribute(list, "points");
    if (!text)
        return READ_OK;
    /* Two numbers and what parts them take three characters or more. */
    point *points = malloc((strlen(text) / 3 + 2) * sizeof *points);
    if (!points)
        return READ_NO_MEMORY;
    size_t count = read_points(r, text, points);
    read_status status = READ_OK;
    if (count > 1)
        status = emit_polygon(e, points, count, closed);
    free(points);
    return status;
}

static read_status read_polygon(reader *r, const emitter *e, const char **list)
{
    return read_corners(r, e, list, true);
}

static read_status read_polyline(reader *r, const emitter *e, const char **list)
{
    return read_corners(r, e, list, false);
}

static void read_shape(reader *r, const char *tag, const char **list,
                       const affine *map)
{
    static const struct {
        const char *tag;
        read_status (*read)(reader *, const emitter *, const char **);
    } shapes[] = {
        {"path", read_path},       {"rect", read_rect},
        {"circle", read_circle},   {"ellipse", read_ellipse},
        {"line", read_line},       {"polyline", read_polyline},
        {"polygon", read_polygon},
    };
    emitter e = {r->to, *map};
    read_status status = READ_OK;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(tag, shapes[i].tag) == 0)
            status = shapes[i].read(r, &e, list);
    if (status == READ_FAULT) {
        char reason[100];
        snprintf(reason, sizeof reason, "coordinate too large in %s", tag);
        fault(r, reason);
    } else if (status != READ_OK)
        stop(r, status);
}

/* ---- Elements -------------------------------------------------------- */

static bool drawn_elsewhere(const char *tag)
{
    static const char *const tags[] = {"defs",   "clipPath", "mask",
                                       "symbol", "pattern",  "marker"};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (strcmp(tag, tags[i]) == 0)
            return true;
    return false;
}

/* The map for an element's content; a bad transform counts as none. */
static affine own_map(reader *r, const char **list)
{
    affine own;
    const char *text = attribute(list, "transform"), *at = text, *reason;
    if (!text)
        return r->maps[r->depth];
    if ((reason = affine_read(text, &own, &at)) != NULL) {
        fault_at(r, reason, (size_t)(at - text), "transform");
        return r->maps[r->depth];
    }
    return affine_join(&r->maps[r->depth], &own);
}

static void on_start(void *user, const char *tag, const char **list)
{
    reader *r = user;
    const char *colon = strrchr(tag, ':');
    if (colon)
        tag = colon + 1;
    if (r->status == READ_STOPPED || r->status == READ_NO_MEMORY)
        return;
    if (r->hidden || drawn_elsewhere(tag)) {
        r->hidden++;
        return;
    }
    if (r->depth == NESTING_MOST) {
        fault(r, "elements nested too deeply");
        XML_StopParser(r->parser, XML_FALSE);
        return;
    }
    affine map = own_map(r, list);
    r->maps[++r->depth] = map;
    read_shape(r, tag, list, &map);
}

static void on_end(void *user, const char *tag)
{
    reader *r = user;
    (void)tag;
    if (r->hidden)
        r->hidden--;
    else if (r->depth)
        r->depth--;
}

/* ---- Files ----------------------------------------------------------- */

static reader *reader_new(const char *name, const sink *to)
{
    reader *r = malloc(sizeof *r);
    XML_Parser parser = XML_ParserCreate(NULL);
    if (!r || !parser) {
        free(r);
        if (parser)
            XML_ParserFree(parser);
        return NULL;
    }
    r->parser = parser;
    r->name = name;
    r->to = to;
    r->status = READ_OK;
    r->hidden = 0;
    r->depth = 0;
    r->maps[0] = affine_identity();
    XML_SetUserData(parser, r);
    XML_SetElementHandler(parser, on_start, on_end);
    return r;
}

static read_status reader_free(reader *r)
{
    read_status status = r->status;
    XML_ParserFree(r->parser);
    free(r);
    return status;
}

/* Tells why expat gave up, unless this reader made it stop. */
static void tell_xml(reader *r)
{
    enum XML_Error error = XML_GetErrorCode(r->parser);
    if (error == XML_ERROR_NO_MEMORY)
        r->status = READ_NO_MEMORY;
    else if (error != XML_ERROR_ABORTED)
        fault(r, XML_ErrorString(error));
}

static void read_stream(reader *r, FILE *file)
{
    bool last = false;
    while (!last) {
        void *chunk = XML_GetBuffer(r->parser, CHUNK);
        if (!chunk) {
            tell_xml(r);
            return;
        }
        size_t size = fread(chunk, 1, CHUNK, file);
        last = size < CHUNK;
        if (ferror(file)) {
            tell(r, 0, 0, strerror(errno));
            return;
        }
        if (XML_ParseBuffer(r->parser, (int)size, last) != XML_STATUS_OK) {
            tell_xml(r);
            return;
        }
    }
}

read_status svg_read_file(const char *path, const sink *to)
{
    reader *r = reader_new(path, to);
    if (!r)
        return READ_NO_MEMORY;
    FILE *file = fopen(path, "rb");
    if (file) {
        read_stream(r, file);
        fclose(file);
    } else {
        tell(r, 0, 0, strerror(errno));
    }
    return reader_free(r);
}

read_status svg_read_text(const char *text, size_t size, const char *name,
                          const sink *to)
{
    reader *r = reader_new(name, to);
    if (!r)
        return READ_NO_MEMORY;
    bool last = false;
    while (!last) {
        size_t part = size < CHUNK ? size : CHUNK;
        last = part == size;
        if (XML_Parse(r->parser, text, (int)part, last) != XML_STATUS_OK) {
            tell_xml(r);
            break;
        }
        text += part;
        size -= part;
    }
    return reader_free(r);
}
