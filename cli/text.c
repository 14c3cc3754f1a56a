/* Text that comes from outside: names of files, words of a trace. Nothing in
 * it is trusted to be printable, or to be UTF-8. */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

bool fault_set(fault *why, const char *file, uint64_t line, const char *format,
               ...)
{
    char what[600];
    va_list rest;
    va_start(rest, format);
    vsnprintf(what, sizeof what, format, rest);
    va_end(rest);
    if (line)
        snprintf(why->text, sizeof why->text, "%.300s:%" PRIu64 ": %s", file,
                 line, what);
    else
        snprintf(why->text, sizeof why->text, "%.300s: %s", file, what);
    return false;
}

shown show(const char *text)
{
    shown result;
    const size_t most = sizeof result.text - 4;
    size_t size = 0;
    for (; size < most && text[size]; size++)
        result.text[size] =
            text[size] >= ' ' && text[size] <= '~' ? text[size] : '?';
    strcpy(result.text + size, text[size] ? "..." : "");
    return result;
}

/* How many bytes the character at `text` has; 0: it is not UTF-8. */
static size_t character_size(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char first = text[0];
    const size_t size = first < 0x80             ? 1
                        : (first & 0xe0) == 0xc0 ? 2
                        : (first & 0xf0) == 0xe0 ? 3
                        : (first & 0xf8) == 0xf0 ? 4
                                                 : 0;
    uint32_t code = size > 1 ? first & (0x7fU >> size) : first;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return size && code >= least[size] && code <= 0x10ffff && !surrogate ? size
                                                                         : 0;
}

bool is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        const size_t size = character_size(at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

digits with_commas(uint64_t number)
{
    digits result;
    char plain[24];
    const int size = snprintf(plain, sizeof plain, "%" PRIu64, number);
    char *to = result.text;
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            *to++ = ',';
        *to++ = plain[i];
    }
    *to = '\0';
    return result;
}

static void write_json_character(FILE *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        fprintf(out, "\\%c", c);
    else if (c < ' ' || c == 0x7f)
        fprintf(out, "\\u%04x", c);
    else
        fputc(c, out);
}

static void write_html_character(FILE *out, unsigned char c)
{
    if (c == '<')
        fputs("&lt;", out);
    else if (c == '&')
        fputs("&amp;", out);
    else if (c == '"' || c == '\'')
        fprintf(out, "&#%d;", c);
    else
        fputc(c < ' ' ? ' ' : c, out);
}

/* Hands single bytes to `write_one`, longer characters to the file. */
static void write_text(FILE *out, const char *text, const char *replacement,
                       void (*write_one)(FILE *out, unsigned char c))
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        const size_t size = character_size(at);
        if (size == 1)
            write_one(out, *at);
        else if (size == 0)
            fputs(replacement, out);
        else
            fwrite(at, 1, size, out);
        at += size ? size : 1;
    }
}

void write_json_text(FILE *out, const char *text)
{
    write_text(out, text, "\\ufffd", write_json_character);
}

void write_html_text(FILE *out, const char *text)
{
    write_text(out, text, "&#xfffd;", write_html_character);
}
