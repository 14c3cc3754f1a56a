/* A plug-in that adds a rule and then fails to load. */
#include "host.h"

LB_METHOD(measure, measure_never);

static int measure_never(lb_slot slot, const sample *s)
{
    LB_IGNORE(slot);
    return -s->number;
}

/* Must have run before this code is gone. */
static void drop_context(void *context)
{
    *(int *)context = 0;
}

static lb_status load(lb_runtime *runtime, lb_group *group, void **data)
{
    lb_generic *generic = lb_generic_find(runtime, "measure");
    static int context = 1;
    const lb_rule rule = {.method = LB_DESCRIPTOR(measure_never),
                          .context = &context,
                          .release = drop_context};
    (void)data;
    if (generic != NULL)
        (void)lb_group_add(group, generic, &rule, 1);
    return LB_LIMIT;
}

/* Must not be called: the test looks for the class. */
static void unload(lb_runtime *runtime, void *data)
{
    (void)data;
    (void)lb_class_make(runtime, "unload-was-called", 16, NULL, NULL);
}

LB_PLUGIN("failing", load, unload);
