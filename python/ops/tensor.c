/* tensor.c - the type Tensor: one reference to a tensor of the library.
 *
 * Operators on two tensors go straight to the library (lbo_add and the like);
 * a number becomes a tensor of no dimensions beside the other operand. What has
 * keywords is a function object of function.c that the package puts into the
 * type, so that `x.sum(axis=1)` and `ops.sum(x, axis=1)` are the same call.
 */
#include "ops.h"

#include <structmember.h>

typedef lb_status (*binary_fn)(lbo_context *, lbo_tensor **, lbo_tensor *,
                               lbo_tensor *);
typedef lb_status (*unary_fn)(lbo_context *, lbo_tensor **, lbo_tensor *);

PyObject *tensor_wrap(lbo_tensor *tensor)
{
    tensor_object *const made = PyObject_New(tensor_object, the.tensor);

    if (LB_UNLIKELY(made == NULL)) {
        lbo_tensor_release(tensor);
        return NULL;
    }
    made->tensor = tensor;
    made->weak = NULL;
    return (PyObject *)made;
}

static void tensor_dealloc(PyObject *self)
{
    tensor_object *const object = (tensor_object *)self;
    PyTypeObject *const type = Py_TYPE(self);

    if (object->weak != NULL)
        PyObject_ClearWeakRefs(self);
    lbo_tensor_release(object->tensor);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* ---- operators ------------------------------------------------------------ */

static PyObject *made_result(lb_status status, lbo_tensor *out)
{
    if (LB_UNLIKELY(finish(status) < 0)) {
        if (status == LB_OK)
            lbo_tensor_release(out);
        return NULL;
    }
    return tensor_wrap(out);
}

static inline lb_status call_binary(place *here, binary_fn fn, lbo_tensor **out,
                                    lbo_tensor *a, lbo_tensor *b)
{
    lb_status status;

    if (LB_UNLIKELY((a->history != NULL || b->history != NULL) &&
                    !here->followed) &&
        place_follow(here) < 0)
        return LB_METHOD_FAILED;
    if (LB_LIKELY(a->size <= LARGE && b->size <= LARGE))
        return fn(here->context, out, a, b);
    Py_BEGIN_ALLOW_THREADS status = fn(here->context, out, a, b);
    Py_END_ALLOW_THREADS return status;
}

/* One of two operands is a tensor. The other as a tensor: 1, and 0 if it is
 * none and no number. A new reference. */
static int operand(lbo_context *context, PyObject *object, PyObject *other,
                   lbo_tensor **result)
{
    if (is_tensor(object)) {
        *result = lbo_tensor_retain(tensor_of(object));
        return 1;
    }
    if (!is_number(object))
        return 0;
    *result = number_tensor(context, object, tensor_of(other));
    return *result == NULL ? -1 : 1;
}

/* Arrays of others are not mixed with ours by operators; NumPy would else say
 * something less clear. */
static PyObject *not_implemented(PyObject *a, PyObject *b)
{
    PyObject *const other = is_tensor(a) ? b : a;

    if (PyObject_HasAttrString(other, "__dlpack__"))
        return PyErr_Format(PyExc_TypeError,
                            "a tensor and a %.100s are not mixed by operators; "
                            "convert one by ops.asarray",
                            Py_TYPE(other)->tp_name);
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *mixed_binary(binary_fn fn, PyObject *a, PyObject *b,
                              lbo_tensor **out)
{
    place *const here = place_get();
    lbo_tensor *x = NULL, *y = NULL;
    PyObject *result = NULL;
    const bool given = *out != NULL;

    if (here == NULL)
        return NULL;
    const int first = operand(here->context, a, b, &x);
    const int second = first > 0 ? operand(here->context, b, a, &y) : first;
    if (second > 0) {
        const lb_status status = call_binary(here, fn, out, x, y);
        result = finish(status) < 0 ? NULL : Py_NewRef(Py_None);
        if (result == NULL && status == LB_OK && !given)
            lbo_tensor_release(*out);
    } else if (second == 0)
        result = not_implemented(a, b);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    return result;
}

static PyObject *binary(binary_fn fn, PyObject *a, PyObject *b)
{
    lbo_tensor *out = NULL;

    if (LB_LIKELY(Py_IS_TYPE(a, the.tensor) && Py_IS_TYPE(b, the.tensor))) {
        place *const here = place_get();
        if (LB_UNLIKELY(here == NULL))
            return NULL;
        const lb_status status =
            call_binary(here, fn, &out, tensor_of(a), tensor_of(b));
        return made_result(status, out);
    }
    PyObject *const result = mixed_binary(fn, a, b, &out);
    if (result != Py_None)
        return result;
    Py_DECREF(result);
    return tensor_wrap(out);
}

static PyObject *unary(unary_fn fn, PyObject *a)
{
    place *const here = place_get();
    lbo_tensor *const x = tensor_of(a);
    lbo_tensor *out = NULL;
    lb_status status;

    if (here == NULL || (x->history != NULL && place_follow(here) < 0))
        return NULL;
    if (x->size <= LARGE)
        status = fn(here->context, &out, x);
    else {
        Py_BEGIN_ALLOW_THREADS status = fn(here->context, &out, x);
        Py_END_ALLOW_THREADS
    }
    return made_result(status, out);
}

/* x += y writes into x. Where gradients are recorded, autograd says what may be
 * changed so. */
static PyObject *in_place(binary_fn fn, PyObject *a, PyObject *b)
{
    lbo_tensor *out = tensor_of(a);
    PyObject *const result = mixed_binary(fn, a, b, &out);

    if (result != Py_None)
        return result;
    Py_DECREF(result);
    return Py_NewRef(a);
}

#define BINARY(name, call)                                                     \
    static PyObject *tensor_##name(PyObject *a, PyObject *b)                   \
    {                                                                          \
        return binary(call, a, b);                                             \
    }                                                                          \
    static PyObject *tensor_in_place_##name(PyObject *a, PyObject *b)          \
    {                                                                          \
        return in_place(call, a, b);                                           \
    }
BINARY(add, lbo_add)
BINARY(sub, lbo_sub)
BINARY(mul, lbo_mul)
BINARY(div, lbo_div)
#undef BINARY

static PyObject *tensor_matmul(PyObject *a, PyObject *b)
{
    if (!is_tensor(a) || !is_tensor(b))
        Py_RETURN_NOTIMPLEMENTED;
    return binary(lbo_matmul, a, b);
}

static PyObject *tensor_pow(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return binary(lbo_pow, a, b);
}

static PyObject *tensor_in_place_pow(PyObject *a, PyObject *b,
                                     PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return in_place(lbo_pow, a, b);
}

static PyObject *tensor_neg(PyObject *a)
{
    return unary(lbo_neg, a);
}

static PyObject *tensor_pos(PyObject *a)
{
    return Py_NewRef(a);
}

static PyObject *tensor_abs(PyObject *a)
{
    return unary(lbo_abs, a);
}

/* & | ^ of truth values are minimum, maximum and not_equal. */
static bool is_truth(PyObject *object)
{
    return is_tensor(object) ? tensor_of(object)->dtype == LBO_BOOL
                             : PyBool_Check(object);
}

static PyObject *truth(binary_fn fn, PyObject *a, PyObject *b)
{
    if (!is_truth(a) || !is_truth(b))
        Py_RETURN_NOTIMPLEMENTED;
    return binary(fn, a, b);
}

static PyObject *tensor_and(PyObject *a, PyObject *b)
{
    return truth(lbo_minimum, a, b);
}

static PyObject *tensor_or(PyObject *a, PyObject *b)
{
    return truth(lbo_maximum, a, b);
}

static PyObject *tensor_xor(PyObject *a, PyObject *b)
{
    return truth(lbo_not_equal, a, b);
}

static PyObject *tensor_invert(PyObject *a)
{
    if (!is_truth(a))
        return PyErr_Format(PyExc_TypeError, "~ is for tensors of bool");
    return binary(lbo_equal, a, Py_False);
}

static PyObject *tensor_compare(PyObject *a, PyObject *b, int op)
{
    static const binary_fn functions[] = {lbo_less,    lbo_less_equal,
                                          lbo_equal,   lbo_not_equal,
                                          lbo_greater, lbo_greater_equal};

    return binary(functions[op], a, b);
}

static Py_hash_t tensor_hash(PyObject *self)
{
    return (Py_hash_t)((uintptr_t)self >> 4);
}

/* ---- as numbers ------------------------------------------------------------ */

static int tensor_bool(PyObject *self)
{
    lbo_tensor *const tensor = tensor_of(self);

    if (tensor->size != 1) {
        PyErr_Format(PyExc_ValueError,
                     "the truth of a tensor of %lld elements is ambiguous",
                     (long long)tensor->size);
        return -1;
    }
    PyObject *const item = tensor_item(self, NULL);
    const int result = item ? PyObject_IsTrue(item) : -1;
    Py_XDECREF(item);
    return result;
}

static PyObject *tensor_float(PyObject *self)
{
    PyObject *const item = tensor_item(self, NULL);
    PyObject *const result = item ? PyNumber_Float(item) : NULL;

    Py_XDECREF(item);
    return result;
}

static PyObject *tensor_int(PyObject *self)
{
    PyObject *const item = tensor_item(self, NULL);
    PyObject *const result = item ? PyNumber_Long(item) : NULL;

    Py_XDECREF(item);
    return result;
}

static PyObject *tensor_index(PyObject *self)
{
    const lbo_tensor *const tensor = tensor_of(self);

    if (lbo_dtype_kind((lbo_dtype)tensor->dtype) != LBO_KIND_INTEGER ||
        tensor->size != 1)
        return PyErr_Format(PyExc_TypeError,
                            "only a tensor of one integer is an index");
    return tensor_item(self, NULL);
}

static Py_ssize_t tensor_length(PyObject *self)
{
    const lbo_tensor *const tensor = tensor_of(self);

    if (tensor->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "a tensor of no dimensions has no "
                                         "length");
        return -1;
    }
    return (Py_ssize_t)tensor->dims[0];
}

static PyObject *tensor_at(PyObject *self, Py_ssize_t index)
{
    PyObject *const key = PyLong_FromSsize_t(index);
    PyObject *const result = key ? tensor_subscript(self, key) : NULL;

    Py_XDECREF(key);
    return result;
}

static PyObject *tensor_iter(PyObject *self)
{
    if (tensor_length(self) < 0)
        return NULL;
    return PySeqIter_New(self);
}

static PyObject *tensor_repr(PyObject *self)
{
    lbo_context *const context = context_get();
    char few[1024];

    if (context == NULL)
        return NULL;
    const int need = lbo_format(context, tensor_of(self), few, sizeof few);
    if (need < 0)
        return raise_status(LB_METHOD_FAILED);
    if ((size_t)need < sizeof few)
        return PyUnicode_FromStringAndSize(few, need);
    char *const text = PyMem_Malloc((size_t)need + 1);
    if (text == NULL)
        return PyErr_NoMemory();
    const int length =
        lbo_format(context, tensor_of(self), text, (size_t)need + 1);
    PyObject *const result =
        length < 0
            ? raise_status(LB_METHOD_FAILED)
            : PyUnicode_FromStringAndSize(text, length < need ? length : need);
    PyMem_Free(text);
    return result;
}

/* ---- facts ------------------------------------------------------------------ */

PyObject *shape_tuple(size_t ndim, const int64_t *numbers)
{
    PyObject *const result = PyTuple_New((Py_ssize_t)ndim);

    for (size_t i = 0; result && i < ndim; i++) {
        PyObject *const number = PyLong_FromLongLong(numbers[i]);
        if (number == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        PyTuple_SET_ITEM(result, (Py_ssize_t)i, number);
    }
    return result;
}

static int64_t size_from(PyObject *object, const char *what)
{
    PyObject *const index = PyNumber_Index(object);

    if (index == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError,
                         "%s has a %.100s: integers are wanted", what,
                         Py_TYPE(object)->tp_name);
        return -1;
    }
    const long long number = PyLong_AsLongLong(index);
    Py_DECREF(index);
    return number;
}

int shape_from(PyObject *object, int64_t *shape, const char *what)
{
    if (PyIndex_Check(object) && !PySequence_Check(object)) {
        shape[0] = size_from(object, what);
        return shape[0] == -1 && PyErr_Occurred() ? -1 : 1;
    }
    PyObject *const items = PySequence_Fast(object, "");
    if (items == NULL) {
        PyErr_Format(PyExc_TypeError, "%s is a %.100s: integers are wanted",
                     what, Py_TYPE(object)->tp_name);
        return -1;
    }
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    if (count > LBO_MAX_DIMS)
        PyErr_Format(PyExc_ValueError,
                     "%s has %zd dimensions, at most %d are "
                     "possible",
                     what, count, LBO_MAX_DIMS);
    for (Py_ssize_t i = 0; i < count && !PyErr_Occurred(); i++)
        shape[i] = size_from(PySequence_Fast_GET_ITEM(items, i), what);
    Py_DECREF(items);
    return PyErr_Occurred() ? -1 : (int)count;
}

static PyObject *get_shape(PyObject *self, void *closure)
{
    const lbo_tensor *const tensor = tensor_of(self);

    (void)closure;
    return shape_tuple(tensor->ndim, lbo_shape(tensor));
}

static PyObject *get_strides(PyObject *self, void *closure)
{
    const lbo_tensor *const tensor = tensor_of(self);

    (void)closure;
    return shape_tuple(tensor->ndim, lbo_strides(tensor));
}

static PyObject *get_ndim(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(tensor_of(self)->ndim);
}

static PyObject *get_size(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLongLong(tensor_of(self)->size);
}

static PyObject *get_bytes(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromSize_t(lbo_tensor_bytes(tensor_of(self)));
}

static PyObject *get_dtype(PyObject *self, void *closure)
{
    (void)closure;
    return dtype_object_of(tensor_of(self)->dtype);
}

static PyObject *get_device(PyObject *self, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(lbo_tensor_device(tensor_of(self))->name);
}

static PyObject *get_contiguous(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(lbo_is_contiguous(tensor_of(self)));
}

static PyObject *reversed_dims(PyObject *self, void *closure)
{
    place *const here = place_get();
    lbo_tensor *const x = tensor_of(self);
    lbo_tensor *out = NULL;

    if (here == NULL || (x->history != NULL && place_follow(here) < 0))
        return NULL;
    if (closure == NULL && x->ndim != 2)
        return PyErr_Format(PyExc_ValueError,
                            "T is for two dimensions, not %d; there are mT and "
                            "permute_dims",
                            x->ndim);
    if (x->ndim < 2)
        return PyErr_Format(PyExc_ValueError,
                            "mT is for two dimensions or more, not %d",
                            x->ndim);
    const lb_status status = lbo_swap_dims(here->context, &out, x, -1, -2);
    return made_result(status, out);
}

/* ---- gradients -------------------------------------------------------------- */

static PyObject *get_requires_grad(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(is_followed(tensor_of(self)));
}

static int set_requires_grad(PyObject *self, PyObject *value, void *closure)
{
    place *const here = place_get();
    const int on = value == NULL ? 0 : PyObject_IsTrue(value);

    (void)closure;
    if (here == NULL || on < 0 ||
        finish(lbo_require_gradient(tensor_of(self), on)) < 0)
        return -1;
    return on ? place_follow(here) : 0;
}

static PyObject *get_grad(PyObject *self, void *closure)
{
    lbo_tensor *const tensor = tensor_of(self);
    lbo_tensor *const grad =
        tensor->history == NULL ? NULL : lbo_gradient(tensor);

    (void)closure;
    return grad == NULL ? Py_NewRef(Py_None)
                        : tensor_wrap(lbo_tensor_retain(grad));
}

static int set_grad(PyObject *self, PyObject *value, void *closure)
{
    lbo_tensor *grad = NULL;

    (void)closure;
    if (value != NULL && value != Py_None) {
        if (!is_tensor(value)) {
            PyErr_Format(PyExc_TypeError,
                         "grad is a Tensor or None, not a %.100s",
                         Py_TYPE(value)->tp_name);
            return -1;
        }
        grad = tensor_of(value);
    } else if (tensor_of(self)->history == NULL)
        return 0;
    return finish(lbo_set_gradient(tensor_of(self), grad));
}

static PyObject *tensor_detach(PyObject *self, PyObject *ignored)
{
    lbo_tensor *out = NULL;

    (void)ignored;
    const lb_status status = lbo_detach(tensor_of(self), &out);
    return made_result(status, out);
}

/* ---- elsewhere ----------------------------------------------------------------- */

static PyObject *tensor_to_device(PyObject *self, PyObject *name)
{
    place *const here = place_get();
    const char *const text = here ? PyUnicode_AsUTF8(name) : NULL;
    lbo_device *device = NULL;
    lbo_tensor *out = NULL;
    lb_status status;

    if (text == NULL ||
        finish(lbo_device_find(the.library, text, &device)) < 0 ||
        (tensor_of(self)->history != NULL && place_follow(here) < 0))
        return NULL;
    if (lbo_tensor_device(tensor_of(self)) == device)
        return Py_NewRef(self);
    Py_BEGIN_ALLOW_THREADS status =
        lbo_to_device(here->context, &out, tensor_of(self), device);
    Py_END_ALLOW_THREADS return made_result(status, out);
}

static PyObject *tensor_contiguous(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    if (lbo_is_contiguous(tensor_of(self)))
        return Py_NewRef(self);
    return unary(lbo_contiguous, self);
}

static PyObject *tensor_copy(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return unary(lbo_copy, self);
}

/* A leaf of its own: the same elements, followed if this one is. */
static PyObject *tensor_deepcopy(PyObject *self, PyObject *memo)
{
    (void)memo;
    PyObject *const plain = tensor_detach(self, NULL);
    PyObject *const copy = plain ? unary(lbo_copy, plain) : NULL;

    Py_XDECREF(plain);
    if (copy != NULL && is_followed(tensor_of(self)) &&
        set_requires_grad(copy, Py_True, NULL) < 0) {
        Py_DECREF(copy);
        return NULL;
    }
    return copy;
}

static PyObject *tensor_reduce(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    PyObject *const module = PyImport_ImportModule("latebind._ops");
    PyObject *const rebuild =
        module ? PyObject_GetAttrString(module, "_rebuild") : NULL;
    PyObject *const bytes = rebuild ? tensor_bytes(self, NULL) : NULL;

    Py_XDECREF(module);
    if (bytes == NULL) {
        Py_XDECREF(rebuild);
        return NULL;
    }
    return Py_BuildValue("N(NNNi)", rebuild, get_dtype(self, NULL),
                         get_shape(self, NULL), bytes,
                         (int)is_followed(tensor_of(self)));
}

/* numpy.asarray(x): of the same memory where that can be. */
static PyObject *tensor_array(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"dtype", "copy", NULL};
    PyObject *dtype = Py_None, *copy = Py_None;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", words, &dtype, &copy))
        return NULL;
    PyObject *const module = PyImport_ImportModule("latebind.ops._interop");
    PyObject *const result =
        module
            ? PyObject_CallMethod(module, "to_numpy", "OOO", self, dtype, copy)
            : NULL;
    Py_XDECREF(module);
    return result;
}

static PyObject *tensor_namespace(PyObject *self, PyObject *args,
                                  PyObject *kwargs)
{
    (void)self;
    (void)args;
    (void)kwargs;
    return PyImport_ImportModule("latebind.ops");
}

/* Whether the same elements begin at the same place; for tests and the curious. */
static PyObject *get_pointer(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromVoidPtr(tensor_of(self)->data);
}

static PyGetSetDef getset[] = {
    {"shape", get_shape, NULL, "The sizes of the dimensions.", NULL},
    {"strides", get_strides, NULL, "Steps between elements, in elements.",
     NULL},
    {"ndim", get_ndim, NULL, "How many dimensions.", NULL},
    {"size", get_size, NULL, "How many elements.", NULL},
    {"nbytes", get_bytes, NULL, "Bytes of the elements, packed.", NULL},
    {"dtype", get_dtype, NULL, "The type of the elements.", NULL},
    {"device", get_device, NULL, "The name of the device.", NULL},
    {"is_contiguous", get_contiguous, NULL, "Whether in row-major order.",
     NULL},
    {"T", reversed_dims, NULL, "Two dimensions exchanged.", NULL},
    {"mT", reversed_dims, NULL, "The last two dimensions exchanged.",
     (void *)"m"},
    {"requires_grad", get_requires_grad, set_requires_grad,
     "Whether gradients are wanted.", NULL},
    {"grad", get_grad, set_grad, "What backward() left; None.", NULL},
    {"_pointer", get_pointer, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMemberDef members[] = {{"__weaklistoffset__", T_PYSSIZET,
                                 offsetof(tensor_object, weak), READONLY, NULL},
                                {NULL, 0, 0, 0, NULL}};

static PyMethodDef methods[] = {
    {"item", tensor_item, METH_NOARGS, "The one element as a number."},
    {"tolist", tensor_tolist, METH_NOARGS, "The elements as nested lists."},
    {"tobytes", tensor_bytes, METH_NOARGS, "The elements' bytes, row-major."},
    {"detach", tensor_detach, METH_NOARGS, "A view without history."},
    {"contiguous", tensor_contiguous, METH_NOARGS,
     "Itself if in row-major order, or a copy that is."},
    {"copy", tensor_copy, METH_NOARGS, "A copy, in row-major order."},
    {"clone", tensor_copy, METH_NOARGS, "A copy, in row-major order."},
    {"_to_device", tensor_to_device, METH_O, NULL},
    {"_backward", py_backward, METH_VARARGS, NULL},
    {"__copy__", tensor_copy, METH_NOARGS, NULL},
    {"__deepcopy__", tensor_deepcopy, METH_O, NULL},
    {"__reduce__", tensor_reduce, METH_NOARGS, NULL},
    {"__array__", (PyCFunction)(void (*)(void))tensor_array,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {"__array_namespace__", (PyCFunction)(void (*)(void))tensor_namespace,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {"__dlpack__", (PyCFunction)(void (*)(void))tensor_dlpack,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {"__dlpack_device__", tensor_dlpack_device, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, tensor_dealloc},
    {Py_tp_repr, tensor_repr},
    {Py_tp_hash, tensor_hash},
    {Py_tp_richcompare, tensor_compare},
    {Py_tp_iter, tensor_iter},
    {Py_tp_getset, getset},
    {Py_tp_members, members},
    {Py_tp_methods, methods},
    {Py_tp_doc, "An n-dimensional array on a device; made by ops.tensor(...)."},
    {Py_nb_add, tensor_add},
    {Py_nb_subtract, tensor_sub},
    {Py_nb_multiply, tensor_mul},
    {Py_nb_true_divide, tensor_div},
    {Py_nb_power, tensor_pow},
    {Py_nb_matrix_multiply, tensor_matmul},
    {Py_nb_negative, tensor_neg},
    {Py_nb_positive, tensor_pos},
    {Py_nb_absolute, tensor_abs},
    {Py_nb_invert, tensor_invert},
    {Py_nb_and, tensor_and},
    {Py_nb_or, tensor_or},
    {Py_nb_xor, tensor_xor},
    {Py_nb_inplace_add, tensor_in_place_add},
    {Py_nb_inplace_subtract, tensor_in_place_sub},
    {Py_nb_inplace_multiply, tensor_in_place_mul},
    {Py_nb_inplace_true_divide, tensor_in_place_div},
    {Py_nb_inplace_power, tensor_in_place_pow},
    {Py_nb_bool, tensor_bool},
    {Py_nb_int, tensor_int},
    {Py_nb_float, tensor_float},
    {Py_nb_index, tensor_index},
    {Py_mp_length, tensor_length},
    {Py_mp_subscript, tensor_subscript},
    {Py_mp_ass_subscript, tensor_assign},
    {Py_sq_length, tensor_length},
    {Py_sq_item, tensor_at},
    {Py_bf_getbuffer, tensor_getbuffer},
    {Py_bf_releasebuffer, tensor_releasebuffer},
    {0, NULL}};

PyType_Spec tensor_spec = {
    "latebind.ops.Tensor", sizeof(tensor_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
