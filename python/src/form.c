/* form.c - forms of call, and the rules that methods become in them.
 *
 * For a form and a method that takes such calls:
 *   1. each given argument has a hint; the arguments for which some method of
 *      the form has one are the slots that are dispatched on;
 *   2. each hint is split into alternatives (hint.h); each combination of them
 *      is a rule of the engine, with the method as its context;
 *   3. where methods come to an equal rule (they differ in what this call leaves
 *      out) they are a bundle: first the one that takes the call more exactly,
 *      else the one whose hint was not split, else the one that takes less in
 *      what the call leaves out; else it is a tie, an error at the call
 *      (bundle.c).
 * The engine dispatches on eight arguments. Of more, the eighth slot stands for
 * all that are left, packed to a tuple, whose types are a matter of values.
 * A method that needs another slot, or goes, makes the form's rules anew.
 *
 * What methods want was made before (lbpy_method_prepare), so that all this runs
 * no Python code, with the collector held off: other threads see a change whole
 * or not at all. The one exception are packed arguments, whose wants are made
 * here; if the methods changed meanwhile it begins again.
 */
#include "generic.h"

#include "grow.h"

#include <string.h>

enum { MANY_FORMS = 256 };

/* ---- rules -------------------------------------------------------------- */

static size_t rule_size(const lbpy_form *form)
{
    return sizeof(lbpy_rule) + form->slots * sizeof(lbpy_want);
}

static void free_rule(lbpy_rule *rule)
{
    if (rule && rule->method && rule->method->tied)
        Py_DECREF(rule->method);
    PyMem_Free(rule);
}

static void free_rules(lbpy_form *form)
{
    lbpy_rule **rules = form->rules;
    const size_t count = form->count;
    form->rules = NULL;
    form->count = form->room = 0;
    for (size_t i = 0; i < count; i++)
        free_rule(rules[i]);
    PyMem_Free(rules);
}

/* What the engine is told of a rule. */
static void describe(const lbpy_form *form, const lbpy_rule *rule,
                     lb_specializer *specializers, lb_rule *given)
{
    lbpy_specializers_of(form, rule, specializers);
    *given =
        (lb_rule){.method = &rule->method->descriptor,
                  .specializers = form->slots ? specializers : NULL,
                  .count = form->slots,
                  .qualifier = rule->method->qualifier,
                  .propagate = rule->method->propagate,
                  .commutative = rule->method->commutative && form->slots > 1,
                  .context = rule->method};
}

static bool same_wants(const lbpy_form *form, const lbpy_rule *a,
                       const lbpy_rule *b)
{
    return a->method->qualifier == b->method->qualifier &&
           memcmp(a->want, b->want, form->slots * sizeof *a->want) == 0;
}

static lbpy_rule *equal_rule(const lbpy_form *form, const lbpy_rule *rule)
{
    if (!form->overlapping)
        return NULL;
    for (size_t i = 0; i < form->count; i++)
        if (same_wants(form, form->rules[i], rule))
            return form->rules[i];
    return NULL;
}

/* Step 3: `fresh` becomes a bundle that takes the place of `old`: 1; 0: it is in
 * there already; -1. */
static int settle(lbpy_generic *g, lbpy_form *form, lbpy_rule *old,
                  lbpy_rule *fresh)
{
    if (lbpy_has_method(old->method, fresh->method))
        return 0;
    lbpy_method *bundle = lbpy_bundle_of(g, form, old->method, fresh->method);
    if (bundle == NULL)
        return -1;
    fresh->method = bundle;
    return 1;
}

static int reserve(lbpy_form *form)
{
    lbpy_rule **rules =
        lbpy_grown(form->rules, form->count, &form->room, sizeof *rules);
    if (rules == NULL)
        return -1;
    form->rules = rules;
    return 0;
}

static lbpy_way way_of(const lbpy_form *form)
{
    const uint16_t *at = form->argument;
    if (form->packed || form->slots == 0)
        return LBPY_WAY_LONG;
    if (form->by_abstract || form->slots > 2 || at[form->slots - 1] > 1)
        return LBPY_WAY_LISTED;
    return form->slots == 2 ? LBPY_WAY_BOTH
           : at[0] == 0     ? LBPY_WAY_FIRST
                            : LBPY_WAY_SECOND;
}

static void note(lbpy_form *form, const lbpy_rule *rule)
{
    for (unsigned i = 0; i < form->slots; i++) {
        const lbpy_want *w = &rule->want[i];
        form->by_value |= w->value != NULL;
        form->by_virtual |= w->base && w->base->role != LBPY_REAL;
        form->by_abstract |= w->base && w->base->by_token;
    }
    form->way = way_of(form);
}

/* Takes over `rule`; 1: *added is to be told to the engine, 0: nothing is. */
static int keep_rule(lbpy_generic *g, lbpy_form *form, lbpy_rule *rule,
                     lbpy_rule **added)
{
    lbpy_rule *old = equal_rule(form, rule);
    if (old) {
        const int better = settle(g, form, old, rule);
        if (better > 0) {
            lbpy_method *method = old->method;
            old->method = rule->method;
            rule->method = method;
            *added = old;
        }
        free_rule(rule);
        return better;
    }
    if (reserve(form) < 0) {
        free_rule(rule);
        return -1;
    }
    form->rules[form->count++] = *added = rule;
    note(form, rule);
    return 1;
}

/* ---- a method's rules --------------------------------------------------- */

static bool accepts(const lbpy_form *form, const lbpy_method *method)
{
    return lbpy_method_accepts(method, form->positional, form->kwnames);
}

static lbpy_hint *hint_at(const lbpy_form *form, const lbpy_method *method,
                          Py_ssize_t argument)
{
    return lbpy_method_hint(method, argument, form->positional, form->kwnames);
}

/* The hint for the packed slot, as a new reference: a tuple of just these. NULL
 * without an exception: any. */
static PyObject *packed_hint(lbpy_state *state, const lbpy_form *form,
                             const lbpy_method *method)
{
    bool wanted = false;
    PyObject *any = lbpy_hint_any(state);
    PyObject *all = any ? PyTuple_New(form->packed) : NULL;
    for (unsigned i = 0; all && i < form->packed; i++) {
        lbpy_hint *one = hint_at(form, method, form->pack[i]);
        wanted |= one != NULL;
        PyTuple_SET_ITEM(all, i, Py_NewRef(one ? (PyObject *)one : any));
    }
    PyObject *hint =
        all && wanted ? lbpy_hint_fixed(state, (PyObject *)&PyTuple_Type, all)
                      : NULL;
    Py_XDECREF(all);
    Py_XDECREF(any);
    return hint;
}

static void free_packs(lbpy_form *form)
{
    for (size_t i = 0; i < form->pack_count; i++)
        Py_XDECREF(form->packs[i]);
    PyMem_Free(form->packs);
    form->packs = NULL;
    form->pack_count = 0;
}

static int compare_packs(const lbpy_form *form)
{
    for (size_t i = 0; i < form->pack_count; i++)
        for (size_t k = 0; k < i; k++)
            if (form->packs[i] && form->packs[k] &&
                form->packs[i]->at[0].value && form->packs[k]->at[0].value &&
                lbpy_predicates_compare(form->packs[i]->at[0].value,
                                        form->packs[k]->at[0].value) < 0)
                return -1;
    return 0;
}

/* What a method wants of the packed arguments. NULL: an exception. */
static lbpy_wants *pack_of(lbpy_generic *g, const lbpy_form *form,
                           lbpy_method *method)
{
    Py_INCREF(method);
    lbpy_wants *wants = NULL;
    PyObject *hint = packed_hint(g->state, form, method);
    if (!PyErr_Occurred())
        wants = lbpy_wants_of(g->state, (lbpy_hint *)hint);
    Py_XDECREF(hint);
    Py_DECREF(method);
    return wants;
}

/* What each method wants of the packed arguments. May run Python code. */
static int make_packs(lbpy_generic *g, lbpy_form *form)
{
    const uint64_t revision = g->revision;
    free_packs(form);
    if (form->packed == 0)
        return 0;
    form->packs = PyMem_Calloc(g->count + 1, sizeof *form->packs);
    if (form->packs == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    form->pack_count = g->count;
    for (size_t i = 0; i < form->pack_count && revision == g->revision; i++)
        if (accepts(form, g->methods[i]) &&
            (form->packs[i] = pack_of(g, form, g->methods[i])) == NULL)
            return -1;
    return compare_packs(form);
}

PyObject *lbpy_slot_value(const lbpy_form *form, PyObject *const *args,
                          unsigned slot)
{
    if (!lbpy_is_packed(form, slot))
        return Py_NewRef(args[form->argument[slot]]);
    const int collects = PyGC_Disable(); /* finalizers may change the form */
    PyObject *tuple = PyTuple_New(form->packed);
    if (collects)
        PyGC_Enable();
    for (unsigned i = 0; tuple && i < form->packed; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[form->pack[i]]));
    return tuple;
}

/* What one method wants of the slots. */
typedef struct wishes {
    const lbpy_wants *of[LBPY_MAX_SLOTS];
    uint32_t at[LBPY_MAX_SLOTS]; /* the combination in turn */
} wishes;

static wishes wishes_of(const lbpy_generic *g, const lbpy_form *form,
                        size_t place)
{
    wishes w = {.at = {0}};
    for (unsigned i = 0; i < form->slots; i++)
        w.of[i] = lbpy_is_packed(form, i)
                      ? form->packs[place]
                      : lbpy_method_wants(g->methods[place], form->argument[i],
                                          form->positional, form->kwnames);
    return w;
}

/* The next combination; false after the last. */
static bool advance(const lbpy_form *form, wishes *w)
{
    for (unsigned i = form->slots; i-- > 0;) {
        if (++w->at[i] < w->of[i]->count)
            return true;
        w->at[i] = 0;
    }
    return false;
}

static lbpy_rule *make_rule(const lbpy_form *form, lbpy_method *method,
                            const wishes *w)
{
    lbpy_rule *rule = PyMem_Calloc(1, rule_size(form));
    if (rule == NULL)
        return (lbpy_rule *)PyErr_NoMemory();
    rule->method = method;
    for (unsigned i = 0; i < form->slots; i++)
        rule->want[i] = w->of[i]->at[w->at[i]];
    return rule;
}

/* A growing list of rules that the engine is to be told of. */
typedef struct news {
    lbpy_rule **at;
    size_t count, room;
} news;

static int add_news(news *n, lbpy_rule *rule)
{
    for (size_t i = n->count; i-- > 0 && rule->method->tied;)
        if (n->at[i] == rule)
            return 0;
    lbpy_rule **grown = lbpy_grown(n->at, n->count, &n->room, sizeof *grown);
    if (grown == NULL)
        return -1;
    n->at = grown;
    n->at[n->count++] = rule;
    return 0;
}

static bool may_overlap(const lbpy_form *form, const lbpy_method *method,
                        const wishes *w)
{
    for (unsigned i = 0; i < form->slots; i++)
        if (w->of[i]->count > 1)
            return true;
    return lbpy_method_looseness(method, lbpy_form_arguments(form)) != 0;
}

static int add_method(lbpy_generic *g, lbpy_form *form, size_t place, news *n)
{
    lbpy_method *method = g->methods[place];
    wishes w = wishes_of(g, form, place);
    int status;
    form->overlapping |= may_overlap(form, method, &w);
    do {
        lbpy_rule *rule = make_rule(form, method, &w);
        lbpy_rule *added;
        status = rule ? keep_rule(g, form, rule, &added) : -1;
        if (status > 0)
            status = add_news(n, added);
    } while (status == 0 && advance(form, &w));
    return status;
}

/* ---- slots -------------------------------------------------------------- */

static bool has_slot(const lbpy_form *form, Py_ssize_t argument)
{
    for (unsigned i = 0; i < form->packed; i++)
        if (form->pack[i] == argument)
            return true;
    for (unsigned i = 0; i < form->slots; i++)
        if (form->argument[i] == argument)
            return true;
    return false;
}

/* True when `method` looks at an argument that is not dispatched on yet. */
static bool wants_slot(const lbpy_form *form, const lbpy_method *method)
{
    for (Py_ssize_t a = 0; a < lbpy_form_arguments(form); a++)
        if (hint_at(form, method, a) && !has_slot(form, a))
            return true;
    return false;
}

static bool is_wanted(const lbpy_generic *g, const lbpy_form *form,
                      Py_ssize_t argument)
{
    for (size_t i = 0; i < g->count; i++)
        if (accepts(form, g->methods[i]) &&
            hint_at(form, g->methods[i], argument))
            return true;
    return false;
}

static void forget_slots(lbpy_form *form)
{
    form->slots = 0;
    form->packed = 0;
    PyMem_Free(form->pack);
    form->pack = NULL;
}

/* Step 1. The ninth that is wanted makes the eighth slot a packed one. */
static int choose_slots(const lbpy_generic *g, lbpy_form *form)
{
    const Py_ssize_t given = lbpy_form_arguments(form);
    forget_slots(form);
    for (Py_ssize_t a = 0; a < given; a++) {
        if (!is_wanted(g, form, a))
            continue;
        if (form->slots < LBPY_MAX_SLOTS) {
            form->argument[form->slots++] = (uint16_t)a;
            continue;
        }
        if (form->pack == NULL) {
            form->pack = PyMem_Calloc((size_t)given, sizeof *form->pack);
            if (form->pack == NULL || given > UINT16_MAX) {
                PyErr_NoMemory();
                return -1;
            }
            form->pack[form->packed++] = form->argument[LBPY_MAX_SLOTS - 1];
        }
        form->pack[form->packed++] = (uint16_t)a;
    }
    return 0;
}

/* ---- the engine's side -------------------------------------------------- */

static lb_status tell(const lbpy_form *form, lb_generic *generic, const news *n)
{
    const size_t slots = form->slots ? form->slots : 1;
    lb_rule *rules = PyMem_Calloc(n->count + 1, sizeof *rules);
    lb_specializer *all = PyMem_Calloc(n->count * slots + 1, sizeof *all);
    lb_status status = rules && all ? LB_OK : LB_NO_MEMORY;
    for (size_t i = 0; i < n->count && status == LB_OK; i++)
        describe(form, n->at[i], all + i * slots, &rules[i]);
    if (status == LB_OK && n->count)
        status = lb_add_rules(generic, rules, n->count);
    PyMem_Free(rules);
    PyMem_Free(all);
    return status;
}

/* The name of the parameter behind a slot, borrowed, or NULL. */
static PyObject *slot_name(const lbpy_generic *g, const lbpy_form *form,
                           unsigned slot)
{
    const Py_ssize_t a = form->argument[slot];
    if (a >= form->positional)
        return PyTuple_GET_ITEM(form->kwnames, a - form->positional);
    for (size_t i = 0; i < g->count; i++)
        if (a < g->methods[i]->positional)
            return PyTuple_GET_ITEM(g->methods[i]->names, a);
    return NULL;
}

/* The slots in the order in which they count; 0: left to right. */
static size_t precedence_of(const lbpy_generic *g, const lbpy_form *form,
                            uint32_t *order)
{
    size_t count = 0;
    unsigned done = 0;
    const Py_ssize_t names =
        g->precedence ? PyTuple_GET_SIZE(g->precedence) : 0;
    for (Py_ssize_t k = 0; k < names; k++)
        for (unsigned i = 0; i < form->slots; i++) {
            PyObject *name = slot_name(g, form, i);
            PyObject *wanted = PyTuple_GET_ITEM(g->precedence, k);
            if (!(done >> i & 1) && name &&
                PyUnicode_Compare(name, wanted) == 0) {
                order[count++] = i;
                done |= 1u << i;
            }
        }
    for (unsigned i = 0; i < form->slots && names; i++)
        if (!(done >> i & 1))
            order[count++] = i;
    return count;
}

/* In the engine's reports it has the function's name, but not among the names
 * that C libraries bind: those are identifiers. */
static lb_status create(const lbpy_generic *g, const lbpy_form *form,
                        const lb_policy *policy, lb_generic **result)
{
    const unsigned dispatched = form->slots ? form->slots : 1;
    PyObject *name = PyUnicode_FromFormat("python:%U", g->name);
    const char *text = name ? PyUnicode_AsUTF8(name) : NULL;
    lb_status status = lb_generic_create_boxed(g->state->runtime, text,
                                               dispatched, policy, result);
    if (status == LB_EXISTS) /* another form's, or function's */
        status = lb_generic_create_boxed(g->state->runtime, NULL, dispatched,
                                         policy, result);
    Py_XDECREF(name);
    PyErr_Clear();
    return status;
}

static lb_status make_generic(const lbpy_generic *g, const lbpy_form *form,
                              lb_generic **result)
{
    uint32_t precedence[LBPY_MAX_SLOTS];
    const size_t count = precedence_of(g, form, precedence);
    const lb_policy policy = {
        .order = g->chooser ? LB_DEFINITION : g->order,
        .combination = g->chooser                        ? LB_LIST
                       : g->combination == LBPY_STANDARD ? LB_STANDARD
                       : g->combination == LBPY_FIRST    ? LB_FIRST
                                                         : LB_LIST,
        .precedence = count ? precedence : NULL,
        .precedence_count = count,
        .silent = g->silent || g->chooser || g->order >= LB_DEFINITION ? 1 : 2};
    return create(g, form, &policy, result);
}

/* ---- making and rebuilding ---------------------------------------------- */

static const uint64_t never = 0;

void lbpy_form_forget(lbpy_form *form)
{
    PyObject *only = form->only;
    form->only = NULL;
    lbpy_cells_clear(&form->tags);
    lbpy_cells_clear(&form->serials);
    Py_XDECREF(only);
}

static lb_status untell(const lbpy_form *form, const lbpy_rule *rule)
{
    lb_specializer specializers[LBPY_MAX_SLOTS];
    lb_rule given;
    describe(form, rule, specializers, &given);
    return lb_remove_rules(form->generic, &given, 1);
}

/* The engine is asking its rules: it goes when that is over; without memory for
 * this note, with the runtime. */
static void retire(lbpy_generic *g, const lbpy_form *form)
{
    for (size_t i = 0; i < form->count; i++)
        (void)untell(form, form->rules[i]);
    lb_generic **retired = lbpy_grown(g->retired, g->retired_count,
                                      &g->retired_room, sizeof *retired);
    if (retired == NULL) {
        PyErr_Clear();
        return;
    }
    g->retired = retired;
    g->retired[g->retired_count++] = form->generic;
}

void lbpy_forms_hold(lbpy_generic *g)
{
    g->asking++;
}

void lbpy_forms_let_go(lbpy_generic *g)
{
    if (--g->asking > 0)
        return;
    while (g->retired_count)
        (void)lb_generic_destroy(g->retired[--g->retired_count]);
}

static void end_generic(lbpy_generic *g, lbpy_form *form)
{
    if (form->generic && g->asking)
        retire(g, form);
    else if (form->generic)
        (void)lb_generic_destroy(form->generic);
    form->generic = NULL;
    form->version = &never;
    form->seen = UINT64_MAX;
}

/* Leaves a form of a function without methods. */
static void empty_form(lbpy_generic *g, lbpy_form *form)
{
    form->generation++;
    end_generic(g, form);
    forget_slots(form);
    lbpy_form_forget(form);
    free_rules(form);
    free_packs(form);
}

static void free_form(lbpy_generic *g, lbpy_form *form)
{
    empty_form(g, form);
    Py_XDECREF(form->kwnames);
    PyMem_Free(form);
}

/* The slots, and for packed ones what is wanted of them. */
static int make_slots(lbpy_generic *g, lbpy_form *form)
{
    uint64_t revision;
    int status;
    do {
        revision = g->revision;
        free_packs(form);
        status = choose_slots(g, form);
        if (status == 0)
            status = make_packs(g, form);
    } while (status == 0 && revision != g->revision);
    return status;
}

/* Runs where no primary method fits, of the functions of a class: the attribute
 * of that name further up the MRO (link.c). So before, after and around methods
 * go around what is inherited, too. */
static lb_status inherited(lb_slot slot, size_t argc, const lb_value *argv,
                           lb_value *result)
{
    (void)slot;
    (void)argc;
    (void)argv;
    (void)result;
    return lb_fail_with(LB_METHOD_FAILED,
                        "what a class inherits is found in calls by Python");
}

const lb_method lbpy_inherited_method = {.abi = LB_ABI,
                                         .flags = LB_BOXED,
                                         .name = "inherited",
                                         .fn = (lb_fn)inherited};

static bool takes_all(const lbpy_form *form, const lbpy_method *method)
{
    for (Py_ssize_t a = 0; a < lbpy_form_arguments(form); a++)
        if (hint_at(form, method, a))
            return false;
    return true;
}

/* Is there something to go around what is inherited? */
static bool goes_around(const lbpy_generic *g, const lbpy_form *form)
{
    bool around = false;
    if (g->owner == NULL || g->chooser || g->combination > LBPY_FIRST)
        return false;
    for (size_t i = 0; i < g->count; i++) {
        const lbpy_method *method = g->methods[i];
        if (!accepts(form, method))
            continue;
        if (method->qualifier == LB_PRIMARY && takes_all(form, method))
            return false;
        around |= method->qualifier != LB_PRIMARY;
    }
    return around;
}

static lb_status add_inherited(const lbpy_generic *g, lbpy_form *form)
{
    const lb_specializer any[LBPY_MAX_SLOTS] = {{.kind = LB_ANY}};
    const lb_rule rule = {.method = &lbpy_inherited_method,
                          .specializers = form->slots ? any : NULL,
                          .count = form->slots};
    form->inherits = goes_around(g, form);
    return form->inherits ? lb_add_rules(form->generic, &rule, 1) : LB_OK;
}

bool lbpy_form_is_whole(const lbpy_generic *g, const lbpy_form *form)
{
    return form->inherits == (form->generic && goes_around(g, form));
}

/* 1: made, 0: no method takes such a call, -1. */
static int make_rules(lbpy_generic *g, lbpy_form *form, news *n)
{
    int status = 0;
    for (size_t i = 0; i < g->count && status == 0; i++)
        if (accepts(form, g->methods[i]))
            status = add_method(g, form, i, n);
    if (status == 0 && n->count) {
        lb_status said = make_generic(g, form, &form->generic);
        if (said == LB_OK)
            said = tell(form, form->generic, n);
        if (said == LB_OK)
            said = add_inherited(g, form);
        status = said == LB_OK ? 1 : lbpy_raise(said);
    }
    return status;
}

/* Fills a form that nobody sees yet. 1: filled, 0: no method takes such a call,
 * -1. */
static int fill(lbpy_generic *g, lbpy_form *form)
{
    news n = {0};
    int status = make_slots(g, form);
    const int collects = PyGC_Disable();
    if (status == 0)
        status = make_rules(g, form, &n);
    if (collects)
        PyGC_Enable();
    PyMem_Free(n.at);
    form->tags.words = form->serials.words = LBPY_KEY_WORDS(form->slots);
    if (status == 1)
        form->version = lb_generic_version(form->generic);
    return status;
}

static lbpy_form *new_form(Py_ssize_t positional, PyObject *kwnames)
{
    lbpy_form *form = PyMem_Calloc(1, sizeof *form);
    if (form == NULL)
        return (lbpy_form *)PyErr_NoMemory();
    form->positional = positional;
    form->kwnames = Py_XNewRef(kwnames);
    form->version = &never;
    form->seen = UINT64_MAX;
    form->tags.chooses = true;
    lbpy_cells_clear(&form->tags);
    lbpy_cells_clear(&form->serials);
    return form;
}

static bool same_names(PyObject *a, PyObject *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL || PyTuple_GET_SIZE(a) != PyTuple_GET_SIZE(b))
        return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(a); i++)
        if (PyTuple_GET_ITEM(a, i) != PyTuple_GET_ITEM(b, i) &&
            PyUnicode_Compare(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i)) !=
                0)
            return false;
    return true;
}

static lbpy_form *find(const lbpy_generic *g, Py_ssize_t positional,
                       PyObject *kwnames)
{
    for (lbpy_form *f = g->forms; f; f = f->next)
        if (f->positional == positional && same_names(f->kwnames, kwnames))
            return f;
    return NULL;
}

/* Calls with names that nobody foresaw, by **: their forms must not pile up.
 * Those without names stay, and so does what a call in flight holds. */
static void drop_some(lbpy_generic *g)
{
    lbpy_form **at = &g->forms;
    while (*at) {
        lbpy_form *form = *at;
        if (form->kwnames == NULL || form->users) {
            at = &form->next;
            continue;
        }
        *at = form->next;
        g->form_count--;
        free_form(g, form); /* may come back here */
        at = &g->forms;
    }
}

lbpy_form *lbpy_form_of(lbpy_generic *g, Py_ssize_t positional,
                        PyObject *kwnames)
{
    if (kwnames && PyTuple_GET_SIZE(kwnames) == 0)
        kwnames = NULL;
    lbpy_form *form = find(g, positional, kwnames);
    if (form)
        return form;
    if (g->form_count >= MANY_FORMS)
        drop_some(g);
    form = new_form(positional, kwnames);
    const int status = form ? fill(g, form) : -1;
    lbpy_form *other = status > 0 ? find(g, positional, kwnames) : NULL;
    if (status <= 0 || other) {
        if (form)
            free_form(g, form);
        return other;
    }
    form->next = g->forms;
    g->forms = form;
    g->form_count++;
    if (kwnames == NULL && positional < LBPY_PLAIN)
        g->plain[positional] = form;
    return form;
}

static int rebuild(lbpy_generic *g, lbpy_form *form)
{
    lbpy_form *fresh = new_form(form->positional, form->kwnames);
    if (fresh == NULL)
        return -1;
    const int status = fill(g, fresh);
    if (status >= 0) {
        const lbpy_form old = *form;
        *form = *fresh;
        form->next = old.next;
        form->users = old.users;
        form->generation = old.generation + 1;
        *fresh = old;
    }
    free_form(g, fresh);
    return status < 0 ? -1 : 0;
}

int lbpy_forms_rebuild(lbpy_generic *g)
{
    int status = 0;
    for (lbpy_form *f = g->forms; f && status == 0; f = f->next) {
        f->users++; /* stays while what it held goes */
        status = rebuild(g, f);
        f->users--;
    }
    return status;
}

/* ---- adding ------------------------------------------------------------- */

/* Adds to the rules there are; 1: they must be made anew. */
static int extend(lbpy_generic *g, lbpy_form *form, size_t first)
{
    news n = {0};
    int status =
        form->generic == NULL || form->packed || !lbpy_form_is_whole(g, form);
    for (size_t i = first; i < g->count && status == 0; i++)
        status =
            accepts(form, g->methods[i]) && wants_slot(form, g->methods[i]);
    for (size_t i = first; i < g->count && status == 0; i++)
        if (accepts(form, g->methods[i]))
            status = add_method(g, form, i, &n);
    if (status == 0 && n.count) {
        const lb_status said = tell(form, form->generic, &n);
        status = said == LB_OK ? 0 : lbpy_raise(said);
    }
    PyMem_Free(n.at);
    return status;
}

static int add_to_form(lbpy_generic *g, lbpy_form *form, size_t first)
{
    const int collects = PyGC_Disable();
    int status = extend(g, form, first);
    if (collects)
        PyGC_Enable();
    form->users++;
    if (status > 0)
        status = rebuild(g, form);
    form->users--;
    return status;
}

/* So that ambiguities are seen at the definition. */
static int foresee(lbpy_generic *g, const lbpy_method *method)
{
    if (method->keyword_required)
        return 0;
    for (Py_ssize_t n = method->required;
         n <= method->positional && n < LBPY_PLAIN; n++)
        if (g->plain[n] == NULL && lbpy_form_of(g, n, NULL) == NULL &&
            PyErr_Occurred())
            return -1;
    return 0;
}

int lbpy_forms_add(lbpy_generic *g, size_t first)
{
    for (lbpy_form *f = g->forms; f; f = f->next)
        if (add_to_form(g, f, first) < 0)
            return -1;
    for (size_t i = first; i < g->count; i++)
        if (foresee(g, g->methods[i]) < 0)
            return -1;
    return 0;
}

/* ---- removing ----------------------------------------------------------- */

static lb_status remove_from_form(lbpy_form *form, const lbpy_method *method)
{
    for (size_t i = form->count; i-- > 0;) {
        lbpy_rule *rule = form->rules[i];
        if (rule->method != method)
            continue;
        const lb_status status = untell(form, rule);
        if (status != LB_OK)
            return status;
        memmove(form->rules + i, form->rules + i + 1,
                (--form->count - i) * sizeof *form->rules);
        free_rule(rule);
    }
    return LB_OK;
}

int lbpy_forms_remove(lbpy_generic *g, lbpy_method *method)
{
    for (lbpy_form *f = g->forms; f; f = f->next)
        if (f->overlapping || f->generic == NULL || !lbpy_form_is_whole(g, f) ||
            remove_from_form(f, method) != LB_OK)
            return 0;
    return 1;
}

void lbpy_forms_forget(lbpy_generic *g)
{
    for (lbpy_form *f = g->forms; f; f = f->next) {
        f->users++;
        lbpy_form_forget(f);
        f->users--;
    }
}

/* ---- ends --------------------------------------------------------------- */

/* Frees those that are ended and that no call holds any more. */
static void free_ended(lbpy_generic *g)
{
    lbpy_form **at = &g->ended;
    while (*at) {
        lbpy_form *form = *at;
        if (form->users) {
            at = &form->next;
            continue;
        }
        *at = form->next;
        free_form(g, form); /* may come back here */
        at = &g->ended;
    }
}

void lbpy_forms_end(lbpy_generic *g)
{
    lbpy_form *form;
    memset(g->plain, 0, sizeof g->plain);
    while ((form = g->forms) != NULL) {
        g->forms = form->next;
        g->form_count--;
        form->next = g->ended;
        g->ended = form;
        form->users++;
        empty_form(g, form); /* may come back here */
        form->users--;
    }
    free_ended(g);
    if (g->asking == 0) {
        PyMem_Free(g->retired);
        g->retired = NULL;
        g->retired_room = 0;
    }
}

int lbpy_forms_traverse(lbpy_generic *g, visitproc visit, void *arg)
{
    for (lbpy_form *f = g->forms; f; f = f->next) {
        Py_VISIT(f->kwnames);
        Py_VISIT(f->only);
        for (size_t i = 0; i < f->pack_count; i++)
            Py_VISIT(f->packs[i]);
        for (size_t i = 0; i < f->count; i++)
            if (f->rules[i]->method->tied)
                Py_VISIT(f->rules[i]->method);
        int status = lbpy_cells_traverse(&f->tags, visit, arg);
        if (status == 0)
            status = lbpy_cells_traverse(&f->serials, visit, arg);
        if (status)
            return status;
    }
    return 0;
}
