/* base/text.c - growing text on the runtime's allocator. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void lbi_text_init(lbi_text *text, lbi_allocator *allocator)
{
    *text = (lbi_text){.allocator = allocator};
}

static bool make_room(lbi_text *text, size_t more)
{
    if (!text->failed &&
        !lbi_reserve(text->allocator, &text->at, &text->capacity,
                     text->length + more + 1, 1))
        text->failed = true;
    return !text->failed;
}

void lbi_text_put(lbi_text *text, const char *string)
{
    const size_t length = strlen(string);
    if (!make_room(text, length))
        return;
    memcpy(text->at + text->length, string, length + 1);
    text->length += length;
}

void lbi_text_print(lbi_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0 && make_room(text, (size_t)length)) {
        vsnprintf(text->at + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

char *lbi_text_take(lbi_text *text)
{
    char *result = NULL;
    if (make_room(text, 0)) {
        text->at[text->length] = '\0';
        result = lbi_resize(text->allocator, text->at, text->capacity,
                            text->length + 1);
    }
    if (result == NULL)
        lbi_text_drop(text);
    text->at = NULL;
    text->capacity = text->length = 0;
    return result;
}

void lbi_text_drop(lbi_text *text)
{
    lbi_free(text->allocator, text->at, text->capacity);
    text->at = NULL;
    text->capacity = text->length = 0;
}
