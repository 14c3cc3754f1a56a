/* choose.c - the CPU's kernels that go by indices.
 *
 * embedding walks the indices beside the rows of the result; gather walks index
 * and result beside a view of x that stands still in the chosen dimension. The
 * gradients walk the same way and add, in the order of the indices: the sums
 * are the same in each run. An index outside ends the call.
 */
#include "cpu/tables.h"
#include "operators/run.h"
#include "tensor/convert.h"

#include <stdio.h>
#include <string.h>

/* ---- indices ------------------------------------------------------------- */

typedef struct range {
    const lbo_call *call;
    const lbo_tensor *indices;
    int64_t size; /* indices are below it */
} range;

/* The place of an element by its number in row-major order. */
static const char *place_text(const lbo_tensor *tensor, int64_t number,
                              char *text, size_t size)
{
    int64_t at[LBO_MAX_DIMS];

    for (int i = tensor->ndim; i-- > 0;) {
        at[i] = number % tensor->dims[i];
        number /= tensor->dims[i];
    }
    return lboi_shape_text(tensor->ndim, at, text, size);
}

static lb_status outside(const range *r, int64_t index, int64_t number)
{
    char place[400];

    return lbo_fail(LB_BAD_ARGUMENT,
                    "%s: the index %lld at %s is outside; there are %lld, "
                    "from 0 on",
                    r->call->op->spec.name, (long long)index,
                    place_text(r->indices, number, place, sizeof place),
                    (long long)r->size);
}

static int64_t index_at(const lbo_tensor *indices, const char *at)
{
    int64_t wide;
    int32_t narrow;

    if (indices->dtype == LBO_I64) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

static int64_t bytes_of(const lbo_tensor *tensor)
{
    return (int64_t)lbo_dtype_size((lbo_dtype)tensor->dtype);
}

/* ---- rows ---------------------------------------------------------------- */

/* Rows of `table` (2-d) by index, and those of `many` (one per index). */
typedef struct row_job {
    range indices;
    lbo_tensor *table, *many;
    void (*row)(char *to, int64_t to_step, const char *from, int64_t from_step,
                int64_t count);
    bool to_table; /* the rows of `table` are written */
} row_job;

static void one_row(const row_job *job, int64_t index, char *many)
{
    const lbo_tensor *const table = job->table;
    const int64_t row = lbo_strides(table)[0] * bytes_of(table);
    const int64_t table_step = lbo_strides(table)[1] * bytes_of(table);
    const int64_t many_step =
        lbo_strides(job->many)[job->many->ndim - 1] * bytes_of(job->many);
    char *const place = (char *)table->data + index * row;

    if (job->to_table)
        job->row(place, table_step, many, many_step, table->dims[1]);
    else
        job->row(many, many_step, place, table_step, table->dims[1]);
}

static lb_status walk_rows(const row_job *job, lbo_tensor *firsts)
{
    const lbo_tensor *const indices = job->indices.indices;
    lbo_tensor *const operands[] = {job->indices.call->in[1], firsts};
    int64_t number = 0;
    lbo_walk walk;

    lbo_walk_init(&walk, indices->ndim, lbo_shape(indices), 2, operands);
    do {
        for (int64_t i = 0; i < walk.count; i++, number++) {
            const int64_t index =
                index_at(indices, walk.at[0] + i * walk.step[0]);
            if (index < 0 || index >= job->indices.size)
                return outside(&job->indices, index, number);
            one_row(job, index, walk.at[1] + i * walk.step[1]);
        }
    } while (lbo_walk_next(&walk));
    return LB_OK;
}

/* `many` without its last dimension: where the rows begin. */
static lb_status each_row(const row_job *job)
{
    lbo_tensor *firsts = NULL;

    if (job->many->size == 0 && job->indices.indices->size == 0)
        return LB_OK;
    /* Rows without elements: the indices are looked at all the same. */
    lb_status status =
        job->many->size == 0
            ? lbo_tensor_view(job->indices.call->in[1], 0,
                              job->indices.indices->ndim,
                              job->indices.indices->dims,
                              lbo_strides(job->indices.indices), &firsts)
            : lbo_tensor_view(job->many, 0, job->many->ndim - 1u,
                              lbo_shape(job->many), lbo_strides(job->many),
                              &firsts);
    if (status == LB_OK)
        status = walk_rows(job, firsts);
    lbo_tensor_release(firsts);
    return status;
}

LB_METHOD(lbo_unary, cpu_embedding);
static lb_status cpu_embedding(lb_slot slot, lbo_context *context,
                               lbo_tensor *weight, lbo_call *call)
{
    const lbo_dtype dtype = (lbo_dtype)weight->dtype;
    const row_job job = {{call, call->in[1], weight->dims[0]},
                         weight,
                         call->out[0],
                         lboi_converter(dtype, dtype),
                         false};

    LB_IGNORE(slot);
    (void)context;
    return each_row(&job);
}

#define ADD_ROW(name, type)                                                    \
    static void name(char *to, int64_t to_step, const char *from,              \
                     int64_t from_step, int64_t count)                         \
    {                                                                          \
        for (int64_t i = 0; i < count; i++)                                    \
            *(type *)(void *)(to + i * to_step) +=                             \
                *(const type *)(const void *)(from + i * from_step);           \
    }

ADD_ROW(add_row_f32, float)
ADD_ROW(add_row_f64, double)

/* Gradients and their sums are of one type here; half ones come as f32. */
static lb_status check_types(const lbo_call *call)
{
    const lbo_tensor *const g = call->in[0], *const out = call->out[0];

    if (g->dtype == out->dtype)
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT, "%s: g is %s, the result %s",
                    call->op->spec.name, lbo_dtype_name((lbo_dtype)g->dtype),
                    lbo_dtype_name((lbo_dtype)out->dtype));
}

LB_METHOD(lbo_unary, cpu_embedding_backward);
static lb_status cpu_embedding_backward(lb_slot slot, lbo_context *context,
                                        lbo_tensor *g, lbo_call *call)
{
    lbo_tensor *const out = call->out[0];
    const row_job job = {{call, call->in[1], out->dims[0]},
                         out,
                         g,
                         g->dtype == LBO_F64 ? add_row_f64 : add_row_f32,
                         true};
    const double zero = 0;
    const lb_status status = check_types(call);

    LB_IGNORE(slot);
    (void)context;
    if (status != LB_OK)
        return status;
    lboi_fill_host(out, &zero);
    return each_row(&job);
}

/* ---- gather -------------------------------------------------------------- */

/* For each run: one operand by index, beside one that goes along. */
typedef struct gather_job {
    range indices;
    int64_t step; /* bytes between two in the chosen dimension */
    lb_status (*run)(const struct gather_job *job, const lbo_walk *walk,
                     int64_t number);
} gather_job;

/* Operands of the walk: index, the tensor that goes along, the one by index. */
#define GATHER_RUN(name, type, action)                                         \
    static lb_status name(const gather_job *job, const lbo_walk *walk,         \
                          int64_t number)                                      \
    {                                                                          \
        for (int64_t i = 0; i < walk->count; i++) {                            \
            const int64_t index = index_at(job->indices.indices,               \
                                           walk->at[0] + i * walk->step[0]);   \
            if (index < 0 || index >= job->indices.size)                       \
                return outside(&job->indices, index, number + i);              \
            type *const along =                                                \
                (type *)(void *)(walk->at[1] + i * walk->step[1]);             \
            type *const chosen =                                               \
                (type *)(void *)(walk->at[2] + i * walk->step[2] +             \
                                 index * job->step);                           \
            action;                                                            \
        }                                                                      \
        return LB_OK;                                                          \
    }

GATHER_RUN(take_1, uint8_t, *along = *chosen)
GATHER_RUN(take_2, uint16_t, *along = *chosen)
GATHER_RUN(take_f32, float, *along = *chosen)
GATHER_RUN(take_f64, double, *along = *chosen)
GATHER_RUN(take_i32, int32_t, *along = *chosen)
GATHER_RUN(take_i64, int64_t, *along = *chosen)
GATHER_RUN(add_f32, float, *chosen += *along)
GATHER_RUN(add_f64, double, *chosen += *along)

static lb_status walk_gather(gather_job *job, lbo_tensor *along,
                             lbo_tensor *chosen)
{
    const lbo_tensor *const indices = job->indices.indices;
    lbo_tensor *const operands[] = {job->indices.call->in[1], along, chosen};
    lb_status status = LB_OK;
    int64_t number = 0;
    lbo_walk walk;

    lbo_walk_init(&walk, indices->ndim, lbo_shape(indices), 3, operands);
    do {
        status = job->run(job, &walk, number);
        number += walk.count;
    } while (status == LB_OK && lbo_walk_next(&walk));
    return status;
}

/* `from` is chosen from by index, `along` has the shape of the index. */
static lb_status each_index(gather_job *job, lbo_tensor *from,
                            lbo_tensor *along)
{
    const lbo_call *const call = job->indices.call;
    lbo_tensor *const indices = call->in[1];
    int64_t strides[LBO_MAX_DIMS], dim;
    lbo_tensor *still = NULL;
    lb_status status = lboi_dim(
        ((const lbo_dim_attributes *)call->attributes)->dim, from->ndim, &dim);

    if (status != LB_OK || indices->size == 0)
        return status;
    memcpy(strides, lbo_strides(from), from->ndim * sizeof *strides);
    job->indices.size = from->ndim > 0 ? from->dims[dim] : 1;
    job->step = from->ndim > 0 ? strides[dim] * bytes_of(from) : 0;
    if (job->indices.size == 0)
        return outside(&job->indices, index_at(indices, indices->data), 0);
    if (from->ndim > 0)
        strides[dim] = 0;
    status = lbo_tensor_view(from, 0, from->ndim, lbo_shape(indices), strides,
                             &still);
    if (status == LB_OK)
        status = walk_gather(job, along, still);
    lbo_tensor_release(still);
    return status;
}

LB_METHOD(lbo_unary, cpu_gather);
static lb_status cpu_gather(lb_slot slot, lbo_context *context, lbo_tensor *x,
                            lbo_call *call)
{
    gather_job job = {.indices = {call, call->in[1], 0}};

    LB_IGNORE(slot);
    (void)context;
    switch ((lbo_dtype)x->dtype) {
    case LBO_F16:
    case LBO_BF16:
        job.run = take_2;
        break;
    case LBO_I32:
        job.run = take_i32;
        break;
    case LBO_I64:
        job.run = take_i64;
        break;
    case LBO_F32:
        job.run = take_f32;
        break;
    case LBO_F64:
        job.run = take_f64;
        break;
    default:
        job.run = take_1;
    }
    return each_index(&job, x, call->out[0]);
}

LB_METHOD(lbo_unary, cpu_gather_backward);
static lb_status cpu_gather_backward(lb_slot slot, lbo_context *context,
                                     lbo_tensor *g, lbo_call *call)
{
    gather_job job = {.indices = {call, call->in[1], 0},
                      .run = g->dtype == LBO_F64 ? add_f64 : add_f32};
    const double zero = 0;
    const lb_status status = check_types(call);

    LB_IGNORE(slot);
    (void)context;
    if (status != LB_OK)
        return status;
    lboi_fill_host(call->out[0], &zero);
    return each_index(&job, call->out[0], g);
}

static const lbo_kernel kernels[] = {
    {"embedding", LB_DESCRIPTOR(cpu_embedding), LBO_ANY_DTYPE, LBO_ANY_DTYPE,
     NULL},
    {"embedding_backward", LB_DESCRIPTOR(cpu_embedding_backward), LBO_F32,
     LBO_ANY_DTYPE, NULL},
    {"embedding_backward", LB_DESCRIPTOR(cpu_embedding_backward), LBO_F64,
     LBO_ANY_DTYPE, NULL},
    {"gather", LB_DESCRIPTOR(cpu_gather), LBO_ANY_DTYPE, LBO_ANY_DTYPE, NULL},
    {"gather_backward", LB_DESCRIPTOR(cpu_gather_backward), LBO_F32,
     LBO_ANY_DTYPE, NULL},
    {"gather_backward", LB_DESCRIPTOR(cpu_gather_backward), LBO_F64,
     LBO_ANY_DTYPE, NULL},
};

const lboi_table lboi_cpu_choose = {kernels, sizeof kernels / sizeof *kernels};
