/* generic/rule.c - the records behind lb_rule.
 *
 * A record is interned by its whole content, so that taking a rule away and
 * adding it again any number of times needs one record, and the entries made
 * for it can be used again. Idle records wait until no entry names them.
 */
#include "generic/rule.h"

/* ---- checking ----------------------------------------------------------- */

static lb_status check_specializer(const lb_generic *g, const char *method,
                                   const lb_specializer *s, size_t i)
{
    if ((unsigned)s->kind > LB_WHERE)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: specializer %zu has the kind %d; want "
                        "LB_ANY, LB_IS, LB_EQL or LB_WHERE",
                        lbi_generic_label(g), method, i, (int)s->kind);
    if (s->kind == LB_IS && s->cls == NULL)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: specializer %zu is LB_IS without a "
                        "class",
                        lbi_generic_label(g), method, i);
    if (s->kind == LB_WHERE &&
        (s->predicate == NULL || s->predicate->test == NULL))
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: specializer %zu is LB_WHERE without a "
                        "predicate",
                        lbi_generic_label(g), method, i);
    if (s->kind != LB_ANY && s->cls && s->cls->runtime != g->runtime)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: specializer %zu names class %s of "
                        "another runtime",
                        lbi_generic_label(g), method, i, s->cls->name);
    return LB_OK;
}

static lb_status check_method(const lb_generic *g, const lb_method *m)
{
    if (m == NULL || m->fn == NULL || m->name == NULL)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s: a rule whose method is NULL or lacks its function "
                        "or name",
                        lbi_generic_label(g));
    if (m->abi != LB_ABI)
        return lbi_fail(LB_BAD_ABI,
                        "%s: method %s was built for LB_ABI %u, this library "
                        "has LB_ABI %u",
                        lbi_generic_label(g), m->name ? m->name : "?", m->abi,
                        (unsigned)LB_ABI);
    if (m->flags & LB_BOXED)
        return LB_OK;
    if (g->boxed)
        return lbi_fail(LB_BAD_SIGNATURE,
                        "%s is boxed, method %s is not: define it by "
                        "LB_BOXED_METHOD",
                        lbi_generic_label(g), m->name);
    if (m->signature && strcmp(m->signature, g->signature->text) != 0)
        return lbi_fail(LB_BAD_SIGNATURE, "%s is %s, method %s is %s",
                        lbi_generic_label(g), g->signature->text, m->name,
                        m->signature);
    return LB_OK;
}

/* For messages; a rule to be removed need not say its method. */
static const char *name_of(const lb_rule *rule)
{
    return rule->method && rule->method->name ? rule->method->name : "?";
}

static lb_status check_arity(const lb_generic *g, const lb_rule *rule)
{
    const char *name = name_of(rule);
    if (rule->count && rule->specializers == NULL)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: %zu specializers, but the array is "
                        "NULL",
                        lbi_generic_label(g), name, rule->count);
    if (!g->boxed &&
        (rule->count > g->dispatched || rule->optional || rule->rest))
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: a typed generic function dispatches "
                        "on exactly %u arguments",
                        lbi_generic_label(g), name, g->dispatched);
    if (rule->optional > rule->count)
        return lbi_fail(
            LB_BAD_ARGUMENT, "%s, method %s: %zu optional of %zu arguments",
            lbi_generic_label(g), name, rule->optional, rule->count);
    if (rule->count > UINT16_MAX)
        return lbi_fail(LB_BAD_ARGUMENT, "%s, method %s: %zu arguments",
                        lbi_generic_label(g), name, rule->count);
    return LB_OK;
}

static lb_status check_specializers(const lb_generic *g, const lb_rule *rule)
{
    const char *name = name_of(rule);
    lb_status status = LB_OK;
    for (size_t i = 0; i < rule->count && status == LB_OK; i++) {
        status = check_specializer(g, name, &rule->specializers[i], i);
        if (status == LB_OK && i >= g->dispatched &&
            rule->specializers[i].kind != LB_ANY)
            status = lbi_fail(LB_BAD_ARGUMENT,
                              "%s, method %s: specializer %zu must be LB_ANY: "
                              "only %u arguments are dispatched on",
                              lbi_generic_label(g), name, i, g->dispatched);
    }
    if (status == LB_OK && rule->rest) {
        status = check_specializer(g, name, rule->rest, rule->count);
        if (status == LB_OK && lbi_spec_conditional(rule->rest))
            status = lbi_fail(LB_BAD_ARGUMENT,
                              "%s, method %s: `rest` must be LB_ANY or LB_IS",
                              lbi_generic_label(g), name);
    }
    return status;
}

static lb_status check_modes(const lb_generic *g, const lb_rule *rule)
{
    const char *name = name_of(rule);
    if ((unsigned)rule->qualifier > LB_AROUND)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: qualifier %d; want LB_PRIMARY, "
                        "LB_BEFORE, LB_AFTER or LB_AROUND",
                        lbi_generic_label(g), name, (int)rule->qualifier);
    if ((unsigned)rule->propagate > LB_AT_END)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: propagate %d; want "
                        "LB_PROPAGATE_NONE, LB_AT_START or LB_AT_END",
                        lbi_generic_label(g), name, (int)rule->propagate);
    if (!rule->commutative)
        return LB_OK;
    if (g->dispatched < 2 || (g->boxed && rule->count - rule->optional < 2))
        return lbi_fail(LB_BAD_ARGUMENT,
                        "%s, method %s: a commutative rule needs two "
                        "dispatched arguments",
                        lbi_generic_label(g), name);
    if (g->signature->swap_call == NULL)
        return lbi_fail(LB_BAD_SIGNATURE,
                        "%s, method %s: commutative rules need LB_COMMUTES "
                        "and LB_DEFINE_COMMUTATIVE",
                        lbi_generic_label(g), name);
    return LB_OK;
}

lb_status lbi_rule_check(const lb_generic *g, const lb_rule *rule)
{
    const lb_status status = check_method(g, rule->method);
    return status == LB_OK ? lbi_rule_check_key(g, rule) : status;
}

lb_status lbi_rule_check_key(const lb_generic *g, const lb_rule *rule)
{
    lb_status status;
    if ((status = check_arity(g, rule)) != LB_OK ||
        (status = check_specializers(g, rule)) != LB_OK)
        return status;
    return check_modes(g, rule);
}

/* ---- sameness ----------------------------------------------------------- */

static bool same_specializer(const lb_specializer *a, const lb_specializer *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == LB_ANY)
        return true;
    if (a->cls != b->cls)
        return false;
    if (a->kind == LB_WHERE)
        return a->predicate == b->predicate;
    return a->kind != LB_EQL ||
           (a->value.bits == b->value.bits && a->equal == b->equal &&
            a->equal_context == b->equal_context);
}

static const lb_specializer *specializer_at(const lb_rule *rule, size_t i)
{
    static const lb_specializer any = {.kind = LB_ANY};
    return i < rule->count ? &rule->specializers[i] : &any;
}

/* How many specializers count: a typed rule's missing ones are LB_ANY. */
static size_t width(const lb_generic *g, const lb_rule *rule)
{
    return g->boxed ? rule->count : g->dispatched;
}

static bool same_key(const lb_generic *g, const lb_rule *a, const lb_rule *b)
{
    const size_t count = width(g, a);
    if (count != width(g, b) || a->optional != b->optional ||
        a->qualifier != b->qualifier || !a->rest != !b->rest)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!same_specializer(specializer_at(a, i), specializer_at(b, i)))
            return false;
    return a->rest == NULL || same_specializer(a->rest, b->rest);
}

static bool same_content(const lb_rule *a, const lb_rule *b)
{
    return a->method == b->method && a->propagate == b->propagate &&
           !a->commutative == !b->commutative && a->context == b->context &&
           a->release == b->release;
}

static uint64_t hash_specializer(uint64_t hash, const lb_specializer *s)
{
    hash = lbi_hash_more(hash, (uint64_t)s->kind);
    if (s->kind == LB_ANY)
        return hash;
    hash = lbi_hash_more(hash, (uint64_t)(uintptr_t)s->cls);
    if (s->kind == LB_EQL)
        return lbi_hash_more(hash, s->value.bits);
    return lbi_hash_more(
        hash, s->kind == LB_WHERE ? (uint64_t)(uintptr_t)s->predicate : 0);
}

static uint64_t hash_rule(const lb_generic *g, const lb_rule *rule)
{
    uint64_t hash = rule->optional * 4 + (uint64_t)rule->qualifier;
    for (size_t i = 0; i < width(g, rule); i++)
        hash = hash_specializer(hash, specializer_at(rule, i));
    return rule->rest ? hash_specializer(hash + 1, rule->rest) : hash;
}

lbi_rule *lbi_rule_find(lb_generic *g, const lb_rule *rule)
{
    const uint64_t hash = hash_rule(g, rule);
    for (lbi_link *l = lbi_map_chain(&g->rules, hash); l; l = l->next) {
        lbi_rule *record = (lbi_rule *)l;
        if (l->hash == hash && record->active &&
            same_key(g, &record->given, rule))
            return record;
    }
    return NULL;
}

/* ---- records ------------------------------------------------------------ */

static lbi_rule *find_record(lb_generic *g, const lb_rule *rule, uint64_t hash)
{
    for (lbi_link *l = lbi_map_chain(&g->rules, hash); l; l = l->next) {
        lbi_rule *record = (lbi_rule *)l;
        if (l->hash == hash && same_content(&record->given, rule) &&
            same_key(g, &record->given, rule))
            return record;
    }
    return NULL;
}

static bool is_conditional(const lb_rule *rule)
{
    for (size_t i = 0; i < rule->count; i++)
        if (lbi_spec_conditional(&rule->specializers[i]))
            return true;
    return rule->rest && rule->rest->kind != LB_ANY;
}

static bool has_flipped_form(const lb_generic *g, const lb_rule *rule)
{
    return rule->commutative && g->dispatched > 1 &&
           !same_specializer(specializer_at(rule, 0), specializer_at(rule, 1));
}

static void lay_out(lbi_rule *record, lb_generic *g, const lb_rule *rule)
{
    lbi_form **links = (lbi_form **)(record + 1);
    lb_specializer *specializers =
        (lb_specializer *)(links + 2 * g->dispatched);
    record->given = *rule;
    record->given.specializers = specializers;
    if (rule->count)
        memcpy(specializers, rule->specializers,
               rule->count * sizeof *specializers);
    if (rule->rest) {
        specializers[rule->count] = *rule->rest;
        record->given.rest = &specializers[rule->count];
    }
    record->generic = g;
    record->conditional = is_conditional(rule);
    record->form_count = has_flipped_form(g, rule) ? 2 : 1;
    record->forms[0] = (lbi_form){record, false, links};
    record->forms[1] = (lbi_form){record, true, links + g->dispatched};
}

static void idle(lbi_rule *record)
{
    lb_generic *g = record->generic;
    record->previous_idle = NULL;
    record->next_idle = g->idle;
    if (g->idle)
        g->idle->previous_idle = record;
    g->idle = record;
    g->idle_count++;
}

static void leave_idle(lbi_rule *record)
{
    lb_generic *g = record->generic;
    if (record->previous_idle)
        record->previous_idle->next_idle = record->next_idle;
    else
        g->idle = record->next_idle;
    if (record->next_idle)
        record->next_idle->previous_idle = record->previous_idle;
    g->idle_count--;
}

lbi_rule *lbi_rule_make(lb_generic *g, const lb_rule *rule)
{
    const uint64_t hash = hash_rule(g, rule);
    /* Each adding of a rule with a release hook is owed a release of its own. */
    lbi_rule *record = rule->release ? NULL : find_record(g, rule, hash);
    if (record) {
        record->pins++;
        return record;
    }
    const size_t size = sizeof *record +
                        2 * g->dispatched * sizeof(lbi_form *) +
                        (rule->count + 1) * sizeof(lb_specializer);
    if (!lbi_map_reserve(&g->rules, &g->runtime->allocator, 1))
        return NULL;
    record = lbi_block_alloc(g->runtime, size);
    if (record == NULL)
        return NULL;
    lay_out(record, g, rule);
    record->size = size;
    record->pins = 1;
    record->interned = true;
    g->rule_bytes += size;
    lbi_map_add(&g->rules, &record->by_key, hash);
    idle(record);
    return record;
}

void lbi_rule_unpin(lbi_rule *rule)
{
    rule->pins--;
}

bool lbi_rules_reserve(lb_generic *g, size_t more)
{
    return lbi_reserve(&g->runtime->allocator, &g->active, &g->active_capacity,
                       g->active_count + more, sizeof *g->active);
}

void lbi_rule_count_references(const lbi_rule *rule, size_t by)
{
    for (size_t i = 0; i < rule->given.count; i++) {
        lb_class *cls = lbi_spec_class(&rule->given.specializers[i]);
        if (cls)
            cls->references += by;
    }
    if (rule->given.rest && lbi_spec_class(rule->given.rest))
        rule->given.rest->cls->references += by;
}

void lbi_rule_activate(lbi_rule *rule, uint64_t sequence)
{
    lb_generic *g = rule->generic;
    leave_idle(rule);
    rule->active = rule->was_active = true;
    rule->sequence = sequence;
    rule->place = g->active_count;
    g->active[g->active_count++] = rule;
    g->conditional_count += rule->conditional;
    g->commutative_count += rule->form_count > 1;
    lbi_rule_count_references(rule, 1);
}

void lbi_rule_deactivate(lbi_rule *rule)
{
    lb_generic *g = rule->generic;
    g->active[rule->place] = g->active[--g->active_count];
    g->active[rule->place]->place = rule->place;
    rule->active = false;
    g->conditional_count -= rule->conditional;
    g->commutative_count -= rule->form_count > 1;
    lbi_rule_count_references(rule, (size_t)-1);
    idle(rule);
}

/* ---- letting go --------------------------------------------------------- */

static void unintern(lbi_rule *rule)
{
    if (rule->interned)
        lbi_map_remove(&rule->generic->rules, &rule->by_key);
    rule->interned = false;
}

static bool is_dying(const lb_class *cls)
{
    return cls && cls->name == NULL;
}

void lbi_rules_forget_classes(lb_generic *g)
{
    for (lbi_rule *r = g->idle; r; r = r->next_idle) {
        if (!r->interned)
            continue; /* its class may be gone already */
        bool dying = r->given.rest && is_dying(lbi_spec_class(r->given.rest));
        for (size_t i = 0; i < r->given.count; i++)
            dying |= is_dying(lbi_spec_class(&r->given.specializers[i]));
        if (dying)
            unintern(r);
    }
}

static void forget_rule(lb_runtime *runtime, void *content)
{
    lbi_rule *rule = content;
    lbi_block_release(runtime, rule,
                      rule->was_active ? rule->given.release : NULL,
                      rule->given.context);
}

static void retire_rule(lbi_rule *rule)
{
    lb_generic *g = rule->generic;
    unintern(rule);
    leave_idle(rule);
    g->rule_bytes -= rule->size;
    lbi_retire(g->runtime, rule, forget_rule);
}

void lbi_rules_collect(lb_generic *g)
{
    lbi_rule *next;
    for (lbi_rule *rule = g->idle; rule; rule = next) {
        next = rule->next_idle;
        if (!rule->reached && rule->pins == 0)
            retire_rule(rule);
    }
}

void lbi_rules_end(lb_generic *g)
{
    while (g->active_count)
        lbi_rule_deactivate(g->active[0]);
    for (lbi_rule *r = g->idle; r; r = r->next_idle)
        r->reached = false;
    lbi_rules_collect(g);
    lbi_map_free(&g->rules, &g->runtime->allocator);
    lbi_free(&g->runtime->allocator, g->active,
             g->active_capacity * sizeof *g->active);
}
