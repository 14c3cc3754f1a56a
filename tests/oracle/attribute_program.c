#include "oracle/attribute_program.h"

#include "support/test.h"

static const uint32_t PLACES[LB_FIELD_TYPE_COUNT] = {
    offsetof(subject, value),  offsetof(subject, pointer),
    offsetof(subject, truth),  offsetof(subject, int8),
    offsetof(subject, int16),  offsetof(subject, int32),
    offsetof(subject, int64),  offsetof(subject, uint8),
    offsetof(subject, uint16), offsetof(subject, uint32),
    offsetof(subject, uint64), offsetof(subject, single),
    offsetof(subject, real),
};

static token tokens[PROGRAM_TOKENS];
ran_record ran;

/* ---- Failing ------------------------------------------------------------ */

static void print_options(const program *t)
{
    static const char *const policies[] = {"table", "search", "table64",
                                           "site"};
    const lb_object_options *o = &t->options;
    print_message("  seed %llu: order %s, policy %s, counting %d, mark %d, "
                  "table_size %u, cache_negative %d, drop_changed %d, "
                  "intern_writes %d, when_full %d, poor_percent %u, "
                  "thrash_limit %u, table_pool %u, call_value %d; "
                  "threading %d, reclaim %d\n",
                  (unsigned long long)t->seed,
                  o->order == LB_ORDER_1998 ? "1998" : "python3",
                  policies[o->policy], o->counting, (int)o->mark, o->table_size,
                  (int)o->cache_negative, (int)o->drop_changed,
                  (int)o->intern_writes, (int)o->when_full, o->poor_percent,
                  o->thrash_limit, o->table_pool, o->call_value != NULL,
                  (int)t->threading, (int)t->reclaim);
}

static void print_classes(const program *t)
{
    for (int i = 0; i < AM_CLASSES; i++) {
        const am_class *cls = &t->model.classes[i];
        if (!cls->alive)
            continue;
        print_message("  c%d%s:", i, cls->free ? " (free)" : "");
        for (int k = 0; k < cls->length; k++)
            print_message(" c%d", cls->order[k]);
        for (int name = 0; name < AM_NAMES; name++)
            if (cls->has[name].tag != 0)
                print_message(", n%d kind %d tag %d", name,
                              (int)cls->has[name].kind, cls->has[name].tag);
        print_message("\n");
    }
}

void program_fail(const program *t, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    print_options(t);
    print_classes(t);
    for (int i = 0; i < PROGRAM_LOGGED; i++) {
        const char *line = t->log[(t->logged + i) % PROGRAM_LOGGED];
        if (*line != '\0')
            print_message("  %s\n", line);
    }
    fail_msg("seed %llu: %s (message: %s)", (unsigned long long)t->seed, what,
             lb_message());
}

static void log_line(program *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(t->log[t->logged++ % PROGRAM_LOGGED], sizeof t->log[0],
                    format, arguments);
    va_end(arguments);
}

void program_same(const program *t, lb_status got, lb_status expected)
{
    if (got != expected)
        program_fail(t, "%s where the model says %s", lb_status_name(got),
                     lb_status_name(expected));
}

/* ---- Values that count -------------------------------------------------- */

static token *token_of(lb_value value)
{
    const uintptr_t at = (uintptr_t)value.bits;
    if (at < (uintptr_t)tokens || at >= (uintptr_t)(tokens + PROGRAM_TOKENS))
        return NULL;
    return &tokens[(at - (uintptr_t)tokens) / sizeof tokens[0]];
}

void program_count(lb_value value, int by)
{
    token *counted = token_of(value);
    if (counted != NULL)
        counted->count += by;
}

static void retain(void *context, lb_value value)
{
    (void)context;
    program_count(value, 1);
}

static void release(void *context, lb_value value)
{
    (void)context;
    program_count(value, -1);
}

static lb_value any_token(program *t)
{
    if (dice_chance(&t->dice, 1, 16))
        return lb_integer(0);
    return lb_pointer(&tokens[dice_roll(&t->dice, PROGRAM_TOKENS)]);
}

/* ---- Functions of the program ------------------------------------------- */

static void note_run(ran_what what, int number, size_t argc,
                     const lb_value *argv)
{
    ran.what = what;
    ran.times++;
    ran.tag = number;
    ran.argc = argc;
    for (size_t i = 0; i < argc && i < COUNT_OF(ran.argv); i++)
        ran.argv[i] = argv[i];
}

const am_attribute *program_tag_of(const lb_attribute *self)
{
    return &((const attribute_tag *)self->context)->of;
}

/* The caller owns what is yielded. */
static lb_status yield(const am_attribute *of, lb_value *result)
{
    if (of->status != LB_OK)
        return lb_fail_with(of->status, "as the program wishes");
    *result = of->makes;
    program_count(of->makes, 1);
    return LB_OK;
}

static lb_status call_noted(const lb_attribute *self, size_t argc,
                            const lb_value *argv, lb_value *result)
{
    note_run(RAN_CALL, program_tag_of(self)->tag, argc, argv);
    return yield(program_tag_of(self), result);
}

static lb_status get_noted(const lb_attribute *self, lb_value receiver,
                           lb_value *result)
{
    note_run(RAN_GET, program_tag_of(self)->tag, 1, &receiver);
    return yield(program_tag_of(self), result);
}

static lb_status set_noted(const lb_attribute *self, lb_value receiver,
                           lb_value value)
{
    const lb_value argv[] = {receiver, value};
    note_run(RAN_SET, program_tag_of(self)->tag, 2, argv);
    return program_tag_of(self)->status;
}

static lb_status remove_noted(const lb_attribute *self, lb_value receiver)
{
    note_run(RAN_REMOVE, program_tag_of(self)->tag, 1, &receiver);
    return program_tag_of(self)->status;
}

static lb_status call_value_noted(void *context, const lb_attribute *self,
                                  lb_value callee, size_t argc,
                                  const lb_value *argv, lb_value *result)
{
    (void)context;
    note_run(RAN_VALUE, self != NULL ? program_tag_of(self)->tag : 0, argc,
             argv);
    ran.callee = callee;
    *result = lb_integer(PROGRAM_CALLED);
    return LB_OK;
}

/* A value that counts, too; what it stands for is kept beside. */
static lb_status name_value(void *context, const char *name, lb_value *value)
{
    (void)context;
    (void)snprintf(ran.name, sizeof ran.name, "%s", name);
    *value = lb_pointer(&tokens[1]);
    program_count(*value, 1);
    return LB_OK;
}

const char *program_name_told(const program *t)
{
    if (t->options.name_value == NULL)
        return ran.argv[1].constant;
    return ran.argv[1].constant == &tokens[1] ? ran.name : "";
}

static void release_tag(void *context)
{
    ((attribute_tag *)context)->released++;
}

int program_class_number(const program *t, const lb_class *cls)
{
    for (int i = 0; i < AM_CLASSES; i++)
        if (t->classes[i] == cls && cls != NULL)
            return i;
    return AM_NONE;
}

int program_name_number(const program *t, const lb_symbol *symbol)
{
    for (int i = 0; i < AM_NAMES; i++)
        if (t->symbols[i] == symbol && symbol != NULL)
            return i;
    return AM_NONE;
}

/* Keeps a picture of the dictionaries by what was reported alone. */
static void changed(void *context, lb_class *cls, const lb_symbol *symbol,
                    const lb_attribute *now, const lb_attribute *before)
{
    program *t = context;
    const int c = program_class_number(t, cls);
    const char *text = symbol->text;
    int name = program_name_number(t, symbol);
    if (name == AM_NONE && text[0] == 'n') { /* made by this very change */
        name = atoi(text + 1);
        t->symbols[name] = symbol;
    }
    if (name == AM_NONE)
        t->symbols[name = AM_MISSING] = symbol;
    int *told = &t->told[c][name];
    if (c == AM_NONE || *told != (before ? program_tag_of(before)->tag : 0))
        t->untold++;
    *told = now != NULL ? program_tag_of(now)->tag : 0;
}

/* ---- Names -------------------------------------------------------------- */

const char *program_spell(const program *t, int name, name_text *buffer)
{
    const char *missing = t->options.missing;
    if (name == AM_NONE)
        (void)snprintf(buffer->text, sizeof buffer->text, "ghost%d",
                       t->logged % 7);
    else if (name == AM_MISSING)
        (void)snprintf(buffer->text, sizeof buffer->text, "%s",
                       missing != NULL ? missing : "__getattr__");
    else
        (void)snprintf(buffer->text, sizeof buffer->text, "n%d", name);
    return buffer->text;
}

const lb_symbol *program_symbol(program *t, int name)
{
    name_text buffer;
    const char *text = program_spell(t, name, &buffer);
    const lb_symbol *symbol = lb_intern(t->runtime, text);
    if (symbol == NULL || strcmp(symbol->text, text) != 0 ||
        (t->symbols[name] != NULL && t->symbols[name] != symbol))
        program_fail(t, "n%d is no longer the same symbol", name);
    t->symbols[name] = symbol;
    return symbol;
}

/* A name that was written by text has a symbol from then on. */
static void was_written(program *t, int name)
{
    name_text buffer;
    const lb_symbol *symbol =
        lb_symbol_find(t->runtime, program_spell(t, name, &buffer));
    if (symbol == NULL ||
        (t->symbols[name] != NULL && t->symbols[name] != symbol))
        program_fail(t, "n%d was written and has no symbol", name);
    t->symbols[name] = symbol;
}

int program_any_name(program *t)
{
    return dice_roll(&t->dice, AM_NAMES);
}

int program_any_class(program *t)
{
    int cls;
    do
        cls = dice_roll(&t->dice, AM_CLASSES);
    while (!t->model.classes[cls].alive);
    return cls;
}

/* A living object, or AM_NONE. */
int program_any_object(program *t)
{
    for (int tries = 0; tries < 40; tries++) {
        const int object = dice_roll(&t->dice, AM_OBJECTS);
        if (t->model.objects[object].cls != AM_NONE)
            return object;
    }
    return AM_NONE;
}

/* ---- Attributes to set -------------------------------------------------- */

static lb_attribute_kind any_kind(program *t, int cls, int name)
{
    if (name == AM_MISSING)
        return LB_FUNCTION;
    return (lb_attribute_kind)dice_roll(
        &t->dice, t->families[cls] == HEADER_ONLY ? LB_FIELD : LB_FIELD + 1);
}

static lb_status any_status(program *t)
{
    if (dice_chance(&t->dice, 5, 6))
        return LB_OK;
    return dice_chance(&t->dice, 1, 2) ? LB_METHOD_FAILED : LB_NO_ATTRIBUTE;
}

static void choose_functions(program *t, am_attribute *a)
{
    const int some = 1 + dice_roll(&t->dice, 7);
    a->gets = some & 1;
    a->sets = some >> 1 & 1;
    a->removes = some >> 2 & 1;
}

/* An attribute that has never been before. */
static attribute_tag *new_tag(program *t, int cls, int name)
{
    attribute_tag *made = &t->tags[++t->tag_count];
    am_attribute *a = &made->of;
    if (t->tag_count + 1 >= PROGRAM_TAGS)
        program_fail(t, "the program has too many attributes");
    *a = (am_attribute){.tag = t->tag_count};
    a->kind = any_kind(t, cls, name);
    if (a->kind != LB_FIELD) /* it has none */
        a->value = any_token(t);
    a->makes = any_token(t);
    a->status = any_status(t);
    a->calls = name == AM_MISSING || dice_chance(&t->dice, 7, 8);
    if (a->kind == LB_PROPERTY)
        choose_functions(t, a);
    if (a->kind == LB_FIELD) {
        a->type = (lb_field_type)dice_roll(&t->dice, LB_FIELD_TYPE_COUNT);
        a->read_only = dice_chance(&t->dice, 1, 5);
    }
    return made;
}

static lb_attribute_spec spec_from(attribute_tag *from)
{
    const am_attribute *a = &from->of;
    const int method = a->kind == LB_FUNCTION || a->kind == LB_STATIC ||
                       a->kind == LB_CLASS_METHOD;
    return (lb_attribute_spec){
        .kind = a->kind,
        .value = a->kind == LB_FIELD ? lb_pointer(&tokens[0]) : a->value,
        .call = method && a->calls ? call_noted : NULL,
        .get = a->gets ? get_noted : NULL,
        .set = a->sets ? set_noted : NULL,
        .remove = a->removes ? remove_noted : NULL,
        .offset = PLACES[a->type],
        .type = a->type,
        .read_only = a->read_only,
        .context = from,
        .release = release_tag};
}

/* ---- What is given up --------------------------------------------------- */

/* Accounts for one reference that the model gave up. `surely`: it is clear
 * when the library gives it up, too. */
static void give_up_value(program *t, lb_value value, int surely)
{
    token *counted = token_of(value);
    if (counted == NULL)
        return;
    if (!surely || t->reclaim == LB_RECLAIM_EPOCH)
        counted->lingering++;
    else if (t->threading == LB_MULTI_THREADED)
        counted->waiting++;
}

static void take_what_is_gone(program *t, int surely)
{
    for (int i = 0; i < t->model.gone_count; i++) {
        const am_gone *gone = &t->model.gone[i];
        give_up_value(t, gone->value, surely && !gone->same);
        if (gone->tag != 0)
            t->tags[gone->tag].dead = 1;
    }
    t->model.gone_count = 0;
}

static void count_held(void *context, lb_value value)
{
    const token *counted = token_of(value);
    if (counted != NULL)
        ((int *)context)[counted - tokens]++;
}

static void check_tags(const program *t, int settled)
{
    for (int i = 1; i <= t->tag_count; i++) {
        const attribute_tag *one = &t->tags[i];
        const int must = one->dead && settled;
        if (one->released > one->dead || one->released < must)
            program_fail(t, "the context of tag %d was released %d times%s", i,
                         one->released, one->dead ? "" : ", though it lives");
    }
}

/* How many fields of the classes of an object are its member for values. */
static int fields_of_value(const program *t, int object)
{
    const am_class *cls = &t->model.classes[t->model.objects[object].cls];
    int count = 0;
    for (int i = 0; i < cls->length; i++)
        for (int name = 0; name < AM_NAMES; name++) {
            const am_attribute *a = &t->model.classes[cls->order[i]].has[name];
            count +=
                a->tag != 0 && a->kind == LB_FIELD && a->type == LB_FIELD_VALUE;
        }
    return count;
}

/* All that is held is visited once. But what a member holds is known to the
 * library by its fields: by none, or by several. */
static void check_visits(const program *t, const int *held)
{
    int visited[PROGRAM_TOKENS] = {0}, least[PROGRAM_TOKENS];
    int most[PROGRAM_TOKENS];
    memcpy(least, held, sizeof least);
    memcpy(most, held, sizeof most);
    lb_visit_classes(t->runtime, count_held, visited);
    for (int i = 0; i < AM_OBJECTS; i++) {
        if (t->objects[i] == NULL)
            continue;
        const int fields = fields_of_value(t, i);
        const token *member =
            token_of(t->model.objects[i].member[LB_FIELD_VALUE]);
        lb_visit_object(t->objects[i], count_held, visited);
        if (member != NULL) {
            least[member - tokens] -= fields == 0;
            most[member - tokens] += fields - 1;
        }
    }
    for (int i = 0; i < PROGRAM_TOKENS; i++)
        if (visited[i] < least[i] || visited[i] > most[i])
            program_fail(t, "value %d was visited %d times, held %d times", i,
                         visited[i], held[i]);
}

/* Nothing is held that the model does not hold, or wait for. */
static void check_counts(program *t)
{
    int held[PROGRAM_TOKENS] = {0};
    am_each_value(&t->model, count_held, held);
    for (int i = 0; i < PROGRAM_TOKENS; i++) {
        const int least = held[i] + tokens[i].waiting;
        if (tokens[i].count < least ||
            tokens[i].count > least + tokens[i].lingering)
            program_fail(t, "value %d has count %d, held %d, waiting %d, %d", i,
                         tokens[i].count, held[i], tokens[i].waiting,
                         tokens[i].lingering);
    }
    check_visits(t, held);
    check_tags(t, 0);
}

static void quiesce(program *t)
{
    log_line(t, "lb_quiesce");
    if (t->reclaim == LB_RECLAIM_EPOCH && dice_chance(&t->dice, 1, 2))
        program_same(t, lb_synchronize(t->runtime), LB_OK);
    program_same(t, lb_quiesce(t->runtime), LB_OK);
    for (int i = 0; i < PROGRAM_TOKENS; i++)
        tokens[i].waiting = tokens[i].lingering = 0;
    check_counts(t);
    check_tags(t, 1);
}

/* ---- Changing a dictionary ---------------------------------------------- */

static void set_in_class(program *t, int cls, int name)
{
    name_text buffer;
    attribute_tag *made = new_tag(t, cls, name);
    const lb_attribute_spec spec = spec_from(made);
    log_line(t, "c%d.n%d = tag %d, kind %d, type %d", cls, name, made->of.tag,
             (int)made->of.kind, (int)made->of.type);
    if (dice_chance(&t->dice, 1, 3))
        program_same(t,
                     lb_dictionary_set(lb_class_dictionary(t->classes[cls]),
                                       program_spell(t, name, &buffer), &spec),
                     LB_OK);
    else
        program_same(
            t, lb_class_set(t->classes[cls], program_symbol(t, name), &spec),
            LB_OK);
    was_written(t, name);
    t->model.gone_count = 0;
    am_class_set(&t->model, cls, name, &made->of);
    take_what_is_gone(t, 1);
}

static void define_class(program *t, int cls)
{
    lb_definition all[5];
    attribute_tag *made[5];
    int names[5];
    const int count = 1 + dice_roll(&t->dice, 4);
    const int bad = dice_chance(&t->dice, 1, 6);
    log_line(t, "define %d attributes of c%d%s", count, cls,
             bad ? ", badly" : "");
    for (int i = 0; i < count; i++) {
        names[i] = dice_roll(&t->dice, AM_NAMES);
        made[i] = new_tag(t, cls, names[i]);
        all[i] =
            (lb_definition){program_symbol(t, names[i]), spec_from(made[i])};
    }
    all[count] = (lb_definition){all[0].symbol, {.kind = LB_PROPERTY}};
    const lb_status status =
        lb_class_define(t->classes[cls], all, (size_t)(count + bad));
    program_same(t, status, bad ? LB_BAD_ARGUMENT : LB_OK);
    if (bad) {
        t->tag_count -= count; /* the contexts stayed ours */
        return;
    }
    t->model.gone_count = 0;
    for (int i = 0; i < count; i++)
        am_class_set(&t->model, cls, names[i], &made[i]->of);
    take_what_is_gone(t, 0); /* some of them were never to be seen */
}

static void delete_from_class(program *t, int cls, int name)
{
    name_text buffer;
    lb_status status;
    log_line(t, "delete c%d.n%d", cls, name);
    t->model.gone_count = 0;
    const lb_status expected = am_class_delete(&t->model, cls, name);
    if (dice_chance(&t->dice, 1, 3))
        status = lb_dictionary_delete(lb_class_dictionary(t->classes[cls]),
                                      program_spell(t, name, &buffer));
    else
        status = lb_class_delete(t->classes[cls], program_symbol(t, name));
    program_same(t, status, expected);
    take_what_is_gone(t, 1);
}

/* ---- Changing an instance ----------------------------------------------- */

static lb_value around_limits(program *t)
{
    static const int64_t limits[] = {
        0,         INT8_MAX,   INT8_MIN,  UINT8_MAX, INT16_MAX,
        INT16_MIN, UINT16_MAX, INT32_MAX, INT32_MIN, UINT32_MAX};
    if (dice_chance(&t->dice, 1, 8))
        return (lb_value){.bits = dice_next(&t->dice)};
    return lb_integer(limits[dice_roll(&t->dice, COUNT_OF(limits))] +
                      dice_roll(&t->dice, 3) - 1);
}

/* A value of the kind that the field takes, if there is one. */
static lb_value value_for(program *t, int object, int name)
{
    const am_attribute *found =
        am_find(&t->model, t->model.objects[object].cls, AM_NONE, name, NULL);
    if (found == NULL || found->kind != LB_FIELD ||
        found->type <= LB_FIELD_POINTER)
        return any_token(t);
    if (found->type >= LB_FIELD_FLOAT)
        return (lb_value){.real = dice_roll(&t->dice, 1000) / 7.0};
    return around_limits(t);
}

static void check_effect(program *t, am_effect expected, lb_status status,
                         ran_what what, lb_value receiver)
{
    program_same(t, status, expected.status);
    if (expected.ran == NULL ? ran.times != 0
                             : ran.times != 1 || ran.what != what ||
                                   ran.tag != expected.ran->tag ||
                                   ran.argv[0].bits != receiver.bits)
        program_fail(t, "another setter or deleter ran, or none");
}

static void set_in_object(program *t, int object, int name)
{
    name_text buffer;
    subject *o = t->objects[object];
    lb_status status;
    const lb_value value = value_for(t, object, name);
    log_line(t, "o%d.n%d = %lld", object, name, (long long)value.integer);
    const am_effect expected = am_set(&t->model, object, name, value);
    memset(&ran, 0, sizeof ran);
    if (dice_chance(&t->dice, 1, 3))
        status = lb_set_text(o, program_spell(t, name, &buffer), value);
    else
        status = lb_set(o, program_symbol(t, name), value);
    check_effect(t, expected, status, RAN_SET, lb_pointer(o));
    if (expected.ran != NULL && ran.argv[1].bits != value.bits)
        program_fail(t, "the setter got another value");
    if (status == LB_OK)
        was_written(t, name);
    take_what_is_gone(t, 1);
}

static void unset_in_object(program *t, int object, int name)
{
    name_text buffer;
    subject *o = t->objects[object];
    lb_status status;
    log_line(t, "delete o%d.n%d", object, name);
    const am_effect expected = am_unset(&t->model, object, name);
    memset(&ran, 0, sizeof ran);
    if (dice_chance(&t->dice, 1, 3))
        status = lb_unset_text(o, program_spell(t, name, &buffer));
    else
        status = lb_unset(o, program_symbol(t, name));
    check_effect(t, expected, status, RAN_REMOVE, lb_pointer(o));
    take_what_is_gone(t, 1);
}

static void change_own(program *t, int object, int name)
{
    subject *o = t->objects[object];
    const lb_symbol *symbol = program_symbol(t, name);
    const lb_value value = any_token(t);
    if (dice_chance(&t->dice, 1, 2)) {
        log_line(t, "o%d.own[n%d] = %lld", object, name,
                 (long long)value.integer);
        const lb_status expected = am_own_set(&t->model, object, name, value);
        program_same(t, lb_own_set(o, symbol, value), expected);
    } else {
        log_line(t, "delete o%d.own[n%d]", object, name);
        const lb_status expected = am_own_delete(&t->model, object, name);
        program_same(t, lb_own_delete(o, symbol), expected);
    }
    take_what_is_gone(t, 1);
}

/* ---- Objects ------------------------------------------------------------ */

static void make_object(program *t)
{
    const int object = dice_roll(&t->dice, AM_OBJECTS);
    const int cls = program_any_class(t);
    if (t->objects[object] != NULL || t->families[cls] == HEADER_ONLY)
        return;
    log_line(t, "o%d = new c%d", object, cls);
    t->objects[object] = lb_new(t->classes[cls]);
    if (t->objects[object] == NULL)
        program_fail(t, "lb_new failed");
    t->made_by[object] = cls;
    memset(&t->model.objects[object], 0, sizeof t->model.objects[object]);
    t->model.objects[object].cls = cls;
}

/* What stands in a member is the owner's to give up. */
static void delete_object(program *t, int object)
{
    subject *o = t->objects[object];
    log_line(t, "delete o%d", object);
    release(NULL, o->value);
    o->value = lb_integer(0);
    t->model.gone_count = 0;
    am_object_destroy(&t->model, object);
    lb_delete(t->classes[t->made_by[object]], o);
    take_what_is_gone(t, 0);
    t->objects[object] = NULL;
}

static void set_class_of_object(program *t, int object)
{
    am_object *o = &t->model.objects[object];
    const int cls = program_any_class(t);
    if (t->families[cls] == HEADER_ONLY)
        return;
    log_line(t, "o%d becomes a c%d", object, cls);
    const int alike =
        t->model.classes[cls].free == t->model.classes[o->cls].free;
    program_same(t, lb_set_class(t->objects[object], t->classes[cls]),
                 alike ? LB_OK : LB_BAD_ARGUMENT);
    if (alike)
        o->cls = cls;
}

/* ---- Classes ------------------------------------------------------------ */

static void ask_orders(program *t)
{
    lb_class *order[AM_CLASSES];
    for (int i = 0; i < AM_CLASSES; i++) {
        am_class *cls = &t->model.classes[i];
        if (!cls->alive)
            continue;
        cls->length =
            (int)lb_class_linearization(t->classes[i], order, AM_CLASSES);
        for (int k = 0; k < cls->length; k++)
            cls->order[k] = program_class_number(t, order[k]);
    }
}

/* Up to three bases whose instances begin as those of `wanted` do. */
static size_t choose_bases(program *t, family wanted, int but, lb_class **bases)
{
    size_t count = 0;
    const int tries = dice_roll(&t->dice, 4);
    for (int i = 0; i < tries; i++) {
        const int cls = program_any_class(t);
        int fits = cls != but && (t->families[cls] == HEADER_ONLY ||
                                  t->families[cls] == wanted);
        for (size_t k = 0; k < count; k++)
            fits &= bases[k] != t->classes[cls];
        if (fits)
            bases[count++] = t->classes[cls];
    }
    return count;
}

static void make_class(program *t, int place, family of)
{
    lb_class *bases[3];
    char name[16];
    (void)snprintf(name, sizeof name, "c%d", place);
    const lb_class_spec spec = {
        .name = name,
        .bases = bases,
        .base_count =
            t->model.classes[0].alive ? choose_bases(t, of, AM_NONE, bases) : 0,
        .instance_size =
            of == HEADER_ONLY ? sizeof(lb_header) : sizeof(subject),
        .flags = of == FREE ? LB_FREE_ATTRIBUTES : 0};
    const lb_status status =
        lb_class_create(t->runtime, &spec, &t->classes[place]);
    log_line(t, "class c%d, %zu bases, family %d: %s", place, spec.base_count,
             (int)of, lb_status_name(status));
    if (status != LB_BAD_ORDER)
        program_same(t, status, LB_OK);
    memset(&t->model.classes[place], 0, sizeof t->model.classes[place]);
    t->model.classes[place].alive = status == LB_OK;
    t->model.classes[place].free = of == FREE;
    t->families[place] = of;
    if (status != LB_OK)
        t->classes[place] = NULL;
    ask_orders(t);
}

static void set_bases(program *t)
{
    lb_class *bases[3];
    const int cls = program_any_class(t);
    const size_t count = choose_bases(t, t->families[cls], cls, bases);
    const lb_status status = lb_class_set_bases(t->classes[cls], bases, count);
    log_line(t, "c%d gets %zu bases: %s", cls, count, lb_status_name(status));
    if (status != LB_BAD_ORDER)
        program_same(t, status, LB_OK);
    ask_orders(t);
}

static int has_subclass(const program *t, int cls)
{
    for (int i = 0; i < AM_CLASSES; i++)
        if (i != cls && t->model.classes[i].alive)
            for (int k = 0; k < t->model.classes[i].length; k++)
                if (t->model.classes[i].order[k] == cls)
                    return 1;
    return 0;
}

static void destroy_class(program *t)
{
    const int cls = program_any_class(t);
    const int busy = has_subclass(t, cls);
    if (cls < FAMILIES) /* the roots stay */
        return;
    for (int i = 0; !busy && i < AM_OBJECTS; i++)
        if (t->objects[i] != NULL &&
            (t->model.objects[i].cls == cls || t->made_by[i] == cls))
            delete_object(t, i);
    log_line(t, "destroy c%d", cls);
    program_same(t, lb_class_destroy(t->classes[cls]), busy ? LB_BUSY : LB_OK);
    if (busy)
        return;
    t->model.gone_count = 0;
    am_class_destroy(&t->model, cls);
    take_what_is_gone(t, t->threading == LB_MULTI_THREADED);
    memset(t->told[cls], 0, sizeof t->told[cls]);
    t->classes[cls] = NULL;
}

/* ---- Any change --------------------------------------------------------- */

static void check_reports(const program *t)
{
    for (int i = 0; i < AM_CLASSES; i++)
        for (int name = 0; name < AM_NAMES; name++)
            if (t->model.classes[i].alive &&
                t->told[i][name] != t->model.classes[i].has[name].tag)
                program_fail(t, "the hook `changed` was not told of c%d.n%d", i,
                             name);
    if (t->untold != 0)
        program_fail(t, "the hook `changed` was told something else");
}

static void change_class(program *t)
{
    const int cls = program_any_class(t), name = dice_roll(&t->dice, AM_NAMES);
    switch (dice_roll(&t->dice, 10)) {
    case 0:
    case 1:
        delete_from_class(t, cls, name);
        break;
    case 2:
        define_class(t, cls);
        break;
    case 3:
        set_bases(t);
        break;
    case 4:
        destroy_class(t);
        break;
    case 5:
        for (int i = 0; i < AM_CLASSES; i++)
            if (!t->model.classes[i].alive) {
                make_class(t, i, (family)dice_roll(&t->dice, FAMILIES));
                break;
            }
        break;
    default:
        set_in_class(t, cls, name);
    }
}

static void change_object(program *t, int object)
{
    const int name = dice_roll(&t->dice, AM_NAMES);
    switch (dice_roll(&t->dice, 12)) {
    case 0:
    case 1:
        unset_in_object(t, object, name);
        break;
    case 2:
        set_class_of_object(t, object);
        break;
    case 3:
        delete_object(t, object);
        break;
    case 4:
    case 5:
        change_own(t, object, name);
        break;
    default:
        set_in_object(t, object, name);
    }
}

void program_change(program *t)
{
    const int object = program_any_object(t);
    t->changes++;
    make_object(t);
    if (object == AM_NONE || dice_chance(&t->dice, 1, 2))
        change_class(t);
    else
        change_object(t, object);
    check_reports(t);
    check_counts(t);
    if (dice_chance(&t->dice, 1, 12))
        quiesce(t);
}

/* ---- Opening and closing ------------------------------------------------ */

static lb_choice any_choice(program *t)
{
    return (lb_choice)dice_roll(&t->dice, 3);
}

static uint32_t any_table_size(program *t)
{
    switch (dice_roll(&t->dice, 4)) {
    case 0:
        return 0;
    case 1:
        return LB_UNBOUNDED;
    case 2:
        return 1 + (uint32_t)dice_roll(&t->dice, 6);
    default:
        return 1 + (uint32_t)dice_roll(&t->dice, 300);
    }
}

static void choose_options(program *t, lb_search_order order,
                           lb_cache_policy policy)
{
    t->options = (lb_object_options){
        .order = order,
        .policy = policy,
        .counting = dice_roll(&t->dice, 2),
        .mark = any_choice(t),
        .table_size = any_table_size(t),
        .cache_negative = any_choice(t),
        .drop_changed = any_choice(t),
        .intern_writes = any_choice(t),
        .when_full = (lb_when_full)dice_roll(
            &t->dice, policy == LB_POLICY_SITE ? LB_FULL_HIERARCHY
                                               : LB_FULL_HIERARCHY + 1),
        .poor_percent = (uint32_t)dice_roll(&t->dice, 101),
        .thrash_limit = (uint32_t)dice_roll(&t->dice, 4),
        .table_pool = (uint32_t)dice_roll(&t->dice, 5),
        .context = t,
        .retain = retain,
        .release = release,
        .changed = changed,
        .call_value = dice_chance(&t->dice, 2, 3) ? call_value_noted : NULL,
        .missing = dice_chance(&t->dice, 1, 3) ? "fallback" : NULL,
        .name_value = dice_chance(&t->dice, 1, 3) ? name_value : NULL};
}

static void choose_memory(program *t, lb_config *config)
{
    lb_config_init(config);
    const int way = dice_roll(&t->dice, 3);
    t->threading = way == 0 ? LB_SINGLE_THREADED : LB_MULTI_THREADED;
    t->reclaim = way == 2 ? LB_RECLAIM_EPOCH : LB_RECLAIM_QUIESCE;
    config->threading = t->threading;
    config->reclaim = t->reclaim;
    config->reallocate = allocator_reallocate;
    config->allocator_context = &t->memory;
}

void program_open(program *t, uint64_t seed, lb_search_order order,
                  lb_cache_policy policy)
{
    lb_config config;
    memset(t, 0, sizeof *t);
    memset(tokens, 0, sizeof tokens);
    t->seed = seed;
    t->dice.state = seed;
    t->model.order = order;
    for (int i = 0; i < AM_OBJECTS; i++)
        t->model.objects[i].cls = AM_NONE;
    choose_memory(t, &config);
    choose_options(t, order, policy);
    assert_ok(lb_runtime_create(&config, &t->runtime));
    program_same(t, lb_objects_configure(t->runtime, &t->options), LB_OK);
    for (int i = 0; i < FAMILIES + 2; i++)
        make_class(t, i, (family)(i % FAMILIES));
}

/* Nothing is left, and nothing was given back twice. */
void program_close(program *t)
{
    for (int i = 0; i < AM_OBJECTS; i++)
        if (t->objects[i] != NULL)
            delete_object(t, i);
    quiesce(t);
    lb_runtime_destroy(t->runtime);
    for (int i = 1; i <= t->tag_count; i++)
        t->tags[i].dead = 1;
    check_tags(t, 1);
    for (int i = 0; i < PROGRAM_TOKENS; i++)
        if (tokens[i].count != 0)
            program_fail(t, "value %d is left with count %d", i,
                         tokens[i].count);
    if (!allocator_finish(&t->memory))
        program_fail(t, "%zu bytes are left, %zu sizes were wrong",
                     t->memory.bytes, t->memory.wrong);
}
