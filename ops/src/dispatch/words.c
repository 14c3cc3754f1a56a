/* words.c - what messages are made of. */
#include "dispatch/words.h"

#include <stdio.h>
#include <string.h>

const char *lboi_shape_text(size_t ndim, const int64_t *shape, char *text,
                            size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");

    for (size_t i = 0; i < ndim && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld",
                                 i > 0 ? ", " : "", (long long)shape[i]);
    if (used < size)
        (void)snprintf(text + used, size - used, "]");
    return text;
}

const char *lboi_input_name(const lbo_operator *op, uint32_t index, char *text,
                            size_t size)
{
    const char *word = op->spec.in_names;

    for (uint32_t i = 0; word != NULL && i < index; i++) {
        word = strchr(word, ' ');
        word = word == NULL ? NULL : word + 1;
    }
    if (word == NULL)
        (void)snprintf(text, size, "input %u", (unsigned)index);
    else
        (void)snprintf(text, size, "%.*s", (int)strcspn(word, " "), word);
    return text;
}
