/* predicate.c - hints with a value part as predicates of the engine.
 *
 * The engine orders predicates by what each says it implies. That is found out
 * for two that come to stand at the same place of one generic function, before
 * its rules are made, and told to both sides.
 * Cost of a definition: a comparison of hints per other predicate at its place.
 */
#include "predicate.h"

#include "asking.h"
#include "bridge.h"
#include "grow.h"

/* ---- running questions -------------------------------------------------- */

void lbpy_choosing_begin(lbpy_state *state, lbpy_choosing *choosing)
{
    choosing->outer = state->choosing;
    state->choosing = choosing;
}

void lbpy_choosing_end(lbpy_state *state, lbpy_choosing *choosing)
{
    lbpy_choosing **at = &state->choosing;
    while (*at != choosing)
        at = &(*at)->outer;
    *at = choosing->outer;
}

void lbpy_told_begin(lbpy_state *state, lbpy_told *told)
{
    *told = (lbpy_told){.thread = PyThread_get_thread_ident(),
                        .outer = state->told};
    state->told = told;
}

void lbpy_told_end(lbpy_state *state, lbpy_told *told)
{
    lbpy_told **at = &state->told;
    while (*at != told)
        at = &(*at)->outer;
    *at = told->outer;
    PyMem_Free(told->at);
}

bool lbpy_told_holds(const lbpy_told *told, const lbpy_predicate *predicate,
                     const PyObject *value)
{
    for (size_t i = 0; i < told->count; i++)
        if (told->at[i].predicate == predicate && told->at[i].value == value)
            return true;
    return false;
}

static void tell(lbpy_told *told, const lbpy_predicate *p,
                 const PyObject *value)
{
    const unsigned long thread = PyThread_get_thread_ident();
    while (told && told->thread != thread)
        told = told->outer;
    if (told == NULL || lbpy_told_holds(told, p, value))
        return;
    struct lbpy_holding *at =
        lbpy_grown(told->at, told->count, &told->room, sizeof *at);
    if (at == NULL) {
        PyErr_Clear(); /* raised when the engine is done */
        told->failed = true;
        return;
    }
    told->at = at;
    told->at[told->count++] = (struct lbpy_holding){p, value};
}

/* ---- what the engine asks ----------------------------------------------- */

/* Called by the engine, by a thread that may not hold the interpreter's lock:
 * a C caller's. */
static int ask(lbpy_predicate *p, PyObject *value)
{
    for (const lbpy_choosing *c = p->state->choosing; c; c = c->outer)
        for (size_t i = 0; i < c->count; i++)
            if (c->tests[i].predicate == p && c->values[i] == value)
                return (int)(c->answers >> i & 1);
    lbpy_hint *hint = (lbpy_hint *)Py_XNewRef((PyObject *)p->hint);
    const int answer = hint ? lbpy_hint_check(hint, value) : 0;
    Py_XDECREF(hint); /* its own test may have removed its method */
    return answer;
}

static int test(void *context, lb_value value)
{
    lbpy_predicate *p = context;
    lbpy_held held;
    if (!lbpy_lock(p->state, &held))
        return -1;
    /* After one that raised the engine begins again if it changed the rules. */
    const int answer = PyErr_Occurred() ? -1 : ask(p, value.pointer);
    if (answer > 0 && p->state->told)
        tell(p->state->told, p, value.pointer);
    lbpy_unlock(&held);
    return answer;
}

/* Tells that `p` implies `q`. The array is replaced by a longer one before its
 * count grows, and old ones stay until the end, for a thread that reads. */
static int add_implied(lbpy_predicate *p, lbpy_predicate *q)
{
    const size_t count = p->given.implies_count;
    if (count == p->room) {
        const size_t room = p->room ? p->room * 2 : 2;
        const lb_predicate **grown = PyMem_RawCalloc(room + 1, sizeof *grown);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        /* The first place holds the array before, to be freed with it. */
        grown[0] =
            (const void *)(p->given.implies ? p->given.implies - 1 : NULL);
        for (size_t i = 0; i < count; i++)
            grown[i + 1] = p->given.implies[i];
        __atomic_store_n(&p->given.implies, grown + 1, __ATOMIC_RELEASE);
        p->room = room;
    }
    ((const lb_predicate **)p->given.implies)[count] = &q->given;
    __atomic_store_n(&p->given.implies_count, count + 1, __ATOMIC_RELEASE);
    return 0;
}

static bool implies(const lbpy_predicate *p, const lbpy_predicate *q)
{
    for (size_t i = 0; i < p->given.implies_count; i++)
        if (p->given.implies[i] == &q->given)
            return true;
    return false;
}

static bool compared(const lbpy_predicate *p, const lbpy_predicate *q)
{
    for (size_t i = 0; i < p->compared_count; i++)
        if (p->compared[i] == q)
            return true;
    return false;
}

static int note_compared(lbpy_predicate *p, lbpy_predicate *q)
{
    lbpy_predicate **compared = lbpy_grown(p->compared, p->compared_count,
                                           &p->compared_room, sizeof *compared);
    if (compared == NULL)
        return -1;
    p->compared = compared;
    p->compared[p->compared_count++] = q;
    return 0;
}

/* An answer that is an exception says that nothing is known. */
static int relate(lbpy_predicate *p, lbpy_predicate *q)
{
    int yes = p->hint && q->hint ? lbpy_hint_implies(p->hint, q->hint) : 0;
    if (yes < 0 && lbpy_is_answer()) {
        PyErr_Clear();
        yes = 0;
    }
    return yes > 0 && !implies(p, q) ? add_implied(p, q) : Py_MIN(yes, 0);
}

/* Noted when all is known, so that another thread does not go on without. */
int lbpy_predicates_compare(lbpy_predicate *p, lbpy_predicate *q)
{
    lbpy_asking asking;
    if (p == q || compared(p, q) || lbpy_is_asking(p->state->comparing, p, q) ||
        lbpy_is_asking(p->state->comparing, q, p))
        return 0;
    lbpy_asking_begin(&p->state->comparing, &asking, p, q);
    const int status = relate(p, q) < 0 ? -1 : relate(q, p);
    lbpy_asking_end(&p->state->comparing, &asking);
    if (status < 0 || compared(p, q))
        return status;
    return note_compared(p, q) < 0 ? -1 : note_compared(q, p);
}

/* By the hint's address: there is one hint per structure. */
static lbpy_predicate *find(lbpy_state *state, lbpy_hint *hint)
{
    PyObject *key = PyLong_FromVoidPtr(hint);
    PyObject *known =
        key ? PyDict_GetItemWithError(state->predicates, key) : NULL;
    Py_XDECREF(key);
    lbpy_predicate *p = known ? PyLong_AsVoidPtr(known) : NULL;
    /* Another hint's, at the same address, that nobody could take out. */
    return p && p->hint == hint ? p : NULL;
}

static int enter(lbpy_state *state, lbpy_hint *hint, lbpy_predicate *p)
{
    PyObject *key = PyLong_FromVoidPtr(hint);
    PyObject *address = PyLong_FromVoidPtr(p);
    const int status =
        key && address ? PyDict_SetItem(state->predicates, key, address) : -1;
    Py_XDECREF(key);
    Py_XDECREF(address);
    return status;
}

static lbpy_predicate *make(lbpy_state *state, lbpy_hint *hint)
{
    lbpy_predicate *p = PyMem_RawCalloc(1, sizeof *p);
    if (p == NULL)
        return (lbpy_predicate *)PyErr_NoMemory();
    p->state = state;
    p->hint = hint;
    p->given.name = "hint";
    p->given.test = test;
    p->given.context = p;
    if (enter(state, hint, p) < 0) {
        PyMem_RawFree(p);
        return NULL;
    }
    p->next = state->first_predicate;
    state->first_predicate = p;
    return p;
}

lbpy_predicate *lbpy_predicate_of(lbpy_state *state, lbpy_hint *hint)
{
    lbpy_predicate *p = find(state, hint);
    if (p == NULL && !PyErr_Occurred())
        p = make(state, hint);
    if (p)
        p->uses++;
    return p;
}

void lbpy_predicate_release(lbpy_predicate *p)
{
    if (p == NULL || --p->uses > 0)
        return;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *key = PyLong_FromVoidPtr(p->hint);
    if (key == NULL || PyDict_DelItem(p->state->predicates, key) < 0)
        PyErr_Clear();
    Py_XDECREF(key);
    p->hint = NULL;
    PyMem_Free(p->compared); /* its hint, if made again, gets another one */
    p->compared = NULL;
    p->compared_count = p->compared_room = 0;
    PyErr_Restore(type, value, traceback);
}

static void free_implied(const lb_predicate *const *implies)
{
    while (implies) {
        const lb_predicate *const *block = implies - 1;
        implies = (const lb_predicate *const *)(const void *)block[0];
        if (implies)
            implies++;
        PyMem_RawFree((void *)(uintptr_t)block);
    }
}

void lbpy_predicates_end(lbpy_state *state)
{
    lbpy_predicate *next;
    for (lbpy_predicate *p = state->first_predicate; p; p = next) {
        next = p->next;
        free_implied(p->given.implies);
        PyMem_Free(p->compared);
        PyMem_RawFree(p);
    }
    state->first_predicate = NULL;
    Py_CLEAR(state->predicates);
}
