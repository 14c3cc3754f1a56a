/* link.c - copies an engine's entry, and what it leads to, to links.
 *
 * One walk over the entry's graph: frames and combinations with their parts,
 * exchanged arguments, the next method where the method asks for it (else it is
 * left out: most methods never look). A method that several alternatives of one
 * union lead to comes only once. At each step that chooses between methods:
 *
 * Where classes are virtual (types.h), the engine's order, which goes by place
 * in the linearization, says more than is meant: an abstract class or a union is
 * more specific only than what it is a subset of. So the first of a chain is
 * compared with each that comes after it; if for one slot neither is a subset of
 * the other, it is not the most specific: the chain ends there, ambiguous.
 */
#include "link.h"

#include "run.h"

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

static lbpy_type *record_of(const lb_specializer *s)
{
    return s->kind == LB_ANY || s->cls == NULL ? NULL
                                               : lb_class_context(s->cls);
}

/* For one slot: is `a`, which the engine put first, no less specific than `b`?
 * Classes of the argument's own MRO are; so is what is below the other. */
static bool in_order(const lbpy_state *state, const lbpy_type *argument,
                     const lb_specializer *a, const lb_specializer *b)
{
    const lbpy_type *first = record_of(a), *second = record_of(b);
    if (second == NULL || first == second)
        return true;
    if (first == NULL)
        return false;
    if (lbpy_type_inherits(argument, first) &&
        lbpy_type_inherits(argument, second))
        return true;
    return lbpy_type_below(state, first, second);
}

/* Is the rule `own` no less specific than all others that may apply, whatever the
 * values are? */
static bool is_before_all(const lbpy_generic *g, const lbpy_form *form,
                          lbpy_type *const *records, const lb_rule *own)
{
    for (size_t k = 0; k < form->count; k++) {
        const lbpy_rule *other = form->rules[k];
        bool applies = other->method != own->context &&
                       other->method->qualifier == own->qualifier;
        for (unsigned i = 0; i < form->slots && applies; i++)
            applies = other->want[i].value == NULL &&
                      (other->want[i].base == NULL ||
                       lbpy_type_is(records[i], other->want[i].base));
        for (unsigned i = 0; i < form->slots && applies; i++) {
            const lbpy_type *base = other->want[i].base;
            const lb_specializer s = base ? lb_is(base->cls) : lb_any();
            if (!in_order(g->state, records[i], &own->specializers[i], &s))
                return false;
        }
    }
    return true;
}

/* Is `entry` more specific than all that come after it? */
static bool is_first(lbpy_generic *g, const lbpy_form *form,
                     lbpy_type *const *records, const lb_entry *entry)
{
    const lb_rule *own = lb_entry_rule(entry);
    if (!form->by_virtual || own == NULL || g->order > LB_SYMMETRIC ||
        g->combination != LBPY_STANDARD || (entry->flags & LB_ENTRY_SWAPPED))
        return true;
    const lb_entry *e;
    for (e = entry->next; e->status == LB_OK; e = e->next) {
        const lb_rule *other = lb_entry_rule(e);
        if (other == NULL || other->context == own->context)
            continue;
        for (unsigned i = 0; i < form->slots; i++) {
            if (!in_order(g->state, records[i], &own->specializers[i],
                          &other->specializers[i]))
                return false;
        }
    }
    /* Behind an ambiguity the engine names nobody. */
    return e->status != LB_AMBIGUOUS || is_before_all(g, form, records, own);
}

/* ---- copying ------------------------------------------------------------ */

typedef struct copying {
    lbpy_generic *g;
    const lbpy_form *form;
    lbpy_type *const *records;
    bool whole;
} copying;

static lbpy_link *copy(const copying *c, const lb_entry *entry);

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
static int copy_part(const copying *c, const lb_entry *entry, PyObject *parts)
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

static lbpy_link *copy_parts(const copying *c, const lb_entry *entry,
                             lbpy_link *link)
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

static lbpy_link *copy_frame(const copying *c, const lb_entry *entry)
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

static lbpy_link *copy_swapped(const copying *c, const lb_entry *entry)
{
    lbpy_link *link = new_link(c->g->state, LBPY_LINK_SWAPPED);
    if (link && (link->inner = copy(c, entry->inner)) == NULL)
        Py_CLEAR(link);
    return link;
}

static lbpy_link *copy_foreign(const copying *c, const lb_entry *entry)
{
    lbpy_link *link = new_link(c->g->state, LBPY_LINK_FOREIGN);
    if (link)
        link->generic = entry->generic;
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
static lbpy_link *copy_bundle(const copying *c, const lb_entry *entry,
                              const lbpy_method *bundle)
{
    PyObject *methods = bundle->tied;
    lbpy_link *next = copy(c, after(entry));
    bool swapped = entry->flags & LB_ENTRY_SWAPPED;
    for (Py_ssize_t i = PyTuple_GET_SIZE(methods); i-- > 0 && next;) {
        if (i < 63 && (bundle->ties >> i & 1)) {
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

static lbpy_link *copy_method(const copying *c, const lb_entry *entry)
{
    lbpy_state *state = c->g->state;
    if (entry->method == NULL || entry->method->fn != (lb_fn)lbpy_run_boxed)
        return copy_foreign(c, entry);
    if (!is_first(c->g, c->form, c->records, entry))
        return lbpy_link_end(c->g, LB_AMBIGUOUS);
    const lbpy_method *method = entry->context;
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

static lbpy_link *copy(const copying *c, const lb_entry *entry)
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
                        const lb_entry *entry, lbpy_type *const *records,
                        bool whole)
{
    const copying c = {g, form, records, whole};
    return copy(&c, entry);
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
