/* generic/boxed.h - the signature of boxed generic functions. */
#ifndef LBI_GENERIC_BOXED_H
#define LBI_GENERIC_BOXED_H

#include "generic/generic.h"

extern const lb_signature lbi_boxed_signature;

#endif
