/* Calls from many threads while a method is replaced.
 *
 * Threads call without a lock and without being registered. A change takes
 * effect in one step: a call runs the old method or the new one, and one that
 * starts after the change returned runs the new one. */
#include <latebind/latebind.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, CALLS = 100000 };

typedef struct item {
    lb_header head;
} item;

LB_GENERIC(int, price, (ON, const item *, i));
LB_DEFINE_GENERIC(price);

LB_METHOD(price, old_price);
static int old_price(lb_slot slot, const item *i)
{
    (void)slot, (void)i;
    return 10;
}

LB_METHOD(price, new_price);
static int new_price(lb_slot slot, const item *i)
{
    (void)slot, (void)i;
    return 12;
}

static item goods;
static atomic_bool changed;
static atomic_int calling, strange, late, up_to_date;

static void *buy(void *unused)
{
    atomic_fetch_add(&calling, 1);
    for (int i = 0; i < CALLS || !atomic_load(&changed); i++) {
        const bool after = atomic_load(&changed);
        const int paid = price(&goods);
        atomic_fetch_add(&strange, paid != 10 && paid != 12);
        atomic_fetch_add(&late, after && paid == 10);
    }
    atomic_fetch_add(&up_to_date, price(&goods) == 12);
    return unused;
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
    pthread_t threads[THREADS];
    lb_runtime *runtime;
    check(lb_runtime_create(NULL, &runtime) == LB_OK);
    lb_class *cls = lb_class_make(runtime, "item", sizeof(item), NULL, NULL);
    check(cls != NULL && lb_bind(runtime, LB_HEAD(price), NULL) == LB_OK);
    check(lb_add(LB_HEAD(price), LB_DESCRIPTOR(old_price), cls) == LB_OK);
    lb_init(cls, &goods);

    for (int i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, buy, NULL) == 0);
    while (atomic_load(&calling) < THREADS)
        ; /* until all of them are at it */
    check(lb_add(LB_HEAD(price), LB_DESCRIPTOR(new_price), cls) == LB_OK);
    atomic_store(&changed, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    /* No call is in flight any more: what was replaced can be given back. */
    check(lb_quiesce(runtime) == LB_OK);
    printf("threads that pay the new price: %d of %d\n",
           atomic_load(&up_to_date), THREADS);
    printf("neither the old nor the new:    %d\n", atomic_load(&strange));
    printf("the old one after the change:   %d\n", atomic_load(&late));
    lb_runtime_destroy(runtime);
    return 0;
}
