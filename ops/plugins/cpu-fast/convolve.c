/* convolve.c - convolutions in f32 by oneDNN where it wins.
 *
 *   1. small products, few channels and kernels of 1 x 1 are OpenBLAS's (blas.c)
 *   2. the others are planned once per shape: the primitive, in the layout that
 *      it wants, and the reorders to and from row-major
 *   3. plans are kept; the one not used for longest makes room
 * A plan's buffers are its own, so that one thread at a time runs; oneDNN uses
 * as many threads as OpenBLAS is set to, where that is worth it. What oneDNN refuses is OpenBLAS's too.
 */
#include "cpu_fast.h"

#ifdef FAST_HAVE_DNNL

#include <cblas.h>
#include <dnnl.h>
#include <pthread.h>
#include <string.h>

/* Of libgomp, where oneDNN was built with it. */
__attribute__((weak)) void omp_set_num_threads(int count);
__attribute__((weak)) int omp_get_max_threads(void);

enum { PLANS = 32, SIDES = 4 };

typedef enum kind { FORWARD, BY_INPUT, BY_WEIGHT } kind;

/* Compared as bytes: all members are set, there is no padding. */
typedef struct key {
    int64_t kind, bias, threads;
    int64_t x[4], weight[4], y[4];
    lbo_conv2d_attributes by;
} key;

/* One operand: as it is in row-major order, and as the primitive wants it. */
typedef struct side {
    int argument; /* DNNL_ARG_... */
    bool written;
    dnnl_memory_t plain, inner; /* the same where nothing is to be done */
    dnnl_primitive_t reorder;   /* between the two; else NULL */
} side;

typedef struct plan {
    key key;
    uint64_t used; /* by the clock of runs; 0: free */
    dnnl_primitive_t run;
    side sides[SIDES];
    int count;
} plan;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* around all below */
static plan plans[PLANS];
static uint64_t runs;
static dnnl_engine_t engine;
static dnnl_stream_t stream;

/* ---- making a plan ------------------------------------------------------------ */

/* What a primitive is made of: x, weight, bias, y as row-major and as "any". */
typedef struct forms {
    dnnl_memory_desc_t x, weight, bias, y;
    dnnl_memory_desc_t any_x, any_weight, any_y;
    dnnl_dims_t stride, dilation, padding, padding_after;
} forms;

static bool form(dnnl_memory_desc_t *plain, dnnl_memory_desc_t *any, int ndim,
                 const int64_t *shape, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = {0};

    memcpy(dims, shape, (size_t)ndim * sizeof *shape);
    return dnnl_memory_desc_init_by_tag(plain, ndim, dims, dnnl_f32, tag) ==
               dnnl_success &&
           dnnl_memory_desc_init_by_tag(any, ndim, dims, dnnl_f32,
                                        dnnl_format_tag_any) == dnnl_success;
}

static bool fill_forms(const key *k, forms *f)
{
    const int64_t groups = k->by.groups;
    const int64_t grouped[] = {groups, k->weight[0] / groups, k->weight[1],
                               k->weight[2], k->weight[3]};
    dnnl_memory_desc_t none;

    for (int i = 0; i < 2; i++) {
        const int64_t reach = (k->weight[2 + i] - 1) * k->by.dilation[i] + 1;
        f->stride[i] = k->by.stride[i];
        f->dilation[i] = k->by.dilation[i] - 1;
        f->padding[i] = k->by.padding[i];
        f->padding_after[i] = (k->y[2 + i] - 1) * k->by.stride[i] + reach -
                              k->x[2 + i] - k->by.padding[i];
    }
    return form(&f->x, &f->any_x, 4, k->x, dnnl_nchw) &&
           form(&f->y, &f->any_y, 4, k->y, dnnl_nchw) &&
           form(&f->bias, &none, 1, k->weight, dnnl_x) &&
           (groups == 1
                ? form(&f->weight, &f->any_weight, 4, k->weight, dnnl_oihw)
                : form(&f->weight, &f->any_weight, 5, grouped, dnnl_goihw));
}

static bool describe_forward(const key *k, const forms *f,
                             dnnl_primitive_desc_t *result)
{
    dnnl_convolution_desc_t d;

    return dnnl_dilated_convolution_forward_desc_init(
               &d, dnnl_forward_training, dnnl_convolution_direct, &f->any_x,
               &f->any_weight, k->bias ? &f->bias : NULL, &f->any_y, f->stride,
               f->dilation, f->padding, f->padding_after) == dnnl_success &&
           dnnl_primitive_desc_create(result, &d, NULL, engine, NULL) ==
               dnnl_success;
}

static bool describe_backward(const key *k, const forms *f,
                              dnnl_primitive_desc_t *result)
{
    dnnl_primitive_desc_t hint = NULL;
    dnnl_convolution_desc_t d;
    dnnl_status_t status;

    if (!describe_forward(k, f, &hint))
        return false;
    if (k->kind == BY_INPUT)
        status = dnnl_dilated_convolution_backward_data_desc_init(
            &d, dnnl_convolution_direct, &f->any_x, &f->any_weight, &f->any_y,
            f->stride, f->dilation, f->padding, f->padding_after);
    else
        status = dnnl_dilated_convolution_backward_weights_desc_init(
            &d, dnnl_convolution_direct, &f->any_x, &f->any_weight, NULL,
            &f->any_y, f->stride, f->dilation, f->padding, f->padding_after);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(result, &d, NULL, engine, hint);
    dnnl_primitive_desc_destroy(hint);
    return status == dnnl_success;
}

static bool make_reorder(side *s, const dnnl_memory_desc_t *plain,
                         const dnnl_memory_desc_t *inner)
{
    const dnnl_memory_desc_t *const from = s->written ? inner : plain;
    const dnnl_memory_desc_t *const to = s->written ? plain : inner;
    dnnl_primitive_desc_t described = NULL;

    if (dnnl_memory_create(&s->inner, inner, engine, DNNL_MEMORY_ALLOCATE) !=
            dnnl_success ||
        dnnl_reorder_primitive_desc_create(&described, from, engine, to, engine,
                                           NULL) != dnnl_success)
        return false;
    const bool made =
        dnnl_primitive_create(&s->reorder, described) == dnnl_success;
    dnnl_primitive_desc_destroy(described);
    return made;
}

static bool add_side(plan *p, dnnl_primitive_desc_t described, int argument,
                     bool written, const dnnl_memory_desc_t *plain)
{
    const dnnl_memory_desc_t *const inner = dnnl_primitive_desc_query_md(
        described, dnnl_query_exec_arg_md, argument);
    side *const s = &p->sides[p->count++];

    s->argument = argument;
    s->written = written;
    if (inner == NULL || dnnl_memory_create(&s->plain, plain, engine,
                                            DNNL_MEMORY_NONE) != dnnl_success)
        return false;
    if (!dnnl_memory_desc_equal(plain, inner))
        return make_reorder(s, plain, inner);
    s->inner = s->plain;
    return true;
}

/* In the order in which run_plan is given the data. */
static bool add_sides(plan *p, const forms *f, dnnl_primitive_desc_t d)
{
    switch (p->key.kind) {
    case FORWARD:
        return add_side(p, d, DNNL_ARG_SRC, false, &f->x) &&
               add_side(p, d, DNNL_ARG_WEIGHTS, false, &f->weight) &&
               add_side(p, d, DNNL_ARG_DST, true, &f->y) &&
               (!p->key.bias || add_side(p, d, DNNL_ARG_BIAS, false, &f->bias));
    case BY_INPUT:
        return add_side(p, d, DNNL_ARG_DIFF_SRC, true, &f->x) &&
               add_side(p, d, DNNL_ARG_WEIGHTS, false, &f->weight) &&
               add_side(p, d, DNNL_ARG_DIFF_DST, false, &f->y);
    default:
        return add_side(p, d, DNNL_ARG_SRC, false, &f->x) &&
               add_side(p, d, DNNL_ARG_DIFF_WEIGHTS, true, &f->weight) &&
               add_side(p, d, DNNL_ARG_DIFF_DST, false, &f->y);
    }
}

static void drop_plan(plan *p)
{
    for (int i = 0; i < p->count; i++) {
        side *const s = &p->sides[i];
        if (s->reorder != NULL)
            dnnl_primitive_destroy(s->reorder);
        if (s->inner != NULL && s->inner != s->plain)
            dnnl_memory_destroy(s->inner);
        if (s->plain != NULL)
            dnnl_memory_destroy(s->plain);
    }
    if (p->run != NULL)
        dnnl_primitive_destroy(p->run);
    memset(p, 0, sizeof *p);
}

static bool make_plan(plan *p, const key *k)
{
    dnnl_primitive_desc_t described = NULL;
    forms f;

    p->key = *k;
    if (!fill_forms(k, &f) ||
        !(k->kind == FORWARD ? describe_forward(k, &f, &described)
                             : describe_backward(k, &f, &described)))
        return false;
    const bool made = add_sides(p, &f, described) &&
                      dnnl_primitive_create(&p->run, described) == dnnl_success;
    dnnl_primitive_desc_destroy(described);
    return made;
}

/* The plan for a key: the one that is kept, or a new one; NULL: oneDNN has
 * none. */
static plan *find_plan(const key *k)
{
    plan *oldest = &plans[0];

    for (int i = 0; i < PLANS; i++) {
        if (plans[i].used != 0 && memcmp(&plans[i].key, k, sizeof *k) == 0) {
            plans[i].used = ++runs;
            return &plans[i];
        }
        if (plans[i].used < oldest->used)
            oldest = &plans[i];
    }
    drop_plan(oldest);
    if (!make_plan(oldest, k)) {
        drop_plan(oldest);
        return NULL;
    }
    oldest->used = ++runs;
    return oldest;
}

/* ---- running one ---------------------------------------------------------------- */

static bool reorder(const side *s)
{
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_FROM, s->written ? s->inner : s->plain},
        {DNNL_ARG_TO, s->written ? s->plain : s->inner}};

    return s->reorder == NULL ||
           dnnl_primitive_execute(s->reorder, stream, 2, args) == dnnl_success;
}

static bool run_plan(const plan *p, void *const *data)
{
    dnnl_exec_arg_t args[SIDES];
    bool good = true;

    for (int i = 0; i < p->count && good; i++) {
        const side *const s = &p->sides[i];
        args[i] = (dnnl_exec_arg_t){s->argument, s->inner};
        good = dnnl_memory_set_data_handle(s->plain, data[i]) == dnnl_success &&
               (s->written || reorder(s));
    }
    good = good && dnnl_primitive_execute(p->run, stream, p->count, args) ==
                       dnnl_success;
    for (int i = 0; i < p->count && good; i++)
        if (p->sides[i].written)
            good = reorder(&p->sides[i]);
    return dnnl_stream_wait(stream) == dnnl_success && good;
}

static bool start_engine(void)
{
    if (stream != NULL)
        return true;
    if (engine == NULL &&
        dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        return false;
    return dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) ==
           dnnl_success;
}

/* data: x, weight, y, bias. */
static bool run_key(const key *k, void *const *data)
{
    const bool threads =
        omp_set_num_threads != NULL && omp_get_max_threads != NULL;
    bool good = false;

    pthread_mutex_lock(&mutex);
    const int before = threads ? omp_get_max_threads() : 0;
    if (threads)
        omp_set_num_threads((int)k->threads);
    if (start_engine()) {
        const plan *const p = find_plan(k);
        good = p != NULL && run_plan(p, data);
    }
    if (threads)
        omp_set_num_threads(before);
    pthread_mutex_unlock(&mutex);
    return good;
}

void fast_convolutions_begin(void)
{
    fast_pin((uintptr_t)dnnl_engine_create);
    fast_pin((uintptr_t)omp_get_max_threads);
}

void fast_convolutions_end(void)
{
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < PLANS; i++)
        drop_plan(&plans[i]);
    if (stream != NULL)
        dnnl_stream_destroy(stream);
    if (engine != NULL)
        dnnl_engine_destroy(engine);
    stream = NULL;
    engine = NULL;
    pthread_mutex_unlock(&mutex);
}

/* ---- which calls ------------------------------------------------------------------ */

/* How many products of numbers there are. */
static double products(const lbo_tensor *weight, const lbo_tensor *y)
{
    return (double)y->size * (double)weight->dims[1] * (double)weight->dims[2] *
           (double)weight->dims[3];
}

static key key_of(const lbo_call *call, kind what, const lbo_tensor *x,
                  const lbo_tensor *weight, const lbo_tensor *y)
{
    const bool many = products(weight, y) >= FAST_WORTH_THREADS;
    key k = {.kind = what,
             .bias = what == FORWARD && call->in[2] != NULL,
             .threads = many ? openblas_get_num_threads() : 1,
             .by = *(const lbo_conv2d_attributes *)call->attributes};

    memcpy(k.x, x->dims, sizeof k.x);
    memcpy(k.weight, weight->dims, sizeof k.weight);
    memcpy(k.y, y->dims, sizeof k.y);
    return k;
}

/* Measured: below, making columns and multiplying is as fast. */
enum { LEAST_CHANNELS = 4, LEAST_PRODUCTS = 1000000 };

static bool wins(const key *k, const lbo_tensor *weight, const lbo_tensor *y)
{
    return k->x[1] >= LEAST_CHANNELS && k->weight[2] * k->weight[3] > 1 &&
           products(weight, y) >= LEAST_PRODUCTS;
}

static bool is_plain(const lbo_tensor *t)
{
    return t == NULL || lbo_is_contiguous(t);
}

/* Whether it was done. `bias` may be NULL. */
static bool try_dnnl(const lbo_call *call, kind what, lbo_tensor *x,
                     lbo_tensor *weight, lbo_tensor *y, lbo_tensor *bias)
{
    if (!is_plain(x) || !is_plain(weight) || !is_plain(y) || !is_plain(bias))
        return false;
    const key k = key_of(call, what, x, weight, y);
    if (!wins(&k, weight, y))
        return false;
    void *const data[] = {x->data, weight->data, y->data,
                          bias != NULL ? bias->data : NULL};
    return run_key(&k, data);
}

LB_METHOD(lbo_binary, conv2d_onednn);
LB_METHOD(lbo_binary, conv2d_backward_input_onednn);
LB_METHOD(lbo_binary, conv2d_backward_weight_onednn);

static lb_status conv2d_onednn(lb_slot slot, lbo_context *context,
                               lbo_tensor *a, lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    if (try_dnnl(call, FORWARD, a, b, call->out[0], call->in[2]))
        return LB_OK;
    return lboi_conv2d_by(context, call, fast_gemm_f32);
}

static lb_status conv2d_backward_input_onednn(lb_slot slot,
                                              lbo_context *context,
                                              lbo_tensor *a, lbo_tensor *b,
                                              lbo_call *call)
{
    LB_IGNORE(slot);
    if (try_dnnl(call, BY_INPUT, call->out[0], b, a, NULL))
        return LB_OK;
    return lboi_conv2d_backward_input_by(context, call, fast_gemm_f32);
}

static lb_status conv2d_backward_weight_onednn(lb_slot slot,
                                               lbo_context *context,
                                               lbo_tensor *a, lbo_tensor *b,
                                               lbo_call *call)
{
    LB_IGNORE(slot);
    if (try_dnnl(call, BY_WEIGHT, b, call->out[0], a, NULL))
        return LB_OK;
    return lboi_conv2d_backward_weight_by(context, call, fast_gemm_f32);
}

#define KERNEL(op)                                                             \
    {                                                                          \
#op, LB_DESCRIPTOR(op##_onednn), LBO_F32, LBO_F32, NULL                \
    }

static const lbo_kernel kernels[] = {
    KERNEL(conv2d),
    KERNEL(conv2d_backward_input),
    KERNEL(conv2d_backward_weight),
};

const fast_table fast_convolutions = {kernels,
                                      sizeof kernels / sizeof *kernels};

#else

void fast_convolutions_begin(void)
{
}

void fast_convolutions_end(void)
{
}

const fast_table fast_convolutions = {NULL, 0};

#endif
