/* Reads icons into memory, for all variants of the drawing job.
 *
 * Walks the folder (nftw, without following links), sorts the paths so that
 * every machine with the same icons makes the same choice, reads the chosen
 * files, and keeps each file's shapes in one array.  A file with faults keeps
 * the shapes that could be read. */
#define _XOPEN_SOURCE 700
#include "drawing.h"
#include "svg.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *drawing_kind_name(drawing_kind kind)
{
    static const char *const names[DRAWING_KINDS] = {
        "line",    "quadratic", "cubic",   "arc",
        "polygon", "rect",      "ellipse", "circle"};
    return names[kind];
}

/* ---- One icon -------------------------------------------------------- */

/* The icon being read. */
typedef struct canvas {
    drawing_collection *home;
    drawing_icon icon;
    size_t capacity;
} canvas;

/* Room for one more shape, of the given kind; NULL when out of memory. */
static drawing_shape *next_shape(canvas *c, drawing_kind kind)
{
    if (c->icon.count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 32;
        drawing_shape *shapes =
            realloc(c->icon.shapes, capacity * sizeof *shapes);
        if (!shapes)
            return NULL;
        c->icon.shapes = shapes;
        c->capacity = capacity;
    }
    drawing_shape *made = &c->icon.shapes[c->icon.count++];
    made->kind = kind;
    return made;
}

static int take_line(void *user, const line *shape)
{
    drawing_shape *made = next_shape(user, DRAWING_LINE);
    if (made)
        made->as.line = *shape;
    return made == NULL;
}

static int take_quadratic(void *user, const quadratic *shape)
{
    drawing_shape *made = next_shape(user, DRAWING_QUADRATIC);
    if (made)
        made->as.quadratic = *shape;
    return made == NULL;
}

static int take_cubic(void *user, const cubic *shape)
{
    drawing_shape *made = next_shape(user, DRAWING_CUBIC);
    if (made)
        made->as.cubic = *shape;
    return made == NULL;
}

static int take_arc(void *user, const arc *shape)
{
    drawing_shape *made = next_shape(user, DRAWING_ARC);
    if (made)
        made->as.arc = *shape;
    return made == NULL;
}

static int take_ellipse(void *user, const ellipse *shape)
{
    drawing_shape *made = next_shape(user, DRAWING_ELLIPSE);
    if (made)
        made->as.ellipse = *shape;
    return made == NULL;
}

static int take_circle(void *user, const circle *shape)
{
    drawing_shape *made = next_shape(user, DRAWING_CIRCLE);
    if (made)
        made->as.circle = *shape;
    return made == NULL;
}

/* A shape that owns points: its place is given up if they cannot be had. */
static int take_corners(canvas *c, const polygon *shape, drawing_kind kind)
{
    drawing_shape *made = next_shape(c, kind);
    if (!made)
        return 1;
    if (polygon_make(&made->as.polygon, shape->points, shape->count,
                     shape->closed) == 0)
        return 0;
    c->icon.count--;
    return 1;
}

static int take_polygon(void *user, const polygon *shape)
{
    return take_corners(user, shape, DRAWING_POLYGON);
}

static int take_rect(void *user, const rect *shape)
{
    return take_corners(user, &shape->base, DRAWING_RECT);
}

static void take_fault(void *user, const char *message)
{
    canvas *c = user;
    c->home->faults++;
    if (c->home->show_fault)
        fprintf(stderr, "%s\n", message);
}

static void icon_free(drawing_icon *icon)
{
    for (size_t i = 0; i < icon->count; i++)
        if (icon->shapes[i].kind == DRAWING_POLYGON ||
            icon->shapes[i].kind == DRAWING_RECT)
            polygon_free(&icon->shapes[i].as.polygon);
    free(icon->shapes);
}

static int append_icon(drawing_collection *out, const drawing_icon *icon)
{
    if (out->count == out->capacity) {
        size_t capacity = out->capacity ? 2 * out->capacity : 256;
        drawing_icon *icons = realloc(out->icons, capacity * sizeof *icons);
        if (!icons)
            return -1;
        out->icons = icons;
        out->capacity = capacity;
    }
    out->icons[out->count++] = *icon;
    out->shapes += icon->count;
    return 0;
}

int drawing_collect_file(drawing_collection *out, const char *path)
{
    canvas c = {out, {NULL, 0}, 0};
    const sink to = {&c,           take_line, take_quadratic, take_cubic,
                     take_arc,     take_rect, take_circle,    take_ellipse,
                     take_polygon, take_fault};
    read_status status = svg_read_file(path, &to);
    if ((status == READ_OK || status == READ_FAULT) &&
        append_icon(out, &c.icon) == 0)
        return 0;
    icon_free(&c.icon);
    return -1;
}

/* ---- A folder of icons ----------------------------------------------- */

/* nftw takes no user pointer, so the list being built is here; one folder is
 * walked at a time. */
static struct {
    char **paths;
    size_t count, capacity;
} found;

static int note_file(const char *path, const struct stat *status, int type,
                     struct FTW *where)
{
    size_t size = strlen(path);
    (void)status, (void)where;
    if (type != FTW_F || size < 4 || strcmp(path + size - 4, ".svg") != 0)
        return 0;
    if (found.count == found.capacity) {
        size_t capacity = found.capacity ? 2 * found.capacity : 1024;
        char **paths = realloc(found.paths, capacity * sizeof *paths);
        if (!paths)
            return -1;
        found.paths = paths;
        found.capacity = capacity;
    }
    char *copy = malloc(size + 1);
    if (!copy)
        return -1;
    memcpy(copy, path, size + 1);
    found.paths[found.count++] = copy;
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void forget_found(void)
{
    for (size_t i = 0; i < found.count; i++)
        free(found.paths[i]);
    free(found.paths);
    found.paths = NULL;
    found.count = found.capacity = 0;
}

int drawing_collect(drawing_collection *out, const char *folder, size_t stride,
                    size_t most)
{
    int failed = nftw(folder, note_file, 16, FTW_PHYS);
    if (found.count)
        qsort(found.paths, found.count, sizeof *found.paths, by_path);
    for (size_t i = 0; i < found.count && failed == 0; i += stride)
        if (most == 0 || out->count < most)
            failed = drawing_collect_file(out, found.paths[i]);
    forget_found();
    return failed ? -1 : 0;
}

void drawing_collection_init(drawing_collection *out)
{
    memset(out, 0, sizeof *out);
}

void drawing_collection_free(drawing_collection *out)
{
    for (size_t i = 0; i < out->count; i++)
        icon_free(&out->icons[i]);
    free(out->icons);
    drawing_collection_init(out);
}

/* ---- Results --------------------------------------------------------- */

static uint64_t hash(point p)
{
    uint64_t x = (uint64_t)llround(p.x * 1e3);
    uint64_t y = (uint64_t)llround(p.y * 1e3);
    uint64_t h = x * 0x9e3779b97f4a7c15u + y;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 29);
}

void drawing_take_points(drawing_result *result, hits *list)
{
    for (size_t i = 0; i < list->count; i++)
        result->checksum += hash(list->points[i]);
    result->points += list->count;
    hits_clear(list);
}
