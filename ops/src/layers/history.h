/* layers/history.h - what autograd remembers of calls.
 *
 * A node is one recorded call, in one allocation. A tensor's history is its place
 * among the results of a node, or, of a leaf, a struct of its own. Edges lead
 * from a node to the histories of the call's inputs. References: a tensor holds
 * one on its history, an edge one on where it leads; a node is freed when no
 * result and no edge leads to it any more.
 */
#ifndef LBO_LAYERS_HISTORY_H
#define LBO_LAYERS_HISTORY_H

#include "library.h"

typedef struct lboi_node lboi_node;

/* What autograd does with calls in a context, where it is active. */
typedef enum lboi_gradient_mode {
    LBOI_RECORDS = 0,    /* records them */
    LBOI_PAUSED = 1,     /* lets them pass: within lbo_backward */
    LBOI_RECORDS_ALL = 2 /* records, also operators without a gradient, so that
                            differentiating them is an error: when gradients of
                            gradients are wanted */
} lboi_gradient_mode;

struct lbo_history {
    lboi_node *node;      /* NULL: a leaf */
    lbo_tensor *gradient; /* a leaf's; of a result, what has arrived so far */
    uint32_t references;  /* atomic; of a leaf */
    uint32_t wanted;      /* of a leaf: gradients by it are */
};

/* A result that the gradient wants to see. It is kept as a storage and a place in
 * it: the tensor itself would keep the node, which keeps the tensor. */
typedef struct lboi_kept {
    lbo_storage *storage; /* one reference; NULL: not kept */
    int64_t offset;
    uint32_t version;
    uint8_t dtype;
    uint8_t ndim;
    int64_t dims[2 * LBO_MAX_DIMS];
} lboi_kept;

struct lboi_node {
    uint32_t references; /* atomic; of results' tensors and of edges */
    uint32_t spent;      /* what was saved is gone */
    void *walk;          /* atomic; the lbo_backward that has it in its heap */
    uint64_t sequence;   /* greater than those of all nodes it leads to */
    const lbo_operator *op;
    lboi_node *next; /* while it waits to be freed */
    size_t bytes;    /* of the allocation, with what follows */
    uint32_t in_count;
    uint32_t out_count;
    lbo_history *outs;   /* of the results */
    lbo_history **edges; /* per input; NULL: it is not followed */
    lbo_tensor **in;     /* saved inputs, else NULL */
    uint32_t *versions;  /* of their storages, before the call */
    lbo_spec *in_specs;
    lboi_kept *kept;  /* per result; NULL: none is saved */
    void *attributes; /* a copy; NULL: none */
};

/* One reference more or less. Never fails; no recursion, however long. */
void lboi_history_retain(lbo_history *history);
void lboi_history_drop(lbo_library *library, lbo_history *history);
void lboi_node_retain(lboi_node *node);
void lboi_node_release(lboi_node *node);

/* Lets go of all that the node saved, and of its edges. */
void lboi_node_spend(lboi_node *node);

/* 1 when the layer that lbo_autograd_create makes is active, and not further out
 * than the handler that runs. */
int lboi_autograd_active(const lbo_context *context);

#endif
