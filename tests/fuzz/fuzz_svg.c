/* Any bytes may stand in an SVG file: the reader says what is wrong with them
 * and never hands on a coordinate that is not a number. */
#include "svg.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static void look(const box *b)
{
    if (!isfinite(b->low.x) || !isfinite(b->low.y) || !isfinite(b->high.x) ||
        !isfinite(b->high.y))
        abort();
}
@@SINKS@@
