/* A game of two arguments, to which things are added.
 *
 * Who wins depends on both, in either order: commutative rules say each pair
 * once. Fire, which beats everything, and water, which beats fire, come later
 * and change no line of what was there. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct thing {
    lb_header head;
    const char *name;
} thing;

/* The winner, or NULL. LB_COMMUTES_PAIR lets rules of it be commutative. */
LB_GENERIC(const thing *, winner, (ON, const thing *, a),
           (ON, const thing *, b));
LB_COMMUTES_PAIR(const thing *, winner, const thing *);
LB_DEFINE_COMMUTATIVE(winner);

LB_METHOD(winner, first_wins);
static const thing *first_wins(lb_slot slot, const thing *a, const thing *b)
{
    (void)slot, (void)b;
    return a;
}

LB_METHOD(winner, nobody_wins);
static const thing *nobody_wins(lb_slot slot, const thing *a, const thing *b)
{
    (void)slot, (void)a, (void)b;
    return NULL;
}

static void check(int fine)
{
    if (fine)
        return;
    fprintf(stderr, "%s\n", lb_message());
    exit(1);
}

/* Whichever comes first in a call, the method sees `winning` first. */
static void beats(lb_class *winning, lb_class *losing)
{
    const lb_specializer pair[2] = {lb_is(winning), lb_is(losing)};
    const lb_rule rule = {.method = LB_DESCRIPTOR(first_wins),
                          .specializers = pair,
                          .count = 2,
                          .commutative = 1};
    check(lb_add_rules(LB_GENERIC_OF(winner), &rule, 1) == LB_OK);
}

static void show(const thing *things, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = i; k < count; k++) {
            const thing *w = winner(&things[i], &things[k]);
            check(w == winner(&things[k], &things[i]));
            printf("%-8s and %-8s: %s\n", things[i].name, things[k].name,
                   w ? w->name : "nobody");
        }
    printf("\n");
}

int main(void)
{
    enum { ROCK, PAPER, SCISSORS, FIRE, WATER, COUNT };
    thing things[COUNT] = {{.name = "rock"},
                           {.name = "paper"},
                           {.name = "scissors"},
                           {.name = "fire"},
                           {.name = "water"}};
    lb_runtime *runtime;
    lb_class *any, *of[COUNT];
    check(lb_runtime_create(NULL, &runtime) == LB_OK);
    any = lb_class_make(runtime, "thing", sizeof(thing), NULL, NULL);
    for (int i = 0; any && i < COUNT; i++) {
        of[i] =
            lb_class_make(runtime, things[i].name, sizeof(thing), any, NULL);
        check(of[i] != NULL);
        lb_init(of[i], &things[i]);
    }

    const lb_method *draw = LB_DESCRIPTOR(nobody_wins);
    check(lb_bind(runtime, LB_HEAD(winner), NULL) == LB_OK);
    check(lb_add(LB_HEAD(winner), draw, any, any) == LB_OK);
    beats(of[PAPER], of[ROCK]);
    beats(of[ROCK], of[SCISSORS]);
    beats(of[SCISSORS], of[PAPER]);
    show(things, SCISSORS + 1);

    beats(of[FIRE], any); /* everything, but not itself: */
    check(lb_add(LB_HEAD(winner), draw, of[FIRE], of[FIRE]) == LB_OK);
    beats(of[WATER], of[FIRE]); /* more specific than the rule above */
    show(things, COUNT);

    lb_runtime_destroy(runtime);
    return 0;
}
