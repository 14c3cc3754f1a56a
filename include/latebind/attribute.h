/* latebind/attribute.h - what classes say about the names of their instances.
 *
 * A class has a dictionary from symbols to attributes: values, methods, static
 * and class methods, properties, fields of the C struct. They are set,
 * replaced and deleted at any time, while other threads look up; a look-up
 * that starts after the change returned sees it.
 *
 * Ownership: values are the caller's. With the hooks `retain` and `release`
 * (policy.h) a dictionary holds one reference to each value in it, and gives it
 * up when no reader can hold the value any more: at once in a single-threaded
 * runtime (outside lb_enter), else after quiescence.
 */
#ifndef LATEBIND_ATTRIBUTE_H
#define LATEBIND_ATTRIBUTE_H

#include "latebind/class.h"
#include "latebind/symbol.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_attribute lb_attribute;

typedef enum lb_attribute_kind {
    LB_VALUE = 0,        /* what is got is the value itself                 */
    LB_FUNCTION = 1,     /* a method: what is got is bound to the instance  */
    LB_STATIC = 2,       /* a static method: called without the instance    */
    LB_CLASS_METHOD = 3, /* bound to the class that was asked               */
    LB_PROPERTY = 4,     /* got, set and deleted by functions               */
    LB_FIELD = 5         /* a member of the instance's C struct             */
} lb_attribute_kind;

/* A method. `self` is the attribute that was found: its context, its name and
 * the class that defines it (for super). argv[0] is the receiver (LB_FUNCTION)
 * or the class as a pointer (LB_CLASS_METHOD); `result` is never NULL and zero
 * at entry. What it returns is the status of the call. */
typedef lb_status (*lb_call_fn)(const lb_attribute *self, size_t argc,
                                const lb_value *argv, lb_value *result);

/* A property's three functions; called without the lock. Whoever asked owns
 * what `get` yields, as a call's result. */
typedef lb_status (*lb_get_fn)(const lb_attribute *self, lb_value receiver,
                               lb_value *result);
typedef lb_status (*lb_set_fn)(const lb_attribute *self, lb_value receiver,
                               lb_value value);
typedef lb_status (*lb_delete_fn)(const lb_attribute *self, lb_value receiver);

/* The C type of a field and how it is seen as a value: integers as .integer
 * (unsigned 64-bit as .bits), floating as .real, pointers as .pointer. Setting
 * an integer out of the type's range is an error (LB_BAD_ARGUMENT). A class
 * with several bases that have fields must lay them all out as they do. */
typedef enum lb_field_type {
    LB_FIELD_VALUE = 0, /* an lb_value; setting retains it and releases what it
                           replaces; lb_delete does not: set it to a value that
                           needs no release before */
    LB_FIELD_POINTER,
    LB_FIELD_BOOL, /* bool; any value but 0 sets 1 */
    LB_FIELD_INT8,
    LB_FIELD_INT16,
    LB_FIELD_INT32,
    LB_FIELD_INT64,
    LB_FIELD_UINT8,
    LB_FIELD_UINT16,
    LB_FIELD_UINT32,
    LB_FIELD_UINT64,
    LB_FIELD_FLOAT, /* rounds; what is too large becomes an infinity */
    LB_FIELD_DOUBLE,
    LB_FIELD_TYPE_COUNT
} lb_field_type;

/* An attribute as it stands in a class's dictionary: immutable, valid until it
 * is replaced or deleted and quiescence has passed. ABI. */
struct lb_attribute {
    lb_call_fn call; /* LB_FUNCTION, LB_STATIC, LB_CLASS_METHOD; else NULL */
    void *context;   /* the caller's */
    lb_value value;  /* LB_VALUE: what is got; methods, properties: what the
                        caller keeps with them, e.g. a code object */
    lb_class *owner; /* the class in whose dictionary it stands */
    const lb_symbol *symbol;
    uint32_t kind; /* lb_attribute_kind */
    uint32_t data; /* 1: a data descriptor, which comes before the instance */
    lb_get_fn get;
    lb_set_fn set; /* NULL: cannot be set */
    lb_delete_fn remove;
    uint32_t offset;    /* LB_FIELD: in bytes from the start of the instance */
    uint32_t type;      /* LB_FIELD: lb_field_type */
    uint32_t read_only; /* LB_FIELD */
    uint32_t unused;
};

LBI_STATIC_ASSERT(offsetof(lb_attribute, owner) == 24 &&
                      offsetof(lb_attribute, kind) == 40,
                  "lb_attribute is ABI");

/* What an attribute is made of. Zero is a good default for what a kind does
 * not use. Properties and fields are data descriptors. A method without `call`
 * is a value that binds: calling it goes to the hook `call_value`. */
typedef struct lb_attribute_spec {
    lb_attribute_kind kind;
    lb_value value; /* retained (that of LB_VALUE even if zero, others if
                       they are not); a field has none */
    lb_call_fn call;
    lb_get_fn get; /* LB_PROPERTY: at least one of the three */
    lb_set_fn set;
    lb_delete_fn remove;
    uint32_t offset;
    lb_field_type type;
    int read_only;
    void *context;
    void (*release)(void *context); /* called once nothing can use the context
                                       any more; if setting fails, it stays
                                       yours */
} lb_attribute_spec;

/* Sets the attribute of that name in the dictionary of `cls`, replacing what
 * was there. Instances of it and of its subclasses see it at once.
 * Errors: LB_BAD_ARGUMENT (also a field that lies outside the instance, a
 * symbol of another runtime, a property without functions), LB_NO_MEMORY. Any
 * thread. Cost: the lock; the smaller of the resolved cells of that name and
 * the subclasses. */
LB_PUBLIC lb_status lb_class_set(lb_class *cls, const lb_symbol *symbol,
                                 const lb_attribute_spec *spec);

/* One of several attributes that are set in one step. */
typedef struct lb_definition {
    const lb_symbol *symbol;
    lb_attribute_spec spec;
} lb_definition;

/* Sets `count` attributes, all or none: a look-up that starts after the return
 * sees all of them. Meant for the body of a class: with it the class counts as
 * defined, and what comes later are changes (which LB_POLICY_TABLE64 punishes);
 * without it a class is defined when it is first looked up. A symbol may stand
 * there twice: the last counts. Errors: as lb_class_set; the message names the
 * attribute. */
LB_PUBLIC lb_status lb_class_define(lb_class *cls,
                                    const lb_definition *definitions,
                                    size_t count);

/* Deletes it: what the bases say is seen again. LB_NO_ATTRIBUTE when the
 * dictionary of `cls` itself does not have it; LB_NO_MEMORY. */
LB_PUBLIC lb_status lb_class_delete(lb_class *cls, const lb_symbol *symbol);

/* The short forms, which intern the name: a value; a method. */
LB_PUBLIC lb_status lb_class_set_value(lb_class *cls, const char *name,
                                       lb_value value);
LB_PUBLIC lb_status lb_class_set_method(lb_class *cls, const char *name,
                                        lb_call_fn call, void *context);

/* The attribute in the dictionary of `cls` itself, or NULL. Any thread. */
LB_PUBLIC const lb_attribute *lb_class_own(const lb_class *cls,
                                           const lb_symbol *symbol);

/* The dictionary of a class as a thing of its own, by texts: what C.__dict__
 * is in Python. The view is a value; it is valid as long as the class. Changes
 * through it are changes of the class, and are told to the hook `changed`
 * (policy.h) like those by lb_class_set. */
typedef struct lb_dictionary {
    lb_class *cls;
} lb_dictionary;

/* The view of a class's own attributes, and how many there are. */
LB_PUBLIC lb_dictionary lb_class_dictionary(lb_class *cls);
LB_PUBLIC size_t lb_dictionary_count(lb_dictionary dictionary);

/* lb_class_own by text: NULL when the class itself has no such attribute. */
LB_PUBLIC const lb_attribute *lb_dictionary_get(lb_dictionary dictionary,
                                                const char *name);

/* lb_class_set and lb_class_delete by text, with their errors; setting interns
 * the name. */
LB_PUBLIC lb_status lb_dictionary_set(lb_dictionary dictionary,
                                      const char *name,
                                      const lb_attribute_spec *spec);
LB_PUBLIC lb_status lb_dictionary_delete(lb_dictionary dictionary,
                                         const char *name);

/* Walks in the order of first definition: start with *cursor 0; returns NULL at
 * the end. A change in between may repeat or leave out what was changed. */
LB_PUBLIC const lb_attribute *lb_dictionary_next(lb_dictionary dictionary,
                                                 size_t *cursor);

#ifdef __cplusplus
}
#endif
#endif
