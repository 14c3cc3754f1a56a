/* layers.c - layers around operators: the library's, and those in Python.
 *
 * A layer in Python is a function of a call and of what comes next:
 *
 *     @ops.layer
 *     def count(call, next):
 *         counts[call.op] += 1
 *         return next()
 *
 * `call` shows operator, inputs, attributes and, after next(), results; next()
 * runs the rest, next(*inputs) runs it on other inputs. What the function
 * returns takes the place of the results, None leaves them. Both objects are
 * dead when the function has returned.
 */
#include "ops.h"

#include <string.h>

typedef struct layer_object {
    PyObject_HEAD lbo_layer *layer;
    PyObject *function; /* what it calls, or NULL */
    PyObject *kind;
} layer_object;

typedef struct call_object {
    PyObject_HEAD lbo_context *context; /* NULL: the call is over */
    lbo_call *call;
    const lbo_rest *rest;
} call_object;

static lbo_layer *autograd;

lbo_layer *layer_of(PyObject *layer)
{
    return ((layer_object *)layer)->layer;
}

/* One for the whole process; it is never destroyed. */
lbo_layer *layer_autograd(void)
{
    if (autograd == NULL &&
        finish(lbo_autograd_create(the.library, &autograd)) < 0)
        return NULL;
    return autograd;
}

/* ---- a call, as data ---------------------------------------------------------- */

static lbo_call *living(PyObject *self)
{
    call_object *const object = (call_object *)self;

    if (object->context == NULL)
        PyErr_SetString(PyExc_RuntimeError, "the call is over");
    return object->context == NULL ? NULL : object->call;
}

PyObject *tensors_tuple(lbo_tensor *const *tensors, uint32_t count)
{
    PyObject *const result = PyTuple_New(count);

    for (uint32_t i = 0; result && i < count; i++) {
        PyObject *const one = tensors[i] == NULL
                                  ? Py_NewRef(Py_None)
                                  : tensor_wrap(lbo_tensor_retain(tensors[i]));
        if (one == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        PyTuple_SET_ITEM(result, i, one);
    }
    return result;
}

static PyObject *call_op(PyObject *self, void *closure)
{
    const lbo_call *const call = living(self);

    (void)closure;
    return call ? PyUnicode_FromString(call->op->spec.name) : NULL;
}

static PyObject *call_inputs(PyObject *self, void *closure)
{
    const lbo_call *const call = living(self);

    (void)closure;
    return call ? tensors_tuple(call->in, call->in_count) : NULL;
}

static PyObject *call_results(PyObject *self, void *closure)
{
    const lbo_call *const call = living(self);

    (void)closure;
    return call ? tensors_tuple(call->out, call->out_count) : NULL;
}

static PyObject *call_attributes(PyObject *self, void *closure)
{
    const lbo_call *const call = living(self);

    (void)closure;
    return call ? attributes_dict(call->op, call->attributes) : NULL;
}

static PyObject *call_repr(PyObject *self)
{
    const call_object *const object = (call_object *)self;

    return object->context == NULL
               ? PyUnicode_FromString("<call that is over>")
               : PyUnicode_FromFormat("<call of %s>",
                                      object->call->op->spec.name);
}

static void plain_dealloc(PyObject *self)
{
    PyTypeObject *const type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyGetSetDef call_getset[] = {
    {"op", call_op, NULL, "The operator's name.", NULL},
    {"inputs", call_inputs, NULL, "The inputs, None where there is none.",
     NULL},
    {"results", call_results, NULL, "The results, None before next().", NULL},
    {"attributes", call_attributes, NULL, "A dictionary.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot call_slots[] = {
    {Py_tp_dealloc, plain_dealloc},
    {Py_tp_repr, call_repr},
    {Py_tp_getset, call_getset},
    {Py_tp_doc, "One call of an operator, as a layer sees it."},
    {0, NULL}};

PyType_Spec call_spec = {"latebind.ops.Call", sizeof(call_object), 0,
                         Py_TPFLAGS_DEFAULT |
                             Py_TPFLAGS_DISALLOW_INSTANTIATION |
                             Py_TPFLAGS_IMMUTABLETYPE,
                         call_slots};

/* ---- what comes next ------------------------------------------------------------- */

static PyObject *one_or_all(const lbo_call *call)
{
    if (call->out_count == 1 && call->out[0] != NULL)
        return tensor_wrap(lbo_tensor_retain(call->out[0]));
    return tensors_tuple(call->out, call->out_count);
}

static void forget_results(lbo_call *call)
{
    for (uint32_t i = 0; i < call->out_count; i++)
        if (!(call->given >> i & 1)) {
            lbo_tensor_release(call->out[i]);
            call->out[i] = NULL;
        }
}

/* The same operator on other inputs, through the layers further in. */
static lb_status run_on(call_object *object, PyObject *args)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(args);
    lbo_tensor **const in = PyMem_Calloc((size_t)count, sizeof *in);
    lbo_call again = *object->call;

    if (in == NULL)
        return (void)PyErr_NoMemory(), LB_NO_MEMORY;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *const one = PyTuple_GET_ITEM(args, i);
        if (one != Py_None && !is_tensor(one)) {
            PyErr_Format(PyExc_TypeError,
                         "next() takes tensors and None, not %.100s",
                         Py_TYPE(one)->tp_name);
            PyMem_Free(in);
            return LB_BAD_ARGUMENT;
        }
        in[i] = one == Py_None ? NULL : tensor_of(one);
    }
    forget_results(object->call);
    again.in = in;
    again.in_count = (uint32_t)count;
    const lb_status status = lbo_run(object->context, again.op, &again);
    PyMem_Free(in);
    return status;
}

static PyObject *next_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    call_object *const object = (call_object *)self;
    lb_status status;

    if (living(self) == NULL)
        return NULL;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)
        return PyErr_Format(PyExc_TypeError, "next() takes inputs only");
    if (PyTuple_GET_SIZE(args) > 0)
        status = run_on(object, args);
    else {
        if (object->call->op->spec.dispatched != 0)
            forget_results(object->call);
        status = lbo_next(object->context, object->call, object->rest);
    }
    return finish(status) < 0 ? NULL : one_or_all(object->call);
}

static PyType_Slot next_slots[] = {
    {Py_tp_dealloc, plain_dealloc},
    {Py_tp_call, next_call},
    {Py_tp_doc, "Runs what comes after a layer."},
    {0, NULL}};

PyType_Spec next_spec = {"latebind.ops.Next", sizeof(call_object), 0,
                         Py_TPFLAGS_DEFAULT |
                             Py_TPFLAGS_DISALLOW_INSTANTIATION |
                             Py_TPFLAGS_IMMUTABLETYPE,
                         next_slots};

/* ---- layers in Python ------------------------------------------------------------- */

static lb_status take_result(lbo_context *context, lbo_call *call, uint32_t i,
                             PyObject *value)
{
    if (value == Py_None)
        return LB_OK;
    if (!is_tensor(value)) {
        PyErr_Format(PyExc_TypeError,
                     "a layer around %s returned %.100s: tensors or None are "
                     "wanted",
                     call->op->spec.name, Py_TYPE(value)->tp_name);
        return LB_METHOD_FAILED;
    }
    lbo_tensor *const tensor = tensor_of(value);
    if (tensor == call->out[i])
        return LB_OK;
    if (call->given >> i & 1)
        return lbo_copy(context, &call->out[i], tensor);
    lbo_tensor_release(call->out[i]);
    call->out[i] = lbo_tensor_retain(tensor);
    return LB_OK;
}

static lb_status take_results(lbo_context *context, lbo_call *call,
                              PyObject *value)
{
    lb_status status = LB_OK;

    if (!PyTuple_Check(value))
        status = take_result(context, call, 0, value);
    else if (PyTuple_GET_SIZE(value) != (Py_ssize_t)call->out_count) {
        PyErr_Format(PyExc_ValueError,
                     "a layer around %s returned %zd results, there are %u",
                     call->op->spec.name, PyTuple_GET_SIZE(value),
                     call->out_count);
        status = LB_METHOD_FAILED;
    } else
        for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++)
            status = take_result(context, call, i, PyTuple_GET_ITEM(value, i));
    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++)
        if (call->out[i] == NULL) {
            PyErr_Format(PyExc_RuntimeError,
                         "a layer around %s neither called next() nor "
                         "returned a result",
                         call->op->spec.name);
            status = LB_METHOD_FAILED;
        }
    return status;
}

static call_object *call_new(PyTypeObject *type, lbo_context *context,
                             lbo_call *call, const lbo_rest *rest)
{
    call_object *const made = PyObject_New(call_object, type);

    if (made != NULL) {
        made->context = context;
        made->call = call;
        made->rest = rest;
    }
    return made;
}

static void call_over(call_object *object)
{
    if (object != NULL)
        object->context = NULL;
    Py_XDECREF(object);
}

static lb_status python_layer(lbo_layer *layer, lbo_context *context,
                              lbo_call *call, const lbo_rest *rest)
{
    const PyGILState_STATE state = PyGILState_Ensure();
    PyObject *const function =
        ((layer_object *)lbo_layer_data(layer))->function;
    call_object *const data = call_new(the.call, context, call, rest);
    call_object *const next =
        data ? call_new(the.next, context, call, rest) : NULL;
    PyObject *const value =
        next ? PyObject_CallFunctionObjArgs(function, data, next, NULL) : NULL;
    lb_status status = LB_METHOD_FAILED;

    if (value != NULL)
        status = take_results(context, call, value);
    Py_XDECREF(value);
    call_over(data);
    call_over(next);
    PyGILState_Release(state);
    return status;
}

/* ---- all layers ---------------------------------------------------------------------- */

/* A line of the shape logger. An exception stays, and is the call's. */
static void tell_line(void *context, const char *line)
{
    const PyGILState_STATE state = PyGILState_Ensure();

    if (!PyErr_Occurred()) {
        PyObject *const result = PyObject_CallFunction(
            ((layer_object *)context)->function, "s", line);
        Py_XDECREF(result);
    }
    PyGILState_Release(state);
}

static lb_status make_named(layer_object *made, const char *kind, PyObject *arg)
{
    if (strcmp(kind, "profiler") == 0)
        return lbo_profiler_create(the.library, &made->layer);
    if (strcmp(kind, "nan_check") == 0)
        return lbo_nan_check_create(the.library, &made->layer);
    if (strcmp(kind, "shape_logger") == 0) {
        made->function = Py_NewRef(arg);
        return lbo_shape_logger_create(the.library, tell_line, made,
                                       &made->layer);
    }
    if (strcmp(kind, "autocast") == 0) {
        const int dtype = dtype_from(arg);
        return dtype < 0 ? LB_BAD_ARGUMENT
                         : lbo_autocast_create(the.library, (lbo_dtype)dtype,
                                               &made->layer);
    }
    return lbo_fail(LB_BAD_ARGUMENT, "there is no layer \"%s\"", kind);
}

/* The operators that a layer names, as texts that live as long as the tuple. */
static const char **operator_names(PyObject *operators, size_t *count)
{
    *count = (size_t)PyTuple_GET_SIZE(operators);
    const char **const names = PyMem_Calloc(*count + 1, sizeof *names);

    if (names == NULL)
        return (const char **)PyErr_NoMemory();
    for (size_t i = 0; i < *count; i++) {
        names[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(operators, (Py_ssize_t)i));
        if (names[i] == NULL) {
            PyMem_Free(names);
            return NULL;
        }
    }
    return names;
}

static lb_status make_python(layer_object *made, const char *name,
                             PyObject *function, PyObject *operators)
{
    size_t count = 0;
    const char **names = NULL;

    made->function = Py_NewRef(function);
    if (operators != Py_None) {
        names = operator_names(operators, &count);
        if (names == NULL)
            return LB_METHOD_FAILED;
    }
    const lbo_layer_spec spec = {.name = name,
                                 .handler = python_layer,
                                 .data = made,
                                 .operators = names,
                                 .operator_count = count};
    const lb_status status = lbo_layer_create(the.library, &spec, &made->layer);
    PyMem_Free(names);
    return status;
}

/* _layer(kind, argument) for the library's, _layer("python", function, name,
 * operators or None) for one in Python. */
PyObject *py_layer(PyObject *self, PyObject *args)
{
    PyObject *arg = Py_None, *operators = Py_None;
    const char *kind, *name = "python";

    (void)self;
    if (!PyArg_ParseTuple(args, "s|OsO", &kind, &arg, &name, &operators))
        return NULL;
    if (operators != Py_None && !PyTuple_Check(operators))
        return PyErr_Format(PyExc_TypeError, "operators is a tuple of names");
    layer_object *const made = PyObject_New(layer_object, the.layer);
    if (made == NULL)
        return NULL;
    made->layer = NULL;
    made->function = NULL;
    made->kind = PyUnicode_FromString(kind);
    lb_status status = LB_OK;
    if (made->kind == NULL)
        status = LB_NO_MEMORY;
    else if (strcmp(kind, "autograd") == 0)
        made->layer = layer_autograd();
    else if (strcmp(kind, "python") == 0)
        status = make_python(made, name, arg, operators);
    else
        status = make_named(made, kind, arg);
    if (finish(status) < 0) {
        Py_DECREF(made);
        return NULL;
    }
    return (PyObject *)made;
}

static void layer_dealloc(PyObject *self)
{
    layer_object *const object = (layer_object *)self;
    PyTypeObject *const type = Py_TYPE(self);

    if (object->layer != NULL && object->layer != autograd)
        (void)lbo_layer_destroy(object->layer);
    Py_XDECREF(object->function);
    Py_XDECREF(object->kind);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *layer_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<layer %s>", lbo_layer_name(layer_of(self)));
}

static PyObject *layer_name(PyObject *self, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(lbo_layer_name(layer_of(self)));
}

static bool is_profiler(PyObject *self)
{
    if (PyUnicode_CompareWithASCIIString(((layer_object *)self)->kind,
                                         "profiler") == 0)
        return true;
    PyErr_SetString(PyExc_TypeError, "this layer is no profiler");
    return false;
}

static PyObject *layer_table(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    if (!is_profiler(self))
        return NULL;
    const int need = lbo_profiler_table(layer_of(self), NULL, 0);
    char *const text = need < 0 ? NULL : PyMem_Malloc((size_t)need + 1);
    if (text == NULL)
        return need < 0 ? raise_status(LB_METHOD_FAILED) : PyErr_NoMemory();
    (void)lbo_profiler_table(layer_of(self), text, (size_t)need + 1);
    PyObject *const result = PyUnicode_FromString(text);
    PyMem_Free(text);
    return result;
}

static PyObject *layer_trace(PyObject *self, PyObject *path)
{
    PyObject *bytes = NULL;

    if (!is_profiler(self) || !PyUnicode_FSConverter(path, &bytes))
        return NULL;
    const int result =
        finish(lbo_profiler_trace(layer_of(self), PyBytes_AS_STRING(bytes)));
    Py_DECREF(bytes);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *layer_clear(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    if (!is_profiler(self))
        return NULL;
    lbo_profiler_clear(layer_of(self));
    Py_RETURN_NONE;
}

static PyGetSetDef layer_getset[] = {
    {"name", layer_name, NULL, "Its name.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef layer_methods[] = {
    {"table", layer_table, METH_NOARGS, "A profiler's table, as text."},
    {"trace", layer_trace, METH_O, "Writes a profiler's Chrome trace."},
    {"clear", layer_clear, METH_NOARGS, "Lets a profiler begin anew."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot layer_slots[] = {{Py_tp_dealloc, layer_dealloc},
                                    {Py_tp_repr, layer_repr},
                                    {Py_tp_getset, layer_getset},
                                    {Py_tp_methods, layer_methods},
                                    {0, NULL}};

PyType_Spec layer_spec = {"latebind._ops.Layer", sizeof(layer_object), 0,
                          Py_TPFLAGS_DEFAULT |
                              Py_TPFLAGS_DISALLOW_INSTANTIATION |
                              Py_TPFLAGS_IMMUTABLETYPE,
                          layer_slots};

/* The thread's layers, outermost first. */
PyObject *py_get_layers(PyObject *self, PyObject *ignored)
{
    place *const here = place_get();
    PyObject *const result = here ? PyTuple_New(here->count) : NULL;

    (void)self;
    (void)ignored;
    for (uint32_t i = 0; result && i < here->count; i++)
        PyTuple_SET_ITEM(result, i, Py_NewRef(here->layers[i]));
    return result;
}

PyObject *py_set_layers(PyObject *self, PyObject *layers)
{
    place *const here = place_get();

    (void)self;
    if (here == NULL)
        return NULL;
    if (!PyTuple_Check(layers) || PyTuple_GET_SIZE(layers) >= LBO_MAX_LAYERS)
        return PyErr_Format(PyExc_ValueError, "at most %d layers are active",
                            LBO_MAX_LAYERS - 1);
    const uint32_t count = (uint32_t)PyTuple_GET_SIZE(layers);
    for (uint32_t i = 0; i < count; i++)
        if (!Py_IS_TYPE(PyTuple_GET_ITEM(layers, i), the.layer))
            return PyErr_Format(PyExc_TypeError, "that is no layer");
    PyObject *before[LBO_MAX_LAYERS];
    const uint32_t had = here->count;
    memcpy(before, here->layers, had * sizeof *before);
    for (uint32_t i = 0; i < count; i++)
        here->layers[i] = PyTuple_GET_ITEM(layers, i);
    here->count = count;
    if (place_apply(here) < 0) {
        memcpy(here->layers, before, had * sizeof *before);
        here->count = had;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        Py_INCREF(here->layers[i]);
    for (uint32_t i = 0; i < had; i++)
        Py_DECREF(before[i]);
    Py_RETURN_NONE;
}

/* _drop_layer(layer): takes it away where it is outermost; nothing if it is not
 * there. Needs no memory of Python's. */
PyObject *py_drop_layer(PyObject *self, PyObject *layer)
{
    place *const here = place_get();
    uint32_t at = 0;

    (void)self;
    if (here == NULL)
        return NULL;
    while (at < here->count && here->layers[at] != layer)
        at++;
    if (at == here->count)
        Py_RETURN_NONE;
    here->count--;
    memmove(here->layers + at, here->layers + at + 1,
            (here->count - at) * sizeof *here->layers);
    if (place_apply(here) < 0) {
        memmove(here->layers + at + 1, here->layers + at,
                (here->count - at) * sizeof *here->layers);
        here->layers[at] = layer;
        here->count++;
        return NULL;
    }
    Py_DECREF(layer);
    Py_RETURN_NONE;
}
