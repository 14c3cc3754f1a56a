/* bridge_boxed.c - methods in C of generic functions that Python made.
 *
 * A method in C is a callable like a function, with arguments and result handed
 * on as they are; so it is a Method like others: it survives when the forms are
 * made anew, it is listed, removed, explained. For the time of a call it gets
 * an entry of the engine's on the stack, whose next method is the call's
 * next_method, in whichever language that is.
 *
 * For callers in C each generic function of Python may have an *entrance*: an
 * engine's generic function with one method, for any arguments, that makes the
 * call in Python. (Those of its forms take dispatched arguments only.)
 *
 * A call that comes from the engine of a form (lbpy_run_boxed in run.c) needs
 * the generic function back: all of them are linked from the state.
 */
#include "bridge.h"

#include <string.h>

/* ---- callables ---------------------------------------------------------- */

typedef struct lbpy_c_method {
    PyObject_HEAD vectorcallfunc vectorcall;
    lbpy_state *state; /* held */
    const lb_method *method;
    void *context;
    void (*release)(void *context);
    PyObject *doc; /* str or NULL */
    PyObject *weak;
    bool wants_next;
} lbpy_c_method;

enum { FEW = 8 };

/* What lb_invoke_next comes to: the entry's context is next_method. */
static lb_status run_next(lb_slot slot, size_t argc, const lb_value *argv,
                          lb_value *result)
{
    PyObject *next = lb_load_entry(slot)->context;
    PyObject *few[FEW + 1], *answer = NULL;
    PyObject **args =
        argc <= FEW ? few : PyMem_Malloc((argc + 1) * sizeof *args);
    if (args == NULL) {
        PyErr_NoMemory();
        return lb_fail_with(LB_NO_MEMORY, "no memory for the arguments");
    }
    for (size_t i = 0; i < argc; i++)
        args[i + 1] = argv[i].pointer;
    if (next)
        answer = PyObject_Vectorcall(
            next, args + 1, argc | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    else
        PyErr_SetString(PyExc_SystemError,
                        "lb_invoke_next in a method that was added without "
                        "wants_next");
    if (args != few)
        PyMem_Free(args);
    result->pointer = answer;
    return answer ? LB_OK
                  : lb_fail_with(LB_METHOD_FAILED, "the next method failed");
}

static PyObject *result_of(const lbpy_c_method *c, lb_status status,
                           PyObject *result)
{
    if (status != LB_OK)
        return lbpy_raise_call(status);
    if (result && PyErr_Occurred())
        Py_CLEAR(result);
    else if (result == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_SystemError,
                     "the method %s in C returned NULL without an exception",
                     c->method->name);
    return result;
}

static PyObject *call(const lbpy_c_method *c, PyObject *next,
                      const lb_value *values, size_t count)
{
    lb_generic *generic = c->state->bridge->boxed;
    const int more = next ? PyObject_IsTrue(next) : 0;
    lb_value result = {0};
    lb_entry after = {.next_fn = (lb_fn)run_next,
                      .fn = (lb_fn)run_next,
                      .context = next,
                      .status = more > 0 ? LB_OK : LB_NO_NEXT_METHOD,
                      .generic = generic};
    after.next = &after;
    const lb_entry self = {.method = c->method,
                           .next = &after,
                           .next_fn = (lb_fn)run_next,
                           .context = c->context,
                           .fn = c->method->fn,
                           .generic = generic};
    const lb_entry *word = &self;
    if (more < 0)
        return NULL;
    const lb_status status =
        ((lb_boxed_fn)c->method->fn)(&word, count, values, &result);
    return result_of(c, status, result.pointer);
}

static PyObject *c_method_call(PyObject *self, PyObject *const *args,
                               size_t nargsf, PyObject *kwnames)
{
    const lbpy_c_method *c = (lbpy_c_method *)self;
    const size_t count = (size_t)PyVectorcall_NARGS(nargsf);
    const Py_ssize_t names = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    lb_value few[FEW];
    if (names > 1 ||
        (names && (!c->wants_next ||
                   PyUnicode_CompareWithASCIIString(
                       PyTuple_GET_ITEM(kwnames, 0), "next_method") != 0)))
        return PyErr_Format(PyExc_TypeError, "%s() takes no keyword arguments",
                            c->method->name);
    lb_value *values =
        count <= FEW ? few : PyMem_Malloc(count * sizeof *values);
    if (values == NULL)
        return PyErr_NoMemory();
    for (size_t i = 0; i < count; i++)
        values[i] = lb_pointer(args[i]);
    PyObject *result = call(c, names ? args[count] : NULL, values, count);
    if (values != few)
        PyMem_Free(values);
    return result;
}

/* ---- the type ----------------------------------------------------------- */

static int c_method_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    (void)arg;
    return 0;
}

static void c_method_dealloc(PyObject *self)
{
    lbpy_c_method *c = (lbpy_c_method *)self;
    PyTypeObject *type = Py_TYPE(self);
    lbpy_state *state = c->state;
    PyObject_GC_UnTrack(self);
    if (c->weak)
        PyObject_ClearWeakRefs(self);
    if (c->release)
        c->release(c->context);
    Py_XDECREF(c->doc);
    PyObject_GC_Del(self);
    Py_DECREF(type);
    lbpy_state_release(state);
}

static PyObject *get_name(PyObject *self, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(((lbpy_c_method *)self)->method->name);
}

static PyObject *get_doc(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *doc = ((lbpy_c_method *)self)->doc;
    return Py_NewRef(doc ? doc : Py_None);
}

/* Where it stands in C, as a code object says it: for Method.source. */
static PyObject *get_code(PyObject *self, void *closure)
{
    const lb_method *method = ((lbpy_c_method *)self)->method;
    (void)closure;
    return (PyObject *)PyCode_NewEmpty(method->file ? method->file : "?",
                                       method->name, (int)method->line);
}

static PyObject *c_method_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<method %s in C>",
                                ((lbpy_c_method *)self)->method->name);
}

static PyGetSetDef c_method_getset[] = {
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_name, NULL, NULL, NULL},
    {"__doc__", get_doc, NULL, NULL, NULL},
    {"__code__", get_code, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef c_method_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lbpy_c_method, vectorcall),
     READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(lbpy_c_method, weak), READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot c_method_slots[] = {
    {Py_tp_dealloc, c_method_dealloc},
    {Py_tp_traverse, c_method_traverse},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, c_method_repr},
    {Py_tp_getset, c_method_getset},
    {Py_tp_members, c_method_members},
    {0, NULL},
};

static PyType_Spec c_method_spec = {
    .name = "latebind._core.CMethod",
    .basicsize = sizeof(lbpy_c_method),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = c_method_slots,
};

int lbpy_boxed_setup(PyObject *module, lbpy_state *state)
{
    return lbpy_make_type(module, &c_method_spec,
                          &state->bridge->c_method_type);
}

/* ---- adding ------------------------------------------------------------- */

/* Takes over the context, whatever comes. */
static PyObject *make_callable(lbpy_state *state, const lbpy_method_spec *spec)
{
    lbpy_c_method *c =
        PyObject_GC_New(lbpy_c_method, state->bridge->c_method_type);
    if (c == NULL) {
        if (spec->release)
            spec->release(spec->context);
        return NULL;
    }
    c->vectorcall = c_method_call;
    c->state = lbpy_state_hold(state);
    c->method = spec->method;
    c->context = spec->context;
    c->release = spec->release;
    c->weak = NULL;
    c->wants_next = spec->wants_next != 0;
    c->doc = spec->doc ? PyUnicode_FromString(spec->doc) : NULL;
    PyObject_GC_Track(c);
    if (spec->doc && c->doc == NULL)
        Py_CLEAR(c);
    return (PyObject *)c;
}

static int check_spec(const lbpy_method_spec *spec)
{
    const lb_method *m = spec->method;
    if (m == NULL || m->fn == NULL)
        PyErr_SetString(PyExc_ValueError, "spec.method is NULL");
    else if (m->abi != LB_ABI)
        PyErr_Format(PyExc_ImportError,
                     "method %s was built for LB_ABI %u, this library has %u: "
                     "rebuild it",
                     m->name, m->abi, (unsigned)LB_ABI);
    else if (!(m->flags & LB_BOXED))
        PyErr_Format(PyExc_TypeError,
                     "method %s is of a typed generic function; one made by "
                     "LB_BOXED_METHOD is wanted",
                     m->name);
    else if (spec->types == NULL || !PyTuple_Check(spec->types))
        PyErr_Format(PyExc_TypeError, "method %s: types must be a tuple",
                     m->name);
    else if (spec->optional > (size_t)PyTuple_GET_SIZE(spec->types))
        PyErr_Format(PyExc_ValueError,
                     "method %s: %zu of %zd arguments are optional", m->name,
                     spec->optional, PyTuple_GET_SIZE(spec->types));
    else
        return 0;
    return -1;
}

/* The hint for an annotation. */
static PyObject *hint_of(lbpy_state *state, PyObject *annotation)
{
    if (Py_IS_TYPE(annotation, state->hint_type))
        return Py_NewRef(annotation);
    PyObject *module = PyImport_ImportModule("latebind._hints");
    PyObject *hint =
        module ? PyObject_CallMethod(module, "hint_of", "O", annotation) : NULL;
    Py_XDECREF(module);
    return hint;
}

/* Tuples of hints and of names, one more of each if next_method is wanted. */
static int describe(lbpy_state *state, const lbpy_method_spec *spec,
                    PyObject **hints, PyObject **names)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(spec->types);
    const Py_ssize_t all = count + (spec->wants_next != 0);
    *hints = PyTuple_New(all);
    *names = PyTuple_New(all);
    for (Py_ssize_t i = 0; *hints && *names && i < all; i++) {
        PyObject *hint = i < count
                             ? hint_of(state, PyTuple_GET_ITEM(spec->types, i))
                             : Py_NewRef(Py_None);
        PyObject *name =
            i < count ? PyUnicode_FromFormat("argument%zd", i + 1)
                      : Py_NewRef(PyTuple_GET_ITEM(state->next_names, 0));
        if (hint)
            PyTuple_SET_ITEM(*hints, i, hint);
        if (name)
            PyTuple_SET_ITEM(*names, i, name);
        if (hint == NULL || name == NULL)
            break;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *make_method(lbpy_state *state, const lbpy_method_spec *spec,
                             PyObject *callable)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(spec->types);
    PyObject *hints, *names, *method = NULL;
    PyObject *rest =
        spec->rest ? hint_of(state, spec->rest) : Py_NewRef(Py_False);
    if (describe(state, spec, &hints, &names) == 0 && rest)
        method = PyObject_CallFunction(
            (PyObject *)state->method_type, "OOOnnnKKOOiiOO", callable, names,
            hints, count, count, count - (Py_ssize_t)spec->optional, 0ULL,
            spec->wants_next ? 1ULL : 0ULL, rest, Py_False,
            (int)spec->qualifier, (int)spec->propagate,
            spec->commutative ? Py_True : Py_False, Py_False);
    Py_XDECREF(rest);
    Py_XDECREF(hints);
    Py_XDECREF(names);
    if (method) {
        ((lbpy_method *)method)->descriptor.name = spec->method->name;
        ((lbpy_method *)method)->direct = true;
    }
    return method;
}

PyObject *lbpy_boxed_add(lbpy_state *state, PyObject *generic,
                         const lbpy_method_spec *spec)
{
    PyObject *method = NULL, *callable;
    const bool good = check_spec(spec) == 0;
    if (!good || !PyObject_TypeCheck(generic, state->generic_type)) {
        if (good)
            PyErr_Format(PyExc_TypeError, "a GenericFunction is wanted, not %R",
                         generic);
        if (spec->release)
            spec->release(spec->context);
        return NULL;
    }
    callable = make_callable(state, spec);
    if (callable)
        method = make_method(state, spec, callable);
    PyObject *done =
        method ? PyObject_CallMethod(generic, "add", "O", method) : NULL;
    if (done == NULL)
        Py_CLEAR(method);
    Py_XDECREF(done);
    Py_XDECREF(callable);
    return method;
}

/* ---- entrances ---------------------------------------------------------- */

/* The one method of an entrance: calls what is its context. */
static lb_status enter(lb_slot slot, size_t argc, const lb_value *argv,
                       lb_value *result)
{
    PyObject *generic = lb_load_entry(slot)->context;
    PyObject *few[FEW + 1] = {NULL};
    PyObject **args =
        argc <= FEW ? few : PyMem_Malloc((argc + 1) * sizeof *args);
    result->pointer = NULL;
    if (args == NULL) {
        PyErr_NoMemory();
        return lb_fail_with(LB_METHOD_FAILED, "no memory for the arguments");
    }
    for (size_t i = 0; i < argc; i++)
        args[i + 1] = argv[i].pointer;
    result->pointer = PyObject_Vectorcall(
        generic, args + 1, argc | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (args != few)
        PyMem_Free(args);
    return result->pointer
               ? LB_OK
               : lb_fail_with(LB_METHOD_FAILED, "an exception of Python");
}

static const lb_method entering = {.abi = LB_ABI,
                                   .flags = LB_BOXED,
                                   .name = "call in Python",
                                   .fn = (lb_fn)enter};

lb_generic *lbpy_generic_entrance(lbpy_generic *g)
{
    const lb_specializer any = lb_any();
    const lb_rule rule = {.method = &entering, .rest = &any, .context = g};
    lb_generic *made = NULL;
    if (g->entrance)
        return g->entrance;
    lb_status status =
        lb_generic_create_boxed(g->state->runtime, NULL, 1, NULL, &made);
    if (status == LB_OK)
        status = lb_add_rules(made, &rule, 1);
    if (status == LB_OK)
        return g->entrance = made;
    lbpy_raise_call(status);
    (void)lb_generic_destroy(made);
    return NULL;
}

/* ---- the way back ------------------------------------------------------- */

static lbpy_form *form_with(const lbpy_generic *g, const lb_generic *generic)
{
    lbpy_form *form = g->forms;
    while (form && form->generic != generic)
        form = form->next;
    return form;
}

lbpy_generic *lbpy_generic_owner(const lbpy_state *state,
                                 const lb_generic *generic, lbpy_form **form)
{
    for (lbpy_generic *g = state->first_generic; g; g = g->next_generic) {
        lbpy_form *found = form_with(g, generic);
        if (found && form)
            *form = found;
        if (found || (form == NULL && g->entrance == generic))
            return g;
    }
    return NULL;
}
