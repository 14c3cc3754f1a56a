/* reduce.c - the CPU's kernels for reductions.
 *
 * 1. the input's dimensions become axes: of the result (kept) and reduced ones.
 *    Those of size 1 go; each list is sorted so that the smallest step is
 *    inside (argmax keeps the order of reduced ones: it counts along them);
 *    neighbours that lie together are joined
 * 2. where the smallest step of all is a kept axis, up to TILE results are
 *    accumulated at once, row by row; else one result at a time, run by run
 * 3. the accumulators are wider than the elements (loops_reduce.c); at the end
 *    they are divided and stored
 * The variance takes two passes: the mean, then the squared differences.
 */
#include "operators/reduce.h"
#include "cpu/loops.h"
#include "cpu/tables.h"

#include <stdlib.h>
#include <string.h>

enum { TILE = 256 };

typedef struct side {
    int64_t size;
    int64_t in, out; /* bytes; out: of kept ones */
} side;

typedef struct axes {
    int count;
    side at[LBO_MAX_DIMS]; /* innermost first */
} axes;

/* How accumulators become results. */
typedef enum ending { AS_IS, AS_FLOAT, AS_DOUBLE, AS_INDEX } ending;

typedef struct task {
    axes kept, reduced;
    bool rows;     /* several results at once */
    const char *x; /* for the tile that is being worked on */
    char *out;
    int64_t width; /* results in it */
    const lboi_reducer *reducer;
    const lboi_reducer *second; /* var: the squares */
    ending finish;
    bool divides;
    double divisor;
    double count; /* elements per result */
} task;

/* ---- axes ---------------------------------------------------------------- */

static void add_axis(axes *list, int64_t size, int64_t in, int64_t out,
                     bool sorted)
{
    int at = list->count++;

    for (; sorted && at > 0 && llabs(list->at[at - 1].in) > llabs(in); at--)
        list->at[at] = list->at[at - 1];
    list->at[at] = (side){size, in, out};
}

static void join_axes(axes *list)
{
    int last = 0;

    for (int i = 1; i < list->count; i++) {
        side *const inner = &list->at[last];
        const side *const outer = &list->at[i];
        if (outer->in == inner->in * inner->size &&
            outer->out == inner->out * inner->size)
            inner->size *= outer->size;
        else
            list->at[++last] = *outer;
    }
    if (list->count > 0)
        list->count = last + 1;
}

static void make_axes(task *job, const lbo_tensor *x, const lbo_tensor *out,
                      uint32_t mask, bool keep, bool ordered)
{
    const int64_t in_size = (int64_t)lbo_dtype_size((lbo_dtype)x->dtype);
    const int64_t out_size = (int64_t)lbo_dtype_size((lbo_dtype)out->dtype);
    int at = out->ndim;

    for (int i = x->ndim; i-- > 0;) {
        const bool reduced = mask >> i & 1;
        at -= !reduced || keep;
        if (x->dims[i] == 1)
            continue;
        if (reduced)
            add_axis(&job->reduced, x->dims[i], lbo_strides(x)[i] * in_size, 0,
                     !ordered);
        else
            add_axis(&job->kept, x->dims[i], lbo_strides(x)[i] * in_size,
                     lbo_strides(out)[at] * out_size, true);
    }
    join_axes(&job->kept);
    join_axes(&job->reduced);
    job->rows = job->kept.count > 0 &&
                (job->reduced.count == 0 ||
                 llabs(job->kept.at[0].in) < llabs(job->reduced.at[0].in));
}

/* ---- one tile ------------------------------------------------------------ */

/* What a pass needs while it goes along the reduced axes. */
typedef struct passage {
    const task *job;
    const lboi_reducer *reducer;
    char *acc;
    const void *with; /* NULL: `index` */
    int64_t index;    /* of the next element, in the order of the input */
} passage;

static void along(passage *pass, int next, const char *x)
{
    const task *const job = pass->job;
    const void *const with = pass->with ? pass->with : &pass->index;
    const side *const inner = &job->reduced.at[0];

    if (next < 0 && job->rows) {
        pass->reducer->rows(job->width, x, job->kept.at[0].in, pass->acc, with);
        pass->index++;
    } else if (next < 0 && job->reduced.count == 0) {
        pass->reducer->run(1, x, 0, pass->acc, with);
    } else if (next == 0 && !job->rows) {
        pass->reducer->run(inner->size, x, inner->in, pass->acc, with);
        pass->index += inner->size;
    } else
        for (int64_t i = 0; i < job->reduced.at[next].size; i++)
            along(pass, next - 1, x + i * job->reduced.at[next].in);
}

static void accumulate(const task *job, const lboi_reducer *reducer, void *acc,
                       const void *with)
{
    passage pass = {job, reducer, acc, with, 0};

    reducer->start(job->width, acc);
    along(&pass, job->reduced.count - 1, job->x);
}

static void store(const task *job, const char *acc)
{
    const int64_t step = job->rows ? job->kept.at[0].out : 0;
    const size_t size = job->reducer->size;

    for (int64_t i = 0; i < job->width; i++) {
        char *const out = job->out + i * step;
        double number;
        memcpy(&number, acc + (size_t)i * size, size < 8 ? size : 8);
        if (job->finish == AS_IS)
            memcpy(out, acc + (size_t)i * size, size);
        else if (job->finish == AS_INDEX)
            memcpy(out, &((const lboi_best *)(const void *)acc)[i].index, 8);
        else if (job->finish == AS_FLOAT)
            *(float *)(void *)out =
                (float)(job->divides ? number / job->divisor : number);
        else
            *(double *)(void *)out =
                job->divides ? number / job->divisor : number;
    }
}

static void run_tile(const task *job)
{
    lboi_best acc[TILE];
    double mean[TILE], *const sums = (double *)(void *)acc;
    static const double zero[TILE];

    if (job->second == NULL) {
        const bool counts = job->finish == AS_INDEX;
        accumulate(job, job->reducer, acc, counts ? NULL : zero);
    } else {
        accumulate(job, job->reducer, mean, zero);
        for (int64_t i = 0; i < job->width; i++)
            mean[i] /= job->count;
        accumulate(job, job->second, sums, mean);
    }
    store(job, (const char *)acc);
}

/* Along the kept axes; the innermost in tiles. */
static void over(task *job, int next, const char *x, char *out)
{
    if (next < 0 || (next == 0 && job->rows)) {
        const int64_t size = job->rows ? job->kept.at[0].size : 1;
        for (int64_t i = 0; i < size; i += TILE) {
            job->width = size - i < TILE ? size - i : TILE;
            job->x = job->rows ? x + i * job->kept.at[0].in : x;
            job->out = job->rows ? out + i * job->kept.at[0].out : out;
            run_tile(job);
        }
        return;
    }
    const side *const axis = &job->kept.at[next];
    for (int64_t i = 0; i < axis->size; i++)
        over(job, next - 1, x + i * axis->in, out + i * axis->out);
}

/* ---- the method ---------------------------------------------------------- */

typedef enum choice { SUM, MEAN, MAX, MIN, ARG, VAR } choice;

#define WHICH(operator) ((void *)(uintptr_t)(operator))

static const lboi_reducer_index first_pass[] = {
    [SUM] = LBOI_REDUCE_SUM,    [MEAN] = LBOI_REDUCE_TOTAL,
    [MAX] = LBOI_REDUCE_MAX,    [MIN] = LBOI_REDUCE_MIN,
    [ARG] = LBOI_REDUCE_ARGMAX, [VAR] = LBOI_REDUCE_TOTAL};

static ending finish_for(choice which, lbo_dtype in, lbo_dtype out)
{
    if (which == MAX || which == MIN ||
        (which == SUM && lbo_dtype_kind(in) != LBO_KIND_FLOATING))
        return AS_IS;
    return which == ARG ? AS_INDEX : out == LBO_F32 ? AS_FLOAT : AS_DOUBLE;
}

static double elements(const lbo_tensor *x, uint32_t mask)
{
    double count = 1;

    for (int i = 0; i < x->ndim; i++)
        if (mask >> i & 1)
            count *= (double)x->dims[i];
    return count;
}

/* Which loops, and what is done with what they leave. */
static void set_end(task *job, choice which, const lbo_tensor *x,
                    const lbo_tensor *out, uint32_t mask, double correction)
{
    const lboi_reducer(*const reducers)[LBO_DTYPE_COUNT] =
        *lboi_loops_now()->reducers;
    const double count = elements(x, mask), divisor = count - correction;

    job->reducer = &reducers[first_pass[which]][x->dtype];
    job->second = NULL;
    job->finish = finish_for(which, (lbo_dtype)x->dtype, (lbo_dtype)out->dtype);
    job->count = job->divisor = count;
    job->divides = which == MEAN || which == VAR;
    if (which == VAR) {
        job->divisor = divisor > 0 ? divisor : 0;
        job->second = &reducers[LBOI_REDUCE_SQUARES][x->dtype];
    }
}

LB_METHOD(lbo_unary, reduce);

static lb_status reduce(lb_slot slot, lbo_context *context, lbo_tensor *x,
                        lbo_call *call)
{
    LB_SELF(lbo_unary, reduce, slot, context, x, call);
    const lbo_reduce_attributes *const with = call->attributes;
    const choice which = (choice)(uintptr_t)self->context;
    lbo_tensor *const out = call->out[0];
    task job; /* large: only what is read is set */
    uint32_t mask;
    const lb_status status = lboi_reduced_mask(&with->dims, x->ndim, &mask);

    if (status != LB_OK || out->size == 0)
        return status;
    job.kept.count = job.reduced.count = 0;
    make_axes(&job, x, out, mask, with->keep, which == ARG);
    set_end(&job, which, x, out, mask, with->correction);
    over(&job, job.kept.count - 1, x->data, out->data);
    return LB_OK;
}

/* ---- the table ----------------------------------------------------------- */

#define KERNEL(op, in, which)                                                  \
    {                                                                          \
        op, LB_DESCRIPTOR(reduce), LBO_##in, LBO_ANY_DTYPE, WHICH(which)       \
    }
#define KERNELS(op, which)                                                     \
    KERNEL(op, BOOL, which), KERNEL(op, U8, which), KERNEL(op, I8, which),     \
        KERNEL(op, I32, which), KERNEL(op, I64, which),                        \
        KERNEL(op, F32, which), KERNEL(op, F64, which)

static const lbo_kernel kernels[] = {
    KERNELS("sum", SUM), KERNELS("mean", MEAN),  KERNELS("max", MAX),
    KERNELS("min", MIN), KERNELS("argmax", ARG), KERNELS("var", VAR),
};

const lboi_table lboi_cpu_reduce = {kernels, sizeof kernels / sizeof *kernels};
