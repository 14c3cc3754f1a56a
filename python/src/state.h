/* state.h - what one interpreter's copy of the module holds.
 *
 * Nothing in the extension is static and mutable: each interpreter that imports
 * it has a state, with a runtime of the engine of its own. All of it is guarded
 * by the interpreter's lock. It outlives the module as long as one of its
 * generic functions lives: at the end of an interpreter both go in any order.
 */
#ifndef LBPY_STATE_H
#define LBPY_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#include <latebind/latebind.h>

enum { LBPY_NEXT_KEPT = 16, LBPY_NEXT_ARGS = 4 };

typedef struct lbpy_state lbpy_state;
typedef struct lbpy_type lbpy_type;
typedef struct lbpy_predicate lbpy_predicate;
typedef struct lbpy_bridge lbpy_bridge;

/* Python functions that the front end hands in (module.c, set_hooks). */
typedef struct lbpy_hooks {
    PyObject *failure;   /* (generic, status, args, kwnames) -> exception   */
    PyObject *ambiguity; /* (generic, new methods): warns, or raises        */
    PyObject *doc;       /* (generic) -> combined documentation             */
    PyObject *settle;    /* (generic): adds what is pending, or raises      */
    PyObject *convert;   /* (result, method) -> converted result            */
} lbpy_hooks;

struct lbpy_state {
    Py_ssize_t users; /* the module, generic functions, choices */
    lb_runtime *runtime;
    lb_reader *idle[8]; /* readers for brackets, at hand */
    unsigned idle_count;

    PyTypeObject *hint_type;    /* hint.c */
    PyTypeObject *wants_type;   /* wants.c */
    PyTypeObject *method_type;  /* method.c */
    PyTypeObject *generic_type; /* generic.c */
    PyTypeObject *unbound_type; /* generic.c: of class and static methods */
    PyTypeObject *link_type;    /* link.c */
    PyTypeObject *choice_type;  /* choice.c */
    PyTypeObject *next_type;    /* next.c */
#if PY_VERSION_HEX < 0x030B0000
    uint32_t link_tag; /* version tag that resolve.c made link_type get */
#endif

    void *next_kept[LBPY_NEXT_KEPT]; /* next.c: memory for the next ones */
    unsigned next_count;

    PyObject *hints; /* dict: structure -> Hint, the living ones (weakly) */
    lbpy_hooks hooks;
    PyObject *next_names; /* ("next_method",) */

    /* types.c: every type that was met, by address */
    lbpy_type **types;
    size_t type_room, type_count;
    lbpy_type *newest;    /* the one met last */
    lbpy_type *dead;      /* whose engine class could not be ended yet */
    uint64_t deaths;      /* of types, so far */
    uint32_t last_serial; /* given to a state of a type */

    /* abstract classes and unions that hints name, oldest first */
    lbpy_type **virtuals;
    size_t virtual_room, virtual_count, abstract_count;
    uint64_t asked;             /* questions of issubclass so far */
    struct lbpy_asking *asking; /* those that are running */
    uint64_t orders_made;       /* of types, so far */
    uint64_t virtual_version;   /* another one after each change of them */
    PyObject *abc_function;     /* abc.get_cache_token */
    uint64_t abc_token;         /* what it said last */

    /* wants.c: what hints come to, by address; the living ones */
    struct lbpy_wants **wants;
    size_t wants_room, wants_count;

    /* predicate.c: what hints with a value part became, by hint */
    PyObject *predicates; /* dict: address of a hint -> of its predicate */
    lbpy_predicate *first_predicate;
    struct lbpy_choosing *choosing; /* answers known for running questions */
    struct lbpy_told *told;         /* answers given in running ones */
    struct lbpy_asking *comparing;  /* comparisons that are running */

    uint64_t reported; /* ambiguities that the engine told of; atomic */

    struct lbpy_generic *first_generic; /* all that live, linked */
    lbpy_bridge *bridge;                /* bridge.h */
};

/* The state of `module`, NULL before it has one. */
static inline lbpy_state *lbpy_state_of(PyObject *module)
{
    return *(lbpy_state **)PyModule_GetState(module);
}

/* One user more or less; the last one ends the state. */
static inline lbpy_state *lbpy_state_hold(lbpy_state *state)
{
    state->users++;
    return state;
}

void lbpy_state_release(lbpy_state *state);

extern PyModuleDef lbpy_module;

/* Of a type that the module made itself. */
static inline lbpy_state *lbpy_state_of_type(PyTypeObject *type)
{
    return lbpy_state_of(PyType_GetModule(type));
}

/* The same for a type that may be derived from one, in Python; NULL: TypeError.
 * (PyType_GetModuleByDef came with 3.11.) */
lbpy_state *lbpy_state_of_subtype(PyTypeObject *type);

/* A bracket of the engine: what lb_resolve said stays until it is left. NULL:
 * MemoryError. Brackets nest; leaving with NULL is nothing. */
lb_reader *lbpy_enter(lbpy_state *state);
void lbpy_leave(lbpy_state *state, lb_reader *reader);

/* Do all types still have the version tags that calls kept? Python 3.10 takes all
 * back when its cache is cleared (sys._clear_type_cache), and gives the numbers
 * out again: seen by a type on which nobody but us looks anything up. */
static inline bool lbpy_tags_hold(const lbpy_state *state)
{
#if PY_VERSION_HEX < 0x030B0000
    return state->link_type->tp_version_tag == state->link_tag;
#else
    (void)state;
    return true;
#endif
}

/* Sets an exception for a status of the engine: MemoryError, else SystemError
 * or ValueError with lb_message. Returns -1. */
int lbpy_raise(lb_status status);

#endif
