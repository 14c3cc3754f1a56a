/* resolve.c - what happens when a call finds nothing in its cell.
 *
 *   1. Forget what was kept for another version of the engine's generic
 *      function, or for another state of the abstract classes.
 *   2. Take the records of the arguments' types (types.h); their serials are the
 *      key of the second table, which outlives version tags.
 *   3. Not there: if values may matter for these types, make a choice of it;
 *      else ask the engine, in a bracket, and copy its entry to links.
 *   4. Keep it under the serials, and under the version tags if all types have
 *      one; a type without gets one, unless it is written to all the time.
 *   5. A choice asks the values now.
 * Python code may run in step 2 (abstract classes are asked), in step 3 when the
 * generic function has a chooser, and in step 5; it may change anything. From the
 * records to the links there is none, and what was found is kept only if the
 * version is still the one from before. In Python code that step 2 runs nothing
 * is kept: the answer that it is to give may be missing.
 */
#include "resolve.h"

#include <string.h>

static uint64_t version_of(const lbpy_form *form)
{
    return __atomic_load_n(form->version, __ATOMIC_ACQUIRE);
}

/* ---- step 1 ------------------------------------------------------------- */

#if PY_VERSION_HEX < 0x030B0000
/* Every form forgets what it keeps, when it is called next. */
static void renew_tags(lbpy_state *state)
{
    PyTypeObject *type = state->link_type;
    if (type->tp_version_tag == state->link_tag && state->link_tag != 0)
        return;
    (void)_PyType_Lookup(type, PyTuple_GET_ITEM(state->next_names, 0));
    state->link_tag = type->tp_version_tag;
    for (lbpy_generic *g = state->first_generic; g; g = g->next_generic)
        for (lbpy_form *form = g->forms; form; form = form->next)
            form->seen = version_of(form) - 1;
}
#endif

static int catch_up(lbpy_generic *g, lbpy_form *form)
{
#if PY_VERSION_HEX < 0x030B0000
    renew_tags(g->state);
#endif
    if (form->by_abstract) {
        if (lbpy_abc_refresh(g->state) < 0)
            return -1;
        if (form->abc_token != g->state->abc_token) {
            /* The serials' table may stay: a type whose order changed gets
             * another one. */
            lbpy_cells_clear(&form->tags);
            form->abc_token = g->state->abc_token;
        }
    }
    /* Tags that were given up pile up: a class that is written to often. */
    if (form->tags.stale || form->tags.count > 2 * form->serials.count + 8)
        lbpy_cells_clear(&form->tags);
    if (form->serials.stale)
        lbpy_cells_clear(&form->serials);
    const uint64_t version = version_of(form);
    if (form->seen != version) {
        lbpy_form_forget(form);
        form->seen = version;
    }
    return 0;
}

/* ---- keys --------------------------------------------------------------- */

static bool serial_key(const lbpy_form *form, lbpy_type *const *records,
                       uint64_t *key)
{
    memset(key, 0, LBPY_MAX_WORDS * sizeof *key);
    for (unsigned i = 0; i < form->slots; i++) {
        if (records[i]->serial == 0)
            return false;
        key[i / 2] |= (uint64_t)records[i]->serial << (i % 2 * 32);
    }
    return true;
}

/* Is a type without a version tag to get one now? Not each time, since a class
 * may be written to between all calls, and tags are not without end. */
static bool is_due(const lbpy_type *record)
{
    return record->type->tp_version_tag == 0 && record->untagged % 64 == 0;
}

/* Lets the interpreter give the type a version tag, if it is due; it does when
 * an attribute is looked up. */
static void want_tag(const lbpy_state *state, lbpy_type *record)
{
    PyTypeObject *type = record->type;
    const bool now = is_due(record);
    record->untagged += type->tp_version_tag == 0;
    if (!now)
        return;
#if PY_VERSION_HEX >= 0x030C0000
    (void)state;
    (void)PyUnstable_Type_AssignVersionTag(type);
#else
    (void)_PyType_Lookup(type, PyTuple_GET_ITEM(state->next_names, 0));
#endif
}

/* Are the arguments' types as they were when `key` was made? `deaths`: of types,
 * up to then. */
static bool are_as_before(const lbpy_generic *g, const lbpy_form *form,
                          lbpy_type *const *records, PyObject *const *args,
                          const uint64_t *key, uint64_t deaths)
{
    uint64_t now[LBPY_MAX_WORDS];
    if (deaths != g->state->deaths)
        return false;
    for (unsigned i = 0; i < form->slots; i++)
        if (!lbpy_type_is_current(g->state, records[i]) ||
            (!lbpy_is_packed(form, i) &&
             Py_TYPE(args[form->argument[i]]) != records[i]->type))
            return false;
    return serial_key(form, records, now) && memcmp(now, key, sizeof now) == 0;
}

static bool tag_key(const lbpy_form *form, PyObject *const *args, uint64_t *key)
{
    memset(key, 0, LBPY_MAX_WORDS * sizeof *key);
    if (form->packed)
        return false;
    for (unsigned i = 0; i < form->slots; i++) {
        const uint32_t tag = Py_TYPE(args[form->argument[i]])->tp_version_tag;
        if (tag == 0)
            return false;
        key[i / 2] |= (uint64_t)tag << (i % 2 * 32);
    }
    return true;
}

/* ---- step 3 ------------------------------------------------------------- */

/* What an exception left open is asked again for the classes that rules name. */
static int insist(lbpy_generic *g, const lbpy_form *form, unsigned slot,
                  lbpy_type *record)
{
    const uint64_t asked = g->state->asked;
    for (size_t k = 0; k < form->count && asked == g->state->asked; k++) {
        const lbpy_type *base = form->rules[k]->want[slot].base;
        if (base && lbpy_type_insist(g->state, record, base) < 0)
            return -1;
    }
    return 0;
}

/* The arguments' types (or, with `of_types`, the types that are given in their
 * place) and their records, one per slot. Python code may run, and change the
 * form: then once more. False: an exception. */
static bool look_at(lbpy_generic *g, const lbpy_form *form,
                    PyObject *const *args, bool of_types, PyTypeObject **types,
                    lbpy_type **records)
{
    uint64_t generation, asked;
    do {
        generation = form->generation;
        asked = g->state->asked;
        for (unsigned i = 0; i < form->slots; i++) {
            PyObject *one = args[form->argument[i]];
            types[i] = lbpy_is_packed(form, i) ? &PyTuple_Type
                       : of_types              ? (PyTypeObject *)one
                                               : Py_TYPE(one);
            records[i] = lbpy_type_of(g->state, types[i]);
            if (records[i] == NULL)
                return false;
            if (generation != form->generation)
                break;
            if (form->by_abstract && insist(g, form, i, records[i]) < 0)
                return false;
        }
    } while (generation != form->generation || asked != g->state->asked);
    return true;
}

/* `method`, or those of a bundle, once each. */
static int add_applicable(PyObject *methods, lbpy_method *method)
{
    for (Py_ssize_t i = 0; method->tied && i < PyTuple_GET_SIZE(method->tied);
         i++)
        if (add_applicable(
                methods, (lbpy_method *)PyTuple_GET_ITEM(method->tied, i)) < 0)
            return -1;
    bool has = method->tied != NULL;
    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(methods) && !has; k++)
        has = PyList_GET_ITEM(methods, k) == (PyObject *)method;
    return has ? 0 : PyList_Append(methods, (PyObject *)method);
}

/* The applicable methods, in the order of definition, of a combined entry. */
static PyObject *applicable(const lb_entry *entry)
{
    PyObject *methods = PyList_New(0);
    for (uint32_t i = 0; methods && i < entry->part_count; i++)
        if (add_applicable(methods, entry->parts[i]->context) < 0)
            Py_CLEAR(methods);
    PyObject *tuple = methods ? PyList_AsTuple(methods) : NULL;
    Py_XDECREF(methods);
    return tuple;
}

/* The types of the positional arguments; object where none is looked at. */
static PyObject *type_tuple(const lbpy_form *form, PyTypeObject *const *types)
{
    PyObject *tuple = PyTuple_New(form->positional);
    for (Py_ssize_t a = 0; tuple && a < form->positional; a++) {
        PyTypeObject *type = &PyBaseObject_Type;
        for (unsigned i = 0; i < form->slots; i++)
            if (form->argument[i] == a)
                type = types[i];
        PyTuple_SET_ITEM(tuple, a, Py_NewRef((PyObject *)type));
    }
    return tuple;
}

static bool all_methods(const lbpy_state *state, PyObject *tuple)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (!Py_IS_TYPE(PyTuple_GET_ITEM(tuple, i), state->method_type))
            return false;
    return true;
}

/* The chain in the order that the generic function's chooser says. */
static lbpy_link *chosen_by_user(lbpy_generic *g, PyObject *types,
                                 PyObject *methods)
{
    PyObject *chooser = Py_NewRef(g->chooser);
    PyObject *said =
        PyObject_CallFunctionObjArgs(chooser, g, types, methods, NULL);
    PyObject *order = said ? PySequence_Tuple(said) : NULL;
    lbpy_link *link = NULL;
    if (order && all_methods(g->state, order))
        link = lbpy_link_list(g, order);
    else if (order)
        PyErr_Format(PyExc_TypeError,
                     "%U: the order function must return methods, it returned "
                     "%R",
                     g->name, said);
    Py_XDECREF(order);
    Py_XDECREF(said);
    Py_DECREF(chooser);
    return link;
}

/* What the engine said: a link, or, for the chooser, the methods. No Python code
 * runs between its answer and the end of this, so that the methods that it names
 * are there. */
static lbpy_link *take_answer(lbpy_generic *g, const lbpy_form *form,
                              const lbpy_found *found, const lb_entry *entry,
                              bool whole, PyObject **methods)
{
    lbpy_link *link = NULL;
    const int collects = PyGC_Disable();
    if (g->chooser && entry->status == LB_OK)
        *methods = applicable(entry);
    else
        link = lbpy_link_of(g, form, entry, found, whole);
    if (collects)
        PyGC_Enable();
    return link;
}

/* NULL without an exception: Python code changed the form. */
static lbpy_link *ask_in_bracket(lbpy_generic *g, const lbpy_form *form,
                                 const lbpy_found *found, bool whole,
                                 PyObject **methods)
{
    const uint64_t generation = form->generation;
    lb_class *classes[LBPY_MAX_SLOTS] = {NULL};
    lb_value values[LBPY_MAX_SLOTS];
    lbpy_link *link = NULL;
    for (unsigned i = 0; i < form->slots; i++) {
        classes[i] = found->records[i]->cls;
        values[i] = lb_pointer(found->values ? found->values[i] : NULL);
    }
    lb_reader *reader = lbpy_enter(g->state);
    if (reader == NULL)
        return NULL;
    const lb_entry *entry =
        lb_resolve(form->generic, classes, found->values ? values : NULL);
    if (entry->status == LB_PREDICATE_FAILED || entry->status == LB_NO_MEMORY)
        lbpy_raise((lb_status)entry->status);
    else if (found->told && found->told->failed)
        PyErr_NoMemory();
    if (!PyErr_Occurred() && generation == form->generation)
        link = take_answer(g, form, found, entry, whole, methods);
    lbpy_leave(g->state, reader);
    return link;
}

/* Asks the engine. `values`: one per slot, or NULL. Where there are some: NULL
 * without an exception when Python code changed the form. */
static lbpy_link *ask_engine(lbpy_generic *g, lbpy_form *form,
                             lbpy_type *const *records,
                             PyTypeObject *const *types,
                             PyObject *const *values, bool whole)
{
    PyObject *methods = NULL;
    lbpy_told told;
    const bool ask = values && form->by_value && form->by_virtual;
    const lbpy_found found = {records, values, ask ? &told : NULL};
    if (form->generic == NULL)
        return lbpy_link_end(g, LB_NO_METHOD);
    if (ask)
        lbpy_told_begin(g->state, &told);
    lbpy_forms_hold(g);
    lbpy_link *link = ask_in_bracket(g, form, &found, whole, &methods);
    lbpy_forms_let_go(g);
    if (ask)
        lbpy_told_end(g->state, &told);
    PyObject *of = methods ? type_tuple(form, types) : NULL;
    if (of)
        link = chosen_by_user(g, of, methods);
    Py_XDECREF(of);
    Py_XDECREF(methods);
    return link;
}

/* ---- step 4 ------------------------------------------------------------- */

static PyObject *function_of(lbpy_generic *g, PyObject *node)
{
    return Py_IS_TYPE(node, g->state->link_type)
               ? lbpy_link_function((lbpy_link *)node)
               : NULL;
}

static void keep_by_tags(lbpy_generic *g, lbpy_form *form,
                         lbpy_type *const *records, PyObject *const *args,
                         PyObject *node)
{
    uint64_t key[LBPY_MAX_WORDS];
    for (unsigned i = 0; i < form->slots; i++)
        want_tag(g->state, records[i]);
    if (tag_key(form, args, key))
        lbpy_cells_put(&form->tags, key, node, function_of(g, node),
                       g->state->deaths);
}

/* Step 3 for arguments; a link or a choice. */
static PyObject *decide(lbpy_generic *g, lbpy_form *form,
                        lbpy_type *const *records, PyTypeObject *const *types)
{
    if (form->by_value && lbpy_choice_is_needless(g, form, records)) {
        lbpy_link *link = ask_engine(g, form, records, types, NULL, false);
        if (link == NULL || link->kind == LBPY_LINK_PLAIN)
            return (PyObject *)link;
        Py_DECREF(link);
    }
    const int collects = PyGC_Disable();
    lbpy_choice *choice = lbpy_choice_make(g, form, records);
    if (collects)
        PyGC_Enable();
    if (choice || PyErr_Occurred())
        return (PyObject *)choice;
    return (PyObject *)ask_engine(g, form, records, types, NULL,
                                  lbpy_wants_whole(g));
}

/* Steps 2 to 4. */
static PyObject *node_of(lbpy_generic *g, lbpy_form *form,
                         PyObject *const *args)
{
    lbpy_type *records[LBPY_MAX_SLOTS];
    PyTypeObject *types[LBPY_MAX_SLOTS];
    uint64_t key[LBPY_MAX_WORDS];
    if (!look_at(g, form, args, false, types, records))
        return NULL;
    const bool keyed = serial_key(form, records, key);
    const bool keep = keyed && !lbpy_types_are_asked(g->state);
    lbpy_cell *cell = keyed ? lbpy_cells_find(&form->serials, key) : NULL;
    PyObject *node = cell ? Py_NewRef(cell->node) : NULL;
    if (node == NULL) {
        const uint64_t version = form->seen, deaths = g->state->deaths;
        node = decide(g, form, records, types);
        if (node == NULL || !keep || version != version_of(form) ||
            version != form->seen)
            return node;
        lbpy_cells_put(&form->serials, key, node, function_of(g, node),
                       g->state->deaths);
        if (g->chooser && !are_as_before(g, form, records, args, key, deaths))
            return node;
    }
    keep_by_tags(g, form, records, args, node);
    return node;
}

static bool have_tags(const lbpy_form *form, PyObject *const *args)
{
    for (unsigned i = 0; i < form->slots; i++)
        if (Py_TYPE(args[form->argument[i]])->tp_version_tag == 0)
            return false;
    return true;
}

int lbpy_find_by_serials(lbpy_generic *g, const lbpy_form *form,
                         PyObject *const *args, const lbpy_cell **found)
{
    lbpy_type *records[LBPY_MAX_SLOTS];
    uint64_t key[LBPY_MAX_WORDS];
    const uint64_t asked = g->state->asked;
    if (form->by_abstract /* see `insist` */ || have_tags(form, args))
        return 0;
    for (unsigned i = 0; i < form->slots; i++) {
        records[i] = lbpy_type_of(g->state, Py_TYPE(args[form->argument[i]]));
        if (records[i] == NULL)
            return -1;
        if (asked != g->state->asked || is_due(records[i]))
            return 0;
        records[i]->untagged += records[i]->type->tp_version_tag == 0;
    }
    if (form->seen == version_of(form) && serial_key(form, records, key))
        *found = lbpy_cells_find(&form->serials, key);
    return 0;
}

/* No argument decides: one node for all calls. */
static PyObject *only_node(lbpy_generic *g, lbpy_form *form)
{
    if (form->only)
        return Py_NewRef(form->only);
    lbpy_link *link =
        ask_engine(g, form, NULL, NULL, NULL, lbpy_wants_whole(g));
    if (link && form->seen == version_of(form) && form->only == NULL)
        form->only = Py_NewRef((PyObject *)link);
    return (PyObject *)link;
}

lbpy_link *lbpy_resolve(lbpy_generic *g, lbpy_form *form, PyObject *const *args)
{
    if (catch_up(g, form) < 0)
        return NULL;
    PyObject *node = form->slots ? node_of(g, form, args) : only_node(g, form);
    if (node == NULL || Py_IS_TYPE(node, g->state->link_type))
        return (lbpy_link *)node;
    lbpy_link *link = lbpy_choose(g, form, (lbpy_choice *)node, args);
    Py_DECREF(node);
    return link;
}

/* ---- other questions ---------------------------------------------------- */

/* With the values of the arguments. Python code may run: their types are held, so
 * that the records stay. */
static lbpy_link *ask_with(lbpy_generic *g, lbpy_form *form,
                           lbpy_type *const *records,
                           PyTypeObject *const *types, PyObject *const *args,
                           bool whole)
{
    PyObject *values[LBPY_MAX_SLOTS] = {NULL};
    lbpy_link *link = NULL;
    const unsigned slots = form->slots;
    bool good = true;
    for (unsigned i = 0; i < slots; i++) {
        Py_INCREF(types[i]);
        good = good && (values[i] = lbpy_slot_value(form, args, i)) != NULL;
    }
    if (good)
        link = ask_engine(g, form, records, types, values, whole);
    for (unsigned i = 0; i < slots; i++) {
        Py_DECREF(types[i]);
        Py_XDECREF(values[i]);
    }
    return link;
}

int lbpy_look_again(const lbpy_generic *g, unsigned *times)
{
    enum { PATIENCE = 100 };
    if (++*times < PATIENCE)
        return 0;
    PyErr_Format(PyExc_RuntimeError,
                 "%U: its methods are changed each time that a test in an "
                 "annotation of theirs is asked",
                 g->name);
    return -1;
}

/* The same for types, `given` or those of the arguments; until nothing changed
 * meanwhile. */
static lbpy_link *resolve_with(lbpy_generic *g, lbpy_form *form,
                               PyObject *const *given, PyObject *const *args,
                               bool whole)
{
    lbpy_type *records[LBPY_MAX_SLOTS];
    PyTypeObject *types[LBPY_MAX_SLOTS];
    lbpy_link *link;
    unsigned times = 0;
    do {
        if (!look_at(g, form, given ? given : args, given != NULL, types,
                     records))
            return NULL;
        link = ask_with(g, form, records, types, args, whole);
    } while (link == NULL && !PyErr_Occurred() &&
             lbpy_look_again(g, &times) == 0);
    return link;
}

lbpy_link *lbpy_resolve_values(lbpy_generic *g, lbpy_form *form,
                               PyObject *const *args)
{
    return resolve_with(g, form, NULL, args, lbpy_wants_whole(g));
}

/* What is kept for such types, or is now. With an order function, whose chains
 * are always whole, calls and questions share what they found. */
static lbpy_link *kept_link(lbpy_generic *g, lbpy_form *form,
                            lbpy_type *const *records,
                            PyTypeObject *const *types)
{
    uint64_t key[LBPY_MAX_WORDS];
    const uint64_t version = form->seen;
    const bool keyed =
        g->chooser && form->slots && serial_key(form, records, key);
    lbpy_cell *cell = keyed ? lbpy_cells_find(&form->serials, key) : NULL;
    if (cell && Py_IS_TYPE(cell->node, g->state->link_type))
        return (lbpy_link *)Py_NewRef(cell->node);
    lbpy_link *link = ask_engine(g, form, records, types, NULL, true);
    if (link && keyed && cell == NULL && !form->by_value &&
        !lbpy_types_are_asked(g->state) && version == version_of(form) &&
        version == form->seen)
        lbpy_cells_put(&form->serials, key, (PyObject *)link, NULL,
                       g->state->deaths);
    return link;
}

lbpy_link *lbpy_resolve_types(lbpy_generic *g, lbpy_form *form,
                              PyObject *const *given, PyObject *const *values)
{
    lbpy_type *records[LBPY_MAX_SLOTS];
    PyTypeObject *types[LBPY_MAX_SLOTS];
    if (catch_up(g, form) < 0)
        return NULL;
    if (values)
        return resolve_with(g, form, given, values, true);
    return look_at(g, form, given, true, types, records)
               ? kept_link(g, form, records, types)
               : NULL;
}
