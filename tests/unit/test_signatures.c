/* Typed generic functions of many shapes: one to nine dispatched arguments,
 * plain ones between them, fat references, values with a header function,
 * results of every size.
 */
#include "support/test.h"
#include "support/world.h"

typedef struct matrix {
    double cell[16];
} matrix;

/* A tagged value: the header is found by its tag. */
typedef struct tagged {
    uint32_t tag;
    uint32_t payload;
} tagged;

static lb_header tag_heads[2];

static const lb_header *tag_head(tagged value)
{
    return &tag_heads[value.tag];
}

LB_GENERIC(int, one, (ON, const thing *, a));
LB_DEFINE_GENERIC(one);
LB_METHOD(one, one_low);
LB_METHOD(one, one_high);

LB_GENERIC(double, two, (WITH, double, x), (ON, const thing *, a),
           (WITH, const char *, s), (ON, const thing *, b), (WITH, char, c));
LB_DEFINE_GENERIC(two);
LB_METHOD(two, two_low);
LB_METHOD(two, two_high);

LB_GENERIC(int64_t, three, (ON, const thing *, a), (REF, lb_ref, r),
           (BY, tagged, t, tag_head));
LB_DEFINE_GENERIC(three);
LB_METHOD(three, three_low);
LB_METHOD(three, three_high);

LB_GENERIC(matrix, four, (ON, const thing *, a), (WITH, matrix, m),
           (ON, const thing *, b), (ON, const thing *, c), (WITH, double, k),
           (ON, const thing *, d));
LB_DEFINE_GENERIC(four);
LB_METHOD(four, four_low);
LB_METHOD(four, four_high);

LB_GENERIC(unsigned, six, (ON, const thing *, a), (ON, const thing *, b),
           (ON, const thing *, c), (ON, const thing *, d),
           (ON, const thing *, e), (ON, const thing *, f));
LB_DEFINE_GENERIC(six);
LB_METHOD(six, six_low);
LB_METHOD(six, six_high);

LB_GENERIC_VOID(nine, (ON, const thing *, a), (WITH, int *, out),
                (ON, const thing *, b), (ON, const thing *, c), (WITH, int, x),
                (ON, const thing *, d), (ON, const thing *, e),
                (WITH, float, y), (ON, const thing *, f),
                (ON, const thing *, g), (WITH, long, z), (REF, lb_ref, h),
                (ON, const thing *, i), (WITH, uint8_t, v), (WITH, matrix, m),
                (WITH, double, w));
LB_DEFINE_GENERIC(nine);
LB_METHOD(nine, nine_low);
LB_METHOD(nine, nine_high);

LB_GENERIC(int, fat, (REF, lb_ref, r), (WITH, int, x));
LB_DEFINE_GENERIC(fat);
LB_METHOD(fat, fat_low);
LB_METHOD(fat, fat_high);

LB_GENERIC(int, by, (BY, tagged, t, tag_head));
LB_DEFINE_GENERIC(by);
LB_METHOD(by, by_low);
LB_METHOD(by, by_high);

static int one_low(lb_slot slot, const thing *a)
{
    LB_IGNORE(slot);
    return (int)a->number;
}

static int one_high(lb_slot slot, const thing *a)
{
    LB_SELF(one, one_high, slot, a);
    return 100 + lb_next_one(self, a);
}

static double two_low(lb_slot slot, double x, const thing *a, const char *s,
                      const thing *b, char c)
{
    LB_IGNORE(slot);
    return x + (double)a->number + (double)b->number * 10 +
           (double)strlen(s) * 100 + c;
}

static double two_high(lb_slot slot, double x, const thing *a, const char *s,
                       const thing *b, char c)
{
    LB_SELF(two, two_high, slot, x, a, s, b, c);
    return 1000 + lb_next_two(self, x, a, s, b, c);
}

static int64_t three_low(lb_slot slot, const thing *a, lb_ref r, tagged t)
{
    LB_IGNORE(slot);
    return a->number + *(int64_t *)r.object * 10 + (int64_t)t.payload * 100;
}

static int64_t three_high(lb_slot slot, const thing *a, lb_ref r, tagged t)
{
    LB_SELF(three, three_high, slot, a, r, t);
    return 1000 + lb_next_three(self, a, r, t);
}

static matrix four_low(lb_slot slot, const thing *a, matrix m, const thing *b,
                       const thing *c, double k, const thing *d)
{
    LB_IGNORE(slot);
    for (size_t i = 0; i < COUNT_OF(m.cell); i++)
        m.cell[i] = m.cell[i] * k + (double)a->number;
    m.cell[0] = (double)(b->number * 100 + c->number * 10 + d->number);
    return m;
}

static matrix four_high(lb_slot slot, const thing *a, matrix m, const thing *b,
                        const thing *c, double k, const thing *d)
{
    LB_SELF(four, four_high, slot, a, m, b, c, k, d);
    matrix next = lb_next_four(self, a, m, b, c, k, d);
    next.cell[15] = -1;
    return next;
}

static unsigned six_low(lb_slot slot, const thing *a, const thing *b,
                        const thing *c, const thing *d, const thing *e,
                        const thing *f)
{
    LB_IGNORE(slot);
    const thing *all[] = {a, b, c, d, e, f};
    unsigned sum = 0;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        sum = sum * 10 + (unsigned)all[i]->number;
    return sum;
}

static unsigned six_high(lb_slot slot, const thing *a, const thing *b,
                         const thing *c, const thing *d, const thing *e,
                         const thing *f)
{
    LB_SELF(six, six_high, slot, a, b, c, d, e, f);
    return 1000000 + lb_next_six(self, a, b, c, d, e, f);
}

static void nine_low(lb_slot slot, const thing *a, int *out, const thing *b,
                     const thing *c, int x, const thing *d, const thing *e,
                     float y, const thing *f, const thing *g, long z, lb_ref h,
                     const thing *i, uint8_t v, matrix m, double w)
{
    LB_IGNORE(slot);
    const thing *all[] = {a, b, c, d, e, f, g, h.object, i};
    int right =
        x == 1 && y == 2 && z == 3 && v == 4 && m.cell[7] == 5 && w == 6;
    for (size_t n = 0; n < COUNT_OF(all); n++)
        right = right && all[n]->number == (int64_t)n + 1;
    *out += right;
}

static void nine_high(lb_slot slot, const thing *a, int *out, const thing *b,
                      const thing *c, int x, const thing *d, const thing *e,
                      float y, const thing *f, const thing *g, long z, lb_ref h,
                      const thing *i, uint8_t v, matrix m, double w)
{
    LB_SELF_VOID(nine, nine_high, slot, a, out, b, c, x, d, e, y, f, g, z, h, i,
                 v, m, w)
    *out += 10;
    lb_next_nine(self, a, out, b, c, x, d, e, y, f, g, z, h, i, v, m, w);
}

static int fat_low(lb_slot slot, lb_ref r, int x)
{
    LB_IGNORE(slot);
    return *(int *)r.object + x;
}

static int fat_high(lb_slot slot, lb_ref r, int x)
{
    LB_SELF(fat, fat_high, slot, r, x);
    return 100 + lb_next_fat(self, r, x);
}

static int by_low(lb_slot slot, tagged t)
{
    LB_IGNORE(slot);
    return (int)t.payload;
}

static int by_high(lb_slot slot, tagged t)
{
    LB_SELF(by, by_high, slot, t);
    return 100 + lb_next_by(self, t);
}

/* A world with two classes, high below low. */
typedef struct pair {
    lb_class *low, *high;
} pair;

static pair open_pair(world *w, lb_head *head)
{
    pair p;
    p.low = world_class(w, "low", NULL, NULL);
    p.high = world_class(w, "high", p.low, NULL);
    assert_ok(lb_bind(w->runtime, head, NULL));
    return p;
}

/* Adds a method for `low` everywhere and one for `high` in all of `count`. */
static void define(lb_head *head, const lb_method *low, const lb_method *high,
                   pair p, size_t count)
{
    lb_class *lows[LB_MAX_DISPATCH], *highs[LB_MAX_DISPATCH];
    for (size_t i = 0; i < LB_MAX_DISPATCH; i++) {
        lows[i] = i < count ? p.low : NULL;
        highs[i] = i < count ? p.high : NULL;
    }
    assert_ok(lb_add_classes(head, low, lows));
    assert_ok(lb_add_classes(head, high, highs));
}

static void one_argument_selects(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(one));
    define(LB_HEAD(one), LB_DESCRIPTOR(one_low), LB_DESCRIPTOR(one_high), p, 1);
    thing low = thing_of(p.low), high = thing_of(p.high);
    low.number = 1;
    high.number = 2;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(one(&low), 1);
        assert_int_equal(one(&high), 102);
    }
}

static void two_arguments_select_among_plain_ones(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(two));
    define(LB_HEAD(two), LB_DESCRIPTOR(two_low), LB_DESCRIPTOR(two_high), p, 2);
    thing low = thing_of(p.low), high = thing_of(p.high);
    low.number = 1;
    high.number = 2;
    for (int i = 0; i < 3; i++) {
        assert_true(two(0.5, &low, "abc", &low, 0) == 311.5);
        assert_true(two(0.5, &high, "abc", &low, 1) == 313.5);
        assert_true(two(0.5, &low, "", &high, 0) == 21.5);
        assert_true(two(0.5, &high, "abc", &high, 0) == 1322.5);
    }
}

static void references_and_tagged_values_select(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(three));
    define(LB_HEAD(three), LB_DESCRIPTOR(three_low), LB_DESCRIPTOR(three_high),
           p, 3);
    tag_heads[0] = lb_class_header(p.low);
    tag_heads[1] = lb_class_header(p.high);
    int64_t plain = 4;
    const thing high = thing_of(p.high);
    for (int i = 0; i < 3; i++)
        for (uint32_t bits = 0; bits < 4; bits++) {
            const lb_ref r = lb_reference(bits & 1 ? p.high : p.low, &plain);
            const tagged t = {bits >> 1, 7};
            assert_int_equal(three(&high, r, t), bits == 3 ? 1740 : 740);
        }
}

static void four_arguments_select_and_structs_go_through(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(four));
    define(LB_HEAD(four), LB_DESCRIPTOR(four_low), LB_DESCRIPTOR(four_high), p,
           4);
    thing t[2] = {thing_of(p.low), thing_of(p.high)};
    t[0].number = 1;
    t[1].number = 2;
    matrix m;
    for (size_t i = 0; i < COUNT_OF(m.cell); i++)
        m.cell[i] = (double)i;
    for (unsigned bits = 0; bits < 48; bits++) {
        const thing *a = &t[bits & 1], *b = &t[bits >> 1 & 1],
                    *c = &t[bits >> 2 & 1], *d = &t[bits >> 3 & 1];
        const matrix got = four(a, m, b, c, 2, d);
        assert_true(got.cell[0] ==
                    (double)(b->number * 100 + c->number * 10 + d->number));
        assert_true(got.cell[3] == 6 + (double)a->number);
        assert_true(got.cell[15] ==
                    (bits % 16 == 15 ? -1 : 30 + (double)a->number));
    }
}

static void six_arguments_select(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(six));
    define(LB_HEAD(six), LB_DESCRIPTOR(six_low), LB_DESCRIPTOR(six_high), p, 6);
    thing t[2] = {thing_of(p.low), thing_of(p.high)};
    t[1].number = 1;
    for (unsigned bits = 0; bits < 192; bits++) {
        const thing *v[6];
        unsigned expected = bits % 64 == 63 ? 1000000 : 0, digits = 0;
        for (unsigned i = 0; i < 6; i++) {
            v[i] = &t[bits >> i & 1];
            digits = digits * 10 + (bits >> i & 1);
        }
        expected += digits;
        assert_int_equal(six(v[0], v[1], v[2], v[3], v[4], v[5]), expected);
    }
}

static int call_nine(pair p, unsigned bits)
{
    thing t[9];
    matrix m = {{0}};
    int out = 0;
    m.cell[7] = 5;
    for (unsigned i = 0; i < 9; i++) {
        t[i] = thing_of(bits >> i & 1 ? p.high : p.low);
        t[i].number = (int64_t)i + 1;
    }
    const lb_ref h = lb_reference(bits >> 7 & 1 ? p.high : p.low, &t[7]);
    nine(&t[0], &out, &t[1], &t[2], 1, &t[3], &t[4], 2, &t[5], &t[6], 3, h,
         &t[8], 4, m, 6);
    return out;
}

static void nine_of_sixteen_arguments_select(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(nine));
    define(LB_HEAD(nine), LB_DESCRIPTOR(nine_low), LB_DESCRIPTOR(nine_high), p,
           9);
    for (unsigned bits = 0; bits < 1536; bits++)
        assert_int_equal(call_nine(p, bits % 512), bits % 512 == 511 ? 11 : 1);
}

static void a_reference_needs_no_header_in_the_object(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(fat));
    define(LB_HEAD(fat), LB_DESCRIPTOR(fat_low), LB_DESCRIPTOR(fat_high), p, 1);
    int plain = 5;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fat(lb_reference(p.low, &plain), 1), 6);
        assert_int_equal(fat(lb_reference(p.high, &plain), 1), 106);
    }
}

static void a_tagged_value_is_found_through_its_function(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(by));
    define(LB_HEAD(by), LB_DESCRIPTOR(by_low), LB_DESCRIPTOR(by_high), p, 1);
    tag_heads[0] = lb_class_header(p.low);
    tag_heads[1] = lb_class_header(p.high);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(by((tagged){0, 9}), 9);
        assert_int_equal(by((tagged){1, 9}), 109);
    }
}

static lb_value boxed_struct(const void *at)
{
    lb_value value;
    value.constant = at;
    return value;
}

static void typed_generics_are_invoked_with_boxed_values(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(four));
    define(LB_HEAD(four), LB_DESCRIPTOR(four_low), LB_DESCRIPTOR(four_high), p,
           4);
    thing high = thing_of(p.high);
    matrix m = {{0}}, out = {{0}};
    const double k = 2;
    high.number = 3;
    m.cell[2] = 4;
    const lb_value argv[] = {lb_pointer(&high),     boxed_struct(&m),
                             lb_pointer(&high),     lb_pointer(&high),
                             lb_pack(&k, sizeof k), lb_pointer(&high)};
    lb_value result = boxed_struct(&out);
    assert_ok(lb_invoke(LB_GENERIC_OF(four), 6, argv, &result));
    assert_true(out.cell[0] == 333 && out.cell[2] == 11 && out.cell[15] == -1);
    assert_ok(lb_invoke(LB_GENERIC_OF(four), 6, argv, NULL));
    assert_status(LB_BAD_ARGUMENT,
                  lb_invoke(LB_GENERIC_OF(four), 5, argv, &result));
}

static void references_are_invoked_with_boxed_values(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(fat));
    define(LB_HEAD(fat), LB_DESCRIPTOR(fat_low), LB_DESCRIPTOR(fat_high), p, 1);
    int plain = 5, got = 0;
    const lb_ref r = lb_reference(p.high, &plain);
    const lb_value argv[] = {lb_pack(&r, sizeof r), lb_integer(2)};
    lb_value result = lb_integer(0);
    assert_ok(lb_invoke(LB_GENERIC_OF(fat), 2, argv, &result));
    lb_unpack(&got, sizeof got, &result);
    assert_int_equal(got, 107);
}

static void void_generics_are_tried_and_invoked(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(nine));
    const lb_ref h = lb_reference(p.low, NULL);
    const thing t = thing_of(p.low);
    matrix m = {{0}};
    int out = 0;
    assert_status(LB_NO_METHOD, lb_try_nine(&t, &out, &t, &t, 1, &t, &t, 2, &t,
                                            &t, 3, h, &t, 4, m, 6));
    nine(&t, &out, &t, &t, 1, &t, &t, 2, &t, &t, 3, h, &t, 4, m, 6);
    assert_int_equal(out, 0);
    assert_int_equal(w->reported, LB_NO_METHOD);
}

static void trying_gives_the_result_and_a_status(void **state)
{
    world *w = *state;
    const pair p = open_pair(w, LB_HEAD(one));
    thing low = thing_of(p.low);
    int result = 77;
    low.number = 3;
    assert_status(LB_NO_METHOD, lb_try_one(&result, &low));
    assert_int_equal(result, 77);
    assert_contains(lb_message(), "one");
    assert_contains(lb_message(), "low");
    assert_ok(lb_add(LB_HEAD(one), LB_DESCRIPTOR(one_low), p.low));
    assert_ok(lb_try_one(&result, &low));
    assert_int_equal(result, 3);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_argument_selects),
        TEST(two_arguments_select_among_plain_ones),
        TEST(references_and_tagged_values_select),
        TEST(four_arguments_select_and_structs_go_through),
        TEST(six_arguments_select),
        TEST(nine_of_sixteen_arguments_select),
        TEST(a_reference_needs_no_header_in_the_object),
        TEST(a_tagged_value_is_found_through_its_function),
        TEST(typed_generics_are_invoked_with_boxed_values),
        TEST(references_are_invoked_with_boxed_values),
        TEST(void_generics_are_tried_and_invoked),
        TEST(trying_gives_the_result_and_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
