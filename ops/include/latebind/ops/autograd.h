/* latebind/ops/autograd.h - gradients by reverse accumulation.
 *
 * The autograd layer records each operator whose input is being followed: a node
 * with what its gradient needs. lbo_backward walks the nodes from a result back,
 * latest first, each once, and adds up what reaches the leaves. Nodes are
 * counted: a result that nobody keeps takes its history with it. (Reverse
 * mode: Speelpenning 1980; a recorded graph per run: as PyTorch's.)
 *
 * Results given by the caller: a leaf that is wanted cannot be the result of a
 * recorded operator, nor can a tensor whose storage others share; another one
 * takes the new history in place of its old. What a gradient needs and finds
 * changed in place is an error, not a wrong number.
 *
 * Threads: each records and walks in a context of its own, also with leaves that
 * they share; what arrives at a leaf is added up whatever the order. lbo_gradient
 * may be NULL for a moment while another thread adds to it.
 */
#ifndef LATEBIND_OPS_AUTOGRAD_H
#define LATEBIND_OPS_AUTOGRAD_H

#include "latebind/ops/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a gradient sees of the call. Tensors that the operator's `saves` does
 * not name are NULL; their specs are there. */
struct lbo_saved {
    const lbo_operator *op;
    lbo_tensor *const *in;
    lbo_tensor *const *out;
    const lbo_spec *in_specs;
    const void *attributes;
    uint32_t in_count;
    uint32_t out_count;
    uint32_t wanted; /* bit i: the gradient by in[i] is wanted (i < 32) */
};

/* A gradient function (lbo_gradient_fn) gets the gradients by the results (NULL
 * where none arrived) and makes, for each wanted input, in_gradients[i]: a new
 * reference, or NULL for zero. They may be broadcast against or of another type
 * than the input: the library sums and converts them (lbo_sum_to). It calls
 * operators with the context that it gets; only when gradients of gradients are
 * wanted are those recorded. */

/* Makes the layer. One suffices for all contexts. */
LB_PUBLIC lb_status lbo_autograd_create(lbo_library *library,
                                        lbo_layer **result);

/* Marks a leaf: gradients by it are wanted from now on (on: true), or no longer.
 * Floating types only (LB_BAD_ARGUMENT); not for a result of recorded
 * operators. */
LB_PUBLIC lb_status lbo_require_gradient(lbo_tensor *tensor, bool on);
/* 1 when the tensor is followed: a leaf that is wanted, or made from one. */
LB_PUBLIC int lbo_requires_gradient(const lbo_tensor *tensor);

/* The gradient that lbo_backward left at a leaf (borrowed), or NULL. */
LB_PUBLIC lbo_tensor *lbo_gradient(const lbo_tensor *tensor);
/* Sets or, with NULL, drops it. */
LB_PUBLIC lb_status lbo_set_gradient(lbo_tensor *tensor, lbo_tensor *gradient);

/* Adds the gradient of `result` by every leaf that it was made from to that
 * leaf.
 * seed   the gradient by `result`; NULL: 1, if it has one element
 * keep   the history stays, for another lbo_backward
 * Errors: LB_BAD_ARGUMENT (no history, a seed of another shape, something
 * saved was changed since: the message names the operator), LB_BUSY (another walk
 * is in the same history), what operators say. The layer need not be active. Leaves reached before a failure keep what they got. */
LB_PUBLIC lb_status lbo_backward(lbo_context *context, lbo_tensor *result,
                                 lbo_tensor *seed, bool keep);

/* The gradients of `result` by `inputs` (leaves, or results on the way), as
 * tensors of their own, NULL where `result` does not depend on one; nothing is
 * left at leaves. record: the gradients' own history is recorded, so that they
 * can be differentiated again (the autograd layer must be active), and that of
 * `result` stays; else it is used up. An operator in a recorded gradient that has
 * no gradient itself is an error when it is differentiated. Errors: as
 * lbo_backward, and LB_BAD_ARGUMENT for an input that is not followed; no
 * gradient is made then. */
LB_PUBLIC lb_status lbo_gradients(lbo_context *context, lbo_tensor *result,
                                  lbo_tensor *seed, lbo_tensor *const *inputs,
                                  size_t count, bool record,
                                  lbo_tensor **gradients);

/* A view of the same elements without history. */
LB_PUBLIC lb_status lbo_detach(lbo_tensor *tensor, lbo_tensor **result);

/* `tensor` summed over what broadcasting from `spec` added, and converted to its
 * type: a new reference. For gradient functions. */
LB_PUBLIC lb_status lbo_sum_to(lbo_context *context, lbo_tensor *tensor,
                               const lbo_spec *spec, lbo_tensor **result);

#ifdef __cplusplus
}
#endif
#endif
