/* generic/plan.h - calls whose method depends on values, not only classes. */
#ifndef LBI_GENERIC_PLAN_H
#define LBI_GENERIC_PLAN_H

#include "generic/match.h"

/* The forms that fit the classes of one key, to be asked about values. */
struct lbi_plan {
    lbi_plan *next, *previous; /* of the generic function */
    lb_generic *generic;
    lbi_record *record; /* that refers to it, or NULL */
    uint32_t users;     /* calls that ask it now, without the lock */
    bool stale;
    size_t count;
    lbi_form *forms[]; /* their rules are pinned */
};

/* A plan for these matches, kept by `record` (NULL: by the call only). NULL
 * without memory. Under the lock, as everything here but lbi_plan_ask. */
lbi_plan *lbi_plan_make(lb_generic *generic, const lbi_matches *matches,
                        lbi_record *record);
void lbi_plan_use(lbi_plan *plan);
void lbi_plan_leave(lbi_plan *plan);
/* All plans of a generic function are out of date. */
void lbi_plans_drop(lb_generic *generic);

/* Asks the values of `call`: holds[i] for form i. False: a predicate or an
 * equality failed. Without the lock. */
bool lbi_plan_ask(const lbi_plan *plan, const lbi_call *call, char *holds);

/* 1, 0 or -1 (failed): whether the conditions of one form hold; *failed is the
 * position of the first that does not. */
int lbi_form_holds(const lb_generic *generic, const lbi_form *form,
                   const lbi_call *call, uint32_t *failed);

#endif
