/* latebind/ops/functions.h - the operators as functions.
 *
 * lb_status lbo_NAME(context, out, inputs..., attributes...). `*out` NULL (set it
 * before!): the result is made and is the caller's; not NULL: it is written, its
 * shape, type and device must be the result's. Inputs are borrowed. Inputs of
 * several types are promoted (dtype.h), shapes are broadcast against each other
 * as NumPy does. Names, conventions and results are those of the array API
 * standard, else of PyTorch. Dimensions count from 0, negative ones from the
 * end. Errors: those of lbo_run; a failed call makes nothing. Each is thread-safe
 * in contexts of their own.
 *
 * The structs are the attributes by which layers, gradients and kernels see the
 * same calls.
 */
#ifndef LATEBIND_OPS_FUNCTIONS_H
#define LATEBIND_OPS_FUNCTIONS_H

#include "latebind/ops/operator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- element by element ------------------------------------------------- */

#define LBO_DECLARE_UNARY(name)                                                \
    LB_PUBLIC lb_status lbo_##name(lbo_context *context, lbo_tensor **out,     \
                                   lbo_tensor *x)
#define LBO_DECLARE_BINARY(name)                                               \
    LB_PUBLIC lb_status lbo_##name(lbo_context *context, lbo_tensor **out,     \
                                   lbo_tensor *a, lbo_tensor *b)

/* Integers wrap around. div of integers gives f32; pow of integers by negative
 * ones drops the fraction: 0, but for the bases 1 and -1. */
LBO_DECLARE_BINARY(add);
LBO_DECLARE_BINARY(sub);
LBO_DECLARE_BINARY(mul);
LBO_DECLARE_BINARY(div);
LBO_DECLARE_BINARY(pow);
/* NaN if one is. */
LBO_DECLARE_BINARY(minimum);
LBO_DECLARE_BINARY(maximum);
/* These give bool. */
LBO_DECLARE_BINARY(equal);
LBO_DECLARE_BINARY(not_equal);
LBO_DECLARE_BINARY(less);
LBO_DECLARE_BINARY(less_equal);
LBO_DECLARE_BINARY(greater);
LBO_DECLARE_BINARY(greater_equal);
LBO_DECLARE_UNARY(neg);
LBO_DECLARE_UNARY(abs);
LBO_DECLARE_UNARY(sign);
/* These give f32 for integers. */
LBO_DECLARE_UNARY(sqrt);
LBO_DECLARE_UNARY(exp);
LBO_DECLARE_UNARY(log);
LBO_DECLARE_UNARY(tanh);
LBO_DECLARE_UNARY(sigmoid);
LBO_DECLARE_UNARY(silu);
LBO_DECLARE_UNARY(relu);

typedef struct lbo_gelu_attributes {
    bool approximate; /* by tanh, as in GPT-2; else by erf */
} lbo_gelu_attributes;
/* x times the share of a normal distribution below x. */
LB_PUBLIC lb_status lbo_gelu(lbo_context *context, lbo_tensor **out,
                             lbo_tensor *x, bool approximate);

/* low > high gives high. */
typedef struct lbo_clamp_attributes {
    double low;
    double high;
} lbo_clamp_attributes;
LB_PUBLIC lb_status lbo_clamp(lbo_context *context, lbo_tensor **out,
                              lbo_tensor *x, double low, double high);

/* a where the condition (bool) holds, else b. Promotes a and b. */
LB_PUBLIC lb_status lbo_where(lbo_context *context, lbo_tensor **out,
                              lbo_tensor *condition, lbo_tensor *a,
                              lbo_tensor *b);

/* The parts that gradients are made of: by the gradient of the result, and
 * the input x or the result y. */
LBO_DECLARE_BINARY(tanh_backward);    /* g, y */
LBO_DECLARE_BINARY(sigmoid_backward); /* g, y */
LBO_DECLARE_BINARY(silu_backward);    /* g, x */
LBO_DECLARE_BINARY(relu_backward);    /* g, y: g where y > 0 */
LB_PUBLIC lb_status lbo_gelu_backward(lbo_context *context, lbo_tensor **out,
                                      lbo_tensor *g, lbo_tensor *x,
                                      bool approximate);

/* ---- reductions --------------------------------------------------------- */

typedef struct lbo_reduce_attributes {
    lbo_dims dims;     /* count -1: all */
    bool keep;         /* the dimensions stay, of size 1 */
    double correction; /* var: divides by n - correction */
} lbo_reduce_attributes;

/* dims     NULL if count is 0 or -1 (all)
 * Sums of integers and bools are i64; means of them f32. max, min and argmax of
 * nothing are LB_BAD_ARGUMENT. argmax (i64, the first of equals; NaN counts as
 * the greatest) goes over one dimension or, with count -1, over all. */
#define LBO_DECLARE_REDUCTION(name)                                            \
    LB_PUBLIC lb_status lbo_##name(lbo_context *context, lbo_tensor **out,     \
                                   lbo_tensor *x, int count,                   \
                                   const int64_t *dims, bool keep)
LBO_DECLARE_REDUCTION(sum);
LBO_DECLARE_REDUCTION(mean);
LBO_DECLARE_REDUCTION(max);
LBO_DECLARE_REDUCTION(min);
LBO_DECLARE_REDUCTION(argmax);
LB_PUBLIC lb_status lbo_var(lbo_context *context, lbo_tensor **out,
                            lbo_tensor *x, int count, const int64_t *dims,
                            bool keep, double correction);

/* ---- products ----------------------------------------------------------- */

/* As the array API's matmul: 1-d operands count as a row and a column, further
 * dimensions are batches and broadcast. Promotes. */
LBO_DECLARE_BINARY(matmul);

/* x weight^T + bias: x [..., in], weight [out, in], bias [out] or NULL. */
LB_PUBLIC lb_status lbo_linear(lbo_context *context, lbo_tensor **out,
                               lbo_tensor *x, lbo_tensor *weight,
                               lbo_tensor *bias);

typedef struct lbo_conv2d_attributes {
    int64_t stride[2]; /* rows, columns; as the rest */
    int64_t padding[2];
    int64_t dilation[2];
    int64_t groups;
} lbo_conv2d_attributes;

/* x [n, in, h, w], weight [out, in / groups, kh, kw], bias [out] or NULL.
 * attributes NULL: stride 1, no padding, dilation 1, one group. */
LB_PUBLIC lb_status lbo_conv2d(lbo_context *context, lbo_tensor **out,
                               lbo_tensor *x, lbo_tensor *weight,
                               lbo_tensor *bias,
                               const lbo_conv2d_attributes *attributes);
/* The gradients: `like` has the shape of the input (weight) wanted. */
LB_PUBLIC lb_status lbo_conv2d_backward_input(
    lbo_context *context, lbo_tensor **out, lbo_tensor *g, lbo_tensor *weight,
    lbo_tensor *like, const lbo_conv2d_attributes *attributes);
LB_PUBLIC lb_status lbo_conv2d_backward_weight(
    lbo_context *context, lbo_tensor **out, lbo_tensor *g, lbo_tensor *x,
    lbo_tensor *like, const lbo_conv2d_attributes *attributes);

/* ---- windows ------------------------------------------------------------ */

typedef struct lbo_pool2d_attributes {
    int64_t kernel[2];
    int64_t stride[2];
    int64_t padding[2]; /* at most half the kernel */
} lbo_pool2d_attributes;

/* x [n, c, h, w]. indices (NULL: not wanted): i64, where in its plane each
 * maximum lies. Padding counts as -infinity. */
LB_PUBLIC lb_status lbo_max_pool2d(lbo_context *context, lbo_tensor **out,
                                   lbo_tensor **indices, lbo_tensor *x,
                                   const lbo_pool2d_attributes *attributes);
/* Padding counts as zeros. */
LB_PUBLIC lb_status lbo_avg_pool2d(lbo_context *context, lbo_tensor **out,
                                   lbo_tensor *x,
                                   const lbo_pool2d_attributes *attributes);
LB_PUBLIC lb_status lbo_max_pool2d_backward(lbo_context *context,
                                            lbo_tensor **out, lbo_tensor *g,
                                            lbo_tensor *indices,
                                            lbo_tensor *like);
LB_PUBLIC lb_status lbo_avg_pool2d_backward(
    lbo_context *context, lbo_tensor **out, lbo_tensor *g, lbo_tensor *like,
    const lbo_pool2d_attributes *attributes);

/* ---- along one dimension ------------------------------------------------ */

typedef struct lbo_dim_attributes {
    int64_t dim;
} lbo_dim_attributes;

/* exp(x) over its sum along `dim`, and the logarithm of that; both stable. */
LB_PUBLIC lb_status lbo_softmax(lbo_context *context, lbo_tensor **out,
                                lbo_tensor *x, int64_t dim);
LB_PUBLIC lb_status lbo_log_softmax(lbo_context *context, lbo_tensor **out,
                                    lbo_tensor *x, int64_t dim);
LB_PUBLIC lb_status lbo_softmax_backward(lbo_context *context, lbo_tensor **out,
                                         lbo_tensor *g, lbo_tensor *y,
                                         int64_t dim);
LB_PUBLIC lb_status lbo_log_softmax_backward(lbo_context *context,
                                             lbo_tensor **out, lbo_tensor *g,
                                             lbo_tensor *y, int64_t dim);

typedef enum lbo_reduction {
    LBO_REDUCE_NONE = 0,
    LBO_REDUCE_MEAN = 1,
    LBO_REDUCE_SUM = 2
} lbo_reduction;

typedef struct lbo_loss_attributes {
    int64_t reduction; /* an lbo_reduction */
    int64_t ignore;    /* cross_entropy: rows with this target do not count */
} lbo_loss_attributes;

/* logits [n, classes], target i64 [n] (0 <= target < classes, or `ignore`, else
 * LB_BAD_ARGUMENT; -100 is usual). The second result of the operator are the
 * logarithms of the probabilities [n, classes], for the gradient. */
LB_PUBLIC lb_status lbo_cross_entropy(lbo_context *context, lbo_tensor **out,
                                      lbo_tensor *logits, lbo_tensor *target,
                                      lbo_reduction reduction, int64_t ignore);
LB_PUBLIC lb_status lbo_cross_entropy_backward(lbo_context *context,
                                               lbo_tensor **out, lbo_tensor *g,
                                               lbo_tensor *log_probabilities,
                                               lbo_tensor *target,
                                               lbo_reduction reduction,
                                               int64_t ignore);

/* The squared difference; the shapes must be equal. */
LB_PUBLIC lb_status lbo_mse(lbo_context *context, lbo_tensor **out,
                            lbo_tensor *a, lbo_tensor *b,
                            lbo_reduction reduction);

typedef struct lbo_layer_norm_attributes {
    int64_t dims; /* how many of the last dimensions are normalized */
    double epsilon;
} lbo_layer_norm_attributes;

/* weight and bias of the normalized shape, or NULL. The operator's further
 * results are mean and 1/sqrt(var + epsilon), f32 (f64 for f64). */
LB_PUBLIC lb_status lbo_layer_norm(lbo_context *context, lbo_tensor **out,
                                   lbo_tensor *x, lbo_tensor *weight,
                                   lbo_tensor *bias, int64_t dims,
                                   double epsilon);
/* out[0..2]: by x, weight, bias; entries that are NULL are made, all three. */
LB_PUBLIC lb_status lbo_layer_norm_backward(lbo_context *context,
                                            lbo_tensor **out, lbo_tensor *g,
                                            lbo_tensor *x, lbo_tensor *mean,
                                            lbo_tensor *rstd,
                                            lbo_tensor *weight, int64_t dims);

/* ---- choosing ----------------------------------------------------------- */

/* weight [rows, size], indices i64 (or i32) of any shape: [..., size]. Indices
 * outside are LB_BAD_ARGUMENT (on the CPU; devices may give zeros). */
LB_PUBLIC lb_status lbo_embedding(lbo_context *context, lbo_tensor **out,
                                  lbo_tensor *weight, lbo_tensor *indices);
/* Adds the rows of g where the indices say, to a zeroed result like `weight`. */
LB_PUBLIC lb_status lbo_embedding_backward(lbo_context *context,
                                           lbo_tensor **out, lbo_tensor *g,
                                           lbo_tensor *indices,
                                           lbo_tensor *like);
/* index i64 of x's number of dimensions, not larger than x except in `dim`:
 * out[i, j] = x[index[i, j], j] for dim 0. */
LB_PUBLIC lb_status lbo_gather(lbo_context *context, lbo_tensor **out,
                               lbo_tensor *x, lbo_tensor *index, int64_t dim);
LB_PUBLIC lb_status lbo_gather_backward(lbo_context *context, lbo_tensor **out,
                                        lbo_tensor *g, lbo_tensor *index,
                                        lbo_tensor *like, int64_t dim);

/* Joins along a dimension that is there, or a new one. Promotes. */
LB_PUBLIC lb_status lbo_concat(lbo_context *context, lbo_tensor **out,
                               lbo_tensor *const *in, size_t count,
                               int64_t dim);
LB_PUBLIC lb_status lbo_stack(lbo_context *context, lbo_tensor **out,
                              lbo_tensor *const *in, size_t count, int64_t dim);
/* Views of `count` parts of these sizes along `dim` (their sum is its size). */
LB_PUBLIC lb_status lbo_split(lbo_context *context, lbo_tensor **out,
                              lbo_tensor *x, const int64_t *sizes, size_t count,
                              int64_t dim);

/* ---- views -------------------------------------------------------------- */

typedef struct lbo_dims_attributes {
    lbo_dims dims;
} lbo_dims_attributes;

/* `*out` must be NULL for these. One size may be -1: what is left over. A copy
 * only where no view is possible. */
LB_PUBLIC lb_status lbo_reshape(lbo_context *context, lbo_tensor **out,
                                lbo_tensor *x, size_t ndim,
                                const int64_t *shape);
/* A permutation of all dimensions; ndim 0: reversed. */
LB_PUBLIC lb_status lbo_transpose(lbo_context *context, lbo_tensor **out,
                                  lbo_tensor *x, size_t ndim,
                                  const int64_t *permutation);
/* Two dimensions exchanged. */
LB_PUBLIC lb_status lbo_swap_dims(lbo_context *context, lbo_tensor **out,
                                  lbo_tensor *x, int64_t a, int64_t b);

typedef struct lbo_slice_attributes {
    int64_t dim;
    int64_t start; /* as Python's slice, already without None */
    int64_t stop;
    int64_t step; /* not 0 */
} lbo_slice_attributes;
/* What Python's x[start:stop:step] is along one dimension. */
LB_PUBLIC lb_status lbo_slice(lbo_context *context, lbo_tensor **out,
                              lbo_tensor *x, int64_t dim, int64_t start,
                              int64_t stop, int64_t step);
/* The gradient: zeros like `like`, with g where the slice was. */
LB_PUBLIC lb_status lbo_slice_backward(lbo_context *context, lbo_tensor **out,
                                       lbo_tensor *g, lbo_tensor *like,
                                       int64_t dim, int64_t start, int64_t stop,
                                       int64_t step);
/* Broadcasts: sizes of 1 become any, -1 stays, new dimensions in front. */
LB_PUBLIC lb_status lbo_expand(lbo_context *context, lbo_tensor **out,
                               lbo_tensor *x, size_t ndim,
                               const int64_t *shape);

/* ---- copies ------------------------------------------------------------- */

typedef struct lbo_cast_attributes {
    int32_t dtype;
} lbo_cast_attributes;
/* Floating to integer truncates; what does not fit is unspecified (no trap). */
LB_PUBLIC lb_status lbo_cast(lbo_context *context, lbo_tensor **out,
                             lbo_tensor *x, lbo_dtype dtype);
/* A row-major copy; a given result may be on another device. */
LBO_DECLARE_UNARY(copy);
/* `x` itself (one more reference) if it is there already. */
LB_PUBLIC lb_status lbo_to_device(lbo_context *context, lbo_tensor **out,
                                  lbo_tensor *x, lbo_device *device);
/* `x` itself if it is in row-major order already. */
LB_PUBLIC lb_status lbo_contiguous(lbo_context *context, lbo_tensor **out,
                                   lbo_tensor *x);

/* ---- making ------------------------------------------------------------- */

/* These write `out` (not NULL), see lbo_tensor_create. */
typedef struct lbo_fill_attributes {
    double real;     /* for floating types */
    int64_t integer; /* for the others     */
} lbo_fill_attributes;
LB_PUBLIC lb_status lbo_fill(lbo_context *context, lbo_tensor *out,
                             double value);
LB_PUBLIC lb_status lbo_fill_integer(lbo_context *context, lbo_tensor *out,
                                     int64_t value);

typedef struct lbo_arange_attributes {
    double start;
    double step;
} lbo_arange_attributes;
/* out 1-d: start + i * step */
LB_PUBLIC lb_status lbo_arange(lbo_context *context, lbo_tensor *out,
                               double start, double step);

/* Element i takes word i % 4 of block (offset + i / 4) of Philox 4x32-10 with
 * key = seed: uniform is (word >> 8) / 2^24 scaled to [low, high); normal is
 * Box-Muller of words 0, 1 and 2, 3 with u1 = ((word >> 8) + 1) / 2^24. f64
 * is computed from the f32 numbers, so that all types and devices agree. */
typedef struct lbo_random_attributes {
    double a; /* low or mean */
    double b; /* high or standard deviation */
    uint64_t seed;
    uint64_t offset; /* blocks */
} lbo_random_attributes;
LB_PUBLIC lb_status lbo_uniform(lbo_context *context, lbo_tensor *out,
                                double low, double high);
LB_PUBLIC lb_status lbo_normal(lbo_context *context, lbo_tensor *out,
                               double mean, double deviation);

typedef struct lbo_dropout_attributes {
    double p; /* 0 <= p < 1: the share that becomes 0; the rest / (1 - p) */
    uint64_t seed;
    uint64_t offset;
} lbo_dropout_attributes;
/* The second result of the operator is the mask (bool): uniform >= p. */
LB_PUBLIC lb_status lbo_dropout(lbo_context *context, lbo_tensor **out,
                                lbo_tensor *x, double p);

/* ---- steps of optimizers ------------------------------------------------- */

/* In place, one pass each; what the optimizers of optimizer.h run. */
typedef struct lbo_sgd_attributes {
    double rate;
    double momentum;
    double decay; /* added to the gradient, times the parameter */
    bool nesterov;
} lbo_sgd_attributes;
/* velocity NULL: without momentum */
LB_PUBLIC lb_status lbo_sgd_step(lbo_context *context, lbo_tensor *parameter,
                                 lbo_tensor *gradient, lbo_tensor *velocity,
                                 const lbo_sgd_attributes *attributes);

typedef struct lbo_adam_attributes {
    double rate;
    double beta1;
    double beta2;
    double epsilon;
    double decay; /* as for sgd; decoupled: AdamW's */
    bool decoupled;
    int64_t step; /* from 1 */
} lbo_adam_attributes;
/* first, second: the moments, like the parameter */
LB_PUBLIC lb_status lbo_adam_step(lbo_context *context, lbo_tensor *parameter,
                                  lbo_tensor *gradient, lbo_tensor *first,
                                  lbo_tensor *second,
                                  const lbo_adam_attributes *attributes);

#ifdef __cplusplus
}
#endif
#endif
