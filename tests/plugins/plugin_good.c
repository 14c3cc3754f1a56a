/* A plug-in that overrides `measure` for special samples, calls the next
 * method, and makes a class of its own.
 */
#include "host.h"

#include <stdlib.h>

LB_METHOD(measure, measure_special);

static int measure_special(lb_slot slot, const sample *s)
{
    LB_SELF(measure, measure_special, slot, s);
    return *(const int *)self->context + lb_next_measure(self, s);
}

static void free_context(void *context)
{
    *(int *)context = -1;
    free(context);
}

static lb_status load(lb_runtime *runtime, lb_group *group, void **data)
{
    lb_generic *generic = lb_generic_find(runtime, "measure");
    lb_class *special = lb_class_find(runtime, "host-special");
    int *context = malloc(sizeof *context);
    if (generic == NULL || special == NULL || context == NULL) {
        free(context);
        return LB_NOT_FOUND;
    }
    *context = 100;
    const lb_specializer at = lb_is(special);
    const lb_rule rule = {.method = LB_DESCRIPTOR(measure_special),
                          .specializers = &at,
                          .count = 1,
                          .context = context,
                          .release = free_context};
    *data =
        lb_class_make(runtime, "plugin-class", sizeof(sample), special, NULL);
    return lb_group_add(group, generic, &rule, 1);
}

static void unload(lb_runtime *runtime, void *data)
{
    if (lb_class_find(runtime, "plugin-class") == data)
        (void)lb_class_destroy(data);
}

LB_PLUGIN("good", load, unload);
