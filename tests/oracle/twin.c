#include "oracle/twin.h"

#include "support/test.h"

/* ---- Printing --------------------------------------------------------------- */

static void print_spec(const or_spec *spec)
{
    static const char *const kinds[] = {"any", "is", "eql", "where"};
    print_message("%s", kinds[spec->kind]);
    if (spec->kind != LB_ANY && spec->cls != OR_NONE)
        print_message(" c%d", spec->cls);
    if (spec->kind == LB_EQL)
        print_message(" %s%d", spec->by_number ? "number " : "object ",
                      spec->value);
    if (spec->kind == LB_WHERE)
        print_message(" p%d", spec->predicate);
}

void twin_print_rule(const or_rule *rule)
{
    static const char *const qualifiers[] = {"", " before", " after",
                                             " around"};
    static const char *const propagates[] = {"", " at-start", " at-end"};
    print_message("    rule %d (", rule->tag);
    for (int i = 0; i < rule->count; i++) {
        print_message(i ? ", " : "");
        print_spec(&rule->at[i]);
    }
    print_message(") optional %d", rule->optional);
    if (rule->has_rest) {
        print_message(" rest ");
        print_spec(&rule->rest);
    }
    print_message("%s%s%s", qualifiers[rule->qualifier],
                  propagates[rule->propagate],
                  rule->commutative ? " commutative" : "");
    if (rule->group != OR_NONE)
        print_message(" group %d", rule->group);
    print_message("\n");
}

void twin_print_call(const or_call *call)
{
    print_message("  call(");
    for (int i = 0; i < call->argc; i++)
        print_message("%sobject %d of c%d", i ? ", " : "", call->object[i],
                      call->cls[i]);
    print_message(")\n");
}

static void print_classes(const twin *t)
{
    for (int i = 0; i < OR_CLASSES; i++) {
        const or_class *cls = &t->world.classes[i];
        if (!cls->alive)
            continue;
        print_message("    c%d bases", i);
        for (int b = 0; b < cls->base_count; b++)
            print_message(" c%d", cls->bases[b]);
        print_message(cls->supplied ? ", supplied" : ", order");
        for (int b = 0; b < cls->length; b++)
            print_message(" c%d", cls->order[b]);
        print_message("; numbers %d %d\n", t->world.objects[2 * i].number,
                      t->world.objects[2 * i + 1].number);
    }
}

void twin_fail(const twin *t, const char *what)
{
    static const char *const orders[] = {
        "symmetric",  "lexicographic", "Dylan", "weighted",
        "definition", "reverse",       "user"};
    static const char *const combinations[] = {
        "standard", "first", "list", "sum", "and", "or", "append", "user"};
    print_message("  seed %llu, after %d changes:\n",
                  (unsigned long long)t->seed, t->changes);
    print_classes(t);
    for (int g = 0; g < TWIN_GENERICS; g++) {
        const or_generic *model = &t->models[g];
        print_message("  generic %d: %s, %d dispatched, %s, %s; precedence", g,
                      model->boxed ? "boxed" : "typed", model->dispatched,
                      orders[model->order], combinations[model->combination]);
        for (int i = 0; i < model->dispatched; i++)
            print_message(" %d", model->precedence[i]);
        print_message("\n");
        for (int i = 0; i < model->count; i++)
            twin_print_rule(&model->rules[i]);
    }
    fail_msg("seed %llu: %s (message: %s)", (unsigned long long)t->seed, what,
             lb_message());
}

static void same(const twin *t, lb_status got, lb_status expected,
                 const char *what)
{
    char text[160];
    if (got == expected)
        return;
    (void)snprintf(text, sizeof text, "%s is %s, expected %s", what,
                   lb_status_name(got), lb_status_name(expected));
    twin_fail(t, text);
}

/* ---- Classes ----------------------------------------------------------------- */

static int any_class(twin *t)
{
    int cls;
    do
        cls = dice_roll(&t->dice, OR_CLASSES);
    while (!t->world.classes[cls].alive);
    return cls;
}

static int living(const twin *t)
{
    int count = 0;
    for (int i = 0; i < OR_CLASSES; i++)
        count += t->world.classes[i].alive;
    return count;
}

/* Random bases for class `self`: up to three different ones. */
static void roll_bases(twin *t, or_class *cls, int self)
{
    const int wanted = living(t) == 0 ? 0 : dice_roll(&t->dice, 4);
    cls->base_count = 0;
    for (int i = 0; i < wanted; i++) {
        const int base = any_class(t);
        int seen = base == self;
        for (int j = 0; j < cls->base_count; j++)
            seen = seen || cls->bases[j] == base;
        if (!seen)
            cls->bases[cls->base_count++] = base;
    }
}

static size_t real_classes(const twin *t, const int *of, int count,
                           lb_class **out)
{
    for (int i = 0; i < count; i++)
        out[i] = t->classes[of[i]];
    return (size_t)count;
}

static void check_orders(const twin *t)
{
    for (int i = 0; i < OR_CLASSES; i++) {
        const or_class *cls = &t->world.classes[i];
        lb_class *order[OR_CLASSES];
        if (!cls->alive)
            continue;
        int good = lb_class_linearization(t->classes[i], order, OR_CLASSES) ==
                   (size_t)cls->length;
        for (int j = 0; good && j < cls->length; j++)
            good = order[j] == t->classes[cls->order[j]];
        if (!good)
            twin_fail(t, "a linearization differs");
    }
}

static void stamp(twin *t, int object, int cls)
{
    subject *s = &t->objects[object];
    s->id = object;
    s->number = dice_roll(&t->dice, 8);
    t->world.objects[object] = (or_object){cls, s->number};
    lb_init(t->classes[cls], s);
}

static void create_class(twin *t)
{
    or_world next = t->world;
    lb_class *bases[OR_CLASSES], *made = NULL;
    char name[8];
    int self = 0;
    while (self < OR_CLASSES && next.classes[self].alive)
        self++;
    if (self == OR_CLASSES)
        return;
    or_class *cls = &next.classes[self];
    memset(cls, 0, sizeof *cls);
    roll_bases(t, cls, self);
    cls->alive = 1;
    (void)snprintf(name, sizeof name, "c%d", self);
    const lb_class_spec spec = {
        .name = name,
        .bases = bases,
        .base_count = real_classes(t, cls->bases, cls->base_count, bases)};
    const int good = or_linearize_all(&next);
    same(t, lb_class_create(t->runtime, &spec, &made),
         good ? LB_OK : LB_BAD_ORDER, "lb_class_create");
    if (!good)
        return;
    t->world = next;
    t->classes[self] = made;
    stamp(t, 2 * self, self);
    stamp(t, 2 * self + 1, self);
}

static void change_bases(twin *t)
{
    or_world next = t->world;
    lb_class *bases[OR_CLASSES];
    const int self = any_class(t);
    roll_bases(t, &next.classes[self], self);
    const or_class *cls = &next.classes[self];
    const size_t count = real_classes(t, cls->bases, cls->base_count, bases);
    const int good = or_linearize_all(&next);
    same(t, lb_class_set_bases(t->classes[self], bases, count),
         good ? LB_OK : LB_BAD_ORDER, "lb_class_set_bases");
    if (good)
        t->world = next;
}

/* Supplies a shuffled linearization, or goes back to C3. */
static void change_linearization(twin *t)
{
    or_world next = t->world;
    lb_class *order[OR_CLASSES];
    const int self = any_class(t);
    or_class *cls = &next.classes[self];
    cls->supplied = !cls->supplied;
    for (int i = cls->length - 1; cls->supplied && i > 1; i--) {
        const int j = 1 + dice_roll(&t->dice, i);
        const int kept = cls->order[i];
        cls->order[i] = cls->order[j];
        cls->order[j] = kept;
    }
    const size_t count =
        real_classes(t, cls->order + 1, cls->length - 1, order);
    const int good = or_linearize_all(&next);
    if (cls->supplied && count == 0)
        return;
    same(t,
         lb_class_set_linearization(t->classes[self],
                                    cls->supplied ? order : NULL,
                                    cls->supplied ? count : 0),
         good ? LB_OK : LB_BAD_ORDER, "lb_class_set_linearization");
    if (good)
        t->world = next;
}

/* Supplies `order` for class `self`; 0 where that is no order. */
static int supply(twin *t, int self, const int *order, int length)
{
    or_world next = t->world;
    lb_class *rest[OR_CLASSES];
    or_class *cls = &next.classes[self];
    cls->supplied = 1;
    cls->length = length;
    memcpy(cls->order, order, sizeof(int) * (size_t)length);
    const size_t count = real_classes(t, order + 1, length - 1, rest);
    const int good = or_linearize_all(&next);
    same(t, lb_class_set_linearization(t->classes[self], rest, count),
         good ? LB_OK : LB_BAD_ORDER, "lb_class_set_linearization");
    if (good)
        t->world = next;
    return good;
}

static int derives(const or_world *world, int self, int from)
{
    const or_class *cls = &world->classes[self];
    for (int i = 0; i < cls->base_count; i++)
        if (cls->bases[i] == from || derives(world, cls->bases[i], from))
            return 1;
    return 0;
}

/* Where `joined` fits into the order of `self`: behind what it comes behind in
 * the orders of the bases. */
static int place_for(const twin *t, int self, int joined)
{
    const or_class *cls = &t->world.classes[self];
    int place = 1;
    for (int b = 0; b < cls->base_count; b++) {
        const or_class *base = &t->world.classes[cls->bases[b]];
        const int end = or_index(&t->world, joined, cls->bases[b]);
        for (int i = 0; i < end; i++) {
            const int at = or_index(&t->world, base->order[i], self);
            place = at >= place ? at + 1 : place;
        }
    }
    return place;
}

static int put_into_order(twin *t, int self, int joined, int place)
{
    const or_class *cls = &t->world.classes[self];
    int order[OR_CLASSES];
    if (or_index(&t->world, joined, self) != OR_NONE)
        return 1;
    memcpy(order, cls->order, sizeof(int) * (size_t)place);
    order[place] = joined;
    memcpy(order + place + 1, cls->order + place,
           sizeof(int) * (size_t)(cls->length - place));
    return supply(t, self, order, cls->length + 1);
}

/* Puts a class into the order of one that does not derive from it, and into
 * those of its subclasses whose orders were supplied. */
static void put_virtual(twin *t)
{
    const int self = any_class(t), joined = any_class(t);
    const or_class *cls = &t->world.classes[self];
    if (dice_chance(&t->dice, 1, 4)) /* supplied, but as it is */
        (void)supply(t, self, (const int *)cls->order, cls->length);
    if (joined == self || derives(&t->world, joined, self) ||
        !put_into_order(t, self, joined, 1 + dice_roll(&t->dice, cls->length)))
        return;
    for (int pass = 0; pass < OR_CLASSES; pass++)
        for (int i = 0; i < OR_CLASSES; i++)
            if (t->world.classes[i].alive && i != joined &&
                derives(&t->world, i, self))
                (void)put_into_order(t, i, joined, place_for(t, i, joined));
}

static int rule_names(const or_rule *rule, int dispatched, int cls)
{
    int named =
        rule->has_rest && rule->rest.kind != LB_ANY && rule->rest.cls == cls;
    for (int i = 0; i < rule->count && i < dispatched; i++)
        named = named || (rule->at[i].kind != LB_ANY && rule->at[i].cls == cls);
    return named;
}

static int is_busy(const twin *t, int self)
{
    for (int i = 0; i < OR_CLASSES; i++)
        for (int b = 0;
             t->world.classes[i].alive && b < t->world.classes[i].base_count;
             b++)
            if (t->world.classes[i].bases[b] == self)
                return 1;
    for (int g = 0; g < TWIN_GENERICS; g++)
        for (int r = 0; r < t->models[g].count; r++)
            if (rule_names(&t->models[g].rules[r], t->models[g].dispatched,
                           self))
                return 1;
    return 0;
}

static void destroy_class(twin *t)
{
    const int self = any_class(t);
    if (living(t) < 3)
        return;
    const int busy = is_busy(t, self);
    for (int i = 0; !busy && i < OR_CLASSES; i++)
        if (i != self && t->world.classes[i].alive &&
            or_index(&t->world, self, i) != OR_NONE)
            return; /* only in a supplied linearization */
    same(t, lb_class_destroy(t->classes[self]), busy ? LB_BUSY : LB_OK,
         "lb_class_destroy");
    if (busy)
        return;
    t->world.classes[self].alive = 0;
    for (int i = 0; i < OR_OBJECTS; i++)
        if (t->world.objects[i].cls == self)
            t->world.objects[i].cls = OR_NONE;
}

static void change_object(twin *t)
{
    const int object = dice_roll(&t->dice, OR_OBJECTS);
    const int cls = any_class(t);
    if (t->world.objects[object].cls == OR_NONE)
        return;
    same(t, lb_set_class(&t->objects[object], t->classes[cls]), LB_OK,
         "lb_set_class");
    t->world.objects[object].cls = cls;
}

/* ---- Rules --------------------------------------------------------------------- */

static or_spec roll_spec(twin *t, int values)
{
    or_spec spec = {LB_IS, any_class(t), 0, 0, 0};
    const int kind = dice_roll(&t->dice, values ? 10 : 6);
    if (kind == 0)
        spec = (or_spec){LB_ANY, OR_NONE, 0, 0, 0};
    if (kind < 6)
        return spec;
    if (dice_chance(&t->dice, 1, 4))
        spec.cls = OR_NONE;
    spec.kind = kind < 8 ? LB_WHERE : LB_EQL;
    spec.by_number = kind == 9;
    if (kind < 8)
        spec.predicate = dice_roll(&t->dice, OR_PREDICATES);
    else
        spec.value = dice_roll(&t->dice, kind == 9 ? 8 : OR_OBJECTS);
    return spec;
}

static void roll_arity(twin *t, const or_generic *model, or_rule *rule)
{
    rule->count = 1 + dice_roll(&t->dice, model->dispatched + 1);
    if (dice_chance(&t->dice, 1, 3))
        rule->optional = dice_roll(&t->dice, rule->count + 1);
    if (dice_chance(&t->dice, 1, 4)) {
        rule->has_rest = 1;
        rule->rest = (or_spec){LB_ANY, OR_NONE, 0, 0, 0};
        if (dice_chance(&t->dice, 1, 2))
            rule->rest = (or_spec){LB_IS, any_class(t), 0, 0, 0};
    }
}

/* Rules vary little where the model is plain, so that they meet often. */
static or_rule roll_rule(twin *t, const or_generic *model, int plain)
{
    or_rule rule;
    memset(&rule, 0, sizeof rule);
    rule.count = model->dispatched;
    rule.group = OR_NONE;
    if (model->boxed && !plain)
        roll_arity(t, model, &rule);
    const int values = dice_chance(&t->dice, 1, 2);
    for (int i = 0; i < OR_ARGS; i++)
        rule.at[i] = i < model->dispatched
                         ? roll_spec(t, values)
                         : (or_spec){LB_ANY, OR_NONE, 0, 0, 0};
    if (dice_chance(&t->dice, 1, 4))
        rule.qualifier = (lb_qualifier)dice_roll(&t->dice, 4);
    const int chained =
        model->combination == LB_STANDARD || model->combination == LB_FIRST;
    if ((rule.qualifier == LB_PRIMARY && chained) ||
        rule.qualifier == LB_AROUND)
        if (dice_chance(&t->dice, 1, 5))
            rule.propagate = (lb_propagate)(1 + dice_roll(&t->dice, 2));
    rule.commutative = model->dispatched >= 2 &&
                       rule.count - rule.optional >= 2 &&
                       dice_chance(&t->dice, 1, 4);
    return rule;
}

static lb_specializer real_spec(const twin *t, const or_spec *spec)
{
    lb_specializer s = lb_any();
    lb_class *cls = spec->kind == LB_ANY || spec->cls == OR_NONE
                        ? NULL
                        : t->classes[spec->cls];
    if (spec->kind == LB_IS)
        s = lb_is(cls);
    if (spec->kind == LB_WHERE)
        s = lb_where(cls, engine_predicate(spec->predicate));
    if (spec->kind == LB_EQL && !spec->by_number)
        s = lb_eql(cls, lb_pointer(&t->objects[spec->value]));
    if (spec->kind == LB_EQL && spec->by_number) {
        s = lb_eql(cls, lb_integer(spec->value));
        s.equal = engine_equal;
    }
    return s;
}

static mark *new_mark(twin *t, int generic, const or_rule *rule)
{
    const or_generic *model = &t->models[generic];
    if (t->mark_count == TWIN_MARKS)
        return NULL;
    mark *made = &t->marks[t->mark_count];
    *made = (mark){.tag = t->mark_count++,
                   .generic = generic,
                   .qualifier = rule->qualifier,
                   .propagate = rule->propagate,
                   .tells_end = model->combination == LB_STANDARD ||
                                model->combination == LB_FIRST ||
                                rule->qualifier == LB_AROUND};
    return made;
}

lb_rule twin_rule(twin *t, int generic, const or_rule *rule, int boxed,
                  lb_specializer at[OR_ARGS], lb_specializer *rest)
{
    const or_generic *model = &t->models[generic];
    for (int i = 0; i < OR_ARGS; i++)
        at[i] = real_spec(t, &rule->at[i]);
    *rest = real_spec(t, &rule->rest);
    const lb_rule made = {
        .method = engine_method(boxed, model->boxed ? 0 : model->dispatched),
        .specializers = at,
        .count = (size_t)rule->count,
        .optional = (size_t)rule->optional,
        .rest = rule->has_rest ? rest : NULL,
        .qualifier = rule->qualifier,
        .propagate = rule->propagate,
        .commutative = rule->commutative,
        .release = mark_release};
    return made;
}

/* Makes the rule, with a mark of its own, in the library's words. */
static lb_rule prepare(twin *t, int generic, or_rule *rule,
                       lb_specializer at[OR_ARGS], lb_specializer *rest)
{
    mark *mine = new_mark(t, generic, rule);
    lb_rule real =
        twin_rule(t, generic, rule, dice_chance(&t->dice, 1, 5), at, rest);
    rule->tag = mine->tag;
    real.context = mine;
    return real;
}

static int has_room(const twin *t, int generic)
{
    return t->models[generic].count < OR_RULES - 2 &&
           t->mark_count < TWIN_MARKS - 4;
}

static void add_rule(twin *t, int plain)
{
    const int g = dice_roll(&t->dice, TWIN_GENERICS);
    or_generic *model = &t->models[g];
    lb_specializer at[OR_ARGS], rest;
    if (!has_room(t, g))
        return;
    or_rule rule = roll_rule(t, model, plain);
    if (model->count > 0 && dice_chance(&t->dice, 1, 6)) {
        /* Replace one: the same but for what does not make it another. */
        const or_rule *old = &model->rules[dice_roll(&t->dice, model->count)];
        const int commutative = rule.commutative && old->count >= 2 &&
                                old->count - old->optional >= 2;
        rule = *old;
        rule.commutative = commutative;
        rule.group = OR_NONE;
    }
    const lb_rule real = prepare(t, g, &rule, at, &rest);
    same(t, lb_add_rules(t->generics[g], &real, 1), LB_OK, "lb_add_rules");
    or_add(model, &rule);
}

static void remove_rule(twin *t)
{
    const int g = dice_roll(&t->dice, TWIN_GENERICS);
    or_generic *model = &t->models[g];
    lb_specializer at[OR_ARGS], rest;
    if (model->count == 0)
        return;
    const int index = dice_roll(&t->dice, model->count);
    lb_rule real = twin_rule(t, g, &model->rules[index], 0, at, &rest);
    real.method = NULL;
    same(t, lb_remove_rules(t->generics[g], &real, 1), LB_OK,
         "lb_remove_rules");
    or_remove(model, index);
    same(t, lb_remove_rules(t->generics[g], &real, 1), LB_NOT_FOUND,
         "lb_remove_rules again");
}

static void remove_group(twin *t, int which)
{
    same(t, lb_group_remove(t->groups[which]), LB_OK, "lb_group_remove");
    t->groups[which] = NULL;
    for (int g = 0; g < TWIN_GENERICS; g++)
        for (int i = t->models[g].count - 1; i >= 0; i--)
            if (t->models[g].rules[i].group == which)
                or_remove(&t->models[g], i);
}

static void change_group(twin *t, int plain)
{
    const int which = dice_roll(&t->dice, TWIN_GROUPS);
    char name[16];
    if (t->groups[which] != NULL) {
        remove_group(t, which);
        return;
    }
    (void)snprintf(name, sizeof name, "group%d", which);
    same(t, lb_group_create(t->runtime, name, 0, &t->groups[which]), LB_OK,
         "lb_group_create");
    for (int i = dice_roll(&t->dice, 4); i >= 0; i--) {
        const int g = dice_roll(&t->dice, TWIN_GENERICS);
        lb_specializer at[OR_ARGS], rest;
        if (!has_room(t, g))
            continue;
        or_rule rule = roll_rule(t, &t->models[g], plain);
        rule.group = which;
        const lb_rule real = prepare(t, g, &rule, at, &rest);
        same(t, lb_group_add(t->groups[which], t->generics[g], &real, 1), LB_OK,
             "lb_group_add");
        or_add(&t->models[g], &rule);
    }
    same(t, lb_group_commit(t->groups[which]), LB_OK, "lb_group_commit");
}

/* ---- Worlds --------------------------------------------------------------------- */

static int is_plain(const twin *t)
{
    return t->models[TWIN_GENERICS - 1].boxed < 2;
}

void twin_change(twin *t)
{
    const int what = dice_roll(&t->dice, 32);
    const int plain = is_plain(t);
    t->changes++;
    if (what < 15)
        add_rule(t, plain);
    else if (what < 20)
        remove_rule(t);
    else if (what < 22)
        change_group(t, plain);
    else if (what < 24)
        create_class(t);
    else if (what < 26 && !t->ordered)
        change_bases(t);
    else if (what < 28 && t->ordered)
        put_virtual(t);
    else if (what < 28)
        change_linearization(t);
    else if (what < 29)
        destroy_class(t);
    else if (what < 31)
        change_object(t);
    else
        same(t, lb_quiesce(t->runtime), LB_OK, "lb_quiesce");
    check_orders(t);
}

static lb_policy roll_policy(twin *t, or_generic *model, uint32_t *precedence)
{
    static const lb_combination typed[] = {
        LB_STANDARD, LB_STANDARD, LB_STANDARD, LB_FIRST, LB_SUM, LB_AND, LB_OR};
    static const lb_combination boxed[] = {LB_STANDARD, LB_STANDARD, LB_FIRST,
                                           LB_LIST};
    model->order = (lb_order)dice_roll(&t->dice, 7);
    if (dice_chance(&t->dice, 1, 3))
        model->order = LB_SYMMETRIC;
    model->combination = model->boxed ? boxed[dice_roll(&t->dice, 4)]
                                      : typed[dice_roll(&t->dice, 7)];
    for (int i = 0; i < model->dispatched; i++) {
        const int j = dice_roll(&t->dice, i + 1);
        model->precedence[i] = model->precedence[j];
        model->precedence[j] = i;
    }
    for (int i = 0; i < model->dispatched; i++)
        precedence[i] = (uint32_t)model->precedence[i];
    return (lb_policy){.order = model->order,
                       .compare = model->order == LB_USER_ORDER ? engine_compare
                                                                : NULL,
                       .combination = model->combination,
                       .precedence = precedence,
                       .precedence_count = (size_t)model->dispatched,
                       .silent = dice_chance(&t->dice, 1, 2)};
}

static void create_generic(twin *t, int g, int plain)
{
    or_generic *model = &t->models[g];
    uint32_t precedence[OR_ARGS];
    char name[16];
    memset(model, 0, sizeof *model);
    model->boxed = g == TWIN_GENERICS - 1 ? 1 + !plain : 0;
    model->dispatched = 1 + dice_roll(&t->dice, model->boxed ? 3 : 4);
    if (plain && model->dispatched > 3)
        model->dispatched = 2;
    const lb_policy policy = roll_policy(t, model, precedence);
    (void)snprintf(name, sizeof name, "generic%d", g);
    if (model->boxed)
        assert_ok(lb_generic_create_boxed(t->runtime, name,
                                          (unsigned)model->dispatched, &policy,
                                          &t->generics[g]));
    else
        assert_ok(lb_generic_create(t->runtime, name,
                                    engine_signature(model->dispatched),
                                    &policy, &t->generics[g]));
}

void twin_open(twin *t, uint64_t seed, twin_kind kind)
{
    const int plain = kind != TWIN_ANY;
    memset(t, 0, sizeof *t);
    t->ordered = kind == TWIN_VIRTUAL;
    t->seed = seed;
    t->dice.state = seed;
    lb_config config;
    lb_config_init(&config);
    config.reallocate = allocator_reallocate;
    config.allocator_context = &t->memory;
    config.threading =
        dice_chance(&t->dice, 1, 2) ? LB_SINGLE_THREADED : LB_MULTI_THREADED;
    config.max_ids = dice_chance(&t->dice, 1, 4) ? 3 : 0;
    assert_ok(lb_runtime_create(&config, &t->runtime));
    for (int i = 0; i < OR_OBJECTS; i++)
        t->world.objects[i].cls = OR_NONE;
    const int classes = plain ? 2 + dice_roll(&t->dice, 4)
                              : 3 + dice_roll(&t->dice, OR_CLASSES - 3);
    for (int i = 0; i < classes; i++)
        create_class(t);
    for (int g = 0; g < TWIN_GENERICS; g++)
        create_generic(t, g, plain);
    check_orders(t);
}

void twin_close(twin *t)
{
    lb_runtime_destroy(t->runtime);
    for (int i = 0; i < t->mark_count; i++)
        if (t->marks[i].released != 1) {
            print_message("context %d was released %d times\n", i,
                          t->marks[i].released);
            twin_fail(t, "a context was not released once");
        }
    if (!allocator_finish(&t->memory)) {
        print_message("  %zu bytes in %zu blocks left, %zu wrong sizes\n",
                      t->memory.bytes, t->memory.blocks, t->memory.wrong);
        twin_fail(t, "memory is left, or a size was wrong");
    }
}
