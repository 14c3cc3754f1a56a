/* object/field.c - reading and writing C members by their type.
 *
 * Members are naturally aligned, so each is read and written whole: threads
 * that get and set the same one see old or new.
 */
#include "object/field.h"

typedef struct field_type {
    const char *name;
    uint32_t size;
    int64_t least, greatest; /* of integers; both 0: no limit */
} field_type;

static const field_type types[LB_FIELD_TYPE_COUNT] = {
    [LB_FIELD_VALUE] = {"value", 8, 0, 0},
    [LB_FIELD_POINTER] = {"pointer", 8, 0, 0},
    [LB_FIELD_BOOL] = {"bool", 1, 0, 0},
    [LB_FIELD_INT8] = {"int8", 1, INT8_MIN, INT8_MAX},
    [LB_FIELD_INT16] = {"int16", 2, INT16_MIN, INT16_MAX},
    [LB_FIELD_INT32] = {"int32", 4, INT32_MIN, INT32_MAX},
    [LB_FIELD_INT64] = {"int64", 8, 0, 0},
    [LB_FIELD_UINT8] = {"uint8", 1, 0, UINT8_MAX},
    [LB_FIELD_UINT16] = {"uint16", 2, 0, UINT16_MAX},
    [LB_FIELD_UINT32] = {"uint32", 4, 0, UINT32_MAX},
    [LB_FIELD_UINT64] = {"uint64", 8, 0, 0},
    [LB_FIELD_FLOAT] = {"float", 4, 0, 0},
    [LB_FIELD_DOUBLE] = {"double", 8, 0, 0},
};

lb_status lbi_field_check(const lb_class *cls, const lb_symbol *symbol,
                          const lb_attribute_spec *spec)
{
    if ((unsigned)spec->type >= LB_FIELD_TYPE_COUNT)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "field %s.%s: type %d is none of lb_field_type",
                        cls->name, symbol->text, (int)spec->type);
    const field_type *type = &types[spec->type];
    const size_t first =
        cls->flags & LB_FREE_ATTRIBUTES ? sizeof(lb_object) : sizeof(lb_header);
    if (spec->offset < first ||
        (size_t)spec->offset + type->size > cls->instance_size)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "field %s.%s: type %s at offset %u does not lie in "
                        "the %zu bytes of an instance after its first %zu",
                        cls->name, symbol->text, type->name, spec->offset,
                        cls->instance_size, first);
    if (spec->offset % type->size != 0)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "field %s.%s: offset %u is not a multiple of %u, the "
                        "size of %s",
                        cls->name, symbol->text, spec->offset, type->size,
                        type->name);
    return LB_OK;
}

static const void *address(const void *object, const lb_attribute *field)
{
    return (const char *)object + field->offset;
}

lb_value lbi_field_get(const void *object, const lb_attribute *field)
{
    const void *at = address(object, field);
    lb_value value = {.bits = 0};
    uint32_t word;
    float real;
    switch ((lb_field_type)field->type) {
    case LB_FIELD_BOOL:
    case LB_FIELD_UINT8:
        value.bits = lbi_load((const uint8_t *)at);
        break;
    case LB_FIELD_INT8:
        value.integer = lbi_load((const int8_t *)at);
        break;
    case LB_FIELD_INT16:
        value.integer = lbi_load((const int16_t *)at);
        break;
    case LB_FIELD_UINT16:
        value.bits = lbi_load((const uint16_t *)at);
        break;
    case LB_FIELD_INT32:
        value.integer = lbi_load((const int32_t *)at);
        break;
    case LB_FIELD_UINT32:
        value.bits = lbi_load((const uint32_t *)at);
        break;
    case LB_FIELD_FLOAT:
        word = lbi_load((const uint32_t *)at);
        memcpy(&real, &word, sizeof real);
        value.real = (double)real;
        break;
    default:
        value.bits = lbi_load_word(at);
        break;
    }
    return value;
}

lb_status lbi_field_check_value(const lb_attribute *field, lb_value value)
{
    const field_type *type = &types[field->type];
    if (type->least == type->greatest ||
        (value.integer >= type->least && value.integer <= type->greatest))
        return LB_OK;
    return lbi_fail(LB_BAD_ARGUMENT,
                    "field %s.%s: %lld does not fit the type %s; want %lld "
                    "to %lld",
                    field->owner->name, field->symbol->text,
                    (long long)value.integer, type->name,
                    (long long)type->least, (long long)type->greatest);
}

static void store(void *at, lb_field_type type, lb_value value)
{
    const float real = type == LB_FIELD_FLOAT ? (float)value.real : 0;
    uint32_t word;
    switch (type) {
    case LB_FIELD_BOOL:
        lbi_store((uint8_t *)at, value.bits != 0);
        break;
    case LB_FIELD_FLOAT:
        memcpy(&word, &real, sizeof word);
        lbi_store((uint32_t *)at, word);
        break;
    default:
        switch (types[type].size) {
        case 1:
            lbi_store((uint8_t *)at, (uint8_t)value.bits);
            break;
        case 2:
            lbi_store((uint16_t *)at, (uint16_t)value.bits);
            break;
        case 4:
            lbi_store((uint32_t *)at, (uint32_t)value.bits);
            break;
        default:
            lbi_store((uint64_t *)at, value.bits);
            break;
        }
    }
}

lb_value lbi_field_set(void *object, const lb_attribute *field, lb_value value)
{
    const lb_value before = lbi_field_get(object, field);
    store((char *)object + field->offset, (lb_field_type)field->type, value);
    return before;
}
