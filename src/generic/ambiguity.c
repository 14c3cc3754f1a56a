/* generic/ambiguity.c - ambiguities, found when rules are defined.
 *
 * Two rules are ambiguous when some existing classes fit both, neither
 * precedes, and no third rule settles it. It is enough to look, at each
 * position, at the most general classes that fit both rules: C3 is monotonic,
 * so what holds for a class holds for its subclasses, and a rule that settles
 * the general case settles the special one. In a tree of classes that is the
 * lower of the two classes, or nothing; with multiple inheritance the topmost
 * common subclasses; where neither rule asks for a class, the classes without
 * bases. Supplied linearizations, sums of ranks and a user's order need not be
 * monotonic, and a flipped form that settles the general case is none where its
 * rule applies as it stands: there all common subclasses are looked at
 * (MAX_WITNESSES at a position).
 *
 * Which rules can overlap at all comes from the index: rules above and below
 * in the class tree, at the position where these are fewest.
 */
#include "generic/ambiguity.h"

#include "base/text.h"
#include "generic/index.h"

enum { MAX_WITNESSES = 128, MAX_TUPLES = 1 << 16 };

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
        if (cls->order_count != 1)
            continue;
        if (cls->references == 0) {
            c->at[0] = cls;
            c->count = 1;
            return;
        }
        add_common(c, cls);
    }
}

static void all_common(lb_runtime *runtime, const lb_class *a,
                       const lb_class *b, commons *c)
{
    for (lb_class *cls = runtime->first_class; cls; cls = cls->next)
        if ((a == NULL || lbi_is_subclass(cls, a)) &&
            (b == NULL || lbi_is_subclass(cls, b)))
            add_common(c, cls);
}

static void find_common(lb_runtime *runtime, bool monotonic, lb_class *a,
                        lb_class *b, commons *c)
{
    c->count = 0;
    if (!monotonic)
        all_common(runtime, a, b, c);
    else if (a == NULL && b == NULL)
        topmost(runtime, c);
    else if (a == b || b == NULL)
        add_common(c, a);
    else if (a == NULL)
        add_common(c, b);
    else if (lbi_is_subclass(a, b))
        add_common(c, a);
    else if (lbi_is_subclass(b, a))
        add_common(c, b);
    else if (runtime->joined_count && a->descendants > 1 && b->descendants > 1)
        descend(a->descendants < b->descendants ? a : b,
                a->descendants < b->descendants ? b : a, ++runtime->stamp, c);
}

/* ---- one pair ----------------------------------------------------------- */

typedef struct pair {
    lb_generic *generic;
    lbi_match a, b;
    lbi_call call; /* classes to test, never NULL where given */
    commons common[LB_MAX_DISPATCH];
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
    return g->runtime->supplied_count == 0 && g->commutative_count == 0 &&
           g->policy.order != LB_WEIGHTED && g->policy.order != LB_USER_ORDER;
}

/* False when no existing class fits both at some position. */
static bool overlap(pair *p)
{
    lb_generic *g = p->generic;
    for (unsigned i = 0; i < g->dispatched && i < p->call.argc; i++) {
        const lb_specializer *a = lbi_spec(p->a.form, i);
        const lb_specializer *b = lbi_spec(p->b.form, i);
        if (a->kind == LB_EQL && b->kind == LB_EQL && !same_value(a, b))
            return false;
        find_common(g->runtime, is_monotonic(g), lbi_spec_class(a),
                    lbi_spec_class(b), &p->common[i]);
        if (p->common[i].count == 0)
            return false;
    }
    return true;
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

/* Visits the forms with a class below `cls` at a position. */
static bool try_below(search *s, const lb_class *cls, unsigned position)
{
    for (size_t i = 0; i < cls->derived_count; i++) {
        const lb_class *d = cls->derived[i];
        for (lbi_form *f = lbi_index_bucket(s->pair.generic, position, d); f;
             f = f->next[position])
            if (!try_form(s, f))
                return false;
        if (!try_below(s, d, position))
            return false;
    }
    return true;
}

static bool try_relatives(search *s, const lb_class *cls, unsigned position)
{
    lb_generic *g = s->pair.generic;
    for (lbi_form *f = g->index[position].open; f; f = f->next[position])
        if (!try_form(s, f))
            return false;
    for (uint32_t i = 0; i < cls->order_count; i++)
        for (lbi_form *f = lbi_index_bucket(g, position, cls->order[i]); f;
             f = f->next[position])
            if (!try_form(s, f))
                return false;
    return try_below(s, cls, position);
}

/* The position whose class has fewest relatives, if they are few. */
static const lb_class *narrow(const lbi_rule *rule, unsigned *position)
{
    const lb_generic *g = rule->generic;
    const lb_class *best = NULL;
    size_t fewest = g->active_count / 2;
    for (unsigned i = 0; i < g->dispatched; i++) {
        const lb_class *cls = lbi_spec_class(lbi_spec(&rule->forms[0], i));
        const size_t optional = rule->given.count - rule->given.optional;
        if (cls == NULL || i >= optional)
            continue;
        const size_t relatives =
            cls->order_count + cls->descendants + g->index[i].open_count;
        if (relatives < fewest) {
            fewest = relatives;
            best = cls;
            *position = i;
        }
    }
    return best;
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
    unsigned position = 0;
    const lb_class *cls = NULL;
    s->number = ++g->searches;
    if (!can_be_ambiguous(s->rule))
        return true;
    if (s->rule->form_count == 1 && g->runtime->joined_count == 0 &&
        g->runtime->supplied_count == 0 && lbi_index_ready(g))
        cls = narrow(s->rule, &position);
    return cls ? try_relatives(s, cls, position)
               : lbi_each_form(g, try_form, s);
}

bool lbi_ambiguities_of(lbi_rule *rule, lbi_ambiguity_fn visit, void *context)
{
    search s = {.rule = rule, .visit = visit, .context = context};
    s.pair.generic = rule->generic;
    return look(&s);
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
        lbi_report_later(g->runtime, LB_AMBIGUOUS, words);
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

static bool mentions_order(const lbi_rule *rule, const lb_class *cls)
{
    for (size_t i = 0; i < rule->given.count; i++) {
        const lb_class *c = lbi_spec_class(&rule->given.specializers[i]);
        if (c && c != cls && lbi_is_subclass(cls, c))
            return true;
    }
    return false;
}

void lbi_ambiguity_of_class(lb_runtime *runtime, lb_class *cls)
{
    LBI_EACH_GENERIC (g, runtime) {
        if (g->policy.silent || runtime->config.report == NULL)
            continue;
        for (size_t i = 0; i < g->active_count; i++) {
            search s = {.rule = g->active[i], .visit = report};
            s.pair.generic = g;
            s.pair.only = cls;
            if (mentions_order(g->active[i], cls))
                look(&s);
        }
    }
}
