/* base/text.h - text that grows. */
#ifndef LBI_BASE_TEXT_H
#define LBI_BASE_TEXT_H

#include "base/alloc.h"

/* After a failed allocation `failed` is set and further text is dropped, so
 * that writers need to check only once, at the end. */
typedef struct lbi_text {
    lbi_allocator *allocator;
    char *at;
    size_t length;
    size_t capacity;
    bool failed;
} lbi_text;

void lbi_text_init(lbi_text *text, lbi_allocator *allocator);
void lbi_text_put(lbi_text *text, const char *string);
__attribute__((format(printf, 2, 3))) void
lbi_text_print(lbi_text *text, const char *format, ...);

/* Hands the text over as an allocation of exactly its length plus one, or
 * frees it and returns NULL when memory was short. */
char *lbi_text_take(lbi_text *text);
void lbi_text_drop(lbi_text *text);

#endif
