/* hint.c - the objects of hint.h: what Python sees of a hint.
 *
 * A hint holds its class and whatever else it names; like a tuple it has no
 * tp_clear, since a cycle through it always passes something that can be
 * cleared. The constructors here check what they are given; shape.c makes the
 * hint. Any thread: nothing of a hint changes after it was made.
 */
#include "hint.h"

#include <structmember.h>

/* --------------------------------------------------------------- the object */

static int traverse(PyObject *object, visitproc visit, void *arg)
{
    lbpy_hint *self = (lbpy_hint *)object;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->cls);
    Py_VISIT(self->items);
    Py_VISIT(self->predicate);
    return 0;
}

static void release(lbpy_hint *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->weak)
        PyObject_ClearWeakRefs((PyObject *)self);
    Py_XDECREF(self->cls);
    Py_XDECREF(self->items);
    Py_XDECREF(self->predicate);
    Py_XDECREF(self->name);
    Py_XDECREF(self->text);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* Out of the registry first: whatever runs from here on must not find it. Hints
 * nest as deep as their maker likes, hence the trashcan. */
static void deallocate(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    lbpy_hint_unlink((lbpy_hint *)object);
    Py_TRASHCAN_BEGIN(object, deallocate);
    release((lbpy_hint *)object);
    Py_TRASHCAN_END;
}

static int only_class_parts(PyObject *hints)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(hints); i++)
        if (!((lbpy_hint *)PyTuple_GET_ITEM(hints, i))->class_part)
            return 0;
    return 1;
}

/* Whether a predicate is part of it, at whatever depth. */
static int asks_anything(const lbpy_shape *shape)
{
    int asks = shape->predicate != NULL;
    if (shape->items && shape->kind != LBPY_LITERAL)
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(shape->items); i++)
            asks |= ((lbpy_hint *)PyTuple_GET_ITEM(shape->items, i))->asks;
    return asks;
}

static int decision_of(const lbpy_shape *shape)
{
    if (!shape->cls)
        return LBPY_BY_TYPE;
    return shape->by_type ? lbpy_decision_by_type(shape->cls)
                          : lbpy_decision_of(shape->cls);
}

static int fill(lbpy_hint *self, const lbpy_shape *shape)
{
    int decision = decision_of(shape);
    if (decision < 0)
        return -1;
    self->decision = (lbpy_decision)decision;
    self->kind = shape->kind;
    self->by_type = shape->by_type;
    self->cls = (PyTypeObject *)Py_XNewRef(shape->cls);
    self->items = Py_XNewRef(shape->items);
    self->predicate = Py_XNewRef(shape->predicate);
    self->name = Py_XNewRef(shape->name);
    self->hash = shape->hash;
    self->asks = asks_anything(shape);
    if (shape->kind == LBPY_UNION)
        self->class_part = only_class_parts(shape->items);
    else
        self->class_part =
            shape->kind == LBPY_ANY ||
            (shape->kind == LBPY_INSTANCE && decision != LBPY_BY_INSTANCE);
    self->text = lbpy_hint_write(shape);
    return self->text ? 0 : -1;
}

lbpy_hint *lbpy_hint_new(lbpy_state *state, const lbpy_shape *shape)
{
    PyTypeObject *type = state->hint_type;
    lbpy_hint *self = (lbpy_hint *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    PyObject_GC_UnTrack(self); /* nobody shall meet it half made */
    if (fill(self, shape) < 0)
        Py_CLEAR(self);
    else
        PyObject_GC_Track(self);
    return self;
}

int lbpy_hint_is_class_part(const lbpy_hint *hint)
{
    return hint->class_part;
}

/* ------------------------------------------------------------ constructors */

static lbpy_state *state_of(PyObject *cls)
{
    return lbpy_state_of_type((PyTypeObject *)cls);
}

static int takes(const char *name, Py_ssize_t count, Py_ssize_t least,
                 Py_ssize_t most)
{
    if (count >= least && count <= most)
        return 0;
    if (least == most)
        PyErr_Format(PyExc_TypeError,
                     "Hint.%s() takes %zd argument%s, %zd given", name, least,
                     least == 1 ? "" : "s", count);
    else
        PyErr_Format(PyExc_TypeError,
                     "Hint.%s() takes %zd to %zd arguments, %zd given", name,
                     least, most, count);
    return -1;
}

static int wants_class(const char *name, PyObject *object)
{
    if (PyType_Check(object))
        return 0;
    PyErr_Format(PyExc_TypeError, "Hint.%s() takes a class, not %R", name,
                 object);
    return -1;
}

static int wants_hints(lbpy_state *state, const char *name,
                       PyObject *const *args, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        if (Py_TYPE(args[i]) != state->hint_type) {
            PyErr_Format(PyExc_TypeError,
                         "Hint.%s() takes a Hint, not %R; make one by "
                         "Hint.instance() and the like",
                         name, args[i]);
            return -1;
        }
    return 0;
}

static int wants_predicate(const char *name, PyObject *object)
{
    if (PyCallable_Check(object))
        return 0;
    PyErr_Format(PyExc_TypeError,
                 "Hint.%s() takes a callable of one value, not %R", name,
                 object);
    return -1;
}

static int wants_text(const char *name, PyObject *object)
{
    if (PyUnicode_Check(object))
        return 0;
    PyErr_Format(PyExc_TypeError, "Hint.%s() takes a str as its text, not %R",
                 name, object);
    return -1;
}

static PyObject *tuple_of(PyObject *const *args, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    return tuple;
}

static PyObject *any_(PyObject *cls, PyObject *unused)
{
    (void)unused;
    return lbpy_hint_any(state_of(cls));
}

static PyObject *instance(PyObject *cls, PyObject *of)
{
    if (wants_class("instance", of) < 0)
        return NULL;
    return lbpy_hint_instance(state_of(cls), of);
}

static PyObject *by_type(PyObject *cls, PyObject *of)
{
    if (wants_class("by_type", of) < 0)
        return NULL;
    return lbpy_hint_by_type(state_of(cls), of);
}

static PyObject *union_(PyObject *cls, PyObject *const *args, Py_ssize_t count)
{
    lbpy_state *state = state_of(cls);
    if (takes("union", count, 1, PY_SSIZE_T_MAX) < 0 ||
        wants_hints(state, "union", args, count) < 0)
        return NULL;
    PyObject *hints = tuple_of(args, count);
    PyObject *hint = hints ? lbpy_hint_union(state, hints) : NULL;
    Py_XDECREF(hints);
    return hint;
}

static PyObject *literal(PyObject *cls, PyObject *const *args, Py_ssize_t count)
{
    if (takes("literal", count, 1, PY_SSIZE_T_MAX) < 0)
        return NULL;
    PyObject *values = tuple_of(args, count);
    PyObject *hint = values ? lbpy_hint_literal(state_of(cls), values) : NULL;
    Py_XDECREF(values);
    return hint;
}

static PyObject *items(PyObject *cls, PyObject *const *args, Py_ssize_t count)
{
    lbpy_state *state = state_of(cls);
    if (takes("items", count, 2, 2) < 0 || wants_class("items", args[0]) < 0 ||
        wants_hints(state, "items", args + 1, 1) < 0)
        return NULL;
    return lbpy_hint_items(state, args[0], (lbpy_hint *)args[1]);
}

static PyObject *mapping(PyObject *cls, PyObject *const *args, Py_ssize_t count)
{
    lbpy_state *state = state_of(cls);
    if (takes("mapping", count, 3, 3) < 0 ||
        wants_class("mapping", args[0]) < 0 ||
        wants_hints(state, "mapping", args + 1, 2) < 0)
        return NULL;
    return lbpy_hint_mapping(state, args[0], (lbpy_hint *)args[1],
                             (lbpy_hint *)args[2]);
}

static PyObject *fixed(PyObject *cls, PyObject *const *args, Py_ssize_t count)
{
    lbpy_state *state = state_of(cls);
    if (takes("fixed", count, 1, PY_SSIZE_T_MAX) < 0 ||
        wants_class("fixed", args[0]) < 0 ||
        wants_hints(state, "fixed", args + 1, count - 1) < 0)
        return NULL;
    PyObject *hints = tuple_of(args + 1, count - 1);
    PyObject *hint = hints ? lbpy_hint_fixed(state, args[0], hints) : NULL;
    Py_XDECREF(hints);
    return hint;
}

static PyObject *subclass(PyObject *cls, PyObject *of)
{
    lbpy_state *state = state_of(cls);
    if (wants_hints(state, "subclass", &of, 1) < 0)
        return NULL;
    return lbpy_hint_subclass(state, (lbpy_hint *)of);
}

static PyObject *where(PyObject *cls, PyObject *const *args, Py_ssize_t count)
{
    lbpy_state *state = state_of(cls);
    PyObject *name = count == 3 && args[2] != Py_None ? args[2] : NULL;
    if (takes("where", count, 2, 3) < 0 ||
        wants_hints(state, "where", args, 1) < 0 ||
        wants_predicate("where", args[1]) < 0 ||
        (name && wants_text("where", name) < 0))
        return NULL;
    return lbpy_hint_where(state, (lbpy_hint *)args[0], args[1], name);
}

static PyObject *opaque(PyObject *cls, PyObject *const *args, Py_ssize_t count)
{
    lbpy_state *state = state_of(cls);
    if (takes("opaque", count, 3, 3) < 0 ||
        wants_hints(state, "opaque", args, 1) < 0 ||
        wants_predicate("opaque", args[1]) < 0 ||
        wants_text("opaque", args[2]) < 0)
        return NULL;
    return lbpy_hint_opaque(state, (lbpy_hint *)args[0], args[1], args[2]);
}

/* ----------------------------------------------------------------- methods */

static PyObject *answer(int result)
{
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *check(PyObject *self, PyObject *value)
{
    return answer(lbpy_hint_check((lbpy_hint *)self, value));
}

static PyObject *compare(PyObject *self, PyObject *other, const char *name,
                         int (*ask)(const lbpy_hint *, const lbpy_hint *))
{
    if (Py_TYPE(self) != Py_TYPE(other)) {
        PyErr_Format(PyExc_TypeError, "Hint.%s() takes a Hint, not %R", name,
                     other);
        return NULL;
    }
    return answer(ask((lbpy_hint *)self, (lbpy_hint *)other));
}

static PyObject *implies(PyObject *self, PyObject *other)
{
    return compare(self, other, "implies", lbpy_hint_implies);
}

static PyObject *disjoint(PyObject *self, PyObject *other)
{
    return compare(self, other, "disjoint", lbpy_hint_disjoint);
}

static PyObject *pair(const lbpy_alternative *alternative)
{
    return PyTuple_Pack(2, alternative->base,
                        alternative->value ? (PyObject *)alternative->value
                                           : Py_None);
}

static PyObject *split(PyObject *self, PyObject *unused)
{
    (void)unused;
    lbpy_alternative *all;
    lbpy_state *state = state_of((PyObject *)Py_TYPE(self));
    Py_ssize_t count = lbpy_hint_split(state, (lbpy_hint *)self, &all);
    if (count < 0)
        return NULL;
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t i = 0; result && i < count; i++) {
        PyObject *one = pair(&all[i]);
        if (one)
            PyTuple_SET_ITEM(result, i, one);
        else
            Py_CLEAR(result);
    }
    lbpy_alternatives_free(all, count);
    return result;
}

static const char *const kind_names[] = {
    "any",     "instance", "union",    "literal", "items",
    "mapping", "fixed",    "subclass", "where",   "opaque"};

/* What the constructor takes to make this hint again. */
static PyObject *arguments(const lbpy_hint *self)
{
    switch (self->kind) {
    case LBPY_ANY:
        return PyTuple_New(0);
    case LBPY_INSTANCE:
        return PyTuple_Pack(1, self->cls);
    case LBPY_UNION:
    case LBPY_LITERAL:
    case LBPY_SUBCLASS:
        return Py_NewRef(self->items);
    case LBPY_WHERE:
    case LBPY_OPAQUE:
        return PyTuple_Pack(3, lbpy_hint_item(self, 0), self->predicate,
                            self->name);
    default: {
        PyObject *first = PyTuple_Pack(1, self->cls);
        PyObject *all = first ? PySequence_Concat(first, self->items) : NULL;
        Py_XDECREF(first);
        return all;
    }
    }
}

static PyObject *reduce(PyObject *object, PyObject *unused)
{
    (void)unused;
    const lbpy_hint *self = (lbpy_hint *)object;
    const char *name = self->by_type ? "by_type" : kind_names[self->kind];
    PyObject *args = arguments(self);
    PyObject *maker = PyObject_GetAttrString((PyObject *)Py_TYPE(self), name);
    PyObject *result = args && maker ? PyTuple_Pack(2, maker, args) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(maker);
    return result;
}

static PyObject *same(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

static PyObject *represent(PyObject *self)
{
    return PyUnicode_FromFormat("<Hint %U>", ((lbpy_hint *)self)->text);
}

static PyObject *get_kind(PyObject *self, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(kind_names[((lbpy_hint *)self)->kind]);
}

static PyObject *get_parts(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *all = ((lbpy_hint *)self)->items;
    return all ? Py_NewRef(all) : PyTuple_New(0);
}

#define MAKER (METH_CLASS | METH_FASTCALL)
#define FAST(function) (PyCFunction)(void (*)(void))(function)

static PyMethodDef methods[] = {
    {"any", any_, METH_CLASS | METH_NOARGS, "any() - every value"},
    {"instance", instance, METH_CLASS | METH_O,
     "instance(cls) - the instances of cls"},
    {"by_type", by_type, METH_CLASS | METH_O,
     "by_type(cls) - the same by type alone: issubclass(type(value), cls)"},
    {"union", FAST(union_), MAKER, "union(*hints) - what one of them accepts"},
    {"literal", FAST(literal), MAKER,
     "literal(*values) - of the same type as one of them, and equal"},
    {"items", FAST(items), MAKER,
     "items(cls, hint) - an instance of cls, each element of it hint"},
    {"mapping", FAST(mapping), MAKER,
     "mapping(cls, key, value) - an instance of cls, keys and values so"},
    {"fixed", FAST(fixed), MAKER,
     "fixed(cls, *hints) - an instance of cls of just these elements"},
    {"subclass", subclass, METH_CLASS | METH_O,
     "subclass(hint) - a class whose instances hint accepts"},
    {"where", FAST(where), MAKER,
     "where(hint, predicate, name=None) - hint, and predicate(value) is true"},
    {"opaque", FAST(opaque), MAKER,
     "opaque(hint, test, text) - hint, and test(value); equal to itself alone"},
    {"check", check, METH_O, "check(value) - whether value is accepted"},
    {"implies", implies, METH_O,
     "implies(other) - whether other accepts whatever self does"},
    {"disjoint", disjoint, METH_O,
     "disjoint(other) - whether certainly no value is accepted by both"},
    {"split", split, METH_NOARGS,
     "split() - pairs of a hint for the type and one for the value, or None"},
    {"__reduce__", reduce, METH_NOARGS, NULL},
    {"__copy__", same, METH_NOARGS, NULL},
    {"__deepcopy__", same, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"text", T_OBJECT, offsetof(lbpy_hint, text), READONLY,
     "the hint as one would write it"},
    {"cls", T_OBJECT, offsetof(lbpy_hint, cls), READONLY,
     "the class that it names, or None"},
    {"predicate", T_OBJECT, offsetof(lbpy_hint, predicate), READONLY,
     "what is asked about the value, or None"},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(lbpy_hint, weak), READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getters[] = {
    {"kind", get_kind, NULL, "the name of its constructor", NULL},
    {"parts", get_parts, NULL, "the hints or literal values inside", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What an argument must be. Equal hints are one object."},
    {Py_tp_dealloc, deallocate},
    {Py_tp_traverse, traverse},
    {Py_tp_repr, represent},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, getters},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "latebind._core.Hint",
    .basicsize = sizeof(lbpy_hint),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int lbpy_hint_setup(PyObject *module, lbpy_state *state)
{
    state->hints = lbpy_registry_new();
    if (!state->hints)
        return -1;
    state->hint_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (!state->hint_type)
        return -1;
    return PyModule_AddObjectRef(module, "Hint", (PyObject *)state->hint_type);
}
