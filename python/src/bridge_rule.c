/* bridge_rule.c - methods in Python as rules of typed generic functions.
 *
 * A rule's context is an lbpy_typed_method. Two own it: the engine, which
 * releases it when no call can be on its way to it, and whoever made the rule
 * (a callable, or a class of Python), which has the references to Python
 * objects, visible to the collector, and lets go of them when the rule is taken
 * away. A call that comes later than that is made anew.
 *
 * A call of C arrives in lbpy_typed_run:
 *   1. take the interpreter's lock, set aside an exception that is set, enter a
 *      bracket;
 *   2. convert the arguments; C objects that Python has nothing for are lent;
 *   3. call the function, with next_method if it wants that;
 *   4. convert the result; an exception goes to the frame (bridge.c);
 *   5. end what was lent, and next_method, which points into the chain.
 */
#include "bridge.h"

#include "grow.h"
#include "run.h"

#include <string.h>

/* ---- next_method -------------------------------------------------------- */

typedef struct lbpy_typed_next {
    PyObject_HEAD vectorcallfunc vectorcall;
    lbpy_typed *typed;     /* strong */
    const lb_entry *entry; /* of the running method; NULL: its call has ended */
    PyObject *args;        /* tuple: those of the call */
} lbpy_typed_next;

static PyObject *next_call(PyObject *self, PyObject *const *args, size_t nargsf,
                           PyObject *kwnames)
{
    const lbpy_typed_next *next = (lbpy_typed_next *)self;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    lbpy_packed packed;
    if (kwnames && PyTuple_GET_SIZE(kwnames))
        return PyErr_Format(PyExc_TypeError,
                            "next_method of %U takes no keyword arguments",
                            next->typed->name);
    if (next->entry == NULL)
        return PyErr_Format(PyExc_RuntimeError,
                            "next_method of %U: its call has ended",
                            next->typed->name);
    if (count == 0) {
        args = &PyTuple_GET_ITEM(next->args, 0);
        count = PyTuple_GET_SIZE(next->args);
    }
    return lbpy_typed_pack(next->typed, args, count, &packed) < 0
               ? NULL
               : lbpy_typed_invoke(next->typed, next->entry, &packed);
}

static PyObject *next_make(lbpy_typed *typed, const lb_entry *entry,
                           PyObject *const *args, Py_ssize_t count)
{
    PyTypeObject *type = typed->state->bridge->typed_next_type;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    lbpy_typed_next *next =
        tuple ? PyObject_GC_New(lbpy_typed_next, type) : NULL;
    if (next == NULL) {
        Py_XDECREF(tuple);
        return NULL;
    }
    next->vectorcall = next_call;
    next->typed = (lbpy_typed *)Py_NewRef(typed);
    next->entry = entry;
    next->args = tuple;
    PyObject_GC_Track(next);
    return (PyObject *)next;
}

static int next_bool(PyObject *self)
{
    const lb_entry *entry = ((lbpy_typed_next *)self)->entry;
    return entry && lb_has_next(entry);
}

static int next_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((lbpy_typed_next *)self)->typed);
    Py_VISIT(((lbpy_typed_next *)self)->args);
    return 0;
}

static void next_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_DECREF(((lbpy_typed_next *)self)->typed);
    Py_DECREF(((lbpy_typed_next *)self)->args);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *next_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<next method of %U>",
                                ((lbpy_typed_next *)self)->typed->name);
}

static PyMemberDef next_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lbpy_typed_next, vectorcall),
     READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot next_slots[] = {
    {Py_tp_doc, "The rest of a call of C: the methods after the running one."},
    {Py_tp_dealloc, next_dealloc},
    {Py_tp_traverse, next_traverse},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, next_repr},
    {Py_nb_bool, next_bool},
    {Py_tp_members, next_members},
    {0, NULL},
};

static PyType_Spec next_spec = {
    .name = "latebind._core.TypedNextMethod",
    .basicsize = sizeof(lbpy_typed_next),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = next_slots,
};

int lbpy_rule_setup(PyObject *module, lbpy_state *state)
{
    return lbpy_make_type(module, &next_spec, &state->bridge->typed_next_type);
}

/* ---- running ------------------------------------------------------------ */

/* A call of C, in Python's form. */
typedef struct calling {
    lbpy_typed *typed;
    PyObject *args[LB_MAX_PARAMETERS + 2]; /* from 1 on; then next_method */
    bool fresh[LB_MAX_PARAMETERS + 1];     /* it was lent for this call */
    unsigned count;
} calling;

static int convert(calling *c, const lb_value *argv)
{
    lbpy_typed *typed = c->typed;
    for (; c->count < typed->signature->parameters; c->count++) {
        bool fresh = false;
        PyObject *one = lbpy_from_c(typed->state, &typed->parameters[c->count],
                                    &argv[c->count], LBPY_TIE_LENT, &fresh);
        if (one == NULL)
            return -1;
        c->args[c->count + 1] = one;
        c->fresh[c->count + 1] = fresh;
    }
    return 0;
}

/* Step 5. */
static void let_go(calling *c)
{
    lbpy_state *state = c->typed->state;
    for (unsigned i = 1; i <= c->count; i++) {
        const lbpy_object *o = (lbpy_object *)c->args[i];
        if (c->fresh[i] && lbpy_is_object(state, c->args[i]) &&
            o->tie == LBPY_TIE_LENT)
            lbpy_object_forget(state, o->pointer);
        Py_DECREF(c->args[i]);
    }
}

/* What is called for these arguments: a new reference; *first: the first of
 * them that it gets. */
static PyObject *callee(const lbpy_typed_method *m, const calling *c,
                        unsigned *first)
{
    *first = 1;
    if (!m->binds)
        return Py_NewRef(m->target);
    *first = 2;
    return Py_TYPE(m->target)->tp_descr_get(m->target, c->args[1],
                                            (PyObject *)Py_TYPE(c->args[1]));
}

static PyObject *call_target(lbpy_typed_method *m, const lb_entry *entry,
                             calling *c)
{
    unsigned first;
    PyObject *function = callee(m, c, &first), *answer = NULL;
    const size_t count = c->count + 1 - first;
    lbpy_typed_next *next = NULL;
    if (m->wants_next)
        next = (lbpy_typed_next *)next_make(c->typed, entry, c->args + 1,
                                            c->count);
    if (function && (next || !m->wants_next)) {
        c->args[c->count + 1] = (PyObject *)next;
        answer = PyObject_Vectorcall(function, c->args + first, count,
                                     next ? c->typed->state->next_names : NULL);
    }
    if (next)
        next->entry = NULL;
    Py_XDECREF(next);
    Py_XDECREF(function);
    return answer;
}

/* Steps 2 to 5. */
static lb_status run_method(lbpy_typed_method *m, const lb_entry *entry,
                            const lb_value *argv, lb_value *result)
{
    calling c = {.typed = (lbpy_typed *)Py_NewRef(m->typed)};
    PyObject *target = Py_NewRef(m->target), *answer = NULL;
    int status = -1;
    if (convert(&c, argv) == 0 &&
        !Py_EnterRecursiveCall(" in a method that C called")) {
        answer = call_target(m, entry, &c);
        Py_LeaveRecursiveCall();
    }
    /* What befores and afters return is dropped. */
    if (answer && (m->qualifier == LB_BEFORE || m->qualifier == LB_AFTER))
        status = 0;
    else if (answer)
        status = lbpy_typed_answer(c.typed, answer, result);
    if (status < 0)
        lbpy_frame_fail(c.typed->state, target);
    let_go(&c);
    Py_XDECREF(answer);
    Py_DECREF(target);
    Py_DECREF(c.typed);
    return status < 0 ? lb_fail_with(LB_METHOD_FAILED,
                                     "a method in Python raised an exception")
                      : LB_OK;
}

static lb_status run_locked(lbpy_state *state, lbpy_typed_method *m,
                            const lb_entry *entry, size_t argc,
                            const lb_value *argv, lb_value *result)
{
    lb_reader *reader = lbpy_enter(state);
    lb_status status;
    if (reader == NULL) {
        lbpy_frame_fail(state, NULL);
        return lb_fail_with(LB_NO_MEMORY, "no memory for a bracket");
    }
    if (m->target)
        status = run_method(m, entry, argv, result);
    else if (m->stuck)
        status = lb_invoke_next(entry, argc, argv, result);
    else
        status = lb_invoke(entry->generic, argc, argv, result);
    lbpy_leave(state, reader);
    return status;
}

lb_status lbpy_typed_run(lb_slot slot, size_t argc, const lb_value *argv,
                         lb_value *result)
{
    const lb_entry *entry = lb_load_entry(slot);
    lbpy_typed_method *m = entry->context;
    lbpy_state *state = m->state;
    PyObject *type, *value, *traceback;
    lbpy_held held;
    if (!lbpy_lock(state, &held))
        return LB_METHOD_FAILED;
    PyErr_Fetch(&type, &value, &traceback);
    const lb_status status = run_locked(state, m, entry, argc, argv, result);
    PyErr_Restore(type, value, traceback);
    lbpy_unlock(&held);
    return status;
}

/* ---- rules -------------------------------------------------------------- */

lbpy_typed_method *lbpy_rule_make(lbpy_typed *typed, PyObject *target,
                                  const char *name)
{
    const size_t length = strlen(name) + 1;
    lbpy_typed_method *m = PyMem_RawCalloc(1, sizeof *m + length);
    if (m == NULL)
        return (lbpy_typed_method *)PyErr_NoMemory();
    memcpy(m->name, name, length);
    m->descriptor = (lb_method){.abi = LB_ABI,
                                .flags = LB_BOXED,
                                .name = m->name,
                                .fn = (lb_fn)lbpy_typed_run};
    m->state = typed->state;
    m->typed = typed;
    m->target = Py_NewRef(target);
    m->owners = 1;
    return m;
}

/* One owner less. Without the interpreter's lock, too. */
static void disown(void *context)
{
    lbpy_typed_method *m = context;
    if (__atomic_sub_fetch(&m->owners, 1, __ATOMIC_ACQ_REL) == 0)
        PyMem_RawFree(m);
}

void lbpy_rule_hold(lbpy_typed_method *m)
{
    __atomic_add_fetch(&m->owners, 1, __ATOMIC_ACQ_REL);
}

void lbpy_rule_unhold(lbpy_typed_method *m)
{
    disown(m);
}

static void describe(lbpy_typed_method *m, lb_specializer *specializers,
                     lb_rule *rule)
{
    const unsigned count = m->typed->signature->dispatched;
    for (unsigned i = 0; i < count; i++)
        specializers[i] = m->classes[i] ? lb_is(m->classes[i]) : lb_any();
    *rule = (lb_rule){.method = &m->descriptor,
                      .specializers = specializers,
                      .count = count,
                      .qualifier = m->qualifier,
                      .context = m,
                      .release = disown};
}

/* Lets go of the Python objects, and of the owner's part. */
static void let_go_of(lbpy_typed_method *m)
{
    PyObject *target = m->target, *method = m->method;
    lbpy_type **bases = m->bases;
    lbpy_state *state = m->state;
    const unsigned count = m->typed->signature->dispatched;
    m->target = m->method = NULL;
    m->bases = NULL;
    m->typed = NULL;
    disown(m);
    for (unsigned i = 0; bases && i < count; i++)
        lbpy_base_release(state, bases[i]);
    PyMem_Free(bases);
    Py_XDECREF(target);
    Py_XDECREF(method);
}

void lbpy_rule_drop(lbpy_typed_method *m)
{
    if (m)
        let_go_of(m);
}

void lbpy_rule_end(lbpy_typed_method *m)
{
    lb_specializer specializers[LB_MAX_DISPATCH];
    lb_rule rule;
    describe(m, specializers, &rule);
    const lb_status status = lb_remove_rules(m->typed->generic, &rule, 1);
    m->stuck = status != LB_OK && status != LB_NOT_FOUND;
    let_go_of(m);
}

int lbpy_rule_traverse(const lbpy_typed_method *m, visitproc visit, void *arg)
{
    Py_VISIT(m->target);
    Py_VISIT(m->method);
    return 0;
}

/* ---- adding ------------------------------------------------------------- */

typedef struct search {
    const lbpy_typed_method *wanted;
    const char *found; /* the name of an equal rule's method */
} search;

static int compare(void *context, const lb_rule *rule)
{
    search *s = context;
    const lbpy_typed_method *m = s->wanted;
    if (rule->qualifier != m->qualifier)
        return 0;
    for (unsigned i = 0; i < m->typed->signature->dispatched; i++) {
        const lb_specializer *own =
            i < rule->count ? &rule->specializers[i] : NULL;
        lb_class *cls = own && own->kind != LB_ANY ? own->cls : NULL;
        if (cls != m->classes[i] ||
            (own && own->kind != LB_ANY && own->kind != LB_IS))
            return 0;
    }
    s->found = rule->method->name;
    return 1;
}

/* What C made is not to be replaced: it could not be put back. */
static int check_free(lbpy_typed_method *m)
{
    search s = {m, NULL};
    const lb_status status = lb_each_rule(m->typed->generic, compare, &s);
    if (status != LB_OK) {
        lbpy_raise_call(status);
        return -1;
    }
    if (s.found == NULL)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "%U has a method %s for the same classes, which is not to be "
                 "replaced from here; derive a class, or use an around method",
                 m->typed->name, s.found);
    return -1;
}

static int publish(lbpy_typed_method *m)
{
    lb_specializer specializers[LB_MAX_DISPATCH];
    lb_rule rule;
    describe(m, specializers, &rule);
    lbpy_rule_hold(m);
    const lb_status status = lb_add_rules(m->typed->generic, &rule, 1);
    if (status == LB_OK)
        return 0;
    lbpy_rule_unhold(m);
    lbpy_raise_call(status);
    return -1;
}

static int warn(PyObject *message)
{
    PyObject *errors = PyImport_ImportModule("latebind._errors");
    PyObject *category =
        errors ? PyObject_GetAttrString(errors, "AmbiguityWarning") : NULL;
    const char *text = PyUnicode_AsUTF8(message);
    const int status = category && text ? PyErr_WarnEx(category, text, 1) : -1;
    Py_XDECREF(category);
    Py_XDECREF(errors);
    return status;
}

/* Undoes `publish`, keeping the exception. */
static void retract(lbpy_typed_method *m, lbpy_typed_method *old)
{
    PyObject *type, *value, *traceback;
    lb_specializer specializers[LB_MAX_DISPATCH];
    lb_rule rule;
    PyErr_Fetch(&type, &value, &traceback);
    describe(m, specializers, &rule);
    if (old == NULL)
        m->stuck = lb_remove_rules(m->typed->generic, &rule, 1) != LB_OK;
    else if (publish(old) < 0)
        PyErr_Clear();
    PyErr_Restore(type, value, traceback);
}

int lbpy_rule_add(lbpy_typed_method *m, lbpy_typed_method *old)
{
    const uint64_t reported = m->state->reported;
    if ((old == NULL && check_free(m) < 0) || publish(m) < 0)
        return -1;
    if (reported == m->state->reported)
        return 0;
    PyObject *message = PyUnicode_FromString(lb_message());
    const int status = message ? warn(message) : -1;
    Py_XDECREF(message);
    if (status < 0 && m->target)
        retract(m, old);
    return status;
}

/* ---- area.register ------------------------------------------------------ */

/* The class for a dispatched argument; NULL: any, or an exception. */
static lb_class *class_for(lbpy_typed_method *m, unsigned place,
                           const lbpy_hint *hint)
{
    lbpy_typed *typed = m->typed;
    const unsigned parameter = typed->dispatched[place];
    const lbpy_c_type *type = &typed->parameters[parameter];
    if (hint == NULL)
        return NULL;
    if (hint->kind == LBPY_INSTANCE && type->code == LBPY_C_OBJECT) {
        PyTypeObject *wanted = &type->cls->type.ht_type;
        if (PyType_IsSubtype(hint->cls, wanted))
            return lbpy_class_engine((lbpy_class *)hint->cls);
        if (PyType_IsSubtype(wanted, hint->cls))
            return NULL;
    } else if (hint->kind == LBPY_INSTANCE && type->code == LBPY_C_REF) {
        if (lbpy_is_class(m->state, (PyObject *)hint->cls))
            return lbpy_class_engine((lbpy_class *)hint->cls);
        m->bases[place] = lbpy_base_of(m->state, (lbpy_hint *)hint);
        return m->bases[place] ? m->bases[place]->cls : NULL;
    }
    PyErr_Format(PyExc_TypeError,
                 "%U: argument %u of a method cannot be %U; a class %s%s is "
                 "wanted",
                 typed->name, parameter + 1, hint->text,
                 type->code == LBPY_C_OBJECT ? "below " : "",
                 type->code == LBPY_C_OBJECT ? type->cls->type.ht_type.tp_name
                                             : "of Python");
    return NULL;
}

static int read_method(lbpy_typed_method *m, const lbpy_method *method)
{
    const lbpy_typed *typed = m->typed;
    const lb_signature *s = typed->signature;
    if (!lbpy_method_accepts(method, s->parameters, NULL)) {
        PyErr_Format(PyExc_TypeError,
                     "%U: a method must take %u positional arguments; %R does "
                     "not",
                     typed->name, s->parameters, method->function);
        return -1;
    }
    m->bases = PyMem_Calloc(s->dispatched, sizeof(lbpy_type *));
    if (m->bases == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    m->method = Py_NewRef((PyObject *)method);
    m->wants_next = method->next_bit != 0;
    m->qualifier = (lb_qualifier)method->qualifier;
    for (unsigned i = 0; i < s->dispatched; i++) {
        m->classes[i] = class_for(m, i,
                                  lbpy_method_hint(method, typed->dispatched[i],
                                                   s->parameters, NULL));
        if (PyErr_Occurred())
            return -1;
    }
    return 0;
}

static bool same_rule(const lbpy_typed_method *a, const lbpy_typed_method *b)
{
    return a->qualifier == b->qualifier &&
           memcmp(a->classes, b->classes, sizeof a->classes) == 0;
}

static int reserve(lbpy_typed *typed)
{
    lbpy_typed_method **methods =
        lbpy_grown(typed->methods, typed->count, &typed->room, sizeof *methods);
    if (methods == NULL)
        return -1;
    typed->methods = methods;
    return 0;
}

static size_t place_of(const lbpy_typed *typed, const lbpy_typed_method *m)
{
    size_t at = 0;
    while (at < typed->count && typed->methods[at] != m)
        at++;
    return at;
}

static void take_out(lbpy_typed *typed, size_t at)
{
    typed->count--;
    memmove(typed->methods + at, typed->methods + at + 1,
            (typed->count - at) * sizeof *typed->methods);
}

/* Puts the method in its place and makes it a rule. Others' code may run then,
 * and even take it away again. */
static int put_method(lbpy_typed *typed, lbpy_typed_method *m)
{
    size_t at = 0;
    while (at < typed->count && !same_rule(typed->methods[at], m))
        at++;
    lbpy_typed_method *old = at < typed->count ? typed->methods[at] : NULL;
    typed->methods[at] = m;
    typed->count += old == NULL;
    const int status = lbpy_rule_add(m, old);
    if (status < 0 && m->target) {
        at = place_of(typed, m);
        if (old)
            typed->methods[at] = old;
        else
            take_out(typed, at);
        lbpy_rule_drop(m);
    } else if (old) {
        lbpy_rule_drop(old);
    }
    return status;
}

static int add_method(lbpy_typed *typed, lbpy_method *method)
{
    if (reserve(typed) < 0)
        return -1;
    lbpy_typed_method *m =
        lbpy_rule_make(typed, method->function, method->descriptor.name);
    if (m == NULL)
        return -1;
    if (read_method(m, method) < 0) {
        lbpy_rule_drop(m);
        return -1;
    }
    lbpy_rule_hold(m);
    const int status = put_method(typed, m);
    lbpy_rule_unhold(m);
    return status;
}

/* The front end reads the signature. `types` NULL: by annotations. */
static lbpy_method *method_of(lbpy_typed *typed, PyObject *function,
                              PyObject *types, PyObject *options)
{
    PyObject *module = PyImport_ImportModule("latebind._method");
    PyObject *make =
        module ? PyObject_GetAttrString(module, "method_of") : NULL;
    PyObject *args = PyTuple_Pack(2, function, types ? types : Py_None);
    PyObject *made = make && args ? PyObject_Call(make, args, options) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(make);
    Py_XDECREF(module);
    if (made && !Py_IS_TYPE(made, typed->state->method_type)) {
        PyErr_SetString(PyExc_TypeError, "a Method is wanted");
        Py_CLEAR(made);
    }
    return (lbpy_method *)made;
}

/* before=True and the like become qualifier=. A new dict, or NULL. */
static PyObject *options_of(PyObject *const *values, PyObject *kwnames)
{
    PyObject *options = PyDict_New();
    for (Py_ssize_t i = 0; options && kwnames && i < PyTuple_GET_SIZE(kwnames);
         i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        const bool plain =
            PyUnicode_CompareWithASCIIString(name, "qualifier") == 0;
        const bool flag =
            PyUnicode_CompareWithASCIIString(name, "before") == 0 ||
            PyUnicode_CompareWithASCIIString(name, "after") == 0 ||
            PyUnicode_CompareWithASCIIString(name, "around") == 0;
        const int wanted = flag ? PyObject_IsTrue(values[i]) : plain;
        if (!plain && !flag)
            PyErr_Format(PyExc_TypeError,
                         "register() takes qualifier, before, after, around by "
                         "name, not %R",
                         name);
        if (PyErr_Occurred() ||
            (wanted && PyDict_SetItemString(options, "qualifier",
                                            plain ? values[i] : name) < 0))
            Py_CLEAR(options);
    }
    return options;
}

static PyObject *register_one(lbpy_typed *typed, PyObject *function,
                              PyObject *types, PyObject *options)
{
    lbpy_method *method = method_of(typed, function, types, options);
    const int status = method ? add_method(typed, method) : -1;
    Py_XDECREF(method);
    return status < 0 ? NULL : Py_NewRef(function);
}

/* register(types) as a decorator. */
static PyObject *decorator(PyObject *self, PyObject *types, PyObject *options)
{
    PyObject *functools = PyImport_ImportModule("functools");
    PyObject *partial =
        functools ? PyObject_GetAttrString(functools, "partial") : NULL;
    PyObject *own = PyObject_GetAttrString(self, "register");
    PyObject *first = own ? PyTuple_Pack(1, own) : NULL;
    PyObject *args = first ? PySequence_Concat(first, types) : NULL;
    PyObject *result =
        partial && args ? PyObject_Call(partial, args, options) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(first);
    Py_XDECREF(own);
    Py_XDECREF(partial);
    Py_XDECREF(functools);
    return result;
}

PyObject *lbpy_typed_register(PyObject *self, PyObject *const *args,
                              Py_ssize_t nargs, PyObject *kwnames)
{
    PyObject *last = nargs ? args[nargs - 1] : NULL;
    const bool whole = last && PyCallable_Check(last) && !PyType_Check(last);
    const Py_ssize_t count = nargs - whole;
    PyObject *options = options_of(args + nargs, kwnames);
    PyObject *types = options ? PyTuple_New(count) : NULL;
    PyObject *result = NULL;
    for (Py_ssize_t i = 0; types && i < count; i++)
        PyTuple_SET_ITEM(types, i, Py_NewRef(args[i]));
    if (types && whole)
        result = register_one((lbpy_typed *)self, last, count ? types : NULL,
                              options);
    else if (types)
        result = decorator(self, types, options);
    Py_XDECREF(types);
    Py_XDECREF(options);
    return result;
}

/* ---- area.remove -------------------------------------------------------- */

static bool has_types(const lbpy_typed *typed, const lbpy_typed_method *m,
                      PyObject *types)
{
    const lbpy_method *method = (lbpy_method *)m->method;
    const Py_ssize_t count = typed->signature->parameters;
    if (PyTuple_GET_SIZE(types) > count)
        return false;
    for (Py_ssize_t i = 0; i < count; i++) {
        const lbpy_hint *hint = lbpy_method_hint(method, i, count, NULL);
        PyObject *wanted = i < PyTuple_GET_SIZE(types)
                               ? PyTuple_GET_ITEM(types, i)
                               : (PyObject *)&PyBaseObject_Type;
        if (hint ? (PyObject *)hint->cls != wanted
                 : wanted != (PyObject *)&PyBaseObject_Type)
            return false;
    }
    return true;
}

static bool is_meant(const lbpy_typed *typed, const lbpy_typed_method *m,
                     PyObject *given)
{
    PyObject *first =
        PyTuple_GET_SIZE(given) == 1 ? PyTuple_GET_ITEM(given, 0) : NULL;
    return (first && (first == m->method || first == m->target)) ||
           (PyTuple_GET_SIZE(given) && has_types(typed, m, given));
}

PyObject *lbpy_typed_remove(PyObject *self, PyObject *given)
{
    lbpy_typed *typed = (lbpy_typed *)self;
    size_t at = 0;
    while (at < typed->count && !is_meant(typed, typed->methods[at], given))
        at++;
    if (at == typed->count)
        return PyErr_Format(PyExc_LookupError,
                            "%U has no method in Python %R; its methods tells "
                            "which it has",
                            typed->name, given);
    lbpy_typed_method *m = typed->methods[at];
    take_out(typed, at);
    lbpy_rule_end(m);
    Py_RETURN_NONE;
}
