/* tensor/convert.h - elements of any type into any other, on the host. */
#ifndef LBO_TENSOR_CONVERT_H
#define LBO_TENSOR_CONVERT_H

#include "library.h"

/* Converts `count` elements; steps in bytes, of any sign. */
typedef void lboi_convert_fn(char *to, int64_t to_step, const char *from,
                             int64_t from_step, int64_t count);

/* The one for a pair of types (both valid). */
lboi_convert_fn *lboi_converter(lbo_dtype to, lbo_dtype from);

/* Converts all elements of `from` into `to`, of the same shape, both in memory
 * of the host; they overlap not at all, or are the same view. */
void lboi_convert_host(lbo_tensor *to, lbo_tensor *from);

/* Sets all elements to the one at `element`, which is of the tensor's type. */
void lboi_fill_host(lbo_tensor *to, const void *element);

/* Truncated; what does not fit becomes the nearest that does, NaN 0. */
static inline int64_t lboi_i64_of(double value)
{
    if (value >= -0x1p63 && value < 0x1p63)
        return (int64_t)value;
    return value > 0 ? INT64_MAX : value < 0 ? INT64_MIN : 0;
}

#endif
