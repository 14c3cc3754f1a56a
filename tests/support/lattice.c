#include "support/lattice.h"

#include <stdio.h>
#include <string.h>

enum { MOST_BASES = 32, MOST_CLASSES = 64, LONGEST = 1024 };

/* Makes the class of one word, "C:A,B"; writes into `word`. */
static lb_status make_one(lb_runtime *runtime, char *word)
{
    lb_class *bases[MOST_BASES], *made;
    lb_class_spec spec = {.name = word, .bases = bases};
    char *rest = strchr(word, ':');
    if (rest != NULL)
        *rest++ = '\0';
    while (rest != NULL && spec.base_count < MOST_BASES) {
        char *comma = strchr(rest, ',');
        if (comma != NULL)
            *comma++ = '\0';
        bases[spec.base_count] = lb_class_find(runtime, rest);
        if (bases[spec.base_count++] == NULL)
            return LB_NOT_FOUND;
        rest = comma;
    }
    return lb_class_create(runtime, &spec, &made);
}

lb_status lattice_make(lb_runtime *runtime, const char *text)
{
    char copy[LONGEST];
    (void)snprintf(copy, sizeof copy, "%s", text);
    char *word = copy;
    lb_status status = LB_OK;
    while (status == LB_OK && *word != '\0') {
        const size_t length = strcspn(word, " ");
        const int last = word[length] == '\0';
        word[length] = '\0';
        status = make_one(runtime, word);
        word += length + !last;
    }
    return status;
}

const char *lattice_order(lb_runtime *runtime, const char *name)
{
    static char text[LONGEST];
    lb_class *order[MOST_CLASSES];
    lb_class *cls = lb_class_find(runtime, name);
    size_t count = cls ? lb_class_linearization(cls, order, MOST_CLASSES) : 0;
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                 i ? " " : "", lb_class_name(order[i]));
    return text;
}
