/* A detector for the two hazards of changing a table that others read:
 * re-keying a slot in place, and giving a removed slot to another key.
 *
 *   test_hazards                  expects no wrong call; 0 if so
 *   test_hazards --expect-wrong   runs until a wrong call is seen; 0 if so
 *
 * The second form is for a library that was built broken on purpose
 * (LBI_BREAK_REKEY or LBI_BREAK_REOWN): it shows that the first form would
 * have noticed.
 *
 * How: the ids of all classes are equal modulo 1,024, so that their slots are
 * the same in every table that is not huge. All have the same method with
 * different contexts, and the method waits before it loads its entry. A slot
 * that changed its owner in between hands it another class's context. Writers
 * remove and add the rules, and call, so that slots become free and wanted.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "latebind/latebind.h"
#include "support/random.h"

enum { CLASSES = 6, APART = 1024, READERS = 3, WRITERS = 2 };

typedef struct item {
    lb_header head;
    int number;
} item;

LB_GENERIC(int, peek, (ON, const item *, i));
LB_DEFINE_GENERIC(peek);
LB_METHOD(peek, peek_own);
LB_METHOD(peek, peek_any);

LB_GENERIC(int, join, (ON, const item *, a), (ON, const item *, b));
LB_DEFINE_GENERIC(join);
LB_METHOD(join, join_own);
LB_METHOD(join, join_any);

static item items[CLASSES];
static lb_class *classes[CLASSES];
static int numbers[CLASSES][CLASSES]; /* contexts: first * 100 + second */
static atomic_int finished;
static atomic_ullong wrong, calls;

/* Lets others run between the look-up and the load of the entry. */
static void wait_a_little(unsigned seed)
{
    if (seed % 4 == 0) {
        sched_yield();
        return;
    }
    for (volatile unsigned i = 0; i < seed % 64; i++)
        continue;
}

static unsigned seed_of(lb_slot slot)
{
    static _Thread_local unsigned count;
    return ++count * 2654435761U ^ (unsigned)((uintptr_t)slot >> 3);
}

static void expect(const lb_entry *self, int number)
{
    if (self->context == NULL || *(const int *)self->context != number)
        atomic_fetch_add(&wrong, 1);
}

static int peek_own(lb_slot slot, const item *i)
{
    wait_a_little(seed_of(slot) >> 8);
    LB_SELF(peek, peek_own, slot, i);
    expect(self, i->number * 100 + 1);
    return i->number;
}

static int peek_any(lb_slot slot, const item *i)
{
    LB_IGNORE(slot);
    return i->number;
}

static int join_own(lb_slot slot, const item *a, const item *b)
{
    wait_a_little(seed_of(slot) >> 8);
    LB_SELF(join, join_own, slot, a, b);
    expect(self, a->number * 100 + b->number);
    return a->number;
}

static int join_any(lb_slot slot, const item *a, const item *b)
{
    LB_IGNORE(slot);
    (void)b;
    return a->number;
}

static void *call(void *context)
{
    dice d = {(uint64_t)(uintptr_t)context};
    unsigned long long made = 0;
    while (!atomic_load_explicit(&finished, memory_order_relaxed)) {
        const item *a = &items[dice_roll(&d, CLASSES)];
        const item *b = &items[dice_roll(&d, CLASSES)];
        if (peek(a) != a->number || join(a, b) != a->number)
            atomic_fetch_add(&wrong, 1);
        made += 2;
    }
    atomic_fetch_add(&calls, made);
    return NULL;
}

static void must(lb_status status)
{
    if (status != LB_OK) {
        printf("%s: %s\n", lb_status_name(status), lb_message());
        exit(2);
    }
}

/* The methods for one pair: put in place, or taken away. */
static void set_rules(int first, int second, int present)
{
    const lb_specializer at[] = {lb_is(classes[first]), lb_is(classes[second])};
    lb_rule one = {.method = LB_DESCRIPTOR(peek_own),
                   .specializers = at,
                   .count = 1,
                   .context = &numbers[first][0]};
    lb_rule two = one;
    two.method = LB_DESCRIPTOR(join_own);
    two.count = 2;
    two.context = &numbers[first][second];
    if (present) {
        must(lb_add_rules(LB_GENERIC_OF(peek), &one, 1));
        must(lb_add_rules(LB_GENERIC_OF(join), &two, 1));
        return;
    }
    one.method = two.method = NULL;
    (void)lb_remove_rules(LB_GENERIC_OF(peek), &one, 1);
    (void)lb_remove_rules(LB_GENERIC_OF(join), &two, 1);
}

static void *change(void *context)
{
    dice d = {(uint64_t)(uintptr_t)context};
    while (!atomic_load_explicit(&finished, memory_order_relaxed)) {
        const int first = dice_roll(&d, CLASSES);
        const int second = dice_roll(&d, CLASSES);
        set_rules(first, second, 0);
        for (int i = 0; i < 4; i++) {
            const item *a = &items[dice_roll(&d, CLASSES)];
            (void)peek(a);
            (void)join(a, &items[dice_roll(&d, CLASSES)]);
        }
        set_rules(first, second, 1);
    }
    return NULL;
}

/* Makes the classes: of each APART ids, one is used. */
static void make_classes(lb_runtime *runtime)
{
    for (int i = 0; i < CLASSES; i++)
        for (int k = 0; k < APART; k++) {
            lb_class *cls =
                lb_class_make(runtime, "c", sizeof(item), NULL, NULL);
            if (cls == NULL)
                must(LB_NO_MEMORY);
            (void)lb_class_header(cls);
            if (k == 0) {
                classes[i] = cls;
                lb_init(cls, &items[i]);
                items[i].number = i + 1;
            }
        }
    for (int i = 0; i < CLASSES; i++)
        for (int k = 0; k < CLASSES; k++)
            numbers[i][k] = (i + 1) * 100 + k + 1;
}

static void set_up(lb_runtime *runtime)
{
    const lb_policy silent = {.silent = 1};
    make_classes(runtime);
    must(lb_bind(runtime, LB_HEAD(peek), &silent));
    must(lb_bind(runtime, LB_HEAD(join), &silent));
    must(lb_add(LB_HEAD(peek), LB_DESCRIPTOR(peek_any), lb_any_class));
    must(lb_add(LB_HEAD(join), LB_DESCRIPTOR(join_any), lb_any_class, lb_any_class));
    for (int i = 0; i < CLASSES; i++)
        for (int k = 0; k < CLASSES; k++)
            set_rules(i, k, 1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Waits for the time to pass, or for a wrong call if one is expected. */
static double watch(double seconds, int expect_wrong)
{
    const double start = now();
    const struct timespec tick = {0, 10000000};
    while (now() - start < seconds &&
           !(expect_wrong && atomic_load(&wrong) > 0))
        nanosleep(&tick, NULL);
    atomic_store(&finished, 1);
    return now() - start;
}

int main(int argc, char **argv)
{
    const int expect_wrong = argc > 1 && !strcmp(argv[1], "--expect-wrong");
    const char *text = getenv("LB_TORTURE_SECONDS");
    const double seconds = expect_wrong   ? 60
                           : text != NULL ? strtod(text, NULL) / 2
                                          : 3;
    pthread_t threads[READERS + WRITERS];
    lb_runtime *runtime = NULL;
    must(lb_runtime_create(NULL, &runtime));
    set_up(runtime);
    for (uintptr_t i = 0; i < READERS + WRITERS; i++)
        pthread_create(&threads[i], NULL, i < READERS ? call : change,
                       (void *)(i + 1));
    const double took = watch(seconds, expect_wrong);
    for (int i = 0; i < READERS + WRITERS; i++)
        pthread_join(threads[i], NULL);
    const unsigned long long bad = atomic_load(&wrong);
    printf("%llu calls, %llu wrong, %.2f seconds; wrong calls were %s\n",
           atomic_load(&calls), bad, took,
           expect_wrong ? "expected" : "not expected");
    lb_runtime_destroy(runtime);
    return expect_wrong ? bad == 0 : bad != 0;
}
