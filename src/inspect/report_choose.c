/* inspect/report_choose.c - what a page shows.
 *
 *   - Classes: the caller's, else those that rules mention; with all their
 *     subclasses when these are few. Families stand together: the order is a
 *     walk from each topmost class down its first-base children.
 *   - The number of arguments: the one that most rules take. Of more than two
 *     dispatched arguments the first two vary; each other is held at the
 *     class that most rules name there.
 */
#include "inspect/report.h"

enum { FEW = 24 };

bool lbi_report_mentions(const lbi_report *r, const lb_class *cls)
{
    for (size_t i = 0; i < r->account.held.count; i++) {
        const lb_rule *rule = &r->account.held.rules[i]->given;
        if (rule->rest && lbi_spec_class(rule->rest) == cls)
            return true;
        for (size_t s = 0; s < rule->count; s++)
            if (lbi_spec_class(&rule->specializers[s]) == cls)
                return true;
    }
    return false;
}

/* ---- walking over classes ----------------------------------------------- */

typedef struct list {
    lbi_allocator *allocator;
    lb_class ***at;
    size_t *count, *capacity;
    uint64_t stamp; /* of the classes to be listed */
    bool failed;
} list;

static void append(list *l, lb_class *cls)
{
    if (!lbi_reserve(l->allocator, l->at, l->capacity, *l->count + 1,
                     sizeof **l->at))
        l->failed = true;
    else
        (*l->at)[(*l->count)++] = cls;
}

static void descend(list *l, lb_class *cls)
{
    if (cls->stamp == l->stamp)
        append(l, cls);
    for (size_t i = 0; i < cls->derived_count && !l->failed; i++)
        if (cls->derived[i]->bases[0] == cls)
            descend(l, cls->derived[i]);
}

/* Lists the classes that carry the stamp, families together. */
static bool list_stamped(list *l, lb_runtime *runtime)
{
    for (lb_class *c = runtime->first_class; c && !l->failed; c = c->next)
        if (c->base_count == 0)
            descend(l, c);
    return !l->failed;
}

/* ---- which classes ------------------------------------------------------ */

static size_t stamp_class(lb_class *cls, uint64_t stamp)
{
    if (cls == NULL || cls->stamp == stamp)
        return 0;
    cls->stamp = stamp;
    return 1;
}

/* Stamps what rules mention; returns how many. */
static size_t stamp_mentioned(const lbi_report *r)
{
    const uint64_t stamp = ++r->generic->runtime->stamp;
    size_t count = 0;
    for (size_t i = 0; i < r->account.held.count; i++) {
        const lb_rule *rule = &r->account.held.rules[i]->given;
        for (size_t s = 0; s < rule->count; s++)
            count += stamp_class(lbi_spec_class(&rule->specializers[s]), stamp);
        if (rule->rest)
            count += stamp_class(lbi_spec_class(rule->rest), stamp);
    }
    return count;
}

/* No class has a stamp later than the last, so this stays true while classes
 * below get the next one. */
static bool is_below(const lb_class *cls, uint64_t stamp)
{
    for (uint32_t i = 0; i < cls->order_count; i++)
        if (cls->order[i]->stamp >= stamp)
            return true;
    return false;
}

/* Stamps the subclasses of what is mentioned, too, unless these are many; all
 * classes, if nothing is mentioned. */
static void stamp_subclasses(lb_runtime *runtime, bool all)
{
    const uint64_t stamp = runtime->stamp;
    size_t below = 0;
    for (const lb_class *c = runtime->first_class; c; c = c->next)
        below += all || is_below(c, stamp);
    if (below > FEW)
        return;
    runtime->stamp++;
    for (lb_class *c = runtime->first_class; c; c = c->next)
        if (all || is_below(c, stamp))
            c->stamp = runtime->stamp;
}

static bool choose_own(lbi_report *r)
{
    lb_runtime *runtime = r->generic->runtime;
    stamp_subclasses(runtime, stamp_mentioned(r) == 0);
    list l = {r->allocator, &r->classes,    &r->count,
              &r->capacity, runtime->stamp, false};
    return list_stamped(&l, runtime);
}

static bool choose_given(lbi_report *r)
{
    const lb_report_options *o = r->options;
    if (!lbi_reserve(r->allocator, &r->classes, &r->capacity,
                     o->class_count + 1, sizeof *r->classes))
        return false;
    if (o->class_count)
        memcpy(r->classes, o->classes, o->class_count * sizeof *r->classes);
    r->count = o->class_count;
    return true;
}

static bool choose_graph(lbi_report *r)
{
    lb_runtime *runtime = r->generic->runtime;
    const uint64_t stamp = ++runtime->stamp;
    for (size_t i = 0; i < r->count; i++)
        for (uint32_t k = 0; k < r->classes[i]->order_count; k++)
            r->classes[i]->order[k]->stamp = stamp;
    list l = {r->allocator,       &r->graph, &r->graph_count,
              &r->graph_capacity, stamp,     false};
    return list_stamped(&l, runtime);
}

/* ---- which call --------------------------------------------------------- */

static bool takes(const lb_rule *rule, size_t argc)
{
    return argc >= rule->count - rule->optional &&
           (rule->rest || argc <= rule->count);
}

static size_t choose_arity(const lbi_report *r)
{
    const lbi_held *held = &r->account.held;
    size_t best = r->generic->dispatched, most = 0;
    if (!r->generic->boxed)
        return best;
    for (size_t i = 0; i < held->count; i++) {
        const size_t argc = held->rules[i]->given.count;
        size_t count = 0;
        for (size_t k = 0; k < held->count; k++)
            count += takes(&held->rules[k]->given, argc);
        if (argc && (count > most || (count == most && argc > best))) {
            most = count;
            best = argc;
        }
    }
    return best;
}

/* How many rules name a class at a position. */
static size_t count_named(const lbi_report *r, const lb_class *cls, unsigned i)
{
    size_t count = 0;
    for (size_t k = 0; k < r->account.held.count; k++)
        count += lbi_spec_class(
                     lbi_spec(&r->account.held.rules[k]->forms[0], i)) == cls;
    return count;
}

/* The class for an argument that does not vary. */
static lb_class *choose_fixed(const lbi_report *r, unsigned position)
{
    lb_class *best = r->count ? r->classes[0] : NULL;
    size_t most = 0;
    for (size_t k = 0; k < r->account.held.count; k++) {
        lb_class *cls = lbi_spec_class(
            lbi_spec(&r->account.held.rules[k]->forms[0], position));
        const size_t count = cls ? count_named(r, cls, position) : 0;
        if (count > most) {
            most = count;
            best = cls;
        }
    }
    return best;
}

static void choose_call(lbi_report *r)
{
    const unsigned dispatched = r->generic->dispatched;
    r->call.argc = choose_arity(r);
    const unsigned given =
        r->call.argc < dispatched ? (unsigned)r->call.argc : dispatched;
    r->axes = given < 2 ? given : 2;
    for (unsigned i = r->axes; i < given; i++)
        r->call.classes[i] = choose_fixed(r, i);
}

lb_status lbi_report_choose(lbi_report *r)
{
    lbi_allocator *allocator = r->allocator;
    if (!(r->options->classes ? choose_given(r) : choose_own(r)) ||
        !choose_graph(r))
        return lbi_no_memory();
    choose_call(r);
    r->cell_count = r->axes == 2 ? r->count * r->count : r->count;
    r->cells = lbi_zalloc(allocator, (r->cell_count + 1) * sizeof *r->cells);
    r->uses =
        lbi_zalloc(allocator, (r->account.held.count + 1) * sizeof *r->uses);
    return r->cells && r->uses ? LB_OK : lbi_no_memory();
}
