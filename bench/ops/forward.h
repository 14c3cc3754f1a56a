/* forward.h - see forward.c. */
#ifndef BENCH_OPS_FORWARD_H
#define BENCH_OPS_FORWARD_H

#include <stddef.h>

/* Nanoseconds of one call, of `calls`; NaN when something fails. */
__attribute__((visibility("default"))) double bench_forward(size_t calls);

#endif
