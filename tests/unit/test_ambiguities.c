/* Which rules lb_ambiguities reports, with which witness. (The oracle's
 * program compares complete sets; here are the cases worth a name.)
 */
#include "support/random.h"
#include "support/test.h"
#include "support/world.h"

LB_GENERIC(int, meet, (ON, const thing *, a), (ON, const thing *, b));
LB_COMMUTES_PAIR(int, meet, const thing *);
LB_DEFINE_COMMUTATIVE(meet);
LB_METHOD(meet, meet_any);

LB_GENERIC(int, join, (ON, const thing *, a), (ON, const thing *, b),
           (ON, const thing *, c));
LB_DEFINE_GENERIC(join);
LB_METHOD(join, join_any);

static int meet_any(lb_slot slot, const thing *a, const thing *b)
{
    LB_IGNORE(slot);
    return a == b;
}

static int join_any(lb_slot slot, const thing *a, const thing *b,
                    const thing *c)
{
    LB_IGNORE(slot);
    return a == b && b == c;
}

static void add(lb_head *head, const lb_method *method,
                const lb_specializer *at, size_t count, int commutative)
{
    const lb_rule rule = {.method = method,
                          .specializers = at,
                          .count = count,
                          .commutative = commutative};
    assert_ok(lb_add_rules(head->generic, &rule, 1));
}

static void add_meet(lb_specializer a, lb_specializer b, int commutative)
{
    const lb_specializer at[] = {a, b};
    add(LB_HEAD(meet), LB_DESCRIPTOR(meet_any), at, 2, commutative);
}

static void add_join(lb_specializer a, lb_specializer b, lb_specializer c)
{
    const lb_specializer at[] = {a, b, c};
    add(LB_HEAD(join), LB_DESCRIPTOR(join_any), at, 3, 0);
}

static int keep(void *context, const lb_ambiguity *found)
{
    *(lb_ambiguity *)context = *found;
    return 0;
}

static size_t count(lb_head *head, lb_ambiguity *last)
{
    size_t found = 99;
    assert_ok(lb_ambiguities(head->generic, keep, last, &found));
    return found;
}

static void two_rules_that_cross_are_ambiguous(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    add_meet(lb_is(a), lb_is(b), 0);
    add_meet(lb_is(b), lb_is(a), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_int_equal(found.count, 2);
    assert_false(found.possible);
    assert_ptr_equal(found.witness[0], b);
    assert_ptr_equal(found.witness[1], b);
    assert_ptr_equal(found.resolving[0], b);
    assert_ptr_equal(found.resolving[1], b);
    char *text = NULL;
    assert_ok(lb_ambiguity_text(LB_GENERIC_OF(meet), &found, &text));
    assert_contains(text, "meet");
    assert_contains(text, "b");
    lb_text_free(w->runtime, text);
    add_meet(lb_is(b), lb_is(b), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
}

static void a_class_that_two_rules_share_is_the_witness(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    add_meet(lb_is(a), lb_is(b), 0);
    add_meet(lb_is(b), lb_is(a), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
    lb_class *ab = world_class(w, "ab", a, b);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_ptr_equal(found.witness[0], ab);
    assert_ptr_equal(found.witness[1], ab);
    assert_ptr_equal(found.resolving[0], ab);
    assert_ok(lb_class_destroy(ab));
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
}

/* Both rules take any first argument; a third settles it for one class only,
 * the first or the last that was made. */
static void check_any_argument(world *w, int last)
{
    lb_ambiguity found;
    lb_class *one = last ? NULL : world_class(w, "one", NULL, NULL);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    if (last)
        one = world_class(w, "one", NULL, NULL);
    assert_ok(lb_bind(w->runtime, LB_HEAD(join), NULL));
    add_join(lb_any(), lb_is(a), lb_is(b));
    add_join(lb_any(), lb_is(b), lb_is(a));
    add_join(lb_is(one), lb_is(b), lb_is(b));
    const thing t = thing_of(b), u = thing_of(one);
    int result = 0;
    assert_status(LB_AMBIGUOUS, lb_try_join(&result, &t, &t, &t));
    assert_ok(lb_try_join(&result, &u, &t, &t));
    assert_int_equal(count(LB_HEAD(join), &found), 1);
}

static void what_one_class_settles_is_not_settled_for_any(void **state)
{
    check_any_argument(*state, 0);
}

static void what_the_newest_class_settles_is_not_settled_for_any(void **state)
{
    check_any_argument(*state, 1);
}

static void weighted_rules_may_be_ambiguous_further_down_only(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    const lb_policy weighted = {.order = LB_WEIGHTED};
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), &weighted));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    lb_class *c = world_class(w, "c", b, NULL);
    const thing t = thing_of(b), u = thing_of(c);
    /* At (a, c) the second is nearer, 0 to -2 + 4; at (b, c) both have 2. */
    add_meet(lb_eql(a, lb_pointer(&t)), lb_is(a), 0);
    add_meet(lb_is(a), lb_is(c), 0);
    int result = 0;
    assert_status(LB_AMBIGUOUS, lb_try_meet(&result, &t, &u));
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
}

static void a_flipped_rule_settles_only_what_it_applies_to(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    add_meet(lb_is(a), lb_any(), 0);
    add_meet(lb_any(), lb_is(b), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    /* Flipped it is (a, b), which settles (a, b) but not (b, b), where it
     * applies as it stands. */
    add_meet(lb_is(b), lb_is(a), 1);
    const thing t = thing_of(a), u = thing_of(b);
    int result = 0;
    assert_ok(lb_try_meet(&result, &t, &u));
    assert_status(LB_AMBIGUOUS, lb_try_meet(&result, &u, &u));
    /* The first two are still ambiguous, there; so are the last two. */
    assert_int_equal(count(LB_HEAD(meet), &found), 2);
}

static int yes(void *context, lb_value value)
{
    (void)context;
    return value.constant != NULL;
}

static const lb_predicate p = {"p", yes, NULL, NULL, 0};
static const lb_predicate q = {"q", yes, NULL, NULL, 0};

static void two_predicates_make_it_only_possible(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    add_meet(lb_where(a, &p), lb_is(a), 0);
    add_meet(lb_where(a, &q), lb_is(a), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_true(found.possible);
}

static void two_values_are_never_ambiguous(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    const thing t = {{0, 0}, 0}, u = {{0, 0}, 0};
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    add_meet(lb_eql(a, lb_pointer(&t)), lb_is(a), 0);
    add_meet(lb_eql(a, lb_pointer(&u)), lb_is(b), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
    add_meet(lb_is(b), lb_is(b), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
}

/* ---- supplied linearizations -------------------------------------------- */

static void put_into_order(lb_class *cls, lb_class *joined, size_t place)
{
    lb_class *order[64];
    const size_t length = lb_class_linearization(cls, order, 63);
    assert_in_range(place, 1, length);
    memmove(order + place + 1, order + place, (length - place) * sizeof *order);
    order[place] = joined;
    assert_ok(lb_class_set_linearization(cls, order + 1, length));
}

/* Rules that have nothing to do with the others, so that searching narrows. */
static void add_crowd(world *w, int count)
{
    for (int i = 0; i < count; i++) {
        lb_class *one = world_class(w, "crowd", NULL, NULL);
        add_meet(lb_is(one), lb_is(one), 0);
    }
}

static void a_virtual_class_makes_ambiguous_as_a_base_does(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    add_crowd(w, 20);
    lb_class *o = world_class(w, "o", NULL, NULL);
    lb_class *a = world_class(w, "a", o, NULL);
    lb_class *v = world_class(w, "v", o, NULL);
    add_meet(lb_is(a), lb_is(v), 0);
    add_meet(lb_is(v), lb_is(a), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
    lb_class *const order[] = {a, v, o};
    lb_class *c = NULL;
    assert_ok(lb_class_create(w->runtime,
                              &(lb_class_spec){.name = "c",
                                               .bases = &a,
                                               .base_count = 1,
                                               .linearization = order,
                                               .linearization_count = 3},
                              &c));
    assert_int_equal(w->reports, 1);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_ptr_equal(found.witness[0], c);
    assert_ptr_equal(found.witness[1], c);
    /* What settles it for c settles it for all below. */
    lb_class *d = world_class(w, "d", c, NULL);
    add_meet(lb_is(c), lb_is(c), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
    /* And what does so for one of two does not for the other. */
    put_into_order(world_class(w, "e", a, NULL), v, 3);
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_string_equal(lb_class_name(found.witness[0]), "e");
    const thing t = thing_of(d);
    int result = 0;
    assert_ok(lb_try_meet(&result, &t, &t));
}

static void
a_rule_finds_rules_with_a_class_that_became_virtual_later(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    add_crowd(w, 20);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", a, NULL);
    lb_class *v = world_class(w, "v", NULL, NULL);
    lb_class *u = world_class(w, "u", v, NULL);
    add_meet(lb_is(v), lb_is(u), 0);
    put_into_order(b, u, 2);
    put_into_order(b, v, 3);
    assert_int_equal(w->reports, 0);
    add_meet(lb_is(u), lb_is(v), 0);
    assert_int_equal(w->reports, 1);
    add_meet(lb_is(v), lb_is(a), 0); /* against (u, v), only for b */
    assert_int_equal(w->reports, 2);
    assert_contains(w->report, ", b)");
    assert_int_equal(count(LB_HEAD(meet), &found), 2);
    /* Virtual no more. */
    assert_ok(lb_class_set_linearization(b, NULL, 0));
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
}

static void a_virtual_class_follows_its_members(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *u = world_class(w, "u", NULL, NULL);
    lb_class *v = world_class(w, "v", NULL, NULL);
    lb_class *first = world_class(w, "first", NULL, NULL);
    lb_class *second = world_class(w, "second", NULL, NULL);
    lb_class *const order[] = {u, v};
    add_meet(lb_is(u), lb_is(v), 0);
    add_meet(lb_is(v), lb_is(u), 0);
    assert_ok(lb_class_set_linearization(first, order, 2));
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_ptr_equal(found.witness[0], first);
    assert_ok(lb_class_set_linearization(first, NULL, 0));
    assert_ok(lb_class_set_linearization(second, order, 2));
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_ptr_equal(found.witness[0], second);
}

static void ambiguities_by_joined_classes_below_are_found(void **state)
{
    world *w = *state;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    add_crowd(w, 20);
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    lb_class *c = world_class(w, "c", b, NULL);
    lb_class *below = world_class(w, "below", a, NULL);
    world_class(w, "joined", below, c);
    add_meet(lb_is(b), lb_is(a), 0);
    assert_int_equal(w->reports, 0);
    add_meet(lb_is(a), lb_is(b), 0);
    assert_int_equal(w->reports, 1);
    assert_contains(w->report, "(joined, joined)");
}

/* As Python's Hashable: an object is one, and it is an object. */
static void
a_class_in_the_order_of_its_base_is_most_specific_for_itself(void **state)
{
    world *w = *state;
    lb_ambiguity found;
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), NULL));
    lb_class *o = world_class(w, "o", NULL, NULL);
    lb_class *h = world_class(w, "h", o, NULL);
    assert_ok(lb_class_set_linearization(h, &o, 1));
    assert_ok(lb_class_set_linearization(o, &h, 1));
    add_meet(lb_is(h), lb_is(o), 0);
    add_meet(lb_is(o), lb_is(h), 0);
    add_meet(lb_is(o), lb_is(o), 0);
    /* Settled for (o, o), but not for (h, h). */
    assert_int_equal(count(LB_HEAD(meet), &found), 1);
    assert_ptr_equal(found.witness[0], h);
    add_meet(lb_is(h), lb_is(h), 0);
    assert_int_equal(count(LB_HEAD(meet), &found), 0);
}

static void check_silent(world *w, int silent, int by_rule, int by_class)
{
    const lb_policy policy = {.silent = silent};
    assert_ok(lb_bind(w->runtime, LB_HEAD(meet), &policy));
    lb_class *a = world_class(w, "a", NULL, NULL);
    lb_class *b = world_class(w, "b", NULL, NULL);
    add_meet(lb_is(a), lb_any(), 0);
    add_meet(lb_any(), lb_is(a), 0);
    assert_int_equal(w->reports, by_rule);
    add_meet(lb_is(b), lb_is(a), 0);
    w->reports = 0;
    world_class(w, "ab", a, b);
    assert_int_equal(w->reports, by_class);
}

static void a_generic_tells_of_rules_and_of_later_classes(void **state)
{
    check_silent(*state, 0, 1, 1);
}

static void a_silent_generic_tells_of_nothing(void **state)
{
    check_silent(*state, 1, 0, 0);
}

static void a_generic_can_be_silent_about_later_classes_only(void **state)
{
    check_silent(*state, 2, 1, 0);
}

/* ---- against a search through all classes ------------------------------- */

enum { CLASSES = 26, RULES = 44 };

typedef struct lattice {
    dice dice;
    lb_runtime *runtime;
    lb_generic *generic;
    lb_class *classes[CLASSES];
    int count;
    int place[CLASSES][CLASSES + 1]; /* of class in order, or -1; of any */
    lb_method methods[RULES];
    char names[RULES][8];
    int rules[RULES][2]; /* classes, or CLASSES: any */
    int rule_count;
    char told[RULES][RULES];
} lattice;

/* The report names the methods: "meet(..) m3 and meet(..) m7 are ambiguous" */
static void keep_pair(void *context, lb_status status, const char *text)
{
    lattice *l = context;
    const char *one = strstr(text, ") m");
    const char *other = one ? strstr(one + 1, ") m") : NULL;
    assert_int_equal(status, LB_AMBIGUOUS);
    assert_non_null(other);
    const long i = strtol(one + 3, NULL, 10), j = strtol(other + 3, NULL, 10);
    l->told[i][j] = l->told[j][i] = 1;
}

static void see_orders(lattice *l)
{
    for (int c = 0; c < l->count; c++) {
        lb_class *order[CLASSES];
        const size_t length =
            lb_class_linearization(l->classes[c], order, CLASSES);
        for (int k = 0; k < CLASSES; k++)
            l->place[c][k] = -1;
        l->place[c][CLASSES] = (int)length;
        for (size_t i = 0; i < length; i++)
            for (int k = 0; k < l->count; k++)
                if (l->classes[k] == order[i])
                    l->place[c][k] = (int)i;
    }
}

static void make_class(lattice *l)
{
    char name[16];
    lb_class *bases[2] = {NULL, NULL};
    (void)snprintf(name, sizeof name, "c%d", l->count);
    if (l->count > 0 && dice_chance(&l->dice, 5, 6))
        bases[0] = l->classes[dice_roll(&l->dice, l->count)];
    if (l->count > 0 && dice_chance(&l->dice, 1, 4))
        bases[1] = l->classes[dice_roll(&l->dice, l->count)];
    lb_class *made = lb_class_make(l->runtime, name, 0, bases[0],
                                   bases[1] == bases[0] ? NULL : bases[1]);
    if (made == NULL) /* the bases are at odds */
        made = lb_class_make(l->runtime, name, 0, bases[0], NULL);
    assert_non_null(made);
    l->classes[l->count++] = made;
}

/* Puts some class into the order of another, which that may refuse. */
static void make_virtual(lattice *l)
{
    lb_class *order[CLASSES + 1];
    lb_class *cls = l->classes[dice_roll(&l->dice, l->count)];
    lb_class *joined = l->classes[dice_roll(&l->dice, l->count)];
    const size_t length = lb_class_linearization(cls, order, CLASSES);
    if (lb_class_is_subclass(cls, joined))
        return;
    const size_t place = 1 + (size_t)dice_roll(&l->dice, (int)length);
    memmove(order + place + 1, order + place, (length - place) * sizeof *order);
    order[place] = joined;
    (void)lb_class_set_linearization(cls, order + 1, length);
}

static int precedes(const lattice *l, int r, int s, const int *at)
{
    int less = 0;
    for (int i = 0; i < 2; i++) {
        const int x = l->place[at[i]][l->rules[r][i]];
        const int y = l->place[at[i]][l->rules[s][i]];
        if (x > y)
            return 0;
        less |= x < y;
    }
    return less;
}

static int fits(const lattice *l, int r, const int *at)
{
    return l->place[at[0]][l->rules[r][0]] >= 0 &&
           l->place[at[1]][l->rules[r][1]] >= 0;
}

static int ambiguous_for(const lattice *l, int r, int s, const int *at)
{
    if (!fits(l, r, at) || !fits(l, s, at) || precedes(l, r, s, at) ||
        precedes(l, s, r, at))
        return 0;
    for (int t = 0; t < l->rule_count; t++)
        if (fits(l, t, at) && precedes(l, t, r, at) && precedes(l, t, s, at))
            return 0;
    return 1;
}

static int ambiguous(const lattice *l, int r, int s)
{
    int at[2];
    for (at[0] = 0; at[0] < l->count; at[0]++)
        for (at[1] = 0; at[1] < l->count; at[1]++)
            if (ambiguous_for(l, r, s, at))
                return 1;
    return 0;
}

static void add_rule(lattice *l)
{
    const int self = l->rule_count;
    lb_specializer at[2];
    for (int i = 0; i < 2; i++) {
        const int cls = dice_chance(&l->dice, 1, 8)
                            ? CLASSES
                            : dice_roll(&l->dice, l->count);
        l->rules[self][i] = cls;
        at[i] = cls == CLASSES ? lb_any() : lb_is(l->classes[cls]);
    }
    for (int r = 0; r < self; r++)
        if (memcmp(l->rules[r], l->rules[self], sizeof l->rules[r]) == 0)
            return;
    (void)snprintf(l->names[self], sizeof l->names[self], "m%d", self);
    l->methods[self] = *LB_DESCRIPTOR(meet_any);
    l->methods[self].name = l->names[self];
    const lb_rule rule = {
        .method = &l->methods[self], .specializers = at, .count = 2};
    memset(l->told, 0, sizeof l->told);
    l->rule_count++;
    assert_ok(lb_add_rules(l->generic, &rule, 1));
    for (int r = 0; r < self; r++)
        assert_int_equal(l->told[r][self], ambiguous(l, r, self));
}

/* What a class that comes later, or into an order, brings must be told. */
static void change_classes(lattice *l)
{
    static char before[RULES][RULES];
    for (int r = 0; r < l->rule_count; r++)
        for (int s = 0; s < r; s++)
            before[r][s] = (char)ambiguous(l, r, s);
    memset(l->told, 0, sizeof l->told);
    if (l->count == CLASSES || dice_chance(&l->dice, 1, 2))
        make_virtual(l);
    else
        make_class(l);
    see_orders(l);
    for (int r = 0; r < l->rule_count; r++)
        for (int s = 0; s < r; s++) {
            const int now = ambiguous(l, r, s);
            assert_true(!l->told[r][s] || now);
            assert_true(l->told[r][s] || before[r][s] || !now);
        }
}

static void check_lattice(world *w, uint64_t seed, int virtuals)
{
    static lattice l;
    memset(&l, 0, sizeof l);
    l.dice.state = seed;
    lb_config config = world_config(w);
    config.report = keep_pair;
    config.report_context = &l;
    assert_ok(lb_runtime_create(&config, &l.runtime));
    assert_ok(lb_generic_create(l.runtime, "meet", LB_HEAD(meet)->signature,
                                NULL, &l.generic));
    while (l.count < CLASSES - 4) {
        make_class(&l);
        if (dice_roll(&l.dice, CLASSES) < virtuals)
            make_virtual(&l);
    }
    see_orders(&l);
    for (int i = 0; i < RULES; i++)
        add_rule(&l);
    for (int i = 0; i < 8; i++)
        change_classes(&l);
    lb_runtime_destroy(l.runtime);
}

static void
what_is_told_is_what_a_search_through_all_classes_finds(void **state)
{
    for (int virtuals = 0; virtuals < 9; virtuals += 2)
        for (uint64_t seed = 0; seed < 12; seed++)
            check_lattice(*state, seed, virtuals);
    for (uint64_t seed = 100; seed < 130; seed++)
        check_lattice(*state, seed, 0);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_rules_that_cross_are_ambiguous),
        TEST(a_class_that_two_rules_share_is_the_witness),
        TEST(what_one_class_settles_is_not_settled_for_any),
        TEST(what_the_newest_class_settles_is_not_settled_for_any),
        TEST(weighted_rules_may_be_ambiguous_further_down_only),
        TEST(a_flipped_rule_settles_only_what_it_applies_to),
        TEST(two_predicates_make_it_only_possible),
        TEST(two_values_are_never_ambiguous),
        TEST(a_virtual_class_makes_ambiguous_as_a_base_does),
        TEST(a_rule_finds_rules_with_a_class_that_became_virtual_later),
        TEST(a_virtual_class_follows_its_members),
        TEST(ambiguities_by_joined_classes_below_are_found),
        TEST(a_class_in_the_order_of_its_base_is_most_specific_for_itself),
        TEST(a_generic_tells_of_rules_and_of_later_classes),
        TEST(a_silent_generic_tells_of_nothing),
        TEST(a_generic_can_be_silent_about_later_classes_only),
        TEST(what_is_told_is_what_a_search_through_all_classes_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
