/* Bytes become a program of changes and calls. After each change a call must
 * run what lb_resolve says, by the fast path and by the slow one; at the end
 * nothing may be left (the sanitizers look on).
 *
 * One byte chooses the operation, the next ones its operands, modulo what
 * there is. */
#include <latebind/latebind.h>

#include <stdlib.h>

enum { CLASSES = 24, METHODS = 6, MOST_OPERATIONS = 400 };

typedef struct thing {
    lb_header head;
} thing;

LB_GENERIC(unsigned, fuzz_one, (ON, const thing *, a));
LB_GENERIC(unsigned, fuzz_two, (ON, const thing *, a), (ON, const thing *, b));
LB_COMMUTES_PAIR(unsigned, fuzz_two, const thing *);
LB_DEFINE_GENERIC(fuzz_one);
LB_DEFINE_COMMUTATIVE(fuzz_two);

/* A method tells its context, and adds its next one's answer. */
LB_METHOD(fuzz_one, tell_one);
static unsigned tell_one(lb_slot slot, const thing *a)
{
    LB_SELF(fuzz_one, tell_one, slot, a);
    const unsigned next = lb_has_next(self) ? lb_next_fuzz_one(self, a) : 0;
    return (unsigned)(uintptr_t)self->context + 7 * next;
}

LB_METHOD(fuzz_two, tell_two);
static unsigned tell_two(lb_slot slot, const thing *a, const thing *b)
{
    LB_SELF(fuzz_two, tell_two, slot, a, b);
    const unsigned next = lb_has_next(self) ? lb_next_fuzz_two(self, a, b) : 0;
    return (unsigned)(uintptr_t)self->context + 7 * next;
}

typedef struct world {
    const uint8_t *at, *end;
    lb_runtime *runtime;
    lb_class *classes[CLASSES];
    thing things[CLASSES];
} world;

static unsigned take(world *w, unsigned below)
{
    return w->at < w->end ? *w->at++ % below : 0;
}

static lb_class *any_class(world *w)
{
    return w->classes[take(w, CLASSES)];
}

static void make_class(world *w)
{
    const unsigned at = take(w, CLASSES);
    if (w->classes[at])
        return;
    lb_class *base = any_class(w), *second = any_class(w);
    w->classes[at] = lb_class_make(w->runtime, "c", sizeof(thing), base,
                                   second == base ? NULL : second);
    if (w->classes[at])
        lb_init(w->classes[at], &w->things[at]);
}

static void end_class(world *w)
{
    const unsigned at = take(w, CLASSES);
    if (w->classes[at] && lb_class_destroy(w->classes[at]) == LB_OK)
        w->classes[at] = NULL;
}

static void change_bases(world *w)
{
    lb_class *cls = any_class(w), *bases[] = {any_class(w), any_class(w)};
    const size_t count = take(w, 3);
    if (cls)
        lb_class_set_bases(cls, bases, count);
}

static void change_rule(world *w, lb_status (*change)(lb_generic *,
                                                      const lb_rule *, size_t))
{
    const unsigned two = take(w, 2), how = take(w, 32);
    lb_class *a = any_class(w), *b = any_class(w);
    const lb_specializer at[] = {a ? lb_is(a) : lb_any(),
                                 b ? lb_is(b) : lb_any()};
    const lb_rule rule = {
        .method = two ? LB_DESCRIPTOR(tell_two) : LB_DESCRIPTOR(tell_one),
        .specializers = at,
        .count = two ? 2 : 1,
        .qualifier = how & 16 ? (lb_qualifier)(how & 3) : LB_PRIMARY,
        .commutative = two && (how & 4),
        .context = (void *)(intptr_t)(1 + take(w, METHODS))};
    change(two ? LB_GENERIC_OF(fuzz_two) : LB_GENERIC_OF(fuzz_one), &rule, 1);
}

/* What lb_resolve says, run by hand. */
static unsigned expect_one(const lb_entry *entry, const thing *a)
{
    return ((lb_fn_fuzz_one *)entry->fn)(&entry, a);
}

static unsigned expect_two(const lb_entry *entry, const thing *a,
                           const thing *b)
{
    return ((lb_fn_fuzz_two *)entry->fn)(&entry, a, b);
}

static void call(world *w)
{
    const unsigned x = take(w, CLASSES), y = take(w, CLASSES);
    lb_class *pair[] = {w->classes[x], w->classes[y]};
    const thing *a = &w->things[x], *b = &w->things[y];
    if (pair[0] == NULL || pair[1] == NULL)
        return;
    const lb_entry *one = lb_resolve(LB_GENERIC_OF(fuzz_one), pair, NULL);
    const lb_entry *two = lb_resolve(LB_GENERIC_OF(fuzz_two), pair, NULL);
    const unsigned wanted_one = expect_one(one, a);
    const unsigned wanted_two = expect_two(two, a, b);
    for (int again = 0; again < 2; again++)
        if (fuzz_one(a) != wanted_one || fuzz_two(a, b) != wanted_two)
            abort();
}

static void step(world *w)
{
    switch (take(w, 10)) {
    case 0:
    case 1:
        make_class(w);
        break;
    case 2:
        end_class(w);
        break;
    case 3:
        change_bases(w);
        break;
    case 4:
    case 5:
        change_rule(w, lb_add_rules);
        break;
    case 6:
        change_rule(w, lb_remove_rules);
        break;
    case 7:
        lb_quiesce(w->runtime);
        break;
    default:
        call(w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w = {.at = data, .end = data + size};
    lb_config config;
    lb_config_init(&config);
    config.threading = take(&w, 2) ? LB_SINGLE_THREADED : LB_MULTI_THREADED;
    config.max_ids = take(&w, 2) ? 5 : 0;
    if (lb_runtime_create(&config, &w.runtime) != LB_OK)
        return 0;
    const lb_policy policy = {.order = (lb_order)take(&w, LB_USER_ORDER),
                              .combination =
                                  take(&w, 2) ? LB_SUM : LB_STANDARD};
    lb_bind(w.runtime, LB_HEAD(fuzz_one), &policy);
    lb_bind(w.runtime, LB_HEAD(fuzz_two), &policy);
    for (int i = 0; w.at < w.end && i < MOST_OPERATIONS; i++)
        step(&w);
    lb_runtime_destroy(w.runtime);
    return 0;
}
