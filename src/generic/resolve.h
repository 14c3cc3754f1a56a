/* generic/resolve.h - the slow path. */
#ifndef LBI_GENERIC_RESOLVE_H
#define LBI_GENERIC_RESOLVE_H

#include "generic/match.h"

/* The key of a call: for a boxed generic function the number of arguments
 * comes first, and missing ones have a header of their own. */
typedef struct lbi_heads {
    lb_header heads[LB_MAX_DISPATCH];
} lbi_heads;

/* Takes the headers of a typed call's arguments. */
void lbi_heads_read(const lb_generic *generic, const lb_argument *arguments,
                    lbi_heads *heads, lbi_call *call);

/* The key of a boxed call; false (with the reason in *status) when there is
 * none. `call` gets argc, argv and the values. */
bool lbi_heads_boxed(lb_generic *generic, size_t argc, const lb_value *argv,
                     lbi_heads *heads, lbi_call *call, lb_status *status);

/* The entry for a key: second level, else resolved and stored. Never NULL. */
const lb_entry *lbi_resolve(lb_generic *generic, const lbi_heads *heads,
                            lbi_call *call);

/* Fast path, then slow path. */
const lb_entry *lbi_look_up(lb_generic *generic, const lbi_heads *heads,
                            lbi_call *call);

/* Fills call->classes from the key; false: an argument has no living class.
 * Under the lock. */
bool lbi_classes_of(const lb_generic *generic, const lbi_heads *heads,
                    lbi_call *call);

#endif
