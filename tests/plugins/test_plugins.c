/* Opening, detaching and closing plug-ins, also while threads call.
 *
 * The plug-ins are shared objects in the folder that LB_PLUGIN_FOLDER names,
 * or else beside this program.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "plugins/host.h"
#include "support/test.h"
#include "support/world.h"

LB_DEFINE_GENERIC(measure);
LB_METHOD(measure, measure_base);

static char folder[1024];

static int measure_base(lb_slot slot, const sample *s)
{
    LB_IGNORE(slot);
    return s->number;
}

typedef struct stage {
    lb_class *base, *special;
    sample plain, odd;
} stage;

static stage set_up(world *w)
{
    stage s;
    memset(&s, 0, sizeof s);
    assert_ok(lb_bind(w->runtime, LB_HEAD(measure), NULL));
    s.base = world_class(w, "host-base", NULL, NULL);
    s.special = world_class(w, "host-special", s.base, NULL);
    assert_ok(lb_add(LB_HEAD(measure), LB_DESCRIPTOR(measure_base), s.base));
    lb_init(s.base, &s.plain);
    lb_init(s.special, &s.odd);
    s.plain.number = 1;
    s.odd.number = 2;
    return s;
}

static const char *path_of(const char *name)
{
    static char path[1200];
    (void)snprintf(path, sizeof path, "%s/%s.so", folder, name);
    return path;
}

static lb_plugin *open_good(world *w)
{
    lb_plugin *plugin = NULL;
    assert_ok(lb_plugin_open(w->runtime, path_of("plugin_good"), &plugin));
    assert_string_equal(lb_plugin_name(plugin), "good");
    return plugin;
}

static void a_plugins_methods_come_and_go(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(measure(&s.odd), 2);
        lb_plugin *plugin = open_good(w);
        assert_int_equal(measure(&s.odd), 102);
        assert_int_equal(measure(&s.plain), 1);
        assert_non_null(lb_class_find(w->runtime, "plugin-class"));
        assert_ok(lb_plugin_close(plugin));
        assert_int_equal(measure(&s.odd), 2);
        assert_null(lb_class_find(w->runtime, "plugin-class"));
    }
    assert_int_equal(world_statistics(w).rules, 1);
}

static void a_detached_plugin_is_still_loaded(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_plugin *plugin = open_good(w);
    assert_int_equal(measure(&s.odd), 102);
    assert_ok(lb_plugin_detach(plugin));
    assert_int_equal(measure(&s.odd), 2);
    assert_ok(lb_plugin_detach(plugin));
    assert_non_null(lb_class_find(w->runtime, "plugin-class"));
    assert_ok(lb_plugin_close(plugin));
    assert_null(lb_class_find(w->runtime, "plugin-class"));
}

static void another_binary_interface_is_refused_by_name(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_plugin *plugin = NULL;
    char number[16];
    assert_status(LB_BAD_ABI,
                  lb_plugin_open(w->runtime, path_of("plugin_abi"), &plugin));
    assert_null(plugin);
    assert_contains(lb_message(), "from-another-time");
    (void)snprintf(number, sizeof number, "%d", LB_ABI + 41);
    assert_contains(lb_message(), number);
    (void)snprintf(number, sizeof number, "%d", LB_ABI);
    assert_contains(lb_message(), number);
    assert_int_equal(measure(&s.odd), 2);
}

static void a_plugin_that_fails_to_load_leaves_nothing(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_plugin *plugin = NULL;
    assert_status(LB_LIMIT, lb_plugin_open(w->runtime,
                                           path_of("plugin_failing"), &plugin));
    assert_null(plugin);
    assert_int_equal(measure(&s.odd), 2);
    assert_int_equal(world_statistics(w).rules, 1);
    assert_null(lb_class_find(w->runtime, "unload-was-called"));
    assert_ok(lb_quiesce(w->runtime));
    assert_int_equal(measure(&s.odd), 2);
}

static void what_is_no_plugin_is_refused(void **state)
{
    world *w = *state;
    lb_plugin *plugin = NULL;
    assert_status(LB_BAD_PLUGIN,
                  lb_plugin_open(w->runtime, path_of("plugin_none"), &plugin));
    assert_contains(lb_message(), "plugin_none");
    assert_status(LB_BAD_PLUGIN,
                  lb_plugin_open(w->runtime, "/nowhere/at-all.so", &plugin));
    assert_contains(lb_message(), "at-all.so");
    assert_null(plugin);
}

static void one_shared_object_may_serve_two_runtimes(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_runtime *other = NULL;
    lb_plugin *plugin = NULL, *second = NULL;
    assert_ok(lb_runtime_create(NULL, &other));
    plugin = open_good(w);
    assert_status(LB_NOT_FOUND,
                  lb_plugin_open(other, path_of("plugin_good"), &second));
    assert_int_equal(measure(&s.odd), 102);
    assert_ok(lb_plugin_close(plugin));
    lb_runtime_destroy(other);
}

static void a_plugin_left_open_goes_with_the_runtime(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    (void)open_good(w);
    assert_int_equal(measure(&s.odd), 102);
}

/* ---- While threads call --------------------------------------------------------- */

static atomic_int finished;
static atomic_ullong calls, wrong;
static stage shared;

static void *call_all_the_time(void *context)
{
    world *w = context;
    lb_reader *reader = NULL;
    if (lb_reader_create(w->runtime, &reader) != LB_OK)
        return NULL;
    unsigned long long made = 0;
    while (!atomic_load(&finished)) {
        lb_enter(reader);
        for (int i = 0; i < 32; i++) {
            const int odd = measure(&shared.odd);
            if ((odd != 2 && odd != 102) || measure(&shared.plain) != 1)
                atomic_fetch_add(&wrong, 1);
        }
        lb_leave(reader);
        made += 64;
    }
    atomic_fetch_add(&calls, made);
    (void)lb_reader_destroy(reader);
    return NULL;
}

static void plugins_come_and_go_while_threads_call(void **state)
{
    world *w = *state;
    pthread_t threads[3];
    shared = set_up(w);
    atomic_store(&finished, 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, call_all_the_time, w);
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < 100; i++) {
        lb_plugin *plugin = open_good(w);
        nanosleep(&pause, NULL);
        if (i % 2)
            assert_ok(lb_plugin_detach(plugin));
        assert_ok(lb_plugin_close(plugin));
    }
    atomic_store(&finished, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    print_message("%llu calls while a plug-in came and went 100 times\n",
                  atomic_load(&calls));
    assert_true(atomic_load(&wrong) == 0);
}

static void closing_from_inside_a_bracket_is_refused(void **state)
{
    world *w = *state;
    const stage s = set_up(w);
    lb_plugin *plugin = open_good(w);
    lb_reader *reader = NULL;
    assert_ok(lb_reader_create(w->runtime, &reader));
    lb_enter(reader);
    assert_status(LB_BUSY, lb_plugin_close(plugin));
    assert_int_equal(measure(&s.odd), 102);
    lb_leave(reader);
    assert_ok(lb_plugin_close(plugin));
    assert_int_equal(measure(&s.odd), 2);
    assert_ok(lb_reader_destroy(reader));
}

static void find_folder(const char *program)
{
    const char *given = getenv("LB_PLUGIN_FOLDER");
    const char *slash = strrchr(program, '/');
    if (given != NULL)
        (void)snprintf(folder, sizeof folder, "%s", given);
    else if (slash != NULL)
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - program),
                       program);
    else
        (void)snprintf(folder, sizeof folder, ".");
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
#define EPOCH_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, world_open_epoch, world_close)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plugins_methods_come_and_go),
        TEST(a_detached_plugin_is_still_loaded),
        TEST(another_binary_interface_is_refused_by_name),
        TEST(a_plugin_that_fails_to_load_leaves_nothing),
        TEST(what_is_no_plugin_is_refused),
        TEST(one_shared_object_may_serve_two_runtimes),
        TEST(a_plugin_left_open_goes_with_the_runtime),
        EPOCH_TEST(plugins_come_and_go_while_threads_call),
        EPOCH_TEST(closing_from_inside_a_bracket_is_refused),
    };
    find_folder(argc > 0 ? argv[0] : "");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
