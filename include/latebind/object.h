/* latebind/object.h - instances, and looking up their attributes.
 *
 * An instance is any struct that starts with an lb_header. One whose class has
 * LB_FREE_ATTRIBUTES starts with an lb_object instead, and can hold attributes
 * of its own under any name. C fields follow.
 *
 *     typedef struct point { lb_object base; double x, y; } point;
 *
 * Threads: in a multi-threaded runtime all calls here may run at any time in
 * any thread. What a look-up yields (a value that is not `owned`, an attribute)
 * is borrowed: it stays valid until it is replaced or deleted, and then until
 * quiescence; so with LB_RECLAIM_EPOCH all calls here, setting and calling
 * among them, belong between lb_enter and lb_leave.
 * Objects themselves are freed by their owner, when nobody uses them.
 *
 * The look-up of a name by class (policy LB_POLICY_TABLE) is inlined here:
 *   1. h = the handle in the object's header; mask, then cells of the symbol
 *   2. the cell at cells + (h & mask) is {payload, word}; the upper 20 bits of
 *      word are the class's id: equal, or the slow way
 *   3. the lower bits say what the name means for the class: absent, a value,
 *      a method, something else; and whether its instances may hold it
 *   4. then the instance is asked first, at the place that the word hints at
 * A cell is written once; a change kills it (or, if a value follows a value,
 * puts the new payload), and only a new table gives its place to another: so
 * payload and word always belong together.
 */
#ifndef LATEBIND_OBJECT_H
#define LATEBIND_OBJECT_H

#include "latebind/policy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An attribute that an instance holds itself. The lowest bit of the symbol's
 * address is 1 when it was deleted. ABI. */
typedef struct lbi_place {
    const lb_symbol *symbol;
    lb_value value;
} lbi_place;

/* The dictionary of an instance; its places (lbi_place) follow. ABI. */
typedef struct lb_attributes {
    uint32_t count; /* places in use from the start; those deleted, too */
    uint32_t capacity;
    uint32_t live;       /* attributes */
    uint32_t index_mask; /* places of the hash index behind the last place, less
                            one; 0: none, the dictionary is small */
} lb_attributes;

/* What an instance with free attributes starts with. ABI. */
typedef struct lb_object {
    lb_header head;
    lb_attributes *attributes; /* the library's; NULL: none yet */
} lb_object;

LBI_STATIC_ASSERT(offsetof(lb_object, attributes) == 8 &&
                      sizeof(lb_attributes) == 16 && sizeof(lbi_place) == 16,
                  "lb_object is ABI");

enum {
    LBI_CELL_ABSENT = 0,
    LBI_CELL_VALUE = 1,  /* payload: the value                  */
    LBI_CELL_METHOD = 2, /* payload: its lb_attribute           */
    LBI_CELL_OTHER = 3,  /* payload: its lb_attribute; slow way */
    LBI_CELL_WHAT = 3,
    LBI_CELL_INSTANCE = 4, /* instances of the class may hold the name */
    LBI_CELL_HINT = 8,     /* from this bit on, 24 bits: where         */
    LBI_CELL_ID = 44,      /* from this bit on: the class's id         */
    LBI_UNKNOWN = -1
};

typedef enum lb_found_kind {
    LB_FOUND_NOTHING = 0,
    LB_FOUND_VALUE = 1,     /* `value`, borrowed                           */
    LB_FOUND_OWNED = 2,     /* `value`, made by a getter or hook: yours    */
    LB_FOUND_METHOD = 3,    /* a bound method: `method` with `self`        */
    LB_FOUND_FUNCTION = 4,  /* `method`, to be called without a receiver  */
    LB_FOUND_DESCRIPTOR = 5 /* `method` is a property or field itself, asked
                               of its class */
} lb_found_kind;

/* What a look-up found. A bound method is this struct: copy it, call it by
 * lb_call; nothing is allocated for it. It is borrowed like everything found:
 * to keep it beyond a change of the class, keep the function and the receiver
 * as values of your own. */
typedef struct lb_found {
    lb_value value;             /* the first two kinds; else zero */
    lb_value self;              /* LB_FOUND_METHOD: the receiver or the class */
    const lb_attribute *method; /* the last three kinds; else NULL */
    lb_found_kind kind;
} lb_found;

/* ---- instances ---------------------------------------------------------- */

/* A class with LB_FREE_ATTRIBUTES, `name` and at most two bases (NULL: none),
 * whose instances have no C fields but those of the bases: what `class C(A,
 * B):` makes in Python. NULL on failure (see lb_message). */
LB_PUBLIC lb_class *lb_object_class(lb_runtime *runtime, const char *name,
                                    lb_class *base, lb_class *second_base);

/* Stamps `object` as an instance without attributes of its own. */
static inline void lb_object_init(lb_class *cls, lb_object *object)
{
    object->attributes = NULL;
    lb_init(cls, object);
}

/* Takes an instance's own attributes away (values are released, memory given
 * back); it stays a valid object. What its C fields hold stays, and is its
 * owner's. To be called before the memory of an
 * instance that was not made by lb_new is freed; lb_delete does it. NULL is
 * allowed. */
LB_PUBLIC void lb_object_clear(lb_object *object);

/* 1 if the class of `object` is `cls` or derives from it, else 0. */
LB_PUBLIC int lb_is_instance(const void *object, const lb_class *cls);

/* ---- looking up --------------------------------------------------------- */

LBI_INLINE const lbi_place *lbi_own_at(const void *object, uint32_t place)
{
    const lb_attributes *attributes = __atomic_load_n(
        &((const lb_object *)object)->attributes, __ATOMIC_ACQUIRE);
    if (LB_UNLIKELY(attributes == NULL) ||
        LB_UNLIKELY(place >=
                    __atomic_load_n(&attributes->count, __ATOMIC_ACQUIRE)))
        return NULL;
    return (const lbi_place *)(const void *)(attributes + 1) + place;
}

/* The inlined part of a look-up: LB_OK, LB_NO_ATTRIBUTE, or LBI_UNKNOWN. */
LBI_INLINE int lbi_get_by_cell(const void *object, const lb_symbol *symbol,
                               lb_found *found)
{
    const uint32_t h = lb_handle(object);
    const uint32_t mask = __atomic_load_n(&symbol->mask, __ATOMIC_ACQUIRE);
    const char *const cell =
        __atomic_load_n(&symbol->cells, __ATOMIC_ACQUIRE) + (h & mask);
    const uint64_t word = lbi_load_word(cell + 8);
    if (LB_UNLIKELY((word ^ (uint64_t)h << 40) >> LBI_CELL_ID != 0))
        return LBI_UNKNOWN;
    if (word & LBI_CELL_INSTANCE) {
        const lbi_place *own =
            lbi_own_at(object, (uint32_t)word >> LBI_CELL_HINT);
        if (LB_UNLIKELY(own == NULL) ||
            LB_UNLIKELY(__atomic_load_n(&own->symbol, __ATOMIC_ACQUIRE) !=
                        symbol))
            return LBI_UNKNOWN;
        found->value.bits = lbi_load_word(&own->value);
        found->method = NULL;
        found->kind = LB_FOUND_VALUE;
        return LB_OK;
    }
    switch (word & LBI_CELL_WHAT) {
    case LBI_CELL_ABSENT:
        return LB_NO_ATTRIBUTE;
    case LBI_CELL_VALUE:
        found->value.bits = lbi_load_word(cell);
        found->method = NULL;
        found->kind = LB_FOUND_VALUE;
        return LB_OK;
    case LBI_CELL_METHOD:
        found->value.bits = 0;
        found->self.constant = object;
        found->method = (const lb_attribute *)(uintptr_t)lbi_load_word(cell);
        found->kind = LB_FOUND_METHOD;
        return LB_OK;
    default:
        return LBI_UNKNOWN;
    }
}

/* What lb_try_get calls when the cell does not answer. */
LB_PUBLIC lb_status lb_try_get_slow(const void *object, const lb_symbol *symbol,
                                    lb_found *found);

/* Looks the attribute up in the instance and its class, in the search order.
 * object  not NULL, an instance of a class of the symbol's runtime
 * found   not NULL; filled when the result is LB_OK
 * Errors: LB_NO_ATTRIBUTE (sets no message, so that asking costs no more than
 * getting), LB_NO_CLASS, LB_NO_MEMORY, what a getter or the missing hook
 * returned. Never stale. Cost: a hit is some loads; a first look-up of a name
 * on a class searches its order. */
LBI_INLINE lb_status lb_try_get(const void *object, const lb_symbol *symbol,
                                lb_found *found)
{
    const int status = lbi_get_by_cell(object, symbol, found);
    return LB_LIKELY(status != LBI_UNKNOWN)
               ? (lb_status)status
               : lb_try_get_slow(object, symbol, found);
}

/* The same, but a failure has a message: LB_NO_ATTRIBUTE names the class, the
 * attribute and the nearest name that there is. A getter or hook that fails
 * should set one (lb_fail_with); else it says which failed, and how. */
LB_PUBLIC lb_status lb_get(const void *object, const lb_symbol *symbol,
                           lb_found *found);

/* The same by text, which need not be interned and does not become so: for
 * names that are computed. */
LB_PUBLIC lb_status lb_get_text(const void *object, const char *name,
                                lb_found *found);

/* The first of `count` names that the object has; the missing hook is not
 * asked. `which` (NULL: not wanted) receives its index. LB_NO_ATTRIBUTE, with a
 * message that lists them; a getter that fails ends it with what it returns. */
LB_PUBLIC lb_status lb_get_first(const void *object,
                                 const lb_symbol *const *symbols, size_t count,
                                 size_t *which, lb_found *found);

/* Looks up on the class alone, as an interpreter does for what it calls by
 * itself (an operator, a protocol), without a message. `receiver` is what a
 * method is bound to; it may be of any form, e.g. a tagged integer, unless the
 * attribute is a field. With
 * LB_ORDER_1998 an instance with free attributes is asked first; then
 * `receiver` must point to it, or be zero: asked, and empty. */
LB_PUBLIC lb_status lb_try_get_special(lb_class *cls, lb_value receiver,
                                       const lb_symbol *symbol,
                                       lb_found *found);

/* The first of `count` names that the class has, as a protocol with a fallback
 * asks: Python's str() that falls back to repr(), truth to the length. Else as
 * lb_get_first. Names that are not there cost no more than those that are. */
LB_PUBLIC lb_status lb_get_first_special(lb_class *cls, lb_value receiver,
                                         const lb_symbol *const *symbols,
                                         size_t count, size_t *which,
                                         lb_found *found);

/* The attribute of a class itself, C.x: methods come unbound
 * (LB_FOUND_FUNCTION), class methods bound to `cls`, properties and fields as
 * themselves (LB_FOUND_DESCRIPTOR). */
LB_PUBLIC lb_status lb_class_get(lb_class *cls, const lb_symbol *symbol,
                                 lb_found *found);

/* super: the attribute as seen after the class `after` in the order of the
 * object's class; the instance's own attributes are not asked.
 * LB_BAD_ARGUMENT when `after` is not in that order. */
LB_PUBLIC lb_status lb_get_super(const lb_class *after, const void *object,
                                 const lb_symbol *symbol, lb_found *found);

/* The same inside a class method, whose receiver is the class `cls`; what is
 * found is as lb_class_get gives it. */
LB_PUBLIC lb_status lb_class_get_super(const lb_class *after, lb_class *cls,
                                       const lb_symbol *symbol,
                                       lb_found *found);

/* The memory of one place in the code, e.g. of one bytecode: embed it next to
 * the instruction, zeroed. LB_POLICY_SITE keeps its number there; the other
 * policies do not need it, and then the call is lb_try_get. The place must
 * always ask for the same symbol, and be zeroed for another runtime. ABI. */
typedef struct lb_site {
    uint32_t number;
    uint32_t generation; /* to which the number belongs; 0: there is none yet */
} lb_site;

/* What lb_try_get_at calls when the cell does not answer. */
LB_PUBLIC lb_status lb_try_get_at_slow(lb_site *site, const void *object,
                                       const lb_symbol *symbol,
                                       lb_found *found);

/* lb_try_get from the place `site` (not NULL) in the code. */
LBI_INLINE lb_status lb_try_get_at(lb_site *site, const void *object,
                                   const lb_symbol *symbol, lb_found *found)
{
    const int status = lbi_get_by_cell(object, symbol, found);
    return LB_LIKELY(status != LBI_UNKNOWN)
               ? (lb_status)status
               : lb_try_get_at_slow(site, object, symbol, found);
}

/* ---- changing ----------------------------------------------------------- */

/* object.name = value. Python's order: a data descriptor of the class is asked
 * to set it; else, and in the order of 1998 always, the instance holds it.
 * Errors: LB_READ_ONLY (a property without a setter; an instance without free
 * attributes), LB_NO_CLASS, LB_NO_MEMORY, what a setter returned. The value is
 * retained; what it replaces is released. */
LB_PUBLIC lb_status lb_set(void *object, const lb_symbol *symbol,
                           lb_value value);
/* del object.name: LB_NO_ATTRIBUTE; LB_READ_ONLY for a property without a
 * deleter, a field, and any other name of an instance without free
 * attributes. */
LB_PUBLIC lb_status lb_unset(void *object, const lb_symbol *symbol);

/* The same by texts. Names that are written are interned. */
LB_PUBLIC lb_status lb_set_text(void *object, const char *name, lb_value value);
LB_PUBLIC lb_status lb_unset_text(void *object, const char *name);

/* The instance's own dictionary, past all descriptors: o.__dict__[name].
 * LB_READ_ONLY when it has none; getting and deleting: LB_NO_ATTRIBUTE (no
 * message) when the name is not in it. */
LB_PUBLIC lb_status lb_own_get(const void *object, const lb_symbol *symbol,
                               lb_value *value);
LB_PUBLIC lb_status lb_own_set(void *object, const lb_symbol *symbol,
                               lb_value value);
LB_PUBLIC lb_status lb_own_delete(void *object, const lb_symbol *symbol);
/* Walks it: start with *cursor 0. 1 and the next attribute, or 0 at the end. The
 * order is that of setting, but a name that was deleted and set again may stand
 * where it stood before. */
LB_PUBLIC int lb_own_next(const void *object, size_t *cursor,
                          const lb_symbol **symbol, lb_value *value);

/* ---- calling ------------------------------------------------------------ */

/* Calls what was found, with `argc` arguments (the receiver of a bound method
 * not among them). LB_NOT_CALLABLE for a value, unless the hook `call_value`
 * calls it. `result` NULL: dropped, and released (if not zero). */
LB_PUBLIC lb_status lb_call(lb_runtime *runtime, const lb_found *found,
                            size_t argc, const lb_value *argv,
                            lb_value *result);

/* What lb_invoke_symbol calls when the cell does not name a method. */
LB_PUBLIC lb_status lb_invoke_symbol_slow(const lb_symbol *symbol, size_t argc,
                                          const lb_value *argv,
                                          lb_value *result);

/* receiver.name(arguments): looks the method up and calls it, without making a
 * bound method. argv[0] is the receiver, a pointer to an instance; argc at
 * least 1; result not NULL. Static methods and values are called without
 * argv[0], class methods with the class in its place. Errors: those of lb_get
 * and lb_call, and what the method returns (which sets the message). */
LBI_INLINE lb_status lb_invoke_symbol(const lb_symbol *symbol, size_t argc,
                                      const lb_value *argv, lb_value *result)
{
    const uint32_t h = lb_handle(argv[0].constant);
    const uint32_t mask = __atomic_load_n(&symbol->mask, __ATOMIC_ACQUIRE);
    const char *const cell =
        __atomic_load_n(&symbol->cells, __ATOMIC_ACQUIRE) + (h & mask);
    const uint64_t word = lbi_load_word(cell + 8) ^ (uint64_t)h << 40;
    if (LB_LIKELY(word >> LBI_CELL_ID == 0 &&
                  (word & (LBI_CELL_INSTANCE | LBI_CELL_WHAT)) ==
                      LBI_CELL_METHOD)) {
        const lb_attribute *method =
            (const lb_attribute *)(uintptr_t)lbi_load_word(cell);
        result->bits = 0;
        return method->call(method, argc, argv, result);
    }
    return lb_invoke_symbol_slow(symbol, argc, argv, result);
}

/* The same for a receiver of any form whose class is known; on the class alone
 * as lb_try_get_special. */
LB_PUBLIC lb_status lb_invoke_special(lb_class *cls, const lb_symbol *symbol,
                                      size_t argc, const lb_value *argv,
                                      lb_value *result);

/* From inside a method: the same name after the class that defines `self`, in
 * the order of the receiver's class (super().name(...)). argv[0] as in the
 * method: the receiver, or the class of a class method. Errors:
 * LB_NO_ATTRIBUTE when no class comes after it with that name;
 * LB_BAD_ARGUMENT from a static method, or when the class of the receiver has
 * meanwhile lost the class of `self` from its order. */
LB_PUBLIC lb_status lb_invoke_super(const lb_attribute *self, size_t argc,
                                    const lb_value *argv, lb_value *result);

/* ---- looking around ----------------------------------------------------- */

/* One name that an instance answers to, and where it comes from. */
typedef struct lb_directory_entry {
    const lb_symbol *symbol;
    lb_class *owner;               /* NULL: the instance's own */
    const lb_attribute *attribute; /* NULL: the instance's own */
} lb_directory_entry;

typedef struct lb_directory {
    lb_runtime *runtime;
    size_t count;
    lb_directory_entry *entries; /* by name; what a look-up would find */
} lb_directory;

/* dir(object), dir(cls). The caller gives it back by lb_directory_free (NULL
 * allowed), before the runtime ends. */
LB_PUBLIC lb_status lb_dir(const void *object, lb_directory **result);
LB_PUBLIC lb_status lb_class_dir(lb_class *cls, lb_directory **result);
LB_PUBLIC void lb_directory_free(lb_directory *directory);

/* For garbage collectors: calls `visit` for every value that the classes'
 * dictionaries hold, or that an instance holds (its own attributes and, once
 * for each such field, members of type LB_FIELD_VALUE). Caches hold no value that is not there. `visit` must
 * not call the runtime. Takes the lock. */
typedef void (*lb_visit_fn)(void *context, lb_value value);
LB_PUBLIC void lb_visit_classes(lb_runtime *runtime, lb_visit_fn visit,
                                void *context);
LB_PUBLIC void lb_visit_object(const void *object, lb_visit_fn visit,
                               void *context);

#ifdef __cplusplus
}
#endif
#endif
