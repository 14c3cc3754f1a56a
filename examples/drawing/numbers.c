/* Numbers as SVG attributes write them.
 *
 * The digits are gathered into a 64-bit integer, of which nineteen always
 * fit; later ones only count towards the exponent.  The power of ten is
 * applied in long double, so the result may differ from strtod's in the last
 * bit; in return it depends on no locale and accepts no more than SVG does
 * (strtod takes "0x1p3", "inf" and "nan"). */
#include "numbers.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Exponents beyond this give zero or infinity whatever the digits. */
#define EXPONENT_MOST 9999

void skip_space(const char **at)
{
    while (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r' ||
           **at == '\f')
        ++*at;
}

void skip_comma(const char **at)
{
    skip_space(at);
    if (**at == ',') {
        ++*at;
        skip_space(at);
    }
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits of a number so far: value = mantissa * 10^exponent. */
typedef struct decimal {
    uint64_t mantissa;
    int exponent, digits; /* `digits` are kept, without leading zeros */
    bool any;
} decimal;

static void decimal_take(decimal *d, char c, bool fraction)
{
    d->any = true;
    if (d->digits < 19) {
        d->mantissa = d->mantissa * 10 + (uint64_t)(c - '0');
        d->digits += d->mantissa != 0;
        d->exponent -= fraction;
    } else if (!fraction && d->exponent < EXPONENT_MOST) {
        d->exponent++;
    }
}

/* An exponent at `p`, or nothing; returns where it ends. */
static const char *take_exponent(const char *p, int *exponent)
{
    const char *q = p + 1;
    if (*p != 'e' && *p != 'E')
        return p;
    bool negative = *q == '-';
    if (*q == '-' || *q == '+')
        q++;
    if (!digit(*q))
        return p;
    int value = 0;
    for (; digit(*q); q++)
        if (value < EXPONENT_MOST)
            value = value * 10 + (*q - '0');
    *exponent += negative ? -value : value;
    return q;
}

static double decimal_value(const decimal *d)
{
    long double power = 1, base = 10;
    int e = d->exponent < 0 ? -d->exponent : d->exponent;
    if (d->mantissa == 0)
        return 0;
    for (; e; e >>= 1, base *= base)
        if (e & 1)
            power *= base;
    long double m = (long double)d->mantissa;
    return (double)(d->exponent < 0 ? m / power : m * power);
}

bool read_number(const char **at, double *out)
{
    const char *p = *at;
    decimal d = {0, 0, 0, false};
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    for (; digit(*p); p++)
        decimal_take(&d, *p, false);
    if (*p == '.' && (d.any || digit(p[1])))
        for (p++; digit(*p); p++)
            decimal_take(&d, *p, true);
    if (!d.any)
        return false;
    p = take_exponent(p, &d.exponent);
    double value = decimal_value(&d);
    if (!isfinite(value))
        return false;
    *out = negative ? -value : value;
    *at = p;
    return true;
}

bool read_length(const char *text, double *out)
{
    static const struct {
        const char *name;
        double size;
    } units[] = {{"", 1},    {"px", 1},         {"pt", 96.0 / 72}, {"pc", 16},
                 {"in", 96}, {"mm", 96 / 25.4}, {"cm", 96 / 2.54}};
    skip_space(&text);
    double value;
    if (!read_number(&text, &value))
        return false;
    size_t size = strcspn(text, " \t\r\n");
    const char *rest = text + size;
    skip_space(&rest);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strlen(units[i].name) == size && *rest == '\0' &&
            strncmp(units[i].name, text, size) == 0) {
            *out = value * units[i].size;
            return true;
        }
    return false;
}
