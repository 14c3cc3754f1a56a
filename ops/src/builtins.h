/* builtins.h - the operators that come with the library.
 *
 * To add one: a line here, `const lbo_operator_spec lboi_spec_NAME` and the
 * function in the file of its family, kernels in cpu/.
 */
#ifndef LBO_BUILTINS_H
#define LBO_BUILTINS_H

#include "latebind/ops/operator.h"

#define LBOI_EACH_OPERATOR(X)                                                  \
    /* elementwise.c */                                                        \
    X(add)                                                                     \
    X(sub)                                                                     \
    X(mul)                                                                     \
    X(div)                                                                     \
    X(pow)                                                                     \
    X(minimum)                                                                 \
    X(maximum)                                                                 \
    X(equal)                                                                   \
    X(not_equal)                                                               \
    X(less)                                                                    \
    X(less_equal)                                                              \
    X(greater)                                                                 \
    X(greater_equal)                                                           \
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
    /* reduce.c */                                                             \
    X(sum)                                                                     \
    X(mean)                                                                    \
    X(max)                                                                     \
    X(min)                                                                     \
    X(argmax)                                                                  \
    X(var)                                                                     \
    /* product.c */                                                            \
    X(matmul)                                                                  \
    X(linear)                                                                  \
    X(conv2d)                                                                  \
    X(conv2d_backward_input)                                                   \
    X(conv2d_backward_weight)                                                  \
    /* window.c */                                                             \
    X(max_pool2d)                                                              \
    X(avg_pool2d)                                                              \
    X(max_pool2d_backward)                                                     \
    X(avg_pool2d_backward)                                                     \
    /* normalize.c */                                                          \
    X(softmax)                                                                 \
    X(log_softmax)                                                             \
    X(softmax_backward)                                                        \
    X(log_softmax_backward)                                                    \
    X(cross_entropy)                                                           \
    X(cross_entropy_backward)                                                  \
    X(mse)                                                                     \
    X(layer_norm)                                                              \
    X(layer_norm_backward)                                                     \
    /* choose.c */                                                             \
    X(embedding)                                                               \
    X(embedding_backward)                                                      \
    X(gather)                                                                  \
    X(gather_backward)                                                         \
    X(concat)                                                                  \
    X(stack)                                                                   \
    /* view.c */                                                               \
    X(reshape)                                                                 \
    X(transpose)                                                               \
    X(slice)                                                                   \
    X(slice_backward)                                                          \
    X(expand)                                                                  \
    /* create.c */                                                             \
    X(cast)                                                                    \
    X(copy)                                                                    \
    X(fill)                                                                    \
    X(arange)                                                                  \
    X(uniform)                                                                 \
    X(normal)                                                                  \
    X(dropout)                                                                 \
    /* step.c */                                                               \
    X(sgd_step)                                                                \
    X(adam_step)

typedef enum lboi_builtin_index {
#define LBOI_INDEX(name) LBOI_OP_##name,
    LBOI_EACH_OPERATOR(LBOI_INDEX)
#undef LBOI_INDEX
        LBOI_BUILTIN_COUNT
} lboi_builtin_index;

#define LBOI_SPEC(name) extern const lbo_operator_spec lboi_spec_##name;
LBOI_EACH_OPERATOR(LBOI_SPEC)
#undef LBOI_SPEC

#endif
