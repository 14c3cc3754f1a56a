/* Calls that go on to the more general method by themselves.
 *
 * A rule may say that the next method runs too, after its own body or before
 * it, without the body saying so. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct thing {
    lb_header head;
} thing;

LB_GENERIC_VOID(visit, (ON, const thing *, t));
LB_DEFINE_GENERIC(visit);

LB_METHOD(visit, general);
static void general(lb_slot slot, const thing *t)
{
    (void)slot, (void)t;
    printf(" General");
}

LB_METHOD(visit, between);
static void between(lb_slot slot, const thing *t)
{
    (void)slot, (void)t;
    printf(" Between");
}

LB_METHOD(visit, specific);
static void specific(lb_slot slot, const thing *t)
{
    (void)slot, (void)t;
    printf(" Specific");
}

static void check(int fine)
{
    if (fine)
        return;
    fprintf(stderr, "%s\n", lb_message());
    exit(1);
}

/* A rule in full: a method, and what its arguments must be. Adding one with
 * the same classes again replaces it. */
static void add(const lb_method *method, lb_class *cls, lb_propagate how)
{
    const lb_specializer instances = lb_is(cls);
    const lb_rule rule = {.method = method,
                          .specializers = &instances,
                          .count = 1,
                          .propagate = how};
    check(lb_add_rules(LB_GENERIC_OF(visit), &rule, 1) == LB_OK);
}

int main(void)
{
    lb_runtime *runtime;
    check(lb_runtime_create(NULL, &runtime) == LB_OK);
    const size_t size = sizeof(thing);
    lb_class *top = lb_class_make(runtime, "General", size, NULL, NULL);
    lb_class *middle = lb_class_make(runtime, "Between", size, top, NULL);
    lb_class *bottom = lb_class_make(runtime, "Specific", size, middle, NULL);
    check(top != NULL && middle != NULL && bottom != NULL);
    check(lb_bind(runtime, LB_HEAD(visit), NULL) == LB_OK);

    static const char *const names[] = {
        "not at all:", "at the start:", "at the end:"};
    static const lb_propagate ways[] = {LB_PROPAGATE_NONE, LB_AT_START,
                                        LB_AT_END};
    thing it;
    lb_init(bottom, &it);
    for (int i = 0; i < 3; i++) {
        add(LB_DESCRIPTOR(general), top, ways[i]);
        add(LB_DESCRIPTOR(between), middle, ways[i]);
        add(LB_DESCRIPTOR(specific), bottom, ways[i]);
        printf("%-13s", names[i]);
        visit(&it);
        printf("\n");
    }

    lb_runtime_destroy(runtime);
    return 0;
}
