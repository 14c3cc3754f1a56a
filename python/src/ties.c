/* ties.c - ambiguities between virtual classes, found at the definition.
 *
 * The engine's own search goes by places in linearizations, where virtual
 * classes always have one. Here two rules of a form tie when
 *   1. in some slot, one of the two classes being virtual, neither is a subset
 *      of the other (or each rule is the narrower one somewhere);
 *   2. there are types among those met so far that fit both: the witness;
 *   3. for the witness neither precedes (specificity.h), and no third rule that
 *      fits it whatever the values precedes both, or is a subset of both.
 * Where a third rule decides the next witness is tried, some times.
 * Cost: with n rules and f of them new, f * n comparisons, a search through the
 * types met for each pair that passes step 1.
 */
#include "inspect.h"
#include "specificity.h"

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

enum { MANY_WITNESSES = 64 };

static bool fits_both(const lbpy_state *state, const lbpy_type *type,
                      const lbpy_want *a, const lbpy_want *b)
{
    return type->role == LBPY_REAL && lbpy_type_is_current(state, type) &&
           fits(type, a) && fits(type, b);
}

/* Step 2, for one slot: the next type that fits both; NULL: none was met. */
static lbpy_type *next_witness(const lbpy_state *state, lbpy_type *type,
                               const lbpy_want *a, const lbpy_want *b)
{
    while (type && !fits_both(state, type, a, b))
        type = type->older;
    return type;
}

static bool looks_at_none(const lbpy_want *a, const lbpy_want *b)
{
    return a->base == NULL && b->base == NULL;
}

static bool first_witness(const lbpy_state *state, const lbpy_form *form,
                          const lbpy_rule *a, const lbpy_rule *b,
                          lbpy_type **witness)
{
    for (unsigned i = 0; i < form->slots; i++) {
        const lbpy_want *x = &a->want[i], *y = &b->want[i];
        witness[i] = looks_at_none(x, y)
                         ? NULL
                         : next_witness(state, state->newest, x, y);
        if (witness[i] == NULL && !looks_at_none(x, y))
            return false;
    }
    return true;
}

/* Each slot's next one; where there is none more it stays. False: nowhere. */
static bool other_witness(const lbpy_state *state, const lbpy_form *form,
                          const lbpy_rule *a, const lbpy_rule *b,
                          lbpy_type **witness)
{
    bool other = false;
    for (unsigned i = 0; i < form->slots; i++) {
        lbpy_type *next = witness[i] ? next_witness(state, witness[i]->older,
                                                    &a->want[i], &b->want[i])
                                     : NULL;
        if (next)
            witness[i] = next;
        other |= next != NULL;
    }
    return other;
}

static bool is_subset(const lbpy_generic *g, const lbpy_form *form,
                      const lbpy_rule *a, const lbpy_rule *b)
{
    for (unsigned i = 0; i < form->slots; i++)
        if (relate(g->state, &a->want[i], &b->want[i]) > NARROWER)
            return false;
    return true;
}

static bool takes(const lbpy_form *form, const lbpy_rule *c,
                  lbpy_type *const *witness, bool *by_value)
{
    for (unsigned i = 0; i < form->slots; i++) {
        *by_value |= c->want[i].value != NULL;
        if (witness[i] ? !fits(witness[i], &c->want[i])
                       : c->want[i].base != NULL)
            return false;
    }
    return true;
}

/* Two rules, and what they want. */
typedef struct pair {
    const lbpy_rule *a, *b;
    lb_specializer a_wants[LBPY_MAX_SLOTS], b_wants[LBPY_MAX_SLOTS];
} pair;

/* Step 3. */
static bool settles(const lbpy_generic *g, const lbpy_form *form,
                    const lbpy_rule *c, const pair *p,
                    lbpy_type *const *witness)
{
    const bool own = c == p->a || c == p->b;
    lb_specializer wants[LBPY_MAX_SLOTS];
    bool by_value = false;
    if (c->method->qualifier != LB_PRIMARY ||
        !takes(form, c, witness, &by_value))
        return false;
    if (!own && is_subset(g, form, c, p->a) && is_subset(g, form, c, p->b))
        return true;
    if (!own && by_value)
        return false;
    lbpy_specializers_of(form, c, wants);
    return (c == p->a || lbpy_precedes(g, form, witness, wants, p->a_wants)) &&
           (c == p->b || lbpy_precedes(g, form, witness, wants, p->b_wants));
}

static bool is_settled(const lbpy_generic *g, const lbpy_form *form,
                       const pair *p, lbpy_type *const *witness)
{
    for (size_t k = 0; k < form->count; k++)
        if (settles(g, form, form->rules[k], p, witness))
            return true;
    return false;
}

/* Steps 2 and 3: *witness is one that nothing decides. */
static bool find_witness(const lbpy_generic *g, const lbpy_form *form,
                         const lbpy_rule *a, const lbpy_rule *b,
                         lbpy_type **witness)
{
    bool has = first_witness(g->state, form, a, b, witness);
    pair p = {.a = a, .b = b};
    lbpy_specializers_of(form, a, p.a_wants);
    lbpy_specializers_of(form, b, p.b_wants);
    for (int i = 0; has && i < MANY_WITNESSES; i++) {
        if (!is_settled(g, form, &p, witness))
            return true;
        has = other_witness(g->state, form, a, b, witness);
    }
    return false;
}

static int compare(lbpy_generic *g, const lbpy_form *form, const lbpy_rule *a,
                   const lbpy_rule *b, PyObject *list)
{
    lbpy_type *witness[LBPY_MAX_SLOTS];
    lb_class *classes[LBPY_MAX_SLOTS];
    bool possible = false;
    if (!may_tie(g, form, a, b) || !find_witness(g, form, a, b, witness))
        return 0;
    for (unsigned i = 0; i < form->slots; i++) {
        classes[i] = witness[i] ? witness[i]->cls : NULL;
        possible |= a->want[i].value && b->want[i].value;
    }
    PyObject *types = lbpy_form_types(form, classes);
    const int status =
        types ? lbpy_append_ambiguity(list, form, lbpy_method_first(a->method),
                                      lbpy_method_first(b->method), types,
                                      types, possible)
              : -1;
    Py_XDECREF(types);
    return status;
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
