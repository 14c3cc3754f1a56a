/* wants.c - what hints come to in rules, once per hint.
 *
 * A thousand methods on a hundred classes have two hundred hints at most. What a
 * hint is split into, and the uses of types and predicates that come with it,
 * are therefore an object that the methods share: found by the hint's address in
 * a table chained through the objects, which owns none of them. It holds its
 * hint, so that the address stays its own.
 *
 * Making one may run Python code, which may make the same: then the first one
 * counts.
 */
#include "wants.h"

enum { FIRST_ROOM = 64 };

/* ---- comparing ---------------------------------------------------------- */

bool lbpy_want_below(const lbpy_state *state, const lbpy_want *a,
                     const lbpy_want *b)
{
    if (b->base &&
        (a->base == NULL || !lbpy_type_below(state, a->base, b->base)))
        return false;
    return b->value == NULL ||
           (a->value && lbpy_implies(&a->value->given, &b->value->given));
}

bool lbpy_wants_below(const lbpy_state *state, const lbpy_wants *a,
                      const lbpy_wants *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        bool below = false;
        for (uint32_t k = 0; k < b->count && !below; k++)
            below = lbpy_want_below(state, &a->at[i], &b->at[k]);
        if (!below)
            return false;
    }
    return true;
}

/* ---- the table ---------------------------------------------------------- */

static lbpy_wants **bucket_of(const lbpy_state *state, const lbpy_hint *hint)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)hint * 0x9E3779B97F4A7C15u;
    return &state->wants[(size_t)(mixed >> 32) & (state->wants_room - 1)];
}

static lbpy_wants *find(const lbpy_state *state, const lbpy_hint *hint)
{
    lbpy_wants *wants = state->wants_room ? *bucket_of(state, hint) : NULL;
    while (wants && wants->hint != hint)
        wants = wants->next;
    return wants;
}

static void link_wants(lbpy_state *state, lbpy_wants *wants)
{
    lbpy_wants **bucket = bucket_of(state, wants->hint);
    wants->next = *bucket;
    *bucket = wants;
}

static int make_room(lbpy_state *state)
{
    const size_t old_room = state->wants_room;
    lbpy_wants **old = state->wants;
    if (state->wants_count < old_room)
        return 0;
    const size_t room = old_room ? old_room * 2 : FIRST_ROOM;
    lbpy_wants **fresh = PyMem_Calloc(room, sizeof(lbpy_wants *));
    if (fresh == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    state->wants = fresh;
    state->wants_room = room;
    for (size_t i = 0; i < old_room; i++)
        for (lbpy_wants *one = old[i], *next; one; one = next) {
            next = one->next;
            link_wants(state, one);
        }
    PyMem_Free(old);
    return 0;
}

static int enter(lbpy_state *state, lbpy_wants *wants)
{
    if (make_room(state) < 0)
        return -1;
    link_wants(state, wants);
    wants->listed = true;
    state->wants_count++;
    return 0;
}

static void leave(lbpy_wants *wants)
{
    lbpy_wants **at = bucket_of(wants->state, wants->hint);
    while (*at != wants)
        at = &(*at)->next;
    *at = wants->next;
    wants->listed = false;
    wants->state->wants_count--;
}

/* ---- making one --------------------------------------------------------- */

static lbpy_wants *new_wants(lbpy_state *state, lbpy_hint *hint,
                             Py_ssize_t count)
{
    lbpy_wants *wants =
        (lbpy_wants *)state->wants_type->tp_alloc(state->wants_type, count);
    if (wants == NULL)
        return NULL;
    wants->state = lbpy_state_hold(state);
    wants->hint = (lbpy_hint *)Py_XNewRef((PyObject *)hint);
    wants->count = (uint32_t)count;
    return wants;
}

static PyObject *hint_or_none(lbpy_hint *hint)
{
    return Py_NewRef(hint ? (PyObject *)hint : Py_None);
}

/* The hints that the alternatives name: what is made of them borrows them. In a
 * tuple, that the collector leaves whole until the wants have gone. */
static PyObject *hints_of(const lbpy_alternative *split, Py_ssize_t count)
{
    PyObject *hints = PyTuple_New(2 * count);
    for (Py_ssize_t i = 0; hints && i < count; i++) {
        PyTuple_SET_ITEM(hints, 2 * i, hint_or_none(split[i].base));
        PyTuple_SET_ITEM(hints, 2 * i + 1, hint_or_none(split[i].value));
    }
    return hints;
}

static int fill_want(lbpy_state *state, const lbpy_alternative *from,
                     lbpy_want *to)
{
    if (from->base && from->base->kind != LBPY_ANY &&
        (to->base = lbpy_base_of(state, from->base)) == NULL)
        return -1;
    if (from->value &&
        (to->value = lbpy_predicate_of(state, from->value)) == NULL)
        return -1;
    return 0;
}

static lbpy_wants *make(lbpy_state *state, lbpy_hint *hint)
{
    lbpy_alternative plain = {hint, NULL}, *split = &plain;
    Py_ssize_t count = 1;
    if (hint && (hint->kind != LBPY_INSTANCE || !lbpy_hint_is_class_part(hint)))
        count = lbpy_hint_split(state, hint, &split);
    if (count < 0)
        return NULL;
    lbpy_wants *wants = new_wants(state, hint, count);
    if (wants && (wants->held = hints_of(split, count)) == NULL)
        Py_CLEAR(wants);
    for (Py_ssize_t i = 0; wants && i < count; i++)
        if (fill_want(state, &split[i], &wants->at[i]) < 0)
            Py_CLEAR(wants);
    if (split != &plain)
        lbpy_alternatives_free(split, count);
    return wants;
}

lbpy_wants *lbpy_wants_of(lbpy_state *state, lbpy_hint *hint)
{
    lbpy_wants *known = find(state, hint);
    if (known)
        return (lbpy_wants *)Py_NewRef((PyObject *)known);
    lbpy_wants *wants = make(state, hint);
    known = wants ? find(state, hint) : NULL;
    if (known)
        Py_SETREF(wants, (lbpy_wants *)Py_NewRef((PyObject *)known));
    else if (wants && enter(state, wants) < 0)
        Py_CLEAR(wants);
    return wants;
}

/* ---- the type ----------------------------------------------------------- */

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    const lbpy_wants *wants = (lbpy_wants *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(wants->hint);
    Py_VISIT(wants->held);
    return 0;
}

static void deallocate(PyObject *self)
{
    lbpy_wants *wants = (lbpy_wants *)self;
    PyTypeObject *type = Py_TYPE(self);
    lbpy_state *state = wants->state;
    PyObject_GC_UnTrack(self);
    if (wants->listed)
        leave(wants);
    for (uint32_t i = 0; i < wants->count; i++) {
        lbpy_base_release(state, wants->at[i].base);
        lbpy_predicate_release(wants->at[i].value);
    }
    Py_XDECREF(wants->held);
    Py_XDECREF(wants->hint);
    type->tp_free(self);
    Py_DECREF(type);
    lbpy_state_release(state);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "What a hint comes to in rules."},
    {Py_tp_dealloc, deallocate},
    {Py_tp_traverse, traverse},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "latebind._core.Wants",
    .basicsize = offsetof(lbpy_wants, at),
    .itemsize = sizeof(lbpy_want),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int lbpy_wants_setup(PyObject *module, lbpy_state *state)
{
    state->wants_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return state->wants_type ? 0 : -1;
}

/* Nobody has any: each holds the state. */
void lbpy_wants_end(lbpy_state *state)
{
    PyMem_Free(state->wants);
    Py_CLEAR(state->wants_type);
}
