/* inspect/ambiguities.h - all ambiguities of a generic function. */
#ifndef LBI_INSPECT_AMBIGUITIES_H
#define LBI_INSPECT_AMBIGUITIES_H

#include "inspect/hold.h"
#include "latebind/inspect.h"

typedef struct lbi_ambiguities {
    lbi_allocator *allocator;
    lb_ambiguity *at; /* by the later rule, each pair once */
    size_t count, capacity;
    bool failed;
} lbi_ambiguities;

/* Under the lock. The rules they name are held by `held`. LB_NO_MEMORY: there
 * is nothing to free. */
lb_status lbi_ambiguities_find(const lbi_held *held, lbi_ambiguities *all);
void lbi_ambiguities_free(lbi_ambiguities *all);

#endif
