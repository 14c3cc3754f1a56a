/* choice.c - calls for which values matter, too.
 *
 * For the types of a call's arguments the predicates are known that any rule
 * could ask. They are all asked, once each (C code; a user's predicate in
 * Python only where an annotation names one); the answers, a bit each, are the
 * key under which the engine's decision is kept. So orders, combinations and
 * ambiguities come out as the engine has them, and a second call with the same
 * answers costs the questions alone.
 */
#include "choice.h"

#include "grow.h"
#include "resolve.h"

#include <string.h>

enum { MANY_PREDICATES = 64, MANY_KNOWN = 4096 };

/* ---- making ------------------------------------------------------------- */

/* Could `rule` apply, were all its predicates true? */
static bool may_apply(const lbpy_form *form, const lbpy_rule *rule,
                      lbpy_type *const *records)
{
    for (unsigned i = 0; i < form->slots; i++)
        if (rule->want[i].base && !lbpy_type_is(records[i], rule->want[i].base))
            return false;
    return true;
}

static bool may_apply_swapped(const lbpy_form *form, const lbpy_rule *rule,
                              lbpy_type *const *records)
{
    lbpy_type *swapped[LBPY_MAX_SLOTS];
    if (!rule->method->commutative || form->slots < 2)
        return false;
    memcpy(swapped, records, form->slots * sizeof *swapped);
    swapped[0] = records[1];
    swapped[1] = records[0];
    return may_apply(form, rule, swapped);
}

static bool looks_at_values(const lbpy_form *form, const lbpy_rule *rule)
{
    for (unsigned i = 0; i < form->slots; i++)
        if (rule->want[i].value)
            return true;
    return false;
}

/* Is `a`, whatever the values, more specific than `b` by the classes alone? A
 * test of a class's instances comes just before the class. */
static bool beats(const lbpy_state *state, const lbpy_form *form,
                  const lbpy_rule *a, const lbpy_rule *b)
{
    bool more = false;
    for (unsigned i = 0; i < form->slots; i++) {
        const lbpy_want *x = &a->want[i], *y = &b->want[i];
        if (y->base &&
            (x->base == NULL || !lbpy_type_below(state, x->base, y->base)))
            return false;
        if (x->base == y->base && y->value)
            return false;
        more |= x->base != y->base;
    }
    return more;
}

bool lbpy_choice_is_needless(const lbpy_generic *g, const lbpy_form *form,
                             lbpy_type *const *records)
{
    if (g->order != LB_SYMMETRIC || g->combination != LBPY_STANDARD ||
        g->chooser || lbpy_wants_whole(g))
        return false;
    for (size_t k = 0; k < form->count; k++) {
        const lbpy_rule *one = form->rules[k];
        bool best = one->method->qualifier == LB_PRIMARY &&
                    !looks_at_values(form, one) &&
                    may_apply(form, one, records);
        for (size_t n = 0; n < form->count && best; n++)
            if (looks_at_values(form, form->rules[n]))
                best = form->rules[n]->method->qualifier == LB_PRIMARY &&
                       !form->rules[n]->method->commutative &&
                       (!may_apply(form, form->rules[n], records) ||
                        beats(g->state, form, one, form->rules[n]));
        if (best)
            return true;
    }
    return false;
}

static int add(lbpy_choice *c, lbpy_predicate *p, unsigned slot)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->tests[i].predicate == p && c->tests[i].slot == slot)
            return 0;
    lbpy_test *tests =
        lbpy_grown(c->tests, c->count, &c->test_room, sizeof *tests);
    if (tests == NULL)
        return -1;
    c->tests = tests;
    p->uses++;
    tests[c->count++] =
        (lbpy_test){p, Py_NewRef((PyObject *)p->hint), (uint8_t)slot};
    return 0;
}

static int add_of(lbpy_choice *c, const lbpy_form *form, const lbpy_rule *rule,
                  bool swapped)
{
    for (unsigned i = 0; i < form->slots; i++)
        if (rule->want[i].value &&
            add(c, rule->want[i].value, swapped && i < 2 ? 1 - i : i) < 0)
            return -1;
    return 0;
}

static int collect(lbpy_choice *c, const lbpy_form *form,
                   lbpy_type *const *records)
{
    for (size_t k = 0; k < form->count; k++) {
        const lbpy_rule *rule = form->rules[k];
        if (may_apply(form, rule, records) && add_of(c, form, rule, false) < 0)
            return -1;
        if (may_apply_swapped(form, rule, records) &&
            add_of(c, form, rule, true) < 0)
            return -1;
    }
    return 0;
}

lbpy_choice *lbpy_choice_make(lbpy_generic *g, lbpy_form *form,
                              lbpy_type *const *records)
{
    if (!form->by_value)
        return NULL;
    PyTypeObject *type = g->state->choice_type;
    lbpy_choice *c = (lbpy_choice *)type->tp_alloc(type, 0);
    if (c == NULL)
        return NULL;
    c->state = lbpy_state_hold(g->state);
    if (collect(c, form, records) < 0 || c->count == 0)
        Py_CLEAR(c);
    return c;
}

/* ---- asking ------------------------------------------------------------- */

/* The answers, a bit each; false: an exception. Python code may run, which may
 * change anything but the choice itself, which the caller holds. */
static bool ask_all(const lbpy_choice *c, PyObject *const *values,
                    uint64_t *answers)
{
    *answers = 0;
    for (size_t i = 0; i < c->count; i++) {
        const int yes =
            lbpy_hint_check((lbpy_hint *)c->tests[i].hint, values[i]);
        if (yes < 0)
            return false;
        *answers |= (uint64_t)(yes != 0) << i;
    }
    return true;
}

static lbpy_link *known(const lbpy_choice *c, uint64_t answers)
{
    for (size_t i = 0; i < c->known; i++)
        if (c->table[i].answers == answers)
            return c->table[i].link;
    return NULL;
}

/* Without memory, or with very many answers, it is found out again. */
static void keep(lbpy_choice *c, uint64_t answers, lbpy_link *link)
{
    if (c->known == MANY_KNOWN)
        return;
    struct lbpy_known *table =
        lbpy_grown(c->table, c->known, &c->room, sizeof *table);
    if (table == NULL) {
        PyErr_Clear();
        return;
    }
    c->table = table;
    c->table[c->known].answers = answers;
    c->table[c->known++].link = (lbpy_link *)Py_NewRef(link);
}

/* The values that the predicates are asked of, borrowed from the arguments; the
 * tuple of packed ones is *packed, to be given back. False: no memory. */
static bool values_of(const lbpy_form *form, const lbpy_choice *c,
                      PyObject *const *args, PyObject **values,
                      PyObject **packed)
{
    *packed =
        form->packed ? lbpy_slot_value(form, args, LBPY_MAX_SLOTS - 1) : NULL;
    for (size_t i = 0; i < c->count; i++)
        values[i] = lbpy_is_packed(form, c->tests[i].slot)
                        ? *packed
                        : args[form->argument[c->tests[i].slot]];
    return !form->packed || *packed;
}

static lbpy_link *resolve_with(lbpy_generic *g, lbpy_form *form, lbpy_choice *c,
                               PyObject *const *values, uint64_t answers,
                               PyObject *const *args)
{
    lbpy_choosing choosing = {.tests = c->tests,
                              .values = values,
                              .count = c->count,
                              .answers = answers};
    lbpy_choosing_begin(g->state, &choosing);
    lbpy_link *link = lbpy_resolve_values(g, form, args);
    lbpy_choosing_end(g->state, &choosing);
    return link;
}

lbpy_link *lbpy_choose(lbpy_generic *g, lbpy_form *form, lbpy_choice *c,
                       PyObject *const *args)
{
    PyObject *values[MANY_PREDICATES];
    uint64_t answers;
    if (c->count > MANY_PREDICATES)
        return lbpy_resolve_values(g, form, args);
    PyObject *packed;
    if (!values_of(form, c, args, values, &packed))
        return NULL;
    Py_INCREF(c);
    lbpy_link *link = NULL;
    const uint64_t version = __atomic_load_n(form->version, __ATOMIC_ACQUIRE);
    if (ask_all(c, values, &answers)) {
        link = (lbpy_link *)Py_XNewRef(known(c, answers));
        if (link == NULL) {
            link = resolve_with(g, form, c, values, answers, args);
            if (link && !lbpy_types_are_asked(g->state) &&
                version == __atomic_load_n(form->version, __ATOMIC_ACQUIRE) &&
                known(c, answers) == NULL)
                keep(c, answers, link);
        }
    }
    Py_DECREF(c);
    Py_XDECREF(packed);
    return link;
}

/* ---- the type ----------------------------------------------------------- */

static int choice_traverse(PyObject *self, visitproc visit, void *arg)
{
    lbpy_choice *c = (lbpy_choice *)self;
    Py_VISIT(Py_TYPE(self));
    for (size_t i = 0; i < c->known; i++)
        Py_VISIT(c->table[i].link);
    for (size_t i = 0; i < c->count; i++)
        Py_VISIT(c->tests[i].hint);
    return 0;
}

static int choice_clear(PyObject *self)
{
    lbpy_choice *c = (lbpy_choice *)self;
    while (c->known)
        Py_DECREF(c->table[--c->known].link);
    while (c->count) {
        const lbpy_test test = c->tests[--c->count];
        lbpy_predicate_release(test.predicate);
        Py_DECREF(test.hint);
    }
    return 0;
}

static void choice_dealloc(PyObject *self)
{
    lbpy_choice *c = (lbpy_choice *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    choice_clear(self);
    PyMem_Free(c->tests);
    PyMem_Free(c->table);
    lbpy_state *state = c->state;
    type->tp_free(self);
    Py_DECREF(type);
    lbpy_state_release(state);
}

static PyType_Slot choice_slots[] = {
    {Py_tp_doc, "What is to be asked before it is known what a call runs."},
    {Py_tp_dealloc, choice_dealloc},
    {Py_tp_traverse, choice_traverse},
    {Py_tp_clear, choice_clear},
    {0, NULL},
};

static PyType_Spec choice_spec = {
    .name = "latebind._core.Choice",
    .basicsize = sizeof(lbpy_choice),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = choice_slots,
};

int lbpy_choice_setup(PyObject *module, lbpy_state *state)
{
    state->choice_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &choice_spec, NULL);
    return state->choice_type ? PyModule_AddType(module, state->choice_type)
                              : -1;
}
