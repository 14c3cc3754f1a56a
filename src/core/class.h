/* core/class.h - what a class is made of. */
#ifndef LBI_CORE_CLASS_H
#define LBI_CORE_CLASS_H

#include "core/runtime.h"

struct lb_class {
    lbi_link by_name; /* first member */
    lb_runtime *runtime;
    char *name;
    uint32_t serial;
    uint32_t handle;      /* atomic; 0 until first asked for */
    lb_class **bases;     /* own, exact size */
    lb_class **order;     /* the linearization, itself first; own */
    lb_class **derived;   /* direct subclasses, unordered */
    lb_class **new_order; /* while a change of bases is prepared */
    lb_class **below;     /* those of lbi_class_members, or NULL */
    uint32_t base_count, order_count, new_order_count;
    uint32_t scratch; /* of a running merge */
    uint32_t extends; /* how many classes in its order are foreign to it */
    size_t derived_count, derived_capacity;
    size_t descendants; /* classes that have this one in their order */
    size_t references;  /* specializers of rules that name it */
    size_t strangers;   /* classes that it is foreign to: see class.c */
    size_t below_count;
    uint64_t below_of;         /* the runtime->orders that `below` is of */
    uint64_t stamp;            /* marks of walks over classes */
    lb_class *next, *previous; /* living ones, in order of creation */
    size_t instance_size;
    struct lbi_members *members; /* attributes: kept by the room above */
    uint32_t flags;
    void *context;
    void (*release)(void *context);
    bool numbered;  /* a topmost class whose family was numbered */
    bool supplied;  /* its order is the caller's, not C3's */
    bool irregular; /* its order mixes up a base's: see class.c */
    bool turning;   /* it is in the order of one of its own bases */
    bool chain;     /* its order is a single line of bases */
    bool defined;   /* changes of its attributes count as such, from now on */
};

/* The place of `base` in the order of `cls`, or -1. Under the lock. */
static inline long lbi_class_index(const lb_class *cls, const lb_class *base)
{
    if (cls->chain) {
        const long at = (long)cls->order_count - (long)base->order_count;
        return at >= 0 && cls->order[at] == base ? at : -1;
    }
    for (uint32_t i = 0; i < cls->order_count; i++)
        if (cls->order[i] == base)
            return (long)i;
    return -1;
}

static inline bool lbi_is_subclass(const lb_class *cls, const lb_class *base)
{
    return lbi_class_index(cls, base) >= 0;
}

/* All classes that have `cls` in their order, in the order of creation:
 * cls->descendants of them. They are kept until an order changes; finding them
 * costs a look at every class. NULL without memory. Under the lock. */
lb_class *const *lbi_class_members(lb_class *cls);

/* The living class with that serial, or NULL. Any thread. */
lb_class *lbi_class_by_serial(const lb_runtime *runtime, uint32_t serial);

/* The class that a header names, or NULL; checks that it is of `runtime`. */
lb_class *lbi_class_of(const lb_runtime *runtime, lb_header head);

/* The same of an object of any runtime: its id tells which. */
lb_class *lbi_class_of_any(lb_header head);

/* lb_class_make, with flags. */
lb_class *lbi_class_make(lb_runtime *runtime, const char *name,
                         size_t instance_size, uint32_t flags, lb_class *base,
                         lb_class *second_base);

/* A header as one word, so that it is read and written whole.
 * Objects are at least 8-byte aligned, as everything with a pointer in it. */
typedef uint64_t __attribute__((may_alias)) lbi_word;

static inline lb_header lbi_header_of(uint64_t word)
{
    return (lb_header){(uint32_t)word, (uint32_t)(word >> 32)};
}

static inline uint64_t lbi_word_of(lb_header head)
{
    return (uint64_t)head.serial << 32 | head.handle;
}

/* Reads a header that another thread may be writing by lb_set_class. */
lb_header lbi_read_header(const lb_header *head);

/* The header for a class, numbering it if need be. Under the lock. */
lb_header lbi_class_header(lb_class *cls);

/* Makes `*order` (fresh memory, `*count` items): the C3 linearization over the
 * bases' new_order where there is one, else order. */
lb_status lbi_linearize(lb_class *cls, lb_class *const *bases,
                        uint32_t base_count, lb_class ***order,
                        uint32_t *count);

/* Makes tables forget the destroyed classes and retires their numbers. */
void lbi_classes_swept(lb_runtime *runtime);
void lbi_classes_end(lb_runtime *runtime);

#endif
