/* generic/ambiguity.c - ambiguities, found when rules are defined.
 *
 * Two rules are ambiguous when some existing classes fit both, neither
 * precedes, and no third rule settles it. It is enough to look, at each
 * position, at the most general classes that fit both rules: C3 is monotonic,
 * so what holds for a class holds for its subclasses, and a rule that settles
 * the general case settles the special one. In a tree of classes that is the
 * lower of the two classes, or nothing; with multiple inheritance the topmost
 * common subclasses; where neither rule asks for a class, the classes without
 * bases. The same goes for supplied linearizations as long as no class is
 * irregular (core/class.c): only the classes that two rules share need not
 * derive from either any more, when both are foreign to some class. Then all
 * classes below one of the two are looked through for the topmost ones.
 *
 * Irregular classes, sums of ranks and a user's order need not be monotonic,
 * nor does what a rule says of a turning class; and a flipped form that settles
 * the general case is none where its rule applies as it stands: there all
 * common subclasses are looked at (MAX_WITNESSES at a position).
 *
 * Which rules can overlap at all comes from the index: 1. collect the classes
 * in the orders of all that have the new rule's class in theirs; 2. do so at
 * each position, and take the one where the fewest rules name one of these or
 * any; 3. if nowhere they are fewer than all, or the classes too many
 * (MAX_RELATED), look at all. So a rule costs about as much as it has relatives.
 */
#include "generic/ambiguity.h"

#include "base/text.h"
#include "generic/index.h"

enum { MAX_WITNESSES = 128, MAX_TUPLES = 1 << 16, MAX_RELATED = 256 };

/* ---- classes common to two specializers --------------------------------- */

typedef struct commons {
    lb_class *at[MAX_WITNESSES];
    size_t count;
} commons;

static void add_common(commons *c, lb_class *cls)
{
    if (c->count < MAX_WITNESSES)
        c->at[c->count++] = cls;
}

/* The topmost descendants of `cls` that also are subclasses of `other`. */
static void descend(lb_class *cls, const lb_class *other, uint64_t stamp,
                    commons *c)
{
    for (size_t i = 0; i < cls->derived_count; i++) {
        lb_class *d = cls->derived[i];
        if (d->stamp == stamp)
            continue;
        d->stamp = stamp;
        if (lbi_is_subclass(d, other))
            add_common(c, d);
        else
            descend(d, other, stamp, c);
    }
}

/* A topmost class that no rule names stands for all: what settles a call with
 * it settles every call. */
static void topmost(lb_runtime *runtime, commons *c)
{
    for (lb_class *cls = runtime->first_class; cls; cls = cls->next) {
        if (cls->base_count != 0)
            continue;
        if (cls->references == 0 && cls->order_count == 1) {
            c->at[0] = cls;
            c->count = 1;
            return;
        }
        add_common(c, cls);
    }
}

/* The classes below `cls`, or NULL: look through all. */
static lb_class *const *members_of(lb_class *cls)
{
    return cls && cls->descendants <= MAX_RELATED ? lbi_class_members(cls)
                                                  : NULL;
}

static bool is_common(const lb_class *cls, const lb_class *a, const lb_class *b)
{
    return (a == NULL || lbi_is_subclass(cls, a)) &&
           (b == NULL || lbi_is_subclass(cls, b));
}

static bool has_common_base(const lb_class *cls, const lb_class *a,
                            const lb_class *b)
{
    for (uint32_t i = 0; i < cls->base_count; i++)
        if (is_common(cls->bases[i], a, b))
            return true;
    return false;
}

static void consider(lb_class *cls, const lb_class *a, const lb_class *b,
                     bool top, commons *c)
{
    if (is_common(cls, a, b) && !(top && has_common_base(cls, a, b)))
        add_common(c, cls);
}

/* All common classes, or those of them that have no common base. */
static void search_common(lb_runtime *runtime, lb_class *a, lb_class *b,
                          bool top, commons *c)
{
    lb_class *least = a && (!b || a->descendants < b->descendants) ? a : b;
    lb_class *const *members = members_of(least);
    if (members)
        for (size_t i = 0; i < least->descendants; i++)
            consider(members[i], a, b, top, c);
    else
        for (lb_class *cls = runtime->first_class; cls; cls = cls->next)
            consider(cls, a, b, top, c);
}

static bool is_foreign(const lb_class *cls)
{
    return cls && cls->strangers != 0;
}

static bool is_turning(const lb_class *cls)
{
    return cls && cls->turning;
}

/* Where classes below `a` and `b` need not derive from either, so that finding
 * them means to look through all classes below one, or through all. */
static bool is_laborious(const lb_class *a, const lb_class *b)
{
    return (a == NULL || is_foreign(a)) && (b == NULL || is_foreign(b));
}

/* The topmost classes below `a` that are also below `b`, where all classes
 * that are below `a` derive from it. */
static void common_below(lb_class *a, lb_class *b, commons *c)
{
    if (b == NULL || lbi_is_subclass(a, b))
        add_common(c, a);
    else if (is_foreign(b) && b->descendants < a->descendants)
        search_common(a->runtime, a, b, true, c);
    else if (a->descendants > 1 && b->descendants > 1 &&
             (a->runtime->joined_count || is_foreign(b)))
        descend(a, b, ++a->runtime->stamp, c);
}

static void find_common(lb_runtime *runtime, bool monotonic, lb_class *a,
                        lb_class *b, commons *c)
{
    c->count = 0;
    if (!monotonic || is_turning(a) || is_turning(b))
        search_common(runtime, a, b, false, c);
    else if (a == NULL && b == NULL)
        topmost(runtime, c);
    else if (is_laborious(a, b))
        search_common(runtime, a, b, true, c);
    else if (a == NULL || is_foreign(a))
        common_below(b, a, c);
    else if (b == NULL || is_foreign(b) || lbi_is_subclass(a, b))
        common_below(a, b, c);
    else if (lbi_is_subclass(b, a))
        add_common(c, b);
    else if (a->descendants < b->descendants)
        common_below(a, b, c);
    else
        common_below(b, a, c);
}

/* ---- one pair ----------------------------------------------------------- */

typedef struct pair {
    lb_generic *generic;
    lbi_match a, b;
    lbi_call call;   /* classes to test, never NULL where given */
    commons *common; /* one per position */
    lb_class *witness[LB_MAX_DISPATCH]; /* NULL: missing */
    lb_class *only; /* a class that must take part, or NULL */
} pair;

static bool same_value(const lb_specializer *a, const lb_specializer *b)
{
    return a->value.bits == b->value.bits && a->equal == b->equal &&
           a->equal_context == b->equal_context;
}

/* True when what holds for the most general classes holds for those below. */
static bool is_monotonic(const lb_generic *g)
{
    return g->runtime->irregular_count == 0 && g->commutative_count == 0 &&
           g->policy.order != LB_WEIGHTED && g->policy.order != LB_USER_ORDER;
}

/* Looks at the positions that are, or that are not, laborious. */
static bool overlap_at(pair *p, bool laborious)
{
    lb_generic *g = p->generic;
    for (unsigned i = 0; i < g->dispatched && i < p->call.argc; i++) {
        const lb_specializer *a = lbi_spec(p->a.form, i);
        const lb_specializer *b = lbi_spec(p->b.form, i);
        lb_class *const ca = lbi_spec_class(a), *const cb = lbi_spec_class(b);
        if (is_laborious(ca, cb) != laborious)
            continue;
        if (a->kind == LB_EQL && b->kind == LB_EQL && !same_value(a, b))
            return false;
        find_common(g->runtime, is_monotonic(g), ca, cb, &p->common[i]);
        if (p->common[i].count == 0)
            return false;
    }
    return true;
}

/* False when no existing class fits both at some position. */
static bool overlap(pair *p)
{
    return overlap_at(p, false) && overlap_at(p, true);
}

/* A flipped form does not apply where its rule does as it stands. */
static bool applies(const pair *p, const lbi_form *form)
{
    uint32_t failed;
    return !form->swapped ||
           !lbi_form_fits(p->generic, &form->rule->forms[0], &p->call, &failed);
}

static bool settle(void *context, lbi_form *form)
{
    pair *p = context;
    lbi_match m = {.form = form};
    uint32_t failed;
    if (form->rule->conditional || form->rule == p->a.form->rule ||
        form->rule == p->b.form->rule ||
        form->rule->given.qualifier != p->a.form->rule->given.qualifier ||
        !lbi_arity_fits(p->generic, form, &p->call) ||
        !lbi_form_fits(p->generic, form, &p->call, &failed) ||
        !applies(p, form))
        return true;
    lbi_rank(p->generic, &p->call, &m);
    return !(lbi_precedes(p->generic, &p->call, &m, &p->a) &&
             lbi_precedes(p->generic, &p->call, &m, &p->b));
}

static bool undecided(pair *p)
{
    lb_generic *g = p->generic;
    if (!applies(p, p->a.form) || !applies(p, p->b.form))
        return false;
    lbi_rank(g, &p->call, &p->a);
    lbi_rank(g, &p->call, &p->b);
    return !lbi_precedes(g, &p->call, &p->a, &p->b) &&
           !lbi_precedes(g, &p->call, &p->b, &p->a) &&
           lbi_index_candidates(g, p->call.classes, settle, p);
}

static bool takes_part(const pair *p)
{
    if (p->only == NULL)
        return true;
    for (unsigned i = 0; i < p->generic->dispatched; i++)
        if (p->witness[i] == p->only)
            return true;
    return false;
}

/* Takes tuple number `n` of the common classes. False: there are no more. */
static bool choose_tuple(pair *p, size_t n)
{
    for (unsigned i = 0; i < p->generic->dispatched; i++) {
        p->witness[i] = p->call.classes[i] = NULL;
        if (i >= p->call.argc)
            continue;
        const commons *c = &p->common[i];
        p->witness[i] = p->call.classes[i] = c->at[n % c->count];
        n /= c->count;
    }
    return n == 0;
}

static bool find_witness(pair *p)
{
    if (!overlap(p))
        return false;
    for (size_t n = 0; n < MAX_TUPLES && choose_tuple(p, n); n++)
        if (takes_part(p) && undecided(p))
            return true;
    return false;
}

/* The numbers of arguments that both accept, up to the dispatched ones. */
static bool find_witness_by_arity(pair *p)
{
    lb_generic *g = p->generic;
    const lb_rule *a = &p->a.form->rule->given, *b = &p->b.form->rule->given;
    if (!g->boxed) {
        p->call.argc = g->dispatched;
        return find_witness(p);
    }
    size_t low = a->count - a->optional;
    if (low < b->count - b->optional)
        low = b->count - b->optional;
    const size_t high = low > g->dispatched ? low : g->dispatched;
    for (size_t argc = high + 1; argc-- > low;) {
        p->call.argc = argc;
        if (lbi_arity_fits(g, p->a.form, &p->call) &&
            lbi_arity_fits(g, p->b.form, &p->call) && find_witness(p))
            return true;
    }
    return false;
}

/* ---- the search --------------------------------------------------------- */

typedef struct search {
    pair pair;
    const lbi_rule *rule;
    lbi_ambiguity_fn visit;
    void *context;
    uint64_t number; /* marks the rules that were reported already */
} search;

static size_t predicates_of(const lbi_rule *a, const lbi_rule *b)
{
    const lb_predicate *seen[2 * LB_MAX_DISPATCH];
    size_t count = 0;
    for (unsigned r = 0; r < 2; r++) {
        const lb_rule *rule = r ? &b->given : &a->given;
        for (size_t i = 0; i < rule->count && i < LB_MAX_DISPATCH; i++) {
            const lb_specializer *s = &rule->specializers[i];
            size_t j = 0;
            while (j < count && seen[j] != s->predicate)
                j++;
            if (s->kind == LB_WHERE && j == count)
                seen[count++] = s->predicate;
        }
    }
    return count;
}

static lb_class *resolving_class(const pair *p, unsigned i)
{
    lb_class *a = lbi_spec_class(lbi_spec(p->a.form, i));
    lb_class *b = lbi_spec_class(lbi_spec(p->b.form, i));
    if (a == NULL || b == NULL || a == b)
        return a ? a : b;
    if (lbi_is_subclass(a, b))
        return a;
    return lbi_is_subclass(b, a) ? b : p->witness[i];
}

static bool tell(search *s)
{
    const pair *p = &s->pair;
    lb_ambiguity found = {.first = &p->b.form->rule->given,
                          .second = &p->a.form->rule->given,
                          .count = p->generic->dispatched};
    found.possible = predicates_of(p->a.form->rule, p->b.form->rule) > 1;
    for (unsigned i = 0; i < found.count; i++) {
        found.witness[i] = p->witness[i];
        found.resolving[i] = resolving_class(p, i);
    }
    return s->visit(s->context, p->generic, &found);
}

static bool try_form(void *context, lbi_form *form)
{
    search *s = context;
    const lbi_rule *other = form->rule;
    if (other->sequence >= s->rule->sequence || other->reported == s->number ||
        other->given.qualifier != s->rule->given.qualifier)
        return true;
    s->pair.b.form = form;
    for (unsigned f = 0; f < s->rule->form_count; f++) {
        s->pair.a.form = (lbi_form *)(uintptr_t)&s->rule->forms[f];
        if (find_witness_by_arity(&s->pair)) {
            form->rule->reported = s->number;
            return tell(s);
        }
    }
    return true;
}

/* ---- which forms may overlap -------------------------------------------- */

/* Classes, each once. While they are collected, a class's stamp is `stamp` when
 * it is one of them, one more when what derives from it was collected, too. */
typedef struct related {
    const lb_class *at[MAX_RELATED];
    size_t count;
    uint64_t stamp;
    unsigned position;
    size_t forms; /* that name one of them there, or any class */
} related;

static bool add_related(related *r, lb_class *cls)
{
    if (cls->stamp >= r->stamp)
        return true;
    if (r->count == MAX_RELATED)
        return false;
    cls->stamp = r->stamp;
    r->at[r->count++] = cls;
    return true;
}

static bool add_order(related *r, const lb_class *cls)
{
    for (uint32_t i = 0; i < cls->order_count; i++)
        if (!add_related(r, cls->order[i]))
            return false;
    return true;
}

/* `cls`, what derives from it, and the orders of these. The order of a class
 * with one base and nothing foreign is in that of its base. */
static bool add_family(related *r, lb_class *cls)
{
    if (cls->stamp > r->stamp)
        return true;
    if (!add_related(r, cls) ||
        ((cls->base_count > 1 || cls->extends) && !add_order(r, cls)))
        return false;
    cls->stamp = r->stamp + 1;
    for (size_t i = 0; i < cls->derived_count; i++)
        if (!add_family(r, cls->derived[i]))
            return false;
    return true;
}

static bool add_members(related *r, lb_class *cls)
{
    lb_class *const *members = members_of(cls);
    for (size_t i = 0; members && i < cls->descendants; i++)
        if (!add_order(r, members[i]))
            return false;
    return members != NULL;
}

/* Collects every class that has a class below it in common with `cls`. False:
 * there are too many. */
static bool relate(related *r, lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    r->count = 0;
    if (cls->descendants > MAX_RELATED)
        return false;
    r->stamp = runtime->stamp += 2;
    runtime->stamp++;
    if (is_foreign(cls))
        return add_members(r, cls);
    return add_order(r, cls) && add_family(r, cls);
}

static void count_forms(const lb_generic *g, related *r)
{
    r->forms = g->index[r->position].open_count;
    for (size_t i = 0; i < r->count; i++)
        r->forms += lbi_index_count(g, r->position, r->at[i]);
}

/* Takes the position with the fewest forms. False: not fewer than all. */
static bool narrow(const lbi_rule *rule, related *best)
{
    enum { FEW = 8 };
    const lb_generic *g = rule->generic;
    related r;
    best->forms = g->active_count;
    best->position = 0;
    best->count = 0;
    for (unsigned i = 0; i < g->dispatched && best->forms > FEW; i++) {
        lb_class *cls = lbi_spec_class(lbi_spec(&rule->forms[0], i));
        if (cls == NULL || i >= rule->given.count - rule->given.optional)
            continue;
        r.position = i;
        if (!relate(&r, cls))
            continue;
        count_forms(g, &r);
        if (r.forms < best->forms)
            memcpy(best, &r, sizeof r);
    }
    return best->forms < g->active_count;
}

static bool try_list(search *s, lbi_form *form, unsigned position)
{
    for (; form; form = form->next[position])
        if (!try_form(s, form))
            return false;
    return true;
}

static bool try_related(search *s, const related *r)
{
    const lb_generic *g = s->pair.generic;
    if (!try_list(s, g->index[r->position].open, r->position))
        return false;
    for (size_t i = 0; i < r->count; i++)
        if (!try_list(s, lbi_index_bucket(g, r->position, r->at[i]),
                      r->position))
            return false;
    return true;
}

static bool can_be_ambiguous(const lbi_rule *rule)
{
    const lb_generic *g = rule->generic;
    const lb_qualifier q = rule->given.qualifier;
    if (g->policy.combination != LB_STANDARD || !g->runtime->first_class ||
        g->policy.order == LB_DEFINITION ||
        g->policy.order == LB_REVERSE_DEFINITION)
        return false;
    if (g->dispatched == 1 && !g->conditional_count && !g->boxed &&
        g->policy.order != LB_USER_ORDER)
        return false;
    return q == LB_PRIMARY || q == LB_AROUND;
}

static bool look(search *s)
{
    lb_generic *g = s->pair.generic;
    related r;
    s->number = ++g->searches;
    if (!can_be_ambiguous(s->rule))
        return true;
    if (s->rule->form_count == 1 && lbi_index_ready(g) && narrow(s->rule, &r))
        return try_related(s, &r);
    return lbi_each_form(g, try_form, s);
}

/* `only`: a class that must take part, or NULL. */
static bool look_for(lbi_rule *rule, lb_class *only, lbi_ambiguity_fn visit,
                     void *context)
{
    commons common[LB_MAX_DISPATCH];
    search s = {.rule = rule, .visit = visit, .context = context};
    s.pair.generic = rule->generic;
    s.pair.common = common;
    s.pair.only = only;
    return look(&s);
}

bool lbi_ambiguities_of(lbi_rule *rule, lbi_ambiguity_fn visit, void *context)
{
    return look_for(rule, NULL, visit, context);
}

/* ---- telling ------------------------------------------------------------ */

static void write_specializer(lbi_text *text, const lb_specializer *s)
{
    const lb_class *cls = lbi_spec_class(s);
    const char *name = cls ? cls->name : "any";
    if (s->kind == LB_EQL)
        lbi_text_print(text, "%s == %lld", name, (long long)s->value.integer);
    else if (s->kind == LB_WHERE)
        lbi_text_print(text, "%s where %s", name,
                       s->predicate->name ? s->predicate->name : "?");
    else
        lbi_text_put(text, name);
}

void lbi_rule_write(lbi_text *text, const lb_generic *g, const lb_rule *rule)
{
    static const char *const qualifiers[] = {"", " [before]", " [after]",
                                             " [around]"};
    const size_t count = g->boxed ? rule->count : g->dispatched;
    lbi_text_print(text, "%s(", lbi_generic_label(g));
    for (size_t i = 0; i < count; i++) {
        static const lb_specializer any = {.kind = LB_ANY};
        lbi_text_put(text, i ? ", " : "");
        write_specializer(text,
                          i < rule->count ? &rule->specializers[i] : &any);
        lbi_text_put(text, i >= rule->count - rule->optional && i < rule->count
                               ? "?"
                               : "");
    }
    if (rule->rest) {
        lbi_text_put(text, count ? ", " : "");
        write_specializer(text, rule->rest);
        lbi_text_put(text, "...");
    }
    lbi_text_print(text, ")%s %s", qualifiers[rule->qualifier],
                   rule->method->name ? rule->method->name : "?");
}

static void write_classes(lbi_text *text, lb_class *const *classes,
                          uint32_t count)
{
    lbi_text_put(text, "(");
    for (uint32_t i = 0; i < count; i++)
        lbi_text_print(text, "%s%s", i ? ", " : "",
                       classes[i] ? classes[i]->name : "any");
    lbi_text_put(text, ")");
}

void lbi_ambiguity_write(lbi_text *text, const lb_generic *g,
                         const lb_ambiguity *a)
{
    lbi_rule_write(text, g, a->first);
    lbi_text_put(text, " and ");
    lbi_rule_write(text, g, a->second);
    lbi_text_put(text, a->possible ? " may be ambiguous, e.g. for "
                                   : " are ambiguous, e.g. for ");
    write_classes(text, a->witness, a->count);
    lbi_text_print(text, "; a rule %s", lbi_generic_label(g));
    write_classes(text, a->resolving, a->count);
    lbi_text_put(text, " would decide");
}

static bool report(void *context, lb_generic *g, const lb_ambiguity *a)
{
    bool *certain = context;
    lbi_text text;
    if (certain && a->possible)
        return true;
    lbi_text_init(&text, &g->runtime->allocator);
    lbi_ambiguity_write(&text, g, a);
    const char *words = text.failed ? "ambiguous" : text.at;
    if (certain) {
        *certain = true;
        lbi_fail_text(LB_AMBIGUOUS, words);
    } else {
        lbi_report_later(g->runtime,
                         a->possible ? LB_MAY_BE_AMBIGUOUS : LB_AMBIGUOUS,
                         words);
    }
    lbi_text_drop(&text);
    return certain == NULL;
}

bool lbi_ambiguity_of_rule(lbi_rule *rule, bool fail)
{
    bool certain = false;
    lbi_ambiguities_of(rule, report, fail ? &certain : NULL);
    return certain;
}

/* ---- ambiguities that a class brings ------------------------------------ */

/* False when rules that name `c`, of the order of `cls`, are ambiguous for a
 * base of `cls` already if they are for it: all that they share with others in
 * this order comes by way of that base. */
static bool may_bring(const lb_generic *g, const lb_class *cls,
                      const lb_class *c)
{
    if (!is_monotonic(g) || cls->references || cls->extends)
        return true;
    for (uint32_t i = 0; i < cls->base_count; i++)
        if (!lbi_is_subclass(cls->bases[i], c))
            return true;
    return false;
}

/* Whether a form names, at a position before `end`, a class of the order of
 * `cls` that may bring an ambiguity for it. */
static bool mentions(const lbi_form *form, const lb_class *cls, unsigned end)
{
    for (unsigned i = 0; i < end; i++) {
        const lb_class *c = lbi_spec_class(lbi_spec(form, i));
        if (c && lbi_is_subclass(cls, c) &&
            may_bring(form->rule->generic, cls, c))
            return true;
    }
    return false;
}

/* Looks at the rules of a list, each only where it first mentions such a class.
 * A flipped form mentions what its rule does. */
static void look_in_list(lbi_form *form, unsigned position, lb_class *cls)
{
    for (; form; form = form->next[position])
        if (!form->swapped && !mentions(form, cls, position) &&
            mentions(form, cls, position + 1))
            look_for(form->rule, cls, report, NULL);
}

static void look_at(lb_generic *g, lb_class *cls, unsigned position)
{
    for (uint32_t i = 0; i < cls->order_count; i++) {
        lbi_form *first = lbi_index_bucket(g, position, cls->order[i]);
        if (first && may_bring(g, cls, cls->order[i]))
            look_in_list(first, position, cls);
    }
    if (g->boxed)
        look_in_list(g->index[position].open, position, cls);
}

void lbi_ambiguity_of_class(lb_runtime *runtime, lb_class *cls)
{
    if (runtime->config.report == NULL)
        return;
    LBI_EACH_GENERIC (g, runtime) {
        if (g->policy.silent || !lbi_index_ready(g))
            continue;
        for (unsigned i = 0; i < g->dispatched; i++)
            look_at(g, cls, i);
    }
}
