/* method.c - `latebind._core.Method`.
 *
 * The front end reads a function's signature and hands it in as it lies in the
 * code object; here it is only stored and asked. Immutable but for its dict.
 */
#include "method.h"

#include "run.h"

#include <structmember.h>

/* ---- questions ---------------------------------------------------------- */

static PyObject *name_at(const lbpy_method *m, Py_ssize_t i)
{
    return PyTuple_GET_ITEM(m->names, i);
}

static bool same_name(PyObject *a, PyObject *b)
{
    return a == b || PyUnicode_Compare(a, b) == 0;
}

/* Where the parameter `name` is, among those that may be given by name; -1. */
static Py_ssize_t named(const lbpy_method *m, PyObject *name)
{
    const Py_ssize_t end = m->positional + m->keywords;
    for (Py_ssize_t i = m->positional_only; i < end; i++)
        if (same_name(name_at(m, i), name))
            return i >= m->positional &&
                           (m->next_bit >> (i - m->positional) & 1)
                       ? -1
                       : i;
    return -1;
}

bool lbpy_method_accepts(const lbpy_method *m, Py_ssize_t positional,
                         PyObject *kwnames)
{
    Py_ssize_t filled = positional;
    uint64_t given = m->next_bit;
    if (positional > m->positional && !m->has_rest)
        return false;
    for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); k++) {
        const Py_ssize_t i = named(m, PyTuple_GET_ITEM(kwnames, k));
        if (i < 0 && !m->has_others)
            return false;
        if (i >= 0 && i < positional && i < m->positional)
            return false;
        if (i >= 0 && i < m->required)
            filled++;
        if (i >= m->positional)
            given |= UINT64_C(1) << (i - m->positional);
    }
    return filled >= m->required && (m->keyword_required & ~given) == 0;
}

lbpy_hint *lbpy_method_hint(const lbpy_method *m, Py_ssize_t index,
                            Py_ssize_t positional, PyObject *kwnames)
{
    if (index < positional)
        return index < m->positional ? m->hints[index] : m->rest;
    const Py_ssize_t i =
        named(m, PyTuple_GET_ITEM(kwnames, index - positional));
    return i < 0 ? m->others : m->hints[i];
}

int lbpy_method_looseness(const lbpy_method *m, Py_ssize_t count)
{
    if (m->has_rest || m->has_others)
        return 2;
    return count != m->positional + m->keywords - (m->next_bit != 0);
}

/* Keyword-only parameters but for next_method. */
static Py_ssize_t own_keywords(const lbpy_method *m)
{
    return m->keywords - (m->next_bit != 0);
}

static bool is_next(const lbpy_method *m, Py_ssize_t i)
{
    return i >= m->positional && (m->next_bit >> (i - m->positional) & 1);
}

/* The other one's parameter for `a`'s number `i`: by place, or by name; -1. */
static Py_ssize_t counterpart(const lbpy_method *a, Py_ssize_t i,
                              const lbpy_method *b)
{
    if (i < a->positional)
        return i;
    for (Py_ssize_t k = b->positional; k < Py_SIZE(b); k++)
        if (same_name(name_at(a, i), name_at(b, k)))
            return k;
    return -1;
}

/* Does a name that both have stand at another place? Then calls by name tell
 * them apart. */
static bool permuted(const lbpy_method *a, const lbpy_method *b)
{
    for (Py_ssize_t i = 0; i < a->positional; i++)
        for (Py_ssize_t k = 0; k < b->positional; k++)
            if (i != k && i >= a->positional_only && k >= b->positional_only &&
                same_name(name_at(a, i), name_at(b, k)))
                return true;
    return false;
}

static bool same_form(const lbpy_method *a, const lbpy_method *b)
{
    return a->positional == b->positional && a->required == b->required &&
           own_keywords(a) == own_keywords(b) && a->has_rest == b->has_rest &&
           a->has_others == b->has_others && a->qualifier == b->qualifier;
}

bool lbpy_method_same(const lbpy_method *a, const lbpy_method *b)
{
    if (!same_form(a, b) || a->rest != b->rest || a->others != b->others)
        return false;
    for (Py_ssize_t i = 0; i < Py_SIZE(a); i++) {
        const Py_ssize_t k = is_next(a, i) ? i : counterpart(a, i, b);
        if (k < 0 || (!is_next(a, i) && a->hints[i] != b->hints[k]))
            return false;
    }
    return !permuted(a, b);
}

/* ---- what hints come to in rules ---------------------------------------- */

bool lbpy_method_narrower(const lbpy_state *state, const lbpy_method *a,
                          const lbpy_method *b)
{
    const Py_ssize_t rest_a = Py_SIZE(a), rest_b = Py_SIZE(b);
    lbpy_wants *const *of_a = lbpy_method_all_wants(a);
    lbpy_wants *const *of_b = lbpy_method_all_wants(b);
    if (!same_form(a, b) ||
        !lbpy_wants_below(state, of_a[rest_a], of_b[rest_b]) ||
        !lbpy_wants_below(state, of_a[rest_a + 1], of_b[rest_b + 1]))
        return false;
    for (Py_ssize_t i = 0; i < Py_SIZE(a); i++) {
        const Py_ssize_t k = is_next(a, i) ? -1 : counterpart(a, i, b);
        if (!is_next(a, i) &&
            (k < 0 || !lbpy_wants_below(state, of_a[i], of_b[k])))
            return false;
    }
    return true;
}

/* Python code that runs for it may come back here for the same method. */
int lbpy_method_prepare(lbpy_state *state, lbpy_method *m)
{
    const Py_ssize_t hints = Py_SIZE(m);
    lbpy_wants **all = lbpy_method_all_wants(m);
    for (Py_ssize_t i = 0; i < hints + 2; i++) {
        lbpy_hint *hint = i < hints    ? m->hints[i]
                          : i == hints ? m->rest
                                       : m->others;
        lbpy_wants *wants = all[i] ? NULL : lbpy_wants_of(state, hint);
        if (wants == NULL && all[i] == NULL)
            return -1;
        if (all[i])
            Py_XDECREF(wants);
        else
            all[i] = wants;
    }
    return 0;
}

const lbpy_wants *lbpy_method_wants(const lbpy_method *m, Py_ssize_t index,
                                    Py_ssize_t positional, PyObject *kwnames)
{
    lbpy_wants *const *all = lbpy_method_all_wants(m);
    if (index < positional)
        return all[index < m->positional ? index : Py_SIZE(m)];
    const Py_ssize_t i =
        named(m, PyTuple_GET_ITEM(kwnames, index - positional));
    return all[i < 0 ? Py_SIZE(m) + 1 : i];
}

Py_hash_t lbpy_method_key(const lbpy_method *m)
{
    uint64_t key =
        m->positional * 31u + m->qualifier * 7u + (uint64_t)own_keywords(m);
    for (Py_ssize_t i = 0; i < m->positional; i++)
        key = (key ^ (uint64_t)(uintptr_t)m->hints[i]) * 0x9E3779B97F4A7C15u;
    return (Py_hash_t)((key ^ key >> 32) >> 1);
}

/* ---- making ------------------------------------------------------------- */

static lbpy_method *new_method(lbpy_state *state, Py_ssize_t hints)
{
    lbpy_method *m = (lbpy_method *)state->method_type->tp_alloc(
        state->method_type, 2 * hints + 2);
    if (m == NULL)
        return NULL;
    Py_SET_SIZE(m, hints);
    m->descriptor = (lb_method){.abi = LB_ABI,
                                .flags = LB_BOXED,
                                .name = "?",
                                .fn = (lb_fn)lbpy_run_boxed};
    return m;
}

/* A hint or None, as a strong pointer or NULL in *to; 0, or -1. */
static int take_hint(lbpy_state *state, PyObject *from, lbpy_hint **to,
                     const char *what)
{
    if (from == Py_None)
        return 0;
    if (!Py_IS_TYPE(from, state->hint_type)) {
        PyErr_Format(PyExc_TypeError,
                     "Method: %s must be a Hint or None, got %R", what, from);
        return -1;
    }
    if (((lbpy_hint *)from)->kind != LBPY_ANY)
        *to = (lbpy_hint *)Py_NewRef(from);
    return 0;
}

static int take_hints(lbpy_state *state, lbpy_method *m, PyObject *hints)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(hints); i++)
        if (take_hint(state, PyTuple_GET_ITEM(hints, i), &m->hints[i],
                      "each of hints") < 0)
            return -1;
    return 0;
}

static PyObject *qualified_name(PyObject *function)
{
    return PyFunction_Check(function)
               ? Py_NewRef(((PyFunctionObject *)function)->func_qualname)
               : PyObject_GetAttrString(function, "__qualname__");
}

/* The engine's reports call a method by its function's name. */
static void name_method(lbpy_method *m)
{
    m->label = qualified_name(m->function);
    const char *text = m->label && PyUnicode_Check(m->label)
                           ? PyUnicode_AsUTF8(m->label)
                           : NULL;
    PyErr_Clear();
    m->descriptor.name = text ? text : "method";
}

/* What the front end hands in; all borrowed. */
typedef struct given {
    PyObject *function, *names, *hints, *rest, *others;
    int positional, posonly, required, qualifier, propagate;
    int commutative, converts;
    unsigned long long keyword_required, next_bit;
} given;

static int read_given(PyObject *args, PyObject *kwds, given *g)
{
    static char *names[] = {"function",         "names",     "hints",
                            "positional",       "posonly",   "required",
                            "keyword_required", "next_bit",  "rest",
                            "others",           "qualifier", "propagate",
                            "commutative",      "converts",  NULL};
    *g = (given){.rest = Py_False, .others = Py_False};
    return PyArg_ParseTupleAndKeywords(
               args, kwds, "OO!O!i|iiKKOOiipp:Method", names, &g->function,
               &PyTuple_Type, &g->names, &PyTuple_Type, &g->hints,
               &g->positional, &g->posonly, &g->required, &g->keyword_required,
               &g->next_bit, &g->rest, &g->others, &g->qualifier, &g->propagate,
               &g->commutative, &g->converts)
               ? 0
               : -1;
}

static bool numbers_fit(const given *g)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(g->hints);
    return g->positional >= 0 && g->posonly >= 0 &&
           g->posonly <= g->positional && g->required >= 0 &&
           g->required <= g->positional && count >= g->positional &&
           count <= PyTuple_GET_SIZE(g->names) && count - g->positional <= 63 &&
           g->positional <= 255 && g->qualifier >= 0 &&
           g->qualifier <= LB_AROUND && g->propagate >= 0 &&
           g->propagate <= LB_AT_END;
}

static int check_given(const given *g)
{
    if (!numbers_fit(g)) {
        PyErr_Format(PyExc_ValueError,
                     "%R: at most 255 positional and 63 keyword-only "
                     "parameters are possible, and the numbers must fit "
                     "each other",
                     g->function);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(g->hints); i++)
        if (!PyUnicode_Check(PyTuple_GET_ITEM(g->names, i))) {
            PyErr_SetString(PyExc_TypeError, "Method: names must be strings");
            return -1;
        }
    return 0;
}

static int take_given(lbpy_state *state, lbpy_method *m, const given *g)
{
    m->function = Py_NewRef(g->function);
    m->names = Py_NewRef(g->names);
    m->positional = (uint16_t)g->positional;
    m->positional_only = (uint16_t)g->posonly;
    m->required = (uint16_t)g->required;
    m->keywords = (uint16_t)(PyTuple_GET_SIZE(g->hints) - g->positional);
    m->keyword_required = g->keyword_required & ~g->next_bit;
    m->next_bit = g->next_bit;
    m->has_rest = g->rest != Py_False;
    m->has_others = g->others != Py_False;
    m->qualifier = (uint8_t)g->qualifier;
    m->propagate = (uint8_t)g->propagate;
    m->commutative = g->commutative != 0;
    m->converts = g->converts != 0;
    name_method(m);
    if (take_hints(state, m, g->hints) < 0 ||
        (m->has_rest && take_hint(state, g->rest, &m->rest, "rest") < 0))
        return -1;
    return m->has_others ? take_hint(state, g->others, &m->others, "others")
                         : 0;
}

static PyObject *method_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    given g;
    if (read_given(args, kwds, &g) < 0 || check_given(&g) < 0)
        return NULL;
    lbpy_state *state = lbpy_state_of_type(type);
    lbpy_method *m = new_method(state, PyTuple_GET_SIZE(g.hints));
    if (m && take_given(state, m, &g) < 0)
        Py_CLEAR(m);
    return (PyObject *)m;
}

lbpy_method *lbpy_method_bundle(lbpy_state *state, PyObject *methods,
                                uint64_t ties)
{
    lbpy_method *m = new_method(state, 0);
    if (m == NULL) {
        Py_DECREF(methods);
        return NULL;
    }
    const lbpy_method *first = (lbpy_method *)PyTuple_GET_ITEM(methods, 0);
    m->tied = methods;
    m->ties = ties;
    m->ambiguous = ties & 1;
    m->function = Py_NewRef(Py_None);
    m->names = PyTuple_New(0);
    m->qualifier = first->qualifier;
    m->propagate = first->propagate;
    m->commutative = first->commutative;
    m->label = Py_XNewRef(first->label);
    m->descriptor.name = first->descriptor.name;
    if (m->names == NULL)
        Py_CLEAR(m);
    return m;
}

/* ---- the type ----------------------------------------------------------- */

static int method_traverse(PyObject *self, visitproc visit, void *arg)
{
    lbpy_method *m = (lbpy_method *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(m->function);
    Py_VISIT(m->names);
    Py_VISIT(m->dict);
    Py_VISIT(m->label);
    Py_VISIT(m->rest);
    Py_VISIT(m->others);
    Py_VISIT(m->tied);
    for (Py_ssize_t i = 0; i < Py_SIZE(m) + 2; i++)
        Py_VISIT(lbpy_method_all_wants(m)[i]);
    for (Py_ssize_t i = 0; i < Py_SIZE(m); i++)
        Py_VISIT(m->hints[i]);
    return 0;
}

static int method_clear(PyObject *self)
{
    lbpy_method *m = (lbpy_method *)self;
    Py_CLEAR(m->dict);
    /* All else stays: a rule may name the method until its generic function is
     * cleared, too; they go with it. */
    return 0;
}

static void method_dealloc(PyObject *self)
{
    lbpy_method *m = (lbpy_method *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (m->weak)
        PyObject_ClearWeakRefs(self);
    method_clear(self);
    for (Py_ssize_t i = 0; i < Py_SIZE(m) + 2; i++)
        Py_XDECREF(lbpy_method_all_wants(m)[i]);
    for (Py_ssize_t i = 0; i < Py_SIZE(m); i++)
        Py_XDECREF(m->hints[i]);
    Py_XDECREF(m->rest);
    Py_XDECREF(m->others);
    Py_XDECREF(m->names);
    Py_XDECREF(m->label);
    Py_XDECREF(m->tied);
    Py_XDECREF(m->function);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *or_false(bool has, lbpy_hint *hint)
{
    if (!has)
        Py_RETURN_FALSE;
    return Py_NewRef(hint ? (PyObject *)hint : Py_None);
}

static PyObject *get_rest(PyObject *self, void *closure)
{
    (void)closure;
    return or_false(((lbpy_method *)self)->has_rest,
                    ((lbpy_method *)self)->rest);
}

static PyObject *get_others(PyObject *self, void *closure)
{
    (void)closure;
    return or_false(((lbpy_method *)self)->has_others,
                    ((lbpy_method *)self)->others);
}

/* As they were given: a tuple of hints and Nones. */
static PyObject *get_hints(PyObject *self, void *closure)
{
    const lbpy_method *m = (lbpy_method *)self;
    (void)closure;
    PyObject *hints = PyTuple_New(Py_SIZE(m));
    for (Py_ssize_t i = 0; hints && i < Py_SIZE(m); i++)
        PyTuple_SET_ITEM(
            hints, i,
            Py_NewRef(m->hints[i] ? (PyObject *)m->hints[i] : Py_None));
    return hints;
}

static PyObject *get_names(PyObject *self, void *closure)
{
    const lbpy_method *m = (lbpy_method *)self;
    (void)closure;
    return PyTuple_GetSlice(m->names, 0, Py_SIZE(m));
}

static PyGetSetDef method_getset[] = {
    {"parameter_hints", get_hints, NULL,
     "Hints of the positional and the keyword-only parameters; None: any.",
     NULL},
    {"parameter_names", get_names, NULL, "Names of the same parameters.", NULL},
    {"rest", get_rest, NULL,
     "Hint of *args, None: any, False: there is no such parameter.", NULL},
    {"others", get_others, NULL, "The same for **kwargs.", NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef method_members[] = {
    {"function", T_OBJECT_EX, offsetof(lbpy_method, function), READONLY,
     "What is called."},
    {"tied", T_OBJECT, offsetof(lbpy_method, tied), READONLY,
     "The methods between which nothing decides, or None."},
    {"positional", T_USHORT, offsetof(lbpy_method, positional), READONLY,
     "How many parameters may be given by position."},
    {"positional_only", T_USHORT, offsetof(lbpy_method, positional_only),
     READONLY, "How many of them only so."},
    {"required", T_USHORT, offsetof(lbpy_method, required), READONLY,
     "How many of them have no default."},
    {"keyword_required", T_ULONGLONG, offsetof(lbpy_method, keyword_required),
     READONLY, "Bit i: keyword-only parameter i has no default."},
    {"next_bit", T_ULONGLONG, offsetof(lbpy_method, next_bit), READONLY,
     "The bit of the keyword-only parameter next_method, or 0."},
    {"commutative", T_BOOL, offsetof(lbpy_method, commutative), READONLY,
     "Also applicable with its first two arguments exchanged."},
    {"converts", T_BOOL, offsetof(lbpy_method, converts), READONLY,
     "Its result is converted to its return annotation."},
    {"qualifier_code", T_UBYTE, offsetof(lbpy_method, qualifier), READONLY,
     "0 primary, 1 before, 2 after, 3 around."},
    {"propagate_code", T_UBYTE, offsetof(lbpy_method, propagate), READONLY,
     "0 none, 1 at start, 2 at end."},
    {"__dictoffset__", T_PYSSIZET, offsetof(lbpy_method, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(lbpy_method, weak), READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot method_slots[] = {
    {Py_tp_doc, "One implementation of a generic function."},
    {Py_tp_new, method_new},
    {Py_tp_dealloc, method_dealloc},
    {Py_tp_traverse, method_traverse},
    {Py_tp_clear, method_clear},
    {Py_tp_getset, method_getset},
    {Py_tp_members, method_members},
    {0, NULL},
};

static PyType_Spec method_spec = {
    .name = "latebind._core.Method",
    .basicsize = sizeof(lbpy_method),
    .itemsize = sizeof(lbpy_hint *),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = method_slots,
};

int lbpy_method_setup(PyObject *module, lbpy_state *state)
{
    if (lbpy_wants_setup(module, state) < 0)
        return -1;
    state->method_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &method_spec, NULL);
    return state->method_type ? PyModule_AddType(module, state->method_type)
                              : -1;
}
