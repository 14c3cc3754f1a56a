/* cpu/gemm_type.h - the portable product for one type of elements: TYPE, NAME.
 *
 * A panel of b, DEPTH x WIDTH, is packed; each HEIGHT rows of a run along it,
 * with HEIGHT x WIDTH sums in registers. (The inner two loops of K. Goto, R. van
 * de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.)
 */

static void NAME(pack)(const lboi_gemm *p, int64_t row, int64_t depth,
                       int64_t column, int64_t width, TYPE *panel)
{
    for (int64_t i = 0; i < depth; i++) {
        const TYPE *const b =
            (const TYPE *)p->b + (row + i) * p->b_row + column * p->b_column;
        for (int64_t j = 0; j < WIDTH; j++)
            panel[i * WIDTH + j] = j < width ? b[j * p->b_column] : (TYPE)0;
    }
}

/* `rows` is a constant where it matters. */
static inline void NAME(sums)(const TYPE *a, int64_t a_row, int64_t a_column,
                              int64_t depth, const TYPE *panel, int rows,
                              TYPE sum[HEIGHT][WIDTH])
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < WIDTH; j++)
            sum[i][j] = 0;
    for (int64_t p = 0; p < depth; p++)
        for (int i = 0; i < rows; i++) {
            const TYPE factor = a[i * a_row + p * a_column];
            for (int j = 0; j < WIDTH; j++)
                sum[i][j] = (TYPE)(sum[i][j] + factor * panel[p * WIDTH + j]);
        }
}

static void NAME(store)(TYPE sum[HEIGHT][WIDTH], int rows, int64_t width,
                        TYPE *c, int64_t c_row, bool add)
{
    for (int i = 0; i < rows; i++)
        for (int64_t j = 0; j < width; j++)
            c[i * c_row + j] =
                add ? (TYPE)(c[i * c_row + j] + sum[i][j]) : sum[i][j];
}

static void NAME(panel_rows)(const lboi_gemm *p, int64_t row, int64_t depth,
                             int64_t column, int64_t width, const TYPE *panel,
                             bool add)
{
    TYPE sum[HEIGHT][WIDTH];

    for (int64_t i = 0; i < p->m; i += HEIGHT) {
        const int rows = p->m - i < HEIGHT ? (int)(p->m - i) : HEIGHT;
        const TYPE *const a =
            (const TYPE *)p->a + i * p->a_row + row * p->a_column;
        if (rows == HEIGHT)
            NAME(sums)(a, p->a_row, p->a_column, depth, panel, HEIGHT, sum);
        else
            NAME(sums)(a, p->a_row, p->a_column, depth, panel, rows, sum);
        NAME(store)
        (sum, rows, width, (TYPE *)p->c + i * p->c_row + column, p->c_row, add);
    }
}

static void NAME(gemm)(const lboi_gemm *p)
{
    TYPE panel[DEPTH * WIDTH];

    for (int64_t j = 0; j < p->n; j += WIDTH) {
        const int64_t width = p->n - j < WIDTH ? p->n - j : WIDTH;
        int64_t row = 0;
        do { /* once where k is 0: the result is zeros */
            const int64_t depth = p->k - row < DEPTH ? p->k - row : DEPTH;
            NAME(pack)(p, row, depth, j, width, panel);
            NAME(panel_rows)
            (p, row, depth, j, width, panel, p->add || row > 0);
            row += DEPTH;
        } while (row < p->k);
    }
}

#undef NAME
#undef TYPE
