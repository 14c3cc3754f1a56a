/* cpu/window_type.h - pooling of row-major planes for one type of elements:
 * TYPE, NAME.
 */

/* The greatest of a window; a NaN is the greatest. */
static void NAME(greatest)(const TYPE *plane, const pool *p, range rows,
                           range columns, TYPE *value, int64_t *place)
{
    int64_t best = rows.first * p->w + columns.first;

    for (int64_t y = rows.first; y < rows.last; y++)
        for (int64_t x = columns.first; x < columns.last; x++) {
            const TYPE element = plane[y * p->w + x];
            if (element > plane[best] ||
                (element != element && plane[best] == plane[best]))
                best = y * p->w + x;
        }
    *value = plane[best];
    *place = best;
}

/* Rows of windows of 2 x 2 that do not overlap, the usual ones: `x` is the plane
 * from the first row on, `at` its place. */
static void NAME(max_quads)(const TYPE *x, int64_t w, int64_t count, int64_t at,
                            TYPE *out, int64_t *indices)
{
    const int64_t step[] = {0, 1, w, w + 1};

    for (int64_t j = 0; j < count; j++, x += 2, at += 2) {
        TYPE value = x[0];
        int64_t place = 0;
        for (int k = 1; k < 4; k++) {
            const TYPE element = x[step[k]];
            const bool greater = (!(element <= value)) & (value == value);
            value = greater ? element : value;
            place = greater ? step[k] : place;
        }
        out[j] = value;
        indices[j] = at + place;
    }
}

static bool NAME(max_planes_of_quads)(const pool *p, const TYPE *x, TYPE *out,
                                      int64_t *indices)
{
    const lbo_pool2d_attributes *const by = p->by;

    for (int i = 0; i < 2; i++)
        if (by->kernel[i] != 2 || by->stride[i] != 2 || by->padding[i] != 0)
            return false;
    for (int64_t c = 0; c < p->planes; c++, x += p->h * p->w)
        for (int64_t i = 0; i < p->out_h; i++) {
            const int64_t at = 2 * i * p->w;
            NAME(max_quads)(x + at, p->w, p->out_w, at, out, indices);
            out += p->out_w;
            indices += p->out_w;
        }
    return true;
}

static void NAME(max_planes)(const pool *p, const TYPE *x, TYPE *out,
                             int64_t *indices)
{
    if (NAME(max_planes_of_quads)(p, x, out, indices))
        return;
    for (int64_t c = 0; c < p->planes; c++, x += p->h * p->w)
        for (int64_t i = 0; i < p->out_h; i++)
            for (int64_t j = 0; j < p->out_w; j++)
                NAME(greatest)
    (x, p, window_range(p, 0, i, p->h), window_range(p, 1, j, p->w), out++,
     indices++);
}

static void NAME(avg_planes)(const pool *p, const TYPE *x, TYPE *out)
{
    const TYPE share = (TYPE)1 / (TYPE)(p->by->kernel[0] * p->by->kernel[1]);

    for (int64_t c = 0; c < p->planes; c++, x += p->h * p->w)
        for (int64_t i = 0; i < p->out_h; i++)
            for (int64_t j = 0; j < p->out_w; j++) {
                const range rows = window_range(p, 0, i, p->h);
                const range columns = window_range(p, 1, j, p->w);
                TYPE sum = 0;
                for (int64_t y = rows.first; y < rows.last; y++)
                    for (int64_t z = columns.first; z < columns.last; z++)
                        sum += x[y * p->w + z];
                *out++ = sum * share;
            }
}

static void NAME(avg_planes_backward)(const pool *p, const TYPE *g, TYPE *out)
{
    const TYPE share = (TYPE)1 / (TYPE)(p->by->kernel[0] * p->by->kernel[1]);

    for (int64_t c = 0; c < p->planes; c++, out += p->h * p->w)
        for (int64_t i = 0; i < p->out_h; i++)
            for (int64_t j = 0; j < p->out_w; j++) {
                const range rows = window_range(p, 0, i, p->h);
                const range columns = window_range(p, 1, j, p->w);
                const TYPE part = *g++ * share;
                for (int64_t y = rows.first; y < rows.last; y++)
                    for (int64_t z = columns.first; z < columns.last; z++)
                        out[y * p->w + z] += part;
            }
}

/* False: an index lies outside of its plane; `*bad` is its place. */
static bool NAME(max_planes_backward)(int64_t planes, int64_t places,
                                      int64_t size, const TYPE *g,
                                      const int64_t *indices, TYPE *out,
                                      int64_t *bad)
{
    for (int64_t c = 0; c < planes; c++, out += size)
        for (int64_t i = 0; i < places; i++) {
            const int64_t at = indices[c * places + i];
            if (at < 0 || at >= size) {
                *bad = c * places + i;
                return false;
            }
            out[at] += g[c * places + i];
        }
    return true;
}

#undef NAME
#undef TYPE
