/* attributes.c - an operator's struct of attributes from Python's values, and back.
 *
 * The operator's table says for each attribute its type and its place in the
 * struct. What is not given has a default: that of an operator made in Python,
 * else the one listed here.
 */
#include "ops.h"

#include <string.h>

/* ---- defaults ---------------------------------------------------------------- */

typedef struct default_value {
    const char *op; /* NULL: of every operator */
    const char *name;
    double value;
} default_value;

static const default_value defaults[] = {
    {NULL, "dims", -1},
    {NULL, "permutation", -1},
    {NULL, "keep", 0},
    {NULL, "correction", 0},
    {NULL, "approximate", 0},
    {"softmax", "dim", -1},
    {"log_softmax", "dim", -1},
    {"concat", "dim", 0},
    {"stack", "dim", 0},
    {"clamp", "low", -Py_HUGE_VAL},
    {"clamp", "high", Py_HUGE_VAL},
    {NULL, "reduction", LBO_REDUCE_MEAN},
    {NULL, "ignore", -100},
    {NULL, "epsilon", 1e-5},
    {"layer_norm", "dims", 1},
    {NULL, "stride_h", 1},
    {NULL, "stride_w", 1},
    {NULL, "padding_h", 0},
    {NULL, "padding_w", 0},
    {NULL, "dilation_h", 1},
    {NULL, "dilation_w", 1},
    {NULL, "groups", 1},
    {"slice", "start", 0},
    {"slice", "step", 1},
    {"arange", "start", 0},
    {"arange", "step", 1},
    {"uniform", "low", 0},
    {"uniform", "high", 1},
    {"normal", "mean", 0},
    {"normal", "deviation", 1},
};

static const default_value *default_of(const lbo_operator *op, const char *name)
{
    const default_value *found = NULL;

    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const default_value *const one = &defaults[i];
        if (strcmp(one->name, name) != 0)
            continue;
        if (one->op != NULL && strcmp(one->op, op->spec.name) == 0)
            return one;
        if (one->op == NULL)
            found = one;
    }
    return found;
}

/* ---- attributes ---------------------------------------------------------------- */

void attribute_number(const lbo_attribute *attribute, char *base, double value)
{
    char *const at = base + attribute->offset;

    switch (attribute->type) {
    case LBO_ATTRIBUTE_INTEGER:
        *(int64_t *)(void *)at = (int64_t)value;
        break;
    case LBO_ATTRIBUTE_REAL:
        *(double *)(void *)at = value;
        break;
    case LBO_ATTRIBUTE_FLAG:
        *(bool *)(void *)at = value != 0;
        break;
    case LBO_ATTRIBUTE_DTYPE:
        *(int32_t *)(void *)at = (int32_t)value;
        break;
    case LBO_ATTRIBUTE_DIMS:
        ((lbo_dims *)(void *)at)->count = (int32_t)value;
        break;
    }
}

/* "mean" for an attribute that is an lbo_reduction. */
static int reduction_from(PyObject *value, int64_t *result)
{
    static const char *const names[] = {"none", "mean", "sum"};
    const char *const text = PyUnicode_AsUTF8(value);

    for (int i = 0; text != NULL && i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *result = i;
            return 0;
        }
    if (text != NULL)
        PyErr_Format(PyExc_ValueError,
                     "reduction %R; there are \"none\", \"mean\", \"sum\"",
                     value);
    return -1;
}

static int set_integer(PyObject *value, const lbo_attribute *attribute,
                       int64_t *at)
{
    if (PyUnicode_Check(value) && strcmp(attribute->name, "reduction") == 0)
        return reduction_from(value, at);
    PyObject *const index = PyNumber_Index(value);
    if (index == NULL)
        return -1;
    const unsigned long long bits = PyLong_AsUnsignedLongLongMask(index);
    const int sign = PyLong_AsLongLong(index) == -1 && PyErr_Occurred();
    /* Seeds are unsigned: they may use the highest bit. */
    if (sign) {
        PyErr_Clear();
        if (PyLong_AsUnsignedLongLong(index) == (unsigned long long)-1 &&
            PyErr_Occurred()) {
            Py_DECREF(index);
            return -1;
        }
    }
    Py_DECREF(index);
    *at = (int64_t)bits;
    return 0;
}

int set_attribute(const lbo_attribute *attribute, char *base, PyObject *value)
{
    void *const at = base + attribute->offset;

    switch (attribute->type) {
    case LBO_ATTRIBUTE_INTEGER:
        return set_integer(value, attribute, at);
    case LBO_ATTRIBUTE_REAL:
        *(double *)at = PyFloat_AsDouble(value);
        return PyErr_Occurred() ? -1 : 0;
    case LBO_ATTRIBUTE_FLAG: {
        const int truth = PyObject_IsTrue(value);
        *(bool *)at = truth == 1;
        return truth < 0 ? -1 : 0;
    }
    case LBO_ATTRIBUTE_DTYPE:
        *(int32_t *)at = value == Py_None ? LBO_ANY_DTYPE : dtype_from(value);
        return PyErr_Occurred() ? -1 : 0;
    default: {
        lbo_dims *const dims = at;
        dims->count = -1;
        if (value == Py_None)
            return 0;
        dims->count = shape_from(value, dims->at, attribute->name);
        return dims->count < 0 ? -1 : 0;
    }
    }
}

static PyObject *get_attribute(const lbo_attribute *attribute, const char *base)
{
    const void *const at = base + attribute->offset;

    switch (attribute->type) {
    case LBO_ATTRIBUTE_INTEGER:
        return PyLong_FromLongLong(*(const int64_t *)at);
    case LBO_ATTRIBUTE_REAL:
        return PyFloat_FromDouble(*(const double *)at);
    case LBO_ATTRIBUTE_FLAG:
        return PyBool_FromLong(*(const bool *)at);
    case LBO_ATTRIBUTE_DTYPE: {
        const int32_t dtype = *(const int32_t *)at;
        return dtype < 0 ? Py_NewRef(Py_None) : dtype_object_of(dtype);
    }
    default: {
        const lbo_dims *const dims = at;
        return dims->count < 0 ? Py_NewRef(Py_None)
                               : shape_tuple((size_t)dims->count, dims->at);
    }
    }
}

PyObject *attributes_dict(const lbo_operator *op, const void *attributes)
{
    PyObject *const result = PyDict_New();

    for (size_t i = 0; result && attributes && i < op->spec.attribute_count;
         i++) {
        const lbo_attribute *const one = &op->spec.attributes[i];
        PyObject *const value = get_attribute(one, attributes);
        if (value == NULL ||
            PyDict_SetItemString(result, one->name, value) < 0) {
            Py_XDECREF(value);
            Py_DECREF(result);
            return NULL;
        }
        Py_DECREF(value);
    }
    return result;
}

/* ---- what was not given ------------------------------------------------------ */

bool attribute_default(const lbo_operator *op, size_t index, char *attributes)
{
    const lbo_attribute *const all = op->spec.attributes;
    const lbo_attribute *const one = &all[index];
    const default_value *const known = default_of(op, one->name);

    /* Windows move by their own size. */
    if (index >= 2 && strncmp(one->name, "stride_", 7) == 0 &&
        strncmp(all[index - 2].name, "kernel_", 7) == 0)
        memcpy(attributes + one->offset, attributes + all[index - 2].offset,
               sizeof(int64_t));
    else if (operator_default(op, index, attributes))
        return true;
    else if (known != NULL)
        attribute_number(one, attributes, known->value);
    else
        return false;
    return true;
}
