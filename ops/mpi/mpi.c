/* mpi.c - an optimizer for several processes.
 *
 * A step:
 *   1. every process packs its gradients into one buffer per type (f32, f64), a
 *      flag per parameter that has one, and a flag for a failure of its own
 *   2. the flags are all-reduced (maximum): a failure anywhere ends the step
 *      everywhere, a parameter with a gradient anywhere has one everywhere
 *      (zeros where there was none)
 *   3. the buffers are all-reduced (sum), divided, written back as gradients
 *   4. the inner optimizer's step, and the flags once more
 * One message per type instead of one per parameter: small ones cost their
 * latency. (Synchronous data parallelism: as in Goyal et al. 2017.)
 */
#include "latebind/ops/mpi.h"

#include "latebind/ops.h"

#include <limits.h>
#include <string.h>

typedef struct buffer {
    char *data;
    size_t bytes; /* room */
    size_t count; /* elements */
} buffer;

typedef struct mpi_optimizer {
    lbo_optimizer base;
    lbo_optimizer *inner;
    MPI_Comm comm;
    int size;
    bool comm_made;
    bool trying;          /* the step does nothing */
    unsigned char *flags; /* a failure; then one per parameter */
    buffer parts[2];      /* f32, f64 */
} mpi_optimizer;

static const lbo_dtype types[2] = {LBO_F32, LBO_F64};

static lb_status check(int code)
{
    char text[MPI_MAX_ERROR_STRING];
    int length;

    if (code == MPI_SUCCESS)
        return LB_OK;
    if (MPI_Error_string(code, text, &length) != MPI_SUCCESS)
        text[0] = '\0';
    return lbo_fail(LB_METHOD_FAILED, "mpi: %s", text);
}

/* ---- buffers ------------------------------------------------------------- */

static lb_status check_type(const lbo_optimizer *inner, size_t i)
{
    const int type = inner->parameters[i]->dtype;

    if (type == LBO_F32 || type == LBO_F64)
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT,
                    "mpi optimizer: %s is %s; f32 and f64 can be averaged",
                    inner->paths[i], lbo_dtype_name((lbo_dtype)type));
}

static lb_status make_buffers(mpi_optimizer *self, lbo_context *context)
{
    const lbo_optimizer *const inner = self->inner;

    for (size_t i = 0; i < inner->count; i++) {
        const lb_status status = check_type(inner, i);
        if (status != LB_OK)
            return status;
        self->parts[inner->parameters[i]->dtype == LBO_F64].bytes +=
            lbo_tensor_bytes(inner->parameters[i]);
    }
    self->flags = lbo_scratch(context, inner->count + 1);
    for (int k = 0; k < 2; k++)
        self->parts[k].data = lbo_scratch(context, self->parts[k].bytes);
    return self->flags && self->parts[0].data && self->parts[1].data
               ? LB_OK
               : LB_NO_MEMORY;
}

/* What is wanted of each parameter: its own elements, or its gradient. */
typedef lb_status (*move_fn)(lbo_context *context, lbo_tensor *parameter,
                             char *at, size_t bytes);

/* Runs `move` for the parameters whose flag is set, with their places in the
 * buffers; sets the buffers' counts. */
static lb_status move_all(mpi_optimizer *self, lbo_context *context,
                          move_fn move)
{
    const lbo_optimizer *const inner = self->inner;
    size_t used[2] = {0, 0};
    lb_status status = LB_OK;

    for (size_t i = 0; i < inner->count && status == LB_OK; i++) {
        lbo_tensor *const parameter = inner->parameters[i];
        const int kind = parameter->dtype == LBO_F64;
        const size_t bytes = lbo_tensor_bytes(parameter);
        if (!self->flags[i + 1])
            continue;
        if (bytes > 0)
            status = move(context, parameter,
                          self->parts[kind].data + used[kind], bytes);
        used[kind] += bytes;
    }
    for (int k = 0; k < 2; k++)
        self->parts[k].count = used[k] / lbo_dtype_size(types[k]);
    return status;
}

static lb_status take_value(lbo_context *context, lbo_tensor *parameter,
                            char *at, size_t bytes)
{
    return lbo_read(context, parameter, at, bytes);
}

static lb_status put_value(lbo_context *context, lbo_tensor *parameter,
                           char *at, size_t bytes)
{
    return lbo_write(context, parameter, at, bytes);
}

static lb_status take_gradient(lbo_context *context, lbo_tensor *parameter,
                               char *at, size_t bytes)
{
    lbo_tensor *const gradient = lbo_gradient(parameter);

    if (gradient != NULL)
        return lbo_read(context, gradient, at, bytes);
    memset(at, 0, bytes);
    return LB_OK;
}

static lb_status put_gradient(lbo_context *context, lbo_tensor *parameter,
                              char *at, size_t bytes)
{
    lbo_spec spec = {.device = lbo_tensor_device(parameter),
                     .dtype = parameter->dtype,
                     .ndim = parameter->ndim};
    lbo_tensor *gradient = NULL;
    lb_status status;

    memcpy(spec.shape, lbo_shape(parameter),
           parameter->ndim * sizeof *spec.shape);
    status = lbo_tensor_create(context, &spec, &gradient);
    if (status == LB_OK)
        status = lbo_write(context, gradient, at, bytes);
    if (status == LB_OK)
        status = lbo_set_gradient(parameter, gradient);
    lbo_tensor_release(gradient);
    return status;
}

/* ---- messages ------------------------------------------------------------ */

enum { PIECE = 1 << 28 }; /* elements of one message, since counts are int */

static lb_status sum_buffer(mpi_optimizer *self, int kind)
{
    const MPI_Datatype type = kind ? MPI_DOUBLE : MPI_FLOAT;
    const size_t size = lbo_dtype_size(types[kind]);
    lb_status status = LB_OK;

    for (size_t at = 0; at < self->parts[kind].count && status == LB_OK;
         at += PIECE) {
        const size_t left = self->parts[kind].count - at;
        status = check(MPI_Allreduce(
            MPI_IN_PLACE, self->parts[kind].data + at * size,
            (int)(left < PIECE ? left : PIECE), type, MPI_SUM, self->comm));
    }
    return status;
}

static void divide(mpi_optimizer *self)
{
    float *const singles = (float *)(void *)self->parts[0].data;
    double *const doubles = (double *)(void *)self->parts[1].data;

    for (size_t i = 0; i < self->parts[0].count; i++)
        singles[i] /= (float)self->size;
    for (size_t i = 0; i < self->parts[1].count; i++)
        doubles[i] /= self->size;
}

static lb_status give_values(mpi_optimizer *self)
{
    lb_status status = LB_OK;

    for (int k = 0; k < 2 && status == LB_OK; k++)
        for (size_t at = 0; at < self->parts[k].count && status == LB_OK;
             at += PIECE) {
            const size_t left = self->parts[k].count - at;
            status = check(
                MPI_Bcast(self->parts[k].data + at * lbo_dtype_size(types[k]),
                          (int)(left < PIECE ? left : PIECE),
                          k ? MPI_DOUBLE : MPI_FLOAT, 0, self->comm));
        }
    return status;
}

/* Everybody learns whether somebody failed, and which gradients there are. */
static lb_status share_flags(mpi_optimizer *self, lb_status own)
{
    const size_t count = self->inner->count + 1;
    const lb_status status =
        count > INT_MAX
            ? LB_LIMIT
            : check(MPI_Allreduce(MPI_IN_PLACE, self->flags, (int)count,
                                  MPI_UNSIGNED_CHAR, MPI_MAX, self->comm));

    if (own != LB_OK || status != LB_OK)
        return own != LB_OK ? own : status;
    return self->flags[0]
               ? lbo_fail(LB_METHOD_FAILED, "mpi: another process failed")
               : LB_OK;
}

/* ---- the step ------------------------------------------------------------ */

static lb_status average(mpi_optimizer *self, lbo_context *context)
{
    const lbo_optimizer *const inner = self->inner;
    lb_status status;

    self->flags[0] = 0;
    for (size_t i = 0; i < inner->count; i++)
        self->flags[i + 1] = lbo_gradient(inner->parameters[i]) != NULL;
    status = share_flags(self, LB_OK);
    if (status == LB_OK)
        status = move_all(self, context, take_gradient);
    self->flags[0] = status != LB_OK;
    status = share_flags(self, status);
    for (int k = 0; k < 2 && status == LB_OK; k++)
        status = sum_buffer(self, k);
    if (status != LB_OK)
        return status;
    divide(self);
    status = move_all(self, context, put_gradient);
    self->flags[0] = status != LB_OK;
    return share_flags(self, status);
}

LB_METHOD(lbo_on_step, mpi_step);
static lb_status mpi_step(lb_slot slot, lbo_optimizer *optimizer,
                          lbo_context *context)
{
    mpi_optimizer *const self = (mpi_optimizer *)optimizer;
    lb_status status = LB_OK;

    LB_IGNORE(slot);
    if (self->trying)
        return LB_OK;
    status = average(self, context);
    if (status != LB_OK)
        return status;
    status = lbo_step(context, self->inner);
    self->flags[0] = status != LB_OK;
    return share_flags(self, status);
}

LB_METHOD(lbo_on_optimizer_free, mpi_free);
static void mpi_free(lb_slot slot, lbo_optimizer *optimizer)
{
    mpi_optimizer *const self = (mpi_optimizer *)optimizer;
    lbo_context *context = NULL;
    int ended = 0;

    LB_IGNORE(slot);
    if (self->comm_made && MPI_Finalized(&ended) == MPI_SUCCESS && !ended)
        (void)MPI_Comm_free(&self->comm);
    if (lbo_context_create(self->base.library, NULL, &context) != LB_OK)
        return;
    lbo_scratch_free(context, self->flags, self->inner->count + 1);
    for (int k = 0; k < 2; k++)
        lbo_scratch_free(context, self->parts[k].data, self->parts[k].bytes);
    lbo_context_destroy(context);
}

/* ---- making -------------------------------------------------------------- */

static lb_status find_class(lbo_library *library, lb_class **cls)
{
    static const char name[] = "mpi optimizer";
    lb_status status;

    *cls = lbo_optimizer_class(library, name);
    if (*cls != NULL)
        return LB_OK;
    *cls = lb_class_make(lbo_runtime(library), name, sizeof(mpi_optimizer),
                         lbo_optimizer_class(library, "optimizer"), NULL);
    if (*cls == NULL)
        return LB_NO_MEMORY;
    status =
        lb_add_classes(lb_generic_head(lbo_generic(library, "optimizer.step")),
                       LB_DESCRIPTOR(mpi_step), (lb_class *[]){*cls});
    if (status == LB_OK)
        status = lb_add_classes(
            lb_generic_head(lbo_generic(library, "optimizer.free")),
            LB_DESCRIPTOR(mpi_free), (lb_class *[]){*cls});
    return status;
}

static lb_status join(mpi_optimizer *self, MPI_Comm comm)
{
    lb_status status = check(MPI_Comm_dup(comm, &self->comm));

    if (status != LB_OK)
        return status;
    self->comm_made = true;
    status = check(MPI_Comm_set_errhandler(self->comm, MPI_ERRORS_RETURN));
    return status == LB_OK ? check(MPI_Comm_size(self->comm, &self->size))
                           : status;
}

/* What may fail in one alone, before others wait for it: the buffers; the way to
 * the method, which the first call takes memory for. */
static lb_status get_ready(mpi_optimizer *self, lbo_context *context)
{
    lb_status status = make_buffers(self, context);
    unsigned char failed;

    self->trying = true;
    if (status == LB_OK)
        status = lbo_step(context, &self->base);
    self->trying = false;
    self->base.steps = 0;
    failed = status != LB_OK;
    const lb_status shared = check(MPI_Allreduce(
        MPI_IN_PLACE, &failed, 1, MPI_UNSIGNED_CHAR, MPI_MAX, self->comm));
    if (status != LB_OK || shared != LB_OK)
        return status != LB_OK ? status : shared;
    return failed ? lbo_fail(LB_METHOD_FAILED, "mpi: another process failed")
                  : LB_OK;
}

/* All get the first process's parameters. */
static lb_status begin_alike(mpi_optimizer *self, lbo_context *context)
{
    lb_status status;

    memset(self->flags, 1, self->inner->count + 1);
    status = move_all(self, context, take_value);
    self->flags[0] = status != LB_OK;
    status = share_flags(self, status);
    if (status == LB_OK)
        status = give_values(self);
    return status == LB_OK ? move_all(self, context, put_value) : status;
}

lb_status lbo_mpi_optimizer(lbo_context *context, lbo_optimizer *inner,
                            MPI_Comm comm, lbo_optimizer **result)
{
    lbo_optimizer *made = NULL;
    lbo_module *nothing = NULL;
    lb_class *cls;
    lb_status status;

    if (context == NULL || inner == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_mpi_optimizer: an argument is NULL");
    status = find_class(inner->library, &cls);
    /* the parameters are the inner one's: the wrapper has none of its own */
    if (status == LB_OK)
        status = lbo_module_create(inner->library,
                                   lbo_module_class(inner->library, "module"),
                                   "nothing", &nothing);
    if (status == LB_OK)
        status = lbo_optimizer_create(cls, nothing, inner->rate, &made);
    lbo_module_release(nothing);
    if (status != LB_OK)
        return status;
    mpi_optimizer *const self = (mpi_optimizer *)made;
    self->inner = inner;
    status = join(self, comm);
    if (status == LB_OK)
        status = get_ready(self, context);
    if (status == LB_OK)
        status = begin_alike(self, context);
    if (status == LB_OK)
        *result = made;
    else
        lbo_optimizer_destroy(made);
    return status;
}
