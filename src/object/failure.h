/* object/failure.h - errors that name class, attribute and the nearest name. */
#ifndef LBI_OBJECT_FAILURE_H
#define LBI_OBJECT_FAILURE_H

#include "object/space.h"

/* Fails with LB_NO_ATTRIBUTE. object: NULL: the class itself was asked. Takes
 * the lock. */
lb_status lbi_no_attribute(lb_class *cls, const void *object, const char *name);

/* LB_NO_CLASS: the header at `object` is none of this runtime's. */
lb_status lbi_no_class(const void *object, const char *name);

#endif
