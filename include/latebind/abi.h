/* latebind/abi.h - the layouts that compiled callers know, and the look-up.
 *
 * Everything here is ABI under the number LB_ABI: the static asserts below
 * fail when a layout drifts, and the number is checked when a runtime is made
 * and when a plug-in is loaded.
 *
 * The look-up of one argument (see ARCHITECTURE.md for why it is safe):
 *   1. h = the handle in the object's header, id * 16 (relaxed)
 *   2. mask, then table of the generic function (acquire, in this order)
 *   3. the cell at table + (h & mask) is {fn, entry | tag}; the tag, in the
 *      upper 16 bits, is the id's upper 16; its lower 4 are the cell's place
 *   4. tag equal: call fn with the address of the entry word
 * The test of the tag is off the path that leads to fn: object, cell, call, as
 * short as a virtual call. Two and more arguments: the cell is {fn, key} (or
 * {fn, key, key, key}), the keys being handles packed by three; the entry word
 * lies mirrored below the table, where the cell's place alone determines it,
 * so that an old mask with a new table still finds the right one.
 */
#ifndef LATEBIND_ABI_H
#define LATEBIND_ABI_H

#include "latebind/runtime.h"
#include "latebind/version.h"

#ifdef __cplusplus
extern "C" {
#define LBI_STATIC_ASSERT(what, why) static_assert(what, why)
#else
#define LBI_STATIC_ASSERT(what, why) _Static_assert(what, why)
#endif

#define LB_LIKELY(x) __builtin_expect(!!(x), 1)
#define LB_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LBI_INLINE static inline __attribute__((always_inline, unused))
#define LBI_COLD static __attribute__((noinline, cold, unused))

/* Dispatched arguments of one generic function, at most; and parameters. */
#define LB_MAX_DISPATCH 9
#define LB_MAX_PARAMETERS 16

/* The tag or key of an empty cell. No id has this pattern (the uppermost 16 are
 * never given out), so even a zeroed header misses. */
#define LBI_EMPTY (~UINT64_C(0))

/* An entry word: an address below 2^48, and perhaps a tag above. */
#define LBI_ENTRY_BITS 48

typedef struct lb_generic lb_generic;
typedef struct lb_entry lb_entry;
typedef struct lb_method lb_method;
typedef struct lb_head lb_head;
typedef struct lb_signature lb_signature;

/* Any function; cast to its real type before it is called. */
typedef void (*lb_fn)(void);

/* The hidden first argument of every method: the address of an entry word. What
 * it holds may be tagged: read it by lb_load_entry. */
typedef const lb_entry *const *lb_slot;

/* The static descriptor by which a method is known. LB_METHOD makes one. */
struct lb_method {
    uint32_t abi;
    uint32_t flags; /* LB_BOXED */
    const char *name;
    lb_fn fn;
    const char *signature; /* C types as text, NULL: not checked */
    const char *file;      /* where it is defined, NULL: unknown */
    uint32_t line;
};

enum { LB_BOXED = 1 }; /* the function is an lb_boxed_fn */

enum {
    LB_ENTRY_SWAPPED = 1,  /* called with its first two arguments exchanged */
    LB_ENTRY_AT_START = 2, /* the next method runs before the body         */
    LB_ENTRY_AT_END = 4,   /* the next method runs after the body          */
    LB_ENTRY_FRAME = 8,    /* befores, primary, afters                     */
    LB_ENTRY_COMBINED = 16 /* all of `parts`, folded by the combiner       */
};

/* The flags of entries that only a generic's `wrap` adapter may run. */
#define LBI_WRAPPED                                                            \
    (LB_ENTRY_AT_START | LB_ENTRY_AT_END | LB_ENTRY_FRAME | LB_ENTRY_COMBINED)

/* Folds the results of methods. `accumulator` and `result` point to values of
 * the generic function's result type; for index 0 the engine has copied the
 * first result to `accumulator` already. Returns 0 to go on, 1 to stop. */
typedef int (*lb_combine_fn)(void *context, void *accumulator,
                             const void *result, size_t index);

/* One link of a chain of applicable methods: a method and what comes after
 * it. Immutable, shared by every slot whose chain is the same from here. */
struct lb_entry {
    const lb_method *method; /* NULL: not a method of the caller's own     */
    const lb_entry *next;    /* never NULL; the end is its own next        */
    lb_fn next_fn;           /* called with &next to run the next method   */
    void *context;           /* the rule's; or the combiner's              */
    lb_fn fn;                /* what a slot calls with the address of this */
    const lb_entry *inner;   /* what a wrapper runs inside, else NULL      */
    uint32_t flags;
    uint32_t status; /* LB_OK, else why the chain ends here        */
    lb_generic *generic;
    const lb_entry *const *parts; /* frame: befores, afters; combined: all */
    uint32_t part_count;
    uint32_t before_count; /* of parts; the rest are afters              */
    lb_combine_fn combine; /* combined only                              */
    const void *rule;      /* the engine's                               */
};

/* What a generic function's callers load. */
struct lb_head {
    const char *table;   /* the first cell                          */
    uint32_t mask;       /* (cells - 1) * 16                        */
    uint32_t shift;      /* two and more arguments: how keys are mixed */
    lb_generic *generic; /* NULL until bound */
    const lb_signature *signature;
};

/* An argument that is dispatched on, for the slow path. */
typedef struct lb_argument {
    const lb_header *head;
    lb_value value;
} lb_argument;

/* A boxed method: what interpreters and other languages define. `argv` holds
 * all arguments; a non-zero status is handed to the caller. */
typedef lb_status (*lb_boxed_fn)(lb_slot slot, size_t argc,
                                 const lb_value *argv, lb_value *result);

typedef enum lb_type_code {
    LB_TYPE_OTHER = 0,
    LB_TYPE_VOID,
    LB_TYPE_BOOL,
    LB_TYPE_INT,
    LB_TYPE_LONG,
    LB_TYPE_LLONG,
    LB_TYPE_UINT,
    LB_TYPE_ULONG,
    LB_TYPE_ULLONG,
    LB_TYPE_FLOAT,
    LB_TYPE_DOUBLE
} lb_type_code;

/* What the engine must know of a C signature, made by LB_DEFINE_GENERIC. The
 * functions adapt between C's calling conventions and boxed values. */
struct lb_signature {
    uint32_t abi;
    uint32_t dispatched; /* how many arguments select the method */
    uint32_t parameters;
    uint32_t result_size;
    lb_type_code (*result_type)(void);
    const char *name;
    const char *text; /* "double (const shape *)"                    */
    lb_fn fallback;   /* called when no method is applicable         */
    lb_fn wrap;       /* runs frames, combinations, propagation      */
    lb_fn box;        /* calls a boxed method                        */
    lb_fn stub;       /* in a cell whose rule is gone: resolves anew */
    lb_fn swap_call;  /* NULL: no commutative rules                  */
    lb_fn swap_next;
    /* Calls `fn`, of the generic's type, with unpacked arguments. */
    void (*call)(lb_fn fn, lb_slot slot, const lb_value *argv,
                 lb_value *result);
    /* Picks the dispatched arguments out of all. */
    void (*arguments)(const lb_value *argv, lb_argument *out);
};

LBI_STATIC_ASSERT(sizeof(void *) == 8 && sizeof(lb_fn) == 8, "64-bit only");
LBI_STATIC_ASSERT(sizeof(lb_header) == 8, "lb_header is ABI");
LBI_STATIC_ASSERT(offsetof(lb_ref, head) == 8, "lb_ref is ABI");
LBI_STATIC_ASSERT(offsetof(lb_head, mask) == 8 && sizeof(lb_head) == 32,
                  "lb_head is ABI");
LBI_STATIC_ASSERT(offsetof(lb_entry, next_fn) == 16 &&
                      offsetof(lb_entry, fn) == 32 &&
                      offsetof(lb_entry, status) == 52 &&
                      sizeof(lb_entry) == 96,
                  "lb_entry is ABI");
LBI_STATIC_ASSERT(offsetof(lb_method, fn) == 16 && sizeof(lb_method) == 48,
                  "lb_method is ABI");
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "latebind needs a little-endian machine"
#endif

/* The table of every generic function that is not bound or has no calls yet:
 * nothing in it matches. */
LB_PUBLIC extern const uint64_t lb_empty_table[64];

/* The slow path: the entry to call for these arguments (as many as the
 * signature says). Never NULL: when nothing can be called it is an entry with
 * a status, whose function is the fallback. Fills the table. */
LB_PUBLIC const lb_entry *lb_resolve_call(const lb_head *head,
                                          const lb_argument *arguments);

/* The same, but tries the table first. */
LB_PUBLIC const lb_entry *lb_look_up(const lb_head *head,
                                     const lb_argument *arguments);

/* Sets lb_message to why `entry` ends a call with these arguments (NULL:
 * unknown) and returns its status. */
LB_PUBLIC lb_status lb_fail(const lb_entry *entry,
                            const lb_argument *arguments);

/* The same, and tells the runtime's report hook. */
LB_PUBLIC void lb_report_failure(const lb_entry *entry,
                                 const lb_argument *arguments);

/* What a method hands its call on to that found the entry of another in its
 * place: that entry, or, when LB_SELF in `function` names another function by
 * mistake, one that fails with LB_BAD_SIGNATURE. Never NULL. */
LB_PUBLIC const lb_entry *lb_overtaken(const lb_entry *found,
                                       const char *function, const char *named);

/* Calls the boxed method of `entry` and reports a failure of it. */
LB_PUBLIC lb_status lb_call_boxed(const lb_entry *entry, size_t argc,
                                  const lb_value *argv, lb_value *result);

LBI_INLINE uint64_t lbi_load_word(const void *at)
{
    return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

/* The entry in a slot. */
LBI_INLINE const lb_entry *lb_load_entry(lb_slot slot)
{
    const uint64_t word =
        (uint64_t)(uintptr_t)__atomic_load_n(slot, __ATOMIC_ACQUIRE);
    return (const lb_entry *)(uintptr_t)(word &
                                         ((UINT64_C(1) << LBI_ENTRY_BITS) - 1));
}

/* The handle in an object's header (not NULL). */
LBI_INLINE uint32_t lb_handle(const void *head)
{
    return __atomic_load_n(&((const lb_header *)head)->handle,
                           __ATOMIC_RELAXED);
}

/* 1 when a method comes after `self`, so that calling it will not fail. */
LBI_INLINE int lb_has_next(const lb_entry *self)
{
    return self->next->status == LB_OK;
}

/* The key of up to three handles: 20 bits each, from bit 4. */
LBI_INLINE uint64_t lbi_key(const uint32_t *h, unsigned count)
{
    uint64_t key = h[0];
    if (count > 1)
        key += (uint64_t)h[1] << 20;
    if (count > 2)
        key += (uint64_t)h[2] << 40;
    return key;
}

/* Where a key's cell lies in a table of any size: mixes handles by `shift`. */
LBI_INLINE uint64_t lbi_mix(const uint32_t *h, unsigned count, uint32_t shift)
{
    const unsigned s = shift & 63;
    uint64_t mixed = ((uint64_t)h[0] << s) + h[1];
    if (count > 2)
        mixed = (mixed << s) + h[2];
    for (unsigned i = 3; i < count; i++)
        mixed = (mixed << s) + h[i];
    return mixed;
}

/* The same number, but the compiler may not know: it would otherwise add up an
 * address once for the entry word and the function, and put the addition on
 * the path to the call, where an indexed load costs nothing. */
LBI_INLINE uint64_t lbi_apart(uint64_t number)
{
    __asm__("" : "+r"(number));
    return number;
}

/* The fast path. `h` are the handles of the `count` dispatched arguments. On a
 * hit: 1, the function in `fn` and its hidden argument in `slot`. Wait-free;
 * with `count` constant it compiles to the few instructions shown above. */
LBI_INLINE int lb_find(const lb_head *head, unsigned count, const uint32_t *h,
                       lb_fn *fn, lb_slot *slot)
{
    const uint32_t mask = __atomic_load_n(&head->mask, __ATOMIC_ACQUIRE);
    const char *const table = __atomic_load_n(&head->table, __ATOMIC_ACQUIRE);
    uint64_t at, tag;

    if (count == 1) {
        at = h[0] & mask;
        tag = lbi_load_word(table + at + 8) ^ ((uint64_t)h[0] << 40);
        *fn = (lb_fn)(uintptr_t)lbi_load_word(table + at);
        *slot = (lb_slot)(const void *)(table + 8 + lbi_apart(at));
        return LB_LIKELY(tag >> LBI_ENTRY_BITS == 0);
    }
    at = lbi_mix(h, count, __atomic_load_n(&head->shift, __ATOMIC_RELAXED)) &
         mask;
    *slot = (lb_slot)(const void *)(table - 8 - at / 2);
    if (count <= 3) {
        const int hit =
            lbi_load_word(table + 8 + lbi_apart(at)) == lbi_key(h, count);
        *fn = (lb_fn)(uintptr_t)lbi_load_word(table + at);
        return LB_LIKELY(hit);
    }
    const char *const wide = table + at * 2;
    int hit =
        lbi_load_word(wide + 8) == lbi_key(h, 3) &&
        lbi_load_word(wide + 16) == lbi_key(h + 3, count < 6 ? count - 3 : 3);
    if (count > 6)
        hit = hit && lbi_load_word(wide + 24) == lbi_key(h + 6, count - 6);
    *fn = (lb_fn)(uintptr_t)lbi_load_word(wide);
    return LB_LIKELY(hit);
}

#ifdef __cplusplus
}
#endif
#endif
