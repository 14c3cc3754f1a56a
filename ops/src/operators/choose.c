/* choose.c - elements by index, and tensors joined.
 *
 * concat and stack are made of operators for all devices: each input is
 * converted into its part of the result. Their parts are views of it.
 */
#include "operators/view.h"

#include <string.h>

static lb_status shapes_differ(const char *a_name, const lbo_tensor *a,
                               const char *b_name, size_t ndim,
                               const int64_t *shape)
{
    char a_text[400], b_text[400];

    return lbo_fail(LB_BAD_ARGUMENT, "%s has shape %s, %s %s", a_name,
                    lboi_shape_text(a->ndim, a->dims, a_text, sizeof a_text),
                    b_name,
                    lboi_shape_text(ndim, shape, b_text, sizeof b_text));
}

/* ---- embedding ----------------------------------------------------------- */

static lb_status want_rows(const lbo_tensor *weight, const char *name)
{
    if (weight->ndim == 2)
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT,
                    "%s has %u dimensions; [rows, size] is wanted", name,
                    (unsigned)weight->ndim);
}

/* The shape of `indices` with one more dimension. */
static lb_status rows_shape(const lbo_tensor *indices, int64_t size,
                            lbo_spec *out, int dtype)
{
    if (indices->ndim >= LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "indices have %u dimensions, there may be at most %d",
                        (unsigned)indices->ndim, LBO_MAX_DIMS - 1);
    lboi_spec_set(out, dtype, indices->ndim, indices->dims);
    out->shape[out->ndim++] = size;
    return LB_OK;
}

static lb_status infer_embedding(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const weight = call->in[0], *const indices = call->in[1];
    lb_status status = want_rows(weight, "weight");

    if (status == LB_OK)
        status = lboi_want_indices(indices, "indices");
    return status == LB_OK
               ? rows_shape(indices, weight->dims[1], out, weight->dtype)
               : status;
}

lb_status lbo_embedding(lbo_context *context, lbo_tensor **out,
                        lbo_tensor *weight, lbo_tensor *indices)
{
    lbo_tensor *const in[] = {weight, indices};

    return lboi_run(context, LBOI_OP_embedding, out, in, 2, NULL);
}

const lbo_operator_spec lboi_spec_embedding = {
    .name = "embedding",
    .dispatched = 1,
    .in_count = 2,
    .out_count = 1,
    .saves = LBO_SAVE_IN(1),
    .infer = infer_embedding,
    .gradient = lboi_gradient_embedding,
    .in_names = "weight indices",
    .summary = "rows of weight by their indices",
};

static lb_status infer_embedding_backward(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const g = call->in[0], *const indices = call->in[1];
    const lbo_tensor *const like = call->in[2];
    lbo_spec rows;
    lb_status status = lboi_want_floating(g, "g");

    if (status == LB_OK)
        status = want_rows(like, "like");
    if (status == LB_OK)
        status = lboi_want_indices(indices, "indices");
    if (status == LB_OK)
        status = rows_shape(indices, like->dims[1], &rows, like->dtype);
    if (status != LB_OK)
        return status;
    if (g->ndim != rows.ndim ||
        memcmp(g->dims, rows.shape, rows.ndim * sizeof(int64_t)) != 0)
        return shapes_differ("g", g, "the rows have", rows.ndim, rows.shape);
    lboi_spec_set(out, (int)lboi_common_dtype(call), 2, like->dims);
    return LB_OK;
}

lb_status lbo_embedding_backward(lbo_context *context, lbo_tensor **out,
                                 lbo_tensor *g, lbo_tensor *indices,
                                 lbo_tensor *like)
{
    lbo_tensor *const in[] = {g, indices, like};

    return lboi_run(context, LBOI_OP_embedding_backward, out, in, 3, NULL);
}

const lbo_operator_spec lboi_spec_embedding_backward = {
    .name = "embedding_backward",
    .dispatched = 1,
    .in_count = 3,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .promoted = 1 | 4,
    .infer = infer_embedding_backward,
    .in_names = "g indices like",
    .summary = "rows of g added where the indices say",
};

/* ---- gather -------------------------------------------------------------- */

/* `index` against the tensor that it chooses from. */
static lb_status check_index(const lbo_tensor *x, const char *name,
                             const lbo_tensor *index, int64_t dim)
{
    lb_status status = lboi_want_indices(index, "index");

    if (status == LB_OK)
        status = lboi_dim(dim, x->ndim, &dim);
    if (status != LB_OK)
        return status;
    bool fits = x->ndim == index->ndim;
    for (int i = 0; i < x->ndim && fits; i++)
        fits = i == dim || index->dims[i] <= x->dims[i];
    return fits ? LB_OK
                : shapes_differ(name, x, "which does not hold index's",
                                index->ndim, index->dims);
}

static lb_status infer_gather(const lbo_call *call, lbo_spec *out)
{
    const lbo_dim_attributes *const attributes = call->attributes;
    const lbo_tensor *const x = call->in[0], *const index = call->in[1];
    const lb_status status = check_index(x, "x", index, attributes->dim);

    if (status == LB_OK)
        lboi_spec_set(out, x->dtype, index->ndim, index->dims);
    return status;
}

lb_status lbo_gather(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                     lbo_tensor *index, int64_t dim)
{
    const lbo_dim_attributes attributes = {dim};
    lbo_tensor *const in[] = {x, index};

    return lboi_run(context, LBOI_OP_gather, out, in, 2, &attributes);
}

static const lbo_attribute dim_attributes[] = {
    {"dim", LBO_ATTRIBUTE_INTEGER, offsetof(lbo_dim_attributes, dim)}};

const lbo_operator_spec lboi_spec_gather = {
    .name = "gather",
    .dispatched = 1,
    .in_count = 2,
    .out_count = 1,
    .saves = LBO_SAVE_IN(1),
    .attribute_size = sizeof(lbo_dim_attributes),
    .attributes = dim_attributes,
    .attribute_count = 1,
    .infer = infer_gather,
    .gradient = lboi_gradient_gather,
    .in_names = "x index",
    .summary = "elements by their index in one dimension",
};

static lb_status infer_gather_backward(const lbo_call *call, lbo_spec *out)
{
    const lbo_dim_attributes *const attributes = call->attributes;
    const lbo_tensor *const g = call->in[0], *const index = call->in[1];
    const lbo_tensor *const like = call->in[2];
    lb_status status = lboi_want_floating(g, "g");

    if (status == LB_OK)
        status = check_index(like, "like", index, attributes->dim);
    if (status != LB_OK)
        return status;
    if (!lbo_same_shape(g, index))
        return shapes_differ("g", g, "index", index->ndim, index->dims);
    lboi_spec_set(out, (int)lboi_common_dtype(call), like->ndim, like->dims);
    return LB_OK;
}

lb_status lbo_gather_backward(lbo_context *context, lbo_tensor **out,
                              lbo_tensor *g, lbo_tensor *index,
                              lbo_tensor *like, int64_t dim)
{
    const lbo_dim_attributes attributes = {dim};
    lbo_tensor *const in[] = {g, index, like};

    return lboi_run(context, LBOI_OP_gather_backward, out, in, 3, &attributes);
}

const lbo_operator_spec lboi_spec_gather_backward = {
    .name = "gather_backward",
    .dispatched = 1,
    .in_count = 3,
    .out_count = 1,
    .flags = LBO_PROMOTES,
    .promoted = 1 | 4,
    .attribute_size = sizeof(lbo_dim_attributes),
    .attributes = dim_attributes,
    .attribute_count = 1,
    .infer = infer_gather_backward,
    .in_names = "g index like",
    .summary = "elements of g added where the index says",
};

/* ---- concat and stack ---------------------------------------------------- */

static lb_status infer_concat(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const first = call->in[0];
    int64_t dim = ((const lbo_dim_attributes *)call->attributes)->dim;
    const lb_status status =
        first->ndim == 0
            ? lbo_fail(LB_BAD_ARGUMENT, "tensors without dimensions cannot be "
                                        "joined along one (stack can)")
            : lboi_dim(dim, first->ndim, &dim);

    if (status != LB_OK)
        return status;
    lboi_spec_set(out, (int)lboi_common_dtype(call), first->ndim, first->dims);
    for (uint32_t i = 1; i < call->in_count; i++) {
        const lbo_tensor *const in = call->in[i];
        bool fits = in->ndim == first->ndim;
        for (int k = 0; k < first->ndim && fits; k++)
            fits = k == dim || in->dims[k] == first->dims[k];
        if (!fits)
            return shapes_differ("a tensor", in, "the first", first->ndim,
                                 first->dims);
        if (__builtin_add_overflow(out->shape[dim], in->dims[dim],
                                   &out->shape[dim]))
            return lbo_fail(LB_BAD_ARGUMENT,
                            "the number of elements overflows");
    }
    return LB_OK;
}

/* Converts `in` into its place; a scalar of the host may have to move. */
static lb_status put(lbo_context *context, lbo_tensor *in, lbo_tensor *place)
{
    lbo_tensor *moved = NULL;
    lb_status status =
        lbo_to_device(context, &moved, in, place->storage->device);

    if (status == LB_OK)
        status = lbo_cast(context, &place, moved, (lbo_dtype)place->dtype);
    lbo_tensor_release(moved);
    return status;
}

LB_METHOD(lbo_unary, concat_any);
static lb_status concat_any(lb_slot slot, lbo_context *context, lbo_tensor *a,
                            lbo_call *call)
{
    lbo_slice_attributes slice = {.step = 1};
    lb_status status =
        lboi_dim(((const lbo_dim_attributes *)call->attributes)->dim, a->ndim,
                 &slice.dim);

    LB_IGNORE(slot);
    for (uint32_t i = 0; i < call->in_count && status == LB_OK; i++) {
        lbo_tensor *place = NULL;
        slice.start = slice.stop;
        slice.stop += call->in[i]->dims[slice.dim];
        status = lboi_slice_view(call->out[0], &slice, &place);
        if (status == LB_OK)
            status = put(context, call->in[i], place);
        lbo_tensor_release(place);
    }
    return status;
}

lb_status lbo_concat(lbo_context *context, lbo_tensor **out,
                     lbo_tensor *const *in, size_t count, int64_t dim)
{
    const lbo_dim_attributes attributes = {dim};

    return lboi_run(context, LBOI_OP_concat, out, in, count, &attributes);
}

const lbo_operator_spec lboi_spec_concat = {
    .name = "concat",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = LBO_LIST | LBO_PROMOTES,
    .attribute_size = sizeof(lbo_dim_attributes),
    .attributes = dim_attributes,
    .attribute_count = 1,
    .infer = infer_concat,
    .gradient = lboi_gradient_concat,
    .general = LB_DESCRIPTOR(concat_any),
    .summary = "tensors joined along a dimension",
};

static lb_status infer_stack(const lbo_call *call, lbo_spec *out)
{
    const lbo_tensor *const first = call->in[0];
    int64_t dim = ((const lbo_dim_attributes *)call->attributes)->dim;
    const lb_status status = lboi_dim(dim, first->ndim + 1u, &dim);

    if (status != LB_OK)
        return status;
    if (first->ndim == LBO_MAX_DIMS)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "tensors of %d dimensions; there may not be more",
                        LBO_MAX_DIMS);
    for (uint32_t i = 1; i < call->in_count; i++)
        if (!lbo_same_shape(call->in[i], first))
            return shapes_differ("a tensor", call->in[i], "the first",
                                 first->ndim, first->dims);
    lboi_spec_set(out, (int)lboi_common_dtype(call), first->ndim, first->dims);
    memmove(out->shape + dim + 1, out->shape + dim,
            (size_t)(first->ndim - dim) * sizeof *out->shape);
    out->shape[dim] = call->in_count;
    out->ndim++;
    return LB_OK;
}

/* The part number `index` along `dim`, without that dimension. */
static lb_status select_part(lbo_tensor *x, int64_t dim, int64_t index,
                             lbo_tensor **result)
{
    const int64_t *const old = lbo_strides(x);
    int64_t shape[LBO_MAX_DIMS], strides[LBO_MAX_DIMS];
    size_t ndim = 0;

    for (int i = 0; i < x->ndim; i++) {
        if (i == dim)
            continue;
        shape[ndim] = x->dims[i];
        strides[ndim++] = old[i];
    }
    return lbo_tensor_view(x, x->size > 0 ? index * old[dim] : 0, ndim, shape,
                           strides, result);
}

LB_METHOD(lbo_unary, stack_any);
static lb_status stack_any(lb_slot slot, lbo_context *context, lbo_tensor *a,
                           lbo_call *call)
{
    int64_t dim = 0;
    lb_status status =
        lboi_dim(((const lbo_dim_attributes *)call->attributes)->dim,
                 a->ndim + 1u, &dim);

    LB_IGNORE(slot);
    for (uint32_t i = 0; i < call->in_count && status == LB_OK; i++) {
        lbo_tensor *place = NULL;
        status = select_part(call->out[0], dim, i, &place);
        if (status == LB_OK)
            status = put(context, call->in[i], place);
        lbo_tensor_release(place);
    }
    return status;
}

lb_status lbo_stack(lbo_context *context, lbo_tensor **out,
                    lbo_tensor *const *in, size_t count, int64_t dim)
{
    const lbo_dim_attributes attributes = {dim};

    return lboi_run(context, LBOI_OP_stack, out, in, count, &attributes);
}

const lbo_operator_spec lboi_spec_stack = {
    .name = "stack",
    .dispatched = 1,
    .in_count = 1,
    .out_count = 1,
    .flags = LBO_LIST | LBO_PROMOTES,
    .attribute_size = sizeof(lbo_dim_attributes),
    .attributes = dim_attributes,
    .attribute_count = 1,
    .infer = infer_stack,
    .gradient = lboi_gradient_stack,
    .general = LB_DESCRIPTOR(stack_any),
    .summary = "tensors joined along a new dimension",
};

/* ---- split --------------------------------------------------------------- */

static lb_status check_sizes(const lbo_tensor *x, const int64_t *sizes,
                             size_t count, int64_t dim)
{
    int64_t left = x->dims[dim];

    for (size_t i = 0; i < count; i++) {
        if (sizes[i] < 0 || sizes[i] > left)
            break;
        left -= sizes[i];
        if (i + 1 == count && left == 0)
            return LB_OK;
    }
    return lbo_fail(LB_BAD_ARGUMENT,
                    "split: the %zu sizes do not add up to the %lld of "
                    "dimension %lld",
                    count, (long long)x->dims[dim], (long long)dim);
}

static lb_status check_split(lbo_tensor *const *out, const lbo_tensor *x,
                             const int64_t *sizes, size_t count, int64_t *dim)
{
    if (out == NULL || x == NULL || sizes == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "split: an argument is NULL");
    for (size_t i = 0; i < count; i++)
        if (out[i] != NULL)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "split makes its results: set them to NULL before");
    if (x->ndim == 0)
        return lbo_fail(LB_BAD_ARGUMENT, "split: x has no dimensions");
    const lb_status status = lboi_dim(*dim, x->ndim, dim);
    return status == LB_OK ? check_sizes(x, sizes, count, *dim) : status;
}

lb_status lbo_split(lbo_context *context, lbo_tensor **out, lbo_tensor *x,
                    const int64_t *sizes, size_t count, int64_t dim)
{
    lb_status status = check_split(out, x, sizes, count, &dim);
    int64_t start = 0;
    size_t made = 0;

    if (status != LB_OK)
        return status;
    while (made < count && status == LB_OK) {
        const int64_t stop = start + sizes[made];
        status = lbo_slice(context, &out[made], x, dim, start, stop, 1);
        start = stop;
        if (status == LB_OK)
            made++;
    }
    for (size_t i = 0; i < made && status != LB_OK; i++) {
        lbo_tensor_release(out[i]);
        out[i] = NULL;
    }
    return status;
}
