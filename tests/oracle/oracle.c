/* See oracle.h. The numbers in the comments are those of docs/semantics.md. */
#include "oracle/oracle.h"

#include <string.h>

/* ---- 1. Classes ---------------------------------------------------------- */

typedef struct list {
    int at[OR_CLASSES];
    int count;
} list;

static int in_tail(const list *l, int cls)
{
    for (int i = 1; i < l->count; i++)
        if (l->at[i] == cls)
            return 1;
    return 0;
}

static void drop(list *l, int cls)
{
    if (l->count == 0 || l->at[0] != cls)
        return;
    l->count--;
    memmove(l->at, l->at + 1, sizeof(int) * (size_t)l->count);
}

/* The first head that is in no tail, or OR_NONE. */
static int good_head(const list *lists, int count)
{
    for (int i = 0; i < count; i++) {
        int good = lists[i].count > 0;
        for (int j = 0; good && j < count; j++)
            good = !in_tail(&lists[j], lists[i].at[0]);
        if (good)
            return lists[i].at[0];
    }
    return OR_NONE;
}

/* C3: the bases' linearizations and the list of bases, merged. */
static int merge(const or_world *world, or_class *cls, int self)
{
    list lists[OR_CLASSES + 1];
    const int count = cls->base_count + 1;
    for (int i = 0; i < cls->base_count; i++) {
        const or_class *base = &world->classes[cls->bases[i]];
        memcpy(lists[i].at, base->order, sizeof base->order);
        lists[i].count = base->length;
    }
    memcpy(lists[count - 1].at, cls->bases, sizeof cls->bases);
    lists[count - 1].count = cls->base_count;
    cls->order[0] = self;
    cls->length = 1;
    for (;;) {
        int left = 0;
        for (int i = 0; i < count; i++)
            left += lists[i].count;
        if (left == 0)
            return 1;
        const int next = good_head(lists, count);
        if (next == OR_NONE || next == self)
            return 0;
        cls->order[cls->length++] = next;
        for (int i = 0; i < count; i++)
            drop(&lists[i], next);
    }
}

/* Linearizes a class after its bases; `state`: 0 new, 1 begun, 2 done. */
static int linearize(or_world *world, int self, int *state)
{
    or_class *cls = &world->classes[self];
    if (state[self] != 0)
        return state[self] == 2;
    state[self] = 1;
    for (int i = 0; i < cls->base_count; i++)
        if (!linearize(world, cls->bases[i], state) ||
            or_index(world, self, cls->bases[i]) != OR_NONE)
            return 0;
    state[self] = 2;
    return cls->supplied || merge(world, cls, self);
}

int or_linearize_all(or_world *world)
{
    int state[OR_CLASSES] = {0};
    for (int i = 0; i < OR_CLASSES; i++)
        if (world->classes[i].alive && !linearize(world, i, state))
            return 0;
    return 1;
}

int or_index(const or_world *world, int base, int cls)
{
    const or_class *c = &world->classes[cls];
    for (int i = 0; i < c->length; i++)
        if (c->order[i] == base)
            return i;
    return OR_NONE;
}

/* ---- Rules ---------------------------------------------------------------- */

int or_event_method(int tag, int first_object)
{
    return tag * 100 + first_object;
}

int or_event_end(lb_status status)
{
    return -(int)status;
}

int or_event_failed(lb_status status)
{
    return -100 - (int)status;
}

int or_answer(int tag)
{
    return tag % 4;
}

int or_user_rank(int tag)
{
    return tag * 7 % 5;
}

int or_predicate_mask(int predicate)
{
    static const int masks[OR_PREDICATES] = {1, 2, 3, 7, 4};
    return masks[predicate];
}

const int *or_declared(int predicate)
{
    static const int declared[OR_PREDICATES][3] = {{OR_NONE, OR_NONE, OR_NONE},
                                                   {OR_NONE, OR_NONE, OR_NONE},
                                                   {0, 1, OR_NONE},
                                                   {2, OR_NONE, OR_NONE},
                                                   {OR_NONE, OR_NONE, OR_NONE}};
    return declared[predicate];
}

static int implies(int a, int b)
{
    for (const int *next = or_declared(a); *next != OR_NONE; next++)
        if (*next == b || implies(*next, b))
            return 1;
    return 0;
}

int or_same_spec(const or_spec *a, const or_spec *b)
{
    if (a->kind != b->kind)
        return 0;
    switch (a->kind) {
    case LB_IS:
        return a->cls == b->cls;
    case LB_EQL:
        return a->cls == b->cls && a->by_number == b->by_number &&
               a->value == b->value;
    case LB_WHERE:
        return a->cls == b->cls && a->predicate == b->predicate;
    case LB_ANY:
    default:
        return 1;
    }
}

int or_same_rule(const or_generic *generic, const or_rule *a, const or_rule *b)
{
    if (a->qualifier != b->qualifier || a->has_rest != b->has_rest ||
        a->count != b->count || a->optional != b->optional)
        return 0;
    if (a->has_rest && !or_same_spec(&a->rest, &b->rest))
        return 0;
    for (int i = 0; i < a->count && i < generic->dispatched; i++)
        if (!or_same_spec(&a->at[i], &b->at[i]))
            return 0;
    return 1;
}

int or_add(or_generic *generic, const or_rule *rule)
{
    for (int i = 0; i < generic->count; i++)
        if (or_same_rule(generic, &generic->rules[i], rule)) {
            generic->rules[i] = *rule;
            return 1;
        }
    if (generic->count == OR_RULES)
        return 0;
    generic->rules[generic->count++] = *rule;
    return 1;
}

int or_remove(or_generic *generic, int index)
{
    if (index < 0 || index >= generic->count)
        return 0;
    generic->count--;
    memmove(&generic->rules[index], &generic->rules[index + 1],
            sizeof(or_rule) * (size_t)(generic->count - index));
    return 1;
}

/* ---- 2, 3. Arity and applicability ---------------------------------------- */

or_spec or_spec_at(const or_generic *generic, or_form form, int argument)
{
    const or_rule *rule = &generic->rules[form.rule];
    const or_spec any = {LB_ANY, OR_NONE, 0, 0, 0};
    const int at = form.flipped && argument < 2 ? 1 - argument : argument;
    if (at < rule->count)
        return at < generic->dispatched ? rule->at[at] : any;
    return rule->has_rest ? rule->rest : any;
}

int or_has_flipped(const or_generic *generic, int rule)
{
    const or_spec first = or_spec_at(generic, (or_form){rule, 0}, 0);
    const or_spec second = or_spec_at(generic, (or_form){rule, 0}, 1);
    return generic->rules[rule].commutative && !or_same_spec(&first, &second);
}

static int arity_fits(const or_generic *generic, const or_rule *rule, int argc)
{
    if (!generic->boxed)
        return argc == generic->dispatched;
    return argc >= rule->count - rule->optional &&
           (rule->has_rest || argc <= rule->count);
}

static int value_holds(const or_world *world, const or_spec *spec, int object)
{
    const or_object *o = object == OR_NONE ? NULL : &world->objects[object];
    if (o == NULL || spec->kind == LB_ANY || spec->kind == LB_IS)
        return 1;
    if (spec->kind == LB_EQL)
        return spec->by_number ? o->number == spec->value
                               : object == spec->value;
    const int mask = or_predicate_mask(spec->predicate);
    return (o->number & mask) == mask;
}

static lb_verdict judge(const or_world *world, const or_spec *spec, int cls,
                        int object)
{
    if (spec->kind != LB_ANY && spec->cls != OR_NONE &&
        or_index(world, spec->cls, cls) == OR_NONE)
        return LB_REJECTED_CLASS;
    if (value_holds(world, spec, object))
        return LB_CHOSEN;
    return spec->kind == LB_EQL ? LB_REJECTED_VALUE : LB_REJECTED_PREDICATE;
}

/* Applicable but for one thing: see or_verdict. */
static lb_verdict form_verdict(const or_world *world, const or_generic *generic,
                               or_form form, const or_call *call, int *argument)
{
    const or_rule *rule = &generic->rules[form.rule];
    *argument = 0;
    if (!arity_fits(generic, rule, call->argc))
        return LB_REJECTED_ARITY;
    for (int i = 0; i < call->argc; i++) {
        const or_spec spec = or_spec_at(generic, form, i);
        const lb_verdict verdict =
            judge(world, &spec, call->cls[i], call->object[i]);
        *argument = i;
        if (verdict != LB_CHOSEN)
            return verdict;
    }
    return LB_CHOSEN;
}

/* A flipped form counts only where its rule as it stands does not apply. */
lb_verdict or_verdict(const or_world *world, const or_generic *generic,
                      or_form form, const or_call *call, int *argument)
{
    const or_form straight = {form.rule, 0};
    const lb_verdict verdict =
        form_verdict(world, generic, form, call, argument);
    int ignored;
    if (form.flipped && verdict == LB_CHOSEN &&
        form_verdict(world, generic, straight, call, &ignored) == LB_CHOSEN)
        return LB_UNREACHED;
    return verdict;
}

/* The rank of a specializer that holds for class `cls`. */
static int rank_of(const or_world *world, const or_spec *spec, int cls)
{
    const int length = world->classes[cls].length;
    switch (spec->kind) {
    case LB_EQL:
        return -2;
    case LB_WHERE:
        return (spec->cls == OR_NONE ? 2 * length
                                     : 2 * or_index(world, spec->cls, cls)) -
               1;
    case LB_IS:
        return 2 * or_index(world, spec->cls, cls);
    case LB_ANY:
    default:
        return 2 * length;
    }
}

/* ---- 4. Order -------------------------------------------------------------- */

typedef enum relation { EQUAL, BEFORE, AFTER, UNORDERED } relation;

static relation by_numbers(int a, int b)
{
    return a == b ? EQUAL : a < b ? BEFORE : AFTER;
}

static relation by_implication(int a, int b)
{
    return a == b          ? EQUAL
           : implies(a, b) ? BEFORE
           : implies(b, a) ? AFTER
                           : UNORDERED;
}

static relation by_rank(const or_world *world, const or_spec *a,
                        const or_spec *b, int cls)
{
    const relation ranks =
        by_numbers(rank_of(world, a, cls), rank_of(world, b, cls));
    if (ranks == EQUAL && a->kind == LB_WHERE && b->kind == LB_WHERE)
        return by_implication(a->predicate, b->predicate);
    return ranks;
}

static relation turn(relation r)
{
    return r == BEFORE ? AFTER : r == AFTER ? BEFORE : r;
}

static int is_below(const or_world *world, int cls, int base)
{
    return base == OR_NONE ||
           (cls != OR_NONE && or_index(world, base, cls) != OR_NONE);
}

/* Dylan: a predicate against what is not one. */
static relation predicate_by_type(const or_world *world, const or_spec *p,
                                  const or_spec *other)
{
    if (other->kind == LB_ANY)
        return BEFORE;
    return is_below(world, p->cls, other->cls) ? BEFORE : UNORDERED;
}

static relation classes_by_type(const or_world *world, int a, int b, int cls)
{
    if (a == b)
        return EQUAL;
    if (is_below(world, a, b) != is_below(world, b, a))
        return is_below(world, a, b) ? BEFORE : AFTER;
    return by_numbers(or_index(world, a, cls), or_index(world, b, cls));
}

static relation by_type(const or_world *world, const or_spec *a,
                        const or_spec *b, int cls)
{
    if (a->kind == LB_EQL || b->kind == LB_EQL)
        return by_numbers(a->kind != LB_EQL, b->kind != LB_EQL);
    if (a->kind == LB_WHERE && b->kind == LB_WHERE)
        return by_implication(a->predicate, b->predicate);
    if (a->kind == LB_WHERE)
        return predicate_by_type(world, a, b);
    if (b->kind == LB_WHERE)
        return turn(predicate_by_type(world, b, a));
    if (a->kind == LB_ANY || b->kind == LB_ANY)
        return by_numbers(a->kind == LB_ANY, b->kind == LB_ANY);
    return classes_by_type(world, a->cls, b->cls, cls);
}

/* The relation at one argument; missing ones order nothing. */
static relation at_argument(const or_world *world, const or_generic *generic,
                            or_form a, or_form b, const or_call *call, int i,
                            int typewise)
{
    if (i >= call->argc)
        return EQUAL;
    const or_spec left = or_spec_at(generic, a, i);
    const or_spec right = or_spec_at(generic, b, i);
    return typewise ? by_type(world, &left, &right, call->cls[i])
                    : by_rank(world, &left, &right, call->cls[i]);
}

static relation all_arguments(const or_world *world, const or_generic *generic,
                              or_form a, or_form b, const or_call *call,
                              int typewise)
{
    int before = 0, after = 0;
    for (int i = 0; i < generic->dispatched; i++) {
        const relation r = at_argument(world, generic, a, b, call, i, typewise);
        if (r == UNORDERED)
            return UNORDERED;
        before += r == BEFORE;
        after += r == AFTER;
    }
    if (before && after)
        return UNORDERED;
    return before ? BEFORE : after ? AFTER : EQUAL;
}

static relation first_argument(const or_world *world, const or_generic *generic,
                               or_form a, or_form b, const or_call *call)
{
    for (int i = 0; i < generic->dispatched; i++) {
        const relation r =
            at_argument(world, generic, a, b, call, generic->precedence[i], 0);
        if (r != EQUAL)
            return r;
    }
    return EQUAL;
}

static int weight(const or_world *world, const or_generic *generic, or_form f,
                  const or_call *call)
{
    int sum = 0;
    for (int i = 0; i < generic->dispatched && i < call->argc; i++) {
        const or_spec spec = or_spec_at(generic, f, i);
        sum += rank_of(world, &spec, call->cls[i]);
    }
    return sum;
}

/* By user order: who is equal everywhere is so by rank. */
static relation by_user(const or_world *world, const or_generic *generic,
                        or_form a, or_form b, const or_call *call)
{
    const relation r = by_numbers(or_user_rank(generic->rules[a.rule].tag),
                                  or_user_rank(generic->rules[b.rule].tag));
    if (r != EQUAL)
        return r;
    return all_arguments(world, generic, a, b, call, 0) == EQUAL ? EQUAL
                                                                 : UNORDERED;
}

static relation by_order(const or_world *world, const or_generic *generic,
                         or_form a, or_form b, const or_call *call)
{
    switch (generic->order) {
    case LB_LEXICOGRAPHIC:
        return first_argument(world, generic, a, b, call);
    case LB_DYLAN:
        return all_arguments(world, generic, a, b, call, 1);
    case LB_WEIGHTED:
        return by_numbers(weight(world, generic, a, call),
                          weight(world, generic, b, call));
    case LB_DEFINITION:
        return by_numbers(a.rule, b.rule);
    case LB_REVERSE_DEFINITION:
        return by_numbers(b.rule, a.rule);
    case LB_USER_ORDER:
        return by_user(world, generic, a, b, call);
    case LB_SYMMETRIC:
    default:
        return all_arguments(world, generic, a, b, call, 0);
    }
}

static int looseness(const or_rule *rule)
{
    return rule->has_rest ? 2 : rule->optional > 0 ? 1 : 0;
}

static relation compare(const or_world *world, const or_generic *generic,
                        or_form a, or_form b, const or_call *call)
{
    relation r = by_order(world, generic, a, b, call);
    if (r == EQUAL)
        r = by_numbers(looseness(&generic->rules[a.rule]),
                       looseness(&generic->rules[b.rule]));
    if (r == EQUAL)
        r = by_numbers(a.flipped, b.flipped);
    return r;
}

/* ---- 5. The chain ----------------------------------------------------------- */

typedef struct forms {
    or_form at[OR_FORMS];
    int count;
} forms;

static forms applicable(const or_world *world, const or_generic *generic,
                        const or_call *call, lb_qualifier qualifier)
{
    forms found = {.count = 0};
    int argument;
    for (int rule = 0; rule < generic->count; rule++)
        for (int flipped = 0; flipped < 2; flipped++) {
            const or_form form = {rule, flipped};
            if (generic->rules[rule].qualifier != qualifier ||
                (flipped && !or_has_flipped(generic, rule)))
                continue;
            if (or_verdict(world, generic, form, call, &argument) == LB_CHOSEN)
                found.at[found.count++] = form;
        }
    return found;
}

static int is_minimal(const or_world *world, const or_generic *generic,
                      const or_call *call, const forms *all, int i)
{
    for (int j = 0; j < all->count; j++)
        if (j != i &&
            compare(world, generic, all->at[j], all->at[i], call) == BEFORE)
            return 0;
    return 1;
}

static void take(forms *all, int i)
{
    all->count--;
    memmove(&all->at[i], &all->at[i + 1],
            sizeof(or_form) * (size_t)(all->count - i));
}

/* Takes one of the minimal forms after the other: those that none precedes. A
 * tie ends a strict chain; else the one defined first is taken. */
static or_chain in_order(const or_world *world, const or_generic *generic,
                         const or_call *call, lb_qualifier qualifier,
                         int strict)
{
    forms all = applicable(world, generic, call, qualifier);
    or_chain chain = {.count = 0, .end = LB_NO_NEXT_METHOD, .cyclic = 0};
    while (all.count > 0) {
        int first = OR_NONE, ties = 0;
        for (int i = 0; i < all.count; i++)
            if (is_minimal(world, generic, call, &all, i)) {
                first = first == OR_NONE ? i : first;
                ties++;
            }
        chain.cyclic = chain.cyclic || first == OR_NONE;
        if (strict && ties != 1) {
            chain.end = LB_AMBIGUOUS;
            return chain;
        }
        if (first == OR_NONE)
            first = 0;
        chain.form[chain.count++] = all.at[first];
        take(&all, first);
    }
    return chain;
}

or_plan or_choose(const or_world *world, const or_generic *generic,
                  const or_call *call)
{
    or_plan plan;
    const int strict = generic->combination == LB_STANDARD;
    plan.around = in_order(world, generic, call, LB_AROUND, strict);
    plan.before = in_order(world, generic, call, LB_BEFORE, 0);
    plan.primary = in_order(world, generic, call, LB_PRIMARY, strict);
    plan.after = in_order(world, generic, call, LB_AFTER, 0);
    plan.status = LB_OK;
    if (plan.primary.count == 0 && plan.primary.end != LB_AMBIGUOUS)
        plan.status = LB_NO_METHOD;
    else if (plan.around.count == 0 &&
             (plan.around.end == LB_AMBIGUOUS || plan.primary.count == 0))
        plan.status = LB_AMBIGUOUS;
    else if (plan.primary.count == 0 && plan.around.end != LB_AMBIGUOUS)
        plan.around.end = LB_AMBIGUOUS; /* what comes after the arounds */
    return plan;
}

int or_is_defined(const or_world *world, const or_generic *generic,
                  const or_call *call)
{
    const or_plan plan = or_choose(world, generic, call);
    return !plan.around.cyclic && !plan.before.cyclic && !plan.primary.cyclic &&
           !plan.after.cyclic;
}

/* ---- Running ------------------------------------------------------------------ */

typedef struct play {
    const or_generic *generic;
    const or_call *call;
    const or_plan *plan;
    or_trace *trace;
} play;

static void push(or_trace *trace, int event)
{
    if (trace->count < OR_EVENTS)
        trace->event[trace->count++] = event;
}

static int body(const play *p, or_form form)
{
    const int tag = p->generic->rules[form.rule].tag;
    const int first = form.flipped ? p->call->object[1] : p->call->object[0];
    push(p->trace, or_event_method(tag, first));
    return or_answer(tag);
}

/* Runs a chain from place `i`; after its end comes `rest`, if given. */
static int play_chain(const play *p, const or_chain *chain, int i,
                      int (*rest)(const play *))
{
    if (i == chain->count)
        return rest(p);
    const or_form form = chain->form[i];
    const lb_propagate propagate = p->generic->rules[form.rule].propagate;
    const int more = i + 1 < chain->count ||
                     (rest != NULL && chain->end == LB_NO_NEXT_METHOD);
    if (propagate == LB_AT_START && more)
        play_chain(p, chain, i + 1, rest);
    const int answer = body(p, form);
    if (propagate == LB_PROPAGATE_NONE) {
        if (more)
            play_chain(p, chain, i + 1, rest);
        else
            push(p->trace, or_event_end(chain->end));
    }
    if (propagate == LB_AT_END && more)
        play_chain(p, chain, i + 1, rest);
    return answer;
}

static int play_combination(const play *p)
{
    const or_chain *all = &p->plan->primary;
    const lb_combination how = p->generic->combination;
    if (how == LB_STANDARD || how == LB_FIRST)
        return play_chain(p, all, 0, NULL);
    int result = 0;
    for (int i = 0; i < all->count; i++) {
        const int one = body(p, all->form[i]);
        result = how == LB_SUM || how == LB_LIST ? result + one : one != 0;
        if ((how == LB_AND && !one) || (how == LB_OR && one))
            break;
    }
    return result;
}

static int play_rest(const play *p)
{
    for (int i = 0; i < p->plan->before.count; i++)
        body(p, p->plan->before.form[i]);
    const int result = play_combination(p);
    /* The same list as of befores, from its end. */
    for (int i = p->plan->after.count - 1; i >= 0; i--)
        body(p, p->plan->after.form[i]);
    return result;
}

void or_run(const or_world *world, const or_generic *generic,
            const or_call *call, or_trace *trace)
{
    const or_plan plan = or_choose(world, generic, call);
    const play p = {generic, call, &plan, trace};
    trace->count = 0;
    trace->result = 0;
    trace->listed = plan.status == LB_OK && plan.around.count == 0 &&
                    generic->combination == LB_LIST;
    if (plan.status != LB_OK)
        push(trace, or_event_failed(plan.status));
    else if (plan.around.count > 0)
        trace->result = play_chain(&p, &plan.around, 0, play_rest);
    else
        trace->result = play_rest(&p);
}

/* ---- 6. Ambiguity --------------------------------------------------------------- */

/* Two different values, or equalities, are taken not to be one argument. */
static int disjoint(const or_generic *generic, or_form a, or_form b)
{
    for (int i = 0; i < generic->dispatched; i++) {
        const or_spec left = or_spec_at(generic, a, i);
        const or_spec right = or_spec_at(generic, b, i);
        if (left.kind == LB_EQL && right.kind == LB_EQL &&
            (left.by_number != right.by_number || left.value != right.value))
            return 1;
    }
    return 0;
}

static int looks_at_values(const or_generic *generic, or_form f)
{
    for (int i = 0; i < generic->dispatched; i++) {
        const lb_kind kind = or_spec_at(generic, f, i).kind;
        if (kind == LB_EQL || kind == LB_WHERE)
            return 1;
    }
    return 0;
}

static int count_predicates(const or_generic *generic, or_form a, or_form b)
{
    int seen[OR_PREDICATES] = {0}, count = 0;
    for (int i = 0; i < generic->dispatched; i++) {
        const or_spec specs[] = {or_spec_at(generic, a, i),
                                 or_spec_at(generic, b, i)};
        for (int j = 0; j < 2; j++)
            if (specs[j].kind == LB_WHERE && !seen[specs[j].predicate]++)
                count++;
    }
    return count;
}

static int third_resolves(const or_world *world, const or_generic *generic,
                          or_form a, or_form b, const or_call *call)
{
    const forms all =
        applicable(world, generic, call, generic->rules[a.rule].qualifier);
    for (int i = 0; i < all.count; i++) {
        const or_form c = all.at[i];
        if (!looks_at_values(generic, c) &&
            compare(world, generic, c, a, call) == BEFORE &&
            compare(world, generic, c, b, call) == BEFORE)
            return 1;
    }
    return 0;
}

static or_ambiguity forms_ambiguous(const or_world *world,
                                    const or_generic *generic, or_form a,
                                    or_form b, const or_call *call)
{
    int argument;
    if (or_verdict(world, generic, a, call, &argument) != LB_CHOSEN ||
        or_verdict(world, generic, b, call, &argument) != LB_CHOSEN ||
        disjoint(generic, a, b))
        return OR_CLEAR;
    const relation r = compare(world, generic, a, b, call);
    if (r == BEFORE || r == AFTER || third_resolves(world, generic, a, b, call))
        return OR_CLEAR;
    return count_predicates(generic, a, b) > 1 ? OR_POSSIBLE : OR_CERTAIN;
}

or_ambiguity or_ambiguous(const or_world *world, const or_generic *generic,
                          int first, int second, const int *classes)
{
    const lb_qualifier qualifier = generic->rules[first].qualifier;
    or_ambiguity worst = OR_CLEAR;
    or_call call = {.argc = generic->dispatched};
    if (qualifier != generic->rules[second].qualifier ||
        (qualifier != LB_PRIMARY && qualifier != LB_AROUND) ||
        generic->combination != LB_STANDARD)
        return OR_CLEAR;
    for (int i = 0; i < call.argc; i++) {
        call.cls[i] = classes[i];
        call.object[i] = OR_NONE;
    }
    for (int f = 0; f <= or_has_flipped(generic, first); f++)
        for (int g = 0; g <= or_has_flipped(generic, second); g++) {
            const or_ambiguity one =
                forms_ambiguous(world, generic, (or_form){first, f},
                                (or_form){second, g}, &call);
            worst = one > worst ? one : worst;
        }
    return worst;
}

or_ambiguity or_ambiguous_anywhere(const or_world *world,
                                   const or_generic *generic, int first,
                                   int second)
{
    int at[OR_ARGS] = {0};
    or_ambiguity worst = OR_CLEAR;
    for (;;) {
        int i = 0, alive = 1;
        for (int j = 0; j < generic->dispatched; j++)
            alive = alive && world->classes[at[j]].alive;
        if (alive) {
            const or_ambiguity one =
                or_ambiguous(world, generic, first, second, at);
            worst = one > worst ? one : worst;
        }
        while (i < generic->dispatched && ++at[i] == OR_CLASSES)
            at[i++] = 0;
        if (i == generic->dispatched || worst == OR_CERTAIN)
            return worst;
    }
}
