/* What the host of the test plug-ins offers: one typed generic function.
 *
 * A host has classes "host-base" and "host-special" below it, and binds
 * `measure`. Plug-ins find all three by name.
 */
#ifndef TESTS_PLUGINS_HOST_H
#define TESTS_PLUGINS_HOST_H

#include "latebind/latebind.h"

typedef struct sample {
    lb_header head;
    int number;
} sample;

LB_GENERIC(int, measure, (ON, const sample *, s));

#endif
