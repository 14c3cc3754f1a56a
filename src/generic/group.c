/* generic/group.c - rules that come and go in one step. */
#include "generic/group.h"

#include "generic/change.h"
#include "generic/rule.h"

struct lb_group {
    lb_runtime *runtime;
    lb_group *next, *previous; /* of the runtime */
    char *name;
    bool strict;
    lbi_edit *edits; /* each holds a pin on its rule */
    size_t count, capacity;
    size_t committed; /* the first so many are published */
};

const char *lbi_group_name(const lb_group *group)
{
    return group->name;
}

lb_status lb_group_create(lb_runtime *runtime, const char *name, int strict,
                          lb_group **result)
{
    if (runtime == NULL || name == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        !runtime ? "runtime"
                        : !name  ? "name"
                                 : "result");
    *result = NULL;
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    lb_group *group = lbi_zalloc(&runtime->allocator, sizeof *group);
    char *copy = lbi_copy_text(&runtime->allocator, name);
    if (group == NULL || copy == NULL) {
        lbi_free(&runtime->allocator, group, sizeof *group);
        lbi_free_text(&runtime->allocator, copy);
        return lbi_leave_runtime(runtime, lbi_no_memory());
    }
    group->runtime = runtime;
    group->name = copy;
    group->strict = strict != 0;
    group->next = runtime->first_group;
    if (group->next)
        group->next->previous = group;
    runtime->first_group = group;
    *result = group;
    return lbi_leave_runtime(runtime, LB_OK);
}

/* A group holds its rules' records; until it is committed also the classes that
 * they name, which afterwards the rules do that are in place. */
static void let_go(const lb_group *group, size_t which)
{
    lbi_rule *rule = group->edits[which].rule;
    if (which >= group->committed)
        lbi_rule_count_references(rule, (size_t)-1);
    rule->generic->group_rules--;
    lbi_rule_unpin(rule);
}

static lb_status add_locked(lb_group *group, lb_generic *g,
                            const lb_rule *rules, size_t count)
{
    lbi_allocator *allocator = &group->runtime->allocator;
    const size_t before = group->count;
    if (!lbi_reserve(allocator, &group->edits, &group->capacity,
                     group->count + count, sizeof *group->edits))
        return lbi_no_memory();
    for (size_t i = 0; i < count; i++) {
        lbi_rule *rule = lbi_rule_make(g, &rules[i]);
        if (rule == NULL) {
            while (group->count > before)
                let_go(group, --group->count);
            return lbi_no_memory();
        }
        group->edits[group->count++] = (lbi_edit){.rule = rule, .group = group};
        lbi_rule_count_references(rule, 1);
        g->group_rules++;
    }
    return LB_OK;
}

lb_status lb_group_add(lb_group *group, lb_generic *generic,
                       const lb_rule *rules, size_t count)
{
    lb_status status;
    if (group == NULL || generic == NULL || (rules == NULL && count))
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        !group     ? "group"
                        : !generic ? "generic"
                                   : "rules");
    if (generic->runtime != group->runtime)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "group %s and %s are of different runtimes",
                        group->name, lbi_generic_label(generic));
    for (size_t i = 0; i < count; i++)
        if ((status = lbi_rule_check(generic, &rules[i])) != LB_OK)
            return status;
    if ((status = lbi_enter_runtime(group->runtime)) != LB_OK)
        return status;
    return lbi_leave_runtime(group->runtime,
                             add_locked(group, generic, rules, count));
}

lb_status lb_group_commit(lb_group *group)
{
    if (group == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "group is NULL");
    lb_status status = lbi_enter_runtime(group->runtime);
    if (status != LB_OK)
        return status;
    if (group->count > group->committed)
        status = lbi_change(group->edits + group->committed,
                            group->count - group->committed, group->strict);
    if (status == LB_OK) {
        for (size_t i = group->committed; i < group->count; i++)
            lbi_rule_count_references(group->edits[i].rule, (size_t)-1);
        group->committed = group->count;
    }
    return lbi_leave_runtime(group->runtime, status);
}

static void unpin_edits(lb_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        lbi_rule *rule = group->edits[i].rule;
        if (rule->group == group)
            rule->group = NULL;
        let_go(group, i);
    }
}

static void free_group(lb_group *group)
{
    lb_runtime *runtime = group->runtime;
    if (group->previous)
        group->previous->next = group->next;
    else
        runtime->first_group = group->next;
    if (group->next)
        group->next->previous = group->previous;
    lbi_free(&runtime->allocator, group->edits,
             group->capacity * sizeof *group->edits);
    lbi_free_text(&runtime->allocator, group->name);
    lbi_free(&runtime->allocator, group, sizeof *group);
}

/* A rule that was replaced by somebody else's meanwhile is not active any
 * more, and removing it changes nothing. */
static lb_status remove_locked(lb_group *group)
{
    size_t kept = 0;
    for (size_t i = 0; i < group->count; i++) {
        lbi_rule *rule = group->edits[i].rule;
        if (i < group->committed && rule->group == group)
            group->edits[kept++] = (lbi_edit){.rule = rule, .remove = true};
        else
            let_go(group, i);
    }
    group->count = group->committed = kept;
    /* Removing reserves nothing, so it cannot fail. */
    unpin_edits(group); /* or the change could not collect them */
    lb_status status = lbi_change(group->edits, group->count, false);
    free_group(group);
    return status;
}

lb_status lb_group_remove(lb_group *group)
{
    if (group == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "group is NULL");
    lb_runtime *runtime = group->runtime;
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    return lbi_leave_runtime(runtime, remove_locked(group));
}

void lbi_groups_end(lb_runtime *runtime)
{
    while (runtime->first_group) {
        unpin_edits(runtime->first_group);
        free_group(runtime->first_group);
    }
}
