/* charts.h - charts as inline SVG. Colours are classes of CSS, which the page
 * defines for light and dark: series are s0, s1, ... */
#ifndef CLI_CHARTS_H
#define CLI_CHARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CHART_PARTS = 2 };

/* One horizontal bar, or a heading above some of them. */
typedef struct chart_bar {
    const char *label;
    bool heading;
    double parts[CHART_PARTS]; /* from left to right */
    const char *value;         /* what is written behind it */
} chart_bar;

typedef struct bar_chart {
    const char *title; /* for those who cannot see it */
    const char *axis;
    double scale; /* of an axis label: 1e6 when the axis says "millions" */
    const chart_bar *bars;
    size_t count;
} bar_chart;

typedef struct chart_line {
    const char *name;
    const double *values; /* one for each place; below 0: none */
} chart_line;

typedef struct line_chart {
    const char *title;
    const char *x_axis, *y_axis;
    const char *const *places; /* labels on the x axis, at equal distances */
    size_t place_count;
    const chart_line *lines;
    size_t line_count;
    bool logarithmic; /* else from 0 to 100, in percent */
} line_chart;

void write_bar_chart(FILE *out, const bar_chart *chart);
void write_line_chart(FILE *out, const line_chart *chart);

/* The names of the series with their colours, to stand above a chart. */
void write_chart_key(FILE *out, const char *const *names, size_t count);

#endif
