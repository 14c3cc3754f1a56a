/* generic.c - `latebind._core.GenericFunction`: its methods come and go.
 *
 * A change first changes the list of methods, then the forms (form.c). When that
 * fails (no memory, an exception of user code that was asked) the list is put
 * back and the forms are made anew from it, so that either all of a change is
 * seen or nothing. Ambiguities are told by the engine (module.c, report) and
 * looked at by the front end's hook after the change.
 */
#include "generic.h"

#include "call.h"
#include "grow.h"
#include "inspect.h"
#include "resolve.h"
#include "run.h"

#include <string.h>
#include <structmember.h>

/* ---- the index of methods ----------------------------------------------- */

static void index_put(lbpy_generic *g, size_t place)
{
    size_t at = (size_t)lbpy_method_key(g->methods[place]);
    while (g->index[at & (g->index_room - 1)])
        at++;
    g->index[at & (g->index_room - 1)] = (uint32_t)place + 1;
}

static int reindex(lbpy_generic *g)
{
    size_t room = 8;
    while (room < g->count * 2 + 2)
        room *= 2;
    if (room != g->index_room) {
        PyMem_Free(g->index);
        g->index = PyMem_Malloc(room * sizeof *g->index);
        g->index_room = g->index ? room : 0;
        if (g->index == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    memset(g->index, 0, room * sizeof *g->index);
    for (size_t i = 0; i < g->count; i++)
        index_put(g, i);
    return 0;
}

/* The place of the method that `method` would replace, or -1. */
static Py_ssize_t find_same(const lbpy_generic *g, const lbpy_method *method)
{
    if (g->index_room == 0)
        return -1;
    for (size_t at = (size_t)lbpy_method_key(method);; at++) {
        const uint32_t place = g->index[at & (g->index_room - 1)];
        if (place == 0)
            return -1;
        if (lbpy_method_same(g->methods[place - 1], method))
            return (Py_ssize_t)place - 1;
    }
}

/* ---- changing the list -------------------------------------------------- */

/* Most methods of one generic function call their parameters alike. */
static void share_names(const lbpy_generic *g, lbpy_method *method)
{
    PyObject *names = g->count ? g->methods[0]->names : method->names;
    const Py_ssize_t count = PyTuple_GET_SIZE(names);
    bool same = count == PyTuple_GET_SIZE(method->names);
    for (Py_ssize_t i = 0; i < count && same; i++)
        same = PyTuple_GET_ITEM(names, i) == PyTuple_GET_ITEM(method->names, i);
    if (same)
        Py_SETREF(method->names, Py_NewRef(names));
}

static int append(lbpy_generic *g, lbpy_method *method)
{
    lbpy_method **methods =
        lbpy_grown(g->methods, g->count, &g->room, sizeof *methods);
    if (methods == NULL)
        return -1;
    g->methods = methods;
    share_names(g, method);
    g->methods[g->count++] = (lbpy_method *)Py_NewRef(method);
    if (g->count * 2 > g->index_room)
        return reindex(g);
    index_put(g, g->count - 1);
    return 0;
}

/* The list of before a change, to be put back or let go of. */
typedef struct before {
    lbpy_method **methods;
    size_t count;
} before;

static int remember(const lbpy_generic *g, before *b)
{
    b->count = g->count;
    b->methods = PyMem_Malloc((g->count + 1) * sizeof *b->methods);
    if (b->methods == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < g->count; i++)
        b->methods[i] = (lbpy_method *)Py_NewRef(g->methods[i]);
    return 0;
}

static void let_go(before *b)
{
    for (size_t i = 0; i < b->count; i++)
        Py_DECREF(b->methods[i]);
    PyMem_Free(b->methods);
    b->methods = NULL;
    b->count = 0;
}

/* Makes index and forms by the list as it is again. Without memory for that, the
 * forms are made when they are next called. */
static void make_anew(lbpy_generic *g)
{
    g->revision++;
    if (reindex(g) == 0 && lbpy_forms_rebuild(g) == 0)
        return;
    PyErr_Clear();
    lbpy_forms_end(g);
}

/* Puts the list back, keeping the exception. */
static void put_back(lbpy_generic *g, before *b)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    const before now = {g->methods, g->count};
    g->methods = b->methods;
    g->count = b->count;
    g->room = b->count;
    *b = now;
    make_anew(g);
    PyErr_Restore(type, value, traceback);
}

/* ---- adding ------------------------------------------------------------- */

/* 1: nothing was replaced, 0: something was, -1. What is replaced is held by the
 * caller, so that nothing goes here. */
static int put_all(lbpy_generic *g, PyObject *methods)
{
    int fresh = 1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(methods); i++) {
        lbpy_method *method = (lbpy_method *)PyTuple_GET_ITEM(methods, i);
        const Py_ssize_t place = find_same(g, method);
        if (place >= 0) {
            fresh = 0;
            Py_INCREF(method);
            Py_SETREF(g->methods[place], method);
        } else if (append(g, method) < 0) {
            return -1;
        }
    }
    g->revision++;
    return fresh;
}

/* The hook warns, or raises: then nothing was added. */
static int tell_ambiguities(lbpy_generic *g, PyObject *methods, bool reported)
{
    if (g->silent || g->state->hooks.ambiguity == NULL)
        return 0;
    PyObject *said =
        PyObject_CallFunctionObjArgs(g->state->hooks.ambiguity, g, methods,
                                     reported ? Py_True : Py_False, NULL);
    Py_XDECREF(said);
    return said ? 0 : -1;
}

static bool virtual_somewhere(const lbpy_generic *g)
{
    for (const lbpy_form *f = g->forms; f; f = f->next)
        if (f->by_virtual || f->overlapping)
            return true;
    return false;
}

/* Checks, and makes ready; Python code may run. */
static int check_methods(lbpy_state *state, PyObject *methods)
{
    if (!PyTuple_Check(methods)) {
        PyErr_SetString(PyExc_TypeError, "a tuple of methods is wanted");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(methods); i++) {
        PyObject *method = PyTuple_GET_ITEM(methods, i);
        if (!Py_IS_TYPE(method, state->method_type) ||
            ((lbpy_method *)method)->tied) {
            PyErr_Format(PyExc_TypeError, "a Method is wanted, not %R", method);
            return -1;
        }
        if (lbpy_method_prepare(state, (lbpy_method *)method) < 0)
            return -1;
    }
    return 0;
}

/* Lets the value parts of two methods' hints for one argument be compared. */
static int compare_wants(const lbpy_wants *a, const lbpy_wants *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count && a->at[i].value; k++)
            if (b->at[k].value &&
                lbpy_predicates_compare(a->at[i].value, b->at[k].value) < 0)
                return -1;
    return 0;
}

static bool has_values(const lbpy_method *m)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(m) + 2; i++) {
        const lbpy_wants *wants = lbpy_method_all_wants(m)[i];
        for (uint32_t k = 0; k < wants->count; k++)
            if (wants->at[k].value)
                return true;
    }
    return false;
}

/* The arguments of a form may be given by place or by name, so all parameters of
 * the one are compared with all of the other. */
static int compare_methods(const lbpy_method *a, const lbpy_method *b)
{
    if (!has_values(b))
        return 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(a) + 2; i++)
        for (Py_ssize_t k = 0; k < Py_SIZE(b) + 2; k++)
            if (compare_wants(lbpy_method_all_wants(a)[i],
                              lbpy_method_all_wants(b)[k]) < 0)
                return -1;
    return 0;
}

/* For each of `methods` and what is there. */
static int compare_with_all(lbpy_generic *g, PyObject *methods)
{
    int status = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(methods) && status == 0; i++) {
        lbpy_method *one = (lbpy_method *)PyTuple_GET_ITEM(methods, i);
        if (!has_values(one))
            continue;
        for (Py_ssize_t k = 0; k <= i && status == 0; k++)
            status = compare_methods(
                one, (lbpy_method *)PyTuple_GET_ITEM(methods, k));
        for (size_t k = 0; k < g->count && status == 0; k++) {
            PyObject *other = Py_NewRef((PyObject *)g->methods[k]);
            status = compare_methods(one, (lbpy_method *)other);
            Py_DECREF(other);
        }
    }
    return status;
}

/* Before the rules are made. Python code may run, and change the list: then once
 * more. */
static int compare_values(lbpy_generic *g, PyObject *methods)
{
    uint64_t revision;
    int status;
    do {
        revision = g->revision;
        status = compare_with_all(g, methods);
    } while (status == 0 && revision != g->revision);
    return status;
}

static bool replaces(const lbpy_generic *g, PyObject *methods)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(methods); i++)
        if (find_same(g, (lbpy_method *)PyTuple_GET_ITEM(methods, i)) >= 0)
            return true;
    return false;
}

static int add_all(lbpy_generic *g, PyObject *methods)
{
    const size_t first = g->count;
    const int fresh = put_all(g, methods);
    if (fresh < 0)
        return -1;
    return fresh ? lbpy_forms_add(g, first) : lbpy_forms_rebuild(g);
}

static Py_ssize_t place_of(const lbpy_generic *g, PyObject *method)
{
    for (size_t i = 0; i < g->count; i++)
        if ((PyObject *)g->methods[i] == method)
            return (Py_ssize_t)i;
    return -1;
}

/* Undoes put_all, whatever else was added meanwhile; keeps the exception. */
static void undo(lbpy_generic *g, PyObject *methods, const before *b)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    for (Py_ssize_t i = PyTuple_GET_SIZE(methods); i-- > 0;) {
        PyObject *method = PyTuple_GET_ITEM(methods, i);
        const Py_ssize_t place = place_of(g, method);
        lbpy_method *old = NULL;
        for (size_t k = 0; k < b->count && place >= 0; k++)
            if (lbpy_method_same(b->methods[k], (lbpy_method *)method))
                old = b->methods[k];
        if (place < 0)
            continue;
        if (old)
            g->methods[place] = (lbpy_method *)Py_NewRef((PyObject *)old);
        else
            memmove(g->methods + place, g->methods + place + 1,
                    (--g->count - (size_t)place) * sizeof *g->methods);
        Py_DECREF(method); /* the caller has it, too */
    }
    make_anew(g);
    PyErr_Restore(type, value, traceback);
}

static PyObject *generic_add(PyObject *self, PyObject *methods)
{
    lbpy_generic *g = (lbpy_generic *)self;
    before b = {NULL, 0};
    if (check_methods(g->state, methods) < 0 ||
        compare_values(g, methods) < 0 ||
        (g->index_room == 0 && reindex(g) < 0) ||
        (replaces(g, methods) && remember(g, &b) < 0))
        return NULL;
    const uint64_t reported = g->state->reported;
    int status = add_all(g, methods);
    const bool told = reported != g->state->reported;
    if (status == 0 && (told || virtual_somewhere(g)))
        status = tell_ambiguities(g, methods, told);
    if (status < 0)
        undo(g, methods, &b);
    let_go(&b);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- removing ----------------------------------------------------------- */

static int remove_one(lbpy_generic *g, Py_ssize_t place)
{
    before b = {NULL, 0};
    if (remember(g, &b) < 0)
        return -1;
    lbpy_method *method = g->methods[place];
    memmove(g->methods + place, g->methods + place + 1,
            (--g->count - (size_t)place) * sizeof *g->methods);
    g->revision++;
    int status = reindex(g);
    if (status == 0 && lbpy_forms_remove(g, method) == 0)
        status = lbpy_forms_rebuild(g);
    Py_DECREF(method); /* `b` has it, too */
    if (status < 0)
        put_back(g, &b);
    lbpy_forms_forget(g);
    let_go(&b);
    return status;
}

static PyObject *generic_remove(PyObject *self, PyObject *method)
{
    lbpy_generic *g = (lbpy_generic *)self;
    const Py_ssize_t place = place_of(g, method);
    if (place < 0)
        return PyErr_Format(PyExc_LookupError, "%U has no method %R", g->name,
                            method);
    if (remove_one(g, place) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Gives the generic function just these methods. */
static PyObject *generic_replace(PyObject *self, PyObject *methods)
{
    lbpy_generic *g = (lbpy_generic *)self;
    if (check_methods(g->state, methods) < 0 || compare_values(g, methods) < 0)
        return NULL;
    before b = {g->methods, g->count};
    g->methods = NULL;
    g->count = g->room = 0;
    if (reindex(g) < 0 || put_all(g, methods) < 0 ||
        lbpy_forms_rebuild(g) < 0) {
        put_back(g, &b);
        let_go(&b);
        return NULL;
    }
    let_go(&b);
    Py_RETURN_NONE;
}

static PyObject *generic_clear_methods(PyObject *self, PyObject *unused)
{
    (void)unused;
    lbpy_generic *g = (lbpy_generic *)self;
    before b = {g->methods, g->count};
    g->methods = NULL;
    g->count = g->room = 0;
    g->revision++;
    PyMem_Free(g->index);
    g->index = NULL;
    g->index_room = 0;
    lbpy_forms_end(g);
    let_go(&b);
    Py_RETURN_NONE;
}

/* ---- asking ------------------------------------------------------------- */

static PyObject *get_methods(PyObject *self, void *closure)
{
    (void)closure;
    const lbpy_generic *g = (lbpy_generic *)self;
    PyObject *tuple = PyTuple_New((Py_ssize_t)g->count);
    for (size_t i = 0; tuple && i < (size_t)PyTuple_GET_SIZE(tuple); i++)
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i,
                         Py_NewRef((PyObject *)g->methods[i]));
    return tuple;
}

/* map(xs, ys, ...): one call per tuple of elements, as long as all have one. */
static PyObject *map_into(PyObject *self, PyObject **iterators,
                          Py_ssize_t count, PyObject *results)
{
    PyObject **args = PyMem_Calloc((size_t)count + 1, sizeof *args);
    bool more = args != NULL;
    if (args == NULL)
        PyErr_NoMemory();
    while (more) {
        Py_ssize_t got = 0;
        while (got < count &&
               (args[got + 1] = PyIter_Next(iterators[got])) != NULL)
            got++;
        more = got == count;
        if (more) {
            PyObject *one = PyObject_Vectorcall(
                self, args + 1, (size_t)count | PY_VECTORCALL_ARGUMENTS_OFFSET,
                NULL);
            more = one && PyList_Append(results, one) == 0;
            Py_XDECREF(one);
        }
        while (got-- > 0)
            Py_DECREF(args[got + 1]);
    }
    PyMem_Free(args);
    if (PyErr_Occurred())
        Py_CLEAR(results);
    return results;
}

static PyObject *generic_map(PyObject *self, PyObject *const *args,
                             Py_ssize_t nargs)
{
    if (nargs == 0)
        return PyErr_Format(PyExc_TypeError,
                            "map() wants at least one iterable");
    PyObject **iterators = PyMem_Calloc((size_t)nargs, sizeof *iterators);
    if (iterators == NULL)
        return PyErr_NoMemory();
    PyObject *results = PyList_New(0);
    Py_ssize_t made = 0;
    while (results && made < nargs &&
           (iterators[made] = PyObject_GetIter(args[made])) != NULL)
        made++;
    if (results && made == nargs)
        results = map_into(self, iterators, nargs, results);
    else
        Py_CLEAR(results);
    while (made-- > 0)
        Py_DECREF(iterators[made]);
    PyMem_Free(iterators);
    return results;
}

static PyObject *optional(PyObject *given)
{
    return given == NULL || given == Py_None ? NULL : Py_NewRef(given);
}

/* ---- counting calls ----------------------------------------------------- */

/* (method or None, names of the last arguments, type of each argument): object
 * stands for the type of one that nothing is decided by. */
static PyObject *count_key(const lbpy_form *form, const lbpy_link *link,
                           PyObject *const *args)
{
    const Py_ssize_t count = lbpy_form_arguments(form);
    PyObject *key = PyTuple_New(count + 2);
    PyObject *names = form->kwnames ? Py_NewRef(form->kwnames) : PyTuple_New(0);
    if (key == NULL || names == NULL) {
        Py_XDECREF(key);
        Py_XDECREF(names);
        return NULL;
    }
    PyTuple_SET_ITEM(
        key, 0, Py_NewRef(link->method ? (PyObject *)link->method : Py_None));
    PyTuple_SET_ITEM(key, 1, names);
    for (Py_ssize_t a = 0; a < count; a++) {
        PyTypeObject *type = &PyBaseObject_Type;
        for (unsigned i = 0; i < form->slots; i++)
            if (!lbpy_is_packed(form, i) && form->argument[i] == a)
                type = Py_TYPE(args[a]);
        for (uint16_t i = 0; i < form->packed; i++)
            if (form->pack[i] == a)
                type = Py_TYPE(args[a]);
        PyTuple_SET_ITEM(key, a + 2, Py_NewRef((PyObject *)type));
    }
    return key;
}

int lbpy_count(lbpy_generic *g, const lbpy_form *form, const lbpy_link *link,
               PyObject *const *args)
{
    PyObject *key = count_key(form, link, args);
    if (key == NULL)
        return -1;
    if (g->counts == NULL)
        g->counts = PyDict_New();
    PyObject *old = g->counts ? PyDict_GetItemWithError(g->counts, key) : NULL;
    PyObject *fresh =
        PyErr_Occurred()
            ? NULL
            : PyLong_FromLongLong(old ? PyLong_AsLongLong(old) + 1 : 1);
    const int status =
        fresh && g->counts ? PyDict_SetItem(g->counts, key, fresh) : -1;
    Py_XDECREF(fresh);
    Py_DECREF(key);
    return status;
}

static void choose_way(lbpy_generic *g)
{
    g->vectorcall = g->counting || g->pending ? lbpy_generic_call_slowly
                    : g->retry                ? lbpy_generic_call_any
                                              : lbpy_generic_call;
}

/* What the front end could not add yet; its hook is asked before a call. */
static PyObject *get_pending(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *pending = ((lbpy_generic *)self)->pending;
    return Py_NewRef(pending ? pending : Py_None);
}

static int set_pending(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    lbpy_generic *g = (lbpy_generic *)self;
    Py_XSETREF(g->pending, optional(value));
    choose_way(g);
    return 0;
}

static PyObject *get_counting(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(((lbpy_generic *)self)->counting);
}

static int set_counting(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    lbpy_generic *g = (lbpy_generic *)self;
    const int yes = value ? PyObject_IsTrue(value) : 0;
    if (yes < 0)
        return -1;
    g->counting = yes;
    choose_way(g);
    return 0;
}

/* ---- making ------------------------------------------------------------- */

static int one_of(const char *what, const char *given, const char *const *names,
                  uint8_t *code)
{
    char all[256] = "";
    for (size_t i = 0; names[i]; i++) {
        if (given && strcmp(given, names[i]) == 0) {
            *code = (uint8_t)i;
            return 0;
        }
        strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1);
        strncat(all, names[i], sizeof all - strlen(all) - 1);
    }
    PyErr_Format(PyExc_ValueError, "%s must be one of %s; not %s", what, all,
                 given);
    return -1;
}

static const char *const orders[] = {
    "symmetric",  "lexicographic",      "dylan", "weighted",
    "definition", "reverse_definition", NULL};
static const char *const combinations[] = {"standard", "first", "list",   "sum",
                                           "and",      "or",    "append", NULL};
static const char *const bindings[] = {"instance", "class", "static", NULL};

/* A name, or a function instead. */
static int take_choice(const char *what, PyObject *given,
                       const char *const *names, uint8_t *code,
                       PyObject **function)
{
    if (given == NULL)
        return 0;
    if (PyUnicode_Check(given)) {
        const char *text = PyUnicode_AsUTF8(given);
        return text ? one_of(what, text, names, code) : -1;
    }
    if (PyCallable_Check(given)) {
        *function = Py_NewRef(given);
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "%s must be a name or a function, not %R",
                 what, given);
    return -1;
}

static int read_options(lbpy_generic *g, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"name",   "order",  "combination", "precedence",
                            "strict", "silent", "binding",     "failed",
                            "retry",  NULL};
    PyObject *name, *order = NULL, *combination = NULL, *precedence = NULL;
    PyObject *failed = NULL, *retry = NULL;
    const char *binding = "instance";
    int strict = 0, silent = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "U|$OOOppsOO:GenericFunction",
                                     names, &name, &order, &combination,
                                     &precedence, &strict, &silent, &binding,
                                     &failed, &retry))
        return -1;
    g->name = Py_NewRef(name);
    g->failed = optional(failed);
    g->retry = optional(retry);
    g->strict = strict;
    g->silent = silent;
    if (precedence && precedence != Py_None)
        g->precedence = PySequence_Tuple(precedence);
    return PyErr_Occurred() ||
                   take_choice("order", order, orders, &g->order, &g->chooser) <
                       0 ||
                   take_choice("combination", combination, combinations,
                               &g->combination, &g->combine) < 0 ||
                   one_of("binding", binding, bindings, &g->binding) < 0
               ? -1
               : 0;
}

static int check_options(lbpy_generic *g)
{
    if (g->combine)
        g->combination = LBPY_CALL;
    if (g->binding != LBPY_BIND_INSTANCE &&
        PyType_HasFeature(Py_TYPE(g), Py_TPFLAGS_METHOD_DESCRIPTOR)) {
        PyErr_SetString(PyExc_TypeError, "class and static bindings are of "
                                         "UnboundGenericFunction");
        return -1;
    }
    for (Py_ssize_t i = 0; g->precedence && i < PyTuple_GET_SIZE(g->precedence);
         i++)
        if (!PyUnicode_Check(PyTuple_GET_ITEM(g->precedence, i))) {
            PyErr_SetString(PyExc_TypeError,
                            "precedence must hold names of parameters");
            return -1;
        }
    return 0;
}

static PyObject *generic_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    lbpy_state *state = lbpy_state_of_subtype(type);
    if (state == NULL)
        return NULL;
    lbpy_generic *g = (lbpy_generic *)type->tp_alloc(type, 0);
    if (g == NULL)
        return NULL;
    g->state = lbpy_state_hold(state);
    g->next_generic = state->first_generic;
    g->from = &state->first_generic;
    if (g->next_generic)
        g->next_generic->from = &g->next_generic;
    state->first_generic = g;
    /* Of a class or static method the interpreter must ask __get__. */
    if (type == state->unbound_type)
        g->binding = LBPY_BIND_STATIC;
    if (read_options(g, args, kwds) < 0 || check_options(g) < 0) {
        Py_DECREF(g);
        return NULL;
    }
    choose_way(g);
    if (PyObject_SetAttrString((PyObject *)g, "__name__", g->name) < 0 ||
        PyObject_SetAttrString((PyObject *)g, "__qualname__", g->name) < 0)
        Py_CLEAR(g);
    return (PyObject *)g;
}

/* ---- as an attribute ---------------------------------------------------- */

static PyObject *generic_get(PyObject *self, PyObject *object, PyObject *type)
{
    const lbpy_generic *g = (lbpy_generic *)self;
    if (g->binding == LBPY_BIND_CLASS) {
        if (type == NULL)
            type = (PyObject *)Py_TYPE(object);
        return PyMethod_New(self, type);
    }
    if (g->binding == LBPY_BIND_STATIC || object == NULL || object == Py_None)
        return Py_NewRef(self);
    return PyMethod_New(self, object);
}

/* Is one the other, made anew from its body, as dataclass(slots=True) does? */
static int same_class(PyObject *old, PyObject *fresh)
{
    /* The qualified name may be set later. */
    static const char *const names[] = {"__module__", "__name__"};
    int same = 1;
    for (int i = 0; i < 2 && same > 0; i++) {
        PyObject *a = PyObject_GetAttrString(old, names[i]);
        PyObject *b = a ? PyObject_GetAttrString(fresh, names[i]) : NULL;
        same = b ? PyObject_RichCompareBool(a, b, Py_EQ) : -1;
        Py_XDECREF(a);
        Py_XDECREF(b);
    }
    return same;
}

/* The first class in whose body it stands counts; others have it, too. */
static PyObject *generic_set_name(PyObject *self, PyObject *const *args,
                                  Py_ssize_t nargs)
{
    lbpy_generic *g = (lbpy_generic *)self;
    if (nargs != 2 || !PyType_Check(args[0]) || !PyUnicode_Check(args[1]))
        return PyErr_Format(PyExc_TypeError,
                            "__set_name__ wants a class and a name");
    const int made_anew = g->owner ? same_class(g->owner, args[0]) : 1;
    if (made_anew < 0)
        return NULL;
    if (made_anew && g->binding != LBPY_BIND_STATIC) {
        Py_XSETREF(g->owner, Py_NewRef(args[0]));
        Py_SETREF(g->name, Py_NewRef(args[1]));
        bool whole = true;
        lbpy_forms_forget(g);
        for (lbpy_form *f = g->forms; f; f = f->next)
            whole &= lbpy_form_is_whole(g, f);
        if (!whole && lbpy_forms_rebuild(g) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* Heap types do not hand these down before 3.12. */
static PyObject *generic_init_subclass(PyObject *type, PyObject *args,
                                       PyObject *kwds)
{
    (void)args;
    PyObject *given =
        kwds ? PyDict_GetItemString(kwds, "method_descriptor") : NULL;
    PyTypeObject *cls = (PyTypeObject *)type;
    if (cls->tp_call == PyVectorcall_Call)
        cls->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
    if (given == Py_True ||
        (cls->tp_descr_get == generic_get && cls->tp_base &&
         PyType_HasFeature(cls->tp_base, Py_TPFLAGS_METHOD_DESCRIPTOR)))
        cls->tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR;
    Py_RETURN_NONE;
}

/* ---- the type ----------------------------------------------------------- */

static PyObject *get_doc(PyObject *self, void *closure)
{
    (void)closure;
    lbpy_generic *g = (lbpy_generic *)self;
    if (g->state->hooks.doc == NULL)
        Py_RETURN_NONE;
    return PyObject_CallOneArg(g->state->hooks.doc, self);
}

static int generic_traverse(PyObject *self, visitproc visit, void *arg)
{
    lbpy_generic *g = (lbpy_generic *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(g->dict);
    Py_VISIT(g->name);
    Py_VISIT(g->owner);
    Py_VISIT(g->precedence);
    Py_VISIT(g->combine);
    Py_VISIT(g->chooser);
    Py_VISIT(g->failed);
    Py_VISIT(g->retry);
    Py_VISIT(g->counts);
    Py_VISIT(g->pending);
    for (size_t i = 0; i < g->count; i++)
        Py_VISIT(g->methods[i]);
    return lbpy_forms_traverse(g, visit, arg);
}

static int generic_clear(PyObject *self)
{
    lbpy_generic *g = (lbpy_generic *)self;
    before b = {g->methods, g->count};
    g->methods = NULL;
    g->count = g->room = 0;
    g->index_room = 0;
    lbpy_forms_end(g);
    let_go(&b);
    Py_CLEAR(g->dict);
    Py_CLEAR(g->owner);
    Py_CLEAR(g->combine);
    Py_CLEAR(g->chooser);
    Py_CLEAR(g->failed);
    Py_CLEAR(g->retry);
    Py_CLEAR(g->counts);
    Py_CLEAR(g->pending);
    return 0;
}

static void generic_dealloc(PyObject *self)
{
    lbpy_generic *g = (lbpy_generic *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (g->weak)
        PyObject_ClearWeakRefs(self);
    generic_clear(self);
    if (g->entrance)
        (void)lb_generic_destroy(g->entrance);
    if (g->from)
        *g->from = g->next_generic;
    if (g->next_generic)
        g->next_generic->from = g->from;
    Py_XDECREF(g->name);
    Py_XDECREF(g->precedence);
    PyMem_Free(g->index);
    lbpy_state *state = g->state;
    type->tp_free(self);
    Py_DECREF(type);
    lbpy_state_release(state);
}

static PyMethodDef generic_methods[] = {
    {"_add", generic_add, METH_O,
     "Adds a tuple of methods in one step; equal ones are replaced."},
    {"_remove", generic_remove, METH_O, "Takes one method away."},
    {"_replace", generic_replace, METH_O, "Replaces all methods by these."},
    {"_clear", generic_clear_methods, METH_NOARGS, "Takes all methods away."},
    {"_resolve", lbpy_generic_resolve, METH_VARARGS,
     "(types, names of the last of them, or None) -> Link"},
    {"_explain", lbpy_generic_explain, METH_VARARGS,
     "(types, names or None, values or None) -> (status, items)"},
    {"_ambiguities", lbpy_generic_ambiguities, METH_VARARGS,
     "(new methods or None, whether to ask the engine) -> list of (first, "
     "second, witness, resolving, possible, names)"},
    {"map", (PyCFunction)(void (*)(void))generic_map, METH_FASTCALL,
     "map(xs, ys, ...) -> [self(x, y, ...) for x, y, ... in zip(...)]"},
    {"__set_name__", (PyCFunction)(void (*)(void))generic_set_name,
     METH_FASTCALL, NULL},
    {"__init_subclass__", (PyCFunction)(void (*)(void))generic_init_subclass,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef generic_getset[] = {
    {"methods", get_methods, NULL, "All methods, in the order of definition.",
     NULL},
    {"_methods", get_methods, NULL,
     "The same, also where a subclass has other `methods`.", NULL},
    {"counting", get_counting, set_counting,
     "True while calls are counted, which makes them slower.", NULL},
    {"pending", get_pending, set_pending,
     "What could not be added yet, for the front end, or None.", NULL},
    {"__doc__", get_doc, NULL, NULL, NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef generic_members[] = {
    {"owner", T_OBJECT, offsetof(lbpy_generic, owner), READONLY,
     "The class in whose body it was made, or None."},
    {"name", T_OBJECT_EX, offsetof(lbpy_generic, name), READONLY, "Its name."},
    {"counts", T_OBJECT, offsetof(lbpy_generic, counts), READONLY,
     "Counted calls: (method or None, names, *types) -> number; or None."},
    {"order_code", T_UBYTE, offsetof(lbpy_generic, order), READONLY, NULL},
    {"combination_code", T_UBYTE, offsetof(lbpy_generic, combination), READONLY,
     NULL},
    {"binding_code", T_UBYTE, offsetof(lbpy_generic, binding), READONLY, NULL},
    {"order_function", T_OBJECT, offsetof(lbpy_generic, chooser), READONLY,
     NULL},
    {"combine_function", T_OBJECT, offsetof(lbpy_generic, combine), READONLY,
     NULL},
    {"failed", T_OBJECT, offsetof(lbpy_generic, failed), READONLY, NULL},
    {"retry", T_OBJECT, offsetof(lbpy_generic, retry), READONLY, NULL},
    {"precedence", T_OBJECT, offsetof(lbpy_generic, precedence), READONLY,
     NULL},
    {"strict", T_BOOL, offsetof(lbpy_generic, strict), READONLY,
     "Ambiguities raise where they are defined."},
    {"silent", T_BOOL, offsetof(lbpy_generic, silent), READONLY,
     "Ambiguities are not looked for."},
    {"__dictoffset__", T_PYSSIZET, offsetof(lbpy_generic, dict), READONLY,
     NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(lbpy_generic, weak), READONLY,
     NULL},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lbpy_generic, vectorcall),
     READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot generic_slots[] = {
    {Py_tp_new, generic_new},           {Py_tp_dealloc, generic_dealloc},
    {Py_tp_traverse, generic_traverse}, {Py_tp_clear, generic_clear},
    {Py_tp_call, PyVectorcall_Call},    {Py_tp_descr_get, generic_get},
    {Py_tp_methods, generic_methods},   {Py_tp_getset, generic_getset},
    {Py_tp_members, generic_members},   {0, NULL},
};

static PyType_Spec generic_spec = {
    .name = "latebind._core.GenericFunction",
    .basicsize = sizeof(lbpy_generic),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = generic_slots,
};

/* The same but for the flag by which the interpreter passes the instance. */
static PyType_Slot unbound_slots[] = {
    {Py_tp_traverse, generic_traverse},
    {Py_tp_clear, generic_clear},
    {Py_tp_dealloc, generic_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, generic_get},
    {Py_tp_members, generic_members},
    {0, NULL},
};

static PyType_Spec unbound_spec = {
    .name = "latebind._core.UnboundGenericFunction",
    .basicsize = sizeof(lbpy_generic),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
             Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = unbound_slots,
};

static int setup_unbound(PyObject *module, lbpy_state *state)
{
    state->unbound_type = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &unbound_spec, (PyObject *)state->generic_type);
    return state->unbound_type ? PyModule_AddType(module, state->unbound_type)
                               : -1;
}

int lbpy_generic_setup(PyObject *module, lbpy_state *state)
{
    state->generic_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &generic_spec, NULL);
    if (state->generic_type == NULL ||
        PyModule_AddType(module, state->generic_type) < 0)
        return -1;
    return setup_unbound(module, state);
}
