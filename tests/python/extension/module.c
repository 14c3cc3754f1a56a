/* module.c - the extension `shapes`: the C library in Python, and what the
 * tests want to ask of it. */
#include <latebind/python.h>

#include <pthread.h>

#include "shapes.h"

/* A class with free attributes and a member that is a Python object. */
typedef struct thing {
    lb_object base;
    PyObject *note;
} thing;

/* A class whose objects count their users. */
typedef struct node {
    lb_header head;
    int users;
} node;

LB_GENERIC(PyObject *, describe, (ON, const shape *, s),
           (WITH, PyObject *, extra));
LB_DEFINE_GENERIC(describe);
LB_GENERIC(node *, other, (ON, node *, n));
LB_DEFINE_GENERIC(other);

static int nodes_alive, finished; /* counted for the tests, of all modules */
static circle lasting;            /* a C object that Python does not own */

typedef struct module_state {
    const lbpy_api *api;
    lb_class *thing_class, *node_class;
} module_state;

static module_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

static int check(lb_status status)
{
    if (status == LB_OK)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, lb_message());
    return -1;
}

/* ---- typed calls -------------------------------------------------------- */

/* total_area(shapes): the sum, by the inlined calls. */
static PyObject *total_area(PyObject *module, PyObject *shapes)
{
    const lbpy_api *api = state_of(module)->api;
    lbpy_call call;
    double sum = 0;
    PyObject *all = PySequence_Tuple(shapes);
    if (all == NULL)
        return NULL;
    if (lbpy_call_begin(api, &call) < 0) {
        Py_DECREF(all);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(all); i++) {
        const shape *s =
            api->unwrap(api, PyTuple_GET_ITEM(all, i), shape_class);
        if (s == NULL)
            break;
        sum += area(s);
    }
    const int status = lbpy_call_end(api, &call);
    Py_DECREF(all);
    return status < 0 ? NULL : PyFloat_FromDouble(sum);
}

/* bare_area(shape): a call that nobody told of as coming from Python. */
static PyObject *bare_area(PyObject *module, PyObject *object)
{
    const lbpy_api *api = state_of(module)->api;
    const shape *s = api->unwrap(api, object, shape_class);
    return s ? PyFloat_FromDouble(area(s)) : NULL;
}

typedef struct work {
    lb_runtime *runtime;
    const shape *s;
    double result;
} work;

static void *area_there(void *context)
{
    work *w = context;
    lb_reader *reader;
    if (lb_reader_create(w->runtime, &reader) != LB_OK)
        return NULL;
    lb_enter(reader);
    w->result = area(w->s);
    lb_leave(reader);
    lb_reader_destroy(reader);
    return NULL;
}

/* area_in_thread(shape): a thread of C, which has no Python at all. */
static PyObject *area_in_thread(PyObject *module, PyObject *object)
{
    const lbpy_api *api = state_of(module)->api;
    work w = {api->runtime, api->unwrap(api, object, shape_class), -1};
    pthread_t thread;
    if (w.s == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS if (pthread_create(&thread, NULL, area_there, &w) ==
                               0) pthread_join(thread, NULL);
    Py_END_ALLOW_THREADS return PyFloat_FromDouble(w.result);
}

/* lend_circle(r): the area of a circle on C's stack. */
static PyObject *lend_circle(PyObject *module, PyObject *radius)
{
    const lbpy_api *api = state_of(module)->api;
    lbpy_call call;
    circle c = {.r = PyFloat_AsDouble(radius)};
    lb_init(circle_class, &c);
    if (PyErr_Occurred() || lbpy_call_begin(api, &call) < 0)
        return NULL;
    const double result = area(&c.base);
    return lbpy_call_end(api, &call) < 0 ? NULL : PyFloat_FromDouble(result);
}

static PyObject *call_digits(PyObject *module, PyObject *object)
{
    const lbpy_api *api = state_of(module)->api;
    lbpy_call call;
    const shape *s = api->unwrap(api, object, shape_class);
    if (s == NULL || lbpy_call_begin(api, &call) < 0)
        return NULL;
    const long result = digits(s);
    return lbpy_call_end(api, &call) < 0 ? NULL : PyLong_FromLong(result);
}

static PyObject *call_label(PyObject *module, PyObject *object)
{
    const lbpy_api *api = state_of(module)->api;
    lbpy_call call;
    const shape *s = api->unwrap(api, object, shape_class);
    if (s == NULL || lbpy_call_begin(api, &call) < 0)
        return NULL;
    const char *text = label(s, "from C");
    return lbpy_call_end(api, &call) < 0
               ? NULL
               : PyUnicode_FromString(text ? text : "(null)");
}

static PyObject *call_describe(PyObject *module, PyObject *args)
{
    const lbpy_api *api = state_of(module)->api;
    lbpy_call call;
    PyObject *object, *extra;
    if (!PyArg_ParseTuple(args, "OO", &object, &extra))
        return NULL;
    const shape *s = api->unwrap(api, object, shape_class);
    if (s == NULL || lbpy_call_begin(api, &call) < 0)
        return NULL;
    PyObject *result = describe(s, extra);
    if (lbpy_call_end(api, &call) < 0)
        Py_CLEAR(result);
    return result;
}

/* name_of_picked(a, b): what C makes of the object that a method gave. */
static PyObject *call_pick(PyObject *module, PyObject *args)
{
    const lbpy_api *api = state_of(module)->api;
    lbpy_call call;
    PyObject *one, *two;
    if (!PyArg_ParseTuple(args, "OO", &one, &two))
        return NULL;
    shape *a = api->unwrap(api, one, shape_class);
    shape *b = a ? api->unwrap(api, two, shape_class) : NULL;
    if (b == NULL || lbpy_call_begin(api, &call) < 0)
        return NULL;
    shape *picked = pick(a, b);
    if (lbpy_call_end(api, &call) < 0)
        return NULL;
    if (picked == NULL)
        Py_RETURN_NONE;
    return api->wrap(api, picked, LBPY_BORROWED);
}

LB_METHOD(describe, describe_shape);
static PyObject *describe_shape(lb_slot slot, const shape *s, PyObject *extra)
{
    LB_IGNORE(slot);
    if (extra == Py_None) {
        PyErr_SetString(PyExc_LookupError, "nothing extra");
        return NULL;
    }
    return Py_BuildValue("iO", s->sides, extra);
}

/* ---- objects ------------------------------------------------------------ */

static PyObject *make_circle(PyObject *module, PyObject *radius)
{
    const lbpy_api *api = state_of(module)->api;
    circle *c = lb_new(circle_class);
    if (c == NULL)
        return PyErr_NoMemory();
    c->r = PyFloat_AsDouble(radius);
    PyObject *object = api->wrap(api, c, LBPY_OWNED);
    if (object == NULL)
        lb_delete(circle_class, c);
    return object;
}

static PyObject *lasting_circle(PyObject *module, PyObject *unused)
{
    const lbpy_api *api = state_of(module)->api;
    (void)unused;
    lb_init(circle_class, &lasting);
    return api->wrap(api, &lasting, LBPY_BORROWED);
}

static PyObject *forget_lasting(PyObject *module, PyObject *unused)
{
    const lbpy_api *api = state_of(module)->api;
    (void)unused;
    api->forget(api, &lasting);
    PyObject *known = api->object_of(api, &lasting);
    return PyBool_FromLong(known == NULL);
}

/* same(object): the object that C finds by the pointer alone. */
static PyObject *same(PyObject *module, PyObject *object)
{
    const lbpy_api *api = state_of(module)->api;
    void *pointer = api->unwrap(api, object, NULL);
    return pointer ? api->wrap(api, pointer, LBPY_BORROWED) : NULL;
}

static PyObject *class_name(PyObject *module, PyObject *type)
{
    const lbpy_api *api = state_of(module)->api;
    lb_class *cls = api->class_of_type(api, (PyTypeObject *)type);
    if (cls == NULL)
        return NULL;
    PyObject *back = api->type_of_class(api, cls);
    PyObject *result = back ? Py_BuildValue("sO", lb_class_name(cls),
                                            back == type ? Py_True : Py_False)
                            : NULL;
    Py_XDECREF(back);
    return result;
}

/* order(type): the names of the class's order. */
static PyObject *order(PyObject *module, PyObject *type)
{
    const lbpy_api *api = state_of(module)->api;
    lb_class *cls = api->class_of_type(api, (PyTypeObject *)type), *all[32];
    if (cls == NULL)
        return NULL;
    PyObject *names = PyList_New(0);
    const size_t count = lb_class_linearization(cls, all, 32);
    for (size_t i = 0; names && i < count; i++) {
        PyObject *name = PyUnicode_FromString(lb_class_name(all[i]));
        if (name == NULL || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static int node_init(void *object, PyObject *args, PyObject *kwargs)
{
    (void)object;
    (void)kwargs;
    nodes_alive++;
    return PyArg_ParseTuple(args, ":Node") ? 0 : -1;
}

static void node_retain(void *object)
{
    ((node *)object)->users++;
}

static void node_release(void *object)
{
    node *n = object;
    if (--n->users == 0) {
        nodes_alive--;
        lb_delete(lb_class_of(LB_GENERIC_OF(other)
                                  ? lb_generic_runtime(LB_GENERIC_OF(other))
                                  : NULL,
                              &n->head),
                  n);
    }
}

static PyObject *node_users(PyObject *module, PyObject *object)
{
    const module_state *s = state_of(module);
    const node *n = s->api->unwrap(s->api, object, s->node_class);
    return n ? PyLong_FromLong(n->users) : NULL;
}

LB_METHOD(other, same_node);
static node *same_node(lb_slot slot, node *n)
{
    LB_IGNORE(slot);
    n->users++; /* the caller's */
    return n;
}

static PyObject *counts(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return Py_BuildValue("ii", nodes_alive, finished);
}

static void thing_finish(void *object)
{
    (void)object;
    finished++;
}

static lb_status thing_hello(const lb_attribute *self, size_t argc,
                             const lb_value *argv, lb_value *result)
{
    (void)self;
    PyObject *tuple = PyTuple_New((Py_ssize_t)argc - 1);
    for (size_t i = 1; tuple && i < argc; i++)
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i - 1,
                         Py_NewRef((PyObject *)argv[i].pointer));
    result->pointer = tuple;
    return tuple ? LB_OK : LB_METHOD_FAILED;
}

static lb_status thing_get_twice(const lb_attribute *self, lb_value receiver,
                                 lb_value *result)
{
    (void)self;
    const thing *t = receiver.pointer;
    result->pointer = t->note ? PyNumber_Add(t->note, t->note) : NULL;
    if (t->note == NULL)
        PyErr_SetString(PyExc_KeyError, "no note");
    return result->pointer ? LB_OK : LB_METHOD_FAILED;
}

/* ---- generic functions of Python ---------------------------------------- */

/* ("C", *args) */
LB_BOXED_METHOD(boxed_plain);
static lb_status boxed_plain(lb_slot slot, size_t argc, const lb_value *argv,
                             lb_value *result)
{
    LB_IGNORE(slot);
    PyObject *tuple = PyTuple_New((Py_ssize_t)argc + 1);
    PyObject *word = PyUnicode_FromString("C");
    if (tuple == NULL || word == NULL)
        return LB_METHOD_FAILED;
    PyTuple_SET_ITEM(tuple, 0, word);
    for (size_t i = 0; i < argc; i++)
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i + 1,
                         Py_NewRef((PyObject *)argv[i].pointer));
    result->pointer = tuple;
    return LB_OK;
}

/* [the context, *the next method's list], or the context alone */
LB_BOXED_METHOD(boxed_next);
static lb_status boxed_next(lb_slot slot, size_t argc, const lb_value *argv,
                            lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    lb_value next = {0};
    PyObject *list = NULL, *one = Py_BuildValue("[O]", self->context);
    if (one && !lb_has_next(self)) {
        result->pointer = one;
        return LB_OK;
    }
    const lb_status status =
        one ? lb_invoke_next(self, argc, argv, &next) : LB_METHOD_FAILED;
    if (status == LB_OK)
        list = PySequence_Concat(one, next.pointer);
    Py_XDECREF(one);
    Py_XDECREF((PyObject *)next.pointer);
    result->pointer = list;
    return list ? LB_OK : status ? status : LB_METHOD_FAILED;
}

LB_BOXED_METHOD(boxed_always_next);
static lb_status boxed_always_next(lb_slot slot, size_t argc,
                                   const lb_value *argv, lb_value *result)
{
    return lb_invoke_next(lb_load_entry(slot), argc, argv, result);
}

LB_BOXED_METHOD(boxed_refusing);
static lb_status boxed_refusing(lb_slot slot, size_t argc, const lb_value *argv,
                                lb_value *result)
{
    LB_IGNORE(slot);
    (void)argc;
    (void)argv;
    (void)result;
    return lb_fail_with(LB_METHOD_FAILED, "C does not want to");
}

LB_BOXED_METHOD(boxed_raising);
static lb_status boxed_raising(lb_slot slot, size_t argc, const lb_value *argv,
                               lb_value *result)
{
    LB_IGNORE(slot);
    (void)argc;
    (void)result;
    PyErr_SetObject(PyExc_KeyError, argv[0].pointer);
    return LB_METHOD_FAILED;
}

LB_BOXED_METHOD(boxed_silent);
static lb_status boxed_silent(lb_slot slot, size_t argc, const lb_value *argv,
                              lb_value *result)
{
    LB_IGNORE(slot);
    (void)argc;
    (void)argv;
    result->pointer = NULL;
    return LB_OK;
}

static void release_context(void *context)
{
    Py_XDECREF((PyObject *)context);
}

static const lb_method *method_named(const char *kind)
{
    static const lb_method *const all[] = {
        LB_DESCRIPTOR(boxed_plain),    LB_DESCRIPTOR(boxed_next),
        LB_DESCRIPTOR(boxed_refusing), LB_DESCRIPTOR(boxed_raising),
        LB_DESCRIPTOR(boxed_silent),   LB_DESCRIPTOR(boxed_always_next)};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, kind) == 0)
            return all[i];
    return strcmp(kind, "typed") == 0 ? LB_DESCRIPTOR(describe_shape) : NULL;
}

/* add(generic, types, kind, *, context, wants_next, qualifier, optional, rest,
 *     commutative) */
static PyObject *add(PyObject *module, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"generic",     "types",     "kind",     "context",
                            "wants_next",  "qualifier", "optional", "rest",
                            "commutative", NULL};
    const lbpy_api *api = state_of(module)->api;
    PyObject *generic, *types, *context = NULL, *rest = NULL;
    const char *kind;
    int wants_next = 0, qualifier = 0, optional = 0, commutative = 0;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwds, "OOs|$OpiiOp", names, &generic, &types, &kind, &context,
            &wants_next, &qualifier, &optional, &rest, &commutative))
        return NULL;
    const lbpy_method_spec spec = {.method = method_named(kind),
                                   .types = types,
                                   .optional = (size_t)optional,
                                   .rest = rest,
                                   .wants_next = wants_next,
                                   .qualifier = (lb_qualifier)qualifier,
                                   .commutative = commutative,
                                   .doc = "A method in C.",
                                   .context = Py_XNewRef(context),
                                   .release = release_context};
    return api->add_method(api, generic, &spec);
}

static PyObject *take_away(PyObject *module, PyObject *args)
{
    const lbpy_api *api = state_of(module)->api;
    PyObject *generic, *method;
    if (!PyArg_ParseTuple(args, "OO", &generic, &method) ||
        api->remove_method(api, generic, method) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *invoke_by(const lbpy_api *api, lb_generic *generic,
                           PyObject *args)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(args) - 1;
    lb_value values[16], result = {0};
    lbpy_call call;
    if (count > 16)
        return PyErr_Format(PyExc_TypeError, "too many arguments");
    for (Py_ssize_t i = 0; i < count; i++)
        values[i] = lb_pointer(PyTuple_GET_ITEM(args, i + 1));
    if (lbpy_call_begin(api, &call) < 0)
        return NULL;
    const lb_status status = lb_invoke(generic, (size_t)count, values, &result);
    if (lbpy_call_end(api, &call) < 0 || check(status) < 0)
        return NULL;
    return result.pointer;
}

/* invoke(generic, *args): as C calls a generic function of Python. */
static PyObject *invoke(PyObject *module, PyObject *args)
{
    const lbpy_api *api = state_of(module)->api;
    lb_generic *generic = api->generic_of(api, PyTuple_GET_ITEM(args, 0));
    return generic ? invoke_by(api, generic, args) : NULL;
}

/* The engine's, of a form of the generic function of that name. */
static lb_generic *form_of(const lbpy_api *api, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    lb_generic *found = text ? lb_generic_find(api->runtime, text) : NULL;
    if (found == NULL && !PyErr_Occurred())
        PyErr_SetObject(PyExc_LookupError, name);
    return found;
}

/* invoke_form(name, *args): by the chains that the engine has. */
static PyObject *invoke_form(PyObject *module, PyObject *args)
{
    const lbpy_api *api = state_of(module)->api;
    lb_generic *generic = form_of(api, PyTuple_GET_ITEM(args, 0));
    return generic ? invoke_by(api, generic, args) : NULL;
}

/* add_behind(name, type): a rule that Python does not know of. */
static PyObject *add_behind(PyObject *module, PyObject *args)
{
    const lbpy_api *api = state_of(module)->api;
    lb_generic *generic = form_of(api, PyTuple_GET_ITEM(args, 0));
    lb_class *cls =
        generic
            ? api->class_of_type(api, (PyTypeObject *)PyTuple_GET_ITEM(args, 1))
            : NULL;
    if (cls == NULL)
        return NULL;
    const lb_specializer s = lb_is(cls);
    const lb_rule rule = {.method = LB_DESCRIPTOR(boxed_next),
                          .specializers = &s,
                          .count = 1,
                          .context = PyUnicode_InternFromString("behind")};
    if (check(lb_add_rules(generic, &rule, 1)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *round_trip(PyObject *module, PyObject *generic)
{
    const lbpy_api *api = state_of(module)->api;
    lb_generic *found = api->generic_of(api, generic);
    return found ? api->generic_object(api, found) : NULL;
}

static PyObject *call_it(PyObject *module, PyObject *args)
{
    const lbpy_api *api = state_of(module)->api;
    return api->call(api, PyTuple_GET_ITEM(args, 0),
                     &PyTuple_GET_ITEM(args, 0) + 1,
                     (size_t)PyTuple_GET_SIZE(args) - 1);
}

/* ---- set-up ------------------------------------------------------------- */

static int add_type(PyObject *module, lb_class *cls,
                    const lbpy_class_spec *spec, PyObject **kept)
{
    const lbpy_api *api = state_of(module)->api;
    PyObject *type = api->type_for_class(api, cls, spec);
    const int status =
        type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    if (kept)
        *kept = type; /* as long as the interpreter */
    Py_XDECREF(type);
    return status;
}

static int add_generic(PyObject *module, lb_head *head)
{
    const lbpy_api *api = state_of(module)->api;
    const lbpy_typed_spec spec = {.module = "shapes"};
    PyObject *typed = api->typed_generic(api, head, &spec);
    const int status =
        typed ? PyModule_AddObjectRef(module, head->signature->name, typed)
              : -1;
    Py_XDECREF(typed);
    return status;
}

static int add_generics(PyObject *module)
{
    lb_head *const all[] = {
        LB_HEAD(area),     LB_HEAD(scaled), LB_HEAD(meet),    LB_HEAD(label),
        LB_HEAD(is_large), LB_HEAD(touch),  LB_HEAD(add_up),  LB_HEAD(pick),
        LB_HEAD(tint),     LB_HEAD(weigh),  LB_HEAD(heavier), LB_HEAD(digits),
        LB_HEAD(describe), LB_HEAD(other)};
    const lbpy_api *api = state_of(module)->api;
    const unsigned first = 0;
    const lbpy_typed_spec spec = {.module = "shapes",
                                  .doc = "How much larger the other is.",
                                  .dispatched = &first};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (add_generic(module, all[i]) < 0)
            return -1;
    PyObject *typed = api->typed_generic(api, LB_HEAD(gap), &spec);
    const int status = typed ? PyModule_AddObjectRef(module, "gap", typed) : -1;
    Py_XDECREF(typed);
    return status;
}

static int make_thing(module_state *s)
{
    lb_runtime *rt = s->api->runtime;
    const lb_class_spec spec = {.name = "Thing",
                                .instance_size = sizeof(thing),
                                .flags = LB_FREE_ATTRIBUTES};
    const lb_attribute_spec note = {.kind = LB_FIELD,
                                    .type = LB_FIELD_VALUE,
                                    .offset = offsetof(thing, note)};
    const lb_attribute_spec twice = {.kind = LB_PROPERTY,
                                     .get = thing_get_twice};
    PyObject *unit = PyUnicode_FromString("metre");
    if (unit == NULL)
        return -1;
    const lb_attribute_spec value = {.kind = LB_VALUE,
                                     .value = lb_pointer(unit)};
    const int status =
        check(lb_class_create(rt, &spec, &s->thing_class)) ||
        check(lb_dictionary_set(lb_class_dictionary(s->thing_class), "note",
                                &note)) ||
        check(lb_dictionary_set(lb_class_dictionary(s->thing_class), "twice",
                                &twice)) ||
        check(lb_dictionary_set(lb_class_dictionary(s->thing_class), "unit",
                                &value)) ||
        check(lb_class_set_method(s->thing_class, "hello", thing_hello, NULL));
    Py_DECREF(unit);
    return status ? -1 : 0;
}

static int make_types(PyObject *module, module_state *s)
{
    PyObject *shape_type;
    const lbpy_class_spec shapes = {
        .module = "shapes", .doc = "What has an area.", .c_type = "shape"};
    const lbpy_class_spec plain = {.module = "shapes"};
    const lbpy_class_spec things = {.module = "shapes", .finish = thing_finish};
    const lbpy_class_spec nodes = {.module = "shapes",
                                   .c_type = "node",
                                   .init = node_init,
                                   .retain = node_retain,
                                   .release = node_release};
    if (add_type(module, shape_class, &shapes, &shape_type) < 0 ||
        add_type(module, circle_class, &plain, NULL) < 0 ||
        add_type(module, square_class, &plain, NULL) < 0 || make_thing(s) < 0 ||
        add_type(module, s->thing_class, &things, NULL) < 0)
        return -1;
    for (int i = 0; i < 4; i++)
        if (add_type(module, level_class[i], &plain, NULL) < 0)
            return -1;
    s->node_class =
        lb_class_make(s->api->runtime, "Node", sizeof(node), NULL, NULL);
    if (s->node_class == NULL)
        return check(LB_NO_MEMORY);
    return add_type(module, s->node_class, &nodes, NULL);
}

/* make_method(name, generic): makes a callable a method of Shape. */
static PyObject *make_method(PyObject *module, PyObject *args)
{
    const lbpy_api *api = state_of(module)->api;
    PyObject *type, *typed;
    const char *name;
    if (!PyArg_ParseTuple(args, "OsO", &type, &name, &typed) ||
        api->add_type_method(api, type, name, typed) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* What cannot be wrapped, with its complaint. */
static PyObject *wrap_strange(PyObject *module, PyObject *unused)
{
    const lbpy_api *api = state_of(module)->api;
    (void)unused;
    return api->typed_generic(api, LB_HEAD(strange), NULL);
}

/* synchronize(): gives back what was replaced, as far as nobody is inside. */
static PyObject *synchronize(PyObject *module, PyObject *unused)
{
    (void)unused;
    if (check(lb_synchronize(state_of(module)->api->runtime)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static int execute(PyObject *module)
{
    module_state *s = state_of(module);
    s->api = lbpy_import();
    if (s->api == NULL)
        return -1;
    if (LB_GENERIC_OF(area) &&
        lb_generic_runtime(LB_GENERIC_OF(area)) != s->api->runtime)
        return add_generic(module, LB_HEAD(area)); /* says what is wrong */
    if (check(shapes_setup_classes(s->api->runtime)) < 0 ||
        make_types(module, s) < 0 ||
        s->api->name_c_type(s->api, "colour", "unsigned") < 0 ||
        add_generics(module) < 0 || check(shapes_setup_methods()) < 0 ||
        check(lb_add(LB_HEAD(describe), LB_DESCRIPTOR(describe_shape),
                     shape_class)) < 0 ||
        check(lb_add(LB_HEAD(other), LB_DESCRIPTOR(same_node), s->node_class)) <
            0)
        return -1;
    return 0;
}

static PyMethodDef functions[] = {
    {"total_area", total_area, METH_O, NULL},
    {"bare_area", bare_area, METH_O, NULL},
    {"area_in_thread", area_in_thread, METH_O, NULL},
    {"lend_circle", lend_circle, METH_O, NULL},
    {"call_digits", call_digits, METH_O, NULL},
    {"call_label", call_label, METH_O, NULL},
    {"call_describe", call_describe, METH_VARARGS, NULL},
    {"call_pick", call_pick, METH_VARARGS, NULL},
    {"make_circle", make_circle, METH_O, NULL},
    {"lasting_circle", lasting_circle, METH_NOARGS, NULL},
    {"forget_lasting", forget_lasting, METH_NOARGS, NULL},
    {"same", same, METH_O, NULL},
    {"class_name", class_name, METH_O, NULL},
    {"order", order, METH_O, NULL},
    {"node_users", node_users, METH_O, NULL},
    {"counts", counts, METH_NOARGS, NULL},
    {"add", (PyCFunction)(void (*)(void))add, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"take_away", take_away, METH_VARARGS, NULL},
    {"invoke", invoke, METH_VARARGS, NULL},
    {"invoke_form", invoke_form, METH_VARARGS, NULL},
    {"add_behind", add_behind, METH_VARARGS, NULL},
    {"round_trip", round_trip, METH_O, NULL},
    {"call_it", call_it, METH_VARARGS, NULL},
    {"make_method", make_method, METH_VARARGS, NULL},
    {"wrap_strange", wrap_strange, METH_NOARGS, NULL},
    {"synchronize", synchronize, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,  .m_name = "shapes", .m_size = sizeof(module_state),
    .m_methods = functions, .m_slots = slots,
};

PyMODINIT_FUNC PyInit_shapes(void)
{
    return PyModuleDef_Init(&definition);
}
