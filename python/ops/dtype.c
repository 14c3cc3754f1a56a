/* dtype.c - types of elements as objects.
 *
 * One object each, so that `is` works; equal to each other by identity, and to
 * the texts that name them ("float32", "f32").
 */
#include "ops.h"

#include <string.h>

static const char *const long_names[LBO_DTYPE_COUNT] = {
    "bool",    "uint8",    "int8",    "int32",  "int64",
    "float16", "bfloat16", "float32", "float64"};

static void dtype_dealloc(PyObject *self)
{
    PyTypeObject *const type = Py_TYPE(self);

    Py_XDECREF(((dtype_object *)self)->name);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *dtype_repr(PyObject *self)
{
    return PyUnicode_FromFormat("ops.%U", ((dtype_object *)self)->name);
}

static PyObject *dtype_str(PyObject *self)
{
    return Py_NewRef(((dtype_object *)self)->name);
}

static Py_hash_t dtype_hash(PyObject *self)
{
    return PyObject_Hash(((dtype_object *)self)->name);
}

static PyObject *dtype_compare(PyObject *self, PyObject *other, int op)
{
    bool same = self == other;

    if (op != Py_EQ && op != Py_NE)
        Py_RETURN_NOTIMPLEMENTED;
    if (!same && PyUnicode_Check(other)) {
        const char *const text = PyUnicode_AsUTF8(other);
        if (text == NULL)
            return NULL;
        same = lbo_dtype_find(text) == (int)((dtype_object *)self)->dtype;
    } else if (!same && Py_TYPE(other) != the.dtype)
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong(same == (op == Py_EQ));
}

static PyObject *dtype_reduce(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    PyObject *const module = PyImport_ImportModule("latebind._ops");
    PyObject *const get =
        module ? PyObject_GetAttrString(module, "dtype_of") : NULL;
    Py_XDECREF(module);
    return get == NULL
               ? NULL
               : Py_BuildValue("N(O)", get, ((dtype_object *)self)->name);
}

static PyObject *dtype_name(PyObject *self, void *closure)
{
    (void)closure;
    return Py_NewRef(((dtype_object *)self)->name);
}

static PyObject *dtype_short(PyObject *self, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(lbo_dtype_name(((dtype_object *)self)->dtype));
}

static PyObject *dtype_size(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromSize_t(lbo_dtype_size(((dtype_object *)self)->dtype));
}

static PyObject *dtype_kind(PyObject *self, void *closure)
{
    static const char *const kinds[] = {"bool", "integral", "real floating"};
    (void)closure;
    return PyUnicode_FromString(
        kinds[lbo_dtype_kind(((dtype_object *)self)->dtype)]);
}

static PyGetSetDef dtype_getset[] = {
    {"name", dtype_name, NULL, "As the array API has it: \"float32\".", NULL},
    {"short", dtype_short, NULL, "As kernels name it: \"f32\".", NULL},
    {"itemsize", dtype_size, NULL, "Bytes of an element.", NULL},
    {"kind", dtype_kind, NULL, "bool, integral or real floating.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef dtype_methods[] = {
    {"__reduce__", dtype_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyType_Slot dtype_slots[] = {{Py_tp_dealloc, dtype_dealloc},
                                    {Py_tp_repr, dtype_repr},
                                    {Py_tp_str, dtype_str},
                                    {Py_tp_hash, dtype_hash},
                                    {Py_tp_richcompare, dtype_compare},
                                    {Py_tp_getset, dtype_getset},
                                    {Py_tp_methods, dtype_methods},
                                    {Py_tp_doc, "A type of elements."},
                                    {0, NULL}};

PyType_Spec dtype_spec = {"latebind.ops.DType", sizeof(dtype_object), 0,
                          Py_TPFLAGS_DEFAULT |
                              Py_TPFLAGS_DISALLOW_INSTANTIATION |
                              Py_TPFLAGS_IMMUTABLETYPE,
                          dtype_slots};

int dtypes_make(PyObject *module)
{
    for (int i = 0; i < LBO_DTYPE_COUNT; i++) {
        dtype_object *const made = PyObject_New(dtype_object, the.dtype);
        if (made == NULL)
            return -1;
        made->dtype = (lbo_dtype)i;
        made->name = PyUnicode_FromString(long_names[i]);
        the.dtypes[i] = (PyObject *)made;
        if (made->name == NULL ||
            PyModule_AddObjectRef(module, long_names[i], (PyObject *)made) < 0)
            return -1;
    }
    return 0;
}

/* "float32" of numpy.float32, numpy.dtype("f4"), torch.float32; a new
 * reference, or NULL without an exception. */
static PyObject *name_of(PyObject *object)
{
    PyObject *name = NULL;

    if (PyType_Check(object))
        return PyObject_GetAttrString(object, "__name__");
    name = PyObject_GetAttrString(object, "name");
    if (name == NULL) {
        PyErr_Clear();
        name = PyObject_Str(object); /* torch.float32 */
    }
    return name;
}

static int dtype_by_text(const char *text)
{
    const char *const dot = strrchr(text, '.');

    if (dot != NULL)
        text = dot + 1;
    return lbo_dtype_find(text);
}

static int dtype_by_name(PyObject *object)
{
    PyObject *const name = name_of(object);
    const char *const text =
        name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    const int found = text ? dtype_by_text(text) : LBO_ANY_DTYPE;

    PyErr_Clear();
    Py_XDECREF(name);
    return found;
}

int dtype_from(PyObject *object)
{
    int found = LBO_ANY_DTYPE;

    if (Py_TYPE(object) == the.dtype)
        return (int)((dtype_object *)object)->dtype;
    if (object == (PyObject *)&PyBool_Type)
        return LBO_BOOL;
    if (object == (PyObject *)&PyLong_Type)
        return LBO_I64;
    if (object == (PyObject *)&PyFloat_Type)
        return LBO_F32;
    if (PyUnicode_Check(object)) {
        const char *const text = PyUnicode_AsUTF8(object);
        found = text ? dtype_by_text(text) : LBO_ANY_DTYPE;
    } else
        found = dtype_by_name(object);
    if (found == LBO_ANY_DTYPE && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError,
                     "%R is no dtype here; there are bool, uint8, int8, int32, "
                     "int64, float16, bfloat16, float32, float64",
                     object);
    return found;
}

static int two_dtypes(PyObject *const *args, Py_ssize_t count, int *a, int *b)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "two dtypes are wanted");
        return -1;
    }
    *a = dtype_from(args[0]);
    *b = *a < 0 ? -1 : dtype_from(args[1]);
    return *b < 0 ? -1 : 0;
}

PyObject *py_promote(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    int a, b;

    (void)self;
    if (two_dtypes(args, count, &a, &b) < 0)
        return NULL;
    return dtype_object_of(lbo_promote((lbo_dtype)a, (lbo_dtype)b));
}

PyObject *py_promote_weak(PyObject *self, PyObject *const *args,
                          Py_ssize_t count)
{
    int a, b;

    (void)self;
    if (two_dtypes(args, count, &a, &b) < 0)
        return NULL;
    return dtype_object_of(lbo_promote_weak((lbo_dtype)a, (lbo_dtype)b));
}
