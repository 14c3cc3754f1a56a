/* dispatch/words.h - what messages are made of. Both give `text`. */
#ifndef LBO_DISPATCH_WORDS_H
#define LBO_DISPATCH_WORDS_H

#include "library.h"

/* "[32, 64]" */
const char *lboi_shape_text(size_t ndim, const int64_t *shape, char *text,
                            size_t size);

/* The word number `index` of the operator's "input weight bias"; else "input 3".
 */
const char *lboi_input_name(const lbo_operator *op, uint32_t index, char *text,
                            size_t size);

#endif
