/* Two kinds of charts, drawn into a viewBox of fixed width whose text is a bit
 * larger than the page's small print when the chart has its full width. Labels
 * have columns of their own, so that nothing lies upon anything else. */
#include "charts.h"

#include "text.h"

#include <math.h>

enum {
    WIDTH = 760,
    LABELS = 210, /* the column of the bars' labels */
    VALUES = 104, /* room for the text behind the longest bar */
    BAR = 20,     /* height */
    ROW = 28,     /* from bar to bar */
    HEADING = 34, /* height of a heading's row */
    FOOT = 46,    /* ticks and the axis's name */
    PLOT = 260,   /* height of a line chart's plot */
    LEFT = 76,    /* of it */
    RIGHT = 24,
    TOP = 14
};

static void open_svg(FILE *out, const char *title, double height)
{
    fprintf(out,
            "<svg class=chart viewBox='0 0 %d %g' role=img "
            "aria-label=\"%s\"><title>%s</title>\n",
            WIDTH, height, title, title);
}

static void write_label(FILE *out, double x, double y, const char *anchor,
                        const char *css, const char *text)
{
    fprintf(out,
            "<text x='%.1f' y='%.1f' text-anchor=%s class='%s'>%s</text>\n", x,
            y, anchor, css, text);
}

static void write_rule(FILE *out, double x1, double y1, double x2, double y2,
                       const char *css)
{
    fprintf(out, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' class='%s'/>\n",
            x1, y1, x2, y2, css);
}

void write_chart_key(FILE *out, const char *const *names, size_t count)
{
    fputs("<p class=key>", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "<span><i class='b%zu'></i>%s</span>", i, names[i]);
    fputs("</p>\n", out);
}

/* ---- Bars -------------------------------------------------------------- */

static double bar_end(const chart_bar *bar)
{
    double sum = 0;
    for (int i = 0; i < CHART_PARTS; i++)
        sum += bar->parts[i];
    return sum;
}

static double longest(const bar_chart *chart)
{
    double most = 0;
    for (size_t i = 0; i < chart->count; i++)
        most = fmax(most, bar_end(&chart->bars[i]));
    return most > 0 ? most : 1;
}

/* A step of 1, 2 or 5 times a power of ten, some of which make `most`. */
static double pleasant_step(double most)
{
    const double power = pow(10, floor(log10(most / 4)));
    const double parts = most / 4 / power;
    return power * (parts < 1.5 ? 1 : parts < 3.5 ? 2 : 5);
}

static double bars_height(const bar_chart *chart)
{
    double height = 4;
    for (size_t i = 0; i < chart->count; i++)
        height += chart->bars[i].heading ? HEADING : ROW;
    return height;
}

static void write_bar_axis(FILE *out, const bar_chart *chart, double unit,
                           double bottom)
{
    const double most = longest(chart), step = pleasant_step(most);
    for (int i = 0; i * step <= most * 1.001; i++) {
        char text[32];
        const double x = LABELS + i * step * unit;
        snprintf(text, sizeof text, "%g", i * step / chart->scale);
        write_rule(out, x, 0, x, bottom, i ? "grid" : "axis");
        write_label(out, x, bottom + 18, "middle", "tick", text);
    }
    write_label(out, LABELS + (WIDTH - LABELS - VALUES) / 2.0, bottom + 40,
                "middle", "name", chart->axis);
}

static void write_bar(FILE *out, const chart_bar *bar, double unit, double y)
{
    double x = LABELS;
    write_label(out, LABELS - 10, y + BAR - 5, "end", "label", bar->label);
    for (int i = 0; i < CHART_PARTS; i++) {
        const double width = bar->parts[i] * unit;
        if (width > 0)
            fprintf(out,
                    "<rect x='%.1f' y='%.1f' width='%.1f' height='%d' "
                    "class='f%d'><title>%s: %.0f</title></rect>\n",
                    x, y, fmax(width, 0.6), BAR, i, bar->label, bar->parts[i]);
        x += fmax(width, 0);
    }
    write_label(out, x + 8, y + BAR - 5, "start", "value", bar->value);
}

void write_bar_chart(FILE *out, const bar_chart *chart)
{
    const double bottom = bars_height(chart);
    const double unit = (WIDTH - LABELS - VALUES) / longest(chart);
    double y = 4;
    open_svg(out, chart->title, bottom + FOOT);
    write_bar_axis(out, chart, unit, bottom);
    for (size_t i = 0; i < chart->count; i++) {
        const chart_bar *bar = &chart->bars[i];
        if (bar->heading)
            write_label(out, LABELS + 6, y + HEADING - 12, "start", "heading",
                        bar->label);
        else
            write_bar(out, bar, unit, y);
        y += bar->heading ? HEADING : ROW;
    }
    fputs("</svg>\n", out);
}

/* ---- Lines ------------------------------------------------------------- */

static double x_of(const line_chart *chart, size_t place)
{
    const double steps =
        chart->place_count > 1 ? (double)chart->place_count - 1 : 1;
    return LEFT + 14 + (double)place * (WIDTH - LEFT - RIGHT - 28) / steps;
}

/* The power of ten at the upper end of a logarithmic axis. */
static int most_decades(const line_chart *chart)
{
    double most = 10;
    for (size_t i = 0; i < chart->line_count; i++)
        for (size_t k = 0; k < chart->place_count; k++)
            most = fmax(most, chart->lines[i].values[k]);
    return (int)ceil(log10(most));
}

static double y_of(const line_chart *chart, double value)
{
    const double part = chart->logarithmic
                            ? log10(fmax(value, 1)) / most_decades(chart)
                            : value / 100;
    return TOP + PLOT * (1 - part);
}

static void write_y_tick(FILE *out, const line_chart *chart, double value,
                         const char *text)
{
    const double y = y_of(chart, value);
    write_rule(out, LEFT, y, WIDTH - RIGHT, y, "grid");
    write_label(out, LEFT - 8, y + 4, "end", "tick", text);
}

static void write_y_axis(FILE *out, const line_chart *chart)
{
    char text[40];
    if (chart->logarithmic)
        for (int i = 0; i <= most_decades(chart); i++) {
            write_y_tick(out, chart, pow(10, i),
                         with_commas((uint64_t)pow(10, i)).text);
        }
    else
        for (int i = 0; i <= 100; i += 20) {
            snprintf(text, sizeof text, "%d %%", i);
            write_y_tick(out, chart, i, text);
        }
    fprintf(out,
            "<text transform='translate(18 %g) rotate(-90)' "
            "text-anchor=middle class=name>%s</text>\n",
            TOP + PLOT / 2.0, chart->y_axis);
}

static void write_x_axis(FILE *out, const line_chart *chart)
{
    const double bottom = TOP + PLOT;
    for (size_t i = 0; i < chart->place_count; i++)
        write_label(out, x_of(chart, i), bottom + 20, "middle", "tick",
                    chart->places[i]);
    write_rule(out, LEFT, bottom, WIDTH - RIGHT, bottom, "axis");
    write_label(out, (LEFT + WIDTH - RIGHT) / 2.0, bottom + 42, "middle",
                "name", chart->x_axis);
}

static void write_line(FILE *out, const line_chart *chart, size_t series)
{
    const chart_line *line = &chart->lines[series];
    const char *separator = "";
    fprintf(out, "<polyline class='l%zu' points='", series);
    for (size_t i = 0; i < chart->place_count; i++)
        if (line->values[i] >= 0) {
            fprintf(out, "%s%.1f,%.1f", separator, x_of(chart, i),
                    y_of(chart, line->values[i]));
            separator = " ";
        }
    fputs("'/>\n", out);
    for (size_t i = 0; i < chart->place_count; i++)
        if (line->values[i] >= 0)
            fprintf(out,
                    "<circle cx='%.1f' cy='%.1f' r='4' class='f%zu'>"
                    "<title>%s, %s: %.5g%s</title></circle>\n",
                    x_of(chart, i), y_of(chart, line->values[i]), series,
                    line->name, chart->places[i], line->values[i],
                    chart->logarithmic ? "" : " %");
}

void write_line_chart(FILE *out, const line_chart *chart)
{
    open_svg(out, chart->title, TOP + PLOT + FOOT + 4);
    write_y_axis(out, chart);
    write_x_axis(out, chart);
    for (size_t i = 0; i < chart->line_count; i++)
        write_line(out, chart, i);
    fputs("</svg>\n", out);
}
