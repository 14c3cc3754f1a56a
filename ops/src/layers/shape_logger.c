/* shape_logger.c - a layer that tells each call's shapes and types.
 *
 * A line is put together in front of the call (the inputs, which the call may
 * overwrite) and behind it (the results, or that it failed). Of the library's
 * inside it uses the memory only: it is an example of a layer with data.
 */
#include "library.h"

#include <stdio.h>

typedef struct logger {
    lbo_library *library;
    void (*report)(void *context, const char *line);
    void *context;
} logger;

typedef struct line {
    char text[1024];
    size_t used;
} line;

static void put(line *l, const char *text)
{
    const int wanted =
        snprintf(l->text + l->used, sizeof l->text - l->used, "%s", text);

    if (wanted > 0)
        l->used += (size_t)wanted;
    if (l->used >= sizeof l->text)
        l->used = sizeof l->text - 1;
}

/* "f32[32, 64]"; "-" for an input that is not given. */
static void put_tensor(line *l, const lbo_tensor *tensor)
{
    char number[32];

    if (tensor == NULL) {
        put(l, "-");
        return;
    }
    put(l, lbo_dtype_name((lbo_dtype)tensor->dtype));
    put(l, "[");
    for (int i = 0; i < tensor->ndim; i++) {
        (void)snprintf(number, sizeof number, "%s%lld", i > 0 ? ", " : "",
                       (long long)lbo_shape(tensor)[i]);
        put(l, number);
    }
    put(l, "]");
}

static void put_tensors(line *l, lbo_tensor *const *tensors, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            put(l, ", ");
        put_tensor(l, tensors[i]);
    }
}

static lb_status log_shapes(lbo_layer *layer, lbo_context *context,
                            lbo_call *call, const lbo_rest *rest)
{
    const logger *const to = lbo_layer_data(layer);
    line l = {.used = 0};

    put(&l, call->op->spec.name);
    put(&l, "(");
    put_tensors(&l, call->in, call->in_count);
    put(&l, ") -> ");
    const lb_status status = lbo_next(context, call, rest);
    if (status == LB_OK)
        put_tensors(&l, call->out, call->out_count);
    else
        put(&l, lb_status_name(status));
    to->report(to->context, l.text);
    return status;
}

static void release(void *data)
{
    lboi_free(((logger *)data)->library, data, sizeof(logger));
}

lb_status lbo_shape_logger_create(lbo_library *library,
                                  void (*report)(void *context,
                                                 const char *line),
                                  void *report_context, lbo_layer **result)
{
    if (library == NULL || report == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_shape_logger_create: an argument is NULL");
    logger *const data = lboi_alloc(library, sizeof *data);
    if (data == NULL)
        return LB_NO_MEMORY;
    *data = (logger){library, report, report_context};
    const lbo_layer_spec spec = {.name = "shape logger",
                                 .handler = log_shapes,
                                 .data = data,
                                 .release = release};
    const lb_status status = lbo_layer_create(library, &spec, result);
    if (status != LB_OK)
        release(data);
    return status;
}
