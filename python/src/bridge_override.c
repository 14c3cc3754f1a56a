/* bridge_override.c - attributes of classes of Python as rules, and super().
 *
 * add_type_method puts a *door* into the type of a class of C, and into those
 * of all classes of C below it: a callable that, bound to an object, calls the
 * typed generic function. A class of Python below may have a function of that
 * name, in its own body or from a plain class before the next class of C in its
 * MRO: then that is a rule for objects of the class, so that callers in C reach
 * it.
 *
 * Python finds such a function by itself. What comes to a door from an object
 * of a class of Python comes by super(), or there is no override: the door of
 * class D runs the chain of methods after the last override that stands before
 * D in the order of the object's class.
 */
#include "bridge.h"

#include <string.h>

typedef struct lbpy_door {
    PyObject_HEAD vectorcallfunc vectorcall;
    lbpy_class *owner; /* strong */
    lbpy_typed *typed; /* strong */
} lbpy_door;

/* ---- calling a door ----------------------------------------------------- */

static size_t place_in(lb_class *const *order, size_t count,
                       const lb_class *cls)
{
    size_t at = 0;
    while (at < count && order[at] != cls)
        at++;
    return at;
}

/* The class in which the override stands that `entry` runs, or NULL. */
static const lb_class *override_of(const lb_entry *entry)
{
    const lb_rule *rule = lb_entry_rule(entry);
    if (rule == NULL || rule->method->fn != (lb_fn)lbpy_typed_run)
        return NULL;
    return ((const lbpy_typed_method *)rule->context)->cls;
}

/* The last entry of the chain that is an override of a class before place
 * `before` of the order; NULL: none is. */
static const lb_entry *last_override(const lb_entry *entry,
                                     lb_class *const *order, size_t before)
{
    const lb_entry *last = NULL;
    while (entry->status == LB_OK && !(entry->flags & LB_ENTRY_COMBINED)) {
        if (entry->flags &
            (LB_ENTRY_FRAME | LB_ENTRY_AT_START | LB_ENTRY_AT_END)) {
            entry = entry->inner;
            continue;
        }
        const lb_class *cls = override_of(entry);
        if (cls && place_in(order, before, cls) < before)
            last = entry;
        entry = entry->next;
    }
    return last;
}

static const lb_entry *entry_before(const lbpy_door *door,
                                    const lbpy_packed *packed)
{
    lb_class *classes[LB_MAX_DISPATCH], *few[32], **order = few;
    lb_value values[LB_MAX_DISPATCH];
    const lb_entry *found = NULL;
    if (lbpy_typed_classes(door->typed, packed, classes, values) < 0)
        return NULL;
    const size_t count = lb_class_linearization(classes[0], few, 32);
    if (count > 32) {
        order = PyMem_Calloc(count, sizeof *order);
        if (order == NULL)
            return (const lb_entry *)PyErr_NoMemory();
        (void)lb_class_linearization(classes[0], order, count);
    }
    const lb_entry *entry = lb_resolve(door->typed->generic, classes, values);
    found =
        last_override(entry, order, place_in(order, count, door->owner->cls));
    if (order != few)
        PyMem_Free(order);
    return found;
}

static PyObject *call_from(const lbpy_door *door, PyObject *const *args,
                           Py_ssize_t count)
{
    lbpy_typed *typed = door->typed;
    lbpy_packed packed;
    if (lbpy_typed_pack(typed, args, count, &packed) < 0)
        return NULL;
    lb_reader *reader = lbpy_enter(typed->state);
    if (reader == NULL)
        return NULL;
    const lb_entry *entry = entry_before(door, &packed);
    PyObject *result =
        PyErr_Occurred() ? NULL : lbpy_typed_invoke(typed, entry, &packed);
    lbpy_leave(typed->state, reader);
    return result;
}

static PyObject *door_call(PyObject *self, PyObject *const *args, size_t nargsf,
                           PyObject *kwnames)
{
    const lbpy_door *door = (lbpy_door *)self;
    const lbpy_state *state = door->typed->state;
    const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (count == 0 || (kwnames && PyTuple_GET_SIZE(kwnames)) ||
        !lbpy_is_object(state, args[0]) ||
        ((lbpy_class *)Py_TYPE(args[0]))->native)
        return lbpy_typed_call((PyObject *)door->typed, args, nargsf, kwnames);
    return call_from(door, args, count);
}

/* ---- the door's type ---------------------------------------------------- */

static PyObject *door_get(PyObject *self, PyObject *object, PyObject *type)
{
    (void)type;
    return object ? PyMethod_New(self, object) : Py_NewRef(self);
}

static lbpy_door *make_door(lbpy_class *owner, lbpy_typed *typed)
{
    lbpy_door *door =
        PyObject_GC_New(lbpy_door, typed->state->bridge->door_type);
    if (door == NULL)
        return NULL;
    door->vectorcall = door_call;
    door->owner = (lbpy_class *)Py_NewRef(owner);
    door->typed = (lbpy_typed *)Py_NewRef(typed);
    PyObject_GC_Track(door);
    return door;
}

static int door_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((lbpy_door *)self)->owner);
    Py_VISIT(((lbpy_door *)self)->typed);
    return 0;
}

static void door_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_DECREF(((lbpy_door *)self)->owner);
    Py_DECREF(((lbpy_door *)self)->typed);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *door_repr(PyObject *self)
{
    const lbpy_door *door = (lbpy_door *)self;
    return PyUnicode_FromFormat("<method %U of %s in C>", door->typed->name,
                                door->owner->type.ht_type.tp_name);
}

static PyObject *door_name(PyObject *self, void *closure)
{
    (void)closure;
    return Py_NewRef(((lbpy_door *)self)->typed->name);
}

static PyObject *door_doc(PyObject *self, void *closure)
{
    (void)closure;
    return Py_NewRef(((lbpy_door *)self)->typed->doc);
}

static PyGetSetDef door_getset[] = {
    {"__name__", door_name, NULL, NULL, NULL},
    {"__doc__", door_doc, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef door_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lbpy_door, vectorcall),
     READONLY, NULL},
    {"generic", T_OBJECT, offsetof(lbpy_door, typed), READONLY,
     "The generic function."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot door_slots[] = {
    {Py_tp_dealloc, door_dealloc},   {Py_tp_traverse, door_traverse},
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_repr, door_repr},
    {Py_tp_descr_get, door_get},     {Py_tp_getset, door_getset},
    {Py_tp_members, door_members},   {0, NULL},
};

static PyType_Spec door_spec = {
    .name = "latebind._core.TypeMethod",
    .basicsize = sizeof(lbpy_door),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = door_slots,
};

int lbpy_override_setup(PyObject *module, lbpy_state *state)
{
    return lbpy_make_type(module, &door_spec, &state->bridge->door_type);
}

/* ---- what a class of Python overrides ----------------------------------- */

/* The callable behind the name, as the type's first class of C with such a door
 * says; borrowed. NULL without an exception: there is none. */
static lbpy_typed *typed_for(lbpy_class *type, PyObject *name)
{
    Py_ssize_t at = 0;
    for (lbpy_class *one; (one = lbpy_class_next(type, &at)) != NULL;) {
        PyObject *door =
            one->doors ? PyDict_GetItemWithError(one->doors, name) : NULL;
        if (door)
            return ((lbpy_door *)door)->typed;
        if (PyErr_Occurred())
            return NULL;
    }
    return NULL;
}

static bool can_be_called(const lbpy_state *state, PyObject *value)
{
    if (Py_IS_TYPE(value, state->bridge->door_type) ||
        Py_IS_TYPE(value, state->bridge->typed_type))
        return false;
    return PyCallable_Check(value) || (Py_TYPE(value)->tp_descr_get &&
                                       Py_TYPE(value)->tp_descr_set == NULL);
}

/* What the type, or a plain class before the next one that stands for a class,
 * has under the name; borrowed. NULL without an exception: nothing. */
static PyObject *function_for(lbpy_class *type, PyObject *name)
{
    PyObject *mro = type->type.ht_type.tp_mro;
    for (Py_ssize_t i = 0; mro && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *cls = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (i && lbpy_is_class(type->state, (PyObject *)cls))
            return NULL;
        if (!PyType_HasFeature(cls, Py_TPFLAGS_HEAPTYPE))
            continue;
        PyObject *value = PyDict_GetItemWithError(cls->tp_dict, name);
        if (value)
            return can_be_called(type->state, value) ? value : NULL;
        if (PyErr_Occurred())
            return NULL;
    }
    return NULL;
}

static lbpy_override **find(lbpy_class *type, PyObject *name)
{
    lbpy_override **at = &type->overrides;
    while (*at && PyUnicode_Compare((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

static void free_override(lbpy_override *o)
{
    lbpy_typed_method *rule = o->rule;
    if (rule)
        lbpy_rule_end(rule);
    Py_XDECREF(o->function);
    Py_XDECREF(o->typed);
    Py_XDECREF(o->name);
    PyMem_Free(o);
}

static void take_out(lbpy_class *type, PyObject *name)
{
    lbpy_override **at = find(type, name), *o = *at;
    if (o) {
        *at = o->next;
        free_override(o);
    }
}

void lbpy_override_end(lbpy_class *type)
{
    lbpy_override *all = type->overrides, *next;
    type->overrides = NULL;
    for (; all; all = next) {
        next = all->next;
        free_override(all);
    }
}

static lbpy_typed_method *make_rule(lbpy_class *type, lbpy_typed *typed,
                                    PyObject *function)
{
    char name[256];
    PyOS_snprintf(name, sizeof name, "%.100s.%.100s",
                  type->type.ht_type.tp_name, typed->signature->name);
    lbpy_typed_method *m = lbpy_rule_make(typed, function, name);
    if (m == NULL)
        return NULL;
    m->cls = m->classes[0] = type->cls;
    m->binds = !PyFunction_Check(function) && Py_TYPE(function)->tp_descr_get;
    return m;
}

/* Takes over `m`; the override is not in the type's list yet. */
static lbpy_override *make_override(PyObject *name, PyObject *function,
                                    lbpy_typed *typed, lbpy_typed_method *m)
{
    lbpy_override *o = PyMem_Calloc(1, sizeof *o);
    if (o == NULL) {
        lbpy_rule_drop(m);
        return (lbpy_override *)PyErr_NoMemory();
    }
    o->name = Py_NewRef(name);
    o->function = Py_NewRef(function);
    o->typed = (lbpy_typed *)Py_NewRef(typed);
    o->rule = m;
    return o;
}

/* Takes `o`, whose rule is none, off the list if it is there. */
static void undo(lbpy_class *type, lbpy_override *o, lbpy_override *old)
{
    lbpy_override **at = &type->overrides;
    while (*at && *at != o)
        at = &(*at)->next;
    if (*at == NULL)
        return; /* others have ended it meanwhile, and put what they wanted */
    if (old)
        old->next = o->next;
    *at = old ? old : o->next;
    lbpy_rule_drop(o->rule);
    o->rule = NULL;
    free_override(o);
}

/* Puts a new override in the place of `old` (of the same callable, or NULL). */
static int put_override(lbpy_class *type, lbpy_override *o)
{
    lbpy_override **at = find(type, o->name), *old = *at;
    lbpy_typed_method *m = o->rule;
    o->next = old ? old->next : NULL;
    *at = o;
    lbpy_rule_hold(m);
    const int status = lbpy_rule_add(m, old ? old->rule : NULL);
    const bool gone = m->target == NULL;
    lbpy_rule_unhold(m);
    if (status < 0 && !gone) {
        undo(type, o, old);
    } else if (old) {
        lbpy_rule_drop(old->rule);
        old->rule = NULL;
        free_override(old);
    }
    return status;
}

static int sync_one(lbpy_class *type, PyObject *name)
{
    lbpy_typed *typed = typed_for(type, name);
    PyObject *function = typed ? function_for(type, name) : NULL;
    if (PyErr_Occurred())
        return -1;
    const lbpy_override *old = *find(type, name);
    if (old && old->function == function && old->typed == typed)
        return 0;
    if (function == NULL || (old && old->typed != typed))
        take_out(type, name);
    if (function == NULL)
        return 0;
    lbpy_typed_method *m = make_rule(type, typed, function);
    lbpy_override *o = m ? make_override(name, function, typed, m) : NULL;
    return o ? put_override(type, o) : -1;
}

/* All names that a class of C in the MRO has a door for, and all that there are
 * overrides of: a new set. */
static PyObject *names_of(lbpy_class *type)
{
    PyObject *names = PySet_New(NULL), *name, *door;
    Py_ssize_t at = 0;
    for (lbpy_class *one;
         names && (one = lbpy_class_next(type, &at)) != NULL;) {
        Py_ssize_t cursor = 0;
        while (names && one->doors &&
               PyDict_Next(one->doors, &cursor, &name, &door))
            if (PySet_Add(names, name) < 0)
                Py_CLEAR(names);
    }
    for (const lbpy_override *o = type->overrides; names && o; o = o->next)
        if (PySet_Add(names, o->name) < 0)
            Py_CLEAR(names);
    return names;
}

int lbpy_override_sync(lbpy_class *type, PyObject *name)
{
    if (type->native || type->cls == NULL)
        return 0;
    if (name)
        return sync_one(type, name);
    PyObject *names = names_of(type), *one;
    PyObject *iterator = names ? PyObject_GetIter(names) : NULL;
    int status = iterator ? 0 : -1;
    while (status == 0 && (one = PyIter_Next(iterator)) != NULL) {
        status = sync_one(type, one);
        Py_DECREF(one);
    }
    Py_XDECREF(iterator);
    Py_XDECREF(names);
    return PyErr_Occurred() ? -1 : status;
}

/* ---- all below a type --------------------------------------------------- */

typedef int (*visit_fn)(lbpy_class *type, PyObject *name, void *context);

static int each_below(lbpy_class *type, PyObject *name, visit_fn visit,
                      void *context)
{
    int status = visit(type, name, context);
    PyObject *below = status < 0 ? NULL
                                 : PyObject_CallMethod((PyObject *)type,
                                                       "__subclasses__", NULL);
    if (below == NULL)
        return -1;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(below); i++) {
        PyObject *one = PyList_GET_ITEM(below, i);
        if (lbpy_is_class(type->state, one) && ((lbpy_class *)one)->cls)
            status = each_below((lbpy_class *)one, name, visit, context);
    }
    Py_DECREF(below);
    return status;
}

static int sync_visit(lbpy_class *type, PyObject *name, void *context)
{
    (void)context;
    return lbpy_override_sync(type, name);
}

int lbpy_override_spread(lbpy_class *type, PyObject *name)
{
    return each_below(type, name, sync_visit, NULL);
}

/* ---- doors -------------------------------------------------------------- */

static int install(lbpy_class *type, PyObject *name, void *context)
{
    lbpy_typed *typed = context;
    if (!type->native)
        return 0;
    if (type->doors == NULL && (type->doors = PyDict_New()) == NULL)
        return -1;
    lbpy_door *door = make_door(type, typed);
    const int status =
        door == NULL || PyDict_SetItem(type->doors, name, (PyObject *)door) < 0
            ? -1
            : PyType_Type.tp_setattro((PyObject *)type, name, (PyObject *)door);
    Py_XDECREF(door);
    return status;
}

int lbpy_override_inherit(lbpy_state *state, lbpy_class *type)
{
    PyObject *bases = type->type.ht_type.tp_bases, *name, *door;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(bases, i);
        Py_ssize_t cursor = 0;
        if (!lbpy_is_class(state, base) || ((lbpy_class *)base)->doors == NULL)
            continue;
        while (PyDict_Next(((lbpy_class *)base)->doors, &cursor, &name, &door))
            if (!(type->doors && PyDict_Contains(type->doors, name)) &&
                install(type, name, ((lbpy_door *)door)->typed) < 0)
                return -1;
    }
    return 0;
}

int lbpy_override_add(lbpy_state *state, lbpy_class *type, PyObject *name,
                      lbpy_typed *typed)
{
    const lbpy_c_type *first = &typed->parameters[0];
    (void)state;
    if (typed->dispatched[0] != 0 ||
        (first->code == LBPY_C_OBJECT &&
         !PyType_IsSubtype(&type->type.ht_type, &first->cls->type.ht_type)) ||
        (first->code != LBPY_C_OBJECT && first->code != LBPY_C_REF)) {
        PyErr_Format(PyExc_TypeError,
                     "%U %s cannot be a method of %s: its first argument must "
                     "be such an object, and dispatched on",
                     typed->name, typed->signature->text,
                     type->type.ht_type.tp_name);
        return -1;
    }
    return each_below(type, name, install, typed) < 0
               ? -1
               : lbpy_override_spread(type, name);
}
