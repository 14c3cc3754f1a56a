/* relate.c - hints among themselves: which is narrower, which exclude each
 * other, and what of one a type decides.
 *
 * `implies` looks for a proof, from the left: every member of a union, every
 * value of a literal; else what the right wants, from the class, the elements
 * and the predicates that the left has. `disjoint` looks for a contradiction:
 * classes that nothing can be both of, lengths, elements. Neither finds all
 * there is; both are right when they say 1.
 *
 * Classes are compared by issubclass, so that an abstract class has the say
 * that it has in Python; literals by check.c, which runs predicates.
 */
#include "hint.h"

static int enter(void)
{
    return Py_EnterRecursiveCall(" while hints were compared");
}

/* ------------------------------------------------------------------ classes */

/* `a` is a class that any instance of the right hint has; NULL: there is none.
 */
static int derives(PyTypeObject *a, const lbpy_hint *b)
{
    if (!a || a == b->cls)
        return a != NULL;
    if (b->decision == LBPY_BY_TYPE)
        return PyType_IsSubtype(a, b->cls);
    if (b->decision == LBPY_BY_SUBCLASS)
        return PyObject_IsSubclass((PyObject *)a, (PyObject *)b->cls);
    /* Its issubclass may refuse: a protocol with attributes. */
    if (PyType_IsSubtype(a, b->cls))
        return 1;
    int is = PyObject_IsSubclass((PyObject *)a, (PyObject *)b->cls);
    if (is < 0 && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        is = 0;
    }
    return is;
}

/* What every accepted value is an instance of: the class of a class is at least
 * that of its base. */
static PyTypeObject *class_within(const lbpy_hint *hint)
{
    if (hint->kind != LBPY_SUBCLASS)
        return hint->cls;
    const lbpy_hint *inner = lbpy_hint_item(hint, 0);
    return inner->decision == LBPY_BY_TYPE ? Py_TYPE(inner->cls) : hint->cls;
}

/* The type from which `type` has the layout of its instances: the nearest that
 * certainly adds to its base. A class of Python's own making may add the slots
 * of its dict and weak references without being in anybody's way. */
static PyTypeObject *layout_of(PyTypeObject *type)
{
    for (; type->tp_base; type = type->tp_base) {
        const PyTypeObject *base = type->tp_base;
        Py_ssize_t slack = PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)
                               ? 2 * (Py_ssize_t)sizeof(PyObject *)
                               : 0;
        if (type->tp_itemsize != base->tp_itemsize ||
            type->tp_basicsize > base->tp_basicsize + slack)
            break;
    }
    return type;
}

/* No class can derive from it: by flag, or an enumeration that has members. */
static int is_final(PyTypeObject *type)
{
    if (!PyType_HasFeature(type, Py_TPFLAGS_BASETYPE))
        return 1;
    if (!lbpy_is_enum(type))
        return 0;
    Py_ssize_t count = PyObject_Length((PyObject *)type);
    if (count < 0)
        PyErr_Clear();
    return count > 0;
}

static int lacks(PyTypeObject *a, const lbpy_hint *b)
{
    if (b->decision == LBPY_BY_INSTANCE)
        return 0;
    int is = derives(a, b);
    return is < 0 ? -1 : !is;
}

/* `a` and `b` have classes. Abstract classes can be anybody's, except that of a
 * final class which has not been registered. */
static int classes_exclude(const lbpy_hint *a, const lbpy_hint *b)
{
    PyTypeObject *one = class_within(a), *other = class_within(b);
    if (a->decision == LBPY_BY_TYPE && is_final(one))
        return lacks(one, b);
    if (b->decision == LBPY_BY_TYPE && is_final(other))
        return lacks(other, a);
    if (a->decision != LBPY_BY_TYPE || b->decision != LBPY_BY_TYPE)
        return 0;
    one = layout_of(one);
    other = layout_of(other);
    return !PyType_IsSubtype(one, other) && !PyType_IsSubtype(other, one);
}

/* ------------------------------------------------------------------ implies */

/* All of a's members, or values. */
static int all_members_imply(const lbpy_hint *a, const lbpy_hint *b)
{
    int is = 1;
    for (Py_ssize_t i = 0; is == 1 && i < PyTuple_GET_SIZE(a->items); i++)
        is = a->kind == LBPY_LITERAL
                 ? lbpy_hint_check(b, PyTuple_GET_ITEM(a->items, i))
                 : lbpy_hint_implies(lbpy_hint_item(a, i), b);
    return is;
}

static int implies_some_member(const lbpy_hint *a, const lbpy_hint *b)
{
    int is = 0;
    for (Py_ssize_t i = 0; is == 0 && i < PyTuple_GET_SIZE(b->items); i++)
        is = lbpy_hint_implies(a, lbpy_hint_item(b, i));
    return is;
}

static int items_imply(const lbpy_hint *a, const lbpy_hint *b)
{
    int is = PyTuple_GET_SIZE(a->items) == PyTuple_GET_SIZE(b->items);
    for (Py_ssize_t i = 0; is == 1 && i < PyTuple_GET_SIZE(a->items); i++)
        is = lbpy_hint_implies(lbpy_hint_item(a, i), lbpy_hint_item(b, i));
    return is;
}

/* b is ITEMS: so each element of a, if a says what they are. */
static int elements_imply(const lbpy_hint *a, const lbpy_hint *b)
{
    const lbpy_hint *elem = lbpy_hint_item(b, 0);
    if (a->kind == LBPY_ITEMS || a->kind == LBPY_MAPPING)
        return lbpy_hint_implies(lbpy_hint_item(a, 0), elem);
    if (a->kind != LBPY_FIXED)
        return 0;
    int is = 1;
    for (Py_ssize_t i = 0; is == 1 && i < PyTuple_GET_SIZE(a->items); i++)
        is = lbpy_hint_implies(lbpy_hint_item(a, i), elem);
    return is;
}

static int inside_implies(const lbpy_hint *a, const lbpy_hint *b)
{
    if (b->kind == LBPY_ITEMS)
        return elements_imply(a, b);
    if (b->kind == LBPY_MAPPING && a->kind == LBPY_FIXED) /* empty: any items */
        return PyTuple_GET_SIZE(a->items) == 0;
    return a->kind == b->kind ? items_imply(a, b) : 0;
}

/* a is no union and no literal; b wants a class, and perhaps more of it. */
static int class_implies(const lbpy_hint *a, const lbpy_hint *b)
{
    if (b->kind == LBPY_INSTANCE)
        return derives(class_within(a), b);
    if (b->kind == LBPY_SUBCLASS)
        return a->kind == LBPY_SUBCLASS ? items_imply(a, b) : 0;
    int is = inside_implies(a, b);
    return is == 1 ? derives(a->cls, b) : is;
}

/* What the predicates of a hint stand on, one below the other. */
static const lbpy_hint *root_of(const lbpy_hint *hint)
{
    while (hint->predicate)
        hint = lbpy_hint_item(hint, 0);
    return hint;
}

/* a is b, or stands on it. */
static int stands_on(const lbpy_hint *a, const lbpy_hint *b)
{
    while (a != b && a->predicate)
        a = lbpy_hint_item(a, 0);
    return a == b;
}

/* a is no union and no literal. */
static int one_implies(const lbpy_hint *a, const lbpy_hint *b)
{
    int is = 0;
    if (b->kind == LBPY_UNION)
        is = implies_some_member(a, b);
    else if (b->kind == LBPY_WHERE)
        is = lbpy_hint_carries(a, b->predicate);
    else if (b->kind == LBPY_OPAQUE)
        is = stands_on(a, b);
    else if (b->cls && a->cls)
        is = class_implies(a, b);
    if (is == 1 && b->kind == LBPY_WHERE)
        return lbpy_hint_implies(a, lbpy_hint_item(b, 0));
    if (is == 0 && a->predicate)
        is = lbpy_hint_implies(root_of(a), b);
    return is;
}

int lbpy_hint_implies(const lbpy_hint *a, const lbpy_hint *b)
{
    if (a == b || b->kind == LBPY_ANY)
        return 1;
    if (a->kind == LBPY_ANY)
        return 0;
    if (a->kind == LBPY_INSTANCE && b->kind == LBPY_INSTANCE)
        return derives(a->cls, b);
    if (enter())
        return -1;
    int is = a->kind == LBPY_UNION || a->kind == LBPY_LITERAL
                 ? all_members_imply(a, b)
                 : one_implies(a, b);
    Py_LeaveRecursiveCall();
    return is;
}

/* ----------------------------------------------------------------- disjoint */

static int each_excludes(const lbpy_hint *a, const lbpy_hint *b)
{
    int is = 1;
    for (Py_ssize_t i = 0; is == 1 && i < PyTuple_GET_SIZE(a->items); i++)
        is = lbpy_hint_disjoint(lbpy_hint_item(a, i), b);
    return is;
}

static int none_is_both(PyObject *values, const lbpy_hint *a,
                        const lbpy_hint *b)
{
    int is = 0;
    for (Py_ssize_t i = 0; is == 0 && i < PyTuple_GET_SIZE(values); i++) {
        is = lbpy_hint_check(a, PyTuple_GET_ITEM(values, i));
        if (is == 1)
            is = lbpy_hint_check(b, PyTuple_GET_ITEM(values, i));
    }
    return is < 0 ? -1 : !is;
}

/* a is FIXED: one of its elements cannot be what b wants there. */
static int elements_exclude(const lbpy_hint *a, const lbpy_hint *b)
{
    Py_ssize_t count = PyTuple_GET_SIZE(a->items);
    if (b->kind != LBPY_FIXED && b->kind != LBPY_ITEMS)
        return 0;
    if (b->kind == LBPY_FIXED && PyTuple_GET_SIZE(b->items) != count)
        return 1;
    int is = 0;
    for (Py_ssize_t i = 0; is == 0 && i < count; i++)
        is = lbpy_hint_disjoint(
            lbpy_hint_item(a, i),
            lbpy_hint_item(b, b->kind == LBPY_FIXED ? i : 0));
    return is;
}

/* Both want a class. */
static int kinds_exclude(const lbpy_hint *a, const lbpy_hint *b)
{
    int is = classes_exclude(a, b);
    if (is == 0 && a->kind == LBPY_FIXED)
        is = elements_exclude(a, b);
    else if (is == 0 && b->kind == LBPY_FIXED)
        is = elements_exclude(b, a);
    else if (is == 0 && a->kind == LBPY_SUBCLASS && b->kind == LBPY_SUBCLASS)
        is = lbpy_hint_disjoint(lbpy_hint_item(a, 0), lbpy_hint_item(b, 0));
    return is;
}

/* The same whichever comes first. */
static int disjoint(const lbpy_hint *a, const lbpy_hint *b)
{
    const lbpy_hint *one = root_of(a), *other = root_of(b);
    if (one->kind == LBPY_LITERAL)
        return none_is_both(one->items, a, b);
    if (other->kind == LBPY_LITERAL)
        return none_is_both(other->items, a, b);
    if (one->kind == LBPY_UNION)
        return each_excludes(one, b);
    if (other->kind == LBPY_UNION)
        return each_excludes(other, a);
    if (one->kind == LBPY_ANY || other->kind == LBPY_ANY)
        return 0;
    return kinds_exclude(one, other);
}

int lbpy_hint_disjoint(const lbpy_hint *a, const lbpy_hint *b)
{
    if (a == b || a->kind == LBPY_ANY || b->kind == LBPY_ANY)
        return 0;
    if (enter())
        return -1;
    int is = disjoint(a, b);
    Py_LeaveRecursiveCall();
    return is;
}

/* -------------------------------------------------------------------- split */

/* Alternatives that are being collected. */
typedef struct alternatives {
    lbpy_alternative *all;
    Py_ssize_t count, room;
} alternatives;

void lbpy_alternatives_free(lbpy_alternative *all, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_XDECREF(all[i].base);
        Py_XDECREF(all[i].value);
    }
    PyMem_Free(all);
}

/* Takes over `base`, which may be NULL with an exception; borrows `value`. */
static int add(alternatives *to, PyObject *base, lbpy_hint *value)
{
    if (!base)
        return -1;
    if (to->count == to->room) {
        Py_ssize_t room = 2 * to->room + 1;
        lbpy_alternative *all = (lbpy_alternative *)PyMem_Realloc(
            to->all, (size_t)room * sizeof *all);
        if (!all) {
            Py_DECREF(base);
            PyErr_NoMemory();
            return -1;
        }
        to->all = all;
        to->room = room;
    }
    lbpy_alternative *next = &to->all[to->count++];
    next->base = (lbpy_hint *)base;
    next->value = (lbpy_hint *)Py_XNewRef((PyObject *)value);
    return 0;
}

static int collect(lbpy_state *state, lbpy_hint *hint, alternatives *to);

static PyObject *base_of(lbpy_state *state, const lbpy_hint *hint)
{
    if (hint->decision == LBPY_BY_INSTANCE)
        return lbpy_hint_any(state);
    return lbpy_hint_instance(state, (PyObject *)hint->cls);
}

/* A new list of the values that have the type of the i-th; NULL and no
 * exception when one before the i-th has it too. */
static PyObject *values_like(PyObject *values, Py_ssize_t i)
{
    PyTypeObject *type = Py_TYPE(PyTuple_GET_ITEM(values, i));
    for (Py_ssize_t j = 0; j < i; j++)
        if (Py_TYPE(PyTuple_GET_ITEM(values, j)) == type)
            return NULL;
    PyObject *list = PyList_New(0);
    for (Py_ssize_t j = i; list && j < PyTuple_GET_SIZE(values); j++) {
        PyObject *value = PyTuple_GET_ITEM(values, j);
        if (Py_TYPE(value) == type && PyList_Append(list, value) < 0)
            Py_CLEAR(list);
    }
    return list;
}

/* Takes over `list`. */
static int add_values(lbpy_state *state, PyObject *list, alternatives *to)
{
    PyObject *values = PyList_AsTuple(list);
    PyObject *hint = values ? lbpy_hint_literal(state, values) : NULL;
    PyTypeObject *type = Py_TYPE(PyList_GET_ITEM(list, 0));
    int status = -1;
    if (hint)
        status = add(to, lbpy_hint_instance(state, (PyObject *)type),
                     (lbpy_hint *)hint);
    Py_XDECREF(hint);
    Py_XDECREF(values);
    Py_DECREF(list);
    return status;
}

static int collect_literal(lbpy_state *state, const lbpy_hint *hint,
                           alternatives *to)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(hint->items); i++) {
        PyObject *list = values_like(hint->items, i);
        if (!list && PyErr_Occurred())
            return -1;
        if (list && add_values(state, list, to) < 0)
            return -1;
    }
    return 0;
}

/* The members that types decide, as one; the others, each on its own. */
static int collect_union(lbpy_state *state, const lbpy_hint *hint,
                         alternatives *to)
{
    PyObject *classes = PyList_New(0);
    int status = classes ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(hint->items);
         i++)
        if (lbpy_hint_item(hint, i)->class_part)
            status =
                PyList_Append(classes, (PyObject *)lbpy_hint_item(hint, i));
    PyObject *tuple = status == 0 ? PyList_AsTuple(classes) : NULL;
    status = tuple ? 0 : -1;
    if (tuple && PyTuple_GET_SIZE(tuple) > 0)
        status = add(to, lbpy_hint_union(state, tuple), NULL);
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(hint->items);
         i++)
        if (!lbpy_hint_item(hint, i)->class_part)
            status = collect(state, lbpy_hint_item(hint, i), to);
    Py_XDECREF(tuple);
    Py_XDECREF(classes);
    return status;
}

/* The predicate goes to each alternative of what it stands on. */
static int wrap(lbpy_state *state, lbpy_hint *hint, lbpy_alternative *one)
{
    lbpy_hint *inner = one->value ? one->value : one->base;
    PyObject *value;
    if (inner == lbpy_hint_item(hint, 0))
        value = Py_NewRef((PyObject *)hint);
    else if (hint->kind == LBPY_WHERE)
        value = lbpy_hint_where(state, inner, hint->predicate, hint->name);
    else
        value = lbpy_hint_opaque(state, inner, hint->predicate, hint->name);
    if (!value)
        return -1;
    Py_XSETREF(one->value, (lbpy_hint *)value);
    return 0;
}

static int collect_predicate(lbpy_state *state, lbpy_hint *hint,
                             alternatives *to)
{
    Py_ssize_t first = to->count;
    int status = collect(state, lbpy_hint_item(hint, 0), to);
    for (Py_ssize_t i = first; status == 0 && i < to->count; i++)
        status = wrap(state, hint, &to->all[i]);
    return status;
}

static int collect_kind(lbpy_state *state, lbpy_hint *hint, alternatives *to)
{
    switch (hint->kind) {
    case LBPY_UNION:
        return collect_union(state, hint, to);
    case LBPY_LITERAL:
        return collect_literal(state, hint, to);
    case LBPY_WHERE:
    case LBPY_OPAQUE:
        return collect_predicate(state, hint, to);
    default:
        return add(to, base_of(state, hint), hint);
    }
}

static int collect(lbpy_state *state, lbpy_hint *hint, alternatives *to)
{
    if (hint->class_part)
        return add(to, Py_NewRef((PyObject *)hint), NULL);
    if (Py_EnterRecursiveCall(" while a hint was split"))
        return -1;
    int status = collect_kind(state, hint, to);
    Py_LeaveRecursiveCall();
    return status;
}

Py_ssize_t lbpy_hint_split(lbpy_state *state, lbpy_hint *hint,
                           lbpy_alternative **result)
{
    alternatives to = {NULL, 0, 0};
    PyObject *any = hint ? NULL : lbpy_hint_any(state);
    int status = -1;
    if (hint || any)
        status = collect(state, hint ? hint : (lbpy_hint *)any, &to);
    Py_XDECREF(any);
    if (status < 0) {
        lbpy_alternatives_free(to.all, to.count);
        return -1;
    }
    *result = to.all;
    return to.count;
}
