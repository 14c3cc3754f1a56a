/* The oracle over real icons: what `intersect` finds in a sample of a theme,
 * judged pair by pair.
 *
 *     test_icons [FOLDER [ICONS]]
 *
 * Skipped where the theme is not installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "second.h"

#include <stdlib.h>
#include <unistd.h>

static const char *folder = "/usr/share/icons/Papirus";
static size_t icons = 300;

static void show(const char *message)
{
    print_message("%s\n", message);
}

static void the_oracle_agrees_on_real_icons(void **state)
{
    lb_runtime *runtime;
    shape_classes classes;
    opinion o = {0, 0, 0, 0, 0};
    (void)state;
    if (access(folder, R_OK) != 0)
        skip();
    assert_int_equal(lb_runtime_create(NULL, &runtime), LB_OK);
    assert_int_equal(shape_classes_make(runtime, &classes), LB_OK);
    assert_int_equal(intersect_install(&classes), LB_OK);
    icon_set set = {.classes = &classes, .on_fault = show};
    assert_int_equal(icon_set_read(&set, folder, icons), 0);
    for (size_t i = 0; i < set.count; i++)
        assert_int_equal(second_opinion(&classes, &set.icons[i], &o, show), 0);
    print_message("%zu icons, %zu pairs, %zu points, %zu crossings, "
                  "%zu disputed\n",
                  o.icons, o.pairs, o.points, o.crossings, o.disputed);
    assert_true(opinion_is_good(&o));
    assert_true(o.points > 0);
    icon_set_free(&set);
    lb_runtime_destroy(runtime);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oracle_agrees_on_real_icons),
    };
    if (argc > 1)
        folder = argv[1];
    if (argc > 2)
        icons = strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
