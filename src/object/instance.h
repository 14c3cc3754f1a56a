/* object/instance.h - what core's observer is told of instances. */
#ifndef LBI_OBJECT_INSTANCE_H
#define LBI_OBJECT_INSTANCE_H

#include "object/space.h"

/* `object` becomes an instance of `cls`: its names are marked there. Locked. */
lb_status lbi_reclass(lb_runtime *runtime, void *object, lb_class *cls);
/* `object` is about to be freed. */
void lbi_instance_end(lb_runtime *runtime, void *object);

#endif
