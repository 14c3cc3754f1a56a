/* bridge_class.c - types for classes of C, and classes of Python below them.
 *
 * All of them are made by one metatype, whose types are larger by an
 * lbpy_class. A type for a class of C ("native") has the types of the class's
 * bases as bases and is kept as long as the module. `class Mine(Shape)` makes
 * an engine class below that of Shape, whose order is the MRO as far as it has
 * classes; it ends with the type. The engine's class is made when it is first
 * wanted, since __init_subclass__ and the like may make instances before the
 * type is finished.
 *
 * Setting an attribute of a class of Python first sets it, then makes the rules
 * what it says (bridge_override.c); if that fails the attribute is put back.
 */
#include "bridge.h"

#include <string.h>

/* ---- questions ---------------------------------------------------------- */

bool lbpy_is_class(const lbpy_state *state, PyObject *object)
{
    return PyObject_TypeCheck(object, state->bridge->meta_type);
}

lbpy_class *lbpy_class_find(const lbpy_state *state, const lb_class *cls)
{
    return lbpy_map_get(&state->bridge->types, cls);
}

lbpy_class *lbpy_class_next(lbpy_class *type, Py_ssize_t *at)
{
    PyObject *mro = type->type.ht_type.tp_mro;
    while (mro && *at < PyTuple_GET_SIZE(mro)) {
        PyObject *one = PyTuple_GET_ITEM(mro, (*at)++);
        if (lbpy_is_class(type->state, one))
            return (lbpy_class *)one;
    }
    return NULL;
}

/* ---- engine classes for classes of Python ------------------------------- */

/* The engine's classes among the types in `types` from `first` on; NULL: an
 * exception. To be freed by PyMem_Free. */
static lb_class **classes_in(lbpy_state *state, PyObject *types,
                             Py_ssize_t first, size_t *count)
{
    const Py_ssize_t all = types ? PyTuple_GET_SIZE(types) : 0;
    lb_class **found = PyMem_Calloc((size_t)all + 1, sizeof *found);
    *count = 0;
    if (found == NULL)
        PyErr_NoMemory();
    for (Py_ssize_t i = first; found && i < all; i++) {
        PyObject *one = PyTuple_GET_ITEM(types, i);
        lb_class *cls = NULL;
        if (!lbpy_is_class(state, one))
            continue;
        if ((cls = lbpy_class_engine((lbpy_class *)one)) == NULL) {
            PyMem_Free(found);
            return NULL;
        }
        found[(*count)++] = cls;
    }
    return found;
}

typedef struct shape {
    lb_class **bases, **order;
    size_t base_count, order_count;
} shape;

static void free_shape(shape *s)
{
    PyMem_Free(s->bases);
    PyMem_Free(s->order);
}

static int shape_of(lbpy_class *type, shape *s)
{
    PyTypeObject *t = &type->type.ht_type;
    *s = (shape){NULL, NULL, 0, 0};
    s->bases = classes_in(type->state, t->tp_bases, 0, &s->base_count);
    if (s->bases)
        s->order = classes_in(type->state, t->tp_mro, 1, &s->order_count);
    if (s->order && s->base_count)
        return 0;
    if (s->order)
        PyErr_Format(PyExc_TypeError, "no base of %s stands for a class of C",
                     t->tp_name);
    free_shape(s);
    return -1;
}

/* What the type does not say itself it has from the first that does. */
static void inherit_hooks(lbpy_class *type)
{
    lbpy_class_spec *own = &type->hooks;
    Py_ssize_t at = 1;
    for (lbpy_class *base; (base = lbpy_class_next(type, &at)) != NULL;) {
        if (own->init == NULL)
            own->init = base->hooks.init;
        if (own->finish == NULL)
            own->finish = base->hooks.finish;
        if (own->retain == NULL && base->hooks.retain) {
            own->retain = base->hooks.retain;
            own->release = base->hooks.release;
        }
    }
}

static lb_class *create_class(lbpy_class *type)
{
    lb_class *cls = NULL;
    shape s;
    if (shape_of(type, &s) < 0)
        return NULL;
    const lb_class_spec spec = {.name = type->type.ht_type.tp_name,
                                .bases = s.bases,
                                .base_count = s.base_count,
                                .linearization = s.order,
                                .linearization_count = s.order_count};
    const lb_status status = lb_class_create(type->state->runtime, &spec, &cls);
    free_shape(&s);
    if (status != LB_OK)
        lbpy_raise_call(status);
    return cls;
}

lb_class *lbpy_class_engine(lbpy_class *type)
{
    if (type->cls)
        return type->cls;
    if (type->state == NULL) {
        lbpy_state *state = lbpy_state_of_subtype(&type->type.ht_type);
        if (state == NULL)
            return NULL;
        type->state = lbpy_state_hold(state);
    }
    lb_class *cls = create_class(type);
    if (cls && lbpy_map_put(&type->state->bridge->types, cls, type) < 0) {
        (void)lb_class_destroy(cls);
        cls = NULL;
    }
    if (cls)
        inherit_hooks(type);
    return type->cls = cls;
}

/* After the bases have changed: of the type and of all below it. */
static int relink(lbpy_class *type)
{
    shape s;
    if (shape_of(type, &s) < 0)
        return -1;
    lb_status status =
        lb_class_set_linearization(type->cls, s.order, s.order_count);
    if (status == LB_OK)
        status = lb_class_set_bases(type->cls, s.bases, s.base_count);
    free_shape(&s);
    if (status != LB_OK) {
        lbpy_raise_call(status);
        return -1;
    }
    PyObject *below =
        PyObject_CallMethod((PyObject *)type, "__subclasses__", NULL);
    int done = below ? 0 : -1;
    for (Py_ssize_t i = 0; done == 0 && i < PyList_GET_SIZE(below); i++) {
        PyObject *one = PyList_GET_ITEM(below, i);
        if (lbpy_is_class(type->state, one) && ((lbpy_class *)one)->cls)
            done = relink((lbpy_class *)one);
    }
    Py_XDECREF(below);
    return done;
}

/* ---- types for classes of C --------------------------------------------- */

static PyObject *bases_of(lbpy_state *state, const lb_class *cls)
{
    const size_t count = lb_class_bases(cls, NULL, 0);
    if (count == 0)
        return PyTuple_Pack(1, state->bridge->object_type);
    lb_class **all = PyMem_Calloc(count, sizeof *all);
    if (all == NULL)
        return PyErr_NoMemory();
    (void)lb_class_bases(cls, all, count);
    PyObject *bases = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; bases && i < count; i++) {
        PyObject *one = lbpy_class_of_native(state, all[i], NULL);
        if (one)
            PyTuple_SET_ITEM(bases, (Py_ssize_t)i, one);
        else
            Py_CLEAR(bases);
    }
    PyMem_Free(all);
    return bases;
}

/* type(name, bases, {...}) by the metatype. */
static lbpy_class *new_type(lbpy_state *state, const lb_class *cls,
                            const lbpy_class_spec *spec)
{
    const char *module = spec->module ? spec->module : "latebind";
    PyObject *bases = bases_of(state, cls);
    PyObject *args =
        bases ? Py_BuildValue("(sO{s:(),s:s,s:z})", lb_class_name(cls), bases,
                              "__slots__", "__module__", module, "__doc__",
                              spec->doc)
              : NULL;
    Py_XDECREF(bases);
    PyObject *type =
        args ? PyType_Type.tp_new(state->bridge->meta_type, args, NULL) : NULL;
    Py_XDECREF(args);
    return (lbpy_class *)type;
}

static int finish_type(lbpy_state *state, lbpy_class *type, lb_class *cls,
                       const lbpy_class_spec *spec)
{
    lbpy_bridge *bridge = state->bridge;
    if (type->state == NULL)
        type->state = lbpy_state_hold(state);
    if (lbpy_map_put(&bridge->types, cls, type) < 0)
        return -1;
    type->cls = cls;
    type->native = true;
    type->hooks = *spec;
    type->hooks.module = type->hooks.doc = type->hooks.c_type = NULL;
    inherit_hooks(type);
    return lbpy_value_describe(state, type) < 0 ||
                   lbpy_override_inherit(state, type) < 0 ||
                   (spec->c_type &&
                    lbpy_c_types_struct(state, spec->c_type, type) < 0)
               ? -1
               : PyList_Append(bridge->kept, (PyObject *)type);
}

static int check_class(const lbpy_state *state, const lb_class *cls,
                       const lbpy_class_spec *spec)
{
    if (cls == NULL)
        PyErr_SetString(PyExc_ValueError, "the class is NULL");
    else if (lb_class_runtime(cls) != state->runtime)
        PyErr_Format(PyExc_ValueError,
                     "class %s is not of this interpreter's runtime",
                     lb_class_name(cls));
    else if (lbpy_is_python_class(state, cls))
        PyErr_Format(PyExc_ValueError, "class %s is that of a type of Python",
                     lb_class_name(cls));
    else if (!spec->retain != !spec->release)
        PyErr_Format(PyExc_ValueError,
                     "class %s: retain and release go together",
                     lb_class_name(cls));
    else if (state->bridge->kept == NULL)
        PyErr_SetString(PyExc_RuntimeError, "the interpreter is ending");
    else
        return 0;
    return -1;
}

PyObject *lbpy_class_of_native(lbpy_state *state, lb_class *cls,
                               const lbpy_class_spec *given)
{
    const lbpy_class_spec none = {0}, *spec = given ? given : &none;
    lbpy_class *type = cls ? lbpy_class_find(state, cls) : NULL;
    if (type)
        return Py_NewRef((PyObject *)type);
    if (check_class(state, cls, spec) < 0)
        return NULL;
    type = new_type(state, cls, spec);
    if (type && finish_type(state, type, cls, spec) < 0)
        Py_CLEAR(type);
    return (PyObject *)type;
}

/* ---- the metatype ------------------------------------------------------- */

static PyObject *meta_new(PyTypeObject *meta, PyObject *args, PyObject *kwds)
{
    PyObject *type = PyType_Type.tp_new(meta, args, kwds);
    if (type && (lbpy_class_engine((lbpy_class *)type) == NULL ||
                 lbpy_override_sync((lbpy_class *)type, NULL) < 0))
        Py_CLEAR(type);
    return type;
}

static bool wait_for_heirs(lbpy_bridge *bridge, lb_class *cls)
{
    if (bridge->dead_count == bridge->dead_room) {
        const size_t room = bridge->dead_room ? bridge->dead_room * 2 : 8;
        lb_class **grown =
            PyMem_RawRealloc(bridge->dead, room * sizeof(lb_class *));
        if (grown == NULL)
            return false;
        bridge->dead = grown;
        bridge->dead_room = room;
    }
    bridge->dead[bridge->dead_count++] = cls;
    return true;
}

/* A base waits for what derives from it, which may die later, since the
 * collector ends types in any order. (Without memory to wait in it stays as long
 * as the runtime.) */
static void end_engine_class(lbpy_bridge *bridge, lb_class *cls)
{
    if (!wait_for_heirs(bridge, cls))
        (void)lb_class_destroy(cls);
    for (size_t i = bridge->dead_count; i-- > 0;)
        if (lb_class_destroy(bridge->dead[i]) != LB_BUSY) {
            bridge->dead[i] = bridge->dead[--bridge->dead_count];
            i = bridge->dead_count; /* its bases, wherever they are */
        }
}

static void end_class(lbpy_state *state, lb_class *cls, bool native)
{
    if (cls == NULL)
        return;
    lbpy_map_take(&state->bridge->types, cls);
    if (!native)
        end_engine_class(state->bridge, cls);
}

/* No Python code may run before the type is gone. */
static void meta_dealloc(PyObject *self)
{
    lbpy_class *type = (lbpy_class *)self;
    PyTypeObject *meta = Py_TYPE(self);
    lbpy_class rest = *type;
    PyObject *error, *value, *traceback;
    PyType_Type.tp_dealloc(self);
    Py_DECREF(meta);
    if (rest.state == NULL)
        return;
    PyErr_Fetch(&error, &value, &traceback);
    lbpy_override_end(&rest);
    end_class(rest.state, rest.cls, rest.native);
    Py_XDECREF(rest.doors);
    PyErr_Restore(error, value, traceback);
    lbpy_state_release(rest.state);
}

static int meta_traverse(PyObject *self, visitproc visit, void *arg)
{
    const lbpy_class *type = (lbpy_class *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(type->doors);
    for (const lbpy_override *o = type->overrides; o; o = o->next) {
        Py_VISIT(o->function);
        Py_VISIT(o->typed);
        const int status = lbpy_rule_traverse(o->rule, visit, arg);
        if (status)
            return status;
    }
    return PyType_Type.tp_traverse(self, visit, arg);
}

static int meta_clear(PyObject *self)
{
    lbpy_class *type = (lbpy_class *)self;
    lbpy_override_end(type);
    Py_CLEAR(type->doors);
    return PyType_Type.tp_clear(self);
}

/* The value in the type's own dictionary, as a new reference, or NULL. */
static PyObject *own_value(lbpy_class *type, PyObject *name)
{
    return Py_XNewRef(
        PyDict_GetItemWithError(type->type.ht_type.tp_dict, name));
}

static void put_back(PyObject *self, PyObject *name, PyObject *value)
{
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    if (PyType_Type.tp_setattro(self, name, value) < 0)
        PyErr_Clear();
    PyErr_Restore(type, error, traceback);
}

static int set_bases(lbpy_class *type, PyObject *name, PyObject *value)
{
    PyObject *before = Py_NewRef(type->type.ht_type.tp_bases);
    int status = PyType_Type.tp_setattro((PyObject *)type, name, value);
    if (status == 0 &&
        (relink(type) < 0 || lbpy_override_spread(type, NULL) < 0)) {
        PyObject *kind, *error, *traceback;
        put_back((PyObject *)type, name, before);
        PyErr_Fetch(&kind, &error, &traceback);
        if (relink(type) < 0 || lbpy_override_spread(type, NULL) < 0)
            PyErr_Clear();
        PyErr_Restore(kind, error, traceback);
        status = -1;
    }
    Py_DECREF(before);
    return status;
}

static int refuse_native(lbpy_class *type, PyObject *name)
{
    PyErr_Format(
        PyExc_TypeError,
        "%s is made in C: its %U is not to be changed; add a method by "
        "register, or derive a class",
        type->type.ht_type.tp_name, name);
    return -1;
}

static int meta_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    lbpy_class *type = (lbpy_class *)self;
    if (type->cls == NULL || !PyUnicode_Check(name))
        return PyType_Type.tp_setattro(self, name, value);
    const bool bases = PyUnicode_CompareWithASCIIString(name, "__bases__") == 0;
    const int door =
        type->native && type->doors ? PyDict_Contains(type->doors, name) : 0;
    if (door < 0)
        return -1;
    if (door || (bases && type->native))
        return refuse_native(type, name);
    if (bases)
        return set_bases(type, name, value);
    PyObject *before = own_value(type, name);
    if (before == NULL && PyErr_Occurred())
        return -1;
    int status = PyType_Type.tp_setattro(self, name, value);
    if (status == 0 && lbpy_override_sync(type, name) < 0) {
        put_back(self, name, before);
        status = -1;
    }
    Py_XDECREF(before);
    return status;
}

static PyType_Slot meta_slots[] = {
    {Py_tp_doc, "The type of types that stand for classes of C."},
    {Py_tp_new, meta_new},
    {Py_tp_dealloc, meta_dealloc},
    {Py_tp_traverse, meta_traverse},
    {Py_tp_clear, meta_clear},
    {Py_tp_setattro, meta_setattro},
    {0, NULL},
};

static PyType_Spec meta_spec = {
    .name = "latebind._core.ClassType",
    .basicsize = sizeof(lbpy_class),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = meta_slots,
};

int lbpy_class_setup(PyObject *module, lbpy_state *state)
{
    state->bridge->meta_type = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &meta_spec, (PyObject *)&PyType_Type);
    return state->bridge->meta_type ? 0 : -1;
}
