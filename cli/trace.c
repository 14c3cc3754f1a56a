/* Reading a recorded program.
 *
 * Each line is taken apart by the function of its kind (`kinds`, below). Every
 * id must have been introduced before, by a line Y, L, K or O, and is replaced
 * by a number of ours. Lines that a replay has no use for are checked like all
 * others, and dropped; so are gets on built-in classes, and of __class__ and
 * __dict__. A place in the code counts as one place for each symbol that it
 * asks for.
 *
 * Linear in the text; memory: 28 bytes for each operation. Anything that is not
 * as the format says ends the reading, with the line and what was expected. */
#include "trace.h"

#include "numbering.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPERATIONS = 1 << 25, MOST_LINE = 1 << 20 };

#define MOST_TEXT (UINT64_C(4) << 30)

typedef struct reader {
    trace *t;
    fault *why;
    trace_limits limits;
    uint64_t line;
    char *rest; /* of the line; NULL: nothing is left */
    const char *form;
    numbering symbols, sites, classes, objects, pairs;
    uint32_t *shape_of;    /* each class: what it is now, in t->shapes */
    uint32_t *class_of;    /* each object */
    uint8_t *symbol_flags; /* each symbol: 1, its gets are left out */
    struct {
        size_t operations, shapes, numbers, classes, symbols, shape_of,
            class_of, symbol_flags;
    } room;
} reader;

static bool wrong(reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool wrong(reader *r, const char *format, ...)
{
    char what[500];
    va_list rest;
    va_start(rest, format);
    vsnprintf(what, sizeof what, format, rest);
    va_end(rest);
    return fault_set(r->why, r->t->file, r->line, "%s", what);
}

/* ---- Arrays that grow --------------------------------------------------- */

/* Room for one more in *array, of elements of `size` bytes. */
static bool grow(reader *r, void *array, size_t count, size_t *room,
                 size_t size, size_t limit)
{
    void *old, *larger;
    if (count < *room)
        return true;
    if (count >= limit)
        return wrong(r, "the trace is too large: at most %zu of a kind", limit);
    const size_t wanted = *room ? 2 * *room : 64;
    memcpy(&old, array, sizeof old);
    larger = realloc(old, wanted * size);
    if (larger == NULL)
        return wrong(r, "out of memory");
    memcpy(array, &larger, sizeof larger);
    *room = wanted;
    return true;
}

static bool add_operation(reader *r, trace_operation operation)
{
    trace *t = r->t;
    if (!grow(r, &t->operations, t->count, &r->room.operations,
              sizeof *t->operations, r->limits.operations))
        return false;
    operation.line = (uint32_t)r->line;
    t->operations[t->count++] = operation;
    return true;
}

static bool add_number(reader *r, uint32_t number)
{
    trace *t = r->t;
    if (!grow(r, &t->numbers, t->number_count, &r->room.numbers,
              sizeof *t->numbers, 8 * r->limits.operations))
        return false;
    t->numbers[t->number_count++] = number;
    return true;
}

static bool add_shape(reader *r, const trace_shape *shape)
{
    trace *t = r->t;
    if (!grow(r, &t->shapes, t->shape_count, &r->room.shapes, sizeof *t->shapes,
              r->limits.operations))
        return false;
    r->shape_of[shape->cls] = (uint32_t)t->shape_count;
    t->shapes[t->shape_count++] = *shape;
    return true;
}

/* A number for a new id of a kind. */
static bool introduce(reader *r, numbering *n, uint32_t id, const char *what)
{
    if (numbering_find(n, id) != NUMBERING_NONE)
        return wrong(r, "%s %u was there before; an id is given once", what,
                     id);
    return numbering_add(n, id) != NUMBERING_NONE || wrong(r, "out of memory");
}

/* ---- Fields ------------------------------------------------------------ */

static bool take_field(reader *r, const char **field)
{
    if (r->rest == NULL)
        return wrong(r, "a field is missing; the line is \"%s\"", r->form);
    char *blank = strchr(r->rest, ' ');
    *field = r->rest;
    if (blank)
        *blank = '\0';
    r->rest = blank ? blank + 1 : NULL;
    return **field != '\0' ||
           wrong(r,
                 "an empty field; fields are separated by one blank, and "
                 "the line is \"%s\"",
                 r->form);
}

static bool expect_end(reader *r)
{
    return r->rest == NULL ||
           wrong(r, "more than the fields of the line, which is \"%s\"",
                 r->form);
}

/* A decimal number at *at, which moves behind it. */
static bool take_digits(reader *r, const char **at, uint32_t *number)
{
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        value = 10 * value + (uint64_t)(**at - '0');
        if (value >= UINT32_MAX)
            return wrong(r, "\"%s\" is too large: ids go up to 4294967294",
                         show(start).text);
    }
    *number = (uint32_t)value;
    return *at > start ||
           wrong(r, "\"%s\" is no id; it is a decimal number of digits alone",
                 show(start).text);
}

static bool take_id(reader *r, uint32_t *id)
{
    const char *field, *at;
    if (!take_field(r, &field))
        return false;
    at = field;
    return take_digits(r, &at, id) &&
           (*at == '\0' ||
            wrong(r, "\"%s\" is no id; it is a decimal number of digits alone",
                  show(field).text));
}

static bool find_known(reader *r, const numbering *n, uint32_t id,
                       const char *what, char introduced_by, uint32_t *number)
{
    *number = numbering_find(n, id);
    return *number != NUMBERING_NONE ||
           wrong(r, "%s %u is not known; a line %c comes before its use", what,
                 id, introduced_by);
}

static bool take_known(reader *r, const numbering *n, const char *what,
                       char introduced_by, uint32_t *number)
{
    uint32_t id;
    return take_id(r, &id) && find_known(r, n, id, what, introduced_by, number);
}

static bool take_class(reader *r, uint32_t *cls)
{
    return take_known(r, &r->classes, "class", 'K', cls);
}

static bool take_symbol(reader *r, uint32_t *symbol)
{
    return take_known(r, &r->symbols, "symbol", 'Y', symbol);
}

static bool take_site(reader *r, uint32_t *site)
{
    return take_known(r, &r->sites, "site", 'L', site);
}

static bool take_object(reader *r, uint32_t *object)
{
    return take_known(r, &r->objects, "object", 'O', object);
}

/* Objects of gets: 0 is one that was not recorded. */
static bool take_receiver(reader *r, uint32_t *object)
{
    uint32_t id;
    if (!take_id(r, &id))
        return false;
    *object = TRACE_NONE;
    return id == 0 || find_known(r, &r->objects, id, "object", 'O', object);
}

/* Text up to the next blank. */
static bool take_text(reader *r, char **text)
{
    const char *field;
    if (!take_field(r, &field))
        return false;
    if (!is_utf8(field))
        return wrong(r, "\"%s\" is not UTF-8", show(field).text);
    *text = strdup(field);
    return *text != NULL || wrong(r, "out of memory");
}

static bool take_flags(reader *r, uint32_t *flags)
{
    static const char known[] = "hbdgosx";
    const char *field;
    if (!take_field(r, &field))
        return false;
    if (field[strspn(field, known)] ||
        !strchr(field, 'h') == !strchr(field, 'b'))
        return wrong(r,
                     "flags \"%s\"; they are h or b, and of d g o s x those "
                     "that hold",
                     show(field).text);
    *flags = (strchr(field, 'h') ? TRACE_HEAP : 0) |
             (strchr(field, 'd') ? TRACE_DICTIONARY : 0);
    return true;
}

/* ---- Lists ------------------------------------------------------------- */

/* The element of a list at *at: the id of one of `n`, and a "!" if `marks`. */
static bool take_element(reader *r, const char **at, const numbering *n,
                         const char *what, char introduced_by, bool marks)
{
    uint32_t id, number;
    if (!take_digits(r, at, &id) ||
        !find_known(r, n, id, what, introduced_by, &number))
        return false;
    if (!marks)
        return add_number(r, number);
    const bool data = **at == '!';
    *at += data;
    return add_number(r, 2 * number + data);
}

/* A list separated by commas, or "-" for none, added to t->numbers. */
static bool take_list(reader *r, const numbering *n, const char *what,
                      char introduced_by, bool marks, trace_list *list)
{
    const char *at;
    *list = (trace_list){.from = (uint32_t)r->t->number_count};
    if (!take_field(r, &at))
        return false;
    if (strcmp(at, "-") == 0)
        return true;
    for (;;) {
        if (!take_element(r, &at, n, what, introduced_by, marks))
            return false;
        list->count++;
        if (*at == '\0')
            return true;
        if (*at++ != ',')
            return wrong(r,
                         "\"%s\" in a list of ids; they are separated by "
                         "commas%s",
                         show(at - 1).text,
                         marks ? ", each perhaps with a \"!\"" : "");
    }
}

static bool take_classes(reader *r, trace_list *list)
{
    return take_list(r, &r->classes, "class", 'K', false, list);
}

static int compare_numbers(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool all_differ(reader *r, trace_list list, const char *what)
{
    if (list.count < 2)
        return true;
    uint32_t *sorted = malloc(list.count * sizeof *sorted);
    bool differ = true;
    if (sorted == NULL)
        return wrong(r, "out of memory");
    memcpy(sorted, r->t->numbers + list.from, list.count * sizeof *sorted);
    qsort(sorted, list.count, sizeof *sorted, compare_numbers);
    for (size_t i = 1; i < list.count && differ; i++)
        differ = sorted[i - 1] != sorted[i];
    free(sorted);
    return differ || wrong(r, "a class stands twice in the %s", what);
}

static bool is_in(const reader *r, trace_list list, uint32_t number)
{
    for (uint32_t i = 0; i < list.count; i++)
        if (r->t->numbers[list.from + i] == number)
            return true;
    return false;
}

/* No base may derive from the class. */
static bool check_cycles(reader *r, const trace_shape *shape)
{
    for (uint32_t i = 0; i < shape->bases.count; i++) {
        const uint32_t base = r->t->numbers[shape->bases.from + i];
        if (base == shape->cls)
            return wrong(r, "the class is its own base");
        if (is_in(r, r->t->shapes[r->shape_of[base]].mro, shape->cls))
            return wrong(r, "a cycle: base %u derives from the class",
                         r->t->classes[base].id);
    }
    return true;
}

/* Whether bases and order can be those of the class. */
static bool check_order(reader *r, const trace_shape *shape)
{
    const uint32_t *numbers = r->t->numbers;
    if (shape->mro.count == 0 || numbers[shape->mro.from] != shape->cls)
        return wrong(r, "the mro does not begin with the class itself");
    return check_cycles(r, shape) && all_differ(r, shape->bases, "bases") &&
           all_differ(r, shape->mro, "mro");
}

/* A class whose base's instances have a dictionary has them, too. */
static bool check_dictionaries(reader *r, const trace_shape *shape)
{
    const trace_class *classes = r->t->classes;
    if (classes[shape->cls].flags & TRACE_DICTIONARY)
        return true;
    for (uint32_t i = 0; i < shape->mro.count; i++) {
        const uint32_t base = r->t->numbers[shape->mro.from + i];
        if (classes[base].flags & TRACE_DICTIONARY)
            return wrong(r,
                         "the class lacks the flag d, which class %u in its "
                         "mro has",
                         classes[base].id);
    }
    return true;
}

static bool finish_shape(reader *r, const trace_shape *shape, trace_kind kind)
{
    const uint32_t at = (uint32_t)r->t->shape_count;
    return check_order(r, shape) && check_dictionaries(r, shape) &&
           add_shape(r, shape) &&
           add_operation(r, (trace_operation){.kind = (uint8_t)kind,
                                              .cls = shape->cls,
                                              .shape = at});
}

/* ---- Lines that introduce ---------------------------------------------- */

static bool is_left_out(const char *name)
{
    return strcmp(name, "__class__") == 0 || strcmp(name, "__dict__") == 0;
}

static bool read_symbol(reader *r)
{
    trace *t = r->t;
    uint32_t id;
    if (!take_id(r, &id) || !introduce(r, &r->symbols, id, "symbol") ||
        !grow(r, &t->symbols, t->symbol_count, &r->room.symbols,
              sizeof *t->symbols, r->limits.operations) ||
        !grow(r, &r->symbol_flags, t->symbol_count, &r->room.symbol_flags, 1,
              r->limits.operations) ||
        !take_text(r, &t->symbols[t->symbol_count]))
        return false;
    const char *name = t->symbols[t->symbol_count];
    r->symbol_flags[t->symbol_count++] = is_left_out(name);
    return expect_end(r);
}

static bool read_site(reader *r)
{
    uint32_t id;
    const char *kind;
    if (!take_id(r, &id) || !introduce(r, &r->sites, id, "site") ||
        !take_field(r, &kind))
        return false;
    if (strlen(kind) != 1 || !strchr("mabi", *kind))
        return wrong(r, "a site of kind \"%s\"; the kinds are m a b i",
                     show(kind).text);
    return r->rest != NULL ||
           wrong(r, "a field is missing; the line is \"%s\"", r->form);
}

static bool add_class(reader *r, uint32_t id)
{
    trace *t = r->t;
    if (!introduce(r, &r->classes, id, "class") ||
        !grow(r, &t->classes, t->class_count, &r->room.classes,
              sizeof *t->classes, r->limits.operations) ||
        !grow(r, &r->shape_of, t->class_count, &r->room.shape_of,
              sizeof *r->shape_of, r->limits.operations))
        return false;
    t->classes[t->class_count++] = (trace_class){.id = id};
    return true;
}

static bool read_class(reader *r)
{
    uint32_t id, flags;
    trace_shape shape = {.cls = (uint32_t)r->t->class_count};
    if (!take_id(r, &id) || !add_class(r, id) || !take_flags(r, &flags))
        return false;
    trace_class *cls = &r->t->classes[shape.cls];
    cls->flags = flags;
    return take_text(r, &cls->name) && take_classes(r, &shape.bases) &&
           take_classes(r, &shape.mro) &&
           take_list(r, &r->symbols, "symbol", 'Y', true, &shape.names) &&
           expect_end(r) && finish_shape(r, &shape, TRACE_CLASS);
}

static bool read_bases(reader *r)
{
    uint32_t flags;
    trace_shape shape = {0};
    if (!take_class(r, &shape.cls) || !take_flags(r, &flags) ||
        !take_classes(r, &shape.bases) || !take_classes(r, &shape.mro) ||
        !expect_end(r))
        return false;
    if (flags != r->t->classes[shape.cls].flags)
        return wrong(r, "h, b or d of the flags changed; a class keeps them");
    return finish_shape(r, &shape, TRACE_BASES);
}

/* ---- Objects ----------------------------------------------------------- */

static bool has_dictionary(const reader *r, uint32_t cls)
{
    return (r->t->classes[cls].flags & TRACE_DICTIONARY) != 0;
}

static bool check_can_hold(reader *r, uint32_t object)
{
    return has_dictionary(r, r->class_of[object]) ||
           wrong(r, "instances of the object's class have no dictionary (it "
                    "lacks the flag d)");
}

static bool add_object(reader *r, uint32_t cls)
{
    trace *t = r->t;
    if (!grow(r, &r->class_of, t->object_count, &r->room.class_of,
              sizeof *r->class_of, r->limits.operations))
        return false;
    r->class_of[t->object_count] = cls;
    return add_operation(
        r, (trace_operation){.kind = TRACE_OBJECT,
                             .object = (uint32_t)t->object_count++,
                             .cls = cls});
}

/* The names in `list` are in the object's dictionary from the start. */
static bool add_first_names(reader *r, uint32_t object, trace_list list)
{
    if (list.count && !check_can_hold(r, object))
        return false;
    for (uint32_t i = 0; i < list.count; i++)
        if (!add_operation(
                r, (trace_operation){.kind = TRACE_SET,
                                     .object = object,
                                     .symbol = r->t->numbers[list.from + i]}))
            return false;
    return true;
}

static bool read_object(reader *r)
{
    uint32_t id, cls;
    trace_list names;
    const size_t numbers = r->t->number_count;
    if (!take_id(r, &id) || !take_class(r, &cls) ||
        !take_list(r, &r->symbols, "symbol", 'Y', false, &names) ||
        !expect_end(r))
        return false;
    if (id == 0)
        return wrong(r, "object 0 stands for those without a line; ids of "
                        "objects begin with 1");
    const bool good =
        introduce(r, &r->objects, id, "object") && add_object(r, cls) &&
        add_first_names(r, (uint32_t)r->t->object_count - 1, names);
    r->t->number_count = numbers;
    return good;
}

static bool change_class(reader *r, uint32_t object, uint32_t cls)
{
    if (has_dictionary(r, cls) != has_dictionary(r, r->class_of[object]))
        return wrong(r, "the object's old and new class differ in the flag d");
    r->class_of[object] = cls;
    return add_operation(r, (trace_operation){.kind = TRACE_OBJECT_CLASS,
                                              .object = object,
                                              .cls = cls});
}

static bool read_object_class(reader *r)
{
    uint32_t object, cls;
    return take_object(r, &object) && take_class(r, &cls) && expect_end(r) &&
           change_class(r, object, cls);
}

/* s, us, r, ur, and x, which went elsewhere. */
static bool read_own(reader *r, int kind)
{
    trace_operation operation = {.kind = (uint8_t)kind};
    if (!take_object(r, &operation.object) ||
        !take_symbol(r, &operation.symbol) || !expect_end(r))
        return false;
    return kind < 0 ||
           (check_can_hold(r, operation.object) && add_operation(r, operation));
}

static bool read_set(reader *r)
{
    return read_own(r, TRACE_SET);
}

static bool read_delete(reader *r)
{
    return read_own(r, TRACE_DELETE);
}

static bool read_elsewhere(reader *r)
{
    return read_own(r, -1);
}

/* ---- Changes of classes ------------------------------------------------ */

static bool read_class_set(reader *r)
{
    trace_operation operation = {.kind = TRACE_CLASS_SET};
    const char *mark;
    if (!take_class(r, &operation.cls) || !take_symbol(r, &operation.symbol))
        return false;
    if (r->rest != NULL) {
        if (!take_field(r, &mark))
            return false;
        operation.data = strcmp(mark, "!") == 0;
        if (!operation.data)
            return wrong(r, "\"%s\"; the line is \"%s\"", show(mark).text,
                         r->form);
    }
    return expect_end(r) && add_operation(r, operation);
}

static bool read_class_delete(reader *r)
{
    trace_operation operation = {.kind = TRACE_CLASS_DELETE};
    return take_class(r, &operation.cls) && take_symbol(r, &operation.symbol) &&
           expect_end(r) && add_operation(r, operation);
}

/* ---- Gets -------------------------------------------------------------- */

static bool bad_outcome(reader *r, const char *text)
{
    return wrong(r,
                 "outcome \"%s\"; it is one of i i<k> c<k> d<k> D<k> n h, k "
                 "a place in the mro, and c<k> d<k> n h for q",
                 show(text).text);
}

/* The place that a letter stands for; false when there is none. */
static bool place_of(char letter, bool special, uint8_t *place)
{
    static const char letters[] = "nhicdD";
    static const uint8_t places[] = {TRACE_NOWHERE,    TRACE_NOWHERE,
                                     TRACE_INSTANCE,   TRACE_IN_CLASS,
                                     TRACE_DESCRIPTOR, TRACE_DESCRIPTOR_OVER};
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found == NULL || (special && (letter == 'i' || letter == 'D')))
        return false;
    *place = places[found - letters];
    return true;
}

/* Whether a place in the mro follows the letter: always, never, or perhaps. */
static bool needs_position(uint8_t place)
{
    return place == TRACE_IN_CLASS || place == TRACE_DESCRIPTOR ||
           place == TRACE_DESCRIPTOR_OVER;
}

static bool take_outcome(reader *r, trace_operation *get)
{
    const trace_list mro = r->t->shapes[r->shape_of[get->cls]].mro;
    const char *text, *at;
    uint32_t position;
    if (!take_field(r, &text))
        return false;
    get->owner = TRACE_NONE;
    if (!place_of(*text, get->kind == TRACE_SPECIAL, &get->place) ||
        (text[1] && get->place == TRACE_NOWHERE) ||
        (!text[1] && needs_position(get->place)))
        return bad_outcome(r, text);
    if (text[1] == '\0')
        return true;
    at = text + 1;
    if (*at < '0' || *at > '9' || !take_digits(r, &at, &position) || *at)
        return bad_outcome(r, text);
    if (position >= mro.count)
        return wrong(r, "outcome \"%s\", but the mro has %u classes only",
                     show(text).text, mro.count);
    get->owner = r->t->numbers[mro.from + position];
    return true;
}

/* The recorder says of each get which class the object has. Should it ever have
 * changed without a line E, the get is believed. */
static bool follow_class(reader *r, const trace_operation *get)
{
    if (get->object == TRACE_NONE || r->class_of[get->object] == get->cls)
        return true;
    r->t->unannounced++;
    return change_class(r, get->object, get->cls);
}

static bool keep_get(reader *r, trace_operation *get)
{
    const uint64_t pair = (uint64_t)get->site << 32 | get->symbol;
    get->site = numbering_add(&r->pairs, pair);
    if (get->site == NUMBERING_NONE)
        return wrong(r, "out of memory");
    r->t->gets++;
    return add_operation(r, *get);
}

static bool read_any_get(reader *r, trace_kind kind)
{
    trace_operation get = {.kind = (uint8_t)kind};
    if (!take_receiver(r, &get.object) || !take_class(r, &get.cls) ||
        !take_symbol(r, &get.symbol) || !take_site(r, &get.site) ||
        !take_outcome(r, &get) || !expect_end(r) || !follow_class(r, &get))
        return false;
    if (r->t->classes[get.cls].flags & TRACE_HEAP &&
        !r->symbol_flags[get.symbol])
        return keep_get(r, &get);
    r->t->left_out++;
    return true;
}

static bool read_get(reader *r)
{
    return read_any_get(r, TRACE_GET);
}

static bool read_special(reader *r)
{
    return read_any_get(r, TRACE_SPECIAL);
}

/* Gets that are not on instances. */
static bool read_class_get(reader *r)
{
    uint32_t any;
    return take_class(r, &any) && take_symbol(r, &any) && take_site(r, &any) &&
           expect_end(r);
}

static bool read_other_get(reader *r)
{
    uint32_t any;
    return take_symbol(r, &any) && take_site(r, &any) && expect_end(r);
}

/* ---- Lines ------------------------------------------------------------- */

typedef struct line_kind {
    const char *word;
    bool (*read)(reader *r);
    const char *form;
} line_kind;

/* The frequent ones first. */
static const line_kind kinds[] = {
    {"g", read_get, "g obj cls sym site out"},
    {"s", read_set, "s obj sym"},
    {"t", read_class_get, "t cls sym site"},
    {"q", read_special, "q obj cls sym site out"},
    {"m", read_other_get, "m sym site"},
    {"O", read_object, "O obj cls names"},
    {"L", read_site, "L site kind file:line:col"},
    {"Y", read_symbol, "Y sym text"},
    {"z", read_other_get, "z sym site"},
    {"x", read_elsewhere, "x obj sym"},
    {"K", read_class, "K cls flags qualname bases mro names"},
    {"M", read_bases, "M cls flags bases mro"},
    {"E", read_object_class, "E obj cls"},
    {"r", read_delete, "r obj sym"},
    {"S", read_class_set, "S cls sym [!]"},
    {"R", read_class_delete, "R cls sym"},
    {"us", read_set, "us obj sym"},
    {"ur", read_delete, "ur obj sym"},
    {"uS", read_class_set, "uS cls sym [!]"},
    {"uR", read_class_delete, "uR cls sym"},
};

static bool read_line(reader *r, char *line)
{
    const char *word;
    if (*line == '#')
        return true;
    r->rest = line;
    r->form = "KIND FIELD...";
    if (!take_field(r, &word))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(word, kinds[i].word) == 0) {
            r->form = kinds[i].form;
            return kinds[i].read(r);
        }
    return wrong(r,
                 "\"%s\" is no kind of line; they are # Y L K M E O g q t m "
                 "z s r x us ur S R uS uR",
                 show(word).text);
}

static bool read_lines(reader *r, lines *from)
{
    char *line;
    int more;
    while ((more = lines_next(from, &line, r->why)) > 0) {
        r->line = lines_number(from);
        if (r->line >= UINT32_MAX)
            return wrong(r, "too many lines");
        if (!read_line(r, line))
            return false;
    }
    r->t->lines = r->line;
    r->t->site_count = r->pairs.count;
    if (more == 0 && r->line == 0) {
        r->line = 1;
        return wrong(r, "the file is empty; a trace has lines K, O, g, ...");
    }
    return more == 0;
}

/* ---- All of it --------------------------------------------------------- */

trace_limits trace_default_limits(void)
{
    return (trace_limits){.lines = {.line = MOST_LINE, .text = MOST_TEXT},
                          .operations = MOST_OPERATIONS};
}

static void free_reader(reader *r)
{
    numbering_free(&r->symbols);
    numbering_free(&r->sites);
    numbering_free(&r->classes);
    numbering_free(&r->objects);
    numbering_free(&r->pairs);
    free(r->shape_of);
    free(r->class_of);
    free(r->symbol_flags);
}

trace *trace_read(FILE *in, const char *file, trace_limits limits, fault *why)
{
    trace *t = calloc(1, sizeof *t);
    lines *from = lines_open(in, file, limits.lines);
    bool good = false;
    if (t && from) {
        reader r = {.t = t, .why = why, .limits = limits};
        t->file = file;
        good = read_lines(&r, from);
        free_reader(&r);
    } else {
        fault_set(why, file, 0, "out of memory");
    }
    lines_close(from);
    if (good)
        return t;
    trace_free(t);
    return NULL;
}

trace *trace_read_file(const char *file, fault *why)
{
    FILE *in = fopen(file, "rb");
    if (in == NULL) {
        fault_set(why, file, 0, "%s", strerror(errno));
        return NULL;
    }
    trace *t = trace_read(in, file, trace_default_limits(), why);
    fclose(in);
    return t;
}

void trace_free(trace *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->class_count; i++)
        free(t->classes[i].name);
    for (size_t i = 0; i < t->symbol_count; i++)
        free(t->symbols[i]);
    free(t->operations);
    free(t->shapes);
    free(t->numbers);
    free(t->classes);
    free(t->symbols);
    free(t);
}
