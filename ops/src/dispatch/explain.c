/* explain.c - which layers and which kernel a call would run, in words.
 *
 * The layers are those of the context's stack, from the one further in than the
 * handler that runs; the kernel is what the engine explains for a context without
 * layers and the classes of the dispatched tensors. Nothing is run.
 */
#include "library.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct text {
    char *buffer;
    size_t capacity, used;
} text;

static void put(text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(text *t, const char *format, ...)
{
    const bool room = t->used < t->capacity;
    va_list arguments;

    va_start(arguments, format);
    const int wanted =
        vsnprintf(room ? t->buffer + t->used : NULL,
                  room ? t->capacity - t->used : 0, format, arguments);
    va_end(arguments);
    if (wanted > 0)
        t->used += (size_t)wanted;
}

static bool wraps(const lbo_layer *layer, const lbo_operator *op)
{
    if (layer->operators == NULL)
        return true;
    for (size_t i = 0; i < layer->spec.operator_count; i++)
        if (layer->operators[i] == op)
            return true;
    return false;
}

/* "layers, outermost first: autograd, profiler; not autocast, which leaves ..." */
static void put_layers(text *t, const lbo_context *context,
                       const lbo_operator *op)
{
    uint32_t count = 0, others = 0;

    put(t, "layers, outermost first:");
    for (uint32_t i = lboi_level_of(context); i < context->depth; i++)
        if (wraps(context->stack[i].layer, op))
            put(t, "%s %s", count++ > 0 ? "," : "",
                context->stack[i].layer->name);
    if (count == 0)
        put(t, " none");
    for (uint32_t i = lboi_level_of(context); i < context->depth; i++)
        if (!wraps(context->stack[i].layer, op))
            put(t, "%s %s", others++ > 0 ? "," : "; not around this operator:",
                context->stack[i].layer->name);
    put(t, "\n");
}

/* How many tensors select the kernel: an operator without inputs goes by what it
 * is to write. */
static uint32_t selecting(const lbo_operator *op)
{
    return op->spec.dispatched == 0 ? 1 : op->spec.dispatched;
}

static lb_status check(const lbo_operator *op, lbo_tensor *const *in,
                       size_t in_count)
{
    const uint32_t needed = selecting(op);

    if (in == NULL || in_count < needed)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_explain: %s selects its kernel by %u tensor%s%s",
                        op->spec.name, (unsigned)needed, needed > 1 ? "s" : "",
                        op->spec.dispatched == 0 ? ", the one it writes" : "");
    for (uint32_t i = 0; i < needed; i++)
        if (in[i] == NULL)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "lbo_explain: tensor %u of %s is "
                            "NULL",
                            (unsigned)i, op->spec.name);
    return LB_OK;
}

static lb_status put_kernel(text *t, const lbo_context *context,
                            const lbo_operator *op, lbo_tensor *const *in)
{
    lb_class *classes[LB_MAX_DISPATCH] = {context->library->contexts};
    lb_explanation *explanation = NULL;
    const uint32_t count = selecting(op);

    for (uint32_t i = 0; i < count; i++)
        classes[i + 1] = in[i]->storage->device->classes[in[i]->dtype];
    const lb_status status =
        lb_explain(op->generic, count + 1, classes, NULL, &explanation);
    if (status != LB_OK)
        return status;
    put(t, "%s", explanation->text);
    lb_explanation_free(explanation);
    return LB_OK;
}

int lbo_explain(lbo_context *context, const lbo_operator *op,
                lbo_tensor *const *in, size_t in_count, char *buffer,
                size_t capacity)
{
    text t = {.buffer = buffer, .capacity = buffer == NULL ? 0 : capacity};

    if (context == NULL || op == NULL) {
        (void)lbo_fail(LB_BAD_ARGUMENT, "lbo_explain: an argument is NULL");
        return -1;
    }
    if (check(op, in, in_count) != LB_OK)
        return -1;
    put_layers(&t, context, op);
    return put_kernel(&t, context, op, in) == LB_OK ? (int)t.used : -1;
}
