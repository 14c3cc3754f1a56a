/* shape.c - the constructors of hints: their normal form, hash and text.
 *
 * What means the same is to be the same hint, so that order by implication is
 * strict. Hence:
 *   - `object` is any; elements, keys and values that may be anything leave the
 *     plain class; type[Any] is type;
 *   - a union has no union inside, one literal at most, and no member that
 *     another one covers; of one member it is that member;
 *   - None as a literal is its class; values are there once;
 *   - type[A | B] is type[A] | type[B];
 *   - the same predicate is there once.
 * A union's order is that of its first maker: equality does not look at it.
 *
 * May run the code of `__hash__`, `__eq__`, `__repr__` of literal values and of
 * classes' `__subclasscheck__`. The plain class costs a hash and a probe.
 */
#include "hint.h"

#include <stdint.h>
#include <string.h>

#define LONGEST_INSIDE 2000 /* characters */

/* -------------------------------------------------------------------- hash */

static Py_hash_t mix(Py_hash_t hash, Py_hash_t more)
{
    uint64_t x = ((uint64_t)hash ^ (uint64_t)more) * 0x9E3779B97F4A7C15u;
    return (Py_hash_t)(x ^ x >> 29);
}

static Py_hash_t hash_of_pointer(const void *pointer)
{
    return (Py_hash_t)((uintptr_t)pointer >> 4);
}

static Py_hash_t hash_of_class(lbpy_hint_kind kind, PyTypeObject *cls)
{
    return mix(mix(17, (Py_hash_t)kind), hash_of_pointer(cls));
}

/* By identity where the predicate has no hash of its own. -1: an exception. */
static int hash_of_predicate(PyObject *predicate, Py_hash_t *hash)
{
    *hash = PyObject_Hash(predicate);
    if (*hash != -1)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_TypeError))
        return -1;
    PyErr_Clear();
    *hash = hash_of_pointer(predicate);
    return 0;
}

static int hash_of_values(PyObject *values, Py_hash_t *hash)
{
    uint64_t sum = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(values); i++) {
        PyObject *value = PyTuple_GET_ITEM(values, i);
        Py_hash_t own = PyObject_Hash(value);
        if (own == -1)
            return -1;
        sum += (uint64_t)mix(own, hash_of_pointer(Py_TYPE(value)));
    }
    *hash = mix(LBPY_LITERAL, (Py_hash_t)sum);
    return 0;
}

static Py_hash_t hash_of_set(lbpy_hint_kind kind, PyObject *hints)
{
    uint64_t sum = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(hints); i++)
        sum += (uint64_t)((lbpy_hint *)PyTuple_GET_ITEM(hints, i))->hash;
    return mix((Py_hash_t)kind, (Py_hash_t)sum);
}

static Py_hash_t hash_of_sequence(lbpy_hint_kind kind, PyTypeObject *cls,
                                  PyObject *hints)
{
    Py_hash_t hash = hash_of_class(kind, cls);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(hints); i++)
        hash = mix(hash, ((lbpy_hint *)PyTuple_GET_ITEM(hints, i))->hash);
    return hash;
}

/* -------------------------------------------------------------------- text */

/* As in the class statement: without module, without enclosing functions. */
static PyObject *name_of_class(PyTypeObject *cls)
{
    if (cls == Py_TYPE(Py_None))
        return PyUnicode_FromString("None");
    const char *name = cls->tp_name, *dot = strrchr(name, '.');
    if (!PyType_HasFeature(cls, Py_TPFLAGS_HEAPTYPE))
        return PyUnicode_FromString(dot ? dot + 1 : name);
    PyObject *whole = ((PyHeapTypeObject *)cls)->ht_qualname;
    const char *text = PyUnicode_AsUTF8(whole), *local = text, *at;
    if (!text)
        return NULL;
    while ((at = strstr(local, "<locals>.")))
        local = at + strlen("<locals>.");
    return local == text ? Py_NewRef(whole) : PyUnicode_FromString(local);
}

static PyObject *text_of_member(PyObject *value)
{
    PyObject *cls = name_of_class(Py_TYPE(value));
    PyObject *name = cls ? PyObject_GetAttrString(value, "name") : NULL;
    PyObject *text = name ? PyUnicode_FromFormat("%U.%S", cls, name) : NULL;
    Py_XDECREF(cls);
    Py_XDECREF(name);
    return text;
}

static PyObject *text_of_value(PyObject *value)
{
    return lbpy_is_enum(Py_TYPE(value)) ? text_of_member(value)
                                        : PyObject_Repr(value);
}

/* Of a hint inside another. Nobody reads more, and deep ones would add up. */
static PyObject *text_of_hint(PyObject *hint)
{
    PyObject *text = ((lbpy_hint *)hint)->text;
    if (PyUnicode_GET_LENGTH(text) > LONGEST_INSIDE)
        return PyUnicode_FromString("...");
    return Py_NewRef(text);
}

static PyObject *join(const char *between, PyObject *objects,
                      PyObject *(*text_of)(PyObject *))
{
    Py_ssize_t count = PyTuple_GET_SIZE(objects);
    PyObject *texts = PyList_New(count);
    for (Py_ssize_t i = 0; texts && i < count; i++) {
        PyObject *text = text_of(PyTuple_GET_ITEM(objects, i));
        if (text)
            PyList_SET_ITEM(texts, i, text);
        else
            Py_CLEAR(texts);
    }
    PyObject *comma = texts ? PyUnicode_FromString(between) : NULL;
    PyObject *joined = comma ? PyUnicode_Join(comma, texts) : NULL;
    Py_XDECREF(comma);
    Py_XDECREF(texts);
    return joined;
}

/* `between` joins, `format` takes the result: "Literal[%U]". */
static PyObject *text_around(const char *format, PyObject *objects,
                             PyObject *(*text_of)(PyObject *))
{
    PyObject *inside = join(", ", objects, text_of);
    PyObject *text = inside ? PyUnicode_FromFormat(format, inside) : NULL;
    Py_XDECREF(inside);
    return text;
}

static PyObject *text_with_class(const lbpy_shape *shape)
{
    PyObject *cls = name_of_class(shape->cls);
    PyObject *inside = cls ? join(", ", shape->items, text_of_hint) : NULL;
    const char *format = "%U[%U]";
    if (PyTuple_GET_SIZE(shape->items) == 0)
        format = "%U[()%U]";
    else if (shape->kind == LBPY_ITEMS &&
             PyType_IsSubtype(shape->cls, &PyTuple_Type))
        format = "%U[%U, ...]";
    PyObject *text = inside ? PyUnicode_FromFormat(format, cls, inside) : NULL;
    Py_XDECREF(cls);
    Py_XDECREF(inside);
    return text;
}

/* Annotated[X, p] becomes Annotated[X, p, q]. */
static PyObject *text_of_where(const lbpy_shape *shape)
{
    const lbpy_hint *inner = (lbpy_hint *)PyTuple_GET_ITEM(shape->items, 0);
    if (inner->kind != LBPY_WHERE)
        return PyUnicode_FromFormat("Annotated[%U, %U]", inner->text,
                                    shape->name);
    Py_ssize_t length = PyUnicode_GET_LENGTH(inner->text);
    PyObject *open = PyUnicode_Substring(inner->text, 0, length - 1);
    PyObject *text =
        open ? PyUnicode_FromFormat("%U, %U]", open, shape->name) : NULL;
    Py_XDECREF(open);
    return text;
}

PyObject *lbpy_hint_write(const lbpy_shape *shape)
{
    switch (shape->kind) {
    case LBPY_ANY:
        return PyUnicode_FromString("Any");
    case LBPY_INSTANCE:
        return name_of_class(shape->cls);
    case LBPY_UNION:
        return join(" | ", shape->items, text_of_hint);
    case LBPY_LITERAL:
        return text_around("Literal[%U]", shape->items, text_of_value);
    case LBPY_SUBCLASS:
        return text_around("type[%U]", shape->items, text_of_hint);
    case LBPY_WHERE:
        return text_of_where(shape);
    case LBPY_OPAQUE:
        return Py_NewRef(shape->name);
    default:
        return text_with_class(shape);
    }
}

/* --------------------------------------------------------- plain and inside */

PyObject *lbpy_hint_any(lbpy_state *state)
{
    lbpy_shape shape = {.kind = LBPY_ANY, .cls = &PyBaseObject_Type};
    shape.hash = hash_of_class(LBPY_ANY, shape.cls);
    return lbpy_hint_intern(state, &shape);
}

PyObject *lbpy_hint_instance(lbpy_state *state, PyObject *cls)
{
    lbpy_shape shape = {.kind = LBPY_INSTANCE, .cls = (PyTypeObject *)cls};
    if (shape.cls == &PyBaseObject_Type)
        return lbpy_hint_any(state);
    shape.hash = hash_of_class(LBPY_INSTANCE, shape.cls);
    return lbpy_hint_intern(state, &shape);
}

/* Another hint only where it decides otherwise. Told from `instance` of the same
 * class by its hash, which is never the same. */
PyObject *lbpy_hint_by_type(lbpy_state *state, PyObject *cls)
{
    lbpy_shape shape = {.kind = LBPY_INSTANCE, .by_type = 1};
    shape.cls = (PyTypeObject *)cls;
    int decision = lbpy_decision_of(shape.cls);
    if (decision < 0)
        return NULL;
    if (decision != LBPY_BY_INSTANCE)
        return lbpy_hint_instance(state, cls);
    shape.hash = hash_of_class(LBPY_INSTANCE, shape.cls) ^ 1;
    return lbpy_hint_intern(state, &shape);
}

/* Takes over `hints`, which may be NULL with an exception. */
static PyObject *contained(lbpy_state *state, lbpy_hint_kind kind,
                           PyObject *cls, PyObject *hints)
{
    if (!hints)
        return NULL;
    lbpy_shape shape = {.kind = kind, .cls = (PyTypeObject *)cls};
    shape.items = hints;
    shape.hash = hash_of_sequence(kind, shape.cls, hints);
    PyObject *hint = lbpy_hint_intern(state, &shape);
    Py_DECREF(hints);
    return hint;
}

PyObject *lbpy_hint_items(lbpy_state *state, PyObject *cls, lbpy_hint *elem)
{
    if (elem->kind == LBPY_ANY)
        return lbpy_hint_instance(state, cls);
    return contained(state, LBPY_ITEMS, cls, PyTuple_Pack(1, elem));
}

PyObject *lbpy_hint_mapping(lbpy_state *state, PyObject *cls, lbpy_hint *key,
                            lbpy_hint *value)
{
    if (key->kind == LBPY_ANY && value->kind == LBPY_ANY)
        return lbpy_hint_instance(state, cls);
    return contained(state, LBPY_MAPPING, cls, PyTuple_Pack(2, key, value));
}

PyObject *lbpy_hint_fixed(lbpy_state *state, PyObject *cls, PyObject *hints)
{
    return contained(state, LBPY_FIXED, cls, Py_NewRef(hints));
}

/* ---------------------------------------------------------------- literals */

/* The values of `values` that are not None, each once; a new list. */
static PyObject *different_values(PyObject *values)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list && i < PyTuple_GET_SIZE(values); i++) {
        PyObject *value = PyTuple_GET_ITEM(values, i);
        if (value == Py_None)
            continue;
        PyObject *before = PyList_AsTuple(list);
        int has = before ? lbpy_has_value(before, value) : -1;
        Py_XDECREF(before);
        if (has < 0 || (!has && PyList_Append(list, value) < 0))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *literal_of(lbpy_state *state, PyObject *values)
{
    lbpy_shape shape = {.kind = LBPY_LITERAL, .items = values};
    if (hash_of_values(values, &shape.hash) < 0)
        return NULL;
    return lbpy_hint_intern(state, &shape);
}

static PyObject *with_none(lbpy_state *state, PyObject *hint)
{
    PyObject *none = lbpy_hint_instance(state, (PyObject *)Py_TYPE(Py_None));
    PyObject *both = none ? PyTuple_Pack(2, hint, none) : NULL;
    PyObject *result = both ? lbpy_hint_union(state, both) : NULL;
    Py_XDECREF(none);
    Py_XDECREF(both);
    return result;
}

static int has_none(PyObject *values)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(values); i++)
        if (PyTuple_GET_ITEM(values, i) == Py_None)
            return 1;
    return 0;
}

PyObject *lbpy_hint_literal(lbpy_state *state, PyObject *values)
{
    PyObject *list = different_values(values);
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    if (!tuple)
        return NULL;
    PyObject *hint;
    if (PyTuple_GET_SIZE(tuple) == 0)
        hint = lbpy_hint_instance(state, (PyObject *)Py_TYPE(Py_None));
    else
        hint = literal_of(state, tuple);
    Py_DECREF(tuple);
    if (hint && has_none(values) && ((lbpy_hint *)hint)->kind == LBPY_LITERAL)
        Py_SETREF(hint, with_none(state, hint));
    return hint;
}

/* ------------------------------------------------------------------ unions */

/* A union on its way. */
typedef struct members {
    PyObject *hints;  /* list: members but literals, each once */
    PyObject *values; /* list: of the literals */
    Py_ssize_t place; /* of the literal among the hints; -1: none */
    int any;          /* one was any */
} members;

static int add_values(members *parts, PyObject *values)
{
    if (parts->place < 0)
        parts->place = PyList_GET_SIZE(parts->hints);
    Py_ssize_t end = PyList_GET_SIZE(parts->values);
    return PyList_SetSlice(parts->values, end, end, values);
}

static int add_once(PyObject *list, PyObject *hint)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        if (PyList_GET_ITEM(list, i) == hint)
            return 0;
    return PyList_Append(list, hint);
}

static int add_members(members *parts, PyObject *hints)
{
    int status = 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(hints); i++) {
        lbpy_hint *hint = (lbpy_hint *)PyTuple_GET_ITEM(hints, i);
        if (hint->kind == LBPY_ANY)
            parts->any = 1;
        else if (hint->kind == LBPY_UNION)
            status = add_members(parts, hint->items);
        else if (hint->kind == LBPY_LITERAL)
            status = add_values(parts, hint->items);
        else
            status = add_once(parts->hints, (PyObject *)hint);
    }
    return status;
}

/* 1: another member than the i-th says as much and more. */
static int covered(PyObject *hints, Py_ssize_t i)
{
    lbpy_hint *own = (lbpy_hint *)PyList_GET_ITEM(hints, i);
    int implied = 0;
    for (Py_ssize_t j = 0; implied == 0 && j < PyList_GET_SIZE(hints); j++) {
        lbpy_hint *other = (lbpy_hint *)PyList_GET_ITEM(hints, j);
        if (j != i)
            implied = lbpy_hint_implies(own, other);
    }
    return implied;
}

static int drop_covered_hints(members *parts)
{
    for (Py_ssize_t i = PyList_GET_SIZE(parts->hints); i-- > 0;) {
        int drop = covered(parts->hints, i);
        if (drop < 0 ||
            (drop && PyList_SetSlice(parts->hints, i, i + 1, NULL) < 0))
            return -1;
        if (drop && i < parts->place)
            parts->place--;
    }
    return 0;
}

/* No predicate is run when a union is made: it may not be meant for such
 * values. */
static int drop_covered_values(members *parts)
{
    for (Py_ssize_t i = PyList_GET_SIZE(parts->values); i-- > 0;) {
        int drop = 0;
        for (Py_ssize_t j = 0; drop == 0 && j < PyList_GET_SIZE(parts->hints);
             j++) {
            lbpy_hint *hint = (lbpy_hint *)PyList_GET_ITEM(parts->hints, j);
            if (!hint->asks)
                drop = lbpy_hint_check(hint, PyList_GET_ITEM(parts->values, i));
        }
        if (drop < 0 ||
            (drop && PyList_SetSlice(parts->values, i, i + 1, NULL) < 0))
            return -1;
    }
    return 0;
}

static int put_literal(lbpy_state *state, members *parts)
{
    if (PyList_GET_SIZE(parts->values) == 0)
        return 0;
    PyObject *values = PyList_AsTuple(parts->values);
    PyObject *literal = values ? lbpy_hint_literal(state, values) : NULL;
    int status =
        literal ? PyList_Insert(parts->hints, parts->place, literal) : -1;
    Py_XDECREF(values);
    Py_XDECREF(literal);
    return status;
}

static PyObject *union_of(lbpy_state *state, PyObject *list)
{
    if (PyList_GET_SIZE(list) == 1)
        return Py_NewRef(PyList_GET_ITEM(list, 0));
    PyObject *hints = PyList_AsTuple(list);
    if (!hints)
        return NULL;
    lbpy_shape shape = {.kind = LBPY_UNION, .items = hints};
    shape.hash = hash_of_set(LBPY_UNION, hints);
    PyObject *hint = lbpy_hint_intern(state, &shape);
    Py_DECREF(hints);
    return hint;
}

static PyObject *normal_union(lbpy_state *state, members *parts,
                              PyObject *hints)
{
    if (!parts->hints || !parts->values || add_members(parts, hints) < 0)
        return NULL;
    if (parts->any)
        return lbpy_hint_any(state);
    if (drop_covered_hints(parts) < 0 || drop_covered_values(parts) < 0 ||
        put_literal(state, parts) < 0)
        return NULL;
    return union_of(state, parts->hints);
}

PyObject *lbpy_hint_union(lbpy_state *state, PyObject *hints)
{
    if (PyTuple_GET_SIZE(hints) == 1)
        return Py_NewRef(PyTuple_GET_ITEM(hints, 0));
    members parts = {PyList_New(0), PyList_New(0), -1, 0};
    PyObject *hint = normal_union(state, &parts, hints);
    Py_XDECREF(parts.hints);
    Py_XDECREF(parts.values);
    return hint;
}

/* ------------------------------------------------------ classes, predicates */

static PyObject *subclass_of_each(lbpy_state *state, const lbpy_hint *hint)
{
    Py_ssize_t count = PyTuple_GET_SIZE(hint->items);
    PyObject *all = PyTuple_New(count);
    for (Py_ssize_t i = 0; all && i < count; i++) {
        PyObject *one = lbpy_hint_subclass(state, lbpy_hint_item(hint, i));
        if (one)
            PyTuple_SET_ITEM(all, i, one);
        else
            Py_CLEAR(all);
    }
    PyObject *result = all ? lbpy_hint_union(state, all) : NULL;
    Py_XDECREF(all);
    return result;
}

PyObject *lbpy_hint_subclass(lbpy_state *state, lbpy_hint *hint)
{
    if (hint->kind == LBPY_ANY)
        return lbpy_hint_instance(state, (PyObject *)&PyType_Type);
    if (hint->kind == LBPY_UNION)
        return subclass_of_each(state, hint);
    if (hint->kind == LBPY_INSTANCE)
        return contained(state, LBPY_SUBCLASS, (PyObject *)&PyType_Type,
                         PyTuple_Pack(1, hint));
    PyErr_Format(PyExc_TypeError,
                 "Hint.subclass() takes a hint of a class, a union of them or "
                 "any, not %U",
                 hint->text);
    return NULL;
}

/* What to call a predicate that was not named: its name or what it looks like.
 */
static PyObject *name_of(PyObject *predicate)
{
    PyObject *name = PyObject_GetAttrString(predicate, "__name__");
    if (name && PyUnicode_Check(name))
        return name;
    if (!name && !PyErr_ExceptionMatches(PyExc_AttributeError))
        return NULL;
    PyErr_Clear();
    Py_XDECREF(name);
    return PyObject_Repr(predicate);
}

/* Takes over `shape->items`, which may be NULL with an exception. The hash of
 * predicates on one hint is a sum, as they are a set. */
static PyObject *asked(lbpy_state *state, lbpy_hint *hint, lbpy_shape *shape)
{
    Py_hash_t own;
    PyObject *result = NULL;
    if (shape->items && hash_of_predicate(shape->predicate, &own) == 0) {
        Py_hash_t inner = hint->hash;
        if (shape->kind == LBPY_OPAQUE || hint->kind != LBPY_WHERE)
            inner = mix((Py_hash_t)shape->kind, inner);
        shape->hash =
            (Py_hash_t)((uint64_t)inner + (uint64_t)mix(shape->kind, own));
        result = lbpy_hint_intern(state, shape);
    }
    Py_XDECREF(shape->items);
    return result;
}

PyObject *lbpy_hint_where(lbpy_state *state, lbpy_hint *hint,
                          PyObject *predicate, PyObject *name)
{
    int has = lbpy_hint_carries(hint, predicate);
    if (has < 0)
        return NULL;
    if (has)
        return Py_NewRef((PyObject *)hint);
    name = name ? Py_NewRef(name) : name_of(predicate);
    if (!name)
        return NULL;
    lbpy_shape shape = {.kind = LBPY_WHERE, .predicate = predicate};
    shape.name = name;
    shape.items = PyTuple_Pack(1, hint);
    PyObject *result = asked(state, hint, &shape);
    Py_DECREF(name);
    return result;
}

PyObject *lbpy_hint_opaque(lbpy_state *state, lbpy_hint *hint, PyObject *test,
                           PyObject *text)
{
    lbpy_shape shape = {.kind = LBPY_OPAQUE, .predicate = test, .name = text};
    shape.items = PyTuple_Pack(1, hint);
    return asked(state, hint, &shape);
}
