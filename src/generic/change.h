/* generic/change.h - changing rules, all or nothing. */
#ifndef LBI_GENERIC_CHANGE_H
#define LBI_GENERIC_CHANGE_H

#include "generic/generic.h"

/* One step of a change: `rule` comes or goes. */
typedef struct lbi_edit {
    lbi_rule *rule; /* pinned by the caller */
    bool remove;
    lb_group *group;    /* that the rule comes with, NULL: none */
    bool was_active;    /* filled in: for taking it back */
    lbi_rule *replaced; /* filled in: what an added rule replaced */
    uint64_t sequence;  /* filled in: for taking it back */
    bool done;          /* filled in: something changed */
} lbi_edit;

/* Carries out the edits in order, in one step, under the lock. `strict`: an
 * ambiguity that they bring undoes them (LB_AMBIGUOUS). */
lb_status lbi_change(lbi_edit *edits, size_t count, bool strict);

/* What changes of classes and memory need, for every generic function. */
void lbi_forget_stamped(lb_runtime *runtime, uint64_t stamp);
void lbi_forget_dying(lb_runtime *runtime);
void lbi_collect(lb_generic *generic);

#endif
