/* Classes from a line of text: "O A:O B:O C:A,B" makes four, in this order. */
#ifndef TESTS_SUPPORT_LATTICE_H
#define TESTS_SUPPORT_LATTICE_H

#include "latebind/latebind.h"

/* Makes the classes of `text`; stops at the first that fails. */
lb_status lattice_make(lb_runtime *runtime, const char *text);

/* The linearization of the class `name` as "A B C" in a static buffer. */
const char *lattice_order(lb_runtime *runtime, const char *name);

#endif
