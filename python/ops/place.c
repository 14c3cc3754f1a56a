/* place.c - a thread's context, the layers in it, and errors as exceptions.
 *
 * Each thread has a context, made at its first call and kept in a thread-local
 * variable. A capsule in the thread state's dictionary owns it, so that it ends
 * with the thread, under the interpreter's lock.
 *
 * Layers: the user's list, outermost first, then autograd, innermost. Autograd
 * is not pushed before the thread has met a tensor that is followed: those who
 * never want gradients do not pay for them.
 */
#include "ops.h"

#include <string.h>

world the;
_Thread_local place *place_here;

static const char PLACE[] = "latebind._ops.place";

static void place_free(PyObject *capsule)
{
    place *const ended = PyCapsule_GetPointer(capsule, PLACE);

    if (ended == NULL)
        return;
    if (place_here == ended)
        place_here = NULL;
    lbo_context_destroy(ended->context);
    for (uint32_t i = 0; i < ended->count; i++)
        Py_DECREF(ended->layers[i]);
    PyMem_Free(ended);
}

/* Gives the place to the thread's state, which ends it. */
static int place_keep(place *made)
{
    PyObject *const dict = PyThreadState_GetDict();
    PyObject *const capsule = PyCapsule_New(made, PLACE, place_free);

    if (capsule == NULL) {
        lbo_context_destroy(made->context);
        PyMem_Free(made);
        return -1;
    }
    const int result = dict ? PyDict_SetItemString(dict, PLACE, capsule) : -1;
    Py_DECREF(capsule);
    if (result < 0 && !PyErr_Occurred())
        PyErr_NoMemory();
    return result;
}

place *place_make(void)
{
    place *const made = PyMem_Calloc(1, sizeof *made);

    if (made == NULL)
        return (place *)PyErr_NoMemory();
    const char *const device = the.device ? the.device->name : "cpu";
    const lb_status status =
        lbo_context_create(the.library, device, &made->context);
    if (status != LB_OK) {
        PyMem_Free(made);
        return (place *)raise_status(status);
    }
    made->recording = true;
    if (place_keep(made) < 0)
        return NULL;
    return place_here = made;
}

/* ---- layers ------------------------------------------------------------- */

int place_apply(place *here)
{
    lbo_layer *layers[LBO_MAX_LAYERS + 1];
    uint32_t count = 0;
    bool placed = false;

    for (uint32_t i = 0; i < here->count; i++) {
        layers[count++] = layer_of(here->layers[i]);
        placed = placed || layers[count - 1] == layer_autograd();
    }
    if (here->recording && here->followed && !placed) {
        layers[count] = layer_autograd();
        if (layers[count++] == NULL)
            return -1;
    }
    return finish(lbo_set_layers(here->context, layers, count));
}

int place_follow(place *here)
{
    if (here->followed)
        return 0;
    here->followed = true;
    if (!here->recording || place_apply(here) == 0)
        return 0;
    here->followed = false;
    return -1;
}

/* recording() or recording(on): what it was before. */
PyObject *py_recording(PyObject *self, PyObject *args)
{
    place *const here = place_get();
    int on = -1;

    (void)self;
    if (here == NULL || !PyArg_ParseTuple(args, "|p", &on))
        return NULL;
    const bool before = here->recording;
    if (on >= 0 && (bool)on != before) {
        here->recording = on;
        if (here->followed && place_apply(here) < 0) {
            here->recording = before;
            return NULL;
        }
    }
    return PyBool_FromLong(before);
}

/* ---- errors ------------------------------------------------------------- */

static PyObject *exception_for(lb_status status)
{
    switch (status) {
    case LB_NO_MEMORY:
        return PyExc_MemoryError;
    case LB_NO_METHOD:
        return the.no_kernel ? the.no_kernel : PyExc_TypeError;
    case LB_NOT_FOUND:
        return PyExc_LookupError;
    case LB_BAD_ARGUMENT:
    case LB_READ_ONLY:
    case LB_EXISTS:
        return PyExc_ValueError;
    default:
        return PyExc_RuntimeError;
    }
}

int raise_status_int(lb_status status)
{
    if (!PyErr_Occurred())
        PyErr_SetString(exception_for(status), lb_message());
    return -1;
}

PyObject *raise_status(lb_status status)
{
    (void)raise_status_int(status);
    return NULL;
}

/* ---- devices ------------------------------------------------------------ */

PyObject *py_get_device(PyObject *self, PyObject *ignored)
{
    lbo_context *const context = context_get();

    (void)self;
    (void)ignored;
    return context ? PyUnicode_FromString(lbo_context_device(context)->name)
                   : NULL;
}

PyObject *py_set_device(PyObject *self, PyObject *name)
{
    lbo_context *const context = context_get();
    const char *const text = context ? PyUnicode_AsUTF8(name) : NULL;

    (void)self;
    if (text == NULL || finish(lbo_context_set_device(context, text)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* A list of (name, description, preference), the CPU first. */
PyObject *py_devices(PyObject *self, PyObject *ignored)
{
    PyObject *const result = PyList_New(0);

    (void)self;
    (void)ignored;
    for (size_t i = 0; result && i < lbo_device_count(the.library); i++) {
        const lbo_device *const device = lbo_device_at(the.library, i);
        if (device == NULL)
            continue;
        PyObject *const item = Py_BuildValue(
            "ssi", device->name, device->description, device->preference);
        if (item == NULL || PyList_Append(result, item) < 0) {
            Py_XDECREF(item);
            Py_DECREF(result);
            return NULL;
        }
        Py_DECREF(item);
    }
    return result;
}

/* _open_all(name): loads the plug-ins that are there, and makes that device
 * ("auto": the best) the default of this thread and of new ones. */
PyObject *py_open_all(PyObject *self, PyObject *name)
{
    place *const here = place_get();
    const char *const text = here ? PyUnicode_AsUTF8(name) : NULL;
    lb_status status;

    (void)self;
    if (text == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS status = lbo_open_all(the.library);
    Py_END_ALLOW_THREADS if (finish(status) < 0 ||
                             finish(lbo_device_find(the.library, text,
                                                    &the.device)) < 0 ||
                             finish(lbo_context_set_device(here->context,
                                                           the.device->name)) <
                                 0) return NULL;
    return PyUnicode_FromString(the.device->name);
}

PyObject *py_open_plugin(PyObject *self, PyObject *path)
{
    PyObject *bytes = NULL;
    lb_plugin *plugin = NULL;

    (void)self;
    if (!PyUnicode_FSConverter(path, &bytes))
        return NULL;
    const int result =
        finish(lbo_plugin_open(the.library, PyBytes_AS_STRING(bytes), &plugin));
    Py_DECREF(bytes);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *py_set_fallback(PyObject *self, PyObject *policy)
{
    static const char *const names[] = {"warn", "error", "silent"};
    lbo_context *const context = context_get();
    const char *const text = context ? PyUnicode_AsUTF8(policy) : NULL;

    (void)self;
    if (text == NULL)
        return NULL;
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            lbo_context_set_fallback(context, (lbo_fallback)i);
            Py_RETURN_NONE;
        }
    return PyErr_Format(PyExc_ValueError,
                        "fallback %R; there are \"warn\", \"error\", "
                        "\"silent\"",
                        policy);
}

/* {operator: (calls, bytes)} */
PyObject *py_fallbacks(PyObject *self, PyObject *ignored)
{
    lbo_context *const context = context_get();
    lbo_fallback_count counts[256];

    (void)self;
    (void)ignored;
    if (context == NULL)
        return NULL;
    size_t count = lbo_fallbacks(context, counts, 256);
    PyObject *const result = PyDict_New();
    for (size_t i = 0; result && i < count && i < 256; i++) {
        PyObject *const item =
            Py_BuildValue("KK", (unsigned long long)counts[i].calls,
                          (unsigned long long)counts[i].bytes);
        if (item == NULL ||
            PyDict_SetItemString(result, counts[i].op->spec.name, item) < 0) {
            Py_XDECREF(item);
            Py_DECREF(result);
            return NULL;
        }
        Py_DECREF(item);
    }
    return result;
}

PyObject *py_seed(PyObject *self, PyObject *seed)
{
    lbo_context *const context = context_get();

    (void)self;
    if (context == NULL)
        return NULL;
    const unsigned long long number = PyLong_AsUnsignedLongLongMask(seed);
    if (number == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    lbo_seed(context, number);
    Py_RETURN_NONE;
}

PyObject *py_synchronize(PyObject *self, PyObject *ignored)
{
    lbo_context *const context = context_get();
    lb_status status;

    (void)self;
    (void)ignored;
    if (context == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS status =
        lbo_synchronize(lbo_context_device(context));
    Py_END_ALLOW_THREADS if (finish(status) < 0) return NULL;
    Py_RETURN_NONE;
}
