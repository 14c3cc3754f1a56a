/* attribute_methods.c - what the methods of attribute_things.h do, as methods
 * that are found by name and as methods of typed generic functions: opaque to
 * the loops that call them. */
#include "attribute_things.h"

LB_DEFINE_GENERIC(typed_answer);
LB_DEFINE_GENERIC(typed_answer_to);

static int value_of(lb_value receiver)
{
    return ((const instance *)receiver.constant)->value;
}

#define ANSWER(n)                                                              \
    static lb_status answer_##n(const lb_attribute *self, size_t argc,         \
                                const lb_value *argv, lb_value *result)        \
    {                                                                          \
        (void)self;                                                            \
        if (argc != 1)                                                         \
            return LB_BAD_ARGUMENT;                                            \
        result->integer = value_of(argv[0]) + n;                               \
        return LB_OK;                                                          \
    }
REPEAT_64(ANSWER, 0)
#define NAME(n) answer_##n,
const lb_call_fn answers[ATTRIBUTE_CLASSES] = {REPEAT_64(NAME, 0)};

#define ANSWER_TO(n)                                                           \
    static lb_status answer_to_##n(const lb_attribute *self, size_t argc,      \
                                   const lb_value *argv, lb_value *result)     \
    {                                                                          \
        (void)self;                                                            \
        if (argc != 2)                                                         \
            return LB_BAD_ARGUMENT;                                            \
        result->integer = value_of(argv[0]) + (int)argv[1].integer + n;        \
        return LB_OK;                                                          \
    }
REPEAT_64(ANSWER_TO, 0)
#define NAME_TO(n) answer_to_##n,
const lb_call_fn answers_to[ATTRIBUTE_CLASSES] = {REPEAT_64(NAME_TO, 0)};

#define TYPED(n)                                                               \
    LB_METHOD(typed_answer, typed_##n);                                        \
    static int typed_##n(lb_slot slot, const instance *object)                 \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        return object->value + n;                                              \
    }
REPEAT_64(TYPED, 0)
#define DESCRIPTOR(n) LB_DESCRIPTOR(typed_##n),
const lb_method *const typed_answers[ATTRIBUTE_CLASSES] = {
    REPEAT_64(DESCRIPTOR, 0)};

#define TYPED_TO(n)                                                            \
    LB_METHOD(typed_answer_to, typed_to_##n);                                  \
    static int typed_to_##n(lb_slot slot, const instance *object, int number)  \
    {                                                                          \
        LB_IGNORE(slot);                                                       \
        return object->value + number + n;                                     \
    }
REPEAT_64(TYPED_TO, 0)
#define DESCRIPTOR_TO(n) LB_DESCRIPTOR(typed_to_##n),
const lb_method *const typed_answers_to[ATTRIBUTE_CLASSES] = {
    REPEAT_64(DESCRIPTOR_TO, 0)};
