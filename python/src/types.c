/* types.c - records of Python's types, and the orders of their engine classes.
 *
 * To find a type's record:
 *   1. look it up by address (a dead type's record is gone before its address
 *      can be used again: a weak reference's call-back sees to that);
 *   2. compare the MRO with the one that the order was made from, the virtual
 *      classes and the abstract classes' token with those of that time;
 *   3. if one differs, ask what is not known yet: whether the type, those of its
 *      MRO and the abstract classes are subclasses of each abstract class;
 *   4. make the order anew: the MRO, then each virtual class that the type belongs
 *      to, put right after the last class of the order that is a subclass of it.
 *      The record gets a new serial, so that nothing which was kept for the old
 *      order matches.
 * Only step 3 runs Python code (__subclasscheck__), one question at a time; then
 * anything may have changed, and it begins again at step 2. All else is done at
 * one go under the interpreter's lock, with the collector held off.
 *
 * Cost: steps 1 and 2 some nanoseconds; step 4 the length of the MRO times the
 * number of virtual classes; step 3 a question per abstract class and type, asked
 * again when a class was registered somewhere.
 */
#include "types.h"

#include <string.h>

/* ---- the map from addresses --------------------------------------------- */

static size_t place_of(const lbpy_state *state, const PyTypeObject *type)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)type * 0x9E3779B97F4A7C15u;
    return (size_t)(mixed >> 20) & (state->type_room - 1);
}

static lbpy_type *find(const lbpy_state *state, const PyTypeObject *type)
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

static void free_record(lbpy_type *record)
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
        free_record(record); /* may come back here, by the death of a type */
        at = &state->dead;
    }
}

static void forget_virtual(lbpy_state *state, lbpy_type *record)
{
    for (size_t i = 0; i < state->virtual_count; i++)
        if (state->virtuals[i] == record) {
            memmove(state->virtuals + i, state->virtuals + i + 1,
                    (--state->virtual_count - i) * sizeof *state->virtuals);
            state->abstract_count -= record->role == LBPY_ABSTRACT;
            state->virtual_version++;
            return;
        }
}

/* Serial 0 is never cached: after 2^32 changes calls become slower. */
static uint32_t next_serial(lbpy_state *state)
{
    return state->last_serial == UINT32_MAX ? 0 : ++state->last_serial;
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

static void leave_orders(lbpy_state *state, const lbpy_type *gone)
{
    for (size_t i = 0; i < state->type_room; i++)
        if (state->types[i])
            leave_order(state, state->types[i], gone);
    for (size_t i = 0; i < state->virtual_count; i++)
        leave_order(state, state->virtuals[i], gone);
}

/* Its number may be another one's next. */
static void forget_number(lbpy_state *state, uint32_t number)
{
    for (size_t i = 0; i < state->type_room; i++)
        if (state->types[i] && number < state->types[i]->answer_count)
            state->types[i]->answers[number] = LBPY_UNKNOWN;
}

static void end_record(lbpy_state *state, lbpy_type *record)
{
    state->deaths++;
    if (record->role != LBPY_REAL) {
        forget_virtual(state, record);
        leave_orders(state, record);
    }
    if (record->role == LBPY_ABSTRACT)
        forget_number(state, record->number);
    record->type = NULL;
    record->next_dead = state->dead;
    state->dead = record;
    bury(state);
}

static void end_type(lbpy_state *state, lbpy_type *record)
{
    take_out(state, record);
    end_record(state, record);
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
        end_type(state, record);
    Py_RETURN_NONE;
}

static PyMethodDef type_died_def = {"type_died", type_died, METH_O, NULL};

/* ---- orders ------------------------------------------------------------- */

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
static lbpy_type *member_of(const lbpy_state *state, const lbpy_type *v,
                            Py_ssize_t i)
{
    return find(state,
                ((lbpy_hint *)PyTuple_GET_ITEM(v->joined->items, i))->cls);
}

static Py_ssize_t member_count(const lbpy_type *v)
{
    return PyTuple_GET_SIZE(v->joined->items);
}

/* What is known of `a` being a subclass of the abstract class `v`. */
static lbpy_answer known(const lbpy_type *a, const lbpy_type *v)
{
    return v->number < a->answer_count ? (lbpy_answer)a->answers[v->number]
                                       : LBPY_UNKNOWN;
}

bool lbpy_type_below(const lbpy_state *state, const lbpy_type *a,
                     const lbpy_type *b)
{
    if (a == b)
        return true;
    if (a->role == LBPY_JOINED) {
        for (Py_ssize_t i = 0; i < member_count(a); i++) {
            const lbpy_type *member = member_of(state, a, i);
            if (member == NULL || !lbpy_type_below(state, member, b))
                return false;
        }
        return true;
    }
    if (lbpy_type_inherits(a, b))
        return true;
    if (b->role == LBPY_ABSTRACT)
        return known(a, b) == LBPY_YES;
    for (Py_ssize_t i = 0; b->role == LBPY_JOINED && i < member_count(b); i++) {
        const lbpy_type *member = member_of(state, b, i);
        if (member && lbpy_type_below(state, a, member))
            return true;
    }
    return false;
}

/* An order in the making. */
typedef struct making {
    lbpy_type **at;
    Py_ssize_t count, room;
} making;

static int insert(making *m, Py_ssize_t where, lbpy_type *record)
{
    if (m->count == m->room) {
        const Py_ssize_t room = m->room ? m->room * 2 : 8;
        lbpy_type **grown = PyMem_Realloc(m->at, (size_t)room * sizeof *grown);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        m->at = grown;
        m->room = room;
    }
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
    }
    return 0;
}

static int order_of_type(lbpy_state *state, const lbpy_type *self, making *m)
{
    PyObject *mro = self->type->tp_mro;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro); i++) {
        lbpy_type *record =
            find(state, (PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        if (record && insert(m, m->count, record) < 0)
            return -1;
    }
    return insert_virtuals(state, self, m);
}

/* A union comes before what all its members have in common. */
static int order_of_union(lbpy_state *state, const lbpy_type *self, making *m)
{
    const lbpy_type *first = member_of(state, self, 0);
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

static const char *name_of(const lbpy_type *record)
{
    return record->type ? record->type->tp_name
                        : PyUnicode_AsUTF8(record->joined->text);
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
            find(state, (PyTypeObject *)PyTuple_GET_ITEM(tuple, i));
        if (base && base->cls && count < room)
            bases[count++] = base->cls;
    }
    return count;
}

/* Tells the engine of the order. */
static lb_status tell(lbpy_state *state, lbpy_type *record, lb_class **order,
                      size_t count)
{
    lb_class *bases[32];
    const size_t base_count = bases_of(state, record, bases, 32);
    if (record->cls == NULL) {
        const char *name = name_of(record);
        const lb_class_spec spec = {.name = name ? name : "?",
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

static int remember_mro(lbpy_type *record)
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

static bool same_mro(const lbpy_type *record)
{
    PyObject *mro = record->type ? record->type->tp_mro : NULL;
    if (mro == NULL)
        return true;
    return PyTuple_GET_SIZE(mro) == record->mro_count &&
           memcmp(record->mro, &PyTuple_GET_ITEM(mro, 0),
                  (size_t)record->mro_count * sizeof *record->mro) == 0;
}

static bool is_fresh(const lbpy_state *state, const lbpy_type *record)
{
    return record->cls && same_mro(record) &&
           record->virtual_version == state->virtual_version &&
           (state->abstract_count == 0 ||
            record->abc_token == state->abc_token);
}

/* ---- step 3: questions -------------------------------------------------- */

/* Forgets answers from before the MRO changed, or a class was registered. */
static int forget_answers(const lbpy_state *state, lbpy_type *record)
{
    if (!same_mro(record) || record->answers_token != state->abc_token) {
        if (record->answers)
            memset(record->answers, LBPY_UNKNOWN, record->answer_count);
        record->answers_token = state->abc_token;
    }
    if (same_mro(record))
        return 0;
    record->virtual_version = 0; /* its order is of the MRO before */
    return remember_mro(record);
}

static int make_answers(lbpy_type *record, uint32_t number)
{
    if (number < record->answer_count)
        return 0;
    const uint32_t count = number * 2 + 4;
    uint8_t *grown = PyMem_Realloc(record->answers, count);
    if (grown == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memset(grown + record->answer_count, LBPY_UNKNOWN,
           count - record->answer_count);
    record->answers = grown;
    record->answer_count = count;
    return 0;
}

/* One question. Both types are held, so that both records stay. */
static int ask(lbpy_state *state, lbpy_type *record, const lbpy_type *v,
               bool quietly)
{
    const uint64_t token = state->abc_token;
    const uint32_t number = v->number;
    PyObject *type = Py_NewRef((PyObject *)record->type);
    PyObject *base = Py_NewRef((PyObject *)v->type);
    record->busy = true;
    int yes = PyObject_IsSubclass(type, base);
    record->busy = false;
    const lbpy_answer answer = yes < 0    ? LBPY_FAILED
                               : yes != 0 ? LBPY_YES
                                          : LBPY_NO;
    /* What comes from elsewhere, as an interrupt, is nobody's answer. */
    if (yes < 0 && quietly && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        yes = 0;
    }
    if (yes >= 0 && make_answers(record, number) < 0)
        yes = -1;
    if (yes >= 0 && token == state->abc_token && same_mro(record))
        record->answers[number] = (uint8_t)answer;
    state->asked++;
    Py_DECREF(type);
    Py_DECREF(base);
    return yes < 0 ? -1 : 0;
}

/* Asks what is not known about one record: 1: asked, so begin again; 0: nothing;
 * -1. A record about which a question is running is left as it is: a class's
 * __subclasscheck__ dispatches on the class itself. */
static int ask_one(lbpy_state *state, lbpy_type *record)
{
    if (record->busy || record->type == NULL)
        return 0;
    if (forget_answers(state, record) < 0)
        return -1;
    for (size_t i = 0; i < state->virtual_count; i++) {
        const lbpy_type *v = state->virtuals[i];
        if (v->role != LBPY_ABSTRACT || v == record ||
            known(record, v) != LBPY_UNKNOWN || lbpy_type_inherits(record, v))
            continue;
        return ask(state, record, v, true) < 0 ? -1 : 1;
    }
    return 0;
}

static lbpy_type *make_record(lbpy_state *state, PyTypeObject *type);

int lbpy_type_insist(lbpy_state *state, lbpy_type *type, const lbpy_type *base)
{
    if (base->role != LBPY_ABSTRACT || type->busy || type->type == NULL ||
        known(type, base) != LBPY_FAILED)
        return 0;
    if (ask(state, type, base, false) < 0)
        return -1;
    type->virtual_version = 0; /* its order is to be made with the answer */
    return 0;
}

/* The same for all that the order of `record` depends on. */
static int ask_around(lbpy_state *state, lbpy_type *record)
{
    int asked = ask_one(state, record);
    PyObject *mro = record->type ? record->type->tp_mro : NULL;
    for (Py_ssize_t i = 1; mro && asked == 0 && i < PyTuple_GET_SIZE(mro);
         i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        lbpy_type *known_base = find(state, base);
        if (known_base == NULL)
            known_base = make_record(state, base);
        asked = known_base ? ask_one(state, known_base) : -1;
    }
    for (size_t i = 0; i < state->virtual_count && asked == 0; i++)
        asked = ask_one(state, state->virtuals[i]);
    return asked;
}

/* ---- steps 2 to 4 ------------------------------------------------------- */

static int remake(lbpy_state *state, lbpy_type *record);

/* The engine wants the classes of an order before the class itself. */
static int remake_mro(lbpy_state *state, lbpy_type *record)
{
    PyObject *mro = record->type ? record->type->tp_mro : NULL;
    for (Py_ssize_t i = mro ? PyTuple_GET_SIZE(mro) : 0; i-- > 1;) {
        lbpy_type *base = find(state, (PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        if (base && !is_fresh(state, base) && remake(state, base) < 0)
            return -1;
    }
    return 0;
}

/* Step 4. */
static int remake(lbpy_state *state, lbpy_type *record)
{
    making m = {0};
    if (record->type && !same_mro(record) && remember_mro(record) < 0)
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
    }
    return status;
}

/* Held off: in 3.10 and 3.11 any new object may start a collection. */
static int remake_quietly(lbpy_state *state, lbpy_type *record)
{
    const int collects = PyGC_Disable();
    const int status = remake(state, record);
    if (collects)
        PyGC_Enable();
    return status;
}

static int refresh(lbpy_state *state, lbpy_type *record)
{
    while (!is_fresh(state, record)) {
        const int asked = ask_around(state, record);
        if (asked < 0)
            return -1;
        if (asked == 0)
            return remake_quietly(state, record);
    }
    return 0;
}

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
static lbpy_type *make_record(lbpy_state *state, PyTypeObject *type)
{
    const int collects = PyGC_Disable();
    lbpy_type *record =
        make_room(state) < 0 ? NULL : PyMem_Calloc(1, sizeof *record);
    if (record) {
        record->type = type;
        if (watch(state, record) < 0 || remember_mro(record) < 0) {
            free_record(record);
            record = NULL;
        }
    } else if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    if (record) {
        record->answers_token = state->abc_token;
        put(state, record);
        state->type_count++;
    }
    if (collects)
        PyGC_Enable();
    return record;
}

lbpy_type *lbpy_type_of(lbpy_state *state, PyTypeObject *type)
{
    if (type->tp_mro == NULL && PyType_Ready(type) < 0)
        return NULL;
    lbpy_type *record = find(state, type);
    if (record && is_fresh(state, record))
        return record;
    /* Held while it is asked about: its record then stays. */
    Py_INCREF(type);
    if (record == NULL)
        record = make_record(state, type);
    if (record && refresh(state, record) < 0)
        record = NULL;
    Py_DECREF(type);
    return record;
}

PyObject *lbpy_type_object(const lbpy_type *type)
{
    return Py_NewRef(type->type ? (PyObject *)type->type
                                : (PyObject *)type->joined);
}

/* ---- virtual classes ---------------------------------------------------- */

int lbpy_abc_token(lbpy_state *state, uint64_t *token)
{
    PyObject *f = state->abc_function;
    PyObject *said =
        PyCFunction_CheckExact(f) && (PyCFunction_GET_FLAGS(f) & METH_NOARGS)
            ? PyCFunction_GET_FUNCTION(f)(PyCFunction_GET_SELF(f), NULL)
            : PyObject_CallNoArgs(f);
    if (said == NULL)
        return -1;
    *token = PyLong_AsUnsignedLongLong(said);
    Py_DECREF(said);
    return *token == (uint64_t)-1 && PyErr_Occurred() ? -1 : 0;
}

int lbpy_abc_refresh(lbpy_state *state)
{
    return lbpy_abc_token(state, &state->abc_token);
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
    if (state->virtual_count == state->virtual_room) {
        const size_t room = state->virtual_room ? state->virtual_room * 2 : 16;
        lbpy_type **grown =
            PyMem_Realloc(state->virtuals, room * sizeof *grown);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        state->virtuals = grown;
        state->virtual_room = room;
    }
    record->role = role;
    if (role == LBPY_ABSTRACT)
        record->number = unused_number(state);
    record->by_token = role == LBPY_ABSTRACT;
    for (Py_ssize_t i = 0; role == LBPY_JOINED && i < member_count(record); i++)
        record->by_token |= member_of(state, record, i) &&
                            member_of(state, record, i)->by_token;
    state->virtuals[state->virtual_count++] = record;
    state->abstract_count += role == LBPY_ABSTRACT;
    state->virtual_version++;
    return role == LBPY_ABSTRACT ? lbpy_abc_refresh(state) : 0;
}

/* Lets every type that was met take its place below a new virtual class, so
 * that ambiguities are seen when they are defined. An exception of one type's
 * __subclasscheck__ waits for the call that meets the type. */
static void spread(lbpy_state *state)
{
    for (size_t i = 0; i < state->type_room; i++)
        if (state->types[i] &&
            lbpy_type_of(state, state->types[i]->type) == NULL)
            PyErr_Clear();
    for (size_t i = 0; i < state->virtual_count; i++)
        if (state->virtuals[i]->role == LBPY_JOINED &&
            refresh(state, state->virtuals[i]) < 0)
            PyErr_Clear();
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
    for (Py_ssize_t i = 0; i < count; i++)
        lbpy_base_release(
            state, find(state, ((lbpy_hint *)PyTuple_GET_ITEM(items, i))->cls));
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
    if (remake_quietly(state, record) < 0 ||
        add_virtual(state, record, LBPY_JOINED) < 0) {
        if (record->cls)
            (void)lb_class_destroy(record->cls);
        free_record(record);
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
    if (record == NULL && (record = new_union(state, hint)) != NULL) {
        record->uses++; /* while Python code may run */
        spread(state);
        record->uses--;
        return record;
    }
    release_members(state, hint->items, PyTuple_GET_SIZE(hint->items));
    return record;
}

static lbpy_type *class_base(lbpy_state *state, PyTypeObject *type)
{
    lbpy_type *record = lbpy_type_of(state, type);
    if (record == NULL || record->role != LBPY_REAL)
        return record;
    const int abstract = is_abstract(type);
    if (abstract < 0)
        return NULL;
    if (abstract) {
        if (add_virtual(state, record, LBPY_ABSTRACT) < 0)
            return NULL;
        spread(state);
    }
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

/* An abstract class without uses stays virtual: it costs little, and its end is
 * its type's. A union has no type: it ends here. */
void lbpy_base_release(lbpy_state *state, lbpy_type *base)
{
    if (base == NULL || --base->uses > 0)
        return;
    if (base->died) {
        end_type(state, base);
    } else if (base->role == LBPY_JOINED) {
        PyObject *items = Py_NewRef(base->joined->items);
        end_record(state, base);
        release_members(state, items, PyTuple_GET_SIZE(items));
        Py_DECREF(items);
    }
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
            free_record(state->virtuals[i]);
    for (size_t i = 0; i < state->type_room; i++)
        if (state->types[i])
            free_record(state->types[i]);
    for (lbpy_type *dead = state->dead; dead; dead = next) {
        next = dead->next_dead;
        free_record(dead);
    }
    PyMem_Free(state->types);
    PyMem_Free(state->virtuals);
    state->types = NULL;
    state->virtuals = NULL;
    state->dead = NULL;
    state->type_room = state->type_count = 0;
    state->virtual_room = state->virtual_count = 0;
    Py_CLEAR(state->abc_function);
}
