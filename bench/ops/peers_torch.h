/* peers_torch.h - PyTorch's C++ library, for C: what the operators are compared
 * with. Every function runs its loop `calls` times. In inference mode where
 * nothing is learned, which is the fastest way that PyTorch has. */
#ifndef BENCH_OPS_PEERS_TORCH_H
#define BENCH_OPS_PEERS_TORCH_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Call once before anything else. */
void torch_open(int threads);
const char *torch_version(void);

/* The dispatcher's unboxed call of an empty kernel of two tensors. */
void torch_call_empty(size_t calls);
void torch_add_out(size_t calls, size_t elements);
void torch_add(size_t calls, size_t elements);
/* One step of training (forward, loss, backward, optimizer) on random numbers:
 * "mlp", "cnn" or "gpt", the shapes are those of
 * shapes.h. */
void torch_train(const char *model, size_t steps);

#ifdef __cplusplus
}
#endif
#endif
