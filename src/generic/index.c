/* generic/index.c - forms by the class they ask for.
 *
 * For each position a hash map from class to the forms with that class there,
 * and a list of the forms that take any. Resolving walks the linearization of
 * the argument whose position separates the forms best, so that its cost
 * depends on the depth of the class, not on the number of methods. Few forms
 * are simply walked over.
 */
#include "generic/index.h"

enum { WORTH_AN_INDEX = 12 };

static lbi_bucket *find_bucket(const lbi_index *index, const lb_class *cls)
{
    const uint64_t hash = lbi_hash_pointer(cls);
    for (lbi_link *l = lbi_map_chain(&index->buckets, hash); l; l = l->next)
        if (((lbi_bucket *)l)->cls == cls)
            return (lbi_bucket *)l;
    return NULL;
}

static lbi_bucket *make_bucket(lb_generic *g, lbi_index *index,
                               const lb_class *cls)
{
    lbi_bucket *bucket = find_bucket(index, cls);
    lbi_allocator *allocator = &g->runtime->allocator;
    if (bucket || !lbi_map_reserve(&index->buckets, allocator, 1))
        return bucket;
    bucket = lbi_zalloc(allocator, sizeof *bucket);
    if (bucket) {
        bucket->cls = cls;
        lbi_map_add(&index->buckets, &bucket->by_class, lbi_hash_pointer(cls));
    }
    return bucket;
}

/* A form that accepts a missing argument here is open. */
static bool in_bucket(const lbi_form *form, const lb_class *cls, unsigned i)
{
    const lb_rule *rule = &form->rule->given;
    return cls && i < rule->count - rule->optional;
}

static bool add_form(lb_generic *g, lbi_form *form)
{
    for (unsigned i = 0; i < g->dispatched; i++) {
        lbi_index *index = &g->index[i];
        const lb_class *cls = lbi_spec_class(lbi_spec(form, i));
        lbi_form **list = &index->open;
        if (in_bucket(form, cls, i)) {
            lbi_bucket *bucket = make_bucket(g, index, cls);
            if (bucket == NULL)
                return false;
            list = &bucket->first;
            bucket->count++;
        } else {
            index->open_count++;
        }
        form->next[i] = *list;
        *list = form;
    }
    return true;
}

static bool add_rule(lb_generic *g, lbi_rule *rule)
{
    for (unsigned i = 0; i < rule->form_count; i++)
        if (!add_form(g, &rule->forms[i]))
            return false;
    return true;
}

void lbi_index_end(lb_generic *g)
{
    lbi_allocator *allocator = &g->runtime->allocator;
    for (unsigned i = 0; i < g->dispatched; i++) {
        lbi_index *index = &g->index[i];
        for (size_t b = 0; b < index->buckets.bucket_count; b++)
            while (index->buckets.buckets[b]) {
                lbi_link *item = index->buckets.buckets[b];
                index->buckets.buckets[b] = item->next;
                lbi_free(allocator, item, sizeof(lbi_bucket));
            }
        lbi_map_free(&index->buckets, allocator);
        *index = (lbi_index){0};
    }
    g->indexed = false;
}

bool lbi_index_ready(lb_generic *g)
{
    if (g->indexed)
        return true;
    lbi_index_end(g);
    for (size_t i = 0; i < g->active_count; i++)
        if (!add_rule(g, g->active[i])) {
            lbi_index_end(g);
            return false;
        }
    g->indexed = true;
    return true;
}

void lbi_index_add(lb_generic *g, lbi_rule *rule)
{
    if (g->indexed && !add_rule(g, rule))
        lbi_index_end(g);
}

/* The list that the form leaves. */
static lbi_form **list_of(lbi_index *index, const lbi_form *form, unsigned i)
{
    const lb_class *cls = lbi_spec_class(lbi_spec(form, i));
    if (!in_bucket(form, cls, i)) {
        index->open_count--;
        return &index->open;
    }
    lbi_bucket *bucket = find_bucket(index, cls);
    bucket->count--;
    return &bucket->first;
}

static void drop_empty_bucket(lb_generic *g, const lbi_form *form, unsigned i)
{
    lbi_index *index = &g->index[i];
    lbi_bucket *bucket = find_bucket(index, lbi_spec_class(lbi_spec(form, i)));
    if (bucket == NULL || bucket->first)
        return;
    lbi_map_remove(&index->buckets, &bucket->by_class);
    lbi_free(&g->runtime->allocator, bucket, sizeof *bucket);
}

void lbi_index_remove(lb_generic *g, lbi_rule *rule)
{
    for (unsigned f = 0; g->indexed && f < rule->form_count; f++)
        for (unsigned i = 0; i < g->dispatched; i++) {
            lbi_form **at = list_of(&g->index[i], &rule->forms[f], i);
            while (*at != &rule->forms[f])
                at = &(*at)->next[i];
            *at = (*at)->next[i];
            drop_empty_bucket(g, &rule->forms[f], i);
        }
}

lbi_form *lbi_index_bucket(const lb_generic *g, unsigned position,
                           const lb_class *cls)
{
    const lbi_bucket *bucket = find_bucket(&g->index[position], cls);
    return bucket ? bucket->first : NULL;
}

size_t lbi_index_count(const lb_generic *g, unsigned position,
                       const lb_class *cls)
{
    const lbi_bucket *bucket = find_bucket(&g->index[position], cls);
    return bucket ? bucket->count : 0;
}

bool lbi_each_form(const lb_generic *g, lbi_form_fn visit, void *context)
{
    for (size_t i = 0; i < g->active_count; i++)
        for (unsigned f = 0; f < g->active[i]->form_count; f++)
            if (!visit(context, &g->active[i]->forms[f]))
                return false;
    return true;
}

static bool visit_list(lbi_form *form, unsigned position, lbi_form_fn visit,
                       void *context)
{
    for (; form; form = form->next[position])
        if (!visit(context, form))
            return false;
    return true;
}

/* The position with the fewest forms that any class passes. */
static unsigned best_position(const lb_generic *g, lb_class *const *classes)
{
    unsigned best = 0;
    size_t fewest = SIZE_MAX;
    for (unsigned i = 0; i < g->dispatched; i++)
        if (classes[i] && g->index[i].open_count < fewest) {
            fewest = g->index[i].open_count;
            best = i;
        }
    return best;
}

bool lbi_index_candidates(lb_generic *g, lb_class *const *classes,
                          lbi_form_fn visit, void *context)
{
    if (g->active_count < WORTH_AN_INDEX || !lbi_index_ready(g))
        return lbi_each_form(g, visit, context);
    const unsigned p = best_position(g, classes);
    if (!visit_list(g->index[p].open, p, visit, context))
        return false;
    for (uint32_t i = 0; classes[p] && i < classes[p]->order_count; i++)
        if (!visit_list(lbi_index_bucket(g, p, classes[p]->order[i]), p, visit,
                        context))
            return false;
    return true;
}
