/* Readers call while writers change everything that can be changed.
 *
 * Each object belongs to a family for ever; each method's context says which
 * family it is for. So a method that runs for a wrong receiver, with a wrong
 * context, or after its context was given back, is noticed at once. Also:
 *
 *   - the methods of a family's root are replaced, never removed: a fallback
 *     that runs is an error
 *   - a replacement has a version, published when the change has returned; a
 *     call that starts afterwards must not see an older one
 *   - classes come and go with an object that readers may be using; released
 *     memory is poisoned by the allocator and by the contexts' release
 *
 * Once with the epoch scheme, once with a stop of all readers and lb_quiesce.
 * LB_TORTURE_SECONDS is the time for both together (default 5).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "support/allocator.h"
#include "support/random.h"
#include "support/test.h"

enum {
    FAMILIES = 6,
    KINDS = 6,   /* permanent classes of a family, with one item each */
    GUESTS = 64, /* classes that come and go                          */
    READERS = 3,
    ALIVE = 0x600d,
    GONE = 0xdead
};

typedef struct item {
    lb_header head;
    int family;
} item;

/* What a method finds in its entry; made with malloc, poisoned at release. */
typedef struct badge {
    int alive;
    int family; /* of the first argument, and of the second or -1 */
    int second;
    uint64_t version;
} badge;

LB_GENERIC(uint64_t, peek, (ON, const item *, i));
static lb_fn_peek peek_failed;
LB_DEFINE_GENERIC_WITH(peek, peek_failed);
LB_METHOD(peek, peek_root);
LB_METHOD(peek, peek_over);

LB_GENERIC(uint64_t, join, (ON, const item *, a), (ON, const item *, b));
static lb_fn_join join_failed;
LB_DEFINE_GENERIC_WITH(join, join_failed);
LB_METHOD(join, join_root);
LB_METHOD(join, join_over);

LB_GENERIC(uint64_t, weigh, (ON, const item *, i), (WITH, int, by));
static lb_fn_weigh weigh_failed;
LB_DEFINE_GENERIC_WITH(weigh, weigh_failed);
LB_METHOD(weigh, weigh_root);
LB_METHOD(weigh, weigh_some);

/* Four dispatched arguments: a key of several words, which must not tear. */
LB_GENERIC(uint64_t, quad, (ON, const item *, a), (ON, const item *, b),
           (ON, const item *, c), (ON, const item *, d));
static lb_fn_quad quad_failed;
LB_DEFINE_GENERIC_WITH(quad, quad_failed);
LB_METHOD(quad, quad_pair);

typedef struct arena {
    lb_runtime *runtime;
    allocator memory;
    lb_reclaim reclaim;
    lb_class *root[FAMILIES], *kind[FAMILIES][KINDS];
    item items[FAMILIES][KINDS];
    _Atomic uint64_t version[FAMILIES]; /* what peek and join have reached */
    _Atomic(item *) guests[GUESTS];
    pthread_mutex_t gate; /* stops the readers in quiesce mode */
    pthread_cond_t moved;
    int wants_stop, parked, running;
    atomic_int finished;
} arena;

static arena world;
static atomic_ullong wrong, calls, changes, guests_made;

static void mistake(const char *what)
{
    if (atomic_fetch_add(&wrong, 1) < 10)
        print_message("wrong: %s\n", what);
}

/* ---- Methods ----------------------------------------------------------------- */

static const badge *check(const lb_entry *self, const item *a, const item *b)
{
    const badge *mine = self->context;
    if (mine->alive != ALIVE)
        mistake("a context was given back while its method ran");
    else if (mine->family != a->family)
        mistake("a method ran for another family");
    else if (b != NULL && mine->second >= 0 && mine->second != b->family)
        mistake("a method ran for another family's second argument");
    return mine;
}

static uint64_t peek_failed(lb_slot slot, const item *i)
{
    LB_IGNORE(slot);
    mistake("peek found no method");
    return i == NULL;
}

static uint64_t peek_root(lb_slot slot, const item *i)
{
    LB_SELF(peek, peek_root, slot, i);
    return check(self, i, NULL)->version;
}

static uint64_t peek_over(lb_slot slot, const item *i)
{
    LB_SELF(peek, peek_over, slot, i);
    check(self, i, NULL);
    if (!lb_has_next(self))
        mistake("peek_over has no next method");
    return lb_next_peek(self, i);
}

static uint64_t join_failed(lb_slot slot, const item *a, const item *b)
{
    LB_IGNORE(slot);
    mistake("join found no method");
    return a == b;
}

static uint64_t join_root(lb_slot slot, const item *a, const item *b)
{
    LB_SELF(join, join_root, slot, a, b);
    return check(self, a, b)->version;
}

static uint64_t join_over(lb_slot slot, const item *a, const item *b)
{
    LB_SELF(join, join_over, slot, a, b);
    check(self, a, b);
    if (!lb_has_next(self))
        mistake("join_over has no next method");
    return lb_next_join(self, a, b);
}

static uint64_t weigh_failed(lb_slot slot, const item *i, int by)
{
    LB_IGNORE(slot);
    mistake("weigh found no method");
    return by + (i == NULL);
}

static uint64_t weigh_root(lb_slot slot, const item *i, int by)
{
    LB_SELF(weigh, weigh_root, slot, i, by);
    check(self, i, NULL);
    return (uint64_t)(i->family + by);
}

static uint64_t weigh_some(lb_slot slot, const item *i, int by)
{
    LB_SELF(weigh, weigh_some, slot, i, by);
    check(self, i, NULL);
    return lb_next_weigh(self, i, by);
}

static uint64_t quad_failed(lb_slot slot, const item *a, const item *b,
                            const item *c, const item *d)
{
    LB_IGNORE(slot);
    mistake("quad found no method");
    return a == b && c == d;
}

static uint64_t quad_pair(lb_slot slot, const item *a, const item *b,
                          const item *c, const item *d)
{
    LB_SELF(quad, quad_pair, slot, a, b, c, d);
    check(self, a, d);
    return (uint64_t)(b->family * FAMILIES + c->family);
}

/* ---- Rules -------------------------------------------------------------------- */

static void end_badge(void *context)
{
    badge *mine = context;
    mine->alive = GONE;
    free(mine);
}

static badge *new_badge(int family, int second, uint64_t version)
{
    badge *made = malloc(sizeof *made);
    if (made == NULL)
        abort();
    *made = (badge){ALIVE, family, second, version};
    return made;
}

static lb_rule rule_of(const lb_method *method, const lb_specializer *at,
                       size_t count, badge *mine)
{
    return (lb_rule){.method = method,
                     .specializers = at,
                     .count = count,
                     .context = mine,
                     .release = end_badge};
}

static void must(lb_status status, const char *what)
{
    if (status != LB_OK) {
        print_message("%s: %s\n", what, lb_message());
        mistake(what);
    }
}

static void add(lb_generic *generic, const lb_method *method,
                const lb_specializer *at, size_t count, badge *mine)
{
    const lb_rule rule = rule_of(method, at, count, mine);
    must(lb_add_rules(generic, &rule, 1), "lb_add_rules");
    atomic_fetch_add(&changes, 1);
}

/* Replaces the methods of a family's root by a new version, then says so. */
static void renew(arena *w, int family)
{
    const lb_specializer at[] = {lb_is(w->root[family]), lb_any()};
    const uint64_t next = atomic_load(&w->version[family]) + 1;
    add(LB_GENERIC_OF(peek), LB_DESCRIPTOR(peek_root), at, 1,
        new_badge(family, -1, next));
    add(LB_GENERIC_OF(join), LB_DESCRIPTOR(join_root), at, 2,
        new_badge(family, -1, next));
    atomic_store_explicit(&w->version[family], next, memory_order_release);
}

static int is_odd(void *context, lb_value value)
{
    (void)context;
    return ((const item *)value.constant)->family % 2;
}

static const lb_predicate odd = {"odd", is_odd, NULL, NULL, 0};

static void renew_weights(arena *w, int family)
{
    const lb_specializer some = lb_where(w->root[family], &odd);
    const lb_specializer all = lb_is(w->root[family]);
    add(LB_GENERIC_OF(weigh), LB_DESCRIPTOR(weigh_root), &all, 1,
        new_badge(family, -1, 0));
    add(LB_GENERIC_OF(weigh), LB_DESCRIPTOR(weigh_some), &some, 1,
        new_badge(family, -1, 0));
}

/* Replaces the rule of `quad` for a family first and a family last. */
static void renew_quads(arena *w, int first, int last)
{
    const lb_specializer at[] = {lb_is(w->root[first]), lb_any(), lb_any(),
                                 lb_is(w->root[last])};
    add(LB_GENERIC_OF(quad), LB_DESCRIPTOR(quad_pair), at, 4,
        new_badge(first, last, 0));
}

/* ---- Stopping the readers --------------------------------------------------------- */

static void park_if_asked(arena *w)
{
    pthread_mutex_lock(&w->gate);
    while (w->wants_stop && !atomic_load(&w->finished)) {
        w->parked++;
        pthread_cond_broadcast(&w->moved);
        pthread_cond_wait(&w->moved, &w->gate);
        w->parked--;
    }
    pthread_mutex_unlock(&w->gate);
}

/* Quiescence, by whichever scheme: afterwards no reader holds anything that
 * was unpublished before. */
static void settle(arena *w)
{
    if (w->reclaim == LB_RECLAIM_EPOCH) {
        must(lb_synchronize(w->runtime), "lb_synchronize");
        return;
    }
    pthread_mutex_lock(&w->gate);
    while (w->wants_stop) /* another writer is at it */
        pthread_cond_wait(&w->moved, &w->gate);
    w->wants_stop = 1;
    while (w->parked < w->running)
        pthread_cond_wait(&w->moved, &w->gate);
    must(lb_quiesce(w->runtime), "lb_quiesce");
    w->wants_stop = 0;
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->gate);
}

/* ---- Readers ------------------------------------------------------------------------ */

static const item *choose(arena *w, dice *d)
{
    const item *guest = NULL;
    if (dice_chance(d, 1, 3))
        guest = atomic_load_explicit(&w->guests[dice_roll(d, GUESTS)],
                                     memory_order_acquire);
    return guest != NULL
               ? guest
               : &w->items[dice_roll(d, FAMILIES)][dice_roll(d, KINDS)];
}

static void call_quad(arena *w, dice *d)
{
    const item *v[4];
    for (int i = 0; i < 4; i++)
        v[i] = &w->items[dice_roll(d, FAMILIES)][0]; /* of one class */
    if (quad(v[0], v[1], v[2], v[3]) !=
        (uint64_t)(v[1]->family * FAMILIES + v[2]->family))
        mistake("quad gave a wrong result");
}

static void call_once(arena *w, dice *d)
{
    const item *a = choose(w, d), *b = choose(w, d);
    const uint64_t least =
        atomic_load_explicit(&w->version[a->family], memory_order_acquire);
    if (peek(a) < least)
        mistake("peek saw an older version than was published");
    if (join(a, b) < least)
        mistake("join saw an older version than was published");
    call_quad(w, d);
    /* A predicate is asked under way: slower, so not each time. */
    if (dice_chance(d, 1, 16) && weigh(a, 5) != (uint64_t)a->family + 5)
        mistake("weigh gave a wrong result");
}

static void *read_all_the_time(void *context)
{
    arena *w = &world;
    dice d = {(uint64_t)(uintptr_t)context};
    lb_reader *reader = NULL;
    unsigned long long made = 0;
    const int epochs = w->reclaim == LB_RECLAIM_EPOCH;
    if (epochs)
        must(lb_reader_create(w->runtime, &reader), "lb_reader_create");
    while (!atomic_load_explicit(&w->finished, memory_order_relaxed)) {
        if (epochs)
            lb_enter(reader);
        else
            park_if_asked(w);
        for (int i = 0; i < 64; i++)
            call_once(w, &d);
        made += 3 * 64;
        if (epochs)
            lb_leave(reader);
    }
    if (epochs)
        must(lb_reader_destroy(reader), "lb_reader_destroy");
    pthread_mutex_lock(&w->gate);
    w->running--;
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->gate);
    atomic_fetch_add(&calls, made);
    return NULL;
}

/* ---- Writers ------------------------------------------------------------------------- */

/* Adds or removes an overriding method somewhere. */
static void override(arena *w, dice *d)
{
    const int f = dice_roll(d, FAMILIES), g = dice_roll(d, FAMILIES);
    const lb_specializer at[] = {lb_is(w->kind[f][dice_roll(d, KINDS)]),
                                 lb_is(w->kind[g][dice_roll(d, KINDS)])};
    lb_rule rule = {.specializers = at, .count = 1};
    if (lb_remove_rules(LB_GENERIC_OF(peek), &rule, 1) != LB_OK)
        add(LB_GENERIC_OF(peek), LB_DESCRIPTOR(peek_over), at, 1,
            new_badge(f, -1, 0));
    rule.count = 2;
    if (lb_remove_rules(LB_GENERIC_OF(join), &rule, 1) != LB_OK)
        add(LB_GENERIC_OF(join), LB_DESCRIPTOR(join_over), at, 2,
            new_badge(f, g, 0));
}

/* A plug-in comes, with rules of two generics, and goes. */
static void attach_and_detach(arena *w, dice *d)
{
    const int f = dice_roll(d, FAMILIES), g = dice_roll(d, FAMILIES);
    const lb_specializer at[] = {lb_is(w->root[f]), lb_is(w->root[g])};
    const lb_specializer kind = lb_is(w->kind[f][0]);
    const lb_rule both =
        rule_of(LB_DESCRIPTOR(join_over), at, 2, new_badge(f, g, 0));
    const lb_rule one =
        rule_of(LB_DESCRIPTOR(peek_over), &kind, 1, new_badge(f, -1, 0));
    lb_group *group = NULL;
    must(lb_group_create(w->runtime, "guest", 0, &group), "lb_group_create");
    must(lb_group_add(group, LB_GENERIC_OF(join), &both, 1), "group_add");
    must(lb_group_add(group, LB_GENERIC_OF(peek), &one, 1), "group_add");
    must(lb_group_commit(group), "lb_group_commit");
    const struct timespec pause = {0, 200000};
    nanosleep(&pause, NULL);
    must(lb_group_remove(group), "lb_group_remove");
    atomic_fetch_add(&changes, 2);
}

/* An object becomes one of a sibling class, while readers call on it. */
static void reclassify(arena *w, dice *d)
{
    const int f = dice_roll(d, FAMILIES);
    item *one = &w->items[f][1 + dice_roll(d, KINDS - 1)];
    must(lb_set_class(one, w->kind[f][dice_roll(d, KINDS)]), "lb_set_class");
}

static void *change_rules(void *context)
{
    arena *w = &world;
    dice d = {(uint64_t)(uintptr_t)context};
    for (int i = 0; !atomic_load(&w->finished); i++) {
        renew(w, dice_roll(&d, FAMILIES));
        renew_weights(w, dice_roll(&d, FAMILIES));
        renew_quads(w, dice_roll(&d, FAMILIES), dice_roll(&d, FAMILIES));
        override(w, &d);
        reclassify(w, &d);
        if (i % 16 == 0)
            attach_and_detach(w, &d);
        if (i % 64 == 0)
            settle(w);
    }
    return NULL;
}

static void invite(arena *w, dice *d, int place)
{
    const int family = dice_roll(d, FAMILIES);
    lb_class *cls = lb_class_make(w->runtime, "guest", sizeof(item),
                                  dice_chance(d, 1, 2)
                                      ? w->root[family]
                                      : w->kind[family][dice_roll(d, KINDS)],
                                  NULL);
    if (cls == NULL) {
        mistake("no class could be made");
        return;
    }
    item *guest = lb_new(cls);
    guest->family = family;
    atomic_fetch_add(&guests_made, 1);
    atomic_store_explicit(&w->guests[place], guest, memory_order_release);
}

/* Takes a batch of guests away: unpublish, settle, then end their classes. */
static void dismiss(arena *w, int from, int count)
{
    item *gone[GUESTS];
    for (int i = 0; i < count; i++)
        gone[i] = atomic_exchange(&w->guests[(from + i) % GUESTS], NULL);
    settle(w);
    for (int i = 0; i < count; i++) {
        if (gone[i] == NULL)
            continue;
        lb_class *cls = lb_class_of(w->runtime, &gone[i]->head);
        lb_delete(cls, gone[i]);
        must(lb_class_destroy(cls), "lb_class_destroy");
    }
}

static void *change_classes(void *context)
{
    arena *w = &world;
    dice d = {(uint64_t)(uintptr_t)context};
    while (!atomic_load(&w->finished)) {
        const int from = dice_roll(&d, GUESTS);
        const int count = 1 + dice_roll(&d, GUESTS);
        dismiss(w, from, count);
        for (int i = 0; i < count && !atomic_load(&w->finished); i++)
            invite(w, &d, (from + i) % GUESTS);
    }
    dismiss(w, 0, GUESTS);
    return NULL;
}

/* ---- The arena ---------------------------------------------------------------------- */

static void open_arena(arena *w, lb_reclaim reclaim)
{
    lb_config config;
    memset(w, 0, sizeof *w);
    lb_config_init(&config);
    config.reallocate = allocator_reallocate;
    config.allocator_context = &w->memory;
    config.reclaim = w->reclaim = reclaim;
    assert_ok(lb_runtime_create(&config, &w->runtime));
    const lb_policy silent = {.silent = 1, .order = LB_LEXICOGRAPHIC};
    assert_ok(lb_bind(w->runtime, LB_HEAD(peek), &silent));
    assert_ok(lb_bind(w->runtime, LB_HEAD(join), &silent));
    assert_ok(lb_bind(w->runtime, LB_HEAD(weigh), &silent));
    assert_ok(lb_bind(w->runtime, LB_HEAD(quad), &silent));
    for (int f = 0; f < FAMILIES; f++) {
        w->root[f] =
            lb_class_make(w->runtime, "root", sizeof(item), NULL, NULL);
        for (int k = 0; k < KINDS; k++) {
            w->kind[f][k] = lb_class_make(w->runtime, "kind", sizeof(item),
                                          w->root[f], NULL);
            w->items[f][k].family = f;
            lb_init(w->kind[f][k], &w->items[f][k]);
        }
        renew(w, f);
        renew_weights(w, f);
    }
    for (int i = 0; i < FAMILIES * FAMILIES; i++)
        renew_quads(w, i / FAMILIES, i % FAMILIES);
    pthread_mutex_init(&w->gate, NULL);
    pthread_cond_init(&w->moved, NULL);
}

static void close_arena(arena *w)
{
    const int tell = atomic_load(&wrong) == 0;
    lb_runtime_destroy(w->runtime);
    pthread_mutex_destroy(&w->gate);
    pthread_cond_destroy(&w->moved);
    if (tell)
        assert_true(allocator_finish(&w->memory));
}

static void finish(arena *w)
{
    pthread_mutex_lock(&w->gate);
    atomic_store(&w->finished, 1);
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->gate);
}

static double seconds_each(void)
{
    const char *text = getenv("LB_TORTURE_SECONDS");
    return (text != NULL ? strtod(text, NULL) : 5) / 2;
}

static void tell(arena *w, const char *name)
{
    lb_statistics figures;
    assert_ok(lb_get_statistics(w->runtime, &figures));
    print_message(
        "%s: %llu calls, %llu changes, %llu classes, "
        "%llu growths, %llu calls by the second level, "
        "peak %zu KiB, %zu overlapping allocations, %llu wrong\n",
        name, atomic_load(&calls), atomic_load(&changes),
        atomic_load(&guests_made), (unsigned long long)figures.growths,
        (unsigned long long)figures.second_level, w->memory.peak / 1024,
        w->memory.overlaps, atomic_load(&wrong));
}

static void torture(lb_reclaim reclaim, const char *name)
{
    pthread_t readers[READERS], writers[2];
    arena *w = &world;
    const double seconds = seconds_each();
    atomic_store(&wrong, 0);
    atomic_store(&calls, 0);
    atomic_store(&changes, 0);
    atomic_store(&guests_made, 0);
    open_arena(w, reclaim);
    w->running = READERS;
    for (uintptr_t i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_all_the_time, (void *)(i + 10));
    pthread_create(&writers[0], NULL, change_rules, (void *)(uintptr_t)1);
    pthread_create(&writers[1], NULL, change_classes, (void *)(uintptr_t)2);
    const struct timespec time = {
        (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
    finish(w);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    tell(w, name);
    close_arena(w);
    assert_true(atomic_load(&wrong) == 0);
    assert_true(atomic_load(&calls) > 0);
}

static void with_epochs_calls_go_right_while_all_changes(void **state)
{
    (void)state;
    torture(LB_RECLAIM_EPOCH, "epoch");
}

static void with_quiescence_calls_go_right_while_all_changes(void **state)
{
    (void)state;
    torture(LB_RECLAIM_QUIESCE, "quiesce");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_epochs_calls_go_right_while_all_changes),
        cmocka_unit_test(with_quiescence_calls_go_right_while_all_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
