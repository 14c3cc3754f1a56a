/* specificity.c - the order of rules where classes are virtual (types.h).
 *
 * The engine's order, which goes by place in the linearization, says more than
 * is meant: an abstract class or a union is more specific only than what it is a
 * subset of. So for one argument, of two classes
 *   1. that are both in its own MRO the nearer one counts more;
 *   2. of which one is virtual, the one that is a subset of the other;
 *   3. that are the same, or subsets of each other, the one with a test of the
 *      value; of two tests the one that implies the other.
 * Otherwise neither does. A rule precedes another when it is nowhere less
 * specific, and somewhere more; a chain is, again and again, the one rule that no
 * other of the rest precedes. The engine's order never contradicts this one.
 *
 * Cost: n applicable rules are compared n * n times for each that is taken.
 */
#include "specificity.h"

typedef enum relation { EQUAL, FIRST, LAST, APART } relation;

bool lbpy_order_is_partial(const lbpy_generic *g, const lbpy_form *form)
{
    return form->by_virtual && g->order == LB_SYMMETRIC &&
           g->combination == LBPY_STANDARD && g->chooser == NULL;
}

/* ---- one argument ------------------------------------------------------- */

static relation by_subset(bool below, bool above)
{
    return below ? (above ? EQUAL : FIRST) : above ? LAST : APART;
}

static Py_ssize_t place(const lbpy_type *argument, const lbpy_type *base)
{
    Py_ssize_t i = 0;
    while (argument->mro[i] != (PyObject *)base->type)
        i++;
    return i;
}

static relation compare_classes(const lbpy_state *state,
                                const lbpy_type *argument, const lbpy_type *a,
                                const lbpy_type *b)
{
    if (a == b)
        return EQUAL;
    if (a == NULL || b == NULL)
        return b == NULL ? FIRST : LAST;
    if (lbpy_type_inherits(argument, a) && lbpy_type_inherits(argument, b))
        return place(argument, a) < place(argument, b) ? FIRST : LAST;
    return by_subset(lbpy_type_below(state, a, b),
                     lbpy_type_below(state, b, a));
}

static relation compare_values(const lb_predicate *a, const lb_predicate *b)
{
    if (a == b)
        return EQUAL;
    if (a == NULL || b == NULL)
        return b == NULL ? FIRST : LAST;
    return by_subset(lbpy_implies(a, b), lbpy_implies(b, a));
}

static const lbpy_type *record_of(const lb_specializer *s)
{
    return s->kind == LB_ANY || s->cls == NULL ? NULL
                                               : lb_class_context(s->cls);
}

static relation compare_slot(const lbpy_state *state, const lbpy_type *argument,
                             const lb_specializer *a, const lb_specializer *b)
{
    const relation r =
        compare_classes(state, argument, record_of(a), record_of(b));
    return r == EQUAL
               ? compare_values(a->kind == LB_WHERE ? a->predicate : NULL,
                                b->kind == LB_WHERE ? b->predicate : NULL)
               : r;
}

/* ---- rules -------------------------------------------------------------- */

bool lbpy_precedes(const lbpy_generic *g, const lbpy_form *form,
                   lbpy_type *const *records, const lb_specializer *a,
                   const lb_specializer *b)
{
    bool more = false;
    for (unsigned i = 0; i < form->slots; i++) {
        const relation r = compare_slot(g->state, records[i], &a[i], &b[i]);
        if (r >= LAST)
            return false;
        more |= r == FIRST;
    }
    return more;
}

static bool is_minimal(const lbpy_generic *g, const lbpy_form *form,
                       lbpy_type *const *records, const lbpy_candidate *all,
                       size_t count, size_t which)
{
    for (size_t i = 0; i < count; i++)
        if (!all[i].taken && i != which &&
            lbpy_precedes(g, form, records, all[i].wants, all[which].wants))
            return false;
    return true;
}

bool lbpy_comes_next(const lbpy_generic *g, const lbpy_form *form,
                     lbpy_type *const *records, const lbpy_candidate *all,
                     size_t count, const void *method)
{
    for (size_t i = 0; i < count; i++)
        if (!all[i].taken && all[i].method != method &&
            is_minimal(g, form, records, all, count, i))
            return false;
    return true;
}

/* ---- explanations ------------------------------------------------------- */

static bool is_primary(const lb_explanation_item *item)
{
    return item->verdict <= LB_UNREACHED && item->verdict != LB_RUNS_ALONG &&
           item->rule->qualifier == LB_PRIMARY && item->rule->propagate == 0;
}

/* All items; those that are no candidates are taken. */
static void collect(const lbpy_form *form, const lb_explanation *e,
                    lbpy_candidate *all)
{
    for (size_t i = 0; i < e->count; i++) {
        const lb_explanation_item *item = &e->items[i];
        all[i].method = item->rule->context;
        all[i].taken = !is_primary(item);
        for (unsigned k = 0; k < form->slots && !all[i].taken; k++)
            all[i].wants[k] =
                item->rule->specializers[item->swapped && k < 2 ? 1 - k : k];
    }
}

/* One that no other precedes, or `count`. */
static size_t first_of(const lbpy_generic *g, const lbpy_form *form,
                       lbpy_type *const *records, const lbpy_candidate *all,
                       size_t count)
{
    size_t i = 0;
    while (i < count &&
           (all[i].taken || !is_minimal(g, form, records, all, count, i)))
        i++;
    return i;
}

static void tie(const lbpy_generic *g, const lbpy_form *form,
                lbpy_type *const *records, const lbpy_candidate *all,
                lb_explanation *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (!all[i].taken)
            e->items[i].verdict = is_minimal(g, form, records, all, e->count, i)
                                      ? LB_TIED
                                      : LB_UNREACHED;
}

void lbpy_correct(const lbpy_generic *g, const lbpy_form *form,
                  lbpy_type *const *records, lb_explanation *e)
{
    if (!lbpy_order_is_partial(g, form))
        return;
    lbpy_candidate *all = PyMem_Calloc(e->count + 1, sizeof *all);
    if (all == NULL) /* what the engine said is better than nothing */
        return;
    collect(form, e, all);
    for (size_t i;
         (i = first_of(g, form, records, all, e->count)) < e->count;) {
        const void *method = all[i].method;
        if (!lbpy_comes_next(g, form, records, all, e->count, method)) {
            tie(g, form, records, all, e);
            break;
        }
        for (size_t k = 0; k < e->count; k++)
            all[k].taken |= all[k].method == method;
    }
    PyMem_Free(all);
}
