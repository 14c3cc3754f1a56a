/* hint.h - what an argument must be, as a tree that C can check.
 *
 * A hint is a Python object, immutable, and one object per structure: equal
 * hints are the same object. It has a class part, which dispatch decides by the
 * argument's type alone, and perhaps a value part, which looks at the argument.
 *
 * hint.c holds the objects, shape.c makes them in their normal form, intern.c
 * finds those that live, check.c asks values, relate.c compares hints.
 */
#ifndef LBPY_HINT_H
#define LBPY_HINT_H

#include "state.h"

typedef enum lbpy_hint_kind {
    LBPY_ANY,      /* every value                                           */
    LBPY_INSTANCE, /* isinstance(value, cls)                                */
    LBPY_UNION,    /* one of items                                          */
    LBPY_LITERAL,  /* same type and equal to one of items (PEP 586)         */
    LBPY_ITEMS,    /* an instance of cls, each element items[0]             */
    LBPY_MAPPING,  /* an instance of cls, keys items[0], values items[1]    */
    LBPY_FIXED,    /* an instance of cls of len(items), element i items[i]  */
    LBPY_SUBCLASS, /* a class, each of whose instances would be items[0]    */
    LBPY_WHERE,    /* items[0], and predicate(value) is true                */
    LBPY_OPAQUE    /* items[0], and predicate(value); ordered by equality   */
} lbpy_hint_kind;

/* How `isinstance(value, cls)` is decided, by what cls' metaclass defines. */
typedef enum lbpy_decision {
    LBPY_BY_TYPE,     /* type(value) is derived from cls                      */
    LBPY_BY_SUBCLASS, /* issubclass(type(value), cls): ABCs, method protocols */
    LBPY_BY_INSTANCE  /* isinstance(value, cls): the value may be looked at   */
} lbpy_decision;

typedef struct lbpy_hint {
    PyObject_HEAD lbpy_hint_kind kind;
    lbpy_decision decision; /* of cls */
    int by_type;            /* of INSTANCE: __instancecheck__ has no say */
    int class_part;         /* lbpy_hint_is_class_part */
    int asks;               /* a predicate is somewhere inside */
    PyTypeObject *cls;      /* or NULL; ANY: object; SUBCLASS: type */
    PyObject *items;        /* tuple of hints (LITERAL: of values), or NULL */
    PyObject *predicate;    /* or NULL */
    PyObject *name;         /* str: what the predicate is called, or NULL */
    PyObject *text;         /* as one would write it */
    PyObject *weak;         /* weak references */
    Py_hash_t hash;         /* of the structure */
    PyObject *registry;     /* the table that it lies in; NULL: none any more */
    struct lbpy_hint *next; /* in its bucket of that table, borrowed */
} lbpy_hint;

int lbpy_hint_setup(PyObject *module, lbpy_state *state);

/* 1: `value` is what `hint` says, 0: it is not, -1: an exception. Exhaustive:
 * every element is looked at. */
int lbpy_hint_check(const lbpy_hint *hint, PyObject *value);

/* 1: every instance of `type` is what `hint`, a class part, says; 0: it is not
 * so; -1: an exception. What dispatch asks about an argument's type. */
int lbpy_hint_accepts(const lbpy_hint *hint, PyTypeObject *type);

/* 1 when every value of `a` is one of `b`, as far as can be known without
 * values; 0 if not or unknown; -1: an exception. A strict partial order
 * together with equality, as far as issubclass is one. */
int lbpy_hint_implies(const lbpy_hint *a, const lbpy_hint *b);

/* 1 when certainly no value is both; 0 if one may be; -1: an exception. */
int lbpy_hint_disjoint(const lbpy_hint *a, const lbpy_hint *b);

/* 1 when the argument's type alone decides `hint` (ANY, INSTANCE of a class
 * whose metaclass does not decide by the instance, UNION of such); else 0. */
int lbpy_hint_is_class_part(const lbpy_hint *hint);

/* What dispatch makes of a hint: alternatives, each a class part (a hint for
 * which lbpy_hint_is_class_part holds) and, where values matter, the hint that
 * checks them. All class-only members of a union are one alternative. */
typedef struct lbpy_alternative {
    lbpy_hint *base;  /* strong; the class part                        */
    lbpy_hint *value; /* strong; NULL: the class part is all there is  */
} lbpy_alternative;

/* Splits `hint` (NULL: any). Returns the number, with *result to be given to
 * lbpy_alternatives_free; -1: an exception. */
Py_ssize_t lbpy_hint_split(lbpy_state *state, lbpy_hint *hint,
                           lbpy_alternative **result);
void lbpy_alternatives_free(lbpy_alternative *alternatives, Py_ssize_t count);

/* The same as the Python constructors; new references. `cls` is a type, `hints`
 * a tuple of hints, `values` a tuple, `name` a str or NULL. */
PyObject *lbpy_hint_any(lbpy_state *state);
PyObject *lbpy_hint_instance(lbpy_state *state, PyObject *cls);
PyObject *lbpy_hint_by_type(lbpy_state *state, PyObject *cls);
PyObject *lbpy_hint_union(lbpy_state *state, PyObject *hints);
PyObject *lbpy_hint_literal(lbpy_state *state, PyObject *values);
PyObject *lbpy_hint_items(lbpy_state *state, PyObject *cls, lbpy_hint *elem);
PyObject *lbpy_hint_mapping(lbpy_state *state, PyObject *cls, lbpy_hint *key,
                            lbpy_hint *value);
PyObject *lbpy_hint_fixed(lbpy_state *state, PyObject *cls, PyObject *hints);
PyObject *lbpy_hint_subclass(lbpy_state *state, lbpy_hint *hint);
PyObject *lbpy_hint_where(lbpy_state *state, lbpy_hint *hint,
                          PyObject *predicate, PyObject *name);
PyObject *lbpy_hint_opaque(lbpy_state *state, lbpy_hint *hint, PyObject *test,
                           PyObject *text);

/* The i-th of a hint's items, when they are hints; borrowed. */
static inline lbpy_hint *lbpy_hint_item(const lbpy_hint *hint, Py_ssize_t i)
{
    return (lbpy_hint *)PyTuple_GET_ITEM(hint->items, i);
}

/* ------------------------------------------ between the files named above */

/* A hint that is to be: all borrowed. */
typedef struct lbpy_shape {
    lbpy_hint_kind kind;
    int by_type;
    PyTypeObject *cls;
    PyObject *items;
    PyObject *predicate;
    PyObject *name;
    Py_hash_t hash;
} lbpy_shape;

/* The one hint of that shape, whose `hash` is set: the living one or a new one;
 * a new reference (intern.c). */
PyObject *lbpy_hint_intern(lbpy_state *state, const lbpy_shape *shape);

/* A new hint, in no registry yet (hint.c). */
lbpy_hint *lbpy_hint_new(lbpy_state *state, const lbpy_shape *shape);

/* The capsule of an empty registry; takes a hint out of its own (intern.c). */
PyObject *lbpy_registry_new(void);
void lbpy_hint_unlink(lbpy_hint *hint);

/* How instances of `cls` are told, or -1; the second one for those to whom only
 * issubclass(type(value), cls) counts: never LBPY_BY_INSTANCE (check.c). */
int lbpy_decision_of(PyTypeObject *cls);
int lbpy_decision_by_type(PyTypeObject *cls);

/* Text of a hint that is being made; a new reference (shape.c). */
PyObject *lbpy_hint_write(const lbpy_shape *shape);

/* 1: `predicate` is true of whatever `hint` accepts, as it or a hint that it is
 * made from is where(..., predicate); 0; -1: an exception (intern.c). */
int lbpy_hint_carries(const lbpy_hint *hint, PyObject *predicate);

/* 1: one of `values` is of `value`'s type and equal (for members of an
 * enumeration: the same), 0, or -1 (check.c). */
int lbpy_has_value(PyObject *values, PyObject *value);

/* 1: a class of module `enum` with that module's metaclass; 0 (check.c). */
int lbpy_is_enum(PyTypeObject *cls);

#endif
