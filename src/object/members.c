/* object/members.c - setting, replacing and deleting attributes of classes.
 *
 * A change, under the lock: 1. everything that can fail is made ready;
 * 2. the new record is put in the dictionary; 3. what tables say of that name
 * for the class and its subclasses is dropped, so that a look-up that begins
 * after the return finds the new record; 4. the old record is retired. Then,
 * without the lock, the program's hooks are called.
 */
#include "object/members.h"

#include "core/ids.h"

#include "object/call.h"
#include "object/cells.h"
#include "object/dictionary.h"
#include "object/field.h"
#include "object/look.h"
#include "object/numbers.h"
#include "object/part.h"

/* An attribute's block. */
typedef struct member {
    lb_attribute open; /* first member */
    void (*release)(void *context);
} member;

/* What the block becomes when no reader can hold it: a deferred call. */
typedef struct gone_member {
    lbi_later later;
    void (*release)(void *context);
    void *context;
    lb_value value;
    bool has_value;
} gone_member;

_Static_assert(sizeof(gone_member) <= sizeof(member), "it becomes one");

const lb_attribute *lbi_member_own(const lb_class *cls, const lb_symbol *symbol,
                                   uint64_t *probes)
{
    const lbi_members *members = cls->members;
    const lbi_place *own =
        members ? lbi_dictionary_find(members->dictionary, symbol, probes)
                : NULL;
    return own ? own->value.constant : NULL;
}

/* ---- giving up ---------------------------------------------------------- */

bool lbi_holds_value(const lb_attribute *a)
{
    return a->kind == LB_VALUE || (a->kind != LB_FIELD && a->value.bits);
}

static void release_member(lb_runtime *runtime, lbi_later *item)
{
    const gone_member *gone = (gone_member *)item;
    const lb_object_options *options = &runtime->space->options;
    if (gone->has_value && options->release)
        options->release(options->context, gone->value);
    if (gone->release)
        gone->release(gone->context);
    lbi_block_free(runtime, item);
}

static void queue_member(lb_runtime *runtime, void *content)
{
    const member m = *(member *)content;
    gone_member *gone = content;
    *gone = (gone_member){{NULL, release_member},
                          m.release,
                          m.open.context,
                          m.open.value,
                          lbi_holds_value(&m.open)};
    lbi_call_later(runtime, &gone->later);
}

static void retire_member(lb_runtime *runtime, const lb_attribute *attribute)
{
    lbi_retire(runtime, (void *)(uintptr_t)attribute, queue_member);
}

void lbi_members_end(lb_runtime *runtime, lb_class *cls)
{
    lbi_members *members = cls->members;
    if (members == NULL)
        return;
    lbi_vtable_free(runtime, cls);
    LBI_EACH_OWN (own, members->dictionary)
        retire_member(runtime, own->value.constant);
    runtime->space->dictionary_bytes -=
        lbi_dictionary_bytes(members->dictionary);
    lbi_dictionary_retire(runtime, members->dictionary, NULL);
    lbi_dictionary_retire(runtime, members->names, NULL);
    lbi_free(&runtime->allocator, members, sizeof *members);
    cls->members = NULL;
}

/* ---- what goes stale ---------------------------------------------------- */

static bool is_below(uint32_t id, const void *context)
{
    const lb_class *cls = lbi_class_by_id(id);
    return cls == NULL || lbi_is_subclass(cls, context);
}

static size_t drop_cells(lb_class *cls, lbi_symbol *symbol)
{
    lb_runtime *runtime = cls->runtime;
    if (cls->descendants > 1)
        return lbi_cells_drop(runtime, symbol, is_below, cls);
    return cls->handle ? lbi_cell_drop(runtime, symbol, cls->handle) : 0;
}

/* The class's own cell: what it says from now on is known. A value that is
 * replaced by a value, as in C.count += 1, stays in its place. */
static bool renew_cell(lb_class *cls, lbi_symbol *symbol)
{
    lbi_cell cell;
    const lb_attribute *now = lbi_member_own(cls, &symbol->open, NULL);
    if (now == NULL || !cls->handle ||
        !lbi_cell_own(symbol, cls->handle, &cell))
        return false;
    const lbi_meaning m = lbi_plain_meaning(now);
    return lbi_cell_renew(&cell, m.payload, m.word);
}

void lbi_member_changed(lb_class *cls, lbi_symbol *symbol, bool was_defined)
{
    lbi_space *space = cls->runtime->space;
    size_t dropped = 0;
    space->missing_used |= symbol == space->missing;
    if (space->options.policy == LB_POLICY_TABLE64 ||
        space->options.policy == LB_POLICY_SITE) {
        lbi_entries_changed(cls->runtime, symbol, was_defined);
        return;
    }
    if (symbol == space->missing) /* what was absent is asked of the hook */
        LBI_EACH_SYMBOL (other, space)
            dropped += drop_cells(cls, other);
    else if (!(cls->descendants == 1 && renew_cell(cls, symbol)))
        dropped = drop_cells(cls, symbol);
    lbi_tally(space, dropped, dropped);
}

/* ---- telling ------------------------------------------------------------ */

/* A change to be told to the program's hook; it retires what was replaced only
 * after that. */
typedef struct notice {
    lbi_later later;
    lb_class *cls;
    const lb_symbol *symbol;
    bool deleted;
    lb_attribute now;
    const lb_attribute *before;
} notice;

static void tell(lb_runtime *runtime, lbi_later *item)
{
    const notice *n = (notice *)item;
    const lb_object_options *options = &runtime->space->options;
    options->changed(options->context, n->cls, n->symbol,
                     n->deleted ? NULL : &n->now, n->before);
    if (lbi_enter_runtime(runtime) == LB_OK) {
        if (n->before)
            retire_member(runtime, n->before);
        lbi_block_free(runtime, item);
        lbi_leave_runtime(runtime, LB_OK);
    }
}

/* ---- one change --------------------------------------------------------- */

typedef struct change {
    lb_class *cls;
    const lb_symbol *symbol;
    member *fresh; /* NULL: delete */
    notice *note;  /* NULL: nobody wants to know */
} change;

static bool prepare_notice(lb_runtime *runtime, change *c)
{
    if (runtime->space->options.changed == NULL)
        return true;
    c->note = lbi_block_alloc(runtime, sizeof *c->note);
    return c->note != NULL;
}

static void abandon(lb_runtime *runtime, change *c)
{
    lbi_block_free(runtime, c->fresh);
    lbi_block_free(runtime, c->note);
}

/* The old record has been replaced, or deleted. */
static void settle(change *c, const lb_attribute *before, bool was_defined)
{
    lb_runtime *runtime = c->cls->runtime;
    lbi_member_changed(c->cls, lbi_symbol_of(c->symbol), was_defined);
    if (c->note == NULL) {
        if (before)
            retire_member(runtime, before);
        return;
    }
    *c->note = (notice){.later.call = tell,
                        .cls = c->cls,
                        .symbol = c->symbol,
                        .deleted = c->fresh == NULL,
                        .before = before};
    if (c->fresh)
        c->note->now = c->fresh->open;
    lbi_call_later(runtime, &c->note->later);
}

static void carry_out(change *c, bool was_defined)
{
    bool had;
    lb_value before = {.bits = 0};
    lbi_members *members = c->cls->members;
    if (lbi_holds_value(&c->fresh->open))
        lbi_keep(c->cls->runtime->space, c->fresh->open.value);
    lbi_dictionary_put(members->dictionary, c->symbol,
                       lb_pointer(&c->fresh->open), &had, &before);
    settle(c, had ? before.constant : NULL, was_defined);
}

/* ---- setting ------------------------------------------------------------ */

lb_status lbi_check_owner(const lb_class *cls)
{
    if (cls == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "cls is NULL");
    if (cls == lb_any_class)
        return lbi_fail(LB_BAD_ARGUMENT, "lb_any_class has no attributes");
    return LB_OK;
}

lb_status lbi_check_member(const lb_class *cls, const lb_symbol *symbol)
{
    lb_status status = lbi_check_owner(cls);
    if (status != LB_OK)
        return status;
    if (symbol == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "symbol is NULL");
    if (cls->runtime != symbol->runtime)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "symbol %s is of another runtime than class %s",
                        symbol->text, cls->name);
    return LB_OK;
}

static lb_status check_spec(const lb_class *cls, const lb_symbol *symbol,
                            const lb_attribute_spec *spec)
{
    lb_status status = lbi_check_member(cls, symbol);
    if (status != LB_OK)
        return status;
    if (spec == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "attribute %s.%s: spec is NULL",
                        cls->name, symbol->text);
    if ((unsigned)spec->kind > LB_FIELD)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "attribute %s.%s: kind %d is none of lb_attribute_kind",
                        cls->name, symbol->text, (int)spec->kind);
    if (spec->kind == LB_PROPERTY && !spec->get && !spec->set && !spec->remove)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "property %s.%s has no function; want at least one of "
                        "get, set, remove",
                        cls->name, symbol->text);
    return spec->kind == LB_FIELD ? lbi_field_check(cls, symbol, spec) : LB_OK;
}

static lb_attribute attribute_of(lb_class *cls, const lb_symbol *symbol,
                                 const lb_attribute_spec *spec)
{
    const bool property = spec->kind == LB_PROPERTY;
    const bool field = spec->kind == LB_FIELD;
    const bool method = !property && !field && spec->kind != LB_VALUE;
    lb_attribute a = {.context = spec->context,
                      .owner = cls,
                      .symbol = symbol,
                      .kind = spec->kind,
                      .data = property || field};
    if (method)
        a.call = spec->call ? spec->call : lbi_call_as_value;
    if (!field)
        a.value = spec->value;
    if (property) {
        a.get = spec->get;
        a.set = spec->set;
        a.remove = spec->remove;
    }
    if (field) {
        a.offset = spec->offset;
        a.type = spec->type;
        a.read_only = spec->read_only != 0;
    }
    return a;
}

static bool prepare(lb_class *cls, const lb_definition *d, change *c)
{
    *c = (change){cls, d->symbol, NULL, NULL};
    c->fresh = lbi_block_alloc(cls->runtime, sizeof *c->fresh);
    if (c->fresh == NULL || !prepare_notice(cls->runtime, c))
        return false;
    c->fresh->open = attribute_of(cls, d->symbol, &d->spec);
    c->fresh->release = d->spec.release;
    return true;
}

static bool reserve(lb_class *cls, size_t count)
{
    lb_runtime *runtime = cls->runtime;
    lbi_members *members = lbi_members_of(cls);
    if (members == NULL || count > UINT32_MAX / 4)
        return false;
    const size_t before = lbi_dictionary_bytes(members->dictionary);
    const bool done =
        count == 0 ||
        lbi_dictionary_reserve(runtime, &members->dictionary, (uint32_t)count);
    runtime->space->dictionary_bytes +=
        lbi_dictionary_bytes(members->dictionary) - before;
    return done;
}

static lb_status define(lb_class *cls, const lb_definition *definitions,
                        size_t count, bool complete)
{
    lb_runtime *runtime = cls->runtime;
    lbi_allocator *allocator = &runtime->allocator;
    const size_t bytes = (count ? count : 1) * sizeof(change);
    size_t ready = 0;
    if (lbi_space_of(runtime) == NULL)
        return lbi_no_memory();
    change *changes = lbi_zalloc(allocator, bytes);
    bool done = changes && reserve(cls, count);
    while (done && ready < count) {
        done = prepare(cls, &definitions[ready], &changes[ready]);
        ready++;
    }
    if (done) {
        const bool was_defined = cls->defined;
        for (size_t i = 0; i < count; i++)
            carry_out(&changes[i], was_defined);
        cls->defined = was_defined || complete;
    } else if (changes) {
        for (size_t i = 0; i < ready; i++)
            abandon(runtime, &changes[i]);
    }
    lbi_free(allocator, changes, bytes);
    return done ? LB_OK : lbi_no_memory();
}

static lb_status check_definitions(const lb_class *cls,
                                   const lb_definition *definitions,
                                   size_t count)
{
    lb_status status = lbi_check_owner(cls);
    if (status == LB_OK && count && definitions == NULL)
        status = lbi_fail(LB_BAD_ARGUMENT, "definitions is NULL");
    for (size_t i = 0; i < count && status == LB_OK; i++)
        status = check_spec(cls, definitions[i].symbol, &definitions[i].spec);
    return status;
}

static lb_status enter_and_define(lb_class *cls,
                                  const lb_definition *definitions,
                                  size_t count, bool complete)
{
    lb_status status = lbi_enter_runtime(cls->runtime);
    if (status != LB_OK)
        return status;
    return lbi_leave_runtime(cls->runtime,
                             define(cls, definitions, count, complete));
}

lb_status lb_class_define(lb_class *cls, const lb_definition *definitions,
                          size_t count)
{
    lb_status status = check_definitions(cls, definitions, count);
    return status == LB_OK ? enter_and_define(cls, definitions, count, true)
                           : status;
}

lb_status lb_class_set(lb_class *cls, const lb_symbol *symbol,
                       const lb_attribute_spec *spec)
{
    lb_status status = check_spec(cls, symbol, spec);
    if (status != LB_OK)
        return status;
    return enter_and_define(cls, &(lb_definition){symbol, *spec}, 1, false);
}

/* ---- deleting ----------------------------------------------------------- */

static lb_status has_not(const lb_class *cls, const char *name)
{
    return lbi_fail(LB_NO_ATTRIBUTE,
                    "the dictionary of class %s has no attribute %s", cls->name,
                    name);
}

static lb_status delete_member(lb_class *cls, const lb_symbol *symbol)
{
    change c = {cls, symbol, NULL, NULL};
    const lbi_members *members = cls->members;
    const lbi_place *own =
        members ? lbi_dictionary_find(members->dictionary, symbol, NULL) : NULL;
    if (own == NULL)
        return has_not(cls, symbol->text);
    if (!prepare_notice(cls->runtime, &c))
        return lbi_no_memory();
    const lb_attribute *before = own->value.constant;
    lbi_dictionary_delete(members->dictionary, own);
    settle(&c, before, cls->defined);
    return LB_OK;
}

lb_status lb_class_delete(lb_class *cls, const lb_symbol *symbol)
{
    lb_status status = lbi_check_member(cls, symbol);
    if (status != LB_OK || (status = lbi_enter_runtime(cls->runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(cls->runtime, delete_member(cls, symbol));
}

/* ---- by text, and as a dictionary --------------------------------------- */

lb_status lb_dictionary_set(lb_dictionary dictionary, const char *name,
                            const lb_attribute_spec *spec)
{
    lb_status status = lbi_check_owner(dictionary.cls);
    if (status != LB_OK)
        return status;
    const lb_symbol *symbol = lb_intern(dictionary.cls->runtime, name);
    if (symbol == NULL)
        return name ? LB_NO_MEMORY : LB_BAD_ARGUMENT;
    return lb_class_set(dictionary.cls, symbol, spec);
}

lb_status lb_class_set_value(lb_class *cls, const char *name, lb_value value)
{
    return lb_dictionary_set((lb_dictionary){cls}, name,
                             &(lb_attribute_spec){.value = value});
}

lb_status lb_class_set_method(lb_class *cls, const char *name, lb_call_fn call,
                              void *context)
{
    return lb_dictionary_set((lb_dictionary){cls}, name,
                             &(lb_attribute_spec){.kind = LB_FUNCTION,
                                                  .call = call,
                                                  .context = context});
}

lb_status lb_dictionary_delete(lb_dictionary dictionary, const char *name)
{
    lb_class *cls = dictionary.cls;
    if (cls == NULL || name == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", cls ? "name" : "cls");
    const lb_symbol *symbol = lb_symbol_find(cls->runtime, name);
    if (symbol == NULL)
        return has_not(cls, name);
    return lb_class_delete(cls, symbol);
}

const lb_attribute *lb_class_own(const lb_class *cls, const lb_symbol *symbol)
{
    if (cls == NULL || symbol == NULL || cls->runtime != symbol->runtime ||
        lbi_enter_runtime(cls->runtime) != LB_OK)
        return NULL;
    const lb_attribute *attribute = lbi_member_own(cls, symbol, NULL);
    lbi_leave_quietly(cls->runtime);
    return attribute;
}

lb_dictionary lb_class_dictionary(lb_class *cls)
{
    return (lb_dictionary){cls};
}

const lb_attribute *lb_dictionary_get(lb_dictionary dictionary,
                                      const char *name)
{
    if (dictionary.cls == NULL)
        return NULL;
    return lb_class_own(dictionary.cls,
                        lb_symbol_find(dictionary.cls->runtime, name));
}

static const lb_attributes *dictionary_of(lb_dictionary dictionary)
{
    const lb_class *cls = dictionary.cls;
    return cls->members ? cls->members->dictionary : NULL;
}

size_t lb_dictionary_count(lb_dictionary dictionary)
{
    lb_class *cls = dictionary.cls;
    if (cls == NULL || cls == lb_any_class ||
        lbi_enter_runtime(cls->runtime) != LB_OK)
        return 0;
    const lb_attributes *d = dictionary_of(dictionary);
    const size_t count = d ? d->live : 0;
    lbi_leave_quietly(cls->runtime);
    return count;
}

const lb_attribute *lb_dictionary_next(lb_dictionary dictionary, size_t *cursor)
{
    lb_class *cls = dictionary.cls;
    const lb_attribute *found = NULL;
    if (cls == NULL || cls == lb_any_class || cursor == NULL ||
        lbi_enter_runtime(cls->runtime) != LB_OK)
        return NULL;
    const lb_attributes *d = dictionary_of(dictionary);
    while (d && *cursor < d->count && found == NULL) {
        const lbi_place *own = &lbi_places(d)[(*cursor)++];
        if (lbi_own_lives(own))
            found = own->value.constant;
    }
    lbi_leave_quietly(cls->runtime);
    return found;
}
