/* backward.c - gradients: the walk from a result back to the leaves.
 *
 *   1. the seed is delivered to the result's place in its node
 *   2. a heap holds the nodes that a gradient has arrived at; the one with the
 *      greatest sequence is taken: nothing that is left leads to it, so all
 *      that will arrive at it has
 *   3. its operator's gradient function runs on what was saved, after a check
 *      that none of that was written to since
 *   4. what it gives is summed over broadcast dimensions and converted to the
 *      input's type (lbo_sum_to), and delivered along the edges: added to what
 *      arrived before at a node, or at a leaf
 *   5. the node lets go of what it saved, unless the history is to stay
 *
 * Several threads may walk at once in contexts of their own, also to the same
 * leaves: a leaf's gradient is taken out, added to, and put back if nobody put
 * another there meanwhile. A node that two walks meet in is LB_BUSY for the
 * second.
 */
#include "dispatch/words.h"
#include "layers/history.h"
#include "operators/run.h"
#include "tensor/storage.h"

#include <stdio.h>
#include <string.h>

typedef struct walk {
    lbo_context *context;
    lbo_library *library;
    lboi_node **heap; /* each: one reference, and `walk` set */
    size_t count, capacity;
    bool keep;
    bool recorded;             /* the gradients' own history is wanted */
    lbo_tensor *const *inputs; /* whose gradients; NULL: of all leaves */
    lbo_tensor **results;
    size_t input_count;
    uint64_t least; /* nodes below lead to none of the inputs */
} walk;

/* ---- the heap -------------------------------------------------------------- */

static void sift_up(walk *w, size_t at)
{
    lboi_node *const node = w->heap[at];

    while (at > 0 && w->heap[(at - 1) / 2]->sequence < node->sequence) {
        w->heap[at] = w->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    w->heap[at] = node;
}

static lb_status push(walk *w, lboi_node *node)
{
    void *nobody = NULL;

    if (!lboi_reserve(w->library, &w->heap, &w->capacity, w->count + 1,
                      sizeof *w->heap))
        return LB_NO_MEMORY;
    if (!__atomic_compare_exchange_n(&node->walk, &nobody, (void *)w, false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return lbo_fail(LB_BUSY,
                        "the history of %s is being walked by another "
                        "lbo_backward",
                        node->op->spec.name);
    lboi_node_retain(node);
    w->heap[w->count++] = node;
    sift_up(w, w->count - 1);
    return LB_OK;
}

static lboi_node *pop(walk *w)
{
    lboi_node *const top = w->heap[0], *const last = w->heap[--w->count];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < w->count) {
        if (child + 1 < w->count &&
            w->heap[child + 1]->sequence > w->heap[child]->sequence)
            child++;
        if (w->heap[child]->sequence <= last->sequence)
            break;
        w->heap[at] = w->heap[child];
        at = child;
    }
    if (w->count > 0)
        w->heap[at] = last;
    return top;
}

/* Gives a node back that was taken from the heap. */
static void leave_node(lboi_node *node)
{
    for (uint32_t i = 0; i < node->out_count; i++) {
        lbo_tensor_release(node->outs[i].gradient);
        node->outs[i].gradient = NULL;
    }
    __atomic_store_n(&node->walk, NULL, __ATOMIC_RELEASE);
    lboi_node_release(node);
}

/* ---- adding up --------------------------------------------------------------- */

/* Whether nobody else sees the tensor's elements. */
static bool is_ours(const lbo_tensor *tensor)
{
    return __atomic_load_n(&tensor->references, __ATOMIC_ACQUIRE) == 1 &&
           __atomic_load_n(&tensor->storage->references, __ATOMIC_ACQUIRE) ==
               1 &&
           tensor->storage->inside != 2 && lbo_is_contiguous(tensor);
}

/* *sum += g. Takes the reference of `g`. */
static lb_status add_to(walk *w, lbo_tensor **sum, lbo_tensor *g)
{
    lbo_tensor *total = NULL;
    lb_status status = LB_OK;

    if (*sum == NULL) {
        *sum = g;
        return LB_OK;
    }
    if (!w->recorded && (*sum)->history == NULL && is_ours(*sum) &&
        (*sum)->dtype == g->dtype)
        status = lbo_add(w->context, sum, *sum, g);
    else {
        status = lbo_add(w->context, &total, *sum, g);
        if (status == LB_OK) {
            lbo_tensor_release(*sum);
            *sum = total;
        }
    }
    lbo_tensor_release(g);
    return status;
}

/* A gradient that is handed out: its elements are its own. */
static lb_status make_ours(walk *w, lbo_tensor **g)
{
    lbo_tensor *copy = NULL;

    if (is_ours(*g) && (w->recorded || (*g)->history == NULL))
        return LB_OK;
    const lb_status status = lbo_copy(w->context, &copy, *g);
    if (status != LB_OK)
        return status;
    lbo_tensor_release(*g);
    *g = copy;
    return LB_OK;
}

/* Takes the reference of `g`. */
static lb_status add_to_leaf(walk *w, lbo_history *leaf, lbo_tensor *g)
{
    lb_status failed = LB_OK;

    for (;;) {
        lbo_tensor *nothing = NULL;
        lbo_tensor *old =
            __atomic_exchange_n(&leaf->gradient, NULL, __ATOMIC_ACQ_REL);
        const lb_status status =
            old != NULL ? add_to(w, &old, g) : make_ours(w, &g);
        if (old != NULL)
            g = old; /* after a failure: as it was */
        if (status != LB_OK)
            failed = status;
        if (status != LB_OK && old == NULL) {
            lbo_tensor_release(g);
            return failed;
        }
        if (__atomic_compare_exchange_n(&leaf->gradient, &nothing, g, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return failed;
    }
}

/* ---- delivering ----------------------------------------------------------------- */

static bool is_input(const walk *w, const lbo_history *history)
{
    for (size_t i = 0; i < w->input_count; i++)
        if (w->inputs[i]->history == history)
            return true;
    return false;
}

/* Adds `g` (borrowed) to the results for inputs with that history. */
static lb_status add_to_inputs(walk *w, const lbo_history *history,
                               lbo_tensor *g)
{
    lb_status status = LB_OK;

    for (size_t i = 0; i < w->input_count && status == LB_OK; i++)
        if (w->inputs[i]->history == history)
            status = add_to(w, &w->results[i], lbo_tensor_retain(g));
    return status;
}

/* Whether a gradient along this edge is of use. */
static bool is_wanted(const walk *w, const lbo_history *edge)
{
    if (edge == NULL)
        return false;
    if (edge->node != NULL)
        return edge->node->sequence >= w->least;
    return w->inputs == NULL ? edge->wanted != 0 : is_input(w, edge);
}

/* Takes the reference of `g`. */
static lb_status deliver(walk *w, lbo_history *to, lbo_tensor *g)
{
    lb_status status = LB_OK;

    if (to->node == NULL) {
        if (w->inputs == NULL)
            return add_to_leaf(w, to, g);
        status = add_to_inputs(w, to, g);
        lbo_tensor_release(g);
        return status;
    }
    if (__atomic_load_n(&to->node->walk, __ATOMIC_RELAXED) == w)
        return add_to(w, &to->gradient, g); /* it is in the heap */
    status = push(w, to->node);
    if (status == LB_OK)
        to->gradient = g;
    else
        lbo_tensor_release(g);
    return status;
}

/* ---- one node --------------------------------------------------------------------- */

static lb_status used_up(const lboi_node *node)
{
    return lbo_fail(LB_BAD_ARGUMENT,
                    "the history of %s was used up by an earlier lbo_backward "
                    "or lbo_gradients (which keep it only if told to)",
                    node->op->spec.name);
}

static bool was_changed(const lbo_storage *storage, uint32_t version)
{
    return __atomic_load_n(&storage->version, __ATOMIC_RELAXED) != version;
}

static lb_status check_saved(const lboi_node *node)
{
    char name[64];

    for (uint32_t i = 0; i < node->in_count; i++)
        if (node->in[i] != NULL &&
            was_changed(node->in[i]->storage, node->versions[i]))
            return lbo_fail(LB_BAD_ARGUMENT,
                            "%s was changed in place after %s saved it for "
                            "its gradient",
                            lboi_input_name(node->op, i, name, sizeof name),
                            node->op->spec.name);
    for (uint32_t i = 0; node->kept != NULL && i < node->out_count; i++)
        if (node->kept[i].storage != NULL &&
            was_changed(node->kept[i].storage, node->kept[i].version))
            return lbo_fail(LB_BAD_ARGUMENT,
                            "result %u of %s was changed in place after it was "
                            "saved for the gradient",
                            (unsigned)i, node->op->spec.name);
    return LB_OK;
}

/* A result that was kept, as a tensor; with its history where that matters. */
static lb_status unpack(const walk *w, lboi_node *node, uint32_t i,
                        lbo_tensor **result)
{
    const lboi_kept *const kept = &node->kept[i];
    lbo_tensor place = {
        .dtype = kept->dtype, .storage = kept->storage, .offset = kept->offset};
    const lb_status status = lbo_tensor_view(&place, 0, kept->ndim, kept->dims,
                                             kept->dims + kept->ndim, result);

    if (status == LB_OK && w->recorded &&
        lbo_dtype_kind((lbo_dtype)kept->dtype) == LBO_KIND_FLOATING) {
        lboi_node_retain(node);
        (*result)->history = &node->outs[i];
    }
    return status;
}

static uint32_t wanted_bits(const walk *w, const lboi_node *node)
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < node->in_count && i < 32; i++)
        if (is_wanted(w, node->edges[i]))
            bits |= 1u << i;
    return bits;
}

/* Hands on what the gradient function made: all entries are released. */
static lb_status hand_on(walk *w, lboi_node *node, lbo_tensor **made,
                         lb_status status)
{
    for (uint32_t i = 0; i < node->in_count; i++) {
        lbo_tensor *summed = NULL;
        if (made[i] == NULL)
            continue;
        if (status == LB_OK && is_wanted(w, node->edges[i])) {
            status =
                lbo_sum_to(w->context, made[i], &node->in_specs[i], &summed);
            lbo_tensor_release(made[i]); /* so that `summed` may be alone */
            made[i] = NULL;
            if (status == LB_OK)
                status = deliver(w, node->edges[i], summed);
        }
        lbo_tensor_release(made[i]);
    }
    return status;
}

static lb_status call_gradient(walk *w, lboi_node *node, lbo_tensor **made)
{
    lbo_tensor *out[LBO_MAX_OUT] = {NULL}, *arrived[LBO_MAX_OUT];
    lb_status status = LB_OK;

    for (uint32_t i = 0; i < node->out_count && status == LB_OK; i++) {
        arrived[i] = node->outs[i].gradient;
        if (node->kept != NULL && node->kept[i].storage != NULL)
            status = unpack(w, node, i, &out[i]);
    }
    const lbo_saved saved = {.op = node->op,
                             .in = node->in,
                             .out = out,
                             .in_specs = node->in_specs,
                             .attributes = node->attributes,
                             .in_count = node->in_count,
                             .out_count = node->out_count,
                             .wanted = wanted_bits(w, node)};
    if (status == LB_OK)
        status = node->op->spec.gradient(w->context, &saved, arrived, made);
    for (uint32_t i = 0; i < node->out_count; i++)
        lbo_tensor_release(out[i]);
    return status;
}

static lb_status run_node(walk *w, lboi_node *node)
{
    enum { FEW = 8 };
    const size_t bytes = node->in_count * sizeof(lbo_tensor *);
    lbo_tensor *few[FEW] = {NULL}, **made = few;
    lb_status status = node->spent ? used_up(node) : check_saved(node);

    if (status == LB_OK && node->op->spec.gradient == NULL)
        status = lbo_fail(LB_BAD_ARGUMENT,
                          "%s has no gradient; what was made by it cannot be "
                          "differentiated",
                          node->op->spec.name);
    if (status != LB_OK || (node->in_count <= 32 && wanted_bits(w, node) == 0))
        return status;
    if (node->in_count > FEW)
        made = lboi_zalloc(w->library, bytes);
    if (made == NULL)
        return LB_NO_MEMORY;
    status = call_gradient(w, node, made);
    status = hand_on(w, node, made, status);
    if (made != few)
        lboi_free(w->library, made, bytes);
    return status;
}

static lb_status take_node(walk *w, lboi_node *node)
{
    lb_status status = LB_OK;

    for (uint32_t i = 0; i < node->out_count && status == LB_OK; i++)
        if (w->inputs != NULL && node->outs[i].gradient != NULL)
            status = add_to_inputs(w, &node->outs[i], node->outs[i].gradient);
    if (status != LB_OK || (w->inputs != NULL && node->sequence <= w->least))
        return status;
    status = run_node(w, node);
    if (status == LB_OK && !w->keep)
        lboi_node_spend(node);
    return status;
}

/* ---- the walk ------------------------------------------------------------------ */

static lb_status walk_back(walk *w, lbo_history *from, lbo_tensor *seed)
{
    lb_status status = deliver(w, from, lbo_tensor_retain(seed));

    while (w->count > 0) {
        lboi_node *const node = pop(w);
        if (status == LB_OK)
            status = take_node(w, node);
        leave_node(node);
    }
    lboi_free(w->library, w->heap, w->capacity * sizeof *w->heap);
    return status;
}

static lb_status make_seed(lbo_context *context, lbo_tensor *result,
                           lbo_tensor *seed, lbo_tensor **made)
{
    lbo_spec spec = {.device = result->storage->device};

    lboi_spec_like(&spec, result);
    if (seed != NULL) {
        if (!lbo_same_shape(seed, result))
            return lbo_fail(LB_BAD_ARGUMENT,
                            "the seed has another shape than the result");
        return lbo_sum_to(context, seed, &spec, made);
    }
    if (result->size != 1)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "a result of %lld elements wants a seed; only that of "
                        "one element is known to be 1",
                        (long long)result->size);
    lb_status status = lbo_tensor_create(context, &spec, made);
    if (status == LB_OK) {
        status = lbo_fill(context, *made, 1);
        if (status != LB_OK)
            lbo_tensor_release(*made);
    }
    return status;
}

static lb_status check_result(const lbo_tensor *result)
{
    if (!lbo_requires_gradient(result))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "the result has no history: no input of it is a leaf "
                        "that gradients are wanted by, or autograd was not "
                        "active");
    if (result->history->node != NULL && result->history->node->spent)
        return used_up(result->history->node);
    return LB_OK;
}

/* Runs the walk with the context in a mode of its own. */
static lb_status walk_in(walk *w, uint32_t mode, lbo_tensor *result,
                         lbo_tensor *seed)
{
    lbo_context *const context = w->context;
    const uint32_t before = context->gradients;
    lbo_tensor *first = NULL;

    lbo_enter(context);
    context->gradients = mode;
    lb_status status = make_seed(context, result, seed, &first);
    if (status == LB_OK) {
        status = walk_back(w, result->history, first);
        lbo_tensor_release(first);
    }
    context->gradients = before;
    lbo_leave(context);
    return status;
}

lb_status lbo_backward(lbo_context *context, lbo_tensor *result,
                       lbo_tensor *seed, bool keep)
{
    if (context == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_backward: an argument is NULL");
    const lb_status status = check_result(result);
    if (status != LB_OK)
        return status;
    walk w = {.context = context, .library = context->library, .keep = keep};
    return walk_in(&w, LBOI_PAUSED, result, seed);
}

static lb_status check_inputs(walk *w)
{
    w->least = UINT64_MAX;
    for (size_t i = 0; i < w->input_count; i++) {
        const lbo_tensor *const in = w->inputs[i];
        if (!lbo_requires_gradient(in))
            return lbo_fail(LB_BAD_ARGUMENT,
                            "lbo_gradients: input %zu is not followed (see "
                            "lbo_require_gradient)",
                            i);
        const uint64_t sequence =
            in->history->node == NULL ? 0 : in->history->node->sequence;
        if (sequence < w->least)
            w->least = sequence;
    }
    return LB_OK;
}

/* Each gradient a tensor of its own; all or none. */
static lb_status finish_results(walk *w, lb_status status)
{
    const uint32_t before = w->context->gradients;

    w->context->gradients = w->recorded ? LBOI_RECORDS_ALL : LBOI_PAUSED;
    for (size_t i = 0; i < w->input_count && status == LB_OK; i++)
        if (w->results[i] != NULL)
            status = make_ours(w, &w->results[i]);
    w->context->gradients = before;
    for (size_t i = 0; i < w->input_count && status != LB_OK; i++) {
        lbo_tensor_release(w->results[i]);
        w->results[i] = NULL;
    }
    return status;
}

lb_status lbo_gradients(lbo_context *context, lbo_tensor *result,
                        lbo_tensor *seed, lbo_tensor *const *inputs,
                        size_t count, bool record, lbo_tensor **gradients)
{
    if (context == NULL || result == NULL || inputs == NULL ||
        gradients == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_gradients: an argument is NULL");
    walk w = {.context = context,
              .library = context->library,
              .keep = record,
              .recorded = record,
              .inputs = inputs,
              .results = gradients,
              .input_count = count};
    lb_status status = check_result(result);
    if (status == LB_OK)
        status = check_inputs(&w);
    if (status == LB_OK && record && !lboi_autograd_active(context))
        status = lbo_fail(LB_BAD_ARGUMENT,
                          "lbo_gradients: to record the gradients' history "
                          "the autograd layer must be active");
    if (status != LB_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        gradients[i] = NULL;
    status = walk_in(&w, record ? LBOI_RECORDS_ALL : LBOI_PAUSED, result, seed);
    return finish_results(&w, status);
}

/* ---- broadcasting undone -------------------------------------------------------- */

static bool is_like(const lbo_tensor *tensor, const lbo_spec *spec)
{
    return tensor->dtype == spec->dtype && tensor->ndim == spec->ndim &&
           memcmp(tensor->dims, spec->shape,
                  spec->ndim * sizeof *spec->shape) == 0;
}

/* Replaces *tensor by *next if that was made. */
static lb_status step(lb_status status, lbo_tensor **tensor,
                      lbo_tensor *const *next)
{
    if (status == LB_OK) {
        lbo_tensor_release(*tensor);
        *tensor = *next;
    }
    return status;
}

/* Sums over the dimensions that `spec` has not, or has with size 1. */
static lb_status sum_dims(lbo_context *context, const lbo_spec *spec,
                          lbo_tensor **tensor)
{
    const lbo_tensor *const t = *tensor;
    const int lead = t->ndim > spec->ndim ? t->ndim - (int)spec->ndim : 0;
    const int skip = t->ndim < spec->ndim ? (int)spec->ndim - t->ndim : 0;
    int64_t dims[LBO_MAX_DIMS], shape[LBO_MAX_DIMS];
    lbo_tensor *next = NULL;
    lb_status status = LB_OK;
    int count = 0, ndim = 0;

    for (int i = 0; i < t->ndim; i++) {
        const int64_t wanted = i < lead ? 1 : spec->shape[i - lead + skip];
        if (i < lead || (wanted == 1 && t->dims[i] != 1))
            dims[count++] = i;
        if (i >= lead)
            shape[ndim++] = wanted == 1 ? 1 : t->dims[i];
    }
    if (count > 0)
        status = step(lbo_sum(context, &next, *tensor, count, dims, true),
                      tensor, &next);
    next = NULL;
    if (status == LB_OK && lead > 0)
        status = step(lbo_reshape(context, &next, *tensor, (size_t)ndim, shape),
                      tensor, &next);
    return status;
}

/* What is broadcast against the input becomes as large. */
static lb_status widen(lbo_context *context, const lbo_spec *spec,
                       lbo_tensor **tensor)
{
    lbo_tensor *next = NULL;

    if ((*tensor)->ndim == spec->ndim &&
        memcmp((*tensor)->dims, spec->shape,
               spec->ndim * sizeof *spec->shape) == 0)
        return LB_OK;
    return step(lbo_expand(context, &next, *tensor, spec->ndim, spec->shape),
                tensor, &next);
}

static lb_status convert(lbo_context *context, const lbo_spec *spec,
                         lbo_tensor **tensor)
{
    lbo_tensor *next = NULL;
    lb_status status = LB_OK;

    if ((*tensor)->dtype != spec->dtype)
        status = step(lbo_cast(context, &next, *tensor, (lbo_dtype)spec->dtype),
                      tensor, &next);
    next = NULL;
    if (status == LB_OK && spec->device != NULL &&
        (*tensor)->storage->device != spec->device)
        status = step(lbo_to_device(context, &next, *tensor, spec->device),
                      tensor, &next);
    return status;
}

lb_status lbo_sum_to(lbo_context *context, lbo_tensor *tensor,
                     const lbo_spec *spec, lbo_tensor **result)
{
    lb_status status = LB_OK;

    if (context == NULL || tensor == NULL || spec == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_sum_to: an argument is NULL");
    lbo_tensor *at = lbo_tensor_retain(tensor);
    if (!is_like(at, spec)) {
        /* Sums are made in the more precise of the two types. */
        if (lbo_dtype_size((lbo_dtype)at->dtype) <
            lbo_dtype_size((lbo_dtype)spec->dtype))
            status = convert(context, spec, &at);
        if (status == LB_OK)
            status = sum_dims(context, spec, &at);
        if (status == LB_OK)
            status = widen(context, spec, &at);
    }
    if (status == LB_OK)
        status = convert(context, spec, &at);
    if (status != LB_OK)
        lbo_tensor_release(at);
    else
        *result = at;
    return status;
}
