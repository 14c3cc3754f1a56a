/* Methods that are inherited and overridden.
 *
 * A generic function is called like any other; which of its methods runs is
 * found by the class of the object, at the time of the call. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

/* An object starts with a header, which says what class it is of. */
typedef struct animal {
    lb_header head;
    const char *name;
} animal;

/* speak(a) is dispatched on its one argument. The first line could be in a
 * header for everyone to call; the second is in one source file. */
LB_GENERIC_VOID(speak, (ON, const animal *, a));
LB_DEFINE_GENERIC(speak);

/* Two methods. The first argument is the library's own. */
LB_METHOD(speak, animal_speaks);
static void animal_speaks(lb_slot slot, const animal *a)
{
    LB_IGNORE(slot);
    printf("%s makes a noise.\n", a->name);
}

LB_METHOD(speak, dog_speaks);
static void dog_speaks(lb_slot slot, const animal *a)
{
    LB_IGNORE(slot);
    printf("%s says woof.\n", a->name);
}

/* Most calls return a status or a pointer; the reason of a failure is in
 * lb_message(). */
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

    /* A class is a name, the size of its objects, and what it derives from. */
    lb_class *any =
        lb_class_make(runtime, "Animal", sizeof(animal), NULL, NULL);
    lb_class *dog = lb_class_make(runtime, "Dog", sizeof(animal), any, NULL);
    check(any != NULL && dog != NULL);

    /* speak belongs to this runtime; an Animal speaks like this. */
    check(lb_bind(runtime, LB_HEAD(speak), NULL) == LB_OK);
    check(lb_add(LB_HEAD(speak), LB_DESCRIPTOR(animal_speaks), any) == LB_OK);

    animal cat = {.name = "Tom"}, rex = {.name = "Rex"};
    lb_init(any, &cat);
    lb_init(dog, &rex);

    speak(&cat);
    speak(&rex); /* a Dog has no method of its own: it inherits */

    check(lb_add(LB_HEAD(speak), LB_DESCRIPTOR(dog_speaks), dog) == LB_OK);
    speak(&cat);
    speak(&rex); /* now it overrides */

    lb_runtime_destroy(runtime);
    return 0;
}
