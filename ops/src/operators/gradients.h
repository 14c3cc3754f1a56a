/* operators/gradients.h - the gradients of the builtin operators; layers/ has
 * them. An operator that is not here has none. */
#ifndef LBO_OPERATORS_GRADIENTS_H
#define LBO_OPERATORS_GRADIENTS_H

#include "latebind/ops/autograd.h"

#define LBOI_EACH_GRADIENT(X)                                                  \
    X(add)                                                                     \
    X(sub)                                                                     \
    X(mul)                                                                     \
    X(div)                                                                     \
    X(pow)                                                                     \
    X(minimum)                                                                 \
    X(maximum)                                                                 \
    X(neg)                                                                     \
    X(abs)                                                                     \
    X(sign)                                                                    \
    X(sqrt)                                                                    \
    X(exp)                                                                     \
    X(log)                                                                     \
    X(tanh)                                                                    \
    X(sigmoid)                                                                 \
    X(silu)                                                                    \
    X(relu)                                                                    \
    X(gelu)                                                                    \
    X(clamp)                                                                   \
    X(where)                                                                   \
    X(tanh_backward)                                                           \
    X(sigmoid_backward)                                                        \
    X(silu_backward)                                                           \
    X(relu_backward)                                                           \
    X(gelu_backward)                                                           \
    X(sum)                                                                     \
    X(mean)                                                                    \
    X(max)                                                                     \
    X(min)                                                                     \
    X(var)                                                                     \
    X(matmul)                                                                  \
    X(linear)                                                                  \
    X(conv2d)                                                                  \
    X(max_pool2d)                                                              \
    X(avg_pool2d)                                                              \
    X(softmax)                                                                 \
    X(log_softmax)                                                             \
    X(cross_entropy)                                                           \
    X(mse)                                                                     \
    X(layer_norm)                                                              \
    X(embedding)                                                               \
    X(gather)                                                                  \
    X(concat)                                                                  \
    X(stack)                                                                   \
    X(reshape)                                                                 \
    X(transpose)                                                               \
    X(slice)                                                                   \
    X(slice_backward)                                                          \
    X(expand)                                                                  \
    X(cast)                                                                    \
    X(copy)                                                                    \
    X(dropout)

#define LBOI_GRADIENT(name)                                                    \
    lb_status lboi_gradient_##name(                                            \
        lbo_context *context, const lbo_saved *saved,                          \
        lbo_tensor *const *out_gradients, lbo_tensor **in_gradients);
LBOI_EACH_GRADIENT(LBOI_GRADIENT)
#undef LBOI_GRADIENT

#endif
