/* cpu/columns_type.h - images to columns and back, for one type of elements:
 * TYPE, NAME.
 *
 * The columns are a matrix: a row for each channel and place in the kernel, a
 * column for each place of the kernel over the image, of the rows of places
 * from `first` to `last`.
 */

/* One row of places: `to` gets what lies under the kernel's column `x`, zeros
 * in the padding. */
static void NAME(gather_row)(const TYPE *image, const shape *s, int64_t x,
                             TYPE *to)
{
    const int64_t step = s->by->stride[1];
    const range inside = columns_inside(s, x);
    int64_t at =
        inside.first * step + x * s->by->dilation[1] - s->by->padding[1];

    for (int64_t i = 0; i < inside.first; i++)
        to[i] = 0;
    if (step == 1 && inside.last > inside.first)
        memcpy(to + inside.first, image + at,
               (size_t)(inside.last - inside.first) * sizeof *to);
    else
        for (int64_t i = inside.first; i < inside.last; i++, at += step)
            to[i] = image[at];
    for (int64_t i = inside.last; i < s->out_w; i++)
        to[i] = 0;
}

/* Adds back. */
static void NAME(scatter_row)(TYPE *image, const shape *s, int64_t x,
                              const TYPE *from)
{
    const int64_t step = s->by->stride[1];
    const range inside = columns_inside(s, x);
    int64_t at =
        inside.first * step + x * s->by->dilation[1] - s->by->padding[1];

    for (int64_t i = inside.first; i < inside.last; i++, at += step)
        image[at] += from[i];
}

/* `back`: from the columns to the image. */
static void NAME(columns_row)(TYPE *image, const shape *s, int64_t row,
                              int64_t x, TYPE *columns, bool back)
{
    if (row < 0 || row >= s->h) {
        if (!back)
            memset(columns, 0, (size_t)s->out_w * sizeof *columns);
    } else if (back)
        NAME(scatter_row)(image + row * s->w, s, x, columns);
    else
        NAME(gather_row)(image + row * s->w, s, x, columns);
}

static void NAME(columns)(void *images, const shape *s, int64_t first,
                          int64_t last, void *columns, bool back)
{
    TYPE *at = columns;

    for (int64_t c = 0; c < s->channels; c++) {
        TYPE *const image = (TYPE *)images + c * s->h * s->w;
        for (int64_t y = 0; y < s->kh; y++)
            for (int64_t x = 0; x < s->kw; x++)
                for (int64_t i = first; i < last; i++, at += s->out_w)
                    NAME(columns_row)
        (image, s,
         i * s->by->stride[0] + y * s->by->dilation[0] - s->by->padding[0], x,
         at, back);
    }
}

/* The bias of each channel over its image. */
static void NAME(bias_images)(const void *bias, int64_t count, int64_t channels,
                              int64_t places, void *out)
{
    TYPE *to = out;

    for (int64_t n = 0; n < count; n++)
        for (int64_t c = 0; c < channels; c++, to += places)
            for (int64_t i = 0; i < places; i++)
                to[i] = ((const TYPE *)bias)[c];
}

#undef NAME
#undef TYPE
