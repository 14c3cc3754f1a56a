/* dispatch/general.h - what runs where no kernel is written for the types. */
#ifndef LBO_DISPATCH_GENERAL_H
#define LBO_DISPATCH_GENERAL_H

#include "library.h"

extern const lb_method *const lboi_general_unary;
extern const lb_method *const lboi_general_binary;

/* The error for a call that no kernel suits: operator, classes, the nearest
 * kernels there are. `entry` NULL: the general method has given up. */
lb_status lboi_no_kernel(lbo_context *context, const lbo_call *call,
                         const lb_entry *entry);

#endif
