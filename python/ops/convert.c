/* convert.c - elements from Python's numbers and lists, and back.
 *
 * A tensor from nested sequences takes two walks: the first finds shape and kind
 * (bool, integer or floating; tensors and arrays inside count by their own
 * type), the second writes the elements into a block that is row-major, which
 * the library then copies to the device.
 */
#include "ops.h"

#include <math.h>
#include <string.h>

/* ---- one element ---------------------------------------------------------- */

PyObject *element_get(int dtype, const void *at)
{
    switch (dtype) {
    case LBO_BOOL:
        return PyBool_FromLong(*(const uint8_t *)at);
    case LBO_U8:
        return PyLong_FromLong(*(const uint8_t *)at);
    case LBO_I8:
        return PyLong_FromLong(*(const int8_t *)at);
    case LBO_I32:
        return PyLong_FromLong(*(const int32_t *)at);
    case LBO_I64:
        return PyLong_FromLongLong(*(const int64_t *)at);
    case LBO_F16:
        return PyFloat_FromDouble(
            (double)lbo_f16_to_f32(*(const uint16_t *)at));
    case LBO_BF16:
        return PyFloat_FromDouble(
            (double)lbo_bf16_to_f32(*(const uint16_t *)at));
    case LBO_F32:
        return PyFloat_FromDouble((double)*(const float *)at);
    default:
        return PyFloat_FromDouble(*(const double *)at);
    }
}

static int set_floating(int dtype, void *at, PyObject *value)
{
    const double number = PyFloat_AsDouble(value);

    if (number == -1.0 && PyErr_Occurred())
        return -1;
    switch (dtype) {
    case LBO_F16:
        *(uint16_t *)at = lbo_f32_to_f16((float)number);
        break;
    case LBO_BF16:
        *(uint16_t *)at = lbo_f32_to_bf16((float)number);
        break;
    case LBO_F32:
        *(float *)at = (float)number;
        break;
    default:
        *(double *)at = number;
        break;
    }
    return 0;
}

static int out_of_range(int dtype, PyObject *value)
{
    PyErr_Format(PyExc_OverflowError, "%S does not fit %s", value,
                 lbo_dtype_name((lbo_dtype)dtype));
    return -1;
}

static int integer_from(PyObject *value, long long *number, int *overflow)
{
    PyObject *const whole =
        PyFloat_Check(value) ? PyNumber_Long(value) : PyNumber_Index(value);

    if (whole == NULL)
        return -1;
    *number = PyLong_AsLongLongAndOverflow(whole, overflow);
    Py_DECREF(whole);
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

static int set_integer(int dtype, void *at, PyObject *value)
{
    long long number;
    int overflow = 0;

    if (integer_from(value, &number, &overflow) < 0)
        return -1;
    switch (overflow ? -1 : dtype) {
    case LBO_U8:
        if (number < 0 || number > UINT8_MAX)
            break;
        *(uint8_t *)at = (uint8_t)number;
        return 0;
    case LBO_I8:
        if (number < INT8_MIN || number > INT8_MAX)
            break;
        *(int8_t *)at = (int8_t)number;
        return 0;
    case LBO_I32:
        if (number < INT32_MIN || number > INT32_MAX)
            break;
        *(int32_t *)at = (int32_t)number;
        return 0;
    case LBO_I64:
        *(int64_t *)at = (int64_t)number;
        return 0;
    default:
        break;
    }
    return out_of_range(dtype, value);
}

int element_set(int dtype, void *at, PyObject *value)
{
    if (dtype == LBO_BOOL) {
        const int truth = PyObject_IsTrue(value);
        *(uint8_t *)at = truth == 1;
        return truth < 0 ? -1 : 0;
    }
    return lbo_dtype_kind((lbo_dtype)dtype) == LBO_KIND_FLOATING
               ? set_floating(dtype, at, value)
               : set_integer(dtype, at, value);
}

/* ---- numbers beside tensors -------------------------------------------------- */

static int weak_dtype(PyObject *number)
{
    return PyBool_Check(number)   ? LBO_BOOL
           : PyLong_Check(number) ? LBO_I64
                                  : LBO_F32;
}

static lbo_tensor *made_or_raise(lb_status status, lbo_tensor *tensor)
{
    if (LB_LIKELY(status == LB_OK))
        return tensor;
    (void)raise_status_int(status);
    return NULL;
}

static lbo_tensor *weak_tensor(lbo_context *context, PyObject *number)
{
    lbo_tensor *made = NULL;
    lb_status status;

    if (PyBool_Check(number))
        status = lbo_scalar_bool(context, number == Py_True, &made);
    else if (PyLong_Check(number)) {
        int64_t integer;
        if (element_set(LBO_I64, &integer, number) < 0)
            return NULL;
        status = lbo_scalar_integer(context, integer, &made);
    } else
        status = lbo_scalar(context, PyFloat_AS_DOUBLE(number), &made);
    return made_or_raise(status, made);
}

lbo_tensor *number_tensor(lbo_context *context, PyObject *number,
                          const lbo_tensor *like)
{
    /* Beside a host's tensor whose type it takes on, it is of that type at once:
     * no conversion on the way. */
    if (like != NULL && !(like->flags & LBO_WEAK) &&
        lbo_tensor_device(like)->flags & LBO_HOST &&
        lbo_promote_weak((lbo_dtype)like->dtype,
                         (lbo_dtype)weak_dtype(number)) == like->dtype) {
        lbo_spec spec = {
            .device = lbo_tensor_device(like), .dtype = like->dtype, .ndim = 0};
        lbo_tensor *made = NULL;
        int64_t element = 0;
        if (element_set(like->dtype, &element, number) < 0)
            return NULL;
        const lb_status status = lbo_tensor_create(context, &spec, &made);
        if (status == LB_OK)
            memcpy(made->data, &element,
                   lbo_dtype_size((lbo_dtype)like->dtype));
        return made_or_raise(status, made);
    }
    return weak_tensor(context, number);
}

/* ---- nested sequences ----------------------------------------------------------- */

typedef struct nest {
    int64_t shape[LBO_MAX_DIMS];
    int ndim;   /* -1: not known before the first element */
    int dtype;  /* of the elements, as far as they were seen */
    int strong; /* of tensors and arrays among them, LBO_ANY_DTYPE: none */
} nest;

static bool is_nested(PyObject *object)
{
    return PyList_Check(object) || PyTuple_Check(object) ||
           (PySequence_Check(object) && !PyUnicode_Check(object) &&
            !PyBytes_Check(object) && !is_tensor(object));
}

static int not_a_number(PyObject *object)
{
    PyErr_Format(PyExc_TypeError,
                 "a tensor is made of numbers, nested sequences or arrays, not "
                 "of %.100s",
                 Py_TYPE(object)->tp_name);
    return -1;
}

static int ragged(const nest *n, int depth, Py_ssize_t count)
{
    PyErr_Format(PyExc_ValueError,
                 "the sequences are not of one shape: in dimension %d there "
                 "are %lld and %zd elements",
                 depth, depth < n->ndim ? (long long)n->shape[depth] : 1LL,
                 count);
    return -1;
}

static int see_leaf(nest *n, PyObject *object, int depth)
{
    if (n->ndim < 0)
        n->ndim = depth;
    if (depth != n->ndim) {
        PyErr_Format(PyExc_ValueError,
                     "the sequences are not of one shape: a number at depth "
                     "%d, others at %d",
                     depth, n->ndim);
        return -1;
    }
    if (is_tensor(object)) {
        const lbo_tensor *const tensor = tensor_of(object);
        if (tensor->size != 1)
            return not_a_number(object);
        n->strong = n->strong < 0 ? tensor->dtype
                                  : (int)lbo_promote((lbo_dtype)n->strong,
                                                     (lbo_dtype)tensor->dtype);
        return 0;
    }
    int kind;
    if (PyBool_Check(object))
        kind = LBO_BOOL;
    else if (PyFloat_Check(object))
        kind = LBO_F32;
    else if (PyIndex_Check(object))
        kind = LBO_I64;
    else if (PyNumber_Check(object))
        kind = LBO_F32;
    else
        return not_a_number(object);
    if (kind > n->dtype)
        n->dtype = kind;
    return 0;
}

static int see(nest *n, PyObject *object, int depth)
{
    if (!is_nested(object))
        return see_leaf(n, object, depth);
    if (depth == LBO_MAX_DIMS) {
        PyErr_Format(PyExc_ValueError, "more than %d nested sequences",
                     LBO_MAX_DIMS);
        return -1;
    }
    PyObject *const items = PySequence_Fast(object, "a sequence is wanted");
    if (items == NULL)
        return -1;
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    int result = 0;
    if (n->shape[depth] < 0)
        n->shape[depth] = count;
    if (n->shape[depth] != count || (n->ndim >= 0 && depth >= n->ndim))
        result = ragged(n, depth, count);
    if (count == 0 && result == 0) {
        if (n->ndim < 0)
            n->ndim = depth + 1;
        else if (n->ndim != depth + 1)
            result = ragged(n, depth, count);
    }
    for (Py_ssize_t i = 0; i < count && result == 0; i++)
        result = see(n, PySequence_Fast_GET_ITEM(items, i), depth + 1);
    Py_DECREF(items);
    return result;
}

static int write_leaf(int dtype, char *at, PyObject *object)
{
    if (!is_tensor(object))
        return element_set(dtype, at, object);
    PyObject *const item = tensor_item(object, NULL);
    const int result = item ? element_set(dtype, at, item) : -1;
    Py_XDECREF(item);
    return result;
}

/* The sequences may have changed since: every length is looked at again. */
static int write_all(const nest *n, int dtype, char **at, PyObject *object,
                     int depth)
{
    if (depth == n->ndim) {
        if (write_leaf(dtype, *at, object) < 0)
            return -1;
        *at += lbo_dtype_size((lbo_dtype)dtype);
        return 0;
    }
    PyObject *const items = PySequence_Fast(object, "a sequence is wanted");
    if (items == NULL)
        return -1;
    int result = 0;
    for (Py_ssize_t i = 0; i < n->shape[depth] && result == 0; i++)
        result = i < PySequence_Fast_GET_SIZE(items)
                     ? write_all(n, dtype, at,
                                 PySequence_Fast_GET_ITEM(items, i), depth + 1)
                     : ragged(n, depth, PySequence_Fast_GET_SIZE(items));
    Py_DECREF(items);
    return result;
}

static int64_t nest_size(const nest *n)
{
    int64_t size = 1;

    for (int i = 0; i < n->ndim; i++)
        size *= n->shape[i]; /* there are objects for all: no overflow */
    return size;
}

static int nest_dtype(const nest *n, int dtype)
{
    if (dtype >= 0)
        return dtype;
    if (n->strong < 0)
        return n->dtype < 0 ? LBO_F32 : n->dtype;
    return n->dtype < 0 ? n->strong
                        : (int)lbo_promote_weak((lbo_dtype)n->strong,
                                                (lbo_dtype)n->dtype);
}

static lbo_tensor *tensor_from_nest(lbo_context *context, PyObject *data,
                                    int dtype)
{
    nest n = {.ndim = -1, .dtype = LBO_ANY_DTYPE, .strong = LBO_ANY_DTYPE};
    lbo_tensor *made = NULL;

    for (int i = 0; i < LBO_MAX_DIMS; i++)
        n.shape[i] = -1;
    if (see(&n, data, 0) < 0)
        return NULL;
    const int type = nest_dtype(&n, dtype);
    const int64_t size = nest_size(&n);
    char *const block =
        PyMem_Malloc((size_t)size * lbo_dtype_size((lbo_dtype)type) + 1);
    char *at = block;
    if (block == NULL)
        return (lbo_tensor *)PyErr_NoMemory();
    if (write_all(&n, type, &at, data, 0) < 0 ||
        finish(lbo_from_data(context, (lbo_dtype)type, (size_t)n.ndim, n.shape,
                             block, &made)) < 0)
        made = NULL;
    PyMem_Free(block);
    return made;
}

/* ---- anything ------------------------------------------------------------------- */

/* A copy of a tensor, of another type if one is given, on the context's device. */
static lbo_tensor *copy_of(lbo_context *context, lbo_tensor *source, int dtype)
{
    lbo_spec spec = {.dtype = dtype < 0 ? source->dtype : dtype,
                     .ndim = source->ndim};
    lbo_tensor *made = NULL, *cast = NULL, *plain = NULL;

    memcpy(spec.shape, source->dims, source->ndim * sizeof(int64_t));
    lb_status status = lbo_detach(source, &plain);
    if (status == LB_OK)
        status = lbo_tensor_create(context, &spec, &made);
    if (status == LB_OK && plain->dtype != spec.dtype)
        status = lbo_cast(context, &cast, plain, (lbo_dtype)spec.dtype);
    if (status == LB_OK)
        status = lbo_copy(context, &made, cast ? cast : plain);
    lbo_tensor_release(cast);
    lbo_tensor_release(plain);
    if (status != LB_OK)
        lbo_tensor_release(made);
    return made_or_raise(status, made);
}

lbo_tensor *tensor_from(lbo_context *context, PyObject *data, int dtype)
{
    if (is_tensor(data))
        return copy_of(context, tensor_of(data), dtype);
    if (!PyList_Check(data) && !PyTuple_Check(data) && !is_number(data) &&
        PyObject_CheckBuffer(data)) {
        lbo_tensor *const over = tensor_over_buffer(data);
        if (over != NULL) {
            lbo_tensor *const made = copy_of(context, over, dtype);
            lbo_tensor_release(over);
            return made;
        }
        if (PyErr_Occurred())
            return NULL;
    }
    return tensor_from_nest(context, data, dtype);
}

/* _tensor(data, dtype or None): what ops.tensor is made of. */
PyObject *py_tensor(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"data", "dtype", NULL};
    lbo_context *const context = context_get();
    PyObject *data, *dtype = Py_None;

    (void)self;
    if (context == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "O|O", words, &data, &dtype))
        return NULL;
    const int type = dtype == Py_None ? LBO_ANY_DTYPE : dtype_from(dtype);
    if (PyErr_Occurred())
        return NULL;
    lbo_tensor *const made = tensor_from(context, data, type);
    return made == NULL ? NULL : tensor_wrap(made);
}

static PyObject *list_at(const lbo_tensor *shape, const char **at, int depth)
{
    const int dtype = shape->dtype;

    if (depth == shape->ndim) {
        PyObject *const item = element_get(dtype, *at);
        *at += lbo_dtype_size((lbo_dtype)dtype);
        return item;
    }
    PyObject *const list = PyList_New((Py_ssize_t)shape->dims[depth]);
    for (int64_t i = 0; list && i < shape->dims[depth]; i++) {
        PyObject *const item = list_at(shape, at, depth + 1);
        if (item == NULL) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

/* The elements, row-major. */
PyObject *tensor_bytes(PyObject *self, PyObject *ignored)
{
    lbo_context *const context = context_get();
    lbo_tensor *const tensor = tensor_of(self);
    const size_t bytes = lbo_tensor_bytes(tensor);
    PyObject *const result =
        context ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)bytes) : NULL;

    (void)ignored;
    if (result != NULL && bytes > 0 &&
        finish(lbo_read(context, tensor, PyBytes_AS_STRING(result), bytes)) <
            0) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

PyObject *tensor_tolist(PyObject *self, PyObject *ignored)
{
    PyObject *const bytes = tensor_bytes(self, ignored);

    if (bytes == NULL)
        return NULL;
    const char *at = PyBytes_AS_STRING(bytes);
    PyObject *const result = list_at(tensor_of(self), &at, 0);
    Py_DECREF(bytes);
    return result;
}

PyObject *tensor_item(PyObject *self, PyObject *ignored)
{
    lbo_context *const context = context_get();
    lbo_tensor *const tensor = tensor_of(self);
    int64_t element = 0;

    (void)ignored;
    if (context == NULL)
        return NULL;
    if (tensor->size != 1)
        return PyErr_Format(PyExc_ValueError,
                            "a tensor of %lld elements is no single number",
                            (long long)tensor->size);
    if (tensor->data != NULL)
        return element_get(tensor->dtype, tensor->data);
    if (finish(lbo_read(context, tensor, &element,
                        lbo_dtype_size((lbo_dtype)tensor->dtype))) < 0)
        return NULL;
    return element_get(tensor->dtype, &element);
}

/* ---- making ----------------------------------------------------------------------- */

static lb_status fill(lbo_context *context, lbo_tensor *made, const char *what,
                      PyObject *a, PyObject *b)
{
    const bool floating =
        lbo_dtype_kind((lbo_dtype)made->dtype) == LBO_KIND_FLOATING;

    if (strcmp(what, "fill") == 0 && !floating) {
        int64_t integer = 0;
        unsigned char check[8];
        if (element_set(made->dtype, check, a) < 0)
            return LB_METHOD_FAILED;
        if (made->dtype == LBO_BOOL)
            integer = check[0];
        else if (element_set(LBO_I64, &integer, a) < 0)
            return LB_METHOD_FAILED;
        return lbo_fill_integer(context, made, integer);
    }
    const double first = PyFloat_AsDouble(a);
    const double second = b == Py_None ? 0 : PyFloat_AsDouble(b);
    if (PyErr_Occurred())
        return LB_METHOD_FAILED;
    if (strcmp(what, "fill") == 0)
        return lbo_fill(context, made, first);
    if (strcmp(what, "arange") == 0)
        return lbo_arange(context, made, first, second);
    if (strcmp(what, "uniform") == 0)
        return lbo_uniform(context, made, first, second);
    return lbo_normal(context, made, first, second);
}

/* _create(what, shape, dtype, device or None, a=None, b=None); what: "empty",
 * "fill" (a), "arange" (start a, step b), "uniform", "normal". */
PyObject *py_create(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"what", "shape", "dtype", "device", "a", "b", NULL};
    lbo_context *const context = context_get();
    PyObject *shape, *dtype, *device = Py_None, *a = Py_None, *b = Py_None;
    const char *what;
    lbo_spec spec = {0};
    lbo_tensor *made = NULL;

    (void)self;
    if (context == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "sOO|OOO", words, &what,
                                     &shape, &dtype, &device, &a, &b))
        return NULL;
    const int ndim = shape_from(shape, spec.shape, "the shape");
    spec.dtype = ndim < 0 ? -1 : dtype_from(dtype);
    if (spec.dtype < 0)
        return NULL;
    spec.ndim = (uint32_t)ndim;
    if (device != Py_None) {
        const char *const name = PyUnicode_AsUTF8(device);
        if (name == NULL ||
            finish(lbo_device_find(the.library, name, &spec.device)) < 0)
            return NULL;
    }
    lb_status status = lbo_tensor_create(context, &spec, &made);
    if (status == LB_OK && strcmp(what, "empty") != 0)
        status = fill(context, made, what, a, b);
    if (finish(status) < 0) {
        lbo_tensor_release(made);
        return NULL;
    }
    return tensor_wrap(made);
}

/* What a pickle holds: dtype, shape, bytes, whether it is followed. */
PyObject *py_rebuild(PyObject *self, PyObject *args)
{
    lbo_context *const context = context_get();
    PyObject *dtype, *shape;
    Py_buffer bytes;
    int followed;
    int64_t sizes[LBO_MAX_DIMS];
    lbo_tensor *made = NULL;
    PyObject *result = NULL;

    (void)self;
    if (context == NULL ||
        !PyArg_ParseTuple(args, "OOy*p", &dtype, &shape, &bytes, &followed))
        return NULL;
    const int type = dtype_from(dtype);
    const int ndim = type < 0 ? -1 : shape_from(shape, sizes, "the shape");
    if (ndim >= 0 &&
        finish(lbo_empty(context, (lbo_dtype)type, (size_t)ndim, sizes,
                         &made)) == 0 &&
        finish(lbo_write(context, made, bytes.buf, (size_t)bytes.len)) == 0)
        result = tensor_wrap(lbo_tensor_retain(made));
    lbo_tensor_release(made);
    PyBuffer_Release(&bytes);
    if (result != NULL && followed &&
        PyObject_SetAttrString(result, "requires_grad", Py_True) < 0)
        Py_CLEAR(result);
    return result;
}
