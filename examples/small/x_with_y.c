/* Combining things two by two.
 *
 * The question of David Mertz ("Advanced OOP: Multimethods", 2003):
 * what happens when a thing of one kind meets a thing of another? There are
 * five ways to say it, from one pair of kinds to any two things, and of those
 * that fit, the most specific runs. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct thing {
    lb_header head;
    const char *kind;
} thing;

/* Both arguments select the method. */
LB_GENERIC(const char *, with, (ON, const thing *, a), (ON, const thing *, b));
LB_DEFINE_GENERIC(with);

/* The five ways. Each says its name. */
LB_METHOD(with, x_with_y);
static const char *x_with_y(lb_slot slot, const thing *a, const thing *b)
{
    (void)slot, (void)a, (void)b;
    return "x_with_y";
}

LB_METHOD(with, x_with_x);
static const char *x_with_x(lb_slot slot, const thing *a, const thing *b)
{
    (void)slot, (void)a, (void)b;
    return "x_with_x";
}

LB_METHOD(with, x_with_any);
static const char *x_with_any(lb_slot slot, const thing *a, const thing *b)
{
    (void)slot, (void)a, (void)b;
    return "x_with_any";
}

LB_METHOD(with, any_with_y);
static const char *any_with_y(lb_slot slot, const thing *a, const thing *b)
{
    (void)slot, (void)a, (void)b;
    return "any_with_y";
}

LB_METHOD(with, any_with_any);
static const char *any_with_any(lb_slot slot, const thing *a, const thing *b)
{
    (void)slot, (void)a, (void)b;
    return "any_with_any";
}

static void check(int fine)
{
    if (fine)
        return;
    fprintf(stderr, "%s\n", lb_message());
    exit(1);
}

static void add(const lb_method *method, lb_class *a, lb_class *b)
{
    check(lb_add(LB_HEAD(with), method, a, b) == LB_OK);
}

int main(void)
{
    lb_runtime *runtime;
    check(lb_runtime_create(NULL, &runtime) == LB_OK);
    lb_class *x = lb_class_make(runtime, "X", sizeof(thing), NULL, NULL);
    lb_class *y = lb_class_make(runtime, "Y", sizeof(thing), NULL, NULL);
    lb_class *z = lb_class_make(runtime, "Z", sizeof(thing), NULL, NULL);
    check(x != NULL && y != NULL && z != NULL);
    check(lb_bind(runtime, LB_HEAD(with), NULL) == LB_OK);

    /* Without the first rule, an X with a Y would be ambiguous: the third and
     * the fourth fit it equally well. */
    add(LB_DESCRIPTOR(x_with_y), x, y);
    add(LB_DESCRIPTOR(x_with_x), x, x);
    add(LB_DESCRIPTOR(x_with_any), x, lb_any_class);
    add(LB_DESCRIPTOR(any_with_y), lb_any_class, y);
    add(LB_DESCRIPTOR(any_with_any), lb_any_class, lb_any_class);

    thing things[3] = {{.kind = "X"}, {.kind = "Y"}, {.kind = "Z"}};
    lb_init(x, &things[0]);
    lb_init(y, &things[1]);
    lb_init(z, &things[2]);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            printf("%s with %s: %s\n", things[i].kind, things[k].kind,
                   with(&things[i], &things[k]));

    lb_runtime_destroy(runtime);
    return 0;
}
