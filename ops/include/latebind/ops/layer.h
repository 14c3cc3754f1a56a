/* latebind/ops/layer.h - what is done around operators.
 *
 * A layer wraps every operator, or those it names, by one handler that sees any
 * call in the same form. A context has a stack of active layers, outermost
 * first; the order is the user's. Layers are around methods of the engine,
 * specialized on the context's class: one that is not active is not in the
 * chain, and costs nothing.
 *
 *     static lb_status count(lbo_layer *layer, lbo_context *context,
 *                            lbo_call *call, const lbo_rest *rest)
 *     {
 *         ++*(uint64_t *)lbo_layer_data(layer);
 *         return lbo_next(context, call, rest);
 *     }
 */
#ifndef LATEBIND_OPS_LAYER_H
#define LATEBIND_OPS_LAYER_H

#include "latebind/ops/operator.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Active at once in one context, at most. */
#define LBO_MAX_LAYERS 12

/* The rest of the chain, for lbo_next: the layer's own entry in it. */
typedef struct lb_entry lbo_rest;

/* Wraps one call. Operators that it calls with `context` go to the layers
 * further in, not to itself. It may look at the inputs, change them (by running
 * another call: lbo_run), run the rest (lbo_next) any number of times (each
 * time makes the results anew), look at the results afterwards. One that does
 * not go on makes the results itself, or fails. Runs in the thread that
 * calls. */
typedef lb_status (*lbo_layer_fn)(lbo_layer *layer, lbo_context *context,
                                  lbo_call *call, const lbo_rest *rest);

typedef struct lbo_layer_spec {
    const char *name; /* copied */
    lbo_layer_fn handler;
    void *data;
    void (*release)(
        void *data); /* when the layer is destroyed; NULL: nothing */
    const char *const *operators; /* only these; NULL: all, also later ones */
    size_t operator_count;
} lbo_layer_spec;

/* Makes a layer; it is not active anywhere. Errors: LB_NOT_FOUND (an operator;
 * the message names it), LB_BAD_ARGUMENT, LB_NO_MEMORY. Any thread. */
LB_PUBLIC lb_status lbo_layer_create(lbo_library *library,
                                     const lbo_layer_spec *spec,
                                     lbo_layer **result);

/* Ends a layer. LB_BUSY while a context has it active. */
LB_PUBLIC lb_status lbo_layer_destroy(lbo_layer *layer);

/* The layer of that name that was made last, e.g. by a plug-in; NULL: none. */
LB_PUBLIC lbo_layer *lbo_layer_find(lbo_library *library, const char *name);

/* What its spec said; the name lives as long as the layer. */
LB_PUBLIC const char *lbo_layer_name(const lbo_layer *layer);
LB_PUBLIC void *lbo_layer_data(const lbo_layer *layer);

/* Makes `layer` the outermost one of the context. LB_EXISTS: it is active
 * already; LB_LIMIT: more than LBO_MAX_LAYERS; LB_BUSY: from inside a handler.
 * The first time for an order of layers a class is made, later it costs some
 * nanoseconds. */
LB_PUBLIC lb_status lbo_push(lbo_context *context, lbo_layer *layer);

/* Takes the outermost one away. LB_BAD_ARGUMENT if that is not `layer`. */
LB_PUBLIC lb_status lbo_pop(lbo_context *context, lbo_layer *layer);

/* Sets the whole stack, outermost first, in one step (count 0: none). */
LB_PUBLIC lb_status lbo_set_layers(lbo_context *context,
                                   lbo_layer *const *layers, size_t count);

/* The active layers, outermost first; returns how many there are. */
LB_PUBLIC size_t lbo_layers(const lbo_context *context, lbo_layer **out,
                            size_t capacity);

/* Runs what comes after the layer: the next one, or the kernel. */
LBI_INLINE lb_status lbo_next(lbo_context *context, lbo_call *call,
                              const lbo_rest *rest);

/* Layers that come with the library. Each is made by its function and ended by
 * lbo_layer_destroy; autograd has a header of its own. */

/* Runs products and convolutions in `dtype` (LBO_F16 or LBO_BF16), and what
 * must be precise (exp, log, softmax, sums, losses, norms) in f32. f64 stays. A
 * result that is given keeps its type. It may be further out or further in than
 * autograd: gradients arrive in the types of the inputs in both. */
LB_PUBLIC lb_status lbo_autocast_create(lbo_library *library, lbo_dtype dtype,
                                        lbo_layer **result);

/* Measures each operator: calls, time, bytes; with the device's events where it
 * has streams (each call is then waited for). May be active in several contexts;
 * the trace holds a million calls at most. */
LB_PUBLIC lb_status lbo_profiler_create(lbo_library *library,
                                        lbo_layer **result);
/* The table, most time first, as text; as lbo_format. */
LB_PUBLIC int lbo_profiler_table(lbo_layer *profiler, char *buffer,
                                 size_t capacity);
/* Writes the calls as a Chrome trace (the "JSON Array Format" of the Trace Event
 * Format document) to the file `path`. */
LB_PUBLIC lb_status lbo_profiler_trace(lbo_layer *profiler, const char *path);
LB_PUBLIC void lbo_profiler_clear(lbo_layer *profiler);

/* Fails with LB_METHOD_FAILED as soon as an operator gives a NaN or an infinity
 * that none of its inputs had; the message names operator, result and place.
 * Operators without inputs (fill) may write any. */
LB_PUBLIC lb_status lbo_nan_check_create(lbo_library *library,
                                         lbo_layer **result);

/* Tells `report` a line per call: "matmul(f32[32, 64], f32[64, 128]) ->
 * f32[32, 128]". */
LB_PUBLIC lb_status lbo_shape_logger_create(
    lbo_library *library, void (*report)(void *context, const char *line),
    void *report_context, lbo_layer **result);

/* ---- below: what lbo_next knows of two structs ---------------------------- */

typedef struct lbo_context_head {
    lb_header head;
    const lbo_layer *running; /* whose handler runs; see context.c */
} lbo_context_head;

typedef struct lbo_layer_head {
    lbo_layer_fn handler;
} lbo_layer_head;

/* Entries do not change: where the next one is a layer, its handler is called
 * without the method around it. */
LBI_INLINE lb_status lbo_next(lbo_context *context, lbo_call *call,
                              const lbo_rest *rest)
{
    const lb_entry *const next = rest->next;

    if (next->method == rest->method) {
        lbo_context_head *const state = (lbo_context_head *)context;
        const lbo_layer *const before = state->running;
        lbo_layer *const layer = (lbo_layer *)next->context;
        state->running = layer;
        const lb_status status = ((const lbo_layer_head *)layer)
                                     ->handler(layer, context, call, next);
        state->running = before;
        return status;
    }
    if (call->op->spec.dispatched == 2)
        return lb_next_lbo_binary(rest, context, call->in[0], call->in[1],
                                  call);
    return lb_next_lbo_unary(
        rest, context,
        call->op->spec.dispatched == 0 ? call->out[0] : call->in[0], call);
}

#ifdef __cplusplus
}
#endif
#endif
