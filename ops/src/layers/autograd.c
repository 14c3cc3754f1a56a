/* autograd.c - the layer that records, and the leaves.
 *
 * Around each call:
 *   1. no input is followed: the results are constants; results given lose the
 *      history that they had
 *   2. a node is made: edges to the inputs' histories, the inputs' shapes and
 *      types, the attributes, the inputs that the gradient wants to see with
 *      the version of their storages
 *   3. the call goes on
 *   4. each floating result gets its place in the node as its history; results
 *      that the gradient wants to see are kept
 * A node's sequence is one more than the greatest of the nodes that it leads to,
 * so that "greatest first" is an order for the walk back, without a counter that
 * threads would share.
 *
 * Results given by the caller: a leaf that is wanted cannot be the result of a
 * recorded call. Other tensors take the new history in place of the old; but
 * only when nothing else shares their storage, since the others' histories
 * would not know of the change.
 */
#include "layers/history.h"

#include <stdalign.h>
#include <string.h>

/* ---- which calls ------------------------------------------------------------ */

static bool is_floating(const lbo_tensor *tensor)
{
    return lbo_dtype_kind((lbo_dtype)tensor->dtype) == LBO_KIND_FLOATING;
}

static bool is_followed(const lbo_tensor *tensor)
{
    const lbo_history *const history = tensor->history;

    return history != NULL && (history->node != NULL || history->wanted);
}

static bool any_followed(const lbo_call *call)
{
    for (uint32_t i = 0; i < call->in_count; i++)
        if (call->in[i] != NULL && is_followed(call->in[i]))
            return true;
    return false;
}

static lb_status shares_storage(const lbo_call *call, uint32_t i)
{
    return lbo_fail(LB_BAD_ARGUMENT,
                    "%s: autograd cannot record a change of result %u in "
                    "place, since other tensors share its storage, and their "
                    "gradients would not know of it (give a tensor of its "
                    "own, or NULL)",
                    call->op->spec.name, (unsigned)i);
}

/* It may be saved by a node that the new history leads to: they would keep each
 * other for ever. */
static lb_status is_kept(const lbo_call *call, uint32_t i)
{
    return lbo_fail(LB_BAD_ARGUMENT,
                    "%s: autograd cannot record a change of result %u in "
                    "place, since something else keeps the tensor, perhaps a "
                    "recorded call that saw what it was (give another one, or "
                    "NULL)",
                    call->op->spec.name, (unsigned)i);
}

static lb_status check_given(const lbo_call *call, bool recorded)
{
    for (uint32_t i = 0; i < call->out_count; i++) {
        const lbo_tensor *const out = call->out[i];
        if (!(call->given >> i & 1) || !is_floating(out))
            continue;
        const bool leaf = out->history != NULL && out->history->node == NULL;
        if (recorded && leaf && out->history->wanted)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "%s: the result given is a leaf that gradients "
                            "are wanted by; it cannot also be made from "
                            "others (detach it, or give another tensor)",
                            call->op->spec.name);
        if (recorded && __atomic_load_n(&out->references, __ATOMIC_RELAXED) > 1)
            return is_kept(call, i);
        if ((recorded || (out->history != NULL && !leaf)) &&
            __atomic_load_n(&out->storage->references, __ATOMIC_RELAXED) > 1)
            return shares_storage(call, i);
    }
    return LB_OK;
}

static void forget(lbo_tensor *tensor)
{
    lbo_history *const history = tensor->history;

    tensor->history = NULL;
    if (history != NULL)
        lboi_history_drop(tensor->storage->device->library, history);
}

/* Constants are computed: what is given and was made from others, no longer
 * is. */
static lb_status pass(lbo_context *context, lbo_call *call,
                      const lbo_rest *rest)
{
    lb_status status = LB_OK;

    if (LB_LIKELY(call->given == 0))
        return lbo_next(context, call, rest);
    status = check_given(call, false);
    if (status == LB_OK)
        status = lbo_next(context, call, rest);
    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++)
        if (call->given >> i & 1 && call->out[i]->history != NULL &&
            call->out[i]->history->node != NULL)
            forget(call->out[i]);
    return status;
}

/* ---- nodes -------------------------------------------------------------------- */

static uint32_t saved_results(const lbo_operator *op)
{
    return op->spec.saves >> 16;
}

/* Takes `bytes` of what follows a node. */
static void *part(size_t *at, char *base, size_t bytes)
{
    void *const place = base == NULL ? NULL : base + *at;

    *at += (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    return place;
}

/* Lays a node out from `base` on; NULL: only counts the bytes. */
static size_t lay_out(const lbo_call *call, char *base, lboi_node *node)
{
    const uint32_t in = call->in_count, out = call->out_count;
    size_t at = 0;

    (void)part(&at, base, sizeof *node);
    node->outs = part(&at, base, out * sizeof *node->outs);
    node->edges = part(&at, base, in * sizeof *node->edges);
    node->in = part(&at, base, in * sizeof *node->in);
    node->versions = part(&at, base, in * sizeof *node->versions);
    node->in_specs = part(&at, base, in * sizeof *node->in_specs);
    node->kept = saved_results(call->op) == 0
                     ? NULL
                     : part(&at, base, out * sizeof *node->kept);
    node->attributes = call->op->spec.attribute_size == 0
                           ? NULL
                           : part(&at, base, call->op->spec.attribute_size);
    return at;
}

static uint32_t version_of(const lbo_tensor *tensor)
{
    return __atomic_load_n(&tensor->storage->version, __ATOMIC_RELAXED);
}

/* Saves an input. One that the call overwrites would be kept by its own
 * history: another view of it is saved, and found to be changed. */
static lb_status save_input(const lbo_call *call, lboi_node *node, uint32_t i)
{
    lbo_tensor *const in = call->in[i];

    for (uint32_t k = 0; k < call->out_count; k++)
        if (call->out[k] == in)
            return lbo_detach(in, &node->in[i]);
    node->in[i] = lbo_tensor_retain(in);
    return LB_OK;
}

static lb_status add_input(const lbo_call *call, lboi_node *node, uint32_t i)
{
    lbo_tensor *const in = call->in[i];
    lbo_spec *const spec = &node->in_specs[i];

    node->in[i] = NULL;
    node->edges[i] = NULL;
    if (in == NULL) {
        *spec = (lbo_spec){0};
        return LB_OK;
    }
    spec->device = in->storage->device;
    spec->dtype = in->dtype;
    spec->ndim = in->ndim;
    memcpy(spec->shape, in->dims, in->ndim * sizeof *in->dims);
    node->versions[i] = version_of(in);
    if (is_followed(in)) {
        node->edges[i] = in->history;
        lboi_history_retain(in->history);
        if (in->history->node != NULL &&
            in->history->node->sequence >= node->sequence)
            node->sequence = in->history->node->sequence + 1;
    }
    return i < 16 && call->op->spec.saves >> i & 1 ? save_input(call, node, i)
                                                   : LB_OK;
}

static void free_node(lboi_node *node)
{
    lboi_node_retain(node);
    lboi_node_release(node);
}

static lb_status make_node(const lbo_call *call, lboi_node **result)
{
    lbo_library *const library = call->op->library;
    lboi_node head = {.sequence = 1, .op = call->op};
    lb_status status = LB_OK;

    head.bytes = lay_out(call, NULL, &head);
    lboi_node *const node = lboi_alloc(library, head.bytes);
    if (node == NULL)
        return LB_NO_MEMORY;
    (void)lay_out(call, (char *)node, &head);
    *node = head;
    if (call->op->serial != 0)
        __atomic_add_fetch(&((lbo_operator *)(uintptr_t)call->op)->recorded, 1,
                           __ATOMIC_RELAXED);
    node->out_count = call->out_count;
    for (uint32_t i = 0; i < call->out_count; i++) {
        node->outs[i] = (lbo_history){.node = node};
        if (node->kept != NULL)
            node->kept[i].storage = NULL;
    }
    if (node->attributes != NULL)
        memcpy(node->attributes, call->attributes,
               call->op->spec.attribute_size);
    for (uint32_t i = 0; i < call->in_count && status == LB_OK; i++) {
        status = add_input(call, node, i);
        node->in_count = i + 1;
    }
    if (status != LB_OK)
        free_node(node);
    else
        *result = node;
    return status;
}

/* ---- results ------------------------------------------------------------------ */

static void keep(lboi_kept *kept, const lbo_tensor *out)
{
    kept->storage = out->storage;
    __atomic_add_fetch(&out->storage->references, 1, __ATOMIC_RELAXED);
    kept->offset = out->offset;
    kept->version = version_of(out);
    kept->dtype = out->dtype;
    kept->ndim = out->ndim;
    memcpy(kept->dims, out->dims, 2 * (size_t)out->ndim * sizeof *out->dims);
}

/* A kernel or a layer further in may hand out a tensor that has a history of its
 * own, e.g. an input: the result becomes another view. */
static lb_status own_result(lbo_call *call, uint32_t i)
{
    lbo_tensor *view;

    if (call->given >> i & 1 || call->out[i]->history == NULL)
        return LB_OK;
    const lb_status status = lbo_detach(call->out[i], &view);
    if (status != LB_OK)
        return status;
    lbo_tensor_release(call->out[i]);
    call->out[i] = view;
    return LB_OK;
}

static lb_status attach(lbo_call *call, lboi_node *node)
{
    const uint32_t saves = saved_results(call->op);
    lb_status status = LB_OK;

    for (uint32_t i = 0; i < call->out_count && status == LB_OK; i++)
        status = own_result(call, i);
    if (status != LB_OK)
        return status;
    for (uint32_t i = 0; i < call->out_count; i++) {
        lbo_tensor *const out = call->out[i];
        if (saves >> i & 1)
            keep(&node->kept[i], out);
        if (!is_floating(out))
            continue;
        forget(out);
        lboi_node_retain(node);
        out->history = &node->outs[i];
    }
    return LB_OK;
}

static void drop_results(lbo_call *call)
{
    for (uint32_t i = 0; i < call->out_count; i++)
        if (!(call->given >> i & 1)) {
            lbo_tensor_release(call->out[i]);
            call->out[i] = NULL;
        }
}

static lb_status record(lbo_layer *layer, lbo_context *context, lbo_call *call,
                        const lbo_rest *rest)
{
    lboi_node *node = NULL;

    (void)layer;
    if (context->gradients == LBOI_PAUSED)
        return lbo_next(context, call, rest);
    if (!any_followed(call) || (call->op->spec.gradient == NULL &&
                                context->gradients != LBOI_RECORDS_ALL))
        return pass(context, call, rest);
    lb_status status =
        LB_LIKELY(call->given == 0) ? LB_OK : check_given(call, true);
    if (status == LB_OK)
        status = make_node(call, &node);
    if (status != LB_OK)
        return status;
    lboi_node_retain(node);
    status = lbo_next(context, call, rest);
    if (status == LB_OK) {
        status = attach(call, node);
        if (status != LB_OK)
            drop_results(call);
    }
    lboi_node_release(node);
    return status;
}

lb_status lbo_autograd_create(lbo_library *library, lbo_layer **result)
{
    const lbo_layer_spec spec = {.name = "autograd", .handler = record};

    return lbo_layer_create(library, &spec, result);
}

int lboi_autograd_active(const lbo_context *context)
{
    for (uint32_t i = lboi_level_of(context); i < context->depth; i++)
        if (context->stack[i].layer->spec.handler == record)
            return 1;
    return 0;
}

/* ---- leaves --------------------------------------------------------------------- */

static lb_status make_leaf(lbo_tensor *tensor)
{
    lbo_library *const library = tensor->storage->device->library;

    if (tensor->history != NULL)
        return LB_OK;
    lbo_history *const leaf = lboi_alloc(library, sizeof *leaf);
    if (leaf == NULL)
        return LB_NO_MEMORY;
    *leaf = (lbo_history){.references = 1};
    tensor->history = leaf;
    return LB_OK;
}

static lb_status want_leaf(const lbo_tensor *tensor, const char *what)
{
    if (tensor == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: the tensor is NULL", what);
    if (tensor->history != NULL && tensor->history->node != NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: the tensor is a result of %s; a leaf is wanted "
                        "(lbo_detach makes one)",
                        what, tensor->history->node->op->spec.name);
    return LB_OK;
}

lb_status lbo_require_gradient(lbo_tensor *tensor, bool on)
{
    lb_status status = want_leaf(tensor, "lbo_require_gradient");

    if (status != LB_OK)
        return status;
    if (on && (!is_floating(tensor) || tensor->flags & LBO_WEAK))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_require_gradient: the tensor is %s%s; a floating "
                        "type is wanted",
                        lbo_dtype_name((lbo_dtype)tensor->dtype),
                        tensor->flags & LBO_WEAK ? " of the host language"
                                                 : "");
    if (!on && tensor->history == NULL)
        return LB_OK;
    status = make_leaf(tensor);
    if (status == LB_OK)
        tensor->history->wanted = on;
    return status;
}

int lbo_requires_gradient(const lbo_tensor *tensor)
{
    return tensor != NULL && is_followed(tensor);
}

lbo_tensor *lbo_gradient(const lbo_tensor *tensor)
{
    if (tensor == NULL || tensor->history == NULL ||
        tensor->history->node != NULL)
        return NULL;
    return __atomic_load_n(&tensor->history->gradient, __ATOMIC_ACQUIRE);
}

lb_status lbo_set_gradient(lbo_tensor *tensor, lbo_tensor *gradient)
{
    lb_status status = want_leaf(tensor, "lbo_set_gradient");

    if (status != LB_OK || (gradient == NULL && tensor->history == NULL))
        return status;
    if (gradient != NULL &&
        (!lbo_same_shape(gradient, tensor) ||
         gradient->dtype != tensor->dtype ||
         gradient->storage->device != tensor->storage->device))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_set_gradient: the gradient has another shape, "
                        "type or device than the tensor");
    status = make_leaf(tensor);
    if (status != LB_OK)
        return status;
    lbo_tensor_retain(gradient);
    lbo_tensor_release(__atomic_exchange_n(&tensor->history->gradient, gradient,
                                           __ATOMIC_ACQ_REL));
    return LB_OK;
}

lb_status lbo_detach(lbo_tensor *tensor, lbo_tensor **result)
{
    if (tensor == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_detach: an argument is NULL");
    return lbo_tensor_view(tensor, 0, tensor->ndim, lbo_shape(tensor),
                           lbo_strides(tensor), result);
}
