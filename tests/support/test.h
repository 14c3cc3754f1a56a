/* What every test program includes first: cmocka, in the order it wants. */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "latebind/latebind.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A status check that shows both names and the message when it fails. */
#define assert_status(expected, call)                                          \
    do {                                                                       \
        const lb_status got_ = (call);                                         \
        if (got_ != (expected))                                                \
            fail_msg("%s is %s, not %s: %s", #call, lb_status_name(got_),      \
                     lb_status_name(expected), lb_message());                  \
    } while (0)

#define assert_ok(call) assert_status(LB_OK, call)

#define assert_contains(text, part)                                            \
    do {                                                                       \
        if (strstr((text), (part)) == NULL)                                    \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));        \
    } while (0)

#endif
