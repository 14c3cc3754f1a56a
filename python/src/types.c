/* types.c - records of Python's types: found, made, ended.
 *
 * To find a type's record:
 *   1. look it up by address (a dead type's record is gone before its address
 *      can be used again: a weak reference's call-back sees to that);
 *   2. if its order (order.c) is not of now, ask what is not known yet of the
 *      classes that it depends on (ask.c), one question at a time; then anything
 *      may have changed, so look again; when all is known make the order anew.
 *      The record gets a new serial, so that nothing which was kept for the old
 *      order matches.
 * Only the questions run Python code (__subclasscheck__). All else is done at one
 * go under the interpreter's lock, with the collector held off.
 *
 * Cost: some nanoseconds when nothing changed; else see order.c and ask.c.
 */
#include "types_parts.h"

#include <string.h>

/* ---- the map from addresses --------------------------------------------- */

static size_t place_of(const lbpy_state *state, const PyTypeObject *type)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)type * 0x9E3779B97F4A7C15u;
    return (size_t)(mixed >> 20) & (state->type_room - 1);
}

lbpy_type *lbpy_type_find(const lbpy_state *state, const PyTypeObject *type)
{
    if (state->type_room == 0)
        return NULL;
    size_t at = place_of(state, type);
    while (state->types[at] && state->types[at]->type != type)
        at = (at + 1) & (state->type_room - 1);
    return state->types[at];
}

static void put(lbpy_state *state, lbpy_type *record)
{
    size_t at = place_of(state, record->type);
    while (state->types[at])
        at = (at + 1) & (state->type_room - 1);
    state->types[at] = record;
}

static int make_room(lbpy_state *state)
{
    if ((state->type_count + 1) * 2 <= state->type_room)
        return 0;
    const size_t room = state->type_room ? state->type_room * 2 : 256;
    lbpy_type **old = state->types;
    lbpy_type **fresh = PyMem_Calloc(room, sizeof *fresh);
    const size_t old_room = state->type_room;
    if (fresh == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    state->types = fresh;
    state->type_room = room;
    for (size_t i = 0; i < old_room; i++)
        if (old[i])
            put(state, old[i]);
    PyMem_Free(old);
    return 0;
}

/* Takes a record out, and puts those behind it where they now belong. */
static void take_out(lbpy_state *state, const lbpy_type *record)
{
    size_t at = place_of(state, record->type);
    while (state->types[at] != record)
        at = (at + 1) & (state->type_room - 1);
    state->types[at] = NULL;
    state->type_count--;
    for (at = (at + 1) & (state->type_room - 1); state->types[at];
         at = (at + 1) & (state->type_room - 1)) {
        lbpy_type *moved = state->types[at];
        state->types[at] = NULL;
        put(state, moved);
    }
}

/* ---- ends --------------------------------------------------------------- */

void lbpy_type_free(lbpy_type *record)
{
    Py_CLEAR(record->weak);
    PyMem_Free(record->order);
    PyMem_Free(record->mro);
    PyMem_Free(record->answers);
    PyMem_Free(record);
}

/* Ends engine classes whose types are dead; a base waits for what derives from
 * it. Several rounds, since they come in any order. */
static void bury(lbpy_state *state)
{
    lbpy_type **at = &state->dead;
    while (*at) {
        lbpy_type *record = *at;
        if (lb_class_destroy(record->cls) == LB_BUSY) {
            at = &record->next_dead;
            continue;
        }
        *at = record->next_dead;
        lbpy_type_free(record); /* may come back here, by the death of a type */
        at = &state->dead;
    }
}

void lbpy_type_end(lbpy_state *state, lbpy_type *record)
{
    state->deaths++;
    lbpy_virtual_leave(state, record);
    if (record->inserted)
        lbpy_order_leave(state, record);
    record->type = NULL;
    record->joined = NULL;
    record->next_dead = state->dead;
    state->dead = record;
    bury(state);
}

void lbpy_type_end_met(lbpy_state *state, lbpy_type *record)
{
    take_out(state, record);
    *(record->newer ? &record->newer->older : &state->newest) = record->older;
    if (record->older)
        record->older->newer = record->newer;
    lbpy_type_end(state, record);
}

/* The weak reference's call-back; self is the capsule of the record. */
static PyObject *type_died(PyObject *capsule, PyObject *weak)
{
    (void)weak;
    lbpy_type *record = PyCapsule_GetPointer(capsule, NULL);
    lbpy_state *state = PyCapsule_GetContext(capsule);
    /* What rules name lives as long as they do, whatever the collector is about
     * to do with all of them: finalizers may call them yet. */
    if (record && state && record->type && record->uses > 0)
        record->died = true;
    else if (record && state && record->type)
        lbpy_type_end_met(state, record);
    Py_RETURN_NONE;
}

static PyMethodDef type_died_def = {"type_died", type_died, METH_O, NULL};

/* ---- records ------------------------------------------------------------ */

static int watch(lbpy_state *state, lbpy_type *record)
{
    PyObject *capsule = PyCapsule_New(record, NULL, NULL);
    if (capsule == NULL || PyCapsule_SetContext(capsule, state) < 0) {
        Py_XDECREF(capsule);
        return -1;
    }
    PyObject *callback = PyCFunction_New(&type_died_def, capsule);
    Py_DECREF(capsule);
    if (callback == NULL)
        return -1;
    record->weak = PyWeakref_NewRef((PyObject *)record->type, callback);
    Py_DECREF(callback);
    return record->weak ? 0 : -1;
}

/* A new record, without an order yet. */
lbpy_type *lbpy_type_make(lbpy_state *state, PyTypeObject *type)
{
    const int collects = PyGC_Disable();
    lbpy_type *record =
        make_room(state) < 0 ? NULL : PyMem_Calloc(1, sizeof *record);
    if (record) {
        record->type = type;
        if (watch(state, record) < 0 || lbpy_order_remember_mro(record) < 0) {
            lbpy_type_free(record);
            record = NULL;
        }
    } else if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    if (record) {
        record->answers_token = state->abc_token;
        put(state, record);
        state->type_count++;
        record->older = state->newest;
        if (state->newest)
            state->newest->newer = record;
        state->newest = record;
    }
    if (collects)
        PyGC_Enable();
    return record;
}

/* Brings a record up to now; its type is held. */
static int refresh(lbpy_state *state, lbpy_type *record)
{
    while (!lbpy_type_is_current(state, record)) {
        const int asked = lbpy_ask_around(state, record);
        if (asked < 0)
            return -1;
        if (asked == 0)
            return lbpy_order_make(state, record);
    }
    return 0;
}

lbpy_type *lbpy_type_of(lbpy_state *state, PyTypeObject *type)
{
    if (type->tp_mro == NULL && PyType_Ready(type) < 0)
        return NULL;
    lbpy_type *record = lbpy_type_find(state, type);
    if (record && lbpy_type_is_current(state, record))
        return record;
    /* Held while it is asked about: its record then stays. */
    Py_INCREF(type);
    if (record == NULL)
        record = lbpy_type_make(state, type);
    if (record && refresh(state, record) < 0)
        record = NULL;
    Py_DECREF(type);
    return record;
}

/* Types that are not of now, held: those that rules name, and of the others the
 * `limit` that were met last. */
static PyObject *stale_types(const lbpy_state *state, size_t limit)
{
    PyObject *types = PyList_New(0);
    for (const lbpy_type *t = state->newest; types && t; t = t->older) {
        if (t->died || lbpy_type_is_current(state, t) ||
            (t->uses == 0 && limit == 0))
            continue;
        limit -= t->uses == 0;
        if (PyList_Append(types, (PyObject *)t->type) < 0)
            Py_CLEAR(types);
    }
    return types;
}

int lbpy_types_refresh(lbpy_state *state, size_t limit)
{
    PyObject *types =
        lbpy_abc_refresh(state) < 0 ? NULL : stale_types(state, limit);
    int status = types ? 0 : -1;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(types); i++)
        if (lbpy_type_of(state, (PyTypeObject *)PyList_GET_ITEM(types, i)) ==
            NULL)
            status = -1;
    Py_XDECREF(types);
    return status;
}

PyObject *lbpy_type_object(const lbpy_type *type)
{
    return Py_NewRef(type->type ? (PyObject *)type->type
                                : (PyObject *)type->joined);
}

/* ---- the state's part --------------------------------------------------- */

int lbpy_types_setup(lbpy_state *state)
{
    PyObject *abc = PyImport_ImportModule("_abc");
    if (abc == NULL) {
        PyErr_Clear();
        abc = PyImport_ImportModule("abc");
    }
    if (abc == NULL)
        return -1;
    state->virtual_version = 1; /* 0: a record to be made anew */
    state->abc_function = PyObject_GetAttrString(abc, "get_cache_token");
    Py_DECREF(abc);
    return state->abc_function ? lbpy_abc_refresh(state) : -1;
}

/* After the runtime has ended, and with it the classes. */
void lbpy_types_end(lbpy_state *state)
{
    lbpy_type *next;
    for (size_t i = 0; i < state->virtual_count; i++)
        if (state->virtuals[i]->role == LBPY_JOINED)
            lbpy_type_free(state->virtuals[i]);
    for (size_t i = 0; i < state->type_room; i++)
        if (state->types[i])
            lbpy_type_free(state->types[i]);
    for (lbpy_type *dead = state->dead; dead; dead = next) {
        next = dead->next_dead;
        lbpy_type_free(dead);
    }
    PyMem_Free(state->types);
    PyMem_Free(state->virtuals);
    state->types = NULL;
    state->virtuals = NULL;
    state->dead = NULL;
    state->newest = NULL;
    state->type_room = state->type_count = 0;
    state->virtual_room = state->virtual_count = 0;
    Py_CLEAR(state->abc_function);
}
