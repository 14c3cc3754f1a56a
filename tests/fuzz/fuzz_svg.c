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

#define LOOK(kind, where)                                                     \
    static int on_##kind(void *user, const kind *shape)                       \
    {                                                                         \
        (void)user;                                                           \
        look(&shape->where);                                                  \
        return 0;                                                             \
    }

LOOK(line, bounds)
LOOK(quadratic, bounds)
LOOK(cubic, bounds)
LOOK(arc, bounds)
LOOK(rect, base.bounds)
LOOK(circle, base.bounds)
LOOK(ellipse, bounds)
LOOK(polygon, bounds)

static void on_error(void *user, const char *message)
{
    (void)user;
    if (message == NULL || message[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sink to = {.on_line = on_line,
                     .on_quadratic = on_quadratic,
                     .on_cubic = on_cubic,
                     .on_arc = on_arc,
                     .on_rect = on_rect,
                     .on_circle = on_circle,
                     .on_ellipse = on_ellipse,
                     .on_polygon = on_polygon,
                     .on_error = on_error};
    svg_read_text((const char *)data, size, "fuzz.svg", &to);
    return 0;
}
