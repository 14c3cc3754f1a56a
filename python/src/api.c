/* api.c - the table of functions that C extensions get (latebind/python.h).
 *
 * Each function finds the state in the table and hands on to the bridge. The
 * table lies in the bridge; a capsule in the module leads to it.
 */
#include "bridge.h"

static lbpy_state *state_of(const lbpy_api *api)
{
    return api->state;
}

/* ---- classes and types -------------------------------------------------- */

static PyObject *type_for_class(const lbpy_api *api, lb_class *cls,
                                const lbpy_class_spec *spec)
{
    return lbpy_class_of_native(state_of(api), cls, spec);
}

static lb_class *class_of_type(const lbpy_api *api, PyTypeObject *type)
{
    lbpy_state *state = state_of(api);
    if (lbpy_is_class(state, (PyObject *)type))
        return lbpy_class_engine((lbpy_class *)type);
    const lbpy_type *record = lbpy_type_of(state, type);
    return record ? record->cls : NULL;
}

static PyObject *type_of_class(const lbpy_api *api, lb_class *cls)
{
    const lbpy_state *state = state_of(api);
    lbpy_class *type = lbpy_class_find(state, cls);
    if (type)
        return Py_NewRef((PyObject *)type);
    for (size_t i = 0; i < state->type_room; i++)
        if (state->types[i] && state->types[i]->cls == cls && cls)
            return lbpy_type_object(state->types[i]);
    return PyErr_Format(PyExc_LookupError, "no type stands for the class at %p",
                        (void *)cls);
}

static int name_c_type(const lbpy_api *api, const char *name,
                       const char *same_as)
{
    return lbpy_c_types_name(state_of(api), name, same_as);
}

/* ---- objects ------------------------------------------------------------ */

static PyObject *wrap(const lbpy_api *api, void *object,
                      lbpy_ownership ownership)
{
    if (object == NULL)
        return PyErr_Format(PyExc_ValueError, "the object is NULL");
    return lbpy_object_wrap(
        state_of(api), object,
        ownership == LBPY_OWNED ? LBPY_TIE_OWNED : LBPY_TIE_BORROWED, NULL);
}

static PyObject *object_of(const lbpy_api *api, const void *object)
{
    return object ? lbpy_object_find(state_of(api), object) : NULL;
}

static void *unwrap(const lbpy_api *api, PyObject *object, const lb_class *cls)
{
    lbpy_state *state = state_of(api);
    void *pointer = NULL;
    if (lbpy_is_object(state, object)) {
        pointer = lbpy_object_pointer(object);
        if (pointer == NULL || cls == NULL || lb_is_instance(pointer, cls))
            return pointer;
    }
    return PyErr_Format(PyExc_TypeError, "an object of %s is wanted, not %s",
                        cls ? lb_class_name(cls) : "a class of C",
                        Py_TYPE(object)->tp_name);
}

static void forget(const lbpy_api *api, void *object)
{
    if (object)
        lbpy_object_forget(state_of(api), object);
}

/* ---- typed generic functions -------------------------------------------- */

static PyObject *typed_generic(const lbpy_api *api, lb_head *head,
                               const lbpy_typed_spec *spec)
{
    return lbpy_typed_bind(state_of(api), head, spec);
}

static PyObject *typed_of(const lbpy_api *api, lb_generic *generic,
                          const lbpy_typed_spec *spec)
{
    return lbpy_typed_of(state_of(api), generic, spec);
}

static int add_type_method(const lbpy_api *api, PyObject *type,
                           const char *name, PyObject *typed)
{
    lbpy_state *state = state_of(api);
    if (!lbpy_is_class(state, type) || !((lbpy_class *)type)->native ||
        !Py_IS_TYPE(typed, state->bridge->typed_type)) {
        PyErr_Format(PyExc_TypeError,
                     "add_type_method wants the type of a class of C and the "
                     "callable of a typed generic function, not %R and %R",
                     type, typed);
        return -1;
    }
    PyObject *text = PyUnicode_InternFromString(name);
    const int status = text ? lbpy_override_add(state, (lbpy_class *)type, text,
                                                (lbpy_typed *)typed)
                            : -1;
    Py_XDECREF(text);
    return status;
}

/* ---- generic functions of Python ---------------------------------------- */

static PyObject *add_method(const lbpy_api *api, PyObject *generic,
                            const lbpy_method_spec *spec)
{
    return lbpy_boxed_add(state_of(api), generic, spec);
}

static int remove_method(const lbpy_api *api, PyObject *generic,
                         PyObject *method)
{
    (void)api;
    PyObject *done = PyObject_CallMethod(generic, "remove", "O", method);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyObject *call(const lbpy_api *api, PyObject *callable,
                      PyObject *const *args, size_t count)
{
    (void)api;
    return PyObject_Vectorcall(callable, args, count, NULL);
}

static lb_generic *generic_of(const lbpy_api *api, PyObject *generic)
{
    const lbpy_state *state = state_of(api);
    if (Py_IS_TYPE(generic, state->bridge->typed_type))
        return ((lbpy_typed *)generic)->generic;
    if (PyObject_TypeCheck(generic, state->generic_type))
        return lbpy_generic_entrance((lbpy_generic *)generic);
    return (lb_generic *)PyErr_Format(
        PyExc_TypeError, "a generic function is wanted, not %R", generic);
}

static PyObject *generic_object(const lbpy_api *api, const lb_generic *generic)
{
    lbpy_state *state = state_of(api);
    PyObject *found = lbpy_map_get(&state->bridge->typed, generic);
    if (found == NULL)
        found = (PyObject *)lbpy_generic_owner(state, generic, NULL);
    return found ? Py_NewRef(found)
                 : PyErr_Format(PyExc_LookupError,
                                "Python has nothing for the generic function "
                                "at %p",
                                (const void *)generic);
}

/* ---- calls -------------------------------------------------------------- */

_Static_assert(sizeof(lbpy_frame) <= sizeof(lbpy_call),
               "an lbpy_call has room for a frame");

static int begin(const lbpy_api *api, lbpy_call *call)
{
    return lbpy_frame_begin(state_of(api), (lbpy_frame *)(void *)call);
}

static int end(const lbpy_api *api, lbpy_call *call)
{
    return lbpy_frame_end(state_of(api), (lbpy_frame *)(void *)call);
}

/* ---- the capsule -------------------------------------------------------- */

static void fill(lbpy_api *api, lbpy_state *state)
{
    *api = (lbpy_api){.version = LBPY_API_VERSION,
                      .size = sizeof *api,
                      .runtime = state->runtime,
                      .state = state,
                      .type_for_class = type_for_class,
                      .class_of_type = class_of_type,
                      .type_of_class = type_of_class,
                      .name_c_type = name_c_type,
                      .wrap = wrap,
                      .object_of = object_of,
                      .unwrap = unwrap,
                      .forget = forget,
                      .typed_generic = typed_generic,
                      .typed_of = typed_of,
                      .add_type_method = add_type_method,
                      .add_method = add_method,
                      .remove_method = remove_method,
                      .call = call,
                      .generic_of = generic_of,
                      .generic_object = generic_object,
                      .begin = begin,
                      .end = end};
}

/* Whoever has the capsule has the table. */
static void let_go(PyObject *capsule)
{
    lbpy_api *api = PyCapsule_GetPointer(capsule, LBPY_API_CAPSULE);
    if (api)
        lbpy_state_release(api->state);
}

int lbpy_api_setup(PyObject *module, lbpy_state *state)
{
    lbpy_api *api = &state->bridge->api;
    fill(api, state);
    PyObject *capsule = PyCapsule_New(api, LBPY_API_CAPSULE, let_go);
    if (capsule == NULL)
        return -1;
    lbpy_state_hold(state);
    const int status = PyModule_AddObjectRef(module, "_C_API", capsule);
    Py_DECREF(capsule);
    return status;
}
