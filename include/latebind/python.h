/* latebind/python.h - C extensions of Python that use latebind from C.
 *
 *     static const lbpy_api *api;      (in the module's state, in truth)
 *     api = lbpy_import();
 *     lb_class *circle = lb_class_make(api->runtime, "Circle", ...);
 *     PyObject *type = api->type_for_class(api, circle, &spec);
 *     PyObject *area = api->typed_generic(api, LB_HEAD(area), NULL);
 *
 * Then Python calls `area(c)` and adds methods to it, C calls `area(&c)` and
 * reaches them; a class of Python that derives from an exposed class of C
 * overrides what C calls. And a generic function that was made in Python takes
 * methods in C (add_method).
 *
 * One of everything per interpreter: get the table once in each, keep it in the
 * module's state, never in a static variable. It is valid as long as the
 * interpreter, and what it says is of that interpreter's runtime only.
 *
 * Ownership: a `PyObject *` that is returned is a new reference; arguments are
 * borrowed; texts and structs that are handed in are copied, unless it says
 * otherwise.
 *
 * Errors: NULL or -1, with an exception set, unless it says otherwise.
 *
 * Threads: all functions here want the interpreter's lock. A typed generic
 * function may be called from C with or without it: methods in Python take it
 * for themselves.
 *
 * Brackets: the runtime gives memory back when nobody is between lb_enter and
 * lb_leave (LB_RECLAIM_EPOCH). A call from C must be inside a bracket, unless
 * no rule can change meanwhile: lbpy_call_begin below; in threads of one's own
 * lb_reader_create and lb_enter. Methods that Python calls are inside one.
 *
 * Values: in an interpreter's runtime the values of attributes (free ones,
 * LB_VALUE, LB_FIELD_VALUE, arguments and results of LB_FUNCTION and the like)
 * are `PyObject *`; dictionaries hold one reference to each. So who sets or
 * gets them holds the interpreter's lock. The receiver is the C object itself.
 *
 * Cost: a call of a typed generic function by Python is a conversion of each
 * argument and an lb_invoke, three to four times a call of a Python function; a
 * method in Python that C calls about as much; a method in C of a generic
 * function of Python less than one in Python. Calls of C by C cost what they do
 * without Python.
 */
#ifndef LATEBIND_PYTHON_H
#define LATEBIND_PYTHON_H

#include <Python.h>

#include <latebind/latebind.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Another one when a function's meaning changes; functions that are added at
 * the end of the table only make `size` larger. */
#define LBPY_API_VERSION 1
#define LBPY_API_CAPSULE "latebind._core._C_API"

typedef struct lbpy_api lbpy_api;

/* Who ends a C object that a Python object stands for. */
typedef enum lbpy_ownership {
    LBPY_BORROWED = 0, /* C does, after `forget` */
    LBPY_OWNED = 1     /* the Python object, by lb_delete: it was made by lb_new
                          for its class */
} lbpy_ownership;

/* What a class in C is like in Python. Zero is a good default for all. */
typedef struct lbpy_class_spec {
    const char *module; /* NULL: "latebind" */
    const char *doc;    /* NULL: none */
    const char *c_type; /* the name of its struct where it stands in signatures:
                           "shape" for `const shape *`; NULL: in none */
    /* Fills a new object, zeroed but for its header, from the arguments of the
     * call; 0, or -1 and an exception. NULL: the bases'; if they have none,
     * arguments by name are set as attributes. A class in Python whose __init__
     * does not call it leaves the object zeroed. */
    int (*init)(void *object, PyObject *args, PyObject *kwargs);
    /* Gives up what a C object holds, before lb_delete. NULL: the bases'. */
    void (*finish)(void *object);
    /* Both or neither; NULL: the bases'. With them the C object counts its
     * users: a Python object is one of them from when it is made until it ends,
     * and `release` of the last frees the object, by lb_delete if Python made
     * it. */
    void (*retain)(void *object);
    void (*release)(void *object);
} lbpy_class_spec;

/* How a typed generic function is seen in Python. Zero is a good default. */
typedef struct lbpy_typed_spec {
    const char *doc;         /* NULL: its signature */
    const char *module;      /* NULL: "latebind" */
    const lb_policy *policy; /* for lb_bind if it is not bound yet */
    /* Which parameters are dispatched on, from 0, as many as there are; NULL:
     * the objects and references among them, when these are just as many. */
    const unsigned *dispatched;
} lbpy_typed_spec;

/* A method in C of a generic function that was made in Python. */
typedef struct lbpy_method_spec {
    /* Made by LB_BOXED_METHOD. Called with the interpreter's lock; its values
     * are borrowed `PyObject *`, its result a new reference. A failure is
     * LB_METHOD_FAILED with an exception set. It is referred to, not copied. */
    const lb_method *method;
    PyObject *types; /* tuple: what each positional argument must be, anything
                          that may stand in an annotation */
    size_t optional; /* of these, how many may be missing */
    PyObject *rest;  /* what further arguments must be; NULL: there are none */
    int wants_next;  /* it calls lb_invoke_next: the next method, in whichever
                          language (its result is a new reference) */
    lb_qualifier qualifier;
    lb_propagate propagate;
    int commutative;
    const char *doc;
    void *context; /* in the method: lb_load_entry(slot)->context */
    void (*release)(void *context); /* once nothing can run it any more; NULL:
                                       nothing. If adding fails, it is called,
                                       too */
} lbpy_method_spec;

/* A call of C by Python: what happens between lbpy_call_begin and
 * lbpy_call_end, which are in the same function. */
typedef struct lbpy_call {
    void *own[8];
} lbpy_call;

/* The table. Each function's first parameter is the table itself. */
struct lbpy_api {
    uint32_t version; /* LBPY_API_VERSION of the module */
    uint32_t size;    /* of the table, in bytes */
    lb_runtime *runtime;
    void *state; /* the module's */

    /* ---- classes and types ---------------------------------------------- */

    /* The type that stands for a class of the runtime, made if need be (for its
     * bases first; then `spec` says how, NULL: all zero). The same class gives
     * the same type. It lives as long as the interpreter: do not end the class.
     * A type that is called makes an object by lb_new. Fields, properties,
     * methods and values of the class, and free attributes, are attributes. */
    PyObject *(*type_for_class)(const lbpy_api *api, lb_class *cls,
                                const lbpy_class_spec *spec);

    /* The class of a type: that which it stands for, that of a class of Python
     * below such; of any other type the class by which generic functions of
     * Python know it. It lives as long as the type. */
    lb_class *(*class_of_type)(const lbpy_api *api, PyTypeObject *type);

    /* The other way; LookupError when no type stands for it. */
    PyObject *(*type_of_class)(const lbpy_api *api, lb_class *cls);

    /* Lets signatures name a C type: an integer or floating type, by one that
     * is known, e.g. ("colour", "unsigned"); or a pointer to objects,
     * ("shape_p", "shape *"). ValueError when `same_as` is not known. */
    int (*name_c_type)(const lbpy_api *api, const char *name,
                       const char *same_as);

    /* ---- objects -------------------------------------------------------- */

    /* The Python object for a C object, whose header says its class; made if
     * there is none: at any time there is at most one. LBPY_OWNED for an object
     * that is borrowed so far hands it over. Of a class with `retain` the
     * ownership does not matter. */
    PyObject *(*wrap)(const lbpy_api *api, void *object,
                      lbpy_ownership ownership);

    /* The Python object for a C object if there is one; NULL without an
     * exception. Cost: a hash look-up. */
    PyObject *(*object_of)(const lbpy_api *api, const void *object);

    /* The C object, which must be of `cls` (NULL: any): borrowed from the
     * Python object. TypeError; ReferenceError when it was forgotten. */
    void *(*unwrap)(const lbpy_api *api, PyObject *object, const lb_class *cls);

    /* Parts a Python object from its C object: using it raises ReferenceError
     * from now on, and C ends the C object. For a C object that is ended while
     * Python may hold on to it. Nothing happens when there is none. */
    void (*forget)(const lbpy_api *api, void *object);

    /* ---- typed generic functions ---------------------------------------- */

    /* The callable for a typed generic function, bound to the runtime if it is
     * not bound. Arguments and results are converted by the C types in its
     * signature: integers, floating, bool; `const char *` from and to str (None
     * is NULL; a result that C gets lives as long as the interpreter);
     * `PyObject *`; pointers to objects of exposed classes (None is NULL where
     * it is not dispatched on); lb_ref (an object of an exposed class, or any
     * other, then `object` is the `PyObject *` and the class its type's).
     * TypeError names what it cannot convert. RuntimeError when it is bound to
     * another interpreter's runtime: a head has one at a time; make another one
     * there by lb_generic_create, call it by lb_in_name, and see typed_of. The
     * same generic function gives the same callable, which lives as long as the
     * interpreter: do not destroy the generic function.
     *
     * Methods in Python are added by `area.register`. An object that C hands to
     * one is lent, unless Python owns or shares it or it was wrapped before:
     * when the method has returned, using it raises ReferenceError. A method
     * must not return an object that nothing else holds on to. An object of a
     * class with `retain` that is a result, of a method in C or in Python, is a
     * use of the caller's.
     *
     * An exception in a method in Python ends that method with a result of
     * zero, and is raised when C returns to Python: where the callable was
     * called, or at lbpy_call_end; when C was not called by Python it goes to
     * sys.unraisablehook. */
    PyObject *(*typed_generic)(const lbpy_api *api, lb_head *head,
                               const lbpy_typed_spec *spec);

    /* The same for one that is of the runtime already. */
    PyObject *(*typed_of)(const lbpy_api *api, lb_generic *generic,
                          const lbpy_typed_spec *spec);

    /* Makes the callable `typed` a method of the type of an exposed class: its
     * first argument must be dispatched on. A function of that name in a class
     * of Python below is a rule of the generic function, as long as it stands
     * there; `super()` leads to the methods in C. */
    int (*add_type_method)(const lbpy_api *api, PyObject *type,
                           const char *name, PyObject *typed);

    /* ---- generic functions of Python ------------------------------------ */

    /* Adds a method in C to a latebind.GenericFunction; returns its Method, as
     * in its `.methods`. Equal types replace. `wants_next` costs an object per
     * call, else a call is as short as that of a function in C. */
    PyObject *(*add_method)(const lbpy_api *api, PyObject *generic,
                            const lbpy_method_spec *spec);

    /* Takes a method away, as generic.remove(method). */
    int (*remove_method)(const lbpy_api *api, PyObject *generic,
                         PyObject *method);

    /* Calls any callable; a generic function at its own cost. */
    PyObject *(*call)(const lbpy_api *api, PyObject *callable,
                      PyObject *const *args, size_t count);

    /* The engine's generic function: of a callable for a typed one, itself; of
     * a GenericFunction one to be called by lb_invoke, with the interpreter's
     * lock and inside a bracket. Its values are `PyObject *`, borrowed, all
     * positional arguments; its result is a new reference; LB_METHOD_FAILED
     * leaves an exception set. It is the same one as long as the generic
     * function lives, whatever methods that has; rules are added by add_method
     * only. */
    lb_generic *(*generic_of)(const lbpy_api *api, PyObject *generic);

    /* The other way: the GenericFunction or the callable. LookupError. */
    PyObject *(*generic_object)(const lbpy_api *api, const lb_generic *generic);

    /* ---- calls ---------------------------------------------------------- */

    /* See lbpy_call_begin. */
    int (*begin)(const lbpy_api *api, lbpy_call *call);
    int (*end)(const lbpy_api *api, lbpy_call *call);
};

/* The interpreter's table, or NULL and an exception. Imports latebind; for the
 * function that sets a module up. */
static inline const lbpy_api *lbpy_import(void)
{
    PyObject *module = PyImport_ImportModule("latebind._core");
    if (module == NULL)
        return NULL;
    PyObject *capsule = PyObject_GetAttrString(module, "_C_API");
    const lbpy_api *api = NULL;
    if (capsule)
        api = (const lbpy_api *)PyCapsule_GetPointer(capsule, LBPY_API_CAPSULE);
    Py_XDECREF(capsule);
    Py_DECREF(module);
    if (api && (api->version != LBPY_API_VERSION ||
                api->size < sizeof(struct lbpy_api))) {
        PyErr_Format(PyExc_ImportError,
                     "this extension was built for version %d of latebind's C "
                     "interface with %zu bytes, the module that was found has "
                     "version %d with %d: install a newer latebind, or rebuild",
                     LBPY_API_VERSION, sizeof(struct lbpy_api),
                     (int)api->version, (int)api->size);
        return NULL;
    }
    return api;
}

/* Around the part of a function, called by Python, that calls typed generic
 * functions: enters a bracket, and keeps the first exception of a method in
 * Python. 0, or -1 and MemoryError; then there is nothing to end. */
static inline int lbpy_call_begin(const lbpy_api *api, lbpy_call *call)
{
    return api->begin(api, call);
}

/* Leaves the bracket; raises what was kept (-1), else 0. When an exception is
 * set already, that one stays (-1), and the other is its context. */
static inline int lbpy_call_end(const lbpy_api *api, lbpy_call *call)
{
    return api->end(api, call);
}

#ifdef __cplusplus
}
#endif
#endif
