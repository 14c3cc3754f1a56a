/* generic/combine.h - the built-in method combinations. */
#ifndef LBI_GENERIC_COMBINE_H
#define LBI_GENERIC_COMBINE_H

#include "generic/generic.h"

/* Sets policy->combine for the signature's result type; LB_BAD_SIGNATURE, with
 * what would be accepted, when the combination cannot be used with it. */
lb_status lbi_combination_choose(const lb_signature *signature, bool boxed,
                                 lb_policy *policy);

#endif
