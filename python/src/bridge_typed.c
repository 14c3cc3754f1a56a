/* bridge_typed.c - typed generic functions of C as callables.
 *
 *   1. The signature's text is read once: a C type per parameter and result.
 *   2. A call converts its arguments (bridge_type.c), enters a frame, calls
 *      lb_invoke, and converts the result.
 *   3. An exception that a method in Python left in the frame is raised
 * instead. A callable is kept as long as the module, and with it the methods in
 * Python that were registered with it.
 *
 * Results of a class with `retain` are uses of the caller's in both directions;
 * `PyObject *` results are new references.
 */
#include "bridge.h"

#include <string.h>

/* ---- results ------------------------------------------------------------ */

static const lbpy_class *shared(lbpy_state *state, PyObject *object)
{
    return lbpy_is_object(state, object) &&
                   ((lbpy_object *)object)->tie == LBPY_TIE_SHARED
               ? (lbpy_class *)Py_TYPE(object)
               : NULL;
}

/* What C gave. */
static PyObject *take_result(lbpy_typed *typed, const lb_value *value)
{
    lbpy_state *state = typed->state;
    if (typed->result.code == LBPY_C_PYTHON) {
        if (value->pointer == NULL && !PyErr_Occurred())
            PyErr_Format(PyExc_SystemError,
                         "%U: a method in C returned NULL without an exception",
                         typed->name);
        return value->pointer;
    }
    PyObject *result =
        lbpy_from_c(state, &typed->result, value, LBPY_TIE_BORROWED, NULL);
    const lbpy_class *type = result ? shared(state, result) : NULL;
    if (type && type->hooks.release)
        type->hooks.release(((lbpy_object *)result)->pointer);
    return result;
}

/* Would the object end with `answer`? */
static bool dies(lbpy_state *state, PyObject *answer)
{
    if (Py_REFCNT(answer) > 1)
        return false;
    return !lbpy_is_object(state, answer) ||
           ((lbpy_object *)answer)->tie == LBPY_TIE_OWNED;
}

static int give_object(lbpy_typed *typed, PyObject *answer)
{
    const lbpy_class *type = shared(typed->state, answer);
    if (type && type->hooks.retain)
        type->hooks.retain(((lbpy_object *)answer)->pointer);
    else if (dies(typed->state, answer)) {
        PyErr_Format(PyExc_ValueError,
                     "%U: the result would end with the call, since nothing "
                     "else holds the %s",
                     typed->name, Py_TYPE(answer)->tp_name);
        return -1;
    }
    return 0;
}

/* The text is kept, once, for as long as the callable. */
static PyObject *keep_text(lbpy_typed *typed, PyObject *text)
{
    if (typed->texts == NULL && (typed->texts = PyDict_New()) == NULL)
        return NULL;
    return PyDict_SetDefault(typed->texts, text, text);
}

int lbpy_typed_answer(lbpy_typed *typed, PyObject *answer, lb_value *result)
{
    const lbpy_where where = {typed->name, 0, false};
    lb_value value;
    lb_ref room;
    if (typed->result.code == LBPY_C_TEXT && PyUnicode_CheckExact(answer) &&
        (answer = keep_text(typed, answer)) == NULL)
        return -1;
    if (lbpy_to_c(typed->state, &typed->result, answer, &where, &value, &room) <
        0)
        return -1;
    if (typed->result.code == LBPY_C_PYTHON)
        Py_INCREF(answer);
    if ((typed->result.code == LBPY_C_OBJECT ||
         typed->result.code == LBPY_C_REF) &&
        answer != Py_None && give_object(typed, answer) < 0)
        return -1;
    if (typed->result.code == LBPY_C_REF)
        memcpy(result->pointer, &room, sizeof room);
    else
        *result = value;
    return 0;
}

/* ---- calls -------------------------------------------------------------- */

static bool is_dispatched(const lbpy_typed *typed, unsigned parameter)
{
    for (unsigned i = 0; i < typed->signature->dispatched; i++)
        if (typed->dispatched[i] == parameter)
            return true;
    return false;
}

int lbpy_typed_pack(lbpy_typed *typed, PyObject *const *args, Py_ssize_t count,
                    lbpy_packed *packed)
{
    const unsigned wanted = typed->signature->parameters;
    if (count != (Py_ssize_t)wanted) {
        PyErr_Format(PyExc_TypeError, "%U() takes %u arguments, %zd given",
                     typed->name, wanted, count);
        return -1;
    }
    for (unsigned i = 0; i < wanted; i++) {
        const lbpy_where where = {typed->name, (int)i + 1,
                                  is_dispatched(typed, i)};
        if (lbpy_to_c(typed->state, &typed->parameters[i], args[i], &where,
                      &packed->values[i], &packed->room[i]) < 0)
            return -1;
    }
    return 0;
}

static PyObject *finish(lbpy_typed *typed, const lbpy_frame *frame,
                        lb_status status, const lb_value *result)
{
    PyObject *answer = NULL;
    if (PyErr_Occurred()) { /* a method in C set it */
        if (typed->result.code == LBPY_C_PYTHON)
            Py_XDECREF((PyObject *)result->pointer);
    } else if (status == LB_OK && (frame->type == NULL || result->bits)) {
        answer = take_result(typed, result);
    } else if (status != LB_OK && frame->type == NULL) {
        lbpy_raise_call(status);
    }
    return answer;
}

/* *chosen: whether there was a method to call. */
static PyObject *run(lbpy_typed *typed, const lb_entry *entry,
                     const lbpy_packed *packed, bool *chosen)
{
    const size_t count = typed->signature->parameters;
    lbpy_frame frame;
    lb_ref room;
    lb_value result = {0};
    memset(&room, 0, sizeof room);
    if (typed->signature->result_size > sizeof result)
        result.pointer = &room;
    if (lbpy_frame_begin(typed->state, &frame) < 0)
        return NULL;
    const lb_status status =
        entry ? lb_invoke_next(entry, count, packed->values, &result)
              : lb_invoke(typed->generic, count, packed->values, &result);
    *chosen = status != LB_NO_METHOD && status != LB_AMBIGUOUS;
    PyObject *answer = finish(typed, &frame, status, &result);
    if (lbpy_frame_end(typed->state, &frame) < 0)
        Py_CLEAR(answer);
    return answer;
}

static PyObject *run_guarded(lbpy_typed *typed, const lb_entry *entry,
                             const lbpy_packed *packed, bool *chosen)
{
    *chosen = true;
    if (Py_EnterRecursiveCall(" in a generic function"))
        return NULL;
    PyObject *answer = run(typed, entry, packed, chosen);
    Py_LeaveRecursiveCall();
    return answer;
}

PyObject *lbpy_typed_invoke(lbpy_typed *typed, const lb_entry *entry,
                            const lbpy_packed *packed)
{
    bool chosen;
    return run_guarded(typed, entry, packed, &chosen);
}

/* Says in attributes what the message says in words. */
static void annotate(lbpy_typed *typed, PyObject *const *args, Py_ssize_t count)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *types = PyTuple_New(count);
    PyObject *none = PyTuple_New(0);
    for (Py_ssize_t i = 0; types && i < count; i++)
        PyTuple_SET_ITEM(types, i, Py_NewRef((PyObject *)Py_TYPE(args[i])));
    if (types == NULL || none == NULL || value == NULL ||
        PyObject_SetAttrString(value, "generic", (PyObject *)typed) < 0 ||
        PyObject_SetAttrString(value, "types", types) < 0 ||
        PyObject_SetAttrString(value, "nearest", none) < 0 ||
        PyObject_SetAttrString(value, "candidates", none) < 0)
        PyErr_Clear();
    Py_XDECREF(types);
    Py_XDECREF(none);
    PyErr_Restore(type, value, traceback);
}

PyObject *lbpy_typed_call(PyObject *self, PyObject *const *args, size_t nargsf,
                          PyObject *kwnames)
{
    lbpy_typed *typed = (lbpy_typed *)self;
    const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    lbpy_packed packed;
    if (kwnames && PyTuple_GET_SIZE(kwnames))
        return PyErr_Format(PyExc_TypeError, "%U() takes no keyword arguments",
                            typed->name);
    if (lbpy_typed_pack(typed, args, count, &packed) < 0)
        return NULL;
    bool chosen;
    PyObject *result = run_guarded(typed, NULL, &packed, &chosen);
    if (!chosen)
        annotate(typed, args, count);
    return result;
}

int lbpy_typed_classes(lbpy_typed *typed, const lbpy_packed *packed,
                       lb_class **classes, lb_value *values)
{
    lb_argument arguments[LB_MAX_DISPATCH];
    typed->signature->arguments(packed->values, arguments);
    for (unsigned i = 0; i < typed->signature->dispatched; i++) {
        classes[i] = arguments[i].head
                         ? lb_class_of(typed->state->runtime, arguments[i].head)
                         : NULL;
        values[i] = arguments[i].value;
        if (classes[i] == NULL) {
            PyErr_Format(PyExc_TypeError,
                         "%U: argument %u is of no living class", typed->name,
                         typed->dispatched[i] + 1);
            return -1;
        }
    }
    return 0;
}

static PyObject *typed_explain(PyObject *self, PyObject *const *args,
                               Py_ssize_t nargs)
{
    lbpy_typed *typed = (lbpy_typed *)self;
    lbpy_packed packed;
    lb_class *classes[LB_MAX_DISPATCH];
    lb_value values[LB_MAX_DISPATCH];
    lb_explanation *e = NULL;
    if (lbpy_typed_pack(typed, args, nargs, &packed) < 0 ||
        lbpy_typed_classes(typed, &packed, classes, values) < 0)
        return NULL;
    const lb_status status = lb_explain(
        typed->generic, typed->signature->dispatched, classes, values, &e);
    if (status != LB_OK)
        return lbpy_raise_call(status);
    PyObject *text = PyUnicode_FromString(e->text);
    lb_explanation_free(e);
    return text;
}

/* ---- the signature ------------------------------------------------------ */

static int unknown(const char *name, const char *text, size_t length)
{
    PyObject *type = PyUnicode_FromStringAndSize(text, (Py_ssize_t)length);
    if (type)
        PyErr_Format(PyExc_TypeError,
                     "%s: values of the C type '%U' cannot be converted; there "
                     "are integers, float, double, bool, const char *, "
                     "PyObject *, lb_ref, pointers to structs of exposed "
                     "classes (lbpy_class_spec.c_type), and what name_c_type "
                     "was told",
                     name, type);
    Py_XDECREF(type);
    return -1;
}

static int read_type(lbpy_typed *typed, const char *text, size_t length,
                     lbpy_c_type *type)
{
    while (length && *text == ' ') {
        text++;
        length--;
    }
    while (length && text[length - 1] == ' ')
        length--;
    const int known = lbpy_c_type_read(typed->state, text, length, type);
    return known > 0   ? 0
           : known < 0 ? -1
                       : unknown(typed->signature->name, text, length);
}

/* "R (T, T, ...)" */
static int read_signature(lbpy_typed *typed)
{
    const lb_signature *s = typed->signature;
    const char *open = s->text ? strchr(s->text, '(') : NULL;
    if (open == NULL)
        return unknown(s->name, "?", 1);
    if (read_type(typed, s->text, (size_t)(open - s->text), &typed->result) < 0)
        return -1;
    const char *at = open + 1;
    for (unsigned i = 0; i < s->parameters; i++) {
        const size_t length = strcspn(at, ",)");
        if (read_type(typed, at, length, &typed->parameters[i]) < 0)
            return -1;
        if (typed->parameters[i].code == LBPY_C_VOID)
            return unknown(s->name, at, length);
        at += length + (at[length] != 0);
    }
    return 0;
}

static int given_dispatch(lbpy_typed *typed, const unsigned *given)
{
    const lb_signature *s = typed->signature;
    for (unsigned i = 0; i < s->dispatched; i++) {
        if (given[i] >= s->parameters || (i && given[i] <= given[i - 1])) {
            PyErr_Format(PyExc_ValueError,
                         "%s: dispatched[%u] is %u; want parameters below %u, "
                         "in order",
                         s->name, i, given[i], s->parameters);
            return -1;
        }
        typed->dispatched[i] = given[i];
    }
    return 0;
}

static int find_dispatch(lbpy_typed *typed, const unsigned *given)
{
    const lb_signature *s = typed->signature;
    unsigned found = 0;
    if (given)
        return given_dispatch(typed, given);
    for (unsigned i = 0; i < s->parameters; i++) {
        const lbpy_code code = typed->parameters[i].code;
        if (code != LBPY_C_OBJECT && code != LBPY_C_REF)
            continue;
        if (found < s->dispatched)
            typed->dispatched[found] = i;
        found++;
    }
    if (found == s->dispatched)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "%s %s: %u parameters are dispatched on, but %u are objects "
                 "or references; say which by lbpy_typed_spec.dispatched",
                 s->name, s->text, s->dispatched, found);
    return -1;
}

/* ---- making ------------------------------------------------------------- */

static int describe(lbpy_typed *typed, const lbpy_typed_spec *spec)
{
    const lb_signature *s = typed->signature;
    typed->name = PyUnicode_FromString(s->name);
    typed->dict = PyDict_New();
    PyObject *module =
        PyUnicode_FromString(spec->module ? spec->module : "latebind");
    if (typed->dict && module &&
        PyDict_SetItemString(typed->dict, "__module__", module) < 0)
        Py_CLEAR(typed->dict);
    Py_XDECREF(module);
    typed->doc = spec->doc ? PyUnicode_FromString(spec->doc)
                           : PyUnicode_FromFormat("%s: %s", s->name, s->text);
    return typed->name && typed->dict && typed->doc ? 0 : -1;
}

static lbpy_typed *new_typed(lbpy_state *state, lb_generic *generic,
                             const lbpy_typed_spec *spec)
{
    PyTypeObject *type = state->bridge->typed_type;
    lbpy_typed *typed = (lbpy_typed *)type->tp_alloc(type, 0);
    if (typed == NULL)
        return NULL;
    typed->vectorcall = lbpy_typed_call;
    typed->state = lbpy_state_hold(state);
    typed->generic = generic;
    typed->signature = lb_generic_head(generic)->signature;
    if (describe(typed, spec) < 0 || read_signature(typed) < 0 ||
        find_dispatch(typed, spec->dispatched) < 0)
        Py_CLEAR(typed);
    return typed;
}

static int check_generic(const lbpy_state *state, lb_generic *generic)
{
    if (generic == NULL)
        PyErr_SetString(PyExc_ValueError, "the generic function is NULL");
    else if (lb_generic_runtime(generic) != state->runtime)
        PyErr_Format(PyExc_RuntimeError,
                     "%s is bound to the runtime of another interpreter; a "
                     "head has one at a time: make another generic function "
                     "here by lb_generic_create",
                     lb_generic_head(generic)->signature->name);
    else if (lb_generic_head(generic)->signature->parameters == 0)
        PyErr_SetString(PyExc_TypeError,
                        "a generic function with a C signature is wanted");
    else if (state->bridge->kept == NULL)
        PyErr_SetString(PyExc_RuntimeError, "the interpreter is ending");
    else
        return 0;
    return -1;
}

PyObject *lbpy_typed_of(lbpy_state *state, lb_generic *generic,
                        const lbpy_typed_spec *given)
{
    const lbpy_typed_spec none = {0}, *spec = given ? given : &none;
    lbpy_bridge *bridge = state->bridge;
    if (check_generic(state, generic) < 0)
        return NULL;
    lbpy_typed *typed = lbpy_map_get(&bridge->typed, generic);
    if (typed)
        return Py_NewRef((PyObject *)typed);
    typed = new_typed(state, generic, spec);
    if (typed && (lbpy_map_put(&bridge->typed, generic, typed) < 0 ||
                  PyList_Append(bridge->kept, (PyObject *)typed) < 0))
        Py_CLEAR(typed);
    return (PyObject *)typed;
}

PyObject *lbpy_typed_bind(lbpy_state *state, lb_head *head,
                          const lbpy_typed_spec *spec)
{
    if (head == NULL)
        return PyErr_Format(PyExc_ValueError, "the head is NULL");
    if (__atomic_load_n(&head->generic, __ATOMIC_ACQUIRE) == NULL) {
        const lb_status status =
            lb_bind(state->runtime, head, spec ? spec->policy : NULL);
        if (status != LB_OK)
            return lbpy_raise_call(status);
    }
    return lbpy_typed_of(
        state, __atomic_load_n(&head->generic, __ATOMIC_ACQUIRE), spec);
}

/* ---- the type ----------------------------------------------------------- */

static PyObject *typed_methods(PyObject *self, void *closure)
{
    const lbpy_typed *typed = (lbpy_typed *)self;
    (void)closure;
    PyObject *all = PyTuple_New((Py_ssize_t)typed->count);
    for (size_t i = 0; all && i < typed->count; i++)
        PyTuple_SET_ITEM(all, (Py_ssize_t)i,
                         Py_NewRef(typed->methods[i]->method));
    return all;
}

static PyObject *typed_signature(PyObject *self, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(((lbpy_typed *)self)->signature->text);
}

static PyObject *typed_repr(PyObject *self)
{
    const lbpy_typed *typed = (lbpy_typed *)self;
    return PyUnicode_FromFormat("<generic function %U in C: %s>", typed->name,
                                typed->signature->text);
}

static int typed_traverse(PyObject *self, visitproc visit, void *arg)
{
    const lbpy_typed *typed = (lbpy_typed *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(typed->dict);
    Py_VISIT(typed->texts);
    Py_VISIT(typed->result.cls);
    for (unsigned i = 0; i < LB_MAX_PARAMETERS; i++)
        Py_VISIT(typed->parameters[i].cls);
    for (size_t i = 0; i < typed->count; i++) {
        const int status = lbpy_rule_traverse(typed->methods[i], visit, arg);
        if (status)
            return status;
    }
    return 0;
}

static int typed_clear(PyObject *self)
{
    lbpy_typed *typed = (lbpy_typed *)self;
    while (typed->count)
        lbpy_rule_end(typed->methods[--typed->count]);
    return 0;
}

static void typed_dealloc(PyObject *self)
{
    lbpy_typed *typed = (lbpy_typed *)self;
    PyTypeObject *type = Py_TYPE(self);
    lbpy_state *state = typed->state;
    PyObject_GC_UnTrack(self);
    if (typed->weak)
        PyObject_ClearWeakRefs(self);
    typed_clear(self);
    if (typed->generic &&
        lbpy_map_get(&state->bridge->typed, typed->generic) == typed)
        lbpy_map_take(&state->bridge->typed, typed->generic);
    PyMem_Free(typed->methods);
    Py_XDECREF(typed->texts);
    Py_XDECREF(typed->name);
    Py_XDECREF(typed->doc);
    Py_XDECREF(typed->dict);
    Py_XDECREF(typed->result.cls);
    for (unsigned i = 0; i < LB_MAX_PARAMETERS; i++)
        Py_XDECREF(typed->parameters[i].cls);
    type->tp_free(self);
    Py_DECREF(type);
    lbpy_state_release(state);
}

static PyMethodDef typed_functions[] = {
    {"register", (PyCFunction)(void (*)(void))lbpy_typed_register,
     METH_FASTCALL | METH_KEYWORDS,
     "Adds a method: `@f.register` by its annotations, `@f.register(T1, T2)` "
     "by "
     "types,\nor f.register(T1, T2, function). Returns the function. Keywords: "
     "qualifier=\nor before=, after=, around=True."},
    {"remove", lbpy_typed_remove, METH_VARARGS,
     "Takes a method away: by itself, by its function, or by its types."},
    {"explain", (PyCFunction)(void (*)(void))typed_explain, METH_FASTCALL,
     "Which method f(*args) would run, why, and what comes next; a text."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef typed_getset[] = {
    {"methods", typed_methods, NULL,
     "The methods in Python that were registered here.", NULL},
    {"signature_text", typed_signature, NULL, "Its C types.", NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef typed_members[] = {
    {"__name__", T_OBJECT, offsetof(lbpy_typed, name), READONLY, NULL},
    {"__qualname__", T_OBJECT, offsetof(lbpy_typed, name), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(lbpy_typed, dict), READONLY, NULL},
    {"__doc__", T_OBJECT, offsetof(lbpy_typed, doc), READONLY, NULL},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lbpy_typed, vectorcall),
     READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(lbpy_typed, weak), READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot typed_slots[] = {
    {Py_tp_dealloc, typed_dealloc},
    {Py_tp_traverse, typed_traverse},
    {Py_tp_clear, typed_clear},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, typed_repr},
    {Py_tp_methods, typed_functions},
    {Py_tp_getset, typed_getset},
    {Py_tp_members, typed_members},
    {0, NULL},
};

static PyType_Spec typed_spec = {
    .name = "latebind._core.TypedGenericFunction",
    .basicsize = sizeof(lbpy_typed),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = typed_slots,
};

int lbpy_typed_setup(PyObject *module, lbpy_state *state)
{
    return lbpy_make_type(module, &typed_spec, &state->bridge->typed_type) < 0
               ? -1
               : PyModule_AddType(module, state->bridge->typed_type);
}
