/* ties.c - ambiguities between virtual classes, found at the definition.
 *
 * The engine's own search goes by places in linearizations, where virtual
 * classes always have one. Here two rules of a form tie when
 *   1. in some slot, one of the two classes being virtual, neither is a subset
 *      of the other (or each rule is the narrower one somewhere);
 *   2. there are types among those met so far that fit both: the witness;
 *   3. no third rule fits the witness and is as narrow as both everywhere.
 * Cost: with n rules and f of them new, f * n comparisons, a search through the
 * types met for each pair that passes step 1.
 */
#include "inspect.h"

typedef enum relation { SAME, NARROWER, WIDER, APART } relation;

static relation relate(const lbpy_state *state, const lbpy_want *a,
                       const lbpy_want *b)
{
    const bool below = lbpy_want_below(state, a, b);
    const bool above = lbpy_want_below(state, b, a);
    return below ? (above ? SAME : NARROWER) : above ? WIDER : APART;
}

static bool is_virtual(const lbpy_want *w)
{
    return w->base && w->base->role != LBPY_REAL;
}

/* Step 1. */
static bool may_tie(lbpy_generic *g, const lbpy_form *form, const lbpy_rule *a,
                    const lbpy_rule *b)
{
    bool narrower = false, wider = false, virtual = false;
    for (unsigned i = 0; i < form->slots; i++) {
        const lbpy_want *x = &a->want[i], *y = &b->want[i];
        const relation r = relate(g->state, x, y);
        narrower |= r == NARROWER || r == APART;
        wider |= r == WIDER || r == APART;
        virtual |= is_virtual(x) || is_virtual(y);
    }
    return virtual && narrower && wider;
}

static bool fits(const lbpy_type *type, const lbpy_want *w)
{
    return w->base == NULL || lbpy_type_is(type, w->base);
}

/* Both are in the MRO, whose order then decides. */
static bool in_one_order(const lbpy_type *type, const lbpy_want *a,
                         const lbpy_want *b)
{
    return a->base != b->base && a->base && b->base &&
           lbpy_type_inherits(type, a->base) &&
           lbpy_type_inherits(type, b->base);
}

/* Step 2, for one slot: a type that fits both; NULL: none was met. */
static lbpy_type *witness_of(lbpy_state *state, const lbpy_want *a,
                             const lbpy_want *b)
{
    for (lbpy_type *type = state->newest; type; type = type->older)
        if (type->role == LBPY_REAL && lbpy_type_is_current(state, type) &&
            fits(type, a) && fits(type, b) && !in_one_order(type, a, b))
            return type;
    return NULL;
}

/* Step 3. */
static bool is_settled(lbpy_generic *g, const lbpy_form *form,
                       const lbpy_rule *a, const lbpy_rule *b,
                       lbpy_type *const *witness)
{
    for (size_t k = 0; k < form->count; k++) {
        const lbpy_rule *c = form->rules[k];
        bool settles = c != a && c != b && c->method->qualifier == LB_PRIMARY;
        for (unsigned i = 0; i < form->slots && settles; i++) {
            const relation x = relate(g->state, &c->want[i], &a->want[i]);
            const relation y = relate(g->state, &c->want[i], &b->want[i]);
            settles = (witness[i] == NULL || fits(witness[i], &c->want[i])) &&
                      x <= NARROWER && y <= NARROWER;
        }
        if (settles)
            return true;
    }
    return false;
}

static int compare(lbpy_generic *g, const lbpy_form *form, const lbpy_rule *a,
                   const lbpy_rule *b, PyObject *list)
{
    lbpy_type *witness[LBPY_MAX_SLOTS];
    lb_class *classes[LBPY_MAX_SLOTS];
    int status = 0;
    if (!may_tie(g, form, a, b))
        return 0;
    for (unsigned i = 0; i < form->slots; i++) {
        witness[i] = NULL;
        if (a->want[i].base == NULL && b->want[i].base == NULL)
            continue;
        witness[i] = witness_of(g->state, &a->want[i], &b->want[i]);
        if (witness[i] == NULL)
            return 0;
    }
    if (is_settled(g, form, a, b, witness))
        return 0;
    for (unsigned i = 0; i < form->slots; i++)
        classes[i] = witness[i] ? witness[i]->cls : NULL;
    PyObject *types = lbpy_form_types(form, classes);
    bool possible = false;
    for (unsigned i = 0; i < form->slots; i++)
        possible |= a->want[i].value && b->want[i].value;
    if (types)
        status = lbpy_append_ambiguity(list, form, lbpy_method_first(a->method),
                                       lbpy_method_first(b->method), types,
                                       types, possible);
    Py_XDECREF(types);
    return types ? status : -1;
}

static bool is_fresh(PyObject *fresh, const lbpy_rule *rule)
{
    for (Py_ssize_t i = 0; fresh && i < PyTuple_GET_SIZE(fresh); i++)
        if (lbpy_has_method(rule->method,
                            (lbpy_method *)PyTuple_GET_ITEM(fresh, i)))
            return true;
    return fresh == NULL;
}

static bool takes_part(const lbpy_rule *rule)
{
    return rule->method->qualifier == LB_PRIMARY && !rule->method->ambiguous;
}

static int ties_of_form(lbpy_generic *g, const lbpy_form *form, PyObject *fresh,
                        PyObject *list)
{
    for (size_t i = 0; i < form->count; i++) {
        if (!takes_part(form->rules[i]) || !is_fresh(fresh, form->rules[i]))
            continue;
        for (size_t k = 0; k < form->count; k++) {
            const lbpy_rule *other = form->rules[k];
            if (k == i || !takes_part(other) ||
                other->method == form->rules[i]->method ||
                (k < i && is_fresh(fresh, other)))
                continue;
            if (compare(g, form, form->rules[i], other, list) < 0)
                return -1;
        }
    }
    return 0;
}

int lbpy_virtual_ties(lbpy_generic *g, PyObject *fresh, PyObject *list)
{
    int status = 0;
    if (g->order != LB_SYMMETRIC || g->combination != LBPY_STANDARD ||
        g->chooser)
        return 0;
    for (const lbpy_form *f = g->forms; f && status == 0; f = f->next)
        if (f->by_virtual)
            status = ties_of_form(g, f, fresh, list);
    return status;
}
