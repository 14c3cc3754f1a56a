/* view.c - other shapes over the same elements.
 *
 * Each operator here is one method for all tensors of all devices: a view needs
 * no kernel, only strides. reshape:
 *   1. dimensions of the old shape that lie together are joined to runs
 *   2. each run must be a product of neighbouring new sizes, else no strides
 *      would do
 *   3. where 2 fails the elements are copied to row-major order first
 * The gradient of slice is made of operators: zeros, and a copy into the slice.
 */
#include "operators/view.h"

#include <string.h>

/* ---- attributes ---------------------------------------------------------- */

/* A list of sizes or dimensions as an attribute. */
static lb_status take_dims(const char *name, size_t count, const int64_t *dims,
                           lbo_dims_attributes *attributes)
{
    if (count > LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: %zu dimensions, there may be at most %d", name,
                        count, LBO_MAX_DIMS);
    if (count > 0 && dims == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: the list of dimensions is NULL",
                        name);
    attributes->dims.count = (int32_t)count;
    if (count > 0)
        memcpy(attributes->dims.at, dims, count * sizeof *dims);
    return LB_OK;
}

static lb_status check_count(const lbo_dims *dims)
{
    if (dims->count < 0 || dims->count > LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT, "%d dimensions, there may be 0 to %d",
                        (int)dims->count, LBO_MAX_DIMS);
    return LB_OK;
}

/* ---- reshape ------------------------------------------------------------- */

static lb_status wrong_size(const lbo_tensor *x, const lbo_dims *dims)
{
    char from[400], to[400];

    return lbo_fail(
        LB_BAD_ARGUMENT, "%lld elements of shape %s do not make shape %s",
        (long long)x->size,
        lboi_shape_text(x->ndim, x->dims, from, sizeof from),
        lboi_shape_text((size_t)dims->count, dims->at, to, sizeof to));
}

/* The new shape, with what stands for -1. */
static lb_status infer_reshape(const lbo_call *call, lbo_spec *out)
{
    const lbo_dims *const dims =
        &((const lbo_dims_attributes *)call->attributes)->dims;
    const lbo_tensor *const x = call->in[0];
    int64_t known = 1;
    int open = -1;
    const lb_status status = check_count(dims);

    if (status != LB_OK)
        return status;
    for (int i = 0; i < dims->count; i++) {
        if (dims->at[i] == -1 && open < 0)
            open = i;
        else if (dims->at[i] < 0 ||
                 __builtin_mul_overflow(known, dims->at[i], &known))
            return wrong_size(x, dims);
    }
    if (open < 0 ? known != x->size : known == 0 || x->size % known != 0)
        return wrong_size(x, dims);
    lboi_spec_set(out, x->dtype, (size_t)dims->count, dims->at);
    if (open >= 0)
        out->shape[open] = x->size / known;
    return LB_OK;
}

typedef struct runs {
    uint32_t count;
    int64_t size[LBO_MAX_DIMS], stride[LBO_MAX_DIMS]; /* innermost first */
} runs;

static void find_runs(const lbo_tensor *x, runs *result)
{
    const int64_t *const strides = lbo_strides(x);
    uint32_t count = 0;

    for (int i = x->ndim; i-- > 0;) {
        if (x->dims[i] == 1)
            continue;
        if (count > 0 &&
            strides[i] == result->stride[count - 1] * result->size[count - 1]) {
            result->size[count - 1] *= x->dims[i];
            continue;
        }
        result->size[count] = x->dims[i];
        result->stride[count++] = strides[i];
    }
    result->count = count;
}

/* Strides for a shape of as many elements (not none), if there are any. */
static bool view_strides(const lbo_tensor *x, size_t ndim, const int64_t *shape,
                         int64_t *strides)
{
    int64_t left = 1, stride = 1;
    uint32_t next = 0;
    runs old;

    find_runs(x, &old);
    for (size_t i = ndim; i-- > 0;) {
        if (left == 1 && shape[i] > 1 && next < old.count) {
            left = old.size[next];
            stride = old.stride[next++];
        }
        if (left % shape[i] != 0)
            return false;
        strides[i] = stride;
        stride *= shape[i];
        left /= shape[i];
    }
    return true;
}

static lb_status reshape_copy(lbo_context *context, lbo_tensor *x,
                              const lbo_spec *spec, lbo_tensor **out)
{
    lbo_tensor *copy = NULL;
    lb_status status = lbo_copy(context, &copy, x);

    if (status == LB_OK)
        status = lbo_tensor_view(copy, 0, spec->ndim, spec->shape, NULL, out);
    lbo_tensor_release(copy);
    return status;
}

LB_METHOD(lbo_unary, reshape_view);
static lb_status reshape_view(lb_slot slot, lbo_context *context, lbo_tensor *x,
                              lbo_call *call)
{
    int64_t strides[LBO_MAX_DIMS];
    lbo_spec spec;
    const lb_status status = infer_reshape(call, &spec);

    LB_IGNORE(slot);
    if (status != LB_OK)
        return status;
    if (x->size == 0)
        return lbo_tensor_view(x, 0, spec.ndim, spec.shape, NULL, call->out);
    if (view_strides(x, spec.ndim, spec.shape, strides))
        return lbo_tensor_view(x, 0, spec.ndim, spec.shape, strides, call->out);
    return reshape_copy(context, x, &spec, call->out);
}

lb_status lbo_reshape(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                      size_t ndim, const int64_t *shape)
{
    lbo_dims_attributes attributes;
    const lb_status status = take_dims("reshape", ndim, shape, &attributes);

    return status == LB_OK
               ? lboi_run(context, LBOI_OP_reshape, out, &x, 1, &attributes)
               : status;
}

static const lbo_attribute shape_attribute[] = {
    {"shape", LBO_ATTRIBUTE_DIMS, offsetof(lbo_dims_attributes, dims)}};

const lbo_operator_spec lboi_spec_reshape = {
    .name = "reshape",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = LBO_VIEW,
    .attribute_size = sizeof(lbo_dims_attributes),
    .attributes = shape_attribute,
    .attribute_count = 1,
    .infer = infer_reshape,
    .gradient = lboi_gradient_reshape,
    .general = LB_DESCRIPTOR(reshape_view),
    .in_names = "x",
    .summary = "the same elements, in row-major order, in another shape",
};

/* ---- transpose ----------------------------------------------------------- */

/* order[i]: which dimension of x becomes number i. */
static lb_status find_order(const lbo_tensor *x, const lbo_dims *dims,
                            int64_t *order)
{
    const int ndim = x->ndim;
    uint32_t seen = 0;

    if (dims->count <= 0) {
        for (int i = 0; i < ndim; i++)
            order[i] = ndim - 1 - i;
        return LB_OK;
    }
    if (dims->count != ndim)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "a permutation of %d dimensions; x has %d",
                        (int)dims->count, ndim);
    for (int i = 0; i < ndim; i++) {
        const lb_status status = lboi_dim(dims->at[i], (size_t)ndim, &order[i]);
        if (status != LB_OK)
            return status;
        if (seen >> order[i] & 1)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "dimension %lld is in the permutation twice",
                            (long long)order[i]);
        seen |= 1u << order[i];
    }
    return LB_OK;
}

static lb_status infer_transpose(const lbo_call *call, lbo_spec *out)
{
    const lbo_dims_attributes *const attributes = call->attributes;
    const lbo_tensor *const x = call->in[0];
    int64_t order[LBO_MAX_DIMS];
    const lb_status status = find_order(x, &attributes->dims, order);

    if (status != LB_OK)
        return status;
    lboi_spec_like(out, x);
    for (int i = 0; i < x->ndim; i++)
        out->shape[i] = x->dims[order[i]];
    return LB_OK;
}

LB_METHOD(lbo_unary, transpose_view);
static lb_status transpose_view(lb_slot slot, lbo_context *context,
                                lbo_tensor *x, lbo_call *call)
{
    const lbo_dims_attributes *const attributes = call->attributes;
    int64_t order[LBO_MAX_DIMS], shape[LBO_MAX_DIMS], strides[LBO_MAX_DIMS];
    const lb_status status = find_order(x, &attributes->dims, order);

    LB_IGNORE(slot);
    (void)context;
    if (status != LB_OK)
        return status;
    for (int i = 0; i < x->ndim; i++) {
        shape[i] = x->dims[order[i]];
        strides[i] = lbo_strides(x)[order[i]];
    }
    return lbo_tensor_view(x, 0, x->ndim, shape, strides, call->out);
}

lb_status lbo_transpose(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                        size_t ndim, const int64_t *permutation)
{
    lbo_dims_attributes attributes;
    const lb_status status =
        take_dims("transpose", ndim, permutation, &attributes);

    return status == LB_OK
               ? lboi_run(context, LBOI_OP_transpose, out, &x, 1, &attributes)
               : status;
}

lb_status lbo_swap_dims(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                        int64_t a, int64_t b)
{
    int64_t order[LBO_MAX_DIMS];

    if (x == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "swap_dims: x is NULL");
    lb_status status = lboi_dim(a, x->ndim, &a);
    if (status == LB_OK)
        status = lboi_dim(b, x->ndim, &b);
    if (status != LB_OK)
        return status;
    for (int i = 0; i < x->ndim; i++)
        order[i] = i == a ? b : i == b ? a : i;
    return lbo_transpose(context, out, x, x->ndim, order);
}

static const lbo_attribute permutation_attribute[] = {
    {"permutation", LBO_ATTRIBUTE_DIMS, offsetof(lbo_dims_attributes, dims)}};

const lbo_operator_spec lboi_spec_transpose = {
    .name = "transpose",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = LBO_VIEW,
    .attribute_size = sizeof(lbo_dims_attributes),
    .attributes = permutation_attribute,
    .attribute_count = 1,
    .infer = infer_transpose,
    .gradient = lboi_gradient_transpose,
    .general = LB_DESCRIPTOR(transpose_view),
    .in_names = "x",
    .summary = "the dimensions in another order",
};

/* ---- slice --------------------------------------------------------------- */

typedef struct part {
    int64_t dim, start, count, step;
} part;

static int64_t clamp_index(int64_t index, int64_t size, bool backwards)
{
    const int64_t low = backwards ? -1 : 0;
    const int64_t high = backwards ? size - 1 : size;

    if (index < 0)
        index += size;
    return index < low ? low : index > high ? high : index;
}

/* What Python's slice.indices says, and how many there are. */
static lb_status find_part(const lbo_tensor *x,
                           const lbo_slice_attributes *slice, part *result)
{
    if (x->ndim == 0)
        return lbo_fail(LB_BAD_ARGUMENT, "x has no dimensions to slice");
    const lb_status status = lboi_dim(slice->dim, x->ndim, &result->dim);
    if (status != LB_OK)
        return status;
    if (slice->step == 0)
        return lbo_fail(LB_BAD_ARGUMENT, "the step is 0");
    const bool back = slice->step < 0;
    const int64_t size = x->dims[result->dim];
    const int64_t start = clamp_index(slice->start, size, back);
    const int64_t stop = clamp_index(slice->stop, size, back);
    const int64_t span = back ? start - stop : stop - start;
    const uint64_t stride =
        back ? (uint64_t)0 - (uint64_t)slice->step : (uint64_t)slice->step;

    result->start = start;
    result->step = slice->step;
    result->count =
        span <= 0 ? 0 : 1 + (int64_t)(((uint64_t)span - 1) / stride);
    return LB_OK;
}

static lb_status infer_slice(const lbo_call *call, lbo_spec *out)
{
    part p;
    const lb_status status = find_part(call->in[0], call->attributes, &p);

    if (status != LB_OK)
        return status;
    lboi_spec_like(out, call->in[0]);
    out->shape[p.dim] = p.count;
    return LB_OK;
}

lb_status lboi_slice_view(lbo_tensor *x, const lbo_slice_attributes *slice,
                          lbo_tensor **result)
{
    int64_t shape[LBO_MAX_DIMS], strides[LBO_MAX_DIMS];
    part p;
    const lb_status status = find_part(x, slice, &p);

    if (status != LB_OK)
        return status;
    memcpy(shape, x->dims, x->ndim * sizeof *shape);
    memcpy(strides, lbo_strides(x), x->ndim * sizeof *strides);
    const int64_t offset = p.count > 0 ? p.start * strides[p.dim] : 0;
    shape[p.dim] = p.count;
    if (p.count > 1) /* else the step may be too large to be multiplied */
        strides[p.dim] *= p.step;
    return lbo_tensor_view(x, offset, x->ndim, shape, strides, result);
}

LB_METHOD(lbo_unary, slice_view);
static lb_status slice_view(lb_slot slot, lbo_context *context, lbo_tensor *x,
                            lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    return lboi_slice_view(x, call->attributes, call->out);
}

lb_status lbo_slice(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                    int64_t dim, int64_t start, int64_t stop, int64_t step)
{
    const lbo_slice_attributes attributes = {dim, start, stop, step};

    return lboi_run(context, LBOI_OP_slice, out, &x, 1, &attributes);
}

static const lbo_attribute slice_attributes[] = {
    {"dim", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_slice_attributes, dim)},
    {"start", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_slice_attributes, start)},
    {"stop", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_slice_attributes, stop)},
    {"step", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_slice_attributes, step)}};

const lbo_operator_spec lboi_spec_slice = {
    .name = "slice",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = LBO_VIEW,
    .attribute_size = sizeof(lbo_slice_attributes),
    .attributes = slice_attributes,
    .attribute_count = 4,
    .infer = infer_slice,
    .gradient = lboi_gradient_slice,
    .general = LB_DESCRIPTOR(slice_view),
    .in_names = "x",
    .summary = "every step-th of a range of one dimension",
};

/* ---- slice_backward ------------------------------------------------------ */

static lb_status infer_slice_backward(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const g = call->in[0], *const like = call->in[1];
    char has[400], wanted[400];
    int64_t shape[LBO_MAX_DIMS];
    part p;
    const lb_status status = find_part(like, call->attributes, &p);

    if (status != LB_OK)
        return status;
    memcpy(shape, like->dims, like->ndim * sizeof *shape);
    shape[p.dim] = p.count;
    if (g->ndim != like->ndim ||
        memcmp(g->dims, shape, like->ndim * sizeof *shape) != 0)
        return lbo_fail(
            LB_BAD_ARGUMENT, "g has shape %s, the slice has %s",
            lboi_shape_text(g->ndim, g->dims, has, sizeof has),
            lboi_shape_text(like->ndim, shape, wanted, sizeof wanted));
    lboi_spec_set(out, (int)lboi_common_dtype(call), like->ndim, like->dims);
    return LB_OK;
}

/* For all devices: zeros, then the gradient into its place. */
LB_METHOD(lbo_unary, slice_backward_any);
static lb_status slice_backward_any(lb_slot slot, lbo_context *context,
                                    lbo_tensor *g, lbo_call *call)
{
    lbo_tensor *const out = call->out[0];
    lbo_tensor *place = NULL;
    lb_status status = lbo_fill(context, out, 0);

    LB_IGNORE(slot);
    if (status == LB_OK)
        status = lboi_slice_view(out, call->attributes, &place);
    if (status == LB_OK)
        status = lbo_cast(context, &place, g, (lbo_dtype)out->dtype);
    lbo_tensor_release(place);
    return status;
}

lb_status lbo_slice_backward(lbo_context *context, lbo_tensor **out,
                             lbo_tensor *g, lbo_tensor *like, int64_t dim,
                             int64_t start, int64_t stop, int64_t step)
{
    const lbo_slice_attributes attributes = {dim, start, stop, step};
    lbo_tensor *const in[] = {g, like};

    return lboi_run(context, LBOI_OP_slice_backward, out, in, 2, &attributes);
}

const lbo_operator_spec lboi_spec_slice_backward = {
    .name = "slice_backward",
    .dispatched = 1,
    .in_count = 2,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .attribute_size = sizeof(lbo_slice_attributes),
    .attributes = slice_attributes,
    .attribute_count = 4,
    .infer = infer_slice_backward,
    .gradient = lboi_gradient_slice_backward,
    .general = LB_DESCRIPTOR(slice_backward_any),
    .in_names = "g like",
    .summary = "zeros, with g where the slice was",
};

/* ---- expand -------------------------------------------------------------- */

static lb_status cannot_expand(const lbo_tensor *x, const lbo_dims *dims)
{
    char from[400], to[400];

    return lbo_fail(
        LB_BAD_ARGUMENT, "shape %s does not expand to %s",
        lboi_shape_text(x->ndim, x->dims, from, sizeof from),
        lboi_shape_text((size_t)dims->count, dims->at, to, sizeof to));
}

static lb_status infer_expand(const lbo_call *call, lbo_spec *out)
{
    const lbo_dims *const dims =
        &((const lbo_dims_attributes *)call->attributes)->dims;
    const lbo_tensor *const x = call->in[0];
    const lb_status status = check_count(dims);

    if (status != LB_OK)
        return status;
    if (dims->count < x->ndim)
        return cannot_expand(x, dims);
    const int lead = dims->count - x->ndim;
    lboi_spec_set(out, x->dtype, (size_t)dims->count, dims->at);
    for (int i = 0; i < dims->count; i++) {
        const int64_t old = i < lead ? 1 : x->dims[i - lead];
        if (dims->at[i] == -1 && i >= lead)
            out->shape[i] = old;
        else if (dims->at[i] < 0 || (old != 1 && old != dims->at[i]))
            return cannot_expand(x, dims);
    }
    return LB_OK;
}

LB_METHOD(lbo_unary, expand_view);
static lb_status expand_view(lb_slot slot, lbo_context *context, lbo_tensor *x,
                             lbo_call *call)
{
    int64_t strides[LBO_MAX_DIMS];
    lbo_spec spec;
    const lb_status status = infer_expand(call, &spec);

    LB_IGNORE(slot);
    (void)context;
    if (status != LB_OK)
        return status;
    lbo_broadcast_strides(x, spec.ndim, spec.shape, strides);
    return lbo_tensor_view(x, 0, spec.ndim, spec.shape, strides, call->out);
}

lb_status lbo_expand(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                     size_t ndim, const int64_t *shape)
{
    lbo_dims_attributes attributes;
    const lb_status status = take_dims("expand", ndim, shape, &attributes);

    return status == LB_OK
               ? lboi_run(context, LBOI_OP_expand, out, &x, 1, &attributes)
               : status;
}

const lbo_operator_spec lboi_spec_expand = {
    .name = "expand",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = LBO_VIEW,
    .attribute_size = sizeof(lbo_dims_attributes),
    .attributes = shape_attribute,
    .attribute_count = 1,
    .infer = infer_expand,
    .gradient = lboi_gradient_expand,
    .general = LB_DESCRIPTOR(expand_view),
    .in_names = "x",
    .summary =
        "the same elements again, along dimensions of size 1 and new ones",
};
