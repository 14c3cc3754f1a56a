/* blas_type.h - the product of two matrices by BLAS for one type of elements:
 * TYPE, NAME, GEMM, GEMV, PORTABLE.
 */

typedef TYPE NAME(four) __attribute__((vector_size(4 * sizeof(TYPE))));

/* Few numbers: four columns at a time, without a call. The compiler makes
 * vectors of it. */
static inline void NAME(tiny)(int m, int n, int k, const TYPE *restrict a,
                              const TYPE *restrict b, TYPE *restrict c)
{
    for (int j = 0; j < n; j += 4)
        for (int i = 0; i < m; i++) {
            NAME(four) sum = {0};
            for (int p = 0; p < k; p++) {
                NAME(four) row;
                memcpy(&row, b + p * n + j, sizeof row);
                sum += a[i * k + p] * row;
            }
            memcpy(c + i * n + j, &sum, sizeof sum);
        }
}

static void NAME(plain)(const lbo_tensor *a, const lbo_tensor *b,
                        const lbo_tensor *c)
{
    const blasint m = (blasint)a->dims[0], k = (blasint)a->dims[1];
    const blasint n = (blasint)b->dims[1];

    if (n % 4 == 0 && c->size * k <= TINY) {
        NAME(tiny)(m, n, k, a->data, b->data, c->data);
        return;
    }
    const int threads = keep_alone(c->size * k);
    GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a->data, k,
         b->data, n, 0, c->data, n);
    put_back(threads);
}

/* The same for operands as `see` sees them. */
static void NAME(seen_gemm)(const lboi_gemm *p, seen a, seen b)
{
    const int threads = keep_alone(p->m * p->n * p->k);

    GEMM(CblasRowMajor, a.transposed, b.transposed, (blasint)p->m,
         (blasint)p->n, (blasint)p->k, 1, p->a, a.lead, p->b, b.lead,
         p->add ? 1 : 0, p->c, (blasint)(p->m > 1 ? p->c_row : p->n));
    put_back(threads);
}

/* A matrix times a column; the result is zeroed before, so that what it held
 * (perhaps NaN) is not multiplied by 0. */
static void NAME(column)(const TYPE *a, seen s, int64_t rows, int64_t columns,
                         const TYPE *x, int64_t x_step, TYPE *y, int64_t y_step,
                         bool add)
{
    for (int64_t i = 0; i < rows && !add; i++)
        y[i * y_step] = 0;
    const bool swapped = s.transposed == CblasTrans;
    GEMV(CblasRowMajor, s.transposed, (blasint)(swapped ? columns : rows),
         (blasint)(swapped ? rows : columns), 1, a, s.lead, x,
         (blasint)(columns > 1 ? x_step : 1), 1, y,
         (blasint)(rows > 1 ? y_step : 1));
}

/* Sizes that BLAS counts with; larger ones are cut in halves. */
static void NAME(halves)(const lboi_gemm *p)
{
    lboi_gemm low = *p, high = *p;

    if (p->m > INT_MAX) {
        low.m = p->m / 2;
        high.m = p->m - low.m;
        high.a = (const TYPE *)p->a + low.m * p->a_row;
        high.c = (TYPE *)p->c + low.m * p->c_row;
    } else if (p->n > INT_MAX) {
        low.n = p->n / 2;
        high.n = p->n - low.n;
        high.b = (const TYPE *)p->b + low.n * p->b_column;
        high.c = (TYPE *)p->c + low.n;
    } else {
        low.k = p->k / 2;
        high.k = p->k - low.k;
        high.a = (const TYPE *)p->a + low.k * p->a_column;
        high.b = (const TYPE *)p->b + low.k * p->b_row;
        high.add = true;
    }
    NAME(fast_gemm)(&low);
    NAME(fast_gemm)(&high);
}

void NAME(fast_gemm)(const lboi_gemm *p)
{
    seen a, b;

    if (p->m == 0 || p->n == 0)
        return;
    if (p->m > INT_MAX || p->n > INT_MAX || p->k > INT_MAX)
        NAME(halves)(p);
    else if (p->k == 0 || p->c_row > INT_MAX || (p->m > 1 && p->c_row < p->n) ||
             !see(p->m, p->k, p->a_row, p->a_column, &a) ||
             !see(p->k, p->n, p->b_row, p->b_column, &b))
        PORTABLE(p);
    else if (p->n == 1 && is_step(p->b_row, p->k))
        NAME(column)
    (p->a, a, p->m, p->k, p->b, p->b_row, p->c, p->c_row, p->add);
    else if (p->m == 1 && is_step(p->a_column, p->k))
    {
        b.transposed = b.transposed == CblasTrans ? CblasNoTrans : CblasTrans;
        NAME(column)
        (p->b, b, p->n, p->k, p->a, p->a_column, p->c, 1, p->add);
    }
    else
        NAME(seen_gemm)(p, a, b);
}

#undef PORTABLE
#undef GEMV
#undef GEMM
#undef NAME
#undef TYPE
