/* bridge_value.c - attributes of C's classes, seen from Python.
 *
 * A type that is made for a class gets a descriptor for each attribute that the
 * class has: it asks the engine (lb_get, lb_set), by the symbol, so that
 * changes of the class are seen. Members of the C struct are converted by their
 * type; all other values are Python objects (latebind/python.h). A method that
 * is got is bound by its name: what it runs is looked up when it is called.
 */
#include "bridge.h"

#include <string.h>

/* A name of a class of C: a descriptor, and callable with an object first. */
typedef struct lbpy_attribute {
    PyObject_HEAD lbpy_class *owner; /* strong */
    const lb_symbol *symbol;
} lbpy_attribute;

/* The same bound to an object. */
typedef struct lbpy_bound {
    PyObject_HEAD vectorcallfunc vectorcall;
    PyObject *object; /* strong */
    const lb_symbol *symbol;
} lbpy_bound;

/* ---- helpers ------------------------------------------------------------ */

int lbpy_value_raise(lb_status status)
{
    PyObject *cls = status == LB_NO_ATTRIBUTE || status == LB_READ_ONLY
                        ? PyExc_AttributeError
                    : status == LB_NOT_CALLABLE ? PyExc_TypeError
                                                : NULL;
    if (cls && !PyErr_Occurred())
        PyErr_SetString(cls, lb_message());
    else
        lbpy_raise_call(status);
    return -1;
}

const lb_symbol *lbpy_symbol_of(lbpy_state *state, PyObject *name, bool make)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    if (text == NULL || strlen(text) != (size_t)length) {
        PyErr_Clear(); /* no name that C could have */
        return NULL;
    }
    if (!make)
        return lb_symbol_find(state->runtime, text);
    const lb_symbol *symbol = lb_intern(state->runtime, text);
    if (symbol == NULL)
        PyErr_NoMemory();
    return symbol;
}

/* The member that the name is for instances of `cls`, or NULL. */
static const lb_attribute *descriptor_of(lb_class *cls, const lb_symbol *symbol)
{
    lb_found found;
    if (cls == NULL || lb_class_get(cls, symbol, &found) != LB_OK)
        return NULL;
    if (found.kind == LB_FOUND_OWNED)
        Py_XDECREF((PyObject *)found.value.pointer);
    return found.kind == LB_FOUND_DESCRIPTOR ? found.method : NULL;
}

/* ---- getting ------------------------------------------------------------ */

static PyObject *bind(lbpy_state *state, PyObject *object,
                      const lb_symbol *symbol);

static PyObject *from_pointer(lbpy_state *state, void *pointer,
                              const lb_symbol *symbol)
{
    if (pointer == NULL)
        Py_RETURN_NONE;
    PyObject *known = lbpy_object_find(state, pointer);
    return known ? known
                 : PyErr_Format(PyExc_TypeError,
                                "%s is a pointer to what Python does not know",
                                symbol->text);
}

static PyObject *from_field(lbpy_state *state, const lb_attribute *field,
                            lb_value value)
{
    switch (field->type) {
    case LB_FIELD_VALUE:
        return Py_NewRef(value.pointer ? (PyObject *)value.pointer : Py_None);
    case LB_FIELD_POINTER:
        return from_pointer(state, value.pointer, field->symbol);
    case LB_FIELD_BOOL:
        return PyBool_FromLong(value.integer != 0);
    case LB_FIELD_FLOAT:
    case LB_FIELD_DOUBLE:
        return PyFloat_FromDouble(value.real);
    case LB_FIELD_UINT64:
        return PyLong_FromUnsignedLongLong(value.bits);
    default:
        return PyLong_FromLongLong(value.integer);
    }
}

static PyObject *from_found(lbpy_state *state, PyObject *object,
                            const lb_symbol *symbol, const lb_found *found)
{
    switch (found->kind) {
    case LB_FOUND_VALUE:
        return Py_NewRef(found->value.pointer ? (PyObject *)found->value.pointer
                                              : Py_None);
    case LB_FOUND_OWNED:
        return found->value.pointer ? (PyObject *)found->value.pointer
                                    : Py_NewRef(Py_None);
    default:
        return bind(state, object, symbol);
    }
}

static PyObject *get(lbpy_state *state, PyObject *object, void *pointer,
                     const lb_symbol *symbol)
{
    lb_found found;
    const lb_attribute *descriptor =
        descriptor_of(lb_class_of(state->runtime, pointer), symbol);
    const lb_status status = lb_get(pointer, symbol, &found);
    if (status != LB_OK) {
        lbpy_value_raise(status);
        return NULL;
    }
    if (descriptor && descriptor->kind == LB_FIELD)
        return from_field(state, descriptor, found.value);
    return from_found(state, object, symbol, &found);
}

PyObject *lbpy_value_get(lbpy_state *state, PyObject *object,
                         const lb_symbol *symbol)
{
    void *pointer = lbpy_object_pointer(object);
    lb_reader *reader = pointer ? lbpy_enter(state) : NULL;
    if (reader == NULL)
        return NULL;
    PyObject *result = get(state, object, pointer, symbol);
    lbpy_leave(state, reader);
    return result;
}

/* ---- setting ------------------------------------------------------------ */

static int to_integer(const lb_attribute *field, PyObject *from,
                      lb_value *value)
{
    PyObject *number = PyNumber_Index(from);
    if (number == NULL)
        return -1;
    if (field->type == LB_FIELD_UINT64)
        value->bits = PyLong_AsUnsignedLongLong(number);
    else
        value->integer = PyLong_AsLongLong(number);
    Py_DECREF(number);
    return PyErr_Occurred() ? -1 : 0;
}

static int to_field(const lb_attribute *field, PyObject *from, lb_value *value)
{
    switch (field->type) {
    case LB_FIELD_VALUE:
        value->pointer = from;
        return 0;
    case LB_FIELD_POINTER:
        PyErr_Format(PyExc_AttributeError, "the pointer %s is set by C only",
                     field->symbol->text);
        return -1;
    case LB_FIELD_BOOL:
        value->integer = PyObject_IsTrue(from);
        return value->integer < 0 ? -1 : 0;
    case LB_FIELD_FLOAT:
    case LB_FIELD_DOUBLE:
        value->real = PyFloat_AsDouble(from);
        return value->real == -1.0 && PyErr_Occurred() ? -1 : 0;
    default:
        return to_integer(field, from, value);
    }
}

/* In a bracket where code of others may run. Else not: then what a free
 * attribute held before is let go of at once. */
int lbpy_value_set(lbpy_state *state, PyObject *object, const lb_symbol *symbol,
                   PyObject *from)
{
    void *pointer = lbpy_object_pointer(object);
    if (pointer == NULL)
        return -1;
    const lb_attribute *descriptor =
        descriptor_of(lb_class_of(state->runtime, pointer), symbol);
    lb_value value = lb_pointer(from);
    lb_reader *reader = NULL;
    if (descriptor && descriptor->kind == LB_FIELD && from &&
        to_field(descriptor, from, &value) < 0)
        return -1;
    if (descriptor && (reader = lbpy_enter(state)) == NULL)
        return -1;
    const lb_status status =
        from ? lb_set(pointer, symbol, value) : lb_unset(pointer, symbol);
    lbpy_leave(state, reader);
    return status == LB_OK ? 0 : lbpy_value_raise(status);
}

/* ---- calling ------------------------------------------------------------ */

enum { FEW = 10 };

/* object.name(args) */
static PyObject *invoke(lbpy_state *state, PyObject *object,
                        const lb_symbol *symbol, PyObject *const *args,
                        Py_ssize_t nargs)
{
    lb_value few[FEW], result = {0};
    lbpy_frame frame;
    void *pointer = lbpy_object_pointer(object);
    if (pointer == NULL)
        return NULL;
    lb_value *values =
        nargs < FEW ? few : PyMem_Malloc((size_t)(nargs + 1) * sizeof *values);
    if (values == NULL)
        return PyErr_NoMemory();
    values[0] = lb_pointer(pointer);
    for (Py_ssize_t i = 0; i < nargs; i++)
        values[i + 1] = lb_pointer(args[i]);
    lb_status status = LB_NO_MEMORY;
    if (lbpy_frame_begin(state, &frame) == 0) {
        status = lb_invoke_symbol(symbol, (size_t)nargs + 1, values, &result);
        if (status != LB_OK && frame.type == NULL)
            lbpy_value_raise(status);
        if (lbpy_frame_end(state, &frame) < 0 && status == LB_OK) {
            Py_XDECREF((PyObject *)result.pointer);
            status = LB_METHOD_FAILED;
        }
    }
    if (values != few)
        PyMem_Free(values);
    if (status != LB_OK)
        return NULL;
    return result.pointer ? (PyObject *)result.pointer : Py_NewRef(Py_None);
}

static bool takes_none(PyObject *kwnames, const lb_symbol *symbol)
{
    if (kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0)
        return true;
    PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments",
                 symbol->text);
    return false;
}

static PyObject *bound_call(PyObject *self, PyObject *const *args,
                            size_t nargsf, PyObject *kwnames)
{
    const lbpy_bound *b = (lbpy_bound *)self;
    if (!takes_none(kwnames, b->symbol))
        return NULL;
    lbpy_class *type = (lbpy_class *)Py_TYPE(b->object);
    return invoke(type->state, b->object, b->symbol, args,
                  PyVectorcall_NARGS(nargsf));
}

static PyObject *bind(lbpy_state *state, PyObject *object,
                      const lb_symbol *symbol)
{
    lbpy_bound *b = PyObject_GC_New(lbpy_bound, state->bridge->bound_type);
    if (b == NULL)
        return NULL;
    b->vectorcall = bound_call;
    b->object = Py_NewRef(object);
    b->symbol = symbol;
    PyObject_GC_Track(b);
    return (PyObject *)b;
}

static int bound_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((lbpy_bound *)self)->object);
    return 0;
}

static void bound_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_DECREF(((lbpy_bound *)self)->object);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *bound_repr(PyObject *self)
{
    const lbpy_bound *b = (lbpy_bound *)self;
    return PyUnicode_FromFormat("<method %s of %R>", b->symbol->text,
                                b->object);
}

static PyMemberDef bound_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lbpy_bound, vectorcall),
     READONLY, NULL},
    {"__self__", T_OBJECT_EX, offsetof(lbpy_bound, object), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot bound_slots[] = {
    {Py_tp_doc, "A method of a class of C, bound to an object."},
    {Py_tp_dealloc, bound_dealloc},
    {Py_tp_traverse, bound_traverse},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, bound_repr},
    {Py_tp_members, bound_members},
    {0, NULL},
};

static PyType_Spec bound_spec = {
    .name = "latebind._core.BoundAttribute",
    .basicsize = sizeof(lbpy_bound),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = bound_slots,
};

/* ---- the descriptor ----------------------------------------------------- */

/* Asked of the class: its value; of what else there is, the descriptor. */
static PyObject *get_of_class(PyObject *self, PyObject *type)
{
    const lbpy_attribute *a = (lbpy_attribute *)self;
    lbpy_class *asked = a->owner;
    lb_found found;
    if (type && lbpy_is_class(a->owner->state, type))
        asked = (lbpy_class *)type;
    lb_class *cls = lbpy_class_engine(asked);
    if (cls == NULL)
        return NULL;
    if (lb_class_get(cls, a->symbol, &found) != LB_OK ||
        (found.kind != LB_FOUND_VALUE && found.kind != LB_FOUND_OWNED))
        return Py_NewRef(self);
    return from_found(asked->state, NULL, a->symbol, &found);
}

static PyObject *attribute_get(PyObject *self, PyObject *object, PyObject *type)
{
    const lbpy_attribute *a = (lbpy_attribute *)self;
    if (object == NULL)
        return get_of_class(self, type);
    if (!PyObject_TypeCheck(object, &a->owner->type.ht_type))
        return PyErr_Format(PyExc_TypeError, "%s.%s is not for %s",
                            a->owner->type.ht_type.tp_name, a->symbol->text,
                            Py_TYPE(object)->tp_name);
    return lbpy_value_get(a->owner->state, object, a->symbol);
}

static int attribute_set(PyObject *self, PyObject *object, PyObject *value)
{
    const lbpy_attribute *a = (lbpy_attribute *)self;
    if (!PyObject_TypeCheck(object, &a->owner->type.ht_type)) {
        PyErr_Format(PyExc_TypeError, "%s.%s is not for %s",
                     a->owner->type.ht_type.tp_name, a->symbol->text,
                     Py_TYPE(object)->tp_name);
        return -1;
    }
    return lbpy_value_set(a->owner->state, object, a->symbol, value);
}

static PyObject *attribute_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    const lbpy_attribute *a = (lbpy_attribute *)self;
    const Py_ssize_t count = PyTuple_GET_SIZE(args);
    if ((kwds && PyDict_GET_SIZE(kwds)) || count == 0 ||
        !PyObject_TypeCheck(PyTuple_GET_ITEM(args, 0), &a->owner->type.ht_type))
        return PyErr_Format(PyExc_TypeError,
                            "%s() wants a %s first, and nothing by name",
                            a->symbol->text, a->owner->type.ht_type.tp_name);
    return invoke(a->owner->state, PyTuple_GET_ITEM(args, 0), a->symbol,
                  &PyTuple_GET_ITEM(args, 0) + 1, count - 1);
}

static int attribute_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((lbpy_attribute *)self)->owner);
    return 0;
}

static void attribute_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_DECREF(((lbpy_attribute *)self)->owner);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *attribute_name(PyObject *self, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(((lbpy_attribute *)self)->symbol->text);
}

static PyObject *attribute_repr(PyObject *self)
{
    const lbpy_attribute *a = (lbpy_attribute *)self;
    return PyUnicode_FromFormat("<attribute %s of %s>", a->symbol->text,
                                a->owner->type.ht_type.tp_name);
}

static PyGetSetDef attribute_getset[] = {
    {"__name__", attribute_name, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot attribute_slots[] = {
    {Py_tp_doc, "An attribute of a class of C."},
    {Py_tp_dealloc, attribute_dealloc},
    {Py_tp_traverse, attribute_traverse},
    {Py_tp_call, attribute_call},
    {Py_tp_repr, attribute_repr},
    {Py_tp_descr_get, attribute_get},
    {Py_tp_descr_set, attribute_set},
    {Py_tp_getset, attribute_getset},
    {0, NULL},
};

static PyType_Spec attribute_spec = {
    .name = "latebind._core.Attribute",
    .basicsize = sizeof(lbpy_attribute),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = attribute_slots,
};

static int describe_one(lbpy_state *state, lbpy_class *type,
                        const lb_symbol *symbol)
{
    lbpy_attribute *a =
        PyObject_GC_New(lbpy_attribute, state->bridge->attribute_type);
    if (a == NULL)
        return -1;
    a->owner = (lbpy_class *)Py_NewRef(type);
    a->symbol = symbol;
    PyObject_GC_Track(a);
    PyObject *name = PyUnicode_FromString(symbol->text);
    const int status =
        name ? PyType_Type.tp_setattro((PyObject *)type, name, (PyObject *)a)
             : -1;
    Py_XDECREF(name);
    Py_DECREF(a);
    return status;
}

int lbpy_value_describe(lbpy_state *state, lbpy_class *type)
{
    const lb_dictionary dictionary = lb_class_dictionary(type->cls);
    const lb_attribute *attribute;
    size_t cursor = 0;
    while ((attribute = lb_dictionary_next(dictionary, &cursor)) != NULL)
        if (strncmp(attribute->symbol->text, "__", 2) != 0 &&
            describe_one(state, type, attribute->symbol) < 0)
            return -1;
    return 0;
}

int lbpy_value_setup(PyObject *module, lbpy_state *state)
{
    lbpy_bridge *bridge = state->bridge;
    return lbpy_make_type(module, &bound_spec, &bridge->bound_type) < 0
               ? -1
               : lbpy_make_type(module, &attribute_spec,
                                &bridge->attribute_type);
}
