/* node.c - the life of recorded calls.
 *
 * Freeing a node drops what it saved and where it leads, which may be the last
 * reference to other nodes: a chain of a million would recurse a million deep.
 * So a node whose last reference goes is only put on a list of the thread; the
 * outermost release takes nodes from the list until it is empty.
 */
#include "layers/history.h"
#include "tensor/storage.h"

static _Thread_local lboi_node *waiting;
static _Thread_local bool draining;

void lboi_node_retain(lboi_node *node)
{
    __atomic_add_fetch(&node->references, 1, __ATOMIC_RELAXED);
}

/* An operator of a plug-in must not go before its nodes. */
static void free_node(lboi_node *node)
{
    lbo_operator *const op = (lbo_operator *)(uintptr_t)node->op;

    lboi_free(op->library, node, node->bytes);
    if (op->serial != 0)
        __atomic_sub_fetch(&op->recorded, 1, __ATOMIC_RELEASE);
}

static void drain(void)
{
    draining = true;
    while (waiting != NULL) {
        lboi_node *const node = waiting;
        waiting = node->next;
        lboi_node_spend(node);
        free_node(node);
    }
    draining = false;
}

void lboi_node_release(lboi_node *node)
{
    if (__atomic_sub_fetch(&node->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    node->next = waiting;
    waiting = node;
    if (!draining)
        drain();
}

void lboi_node_spend(lboi_node *node)
{
    if (node->spent)
        return;
    node->spent = 1;
    for (uint32_t i = 0; i < node->in_count; i++) {
        lbo_tensor_release(node->in[i]);
        if (node->edges[i] != NULL)
            lboi_history_drop(node->op->library, node->edges[i]);
        node->in[i] = NULL;
        node->edges[i] = NULL;
    }
    for (uint32_t i = 0; node->kept != NULL && i < node->out_count; i++)
        if (node->kept[i].storage != NULL)
            lboi_storage_release(node->kept[i].storage);
}

void lboi_history_retain(lbo_history *history)
{
    if (history->node != NULL)
        lboi_node_retain(history->node);
    else
        __atomic_add_fetch(&history->references, 1, __ATOMIC_RELAXED);
}

void lboi_history_drop(lbo_library *library, lbo_history *history)
{
    if (history->node != NULL) {
        lboi_node_release(history->node);
        return;
    }
    if (__atomic_sub_fetch(&history->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    lbo_tensor_release(history->gradient);
    lboi_free(library, history, sizeof *history);
}

void lboi_history_release(lbo_tensor *tensor)
{
    lboi_history_drop(tensor->storage->device->library, tensor->history);
}
