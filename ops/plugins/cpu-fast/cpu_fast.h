/* cpu_fast.h - the parts of the plug-in cpu-fast. */
#ifndef CPU_FAST_H
#define CPU_FAST_H

#include "cpu/product.h"

/* A table of kernels per file. */
typedef struct fast_table {
    const lbo_kernel *kernels;
    size_t count;
} fast_table;

extern const fast_table fast_products;
extern const fast_table fast_maps;
extern const fast_table fast_rows;
extern const fast_table fast_steps;
extern const fast_table fast_convolutions; /* after fast_products: replaces */
void fast_convolutions_begin(void);
void fast_convolutions_end(void);

/* Keeps the library that a function is of, also when the plug-in goes: one that
 * has threads of its own must not be unmapped. */
void fast_pin(uintptr_t function);

/* Products by OpenBLAS, of any strides (few are copied); f32 and f64. */
void fast_gemm_f32(const lboi_gemm *product);
void fast_gemm_f64(const lboi_gemm *product);

/* ---- loops, compiled for several instruction sets ------------------------------ */

/* y[i] = f(x[i]), or of two. x and y may be the same. */
typedef void (*fast_map)(int64_t n, const void *x, void *y);
typedef void (*fast_map2)(int64_t n, const void *a, const void *b, void *y);

typedef struct fast_norm {
    int64_t size;
    const void *weight, *bias; /* NULL: none */
    double epsilon;
} fast_norm;

typedef struct fast_adam {
    double rate, divisor; /* with the corrections of both moments */
    double beta1, beta2, epsilon;
    double keep;  /* of the parameter: decoupled decay */
    double decay; /* into the gradient */
} fast_adam;

/* Of one type. */
typedef struct fast_loops {
    fast_map exp, log, tanh, sigmoid, silu, gelu, gelu_tanh;
    fast_map2 pow, silu_backward, gelu_backward, gelu_tanh_backward;
    /* One row of `n` elements. */
    void (*softmax)(int64_t n, const void *x, void *y, bool logarithm);
    void (*softmax_backward)(int64_t n, const void *g, const void *y, void *out,
                             bool logarithm);
    /* exp(x) times a number */
    void (*exp_times)(int64_t n, const void *x, double by, void *y);
    void (*norm)(const fast_norm *norm, const void *x, void *out, void *mean,
                 void *rstd);
    /* Adds to by_weight and by_bias. */
    void (*norm_backward)(const fast_norm *norm, const void *g, const void *x,
                          double mean, double rstd, void *out, void *by_weight,
                          void *by_bias);
    /* In place. velocity NULL: without */
    void (*sgd)(int64_t n, const lbo_sgd_attributes *by, void *parameter,
                const void *gradient, void *velocity);
    void (*adam)(int64_t n, const fast_adam *by, void *parameter,
                 const void *gradient, void *first, void *second);
} fast_loops;

/* One instruction set. */
typedef struct fast_set {
    fast_loops f32, f64;
} fast_set;

extern const fast_set fast_set_base, fast_set_avx2, fast_set_avx512;

/* The best that this machine has, chosen when the plug-in is loaded. */
extern const fast_set *fast_chosen;

static inline const fast_loops *fast_loops_of(int dtype)
{
    const fast_set *const set = __atomic_load_n(&fast_chosen, __ATOMIC_RELAXED);

    return dtype == LBO_F32 ? &set->f32 : &set->f64;
}

/* Products of numbers from which several threads are worth it: some tenths of a
 * millisecond of one. */
#define FAST_WORTH_THREADS 16000000

#endif
