/* C3 linearization against published and computed orders.
 *
 * The Dylan cases are those of Barrett et al. (OOPSLA 1996); ex_2 to ex_9 are
 * the examples of "The Python 2.3 Method Resolution Order". Every order below
 * is what CPython 3.11 answers for the same bases.
 */
#include "support/lattice.h"
#include "support/test.h"
#include "support/world.h"

typedef struct order_case {
    const char *origin, *classes, *name, *order;
} order_case;

static const order_case ORDERS[] = {
    {"Dylan: pedalo",
     "object boat:object day-boat:boat wheel-boat:boat engine-less:day-boat "
     "small-multihull:day-boat pedal-wheel-boat:engine-less,wheel-boat "
     "small-catamaran:small-multihull pedalo:pedal-wheel-boat,small-catamaran",
     "pedalo",
     "pedalo pedal-wheel-boat engine-less small-catamaran small-multihull "
     "day-boat wheel-boat boat object"},
    {"Dylan: editable scrollable pane",
     "object pane:object scrolling-mixin:object editing-mixin:object "
     "scrollable-pane:pane,scrolling-mixin editable-pane:pane,editing-mixin "
     "editable-scrollable-pane:scrollable-pane,editable-pane",
     "editable-scrollable-pane",
     "editable-scrollable-pane scrollable-pane editable-pane pane "
     "scrolling-mixin editing-mixin object"},
    {"Dylan: popup menu",
     "object choice-widget:object menu:choice-widget popup-mixin:object "
     "popup-menu:menu,popup-mixin",
     "popup-menu", "popup-menu menu choice-widget popup-mixin object"},
    {"Dylan: new popup menu",
     "object choice-widget:object menu:choice-widget popup-mixin:object "
     "new-popup-menu:menu,popup-mixin,choice-widget",
     "new-popup-menu", "new-popup-menu menu popup-mixin choice-widget object"},
    {"Dylan: hv-grid",
     "object grid-layout:object horizontal-grid:grid-layout "
     "vertical-grid:grid-layout hv-grid:horizontal-grid,vertical-grid",
     "hv-grid", "hv-grid horizontal-grid vertical-grid grid-layout object"},
    {"ex_5", "O F:O E:O D:O C:D,F B:D,E A:B,C", "A", "A B C D E F O"},
    {"ex_6", "O F:O E:O D:O C:D,F B:E,D A:B,C", "A", "A B E C D F O"},
    {"ex_9", "O A:O B:O C:O D:O E:O K1:A,B,C K2:D,B,E K3:D,A Z:K1,K2,K3", "Z",
     "Z K1 K2 K3 D A B C E O"},
    {"the diamond", "A B:A C:A D:B,C", "D", "D B C A"},
    {"no bases", "A", "A", "A"},
    {"a base that another base has", "A B:A C:B,A", "C", "C B A"},
    {"random 1",
     "a b:a c:b,a d:c,b e f:c,e g:f h:g,e i j:d,h k:c,e l:j,c m:j,a n:m,f", "n",
     "n m j d h g f c b a e"},
    {"random 2",
     "a b:a c:b,a d:c,b e:c,b f:d,a g:f,b h i:e,f j k:h l:h,g,j m:a n:c", "l",
     "l h g f d c b a j"},
    {"random 3",
     "a b:a c:b,a d:c,b,a e:c f g:f,e,a h i:h j:e k:j,d l:d,e m:d,f n:k,i,h",
     "n", "n k j e d c b a i h"},
    {"random 4",
     "a b:a c:b,a d e f:c,e,d g:c,b,e h:a i j:a k:h,b l:c m:h,j n:h,i,f", "n",
     "n h i f c b a e d"},
    {"random 5",
     "a b:a c:b,a d e:d,a f:b,a,d g:e h:b,d i:f,b j:i,f k:j,f l:h,k,b m "
     "n:f,b,a",
     "l", "l h k j i f b a d"},
    {"random 6",
     "a b:a c:b,a d e:c,a,d f:c,b g:e,f h:g,e i:h j:h,f k:d,f,c l:j,d m:b,a "
     "n:d,m",
     "l", "l j h g e f c b a d"},
};

/* Classes that can be made, one that cannot, and the two at odds. */
typedef struct conflict_case {
    const char *origin, *classes, *last, *one, *other;
} conflict_case;

static const conflict_case CONFLICTS[] = {
    {"ex_2: a serious order disagreement", "O X:O Y:O A:X,Y B:Y,X", "Z:A,B",
     "X", "Y"},
    {"a base before its own subclass", "F E:F", "G:F,E", "F", "E"},
    {"Dylan: confused grid",
     "object grid:object hor:grid ver:grid hv:hor,ver vh:ver,hor",
     "confused:hv,vh", "hor", "ver"},
};

static lb_runtime *fresh(world *w)
{
    lb_runtime_destroy(w->runtime);
    w->runtime = NULL;
    const lb_config config = world_config(w);
    assert_ok(lb_runtime_create(&config, &w->runtime));
    return w->runtime;
}

static void linearizations_are_the_published_ones(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < COUNT_OF(ORDERS); i++) {
        const order_case *one = &ORDERS[i];
        assert_ok(lattice_make(fresh(w), one->classes));
        const char *order = lattice_order(w->runtime, one->name);
        if (strcmp(order, one->order) != 0)
            fail_msg("%s: %s, not %s", one->origin, order, one->order);
    }
}

static void an_impossible_order_is_refused_and_the_conflict_shown(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < COUNT_OF(CONFLICTS); i++) {
        const conflict_case *one = &CONFLICTS[i];
        assert_ok(lattice_make(fresh(w), one->classes));
        assert_status(LB_BAD_ORDER, lattice_make(w->runtime, one->last));
        assert_contains(lb_message(), one->one);
        assert_contains(lb_message(), one->other);
    }
}

static void a_refused_class_leaves_nothing_behind(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "O X:O Y:O A:X,Y B:Y,X"));
    const lb_statistics before = world_statistics(w);
    for (int i = 0; i < 100; i++)
        assert_status(LB_BAD_ORDER, lattice_make(w->runtime, "Z:A,B"));
    assert_null(lb_class_find(w->runtime, "Z"));
    assert_int_equal(world_statistics(w).classes, before.classes);
    assert_int_equal(world_statistics(w).bytes, before.bytes);
}

static void a_base_named_twice_is_refused(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "A"));
    assert_int_not_equal(lattice_make(w->runtime, "B:A,A"), LB_OK);
    assert_null(lb_class_find(w->runtime, "B"));
}

static void a_cycle_of_bases_is_refused(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "A B:A C:B"));
    lb_class *a = lb_class_find(w->runtime, "A");
    lb_class *c = lb_class_find(w->runtime, "C");
    assert_status(LB_BAD_ORDER, lb_class_set_bases(a, &c, 1));
    assert_string_not_equal(lb_message(), "");
    assert_status(LB_BAD_ORDER, lb_class_set_bases(a, &a, 1));
    assert_string_equal(lattice_order(w->runtime, "A"), "A");
    assert_string_equal(lattice_order(w->runtime, "C"), "C B A");
    assert_int_equal(lb_class_bases(a, NULL, 0), 0);
}

static void new_bases_reach_all_subclasses(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "O X:O Y:O A:X B:A C:O D:B,C"));
    lb_class *y = lb_class_find(w->runtime, "Y");
    lb_class *a = lb_class_find(w->runtime, "A");
    lb_class *d = lb_class_find(w->runtime, "D");
    assert_string_equal(lattice_order(w->runtime, "D"), "D B A X C O");
    assert_ok(lb_class_set_bases(a, &y, 1));
    assert_string_equal(lattice_order(w->runtime, "B"), "B A Y O");
    assert_string_equal(lattice_order(w->runtime, "D"), "D B A Y C O");
    assert_true(lb_class_is_subclass(d, y));
    assert_false(lb_class_is_subclass(d, lb_class_find(w->runtime, "X")));
    assert_ok(lb_class_set_bases(a, NULL, 0));
    assert_string_equal(lattice_order(w->runtime, "D"), "D B A C O");
}

static void new_bases_that_break_a_subclass_change_nothing(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "X Y A:X,Y B:Y C:A,B"));
    lb_class *b = lb_class_find(w->runtime, "B");
    lb_class *bases[] = {lb_class_find(w->runtime, "Y"),
                         lb_class_find(w->runtime, "X")};
    assert_status(LB_BAD_ORDER, lb_class_set_bases(b, bases, 2));
    assert_string_equal(lattice_order(w->runtime, "B"), "B Y");
    assert_string_equal(lattice_order(w->runtime, "C"), "C A X B Y");
    assert_int_equal(lb_class_bases(b, NULL, 0), 1);
}

static void a_class_left_as_base_may_go(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "X Y A:X"));
    lb_class *x = lb_class_find(w->runtime, "X");
    lb_class *y = lb_class_find(w->runtime, "Y");
    lb_class *a = lb_class_find(w->runtime, "A");
    assert_status(LB_BUSY, lb_class_destroy(x));
    assert_ok(lb_class_set_bases(a, &y, 1));
    assert_ok(lb_class_destroy(x));
    assert_status(LB_BUSY, lb_class_destroy(y));
}

static void a_supplied_linearization_counts_for_subclasses_too(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "X Y A:X,Y B:A"));
    lb_class *a = lb_class_find(w->runtime, "A");
    lb_class *order[] = {lb_class_find(w->runtime, "Y"),
                         lb_class_find(w->runtime, "X")};
    assert_ok(lb_class_set_linearization(a, order, 2));
    assert_string_equal(lattice_order(w->runtime, "A"), "A Y X");
    assert_string_equal(lattice_order(w->runtime, "B"), "B A Y X");
    assert_ok(lb_class_set_linearization(a, NULL, 0));
    assert_string_equal(lattice_order(w->runtime, "B"), "B A X Y");
}

static void a_class_may_be_made_with_a_linearization(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "X Y"));
    lb_class *x = lb_class_find(w->runtime, "X");
    lb_class *y = lb_class_find(w->runtime, "Y");
    lb_class *bases[] = {x, y}, *order[] = {y, x}, *made;
    const lb_class_spec spec = {.name = "A",
                                .bases = bases,
                                .base_count = 2,
                                .linearization = order,
                                .linearization_count = 2};
    assert_ok(lb_class_create(w->runtime, &spec, &made));
    assert_string_equal(lattice_order(w->runtime, "A"), "A Y X");
}

static void a_base_outside_a_supplied_linearization_is_busy(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "X Y A:X"));
    lb_class *x = lb_class_find(w->runtime, "X");
    lb_class *a = lb_class_find(w->runtime, "A");
    lb_class *order[] = {lb_class_find(w->runtime, "Y")}, *base = NULL;
    assert_ok(lb_class_set_linearization(a, order, 1));
    assert_status(LB_BUSY, lb_class_destroy(x));
    assert_contains(lb_message(), "A");
    assert_int_equal(lb_class_bases(a, &base, 1), 1);
    assert_ptr_equal(base, x);
    /* Nor may a class go that only the supplied order names. */
    assert_status(LB_BUSY, lb_class_destroy(order[0]));
    assert_ok(lb_class_set_linearization(a, NULL, 0));
    assert_ok(lb_class_destroy(order[0]));
}

static void a_cycle_behind_a_supplied_linearization_is_refused(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "O A:O B:A"));
    lb_class *a = lb_class_find(w->runtime, "A");
    lb_class *b = lb_class_find(w->runtime, "B");
    lb_class *order[] = {lb_class_find(w->runtime, "O")};
    assert_ok(lb_class_set_linearization(b, order, 1));
    assert_status(LB_BAD_ORDER, lb_class_set_bases(a, &b, 1));
    assert_string_equal(lattice_order(w->runtime, "A"), "A O");
}

static void no_class_stands_twice_in_a_linearization(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "A B:A C"));
    lb_class *a = lb_class_find(w->runtime, "A");
    lb_class *c = lb_class_find(w->runtime, "C");
    lb_class *order[] = {lb_class_find(w->runtime, "B")};
    assert_ok(lb_class_set_linearization(c, order, 1));
    assert_string_equal(lattice_order(w->runtime, "C"), "C B");
    /* B would get B A C B. */
    assert_status(LB_BAD_ORDER, lb_class_set_bases(a, &c, 1));
    assert_string_equal(lattice_order(w->runtime, "B"), "B A");
}

static void a_registered_class_may_stand_in_a_linearization(void **state)
{
    /* As an abstract base class: in the order, but not among the bases. */
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "object list:object Sized"));
    lb_class *list = lb_class_find(w->runtime, "list");
    lb_class *sized = lb_class_find(w->runtime, "Sized");
    lb_class *order[] = {sized, lb_class_find(w->runtime, "object")};
    assert_ok(lb_class_set_linearization(list, order, 2));
    assert_true(lb_class_is_subclass(list, sized));
    assert_string_equal(lattice_order(w->runtime, "list"), "list Sized object");
}

static void bases_and_linearization_are_copied_up_to_capacity(void **state)
{
    world *w = *state;
    assert_ok(lattice_make(w->runtime, "O X:O Y:O A:X,Y"));
    lb_class *a = lb_class_find(w->runtime, "A");
    lb_class *out[4] = {NULL, NULL, NULL, NULL};
    assert_int_equal(lb_class_linearization(a, NULL, 0), 4);
    assert_int_equal(lb_class_linearization(a, out, 2), 4);
    assert_ptr_equal(out[0], a);
    assert_ptr_equal(out[1], lb_class_find(w->runtime, "X"));
    assert_null(out[2]);
    assert_int_equal(lb_class_bases(a, out, 1), 2);
    assert_ptr_equal(out[0], lb_class_find(w->runtime, "X"));
    assert_int_equal(lb_class_bases(a, out, 4), 2);
    assert_ptr_equal(out[1], lb_class_find(w->runtime, "Y"));
}

static void deep_and_wide_lattices_are_linearized(void **state)
{
    world *w = *state;
    lb_class *chain[1000], *wide;
    for (size_t i = 0; i < COUNT_OF(chain); i++)
        chain[i] = world_class(w, "link", i ? chain[i - 1] : NULL, NULL);
    assert_int_equal(lb_class_linearization(chain[999], NULL, 0), 1000);
    assert_true(lb_class_is_subclass(chain[999], chain[0]));
    lb_class *leaves[500];
    for (size_t i = 0; i < COUNT_OF(leaves); i++)
        leaves[i] = world_class(w, "leaf", chain[0], NULL);
    const lb_class_spec spec = {
        .name = "wide", .bases = leaves, .base_count = COUNT_OF(leaves)};
    assert_ok(lb_class_create(w->runtime, &spec, &wide));
    assert_int_equal(lb_class_linearization(wide, NULL, 0), 502);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(linearizations_are_the_published_ones),
        TEST(an_impossible_order_is_refused_and_the_conflict_shown),
        TEST(a_refused_class_leaves_nothing_behind),
        TEST(a_base_named_twice_is_refused),
        TEST(a_cycle_of_bases_is_refused),
        TEST(new_bases_reach_all_subclasses),
        TEST(new_bases_that_break_a_subclass_change_nothing),
        TEST(a_class_left_as_base_may_go),
        TEST(a_supplied_linearization_counts_for_subclasses_too),
        TEST(a_class_may_be_made_with_a_linearization),
        TEST(a_base_outside_a_supplied_linearization_is_busy),
        TEST(a_cycle_behind_a_supplied_linearization_is_refused),
        TEST(no_class_stands_twice_in_a_linearization),
        TEST(a_registered_class_may_stand_in_a_linearization),
        TEST(bases_and_linearization_are_copied_up_to_capacity),
        TEST(deep_and_wide_lattices_are_linearized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
