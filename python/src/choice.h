/* choice.h - where the types of the arguments do not decide alone. */
#ifndef LBPY_CHOICE_H
#define LBPY_CHOICE_H

#include "link.h"

/* What is to be asked for arguments of given types, and what was found for each
 * set of answers. */
typedef struct lbpy_choice {
    PyObject_HEAD lbpy_state *state; /* held */
    lbpy_test *tests;
    size_t count, test_room; /* above 64 tests nothing is kept */
    size_t known, room;
    struct lbpy_known {
        uint64_t answers;
        lbpy_link *link; /* strong */
    } * table;
} lbpy_choice;

int lbpy_choice_setup(PyObject *module, lbpy_state *state);

/* True when by their classes alone some method beats all that look at values, so
 * that these matter only for what comes after it. */
bool lbpy_choice_is_needless(const lbpy_generic *g, const lbpy_form *form,
                             lbpy_type *const *records);

/* A choice for arguments of these types, one per slot, or NULL without an
 * exception when no rule of the form looks at values there. */
lbpy_choice *lbpy_choice_make(lbpy_generic *g, lbpy_form *form,
                              lbpy_type *const *records);

/* Asks, and finds the link; a new reference. NULL: an exception. */
lbpy_link *lbpy_choose(lbpy_generic *g, lbpy_form *form, lbpy_choice *choice,
                       PyObject *const *args);

#endif
