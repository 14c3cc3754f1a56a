/* Random programs of classes, attributes and instances: what every look-up,
 * call and change comes to must be what the model says, under each search
 * order and each cache policy, whatever its settings.
 *
 *   1. a seed chooses the settings, and how memory comes back
 *   2. changes are made to the library and to the model, one at a time
 *   3. after each, many look-ups are compared, in every way there is to look
 *      up; and who holds which value, by the hooks retain and release
 *
 * LB_ORACLE_ROUNDS sets how many programs of each order and policy (default
 * 150); LB_ORACLE_SEED runs one program alone.
 */
#include "oracle/attribute_program.h"
#include "support/test.h"

static unsigned long long looks;

/* ---- Comparing ---------------------------------------------------------- */

/* A look-up that was made, for the comparison and for its failure. */
typedef struct look {
    const char *way;
    int object, name; /* or AM_NONE */
    lb_value receiver;
    lb_class *cls;
} look;

static void differs(const program *t, const look *l, const char *what)
{
    program_fail(t, "%s of n%d, object %d, class c%d: %s", l->way, l->name,
                 l->object, program_class_number(t, l->cls), what);
}

static void check_getter(const program *t, const look *l, const am_answer *a)
{
    name_text buffer;
    if (a->ran == NULL) {
        if (ran.times != 0)
            differs(t, l, "a function of the program ran");
        return;
    }
    if (ran.times != 1 || ran.tag != a->ran->tag ||
        ran.argv[0].bits != l->receiver.bits)
        differs(t, l, "another getter or hook ran, or none");
    if (ran.what == RAN_CALL &&
        (ran.argc != 2 ||
         strcmp(program_name_told(t), program_spell(t, l->name, &buffer)) != 0))
        differs(t, l, "the missing hook was not told the name");
}

static void check_value(const program *t, const look *l, const am_answer *a,
                        const lb_found *found)
{
    if (found->method != NULL)
        differs(t, l, "a value has a method");
    if (found->value.bits != a->value.bits)
        differs(t, l, "another value was found");
}

static void check_method(const program *t, const look *l, const am_answer *a,
                         const lb_found *found)
{
    const uint64_t self =
        a->bound == AM_TO_CLASS ? lb_pointer(l->cls).bits : l->receiver.bits;
    if (found->value.bits != 0)
        differs(t, l, "a method has a value");
    if (program_tag_of(found->method)->tag != a->method->tag)
        differs(t, l, "another method was found");
    if (a->bound != AM_UNBOUND && found->self.bits != self)
        differs(t, l, "the method is bound to another receiver");
}

/* What was found is what the model says; gives up what is owned. */
static void check_found(const program *t, const look *l, const am_answer *a,
                        lb_status status, const lb_found *found)
{
    looks++;
    if (status != a->status) {
        char text[96];
        (void)snprintf(text, sizeof text, "%s, not %s", lb_status_name(status),
                       lb_status_name(a->status));
        differs(t, l, text);
    }
    check_getter(t, l, a);
    if (status != LB_OK)
        return;
    if (found->kind != a->kind)
        differs(t, l, "another kind was found");
    if (a->method != NULL)
        check_method(t, l, a, found);
    else
        check_value(t, l, a, found);
    if (found->kind == LB_FOUND_OWNED)
        program_count(found->value, -1);
}

/* ---- Looking up --------------------------------------------------------- */

static look look_at(program *t, const char *way, int object, int name)
{
    const int cls = t->model.objects[object].cls;
    memset(&ran, 0, sizeof ran);
    return (look){way, object, name, lb_pointer(t->objects[object]),
                  t->classes[cls]};
}

static void look_by_text(program *t, int object, int name)
{
    name_text buffer;
    lb_found found = {.kind = LB_FOUND_NOTHING};
    const look l = look_at(t, "lb_get_text", object, name);
    const am_answer a = am_get(&t->model, object, name);
    const char *text = program_spell(t, name, &buffer);
    const lb_symbol *before = lb_symbol_find(t->runtime, text);
    check_found(t, &l, &a, lb_get_text(t->objects[object], text, &found),
                &found);
    if (lb_symbol_find(t->runtime, text) != before)
        differs(t, &l, "reading by text made a symbol");
}

static void look_plainly(program *t, int object, int name)
{
    lb_found found = {.kind = LB_FOUND_NOTHING};
    const lb_symbol *symbol = program_symbol(t, name);
    const am_answer a = am_get(&t->model, object, name);
    look l = look_at(t, "lb_try_get", object, name);
    const void *o = t->objects[object];
    lb_status status;
    switch (dice_roll(&t->dice, 3)) {
    case 0:
        status = lb_try_get(o, symbol, &found);
        break;
    case 1:
        l.way = "lb_get";
        status = lb_get(o, symbol, &found);
        break;
    default:
        l.way = "lb_try_get_at";
        status =
            lb_try_get_at(&t->sites[name][dice_roll(&t->dice, PROGRAM_SITES)],
                          o, symbol, &found);
    }
    check_found(t, &l, &a, status, &found);
}

static void look_special(program *t, int object, int name)
{
    lb_found found = {.kind = LB_FOUND_NOTHING};
    const lb_symbol *symbol = program_symbol(t, name);
    const int cls = t->model.objects[object].cls;
    look l = look_at(t, "lb_try_get_special", object, name);
    const am_attribute *in_class = am_find(&t->model, cls, AM_NONE, name, NULL);
    if (dice_chance(&t->dice, 1, 4) &&
        (in_class == NULL || in_class->kind != LB_FIELD)) {
        l.receiver = lb_integer(0); /* asked, and empty */
        if (t->options.order == LB_ORDER_PYTHON3 || !t->model.classes[cls].free)
            l.receiver = lb_integer(2 * dice_roll(&t->dice, 99) + 1);
        object = AM_NONE;
    }
    const am_answer a = am_get_special(&t->model, cls, object, name);
    check_found(t, &l, &a,
                lb_try_get_special(l.cls, l.receiver, symbol, &found), &found);
}

static void look_at_class(program *t, int name)
{
    lb_found found = {.kind = LB_FOUND_NOTHING};
    const lb_symbol *symbol = program_symbol(t, name);
    const int cls = program_any_class(t);
    const am_answer a = am_class_get(&t->model, cls, name);
    const look l = {"lb_class_get", AM_NONE, name, lb_integer(0),
                    t->classes[cls]};
    memset(&ran, 0, sizeof ran);
    check_found(t, &l, &a, lb_class_get(l.cls, symbol, &found), &found);
}

static void look_behind(program *t, int object, int name)
{
    lb_found found = {.kind = LB_FOUND_NOTHING};
    const lb_symbol *symbol = program_symbol(t, name);
    const int after = program_any_class(t);
    const am_answer a = am_get_super(&t->model, after, object, name);
    const look l = look_at(t, "lb_get_super", object, name);
    check_found(
        t, &l, &a,
        lb_get_super(t->classes[after], t->objects[object], symbol, &found),
        &found);
}

static void look_behind_class(program *t, int name)
{
    lb_found found = {.kind = LB_FOUND_NOTHING};
    const lb_symbol *symbol = program_symbol(t, name);
    const int cls = program_any_class(t), after = program_any_class(t);
    const am_answer a = am_class_get_super(&t->model, after, cls, name);
    const look l = {"lb_class_get_super", AM_NONE, name, lb_integer(0),
                    t->classes[cls]};
    memset(&ran, 0, sizeof ran);
    check_found(t, &l, &a,
                lb_class_get_super(t->classes[after], l.cls, symbol, &found),
                &found);
}

/* One of several names, and what it comes to. */
typedef struct several {
    const lb_symbol *symbols[3];
    int names[3];
    size_t first; /* 3: none */
    am_answer answer;
} several;

/* Chooses names; 0 where the page does not say whether one is there (a hook
 * for what is missing, a getter that fails). */
static int choose_several(program *t, int object, int special, several *s)
{
    const int cls = t->model.objects[object].cls;
    *s = (several){.first = 3, .answer = {.status = LB_NO_ATTRIBUTE}};
    for (size_t i = 0; i < 3; i++) {
        int own;
        const int name = s->names[i] = program_any_name(t);
        const am_answer one = special
                                  ? am_get_special(&t->model, cls, object, name)
                                  : am_get(&t->model, object, name);
        s->symbols[i] = program_symbol(t, name);
        if (one.ran != NULL ||
            (one.status != LB_OK && am_choose(&t->model, object, name, &own)))
            return 0;
        if (s->first == 3 && one.status == LB_OK) {
            s->first = i;
            s->answer = one;
        }
    }
    return 1;
}

static void look_for_first(program *t, int object)
{
    several s;
    size_t which = 3;
    lb_found found = {.kind = LB_FOUND_NOTHING};
    const int special = dice_chance(&t->dice, 1, 2);
    if (!choose_several(t, object, special, &s))
        return;
    look l = look_at(t, "lb_get_first", object, s.names[s.first % 3]);
    lb_status status;
    if (special) {
        l.way = "lb_get_first_special";
        status = lb_get_first_special(l.cls, l.receiver, s.symbols, 3, &which,
                                      &found);
    } else {
        status = lb_get_first(t->objects[object], s.symbols, 3, &which, &found);
    }
    check_found(t, &l, &s.answer, status, &found);
    if (which != s.first)
        differs(t, &l, "another index");
}

/* ---- Calling ------------------------------------------------------------ */

static void check_arguments(const program *t, const look *l, lb_value first,
                            const lb_value *argv, size_t argc)
{
    size_t i = 0;
    if (first.bits != 0 && ran.argv[i++].bits != first.bits)
        differs(t, l, "the first argument is another");
    if (ran.argc != argc + i)
        differs(t, l, "the number of arguments is another");
    for (size_t k = 0; k < argc; k++)
        if (ran.argv[i + k].bits != argv[k].bits)
            differs(t, l, "an argument is another");
}

static void check_call_of_value(const program *t, const look *l,
                                const am_answer *a, lb_value first,
                                lb_status status, const lb_value *argv,
                                size_t argc, lb_value result)
{
    const lb_value callee = a->method != NULL ? a->method->value : a->value;
    if (t->options.call_value == NULL) {
        program_same(t, status, LB_NOT_CALLABLE);
        return;
    }
    program_same(t, status, LB_OK);
    if (ran.what != RAN_VALUE || result.integer != PROGRAM_CALLED ||
        ran.callee.bits != callee.bits)
        differs(t, l, "the value was not called");
    if (a->bound != AM_UNBOUND && ran.tag != a->method->tag)
        differs(t, l, "the value that binds was not told its attribute");
    check_arguments(t, l, first, argv, argc);
}

/* A call of what the model found, with `argc` arguments but the receiver. */
static void check_call(const program *t, const look *l, const am_answer *a,
                       lb_status status, const lb_value *argv, size_t argc,
                       lb_value result)
{
    lb_value first = lb_integer(0);
    looks++;
    if (a->status != LB_OK) {
        program_same(t, status, a->status);
        return;
    }
    if (a->bound == AM_TO_RECEIVER)
        first = l->receiver;
    if (a->bound == AM_TO_CLASS)
        first = lb_pointer(l->cls);
    if (a->method == NULL || !a->method->calls) {
        check_call_of_value(t, l, a, first, status, argv, argc, result);
        return;
    }
    if (status != a->method->status)
        differs(t, l, lb_status_name(status));
    if (ran.times != 1 || ran.what != RAN_CALL || ran.tag != a->method->tag)
        differs(t, l, "another method ran, or none");
    check_arguments(t, l, first, argv, argc);
    if (status != LB_OK)
        return;
    if (result.bits != a->method->makes.bits)
        differs(t, l, "another result");
    program_count(result, -1);
}

static void call_by_symbol(program *t, int object, int name)
{
    lb_value result = lb_integer(-1);
    const lb_symbol *symbol = program_symbol(t, name);
    const look l = look_at(t, "lb_invoke_symbol", object, name);
    const lb_value argv[] = {l.receiver, lb_integer(11), lb_integer(12)};
    const size_t argc = (size_t)dice_roll(&t->dice, 3);
    const am_answer a = am_get(&t->model, object, name);
    const lb_status status = lb_invoke_symbol(symbol, argc + 1, argv, &result);
    check_call(t, &l, &a, status, argv + 1, argc, result);
}

static void call_what_was_found(program *t, int object, int name)
{
    lb_value result = lb_integer(-1);
    lb_found found;
    const lb_symbol *symbol = program_symbol(t, name);
    const look l = look_at(t, "lb_call", object, name);
    const lb_value argv[] = {lb_integer(11), lb_integer(12)};
    const size_t argc = (size_t)dice_roll(&t->dice, 3);
    const am_answer a = am_get(&t->model, object, name);
    if (lb_try_get(t->objects[object], symbol, &found) != LB_OK)
        return;
    const lb_found copy = found; /* a bound method may be kept */
    memset(&found, 0xa5, sizeof found);
    memset(&ran, 0, sizeof ran);
    const lb_status status = lb_call(t->runtime, &copy, argc, argv, &result);
    check_call(t, &l, &a, status, argv, argc, result);
    if (copy.kind == LB_FOUND_OWNED)
        program_count(copy.value, -1);
}

static void call_special(program *t, int object, int name)
{
    lb_value result = lb_integer(-1);
    const lb_symbol *symbol = program_symbol(t, name);
    const int cls = t->model.objects[object].cls;
    const look l = look_at(t, "lb_invoke_special", object, name);
    const lb_value argv[] = {l.receiver, lb_integer(11)};
    const size_t argc = (size_t)dice_roll(&t->dice, 2);
    const am_answer a = am_get_special(&t->model, cls, object, name);
    const lb_status status =
        lb_invoke_special(l.cls, symbol, argc + 1, argv, &result);
    check_call(t, &l, &a, status, argv + 1, argc, result);
}

/* super() as a method of some class of the receiver's order would call it. */
static void call_next(program *t, int object, int name)
{
    int owner;
    lb_value result = lb_integer(-1);
    const int cls = t->model.objects[object].cls;
    const am_attribute *from = am_find(&t->model, cls, AM_NONE, name, &owner);
    if (from == NULL || from->kind != LB_FUNCTION)
        return;
    const lb_attribute *self =
        lb_class_own(t->classes[owner], program_symbol(t, name));
    const look l = look_at(t, "lb_invoke_super", object, name);
    const lb_value argv[] = {l.receiver, lb_integer(11)};
    const am_answer a = am_get_super(&t->model, owner, object, name);
    if (self == NULL || program_tag_of(self)->tag != from->tag)
        differs(t, &l, "lb_class_own gave another attribute");
    const lb_status status = lb_invoke_super(self, 2, argv, &result);
    check_call(t, &l, &a, status, argv + 1, 1, result);
}

/* The same for a class method, where what comes next is not a function. */
static void call_next_of_class(program *t, int object, int name)
{
    int owner;
    lb_value result = lb_integer(-1);
    const int cls = t->model.objects[object].cls;
    const am_attribute *from = am_find(&t->model, cls, AM_NONE, name, &owner);
    if (from == NULL || from->kind != LB_CLASS_METHOD)
        return;
    const look l = look_at(t, "lb_invoke_super, class", object, name);
    const lb_value argv[] = {lb_pointer(l.cls), lb_integer(11)};
    const am_attribute *next = am_find(&t->model, cls, owner, name, NULL);
    if (next != NULL && next->kind != LB_CLASS_METHOD && next->kind != LB_VALUE)
        return;
    const am_answer a = am_get_super(&t->model, owner, object, name);
    const lb_status status = lb_invoke_super(
        lb_class_own(t->classes[owner], program_symbol(t, name)), 2, argv,
        &result);
    check_call(t, &l, &a, status, argv + 1, 1, result);
}

/* ---- Looking around ----------------------------------------------------- */

static void check_entry(const program *t, int object,
                        const lb_directory_entry *entry)
{
    int own;
    const int name = program_name_number(t, entry->symbol);
    if (name == AM_NONE)
        program_fail(t, "lb_dir names an unknown symbol");
    const am_attribute *found = am_choose(&t->model, object, name, &own);
    if ((own || found == NULL) != (entry->attribute == NULL) ||
        (entry->owner == NULL) != (entry->attribute == NULL) ||
        (found != NULL &&
         program_tag_of(entry->attribute)->tag != found->tag) ||
        (found == NULL && !own))
        program_fail(t, "lb_dir is wrong about n%d of object %d", name, object);
}

static void check_directory(program *t, int object)
{
    lb_directory *directory = NULL;
    size_t count = 0;
    int own;
    program_same(t, lb_dir(t->objects[object], &directory), LB_OK);
    for (int name = 0; name < AM_NAMES; name++)
        count += am_choose(&t->model, object, name, &own) != NULL || own;
    if (directory->count != count)
        program_fail(t, "lb_dir of object %d has %zu names, not %zu", object,
                     directory->count, count);
    for (size_t i = 0; i < count; i++) {
        check_entry(t, object, &directory->entries[i]);
        if (i > 0 && strcmp(directory->entries[i - 1].symbol->text,
                            directory->entries[i].symbol->text) >= 0)
            program_fail(t, "lb_dir is not in the order of names");
    }
    lb_directory_free(directory);
}

static void check_own(program *t, int object)
{
    const am_object *o = &t->model.objects[object];
    const lb_symbol *symbol;
    lb_value value;
    size_t cursor = 0;
    int count = 0, expected = 0;
    for (int name = 0; name < AM_NAMES; name++)
        expected += o->holds[name];
    while (lb_own_next(t->objects[object], &cursor, &symbol, &value)) {
        const int name = program_name_number(t, symbol);
        count++;
        if (name == AM_NONE || !o->holds[name] ||
            o->own[name].bits != value.bits)
            program_fail(t, "object %d should not hold n%d", object, name);
    }
    if (count != expected)
        program_fail(t, "object %d holds %d names, not %d", object, count,
                     expected);
}

static void check_own_get(program *t, int object, int name)
{
    const am_object *o = &t->model.objects[object];
    lb_value value = lb_integer(0);
    const lb_status status =
        lb_own_get(t->objects[object], program_symbol(t, name), &value);
    if (!t->model.classes[o->cls].free) {
        program_same(t, status, LB_READ_ONLY);
        return;
    }
    program_same(t, status, o->holds[name] ? LB_OK : LB_NO_ATTRIBUTE);
    if (status == LB_OK && value.bits != o->own[name].bits)
        program_fail(t, "lb_own_get: object %d holds another n%d", object,
                     name);
}

static void check_dictionary(program *t)
{
    const int cls = program_any_class(t);
    const am_class *of = &t->model.classes[cls];
    const lb_dictionary dictionary = lb_class_dictionary(t->classes[cls]);
    const lb_attribute *here;
    size_t cursor = 0, count = 0, expected = 0;
    name_text buffer;
    for (int name = 0; name < AM_NAMES; name++) {
        here = lb_dictionary_get(dictionary, program_spell(t, name, &buffer));
        expected += of->has[name].tag != 0;
        if ((here != NULL ? program_tag_of(here)->tag : 0) != of->has[name].tag)
            program_fail(t, "lb_dictionary_get: c%d has another n%d", cls,
                         name);
    }
    while ((here = lb_dictionary_next(dictionary, &cursor)) != NULL) {
        count++;
        if (of->has[program_name_number(t, here->symbol)].tag !=
            program_tag_of(here)->tag)
            program_fail(t, "lb_dictionary_next of c%d is wrong", cls);
    }
    if (count != expected || lb_dictionary_count(dictionary) != expected)
        program_fail(t, "c%d has %zu attributes, not %zu", cls, count,
                     expected);
}

static void look_once(program *t)
{
    const int object = program_any_object(t);
    const int name = program_any_name(t);
    if (object == AM_NONE)
        return;
    switch (dice_roll(&t->dice, 17)) {
    case 0:
        look_by_text(t, object, name);
        break;
    case 1:
        look_by_text(t, object, AM_NONE);
        break;
    case 2:
        look_special(t, object, name);
        break;
    case 3:
        look_at_class(t, name);
        break;
    case 4:
        look_behind(t, object, name);
        break;
    case 5:
        look_for_first(t, object);
        break;
    case 6:
        call_by_symbol(t, object, name);
        break;
    case 7:
        call_what_was_found(t, object, name);
        break;
    case 8:
        call_special(t, object, name);
        break;
    case 9:
        call_next(t, object, name);
        break;
    case 10:
        call_next_of_class(t, object, name);
        break;
    case 11:
        look_behind_class(t, name);
        break;
    case 12:
        check_own_get(t, object, name);
        break;
    default:
        look_plainly(t, object, name);
    }
}

/* ---- Programs ----------------------------------------------------------- */

static long from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

static void look_around(program *t)
{
    const int object = program_any_object(t);
    check_dictionary(t);
    if (object == AM_NONE)
        return;
    check_directory(t, object);
    check_own(t, object);
}

/* The seed's last digits tell order and policy. */
static void run_program(uint64_t seed)
{
    static program t;
    program_open(&t, seed, (lb_search_order)(seed % 2),
                 (lb_cache_policy)(seed / 2 % 4));
    for (int change = 0; change < 70; change++) {
        program_change(&t);
        for (int i = 0; i < 14; i++)
            look_once(&t);
        if (change % 4 == 0)
            look_around(&t);
    }
    program_close(&t);
}

static void run_programs(lb_search_order order, lb_cache_policy policy)
{
    const long one = from_environment("LB_ORACLE_SEED", -1);
    const long rounds = from_environment("LB_ORACLE_ROUNDS", 150);
    const uint64_t kind = (uint64_t)policy * 2 + (uint64_t)order;
    if (one >= 0 && (uint64_t)one % 8 == kind)
        run_program((uint64_t)one);
    for (long i = 0; one < 0 && i < rounds; i++)
        run_program((uint64_t)i * 8 + kind);
}

static void by_tables_attributes_are_what_the_page_says(void **state)
{
    (void)state;
    run_programs(LB_ORDER_PYTHON3, LB_POLICY_TABLE);
    run_programs(LB_ORDER_1998, LB_POLICY_TABLE);
}

static void by_searching_attributes_are_what_the_page_says(void **state)
{
    (void)state;
    run_programs(LB_ORDER_PYTHON3, LB_POLICY_SEARCH);
    run_programs(LB_ORDER_1998, LB_POLICY_SEARCH);
}

static void
by_the_tables_of_1998_attributes_are_what_the_page_says(void **state)
{
    (void)state;
    run_programs(LB_ORDER_PYTHON3, LB_POLICY_TABLE64);
    run_programs(LB_ORDER_1998, LB_POLICY_TABLE64);
}

static void by_sites_attributes_are_what_the_page_says(void **state)
{
    (void)state;
    run_programs(LB_ORDER_PYTHON3, LB_POLICY_SITE);
    run_programs(LB_ORDER_1998, LB_POLICY_SITE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_searching_attributes_are_what_the_page_says),
        cmocka_unit_test(by_tables_attributes_are_what_the_page_says),
        cmocka_unit_test(
            by_the_tables_of_1998_attributes_are_what_the_page_says),
        cmocka_unit_test(by_sites_attributes_are_what_the_page_says),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message("%llu look-ups and calls were compared\n", looks);
    return failed;
}
