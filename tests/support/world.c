#include "support/world.h"

#include "support/test.h"

static char notes[2][4096];
static int notes_side;

void note(const char *word)
{
    char *text = notes[notes_side];
    const size_t length = strlen(text);
    (void)snprintf(text + length, sizeof notes[0] - length, "%s%s",
                   length ? " " : "", word);
}

const char *notes_take(void)
{
    const char *text = notes[notes_side];
    notes_side = !notes_side;
    notes[notes_side][0] = '\0';
    return text;
}

static void keep_report(void *context, lb_status status, const char *message)
{
    world *w = context;
    w->reports++;
    w->reported = status;
    (void)snprintf(w->report, sizeof w->report, "%s", message);
}

lb_config world_config(world *w)
{
    lb_config config;
    lb_config_init(&config);
    config.reallocate = allocator_reallocate;
    config.allocator_context = &w->memory;
    config.report = keep_report;
    config.report_context = w;
    return config;
}

static int open_as(void **state, lb_threading threading, lb_reclaim reclaim)
{
    world *w = calloc(1, sizeof *w);
    if (w == NULL)
        return -1;
    lb_config config = world_config(w);
    config.threading = threading;
    config.reclaim = reclaim;
    notes_take();
    *state = w;
    return lb_runtime_create(&config, &w->runtime) == LB_OK ? 0 : -1;
}

int world_open(void **state)
{
    return open_as(state, LB_MULTI_THREADED, LB_RECLAIM_QUIESCE);
}

int world_open_single(void **state)
{
    return open_as(state, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE);
}

int world_open_epoch(void **state)
{
    return open_as(state, LB_MULTI_THREADED, LB_RECLAIM_EPOCH);
}

int world_close(void **state)
{
    world *w = *state;
    lb_runtime_destroy(w->runtime);
    const int good = allocator_finish(&w->memory);
    if (!good)
        print_error("%zu bytes in %zu blocks are left, %zu sizes were wrong, "
                    "%zu calls overlapped\n",
                    w->memory.bytes, w->memory.blocks, w->memory.wrong,
                    w->memory.overlaps);
    free(w);
    return good ? 0 : -1;
}

lb_class *world_class(world *w, const char *name, lb_class *base,
                      lb_class *second_base)
{
    lb_class *cls =
        lb_class_make(w->runtime, name, sizeof(thing), base, second_base);
    if (cls == NULL)
        fail_msg("class %s: %s", name, lb_message());
    return cls;
}

thing thing_of(lb_class *cls)
{
    thing made = {{0, 0}, 0};
    lb_init(cls, &made);
    return made;
}

lb_statistics world_statistics(world *w)
{
    lb_statistics figures;
    memset(&figures, 0, sizeof figures);
    assert_ok(lb_get_statistics(w->runtime, &figures));
    return figures;
}
