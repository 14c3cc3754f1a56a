/* object/get.c - the public look-ups.
 *
 * Behind the inlined one: 1. the cells once more, with those displaced, and
 * the instance's whole dictionary instead of one place, without the lock;
 * 2. the full look-up, under the lock (a single-threaded runtime needs it only
 * where cells are filled); 3. without the lock, what was found is bound, or
 * its getter called.
 */
#include "object/call.h"
#include "object/cells.h"
#include "object/dictionary.h"
#include "object/failure.h"
#include "object/look.h"
#include "object/members.h"

#include <stdio.h>

/* ---- asking ------------------------------------------------------------- */

/* Whether this thread should correct a hint now. Where a class's instances hold
 * a name at different places each look-up would, and every one of them would
 * take the cell away from the other processors. */
static bool may_hint(void)
{
    enum { ONE_IN = 4 };
    static _Thread_local unsigned turns;
    return ++turns % ONE_IN == 0;
}

/* Finds the name among the instance's own, and corrects the cell's hint. */
static bool find_own(const lb_object *object, const lb_symbol *symbol,
                     const lbi_cell *cell, lb_value *value)
{
    const lb_attributes *attributes = lbi_load(&object->attributes);
    const lbi_place *own = lbi_dictionary_find(attributes, symbol, NULL);
    if (own == NULL)
        return false;
    const uint32_t place = (uint32_t)(own - lbi_places(attributes));
    if (place != ((uint32_t)cell->word >> LBI_CELL_HINT) && may_hint())
        lbi_cell_hint(cell, place);
    *value = lbi_own_value(own);
    return true;
}

/* The first step. False: nobody has asked yet. A cell that sends to the
 * instance is of a class whose instances have attributes of their own. */
static bool look_at_cells(const lbi_question *q, uint32_t handle,
                          lb_value receiver, lbi_answered *a)
{
    lbi_cell cell;
    const lbi_space *space = q->space;
    if (!space->inlined || !lbi_cell_find(&q->symbol->open, handle, &cell))
        return false;
    *a = (lbi_answered){.meaning = {cell.payload, cell.word}};
    if (cell.word & LBI_CELL_INSTANCE && receiver.constant &&
        !(q->special && space->options.order == LB_ORDER_PYTHON3))
        a->own =
            find_own(receiver.constant, &q->symbol->open, &cell, &a->value);
    return true;
}

/* The second. */
static lb_status look(lbi_question *q, lbi_answered *a)
{
    if (q->space->single && q->space->options.policy != LB_POLICY_TABLE) {
        lbi_look(q, a);
        return LB_OK;
    }
    lb_status status = lbi_enter_runtime(q->cls->runtime);
    if (status != LB_OK)
        return status;
    lbi_look(q, a);
    lbi_leave_quietly(q->cls->runtime);
    return LB_OK;
}

/* What follows the first step, which has answered or not. */
static lb_status finish(lbi_question *q, bool answered, lbi_answered *a,
                        lb_value receiver, const char *name, lb_found *found)
{
    lb_status status = LB_OK;
    if (!answered) {
        if (q->cls->flags & LB_FREE_ATTRIBUTES)
            q->object = receiver.constant;
        status = look(q, a);
    }
    return status == LB_OK ? lbi_yield(q, a, receiver, name, found) : status;
}

/* All steps, where the class is known. */
static lb_status answer(lbi_question *q, uint32_t handle, lb_value receiver,
                        const char *name, lb_found *found)
{
    lbi_answered a;
    const bool answered = look_at_cells(q, handle, receiver, &a);
    return finish(q, answered, &a, receiver, name, found);
}

/* ---- instances ---------------------------------------------------------- */

/* What needs no class to be yielded: no binding to it, no hook. */
static bool is_simple(const lbi_answered *a)
{
    return a->own || (a->meaning.word & LBI_CELL_WHAT) != LBI_CELL_OTHER;
}

static lb_status ask(lbi_question *q, const void *object,
                     const lb_symbol *symbol, lb_found *found)
{
    lb_runtime *runtime = symbol->runtime;
    const lb_header head = lbi_read_header(object);
    const lb_value receiver = lb_pointer(object);
    lbi_answered a;
    q->space = runtime->space;
    q->symbol = lbi_symbol_of(symbol);
    const bool answered = look_at_cells(q, head.handle, receiver, &a);
    if (answered && is_simple(&a))
        return lbi_yield(q, &a, receiver, symbol->text, found);
    q->cls = lbi_class_of(runtime, head);
    if (q->cls == NULL)
        return lbi_no_class(object, symbol->text);
    return finish(q, answered, &a, receiver, symbol->text, found);
}

lb_status lb_try_get_slow(const void *object, const lb_symbol *symbol,
                          lb_found *found)
{
    lbi_question q = {.site = NULL};
    return ask(&q, object, symbol, found);
}

lb_status lb_try_get_at_slow(lb_site *site, const void *object,
                             const lb_symbol *symbol, lb_found *found)
{
    lbi_question q = {.site = NULL};
    if (symbol->runtime->space->options.policy == LB_POLICY_SITE)
        q.site = site;
    return ask(&q, object, symbol, found);
}

static lb_status check_get(const void *object, const void *name,
                           const lb_found *found)
{
    if (object == NULL || name == NULL || found == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        object == NULL ? "object"
                                       : (name == NULL ? "name" : "found"));
    return LB_OK;
}

static lb_status with_message(const lbi_question *q, lb_status status,
                              const void *object, const char *name)
{
    if (status != LB_NO_ATTRIBUTE || q->told)
        return status;
    lb_class *cls = lbi_class_of_any(lbi_read_header(object));
    return cls ? lbi_no_attribute(cls, object, name)
               : lbi_no_class(object, name);
}

lb_status lb_get(const void *object, const lb_symbol *symbol, lb_found *found)
{
    lbi_question q = {.site = NULL};
    lb_status status = check_get(object, symbol, found);
    if (status != LB_OK)
        return status;
    if (lbi_get_by_cell(object, symbol, found) == LB_OK)
        return LB_OK;
    status = ask(&q, object, symbol, found);
    return with_message(&q, status, object, symbol->text);
}

/* ---- by text ------------------------------------------------------------ */

/* A name that nobody has written: only the missing hook can know it. */
static lb_status ask_unknown(lbi_question *q, const void *object,
                             const char *name, lb_found *found)
{
    lb_runtime *runtime = q->cls->runtime;
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    const lb_attribute *hook =
        q->space && q->space->missing_used
            ? lbi_search(q->cls, 0, &q->space->missing->open)
            : NULL;
    if (q->space) {
        lbi_tally(q->space, gets, 1);
        lbi_tally(q->space, not_found, 1);
    }
    lbi_leave_quietly(runtime);
    if (hook == NULL)
        return LB_NO_ATTRIBUTE;
    lbi_answered a = {.meaning = {(uintptr_t)hook, LBI_CELL_OTHER}};
    return lbi_yield(q, &a, lb_pointer(object), name, found);
}

static lb_status ask_text(lbi_question *q, const void *object, const char *name,
                          lb_found *found)
{
    static lbi_symbol nobody;
    lb_runtime *runtime = q->cls->runtime;
    const lb_symbol *symbol = lb_symbol_find(runtime, name);
    q->space = lbi_load(&runtime->space);
    q->symbol = symbol ? lbi_symbol_of(symbol) : &nobody;
    if (symbol == NULL)
        return ask_unknown(q, object, name, found);
    q->uninterned = q->space->options.policy != LB_POLICY_TABLE;
    return answer(q, q->cls->handle, lb_pointer(object), name, found);
}

lb_status lb_get_text(const void *object, const char *name, lb_found *found)
{
    lbi_question q = {.site = NULL};
    lb_status status = check_get(object, name, found);
    if (status != LB_OK)
        return status;
    q.cls = lbi_class_of_any(lbi_read_header(object));
    if (q.cls == NULL)
        return lbi_no_class(object, name);
    status = ask_text(&q, object, name, found);
    return with_message(&q, status, object, name);
}

/* ---- the class alone ---------------------------------------------------- */

static lb_status ask_class(lbi_question *q, lb_class *cls, lb_value receiver,
                           const lb_symbol *symbol, lb_found *found)
{
    q->space = cls->runtime->space;
    q->cls = cls;
    q->symbol = lbi_symbol_of(symbol);
    return answer(q, lb_class_header(cls).handle, receiver, symbol->text,
                  found);
}

lb_status lb_try_get_special(lb_class *cls, lb_value receiver,
                             const lb_symbol *symbol, lb_found *found)
{
    lbi_question q = {.special = true};
    lb_status status = lbi_check_member(cls, symbol);
    if (status == LB_OK && found == NULL)
        status = lbi_fail(LB_BAD_ARGUMENT, "found is NULL");
    return status == LB_OK ? ask_class(&q, cls, receiver, symbol, found)
                           : status;
}

/* ---- several names ------------------------------------------------------ */

static lb_status none_of(const lb_class *cls, const lb_symbol *const *symbols,
                         size_t count)
{
    char names[512];
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s'%s'",
                                 i ? ", " : "", symbols[i]->text);
    return lbi_fail(LB_NO_ATTRIBUTE, "an instance of %s has none of %s",
                    cls->name, names);
}

static lb_status none_of_object(const void *object,
                                const lb_symbol *const *symbols, size_t count)
{
    const lb_class *cls = lb_class_of(symbols[0]->runtime, object);
    return cls ? none_of(cls, symbols, count)
               : lbi_no_class(object, symbols[0]->text);
}

static lb_status check_several(const lb_symbol *const *symbols, size_t count,
                               const lb_found *found)
{
    if (symbols == NULL || found == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        symbols ? "found" : "symbols");
    if (count == 0)
        return lbi_fail(LB_BAD_ARGUMENT, "count is 0; want at least one name");
    for (size_t i = 0; i < count; i++)
        if (symbols[i] == NULL)
            return lbi_fail(LB_BAD_ARGUMENT, "symbols[%zu] is NULL", i);
    return LB_OK;
}

/* Asks for one name after the other: of the receiver, or of `cls` alone. False
 * when there is none of them. */
static bool first_of(lb_class *cls, lb_value receiver, bool special,
                     const lb_symbol *const *symbols, size_t count,
                     size_t *which, lb_found *found, lb_status *result)
{
    for (size_t i = 0; i < count; i++) {
        lbi_question q = {.special = special, .plain = true};
        *result = special ? ask_class(&q, cls, receiver, symbols[i], found)
                          : ask(&q, receiver.constant, symbols[i], found);
        if (*result == LB_NO_ATTRIBUTE && !q.told)
            continue;
        if (which && *result == LB_OK)
            *which = i;
        return true;
    }
    return false;
}

lb_status lb_get_first(const void *object, const lb_symbol *const *symbols,
                       size_t count, size_t *which, lb_found *found)
{
    lb_status status = check_get(object, symbols, found);
    if (status == LB_OK)
        status = check_several(symbols, count, found);
    if (status != LB_OK)
        return status;
    return first_of(NULL, lb_pointer(object), false, symbols, count, which,
                    found, &status)
               ? status
               : none_of_object(object, symbols, count);
}

lb_status lb_get_first_special(lb_class *cls, lb_value receiver,
                               const lb_symbol *const *symbols, size_t count,
                               size_t *which, lb_found *found)
{
    lb_status status = check_several(symbols, count, found);
    for (size_t i = 0; i < count && status == LB_OK; i++)
        status = lbi_check_member(cls, symbols[i]);
    if (status != LB_OK)
        return status;
    return first_of(cls, receiver, true, symbols, count, which, found, &status)
               ? status
               : none_of(cls, symbols, count);
}

/* ---- a class itself ----------------------------------------------------- */

/* What a class's attribute is when the class itself is asked. */
static lb_status found_in_class(lb_class *cls, lbi_meaning m, lb_found *found)
{
    const lb_attribute *attribute = lbi_meant(m);
    *found = (lb_found){.method = attribute, .kind = LB_FOUND_FUNCTION};
    if (attribute == NULL || attribute->kind == LB_VALUE)
        *found = (lb_found){.kind = LB_FOUND_VALUE,
                            .value.bits =
                                attribute ? attribute->value.bits : m.payload};
    else if (attribute->kind == LB_CLASS_METHOD)
        *found = (lb_found){
            .kind = LB_FOUND_METHOD, .method = attribute, .self.pointer = cls};
    else if (attribute->data)
        found->kind = LB_FOUND_DESCRIPTOR;
    return LB_OK;
}

lb_status lb_class_get(lb_class *cls, const lb_symbol *symbol, lb_found *found)
{
    lb_status status = lbi_check_member(cls, symbol);
    if (status != LB_OK)
        return status;
    if (found == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "found is NULL");
    if ((status = lbi_enter_runtime(cls->runtime)) != LB_OK)
        return status;
    const lbi_meaning m = lbi_meaning_of(cls, lbi_symbol_of(symbol));
    lbi_leave_quietly(cls->runtime);
    if (lbi_is_absent(m, lbi_symbol_of(symbol)))
        return lbi_no_attribute(cls, NULL, symbol->text);
    return found_in_class(cls, m, found);
}

/* ---- super -------------------------------------------------------------- */

lb_status lbi_search_after(lb_class *cls, const lb_class *after,
                           const lb_symbol *symbol, const lb_attribute **found)
{
    lb_status status = lbi_enter_runtime(cls->runtime);
    if (status != LB_OK)
        return status;
    const long at = lbi_class_index(cls, after);
    if (at < 0)
        status = lbi_fail(LB_BAD_ARGUMENT,
                          "super: class %s is not in the order of class %s",
                          after->name, cls->name);
    else if ((*found = lbi_search(cls, (uint32_t)at + 1, symbol)) == NULL)
        status = lbi_fail(LB_NO_ATTRIBUTE,
                          "no class after %s in the order of class %s has an "
                          "attribute '%s'",
                          after->name, cls->name, symbol->text);
    lbi_leave_quietly(cls->runtime);
    return status;
}

lb_status lb_get_super(const lb_class *after, const void *object,
                       const lb_symbol *symbol, lb_found *found)
{
    const lb_attribute *attribute = NULL;
    lb_status status = check_get(object, symbol, found);
    if (status != LB_OK || (status = lbi_check_member(after, symbol)) != LB_OK)
        return status;
    lbi_question q = {.cls = lb_class_of(symbol->runtime, object),
                      .symbol = lbi_symbol_of(symbol)};
    if (q.cls == NULL)
        return lbi_no_class(object, symbol->text);
    if ((status = lbi_search_after(q.cls, after, symbol, &attribute)) != LB_OK)
        return status;
    const lbi_answered a = {.meaning = {(uintptr_t)attribute, LBI_CELL_OTHER}};
    return lbi_yield(&q, &a, lb_pointer(object), symbol->text, found);
}

lb_status lb_class_get_super(const lb_class *after, lb_class *cls,
                             const lb_symbol *symbol, lb_found *found)
{
    const lb_attribute *attribute = NULL;
    lb_status status = check_get(cls, symbol, found);
    if (status != LB_OK ||
        (status = lbi_check_member(after, symbol)) != LB_OK ||
        (status = lbi_check_member(cls, symbol)) != LB_OK ||
        (status = lbi_search_after(cls, after, symbol, &attribute)) != LB_OK)
        return status;
    return found_in_class(
        cls, (lbi_meaning){(uintptr_t)attribute, LBI_CELL_OTHER}, found);
}
