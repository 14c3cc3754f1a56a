/* intern.c - one hint per structure: where the living ones are found.
 *
 * How a hint is found or made (lbpy_hint_intern):
 *   1. look in the registry, a hash table chained through the hints, for one
 *      of the same shape; comparing literals or predicates may run their
 *      `__eq__`, which may itself make or drop hints: then look again;
 *   2. not there: make it (hint.c), with its text;
 *   3. look once more, as writing the text may have run a `__repr__`; link it.
 *
 * The registry owns none of its hints: deallocation takes them out. It is kept
 * alive by a capsule that the state and each hint hold.
 *
 * Any thread; in a build without the interpreter's lock the registry is guarded
 * by the capsule's critical section. A hint that is there already costs one
 * probe.
 */
#include "hint.h"

#include <stdint.h>

#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

/* Without the lock, a hint whose last reference goes may be found meanwhile.
 * Python 3.14 can tell; in 3.13 the registry keeps its hints instead. */
#if defined(Py_GIL_DISABLED) && PY_VERSION_HEX < 0x030E0000
#define KEEPS_HINTS 1
#else
#define KEEPS_HINTS 0
#endif

#define CAPSULE_NAME "latebind._core.hints"
#define FIRST_SIZE 64
#define MOST_ROUNDS 100

/* ------------------------------------------------------------- the registry */

typedef struct registry {
    lbpy_hint **slots;
    size_t mask;      /* number of slots - 1, a power of two - 1 */
    size_t count;     /* of hints */
    uint64_t changes; /* rises whenever a chain changes */
} registry;

static registry *registry_in(PyObject *capsule)
{
    return (registry *)PyCapsule_GetPointer(capsule, CAPSULE_NAME);
}

static void free_registry(PyObject *capsule)
{
    registry *table = registry_in(capsule);
    PyMem_Free(table->slots);
    PyMem_Free(table);
}

PyObject *lbpy_registry_new(void)
{
    registry *table = (registry *)PyMem_Calloc(1, sizeof *table);
    if (table)
        table->slots =
            (lbpy_hint **)PyMem_Calloc(FIRST_SIZE, sizeof *table->slots);
    if (!table || !table->slots) {
        PyMem_Free(table);
        return PyErr_NoMemory();
    }
    table->mask = FIRST_SIZE - 1;
    PyObject *capsule = PyCapsule_New(table, CAPSULE_NAME, free_registry);
    if (!capsule) {
        PyMem_Free(table->slots);
        PyMem_Free(table);
    }
    return capsule;
}

static lbpy_hint **slot_of(const registry *table, Py_hash_t hash)
{
    return &table->slots[((size_t)hash ^ (size_t)hash >> 20) & table->mask];
}

static int grow(registry *table)
{
    size_t size = 2 * (table->mask + 1);
    registry wider = {.mask = size - 1};
    wider.slots = (lbpy_hint **)PyMem_Calloc(size, sizeof *wider.slots);
    if (!wider.slots) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i <= table->mask; i++)
        for (lbpy_hint *hint = table->slots[i], *next; hint; hint = next) {
            lbpy_hint **slot = slot_of(&wider, hint->hash);
            next = hint->next;
            hint->next = *slot;
            *slot = hint;
        }
    PyMem_Free(table->slots);
    table->slots = wider.slots;
    table->mask = wider.mask;
    return 0;
}

static int link_hint(PyObject *capsule, lbpy_hint *hint)
{
    registry *table = registry_in(capsule);
    if (table->count > table->mask && grow(table) < 0)
        return -1;
#if defined(Py_GIL_DISABLED) && !KEEPS_HINTS
    PyUnstable_EnableTryIncRef((PyObject *)hint);
#endif
    lbpy_hint **slot = slot_of(table, hint->hash);
    hint->next = *slot;
    *slot = hint;
    hint->registry = Py_NewRef(capsule);
    table->count++;
    table->changes++;
    if (KEEPS_HINTS)
        Py_INCREF(hint);
    return 0;
}

void lbpy_hint_unlink(lbpy_hint *hint)
{
    PyObject *capsule = hint->registry;
    if (!capsule)
        return;
    Py_BEGIN_CRITICAL_SECTION(capsule);
    registry *table = registry_in(capsule);
    lbpy_hint **at = slot_of(table, hint->hash);
    while (*at != hint)
        at = &(*at)->next;
    *at = hint->next;
    table->count--;
    table->changes++;
    hint->registry = NULL;
    Py_END_CRITICAL_SECTION();
    Py_DECREF(capsule);
}

/* ------------------------------------------------------------ equal shapes */

static int same_predicate(PyObject *a, PyObject *b)
{
    if (a == b)
        return 1;
    if (!a || !b || Py_TYPE(a) != Py_TYPE(b))
        return 0;
    return PyObject_RichCompareBool(a, b, Py_EQ);
}

static int same_members(PyObject *a, PyObject *b)
{
    Py_ssize_t count = PyTuple_GET_SIZE(a);
    if (count != PyTuple_GET_SIZE(b))
        return 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t j = 0;
        while (j < count && PyTuple_GET_ITEM(a, i) != PyTuple_GET_ITEM(b, j))
            j++;
        if (j == count)
            return 0;
    }
    return 1;
}

static int same_values(PyObject *a, PyObject *b)
{
    int same = PyTuple_GET_SIZE(a) == PyTuple_GET_SIZE(b);
    for (Py_ssize_t i = 0; same == 1 && i < PyTuple_GET_SIZE(a); i++)
        same = lbpy_has_value(b, PyTuple_GET_ITEM(a, i));
    return same;
}

static int same_sequence(PyObject *a, PyObject *b)
{
    if (a == b)
        return 1;
    Py_ssize_t count = PyTuple_GET_SIZE(a);
    if (count != PyTuple_GET_SIZE(b))
        return 0;
    for (Py_ssize_t i = 0; i < count; i++)
        if (PyTuple_GET_ITEM(a, i) != PyTuple_GET_ITEM(b, i))
            return 0;
    return 1;
}

int lbpy_hint_carries(const lbpy_hint *hint, PyObject *predicate)
{
    int same = 0;
    while (same == 0 &&
           (hint->kind == LBPY_WHERE || hint->kind == LBPY_OPAQUE)) {
        if (hint->kind == LBPY_WHERE)
            same = same_predicate(hint->predicate, predicate);
        hint = lbpy_hint_item(hint, 0);
    }
    return same;
}

/* Predicates on one hint are a set: their order does not matter. */
static int same_where(const lbpy_hint *hint, const lbpy_shape *shape)
{
    const lbpy_hint *rest = (lbpy_hint *)PyTuple_GET_ITEM(shape->items, 0);
    const lbpy_hint *own = lbpy_hint_item(hint, 0);
    int same = lbpy_hint_carries(hint, shape->predicate);
    while (same == 1 && own->kind == LBPY_WHERE && rest->kind == LBPY_WHERE) {
        same = lbpy_hint_carries(hint, rest->predicate);
        own = lbpy_hint_item(own, 0);
        rest = lbpy_hint_item(rest, 0);
    }
    return same == 1 ? own == rest : same;
}

/* 1: `hint` is what `shape` describes, 0: it is not, -1: an exception. */
static int same_shape(const lbpy_hint *hint, const lbpy_shape *shape)
{
    switch (shape->kind) {
    case LBPY_ANY:
    case LBPY_INSTANCE:
        return 1;
    case LBPY_UNION:
        return same_members(hint->items, shape->items);
    case LBPY_LITERAL:
        return same_values(hint->items, shape->items);
    case LBPY_WHERE:
        return same_where(hint, shape);
    case LBPY_OPAQUE:
        if (!same_sequence(hint->items, shape->items))
            return 0;
        return same_predicate(hint->predicate, shape->predicate);
    default:
        return same_sequence(hint->items, shape->items);
    }
}

static int take(lbpy_hint *hint)
{
#if defined(Py_GIL_DISABLED) && !KEEPS_HINTS
    return PyUnstable_TryIncRef((PyObject *)hint);
#else
    Py_INCREF(hint);
    return 1;
#endif
}

/* One pass over a chain. 1: *found is it, a new reference; 0: not there; 2: the
 * chain changed meanwhile; -1: an exception. */
static int find_once(registry *table, const lbpy_shape *shape,
                     lbpy_hint **found)
{
    uint64_t seen = table->changes;
    for (lbpy_hint *hint = *slot_of(table, shape->hash); hint;
         hint = hint->next) {
        if (hint->hash != shape->hash || hint->kind != shape->kind ||
            hint->cls != shape->cls || !take(hint))
            continue;
        int same = same_shape(hint, shape);
        if (same == 1) {
            *found = hint;
            return 1;
        }
        Py_DECREF(hint);
        if (same < 0)
            return -1;
        if (table->changes != seen)
            return 2;
    }
    return 0;
}

static int find(PyObject *capsule, const lbpy_shape *shape, lbpy_hint **found)
{
    for (int i = 0; i < MOST_ROUNDS; i++) {
        int got = find_once(registry_in(capsule), shape, found);
        if (got != 2)
            return got;
    }
    PyErr_SetString(
        PyExc_RuntimeError,
        "comparing literals or predicates made new hints each time");
    return -1;
}

/* ----------------------------------------------------------- find or make */

/* The living hint, else `fresh`, now linked; a new reference. */
static lbpy_hint *find_or_link(PyObject *capsule, const lbpy_shape *shape,
                               lbpy_hint *fresh)
{
    lbpy_hint *hint = NULL;
    int got;
    Py_BEGIN_CRITICAL_SECTION(capsule);
    got = find(capsule, shape, &hint);
    if (got == 0 && fresh && link_hint(capsule, fresh) == 0)
        hint = (lbpy_hint *)Py_NewRef((PyObject *)fresh);
    Py_END_CRITICAL_SECTION();
    return hint;
}

PyObject *lbpy_hint_intern(lbpy_state *state, const lbpy_shape *shape)
{
    PyObject *capsule = Py_NewRef(state->hints);
    lbpy_hint *hint = find_or_link(capsule, shape, NULL);
    if (!hint && !PyErr_Occurred()) {
        lbpy_hint *fresh = lbpy_hint_new(state, shape);
        if (fresh)
            hint = find_or_link(capsule, shape, fresh);
        Py_XDECREF(fresh);
    }
    Py_DECREF(capsule);
    return (PyObject *)hint;
}
