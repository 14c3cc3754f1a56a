/* calls.c - what a call costs: resolved, through layers, with a small result. */
#include "latebind/ops.h"

#include "loads.h"
#include "measure.h"
#include "peers_torch.h"

#include <cblas.h>

enum { SMALL = 16, LAYERS = 8 };

static struct {
    lbo_library *library;
    lbo_context *context;
    const lbo_operator *empty;
    lbo_tensor *a, *b, *out, *tiny[3], *square[3], *large[3];
    lbo_layer *layers[LAYERS];
} w;

LB_METHOD(lbo_binary, empty_kernel);
static lb_status empty_kernel(lb_slot slot, lbo_context *context, lbo_tensor *a,
                              lbo_tensor *b, lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    (void)a;
    (void)b;
    (void)call;
    return LB_OK;
}

static lb_status infer(const lbo_call *call, lbo_spec *out)
{
    (void)call;
    out->dtype = LBO_F32;
    out->ndim = 0;
    return LB_OK;
}

/* A layer that does nothing. */
static lb_status pass(lbo_layer *layer, lbo_context *context, lbo_call *call,
                      const lbo_rest *rest)
{
    (void)layer;
    return lbo_next(context, call, rest);
}

static void ones(lbo_tensor **tensors, int count, int64_t rows, int64_t columns)
{
    for (int i = 0; i < count; i++) {
        bench_need(lbo_empty(w.context, LBO_F32, columns > 0 ? 2 : 1,
                             (int64_t[]){rows, columns}, &tensors[i]) == LB_OK,
                   "a tensor");
        bench_need(lbo_fill(w.context, tensors[i], 1) == LB_OK, "ones");
    }
}

static void open_world(void)
{
    const lbo_operator_spec spec = {.name = "empty",
                                    .dispatched = 2,
                                    .in_count = 2,
                                    .out_count = 1,
                                    .infer = infer};
    const lbo_kernel kernel = {"empty", LB_DESCRIPTOR(empty_kernel), LBO_F32,
                               LBO_F32, NULL};
    const lbo_layer_spec layer = {.name = "pass", .handler = pass};
    lbo_device *cpu;

    bench_need(lbo_library_create(NULL, &w.library) == LB_OK, "a library");
    bench_need(lbo_plugin_open(w.library, "cpu-fast", NULL) == LB_OK,
               "the plug-in cpu-fast");
    bench_need(lbo_context_create(w.library, "cpu", &w.context) == LB_OK &&
                   lbo_operator_create(w.library, &spec, &w.empty) == LB_OK &&
                   lbo_device_find(w.library, "cpu", &cpu) == LB_OK &&
                   lbo_register_kernels(w.library, NULL, cpu, &kernel, 1) ==
                       LB_OK,
               "an operator");
    for (int i = 0; i < LAYERS; i++)
        bench_need(lbo_layer_create(w.library, &layer, &w.layers[i]) == LB_OK,
                   "a layer");
    ones(&w.a, 1, SMALL, 0);
    ones(&w.b, 1, SMALL, 0);
    ones(&w.out, 1, SMALL, 0);
    ones(w.tiny, 3, 4, 4);
    ones(w.square, 3, 512, 512);
    ones(w.large, 3, 1 << 20, 0);
    lbo_enter(w.context);
}

/* ---- an empty kernel ------------------------------------------------------ */

static void call_empty(size_t calls)
{
    lbo_tensor *out = w.out;
    lbo_tensor *const in[] = {w.a, w.b};
    lbo_call call = {
        .in = in, .out = &out, .in_count = 2, .out_count = 1, .op = w.empty};

    for (size_t i = 0; i < calls; i++)
        (void)lb_in_lbo_binary(w.empty->head, w.context, in[0], in[1], &call);
}

static void through_layers(size_t calls, size_t layers)
{
    lbo_tensor *out = w.tiny[0], *const in[] = {w.a, w.b};
    lbo_call call = {.in = in, .out = &out, .in_count = 2, .out_count = 1};
    static lbo_tensor *result;

    if (result == NULL)
        bench_need(lbo_empty(w.context, LBO_F32, 0, NULL, &result) == LB_OK,
                   "a result");
    out = result;
    (void)lbo_set_layers(w.context, w.layers, layers);
    for (size_t i = 0; i < calls; i++)
        (void)lbo_run(w.context, w.empty, &call);
    (void)lbo_set_layers(w.context, NULL, 0);
}

static void run_1_layer(size_t calls)
{
    through_layers(calls, 1);
}

static void run_5_layers(size_t calls)
{
    through_layers(calls, 5);
}

/* The cost of one more layer, between one active layer and five. */
static void layers_load(double c10)
{
    double medians[2];
    const measured variants[] = {{"one layer active", run_1_layer, 0},
                                 {"five layers active", run_5_layers, 0}};

    measure("An empty kernel, checked (lbo_run), layers that do nothing",
            variants, 2, medians);
    bench_row row = {.name = "a further layer / c10's call",
                     .value = (medians[1] - medians[0]) / 4,
                     .unit = "ns",
                     .aim = BENCH_RATIO_AT_MOST,
                     .hold = 0.2};
    row.ratio = row.low = row.high = row.value / c10;
    bench_show(&row);
    bench_note(
        "Layers that are not active are not in the chain: the call of the "
        "table above was made beside %d of them.",
        LAYERS);
}

/* ---- small results --------------------------------------------------------- */

static void add_out(size_t calls)
{
    for (size_t i = 0; i < calls; i++)
        (void)lbo_add(w.context, &w.out, w.a, w.b);
}

static void add_new(size_t calls)
{
    for (size_t i = 0; i < calls; i++) {
        lbo_tensor *out = NULL;
        (void)lbo_add(w.context, &out, w.a, w.b);
        lbo_tensor_release(out);
    }
}

static void add_large(size_t calls)
{
    for (size_t i = 0; i < calls; i++)
        (void)lbo_add(w.context, &w.large[2], w.large[0], w.large[1]);
}

static void torch_small_out(size_t calls)
{
    torch_add_out(calls, SMALL);
}

static void torch_small_new(size_t calls)
{
    torch_add(calls, SMALL);
}

static void torch_large_out(size_t calls)
{
    torch_add_out(calls, 1 << 20);
}

/* ---- products --------------------------------------------------------------- */

static void raw(size_t calls, lbo_tensor **t, int n)
{
    for (size_t i = 0; i < calls; i++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1,
                    t[0]->data, n, t[1]->data, n, 0, t[2]->data, n);
}

static void ours(size_t calls, lbo_tensor **t)
{
    for (size_t i = 0; i < calls; i++)
        (void)lbo_matmul(w.context, &t[2], t[0], t[1]);
}

static void raw_4(size_t calls)
{
    raw(calls, w.tiny, 4);
}

static void ours_4(size_t calls)
{
    ours(calls, w.tiny);
}

static void raw_512(size_t calls)
{
    raw(calls, w.square, 512);
}

static void ours_512(size_t calls)
{
    ours(calls, w.square);
}

static void close_world(void)
{
    lbo_leave(w.context);
    for (int i = 0; i < 3; i++) {
        lbo_tensor_release(w.tiny[i]);
        lbo_tensor_release(w.square[i]);
        lbo_tensor_release(w.large[i]);
    }
    lbo_tensor_release(w.a);
    lbo_tensor_release(w.b);
    lbo_tensor_release(w.out);
    lbo_context_destroy(w.context);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

void load_calls(void)
{
    const measured empty[] = {{"c10, unboxed", torch_call_empty, 0},
                              {"Latebind, typed", call_empty, 0.5}};
    const measured out[] = {{"at::add_out", torch_small_out, 0},
                            {"lbo_add, result given", add_out, 0.2}};
    const measured made[] = {{"at::add", torch_small_new, 0},
                             {"lbo_add, new result", add_new, 0.25}};
    const measured large[] = {{"at::add_out", torch_large_out, 0},
                              {"lbo_add, result given", add_large, 0}};
    const measured tiny[] = {{"cblas_sgemm", raw_4, 0},
                             {"lbo_matmul", ours_4, 2}};
    const measured square[] = {{"cblas_sgemm", raw_512, 0},
                               {"lbo_matmul", ours_512, 1.03}};
    double medians[2];

    open_world();
    measure("Empty kernel of two tensors: resolve and call", empty,
            COUNT(empty), medians);
    layers_load(medians[0]);
    measure("Sum of 16 floats into a given result", out, COUNT(out), NULL);
    measure("Sum of 16 floats, new result", made, COUNT(made), NULL);
    measure("Sum of 2^20 floats", large, COUNT(large), NULL);
    measure("Product of 4x4 matrices", tiny, COUNT(tiny), NULL);
    measure("Product of 512x512 matrices", square, COUNT(square), NULL);
    close_world();
}
