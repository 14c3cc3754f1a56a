/* bridge.h - the two languages: what C makes, in Python, and the other way.
 *
 * bridge.c        set-up and end; taking the interpreter's lock; calls of C by
 *                 Python, and the exceptions that wait for their end
 * bridge_class.c  types for classes of C, classes of Python below them
 * bridge_object.c Python objects for C objects
 * bridge_value.c  attributes: fields, properties, values, methods
 * bridge_type.c   C types by their names in signatures; conversion
 * bridge_typed.c  typed generic functions as callables
 * bridge_rule.c   methods in Python as rules of them
 * bridge_override.c  attributes of classes as such rules, super()
 * bridge_boxed.c  methods in C of generic functions of Python
 * bridge_map.c    a table from addresses to addresses
 * api.c           the table of functions for extensions (latebind/python.h)
 *
 * Everything but lbpy_typed_run and the release hooks wants the interpreter's
 * lock.
 */
#ifndef LBPY_BRIDGE_H
#define LBPY_BRIDGE_H

#include <latebind/python.h>

#include "generic.h"

#include <structmember.h>

/* ---- a table from addresses to addresses -------------------------------- */

typedef struct lbpy_map {
    struct lbpy_pair {
        const void *key; /* NULL: empty */
        void *value;
    } * at;
    size_t room, count;
} lbpy_map;

void *lbpy_map_get(const lbpy_map *map, const void *key);      /* NULL: none */
int lbpy_map_put(lbpy_map *map, const void *key, void *value); /* 0, -1 */
void lbpy_map_take(lbpy_map *map, const void *key);
void lbpy_map_end(lbpy_map *map);

/* ---- what an interpreter's bridge holds --------------------------------- */

typedef struct lbpy_frame {
    struct lbpy_frame *outer;
    PyThreadState *thread; /* whose stack it is on */
    lb_reader *reader;
    PyObject *type, *value, *traceback; /* the exception that waits, or NULL */
} lbpy_frame;

struct lbpy_bridge {
    lbpy_api api;
    PyInterpreterState *interpreter;
    lbpy_frame *frames;        /* of all threads; the newest first */
    PyObject *kept;            /* list: types of C's classes, callables */
    PyObject *c_types;         /* dict: name -> number of a kind, or type */
    lbpy_map types;            /* lb_class -> its type, borrowed */
    lbpy_map objects;          /* C object -> Python object, borrowed */
    lbpy_map typed;            /* lb_generic -> callable, borrowed */
    lb_generic *boxed;         /* what entries of methods in C name */
    PyTypeObject *meta_type;   /* of types of C's classes */
    PyTypeObject *object_type; /* base of their instances */
    PyTypeObject *attribute_type;
    PyTypeObject *bound_type;
    PyTypeObject *typed_type;
    PyTypeObject *typed_next_type;
    PyTypeObject *door_type;
    PyTypeObject *c_method_type;
    lb_class **dead; /* of Python's, from which others still derive */
    size_t dead_count, dead_room;
};

int lbpy_bridge_setup(PyObject *module, lbpy_state *state);
int lbpy_bridge_traverse(lbpy_state *state, visitproc visit, void *arg);
void lbpy_bridge_clear(lbpy_state *state); /* with the module */
void lbpy_bridge_end(lbpy_state *state);   /* after the runtime */
int lbpy_api_setup(PyObject *module, lbpy_state *state);

/* ---- the interpreter's lock --------------------------------------------- */

typedef struct lbpy_held {
    enum { LBPY_HAD, LBPY_ENSURED, LBPY_MADE } how;
    PyGILState_STATE before;
} lbpy_held;

/* Takes the lock of the state's interpreter, if the thread does not have it.
 * False, and a message (lb_fail_with): the interpreter has ended or is ending,
 * or the thread is another interpreter's. */
bool lbpy_lock(const lbpy_state *state, lbpy_held *held);
void lbpy_unlock(const lbpy_held *held);

/* ---- calls -------------------------------------------------------------- */

int lbpy_frame_begin(lbpy_state *state, lbpy_frame *frame);
int lbpy_frame_end(lbpy_state *state, lbpy_frame *frame);

/* Takes the exception that is set: it waits for the end of the innermost call
 * of this thread; if there is none, or one waits already, it goes to
 * sys.unraisablehook, with `where`. */
void lbpy_frame_fail(lbpy_state *state, PyObject *where);

/* An exception for what a call came to, by the thread's message; one that is
 * set stays. Returns NULL. */
PyObject *lbpy_raise_call(lb_status status);

/* A type from a spec, kept in *to. 0, -1. */
int lbpy_make_type(PyObject *module, PyType_Spec *spec, PyTypeObject **to);

/* ---- classes ------------------------------------------------------------ */

typedef struct lbpy_typed lbpy_typed;
typedef struct lbpy_typed_method lbpy_typed_method;

/* A function of a class of Python that is a rule. */
typedef struct lbpy_override {
    struct lbpy_override *next;
    PyObject *name;
    PyObject *function; /* strong */
    lbpy_typed *typed;  /* strong */
    lbpy_typed_method *rule;
} lbpy_override;

/* A type that stands for a class: of C (native), or below one, of Python. */
typedef struct lbpy_class {
    PyHeapTypeObject type;
    lbpy_state *state; /* held; NULL until the type is ready */
    lb_class *cls;     /* NULL: not made yet */
    bool native;
    int8_t free; /* 1: its objects have free attributes, -1: not, 0: unknown */
    lbpy_class_spec hooks; /* its own, or its first base's that has them */
    PyObject *doors;       /* native: dict: name -> door; or NULL */
    lbpy_override *overrides;
} lbpy_class;

int lbpy_class_setup(PyObject *module, lbpy_state *state);
bool lbpy_is_class(const lbpy_state *state, PyObject *object);
PyObject *lbpy_class_of_native(lbpy_state *state, lb_class *cls,
                               const lbpy_class_spec *spec);

/* The engine's class of the type, made if need be; NULL: an exception. */
lb_class *lbpy_class_engine(lbpy_class *type);

/* The type of a class if it has one, borrowed; NULL without an exception. */
lbpy_class *lbpy_class_find(const lbpy_state *state, const lb_class *cls);

/* Is it the class by which generic functions of Python know a type? */
bool lbpy_is_python_class(const lbpy_state *state, const lb_class *cls);

/* The next class that stands for one, in the MRO of `type` from *at on. */
lbpy_class *lbpy_class_next(lbpy_class *type, Py_ssize_t *at);

/* ---- objects ------------------------------------------------------------ */

typedef enum lbpy_tie {
    LBPY_TIE_NONE, /* pointer is NULL */
    LBPY_TIE_LENT, /* for one call */
    LBPY_TIE_BORROWED,
    LBPY_TIE_OWNED,
    LBPY_TIE_SHARED
} lbpy_tie;

typedef struct lbpy_object {
    PyObject_HEAD void *pointer; /* the C object, or NULL */
    lb_class *cls;               /* OWNED: what it was made for */
    PyObject *weak;
    lbpy_tie tie;
} lbpy_object;

int lbpy_object_setup(PyObject *module, lbpy_state *state);
bool lbpy_is_object(const lbpy_state *state, PyObject *object);

/* New references; `tie` is LENT, BORROWED or OWNED. *fresh (NULL: not wanted):
 * whether it was made. */
PyObject *lbpy_object_wrap(lbpy_state *state, void *pointer, lbpy_tie tie,
                           bool *fresh);
PyObject *lbpy_object_find(lbpy_state *state, const void *pointer);
void lbpy_object_forget(lbpy_state *state, void *pointer);

/* The C object; NULL: ReferenceError. */
void *lbpy_object_pointer(PyObject *object);

/* ---- attributes --------------------------------------------------------- */

int lbpy_value_setup(PyObject *module, lbpy_state *state);
PyObject *lbpy_value_get(lbpy_state *state, PyObject *object,
                         const lb_symbol *symbol);
/* value NULL: deletes. */
int lbpy_value_set(lbpy_state *state, PyObject *object, const lb_symbol *symbol,
                   PyObject *value);
/* Puts a descriptor into the type for each attribute that its class has. */
int lbpy_value_describe(lbpy_state *state, lbpy_class *type);
/* An exception for a look-up that failed. Returns -1. */
int lbpy_value_raise(lb_status status);
/* The symbol of a name if there is one; NULL, perhaps with an exception. */
const lb_symbol *lbpy_symbol_of(lbpy_state *state, PyObject *name, bool make);

/* ---- C types ------------------------------------------------------------ */

typedef enum lbpy_code {
    LBPY_C_VOID,
    LBPY_C_BOOL,
    LBPY_C_I8,
    LBPY_C_I16,
    LBPY_C_I32,
    LBPY_C_I64,
    LBPY_C_U8,
    LBPY_C_U16,
    LBPY_C_U32,
    LBPY_C_U64,
    LBPY_C_FLOAT,
    LBPY_C_DOUBLE,
    LBPY_C_TEXT,   /* const char * */
    LBPY_C_PYTHON, /* PyObject *   */
    LBPY_C_OBJECT, /* pointer to an object of `cls` or below */
    LBPY_C_REF     /* lb_ref */
} lbpy_code;

typedef struct lbpy_c_type {
    lbpy_code code;
    lbpy_class *cls; /* strong; OBJECT */
} lbpy_c_type;

int lbpy_c_types_setup(lbpy_state *state);
int lbpy_c_types_name(lbpy_state *state, const char *name, const char *same_as);

/* Reads `length` bytes of text. 1; 0: no such type is known; -1. */
int lbpy_c_type_read(lbpy_state *state, const char *text, size_t length,
                     lbpy_c_type *type);
/* Lets `type *` stand for objects of the class; the name without the star. */
int lbpy_c_types_struct(lbpy_state *state, const char *name, lbpy_class *type);

/* Where a value is, for exceptions: "area: argument 1". */
typedef struct lbpy_where {
    PyObject *name;
    int argument;    /* from 1; 0: the result */
    bool dispatched; /* must not be NULL */
} lbpy_where;

/* To C. Pointers are borrowed from `from`; `room` holds what is larger than a
 * value. 0, -1. */
int lbpy_to_c(lbpy_state *state, const lbpy_c_type *type, PyObject *from,
              const lbpy_where *where, lb_value *value, lb_ref *room);
/* To Python, a new reference. Objects are tied by `tie`; *fresh as in
 * lbpy_object_wrap. */
PyObject *lbpy_from_c(lbpy_state *state, const lbpy_c_type *type,
                      const lb_value *value, lbpy_tie tie, bool *fresh);

/* ---- typed generic functions -------------------------------------------- */

struct lbpy_typed {
    PyObject_HEAD vectorcallfunc vectorcall;
    lbpy_state *state; /* held */
    lb_generic *generic;
    const lb_signature *signature;
    PyObject *name, *doc; /* str */
    PyObject *dict, *weak;
    PyObject *texts;             /* dict: str results that C was given, kept */
    lbpy_typed_method **methods; /* registered here, its own */
    size_t count, room;
    unsigned dispatched[LB_MAX_DISPATCH];
    lbpy_c_type result;
    lbpy_c_type parameters[LB_MAX_PARAMETERS];
};

int lbpy_typed_setup(PyObject *module, lbpy_state *state);
PyObject *lbpy_typed_of(lbpy_state *state, lb_generic *generic,
                        const lbpy_typed_spec *spec);
PyObject *lbpy_typed_bind(lbpy_state *state, lb_head *head,
                          const lbpy_typed_spec *spec);

/* Arguments in C's form. */
typedef struct lbpy_packed {
    lb_value values[LB_MAX_PARAMETERS];
    lb_ref room[LB_MAX_PARAMETERS];
} lbpy_packed;

int lbpy_typed_pack(lbpy_typed *typed, PyObject *const *args, Py_ssize_t count,
                    lbpy_packed *packed);

/* Runs the generic function, or what comes after `entry` if that is not NULL,
 * in a frame. A new reference. */
PyObject *lbpy_typed_invoke(lbpy_typed *typed, const lb_entry *entry,
                            const lbpy_packed *packed);

/* The classes of the dispatched arguments, and their values; 0, or -1 and an
 * exception. */
int lbpy_typed_classes(lbpy_typed *typed, const lbpy_packed *packed,
                       lb_class **classes, lb_value *values);

/* A result of a method in Python, for C. Borrows from `answer`. 0, -1. */
int lbpy_typed_answer(lbpy_typed *typed, PyObject *answer, lb_value *result);

PyObject *lbpy_typed_call(PyObject *self, PyObject *const *args, size_t nargsf,
                          PyObject *kwnames);

/* ---- methods in Python of typed generic functions ----------------------- */

/* The context of a rule. Two own it: the engine, until it releases it, and the
 * callable or class of Python, which has its references to Python objects. */
struct lbpy_typed_method {
    lb_method descriptor;
    lbpy_state *state;
    lbpy_typed *typed; /* borrowed; NULL: taken away */
    PyObject *target;  /* strong, visited by the owner; what is called */
    PyObject *method;  /* strong: its Method, or NULL: an override */
    lbpy_type **bases; /* uses, one per dispatched argument; or NULL */
    lb_class *cls;     /* an override: of the class that it stands in */
    lb_qualifier qualifier;
    lb_class *classes[LB_MAX_DISPATCH]; /* of the rule; NULL: any */
    unsigned owners;                    /* 2, 1; atomic */
    bool wants_next;
    bool binds; /* target.__get__ gives what is called */
    bool stuck; /* taken away, but the engine could not */
    char name[];
};

int lbpy_rule_setup(PyObject *module, lbpy_state *state);
lb_status lbpy_typed_run(lb_slot slot, size_t argc, const lb_value *argv,
                         lb_value *result);

/* A method for `target`, not yet a rule; `name` for explanations. */
lbpy_typed_method *lbpy_rule_make(lbpy_typed *typed, PyObject *target,
                                  const char *name);
/* Makes it a rule, in place of `old` (NULL: of none, and it is an error if
 * there is an equal one), which stays the caller's to drop. 0, or -1: it is no
 * rule, and `old` is as it was. Python code may run. */
int lbpy_rule_add(lbpy_typed_method *m, lbpy_typed_method *old);
/* One owner more, or less, while that may be. */
void lbpy_rule_hold(lbpy_typed_method *m);
void lbpy_rule_unhold(lbpy_typed_method *m);
/* Takes the rule away and lets go of the Python objects. */
void lbpy_rule_end(lbpy_typed_method *m);
int lbpy_rule_traverse(const lbpy_typed_method *m, visitproc visit, void *arg);
/* Lets go of the Python objects of one that is no rule (any more). */
void lbpy_rule_drop(lbpy_typed_method *m);

/* area.register, area.remove. */
PyObject *lbpy_typed_register(PyObject *self, PyObject *const *args,
                              Py_ssize_t nargs, PyObject *kwnames);
PyObject *lbpy_typed_remove(PyObject *self, PyObject *args);

/* ---- overriding --------------------------------------------------------- */

int lbpy_override_setup(PyObject *module, lbpy_state *state);

/* Makes the rules of `type` what its attribute `name` (NULL: all) says. */
int lbpy_override_sync(lbpy_class *type, PyObject *name);
/* The same for the type and all below it. */
int lbpy_override_spread(lbpy_class *type, PyObject *name);
void lbpy_override_end(lbpy_class *type);
int lbpy_override_add(lbpy_state *state, lbpy_class *type, PyObject *name,
                      lbpy_typed *typed);
/* Gives a new native type the doors of its bases. */
int lbpy_override_inherit(lbpy_state *state, lbpy_class *type);

/* ---- methods in C of Python's generic functions ------------------------- */

int lbpy_boxed_setup(PyObject *module, lbpy_state *state);
PyObject *lbpy_boxed_add(lbpy_state *state, PyObject *generic,
                         const lbpy_method_spec *spec);

/* What C calls it by; NULL: an exception. */
lb_generic *lbpy_generic_entrance(lbpy_generic *g);

/* The generic function and the form whose engine's it is; NULL: none. Without
 * `form` (NULL), it may be the entrance, too. */
lbpy_generic *lbpy_generic_owner(const lbpy_state *state,
                                 const lb_generic *generic, lbpy_form **form);

#endif
