/* format.c - tensors as text, laid out as NumPy does.
 *
 *   1. more than 1000 elements: of each dimension longer than six, the first
 *      and last three are shown; only these are fetched, corner by corner
 *   2. one notation for all numbers: whole ones without a point, else as many
 *      decimals as needed, four at most; with exponents where they differ too
 *      much (PyTorch's rule: beyond 10^8, below 10^-4, or by a factor of 1000)
 *   3. columns are as wide as the widest, lines are broken at 80
 */
#include "tensor/convert.h"
#include "tensor/transfer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EDGE = 3, FEW = 1000, MOST = 65536, LINE = 80, DECIMALS = 4 };

typedef struct printer {
    const lbo_tensor *whole;
    lbo_tensor *shown; /* on the CPU, row-major, of the sizes that are shown */
    bool cut;          /* long dimensions are cut */
    bool real, exponent;
    int decimals;
    size_t width;
    char *buffer;
    size_t capacity, length, column;
} printer;

/* ---- fetching ------------------------------------------------------------ */

static bool is_cut(const printer *p, int dim)
{
    return p->cut && p->whole->dims[dim] > 2 * EDGE;
}

/* False: more than anybody reads. */
static bool shown_spec(const printer *p, lbo_spec *spec)
{
    int64_t count = 1;

    spec->dtype = p->whole->dtype;
    spec->ndim = p->whole->ndim;
    memcpy(spec->shape, p->whole->dims, p->whole->ndim * sizeof(int64_t));
    for (int i = 0; i < p->whole->ndim; i++) {
        if (is_cut(p, i))
            spec->shape[i] = 2 * EDGE;
        count *= spec->shape[i];
        if (count > MOST)
            return false;
    }
    return true;
}

/* The first or last EDGE of each long dimension, by the bits of `corner`. */
static lb_status corner_view(const printer *p, lbo_tensor *tensor,
                             unsigned corner, lbo_tensor **result)
{
    const int64_t *const strides = lbo_strides(tensor);
    int64_t shape[LBO_MAX_DIMS], offset = 0;
    unsigned bit = 1;

    for (int i = 0; i < tensor->ndim; i++) {
        shape[i] = is_cut(p, i) ? EDGE : tensor->dims[i];
        if (!is_cut(p, i))
            continue;
        if (corner & bit)
            offset += (tensor->dims[i] - EDGE) * strides[i];
        bit <<= 1;
    }
    return lbo_tensor_view(tensor, offset, tensor->ndim, shape, strides,
                           result);
}

static lb_status fetch_corner(lbo_context *context, const printer *p,
                              lbo_tensor *whole, unsigned corner)
{
    lbo_tensor *from = NULL, *to = NULL;
    lb_status status = corner_view(p, whole, corner, &from);

    if (status == LB_OK)
        status = corner_view(p, p->shown, corner, &to);
    if (status == LB_OK)
        status = lboi_transfer(context, to, from);
    lbo_tensor_release(from);
    lbo_tensor_release(to);
    return status;
}

static lb_status fetch(lbo_context *context, printer *p, lbo_tensor *whole,
                       const lbo_spec *spec)
{
    unsigned corners = 1;
    lb_status status = lboi_tensor_new(context->library, spec,
                                       context->library->cpu, &p->shown);

    for (int i = 0; i < whole->ndim; i++)
        if (is_cut(p, i))
            corners <<= 1;
    for (unsigned corner = 0; corner < corners && status == LB_OK; corner++)
        status = fetch_corner(context, p, whole, corner);
    return status;
}

/* ---- numbers ------------------------------------------------------------- */

static const char *element(const printer *p, int64_t index)
{
    return (const char *)p->shown->data +
           index * (int64_t)lbo_dtype_size((lbo_dtype)p->shown->dtype);
}

static double real_at(const printer *p, int64_t index)
{
    double value;

    lboi_converter(LBO_F64, (lbo_dtype)p->shown->dtype)(
        (char *)&value, sizeof value, element(p, index), 0, 1);
    return value;
}

static int write_real(const printer *p, double value, char *text, size_t size)
{
    if (isnan(value))
        return snprintf(text, size, "nan");
    if (isinf(value))
        return snprintf(text, size, value > 0 ? "inf" : "-inf");
    return snprintf(text, size, p->exponent ? "%.*e" : "%.*f", p->decimals,
                    value);
}

static int write_element(const printer *p, int64_t index, char *text,
                         size_t size)
{
    int64_t integer;

    if (p->real)
        return write_real(p, real_at(p, index), text, size);
    if (p->shown->dtype == LBO_BOOL)
        return snprintf(text, size, *element(p, index) ? "True" : "False");
    lboi_converter(LBO_I64, (lbo_dtype)p->shown->dtype)(
        (char *)&integer, sizeof integer, element(p, index), 0, 1);
    return snprintf(text, size, "%lld", (long long)integer);
}

/* How many decimals the text of `value` needs, when it may have `most`. */
static int decimals_of(double value, bool exponent, int most)
{
    char text[400];
    const int wrote =
        snprintf(text, sizeof text, exponent ? "%.*e" : "%.*f", most, value);
    const char *const end =
        exponent ? strchr(text, 'e') : text + (wrote > 0 ? wrote : 0);
    int decimals = most;

    while (decimals > 0 && end[decimals - most - 1] == '0')
        decimals--;
    return decimals;
}

static void choose_notation(printer *p)
{
    double most = 0, least = INFINITY;

    for (int64_t i = 0; i < p->shown->size; i++) {
        const double size = fabs(real_at(p, i));
        if (!isfinite(size) || size == 0)
            continue;
        most = size > most ? size : most;
        least = size < least ? size : least;
    }
    bool whole = true;
    for (int64_t i = 0; i < p->shown->size && whole; i++) {
        const double value = real_at(p, i);
        whole = !isfinite(value) || value == nearbyint(value);
    }
    p->exponent =
        most > 0 &&
        (most >= 1e8 || (!whole && (least < 1e-4 || most / least > 1e3)));
    for (int64_t i = 0; i < p->shown->size && p->decimals < DECIMALS; i++) {
        const double value = real_at(p, i);
        const int wants =
            isfinite(value) ? decimals_of(value, p->exponent, DECIMALS) : 0;
        p->decimals = wants > p->decimals ? wants : p->decimals;
    }
}

static void find_width(printer *p)
{
    char text[400];

    for (int64_t i = 0; i < p->shown->size; i++) {
        const int wrote = write_element(p, i, text, sizeof text);
        if (wrote > 0 && (size_t)wrote > p->width)
            p->width = (size_t)wrote;
    }
}

/* ---- layout -------------------------------------------------------------- */

static void put(printer *p, const char *text)
{
    const size_t count = strlen(text);

    if (p->length + 1 < p->capacity) {
        const size_t room = p->capacity - 1 - p->length;
        memcpy(p->buffer + p->length, text, count < room ? count : room);
    }
    p->length += count;
    p->column += count;
}

static void put_spaces(printer *p, size_t count)
{
    while (count-- > 0)
        put(p, " ");
}

static void put_lines(printer *p, int count, size_t indent)
{
    while (count-- > 0)
        put(p, "\n");
    p->column = 0;
    put_spaces(p, indent);
}

/* One line further where the next item does not fit. */
static void make_room(printer *p, size_t width, size_t indent)
{
    if (p->column + 1 + width + 1 > LINE && p->column > indent)
        put_lines(p, 1, indent);
    else
        put(p, " ");
}

static void put_element(printer *p, int64_t index)
{
    char text[400];

    (void)write_element(p, index, text, sizeof text);
    put_spaces(p, p->width - strlen(text));
    put(p, text);
}

static void put_row(printer *p, int64_t first, size_t indent)
{
    const int dim = p->shown->ndim - 1;
    const int64_t count = p->shown->dims[dim];

    put(p, "[");
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) {
            put(p, ",");
            make_room(p, p->width, indent + 1);
        }
        if (i == EDGE && is_cut(p, dim)) {
            put(p, "...,");
            make_room(p, p->width, indent + 1);
        }
        put_element(p, first + i);
    }
    put(p, "]");
}

static void put_block(printer *p, int dim, int64_t first, size_t indent)
{
    const int inner = p->shown->ndim - 1 - dim;
    const int64_t step = lbo_strides(p->shown)[dim];

    if (inner == 0) {
        put_row(p, first, indent);
        return;
    }
    put(p, "[");
    for (int64_t i = 0; i < p->shown->dims[dim]; i++) {
        if (i > 0) {
            put(p, ",");
            put_lines(p, inner, indent + 1);
        }
        if (i == EDGE && is_cut(p, dim)) {
            put(p, "...,");
            put_lines(p, inner, indent + 1);
        }
        put_block(p, dim + 1, first + i * step, indent + 1);
    }
    put(p, "]");
}

static void put_shape(printer *p)
{
    char text[32];

    put(p, ", shape=[");
    for (int i = 0; i < p->whole->ndim; i++) {
        (void)snprintf(text, sizeof text, "%s%lld", i > 0 ? ", " : "",
                       (long long)p->whole->dims[i]);
        put(p, text);
    }
    put(p, "]");
}

static void put_end(printer *p, bool shape)
{
    const lbo_device *const device = p->whole->storage->device;

    if (shape)
        put_shape(p);
    put(p, ", ");
    put(p, lbo_dtype_name((lbo_dtype)p->whole->dtype));
    if (device != device->library->cpu) {
        put(p, ", ");
        put(p, device->name);
    }
    put(p, ")");
    if (p->capacity > 0)
        p->buffer[p->length < p->capacity ? p->length : p->capacity - 1] = '\0';
}

static void put_elements(printer *p)
{
    p->real = lbo_dtype_kind((lbo_dtype)p->shown->dtype) == LBO_KIND_FLOATING;
    if (p->real)
        choose_notation(p);
    find_width(p);
    if (p->shown->ndim == 0)
        put_element(p, 0);
    else
        put_block(p, 0, 0, p->column);
    put_end(p, false);
}

int lbo_format(lbo_context *context, lbo_tensor *tensor, char *buffer,
               size_t capacity)
{
    printer p = {.whole = tensor, .buffer = buffer, .capacity = capacity};
    lb_status status = LB_OK;
    lbo_spec spec = {0};

    if (context == NULL || tensor == NULL || (buffer == NULL && capacity > 0)) {
        (void)lbo_fail(LB_BAD_ARGUMENT, "lbo_format: an argument is NULL");
        return -1;
    }
    p.cut = tensor->size > FEW;
    put(&p, "tensor(");
    if (tensor->size == 0) {
        put(&p, "[]");
        put_end(&p, tensor->ndim > 1);
    } else if (!shown_spec(&p, &spec)) {
        put(&p, "[...]");
        put_end(&p, true);
    } else {
        status = fetch(context, &p, tensor, &spec);
        if (status == LB_OK)
            put_elements(&p);
        lbo_tensor_release(p.shown);
    }
    return status == LB_OK ? (int)p.length : -1;
}
