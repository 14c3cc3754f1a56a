/* profiler.c - a layer that measures each call.
 *
 * Around a call the clock is read; on a device that is not the host's, events are
 * recorded in its stream as well, and the call is waited for: the time is then
 * the device's, and calls do not overlap while they are measured. A call inside
 * a measured one (a kernel that runs operators in a context of its own) is
 * counted for itself, and taken off the outer one's own time.
 *
 * Two things are kept, under a mutex, since contexts of several threads may share
 * the layer: sums per operator and device, for the table; and the calls one by
 * one, for the trace, up to a limit (what is left out is counted).
 */
#include "library.h"

#include "latebind/ops/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_CALLS = 1000000 };

typedef struct tally {
    const lbo_operator *op;
    const char *device; /* one of the profiler's names */
    uint64_t calls;
    double ns, own_ns; /* own: without calls inside */
    uint64_t bytes;
} tally;

typedef struct measured {
    const lbo_operator *op;
    const char *device; /* likewise */
    uint64_t start;     /* ns of the clock */
    double ns;
    uint64_t bytes;
    uint32_t thread;
    int32_t status;
} measured;

typedef struct profiler {
    lbo_library *library;
    const lb_head *record, *wait, *elapsed, *destroy; /* of events */
    pthread_mutex_t mutex;
    tally *tallies;
    size_t tally_count, tally_capacity;
    measured *calls;
    size_t call_count, call_capacity;
    char **names; /* of devices, which may be gone by now */
    size_t name_count, name_capacity;
    uint64_t left_out;
    uint64_t begin;
} profiler;

/* A measured call that runs in this thread. */
typedef struct frame {
    struct frame *outer;
    double inside; /* ns of the calls inside of it */
} frame;

static _Thread_local frame *running;
static _Thread_local uint32_t thread_number;
static uint32_t thread_count; /* atomic */

static uint32_t this_thread(void)
{
    if (thread_number == 0)
        thread_number = __atomic_add_fetch(&thread_count, 1, __ATOMIC_RELAXED);
    return thread_number;
}

static uint64_t now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- measuring ---------------------------------------------------------------- */

static lbo_device *device_of(const lbo_context *context, const lbo_call *call)
{
    for (uint32_t i = 0; i < call->in_count; i++)
        if (call->in[i] != NULL && !(call->in[i]->flags & LBO_WEAK))
            return call->in[i]->storage->device;
    if (call->out[0] != NULL)
        return call->out[0]->storage->device;
    return context->device;
}

static uint64_t bytes_of(lbo_tensor *const *tensors, uint32_t count)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        if (tensors[i] != NULL)
            bytes += lbo_tensor_bytes(tensors[i]);
    return bytes;
}

/* Runs the rest between two events of the device; *ns stays as it is where the
 * device cannot. */
static lb_status run_between(const profiler *p, lbo_device *device,
                             lbo_context *context, lbo_call *call,
                             const lbo_rest *rest, double *ns)
{
    void *from = NULL, *to = NULL;
    const bool first =
        lb_in_lbo_on_event_record(p->record, device, NULL, &from) == LB_OK;
    const lb_status status = lbo_next(context, call, rest);

    if (!first)
        return status;
    if (lb_in_lbo_on_event_record(p->record, device, NULL, &to) == LB_OK) {
        if (lb_in_lbo_on_event_wait(p->wait, device, to) == LB_OK)
            (void)lb_in_lbo_on_event_elapsed(p->elapsed, device, from, to, ns);
        lb_in_lbo_on_event_destroy(p->destroy, device, to);
    }
    lb_in_lbo_on_event_destroy(p->destroy, device, from);
    return status;
}

/* The name as the profiler keeps it. */
static const char *keep_name(profiler *p, const char *name)
{
    for (size_t i = 0; i < p->name_count; i++)
        if (strcmp(p->names[i], name) == 0)
            return p->names[i];
    if (!lboi_reserve(p->library, &p->names, &p->name_capacity,
                      p->name_count + 1, sizeof *p->names))
        return "?";
    char *const copy = lboi_copy_text(p->library, name);
    if (copy == NULL)
        return "?";
    p->names[p->name_count++] = copy;
    return copy;
}

static tally *find_tally(profiler *p, const lbo_operator *op,
                         const char *device)
{
    for (size_t i = 0; i < p->tally_count; i++)
        if (p->tallies[i].op == op && p->tallies[i].device == device)
            return &p->tallies[i];
    if (!lboi_reserve(p->library, &p->tallies, &p->tally_capacity,
                      p->tally_count + 1, sizeof *p->tallies))
        return NULL;
    tally *const fresh = &p->tallies[p->tally_count++];
    *fresh = (tally){.op = op, .device = device};
    return fresh;
}

/* Not having memory to remember a call is no failure of it: it is counted as
 * left out. */
static void remember(profiler *p, measured *call, double own_ns)
{
    pthread_mutex_lock(&p->mutex);
    call->device = keep_name(p, call->device);
    tally *const sum = find_tally(p, call->op, call->device);
    if (sum != NULL) {
        sum->calls++;
        sum->ns += call->ns;
        sum->own_ns += own_ns;
        sum->bytes += call->bytes;
    }
    if (p->call_count < MOST_CALLS &&
        lboi_reserve(p->library, &p->calls, &p->call_capacity,
                     p->call_count + 1, sizeof *p->calls))
        p->calls[p->call_count++] = *call;
    else
        p->left_out++;
    pthread_mutex_unlock(&p->mutex);
}

static lb_status measure(lbo_layer *layer, lbo_context *context, lbo_call *call,
                         const lbo_rest *rest)
{
    profiler *const p = lbo_layer_data(layer);
    lbo_device *const device = device_of(context, call);
    measured m = {.op = call->op,
                  .device = device->name,
                  .bytes = bytes_of(call->in, call->in_count),
                  .thread = this_thread()};
    frame own = {.outer = running};
    double ns = -1;

    running = &own;
    m.start = now();
    const lb_status status =
        device->flags & LBO_HOST
            ? lbo_next(context, call, rest)
            : run_between(p, device, context, call, rest, &ns);
    m.ns = ns >= 0 ? ns : (double)(now() - m.start);
    running = own.outer;
    if (own.outer != NULL)
        own.outer->inside += m.ns;
    m.status = (int32_t)status;
    if (status == LB_OK)
        m.bytes += bytes_of(call->out, call->out_count);
    remember(p, &m, m.ns > own.inside ? m.ns - own.inside : 0);
    return status;
}

/* ---- the table ------------------------------------------------------------------- */

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

static int by_time(const void *a, const void *b)
{
    const double first = ((const tally *)a)->own_ns;
    const double second = ((const tally *)b)->own_ns;

    return first < second ? 1 : first > second ? -1 : 0;
}

static void put_row(text *t, const tally *row, double all)
{
    put(t, "%-24s %-10s %8llu %12.3f %12.3f %10.3f %6.1f %10.2f\n",
        row->op->spec.name, row->device, (unsigned long long)row->calls,
        row->ns / 1e6, row->own_ns / 1e6,
        row->ns / 1e3 / (double)(row->calls > 0 ? row->calls : 1),
        all > 0 ? 100 * row->own_ns / all : 0, (double)row->bytes / 1e6);
}

static void put_table(text *t, profiler *p)
{
    double all = 0;

    qsort(p->tallies, p->tally_count, sizeof *p->tallies, by_time);
    for (size_t i = 0; i < p->tally_count; i++)
        all += p->tallies[i].own_ns;
    put(t, "%-24s %-10s %8s %12s %12s %10s %6s %10s\n", "operator", "device",
        "calls", "total ms", "own ms", "us a call", "%", "MB");
    for (size_t i = 0; i < p->tally_count; i++)
        put_row(t, &p->tallies[i], all);
    if (p->left_out > 0)
        put(t, "(%llu calls are not in the trace)\n",
            (unsigned long long)p->left_out);
}

/* ---- the trace -------------------------------------------------------------------- */

static void write_string(FILE *file, const char *string)
{
    (void)fputc('"', file);
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            (void)fputc('\\', file);
        if ((unsigned char)*c < 0x20)
            (void)fprintf(file, "\\u%04x", (unsigned)*c);
        else
            (void)fputc(*c, file);
    }
    (void)fputc('"', file);
}

/* A complete event: times in microseconds. */
static void write_call(FILE *file, const measured *m, uint64_t begin)
{
    (void)fprintf(file, "{\"ph\": \"X\", \"name\": ");
    write_string(file, m->op->spec.name);
    (void)fprintf(file, ", \"cat\": ");
    write_string(file, m->device);
    (void)fprintf(file,
                  ", \"pid\": 1, \"tid\": %u, \"ts\": %.3f, \"dur\": %.3f, "
                  "\"args\": {\"bytes\": %llu, \"status\": ",
                  (unsigned)m->thread, (double)(m->start - begin) / 1e3,
                  m->ns / 1e3, (unsigned long long)m->bytes);
    write_string(file, lb_status_name((lb_status)m->status));
    (void)fprintf(file, "}}");
}

static void write_trace(FILE *file, const profiler *p)
{
    (void)fprintf(file, "[");
    for (size_t i = 0; i < p->call_count; i++) {
        (void)fprintf(file, i > 0 ? ",\n" : "\n");
        write_call(file, &p->calls[i], p->begin);
    }
    (void)fprintf(file, "\n]\n");
}

/* ---- from outside ---------------------------------------------------------------- */

static profiler *profiler_of(const lbo_layer *layer);

int lbo_profiler_table(lbo_layer *layer, char *buffer, size_t capacity)
{
    profiler *const p = profiler_of(layer);
    text t = {.buffer = buffer, .capacity = buffer == NULL ? 0 : capacity};

    if (p == NULL)
        return -1;
    pthread_mutex_lock(&p->mutex);
    put_table(&t, p);
    pthread_mutex_unlock(&p->mutex);
    return (int)t.used;
}

lb_status lbo_profiler_trace(lbo_layer *layer, const char *path)
{
    profiler *const p = profiler_of(layer);

    if (p == NULL || path == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_profiler_trace: no profiler, or path is NULL");
    FILE *const file = fopen(path, "w");
    if (file == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: %s", path, strerror(errno));
    pthread_mutex_lock(&p->mutex);
    write_trace(file, p);
    pthread_mutex_unlock(&p->mutex);
    const bool good = ferror(file) == 0;
    if (fclose(file) != 0 || !good)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: it could not be written: %s",
                        path, strerror(errno));
    return LB_OK;
}

void lbo_profiler_clear(lbo_layer *layer)
{
    profiler *const p = profiler_of(layer);

    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    p->tally_count = 0;
    p->call_count = 0;
    p->left_out = 0;
    p->begin = now();
    pthread_mutex_unlock(&p->mutex);
}

/* ---- its life --------------------------------------------------------------------- */

static void release(void *data)
{
    profiler *const p = data;
    lbo_library *const library = p->library;

    (void)pthread_mutex_destroy(&p->mutex);
    lboi_free(library, p->tallies, p->tally_capacity * sizeof *p->tallies);
    lboi_free(library, p->calls, p->call_capacity * sizeof *p->calls);
    for (size_t i = 0; i < p->name_count; i++)
        lboi_free_text(library, p->names[i]);
    lboi_free(library, p->names, p->name_capacity * sizeof *p->names);
    lboi_free(library, p, sizeof *p);
}

/* NULL, and the message says so, when the layer is another one. */
static profiler *profiler_of(const lbo_layer *layer)
{
    if (layer != NULL && layer->spec.handler == measure)
        return lbo_layer_data(layer);
    (void)lbo_fail(LB_BAD_ARGUMENT, "the layer is no profiler");
    return NULL;
}

static const lb_head *event_head(lbo_library *library, const char *name)
{
    return lb_generic_head(lbo_generic(library, name));
}

lb_status lbo_profiler_create(lbo_library *library, lbo_layer **result)
{
    if (library == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_profiler_create: library is NULL");
    profiler *const p = lboi_zalloc(library, sizeof *p);
    if (p == NULL)
        return LB_NO_MEMORY;
    p->library = library;
    p->record = event_head(library, "device.event_record");
    p->wait = event_head(library, "device.event_wait");
    p->elapsed = event_head(library, "device.event_elapsed");
    p->destroy = event_head(library, "device.event_destroy");
    p->begin = now();
    (void)pthread_mutex_init(&p->mutex, NULL);
    const lbo_layer_spec spec = {
        .name = "profiler", .handler = measure, .data = p, .release = release};
    const lb_status status = lbo_layer_create(library, &spec, result);
    if (status != LB_OK)
        release(p);
    return status;
}
