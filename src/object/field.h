/* object/field.h - members of an instance's C struct. */
#ifndef LBI_OBJECT_FIELD_H
#define LBI_OBJECT_FIELD_H

#include "object/space.h"

/* LB_BAD_ARGUMENT when the field does not lie in instances of `cls`. */
lb_status lbi_field_check(const lb_class *cls, const lb_symbol *symbol,
                          const lb_attribute_spec *spec);
lb_value lbi_field_get(const void *object, const lb_attribute *field);
/* LB_BAD_ARGUMENT when the type cannot hold the value. */
lb_status lbi_field_check_value(const lb_attribute *field, lb_value value);
/* Puts a value that fits; returns what it replaces. */
lb_value lbi_field_set(void *object, const lb_attribute *field, lb_value value);

#endif
