/* memory.c - memory through the library's hook, and messages. */
#include "library.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *lboi_alloc(lbo_library *library, size_t size)
{
    void *const memory =
        library->reallocate == NULL
            ? malloc(size)
            : library->reallocate(library->allocator_context, NULL, 0, size);

    if (memory == NULL)
        (void)lbo_fail(LB_NO_MEMORY, "no memory for %zu bytes", size);
    return memory;
}

void *lboi_zalloc(lbo_library *library, size_t size)
{
    void *const memory = lboi_alloc(library, size);

    return memory == NULL ? NULL : memset(memory, 0, size);
}

void lboi_free(lbo_library *library, void *pointer, size_t size)
{
    if (pointer == NULL)
        return;
    if (library->reallocate == NULL)
        free(pointer);
    else
        library->reallocate(library->allocator_context, pointer, size, 0);
}

char *lboi_copy_text(lbo_library *library, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *const copy = lboi_alloc(library, size);

    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void lboi_free_text(lbo_library *library, char *text)
{
    if (text != NULL)
        lboi_free(library, text, strlen(text) + 1);
}

bool lboi_reserve(lbo_library *library, void *array_address, size_t *capacity,
                  size_t need, size_t item)
{
    void **const array = array_address;

    if (need <= *capacity)
        return true;
    const size_t room = need < 8 ? 8 : need + need / 2;
    void *const larger = lboi_alloc(library, room * item);
    if (larger == NULL)
        return false;
    if (*capacity > 0)
        memcpy(larger, *array, *capacity * item);
    lboi_free(library, *array, *capacity * item);
    *array = larger;
    *capacity = room;
    return true;
}

lb_status lbo_fail(lb_status status, const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return lb_fail_with(status, text);
}

void lboi_report(lbo_library *library, lb_status status, const char *format,
                 ...)
{
    char text[2048];
    va_list arguments;

    if (library->report == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    library->report(library->report_context, status, text);
}

void *lbo_scratch(lbo_context *context, size_t bytes)
{
    return lboi_alloc(context->library, bytes > 0 ? bytes : 1);
}

void lbo_scratch_free(lbo_context *context, void *memory, size_t bytes)
{
    lboi_free(context->library, memory, bytes > 0 ? bytes : 1);
}

void *lbo_allocate(lbo_library *library, size_t bytes)
{
    return lboi_alloc(library, bytes > 0 ? bytes : 1);
}

void lbo_deallocate(lbo_library *library, void *memory, size_t bytes)
{
    lboi_free(library, memory, bytes > 0 ? bytes : 1);
}

void lbo_report(lbo_library *library, lb_status status, const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lboi_report(library, status, "%s", text);
}
