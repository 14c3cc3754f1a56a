/* Tensors, operators, gradients: the least program that learns something. */
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

static void show(lbo_context *context, const char *name, lbo_tensor *tensor)
{
    char text[400];

    (void)lbo_format(context, tensor, text, sizeof text);
    printf("%s = %s\n", name, text);
}

int main(void)
{
    const float numbers[] = {1, 2, 3, 4};
    const int64_t shape[] = {2, 2};
    lbo_tensor *x, *y = NULL, *sum = NULL;
    lbo_library *library;
    lbo_context *context;
    lbo_layer *autograd;

    need(lbo_library_create(NULL, &library));
    need(lbo_context_create(library, "cpu", &context));
    need(lbo_from_data(context, LBO_F32, 2, shape, numbers, &x));
    show(context, "x", x);

    /* A result that is NULL is made; one that is there is written. */
    need(lbo_matmul(context, &y, x, x));
    show(context, "x @ x", y);
    need(lbo_mul(context, &y, x, x));
    show(context, "x * x", y);
    lbo_tensor_release(y);
    y = NULL;

    /* With the autograd layer active, what is made from x is recorded. */
    need(lbo_autograd_create(library, &autograd));
    need(lbo_push(context, autograd));
    need(lbo_require_gradient(x, true));
    need(lbo_mul(context, &y, x, x));
    need(lbo_sum(context, &sum, y, -1, NULL, false));
    need(lbo_backward(context, sum, NULL, false));
    show(context, "gradient of sum(x * x)", lbo_gradient(x));

    /* What cannot be is said, with the shapes. */
    lbo_tensor_release(y);
    y = NULL;
    need(lbo_reshape(context, &y, x, 1, (int64_t[]){4}));
    lbo_tensor *wrong = NULL;
    if (lbo_matmul(context, &wrong, x, y) != LB_OK)
        printf("%s\n", lb_message());

    lbo_tensor_release(sum);
    lbo_tensor_release(y);
    lbo_tensor_release(x);
    lbo_context_destroy(context);
    need(lbo_layer_destroy(autograd));
    need(lbo_library_destroy(library));
}
