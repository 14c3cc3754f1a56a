/* cpu/product.h - products of matrices, and what is made of them, over any
 * function that multiplies two: the portable one or a plug-in's.
 *
 * Public functions only, so that plug-ins can compile the files too.
 */
#ifndef LBO_CPU_PRODUCT_H
#define LBO_CPU_PRODUCT_H

#include "cpu/dense.h"

/* c = a b, or c += a b. Strides in elements. The columns of c lie together;
 * those of a and b have any stride. */
typedef struct lboi_gemm {
    int64_t m, n, k; /* c is m x n */
    const void *a, *b;
    void *c;
    int64_t a_row, a_column;
    int64_t b_row, b_column;
    int64_t c_row;
    bool add; /* to what c holds */
} lboi_gemm;

typedef void (*lboi_gemm_fn)(const lboi_gemm *product);

/* The portable ones, blocked; NULL for types without. */
extern const lboi_gemm_fn lboi_portable_gemm[LBO_DTYPE_COUNT];

/* Kernels of the operators, by such a function for the call's type. */
lb_status lboi_matmul_by(lbo_context *context, lbo_call *call,
                         lboi_gemm_fn gemm);
lb_status lboi_linear_by(lbo_context *context, lbo_call *call,
                         lboi_gemm_fn gemm);
/* f32 and f64 only. */
lb_status lboi_conv2d_by(lbo_context *context, lbo_call *call,
                         lboi_gemm_fn gemm);
lb_status lboi_conv2d_backward_input_by(lbo_context *context, lbo_call *call,
                                        lboi_gemm_fn gemm);
lb_status lboi_conv2d_backward_weight_by(lbo_context *context, lbo_call *call,
                                         lboi_gemm_fn gemm);

#endif
