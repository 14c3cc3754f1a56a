/* operators/window.h - how many windows fit: for convolution and pooling. */
#ifndef LBO_OPERATORS_WINDOW_H
#define LBO_OPERATORS_WINDOW_H

#include "operators/run.h"

/* Windows of `kernel` elements, `dilation` apart, that begin every `stride` in
 * `size` elements with `padding` on both sides. `along` is for messages: "rows".
 * LB_BAD_ARGUMENT: a number out of range, or not even one window. */
lb_status lboi_windows(const char *along, int64_t size, int64_t kernel,
                       int64_t stride, int64_t padding, int64_t dilation,
                       int64_t *result);

/* LB_BAD_ARGUMENT unless the tensor has `ndim` dimensions; `form` is what they
 * are, e.g. "[n, c, h, w]". */
lb_status lboi_want_form(const lbo_tensor *tensor, const char *name,
                         size_t ndim, const char *form);

/* LB_BAD_ARGUMENT unless the tensor is of that type (shape), which is that of
 * `whose`. */
lb_status lboi_want_type(const lbo_tensor *tensor, const char *name, int dtype,
                         const char *whose);
lb_status lboi_want_shape(const lbo_tensor *tensor, const char *name,
                          size_t ndim, const int64_t *shape, const char *whose);

#endif
