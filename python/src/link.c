/* link.c - copies an engine's entry, and what it leads to, to links.
 *
 * One walk over the entry's graph: frames and combinations with their parts,
 * exchanged arguments, the next method where the method asks for it (else it is
 * left out: most methods never look). A method that several alternatives of one
 * union lead to comes only once.
 *
 * Where the engine's order says too much (specificity.h) each is compared with
 * all that are left; if another one could come next as well, the chain ends
 * there, ambiguous.
 */
#include "link.h"

#include "run.h"
#include "specificity.h"

#include <structmember.h>

/* ---- making one --------------------------------------------------------- */

static lbpy_link *new_link(lbpy_state *state, lbpy_kind kind)
{
    lbpy_link *link =
        (lbpy_link *)state->link_type->tp_alloc(state->link_type, 0);
    if (link)
        link->kind = kind;
    return link;
}

lbpy_link *lbpy_link_end(lbpy_generic *g, lb_status status)
{
    lbpy_link *link =
        new_link(g->state, status == LB_NO_METHOD || status == LB_NO_NEXT_METHOD
                               ? LBPY_LINK_INHERIT
                               : LBPY_LINK_END);
    if (link)
        link->status = status;
    return link;
}

static lbpy_link *method_link(lbpy_state *state, lbpy_method *method)
{
    lbpy_kind kind = method->ambiguous  ? LBPY_LINK_END
                     : method->next_bit ? LBPY_LINK_NEXT
                                        : LBPY_LINK_PLAIN;
    lbpy_link *link = new_link(state, kind);
    if (link) {
        link->status = method->ambiguous ? LB_AMBIGUOUS : LB_OK;
        link->method = (lbpy_method *)Py_NewRef(method);
    }
    return link;
}

PyObject *lbpy_link_function(const lbpy_link *link)
{
    if (link->kind != LBPY_LINK_PLAIN || link->method->converts)
        return NULL;
    PyObject *f = link->method->function;
    return PyFunction_Check(f) || PyCFunction_Check(f) ||
                   Py_IS_TYPE(f, &PyMethodDescr_Type) || link->method->direct
               ? f
               : NULL;
}

/* All methods, in this order, for a combination. */
static lbpy_link *combined_list(lbpy_generic *g, PyObject *methods)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(methods);
    lbpy_link *link = new_link(g->state, LBPY_LINK_COMBINED);
    if (link == NULL)
        return NULL;
    link->parts = PyTuple_New(count);
    for (Py_ssize_t i = 0; link->parts && i < count; i++) {
        lbpy_link *part =
            method_link(g->state, (lbpy_method *)PyTuple_GET_ITEM(methods, i));
        if (part == NULL)
            Py_CLEAR(link->parts);
        else
            PyTuple_SET_ITEM(link->parts, i, (PyObject *)part);
    }
    if (link->parts)
        return link;
    Py_DECREF(link);
    return NULL;
}

lbpy_link *lbpy_link_list(lbpy_generic *g, PyObject *methods)
{
    if (PyTuple_GET_SIZE(methods) && g->combination != LBPY_STANDARD &&
        g->combination != LBPY_FIRST)
        return combined_list(g, methods);
    const Py_ssize_t count = PyTuple_GET_SIZE(methods);
    lbpy_link *next =
        lbpy_link_end(g, count ? LB_NO_NEXT_METHOD : LB_NO_METHOD);
    for (Py_ssize_t i = count; i-- > 0 && next;) {
        lbpy_link *link =
            method_link(g->state, (lbpy_method *)PyTuple_GET_ITEM(methods, i));
        if (link)
            link->next = next;
        else
            Py_DECREF(next);
        next = link;
    }
    return next;
}

/* ---- ties between virtual classes --------------------------------------- */

typedef struct copying {
    lbpy_generic *g;
    const lbpy_form *form;
    const lbpy_found *found;
    bool whole;
    lbpy_candidate *candidates; /* where the engine's order says too much */
    size_t count;
    lb_qualifier qualifier; /* of the candidates */
    bool below;             /* a primary method comes before */
} copying;

/* Does a rule apply, as far as it is known? What it wants, as the engine has it. */
static bool applies(const copying *c, const lbpy_rule *rule,
                    lb_specializer *wants)
{
    for (unsigned i = 0; i < c->form->slots; i++) {
        const lbpy_want *w = &rule->want[i];
        if (w->base && !lbpy_type_is(c->found->records[i], w->base))
            return false;
        if (w->value &&
            (c->found->told == NULL ||
             !lbpy_told_holds(c->found->told, w->value, c->found->values[i])))
            return false;
        wants[i] = lbpy_specializer_of(w);
    }
    return true;
}

/* Those of one qualifier, none taken; 0, or -1. */
static int find_candidates(copying *c, lb_qualifier qualifier)
{
    PyMem_Free(c->candidates);
    c->candidates = PyMem_Calloc(c->form->count + 1, sizeof *c->candidates);
    c->count = 0;
    c->qualifier = qualifier;
    if (c->candidates == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t k = 0; k < c->form->count; k++) {
        const lbpy_rule *rule = c->form->rules[k];
        lbpy_candidate *one = &c->candidates[c->count];
        if (rule->method->qualifier == qualifier &&
            rule->method->propagate == 0 && applies(c, rule, one->wants)) {
            one->method = rule->method;
            c->count++;
        }
    }
    return 0;
}

/* Is it for `entry` to come next? 1: it is, and is taken; 0; -1. */
static int is_next(copying *c, const lb_entry *entry)
{
    const lb_rule *own = lb_entry_rule(entry);
    if (!lbpy_order_is_partial(c->g, c->form) || own == NULL ||
        (entry->flags & LB_ENTRY_SWAPPED) || own->propagate ||
        (own->qualifier != LB_PRIMARY && own->qualifier != LB_AROUND))
        return 1;
    if ((c->candidates == NULL || c->qualifier != own->qualifier) &&
        find_candidates(c, own->qualifier) < 0)
        return -1;
    if (!lbpy_comes_next(c->g, c->form, c->found->records, c->candidates,
                         c->count, own->context))
        return 0;
    for (size_t i = 0; i < c->count; i++)
        c->candidates[i].taken |= c->candidates[i].method == own->context;
    return 1;
}

/* ---- copying ------------------------------------------------------------ */

static lbpy_link *copy(copying *c, const lb_entry *entry);

/* Appends a link, taken over, unless one of the same method is there. */
static int append_part(PyObject *parts, lbpy_link *part)
{
    bool twice = false;
    if (part == NULL)
        return -1;
    for (Py_ssize_t k = 0; part->method && k < PyList_GET_SIZE(parts); k++)
        twice |=
            ((lbpy_link *)PyList_GET_ITEM(parts, k))->method == part->method;
    const int status = twice ? 0 : PyList_Append(parts, (PyObject *)part);
    Py_DECREF(part);
    return status;
}

static bool is_ours(const lb_entry *entry)
{
    return entry->method && entry->method->fn == (lb_fn)lbpy_run_boxed &&
           entry->flags == 0;
}

/* One of the engine's parts; of a bundle each method is one. */
static int copy_part(copying *c, const lb_entry *entry, PyObject *parts)
{
    const lbpy_method *bundle = is_ours(entry) ? entry->context : NULL;
    if (bundle == NULL || bundle->tied == NULL)
        return append_part(parts, copy(c, entry));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bundle->tied); i++)
        if (append_part(
                parts, method_link(c->g->state, (lbpy_method *)PyTuple_GET_ITEM(
                                                    bundle->tied, i))) < 0)
            return -1;
    return 0;
}

static lbpy_link *copy_parts(copying *c, const lb_entry *entry, lbpy_link *link)
{
    PyObject *parts = PyList_New(0);
    for (uint32_t i = 0; parts && i < entry->part_count; i++) {
        if (copy_part(c, entry->parts[i], parts) < 0)
            Py_CLEAR(parts);
        if (parts && i + 1 == entry->before_count)
            link->befores = PyList_GET_SIZE(parts);
    }
    link->parts = parts ? PyList_AsTuple(parts) : NULL;
    Py_XDECREF(parts);
    if (link->parts == NULL)
        Py_CLEAR(link);
    return link;
}

static lbpy_link *copy_frame(copying *c, const lb_entry *entry)
{
    lbpy_link *link = new_link(c->g->state, LBPY_LINK_FRAME);
    if (link == NULL)
        return NULL;
    link->at_start = entry->flags & LB_ENTRY_AT_START;
    link->at_end = entry->flags & LB_ENTRY_AT_END;
    link->inner = copy(c, entry->inner);
    if (link->inner && (link->at_start || link->at_end))
        link->next = copy(c, entry->next);
    if (link->inner == NULL ||
        ((link->at_start || link->at_end) && link->next == NULL)) {
        Py_DECREF(link);
        return NULL;
    }
    return entry->part_count ? copy_parts(c, entry, link) : link;
}

static lbpy_link *copy_swapped(copying *c, const lb_entry *entry)
{
    lbpy_link *link = new_link(c->g->state, LBPY_LINK_SWAPPED);
    if (link && (link->inner = copy(c, entry->inner)) == NULL)
        Py_CLEAR(link);
    return link;
}

/* What comes after `entry` but for the same method again. */
static const lb_entry *after(const lb_entry *entry)
{
    const lb_rule *own = lb_entry_rule(entry);
    const lb_entry *next = entry->next;
    while (next->status == LB_OK && own && lb_entry_rule(next) &&
           lb_entry_rule(next)->context == own->context &&
           !(next->flags & LB_ENTRY_SWAPPED))
        next = next->next;
    return next;
}

/* The methods of a bundle one after the other, then what comes after it. */
static lbpy_link *copy_bundle(copying *c, const lb_entry *entry,
                              const lbpy_method *bundle)
{
    PyObject *methods = bundle->tied;
    lbpy_link *next = copy(c, after(entry));
    bool swapped = entry->flags & LB_ENTRY_SWAPPED;
    for (Py_ssize_t i = PyTuple_GET_SIZE(methods); i-- > 0 && next;) {
        if (i < 64 && (bundle->ties >> i & 1)) {
            Py_SETREF(next, lbpy_link_end(c->g, LB_AMBIGUOUS));
            swapped = false;
            continue;
        }
        lbpy_link *link = method_link(
            c->g->state, (lbpy_method *)PyTuple_GET_ITEM(methods, i));
        if (link == NULL) {
            Py_DECREF(next);
            return NULL;
        }
        link->next = next;
        link->next_swapped = swapped;
        swapped = false;
        next = link;
    }
    return next;
}

static lbpy_link *copy_method(copying *c, const lb_entry *entry)
{
    lbpy_state *state = c->g->state;
    if (entry->method == &lbpy_inherited_method)
        return lbpy_link_end(c->g, c->below ? LB_NO_NEXT_METHOD : LB_NO_METHOD);
    if (entry->method == NULL || entry->method->fn != (lb_fn)lbpy_run_boxed)
        return (lbpy_link *)PyErr_Format(
            PyExc_SystemError, "%U has a method that was not added through it",
            c->g->name);
    const int next = is_next(c, entry);
    if (next <= 0)
        return next < 0 ? NULL : lbpy_link_end(c->g, LB_AMBIGUOUS);
    const lbpy_method *method = entry->context;
    c->below |= method->qualifier == LB_PRIMARY;
    if (method->tied && !method->ambiguous)
        return copy_bundle(c, entry, method);
    lbpy_link *link = method_link(state, entry->context);
    if (link == NULL || link->kind == LBPY_LINK_END ||
        (link->kind == LBPY_LINK_PLAIN && !c->whole))
        return link;
    link->next_swapped = entry->flags & LB_ENTRY_SWAPPED;
    if ((link->next = copy(c, after(entry))) == NULL)
        Py_CLEAR(link);
    return link;
}

static lbpy_link *copy(copying *c, const lb_entry *entry)
{
    lbpy_link *link;
    if (entry->status != LB_OK)
        return lbpy_link_end(c->g, (lb_status)entry->status);
    if (Py_EnterRecursiveCall(" in a chain of methods"))
        return NULL;
    if (entry->flags & LB_ENTRY_COMBINED) {
        link = new_link(c->g->state, LBPY_LINK_COMBINED);
        if (link)
            link = copy_parts(c, entry, link);
    } else if (entry->flags &
               (LB_ENTRY_FRAME | LB_ENTRY_AT_START | LB_ENTRY_AT_END)) {
        link = copy_frame(c, entry);
    } else if ((entry->flags & LB_ENTRY_SWAPPED) && entry->inner) {
        link = copy_swapped(c, entry);
    } else {
        link = copy_method(c, entry);
    }
    Py_LeaveRecursiveCall();
    return link;
}

lbpy_link *lbpy_link_of(lbpy_generic *g, const lbpy_form *form,
                        const lb_entry *entry, const lbpy_found *found,
                        bool whole)
{
    copying c = {.g = g, .form = form, .found = found, .whole = whole};
    lbpy_link *link = copy(&c, entry);
    PyMem_Free(c.candidates);
    return link;
}

/* ---- the type ----------------------------------------------------------- */

static int link_traverse(PyObject *self, visitproc visit, void *arg)
{
    lbpy_link *link = (lbpy_link *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(link->method);
    Py_VISIT(link->next);
    Py_VISIT(link->inner);
    Py_VISIT(link->parts);
    return 0;
}

static int link_clear(PyObject *self)
{
    lbpy_link *link = (lbpy_link *)self;
    Py_CLEAR(link->method);
    Py_CLEAR(link->next);
    Py_CLEAR(link->inner);
    Py_CLEAR(link->parts);
    return 0;
}

static void link_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, link_dealloc);
    link_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyMemberDef link_members[] = {
    {"kind", T_INT, offsetof(lbpy_link, kind), READONLY,
     "What it does; see link.h."},
    {"status", T_INT, offsetof(lbpy_link, status), READONLY,
     "The engine's status, for an end."},
    {"method", T_OBJECT, offsetof(lbpy_link, method), READONLY,
     "The method that it runs, or None."},
    {"next", T_OBJECT, offsetof(lbpy_link, next), READONLY,
     "What comes after it, or None."},
    {"inner", T_OBJECT, offsetof(lbpy_link, inner), READONLY,
     "What it runs inside, or None."},
    {"parts", T_OBJECT, offsetof(lbpy_link, parts), READONLY,
     "Links that it runs besides, or None."},
    {"befores", T_PYSSIZET, offsetof(lbpy_link, befores), READONLY,
     "How many of the parts run before."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot link_slots[] = {
    {Py_tp_doc, "A step of what a call runs."},
    {Py_tp_dealloc, link_dealloc},
    {Py_tp_traverse, link_traverse},
    {Py_tp_clear, link_clear},
    {Py_tp_members, link_members},
    {0, NULL},
};

static PyType_Spec link_spec = {
    .name = "latebind._core.Link",
    .basicsize = sizeof(lbpy_link),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = link_slots,
};

int lbpy_link_setup(PyObject *module, lbpy_state *state)
{
    state->link_type =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &link_spec, NULL);
    return state->link_type ? PyModule_AddType(module, state->link_type) : -1;
}
