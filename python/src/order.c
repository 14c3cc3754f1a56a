/* order.c - the linearizations of types, with their virtual classes.
 *
 * The order of a type is its MRO, then each virtual class that the type belongs
 * to is put right after the last class of the order that is a subclass of it. It
 * is of now while the MRO, the set of virtual classes and the abstract classes'
 * token are those that it was made from. What is made in Python code that a
 * question about a type runs may lack the answer: it is of now only there.
 *
 * Runs no Python code. Cost: the length of the MRO times the number of virtual
 * classes, each compared by its own MRO and by answers that are known.
 */
#include "grow.h"
#include "types_parts.h"

#include <string.h>

/* ---- questions about orders ---------------------------------------------- */

bool lbpy_type_is(const lbpy_type *a, const lbpy_type *b)
{
    if (a == b)
        return true;
    for (Py_ssize_t i = 0; i < a->order_count; i++)
        if (a->order[i] == b)
            return true;
    return false;
}

bool lbpy_type_inherits(const lbpy_type *a, const lbpy_type *b)
{
    for (Py_ssize_t i = 0; b->type && i < a->mro_count; i++)
        if (a->mro[i] == (PyObject *)b->type)
            return true;
    return false;
}

/* The record of the union `v`'s member number `i`, or NULL. */
lbpy_type *lbpy_member(const lbpy_state *state, const lbpy_type *v,
                       Py_ssize_t i)
{
    return lbpy_type_find(
        state, ((lbpy_hint *)PyTuple_GET_ITEM(v->joined->items, i))->cls);
}

bool lbpy_type_below(const lbpy_state *state, const lbpy_type *a,
                     const lbpy_type *b)
{
    if (a == b)
        return true;
    if (a->role == LBPY_JOINED) {
        for (Py_ssize_t i = 0; i < lbpy_member_count(a); i++) {
            const lbpy_type *member = lbpy_member(state, a, i);
            if (member == NULL || !lbpy_type_below(state, member, b))
                return false;
        }
        return true;
    }
    if (lbpy_type_inherits(a, b))
        return true;
    if (b->role == LBPY_ABSTRACT)
        return lbpy_answer_of(a, b) == LBPY_YES;
    for (Py_ssize_t i = 0; b->role == LBPY_JOINED && i < lbpy_member_count(b);
         i++) {
        const lbpy_type *member = lbpy_member(state, b, i);
        if (member && lbpy_type_below(state, a, member))
            return true;
    }
    return false;
}

/* ---- making one ---------------------------------------------------------- */

/* Serial 0 is never cached: after 2^32 changes calls become slower. */
static uint32_t next_serial(lbpy_state *state)
{
    return state->last_serial == UINT32_MAX ? 0 : ++state->last_serial;
}

/* An order in the making. */
typedef struct making {
    lbpy_type **at;
    Py_ssize_t count;
    size_t room;
} making;

static int insert(making *m, Py_ssize_t where, lbpy_type *record)
{
    lbpy_type **at = lbpy_grown(m->at, (size_t)m->count, &m->room, sizeof *at);
    if (at == NULL)
        return -1;
    m->at = at;
    memmove(m->at + where + 1, m->at + where,
            (size_t)(m->count - where) * sizeof *m->at);
    m->at[where] = record;
    m->count++;
    return 0;
}

static bool contains(const making *m, const lbpy_type *record)
{
    for (Py_ssize_t i = 0; i < m->count; i++)
        if (m->at[i] == record)
            return true;
    return false;
}

/* Puts the virtual classes in, in the order of their making. */
static int insert_virtuals(lbpy_state *state, const lbpy_type *self, making *m)
{
    for (size_t i = 0; i < state->virtual_count; i++) {
        lbpy_type *v = state->virtuals[i];
        Py_ssize_t where = 0;
        if (v == self || contains(m, v) || !lbpy_type_below(state, self, v))
            continue;
        for (Py_ssize_t k = 0; k < m->count; k++)
            if (lbpy_type_below(state, m->at[k], v))
                where = k + 1;
        if (insert(m, where, v) < 0)
            return -1;
        v->inserted = true;
    }
    return 0;
}

static int order_of_type(lbpy_state *state, const lbpy_type *self, making *m)
{
    PyObject *mro = self->type->tp_mro;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro); i++) {
        lbpy_type *record =
            lbpy_type_find(state, (PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        if (record && insert(m, m->count, record) < 0)
            return -1;
    }
    return insert_virtuals(state, self, m);
}

/* A union comes before what all its members have in common. */
static int order_of_union(lbpy_state *state, const lbpy_type *self, making *m)
{
    const lbpy_type *first = lbpy_member(state, self, 0);
    for (Py_ssize_t k = 0; first && k < first->order_count; k++)
        if (first->order[k] != self &&
            lbpy_type_below(state, self, first->order[k]) &&
            insert(m, m->count, first->order[k]) < 0)
            return -1;
    return 0;
}

static int make_order(lbpy_state *state, const lbpy_type *self, making *m)
{
    return self->role == LBPY_JOINED ? order_of_union(state, self, m)
                                     : order_of_type(state, self, m);
}

static bool same_order(const lbpy_type *record, const making *m)
{
    return record->cls && record->order_count == m->count &&
           (m->count == 0 || memcmp(record->order, m->at,
                                    (size_t)m->count * sizeof *m->at) == 0);
}

/* For people; a name that is no text in UTF-8 is none. */
static const char *name_of(const lbpy_type *record)
{
    const char *name = record->type ? record->type->tp_name
                                    : PyUnicode_AsUTF8(record->joined->text);
    if (name == NULL)
        PyErr_Clear();
    return name ? name : "?";
}

/* The direct bases that have records: all of them, unless Python code of ours
 * or theirs interfered. */
static size_t bases_of(lbpy_state *state, const lbpy_type *record,
                       lb_class **bases, size_t room)
{
    size_t count = 0;
    PyObject *tuple = record->type ? record->type->tp_bases : NULL;
    for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(tuple); i++) {
        const lbpy_type *base =
            lbpy_type_find(state, (PyTypeObject *)PyTuple_GET_ITEM(tuple, i));
        if (base && base->cls && count < room)
            bases[count++] = base->cls;
    }
    return count;
}

static lb_class **classes_of(lbpy_type *const *records, Py_ssize_t count)
{
    lb_class **classes = PyMem_Calloc((size_t)count + 1, sizeof *classes);
    if (classes == NULL)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; classes && i < count; i++)
        classes[i] = records[i]->cls;
    return classes;
}

/* Tells the engine of the order. */
static lb_status tell(lbpy_state *state, lbpy_type *record, lb_class **order,
                      size_t count)
{
    lb_class *bases[32];
    const size_t base_count = bases_of(state, record, bases, 32);
    if (record->cls == NULL) {
        const lb_class_spec spec = {.name = name_of(record),
                                    .bases = bases,
                                    .base_count = base_count,
                                    .context = record,
                                    .linearization = order,
                                    .linearization_count = count};
        return lb_class_create(state->runtime, &spec, &record->cls);
    }
    const lb_status status =
        lb_class_set_linearization(record->cls, order, count);
    /* The edges are for pictures, and for the order in which classes end. */
    if (status == LB_OK)
        (void)lb_class_set_bases(record->cls, bases, base_count);
    return status;
}

/* Takes over a new order; `m` is used up. */
static int adopt(lbpy_state *state, lbpy_type *record, making *m)
{
    lb_class **order = classes_of(m->at, m->count);
    if (order == NULL)
        return -1;
    const lb_status status = tell(state, record, order, (size_t)m->count);
    PyMem_Free(order);
    if (status != LB_OK)
        return lbpy_raise(status);
    PyMem_Free(record->order);
    record->order = m->at;
    record->order_count = m->count;
    m->at = NULL;
    record->serial = next_serial(state);
    return 0;
}

int lbpy_order_remember_mro(lbpy_type *record)
{
    PyObject *mro = record->type->tp_mro;
    const Py_ssize_t count = PyTuple_GET_SIZE(mro);
    if (count != record->mro_count) {
        PyObject **grown =
            PyMem_Realloc(record->mro, (size_t)count * sizeof *grown);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        record->mro = grown;
        record->mro_count = count;
    }
    memcpy(record->mro, &PyTuple_GET_ITEM(mro, 0),
           (size_t)count * sizeof *record->mro);
    return 0;
}

bool lbpy_order_same_mro(const lbpy_type *record)
{
    PyObject *mro = record->type ? record->type->tp_mro : NULL;
    if (mro == NULL)
        return true;
    return PyTuple_GET_SIZE(mro) == record->mro_count &&
           memcmp(record->mro, &PyTuple_GET_ITEM(mro, 0),
                  (size_t)record->mro_count * sizeof *record->mro) == 0;
}

bool lbpy_type_is_current(const lbpy_state *state, const lbpy_type *record)
{
    return record->cls && lbpy_order_same_mro(record) &&
           record->virtual_version == state->virtual_version &&
           (state->abstract_count == 0 ||
            record->abc_token == state->abc_token) &&
           (!record->unasked || lbpy_types_are_asked(state));
}

bool lbpy_type_is_there(const lbpy_type *type)
{
    return type->joined || (type->type && lbpy_order_same_mro(type));
}

static int remake(lbpy_state *state, lbpy_type *record);

/* The engine wants the classes of an order before the class itself. */
static int remake_mro(lbpy_state *state, lbpy_type *record)
{
    PyObject *mro = record->type ? record->type->tp_mro : NULL;
    for (Py_ssize_t i = mro ? PyTuple_GET_SIZE(mro) : 0; i-- > 1;) {
        lbpy_type *base =
            lbpy_type_find(state, (PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        if (base && !lbpy_type_is_current(state, base) &&
            remake(state, base) < 0)
            return -1;
    }
    return 0;
}

static int remake(lbpy_state *state, lbpy_type *record)
{
    making m = {0};
    if (record->type && !lbpy_order_same_mro(record) &&
        lbpy_order_remember_mro(record) < 0)
        return -1;
    int status = remake_mro(state, record);
    if (status == 0)
        status = make_order(state, record, &m);
    if (status == 0 && !same_order(record, &m))
        status = adopt(state, record, &m);
    PyMem_Free(m.at);
    if (status == 0) {
        record->virtual_version = state->virtual_version;
        record->abc_token = state->abc_token;
        record->unasked = lbpy_types_are_asked(state);
        state->orders_made++;
    }
    return status;
}

/* Held off: in 3.10 and 3.11 any new object may start a collection. */
int lbpy_order_make(lbpy_state *state, lbpy_type *record)
{
    const int collects = PyGC_Disable();
    const int status = remake(state, record);
    if (collects)
        PyGC_Enable();
    return status;
}

/* ---- leaving ------------------------------------------------------------- */

/* Takes `gone` out of one order, here and in the engine. Without memory the
 * engine keeps it there, and with it the class: see bury. */
static void leave_order(lbpy_state *state, lbpy_type *t, const lbpy_type *gone)
{
    Py_ssize_t k = 0;
    while (k < t->order_count && t->order[k] != gone)
        k++;
    if (k == t->order_count)
        return;
    memmove(t->order + k, t->order + k + 1,
            (size_t)(--t->order_count - k) * sizeof *t->order);
    t->serial = next_serial(state);
    lb_class **order = classes_of(t->order, t->order_count);
    if (order == NULL || lb_class_set_linearization(
                             t->cls, order, (size_t)t->order_count) != LB_OK)
        PyErr_Clear();
    PyMem_Free(order);
}

void lbpy_order_leave(lbpy_state *state, const lbpy_type *gone)
{
    for (lbpy_type *t = state->newest; t; t = t->older)
        leave_order(state, t, gone);
    for (size_t i = 0; i < state->virtual_count; i++)
        if (state->virtuals[i]->role == LBPY_JOINED)
            leave_order(state, state->virtuals[i], gone);
}
