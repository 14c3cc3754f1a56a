/* inspect/report_svg.c - the class graph.
 *
 * A layered drawing from left to right (Sugiyama et al. 1981, simplified):
 *   1. The layer of a class is the longest way to it from a topmost class; an
 *      edge over several layers gets a bend in each of those between, so that
 *      it runs around the classes there.
 *   2. Several sweeps over the layers, to and fro, move each class to the
 *      mean height of its bases, or of its subclasses (the barycentre), order
 *      each layer by that, and push the classes of it apart.
 *   3. Edges are curves from base to subclass; those to a second or further
 *      base are dashed.
 * Heights are in rows until they are drawn. Integers only: printing fractions
 * would depend on the locale.
 */
#include "inspect/markup.h"
#include "inspect/report.h"

#include <stdlib.h>

enum { ROW = 34, BOX = 24, GAP = 64, LETTER = 8, INSET = 20, MARGIN = 8 };
enum { SWEEPS = 8 };

typedef struct node {
    const lb_class *cls; /* NULL: a bend of an edge */
    size_t layer;
    size_t index; /* of the walk through families: the first order */
    double y, want;
    int width; /* px */
} node;

typedef struct edge {
    size_t base, derived; /* nodes; a long edge is cut at its bends */
    bool first;           /* to the first of its bases */
} edge;

typedef struct graph {
    node *nodes;
    node **rows;    /* the nodes by layer, each layer by height */
    size_t *starts; /* of the layers in rows; one more than there are */
    size_t count, layers;
    edge *edges;
    size_t edge_count;
    size_t spare; /* room for so many bends */
    int *left;    /* px of each layer */
    int width, height;
} graph;

/* ---- nodes and edges ---------------------------------------------------- */

static size_t find_node(const graph *g, const lb_class *cls)
{
    size_t i = 0;
    while (i < g->count && g->nodes[i].cls != cls)
        i++;
    return i;
}

static int width_of(const char *name)
{
    int letters = 0;
    for (; *name; name++)
        letters += ((unsigned char)*name & 0xc0) != 0x80;
    return letters * LETTER + INSET;
}

static size_t count_edges(const lbi_report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->graph_count; i++)
        count += r->graph[i]->base_count;
    return count;
}

/* No edge spans more layers than its class has superclasses, unless its order
 * is a supplied one; then it does with fewer bends. */
static size_t count_bends(const lbi_report *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->graph_count; i++)
        if (r->graph[i]->base_count > 1)
            count += (size_t)r->graph[i]->base_count * r->graph[i]->order_count;
    return count;
}

static void add_nodes(graph *g, const lbi_report *r)
{
    g->count = r->graph_count;
    for (size_t i = 0; i < g->count; i++)
        g->nodes[i] = (node){.cls = r->graph[i],
                             .index = i,
                             .width = width_of(r->graph[i]->name)};
    for (size_t i = 0; i < g->count; i++)
        for (uint32_t b = 0; b < r->graph[i]->base_count; b++) {
            const size_t base = find_node(g, r->graph[i]->bases[b]);
            if (base < g->count)
                g->edges[g->edge_count++] = (edge){base, i, b == 0};
        }
}

/* Longest ways, by going over the edges until nothing changes. */
static void set_layers(graph *g)
{
    bool changed = true;
    for (size_t round = 0; changed && round <= g->count; round++) {
        changed = false;
        for (size_t i = 0; i < g->edge_count; i++) {
            const node *base = &g->nodes[g->edges[i].base];
            node *derived = &g->nodes[g->edges[i].derived];
            if (derived->layer > base->layer)
                continue;
            derived->layer = base->layer + 1;
            changed = true;
        }
    }
    for (size_t i = 0; i < g->count; i++)
        if (g->nodes[i].layer >= g->layers)
            g->layers = g->nodes[i].layer + 1;
}

/* Cuts an edge before its derived class: base to bend, bend to derived. */
static void add_bend(graph *g, edge *e)
{
    const node *derived = &g->nodes[e->derived];
    g->nodes[g->count] =
        (node){.layer = derived->layer - 1, .index = derived->index};
    g->edges[g->edge_count++] = (edge){g->count, e->derived, e->first};
    e->derived = g->count++;
    g->spare--;
}

static void add_bends(graph *g)
{
    const size_t whole = g->edge_count;
    for (size_t i = 0; i < whole; i++) {
        edge *e = &g->edges[i];
        while (g->spare &&
               g->nodes[e->derived].layer > g->nodes[e->base].layer + 1)
            add_bend(g, e);
    }
}

/* ---- heights ------------------------------------------------------------ */

static int by_height(const void *x, const void *y)
{
    const node *a = *(node *const *)x, *b = *(node *const *)y;
    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    if (a->want < b->want || a->want > b->want)
        return a->want < b->want ? -1 : 1;
    if (a->y < b->y || a->y > b->y)
        return a->y < b->y ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static void fill_rows(graph *g)
{
    for (size_t i = 0; i < g->count; i++) {
        g->rows[i] = &g->nodes[i];
        g->nodes[i].y = g->nodes[i].want = (double)g->nodes[i].index;
    }
    qsort(g->rows, g->count, sizeof *g->rows, by_height);
    for (size_t i = 0, layer = 0; layer <= g->layers; layer++) {
        while (i < g->count && g->rows[i]->layer < layer)
            i++;
        g->starts[layer] = i;
    }
}

/* The mean height of the neighbours on one side; its own without any. */
static double barycentre(const graph *g, const node *n, bool forward)
{
    const size_t self = (size_t)(n - g->nodes);
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < g->edge_count; i++) {
        const edge *e = &g->edges[i];
        if ((forward ? e->derived : e->base) != self)
            continue;
        sum += g->nodes[forward ? e->base : e->derived].y;
        count++;
    }
    return count ? sum / (double)count : n->y;
}

/* How far two neighbours of a layer stand apart, in rows. */
static double gap(const node *above, const node *below)
{
    return above->cls && below->cls ? 1 : .6;
}

/* Moves the nodes of a layer to where they want to be, but apart from each
 * other: the mean of pushing down from the top and up from the bottom. */
static void spread(node **row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const double from = i ? row[i - 1]->y + gap(row[i - 1], row[i]) : 0;
        row[i]->y = row[i]->want;
        if (i && row[i]->y < from)
            row[i]->y = from;
    }
    for (size_t i = count; i-- > 1;) {
        const double to = row[i]->want - gap(row[i - 1], row[i]);
        if (row[i - 1]->want > to)
            row[i - 1]->want = to;
    }
    for (size_t i = 0; i < count; i++)
        row[i]->y = (row[i]->y + row[i]->want) / 2;
}

static void sweep(graph *g, bool forward)
{
    for (size_t n = 0; n < g->layers; n++) {
        const size_t layer = forward ? n : g->layers - 1 - n;
        node **row = g->rows + g->starts[layer];
        const size_t count = g->starts[layer + 1] - g->starts[layer];
        for (size_t i = 0; i < count; i++)
            row[i]->want = barycentre(g, row[i], forward);
        qsort(row, count, sizeof *row, by_height);
        spread(row, count);
    }
}

static int by_y(const void *x, const void *y)
{
    const node *a = *(node *const *)x, *b = *(node *const *)y;
    return (a->y > b->y) - (a->y < b->y);
}

/* Closes the rows in which nothing lies, between families that no edge draws
 * together. */
static void compact(graph *g)
{
    double shift = 0, last = 0;
    qsort(g->rows, g->count, sizeof *g->rows, by_y);
    for (size_t i = 0; i < g->count; i++) {
        const double y = g->rows[i]->y;
        if (i && y > last + 1)
            shift += y - last - 1;
        g->rows[i]->y = y - shift;
        last = y;
    }
    qsort(g->rows, g->count, sizeof *g->rows, by_height);
}

/* ---- pixels ------------------------------------------------------------- */

static void set_pixels(graph *g)
{
    double top = g->count ? g->nodes[0].y : 0, bottom = top;
    for (size_t i = 0; i < g->count; i++) {
        const double y = g->nodes[i].y;
        top = y < top ? y : top;
        bottom = y > bottom ? y : bottom;
    }
    for (size_t i = 0; i < g->count; i++)
        g->nodes[i].y -= top;
    g->height = (int)((bottom - top) * ROW) + BOX + 2 * MARGIN;
    g->width = MARGIN;
    for (size_t layer = 0; layer < g->layers; layer++) {
        int widest = 0;
        for (size_t i = g->starts[layer]; i < g->starts[layer + 1]; i++)
            if (g->rows[i]->width > widest)
                widest = g->rows[i]->width;
        g->left[layer] = g->width;
        g->width += widest + GAP;
    }
    g->width += MARGIN - GAP;
}

static int top_of(const node *n)
{
    return (int)(n->y * ROW) + MARGIN;
}

/* ---- drawing ------------------------------------------------------------ */

/* One piece of an edge: straight to the end of its layer, so that it does not
 * cross a wider class there, or a whole layer at a bend; then a curve. */
static void draw_edge(const graph *g, const edge *e, lbi_text *page)
{
    const node *base = &g->nodes[e->base], *derived = &g->nodes[e->derived];
    const int from = g->left[base->layer] + base->width;
    const int x1 = g->left[base->layer + 1] - GAP;
    const int x2 = g->left[derived->layer];
    const int y1 = top_of(base) + BOX / 2, y2 = top_of(derived) + BOX / 2;
    const int bend = (x2 - x1) / 2;
    lbi_text_print(page,
                   "<path class=\"edge%s\" d=\"M%d %dH%dC%d %d %d %d %d %d"
                   "\"/>\n",
                   e->first ? "" : " more", from, y1, x1, x1 + bend, y1,
                   x2 - bend, y2, x2, y2);
}

/* The linearization, most specific first. */
static void draw_title(const lb_class *cls, lbi_text *page)
{
    lbi_text_put(page, "<title>");
    for (uint32_t i = 0; i < cls->order_count; i++) {
        lbi_text_put(page, i ? " → " : "");
        lbi_put_html(page, cls->order[i]->name);
    }
    lbi_text_put(page, "</title>");
}

static void draw_node(const graph *g, const node *n, lbi_report *r)
{
    const int x = g->left[n->layer], y = top_of(n);
    lbi_text_print(&r->page, "<g class=\"node%s\">",
                   lbi_report_mentions(r, n->cls) ? " named" : "");
    draw_title(n->cls, &r->page);
    lbi_text_print(&r->page,
                   "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
                   "rx=\"6\"/><text x=\"%d\" y=\"%d\">",
                   x, y, n->width, BOX, x + n->width / 2, y + BOX / 2 + 4);
    lbi_put_html(&r->page, n->cls->name);
    lbi_text_put(&r->page, "</text></g>\n");
}

static void draw(const graph *g, lbi_report *r)
{
    lbi_text_print(&r->page,
                   "<div class=\"scroll\"><svg role=\"img\" aria-label="
                   "\"class graph\" xmlns=\"http://www.w3.org/2000/svg\" "
                   "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
                   g->width, g->height, g->width, g->height);
    for (size_t i = 0; i < g->edge_count; i++)
        draw_edge(g, &g->edges[i], &r->page);
    for (size_t i = 0; i < r->graph_count; i++)
        draw_node(g, &g->nodes[i], r);
    lbi_text_put(&r->page, "</svg></div>\n");
}

static void lay_out(graph *g, const lbi_report *r)
{
    add_nodes(g, r);
    set_layers(g);
    add_bends(g);
    fill_rows(g);
    for (int i = 0; i < SWEEPS; i++)
        sweep(g, i % 2 == 0);
    sweep(g, false);
    compact(g);
    set_pixels(g);
}

bool lbi_report_graph(lbi_report *r)
{
    const size_t bends = count_bends(r);
    const size_t n = r->graph_count + bends + 2;
    const size_t edges = count_edges(r) + bends + 1;
    const size_t size = n * (sizeof(node) + sizeof(node *) + sizeof(size_t)) +
                        edges * sizeof(edge) + n * sizeof(int);
    char *memory = lbi_zalloc(r->allocator, size);
    if (memory == NULL)
        return false;
    graph g = {.nodes = (node *)(void *)memory, .spare = bends};
    g.rows = (node **)(void *)(g.nodes + n);
    g.starts = (size_t *)(void *)(g.rows + n);
    g.edges = (edge *)(void *)(g.starts + n);
    g.left = (int *)(void *)(g.edges + edges);
    lay_out(&g, r);
    draw(&g, r);
    lbi_free(r->allocator, memory, size);
    return true;
}
