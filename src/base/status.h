/* base/status.h - failing with a message. */
#ifndef LBI_BASE_STATUS_H
#define LBI_BASE_STATUS_H

#include "latebind/status.h"

/* Sets the calling thread's message and returns `status`. */
__attribute__((format(printf, 2, 3))) lb_status
lbi_fail(lb_status status, const char *format, ...);

/* How often the calling thread's message was set: whether a callback that
 * failed has said why. */
unsigned long lbi_messages(void);

/* LB_NO_MEMORY, in the words used everywhere. */
lb_status lbi_no_memory(void);

/* Sets the message to a text that may be longer than fits. */
lb_status lbi_fail_text(lb_status status, const char *text);

#endif
