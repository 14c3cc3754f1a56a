/* inspect/markup.c - escaping. Everything that a user named goes through it. */
#include "inspect/markup.h"

/* What stands for a byte that must not stand there itself; NULL: itself. */
static const char *html_for(unsigned char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n': /* a line break within a title */
        return "&#10;";
    default:
        return byte < ' ' || byte == 0x7f ? "&#65533;" : NULL;
    }
}

static const char *dot_for(unsigned char byte)
{
    switch (byte) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    default:
        return byte < ' ' || byte == 0x7f ? " " : NULL;
    }
}

static void put(lbi_text *text, const char *string,
                const char *(*replace)(unsigned char byte))
{
    while (*string) {
        size_t plain = 0;
        while (string[plain] && replace((unsigned char)string[plain]) == NULL)
            plain++;
        if (plain)
            lbi_text_print(text, "%.*s", (int)plain, string);
        string += plain;
        if (*string)
            lbi_text_put(text, replace((unsigned char)*string++));
    }
}

void lbi_put_html(lbi_text *text, const char *string)
{
    put(text, string, html_for);
}

void lbi_put_dot(lbi_text *text, const char *string)
{
    put(text, string, dot_for);
}

/* Rounded to what the eye takes in: 999, 1.2k, 35k, 6.5M. */
void lbi_put_count(lbi_text *text, uint64_t count)
{
    static const char units[] = " kMGTPE";
    unsigned unit = 0;
    double shown = (double)count;
    while (shown >= 999.5) {
        shown /= 1000;
        unit++;
    }
    lbi_text_print(text, "%.*f", unit && shown < 9.95 ? 1 : 0, shown);
    if (unit)
        lbi_text_print(text, "%c", units[unit]);
}
