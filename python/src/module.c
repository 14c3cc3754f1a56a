/* module.c - `latebind._core`: made in several phases, one state each.
 *
 * Order: the engine's runtime, what the types need, then the types, each by its
 * own file. At the end the runtime goes before the records that its classes
 * point to.
 */
#include "state.h"

#include "bridge.h"
#include "choice.h"
#include "generic.h"
#include "run.h"

#include <string.h>

/* ---- the engine --------------------------------------------------------- */

int lbpy_raise(lb_status status)
{
    if (PyErr_Occurred())
        return -1;
    if (status == LB_NO_MEMORY)
        PyErr_NoMemory();
    else
        PyErr_Format(status == LB_BAD_ARGUMENT || status == LB_LIMIT
                         ? PyExc_ValueError
                         : PyExc_SystemError,
                     "%s: %s", lb_status_name(status), lb_message());
    return -1;
}

lb_reader *lbpy_enter(lbpy_state *state)
{
    lb_reader *reader = NULL;
#if PY_VERSION_HEX < 0x030C0000
    /* lbpy_lock goes by it. A thread's state of another interpreter may be used
     * by another thread than the one that made it. */
    PyThreadState_Get()->thread_id = PyThread_get_thread_ident();
#endif
    if (state->idle_count)
        reader = state->idle[--state->idle_count];
    else if (lb_reader_create(state->runtime, &reader) != LB_OK)
        PyErr_NoMemory();
    if (reader)
        lb_enter(reader);
    return reader;
}

void lbpy_leave(lbpy_state *state, lb_reader *reader)
{
    if (reader == NULL)
        return;
    lb_leave(reader);
    if (state->idle_count < sizeof state->idle / sizeof *state->idle)
        state->idle[state->idle_count++] = reader;
    else
        (void)lb_reader_destroy(reader);
}

static void report(void *context, lb_status status, const char *message)
{
    lbpy_state *state = context;
    (void)message;
    /* LB_MAY_BE_AMBIGUOUS is told when somebody asks. */
    if (status == LB_AMBIGUOUS)
        __atomic_fetch_add(&state->reported, 1, __ATOMIC_RELAXED);
}

/* Of a Python object; for callers in C, who hold the interpreter's lock. */
static lb_class *class_of(void *context, lb_value value)
{
    lbpy_type *type =
        value.pointer ? lbpy_type_of(context, Py_TYPE(value.pointer)) : NULL;
    return type ? type->cls : NULL;
}

static int make_runtime(lbpy_state *state)
{
    lb_config config;
    lb_config_init(&config);
    config.reclaim = LB_RECLAIM_EPOCH;
    config.report = report;
    config.report_context = state;
    config.class_of = class_of;
    config.class_of_context = state;
    const lb_status status = lb_runtime_create(&config, &state->runtime);
    return status == LB_OK ? 0 : lbpy_raise(status);
}

lbpy_state *lbpy_state_of_subtype(PyTypeObject *type)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        PyObject *module = PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE)
                               ? ((PyHeapTypeObject *)base)->ht_module
                               : NULL;
        if (module && PyModule_GetDef(module) == &lbpy_module)
            return lbpy_state_of(module);
    }
    PyErr_Format(PyExc_TypeError, "%s is not derived from a type of latebind",
                 type->tp_name);
    return NULL;
}

/* ---- functions ---------------------------------------------------------- */

static PyObject *set_hooks(PyObject *module, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"failure", "ambiguity", "doc",
                            "settle",  "convert",   NULL};
    lbpy_hooks *hooks = &lbpy_state_of(module)->hooks;
    PyObject *failure, *ambiguity, *doc, *settle, *convert;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "OOOOO:set_hooks", names,
                                     &failure, &ambiguity, &doc, &settle,
                                     &convert))
        return NULL;
    Py_XSETREF(hooks->failure, Py_NewRef(failure));
    Py_XSETREF(hooks->ambiguity, Py_NewRef(ambiguity));
    Py_XSETREF(hooks->doc, Py_NewRef(doc));
    Py_XSETREF(hooks->settle, Py_NewRef(settle));
    Py_XSETREF(hooks->convert, Py_NewRef(convert));
    Py_RETURN_NONE;
}

static PyObject *statistics(PyObject *module, PyObject *unused)
{
    (void)unused;
    lbpy_state *state = lbpy_state_of(module);
    lb_statistics s;
    const lb_status status = lb_get_statistics(state->runtime, &s);
    if (status != LB_OK) {
        lbpy_raise(status);
        return NULL;
    }
    return Py_BuildValue(
        "{s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n}", "bytes", (Py_ssize_t)s.bytes,
        "bytes_classes", (Py_ssize_t)s.bytes_classes, "bytes_entries",
        (Py_ssize_t)s.bytes_entries, "bytes_retired",
        (Py_ssize_t)s.bytes_retired, "classes", (Py_ssize_t)s.classes,
        "generics", (Py_ssize_t)s.generics, "rules", (Py_ssize_t)s.rules,
        "types", (Py_ssize_t)state->type_count, "virtual",
        (Py_ssize_t)state->virtual_count);
}

static PyMethodDef functions[] = {
    {"set_hooks", (PyCFunction)(void (*)(void))set_hooks,
     METH_VARARGS | METH_KEYWORDS, "For the front end."},
    {"statistics", statistics, METH_NOARGS,
     "The runtime's figures: bytes and counts."},
    {NULL, NULL, 0, NULL},
};

/* ---- the module --------------------------------------------------------- */

static int make_names(lbpy_state *state)
{
    PyObject *name = PyUnicode_InternFromString("next_method");
    state->next_names = name ? PyTuple_Pack(1, name) : NULL;
    Py_XDECREF(name);
    state->predicates = PyDict_New();
    return state->next_names && state->predicates ? 0 : -1;
}

static int execute(PyObject *module)
{
    lbpy_state *state = PyMem_RawCalloc(1, sizeof *state);
    if (state == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    state->users = 1;
    *(lbpy_state **)PyModule_GetState(module) = state;
    if (make_runtime(state) < 0 || make_names(state) < 0 ||
        lbpy_types_setup(state) < 0 || lbpy_hint_setup(module, state) < 0 ||
        lbpy_method_setup(module, state) < 0 ||
        lbpy_link_setup(module, state) < 0 ||
        lbpy_choice_setup(module, state) < 0 ||
        lbpy_next_setup(module, state) < 0 ||
        lbpy_generic_setup(module, state) < 0 ||
        lbpy_bridge_setup(module, state) < 0)
        return -1;
    return 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    lbpy_state *state = lbpy_state_of(module);
    if (state == NULL)
        return 0;
    Py_VISIT(state->hint_type);
    Py_VISIT(state->wants_type);
    Py_VISIT(state->method_type);
    Py_VISIT(state->generic_type);
    Py_VISIT(state->unbound_type);
    Py_VISIT(state->link_type);
    Py_VISIT(state->choice_type);
    Py_VISIT(state->next_type);
    Py_VISIT(state->hints);
    Py_VISIT(state->hooks.failure);
    Py_VISIT(state->hooks.ambiguity);
    Py_VISIT(state->hooks.doc);
    Py_VISIT(state->hooks.settle);
    Py_VISIT(state->hooks.convert);
    Py_VISIT(state->abc_function);
    return lbpy_bridge_traverse(state, visit, arg);
}

static void clear_hooks(lbpy_state *state)
{
    Py_CLEAR(state->hooks.failure);
    Py_CLEAR(state->hooks.ambiguity);
    Py_CLEAR(state->hooks.doc);
    Py_CLEAR(state->hooks.settle);
    Py_CLEAR(state->hooks.convert);
}

static int clear(PyObject *module)
{
    if (lbpy_state_of(module)) {
        clear_hooks(lbpy_state_of(module));
        lbpy_bridge_clear(lbpy_state_of(module));
    }
    return 0;
}

void lbpy_state_release(lbpy_state *state)
{
    if (--state->users > 0)
        return;
    clear_hooks(state);
    lbpy_next_end(state);
    lb_runtime_destroy(state->runtime);
    state->runtime = NULL;
    lbpy_bridge_end(state);
    lbpy_types_end(state);
    lbpy_predicates_end(state);
    lbpy_wants_end(state);
    Py_CLEAR(state->next_names);
    Py_CLEAR(state->hints);
    Py_CLEAR(state->hint_type);
    Py_CLEAR(state->method_type);
    Py_CLEAR(state->generic_type);
    Py_CLEAR(state->unbound_type);
    Py_CLEAR(state->link_type);
    Py_CLEAR(state->choice_type);
    Py_CLEAR(state->next_type);
    PyMem_RawFree(state);
}

static void free_module(void *module)
{
    if (lbpy_state_of(module)) {
        lbpy_bridge_clear(lbpy_state_of(module));
        lbpy_state_release(lbpy_state_of(module));
    }
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    /* What is not in a call's short way is guarded by the interpreter's lock. */
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL},
};

PyModuleDef lbpy_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "latebind._core",
    .m_doc = "The engine's side of latebind.",
    .m_size = sizeof(lbpy_state *),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&lbpy_module);
}
