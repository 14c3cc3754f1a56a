/* shapes.c - classes and methods of the small C library. */
#include "shapes.h"

LB_DEFINE_GENERIC(area);
LB_DEFINE_GENERIC(scaled);
LB_DEFINE_GENERIC(meet);
LB_DEFINE_GENERIC(label);
LB_DEFINE_GENERIC(is_large);
LB_DEFINE_GENERIC(touch);
LB_DEFINE_GENERIC(add_up);
LB_DEFINE_GENERIC(pick);
LB_DEFINE_GENERIC(gap);
LB_DEFINE_GENERIC(tint);
LB_DEFINE_GENERIC(weigh);
LB_DEFINE_GENERIC(heavier);
LB_DEFINE_GENERIC(digits);
LB_DEFINE_GENERIC(strange);

lb_class *shape_class, *circle_class, *square_class, *level_class[4];

LB_METHOD(area, circle_area);
static double circle_area(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return 3 * ((const circle *)s)->r * ((const circle *)s)->r;
}

LB_METHOD(area, square_area);
static double square_area(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    return ((const square *)s)->side * ((const square *)s)->side;
}

LB_METHOD(scaled, shape_scaled);
static double shape_scaled(lb_slot slot, const shape *s, double by,
                           float and_by)
{
    LB_IGNORE(slot);
    return area(s) * by * (double)and_by;
}

LB_METHOD(meet, shapes_meet);
static int shapes_meet(lb_slot slot, const shape *a, const shape *b)
{
    LB_IGNORE(slot);
    return a->sides * 10 + b->sides;
}

LB_METHOD(label, shape_label);
static const char *shape_label(lb_slot slot, const shape *s, const char *prefix)
{
    LB_IGNORE(slot);
    return s->sides ? prefix : NULL;
}

LB_METHOD(is_large, shape_is_large);
static bool shape_is_large(lb_slot slot, const shape *s, bool strictly)
{
    LB_IGNORE(slot);
    return strictly ? area(s) > 100 : area(s) >= 100;
}

LB_METHOD(touch, shape_touch);
static void shape_touch(lb_slot slot, shape *s, uint8_t tag)
{
    LB_IGNORE(slot);
    s->tag = tag;
}

LB_METHOD(add_up, shape_add_up);
static int64_t shape_add_up(lb_slot slot, const shape *s, int8_t a,
                            unsigned short b, int c, uint64_t d)
{
    LB_IGNORE(slot);
    (void)s;
    return a + b + c + (int64_t)d;
}

LB_METHOD(pick, pick_first);
static shape *pick_first(lb_slot slot, shape *a, shape *b)
{
    LB_IGNORE(slot);
    return a->sides ? a : b->sides ? b : NULL;
}

LB_METHOD(gap, shape_gap);
static double shape_gap(lb_slot slot, const shape *s, const shape *other)
{
    LB_IGNORE(slot);
    return other ? area(other) - area(s) : -1;
}

LB_METHOD(tint, shape_tint);
static colour shape_tint(lb_slot slot, const shape *s, colour by)
{
    LB_IGNORE(slot);
    (void)s;
    return by == BLUE ? RED : (colour)(by + 1);
}

LB_METHOD(weigh, weigh_shape);
static long weigh_shape(lb_slot slot, lb_ref what)
{
    LB_IGNORE(slot);
    return ((const shape *)what.object)->sides;
}

LB_METHOD(heavier, heavier_of);
static lb_ref heavier_of(lb_slot slot, lb_ref a, lb_ref b)
{
    LB_IGNORE(slot);
    return weigh(a) >= weigh(b) ? a : b;
}

LB_METHOD(digits, first_digits);
static long first_digits(lb_slot slot, const shape *s)
{
    LB_IGNORE(slot);
    (void)s;
    return 1;
}

LB_METHOD(digits, third_digits);
static long third_digits(lb_slot slot, const shape *s)
{
    LB_SELF(digits, third_digits, slot, s);
    return 10 * lb_next_digits(self, s) + 1;
}

static lb_status set_field(lb_class *cls, const char *name, lb_field_type type,
                           size_t offset)
{
    const lb_attribute_spec spec = {
        .kind = LB_FIELD, .type = type, .offset = (uint32_t)offset};
    return lb_dictionary_set(lb_class_dictionary(cls), name, &spec);
}

lb_status shapes_setup_classes(lb_runtime *rt)
{
    lb_status status;
    shape_class = lb_class_make(rt, "Shape", sizeof(shape), NULL, NULL);
    if (shape_class == NULL)
        return LB_NO_MEMORY;
    circle_class =
        lb_class_make(rt, "Circle", sizeof(circle), shape_class, NULL);
    square_class =
        lb_class_make(rt, "Square", sizeof(square), shape_class, NULL);
    lb_class *base = shape_class;
    for (int i = 0; i < 4; i++) {
        const char name[] = {'L', 'e', 'v', 'e', 'l', (char)('0' + i), 0};
        base = level_class[i] =
            base ? lb_class_make(rt, name, 0, base, NULL) : NULL;
    }
    if (circle_class == NULL || square_class == NULL || base == NULL)
        return LB_NO_MEMORY;
    if ((status = set_field(shape_class, "sides", LB_FIELD_INT32,
                            offsetof(shape, sides))) ||
        (status = set_field(shape_class, "tag", LB_FIELD_UINT8,
                            offsetof(shape, tag))) ||
        (status = set_field(circle_class, "r", LB_FIELD_DOUBLE,
                            offsetof(circle, r))))
        return status;
    return set_field(square_class, "side", LB_FIELD_DOUBLE,
                     offsetof(square, side));
}

/* One rule for one class, the other dispatched arguments being any. */
static lb_status add(lb_head *head, const lb_method *method, lb_class *cls)
{
    const lb_specializer s = lb_is(cls);
    const lb_rule rule = {.method = method, .specializers = &s, .count = 1};
    return lb_add_rules(head->generic, &rule, 1);
}

lb_status shapes_setup_methods(void)
{
    const struct {
        lb_head *head;
        const lb_method *method;
        lb_class *cls;
    } all[] = {
        {LB_HEAD(area), LB_DESCRIPTOR(circle_area), circle_class},
        {LB_HEAD(area), LB_DESCRIPTOR(square_area), square_class},
        {LB_HEAD(scaled), LB_DESCRIPTOR(shape_scaled), shape_class},
        {LB_HEAD(meet), LB_DESCRIPTOR(shapes_meet), shape_class},
        {LB_HEAD(label), LB_DESCRIPTOR(shape_label), shape_class},
        {LB_HEAD(is_large), LB_DESCRIPTOR(shape_is_large), shape_class},
        {LB_HEAD(touch), LB_DESCRIPTOR(shape_touch), shape_class},
        {LB_HEAD(add_up), LB_DESCRIPTOR(shape_add_up), shape_class},
        {LB_HEAD(pick), LB_DESCRIPTOR(pick_first), shape_class},
        {LB_HEAD(gap), LB_DESCRIPTOR(shape_gap), shape_class},
        {LB_HEAD(tint), LB_DESCRIPTOR(shape_tint), shape_class},
        {LB_HEAD(weigh), LB_DESCRIPTOR(weigh_shape), shape_class},
        {LB_HEAD(heavier), LB_DESCRIPTOR(heavier_of), lb_any_class},
        {LB_HEAD(digits), LB_DESCRIPTOR(first_digits), level_class[0]},
        {LB_HEAD(digits), LB_DESCRIPTOR(third_digits), level_class[2]},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        lb_class *const two[] = {all[i].cls, lb_any_class};
        const lb_status status =
            all[i].cls == lb_any_class
                ? lb_add_classes(
                      all[i].head, all[i].method,
                      (lb_class *const[]){lb_any_class, lb_any_class})
                : add(all[i].head, all[i].method, two[0]);
        if (status != LB_OK)
            return status;
    }
    return LB_OK;
}
