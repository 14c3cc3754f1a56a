/* inspect/account.h - what each rule is to one call. */
#ifndef LBI_INSPECT_ACCOUNT_H
#define LBI_INSPECT_ACCOUNT_H

#include "base/text.h"
#include "generic/match.h"
#include "inspect/hold.h"
#include "latebind/inspect.h"

/* One form of a rule in one call. */
typedef struct lbi_case {
    lbi_match match; /* ranks are set where it is applicable */
    lb_verdict verdict;
    uint32_t argument; /* where it failed, from 0 */
    uint32_t rank;     /* place in the chain, or among those that run along */
    size_t index;      /* place in the order of definition */
    size_t number;     /* of its rule, in the order of definition */
    bool applicable;
    bool placed;         /* the effective method runs it */
    bool needless;       /* flipped, but its rule applies as it stands */
    bool failed;         /* its predicate or equality failed */
    bool unknowable;     /* depends on arguments that were not given at all */
    const lb_rule *copy; /* for an explanation */
} lbi_case;

typedef struct lbi_account {
    lb_generic *generic;
    lbi_call call;
    lbi_held held;
    lbi_case *cases;
    size_t count;
    size_t unknown;   /* cases that depend on values */
    bool failed;      /* a predicate or an equality did */
    lb_status status; /* of the call */
    bool combined;    /* the primaries are folded, not chained */
} lbi_account;

/* Holds the rules and makes room for their cases. Under the lock, as all but
 * lbi_account_ask. False without memory. */
bool lbi_account_open(lbi_account *account, lb_generic *generic);
void lbi_account_close(lbi_account *account);

/* Judges every form by arity and classes, in the order of definition. Those
 * whose values matter are left as LB_UNKNOWN_VALUE, counted in `unknown`. */
void lbi_account_judge(lbi_account *account, const lbi_call *call);

/* Asks the values that are still unknown. User code: without the lock, unless
 * the call has no values, in which case nobody is asked. */
void lbi_account_ask(lbi_account *account);

/* Finds the effective method and each form's part in it. LB_NO_MEMORY. */
lb_status lbi_account_settle(lbi_account *account);

/* Puts the cases into the order in which an explanation shows them. */
void lbi_account_sort(lbi_account *account);

/* Back into the order of definition, for the next call. */
void lbi_account_unsort(lbi_account *account);

/* In words, several lines; the cases are sorted. `full`: with the rules that
 * are not applicable. */
void lbi_account_write(lbi_text *text, const lbi_account *account, bool full);

#endif
