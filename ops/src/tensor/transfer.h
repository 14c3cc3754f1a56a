/* tensor/transfer.h - elements from one tensor to another, between devices. */
#ifndef LBO_TENSOR_TRANSFER_H
#define LBO_TENSOR_TRANSFER_H

#include "library.h"

/* Copies all elements. Both have one shape and one type, but any strides and
 * devices; they overlap not at all, or are the same view. */
lb_status lboi_transfer(lbo_context *context, lbo_tensor *to, lbo_tensor *from);

#endif
