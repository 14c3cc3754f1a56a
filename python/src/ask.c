/* ask.c - what abstract classes say of types: the questions and the answers.
 *
 * Each record keeps the answers to "is it a subclass?" by the numbers of the
 * abstract classes. Once a class was registered somewhere, or the type's MRO was
 * changed, they are old: asked again before an order is made of them, and until
 * then better than nothing.
 *
 * A question runs Python code (__subclasscheck__), after which anything may have
 * changed: each walk tells whether it asked, so that its caller looks again until
 * it did not. An exception is an answer, too (lbpy_type_insist asks again), but
 * for those that come from elsewhere (lbpy_is_answer).
 *
 * Cost: one question per abstract class that rules name, for the type, the classes
 * of its MRO and the virtual classes that it belongs to; again for each of them
 * when a class was registered.
 */
#include "asking.h"
#include "types_parts.h"

#include <string.h>

enum { OLD = 0x80 }; /* beside an answer */

/* ---- answers ------------------------------------------------------------ */

/* What is known of `a` being a subclass of the abstract class `v`. */
lbpy_answer lbpy_answer_of(const lbpy_type *a, const lbpy_type *v)
{
    return v->number < a->answer_count
               ? (lbpy_answer)(a->answers[v->number] & ~OLD)
               : LBPY_UNKNOWN;
}

static bool is_known(const lbpy_type *a, const lbpy_type *v)
{
    return lbpy_answer_of(a, v) != LBPY_UNKNOWN &&
           !(a->answers[v->number] & OLD);
}

/* Answers from before the MRO changed, or a class was registered, are old. */
static int age_answers(const lbpy_state *state, lbpy_type *record)
{
    if (lbpy_order_same_mro(record) &&
        record->answers_token == state->abc_token)
        return 0;
    for (uint32_t i = 0; i < record->answer_count; i++)
        record->answers[i] |= OLD;
    record->answers_token = state->abc_token;
    record->asked_version = 0;
    if (lbpy_order_same_mro(record))
        return 0;
    record->virtual_version = 0; /* its order is of the MRO before */
    return lbpy_order_remember_mro(record);
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

void lbpy_answers_forget(lbpy_state *state, uint32_t number)
{
    for (lbpy_type *t = state->newest; t; t = t->older)
        if (number < t->answer_count)
            t->answers[number] = LBPY_UNKNOWN;
}

/* ---- questions ----------------------------------------------------------- */

/* One question. Both types are held, so that both records stay. */
static int ask(lbpy_state *state, lbpy_type *record, const lbpy_type *v,
               bool quietly)
{
    const uint64_t token = state->abc_token, made = state->orders_made;
    const uint32_t number = v->number;
    PyObject *type = Py_NewRef((PyObject *)record->type);
    PyObject *base = Py_NewRef((PyObject *)v->type);
    lbpy_asking asking;
    lbpy_asking_begin(&state->asking, &asking, record, v);
    int yes = PyObject_IsSubclass(type, base);
    lbpy_asking_end(&state->asking, &asking);
    const lbpy_answer answer = yes < 0    ? LBPY_FAILED
                               : yes != 0 ? LBPY_YES
                                          : LBPY_NO;
    if (yes < 0 && quietly && lbpy_is_answer()) {
        PyErr_Clear();
        yes = 0;
    }
    if (yes >= 0 && make_answers(record, number) < 0)
        yes = -1;
    if (yes >= 0 && token == state->abc_token && lbpy_order_same_mro(record) &&
        v->role == LBPY_ABSTRACT && v->number == number)
        record->answers[number] = (uint8_t)answer;
    state->asked++;
    if (made != state->orders_made) /* without the answer, by that code */
        state->virtual_version++;
    Py_DECREF(type);
    Py_DECREF(base);
    return yes < 0 ? -1 : 0;
}

/* Asks what is not known of a record whose type is held. */
static int ask_held(lbpy_state *state, lbpy_type *record)
{
    const uint64_t version = state->virtual_version;
    int asked = 0;
    for (size_t i = 0; i < state->virtual_count; i++) {
        const lbpy_type *v = state->virtuals[i];
        if (v->role != LBPY_ABSTRACT || v->died || v == record ||
            is_known(record, v) || lbpy_type_inherits(record, v))
            continue;
        if (ask(state, record, v, true) < 0)
            return -1;
        asked = 1;
    }
    if (asked == 0)
        record->asked_version = version;
    return asked;
}

/* Asks what is not known about one record; 1: asked, and Python code ran, so look
 * once more; 0: all is known; -1. A record about which this thread is asking is
 * left as it is: a class's __subclasscheck__ dispatches on the class itself. */
int lbpy_ask_one(lbpy_state *state, lbpy_type *record)
{
    if (record->died || record->type == NULL ||
        lbpy_is_asking(state->asking, record, NULL))
        return 0;
    if (age_answers(state, record) < 0)
        return -1;
    if (record->asked_version == state->virtual_version)
        return 0;
    PyObject *type = Py_NewRef((PyObject *)record->type);
    const int asked = ask_held(state, record);
    Py_DECREF(type);
    return asked;
}

int lbpy_type_insist(lbpy_state *state, lbpy_type *type, const lbpy_type *base)
{
    if (base->role != LBPY_ABSTRACT || base->died || type->died ||
        type->type == NULL || lbpy_answer_of(type, base) != LBPY_FAILED ||
        lbpy_is_asking(state->asking, type, NULL))
        return 0;
    type->virtual_version = 0; /* its order is to be made with the answer */
    return ask(state, type, base, false);
}

bool lbpy_types_are_asked(const lbpy_state *state)
{
    return lbpy_is_asking(state->asking, NULL, NULL);
}

/* What two of these walks came to together. */
static int joined(int first, int second)
{
    return first < 0 || second < 0 ? -1 : first || second;
}

/* Is the record, or a class of its MRO, below the virtual class `v`? */
static bool reaches(const lbpy_state *state, const lbpy_type *record,
                    PyObject *mro, const lbpy_type *v)
{
    bool below = lbpy_type_below(state, record, v);
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro) && !below; i++) {
        const lbpy_type *base =
            lbpy_type_find(state, (PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        below = base && lbpy_type_below(state, base, v);
    }
    return below;
}

static int ask_members(lbpy_state *state, const lbpy_type *v)
{
    PyObject *items = Py_NewRef(v->joined->items);
    int asked = 0;
    for (Py_ssize_t i = 0; asked == 0 && i < PyTuple_GET_SIZE(items); i++) {
        lbpy_type *member = lbpy_type_find(
            state, ((lbpy_hint *)PyTuple_GET_ITEM(items, i))->cls);
        asked = member ? lbpy_ask_one(state, member) : 0;
    }
    Py_DECREF(items);
    return asked;
}

static int ask_mro(lbpy_state *state, PyObject *mro)
{
    int asked = 0;
    for (Py_ssize_t i = 1; asked >= 0 && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *type = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        lbpy_type *base = lbpy_type_find(state, type);
        if (base == NULL)
            base = lbpy_type_make(state, type);
        asked = joined(asked, base ? lbpy_ask_one(state, base) : -1);
    }
    return asked;
}

/* The same for all that the order of `record` depends on: its MRO, the virtual
 * classes that it will stand below, and the members of those that are unions. */
int lbpy_ask_around(lbpy_state *state, lbpy_type *record)
{
    if (record->role == LBPY_JOINED)
        return ask_members(state, record);
    PyObject *mro = Py_NewRef(record->type->tp_mro);
    int asked = lbpy_ask_one(state, record);
    if (asked >= 0)
        asked = joined(asked, ask_mro(state, mro));
    for (size_t i = 0; i < state->virtual_count && asked == 0; i++) {
        lbpy_type *v = state->virtuals[i];
        if (v != record && reaches(state, record, mro, v))
            asked = v->role == LBPY_JOINED ? ask_members(state, v)
                                           : lbpy_ask_one(state, v);
    }
    Py_DECREF(mro);
    return asked;
}

/* The types that rules name, held. */
static PyObject *named_types(const lbpy_state *state)
{
    PyObject *types = PyList_New(0);
    for (const lbpy_type *t = state->newest; types && t; t = t->older)
        if (t->uses > 0 && !t->died &&
            PyList_Append(types, (PyObject *)t->type) < 0)
            Py_CLEAR(types);
    return types;
}

int lbpy_ask_named(lbpy_state *state)
{
    PyObject *types = named_types(state);
    int asked = types ? 1 : -1;
    while (asked > 0) {
        asked = 0;
        for (Py_ssize_t i = 0; asked >= 0 && i < PyList_GET_SIZE(types); i++) {
            lbpy_type *record = lbpy_type_find(
                state, (PyTypeObject *)PyList_GET_ITEM(types, i));
            asked = joined(asked, record ? lbpy_ask_one(state, record) : 0);
        }
    }
    Py_XDECREF(types);
    return asked;
}

/* ---- the token ------------------------------------------------------------ */

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
