/* A class that comes later, and a call that may fail.
 *
 * area(s) knows circles and squares. Triangles are added while the program
 * runs, by code that the rest knows nothing of. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct shape {
    lb_header head;
    double width; /* of a circle: the radius */
} shape;

LB_GENERIC(double, area, (ON, const shape *, s));
LB_DEFINE_GENERIC(area);

LB_METHOD(area, circle_area);
static double circle_area(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return 3.141592653589793 * s->width * s->width;
}

LB_METHOD(area, square_area);
static double square_area(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return s->width * s->width;
}

LB_METHOD(area, triangle_area); /* with three equal sides */
static double triangle_area(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return 0.4330127018922193 * s->width * s->width;
}

static void check(int fine)
{
    if (fine)
        return;
    fprintf(stderr, "%s\n", lb_message());
    exit(1);
}

int main(void)
{
    lb_runtime *runtime;
    check(lb_runtime_create(NULL, &runtime) == LB_OK);
    const size_t size = sizeof(shape);
    lb_class *any = lb_class_make(runtime, "Shape", size, NULL, NULL);
    lb_class *circle = lb_class_make(runtime, "Circle", size, any, NULL);
    lb_class *square = lb_class_make(runtime, "Square", size, any, NULL);
    check(any != NULL && circle != NULL && square != NULL);

    check(lb_bind(runtime, LB_HEAD(area), NULL) == LB_OK);
    check(lb_add(LB_HEAD(area), LB_DESCRIPTOR(circle_area), circle) == LB_OK);
    check(lb_add(LB_HEAD(area), LB_DESCRIPTOR(square_area), square) == LB_OK);

    /* lb_new makes a zeroed object of a class; lb_delete ends it. */
    shape *round = lb_new(circle), *even = lb_new(square);
    check(round != NULL && even != NULL);
    round->width = even->width = 2;
    printf("circle:   %.4f\n", area(round));
    printf("square:   %.4f\n", area(even));

    /* A new class, and an object of it. area has no method for it yet: the
     * form of the call that reports by status says so. */
    lb_class *triangle = lb_class_make(runtime, "Triangle", size, any, NULL);
    shape *sharp = triangle ? lb_new(triangle) : NULL;
    check(sharp != NULL);
    sharp->width = 2;
    double result;
    printf("triangle: %s\n", lb_status_name(lb_try_area(&result, sharp)));

    const lb_method *method = LB_DESCRIPTOR(triangle_area);
    check(lb_add(LB_HEAD(area), method, triangle) == LB_OK);
    printf("triangle: %.4f\n", area(sharp));

    lb_delete(circle, round);
    lb_delete(square, even);
    lb_delete(triangle, sharp);
    lb_runtime_destroy(runtime);
    return 0;
}
