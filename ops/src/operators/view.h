/* operators/view.h - views for the library's own use, without a call. */
#ifndef LBO_OPERATORS_VIEW_H
#define LBO_OPERATORS_VIEW_H

#include "operators/run.h"

/* What the operator slice gives; no history, no layers. */
lb_status lboi_slice_view(lbo_tensor *x, const lbo_slice_attributes *slice,
                          lbo_tensor **result);

#endif
