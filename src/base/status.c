/* base/status.c - status names and the thread's last message.
 *
 * The message is a fixed buffer per thread: telling of a failed allocation
 * allocates nothing.
 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_SIZE = 2048 };

static _Thread_local char message[MESSAGE_SIZE];
static _Thread_local unsigned long messages; /* set so far */

static const char *const names[LB_STATUS_COUNT] = {"LB_OK",
                                                   "LB_NO_MEMORY",
                                                   "LB_BAD_ARGUMENT",
                                                   "LB_LIMIT",
                                                   "LB_BAD_ORDER",
                                                   "LB_BUSY",
                                                   "LB_EXISTS",
                                                   "LB_NOT_FOUND",
                                                   "LB_NO_METHOD",
                                                   "LB_AMBIGUOUS",
                                                   "LB_NO_NEXT_METHOD",
                                                   "LB_UNBOUND",
                                                   "LB_NO_CLASS",
                                                   "LB_BAD_SIGNATURE",
                                                   "LB_BAD_ABI",
                                                   "LB_BAD_PLUGIN",
                                                   "LB_PREDICATE_FAILED",
                                                   "LB_REENTERED",
                                                   "LB_METHOD_FAILED",
                                                   "LB_NO_ATTRIBUTE",
                                                   "LB_READ_ONLY",
                                                   "LB_NOT_CALLABLE",
                                                   "LB_MAY_BE_AMBIGUOUS"};

const char *lb_status_name(lb_status status)
{
    if ((unsigned)status >= LB_STATUS_COUNT)
        return "unknown status";
    return names[status];
}

const char *lb_message(void)
{
    return message;
}

lb_status lbi_fail(lb_status status, const char *format, ...)
{
    char text[MESSAGE_SIZE]; /* an argument may be the old message */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return lbi_fail_text(status, text);
}

lb_status lbi_fail_text(lb_status status, const char *text)
{
    snprintf(message, sizeof message, "%s", text);
    messages++;
    return status;
}

unsigned long lbi_messages(void)
{
    return messages;
}

lb_status lb_fail_with(lb_status status, const char *text)
{
    return lbi_fail(status, "%s", text ? text : "");
}

lb_status lbi_no_memory(void)
{
    return lbi_fail(LB_NO_MEMORY, "no memory");
}
