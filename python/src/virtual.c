/* virtual.c - virtual classes: abstract ones and unions, while rules name them.
 *
 * A class whose metaclass has a say in issubclass is virtual from the first rule
 * that names it to the last; each time the orders that may name it are made anew
 * when next looked at. Whatever rules name is asked about a new one at once, so
 * that rules can be compared; other types when they are met again.
 */
#include "grow.h"
#include "types_parts.h"

#include <string.h>

void lbpy_virtual_leave(lbpy_state *state, lbpy_type *record)
{
    size_t i = 0;
    while (i < state->virtual_count && state->virtuals[i] != record)
        i++;
    if (i == state->virtual_count)
        return;
    memmove(state->virtuals + i, state->virtuals + i + 1,
            (--state->virtual_count - i) * sizeof *state->virtuals);
    state->virtual_version++;
    if (record->role == LBPY_ABSTRACT) {
        state->abstract_count--;
        lbpy_answers_forget(state, record->number);
        record->role = LBPY_REAL;
    }
}

/* Does the metaclass have a say in issubclass? */
static int is_abstract(PyTypeObject *type)
{
    PyObject *own, *plain;
    if (Py_TYPE(type) == &PyType_Type)
        return 0;
    own =
        PyObject_GetAttrString((PyObject *)Py_TYPE(type), "__subclasscheck__");
    plain =
        PyObject_GetAttrString((PyObject *)&PyType_Type, "__subclasscheck__");
    const int differ = own && plain ? own != plain : -1;
    Py_XDECREF(own);
    Py_XDECREF(plain);
    return differ;
}

/* The least number that no abstract class has. */
static uint32_t unused_number(const lbpy_state *state)
{
    for (uint32_t number = 0;; number++) {
        bool used = false;
        for (size_t i = 0; i < state->virtual_count && !used; i++)
            used = state->virtuals[i]->role == LBPY_ABSTRACT &&
                   state->virtuals[i]->number == number;
        if (!used)
            return number;
    }
}

static int add_virtual(lbpy_state *state, lbpy_type *record, lbpy_role role)
{
    lbpy_type **virtuals = lbpy_grown(state->virtuals, state->virtual_count,
                                      &state->virtual_room, sizeof *virtuals);
    if (virtuals == NULL)
        return -1;
    state->virtuals = virtuals;
    record->role = role;
    if (role == LBPY_ABSTRACT)
        record->number = unused_number(state);
    record->by_token = role == LBPY_ABSTRACT;
    for (Py_ssize_t i = 0; role == LBPY_JOINED && i < lbpy_member_count(record);
         i++)
        record->by_token |= lbpy_member(state, record, i) &&
                            lbpy_member(state, record, i)->by_token;
    state->virtuals[state->virtual_count++] = record;
    state->abstract_count += role == LBPY_ABSTRACT;
    state->virtual_version++;
    return role == LBPY_ABSTRACT ? lbpy_abc_refresh(state) : 0;
}

static lbpy_type *find_union(const lbpy_state *state, const lbpy_hint *hint)
{
    for (size_t i = 0; i < state->virtual_count; i++)
        if (state->virtuals[i]->joined == hint)
            return state->virtuals[i];
    return NULL;
}

/* Gives back the uses of the first `count` members. */
static void release_members(lbpy_state *state, PyObject *items,
                            Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        const lbpy_hint *item = (lbpy_hint *)PyTuple_GET_ITEM(items, i);
        lbpy_base_release(state, lbpy_type_find(state, item->cls));
    }
}

static int use_members(lbpy_state *state, PyObject *items)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); i++)
        if (lbpy_base_of(state, (lbpy_hint *)PyTuple_GET_ITEM(items, i)) ==
            NULL) {
            release_members(state, items, i);
            return -1;
        }
    return 0;
}

static lbpy_type *new_union(lbpy_state *state, lbpy_hint *hint)
{
    lbpy_type *record = PyMem_Calloc(1, sizeof *record);
    if (record == NULL)
        return (lbpy_type *)PyErr_NoMemory();
    record->joined = hint;
    record->role = LBPY_JOINED;
    if (lbpy_order_make(state, record) < 0 ||
        add_virtual(state, record, LBPY_JOINED) < 0) {
        if (record->cls)
            (void)lb_class_destroy(record->cls);
        lbpy_type_free(record);
        return NULL;
    }
    return record;
}

static lbpy_type *union_of(lbpy_state *state, lbpy_hint *hint)
{
    lbpy_type *record = find_union(state, hint);
    if (record)
        return record;
    if (use_members(state, hint->items) < 0)
        return NULL;
    record = find_union(state, hint); /* by Python code that was asked */
    if (record == NULL && (record = new_union(state, hint)) != NULL)
        return record;
    release_members(state, hint->items, PyTuple_GET_SIZE(hint->items));
    return record;
}

/* Makes the class virtual, and asks who belongs to it. */
static int make_abstract(lbpy_state *state, lbpy_type *record)
{
    int status = add_virtual(state, record, LBPY_ABSTRACT);
    record->uses++; /* while Python code may run */
    if (status == 0)
        status = lbpy_ask_named(state);
    if (--record->uses == 0 && status < 0)
        lbpy_virtual_leave(state, record);
    return status;
}

static lbpy_type *class_base(lbpy_state *state, PyTypeObject *type)
{
    lbpy_type *record = lbpy_type_of(state, type);
    if (record == NULL || record->role != LBPY_REAL)
        return record;
    const int abstract = is_abstract(type);
    if (abstract < 0 || (abstract && record->role == LBPY_REAL &&
                         make_abstract(state, record) < 0))
        return NULL;
    return record;
}

lbpy_type *lbpy_base_of(lbpy_state *state, lbpy_hint *base)
{
    lbpy_type *record = base->kind == LBPY_UNION ? union_of(state, base)
                                                 : class_base(state, base->cls);
    if (record)
        record->uses++;
    return record;
}

/* A union has no type: it ends here. */
void lbpy_base_release(lbpy_state *state, lbpy_type *base)
{
    if (base == NULL || --base->uses > 0)
        return;
    if (base->died) {
        lbpy_type_end_met(state, base);
    } else if (base->role == LBPY_JOINED) {
        PyObject *items = Py_NewRef(base->joined->items);
        lbpy_type_end(state, base);
        release_members(state, items, PyTuple_GET_SIZE(items));
        Py_DECREF(items);
    } else {
        lbpy_virtual_leave(state, base);
    }
}
