/* latebind/class.h - classes, their order, and the instances' headers.
 *
 * A class is a name, bases, and the C3 linearization of them (Barrett et al.,
 * "A monotonic superclass linearization for Dylan", OOPSLA 1996). Making one
 * costs memory for that and a number; the id by which tables know it is taken
 * when its header is first asked for.
 */
#ifndef LATEBIND_CLASS_H
#define LATEBIND_CLASS_H

#include "latebind/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Stands for any class where rules are made from classes (lb_add and the like),
 * and for nothing else. */
LB_PUBLIC extern lb_class *const lb_any_class;

enum {
    /* Instances start with an lb_object (object.h) and can hold attributes of
     * their own. Every class derived from one that has it has it, too. */
    LB_FREE_ATTRIBUTES = 1
};

/* What a class is made of. Zero is a good default for all but `name`. */
typedef struct lb_class_spec {
    const char *name;       /* copied; need not be unique */
    lb_class *const *bases; /* most important first, copied */
    size_t base_count;
    size_t instance_size;           /* bytes, header included; for lb_new. 0:
                                       the largest of the bases', and room for
                                       an lb_object with free attributes. Not
                                       less than the bases' */
    void *context;                  /* the caller's, see lb_class_context */
    void (*release)(void *context); /* called when the class is freed; if it
                                       is not made, `context` stays yours */
    lb_class *const *linearization; /* NULL: C3. Else the order after the
                                       class itself, e.g. a custom mro() */
    size_t linearization_count;
    uint32_t flags; /* LB_FREE_ATTRIBUTES or 0. LB_BAD_ARGUMENT when a base
                       without it has C fields where an lb_object has its
                       pointer */
} lb_class_spec;

/* Makes a class.
 * spec    not NULL; every base must belong to `runtime`
 * result  receives the class, owned by the runtime
 * Errors: LB_BAD_ARGUMENT, LB_BAD_ORDER (the message shows the conflict),
 * LB_LIMIT, LB_NO_MEMORY. Any thread. Cost: the length of the linearization;
 * with several bases also a look for new ambiguities, which are reported. */
LB_PUBLIC lb_status lb_class_create(lb_runtime *runtime,
                                    const lb_class_spec *spec,
                                    lb_class **result);

/* The short form: a class `name` with at most two bases (NULL: none).
 * Returns NULL on failure (see lb_message). */
LB_PUBLIC lb_class *lb_class_make(lb_runtime *runtime, const char *name,
                                  size_t instance_size, lb_class *base,
                                  lb_class *second_base);

/* Replaces the bases of a class; it and all its subclasses are linearized
 * anew, and every resolved call that this may change is resolved again.
 * No bases at all are allowed. Errors: as lb_class_create; LB_BAD_ORDER also
 * for a cycle; LB_BAD_ARGUMENT also for a base twice, and where an instance of
 * the class, or of one below it, could not be one of the new bases (smaller, or
 * without the free attributes). */
LB_PUBLIC lb_status lb_class_set_bases(lb_class *cls, lb_class *const *bases,
                                       size_t base_count);

/* Gives a class a linearization of the caller's (after the class itself), or
 * C3 again when `order` is NULL. Subclasses are linearized anew. Errors: as
 * lb_class_set_bases. */
LB_PUBLIC lb_status lb_class_set_linearization(lb_class *cls,
                                               lb_class *const *order,
                                               size_t count);

/* Ends a class. No instance of it may be used afterwards. Its id is reused, and
 * its release hook called, after quiescence; where memory comes back by itself
 * (epochs, single-threaded) in batches of 256, or at lb_quiesce. Errors:
 * LB_BUSY when a class derives from it or a rule specializes on it; the message
 * names one. */
LB_PUBLIC lb_status lb_class_destroy(lb_class *cls);

/* A living class of that name (any, if several have it), or NULL. */
LB_PUBLIC lb_class *lb_class_find(lb_runtime *runtime, const char *name);

/* Facts about a class (not NULL). The name lives as long as the class. */
LB_PUBLIC const char *lb_class_name(const lb_class *cls);
LB_PUBLIC void *lb_class_context(const lb_class *cls);
LB_PUBLIC lb_runtime *lb_class_runtime(const lb_class *cls);
LB_PUBLIC size_t lb_class_instance_size(const lb_class *cls);

/* Copies at most `capacity` classes of the linearization (the class itself
 * first) or of the direct bases to `out` (NULL if capacity is 0) and returns
 * how many there are. Any thread. */
LB_PUBLIC size_t lb_class_linearization(const lb_class *cls, lb_class **out,
                                        size_t capacity);
LB_PUBLIC size_t lb_class_bases(const lb_class *cls, lb_class **out,
                                size_t capacity);

/* 1 if `base` is in the linearization of `cls` (a class is its own subclass),
 * else 0; 0 for NULL. Any thread. */
LB_PUBLIC int lb_class_is_subclass(const lb_class *cls, const lb_class *base);

/* The header for instances of `cls` (not NULL). The first call gives the class
 * (and its living relatives, so that a family's ids lie together) an id. When
 * ids have run out the header still works: calls go the slow way. Never fails.
 * Any thread; after the first call no lock. */
LB_PUBLIC lb_header lb_class_header(lb_class *cls);

/* Stamps `object` (whose first member is an lb_header) as an instance. */
static inline void lb_init(lb_class *cls, void *object)
{
    *(lb_header *)object = lb_class_header(cls);
}

/* A fat reference to `object`, which needs no header. */
static inline lb_ref lb_reference(lb_class *cls, void *object)
{
    lb_ref reference;
    reference.object = object;
    reference.head = lb_class_header(cls);
    return reference;
}

/* A zeroed, stamped instance of lb_class_instance_size bytes, or NULL (no
 * memory, or a size below that of a header: see lb_message). lb_delete gives
 * it back, with its free attributes; NULL is allowed, the class is the one given
 * to lb_new, whatever lb_set_class made of the object since. What its C fields
 * hold is its owner's to release. */
LB_PUBLIC void *lb_new(lb_class *cls);
LB_PUBLIC void lb_delete(lb_class *cls, void *object);

/* Makes `object` (8-byte aligned, as a header is) an instance of `cls`, which
 * must be of the same runtime and lay out its instances alike, while other
 * threads may call on it: a call sees the old class or the new. Its free
 * attributes stay. Errors: LB_BAD_ARGUMENT for NULL, when only one of the
 * two classes has LB_FREE_ATTRIBUTES, when instances of `cls` are larger, and
 * for a class of another runtime; LB_NO_MEMORY (free attributes only). */
LB_PUBLIC lb_status lb_set_class(void *object, lb_class *cls);

/* The class of a header, or NULL when it names no living class of `runtime`. */
LB_PUBLIC lb_class *lb_class_of(lb_runtime *runtime, const lb_header *head);

#ifdef __cplusplus
}
#endif
#endif
