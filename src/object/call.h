/* object/call.h - calling attributes. */
#ifndef LBI_OBJECT_CALL_H
#define LBI_OBJECT_CALL_H

#include "object/space.h"

/* Calls a class's attribute as a method: argv[0] is the receiver, `cls` its
 * class. */
lb_status lbi_call_attribute(lb_class *cls, const lb_attribute *attribute,
                             size_t argc, const lb_value *argv,
                             lb_value *result);

/* A callback for an attribute, which the attribute may not survive. */
typedef struct lbi_callback {
    const lb_symbol *symbol;
    unsigned long messages; /* set before */
} lbi_callback;

lbi_callback lbi_callback_begins(const lb_attribute *attribute);
/* Returns `status`. When the callback failed without a message, sets one. */
lb_status lbi_callback_ended(lbi_callback callback, const char *what,
                             lb_status status);

/* The function of methods that have only a value: hands it to the program. */
lb_status lbi_call_as_value(const lb_attribute *self, size_t argc,
                            const lb_value *argv, lb_value *result);

#endif
