/* next.c - `next_method`: what comes after the running method, with its call.
 *
 * Called without arguments it goes on with those of the call; with arguments,
 * with these. The chain is the one that was found for the call, whatever the
 * new arguments' types are, as in CLOS. True when there is something to call.
 */
#include "run.h"

#include <structmember.h>

typedef struct lbpy_next {
    PyObject_VAR_HEAD vectorcallfunc vectorcall;
    lbpy_generic *generic;
    lbpy_link *link;
    PyObject *kwnames; /* or NULL */
    Py_ssize_t nargs;  /* positional ones of args */
    bool swapped;      /* the first two are to be exchanged */
    PyObject *args[];
} lbpy_next;

static PyObject *next_call(PyObject *callable, PyObject *const *args,
                           size_t nargsf, PyObject *kwnames)
{
    lbpy_next *self = (lbpy_next *)callable;
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs == 0 && (kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0)) {
        args = self->args;
        nargs = self->nargs;
        kwnames = self->kwnames;
    }
    if (self->swapped)
        return lbpy_run_swapped(self->generic, self->link, args, (size_t)nargs,
                                kwnames);
    PyObject *function =
        self->generic->retry ? NULL : lbpy_link_function(self->link);
    if (function) /* the caller holds us, and we the link */
        return PyObject_Vectorcall(function, args, (size_t)nargs, kwnames);
    return lbpy_run(self->generic, self->link, args, (size_t)nargs, kwnames);
}

/* A step to the next method makes one of these and drops it; some are kept, all
 * with room for LBPY_NEXT_ARGS arguments. */
static lbpy_next *new_next(lbpy_state *state, Py_ssize_t count)
{
    lbpy_next *self;
    if (count > LBPY_NEXT_ARGS || state->next_count == 0) {
        self =
            PyObject_GC_NewVar(lbpy_next, state->next_type,
                               count > LBPY_NEXT_ARGS ? count : LBPY_NEXT_ARGS);
        if (self)
            Py_SET_SIZE(self, count);
        return self;
    }
    self = state->next_kept[--state->next_count];
    return (lbpy_next *)PyObject_InitVar((PyVarObject *)self, state->next_type,
                                         count);
}

static void keep_or_free(lbpy_state *state, lbpy_next *self)
{
#ifndef Py_GIL_DISABLED
    if (Py_SIZE(self) <= LBPY_NEXT_ARGS && state->next_count < LBPY_NEXT_KEPT) {
        state->next_kept[state->next_count++] = self;
        return;
    }
#else
    (void)state;
#endif
    PyObject_GC_Del(self);
}

void lbpy_next_end(lbpy_state *state)
{
    while (state->next_count)
        PyObject_GC_Del(state->next_kept[--state->next_count]);
}

PyObject *lbpy_next_make(lbpy_generic *g, lbpy_link *link, bool swapped,
                         PyObject *const *args, Py_ssize_t nargs,
                         PyObject *kwnames)
{
    const Py_ssize_t all = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    lbpy_next *self = new_next(g->state, all);
    if (self == NULL)
        return NULL;
    self->vectorcall = next_call;
    self->generic = (lbpy_generic *)Py_NewRef(g);
    self->link = (lbpy_link *)Py_NewRef(link);
    self->kwnames = Py_XNewRef(kwnames);
    self->nargs = nargs;
    self->swapped = swapped;
    for (Py_ssize_t i = 0; i < all; i++)
        self->args[i] = Py_NewRef(args[i]);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

static int next_traverse(PyObject *object, visitproc visit, void *arg)
{
    lbpy_next *self = (lbpy_next *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->generic);
    Py_VISIT(self->link);
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++)
        Py_VISIT(self->args[i]);
    return 0;
}

static void next_dealloc(PyObject *object)
{
    lbpy_next *self = (lbpy_next *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++)
        Py_DECREF(self->args[i]);
    Py_XDECREF(self->kwnames);
    Py_DECREF(self->link);
    lbpy_state *state = lbpy_state_hold(self->generic->state);
    Py_DECREF(self->generic);
    keep_or_free(state, self);
    Py_DECREF(type);
    lbpy_state_release(state);
}

static int next_bool(PyObject *object)
{
    lbpy_next *self = (lbpy_next *)object;
    if (self->link->kind == LBPY_LINK_INHERIT)
        return self->nargs ? lbpy_inherited(self->generic, self->args[0], NULL)
                           : 0;
    return self->link->kind != LBPY_LINK_END;
}

static PyObject *next_repr(PyObject *object)
{
    lbpy_next *self = (lbpy_next *)object;
    if (self->link->method)
        return PyUnicode_FromFormat("<next method of %U: %R>",
                                    self->generic->name,
                                    self->link->method->function);
    return PyUnicode_FromFormat("<next method of %U>", self->generic->name);
}

static PyObject *next_method(PyObject *object, void *closure)
{
    (void)closure;
    const lbpy_next *self = (lbpy_next *)object;
    return Py_NewRef(self->link->method ? (PyObject *)self->link->method
                                        : Py_None);
}

static PyGetSetDef next_getset[] = {
    {"method", next_method, NULL, "The method that it runs first, or None.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef next_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lbpy_next, vectorcall),
     READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot next_slots[] = {
    {Py_tp_doc, "The rest of a call: the methods after the running one."},
    {Py_tp_dealloc, next_dealloc},
    {Py_tp_traverse, next_traverse},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, next_repr},
    {Py_nb_bool, next_bool},
    {Py_tp_getset, next_getset},
    {Py_tp_members, next_members},
    {0, NULL},
};

static PyType_Spec next_spec = {
    .name = "latebind._core.NextMethod",
    .basicsize = offsetof(lbpy_next, args),
    .itemsize = sizeof(PyObject *),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = next_slots,
};

int lbpy_next_setup(PyObject *module, lbpy_state *state)
{
    state->next_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &next_spec, NULL);
    return state->next_type ? PyModule_AddType(module, state->next_type) : -1;
}
