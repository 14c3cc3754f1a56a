/* bridge_type.c - C types by their names, and values between the languages.
 *
 * A signature (typed.h) is known by its text, e.g. "double (const shape *,
 * int)". Each type's text is brought to one form (words and stars set apart by
 * one space, without qualifiers but for the `const` of `const char *`) and
 * looked up in the bridge's table, which maps it to the number of a kind, or to
 * the type whose objects it points to. Extensions add to the table.
 */
#include "bridge.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

enum { LONGEST = 200 };

/* ---- names -------------------------------------------------------------- */

static const struct {
    const char *name;
    lbpy_code code;
} plain[] = {
    {"void", LBPY_C_VOID},         {"_Bool", LBPY_C_BOOL},
    {"bool", LBPY_C_BOOL},         {"float", LBPY_C_FLOAT},
    {"double", LBPY_C_DOUBLE},     {"const char *", LBPY_C_TEXT},
    {"PyObject *", LBPY_C_PYTHON}, {"lb_ref", LBPY_C_REF},
};

#define SIGNED(T) sizeof(T), true
#define UNSIGNED(T) sizeof(T), false

static const struct {
    const char *name;
    size_t size;
    bool is_signed;
} integers[] = {
    {"char", sizeof(char), CHAR_MIN < 0},
    {"signed char", SIGNED(signed char)},
    {"unsigned char", UNSIGNED(unsigned char)},
    {"short", SIGNED(short)},
    {"short int", SIGNED(short)},
    {"unsigned short", UNSIGNED(unsigned short)},
    {"unsigned short int", UNSIGNED(unsigned short)},
    {"int", SIGNED(int)},
    {"signed", SIGNED(int)},
    {"signed int", SIGNED(int)},
    {"unsigned", UNSIGNED(unsigned)},
    {"unsigned int", UNSIGNED(unsigned)},
    {"long", SIGNED(long)},
    {"long int", SIGNED(long)},
    {"unsigned long", UNSIGNED(unsigned long)},
    {"unsigned long int", UNSIGNED(unsigned long)},
    {"long long", SIGNED(long long)},
    {"long long int", SIGNED(long long)},
    {"unsigned long long", UNSIGNED(unsigned long long)},
    {"unsigned long long int", UNSIGNED(unsigned long long)},
    {"int8_t", SIGNED(int8_t)},
    {"int16_t", SIGNED(int16_t)},
    {"int32_t", SIGNED(int32_t)},
    {"int64_t", SIGNED(int64_t)},
    {"uint8_t", UNSIGNED(uint8_t)},
    {"uint16_t", UNSIGNED(uint16_t)},
    {"uint32_t", UNSIGNED(uint32_t)},
    {"uint64_t", UNSIGNED(uint64_t)},
    {"intptr_t", SIGNED(intptr_t)},
    {"uintptr_t", UNSIGNED(uintptr_t)},
    {"ptrdiff_t", SIGNED(ptrdiff_t)},
    {"size_t", UNSIGNED(size_t)},
    {"ssize_t", SIGNED(Py_ssize_t)},
    {"Py_ssize_t", SIGNED(Py_ssize_t)},
    {"Py_hash_t", SIGNED(Py_hash_t)},
};

static lbpy_code integer_code(size_t size, bool is_signed)
{
    const int log = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
    return (lbpy_code)((is_signed ? LBPY_C_I8 : LBPY_C_U8) + log);
}

static int put_code(PyObject *types, const char *name, lbpy_code code)
{
    PyObject *number = PyLong_FromLong(code);
    const int status = number ? PyDict_SetItemString(types, name, number) : -1;
    Py_XDECREF(number);
    return status;
}

int lbpy_c_types_setup(lbpy_state *state)
{
    PyObject *types = state->bridge->c_types = PyDict_New();
    int status = types ? 0 : -1;
    for (size_t i = 0; i < sizeof plain / sizeof *plain && status == 0; i++)
        status = put_code(types, plain[i].name, plain[i].code);
    for (size_t i = 0; i < sizeof integers / sizeof *integers && status == 0;
         i++)
        status =
            put_code(types, integers[i].name,
                     integer_code(integers[i].size, integers[i].is_signed));
    return status;
}

/* ---- reading ------------------------------------------------------------ */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_dropped(const char *word, size_t length)
{
    static const char *const all[] = {"const", "volatile", "struct", "enum",
                                      "union"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strlen(all[i]) == length && memcmp(all[i], word, length) == 0)
            return true;
    return false;
}

static bool append(char *to, const char *part, size_t length)
{
    const size_t have = strlen(to);
    if (have + length + 2 > LONGEST)
        return false;
    if (have)
        to[have] = ' ';
    memcpy(to + have + (have > 0), part, length);
    to[have + (have > 0) + length] = 0;
    return true;
}

/* The one form of a type's text; false: it cannot be one that is known. */
static bool normalize(const char *text, size_t length, char *to)
{
    const char *const end = text + length;
    bool constant = false;
    *to = 0;
    while (text < end) {
        const char *start = text;
        if (*text == ' ') {
            text++;
            continue;
        }
        while (text < end && is_word(*text))
            text++;
        if (text == start && *text++ != '*')
            return false;
        const size_t found = (size_t)(text - start);
        constant |= *to == 0 && found == 5 && memcmp(start, "const", 5) == 0;
        if (!is_dropped(start, found) && !append(to, start, found))
            return false;
    }
    if (constant && strcmp(to, "char *") == 0)
        strcpy(to, "const char *");
    return *to != 0;
}

int lbpy_c_type_read(lbpy_state *state, const char *text, size_t length,
                     lbpy_c_type *type)
{
    char name[LONGEST];
    if (!normalize(text, length, name))
        return 0;
    PyObject *types = state->bridge->c_types;
    PyObject *key = types ? PyUnicode_FromString(name) : NULL;
    PyObject *found = key ? PyDict_GetItemWithError(types, key) : NULL;
    Py_XDECREF(key);
    if (found == NULL)
        return PyErr_Occurred() ? -1 : 0;
    if (PyLong_Check(found)) {
        type->code = (lbpy_code)PyLong_AsLong(found);
    } else {
        type->code = LBPY_C_OBJECT;
        type->cls = (lbpy_class *)Py_NewRef(found);
    }
    return 1;
}

int lbpy_c_types_name(lbpy_state *state, const char *name, const char *same_as)
{
    char key[LONGEST];
    lbpy_c_type type = {LBPY_C_VOID, NULL};
    const int known = lbpy_c_type_read(state, same_as, strlen(same_as), &type);
    if (known < 0)
        return -1;
    if (!known || !normalize(name, strlen(name), key)) {
        PyErr_Format(PyExc_ValueError, "no C type '%s' is known",
                     known ? name : same_as);
        Py_XDECREF(type.cls);
        return -1;
    }
    const int status = type.cls
                           ? PyDict_SetItemString(state->bridge->c_types, key,
                                                  (PyObject *)type.cls)
                           : put_code(state->bridge->c_types, key, type.code);
    Py_XDECREF(type.cls);
    return status;
}

int lbpy_c_types_struct(lbpy_state *state, const char *name, lbpy_class *type)
{
    char key[LONGEST];
    if (!normalize(name, strlen(name), key) || !append(key, "*", 1)) {
        PyErr_Format(PyExc_ValueError, "'%s' is not the name of a C type",
                     name);
        return -1;
    }
    return PyDict_SetItemString(state->bridge->c_types, key, (PyObject *)type);
}

/* ---- complaints --------------------------------------------------------- */

static int complain(PyObject *exception, const lbpy_where *where,
                    const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    PyObject *text = PyUnicode_FromFormatV(format, rest);
    va_end(rest);
    if (text && where->argument)
        PyErr_Format(exception, "%U: argument %d %U", where->name,
                     where->argument, text);
    else if (text)
        PyErr_Format(exception, "%U: the result %U", where->name, text);
    Py_XDECREF(text);
    return -1;
}

static int not_a(const char *wanted, PyObject *from, const lbpy_where *where)
{
    return complain(PyExc_TypeError, where, "must be %s, not %s", wanted,
                    Py_TYPE(from)->tp_name);
}

/* ---- to C --------------------------------------------------------------- */

static int out_of_range(PyObject *from, int bits, bool is_signed,
                        const lbpy_where *where)
{
    PyErr_Clear();
    return complain(PyExc_OverflowError, where,
                    "must fit %s integer of %d bits, not be %R",
                    is_signed ? "a signed" : "an unsigned", bits, from);
}

static int to_signed(PyObject *number, int bits, const lbpy_where *where,
                     lb_value *value)
{
    const int64_t limit = (int64_t)(UINT64_MAX >> (65 - bits));
    const long long wide = PyLong_AsLongLong(number);
    if ((wide == -1 && PyErr_Occurred()) || wide > limit || wide < -limit - 1)
        return out_of_range(number, bits, true, where);
    value->bits = 0;
    memcpy(value, &wide, (size_t)bits / 8);
    return 0;
}

static int to_unsigned(PyObject *number, int bits, const lbpy_where *where,
                       lb_value *value)
{
    const unsigned long long wide = PyLong_AsUnsignedLongLong(number);
    if ((wide == (unsigned long long)-1 && PyErr_Occurred()) ||
        wide > UINT64_MAX >> (64 - bits))
        return out_of_range(number, bits, false, where);
    value->bits = wide;
    return 0;
}

static int to_integer(lbpy_code code, PyObject *from, const lbpy_where *where,
                      lb_value *value)
{
    if (!PyIndex_Check(from))
        return not_a("an integer", from, where);
    PyObject *number = PyNumber_Index(from);
    if (number == NULL)
        return -1;
    const int status =
        code < LBPY_C_U8
            ? to_signed(number, 8 << (code - LBPY_C_I8), where, value)
            : to_unsigned(number, 8 << (code - LBPY_C_U8), where, value);
    Py_DECREF(number);
    return status;
}

static int to_floating(lbpy_code code, PyObject *from, const lbpy_where *where,
                       lb_value *value)
{
    const double wide = PyFloat_AsDouble(from);
    if (wide == -1.0 && PyErr_Occurred())
        return PyErr_ExceptionMatches(PyExc_TypeError)
                   ? not_a("a number", from, where)
                   : -1;
    const float narrow = (float)wide;
    *value = code == LBPY_C_FLOAT ? lb_pack(&narrow, sizeof narrow)
                                  : lb_pack(&wide, sizeof wide);
    return 0;
}

static int to_text(PyObject *from, const lbpy_where *where, lb_value *value)
{
    Py_ssize_t length = 0;
    value->constant = NULL;
    if (from == Py_None)
        return 0;
    if (!PyUnicode_Check(from))
        return not_a("a str or None", from, where);
    value->constant = PyUnicode_AsUTF8AndSize(from, &length);
    if (value->constant && strlen(value->constant) != (size_t)length)
        return complain(PyExc_ValueError, where,
                        "must be a text without a null character");
    return value->constant ? 0 : -1;
}

static int to_object(const lbpy_c_type *type, PyObject *from,
                     const lbpy_where *where, lb_value *value)
{
    value->pointer = NULL;
    if (from == Py_None && !where->dispatched)
        return 0;
    if (!PyObject_TypeCheck(from, &type->cls->type.ht_type))
        return not_a(type->cls->type.ht_type.tp_name, from, where);
    value->pointer = lbpy_object_pointer(from);
    return value->pointer ? 0 : -1;
}

/* An object of a class of C by that, any other by its type's. */
static int to_reference(lbpy_state *state, PyObject *from, lb_value *value,
                        lb_ref *room)
{
    value->constant = room;
    if (lbpy_is_object(state, from)) {
        room->object = lbpy_object_pointer(from);
        if (room->object)
            room->head = *(const lb_header *)room->object;
        return room->object ? 0 : -1;
    }
    if (state->abstract_count && lbpy_abc_refresh(state) < 0)
        return -1;
    const lbpy_type *record = lbpy_type_of(state, Py_TYPE(from));
    if (record == NULL)
        return -1;
    *room = lb_reference(record->cls, from);
    return 0;
}

int lbpy_to_c(lbpy_state *state, const lbpy_c_type *type, PyObject *from,
              const lbpy_where *where, lb_value *value, lb_ref *room)
{
    int truth;
    value->bits = 0;
    switch (type->code) {
    case LBPY_C_VOID:
        return 0;
    case LBPY_C_BOOL:
        truth = PyObject_IsTrue(from);
        value->bits = truth > 0;
        return truth < 0 ? -1 : 0;
    case LBPY_C_FLOAT:
    case LBPY_C_DOUBLE:
        return to_floating(type->code, from, where, value);
    case LBPY_C_TEXT:
        return to_text(from, where, value);
    case LBPY_C_PYTHON:
        value->pointer = from;
        return 0;
    case LBPY_C_OBJECT:
        return to_object(type, from, where, value);
    case LBPY_C_REF:
        return to_reference(state, from, value, room);
    default:
        return to_integer(type->code, from, where, value);
    }
}

/* ---- to Python ---------------------------------------------------------- */

static PyObject *from_text(const char *text)
{
    if (text == NULL)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), NULL);
}

bool lbpy_is_python_class(const lbpy_state *state, const lb_class *cls)
{
    for (size_t i = 0; i < state->type_room; i++)
        if (state->types[i] && state->types[i]->cls == cls)
            return true;
    return false;
}

static PyObject *from_reference(lbpy_state *state, const lb_value *value,
                                lbpy_tie tie, bool *fresh)
{
    lb_ref reference;
    lb_unpack(&reference, sizeof reference, value);
    if (reference.object == NULL)
        Py_RETURN_NONE;
    const lb_class *cls = lb_class_of(state->runtime, &reference.head);
    if (cls && lbpy_class_find(state, cls))
        return lbpy_object_wrap(state, reference.object, tie, fresh);
    if (cls && lbpy_is_python_class(state, cls))
        return Py_NewRef((PyObject *)reference.object);
    return PyErr_Format(PyExc_TypeError,
                        "a reference to an object of class %s, for which no "
                        "type stands (type_for_class)",
                        cls ? lb_class_name(cls) : "?");
}

static PyObject *from_integer(lbpy_code code, const lb_value *value)
{
    if (code >= LBPY_C_U8) {
        const int bits = 8 << (code - LBPY_C_U8);
        return PyLong_FromUnsignedLongLong(value->bits &
                                           (UINT64_MAX >> (64 - bits)));
    }
    const int unused = 64 - (8 << (code - LBPY_C_I8));
    return PyLong_FromLongLong((int64_t)(value->bits << unused) >> unused);
}

static PyObject *from_floating(lbpy_code code, const lb_value *value)
{
    float narrow;
    if (code == LBPY_C_DOUBLE)
        return PyFloat_FromDouble(value->real);
    lb_unpack(&narrow, sizeof narrow, value);
    return PyFloat_FromDouble((double)narrow);
}

PyObject *lbpy_from_c(lbpy_state *state, const lbpy_c_type *type,
                      const lb_value *value, lbpy_tie tie, bool *fresh)
{
    switch (type->code) {
    case LBPY_C_VOID:
        Py_RETURN_NONE;
    case LBPY_C_BOOL:
        return PyBool_FromLong((value->bits & 0xff) != 0);
    case LBPY_C_FLOAT:
    case LBPY_C_DOUBLE:
        return from_floating(type->code, value);
    case LBPY_C_TEXT:
        return from_text(value->constant);
    case LBPY_C_PYTHON:
        return Py_NewRef(value->pointer ? (PyObject *)value->pointer : Py_None);
    case LBPY_C_OBJECT:
        if (value->pointer == NULL)
            Py_RETURN_NONE;
        return lbpy_object_wrap(state, value->pointer, tie, fresh);
    case LBPY_C_REF:
        return from_reference(state, value, tie, fresh);
    default:
        return from_integer(type->code, value);
    }
}
