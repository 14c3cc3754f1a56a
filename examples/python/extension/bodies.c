/* bodies.c - an extension of Python whose functions dispatch in C.
 *
 * A C library in a hundred lines: a class `Body`, one below it, and two generic
 * functions, called by C in a loop. Python derives classes, adds methods, and
 * the loop reaches them. The other way, a generic function that was made in
 * Python gets a method in C.
 *
 *   1. lbpy_import() gives the table of functions, one per interpreter.
 *   2. The classes are made in the interpreter's runtime (api->runtime).
 *   3. typed_generic binds a generic function and gives its callable.
 */
#include <latebind/python.h>

typedef struct body {
    lb_header head; /* first: says of which class the object is */
    double mass;
} body;

LB_GENERIC(double, weight, (ON, const body *, b), (WITH, double, gravity));
LB_DEFINE_GENERIC(weight);
LB_GENERIC(double, pull, (ON, const body *, a), (ON, const body *, b));
LB_DEFINE_GENERIC(pull);

LB_METHOD(weight, body_weight);
static double body_weight(lb_slot slot, const body *b, double gravity)
{
    LB_IGNORE(slot);
    return b->mass * gravity;
}

/* A balloon is lighter than its mass says: it asks the next method. */
LB_METHOD(weight, balloon_weight);
static double balloon_weight(lb_slot slot, const body *b, double gravity)
{
    LB_SELF(weight, balloon_weight, slot, b, gravity);
    return lb_next_weight(self, b, gravity) - 1;
}

LB_METHOD(pull, bodies_pull);
static double bodies_pull(lb_slot slot, const body *a, const body *b)
{
    LB_IGNORE(slot);
    return weight(a, 1) * weight(b, 1);
}

typedef struct module_state {
    const lbpy_api *api;
    lb_class *body, *balloon;
} module_state;

/* total(bodies): the loop in C. Between lbpy_call_begin and lbpy_call_end a
 * method in Python may raise: then lbpy_call_end says so. */
static PyObject *total(PyObject *module, PyObject *bodies)
{
    const module_state *s = PyModule_GetState(module);
    lbpy_call call;
    double sum = 0;
    PyObject *all = PySequence_Tuple(bodies);
    if (all == NULL || lbpy_call_begin(s->api, &call) < 0) {
        Py_XDECREF(all);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(all); i++) {
        const body *b =
            s->api->unwrap(s->api, PyTuple_GET_ITEM(all, i), s->body);
        if (b == NULL)
            break;
        sum += weight(b, 10);
    }
    const int status = lbpy_call_end(s->api, &call);
    Py_DECREF(all);
    return status < 0 ? NULL : PyFloat_FromDouble(sum);
}

/* A method in C for a generic function of Python: its values are objects. */
LB_BOXED_METHOD(add_numbers);
static lb_status add_numbers(lb_slot slot, size_t argc, const lb_value *argv,
                             lb_value *result)
{
    LB_IGNORE(slot);
    (void)argc;
    result->pointer = PyNumber_Add(argv[0].pointer, argv[1].pointer);
    return result->pointer ? LB_OK : LB_METHOD_FAILED;
}

/* extend(generic): gives it that method for two ints. */
static PyObject *extend(PyObject *module, PyObject *generic)
{
    const module_state *s = PyModule_GetState(module);
    PyObject *types = PyTuple_Pack(2, &PyLong_Type, &PyLong_Type);
    if (types == NULL)
        return NULL;
    const lbpy_method_spec spec = {.method = LB_DESCRIPTOR(add_numbers),
                                   .types = types};
    PyObject *method = s->api->add_method(s->api, generic, &spec);
    Py_DECREF(types);
    return method;
}

/* ---- set-up ------------------------------------------------------------- */

static int check(lb_status status)
{
    if (status != LB_OK && !PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, lb_message());
    return status == LB_OK ? 0 : -1;
}

static int make_classes(module_state *s)
{
    const lb_attribute_spec mass = {.kind = LB_FIELD,
                                    .type = LB_FIELD_DOUBLE,
                                    .offset = offsetof(body, mass)};
    lb_runtime *rt = s->api->runtime;
    s->body = lb_class_make(rt, "Body", sizeof(body), NULL, NULL);
    if (s->body == NULL)
        return check(LB_NO_MEMORY);
    s->balloon = lb_class_make(rt, "Balloon", sizeof(body), s->body, NULL);
    if (s->balloon == NULL)
        return check(LB_NO_MEMORY);
    return check(
        lb_dictionary_set(lb_class_dictionary(s->body), "mass", &mass));
}

static int add_type(PyObject *module, const module_state *s, lb_class *cls)
{
    const lbpy_class_spec spec = {.module = "bodies", .c_type = "body"};
    PyObject *type = s->api->type_for_class(
        s->api, cls,
        cls == s->body ? &spec : &(lbpy_class_spec){.module = "bodies"});
    const int status =
        type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return status;
}

/* The callable goes into the module and, if that is wanted, becomes a method of
 * the type: so classes in Python can override it. */
static int add_generic(PyObject *module, const module_state *s, lb_head *head,
                       PyObject *type)
{
    const char *name = head->signature->name;
    PyObject *callable = s->api->typed_generic(s->api, head, NULL);
    int status = callable ? PyModule_AddObjectRef(module, name, callable) : -1;
    if (status == 0 && type)
        status = s->api->add_type_method(s->api, type, name, callable);
    Py_XDECREF(callable);
    return status;
}

static int execute(PyObject *module)
{
    module_state *s = PyModule_GetState(module);
    s->api = lbpy_import();
    if (s->api == NULL || make_classes(s) < 0 ||
        add_type(module, s, s->body) < 0 || add_type(module, s, s->balloon) < 0)
        return -1;
    PyObject *type = s->api->type_of_class(s->api, s->body);
    int status = type ? add_generic(module, s, LB_HEAD(weight), type) : -1;
    Py_XDECREF(type);
    if (status == 0)
        status = add_generic(module, s, LB_HEAD(pull), NULL);
    if (status < 0)
        return -1;
    return check(lb_add(LB_HEAD(weight), LB_DESCRIPTOR(body_weight), s->body)) <
                       0 ||
                   check(lb_add(LB_HEAD(weight), LB_DESCRIPTOR(balloon_weight),
                                s->balloon)) < 0 ||
                   check(lb_add(LB_HEAD(pull), LB_DESCRIPTOR(bodies_pull),
                                s->body, s->body)) < 0
               ? -1
               : 0;
}

static PyMethodDef functions[] = {
    {"total", total, METH_O, "total(bodies): the sum of their weights, in C."},
    {"extend", extend, METH_O,
     "extend(generic): adds a method in C for two ints."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "bodies",
    .m_doc = "Bodies and their weights.",
    .m_size = sizeof(module_state),
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_bodies(void)
{
    return PyModuleDef_Init(&definition);
}
