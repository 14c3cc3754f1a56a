/* generic/generic.h - what a generic function and a rule are made of. */
#ifndef LBI_GENERIC_GENERIC_H
#define LBI_GENERIC_GENERIC_H

#include "base/hash.h"
#include "core/class.h"
#include "core/ids.h"
#include "core/reclaim.h"
#include "core/second.h"
#include "core/table.h"

typedef struct lbi_rule lbi_rule;
typedef struct lbi_form lbi_form;
typedef struct lbi_plan lbi_plan;
typedef struct lbi_bucket lbi_bucket;

/* A rule as it is applied: straight, or with its first two exchanged. */
struct lbi_form {
    lbi_rule *rule;
    bool swapped;
    lbi_form **next; /* one per position: the next form in the same bucket */
};

/* A rule's record. It outlives the rule's place in its generic function for as
 * long as an entry names it; adding an equal rule again revives it. */
struct lbi_rule {
    lbi_link by_key; /* first member: the hash of what makes rules the same */
    lb_rule given;   /* with arrays of its own */
    lb_generic *generic;
    lb_group *group;   /* that it came with, or NULL */
    uint64_t sequence; /* order of definition */
    size_t place;      /* in generic->active */
    size_t size;       /* of the record */
    uint32_t pins;     /* held by a group or a running change */
    bool active;
    bool interned;     /* to be found by its key */
    bool reached;      /* mark of a collection */
    uint64_t reported; /* mark of a search for ambiguities */
    bool conditional;  /* values matter, not only classes */
    unsigned form_count;
    lbi_form forms[2];
    bool was_active;                     /* so its release hook is owed */
    lbi_rule *next_idle, *previous_idle; /* records that are not active */
};

/* Which forms mention a class at one position. */
struct lbi_bucket {
    lbi_link by_class; /* first member */
    const lb_class *cls;
    lbi_form *first;
    size_t count;
};

/* The reasons for which a chain can end. */
enum { LBI_ENDS = 9 };

typedef struct lbi_index {
    lbi_map buckets;
    lbi_form *open; /* forms that take any class here */
    size_t open_count;
} lbi_index;

struct lb_generic {
    lbi_link by_name; /* first member */
    lb_runtime *runtime;
    lb_generic *next, *previous;
    char *name; /* NULL: none */
    const lb_signature *signature;
    lb_head *head; /* own_head, or the typed generic's static one */
    lb_head own_head;
    lb_policy policy; /* precedence points to the array below */
    uint32_t precedence[LB_MAX_DISPATCH];
    bool boxed;
    unsigned dispatched; /* positions that select */
    unsigned keys;       /* handles per key: one more if boxed */
    lbi_table table;
    lbi_second second;
    uint64_t version;      /* lb_generic_version; written under the lock */
    uint64_t outside_hits; /* second-level hits since the last fit; atomic */
    uint64_t patience;     /* hits before another fit is tried */

    lbi_rule **active; /* no order; see sequence */
    size_t active_count, active_capacity;
    size_t coming; /* rules that a change in preparation adds */
    uint64_t next_sequence;
    uint64_t searches; /* for ambiguities, so far */
    size_t conditional_count, commutative_count;
    lbi_map rules; /* all interned records, active or not */
    lbi_rule *idle;
    size_t idle_count;
    size_t rule_bytes;
    lbi_index *index; /* one per dispatched argument */
    bool indexed;     /* index describes the active forms */

    lbi_map entries;     /* interned */
    size_t entries_left; /* after the last collection */
    size_t entry_bytes;
    lbi_plan *plans;
    size_t group_rules;      /* held by groups */
    lb_entry ends[LBI_ENDS]; /* where chains end, see lbi_chain_end */
    lb_entry bare[LBI_ENDS]; /* what a failing end runs: the fallback */
};

static inline const lb_specializer *lbi_spec(const lbi_form *form, unsigned i)
{
    static const lb_specializer any = {.kind = LB_ANY};
    const lb_rule *rule = &form->rule->given;
    if (form->swapped && i < 2)
        i = 1 - i;
    if (i < rule->count)
        return &rule->specializers[i];
    return rule->rest ? rule->rest : &any;
}

/* The class a specializer asks for, NULL: any. */
static inline lb_class *lbi_spec_class(const lb_specializer *s)
{
    return s->kind == LB_ANY ? NULL : s->cls;
}

static inline bool lbi_spec_conditional(const lb_specializer *s)
{
    return s->kind == LB_EQL || s->kind == LB_WHERE;
}

const char *lbi_generic_label(const lb_generic *generic);

/* Calls `name` for the generic functions of a runtime. Locked. */
#define LBI_EACH_GENERIC(g, runtime)                                           \
    for (lb_generic *g = (runtime)->first_generic; g; g = g->next)

#endif
