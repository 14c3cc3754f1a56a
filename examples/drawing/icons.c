/* Finding and reading icons.
 *
 * The folder is walked first, and the paths sorted, so that a sample is the
 * same wherever the files are; then every so many-th file is read. */
#include "icons.h"

#include "svg.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Room for one more element of `size` bytes in a growing array. */
static void *with_room(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    const size_t wanted = *capacity ? 2 * *capacity : 16;
    void *grown = realloc(array, wanted * size);
    if (grown)
        *capacity = wanted;
    return grown;
}

/* ---- Finding ----------------------------------------------------------- */

typedef struct paths {
    char **items; /* each owned */
    size_t count, capacity;
} paths;

static void paths_free(paths *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

/* Takes over `path`. */
static int add_path(paths *list, char *path)
{
    char **items =
        with_room(list->items, list->count, &list->capacity, sizeof *items);
    if (items == NULL) {
        free(path);
        return -1;
    }
    list->items = items;
    list->items[list->count++] = path;
    return 0;
}

static char *join(const char *folder, const char *name)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static bool is_svg(const char *name)
{
    const size_t size = strlen(name);
    return size > 4 && strcmp(name + size - 4, ".svg") == 0;
}

static int walk(paths *list, const char *folder);

/* A file to note, a folder to walk, or neither. Takes over `path`. */
static int visit(paths *list, char *path)
{
    struct stat what;
    int failed = 0;
    if (path == NULL)
        return -1;
    const bool known = lstat(path, &what) == 0;
    if (known && S_ISREG(what.st_mode) && is_svg(path))
        return add_path(list, path);
    if (known && S_ISDIR(what.st_mode))
        failed = walk(list, path);
    free(path);
    return failed;
}

static int walk(paths *list, const char *folder)
{
    DIR *open = opendir(folder);
    int failed = 0;
    if (open == NULL)
        return -1;
    for (struct dirent *item; !failed && (item = readdir(open)) != NULL;)
        if (item->d_name[0] != '.')
            failed = visit(list, join(folder, item->d_name));
    closedir(open);
    return failed;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- Reading ----------------------------------------------------------- */

typedef struct reading {
    icon_set *set;
    icon *into;
} reading;

/* Takes over `made`, which is NULL when there was no memory. */
static int keep(reading *r, shape_kind kind, shape *made)
{
    icon *to = r->into;
    shape **shapes =
        with_room(to->shapes, to->count, &to->capacity, sizeof *shapes);
    if (shapes)
        to->shapes = shapes;
    if (shapes == NULL || made == NULL) {
        shape_free(r->set->classes, made);
        return 1;
    }
    to->shapes[to->count++] = made;
    r->set->shapes++;
    r->set->of[kind]++;
    return 0;
}

static int on_line(void *user, const line *s)
{
    reading *r = user;
    return keep(r, SHAPE_LINE, line_new(r->set->classes, s));
}

static int on_quadratic(void *user, const quadratic *s)
{
    reading *r = user;
    return keep(r, SHAPE_QUADRATIC, quadratic_new(r->set->classes, s));
}

static int on_cubic(void *user, const cubic *s)
{
    reading *r = user;
    return keep(r, SHAPE_CUBIC, cubic_new(r->set->classes, s));
}

static int on_arc(void *user, const arc *s)
{
    reading *r = user;
    return keep(r, SHAPE_ARC, arc_new(r->set->classes, s));
}

static int on_rect(void *user, const rect *s)
{
    reading *r = user;
    return keep(r, SHAPE_RECT, rect_new(r->set->classes, s));
}

static int on_circle(void *user, const circle *s)
{
    reading *r = user;
    return keep(r, SHAPE_CIRCLE, circle_new(r->set->classes, s));
}

static int on_ellipse(void *user, const ellipse *s)
{
    reading *r = user;
    return keep(r, SHAPE_ELLIPSE, ellipse_new(r->set->classes, s));
}

static int on_polygon(void *user, const polygon *s)
{
    reading *r = user;
    return keep(r, SHAPE_POLYGON, polygon_new(r->set->classes, s));
}

static void on_error(void *user, const char *message)
{
    icon_set *set = ((reading *)user)->set;
    set->faults++;
    if (set->on_fault)
        set->on_fault(message);
}

/* Takes over `path`. What was readable of a faulty file is kept. */
static int read_icon(icon_set *set, char *path)
{
    reading r = {set, &set->icons[set->count++]};
    const sink to = {&r,      on_line,   on_quadratic, on_cubic,   on_arc,
                     on_rect, on_circle, on_ellipse,   on_polygon, on_error};
    r.into->path = path;
    const read_status status = svg_read_file(path, &to);
    return status == READ_OK || status == READ_FAULT ? 0 : -1;
}

static int read_sample(icon_set *out, paths *found, size_t most)
{
    const size_t all = found->count;
    const size_t wanted = most && most < all ? most : all;
    out->available = all;
    out->icons = calloc(wanted + 1, sizeof *out->icons);
    if (out->icons == NULL)
        return -1;
    for (size_t i = 0; i < wanted; i++) {
        char **path = &found->items[i * all / wanted];
        const int failed = read_icon(out, *path);
        *path = NULL;
        if (failed)
            return -1;
        if (out->on_icon)
            out->on_icon(i + 1, wanted);
    }
    return 0;
}

int icon_set_read(icon_set *out, const char *folder, size_t most)
{
    paths found = {NULL, 0, 0};
    int failed = walk(&found, folder);
    if (!failed && found.count) {
        qsort(found.items, found.count, sizeof *found.items, by_text);
        failed = read_sample(out, &found, most);
    }
    paths_free(&found);
    return failed;
}

void icon_set_free(icon_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        icon *one = &set->icons[i];
        for (size_t k = 0; k < one->count; k++)
            shape_free(set->classes, one->shapes[k]);
        free(one->shapes);
        free(one->points);
        free(one->path);
    }
    free(set->icons);
    set->icons = NULL;
    set->count = 0;
}

int icon_intersect(shape *const *shapes, size_t count, hits *found)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++) {
            hits_start_pair(found);
            if (intersect(shapes[i], shapes[k], found) != PAIR_DONE)
                return -1;
        }
    return 0;
}
