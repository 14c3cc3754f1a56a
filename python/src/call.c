/* call.c - the call of a generic function: the way that must be short.
 *
 *   1. The form: by the number of arguments, without names; else by a walk.
 *   2. The key: the version tags of the types of the dispatched arguments. A
 *      type whose tag is 0 (new, or just changed) finds nothing.
 *   3. The form's cells belong to one version of the engine's generic function,
 *      and where abstract classes are named, to one state of them.
 *   4. Cell found: hold the node, call its function with the arguments as they
 *      came. No Python object is made.
 * Everything else is resolve.c's.
 *
 * Held is the node, not only borrowed, since the method may be removed by what
 * it calls.
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

static PyObject *run_resolved(lbpy_generic *g, lbpy_form *form,
                              PyObject *const *args, size_t nargsf,
                              PyObject *kwnames)
{
    form->users++;
    lbpy_link *link = lbpy_resolve(g, form, args);
    form->users--;
    if (link == NULL)
        return NULL;
    PyObject *result = NULL;
    PyObject *function = g->retry ? NULL : lbpy_link_function(link);
    if (g->counting && lbpy_count(g, form, link, args) < 0)
        result = NULL;
    else if (function)
        result = PyObject_Vectorcall(function, args, nargsf, kwnames);
    else
        result = lbpy_run(g, link, args, nargsf, kwnames);
    Py_DECREF(link);
    return result;
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

/* ---- the short way ------------------------------------------------------ */

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

static Py_NO_INLINE lbpy_cell *find_wide(const lbpy_form *form,
                                         PyObject *const *args)
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

/* The cell of one or two dispatched arguments. A key with a tag of 0 is in no
 * cell; if all of it is 0 it finds an empty one, which has no function. */
static inline const lbpy_cell *find_narrow(const lbpy_form *form,
                                           PyObject *const *args)
{
    uint64_t key = tag_of(args[form->argument[0]]);
    if (form->way == 2)
        key |= (uint64_t)tag_of(args[form->argument[1]]) << 32;
    size_t at = lbpy_cell_place(key, form->tags.shift);
    while (form->tags.at[at].key != key && form->tags.at[at].key != 0)
        at = (at + 1) & (form->tags.room - 1);
    return &form->tags.at[at];
}

static inline bool is_current(lbpy_generic *g, const lbpy_form *form)
{
    uint64_t token;
    if (__atomic_load_n(form->version, __ATOMIC_ACQUIRE) != form->seen)
        return false;
    if (LB_LIKELY(!form->by_abstract))
        return true;
    if (lbpy_abc_token(g->state, &token) < 0) {
        PyErr_Clear();
        return false;
    }
    return token == form->abc_token;
}

PyObject *lbpy_generic_call(PyObject *self, PyObject *const *args,
                            size_t nargsf, PyObject *kwnames)
{
    lbpy_generic *g = (lbpy_generic *)self;
    const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *node = NULL, *function = NULL;
    vectorcallfunc how = NULL;
    const lbpy_form *form = LB_LIKELY(kwnames == NULL && nargs < LBPY_PLAIN)
                                ? g->plain[nargs]
                                : known_form(g, nargs, kwnames);
    if (LB_LIKELY(form && form->way && is_current(g, form))) {
        const lbpy_cell *cell = LB_LIKELY(form->way <= 2)
                                    ? find_narrow(form, args)
                                    : find_wide(form, args);
        if (LB_LIKELY(cell && cell->function)) {
            node = Py_NewRef(cell->node);
            function = cell->function;
            how = *cell->how;
        }
    }
    if (LB_UNLIKELY(node == NULL))
        return slow(g, args, nargsf, kwnames);
    PyObject *result = how(function, args, nargsf, kwnames);
    if (LB_UNLIKELY(result == NULL && g->retry))
        result =
            lbpy_run_next(g, (lbpy_link *)node, args, (size_t)nargs, kwnames);
    Py_DECREF(node);
    return result;
}

/* The same for a generic function whose hits must be looked at, too. */
PyObject *lbpy_generic_call_slowly(PyObject *self, PyObject *const *args,
                                   size_t nargsf, PyObject *kwnames)
{
    return slow((lbpy_generic *)self, args, nargsf, kwnames);
}
