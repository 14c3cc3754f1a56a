/* kernels.c - kernels and operators that are written in Python.
 *
 * A kernel: a function of the inputs, with the attributes as keywords (and
 * `out`, if it has a parameter of that name: then it writes the result itself).
 * It is a rule of a group of its own, so that it can be removed. Its record is
 * never freed, since a call in another thread may have found it; only the
 * function is let go.
 *
 * An operator: a name, attributes with their defaults, and functions that infer
 * and differentiate. It lives as long as the process.
 */
#include "ops.h"

#include <string.h>

typedef struct record {
    lb_method method;
    PyObject *function; /* NULL: removed */
    PyObject *name;
    bool wants_out;
    lb_group *group;
} record;

typedef struct kernel_object {
    PyObject_HEAD record *record;
} kernel_object;

/* ---- running a kernel -------------------------------------------------------- */

static PyObject *results_object(const lbo_call *call)
{
    if (call->out_count == 1)
        return tensor_wrap(lbo_tensor_retain(call->out[0]));
    return tensors_tuple(call->out, call->out_count);
}

static PyObject *call_function(const record *r, const lbo_call *call)
{
    PyObject *inputs = tensors_tuple(call->in, call->in_count);
    PyObject *const words = attributes_dict(call->op, call->attributes);
    PyObject *const out = r->wants_out || call->op->spec.dispatched == 0
                              ? results_object(call)
                              : NULL;
    PyObject *result = NULL;

    if (inputs != NULL && call->op->spec.flags & LBO_LIST)
        inputs = Py_BuildValue("(N)", inputs);
    if (inputs && words && !PyErr_Occurred() &&
        (!r->wants_out || PyDict_SetItemString(words, "out", out) == 0))
        result = PyObject_Call(r->function, inputs, words);
    Py_XDECREF(inputs);
    Py_XDECREF(words);
    Py_XDECREF(out);
    return result;
}

static lb_status keep_result(lbo_context *context, lbo_call *call, uint32_t i,
                             PyObject *value)
{
    lbo_tensor *const out = call->out[i];
    lbo_tensor *const from = value_tensor(context, value, out);

    if (from == NULL)
        return LB_METHOD_FAILED;
    lb_status status = LB_OK;
    if (from == out)
        ;
    else if (from->size != 1 && !lbo_same_shape(from, out))
        status = lbo_fail(LB_BAD_ARGUMENT,
                          "%s: the kernel in Python returned another shape "
                          "than the result's",
                          call->op->spec.name);
    else
        status = copy_into(context, out, from);
    lbo_tensor_release(from);
    return status;
}

static lb_status keep_results(lbo_context *context, lbo_call *call,
                              const record *r, PyObject *value)
{
    lb_status status = LB_OK;

    if (value == Py_None && r->wants_out)
        return LB_OK;
    if (value == Py_None) {
        PyErr_Format(PyExc_TypeError,
                     "the kernel %U returned nothing; it returns the result, "
                     "or has a parameter `out`",
                     r->name);
        return LB_METHOD_FAILED;
    }
    if (call->out_count == 1)
        return keep_result(context, call, 0, value);
    if (!PyTuple_Check(value) ||
        PyTuple_GET_SIZE(value) != (Py_ssize_t)call->out_count) {
        PyErr_Format(PyExc_TypeError, "the kernel %U returns %u results",
                     r->name, call->out_count);
        return LB_METHOD_FAILED;
    }
    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++)
        status = keep_result(context, call, i, PyTuple_GET_ITEM(value, i));
    return status;
}

static lb_status run_kernel(record *r, lbo_context *context, lbo_call *call)
{
    const PyGILState_STATE state = PyGILState_Ensure();
    lb_status status = LB_METHOD_FAILED;

    if (r->function == NULL)
        PyErr_Format(PyExc_RuntimeError, "the kernel was removed");
    else {
        PyObject *const value = call_function(r, call);
        if (value != NULL)
            status = keep_results(context, call, r, value);
        Py_XDECREF(value);
    }
    PyGILState_Release(state);
    return status;
}

static lb_status unary_kernel(lb_slot slot, lbo_context *context, lbo_tensor *a,
                              lbo_call *call)
{
    const lb_entry *const self = lb_load_entry(slot);

    if (LB_UNLIKELY(self->method == NULL ||
                    self->method->fn != (lb_fn)unary_kernel))
        return lb_hand_on_lbo_unary(
            lb_overtaken(self, __func__, "unary_kernel"), context, a, call);
    return run_kernel(self->context, context, call);
}

static lb_status binary_kernel(lb_slot slot, lbo_context *context,
                               lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    const lb_entry *const self = lb_load_entry(slot);

    if (LB_UNLIKELY(self->method == NULL ||
                    self->method->fn != (lb_fn)binary_kernel))
        return lb_hand_on_lbo_binary(
            lb_overtaken(self, __func__, "binary_kernel"), context, a, b, call);
    return run_kernel(self->context, context, call);
}

/* ---- registering --------------------------------------------------------------- */

/* "cpu.f32" or "cpu" (all types). */
static int class_from(PyObject *text, lbo_device **device, int8_t *dtype)
{
    const char *const name = PyUnicode_AsUTF8(text);
    const char *const dot = name ? strrchr(name, '.') : NULL;
    lbo_device *found = NULL;
    char device_name[128];

    if (name == NULL)
        return -1;
    (void)snprintf(device_name, sizeof device_name, "%.*s",
                   (int)(dot ? dot - name : (ptrdiff_t)strlen(name)), name);
    if (finish(lbo_device_find(the.library, device_name, &found)) < 0)
        return -1;
    const int type = dot ? lbo_dtype_find(dot + 1) : LBO_ANY_DTYPE;
    if (dot != NULL && type < 0) {
        PyErr_Format(PyExc_LookupError, "%R: there is no dtype \"%s\"", text,
                     dot + 1);
        return -1;
    }
    if (*device != NULL && *device != found) {
        PyErr_SetString(PyExc_ValueError,
                        "the classes of a kernel are of one device");
        return -1;
    }
    *device = found;
    *dtype = (int8_t)type;
    return 0;
}

static record *record_new(PyObject *function, const char *name, bool wants_out,
                          const lbo_operator *op)
{
    record *const made = PyMem_Calloc(1, sizeof *made);

    if (made == NULL)
        return (record *)PyErr_NoMemory();
    made->name = PyUnicode_FromString(name);
    if (made->name == NULL) {
        PyMem_Free(made);
        return NULL;
    }
    made->function = Py_NewRef(function);
    made->wants_out = wants_out;
    made->method =
        (lb_method){.abi = LB_ABI,
                    .name = PyUnicode_AsUTF8(made->name),
                    .fn = op->spec.dispatched == 2 ? (lb_fn)binary_kernel
                                                   : (lb_fn)unary_kernel};
    return made;
}

static int publish(record *r, lbo_device *device, const lbo_kernel *kernel)
{
    lb_status status =
        lb_group_create(lbo_runtime(the.library), r->method.name, 0, &r->group);

    if (status == LB_OK)
        status = lbo_register_kernels(the.library, r->group, device, kernel, 1);
    if (status == LB_OK)
        status = lb_group_commit(r->group);
    if (status != LB_OK && r->group != NULL) {
        (void)lb_group_remove(r->group);
        r->group = NULL;
    }
    return finish(status);
}

/* _kernel(operator, (class, ...), function, name, wants_out) */
PyObject *py_kernel(PyObject *self, PyObject *args)
{
    const char *op_name, *name;
    PyObject *classes, *function;
    int wants_out;
    lbo_device *device = NULL;
    lbo_kernel kernel = {.a = LBO_ANY_DTYPE, .b = LBO_ANY_DTYPE};

    (void)self;
    if (!PyArg_ParseTuple(args, "sO!Osp", &op_name, &PyTuple_Type, &classes,
                          &function, &name, &wants_out))
        return NULL;
    const lbo_operator *const op = lbo_operator_find(the.library, op_name);
    if (op == NULL)
        return PyErr_Format(PyExc_LookupError, "there is no operator \"%s\"",
                            op_name);
    if (op->spec.flags & LBO_VIEW)
        return PyErr_Format(PyExc_ValueError,
                            "%s gives views; its kernels are in C", op_name);
    const Py_ssize_t wanted = op->spec.dispatched == 2 ? 2 : 1;
    if (PyTuple_GET_SIZE(classes) != wanted)
        return PyErr_Format(PyExc_TypeError,
                            "%s is chosen by %zd tensors: so many classes are "
                            "wanted, e.g. \"cpu.f32\"",
                            op_name, wanted);
    if (class_from(PyTuple_GET_ITEM(classes, 0), &device, &kernel.a) < 0 ||
        (wanted == 2 &&
         class_from(PyTuple_GET_ITEM(classes, 1), &device, &kernel.b) < 0))
        return NULL;
    record *const r = record_new(function, name, wants_out, op);
    if (r == NULL)
        return NULL;
    kernel.op = op_name;
    kernel.method = &r->method;
    kernel.context = r;
    kernel_object *const made = PyObject_New(kernel_object, the.kernel);
    if (made == NULL || publish(r, device, &kernel) < 0) {
        Py_XDECREF(made);
        Py_CLEAR(r->function); /* what commits may have been seen: kept */
        return NULL;
    }
    made->record = r;
    return (PyObject *)made;
}

static PyObject *kernel_remove(PyObject *self, PyObject *ignored)
{
    record *const r = ((kernel_object *)self)->record;
    lb_group *const group = r->group;

    (void)ignored;
    if (group == NULL)
        Py_RETURN_NONE;
    r->group = NULL;
    if (finish(lb_group_remove(group)) < 0)
        return NULL;
    Py_CLEAR(r->function);
    Py_RETURN_NONE;
}

static PyObject *kernel_repr(PyObject *self)
{
    const record *const r = ((kernel_object *)self)->record;

    return PyUnicode_FromFormat("<kernel %U%s>", r->name,
                                r->group == NULL ? ", removed" : "");
}

static PyObject *kernel_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *const function = ((kernel_object *)self)->record->function;

    return function
               ? PyObject_Call(function, args, kwargs)
               : PyErr_Format(PyExc_RuntimeError, "the kernel was removed");
}

static void kernel_dealloc(PyObject *self)
{
    PyTypeObject *const type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef kernel_methods[] = {
    {"remove", kernel_remove, METH_NOARGS, "Takes the kernel away."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot kernel_slots[] = {{Py_tp_dealloc, kernel_dealloc},
                                     {Py_tp_repr, kernel_repr},
                                     {Py_tp_call, kernel_call},
                                     {Py_tp_methods, kernel_methods},
                                     {0, NULL}};

PyType_Spec kernel_spec = {"latebind.ops.Kernel", sizeof(kernel_object), 0,
                           Py_TPFLAGS_DEFAULT |
                               Py_TPFLAGS_DISALLOW_INSTANTIATION |
                               Py_TPFLAGS_IMMUTABLETYPE,
                           kernel_slots};

/* ---- operators --------------------------------------------------------------------- */

enum { MOST_ATTRIBUTES = 16 };

typedef struct made_operator {
    const lbo_operator *op;
    struct made_operator *next;
    PyObject *infer, *gradient; /* NULL: none */
    PyObject *names;            /* of attributes: keeps the texts */
    lbo_attribute attributes[MOST_ATTRIBUTES];
    bool required[MOST_ATTRIBUTES];
    char defaults[512];
} made_operator;

static made_operator *made_operators; /* under the interpreter's lock */

/* By the table of attributes, which is in the record. */
static made_operator *made_of(const lbo_operator *op)
{
    const char *const table = (const char *)op->spec.attributes;

    return (made_operator *)(uintptr_t)(table -
                                        offsetof(made_operator, attributes));
}

static bool is_made(const lbo_operator *op)
{
    for (const made_operator *one = made_operators; one; one = one->next)
        if (one->op == op)
            return true;
    return false;
}

int operator_default(const lbo_operator *op, size_t index, char *attributes)
{
    if (!is_made(op) || made_of(op)->required[index])
        return 0;
    const lbo_attribute *const one = &op->spec.attributes[index];
    static const size_t sizes[] = {sizeof(int64_t), sizeof(double),
                                   sizeof(bool), sizeof(int32_t),
                                   sizeof(lbo_dims)};
    memcpy(attributes + one->offset, made_of(op)->defaults + one->offset,
           sizes[one->type]);
    return 1;
}

/* As of elementwise operators: the inputs promoted and broadcast together. */
static lb_status infer_together(const lbo_call *call, lbo_spec *out)
{
    const lbo_operator *const add = lbo_operator_find(the.library, "add");
    lb_status status = add->spec.infer(call, out);

    for (uint32_t i = 1; i < call->out_count && status == LB_OK; i++) {
        lbo_device *const device = out[i].device;
        out[i] = out[0];
        out[i].device = device;
    }
    return status;
}

/* (dtype, shape) or a tensor that it is like. */
static int spec_from(PyObject *value, lbo_spec *spec)
{
    if (is_tensor(value)) {
        const lbo_tensor *const like = tensor_of(value);
        spec->dtype = like->dtype;
        spec->ndim = like->ndim;
        memcpy(spec->shape, like->dims, like->ndim * sizeof(int64_t));
        return 0;
    }
    if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2) {
        PyErr_SetString(PyExc_TypeError,
                        "infer returns (dtype, shape) for each result");
        return -1;
    }
    spec->dtype = dtype_from(PyTuple_GET_ITEM(value, 0));
    const int ndim = spec->dtype < 0 ? -1
                                     : shape_from(PyTuple_GET_ITEM(value, 1),
                                                  spec->shape, "the shape");
    spec->ndim = (uint32_t)ndim;
    return ndim < 0 ? -1 : 0;
}

static int specs_from(PyObject *value, uint32_t count, lbo_spec *out)
{
    if (count == 1 && !PyList_Check(value))
        return spec_from(value, out);
    if (!PyList_Check(value) || PyList_GET_SIZE(value) != (Py_ssize_t)count) {
        PyErr_Format(PyExc_TypeError,
                     "infer returns a list of %u pairs (dtype, shape)", count);
        return -1;
    }
    for (uint32_t i = 0; i < count; i++)
        if (spec_from(PyList_GET_ITEM(value, i), &out[i]) < 0)
            return -1;
    return 0;
}

static lb_status infer_in_python(const lbo_call *call, lbo_spec *out)
{
    made_operator *const made = made_of(call->op);

    if (made->infer == NULL)
        return infer_together(call, out);
    const PyGILState_STATE state = PyGILState_Ensure();
    PyObject *const inputs = tensors_tuple(call->in, call->in_count);
    PyObject *const words = attributes_dict(call->op, call->attributes);
    PyObject *const value =
        inputs && words ? PyObject_Call(made->infer, inputs, words) : NULL;
    lb_status status = LB_METHOD_FAILED;
    if (value != NULL && specs_from(value, call->out_count, out) == 0)
        status = LB_OK;
    Py_XDECREF(value);
    Py_XDECREF(inputs);
    Py_XDECREF(words);
    PyGILState_Release(state);
    return status == LB_OK ? LB_OK : lbo_fail(status, "infer in Python failed");
}

static lb_status keep_gradient(PyObject *value, lbo_tensor **result)
{
    if (value == Py_None)
        return LB_OK;
    if (!is_tensor(value)) {
        PyErr_Format(PyExc_TypeError,
                     "a gradient is a tensor or None, not %.100s",
                     Py_TYPE(value)->tp_name);
        return LB_METHOD_FAILED;
    }
    *result = lbo_tensor_retain(tensor_of(value));
    return LB_OK;
}

static lb_status keep_gradients(const lbo_saved *saved, PyObject *value,
                                lbo_tensor **in_gradients)
{
    lb_status status = LB_OK;

    if (saved->in_count == 1 && !PyTuple_Check(value))
        return keep_gradient(value, &in_gradients[0]);
    if (!PyTuple_Check(value) ||
        PyTuple_GET_SIZE(value) != (Py_ssize_t)saved->in_count) {
        PyErr_Format(PyExc_TypeError,
                     "the gradient of %s returns a tuple of %u",
                     saved->op->spec.name, saved->in_count);
        return LB_METHOD_FAILED;
    }
    for (uint32_t i = 0; i < saved->in_count && status == LB_OK; i++)
        if (i >= 32 || saved->wanted >> i & 1)
            status =
                keep_gradient(PyTuple_GET_ITEM(value, i), &in_gradients[i]);
    return status;
}

/* gradient(inputs, results, *result_gradients, **attributes) */
static lb_status gradient_in_python(lbo_context *context,
                                    const lbo_saved *saved,
                                    lbo_tensor *const *out_gradients,
                                    lbo_tensor **in_gradients)
{
    const PyGILState_STATE state = PyGILState_Ensure();
    PyObject *const inputs = tensors_tuple(saved->in, saved->in_count);
    PyObject *const results =
        inputs ? tensors_tuple(saved->out, saved->out_count) : NULL;
    PyObject *const words =
        results ? attributes_dict(saved->op, saved->attributes) : NULL;
    PyObject *const args =
        words ? PyTuple_New(2 + (Py_ssize_t)saved->out_count) : NULL;
    PyObject *const grads =
        args ? tensors_tuple(out_gradients, saved->out_count) : NULL;
    PyObject *value = NULL;
    lb_status status = LB_METHOD_FAILED;

    (void)context;
    if (grads != NULL) {
        PyTuple_SET_ITEM(args, 0, Py_NewRef(inputs));
        PyTuple_SET_ITEM(args, 1, Py_NewRef(results));
        for (uint32_t i = 0; i < saved->out_count; i++)
            PyTuple_SET_ITEM(args, 2 + i,
                             Py_NewRef(PyTuple_GET_ITEM(grads, i)));
        value = PyObject_Call(made_of(saved->op)->gradient, args, words);
    }
    if (value != NULL)
        status = keep_gradients(saved, value, in_gradients);
    Py_XDECREF(value);
    Py_XDECREF(grads);
    Py_XDECREF(args);
    Py_XDECREF(words);
    Py_XDECREF(results);
    Py_XDECREF(inputs);
    PyGILState_Release(state);
    return status == LB_OK ? LB_OK
                           : lbo_fail(status, "a gradient in Python failed");
}

/* What an attribute is, by its default: a value, or one of Python's types where
 * it has to be given. */
static int attribute_type(PyObject *value, lbo_attribute_type *type)
{
    PyObject *const cls =
        PyType_Check(value) ? value : (PyObject *)Py_TYPE(value);

    if (cls == (PyObject *)&PyBool_Type)
        *type = LBO_ATTRIBUTE_FLAG;
    else if (cls == (PyObject *)&PyLong_Type)
        *type = LBO_ATTRIBUTE_INTEGER;
    else if (cls == (PyObject *)&PyFloat_Type)
        *type = LBO_ATTRIBUTE_REAL;
    else if (cls == (PyObject *)&PyTuple_Type || value == Py_None)
        *type = LBO_ATTRIBUTE_DIMS;
    else if (cls == (PyObject *)the.dtype)
        *type = LBO_ATTRIBUTE_DTYPE;
    else {
        PyErr_Format(PyExc_TypeError,
                     "an attribute is an int, float, bool, tuple or dtype, not "
                     "%.100s",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    return 0;
}

static int take_attributes(made_operator *made, PyObject *attributes,
                           size_t *count, size_t *bytes)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;

    made->names = PyDict_Keys(attributes);
    if (made->names == NULL)
        return -1;
    while (PyDict_Next(attributes, &at, &name, &value)) {
        lbo_attribute *const one = &made->attributes[*count];
        const size_t size = sizeof(int64_t);
        if (*count == MOST_ATTRIBUTES) {
            PyErr_Format(PyExc_ValueError, "more than %d attributes",
                         MOST_ATTRIBUTES);
            return -1;
        }
        one->name = PyUnicode_AsUTF8(name);
        if (one->name == NULL || attribute_type(value, &one->type) < 0)
            return -1;
        one->offset = *bytes;
        *bytes += one->type == LBO_ATTRIBUTE_DIMS
                      ? (sizeof(lbo_dims) + size - 1) / size * size
                      : size;
        if (*bytes > sizeof made->defaults) {
            PyErr_SetString(PyExc_ValueError, "too many attributes");
            return -1;
        }
        made->required[*count] = PyType_Check(value);
        if (!PyType_Check(value) &&
            set_attribute(one, made->defaults, value) < 0)
            return -1;
        ++*count;
    }
    return 0;
}

static PyObject *given_or_null(PyObject *object)
{
    return object == Py_None ? NULL : Py_NewRef(object);
}

static void made_free(made_operator *made)
{
    Py_XDECREF(made->infer);
    Py_XDECREF(made->gradient);
    Py_XDECREF(made->names);
    PyMem_Free(made);
}

/* _operator(name, inputs, results, attributes, infer, gradient, promotes) */
PyObject *py_operator(PyObject *self, PyObject *args)
{
    const char *name;
    unsigned int inputs, outputs;
    int promotes;
    PyObject *attributes, *infer, *gradient;
    size_t count = 0, bytes = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "sIIO!OOp", &name, &inputs, &outputs,
                          &PyDict_Type, &attributes, &infer, &gradient,
                          &promotes))
        return NULL;
    made_operator *const made = PyMem_Calloc(1, sizeof *made);
    if (made == NULL)
        return PyErr_NoMemory();
    made->infer = given_or_null(infer);
    made->gradient = given_or_null(gradient);
    if (take_attributes(made, attributes, &count, &bytes) < 0 || inputs < 1) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError,
                            "an operator has at least one input");
        made_free(made);
        return NULL;
    }
    const lbo_operator_spec spec = {
        .name = name,
        .dispatched = inputs >= 2 ? 2 : 1,
        .in_count = inputs,
        .out_count = outputs,
        .flags = promotes ? LBO_PROMOTES : 0,
        .saves = made->gradient == NULL
                     ? 0
                     : ((1u << (inputs < 16 ? inputs : 16)) - 1) |
                           (((1u << (outputs < 4 ? outputs : 4)) - 1) << 16),
        .attribute_size = bytes,
        .attributes = made->attributes,
        .attribute_count = count,
        .infer = infer_in_python,
        .gradient = made->gradient ? gradient_in_python : NULL};
    if (finish(lbo_operator_create(the.library, &spec, &made->op)) < 0) {
        made_free(made);
        return NULL;
    }
    made->next = made_operators;
    made_operators = made;
    return function_make(made->op);
}
