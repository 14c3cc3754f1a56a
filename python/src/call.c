/* call.c - the call of a generic function: the way that must be short.
 *
 *   1. The form, by the number of arguments; its cells belong to one version of
 *      the engine's generic function.
 *   2. The key: the version tags of the types of the dispatched arguments, when
 *      these are the first, the second, or both. What is called is known only
 *      after a chain of loads (argument, type, tag, cell, function), and the call
 *      is as long as that chain; so where the arguments are is a branch on the
 *      form's way, which is foreseen, and not a load.
 *   3. The cell at the key's home: hold its function, call it with the arguments
 *      as they came. No Python object is made. Held it is, not only borrowed,
 *      since the method may be removed by what it calls.
 * All other calls go one step longer (lbpy_generic_call_any): forms with names,
 * other arguments, or abstract classes, whose state is compared, too; keys that
 * are not at home; types without a version tag (new, or just written to), which
 * go by their serials. Everything else is resolve.c's.
 */
#include "call.h"

#include "resolve.h"
#include "run.h"

#ifndef Py_NO_INLINE /* came with Python 3.11 */
#define Py_NO_INLINE
#endif

static inline uint32_t tag_of(PyObject *argument)
{
    return Py_TYPE(argument)->tp_version_tag;
}

/* ---- the slow way ------------------------------------------------------- */

/* Runs what was found (taken over; NULL: an exception). */
static PyObject *run_link(lbpy_generic *g, lbpy_link *link,
                          PyObject *const *args, size_t nargsf,
                          PyObject *kwnames)
{
    if (link == NULL)
        return NULL;
    PyObject *function = g->retry ? NULL : lbpy_link_function(link);
    PyObject *result =
        function ? PyObject_Vectorcall(function, args, nargsf, kwnames)
                 : lbpy_run(g, link, args, nargsf, kwnames);
    Py_DECREF(link);
    return result;
}

static PyObject *run_resolved(lbpy_generic *g, lbpy_form *form,
                              PyObject *const *args, size_t nargsf,
                              PyObject *kwnames)
{
    form->users++;
    lbpy_link *link = lbpy_resolve(g, form, args);
    if (link && g->counting && lbpy_count(g, form, link, args) < 0)
        Py_CLEAR(link);
    form->users--;
    return run_link(g, link, args, nargsf, kwnames);
}

static PyObject *run_chosen(lbpy_generic *g, lbpy_form *form,
                            lbpy_choice *choice, PyObject *const *args,
                            size_t nargsf, PyObject *kwnames)
{
    form->users++;
    lbpy_link *link = lbpy_choose(g, form, choice, args);
    form->users--;
    return run_link(g, link, args, nargsf, kwnames);
}

static int settle(lbpy_generic *g)
{
    PyObject *hook = g->state->hooks.settle;
    PyObject *said =
        hook ? PyObject_CallOneArg(hook, (PyObject *)g) : Py_NewRef(Py_None);
    Py_XDECREF(said);
    return said ? 0 : -1;
}

static Py_NO_INLINE PyObject *slow(lbpy_generic *g, PyObject *const *args,
                                   size_t nargsf, PyObject *kwnames)
{
    if (g->pending && settle(g) < 0)
        return NULL;
    const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    lbpy_form *form =
        kwnames == NULL && nargs < LBPY_PLAIN ? g->plain[nargs] : NULL;
    if (form == NULL)
        form = lbpy_form_of(g, nargs, kwnames);
    if (form)
        return run_resolved(g, form, args, nargsf, kwnames);
    if (PyErr_Occurred())
        return NULL;
    lbpy_link *end = lbpy_link_end(g, LB_NO_METHOD);
    PyObject *result = end ? lbpy_run(g, end, args, nargsf, kwnames) : NULL;
    Py_XDECREF(end);
    return result;
}

/* ---- forms -------------------------------------------------------------- */

static bool same_kwnames(PyObject *a, PyObject *b)
{
    if (PyTuple_GET_SIZE(a) != PyTuple_GET_SIZE(b))
        return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(a); i++)
        if (PyTuple_GET_ITEM(a, i) != PyTuple_GET_ITEM(b, i))
            return false;
    return true;
}

/* The form of a call with names, or with very many arguments, if there is one
 * already. Names are interned almost always. */
static lbpy_form *known_form(const lbpy_generic *g, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    for (lbpy_form *f = g->forms; f; f = f->next)
        if (f->positional == nargs &&
            (f->kwnames == kwnames ||
             (f->kwnames && kwnames && same_kwnames(f->kwnames, kwnames))))
            return f;
    return NULL;
}

static inline bool is_of_version(const lbpy_generic *g, const lbpy_form *form)
{
    return __atomic_load_n(form->version, __ATOMIC_ACQUIRE) == form->seen &&
           lbpy_tags_hold(g->state);
}

static bool is_current(const lbpy_generic *g, const lbpy_form *form)
{
    uint64_t token;
    if (!is_of_version(g, form))
        return false;
    if (!form->by_abstract)
        return true;
    if (lbpy_abc_token(g->state, &token) < 0) {
        PyErr_Clear();
        return false;
    }
    return token == form->abc_token;
}

/* ---- any form ----------------------------------------------------------- */

static const lbpy_cell *find_wide(const lbpy_form *form, PyObject *const *args)
{
    uint64_t key[LBPY_MAX_WORDS] = {0};
    for (unsigned i = 0; i < form->slots; i++) {
        const uint32_t tag = tag_of(args[form->argument[i]]);
        if (tag == 0)
            return NULL;
        key[i / 2] |= (uint64_t)tag << (i % 2 * 32);
    }
    return lbpy_cells_find(&form->tags, key);
}

/* NULL: there is none, or a type has no tag. */
static inline const lbpy_cell *find_by_tags(const lbpy_form *form,
                                            PyObject *const *args)
{
    const uint32_t first = tag_of(args[form->argument[0]]);
    const uint32_t second =
        form->slots > 1 ? tag_of(args[form->argument[1]]) : 0;
    const uint64_t key = lbpy_key_word(first, second);
    const lbpy_cell *cell = lbpy_cell_home(&form->tags, key);
    return LB_LIKELY(cell->key == key && key && form->slots <= 2)
               ? cell
               : find_wide(form, args);
}

/* Runs what the cell says. Held is the node, since what is called may remove the
 * method, and what comes after it may be wanted. */
static PyObject *run_found(lbpy_generic *g, lbpy_form *form,
                           const lbpy_cell *cell, PyObject *const *args,
                           size_t nargsf, PyObject *kwnames)
{
    const size_t nargs = (size_t)PyVectorcall_NARGS(nargsf);
    if (!Py_IS_TYPE(cell->node, g->state->link_type))
        return run_chosen(g, form, (lbpy_choice *)cell->node, args, nargsf,
                          kwnames);
    if (cell->function == NULL)
        return lbpy_run(g, (lbpy_link *)cell->node, args, nargs, kwnames);
    lbpy_link *link = (lbpy_link *)Py_NewRef(cell->node);
    PyObject *result = (*cell->how)(cell->function, args, nargsf, kwnames);
    if (LB_UNLIKELY(result == NULL && g->retry))
        result = lbpy_run_next(g, link, args, nargs, kwnames);
    Py_DECREF(link);
    return result;
}

PyObject *lbpy_generic_call_any(PyObject *self, PyObject *const *args,
                                size_t nargsf, PyObject *kwnames)
{
    lbpy_generic *g = (lbpy_generic *)self;
    const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    lbpy_form *form = LB_LIKELY(kwnames == NULL && nargs < LBPY_PLAIN)
                          ? g->plain[nargs]
                          : known_form(g, nargs, kwnames);
    if (LB_UNLIKELY(form == NULL || form->way == LBPY_WAY_LONG ||
                    !is_current(g, form)))
        return slow(g, args, nargsf, kwnames);
    const lbpy_cell *cell = find_by_tags(form, args);
    if (LB_UNLIKELY(cell == NULL) &&
        lbpy_find_by_serials(g, form, args, &cell) < 0)
        return NULL;
    return LB_LIKELY(cell != NULL)
               ? run_found(g, form, cell, args, nargsf, kwnames)
               : slow(g, args, nargsf, kwnames);
}

/* ---- the short way ------------------------------------------------------ */

/* Frees a function that nobody but the call held. */
static Py_NO_INLINE PyObject *drop(PyObject *function, PyObject *result)
{
    Py_DECREF(function);
    return result;
}

/* The key of the arguments that the form's way names. */
static inline uint64_t key_of(lbpy_way way, PyObject *const *args)
{
    if (way == LBPY_WAY_BOTH)
        return lbpy_key_word(tag_of(args[0]), tag_of(args[1]));
    return tag_of(args[way == LBPY_WAY_SECOND]);
}

static inline PyObject *call_cell(PyObject *self, const lbpy_form *form,
                                  uint64_t key, PyObject *const *args,
                                  size_t nargsf)
{
    const lbpy_cell *cell = lbpy_cell_home(&form->tags, key);
    PyObject *function = cell->function;
    if (LB_UNLIKELY(cell->key != key || function == NULL))
        return lbpy_generic_call_any(self, args, nargsf, NULL);
    Py_INCREF(function);
    PyObject *result = (*cell->how)(function, args, nargsf, NULL);
    if (LB_UNLIKELY(Py_REFCNT(function) == 1))
        return drop(function, result);
    Py_DECREF(function);
    return result;
}

PyObject *lbpy_generic_call(PyObject *self, PyObject *const *args,
                            size_t nargsf, PyObject *kwnames)
{
    const lbpy_generic *g = (lbpy_generic *)self;
    const size_t nargs = (size_t)PyVectorcall_NARGS(nargsf);
    const lbpy_form *form = LB_LIKELY(kwnames == NULL && nargs < LBPY_PLAIN)
                                ? g->plain[nargs]
                                : NULL;
    if (LB_UNLIKELY(form == NULL || !is_of_version(g, form)))
        return lbpy_generic_call_any(self, args, nargsf, kwnames);
    if (form->way == LBPY_WAY_BOTH)
        return call_cell(self, form, key_of(LBPY_WAY_BOTH, args), args, nargsf);
    if (form->way == LBPY_WAY_FIRST)
        return call_cell(self, form, key_of(LBPY_WAY_FIRST, args), args,
                         nargsf);
    if (form->way == LBPY_WAY_SECOND)
        return call_cell(self, form, key_of(LBPY_WAY_SECOND, args), args,
                         nargsf);
    return lbpy_generic_call_any(self, args, nargsf, kwnames);
}

PyObject *lbpy_generic_call_slowly(PyObject *self, PyObject *const *args,
                                   size_t nargsf, PyObject *kwnames)
{
    return slow((lbpy_generic *)self, args, nargsf, kwnames);
}
