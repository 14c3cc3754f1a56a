/* Readers get, set and call attributes while writers change everything that
 * can be changed: what a class says of a name, its bases, the classes of
 * objects, classes that come and go, and the instances' own attributes.
 *
 * Each object belongs to a family for ever, and so does each class. Every
 * value, and every attribute's context, is a badge that says of which family
 * and name it is, and as what it was set. So a value of another name, a
 * payload of one kind taken for another, or one that was released while a
 * reader held it, is noticed at once. Also:
 *
 *   - the name `version` of a family's root is replaced, never deleted, by
 *     ever larger versions of changing kinds; a look-up that starts after the
 *     change returned must not see an older one
 *   - each thread has an object of its own, and sees what it set there
 *   - new names come all the time, whose tables grow while all ask for them
 *   - at the end every badge was given back, once
 *
 * The inlined look-up dawdles between its loads now and then, so that changes
 * come between them far more often than they would.
 *
 * Once with epochs and once with a stop of all readers and lb_quiesce, under
 * each order and policy. LB_TORTURE_SECONDS is the time for all (default 5).
 *
 *   test_attribute_torture --expect-wrong   runs a part of it in a process of
 *   its own until that fails or crashes; 0 if it does. For a library that is
 *   built wrong on purpose.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "latebind/abi.h"

/* One load in so many lets other threads run first; set before they begin. */
static unsigned one_in = 256;

static void dawdle(void)
{
    static _Thread_local unsigned turns;
    if (++turns % one_in == 0)
        sched_yield();
}

/* What object.h inlines from here on; the function's own name is not expanded
 * again. */
#define lbi_load_word(at) (dawdle(), lbi_load_word(at))

#include "support/allocator.h"
#include "support/random.h"
#include "support/test.h"

enum {
    FAMILIES = 3,
    KINDS = 5,   /* permanent classes of a family, with an object of each */
    MIDDLES = 2, /* classes between them and the root */
    NAMES = 6,
    GUESTS = 16, /* objects of classes that come and go */
    READERS = 3,
    FRESH = 5000, /* names that are made on the way */
    HELD = 8,     /* values that a reader keeps for the length of a bracket */
    ALIVE = 0x600d,
    GONE = 0xdead
};

typedef struct item {
    lb_object base;
    int family;
} item;

/* As what a badge was set. */
typedef enum role { OWN, IN_CLASS, CONTEXT } role;

/* Made with malloc, poisoned when it is given back. Larger than an attribute:
 * who takes it for one reads nonsense, but no foreign memory. */
typedef struct badge {
    int alive;
    int family, name;
    role role;
    atomic_int count;
    uint64_t version;
    uint64_t filler[16];
} badge;

typedef struct arena {
    lb_runtime *runtime;
    allocator memory;
    lb_reclaim reclaim;
    lb_class *root[FAMILIES], *middle[FAMILIES][MIDDLES];
    lb_class *kind[FAMILIES][KINDS];
    item *items[FAMILIES][KINDS];
    const lb_symbol *names[NAMES], *version, *mine;
    _Atomic(const lb_symbol *) fresh; /* the last; nobody has asked for it */
    int fresh_count;
    lb_site sites[NAMES]; /* shared by all threads, as code is */
    _Atomic uint64_t reached[FAMILIES];
    _Atomic(item *) guests[GUESTS];
    lb_class *guest_class[GUESTS]; /* of one writer */
    pthread_mutex_t gate;          /* stops the readers in quiesce mode */
    pthread_cond_t moved;
    int wants_stop, parked, running;
    atomic_int finished;
} arena;

static arena world;
static atomic_ullong wrong, looks, changes;
static atomic_llong badges;

static void mistake(const char *what)
{
    if (atomic_fetch_add(&wrong, 1) < 10)
        print_message("wrong: %s\n", what);
}

static void must(lb_status status, const char *what)
{
    if (status != LB_OK) {
        print_message("%s: %s\n", what, lb_message());
        mistake(what);
    }
}

/* ---- Badges ------------------------------------------------------------- */

static badge *new_badge(int family, int name, role as, uint64_t version)
{
    badge *made = calloc(1, sizeof *made);
    if (made == NULL)
        abort();
    made->alive = ALIVE;
    made->family = family;
    made->name = name;
    made->role = as;
    made->version = version;
    memset(made->filler, 0x5a, sizeof made->filler);
    atomic_fetch_add(&badges, 1);
    return made;
}

static void end_badge(void *context)
{
    badge *old = context;
    if (old->alive != ALIVE)
        mistake("a badge was given back twice");
    old->alive = GONE;
    atomic_fetch_sub(&badges, 1);
    free(old);
}

/* Numbers are odd, badges are not. */
static int is_badge(lb_value value)
{
    return value.bits != 0 && (value.bits & 1) == 0;
}

static void retain(void *context, lb_value value)
{
    (void)context;
    if (is_badge(value))
        atomic_fetch_add(&((badge *)value.pointer)->count, 1);
}

static void release(void *context, lb_value value)
{
    (void)context;
    if (is_badge(value) &&
        atomic_fetch_sub(&((badge *)value.pointer)->count, 1) == 1)
        end_badge(value.pointer);
}

/* What a function of a badge yields: family and name, as an odd number. */
static lb_value coded(const badge *from)
{
    return lb_integer((int64_t)(from->version << 20 |
                                (uint64_t)from->family << 12 |
                                (uint64_t)from->name << 4 | 1));
}

static int is_coded(lb_value value, int family, int name)
{
    return (value.bits & 0xfffff) ==
           ((uint64_t)family << 12 | (uint64_t)name << 4 | 1);
}

static void check_badge(const badge *seen, int family, int name, role as)
{
    if (seen->alive != ALIVE)
        mistake("a badge was given back while a reader held it");
    else if (seen->family != family)
        mistake("a badge of another family");
    else if (seen->name != name)
        mistake("a badge of another name");
    else if (seen->role != as)
        mistake("a badge that was set as something else");
}

/* ---- Functions of the program ------------------------------------------- */

static const badge *context_of(const lb_attribute *self)
{
    const badge *mine = self->context;
    if (mine->alive != ALIVE || mine->role != CONTEXT)
        mistake("a context was given back while its function ran");
    return mine;
}

static lb_status call_method(const lb_attribute *self, size_t argc,
                             const lb_value *argv, lb_value *result)
{
    const badge *mine = context_of(self);
    if (self->kind == LB_FUNCTION &&
        (argc == 0 || ((const item *)argv[0].constant)->family != mine->family))
        mistake("a method ran for another family");
    if (self->kind == LB_CLASS_METHOD && argc == 0)
        mistake("a class method ran without its class");
    *result = coded(mine);
    return LB_OK;
}

static lb_status get_property(const lb_attribute *self, lb_value receiver,
                              lb_value *result)
{
    const badge *mine = context_of(self);
    if (((const item *)receiver.constant)->family != mine->family)
        mistake("a getter ran for another family");
    *result = coded(mine);
    return LB_OK;
}

static lb_status set_property(const lb_attribute *self, lb_value receiver,
                              lb_value value)
{
    const badge *mine = context_of(self);
    (void)value;
    if (((const item *)receiver.constant)->family != mine->family)
        mistake("a setter ran for another family");
    return LB_OK;
}

static lb_status remove_property(const lb_attribute *self, lb_value receiver)
{
    return set_property(self, receiver, lb_integer(0));
}

/* ---- Looking ------------------------------------------------------------ */

/* What readers keep until they leave their bracket. */
typedef struct holder {
    const badge *held[HELD];
    int family[HELD], name[HELD];
    role role[HELD];
    int count;
} holder;

static void hold(holder *h, const badge *seen, int family, int name, role as)
{
    const int place = h->count++ % HELD;
    h->held[place] = seen;
    h->family[place] = family;
    h->name[place] = name;
    h->role[place] = as;
}

static void check_held(holder *h)
{
    for (int i = 0; i < HELD && i < h->count; i++)
        check_badge(h->held[i], h->family[i], h->name[i], h->role[i]);
    h->count = 0;
}

static void check_value(holder *h, lb_value value, int family, int name)
{
    if (!is_badge(value)) {
        mistake("a value is no badge");
        return;
    }
    const badge *seen = value.constant;
    const role as = seen->role == OWN ? OWN : IN_CLASS;
    check_badge(seen, family, name, as);
    hold(h, seen, family, name, as);
}

static void check_method(arena *w, holder *h, const lb_found *found, int family,
                         int name)
{
    const lb_attribute *method = found->method;
    lb_value result = lb_integer(0);
    if (method->symbol != w->names[name]) {
        mistake("a method of another name, or none");
        return;
    }
    const badge *mine = method->context;
    check_badge(mine, family, name, CONTEXT);
    hold(h, mine, family, name, CONTEXT);
    must(lb_call(w->runtime, found, 0, NULL, &result), "lb_call");
    if (!is_coded(result, family, name))
        mistake("a method yields something else");
}

static void check_found(arena *w, holder *h, lb_status status,
                        const lb_found *found, int family, int name)
{
    if (status == LB_NO_ATTRIBUTE)
        return;
    if (status != LB_OK) {
        must(status, "a look-up");
        return;
    }
    switch (found->kind) {
    case LB_FOUND_VALUE:
        check_value(h, found->value, family, name);
        break;
    case LB_FOUND_OWNED:
        if (!is_coded(found->value, family, name))
            mistake("a property yields something else");
        break;
    case LB_FOUND_METHOD:
    case LB_FOUND_FUNCTION:
        check_method(w, h, found, family, name);
        break;
    default:
        mistake("nothing was found, and that was all right");
    }
}

static void get_once(arena *w, holder *h, dice *d, const item *o)
{
    const int name = dice_roll(d, NAMES);
    const lb_symbol *symbol = w->names[name];
    lb_found found = {.kind = LB_FOUND_NOTHING};
    lb_status status;
    switch (dice_roll(d, 8)) {
    case 0:
        status = lb_get(o, symbol, &found);
        break;
    case 1:
        status = lb_get_text(o, symbol->text, &found);
        break;
    case 2:
        status = lb_try_get_at(&w->sites[name], o, symbol, &found);
        break;
    case 3:
        status = lb_get_super(w->root[o->family], o, symbol, &found);
        if (status == LB_OK)
            mistake("something behind the root");
        break;
    default:
        status = lb_try_get(o, symbol, &found);
    }
    check_found(w, h, status, &found, o->family, name);
}

static void invoke_once(arena *w, dice *d, item *o)
{
    const int name = dice_roll(d, NAMES);
    const lb_value receiver = lb_pointer(o);
    lb_value result = lb_integer(0);
    const lb_status status =
        lb_invoke_symbol(w->names[name], 1, &receiver, &result);
    if (status == LB_OK && !is_coded(result, o->family, name))
        mistake("an invoked method yields something else");
    if (status != LB_OK && status != LB_NO_ATTRIBUTE &&
        status != LB_NOT_CALLABLE)
        must(status, "lb_invoke_symbol");
}

/* The version is a value, a property or a method, but always there. */
static void check_version(arena *w, const item *o)
{
    const uint64_t least =
        atomic_load_explicit(&w->reached[o->family], memory_order_acquire);
    lb_found found = {.kind = LB_FOUND_NOTHING};
    lb_value value;
    const lb_status status = lb_try_get(o, w->version, &found);
    if (status != LB_OK) {
        must(status, "the version");
        return;
    }
    value = found.value;
    if (found.kind == LB_FOUND_METHOD)
        must(lb_call(w->runtime, &found, 0, NULL, &value), "the version");
    if (value.bits >> 20 < least)
        mistake("a look-up saw an older version than was published");
    if (!is_coded(value, o->family, NAMES))
        mistake("the version is no version");
}

/* A name that came just now: its table grows under the readers. */
static void check_fresh(arena *w, const item *o)
{
    const lb_symbol *fresh =
        atomic_load_explicit(&w->fresh, memory_order_acquire);
    lb_found found = {.kind = LB_FOUND_NOTHING};
    const lb_status status = lb_try_get(o, fresh, &found);
    if (status != LB_OK || found.kind != LB_FOUND_VALUE)
        mistake("a new name was not found");
    else
        check_badge(found.value.constant, o->family, NAMES + 1, IN_CLASS);
}

/* ---- Own attributes ----------------------------------------------------- */

/* Sets an attribute of a shared object, or deletes it. */
static void change_own(arena *w, dice *d, item *o)
{
    const int name = dice_roll(d, NAMES);
    lb_status status;
    if (dice_chance(d, 1, 3)) {
        status = dice_chance(d, 1, 2) ? lb_unset(o, w->names[name])
                                      : lb_own_delete(o, w->names[name]);
        if (status != LB_OK && status != LB_NO_ATTRIBUTE)
            must(status, "lb_unset");
        return;
    }
    const lb_value value = lb_pointer(new_badge(o->family, name, OWN, 0));
    retain(NULL, value); /* a setter may drop it */
    must(dice_chance(d, 1, 4) ? lb_set_text(o, w->names[name]->text, value)
                              : lb_set(o, w->names[name], value),
         "lb_set");
    release(NULL, value);
}

/* Only this thread changes this object, so it sees what it did; but others
 * change the class. */
static void check_mine(arena *w, dice *d, item *o, int64_t *held)
{
    lb_found found = {.kind = LB_FOUND_NOTHING};
    if (dice_chance(d, 1, 4)) {
        *held = dice_chance(d, 1, 3) ? 0 : 2 * dice_roll(d, 1 << 20) + 1;
        const lb_status status = *held != 0
                                     ? lb_set(o, w->mine, lb_integer(*held))
                                     : lb_unset(o, w->mine);
        if (status != LB_OK && status != LB_NO_ATTRIBUTE)
            must(status, "a change of my own");
    }
    const lb_status status = lb_try_get(o, w->mine, &found);
    if (*held == 0 ? status != LB_NO_ATTRIBUTE
                   : status != LB_OK || found.kind != LB_FOUND_VALUE ||
                         found.value.integer != *held)
        mistake("an object lost what its only user set");
}

/* ---- Stopping the readers ----------------------------------------------- */

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

/* Quiescence, by whichever scheme. The caller holds nothing. */
static void settle(arena *w)
{
    if (w->reclaim == LB_RECLAIM_EPOCH) {
        must(lb_synchronize(w->runtime), "lb_synchronize");
        return;
    }
    pthread_mutex_lock(&w->gate);
    w->wants_stop = 1;
    while (w->parked < w->running)
        pthread_cond_wait(&w->moved, &w->gate);
    must(lb_quiesce(w->runtime), "lb_quiesce");
    w->wants_stop = 0;
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->gate);
}

/* ---- Readers, and those who change attributes --------------------------- */

static item *choose(arena *w, dice *d)
{
    item *guest = NULL;
    if (dice_chance(d, 1, 4))
        guest = atomic_load_explicit(&w->guests[dice_roll(d, GUESTS)],
                                     memory_order_acquire);
    return guest != NULL
               ? guest
               : w->items[dice_roll(d, FAMILIES)][dice_roll(d, KINDS)];
}

/* Visits, lists and traces, beside everything else. */
static void count_value(void *context, lb_value value)
{
    *(uint64_t *)context += value.bits != 0;
}

static void look_around(arena *w, const item *o)
{
    uint64_t count = 0;
    lb_directory *all = NULL;
    char *text = NULL;
    must(lb_dir(o, &all), "lb_dir");
    lb_directory_free(all);
    must(lb_trace_lookup(o, w->version, &text), "lb_trace_lookup");
    lb_text_free(w->runtime, text);
    lb_visit_object(o, count_value, &count);
    lb_visit_classes(w->runtime, count_value, &count);
}

/* One thread's work between lb_enter and lb_leave, or between two stops. */
typedef struct worker {
    dice dice;
    lb_reader *reader;
    item *mine;
    int64_t held;
    void (*step)(arena *w, struct worker *me, holder *h);
    unsigned long long steps;
} worker;

static void read_once(arena *w, worker *me, holder *h)
{
    dice *d = &me->dice;
    item *o = choose(w, d);
    get_once(w, h, d, o);
    get_once(w, h, d, o);
    invoke_once(w, d, o);
    check_version(w, o);
    check_fresh(w, o);
    check_mine(w, d, me->mine, &me->held);
    if (dice_chance(d, 1, 8))
        change_own(w, d, o);
    if (dice_chance(d, 1, 512))
        look_around(w, o);
}

static void work(arena *w, worker *me)
{
    holder h = {.count = 0};
    for (int i = 0; i < 24; i++) {
        me->step(w, me, &h);
        me->steps++;
    }
    check_held(&h);
}

static void *work_all_the_time(void *context)
{
    arena *w = &world;
    worker *me = context;
    const int epochs = w->reclaim == LB_RECLAIM_EPOCH;
    if (epochs)
        must(lb_reader_create(w->runtime, &me->reader), "lb_reader_create");
    while (!atomic_load_explicit(&w->finished, memory_order_relaxed)) {
        if (epochs)
            lb_enter(me->reader);
        else
            park_if_asked(w);
        work(w, me);
        if (epochs)
            lb_leave(me->reader);
    }
    if (epochs)
        must(lb_reader_destroy(me->reader), "lb_reader_destroy");
    pthread_mutex_lock(&w->gate);
    w->running--;
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->gate);
    return NULL;
}

/* ---- Changing classes' attributes --------------------------------------- */

/* A specification of a random kind, with badges of its own. */
static lb_attribute_spec any_spec(dice *d, int family, int name,
                                  uint64_t version)
{
    static const lb_attribute_kind kinds[] = {
        LB_VALUE, LB_FUNCTION, LB_PROPERTY, LB_STATIC, LB_CLASS_METHOD};
    const int count = name == NAMES ? 3 : (int)COUNT_OF(kinds);
    lb_attribute_spec spec = {.kind = kinds[dice_roll(d, count)]};
    if (spec.kind == LB_VALUE) {
        badge *value = new_badge(family, name, IN_CLASS, version);
        spec.value = lb_pointer(value);
        if (name != NAMES)
            return spec;
        spec.value = coded(value); /* a version is its number */
        end_badge(value);
        return spec;
    }
    spec.context = new_badge(family, name, CONTEXT, version);
    spec.release = end_badge;
    spec.call = spec.kind == LB_PROPERTY ? NULL : call_method;
    spec.get = spec.kind == LB_PROPERTY ? get_property : NULL;
    spec.set = spec.kind == LB_PROPERTY ? set_property : NULL;
    spec.remove = spec.kind == LB_PROPERTY ? remove_property : NULL;
    return spec;
}

static lb_class *any_class(arena *w, dice *d, int family)
{
    switch (dice_roll(d, 4)) {
    case 0:
        return w->root[family];
    case 1:
        return w->middle[family][dice_roll(d, MIDDLES)];
    default:
        return w->kind[family][dice_roll(d, KINDS)];
    }
}

static void renew_version(arena *w, dice *d)
{
    const int family = dice_roll(d, FAMILIES);
    const uint64_t next = atomic_load(&w->reached[family]) + 1;
    const lb_attribute_spec spec = any_spec(d, family, NAMES, next);
    must(lb_class_set(w->root[family], w->version, &spec), "the version");
    atomic_store_explicit(&w->reached[family], next, memory_order_release);
}

static void define_some(arena *w, dice *d, lb_class *cls, int family)
{
    lb_definition all[3];
    for (int i = 0; i < 3; i++) {
        const int name = dice_roll(d, NAMES);
        all[i] = (lb_definition){w->names[name], any_spec(d, family, name, 0)};
    }
    must(lb_class_define(cls, all, 3), "lb_class_define");
}

static void change_class_once(arena *w, worker *me, holder *h)
{
    dice *d = &me->dice;
    const int family = dice_roll(d, FAMILIES), name = dice_roll(d, NAMES);
    lb_class *cls = any_class(w, d, family);
    (void)h;
    if (dice_chance(d, 1, 3)) {
        const lb_status status = lb_class_delete(cls, w->names[name]);
        if (status != LB_OK && status != LB_NO_ATTRIBUTE)
            must(status, "lb_class_delete");
    } else if (dice_chance(d, 1, 4)) {
        define_some(w, d, cls, family);
    } else {
        const lb_attribute_spec spec = any_spec(d, family, name, 0);
        must(lb_class_set(cls, w->names[name], &spec), "lb_class_set");
    }
    renew_version(w, d);
    atomic_fetch_add(&changes, 2);
}

/* ---- Changing classes --------------------------------------------------- */

static void rebase(arena *w, dice *d)
{
    const int family = dice_roll(d, FAMILIES);
    lb_class *bases[] = {w->middle[family][0], w->middle[family][1]};
    const int first = dice_roll(d, 2);
    must(lb_class_set_bases(w->kind[family][dice_roll(d, KINDS)], bases + first,
                            1 + (size_t)!first * (size_t)dice_roll(d, 2)),
         "lb_class_set_bases");
}

static void reclassify(arena *w, dice *d)
{
    const int family = dice_roll(d, FAMILIES);
    must(lb_set_class(w->items[family][dice_roll(d, KINDS)],
                      w->kind[family][dice_roll(d, KINDS)]),
         "lb_set_class");
}

/* Publishes a name that every object has and nobody has asked for. */
static void renew_names(arena *w)
{
    char text[24];
    (void)snprintf(text, sizeof text, "fresh%d", w->fresh_count);
    if (w->fresh_count == FRESH)
        return;
    w->fresh_count++;
    for (int family = 0; family < FAMILIES; family++)
        must(lb_class_set_value(
                 w->root[family], text,
                 lb_pointer(new_badge(family, NAMES + 1, IN_CLASS, 0))),
             "a new name");
    atomic_store_explicit(&w->fresh, lb_intern(w->runtime, text),
                          memory_order_release);
}

static void invite(arena *w, dice *d, int place)
{
    const int family = dice_roll(d, FAMILIES);
    lb_class *base =
        dice_chance(d, 1, 2) ? w->middle[family][0] : w->kind[family][0];
    lb_class *cls =
        lb_class_make(w->runtime, "guest", sizeof(item), base, NULL);
    if (cls == NULL) {
        mistake("no class could be made");
        return;
    }
    item *guest = lb_new(cls);
    guest->family = family;
    w->guest_class[place] = cls;
    if (dice_chance(d, 1, 2))
        define_some(w, d, cls, family);
    atomic_store_explicit(&w->guests[place], guest, memory_order_release);
}

/* Unpublishes some guests, settles, and ends them and their classes. */
static void dismiss(arena *w, int from, int count)
{
    item *gone[GUESTS];
    for (int i = 0; i < count; i++)
        gone[i] = atomic_exchange(&w->guests[(from + i) % GUESTS], NULL);
    settle(w);
    for (int i = 0; i < count; i++) {
        lb_class *cls = w->guest_class[(from + i) % GUESTS];
        if (gone[i] == NULL)
            continue;
        lb_delete(cls, gone[i]);
        must(lb_class_destroy(cls), "lb_class_destroy");
    }
}

static void *change_classes(void *context)
{
    arena *w = &world;
    dice *d = context;
    while (!atomic_load(&w->finished)) {
        const int from = dice_roll(d, GUESTS), count = 1 + dice_roll(d, GUESTS);
        dismiss(w, from, count);
        for (int i = 0; i < count; i++)
            invite(w, d, (from + i) % GUESTS);
        for (int i = 0; i < 8; i++) {
            rebase(w, d);
            reclassify(w, d);
            renew_names(w);
        }
        atomic_fetch_add(&changes, (unsigned long long)count + 16);
    }
    dismiss(w, 0, GUESTS);
    return NULL;
}

/* ---- The arena ---------------------------------------------------------- */

static lb_class *make_class(arena *w, const char *name, lb_class *base)
{
    const lb_class_spec spec = {.name = name,
                                .bases = &base,
                                .base_count = base != NULL,
                                .instance_size = sizeof(item),
                                .flags = LB_FREE_ATTRIBUTES};
    lb_class *made = NULL;
    assert_ok(lb_class_create(w->runtime, &spec, &made));
    return made;
}

static void make_family(arena *w, dice *d, int family)
{
    w->root[family] = make_class(w, "root", NULL);
    for (int i = 0; i < MIDDLES; i++)
        w->middle[family][i] = make_class(w, "middle", w->root[family]);
    for (int i = 0; i < KINDS; i++) {
        w->kind[family][i] =
            make_class(w, "kind", w->middle[family][i % MIDDLES]);
        w->items[family][i] = lb_new(w->kind[family][i]);
        w->items[family][i]->family = family;
    }
    const lb_attribute_spec spec = any_spec(d, family, NAMES, 1);
    assert_ok(lb_class_set(w->root[family], w->version, &spec));
    atomic_store(&w->reached[family], 1);
}

static void open_arena(arena *w, dice *d, lb_reclaim reclaim,
                       const lb_object_options *options)
{
    lb_config config;
    char text[] = "name0";
    memset(w, 0, sizeof *w);
    lb_config_init(&config);
    config.reallocate = allocator_reallocate;
    config.allocator_context = &w->memory;
    config.reclaim = w->reclaim = reclaim;
    assert_ok(lb_runtime_create(&config, &w->runtime));
    assert_ok(lb_objects_configure(w->runtime, options));
    for (int i = 0; i < NAMES; i++, text[4]++)
        w->names[i] = lb_intern(w->runtime, text);
    w->version = lb_intern(w->runtime, "version");
    w->mine = lb_intern(w->runtime, "mine");
    for (int family = 0; family < FAMILIES; family++)
        make_family(w, d, family);
    renew_names(w);
    pthread_mutex_init(&w->gate, NULL);
    pthread_cond_init(&w->moved, NULL);
}

static void close_arena(arena *w)
{
    for (int family = 0; family < FAMILIES; family++)
        for (int i = 0; i < KINDS; i++)
            lb_delete(w->kind[family][i], w->items[family][i]);
    lb_runtime_destroy(w->runtime);
    pthread_mutex_destroy(&w->gate);
    pthread_cond_destroy(&w->moved);
}

static void finish(arena *w)
{
    pthread_mutex_lock(&w->gate);
    atomic_store(&w->finished, 1);
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->gate);
}

static void sleep_for(double seconds)
{
    const struct timespec time = {
        (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

/* Readers, and one more that changes attributes; each with an object. */
static void run_threads(arena *w, dice *d, double seconds)
{
    pthread_t threads[READERS + 1], writer;
    worker workers[READERS + 1];
    w->running = READERS + 1;
    for (int i = 0; i <= READERS; i++) {
        workers[i] = (worker){.dice = {dice_next(d)}};
        workers[i].step = i < READERS ? read_once : change_class_once;
        workers[i].mine = lb_new(w->kind[0][0]);
        pthread_create(&threads[i], NULL, work_all_the_time, &workers[i]);
    }
    pthread_create(&writer, NULL, change_classes, d);
    sleep_for(seconds);
    finish(w);
    pthread_join(writer, NULL);
    for (int i = 0; i <= READERS; i++) {
        pthread_join(threads[i], NULL);
        lb_delete(w->kind[0][0], workers[i].mine);
        if (i < READERS)
            atomic_fetch_add(&looks, 6 * workers[i].steps);
    }
}

/* ---- The tests ---------------------------------------------------------- */

/* `share` of the time, in hundredths. */
static void torture(lb_reclaim reclaim, lb_object_options options, int share)
{
    arena *w = &world;
    dice d = {(uint64_t)share};
    const char *text = getenv("LB_TORTURE_SECONDS");
    const double seconds = text != NULL ? strtod(text, NULL) : 5;
    atomic_store(&wrong, 0);
    atomic_store(&looks, 0);
    atomic_store(&changes, 0);
    options.retain = retain;
    options.release = release;
    open_arena(w, &d, reclaim, &options);
    run_threads(w, &d, seconds * share / 100);
    close_arena(w);
    print_message("%llu look-ups and calls, %llu changes, %lld badges left, "
                  "%llu wrong\n",
                  atomic_load(&looks), atomic_load(&changes),
                  atomic_load(&badges), atomic_load(&wrong));
    assert_true(atomic_load(&wrong) == 0);
    assert_true(atomic_load(&looks) > 0);
    assert_true(atomic_load(&badges) == 0);
    assert_true(allocator_finish(&w->memory));
}

static void with_epochs_tables_are_never_wrong(void **state)
{
    (void)state;
    torture(LB_RECLAIM_EPOCH, (lb_object_options){.order = LB_ORDER_PYTHON3},
            25);
}

static void with_epochs_tables_of_the_old_order_are_never_wrong(void **state)
{
    (void)state;
    torture(LB_RECLAIM_EPOCH, (lb_object_options){.order = LB_ORDER_1998}, 20);
}

static void with_quiescence_tables_are_never_wrong(void **state)
{
    (void)state;
    torture(LB_RECLAIM_QUIESCE, (lb_object_options){.order = LB_ORDER_PYTHON3},
            20);
}

static void while_counting_tables_are_never_wrong(void **state)
{
    (void)state;
    torture(LB_RECLAIM_EPOCH, (lb_object_options){.counting = 1}, 8);
}

static void the_tables_of_1998_are_never_wrong(void **state)
{
    (void)state;
    torture(LB_RECLAIM_EPOCH,
            (lb_object_options){.order = LB_ORDER_1998,
                                .policy = LB_POLICY_TABLE64,
                                .table_size = 4,
                                .drop_changed = LB_YES,
                                .cache_negative = LB_YES},
            9);
}

static void sites_are_never_wrong(void **state)
{
    (void)state;
    torture(
        LB_RECLAIM_QUIESCE,
        (lb_object_options){.policy = LB_POLICY_SITE, .drop_changed = LB_YES},
        9);
}

static void searches_are_never_wrong(void **state)
{
    (void)state;
    torture(LB_RECLAIM_EPOCH, (lb_object_options){.policy = LB_POLICY_SEARCH},
            9);
}

/* Whether a run in another process, of some seconds, fails or crashes. */
static int is_noticed(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_quiescence_tables_are_never_wrong),
    };
    int status = 0;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        /* What it says of its failure is not this test's. */
        if (!freopen("/dev/null", "w", stdout) ||
            !freopen("/dev/null", "w", stderr))
            _exit(0);
        setenv("LB_TORTURE_SECONDS", "20", 1);
        one_in = 7; /* sanitizers are slow: more of what is wanted */
        _exit(cmocka_run_group_tests(tests, NULL, NULL) != 0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status != 0;
}

static int expect_wrong(void)
{
    enum { TIMES = 10 };
    for (int i = 0; i < TIMES; i++)
        if (is_noticed()) {
            printf("noticed in run %d, as expected\n", i + 1);
            return 0;
        }
    printf("not noticed in %d runs\n", TIMES);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--expect-wrong") == 0)
        return expect_wrong();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_epochs_tables_are_never_wrong),
        cmocka_unit_test(with_epochs_tables_of_the_old_order_are_never_wrong),
        cmocka_unit_test(with_quiescence_tables_are_never_wrong),
        cmocka_unit_test(while_counting_tables_are_never_wrong),
        cmocka_unit_test(the_tables_of_1998_are_never_wrong),
        cmocka_unit_test(sites_are_never_wrong),
        cmocka_unit_test(searches_are_never_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
