/* bridge.c - the bridge's set-up and end, the interpreter's lock, calls.
 *
 * Who takes the lock (lbpy_lock), in this order:
 *   1. a thread that holds it goes on;
 *   2. one of the main interpreter does as every C thread does,
 *      PyGILState_Ensure;
 *   3. of another interpreter it gets a thread state for the time, since
 *      PyGILState knows the main one only.
 *
 * A call of C by Python has a frame on the stack, linked from the bridge. A
 * method in Python that C runs and that raises leaves its exception there: C
 * has no way to hand it on.
 */
#include "bridge.h"

#include "run.h"

/* ---- the interpreter's lock --------------------------------------------- */

/* Before 3.12 this is the thread that holds the lock, whichever it is. */
static PyThreadState *holder(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked();
#else
    return _PyThreadState_UncheckedGet();
#endif
}

static bool is_ending(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return !Py_IsInitialized() || Py_IsFinalizing();
#else
    return !Py_IsInitialized() || _Py_IsFinalizing();
#endif
}

/* The state of this thread that holds the lock, or NULL. */
static PyThreadState *own_holder(const lbpy_state *state)
{
    PyThreadState *thread = holder();
#if PY_VERSION_HEX < 0x030C0000
    /* That of another thread may be going away while we look at it, so it is
     * looked at only where there is no other way. */
    if (thread == NULL || thread == PyGILState_GetThisThreadState())
        return thread;
    if (state->bridge->interpreter == PyInterpreterState_Main() ||
        thread->thread_id != PyThread_get_thread_ident())
        return NULL;
#else
    (void)state;
#endif
    return thread;
}

static bool refuse(const char *why)
{
    (void)lb_fail_with(LB_METHOD_FAILED, why);
    return false;
}

bool lbpy_lock(const lbpy_state *state, lbpy_held *held)
{
    PyInterpreterState *wanted = state->bridge->interpreter;
    if (!Py_IsInitialized())
        return refuse("a method in Python: the interpreter has ended");
    PyThreadState *thread = own_holder(state);
    if (thread) {
        held->how = LBPY_HAD;
        return PyThreadState_GetInterpreter(thread) == wanted ||
               refuse("a method in Python was called by another interpreter");
    }
    if (is_ending())
        return refuse("a method in Python: the interpreter is ending");
    if (wanted == PyInterpreterState_Main()) {
        held->how = LBPY_ENSURED;
        held->before = PyGILState_Ensure();
        return true;
    }
    held->how = LBPY_MADE;
    thread = PyThreadState_New(wanted);
    if (thread == NULL)
        return refuse("a method in Python: no memory for a thread");
    PyEval_RestoreThread(thread);
    return true;
}

void lbpy_unlock(const lbpy_held *held)
{
    if (held->how == LBPY_ENSURED)
        PyGILState_Release(held->before);
    if (held->how != LBPY_MADE)
        return;
    PyThreadState_Clear(PyThreadState_Get());
    PyThreadState_DeleteCurrent();
}

/* ---- calls -------------------------------------------------------------- */

int lbpy_frame_begin(lbpy_state *state, lbpy_frame *frame)
{
    lb_reader *reader = lbpy_enter(state);
    if (reader == NULL)
        return -1;
    *frame = (lbpy_frame){.outer = state->bridge->frames,
                          .thread = PyThreadState_Get(),
                          .reader = reader};
    state->bridge->frames = frame;
    return 0;
}

static void unlink_frame(lbpy_bridge *bridge, const lbpy_frame *frame)
{
    lbpy_frame **at = &bridge->frames;
    while (*at && *at != frame)
        at = &(*at)->outer;
    if (*at)
        *at = frame->outer;
}

/* The exception that waited becomes the context of the one that is set. */
static void add_context(PyObject *waited)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *context = value ? PyException_GetContext(value) : NULL;
    if (value && context == NULL && value != waited)
        PyException_SetContext(value, Py_NewRef(waited));
    Py_XDECREF(context);
    PyErr_Restore(type, value, traceback);
}

int lbpy_frame_end(lbpy_state *state, lbpy_frame *frame)
{
    unlink_frame(state->bridge, frame);
    lbpy_leave(state, frame->reader);
    if (frame->type == NULL)
        return PyErr_Occurred() ? -1 : 0;
    if (PyErr_Occurred()) {
        add_context(frame->value);
        Py_DECREF(frame->type);
        Py_DECREF(frame->value);
        Py_XDECREF(frame->traceback);
    } else {
        PyErr_Restore(frame->type, frame->value, frame->traceback);
    }
    return -1;
}

void lbpy_frame_fail(lbpy_state *state, PyObject *where)
{
    const PyThreadState *thread = PyThreadState_Get();
    lbpy_frame *frame = state->bridge->frames;
    while (frame && frame->thread != thread)
        frame = frame->outer;
    if (frame == NULL || frame->type) {
        PyErr_WriteUnraisable(where);
        return;
    }
    PyErr_Fetch(&frame->type, &frame->value, &frame->traceback);
    PyErr_NormalizeException(&frame->type, &frame->value, &frame->traceback);
    if (frame->traceback)
        PyException_SetTraceback(frame->value, frame->traceback);
}

/* ---- exceptions --------------------------------------------------------- */

/* One of the front end's classes; a new reference. */
static PyObject *front_class(const char *name)
{
    PyObject *module = PyImport_ImportModule("latebind._errors");
    PyObject *cls = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return cls;
}

static PyObject *class_for(lb_status status)
{
    switch (status) {
    case LB_NO_METHOD:
    case LB_NO_NEXT_METHOD:
        return front_class("NoMethodError");
    case LB_AMBIGUOUS:
        return front_class("AmbiguousMethodError");
    case LB_BAD_ARGUMENT:
    case LB_LIMIT:
        return Py_NewRef(PyExc_ValueError);
    case LB_NO_CLASS:
    case LB_BAD_ORDER:
        return Py_NewRef(PyExc_TypeError);
    default:
        return Py_NewRef(PyExc_RuntimeError);
    }
}

PyObject *lbpy_raise_call(lb_status status)
{
    if (PyErr_Occurred())
        return NULL;
    if (status == LB_NO_MEMORY)
        return PyErr_NoMemory();
    /* Before anything else may change it. */
    PyObject *message = PyUnicode_DecodeUTF8(
        lb_message(), (Py_ssize_t)strlen(lb_message()), "replace");
    PyObject *cls = message ? class_for(status) : NULL;
    if (cls)
        PyErr_SetObject(cls, message);
    Py_XDECREF(cls);
    Py_XDECREF(message);
    return NULL;
}

int lbpy_make_type(PyObject *module, PyType_Spec *spec, PyTypeObject **to)
{
    *to = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *to ? 0 : -1;
}

/* ---- set-up ------------------------------------------------------------- */

/* Values of attributes are Python objects; see latebind/python.h. */
static void retain(void *context, lb_value value)
{
    (void)context;
    Py_XINCREF((PyObject *)value.pointer);
}

/* Whoever changes something later may give values back, with or without the
 * lock. At the interpreter's end they are left. */
static void release(void *context, lb_value value)
{
    lbpy_held held;
    if (value.pointer == NULL || !lbpy_lock(context, &held))
        return;
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    Py_DECREF((PyObject *)value.pointer);
    PyErr_Restore(type, error, traceback);
    lbpy_unlock(&held);
}

static int configure(lbpy_state *state)
{
    const lb_object_options options = {
        .context = state, .retain = retain, .release = release};
    lb_status status = lb_objects_configure(state->runtime, &options);
    if (status == LB_OK)
        status = lb_generic_create_boxed(state->runtime, NULL, 1, NULL,
                                         &state->bridge->boxed);
    return status == LB_OK ? 0 : lbpy_raise(status);
}

int lbpy_bridge_setup(PyObject *module, lbpy_state *state)
{
    lbpy_bridge *bridge = PyMem_Calloc(1, sizeof *bridge);
    if (bridge == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    state->bridge = bridge;
    bridge->interpreter = PyInterpreterState_Get();
    bridge->kept = PyList_New(0);
    if (bridge->kept == NULL || configure(state) < 0 ||
        lbpy_c_types_setup(state) < 0 || lbpy_object_setup(module, state) < 0 ||
        lbpy_value_setup(module, state) < 0 ||
        lbpy_class_setup(module, state) < 0 ||
        lbpy_typed_setup(module, state) < 0 ||
        lbpy_rule_setup(module, state) < 0 ||
        lbpy_override_setup(module, state) < 0 ||
        lbpy_boxed_setup(module, state) < 0 ||
        lbpy_api_setup(module, state) < 0)
        return -1;
    return 0;
}

int lbpy_bridge_traverse(lbpy_state *state, visitproc visit, void *arg)
{
    const lbpy_bridge *bridge = state->bridge;
    if (bridge == NULL)
        return 0;
    Py_VISIT(bridge->kept);
    Py_VISIT(bridge->c_types);
    Py_VISIT(bridge->meta_type);
    Py_VISIT(bridge->object_type);
    Py_VISIT(bridge->attribute_type);
    Py_VISIT(bridge->bound_type);
    Py_VISIT(bridge->typed_type);
    Py_VISIT(bridge->typed_next_type);
    Py_VISIT(bridge->door_type);
    Py_VISIT(bridge->c_method_type);
    return 0;
}

void lbpy_bridge_clear(lbpy_state *state)
{
    if (state->bridge == NULL)
        return;
    Py_CLEAR(state->bridge->kept);
    Py_CLEAR(state->bridge->c_types);
}

void lbpy_bridge_end(lbpy_state *state)
{
    lbpy_bridge *bridge = state->bridge;
    if (bridge == NULL)
        return;
    lbpy_bridge_clear(state);
    Py_CLEAR(bridge->meta_type);
    Py_CLEAR(bridge->object_type);
    Py_CLEAR(bridge->attribute_type);
    Py_CLEAR(bridge->bound_type);
    Py_CLEAR(bridge->typed_type);
    Py_CLEAR(bridge->typed_next_type);
    Py_CLEAR(bridge->door_type);
    Py_CLEAR(bridge->c_method_type);
    PyMem_RawFree(bridge->dead); /* ended with the runtime */
    lbpy_map_end(&bridge->types);
    lbpy_map_end(&bridge->objects);
    lbpy_map_end(&bridge->typed);
    PyMem_Free(bridge);
    state->bridge = NULL;
}
