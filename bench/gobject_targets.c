/* gobject_targets.c - what the GObject peer calls: opaque to it. */
#ifdef BENCH_HAVE_GOBJECT
#include "gobject_targets.h"

#include "repeat.h"

#define DEFINE(n)                                                              \
    static int gthing_##n(gthing *object)                                      \
    {                                                                          \
        return object->value + n;                                              \
    }
REPEAT_64(DEFINE, 0)

#define NAME(n) gthing_##n,
gthing_fn *const gthing_targets[64] = {REPEAT_64(NAME, 0)};
#else
typedef int gobject_targets_are_left_out;
#endif
