/* Settings of the search, and what each cache policy does, told by counters
 * that are worked out by hand.
 */
#include "support/objects.h"
#include "support/test.h"

/* Classes a, b below a, c below b; d beside c; an instance of each of the last
 * two. The names x, y and z stand in c and d, `root` in a. */
typedef struct scene {
    objects o;
    lb_class *a, *b, *c, *d;
    person *p, *q;
} scene;

static void open_scene(scene *s, lb_object_options options)
{
    static const char *const names[] = {"x", "y", "z"};
    options.counting = 1;
    objects_open(&s->o, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE, &options);
    s->a = objects_class(&s->o, "a", NULL, NULL);
    s->b = objects_class(&s->o, "b", s->a, NULL);
    s->c = objects_class(&s->o, "c", s->b, NULL);
    s->d = objects_class(&s->o, "d", s->b, NULL);
    for (int i = 0; i < 3; i++) {
        assert_ok(lb_class_set_value(s->c, names[i], lb_integer(i + 1)));
        assert_ok(lb_class_set_value(s->d, names[i], lb_integer(i + 11)));
    }
    assert_ok(lb_class_set_value(s->a, "root", lb_integer(100)));
    s->p = lb_new(s->c);
    s->q = lb_new(s->d);
}

static void close_scene(scene *s)
{
    lb_delete(s->c, s->p);
    lb_delete(s->d, s->q);
    objects_close(&s->o);
}

/* Looks up each letter of `names` in turn; "r" stands for `root`, "n" for a
 * name that nothing has. */
static void get(scene *s, const person *p, const char *names)
{
    for (; *names != '\0'; names++) {
        const char letter[] = {*names, '\0'};
        const char *name = *names == 'r' ? "root" : letter;
        (void)objects_try(&s->o, p, name);
    }
}

#define EXPECT(s, field, expected)                                             \
    do {                                                                       \
        const unsigned long long got_ = objects_counters(&(s)->o).field;       \
        if (got_ != (unsigned long long)(expected))                            \
            fail_msg("%s is %llu, not %llu", #field, got_,                     \
                     (unsigned long long)(expected));                          \
    } while (0)

/* ---- Settings ----------------------------------------------------------- */

static void options_come_before_the_first_symbol(void **state)
{
    world *w = *state;
    const lb_object_options options = {.policy = LB_POLICY_SEARCH};
    assert_ok(lb_objects_configure(w->runtime, &options));
    assert_non_null(lb_intern(w->runtime, "x"));
    assert_status(LB_BUSY, lb_objects_configure(w->runtime, &options));
    assert_string_not_equal(lb_message(), "");
}

static void nothing_is_no_options(void **state)
{
    world *w = *state;
    const lb_object_options options = {.policy = LB_POLICY_SEARCH};
    lb_counters counters;
    assert_status(LB_BAD_ARGUMENT, lb_objects_configure(NULL, &options));
    assert_status(LB_BAD_ARGUMENT, lb_objects_configure(w->runtime, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_get_counters(NULL, &counters));
    assert_status(LB_BAD_ARGUMENT, lb_get_counters(w->runtime, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_counters_reset(NULL));
}

static void a_bad_option_is_named(void **state)
{
    world *w = *state;
    const struct {
        const char *name;
        lb_object_options options;
    } bad[] = {
        {"order", {.order = (lb_search_order)2}},
        {"policy", {.policy = (lb_cache_policy)4}},
        {"mark", {.mark = (lb_choice)3}},
        {"table_size", {.table_size = (1U << 20) + 1}},
        {"cache_negative", {.cache_negative = (lb_choice)3}},
        {"drop_changed", {.drop_changed = (lb_choice)-1}},
        {"intern_writes", {.intern_writes = (lb_choice)3}},
        {"when_full", {.when_full = (lb_when_full)4}},
        {"when_full",
         {.policy = LB_POLICY_SITE, .when_full = LB_FULL_HIERARCHY}},
        {"poor_percent", {.poor_percent = 101}},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_status(LB_BAD_ARGUMENT,
                      lb_objects_configure(w->runtime, &bad[i].options));
        assert_contains(lb_message(), bad[i].name);
    }
}

static void the_limits_of_the_options_are_allowed(void **state)
{
    objects o;
    const lb_object_options limits[] = {
        {.policy = LB_POLICY_TABLE64, .table_size = 1, .poor_percent = 1},
        {.policy = LB_POLICY_SITE,
         .table_size = 1U << 20,
         .poor_percent = 100,
         .thrash_limit = UINT32_MAX,
         .table_pool = UINT32_MAX}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        objects_open(&o, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE, &limits[i]);
        objects_close(&o);
    }
}

/* ---- Searching ---------------------------------------------------------- */

static void searching_in_the_old_order_asks_the_instance_first(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_SEARCH});
    assert_ok(lb_set_text(s.p, "own", lb_integer(1)));
    get(&s, s.p, "xr"); /* one and three class dictionaries */
    EXPECT(&s, gets, 2);
    EXPECT(&s, instance_lookups, 2);
    EXPECT(&s, saved_lookups, 0);
    EXPECT(&s, class_searches, 2);
    EXPECT(&s, class_lookups, 4);
    assert_int_equal(objects_try(&s.o, s.p, "own"), LB_OK);
    EXPECT(&s, gets, 3);
    EXPECT(&s, instance_lookups, 3);
    EXPECT(&s, class_lookups, 4);
    EXPECT(&s, hits, 0);
    EXPECT(&s, misses, 0);
    EXPECT(&s, not_found, 0);
    close_scene(&s);
}

static void searching_in_pythons_order_asks_the_class_first(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.policy = LB_POLICY_SEARCH});
    objects_set(&s.o, s.b, "f",
                (lb_attribute_spec){.kind = LB_FIELD,
                                    .offset = offsetof(person, value)});
    get(&s, s.p, "xr");
    EXPECT(&s, class_lookups, 4);
    EXPECT(&s, instance_lookups, 2);
    get(&s, s.p, "f"); /* a data descriptor: the instance is not asked */
    EXPECT(&s, gets, 3);
    EXPECT(&s, class_lookups, 6);
    EXPECT(&s, instance_lookups, 2);
    EXPECT(&s, class_searches, 3);
    close_scene(&s);
}

static void a_name_that_nothing_has_is_sought_in_every_class(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_SEARCH});
    get(&s, s.p, "n");
    EXPECT(&s, gets, 1);
    EXPECT(&s, not_found, 1);
    EXPECT(&s, instance_lookups, 1);
    EXPECT(&s, class_searches, 1);
    EXPECT(&s, class_lookups, 3);
    close_scene(&s);
}

static void
a_special_look_up_goes_past_the_instance_in_pythons_order(void **state)
{
    lb_found found;
    (void)state;
    for (int old = 0; old < 2; old++) {
        scene s;
        open_scene(&s, (lb_object_options){.order = (lb_search_order)old,
                                           .policy = LB_POLICY_SEARCH});
        assert_ok(lb_try_get_special(s.c, lb_pointer(s.p),
                                     objects_symbol(&s.o, "root"), &found));
        EXPECT(&s, gets, 1);
        EXPECT(&s, instance_lookups, old);
        EXPECT(&s, class_lookups, 3);
        close_scene(&s);
    }
}

static void an_instance_without_a_dictionary_is_never_asked(void **state)
{
    (void)state;
    for (int marked = 1; marked <= 2; marked++) {
        scene s;
        open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                           .policy = LB_POLICY_SEARCH,
                                           .mark = (lb_choice)marked});
        lb_class *plain = objects_plain_class(&s.o, "plain", NULL);
        const thing t = thing_of(plain);
        assert_ok(lb_class_set_value(plain, "x", lb_integer(1)));
        assert_int_equal(objects_try(&s.o, &t, "x"), LB_OK);
        EXPECT(&s, gets, 1);
        EXPECT(&s, instance_lookups, 0);
        EXPECT(&s, saved_lookups, 0);
        close_scene(&s);
    }
}

/* ---- Marks -------------------------------------------------------------- */

static void a_name_that_no_instance_held_saves_asking_them(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_SEARCH,
                                       .mark = LB_YES});
    get(&s, s.p, "xx");
    EXPECT(&s, instance_lookups, 0);
    EXPECT(&s, saved_lookups, 2);
    /* Any instance that ever held the name marks it, for ever. */
    assert_ok(lb_set(s.q, objects_symbol(&s.o, "x"), lb_integer(5)));
    assert_ok(lb_unset(s.q, objects_symbol(&s.o, "x")));
    get(&s, s.p, "xy");
    EXPECT(&s, instance_lookups, 1);
    EXPECT(&s, saved_lookups, 3);
    close_scene(&s);
}

/* Sets by text a name without a symbol; then looks another up. */
static void write_uninterned(scene *s, lb_choice intern)
{
    open_scene(s, (lb_object_options){.order = LB_ORDER_1998,
                                      .policy = LB_POLICY_TABLE64,
                                      .intern_writes = intern});
    get(s, s->p, "x");
    EXPECT(s, saved_lookups, 1);
    EXPECT(s, instance_lookups, 0);
    assert_ok(lb_set_text(s->q, "fresh", lb_integer(1)));
    get(s, s->p, "x");
}

static void writing_an_uninterned_name_gives_up_the_marks(void **state)
{
    scene s;
    (void)state;
    write_uninterned(&s, LB_DEFAULT);
    EXPECT(&s, saved_lookups, 1);
    EXPECT(&s, instance_lookups, 1);
    close_scene(&s);
}

static void interning_what_is_written_keeps_the_marks(void **state)
{
    scene s;
    (void)state;
    write_uninterned(&s, LB_YES);
    EXPECT(&s, saved_lookups, 2);
    EXPECT(&s, instance_lookups, 0);
    close_scene(&s);
}

static void writing_by_symbol_keeps_the_marks_of_other_names(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_TABLE64});
    assert_ok(lb_set(s.q, objects_symbol(&s.o, "known"), lb_integer(1)));
    get(&s, s.p, "x");
    EXPECT(&s, saved_lookups, 1);
    EXPECT(&s, instance_lookups, 0);
    close_scene(&s);
}

static void without_marks_every_instance_is_asked(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_TABLE64,
                                       .mark = LB_NO});
    get(&s, s.p, "xxx");
    EXPECT(&s, instance_lookups, 3);
    EXPECT(&s, saved_lookups, 0);
    close_scene(&s);
}

/* ---- Tables of 1998 ----------------------------------------------------- */

static void open_table64(scene *s, uint32_t table_size)
{
    open_scene(s, (lb_object_options){.order = LB_ORDER_1998,
                                      .policy = LB_POLICY_TABLE64,
                                      .table_size = table_size});
}

static void the_second_look_up_is_answered_by_the_table(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 4);
    get(&s, s.p, "r");
    EXPECT(&s, misses, 1);
    EXPECT(&s, class_searches, 1);
    EXPECT(&s, class_lookups, 3);
    EXPECT(&s, hits, 0);
    EXPECT(&s, numbered, 1);
    EXPECT(&s, tables, 1);
    get(&s, s.p, "rr");
    EXPECT(&s, hits, 2);
    EXPECT(&s, misses, 1);
    EXPECT(&s, class_lookups, 3);
    get(&s, s.q, "r"); /* the same number, in another table */
    EXPECT(&s, misses, 2);
    EXPECT(&s, numbered, 1);
    EXPECT(&s, tables, 2);
    close_scene(&s);
}

static void when_all_numbers_are_given_the_next_generation_begins(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 2);
    get(&s, s.p, "xyxy");
    EXPECT(&s, generations, 1);
    EXPECT(&s, misses, 2);
    EXPECT(&s, hits, 2);
    EXPECT(&s, cleared_tables, 0);
    get(&s, s.p, "z"); /* the third name: number 0 of generation 2 */
    EXPECT(&s, generations, 2);
    EXPECT(&s, cleared_tables, 1);
    EXPECT(&s, misses, 3);
    get(&s, s.p, "zx"); /* a hit; x gets number 1 of generation 2 */
    EXPECT(&s, hits, 3);
    EXPECT(&s, misses, 4);
    EXPECT(&s, generations, 2);
    get(&s, s.p, "y");
    EXPECT(&s, generations, 3);
    EXPECT(&s, cleared_tables, 2);
    EXPECT(&s, misses, 5);
    EXPECT(&s, numbered, 3);
    EXPECT(&s, class_searches, 5);
    close_scene(&s);
}

static void a_class_clears_its_table_when_it_next_uses_it(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 2);
    get(&s, s.p, "xy");
    get(&s, s.q, "xyxy");
    EXPECT(&s, misses, 4);
    EXPECT(&s, hits, 2);
    get(&s, s.p, "z");
    EXPECT(&s, cleared_tables, 1); /* of c only */
    get(&s, s.q, "z");
    EXPECT(&s, cleared_tables, 2);
    EXPECT(&s, generations, 2);
    EXPECT(&s, misses, 6);
    assert_int_equal(objects_get(&s.o, s.q, "x").integer, 11);
    EXPECT(&s, misses, 7);
    close_scene(&s);
}

static void a_table_has_sixty_four_entries_as_published(void **state)
{
    scene s;
    char name[8];
    (void)state;
    open_table64(&s, 0);
    for (int i = 0; i < 65; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        assert_ok(lb_class_set_value(s.c, name, lb_integer(i)));
    }
    for (int i = 0; i < 65; i++) {
        EXPECT(&s, generations, 1);
        (void)snprintf(name, sizeof name, "m%d", i);
        assert_int_equal(objects_get(&s.o, s.p, name).integer, i);
    }
    EXPECT(&s, generations, 2);
    EXPECT(&s, misses, 65);
    EXPECT(&s, numbered, 65);
    close_scene(&s);
}

static void an_unbounded_table_has_room_for_every_name(void **state)
{
    scene s;
    char name[8];
    (void)state;
    open_table64(&s, LB_UNBOUNDED);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        assert_ok(lb_class_set_value(s.c, name, lb_integer(i)));
    }
    for (int i = 0; i < 400; i++) {
        (void)snprintf(name, sizeof name, "m%d", i % 200);
        assert_int_equal(objects_get(&s.o, s.p, name).integer, i % 200);
    }
    EXPECT(&s, generations, 1);
    EXPECT(&s, misses, 200);
    EXPECT(&s, hits, 200);
    EXPECT(&s, numbered, 200);
    EXPECT(&s, cleared_tables, 0);
    close_scene(&s);
}

static void what_is_not_found_is_sought_again_each_time(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 4);
    get(&s, s.p, "nnn");
    EXPECT(&s, class_searches, 3);
    EXPECT(&s, class_lookups, 9);
    EXPECT(&s, not_found, 3);
    EXPECT(&s, hits, 0);
    EXPECT(&s, negative_hits, 0);
    close_scene(&s);
}

static void with_cache_negative_it_is_remembered(void **state)
{
    scene s;
    (void)state;
    for (int policy = LB_POLICY_TABLE; policy <= LB_POLICY_TABLE64; policy++) {
        if (policy == LB_POLICY_SEARCH)
            continue;
        open_scene(&s, (lb_object_options){.policy = (lb_cache_policy)policy,
                                           .cache_negative = LB_YES});
        get(&s, s.p, "nnn");
        EXPECT(&s, class_searches, 1);
        EXPECT(&s, class_lookups, 3);
        EXPECT(&s, not_found, 3);
        EXPECT(&s, hits, 2);
        EXPECT(&s, negative_hits, 2);
        assert_ok(lb_class_set_value(s.a, "n", lb_integer(5)));
        assert_int_equal(objects_get(&s.o, s.p, "n").integer, 5);
        close_scene(&s);
    }
}

static void a_changed_name_is_searched_for_ever(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 4);
    get(&s, s.p, "xx");
    EXPECT(&s, hits, 1);
    assert_ok(lb_class_set_value(s.c, "x", lb_integer(50)));
    EXPECT(&s, excluded, 1);
    get(&s, s.p, "xxx");
    EXPECT(&s, hits, 1);
    EXPECT(&s, class_searches, 4);
    EXPECT(&s, misses, 1);
    assert_ok(lb_class_delete(s.c, objects_symbol(&s.o, "x")));
    EXPECT(&s, excluded, 1); /* a name, once */
    get(&s, s.p, "yy");
    EXPECT(&s, hits, 2);
    close_scene(&s);
}

static void with_drop_changed_only_its_entries_go(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_TABLE64,
                                       .drop_changed = LB_YES});
    get(&s, s.p, "xy");
    assert_ok(lb_class_set_value(s.c, "x", lb_integer(50)));
    EXPECT(&s, excluded, 0);
    EXPECT(&s, dropped, 1);
    assert_int_equal(objects_get(&s.o, s.p, "x").integer, 50);
    EXPECT(&s, hits, 0);
    EXPECT(&s, misses, 3);
    get(&s, s.p, "xy");
    EXPECT(&s, hits, 2);
    close_scene(&s);
}

static void what_is_set_before_a_class_is_defined_is_no_change(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 4);
    EXPECT(&s, excluded, 0);
    assert_ok(lb_class_set_value(s.c, "x", lb_integer(2)));
    assert_ok(lb_class_delete(s.c, objects_symbol(&s.o, "y")));
    EXPECT(&s, excluded, 0);
    get(&s, s.p, "x"); /* defines c */
    assert_ok(lb_class_set_value(s.c, "z", lb_integer(2)));
    EXPECT(&s, excluded, 1);
    close_scene(&s);
}

static void a_class_is_defined_by_its_body(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 4);
    const lb_definition body[] = {
        {objects_symbol(&s.o, "x"), {.kind = LB_VALUE}},
        {objects_symbol(&s.o, "y"), {.kind = LB_VALUE}}};
    assert_ok(lb_class_define(s.c, body, 2));
    EXPECT(&s, excluded, 0);
    assert_ok(lb_class_set_value(s.c, "x", lb_integer(2)));
    EXPECT(&s, excluded, 1);
    assert_ok(lb_class_set_value(s.d, "x", lb_integer(2)));
    EXPECT(&s, excluded, 1);
    close_scene(&s);
}

static void a_change_of_bases_clears_all_tables(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 8);
    lb_class *other = objects_class(&s.o, "other", NULL, NULL);
    get(&s, s.p, "xyxy");
    get(&s, s.q, "x");
    EXPECT(&s, hits, 2);
    EXPECT(&s, misses, 3);
    assert_ok(lb_class_set_bases(other, &s.a, 1));
    get(&s, s.p, "xy");
    get(&s, s.q, "x");
    EXPECT(&s, hits, 2);
    EXPECT(&s, misses, 6);
    get(&s, s.p, "xy");
    EXPECT(&s, hits, 4);
    EXPECT(&s, excluded, 0);
    close_scene(&s);
}

/* ---- When all numbers are given ----------------------------------------- */

static void stopping_leaves_further_names_to_the_search(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_TABLE64,
                                       .table_size = 2,
                                       .when_full = LB_FULL_STOP});
    get(&s, s.p, "xyzzzxy");
    EXPECT(&s, generations, 1);
    EXPECT(&s, cleared_tables, 0);
    EXPECT(&s, numbered, 2);
    EXPECT(&s, hits, 2);
    EXPECT(&s, class_searches, 5);
    EXPECT(&s, misses, 2);
    close_scene(&s);
}

static void a_table_that_hits_well_is_not_cleared(void **state)
{
    (void)state;
    for (int well = 0; well < 2; well++) {
        scene s;
        open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                           .policy = LB_POLICY_TABLE64,
                                           .table_size = 2,
                                           .when_full = LB_FULL_POOR,
                                           .poor_percent = 50});
        get(&s, s.p, "xy");
        for (int i = 0; well && i < 100; i++)
            get(&s, s.p, "x");
        get(&s, s.p, "z");
        EXPECT(&s, generations, well ? 1 : 2);
        close_scene(&s);
    }
}

/* Two topmost classes, as many names in each as there are numbers. */
static void each_hierarchy_counts_its_own_numbers(void **state)
{
    (void)state;
    for (int apart = 0; apart < 2; apart++) {
        scene s;
        open_scene(&s,
                   (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_TABLE64,
                                       .table_size = 2,
                                       .when_full = apart ? LB_FULL_HIERARCHY
                                                          : LB_FULL_CLEAR});
        lb_class *other = objects_class(&s.o, "other", NULL, NULL);
        person *r = lb_new(other);
        assert_ok(lb_class_set_value(other, "u", lb_integer(1)));
        assert_ok(lb_class_set_value(other, "v", lb_integer(2)));
        get(&s, s.p, "xy");
        get(&s, r, "uv");
        get(&s, s.p, "xy");
        get(&s, r, "uv");
        EXPECT(&s, hits, apart ? 4 : 0);
        EXPECT(&s, cleared_tables, apart ? 0 : 2);
        lb_delete(other, r);
        close_scene(&s);
    }
}

/* Which class is a hierarchy's topmost may depend on how many classes there
 * are; what stands in the tables may not. */
static void new_classes_do_not_mix_up_the_numbers(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.policy = LB_POLICY_TABLE64,
                                       .when_full = LB_FULL_HIERARCHY});
    get(&s, s.p, "xyz");
    for (int i = 0; i < 40; i++) {
        (void)objects_class(&s.o, "unrelated", NULL, NULL);
        assert_int_equal(objects_get(&s.o, s.p, "z").integer, 3);
        assert_int_equal(objects_get(&s.o, s.p, "y").integer, 2);
        assert_int_equal(objects_get(&s.o, s.p, "x").integer, 1);
    }
    close_scene(&s);
}

static void a_class_that_thrashes_gets_no_table_any_more(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_TABLE64,
                                       .table_size = 1,
                                       .thrash_limit = 3});
    for (int i = 0; i < 20; i++) {
        get(&s, s.p, "xy");
        assert_int_equal(objects_get(&s.o, s.p, "z").integer, 3);
    }
    EXPECT(&s, cleared_tables, 3);
    EXPECT(&s, tables, 0);
    EXPECT(&s, hits, 0);
    close_scene(&s);
}

static void without_a_limit_a_class_thrashes_on(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 1);
    for (int i = 0; i < 20; i++)
        get(&s, s.p, "xyz");
    EXPECT(&s, cleared_tables, 59);
    EXPECT(&s, generations, 60);
    close_scene(&s);
}

static void of_a_pool_the_table_used_least_changes_hands(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998,
                                       .policy = LB_POLICY_TABLE64,
                                       .table_pool = 1});
    get(&s, s.p, "xx");
    EXPECT(&s, tables, 1);
    EXPECT(&s, hits, 1);
    assert_int_equal(objects_get(&s.o, s.q, "x").integer, 11);
    EXPECT(&s, tables, 1);
    assert_int_equal(objects_get(&s.o, s.p, "x").integer, 1);
    EXPECT(&s, tables, 1);
    EXPECT(&s, hits, 2);
    for (int i = 0; i < 1000; i++)
        get(&s, s.q, "x");
    EXPECT(&s, tables, 1);
    assert_true(objects_counters(&s.o).hits > 500); /* it is d's now */
    close_scene(&s);
}

/* ---- Sites -------------------------------------------------------------- */

static void get_at(scene *s, lb_site *site, const person *p, const char *name)
{
    lb_found found;
    assert_ok(lb_try_get_at(site, p, objects_symbol(&s->o, name), &found));
}

static void open_sites(scene *s, uint32_t table_size)
{
    open_scene(s, (lb_object_options){.order = LB_ORDER_1998,
                                      .policy = LB_POLICY_SITE,
                                      .table_size = table_size});
}

static void each_place_in_the_code_has_a_number(void **state)
{
    scene s;
    lb_site here = {0, 0}, there = {0, 0};
    (void)state;
    open_sites(&s, 4);
    get_at(&s, &here, s.p, "x");
    get_at(&s, &here, s.p, "x");
    EXPECT(&s, hits, 1);
    EXPECT(&s, misses, 1);
    EXPECT(&s, numbered, 1);
    assert_int_not_equal(here.generation, 0);
    get_at(&s, &there, s.p, "x");
    EXPECT(&s, misses, 2);
    EXPECT(&s, numbered, 2);
    assert_int_not_equal(here.number, there.number);
    get_at(&s, &here, s.q, "x"); /* another class at the same place */
    EXPECT(&s, misses, 3);
    get_at(&s, &here, s.p, "x");
    get_at(&s, &here, s.q, "x");
    EXPECT(&s, hits, 3);
    close_scene(&s);
}

static void places_beyond_the_numbers_begin_a_generation(void **state)
{
    scene s;
    lb_site sites[3] = {{0, 0}, {0, 0}, {0, 0}};
    static const char *const names[] = {"x", "y", "z"};
    (void)state;
    open_sites(&s, 2);
    for (int i = 0; i < 3; i++)
        get_at(&s, &sites[i], s.p, names[i]);
    EXPECT(&s, generations, 2);
    EXPECT(&s, cleared_tables, 1);
    get_at(&s, &sites[2], s.p, "z");
    EXPECT(&s, hits, 1);
    get_at(&s, &sites[0], s.p, "x");
    EXPECT(&s, misses, 4);
    EXPECT(&s, generations, 2);
    close_scene(&s);
}

static void a_changed_name_is_searched_at_every_place(void **state)
{
    scene s;
    lb_site site = {0, 0};
    (void)state;
    open_sites(&s, 4);
    get_at(&s, &site, s.p, "x");
    get_at(&s, &site, s.p, "x");
    assert_ok(lb_class_set_value(s.c, "x", lb_integer(50)));
    EXPECT(&s, excluded, 1);
    get_at(&s, &site, s.p, "x");
    get_at(&s, &site, s.p, "x");
    EXPECT(&s, hits, 1);
    EXPECT(&s, class_searches, 3);
    close_scene(&s);
}

static void other_policies_need_no_place(void **state)
{
    (void)state;
    for (int policy = 0; policy < LB_POLICY_SITE; policy++) {
        scene s;
        lb_site site = {0, 0};
        open_scene(&s, (lb_object_options){.policy = (lb_cache_policy)policy});
        get_at(&s, &site, s.p, "x");
        assert_int_equal(site.generation, 0);
        close_scene(&s);
    }
}

/* ---- Our tables --------------------------------------------------------- */

static void our_table_remembers_what_it_found_and_what_not(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_PYTHON3});
    get(&s, s.p, "rrr");
    EXPECT(&s, gets, 3);
    EXPECT(&s, misses, 1);
    EXPECT(&s, class_searches, 1);
    EXPECT(&s, class_lookups, 3);
    EXPECT(&s, hits, 2);
    get(&s, s.p, "nnn");
    EXPECT(&s, class_searches, 2);
    EXPECT(&s, class_lookups, 6);
    EXPECT(&s, hits, 4);
    EXPECT(&s, negative_hits, 2);
    EXPECT(&s, not_found, 3);
    close_scene(&s);
}

static void our_marks_are_of_names_per_class(void **state)
{
    (void)state;
    for (int old = 0; old < 2; old++) {
        scene s;
        open_scene(&s, (lb_object_options){.order = (lb_search_order)old});
        get(&s, s.p, "x");
        EXPECT(&s, saved_lookups, 1);
        EXPECT(&s, instance_lookups, 0);
        assert_ok(lb_set_text(s.q, "x", lb_integer(1)));
        assert_ok(lb_set_text(s.q, "fresh", lb_integer(1)));
        get(&s, s.p, "x");
        EXPECT(&s, saved_lookups, 2);
        EXPECT(&s, instance_lookups, 0);
        get(&s, s.q, "x");
        EXPECT(&s, saved_lookups, 2);
        EXPECT(&s, instance_lookups, 1);
        close_scene(&s);
    }
}

static lb_status nothing(const lb_attribute *self, size_t argc,
                         const lb_value *argv, lb_value *result)
{
    (void)self;
    (void)argc;
    (void)argv;
    result->bits = 0;
    return LB_OK;
}

static void a_change_drops_the_cells_it_concerns_and_no_others(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_PYTHON3});
    get(&s, s.p, "rx");
    get(&s, s.q, "rx");
    EXPECT(&s, misses, 4);
    assert_ok(lb_class_set_method(s.c, "x", nothing, NULL));
    EXPECT(&s, dropped, 1);
    get(&s, s.p, "r");
    get(&s, s.q, "rx");
    EXPECT(&s, hits, 3);
    EXPECT(&s, misses, 4);
    get(&s, s.p, "x");
    EXPECT(&s, misses, 5);
    assert_ok(lb_class_set_value(s.a, "root", lb_integer(101)));
    EXPECT(&s, dropped, 3);
    assert_int_equal(objects_get(&s.o, s.p, "root").integer, 101);
    assert_int_equal(objects_get(&s.o, s.q, "root").integer, 101);
    EXPECT(&s, misses, 7);
    EXPECT(&s, excluded, 0);
    close_scene(&s);
}

static void a_value_that_replaces_a_value_stays_in_its_cell(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_PYTHON3});
    get(&s, s.p, "x");
    assert_ok(lb_class_set_value(s.c, "x", lb_integer(50)));
    EXPECT(&s, dropped, 0);
    assert_int_equal(objects_get(&s.o, s.p, "x").integer, 50);
    EXPECT(&s, misses, 1);
    EXPECT(&s, hits, 1);
    close_scene(&s);
}

/* ---- Counters ----------------------------------------------------------- */

static void every_way_to_get_is_counted_as_one(void **state)
{
    scene s;
    lb_found found;
    lb_site site = {0, 0};
    lb_value receiver, result;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_1998});
    const lb_symbol *x = objects_symbol(&s.o, "x");
    objects_method(s.c, "say", "said");
    receiver = lb_pointer(s.p);
    assert_ok(lb_try_get(s.p, x, &found));
    assert_ok(lb_get(s.p, x, &found));
    assert_ok(lb_get_text(s.p, "x", &found));
    assert_ok(lb_try_get_at(&site, s.p, x, &found));
    assert_ok(lb_try_get_special(s.c, receiver, x, &found));
    EXPECT(&s, gets, 5);
    assert_ok(
        lb_invoke_symbol(objects_symbol(&s.o, "say"), 1, &receiver, &result));
    EXPECT(&s, gets, 6);
    close_scene(&s);
}

static void counters_begin_anew_but_for_what_there_is(void **state)
{
    scene s;
    (void)state;
    open_table64(&s, 2);
    get(&s, s.p, "xyzn");
    const lb_counters before = objects_counters(&s.o);
    assert_ok(lb_counters_reset(s.o.runtime));
    EXPECT(&s, gets, 0);
    EXPECT(&s, class_searches, 0);
    EXPECT(&s, misses, 0);
    EXPECT(&s, not_found, 0);
    EXPECT(&s, cleared_tables, 0);
    EXPECT(&s, tables, before.tables);
    EXPECT(&s, symbols, before.symbols);
    EXPECT(&s, bytes_symbols, before.bytes_symbols);
    get(&s, s.p, "x");
    EXPECT(&s, gets, 1);
    close_scene(&s);
}

static void without_counting_only_what_there_is_is_known(void **state)
{
    objects o;
    (void)state;
    for (int policy = 0; policy < 4; policy++) {
        const lb_object_options options = {.policy = (lb_cache_policy)policy};
        objects_open(&o, LB_MULTI_THREADED, LB_RECLAIM_QUIESCE, &options);
        lb_class *cls = objects_class(&o, "cls", NULL, NULL);
        person *p = lb_new(cls);
        const uint64_t before = objects_counters(&o).symbols;
        assert_ok(lb_class_set_value(cls, "x", lb_integer(1)));
        for (int i = 0; i < 3; i++)
            (void)objects_get(&o, p, "x");
        const lb_counters now = objects_counters(&o);
        assert_int_equal(now.gets, 0);
        assert_int_equal(now.hits, 0);
        assert_int_equal(now.class_searches, 0);
        assert_int_equal(now.symbols, before + 1);
        assert_true(now.bytes_symbols > 0);
        assert_true(now.bytes_dictionaries > 0);
        if (policy == LB_POLICY_TABLE || policy == LB_POLICY_TABLE64)
            assert_true(now.tables > 0 && now.cells > 0 &&
                        now.bytes_tables > 0);
        lb_delete(cls, p);
        objects_close(&o);
    }
}

static void what_the_dictionaries_hold_goes_with_the_classes(void **state)
{
    scene s;
    (void)state;
    open_scene(&s, (lb_object_options){.order = LB_ORDER_PYTHON3});
    const uint64_t before = objects_counters(&s.o).bytes_dictionaries;
    lb_class *cls = objects_class(&s.o, "cls", NULL, NULL);
    for (int i = 0; i < 30; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "m%d", i);
        assert_ok(lb_class_set_value(cls, name, lb_integer(i)));
    }
    assert_true(objects_counters(&s.o).bytes_dictionaries > before);
    assert_ok(lb_class_destroy(cls));
    assert_ok(lb_quiesce(s.o.runtime));
    EXPECT(&s, bytes_dictionaries, before);
    close_scene(&s);
}

#define IN_WORLD(test)                                                         \
    cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(options_come_before_the_first_symbol),
        IN_WORLD(nothing_is_no_options),
        IN_WORLD(a_bad_option_is_named),
        IN_WORLD(the_limits_of_the_options_are_allowed),
        cmocka_unit_test(searching_in_the_old_order_asks_the_instance_first),
        cmocka_unit_test(searching_in_pythons_order_asks_the_class_first),
        cmocka_unit_test(a_name_that_nothing_has_is_sought_in_every_class),
        cmocka_unit_test(
            a_special_look_up_goes_past_the_instance_in_pythons_order),
        cmocka_unit_test(an_instance_without_a_dictionary_is_never_asked),
        cmocka_unit_test(a_name_that_no_instance_held_saves_asking_them),
        cmocka_unit_test(writing_an_uninterned_name_gives_up_the_marks),
        cmocka_unit_test(interning_what_is_written_keeps_the_marks),
        cmocka_unit_test(writing_by_symbol_keeps_the_marks_of_other_names),
        cmocka_unit_test(without_marks_every_instance_is_asked),
        cmocka_unit_test(the_second_look_up_is_answered_by_the_table),
        cmocka_unit_test(when_all_numbers_are_given_the_next_generation_begins),
        cmocka_unit_test(a_class_clears_its_table_when_it_next_uses_it),
        cmocka_unit_test(a_table_has_sixty_four_entries_as_published),
        cmocka_unit_test(an_unbounded_table_has_room_for_every_name),
        cmocka_unit_test(what_is_not_found_is_sought_again_each_time),
        cmocka_unit_test(with_cache_negative_it_is_remembered),
        cmocka_unit_test(a_changed_name_is_searched_for_ever),
        cmocka_unit_test(with_drop_changed_only_its_entries_go),
        cmocka_unit_test(what_is_set_before_a_class_is_defined_is_no_change),
        cmocka_unit_test(a_class_is_defined_by_its_body),
        cmocka_unit_test(a_change_of_bases_clears_all_tables),
        cmocka_unit_test(stopping_leaves_further_names_to_the_search),
        cmocka_unit_test(a_table_that_hits_well_is_not_cleared),
        cmocka_unit_test(each_hierarchy_counts_its_own_numbers),
        cmocka_unit_test(new_classes_do_not_mix_up_the_numbers),
        cmocka_unit_test(a_class_that_thrashes_gets_no_table_any_more),
        cmocka_unit_test(without_a_limit_a_class_thrashes_on),
        cmocka_unit_test(of_a_pool_the_table_used_least_changes_hands),
        cmocka_unit_test(each_place_in_the_code_has_a_number),
        cmocka_unit_test(places_beyond_the_numbers_begin_a_generation),
        cmocka_unit_test(a_changed_name_is_searched_at_every_place),
        cmocka_unit_test(other_policies_need_no_place),
        cmocka_unit_test(our_table_remembers_what_it_found_and_what_not),
        cmocka_unit_test(our_marks_are_of_names_per_class),
        cmocka_unit_test(a_change_drops_the_cells_it_concerns_and_no_others),
        cmocka_unit_test(a_value_that_replaces_a_value_stays_in_its_cell),
        cmocka_unit_test(every_way_to_get_is_counted_as_one),
        cmocka_unit_test(counters_begin_anew_but_for_what_there_is),
        cmocka_unit_test(without_counting_only_what_there_is_is_known),
        cmocka_unit_test(what_the_dictionaries_hold_goes_with_the_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
