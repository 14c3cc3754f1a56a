/* run.c - carrying out links: plain calls, frames, combinations, failures.
 *
 * No state of a call lives anywhere but on the stack, so that calls nest and
 * generators, coroutines and threads do as they please. What befores, afters and
 * propagated methods return is dropped. The first exception ends the call, as it
 * is, but for those of `retry`, after which the next method is tried.
 */
#include "run.h"

#include "bridge.h"

#include <string.h>

static Py_ssize_t all_count(size_t nargsf, PyObject *kwnames)
{
    return PyVectorcall_NARGS(nargsf) +
           (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
}

/* ---- failures ----------------------------------------------------------- */

static const char *reason_of(lb_status status)
{
    switch (status) {
    case LB_AMBIGUOUS:
        return "ambiguous";
    case LB_NO_NEXT_METHOD:
        return "exhausted";
    default:
        return "missing";
    }
}

static PyObject *keywords_of(PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    PyObject *keywords = PyDict_New();
    for (Py_ssize_t i = 0; keywords && kwnames && i < PyTuple_GET_SIZE(kwnames);
         i++)
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(kwnames, i),
                           args[nargs + i]) < 0)
            Py_CLEAR(keywords);
    return keywords;
}

/* hook(generic, reason, args, keywords[, methods that are tied]) */
static PyObject *ask(PyObject *hook, lbpy_generic *g, lb_status status,
                     lbpy_method *tie, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *result = NULL;
    PyObject *positional = PyTuple_New(nargs);
    PyObject *keywords = keywords_of(args, nargs, kwnames);
    for (Py_ssize_t i = 0; positional && i < nargs; i++)
        PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    if (positional && keywords) {
        if (hook == g->failed)
            result = PyObject_CallFunction(hook, "OsOO", g, reason_of(status),
                                           positional, keywords);
        else if (tie == NULL || tie->tied == NULL)
            result = PyObject_CallFunction(hook, "OsOOO", g, reason_of(status),
                                           positional, keywords, Py_None);
        else
            result = PyObject_CallFunction(
                hook, "OsOON", g, reason_of(status), positional, keywords,
                PyTuple_GetSlice(tie->tied, 0, lbpy_method_tied(tie)));
    }
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}

PyObject *lbpy_run_failure(lbpy_generic *g, lb_status status, lbpy_method *tie,
                           PyObject *const *args, size_t nargsf,
                           PyObject *kwnames)
{
    if (g->failed)
        return ask(g->failed, g, status, tie, args, nargsf, kwnames);
    if (g->state->hooks.failure == NULL) {
        PyErr_Format(PyExc_TypeError, "%U: %s", g->name, reason_of(status));
        return NULL;
    }
    PyObject *exception =
        ask(g->state->hooks.failure, g, status, tie, args, nargsf, kwnames);
    if (exception)
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_XDECREF(exception);
    return NULL;
}

/* ---- what the base class has -------------------------------------------- */

/* Is the attribute `value` of a class the generic function itself? */
static bool is_it(const lbpy_generic *g, PyObject *value)
{
    if (value == (PyObject *)g)
        return true;
    if (!Py_IS_TYPE(value, &PyClassMethod_Type) &&
        !Py_IS_TYPE(value, &PyStaticMethod_Type))
        return false;
    PyObject *inner = PyObject_GetAttrString(value, "__func__");
    const bool same = inner == (PyObject *)g;
    Py_XDECREF(inner);
    PyErr_Clear();
    return same;
}

/* A class's own dictionary, a new reference. That of a built-in one is not in
 * tp_dict since Python 3.12. */
static PyObject *names_of(PyTypeObject *cls)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyType_GetDict(cls);
#else
    return Py_XNewRef(cls->tp_dict);
#endif
}

/* Looks along an MRO for the class in which the generic function is, and whether
 * another one after it has an attribute of that name; not object, whose methods
 * take what nobody wants. The class, borrowed; NULL: no such. */
static PyTypeObject *class_before(lbpy_generic *g, PyTypeObject *type)
{
    PyTypeObject *here = NULL;
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *cls = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        PyObject *names = cls == &PyBaseObject_Type ? NULL : names_of(cls);
        PyObject *value =
            names ? PyDict_GetItemWithError(names, g->name) : NULL;
        Py_XDECREF(names); /* the class has it */
        if (value && here)
            return here;
        if (value && is_it(g, value))
            here = cls;
    }
    return NULL;
}

int lbpy_inherited(lbpy_generic *g, PyObject *self, PyObject **bound)
{
    PyTypeObject *here =
        PyType_Check(self) ? class_before(g, (PyTypeObject *)self) : NULL;
    if (here == NULL)
        here = class_before(g, Py_TYPE(self));
    if (here == NULL || bound == NULL)
        return PyErr_Occurred() ? -1 : here != NULL;
    PyObject *above = PyObject_CallFunctionObjArgs((PyObject *)&PySuper_Type,
                                                   here, self, NULL);
    *bound = above ? PyObject_GetAttr(above, g->name) : NULL;
    Py_XDECREF(above);
    return *bound ? 1 : -1;
}

static PyObject *run_inherited(lbpy_generic *g, lbpy_link *link,
                               PyObject *const *args, size_t nargsf,
                               PyObject *kwnames)
{
    const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *bound = NULL;
    /* A failure of one's own decides alone what comes then. */
    const int has =
        nargs && !g->failed ? lbpy_inherited(g, args[0], &bound) : 0;
    if (has < 0)
        return NULL;
    if (has == 0)
        return lbpy_run_failure(g, link->status, NULL, args, nargsf, kwnames);
    PyObject *result =
        PyObject_Vectorcall(bound, args + 1, (size_t)(nargs - 1), kwnames);
    Py_DECREF(bound);
    return result;
}

/* ---- exchanged arguments ------------------------------------------------ */

enum { FEW = 10 };

PyObject *lbpy_run_swapped(lbpy_generic *g, lbpy_link *inner,
                           PyObject *const *args, size_t nargsf,
                           PyObject *kwnames)
{
    const Py_ssize_t count = all_count(nargsf, kwnames);
    const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *few[FEW] = {NULL};
    PyObject **swapped =
        count <= FEW ? few : PyMem_Malloc((size_t)count * sizeof *swapped);
    if (swapped == NULL)
        return PyErr_NoMemory();
    if (count)
        memcpy(swapped, args, (size_t)count * sizeof *swapped);
    if (nargs >= 2) {
        swapped[0] = args[1];
        swapped[1] = args[0];
    }
    PyObject *result = lbpy_run(g, inner, swapped, (size_t)nargs, kwnames);
    if (swapped != few)
        PyMem_Free(swapped);
    return result;
}

/* ---- the next method ---------------------------------------------------- */

/* `names` and "next_method". */
static PyObject *with_next(lbpy_state *state, PyObject *names)
{
    if (names == NULL || PyTuple_GET_SIZE(names) == 0)
        return Py_NewRef(state->next_names);
    return PySequence_Concat(names, state->next_names);
}

static PyObject *call_with_next(lbpy_generic *g, lbpy_link *link,
                                PyObject *const *args, size_t nargsf,
                                PyObject *kwnames)
{
    const Py_ssize_t count = all_count(nargsf, kwnames);
    const Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *few[FEW + 2];
    PyObject **all =
        count <= FEW ? few : PyMem_Malloc((size_t)(count + 2) * sizeof *all);
    if (all == NULL)
        return PyErr_NoMemory();
    PyObject *names = with_next(g->state, kwnames);
    PyObject *next =
        lbpy_next_make(g, link->next, link->next_swapped, args, nargs, kwnames);
    PyObject *result = NULL;
    if (names && next) {
        /* all[0] is the callee's to use. */
        if (count)
            memcpy(all + 1, args, (size_t)count * sizeof *all);
        all[count + 1] = next;
        result = PyObject_Vectorcall(
            link->method->function, all + 1,
            (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    }
    Py_XDECREF(names);
    Py_XDECREF(next);
    if (all != few)
        PyMem_Free(all);
    return result;
}

/* ---- methods ------------------------------------------------------------ */

static PyObject *converted(lbpy_generic *g, lbpy_link *link, PyObject *result)
{
    if (result == NULL || g->state->hooks.convert == NULL)
        return result;
    PyObject *other = PyObject_CallFunctionObjArgs(g->state->hooks.convert,
                                                   result, link->method, NULL);
    Py_DECREF(result);
    return other;
}

PyObject *lbpy_run_next(lbpy_generic *g, lbpy_link *link, PyObject *const *args,
                        size_t nargsf, PyObject *kwnames)
{
    if (link->next == NULL || !PyErr_ExceptionMatches(g->retry))
        return NULL;
    if (link->next->kind == LBPY_LINK_END && g->failed == NULL)
        return NULL; /* the exception says more */
    PyErr_Clear();
    return link->next_swapped
               ? lbpy_run_swapped(g, link->next, args, nargsf, kwnames)
               : lbpy_run(g, link->next, args, nargsf, kwnames);
}

static PyObject *run_method(lbpy_generic *g, lbpy_link *link,
                            PyObject *const *args, size_t nargsf,
                            PyObject *kwnames)
{
    PyObject *result = link->kind == LBPY_LINK_NEXT
                           ? call_with_next(g, link, args, nargsf, kwnames)
                           : PyObject_Vectorcall(link->method->function, args,
                                                 nargsf, kwnames);
    if (link->method->converts)
        result = converted(g, link, result);
    return result || g->retry == NULL
               ? result
               : lbpy_run_next(g, link, args, nargsf, kwnames);
}

/* ---- frames ------------------------------------------------------------- */

/* Runs parts from `from` to `to`; 0, or -1. */
static int run_parts(lbpy_generic *g, lbpy_link *link, Py_ssize_t from,
                     Py_ssize_t to, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    for (Py_ssize_t i = from; i < to; i++) {
        lbpy_link *part = (lbpy_link *)PyTuple_GET_ITEM(link->parts, i);
        PyObject *dropped = lbpy_run(g, part, args, nargsf, kwnames);
        if (dropped == NULL)
            return -1;
        Py_DECREF(dropped);
    }
    return 0;
}

/* Is there something that is inherited? */
static int inherits(lbpy_generic *g, PyObject *const *args, size_t nargsf)
{
    return PyVectorcall_NARGS(nargsf) && !g->failed
               ? lbpy_inherited(g, args[0], NULL)
               : 0;
}

/* The propagated method, if there is one. */
static int run_propagated(lbpy_generic *g, lbpy_link *link,
                          PyObject *const *args, size_t nargsf,
                          PyObject *kwnames)
{
    if (link->next->kind == LBPY_LINK_END)
        return 0;
    if (link->next->kind == LBPY_LINK_INHERIT) {
        const int has = inherits(g, args, nargsf);
        if (has <= 0)
            return has;
    }
    PyObject *dropped = lbpy_run(g, link->next, args, nargsf, kwnames);
    Py_XDECREF(dropped);
    return dropped ? 0 : -1;
}

static PyObject *run_frame(lbpy_generic *g, lbpy_link *link,
                           PyObject *const *args, size_t nargsf,
                           PyObject *kwnames)
{
    const Py_ssize_t parts = link->parts ? PyTuple_GET_SIZE(link->parts) : 0;
    const int may =
        link->inner->kind == LBPY_LINK_INHERIT ? inherits(g, args, nargsf) : 1;
    if (may < 0)
        return NULL;
    if (may == 0)
        return lbpy_run_failure(g, link->inner->status, NULL, args, nargsf,
                                kwnames);
    if (run_parts(g, link, 0, link->befores, args, nargsf, kwnames) < 0 ||
        (link->at_start && run_propagated(g, link, args, nargsf, kwnames) < 0))
        return NULL;
    PyObject *result = lbpy_run(g, link->inner, args, nargsf, kwnames);
    if (result &&
        ((link->at_end && run_propagated(g, link, args, nargsf, kwnames) < 0) ||
         run_parts(g, link, link->befores, parts, args, nargsf, kwnames) < 0))
        Py_CLEAR(result);
    return result;
}

/* ---- combinations ------------------------------------------------------- */

/* Takes over `one`; folds it into *all. 1: enough, 0: go on, -1. */
static int fold(lbpy_generic *g, PyObject **all, PyObject *one)
{
    PyObject *sum;
    int truth;
    if (*all == NULL || g->combination == LBPY_AND ||
        g->combination == LBPY_OR) {
        Py_XSETREF(*all, one);
        if (g->combination != LBPY_AND && g->combination != LBPY_OR)
            return 0;
        truth = PyObject_IsTrue(one);
        return truth < 0 ? -1 : truth == (g->combination == LBPY_OR);
    }
    sum = g->combination == LBPY_APPEND ? PySequence_Concat(*all, one)
                                        : PyNumber_Add(*all, one);
    Py_DECREF(one);
    Py_SETREF(*all, sum);
    return sum ? 0 : -1;
}

static PyObject *run_folded(lbpy_generic *g, lbpy_link *link,
                            PyObject *const *args, size_t nargsf,
                            PyObject *kwnames)
{
    PyObject *all = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(link->parts); i++) {
        lbpy_link *part = (lbpy_link *)PyTuple_GET_ITEM(link->parts, i);
        PyObject *one = lbpy_run(g, part, args, nargsf, kwnames);
        const int enough = one ? fold(g, &all, one) : -1;
        if (enough < 0) {
            Py_XDECREF(all);
            return NULL;
        }
        if (enough)
            break;
    }
    return all;
}

static PyObject *run_list(lbpy_generic *g, lbpy_link *link,
                          PyObject *const *args, size_t nargsf,
                          PyObject *kwnames)
{
    PyObject *all = PyList_New(0);
    for (Py_ssize_t i = 0; all && i < PyTuple_GET_SIZE(link->parts); i++) {
        lbpy_link *part = (lbpy_link *)PyTuple_GET_ITEM(link->parts, i);
        PyObject *one = lbpy_run(g, part, args, nargsf, kwnames);
        if (one == NULL || PyList_Append(all, one) < 0)
            Py_CLEAR(all);
        Py_XDECREF(one);
    }
    if (all && g->combination == LBPY_CALL) {
        PyObject *combine = Py_NewRef(g->combine);
        PyObject *result = PyObject_CallOneArg(combine, all);
        Py_DECREF(combine);
        Py_SETREF(all, result);
    }
    return all;
}

/* ---- all of it ---------------------------------------------------------- */

static PyObject *run(lbpy_generic *g, lbpy_link *link, PyObject *const *args,
                     size_t nargsf, PyObject *kwnames)
{
    switch (link->kind) {
    case LBPY_LINK_PLAIN:
    case LBPY_LINK_NEXT:
        return run_method(g, link, args, nargsf, kwnames);
    case LBPY_LINK_SWAPPED:
        return lbpy_run_swapped(g, link->inner, args, nargsf, kwnames);
    case LBPY_LINK_FRAME:
        return run_frame(g, link, args, nargsf, kwnames);
    case LBPY_LINK_COMBINED:
        return g->combination == LBPY_LIST || g->combination == LBPY_CALL
                   ? run_list(g, link, args, nargsf, kwnames)
                   : run_folded(g, link, args, nargsf, kwnames);
    case LBPY_LINK_INHERIT:
        return run_inherited(g, link, args, nargsf, kwnames);
    case LBPY_LINK_END:
        break;
    }
    return lbpy_run_failure(g, link->status, link->method, args, nargsf,
                            kwnames);
}

PyObject *lbpy_run(lbpy_generic *g, lbpy_link *link, PyObject *const *args,
                   size_t nargsf, PyObject *kwnames)
{
    if (Py_EnterRecursiveCall(" in a generic function"))
        return NULL;
    Py_INCREF(link);
    PyObject *result =
        run(g, link, args, (size_t)PyVectorcall_NARGS(nargsf), kwnames);
    Py_DECREF(link);
    Py_LeaveRecursiveCall();
    return result;
}

/* ---- calls by the engine ------------------------------------------------ */

/* The arguments' types, as the form has slots; 0, or -1. May run Python code. */
static int records_of(lbpy_generic *g, const lbpy_form *form,
                      PyObject *const *args, lbpy_type **records)
{
    const uint64_t generation = form->generation;
    for (unsigned i = 0; i < form->slots; i++) {
        PyTypeObject *type = lbpy_is_packed(form, i)
                                 ? &PyTuple_Type
                                 : Py_TYPE(args[form->argument[i]]);
        records[i] = lbpy_type_of(g->state, type);
        if (records[i] == NULL)
            return -1;
        if (form->generation != generation)
            return 0;
    }
    return 0;
}

/* What `entry` of one of the generic function's forms runs. When Python code
 * changed the form meanwhile, the call is made anew. */
static PyObject *run_entry(lbpy_generic *g, lbpy_form *form,
                           const lb_entry *entry, PyObject *const *args)
{
    lbpy_type *records[LBPY_MAX_SLOTS];
    PyObject *kwnames = Py_XNewRef(form->kwnames), *result = NULL;
    const size_t nargs = (size_t)form->positional;
    const uint64_t revision = g->revision;
    form->users++;
    const int status = records_of(g, form, args, records);
    form->users--;
    if (status == 0 &&
        (form->generic != entry->generic || revision != g->revision)) {
        result = PyObject_Vectorcall((PyObject *)g, args, nargs, kwnames);
    } else if (status == 0) {
        const lbpy_found found = {.records = records};
        const int collects = PyGC_Disable();
        lbpy_link *link = lbpy_link_of(g, form, entry, &found, true);
        if (collects)
            PyGC_Enable();
        if (link)
            result = lbpy_run(g, link, args, nargs, kwnames);
        Py_XDECREF(link);
    }
    Py_XDECREF(kwnames);
    return result;
}

static PyObject *run_for_engine(lbpy_state *state, const lb_entry *entry,
                                size_t argc, const lb_value *argv)
{
    PyObject *few[FEW], *result = NULL;
    lbpy_form *form = NULL;
    lbpy_generic *g = lbpy_generic_owner(state, entry->generic, &form);
    if (g == NULL || argc != (size_t)lbpy_form_arguments(form))
        return PyErr_Format(PyExc_SystemError,
                            "a call by the engine of what no generic function "
                            "of Python has");
    PyObject **args = argc <= FEW ? few : PyMem_Malloc(argc * sizeof *args);
    if (args == NULL)
        return PyErr_NoMemory();
    for (size_t i = 0; i < argc; i++)
        args[i] = argv[i].pointer;
    lb_reader *reader = lbpy_enter(state);
    if (reader) {
        Py_INCREF(g);
        result = run_entry(g, form, entry, args);
        Py_DECREF(g);
    }
    lbpy_leave(state, reader);
    if (args != few)
        PyMem_Free(args);
    return result;
}

lb_status lbpy_run_boxed(lb_slot slot, size_t argc, const lb_value *argv,
                         lb_value *result)
{
    const lb_entry *entry = lb_load_entry(slot);
    PyObject *method = entry->context;
    PyObject *module = ((PyHeapTypeObject *)Py_TYPE(method))->ht_module;
    lbpy_held held;
    result->pointer = NULL;
    if (module == NULL)
        return lb_fail_with(LB_METHOD_FAILED, "the interpreter is ending");
    lbpy_state *state = lbpy_state_of(module);
    if (!lbpy_lock(state, &held))
        return LB_METHOD_FAILED;
    Py_INCREF(method);
    PyObject *answer = run_for_engine(state, entry, argc, argv);
    /* A thread that did not have the lock cannot see an exception. */
    if (answer == NULL && held.how != LBPY_HAD)
        lbpy_frame_fail(state, method);
    Py_DECREF(method);
    result->pointer = answer;
    lbpy_unlock(&held);
    return answer ? LB_OK
                  : lb_fail_with(LB_METHOD_FAILED,
                                 "a method in Python raised an exception");
}
