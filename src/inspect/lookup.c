/* inspect/lookup.c - the steps of a look-up, in lines for people:
 *
 *     circle.area, in Python's order
 *       1. the table of 'area': the cell of class circle says: a method
 *       2. class circle: no
 *       3. class shape: a method
 *       4. the instance: not asked, no instance of circle ever held 'area'
 *     = the method of class shape, bound to the instance
 *
 * Looks without the caches, says what they say, and changes nothing.
 */
#include "base/text.h"

#include "latebind/inspect.h"

#include "object/cells.h"
#include "object/dictionary.h"
#include "object/failure.h"
#include "object/look.h"
#include "object/members.h"
#include "object/numbers.h"

typedef struct tracer {
    lbi_text text;
    const lbi_space *space;
    lb_class *cls;
    const lb_object *object; /* NULL: has no dictionary */
    const lbi_symbol *symbol;
    unsigned step;
    const lb_attribute *attribute; /* the class's */
    bool own;                      /* the instance holds it */
} tracer;

static const char *kind_name(const lb_attribute *attribute)
{
    static const char *const names[] = {"a value",         "a method",
                                        "a static method", "a class method",
                                        "a property",      "a field"};
    return attribute ? names[attribute->kind] : "nothing";
}

/* Begins the line of the next step. */
static void step(tracer *t)
{
    lbi_text_print(&t->text, "  %u. ", ++t->step);
}

/* ---- the caches --------------------------------------------------------- */

static void say_meaning(tracer *t, uint64_t payload, uint64_t word)
{
    const lbi_meaning m = {payload, word};
    const uint64_t what = word & LBI_CELL_WHAT;
    if (lbi_is_hook(m, t->symbol))
        lbi_text_put(&t->text, "absent, ask the missing hook");
    else if (what == LBI_CELL_ABSENT || what == LBI_CELL_VALUE)
        lbi_text_put(&t->text, what == LBI_CELL_VALUE ? "a value" : "absent");
    else
        lbi_text_put(&t->text, kind_name(lbi_meant(m)));
    if (word & LBI_CELL_INSTANCE)
        lbi_text_print(&t->text, "; instances may hold it, at place %u",
                       (uint32_t)word >> LBI_CELL_HINT);
}

static void ask_cell(tracer *t)
{
    lbi_cell cell;
    step(t);
    lbi_text_print(&t->text, "the table of '%s': ", t->symbol->open.text);
    if (t->cls->handle && lbi_cell_own(t->symbol, t->cls->handle, &cell)) {
        lbi_text_print(&t->text, "the cell of class %s says: ", t->cls->name);
        say_meaning(t, cell.payload, cell.word);
    } else {
        lbi_text_print(&t->text, "no cell of class %s yet, search",
                       t->cls->name);
    }
    lbi_text_put(&t->text, "\n");
}

static bool is_current(const lbi_space *space, const lbi_vtable *table)
{
    const lbi_supply *supply =
        table->hierarchy ? &table->hierarchy->supply : &space->supply;
    return table->generation == supply->generation;
}

static void ask_numbers(tracer *t)
{
    const lbi_members *members = t->cls->members;
    const lbi_vtable *table = members ? members->table : NULL;
    step(t);
    lbi_text_print(&t->text, "the table of class %s: ", t->cls->name);
    if (t->symbol->excluded)
        lbi_text_print(&t->text,
                       "not asked, '%s' is excluded since a class attribute "
                       "of that name changed",
                       t->symbol->open.text);
    else if (table == NULL || table->off)
        lbi_text_put(&t->text,
                     table ? "turned off, it thrashed" : "there is none yet");
    else
        lbi_text_print(&t->text, "%u of %u entries filled, generation %u%s",
                       table->filled, table->size, table->generation,
                       is_current(t->space, table)
                           ? ""
                           : ", to be cleared at the next use");
    lbi_text_put(&t->text, "\n");
}

static void ask_cache(tracer *t)
{
    switch (t->space->options.policy) {
    case LB_POLICY_TABLE:
        ask_cell(t);
        break;
    case LB_POLICY_TABLE64:
    case LB_POLICY_SITE:
        ask_numbers(t);
        break;
    case LB_POLICY_SEARCH:
        break;
    }
}

/* ---- the dictionaries --------------------------------------------------- */

static void ask_classes(tracer *t)
{
    for (uint32_t i = 0; i < t->cls->order_count && !t->attribute; i++) {
        t->attribute = lbi_member_own(t->cls->order[i], &t->symbol->open, NULL);
        step(t);
        lbi_text_print(&t->text, "class %s: %s%s\n", t->cls->order[i]->name,
                       t->attribute ? kind_name(t->attribute) : "no",
                       t->attribute && t->attribute->data
                           ? ", which comes before the instance"
                           : "");
    }
}

static bool is_marked(const tracer *t)
{
    const lbi_members *members = t->cls->members;
    if (t->space->options.policy == LB_POLICY_TABLE)
        return members &&
               lbi_dictionary_find(members->names, &t->symbol->open, NULL);
    return !t->space->marks || lbi_peek(&t->space->marks_lost) ||
           t->symbol->marked;
}

static void ask_instance(tracer *t)
{
    const bool table = t->space->options.policy == LB_POLICY_TABLE;
    step(t);
    lbi_text_put(&t->text, "the instance: ");
    if (t->object == NULL) {
        lbi_text_put(&t->text, "has no attributes of its own\n");
    } else if (!is_marked(t)) {
        lbi_text_print(&t->text, "not asked, no instance%s%s ever held '%s'\n",
                       table ? " of " : "", table ? t->cls->name : "",
                       t->symbol->open.text);
    } else {
        t->own = lbi_dictionary_find(lbi_load(&t->object->attributes),
                                     &t->symbol->open, NULL) != NULL;
        lbi_text_put(&t->text, t->own ? "its own value\n" : "no\n");
    }
}

static void ask_hook(tracer *t)
{
    const lbi_symbol *missing = t->space->missing;
    const lb_attribute *hook = lbi_search(t->cls, 0, &missing->open);
    if (hook == NULL)
        return;
    step(t);
    lbi_text_print(&t->text, "the missing hook: %s.%s is called\n",
                   hook->owner->name, missing->open.text);
}

/* ---- the result --------------------------------------------------------- */

static void conclude(tracer *t)
{
    const lb_attribute *a = t->attribute;
    static const char *const endings[] = {
        "",
        ", bound to the instance",
        ", unbound",
        ", bound to the class of the instance",
        ": its getter is called",
        ": the member of the struct is read"};
    if (t->own)
        lbi_text_put(&t->text, "= the instance's own value\n");
    else if (a)
        lbi_text_print(&t->text, "= %s of class %s%s\n", kind_name(a),
                       a->owner->name, endings[a->kind]);
    else if (lbi_search(t->cls, 0, &t->space->missing->open))
        lbi_text_put(&t->text, "= what the missing hook returns\n");
    else
        lbi_text_put(&t->text, "= LB_NO_ATTRIBUTE\n");
}

static void trace(tracer *t)
{
    const bool old = t->space->options.order == LB_ORDER_1998;
    lbi_text_print(&t->text, "%s.%s, in %s order\n", t->cls->name,
                   t->symbol->open.text, old ? "the 1998" : "Python's");
    if (t->space->options.policy == LB_POLICY_TABLE)
        ask_cache(t);
    if (old)
        ask_instance(t);
    if (!t->own) {
        if (t->space->options.policy != LB_POLICY_TABLE)
            ask_cache(t);
        ask_classes(t);
        if (!old && !(t->attribute && t->attribute->data))
            ask_instance(t);
    }
    if (!t->own && t->attribute == NULL)
        ask_hook(t);
    conclude(t);
}

lb_status lb_trace_lookup(const void *object, const lb_symbol *symbol,
                          char **text)
{
    if (object == NULL || symbol == NULL || text == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        object == NULL ? "object"
                                       : (symbol == NULL ? "symbol" : "text"));
    lb_runtime *runtime = symbol->runtime;
    *text = NULL;
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    tracer t = {.space = runtime->space,
                .cls = lbi_class_of(runtime, lbi_read_header(object)),
                .symbol = lbi_symbol_of(symbol)};
    if (t.cls == NULL)
        return lbi_leave_runtime(runtime, lbi_no_class(object, symbol->text));
    if (t.cls->flags & LB_FREE_ATTRIBUTES)
        t.object = object;
    lbi_text_init(&t.text, &runtime->allocator);
    trace(&t);
    *text = lbi_text_take(&t.text);
    return lbi_leave_runtime(runtime, *text ? LB_OK : lbi_no_memory());
}
