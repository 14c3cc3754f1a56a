/* inspect/report.h - the parts of a page about a generic function. */
#ifndef LBI_INSPECT_REPORT_H
#define LBI_INSPECT_REPORT_H

#include "inspect/account.h"
#include "inspect/ambiguities.h"

enum { LBI_NO_RULE = -1 };

/* What a call with these classes runs. */
typedef struct lbi_cell {
    int rule;     /* whose primary method runs first, or LBI_NO_RULE */
    int tied[2];  /* ambiguous: two rules that are, else LBI_NO_RULE */
    bool swapped; /* through the flipped form of the rule */
    bool exact;   /* the rule names just these classes */
    bool depends; /* on values, too */
} lbi_cell;

typedef struct lbi_report {
    lb_generic *generic;
    lbi_allocator *allocator;
    const lb_report_options *options;
    lbi_text page;
    lbi_text scratch;    /* for text that is escaped afterwards */
    lbi_account account; /* also holds the rules */
    lbi_ambiguities ambiguities;
    lb_class **classes; /* rows and columns */
    size_t count, capacity;
    lb_class **graph; /* these and their superclasses, bases first */
    size_t graph_count, graph_capacity;
    lbi_call call;   /* arguments past the axes are fixed */
    unsigned axes;   /* 0, 1 or 2 arguments of the call vary */
    lbi_cell *cells; /* row-major */
    size_t cell_count;
    size_t *uses; /* per rule: in how many cells it is the one */
    size_t ambiguous_cells, empty_cells;
} lbi_report;

/* Chooses what the page shows; LB_NO_MEMORY. Under the lock, as all here. */
lb_status lbi_report_choose(lbi_report *report);

/* Fills the cells and writes the table of types × types into `table`. */
void lbi_report_table(lbi_report *report, lbi_text *table);
/* The table of calls, once the cells are filled. */
void lbi_report_calls(lbi_report *report);
/* The class graph as SVG. False without memory. */
bool lbi_report_graph(lbi_report *report);

/* True when a rule's specializer names the class. */
bool lbi_report_mentions(const lbi_report *report, const lb_class *cls);
/* Puts a class's name; NULL: "any". */
void lbi_report_class(lbi_text *text, const lb_class *cls);

/* The style sheet, in pieces; NULL ends it. */
extern const char *const lbi_report_style[];

#endif
