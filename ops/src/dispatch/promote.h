/* dispatch/promote.h - the type that several inputs have in common. */
#ifndef LBO_DISPATCH_PROMOTE_H
#define LBO_DISPATCH_PROMOTE_H

#include "library.h"

/* The type that the promoted inputs of a call have in common, weak ones taken
 * as such; integers become f32 where the operator says so. */
lbo_dtype lboi_common_dtype(const lbo_call *call);

#endif
