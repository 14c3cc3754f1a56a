/* object/look.c - the look-up: two search orders, four cache policies.
 *
 * An order says which of two questions comes first, that to the instance or
 * that to the class (docs/semantics.md, section 7). A policy says how the
 * second is answered:
 *   search   the dictionaries along the class's order
 *   table64  the class's table, under the number of the name; else a search
 *   site     the class's table, under the number of the place in the code
 *   table    the name's cell for the class; else a search, which fills it. The
 *            cell also knows whether instances of the class ever held the name
 * The first three ask an instance only for names that some instance ever held,
 * if marks are on.
 */
#include "object/look.h"

#include "object/call.h"
#include "object/cells.h"
#include "object/dictionary.h"
#include "object/field.h"
#include "object/members.h"
#include "object/numbers.h"

/* ---- the class ---------------------------------------------------------- */

/* The attribute in the first class of the order from `from` on, or NULL. What
 * is asked is counted, unless `counters` is NULL. */
static inline const lb_attribute *walk(const lb_class *cls, uint32_t from,
                                       const lb_symbol *symbol,
                                       lb_counters *counters)
{
    for (uint32_t i = from; i < cls->order_count; i++) {
        if (counters)
            counters->class_lookups++;
        const lb_attribute *found = lbi_member_own(
            cls->order[i], symbol, counters ? &counters->probes : NULL);
        if (found)
            return found;
    }
    return NULL;
}

const lb_attribute *lbi_search(const lb_class *cls, uint32_t from,
                               const lb_symbol *symbol)
{
    return walk(cls, from, symbol, NULL);
}

static const lb_attribute *search(const lbi_question *q)
{
    lb_counters *counters = &q->space->counters;
    if (!q->space->options.counting)
        return lbi_search(q->cls, 0, &q->symbol->open);
    counters->class_searches++;
    return walk(q->cls, 0, &q->symbol->open, counters);
}

/* The classes that a search goes through count as defined from then on. */
static void close_definitions(lb_class *cls)
{
    for (uint32_t i = 0; i < cls->order_count; i++)
        cls->order[i]->defined = true;
}

static const lb_attribute *ask_table(const lbi_question *q)
{
    const lb_attribute *found = NULL;
    lbi_entry_place place;
    const lbi_answer answer =
        q->uninterned
            ? LBI_NO_TABLE
            : lbi_entry_ask(q->cls, q->symbol, q->site, &found, &place);
    if (answer == LBI_HIT) {
        lbi_tally(q->space, hits, 1);
        lbi_tally(q->space, negative_hits, found == NULL);
        return found;
    }
    close_definitions(q->cls);
    found = search(q);
    if (answer == LBI_MISS) {
        lbi_tally(q->space, misses, 1);
        lbi_entry_fill(q->space, place, found);
    }
    return found;
}

/* ---- the meaning of an attribute ---------------------------------------- */

lbi_meaning lbi_plain_meaning(const lb_attribute *attribute)
{
    if (attribute == NULL)
        return (lbi_meaning){0, LBI_CELL_ABSENT};
    if (attribute->kind == LB_VALUE)
        return (lbi_meaning){attribute->value.bits, LBI_CELL_VALUE};
    return (lbi_meaning){(uintptr_t)attribute, attribute->kind == LB_FUNCTION
                                                   ? LBI_CELL_METHOD
                                                   : LBI_CELL_OTHER};
}

/* The class's attribute, or the missing hook in its place. */
static lbi_meaning meaning_with_hook(const lbi_space *space,
                                     const lb_class *cls,
                                     const lbi_symbol *symbol,
                                     const lb_attribute *attribute)
{
    if (attribute == NULL && space->missing_used && symbol != space->missing)
        attribute = lbi_search(cls, 0, &space->missing->open);
    lbi_meaning m = lbi_plain_meaning(attribute);
    if (attribute && attribute->symbol != &symbol->open)
        m = (lbi_meaning){(uintptr_t)attribute, LBI_CELL_OTHER};
    return m;
}

static bool is_data(lbi_meaning m)
{
    const lb_attribute *attribute = lbi_meant(m);
    return attribute && attribute->data;
}

/* ---- LB_POLICY_TABLE ---------------------------------------------------- */

/* Whether, and where, instances of the class may hold the name. */
static uint64_t instance_bits(const lb_class *cls, const lbi_symbol *symbol)
{
    const lbi_place *name =
        cls->members && cls->flags & LB_FREE_ATTRIBUTES
            ? lbi_dictionary_find(cls->members->names, &symbol->open, NULL)
            : NULL;
    if (name == NULL)
        return 0;
    return LBI_CELL_INSTANCE | (name->value.bits & 0xffffff) << LBI_CELL_HINT;
}

static lbi_meaning fill(lb_class *cls, lbi_symbol *symbol,
                        const lb_attribute *attribute)
{
    const lbi_space *space = cls->runtime->space;
    lbi_meaning m = meaning_with_hook(space, cls, symbol, attribute);
    if (space->options.order == LB_ORDER_1998 || !is_data(m) ||
        lbi_is_hook(m, symbol))
        m.word |= instance_bits(cls, symbol);
    lbi_cell_put(cls->runtime, symbol, lbi_class_header(cls).handle, m.payload,
                 m.word);
    return m;
}

static bool find_cell(const lb_class *cls, const lbi_symbol *symbol,
                      lbi_cell *cell)
{
    return cls->handle && lbi_cell_own(symbol, cls->handle, cell);
}

lbi_meaning lbi_meaning_of(lb_class *cls, lbi_symbol *symbol)
{
    lbi_cell cell;
    const lbi_space *space = cls->runtime->space;
    if (space->options.policy != LB_POLICY_TABLE)
        return meaning_with_hook(space, cls, symbol,
                                 lbi_search(cls, 0, &symbol->open));
    if (find_cell(cls, symbol, &cell))
        return (lbi_meaning){cell.payload, cell.word};
    return fill(cls, symbol, lbi_search(cls, 0, &symbol->open));
}

static void ask_own(const lbi_question *q, lbi_answered *a)
{
    lb_counters *counters = &q->space->counters;
    const bool counting = q->space->options.counting;
    const lbi_place *own =
        q->object ? lbi_dictionary_find(lbi_load(&q->object->attributes),
                                        &q->symbol->open,
                                        counting ? &counters->probes : NULL)
                  : NULL;
    lbi_tally(q->space, instance_lookups, 1);
    if (own == NULL)
        return;
    a->own = true;
    a->value = lbi_own_value(own);
}

static void look_in_cells(const lbi_question *q, lbi_answered *a)
{
    lbi_cell cell;
    if (find_cell(q->cls, q->symbol, &cell)) {
        a->meaning = (lbi_meaning){cell.payload, cell.word};
        lbi_tally(q->space, hits, 1);
        lbi_tally(q->space, negative_hits,
                  (cell.word & LBI_CELL_WHAT) == LBI_CELL_ABSENT);
    } else {
        lbi_tally(q->space, misses, 1);
        a->meaning = fill(q->cls, q->symbol, search(q));
    }
    if (q->special && q->space->options.order == LB_ORDER_PYTHON3)
        return;
    if (a->meaning.word & LBI_CELL_INSTANCE)
        ask_own(q, a);
    else if (q->cls->flags & LB_FREE_ATTRIBUTES && !is_data(a->meaning))
        lbi_tally(q->space, saved_lookups, 1);
}

/* ---- the other policies ------------------------------------------------- */

static void ask_instance(const lbi_question *q, lbi_answered *a)
{
    const lbi_space *space = q->space;
    if (!(q->cls->flags & LB_FREE_ATTRIBUTES))
        return;
    if (space->marks && !lbi_peek(&space->marks_lost) && !q->uninterned &&
        !q->symbol->marked)
        lbi_tally(q->space, saved_lookups, 1);
    else
        ask_own(q, a);
}

static const lb_attribute *ask_class(const lbi_question *q)
{
    return q->space->options.policy == LB_POLICY_SEARCH ? search(q)
                                                        : ask_table(q);
}

static void look_1998(const lbi_question *q, lbi_answered *a)
{
    ask_instance(q, a);
    if (!a->own)
        a->meaning =
            meaning_with_hook(q->space, q->cls, q->symbol, ask_class(q));
}

static void look_python3(const lbi_question *q, lbi_answered *a)
{
    const lb_attribute *attribute = ask_class(q);
    if (!q->special && (attribute == NULL || !attribute->data))
        ask_instance(q, a);
    if (!a->own)
        a->meaning = meaning_with_hook(q->space, q->cls, q->symbol, attribute);
}

void lbi_look(lbi_question *q, lbi_answered *a)
{
    lbi_space *space = q->space;
    *a = (lbi_answered){.own = false};
    lbi_tally(space, gets, 1);
    if (space->options.policy == LB_POLICY_TABLE)
        look_in_cells(q, a);
    else if (space->options.order == LB_ORDER_1998)
        look_1998(q, a);
    else
        look_python3(q, a);
    if (!a->own && lbi_is_absent(a->meaning, q->symbol))
        lbi_tally(space, not_found, 1);
}

/* ---- what it comes to --------------------------------------------------- */

static lb_status found_value(lb_found *found, lb_found_kind kind,
                             lb_value value)
{
    *found = (lb_found){.value = value, .kind = kind};
    return LB_OK;
}

static lb_status found_method(lb_found *found, lb_found_kind kind,
                              const lb_attribute *method, lb_value self)
{
    *found = (lb_found){.self = self, .method = method, .kind = kind};
    return LB_OK;
}

static lb_status ask_getter(lbi_question *q, const lb_attribute *property,
                            lb_value receiver, lb_found *found)
{
    lb_value value = {.bits = 0};
    q->told = true;
    if (property->get == NULL)
        return lbi_fail(LB_NO_ATTRIBUTE, "property %s.%s cannot be read",
                        property->owner->name, property->symbol->text);
    const lbi_callback callback = lbi_callback_begins(property);
    lb_status status = property->get(property, receiver, &value);
    status = lbi_callback_ended(callback, "the getter of", status);
    return status == LB_OK ? found_value(found, LB_FOUND_OWNED, value) : status;
}

static lb_status read_field(lbi_question *q, const lb_attribute *field,
                            lb_value receiver, lb_found *found)
{
    q->told = true;
    if (receiver.constant == NULL)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "field %s.%s of no instance: the receiver is NULL",
                        field->owner->name, field->symbol->text);
    return found_value(found, LB_FOUND_VALUE,
                       lbi_field_get(receiver.constant, field));
}

static lb_status ask_hook(lbi_question *q, const lb_attribute *hook,
                          lb_value receiver, const char *name, lb_found *found)
{
    const lb_object_options *options = &q->cls->runtime->space->options;
    lb_value argv[] = {receiver, lb_pointer(name)};
    lb_value value = {.bits = 0};
    lb_status status =
        options->name_value
            ? options->name_value(options->context, name, &argv[1])
            : LB_OK;
    q->told = true;
    if (status != LB_OK)
        return status;
    const unsigned long before = lbi_messages();
    status = lbi_call_attribute(q->cls, hook, 2, argv, &value);
    if (status == LB_NO_ATTRIBUTE && lbi_messages() == before)
        q->told = false;
    if (options->name_value && options->release)
        options->release(options->context, argv[1]);
    return status == LB_OK ? found_value(found, LB_FOUND_OWNED, value) : status;
}

lb_status lbi_yield(lbi_question *q, const lbi_answered *a, lb_value receiver,
                    const char *name, lb_found *found)
{
    const lbi_meaning m = a->meaning;
    const lb_attribute *attribute = lbi_meant(m);
    if (a->own)
        return found_value(found, LB_FOUND_VALUE, a->value);
    if (attribute == NULL)
        return (m.word & LBI_CELL_WHAT) == LBI_CELL_VALUE
                   ? found_value(found, LB_FOUND_VALUE,
                                 (lb_value){.bits = m.payload})
                   : LB_NO_ATTRIBUTE;
    if (lbi_is_hook(m, q->symbol))
        return q->special || q->plain
                   ? LB_NO_ATTRIBUTE
                   : ask_hook(q, attribute, receiver, name, found);
    switch ((lb_attribute_kind)attribute->kind) {
    case LB_FUNCTION:
        return found_method(found, LB_FOUND_METHOD, attribute, receiver);
    case LB_CLASS_METHOD:
        return found_method(found, LB_FOUND_METHOD, attribute,
                            lb_pointer(q->cls));
    case LB_STATIC:
        return found_method(found, LB_FOUND_FUNCTION, attribute,
                            (lb_value){.bits = 0});
    case LB_PROPERTY:
        return ask_getter(q, attribute, receiver, found);
    case LB_FIELD:
        return read_field(q, attribute, receiver, found);
    case LB_VALUE:
        break;
    }
    return found_value(found, LB_FOUND_VALUE, attribute->value);
}
