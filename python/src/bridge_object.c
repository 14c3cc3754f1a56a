/* bridge_object.c - Python objects that stand for C objects.
 *
 * At any time there is at most one for a C object: a table leads from its
 * address to the Python object, which takes itself out when it ends. How the
 * two are tied says what ends with the Python object: nothing (lent for a call,
 * borrowed), the C object (owned), or one use of it (shared: its class has
 * retain and release).
 *
 * Free attributes hold Python objects, so that the collector is shown those of
 * owned ones. Attributes are found in this order: free attributes of the
 * object; Python's own way (descriptors that the type got, the dictionary of an
 * instance of a class of Python); what the class of C has got since.
 */
#include "bridge.h"

/* ---- questions ---------------------------------------------------------- */

bool lbpy_is_object(const lbpy_state *state, PyObject *object)
{
    return PyObject_TypeCheck(object, state->bridge->object_type);
}

void *lbpy_object_pointer(PyObject *object)
{
    const lbpy_object *o = (lbpy_object *)object;
    if (o->pointer == NULL)
        PyErr_Format(PyExc_ReferenceError,
                     "this %s is no more: C had lent it for one call, or has "
                     "ended it",
                     Py_TYPE(object)->tp_name);
    return o->pointer;
}

static lbpy_class *class_of(PyObject *object)
{
    return (lbpy_class *)Py_TYPE(object);
}

/* The engine says it for an object only; asked once per type. */
static bool has_free_attributes(lbpy_class *type, const lbpy_object *o)
{
    lb_value value;
    const lb_symbol *symbol =
        type->free ? NULL : lb_intern(type->state->runtime, "__class__");
    if (symbol)
        type->free =
            lb_own_get(o->pointer, symbol, &value) == LB_READ_ONLY ? -1 : 1;
    return type->free > 0;
}

/* ---- ends --------------------------------------------------------------- */

static void count_value(void *context, lb_value value)
{
    *(size_t *)context += value.pointer != NULL;
}

/* Sets the members of type LB_FIELD_VALUE that `cls` describes to nothing. */
static void clear_fields(lb_class *cls, void *pointer)
{
    const lb_dictionary dictionary = lb_class_dictionary(cls);
    const lb_attribute *attribute;
    size_t cursor = 0;
    while ((attribute = lb_dictionary_next(dictionary, &cursor)) != NULL) {
        if (attribute->kind != LB_FIELD || attribute->type != LB_FIELD_VALUE)
            continue;
        PyObject **member =
            (PyObject **)(void *)((char *)pointer + attribute->offset);
        Py_CLEAR(*member);
    }
}

/* Lets go of the Python objects that a C object holds. */
static void clear_values(lb_class *cls, void *pointer)
{
    size_t held = 0, cursor = 0;
    lb_visit_object(pointer, count_value, &held);
    if (held == 0)
        return;
    const size_t count = lb_class_linearization(cls, NULL, 0);
    lb_class **all = PyMem_Calloc(count, sizeof *all);
    if (all && lb_class_linearization(cls, all, count) == count)
        for (size_t i = 0; i < count; i++)
            clear_fields(all[i], pointer);
    PyMem_Free(all);
    if (lb_own_next(pointer, &cursor, NULL, NULL))
        lb_object_clear(pointer);
}

/* The end of the C object, as far as it is ours. */
static void end_pointer(lbpy_class *type, void *pointer, lb_class *cls,
                        lbpy_tie tie)
{
    const lbpy_class_spec *hooks = &type->hooks;
    if (tie == LBPY_TIE_SHARED && hooks->release)
        hooks->release(pointer);
    if (tie != LBPY_TIE_OWNED)
        return;
    clear_values(cls, pointer);
    if (hooks->finish)
        hooks->finish(pointer);
    lb_delete(cls, pointer);
}

/* Parts the two; the C object is no more than an address afterwards. */
static void part(lbpy_state *state, lbpy_object *o)
{
    lbpy_bridge *bridge = state->bridge;
    void *pointer = o->pointer;
    o->pointer = NULL;
    o->tie = LBPY_TIE_NONE;
    if (pointer && lbpy_map_get(&bridge->objects, pointer) == o)
        lbpy_map_take(&bridge->objects, pointer);
}

static void object_dealloc(PyObject *self)
{
    lbpy_object *o = (lbpy_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    void *pointer = o->pointer;
    const lbpy_tie tie = o->tie;
    PyObject_GC_UnTrack(self);
    if (o->weak)
        PyObject_ClearWeakRefs(self);
    if (pointer) {
        PyObject *kind, *value, *traceback;
        PyErr_Fetch(&kind, &value, &traceback);
        part(class_of(self)->state, o);
        end_pointer(class_of(self), pointer, o->cls, tie);
        PyErr_Restore(kind, value, traceback);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

typedef struct visiting {
    visitproc visit;
    void *arg;
    int status;
} visiting;

static void visit_value(void *context, lb_value value)
{
    visiting *v = context;
    if (value.pointer && v->status == 0)
        v->status = v->visit(value.pointer, v->arg);
}

static int object_traverse(PyObject *self, visitproc visit, void *arg)
{
    const lbpy_object *o = (lbpy_object *)self;
    visiting v = {visit, arg, 0};
    Py_VISIT(Py_TYPE(self));
    if (o->pointer && o->tie == LBPY_TIE_OWNED)
        lb_visit_object(o->pointer, visit_value, &v);
    return v.status;
}

static int object_clear(PyObject *self)
{
    const lbpy_object *o = (lbpy_object *)self;
    if (o->pointer && o->tie == LBPY_TIE_OWNED)
        clear_values(o->cls, o->pointer);
    return 0;
}

/* ---- making ------------------------------------------------------------- */

/* Ties a new Python object to `pointer`; 0, -1. */
static int tie_to(lbpy_state *state, lbpy_object *o, void *pointer,
                  lb_class *cls, lbpy_tie tie)
{
    if (lbpy_map_put(&state->bridge->objects, pointer, o) < 0)
        return -1;
    o->pointer = pointer;
    o->cls = cls;
    o->tie = tie;
    const lbpy_class *type = class_of((PyObject *)o);
    if (type->hooks.retain) {
        type->hooks.retain(pointer);
        o->tie = LBPY_TIE_SHARED;
    }
    return 0;
}

static void *new_pointer(PyTypeObject *type, lb_class *cls)
{
    void *pointer = lb_new(cls);
    if (pointer)
        return pointer;
    if (lb_class_instance_size(cls) >= sizeof(lb_header))
        PyErr_NoMemory();
    else
        PyErr_Format(PyExc_TypeError, "%s has no instances of its own",
                     type->tp_name);
    return NULL;
}

static PyObject *object_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    (void)args;
    (void)kwds;
    lbpy_class *made = (lbpy_class *)type;
    const lbpy_state *state = lbpy_state_of_subtype(type);
    if (state == NULL)
        return NULL;
    if (!lbpy_is_class(state, (PyObject *)type))
        return PyErr_Format(PyExc_TypeError, "%s stands for no class of C",
                            type->tp_name);
    if (lbpy_class_engine(made) == NULL)
        return NULL;
    lbpy_object *o = (lbpy_object *)type->tp_alloc(type, 0);
    if (o == NULL)
        return NULL;
    void *pointer = new_pointer(type, made->cls);
    if (pointer &&
        tie_to(made->state, o, pointer, made->cls, LBPY_TIE_OWNED) < 0) {
        lb_delete(made->cls, pointer);
        pointer = NULL;
    }
    if (pointer == NULL)
        Py_CLEAR(o);
    return (PyObject *)o;
}

/* Arguments by name are attributes. */
static int set_all(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    if (PyTuple_GET_SIZE(args)) {
        PyErr_Format(PyExc_TypeError, "%s() takes attributes by name only",
                     Py_TYPE(self)->tp_name);
        return -1;
    }
    while (kwds && PyDict_Next(kwds, &at, &name, &value))
        if (PyObject_SetAttr(self, name, value) < 0)
            return -1;
    return 0;
}

static int object_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    void *pointer = lbpy_object_pointer(self);
    if (pointer == NULL)
        return -1;
    const lbpy_class *type = class_of(self);
    return type->hooks.init ? type->hooks.init(pointer, args, kwds)
                            : set_all(self, args, kwds);
}

PyObject *lbpy_object_find(lbpy_state *state, const void *pointer)
{
    PyObject *found = lbpy_map_get(&state->bridge->objects, pointer);
    /* One that is ending is not to be had any more. */
    return found && Py_REFCNT(found) > 0 ? Py_NewRef(found) : NULL;
}

static PyObject *make_for(lbpy_state *state, void *pointer, lb_class *cls,
                          lbpy_tie tie)
{
    PyObject *type = lbpy_class_of_native(state, cls, NULL);
    lbpy_object *o = NULL;
    if (type)
        o = (lbpy_object *)((PyTypeObject *)type)
                ->tp_alloc((PyTypeObject *)type, 0);
    if (o && tie_to(state, o, pointer, cls, tie) < 0)
        Py_CLEAR(o);
    Py_XDECREF(type);
    return (PyObject *)o;
}

PyObject *lbpy_object_wrap(lbpy_state *state, void *pointer, lbpy_tie tie,
                           bool *fresh)
{
    lbpy_object *o = (lbpy_object *)lbpy_object_find(state, pointer);
    if (fresh)
        *fresh = o == NULL;
    if (o) {
        if (o->tie < tie && o->tie != LBPY_TIE_NONE)
            o->tie = tie;
        return (PyObject *)o;
    }
    if (lbpy_map_get(&state->bridge->objects, pointer))
        return PyErr_Format(PyExc_ReferenceError,
                            "the object that Python has for it is ending");
    lb_class *cls = lb_class_of(state->runtime, pointer);
    if (cls == NULL)
        return PyErr_Format(PyExc_TypeError,
                            "the object at %p is of no living class of this "
                            "interpreter's runtime",
                            pointer);
    return make_for(state, pointer, cls, tie);
}

void lbpy_object_forget(lbpy_state *state, void *pointer)
{
    lbpy_object *o = lbpy_map_get(&state->bridge->objects, pointer);
    if (o == NULL)
        return;
    const bool shared = o->tie == LBPY_TIE_SHARED;
    lbpy_class *type = class_of((PyObject *)o);
    part(state, o);
    if (shared && type->hooks.release)
        type->hooks.release(pointer);
}

/* ---- attributes --------------------------------------------------------- */

/* A free attribute of the object itself; NULL: it has none of that name. Who
 * changes attributes has the interpreter's lock, so that no bracket is wanted.
 */
static PyObject *own_attribute(const lbpy_object *o, const lb_symbol *symbol)
{
    lb_value value;
    if (lb_own_get(o->pointer, symbol, &value) != LB_OK)
        return NULL;
    return Py_NewRef(value.pointer ? (PyObject *)value.pointer : Py_None);
}

static bool is_special(PyObject *name)
{
    return PyUnicode_GET_LENGTH(name) > 1 &&
           PyUnicode_READ_CHAR(name, 0) == '_' &&
           PyUnicode_READ_CHAR(name, 1) == '_';
}

static PyObject *object_getattro(PyObject *self, PyObject *name)
{
    const lbpy_object *o = (lbpy_object *)self;
    lbpy_class *type = class_of(self);
    if (o->pointer == NULL || !PyUnicode_Check(name) || is_special(name))
        return PyObject_GenericGetAttr(self, name);
    const lb_symbol *symbol = lbpy_symbol_of(type->state, name, false);
    PyObject *result = NULL;
    if (symbol && has_free_attributes(type, o))
        result = own_attribute(o, symbol);
    if (result == NULL)
        result = PyObject_GenericGetAttr(self, name);
    if (result || symbol == NULL ||
        !PyErr_ExceptionMatches(PyExc_AttributeError))
        return result;
    PyErr_Clear();
    return lbpy_value_get(type->state, self, symbol);
}

/* 1: a class of Python, or a descriptor that the type got, takes care of the
 * name; 0: nothing says so; -1. */
static int is_described(PyTypeObject *type, PyObject *name)
{
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 0; mro && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *cls = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        PyObject *value =
            cls->tp_dict && PyType_HasFeature(cls, Py_TPFLAGS_HEAPTYPE)
                ? PyDict_GetItemWithError(cls->tp_dict, name)
                : NULL;
        if (value)
            return Py_TYPE(value)->tp_descr_set != NULL;
        if (PyErr_Occurred())
            return -1;
    }
    return 0;
}

/* o.__class__ = another type: C must know. */
static int set_class(PyObject *self, PyObject *name, PyObject *value)
{
    const lbpy_object *o = (lbpy_object *)self;
    if (!lbpy_is_class(class_of(self)->state, value)) {
        PyErr_Format(PyExc_TypeError, "%R stands for no class of C", value);
        return -1;
    }
    PyObject *before = Py_NewRef((PyObject *)Py_TYPE(self));
    int status = PyObject_GenericSetAttr(self, name, value);
    if (status == 0 && o->pointer) {
        lb_class *cls = lbpy_class_engine(class_of(self));
        const lb_status said =
            cls ? lb_set_class(o->pointer, cls) : LB_METHOD_FAILED;
        if (said != LB_OK) {
            PyObject *type, *error, *traceback;
            lbpy_raise_call(said);
            PyErr_Fetch(&type, &error, &traceback);
            (void)PyObject_GenericSetAttr(self, name, before);
            PyErr_Restore(type, error, traceback);
            status = -1;
        }
    }
    Py_DECREF(before);
    return status;
}

static int object_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    const lbpy_object *o = (lbpy_object *)self;
    lbpy_class *type = class_of(self);
    if (PyUnicode_Check(name) && value && o->pointer &&
        PyUnicode_CompareWithASCIIString(name, "__class__") == 0)
        return set_class(self, name, value);
    if (o->pointer == NULL || !PyUnicode_Check(name) || is_special(name))
        return PyObject_GenericSetAttr(self, name, value);
    const int described = is_described(Py_TYPE(self), name);
    if (described)
        return described < 0 ? -1 : PyObject_GenericSetAttr(self, name, value);
    const lb_symbol *symbol =
        lbpy_symbol_of(type->state, name, has_free_attributes(type, o));
    if (symbol == NULL)
        return PyErr_Occurred() ? -1
                                : PyObject_GenericSetAttr(self, name, value);
    if (lbpy_value_set(type->state, self, symbol, value) == 0)
        return 0;
    /* Without free attributes an instance of a class of Python has a dictionary
     * of its own. */
    if (!PyErr_ExceptionMatches(PyExc_AttributeError) ||
        Py_TYPE(self)->tp_dictoffset == 0)
        return -1;
    PyErr_Clear();
    return PyObject_GenericSetAttr(self, name, value);
}

static PyObject *object_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyErr_Format(PyExc_TypeError,
                        "cannot pickle or copy %s: what is in C is not known",
                        Py_TYPE(self)->tp_name);
}

/* Names of free attributes, besides what Python finds. */
static PyObject *object_dir(PyObject *self, PyObject *unused)
{
    (void)unused;
    const lbpy_object *o = (lbpy_object *)self;
    lb_directory *directory = NULL;
    PyObject *names = PyObject_CallMethod((PyObject *)&PyBaseObject_Type,
                                          "__dir__", "O", self);
    PyObject *set = names ? PySet_New(names) : NULL;
    Py_XDECREF(names);
    if (set && o->pointer && lb_dir(o->pointer, &directory) == LB_OK)
        for (size_t i = 0; set && i < directory->count; i++) {
            PyObject *name =
                PyUnicode_FromString(directory->entries[i].symbol->text);
            if (name == NULL || PySet_Add(set, name) < 0)
                Py_CLEAR(set);
            Py_XDECREF(name);
        }
    lb_directory_free(directory);
    PyObject *list = set ? PySequence_List(set) : NULL;
    Py_XDECREF(set);
    return list;
}

/* ---- the type ----------------------------------------------------------- */

static PyMethodDef object_methods[] = {
    {"__reduce__", object_reduce, METH_NOARGS, NULL},
    {"__dir__", object_dir, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef object_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(lbpy_object, weak), READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot object_slots[] = {
    {Py_tp_doc, "An object of a class that was made in C."},
    {Py_tp_new, object_new},
    {Py_tp_init, object_init},
    {Py_tp_dealloc, object_dealloc},
    {Py_tp_traverse, object_traverse},
    {Py_tp_clear, object_clear},
    {Py_tp_getattro, object_getattro},
    {Py_tp_setattro, object_setattro},
    {Py_tp_methods, object_methods},
    {Py_tp_members, object_members},
    {0, NULL},
};

static PyType_Spec object_spec = {
    .name = "latebind._core.Object",
    .basicsize = sizeof(lbpy_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = object_slots,
};

int lbpy_object_setup(PyObject *module, lbpy_state *state)
{
    lbpy_bridge *bridge = state->bridge;
    if (lbpy_make_type(module, &object_spec, &bridge->object_type) < 0)
        return -1;
    return PyModule_AddType(module, bridge->object_type);
}
