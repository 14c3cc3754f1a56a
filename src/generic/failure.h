/* generic/failure.h - saying why a boxed call could not be made. */
#ifndef LBI_GENERIC_FAILURE_H
#define LBI_GENERIC_FAILURE_H

#include "generic/generic.h"

/* Sets the message for an entry with a status; returns the status. */
lb_status lbi_fail_boxed(const lb_entry *entry, size_t argc,
                         const lb_value *argv);

#endif
