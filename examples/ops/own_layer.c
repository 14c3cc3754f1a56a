/* A layer of one's own: sees every operator in one form, and goes away again. */
#include <latebind/ops.h>

#include <stdio.h>
#include <stdlib.h>

static void need(lb_status status)
{
    if (status == LB_OK)
        return;
    printf("%s: %s\n", lb_status_name(status), lb_message());
    exit(1);
}

/* Names each operator that runs, indented by how deep it is. */
static lb_status trace(lbo_layer *layer, lbo_context *context, lbo_call *call,
                       const lbo_rest *rest)
{
    (void)layer;
    const lb_status status = lbo_next(context, call, rest);
    if (status == LB_OK)
        printf("  %s of %u inputs gives %s of %lld elements\n",
               call->op->spec.name, (unsigned)call->in_count,
               lbo_dtype_name((lbo_dtype)call->out[0]->dtype),
               (long long)call->out[0]->size);
    return status;
}

/* Runs every sum in f64, whatever it is called with. */
static lb_status precise(lbo_layer *layer, lbo_context *context, lbo_call *call,
                         const lbo_rest *rest)
{
    lbo_tensor *wide = NULL, *sum = NULL;
    lbo_call again = *call;

    (void)layer;
    if (call->in[0]->dtype != LBO_F32 || call->out[0] != NULL)
        return lbo_next(context, call, rest);
    lb_status status = lbo_cast(context, &wide, call->in[0], LBO_F64);
    again.in = &wide;
    again.out = &sum;
    if (status == LB_OK)
        status = lbo_run(context, call->op, &again); /* the layers further in */
    if (status == LB_OK)
        status = lbo_cast(context, &call->out[0], sum, LBO_F32);
    lbo_tensor_release(wide);
    lbo_tensor_release(sum);
    return status;
}

int main(void)
{
    lbo_library *library;
    lbo_context *context;
    lbo_layer *tracing, *precision;
    lbo_tensor *x, *sum = NULL;

    need(lbo_library_create(NULL, &library));
    need(lbo_context_create(library, "cpu", &context));
    need(lbo_empty(context, LBO_F32, 1, (int64_t[]){1000}, &x));
    need(lbo_fill(context, x, 0.1));
    need(lbo_layer_create(library,
                          &(lbo_layer_spec){.name = "trace", .handler = trace},
                          &tracing));
    need(
        lbo_layer_create(library,
                         &(lbo_layer_spec){.name = "precise",
                                           .handler = precise,
                                           .operators = (const char *[]){"sum"},
                                           .operator_count = 1},
                         &precision));

    printf("trace outside:\n");
    need(lbo_set_layers(context, (lbo_layer *[]){tracing, precision}, 2));
    need(lbo_sum(context, &sum, x, -1, NULL, false));
    lbo_tensor_release(sum);
    sum = NULL;

    printf("trace inside:\n");
    need(lbo_set_layers(context, (lbo_layer *[]){precision, tracing}, 2));
    need(lbo_sum(context, &sum, x, -1, NULL, false));
    lbo_tensor_release(sum);
    sum = NULL;

    need(lbo_set_layers(context, NULL, 0));
    need(lbo_sum(context, &sum, x, -1, NULL, false));
    printf("no layer, no line\n");

    lbo_tensor_release(sum);
    lbo_tensor_release(x);
    lbo_context_destroy(context);
    need(lbo_layer_destroy(tracing));
    need(lbo_layer_destroy(precision));
    need(lbo_library_destroy(library));
}
