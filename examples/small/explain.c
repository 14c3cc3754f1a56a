/* Which method runs, why, and what comes next.
 *
 * The library can be asked about a call without making it. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct thing {
    lb_header head;
} thing;

LB_GENERIC_VOID(collide, (ON, thing *, a), (ON, thing *, b));
LB_DEFINE_GENERIC(collide);

/* The methods do nothing: this is about how they are chosen. */
LB_METHOD(collide, bounce);
static void bounce(lb_slot slot, thing *a, thing *b)
{
    (void)slot, (void)a, (void)b;
}

LB_METHOD(collide, ship_hits_rock);
static void ship_hits_rock(lb_slot slot, thing *a, thing *b)
{
    (void)slot, (void)a, (void)b;
}

LB_METHOD(collide, ship_docks);
static void ship_docks(lb_slot slot, thing *a, thing *b)
{
    (void)slot, (void)a, (void)b;
}

LB_METHOD(collide, anything_hits_rock);
static void anything_hits_rock(lb_slot slot, thing *a, thing *b)
{
    (void)slot, (void)a, (void)b;
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
    check(lb_add(LB_HEAD(collide), method, a, b) == LB_OK);
}

static void explain(lb_class *a, lb_class *b)
{
    lb_class *const pair[2] = {a, b};
    lb_explanation *why;
    check(lb_explain(LB_GENERIC_OF(collide), 2, pair, NULL, &why) == LB_OK);
    printf("%s\n", why->text);
    lb_explanation_free(why);
}

int main(void)
{
    lb_runtime *runtime;
    check(lb_runtime_create(NULL, &runtime) == LB_OK);
    const size_t size = sizeof(thing);
    lb_class *any = lb_class_make(runtime, "Thing", size, NULL, NULL);
    lb_class *ship = lb_class_make(runtime, "Ship", size, any, NULL);
    lb_class *rock = lb_class_make(runtime, "Rock", size, any, NULL);
    lb_class *station = lb_class_make(runtime, "Station", size, any, NULL);
    check(any != NULL && ship != NULL && rock != NULL && station != NULL);
    check(lb_bind(runtime, LB_HEAD(collide), NULL) == LB_OK);

    add(LB_DESCRIPTOR(bounce), any, any);
    add(LB_DESCRIPTOR(anything_hits_rock), any, rock);
    add(LB_DESCRIPTOR(ship_docks), ship, station);
    explain(ship, rock); /* the rule for any thing and a rock */

    add(LB_DESCRIPTOR(ship_hits_rock), ship, rock);
    explain(ship, rock); /* a better one; the others come next */
    explain(rock, ship); /* only the most general fits */

    lb_runtime_destroy(runtime);
    return 0;
}
