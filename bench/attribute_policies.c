/* attribute_policies.c - the gets of attributes.c under each way of finding
 * them: the dictionaries every time, the two tables of 1998, and ours. */
#include "attribute_loops.h"
#include "loads.h"

enum { POLICIES = 4, GETS = 4 };

/* One runtime, its instances, and a place in the code for each get. */
static struct {
    attribute_world world;
    const void **objects;
    lb_site sites[GETS];
} ways[POLICIES];

/* The loops over lb_try_get of a policy. */
#define LOOPS(p)                                                               \
    BENCH_LOOPS(direct_##p, instance *const,                                   \
                get_of_class(item, ways[p].world.direct));                     \
    BENCH_LOOPS(inherited_##p, instance *const,                                \
                get_of_class(item, ways[p].world.inherited));                  \
    BENCH_LOOPS(absent_##p, instance *const,                                   \
                get_absent(item, ways[p].world.absent));                       \
    BENCH_LOOPS(own_##p, instance *const, get_own(item, ways[p].world.own));
LOOPS(0)
LOOPS(1)
LOOPS(2)

/* Those over lb_try_get_at. */
BENCH_BODY uint64_t class_at(lb_site *site, const instance *item,
                             const lb_symbol *symbol)
{
    lb_found found;
    const lb_status status = lb_try_get_at(site, item, symbol, &found);
    return with_value(status, &found, item);
}

BENCH_BODY uint64_t absent_at(lb_site *site, const instance *item,
                              const lb_symbol *symbol)
{
    lb_found found;
    const lb_status status = lb_try_get_at(site, item, symbol, &found);
    return status == LB_NO_ATTRIBUTE ? (uint64_t)(int64_t)item->sum : 0;
}

BENCH_BODY uint64_t own_at(lb_site *site, const instance *item,
                           const lb_symbol *symbol)
{
    lb_found found;
    const lb_status status = lb_try_get_at(site, item, symbol, &found);
    return status == LB_OK ? found.value.bits : 0;
}

BENCH_LOOPS(direct_3, instance *const,
            class_at(&ways[3].sites[0], item, ways[3].world.direct));
BENCH_LOOPS(inherited_3, instance *const,
            class_at(&ways[3].sites[1], item, ways[3].world.inherited));
BENCH_LOOPS(absent_3, instance *const,
            absent_at(&ways[3].sites[2], item, ways[3].world.absent));
BENCH_LOOPS(own_3, instance *const,
            own_at(&ways[3].sites[3], item, ways[3].world.own));

/* In the order of lb_cache_policy. */
static const char *const names[POLICIES] = {"table", "search", "table64",
                                            "site"};
static bench_loop *const *const loops[GETS][POLICIES] = {
    {direct_0_loops, direct_1_loops, direct_2_loops, direct_3_loops},
    {inherited_0_loops, inherited_1_loops, inherited_2_loops,
     inherited_3_loops},
    {absent_0_loops, absent_1_loops, absent_2_loops, absent_3_loops},
    {own_0_loops, own_1_loops, own_2_loops, own_3_loops}};
static const char *const titles[GETS] = {
    "Policies: a class attribute, 64 classes shuffled",
    "Policies: an inherited class attribute, 64 classes shuffled",
    "Policies: no such attribute, 64 classes shuffled",
    "Policies: an instance attribute, 64 classes shuffled"};

static const bench_peer plain = {"instance", sizeof(instance), 0, make_instance,
                                 direct_0_loops};

static void compare_get(size_t get, const bench_plan *plan)
{
    static const size_t order[POLICIES] = {LB_POLICY_SEARCH, LB_POLICY_TABLE64,
                                           LB_POLICY_SITE, LB_POLICY_TABLE};
    bench_variant all[POLICIES];
    for (size_t i = 0; i < POLICIES; i++) {
        const size_t p = order[i];
        all[i] = (bench_variant){names[p], loops[get][p], ways[p].objects, 0};
    }
    bench_compare(titles[get], all, POLICIES, plan->items, plan->items, NULL);
}

void load_attribute_policies(void)
{
    bench_plan plan = bench_plan_make(ATTRIBUTE_CLASSES);
    for (size_t p = 0; p < POLICIES; p++) {
        const lb_object_options options = {.policy = (lb_cache_policy)p};
        attribute_world_open(&ways[p].world, &options);
        attribute_world_use(&ways[p].world);
        ways[p].objects = bench_make(&plain, &plan);
    }
    for (size_t get = 0; get < GETS; get++)
        compare_get(get, &plan);
    bench_note("Python's order; classes derive from a base, a family and a "
               "root, of which each has nine to eleven names; table64 and "
               "site as published: no entry for what is not found");
    for (size_t p = 0; p < POLICIES; p++) {
        unmake_instances(ways[p].objects, plan.items, 0);
        attribute_world_close(&ways[p].world);
    }
    bench_plan_free(&plan);
}
