/* Attributes of classes: what each kind comes to, setting, replacing and
 * deleting them, fields and properties, and who holds what for how long.
 */
#include <stdbool.h>

#include "support/objects.h"
#include "support/test.h"

static lb_status tell_self(const lb_attribute *self, lb_value receiver,
                           lb_value *result)
{
    (void)receiver;
    result->constant = self->context;
    return LB_OK;
}

static lb_status tell_receiver(const lb_attribute *self, lb_value receiver,
                               lb_value *result)
{
    (void)self;
    *result = receiver;
    return LB_OK;
}

static lb_status get_number(const lb_attribute *self, lb_value receiver,
                            lb_value *result)
{
    (void)self;
    result->integer = ((const person *)receiver.constant)->number;
    return LB_OK;
}

static lb_status set_number(const lb_attribute *self, lb_value receiver,
                            lb_value value)
{
    (void)self;
    ((person *)receiver.pointer)->number = value.integer;
    return LB_OK;
}

static lb_status remove_number(const lb_attribute *self, lb_value receiver)
{
    (void)self;
    ((person *)receiver.pointer)->number = -1;
    return LB_OK;
}

static lb_status fail_to_get(const lb_attribute *self, lb_value receiver,
                             lb_value *result)
{
    (void)self;
    (void)receiver;
    (void)result;
    return lb_fail_with(LB_METHOD_FAILED, "no luck");
}

static lb_status fail_to_set(const lb_attribute *self, lb_value receiver,
                             lb_value value)
{
    (void)self;
    (void)receiver;
    (void)value;
    return lb_fail_with(LB_METHOD_FAILED, "no luck");
}

static lb_status fail_to_remove(const lb_attribute *self, lb_value receiver)
{
    (void)self;
    (void)receiver;
    return lb_fail_with(LB_METHOD_FAILED, "no luck");
}

/* ---- Kinds -------------------------------------------------------------- */

/* One specification of each kind. */
static lb_attribute_spec spec_of(lb_attribute_kind kind)
{
    lb_attribute_spec spec = {.kind = kind, .context = (void *)(uintptr_t) "x"};
    if (kind == LB_VALUE)
        spec.value = lb_integer(42);
    else if (kind <= LB_CLASS_METHOD)
        spec.call = objects_say;
    else if (kind == LB_PROPERTY)
        spec.get = tell_self;
    else {
        spec.type = LB_FIELD_INT64;
        spec.offset = offsetof(person, number);
    }
    return spec;
}

/* What an attribute made by spec_of comes to through an instance. */
static void check_through_instance(lb_attribute_kind kind, const person *p,
                                   lb_class *cls, const lb_found *found)
{
    static const lb_found_kind kinds[] = {LB_FOUND_VALUE,    LB_FOUND_METHOD,
                                          LB_FOUND_FUNCTION, LB_FOUND_METHOD,
                                          LB_FOUND_OWNED,    LB_FOUND_VALUE};
    assert_int_equal(found->kind, kinds[kind]);
    if (kind == LB_VALUE)
        assert_int_equal(found->value.integer, 42);
    if (kind == LB_FUNCTION)
        assert_ptr_equal(found->self.constant, p);
    if (kind == LB_CLASS_METHOD)
        assert_ptr_equal(found->self.constant, cls);
    if (kind == LB_PROPERTY)
        assert_string_equal(found->value.constant, "x");
    if (kind == LB_FIELD)
        assert_int_equal(found->value.integer, 7);
    if (found->kind == LB_FOUND_METHOD || found->kind == LB_FOUND_FUNCTION)
        assert_int_equal(found->method->kind, kind);
    else
        assert_null(found->method);
}

static void
each_kind_comes_to_what_the_page_says_through_an_instance(objects *o)
{
    lb_class *base = objects_class(o, "base", NULL, NULL);
    lb_class *cls = objects_class(o, "cls", base, NULL);
    person *p = lb_new(cls);
    p->number = 7;
    for (int kind = LB_VALUE; kind <= LB_FIELD; kind++) {
        lb_found found;
        objects_set(o, base, "x", spec_of((lb_attribute_kind)kind));
        for (int again = 0; again < 3; again++) {
            assert_ok(lb_get(p, objects_symbol(o, "x"), &found));
            check_through_instance((lb_attribute_kind)kind, p, cls, &found);
        }
    }
    lb_delete(cls, p);
}

static void each_kind_comes_to_what_the_page_says_through_the_class(objects *o)
{
    static const lb_found_kind kinds[] = {
        LB_FOUND_VALUE,  LB_FOUND_FUNCTION,   LB_FOUND_FUNCTION,
        LB_FOUND_METHOD, LB_FOUND_DESCRIPTOR, LB_FOUND_DESCRIPTOR};
    lb_class *base = objects_class(o, "base", NULL, NULL);
    lb_class *cls = objects_class(o, "cls", base, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    for (int kind = LB_VALUE; kind <= LB_FIELD; kind++) {
        lb_found found;
        objects_set(o, base, "x", spec_of((lb_attribute_kind)kind));
        assert_ok(lb_class_get(cls, x, &found));
        assert_int_equal(found.kind, kinds[kind]);
        if (kind == LB_VALUE)
            assert_int_equal(found.value.integer, 42);
        if (kind == LB_CLASS_METHOD)
            assert_ptr_equal(found.self.constant, cls);
        if (kind != LB_VALUE)
            assert_ptr_equal(found.method, lb_class_own(base, x));
    }
}

/* Every kind in place of every other, looked up before and after. */
static void a_replacement_by_any_kind_is_seen_at_once(objects *o)
{
    lb_class *base = objects_class(o, "base", NULL, NULL);
    lb_class *cls = objects_class(o, "cls", base, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    person *p = lb_new(cls);
    p->number = 7;
    for (int pair = 0; pair < 36; pair++)
        for (int side = 0; side < 2; side++) {
            const lb_attribute_kind kind =
                (lb_attribute_kind)(side ? pair / 6 : pair % 6);
            lb_found found;
            objects_set(o, base, "x", spec_of(kind));
            assert_ok(lb_try_get(p, x, &found));
            check_through_instance(kind, p, cls, &found);
        }
    lb_delete(cls, p);
}

static void an_attribute_knows_what_it_is(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    int context;
    const lb_attribute_spec spec = {.kind = LB_FUNCTION,
                                    .call = objects_say,
                                    .value = objects_value(o, 1),
                                    .context = &context};
    assert_null(lb_class_own(cls, x));
    assert_ok(lb_class_set(cls, x, &spec));
    const lb_attribute *made = lb_class_own(cls, x);
    assert_true(made->call == objects_say);
    assert_ptr_equal(made->context, &context);
    assert_ptr_equal(made->value.pointer, objects_value(o, 1).pointer);
    assert_ptr_equal(made->owner, cls);
    assert_ptr_equal(made->symbol, x);
    assert_int_equal(made->kind, LB_FUNCTION);
    assert_int_equal(made->data, 0);
    objects_set(o, cls, "x", spec_of(LB_PROPERTY));
    assert_int_equal(lb_class_own(cls, x)->data, 1);
    objects_set(o, cls, "x", spec_of(LB_FIELD));
    assert_int_equal(lb_class_own(cls, x)->data, 1);
    assert_int_equal(lb_class_own(cls, x)->type, LB_FIELD_INT64);
}

/* ---- Hiding and uncovering ---------------------------------------------- */

static void a_subclass_hides_and_deleting_uncovers_the_inherited(objects *o)
{
    lb_class *base = objects_class(o, "base", NULL, NULL);
    lb_class *cls = objects_class(o, "cls", base, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    person *p = lb_new(cls), *q = lb_new(base);
    assert_ok(lb_class_set_value(base, "x", lb_integer(1)));
    assert_int_equal(objects_get(o, p, "x").integer, 1);
    assert_ok(lb_class_set_value(cls, "x", lb_integer(2)));
    assert_int_equal(objects_get(o, p, "x").integer, 2);
    assert_int_equal(objects_get(o, q, "x").integer, 1);
    assert_ok(lb_class_delete(cls, x));
    assert_int_equal(objects_get(o, p, "x").integer, 1);
    assert_ok(lb_class_delete(base, x));
    assert_int_equal(objects_try(o, p, "x"), LB_NO_ATTRIBUTE);
    assert_int_equal(objects_try(o, q, "x"), LB_NO_ATTRIBUTE);
    lb_delete(cls, p);
    lb_delete(base, q);
}

static void deleting_what_only_a_base_has_is_no_attribute(objects *o)
{
    lb_class *base = objects_class(o, "base", NULL, NULL);
    lb_class *cls = objects_class(o, "cls", base, NULL);
    assert_ok(lb_class_set_value(base, "x", lb_integer(1)));
    assert_status(LB_NO_ATTRIBUTE,
                  lb_class_delete(cls, objects_symbol(o, "x")));
    assert_status(LB_NO_ATTRIBUTE,
                  lb_class_delete(base, objects_symbol(o, "y")));
    assert_status(LB_NO_ATTRIBUTE,
                  lb_dictionary_delete(lb_class_dictionary(cls), "x"));
    assert_status(LB_NO_ATTRIBUTE,
                  lb_dictionary_delete(lb_class_dictionary(cls), "ghost"));
}

static void of_two_bases_the_first_in_the_order_wins(objects *o)
{
    lb_class *top = objects_class(o, "top", NULL, NULL);
    lb_class *left = objects_class(o, "left", top, NULL);
    lb_class *right = objects_class(o, "right", top, NULL);
    lb_class *both = objects_class(o, "both", left, right);
    person *p = lb_new(both);
    lb_class *swapped[] = {right, left};
    assert_ok(lb_class_set_value(top, "x", lb_integer(1)));
    assert_int_equal(objects_get(o, p, "x").integer, 1);
    assert_ok(lb_class_set_value(right, "x", lb_integer(2)));
    assert_int_equal(objects_get(o, p, "x").integer, 2);
    assert_ok(lb_class_set_value(left, "x", lb_integer(3)));
    assert_int_equal(objects_get(o, p, "x").integer, 3);
    assert_ok(lb_class_set_bases(both, swapped, 2));
    assert_int_equal(objects_get(o, p, "x").integer, 2);
    assert_ok(
        lb_class_set_linearization(both, (lb_class *[]){left, right, top}, 3));
    assert_int_equal(objects_get(o, p, "x").integer, 3);
    lb_delete(both, p);
}

/* ---- Several at once ---------------------------------------------------- */

static void a_definition_sets_all_and_of_one_name_the_last(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    const lb_symbol *x = objects_symbol(o, "x"), *y = objects_symbol(o, "y");
    const lb_definition all[] = {
        {x, {.kind = LB_VALUE, .value = objects_value(o, 1)}},
        {y, {.kind = LB_VALUE, .value = objects_value(o, 2)}},
        {x, {.kind = LB_VALUE, .value = objects_value(o, 3)}}};
    assert_ok(lb_class_define(cls, all, 3));
    assert_ptr_equal(objects_get(o, p, "x").pointer,
                     objects_value(o, 3).pointer);
    assert_ptr_equal(objects_get(o, p, "y").pointer,
                     objects_value(o, 2).pointer);
    assert_ok(lb_quiesce(o->runtime));
    assert_int_equal(objects_count(o, 1), 0);
    assert_int_equal(objects_count(o, 2), 1);
    assert_int_equal(objects_count(o, 3), 1);
    assert_int_equal(lb_dictionary_count(lb_class_dictionary(cls)), 2);
    lb_delete(cls, p);
}

static int releases;

static void count_release(void *context)
{
    (void)context;
    releases++;
}

static void a_bad_definition_sets_none_and_is_named(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x"), *y = objects_symbol(o, "y");
    const lb_symbol *wrong = objects_symbol(o, "the_wrong_one");
    const lb_definition all[] = {{x,
                                  {.kind = LB_VALUE,
                                   .value = objects_value(o, 1),
                                   .release = count_release}},
                                 {wrong, {.kind = LB_PROPERTY}},
                                 {y, {.kind = LB_VALUE}}};
    releases = 0;
    assert_status(LB_BAD_ARGUMENT, lb_class_define(cls, all, 3));
    assert_contains(lb_message(), "the_wrong_one");
    assert_null(lb_class_own(cls, x));
    assert_null(lb_class_own(cls, y));
    assert_int_equal(objects_count(o, 1), 0);
    assert_ok(lb_quiesce(o->runtime));
    assert_int_equal(releases, 0);
}

static void an_empty_definition_is_a_definition(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    assert_ok(lb_class_define(cls, NULL, 0));
    assert_int_equal(lb_dictionary_count(lb_class_dictionary(cls)), 0);
}

/* ---- Bad arguments ------------------------------------------------------ */

static void bad(objects *o, lb_class *cls, lb_attribute_spec spec)
{
    const lb_symbol *x = objects_symbol(o, "x");
    (void)lb_fail_with(LB_OK, "");
    assert_status(LB_BAD_ARGUMENT, lb_class_set(cls, x, &spec));
    assert_string_not_equal(lb_message(), "");
    assert_null(lb_class_own(cls, x));
}

static void nothing_in_place_of_an_argument_is_refused(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    const lb_attribute_spec spec = {.kind = LB_VALUE};
    const lb_definition nameless = {NULL, {.kind = LB_VALUE}};
    assert_status(LB_BAD_ARGUMENT, lb_class_set(NULL, x, &spec));
    assert_status(LB_BAD_ARGUMENT, lb_class_set(cls, NULL, &spec));
    assert_status(LB_BAD_ARGUMENT, lb_class_set(cls, x, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_class_define(NULL, &nameless, 1));
    assert_status(LB_BAD_ARGUMENT, lb_class_define(cls, NULL, 1));
    assert_status(LB_BAD_ARGUMENT, lb_class_define(cls, &nameless, 1));
    assert_status(LB_BAD_ARGUMENT, lb_class_delete(NULL, x));
    assert_status(LB_BAD_ARGUMENT, lb_class_delete(cls, NULL));
    assert_status(LB_BAD_ARGUMENT, lb_class_set_value(NULL, "x", spec.value));
    assert_status(LB_BAD_ARGUMENT, lb_class_set_value(cls, NULL, spec.value));
    assert_status(LB_BAD_ARGUMENT,
                  lb_class_set_method(cls, NULL, objects_say, NULL));
    assert_status(LB_BAD_ARGUMENT,
                  lb_dictionary_set(lb_class_dictionary(cls), NULL, &spec));
    assert_status(LB_BAD_ARGUMENT,
                  lb_dictionary_set(lb_class_dictionary(cls), "x", NULL));
    assert_status(LB_BAD_ARGUMENT,
                  lb_dictionary_delete(lb_class_dictionary(cls), NULL));
    assert_null(lb_class_own(cls, x));
}

static void an_impossible_attribute_is_refused(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    bad(o, cls, (lb_attribute_spec){.kind = (lb_attribute_kind)6});
    bad(o, cls, (lb_attribute_spec){.kind = (lb_attribute_kind)-1});
    bad(o, cls, (lb_attribute_spec){.kind = LB_PROPERTY});
    bad(o, cls,
        (lb_attribute_spec){.kind = LB_FIELD,
                            .offset = offsetof(person, number),
                            .type = LB_FIELD_TYPE_COUNT});
}

static void a_field_outside_the_instance_is_refused(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    lb_class *thin = lb_object_class(o->runtime, "thin", NULL, NULL);
    const uint32_t size = sizeof(person);
    bad(o, cls, (lb_attribute_spec){.kind = LB_FIELD, .offset = size});
    bad(o, cls, (lb_attribute_spec){.kind = LB_FIELD, .offset = size - 4});
    bad(o, cls, (lb_attribute_spec){.kind = LB_FIELD, .offset = UINT32_MAX});
    bad(o, cls,
        (lb_attribute_spec){.kind = LB_FIELD, .offset = UINT32_MAX - 7});
    bad(o, cls,
        (lb_attribute_spec){
            .kind = LB_FIELD, .type = LB_FIELD_INT8, .offset = size});
    bad(o, thin,
        (lb_attribute_spec){.kind = LB_FIELD, .offset = sizeof(lb_object)});
    const lb_attribute_spec last = {
        .kind = LB_FIELD, .type = LB_FIELD_UINT8, .offset = size - 1};
    assert_ok(lb_class_set(cls, objects_symbol(o, "x"), &last));
}

static void a_symbol_of_another_runtime_is_refused(objects *o)
{
    lb_runtime *other = NULL;
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_attribute_spec spec = {.kind = LB_VALUE};
    assert_ok(lb_runtime_create(NULL, &other));
    const lb_symbol *theirs = lb_intern(other, "x");
    assert_status(LB_BAD_ARGUMENT, lb_class_set(cls, theirs, &spec));
    assert_status(LB_BAD_ARGUMENT, lb_class_delete(cls, theirs));
    const lb_definition foreign = {theirs, spec};
    assert_status(LB_BAD_ARGUMENT, lb_class_define(cls, &foreign, 1));
    assert_int_equal(lb_dictionary_count(lb_class_dictionary(cls)), 0);
    lb_runtime_destroy(other);
}

/* ---- Properties --------------------------------------------------------- */

static void a_property_is_got_set_and_deleted_by_its_functions(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    person *p = lb_new(cls);
    p->number = 5;
    objects_set(o, cls, "x",
                (lb_attribute_spec){.kind = LB_PROPERTY,
                                    .get = get_number,
                                    .set = set_number,
                                    .remove = remove_number});
    assert_int_equal(objects_get(o, p, "x").integer, 5);
    assert_ok(lb_set(p, x, lb_integer(6)));
    assert_int_equal(objects_get(o, p, "x").integer, 6);
    assert_int_equal(p->number, objects_in_python(o) ? 6 : 5);
    assert_ok(lb_unset(p, x));
    assert_int_equal(objects_get(o, p, "x").integer,
                     objects_in_python(o) ? -1 : 5);
    lb_delete(cls, p);
}

static void
a_property_without_a_getter_is_no_attribute_with_a_message(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    objects_set(o, cls, "x",
                (lb_attribute_spec){.kind = LB_PROPERTY, .set = set_number});
    for (int i = 0; i < 3; i++) {
        (void)lb_fail_with(LB_OK, "");
        assert_int_equal(objects_try(o, p, "x"), LB_NO_ATTRIBUTE);
        assert_contains(lb_message(), "x");
    }
    lb_delete(cls, p);
}

static void a_property_without_setter_or_deleter_is_read_only(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    person *p = lb_new(cls);
    objects_set(o, cls, "x",
                (lb_attribute_spec){.kind = LB_PROPERTY, .get = get_number});
    if (objects_in_python(o)) {
        assert_status(LB_READ_ONLY, lb_set(p, x, lb_integer(6)));
        assert_contains(lb_message(), "x");
        assert_status(LB_READ_ONLY, lb_unset(p, x));
        assert_status(LB_READ_ONLY, lb_set_text(p, "x", lb_integer(6)));
        assert_status(LB_READ_ONLY, lb_unset_text(p, "x"));
        assert_int_equal(objects_get(o, p, "x").integer, 0);
    } else {
        assert_ok(lb_set(p, x, lb_integer(6)));
        assert_int_equal(objects_get(o, p, "x").integer, 6);
    }
    lb_delete(cls, p);
}

static void what_a_propertys_function_returns_is_the_result(objects *o)
{
    lb_found found;
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    person *p = lb_new(cls);
    objects_set(o, cls, "x",
                (lb_attribute_spec){.kind = LB_PROPERTY,
                                    .get = fail_to_get,
                                    .set = fail_to_set,
                                    .remove = fail_to_remove});
    assert_status(LB_METHOD_FAILED, lb_try_get(p, x, &found));
    assert_string_equal(lb_message(), "no luck");
    assert_status(LB_METHOD_FAILED, lb_get(p, x, &found));
    assert_string_equal(lb_message(), "no luck");
    assert_status(LB_METHOD_FAILED, lb_get_text(p, "x", &found));
    if (objects_in_python(o)) {
        assert_status(LB_METHOD_FAILED, lb_set(p, x, lb_integer(6)));
        assert_status(LB_METHOD_FAILED, lb_unset(p, x));
    }
    lb_delete(cls, p);
}

static void a_getter_is_told_the_receiver_and_the_attribute(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    objects_set(o, cls, "self", spec_of(LB_PROPERTY));
    objects_set(o, cls, "receiver",
                (lb_attribute_spec){.kind = LB_PROPERTY, .get = tell_receiver});
    assert_string_equal(objects_get(o, p, "self").constant, "x");
    assert_ptr_equal(objects_get(o, p, "receiver").constant, p);
    lb_delete(cls, p);
}

/* ---- Fields ------------------------------------------------------------- */

typedef struct members {
    lb_object base;
    bool truth;
    int8_t int8;
    int16_t int16;
    int32_t int32;
    int64_t int64;
    uint8_t uint8;
    uint16_t uint16;
    uint32_t uint32;
    uint64_t uint64;
    float single;
    double real;
    void *pointer;
} members;

static lb_class *class_of_members(objects *o)
{
    lb_class *cls = NULL;
    const lb_class_spec spec = {.name = "members",
                                .instance_size = sizeof(members),
                                .flags = LB_FREE_ATTRIBUTES};
    assert_ok(lb_class_create(o->runtime, &spec, &cls));
    return cls;
}

static void field(objects *o, lb_class *cls, const char *name,
                  lb_field_type type, size_t offset)
{
    objects_set(o, cls, name,
                (lb_attribute_spec){.kind = LB_FIELD,
                                    .type = type,
                                    .offset = (uint32_t)offset});
}

static void a_field_is_seen_as_its_type(objects *o)
{
    lb_class *cls = class_of_members(o);
    members *m = lb_new(cls);
    m->truth = true;
    m->int8 = -8;
    m->int16 = -1600;
    m->uint8 = 250;
    m->uint32 = UINT32_MAX;
    m->uint64 = UINT64_MAX;
    m->single = 0.5F;
    m->real = 0.25;
    m->pointer = m;
    field(o, cls, "truth", LB_FIELD_BOOL, offsetof(members, truth));
    field(o, cls, "int8", LB_FIELD_INT8, offsetof(members, int8));
    field(o, cls, "int16", LB_FIELD_INT16, offsetof(members, int16));
    field(o, cls, "uint8", LB_FIELD_UINT8, offsetof(members, uint8));
    field(o, cls, "uint32", LB_FIELD_UINT32, offsetof(members, uint32));
    field(o, cls, "uint64", LB_FIELD_UINT64, offsetof(members, uint64));
    field(o, cls, "single", LB_FIELD_FLOAT, offsetof(members, single));
    field(o, cls, "real", LB_FIELD_DOUBLE, offsetof(members, real));
    field(o, cls, "pointer", LB_FIELD_POINTER, offsetof(members, pointer));
    assert_int_equal(objects_get(o, m, "truth").integer, 1);
    assert_int_equal(objects_get(o, m, "int8").integer, -8);
    assert_int_equal(objects_get(o, m, "int16").integer, -1600);
    assert_int_equal(objects_get(o, m, "uint8").integer, 250);
    assert_int_equal(objects_get(o, m, "uint32").integer, UINT32_MAX);
    assert_true(objects_get(o, m, "uint64").bits == UINT64_MAX);
    assert_true(objects_get(o, m, "single").real == 0.5);
    assert_true(objects_get(o, m, "real").real == 0.25);
    assert_ptr_equal(objects_get(o, m, "pointer").pointer, m);
    lb_delete(cls, m);
}

/* Sets a field to both ends of its range and one beyond each. */
static void check_range(objects *o, lb_class *cls, lb_field_type type,
                        size_t offset, int64_t least, int64_t most)
{
    members *m = lb_new(cls);
    const lb_symbol *x = objects_symbol(o, "x");
    field(o, cls, "x", type, offset);
    assert_ok(lb_set(m, x, lb_integer(least)));
    assert_int_equal(objects_get(o, m, "x").integer, least);
    assert_ok(lb_set(m, x, lb_integer(most)));
    assert_int_equal(objects_get(o, m, "x").integer, most);
    assert_status(LB_BAD_ARGUMENT, lb_set(m, x, lb_integer(most + 1)));
    assert_contains(lb_message(), "x");
    assert_status(LB_BAD_ARGUMENT, lb_set(m, x, lb_integer(least - 1)));
    assert_int_equal(objects_get(o, m, "x").integer, most);
    lb_delete(cls, m);
}

static void an_integer_out_of_the_fields_range_is_refused(objects *o)
{
    lb_class *cls = class_of_members(o);
    if (!objects_in_python(o)) /* nothing sets a field in the order of 1998 */
        return;
    check_range(o, cls, LB_FIELD_INT8, offsetof(members, int8), INT8_MIN,
                INT8_MAX);
    check_range(o, cls, LB_FIELD_INT16, offsetof(members, int16), INT16_MIN,
                INT16_MAX);
    check_range(o, cls, LB_FIELD_INT32, offsetof(members, int32), INT32_MIN,
                INT32_MAX);
    check_range(o, cls, LB_FIELD_UINT8, offsetof(members, uint8), 0, UINT8_MAX);
    check_range(o, cls, LB_FIELD_UINT16, offsetof(members, uint16), 0,
                UINT16_MAX);
    check_range(o, cls, LB_FIELD_UINT32, offsetof(members, uint32), 0,
                UINT32_MAX);
}

static void setting_a_field_writes_the_member_and_no_other(objects *o)
{
    lb_class *cls = class_of_members(o);
    members *m = lb_new(cls), expected;
    const lb_symbol *x = objects_symbol(o, "x");
    field(o, cls, "x", LB_FIELD_INT16, offsetof(members, int16));
    memset(&m->truth, 0x55, sizeof *m - offsetof(members, truth));
    memcpy(&expected, m, sizeof expected);
    expected.int16 = -2;
    assert_ok(lb_set(m, x, lb_integer(-2)));
    if (objects_in_python(o))
        assert_memory_equal(m, &expected, sizeof expected);
    else
        assert_int_equal(m->int16, 0x5555);
    lb_delete(cls, m);
}

static void any_value_but_zero_sets_a_truth_to_one(objects *o)
{
    lb_class *cls = class_of_members(o);
    members *m = lb_new(cls);
    const lb_symbol *x = objects_symbol(o, "x");
    field(o, cls, "x", LB_FIELD_BOOL, offsetof(members, truth));
    if (objects_in_python(o)) {
        assert_ok(lb_set(m, x, lb_integer(256)));
        assert_int_equal(objects_get(o, m, "x").integer, 1);
        assert_ok(lb_set(m, x, lb_integer(0)));
        assert_int_equal(objects_get(o, m, "x").integer, 0);
    }
    lb_delete(cls, m);
}

static void a_field_cannot_be_deleted_nor_a_read_only_one_set(objects *o)
{
    lb_class *cls = objects_plain_class(o, "plain", NULL);
    thing t = thing_of(cls);
    const lb_symbol *x = objects_symbol(o, "x");
    objects_set(o, cls, "x",
                (lb_attribute_spec){.kind = LB_FIELD,
                                    .type = LB_FIELD_INT64,
                                    .offset = offsetof(thing, number),
                                    .read_only = 1});
    t.number = 9;
    assert_status(LB_READ_ONLY, lb_set(&t, x, lb_integer(1)));
    assert_contains(lb_message(), "x");
    assert_status(LB_READ_ONLY, lb_unset(&t, x));
    assert_int_equal(objects_get(o, &t, "x").integer, 9);
}

static void a_field_of_values_holds_what_is_set(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_symbol *x = objects_symbol(o, "x");
    person *p = lb_new(cls);
    field(o, cls, "x", LB_FIELD_VALUE, offsetof(person, value));
    if (objects_in_python(o)) {
        assert_ok(lb_set(p, x, objects_value(o, 1)));
        assert_int_equal(objects_count(o, 1), 1);
        assert_ok(lb_set(p, x, objects_value(o, 2)));
        assert_int_equal(objects_count(o, 2), 1);
        assert_ok(lb_set(p, x, lb_integer(0)));
        assert_ok(lb_quiesce(o->runtime));
        assert_int_equal(objects_count(o, 1), 0);
        assert_int_equal(objects_count(o, 2), 0);
    }
    lb_delete(cls, p);
}

/* ---- The dictionary as a thing ------------------------------------------ */

static void a_dictionary_is_walked_in_the_order_of_first_definition(objects *o)
{
    static const char *const names[] = {"d", "a", "c", "b", "e"};
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_dictionary dictionary = lb_class_dictionary(cls);
    const lb_attribute *here;
    size_t cursor = 0, i = 0;
    assert_null(lb_dictionary_next(dictionary, &cursor));
    for (size_t k = 0; k < COUNT_OF(names); k++)
        assert_ok(lb_class_set_value(cls, names[k], lb_integer((int)k)));
    assert_ok(lb_class_set_value(cls, "a", lb_integer(99)));
    cursor = 0;
    while ((here = lb_dictionary_next(dictionary, &cursor)) != NULL)
        assert_string_equal(here->symbol->text, names[i++]);
    assert_int_equal(i, COUNT_OF(names));
}

static void a_dictionary_is_changed_and_read_by_texts(objects *o)
{
    lb_class *base = objects_class(o, "base", NULL, NULL);
    lb_class *cls = objects_class(o, "cls", base, NULL);
    const lb_dictionary dictionary = lb_class_dictionary(cls);
    person *p = lb_new(cls);
    const lb_attribute_spec spec = {.kind = LB_VALUE, .value = lb_integer(3)};
    assert_ptr_equal(dictionary.cls, cls);
    assert_int_equal(objects_try(o, p, "x"), LB_NO_ATTRIBUTE);
    assert_ok(lb_dictionary_set(dictionary, "x", &spec));
    assert_int_equal(objects_get(o, p, "x").integer, 3);
    assert_int_equal(lb_dictionary_count(dictionary), 1);
    assert_ptr_equal(lb_dictionary_get(dictionary, "x"),
                     lb_class_own(cls, objects_symbol(o, "x")));
    assert_ok(lb_class_set_value(base, "y", lb_integer(4)));
    assert_null(lb_dictionary_get(dictionary, "y"));
    assert_null(lb_dictionary_get(dictionary, "ghost"));
    assert_ok(lb_dictionary_delete(dictionary, "x"));
    assert_int_equal(lb_dictionary_count(dictionary), 0);
    assert_int_equal(objects_try(o, p, "x"), LB_NO_ATTRIBUTE);
    lb_delete(cls, p);
}

static void a_dictionary_of_many_names_finds_them_all(objects *o)
{
    enum { MANY = 400 };
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    char name[16];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        assert_ok(lb_class_set_value(cls, name, lb_integer(i)));
    }
    for (int i = 0; i < MANY; i += 2) {
        (void)snprintf(name, sizeof name, "m%d", i);
        assert_ok(lb_dictionary_delete(lb_class_dictionary(cls), name));
    }
    assert_int_equal(lb_dictionary_count(lb_class_dictionary(cls)), MANY / 2);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        assert_int_equal(objects_try(o, p, name),
                         i % 2 ? LB_OK : LB_NO_ATTRIBUTE);
        if (i % 2)
            assert_int_equal(objects_get(o, p, name).integer, i);
    }
    lb_delete(cls, p);
}

/* ---- The hook `changed` ------------------------------------------------- */

static const char *kind_name(const lb_attribute *attribute)
{
    static const char *const names[] = {"value",        "function", "static",
                                        "class-method", "property", "field"};
    return attribute != NULL ? names[attribute->kind] : "nothing";
}

/* Notes the change, and that a look-up in the hook sees it. */
static void note_change(void *context, lb_class *cls, const lb_symbol *symbol,
                        const lb_attribute *now, const lb_attribute *before)
{
    char text[96];
    lb_found found;
    (void)context;
    (void)snprintf(text, sizeof text, "%s.%s:%s>%s", lb_class_name(cls),
                   symbol->text, kind_name(before), kind_name(now));
    note(text);
    const lb_attribute *own = lb_class_own(cls, symbol);
    assert_int_equal(own == NULL, now == NULL);
    if (now != NULL)
        assert_memory_equal(own, now, sizeof *now);
    assert_int_equal(lb_class_get(cls, symbol, &found),
                     now != NULL ? LB_OK : LB_NO_ATTRIBUTE);
}

static void changes_are_told(objects *o)
{
    lb_class *cls = objects_class(o, "c", NULL, NULL);
    const lb_dictionary dictionary = lb_class_dictionary(cls);
    const lb_attribute_spec property = spec_of(LB_PROPERTY);
    const lb_symbol *y = objects_symbol(o, "y");
    const lb_definition body[] = {{y, property},
                                  {objects_symbol(o, "z"), spec_of(LB_FIELD)}};
    notes_take();
    assert_ok(lb_class_set_value(cls, "x", lb_integer(1)));
    assert_string_equal(notes_take(), "c.x:nothing>value");
    assert_ok(lb_class_set_method(cls, "x", objects_say, NULL));
    assert_string_equal(notes_take(), "c.x:value>function");
    assert_ok(lb_dictionary_set(dictionary, "x", &property));
    assert_string_equal(notes_take(), "c.x:function>property");
    assert_ok(lb_dictionary_delete(dictionary, "x"));
    assert_string_equal(notes_take(), "c.x:property>nothing");
    assert_ok(lb_class_define(cls, body, 2));
    assert_string_equal(notes_take(), "c.y:nothing>property c.z:nothing>field");
    assert_ok(lb_class_delete(cls, y));
    assert_string_equal(notes_take(), "c.y:property>nothing");
    assert_status(LB_NO_ATTRIBUTE, lb_class_delete(cls, y));
    assert_status(LB_BAD_ARGUMENT, lb_class_set(cls, y, NULL));
    assert_string_equal(notes_take(), "");
}

static void each_change_of_a_dictionary_is_told_to_the_hook(void **state)
{
    const lb_object_options options = {.changed = note_change};
    (void)state;
    objects_with_under_every_policy(&options, changes_are_told);
}

/* ---- Who holds what ----------------------------------------------------- */

static lb_attribute_spec held(objects *o, int i)
{
    return (lb_attribute_spec){.kind = LB_VALUE,
                               .value = objects_value(o, i),
                               .release = count_release};
}

static void alone_a_replaced_value_is_released_at_once(void **state)
{
    objects o;
    (void)state;
    objects_open(&o, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE, NULL);
    lb_class *cls = objects_class(&o, "cls", NULL, NULL);
    releases = 0;
    objects_set(&o, cls, "x", held(&o, 1));
    assert_int_equal(objects_count(&o, 1), 1);
    objects_set(&o, cls, "x", held(&o, 2));
    assert_int_equal(objects_count(&o, 1), 0);
    assert_int_equal(objects_count(&o, 2), 1);
    assert_int_equal(releases, 1);
    assert_ok(lb_class_delete(cls, objects_symbol(&o, "x")));
    assert_int_equal(objects_count(&o, 2), 0);
    assert_int_equal(releases, 2);
    objects_close(&o);
}

static void alone_in_a_bracket_a_replaced_value_waits_for_its_end(void **state)
{
    objects o;
    lb_reader *reader = NULL;
    (void)state;
    objects_open(&o, LB_SINGLE_THREADED, LB_RECLAIM_QUIESCE, NULL);
    lb_class *cls = objects_class(&o, "cls", NULL, NULL);
    assert_ok(lb_reader_create(o.runtime, &reader));
    objects_set(&o, cls, "x", held(&o, 1));
    releases = 0;
    lb_enter(reader);
    objects_set(&o, cls, "x", held(&o, 2));
    assert_int_equal(objects_count(&o, 1), 1);
    assert_int_equal(releases, 0);
    lb_leave(reader);
    objects_set(&o, cls, "x", held(&o, 3));
    assert_int_equal(objects_count(&o, 1), 0);
    assert_int_equal(objects_count(&o, 2), 0);
    assert_int_equal(releases, 2);
    assert_ok(lb_reader_destroy(reader));
    objects_close(&o);
}

static void among_threads_a_replaced_value_waits_for_quiescence(void **state)
{
    objects o;
    (void)state;
    objects_open(&o, LB_MULTI_THREADED, LB_RECLAIM_QUIESCE, NULL);
    lb_class *cls = objects_class(&o, "cls", NULL, NULL);
    person *p = lb_new(cls);
    releases = 0;
    objects_set(&o, cls, "x", held(&o, 1));
    objects_set(&o, cls, "x", held(&o, 2));
    assert_ok(lb_set_text(p, "y", objects_value(&o, 3)));
    assert_ok(lb_set_text(p, "y", objects_value(&o, 4)));
    assert_ok(lb_unset_text(p, "y"));
    assert_int_equal(objects_count(&o, 1), 1);
    assert_int_equal(objects_count(&o, 3), 1);
    assert_int_equal(objects_count(&o, 4), 1);
    assert_int_equal(releases, 0);
    assert_ok(lb_quiesce(o.runtime));
    assert_int_equal(objects_count(&o, 1), 0);
    assert_int_equal(objects_count(&o, 2), 1);
    assert_int_equal(objects_count(&o, 3), 0);
    assert_int_equal(objects_count(&o, 4), 0);
    assert_int_equal(releases, 1);
    lb_delete(cls, p);
    objects_close(&o);
}

static void with_epochs_a_replaced_value_waits_for_the_readers(void **state)
{
    objects o;
    lb_reader *reader = NULL;
    (void)state;
    objects_open(&o, LB_MULTI_THREADED, LB_RECLAIM_EPOCH, NULL);
    lb_class *cls = objects_class(&o, "cls", NULL, NULL);
    assert_ok(lb_reader_create(o.runtime, &reader));
    objects_set(&o, cls, "x", held(&o, 1));
    releases = 0;
    lb_enter(reader);
    for (int i = 2; i < 12; i++)
        objects_set(&o, cls, "x", held(&o, i));
    assert_int_equal(objects_count(&o, 1), 1);
    assert_int_equal(releases, 0);
    lb_leave(reader);
    assert_ok(lb_synchronize(o.runtime));
    for (int i = 1; i < 11; i++)
        assert_int_equal(objects_count(&o, i), 0);
    assert_int_equal(releases, 10);
    assert_ok(lb_reader_destroy(reader));
    objects_close(&o);
}

static void a_value_that_several_hold_is_counted_for_each(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    lb_class *other = objects_class(o, "other", cls, NULL);
    person *p = lb_new(other);
    assert_ok(lb_class_set_value(cls, "x", objects_value(o, 1)));
    assert_ok(lb_class_set_value(cls, "y", objects_value(o, 1)));
    assert_ok(lb_class_set_value(other, "x", objects_value(o, 1)));
    assert_ok(lb_set_text(p, "z", objects_value(o, 1)));
    (void)objects_get(o, p, "x"); /* a look-up holds nothing */
    assert_int_equal(objects_count(o, 1), 4);
    lb_delete(other, p);
    assert_ok(lb_quiesce(o->runtime));
    assert_int_equal(objects_count(o, 1), 3);
}

/* The hooks are asked for every value but those that are not there. */
static int hook_calls;

static void count_hook(void *context, lb_value value)
{
    (void)context;
    (void)value;
    hook_calls++;
}

static void set_without_value(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    hook_calls = 0;
    for (int kind = LB_FUNCTION; kind <= LB_FIELD; kind++)
        objects_set(o, cls, "x", spec_of((lb_attribute_kind)kind));
    assert_ok(lb_class_delete(cls, objects_symbol(o, "x")));
    assert_ok(lb_quiesce(o->runtime));
    assert_int_equal(hook_calls, 0);
    objects_set(o, cls, "x", (lb_attribute_spec){.kind = LB_VALUE});
    assert_int_equal(hook_calls, 1); /* zero is a value of a value */
}

static void only_values_that_are_there_are_held(void **state)
{
    const lb_object_options options = {.retain = count_hook,
                                       .release = count_hook};
    (void)state;
    objects_with_under_every_policy(&options, set_without_value);
}

static void a_destroyed_class_gives_up_what_it_held(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    releases = 0;
    for (int i = 0; i < 5; i++) {
        char name[] = {(char)('a' + i), '\0'};
        objects_set(o, cls, name, held(o, i));
    }
    assert_ok(lb_class_destroy(cls));
    assert_ok(lb_quiesce(o->runtime));
    for (int i = 0; i < 5; i++)
        assert_int_equal(objects_count(o, i), 0);
    assert_int_equal(releases, 5);
}

static void the_end_of_a_runtime_gives_up_everything(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    for (int i = 0; i < 5; i++)
        objects_set(o, cls, "x", held(o, i));
    assert_int_equal(objects_count(o, 4), 1);
    /* objects_close checks that no count and no memory is left */
}

static void a_refused_attribute_leaves_its_context_to_the_caller(objects *o)
{
    lb_class *cls = objects_class(o, "cls", NULL, NULL);
    const lb_attribute_spec spec = {.kind = LB_PROPERTY,
                                    .value = objects_value(o, 1),
                                    .release = count_release};
    releases = 0;
    assert_status(LB_BAD_ARGUMENT,
                  lb_class_set(cls, objects_symbol(o, "x"), &spec));
    assert_ok(lb_quiesce(o->runtime));
    assert_int_equal(releases, 0);
    assert_int_equal(objects_count(o, 1), 0);
}

static void without_hooks_values_are_plain_bits(void **state)
{
    world *w = *state;
    lb_class *cls = lb_object_class(w->runtime, "cls", NULL, NULL);
    lb_object *object = lb_new(cls);
    lb_found found;
    for (int i = 0; i < 3; i++) {
        assert_ok(lb_class_set_value(cls, "x", lb_integer(-1 - i)));
        assert_ok(lb_set_text(object, "y", lb_integer(i)));
    }
    assert_ok(lb_get_text(object, "x", &found));
    assert_int_equal(found.value.integer, -3);
    assert_ok(lb_get_text(object, "y", &found));
    assert_int_equal(found.value.integer, 2);
    lb_delete(cls, object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OBJECTS_TEST(each_kind_comes_to_what_the_page_says_through_an_instance),
        OBJECTS_TEST(each_kind_comes_to_what_the_page_says_through_the_class),
        OBJECTS_TEST(a_replacement_by_any_kind_is_seen_at_once),
        OBJECTS_TEST(an_attribute_knows_what_it_is),
        OBJECTS_TEST(a_subclass_hides_and_deleting_uncovers_the_inherited),
        OBJECTS_TEST(deleting_what_only_a_base_has_is_no_attribute),
        OBJECTS_TEST(of_two_bases_the_first_in_the_order_wins),
        OBJECTS_TEST(a_definition_sets_all_and_of_one_name_the_last),
        OBJECTS_TEST(a_bad_definition_sets_none_and_is_named),
        OBJECTS_TEST(an_empty_definition_is_a_definition),
        OBJECTS_TEST(nothing_in_place_of_an_argument_is_refused),
        OBJECTS_TEST(an_impossible_attribute_is_refused),
        OBJECTS_TEST(a_field_outside_the_instance_is_refused),
        OBJECTS_TEST(a_symbol_of_another_runtime_is_refused),
        OBJECTS_TEST(a_property_is_got_set_and_deleted_by_its_functions),
        OBJECTS_TEST(
            a_property_without_a_getter_is_no_attribute_with_a_message),
        OBJECTS_TEST(a_property_without_setter_or_deleter_is_read_only),
        OBJECTS_TEST(what_a_propertys_function_returns_is_the_result),
        OBJECTS_TEST(a_getter_is_told_the_receiver_and_the_attribute),
        OBJECTS_TEST(a_field_is_seen_as_its_type),
        OBJECTS_TEST(an_integer_out_of_the_fields_range_is_refused),
        OBJECTS_TEST(setting_a_field_writes_the_member_and_no_other),
        OBJECTS_TEST(any_value_but_zero_sets_a_truth_to_one),
        OBJECTS_TEST(a_field_cannot_be_deleted_nor_a_read_only_one_set),
        OBJECTS_TEST(a_field_of_values_holds_what_is_set),
        OBJECTS_TEST(a_dictionary_is_walked_in_the_order_of_first_definition),
        OBJECTS_TEST(a_dictionary_is_changed_and_read_by_texts),
        OBJECTS_TEST(a_dictionary_of_many_names_finds_them_all),
        cmocka_unit_test(each_change_of_a_dictionary_is_told_to_the_hook),
        cmocka_unit_test(alone_a_replaced_value_is_released_at_once),
        cmocka_unit_test(alone_in_a_bracket_a_replaced_value_waits_for_its_end),
        cmocka_unit_test(among_threads_a_replaced_value_waits_for_quiescence),
        cmocka_unit_test(with_epochs_a_replaced_value_waits_for_the_readers),
        OBJECTS_TEST(a_value_that_several_hold_is_counted_for_each),
        cmocka_unit_test(only_values_that_are_there_are_held),
        OBJECTS_TEST(a_destroyed_class_gives_up_what_it_held),
        OBJECTS_TEST(the_end_of_a_runtime_gives_up_everything),
        OBJECTS_TEST(a_refused_attribute_leaves_its_context_to_the_caller),
        cmocka_unit_test_setup_teardown(without_hooks_values_are_plain_bits,
                                        world_open, world_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
