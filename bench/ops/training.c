/* training.c - a step of training: forward, loss, backward, Adam; beside the same
 * model in PyTorch's C++ library, with the same number of threads. */
#include "latebind/ops.h"

#include "loads.h"
#include "measure.h"
#include "peers_torch.h"
#include "shapes.h"

#include "../../examples/training/models.h"

typedef struct trainer {
    lbo_module *module;
    lbo_optimizer *optimizer;
    lbo_tensor *in, *target;
} trainer;

static lbo_library *library;
static lbo_context *context;
static lbo_layer *autograd;
static trainer mlp, cnn, gpt;

static void good(lb_status status, const char *what)
{
    if (status != LB_OK)
        bench_note("%s: %s", what, lb_message());
    bench_need(status == LB_OK, what);
}

static void open_trainer(trainer *t, const char *name, int64_t rows,
                         int64_t classes, size_t ndim, const int64_t *shape,
                         bool symbols)
{
    const model_options options = {.classes = classes,
                                   .context = BENCH_GPT_CONTEXT};

    good(models_find(name)->make(context, &options, &t->module), name);
    good(lbo_adam(t->module, 1e-3, 0.9, 0.999, 1e-8, 0, false, &t->optimizer),
         "an optimizer");
    good(lbo_empty(context, symbols ? LBO_I64 : LBO_F32, ndim, shape, &t->in),
         "inputs");
    if (symbols)
        good(lbo_fill_integer(context, t->in, 7), "inputs");
    else
        good(lbo_uniform(context, t->in, 0, 1), "inputs");
    good(lbo_empty(context, LBO_I64, 1, &rows, &t->target), "targets");
    good(lbo_fill_integer(context, t->target, classes / 2), "targets");
    lbo_module_train(t->module, true);
}

static void step(trainer *t)
{
    lbo_tensor *out = NULL, *loss = NULL;

    lbo_zero_gradients(t->optimizer);
    good(lbo_forward(context, t->module, t->in, &out), "forward");
    good(lbo_cross_entropy(context, &loss, out, t->target, LBO_REDUCE_MEAN,
                           -100),
         "loss");
    good(lbo_backward(context, loss, NULL, false), "backward");
    good(lbo_step(context, t->optimizer), "step");
    lbo_tensor_release(loss);
    lbo_tensor_release(out);
}

static void steps(trainer *t, size_t count)
{
    for (size_t i = 0; i < count; i++)
        step(t);
}

static void ours_mlp(size_t count)
{
    steps(&mlp, count);
}

static void ours_cnn(size_t count)
{
    steps(&cnn, count);
}

static void ours_gpt(size_t count)
{
    steps(&gpt, count);
}

static void torch_mlp(size_t count)
{
    torch_train("mlp", count);
}

static void torch_cnn(size_t count)
{
    torch_train("cnn", count);
}

static void torch_gpt(size_t count)
{
    torch_train("gpt", count);
}

static void close_trainer(trainer *t)
{
    lbo_tensor_release(t->in);
    lbo_tensor_release(t->target);
    lbo_optimizer_destroy(t->optimizer);
    lbo_module_release(t->module);
}

void load_training(void)
{
    const int64_t batch = BENCH_BATCH;
    const measured mlps[] = {{"PyTorch", torch_mlp, 0},
                             {"Latebind", ours_mlp, 0.5}};
    const measured cnns[] = {{"PyTorch", torch_cnn, 0},
                             {"Latebind", ours_cnn, 1.0}};
    const measured gpts[] = {{"PyTorch", torch_gpt, 0},
                             {"Latebind", ours_gpt, 1.2}};

    good(lbo_library_create(NULL, &library), "a library");
    good(lbo_plugin_open(library, "cpu-fast", NULL), "the plug-in cpu-fast");
    good(lbo_context_create(library, "cpu", &context), "a context");
    good(lbo_autograd_create(library, &autograd), "autograd");
    good(lbo_push(context, autograd), "autograd");
    open_trainer(&mlp, "mlp", batch, 10, 2, (int64_t[]){batch, 64}, false);
    open_trainer(&cnn, "cnn", batch, 10, 4, (int64_t[]){batch, 1, 8, 8}, false);
    open_trainer(&gpt, "gpt", batch * BENCH_GPT_CONTEXT, BENCH_GPT_SYMBOLS, 2,
                 (int64_t[]){batch, BENCH_GPT_CONTEXT}, true);
    measure("Training step, MLP on digits, batch 32", mlps, 2, NULL);
    measure("Training step, CNN on digits, batch 32", cnns, 2, NULL);
    measure("Training step, character GPT, batch 32", gpts, 2, NULL);
    close_trainer(&mlp);
    close_trainer(&cnn);
    close_trainer(&gpt);
    lbo_context_destroy(context);
    good(lbo_layer_destroy(autograd), "autograd");
    good(lbo_library_destroy(library), "the library");
}
