/* check.c - does a value satisfy a hint? Exhaustively, and nothing but C where
 * nothing of the user's has a say.
 *
 *   1. The class first: by the type's MRO when the metaclass is plain, by
 *      issubclass for abstract classes, by isinstance where values decide.
 *   2. Elements: of lists, tuples and dicts in place (and of subclasses that
 *      iterate as these do), of anything else by iterating. Where the class
 *      says what all elements are (range, str, bytes), one answer does.
 *   3. Predicates last, on what has passed so far.
 *
 * Predicates, `__eq__`, `__instancecheck__` and iterators may raise, and may
 * change the container meanwhile: an element is held while it is asked about,
 * sizes are read anew, and a dict that changes its size is an error. So may the
 * handler of a signal, which is heard now and then. Needs the interpreter's lock
 * or, without one, what each container does for itself.
 * A list of plain elements costs about 1 ns for each.
 */
#include "hint.h"

/* ---------------------------------------------------------------- metaclass */

static PyObject *imported(const char *module, const char *attribute)
{
    PyObject *name = PyUnicode_FromString(module);
    PyObject *found = name ? PyImport_GetModule(name) : NULL;
    PyObject *object = found ? PyObject_GetAttrString(found, attribute) : NULL;
    Py_XDECREF(name);
    Py_XDECREF(found);
    return object;
}

/* No class is one before the module has been imported. */
static int is_from(PyObject *metaclass, PyTypeObject *cls)
{
    int is = metaclass && PyType_Check(metaclass) &&
             PyType_IsSubtype(Py_TYPE(cls), (PyTypeObject *)metaclass);
    if (!metaclass)
        PyErr_Clear();
    Py_XDECREF(metaclass);
    return is;
}

int lbpy_is_enum(PyTypeObject *cls)
{
    if (Py_TYPE(cls) == &PyType_Type)
        return 0;
    return is_from(imported("enum", "EnumMeta"), cls);
}

/* The metaclass' own method, a new reference; NULL: it is type's (or, with an
 * exception set, unknown). */
static PyObject *own_method(PyTypeObject *metaclass, const char *name)
{
    PyObject *plain = PyObject_GetAttrString((PyObject *)&PyType_Type, name);
    if (!plain)
        return NULL;
    PyObject *own = PyObject_GetAttrString((PyObject *)metaclass, name);
    if (own == plain)
        Py_CLEAR(own);
    Py_DECREF(plain);
    return own;
}

/* What is not there is no error; that it is not known for want of memory is. */
static void forget_missing(void)
{
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_MemoryError))
        PyErr_Clear();
}

static int is_in_module(PyObject *function, const char *name)
{
    PyObject *module = PyObject_GetAttrString(function, "__module__");
    int is = module && PyUnicode_Check(module) &&
             PyUnicode_CompareWithASCIIString(module, name) == 0;
    forget_missing();
    Py_XDECREF(module);
    return is;
}

static int is_abstract_check(PyObject *function)
{
    PyObject *metaclass = imported("abc", "ABCMeta");
    PyObject *known =
        metaclass ? PyObject_GetAttrString(metaclass, "__instancecheck__")
                  : NULL;
    int is = known == function;
    forget_missing();
    Py_XDECREF(metaclass);
    Py_XDECREF(known);
    return is;
}

static int is_protocol_check(PyObject *function)
{
    return is_in_module(function, "typing") ||
           (!PyErr_Occurred() && is_in_module(function, "typing_extensions"));
}

/* A protocol that has attributes, or is not made for run time, refuses
 * issubclass: only the value can tell, if anything can. */
static int decision_of_protocol(PyTypeObject *cls)
{
    if (!PyObject_HasAttrString((PyObject *)cls, "_is_protocol"))
        return LBPY_BY_INSTANCE;
    if (PyObject_IsSubclass((PyObject *)&PyBaseObject_Type, (PyObject *)cls) >=
        0)
        return LBPY_BY_SUBCLASS;
    if (!PyErr_ExceptionMatches(PyExc_TypeError))
        return -1;
    PyErr_Clear();
    return LBPY_BY_INSTANCE;
}

int lbpy_decision_by_type(PyTypeObject *cls)
{
    PyObject *own = own_method(Py_TYPE(cls), "__subclasscheck__");
    int decision = own ? LBPY_BY_SUBCLASS : LBPY_BY_TYPE;
    Py_XDECREF(own);
    return PyErr_Occurred() ? -1 : decision;
}

int lbpy_decision_of(PyTypeObject *cls)
{
    PyTypeObject *metaclass = Py_TYPE(cls);
    if (metaclass == &PyType_Type)
        return LBPY_BY_TYPE;
    PyObject *own = own_method(metaclass, "__instancecheck__");
    if (PyErr_Occurred())
        return -1;
    int decision = LBPY_BY_INSTANCE;
    if (!own)
        decision = lbpy_decision_by_type(cls);
    else if (is_abstract_check(own))
        decision = LBPY_BY_SUBCLASS;
    else if (!PyErr_Occurred() && is_protocol_check(own))
        decision = decision_of_protocol(cls);
    Py_XDECREF(own);
    return PyErr_Occurred() ? -1 : decision;
}

/* ------------------------------------------------------------------ classes */

static int is_subclass(const lbpy_hint *hint, PyTypeObject *type)
{
    if (type == hint->cls)
        return 1;
    if (hint->decision == LBPY_BY_TYPE)
        return PyType_IsSubtype(type, hint->cls);
    return PyObject_IsSubclass((PyObject *)type, (PyObject *)hint->cls);
}

static int is_instance(const lbpy_hint *hint, PyObject *value)
{
    if (hint->decision != LBPY_BY_INSTANCE)
        return is_subclass(hint, Py_TYPE(value));
    return PyObject_IsInstance(value, (PyObject *)hint->cls);
}

int lbpy_hint_accepts(const lbpy_hint *hint, PyTypeObject *type)
{
    if (hint->kind == LBPY_ANY)
        return 1;
    if (hint->kind == LBPY_INSTANCE)
        return is_subclass(hint, type);
    int accepts = 0;
    if (hint->kind == LBPY_UNION)
        for (Py_ssize_t i = 0;
             accepts == 0 && i < PyTuple_GET_SIZE(hint->items); i++)
            accepts = lbpy_hint_accepts(lbpy_hint_item(hint, i), type);
    return accepts;
}

static int check_subclass(const lbpy_hint *hint, PyObject *value)
{
    if (!PyType_Check(value))
        return 0;
    return lbpy_hint_accepts(lbpy_hint_item(hint, 0), (PyTypeObject *)value);
}

/* ----------------------------------------------------------------- literals */

/* Both of one type, and not the same object. */
static int are_equal(PyObject *own, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(own);
    if (type == &PyBool_Type ||
        type->tp_richcompare == PyBaseObject_Type.tp_richcompare)
        return 0;
    if (Py_TYPE(type) != &PyType_Type && lbpy_is_enum(type))
        return 0;
    return PyObject_RichCompareBool(own, value, Py_EQ);
}

int lbpy_has_value(PyObject *values, PyObject *value)
{
    int has = 0;
    for (Py_ssize_t i = 0; has == 0 && i < PyTuple_GET_SIZE(values); i++) {
        PyObject *own = PyTuple_GET_ITEM(values, i);
        if (own == value)
            return 1;
        if (Py_TYPE(own) == Py_TYPE(value))
            has = are_equal(own, value);
    }
    return has;
}

/* ----------------------------------------------------------------- elements */

/* No code of the user's runs while such an element is asked about. */
static int is_plain(const lbpy_hint *hint)
{
    return hint->kind == LBPY_INSTANCE && hint->decision == LBPY_BY_TYPE;
}

enum { PATIENCE = 1 << 14 }; /* elements until signals are looked after */

/* After `count` elements: `is`, unless somebody interrupts. */
static int go_on(int is, Py_ssize_t count)
{
    if (is == 1 && count % PATIENCE == 0 && PyErr_CheckSignals() < 0)
        return -1;
    return is;
}

static int check_plain(PyTypeObject *cls, PyObject *const *elements,
                       Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTypeObject *type = Py_TYPE(elements[i]);
        if (type != cls && !PyType_IsSubtype(type, cls))
            return 0;
    }
    return 1;
}

static int check_held(const lbpy_hint *hint, PyObject *value)
{
    Py_INCREF(value);
    int is = lbpy_hint_check(hint, value);
    Py_DECREF(value);
    return is;
}

#ifdef Py_GIL_DISABLED

static int check_list(const lbpy_hint *elem, PyObject *list)
{
    int is = 1;
    for (Py_ssize_t i = 0; is == 1 && i < PyList_GET_SIZE(list);) {
        PyObject *element = PyList_GetItemRef(list, i);
        if (!element) { /* it has become shorter */
            PyErr_Clear();
            break;
        }
        is = go_on(lbpy_hint_check(elem, element), ++i);
        Py_DECREF(element);
    }
    return is;
}

#else

static int check_list(const lbpy_hint *elem, PyObject *list)
{
    const int plain = is_plain(elem);
    Py_ssize_t i = 0, left;
    int is = 1;
    while (is == 1 && (left = PyList_GET_SIZE(list) - i) > 0) {
        const Py_ssize_t count = !plain ? 1 : Py_MIN(left, PATIENCE);
        is = plain ? check_plain(elem->cls, &PyList_GET_ITEM(list, i), count)
                   : check_held(elem, PyList_GET_ITEM(list, i));
        is = go_on(is, i += count);
    }
    return is;
}

#endif

static int check_tuple(const lbpy_hint *elem, PyObject *tuple)
{
    PyObject *const *elements = ((PyTupleObject *)tuple)->ob_item;
    const int plain = is_plain(elem);
    Py_ssize_t i = 0, left;
    int is = 1;
    while (is == 1 && (left = PyTuple_GET_SIZE(tuple) - i) > 0) {
        const Py_ssize_t count = !plain ? 1 : Py_MIN(left, PATIENCE);
        is = plain ? check_plain(elem->cls, elements + i, count)
                   : lbpy_hint_check(elem, elements[i]);
        is = go_on(is, i += count);
    }
    return is;
}

static int check_pair(const lbpy_hint *key_hint, const lbpy_hint *value_hint,
                      PyObject *key, PyObject *value)
{
    Py_INCREF(value);
    int is = check_held(key_hint, key);
    if (is == 1 && value_hint)
        is = lbpy_hint_check(value_hint, value);
    Py_DECREF(value);
    return is;
}

/* `value_hint` NULL: the keys alone. */
static int walk_dict(const lbpy_hint *key_hint, const lbpy_hint *value_hint,
                     PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0, size = PyDict_GET_SIZE(dict), count = 0;
    int is = 1;
    while (is == 1 && PyDict_Next(dict, &at, &key, &value)) {
        is = go_on(check_pair(key_hint, value_hint, key, value), ++count);
        if (is == 1 && PyDict_GET_SIZE(dict) != size) {
            PyErr_SetString(PyExc_RuntimeError,
                            "dictionary changed size while it was checked");
            is = -1;
        }
    }
    return is;
}

#ifdef Py_GIL_DISABLED

static int check_dict(const lbpy_hint *key_hint, const lbpy_hint *value_hint,
                      PyObject *dict)
{
    int is;
    Py_BEGIN_CRITICAL_SECTION(dict);
    is = walk_dict(key_hint, value_hint, dict);
    Py_END_CRITICAL_SECTION();
    return is;
}

#else
#define check_dict walk_dict
#endif

static int check_each(const lbpy_hint *elem, PyObject *value)
{
    PyObject *iterator = PyObject_GetIter(value), *element;
    if (!iterator)
        return -1;
    Py_ssize_t count = 0;
    int is = 1;
    while (is == 1 && (element = PyIter_Next(iterator))) {
        is = go_on(lbpy_hint_check(elem, element), ++count);
        Py_DECREF(element);
    }
    Py_DECREF(iterator);
    return is == 1 && PyErr_Occurred() ? -1 : is;
}

/* What every element is, when the class of the container says it; or NULL. */
static PyTypeObject *class_of_elements(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == &PyUnicode_Type)
        return type;
    return type == &PyRange_Type || type == &PyBytes_Type ||
                   type == &PyByteArray_Type
               ? &PyLong_Type
               : NULL;
}

/* Nothing is wrong with the elements of an empty one. */
static int check_all_alike(const lbpy_hint *elem, PyTypeObject *each,
                           PyObject *value)
{
    int empty = PyObject_Not(value);
    return empty ? empty : lbpy_hint_accepts(elem, each);
}

static int check_elements(const lbpy_hint *elem, PyObject *value)
{
    getiterfunc iterates = Py_TYPE(value)->tp_iter;
    PyTypeObject *each = elem->class_part ? class_of_elements(value) : NULL;
    if (each)
        return check_all_alike(elem, each, value);
    if (iterates == PyList_Type.tp_iter && PyList_Check(value))
        return check_list(elem, value);
    if (iterates == PyTuple_Type.tp_iter && PyTuple_Check(value))
        return check_tuple(elem, value);
    if (PyDict_CheckExact(value))
        return check_dict(elem, NULL, value);
    return check_each(elem, value);
}

/* --------------------------------------------------- mappings, fixed tuples */

static int check_item(const lbpy_hint *hint, PyObject *item)
{
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
        PyErr_Format(PyExc_TypeError,
                     "items() of a mapping gives pairs, not %R", item);
        return -1;
    }
    return check_pair(lbpy_hint_item(hint, 0), lbpy_hint_item(hint, 1),
                      PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1));
}

static int check_mapping(const lbpy_hint *hint, PyObject *value)
{
    if (PyDict_CheckExact(value))
        return check_dict(lbpy_hint_item(hint, 0), lbpy_hint_item(hint, 1),
                          value);
    PyObject *pairs = PyMapping_Items(value);
    if (!pairs)
        return -1;
    int is = 1;
    for (Py_ssize_t i = 0; is == 1 && i < PyList_GET_SIZE(pairs);) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(pairs, i));
        is = go_on(check_item(hint, item), ++i);
        Py_DECREF(item);
    }
    Py_DECREF(pairs);
    return is;
}

static int check_fixed_each(const lbpy_hint *hint, PyObject *value)
{
    PyObject *iterator = PyObject_GetIter(value), *element;
    if (!iterator)
        return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(hint->items), i = 0;
    int is = 1;
    while (is == 1 && (element = PyIter_Next(iterator))) {
        is =
            i < count ? lbpy_hint_check(lbpy_hint_item(hint, i++), element) : 0;
        Py_DECREF(element);
    }
    Py_DECREF(iterator);
    if (is == 1 && PyErr_Occurred())
        return -1;
    return is == 1 ? i == count : is;
}

static int check_fixed(const lbpy_hint *hint, PyObject *value)
{
    if (!PyTuple_Check(value) ||
        Py_TYPE(value)->tp_iter != PyTuple_Type.tp_iter)
        return check_fixed_each(hint, value);
    Py_ssize_t count = PyTuple_GET_SIZE(hint->items);
    if (PyTuple_GET_SIZE(value) != count)
        return 0;
    int is = 1;
    for (Py_ssize_t i = 0; is == 1 && i < count; i++)
        is = lbpy_hint_check(lbpy_hint_item(hint, i),
                             PyTuple_GET_ITEM(value, i));
    return is;
}

/* ---------------------------------------------------------------- all kinds */

static int check_predicate(const lbpy_hint *hint, PyObject *value)
{
    int is = lbpy_hint_check(lbpy_hint_item(hint, 0), value);
    if (is != 1)
        return is;
    PyObject *result = PyObject_CallOneArg(hint->predicate, value);
    is = result ? PyObject_IsTrue(result) : -1;
    Py_XDECREF(result);
    return is;
}

static int check_union(const lbpy_hint *hint, PyObject *value)
{
    int is = 0;
    for (Py_ssize_t i = 0; is == 0 && i < PyTuple_GET_SIZE(hint->items); i++)
        is = lbpy_hint_check(lbpy_hint_item(hint, i), value);
    return is;
}

/* Of the right class already. */
static int check_inside(const lbpy_hint *hint, PyObject *value)
{
    if (hint->kind == LBPY_ITEMS)
        return check_elements(lbpy_hint_item(hint, 0), value);
    if (hint->kind == LBPY_MAPPING)
        return check_mapping(hint, value);
    return check_fixed(hint, value);
}

/* Hints nest as deep as their maker likes. */
static int check_deep(const lbpy_hint *hint, PyObject *value)
{
    if (hint->cls) {
        int is = is_instance(hint, value);
        if (is != 1)
            return is;
    }
    if (Py_EnterRecursiveCall(" while a value was checked against a hint"))
        return -1;
    int is =
        hint->cls ? check_inside(hint, value) : check_predicate(hint, value);
    Py_LeaveRecursiveCall();
    return is;
}

int lbpy_hint_check(const lbpy_hint *hint, PyObject *value)
{
    switch (hint->kind) {
    case LBPY_ANY:
        return 1;
    case LBPY_INSTANCE:
        return is_instance(hint, value);
    case LBPY_UNION:
        return check_union(hint, value);
    case LBPY_LITERAL:
        return lbpy_has_value(hint->items, value);
    case LBPY_SUBCLASS:
        return check_subclass(hint, value);
    default:
        return check_deep(hint, value);
    }
}
