/* attributes.c - look-up of attributes by name, over 64 classes shuffled:
 * gets beside the C++ virtual call, and methods called by name beside typed
 * calls of the same methods. All with the default policy, our table. */
#include "attribute_loops.h"
#include "loads.h"

static attribute_world world_a;

BENCH_LOOPS(direct, instance *const, get_of_class(item, world_a.direct));
BENCH_LOOPS(inherited, instance *const, get_of_class(item, world_a.inherited));
BENCH_LOOPS(absent, instance *const, get_absent(item, world_a.absent));
BENCH_LOOPS(own, instance *const, get_own(item, world_a.own));
BENCH_LOOPS(varying, instance *const, get_own(item, world_a.varying));

typedef instance *mutable;

/* Sets what is there already. */
BENCH_BODY uint64_t set_own(mutable item, const lb_symbol *symbol)
{
    const lb_value value = {.integer = item->sum};
    return lb_set(item, symbol, value) == LB_OK ? value.bits : 0;
}
BENCH_LOOPS(set, mutable, set_own(item, world_a.own));

/* The attribute that the class itself hides, or rather does not have. */
BENCH_BODY uint64_t get_super(const instance *item, const lb_symbol *symbol)
{
    lb_found found;
    const lb_status status = lb_get_super(
        world_a.classes[item->sum - item->value], item, symbol, &found);
    return with_value(status, &found, item);
}
BENCH_LOOPS(super, instance *const, get_super(item, world_a.inherited));

/* ---- methods ------------------------------------------------------------- */

BENCH_BODY uint64_t of_call(lb_status status, lb_value result)
{
    return status == LB_OK ? result.bits : 0;
}

BENCH_BODY uint64_t invoke(const instance *item, const lb_symbol *symbol)
{
    const lb_value receiver = {.constant = item};
    lb_value result;
    const lb_status status = lb_invoke_symbol(symbol, 1, &receiver, &result);
    return of_call(status, result);
}
BENCH_LOOPS(typed, instance *const, typed_answer(item));
BENCH_LOOPS(invoked, instance *const, invoke(item, world_a.answer));

BENCH_BODY uint64_t invoke_to(const instance *item, const lb_symbol *symbol)
{
    const lb_value argv[2] = {{.constant = item}, {.integer = 1}};
    lb_value result;
    const lb_status status = lb_invoke_symbol(symbol, 2, argv, &result);
    return of_call(status, result);
}
BENCH_LOOPS(typed_to, instance *const, typed_answer_to(item, 1));
BENCH_LOOPS(invoked_to, instance *const, invoke_to(item, world_a.answer_to));

/* In two steps, as an interpreter without a joint instruction does. */
BENCH_BODY uint64_t get_and_call(const instance *item, const lb_symbol *symbol)
{
    const lb_value argument = {.integer = 1};
    lb_value result;
    lb_found found;
    if (lb_try_get(item, symbol, &found) != LB_OK)
        return 0;
    const lb_status status =
        lb_call(world_a.runtime, &found, 1, &argument, &result);
    return of_call(status, result);
}
BENCH_LOOPS(two_steps, instance *const, get_and_call(item, world_a.answer_to));

/* A bound method that was kept, before its receiver. */
typedef struct bound {
    lb_found found;
    instance object;
} bound;

static void *make_bound(void *at, unsigned cls, int value)
{
    bound *const made = at;
    make_instance(&made->object, cls, value);
    need(lb_try_get(&made->object, world_a.answer_to, &made->found), "bound");
    return made;
}

BENCH_BODY uint64_t call_kept(const bound *item)
{
    const lb_value argument = {.integer = 1};
    lb_value result;
    const lb_status status =
        lb_call(world_a.runtime, &item->found, 1, &argument, &result);
    return of_call(status, result);
}
BENCH_LOOPS(kept, bound *const, call_kept(item));

/* ---- the tables ---------------------------------------------------------- */

static const bench_peer plain = {"instance", sizeof(instance), 0, make_instance,
                                 direct_loops};
static const bench_peer varied = {"varied", sizeof(instance), 0, make_varied,
                                  varying_loops};
static const bench_peer kept_bound = {"bound", sizeof(bound), 0, make_bound,
                                      kept_loops};

static void compare_gets(const bench_plan *plan, const void **objects)
{
    const void **const baseline = bench_make(&bench_virtual, plan);
    const void **const various = bench_make(&varied, plan);
    const bench_variant all[] = {
        {bench_virtual.name, bench_virtual.loops, baseline, 0},
        {"class attribute", direct_loops, objects, 0.5},
        {"class attribute, inherited", inherited_loops, objects, 0.5},
        {"no such attribute", absent_loops, objects, 0.5},
        {"instance attribute, same place", own_loops, objects, 0.8},
        {"instance attribute, eight places", varying_loops, various, 0},
        {"lb_set of an instance attribute", set_loops, objects, 0},
        {"lb_get_super", super_loops, objects, 0}};
    bench_compare("Attributes by name, 64 classes shuffled", all,
                  sizeof all / sizeof all[0], plan->items, plan->items, NULL);
    unmake_instances(various, plan->items, 0);
    bench_unmake(baseline);
}

static void compare_methods(const bench_plan *plan, const void **objects)
{
    const void **const bounds = bench_make(&kept_bound, plan);
    const bench_variant alone[] = {
        {"typed call", typed_loops, objects, 0},
        {"lb_invoke_symbol", invoked_loops, objects, 1.3}};
    const bench_variant with_number[] = {
        {"typed call", typed_to_loops, objects, 0},
        {"lb_invoke_symbol", invoked_to_loops, objects, 1.3},
        {"lb_try_get, then lb_call", two_steps_loops, objects, 0},
        {"lb_call of a bound method that was kept", kept_loops, bounds, 0}};
    bench_compare("A method by name, the receiver alone, 64 classes", alone, 2,
                  plan->items, plan->items, NULL);
    bench_compare("A method by name, the receiver and a number, 64 classes",
                  with_number, 4, plan->items, plan->items, NULL);
    unmake_instances(bounds, plan->items, offsetof(bound, object));
}

static void bind_typed(void)
{
    need(lb_bind(world_a.runtime, LB_HEAD(typed_answer), NULL), "a name");
    need(lb_bind(world_a.runtime, LB_HEAD(typed_answer_to), NULL), "a name");
    for (size_t n = 0; n < ATTRIBUTE_CLASSES; n++) {
        lb_class *const cls = world_a.classes[n];
        need(lb_add(LB_HEAD(typed_answer), typed_answers[n], cls), "a rule");
        need(lb_add(LB_HEAD(typed_answer_to), typed_answers_to[n], cls),
             "a rule");
    }
}

void load_attributes(void)
{
    bench_plan plan = bench_plan_make(ATTRIBUTE_CLASSES);
    attribute_world_open(&world_a, NULL);
    attribute_world_use(&world_a);
    bind_typed();
    const void **const objects = bench_make(&plain, &plan);
    compare_gets(&plan, objects);
    compare_methods(&plan, objects);
    unmake_instances(objects, plan.items, 0);
    attribute_world_close(&world_a);
    bench_plan_free(&plan);
}
