/* Attributes that are computed: properties, a class method, and a method
 * that is asked for whatever is missing. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct square {
    lb_header head; /* no attributes of its own: the class says it all */
    double side;
} square;

static void check(lb_status status)
{
    if (status == LB_OK)
        return;
    fprintf(stderr, "%s: %s\n", lb_status_name(status), lb_message());
    exit(1);
}

static lb_status get_area(const lb_attribute *self, lb_value receiver,
                          lb_value *result)
{
    const square *s = receiver.constant;
    (void)self;
    result->real = s->side * s->side;
    return LB_OK;
}

static lb_status set_side(const lb_attribute *self, lb_value receiver,
                          lb_value value)
{
    (void)self;
    if (value.real < 0)
        return lb_fail_with(LB_METHOD_FAILED, "a side is not negative");
    ((square *)receiver.pointer)->side = value.real;
    return LB_OK;
}

static lb_status get_side(const lb_attribute *self, lb_value receiver,
                          lb_value *result)
{
    (void)self;
    result->real = ((const square *)receiver.constant)->side;
    return LB_OK;
}

/* A class method gets the class that was asked, as a pointer. */
static lb_status class_name(const lb_attribute *self, size_t argc,
                            const lb_value *argv, lb_value *result)
{
    (void)self, (void)argc;
    *result = lb_pointer(lb_class_name(argv[0].constant));
    return LB_OK;
}

/* Asked for what is not found: argv[1] is the name. */
static lb_status missing(const lb_attribute *self, size_t argc,
                         const lb_value *argv, lb_value *result)
{
    const char *name = argv[1].constant;
    (void)self, (void)argc;
    if (strncmp(name, "guess_", 6) != 0)
        return LB_NO_ATTRIBUTE;
    *result = lb_pointer(name + 6);
    return LB_OK;
}

int main(void)
{
    lb_runtime *runtime;
    lb_found found;
    lb_value result;
    check(lb_runtime_create(NULL, &runtime));
    lb_class *cls =
        lb_class_make(runtime, "Square", sizeof(square), NULL, NULL);
    lb_class *tile = lb_class_make(runtime, "Tile", sizeof(square), cls, NULL);

    /* The body of a class: all of it is seen in one step. */
    const lb_definition body[] = {
        {lb_intern(runtime, "side"),
         {.kind = LB_PROPERTY, .get = get_side, .set = set_side}},
        {lb_intern(runtime, "area"), {.kind = LB_PROPERTY, .get = get_area}},
        {lb_intern(runtime, "name"),
         {.kind = LB_CLASS_METHOD, .call = class_name}},
        {lb_intern(runtime, "__getattr__"),
         {.kind = LB_FUNCTION, .call = missing}},
    };
    check(lb_class_define(cls, body, sizeof body / sizeof *body));
    square *s = lb_new(tile);

    check(lb_set_text(s, "side", (lb_value){.real = 3}));
    check(lb_get_text(s, "area", &found));
    printf("side %g, area %g\n", s->side, found.value.real);
    lb_set_text(s, "side", (lb_value){.real = -1});
    printf("side = -1: %s\n", lb_message());
    const lb_status status = lb_set_text(s, "area", (lb_value){.real = 4});
    printf("area = 4:  %s\n", lb_status_name(status));

    /* A bound class method carries the class. */
    check(lb_get_text(s, "name", &found));
    check(lb_call(runtime, &found, 0, NULL, &result));
    printf("name():    %s\n", (const char *)result.constant);

    check(lb_get_text(s, "guess_this", &found));
    printf("guess_this: %s\n", (const char *)found.value.constant);
    printf("color:     %s\n", lb_status_name(lb_get_text(s, "color", &found)));

    lb_delete(tile, s);
    lb_runtime_destroy(runtime);
    return 0;
}
