/* cpu/normalize_type.h - softmax, losses and layer_norm of row-major operands,
 * for one type of elements: TYPE, NAME, EXP. Sums are of doubles.
 */

/* ---- softmax ---------------------------------------------------------------------- */

/* `n` elements, `step` apart. A NaN makes all NaN. */
static void NAME(softmax_line)(const TYPE *x, TYPE *y, int64_t n, int64_t step,
                               bool logarithm)
{
    TYPE most = x[0];
    double sum = 0;

    for (int64_t i = 1; i < n; i++)
        most = x[i * step] > most ? x[i * step] : most;
    for (int64_t i = 0; i < n; i++) {
        const TYPE e = EXP(x[i * step] - most);
        sum += (double)e;
        y[i * step] = logarithm ? x[i * step] - most : e;
    }
    const TYPE by = (TYPE)(logarithm ? log(sum) : 1 / sum);
    for (int64_t i = 0; i < n; i++)
        y[i * step] = logarithm ? y[i * step] - by : y[i * step] * by;
}

/* y (g - sum(g y)), or of the logarithm g - exp(y) sum(g). */
static void NAME(softmax_line_backward)(const TYPE *g, const TYPE *y, TYPE *out,
                                        int64_t n, int64_t step, bool logarithm)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)g[i * step] * (logarithm ? 1.0 : (double)y[i * step]);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i * step;
        out[at] = logarithm ? g[at] - EXP(y[at]) * (TYPE)sum
                            : y[at] * (g[at] - (TYPE)sum);
    }
}

static void NAME(softmax_lines)(const lines *l, const void *x, void *y,
                                bool logarithm)
{
    for (int64_t i = 0; i < l->outer; i++)
        for (int64_t j = 0; j < l->inner; j++) {
            const int64_t at = i * l->n * l->inner + j;
            NAME(softmax_line)
            ((const TYPE *)x + at, (TYPE *)y + at, l->n, l->inner, logarithm);
        }
}

static void NAME(softmax_lines_backward)(const lines *l, const void *g,
                                         const void *y, void *out,
                                         bool logarithm)
{
    for (int64_t i = 0; i < l->outer; i++)
        for (int64_t j = 0; j < l->inner; j++) {
            const int64_t at = i * l->n * l->inner + j;
            NAME(softmax_line_backward)
            ((const TYPE *)g + at, (const TYPE *)y + at, (TYPE *)out + at, l->n,
             l->inner, logarithm);
        }
}

/* ---- losses ------------------------------------------------------------------------- */

/* The loss of each row, or all together, from logarithms of probabilities. */
static void NAME(pick_losses)(const losses *l, const int64_t *target,
                              const void *y, void *loss)
{
    double sum = 0;

    for (int64_t i = 0; i < l->rows; i++) {
        const bool counts = target[i] != l->ignore;
        const TYPE value =
            counts ? -((const TYPE *)y)[i * l->classes + target[i]] : (TYPE)0;
        if (l->reduction == LBO_REDUCE_NONE)
            ((TYPE *)loss)[i] = value;
        sum += (double)value;
    }
    if (l->reduction != LBO_REDUCE_NONE)
        *(TYPE *)loss =
            (TYPE)(l->reduction == LBO_REDUCE_MEAN ? sum / (double)l->counted
                                                   : sum);
}

/* (exp(y) - [target]) times the row's share of g. */
static void NAME(loss_rows_backward)(const losses *l, const void *gradient,
                                     const void *logarithms,
                                     const int64_t *target, void *out)
{
    const TYPE *g = gradient, *y = logarithms;
    TYPE *to = out;

    for (int64_t i = 0; i < l->rows; i++, y += l->classes, to += l->classes) {
        TYPE share = l->reduction == LBO_REDUCE_NONE ? g[i] : g[0];
        if (l->reduction == LBO_REDUCE_MEAN)
            share /= (TYPE)l->counted;
        if (target[i] == l->ignore) {
            memset(to, 0, (size_t)l->classes * sizeof *to);
            continue;
        }
        for (int64_t j = 0; j < l->classes; j++)
            to[j] = EXP(y[j]) * share;
        to[target[i]] -= share;
    }
}

static void NAME(squares)(int64_t n, const void *left, const void *right,
                          void *out, int64_t reduction)
{
    const TYPE *const a = left, *const b = right;
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        const TYPE d = a[i] - b[i];
        if (reduction == LBO_REDUCE_NONE)
            ((TYPE *)out)[i] = d * d;
        sum += (double)d * (double)d;
    }
    if (reduction != LBO_REDUCE_NONE)
        *(TYPE *)out =
            (TYPE)(reduction == LBO_REDUCE_MEAN ? sum / (double)n : sum);
}

/* ---- layer_norm ---------------------------------------------------------------------- */

static void NAME(norm_row)(const norms *l, const TYPE *x, const TYPE *weight,
                           const TYPE *bias, TYPE *out, TYPE *mean, TYPE *rstd)
{
    double sum = 0, squares = 0;

    for (int64_t j = 0; j < l->size; j++)
        sum += (double)x[j];
    const double middle = sum / (double)l->size;
    for (int64_t j = 0; j < l->size; j++) {
        const double d = (double)x[j] - middle;
        squares += d * d;
    }
    const double scale = 1 / sqrt(squares / (double)l->size + l->epsilon);
    for (int64_t j = 0; j < l->size; j++) {
        const TYPE hat = (TYPE)(((double)x[j] - middle) * scale);
        out[j] = (weight ? hat * weight[j] : hat) + (bias ? bias[j] : (TYPE)0);
    }
    *mean = (TYPE)middle;
    *rstd = (TYPE)scale;
}

static void NAME(norm_rows)(const norms *l, const lboi_dense *at)
{
    const TYPE *const x = at->in[0]->data;
    const TYPE *const weight = at->in[1] ? at->in[1]->data : NULL;
    const TYPE *const bias = at->in[2] ? at->in[2]->data : NULL;
    TYPE *const out = at->out[0]->data, *const mean = at->out[1]->data;
    TYPE *const rstd = at->out[2]->data;

    for (int64_t i = 0; i < l->rows; i++)
        NAME(norm_row)
    (l, x + i * l->size, weight, bias, out + i * l->size, mean + i, rstd + i);
}

/* With h = (x - mean) rstd and w = weight g:
 * by x: rstd (w - mean(w) - h mean(w h)); by weight: g h; by bias: g. */
static void NAME(norm_row_backward)(const norms *l, const TYPE *g,
                                    const TYPE *x, const TYPE *weight,
                                    double mean, double rstd, TYPE *out)
{
    double sum = 0, product = 0;

    for (int64_t j = 0; j < l->size; j++) {
        const double w = (double)g[j] * (weight ? (double)weight[j] : 1);
        const double h = ((double)x[j] - mean) * rstd;
        sum += w;
        product += w * h;
        l->by_weight[j] += (double)g[j] * h;
        l->by_bias[j] += (double)g[j];
    }
    sum /= (double)l->size;
    product /= (double)l->size;
    for (int64_t j = 0; j < l->size; j++) {
        const double w = (double)g[j] * (weight ? (double)weight[j] : 1);
        const double h = ((double)x[j] - mean) * rstd;
        out[j] = (TYPE)(rstd * (w - sum - h * product));
    }
}

static void NAME(norm_rows_backward)(const norms *l, const lboi_dense *at)
{
    const TYPE *const g = at->in[0]->data, *const x = at->in[1]->data;
    const TYPE *const mean = at->in[2]->data, *const rstd = at->in[3]->data;
    const TYPE *const weight = at->in[4] ? at->in[4]->data : NULL;
    TYPE *const out = at->out[0]->data;

    for (int64_t i = 0; i < l->rows; i++)
        NAME(norm_row_backward)
    (l, g + i * l->size, x + i * l->size, weight, (double)mean[i],
     (double)rstd[i], out + i * l->size);
    for (int64_t j = 0; j < l->size; j++) {
        ((TYPE *)at->out[1]->data)[j] = (TYPE)l->by_weight[j];
        ((TYPE *)at->out[2]->data)[j] = (TYPE)l->by_bias[j];
    }
}

#undef EXP
#undef NAME
#undef TYPE
