/* vector_type.h - loops over vectors of one type of elements: TYPE, BITS (the
 * integer of that size), NAME, MATH (the name of a SLEEF function), SQRT, LOG.
 *
 * Loops that the compiler makes vectors of itself are written plainly.
 */
typedef TYPE NAME(vector) __attribute__((vector_size(BYTES)));
typedef BITS NAME(bits) __attribute__((vector_size(BYTES)));
#define V NAME(vector)
#define LANES ((int64_t)(BYTES / sizeof(TYPE)))

static inline V NAME(load)(const TYPE *from)
{
    V v;

    memcpy(&v, from, sizeof v);
    return v;
}

static inline void NAME(store)(TYPE *to, V v)
{
    memcpy(to, &v, sizeof v);
}

/* The last few: the other lanes are `rest`. */
static inline V NAME(load_some)(const TYPE *from, int64_t n, TYPE rest)
{
    V v = rest - (V){0};

    memcpy(&v, from, (size_t)n * sizeof *from);
    return v;
}

static inline void NAME(store_some)(TYPE *to, V v, int64_t n)
{
    memcpy(to, &v, (size_t)n * sizeof *to);
}

static inline TYPE NAME(total)(V v)
{
    TYPE sum = 0;

    for (int i = 0; i < LANES; i++)
        sum += v[i];
    return sum;
}

/* ---- element by element ------------------------------------------------------- */

static inline V NAME(exp)(V x)
{
    return MATH(exp)(x);
}

static inline V NAME(log)(V x)
{
    return MATH(log)(x);
}

static inline V NAME(tanh)(V x)
{
    return MATH(tanh)(x);
}

static inline V NAME(pow)(V a, V b)
{
    return MATH(pow)(a, b);
}

static inline V NAME(sigmoid)(V x)
{
    return 1 / (1 + MATH(exp)(-x));
}

static inline V NAME(silu)(V x)
{
    return x / (1 + MATH(exp)(-x));
}

static inline V NAME(silu_backward)(V g, V x)
{
    const V s = NAME(sigmoid)(x);

    return g * s * (1 + x * (1 - s));
}

static inline V NAME(gelu)(V x)
{
    return (TYPE)0.5 * x * (1 + MATH(erf)(x * (TYPE)0.70710678118654752440));
}

/* Phi(x) + x phi(x) */
static inline V NAME(gelu_backward)(V g, V x)
{
    const V below =
        (TYPE)0.5 * (1 + MATH(erf)(x * (TYPE)0.70710678118654752440));
    const V density =
        (TYPE)0.39894228040143267794 * MATH(exp)(x * x * (TYPE)-0.5);

    return g * (below + x * density);
}

static inline V NAME(gelu_inner)(V x)
{
    return (TYPE)0.79788456080286535588 * (x + (TYPE)0.044715 * x * x * x);
}

static inline V NAME(gelu_tanh)(V x)
{
    return (TYPE)0.5 * x * (1 + MATH(tanh)(NAME(gelu_inner)(x)));
}

static inline V NAME(gelu_tanh_backward)(V g, V x)
{
    const V t = MATH(tanh)(NAME(gelu_inner)(x));
    const V slope =
        (TYPE)0.79788456080286535588 * (1 + 3 * (TYPE)0.044715 * x * x);

    return g * (TYPE)0.5 * ((1 + t) + x * (1 - t * t) * slope);
}

/* The types force one loop per function: a pointer would keep it from being
 * inlined. */
#define MAP(name)                                                              \
    static void NAME(name##_loop)(int64_t n, const void *from, void *to)       \
    {                                                                          \
        const TYPE *const x = from;                                            \
        TYPE *const y = to;                                                    \
        int64_t i = 0;                                                         \
        for (; i + LANES <= n; i += LANES)                                     \
            NAME(store)(y + i, NAME(name)(NAME(load)(x + i)));                 \
        if (i < n)                                                             \
            NAME(store_some)                                                   \
        (y + i, NAME(name)(NAME(load_some)(x + i, n - i, 1)), n - i);          \
    }

#define MAP2(name)                                                             \
    static void NAME(name##_loop)(int64_t n, const void *left,                 \
                                  const void *right, void *to)                 \
    {                                                                          \
        const TYPE *const a = left, *const b = right;                          \
        TYPE *const y = to;                                                    \
        int64_t i = 0;                                                         \
        for (; i + LANES <= n; i += LANES)                                     \
            NAME(store)                                                        \
        (y + i, NAME(name)(NAME(load)(a + i), NAME(load)(b + i)));             \
        if (i < n)                                                             \
            NAME(store_some)                                                   \
        (y + i,                                                                \
         NAME(name)(NAME(load_some)(a + i, n - i, 1),                          \
                    NAME(load_some)(b + i, n - i, 1)),                         \
         n - i);                                                               \
    }

MAP(exp)
MAP(log)
MAP(tanh)
MAP(sigmoid)
MAP(silu)
MAP(gelu)
MAP(gelu_tanh)
MAP2(pow)
MAP2(silu_backward)
MAP2(gelu_backward)
MAP2(gelu_tanh_backward)

#undef MAP
#undef MAP2

/* ---- rows ------------------------------------------------------------------------ */

static inline V NAME(greater)(V a, V b)
{
    const NAME(bits) mask = a > b;

    return (V)(((NAME(bits))a & mask) | ((NAME(bits))b & ~mask));
}

/* The greatest; where there is a NaN, any number (the sum will be NaN). */
static TYPE NAME(greatest)(int64_t n, const TYPE *x)
{
    V most = x[0] - (V){0};
    TYPE all = x[0];
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        most = NAME(greater)(NAME(load)(x + i), most);
    if (i < n)
        most = NAME(greater)(NAME(load_some)(x + i, n - i, x[0]), most);
    for (int k = 0; k < LANES; k++)
        all = most[k] > all ? most[k] : all;
    return all;
}

/* Writes exp(x - most), or x - most, and returns the sum of the first. */
static TYPE NAME(exponentials)(int64_t n, const TYPE *x, TYPE most, TYPE *y,
                               bool logarithm)
{
    V sum = {0};
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        const V d = NAME(load)(x + i) - most, e = MATH(exp)(d);
        sum += e;
        NAME(store)(y + i, logarithm ? d : e);
    }
    if (i < n) {
        const V d = NAME(load_some)(x + i, n - i, (TYPE)-INFINITY) - most;
        const V e = MATH(exp)(d);
        for (int64_t k = 0; k < n - i; k++)
            sum[k] += e[k];
        NAME(store_some)(y + i, logarithm ? d : e, n - i);
    }
    return NAME(total)(sum);
}

static void NAME(softmax_row)(int64_t n, const void *from, void *to,
                              bool logarithm)
{
    const TYPE most = NAME(greatest)(n, from);
    const TYPE sum = NAME(exponentials)(n, from, most, to, logarithm);
    TYPE *const y = to;

    if (logarithm) {
        const TYPE by = LOG(sum);
        for (int64_t i = 0; i < n; i++)
            y[i] -= by;
    } else {
        const TYPE by = 1 / sum;
        for (int64_t i = 0; i < n; i++)
            y[i] *= by;
    }
}

/* Sums in lanes, as the compiler may not on its own. */
static TYPE NAME(sum)(int64_t n, const TYPE *x)
{
    V sum = {0};
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        sum += NAME(load)(x + i);
    if (i < n)
        sum += NAME(load_some)(x + i, n - i, 0);
    return NAME(total)(sum);
}

static TYPE NAME(dot)(int64_t n, const TYPE *a, const TYPE *b)
{
    V sum = {0};
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        sum += NAME(load)(a + i) * NAME(load)(b + i);
    if (i < n)
        sum +=
            NAME(load_some)(a + i, n - i, 0) * NAME(load_some)(b + i, n - i, 0);
    return NAME(total)(sum);
}

static void NAME(softmax_row_backward)(int64_t n, const void *gradient,
                                       const void *result, void *to,
                                       bool logarithm)
{
    const TYPE *const g = gradient, *const y = result;
    TYPE *const out = to;
    int64_t i = 0;

    if (!logarithm) {
        const TYPE sum = NAME(dot)(n, g, y);
        for (; i < n; i++)
            out[i] = y[i] * (g[i] - sum);
        return;
    }
    const TYPE sum = NAME(sum)(n, g);
    for (; i + LANES <= n; i += LANES)
        NAME(store)
    (out + i, NAME(load)(g + i) - MATH(exp)(NAME(load)(y + i)) * sum);
    if (i < n)
        NAME(store_some)
    (out + i,
     NAME(load_some)(g + i, n - i, 0) -
         MATH(exp)(NAME(load_some)(y + i, n - i, 0)) * sum,
     n - i);
}

static void NAME(exp_times_row)(int64_t n, const void *from, double times,
                                void *to)
{
    const TYPE *const x = from, by = (TYPE)times;
    TYPE *const y = to;
    int64_t i = 0;

    for (; i + LANES <= n; i += LANES)
        NAME(store)(y + i, MATH(exp)(NAME(load)(x + i)) * by);
    if (i < n)
        NAME(store_some)
    (y + i, MATH(exp)(NAME(load_some)(x + i, n - i, 0)) * by, n - i);
}

static void NAME(norm_row)(const fast_norm *norm, const void *from, void *to,
                           void *mean_to, void *rstd_to)
{
    const TYPE *const x = from;
    const TYPE *const weight = norm->weight, *const bias = norm->bias;
    const int64_t n = norm->size;
    const TYPE mean = NAME(sum)(n, x) / (TYPE)n;
    TYPE *const out = to;

    for (int64_t i = 0; i < n; i++)
        out[i] = x[i] - mean;
    const TYPE variance = NAME(dot)(n, out, out) / (TYPE)n;
    const TYPE rstd = 1 / SQRT(variance + (TYPE)norm->epsilon);
    if (weight != NULL && bias != NULL)
        for (int64_t i = 0; i < n; i++)
            out[i] = out[i] * rstd * weight[i] + bias[i];
    else
        for (int64_t i = 0; i < n; i++)
            out[i] =
                out[i] * rstd * (weight ? weight[i] : 1) + (bias ? bias[i] : 0);
    *(TYPE *)mean_to = mean;
    *(TYPE *)rstd_to = rstd;
}

static void NAME(norm_row_backward)(const fast_norm *norm, const void *gradient,
                                    const void *input, double middle,
                                    double scale, void *to, void *weight_to,
                                    void *bias_to)
{
    const TYPE *const restrict g = gradient, *const restrict x = input;
    const TYPE *const restrict weight = norm->weight;
    TYPE *const restrict out = to, *const restrict by_weight = weight_to;
    TYPE *const restrict by_bias = bias_to;
    const TYPE mean = (TYPE)middle, rstd = (TYPE)scale;
    const int64_t n = norm->size;

    for (int64_t i = 0; i < n; i++) {
        by_weight[i] += g[i] * (x[i] - mean) * rstd;
        by_bias[i] += g[i];
    }
    if (weight != NULL)
        for (int64_t i = 0; i < n; i++)
            out[i] = g[i] * weight[i];
    else
        memcpy(out, g, (size_t)n * sizeof *out);
    /* sum of w (x - mean) = sum of w x - mean * sum of w would cancel */
    V product = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        product += NAME(load)(out + i) * (NAME(load)(x + i) - mean);
    TYPE all = NAME(total)(product);
    for (; i < n; i++)
        all += out[i] * (x[i] - mean);
    const TYPE sum = NAME(sum)(n, out) / (TYPE)n;
    all = all * rstd / (TYPE)n;
    for (i = 0; i < n; i++)
        out[i] = rstd * (out[i] - sum - (x[i] - mean) * rstd * all);
}

/* ---- steps ----------------------------------------------------------------------- */

static void NAME(sgd_loop)(int64_t n, const lbo_sgd_attributes *by, void *p_at,
                           const void *g_at, void *v_at)
{
    const TYPE rate = (TYPE)by->rate, momentum = (TYPE)by->momentum;
    const TYPE decay = (TYPE)by->decay;
    const TYPE *const restrict g = g_at;
    TYPE *const restrict p = p_at, *const restrict v = v_at;

    if (v == NULL)
        for (int64_t i = 0; i < n; i++)
            p[i] -= rate * (g[i] + decay * p[i]);
    else if (by->nesterov)
        for (int64_t i = 0; i < n; i++) {
            const TYPE d = g[i] + decay * p[i];
            v[i] = momentum * v[i] + d;
            p[i] -= rate * (d + momentum * v[i]);
        }
    else
        for (int64_t i = 0; i < n; i++) {
            v[i] = momentum * v[i] + (g[i] + decay * p[i]);
            p[i] -= rate * v[i];
        }
}

static void NAME(adam_loop)(int64_t n, const fast_adam *by, void *p_at,
                            const void *g_at, void *m_at, void *v_at)
{
    const TYPE rate = (TYPE)by->rate, share = (TYPE)(1 / by->divisor);
    const TYPE beta1 = (TYPE)by->beta1, rest1 = (TYPE)(1 - by->beta1);
    const TYPE beta2 = (TYPE)by->beta2, rest2 = (TYPE)(1 - by->beta2);
    const TYPE epsilon = (TYPE)by->epsilon;
    const TYPE keep = (TYPE)by->keep, decay = (TYPE)by->decay;
    const TYPE *const restrict g = g_at;
    TYPE *const restrict p = p_at, *const restrict m = m_at;
    TYPE *const restrict v = v_at;

    for (int64_t i = 0; i < n; i++) {
        const TYPE kept = p[i] * keep, d = g[i] + decay * kept;
        m[i] = beta1 * m[i] + rest1 * d;
        v[i] = beta2 * v[i] + rest2 * d * d;
        p[i] = kept - rate * m[i] / (SQRT(v[i]) * share + epsilon);
    }
}

#undef LANES
#undef V
