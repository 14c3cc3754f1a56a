/* report.c - progress, and which kernels ran where. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- progress ------------------------------------------------------------ */

void progress_begin(progress *p, int64_t first, int64_t last)
{
    *p = (progress){.terminal = isatty(1) == 1,
                    .started = now(),
                    .first = first,
                    .last = last};
}

void progress_show(progress *p, int64_t step, double loss, double rate)
{
    const double time = now();
    const int64_t all = p->last - p->first, done = step + 1 - p->first;
    const int64_t tenth = done * 10 / all;

    if (p->terminal ? time - p->shown < 0.1 && step + 1 < p->last
                    : tenth == p->tenth && done != 1)
        return;
    p->shown = time;
    p->tenth = tenth;
    printf("%sstep %lld/%lld  loss %.4f  rate %.2g  %.0f steps/s%s",
           p->terminal ? "\r" : "", (long long)step + 1, (long long)p->last,
           loss, rate, (double)done / (time - p->started + 1e-9),
           p->terminal ? "   " : "\n");
    (void)fflush(stdout);
}

double progress_end(progress *p)
{
    if (p->terminal && p->shown > 0)
        (void)putchar('\n');
    return now() - p->started;
}

/* ---- which kernels ran where --------------------------------------------- */

static lb_status count_call(lbo_layer *layer, lbo_context *context,
                            lbo_call *call, const lbo_rest *rest)
{
    counts *const c = lbo_layer_data(layer);
    const lb_status status = lbo_next(context, call, rest);
    const uint32_t op = call->op->index;

    if (status == LB_OK && call->out[0] != NULL && op < MAX_OPERATORS) {
        const uint32_t device = lbo_tensor_device(call->out[0])->index;
        c->calls[op][device < MAX_DEVICES ? device : MAX_DEVICES - 1]++;
    }
    return status;
}

lb_status counts_create(lbo_library *library, counts *c, lbo_layer **result)
{
    const lbo_layer_spec spec = {
        .name = "counts", .handler = count_call, .data = c};

    memset(c, 0, sizeof *c);
    c->library = library;
    return lbo_layer_create(library, &spec, result);
}

static void print_operator(const counts *c, const lbo_operator *op)
{
    if (op->index >= MAX_OPERATORS)
        return;
    for (size_t i = 0; i < lbo_device_count(c->library); i++) {
        const lbo_device *const device = lbo_device_at(c->library, i);
        const uint64_t calls = device->index < MAX_DEVICES
                                   ? c->calls[op->index][device->index]
                                   : 0;
        if (calls > 0)
            printf("  %-24s %-8s %10" PRIu64 "\n", op->spec.name, device->name,
                   calls);
    }
}

void counts_print(const counts *c, const lbo_context *context)
{
    lbo_fallback_count fallen[64];
    const size_t count = lbo_fallbacks(context, fallen, 64);

    printf("operators, devices of their results, calls:\n");
    for (size_t i = 0; i < lbo_operator_count(c->library); i++)
        print_operator(c, lbo_operator_at(c->library, i));
    if (count == 0)
        printf("no kernel was missing\n");
    else
        printf("run on the CPU for want of a kernel, calls, bytes moved:\n");
    for (size_t i = 0; i < count && i < 64; i++)
        printf("  %-24s %10" PRIu64 " %14" PRIu64 "\n", fallen[i].op->spec.name,
               fallen[i].calls, fallen[i].bytes);
}
