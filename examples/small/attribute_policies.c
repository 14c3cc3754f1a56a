/* What a look-up costs, by four ways to find the same.
 *
 * One program is run under each cache policy with counting on: 100 classes
 * inherit three methods and each overrides one; every object is asked for all
 * of them, ten times, and for one attribute of its own. The results are the
 * same; what had to be looked at is not. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 100, METHODS = 3, ROUNDS = 10 };

static void check(lb_status status)
{
    if (status == LB_OK)
        return;
    fprintf(stderr, "%s: %s\n", lb_status_name(status), lb_message());
    exit(1);
}

/* All methods: the attribute's context is the number that they add. */
static lb_status add(const lb_attribute *self, size_t argc,
                     const lb_value *argv, lb_value *result)
{
    lb_found own;
    (void)argc;
    check(lb_get_text(argv[0].constant, "own", &own));
    *result = lb_integer(own.value.integer + *(const int *)self->context);
    return LB_OK;
}

static const char *const names[METHODS] = {"first", "second", "third"};
static int addends[METHODS + 1] = {1, 10, 100, 1000};

static lb_class *make_class(lb_runtime *runtime, lb_class *base, int number)
{
    lb_class *cls = lb_object_class(runtime, "C", base, NULL);
    check(lb_class_set_method(cls, names[number % METHODS], add,
                              &addends[METHODS]));
    return cls;
}

static int64_t ask(lb_runtime *runtime, lb_object *o)
{
    int64_t sum = 0;
    const lb_value receiver = lb_pointer(o);
    lb_value result;
    for (int m = 0; m < METHODS; m++) {
        check(lb_invoke_symbol(lb_intern(runtime, names[m]), 1, &receiver,
                               &result));
        sum += result.integer;
    }
    return sum;
}

static int64_t run(lb_runtime *runtime)
{
    lb_class *base = lb_object_class(runtime, "Base", NULL, NULL);
    lb_class *classes[CLASSES];
    lb_object objects[CLASSES];
    int64_t sum = 0;
    for (int m = 0; m < METHODS; m++)
        check(lb_class_set_method(base, names[m], add, &addends[m]));
    for (int i = 0; i < CLASSES; i++) {
        classes[i] = make_class(runtime, base, i);
        lb_object_init(classes[i], &objects[i]);
        check(lb_set_text(&objects[i], "own", lb_integer(i)));
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < CLASSES; i++)
            sum += ask(runtime, &objects[i]);
    for (int i = 0; i < CLASSES; i++)
        lb_object_clear(&objects[i]);
    return sum;
}

static void show(const char *name, lb_cache_policy policy)
{
    lb_runtime *runtime;
    lb_counters c;
    const lb_object_options options = {.order = LB_ORDER_1998,
                                       .policy = policy,
                                       .counting = 1,
                                       .intern_writes = LB_YES};
    check(lb_runtime_create(NULL, &runtime));
    check(lb_objects_configure(runtime, &options));
    const long long sum = (long long)run(runtime);
    check(lb_get_counters(runtime, &c));
    printf("%-8s %8lld %6llu %9llu %9llu %6llu %7llu\n", name, sum,
           (unsigned long long)c.gets, (unsigned long long)c.instance_lookups,
           (unsigned long long)c.class_lookups, (unsigned long long)c.hits,
           (unsigned long long)c.misses);
    lb_runtime_destroy(runtime);
}

int main(void)
{
    printf("policy     result   gets instances   classes   hits  misses\n");
    show("search", LB_POLICY_SEARCH);
    show("table", LB_POLICY_TABLE);
    show("table64", LB_POLICY_TABLE64);
    show("site", LB_POLICY_SITE);
}
