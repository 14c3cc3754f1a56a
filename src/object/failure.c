/* object/failure.c - says what was asked for, and what was perhaps meant.
 *
 * The nearest name is the one of least edit distance (Levenshtein 1966; an
 * exchange of neighbours counts as one) among those that the instance and its
 * classes have, if fewer than half of its letters differ.
 */
#include "object/failure.h"

#include "object/dictionary.h"

enum { LONGEST = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1];
    const size_t m = strlen(a), n = strlen(b);
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    if (m > LONGEST || n > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        last[j] = j;
    for (size_t i = 1; i <= m; i++) {
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            now[j] = least(least(last[j] + 1, now[j - 1] + 1),
                           last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[n];
}

typedef struct nearest {
    const char *wanted;
    const char *name;
    const lb_class *owner; /* NULL: the instance */
    size_t distance;
} nearest;

static void consider(nearest *best, const lb_attributes *dictionary,
                     const lb_class *owner)
{
    LBI_EACH_OWN (own, dictionary) {
        const size_t d = distance(best->wanted, own->symbol->text);
        if (d >= best->distance || 2 * d >= strlen(own->symbol->text))
            continue;
        best->name = own->symbol->text;
        best->owner = owner;
        best->distance = d;
    }
}

static nearest find_nearest(const lb_class *cls, const lb_object *object,
                            const char *name)
{
    nearest best = {name, NULL, NULL, SIZE_MAX};
    if (object && cls->flags & LB_FREE_ATTRIBUTES)
        consider(&best, lbi_load(&object->attributes), NULL);
    for (uint32_t i = 0; i < cls->order_count; i++)
        if (cls->order[i]->members)
            consider(&best, cls->order[i]->members->dictionary, cls->order[i]);
    return best;
}

static lb_status tell(const lb_class *cls, const lb_object *object,
                      const char *name)
{
    const nearest best = find_nearest(cls, object, name);
    const char *what = object ? "an instance of " : "class ";
    if (best.name == NULL)
        return lbi_fail(LB_NO_ATTRIBUTE, "%s%s has no attribute '%s'", what,
                        cls->name, name);
    return lbi_fail(LB_NO_ATTRIBUTE,
                    "%s%s has no attribute '%s'; the nearest is '%s' of %s%s",
                    what, cls->name, name, best.name,
                    best.owner ? "class " : "the instance itself",
                    best.owner ? best.owner->name : "");
}

lb_status lbi_no_attribute(lb_class *cls, const void *object, const char *name)
{
    lb_status status = lbi_enter_runtime(cls->runtime);
    if (status != LB_OK)
        return status;
    return lbi_leave_runtime(cls->runtime, tell(cls, object, name));
}

lb_status lbi_no_class(const void *object, const char *name)
{
    const lb_header head = lbi_read_header(object);
    return lbi_fail(LB_NO_CLASS,
                    "attribute '%s' of an object whose header {%u, %u} names "
                    "no living class of the symbol's runtime",
                    name, head.handle, head.serial);
}
