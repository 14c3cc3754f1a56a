/* curve.c - a page of loss curves.
 *
 * The page has one figure per title, between two comments by which the next run
 * finds its own. Colours come from the reader's setting (light or dark); there
 * is no script. The vertical axis is logarithmic, since losses fall by factors.
 * The thin line is every step, the thick one the mean of the steps around it,
 * dots are the loss on the test part. */
#include "curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT = 60, TOP = 16, WIDTH = 640, HEIGHT = 260, POINTS = 640 };

void curve_add(curve *c, double loss)
{
    if (c->count == c->capacity) {
        const size_t room = c->capacity > 0 ? 2 * c->capacity : 256;
        double *const larger = realloc(c->losses, room * sizeof *larger);
        if (larger == NULL)
            return;
        c->losses = larger;
        c->capacity = room;
    }
    c->losses[c->count++] = loss;
}

void curve_add_test(curve *c, int64_t step, double loss)
{
    if (c->test_count == sizeof c->test / sizeof *c->test)
        return;
    c->test[c->test_count].step = step;
    c->test[c->test_count++].loss = loss;
}

void curve_free(curve *c)
{
    free(c->losses);
    memset(c, 0, sizeof *c);
}

/* ---- from numbers to places ---------------------------------------------- */

typedef struct axes {
    double steps, low, high; /* low, high: logarithms */
} axes;

static void widen(axes *a, double loss)
{
    if (!(loss > 0) || !isfinite(loss))
        return;
    a->low = fmin(a->low, log10(loss));
    a->high = fmax(a->high, log10(loss));
}

static axes axes_of(const curve *c)
{
    axes a = {.steps = c->count > 1 ? (double)c->count - 1 : 1,
              .low = INFINITY,
              .high = -INFINITY};

    for (size_t i = 0; i < c->count; i++)
        widen(&a, c->losses[i]);
    for (size_t i = 0; i < c->test_count; i++)
        widen(&a, c->test[i].loss);
    if (a.low > a.high)
        a.low = a.high = 0;
    a.low -= 0.05;
    a.high += 0.05;
    return a;
}

static double place_x(const axes *a, double step)
{
    return LEFT + WIDTH * step / a->steps;
}

static double place_y(const axes *a, double loss)
{
    const double at =
        loss > 0 ? fmin(fmax(log10(loss), a->low), a->high) : a->low;

    return TOP + HEIGHT * (a->high - at) / (a->high - a->low);
}

/* ---- drawing ------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, so that there are few ticks. */
static double tick_width(double range)
{
    const double power = pow(10, floor(log10(range / 4)));
    const double share = range / 4 / power;

    return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : 5);
}

static void draw_step_axis(FILE *file, const axes *a)
{
    const double width = fmax(1, tick_width(a->steps));

    for (double step = 0; step <= a->steps; step += width)
        fprintf(file,
                "<line class=\"g\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" "
                "y2=\"%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">"
                "%.0f</text>\n",
                place_x(a, step), TOP, place_x(a, step), TOP + HEIGHT,
                place_x(a, step), TOP + HEIGHT + 18, step);
    fprintf(file,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">step</text>\n",
            LEFT + WIDTH / 2, TOP + HEIGHT + 38);
}

static void draw_loss_tick(FILE *file, const axes *a, double loss)
{
    const double y = place_y(a, loss);

    if (log10(loss) < a->low || log10(loss) > a->high)
        return;
    fprintf(file,
            "<line class=\"g\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
            "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
            LEFT, y, LEFT + WIDTH, y, LEFT - 8, y + 4, loss);
}

/* Powers of ten; where they span little, what lies between, too. */
static void draw_loss_axis(FILE *file, const axes *a)
{
    static const double within[] = {1, 1.5, 2, 2.5, 3, 4, 5, 7};
    const size_t used = a->high - a->low > 2 ? 1 : 8;

    for (double power = floor(a->low); power <= a->high; power++)
        for (size_t i = 0; i < used; i++)
            draw_loss_tick(file, a, within[i] * pow(10, power));
    fprintf(file,
            "<text transform=\"translate(14 %d) rotate(-90)\" "
            "text-anchor=\"middle\">loss</text>\n",
            TOP + HEIGHT / 2);
}

/* The mean of the steps from `from` to `to`, within what there is. */
static double mean(const curve *c, double from, double to)
{
    size_t first = from > 0 ? (size_t)from : 0, last = (size_t)to;
    double sum = 0;

    if (last >= c->count)
        last = c->count - 1;
    if (first > last)
        first = last;
    for (size_t i = first; i <= last; i++)
        sum += c->losses[i];
    return sum / (double)(last - first + 1);
}

static void draw_line(FILE *file, const curve *c, const axes *a,
                      const char *kind, double around)
{
    const size_t count = c->count < POINTS ? c->count : POINTS;

    fprintf(file, "<polyline class=\"%s\" points=\"", kind);
    for (size_t i = 0; i < count; i++) {
        const double step =
            count > 1 ? a->steps * (double)i / (double)(count - 1) : 0;
        fprintf(file, "%.1f,%.1f ", place_x(a, step),
                place_y(a, mean(c, step - around, step + around)));
    }
    fprintf(file, "\"/>\n");
}

static void draw_figure(FILE *file, const curve *c, const char *title,
                        const char *caption)
{
    const axes a = axes_of(c);

    fprintf(file,
            "<figure>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"loss of %s\">\n",
            LEFT + WIDTH + 20, TOP + HEIGHT + 48, title);
    draw_step_axis(file, &a);
    draw_loss_axis(file, &a);
    draw_line(file, c, &a, "s", 0);
    draw_line(file, c, &a, "m", (double)c->count / 60);
    for (size_t i = 0; i < c->test_count; i++)
        fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n",
                place_x(&a, fmin((double)c->test[i].step, a.steps)),
                place_y(&a, c->test[i].loss));
    fprintf(file, "</svg>\n<figcaption><b>%s</b>: %s</figcaption>\n</figure>\n",
            title, caption);
}

/* ---- the page ------------------------------------------------------------ */

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Training</title>\n<style>\n"
    ":root { color-scheme: light dark; --line: #1f6feb; --dot: #b35900;\n"
    "  --grid: #8884 }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --line: #6cb6ff; --dot: #f0a050 } }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem;\n"
    "  margin: 2rem auto; padding: 0 1rem }\n"
    "figure { margin: 2rem 0 } svg { width: 100%; height: auto }\n"
    "text { font-size: 12px; fill: currentColor }\n"
    "polyline { fill: none; stroke: var(--line) }\n"
    ".s { stroke-width: 0.7; opacity: 0.35 } .m { stroke-width: 2 }\n"
    ".g { stroke: var(--grid) } circle { fill: var(--dot) }\n"
    "</style>\n<h1>Training</h1>\n"
    "<p>Thin: each step's loss; thick: its mean over the steps around it;\n"
    "dots: the loss on the part that was kept for the test.</p>\n";

/* The file's content with a final 0; NULL if there is none. */
static char *slurp(const char *path)
{
    FILE *const file = fopen(path, "rb");
    char *text = NULL;

    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        const long size = ftell(file);
        rewind(file);
        text = size < 0 ? NULL : calloc((size_t)size + 1, 1);
        if (text != NULL && fread(text, 1, (size_t)size, file) != (size_t)size)
            text[0] = '\0';
    }
    (void)fclose(file);
    return text;
}

/* Copies the other figures: all between "<!--figure" and "<!--end-->" that do
 * not carry the title. */
static void copy_others(FILE *file, const char *old, const char *mark)
{
    static const char end[] = "<!--end-->\n";
    const char *at = old;

    while (at != NULL && (at = strstr(at, "<!--figure ")) != NULL) {
        const char *const stop = strstr(at, end);
        if (stop == NULL)
            return;
        const char *const next = stop + strlen(end);
        if (strncmp(at, mark, strlen(mark)) != 0)
            (void)fwrite(at, 1, (size_t)(next - at), file);
        at = next;
    }
}

bool curve_write(const curve *c, const char *path, const char *title,
                 const char *caption)
{
    char *const old = slurp(path);
    FILE *const file = fopen(path, "wb");
    char mark[256];

    (void)snprintf(mark, sizeof mark, "<!--figure %.200s-->\n", title);
    if (file != NULL && c->count > 0) {
        (void)fputs(head, file);
        copy_others(file, old, mark);
        (void)fputs(mark, file);
        draw_figure(file, c, title, caption);
        (void)fputs("<!--end-->\n</html>\n", file);
    }
    free(old);
    return file != NULL && fclose(file) == 0;
}
