/* bundle.c - methods whose rules are equal in some form of call, in their order.
 *
 * They differ in what such a call leaves out. First comes, again and again, the
 * one that no other of the rest precedes:
 *   1. the one that takes so many arguments more exactly;
 *   2. else the one whose hint was not split into alternatives;
 *   3. else the one that takes less in what the call leaves out.
 * Where several could, they are tied: an error at the call; in the orders that go
 * by definition the earliest or latest is next.
 *
 * Runs no Python code. Cost: n * n comparisons for each of n methods.
 */
#include "generic.h"

/* Does the method become several rules here? */
static bool splits(const lbpy_form *form, const lbpy_method *method)
{
    for (unsigned i = 0; i < form->slots; i++)
        if (!lbpy_is_packed(form, i) &&
            lbpy_method_wants(method, form->argument[i], form->positional,
                              form->kwnames)
                    ->count > 1)
            return true;
    return false;
}

/* Which of two methods with equal rules goes first: < 0: `a`; 0: nothing
 * decides. */
static int compare(const lbpy_generic *g, const lbpy_form *form,
                   const lbpy_method *a, const lbpy_method *b)
{
    const Py_ssize_t given = lbpy_form_arguments(form);
    int difference =
        lbpy_method_looseness(a, given) - lbpy_method_looseness(b, given);
    if (difference == 0)
        difference = splits(form, a) - splits(form, b);
    if (difference == 0)
        difference = lbpy_method_narrower(g->state, b, a) -
                     lbpy_method_narrower(g->state, a, b);
    return difference;
}

bool lbpy_has_method(const lbpy_method *bundle, const lbpy_method *method)
{
    for (Py_ssize_t i = 0; bundle->tied && i < PyTuple_GET_SIZE(bundle->tied);
         i++)
        if (PyTuple_GET_ITEM(bundle->tied, i) == (PyObject *)method)
            return true;
    return bundle == method;
}

/* What is left to be put in order: methods, in the order of their definition. */
typedef struct rest {
    lbpy_method **at;
    size_t count;
} rest;

static bool is_preceded(const lbpy_generic *g, const lbpy_form *form,
                        const rest *r, const lbpy_method *method)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->at[i] != method && compare(g, form, r->at[i], method) < 0)
            return true;
    return false;
}

/* Moves those that could come next to the front, without changing the order
 * otherwise; how many. */
static size_t to_front(const lbpy_generic *g, const lbpy_form *form, rest *r)
{
    size_t found = 0;
    for (size_t i = 0; i < r->count; i++) {
        lbpy_method *one = r->at[i];
        if (is_preceded(g, form, r, one))
            continue;
        for (size_t k = i; k > found; k--)
            r->at[k] = r->at[k - 1];
        r->at[found++] = one;
    }
    return found;
}

static bool has_ties(const lbpy_generic *g)
{
    return g->chooser == NULL && g->combination == LBPY_STANDARD &&
           g->order <= LB_WEIGHTED;
}

/* Puts all in order; bit i of the result: nothing decides between i and the one
 * after it. */
static uint64_t sort(const lbpy_generic *g, const lbpy_form *form, rest r)
{
    uint64_t ties = 0;
    for (size_t put = 0; r.count; put++, r.at++, r.count--) {
        const size_t found = to_front(g, form, &r);
        if (found > 1 && has_ties(g)) {
            for (size_t i = put; i + 1 < put + found && i < 64; i++)
                ties |= UINT64_C(1) << i;
            break;
        }
        if (g->order == LB_REVERSE_DEFINITION) {
            lbpy_method *last = r.at[found - 1];
            for (size_t k = found - 1; k > 0; k--)
                r.at[k] = r.at[k - 1];
            r.at[0] = last;
        }
    }
    return ties;
}

lbpy_method *lbpy_bundle_of(const lbpy_generic *g, const lbpy_form *form,
                            const lbpy_method *old, lbpy_method *fresh)
{
    const size_t most = old->tied ? (size_t)PyTuple_GET_SIZE(old->tied) + 1 : 2;
    rest all = {PyMem_Calloc(most, sizeof(lbpy_method *)), 0};
    if (all.at == NULL)
        return (lbpy_method *)PyErr_NoMemory();
    for (size_t i = 0; i < g->count && all.count < most; i++)
        if (g->methods[i] == fresh || lbpy_has_method(old, g->methods[i]))
            all.at[all.count++] = g->methods[i];
    const uint64_t ties = sort(g, form, all);
    PyObject *methods = PyTuple_New((Py_ssize_t)all.count);
    for (size_t i = 0; methods && i < all.count; i++)
        PyTuple_SET_ITEM(methods, (Py_ssize_t)i, Py_NewRef(all.at[i]));
    PyMem_Free(all.at);
    return methods ? lbpy_method_bundle(g->state, methods, ties) : NULL;
}
