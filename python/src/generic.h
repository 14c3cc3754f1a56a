/* generic.h - generic functions and their forms.
 *
 * A *form* is a form of call: so many positional arguments and these names. A
 * generic function has one boxed generic function of the engine per form that
 * it was called in, with a rule per method that takes such a call; so defaults,
 * *args and keywords are settled once per form, and only types are left for
 * each call.
 */
#ifndef LBPY_GENERIC_H
#define LBPY_GENERIC_H

#include "cells.h"
#include "method.h"
#include "predicate.h"
#include "types.h"

#define LBPY_MAX_SLOTS 8 /* of the engine's boxed generic functions */
#define LBPY_PLAIN 8     /* forms found by their number of arguments */

/* A rule of a form: a method, perhaps one of several for it. */
typedef struct lbpy_rule {
    lbpy_method
        *method;      /* borrowed of the generic function; a bundle: strong */
    lbpy_want want[]; /* one per slot; uses are the method's */
} lbpy_rule;

/* What the short way of a call looks at. */
typedef enum lbpy_way {
    LBPY_WAY_LONG,   /* calls always go the long way */
    LBPY_WAY_FIRST,  /* the first argument */
    LBPY_WAY_SECOND, /* the second one, of a method */
    LBPY_WAY_BOTH,   /* these two */
    LBPY_WAY_LISTED  /* those of `argument`; the abstract classes' token, too */
} lbpy_way;

typedef struct lbpy_form {
    /* What a call looks at, together. */
    const uint64_t *version; /* of `generic` */
    uint64_t seen;           /* version that the cells belong to */
    lbpy_cells tags;         /* by version tags */
    uint8_t slots;           /* dispatched arguments; 0: none decides */
    uint8_t way;             /* lbpy_way */
    bool by_abstract;        /* rules name abstract classes */
    bool by_virtual;         /* or unions: look for ties between them */
    bool by_value;           /* rules have value parts */
    bool overlapping;        /* two methods may have equal rules here */
    bool inherits;           /* the last rule is what the class inherits */
    uint16_t packed;         /* arguments that the last slot stands for, or 0 */
    uint16_t argument[LBPY_MAX_SLOTS]; /* where the slots are in the call */

    struct lbpy_form *next;
    PyObject *kwnames; /* NULL: none */
    Py_ssize_t positional;
    lb_generic *generic;
    uint64_t abc_token; /* token that the cells belong to */
    uint16_t *pack;     /* which arguments are packed */
    lbpy_wants **packs; /* what each method wants of them, as one */
    size_t pack_count;
    lbpy_cells serials;  /* by the records' serials */
    PyObject *only;      /* slots == 0: the node */
    uint32_t users;      /* calls in flight that hold it */
    uint64_t generation; /* another one each time slots and rules are made */
    lbpy_rule **rules;
    size_t count, room;
} lbpy_form;

typedef struct lbpy_generic {
    PyObject_HEAD vectorcallfunc vectorcall;
    lbpy_form *plain[LBPY_PLAIN]; /* without keywords, by number; or NULL */
    lbpy_state *state;
    lbpy_form *forms;     /* all of them */
    lbpy_form *ended;     /* empty ones that calls in flight still hold */
    uint32_t asking;      /* questions of the engine that run Python code */
    lb_generic **retired; /* to be destroyed when there are none */
    size_t retired_count, retired_room;
    size_t form_count;
    lbpy_method **methods; /* strong, in the order of definition */
    size_t count, room;
    uint64_t revision; /* counts changes of `methods` */
    uint32_t *index;   /* hash of the methods: place + 1 */
    size_t index_room;
    PyObject *dict, *weak;
    PyObject *name;       /* str */
    PyObject *owner;      /* the class in whose body it was made, or NULL */
    PyObject *precedence; /* tuple of parameter names, or NULL */
    PyObject *combine;    /* callable on a list of results, or NULL */
    PyObject *chooser;    /* (generic, types, methods) -> methods, or NULL */
    PyObject *failed;     /* callable instead of raising, or NULL */
    PyObject *retry; /* exception for which the next one is tried, or NULL */
    uint8_t order;   /* lb_order */
    uint8_t combination; /* lbpy_combination */
    uint8_t binding;     /* lbpy_binding */
    bool strict, silent;
    bool counting;        /* calls go the slow way, and are counted */
    PyObject *pending;    /* what the front end could not add yet, or NULL */
    PyObject *counts;     /* dict of calls by what count_key makes */
    lb_generic *entrance; /* by which C calls it, or NULL; bridge_boxed.c */
    struct lbpy_generic *next_generic, **from; /* among all of the state */
} lbpy_generic;

typedef enum lbpy_combination {
    LBPY_STANDARD,
    LBPY_FIRST,
    LBPY_LIST,
    LBPY_SUM,
    LBPY_AND,
    LBPY_OR,
    LBPY_APPEND,
    LBPY_CALL /* combine(list of results) */
} lbpy_combination;

typedef enum lbpy_binding {
    LBPY_BIND_INSTANCE,
    LBPY_BIND_CLASS,
    LBPY_BIND_STATIC
} lbpy_binding;

int lbpy_generic_setup(PyObject *module, lbpy_state *state);

/* ---- form.c ------------------------------------------------------------ */

/* The form of such a call. A form of call that no method takes has none: NULL
 * without an exception. */
lbpy_form *lbpy_form_of(lbpy_generic *g, Py_ssize_t positional,
                        PyObject *kwnames);

/* Adds the methods from g->methods[first] on to the forms there are, and makes
 * the forms of calls without names that they take. 0, or -1. */
int lbpy_forms_add(lbpy_generic *g, size_t first);

/* Makes every form's rules anew, after methods were taken away. */
int lbpy_forms_rebuild(lbpy_generic *g);

/* Takes the rules of one method out of every form; 1: done, 0: rebuild. */
int lbpy_forms_remove(lbpy_generic *g, lbpy_method *method);

/* Lets go of all that calls found, and with it of methods that are gone. */
void lbpy_forms_forget(lbpy_generic *g);

/* Ends all of them; calls in flight find theirs empty. */
void lbpy_forms_end(lbpy_generic *g);
int lbpy_forms_traverse(lbpy_generic *g, visitproc visit, void *arg);

/* Around a question of the engine about values, which may run Python code: no
 * generic function of the engine is destroyed meanwhile. */
void lbpy_forms_hold(lbpy_generic *g);
void lbpy_forms_let_go(lbpy_generic *g);

/* False when it came to need, or need no more, a rule for what its class
 * inherits: then its rules are to be made anew. */
bool lbpy_form_is_whole(const lbpy_generic *g, const lbpy_form *form);
extern const lb_method lbpy_inherited_method;

/* What an argument must be, as the engine has it. */
static inline lb_specializer lbpy_specializer_of(const lbpy_want *w)
{
    lb_class *cls = w->base ? w->base->cls : NULL;
    return w->value ? lb_where(cls, &w->value->given)
           : cls    ? lb_is(cls)
                    : lb_any();
}

/* The same of all slots of a rule. */
static inline void lbpy_specializers_of(const lbpy_form *form,
                                        const lbpy_rule *rule,
                                        lb_specializer *specializers)
{
    for (unsigned i = 0; i < form->slots; i++)
        specializers[i] = lbpy_specializer_of(&rule->want[i]);
}

/* ---- bundle.c ----------------------------------------------------------- */

/* The methods of `old`, one or a bundle, and `fresh`, as a bundle. NULL: an
 * exception. */
lbpy_method *lbpy_bundle_of(const lbpy_generic *g, const lbpy_form *form,
                            const lbpy_method *old, lbpy_method *fresh);
bool lbpy_has_method(const lbpy_method *bundle, const lbpy_method *method);

/* ---- of forms ----------------------------------------------------------- */

/* Does the slot stand for several arguments? */
static inline bool lbpy_is_packed(const lbpy_form *form, unsigned slot)
{
    return form->packed && slot == LBPY_MAX_SLOTS - 1;
}

/* How many arguments such a call has. */
static inline Py_ssize_t lbpy_form_arguments(const lbpy_form *form)
{
    return form->positional +
           (form->kwnames ? PyTuple_GET_SIZE(form->kwnames) : 0);
}

/* What the rules of a slot are asked about, for these arguments: one of them, or
 * a tuple of the packed ones. A new reference. */
PyObject *lbpy_slot_value(const lbpy_form *form, PyObject *const *args,
                          unsigned slot);

/* Forgets what calls found. */
void lbpy_form_forget(lbpy_form *form);

#endif
