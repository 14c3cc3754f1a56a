/* plot.c - lines through points as SVG: x logarithmic, y from zero, the same
 * scale of y in all panels. */
#include "loads.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 420, HEIGHT = 260, LEFT = 50, TOP = 50, GAP = 60, BELOW = 60 };

static const char *const colours[] = {"#1f6feb", "#d1242f", "#1a7f37",
                                      "#8250df"};

/* Where a panel lies, and its scales. */
typedef struct frame {
    FILE *file;
    double left, x_low, x_high, y_high; /* logarithms of x */
} frame;

static double place_x(const frame *f, double x)
{
    return f->left + (log10(x) - f->x_low) / (f->x_high - f->x_low) * WIDTH;
}

static double place_y(const frame *f, double y)
{
    return TOP + HEIGHT - y / f->y_high * HEIGHT;
}

static double greatest(const plot_panel *panels, size_t count)
{
    double most = 1;
    for (size_t p = 0; p < count; p++)
        for (size_t l = 0; l < panels[p].count; l++)
            for (size_t i = 0; i < panels[p].lines[l].count; i++)
                most = fmax(most, panels[p].lines[l].y[i]);
    return ceil(most * 1.2);
}

static void text(const frame *f, double x, double y, const char *anchor,
                 const char *content)
{
    fprintf(f->file,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y,
            anchor, content);
}

static void draw_axes(const frame *f, const plot_panel *panel)
{
    char label[40];
    for (int tick = 0; tick <= 4; tick++) {
        const double y = f->y_high * tick / 4;
        fprintf(f->file, "<path d=\"M%.1f %.1fh%d\" stroke=\"#d0d7de\"/>\n",
                f->left, place_y(f, y), WIDTH);
        snprintf(label, sizeof label, "%.3g ns", y);
        text(f, f->left - 6, place_y(f, y) + 4, "end", label);
    }
    for (double e = ceil(f->x_low); e <= f->x_high; e++) {
        snprintf(label, sizeof label, "%.0f", pow(10, e));
        text(f, place_x(f, pow(10, e)), TOP + HEIGHT + 18, "middle", label);
    }
    text(f, f->left + WIDTH / 2.0, TOP + HEIGHT + 38, "middle", panel->x_label);
    text(f, f->left + WIDTH / 2.0, TOP - 10, "middle", panel->title);
}

static void draw_line(const frame *f, const plot_line *line, size_t number)
{
    const char *const colour =
        colours[number % (sizeof colours / sizeof *colours)];
    fprintf(f->file,
            "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\""
            " points=\"",
            colour);
    for (size_t i = 0; i < line->count; i++)
        fprintf(f->file, "%.1f,%.1f ", place_x(f, line->x[i]),
                place_y(f, line->y[i]));
    fputs("\"/>\n", f->file);
    for (size_t i = 0; i < line->count; i++)
        fprintf(f->file,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\">"
                "<title>%s, %.0f: %.2f ns</title></circle>\n",
                place_x(f, line->x[i]), place_y(f, line->y[i]), colour,
                line->name, line->x[i], line->y[i]);
    fprintf(f->file, "<g fill=\"%s\">\n", colour);
    text(f, f->left + 10, TOP + 16 + 16 * (double)number, "start", line->name);
    fputs("</g>\n", f->file);
}

static void draw_panel(frame *f, const plot_panel *panel)
{
    f->x_low = log10(panel->lines[0].x[0]);
    f->x_high = log10(panel->lines[0].x[panel->lines[0].count - 1]);
    draw_axes(f, panel);
    for (size_t i = 0; i < panel->count; i++)
        draw_line(f, &panel->lines[i], i);
}

void plot(const char *path, const char *title, const plot_panel *panels,
          size_t panel_count)
{
    const int width = LEFT + (int)panel_count * (WIDTH + GAP);
    frame f = {fopen(path, "w"), LEFT, 0, 1, greatest(panels, panel_count)};
    if (f.file == NULL) {
        bench_note("%s cannot be written", path);
        return;
    }
    fprintf(f.file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
            "height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            width, TOP + HEIGHT + BELOW);
    text(&f, width / 2.0, 20, "middle", title);
    for (size_t i = 0; i < panel_count; i++) {
        draw_panel(&f, &panels[i]);
        f.left += WIDTH + GAP;
    }
    fputs("</svg>\n", f.file);
    fclose(f.file);
}
