/* train.c - one training loop that never names a model.
 *
 *   1. the library with its plug-ins, a device ("auto": the best one present)
 *   2. the model by its name, the data that suit it
 *   3. for each batch: forward; the loss of what came out, and the gradient by
 *      it; the model's backward; the optimizer's step
 *   4. accuracy on the part that was kept for the test; which kernels ran where
 *
 * What a model's forward and backward do is its class's to say. */
#include "curve.h"
#include "options.h"
#include "parallel.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct run {
    options o;
    parallel team;
    const model *what;
    lbo_library *library;
    lbo_context *context;
    lbo_layer *autograd, *counting, *profiler;
    counts counted;
    data samples;
    lbo_archive *batches;
    lbo_module *module;
    lbo_optimizer *inner, *optimizer;
    FILE *losses;
    curve shown;
    int64_t steps, batch;
    double rate;
} run;

static bool first_of(const run *r)
{
    return r->team.rank == 0;
}

/* ---- 1. the library ------------------------------------------------------ */

static void say(void *context, lb_status status, const char *message)
{
    (void)context;
    fprintf(stderr, "%s: %s\n", lb_status_name(status), message);
}

static lb_status open_plugins(run *r)
{
    lb_status status = lbo_open_all(r->library);

    for (size_t i = 0; i < r->o.plugin_count && status == LB_OK; i++)
        status = lbo_plugin_open(r->library, r->o.plugins[i], NULL);
    if (status == LB_OK && strchr(r->o.model, '/') != NULL)
        status = lbo_plugin_open(r->library, r->o.model, NULL);
    return status;
}

static lb_status open_library(run *r)
{
    const lbo_library_config config = {.abi = LBO_ABI, .report = say};
    lb_status status = lbo_library_create(&config, &r->library);

    if (status == LB_OK)
        status = open_plugins(r);
    if (status == LB_OK)
        status = lbo_context_create(r->library, r->o.device, &r->context);
    if (status != LB_OK)
        return status;
    lbo_seed(r->context, r->o.seed);
    const lbo_device *const device = lbo_context_device(r->context);
    if (first_of(r))
        printf("device: %s (%s)\n", device->name, device->description);
    return LB_OK;
}

/* ---- 2. the model and its data ------------------------------------------- */

static lb_status find_model(run *r)
{
    char names[512];

    r->what = models_find(strchr(r->o.model, '/') ? NULL : r->o.model);
    if (r->what != NULL)
        return LB_OK;
    models_list(names, sizeof names);
    return lbo_fail(LB_NOT_FOUND,
                    "no model \"%s\"; there are: %s, or the file "
                    "of a plug-in",
                    r->o.model, names);
}

static lb_status make_model(run *r)
{
    const model_options wanted = {.activation = r->o.activation,
                                  .classes = r->samples.classes,
                                  .context = r->o.context,
                                  .width = r->o.width,
                                  .depth = r->o.depth,
                                  .dropout = r->o.dropout};
    lb_status status = r->what->make(r->context, &wanted, &r->module);

    if (status == LB_OK && r->o.load != NULL)
        status = lbo_module_load(r->context, r->module, r->o.load);
    if (status == LB_OK && first_of(r))
        printf("model: %s, %lld parameters\n", r->what->name,
               (long long)lbo_module_size(r->module));
    return status;
}

static lb_status make_optimizer(run *r)
{
    const options *const o = &r->o;
    lb_status status = strcmp(o->optimizer, "sgd") == 0
                           ? lbo_sgd(r->module, r->rate, o->momentum, o->decay,
                                     false, &r->inner)
                           : lbo_adam(r->module, r->rate, 0.9, 0.999, 1e-8,
                                      o->decay, true, &r->inner);

    if (status == LB_OK && o->resume)
        status =
            lbo_training_load(r->context, r->module, r->inner, o->checkpoint);
    if (status == LB_OK)
        status = parallel_wrap(r->context, r->inner, &r->optimizer);
    return status;
}

static lb_status check_batch(const run *r)
{
    if (r->batch % r->team.size != 0)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "a batch of %lld for %d processes: no equal shares",
                        (long long)r->batch, r->team.size);
    if (r->team.size > 1 && (r->o.clip > 0 || r->o.batches != NULL))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "--clip and --batches are for one process: the one "
                        "would clip before the mean, the other has no shares");
    return LB_OK;
}

static lb_status prepare(run *r)
{
    lb_status status = find_model(r);

    if (status == LB_OK)
        status = data_open(&r->samples, r->what->kind, r->o.data, r->o.context,
                           r->o.seed);
    if (status != LB_OK)
        return status;
    r->batch = r->o.batch > 0 ? r->o.batch : r->what->batch;
    r->rate = r->o.rate > 0 ? r->o.rate : r->what->rate;
    r->steps = r->o.steps > 0 ? r->o.steps
               : r->o.epochs > 0
                   ? r->o.epochs * (r->samples.train_count / r->batch)
                   : r->what->steps;
    status = check_batch(r);
    if (status == LB_OK && r->o.batches != NULL)
        status = lbo_load_tensors(r->context, r->o.batches, &r->batches);
    if (status == LB_OK)
        status = make_model(r);
    if (status == LB_OK)
        status = make_optimizer(r);
    return status;
}

/* The layers, outermost first. */
static lb_status put_layers(run *r)
{
    lbo_layer *layers[3];
    size_t count = 0;
    lb_status status = lbo_autograd_create(r->library, &r->autograd);

    if (status == LB_OK)
        status = counts_create(r->library, &r->counted, &r->counting);
    if (status == LB_OK && (r->o.profile || r->o.trace != NULL))
        status = lbo_profiler_create(r->library, &r->profiler);
    if (status != LB_OK)
        return status;
    layers[count++] = r->autograd;
    layers[count++] = r->counting;
    if (r->profiler != NULL)
        layers[count++] = r->profiler;
    return lbo_set_layers(r->context, layers, count);
}

/* ---- 3. the loop --------------------------------------------------------- */

/* Row `step` of a file's tensor, without the first dimension. */
static lb_status take_row(run *r, const char *name, int64_t step,
                          lbo_tensor **result)
{
    lbo_tensor *const all = lbo_archive_find(r->batches, name);
    lbo_tensor *row = NULL;
    lb_status status;

    if (all == NULL || all->ndim < 2 || all->dims[0] <= step)
        return lbo_fail(LB_BAD_ARGUMENT, "%s has no \"%s\" for step %lld",
                        r->o.batches, name, (long long)step);
    status = lbo_slice(r->context, &row, all, 0, step, step + 1, 1);
    if (status == LB_OK)
        status =
            lbo_reshape(r->context, result, row, all->ndim - 1u, all->dims + 1);
    lbo_tensor_release(row);
    return status;
}

static lb_status next_batch(run *r, int64_t step, lbo_tensor **x,
                            lbo_tensor **y)
{
    const int64_t share = r->batch / r->team.size;
    lb_status status;

    *x = *y = NULL;
    if (r->batches == NULL)
        return data_next(&r->samples, r->context, r->batch,
                         r->team.rank * share, share, x, y);
    status = take_row(r, "x", step, x);
    if (status == LB_OK)
        status = take_row(r, "y", step, y);
    return status;
}

/* The loss of an output, and the gradient by it: the model is not asked. */
static lb_status loss_of(run *r, lbo_tensor *output, lbo_tensor *y,
                         double *loss, lbo_tensor **gradient)
{
    lbo_tensor *top = NULL, *value = NULL;
    lb_status status = lbo_detach(output, &top);

    if (status == LB_OK)
        status = lbo_require_gradient(top, true);
    if (status == LB_OK)
        status = lbo_cross_entropy(r->context, &value, top, y, LBO_REDUCE_MEAN,
                                   -100);
    if (status == LB_OK)
        status = lbo_backward(r->context, value, NULL, false);
    if (status == LB_OK)
        status = lbo_item(r->context, value, loss);
    if (status == LB_OK)
        *gradient = lbo_tensor_retain(lbo_gradient(top));
    lbo_tensor_release(value);
    lbo_tensor_release(top);
    return status;
}

static lb_status learn(run *r, lbo_tensor *x, lbo_tensor *y, double *loss)
{
    lbo_tensor *output = NULL, *gradient = NULL;
    lb_status status = lbo_forward(r->context, r->module, x, &output);

    if (status == LB_OK)
        status = loss_of(r, output, y, loss, &gradient);
    if (status == LB_OK)
        status = lbo_module_backward(r->context, r->module, gradient, NULL);
    if (status == LB_OK && r->o.clip > 0)
        status = lbo_clip_gradients(r->context, r->inner, r->o.clip, NULL);
    if (status == LB_OK)
        status = lbo_step(r->context, r->optimizer);
    lbo_zero_gradients(r->inner);
    lbo_tensor_release(output);
    lbo_tensor_release(gradient);
    return status;
}

static lb_status save(run *r)
{
    const char *const facts[][2] = {{"model", r->what->name}};

    if (r->o.checkpoint == NULL || !first_of(r))
        return LB_OK;
    return lbo_training_save(r->context, r->module, r->inner, facts, 1,
                             r->o.checkpoint);
}

static lb_status one_step(run *r, int64_t step, double *loss)
{
    lbo_tensor *x, *y;
    lb_status status = next_batch(r, step, &x, &y);

    r->optimizer->rate = r->inner->rate =
        lbo_rate_at(r->o.constant ? LBO_CONSTANT : LBO_COSINE, r->rate, step,
                    r->o.warmup, r->steps - r->o.warmup, 0.1);
    if (status == LB_OK)
        status = learn(r, x, y, loss);
    if (status == LB_OK)
        status = parallel_mean(loss);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    if (status == LB_OK && r->losses != NULL)
        fprintf(r->losses, "%.9g\n", *loss);
    if (status == LB_OK)
        curve_add(&r->shown, *loss);
    if (status == LB_OK && r->o.every > 0 && (step + 1) % r->o.every == 0)
        status = save(r);
    return status;
}

/* ---- 4. the test --------------------------------------------------------- */

/* Samples that the last test looks at, at most: all digits, and enough text. */
enum { MOST_TESTED = 512 };

typedef struct score {
    double loss, right;
    int64_t count;
} score;

/* How many rows of the output are greatest where y says. */
static lb_status count_right(run *r, lbo_tensor *output, lbo_tensor *y,
                             double *right)
{
    lbo_tensor *best = NULL, *same = NULL, *sum = NULL;
    lb_status status =
        lbo_argmax(r->context, &best, output, 1, (int64_t[]){-1}, false);

    if (status == LB_OK)
        status = lbo_equal(r->context, &same, best, y);
    if (status == LB_OK)
        status = lbo_sum(r->context, &sum, same, -1, NULL, false);
    if (status == LB_OK)
        status = lbo_item(r->context, sum, right);
    lbo_tensor_release(best);
    lbo_tensor_release(same);
    lbo_tensor_release(sum);
    return status;
}

static lb_status test_batch(run *r, lbo_tensor *x, lbo_tensor *y, score *s)
{
    lbo_tensor *output = NULL, *value = NULL;
    double loss = 0, right = 0;
    lb_status status = lbo_forward(r->context, r->module, x, &output);

    if (status == LB_OK)
        status = lbo_cross_entropy(r->context, &value, output, y,
                                   LBO_REDUCE_SUM, -100);
    if (status == LB_OK)
        status = lbo_item(r->context, value, &loss);
    if (status == LB_OK)
        status = count_right(r, output, y, &right);
    lbo_tensor_release(value);
    lbo_tensor_release(output);
    s->loss += loss;
    s->right += right;
    s->count += y->size;
    return status;
}

/* Without autograd, so that nothing is recorded. */
static lb_status test(run *r, int64_t most, score *s)
{
    const int64_t count =
        r->samples.test_count < most ? r->samples.test_count : most;
    lbo_layer *active[LBO_MAX_LAYERS];
    const size_t layers = lbo_layers(r->context, active, LBO_MAX_LAYERS);
    lb_status status = lbo_set_layers(r->context, active + 1, layers - 1);

    *s = (score){0, 0, 0};
    lbo_module_train(r->module, false);
    for (int64_t at = 0; at < count && status == LB_OK; at += 64) {
        const int64_t size = count - at < 64 ? count - at : 64;
        lbo_tensor *x, *y;
        status = data_test(&r->samples, r->context, at, size, &x, &y);
        if (status == LB_OK)
            status = test_batch(r, x, y, s);
        lbo_tensor_release(x);
        lbo_tensor_release(y);
    }
    lbo_module_train(r->module, true);
    if (status == LB_OK)
        status = lbo_set_layers(r->context, active, layers);
    s->loss /= (double)s->count;
    s->right /= (double)s->count;
    return status;
}

/* Some points of the curve on the way. */
static lb_status test_for_curve(run *r, int64_t step, int64_t first)
{
    const int64_t between = (r->steps - first + 19) / 20;
    score s;

    if (r->o.curve == NULL || (step + 1 - first) % between != 0 ||
        step + 1 == r->steps)
        return LB_OK;
    const lb_status status = test(r, 256, &s);
    if (status == LB_OK)
        curve_add_test(&r->shown, step - first, s.loss);
    return status;
}

static lb_status loop(run *r)
{
    const int64_t first = r->inner->steps;
    const bool quiet = r->o.quiet || !first_of(r);
    lb_status status = LB_OK;
    progress p;
    double loss = 0;

    for (int64_t step = 0; step < first; step++)
        data_skip(&r->samples, r->batch); /* as if it had not been stopped */
    progress_begin(&p, first, r->steps);
    for (int64_t step = first; step < r->steps && status == LB_OK; step++) {
        status = one_step(r, step, &loss);
        if (status == LB_OK)
            status = test_for_curve(r, step, first);
        if (status == LB_OK && !quiet)
            progress_show(&p, step, loss, r->inner->rate);
        if (status == LB_OK && !isfinite(loss))
            status = lbo_fail(LB_METHOD_FAILED,
                              "the loss of step %lld is no number; a smaller "
                              "--rate may help",
                              (long long)step + 1);
    }
    const double seconds = progress_end(&p);
    if (status == LB_OK && first_of(r) && r->steps > first)
        printf("%lld steps in %.2f s: %.1f steps/s\n",
               (long long)(r->steps - first), seconds,
               (double)(r->steps - first) / seconds);
    return status;
}

/* ---- what is left behind ------------------------------------------------- */

static lb_status print_profile(run *r)
{
    char text[16384];

    if (r->profiler == NULL || !first_of(r))
        return LB_OK;
    if (r->o.profile && lbo_profiler_table(r->profiler, text, sizeof text) >= 0)
        printf("%s", text);
    return r->o.trace != NULL ? lbo_profiler_trace(r->profiler, r->o.trace)
                              : LB_OK;
}

static lb_status finish(run *r)
{
    char caption[256];
    score s;
    lb_status status = test(r, MOST_TESTED, &s);

    if (status == LB_OK)
        status = save(r);
    if (status != LB_OK || !first_of(r))
        return status;
    (void)snprintf(caption, sizeof caption,
                   "%lld parameters, %zu steps on %s; on the test part a loss "
                   "of %.4f, %.2f %% right",
                   (long long)lbo_module_size(r->module), r->shown.count,
                   lbo_context_device(r->context)->name, s.loss, 100 * s.right);
    printf("test: loss %.4f, accuracy %.2f %%\n", s.loss, 100 * s.right);
    counts_print(&r->counted, r->context);
    if (r->o.curve != NULL && r->shown.count > 0) {
        curve_add_test(&r->shown, (int64_t)r->shown.count - 1, s.loss);
        if (!curve_write(&r->shown, r->o.curve, r->what->name, caption))
            return lbo_fail(LB_METHOD_FAILED, "%s cannot be written",
                            r->o.curve);
    }
    return print_profile(r);
}

static lb_status open_losses(run *r)
{
    if (r->o.losses == NULL || !first_of(r))
        return LB_OK;
    r->losses = fopen(r->o.losses, "w");
    return r->losses != NULL ? LB_OK
                             : lbo_fail(LB_METHOD_FAILED,
                                        "%s cannot be written", r->o.losses);
}

static void end(run *r)
{
    if (r->losses != NULL)
        (void)fclose(r->losses);
    if (r->optimizer != r->inner)
        lbo_optimizer_destroy(r->optimizer);
    lbo_optimizer_destroy(r->inner);
    lbo_module_release(r->module);
    lbo_archive_destroy(r->batches);
    data_close(&r->samples);
    curve_free(&r->shown);
    lbo_context_destroy(r->context);
    (void)lbo_library_destroy(r->library);
}

static lb_status train(run *r)
{
    lb_status status = open_library(r);

    if (status == LB_OK)
        status = prepare(r);
    if (status == LB_OK)
        status = open_losses(r);
    if (status == LB_OK)
        status = put_layers(r);
    if (status == LB_OK)
        status = loop(r);
    return status == LB_OK ? finish(r) : status;
}

int main(int argc, char **argv)
{
    static run r; /* its counts are too large for some stacks */
    lb_status status = parallel_begin(&argc, &argv, &r.team);

    if (status == LB_OK) {
        const int exit_status = options_read(&r.o, argc, argv);
        if (exit_status >= 0) {
            parallel_end();
            return exit_status;
        }
        status = train(&r);
    }
    if (status != LB_OK)
        fprintf(stderr, "train: %s\n", lb_message());
    end(&r);
    parallel_end();
    return status != LB_OK;
}
