/* cpu/tables.h - the kernels of the CPU, a table per file. */
#ifndef LBO_CPU_TABLES_H
#define LBO_CPU_TABLES_H

#include "library.h"

typedef struct lboi_table {
    const lbo_kernel *kernels;
    size_t count;
} lboi_table;

#define LBOI_EACH_TABLE(X)                                                     \
    X(elementwise)                                                             \
    X(reduce)                                                                  \
    X(product)                                                                 \
    X(convolve)                                                                \
    X(window) X(normalize) X(choose) X(copy) X(create) X(random) X(step)

#define LBOI_TABLE(name) extern const lboi_table lboi_cpu_##name;
LBOI_EACH_TABLE(LBOI_TABLE)
#undef LBOI_TABLE

#endif
