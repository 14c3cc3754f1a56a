/* loads.h - the loads, one function each. */
#ifndef BENCH_LOADS_H
#define BENCH_LOADS_H

#include "things.h"

void load_one_argument(void);
void load_names(void);
void load_next_method(void);
void load_many_arguments(void);
void load_changes(void);
void load_scaling(void);
void load_memory(void);
void load_contention(void);
void load_attributes(void);
void load_attribute_policies(void);
void load_paper(void);
void load_attribute_memory(void);
void load_attribute_changes(void);

/* The objects of a load of one argument, and its first three variants. */
typedef struct one_set {
    const void **baseline, **objects;
    lb_ref *references;
    bench_variant variants[3];
} one_set;

/* One hot name over all classes of a world that has names and fat names. A
 * hold of 0: shown only. */
void one_name(const world *w, const char *title, double hold, double fat_hold);

/* A tree of `count` classes, class 0 its root; the base of each other is one
 * of at most `reach` classes before it (0: any). By free. */
lb_class **make_tree(lb_runtime *runtime, size_t count, size_t reach);

/* Lines through points, in two panels, as an SVG file. */
typedef struct plot_line {
    const char *name;
    const double *x, *y;
    size_t count;
} plot_line;

typedef struct plot_panel {
    const char *title, *x_label;
    const plot_line *lines;
    size_t count;
} plot_panel;

void plot(const char *path, const char *title, const plot_panel *panels,
          size_t panel_count);

#endif
