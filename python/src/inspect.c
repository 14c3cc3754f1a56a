/* inspect.c - questions about a generic function, for the front end.
 *
 * Everything is asked of the engine for one form of call and handed out as
 * plain tuples; words are the front end's. Types stand for arguments; where a
 * form leaves an argument out of the dispatch its place holds None.
 */
#include "inspect.h"

#include "resolve.h"
#include "run.h"
#include "specificity.h"

/* ---- a call by types ---------------------------------------------------- */

/* What the front end asks about: types (or values) and the names of the last of
 * them. */
typedef struct question {
    PyObject *types;  /* tuple of types */
    PyObject *names;  /* tuple of str, or NULL */
    PyObject *values; /* tuple, or NULL */
    lbpy_form *form;  /* NULL: no method takes such a call */
} question;

static bool all_of(PyObject *tuple, bool types)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (types ? !PyType_Check(PyTuple_GET_ITEM(tuple, i))
                  : !PyUnicode_Check(PyTuple_GET_ITEM(tuple, i)))
            return false;
    return true;
}

/* 0, or -1 and an exception. */
static int read_question(lbpy_generic *g, PyObject *args, question *q)
{
    PyObject *names = Py_None, *values = Py_None;
    *q = (question){NULL, NULL, NULL, NULL};
    if (!PyArg_ParseTuple(args, "O!|OO", &PyTuple_Type, &q->types, &names,
                          &values))
        return -1;
    const bool named = names != Py_None && PyTuple_Check(names);
    if ((names != Py_None && !named) || !all_of(q->types, true) ||
        (named && (!all_of(names, false) ||
                   PyTuple_GET_SIZE(names) > PyTuple_GET_SIZE(q->types))) ||
        (values != Py_None &&
         (!PyTuple_Check(values) ||
          PyTuple_GET_SIZE(values) != PyTuple_GET_SIZE(q->types)))) {
        PyErr_SetString(PyExc_TypeError,
                        "types, then names of the last of them, then as many "
                        "values, all in tuples, are wanted");
        return -1;
    }
    q->names = named ? names : NULL;
    q->values = values == Py_None ? NULL : values;
    q->form = lbpy_form_of(
        g, PyTuple_GET_SIZE(q->types) - (named ? PyTuple_GET_SIZE(names) : 0),
        q->names);
    return q->form == NULL && PyErr_Occurred() ? -1 : 0;
}

static lbpy_link *answer(lbpy_generic *g, const question *q)
{
    if (q->form == NULL)
        return lbpy_link_end(g, LB_NO_METHOD);
    q->form->users++;
    lbpy_link *link =
        lbpy_resolve_types(g, q->form, &PyTuple_GET_ITEM(q->types, 0),
                           q->values ? &PyTuple_GET_ITEM(q->values, 0) : NULL);
    q->form->users--;
    return link;
}

PyObject *lbpy_generic_resolve(PyObject *self, PyObject *args)
{
    lbpy_generic *g = (lbpy_generic *)self;
    question q;
    if (read_question(g, args, &q) < 0)
        return NULL;
    return (PyObject *)answer(g, &q);
}

/* ---- explain ------------------------------------------------------------ */

/* (method, verdict, argument, rank, swapped) appended */
static int add_item(const lbpy_form *form, const lb_explanation_item *item,
                    PyObject *method, lb_verdict verdict, PyObject *items)
{
    const int argument =
        item->verdict >= LB_REJECTED_CLASS && item->argument < form->slots
            ? form->argument[item->argument]
            : -1;
    PyObject *one =
        Py_BuildValue("OiiiO", method, (int)verdict, argument, (int)item->rank,
                      item->swapped ? Py_True : Py_False);
    const int status = one ? PyList_Append(items, one) : -1;
    Py_XDECREF(one);
    return status;
}

/* Of a bundle each method, what comes after the chosen one being next. */
static int add_items(const lbpy_form *form, const lb_explanation_item *item,
                     PyObject *items)
{
    lbpy_method *method = item->rule->context;
    if (method->tied == NULL)
        return add_item(form, item, (PyObject *)method, item->verdict, items);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(method->tied); i++) {
        lb_verdict verdict = item->verdict;
        if (verdict == LB_CHOSEN && method->ambiguous)
            verdict = i < lbpy_method_tied(method) ? LB_TIED : LB_UNREACHED;
        else if (verdict == LB_CHOSEN && i > 0)
            verdict = LB_NEXT;
        if (add_item(form, item, PyTuple_GET_ITEM(method->tied, i), verdict,
                     items) < 0)
            return -1;
    }
    return 0;
}

static PyObject *items_of(const lbpy_form *form, const lb_explanation *e)
{
    PyObject *items = PyList_New(0);
    for (size_t i = 0; items && i < e->count; i++)
        if (e->items[i].rule->method->fn == (lb_fn)lbpy_run_boxed &&
            add_items(form, &e->items[i], items) < 0)
            Py_CLEAR(items);
    return items;
}

/* The methods of a form's rules, held: a test of values may remove one. */
static PyObject *methods_of(const lbpy_form *form)
{
    PyObject *methods = PyTuple_New((Py_ssize_t)form->count);
    for (size_t i = 0; methods && i < form->count; i++)
        PyTuple_SET_ITEM(methods, (Py_ssize_t)i,
                         Py_NewRef((PyObject *)form->rules[i]->method));
    return methods;
}

/* A call as the engine takes it; its values are held. */
typedef struct asked_call {
    lbpy_type *records[LBPY_MAX_SLOTS];
    lb_class *classes[LBPY_MAX_SLOTS];
    lb_value values[LBPY_MAX_SLOTS];
    PyObject *held[LBPY_MAX_SLOTS];
} asked_call;

static int prepare_call(lbpy_generic *g, const question *q, asked_call *call)
{
    const lbpy_form *form = q->form;
    PyObject *const *given = q->values ? &PyTuple_GET_ITEM(q->values, 0) : NULL;
    for (unsigned i = 0; i < form->slots; i++) {
        PyObject *type = lbpy_is_packed(form, i)
                             ? (PyObject *)&PyTuple_Type
                             : PyTuple_GET_ITEM(q->types, form->argument[i]);
        call->records[i] = lbpy_type_of(g->state, (PyTypeObject *)type);
        if (call->records[i] == NULL)
            return -1;
        call->classes[i] = call->records[i]->cls;
        if (given && (call->held[i] = lbpy_slot_value(form, given, i)) == NULL)
            return -1;
        call->values[i] = lb_pointer(call->held[i]);
    }
    return 0;
}

/* No Python code runs between the engine's answer and the end of this. */
static PyObject *take_answer(lbpy_generic *g, const lbpy_form *form,
                             const asked_call *call, lb_explanation *e)
{
    const int collects = PyGC_Disable();
    lbpy_correct(g, form, call->records, e);
    PyObject *items = items_of(form, e);
    if (collects)
        PyGC_Enable();
    return items;
}

static PyObject *ask_engine(lbpy_generic *g, const question *q,
                            const asked_call *call, bool *changed)
{
    const lbpy_form *form = q->form;
    const uint64_t revision = g->revision, generation = form->generation;
    lb_explanation *e = NULL;
    PyObject *items = NULL;
    lbpy_forms_hold(g);
    const lb_status status =
        lb_explain(form->generic, form->slots, call->classes,
                   q->values ? call->values : NULL, &e);
    *changed = revision != g->revision || generation != form->generation;
    if (status != LB_OK || PyErr_Occurred())
        lbpy_raise(status);
    else
        items = *changed ? PyList_New(0) : take_answer(g, form, call, e);
    lb_explanation_free(e);
    lbpy_forms_let_go(g);
    return items;
}

/* One try; *changed: Python code changed the methods meanwhile. */
static PyObject *explain_once(lbpy_generic *g, const question *q, bool *changed)
{
    const uint64_t revision = g->revision, generation = q->form->generation;
    asked_call call = {.held = {NULL}};
    PyObject *items = NULL, *methods = methods_of(q->form);
    const int status = methods ? prepare_call(g, q, &call) : -1;
    *changed = revision != g->revision || generation != q->form->generation;
    if (status == 0)
        items = *changed ? PyList_New(0) : ask_engine(g, q, &call, changed);
    for (unsigned i = 0; i < LBPY_MAX_SLOTS; i++)
        Py_XDECREF(call.held[i]);
    Py_XDECREF(methods);
    return items;
}

static PyObject *explain_form(lbpy_generic *g, const question *q)
{
    PyObject *items = NULL;
    bool changed;
    unsigned times = 0;
    q->form->users++;
    do {
        changed = false;
        Py_XSETREF(items, q->form->generic ? explain_once(g, q, &changed)
                                           : PyList_New(0));
        if (items && changed && lbpy_look_again(g, &times) < 0)
            Py_CLEAR(items);
    } while (items && changed);
    q->form->users--;
    return items;
}

PyObject *lbpy_generic_explain(PyObject *self, PyObject *args)
{
    lbpy_generic *g = (lbpy_generic *)self;
    question q;
    if (read_question(g, args, &q) < 0)
        return NULL;
    lbpy_link *link = answer(g, &q);
    PyObject *items = NULL, *result = NULL;
    if (link)
        items = q.form ? explain_form(g, &q) : PyList_New(0);
    if (items)
        result = PyTuple_Pack(2, link, items);
    Py_XDECREF(items);
    Py_XDECREF(link);
    return result;
}

/* ---- ambiguities -------------------------------------------------------- */

int lbpy_append_ambiguity(PyObject *list, const lbpy_form *form,
                          PyObject *first, PyObject *second, PyObject *witness,
                          PyObject *resolving, int possible)
{
    PyObject *one =
        Py_BuildValue("OOOOOnO", first, second, witness, resolving,
                      possible ? Py_True : Py_False, form->positional,
                      form->kwnames ? form->kwnames : Py_None);
    const int status = one ? PyList_Append(list, one) : -1;
    Py_XDECREF(one);
    return status;
}

PyObject *lbpy_form_types(const lbpy_form *form, lb_class *const *classes)
{
    const Py_ssize_t count = lbpy_form_arguments(form);
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t a = 0; tuple && a < count; a++) {
        PyObject *one = Py_NewRef(Py_None);
        for (unsigned i = 0; i < form->slots; i++)
            if (form->argument[i] == a && classes[i]) {
                lbpy_type *record = lb_class_context(classes[i]);
                if (record)
                    Py_SETREF(one, lbpy_type_object(record));
            }
        PyTuple_SET_ITEM(tuple, a, one);
    }
    return tuple;
}

/* Do all that the engine names stand as it knows them? A dead type's class stays
 * while one that derived from it was not looked at since. */
static bool are_there(const lbpy_form *form, lb_class *const *classes)
{
    for (unsigned i = 0; i < form->slots; i++) {
        const lbpy_type *record =
            classes[i] ? lb_class_context(classes[i]) : NULL;
        if (record && !lbpy_type_is_there(record))
            return false;
    }
    return true;
}

typedef struct visiting {
    const lbpy_form *form;
    PyObject *list;
} visiting;

static int visit_ambiguity(void *context, const lb_ambiguity *a)
{
    const visiting *v = context;
    if (a->first->method->fn != (lb_fn)lbpy_run_boxed ||
        a->second->method->fn != (lb_fn)lbpy_run_boxed ||
        !are_there(v->form, a->witness) || !are_there(v->form, a->resolving))
        return 0;
    PyObject *witness = lbpy_form_types(v->form, a->witness);
    PyObject *resolving = lbpy_form_types(v->form, a->resolving);
    const int status =
        witness && resolving
            ? lbpy_append_ambiguity(v->list, v->form,
                                    lbpy_method_first(a->first->context),
                                    lbpy_method_first(a->second->context),
                                    witness, resolving, a->possible)
            : -1;
    Py_XDECREF(witness);
    Py_XDECREF(resolving);
    return status != 0;
}

/* What the engine found, with methods that stand for ties. */
static int engine_ambiguities(const lbpy_form *form, PyObject *list)
{
    visiting v = {form, list};
    const lb_status status =
        form->generic ? lb_ambiguities(form->generic, visit_ambiguity, &v, NULL)
                      : LB_OK;
    if (PyErr_Occurred())
        return -1;
    return status == LB_OK ? 0 : lbpy_raise(status);
}

static int ties(const lbpy_form *form, PyObject *list)
{
    for (size_t i = 0; i < form->count; i++) {
        const lbpy_rule *rule = form->rules[i];
        lb_class *classes[LBPY_MAX_SLOTS];
        if (!rule->method->ambiguous)
            continue;
        for (unsigned k = 0; k < form->slots; k++)
            classes[k] = rule->want[k].base ? rule->want[k].base->cls : NULL;
        PyObject *witness = lbpy_form_types(form, classes);
        const int status =
            witness
                ? lbpy_append_ambiguity(list, form,
                                        PyTuple_GET_ITEM(rule->method->tied, 0),
                                        PyTuple_GET_ITEM(rule->method->tied, 1),
                                        witness, witness, 0)
                : -1;
        Py_XDECREF(witness);
        if (status < 0)
            return -1;
    }
    return 0;
}

enum { MET_LAST = 128 };

/* Lets types take their places below virtual classes: those that rules name, and
 * of the others at a definition only some, so that its cost has a bound. */
static int meet(lbpy_generic *g, bool all)
{
    bool wanted = false;
    for (const lbpy_form *f = g->forms; f; f = f->next)
        wanted |= f->by_virtual;
    return wanted ? lbpy_types_refresh(g->state, all ? SIZE_MAX : MET_LAST) : 0;
}

/* Runs no Python code; the collector, which may, is held off. */
static int find_all(lbpy_generic *g, PyObject *fresh, bool engine,
                    PyObject *list)
{
    int status = 0;
    const int collects = PyGC_Disable();
    for (const lbpy_form *f = g->forms; f && status == 0; f = f->next) {
        if (engine)
            status = engine_ambiguities(f, list);
        if (status == 0)
            status = ties(f, list);
    }
    if (status == 0)
        status = lbpy_virtual_ties(g, fresh, list);
    if (collects)
        PyGC_Enable();
    return status;
}

PyObject *lbpy_generic_ambiguities(PyObject *self, PyObject *args)
{
    lbpy_generic *g = (lbpy_generic *)self;
    PyObject *fresh = Py_None;
    int engine = 1;
    if (!PyArg_ParseTuple(args, "|Op", &fresh, &engine))
        return NULL;
    if (fresh != Py_None && !PyTuple_Check(fresh))
        return PyErr_Format(PyExc_TypeError, "a tuple of methods is wanted");
    if (meet(g, fresh == Py_None) < 0)
        return NULL;
    PyObject *list = PyList_New(0);
    if (list && find_all(g, fresh == Py_None ? NULL : fresh, engine, list) < 0)
        Py_CLEAR(list);
    return list;
}
